"""Pictures in rows: the site sets each as a picture of its own, other viewers show one PNG."""

import base64
import io
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
from IPython.display import Image

from convbook.course import colours
from convbook.course.figures.drawing import STYLE, WIDTH, show
from convbook.course.mime_types import PICTURES

LINE = 0.19  # inches: a line of a title
NAME = 0.24  # inches: the name of a row


class Plate(Image):
    """Pictures in rows under their titles.

    Each is stored as it is, one pixel to a pixel: the site enlarges it, sharp on any screen, and
    writes the titles in its own font and colours. The PNG beside them is what other viewers show.

    Args:
        rows: pairs of a row's name and its cells, pairs of a title and a picture, `(H, W)` or
            `(H, W, 3)` in bytes.
        columns: how many cells a full row has.
    """

    def __init__(self, rows: Sequence[tuple[str, Sequence[tuple[str, np.ndarray]]]], columns: int):
        super().__init__(_draw(rows, columns), format="png")
        self.stored = {
            "columns": columns,
            "rows": [
                {"name": name, "pictures": [_stored(*cell) for cell in cells]}
                for name, cells in rows
            ],
        }

    def __repr__(self) -> str:
        return "<Plate>"

    def _repr_mimebundle_(self, include=None, exclude=None):
        data, metadata = super()._repr_mimebundle_(include, exclude)
        return {PICTURES: self.stored, **data}, metadata


def _stored(title: str, picture: np.ndarray) -> dict:
    buffer = io.BytesIO()
    PIL.Image.fromarray(picture).save(buffer, format="PNG", optimize=True)
    height, width = picture.shape[:2]
    png = base64.b64encode(buffer.getvalue()).decode()
    return {"title": title, "width": width, "height": height, "png": png}


def _draw(rows, columns: int) -> bytes:
    """Return all pictures as one PNG on white ground."""
    height, width = rows[0][1][0][1].shape[:2]
    columns = max(columns, *(len(cells) for _, cells in rows))
    side = min(WIDTH / columns, 4 * width / height)  # no picture is higher than four inches
    names, lines = [], []
    for name, cells in rows:
        names.append(NAME if name else 0.0)
        lines.append(max((1 + title.count("\n") if title else 0) for title, _ in cells))
    gap = 0.06
    heights = [
        room + LINE * count + side * height / width + gap
        for room, count in zip(names, lines, strict=True)
    ]
    total = sum(heights)
    with plt.style.context(STYLE):
        figure = plt.figure(figsize=(side * columns, total), layout="none")
        top = total
        for (name, cells), room, count in zip(rows, names, lines, strict=True):
            figure.text(0.01, (top - 0.05) / total, name, va="top", fontsize=10)
            floor = top - room - LINE * count - side * height / width
            for column, (title, picture) in enumerate(cells):
                box = (
                    column / columns + 0.02 / side / columns, floor / total,
                    (1 - 0.04 / side) / columns, side * height / width / total,
                )  # fmt: skip
                axes = figure.add_axes(box, xticks=[], yticks=[])
                axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
                axes.spines[:].set(visible=True, color=colours.GRID, lw=0.5)
                _set_title(figure, axes, title, side)
            top = floor - gap
        return show(figure, "png").data


def _set_title(figure, axes, title: str, room: float) -> None:
    """Write a title above a picture, smaller where it would reach beyond it."""
    text = axes.set_title(title, loc="center", fontsize=9, pad=3)
    wide = text.get_window_extent(figure.canvas.get_renderer()).width / figure.dpi
    if wide > room:
        text.set_fontsize(9 * 0.97 * room / wide)
