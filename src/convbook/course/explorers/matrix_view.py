"""Matrix view: one convolution as a product of matrices, the dense one or that of its windows."""

from collections import Counter
from html import escape

import traitlets

from convbook._checks.arguments import integer
from convbook.arithmetic import conv_output_size
from convbook.course import colours
from convbook.course.explorers.convolved import ConvolvedExplorer
from convbook.course.explorers.grids import (
    INPUT_VALUES,
    corner,
    counted,
    flat,
    folded,
    html_table,
    number_text,
    side_by_side,
)
from convbook.course.explorers.sources import module_source
from convbook.course.explorers.traits import Choice, Square, Whole

SMALLEST_INPUT, LARGEST_INPUT, LARGEST_KERNEL = 3, 5, 3

# No weight of the 2x2 corner is 0, so that a zero there is a zero of the matrix.
KERNEL_VALUES = [[1, 2, 0], [3, -1, 1], [0, 1, 2]]

KINDS = ("output", "pixel", "weight")
LARGEST_INDEX = 48  # 5x5 pixels, padding 1, kernel 1x1: 49 outputs

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def _numbered(letter, index):
    return f"{letter}{index}".translate(_SUBSCRIPTS)


def _cell(tag, kind, value):
    text = value if isinstance(value, str) else number_text(value)
    return f'<{tag} class="cb-{kind}">{text}</{tag}>'


def _tints(count):
    """Return the number, 1 to 9, of each weight's tint: `colours.weight_tints` by their place."""
    return [colours.WEIGHTS.index(tint) + 1 for tint in colours.weight_tints(count)]


class _Selected(traitlets.TraitType):
    """What is lit: a kind and its index in reading order, such as ('output', 0)."""

    def validate(self, _, value):
        """Return the pair, or raise."""
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            raise TypeError(f"{self.name}={value!r} is no pair; use a pair such as ('output', 0)")
        kind, index = value
        if kind not in KINDS:
            raise ValueError(f"{self.name}={value!r}; use {', '.join(map(repr, KINDS))} first")
        return kind, integer(index, f"{self.name}[1]", 0, LARGEST_INDEX)


class MatrixView(ConvolvedExplorer):
    """Show a convolution as a matrix product; a window, its row and its output light up together.

    Every argument is an attribute too, read and written by page and kernel alike; `matrix`,
    `output`, `counts` and `code` (the line that computes the output) follow from them.

    Args:
        input: square grid of numbers, 3 by 3 to 5 by 5; left out, a corner of the book's first
            worked example.
        kernel: square grid of numbers, at most 3 by 3; left out, one of small whole numbers.
        input_size: rows and columns of the input, 3 to 5; taken from `input` if given, else 3.
        kernel_size: rows and columns of the kernel, 1 to 3; taken from `kernel` if given, else 2.
        stride: 1 or 2.
        padding: 0 or 1.
        view: 'dense', the matrix times the flattened input, or 'im2col', the flattened kernel times
            the matrix whose columns are the windows.
        show: 'letters' or 'numbers'.
        selected: what is lit first, a kind ('output', 'pixel' or 'weight') and an index in reading
            order.

    Raises:
        ValueError: a value is out of range.
        TypeError: a value is not of its kind.

    Example:
        >>> view = MatrixView(kernel=[[1, 2], [3, 4]])
        >>> view.matrix[0]
        [1, 2, 0, 3, 4, 0, 0, 0, 0]
        >>> view.summary
        '4 × 9 matrix: 36 entries, 20 zeros, 16 copies of 4 weights.'
    """

    _explorer = "matrix_view"
    _esm = module_source("matrix_view")

    view = Choice("dense", "im2col").tag(sync=True)
    show = Choice("letters", "numbers").tag(sync=True)
    input_size = Whole(3, SMALLEST_INPUT, LARGEST_INPUT).tag(sync=True)
    kernel_size = Whole(2, 1, LARGEST_KERNEL).tag(sync=True)
    stride = Whole(1, 1, 2).tag(sync=True)
    padding = Whole(0, 0, 1).tag(sync=True)
    selected = _Selected(("output", 0)).tag(sync=True)
    input_values = Square(corner(INPUT_VALUES, LARGEST_INPUT), LARGEST_INPUT).tag(sync=True)
    kernel_values = Square(KERNEL_VALUES, LARGEST_KERNEL).tag(sync=True)

    def __init__(
        self,
        input=None,
        kernel=None,
        *,
        input_size=None,
        kernel_size=None,
        stride=1,
        padding=0,
        view="dense",
        show="letters",
        selected=("output", 0),
    ):
        super().__init__(
            **self._grid_traits(input, input_size, kernel, kernel_size),
            stride=stride,
            padding=padding,
            view=view,
            show=show,
            selected=selected,
        )
        kind, index = self.selected
        sides = {"output": self.output_size, "pixel": self.input_size, "weight": self.kernel_size}
        count = sides[kind] ** 2
        if index >= count:
            raise ValueError(
                f"selected={self.selected} is outside the {counted(count, kind)}; "
                f"use an index from 0 to {count - 1}"
            )

    @property
    def output_size(self):
        """Rows of the output, and its columns."""
        return conv_output_size(self.input_size, self.kernel_size, self.stride, self.padding)

    @property
    def _windows(self):
        """For each output, in reading order, the pixel behind each weight; None in the padding."""
        places = range(self.output_size)

        def pixel(row, col):
            inside = 0 <= row < self.input_size and 0 <= col < self.input_size
            return row * self.input_size + col if inside else None

        taps = [
            [place * self.stride - self.padding + k for k in range(self.kernel_size)]
            for place in places
        ]
        return [[pixel(i, j) for i in rows for j in cols] for rows in taps for cols in taps]

    def _filled(self, pixels, weights, zero):
        """Return the matrix of the view, made of these pixels or of these weights."""
        windows = self._windows
        if self.view == "im2col":
            taps = range(len(weights))
            return [
                [zero if window[k] is None else pixels[window[k]] for window in windows]
                for k in taps
            ]
        rows = [dict(zip(window, weights, strict=True)) for window in windows]
        return [[row.get(pixel, zero) for pixel in range(len(pixels))] for row in rows]

    @property
    def matrix(self):
        """The matrix of the view, a list of rows of numbers: the dense one, or the windows'."""
        return self._filled(flat(self.input), flat(self.kernel), 0)

    @property
    def output(self):
        """The output, a list of rows."""
        x, w = flat(self.input), flat(self.kernel)
        sums = [
            sum(v * x[pixel] for v, pixel in zip(w, window, strict=True) if pixel is not None)
            for window in self._windows
        ]
        return folded(sums, self.output_size)

    @property
    def counts(self):
        """What the matrix of the view is made of, as numbers; `most` is the pixel read most."""
        reads = Counter(pixel for window in self._windows for pixel in window)
        padding = reads.pop(None, 0)
        weights, outputs = self.kernel_size**2, self.output_size**2
        shape = (outputs, self.input_size**2) if self.view == "dense" else (weights, outputs)
        most = min(reads, key=lambda pixel: (-reads[pixel], pixel))
        return {
            "shape": shape,
            "entries": shape[0] * shape[1],
            "copies": reads.total(),
            "weights": weights,
            "padding": padding,
            "pixels": len(reads),
            "most": most,
            "times": reads[most],
        }

    @property
    def summary(self):
        """What there is to count in the matrix of the view, in a sentence or two."""
        counts = self.counts
        copies, padding, weights = counts["copies"], counts["padding"], counts["weights"]
        size = "{} × {} matrix: ".format(*counts["shape"]) + f"{counts['entries']} entries"
        if self.view == "dense":
            zeros = counted(counts["entries"] - copies, "zero")
            lost = f" {padding} taps fall on padding and have no column." if padding else ""
            word = "copy" if copies == 1 else "copies"
            return f"{size}, {zeros}, {copies} {word} of {counted(weights, 'weight')}.{lost}"
        pixels, every = counts["pixels"], self.input_size**2
        who = f"The {every} pixels" if pixels == every else f"{pixels} of the {every} pixels"
        verb = "is" if pixels == 1 else "are"
        one = f"pixel {self._pixel_name(counts['most'])}" if self.show == "letters" else "one pixel"
        often = "once" if counts["times"] == 1 else f"{copies} times, {one} {counts['times']} times"
        zeros = f"{padding} zeros from padding" if padding else "no zeros"
        return f"{size}, {zeros}. {who} {verb} written {often}."

    def _pixel_name(self, index):
        """Letters a to i where they suffice; x₁, x₂, ... beyond, which p, q, r, s cannot meet."""
        return chr(ord("a") + index) if self.input_size == 3 else _numbered("x", index)

    def _weight_name(self, index):
        return "pqrs"[index] if self.kernel_size < 3 else _numbered("w", index)

    @property
    def code(self):
        """The line that computes `output`, flattened, from x and w, of shape (1, 1, side, side)."""
        stride = f", stride={self.stride}" if self.stride > 1 else ""
        padding = f", padding={self.padding}" if self.padding else ""
        n, k = self.input_size, self.kernel_size
        if self.view == "im2col":
            return f"w.flatten() @ unfold(x, {k}{padding}{stride})"
        return f"conv2d_matrix(w, ({n}, {n}){stride}{padding}) @ x.flatten()"

    def __repr__(self):
        return (
            f"MatrixView(input_size={self.input_size}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding}, view={self.view!r}, show={self.show!r})"
        )

    def static_html(self):
        """Return input, kernel and matrix as tables, with what there is to count in the last."""
        n, k = self.input_size, self.kernel_size
        x, w, y = flat(self.input), flat(self.kernel), flat(self.output)
        names = [_cell("th", "y", _numbered("y", i)) for i in range(len(y))]
        if self.show == "letters":
            x = [self._pixel_name(i) for i in range(len(x))]
            w = [self._weight_name(i) for i in range(len(w))]
            y = [_numbered("y", i) for i in range(len(y))]
        pixels = [_cell("td", "x", value) for value in x]
        weights = [
            _cell("td", f"tint cb-tint-{t}", v) for v, t in zip(w, _tints(len(w)), strict=True)
        ]
        zero = '<td class="cb-zero">0</td>'
        rows = self._filled(pixels, weights, zero)
        if self.view == "im2col":
            title = "Windows as columns"
            head = ["<td></td>", *names]
            rows = [[weight, *row] for weight, row in zip(weights, rows, strict=True)]
        else:
            title = "The convolution as a matrix"
            head = ["<td></td>", *pixels]
            rows = [[output, *row] for output, row in zip(names, rows, strict=True)]
        size = "{} × {}".format(*self.counts["shape"])
        matrix = html_table(f"{title}, {size}", rows, f"<thead><tr>{''.join(head)}</tr></thead>")
        tables = [
            html_table(f"{name}, {side} × {side}", folded(cells, side))
            for name, cells, side in (
                ("Input x", pixels, n),
                ("Kernel w", weights, k),
                ("Output y", [_cell("td", "y", value) for value in y], self.output_size),
            )
        ]
        return (
            '<div class="convbook-root cb-static cb-matrix-static">'
            f"{side_by_side(tables)}"
            f'<div class="cb-wide" tabindex="0" role="region" aria-label="{title}">{matrix}</div>'
            f"<p>{escape(self.summary)}</p><p><code>y = {escape(self.code)}</code></p></div>"
        )
