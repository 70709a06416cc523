"""A whole run: epochs, evaluation, and files from which it can go on."""

import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn.parallel import DistributedDataParallel
from tqdm.auto import tqdm

from convbook.train import checkpoint
from convbook.train.distributed import device_name, repeatable, workers
from convbook.train.evaluation import evaluate
from convbook.train.loop import epoch_batches, epoch_seed, make_step, train_epoch
from convbook.train.optimisation import keep_rates_on, make_average, make_optimizer, make_schedule
from convbook.train.provenance import provenance
from convbook.train.scores import name_of, try_out
from convbook.train.whiten import whiten


@dataclass
class Run:
    """What `fit` did: one row of metrics per epoch, and what the test pictures say at the end.

    `test` is empty where they were not looked at.
    """

    epochs: list
    test: dict
    seconds: float  # of training, without evaluation


def fit(
    model, data, config, folder=None, resume=False, until=None, progress=None, test=True,
    each_epoch=None,
):  # fmt: skip
    """Train a model and return the `Run`; afterwards the model holds the averaged weights.

    After each epoch the model is evaluated on the validation pictures, at the end once on the test
    pictures, unless `test=False`: whoever compares runs compares their validation. With a folder,
    each epoch is saved there (see `files`), and a run that was stopped goes on with `resume=True`
    as if it had never been: to the same bits.

    Shapes:
        The model takes float32 `(N, C, H, W)` from -1 to 1 and gives `(N, classes)`.

    Args:
        model: the `nn.Module`, on the device to train on.
        data: from `convbook.data.load`; its pictures move to that device as bytes.
        config: a `TrainConfig`.
        folder: where the run is saved; None saves nothing.
        resume: whether to go on with the run in the folder.
        until: stop after this epoch, with everything saved; None is the last one.
        progress: whether to show a progress bar; None shows it in a terminal only.
        test: whether the test pictures are looked at.
        each_epoch: a function that is called after each epoch with its row of metrics; None is
            none. Of several processes only the first calls it.

    Raises:
        ValueError: the folder holds another run, the batch does not fit, the loss is not finite,
            the model does not give a score for each class, or `deterministic` on an Apple GPU.
        OSError: the folder cannot be written.

    Example:
        >>> from torch import nn
        >>> from convbook.data import load
        >>> from convbook.train import TrainConfig, fit
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10))
        >>> run = fit(network, load("shapes"), TrainConfig(epochs=1), progress=False)
        >>> len(run.epochs)
        1

    Source: Smith and Topin, arXiv 1708.07120; Polyak and Juditsky 1992 (averaged weights).
    """
    device = next((p.device for p in model.parameters() if p.requires_grad), None)
    if device is None:
        raise ValueError(f"{name_of(model)} has no parameter to train; use a network that has some")
    check_sizes(data, config, workers().count)
    data = data.to(device)
    with repeatable(config.deterministic, device):
        config = try_out(model, data, config)
        training = _Training(model, data, config, folder and Path(folder), progress)
        training.start(resume)
        try:
            while training.epoch < min(until or config.epochs, config.epochs):
                training.run_epoch()
                if each_epoch and training.workers.writes:
                    each_epoch(training.rows[-1])
        except KeyboardInterrupt:
            training.say_how_to_go_on()
            raise
        return training.finish(test)


class _Training:
    """One run: its parts, and what is known after each epoch."""

    def __init__(self, model, data, config, folder, progress):
        self.model, self.data, self.config, self.folder = model, data, config, folder
        self.workers = workers()
        self.progress = progress if self.workers.writes else False
        self.device = data.train.images.device
        self.steps = len(data.train) // config.batch_size
        self.epoch, self.rows, self.test = 0, [], {}
        self.origin = provenance(config.seed, data.name) if folder else {}  # asks git: once a run
        if config.whiten:
            whiten(model, data.train.images)
        self.optimizer = make_optimizer(model, config)
        self.schedule = make_schedule(self.optimizer, config, self.steps)
        self.average = make_average(model, config)
        self.network = model
        if self.workers.count > 1:
            self.network = DistributedDataParallel(model)
        if config.compile:
            self.network = torch.compile(self.network)
        self.step = make_step(self.network, self.optimizer, config, self.workers.count)

    def start(self, resume):
        """Take up the run in the folder, or begin one there."""
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
        self.workers.wait()  # or one process finds what another has just written
        if self.workers.writes and self.folder.exists():
            checkpoint.remove_partial(self.folder)
        self.save()  # so that a run can go on that was stopped in its first epoch

    def run_epoch(self):
        """Train for one epoch, evaluate, and save."""
        begin = time.perf_counter()
        torch.manual_seed(epoch_seed(self.config, self.epoch))
        batches = epoch_batches(self.data.train, self.config, self.epoch, self.workers)
        loss = train_epoch(
            self.network,
            self.progress_bar(batches),
            self.optimizer,
            self.schedule,
            self.average,
            self.config,
            self.step,
        )
        loss = self.workers.mean(loss).item()
        if not math.isfinite(loss):
            raise ValueError(
                f"the loss is {loss} in epoch {self.epoch + 1}; "
                f"use max_lr below {self.config.max_lr}{self.saved_so_far()}"
            )
        self.epoch += 1
        row = {"epoch": self.epoch, "loss": loss, "lr": float(self.schedule.get_last_lr()[0])}
        row["seconds"] = time.perf_counter() - begin
        if len(self.data.validation):
            found = evaluate(self.result, self.data.validation, precision=self.config.precision)
            row |= {"validation_accuracy": found["accuracy"], "validation_loss": found["loss"]}
        self.rows.append(row)
        self.save()

    @property
    def result(self):
        """The network with averaged weights, or the one that trains."""
        return self.average.network(self.model) if self.average else self.model

    @property
    def seconds(self):
        """The time that training took so far, without evaluation."""
        return sum(row["seconds"] for row in self.rows)

    def progress_bar(self, batches):
        hidden = None if self.progress is None else not self.progress  # as tqdm says it
        shown = f"epoch {self.epoch + 1} of {self.config.epochs}"
        return tqdm(batches, shown, self.steps, leave=False, disable=hidden)

    def finish(self, test):
        """Evaluate on the test pictures, if wanted, and give the model its averaged weights."""
        if self.epoch == self.config.epochs:
            if test:
                # In float32, whatever it was trained in: so the grader will find the same.
                self.test = evaluate(self.result, self.data.test)
                mirrored = evaluate(self.result, self.data.test, mirror=True)
                self.test["mirrored_accuracy"] = mirrored["accuracy"]
            self.model.load_state_dict(self.result.state_dict())
            self.model.eval()
            self.save(weights=True)
        return Run(self.rows, self.test, self.seconds)

    # -------------------------------------------------------------- saving and going on

    def save(self, weights=False):
        """Write the checkpoint, the metrics and the provenance; at the end the weights too."""
        if self.folder is None or not self.workers.writes:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        checkpoint.save_checkpoint(self.folder, self.state())
        checkpoint.save_metrics(self.folder, self.rows)
        if weights:
            checkpoint.save_weights(self.folder, self.model)
        checkpoint.save_run(self.folder, self.record())

    def state(self):
        """Return everything that is needed to go on."""
        return {
            "config": self.config.to_dict(),
            "data": describe(self.data),
            "epoch": self.epoch,
            "rows": self.rows,
            "test": self.test,
            "model": self.model.state_dict(),
            "average": self.average.state_dict() if self.average else {},
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "step": self.step.state_dict(),
        }

    def restore(self, state):
        """Take up a saved state, if it is one of the same run."""
        for name, mine in (("config", self.config.to_dict()), ("data", describe(self.data))):
            for key, value in mine.items():
                if state[name].get(key) != value:
                    raise ValueError(
                        f"resume: {key}={value!r}, but the run in {self.folder} has "
                        f"{key}={state[name].get(key)!r}; use that, or another folder"
                    )
        try:
            self.model.load_state_dict(state["model"])
        except RuntimeError as error:
            raise ValueError(f"resume: {self.folder} holds another network: {error}") from error
        if self.average:
            self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        keep_rates_on(self.device, self.optimizer)
        self.schedule.load_state_dict(state["schedule"])
        self.step.load_state_dict(state["step"])
        self.epoch, self.rows = state["epoch"], state["rows"]
        self.test = state.get("test", {})  # older checkpoints have none

    def record(self):
        """Return where the run comes from and what came out."""
        return {
            **self.origin,
            "device": device_name(self.device),
            "processes": self.workers.count,
            "network": name_of(self.model),
            "params": sum(parameter.numel() for parameter in self.model.parameters()),
            "config": self.config.to_dict(),
            "epochs": self.rows,
            "seconds": self.seconds,
            "test": self.test,
        }

    def saved_so_far(self):
        if self.folder is None:
            return ""
        return f"; {self.folder} holds the run after epoch {self.epoch}"

    def say_how_to_go_on(self):
        if self.workers.writes:
            how = "; go on with resume" if self.folder else "; nothing was saved: use folder="
            print(f"\nstopped in epoch {self.epoch + 1}{self.saved_so_far()}{how}")


def describe(data):
    """Return what tells one data set from another."""
    return {
        "name": data.name,
        "classes": list(data.classes),
        "sizes": [len(split) for split in (data.train, data.validation, data.test)],
    }


def check_sizes(data, config, count):
    """Refuse a batch that is larger than the data, or that the processes cannot share."""
    if config.batch_size > len(data.train):
        raise ValueError(
            f"batch_size={config.batch_size} is larger than the {len(data.train)} training "
            "pictures; use a smaller one"
        )
    side = min(data.train.images.shape[2:])
    if config.small_epochs and config.small_size > side:
        raise ValueError(
            f"small_size={config.small_size} is larger than the pictures' {side} pixels; "
            "use a smaller one, or small_epochs=0"
        )
    if config.batch_size % count:
        raise ValueError(
            f"batch_size={config.batch_size} does not divide among {count} processes; "
            f"use a multiple of {count}"
        )
