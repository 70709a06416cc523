"""Checkers for chapter 11, Transposed."""

from convbook.arithmetic import span
from convbook.course.checks._checker import Checker, grid


def transposed_size(input_size, kernel_size, stride, padding, output_padding, dilation):
    """Return the pixels of a transposed convolution's output."""
    return (input_size - 1) * stride + span(kernel_size, dilation) - 2 * padding + output_padding


def output_padding(input_size, kernel_size, stride, padding, dilation):
    """Return the output padding that leads back to `input_size`: what the floor dropped."""
    return (input_size + 2 * padding - span(kernel_size, dilation)) % stride


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


check_transposed_size = Checker(
    "Exercise 1: function(input_size, kernel_size, stride, padding, output_padding, dilation) -> "
    "pixels",
    transposed_size,
    [
        case
        for case in grid(
            input_size=[4, 5, 8],
            kernel_size=[2, 3, 4],
            stride=[1, 2, 3],
            padding=[0, 1],
            output_padding=[0, 1, 2],
            dilation=[1, 2],
        )
        if case["output_padding"] in (0, max(case["stride"], case["dilation"]) - 1)
    ],
    {
        "The last stamp is as wide as the kernel: its size must be in the formula.": (
            lambda input_size, kernel_size, stride, padding, output_padding, dilation: (
                input_size * stride - 2 * padding + output_padding
            )
        ),
        "That is what layers are often built to give. Each of the six settings counts here.": (
            lambda input_size, kernel_size, stride, padding, output_padding, dilation: (
                input_size * stride
            )
        ),
        "The first stamp starts at pixel 0, so the last one starts at stride * (input_size - 1).": (
            lambda input_size, kernel_size, stride, padding, output_padding, dilation: (
                transposed_size(
                    input_size + 1, kernel_size, stride, padding, output_padding, dilation
                )
            )
        ),
        "Padding crops: it takes pixels away.": (
            lambda input_size, kernel_size, stride, padding, output_padding, dilation: (
                transposed_size(input_size, kernel_size, stride, -padding, output_padding, dilation)
            )
        ),
        "Padding crops at both ends.": (
            lambda input_size, kernel_size, stride, padding, output_padding, dilation: (
                transposed_size(input_size, kernel_size, stride, 0, output_padding, dilation)
                - padding
            )
        ),
        "Dilation spreads the taps: a stamp covers dilation * (kernel_size - 1) + 1 pixels.": (
            lambda input_size, kernel_size, stride, padding, output_padding, dilation: (
                transposed_size(input_size, kernel_size, stride, padding, output_padding, 1)
            )
        ),
        "Add output_padding once: it is for the far end only.": (
            lambda input_size, kernel_size, stride, padding, output_padding, dilation: (
                transposed_size(
                    input_size, kernel_size, stride, padding, 2 * output_padding, dilation
                )
            )
        ),
    },
    fallback="Draw the stamps: where does the first one begin, where does the last one end? "
    "Then crop.",
)

check_output_padding = Checker(
    "Exercise 2: function(input_size, kernel_size, stride, padding, dilation) -> output_padding",
    output_padding,
    grid(
        input_size=[9, 10, 11, 12, 16],
        kernel_size=[2, 3, 5],
        stride=[1, 2, 3, 4],
        padding=[0, 1],
        dilation=[1, 2],
    ),
    {
        "Not the size alone counts, but the room that the window has: i + 2p - d(k - 1) - 1.": (
            lambda input_size, kernel_size, stride, padding, dilation: input_size % stride
        ),
        "Padding gives the window more room, at both ends.": (
            lambda input_size, kernel_size, stride, padding, dilation: output_padding(
                input_size, kernel_size, stride, 0, dilation
            )
        ),
        "Dilation takes room away: the window covers dilation * (kernel_size - 1) + 1 pixels.": (
            lambda input_size, kernel_size, stride, padding, dilation: output_padding(
                input_size, kernel_size, stride, padding, 1
            )
        ),
        "stride - 1 is the most that output_padding can be; often it must be less.": (
            lambda input_size, kernel_size, stride, padding, dilation: stride - 1
        ),
        "The first place needs no room: one less.": (
            lambda input_size, kernel_size, stride, padding, dilation: output_padding(
                input_size + 1, kernel_size, stride, padding, dilation
            )
        ),
    },
    fallback="Which input sizes give the output that the convolution made of this one? Put "
    "them into the size formula.",
)

check_transposed_row = Checker(
    "Exercise 3: function(numbers, kernel, stride, padding, output_padding) -> the row that grows",
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
        "output_padding is for the end of the row, not for its start.": (
            lambda numbers, kernel, stride, padding, output_padding: (
                [0] * output_padding + transposed_row(numbers, kernel, stride, 0, 0)
            )[padding : (len(numbers) - 1) * stride + len(kernel) + output_padding - padding]
        ),
    },
    fallback="Stamp each number's kernel by hand, add where stamps overlap, and crop at the end.",
)

check_overlap = Checker(
    "Exercise 4: function(kernel_size, stride, dilation) -> a list of `stride` counts",
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
