"""Record for chapter 7: stacks of three depths, trained with and without skips, three seeds each.

python benchmarks/record_07_resnet_skips.py

Each pair has the same layers, the same first weights, the same pictures in the same order, and the
same settings. Only the skips differ.
"""

import torch

from convbook.analysis import trace
from convbook.course import runs
from convbook.course.experiments.residual_depth import PlainBlock, block_stack
from convbook.data import load
from convbook.nn import ResidualBlock
from convbook.train import TrainConfig, fit
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


def train(kind, count, seed, data):
    """Train one stack and return what is recorded of it."""
    torch.manual_seed(seed)
    model = block_stack(KINDS[kind], count)
    done = fit(model, data, TrainConfig(**CONFIG, seed=seed), progress=False)
    return {
        "seed": seed,
        "training_loss": [round(row["loss"], 4) for row in done.epochs],
        "validation_accuracy": [row["validation_accuracy"] for row in done.epochs],
        "test_accuracy": done.test["accuracy"],
        "seconds": round(done.seconds, 1),
    }


def main(folder=None):
    """Train, print and write the file."""
    check_committed()  # before the minutes, not after them
    torch.set_num_threads(1)
    data, stacks = load("shapes"), []
    for count in BLOCKS:
        for kind, block in KINDS.items():
            table = trace(block_stack(block, count), data.input_size)
            done = [train(kind, count, seed, data) for seed in SEEDS]
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
            print(kind, count, [run["test_accuracy"] for run in done], flush=True)
    results = {"seeds": SEEDS, "config": CONFIG, "stacks": stacks}
    words = f"shapes, {len(data.train):,} to train on"
    runs.record("07_resnet_skips", SEEDS[0], words, results, folder)


if __name__ == "__main__":
    main()
