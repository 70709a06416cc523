"""What the layers share: checks of their settings and inputs, and the way to a plain layer."""

import torch
from torch import nn

from convbook.arguments import per_axis
from convbook.arithmetic import conv_output_size, padding_sides, windows
from convbook.tensors import check_layout


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
    if input.shape[-3] != in_channels:
        raise ValueError(
            f"input has {input.shape[-3]} channels, but in_channels={in_channels}; "
            "change one of them"
        )


def check_maps(input, layer):
    """Refuse an input that a convolution with the settings of `layer` does not take."""
    check_channels(input, layer.in_channels, "(C, H, W)", "(N, C, H, W)")
    size = tuple(input.shape[-2:])
    conv_output_size(size, layer.kernel_size, layer.stride, layer.padding, layer.dilation)


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
