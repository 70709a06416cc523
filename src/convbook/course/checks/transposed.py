"""Checkers for chapter 11, Transposed."""

from math import isclose, prod

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


def coats(layers):
    """Return the fewest and the most taps that fall on a pixel inside, after all `layers`.

    Each layer is a kernel size and a stride; all weights are 1, and so is the row that goes in.
    """
    inside = _period(layers)
    return [min(inside), max(inside)]


def _period(layers):
    """Return the counts of a whole period of the pattern, which has no ends."""
    row = [1] * 8  # a ring, longer than any kernel that meets it
    for kernel_size, stride in layers:
        ring = [0] * (len(row) * stride)
        for i, count in enumerate(row):
            for tap in range(kernel_size):
                ring[(i * stride + tap) % len(ring)] += count
        row = ring
    return row


def _overlap(kernel_size, stride):
    """Return how many taps fall on each of the `stride` kinds of pixels."""
    return [len(range(kind, kernel_size, stride)) for kind in range(stride)]


def even_kernel(kernel_size, stride):
    """Return weights that let flat stay flat: each tap shares the 1 of the pixels it falls on."""
    counts = _overlap(kernel_size, stride)
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


def _row(layers):
    """Return the counts of a whole row, its ends among them."""
    row = [1] * 8
    for kernel_size, stride in layers:
        row = transposed_row(row, [1] * kernel_size, stride, 0, 0)
    return row


def _multiplied(layers):
    """Multiply the smallest counts of the layers, and their largest."""
    counts = [_overlap(kernel_size, stride) for kernel_size, stride in layers]
    return [prod(map(min, counts)), prod(map(max, counts))]


def _layers_added(layers):
    """Add the smallest counts of the layers, and their largest."""
    counts = [_overlap(kernel_size, stride) for kernel_size, stride in layers]
    return [sum(map(min, counts)), sum(map(max, counts))]


def _mean(layers):
    """Return how many coats a pixel gets on average, twice."""
    return [prod(kernel_size / stride for kernel_size, stride in layers)] * 2


def _as_one_layer(layers):
    """Take the last kernel size with the product of the strides."""
    return coats([(layers[-1][0], prod(stride for _, stride in layers))])


# Of the pairs in this list both orders are there, and they differ.
_STACKS = [
    *([(k, s)] for k, s in [(3, 2), (4, 2), (2, 3), (5, 3), (7, 2), (3, 1)]),
    *([one, other] for one in [(3, 2), (4, 2), (5, 2)] for other in [(3, 2), (4, 2), (2, 2)]),
    *([one, (5, 3)] for one in [(3, 2), (4, 3), (6, 3)]),
    *([(5, 3), other] for other in [(3, 2), (4, 3)]),
    [(3, 2), (4, 1)],
    [(4, 2), (3, 2), (4, 2)],
    *([(k, 2)] * 3 for k in (3, 4, 5)),
    [(3, 2), (5, 3), (4, 2)],
]


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

check_coats = Checker(
    "Exercise 2: function(layers) -> [fewest, most], of a list of (kernel_size, stride)",
    coats,
    [{"layers": layers} for layers in _STACKS],
    {
        "The layers' extremes do not simply multiply: where the second layer paints most, it need "
        "not find what the first one painted most.": _multiplied,
        "Away from the ends, please: a pixel near an end misses stamps from outside.": (
            lambda layers: [min(_row(layers)), max(_row(layers))]
        ),
        "The last layer alone does not decide: it paints over what the others have left.": (
            lambda layers: coats(layers[-1:])
        ),
        "The first layer alone does not decide: the others paint over what it has left.": (
            lambda layers: coats(layers[:1])
        ),
        "The first layer of the list comes first.": lambda layers: coats(layers[::-1]),
        "On a pixel where two stamps meet, what each of them brings is added: a stamp of a pixel "
        "with 2 coats brings 2, not 1.": _layers_added,
        "kernel_size / stride is the mean count of a layer. Ask which pixels get more, and which "
        "less.": _mean,
        "The fewest comes first, then the most.": lambda layers: coats(layers)[::-1],
        "Along a row, not on a map: there the counts of rows and columns would be multiplied.": (
            lambda layers: [count**2 for count in coats(layers)]
        ),
        "One layer with all strides together has another pattern: grow the row layer by layer.": (
            _as_one_layer
        ),
        "Between two neighbouring pixels lie `stride` steps, not one: the row grows.": (
            lambda layers: coats([(kernel_size, 1) for kernel_size, _ in layers])
        ),
    },
    fallback="Grow a long row of ones layer by layer, look at its middle, and count over as many "
    "pixels as all the strides multiplied.",
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
