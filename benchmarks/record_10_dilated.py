"""Record for chapter 10: five networks that label each pixel, eight seeds each.

python benchmarks/record_10_dilated.py

All see the same pictures in the same order, with the same settings, and have the same number of
parameters within two percent. No time is kept, so that it need not run on a quiet machine.
"""

import torch

from convbook.analysis import trace
from convbook.course import runs
from convbook.course.experiments.segmentation import NETWORKS, make_strips, run
from convbook.train.provenance import check_committed

SEEDS = range(8)
TRAIN, TEST = 1000, 500
CONFIG = {"epochs": 3, "batch": 10, "max_lr": 0.01}
FAR = 7  # steps from its tip, beyond what the plain network can see
SHOWN = 0  # this test picture's answers are kept, as rows of digits


def main(folder=None):
    """Train, print and write the file."""
    check_committed()  # before the minutes, not after them
    torch.set_num_threads(1)
    pictures, test = make_strips(TRAIN, seed=0), make_strips(TEST, seed=1)
    networks = []
    for name, make in NETWORKS.items():
        table = trace(make(), (3, *test.labels.shape[1:]))
        done = [run(seed, name, pictures, test, FAR, **CONFIG) for seed in SEEDS]
        networks.append(
            {
                "name": name,
                "params": table.params,
                "macs": table.macs,
                "field": table.receptive_field.size,
                "runs": [result for result, _ in done],
                "shown_answers": ["".join(map(str, row)) for row in done[0][1][SHOWN].tolist()],
            }
        )
        print(name, [result["accuracy"] for result, _ in done], flush=True)
    results = {
        "seeds": [*SEEDS],
        "sizes": (TRAIN, TEST),
        "config": CONFIG,
        "far": FAR,
        "shown": SHOWN,
        "networks": networks,
    }
    words = f"strips, {TRAIN:,} to train on"
    runs.record("10_dilated", SEEDS[0], words, results, folder)


if __name__ == "__main__":
    main()
