"""What rules are made of: a tensor carries the field of its elements, a rule gives a `RuleResult`.

A rule takes the outputs of an operation, then exactly what PyTorch's own function takes, under its
names. It serves layers and functions alike, because every `torch.nn` layer calls a function.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from typing import TypeVar

from torch import Tensor

from convbook.analysis.field import Change, TensorField

T = TypeVar("T")
PerAxis = int | tuple[int, ...]  # one for all axes, or one for each
Dims = int | tuple[int, ...] | list[int] | None
Rows = tuple[str, ...]  # names of rows


@dataclass(frozen=True)
class WindowSettings:
    """The settings of a convolution or a pooling, and the dimensions that a reduction mixed."""

    kernel: PerAxis | None = None
    stride: PerAxis | None = None
    padding: PerAxis | str | None = None
    dilation: PerAxis | None = None
    groups: int | None = None
    reduced: tuple[int, ...] | None = None


NO_SETTINGS = WindowSettings()


@dataclass(frozen=True)
class RuleResult:
    """What a rule finds out: what the outputs see (one for all, or a list), and the settings.

    `shown` is what the row says instead, where the output's own shape hides it.
    """

    field: TensorField | list[TensorField]
    settings: WindowSettings = NO_SETTINGS
    shown: TensorField | None = None


Rule = Callable[..., RuleResult]
RULES: dict[str, Rule] = {}  # by the name of PyTorch's function


def rule(names: str) -> Callable[[Rule], Rule]:
    """Enter a function as the rule of PyTorch's functions of these names."""

    def enter(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names.split(), function))
        return function

    return enter


def rule_per_rank(names: str) -> Callable[[Rule], Rule]:
    """Enter a rule that takes the number of axes first, for 1, 2 and 3 of them: `avg_pool{}d`."""

    def enter(function: Rule) -> Rule:
        for rank in (1, 2, 3):
            rule(names.format(rank))(partial(function, rank))
        return function

    return enter


def op_name(func: Callable[..., object]) -> str:
    """Return a function's name without the underscores of methods and in-place versions."""
    name: str = getattr(func, "__name__", str(func))
    if name in ("__get__", "__set__"):  # an attribute such as x.T
        prefix = "set_" if name == "__set__" else ""
        name = prefix + getattr(func, "__self__", func).__name__
    return name.strip("_")


def field_of(tensor: Tensor) -> TensorField | None:
    """Return what the tensor's elements see of the input, or None if they do not depend on it."""
    return getattr(tensor, "_convbook_field", None)


def require_field(input: Tensor) -> TensorField:
    """Return what the first argument of a rule sees, refusing one that only lends its place."""
    seen = field_of(input)
    if seen is None:
        raise ValueError("the model's input reaches it, but not as its first argument")
    return seen


def attach_field(tensor: Tensor, seen: TensorField | None, rows: Rows) -> None:
    """Keep on a tensor what its elements see, and the names of the rows that they come from.

    None is nothing: its elements do not depend on the input any more.
    """
    vars(tensor).update(_convbook_field=seen, _convbook_rows=rows)


def rows_of(tensor: Tensor) -> Rows:
    """Return the names of the rows that a tensor's elements come from."""
    return getattr(tensor, "_convbook_rows", ())


def tensors_in(value: object) -> list[Tensor]:
    """Return the tensors inside tuples, lists, dicts and dataclasses, in their order."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    elif is_dataclass(value) and not isinstance(value, type):
        value = [getattr(value, field.name, None) for field in fields(value)]
    if isinstance(value, tuple | list | deque | Set):
        return [tensor for part in value for tensor in tensors_in(part)]
    return []


def fields_in(value: object) -> list[TensorField]:
    """Return what the tensors inside `value` see, without those that do not see the input."""
    return [seen for tensor in tensors_in(value) if (seen := field_of(tensor))]


def rows_in(value: object) -> Rows:
    """Return the names of the rows that the tensors inside `value` come from, each once."""
    seeing = (tensor for tensor in tensors_in(value) if field_of(tensor))
    return tuple(dict.fromkeys(row for tensor in seeing for row in rows_of(tensor)))


def check_fixed(*weights: Tensor | None) -> None:
    """Refuse weights that depend on the input: what is seen through them has no window."""
    if fields_in(weights):
        raise ValueError("its weight or bias is computed from the input; use parameters")


def letters(equation: object) -> tuple[list[str], str]:
    """Return the letters of each operand of an einsum, and those of its result.

    Raises:
        ValueError: the equation is not in letters alone, as with `...`.
    """
    if not isinstance(equation, str) or "." in equation:
        raise ValueError("use an equation in letters, without '...'")
    names, arrow, result = equation.replace(" ", "").partition("->")
    if not arrow:  # then each letter that stands there once
        result = "".join(sorted(one for one in {*names} - {","} if names.count(one) == 1))
    return names.split(","), result


def several(dims: Dims) -> tuple[int, ...] | None:
    """Return a tuple of dimensions from one or several, and None (for all) from None or none."""
    dims = dims if isinstance(dims, tuple | list) or dims is None else (dims,)
    return tuple(dims) if dims else None


def one_if_equal(value: T) -> T | int:
    """Return one value for a tuple of equal ones."""
    return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value


def values_per_axis(value: T | tuple[T, ...] | list[T], axes: int) -> tuple[T, ...]:
    """Return one value per axis, also from one that stands for all.

    >>> values_per_axis(3, 2), values_per_axis((1, 2), 2)
    ((3, 3), (1, 2))
    """
    return tuple(value) if isinstance(value, tuple | list) else (value,) * axes


# Changes to what is seen along one dimension, for `TensorField.change`.


def repeat(count: int) -> Change:
    """Each value becomes `count` outputs."""
    return lambda interval: interval.transposed(count, count)


def split(count: int) -> Change:
    """Each `count` values become one output."""
    return lambda interval: interval.window(count, count)


def cut(start: int) -> Change:
    """The outputs begin at value `start`."""
    return lambda interval: interval.window(1, padding=-start)
