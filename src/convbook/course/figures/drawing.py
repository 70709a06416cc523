"""A figure as an image that every viewer shows, and the squares that figures are made of."""

import hashlib
import io
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
from IPython.display import Image
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from convbook.course import colours
from convbook.course.mime_types import DRAWING

STYLE = Path(__file__).parents[2] / "convbook.mplstyle"
MARKERS = "osD^v"  # one for each colour of the cycle
SCREEN_DPI = 96  # at which browsers show an SVG
WIDTH = 5.5  # inches: as wide as a figure may be so that a phone still shows its text


class Drawing(Image):
    """A drawing as `svg`, which the site shows, and as a PNG, which every other viewer does.

    Viewers show a stored `image/svg+xml` each in its own way, and some not at all: JupyterLab only
    in a notebook that the reader trusts. So the SVG is stored under a type of the book's own.
    """

    def __init__(self, svg: str, png: bytes):
        super().__init__(png, format="png", retina=True)
        self.svg = svg

    def __repr__(self) -> str:
        return "<Drawing>"  # whatever module it lives in: notebooks store it

    def _repr_mimebundle_(self, include=None, exclude=None):
        data, metadata = super()._repr_mimebundle_(include, exclude)
        return {DRAWING: self.svg, **data}, metadata


def show(figure: Figure, image_format: str = "svg") -> Image:
    """Close `figure` and return it as an image: "svg" for a drawing, "png" for a photograph.

    Raises:
        ValueError: `image_format` is neither.
    """
    buffer = io.BytesIO()
    match image_format:
        case "svg":
            # A date in the file would make each run's figure differ from the stored one.
            figure.savefig(buffer, format="svg", metadata={"Date": None})
            image = Drawing(_name_clips(buffer.getvalue().decode()), _small_png(figure))
        case "png":
            figure.savefig(buffer, format="png", metadata={"Software": None})
            image = Image(buffer.getvalue(), format="png")
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


def draw_square(axes, x: float, y: float, **style) -> None:
    axes.add_patch(Rectangle((x + 0.06, y + 0.06), 0.88, 0.88, **style))


def draw_number(axes, x: float, y: float, text: str, depth: float, role: str) -> None:
    """Draw one cell of a grid; `depth`, from -1 to 1, chooses the tint and its hue."""
    hue = colours.ROLES[role] if depth >= 0 else colours.BELOW_ZERO
    tint = 0.12 + 0.38 * abs(depth)  # light enough for black digits
    draw_square(axes, x, y, facecolor=hue, alpha=tint)
    draw_square(axes, x, y, facecolor="none", edgecolor=colours.ROLES[role])
    axes.text(
        x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=9, color=colours.INK
    )  # fmt: skip


def depths_of(values) -> np.ndarray:
    """Return the numbers divided by the largest size among them."""
    return np.asarray(values) / (np.abs(values).max() or 1.0)
