"""Record for chapter 12: networks that enlarge a photograph, five seeds each.

python benchmarks/record_12_pixel_shuffle.py

All learn from the left half of one photograph, made small by two, and are judged on the right half,
both without the border. They see the same crops in the same order, with the same settings. Four
have equally many weights, and five of the six equally many products (or a few more, where it
is enlarged first). No time is kept, so that it need not run on a quiet machine.
"""

import torch

from convbook.analysis import trace
from convbook.course import runs
from convbook.course.experiments.super_resolution import KINDS, follow, make_network, to_hex
from convbook.course.photographs import grace_hopper
from convbook.train.provenance import check_committed

SEEDS = (0, 1, 2, 3, 4)
FACTOR = 2
MOMENTS = (0, 50, 100, 200, 400, 800, 1600)  # steps
CROP = (140, 4, 64)  # top, left, side of what is shown of the right half: an eye


def contest(kind, halves):
    """Train one kind with all seeds; return its row, and what the first seed drew."""
    left, right = halves
    done = [follow(seed, kind, FACTOR, left, right, MOMENTS) for seed in SEEDS]
    shape = (1, *(size // FACTOR for size in right.shape[-2:]))
    table = trace(make_network(kind, FACTOR), shape)
    rows = [one for one, _ in done]
    print(kind, [(one["psnr"][-1], one["ripple"][-1]) for one in rows], flush=True)
    return {"kind": kind, "params": table.params, "macs": table.macs, "runs": rows}, done[0][1]


def main(folder=None):
    """Train, print and write the file."""
    check_committed()  # before the minutes, not after them
    torch.set_num_threads(1)
    photo = grace_hopper(384).mean(1, keepdim=True)
    halves = photo[..., :192], photo[..., 192:]
    top, left, side = CROP
    networks, crops = [], {}
    for kind in KINDS:
        row, drawn = contest(kind, halves)
        networks.append(row)
        crops[kind] = to_hex(drawn[..., top : top + side, left : left + side])
    results = {
        "seeds": SEEDS,
        "factor": FACTOR,
        "moments": MOMENTS,
        "networks": networks,
        "crop": CROP,
        "crops": crops,
    }
    words = "halves of one photograph"
    runs.record("12_pixel_shuffle", SEEDS[0], words, results, folder)


if __name__ == "__main__":
    main()
