"""What a run leaves in its folder, written so that a crash never leaves half a file.

checkpoint.pt       everything that is needed to go on, after each epoch
metrics.jsonl       one line per epoch
run.json            settings, machine, versions, data and results
model.safetensors   the trained weights, at the end
"""

import contextlib
import json

import safetensors.torch
import torch

from convbook.whole_files import whole_file

CHECKPOINT, METRICS, RUN, WEIGHTS = (
    "checkpoint.pt", "metrics.jsonl", "run.json", "model.safetensors"
)  # fmt: skip


@contextlib.contextmanager
def whole(path):
    """Do as `whole_file`, and say in an error that the run is not lost.

    Raises:
        OSError: the file cannot be written; what was at `path` is still there.
    """
    try:
        with whole_file(path) as partial:
            yield partial
    except (OSError, RuntimeError) as error:  # PyTorch raises the latter when the disk is full
        raise OSError(
            f"cannot write {path}: {error}; the file that was there is unchanged"
        ) from error


def remove_partial(folder):
    """Remove what a killed process left half written."""
    for path in folder.glob("*.part"):
        path.unlink()


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
