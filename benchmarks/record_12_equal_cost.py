"""Record for chapter 12: shuffle against resizing with a 3 x 3 kernel, which costs the same.

python benchmarks/record_12_equal_cost.py

As in `record_12_pixel_shuffle.py`, with five seeds. Resizing here has a ninth or a quarter of the
last layer's weights and as many products. No time is kept, so that it need not run on a quiet
machine.
"""

from functools import partial

import torch
from record_12_pixel_shuffle import FACTORS, STEPS, halves

from convbook.analysis import trace
from convbook.course import runs
from convbook.course.experiments.super_resolution import make_network, run
from convbook.nn import ResizeConv2d
from convbook.train.provenance import check_committed

SEEDS = (0, 1, 2, 3, 4)
WIDTH = 16  # as in `make_network`


def network(kind, factor):
    """Return a network; 'resize, 3 x 3' is not among those of the package."""
    if kind != "resize, 3 x 3":
        return make_network(kind, factor)
    body = make_network("resize", factor)[:-1]
    return body.append(ResizeConv2d(WIDTH, 1, 3, factor, bias=False))


def train_one(kind, factor, seed):
    """Train one network and return what is recorded of it."""
    row, _ = run(seed, partial(network, kind, factor), factor, *halves(), STEPS)
    return {key: row[key] for key in ("seed", "psnr", "ssim", "ripple")}


def main(folder=None):
    """Train, print and write the file."""
    check_committed()  # before the minutes, not after them
    torch.set_num_threads(1)
    rows = []
    for factor in FACTORS:
        for kind in ("shuffle", "shuffle, ICNR", "resize, 3 x 3"):
            table = trace(network(kind, factor), (1, 384 // factor, 192 // factor))
            done = [train_one(kind, factor, seed) for seed in SEEDS]
            row = {"kind": kind, "factor": factor, "params": table.params, "macs": table.macs}
            rows.append({**row, "runs": done})
            print(factor, kind, [(one["psnr"], one["ssim"]) for one in done], flush=True)
    results = {"seeds": SEEDS, "config": {"steps": STEPS}, "networks": rows}
    runs.record("12_equal_cost", SEEDS[0], "halves of one photograph", results, folder)


if __name__ == "__main__":
    main()
