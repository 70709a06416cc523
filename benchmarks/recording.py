"""One training run of a recorder, which goes on where it was stopped."""

import json
import sys

import torch

from convbook.train import fit
from convbook.train.distributed import best_device
from convbook.train.provenance import provenance


def train(model, config, data, folder):
    """Train a network, or go on with it, and return it with what is recorded of it."""
    check_commit(folder)
    model.to(best_device())
    done = fit(model, data, config, folder, resume=(folder / "checkpoint.pt").exists())
    print(f"{folder.name}: {done.test['accuracy']:.2%} in {done.seconds:.0f} s", flush=True)
    return model.cpu(), {
        "seed": config.seed,
        "threads": torch.get_num_threads(),
        "seconds": done.seconds,
        "epochs": done.epochs,
        "test": done.test,
    }


def check_commit(folder):
    """Refuse to go on with a run of another commit."""
    path = folder / "run.json"
    if path.exists():
        begun = json.loads(path.read_text("utf8"))["commit"]
        now = provenance(0, "")["commit"]
        if begun != now:
            sys.exit(f"{folder} was begun at commit {begun}, this is {now}; use another --work")
