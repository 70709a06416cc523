"""What a run leaves in its folder, written so that a crash never leaves half a file.

checkpoint.pt       everything that is needed to go on, after each epoch
metrics.jsonl       one line per epoch
run.json            settings, machine, versions, data and results
model.safetensors   the trained weights, at the end
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from convbook._files import atomic_write

CHECKPOINT, METRICS, RUN, WEIGHTS = (
    "checkpoint.pt", "metrics.jsonl", "run.json", "model.safetensors"
)  # fmt: skip


Row = dict[str, float]  # the metrics of an epoch


@contextlib.contextmanager
def _atomic_write(path: Path) -> Iterator[Path]:
    """Do as `atomic_write`, and say in an error that the run is not lost.

    Raises:
        OSError: the file cannot be written; what was at `path` is still there.
    """
    try:
        with atomic_write(path) as partial:
            yield partial
    except (OSError, RuntimeError) as error:  # PyTorch raises the latter when the disk is full
        raise OSError(
            f"cannot write {path}: {error}; the file that was there is unchanged"
        ) from error


def remove_partial(folder: Path) -> None:
    """Remove what a killed process left half written."""
    for path in folder.glob("*.part"):
        path.unlink()


def save_checkpoint(folder: Path, state: Mapping[str, Any]) -> None:
    """Write everything that is needed to go on."""
    with _atomic_write(folder / CHECKPOINT) as partial:
        torch.save(state, partial)


def load_checkpoint(folder: Path) -> dict[str, Any]:
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


def save_metrics(folder: Path, rows: Iterable[Row]) -> None:
    """Write one line of JSON per epoch."""
    with _atomic_write(folder / METRICS) as partial:
        partial.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf8")


def save_run(folder: Path, run: Mapping[str, Any]) -> None:
    """Write where the run comes from and what came out."""
    with _atomic_write(folder / RUN) as partial:
        partial.write_text(json.dumps(run, indent=2) + "\n", "utf8")


def save_weights(folder: Path, model: torch.nn.Module) -> None:
    """Write the weights, in a format that holds numbers only."""
    with _atomic_write(folder / WEIGHTS) as partial:
        safetensors.torch.save_model(model, str(partial))


def load_metrics(folder: str | Path) -> list[Row]:
    """Return what `save_metrics` wrote: one dict per epoch.

    Raises:
        ValueError: there is no run, no epoch yet, or a line is not what it should be.
    """
    path = Path(folder) / METRICS
    if not path.is_file():
        raise ValueError(f"{folder} holds no {METRICS}; name the folder of a run, train's --folder")
    try:
        lines = path.read_text("utf8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is damaged ({error}); train again, or name another run"
        ) from error
    if not lines:
        raise ValueError(f"{path} has no epoch yet; wait until the first one is over")
    return [_row(line, f"line {number} of {path}") for number, line in enumerate(lines, 1)]


def _row(line: str, where: str) -> Row:
    """Return the metrics of an epoch, all of them numbers."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"{where} is damaged ({error}); remove the line") from error
    if not isinstance(row, dict) or not {"epoch", "loss"} <= row.keys():
        raise ValueError(f"{where} is no epoch with its loss: {line[:60]}; remove the line")
    for name, value in row.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{where}: {name}={value!r} is no number; remove the line")
    return row
