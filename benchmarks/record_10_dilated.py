"""Record for chapter 10: five networks that label each pixel, three seeds each.

python benchmarks/record_10_dilated.py

All see the same pictures in the same order, with the same settings, and have the same number of
parameters within two percent.
"""

import time

import torch

from convbook.analysis import trace
from convbook.course import runs
from convbook.course.experiments.segmentation import NETWORKS, answers, draw_strips, train_dense
from convbook.train.provenance import check_committed

SEEDS = (0, 1, 2)
TRAIN, TEST = 1000, 500
CONFIG = {"epochs": 3, "batch": 10, "max_lr": 0.01}
FAR = 7  # steps from its tip, beyond what the plain network can see
SHOWN = 0  # this test picture's answers are kept, as rows of digits


def share(right, chosen):
    """Return which share of the chosen pixels is right."""
    return round(right[chosen].double().mean().item(), 4)


def train(name, seed, pictures, test):
    """Train one network; return what is recorded of it, and the answers for one picture."""
    torch.manual_seed(seed)
    model = NETWORKS[name]()
    start = time.perf_counter()
    losses = train_dense(model, pictures, seed=seed, **CONFIG)
    seconds = time.perf_counter() - start
    found = answers(model, test)
    right = found == test.labels
    strip = test.labels > 0
    everywhere = torch.ones_like(strip)
    result = {
        "seed": seed,
        "training_loss": [round(loss, 4) for loss in losses],
        "accuracy": share(right, everywhere),
        "border_accuracy": share(right, test.borders),
        "far_accuracy": share(right, test.steps > FAR),
        "accuracy_by_steps": [
            share(right, strip & (test.steps == steps)) for steps in range(test.steps.max() + 1)
        ],
        "seconds": round(seconds, 1),
    }
    return result, ["".join(map(str, row)) for row in found[SHOWN].tolist()]


def main(folder=None):
    """Train, print and write the file."""
    check_committed()  # before the minutes, not after them
    torch.set_num_threads(1)  # one thread waits for nobody, so the times repeat
    pictures, test = draw_strips(TRAIN, seed=0), draw_strips(TEST, seed=1)
    networks = []
    for name, make in NETWORKS.items():
        table = trace(make(), (3, *test.labels.shape[1:]))
        done = [train(name, seed, pictures, test) for seed in SEEDS]
        networks.append(
            {
                "name": name,
                "params": table.params,
                "macs": table.macs,
                "field": table.receptive_field.size,
                "runs": [result for result, _ in done],
                "shown_answers": done[0][1],
            }
        )
        print(name, [result["accuracy"] for result, _ in done], flush=True)
    results = {
        "seeds": SEEDS,
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
