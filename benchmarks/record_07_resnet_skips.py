"""Record for chapter 7: stacks of three depths, trained with and without skips, three seeds each.

python benchmarks/record_07_resnet_skips.py

Each pair has the same layers, the same first weights, the same pictures in the same order, and the
same settings. Only the skips differ.
"""

import torch

from convbook.analysis import trace
from convbook.course import runs
from convbook.course.experiments.residual_depth import PlainBlock, run, stack_of_blocks
from convbook.data import load
from convbook.nn import ResidualBlock
from convbook.train.provenance import check_committed

SEEDS = (0, 1, 2)
BLOCKS = (3, 9, 18)
KINDS = {"plain": PlainBlock, "residual": ResidualBlock}
CONFIG = {
    "epochs": 4,
    "batch_size": 128,
    "max_lr": 0.1,
    "label_smoothing": 0.0,
    "ema_decay": 0.0,
    "precision": "float32",
}


def main(folder=None):
    """Train, print and write the file."""
    check_committed()  # before the minutes, not after them
    torch.set_num_threads(1)
    data, stacks = load("shapes"), []
    for count in BLOCKS:
        for kind, block in KINDS.items():
            table = trace(stack_of_blocks(block, count), data.input_size)
            done = [run(seed, block, count, data, **CONFIG) for seed in SEEDS]
            convolutions = sum(row.op == "conv2d" for row in table)
            stacks.append(
                {
                    "kind": kind,
                    "blocks": count,
                    "convolutions": convolutions,
                    "params": table.params,
                    "macs": table.macs,
                    "runs": done,
                }
            )
            print(kind, count, [one["test_accuracy"] for one in done], flush=True)
    results = {"seeds": SEEDS, "config": CONFIG, "stacks": stacks}
    words = f"shapes, {len(data.train):,} to train on"
    runs.record("07_resnet_skips", SEEDS[0], words, results, folder)


if __name__ == "__main__":
    main()
