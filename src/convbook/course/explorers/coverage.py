"""Coverage: which pixels a dilated stack or a transposed convolution reaches, and how often."""

from html import escape
from math import gcd
from typing import NamedTuple

import traitlets

from convbook._checks.arguments import integer
from convbook.arithmetic.coverage import dilation_coverage, is_even_overlap, transposed_coverage
from convbook.course.explorers.base import Explorer, given, preset_of
from convbook.course.explorers.grids import counted, html_table
from convbook.course.explorers.sources import module_source
from convbook.course.explorers.traits import Choice, Whole

# What page and kernel accept: the smallest and the largest of each. `dilations` is the dilation of
# a layer of the stack, `dilation` that of the transposed convolution.
LIMITS = {
    "layers": (1, 6),
    "dilations": (1, 16),
    "kernel_size": (1, 7),
    "stride": (1, 4),
    "dilation": (1, 3),
    "size": (1, 8),
}
# Sees all that six layers of 7 taps with dilation 16 see.
LARGEST_POSITION = 6 * 6 * 16
SETTINGS = ("mode", "dilations", "kernel_size", "stride", "dilation", "size")


class Preset(NamedTuple):
    """What a button sets: its label, the settings, and what to notice."""

    label: str
    settings: dict
    note: str


def _stack(dilations, kernel_size=3):
    return {"mode": "dilated", "dilations": dilations, "kernel_size": kernel_size}


def _transposed(kernel_size, stride, dilation=1):
    window = {"kernel_size": kernel_size, "stride": stride, "dilation": dilation}
    return {"mode": "transposed", **window}


PRESETS = {
    "fixed": Preset(
        "2, 2, 2",
        _stack((2, 2, 2)),
        "Every step is 2 pixels long, so every second pixel is out of reach: gridding.",
    ),
    "plain": Preset("1, 1, 1", _stack((1, 1, 1)), "No dilation: no holes, and the smallest field."),
    "hybrid": Preset(
        "1, 2, 5",
        _stack((1, 2, 5)),
        "As many weights as 2, 2, 2, a larger field, and no holes.",
    ),
    "doubling": Preset(
        "1, 2, 4, 8",
        _stack((1, 2, 4, 8)),
        "The field more than doubles with each layer, and nothing is skipped.",
    ),
    "long": Preset(
        "1, 2, 4, 8, 16",
        _stack((1, 2, 4, 8, 16)),
        "One layer more, and the field more than doubles again.",
    ),
    "tree": Preset(
        "1, 2, 4, 8, 16, two taps",
        _stack((1, 2, 4, 8, 16), 2),
        "A binary tree: one path to each pixel, none wasted. WaveNet stacks its layers like this.",
    ),
    "uneven": Preset(
        "kernel 3, stride 2",
        _transposed(3, 2),
        "Every second pixel gets twice as many taps: a checkerboard on a map.",
    ),
    "even": Preset(
        "kernel 4, stride 2", _transposed(4, 2), "Each pixel inside gets as many taps as any other."
    ),
    "tiles": Preset(
        "kernel 2, stride 2",
        _transposed(2, 2),
        "The stamps lie side by side and never overlap.",
    ),
    "gaps": Preset(
        "kernel 2, stride 3",
        _transposed(2, 3),
        "The kernel is smaller than the stride: some pixels get nothing but the bias.",
    ),
    "shared": Preset(
        "kernel 4, stride 2, dilation 2",
        _transposed(4, 2, 2),
        "The stride divides the kernel, yet all taps fall on every second pixel.",
    ),
}

_DEFAULT = PRESETS["fixed"].settings


class _Dilations(traitlets.TraitType):
    """The dilation of each layer, first layer first."""

    def validate(self, _, value):
        """Return the dilations as a tuple of ints, or raise."""
        if not isinstance(value, (tuple, list)):
            raise TypeError(f"{self.name}={value!r} is no list; use one such as [1, 2, 5]")
        integer(len(value), f"len({self.name})", *LIMITS["layers"])
        return tuple(
            integer(one, f"{self.name}[{i}]", *LIMITS["dilations"]) for i, one in enumerate(value)
        )


def dilation_reason(dilations, kernel_size):
    """Return why a stack has holes or none, in a sentence.

    Sorted, the dilations fill the field without a hole exactly if none is larger than the number of
    positions that the smaller ones fill together; before the first, that is one.
    """
    if kernel_size == 1:
        return "No holes: with one tap, an output sees one position."
    filled, steps = 1, []
    for dilation in sorted(dilations):
        if dilation > filled:
            return (
                "Holes: taken by size, a dilation may be at most the number of positions that the "
                f"smaller ones fill, but {dilation} > {filled}."
            )
        steps.append(f"{dilation} ≤ {filled}")
        filled += (kernel_size - 1) * dilation
    return (
        "No holes: taken by size, no dilation is larger than the number of positions that the "
        f"smaller ones fill: {', '.join(steps)}."
    )


def overlap_reason(kernel_size, stride, dilation):
    """Return why a transposed convolution overlaps evenly or not, in a sentence."""
    common = gcd(dilation, stride)
    if is_even_overlap(kernel_size, stride, dilation):
        return (
            f"Even: stride {stride} divides kernel_size {kernel_size} and shares no factor with "
            f"dilation {dilation}."
        )
    causes = []
    if kernel_size % stride:
        causes.append(f"stride {stride} does not divide kernel_size {kernel_size}")
    if common > 1:
        causes.append(f"stride {stride} and dilation {dilation} share the factor {common}")
    return f"Uneven: {', and '.join(causes)}."


def inner_taps(kernel_size, stride, dilation):
    """Return the taps that repeat away from the borders, the smallest ones first."""
    counts = [0] * stride
    for tap in range(kernel_size):
        counts[tap * dilation % stride] += 1
    return min(counts[turn:] + counts[:turn] for turn in range(stride))


class CoverageExplorer(Explorer):
    """Count, pixel by pixel, what a dilated stack sees or what a transposed convolution reaches.

    Every argument but `preset` is an attribute too, read and written by page and kernel alike;
    `counts`, `summary`, `reason` and `code` follow from them.

    Args:
        dilations: of the stack's layers, first layer first: 1 to 6 of them, each 1 to 16.
        mode: 'dilated', a stack of dilated layers with stride 1, or 'transposed', one transposed
            convolution.
        kernel_size: taps of every layer, 1 to 7.
        stride: of the transposed convolution, 1 to 4.
        dilation: of the transposed convolution, 1 to 3.
        size: input pixels of the transposed convolution, 1 to 8.
        position: the pixel whose paths are lit first, from the leftmost, 0; left out, the middle.
        preset: a key of `PRESETS`, 'fixed' (the default) to 'shared': what every argument left out
            is taken from.

    Raises:
        ValueError: a value is out of range.
        TypeError: a value is not of its kind.

    Example:
        >>> explorer = CoverageExplorer([2, 2, 2])
        >>> explorer.counts
        [1, 0, 3, 0, 6, 0, 7, 0, 6, 0, 3, 0, 1]
        >>> explorer.summary
        '3 layers of 3 taps: 7 of 13 positions reached, 6 holes; on a map, 49 of 169 pixels.'

    Source: Wang et al., arXiv 1702.08502, section 3.2; Odena, Dumoulin and Olah, Distill 2016.
    """

    _explorer = "coverage"
    _esm = module_source("coverage")

    mode = Choice("dilated", "transposed").tag(sync=True)
    dilations = _Dilations(_DEFAULT["dilations"]).tag(sync=True)
    kernel_size = Whole(3, *LIMITS["kernel_size"]).tag(sync=True)
    stride = Whole(2, *LIMITS["stride"]).tag(sync=True)
    dilation = Whole(1, *LIMITS["dilation"]).tag(sync=True)
    size = Whole(6, *LIMITS["size"]).tag(sync=True)
    position = Whole(0, 0, LARGEST_POSITION).tag(sync=True)
    presets = traitlets.List(read_only=True).tag(sync=True)
    limits = traitlets.Dict(read_only=True).tag(sync=True)

    @traitlets.default("presets")
    def _all_presets(self):
        return [{"key": key, **preset._asdict()} for key, preset in PRESETS.items()]

    @traitlets.default("limits")
    def _all_limits(self):
        return LIMITS

    def __init__(
        self,
        dilations=None,
        *,
        mode=None,
        kernel_size=None,
        stride=None,
        dilation=None,
        size=None,
        position=None,
        preset=None,
    ):
        chosen = given(
            dilations=dilations,
            mode=mode,
            kernel_size=kernel_size,
            stride=stride,
            dilation=dilation,
            size=size,
        )
        super().__init__(**(preset_of(PRESETS, preset, "fixed").settings | chosen))
        self.position = self._middle if position is None else position
        if self.position >= len(self.counts):
            raise ValueError(
                f"position={self.position} is beyond the last; use 0 to {len(self.counts) - 1}"
            )

    # ------------------------------------------------------------ numbers

    @property
    def counts(self):
        """Paths to each pixel of the receptive field, or taps of each output pixel."""
        if self.mode == "dilated":
            return dilation_coverage(self.dilations, self.kernel_size)
        return transposed_coverage(self.size, self.kernel_size, self.stride, self.dilation)

    @property
    def reached(self):
        """How many positions are reached at all."""
        return sum(count > 0 for count in self.counts)

    @property
    def _middle(self):
        return (len(self.counts) - 1) // 2

    # ------------------------------------------------------------ words

    @property
    def summary(self):
        """What is reached, in a sentence."""
        total, reached = len(self.counts), self.reached
        if self.mode == "dilated":
            return (
                f"{counted(len(self.dilations), 'layer')} of {counted(self.kernel_size, 'tap')}: "
                f"{reached} of {counted(total, 'position')} reached, "
                f"{counted(total - reached, 'hole')}; on a map, {reached**2} of "
                f"{counted(total**2, 'pixel')}."
            )
        inner = inner_taps(self.kernel_size, self.stride, self.dilation)
        ends = f"{counted(self.size, 'pixel')} in, {total} out"
        if len(set(inner)) == 1:
            taps = counted(inner[0], "tap")
            return f"{ends}: away from the borders {taps} on each pixel, {inner[0] ** 2} on a map."
        tile = " / ".join(", ".join(str(a * b) for b in inner) for a in inner)
        repeated = ", ".join(map(str, inner))
        return f"{ends}: away from the borders the taps repeat {repeated}; on a map, {tile}."

    @property
    def reason(self):
        """Why there are holes or none, or why the overlap is even or uneven, in a sentence."""
        if self.mode == "dilated":
            return dilation_reason(self.dilations, self.kernel_size)
        return overlap_reason(self.kernel_size, self.stride, self.dilation)

    @property
    def place(self):
        """What reaches the position that is lit, in a sentence."""
        position = min(self.position, len(self.counts) - 1)
        count = self.counts[position]
        if self.mode == "dilated":
            paths = counted(self.kernel_size ** len(self.dilations), "path")
            if count == 0:
                return f"Position {position}: a hole, none of the {paths} ends here."
            return f"Position {position}: {count} of the {paths} {_ends(count)} here."
        if count == 0:
            return f"Output {position}: no tap, nothing but the bias."
        reach = self.dilation * (self.kernel_size - 1)
        sources = [
            pixel
            for pixel in range(self.size)
            if 0 <= position - pixel * self.stride <= reach
            and (position - pixel * self.stride) % self.dilation == 0
        ]
        pixels = f"input pixel{'' if count == 1 else 's'} {', '.join(map(str, sources))}"
        return f"Output {position}: {counted(count, 'tap')}, from {pixels}."

    @property
    def code(self):
        """The line that computes `counts`."""
        if self.mode == "dilated":
            return f"dilation_coverage({list(self.dilations)}, kernel_size={self.kernel_size})"
        dilation = f", dilation={self.dilation}" if self.dilation > 1 else ""
        return (
            f"transposed_coverage({self.size}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}{dilation})"
        )

    def __repr__(self):
        options = {name: getattr(self, name) for name in SETTINGS[2:]}
        if self.position != self._middle:
            options["position"] = self.position
        text = ", ".join(f"{name}={value!r}" for name, value in options.items())
        return f"CoverageExplorer({list(self.dilations)}, mode={self.mode!r}, {text})"

    def static_html(self):
        """Return the counts as a table, with what they say and the line that computes them."""
        dilated = self.mode == "dilated"
        positions = [f'<th scope="col">{i}</th>' for i in range(len(self.counts))]
        cells = [
            f"<td>{count}</td>" if count else '<td class="cb-hole">0</td>' for count in self.counts
        ]
        title = "Paths from one output to each input position"
        if not dilated:
            title = "Taps on each output position"
        heads = ("position", "paths" if dilated else "taps")
        rows = [
            [f'<th scope="row">{head}</th>', *row]
            for head, row in zip(heads, (positions, cells), strict=True)
        ]
        table = html_table(title, rows)
        return (
            '<div class="convbook-root cb-static cb-coverage-static">'
            f'<div class="cb-wide" tabindex="0" role="region" aria-label="{title}">{table}</div>'
            f"<p>{escape(self.summary)} {escape(self.reason)}</p>"
            f"<p><code>{escape(self.code)}</code></p></div>"
        )


def _ends(count):
    return "ends" if count == 1 else "end"
