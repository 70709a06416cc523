"""Windows over a row of pixels, and what an output at the top of a stack sees of it."""

from collections.abc import Sequence
from itertools import pairwise

import matplotlib.pyplot as plt

from convbook.arithmetic import Layer, conv_output_size, receptive_field
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

STOREY = 1.75  # cells from one map of a stack to the next


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
            for before, after in pairwise(window):  # what a dilated window leaves out
                axes.plot([before + 0.94, after + 0.06], [y + 0.5] * 2, color=colours.AXIS, lw=1)
            for tap in window:
                draw_number(axes, tap, y, "", 0.6, "kernel")
            draw_number(axes, input_size + padding + 1.5, y, str(row - 1), 0.6, "output")
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
    largest, signed = max(map(abs, [*row, *weights, *sums])), min([*row, *weights, *sums]) < 0
    pixel_depths, weight_depths, sum_depths = (
        depths_of(values, largest) for values in (row, weights, sums)
    )
    with plt.style.context(STYLE):
        figure, axes = _windows_figure(len(row), 0, count)
        for x, pixel in enumerate(row):
            draw_number(axes, x, 0, str(pixel), pixel_depths[x], "input", signed)
        for place, total in enumerate(sums):
            y = -place - 1.35
            for tap, weight in enumerate(weights):
                depth = weight_depths[tap]
                draw_number(axes, place + tap, y, str(weight), depth, "kernel", signed)
            draw_number(axes, len(row) + 1.5, y, str(total), sum_depths[place], "output", signed)
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
    if inside and is_read:
        draw_number(axes, pixel, 0, str(pixel), 0.6, "input")
    elif inside:
        style = {"facecolor": "none", "edgecolor": colours.DROPPED, "hatch": "///", "lw": 1.2}
        draw_square(axes, pixel, 0, **style)
        axes.text(pixel + 0.5, 1.15, str(pixel), ha="center", va="bottom", fontsize=9)
    else:
        _draw_padding(axes, pixel, 0)


def _draw_padding(axes, x: float, y: float) -> None:
    draw_square(axes, x, y, facecolor="none", edgecolor=colours.PADDING, linestyle="--")


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
            y, role = floors[level], "output" if level else "input"
            axes.text(left, y + 0.5, f"map {level}" if level else "input", va="center", fontsize=10)
            for place in sorted({*range(size), *seen}):
                x = middle + jump * place
                if 0 <= place < size:
                    _draw_stack_cell(axes, x, y, str(place), role, place in seen)
                else:
                    _draw_padding(axes, x - 0.5, y)
        for level, read in enumerate(reads):
            (before, step), (after, jump) = middles[level : level + 2]
            for place, taps in read.items():
                for tap in taps:
                    axes.plot(
                        [before + step * tap, after + jump * place],
                        [floors[level] + 0.06, floors[level + 1] + 0.94],
                        color=colours.AXIS, lw=1, solid_capstyle="butt",
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


def _draw_stack_cell(axes, middle: float, y: float, number: str, role: str, seen: bool) -> None:
    """Draw one number of a map, tinted if the output depends on it."""
    if seen:
        draw_number(axes, middle - 0.5, y, number, 0.8, role)
        return
    draw_square(axes, middle - 0.5, y, facecolor="none", edgecolor=colours.GRID)
    style = {"ha": "center", "va": "center_baseline", "fontsize": 9, "color": colours.PADDING}
    axes.text(middle, y + 0.5, number, **style)
