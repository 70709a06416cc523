"""Checkers for chapter 3, Shapes."""

from convbook.arithmetic import conv_output_size, same_padding
from convbook.course.checks._checker import Checker, grid


def _fitting(cases):
    """Return the cases in which the window fits."""
    return [
        case for case in cases if case["kernel_size"] <= case["input_size"] + 2 * case["padding"]
    ]


def _without_padding(case):
    return {name: value for name, value in case.items() if name != "padding"}


def read_counts(input_size, kernel_size, stride, padding):
    """Return how many windows read each pixel of a padded row, the padding left out."""
    counts = [0] * input_size
    for output in range(conv_output_size(input_size, kernel_size, stride, padding)):
        for tap in range(kernel_size):
            pixel = output * stride - padding + tap
            if 0 <= pixel < input_size:
                counts[pixel] += 1
    return counts


def _counts_without_padding(input_size, kernel_size, stride, padding):
    if kernel_size > input_size:
        return [0] * input_size
    return read_counts(input_size, kernel_size, stride, padding=0)


def _counts_with_padding(input_size, kernel_size, stride, padding):
    return read_counts(input_size + 2 * padding, kernel_size, stride, padding=0)


def _counts_that_wrap(input_size, kernel_size, stride, padding):
    """Count a place before the row at its end, as a negative index does."""
    counts = [0] * input_size
    for output in range(conv_output_size(input_size, kernel_size, stride, padding)):
        for tap in range(kernel_size):
            pixel = output * stride - padding + tap
            if pixel < input_size:
                counts[pixel] += 1
    return counts


def _counts_padded_before(input_size, kernel_size, stride, padding):
    """Pad the beginning of the row only."""
    counts = [0] * input_size
    for start in range(-padding, input_size - kernel_size + 1, stride):
        for pixel in range(max(start, 0), start + kernel_size):
            counts[pixel] += 1
    return counts


def unread_pixels(input_size, kernel_size, stride):
    """Return the pixels that no window reads."""
    counts = read_counts(input_size, kernel_size, stride, padding=0)
    return [pixel for pixel, count in enumerate(counts) if count == 0]


def _unread_if_windows_hang_over(input_size, kernel_size, stride):
    """Let a window start at every `stride`-th pixel, whether it fits or not."""
    return [pixel for pixel in range(input_size) if pixel % stride >= kernel_size]


def _last_start(input_size, kernel_size, stride):
    return (conv_output_size(input_size, kernel_size, stride) - 1) * stride


def input_sizes(output_size, kernel_size, stride, padding):
    """Return all input sizes that give `output_size`: `stride` of them, unless some are below 1."""
    return [size for size in _sizes(output_size, kernel_size, stride, 2 * padding) if size >= 1]


def _sizes(output_size, kernel_size, stride, both_paddings):
    smallest = (output_size - 1) * stride + kernel_size - both_paddings
    return list(range(smallest, smallest + stride))


def _padded_once(output_size, kernel_size, stride, padding):
    return [size for size in _sizes(output_size, kernel_size, stride, padding) if size >= 1]


def _one_too_many(output_size, kernel_size, stride, padding):
    largest = output_size * stride + kernel_size - 2 * padding
    return [*input_sizes(output_size, kernel_size, stride, padding), largest]


check_padding_to_keep = Checker(
    "Exercise 1: function(kernel_size, dilation) -> (before, after)",
    same_padding,
    grid(kernel_size=range(1, 8), dilation=range(1, 4)),
    {
        "Right when dilation*(kernel_size-1) is even. Otherwise one more pixel goes after.": (
            lambda kernel_size, dilation: (dilation * (kernel_size - 1) // 2,) * 2
        ),
        "Mind the dilation: the window spans dilation*(kernel_size-1)+1 pixels.": (
            lambda kernel_size, dilation: same_padding(kernel_size)
        ),
        "The total is right. The odd pixel goes after, not before.": (
            lambda kernel_size, dilation: same_padding(kernel_size, dilation)[::-1]
        ),
        "Right for odd kernels; an even one needs less than dilation*(kernel_size//2) before.": (
            lambda kernel_size, dilation: (dilation * (kernel_size // 2),) * 2
        ),
        "The total is right. Halve the whole of it: with dilation 2 both halves are the same.": (
            lambda kernel_size, dilation: (
                dilation * ((kernel_size - 1) // 2),
                dilation * (kernel_size // 2),
            )
        ),
        "`before` and `after` share dilation*(kernel_size-1): give each of them its half.": (
            lambda kernel_size, dilation: (dilation * (kernel_size - 1),) * 2
        ),
    },
    fallback="before + after = dilation*(kernel_size-1). Draw the row, and count the windows.",
)

check_unread_pixels = Checker(
    "Exercise 2: function(input_size, kernel_size, stride) -> list of pixels",
    unread_pixels,
    [
        _without_padding(case)
        for case in _fitting(
            grid(input_size=range(1, 13), kernel_size=range(1, 5), stride=range(1, 6), padding=[0])
        )
    ],
    {
        "The end is right. A stride larger than the kernel also leaves gaps between the windows.": (
            lambda input_size, kernel_size, stride: list(
                range(_last_start(input_size, kernel_size, stride) + kernel_size, input_size)
            )
        ),
        "That counts from the last window's start; it still reads kernel_size pixels from there.": (
            lambda input_size, kernel_size, stride: list(
                range(_last_start(input_size, kernel_size, stride) + 1, input_size)
            )
        ),
        "That counts how many pixels are left over; return which ones.": (
            lambda **case: len(unread_pixels(**case))
        ),
        "No window hangs over the end: the last starts at input_size - kernel_size or before.": (
            _unread_if_windows_hang_over
        ),
        "The last window is missing: one that starts at input_size - kernel_size still fits.": (
            lambda input_size, kernel_size, stride: (
                [*unread_pixels(input_size - 1, kernel_size, stride), input_size - 1]
                if input_size > kernel_size
                else list(range(input_size))
            )
        ),
        "Those are the pixels that are read; return the others.": (
            lambda input_size, kernel_size, stride: [
                pixel
                for pixel, count in enumerate(read_counts(input_size, kernel_size, stride, 0))
                if count
            ]
        ),
    },
    fallback="Draw the row, and mark the pixels that each window reads.",
)

check_count_reads = Checker(
    "Exercise 3: function(input_size, kernel_size, stride, padding) -> list of counts",
    read_counts,
    _fitting(
        grid(input_size=range(1, 9), kernel_size=range(1, 5), stride=range(1, 4), padding=range(3))
    ),
    {
        "That leaves the padding out of the windows' places; the first one starts at -padding.": (
            _counts_without_padding
        ),
        "That lists the padding too; return one number for each pixel of the row itself.": (
            _counts_with_padding
        ),
        "That would be stride 1; with a larger stride fewer windows read a pixel.": (
            lambda input_size, kernel_size, stride, padding: read_counts(
                input_size, kernel_size, stride=1, padding=padding
            )
        ),
        "A negative index counts from the end of a list: leave out the places below 0.": (
            _counts_that_wrap
        ),
        "The row is padded at its end, too, so there are more windows there.": (
            _counts_padded_before
        ),
        "The padding before the row is cut off; cut off that behind it, too.": (
            lambda input_size, kernel_size, stride, padding: _counts_with_padding(
                input_size, kernel_size, stride, padding
            )[padding:]
        ),
        "Without padding, [padding:-padding] is [0:-0], which is empty.": (
            lambda input_size, kernel_size, stride, padding: _counts_with_padding(
                input_size, kernel_size, stride, padding
            )[padding:-padding]
        ),
    },
    fallback="Draw the row with its padding, and count the windows over each pixel.",
)

check_input_sizes = Checker(
    "Exercise 4: function(output_size, kernel_size, stride, padding) -> list of sizes",
    input_sizes,
    grid(output_size=range(1, 7), kernel_size=range(1, 6), stride=range(1, 5), padding=range(3)),
    {
        "That is the smallest one only; the floor sends several sizes to the same output.": (
            lambda **case: input_sizes(**case)[:1]
        ),
        "That is the largest one only; the floor sends several sizes to the same output.": (
            lambda **case: input_sizes(**case)[-1:]
        ),
        "One too many: after `stride` sizes one more window fits.": _one_too_many,
        "Padding adds on both sides, so it counts twice.": _padded_once,
        "Leave out sizes below 1.": lambda output_size, kernel_size, stride, padding: _sizes(
            output_size, kernel_size, stride, 2 * padding
        ),
        "The padding makes room for windows, so the input may be smaller: take it off.": (
            lambda output_size, kernel_size, stride, padding: _sizes(
                output_size, kernel_size, stride, 0
            )
        ),
    },
    fallback="Put each of your sizes, and its neighbours, into the size formula.",
)
