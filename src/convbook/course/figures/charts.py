"""Bars, lines, curves and the spread of repeated measurements."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt

from convbook.course import colours
from convbook.course.figures.drawing import (
    MARKERS,
    STYLE,
    WIDTH,
    Drawing,
    show,
)


def bars(values: Mapping[str, float], label: str, digits: int = 2) -> Drawing:
    """Draw one horizontal bar for each named value, with the value at its end.

    `label` says what the values are and in which unit. A bar is as long as the number it shows:
    beyond `digits` a result may differ from one processor to the next, and so would the drawing.

    Raises:
        ValueError: there is no value, or one is negative.
    """
    if not values or min(values.values()) < 0:
        raise ValueError(f"values={dict(values)} cannot be drawn as bars; use numbers from 0 on")
    shown = [round(value, digits) for value in values.values()]
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(figsize=(WIDTH, 0.45 * len(values) + 0.7))
        drawn = axes.barh(list(values), shown, color=colours.OUTPUT, height=0.6)
        axes.bar_label(drawn, fmt=f"{{:.{digits}f}}", padding=4, fontsize=9)
        axes.invert_yaxis()  # the first value on top
        axes.set_xlabel(label)
        axes.margins(x=0.08)
        return show(figure, data={"bars": dict(zip(values, shown, strict=True))})


def lines(
    x: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    xlabel: str,
    ylabel: str,
    log: str = "xy",
    digits: int = 3,
) -> Drawing:
    """Draw one line with markers for each named curve, named at its end.

    `log` names the axes that are logarithmic: "xy", "y", "x" or "". Of each number so many `digits`
    are drawn: further ones may differ from one processor to the next, and so would the drawing.

    Raises:
        ValueError: a curve has another length than `x`, or a number has no place on its axis.
    """
    _check_count(curves)
    if wrong := [name for name, y in curves.items() if len(y) != len(x)]:
        raise ValueError(f"curves {wrong} have another length than x, {len(x)}; give one y per x")
    for numbers, axis in ((x, "x"), ([value for y in curves.values() for value in y], "y")):
        _check_log(numbers, axis, log)
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(figsize=(WIDTH, 3.2))
        drawn = {name: _rounded(y, digits) for name, y in curves.items()}
        for place, (name, y) in enumerate(drawn.items()):
            axes.plot(x, y, marker=MARKERS[place], markersize=4)
            _name_curve(axes, name, (x[-1], y[-1]), place)
        _scale(axes, xlabel, ylabel, log)
        if "x" in log or len(x) <= 10:
            axes.set_xticks(x, [f"{value:g}" for value in x])
        axes.minorticks_off()
        axes.margins(x=0.05)
        return show(figure, data={"x": list(x), "curves": drawn})


def spread(
    values: Mapping[str, Sequence[float]], label: str, digits: int = 1, level: float | None = None
) -> Drawing:
    """Draw one row of dots for each name, a dot for each of its values, and a line at their mean.

    Behind all rows lies a band as wide as the dots of the first one: what lies inside differs no
    more than its values do. `level` draws a dashed line at a value to reach. Of each number
    `digits` are drawn.

    Raises:
        ValueError: there is no row, or one without a value.

    Example:
        >>> type(spread({"all": [80.1, 80.4], "no flip": [78.9, 79.2]}, "accuracy")).__name__
        'Drawing'
    """
    if not values or not all(len(row) for row in values.values()):
        raise ValueError(f"values={dict(values)} has nothing to draw; give each row a number")
    rows = [[round(value, digits) for value in row] for row in values.values()]
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(figsize=(WIDTH, 0.34 * len(rows) + 0.8))
        axes.axvspan(min(rows[0]), max(rows[0]), color=colours.GRID, alpha=0.6, lw=0)
        if level is not None:
            axes.axvline(level, color=colours.PADDING, ls="--", lw=1)
        for y, row in enumerate(rows):
            mean = round(sum(row) / len(row), digits)
            axes.plot([mean] * 2, [y - 0.3, y + 0.3], color=colours.INK, lw=2)
            axes.plot(row, [y] * len(row), "o", color=colours.OUTPUT, markersize=6, alpha=0.8)
        axes.set_yticks(range(len(rows)), list(values))
        axes.set_ylim(len(rows) - 0.5, -0.5)  # the first row on top
        axes.set_xlabel(label)
        axes.grid(visible=False, axis="y")
        return show(figure, data={"rows": dict(zip(values, rows, strict=True))})


def curves(
    points: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    xlabel: str,
    ylabel: str,
    log: str = "",
    joined: bool = True,
    level: float | None = None,
) -> Drawing:
    """Draw curves that each have their own x, named at their last point.

    `joined` draws a line through the points of a curve, or else each point as a dot. `log` names
    the axes that are logarithmic, as in `lines`, and `level` draws a dashed line at a value of y.
    Three digits of each number are drawn.

    Shapes:
        each of `points`: x and y, of one length.

    Raises:
        ValueError: a curve's x and y differ in length or are empty, there are too many curves, or
            a number has no place on its axis.

    Example:
        >>> type(curves({"slow": ([1, 9], [5, 8]), "fast": ([1, 2], [6, 8])}, "s", "%")).__name__
        'Drawing'
    """
    _check_count(points)
    if wrong := [name for name, (x, y) in points.items() if not len(x) or len(x) != len(y)]:
        raise ValueError(f"curves {wrong} have x and y of different lengths; give one y per x")
    for place, axis in enumerate("xy"):
        _check_log([value for pair in points.values() for value in pair[place]], axis, log)
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(figsize=(WIDTH, 3.2))
        if level is not None:
            axes.axhline(level, color=colours.PADDING, ls="--", lw=1)
        drawn = {name: [_rounded(axis, 3) for axis in pair] for name, pair in points.items()}
        for place, (name, (x, y)) in enumerate(drawn.items()):
            style = {} if joined else {"ls": "none", "marker": MARKERS[place], "alpha": 0.8}
            axes.plot(x, y, **style)
            va = "center" if level is None else "bottom"  # a curve often ends near the level
            _name_curve(axes, name, (x[-1], y[-1]), place, va)
        _scale(axes, xlabel, ylabel, log)
        axes.margins(x=0.12)
        return show(figure, data={"curves": drawn})


def repeats(
    runs: Mapping[str, Sequence[Sequence[float]]], xlabel: str, ylabel: str, digits: int = 3
) -> Drawing:
    """Draw a thin line for each run of a name, over 1, 2, 3, ..., and a thick one at their mean.

    Of each number so many `digits` are drawn. Names that end close together are moved apart.

    Shapes:
        each of `runs`: a list for each run, all of one length.

    Raises:
        ValueError: there are too many names, or the runs of one have different lengths or none.

    Example:
        >>> type(repeats({"plain": [[3, 2], [4, 2]]}, "epoch", "loss")).__name__
        'Drawing'
    """
    _check_count(runs)
    if wrong := [name for name, lines in runs.items() if len({*map(len, lines)} - {0}) != 1]:
        raise ValueError(f"runs {wrong} have several lengths, or none; give one y for each x")
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(figsize=(WIDTH, 3.2))
        drawn = {name: [_rounded(y, digits) for y in lines] for name, lines in runs.items()}
        ends = {}
        for place, (name, lines) in enumerate(drawn.items()):
            x, colour = range(1, len(lines[0]) + 1), colours.CURVES[place]
            means = [sum(column) / len(lines) for column in zip(*lines, strict=True)]
            for y in lines:
                axes.plot(x, y, color=colour, lw=0.6)
            axes.plot(x, means, color=colour, lw=2.2)
            ends[name] = (x[-1], means[-1], place)
        _scale(axes, xlabel, ylabel, log="")
        axes.margins(x=0.03)
        axes.xaxis.get_major_locator().set_params(integer=True)
        _name_apart(axes, ends)
        return show(figure, data={"runs": drawn})


def _name_apart(axes, ends: Mapping[str, tuple[float, float, int]]) -> None:
    """Name curves at their ends, no two names on one line and none below the axis."""
    low, high = axes.get_ylim()
    line, order = 0.08 * (high - low), sorted(ends, key=lambda name: -ends[name][1])
    heights = [ends[name][1] for name in order]
    for i in range(1, len(order)):  # from the highest down
        heights[i] = min(heights[i], heights[i - 1] - line)
    heights[-1] = max(heights[-1], low)
    for i in reversed(range(len(order) - 1)):  # and up again
        heights[i] = max(heights[i], heights[i + 1] + line)
    for name, y in zip(order, heights, strict=True):
        x, _, place = ends[name]
        _name_curve(axes, name, (x, y), place)


def _check_count(curves: Mapping) -> None:
    if len(curves) > len(MARKERS):
        raise ValueError(f"{len(curves)} curves are too many to tell apart; draw {len(MARKERS)}")


def _check_log(numbers: Sequence[float], axis: str, log: str) -> None:
    if axis in log and min(numbers) <= 0:
        raise ValueError(
            f"{axis} holds {min(numbers)}, which has no place on a logarithmic axis; "
            f"leave {axis!r} out of log={log!r}"
        )


def _rounded(numbers: Sequence[float], digits: int) -> list[float]:
    return [float(f"{number:.{digits}g}") for number in numbers]


def _name_curve(axes, name: str, end: tuple[float, float], place: int, va: str = "center") -> None:
    axes.annotate(
        name, end, xytext=(8, 0), textcoords="offset points", va=va, fontweight="bold",
        color=colours.CURVE_NAMES[place],
    )  # fmt: skip


def _scale(axes, xlabel: str, ylabel: str, log: str) -> None:
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.set_xscale("log" if "x" in log else "linear")
    axes.set_yscale("log" if "y" in log else "linear")
