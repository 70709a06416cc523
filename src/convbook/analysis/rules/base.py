"""What rules are made of: what a tensor sees is kept on it, and a `Step` is what a rule returns.

A rule takes the outputs of an operation, then exactly what PyTorch's own function takes. It serves
layers and functions alike, because every `torch.nn` layer calls a function.
"""

from collections import deque
from collections.abc import Mapping, Set
from dataclasses import dataclass, fields, is_dataclass

import torch

from convbook.analysis.field import Seen


@dataclass(frozen=True)
class Window:
    """The settings of a convolution or a pooling, and the dimensions that a reduction mixed."""

    kernel: object = None
    stride: object = None
    padding: object = None
    dilation: object = None
    groups: object = None
    reduced: object = None


NO_WINDOW = Window()


@dataclass(frozen=True)
class Step:
    """What a rule finds out: what the outputs see (one for all, or a list), and the window.

    `shown` is what the row says instead, where the output's own shape hides it.
    """

    seen: Seen | list
    window: Window = NO_WINDOW
    shown: Seen | None = None


def op_name(func):
    """Return a function's name without the underscores of methods and in-place versions."""
    name = getattr(func, "__name__", str(func))
    if name == "__get__":  # an attribute such as x.T
        name = func.__self__.__name__
    if name == "__set__":
        name = f"set_{func.__self__.__name__}"
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


def mark(tensor, seen, rows):
    """Keep on a tensor what its elements see, and the names of the rows that they come from."""
    tensor._convbook_seen = seen
    tensor._convbook_rows = rows


def unmark(tensor):
    """Note that a tensor's elements do not depend on the input any more."""
    mark(tensor, None, ())


def rows_of(tensor):
    """Return the names of the rows that a tensor's elements come from."""
    return getattr(tensor, "_convbook_rows", ())


def tensors_in(value):
    """Return the tensors inside tuples, lists, dicts and dataclasses, in their order."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    elif is_dataclass(value) and not isinstance(value, type):
        value = [getattr(value, field.name, None) for field in fields(value)]
    if isinstance(value, tuple | list | deque | Set):
        return [tensor for part in value for tensor in tensors_in(part)]
    return []


def parts_in(value):
    """Return what the tensors inside `value` see, without those that do not see the input."""
    return [seen for tensor in tensors_in(value) if (seen := seen_by(tensor))]


def rows_in(value):
    """Return the names of the rows that the tensors inside `value` come from, each once."""
    seeing = (tensor for tensor in tensors_in(value) if seen_by(tensor))
    return tuple(dict.fromkeys(row for tensor in seeing for row in rows_of(tensor)))


def letters(equation):
    """Return the letters of each operand of an einsum, and those of its result.

    Raises:
        ValueError: the equation is not in letters alone.
    """
    if not isinstance(equation, str) or "." in equation:
        raise ValueError("use an equation in letters, without '...'")
    names, arrow, result = equation.replace(" ", "").partition("->")
    if not arrow:  # then each letter that stands there once
        result = "".join(sorted(one for one in {*names} - {","} if names.count(one) == 1))
    return names.split(","), result


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
    return lambda interval: interval.transposed(count, count)


def split(count):
    """Each `count` values become one output."""
    return lambda interval: interval.window(count, count)


def cut(start):
    """The outputs begin at value `start`."""
    return lambda interval: interval.window(1, padding=-start)
