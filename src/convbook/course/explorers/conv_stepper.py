"""Conv stepper: input, kernel and output side by side, one output cell at a time."""

from html import escape
from typing import NamedTuple

from convbook.arithmetic import conv_output_size, conv_transpose_output_size
from convbook.course.explorers.convolved import ConvolvedExplorer
from convbook.course.explorers.grids import INPUT_VALUES, KERNEL_VALUES, number_table, side_by_side
from convbook.course.explorers.sources import module_source
from convbook.course.explorers.traits import Axes, Choice, Pair, Square, Switch, Whole

LARGEST_INPUT, LARGEST_KERNEL, LARGEST_CANVAS = 10, 5, 20
SETTINGS = ("input_size", "kernel_size", "stride", "padding", "dilation", "output_padding")


class _Axis(NamedTuple):
    """The settings along one axis; `where` is for a refusal, "" when both axes have the same."""

    mode: str
    size: int
    kernel: int
    stride: int
    padding: tuple
    dilation: int
    output_padding: int
    where: str

    @property
    def span(self):
        return self.dilation * (self.kernel - 1) + 1

    @property
    def output(self):
        """Size of the output. Raises ValueError when there is none."""
        before, after = self.padding
        if self.mode == "convolution":
            padded = self.size + before + after
            if self.span > padded:
                raise ValueError(
                    f"kernel_size={self.kernel} at dilation={self.dilation} spans {self.span}"
                    f"{self.where}, more than the padded input {self.size}+{before}+{after}; "
                    "use more padding, a larger input or a smaller kernel"
                )
            return conv_output_size(padded, self.kernel, self.stride, 0, self.dilation)
        reach = max(self.stride, self.dilation)
        if self.output_padding >= reach:
            raise ValueError(
                f"output_padding={self.output_padding} must be smaller{self.where} than "
                f"stride={self.stride} or dilation={self.dilation}; use {reach - 1} or less"
            )
        full = conv_transpose_output_size(
            self.size, self.kernel, self.stride, 0, self.output_padding, self.dilation
        )
        if full <= before + after:
            raise ValueError(
                f"padding={self.padding} crops the whole output of {full}{self.where}; "
                "use less padding"
            )
        return full - before - after

    @property
    def canvas(self):
        """Output cells drawn, those that padding crops included."""
        if self.mode == "convolution":
            return self.output
        return max((self.size - 1) * self.stride + self.span, self.padding[0] + self.output)

    def taps(self, o):
        """Return (input index, kernel index) pairs behind output index `o`, padding left out."""
        before = self.padding[0]
        if self.mode == "convolution":
            pairs = ((o * self.stride - before + k * self.dilation, k) for k in range(self.kernel))
            return [(i, k) for i, k in pairs if 0 <= i < self.size]
        offsets = ((i, o + before - i * self.stride) for i in range(self.size))
        return [
            (i, offset // self.dilation)
            for i, offset in offsets
            if 0 <= offset < self.span and offset % self.dilation == 0
        ]


class ConvStepper(ConvolvedExplorer):
    """Step through a convolution, or a transposed one, cell by cell.

    Every argument is an attribute too, read and written by page and kernel alike; `output` and
    `code` (the PyTorch line) follow from them. A setting is one number for both axes or, as in
    PyTorch, a pair (rows, columns); an attribute is a pair only where the two differ.

    Args:
        input: grid of numbers, at most 10 by 10; left out, the book's first worked example.
        kernel: grid of numbers, at most 5 by 5; left out, the one of that example.
        input_size: rows and columns of the input, 1 to 10; taken from `input` if given, else 5.
        kernel_size: rows and columns of the kernel, 1 to 5; taken from `kernel` if given, else 3.
        stride: 1 to 4.
        padding: 0 to 4, as `numpy.pad` takes it: one number, a pair (before, after) for both axes
            (top and left, bottom and right), or two pairs ((top, bottom), (left, right)).
        dilation: 1 to 3.
        mode: 'convolution' or 'transposed'.
        output_padding: 0 to 3; counts in mode 'transposed' only.
        selected: row and column of the output cell whose products are shown first.
        plain: leave out all controls but the player: the grids and the sum.

    Raises:
        ValueError: a value is out of range, or the settings give no output.
        TypeError: a value is not of its kind.

    Example:
        >>> ConvStepper(stride=2, padding=1).output
        [[1, 5, 6], [7, 8, 3], [3, 10, 4]]
        >>> ConvStepper(stride=(2, 1), kernel_size=(3, 1)).output_size
        (2, 5)
    """

    _explorer = "conv_stepper"
    _esm = module_source("conv_stepper")

    mode = Choice("convolution", "transposed").tag(sync=True)
    input_size = Axes(Whole(5, 1, LARGEST_INPUT)).tag(sync=True)
    kernel_size = Axes(Whole(3, 1, LARGEST_KERNEL)).tag(sync=True)
    stride = Axes(Whole(1, 1, 4)).tag(sync=True)
    padding = Axes(Pair((0, 0), 0, 4)).tag(sync=True)
    dilation = Axes(Whole(1, 1, 3)).tag(sync=True)
    output_padding = Axes(Whole(0, 0, 3)).tag(sync=True)
    selected = Pair((0, 0), 0, LARGEST_CANVAS - 1).tag(sync=True)
    plain = Switch(False).tag(sync=True)
    input_values = Square(INPUT_VALUES, LARGEST_INPUT).tag(sync=True)
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
        dilation=1,
        mode="convolution",
        output_padding=0,
        selected=(0, 0),
        plain=False,
    ):
        super().__init__(
            **self._grid_traits(input, input_size, kernel, kernel_size),
            mode=mode,
            stride=stride,
            padding=padding,
            dilation=dilation,
            output_padding=output_padding,
            selected=selected,
            plain=plain,
        )
        canvas = [axis.canvas for axis in self._axes]
        if max(canvas) > LARGEST_CANVAS:
            raise ValueError(
                f"input_size={self.input_size}, stride={self.stride} draw {canvas[0]} by "
                f"{canvas[1]} cells, more than {LARGEST_CANVAS} by {LARGEST_CANVAS}; use a smaller "
                "input, stride or kernel"
            )
        rows, columns = (axis.output for axis in self._axes)
        if self.selected[0] >= rows or self.selected[1] >= columns:
            raise ValueError(
                f"selected={self.selected} is outside the {rows} by {columns} output; "
                f"use rows 0 to {rows - 1} and columns 0 to {columns - 1}"
            )

    @property
    def _axes(self):
        """The settings of rows and of columns."""
        both = zip(*(self.traits()[name].of(getattr(self, name)) for name in SETTINGS), strict=True)
        rows, columns = (_Axis(self.mode, *settings, "") for settings in both)
        if rows == columns:
            return rows, columns
        return (
            rows._replace(where=" from top to bottom"),
            columns._replace(where=" from left to right"),
        )

    @property
    def output_size(self):
        """Rows and columns of the output, one number where equal. Raises ValueError if none."""
        rows, columns = (axis.output for axis in self._axes)
        return rows if rows == columns else (rows, columns)

    @property
    def output(self):
        """The output, a list of rows. Raises ValueError when the settings give none."""
        rows, columns = ([axis.taps(o) for o in range(axis.output)] for axis in self._axes)
        x, w = self.input_values, self.kernel_values
        return [
            [sum(x[i][j] * w[k][m] for i, k in row for j, m in column) for column in columns]
            for row in rows
        ]

    @property
    def code(self):
        """The PyTorch line that computes `output` from x and w, of shape (1, 1, rows, columns)."""
        (top, bottom), (left, right) = self.traits()["padding"].of(self.padding)
        even = top == bottom and left == right
        transposed = self.mode == "transposed"
        options = {
            "stride": (self.stride, 1),
            "padding": ((top if top == left else (top, left)) if even else 0, 0),
            "output_padding": (self.output_padding if transposed else 0, 0),
            "dilation": (self.dilation, 1),
        }
        chosen = [f", {name}={value}" for name, (value, usual) in options.items() if value != usual]
        arguments = "".join(chosen)
        sides = (left, right, top, bottom)
        if transposed:
            line = f"F.conv_transpose2d(x, w{arguments})"
            return line if even else f"F.pad({line}, {tuple(-side for side in sides)})"
        return f"F.conv2d({'x' if even else f'F.pad(x, {sides})'}, w{arguments})"

    def __repr__(self):
        shown = SETTINGS if self.mode == "transposed" else SETTINGS[:-1]
        settings = [f"{name}={getattr(self, name)}" for name in shown]
        if self.mode == "transposed":
            settings.insert(-1, "mode='transposed'")
        if self.plain:
            settings.append("plain=True")
        return f"ConvStepper({', '.join(settings)})"

    def static_html(self):
        """Return input, kernel and output as tables, with the line that computes the last."""

        def table(name, grid):
            return number_table(f"{name}, {len(grid)} \u00d7 {len(grid[0])}", grid)

        try:
            result = table("Output y", self.output)
        except ValueError as error:  # set so by a live kernel; say it, as the page does
            result = f"<p>{escape(str(error))}</p>"
        tables = [table("Input x", self.input), table("Kernel w", self.kernel), result]
        return (
            f'<div class="convbook-root cb-static">{side_by_side(tables)}'
            f"<p><code>y = {escape(self.code)}</code></p></div>"
        )
