"""Assignment bench: a network as rows, and which of the assignment's seven requirements it meets.

The front end draws and judges; here are the rows, and the same network as a module for the grader.
"""

from html import escape

import traitlets

from convbook._checks.arguments import integer
from convbook.course.explorers.base import Explorer, preset_of
from convbook.course.explorers.grids import html_table
from convbook.course.explorers.sources import module_source
from convbook.course.explorers.traits import Choice

# The smallest and the largest of each setting.
LIMITS = {
    "rows": (1, 18),
    "filters": (1, 1024),
    "kernel_size": (1, 11),
    "stride": (1, 5),
    "padding": (0, 16),
    "dilation": (1, 16),
}
_ALL = ("filters", "kernel_size", "stride", "padding", "dilation")
# What can be set of each kind; a row is (kind, *settings).
KINDS = {
    "conv": _ALL,
    "depthwise": _ALL[1:],
    "pointwise": _ALL[:1],
    "max_pool": _ALL[1:4],
    "average": (),
    "flatten": (),
    "linear": _ALL[:1],
}
PROFILES = ("s7-2020", "s7-2021")
INPUT = (3, 32, 32)


def _rows(*texts):
    """Return rows written as 'c16.3.1.0.1 m2.2.0': the kind's first letter, then its settings."""
    kinds, words = {kind[0]: kind for kind in KINDS}, " ".join(texts).split()
    return [(kinds[word[0]], *map(int, filter(None, word[1:].split(".")))) for word in words]


_HEAD = "a f l10"
_BEGIN = "c16.3.1.1.1 m2.2.0 c32.3.1.1.1 m2.2.0"
PRESETS = {
    "broken": _rows("c16.3.1.0.1 m2.2.0 c32.3.1.0.1 m2.2.0 c64.3.1.0.1 f l1024 l10"),
    "repair_1": _rows("c16.3.1.0.1 m2.2.0 c32.3.1.0.1 m2.2.0 c64.3.1.0.1", _HEAD),
    "repair_2": _rows(_BEGIN, "c64.3.1.1.1 m2.2.0 c64.3.1.1.1", _HEAD),
    "repair_3": _rows(_BEGIN, "c64.3.1.1.1 m2.2.0 c64.3.1.1.1 c64.3.1.1.1", _HEAD),
    "repair_4": _rows(_BEGIN, "c64.3.1.1.1 m2.2.0 c64.3.1.1.1 d3.1.1.1 p64", _HEAD),
    "repair_5": _rows(_BEGIN, "c64.3.1.2.2 m2.2.0 c64.3.1.1.1 d3.1.1.1 p64", _HEAD),
    "second": _rows("c32.5.2.0.1 c64.3.1.0.1 c64.3.2.0.1 m5.5.0 f l10"),
}


class _Rows(traitlets.TraitType):
    """A network: rows (kind, *settings)."""

    def validate(self, _, value):
        """Return the rows as a tuple of tuples, or raise."""
        if not isinstance(value, (tuple, list)):
            raise TypeError(f"{self.name}={value!r} is no list; use one of rows (kind, *settings)")
        integer(len(value), "len(rows)", *LIMITS["rows"])
        return tuple(_checked_row(f"rows[{i}]", row) for i, row in enumerate(value))


def _checked_row(what, row):
    if not isinstance(row, (tuple, list)) or not row:
        raise TypeError(f"{what}={row!r} is no row; use (kind, *settings)")
    kind, *numbers = row
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"{what} is of kind {kind!r}; use {', '.join(map(repr, KINDS))}")
    if len(numbers) != len(KINDS[kind]):
        form = ", ".join([repr(kind), *KINDS[kind]])
        raise ValueError(f"{what}={tuple(row)!r} has {len(numbers)} settings; use ({form})")
    pairs = zip(KINDS[kind], numbers, strict=True)
    return (kind, *(integer(n, f"{what}.{key}", *LIMITS[key]) for key, n in pairs))


class AssignmentBench(Explorer):
    """Edit a network row by row and see which of the seven requirements it meets.

    Args:
        rows: (kind, *settings) for each layer, as in `KINDS`: ("conv", 16, 3, 1, 0, 1). A
            convolution and a pointwise one end in batch norm and ReLU.
        profile: whose requirements: s7-2020 or s7-2021.
        preset: a network of chapter 13: broken, repair_1 to repair_5 or second.
    """

    _explorer = "assignment_bench"
    _esm = module_source("assignment_bench")

    rows = _Rows(PRESETS["broken"]).tag(sync=True)
    profile = Choice(*PROFILES).tag(sync=True)

    def __init__(self, rows=None, *, profile="s7-2020", preset=None):
        network = preset_of(PRESETS, preset, "broken")
        if rows is not None and preset is not None:
            raise ValueError(f"preset={preset!r} brings its own rows; leave preset or rows out")
        super().__init__(rows=network if rows is None else rows, profile=profile)

    @property
    def network(self):
        """The network as an `nn.Module`, without values.

        Raises:
            ValueError: it does not run; the message names the row.
        """
        import torch  # noqa: PLC0415 (an explorer needs no torch to be shown)
        from torch import nn  # noqa: PLC0415

        x, layers = torch.empty(2, *INPUT, device="meta"), nn.Sequential()
        with torch.device("meta"):
            for number, (kind, *numbers) in enumerate(self.rows, 1):
                layer = _module(nn, kind, x.shape[1], numbers, number == len(self.rows))
                try:
                    x = layer(x)
                except RuntimeError as error:
                    raise ValueError(f"rows[{number - 1}] ({kind}): {error}") from None
                layers.add_module(f"{kind.removeprefix('max_')}{number}", layer)
        return layers

    @property
    def code(self):
        """The line that grades the file which the explorer copies."""
        asked = "" if self.profile == PROFILES[0] else f" --profile {self.profile}"
        return f"convbook grade my_net.py:Net{asked}"

    def __repr__(self):
        found = next((key for key, rows in PRESETS.items() if self.rows == tuple(rows)), None)
        shown = f"preset={found!r}" if found else repr([*self.rows])
        profile = "" if self.profile == PROFILES[0] else f", profile={self.profile!r}"
        return f"AssignmentBench({shown}{profile})"

    def static_html(self):
        """Return the rows with sizes, parameters and field, and the requirements."""
        from convbook.grade import grade  # noqa: PLC0415

        try:
            report = grade(self.network, profile=self.profile)
            tables = [_layer_table(self.rows, self.network), _requirement_table(report)]
        except ValueError as error:
            tables = [f"<p>{escape(str(error))}</p>"]
        code = f"<p><code>{escape(self.code)}</code></p>"
        return f'<div class="convbook-root cb-static">{"".join(tables)}{code}</div>'


def _module(nn, kind, channels, numbers, last):
    """Return one row as a module."""
    set_ = dict(zip(KINDS[kind], numbers, strict=True))
    filters = set_.pop("filters", channels)
    if kind in ("conv", "pointwise"):
        layer = nn.Conv2d(channels, filters, set_.pop("kernel_size", 1), bias=False, **set_)
        return nn.Sequential(layer, nn.BatchNorm2d(filters), nn.ReLU())
    if kind == "linear":
        layer = nn.Linear(channels, filters)
        return layer if last else nn.Sequential(layer, nn.ReLU())
    if kind == "depthwise":
        return nn.Conv2d(channels, channels, groups=channels, bias=False, **set_)
    if kind == "max_pool":
        return nn.MaxPool2d(**set_)
    return nn.AdaptiveAvgPool2d(1) if kind == "average" else nn.Flatten()


def _layer_table(rows, network):
    """Return a table of the rows: settings, size, parameters, field."""
    from convbook.analysis import trace  # noqa: PLC0415

    traced, cells = list(trace(network, INPUT)), []
    for (_, *numbers), (name, module) in zip(rows, network.named_children(), strict=True):
        last = [row for row in traced if row.name.split(".")[0] == name][-1]
        field = last.receptive_field
        params = sum(one.numel() for one in module.parameters())
        size = " × ".join(map(str, last.output_shape))
        settings = " ".join(map(str, numbers))
        cells.append([name, settings, size, f"{params:,}", field.size if field.jump else "all"])
    return _table("Layers", ("layer", "settings", "output", "parameters", "field"), cells)


def _requirement_table(report):
    """Return a table of the requirements, met or not."""
    lamps = [
        [row.requirement, "✓ met" if row.passed else "✗ not met", row.measured.replace("`", "")]
        for row in report
    ]
    return _table("Requirements", ("requirement", "lamp", "measured"), lamps)


def _table(caption, titles, lines):
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    body = [
        [f'<th scope="row">{escape(first)}</th>', *(f"<td>{escape(str(one))}</td>" for one in rest)]
        for first, *rest in lines
    ]
    table = html_table(caption, body, f"<thead><tr>{head}</tr></thead>")
    return f'<div class="cb-wide" tabindex="0" role="region" aria-label="{caption}">{table}</div>'
