"""Record for chapter 10: the dilated network and the U-Net, with five more seeds.

python benchmarks/record_10_more_seeds.py

As in `record_10_dilated.py`, for two of its networks and seeds 3 to 7. No time is kept, so that
it need not run on a quiet machine.
"""

import torch
from record_10_dilated import CONFIG, FAR, TEST, TRAIN

from convbook.course import runs
from convbook.course.experiments.segmentation import make_strips, run
from convbook.train.provenance import check_committed

SEEDS = (3, 4, 5, 6, 7)
NAMES = ("dilated", "with skips")
KEPT = ("seed", "accuracy", "border_accuracy", "far_accuracy", "accuracy_by_steps")


def main(folder=None):
    """Train, print and write the file."""
    check_committed()  # before the minutes, not after them
    torch.set_num_threads(1)
    pictures, test = make_strips(TRAIN, seed=0), make_strips(TEST, seed=1)
    networks = []
    for name in NAMES:
        done = [run(seed, name, pictures, test, FAR, **CONFIG)[0] for seed in SEEDS]
        networks.append({"name": name, "runs": [{key: one[key] for key in KEPT} for one in done]})
        print(name, [one["far_accuracy"] for one in done], flush=True)
    results = {"seeds": SEEDS, "config": CONFIG, "far": FAR, "networks": networks}
    words = f"strips, {TRAIN:,} to train on"
    runs.record("10_more_seeds", SEEDS[0], words, results, folder)


if __name__ == "__main__":
    main()
