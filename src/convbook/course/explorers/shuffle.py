"""Shuffle: which channel pixel shuffle takes to which sub-pixel, in PyTorch's order and another."""

from html import escape

import traitlets

from convbook._checks.arguments import integer
from convbook.course.explorers.base import Explorer, given, preset_of
from convbook.course.explorers.grids import number_table, side_by_side
from convbook.course.explorers.sources import module_source
from convbook.course.explorers.traits import Choice, Whole

# What page and kernel accept: the smallest and the largest of each.
LIMITS = {"upscale_factor": (2, 4), "channels": (1, 3), "size": (1, 3)}
SETTINGS = ("upscale_factor", "channels", "size", "direction", "order")


def _preset(upscale_factor, channels, direction="shuffle", order="pytorch"):
    return dict(zip(SETTINGS, (upscale_factor, channels, 2, direction, order), strict=True))


PRESETS = {
    "example": _preset(2, 2),
    "one": _preset(2, 1),
    "colour": _preset(3, 3),
    "tensorflow": _preset(2, 2, order="tensorflow"),
    "back": _preset(2, 2, direction="unshuffle"),
}


class _Selected(traitlets.TraitType):
    """A cell on the side with many channels: (channel, row, column)."""

    def validate(self, _, value):
        """Return the three indices, or raise."""
        if not isinstance(value, (tuple, list)) or len(value) != 3:
            raise TypeError(f"{self.name}={value!r}; use (channel, row, column), such as (1, 0, 0)")
        most = LIMITS["channels"][1] * LIMITS["upscale_factor"][1] ** 2
        ends = (most - 1, LIMITS["size"][1] - 1, LIMITS["size"][1] - 1)
        return tuple(
            integer(one, f"{self.name}[{i}]", 0, end)
            for i, (one, end) in enumerate(zip(value, ends, strict=True))
        )


def sub_pixel(channel, upscale_factor, channels, order="pytorch"):
    """Return the output channel c and the sub-pixel (i, j) that a channel fills, as (c, i, j)."""
    if order == "pytorch":
        c, place = divmod(channel, upscale_factor**2)
    else:
        place, c = divmod(channel, channels)
    return (c, *divmod(place, upscale_factor))


def channel_of(c, i, j, upscale_factor, channels, order="pytorch"):
    """Return the channel that fills sub-pixel (i, j) of output channel c."""
    place = i * upscale_factor + j
    return c * upscale_factor**2 + place if order == "pytorch" else place * channels + c


class ShuffleExplorer(Explorer):
    """Follow each channel of a pixel shuffle to the sub-pixel that it fills, and back.

    Every argument but `preset` is an attribute too, read and written by page and kernel alike;
    `partner` and `code` (the PyTorch line) follow from them.

    Args:
        upscale_factor: r, 2 to 4.
        channels: C, those of the large map, 1 to 3; the small maps have C * r * r.
        size: rows and columns of the small maps, 1 to 3.
        direction: 'shuffle', from small maps to large ones, or 'unshuffle', back.
        order: 'pytorch', channel c*r*r + i*r + j fills sub-pixel (i, j) of channel c, or
            'tensorflow', channel (i*r + j)*C + c does (`depth_to_space` in NHWC).
        show: 'channels', each cell shows its channel among the many, or 'values', the input's cells
            are numbered and keep their numbers.
        selected: the cell lit first, (channel, row, column) of the small maps.
        preset: 'example' (the default), 'one', 'colour', 'tensorflow' or 'back': what every
            argument left out is taken from.

    Raises:
        ValueError: a value is out of range.
        TypeError: a value is not of its kind.

    Example:
        >>> explorer = ShuffleExplorer(2, channels=2, selected=(5, 0, 1))
        >>> explorer.partner
        (1, 0, 3)
        >>> explorer.code
        'F.pixel_shuffle(x, 2)'

    Source: Shi et al., arXiv 1609.05158, equation 4; TensorFlow's `tf.nn.depth_to_space`.
    """

    _explorer = "shuffle"
    _esm = module_source("shuffle")

    upscale_factor = Whole(2, *LIMITS["upscale_factor"]).tag(sync=True)
    channels = Whole(2, *LIMITS["channels"]).tag(sync=True)
    size = Whole(2, *LIMITS["size"]).tag(sync=True)
    direction = Choice("shuffle", "unshuffle").tag(sync=True)
    order = Choice("pytorch", "tensorflow").tag(sync=True)
    show = Choice("channels", "values").tag(sync=True)
    selected = _Selected((1, 0, 0)).tag(sync=True)

    def __init__(
        self,
        upscale_factor=None,
        *,
        channels=None,
        size=None,
        direction=None,
        order=None,
        show="channels",
        selected=(1, 0, 0),
        preset=None,
    ):
        values = (upscale_factor, channels, size, direction, order)
        chosen = given(**dict(zip(SETTINGS, values, strict=True)))
        settings = preset_of(PRESETS, preset, "example") | chosen
        super().__init__(**settings, show=show, selected=selected)
        if self.selected != self.chosen:
            last = (self.channels_in - 1, self.size - 1, self.size - 1)
            raise ValueError(f"selected={self.selected} is outside; use at most {last}")

    @property
    def channels_in(self):
        """Channels of the small maps: C * r * r."""
        return self.channels * self.upscale_factor**2

    @property
    def chosen(self):
        """What is selected, brought inside what there is."""
        ends = (self.channels_in - 1, self.size - 1, self.size - 1)
        return tuple(map(min, self.selected, ends))

    @property
    def partner(self):
        """The cell of the large maps that belongs to the one chosen: (channel, row, column)."""
        channel, row, col = self.chosen
        r = self.upscale_factor
        c, i, j = sub_pixel(channel, r, self.channels, self.order)
        return c, row * r + i, col * r + j

    @property
    def code(self):
        """The PyTorch line that does it to x, of shape (N, C, H, W)."""
        r, channels = self.upscale_factor, self.channels
        reorder = self.order == "tensorflow" and channels > 1
        if self.direction == "shuffle":
            swap = f".unflatten(1, ({r * r}, {channels})).transpose(1, 2).flatten(1, 2)"
            return f"F.pixel_shuffle(x{swap if reorder else ''}, {r})"
        swap = f".unflatten(1, ({channels}, {r * r})).transpose(1, 2).flatten(1, 2)"
        return f"F.pixel_unshuffle(x, {r}){swap if reorder else ''}"

    def __repr__(self):
        options = [f"{name}={getattr(self, name)!r}" for name in (*SETTINGS[1:], "show")]
        if self.chosen != (1, 0, 0):
            options.append(f"selected={self.chosen}")
        return f"ShuffleExplorer({self.upscale_factor}, {', '.join(options)})"

    def static_html(self):
        """Return the channel that belongs to each sub-pixel as tables, and the PyTorch line."""
        which = self.upscale_factor, self.channels, self.order
        side = "Output" if self.direction == "shuffle" else "Input"
        tables, sides = [], range(self.upscale_factor)
        for c in range(self.channels):
            block = [[channel_of(c, i, j, *which) for j in sides] for i in sides]
            tables.append(number_table(f"{side} channel {c}", block))
        code = f"<p><code>{escape(self.code)}</code></p>"
        return f'<div class="convbook-root cb-static">{side_by_side(tables)}{code}</div>'
