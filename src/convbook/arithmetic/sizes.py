"""Sizes, padding, costs and receptive fields: the arithmetic of convolution in plain integers.

Arguments mean what they mean in PyTorch. Each takes an int, or a tuple with one int per axis; ints
all round give an int, and one tuple is enough to make the answer a tuple. Importing this module
does not import torch.
"""

from dataclasses import dataclass
from math import gcd, prod
from typing import NamedTuple

from convbook.arguments import common_rank, integer, padding_mode, per_axis

__all__ = [
    "Layer",
    "ReceptiveField",
    "conv_macs",
    "conv_output_size",
    "conv_params",
    "conv_transpose_output_size",
    "receptive_field",
    "same_padding",
]


def conv_output_size(input_size, kernel_size, stride=1, padding=0, dilation=1):
    """Return the size of a convolution's output, also that of pooling and `unfold`.

    The first window starts at the padded border; a further one fits for every `stride` pixels that
    are left. What is left over at the far end is dropped: `10, kernel_size=3, stride=2` gives 4.

    Shapes:
        `(input_size + 2*padding - dilation*(kernel_size - 1) - 1) // stride + 1`, on each axis.

    Args:
        input_size: pixels, at least 0.
        kernel_size: taps, at least 1.
        stride: pixels from one window to the next, at least 1.
        padding: pixels added on each side, at least 0; `'valid'` is 0, and `'same'` is what
            `same_padding` says (stride 1 only).
        dilation: pixels from one tap to the next, at least 1.

    Raises:
        ValueError: a value is out of range, or the kernel is larger than the padded input.
        TypeError: a value is not an integer.

    Example:
        >>> conv_output_size(5, 3, stride=2, padding=1)
        3
        >>> conv_output_size((5, 7), 3, padding=(0, 1))
        (3, 7)

    Source: Dumoulin and Visin, arXiv 1603.07285, relationship 6, with dilation from section 5.1.
    """
    rank = common_rank(input_size, kernel_size, stride, padding, dilation)
    sizes = per_axis(input_size, rank or 1, "input_size", 0)
    kernels, strides, dilations = windows(kernel_size, stride, dilation, rank or 1)
    sides = padding_sides(padding, kernels, strides, dilations)
    outputs = tuple(map(_windows_that_fit, sizes, kernels, strides, sides, dilations))
    return outputs if rank else outputs[0]


def conv_transpose_output_size(
    input_size, kernel_size, stride=1, padding=0, output_padding=0, dilation=1
):
    """Return the size of a transposed convolution's output.

    It is an input size from which `conv_output_size` leads back to `input_size`: the smallest one,
    plus `output_padding`.

    Shapes:
        `(input_size - 1)*stride - 2*padding + dilation*(kernel_size - 1) + output_padding + 1`,
        on each axis.

    Args:
        input_size: pixels, at least 0.
        kernel_size: taps, at least 1.
        stride: output pixels from one window to the next, at least 1.
        padding: output pixels cropped on each side, at least 0.
        output_padding: pixels cropped less at the far end, from 0 to `max(stride, dilation) - 1`.
        dilation: output pixels from one tap to the next, at least 1.

    Raises:
        ValueError: a value is out of range, or no pixel is left after cropping.
        TypeError: a value is not an integer.

    Example:
        >>> conv_transpose_output_size(3, 3, stride=2, padding=1)
        5
        >>> conv_transpose_output_size(3, 3, stride=2, padding=1, output_padding=(0, 1))
        (5, 6)

    Source: Dumoulin and Visin, arXiv 1603.07285, relationship 14, with dilation.
    """
    rank = common_rank(input_size, kernel_size, stride, padding, output_padding, dilation)
    sizes = per_axis(input_size, rank or 1, "input_size", 0)
    axes = zip(*windows(kernel_size, stride, dilation, rank or 1), strict=True)
    paddings = per_axis(padding, rank or 1, "padding", 0)
    extras = per_axis(output_padding, rank or 1, "output_padding", 0)
    outputs = tuple(map(_size_after_cropping, sizes, axes, paddings, extras))
    return outputs if rank else outputs[0]


def same_padding(kernel_size, dilation=1):
    """Return the padding (before, after) that keeps the size at stride 1.

    An even span has no middle: the odd pixel goes after, as in PyTorch's `padding='same'`.

    Shapes:
        `before + after == dilation*(kernel_size - 1)`; one pair per axis for a tuple.

    Args:
        kernel_size: taps, at least 1.
        dilation: pixels from one tap to the next, at least 1.

    Raises:
        ValueError: a value is out of range.
        TypeError: a value is not an integer.

    Example:
        >>> same_padding(3), same_padding(4), same_padding(4, dilation=2)
        ((1, 1), (1, 2), (3, 3))
        >>> same_padding((3, 4))
        ((1, 1), (1, 2))

    Source: PyTorch, `torch.nn.functional.conv2d`, which pads floor(d(k-1)/2) before.
    """
    rank = common_rank(kernel_size, dilation)
    kernels, _, dilations = windows(kernel_size, 1, dilation, rank or 1)
    totals = [span(kernel, gap) - 1 for kernel, gap in zip(kernels, dilations, strict=True)]
    sides = tuple((total // 2, total - total // 2) for total in totals)
    return sides if rank else sides[0]


def conv_params(in_channels, out_channels, kernel_size, groups=1, bias=True):
    """Return how many numbers a convolution learns: the weights of its filters, and the biases.

    A filter reads the `in_channels / groups` channels of its group and has one bias.

    Shapes:
        `out_channels * (in_channels/groups * k_h * k_w + 1)`; without `bias`, no `+ 1`.

    Args:
        in_channels: at least 1.
        out_channels: how many filters, at least 1.
        kernel_size: taps, at least 1; an int is a square kernel.
        groups: how many groups the channels are shared out to; divides both channel numbers.
        bias: whether each filter has one.

    Raises:
        ValueError: a value is out of range, or `groups` does not divide a channel number.
        TypeError: a value is not an integer.

    Example:
        >>> conv_params(16, 32, 3), conv_params(16, 32, 3, bias=False)
        (4640, 4608)
        >>> conv_params(16, 16, 3, groups=16, bias=False) + conv_params(16, 32, 1, bias=False)
        656

    Source: PyTorch, `torch.nn.Conv2d`, shapes of weight and bias.
    """
    filters, weights = _filters(in_channels, out_channels, groups)
    taps = per_axis(kernel_size, common_rank(kernel_size) or 2, "kernel_size", 1)
    return filters * (weights * prod(taps) + bool(bias))


def conv_macs(in_channels, out_channels, kernel_size, output_size, groups=1):
    """Return the multiply-adds (MACs) of a convolution for one image: each weight at each output.

    Taps in the padding count like any other; the addition of a bias does not count.

    Shapes:
        `H_out * W_out * out_channels * in_channels/groups * k_h * k_w`.

    Args:
        in_channels: at least 1.
        out_channels: how many filters, at least 1.
        kernel_size: taps, at least 1; an int is a square kernel.
        output_size: pixels of the map that comes out, at least 0; an int is a square map.
        groups: how many groups the channels are shared out to; divides both channel numbers.

    Raises:
        ValueError: a value is out of range, or `groups` does not divide a channel number.
        TypeError: a value is not an integer.

    Example:
        >>> conv_macs(16, 32, 3, output_size=10)
        460800
        >>> conv_macs(16, 32, (3, 1), output_size=(10, 5), groups=2)
        38400

    Source: Howard et al., MobileNets, arXiv 1704.04861, section 3.1 (mult-adds).
    """
    filters, weights = _filters(in_channels, out_channels, groups)
    rank = common_rank(kernel_size, output_size) or 2
    taps = per_axis(kernel_size, rank, "kernel_size", 1)
    outputs = per_axis(output_size, rank, "output_size", 0)
    return prod(outputs) * filters * weights * prod(taps)


@dataclass(frozen=True)
class Layer:
    """A convolution or pooling layer, as far as its receptive field is concerned.

    Shapes:
        Each value is an int, or a tuple with one int per axis.

    Args:
        kernel_size: taps, at least 1.
        stride: pixels from one window to the next, at least 1.
        padding: pixels added on each side, at least 0, or `'same'` or `'valid'`.
        dilation: pixels from one tap to the next, at least 1.

    Raises:
        ValueError: a value is out of range.
        TypeError: a value is not an integer.

    Example:
        >>> Layer(3, stride=2, padding=1)
        Layer(kernel_size=3, stride=2, padding=1, dilation=1)

    Source: Araujo, Norris and Sim, Computing Receptive Fields, Distill 2019.
    """

    kernel_size: int | tuple[int, ...]
    stride: int | tuple[int, ...] = 1
    padding: int | tuple[int, ...] | str = 0
    dilation: int | tuple[int, ...] = 1

    def __post_init__(self):
        """Refuse at once what no convolution takes."""
        self.axes()

    @property
    def rank(self):
        """The number of axes the values speak of, or None when all are single numbers."""
        return common_rank(self.kernel_size, self.stride, self.padding, self.dilation)

    def axes(self, rank=None):
        """Return (kernel, stride, padding before, dilation) for each axis."""
        rank = rank or self.rank or 1
        kernels, strides, dilations = windows(self.kernel_size, self.stride, self.dilation, rank)
        sides = padding_sides(self.padding, kernels, strides, dilations)
        befores = [before for before, _ in sides]
        return list(zip(kernels, strides, befores, dilations, strict=True))


class ReceptiveField(NamedTuple):
    """Which pixels the outputs of a layer see.

    Shapes:
        Each value is an int, or a tuple with one int per axis.

    Args:
        size: how many input pixels an output sees, end to end.
        jump: input pixels from what one output sees to what the next one sees.
        start: index of the first input pixel that output 0 sees, negative inside the padding.

    Raises:
        TypeError: a value is missing.

    Example:
        >>> receptive_field([Layer(3, padding=1)])[0]
        ReceptiveField(size=3, jump=1, start=-1)

    Source: Araujo, Norris and Sim, Computing Receptive Fields, Distill 2019.
    """

    size: int | tuple[int, ...]
    jump: int | tuple[int, ...]
    start: int | tuple[int, ...]


def receptive_field(layers):
    """Return the receptive field after each layer of a stack, first layer first.

    A layer widens the field by its reach, measured in steps of the layer below; its own stride
    only counts for the layers above it.

    Shapes:
        One `ReceptiveField(size, jump, start)` per layer, in input pixels: ints, or tuples with
        one int per axis as soon as one layer has a tuple.

    Args:
        layers: objects of class `Layer`, in the order in which the input meets them.

    Raises:
        ValueError: two layers differ in their number of axes.
        TypeError: something is not a `Layer`.

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


def _filters(in_channels, out_channels, groups):
    """Return how many filters there are and how many channels each reads, all checked."""
    inputs = integer(in_channels, "in_channels", 1)
    outputs = integer(out_channels, "out_channels", 1)
    groups = integer(groups, "groups", 1)
    if inputs % groups or outputs % groups:
        common = gcd(inputs, outputs)
        fewer = max(n for n in range(1, min(groups, common) + 1) if common % n == 0)
        raise ValueError(
            f"groups={groups} must divide in_channels={inputs} and out_channels={outputs}; "
            f"use groups={fewer}, or channel numbers that are multiples of {groups}"
        )
    return outputs, inputs // groups


def _receptive_field(axis):
    """Return the receptive fields along one axis: the recurrence itself."""
    size, jump, start = 1, 1, 0  # before any layer, a pixel sees itself
    fields = []
    for kernel_size, stride, before, dilation in axis:
        size += dilation * (kernel_size - 1) * jump
        start -= before * jump
        jump *= stride
        fields.append(ReceptiveField(size, jump, start))
    return fields


def span(kernel_size, dilation):
    """Return how many pixels a window covers, its holes included."""
    return dilation * (kernel_size - 1) + 1


def windows(kernel_size, stride, dilation, rank):
    """Return kernel sizes, strides and dilations, each checked and with one int per axis."""
    kernels = per_axis(kernel_size, rank, "kernel_size", 1)
    strides = per_axis(stride, rank, "stride", 1)
    dilations = per_axis(dilation, rank, "dilation", 1)
    return kernels, strides, dilations


def padding_sides(padding, kernels, strides, dilations):
    """Return the padding (before, after) on each axis, from integers, `'same'` or `'valid'`."""
    rank = len(kernels)
    if not padding_mode(padding):
        return tuple((pad, pad) for pad in per_axis(padding, rank, "padding", 0))
    if padding == "valid":
        return ((0, 0),) * rank
    if strides != (1,) * rank:
        raise ValueError(f"padding='same' needs stride=1, not {strides}; give padding as integers")
    return same_padding(kernels, dilations)


def _windows_that_fit(size, kernel_size, stride, sides, dilation):
    """Return how many windows fit along one axis."""
    before, after = sides
    covered = span(kernel_size, dilation)
    room = size + before + after - covered
    if room < 0:
        padded = f"{size}+2*{before}" if before == after else f"{size}+{before}+{after}"
        problem = "is larger than"
        if dilation > 1:
            problem = f"with dilation={dilation} spans {covered} pixels, more than"
        raise ValueError(
            f"kernel_size={kernel_size} {problem} the padded input {padded}; "
            f"use padding>={(covered - size + 1) // 2} or a smaller kernel"
        )
    return room // stride + 1


def _size_after_cropping(size, window, padding, extra):
    """Return what is left of the overlapping windows of a transposed convolution, on one axis."""
    kernel_size, stride, dilation = window
    if extra >= max(stride, dilation):
        raise ValueError(
            f"output_padding={extra} must be smaller than stride={stride} or dilation={dilation}; "
            f"use output_padding<={max(stride, dilation) - 1}"
        )
    full = (size - 1) * stride + span(kernel_size, dilation) + extra
    if full <= 2 * padding:
        raise ValueError(
            f"padding={padding} crops all of the output {full}-2*{padding}; "
            f"use padding<={max(full - 1, 0) // 2} or a larger kernel"
        )
    return full - 2 * padding
