"""Channels traded for resolution, and resolution for channels."""

from __future__ import annotations

from torch import Tensor

from convbook._checks.arguments import integer
from convbook._checks.tensors import check_layout
from convbook.functional._operator import overridable


@overridable
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Trade channels for resolution: channel `c*r*r + i*r + j` goes to sub-pixel `(i, j)`.

    Shapes:
        input `(*, C * r * r, H, W)` -> `(*, C, H * r, W * r)`, where r is `upscale_factor`.

    Args:
        input: the maps, of any dtype, with any number of leading axes.
        upscale_factor: r, at least 1.

    Raises:
        ValueError: the square of r does not divide the channels.

    Example:
        >>> import torch
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
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Trade resolution for channels: undo `pixel_shuffle`.

    Shapes:
        input `(*, C, H * r, W * r)` -> `(*, C * r * r, H, W)`, where r is `downscale_factor`.

    Args:
        input: the maps, of any dtype, with any number of leading axes.
        downscale_factor: r, at least 1.

    Raises:
        ValueError: r does not divide the height or the width.

    Example:
        >>> import torch
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
