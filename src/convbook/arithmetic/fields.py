"""The receptive field of a stack of layers, by recurrence."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from convbook._checks.arguments import Ints, Padding, common_rank
from convbook.arithmetic.sizes import padding_sides, windows


@dataclass(frozen=True)
class Layer:
    """A convolution or pooling layer, as far as its receptive field is concerned.

    Args:
        kernel_size: taps, at least 1.
        stride: pixels from one window to the next, at least 1.
        padding: pixels added on each side, at least 0, or `'same'` or `'valid'`.
        dilation: pixels from one tap to the next, at least 1.

    Example:
        >>> Layer(3, stride=2, padding=1)
        Layer(kernel_size=3, stride=2, padding=1, dilation=1)

    Source: Araujo, Norris and Sim, Computing Receptive Fields, Distill 2019.
    """

    kernel_size: Ints
    stride: Ints = 1
    padding: Padding = 0
    dilation: Ints = 1

    def __post_init__(self) -> None:
        """Refuse at once what no convolution takes."""
        self.axes()

    @property
    def rank(self) -> int | None:
        """The number of axes the values speak of, or None when all are single numbers."""
        return common_rank(self.kernel_size, self.stride, self.padding, self.dilation)

    def axes(self, rank: int | None = None) -> list[tuple[int, int, int, int]]:
        """Return (kernel, stride, padding before, dilation) for each axis."""
        rank = rank or self.rank or 1
        kernels, strides, dilations = windows(self.kernel_size, self.stride, self.dilation, rank)
        sides = padding_sides(self.padding, kernels, strides, dilations)
        befores = [before for before, _ in sides]
        return list(zip(kernels, strides, befores, dilations, strict=True))


class ReceptiveField(NamedTuple):
    """Which pixels the outputs of a layer see: ints, or tuples with one int per axis.

    Args:
        size: how many input pixels an output sees, end to end.
        jump: input pixels from what one output sees to what the next sees, the effective stride.
        start: index of the first input pixel that output 0 sees, negative inside the padding.

    Example:
        >>> receptive_field([Layer(3, padding=1)])[0]
        ReceptiveField(size=3, jump=1, start=-1)

    Source: Araujo, Norris and Sim, Computing Receptive Fields, Distill 2019.
    """

    size: int | tuple[int, ...]
    jump: int | tuple[int, ...]
    start: int | tuple[int, ...]


def receptive_field(layers: Iterable[Layer]) -> list[ReceptiveField]:
    """Return the receptive field after each layer of a stack, first layer first.

    A layer widens the field by its reach, measured in steps of the layer below; its own stride
    only counts for the layers above it.

    Shapes:
        One `ReceptiveField(size, jump, start)` per layer, in input pixels: ints, or tuples with
        one int per axis as soon as one layer has a tuple.

    Args:
        layers: in the order in which the input meets them.

    Raises:
        ValueError: two layers differ in their number of axes.

    Example:
        >>> for field in receptive_field([Layer(3, stride=2, padding=1), Layer(3, padding=1)]):
        ...     print(field)
        ReceptiveField(size=3, jump=2, start=-1)
        ReceptiveField(size=7, jump=2, start=-3)

    Source: Araujo, Norris and Sim, Computing Receptive Fields, Distill 2019.
    """
    layers = list(layers)
    for layer in layers:
        if not isinstance(layer, Layer):
            raise TypeError(f"layers holds {layer!r}; use Layer(kernel_size, stride, ...)")
    rank = max((layer.rank for layer in layers if layer.rank), default=None)
    per_layer = [layer.axes(rank) for layer in layers]
    axes = [_receptive_field(axis) for axis in zip(*per_layer, strict=True)]
    if rank is None:
        return axes[0] if axes else []
    # From one list per axis to one field per layer.
    return [ReceptiveField(*zip(*fields, strict=True)) for fields in zip(*axes, strict=True)]


def _receptive_field(axis: Iterable[tuple[int, int, int, int]]) -> list[ReceptiveField]:
    """Return the receptive fields along one axis: the recurrence itself."""
    size, jump, start = 1, 1, 0  # before any layer, a pixel sees itself
    fields = []
    for kernel_size, stride, before, dilation in axis:
        size += dilation * (kernel_size - 1) * jump
        start -= before * jump
        jump *= stride
        fields.append(ReceptiveField(size, jump, start))
    return fields
