"""Record for chapter 12: networks that enlarge a photograph, three seeds each.

python benchmarks/record_12_pixel_shuffle.py

All learn from the left half of one photograph and are judged on the right half. They see the same
crops in the same order, with the same settings, and differ in their last layer only; in the second
part, in the loss only.
"""

from functools import cache, partial
from timeit import repeat

import torch
import torch.nn.functional as F

from convbook.analysis import trace
from convbook.course import runs
from convbook.course.experiments.super_resolution import (
    LAYERS,
    PerceptualLoss,
    judge,
    make_network,
    run,
    shape_classifier,
    to_hex,
    upscale,
)
from convbook.course.photographs import grace_hopper
from convbook.data import load
from convbook.train import TrainConfig
from convbook.train import fit as fit_classifier
from convbook.train.provenance import check_committed

SEEDS = (0, 1, 2)
FACTORS = (2, 3)
STEPS, EARLY = 1600, 100
CROP = (140, 4, 64)  # top, left, side of what is shown of the right half: an eye
CLASSIFIER = {"epochs": 3, "batch_size": 128, "max_lr": 0.1, "ema_decay": 0.0, "flip": False}
JUDGED = "shuffle, ICNR"  # what is trained with the feature loss, too
SHOWN = 3  # the factor at which that is done, and at which pictures are kept


@cache
def halves():
    """Return the left and the right half of the photograph, grey."""
    photo = grace_hopper(384).mean(1, keepdim=True)
    return photo[..., :192], photo[..., 192:]


def crop(picture):
    """Return the part that the chapter shows, as text."""
    top, left, side = CROP
    return to_hex(picture[..., top : top + side, left : left + side])


def train_one(kind, factor, seed, steps=STEPS, loss=F.mse_loss):
    """Train one network; return what is recorded of it, and what it drew."""
    return run(seed, partial(make_network, kind, factor), factor, *halves(), steps, loss)


def milliseconds(network, small):
    """Return the shortest of many times that the network takes for the right half."""
    return round(1e3 * min(repeat(lambda: upscale(network, small), number=1, repeat=30)), 2)


def contest(factor):
    """Train all kinds at one factor and return their rows, and what they drew for each seed."""
    small = F.avg_pool2d(halves()[1], factor)
    rows, drawings = [], {}
    for kind in LAYERS:
        network = make_network(kind, factor)
        table = trace(network, small.shape[1:])
        done = []
        for seed in SEEDS:
            row, drawings[kind, seed] = train_one(kind, factor, seed)
            few, _ = train_one(kind, factor, seed, EARLY)  # a short training of its own
            done.append({**row, "early_psnr": few["psnr"]})
        rows.append(
            {
                "kind": kind,
                "factor": factor,
                "params": table.params,
                "macs": table.macs,
                "milliseconds": milliseconds(network, small),
                "runs": done,
            }
        )
        print(factor, kind, done, flush=True)
    return rows, drawings


def untrained(factor):
    """Return what interpolation reaches, and its crops."""
    right = halves()[1]
    small, found, crops = F.avg_pool2d(right, factor), {}, {}
    for mode in ("nearest", "bicubic"):
        drawn = F.interpolate(small, scale_factor=factor, mode=mode).clamp(0, 1)
        found[mode], crops[mode] = judge(drawn, right), crop(drawn)
    return found, crops


def by_features(features):
    """Train with the feature loss, and return rows and what was drawn for each seed."""
    rows, drawings = [], {}
    for seed in SEEDS:
        row, drawings[seed] = train_one(JUDGED, SHOWN, seed, loss=features)
        rows.append(row)
    print("features", rows, flush=True)
    return rows, drawings


def feature_errors(features, drawings):
    """Return how far each drawing's features are from those of the photograph."""
    right = halves()[1]
    return [round(features(drawn, right).item(), 4) for drawn in drawings]


def train_classifier():
    """Return the classifier of shapes and the share of new shapes that it names correctly."""
    torch.manual_seed(SEEDS[0])
    classifier = shape_classifier()
    config = TrainConfig(**CLASSIFIER, precision="float32", seed=SEEDS[0])
    done = fit_classifier(classifier, load("shapes"), config, progress=False)
    return classifier, done.test["accuracy"]


def main(folder=None):
    """Train, print and write the file."""
    check_committed()  # before the minutes, not after them
    torch.set_num_threads(1)
    networks, interpolation, crops, by_pixels = [], {}, {}, []
    for factor in FACTORS:
        interpolation[str(factor)], shown = untrained(factor)
        rows, drawings = contest(factor)
        networks += rows
        if factor == SHOWN:
            crops = shown | {kind: crop(drawings[kind, SEEDS[0]]) for kind in LAYERS}
            by_pixels = [drawings[JUDGED, seed] for seed in SEEDS]
    classifier, accuracy = train_classifier()
    features = PerceptualLoss(classifier)
    rows, drawings = by_features(features)
    crops["features"] = crop(drawings[SEEDS[0]])
    results = {
        "seeds": SEEDS,
        "config": {"steps": STEPS, "early_steps": EARLY},
        "interpolation": interpolation,
        "networks": networks,
        "features": {
            "kind": JUDGED,
            "factor": SHOWN,
            "classifier": CLASSIFIER,
            "classifier_accuracy": accuracy,
            "runs": rows,
            "feature_errors": {
                "pixels": feature_errors(features, by_pixels),
                "features": feature_errors(features, drawings.values()),
            },
        },
        "crop": CROP,
        "crops": crops,
    }
    words = "halves of one photograph"
    runs.record("12_pixel_shuffle", SEEDS[0], words, results, folder)


if __name__ == "__main__":
    main()
