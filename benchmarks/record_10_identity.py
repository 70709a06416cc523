"""Record for chapter 10: the dilated network once more, begun with the identity, eight seeds.

python benchmarks/record_10_identity.py

As in `record_10_dilated.py`, but for the first weights.
"""

import torch
from record_10_dilated import CONFIG, FAR, TEST, TRAIN

from convbook.course import runs
from convbook.course.experiments.segmentation import begin_with_identity, make_strips, run
from convbook.train.provenance import check_committed

SEEDS = range(8)
KEPT = ("seed", "accuracy", "border_accuracy", "far_accuracy", "accuracy_by_steps")


def main(folder=None):
    """Train, print and write the file."""
    check_committed()  # before the minutes, not after them
    torch.set_num_threads(1)
    pictures, test = make_strips(TRAIN, seed=0), make_strips(TEST, seed=1)
    kept = []
    for seed in SEEDS:
        settings = {"prepare": begin_with_identity, **CONFIG}
        result, _ = run(seed, "dilated", pictures, test, FAR, **settings)
        kept.append({key: result[key] for key in KEPT})
        print(seed, result["far_accuracy"], flush=True)
    results = {"seeds": [*SEEDS], "config": CONFIG, "far": FAR, "runs": kept}
    words = f"strips, {TRAIN:,} to train on"
    runs.record("10_identity", SEEDS[0], words, results, folder)


if __name__ == "__main__":
    main()
