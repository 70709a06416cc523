"""Resize, then convolve: upsampling in which every output pixel is treated alike."""

from torch import nn

from convbook._checks.arguments import integer, per_axis
from convbook._checks.tensors import check_filled
from convbook.nn.settings import check_channels, check_maps, check_multiple, window

MODES = ("nearest", "bilinear")


class ResizeConv2d(nn.Module):
    """Enlarge the map by interpolation, then convolve it, with the padding that keeps the size.

    Away from the borders every output pixel is a sum over all taps, so no checkerboard comes from
    the overlap. The convolution runs at the high resolution and has stride 1. Bilinear
    interpolation takes the pixels for squares, not points (`align_corners=False`).

    Shapes:
        input `(N, in_channels, H, W)` or `(in_channels, H, W)` -> `(N, out_channels, s_h*H, s_w*W)`
        or `(out_channels, s_h*H, s_w*W)`, where `(s_h, s_w)` is `scale_factor`.

    Args:
        in_channels: of the input, a multiple of `groups`.
        out_channels: of the output, a multiple of `groups`.
        kernel_size: taps, at least 1, an int or a pair.
        scale_factor: how many times the map grows, at least 1, an int or a pair.
        mode: `'nearest'` repeats pixels, `'bilinear'` blends the nearest four.
        dilation: pixels from one tap to the next, at least 1, an int or a pair.
        groups: how many groups of output channels, each reading its own input channels.
        bias: whether to add a learned number to each map of the output.
        padding_mode: `'zeros'`, `'reflect'`, `'replicate'` or `'circular'`.
        device: of the weights.
        dtype: of the weights.

    Raises:
        ValueError: a value is out of range, or the input does not fit.
        TypeError: a value is not an integer, or the input is not a tensor.

    Example:
        >>> import torch
        >>> layer = ResizeConv2d(16, 3, kernel_size=3, scale_factor=2)
        >>> layer(torch.zeros(1, 16, 8, 8)).shape
        torch.Size([1, 3, 16, 16])

    Source: Odena, Dumoulin and Olah, Deconvolution and Checkerboard Artifacts, Distill 2016.
    """

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        scale_factor=2,
        mode="nearest",
        dilation=1,
        groups=1,
        bias=True,
        padding_mode="zeros",
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.in_channels = integer(in_channels, "in_channels", 1)
        self.out_channels = integer(out_channels, "out_channels", 1)
        self.scale_factor = per_axis(scale_factor, 2, "scale_factor", 1)
        groups = integer(groups, "groups", 1)
        check_multiple(self.in_channels, "in_channels", groups, "groups")
        check_multiple(self.out_channels, "out_channels", groups, "groups")
        if mode not in MODES:
            raise ValueError(f"mode={mode!r} is unknown; use 'nearest' or 'bilinear'")
        self.mode = mode
        self.resize = nn.Upsample(scale_factor=self.scale_factor, mode=mode)
        self.conv = nn.Conv2d(
            self.in_channels,
            self.out_channels,
            *window(kernel_size, 1, "same", dilation),
            groups=groups,
            bias=bias,
            padding_mode=padding_mode,
            device=device,
            dtype=dtype,
        )

    def forward(self, input):
        check_channels(input, self.in_channels, "(C, H, W)", "(N, C, H, W)")
        check_filled(input, 2)
        # nn.Upsample would take (C, H, W) for a batch of 1-D maps.
        x = self.resize(input) if input.ndim == 4 else self.resize(input[None])[0]
        check_maps(x, self.conv)
        return self.conv(x)
