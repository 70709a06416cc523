"""Record for the interlude: a grey portrait enlarged three times, by four losses.

python benchmarks/record_interlude_what_a_loss_sees.py

Two networks, which end with a pixel shuffle (from an ICNR start) and with resize-convolution, learn
from the left half of a photograph with each loss, with five seeds, and are judged on the right one.
Of the first seed the region around an eye is kept as a picture. A run that is done is kept, for
this commit, and not done again.
"""

import json
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F

from convbook._files import atomic_write
from convbook.course import runs
from convbook.course.experiments import style
from convbook.course.experiments.super_resolution import checkerboard_range, to_hex, upscale
from convbook.course.photographs import grace_hopper
from convbook.metrics import psnr, ssim
from convbook.train.provenance import check_committed, git

SEEDS = (0, 1, 2, 3, 4)
STEPS = 300
EYE = (slice(140, 204), slice(4, 68))  # rows and columns of the right half


def halves():
    """Return the left half of the photograph, to learn from, and the right, to judge by."""
    photo = grace_hopper(384).mean(dim=1, keepdim=True)
    return photo[..., :192], photo[..., 192:]


def train_one(network, loss, seed, steps=STEPS):
    """Train one network and return what is recorded of it, in grey levels where it is a pattern."""
    left, right = halves()
    model = style.upscaler(network, seed)
    style.train_upscaler(model, left, style.mixed_loss(loss), steps, seed)
    drawn = upscale(model, F.avg_pool2d(right, style.FACTOR))
    row = {
        "seed": seed,
        "psnr": round(psnr(drawn, right), 3),
        "ssim": round(ssim(drawn, right), 4),
        "sharpness": round(style.sharpness(drawn), 5),
        "flat": round(255 * checkerboard_range(model, style.FACTOR, greys=(0.5,)), 2),
    }
    return row | ({"eye": to_hex(drawn[0, 0][EYE])} if seed == SEEDS[0] else {})


def kept(folder, network, loss, seed):
    """Return what was recorded of a run, after doing it where it is not done."""
    path = folder / f"{network}, {loss}, {seed}.json"
    if not path.exists():
        row = train_one(network, loss, seed)
        with atomic_write(path) as partial:
            partial.write_text(json.dumps(row), "utf8")
    return json.loads(path.read_text("utf8"))


def main(folder=None):
    """Train, print and write the file."""
    check_committed()  # before the minutes, not after them
    torch.set_num_threads(1)
    work = Path(tempfile.gettempdir(), f"record_interlude-{git('rev-parse', 'HEAD')[:10]}")
    work.mkdir(exist_ok=True)
    _, right = halves()
    rows = []
    for network in style.NETWORKS:
        for loss in style.LOSSES:
            done = [kept(work, network, loss, seed) for seed in SEEDS]
            rows.append({"network": network, "loss": loss, "runs": done})
            print(network, loss, [(one["psnr"], one["sharpness"]) for one in done], flush=True)
    results = {
        "seeds": SEEDS,
        "config": {"steps": STEPS, "losses": style.LOSSES},
        "truth": {"sharpness": round(style.sharpness(right), 5), "eye": to_hex(right[0, 0][EYE])},
        "rows": rows,
    }
    data = "halves of one photograph"
    runs.record("interlude_what_a_loss_sees", SEEDS[0], data, results, folder)


if __name__ == "__main__":
    main()
