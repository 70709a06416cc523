"""Matrix view: one convolution as a product of matrices, the dense one or that of its windows."""

from collections import Counter
from html import escape

import traitlets

from convbook._checks.arguments import integer
from convbook.arithmetic import conv_output_size
from convbook.course.explorers.convolved import ConvolvedExplorer
from convbook.course.explorers.grids import (
    INPUT_VALUES,
    corner,
    counted,
    flat,
    folded,
    number_table,
    side_by_side,
)
from convbook.course.explorers.sources import module_source
from convbook.course.explorers.traits import Choice, Square, Whole

# No weight of the 2x2 corner is 0, so that a zero there is a zero of the matrix.
KERNEL_VALUES = [[1, 2, 0], [3, -1, 1], [0, 1, 2]]
KINDS = ("output", "pixel", "weight")
LARGEST_INDEX = 48  # 5x5 pixels, padding 1, kernel 1x1: 49 outputs


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
        selected: what is lit first: 'output', 'pixel' or 'weight', and its index in reading order.

    Raises:
        ValueError: a value is out of range.
        TypeError: a value is not of its kind.

    Example:
        >>> view = MatrixView(kernel=[[1, 2], [3, 4]])
        >>> view.matrix[0]
        [1, 2, 0, 3, 4, 0, 0, 0, 0]
        >>> view.counts["entries"], view.counts["copies"]
        (36, 16)
    """

    _explorer = "matrix_view"
    _esm = module_source("matrix_view")

    view = Choice("dense", "im2col").tag(sync=True)
    show = Choice("letters", "numbers").tag(sync=True)
    input_size = Whole(3, 3, 5).tag(sync=True)
    kernel_size = Whole(2, 1, 3).tag(sync=True)
    stride = Whole(1, 1, 2).tag(sync=True)
    padding = Whole(0, 0, 1).tag(sync=True)
    selected = _Selected(("output", 0)).tag(sync=True)
    input_values = Square(corner(INPUT_VALUES, 5), 5).tag(sync=True)
    kernel_values = Square(KERNEL_VALUES, 3).tag(sync=True)

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
            place = f"selected={self.selected} is outside the {counted(count, kind)}"
            raise ValueError(f"{place}; use an index from 0 to {count - 1}")

    @property
    def output_size(self):
        """Rows of the output, and its columns."""
        return conv_output_size(self.input_size, self.kernel_size, self.stride, self.padding)

    @property
    def _windows(self):
        """For each output, in reading order, the pixel behind each weight; None in the padding."""
        places, size = range(self.output_size), self.input_size

        def pixel(row, col):
            return row * size + col if 0 <= row < size and 0 <= col < size else None

        starts = [place * self.stride - self.padding for place in places]
        taps = [range(start, start + self.kernel_size) for start in starts]
        return [[pixel(i, j) for i in rows for j in cols] for rows in taps for cols in taps]

    @property
    def matrix(self):
        """The matrix of the view, a list of rows of numbers: the dense one, or the windows'."""
        x, w = flat(self.input), flat(self.kernel)
        if self.view == "dense":
            rows = [dict(zip(window, w, strict=True)) for window in self._windows]
            return [[row.get(pixel, 0) for pixel in range(len(x))] for row in rows]
        value = dict(enumerate(x))
        taps = zip(*self._windows, strict=True)
        return [[value.get(pixel, 0) for pixel in pixels] for pixels in taps]

    @property
    def output(self):
        """The output, a list of rows."""
        dense = self.view == "dense"
        rows = self.matrix if dense else zip(*self.matrix, strict=True)
        vector = flat(self.input if dense else self.kernel)
        sums = [sum(a * b for a, b in zip(row, vector, strict=True)) for row in rows]
        return folded(sums, self.output_size)

    @property
    def counts(self):
        """What the matrix of the view is made of, as numbers; `most` is the pixel read most."""
        reads = Counter(pixel for window in self._windows for pixel in window)
        padding = reads.pop(None, 0)
        weights, outputs = self.kernel_size**2, self.output_size**2
        shape = (outputs, self.input_size**2) if self.view == "dense" else (weights, outputs)
        most = min(reads, key=lambda pixel: (-reads[pixel], pixel))
        made = {"shape": shape, "entries": shape[0] * shape[1], "copies": reads.total()}
        read = {"pixels": len(reads), "most": most, "times": reads[most]}
        return {**made, "weights": weights, "padding": padding, **read}

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
        """Return input, kernel, output and matrix as tables of numbers, and the line."""
        named = {"Input x": self.input, "Kernel w": self.kernel, "Output y": self.output}
        sized = {f"{name}, {len(grid)} × {len(grid)}": grid for name, grid in named.items()}
        grids = [number_table(caption, grid) for caption, grid in sized.items()]
        name = "Matrix M" if self.view == "dense" else "Windows as columns U"
        matrix = number_table("{}, {} × {}".format(name, *self.counts["shape"]), self.matrix)
        return (
            f'<div class="convbook-root cb-static">{side_by_side(grids)}'
            f'<div class="cb-wide" tabindex="0" role="region" aria-label="{name}">{matrix}</div>'
            f"<p><code>y = {escape(self.code)}</code></p></div>"
        )
