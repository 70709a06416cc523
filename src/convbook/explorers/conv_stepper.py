"""Conv stepper: input, kernel and output side by side, one output cell at a time."""

import math
import numbers
import operator
from html import escape

import traitlets

from convbook.arithmetic import conv_output_size, conv_transpose_output_size
from convbook.explorers.base import Explorer
from convbook.explorers.sources import module_source

LARGEST_INPUT, LARGEST_KERNEL, LARGEST_CANVAS = 10, 5, 20
LARGEST_NUMBER = 9999

# The top-left corners are the book's first worked example: 5x5 and 3x3.
INPUT_VALUES = [
    [2, 2, 3, 3, 3, 1, 0, 2, 1, 3],
    [0, 1, 3, 0, 3, 2, 1, 0, 3, 2],
    [2, 3, 0, 1, 3, 0, 2, 1, 1, 0],
    [3, 3, 2, 1, 2, 3, 0, 2, 0, 1],
    [3, 3, 0, 2, 3, 1, 1, 3, 2, 2],
    [1, 0, 2, 3, 0, 2, 3, 1, 0, 3],
    [0, 2, 1, 0, 1, 3, 2, 0, 1, 1],
    [3, 1, 0, 2, 2, 0, 1, 3, 3, 0],
    [2, 0, 3, 1, 0, 1, 2, 2, 0, 1],
    [1, 3, 2, 0, 3, 2, 0, 1, 2, 3],
]
KERNEL_VALUES = [
    [2, 0, 1, 0, 1],
    [1, 0, 0, 2, 0],
    [0, 1, 1, 0, 1],
    [1, 0, 2, 1, 0],
    [0, 1, 0, 0, 2],
]


def _whole(name, value, low, high):
    """Return `value` as an int in low..high, or raise naming it."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}={value!r} is no whole number; use {low} to {high}") from None
    if not low <= number <= high:
        raise ValueError(f"{name}={number} is outside {low} to {high}; use a number in that range")
    return number


class _Whole(traitlets.TraitType):
    """A whole number in a range; refusals are ValueError and TypeError, as everywhere here."""

    def __init__(self, default, low, high):
        super().__init__(default)
        self.low, self.high = low, high

    def validate(self, _, value):
        return _whole(self.name, value, self.low, self.high)


class _Pair(_Whole):
    """Two whole numbers, before and after; one number stands for both."""

    def validate(self, _, value):
        if not isinstance(value, (tuple, list)):
            value = (value, value)
        if len(value) != 2:
            raise ValueError(
                f"{self.name}={value!r} has {len(value)} numbers; "
                "use one number or a pair (before, after)"
            )
        return tuple(_whole(self.name, side, self.low, self.high) for side in value)


class _Mode(traitlets.TraitType):
    """`'convolution'` or `'transposed'`."""

    def validate(self, _, value):
        if value not in ("convolution", "transposed"):
            raise ValueError(f"{self.name}={value!r}; use 'convolution' or 'transposed'")
        return value


class _Square(traitlets.TraitType):
    """A square list of lists of numbers, `side` by `side`."""

    def __init__(self, default, side):
        super().__init__(default)
        self.side = side

    def validate(self, _, value):
        grid = _numbers(self.name, value)
        if len(grid) != self.side:
            raise ValueError(
                f"{self.name} is {len(grid)} by {len(grid)}; use {self.side} by {self.side}"
            )
        return grid


def _numbers(name, values):
    """Return a square grid as lists of plain numbers, or raise naming what is wrong."""
    values = values.tolist() if hasattr(values, "tolist") else values
    if not isinstance(values, (list, tuple)) or not all(
        isinstance(row, (list, tuple)) for row in values
    ):
        raise TypeError(f"{name}={values!r} is no grid; use a list of rows, each a list of numbers")
    widths = [len(row) for row in values]
    if not values or set(widths) != {len(values)}:
        raise ValueError(f"{name} has {len(widths)} rows of {widths} numbers; use a square grid")
    for number in (number for row in values for number in row):
        if isinstance(number, bool) or not isinstance(number, numbers.Real):
            raise TypeError(f"{name} holds {number!r}; use whole or decimal numbers")
        if not math.isfinite(number) or abs(number) > LARGEST_NUMBER:
            raise ValueError(
                f"{name} holds {number!r}; use numbers from -{LARGEST_NUMBER} to {LARGEST_NUMBER}"
            )
    return [[n if isinstance(n, int) else float(n) for n in row] for row in values]


def _spread(values, onto):
    """Return a copy of grid `onto` with `values` in its top-left corner."""
    grid = [list(row) for row in onto]
    for line, row in zip(grid, values, strict=False):
        line[: len(row)] = row
    return grid


def _text(number):
    """Return a number as the front end writes it: no dust, a true minus sign."""
    rounded = float(f"{number:.12g}") or 0.0
    text = str(int(rounded)) if rounded.is_integer() else repr(rounded)
    return text.replace("-", "\N{MINUS SIGN}")


def _table(caption, grid):
    rows = "".join(
        "<tr>" + "".join(f"<td>{_text(number)}</td>" for number in row) + "</tr>" for row in grid
    )
    return f"<table><caption>{escape(caption)}</caption><tbody>{rows}</tbody></table>"


class ConvStepper(Explorer):
    """Step through a convolution, or a transposed one, cell by cell.

    Every argument is an attribute too, read and written by page and kernel alike; `output` and
    `code` (the PyTorch line) follow from them.

    Args:
        input: square grid of numbers, at most 10 by 10; left out, the book's first worked example.
        kernel: square grid of numbers, at most 5 by 5; left out, the one of that example.
        input_size: rows and columns of the input, 1 to 10; taken from `input` if given, else 5.
        kernel_size: rows and columns of the kernel, 1 to 5; taken from `kernel` if given, else 3.
        stride: 1 to 4.
        padding: 0 to 4, one number or a pair (before, after): top and left, bottom and right.
        dilation: 1 to 3.
        mode: 'convolution' or 'transposed'.
        output_padding: 0 to 3; counts in mode 'transposed' only.
        selected: row and column of the output cell whose products are shown first.

    Raises:
        ValueError: a value is out of range, or the settings give no output.
        TypeError: a value is not of its kind.

    Example:
        >>> ConvStepper(stride=2, padding=1).output
        [[1, 5, 6], [7, 8, 3], [3, 10, 4]]
    """

    _explorer = "conv_stepper"
    _esm = module_source("conv_stepper")

    mode = _Mode("convolution").tag(sync=True)
    input_size = _Whole(5, 1, LARGEST_INPUT).tag(sync=True)
    kernel_size = _Whole(3, 1, LARGEST_KERNEL).tag(sync=True)
    stride = _Whole(1, 1, 4).tag(sync=True)
    padding = _Pair((0, 0), 0, 4).tag(sync=True)
    dilation = _Whole(1, 1, 3).tag(sync=True)
    output_padding = _Whole(0, 0, 3).tag(sync=True)
    selected = _Pair((0, 0), 0, LARGEST_CANVAS - 1).tag(sync=True)
    # All the numbers there are; the page shows the top-left input_size and kernel_size of them,
    # so that a size made smaller and larger again brings the same numbers back.
    input_values = _Square(INPUT_VALUES, LARGEST_INPUT).tag(sync=True)
    kernel_values = _Square(KERNEL_VALUES, LARGEST_KERNEL).tag(sync=True)

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
    ):
        grids = {}
        if input is not None:
            input, input_size = self._sized("input", input, input_size, LARGEST_INPUT)
            grids["input_values"] = _spread(input, INPUT_VALUES)
        if kernel is not None:
            kernel, kernel_size = self._sized("kernel", kernel, kernel_size, LARGEST_KERNEL)
            grids["kernel_values"] = _spread(kernel, KERNEL_VALUES)
        super().__init__(
            **grids,
            mode=mode,
            input_size=5 if input_size is None else input_size,
            kernel_size=3 if kernel_size is None else kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            output_padding=output_padding,
            selected=selected,
        )
        size = self.output_size
        if self._canvas > LARGEST_CANVAS:
            raise ValueError(
                f"input_size={self.input_size}, stride={self.stride} draw {self._canvas} cells per "
                f"side, more than {LARGEST_CANVAS}; use a smaller input, stride or kernel"
            )
        if max(self.selected) >= size:
            raise ValueError(
                f"selected={self.selected} is outside the {size} by {size} output; "
                f"use rows and columns 0 to {size - 1}"
            )

    @staticmethod
    def _sized(name, values, size, largest):
        values = _numbers(name, values)
        if len(values) > largest:
            raise ValueError(f"{name} is {len(values)} wide; use {largest} by {largest} at most")
        if size is not None and size != len(values):
            raise ValueError(
                f"{name}_size={size!r} does not fit {name}, {len(values)} by {len(values)}; "
                f"leave {name}_size out"
            )
        return values, len(values)

    @property
    def input(self):
        """The input shown, a list of rows; setting it sets `input_size` too."""
        return [row[: self.input_size] for row in self.input_values[: self.input_size]]

    @input.setter
    def input(self, values):
        values, size = self._sized("input", values, None, LARGEST_INPUT)
        with self.hold_sync():
            self.input_values = _spread(values, self.input_values)
            self.input_size = size

    @property
    def kernel(self):
        """The kernel shown, a list of rows; setting it sets `kernel_size` too."""
        return [row[: self.kernel_size] for row in self.kernel_values[: self.kernel_size]]

    @kernel.setter
    def kernel(self, values):
        values, size = self._sized("kernel", values, None, LARGEST_KERNEL)
        with self.hold_sync():
            self.kernel_values = _spread(values, self.kernel_values)
            self.kernel_size = size

    @property
    def _span(self):
        return self.dilation * (self.kernel_size - 1) + 1

    @property
    def _canvas(self):
        """Output cells drawn per side, those that padding crops included."""
        if self.mode == "convolution":
            return self.output_size
        full = (self.input_size - 1) * self.stride + self._span
        return max(full, self.padding[0] + self.output_size)

    @property
    def output_size(self):
        """Rows of the output, and its columns. Raises ValueError when there is none."""
        before, after = self.padding
        if self.mode == "convolution":
            padded = self.input_size + before + after
            if self._span > padded:
                raise ValueError(
                    f"kernel_size={self.kernel_size} at dilation={self.dilation} spans "
                    f"{self._span}, more than the padded input {self.input_size}+{before}+{after}; "
                    "use more padding, a larger input or a smaller kernel"
                )
            return conv_output_size(padded, self.kernel_size, self.stride, 0, self.dilation)
        reach = max(self.stride, self.dilation)
        if self.output_padding >= reach:
            raise ValueError(
                f"output_padding={self.output_padding} must be smaller than stride={self.stride} "
                f"or dilation={self.dilation}; use {reach - 1} or less"
            )
        full = conv_transpose_output_size(
            self.input_size, self.kernel_size, self.stride, 0, self.output_padding, self.dilation
        )
        if full <= before + after:
            raise ValueError(
                f"padding={self.padding} crops the whole output of {full}; use less padding"
            )
        return full - before - after

    def _taps(self, o):
        """Return (input index, kernel index) pairs behind output index `o`, padding left out."""
        if self.mode == "convolution":
            pairs = (
                (o * self.stride - self.padding[0] + k * self.dilation, k)
                for k in range(self.kernel_size)
            )
            return [(i, k) for i, k in pairs if 0 <= i < self.input_size]
        pairs = ((i, o + self.padding[0] - i * self.stride) for i in range(self.input_size))
        return [
            (i, offset // self.dilation)
            for i, offset in pairs
            if 0 <= offset < self._span and offset % self.dilation == 0
        ]

    @property
    def output(self):
        """The output, a list of rows. Raises ValueError when the settings give none."""
        taps = [self._taps(o) for o in range(self.output_size)]
        x, w = self.input_values, self.kernel_values
        return [
            [sum(x[i][j] * w[k][m] for i, k in rows for j, m in cols) for cols in taps]
            for rows in taps
        ]

    @property
    def code(self):
        """The PyTorch line that computes `output` from x and w, of shape (1, 1, size, size)."""
        before, after = self.padding
        even = before == after
        extra = self.output_padding if self.mode == "transposed" else 0
        options = [
            f"stride={self.stride}" if self.stride > 1 else "",
            f"padding={before}" if even and before else "",
            f"output_padding={extra}" if extra else "",
            f"dilation={self.dilation}" if self.dilation > 1 else "",
        ]
        arguments = "".join(f", {option}" for option in options if option)
        if self.mode == "convolution":
            x = "x" if even else f"F.pad(x, ({before}, {after}, {before}, {after}))"
            return f"F.conv2d({x}, w{arguments})"
        line = f"F.conv_transpose2d(x, w{arguments})"
        return line if even else f"F.pad({line}, ({-before}, {-after}, {-before}, {-after}))"

    def __repr__(self):
        text = (
            f"input_size={self.input_size}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, dilation={self.dilation}"
        )
        if self.mode == "transposed":
            text += f", mode='transposed', output_padding={self.output_padding}"
        return f"ConvStepper({text})"

    def static_html(self):
        """Return input, kernel and output as tables, with the line that computes the last."""
        n, k = self.input_size, self.kernel_size
        try:
            size, output = self.output_size, self.output
        except ValueError as error:  # set so by a live kernel; say it, as the page does
            result = f"<p>{escape(str(error))}</p>"
        else:
            result = _table(f"Output y, {size} \u00d7 {size}", output)
        tables = _table(f"Input x, {n} \u00d7 {n}", self.input) + _table(
            f"Kernel w, {k} \u00d7 {k}", self.kernel
        )
        return (
            '<div class="convbook-root cb-static">'
            f'<div class="cb-tables">{tables}{result}</div>'
            f"<p><code>y = {escape(self.code)}</code></p></div>"
        )
