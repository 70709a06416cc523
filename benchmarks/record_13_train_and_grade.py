"""Record for the appendix: networks trained on CIFAR-10.

python benchmarks/record_13_train_and_grade.py s7 --data FOLDER --work WORK

`s7`, `tiny` and `fast` train one of `convbook.train.presets`, three seeds each; `ablations` trains
`fast` again and again, each time without one of its tricks. Two more leave out one thing and really
nothing else, on a share of the pictures, so that five seeds take a quarter of an hour on one core:
`rates` has momentum and warm-up at equal learning rates, `long` mirroring in short and long runs.
WORK keeps each run's files: a recording that was stopped goes on where it was, even in the middle
of a run.
"""

import argparse
import base64
import dataclasses
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import torch
from recording import train
from torch import nn
from torchvision.io import encode_png

from convbook.analysis import trace
from convbook.course import runs
from convbook.data import Dataset, Split, load
from convbook.grade import grade
from convbook.train import predict
from convbook.train.presets import PRESETS
from convbook.train.provenance import check_committed

SEEDS = (0, 1, 2)
MISTAKES = 12


def no_dilation(model):
    """Put the taps of every kernel next to each other."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            layer.dilation, layer.padding = (1, 1), tuple(k // 2 for k in layer.kernel_size)


# What each trial changes: settings, and what is done to the new network.
TRIALS = {
    "all tricks": ({}, None),
    "no averaged weights": ({"ema_decay": 0.0}, None),
    "no mirroring": ({"flip": False}, None),
    "no shifting": ({"shift": 0}, None),
    "no label smoothing": ({"label_smoothing": 0.0}, None),
    "no weight decay": ({"weight_decay": 0.0}, None),
    "no warm-up": ({"warmup": 0.0}, None),
    "no momentum": ({"momentum": 0.0}, None),
    "no dilation": ({}, no_dilation),
    "float32": ({"precision": "float32"}, None),
    "channels first": ({"channels_last": False}, None),
}
# With a momentum of 0.9 steps in one direction add up to ten times the rate. Without a warm-up of a
# quarter the rate falls from the first step on: from a third more, it is as before from there on.
RATES = {
    "momentum 0.9, rate 0.3": ({}, None),
    "momentum 0, rate 3": ({"momentum": 0.0, "max_lr": 3.0}, None),
    "momentum 0.9, rate 0.03": ({"max_lr": 0.03}, None),
    "momentum 0, rate 0.3": ({"momentum": 0.0}, None),
    "no warm-up, rate 0.4": ({"warmup": 0.0, "max_lr": 0.4}, None),
}
LONG = {
    f"{'mirrored' if flip else 'not mirrored'}, {epochs} epochs": (
        {"flip": flip, "epochs": epochs},
        None,
    )
    for epochs in (5, 30)
    for flip in (True, False)
}


class Trials(NamedTuple):
    """Trials, and on what: from which seeds, with how many training pictures, with what else."""

    trials: dict
    seeds: tuple = SEEDS
    pictures: int | None = None
    settings: dict | None = None


FIVE, FORGETS = (0, 1, 2, 3, 4), {"ema_warmup": True}  # a short run must forget its random start
EXPERIMENTS = {
    "ablations": Trials(TRIALS),
    "rates": Trials(RATES, FIVE, 10_000, FORGETS),
    "long": Trials(LONG, FIVE, 3_000, FORGETS),
}


def share_of(data, pictures):
    """Return the data with some of the training and validation pictures, always the same ones."""

    def some(split, count):
        order = torch.randperm(len(split), generator=torch.Generator().manual_seed(0))
        return Split(split.images[order[:count]], split.labels[order[:count]])

    parts = some(data.train, pictures), some(data.validation, 1000)
    return Dataset(data.name, data.classes, *parts, data.test)


def train_preset(preset, seed, data, folder, changes=None, alter=None):
    """Train a preset's network, changed if wanted, and return it with what is recorded of it."""
    config = dataclasses.replace(preset.config, seed=seed, **(changes or {}))
    torch.manual_seed(seed)
    model = preset.network()
    if alter:
        alter(model)
    return train(model, config, data, folder)


def record_preset(name, data, work):
    """Train a preset from each seed; of the first, say what it takes for what."""
    preset = PRESETS[name]
    models, done = zip(
        *[train_preset(preset, seed, data, work / f"{name}-{seed}") for seed in SEEDS], strict=True
    )
    report = grade(models[0], done[0]["test"]["accuracy"], data.input_size)
    print(report)
    table = trace(models[0], data.input_size)
    logits = predict(models[0], data.test)
    return {
        "preset": name,
        "network": type(models[0]).__name__,
        "params": table.params,
        "macs": table.macs,
        "receptive_field": table.receptive_field.size,
        "passed": report.passed,
        "config": preset.config.to_dict(),
        "classes": list(data.classes),
        "runs": list(done),
        "confusion": confusion(logits, data.test.labels, len(data.classes)),
        "mistakes": mistakes(logits, data),
    }


def record_trials(what, data, work):
    """Train `fast` with each trial's changes."""
    trials, seeds, pictures, settings = EXPERIMENTS[what]
    settings = settings or {}
    if pictures:
        data = share_of(data, pictures)
    found = []
    for name, (changes, alter) in trials.items():
        folder = "-".join(["trial", *re.findall(r"\w+", name.lower())])
        done = [
            train_preset(
                PRESETS["fast"], seed, data, work / f"{folder}-{seed}", settings | changes, alter
            )[1]
            for seed in seeds
        ]
        found.append({"name": name, "changed": changes, "runs": done})
    config = dataclasses.replace(PRESETS["fast"].config, **settings).to_dict()
    sizes = [len(part) for part in (data.train, data.validation, data.test)]
    return {"preset": "fast", "config": config, "sizes": sizes, "seeds": seeds, "trials": found}


def confusion(logits, labels, classes):
    """Return how often each class (row) was taken for each (column)."""
    counts = torch.bincount(labels * classes + logits.argmax(1), minlength=classes**2)
    return counts.reshape(classes, classes).tolist()  # (true, said)


def mistakes(logits, data):
    """Return the wrong answers that the network is surest of, with their pictures as PNG."""
    probability, said = logits.softmax(1).max(1)
    wrong = (said != data.test.labels).nonzero().flatten()
    worst = wrong[probability[wrong].argsort(descending=True)][:MISTAKES]
    return [
        {
            "label": data.classes[data.test.labels[i]],
            "said": data.classes[said[i]],
            "probability": round(probability[i].item(), 4),
            "png": base64.b64encode(encode_png(data.test.images[i]).numpy().tobytes()).decode(),
        }
        for i in worst
    ]


def main(arguments=None):
    """Train, and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["fast", "s7", "tiny", *EXPERIMENTS])
    parser.add_argument("--data", required=True, help="cifar10 or a folder")
    parser.add_argument("--called", help="what the data are; left out, their own name")
    parser.add_argument("--work", required=True, type=Path, help="the folder for the runs' files")
    parser.add_argument("--out", type=Path, help="a folder for the record instead of the package's")
    options = parser.parse_args(arguments)
    check_committed()
    data = load(options.data)
    record = record_trials if options.what in EXPERIMENTS else record_preset
    words = ["python", f"benchmarks/{Path(__file__).name}", options.what]
    words += ["--data", "FOLDER" if Path(options.data).exists() else options.data]
    words += ["--called", options.called] if options.called else []
    command = shlex.join([*words, "--work", "WORK"])
    results = {"command": command, "seeds": SEEDS, **record(options.what, data, options.work)}
    called = options.called or data.name
    runs.record(f"13_{options.what}", SEEDS[0], called, results, options.out)


if __name__ == "__main__":
    main()
