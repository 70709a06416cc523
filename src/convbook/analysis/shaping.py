"""Rules for what gives a tensor another shape: where each axis of the input goes."""

from itertools import accumulate
from math import prod
from types import EllipsisType

import torch

from convbook.analysis.seen import join
from convbook.analysis.steps import Step, cut, parts_in, repeat, seen_of, split


def reshape(outputs, input, *_, **__):
    """View, reshape, flatten, squeeze, unsqueeze: a map whose axes stay apart is still a map.

    An axis that is split into (blocks, pixels within) lives on in the blocks; one that is merged
    with what lies behind it, as in a hand-written pixel shuffle, in the merged dimension. Two axes
    in one dimension are mixed.
    """
    seen, shape = seen_of(input), tuple(outputs[0].shape)
    changes, places = {}, {}
    for old, new in _groups(seen.shape, shape):
        axes = [dim for dim in old if dim in seen.dims]
        if len(new) and axes == old[:1]:
            inside = prod(shape[dim] for dim in new[1:])
            repeats = prod(seen.shape[dim] for dim in old[1:])
            if min(inside, repeats) == 1:
                places[old[0]] = new[0]
                changes[old[0]] = split(inside) if inside > 1 else repeat(repeats)
    return Step(seen.change(changes).rearranged(shape, places))


def _groups(old, new):
    """Return which dimensions of one shape hold the same values as which of another, from the end.

    The dimensions at the end that both have in common go one to one, whatever their size.
    """
    same = _common(old[::-1], new[::-1])
    groups = [([dim], [dim]) for dim in range(-same, 0)]
    i, j = 0, 0
    while i < len(old) - same and j < len(new) - same:
        stop_i, stop_j = i + 1, j + 1
        while (left := prod(old[i:stop_i])) != (right := prod(new[j:stop_j])):
            stop_i, stop_j = stop_i + (left < right), stop_j + (left > right)
        dims = [dim - len(old) for dim in range(i, stop_i)]
        groups.append((dims, [dim - len(new) for dim in range(j, stop_j)]))
        i, j = stop_i, stop_j
    return groups


def _common(one, other):
    """Return how many entries two shapes have in common at their beginning."""
    same = (a == b for a, b in zip(one, other, strict=False))
    return next((i for i, equal in enumerate(same) if not equal), min(len(one), len(other)))


def permutation(function):
    """Return the rule of a function that only exchanges dimensions."""

    def rule(outputs, input, *arguments, **settings):
        seen = seen_of(input)
        # A tensor whose dimensions have the sizes 0, 1, 2, ... shows where each of them goes.
        probe = torch.empty(tuple(range(len(seen.shape))), device="meta")
        order = function(probe, *arguments, **settings).shape
        places = {seen.negative(dim): i - len(order) for i, dim in enumerate(order)}
        return Step(seen.rearranged(outputs[0].shape, places))

    return rule


def expand(outputs, input, *_, **__):
    return Step(seen_of(input).broadcast(outputs[0].shape))


def repeat_interleave(outputs, input, repeats, dim=None, **_):
    if not isinstance(repeats, int) or dim is None:
        raise ValueError("use an int for repeats, and dim")
    seen = seen_of(input)
    return Step(seen.change({seen.negative(dim): repeat(repeats)}))


def concatenation(outputs, tensors, dim=0, *, axis=None, **_):
    dim = dim if axis is None else axis
    parts = [part.collapse([dim]) for part in parts_in(tensors)]
    # Only the size along dim differs, and no axis of the input runs along it any more.
    shape = outputs[0].shape
    return Step(join([part.reshaped(shape) for part in parts], shape))


def stack(outputs, tensors, dim=0, **_):
    shape = tuple(outputs[0].shape)
    dim %= len(shape)
    behind = len(shape) - 1 - dim  # dimensions behind the new one keep their place from the end
    parts = [
        part.rearranged(shape, {d: d if d >= -behind else d - 1 for d in range(1 - len(shape), 0)})
        for part in parts_in(tensors)
    ]
    return Step(join(parts, shape))


def pieces(outputs, input, *arguments, dim=None, **_):
    """Chunk, split: an axis of the input that is cut starts later in each piece."""
    dim = dim if dim is not None else arguments[1] if len(arguments) > 1 else 0
    seen = seen_of(input)
    dim = seen.negative(dim)
    sizes = [piece.shape[dim] for piece in outputs]
    starts = [0, *accumulate(sizes)][:-1]
    return Step([seen.change({dim: cut(start)}) for start in starts])


def unbind(outputs, input, dim=0):
    seen = seen_of(input)
    index = [slice(None)] * seen.positive(dim)
    return Step([_index(seen, (*index, i), out.shape) for i, out in enumerate(outputs)])


def select(outputs, input, dim, index):
    seen = seen_of(input)
    return Step(_index(seen, (*[slice(None)] * seen.positive(dim), index), outputs[0].shape))


def narrow(outputs, input, dim, start, length):
    seen = seen_of(input)
    return Step(seen.change({seen.negative(dim): cut(int(start))}))


def getitem(outputs, input, index):
    index = index if isinstance(index, tuple) else (index,)
    if parts_in(index):
        raise ValueError("the index is computed from the input; use slices")
    return Step(_index(seen_of(input), index, outputs[0].shape))


def _index(seen, index, shape):
    """Return what `tensor[index]` sees, for slices, None, ..., and ints or one list."""
    single = [one for one in index if not isinstance(one, slice | None | EllipsisType)]
    if len(single) > 1 and any(isinstance(one, list | torch.Tensor) for one in single):
        return seen.collapse().broadcast(shape)
    used = sum(one is not None and one is not Ellipsis for one in index)
    rest = (slice(None),) * (len(seen.shape) - used)
    at = next((i for i, one in enumerate(index) if one is Ellipsis), len(index))
    sizes, dim, place = list(seen.shape), -len(seen.shape), -len(shape)
    changes, places = {}, {}
    for one in (*index[:at], *rest, *index[at + 1 :]):
        if one is None:
            place += 1
            continue
        if isinstance(one, slice):
            start, _, stride = one.indices(seen.shape[dim])
            changes[dim], places[dim] = cut(start, stride), place
            place += 1
        elif isinstance(one, list | torch.Tensor):
            place += torch.as_tensor(one).ndim
        else:  # an int: one value, which all see, and the dimension is gone
            changes[dim], sizes[dim] = cut(int(one) % seen.shape[dim]), 1
        dim += 1
    return seen.change(changes).reshaped(sizes).rearranged(shape, places)
