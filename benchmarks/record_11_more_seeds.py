"""Record for chapter 11: the pattern that stamps draw on flat grey, with five more seeds.

python benchmarks/record_11_more_seeds.py

As in `record_11_transposed.py`, for the two decoders with transposed convolutions and seeds 3 to 7.
No time is kept, so that it need not run on a quiet machine.
"""

import torch
from record_11_transposed import CONFIG, TEST, TRAINING, pictures_of

from convbook.course import runs
from convbook.course.experiments.checkerboard import run
from convbook.train.provenance import check_committed

SEEDS = (3, 4, 5, 6, 7)
KINDS = ("kernel 3", "kernel 4")


def pattern_of(kind, seed, training, test):
    """Train one decoder; return how strong its pattern is before and after."""
    done = run(seed, kind, training, test, **CONFIG)
    return {"seed": seed, **{when: done[when]["unevenness"] for when in ("before", "after")}}


def main(folder=None):
    """Train, print and write the file."""
    check_committed()  # before the minutes, not after them
    torch.set_num_threads(1)
    training, test, decoders = pictures_of(TRAINING, 0), pictures_of(TEST, 1), []
    for kind in KINDS:
        done = [pattern_of(kind, seed, training, test) for seed in SEEDS]
        decoders.append({"kind": kind, "runs": done})
        print(kind, done, flush=True)
    results = {"seeds": SEEDS, "config": CONFIG, "decoders": decoders}
    words = f"shapes, {TRAINING:,} to train on"
    runs.record("11_more_seeds", SEEDS[0], words, results, folder)


if __name__ == "__main__":
    main()
