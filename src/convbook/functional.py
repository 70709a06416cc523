"""Convolution and its relatives, built by hand with the signatures of `torch.nn.functional`.

Each function gives what PyTorch's own gives, forward and backward, and refuses what PyTorch
refuses. Maps are `(N, C, H, W)` or, unbatched, `(C, H, W)`: shape comments show the batched case.
Under `torch.autocast` the convolutions cast their tensors as PyTorch's do (see
`convbook.tensors.convolution`), and the others keep the dtype that they are given.

One idea carries the module: what tap `i` of a kernel reads, for all windows at once, is a strided
slice of the padded input (see `_taps`). A convolution reads these slices; a transposed convolution
writes to them.
"""

from itertools import product
from math import prod

import torch
from torch.nn.functional import pad

from convbook.arguments import integer, pair
from convbook.arithmetic import (
    conv_output_size,
    conv_transpose_output_size,
    padding_sides,
    span,
    windows,
)
from convbook.overriding import overridable
from convbook.tensors import (
    NUMBERS,
    WIDER,
    check_dtype,
    check_filled,
    check_groups,
    check_layout,
    check_room,
    check_weight,
    convolution,
    without_autocast,
)

__all__ = [
    "conv2d",
    "conv2d_loops",
    "conv2d_matrix",
    "conv_transpose2d",
    "fold",
    "pixel_shuffle",
    "pixel_unshuffle",
    "unfold",
]


@overridable
@convolution()
def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Slide each filter over the input and return one map per filter (a cross-correlation).

    What the taps of a kernel row read is laid side by side, so that a kernel row is one matrix
    product; the output is the sum over the kernel rows.

    Shapes:
        input `(N, C_in, H, W)` or `(C_in, H, W)`, weight `(C_out, C_in/groups, k_h, k_w)`, bias
        `(C_out)` -> `(N, C_out, H_out, W_out)` or `(C_out, H_out, W_out)`, where
        `(H_out, W_out) = conv_output_size((H, W), (k_h, k_w), stride, padding, dilation)`.

    Args:
        input: the maps, of any dtype that PyTorch convolves.
        weight: the filters, of the same dtype.
        bias: one number per filter, of the same dtype, or None.
        stride: pixels from one window to the next, at least 1, an int or a pair.
        padding: zeros on each side, at least 0, an int, a pair, `'same'` or `'valid'`.
        dilation: pixels from one tap to the next, at least 1, an int or a pair.
        groups: how many groups of C_out/groups filters, each reading its own C_in/groups channels.

    Raises:
        ValueError: a shape or a value does not fit.
        TypeError: something has the wrong type, or the dtypes differ.

    Example:
        >>> conv2d(torch.ones(1, 4, 4), torch.ones(1, 1, 3, 3), stride=(3, 1), padding=1)
        tensor([[[4., 6., 6., 4.],
                 [4., 6., 6., 4.]]])

    Source: Dumoulin and Visin, arXiv 1603.07285, chapter 2.
    """
    c_out, c_group, *kernel_size = weight.shape
    x, rows, columns, size = _padded(input, kernel_size, stride, padding, dilation)
    reads = torch.stack([x[..., taps] for taps in columns], dim=-3)  # (N, C_in, k_w, H_pad, W_out)
    reads = reads.unflatten(-4, (groups, c_group)).flatten(-4, -3)
    # reads: (N, groups, C_in/groups * k_w, H_pad, W_out)
    filters = weight.unflatten(0, (groups, c_out // groups)).movedim(-2, 0).flatten(-2)
    # filters: (k_h, groups, C_out/groups, C_in/groups * k_w)
    output = sum(
        row @ reads[..., taps, :].flatten(-2) for row, taps in zip(filters, rows, strict=True)
    )  # (N, groups, C_out/groups, H_out * W_out)
    output = output.flatten(-3, -2).unflatten(-1, size)  # (N, C_out, H_out, W_out)
    return output if bias is None else output + bias[:, None, None]


@overridable
@convolution()
def conv2d_loops(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Compute `conv2d` one output at a time: slow, and the definition itself.

    Arguments as for `conv2d`.

    Shapes:
        As for `conv2d`.

    Raises:
        ValueError: a shape or a value does not fit.
        TypeError: something has the wrong type, or the dtypes differ.

    Example:
        >>> x, kernel = torch.arange(9).reshape(1, 3, 3), torch.tensor([[[[1, 0], [0, 1]]]])
        >>> conv2d_loops(x, kernel)
        tensor([[[ 4,  6],
                 [10, 12]]])

    Source: Goodfellow, Bengio and Courville, Deep Learning, 2016, equation 9.6, strided and padded.
    """
    c_out, c_group, *kernel_size = weight.shape
    (k_h, k_w), (s_h, s_w), (d_h, d_w) = windows(kernel_size, stride, dilation, 2)
    x, _, _, (h_out, w_out) = _padded(input, kernel_size, stride, padding, dilation)
    output = x.new_zeros(*x.shape[:-3], c_out, h_out, w_out)
    for o in range(c_out):
        first = o // (c_out // groups) * c_group  # the first channel that this filter reads
        for row in range(h_out):
            for column in range(w_out):
                top, left = row * s_h, column * s_w
                rows = slice(top, top + span(k_h, d_h), d_h)
                columns = slice(left, left + span(k_w, d_w), d_w)
                window = x[..., first : first + c_group, rows, columns]
                output[..., o, row, column] = (window * weight[o]).sum(dim=(-3, -2, -1))
    return output if bias is None else output + bias[:, None, None]


def conv2d_matrix(weight, input_size, stride=1, padding=0, dilation=1, groups=1):
    """Return the dense matrix that does what `conv2d` does to one flattened input.

    Row `(o, y, x)` holds the weights that output pixel `(y, x)` of filter `o` gives to the input
    pixels `(c, h, w)`, and zeros elsewhere. A tap in the padding has no column.

    Shapes:
        weight `(C_out, C_in/groups, k_h, k_w)` -> `(C_out * H_out * W_out, C_in * H * W)`.

    Args:
        weight: the filters, of any dtype that PyTorch convolves.
        input_size: pixels (H, W), an int or a pair.
        stride: pixels from one window to the next, at least 1, an int or a pair.
        padding: zeros on each side, at least 0, an int, a pair, `'same'` or `'valid'`.
        dilation: pixels from one tap to the next, at least 1, an int or a pair.
        groups: as for `conv2d`.

    Raises:
        ValueError: a shape or a value does not fit.
        TypeError: something has the wrong type.

    Example:
        >>> conv2d_matrix(torch.tensor([[[[1, 2], [3, 4]]]]), (2, 3))
        tensor([[1, 2, 0, 3, 4, 0],
                [0, 1, 2, 0, 3, 4]])

    Source: Dumoulin and Visin, arXiv 1603.07285, section 4.1.
    """
    check_weight(weight)
    check_groups(groups, weight.shape[0])
    sizes = pair(input_size, "input_size", 1)
    outputs = conv_output_size(sizes, weight.shape[2:], stride, padding, dilation)
    settings = windows(weight.shape[2:], stride, dilation, 2)
    axes = zip(sizes, outputs, *settings, padding_sides(padding, *settings), strict=True)
    # rows (k_h, H_out, H) and columns (k_w, W_out, W): 1 where that tap of that window reads.
    dtype = WIDER.get(weight.dtype, weight.dtype)
    rows, columns = (_one_hot(*axis).to(weight.device, dtype) for axis in axes)
    filters = weight.to(dtype).unflatten(0, (groups, -1))
    # filters: (groups, C_out/groups, C_in/groups, k_h, k_w)
    same_group = torch.eye(groups).to(filters)
    with without_autocast(weight):  # the weights are put in their places, not computed with
        matrix = torch.einsum("gocij,iyh,jxw,gk->goyxkchw", filters, rows, columns, same_group)
    matrix = matrix.flatten(4).flatten(0, 3)  # (C_out * H_out * W_out, C_in * H * W)
    return matrix.to(weight.dtype)


@overridable
@convolution(transposed=True)
def conv_transpose2d(
    input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """Let each input pixel paint the filters onto the output: the adjoint of `conv2d`.

    Its matrix is the transpose of the matrix of the `conv2d` with the same weight and settings, so
    it leads back to that convolution's input size, not to its input.

    An output without pixels is refused, as by PyTorch's own kernel ("Output size is too small") and
    as `conv2d` refuses an input without pixels. Where PyTorch hands the work to another library, on
    a GPU or for some CPU cases, it may return an empty map instead.

    Shapes:
        input `(N, C_in, H, W)` or `(C_in, H, W)`, weight `(C_in, C_out/groups, k_h, k_w)`, bias
        `(C_out)` -> `(N, C_out, H_out, W_out)` or `(C_out, H_out, W_out)`, where `H_out, W_out` is
        `conv_transpose_output_size((H, W), (k_h, k_w), stride, padding, output_padding, dilation)`.

    Args:
        input: the maps, of any dtype that PyTorch convolves.
        weight: the filters, of the same dtype.
        bias: one number per output channel, of the same dtype, or None.
        stride: output pixels from one window to the next, at least 1, an int or a pair.
        padding: output pixels cropped on each side, at least 0, an int or a pair.
        output_padding: pixels cropped less at the bottom and on the right, from 0 to
            `max(stride, dilation) - 1`, an int or a pair.
        groups: how many groups of C_in/groups channels, each painting its own C_out/groups maps.
        dilation: output pixels from one tap to the next, at least 1, an int or a pair.

    Raises:
        ValueError: a shape or a value does not fit.
        TypeError: something has the wrong type, or the dtypes differ.

    Example:
        >>> conv_transpose2d(torch.ones(1, 2, 2), torch.ones(1, 1, 3, 3), stride=2)
        tensor([[[1., 1., 2., 1., 1.],
                 [1., 1., 2., 1., 1.],
                 [2., 2., 4., 2., 2.],
                 [1., 1., 2., 1., 1.],
                 [1., 1., 2., 1., 1.]]])

    Source: Dumoulin and Visin, arXiv 1603.07285, chapter 4.
    """
    c_in, c_group, *kernel_size = weight.shape
    size = conv_transpose_output_size(
        input.shape[-2:], kernel_size, stride, padding, output_padding, dilation
    )
    x = input.unflatten(-3, (groups, c_in // groups)).flatten(-2)  # (N, groups, C_in/groups, H*W)
    filters = weight.unflatten(0, (groups, c_in // groups)).flatten(2)
    # filters: (groups, C_in/groups, C_out/groups * k_h * k_w)
    writes = filters.mT @ x  # (N, groups, C_out/groups * k_h * k_w, H * W)
    writes = writes.unflatten(-2, (c_group, prod(kernel_size))).flatten(-4, -3)
    writes = writes.unflatten(-1, input.shape[-2:])  # (N, C_out, k_h * k_w, H, W)
    output = _overlap_add(writes, size, kernel_size, stride, padding, dilation)
    return output if bias is None else output + bias[:, None, None]


@overridable
def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """Write each window as one column (im2col), so that a convolution becomes a matrix product.

    Shapes:
        input `(N, C, H, W)` or `(C, H, W)` -> `(N, C * k_h * k_w, L)` or `(C * k_h * k_w, L)`,
        with one column for each of the L windows, row by row.

    Args:
        input: the maps, of any dtype.
        kernel_size: taps, at least 1, an int or a pair.
        dilation: pixels from one tap to the next, at least 1, an int or a pair.
        padding: zeros on each side, at least 0, an int or a pair.
        stride: pixels from one window to the next, at least 1, an int or a pair.

    Raises:
        ValueError: a shape or a value does not fit.
        TypeError: something has the wrong type.

    Example:
        >>> unfold(torch.arange(6).reshape(1, 2, 3), kernel_size=2)
        tensor([[0, 1],
                [1, 2],
                [3, 4],
                [4, 5]])

    Source: Chellapilla, Puri and Simard, High Performance Convolutional Neural Networks for
    Document Processing, 2006.
    """
    check_layout(input, "input", "(C, H, W)", "(N, C, H, W)")
    check_filled(input, 3)
    x, rows, columns, _ = _padded(input, *_pairs(kernel_size, stride, padding, dilation))
    reads = torch.stack([x[..., row, column] for row, column in product(rows, columns)], dim=-3)
    return reads.flatten(-4, -3).flatten(-2)  # (N, C * k_h * k_w, H_out * W_out)


@overridable
def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Put each column back where its window was, adding where windows overlap (col2im).

    It is the adjoint of `unfold`, not its inverse: a pixel that k windows read comes back k times.

    Shapes:
        input `(N, C * k_h * k_w, L)` or `(C * k_h * k_w, L)` -> `(N, C, H, W)` or `(C, H, W)`,
        where `(H, W)` is `output_size` and L the number of windows in it.

    Args:
        input: the columns, of any dtype that can be added.
        output_size: pixels (H, W), at least 1, an int or a pair.
        kernel_size: taps, at least 1, an int or a pair.
        dilation: pixels from one tap to the next, at least 1, an int or a pair.
        padding: pixels cropped on each side, at least 0, an int or a pair.
        stride: pixels from one window to the next, at least 1, an int or a pair.

    Raises:
        ValueError: a shape or a value does not fit.
        TypeError: something has the wrong type.

    Example:
        >>> fold(unfold(torch.ones(1, 3, 3), 2), output_size=3, kernel_size=2)
        tensor([[[1., 2., 1.],
                 [2., 4., 2.],
                 [1., 2., 1.]]])

    Source: PyTorch, `torch.nn.functional.fold`.
    """
    check_layout(input, "input", "(C * k_h * k_w, L)", "(N, C * k_h * k_w, L)")
    check_filled(input, 2)
    check_dtype(input, "input", NUMBERS | {torch.bool})
    size = pair(output_size, "output_size", 1)
    settings = _pairs(kernel_size, stride, padding, dilation)
    map_size = conv_output_size(size, *settings)
    taps = prod(settings[0])
    if input.shape[-2] % taps:
        raise ValueError(
            f"input has {input.shape[-2]} rows, but kernel_size={kernel_size!r} has {taps} taps; "
            f"use C * {taps} rows"
        )
    if input.shape[-1] != prod(map_size):
        raise ValueError(
            f"input has {input.shape[-1]} columns, but output_size={output_size!r} holds "
            f"{map_size[0]} x {map_size[1]} windows; use {prod(map_size)} columns"
        )
    columns = input.to(WIDER.get(input.dtype, input.dtype))  # added up, and rounded once
    writes = columns.unflatten(-2, (-1, taps)).unflatten(-1, map_size)
    # writes: (N, C, k_h * k_w, windows per column, windows per row)
    return _overlap_add(writes, size, *settings).to(input.dtype)


@overridable
def pixel_shuffle(input, upscale_factor):
    """Trade channels for resolution: channel `c*r*r + i*r + j` goes to sub-pixel `(i, j)`.

    Shapes:
        input `(*, C * r * r, H, W)` -> `(*, C, H * r, W * r)`, where r is `upscale_factor`.

    Args:
        input: the maps, of any dtype, with any number of leading axes.
        upscale_factor: r, an int of at least 1.

    Raises:
        ValueError: r is too small, or its square does not divide the channels.
        TypeError: something has the wrong type.

    Example:
        >>> pixel_shuffle(torch.arange(8).reshape(4, 1, 2), 2)
        tensor([[[0, 2, 1, 3],
                 [4, 6, 5, 7]]])

    Source: Shi et al., arXiv 1609.05158, equation 4.
    """
    check_layout(input, "input", "(*, C, H, W)")
    r = integer(upscale_factor, "upscale_factor", 1)
    *batch, channels, height, width = input.shape
    if channels % r**2:
        raise ValueError(
            f"upscale_factor={r} needs a multiple of {r**2} channels, but input has {channels}; "
            f"use {(channels // r**2 + 1) * r**2} channels or another factor"
        )
    x = input.reshape(*batch, channels // r**2, r, r, height, width)
    x = x.movedim((-4, -3), (-3, -1))  # (*, C, H, r, W, r)
    return x.flatten(-2).flatten(-3, -2)  # (*, C, H * r, W * r)


@overridable
def pixel_unshuffle(input, downscale_factor):
    """Trade resolution for channels: undo `pixel_shuffle`.

    Shapes:
        input `(*, C, H * r, W * r)` -> `(*, C * r * r, H, W)`, where r is `downscale_factor`.

    Args:
        input: the maps, of any dtype, with any number of leading axes.
        downscale_factor: r, an int of at least 1.

    Raises:
        ValueError: r is too small, or it does not divide the height or the width.
        TypeError: something has the wrong type.

    Example:
        >>> pixel_unshuffle(torch.tensor([[[0, 1, 2, 3], [4, 5, 6, 7]]]), 2).flatten(1)
        tensor([[0, 2],
                [1, 3],
                [4, 6],
                [5, 7]])

    Source: Shi et al., arXiv 1609.05158, equation 4, read backwards.
    """
    check_layout(input, "input", "(*, C, H, W)")
    r = integer(downscale_factor, "downscale_factor", 1)
    *batch, channels, height, width = input.shape
    if height % r or width % r:
        raise ValueError(
            f"downscale_factor={r} does not divide the {height} x {width} pixels of input; "
            f"crop or pad to a multiple of {r}"
        )
    x = input.reshape(*batch, channels, height // r, r, width // r, r)
    x = x.movedim((-3, -1), (-4, -3))  # (*, C, r, r, H, W)
    return x.flatten(-5, -3)  # (*, C * r * r, H, W)


def _taps(kernel_size, stride, dilation, count):
    """Return, for each tap of a 1-D kernel, the slice of padded pixels that `count` windows read.

    Window n starts at pixel `n * stride`, and tap i reads the pixel `i * dilation` further on.
    """
    starts = range(0, kernel_size * dilation, dilation)
    return [slice(start, start + (count - 1) * stride + 1, stride) for start in starts]


def _padded(input, kernel_size, stride, padding, dilation):
    """Return the padded input, the taps of the rows and of the columns, and (H_out, W_out)."""
    size = conv_output_size(input.shape[-2:], kernel_size, stride, padding, dilation)
    kernels, strides, dilations = windows(kernel_size, stride, dilation, 2)
    (top, bottom), (left, right) = padding_sides(padding, kernels, strides, dilations)
    rows, columns = map(_taps, kernels, strides, dilations, size)
    height, width = input.shape[-2:]
    padded = (*input.shape[:-2], top + height + bottom, left + width + right)
    check_room(padded, input, "padding", padding)
    return pad(input, (left, right, top, bottom)), rows, columns, size


def _overlap_add(writes, size, kernel_size, stride, padding, dilation):
    """Add `writes` `(N, C, k_h * k_w, H, W)` to an empty map where `_taps` would read, and crop it.

    Padding and reading are linear; this is their adjoint.
    """
    kernels, strides, dilations = windows(kernel_size, stride, dilation, 2)
    rows, columns = map(_taps, kernels, strides, dilations, writes.shape[-2:])
    (top, _), (left, _) = padding_sides(padding, kernels, strides, dilations)
    shape = (*writes.shape[:-3], size[0] + 2 * top, size[1] + 2 * left)
    settings = {"stride": strides, "padding": (top, left), "dilation": dilations}
    name = max(settings, key=lambda name: max(settings[name]))
    check_room(shape, writes, name, settings[name])
    canvas = writes.new_zeros(shape)
    for write, (row, column) in zip(writes.unbind(-3), product(rows, columns), strict=True):
        canvas[..., row, column] += write
    return canvas[..., top : top + size[0], left : left + size[1]].contiguous()


def _one_hot(size, output_size, kernel_size, stride, dilation, sides):
    """Return a mask (k, output, input) along one axis: which pixel each tap of a window reads."""
    taps = torch.arange(kernel_size)[:, None] * dilation
    reads = taps + torch.arange(output_size) * stride - sides[0]  # (k, output)
    return reads[..., None] == torch.arange(size)


def _pairs(kernel_size, stride, padding, dilation):
    """Return the four as pairs, as strictly as unfold and fold take them."""
    return (
        pair(kernel_size, "kernel_size", 1),
        pair(stride, "stride", 1),
        pair(padding, "padding", 0),
        pair(dilation, "dilation", 1),
    )
