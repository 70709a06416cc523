"""Numbers in cells: maps, kernels, the matrix of a convolution, a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from torch import Tensor

from convbook.course import colours
from convbook.course.figures.drawing import (
    STYLE,
    WIDTH,
    Drawing,
    depths_of,
    digit_size,
    draw_key,
    draw_number,
    draw_square,
    show,
)

TITLE = 10  # points
KEY = 0.24  # inches: a cell of the key
SMALLEST_CELL = 0.16  # inches
GAP = 0.42  # inches between two grids: room for an operator


def grids(
    arrays: Sequence[Tensor | Sequence[str]],
    titles: Sequence[str],
    roles: Sequence[str],
    digits: int = 0,
    operators: Sequence[str] = (),
) -> Drawing:
    """Draw small matrices side by side, numbers or letters in cells, with operators between them.

    `roles` choose the outlines: "input", "kernel" or "output", where numbers farther from 0 get a
    deeper tint; or "weights", where each cell has its own tint, as in `weight_matrix`. One scale
    serves all grids. If one of them holds a number below zero the tint tells the sign, orange above
    zero and purple below, and a key stands below the grids.

    Shapes:
        each of `arrays`: `(H, W)`, or H strings of W letters.

    Raises:
        ValueError: arrays, titles and roles differ in length, a role is unknown, or there is not
            one operator for each gap.

    Example:
        >>> import torch
        >>> x, k = torch.tensor([[1, 2, 3]]), torch.tensor([[1, 1]])
        >>> maps, titles = [x, k, torch.tensor([[3, 5]])], ["x", "kernel", "sums"]
        >>> grids(maps, titles, ["input", "kernel", "output"], operators="*=")
        <Drawing>
    """
    if not len(arrays) == len(titles) == len(roles):
        raise ValueError(
            f"arrays, titles and roles have lengths {len(arrays)}, {len(titles)} and {len(roles)}; "
            "give one title and one role for each array"
        )
    known = [*colours.ROLES, "weights"]
    if unknown := set(roles) - set(known):
        raise ValueError(f"roles holds {sorted(unknown)}; use {', '.join(known)}")
    if operators and len(operators) != len(arrays) - 1:
        raise ValueError(
            f"operators={operators!r} do not fill {len(arrays) - 1} gaps; give so many"
        )
    tables = [_as_table(array, digits) for array in arrays]
    numbers = [values for _, values in tables if values is not None]
    largest = max((np.abs(values).max() for values in numbers), default=0)
    signed = any((values < 0).any() for values in numbers)
    with plt.style.context(STYLE):
        cell, title_size, slots = _widths(tables, titles)
        gap = GAP / cell
        tallest = max(texts.shape[0] for texts, _ in tables)
        grids_width = sum(slots) + gap * (len(slots) - 1)
        most = f"{largest:.{digits}f}"
        total = max(grids_width, (KEY * 6 + 0.17 * len(most)) / cell if signed else 0)
        floor = -tallest - (KEY + 0.16) / cell * signed
        height = 0.32 / cell - floor  # cells, with the titles
        figure, axes = plt.subplots(figsize=(total * cell, height * cell), layout="none")
        axes.set_position((0, 0, 1, 1))
        x = (total - grids_width) / 2
        for index, ((texts, values), slot) in enumerate(zip(tables, slots, strict=True)):
            left, top = x + (slot - texts.shape[1]) / 2, -(tallest - texts.shape[0]) / 2
            title = {"ha": "center", "va": "bottom", "fontsize": title_size}
            axes.text(x + slot / 2, top + 0.08 / cell, titles[index], **title)
            depths = None if values is None else depths_of(values, largest)
            _draw_grid(axes, (left, top), texts, depths, roles[index], signed, cell)
            x += slot + gap
            if operators and index < len(operators):
                middle = {"ha": "center", "va": "center_baseline", "fontsize": 14}
                axes.text(x - gap / 2, -tallest / 2, operators[index], **middle)
        if signed:
            draw_key(axes, total / 2, floor + 0.03 / cell, KEY / cell, most)
        edge = 0.02 / cell
        axes.set(xlim=(-edge, total + edge), ylim=(floor - edge, floor + height))
        axes.axis("off")
        return show(figure)


def _widths(tables: Sequence[tuple], titles: Sequence[str]) -> tuple[float, float, list[float]]:
    """Return the side of a cell in inches, the titles' font size, and the grids' widths in cells.

    A title may be wider than its grid, which then has room on both sides.
    """
    columns = [texts.shape[1] for texts, _ in tables]
    inches = [TITLE / 72 * 0.62 * len(title) for title in titles]  # about, for DejaVu Sans
    room = WIDTH - GAP * (len(tables) - 1)
    shrunk = min(1.0, room / max(sum(inches), SMALLEST_CELL))
    inches = [shrunk * width for width in inches]
    for step in range(100):
        cell = 0.5 - 0.01 * step
        slots = [max(n + 0.1, width / cell) for n, width in zip(columns, inches, strict=True)]
        if sum(slots) * cell <= room + 1e-9 or cell <= SMALLEST_CELL:
            break
    return cell, shrunk * TITLE, slots


def _as_table(array, digits: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Return what the cells say, and their numbers unless they say letters."""
    if not isinstance(array, Tensor):
        return np.array([list(row) for row in array]), None
    values = array.detach().double().numpy().round(digits)  # what is shown, as in `bars`
    values = values + 0.0  # -0.0 becomes 0.0
    return np.vectorize(lambda value: f"{value:.{digits}f}")(values), values


def _draw_grid(
    axes, corner: tuple[float, float], texts: np.ndarray, depths: np.ndarray | None, role: str,
    signed: bool, cell: float,
) -> None:  # fmt: skip
    """Draw a grid whose upper left corner is at `corner`."""
    size = digit_size(texts.flat, cell)
    tints = colours.weight_tints(texts.size) if role == "weights" else None
    for index, (row, column) in enumerate(np.ndindex(texts.shape)):
        x, y, text = corner[0] + column, corner[1] - row - 1, texts[row, column]
        if tints is not None:
            _draw_weight(axes, x, y, text, tints[index])
        else:
            depth = 0.4 if depths is None else depths[row, column]
            draw_number(axes, x, y, text, depth, role, signed, size)


def _draw_weight(axes, x: float, y: float, text: str, tint: str) -> None:
    draw_square(axes, x, y, facecolor=tint, edgecolor=tint)
    axes.text(
        x + 0.5, y + 0.5, text, ha="center", va="center_baseline", fontsize=9,
        color=colours.ink_on(tint),
    )  # fmt: skip


def weight_matrix(taps: Tensor, weights: str = "", pixels: str = "") -> Drawing:
    """Draw a matrix made of one kernel's weights: equal weights have equal tints, zeros are empty.

    With letters for the weights and the pixels, small matrices name their entries and columns.

    Shapes:
        taps: `(outputs, inputs)`, n for the n-th weight of the kernel, from 1 on, and 0 for none.

    Raises:
        ValueError: there are other than 1 to 9 weights, or letters are missing.

    Example:
        >>> import torch
        >>> type(weight_matrix(torch.eye(2), weights="p", pixels="ab")).__name__
        'Drawing'
    """
    rows, columns = taps.shape
    tints = colours.weight_tints(int(taps.max()))
    if weights and (len(weights), len(pixels)) != (len(tints), columns):
        raise ValueError(
            f"weights={weights!r} and pixels={pixels!r} do not name {len(tints)} weights and "
            f"{columns} columns; give one letter for each"
        )
    with plt.style.context(STYLE):
        cell = min((WIDTH - 0.7) / columns, 0.45)
        figure, axes = plt.subplots(figsize=(columns * cell + 0.7, rows * cell + 0.7))
        for (y, x), tap in np.ndenumerate(taps.int().numpy()):
            if not tap:
                if weights:
                    draw_square(axes, x, y, facecolor="none", edgecolor=colours.GRID)
                continue
            _draw_weight(axes, x, y, weights[tap - 1] if weights else "", tints[tap - 1])
        axes.set(xlim=(0, columns), ylim=(rows, 0), xlabel="input pixel", ylabel="output pixel")
        axes.set_aspect("equal")
        axes.grid(visible=False)
        if weights:
            axes.set_xticks(np.arange(columns) + 0.5, list(pixels))
            axes.set_yticks(np.arange(rows) + 0.5, range(rows))
            axes.tick_params(length=0)
            axes.spines[:].set_visible(False)
        return show(figure)


def connections(taps: Tensor, weights: str, pixels: str) -> Drawing:
    """Draw a matrix of one kernel's weights as a network: a line for each weight that is there.

    Lines of one weight have one tint, as its entries have in `weight_matrix`.

    Shapes:
        taps: as in `weight_matrix`.

    Example:
        >>> import torch
        >>> connections(torch.eye(2), weights="p", pixels="ab")
        <Drawing>
    """
    outputs, inputs = taps.shape
    tints = colours.weight_tints(int(taps.max()))
    shift = (inputs - outputs * 2) / 2  # outputs stand twice as far apart, in the middle
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(figsize=(WIDTH, 2.4))
        for output, pixel in taps.nonzero().tolist():
            tap = int(taps[output, pixel]) - 1
            ends = [pixel + 0.5, shift + 2 * output + 1], [0.44, 2.56]
            axes.plot(*ends, color=colours.AXIS, lw=3.2)  # an edge, for the pale ones
            axes.plot(*ends, color=tints[tap], lw=2.4)
        for pixel, letter in enumerate(pixels):
            draw_number(axes, pixel, -0.5, letter, 0.4, "input")
        for output in range(outputs):
            left = shift + 2 * output + 0.5
            draw_number(axes, left, 2.5, str(output), 0.4, "output")
        for tap, letter in enumerate(weights):
            _draw_weight(axes, inputs + 0.7, 2.4 - 0.95 * tap, letter, tints[tap])
        axes.set(xlim=(-0.1, inputs + 1.8), ylim=(-0.7, 3.7))
        axes.set_aspect("equal")
        axes.axis("off")
        return show(figure)


def confusion(counts: Sequence[Sequence[int]], classes: Sequence[str]) -> Drawing:
    """Draw which class was taken for which: a row for each true class, a column for each answer.

    Right answers, on the diagonal, are outlined; the others get a deeper tint the more there are.

    Shapes:
        counts: `(N, N)` for N classes.

    Raises:
        ValueError: there is not one row and one column for each class.

    Example:
        >>> type(confusion([[9, 1], [0, 10]], ["cat", "dog"])).__name__
        'Drawing'
    """
    table = np.asarray(counts)
    if table.shape != (len(classes),) * 2:
        raise ValueError(
            f"counts has shape {table.shape}; for {len(classes)} classes use "
            f"({len(classes)}, {len(classes)})"
        )
    wrong = table * (1 - np.eye(len(classes), dtype=int))
    depths = depths_of(wrong)
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(figsize=(WIDTH, 0.45 * len(classes) + 1.2))
        for (y, x), count in np.ndenumerate(table):
            style = {"facecolor": colours.POSITIVE, "tint": 0.6 * depths[y, x], "lw": 0}
            if y == x:
                style = {"facecolor": "none", "edgecolor": colours.OUTPUT, "lw": 1.5}
            draw_square(axes, x, y, **style)
            axes.text(
                x + 0.5, y + 0.5, str(count), ha="center", va="center", fontsize=9,
                color=colours.INK if count else colours.PADDING,
            )  # fmt: skip
        middles = np.arange(len(classes)) + 0.5
        axes.set_xticks(middles, classes, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(middles, classes)
        axes.tick_params(length=0)
        axes.set(
            xlim=(0, len(classes)), ylim=(len(classes), 0),
            xlabel="answer", ylabel="true class",
        )  # fmt: skip
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        return show(figure)
