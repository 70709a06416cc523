"""A dimension of a tensor as a mixed-radix number, whose factors a reshape groups anew.

`view(N, C, H // 2, 2, W)` splits the vertical axis into two dimensions: the place of a pixel is
twice the first index plus the second. Each such index is a `Factor`: its size, the axis of the
input that it counts along, if any, and by how many places. A reshape keeps the order of the
elements, and so the sequence of the factors of all dimensions; it only sets the limits between
them.
"""

from collections.abc import Sequence
from math import prod
from typing import NamedTuple


class Factor(NamedTuple):
    """One index of `size` values, along `axis` in steps of `step` places."""

    size: int
    axis: int | None = None
    step: int = 1


Factors = tuple[Factor, ...]  # of one dimension, the one that spans most first


def count_of(factors: Sequence[Factor]) -> int:
    """Return how many elements a dimension of these factors has."""
    return prod(factor.size for factor in factors)


def resize(factors: Factors, size: int) -> Factors:
    """Return the factors of a dimension that has become longer or shorter."""
    if count_of(factors) == size:
        return factors
    axis, step = (factors[0].axis, factors[0].step) if len(factors) == 1 else (None, 1)
    return (Factor(size, axis, step),)


def regroup(factors: Sequence[Factor], sizes: Sequence[int]) -> list[Factors] | None:
    """Return the factors for each of some dimensions of those sizes, or None where none fit.

    A factor that reaches over the limit between two dimensions is split, if it can be.
    """
    waiting, dims = [*factors], []
    for size in sizes:
        dim: list[Factor] = []
        left = size
        # A dimension of one element takes such factors only, and nothing else does.
        while left > 1 or (size == 1 and waiting and waiting[0].size == 1 and not dim):
            factor = waiting.pop(0)
            if factor.size > left:
                inner, rest = divmod(factor.size, left)
                if rest:
                    return None
                waiting.insert(0, Factor(inner, factor.axis, factor.step))
                factor = Factor(left, factor.axis, factor.step * inner)
            if left % factor.size:
                return None
            dim.append(factor)
            left //= factor.size
        dims.append(merge(dim, size))
    dims[-1] = merge([*dims[-1], *waiting], sizes[-1])  # of one element each
    return dims


def merge(factors: Sequence[Factor], size: int) -> Factors:
    """Return the fewest factors that say the same: two that count on along one axis are one."""
    kept: list[Factor] = []
    for factor in factors:
        last = kept[-1] if kept else None
        if factor.size == 1 and (factor.axis is None or size > 1):
            continue
        if factor.axis is None:
            factor = Factor(factor.size)  # noqa: PLW2901 (a step along no axis says nothing)
        if last and last.axis == factor.axis is None:
            kept[-1] = Factor(last.size * factor.size)
        elif last and last.axis == factor.axis and last.step == factor.size * factor.step:
            kept[-1] = Factor(last.size * factor.size, factor.axis, factor.step)
        else:
            kept.append(factor)
    return tuple(kept) or (Factor(size),)


def matching_dims(old: Sequence[int], new: Sequence[int]) -> list[tuple[list[int], list[int]]]:
    """Return which dimensions of one shape hold the same values as which of another, from the end.

    The dimensions at the end that both have in common go one to one, whatever their size.
    """
    same = 0
    while same < min(len(old), len(new)) and old[-1 - same] == new[-1 - same]:
        same += 1
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
