"""What the layers share: checks of their settings and inputs, and the way to a plain layer."""

import torch
from torch import nn

from convbook._checks.arguments import per_axis
from convbook._checks.tensors import check_layout
from convbook.arithmetic import conv_output_size
from convbook.arithmetic.sizes import padding_sides, windows


def check_multiple(value, name, factor, factor_name):
    """Refuse channels that cannot be shared out evenly."""
    if value % factor:
        raise ValueError(
            f"{name}={value} is not a multiple of {factor_name}={factor}; "
            f"use {name}={-(-value // factor) * factor}"
        )


def window(kernel_size, stride, padding, dilation):
    """Return the four with one int per axis, each checked; a word for the padding stays a word."""
    kernels, strides, dilations = windows(kernel_size, stride, dilation, 2)
    padding_sides(padding, kernels, strides, dilations)  # refuses what no convolution takes
    if not isinstance(padding, str):
        padding = per_axis(padding, 2, "padding", 0)
    return kernels, strides, padding, dilations


def check_channels(input, in_channels, *layouts):
    """Refuse an input of another layout, or with another number of channels."""
    check_layout(input, "input", *layouts)
    axes = layouts[0].partition("C")[2].count(",")  # those behind the channels
    channels = input.shape[-1 - axes]
    if channels != in_channels:
        raise ValueError(
            f"input has {channels} channels, but in_channels={in_channels}; change one of them"
        )


def check_maps(input, layer):
    """Refuse an input that a convolution with the settings of `layer` does not take."""
    check_channels(input, layer.in_channels, "(C, H, W)", "(N, C, H, W)")
    size = tuple(input.shape[-2:])
    conv_output_size(size, layer.kernel_size, layer.stride, layer.padding, layer.dilation)
    _check_border(size, layer)


# How many pixels more than the padding a map must have for it to be reflected or to go round.
SPARE_PIXELS = {"reflect": 1, "circular": 0}


def _check_border(size, layer):
    """Refuse a map that has too few pixels to fill its own padding."""
    if layer.padding_mode not in SPARE_PIXELS:
        return
    sides = padding_sides(layer.padding, layer.kernel_size, layer.stride, layer.dilation)
    for pixels, side in zip(size, map(max, sides), strict=True):
        least = side + SPARE_PIXELS[layer.padding_mode]
        if side and pixels < least:
            raise ValueError(
                f"padding_mode={layer.padding_mode!r} fills a padding of {side} from {least} "
                f"pixels or more, but the map has {pixels}; use a larger input or "
                "padding_mode='zeros'"
            )


def plain_conv2d(weight, bias, like, groups=1):
    """Return an `nn.Conv2d` with copies of these numbers, and the window of another layer."""
    layer = nn.utils.skip_init(  # as its numbers come from elsewhere, it need not draw any
        nn.Conv2d,
        weight.shape[1] * groups,
        weight.shape[0],
        like.kernel_size,
        stride=like.stride,
        padding=like.padding,
        dilation=like.dilation,
        groups=groups,
        bias=bias is not None,
        padding_mode=like.padding_mode,
        device=weight.device,
        dtype=weight.dtype,
    )
    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None:
            layer.bias.copy_(bias)
    return layer
