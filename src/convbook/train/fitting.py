"""A whole run: epochs of changed pictures, evaluation, and files from which it can go on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from tqdm.auto import tqdm

from convbook.data import Dataset, Split
from convbook.train import checkpoint
from convbook.train.augment import augment, progressive_side, resize, sample_augment
from convbook.train.checkpoint import Row
from convbook.train.config import TrainConfig
from convbook.train.distributed import ALONE, World, deterministic, device_name, world
from convbook.train.evaluation import dry_run, evaluate, name_of
from convbook.train.optimisation import (
    EMA,
    Step,
    keep_rates_on,
    make_ema,
    make_optimizer,
    make_schedule,
    make_step,
)
from convbook.train.provenance import provenance
from convbook.train.whiten import whiten

Batch = tuple[Tensor, Tensor]  # pictures (N, C, H, W) as floats, and their labels (N,)


@dataclass
class TrainResult:
    """What `fit` did: one row of metrics per epoch, and what the test pictures say at the end.

    `test` is empty where they were not looked at.
    """

    epochs: list[Row]
    test: dict[str, float]
    seconds: float  # of training, without evaluation


def fit(
    model: nn.Module,
    data: Dataset,
    config: TrainConfig,
    folder: str | Path | None = None,
    resume: bool = False,
    until: int | None = None,
    progress: bool | None = None,
    test: bool = True,
    each_epoch: Callable[[Row], None] | None = None,
) -> TrainResult:
    """Train a model; afterwards it holds the averaged weights.

    After each epoch the model is evaluated on the validation pictures, at the end once on the test
    pictures, unless `test=False`: whoever compares runs compares their validation. With a folder,
    each epoch is saved there (see `checkpoint`), and a run that was stopped goes on with
    `resume=True` as if it had never been: to the same bits.

    Shapes:
        The model takes float32 `(N, C, H, W)` from -1 to 1 and gives `(N, classes)`.

    Args:
        model: on the device to train on.
        data: from `convbook.data.load`; its pictures move to that device as bytes.
        config: the settings.
        folder: where the run is saved; None saves nothing.
        resume: whether to go on with the run in the folder.
        until: stop after this epoch, with everything saved; None is the last one.
        progress: whether to show a progress bar; None shows it in a terminal only.
        test: whether the test pictures are looked at.
        each_epoch: is called after each epoch with its row of metrics; of several processes only
            the first calls it.

    Raises:
        ValueError: the folder holds another run, the batch does not fit, the loss is not finite,
            the model does not give a score for each class, or `deterministic` on an Apple GPU.
        OSError: the folder cannot be written.

    Example:
        >>> from torch import nn
        >>> from convbook.data import load
        >>> from convbook.train import TrainConfig, fit
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10))
        >>> result = fit(network, load("shapes"), TrainConfig(epochs=1), progress=False)
        >>> len(result.epochs)
        1

    Source: Smith and Topin, arXiv 1708.07120; Polyak and Juditsky 1992 (averaged weights).
    """
    device = next((p.device for p in model.parameters() if p.requires_grad), None)
    if device is None:
        raise ValueError(f"{name_of(model)} has no parameter to train; use a network that has some")
    check_sizes(data, config, world().size)
    data = data.to(device)
    with deterministic(config.deterministic, device):
        config = dry_run(model, data, config)
        training = _Training(model, data, config, Path(folder) if folder else None, progress)
        training.start(resume)
        try:
            while training.epoch < min(until or config.epochs, config.epochs):
                training.run_epoch()
                if each_epoch and training.world.is_main:
                    each_epoch(training.rows[-1])
        except KeyboardInterrupt:
            training.say_how_to_resume()
            raise
        return training.finish(test)


class _Training:
    """One run: its parts, and what is known after each epoch."""

    def __init__(
        self,
        model: nn.Module,
        data: Dataset,
        config: TrainConfig,
        folder: Path | None,
        progress: bool | None,
    ) -> None:
        self.model, self.data, self.config, self.folder = model, data, config, folder
        self.world = world()
        self.progress = progress if self.world.is_main else False
        self.device = data.train.images.device
        self.steps = len(data.train) // config.batch_size
        self.epoch, self.rows = 0, list[Row]()
        self.test: dict[str, float] = {}
        self.origin = provenance(config.seed, data.name) if folder else {}  # asks git: once a run
        if config.whiten:
            whiten(model, data.train.images)
        self.optimizer = make_optimizer(model, config)
        self.schedule = make_schedule(self.optimizer, config, self.steps)
        self.ema = make_ema(model, config)
        self.network = DistributedDataParallel(model) if self.world.size > 1 else model
        if config.compile:
            self.network = torch.compile(self.network)  # type: ignore[assignment]  # a wrapped Module
        self.step = make_step(self.network, self.optimizer, config, self.world.size)

    def start(self, resume: bool) -> None:
        """Restore the run in the folder, or begin one there."""
        if self.folder is None:
            if resume:
                raise ValueError("resume=True needs folder=; say where the run was saved")
            return
        if resume:
            self.restore(checkpoint.load_checkpoint(self.folder))
        elif (self.folder / checkpoint.CHECKPOINT).exists():
            raise ValueError(
                f"folder={str(self.folder)!r} holds a run; use resume=True or another folder"
            )
        self.world.barrier()  # or one process finds what another has just written
        if self.world.is_main and self.folder.exists():
            checkpoint.remove_partial(self.folder)
        self.save()  # so that a run can go on that was stopped in its first epoch

    def run_epoch(self) -> None:
        """Train for one epoch, evaluate, and save."""
        begin = time.perf_counter()
        torch.manual_seed(epoch_seed(self.config, self.epoch))
        batches = epoch_batches(self.data.train, self.config, self.epoch, self.world)
        parts = self.optimizer, self.schedule, self.ema, self.config, self.step
        loss = train_epoch(self.network, self.with_progress(batches), *parts)
        mean_loss = self.world.mean(loss).item()
        if not math.isfinite(mean_loss):
            raise ValueError(
                f"the loss is {mean_loss} in epoch {self.epoch + 1}; "
                f"use max_lr below {self.config.max_lr}{self.saved_so_far()}"
            )
        self.epoch += 1
        row = {"epoch": self.epoch, "loss": mean_loss, "lr": float(self.schedule.get_last_lr()[0])}
        row["seconds"] = time.perf_counter() - begin
        if len(self.data.validation):
            found = evaluate(self.result, self.data.validation, precision=self.config.precision)
            row |= {"validation_accuracy": found["accuracy"], "validation_loss": found["loss"]}
        self.rows.append(row)
        self.save()

    @property
    def result(self) -> nn.Module:
        """The network with averaged weights, or the one that trains."""
        return self.ema.network(self.model) if self.ema else self.model

    @property
    def seconds(self) -> float:
        """The time that training took so far, without evaluation."""
        return sum(row["seconds"] for row in self.rows)

    def with_progress(self, batches: Iterable[Batch]) -> Iterable[Batch]:
        hidden = None if self.progress is None else not self.progress  # as tqdm says it
        shown = f"epoch {self.epoch + 1} of {self.config.epochs}"
        return tqdm(batches, shown, self.steps, leave=False, disable=hidden)

    def finish(self, test: bool) -> TrainResult:
        """Evaluate on the test pictures, if wanted, and give the model its averaged weights."""
        if self.epoch == self.config.epochs:
            if test:
                # In float32, whatever it was trained in: so the grader will find the same.
                self.test = evaluate(self.result, self.data.test)
                flipped = evaluate(self.result, self.data.test, tta_flip=True)
                self.test["mirrored_accuracy"] = flipped["accuracy"]
            self.model.load_state_dict(self.result.state_dict())
            self.model.eval()
            self.save(weights=True)
        return TrainResult(self.rows, self.test, self.seconds)

    # -------------------------------------------------------------- saving and going on

    def save(self, weights: bool = False) -> None:
        """Write the checkpoint, the metrics and the provenance; at the end the weights too."""
        if self.folder is None or not self.world.is_main:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        checkpoint.save_checkpoint(self.folder, self.state())
        checkpoint.save_metrics(self.folder, self.rows)
        if weights:
            checkpoint.save_weights(self.folder, self.model)
        checkpoint.save_run(self.folder, self.record())

    def state(self) -> dict[str, Any]:
        """Return everything that is needed to go on."""
        return {
            "config": self.config.to_dict(),
            "data": describe(self.data),
            "epoch": self.epoch,
            "rows": self.rows,
            "test": self.test,
            "model": self.model.state_dict(),
            "average": self.ema.state_dict() if self.ema else {},
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "step": self.step.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a saved state, if it is one of the same run."""
        saved = TrainConfig.from_dict(state["config"]).to_dict() | state["data"]
        for key, value in (self.config.to_dict() | describe(self.data)).items():
            if saved[key] != value:
                raise ValueError(
                    f"resume: {key}={value!r}, but the run in {self.folder} has "
                    f"{key}={saved[key]!r}; use that, or another folder"
                )
        try:
            self.model.load_state_dict(state["model"])
        except RuntimeError as error:
            raise ValueError(f"resume: {self.folder} holds another network: {error}") from error
        if self.ema:
            self.ema.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        keep_rates_on(self.device, self.optimizer)
        self.schedule.load_state_dict(state["schedule"])
        self.step.load_state_dict(state["step"])
        self.epoch, self.rows = state["epoch"], state["rows"]
        self.test = state.get("test", {})  # older checkpoints have none

    def record(self) -> dict[str, Any]:
        """Return where the run comes from and what came out."""
        return {
            **self.origin,
            "device": device_name(self.device),
            "processes": self.world.size,
            "network": name_of(self.model),
            "params": sum(parameter.numel() for parameter in self.model.parameters()),
            "config": self.config.to_dict(),
            "epochs": self.rows,
            "seconds": self.seconds,
            "test": self.test,
        }

    def saved_so_far(self) -> str:
        if self.folder is None:
            return ""
        return f"; {self.folder} holds the run after epoch {self.epoch}"

    def say_how_to_resume(self) -> None:
        if self.world.is_main:
            how = "; go on with resume" if self.folder else "; nothing was saved: use folder="
            print(f"\nstopped in epoch {self.epoch + 1}{self.saved_so_far()}{how}")


def train_epoch(
    network: nn.Module,
    batches: Iterable[Batch],
    optimizer: Optimizer,
    schedule: LRScheduler,
    ema: EMA | None,
    config: TrainConfig,
    step: Step | None = None,
) -> Tensor:
    """Take one step per batch and return the mean loss; `step` left out is a new `Step`."""
    network.train()
    step = step or Step(network, optimizer, config)
    losses = []
    for x, labels in batches:
        losses.append(step(x, labels))
        schedule.step()
        if ema:
            ema.update(network)
    return torch.stack(losses).mean()


def epoch_batches(
    split: Split, config: TrainConfig, epoch: int, world: World = ALONE
) -> Iterator[Batch]:
    """Yield the changed pictures and the labels of one epoch; each process gets its share."""
    generator = torch.Generator().manual_seed(epoch_seed(config, epoch))
    order = torch.randperm(len(split), generator=generator)
    height, width = split.images.shape[2:]
    params = sample_augment(len(split), (height, width), config, generator)
    # Drawn on the CPU, moved once: a copy for each batch would let the GPU wait.
    order, params = order.to(split.images.device), params.to(split.images.device)
    side = progressive_side(epoch, min(height, width), config)
    layout = torch.channels_last if config.channels_last else torch.contiguous_format
    for start in range(0, len(split) // config.batch_size * config.batch_size, config.batch_size):
        chosen = order[start : start + config.batch_size][world.rank :: world.size]
        x = augment(split.images[chosen], params.take(chosen), config.cutout)
        if side:
            x = resize(x, side)
        yield x.contiguous(memory_format=layout), split.labels[chosen]


def epoch_seed(config: TrainConfig, epoch: int) -> int:
    """Return the epoch's own seed: a run that goes on draws what it would have drawn."""
    return config.seed * 100_003 + epoch


def describe(data: Dataset) -> dict[str, Any]:
    """Return what tells one data set from another."""
    return {
        "name": data.name,
        "classes": list(data.classes),
        "sizes": [len(split) for split in (data.train, data.validation, data.test)],
    }


def check_sizes(data: Dataset, config: TrainConfig, processes: int) -> None:
    """Refuse a batch that is larger than the data, or that the processes cannot share."""
    if config.batch_size > len(data.train):
        raise ValueError(
            f"batch_size={config.batch_size} is larger than the {len(data.train)} training "
            "pictures; use a smaller one"
        )
    side = min(data.train.images.shape[2:])
    if config.progressive_epochs and config.progressive_size > side:
        raise ValueError(
            f"progressive_size={config.progressive_size} is larger than the pictures' {side} "
            "pixels; use a smaller one, or progressive_epochs=0"
        )
    if config.batch_size % processes:
        raise ValueError(
            f"batch_size={config.batch_size} does not divide among {processes} processes; "
            f"use a multiple of {processes}"
        )
