"""Windows as columns, and columns as windows: im2col and col2im."""

from __future__ import annotations

from itertools import product
from math import prod

import torch
from torch import Tensor

from convbook._checks.arguments import IntOrPair, pair
from convbook._checks.tensors import NUMBERS, check_dtype, check_filled, check_layout
from convbook.arithmetic import conv_output_size
from convbook.functional._operator import WIDER, overridable
from convbook.functional._taps import overlap_add, padded


@overridable
def unfold(
    input: Tensor,
    kernel_size: IntOrPair,
    dilation: IntOrPair = 1,
    padding: IntOrPair = 0,
    stride: IntOrPair = 1,
) -> Tensor:
    """Write each window as one column (im2col), so that a convolution becomes a matrix product.

    Shapes:
        input `(N, C, H, W)` or `(C, H, W)` -> `(N, C * k_h * k_w, L)` or `(C * k_h * k_w, L)`,
        with one column for each of the L windows, row by row.

    Args:
        input: the maps, of any dtype.
        kernel_size: taps, at least 1.
        dilation: pixels from one tap to the next, at least 1.
        padding: zeros on each side, at least 0.
        stride: pixels from one window to the next, at least 1.

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
    x, rows, columns, _ = padded(input, *_pairs(kernel_size, stride, padding, dilation))
    reads = torch.stack([x[..., row, column] for row, column in product(rows, columns)], dim=-3)
    return reads.flatten(-4, -3).flatten(-2)  # (N, C * k_h * k_w, H_out * W_out)


@overridable
def fold(
    input: Tensor,
    output_size: IntOrPair,
    kernel_size: IntOrPair,
    dilation: IntOrPair = 1,
    padding: IntOrPair = 0,
    stride: IntOrPair = 1,
) -> Tensor:
    """Put each column back where its window was, adding where windows overlap (col2im).

    It is the adjoint of `unfold`, not its inverse: a pixel that k windows read comes back k times.

    Shapes:
        input `(N, C * k_h * k_w, L)` or `(C * k_h * k_w, L)` -> `(N, C, H, W)` or `(C, H, W)`,
        where `(H, W)` is `output_size` and L the number of windows in it.

    Args:
        input: the columns, of any dtype that can be added.
        output_size: pixels (H, W), at least 1.
        kernel_size: as for `unfold`, like those below.
        dilation: pixels from one tap to the next.
        padding: pixels cropped on each side.
        stride: pixels from one window to the next.

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
    return overlap_add(writes, size, *settings).to(input.dtype)


def _pairs(
    kernel_size: IntOrPair, stride: IntOrPair, padding: IntOrPair, dilation: IntOrPair
) -> tuple[tuple[int, ...], ...]:
    """Return the four as pairs, as strictly as PyTorch's unfold and fold take them."""
    return (
        pair(kernel_size, "kernel_size", 1),
        pair(stride, "stride", 1),
        pair(padding, "padding", 0),
        pair(dilation, "dilation", 1),
    )
