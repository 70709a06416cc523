"""Layers that hide a kernel, for chapter 1, and plausible ways to misread them."""

from dataclasses import dataclass
from itertools import product

from convbook.course.checks.answers import plain

PROBE = 9  # rows and columns of the picture that a reader may show a layer
NEAR = 0.01


@dataclass(frozen=True)
class hidden_layer:
    """A layer with one kernel and a bias, which slides over any picture that is large enough.

    Example:
        >>> hidden_layer([[1, 2, 3]], bias=5)([[1, 0, 0, 0]])
        [[6, 5]]
        >>> hidden_layer([[1, 2, 3]])
        hidden_layer([[1, 2, 3]], bias=0)
    """

    kernel: list
    bias: float = 0

    def __repr__(self):
        return f"hidden_layer({self.kernel}, bias={self.bias})"

    def __call__(self, picture):
        """Return the map, a list of rows.

        Raises:
            ValueError: the picture is no list of equal rows, or smaller than the kernel.
        """
        picture = plain(picture)
        try:
            height, (width,) = len(picture), {len(row) for row in picture}
        except (TypeError, ValueError):
            raise ValueError("the picture is no list of rows of equal length") from None
        k_h, k_w = len(self.kernel), len(self.kernel[0])
        if height < k_h or width < k_w:
            raise ValueError(f"the window does not fit into {height} x {width} pixels")
        taps = list(product(range(k_h), range(k_w)))
        return [
            [
                self.bias + sum(self.kernel[i][j] * picture[r + i][c + j] for i, j in taps)
                for c in range(width - k_w + 1)
            ]
            for r in range(height - k_h + 1)
        ]


def _flat(value, bright=None, side=PROBE):
    """Return a picture of one value, with a 1 at `bright`."""
    picture = [[value] * side for _ in range(side)]
    if bright:
        picture[bright[0]][bright[1]] = 1
    return picture


def _size(layer):
    rows = layer(_flat(0))
    return PROBE - len(rows) + 1, PROBE - len(rows[0]) + 1


def with_bias(layer):
    """Return the kernel as the map of one pixel has it, turned round, without asking for a bias."""
    k_h, k_w = _size(layer)
    drawn = layer(_flat(0, (k_h - 1, k_w - 1)))
    return [[drawn[k_h - 1 - i][k_w - 1 - j] for j in range(k_w)] for i in range(k_h)]


def read_kernel(layer):
    """Return the kernel, from a picture of zeros and one of a single bright pixel."""
    bias = layer(_flat(0))[0][0]
    return [[weight - bias for weight in row] for row in with_bias(layer)]


def backwards(layer, read=read_kernel):
    """Return what a single bright pixel draws, as it stands there."""
    return [row[::-1] for row in read(layer)[::-1]]


def _cut(kernel, rows, columns):
    """Return that many rows and columns of a kernel, with zeros where it has none."""
    wider = [row + [0] * columns for row in kernel] + [[0] * (len(kernel[0]) + columns)] * rows
    return [row[:columns] for row in wider[:rows]]


def square(layer):
    """Take the number of rows for both."""
    kernel = read_kernel(layer)
    return _cut(kernel, len(kernel), len(kernel))


def three_by_three(layer):
    """Take 3 for both."""
    return _cut(read_kernel(layer), 3, 3)


def trimmed(layer):
    """Leave out rows and columns of zeros at the edges."""
    kernel = read_kernel(layer)
    rows = [i for i, row in enumerate(kernel) if any(row)]
    columns = [j for j, column in enumerate(zip(*kernel, strict=True)) if any(column)]
    return [row[columns[0] : columns[-1] + 1] for row in kernel[rows[0] : rows[-1] + 1]]


def whole_map(layer):
    """Return the map of a single pixel in the middle, less the bias, turned round."""
    bias = layer(_flat(0))[0][0]
    drawn = layer(_flat(0, (PROBE // 2, PROBE // 2)))
    return [[number - bias for number in row[::-1]] for row in drawn[::-1]]


def is_nearly(answer, layer):
    """Say whether each weight of the answer is right to within 0.01."""
    shape = [len(row) for row in layer.kernel]
    if [len(row) for row in answer] != shape:
        return False
    pairs = zip(sum(answer, []), sum(layer.kernel, []), strict=True)  # noqa: RUF017 (small)
    return all(abs(float(one) - other) <= NEAR for one, other in pairs)


def _kernel(rows, columns, step):
    numbers = [(step * n * n + 3 * n + step) % 11 - 5 for n in range(rows * columns)]
    return [numbers[columns * i : columns * (i + 1)] for i in range(rows)]


_SHAPES = [(1, 2), (2, 1), (2, 2), (1, 3), (2, 3), (3, 2), (3, 3), (3, 4), (4, 2), (4, 3), (4, 4)]
_EDGES = [
    [[0, 0, 0], [1, 2, -3]],
    [[0, 2], [0, -1], [0, 3]],
    [[1, 4, 0], [-2, 1, 0], [3, 2, 0]],
    [[5, 1], [2, -4], [0, 0]],
    [[0, 0, 0, 0], [0, 1, 3, -2], [0, 4, 2, 1]],
    [[0, -1, 2, 0], [0, 3, 1, 0]],
]
LAYERS = [
    hidden_layer(_kernel(*shape, step), bias)
    for number, shape in enumerate(_SHAPES)
    for step, bias in ((2, 0), (4, 3 - number % 2 * 5))
] + [hidden_layer(kernel, bias) for bias, kernel in enumerate(_EDGES)]
