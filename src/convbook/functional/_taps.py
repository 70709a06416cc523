"""A kernel's taps as strided slices: the idea behind every function of this room.

What tap `i` of a kernel reads, for all windows at once, is a strided slice of the padded input. A
convolution reads these slices; a transposed convolution writes to them.
"""

from __future__ import annotations

from itertools import product

from torch import Tensor
from torch.nn.functional import pad

from convbook._checks.arguments import IntOrPair, Padding
from convbook._checks.tensors import check_room
from convbook.arithmetic import conv_output_size
from convbook.arithmetic.sizes import padding_sides, windows


def taps(kernel_size: int, stride: int, dilation: int, count: int) -> list[slice]:
    """Return, for each tap of a 1-D kernel, the slice of padded pixels that `count` windows read.

    Window n starts at pixel `n * stride`, and tap i reads the pixel `i * dilation` further on.
    """
    starts = range(0, kernel_size * dilation, dilation)
    return [slice(start, start + (count - 1) * stride + 1, stride) for start in starts]


def padded(
    input: Tensor, kernel_size: IntOrPair, stride: IntOrPair, padding: Padding, dilation: IntOrPair
) -> tuple[Tensor, list[slice], list[slice], tuple[int, ...]]:
    """Return the padded input, the taps of the rows and of the columns, and (H_out, W_out)."""
    size = conv_output_size(input.shape[-2:], kernel_size, stride, padding, dilation)
    kernels, strides, dilations = windows(kernel_size, stride, dilation, 2)
    (top, bottom), (left, right) = padding_sides(padding, kernels, strides, dilations)
    rows, columns = map(taps, kernels, strides, dilations, size)
    height, width = input.shape[-2:]
    shape = (*input.shape[:-2], top + height + bottom, left + width + right)
    check_room(shape, input, "padding", padding)
    return pad(input, (left, right, top, bottom)), rows, columns, size


def overlap_add(
    writes: Tensor,
    size: tuple[int, ...],
    kernel_size: IntOrPair,
    stride: IntOrPair,
    padding: IntOrPair,
    dilation: IntOrPair,
) -> Tensor:
    """Add `writes` `(N, C, k_h * k_w, H, W)` to an empty map where `taps` would read, and crop it.

    Padding and reading are linear; this is their adjoint.
    """
    kernels, strides, dilations = windows(kernel_size, stride, dilation, 2)
    rows, columns = map(taps, kernels, strides, dilations, writes.shape[-2:])
    (top, _), (left, _) = padding_sides(padding, kernels, strides, dilations)
    shape = (*writes.shape[:-3], size[0] + 2 * top, size[1] + 2 * left)
    settings = {"stride": strides, "padding": (top, left), "dilation": dilations}
    name = max(settings, key=lambda name: max(settings[name]))
    check_room(shape, writes, name, settings[name])
    canvas = writes.new_zeros(shape)
    for write, (row, column) in zip(writes.unbind(-3), product(rows, columns), strict=True):
        canvas[..., row, column] += write
    return canvas[..., top : top + size[0], left : left + size[1]].contiguous()
