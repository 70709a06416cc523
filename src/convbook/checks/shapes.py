"""Checkers for chapter 3, Shapes."""

from itertools import product

from convbook.arithmetic import conv_output_size, same_padding
from convbook.checks.runner import run_checker


def _fits(input_size, kernel_size, padding=0, **_):
    return kernel_size <= input_size + 2 * padding


def check_padding_to_keep(function):
    """Check exercise 1: `function(kernel_size, dilation)` -> `(before, after)`."""
    cases = [{"kernel_size": k, "dilation": d} for k, d in product(range(1, 8), range(1, 4))]
    mistakes = {
        "Right when dilation*(kernel_size-1) is even. Otherwise one more pixel goes after.": (
            lambda kernel_size, dilation: (dilation * (kernel_size - 1) // 2,) * 2
        ),
        "Mind the dilation: the window spans dilation*(kernel_size-1)+1 pixels.": (
            lambda kernel_size, dilation: same_padding(kernel_size)
        ),
        "The total is right. The odd pixel goes after, not before.": (
            lambda kernel_size, dilation: same_padding(kernel_size, dilation)[::-1]
        ),
    }
    run_checker(function, same_padding, cases, mistakes)


def read_counts(input_size, kernel_size, stride, padding):
    """Return how many windows read each pixel of a padded row, the padding left out."""
    counts = [0] * input_size
    for output in range(conv_output_size(input_size, kernel_size, stride, padding)):
        for tap in range(kernel_size):
            pixel = output * stride - padding + tap
            if 0 <= pixel < input_size:
                counts[pixel] += 1
    return counts


def unread_pixels(input_size, kernel_size, stride):
    """Return the pixels that no window reads."""
    counts = read_counts(input_size, kernel_size, stride, padding=0)
    return [pixel for pixel, count in enumerate(counts) if count == 0]


def _only_the_end(input_size, kernel_size, stride):
    outputs = conv_output_size(input_size, kernel_size, stride)
    return list(range((outputs - 1) * stride + kernel_size, input_size))


def check_unread_pixels(function):
    """Check exercise 2: `function(input_size, kernel_size, stride)` -> list of pixels."""
    grid = product(range(1, 13), range(1, 5), range(1, 6))
    cases = [
        dict(zip(("input_size", "kernel_size", "stride"), values, strict=True)) for values in grid
    ]
    cases = [case for case in cases if _fits(**case)]
    mistakes = {
        "The end is right. A stride larger than the kernel also leaves gaps between the windows.": (
            _only_the_end
        ),
        "That counts from the last window's start; it still reads kernel_size pixels from there.": (
            lambda input_size, kernel_size, stride: list(
                range(
                    (conv_output_size(input_size, kernel_size, stride) - 1) * stride + 1, input_size
                )
            )
        ),
        "That counts how many pixels are left over; return which ones.": (
            lambda input_size, kernel_size, stride: len(
                unread_pixels(input_size, kernel_size, stride)
            )
        ),
    }
    run_checker(function, unread_pixels, cases, mistakes)


def check_count_reads(function):
    """Check exercise 3: `function(input_size, kernel_size, stride, padding)` -> list of counts."""
    names = ("input_size", "kernel_size", "stride", "padding")
    grid = product(range(1, 9), range(1, 5), range(1, 4), range(3))
    cases = [dict(zip(names, values, strict=True)) for values in grid]
    cases = [case for case in cases if _fits(**case)]
    mistakes = {
        "That leaves the padding out of the windows' places; the first one starts at -padding.": (
            lambda input_size, kernel_size, stride, padding: (
                read_counts(input_size, kernel_size, stride, 0)
                if kernel_size <= input_size
                else [0] * input_size
            )
        ),
        "That lists the padding too; return one number for each pixel of the row itself.": (
            lambda input_size, kernel_size, stride, padding: read_counts(
                input_size + 2 * padding, kernel_size, stride, 0
            )
        ),
        "That would be stride 1; with a larger stride fewer windows read a pixel.": (
            lambda input_size, kernel_size, stride, padding: read_counts(
                input_size, kernel_size, 1, padding
            )
        ),
    }
    run_checker(function, read_counts, cases, mistakes)


def input_sizes(output_size, kernel_size, stride, padding):
    """Return all input sizes that give `output_size`: `stride` of them, unless some are below 1."""
    smallest = (output_size - 1) * stride + kernel_size - 2 * padding
    return [size for size in range(smallest, smallest + stride) if size >= 1]


def check_input_sizes(function):
    """Check exercise 4: `function(output_size, kernel_size, stride, padding)` -> list of sizes."""
    names = ("output_size", "kernel_size", "stride", "padding")
    grid = product(range(1, 7), range(1, 6), range(1, 5), range(3))
    cases = [dict(zip(names, values, strict=True)) for values in grid]
    mistakes = {
        "That is the smallest one only; the floor sends several sizes to the same output.": (
            lambda **case: input_sizes(**case)[:1]
        ),
        "That is the largest one only; the floor sends several sizes to the same output.": (
            lambda **case: input_sizes(**case)[-1:]
        ),
        "One too many: after `stride` sizes one more window fits.": (
            lambda output_size, kernel_size, stride, padding: [
                *input_sizes(output_size, kernel_size, stride, padding),
                (output_size - 1) * stride + kernel_size - 2 * padding + stride,
            ]
        ),
        "Padding adds on both sides, so it counts twice.": (
            lambda output_size, kernel_size, stride, padding: [
                size
                for size in range(
                    (output_size - 1) * stride + kernel_size - padding,
                    output_size * stride + kernel_size - padding,
                )
                if size >= 1
            ]
        ),
    }
    run_checker(function, input_sizes, cases, mistakes)
