"""What the elements of a tensor see of the input, and along which of its dimensions.

A map `(N, C, H, W)` has the input's vertical axis in dimension -2 and the horizontal one in -1;
`permute` moves them, and global pooling ends them. A reshape may split an axis over dimensions, or
lay both axes into one, and a later one may put them together again: each dimension is therefore
kept as a number with digits. Dimensions are counted from the end, as broadcasting does.
"""

import contextlib
from dataclasses import dataclass, field, replace
from functools import reduce, wraps
from typing import NamedTuple

from convbook.analysis.digits import Digit, dealt, groups, joined, resized, simplest
from convbook.analysis.interval import PIXELS, PeriodicInterval
from convbook.arithmetic import ReceptiveField


class _Spot(NamedTuple):
    """A digit that an axis of the input runs along: its dimension, and its place there."""

    dim: int
    place: int
    digit: Digit


def _also_beside(method):
    """Do to what is seen beside the gates all that is done to what is seen."""

    @wraps(method)
    def both(self, *args):
        result = method(self, *args)
        beside = self.beside and getattr(self.beside, method.__name__)(*args)
        return result if result.beside is beside else replace(result, beside=beside)

    return both


@dataclass(frozen=True)
class Seen:
    """For each axis of the input: what is seen, and the digits along which it changes.

    Where every element sees the same, the interval is fixed and no digit has the axis. `beside` is
    what is seen if the paths through gates, which see the whole input, do not count; None where
    there are none.
    """

    shape: tuple
    intervals: tuple
    layout: tuple
    input_size: tuple
    beside: "Seen | None" = field(default=None)

    @classmethod
    def itself(cls, shape, rank):
        """Return what the input `(N, C, ...)` sees: each pixel sees itself."""
        return cls.placed(shape, (PIXELS,) * rank, range(-rank, 0), tuple(shape[-rank:]))

    @classmethod
    def placed(cls, shape, intervals, dims, input_size):
        """Return what a tensor sees whose axes run along `dims`, each alone; None is along none."""
        axes = {dim: axis for axis, dim in enumerate(dims) if dim is not None}
        layout = tuple((Digit(size, axes.get(i - len(shape)), 1),) for i, size in enumerate(shape))
        return cls(tuple(shape), tuple(intervals), layout, tuple(input_size))

    # ------------------------------------------------------------ questions

    @property
    def field(self):
        """The receptive field: ints, or tuples where the axes differ."""
        values = [
            (interval.size, interval.jump, interval.start) for interval in self.settled().intervals
        ]
        if len(set(values)) == 1:
            return ReceptiveField(*values[0])
        return ReceptiveField(*zip(*values, strict=True))

    @property
    def dims(self):
        """For each axis the dimension that it runs along alone, once settled, or None."""
        seen = self.settled()
        spots = (seen.spots(axis) for axis in range(len(seen.intervals)))
        return tuple(one[0].dim if one else None for one in spots)

    def spots(self, axis):
        """Return where the digits of an axis are, the one that spans most first."""
        found = [
            _Spot(i - len(self.shape), place, digit)
            for i, digits in enumerate(self.layout)
            for place, digit in enumerate(digits)
            if digit.axis == axis
        ]
        return sorted(found, key=lambda spot: -spot.digit.step * spot.digit.size)

    def positive(self, dim):
        """Return a dimension counted from the front."""
        return dim % max(len(self.shape), 1)

    def negative(self, dim):
        """Return a dimension counted from the end."""
        return self.positive(dim) - len(self.shape)

    # ------------------------------------------------------------ the same elements, otherwise

    @_also_beside
    def settled(self):
        """Return the same with each axis alone along one dimension, or mixed where it is not.

        A dimension that holds (blocks, others) sees each block several times; blocks whose pixels
        lie along another dimension see all of them.
        """
        seen = self
        for axis in range(len(self.intervals)):
            spots = seen.spots(axis)
            if spots and (len(spots) > 1 or not _alone(seen.layout[spots[0].dim])):
                seen = seen._settle(axis, spots)
        return seen

    def _settle(self, axis, spots):
        main = spots[0]
        digits = self.layout[main.dim]
        others = {one.axis for one in digits if one.size > 1} - {axis, None}
        if others or main.place or main.digit.size == 1 < len(digits):
            return self._without(axis, spots)
        elsewhere = [spot.digit for spot in spots if spot.dim != main.dim]
        inner = digits[1:]
        period = joined(inner).size

        def taps(output):
            turn, rest = divmod(output, period)
            reads = [turn * main.digit.step]
            for digit in reversed(inner):
                rest, value = divmod(rest, digit.size)
                if digit.axis == axis:
                    reads[0] += value * digit.step
            for digit in elsewhere:
                reads = [read + digit.step * i for read in reads for i in range(digit.size)]
            return reads

        interval = self.intervals[axis].compose(taps, period, main.digit.step)
        seen = self._blank(axis)._with_interval(axis, interval)
        layout = [*seen.layout]
        layout[main.dim] = (Digit(self.shape[main.dim], axis, 1),)
        return replace(seen, layout=tuple(layout))

    def _without(self, axis, spots):
        """Return the tensor with the digits at `spots` mixed."""
        interval, left = self.intervals[axis], len(self.spots(axis)) - len(spots)
        if len(spots) == 1 and not left:
            digit = spots[0].digit
            if digit.step == 1:
                interval = interval.collapsed(digit.size, self.input_size[axis])
                return self._blank(axis)._with_interval(axis, interval)
        for spot in spots:  # all that lies that many steps further on is seen too
            interval = interval.window(spot.digit.size, dilation=spot.digit.step)
        if not left:
            interval = interval.collapsed(1, self.input_size[axis])
        gone = {(spot.dim, spot.place) for spot in spots}
        return self._blank(axis, gone)._with_interval(axis, interval)

    def _blank(self, axis, gone=None):
        """Return the tensor with digits of an axis, all or those at `gone`, without that axis."""
        layout = []
        for i, digits in enumerate(self.layout):
            dim = i - len(self.shape)
            kept = [
                Digit(digit.size)
                if digit.axis == axis and (gone is None or (dim, place) in gone)
                else digit
                for place, digit in enumerate(digits)
            ]
            layout.append(simplest(kept, self.shape[i]))
        return replace(self, layout=tuple(layout), beside=None)

    def _with_interval(self, axis, interval):
        intervals = (*self.intervals[:axis], interval, *self.intervals[axis + 1 :])
        return replace(self, intervals=intervals, beside=None)

    @_also_beside
    def collapse(self, dims=None):
        """Return the tensor with `dims` (all, if left out) mixed: all along them is seen by all."""
        mixed = None if dims is None else {self.negative(dim) for dim in dims}
        seen = self
        for axis in range(len(self.intervals)):
            spots = [spot for spot in seen.spots(axis) if mixed is None or spot.dim in mixed]
            if spots:
                seen = seen._without(axis, spots)
        return seen

    @_also_beside
    def change(self, changes):
        """Return the tensor with `changes[dim](interval)` made to the intervals along each `dim`."""
        if not any(digit.axis is not None for dim in changes for digit in self.layout[dim]):
            return self
        seen = self.settled()
        intervals = [
            changes[dim](interval) if dim in changes else interval
            for interval, dim in zip(seen.intervals, seen.dims, strict=True)
        ]
        return replace(seen, intervals=tuple(intervals), beside=None)

    @_also_beside
    def sliced(self, dim, start, stride, count):
        """Return the tensor with every `stride`-th of the elements along `dim`, from `start`."""
        if (start, stride, count) == (0, 1, self.shape[dim]):
            return self
        seen = self
        if len(self.layout[dim]) > 1 and any(one.axis is not None for one in self.layout[dim]):
            seen = self.settled()
        axis = seen.layout[dim][0].axis if seen.layout[dim] else None
        digit = Digit(count)
        if axis is not None:
            step = seen.layout[dim][0].step
            digit = Digit(count, axis, step * stride)
            interval = seen.intervals[axis].window(1, padding=-start * step)
            seen = seen._with_interval(axis, interval)
        return seen._redealt(dim, (digit,))

    @_also_beside
    def windowed(self, dim, count, stride, size):
        """Return `tensor.unfold(dim, size, stride)`: windows along `dim`, their pixels behind."""
        seen = self if len(self.layout[dim]) == 1 else self.settled()
        _, axis, step = seen.layout[dim][0]
        seen = seen._redealt(dim, (Digit(count, axis, step * stride),))
        shape, layout = (*seen.shape, size), (*seen.layout, (Digit(size, axis, step),))
        return replace(seen, shape=shape, layout=layout, beside=None)

    @_also_beside
    def folded(self, dim, settings, size):
        """Return the windows along `dim`, whose pixels are along `dim - 2`, added up to a map."""
        kernel_size, stride, padding, dilation = settings
        seen = self if len(self.layout[dim]) == 1 else self.settled()
        _, axis, step = seen.layout[dim][0]
        if axis is None:
            return seen._redealt(dim, (Digit(size),))
        pixels = [spot for spot in seen.spots(axis) if spot.dim != dim]
        if pixels and [seen.layout[dim - 2]] != [(spot.digit,) for spot in pixels]:
            return seen.settled().folded(dim, settings, size)
        inner = pixels[0].digit.step if pixels else 0

        def taps(output):  # window i writes to the outputs i*stride - padding + tap*dilation
            starts = ((output + padding - tap * dilation, tap) for tap in range(kernel_size))
            return [
                start // stride * step + tap * inner for start, tap in starts if start % stride == 0
            ]

        interval = seen.intervals[axis].compose(taps, stride, step)
        seen = seen._blank(axis)._with_interval(axis, interval)
        return seen._redealt(dim, (Digit(size, axis, 1),))

    def moving(self, axis, dim, interval):
        """Return the tensor with an axis, which was fixed, along a dimension that had none."""
        seen = self._with_interval(axis, interval)
        return seen._redealt(dim, (Digit(self.shape[dim], axis, 1),))

    @_also_beside
    def scattered(self, sizes, starts, steps):
        """Return what a tensor of those sizes sees whose dimensions run along this one's.

        Dimension `i` of `steps[dim]` `(i, step), ...` runs along `dim`, from `starts[dim]` on.
        """
        seen = self.settled()
        layout = [(Digit(size),) for size in sizes]
        for axis, dim in enumerate(seen.dims):
            if dim is None:
                continue
            interval = seen.intervals[axis].window(1, padding=-starts[dim])
            for i, step in steps.get(dim, ()):
                layout[i] = (Digit(sizes[i], axis, step),)
            if dim not in steps:
                interval = interval.collapsed(1, seen.input_size[axis])
            seen = seen._with_interval(axis, interval)
        return replace(seen, shape=tuple(sizes), layout=tuple(layout), beside=None)

    def _redealt(self, dim, digits):
        """Return the tensor with other digits along `dim`."""
        layout, shape = [*self.layout], [*self.shape]
        layout[dim], shape[dim] = digits, joined(digits).size
        return replace(self, layout=tuple(layout), shape=tuple(shape), beside=None)

    @_also_beside
    def viewed(self, shape):
        """Return the tensor in another shape with the same elements in the same order."""
        shape = tuple(shape)
        pairs = groups(self.shape, shape)
        apart = [old for old, new in pairs if not self._splits(old, [shape[dim] for dim in new])]
        # Digits that do not split there may do so once they are one.
        seen = self.settled() if apart else self
        apart = [old for old, new in pairs if not seen._splits(old, [shape[dim] for dim in new])]
        kept = {dim for old, _ in pairs if old not in apart for dim in old}
        mixed = set(range(-len(self.shape), 0)) - kept
        seen = seen.collapse(mixed)
        layout = [(Digit(size),) for size in shape]
        for old, new in pairs:
            digits = [digit for dim in old for digit in seen.layout[dim]]
            if mixed.intersection(old):
                digits = [Digit(joined(digits).size)]
            if (parts := dealt(digits, [shape[dim] for dim in new])) is not None:
                for dim, part in zip(new, parts, strict=True):
                    layout[dim] = part
        seen = replace(seen, shape=shape, layout=tuple(layout), beside=None)
        for axis, interval in enumerate(seen.intervals):
            if not (interval.fixed or seen.spots(axis)):  # one pixel, laid in with others
                seen = seen._with_interval(axis, interval.collapsed(1, seen.input_size[axis]))
        return seen

    def _splits(self, dims, sizes):
        """Return whether the digits of some dimensions can be dealt out to others."""
        return dealt([digit for dim in dims for digit in self.layout[dim]], sizes) is not None

    @_also_beside
    def rearranged(self, shape, places):
        """Return the tensor in another shape: dimension `dim` went to `places[dim]`, from the end.

        What has no place any more is mixed.
        """
        seen = self.collapse(set(range(-len(self.shape), 0)) - set(places))
        layout = [(Digit(size),) for size in shape]
        for dim, place in places.items():
            layout[place] = resized(seen.layout[dim], shape[place])
        return replace(seen, layout=tuple(layout), shape=tuple(shape), beside=None)

    @_also_beside
    def reshaped(self, shape):
        """Return the same for a tensor whose dimensions have other sizes."""
        if len(shape) != len(self.shape):
            return self.collapse().rearranged(shape, {})
        fits = zip(self.layout, self.shape, shape, strict=True)
        whole = all(size == before or len(digits) == 1 for digits, before, size in fits)
        seen = self if whole else self.settled()
        sizes = zip(seen.layout, shape, strict=True)
        layout = tuple(resized(digits, size) for digits, size in sizes)
        return replace(seen, shape=tuple(shape), layout=layout, beside=None)

    def broadcast(self, shape):
        """Return the tensor in a shape it is broadcast to; what is repeated sees the same."""
        shape = tuple(shape)
        fits = range(-min(len(shape), len(self.shape)), 0)
        same = {dim: dim for dim in fits if shape[dim] == self.shape[dim]}
        return self.rearranged(shape, same)


def _alone(digits):
    """Return whether a dimension's first digit is its only one, and counts by one."""
    return len(digits) == 1 and digits[0].step == 1


def join(parts, shape):
    """Return what the elements see that are computed from several tensors, by broadcasting."""
    parts = [part.broadcast(shape) for part in parts]
    whole = _union(parts)
    local = [part.beside or part for part in parts]
    # What sees the same everywhere is a gate to what does not.
    local = [part for part in local if any(map(part.spots, range(len(part.intervals))))] or local
    with contextlib.suppress(ValueError):  # paths that nothing but the gate has in common
        beside = _union(local, gates=False)
        return whole if beside == whole else replace(whole, beside=beside)
    return whole


def _union(parts, gates=True):
    """Return what is seen through any of the parts, or any that is no gate."""
    if all(part.layout == parts[0].layout for part in parts):
        per_axis = zip(*(part.intervals for part in parts), strict=True)
        intervals = tuple(reduce(PeriodicInterval.union, intervals) for intervals in per_axis)
        return replace(parts[0], intervals=intervals, beside=None)
    parts = [replace(part, beside=None).settled() for part in parts]
    axes = range(len(parts[0].intervals))
    intervals, dims = zip(*(_along(axis, parts, gates) for axis in axes), strict=True)
    return Seen.placed(parts[0].shape, intervals, dims, parts[0].input_size)


def _along(axis, parts, gates):
    """Return the union along one axis, and the dimension it runs along: None if it is mixed."""
    moving = [part for part in parts if part.spots(axis)]
    dims = {part.spots(axis)[0].dim for part in moving}
    chosen = moving if moving and not gates else parts
    if len(dims) == 1 and len(chosen) == len(moving):
        return reduce(PeriodicInterval.union, (part.intervals[axis] for part in chosen)), dims.pop()
    # Fixed beside changing, as in gating, or a map beside its transpose.
    fixed = (part._without(axis, spots) if (spots := part.spots(axis)) else part for part in chosen)
    return reduce(PeriodicInterval.union, (part.intervals[axis] for part in fixed)), None
