"""The convolutions that the cost explorer compares: their layers, formulas and PyTorch lines.

All of it follows from a few symbols: k is the kernel size, s the stride, g the number of groups, n
the size of the map that comes in and m of the one that goes out; C_in, C_mid and C_out count the
channels before, between and after the layers of a pair.
"""

import re
from typing import NamedTuple

from convbook.arithmetic import conv_macs, conv_output_size, conv_params


class Part(NamedTuple):
    """One layer, in symbols: (rows, columns) of kernel and stride, channels and groups."""

    kernel: tuple
    stride: tuple
    inputs: str
    outputs: str
    groups: str = "1"


class Kind(NamedTuple):
    """A way to convolve: its name, what it does, its layers, and the ratio of its weights.

    The ratio is that to the weights of the standard convolution, without biases.
    """

    label: str
    what: str
    parts: tuple
    ratio: str


_SQUARE = {"kernel": ("k", "k"), "stride": ("s", "s"), "inputs": "C_in"}

KINDS = {
    "standard": Kind("Standard", "k×k", (Part(**_SQUARE, outputs="C_out"),), "1"),
    "grouped": Kind(
        "Grouped", "k×k, groups=g", (Part(**_SQUARE, outputs="C_out", groups="g"),), "1/g"
    ),
    "depthwise_separable": Kind(
        "Depthwise separable",
        "k×k depthwise, then 1×1",
        (
            Part(**_SQUARE, outputs="C_in", groups="C_in"),
            Part(("1", "1"), ("1", "1"), "C_in", "C_out"),
        ),
        "1/C_out + 1/(k·k)",
    ),
    "spatially_separable": Kind(
        "Spatially separable",
        "k×1, then 1×k",
        (
            Part(("k", "1"), ("s", "1"), "C_in", "C_mid"),
            Part(("1", "k"), ("1", "s"), "C_mid", "C_out"),
        ),
        "C_mid·(C_in + C_out)/(k·C_in·C_out)",
    ),
}


class Settings(NamedTuple):
    """What all of them share, as numbers; `middle` says how wide the spatial pair is between."""

    in_channels: int
    out_channels: int
    kernel_size: int
    groups: int
    input_size: int
    stride: int
    bias: bool
    middle: str

    @property
    def values(self):
        """The number behind each symbol but n and m, which follow from a layer's place."""
        return {
            "1": 1,
            "k": self.kernel_size,
            "s": self.stride,
            "g": self.groups,
            "C_in": self.in_channels,
            "C_mid": self.in_channels if self.middle == "in" else self.out_channels,
            "C_out": self.out_channels,
        }


class Preset(NamedTuple):
    """Settings with a name, what to notice, and which kind is shown first."""

    label: str
    settings: Settings
    show: str
    note: str


PRESETS = {
    "example": Preset(
        "16 to 32 channels",
        Settings(16, 32, 3, 4, 32, 1, False, "in"),
        "depthwise_separable",
        "The depthwise separable pair has 656 weights where the standard convolution has 4,608.",
    ),
    "mobilenet": Preset(
        "MobileNet",
        Settings(512, 512, 3, 8, 14, 1, False, "in"),
        "depthwise_separable",
        "One of the five equal blocks in the middle of MobileNet v1. All but 2 % of its work is in "
        "the 1×1 convolution.",
    ),
    "alexnet": Preset(
        "AlexNet",
        Settings(96, 256, 5, 2, 27, 1, True, "in"),
        "grouped",
        "The second layer of AlexNet as it was published, in two groups, one for each GPU: half "
        "the weights.",
    ),
    "resnext": Preset(
        "ResNeXt",
        Settings(128, 128, 3, 32, 56, 1, False, "in"),
        "grouped",
        "The 3×3 convolution of a ResNeXt-50 block (32x4d): 32 groups of 4 channels each.",
    ),
    "inception": Preset(
        "Inception 7×7",
        Settings(192, 192, 7, 4, 17, 1, False, "in"),
        "spatially_separable",
        "A pair from Inception v3, which has no 7×7 convolution: two sevenths of its weights.",
    ),
    "pointwise": Preset(
        "1×1",
        Settings(16, 32, 1, 4, 32, 1, False, "in"),
        "depthwise_separable",
        "A 1×1 kernel leaves nothing to separate: both pairs cost more than one convolution.",
    ),
}


class Cost(NamedTuple):
    """Parameters and multiply-adds, a number for each layer."""

    params: tuple
    macs: tuple


def cost_of(kind, settings):
    """Return the `Cost` of a kind. Raises ValueError when the groups do not divide the channels."""
    values = settings.values
    size = (settings.input_size,) * 2
    params, macs = [], []
    for part in KINDS[kind].parts:
        kernel = tuple(values[side] for side in part.kernel)
        stride = tuple(values[side] for side in part.stride)
        size = conv_output_size(size, kernel, stride, _padding(kernel))
        inputs, outputs, groups = values[part.inputs], values[part.outputs], values[part.groups]
        params.append(conv_params(inputs, outputs, kernel, groups, settings.bias))
        macs.append(conv_macs(inputs, outputs, kernel, size, groups))
    return Cost(tuple(params), tuple(macs))


def _padding(kernel):
    """Return the padding that keeps the size at stride 1; the sides are odd."""
    return tuple(side // 2 for side in kernel)


# ---------------------------------------------------------------- formulas


def in_numbers(text, settings):
    """Return a formula or a name with the numbers put in for its symbols."""
    values = settings.values | {
        "n": settings.input_size,
        "m": conv_output_size(settings.input_size, 1, settings.stride),
    }
    return re.sub(r"C_(in|mid|out)|\b[kgnm]\b", lambda symbol: str(values[symbol[0]]), text)


def params_formula(kind, settings):
    """Return the formula of the parameters, in symbols."""
    return " + ".join(_weights(part, settings.bias) for part in KINDS[kind].parts)


def macs_formula(kind, settings):
    """Return the formula of the multiply-adds, in symbols; the map is put outside the brackets."""
    size, maps = ["n", "n"], []
    for part in KINDS[kind].parts:
        if settings.stride > 1:
            steps = zip(size, part.stride, strict=True)
            size = ["m" if step == "s" else side for side, step in steps]
        maps.append("·".join(size))
    terms = [_weights(part, False) for part in KINDS[kind].parts]
    if len(terms) > 1 and len(set(maps)) == 1:
        return f"{maps[0]}·({' + '.join(terms)})"
    return " + ".join(f"{one}·{term}" for one, term in zip(maps, terms, strict=True))


def _weights(part, bias):
    """Return the formula of one layer's parameters: what a filter has, times the filters."""
    own = [side for side in part.kernel if side != "1"]
    if part.groups == "1":
        own.append(part.inputs)
    elif part.groups != part.inputs:
        own.append(f"{part.inputs}/{part.groups}")
    text = "·".join(own)
    return f"({text} + 1)·{part.outputs}" if bias else f"{text}·{part.outputs}"


# ---------------------------------------------------------------- PyTorch


def pytorch_lines(kind, settings):
    """Return the expression that makes this kind with PyTorch."""
    layers = [_layer_call(part, settings) for part in KINDS[kind].parts]
    if len(layers) == 1:
        return layers[0]
    return "nn.Sequential(\n" + "".join(f"    {layer},\n" for layer in layers) + ")"


def _layer_call(part, settings):
    values = settings.values
    kernel = tuple(values[side] for side in part.kernel)
    stride = tuple(values[side] for side in part.stride)
    padding, groups = _padding(kernel), values[part.groups]
    arguments = [str(values[part.inputs]), str(values[part.outputs]), _one_or_pair(kernel)]
    if max(stride) > 1:
        arguments.append(f"stride={_one_or_pair(stride)}")
    if max(padding):
        arguments.append(f"padding={_one_or_pair(padding)}")
    if groups > 1:
        arguments.append(f"groups={groups}")
    if not settings.bias:
        arguments.append("bias=False")
    return f"nn.Conv2d({', '.join(arguments)})"


def _one_or_pair(sides):
    return str(sides[0] if sides[0] == sides[1] else sides)
