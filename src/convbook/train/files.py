"""What a run leaves in its folder, written so that a crash never leaves half a file.

checkpoint.pt       everything that is needed to go on, after each epoch
metrics.jsonl       one line per epoch
run.json            settings, machine, versions, data and results
model.safetensors   the trained weights, at the end
"""

import contextlib
import json
import os
from pathlib import Path

import safetensors.torch
import torch

CHECKPOINT, METRICS, RUN, WEIGHTS = (
    "checkpoint.pt", "metrics.jsonl", "run.json", "model.safetensors"
)  # fmt: skip


@contextlib.contextmanager
def whole(path):
    """Give a temporary name to write to, and move the file to `path` when it is complete.

    Raises:
        OSError: the file cannot be written; what was at `path` is still there.
    """
    path = Path(path)
    partial = path.with_name(f"{path.name}.part")
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())  # on the disk before the old file is given up
        partial.replace(path)
    except (OSError, RuntimeError) as error:  # PyTorch raises the latter when the disk is full
        raise OSError(
            f"cannot write {path}: {error}; the file that was there is unchanged"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def save_checkpoint(folder, state):
    """Write everything that is needed to go on."""
    with whole(folder / CHECKPOINT) as partial:
        torch.save(state, partial)


def load_checkpoint(folder):
    """Return what `save_checkpoint` wrote.

    Raises:
        ValueError: there is none, or it is damaged.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        raise ValueError(f"{folder} holds no {CHECKPOINT}; start without resume")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can fail in many ways
        raise ValueError(f"{path} is damaged ({error}); remove it and start again") from error


def save_metrics(folder, rows):
    """Write one line of JSON per epoch."""
    with whole(folder / METRICS) as partial:
        partial.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf8")


def save_run(folder, run):
    """Write where the run comes from and what came out."""
    with whole(folder / RUN) as partial:
        partial.write_text(json.dumps(run, indent=2) + "\n", "utf8")


def save_weights(folder, model):
    """Write the weights, in a format that holds numbers only."""
    with whole(folder / WEIGHTS) as partial:
        safetensors.torch.save_model(model, str(partial))


def load_weights(model, path):
    """Read weights into a model.

    Raises:
        ValueError: the file is missing or damaged, or its weights are not those of this model.

    Example:
        >>> load_weights(torch.nn.ReLU(), "weights.pt")
        Traceback (most recent call last):
        ValueError: path='weights.pt' is not a .safetensors file; save with safetensors.torch
    """
    if Path(path).suffix != ".safetensors":
        raise ValueError(
            f"path={str(path)!r} is not a .safetensors file; save with safetensors.torch"
        )
    try:
        missing, unexpected = safetensors.torch.load_model(model, path, strict=False)
    except (OSError, safetensors.SafetensorError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    except RuntimeError as error:  # another shape
        raise ValueError(f"{path} holds the weights of another network: {error}") from error
    if missing or unexpected:
        raise ValueError(
            f"{path} holds the weights of another network: "
            f"missing {sorted(missing)[:3]}, not used {sorted(unexpected)[:3]}"
        )
