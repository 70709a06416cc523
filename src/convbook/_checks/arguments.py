"""Checks of sizes, strides and other integers. Nothing here needs torch.

Every refusal names the argument, quotes its value and says what would be right: a `TypeError` for
something that is not an integer, a `ValueError` for an integer that is out of range.
"""

import operator
from typing import Literal, TypeAlias, overload

Ints: TypeAlias = int | tuple[int, ...] | list[int]  # one for all axes, or one for each
IntOrPair: TypeAlias = Ints  # for rows and columns
Padding: TypeAlias = Ints | str  # a word is 'same' or 'valid'

LARGEST = 2**63 - 1  # the largest number that PyTorch takes


def integer(value: object, name: str, minimum: int, maximum: int = LARGEST) -> int:
    """Return `value` as an int in this range. Like PyTorch, refuse floats and bools."""
    wanted = f"an int of at least {minimum}"
    if maximum < LARGEST:
        wanted = f"an int from {minimum} to {maximum}"
    try:
        number = operator.index(value)  # type: ignore[arg-type]  # what is no integer raises
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(f"{name}={value!r} is not an integer; use {wanted}")
    if number < minimum:
        raise ValueError(f"{name}={value!r} is too small; use {wanted}")
    if number > maximum:
        wanted = wanted if maximum < LARGEST else "an int below 2**63"
        raise ValueError(f"{name}={value!r} is too large; use {wanted}")
    return number


@overload
def per_axis(value: Ints, rank: Literal[1], name: str, minimum: int) -> tuple[int]: ...
@overload
def per_axis(value: Ints, rank: Literal[2], name: str, minimum: int) -> tuple[int, int]: ...
@overload
def per_axis(value: Ints, rank: int, name: str, minimum: int) -> tuple[int, ...]: ...
def per_axis(value: Ints, rank: int, name: str, minimum: int) -> tuple[int, ...]:
    """Return one int per axis from an int, a sequence of one int, or a sequence of `rank` ints."""
    if not isinstance(value, tuple | list):
        return (integer(value, name, minimum),) * rank
    if len(value) not in (1, rank):
        raise ValueError(f"{name}={value!r} has {len(value)} values; use one int or {rank} ints")
    numbers = tuple(integer(number, name, minimum) for number in value)
    return numbers * (rank // len(numbers))


def pair(value: IntOrPair, name: str, minimum: int) -> tuple[int, int]:
    """Return (vertical, horizontal) from an int or exactly two ints, as unfold and fold take them.

    The convolutions also take a sequence of one int: see `per_axis`.
    """
    if isinstance(value, tuple | list) and len(value) != 2:
        raise ValueError(f"{name}={value!r} has {len(value)} values; use one int or 2 ints")
    return per_axis(value, 2, name, minimum)


def common_rank(*values: Padding) -> int | None:
    """Return how many axes the arguments speak of, or None when every one is a single number.

    The first argument with several values decides, so that a later one that differs is refused.
    """
    lengths = [len(value) for value in values if isinstance(value, tuple | list)]
    return next((length for length in lengths if length > 1), 1 if lengths else None)
