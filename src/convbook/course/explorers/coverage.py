"""Coverage: which pixels a dilated stack or a transposed convolution reaches, and how often."""

from html import escape

import traitlets

from convbook._checks.arguments import integer
from convbook.arithmetic.coverage import dilation_coverage, transposed_coverage
from convbook.course.explorers.base import Explorer, given, preset_of
from convbook.course.explorers.grids import html_table
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
    "position": (0, 6 * 6 * 16),  # the last that six layers of 7 taps with dilation 16 see
}
SETTINGS = ("mode", "dilations", "kernel_size", "stride", "dilation", "size")


def _stack(dilations, kernel_size=3):
    return {"mode": "dilated", "dilations": dilations, "kernel_size": kernel_size}


def _transposed(kernel_size, stride, dilation=1):
    window = {"kernel_size": kernel_size, "stride": stride, "dilation": dilation}
    return {"mode": "transposed", **window}


PRESETS = {
    "fixed": _stack((2, 2, 2)),
    "plain": _stack((1, 1, 1)),
    "hybrid": _stack((1, 2, 5)),
    "doubling": _stack((1, 2, 4, 8)),
    "long": _stack((1, 2, 4, 8, 16)),
    "tree": _stack((1, 2, 4, 8, 16), 2),
    "uneven": _transposed(3, 2),
    "even": _transposed(4, 2),
    "tiles": _transposed(2, 2),
    "gaps": _transposed(2, 3),
    "shared": _transposed(4, 2, 2),
}


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


class CoverageExplorer(Explorer):
    """Count, pixel by pixel, what a dilated stack sees or what a transposed convolution reaches.

    Every argument but `preset` is an attribute too, read and written by page and kernel alike;
    `counts` and `code` follow from them.

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
        >>> explorer.code
        'dilation_coverage([2, 2, 2], kernel_size=3)'

    Source: Wang et al., arXiv 1702.08502, section 3.2; Odena, Dumoulin and Olah, Distill 2016.
    """

    _explorer = "coverage"
    _esm = module_source("coverage")

    mode = Choice("dilated", "transposed").tag(sync=True)
    dilations = _Dilations(PRESETS["fixed"]["dilations"]).tag(sync=True)
    kernel_size = Whole(3, *LIMITS["kernel_size"]).tag(sync=True)
    stride = Whole(2, *LIMITS["stride"]).tag(sync=True)
    dilation = Whole(1, *LIMITS["dilation"]).tag(sync=True)
    size = Whole(6, *LIMITS["size"]).tag(sync=True)
    position = Whole(0, *LIMITS["position"]).tag(sync=True)

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
        values = (mode, dilations, kernel_size, stride, dilation, size)
        chosen = given(**dict(zip(SETTINGS, values, strict=True)))
        super().__init__(**(preset_of(PRESETS, preset, "fixed") | chosen))
        last = len(self.counts) - 1
        self.position = integer(last // 2 if position is None else position, "position", 0, last)

    @property
    def counts(self):
        """Paths to each pixel of the receptive field, or taps of each output pixel."""
        if self.mode == "dilated":
            return dilation_coverage(self.dilations, self.kernel_size)
        return transposed_coverage(self.size, self.kernel_size, self.stride, self.dilation)

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
        if self.position != (len(self.counts) - 1) // 2:
            options["position"] = self.position
        text = ", ".join(f"{name}={value!r}" for name, value in options.items())
        return f"CoverageExplorer({list(self.dilations)}, mode={self.mode!r}, {text})"

    def static_html(self):
        """Return the counts as a table, with the line that computes them."""
        dilated = self.mode == "dilated"
        title = "Paths to each input position" if dilated else "Taps on each output position"
        positions = [f'<th scope="col">{i}</th>' for i in range(len(self.counts))]
        hole = '<td class="cb-hole">0</td>'
        cells = [f"<td>{count}</td>" if count else hole for count in self.counts]
        rows = [
            ['<th scope="row">position</th>', *positions],
            [f'<th scope="row">{"paths" if dilated else "taps"}</th>', *cells],
        ]
        table = html_table(title, rows)
        return (
            '<div class="convbook-root cb-static cb-coverage-static">'
            f'<div class="cb-wide" tabindex="0" role="region" aria-label="{title}">{table}</div>'
            f"<p><code>{escape(self.code)}</code></p></div>"
        )
