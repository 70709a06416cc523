"""Cost: parameters and multiply-adds of a convolution and of three cheaper ones."""

from html import escape
from typing import NamedTuple

from convbook.arithmetic import conv_macs, conv_output_size, conv_params
from convbook.course.explorers.base import Explorer, given, preset_of
from convbook.course.explorers.grids import html_table
from convbook.course.explorers.sources import module_source
from convbook.course.explorers.traits import Choice, Odd, Switch, Whole

KINDS = ("standard", "grouped", "depthwise_separable", "spatially_separable")
# What page and kernel accept: the smallest and the largest of each. The largest MACs stay below
# 2**53, where JavaScript still counts by one.
LIMITS = {
    "in_channels": (1, 4096),
    "out_channels": (1, 4096),
    "kernel_size": (1, 11),
    "groups": (1, 4096),
    "input_size": (1, 1024),
    "stride": (1, 2),
}
SETTINGS = (*LIMITS, "bias", "middle")


def _preset(show, *numbers, bias=False):
    settings = dict(zip(LIMITS, (*numbers, 1), strict=True))
    return settings | {"bias": bias, "middle": "in", "show": show}


PRESETS = {
    "example": _preset("depthwise_separable", 16, 32, 3, 4, 32),
    "mobilenet": _preset("depthwise_separable", 512, 512, 3, 8, 14),
    "alexnet": _preset("grouped", 96, 256, 5, 2, 27, bias=True),
    "resnext": _preset("grouped", 128, 128, 3, 32, 56),
    "inception": _preset("spatially_separable", 192, 192, 7, 4, 17),
    "pointwise": _preset("depthwise_separable", 16, 32, 1, 4, 32),
}


class Conv(NamedTuple):
    """One layer, padded to keep the size at stride 1; kernel and stride are (rows, columns)."""

    inputs: int
    outputs: int
    kernel: tuple
    stride: tuple
    groups: int = 1


def layers_of(kind, settings):
    """Return the layers of a kind of convolution."""
    first, last, k, groups, _, s, _, middle = settings.values()
    if kind == "depthwise_separable":
        return Conv(first, first, (k, k), (s, s), first), Conv(first, last, (1, 1), (1, 1))
    if kind == "spatially_separable":
        between = first if middle == "in" else last
        return Conv(first, between, (k, 1), (s, 1)), Conv(between, last, (1, k), (1, s))
    return (Conv(first, last, (k, k), (s, s), groups if kind == "grouped" else 1),)


def cost_of(kind, settings):
    """Return parameters and MACs of a kind, two tuples with a number for each layer.

    Raises ValueError when the groups do not divide the channels.
    """
    size, bias = (settings["input_size"],) * 2, settings["bias"]
    params, macs = [], []
    for one in layers_of(kind, settings):
        padding = tuple(side // 2 for side in one.kernel)
        size = conv_output_size(size, one.kernel, one.stride, padding)
        params.append(conv_params(one.inputs, one.outputs, one.kernel, one.groups, bias))
        macs.append(conv_macs(one.inputs, one.outputs, one.kernel, size, one.groups))
    return tuple(params), tuple(macs)


def pytorch_lines(kind, settings):
    """Return the expression that makes this kind with PyTorch."""
    layers = [_layer_call(one, settings["bias"]) for one in layers_of(kind, settings)]
    if len(layers) == 1:
        return layers[0]
    return "nn.Sequential(\n" + "".join(f"    {layer},\n" for layer in layers) + ")"


def _layer_call(layer, bias):
    padding = tuple(side // 2 for side in layer.kernel)
    arguments = [str(layer.inputs), str(layer.outputs), _one_or_pair(layer.kernel)]
    if max(layer.stride) > 1:
        arguments.append(f"stride={_one_or_pair(layer.stride)}")
    if max(padding):
        arguments.append(f"padding={_one_or_pair(padding)}")
    if layer.groups > 1:
        arguments.append(f"groups={layer.groups}")
    if not bias:
        arguments.append("bias=False")
    return f"nn.Conv2d({', '.join(arguments)})"


def _one_or_pair(sides):
    return str(sides[0] if sides[0] == sides[1] else sides)


class CostExplorer(Explorer):
    """Compare what a convolution costs with what grouped and separable ones cost in its place.

    Every argument but `preset` is an attribute too, read and written by page and kernel alike;
    `params`, `macs` and `code` (the PyTorch lines) follow from them. Padding is
    `(kernel_size - 1) / 2`: at stride 1 the map keeps its size.

    Args:
        in_channels: 1 to 4096.
        out_channels: 1 to 4096.
        kernel_size: odd, 1 to 11.
        groups: of the grouped convolution; divides both channel numbers.
        input_size: pixels along each side of the map that comes in, 1 to 1024.
        stride: 1 or 2; the depthwise layer has it, and the spatial pair has it one axis at a time.
        bias: whether each layer has one.
        middle: 'in' or 'out': the spatial pair has as many channels between its layers as come in,
            or as go out.
        show: whose formula and code are shown first: 'standard', 'grouped', 'depthwise_separable'
            or 'spatially_separable'.
        preset: 'example' (the default), 'mobilenet', 'alexnet', 'resnext', 'inception' or
            'pointwise': what every argument left out is taken from.

    Raises:
        ValueError: a value is out of range, or `groups` does not divide a channel number.
        TypeError: a value is not of its kind.

    Example:
        >>> explorer = CostExplorer(16, 32, kernel_size=3)
        >>> explorer.params["standard"], explorer.params["depthwise_separable"]
        (4608, 656)
        >>> CostExplorer(bias=True).params["depthwise_separable"]
        704

    Source: Howard et al., MobileNets, arXiv 1704.04861, section 3.1.
    """

    _explorer = "cost"
    _esm = module_source("cost")

    in_channels = Whole(16, *LIMITS["in_channels"]).tag(sync=True)
    out_channels = Whole(32, *LIMITS["out_channels"]).tag(sync=True)
    kernel_size = Odd(3, *LIMITS["kernel_size"]).tag(sync=True)
    groups = Whole(4, *LIMITS["groups"]).tag(sync=True)
    input_size = Whole(32, *LIMITS["input_size"]).tag(sync=True)
    stride = Whole(1, *LIMITS["stride"]).tag(sync=True)
    bias = Switch(False).tag(sync=True)
    middle = Choice("in", "out").tag(sync=True)
    show = Choice(*KINDS).tag(sync=True)

    def __init__(
        self,
        in_channels=None,
        out_channels=None,
        *,
        kernel_size=None,
        groups=None,
        input_size=None,
        stride=None,
        bias=None,
        middle=None,
        show=None,
        preset=None,
    ):
        values = (in_channels, out_channels, kernel_size, groups, input_size, stride, bias, middle)
        chosen = given(**dict(zip(SETTINGS, values, strict=True)), show=show)
        super().__init__(**(preset_of(PRESETS, preset, "example") | chosen))
        if self.problem:
            raise ValueError(self.problem)

    @property
    def settings(self):
        """All that the four convolutions share, by name."""
        return {name: getattr(self, name) for name in SETTINGS}

    @property
    def problem(self):
        """Why there is no grouped convolution, with the remedy; None when there is one."""
        try:
            cost_of("grouped", self.settings)
        except ValueError as error:
            return str(error)
        return None

    @property
    def costs(self):
        """Kind -> its `cost_of`; no grouped one if `problem` says so."""
        kinds = [kind for kind in KINDS if kind != "grouped" or not self.problem]
        return {kind: cost_of(kind, self.settings) for kind in kinds}

    @property
    def params(self):
        """Kind -> the number of its parameters."""
        return {kind: sum(params) for kind, (params, _) in self.costs.items()}

    @property
    def macs(self):
        """Kind -> its multiply-adds for one image."""
        return {kind: sum(macs) for kind, (_, macs) in self.costs.items()}

    @property
    def code(self):
        """The PyTorch lines that make the kind shown; "" for a grouped one that cannot be."""
        return pytorch_lines(self.show, self.settings) if self.show in self.params else ""

    def __repr__(self):
        settings = self.settings
        for key, preset in PRESETS.items():
            if preset == settings | {"show": preset["show"]}:
                show = "" if preset["show"] == self.show else f", show={self.show!r}"
                return f"CostExplorer(preset={key!r}{show})"
        options = ", ".join(f"{name}={settings[name]!r}" for name in SETTINGS[2:])
        channels = f"{self.in_channels}, {self.out_channels}"
        return f"CostExplorer({channels}, {options}, show={self.show!r})"

    def static_html(self):
        """Return the cost of the four convolutions as a table, with the code of the one shown."""
        head = "".join(f'<th scope="col">{t}</th>' for t in ("convolution", "parameters", "MACs"))
        rows, params, macs = [], self.params, self.macs
        for kind in KINDS:
            texts = [f"{sums[kind]:,}" if kind in sums else "none" for sums in (params, macs)]
            title = f'<th scope="row" style="text-align: left">{kind.replace("_", " ")}</th>'
            rows.append([title, *(f"<td>{text}</td>" for text in texts)])
        caption = f"{self.in_channels} to {self.out_channels} channels, map size {self.input_size}"
        table = html_table(caption, rows, f"<thead><tr>{head}</tr></thead>")
        style = "display: block; margin-top: 0.6rem; white-space: pre-wrap"
        code = f'<code style="{style}">{escape(self.code)}</code>' if self.code else ""
        return f'<div class="convbook-root cb-static">{table}{code}</div>'
