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
    draw_number,
    draw_square,
    show,
)


def grids(
    arrays: Sequence[Tensor | Sequence[str]],
    titles: Sequence[str],
    roles: Sequence[str],
    digits: int = 0,
) -> Drawing:
    """Draw small matrices side by side, numbers or letters in cells.

    `roles` choose the colours: "input", "kernel" or "output", where numbers farther from 0 get a
    deeper tint and those below 0 a grey one, or "weights", where each cell has its own tint, as in
    `weight_matrix`.

    Shapes:
        each of `arrays`: `(H, W)`, or H strings of W letters.

    Raises:
        ValueError: the three sequences differ in length, or a role is unknown.
    """
    if not len(arrays) == len(titles) == len(roles):
        raise ValueError(
            f"arrays, titles and roles have lengths {len(arrays)}, {len(titles)} and {len(roles)}; "
            "give one title and one role for each array"
        )
    known = [*colours.ROLES, "weights"]
    if unknown := set(roles) - set(known):
        raise ValueError(f"roles holds {sorted(unknown)}; use {', '.join(known)}")
    tables = [_as_table(array, digits) for array in arrays]
    with plt.style.context(STYLE):
        widths = [texts.shape[1] for texts, _ in tables]
        tallest = max(texts.shape[0] for texts, _ in tables)
        cell = min(WIDTH / (sum(widths) + len(arrays)), 0.5)
        size = (cell * (sum(widths) + len(arrays)), cell * tallest + 0.62)
        figure, row = plt.subplots(1, len(arrays), figsize=size, width_ratios=widths, squeeze=False)
        for axes, (texts, depths), title, role in zip(row[0], tables, titles, roles, strict=True):
            _draw_grid(axes, texts, depths, role)
            axes.set_title(title, loc="center", fontsize=10)
        return show(figure)


def _as_table(array, digits: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what the cells say and, from -1 to 1, how large their numbers are."""
    if not isinstance(array, Tensor):
        letters = np.array([list(row) for row in array])
        return letters, np.zeros(letters.shape)
    values = array.detach().double().numpy().round(digits)  # what is shown, as in `bars`
    values = values + 0.0  # -0.0 becomes 0.0
    texts = np.vectorize(lambda value: f"{value:.{digits}f}")(values)
    return texts, depths_of(values)


def _draw_grid(axes, texts: np.ndarray, depths: np.ndarray, role: str) -> None:
    tints = colours.weight_tints(texts.size) if role == "weights" else None
    for index, (y, x) in enumerate(np.ndindex(texts.shape)):
        if tints:
            draw_square(axes, x, -y - 1, facecolor=tints[index], edgecolor=colours.KERNEL)
            axes.text(
                x + 0.5, -y - 0.5, texts[y, x], ha="center", va="center", fontsize=9,
                color=colours.ink_on(tints[index]),
            )  # fmt: skip
        else:
            draw_number(axes, x, -y - 1, texts[y, x], depths[y, x], role)
    axes.set(xlim=(0, texts.shape[1]), ylim=(-texts.shape[0], 0))
    axes.set_aspect("equal")
    axes.axis("off")


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
            tint = tints[tap - 1]
            draw_square(axes, x, y, facecolor=tint, edgecolor=colours.KERNEL if weights else tint)
            if weights:
                axes.text(
                    x + 0.5, y + 0.5, weights[tap - 1], ha="center", va="center", fontsize=9,
                    color=colours.ink_on(tint),
                )  # fmt: skip
        axes.set(xlim=(0, columns), ylim=(rows, 0), xlabel="input pixel", ylabel="output pixel")
        axes.set_aspect("equal")
        axes.grid(visible=False)
        if weights:
            axes.set_xticks(np.arange(columns) + 0.5, list(pixels))
            axes.set_yticks(np.arange(rows) + 0.5, range(rows))
            axes.tick_params(length=0)
            axes.spines[:].set_visible(False)
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
            style = {"facecolor": colours.KERNEL, "alpha": 0.6 * depths[y, x]}
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
