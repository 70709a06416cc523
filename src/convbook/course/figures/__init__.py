"""The book's figures: one visual language, one colour each for input, kernel and output.

Every function returns an image that a notebook displays: a `Drawing`, or an `Image` (PNG) for
photographs. An image, unlike a matplotlib figure, shows the same in every front end and is closed
once drawn.
"""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
from IPython.display import Image
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from convbook.arithmetic import Layer, conv_output_size, receptive_field
from convbook.course.figures import colours
from convbook.course.mime_types import DRAWING

STYLE = Path(__file__).with_name("convbook.mplstyle")
MARKERS = "osD^v"  # one for each colour of the cycle
STOREY = 1.75  # cells from one map of a stack to the next
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
            image = Drawing(buffer.getvalue().decode(), _small_png(figure))
        case "png":
            figure.savefig(buffer, format="png", metadata={"Software": None})
            image = Image(buffer.getvalue(), format="png")
        case _:
            raise ValueError(f"image_format={image_format!r} is unknown; use 'svg' or 'png'")
    plt.close(figure)
    return image


def _small_png(figure: Figure) -> bytes:
    """Return `figure` with two pixels to each of a screen's, in as many colours as a drawing needs.

    A palette makes the file a third as large, and the notebooks hold many.
    """
    pixels, packed = io.BytesIO(), io.BytesIO()
    figure.savefig(pixels, format="png", dpi=2 * SCREEN_DPI)
    with PIL.Image.open(pixels) as picture:
        picture.convert("RGB").quantize(256, dither=0).save(packed, format="PNG", optimize=True)
    return packed.getvalue()


def windows(
    input_size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> Drawing:
    """Draw a row of pixels and, below it, every position of a window that slides along it.

    Padding is dashed, taps are filled, pixels that no window reads are hatched.

    Raises:
        ValueError: the window does not fit the padded row.

    Example:
        >>> type(windows(7, 3, stride=2)).__name__
        'Drawing'
    """
    count = conv_output_size(input_size, kernel_size, stride, padding, dilation)
    starts = [output * stride - padding for output in range(count)]
    taps = [[start + dilation * k for k in range(kernel_size)] for start in starts]
    read = {pixel for window in taps for pixel in window}
    with plt.style.context(STYLE):
        figure, axes = _windows_figure(input_size, padding, count)
        for pixel in range(-padding, input_size + padding):
            _draw_input_pixel(axes, pixel, 0 <= pixel < input_size, pixel in read)
        for row, window in enumerate(taps, start=1):
            y = -row - 0.35
            axes.plot(
                [window[0] + 0.5, window[-1] + 0.5], [y + 0.5] * 2, color=colours.KERNEL, lw=1
            )
            for tap in window:
                _draw_square(axes, tap, y, facecolor=colours.KERNEL)
            _draw_square(axes, input_size + padding + 1.5, y, facecolor=colours.OUTPUT)
            axes.text(
                input_size + padding + 2, y + 0.5, str(row - 1), color="white",
                ha="center", va="center", fontsize=9,
            )  # fmt: skip
        _label_windows(axes, input_size, padding, count)
        return show(figure)


def window_sums(row: Sequence[int], weights: Sequence[int]) -> Drawing:
    """Draw a row of pixels, a window with its weights at every place, and the sum at each place.

    Colours as in `grids`.

    Raises:
        ValueError: the window is longer than the row.

    Example:
        >>> type(window_sums([0, 0, 9], [-1, 1])).__name__
        'Drawing'
    """
    count = conv_output_size(len(row), len(weights))
    places = [row[start : start + len(weights)] for start in range(count)]
    sums = [sum(w * p for w, p in zip(weights, pixels, strict=True)) for pixels in places]
    pixel_depths, weight_depths, sum_depths = map(_depths, (row, weights, sums))
    with plt.style.context(STYLE):
        figure, axes = _windows_figure(len(row), 0, count)
        for x, pixel in enumerate(row):
            _draw_number(axes, x, 0, str(pixel), pixel_depths[x], "input")
        for place, total in enumerate(sums):
            y = -place - 1.35
            for tap, weight in enumerate(weights):
                _draw_number(axes, place + tap, y, str(weight), weight_depths[tap], "kernel")
            _draw_number(axes, len(row) + 1.5, y, str(total), sum_depths[place], "output")
        _label_windows(axes, len(row), 0, count)
        return show(figure)


def _windows_figure(input_size: int, padding: int, count: int) -> tuple:
    columns = input_size + 2 * padding + 6  # the row, the labels and the outputs
    cell = min(WIDTH / columns, 0.42)
    return plt.subplots(figsize=(columns * cell, (count + 2.2) * cell))


def _label_windows(axes, input_size: int, padding: int, count: int) -> None:
    label = {"va": "center", "fontsize": 10}
    axes.text(-padding - 0.3, 0.5, "input", ha="right", **label)
    axes.text(-padding - 0.3, -0.85, "windows", ha="right", **label)
    axes.text(input_size + padding + 2, 0.5, "output", ha="center", **label)
    axes.set(xlim=(-padding - 2.8, input_size + padding + 3.2), ylim=(-count - 0.5, 1.1))
    axes.set_aspect("equal")
    axes.axis("off")


def _draw_input_pixel(axes, pixel: int, inside: bool, is_read: bool) -> None:
    if not inside:
        style = {"facecolor": "white", "edgecolor": colours.PADDING, "linestyle": "--"}
    elif is_read:
        style = {"facecolor": colours.INPUT}
    else:
        style = {"facecolor": "white", "edgecolor": colours.DROPPED, "hatch": "////"}
    _draw_square(axes, pixel, 0, **style)
    hatched = inside and not is_read
    axes.text(
        pixel + 0.5, 0.5, str(pixel) if inside else "", ha="center", va="center", fontsize=9,
        color="white" if inside and is_read else colours.INK,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1} if hatched else None,
    )  # fmt: skip


def _draw_square(axes, x: float, y: float, **style) -> None:
    axes.add_patch(Rectangle((x + 0.06, y + 0.06), 0.88, 0.88, **style))


def stack(input_size: int, layers: Sequence[Layer], output: int) -> Drawing:
    """Draw a row of pixels and, below it, the maps of a stack of layers, as rows of cells.

    What number `output` of the last map depends on is filled, with a line from each number to each
    one that it reads. Each number stands under the middle of its receptive field.
    Padding is dashed, and reads nothing.

    Raises:
        ValueError: there is no layer, a window does not fit, or the last map has no such number.

    Example:
        >>> type(stack(7, [Layer(3), Layer(3)], output=1)).__name__
        'Drawing'
    """
    sizes = [input_size]
    for layer in layers:
        sizes.append(conv_output_size(sizes[-1], *_settings(layer)))
    if not layers or not 0 <= output < sizes[-1]:
        raise ValueError(
            f"output={output} is not in the last map; use at least one layer and "
            f"0 <= output < {sizes[-1]}"
        )
    reads, wanted = _what_is_read(layers, sizes, output)
    fields = receptive_field(layers)
    middles = [(0.5, 1)] + [(field.start + field.size / 2, field.jump) for field in fields]
    maps = list(zip(middles, wanted, sizes, strict=True))
    ends = [
        middle + jump * place
        for (middle, jump), seen, size in maps
        for place in (*seen, 0, size - 1)
    ]
    left, right = min(ends) - 3.0, max(ends) + 0.7
    floors = [STOREY * level for level in range(len(layers), -1, -1)]  # the input on top
    with plt.style.context(STYLE):
        cell = min(WIDTH / (right - left), 0.42)
        figure, axes = plt.subplots(figsize=((right - left) * cell, (floors[0] + 1.2) * cell))
        for level, ((middle, jump), seen, size) in enumerate(maps):
            y, colour = floors[level], colours.OUTPUT if level else colours.INPUT
            axes.text(left, y + 0.5, f"map {level}" if level else "input", va="center", fontsize=10)
            for place in sorted({*range(size), *seen}):
                fill = (colour if place in seen else "white") if 0 <= place < size else None
                _draw_stack_cell(axes, middle + jump * place, y, str(place), fill)
        for level, read in enumerate(reads):
            (before, step), (after, jump) = middles[level : level + 2]
            for place, taps in read.items():
                for tap in taps:
                    axes.plot(
                        [before + step * tap, after + jump * place],
                        [floors[level] + 0.06, floors[level + 1] + 0.94],
                        color=colours.KERNEL, lw=1, solid_capstyle="butt",
                    )  # fmt: skip
        axes.set(xlim=(left, right), ylim=(-0.1, floors[0] + 1.1))
        axes.set_aspect("equal")
        axes.axis("off")
        return show(figure)


def _settings(layer: Layer) -> tuple:
    return layer.kernel_size, layer.stride, layer.padding, layer.dilation


def _what_is_read(layers: Sequence[Layer], sizes: Sequence[int], output: int) -> tuple:
    """Return what each wanted number of each map reads, and the wanted numbers of each map."""
    reads, wanted = [], [{output}]
    for layer, size in zip(reversed(layers), reversed(sizes[1:]), strict=True):
        kernel_size, stride, padding, dilation = _settings(layer)
        read = {
            place: [place * stride - padding + tap * dilation for tap in range(kernel_size)]
            for place in wanted[0]
            if 0 <= place < size
        }
        reads.insert(0, read)
        wanted.insert(0, set().union(*read.values()))
    return reads, wanted


def _draw_stack_cell(axes, middle: float, y: float, number: str, fill: str | None) -> None:
    """Draw one number of a map; without a fill it is padding."""
    if fill is None:
        style = {"facecolor": "white", "edgecolor": colours.PADDING, "linestyle": "--"}
        _draw_square(axes, middle - 0.5, y, **style)
        return
    edge = {"edgecolor": colours.GRID} if fill == "white" else {}
    _draw_square(axes, middle - 0.5, y, facecolor=fill, **edge)
    axes.text(
        middle, y + 0.5, number, ha="center", va="center", fontsize=9,
        color=colours.PADDING if fill == "white" else "white",
    )  # fmt: skip


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
    return texts, _depths(values)


def _depths(values) -> np.ndarray:
    """Return the numbers divided by the largest size among them."""
    return np.asarray(values) / (np.abs(values).max() or 1.0)


def _draw_grid(axes, texts: np.ndarray, depths: np.ndarray, role: str) -> None:
    tints = colours.weight_tints(texts.size) if role == "weights" else None
    for index, (y, x) in enumerate(np.ndindex(texts.shape)):
        if tints:
            _draw_square(axes, x, -y - 1, facecolor=tints[index], edgecolor=colours.KERNEL)
            axes.text(
                x + 0.5, -y - 0.5, texts[y, x], ha="center", va="center", fontsize=9,
                color=colours.ink_on(tints[index]),
            )  # fmt: skip
        else:
            _draw_number(axes, x, -y - 1, texts[y, x], depths[y, x], role)
    axes.set(xlim=(0, texts.shape[1]), ylim=(-texts.shape[0], 0))
    axes.set_aspect("equal")
    axes.axis("off")


def _draw_number(axes, x: float, y: float, text: str, depth: float, role: str) -> None:
    """Draw one cell of a grid; `depth`, from -1 to 1, chooses the tint and its hue."""
    hue = colours.ROLES[role] if depth >= 0 else colours.BELOW_ZERO
    tint = 0.12 + 0.38 * abs(depth)  # light enough for black digits
    _draw_square(axes, x, y, facecolor=hue, alpha=tint)
    _draw_square(axes, x, y, facecolor="none", edgecolor=colours.ROLES[role])
    axes.text(
        x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=9, color=colours.INK
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
                    _draw_square(axes, x, y, facecolor="none", edgecolor=colours.GRID)
                continue
            tint = tints[tap - 1]
            _draw_square(axes, x, y, facecolor=tint, edgecolor=colours.KERNEL if weights else tint)
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


def _as_picture(image: Tensor) -> np.ndarray:
    shape = tuple(image.shape)
    pixels = image.detach().double().numpy()
    if image.ndim == 3 and shape[0] == 3:
        return pixels.transpose(1, 2, 0).clip(0, 1)  # (H, W, 3)
    if image.ndim == 2 or (image.ndim == 3 and shape[0] == 1):
        return pixels.reshape(shape[-2:])  # (H, W)
    raise ValueError(f"image has shape {shape}; use (3, H, W), (1, H, W) or (H, W)")


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
        return show(figure)


def lines(
    x: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    xlabel: str,
    ylabel: str,
    log: str = "xy",
) -> Drawing:
    """Draw one line with markers for each named curve, named at its end.

    `log` names the axes that are logarithmic: "xy", "y", "x" or "". Three digits of each number are
    drawn: further ones may differ from one processor to the next, and so would the drawing.

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
        for (name, y), marker in zip(curves.items(), MARKERS, strict=False):
            drawn = [float(f"{value:.3g}") for value in y]
            (line,) = axes.plot(x, drawn, marker=marker, markersize=4)
            _name_curve(axes, name, (x[-1], drawn[-1]), line.get_color())
        _scale(axes, xlabel, ylabel, log)
        if "x" in log or len(x) <= 10:
            axes.set_xticks(x, [f"{value:g}" for value in x])
        axes.minorticks_off()
        axes.margins(x=0.05)
        return show(figure)


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
    depths = _depths(wrong)
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(figsize=(WIDTH, 0.45 * len(classes) + 1.2))
        for (y, x), count in np.ndenumerate(table):
            style = {"facecolor": colours.KERNEL, "alpha": 0.6 * depths[y, x]}
            if y == x:
                style = {"facecolor": "none", "edgecolor": colours.OUTPUT, "lw": 1.5}
            _draw_square(axes, x, y, **style)
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
        return show(figure)


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
        for (name, pair), marker in zip(points.items(), MARKERS, strict=False):
            x, y = ([float(f"{value:.3g}") for value in axis] for axis in pair)
            style = {} if joined else {"ls": "none", "marker": marker, "alpha": 0.8}
            (line,) = axes.plot(x, y, **style)
            va = "center" if level is None else "bottom"  # a curve often ends near the level
            _name_curve(axes, name, (x[-1], y[-1]), line.get_color(), va)
        _scale(axes, xlabel, ylabel, log)
        axes.margins(x=0.12)
        return show(figure)


def _check_count(curves: Mapping) -> None:
    if len(curves) > len(MARKERS):
        raise ValueError(f"{len(curves)} curves are too many to tell apart; draw {len(MARKERS)}")


def _check_log(numbers: Sequence[float], axis: str, log: str) -> None:
    if axis in log and min(numbers) <= 0:
        raise ValueError(
            f"{axis} holds {min(numbers)}, which has no place on a logarithmic axis; "
            f"leave {axis!r} out of log={log!r}"
        )


def _name_curve(axes, name: str, end: tuple[float, float], colour: str, va: str = "center") -> None:
    axes.annotate(
        name, end, xytext=(8, 0), textcoords="offset points", va=va, color=colour,
        fontweight="bold",
    )  # fmt: skip


def _scale(axes, xlabel: str, ylabel: str, log: str) -> None:
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.set_xscale("log" if "x" in log else "linear")
    axes.set_yscale("log" if "y" in log else "linear")
