"""Record for chapter 14: the repaired network of chapter 13, trained on CIFAR-10.

python benchmarks/record_14_repaired.py --data FOLDER --work WORK

Three seeds, with training loss and validation after each epoch and the test pictures once at the
end. WORK keeps each run's files: a recording that was stopped goes on where it was, even in the
middle of a run.
"""

import argparse
import dataclasses
import shlex
from pathlib import Path

import torch
from recording import train

from convbook.analysis import trace
from convbook.course import runs
from convbook.data import load
from convbook.grade import grade
from convbook.models import S7Repaired
from convbook.train import TrainConfig
from convbook.train.provenance import check_committed

NAME = "14_repaired"
SEEDS = (0, 1, 2)
# 20 epochs ended at 79.6 % of the validation pictures with seed 0, and still rose: hence 40. The
# targets are not smoothed, so that training and validation measure the same loss.
CONFIG = TrainConfig(epochs=40, max_lr=0.3, label_smoothing=0.0, shift=2)


def train_repaired(config, data, folder):
    """Train the network with a seed, or go on with it, and return it with what is recorded."""
    torch.manual_seed(config.seed)
    return train(S7Repaired(len(data.classes)), config, data, folder)


def record(data, config, seeds, work):
    """Train from each seed, and return what the chapter draws."""
    found = [
        train_repaired(dataclasses.replace(config, seed=seed), data, work / f"repaired-{seed}")
        for seed in seeds
    ]
    models, done = zip(*found, strict=True)
    accuracies = [one["test"]["accuracy"] for one in done]
    report = grade(models[0], sum(accuracies) / len(accuracies), data.input_size)
    print(report)
    table = trace(models[0], data.input_size)
    return {
        "network": type(models[0]).__name__,
        "params": table.params,
        "macs": table.macs,
        "receptive_field": table.receptive_field.size,
        "passed": report.passed,
        "sizes": [len(part) for part in (data.train, data.validation, data.test)],
        "config": config.to_dict(),
        "classes": list(data.classes),
        "runs": list(done),
    }


def main(arguments=None):
    """Train, and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="cifar10 or a folder")
    parser.add_argument("--called", help="what the data are; left out, their own name")
    parser.add_argument("--work", required=True, type=Path, help="the folder for the runs' files")
    parser.add_argument("--out", type=Path, help="a folder for the record instead of the package's")
    parser.add_argument("--epochs", type=int, default=CONFIG.epochs)
    parser.add_argument("--max-lr", type=float, default=CONFIG.max_lr)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    options = parser.parse_args(arguments)
    if not options.out:
        check_committed()
    data = load(options.data)
    config = dataclasses.replace(CONFIG, epochs=options.epochs, max_lr=options.max_lr)
    words = ["python", f"benchmarks/{Path(__file__).name}"]
    words += ["--data", "FOLDER" if Path(options.data).exists() else options.data]
    words += ["--called", options.called] if options.called else []
    command = shlex.join([*words, "--work", "WORK"])
    found = record(data, config, options.seeds, options.work)
    results = {"command": command, "seeds": list(options.seeds), **found}
    called = options.called or data.name
    write = runs.write if options.out else runs.record
    write(NAME, options.seeds[0], called, results, options.out)


if __name__ == "__main__":
    main()
