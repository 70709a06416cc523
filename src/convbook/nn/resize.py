"""Resize, then convolve: upsampling in which every output pixel is treated alike."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.types import Device

from convbook._checks.arguments import IntOrPair, per_axis
from convbook._checks.tensors import check_filled
from convbook.nn.settings import PaddingMode, check_channels, check_maps, grouped, window

MODES = ("nearest", "bilinear")


class ResizeConv2d(nn.Module):
    """Enlarge the map by interpolation, then convolve it, with the padding that keeps the size.

    Away from the borders every output pixel is a sum over all taps, so no checkerboard comes from
    the overlap. The convolution runs at the high resolution and has stride 1. Bilinear
    interpolation takes the pixels for squares, not points (`align_corners=False`). Other arguments
    as for `nn.Conv2d`, without `stride` and `padding`.

    Shapes:
        input `(N, in_channels, H, W)` -> `(N, out_channels, s_h * H, s_w * W)`, where `(s_h, s_w)`
        is `scale_factor`.

    Args:
        scale_factor: how many times the map grows, at least 1.
        mode: `'nearest'` repeats pixels, `'bilinear'` blends the nearest four.

    Example:
        >>> layer = ResizeConv2d(16, 3, kernel_size=3, scale_factor=2)
        >>> layer(torch.zeros(1, 16, 8, 8)).shape
        torch.Size([1, 3, 16, 16])

    Source: Odena, Dumoulin and Olah, Deconvolution and Checkerboard Artifacts, Distill 2016.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrPair,
        scale_factor: IntOrPair = 2,
        mode: Literal["nearest", "bilinear"] = "nearest",
        dilation: IntOrPair = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: PaddingMode = "zeros",
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, groups = grouped(in_channels, out_channels, groups)
        self.scale_factor = per_axis(scale_factor, 2, "scale_factor", 1)
        if mode not in MODES:
            raise ValueError(f"mode={mode!r} is unknown; use 'nearest' or 'bilinear'")
        self.mode = mode
        self.resize = nn.Upsample(scale_factor=self.scale_factor, mode=mode)
        outputs, settings = self.out_channels, window(kernel_size, 1, "same", dilation)
        self.conv = nn.Conv2d(
            self.in_channels, outputs, *settings, groups, bias, padding_mode, device, dtype
        )

    def forward(self, input: Tensor) -> Tensor:
        check_channels(input, self.in_channels, "(C, H, W)", "(N, C, H, W)")
        check_filled(input, 2)
        # nn.Upsample would take (C, H, W) for a batch of 1-D maps.
        x = self.resize(input) if input.ndim == 4 else self.resize(input[None])[0]
        check_maps(x, self.conv)
        return self.conv(x)
