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

POINTS = 9  # of titles and names
LINE = 0.19  # inches: a line of text
GAP = 0.06  # inches between rows
HIGHEST = 4  # inches: no picture is higher

Rows = Sequence[tuple[str, Sequence[tuple[str, np.ndarray]]]]


class Plate(Image):
    """Pictures in rows under their titles.

    Each is stored as it is, one pixel to a pixel: the site enlarges it, sharp on any screen, and
    writes the titles in its own font and colours. The PNG beside them is what other viewers show.

    Args:
        rows: pairs of a row's name and its cells, pairs of a title and a picture, `(H, W)` or
            `(H, W, 3)` in bytes.
        columns: how many cells a full row has.
        names: where the names of the rows stand, "above" them or "left" of them.
    """

    def __init__(self, rows: Rows, columns: int, names: str = "above"):
        drawn = _draw(rows, columns, names)
        super().__init__(drawn.data, format="png", width=drawn.width)
        self.stored = {
            "columns": columns,
            "names": names,
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


def _draw(rows: Rows, columns: int, names: str) -> Image:
    """Return all pictures as one PNG on white ground."""
    height, width = rows[0][1][0][1].shape[:2]
    columns = max(columns, *(len(cells) for _, cells in rows))
    longest = max(len(name) for name, _ in rows)
    left = POINTS / 72 * 0.62 * longest + 0.1 if names == "left" else 0.0
    side = min((WIDTH - left) / columns, HIGHEST * width / height)
    tall = side * height / width
    above = [LINE * (names == "above" and bool(name)) for name, _ in rows]
    titles = [
        LINE * max((1 + title.count("\n") if title else 0) for title, _ in cells)
        for _, cells in rows
    ]
    total = sum(above) + sum(titles) + (tall + GAP) * len(rows)
    broad = left + side * columns
    with plt.style.context(STYLE):
        figure = plt.figure(figsize=(broad, total), layout="none")
        top = total
        for (name, cells), room, heads in zip(rows, above, titles, strict=True):
            floor = top - room - heads - tall
            if names == "left":
                figure.text(
                    (left - 0.08) / broad, (floor + tall / 2) / total, name, fontsize=POINTS,
                    ha="right", va="center",
                )  # fmt: skip
            else:
                figure.text(0.01, (top - 0.02) / total, name, va="top", fontsize=POINTS + 1)
            for column, (title, picture) in enumerate(cells):
                x = left + side * column + 0.02
                box = (x / broad, floor / total, (side - 0.04) / broad, tall / total)
                axes = figure.add_axes(box, xticks=[], yticks=[])
                axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
                axes.spines[:].set(visible=True, color=colours.GRID, lw=0.5)
                _set_title(figure, axes, title, side)
            top = floor - GAP
        return show(figure, "png")


def _set_title(figure, axes, title: str, room: float) -> None:
    """Write a title above a picture, smaller where it would reach beyond it."""
    text = axes.set_title(title, loc="center", fontsize=POINTS, pad=3)
    wide = text.get_window_extent(figure.canvas.get_renderer()).width / figure.dpi
    if wide > room:
        text.set_fontsize(POINTS * 0.97 * room / wide)
