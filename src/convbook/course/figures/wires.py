"""Who reads whom: the channels of a stack as dots joined by lines, and weights as squares."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Rectangle

from convbook.course import colours
from convbook.course.figures.drawing import STYLE, WIDTH, Drawing, show

DOT = 0.055  # inches: a dot's radius
APART = 0.21  # inches: from one dot of a column to the next at most
TALLEST = 3.2  # inches: a column
STEP = 1.3  # inches: from one column to the next at most
LINE = 0.17  # inches: a line of a title
LETTER = 0.085  # inches, about
TINTS = 4  # colours that groups take in turn


def wiring(
    links: Sequence[np.ndarray],
    names: Sequence[str],
    lit: int | None = None,
    below: Sequence[str] = (),
    rows: Sequence[str] = (),
) -> Drawing:
    """Draw each channel as a dot, and a line from it to each channel of the next map that reads it.

    Channel 0 stands on top. `names` stand above the layers, `below` under the columns, and `rows`
    to the left of the channels of the longest column.

    Shapes:
        each of `links`: `(C_out, C_in)`, not 0 where an output reads an input.

    Args:
        links: one for each layer, the first one first; a tensor will do.
        names: of the layers.
        lit: an input channel: the lines and channels that it reaches are in blue, others are faint.
        below: one text for each column, the input's first.
        rows: one text for each channel of the longest column.

    Raises:
        ValueError: layers and names differ in number, two layers that follow one another differ in
            their channels, `lit` is no channel, or there are too few texts.

    Example:
        >>> wiring([np.eye(4), np.ones((2, 4))], ["each its own", "all"], lit=1)
        <Drawing>
    """
    tables = [np.asarray(table) != 0 for table in links]
    counts = _counts(tables, names, lit)
    for argument, texts, wanted in (("below", below, len(counts)), ("rows", rows, max(counts))):
        if texts and len(texts) != wanted:
            raise ValueError(f"{argument} holds {len(texts)} texts; give {wanted}")
    reached = _reached(tables, counts[0], lit)
    left = 0.1 + LETTER * max(map(len, rows), default=0)
    right = 0.12 + LETTER / 2 * max(map(len, below[-1].split("\n") if below else [""]))
    step = min(STEP, (WIDTH - left - 0.1 - right) / len(tables))
    apart = min(APART if max(counts) > 2 else 0.5, TALLEST / max(counts))
    top = LINE * max(name.count("\n") + 1 for name in names) + 0.12
    bottom = 0.12 + LINE * max((text.count("\n") + 1 for text in below), default=0)
    tall = apart * (max(counts) - 1)
    size = (left + 0.1 + step * len(tables) + right, tall + 2 * DOT + top + bottom)
    with plt.style.context(STYLE):
        figure = plt.figure(figsize=size)
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(-left - 0.1, size[0] - left - 0.1), ylim=(-bottom - tall - DOT, top + DOT))
        axes.axis("off")
        columns = [_column(i * step, n, apart, tall) for i, n in enumerate(counts)]
        for table, lights, ends in zip(tables, reached, pairwise(columns), strict=False):
            _draw_lines(axes, table, lights, *ends)
        for column, lights in zip(columns, reached, strict=True):
            _draw_dots(axes, column, lights)
        style = {"ha": "center", "fontsize": 9, "color": colours.INK}
        for i, name in enumerate(names):
            axes.text((i + 0.5) * step, 0.12, name, va="bottom", **style)
        for i, text in enumerate(below):
            axes.text(i * step, -tall - 0.14, text, va="top", **style)
        for (_, y), text in zip(_column(0, max(counts), apart, tall), rows, strict=False):
            axes.text(-0.16, y, text, va="center_baseline", **style | {"ha": "right"})
        return show(figure)


def _counts(tables, names, lit) -> list[int]:
    """Return the channels of each column, or refuse what does not fit together."""
    if len(tables) != len(names) or not tables:
        raise ValueError(f"{len(tables)} layers and {len(names)} names; give one for each layer")
    for i, (one, two) in enumerate(pairwise(tables)):
        if one.shape[0] != two.shape[1]:
            raise ValueError(
                f"links[{i}] gives {one.shape[0]} channels and links[{i + 1}] reads {two.shape[1]}"
            )
    if lit is not None and not 0 <= lit < tables[0].shape[1]:
        raise ValueError(f"lit={lit} is no channel; use 0 to {tables[0].shape[1] - 1}")
    return [tables[0].shape[1], *(table.shape[0] for table in tables)]


def _reached(tables, channels: int, lit: int | None) -> list[np.ndarray | None]:
    """Return for each column which of its channels the lit one reaches; None where none is lit."""
    if lit is None:
        return [None] * (len(tables) + 1)
    reached = [np.arange(channels) == lit]
    for table in tables:
        reached.append(table @ reached[-1])
    return reached


def _column(x: float, count: int, apart: float, tall: float) -> list[tuple[float, float]]:
    """Return where the dots of a column stand, centred between 0 and -tall."""
    first = -(tall - apart * (count - 1)) / 2
    return [(x, first - apart * i) for i in range(count)]


def _draw_lines(axes: Axes, table, lights, left, right) -> None:
    faint, bright = [], []
    for o, i in np.argwhere(table):
        (bright if lights is not None and lights[i] else faint).append((left[i], right[o]))
    plain = {"color": colours.INK, "lw": 0.9}
    if lights is not None:
        plain = {"color": colours.GRID, "lw": 0.8}
    for pairs, style in ((faint, plain), (bright, {"color": colours.INPUT, "lw": 1.5})):
        for (x1, y1), (x2, y2) in pairs:
            axes.plot([x1, x2], [y1, y2], solid_capstyle="round", **style)


def _draw_dots(axes: Axes, column, lights) -> None:
    for i, place in enumerate(column):
        ink = colours.INK if lights is None else colours.GRID
        style = {"facecolor": ink, "edgecolor": ink}
        if lights is not None and lights[i]:
            style = {"facecolor": colours.INPUT, "edgecolor": colours.INPUT}
        axes.add_patch(Circle(place, DOT, lw=0.8, zorder=3, **style))


def group_squares(channels: int, groups: Sequence[int]) -> Drawing:
    """Draw the weights of a layer for several numbers of groups: coloured where there are any.

    Rows are outputs, columns inputs; neighbouring groups differ in colour.

    Args:
        channels: in and out.
        groups: each divides the channels; one square for each.

    Raises:
        ValueError: a number of groups does not divide the channels.

    Example:
        >>> group_squares(8, [1, 2, 8])
        <Drawing>
    """
    if wrong := [g for g in groups if g < 1 or channels % g]:
        raise ValueError(f"groups={wrong} do not divide {channels} channels")
    gap, top = 0.14, 0.26
    side = min(1.2, (WIDTH - gap * (len(groups) - 1) - 0.1) / len(groups))
    size = (len(groups) * (side + gap) - gap + 0.1, side + top + 0.08)
    with plt.style.context(STYLE):
        figure = plt.figure(figsize=size)
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(-0.05, size[0] - 0.05), ylim=(-side - 0.05, top + 0.03))
        axes.axis("off")
        tints = colours.weight_tints(TINTS)
        for place, count in enumerate(groups):
            x, part = place * (side + gap), side / count
            for g in range(count):
                corner = x + g * part, -(g + 1) * part
                tint = tints[(1 + g) % TINTS]
                axes.add_patch(Rectangle(corner, part, part, facecolor=tint, lw=0))
            frame = {"facecolor": "none", "edgecolor": colours.PADDING, "lw": 0.8}
            axes.add_patch(Rectangle((x, -side), side, side, **frame))
            title = f"{count} group" + "s" * (count > 1)
            axes.text(x + side / 2, 0.07, title, ha="center", va="bottom", fontsize=9)
        return show(figure)
