"""Rules for what gives a tensor another shape: where each axis of the input goes."""

from itertools import accumulate
from types import EllipsisType

import torch
from torch import Tensor

from convbook.analysis.field import join
from convbook.analysis.interval import in_a_row
from convbook.analysis.rules.base import RuleResult, fields_in, repeat, require_field, rule


@rule("view reshape view_as reshape_as flatten unflatten ravel squeeze unsqueeze")
def _reshape(outputs, input, *_, **__):
    """View, reshape, flatten, squeeze, unsqueeze: the same elements in the same order."""
    return RuleResult(require_field(input).viewed(outputs[0].shape))


def _permutation(function):
    """Return the rule of a function that only exchanges dimensions."""

    def rule(outputs, input, *arguments, **settings):
        seen = require_field(input)
        # A tensor whose dimensions have the sizes 0, 1, 2, ... shows where each of them goes.
        probe = torch.empty(tuple(range(len(seen.shape))), device="meta")
        order = function(probe, *arguments, **settings).shape
        places = {seen.negative(dim): i - len(order) for i, dim in enumerate(order)}
        return RuleResult(seen.rearranged(outputs[0].shape, places))

    return rule


for _function, _names in {
    Tensor.permute: "permute",
    Tensor.transpose: "transpose swapaxes swapdims",
    Tensor.movedim: "movedim moveaxis",
    Tensor.t: "t T",
    Tensor.adjoint: "mT mH adjoint",
}.items():
    rule(_names)(_permutation(_function))


@rule("expand expand_as broadcast_to repeat tile")
def _expand(outputs, input, *_, **__):
    return RuleResult(require_field(input).broadcast(outputs[0].shape))


@rule("repeat_interleave")
def _repeat_interleave(outputs, input, repeats, dim=None, **_):
    if not isinstance(repeats, int) or dim is None:
        raise ValueError("use an int for repeats, and dim")
    seen = require_field(input)
    return RuleResult(seen.change({seen.negative(dim): repeat(repeats)}))


@rule("cat concat concatenate")
def _concatenation(outputs, tensors, dim=0, *, axis=None, **_):
    dim = dim if axis is None else axis
    parts = [part.collapse([dim]) for part in fields_in(tensors)]
    # Only the size along dim differs, and no axis of the input runs along it any more.
    shape = outputs[0].shape
    return RuleResult(join([part.reshaped(shape) for part in parts], shape))


@rule("stack")
def _stack(outputs, tensors, dim=0, **_):
    shape = tuple(outputs[0].shape)
    dim %= len(shape)
    behind = len(shape) - 1 - dim  # dimensions behind the new one keep their place from the end
    parts = [
        part.rearranged(shape, {d: d if d >= -behind else d - 1 for d in range(1 - len(shape), 0)})
        for part in fields_in(tensors)
    ]
    seen = join(parts, shape)
    if len(parts) < len(tensors):
        return RuleResult(seen)
    # Pieces that each see some pixels further on than the one before are a map again.
    for axis in range(len(seen.intervals)):
        pieces = [part.intervals[axis] for part in parts if not part.spots(axis)]
        if len(pieces) == len(parts) and (interval := in_a_row(pieces)):
            seen = seen.moving(axis, dim - len(shape), interval)
    return RuleResult(seen)


@rule("chunk split tensor_split split_with_sizes")
def _pieces(outputs, input, *arguments, dim=None, **_):
    """Chunk, split: an axis of the input that is cut starts later in each piece."""
    dim = dim if dim is not None else arguments[1] if len(arguments) > 1 else 0
    seen = require_field(input)
    dim = seen.negative(dim)
    sizes = [piece.shape[dim] for piece in outputs]
    cuts = zip(accumulate(sizes, initial=0), sizes, strict=False)
    return RuleResult([seen.sliced(dim, start, 1, size) for start, size in cuts])


@rule("unbind")
def _unbind(outputs, input, dim=0):
    seen = require_field(input)
    index = [slice(None)] * seen.positive(dim)
    return RuleResult([_index(seen, (*index, i), out.shape) for i, out in enumerate(outputs)])


@rule("select")
def _select(outputs, input, dim, index):
    seen = require_field(input)
    return RuleResult(_index(seen, (*[slice(None)] * seen.positive(dim), index), outputs[0].shape))


@rule("narrow")
def _narrow(outputs, input, dim, start, length):
    seen = require_field(input)
    return RuleResult(seen.sliced(seen.negative(dim), int(start), 1, length))


@rule("getitem")
def _getitem(outputs, input, index):
    index = index if isinstance(index, tuple) else (index,)
    if fields_in(index):
        raise ValueError("the index is computed from the input; use slices")
    return RuleResult(_index(require_field(input), index, outputs[0].shape))


def _index(seen, index, shape):
    """Return what `tensor[index]` sees, for slices, None, ..., and ints or one list."""
    single = [one for one in index if not isinstance(one, slice | None | EllipsisType)]
    if len(single) > 1 and any(isinstance(one, list | torch.Tensor) for one in single):
        return seen.collapse().broadcast(shape)
    used = sum(one is not None and one is not Ellipsis for one in index)
    rest = (slice(None),) * (len(seen.shape) - used)
    at = next((i for i, one in enumerate(index) if one is Ellipsis), len(index))
    dim, place, places = -len(seen.shape), -len(shape), {}
    for one in (*index[:at], *rest, *index[at + 1 :]):
        if one is None:
            place += 1
            continue
        if isinstance(one, slice):
            taken = range(*one.indices(seen.shape[dim]))
            seen, places[dim] = seen.sliced(dim, taken.start, taken.step, len(taken)), place
            place += 1
        elif isinstance(one, list | torch.Tensor):
            place += torch.as_tensor(one).ndim
        else:  # an int: one value, which all see, and the dimension is gone
            seen = seen.sliced(dim, int(one) % seen.shape[dim], 1, 1)
        dim += 1
    return seen.rearranged(shape, places)
