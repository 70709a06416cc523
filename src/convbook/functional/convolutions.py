"""Convolution, as slices, as loops and as a matrix, and its transpose."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor

from convbook._checks.arguments import IntOrPair, Padding, pair
from convbook._checks.tensors import check_groups, check_weight
from convbook.arithmetic import conv_output_size, conv_transpose_output_size, span
from convbook.arithmetic.sizes import padding_sides, windows
from convbook.functional._operator import WIDER, convolution, overridable, without_autocast
from convbook.functional._taps import overlap_add, padded


@overridable
@convolution()
def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
) -> Tensor:
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
        stride: pixels from one window to the next, at least 1.
        padding: zeros on each side, at least 0, or `'same'` or `'valid'`.
        dilation: pixels from one tap to the next, at least 1.
        groups: how many groups of C_out/groups filters, each reading its own C_in/groups channels.

    Example:
        >>> conv2d(torch.ones(1, 4, 4), torch.ones(1, 1, 3, 3), stride=(3, 1), padding=1)
        tensor([[[4., 6., 6., 4.],
                 [4., 6., 6., 4.]]])

    Source: Dumoulin and Visin, arXiv 1603.07285, chapter 2.
    """
    c_out, c_group, *kernel_size = weight.shape
    x, rows, columns, size = padded(input, kernel_size, stride, padding, dilation)
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
def conv2d_loops(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
) -> Tensor:
    """Compute `conv2d` one output at a time: slow, and the definition itself.

    Arguments as for `conv2d`.

    Example:
        >>> x, kernel = torch.arange(9).reshape(1, 3, 3), torch.tensor([[[[1, 0], [0, 1]]]])
        >>> conv2d_loops(x, kernel)
        tensor([[[ 4,  6],
                 [10, 12]]])

    Source: Goodfellow, Bengio and Courville, Deep Learning, 2016, equation 9.6, strided and padded.
    """
    c_out, c_group, *kernel_size = weight.shape
    (k_h, k_w), (s_h, s_w), (d_h, d_w) = windows(kernel_size, stride, dilation, 2)
    x, _, _, (h_out, w_out) = padded(input, kernel_size, stride, padding, dilation)
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


def conv2d_matrix(
    weight: Tensor,
    input_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
) -> Tensor:
    """Return the dense matrix that does what `conv2d` does to one flattened input.

    Row `(o, y, x)` holds the weights that output pixel `(y, x)` of filter `o` gives to the input
    pixels `(c, h, w)`, and zeros elsewhere. A tap in the padding has no column.

    Shapes:
        weight `(C_out, C_in/groups, k_h, k_w)` -> `(C_out * H_out * W_out, C_in * H * W)`.

    Args:
        weight: the filters, of any dtype that PyTorch convolves.
        input_size: pixels (H, W), at least 1.
        stride: as for `conv2d`, like those below.
        padding: zeros on each side.
        dilation: pixels from one tap to the next.
        groups: of the convolution that `weight` belongs to.

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
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    output_padding: IntOrPair = 0,
    groups: int = 1,
    dilation: IntOrPair = 1,
) -> Tensor:
    """Return the transposed convolution, the adjoint of `conv2d`.

    Each input pixel adds the filters, times its value, to a window of the output. The matrix of
    this is the transpose of the matrix of the `conv2d` with the same weight and settings, so it
    leads back to that convolution's input size, not to its input.

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
        stride: output pixels from one window to the next, at least 1.
        padding: output pixels cropped on each side, at least 0.
        output_padding: pixels cropped less at the bottom and on the right, from 0 to
            `max(stride, dilation) - 1`.
        groups: how many groups of C_in/groups channels, each adding to its own C_out/groups maps.
        dilation: output pixels from one tap to the next, at least 1.

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
    output = overlap_add(writes, size, kernel_size, stride, padding, dilation)
    return output if bias is None else output + bias[:, None, None]


def _one_hot(
    size: int,
    output_size: int,
    kernel_size: int,
    stride: int,
    dilation: int,
    sides: tuple[int, int],
) -> Tensor:
    """Return a mask (k, output, input) along one axis: which pixel each tap of a window reads."""
    taps = torch.arange(kernel_size)[:, None] * dilation
    reads = taps + torch.arange(output_size) * stride - sides[0]  # (k, output)
    return reads[..., None] == torch.arange(size)
