"""The same thing at several steps, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image
from torch import Tensor

from convbook.course import colours
from convbook.course.figures.drawing import STYLE, WIDTH, show
from convbook.course.figures.pictures import _as_picture

GAP = 0.05  # inches between pictures
POINTS = 9
LINE = 0.16  # inches from one line of text to the next
NAMES = 1.1  # inches for the names of the rows at most


def film(
    frames: Mapping[str, Sequence[Tensor]], titles: Sequence[str], scale: str = "all"
) -> Image:
    """Show a row of pictures for each name: the same thing at the steps that the titles name.

    Colour is shown as in `photographs`. Maps of one channel are grey, black the least and white the
    greatest value that the film holds, so that its pictures can be compared; with `scale="row"`
    each row has black and white of its own. Long titles and names wrap.

    Shapes:
        each picture: `(3, H, W)` in [0, 1], `(1, H, W)` or `(H, W)`; one size in a row.

    Args:
        frames: name -> pictures, one for each of `titles`.
        titles: of the columns, such as "before training".
        scale: "all" or "row".

    Raises:
        ValueError: there is no picture, a row has more or fewer pictures than there are titles, its
            pictures differ in size, or `scale` is unknown.

    Example:
        >>> import torch
        >>> steps = {"kernel 3": torch.rand(2, 8, 8), "kernel 4": torch.rand(2, 8, 8)}
        >>> type(film(steps, ["before training", "after 10 steps"])).__name__
        'Image'
    """
    if scale not in ("all", "row"):
        raise ValueError(f"scale={scale!r} is unknown; use 'all' or 'row'")
    pictures = _pictures(frames, titles)
    limits = _limits(pictures, scale)
    with plt.style.context(STYLE):
        figure = plt.figure(figsize=(WIDTH, 1))
        figure.set_layout_engine("none")  # everything gets its place below
        names = [_wrapped(figure, name, NAMES) for name in pictures]
        left = max((_width(figure, name) for name in names), default=0) + 3 * GAP
        size = (WIDTH - left) / len(titles)
        heads = [_wrapped(figure, title, size - 0.04) for title in titles]
        top = LINE * max(head.count("\n") + 1 for head in heads) + GAP
        heights = [(size - GAP) * row[0].shape[0] / row[0].shape[1] for row in pictures.values()]
        heights = [max(h, LINE * (n.count("\n") + 1)) for h, n in zip(heights, names, strict=True)]
        height = top + sum(heights) + GAP * len(heights)
        figure.set_size_inches(WIDTH, height)
        style = {"fontsize": POINTS, "color": colours.INK, "linespacing": 1.1}
        for column, head in enumerate(heads):
            middle = left + size * column + (size - GAP) / 2
            figure.text(
                middle / WIDTH, 1 - (top - GAP) / height, head, ha="center", va="bottom", **style
            )
        y = height - top
        for name, row, tall, limit in zip(names, pictures.values(), heights, limits, strict=True):
            figure.text(
                (left - 2 * GAP) / WIDTH, (y - tall / 2) / height, name, ha="right", va="center",
                **style,
            )  # fmt: skip
            for column, picture in enumerate(row):
                box = (left + size * column, y - tall, size - GAP, tall)
                _draw(figure, box, picture, limit)
            y -= tall + GAP
        return show(figure, "png")


def _pictures(frames, titles) -> dict[str, list[np.ndarray]]:
    """Return the pictures of each row as arrays, or refuse them."""
    if not frames or not titles:
        raise ValueError(
            f"frames has {len(frames)} rows and titles has {len(titles)}; give at least one of each"
        )
    pictures = {}
    for name, row in frames.items():
        if len(row) != len(titles):
            raise ValueError(
                f"frames[{name!r}] has {len(row)} pictures for {len(titles)} titles; "
                "give one for each"
            )
        pictures[name] = [_as_picture(picture) for picture in row]
        if len(sizes := {picture.shape[:2] for picture in pictures[name]}) > 1:
            raise ValueError(f"frames[{name!r}] has pictures of sizes {sorted(sizes)}; use one")
    return pictures


def _limits(pictures: dict[str, list[np.ndarray]], scale: str) -> list[tuple[float, float]]:
    """Return what is black and what is white in each row."""
    grey = [[p for p in row if p.ndim == 2] for row in pictures.values()]
    rows = [np.concatenate([p.ravel() for p in row]) if row else np.zeros(1) for row in grey]
    if scale == "all":
        parts = [values for values, row in zip(rows, grey, strict=True) if row]
        rows = [np.concatenate(parts) if parts else np.zeros(1)] * len(rows)
    return [(float(values.min()), float(values.max())) for values in rows]


def _draw(figure, box: tuple[float, ...], picture: np.ndarray, limit: tuple[float, float]) -> None:
    width, height = figure.get_size_inches()
    x, y, w, h = box
    axes = figure.add_axes((x / width, y / height, w / width, h / height))
    axes.imshow(
        picture, cmap="gray", vmin=limit[0], vmax=limit[1], interpolation="nearest"
    )  # fmt: skip
    axes.axis("off")


def _width(figure, text: str) -> float:
    """Return how wide a text is, in inches."""
    label = figure.text(0, 0, text, fontsize=POINTS)
    width = label.get_window_extent().width / figure.dpi
    label.remove()
    return width


def _wrapped(figure, text: str, width: float) -> str:
    """Return a text broken into lines of at most that width; a word that is longer is cut.

    Raises:
        ValueError: not even one letter fits.
    """
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if _width(figure, longer) <= width:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        rest = word
        while _width(figure, rest) > width:
            fits = [n for n in range(1, len(rest)) if _width(figure, rest[:n] + "-") <= width]
            if not fits:
                raise ValueError(f"titles: there is no room for {text!r}; use fewer columns")
            lines[-1:] = [rest[: fits[-1]] + "-", ""]
            rest = rest[fits[-1] :]
        lines[-1] = rest
    return "\n".join(lines)
