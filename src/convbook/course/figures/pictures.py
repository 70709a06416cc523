"""Photographs and maps as pictures, without axes, each under its title."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle
from torch import Tensor

from convbook.course import colours
from convbook.course.figures.drawing import MARKERS, STYLE, WIDTH, show
from convbook.course.figures.plate import Plate

# From purple by white to orange: the sign of a number, and how large it is.
SIGNS = LinearSegmentedColormap.from_list(
    "signs", [colours.NEGATIVE, "#ffffff", colours.POSITIVE], N=255
)


def photographs(images: Sequence[Tensor], titles: Sequence[str], signed: bool = False) -> Plate:
    """Show photographs or feature maps side by side; four stand two by two.

    A map of one channel is shown in grey, black its least and white its greatest value. If
    `signed`, maps that hold a negative number are orange above zero and purple below, on one scale.

    Shapes:
        each of `images`: `(3, H, W)` in [0, 1], `(1, H, W)` or `(H, W)`.

    Raises:
        ValueError: an image has another shape, there is none, or not one title for each.

    Example:
        >>> import torch
        >>> photographs([torch.rand(3, 8, 8), torch.eye(8)], ["photograph", "map"])
        <Plate>
    """
    columns = 2 if len(images) == 4 else max(1, len(images))
    return gallery(images, titles, columns, signed)


def gallery(
    images: Sequence[Tensor], titles: Sequence[str], columns: int = 5, signed: bool = False
) -> Plate:
    """Show pictures in rows of `columns`, each under its title.

    Shapes:
        each of `images`: as in `photographs`.

    Raises:
        ValueError: an image has another shape, there is none, or not one title for each.

    Example:
        >>> import torch
        >>> gallery([torch.rand(3, 8, 8)] * 3, ["a", "b", "c"], columns=2)
        <Plate>
    """
    if not len(images) or len(images) != len(titles):
        raise ValueError(f"{len(images)} images have {len(titles)} titles; give one title for each")
    pictures = as_pictures(images, signed)
    cells = [(title, picture) for title, picture in zip(titles, pictures, strict=True)]
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    return Plate([("", row) for row in rows], columns)


def tiles(rows: Mapping[str, Tensor]) -> Plate:
    """Show the kernels of a layer, or other small maps, side by side: one row for each name.

    White is 0, orange above and purple below; each row has a scale of its own.

    Shapes:
        each of `rows`: `(N, H, W)`, the same for all.

    Raises:
        ValueError: there is no row, or their shapes differ or have other than three axes.

    Example:
        >>> import torch
        >>> tiles({"one layer": torch.randn(4, 3, 3)})
        <Plate>
    """
    shapes = {tuple(maps.shape) for maps in rows.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 3:
        raise ValueError(f"rows have shapes {sorted(shapes)}; use one shape (N, H, W) for all")
    drawn = []
    for name, maps in rows.items():
        largest = maps.abs().max().item() or 1.0
        drawn.append((name, [("", _in_hues(values / largest)) for values in maps.double().numpy()]))
    return Plate(drawn, len(drawn[0][1]))


def boxes(image: Tensor, squares: Mapping[str, tuple[int, int, int, int]]) -> Image:
    """Show a photograph or map with named rectangles on it; they may reach beyond its border.

    Shapes:
        image: as in `photographs`.
        each of `squares`: `(top, left, height, width)` in pixels.

    Raises:
        ValueError: the image has another shape, or there are more rectangles than colours.
    """
    if len(squares) > len(MARKERS):
        raise ValueError(f"{len(squares)} squares are too many to tell apart; draw {len(MARKERS)}")
    (picture,) = as_pictures([image], signed=False)
    height, width = picture.shape[:2]
    frames = [(0, 0, height, width), *squares.values()]
    top, bottom = min(y for y, _, _, _ in frames), max(y + h for y, _, h, _ in frames)
    left, right = min(x for _, x, _, _ in frames), max(x + w for _, x, _, w in frames)
    margin = 0.02 * max(right - left, bottom - top)
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(figsize=(WIDTH, 4.6))
        axes.imshow(picture, cmap="gray", interpolation="nearest")
        for (name, (y, x, h, w)), colour in zip(squares.items(), colours.CURVES, strict=False):
            for line, ink in ((4, "white"), (2, colour)):  # a white edge shows on any picture
                axes.add_patch(Rectangle((x - 0.5, y - 0.5), w, h, fill=False, lw=line, ec=ink))
            axes.plot([], [], color=colour, label=name)  # for the legend, above the picture
        axes.set(
            xlim=(left - 0.5 - margin, right - 0.5 + margin),
            ylim=(bottom - 0.5 + margin, top - 0.5 - margin),
            xlabel="column (W)", ylabel="row (H)",
        )  # fmt: skip
        figure.legend(loc="outside upper center", ncols=2)
        return show(figure, "png")


def as_pictures(images: Sequence[Tensor], signed: bool) -> list[np.ndarray]:
    """Return images as bytes: `(H, W, 3)` in colour or in the hues of signs, `(H, W)` in grey."""
    arrays = [_as_array(image) for image in images]
    below_zero = [array for array in arrays if array.ndim == 2 and array.min() < 0]
    largest = max((np.abs(array).max() for array in below_zero), default=1.0)
    pictures = []
    for array in arrays:
        if signed and array.ndim == 2 and array.min() < 0:
            pictures.append(_in_hues(array / largest))
        elif array.ndim == 2:
            pictures.append(_as_bytes((array - array.min()) / (np.ptp(array) or 1.0)))
        else:
            pictures.append(_as_bytes(array.clip(0, 1)))
    return pictures


def _as_bytes(values: np.ndarray) -> np.ndarray:
    return (255 * values).round().astype(np.uint8)


def _in_hues(values: np.ndarray) -> np.ndarray:
    """Return numbers from -1 to 1 in the hues of their signs, `(H, W, 3)` in bytes."""
    return SIGNS(0.5 + values / 2, bytes=True)[..., :3]


def _as_array(image: Tensor) -> np.ndarray:
    shape = tuple(image.shape)
    pixels = image.detach().double().numpy()
    if image.ndim == 3 and shape[0] == 3:
        return pixels.transpose(1, 2, 0)  # (H, W, 3)
    if image.ndim == 2 or (image.ndim == 3 and shape[0] == 1):
        return pixels.reshape(shape[-2:])  # (H, W)
    raise ValueError(f"image has shape {shape}; use (3, H, W), (1, H, W) or (H, W)")
