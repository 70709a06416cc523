"""What the elements of a tensor see of the input, and along which of its dimensions.

A map `(N, C, H, W)` has the input's vertical axis in dimension -2 and the horizontal one in -1;
`permute` moves them, and global pooling ends them. A reshape may split an axis over dimensions, or
lay both axes into one, and a later one may put them together again: each dimension is therefore
kept as a mixed-radix number. Dimensions are counted from the end, as broadcasting does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce, wraps
from typing import Concatenate, NamedTuple, ParamSpec

from convbook.analysis.axis_factors import (
    Factor,
    Factors,
    count_of,
    matching_dims,
    merge,
    regroup,
    resize,
)
from convbook.analysis.interval import PIXELS, PeriodicInterval
from convbook.arithmetic import ReceptiveField

Shape = Sequence[int]
Change = Callable[[PeriodicInterval], PeriodicInterval]
P = ParamSpec("P")
Method = Callable[Concatenate["TensorField", P], "TensorField"]


class _Spot(NamedTuple):
    """A factor that an axis of the input runs along: its dimension, and its place there."""

    dim: int
    place: int
    factor: Factor


def _also_ungated(method: Method[P]) -> Method[P]:
    """Do to what is seen without the gates all that is done to what is seen."""

    @wraps(method)
    def both(self: TensorField, *args: P.args, **kwargs: P.kwargs) -> TensorField:
        result = method(self, *args, **kwargs)
        ungated = self.ungated and both(self.ungated, *args, **kwargs)
        return result if result.ungated is ungated else replace(result, ungated=ungated)

    return both


@dataclass(frozen=True)
class TensorField:
    """For each axis of the input: what is seen, and the factors along which it changes.

    Where every element sees the same, the interval is fixed and no factor has the axis. `ungated`
    is what is seen if the paths through gates, which see the whole input, do not count; None where
    there are none.
    """

    shape: tuple[int, ...]
    intervals: tuple[PeriodicInterval, ...]
    layout: tuple[Factors, ...]
    input_size: tuple[int, ...]
    ungated: TensorField | None = None

    @classmethod
    def of_input(cls, shape: Shape, rank: int) -> TensorField:
        """Return what the input `(N, C, ...)` sees: each pixel sees itself."""
        return cls.placed(shape, (PIXELS,) * rank, range(-rank, 0), tuple(shape[-rank:]))

    @classmethod
    def placed(
        cls,
        shape: Shape,
        intervals: Iterable[PeriodicInterval],
        dims: Iterable[int | None],
        input_size: Shape,
    ) -> TensorField:
        """Return what a tensor sees whose axes run along `dims`, each alone; None is along none."""
        axes = {dim: axis for axis, dim in enumerate(dims) if dim is not None}
        layout = tuple((Factor(size, axes.get(i - len(shape)), 1),) for i, size in enumerate(shape))
        return cls(tuple(shape), tuple(intervals), layout, tuple(input_size))

    # ------------------------------------------------------------ questions

    @property
    def receptive_field(self) -> ReceptiveField:
        """The receptive field: ints, or tuples where the axes differ."""
        values = [(one.size, one.jump, one.start) for one in self.settled().intervals]
        same = len(set(values)) == 1
        return ReceptiveField(*(values[0] if same else zip(*values, strict=True)))

    @property
    def dims(self) -> tuple[int | None, ...]:
        """For each axis the dimension that it runs along alone, once settled, or None."""
        seen = self.settled()
        spots = (seen.spots(axis) for axis in range(len(seen.intervals)))
        return tuple(one[0].dim if one else None for one in spots)

    def spots(self, axis: int) -> list[_Spot]:
        """Return where the factors of an axis are, the one that spans most first."""
        found = [
            _Spot(i - len(self.shape), place, factor)
            for i, factors in enumerate(self.layout)
            for place, factor in enumerate(factors)
            if factor.axis == axis
        ]
        return sorted(found, key=lambda spot: -spot.factor.step * spot.factor.size)

    def positive(self, dim: int) -> int:
        """Return a dimension counted from the front."""
        return dim % max(len(self.shape), 1)

    def negative(self, dim: int) -> int:
        """Return a dimension counted from the end."""
        return self.positive(dim) - len(self.shape)

    # ------------------------------------------------------------ the same elements, otherwise

    @_also_ungated
    def settled(self) -> TensorField:
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
        factors = self.layout[main.dim]
        others = {one.axis for one in factors if one.size > 1} - {axis, None}
        if others or main.place or main.factor.size == 1 < len(factors):
            return self._without(axis, spots)
        elsewhere = [spot.factor for spot in spots if spot.dim != main.dim]
        inner = factors[1:]
        period = count_of(inner)

        def taps(output: int) -> list[int]:
            turn, rest = divmod(output, period)
            reads = [turn * main.factor.step]
            for factor in reversed(inner):
                rest, value = divmod(rest, factor.size)
                if factor.axis == axis:
                    reads[0] += value * factor.step
            for factor in elsewhere:
                reads = [read + factor.step * i for read in reads for i in range(factor.size)]
            return reads

        interval = self.intervals[axis].compose(taps, period, main.factor.step)
        seen = self._blank(axis)._with_interval(axis, interval)
        return seen._with_factors(main.dim, (Factor(self.shape[main.dim], axis),))

    def _without(self, axis, spots):
        """Return the tensor with the factors at `spots` mixed."""
        interval, left = self.intervals[axis], len(self.spots(axis)) - len(spots)
        for spot in spots:  # all that lies that many steps further on is seen too
            interval = interval.window(spot.factor.size, dilation=spot.factor.step)
        if not left:
            interval = interval.collapsed(1, self.input_size[axis])
        gone = {(spot.dim, spot.place) for spot in spots}
        return self._blank(axis, gone)._with_interval(axis, interval)

    def _blank(self, axis, gone=None):
        """Return the tensor with factors of an axis, all or those at `gone`, without that axis."""
        layout = []
        for dim, factors in enumerate(self.layout, -len(self.shape)):
            kept = [
                Factor(factor.size)
                if factor.axis == axis and (gone is None or (dim, place) in gone)
                else factor
                for place, factor in enumerate(factors)
            ]
            layout.append(merge(kept, self.shape[dim]))
        return self._with(layout=layout)

    def _with(self, **changes):
        """Return the tensor with other values, but for what is seen without the gates."""
        values = {name: tuple(value) for name, value in changes.items()}
        return replace(self, ungated=None, **values)

    def _with_interval(self, axis, interval):
        return self._with(intervals=(*self.intervals[:axis], interval, *self.intervals[axis + 1 :]))

    def _with_factors(self, dim, factors):
        """Return the tensor with other factors along `dim`."""
        layout, shape = [*self.layout], [*self.shape]
        layout[dim], shape[dim] = factors, count_of(factors)
        return self._with(layout=layout, shape=shape)

    @_also_ungated
    def collapse(self, dims: Iterable[int] | None = None) -> TensorField:
        """Return the tensor with `dims` (all, if left out) mixed: all along them is seen by all."""
        mixed = None if dims is None else {self.negative(dim) for dim in dims}
        seen = self
        for axis in range(len(self.intervals)):
            spots = [spot for spot in seen.spots(axis) if mixed is None or spot.dim in mixed]
            if spots:
                seen = seen._without(axis, spots)
        return seen

    @_also_ungated
    def change(self, changes: Mapping[int, Change]) -> TensorField:
        """Return the tensor with `changes[dim]` made to the interval along each `dim`."""
        if not any(map(self._has_axis, changes)):
            return self
        seen = self.settled()
        for axis, dim in enumerate(seen.dims):
            if dim is not None and dim in changes:
                seen = seen._with_interval(axis, changes[dim](seen.intervals[axis]))
        return seen

    def _has_axis(self, dim):
        """Return whether an axis of the input runs along a dimension."""
        return any(factor.axis is not None for factor in self.layout[dim])

    def _single(self, dim):
        """Return the tensor with one factor along `dim`, settled if there are several."""
        return self if len(self.layout[dim]) == 1 else self.settled()

    @_also_ungated
    def sliced(self, dim: int, start: int, stride: int, count: int) -> TensorField:
        """Return the tensor with every `stride`-th of the elements along `dim`, from `start`."""
        if (start, stride, count) == (0, 1, self.shape[dim]):
            return self
        seen = self._single(dim) if self._has_axis(dim) else self
        _, axis, step = seen.layout[dim][0]
        if axis is None:
            return seen._with_factors(dim, (Factor(count),))
        interval = seen.intervals[axis].window(1, padding=-start * step)
        seen = seen._with_interval(axis, interval)
        return seen._with_factors(dim, (Factor(count, axis, step * stride),))

    @_also_ungated
    def windowed(self, dim: int, count: int, stride: int, size: int) -> TensorField:
        """Return `tensor.unfold(dim, size, stride)`: windows along `dim`, their pixels behind."""
        seen = self._single(dim)
        _, axis, step = seen.layout[dim][0]
        seen = seen._with_factors(dim, (Factor(count, axis, step * stride),))
        layout = (*seen.layout, (Factor(size, axis, step),))
        return seen._with(shape=(*seen.shape, size), layout=layout)

    @_also_ungated
    def folded(self, dim: int, settings: tuple[int, int, int, int], size: int) -> TensorField:
        """Return the windows along `dim`, whose pixels are along `dim - 2`, added up to a map."""
        kernel_size, stride, padding, dilation = settings
        seen = self._single(dim)
        _, axis, step = seen.layout[dim][0]
        if axis is None:
            return seen._with_factors(dim, (Factor(size),))
        pixels = [spot for spot in seen.spots(axis) if spot.dim != dim]
        if pixels and [seen.layout[dim - 2]] != [(spot.factor,) for spot in pixels]:
            return seen.settled().folded(dim, settings, size)
        inner = pixels[0].factor.step if pixels else 0

        def taps(output: int) -> list[int]:  # window i writes to i*stride - padding + tap*dilation
            starts = ((output + padding - tap * dilation, tap) for tap in range(kernel_size))
            return [
                start // stride * step + tap * inner for start, tap in starts if start % stride == 0
            ]

        interval = seen.intervals[axis].compose(taps, stride, step)
        seen = seen._blank(axis)._with_interval(axis, interval)
        return seen._with_factors(dim, (Factor(size, axis),))

    def moving(self, axis: int, dim: int, interval: PeriodicInterval) -> TensorField:
        """Return the tensor with an axis, which was fixed, along a dimension that had none."""
        seen = self._with_interval(axis, interval)
        return seen._with_factors(dim, (Factor(self.shape[dim], axis),))

    @_also_ungated
    def scattered(
        self,
        sizes: Shape,
        starts: Mapping[int, int],
        steps: Mapping[int | None, Iterable[tuple[int, int]]],
    ) -> TensorField:
        """Return what a tensor of those sizes sees whose dimensions run along this one's.

        Dimension `i` of `steps[dim]` `(i, step), ...` runs along `dim`, from `starts[dim]` on.
        """
        seen = self.settled()
        layout = [(Factor(size),) for size in sizes]
        for axis, dim in enumerate(seen.dims):
            if dim is None:
                continue
            interval = seen.intervals[axis].window(1, padding=-starts[dim])
            for i, step in steps.get(dim, ()):
                layout[i] = (Factor(sizes[i], axis, step),)
            if dim not in steps:
                interval = interval.collapsed(1, seen.input_size[axis])
            seen = seen._with_interval(axis, interval)
        return seen._with(shape=sizes, layout=layout)

    @_also_ungated
    def viewed(self, shape: Shape) -> TensorField:
        """Return the tensor in another shape with the same elements in the same order."""
        pairs = matching_dims(self.shape, shape)

        def regrouped(seen, old, new):
            factors = [factor for dim in old for factor in seen.layout[dim]]
            return regroup(factors, [shape[dim] for dim in new])

        # Factors that do not split there may do so once they are one.
        fits = all(regrouped(self, *pair) is not None for pair in pairs)
        seen = self if fits else self.settled()
        kept = [pair for pair in pairs if regrouped(seen, *pair) is not None]
        seen = seen._without_dims(dim for old, _ in kept for dim in old)
        layout: list[Factors] = [(Factor(size),) for size in shape]
        for old, new in kept:
            for dim, factors in zip(new, regrouped(seen, old, new), strict=True):
                layout[dim] = factors
        seen = seen._with(shape=shape, layout=layout)
        for axis, interval in enumerate(seen.intervals):
            if not (interval.fixed or seen.spots(axis)):  # one pixel, laid in with others
                seen = seen._with_interval(axis, interval.collapsed(1, seen.input_size[axis]))
        return seen

    def _without_dims(self, kept):
        """Return the tensor with all dimensions mixed but those that are kept."""
        return self.collapse(set(range(-len(self.shape), 0)) - {*kept})

    @_also_ungated
    def rearranged(self, shape: Shape, places: Mapping[int, int]) -> TensorField:
        """Return the tensor in another shape: dimension `dim` went to `places[dim]`, from the end.

        What has no place any more is mixed.
        """
        seen = self._without_dims(places)
        layout: list[Factors] = [(Factor(size),) for size in shape]
        for dim, place in places.items():
            layout[place] = resize(seen.layout[dim], shape[place])
        return seen._with(shape=shape, layout=layout)

    @_also_ungated
    def reshaped(self, shape: Shape) -> TensorField:
        """Return the same for a tensor whose dimensions have other sizes."""
        if len(shape) != len(self.shape):
            return self.collapse().rearranged(shape, {})
        fits = zip(self.layout, self.shape, shape, strict=True)
        whole = all(size == before or len(factors) == 1 for factors, before, size in fits)
        seen = self if whole else self.settled()
        sizes = zip(seen.layout, shape, strict=True)
        return seen._with(shape=shape, layout=[resize(*one) for one in sizes])

    def broadcast(self, shape: Shape) -> TensorField:
        """Return the tensor in a shape it is broadcast to; what is repeated sees the same."""
        fits = range(-min(len(shape), len(self.shape)), 0)
        same = {dim: dim for dim in fits if shape[dim] == self.shape[dim]}
        return self.rearranged(shape, same)


def _alone(factors):
    """Return whether a dimension's first factor is its only one, and counts by one."""
    return len(factors) == 1 and factors[0].step == 1


def join(parts: Collection[TensorField], shape: Shape) -> TensorField:
    """Return what the elements see that are computed from several tensors, by broadcasting."""
    parts = [part.broadcast(shape) for part in parts]
    whole = _union(parts)
    local = [part.ungated or part for part in parts]
    # What sees the same everywhere is a gate to what does not.
    local = [part for part in local if any(map(part.spots, range(len(part.intervals))))] or local
    with contextlib.suppress(ValueError):  # paths that nothing but the gate has in common
        ungated = _union(local, gates=False)
        return whole if ungated == whole else replace(whole, ungated=ungated)
    return whole


def _union(parts, gates=True):
    """Return what is seen through any of the parts, or any that is no gate."""
    if all(part.layout == parts[0].layout for part in parts):
        per_axis = zip(*(part.intervals for part in parts), strict=True)
        return parts[0]._with(intervals=[reduce(PeriodicInterval.union, one) for one in per_axis])
    parts = [part._with().settled() for part in parts]
    axes = range(len(parts[0].intervals))
    intervals, dims = zip(*(_along(axis, parts, gates) for axis in axes), strict=True)
    return TensorField.placed(parts[0].shape, intervals, dims, parts[0].input_size)


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
