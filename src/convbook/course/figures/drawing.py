"""A figure as an image that every viewer shows, and the cells that figures are made of."""

import hashlib
import io
import re
from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
from IPython.display import Image
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from convbook.course import colours
from convbook.course.mime_types import DATA, DRAWING

STYLE = Path(__file__).parents[2] / "convbook.mplstyle"
MARKERS = "osD^v"  # one for each colour of the cycle
SCREEN_DPI = 96  # at which browsers show an SVG
WIDTH = 5.5  # inches: as wide as a figure may be so that a phone still shows its text
DIGIT_WIDTH = 0.636  # of the font size


class Drawing(Image):
    """A drawing as `svg`, which the site shows, and as a PNG, which every other viewer does.

    Viewers show a stored `image/svg+xml` each in its own way, and some not at all: JupyterLab only
    in a notebook that the reader trusts. So the SVG is stored under a type of the book's own.
    `data` are the numbers that it draws: by them a fresh drawing is compared with the stored one,
    where they may differ by a declared bound.
    """

    def __init__(self, svg: str, png: bytes, data: Mapping | None = None):
        super().__init__(png, format="png", retina=True)
        self.svg = svg
        self.numbers = data

    def __repr__(self) -> str:
        return "<Drawing>"  # whatever module it lives in: notebooks store it

    def _repr_mimebundle_(self, include=None, exclude=None):
        data, metadata = super()._repr_mimebundle_(include, exclude)
        numbers = {} if self.numbers is None else {DATA: self.numbers}
        return {DRAWING: self.svg, **data, **numbers}, metadata


def show(figure: Figure, image_format: str = "svg", data: Mapping | None = None) -> Image:
    """Close `figure` and return it as an image: "svg" for a drawing, "png" for a photograph.

    Raises:
        ValueError: `image_format` is neither.
    """
    buffer = io.BytesIO()
    match image_format:
        case "svg":
            # A date in the file would make each run's figure differ from the stored one. The page
            # is the ground: it may be dark.
            figure.savefig(buffer, format="svg", facecolor="none", metadata={"Date": None})
            svg = _name_clips(buffer.getvalue().decode())
            image = Drawing(svg, _small_png(figure), data)
        case "png":
            figure.savefig(buffer, format="png", metadata={"Software": None})
            width = round(figure.get_figwidth() * SCREEN_DPI)
            image = Image(buffer.getvalue(), format="png", width=width)
        case _:
            raise ValueError(f"image_format={image_format!r} is unknown; use 'svg' or 'png'")
    plt.close(figure)
    return image


def _name_clips(svg: str) -> str:
    """Name the clip paths after their text: six digits of each number, equal on every processor.

    matplotlib names them after all digits, and the last ones depend on the processor's log and exp.
    """
    for name, path in re.findall(r'<clipPath id="(\w+)">(.*?)</clipPath>', svg, re.DOTALL):
        svg = svg.replace(name, f"p{hashlib.sha256(path.encode()).hexdigest()[:10]}")
    return svg


def _small_png(figure: Figure) -> bytes:
    """Return `figure` with two pixels to each of a screen's, in as many colours as a drawing needs.

    A palette makes the file a third as large, and the notebooks hold many.
    """
    pixels, packed = io.BytesIO(), io.BytesIO()
    figure.savefig(pixels, format="png", dpi=2 * SCREEN_DPI)
    with PIL.Image.open(pixels) as picture:
        picture.convert("RGB").quantize(256, dither=0).save(packed, format="PNG", optimize=True)
    return packed.getvalue()


def draw_square(axes, x: float, y: float, margin: float = 0.06, tint: float = 1, **style) -> None:
    """Draw a square cell whose lower left corner, with its margin, is at (x, y).

    `tint` is how opaque its face is; its edge always is.
    """
    side = 1 - 2 * margin
    hue = style.pop("facecolor", None)
    face = "none" if hue in (None, "none") else to_rgba(hue, tint)
    axes.add_patch(
        Rectangle((x + margin, y + margin), side, side, facecolor=face, clip_on=False, **style)
    )


def draw_number(
    axes, x: float, y: float, text: str, depth: float, role: str,
    signed: bool = False, size: float = 9,
) -> None:  # fmt: skip
    """Draw one cell of a grid; `depth`, from -1 to 1, chooses the tint.

    The outline tells the role: one line for input and output, two for a kernel. The hue is the
    role's own, or the sign's where the figure holds a negative number.
    """
    hue = colours.ROLES[role]
    if signed:
        hue = colours.POSITIVE if depth > 0 else colours.NEGATIVE
    style = {"edgecolor": colours.ROLES[role], "lw": 1.2}
    if role == "kernel":
        style["lw"] = 0.9
        draw_square(axes, x, y, margin=0.13, edgecolor=colours.KERNEL, lw=0.5)
    if depth:  # light enough for black digits; a zero is blank
        fainter = 0.7 if hue == colours.KERNEL else 1  # ink is deep
        style |= {"facecolor": hue, "tint": fainter * opacity(depth)}
    draw_square(axes, x, y, **style)
    axes.text(
        x + 0.5, y + 0.5, with_minus(text), ha="center", va="center_baseline", clip_on=False,
        fontsize=size, color=colours.INK if depth else colours.PADDING,
    )  # fmt: skip


def opacity(depth: float) -> float:
    """Return how opaque a cell's face is, for a number of this size from -1 to 1."""
    return 0.12 + 0.38 * abs(depth)


def with_minus(text: str) -> str:
    """Return a number's text with a minus sign in place of a hyphen."""
    return text.replace("-", "\N{MINUS SIGN}")


def draw_key(axes, x: float, y: float, side: float, most: str) -> None:
    """Draw five cells from purple by blank to orange, with the numbers at their ends.

    They stand around x, on y; `side` is theirs in the units of the axes.
    """
    for place, depth in enumerate((-1, -0.5, 0.5, 1)):
        hue = colours.POSITIVE if depth > 0 else colours.NEGATIVE
        left = x + side * (place - 2.5 + (depth > 0))
        face = to_rgba(hue, opacity(depth))
        axes.add_patch(Rectangle((left, y), side, side, facecolor=face, lw=0, clip_on=False))
    edge = {"facecolor": "none", "edgecolor": colours.AXIS, "lw": 0.6}
    axes.add_patch(Rectangle((x - 2.5 * side, y), 5 * side, side, clip_on=False, **edge))
    style = {"va": "center_baseline", "fontsize": 9, "color": colours.AXIS, "clip_on": False}
    middle = y + side / 2
    axes.text(x - 2.8 * side, middle, f"\N{MINUS SIGN}{most}", ha="right", **style)
    axes.text(x, middle, "0", ha="center", **style)
    axes.text(x + 2.8 * side, middle, most, ha="left", **style)


def depths_of(values, largest: float | None = None) -> np.ndarray:
    """Return the numbers divided by the largest size among them, or by `largest`."""
    return np.asarray(values) / (largest or np.abs(values).max() or 1.0)


def digit_size(texts, cell: float) -> float:
    """Return the font size, at most 9, at which the longest of the texts fits a cell in inches."""
    longest = max(map(len, texts))
    return min(9.0, round(0.85 * 72 * cell / (DIGIT_WIDTH * longest), 1))
