"""Conv stepper: input, kernel and output side by side, one output cell at a time."""

from html import escape

from convbook.arithmetic import conv_output_size, conv_transpose_output_size
from convbook.course.explorers.convolved import ConvolvedExplorer
from convbook.course.explorers.grids import INPUT_VALUES, KERNEL_VALUES, number_table, side_by_side
from convbook.course.explorers.sources import module_source
from convbook.course.explorers.traits import Choice, Pair, Square, Whole

LARGEST_INPUT, LARGEST_KERNEL, LARGEST_CANVAS = 10, 5, 20


class ConvStepper(ConvolvedExplorer):
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

    mode = Choice("convolution", "transposed").tag(sync=True)
    input_size = Whole(5, 1, LARGEST_INPUT).tag(sync=True)
    kernel_size = Whole(3, 1, LARGEST_KERNEL).tag(sync=True)
    stride = Whole(1, 1, 4).tag(sync=True)
    padding = Pair((0, 0), 0, 4).tag(sync=True)
    dilation = Whole(1, 1, 3).tag(sync=True)
    output_padding = Whole(0, 0, 3).tag(sync=True)
    selected = Pair((0, 0), 0, LARGEST_CANVAS - 1).tag(sync=True)
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
    ):
        super().__init__(
            **self._grid_traits(input, input_size, kernel, kernel_size),
            mode=mode,
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
            result = number_table(f"Output y, {size} \u00d7 {size}", output)
        tables = [
            number_table(f"Input x, {n} \u00d7 {n}", self.input),
            number_table(f"Kernel w, {k} \u00d7 {k}", self.kernel),
        ]
        return (
            '<div class="convbook-root cb-static">'
            f"{side_by_side([*tables, result])}"
            f"<p><code>y = {escape(self.code)}</code></p></div>"
        )
