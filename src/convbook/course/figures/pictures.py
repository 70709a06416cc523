"""Photographs and maps as pictures."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from convbook.course import colours
from convbook.course.figures.drawing import (
    MARKERS,
    STYLE,
    WIDTH,
    show,
)


def photographs(images: Sequence[Tensor], titles: Sequence[str]) -> Image:
    """Show photographs or feature maps side by side, with pixel numbers along both axes.

    A map of one channel is shown in grey, black its least and white its greatest value.

    Shapes:
        each of `images`: `(3, H, W)` in [0, 1], `(1, H, W)` or `(H, W)`.

    Raises:
        ValueError: an image has another shape, or there are more or fewer titles than images.
    """
    if len(images) != len(titles):
        raise ValueError(f"{len(images)} images have {len(titles)} titles; give one title for each")
    with plt.style.context(STYLE):
        # Four stand two by two: side by side they would be stamps on a phone.
        columns = 2 if len(images) == 4 else len(images)
        rows = len(images) // columns
        tallest = max(image.shape[-2] / image.shape[-1] for image in images)
        height = min(rows * tallest * WIDTH / columns + 0.5, rows * 4)
        figure, grid = plt.subplots(rows, columns, figsize=(WIDTH, height), squeeze=False)
        for axes, image in zip(grid.flat, images, strict=True):
            axes.imshow(_as_picture(image), cmap="gray", interpolation="nearest")
            for axis in (axes.xaxis, axes.yaxis):
                axis.get_major_locator().set_params(integer=True)  # there is no pixel 2.5
        for axes in grid[-1]:
            axes.set_xlabel("column (W)")
        for axes in grid[:, 0]:
            axes.set_ylabel("row (H)")
        _set_titles(figure, titles)
        return show(figure, "png")


def _set_titles(figure: Figure, titles: Sequence[str]) -> None:
    """Set the title of each axes; where one would reach beyond the figure, all are smaller.

    The layout makes room for the height of a title, not for its width.
    """
    texts = [axes.set_title(title) for axes, title in zip(figure.axes, titles, strict=True)]
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in texts]
    room = min((figure.bbox.x1 - box.x0) / box.width for box in boxes)
    for text in texts:
        text.set_fontsize(text.get_fontsize() * min(1, 0.97 * room))


def tiles(rows: Mapping[str, Tensor]) -> Image:
    """Show the kernels of a layer, or other small maps, side by side: one row for each name.

    The grey in the middle is 0; black is the least and white the greatest that a row may hold.

    Shapes:
        each of `rows`: `(N, H, W)`, the same for all.

    Raises:
        ValueError: there is no row, or their shapes differ or have other than three axes.
    """
    shapes = {tuple(maps.shape) for maps in rows.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 3:
        raise ValueError(f"rows have shapes {sorted(shapes)}; use one shape (N, H, W) for all")
    ((count, height, width),) = shapes
    with plt.style.context(STYLE):
        size = (WIDTH, len(rows) * (WIDTH / count * height / width + 0.3))
        figure, grid = plt.subplots(len(rows), count, figsize=size, squeeze=False)
        for line, (name, maps) in zip(grid, rows.items(), strict=True):
            limit = maps.abs().max().item()
            for axes, values in zip(line, maps, strict=True):
                axes.imshow(
                    _as_picture(values), cmap="gray", vmin=-limit, vmax=limit,
                    interpolation="nearest",
                )  # fmt: skip
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set(visible=True, color=colours.PADDING)
            line[0].set_title(name)
        return show(figure, "png")


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
    picture = _as_picture(image)
    height, width = picture.shape[:2]
    frames = [(0, 0, height, width), *squares.values()]
    top, bottom = min(y for y, _, _, _ in frames), max(y + h for y, _, h, _ in frames)
    left, right = min(x for _, x, _, _ in frames), max(x + w for _, x, _, w in frames)
    margin = 0.02 * max(right - left, bottom - top)
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(figsize=(WIDTH, 4.6))
        axes.imshow(picture, cmap="gray", interpolation="nearest")
        cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
        for (name, (y, x, h, w)), colour in zip(squares.items(), cycle, strict=False):
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


def gallery(images: Sequence[Tensor], titles: Sequence[str], columns: int = 5) -> Image:
    """Show small pictures in rows, each under its title, without pixel numbers.

    Shapes:
        each of `images`: as in `photographs`.

    Raises:
        ValueError: an image has another shape, there is none, or not one title for each.

    Example:
        >>> import torch
        >>> type(gallery([torch.rand(3, 8, 8)] * 3, ["a", "b", "c"], columns=2)).__name__
        'Image'
    """
    if not len(images) or len(images) != len(titles):
        raise ValueError(f"{len(images)} images have {len(titles)} titles; give one title for each")
    pictures = [_as_picture(image) for image in images]
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    lines = 1 + max(title.count("\n") for title in titles)
    with plt.style.context(STYLE):
        size = (WIDTH, rows * (WIDTH / columns * height / width + 0.2 * lines))
        figure, grid = plt.subplots(rows, columns, figsize=size, squeeze=False)
        for axes in grid.flat:
            axes.axis("off")
        for axes, picture, title in zip(grid.flat, pictures, titles, strict=False):
            axes.imshow(picture, cmap="gray", interpolation="nearest")
            axes.set_title(title, loc="center", fontsize=9)
        return show(figure, "png")


def _as_picture(image: Tensor) -> np.ndarray:
    shape = tuple(image.shape)
    pixels = image.detach().double().numpy()
    if image.ndim == 3 and shape[0] == 3:
        return pixels.transpose(1, 2, 0).clip(0, 1)  # (H, W, 3)
    if image.ndim == 2 or (image.ndim == 3 and shape[0] == 1):
        return pixels.reshape(shape[-2:])  # (H, W)
    raise ValueError(f"image has shape {shape}; use (3, H, W), (1, H, W) or (H, W)")
