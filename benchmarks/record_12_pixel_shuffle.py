"""Record for chapter 12: networks that enlarge a photograph, five seeds each.

python benchmarks/record_12_pixel_shuffle.py

All learn from the left half of one photograph and are judged on the right half. They see the same
crops in the same order, with the same settings. Four have equally many weights, and four of all six
equally many products (nearly: the one that enlarges first has a few more). No time is kept, so that
it need not run on a quiet machine.
"""

import torch

from convbook.analysis import trace
from convbook.course import runs
from convbook.course.experiments.super_resolution import KINDS, follow, make_network, to_hex
from convbook.course.photographs import grace_hopper
from convbook.train.provenance import check_committed

SEEDS = (0, 1, 2, 3, 4)
FACTORS = (2, 3)
MOMENTS = (0, 50, 100, 200, 400, 800, 1600)  # steps
CROP = (140, 4, 64)  # top, left, side of what is shown of the right half: an eye
SHOWN = 3  # the factor at which pictures are kept


def contest(kind, factor, halves):
    """Train one kind with all seeds; return its row, and what the first seed drew."""
    left, right = halves
    done = [follow(seed, kind, factor, left, right, MOMENTS) for seed in SEEDS]
    shape = (1, *(size // factor for size in right.shape[-2:]))
    table = trace(make_network(kind, factor), shape)
    row = {"kind": kind, "factor": factor, "params": table.params, "macs": table.macs}
    rows = [one for one, _ in done]
    print(factor, kind, [(one["psnr"][-1], one["ripple"][-1]) for one in rows], flush=True)
    return {**row, "runs": rows}, done[0][1]


def main(folder=None):
    """Train, print and write the file."""
    check_committed()  # before the minutes, not after them
    torch.set_num_threads(1)
    photo = grace_hopper(384).mean(1, keepdim=True)
    halves = photo[..., :192], photo[..., 192:]
    top, left, side = CROP
    networks, crops = [], {}
    for factor in FACTORS:
        for kind in KINDS:
            row, drawn = contest(kind, factor, halves)
            networks.append(row)
            if factor == SHOWN:
                crops[kind] = to_hex(drawn[..., top : top + side, left : left + side])
    results = {
        "seeds": SEEDS,
        "moments": MOMENTS,
        "networks": networks,
        "crop": CROP,
        "crops": crops,
    }
    words = "halves of one photograph"
    runs.record("12_pixel_shuffle", SEEDS[0], words, results, folder)


if __name__ == "__main__":
    main()
