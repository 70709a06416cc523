"""Record for chapter 11: the pattern that stamps draw on flat grey, with five more seeds.

python benchmarks/record_11_more_seeds.py

As in `record_11_transposed.py`, for the two decoders with transposed convolutions and seeds 3 to 7.
No time is kept, so that it need not run on a quiet machine.
"""

import torch
from record_11_transposed import CONFIG, TRAINING, pictures_of

from convbook.course import runs
from convbook.course.experiments.checkerboard import decoder, train, unevenness
from convbook.train.provenance import check_committed

SEEDS = (3, 4, 5, 6, 7)
KINDS = ("kernel 3", "kernel 4")


def train_one(kind, seed, training):
    """Train one decoder; return its unevenness before and after."""
    torch.manual_seed(seed)
    model = decoder(kind)
    before = unevenness(model)
    train(model, training, seed=seed, **CONFIG)
    return {"seed": seed, "before": round(before, 5), "after": round(unevenness(model), 5)}


def main(folder=None):
    """Train, print and write the file."""
    check_committed()  # before the minutes, not after them
    torch.set_num_threads(1)
    training, decoders = pictures_of(TRAINING, 0), []
    for kind in KINDS:
        decoders.append({"kind": kind, "runs": [train_one(kind, s, training) for s in SEEDS]})
        print(kind, decoders[-1]["runs"], flush=True)
    results = {"seeds": SEEDS, "config": CONFIG, "decoders": decoders}
    words = f"shapes, {TRAINING:,} to train on"
    runs.record("11_more_seeds", SEEDS[0], words, results, folder)


if __name__ == "__main__":
    main()
