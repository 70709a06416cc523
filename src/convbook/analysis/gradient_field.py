"""The receptive field as gradients find it: a check of the arithmetic in `trace`.

A gradient that is not zero proves that an output sees a pixel; one that is zero proves nothing. So
the model runs with surrogates that let every gradient through, see `surrogates`.

What the two share, so that a mistake there shows in both: `trace` must be able to follow the model,
and says after how many outputs their pattern repeats (two periods are compared); the list of
operations that count as pointwise; how the name, the tensors and the reduced dimensions of an
operation are read; how moves between devices, checkpoints and own autograd functions are run.
Windows, reshapes, views and operations in place are not shared: here PyTorch runs them, and its
gradients decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from typing import NamedTuple

import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks

from convbook.analysis._copies import (
    NoMap,
    all_ones,
    check_input_size,
    check_model,
    copy_with,
    module_named,
    on_meta,
    output_of,
    uncompiled,
)
from convbook.analysis.running import current_tensor, followable
from convbook.analysis.surrogates import LinearSurrogateMode
from convbook.analysis.tracing import periods
from convbook.analysis.writes import writes_through_views
from convbook.arithmetic import ReceptiveField

Box = tuple[int, int]  # the first and the last pixel along an axis
LARGEST = 8192  # pixels along an axis: a field that does not fit counts as global
CHANGES = (
    "model's receptive field changes with the size of its input; "
    "use layer= to name a layer before it is resized"
)


def empirical_receptive_field(
    model: nn.Module, input_size: Sequence[int] = (3, 32, 32), layer: str | None = None
) -> ReceptiveField:
    """Return the receptive field that gradients find: the bounding box of what is not zero.

    A copy of the model runs in float64, as linear as it can be: positive weights, average pooling
    for max-pooling with the same windows, the identity for activations and normalisation, averages
    for products. Gradients start from neighbouring outputs in the middle of the map; the size is
    the largest of theirs. (After upsampling, `trace` knows how many outputs differ.) The input is
    made longer, one axis at a time, until no box touches the border.

    Shared with `trace` are the list of pointwise operations and the number of outputs after which
    the pattern repeats; windows, reshapes, views and operations in place are PyTorch's own.

    An output that is no map, or that still sees everything when an axis has 8192 pixels, counts as
    global: its field is what it sees of `input_size`, and its jump is 0.

    Shapes:
        Ints, or tuples where the axes differ, in pixels of the input.

    Args:
        model: its forward takes one tensor. Its weights do not matter.
        input_size: `(C, H, W)` to begin with, at least 1.
        layer: the name of the layer whose output is looked at, as in `model.named_modules()`; None
            is the whole model. Adaptive pooling depends on the size, so look before it.

    Raises:
        ValueError: there is no such layer, or it gives no map; the model does not run on an input
            large enough, or runs more layers the larger its input is; `trace` cannot follow it.
        TypeError: `model` is not an `nn.Module`, or a size is not an integer.

    Example:
        >>> from torch import nn
        >>> stack = nn.Sequential(nn.Conv2d(3, 8, 3), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3))
        >>> empirical_receptive_field(stack, (3, 32, 32))
        ReceptiveField(size=8, jump=2, start=0)

    Source: Luo et al., arXiv 1701.04128, who back-propagate from the central output.
    """
    input_size = check_input_size(input_size)
    check_model(model)
    model = uncompiled(model)
    module_named(model, layer)
    pattern = periods(model, input_size, layer)
    dense = writes_through_views(copy_with(model, on_meta), input_size, layer)
    ones = copy_with(model, _written_to if dense else all_ones)
    look = partial(_look, _Subject(ones, layer, pattern, dense, {}))
    # One axis at a time costs little, and shows how long it must be, or that there is no end.
    found = [_search(look, input_size, axis) for axis in range(1, len(input_size))]
    fields, size = [field for field, _ in found], (input_size[0], *(fits for _, fits in found))
    # Then all together: while one axis is short, a branch may see no more than padding along it.
    while (together := _look_at_all(look, size, fields)) != fields:
        if None in together or max(size[1:]) > LARGEST:
            raise ValueError(CHANGES)
        fields, size = together, (size[0], *(2 * pixels for pixels in size[1:]))
    return fields[0] if len(set(fields)) == 1 else ReceptiveField(*zip(*fields, strict=True))


def _search(look, input_size, axis):
    """Make the input longer along an axis until the field stays the same.

    Return the field and the size that it needs. A field that never fits counts as global.
    """
    size, before, earlier, at_first = list(input_size), None, None, None
    while size[axis] <= max(LARGEST, input_size[axis]):
        try:
            field, box = look(size, axis)
        except _Varies:
            raise
        except ValueError:
            if before or at_first == (0, input_size[axis] - 1):
                break  # a model for one size of input; its field fits, or is all of it
            raise
        at_first = at_first or box
        if field and field == before:
            return field, size[axis] // 2
        earlier, before = before, field
        size[axis] *= 2
    else:
        if earlier and before:  # as after a resize to so many pixels, whatever there were
            raise ValueError(CHANGES)
    if before:
        return before, input_size[axis]
    if at_first is None:
        raise ValueError(f"model's output does not depend on an input of {tuple(input_size)}")
    first, last = at_first
    return ReceptiveField(last - first + 1, 0, first), input_size[axis]


def _look_at_all(look, size, fields):
    """Return the fields along all axes for one size of input; those that are global stay."""
    return [
        look(size, axis)[0] if field and field.jump else field
        for axis, field in enumerate(fields, 1)
    ]


class _Varies(ValueError):
    """A model does something else for each size of its input."""


class _Subject(NamedTuple):
    """The model that is looked at, and how: `dense` is for `LinearSurrogateMode`."""

    model: nn.Module
    layer: str | None
    pattern: tuple[int, ...]
    dense: bool
    # the number of windows that ran -> the first size of input that it was for
    windows: dict[int, tuple[int, ...]]


def _look(subject, size, axis):
    """Return the field along one axis, or None if it does not fit, and what one output sees."""
    x = torch.ones(1, 1, *size[1:], dtype=torch.float64, requires_grad=True)
    whole = x.expand(1, *size)
    # What a layer keeps for its backward may be written to later: none of it is needed.
    kept = saved_tensors_hooks(_without_graph, _as_it_is) if subject.dense else nullcontext()
    surrogates = LinearSurrogateMode(subject.dense)
    given = whole.clone() if subject.dense else whole
    try:
        with kept, surrogates, followable("cpu"):
            output = current_tensor(output_of(subject.model, given, subject.layer))
    except NoMap:
        raise
    except Exception as error:  # a forward can fail in any way
        raise ValueError(
            f"model does not run on input_size={tuple(size)}, which its field needs: {error}"
        ) from error
    _check_windows(subject.windows, surrogates.windows, tuple(size))
    if output.ndim != x.ndim:  # no map: one output, which has no neighbour
        return None, _box(x, output.sum(), axis)
    period = subject.pattern[axis - 1]
    middle = output.shape[axis + 1] // 2 // period * period
    boxes = _boxes(x, output, axis, range(middle, middle + 2 * period))
    fits = len(boxes) == 2 * period and all(_inside(box, size[axis]) for box in boxes)
    seen = [box for box in boxes if box]
    return _read(boxes, middle, period) if fits and seen else None, seen[0] if seen else None


def _check_windows(windows, count, size):
    """Refuse a model that runs more windows on a larger input: its field has no end."""
    windows.setdefault(count, size)
    if len(windows) > 1:
        (fewer, first), (more, second) = windows.items()
        raise _Varies(
            f"model runs {fewer} convolutions, poolings and resizes on an input of {first}, and "
            f"{more} on one of {second}: its receptive field depends on the size of its input; "
            "use a number of layers that does not"
        )


def _written_to(tensor):
    """Return ones, as `all_ones`, with memory for each of them."""
    return all_ones(tensor).clone(memory_format=torch.contiguous_format)


def _without_graph(tensor):
    with torch._C.DisableTorchFunction():
        return tensor.detach()


def _as_it_is(tensor):
    return tensor


def _boxes(x, output, axis, places):
    """Return what the outputs at `places` along an axis see, up to the first that sees too much."""
    boxes: list[Box | None] = []
    for place in places:
        if place >= output.shape[axis + 1] or (boxes and not _inside(boxes[-1], x.shape[axis + 1])):
            break
        # All outputs beside this one: their gradients add up, and the box is that of any of them.
        boxes.append(_box(x, output.select(axis + 1, place).sum(), axis))
    return boxes


def _box(x, value, axis):
    """Return the first and last pixel along an axis whose gradient is not zero, or None."""
    if not value.requires_grad:
        return None
    try:
        (gradient,) = torch.autograd.grad(value, x, retain_graph=True)
    except RuntimeError as error:
        raise ValueError(f"model has no gradient that PyTorch can compute: {error}") from error
    seen = gradient.movedim(axis + 1, 0).flatten(1).any(1).nonzero().flatten().tolist()
    return (seen[0], seen[-1]) if seen else None


def _inside(box, size):
    """Return whether a box stays clear of the border; one that is empty does."""
    return box is None or (box[0] > 0 and box[1] < size - 1)


def _read(boxes, middle, period):
    """Return the field from the boxes of the outputs from `middle` on: two periods.

    Return None if the two differ, as where the last window ends beyond the border.
    """
    phase = next(phase for phase, box in enumerate(boxes) if box)
    first = boxes[phase][0]
    advance = boxes[phase + period][0] - first
    moved = [box and (box[0] + advance, box[1] + advance) for box in boxes[:period]]
    if moved != boxes[period:]:
        return None
    jump = advance / period if advance % period else advance // period
    size = max(last - first + 1 for first, last in filter(None, boxes))
    return ReceptiveField(size, jump, first - middle // period * advance)
