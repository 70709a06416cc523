"""What the layers share: checks of their settings and inputs, and the way to a plain layer."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypeVar, cast

import torch
from torch import Tensor, nn

from convbook._checks.arguments import IntOrPair, Padding, integer, per_axis
from convbook._checks.tensors import check_layout
from convbook.arithmetic import conv_output_size
from convbook.arithmetic.sizes import padding_sides, windows

PaddingMode: TypeAlias = Literal["zeros", "reflect", "replicate", "circular"]
Pair: TypeAlias = tuple[int, int]
Window: TypeAlias = tuple[Pair, Pair, Pair | str, Pair]  # kernel, stride, padding, dilation
Layer = TypeVar("Layer", bound=nn.Module)


def check_multiple(value: int, name: str, factor: int, factor_name: str) -> None:
    """Refuse channels that cannot be shared out evenly."""
    if value % factor:
        raise ValueError(
            f"{name}={value} is not a multiple of {factor_name}={factor}; "
            f"use {name}={-(-value // factor) * factor}"
        )


def grouped(in_channels: int, out_channels: int, groups: int) -> tuple[int, int, int]:
    """Return the three as ints, each checked; groups must divide both channel numbers."""
    in_channels = integer(in_channels, "in_channels", 1)
    out_channels = integer(out_channels, "out_channels", 1)
    groups = integer(groups, "groups", 1)
    check_multiple(in_channels, "in_channels", groups, "groups")
    check_multiple(out_channels, "out_channels", groups, "groups")
    return in_channels, out_channels, groups


def window(
    kernel_size: IntOrPair, stride: IntOrPair, padding: Padding, dilation: IntOrPair
) -> Window:
    """Return the four with one int per axis, each checked; a word for the padding stays a word."""
    kernels, strides, dilations = windows(kernel_size, stride, dilation, 2)
    padding_sides(padding, kernels, strides, dilations)  # refuses what no convolution takes
    if not isinstance(padding, str):
        padding = per_axis(padding, 2, "padding", 0)
    return cast(Window, (kernels, strides, padding, dilations))


def check_channels(input: Tensor, in_channels: int, *layouts: str) -> None:
    """Refuse an input of another layout, or with another number of channels."""
    check_layout(input, "input", *layouts)
    axes = layouts[0].partition("C")[2].count(",")  # those behind the channels
    channels = input.shape[-1 - axes]
    if channels != in_channels:
        raise ValueError(
            f"input has {channels} channels, but in_channels={in_channels}; change one of them"
        )


def check_maps(input: Tensor, layer: nn.Conv2d) -> None:
    """Refuse an input that a convolution with the settings of `layer` does not take."""
    check_channels(input, layer.in_channels, "(C, H, W)", "(N, C, H, W)")
    size = tuple(input.shape[-2:])
    conv_output_size(size, layer.kernel_size, layer.stride, layer.padding, layer.dilation)
    _check_border(size, layer)


# How many pixels more than the padding a map must have for it to be reflected or to go round.
SPARE_PIXELS = {"reflect": 1, "circular": 0}


def _check_border(size: tuple[int, ...], layer: nn.Conv2d) -> None:
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


def layer_with(kind: type[Layer], weight: Tensor, bias: Tensor | None, **settings: object) -> Layer:
    """Return a layer of PyTorch's with copies of these numbers, in their dtype and place."""
    numbers = {"bias": bias is not None, "device": weight.device, "dtype": weight.dtype}
    # As its numbers come from elsewhere, it need not draw any.
    layer = nn.utils.skip_init(kind, **settings, **numbers)
    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None:
            layer.bias.copy_(bias)
    return layer


def plain_conv2d(
    weight: Tensor, bias: Tensor | None, like: nn.Conv2d, groups: int = 1
) -> nn.Conv2d:
    """Return an `nn.Conv2d` with copies of these numbers, and the window of another layer."""
    names = ("kernel_size", "stride", "padding", "dilation", "padding_mode")
    return layer_with(
        nn.Conv2d,
        weight,
        bias,
        in_channels=weight.shape[1] * groups,
        out_channels=weight.shape[0],
        groups=groups,
        **{name: getattr(like, name) for name in names},
    )
