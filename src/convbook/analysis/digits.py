"""A dimension of a tensor as a number with digits, which a reshape deals out anew.

`view(N, C, H // 2, 2, W)` splits the vertical axis into two dimensions: the place of a pixel is
twice the first index plus the second. Each such index is a `Digit`: its size, the axis of the input
that it counts along, if any, and by how many places. A reshape keeps the order of the elements, and
so the sequence of the digits of all dimensions; it only sets the limits between them.
"""

from math import prod
from typing import NamedTuple


class Digit(NamedTuple):
    """One index of `size` values, along `axis` in steps of `step` places."""

    size: int
    axis: int | None = None
    step: int = 1


def joined(digits):
    """Return a digit without axis that counts all that some digits count."""
    return Digit(prod(digit.size for digit in digits))


def resized(digits, size):
    """Return the digits of a dimension that has become longer or shorter."""
    if joined(digits).size == size:
        return tuple(digits)
    axis, step = (digits[0].axis, digits[0].step) if len(digits) == 1 else (None, 1)
    return (Digit(size, axis, step),)


def dealt(digits, sizes):
    """Return the digits for each of some dimensions of those sizes, or None where none fit.

    A digit that reaches over the limit between two dimensions is split, if it can be.
    """
    waiting, dims = [*digits], []
    for size in sizes:
        dim, left = [], size
        # A dimension of one element takes such digits only, and nothing else does.
        while left > 1 or (size == 1 and waiting and waiting[0].size == 1 and not dim):
            digit = waiting.pop(0)
            if digit.size > left:
                inner, rest = divmod(digit.size, left)
                if rest:
                    return None
                waiting.insert(0, Digit(inner, digit.axis, digit.step))
                digit = Digit(left, digit.axis, digit.step * inner)
            if left % digit.size:
                return None
            dim.append(digit)
            left //= digit.size
        dims.append(simplest(dim, size))
    dims[-1] = simplest([*dims[-1], *waiting], sizes[-1])  # of one element each
    return dims


def simplest(digits, size):
    """Return the fewest digits that say the same: two that count on along one axis are one."""
    kept = []
    for digit in digits:
        if digit.size == 1 and (digit.axis is None or size > 1):
            continue
        if kept and kept[-1].axis == digit.axis:
            last = kept[-1]
            if digit.axis is None:
                kept[-1] = Digit(last.size * digit.size)
                continue
            if last.step == digit.size * digit.step:
                kept[-1] = Digit(last.size * digit.size, digit.axis, digit.step)
                continue
        kept.append(digit if digit.axis is not None else Digit(digit.size))
    return tuple(kept) or (Digit(size),)


def groups(old, new):
    """Return which dimensions of one shape hold the same values as which of another, from the end.

    The dimensions at the end that both have in common go one to one, whatever their size.
    """
    same = _common(old[::-1], new[::-1])
    pairs = [([dim], [dim]) for dim in range(-same, 0)]
    i, j = 0, 0
    while i < len(old) - same and j < len(new) - same:
        stop_i, stop_j = i + 1, j + 1
        while (left := prod(old[i:stop_i])) != (right := prod(new[j:stop_j])):
            stop_i, stop_j = stop_i + (left < right), stop_j + (left > right)
        dims = [dim - len(old) for dim in range(i, stop_i)]
        pairs.append((dims, [dim - len(new) for dim in range(j, stop_j)]))
        i, j = stop_i, stop_j
    return pairs


def _common(one, other):
    """Return how many entries two shapes have in common at their beginning."""
    same = (a == b for a, b in zip(one, other, strict=False))
    return next((i for i, equal in enumerate(same) if not equal), min(len(one), len(other)))
