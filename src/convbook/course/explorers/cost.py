"""Cost: parameters and multiply-adds of a convolution and of three cheaper ones."""

from decimal import ROUND_HALF_UP, Context
from html import escape

import traitlets

from convbook.course.explorers.base import Explorer, given, preset_of
from convbook.course.explorers.cost_formulas import (
    KINDS,
    PRESETS,
    Settings,
    cost_of,
    in_numbers,
    params_formula,
    pytorch_lines,
)
from convbook.course.explorers.grids import html_table
from convbook.course.explorers.sources import module_source
from convbook.course.explorers.traits import Choice, Odd, Switch, Whole

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
# Where the sliders of channels and map size stop; any other number is typed.
USUAL = {
    "channels": (1, 2, 3, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 1024, 2048),
    "input_size": (1, 4, 7, 8, 14, 16, 17, 27, 28, 32, 56, 64, 112, 128, 224, 256),
}

_DEFAULT = PRESETS["example"]
_TIMES = "times those of the standard convolution"


def ratio_text(part, whole):
    """Return `part / whole` with three digits, as the page writes it: a tie goes up."""
    three = Context(prec=3, rounding=ROUND_HALF_UP)
    return f"{float(three.create_decimal_from_float(part / whole)):g}"


def _amount(number, noun):
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


class CostExplorer(Explorer):
    """Compare what a convolution costs with what grouped and separable ones cost in its place.

    Every argument but `preset` is an attribute too, read and written by page and kernel alike;
    `params`, `macs`, `summary` and `code` (the PyTorch lines) follow from them. Padding is
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

    in_channels = Whole(_DEFAULT.settings.in_channels, *LIMITS["in_channels"]).tag(sync=True)
    out_channels = Whole(_DEFAULT.settings.out_channels, *LIMITS["out_channels"]).tag(sync=True)
    kernel_size = Odd(_DEFAULT.settings.kernel_size, *LIMITS["kernel_size"]).tag(sync=True)
    groups = Whole(_DEFAULT.settings.groups, *LIMITS["groups"]).tag(sync=True)
    input_size = Whole(_DEFAULT.settings.input_size, *LIMITS["input_size"]).tag(sync=True)
    stride = Whole(_DEFAULT.settings.stride, *LIMITS["stride"]).tag(sync=True)
    bias = Switch(_DEFAULT.settings.bias).tag(sync=True)
    middle = Choice("in", "out").tag(sync=True)
    show = Choice(*KINDS).tag(sync=True)
    kinds = traitlets.List(read_only=True).tag(sync=True)
    presets = traitlets.List(read_only=True).tag(sync=True)
    limits = traitlets.Dict(read_only=True).tag(sync=True)
    usual = traitlets.Dict(read_only=True).tag(sync=True)

    @traitlets.default("kinds")
    def _all_kinds(self):
        return [
            {**kind._asdict(), "key": key, "parts": [part._asdict() for part in kind.parts]}
            for key, kind in KINDS.items()
        ]

    @traitlets.default("presets")
    def _all_presets(self):
        return [
            {**preset._asdict(), "key": key, "settings": preset.settings._asdict()}
            for key, preset in PRESETS.items()
        ]

    @traitlets.default("limits")
    def _all_limits(self):
        return LIMITS

    @traitlets.default("usual")
    def _all_usual(self):
        return USUAL

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
        _, settings, shown, _ = preset_of(PRESETS, preset, "example")
        chosen = given(
            in_channels=in_channels,
            out_channels=out_channels,
            kernel_size=kernel_size,
            groups=groups,
            input_size=input_size,
            stride=stride,
            bias=bias,
            middle=middle,
            show=show,
        )
        super().__init__(**(settings._asdict() | {"show": shown} | chosen))
        if self.problem:
            raise ValueError(self.problem)

    # ------------------------------------------------------------ numbers

    @property
    def settings(self):
        """All that the four convolutions share, as `Settings`."""
        return Settings(*(getattr(self, name) for name in Settings._fields))

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
        """Kind -> a `Cost`, with a number for each layer; no grouped one if `problem` says so."""
        return {
            kind: cost_of(kind, self.settings)
            for kind in KINDS
            if kind != "grouped" or not self.problem
        }

    @property
    def params(self):
        """Kind -> the number of its parameters."""
        return {kind: sum(cost.params) for kind, cost in self.costs.items()}

    @property
    def macs(self):
        """Kind -> its multiply-adds for one image."""
        return {kind: sum(cost.macs) for kind, cost in self.costs.items()}

    # ------------------------------------------------------------ words

    @property
    def summary(self):
        """What the kind shown costs, in a sentence."""
        params, macs = self.params, self.macs
        if self.show not in params:
            return f"{self.problem}."
        words = f"{KINDS[self.show].label}: {_amount(params[self.show], 'parameter')}"
        words += f" and {_amount(macs[self.show], 'MAC')}"
        if self.show == "standard":
            return f"{words}."
        if all(of[self.show] == of["standard"] for of in (params, macs)):
            return f"{words}, as many as the standard convolution."
        ratios = [ratio_text(of[self.show], of["standard"]) for of in (params, macs)]
        if ratios[0] == ratios[1]:
            return f"{words}, {ratios[0]} {_TIMES}."
        return f"{words}, {ratios[0]} and {ratios[1]} {_TIMES}."

    @property
    def code(self):
        """The PyTorch lines that make the kind shown."""
        return pytorch_lines(self.show, self.settings) if self.show in self.params else ""

    def __repr__(self):
        *settings, last = self.settings
        for key, preset in PRESETS.items():
            if preset.settings == self.settings:
                show = "" if preset.show == self.show else f", show={self.show!r}"
                return f"CostExplorer(preset={key!r}{show})"
        names = Settings._fields[2:-1]
        text = ", ".join(f"{n}={v!r}" for n, v in zip(names, settings[2:], strict=True))
        return (
            f"CostExplorer({self.in_channels}, {self.out_channels}, {text}, middle={last!r}, "
            f"show={self.show!r})"
        )

    def static_html(self):
        """Return the four convolutions as a table, with what the one shown costs and its code."""
        titles = ("convolution", "parameters", "ratio", "MACs", "ratio", "formula", "layers")
        head = "".join(f'<th scope="col">{title}</th>' for title in titles)
        params, macs = self.params, self.macs
        body = []
        for key, kind in KINDS.items():
            texts = ["\N{EN DASH}"] * 5
            if key in params:
                texts = [
                    *(f"{params[key]:,}", ratio_text(params[key], params["standard"])),
                    *(f"{macs[key]:,}", ratio_text(macs[key], macs["standard"])),
                    in_numbers(params_formula(key, self.settings), self.settings),
                ]
            texts.append(in_numbers(kind.what, self.settings))
            cells = [f"<td>{text}</td>" for text in texts]
            body.append([f'<th scope="row">{kind.label}</th>', *cells])
        caption = f"{self.in_channels} to {self.out_channels} channels, {self._map_text}"
        table = html_table(caption, body, f"<thead><tr>{head}</tr></thead>")
        code = f"<pre><code>{escape(self.code)}</code></pre>" if self.code else ""
        return (
            '<div class="convbook-root cb-static cb-cost-static">'
            f'<div class="cb-wide" tabindex="0" role="region" aria-label="Costs">{table}</div>'
            f"<p>{escape(self.summary)}</p>{code}</div>"
        )

    @property
    def _map_text(self):
        text = "{n} × {n}" if self.stride == 1 else "{n} × {n} to {m} × {m}"
        sizes = {name: in_numbers(name, self.settings) for name in "nm"}
        return f"maps of {text.format(**sizes)}"
