"""What the elements of a tensor see of the input, and along which of its dimensions.

A map `(N, C, H, W)` has the input's vertical axis in dimension -2 and the horizontal one in -1;
`permute` moves them, and global pooling ends them. Dimensions are counted from the end, as
broadcasting does.
"""

from dataclasses import dataclass, replace
from functools import reduce

from convbook.analysis.extents import PIXELS, Extent
from convbook.arithmetic import ReceptiveField


@dataclass(frozen=True)
class Seen:
    """For each axis of the input: what is seen, and the tensor's dimension along which it changes.

    Where every element sees the same, the extent is fixed and the dimension None.
    """

    shape: tuple
    extents: tuple
    dims: tuple
    input_size: tuple

    @classmethod
    def itself(cls, shape, rank):
        """Return what the input `(N, C, ...)` sees: each pixel sees itself."""
        return cls(tuple(shape), (PIXELS,) * rank, tuple(range(-rank, 0)), tuple(shape[-rank:]))

    @property
    def field(self):
        """The receptive field: ints, or tuples where the axes differ."""
        values = [(extent.size, extent.jump, extent.start) for extent in self.extents]
        if len(set(values)) == 1:
            return ReceptiveField(*values[0])
        return ReceptiveField(*zip(*values, strict=True))

    def positive(self, dim):
        """Return a dimension counted from the front."""
        return dim % max(len(self.shape), 1)

    def negative(self, dim):
        """Return a dimension counted from the end."""
        return self.positive(dim) - len(self.shape)

    def collapse(self, dims=None):
        """Return the tensor with `dims` (all, if left out) mixed: all along them is seen by all."""
        mixed = None if dims is None else {self.negative(dim) for dim in dims}
        extents, kept = list(self.extents), list(self.dims)
        for axis, dim in enumerate(self.dims):
            if dim is not None and (mixed is None or dim in mixed):
                extents[axis] = extents[axis].collapsed(self.shape[dim], self.input_size[axis])
                kept[axis] = None
        return replace(self, extents=tuple(extents), dims=tuple(kept))

    def change(self, changes):
        """Return the tensor with `changes[dim](extent)` made to the extents along each `dim`."""
        extents = [
            changes[dim](extent) if dim in changes else extent
            for extent, dim in zip(self.extents, self.dims, strict=True)
        ]
        return replace(self, extents=tuple(extents))

    def rearranged(self, shape, places):
        """Return the tensor in another shape: dimension `dim` went to `places[dim]`, from the end.

        What has no place any more is mixed.
        """
        lost = [dim for dim in self.dims if dim is not None and dim not in places]
        seen = self.collapse(lost) if lost else self
        dims = tuple(None if dim is None else places[dim] for dim in seen.dims)
        return replace(seen, dims=dims, shape=tuple(shape))

    def reshaped(self, shape):
        """Return the same for a tensor of another shape."""
        return replace(self, shape=tuple(shape))

    def broadcast(self, shape):
        """Return the tensor in a shape it is broadcast to; what is repeated sees the same."""
        shape = tuple(shape)
        fits = range(-min(len(shape), len(self.shape)), 0)
        same = {dim: dim for dim in fits if shape[dim] == self.shape[dim]}
        return self.rearranged(shape, same)


def join(parts, shape):
    """Return what the elements see that are computed from several tensors, by broadcasting."""
    parts = [part.broadcast(shape) for part in parts]
    for axis in range(len(parts[0].dims)):
        places = {part.dims[axis] for part in parts}
        if len(places) > 1:  # fixed beside changing, as in gating, or a map beside its transpose
            lost = [part.dims[axis] for part in parts]
            parts = [
                part if dim is None else part.collapse([dim])
                for part, dim in zip(parts, lost, strict=True)
            ]
    dims = parts[0].dims
    per_axis = zip(*(part.extents for part in parts), strict=True)
    extents = tuple(reduce(Extent.union, extents) for extents in per_axis)
    return Seen(tuple(shape), extents, dims, parts[0].input_size)
