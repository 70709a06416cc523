"""What a network gives for pictures: one score for each class, how often right, or a refusal."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from convbook.data import Dataset, Split
from convbook.train.augment import progressive_side, resize, to_float
from convbook.train.config import TrainConfig
from convbook.train.distributed import autocast

BATCH_SIZE = 1000


@torch.no_grad()
def predict(
    model: nn.Module, split: Split, tta_flip: bool = False, precision: str = "float32"
) -> Tensor:
    """Return what a model gives for each class, for each picture of a split.

    Shapes:
        The result is float32 `(N, classes)`: logits; with `tta_flip`, logarithms of probabilities.

    Args:
        model: is put into evaluation mode meanwhile.
        split: images and labels, on any device.
        tta_flip: whether to average the probabilities of a picture and of its mirror image.
        precision: as in `TrainConfig`.

    Raises:
        ValueError: the split is empty, or the model gives something else than `(N, classes)`.

    Example:
        >>> from convbook import data
        >>> split = data.Split(torch.zeros(2, 3, 8, 8, dtype=torch.uint8), torch.zeros(2).long())
        >>> predict(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 10)), split).shape
        torch.Size([2, 10])
    """
    if not len(split):
        raise ValueError("split is empty; use one with pictures (validation=0 leaves none)")
    device = next((p.device for p in model.parameters()), split.images.device)
    was_training = model.training
    model.eval()
    outputs = []
    for images in split.images.split(BATCH_SIZE):
        x = to_float(images.to(device))
        with autocast(device, precision):
            logits = class_scores(model, x)
            if tta_flip:
                both = torch.stack([logits, class_scores(model, x.flip(-1))])  # (2, N, classes)
                logits = F.softmax(both.float(), -1).mean(0).log()
        outputs.append(logits.float())
    model.train(was_training)
    return torch.cat(outputs)


def evaluate(
    model: nn.Module, split: Split, tta_flip: bool = False, precision: str = "float32"
) -> dict[str, float]:
    """Return `accuracy` (from 0 to 1), `loss` (the mean cross-entropy, in nats) and `images`.

    Args:
        model: is put into evaluation mode meanwhile.
        split: images and labels, on any device.
        tta_flip: whether to average the probabilities of a picture and of its mirror image; report
            such an accuracy apart.
        precision: as in `TrainConfig`.

    Raises:
        ValueError: the split is empty, or the model does not give a score for each class.

    Example:
        >>> from convbook import data
        >>> split = data.Split(torch.zeros(2, 3, 8, 8, dtype=torch.uint8), torch.zeros(2).long())
        >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 10))
        >>> sorted(evaluate(model, split))
        ['accuracy', 'images', 'loss']
    """
    logits = predict(model, split, tta_flip, precision)
    labels = split.labels.to(logits.device)
    _check_classes(model, logits, int(labels.max()) + 1)
    return {
        "accuracy": (logits.argmax(1) == labels).double().mean().item(),
        "loss": F.cross_entropy(logits, labels).item(),
        "images": len(split),
    }


def name_of(network: nn.Module) -> str:
    """Return the name of a network's class; of the one inside, where PyTorch wraps it."""
    network = getattr(network, "_orig_mod", network)  # torch.compile's
    if isinstance(network, nn.DataParallel | DistributedDataParallel):
        network = network.module
    return type(network).__name__


def class_scores(network: nn.Module, x: Tensor) -> Tensor:
    """Return what a network gives for pictures `(N, C, H, W)`: a tensor `(N, classes)`.

    Raises:
        ValueError: it gives something else; the message names it and the remedy.
    """
    mode = " in training mode" if network.training else ""
    return _checked(network(x), network, x, mode)


def dry_run(model: nn.Module, data: Dataset, config: TrainConfig) -> TrainConfig:
    """Run a network on two pictures, and return the settings that it can be trained with.

    So whatever is wrong with it is said before the first epoch, and in a sentence. Afterwards the
    weights lie in memory as the settings say. A network that does not run where the channels of a
    pixel lie next to each other, as many do that use `view`, gets `channels_last=False`: what it
    computes is the same.

    Raises:
        ValueError: it does not run, or does not give a score for each class.
    """
    pictures = to_float(data.train.images[:2])
    small = progressive_side(0, min(pictures.shape[2:]), config)
    for x in [pictures, resize(pictures, small)] if small else [pictures]:
        try:
            output, config = _run_in_some_layout(model, x, config)
        except Exception as error:  # a network can fail in any way
            size = tuple(x.shape[1:])
            remedy = "progressive_epochs=0, or " if x is not pictures else ""
            raise ValueError(
                f"{name_of(model)} does not run on pictures of {size}: {type(error).__name__}: "
                f"{error}; use {remedy}a network that takes float32 {_shape('N', *size)}"
            ) from error
        _check_classes(model, _checked(output, model, x), len(data.classes))
    return config


def _run_in_some_layout(
    model: nn.Module, x: Tensor, config: TrainConfig
) -> tuple[Any, TrainConfig]:
    """Return what a network gives, and the settings with the layout of memory in which it does."""
    if config.channels_last:
        model.to(memory_format=torch.channels_last)
        try:
            return _run(model, x.contiguous(memory_format=torch.channels_last), config), config
        except Exception:  # the other layout will show whether it was the reason
            model.to(memory_format=torch.contiguous_format)
            config = replace(config, channels_last=False)
    return _run(model, x.contiguous(), config), config


@torch.no_grad()
def _run(model: nn.Module, x: Tensor, config: TrainConfig) -> Any:
    was_training = model.training
    model.eval()
    try:
        with autocast(x.device, config.precision):
            return model(x)
    finally:
        model.train(was_training)


def _check_classes(network: nn.Module, scores: Tensor, classes: int) -> None:
    """Refuse a network with fewer scores than there are classes."""
    if scores.shape[1] < classes:
        raise ValueError(
            f"{name_of(network)} gives {scores.shape[1]} scores for each picture, but there are "
            f"{classes} classes; let its last layer give {classes}"
        )


def _checked(output: Any, network: nn.Module, x: Tensor, mode: str = "") -> Tensor:
    """Return a network's output, if it is one score for each class of each picture."""
    if _are_scores(output, x):
        return output
    raise ValueError(
        f"{name_of(network)} returns{mode} {_told(output)} for {len(x)} pictures, but only its "
        f"class scores are wanted, one float tensor (N, classes); {_remedy(output, x)}"
    )


def _are_scores(output: Any, x: Sized) -> bool:
    return (
        isinstance(output, Tensor)
        and output.is_floating_point()
        and output.ndim == 2
        and len(output) == len(x)
    )


def _parts(output: Any) -> list[tuple[str, Any]]:
    """Return how to get at each part of an output that is several things, and the part."""
    if isinstance(output, dict):
        return [(f"[{key!r}]", part) for key, part in output.items()]
    if isinstance(output, tuple | list):
        return [(f"[{place}]", part) for place, part in enumerate(output)]
    if is_dataclass(output):
        return [(f".{field.name}", getattr(output, field.name)) for field in fields(output)]
    return []


def _told(output: Any) -> str:
    """Return in words what a network gave."""
    if isinstance(output, Tensor):
        kind = str(output.dtype).removeprefix("torch.")
        return f"a tensor {_shape(*output.shape)} of {kind}"
    if not (parts := _parts(output)):
        return "None" if output is None else f"a {type(output).__name__}"
    listed = ", ".join(
        f"{where} {_shape(*part.shape) if isinstance(part, Tensor) else type(part).__name__}"
        for where, part in parts
    )
    return f"a {type(output).__name__} ({listed})"


def _remedy(output: Any, x: Sized) -> str:
    """Return what to change in the network."""
    if isinstance(output, Tensor) and output.ndim == 4:
        if output.shape[2:] == (1, 1):
            return "end its forward with .flatten(1)"
        return "end its forward with the mean over each map, .mean((2, 3))"
    for where, part in _parts(output):
        if _are_scores(part, x):
            return f"let its forward return only the part {where}"
    return "let its forward return that"


def _shape(*sizes: int | str) -> str:
    return f"({', '.join(map(str, sizes))})"
