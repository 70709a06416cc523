"""Checkers for chapter 2, Convolution as matmul."""

from itertools import product

from convbook.course.checks._checker import Checker, grid


def _numbers(height, width, step=2):
    """Return `height` rows of `width` numbers, mostly different, some of them negative."""
    return [[(step * (y * width + x)) % 11 - 3 for x in range(width)] for y in range(height)]


def _flipped(kernel):
    return [row[::-1] for row in kernel[::-1]]


def weight_count(height, width, kernel_size):
    """Return how many entries of the dense matrix hold a weight of a square kernel."""
    return _row_count(height, width, kernel_size) * kernel_size**2


def _row_count(height, width, kernel_size):
    return (height - kernel_size + 1) * (width - kernel_size + 1)


def matrix_row(kernel, height, width, y, x):
    """Return the row of the dense matrix that belongs to output (y, x), as a list."""
    return _row_with_step(kernel, height, width, y, x, step=width)


def _row_with_step(kernel, height, width, y, x, step):
    row = [0] * (height * width)
    for i, weights in enumerate(kernel):
        for j, weight in enumerate(weights):
            row[(y + i) * step + (x + j)] = weight
    return row


def _from_output_number(kernel, height, width, y, x):
    """Begin as many places into the row as there are outputs before this one."""
    return matrix_row(kernel, height, width, *divmod(y * (width - len(kernel[0]) + 1) + x, width))


def strided_im2col(image, kernel_size, stride):
    """Return the windows as columns: a list of kernel_size ** 2 rows, one number per window."""
    return [list(line) for line in zip(*_windows(image, kernel_size, stride), strict=True)]


def _windows(image, kernel_size, stride, stride_along=None):
    """Return each window as a list of its pixels, row by row of the output."""
    taps = list(product(range(kernel_size), repeat=2))
    tops = range(0, len(image) - kernel_size + 1, stride)
    lefts = range(0, len(image[0]) - kernel_size + 1, stride_along or stride)
    return [[image[top + i][left + j] for i, j in taps] for top in tops for left in lefts]


def _right_number_of_neighbours(image, kernel_size, stride):
    """Make as many windows as the stride leaves, but start them at neighbouring pixels."""
    height, width = ((len(side) - kernel_size) // stride for side in (image, image[0]))
    corner = [row[: width + kernel_size] for row in image[: height + kernel_size]]
    return strided_im2col(corner, kernel_size, 1)


def _taps_down_first(image, kernel_size, stride):
    lines = strided_im2col(image, kernel_size, stride)
    return [lines[j * kernel_size + i] for i, j in product(range(kernel_size), repeat=2)]


def _down_first(image, kernel_size, stride):
    turned = [list(column) for column in zip(*image, strict=True)]
    lines = strided_im2col(turned, kernel_size, stride)  # windows and taps down the columns first
    return [lines[j * kernel_size + i] for i, j in product(range(kernel_size), repeat=2)]


def input_gradient(gradient, kernel, height, width):
    """Return the gradient of each pixel, given the gradient of each output."""
    pixels = [[0] * width for _ in range(height)]
    for y, x, sent in _sent_back(gradient, kernel):
        pixels[y][x] += sent
    return pixels


def _last_one_wins(gradient, kernel, height, width):
    pixels = [[0] * width for _ in range(height)]
    for y, x, sent in _sent_back(gradient, kernel):
        pixels[y][x] = sent
    return pixels


def _one_row_many_times(gradient, kernel, height, width):
    pixels = [[0] * width] * height
    for y, x, sent in _sent_back(gradient, kernel):
        pixels[y][x] += sent
    return pixels


def _sent_back(gradient, kernel):
    """Yield (row, column, number) for each number that an output sends to a pixel."""
    for y, row in enumerate(gradient):
        for x, arriving in enumerate(row):
            for i, weights in enumerate(kernel):
                for j, weight in enumerate(weights):
                    yield y + i, x + j, arriving * weight


check_weight_count = Checker(
    "Exercise 1: function(height, width, kernel_size) -> how many entries",
    weight_count,
    [
        case
        for case in grid(height=range(1, 7), width=range(1, 7), kernel_size=range(1, 5))
        if case["kernel_size"] <= min(case["height"], case["width"])
    ],
    {
        "That puts a window on every pixel; count the places where the whole window fits.": (
            lambda height, width, kernel_size: height * width * kernel_size**2
        ),
        "That is how many rows the matrix has; each row holds more than one weight.": _row_count,
        "That counts all entries; count those that hold a weight.": (
            lambda height, width, kernel_size: (
                _row_count(height, width, kernel_size) * height * width
            )
        ),
        "Those are the zeros; count the other entries.": (
            lambda height, width, kernel_size: (
                _row_count(height, width, kernel_size) * (height * width - kernel_size**2)
            )
        ),
        "A square kernel has kernel_size ** 2 weights in each row of the matrix.": (
            lambda height, width, kernel_size: _row_count(height, width, kernel_size) * kernel_size
        ),
        "Images need not be square: count the places along the height and along the width.": (
            lambda height, width, kernel_size: weight_count(height, height, kernel_size)
        ),
        "One place is missing along each side: the window fits size - kernel_size + 1 times.": (
            lambda height, width, kernel_size: weight_count(height - 1, width - 1, kernel_size)
        ),
    },
    fallback="Draw the matrix: a row for each place of the window, a column for each pixel.",
)

check_matrix_row = Checker(
    "Exercise 2: function(kernel, height, width, y, x) -> list of height * width numbers",
    matrix_row,
    [
        {"kernel": _numbers(k_h, k_w), "height": height, "width": width, "y": y, "x": x}
        for k_h, k_w, height, width in product((1, 2, 3), (2, 3), (3, 4), (3, 5))
        for y, x in product((0, height - k_h), (0, width - k_w))
    ],
    {
        "A step down in the image is `width` places in the row, not the width of the output.": (
            lambda kernel, height, width, y, x: _row_with_step(
                kernel, height, width, y, x, step=width - len(kernel[0]) + 1
            )
        ),
        "A row of the image has `width` pixels: a step down is `width` places, not `height`.": (
            lambda kernel, height, width, y, x: _row_with_step(
                kernel, height, width, y, x, step=height
            )
        ),
        "The window starts at pixel y * width + x: count pixels of the image, not outputs.": (
            _from_output_number
        ),
        "y counts rows and x counts columns.": (
            lambda kernel, height, width, y, x: matrix_row(kernel, height, width, x, y)
        ),
        "That is the row of output (0, 0); the window starts at row y, column x.": (
            lambda kernel, height, width, y, x: matrix_row(kernel, height, width, 0, 0)
        ),
        "The kernel is flipped; this is a cross-correlation, the kernel lies as it is.": (
            lambda kernel, height, width, y, x: matrix_row(_flipped(kernel), height, width, y, x)
        ),
    },
    fallback="Draw the image, all 0, lay the kernel on it, and write its rows one after another.",
)

check_strided_im2col = Checker(
    "Exercise 3: function(image, kernel_size, stride) -> list of kernel_size ** 2 rows",
    strided_im2col,
    [
        {"image": _numbers(height, width), "kernel_size": k, "stride": stride}
        for height, width, k, stride in product((3, 4, 5), (3, 6), (1, 2, 3), (1, 2, 3))
    ],
    {
        "Each window stands in a row; here it is to stand in a column.": _windows,
        "That is right at stride 1; with a larger stride there are fewer windows.": (
            lambda image, kernel_size, stride: strided_im2col(image, kernel_size, 1)
        ),
        "The stride counts along the rows too, not only down the columns.": (
            lambda image, kernel_size, stride: [
                list(row)
                for row in zip(*_windows(image, kernel_size, stride, stride_along=1), strict=True)
            ]
        ),
        "The windows go down the image first; go along its rows first, as flatten does.": (
            _down_first
        ),
        "Inside a window, too, go along the rows first: its first two pixels are neighbours.": (
            _taps_down_first
        ),
        "There are as many windows as there should be; each starts `stride` pixels further on.": (
            _right_number_of_neighbours
        ),
        "The last windows are missing: they start at size - kernel_size, too.": (
            lambda image, kernel_size, stride: strided_im2col(
                [row[:-1] for row in image[:-1]], kernel_size, stride
            )
        ),
    },
    fallback="Cut the windows out of the image one by one, and write each as a column.",
)

check_input_gradient = Checker(
    "Exercise 4: function(gradient, kernel, height, width) -> height rows of width numbers",
    input_gradient,
    [
        {
            "gradient": _numbers(height - k_h + 1, width - k_w + 1, step=3),
            "kernel": _numbers(k_h, k_w),
            "height": height,
            "width": width,
        }
        for k_h, k_w, height, width in product((1, 2, 3), (1, 2, 3), (3, 4), (3, 5))
    ],
    {
        "Several windows read one pixel, and each sends something back: add, do not replace.": (
            _last_one_wins
        ),
        "All rows are one and the same list: `[[0] * width] * height` repeats a reference.": (
            _one_row_many_times
        ),
        "The kernel is flipped; a gradient goes back through the weight the pixel was read with.": (
            lambda gradient, kernel, height, width: input_gradient(
                gradient, _flipped(kernel), height, width
            )
        ),
        "That ignores what arrives from the loss; multiply each weight by its output's gradient.": (
            lambda gradient, kernel, height, width: input_gradient(
                [[1] * len(row) for row in gradient], kernel, height, width
            )
        ),
    },
    fallback="Take one output at a time: which pixels did it read, and with which weights?",
)
