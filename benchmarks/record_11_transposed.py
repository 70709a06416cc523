"""Record for chapter 11: decoders that double a map in three ways, three seeds each.

python benchmarks/record_11_transposed.py

All see the same pictures in the same order, for as many steps, with the same settings. They differ
in their two doublings only; kernel 4 has more weights, and resizing needs more multiplications.
"""

import time

import torch
import torch.nn.functional as F

from convbook.analysis import trace
from convbook.course import runs
from convbook.course.experiments.checkerboard import (
    DOUBLINGS,
    decoder,
    drawn_flat,
    nyquist_share,
    thumbnails,
    train,
    unevenness,
)
from convbook.data.shapes import draw
from convbook.train.augment import to_float
from convbook.train.provenance import check_committed

SEEDS = (0, 1, 2)
TRAINING, TEST = 4096, 1024
CONFIG = {"steps": 1200, "batch_size": 32, "max_lr": 0.01}


def pictures_of(count, seed):
    """Return pictures of shapes, numbers from -1 to 1."""
    return to_float(draw(count, seed=seed).images)


def measure(model, test):
    """Return the pattern's size on even grey, on real pictures, and the error on new pictures."""
    with torch.no_grad():
        drawn = model(thumbnails(test))
    return {
        "unevenness": round(unevenness(model), 5),
        "nyquist_share": round(nyquist_share(drawn), 5),
        "error": round(F.mse_loss(drawn, test).item(), 5),
        "period": [
            [round(value, 4) for value in row]
            for row in drawn_flat(model, torch.zeros(1))[0, 0, :4, :4].tolist()
        ],
    }


def train_one(kind, seed, training, test):
    """Train one decoder and return what is recorded of it."""
    torch.manual_seed(seed)
    model = decoder(kind)
    before, start = measure(model, test), time.perf_counter()
    train(model, training, seed=seed, **CONFIG)
    seconds = time.perf_counter() - start
    return {
        "seed": seed,
        "seconds": round(seconds, 1),
        "before": before,
        "after": measure(model, test),
    }


def main(folder=None):
    """Train, print and write the file."""
    check_committed()  # before the minutes, not after them
    torch.set_num_threads(1)
    training, test = pictures_of(TRAINING, 0), pictures_of(TEST, 1)
    decoders = []
    for kind in DOUBLINGS:
        table = trace(decoder(kind), (3, 8, 8))
        done = [train_one(kind, seed, training, test) for seed in SEEDS]
        decoders.append({"kind": kind, "params": table.params, "macs": table.macs, "runs": done})
        print(kind, [run["after"]["unevenness"] for run in done], flush=True)
    results = {
        "seeds": SEEDS,
        "config": CONFIG,
        "pictures": {"nyquist_share": round(nyquist_share(test), 5)},
        "decoders": decoders,
    }
    words = f"shapes, {TRAINING:,} to train on"
    runs.record("11_transposed", SEEDS[0], words, results, folder)


if __name__ == "__main__":
    main()
