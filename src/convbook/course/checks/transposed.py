"""Checkers for chapter 11, Transposed."""

from math import isclose

from convbook.arithmetic import span
from convbook.course.checks import pairs
from convbook.course.checks._checker import Checker, grid


def transposed_row(numbers, kernel, stride, padding, output_padding):
    """Stamp the kernel, times each number, `stride` apart; add, then crop."""
    length = (len(numbers) - 1) * stride + len(kernel) + output_padding
    canvas = [0] * length
    for i, number in enumerate(numbers):
        for j, weight in enumerate(kernel):
            canvas[i * stride + j] += number * weight
    return canvas[padding : length - padding]


def overlap(kernel_size, stride, dilation):
    """Return how many taps fall on each of the `stride` kinds of pixels."""
    counts = [0] * stride
    for tap in range(kernel_size):
        counts[tap * dilation % stride] += 1
    return counts


def even_kernel(kernel_size, stride):
    """Return weights that let flat stay flat: each tap shares the 1 of the pixels it falls on."""
    counts = overlap(kernel_size, stride, 1)
    return [1 / counts[tap % stride] for tap in range(kernel_size)]


def is_even_kernel(answer, kernel_size, stride):
    """Return whether so many weights, all above 0, bring each pixel inside a sum of 1."""
    sums = [sum(answer[first::stride]) for first in range(stride)]
    return (
        len(answer) == kernel_size
        and min(answer) > 0
        and all(isclose(one, 1, rel_tol=1e-5) for one in sums)
    )


def _overwritten(numbers, kernel, stride, padding, output_padding):
    """Stamp, and let a later stamp cover an earlier one."""
    length = (len(numbers) - 1) * stride + len(kernel) + output_padding
    canvas = [0] * length
    for i, number in enumerate(numbers):
        canvas[i * stride : i * stride + len(kernel)] = [number * weight for weight in kernel]
    return canvas[padding : length - padding]


def _stamped(numbers, kernel, stride):
    """Return the whole row of stamps, without what `output_padding` would add."""
    return transposed_row(numbers, kernel, stride, 0, 0)


def _triangle(kernel_size, stride):
    """Return weights that fall off to both sides in a straight line; together they are `stride`."""
    heights = [min(tap + 1, kernel_size - tap) for tap in range(kernel_size)]
    return [stride * height / sum(heights) for height in heights]


def _shared_with_neighbours(kernel_size, stride):
    """Share a 1 among `stride` taps in a row, or what is left of them at the end."""
    rows = [min(stride, kernel_size - tap // stride * stride) for tap in range(kernel_size)]
    return [1 / length for length in rows]


def _rows():
    """Return cases for `transposed_row` with an output padding below the stride."""
    cases = grid(
        numbers=[[1, 2, 3], [2, -1, 4, 5]],
        kernel=[[1, 10, 100], [3, 1, 2, 7]],
        stride=[1, 2, 3],
        padding=[0, 1],
        output_padding=[0, 1, 2],
    )
    return [case for case in cases if case["output_padding"] < case["stride"]]


check_transposed_row = Checker(
    "Exercise 1: function(numbers, kernel, stride, padding, output_padding) -> the row that grows",
    transposed_row,
    _rows(),
    {
        "output_padding crops less at the end: zeros stand only where no stamp reaches.": (
            lambda numbers, kernel, stride, padding, output_padding: (
                transposed_row(numbers, kernel, stride, padding, 0) + [0] * output_padding
            )
        ),
        "A stamp is the kernel as it stands, not turned round.": (
            lambda numbers, kernel, stride, padding, output_padding: transposed_row(
                numbers, kernel[::-1], stride, padding, output_padding
            )
        ),
        "Where stamps overlap they are added; the later one does not cover the earlier.": (
            _overwritten
        ),
        "Padding crops the row; it adds no zeros.": (
            lambda numbers, kernel, stride, padding, output_padding: (
                [0] * padding
                + transposed_row(numbers, kernel, stride, 0, output_padding)
                + [0] * padding
            )
        ),
        "With p = 0, row[p:-p + a] keeps only a numbers. Append a zeros; end at len(row) - p.": (
            lambda numbers, kernel, stride, padding, output_padding: _stamped(
                numbers, kernel, stride
            )[padding : -padding + output_padding]
        ),
        "With p = 0, row[p:-p] is empty: end the slice at len(row) - p.": (
            lambda numbers, kernel, stride, padding, output_padding: (
                _stamped(numbers, kernel, stride) + [0] * output_padding
            )[padding:-padding]
        ),
        "Where output_padding is more than padding, cropping less is not enough: append zeros.": (
            lambda numbers, kernel, stride, padding, output_padding: _stamped(
                numbers, kernel, stride
            )[padding : (len(numbers) - 1) * stride + len(kernel) + output_padding - padding]
        ),
        "output_padding is for the end of the row, not for its start.": (
            lambda numbers, kernel, stride, padding, output_padding: (
                [0] * output_padding + transposed_row(numbers, kernel, stride, 0, 0)
            )[padding : (len(numbers) - 1) * stride + len(kernel) + output_padding - padding]
        ),
    },
    fallback="Stamp each number's kernel by hand, add where stamps overlap, and crop at the end.",
)

check_overlap = Checker(
    "Exercise 2: function(kernel_size, stride, dilation) -> a list of `stride` counts",
    overlap,
    grid(kernel_size=[1, 2, 3, 4, 5, 6], stride=[1, 2, 3, 4], dilation=[1, 2, 3]),
    {
        "Dilation moves the taps: tap number t falls t * dilation pixels after the first.": (
            lambda kernel_size, stride, dilation: overlap(kernel_size, stride, 1)
        ),
        "Where the stride does not divide the kernel size, some pixels get one stamp more.": (
            lambda kernel_size, stride, dilation: [kernel_size // stride] * stride
        ),
        "Rounding up gives all pixels the largest count.": (
            lambda kernel_size, stride, dilation: [-(-kernel_size // stride)] * stride
        ),
        "Only taps count, not the pixels between them: a dilated kernel has gaps.": (
            lambda kernel_size, stride, dilation: overlap(span(kernel_size, dilation), stride, 1)
        ),
        "Do not sort: the first count is for multiples of the stride, then come the next pixels.": (
            lambda kernel_size, stride, dilation: sorted(
                overlap(kernel_size, stride, dilation), reverse=True
            )
        ),
        "That is the other way round: the first tap falls on a multiple of the stride.": (
            lambda kernel_size, stride, dilation: overlap(kernel_size, stride, dilation)[::-1]
        ),
    },
    fallback="Draw the stamps along a row, and count how many cover each pixel inside.",
)

check_is_transpose = Checker(
    "Exercise 3: function(small, large, size) -> True or False",
    pairs.is_transpose,
    pairs.CASES,
    {
        "The right shape is only the start: the two brackets must agree as well.": (
            pairs.shapes_only
        ),
        "Ones cannot tell a kernel from its mirror image: draw numbers at random.": pairs.on_ones,
        "Draw negative numbers, too: a ReLU lets positive ones pass, and nothing can be its "
        "transpose.": pairs.on_positive_numbers,
        "First ask whether large(y) has the shape of x. If not, the product raises an error, or "
        "stretches a single pixel over the whole map.": pairs.without_shapes,
        "y stands on the other side: draw it in the shape of small(x), not in that of x.": (
            pairs.y_like_x
        ),
        "That asks whether `large` undoes `small`. A transpose sends each number back along the "
        "weights that made it, and need not restore anything.": pairs.is_inverse,
        "Two float32 sums of the same products may differ in the last digit: draw whole numbers, "
        "or allow for rounding.": pairs.exactly_equal,
        "The gradient forgets what `small` adds; the brackets do not.": pairs.is_gradient,
    },
    fallback="Draw x, then y in the shape of small(x): the two brackets must agree in every draw. "
    "Whole numbers or float64 leave no doubt about the last digit.",
)

check_even_kernel = Checker(
    "Exercise 4: function(kernel_size, stride) -> a list of `kernel_size` weights",
    even_kernel,
    [
        {"kernel_size": kernel_size, "stride": stride}
        for kernel_size in range(1, 9)
        for stride in range(1, kernel_size + 1)
    ],
    {
        "Equal weights do where the stride divides the kernel size. Elsewhere some pixels get a "
        "tap more than others.": lambda kernel_size, stride: [stride / kernel_size] * kernel_size,
        "Ones count the stamps: a pixel on which two meet becomes 2.": (
            lambda kernel_size, stride: [1] * kernel_size
        ),
        "The kernel as a whole adds up to the stride, not to 1: there is a 1 for each of the "
        "`stride` kinds of pixels.": lambda kernel_size, stride: [1 / kernel_size] * kernel_size,
        "Falling off to the sides is a good start. Now scale the taps of each kind of pixels by "
        "themselves; the sum of the whole kernel does not decide.": (_triangle),
        "All weights are to be above 0: share the 1 among the taps that fall on the same pixels.": (
            lambda kernel_size, stride: [1] * stride + [0] * (kernel_size - stride)
        ),
        "Neighbouring taps fall on different pixels. Those that meet are `stride` apart: 0, "
        "`stride`, 2 * `stride` and so on.": _shared_with_neighbours,
        "kernel_size // stride is the smallest number of taps on a pixel: some have one more.": (
            lambda kernel_size, stride: [1 / (kernel_size // stride)] * kernel_size
        ),
        "One row of weights is enough: the page multiplies a column by a row.": (
            lambda kernel_size, stride: [
                [one * other for other in even_kernel(kernel_size, stride)]
                for one in even_kernel(kernel_size, stride)
            ]
        ),
    },
    accepts=is_even_kernel,
    fallback="Which taps fall on pixel 0, 2, 4, ... with stride 2, and which on the pixels between "
    "them? What must each of the two groups add up to?",
)
