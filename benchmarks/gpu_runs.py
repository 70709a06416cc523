"""Whole runs on a GPU for record_14_gpu.py: presets over seeds, repeatability, a yardstick."""

import contextlib
import dataclasses
import importlib.util
import itertools
import tempfile
import time
from pathlib import Path

import torch
from gpu_timing import DEVICE, ON_GPU, first

from convbook.analysis import trace
from convbook.data import Dataset, Split
from convbook.grade import grade
from convbook.train import fit
from convbook.train.augment import progressive_side
from convbook.train.presets import PRESETS

SEEDS = (0, 1, 2, 3, 4)
GOALS = (0.8, 0.9)
EVERYWHERE = {"ema_warmup": True, "cuda_graph": ON_GPU}
# A GPU wants larger batches. With small pictures first, `s7` took longer, 9.9 s and not 8.2 s.
LARGE = {"batch_size": 512, "max_lr": 0.8, "ema_decay": 0.99, "progressive_epochs": 0}
# How a preset trains here; the rest of its settings are its own.
SETTINGS = {"fast": {}, "s7": LARGE, "tiny": {**LARGE, "epochs": 48}}


def config_of(name, seed=0, **changes):
    """Return a preset's settings on this machine."""
    changes = {**EVERYWHERE, **SETTINGS[name], "seed": seed, **changes}
    return dataclasses.replace(PRESETS[name].config, **changes)


def train(name, seed, data, **changes):
    """Train a preset's network and return it, and what is recorded of the run."""
    config = config_of(name, seed, **changes)
    torch.manual_seed(seed)
    model = PRESETS[name].network().to(DEVICE)
    done = fit(model, data, config, progress=False)
    reached = {}
    for goal in GOALS if len(data.validation) else ():
        spent = itertools.accumulate(row["seconds"] for row in done.epochs)
        rows = zip(spent, done.epochs, strict=True)
        found = (t for t, row in rows if row["validation_accuracy"] >= goal)
        reached[f"{goal:.0%}"] = next(found, None)
    pictures = len(data.train) // config.batch_size * config.batch_size * config.epochs
    return model, {
        "seed": seed,
        "seconds": done.seconds,
        "seconds_to": reached,
        "pictures_per_second": pictures / done.seconds,
        "test": done.test,
        "epochs": done.epochs,
    }


def training_flops(model, config, pictures, input_size):
    """Return the floating-point operations of a run: a step costs three forward passes."""
    channels, *sides = input_size
    total = 0
    for epoch in range(config.epochs):
        side = progressive_side(epoch, min(sides), config)
        size = (channels, side, side) if side else input_size
        total += pictures * 3 * 2 * trace(model, size).macs
    return total


def record_preset(name, data, small, seeds=SEEDS, **changes):
    """A network from each seed, after a run that warms the card up and does not count."""
    changes |= {"epochs": 2, "progressive_epochs": 1} if small else {}
    seeds = seeds[: 1 if small else None]
    if ON_GPU:
        train(name, 99, data, **{**changes, "epochs": 1})
    models, done = zip(*[train(name, seed, data, **changes) for seed in seeds], strict=True)
    model, config = models[0].cpu(), config_of(name, **changes)
    report = grade(model, done[0]["test"]["accuracy"], data.input_size)
    table = trace(model, data.input_size)
    steps = len(data.train) // config.batch_size
    return {
        "network": type(model).__name__,
        "params": table.params,
        "macs": table.macs,
        "passed": report.passed,
        "sizes": [len(data.train), len(data.validation), len(data.test)],
        "config": config.to_dict(),
        "flops": training_flops(model, config, steps * config.batch_size, data.input_size),
        "runs": list(done),
    }


def everything(data):
    """Return the data with all training pictures to learn from."""
    none = Split(data.validation.images[:0], data.validation.labels[:0])
    parts = data.train, data.validation
    images, labels = (torch.cat([getattr(p, name) for p in parts]) for name in ("images", "labels"))
    return Dataset(data.name, data.classes, Split(images, labels), none, data.test)


def record_resume(data, small):
    """A run that stopped and went on, and a run again: how many weights differ in a bit."""
    data = dataclasses.replace(data, train=first(data.train, 1024)) if small else data
    found = {}
    for deterministic, graph in ((True, False), (True, ON_GPU), (False, ON_GPU)):
        config = config_of("fast", epochs=2, deterministic=deterministic, cuda_graph=graph)
        straight = trained(config, data)
        with tempfile.TemporaryDirectory() as folder:
            trained(config, data, folder=folder, until=1)
            resumed = trained(config, data, folder=folder, resume=True)
        key = f"{'deterministic' if deterministic else 'free'}, {'graph' if graph else 'eager'}"
        again = trained(config, data)
        found[key] = {
            "weights": sum(p.numel() for p in straight.parameters()),
            "differ_after_resume": differing(straight, resumed),
            "differ_in_a_second_run": differing(straight, again),
        }
    return found


def trained(config, data, **where):
    """Return the network `fast` after a run."""
    torch.manual_seed(config.seed)
    model = PRESETS["fast"].network().to(DEVICE)
    fit(model, data, config, progress=False, **where)
    return model


def differing(one, other):
    """Return how many weights of two networks are not equal."""
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return sum((mine != theirs).sum().item() for mine, theirs in pairs)


def record_airbench(data, small):
    """airbench94 (Jordan, arXiv 2404.00498) on the same pictures and card, from its own package."""
    if small or not ON_GPU or importlib.util.find_spec("airbench") is None:
        return "left out: it needs a GPU by NVIDIA, and the package airbench"
    airbench = importlib.import_module("airbench")  # not among the book's packages
    runs_done = []
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("cifar10").mkdir()
        for part, split in (("train", everything(data).train), ("test", data.test)):
            images = split.images.permute(0, 2, 3, 1).contiguous().cpu()  # (N, H, W, C)
            content = {
                "images": images,
                "labels": split.labels.cpu(),
                "classes": list(data.classes),
            }
            torch.save(content, f"cifar10/{part}.pt")
        test = airbench.CifarLoader("cifar10", train=False)
        aug = {"flip": True, "translate": 2}  # as its own script has it
        loader = airbench.CifarLoader("cifar10", batch_size=1024, aug=aug, altflip=True)
        airbench.train94(loader, verbose=False)  # warms the card up
        for seed in SEEDS:
            torch.manual_seed(seed)
            start = time.perf_counter()
            network = airbench.train94(loader, verbose=False)
            torch.cuda.synchronize()
            spent = time.perf_counter() - start
            accuracy = {
                name: airbench.evaluate(network, test, tta_level=level)
                for level, name in enumerate(("plain", "mirrored", "mirrored and moved"))
            }
            runs_done.append({"seed": seed, "seconds": spent, "accuracy": accuracy})
    params = sum(p.numel() for p in network.parameters())
    return {"params": params, "runs": runs_done}
