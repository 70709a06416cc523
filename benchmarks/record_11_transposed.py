"""Record for chapter 11: decoders that double a map in three ways, eight seeds each.

python benchmarks/record_11_transposed.py

All see the same pictures in the same order, for as many steps, with the same settings. They differ
in their two doublings only; kernel 4 has more weights, and resizing needs more multiplications.
No time is kept, so that it need not run on a quiet machine.
"""

import torch

from convbook.analysis import trace
from convbook.course import runs
from convbook.course.experiments.checkerboard import UPSAMPLERS, decoder, nyquist_power, run
from convbook.data.shapes import draw
from convbook.train.augment import to_float
from convbook.train.provenance import check_committed

SEEDS = range(8)
TRAINING, TEST = 4096, 1024
CONFIG = {"steps": 1200, "batch_size": 32, "max_lr": 0.01}


def pictures_of(count, seed):
    """Return pictures of shapes, numbers from -1 to 1."""
    return to_float(draw(count, seed=seed).images)


def main(folder=None):
    """Train, print and write the file."""
    check_committed()  # before the minutes, not after them
    torch.set_num_threads(1)
    training, test = pictures_of(TRAINING, 0), pictures_of(TEST, 1)
    decoders = []
    for kind in UPSAMPLERS:
        table = trace(decoder(kind), (3, 8, 8))
        done = [run(seed, kind, training, test, **CONFIG) for seed in SEEDS]
        decoders.append({"kind": kind, "params": table.params, "macs": table.macs, "runs": done})
        print(kind, [one["after"]["unevenness"] for one in done], flush=True)
    results = {
        "seeds": [*SEEDS],
        "config": CONFIG,
        "pictures": {"nyquist_share": round(nyquist_power(test), 5)},
        "decoders": decoders,
    }
    words = f"shapes, {TRAINING:,} to train on"
    runs.record("11_transposed", SEEDS[0], words, results, folder)


if __name__ == "__main__":
    main()
