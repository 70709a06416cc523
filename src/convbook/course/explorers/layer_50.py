"""What reaches layer 50: signal, gradient and first steps of deep stacks, recorded by PyTorch."""

import math
import statistics
from html import escape
from itertools import pairwise
from urllib.parse import quote

import traitlets

from convbook.course import runs
from convbook.course.colours import CURVES, PADDING
from convbook.course.explorers.base import Explorer, given
from convbook.course.explorers.grids import html_table, side_by_side
from convbook.course.explorers.sources import module_source
from convbook.course.explorers.traits import Choice

RECORD = "07_layer_50"
# The names of the record; only the static form needs words for them here.
NETWORKS = {
    "plain": "Plain",
    "batch_norm": "Batch norm",
    "skip": "Skip only",
    "residual": "Residual",
    "pre_activation": "Pre-activation",
}
INITIALISATIONS = {
    "default": "PyTorch\u2019s",
    "glorot": "Glorot",
    "he": "He",
    "large": "Twice He",
    "zero": "Zero-gamma",
}
WITHOUT_SKIPS = ("plain", "batch_norm")
DEPTHS = (6, 10, 20, 50)
PAIRS = tuple(
    f"{network}.{initialisation}"
    for network in NETWORKS
    for initialisation in INITIALISATIONS
    if not (network in WITHOUT_SKIPS and initialisation == "zero")
)
LOST = 10_000  # what a page gets for a loss that is no number
HIGHEST_LOSS = 99.99
WIDTH, HEIGHT, DECADES = 150, 100, (-22, 18)  # of a static panel


def numbers_of(line):
    """Return the numbers of one line of the record; a loss that is none is infinite."""
    return [math.inf if word == "-" else float(word) for word in line.split()]


def recorded():
    """Return the recorded series by name, such as "plain.he".

    Each has `signal`, a list for each seed, and by depth `gradient` and `loss`, likewise.
    """

    def series(lines):
        return [numbers_of(line) for line in lines]

    return {
        f"{one['network']}.{one['initialisation']}": {
            "signal": series(one["signal"]),
            "gradient": {int(depth): series(lines) for depth, lines in one["gradient"].items()},
            "loss": {int(depth): series(lines) for depth, lines in one["loss"].items()},
        }
        for one in runs.load(RECORD)["runs"]
    }


def _packed(codes):
    """Return whole numbers as text: a character for each step, a long one as ~number;."""
    steps = [b - a for a, b in pairwise([0, *codes])]
    return "".join(chr(80 + step) if abs(step) <= 45 else f"~{step};" for step in steps)


def _decades(curves):
    return [_packed([round(100 * math.log10(share)) for share in curve]) for curve in curves]


def _losses(curves):
    def code(loss):
        return LOST if loss == math.inf else round(100 * min(loss, HIGHEST_LOSS))

    return [_packed([code(loss) for loss in curve]) for curve in curves]


def packed():
    """Return the record as the page gets it: hundredths of decades, and of the loss, as text."""
    return {
        name: {
            "signal": _decades(one["signal"]),
            "gradient": [_decades(one["gradient"][depth]) for depth in DEPTHS],
            "loss": [_losses(one["loss"][depth]) for depth in DEPTHS],
        }
        for name, one in recorded().items()
    }


class WhatReachesLayer50(Explorer):
    """See what is left of signal and gradient in a deep stack, and whether it learns.

    Args:
        network: "plain", "batch_norm", "skip", "residual" or "pre_activation".
        initialisation: "default" (PyTorch's), "glorot", "he", "large" (twice He's weights), or for
            a network with skips "zero" (each branch starts at zero).
        depth: how many layers: 6, 10, 20 or 50.
        against: what is shown in grey, such as "plain.he"; "" is nothing.

    Raises:
        ValueError: a value is not one of these.

    Example:
        >>> WhatReachesLayer50("residual", "zero", 20)
        WhatReachesLayer50('residual', 'zero', 20)

    Source: recorded by `benchmarks/record_07_layer_50.py`; Glorot and Bengio 2010; He et al.,
    arXiv 1502.01852, 1512.03385 and 1603.05027; Yang et al., arXiv 1902.08129.
    """

    _explorer = "layer_50"
    _esm = module_source("layer_50")

    network = Choice(*NETWORKS).tag(sync=True)
    initialisation = Choice(*INITIALISATIONS).tag(sync=True)
    depth = Choice(50, *DEPTHS[:-1]).tag(sync=True)
    against = Choice("", *PAIRS).tag(sync=True)
    runs = traitlets.Dict(read_only=True).tag(sync=True)

    def __init__(self, network=None, initialisation=None, depth=None, *, against=None):
        settings = {"network": network, "initialisation": initialisation, "depth": depth}
        super().__init__(**given(**settings, against=against))
        if self.chosen != self.initialisation:
            raise ValueError(
                f"initialisation='zero' needs a skip, which network={self.network!r} has not; use "
                "network='skip', 'residual' or 'pre_activation'"
            )
        self.set_trait("runs", packed())

    @property
    def chosen(self):
        """The initialisation, or He's where the network has no branch that could start at zero."""
        return self.initialisation if f"{self.network}.{self.initialisation}" in PAIRS else "he"

    @property
    def code(self):
        """The line that makes this explorer."""
        return repr(self)

    def __repr__(self):
        against = f", against={self.against!r}" if self.against else ""
        return f"WhatReachesLayer50({self.network!r}, {self.chosen!r}, {self.depth}{against})"

    def static_html(self):
        """Return small multiples of all networks, 50 layers deep, and their ends as a table."""
        found = recorded()
        figures = []
        for network, title in NETWORKS.items():
            ends = [name for name in PAIRS if name.startswith(f"{network}.")]
            alt = f"{title}: signal and gradient by layer, one line for each initialisation"
            image = quote(_drawing([found[name] for name in ends]), safe=" ='/:")
            figures.append(
                f'<div><p>{title}</p><img src="data:image/svg+xml,{image}" alt="{alt}" '
                f'style="width: {2 * WIDTH}px; max-width: 100%"></div>'
            )
        title = "Signal behind layer 50; gradient at the first"
        return (
            '<div class="convbook-root cb-static">'
            f"{side_by_side(figures)}<p>{_key()}</p>"
            f'<div class="cb-wide" tabindex="0" role="region" aria-label="{title}">'
            f"{html_table(title, _ends(found))}</div>"
            f"<p><code>{escape(self.code)}</code></p></div>"
        )


def _ends(found):
    """Return the rows of a table: a row for each network, a column for each initialisation."""
    rows = [[f'<th scope="col">{word}</th>' for word in ("network", *INITIALISATIONS.values())]]
    for network, title in NETWORKS.items():
        row = [f'<th scope="row">{title}</th>']
        for initialisation in INITIALISATIONS:
            one = found.get(f"{network}.{initialisation}")
            cell = ""
            if one:
                signal = statistics.median(curve[-1] for curve in one["signal"])
                gradient = statistics.median(curve[0] for curve in one["gradient"][DEPTHS[-1]])
                cell = f"{signal:.2g}; {gradient:.2g}"
            row.append(f"<td>{cell}</td>")
        rows.append(row)
    return rows


def _drawing(series):
    """Return medians as an SVG picture: signal on the left, gradient on the right."""
    low, high = DECADES
    paths = []
    for one, colour in zip(series, CURVES, strict=False):
        for left, curves in ((0, one["signal"]), (WIDTH, one["gradient"][DEPTHS[-1]])):
            medians = [statistics.median(column) for column in zip(*curves, strict=True)]
            points = [
                f"{left + 5 + i * (WIDTH - 10) / (len(medians) - 1):.0f} "
                f"{HEIGHT * (high - math.log10(share)) / (high - low):.0f}"
                for i, share in enumerate(medians)
            ]
            paths.append(f"<path stroke='{colour}' d='M{'L'.join(points)}'/>")
    middle = HEIGHT * high / (high - low)
    cross = f"M0 {middle:.0f}H{2 * WIDTH}M{WIDTH} 0V{HEIGHT}"
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {2 * WIDTH} {HEIGHT}' fill='none' "
        f"stroke-width='2'><path stroke='{PADDING}' stroke-width='.5' d='{cross}'/>"
        f"{''.join(paths)}</svg>"
    )


def _key():
    """Return which colour is which initialisation, and what the pictures show."""
    names = [
        f'<span style="color: {colour}">■</span> {escape(name)}'
        for name, colour in zip(INITIALISATIONS.values(), CURVES, strict=True)
    ]
    what = "Left the signal, right the gradient, by layer; the line across is 1, what was sent in"
    low, high = (f"10<sup>{power}</sup>".replace("-", "\u2212") for power in DECADES)
    return f"{what}. From {low} to {high}. {', '.join(names)}"
