"""What rules are made of: what a tensor sees is kept on it, and a `Step` is what a rule returns.

A rule takes the outputs of an operation, then exactly what PyTorch's own function takes. It serves
layers and functions alike, because every `torch.nn` layer calls a function.
"""

from dataclasses import dataclass

import torch

from convbook.analysis.seen import Seen


@dataclass(frozen=True)
class Window:
    """The settings of a convolution or a pooling, and the dimensions that a reduction mixed."""

    kernel: object = None
    stride: object = None
    padding: object = None
    dilation: object = None
    groups: object = None
    reduced: object = None


@dataclass(frozen=True)
class Step:
    """What a rule finds out: what the outputs see (one for all, or a list), and the window."""

    seen: Seen | list
    window: Window = Window()


def op_name(func):
    """Return a function's name without the underscores of methods and in-place versions."""
    name = getattr(func, "__name__", str(func))
    if name == "__get__":  # an attribute such as x.T
        name = func.__self__.__name__
    return name.strip("_")


def seen_by(tensor):
    """Return what the tensor's elements see of the input, or None if they do not depend on it."""
    return getattr(tensor, "_convbook_seen", None)


def seen_of(input):
    """Return what the first argument of a rule sees, refusing one that only lends its place."""
    seen = seen_by(input)
    if seen is None:
        raise ValueError("the model's input reaches it, but not as its first argument")
    return seen


def mark(tensor, seen, row):
    """Keep on a tensor what its elements see, and the name of the row that it comes from."""
    tensor._convbook_seen = seen
    tensor._convbook_row = row


def tensors_in(value):
    """Return the tensors inside tuples, lists and dicts, in their order."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return [tensor for part in value for tensor in tensors_in(part)]
    return [value] if isinstance(value, torch.Tensor) else []


def parts_in(value):
    """Return what the tensors inside `value` see, without those that do not see the input."""
    return [seen for tensor in tensors_in(value) if (seen := seen_by(tensor))]


def rows_in(value):
    """Return the names of the rows that the tensors inside `value` come from, each once."""
    seeing = (tensor for tensor in tensors_in(value) if seen_by(tensor))
    return tuple(dict.fromkeys(tensor._convbook_row for tensor in seeing))


def several(dims):
    """Return a tuple of dimensions from one or several, and None (for all) from None or none."""
    dims = dims if isinstance(dims, tuple | list) or dims is None else (dims,)
    return tuple(dims) if dims else None


def plain(value):
    """Return one int for a tuple of equal ints."""
    return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value


def values(value, axes):
    """Return one value per axis, also from one that stands for all: `plain` undone."""
    return tuple(value) if isinstance(value, tuple | list) else (value,) * axes


# Changes to what is seen along one dimension, for `Seen.change`.


def repeat(count):
    """Each value becomes `count` outputs."""
    return lambda extent: extent.transposed(count, count)


def split(count):
    """Each `count` values become one output."""
    return lambda extent: extent.window(count, count)


def cut(start, stride=1):
    """The outputs begin at value `start`."""
    return lambda extent: extent.window(1, stride, padding=-start)
