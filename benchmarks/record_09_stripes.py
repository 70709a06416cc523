"""Record for chapter 9: which networks learn whether two channels of stripes agree.

python benchmarks/record_09_stripes.py

It trains four kinds of small networks with ten seeds each, which takes about a minute.
"""

import torch

from convbook.course import runs
from convbook.course.experiments.stripes import EVERY, KINDS, STEPS, accuracies, network
from convbook.train.provenance import check_committed

SEEDS = range(10)


def train(kind, seed):
    """Return what is recorded of one network."""
    torch.manual_seed(seed)
    shares, loss = accuracies(network(*KINDS[kind]), seed)
    print(f"{kind}, seed {seed}: {shares[-1]:.1%}", flush=True)
    return {"accuracy": [round(share, 3) for share in shares], "loss": round(loss, 4)}


def main():
    """Train all of them and write the file."""
    check_committed()
    torch.set_num_threads(1)
    results = {
        "seeds": list(SEEDS),
        "steps": list(range(0, STEPS + 1, EVERY)),
        "kinds": {kind: [train(kind, seed) for seed in SEEDS] for kind in KINDS},
    }
    runs.record("09_stripes", SEEDS[0], "stripes, new ones in each step", results)


if __name__ == "__main__":
    main()
