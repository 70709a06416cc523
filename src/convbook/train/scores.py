"""What a network must give to be trained here: one score for each class of each picture."""

from dataclasses import fields, is_dataclass, replace

import torch
from torch.nn import DataParallel
from torch.nn.parallel import DistributedDataParallel

from convbook.train.augment import shrink, small_size, to_float
from convbook.train.distributed import autocast


def name_of(network):
    """Return the name of a network's class; of the one inside, where PyTorch wraps it."""
    network = getattr(network, "_orig_mod", network)  # torch.compile's
    if isinstance(network, DataParallel | DistributedDataParallel):
        network = network.module
    return type(network).__name__


def class_scores(network, x):
    """Return what a network gives for pictures `(N, C, H, W)`: a tensor `(N, classes)`.

    Raises:
        ValueError: it gives something else; the message names it and the remedy.
    """
    mode = " in training mode" if network.training else ""
    return _checked(network(x), network, x, mode)


def check_classes(network, scores, classes):
    """Refuse a network with fewer scores than there are classes.

    Raises:
        ValueError: there are fewer.
    """
    if scores.shape[1] < classes:
        raise ValueError(
            f"{name_of(network)} gives {scores.shape[1]} scores for each picture, but there are "
            f"{classes} classes; let its last layer give {classes}"
        )


def try_out(model, data, config):
    """Run a network on two pictures, and return the settings that it can be trained with.

    So whatever is wrong with it is said before the first epoch, and in a sentence. Afterwards the
    weights lie in memory as the settings say. A network that does not run where the channels of a
    pixel lie next to each other, as many do that use `view`, gets `channels_last=False`: what it
    computes is the same.

    Raises:
        ValueError: it does not run, or does not give a score for each class.
    """
    pictures = to_float(data.train.images[:2])
    small = small_size(0, min(pictures.shape[2:]), config)
    for x in [pictures, shrink(pictures, small)] if small else [pictures]:
        try:
            output, config = _run_in_some_layout(model, x, config)
        except Exception as error:  # a network can fail in any way
            size = tuple(x.shape[1:])
            remedy = "small_epochs=0, or " if x is not pictures else ""
            raise ValueError(
                f"{name_of(model)} does not run on pictures of {size}: {type(error).__name__}: "
                f"{error}; use {remedy}a network that takes float32 {_shape('N', *size)}"
            ) from error
        check_classes(model, _checked(output, model, x), len(data.classes))
    return config


def _run_in_some_layout(model, x, config):
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
def _run(model, x, config):
    was_training = model.training
    model.eval()
    try:
        with autocast(x.device, config.precision):
            return model(x)
    finally:
        model.train(was_training)


def _checked(output, network, x, mode=""):
    if _are_scores(output, len(x)):
        return output
    raise ValueError(
        f"{name_of(network)} returns{mode} {_told(output)} for {len(x)} pictures, but only its "
        f"class scores are wanted, one float tensor (N, classes); {_remedy(output, len(x))}"
    )


def _are_scores(output, count):
    return (
        isinstance(output, torch.Tensor)
        and output.is_floating_point()
        and output.ndim == 2
        and len(output) == count
    )


def _parts(output):
    """Return how to get at each part of an output that is several things, and the part."""
    if isinstance(output, dict):
        return [(f"[{key!r}]", part) for key, part in output.items()]
    if isinstance(output, tuple | list):
        return [(f"[{place}]", part) for place, part in enumerate(output)]
    if is_dataclass(output):
        return [(f".{field.name}", getattr(output, field.name)) for field in fields(output)]
    return []


def _told(output):
    """Return in words what a network gave."""
    if isinstance(output, torch.Tensor):
        kind = str(output.dtype).removeprefix("torch.")
        return f"a tensor {_shape(*output.shape)} of {kind}"
    if not (parts := _parts(output)):
        return "None" if output is None else f"a {type(output).__name__}"
    listed = ", ".join(
        f"{where} {_shape(*part.shape) if isinstance(part, torch.Tensor) else type(part).__name__}"
        for where, part in parts
    )
    return f"a {type(output).__name__} ({listed})"


def _remedy(output, count):
    """Return what to change in the network."""
    if isinstance(output, torch.Tensor) and output.ndim == 4:
        if output.shape[2:] == (1, 1):
            return "end its forward with .flatten(1)"
        return "end its forward with the mean over each map, .mean((2, 3))"
    for where, part in _parts(output):
        if _are_scores(part, count):
            return f"let its forward return only the part {where}"
    return "let its forward return that"


def _shape(*sizes):
    return f"({', '.join(map(str, sizes))})"
