"""Record for chapter 13: networks trained on CIFAR-10, three seeds each.

python benchmarks/record_13_train_and_grade.py s7 --data FOLDER --work WORK

`s7`, `tiny` and `fast` train one of `convbook.train.presets`; `ablations` trains `fast` again and
again, each time without one of its tricks; `rates` trains it without momentum and without warm-up,
but with the learning rate raised to make up for what that took from it. WORK keeps each run's
files: a recording that was stopped goes on where it was, even in the middle of a run.
"""

import argparse
import base64
import dataclasses
import re
import shlex
from pathlib import Path

import torch
from recording import train
from torch import nn
from torchvision.io import encode_png

from convbook.analysis import trace
from convbook.course import runs
from convbook.data import load
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
    "all tricks": ({}, None),
    "no momentum, rate × 10": ({"momentum": 0.0, "max_lr": 3.0}, None),
    "no warm-up, rate × 4/3": ({"warmup": 0.0, "max_lr": 0.4}, None),
}


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


def record_trials(trials, data, work):
    """Train `fast` with each trial's changes."""
    found = []
    for name, (changes, alter) in trials.items():
        folder = "-".join(["trial", *re.findall(r"\w+", name.lower())])
        done = [
            train_preset(PRESETS["fast"], seed, data, work / f"{folder}-{seed}", changes, alter)[1]
            for seed in SEEDS
        ]
        found.append({"name": name, "changed": changes, "runs": done})
    config = PRESETS["fast"].config.to_dict()
    return {"preset": "fast", "config": config, "trials": found}


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


def main():
    """Train, and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["fast", "s7", "tiny", "ablations", "rates"])
    parser.add_argument("--data", required=True, help="cifar10 or a folder")
    parser.add_argument("--called", help="what the data are; left out, their own name")
    parser.add_argument("--work", required=True, type=Path, help="the folder for the runs' files")
    options = parser.parse_args()
    check_committed()
    data = load(options.data)
    if options.what in ("ablations", "rates"):
        trials = TRIALS if options.what == "ablations" else RATES
        results = record_trials(trials, data, options.work)
    else:
        results = record_preset(options.what, data, options.work)
    words = ["python", f"benchmarks/{Path(__file__).name}", options.what]
    words += ["--data", "FOLDER" if Path(options.data).exists() else options.data]
    words += ["--called", options.called] if options.called else []
    command = shlex.join([*words, "--work", "WORK"])
    results = {"command": command, "seeds": SEEDS, **results}
    runs.record(f"13_{options.what}", SEEDS[0], options.called or data.name, results)


if __name__ == "__main__":
    main()
