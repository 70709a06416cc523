"""Record for chapter 14: 70 steps on shapes with the repaired network, at six learning rates.

python benchmarks/record_14_rates.py

Five seeds at each rate; minutes on a CPU. A run that blew up has no accuracy.
"""

import torch

from convbook.course import runs
from convbook.data import Dataset, Split, load
from convbook.models import S7Repaired
from convbook.train import TrainConfig, fit
from convbook.train.distributed import best_device
from convbook.train.provenance import check_committed

SEEDS = (0, 1, 2, 3, 4)
RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
PICTURES, BATCH_SIZE = 4480, 64


def run(data, rate, seed):
    """Train for an epoch, and return the validation and the test accuracy."""
    config = TrainConfig(
        epochs=1,
        batch_size=BATCH_SIZE,
        max_lr=rate,
        label_smoothing=0.0,
        precision="float32",
        seed=seed,
    )
    torch.manual_seed(seed)
    model = S7Repaired().to(best_device())
    try:
        done = fit(model, data, config, progress=False)
    except ValueError as error:  # the loss is not finite
        print(f"rate {rate}, seed {seed}: {error}", flush=True)
        return {"seed": seed, "validation": None, "test": None}
    row = done.epochs[-1]
    found = {"validation": row["validation_accuracy"], "test": done.test["accuracy"]}
    print(f"rate {rate}, seed {seed}: {found}", flush=True)
    return {"seed": seed, "loss": row["loss"], **found}


def main():
    """Train at each rate, from each seed, and record."""
    check_committed()
    data = load("shapes")
    train = Split(data.train.images[:PICTURES], data.train.labels[:PICTURES])
    data = Dataset(data.name, data.classes, train, data.validation, data.test)
    trials = [{"max_lr": rate, "runs": [run(data, rate, seed) for seed in SEEDS]} for rate in RATES]
    command = "python benchmarks/record_14_rates.py"
    results = {
        "command": command,
        "seeds": SEEDS,
        "batch_size": BATCH_SIZE,
        "pictures": PICTURES,
        "trials": trials,
    }
    runs.record("14_rates", SEEDS[0], data.name, results)


if __name__ == "__main__":
    main()
