"""Which pixels a stack of dilated layers, or a transposed convolution, reaches, and how often.

Everything is in plain integers and along one axis: on a map, the count of a pixel is the product of
the counts of its row and its column.
"""

from math import gcd

from convbook._checks.arguments import integer
from convbook.arithmetic.sizes import span

__all__ = ["dilation_coverage", "is_even_overlap", "transposed_coverage"]


def dilation_coverage(dilations: tuple[int, ...] | list[int], kernel_size: int = 3) -> list[int]:
    """Return how many paths lead from an output of a dilated stack to each pixel it sees.

    Each layer has stride 1. A path takes one tap of each layer; a 0 is a hole in the receptive
    field, a pixel that this output does not see (gridding). The order of the layers does not
    matter, and the counts add up to `kernel_size` to the power of the number of layers.

    Shapes:
        `1 + (kernel_size - 1) * sum(dilations)` counts, the size of the receptive field, from its
        leftmost pixel to its rightmost.

    Args:
        dilations: one int per layer, each at least 1.
        kernel_size: taps of every layer, at least 1.

    Example:
        >>> dilation_coverage([2, 2, 2])
        [1, 0, 3, 0, 6, 0, 7, 0, 6, 0, 3, 0, 1]
        >>> min(dilation_coverage([1, 2, 5])), len(dilation_coverage([1, 2, 5]))
        (1, 17)

    Source: Wang et al., arXiv 1702.08502, section 3.2.
    """
    taps = integer(kernel_size, "kernel_size", 1)
    if not isinstance(dilations, tuple | list):
        raise TypeError(f"dilations={dilations!r} is not a sequence; use a list such as [1, 2, 5]")
    counts = [1]  # before any layer, a pixel sees itself
    for dilation in [integer(value, "dilations", 1) for value in dilations]:
        wider = [0] * (len(counts) + dilation * (taps - 1))
        for tap in range(taps):
            for position, count in enumerate(counts, tap * dilation):
                wider[position] += count
        counts = wider
    return counts


def transposed_coverage(size: int, kernel_size: int, stride: int, dilation: int = 1) -> list[int]:
    """Return how many input pixels reach each output pixel of a transposed convolution.

    Every input pixel adds its kernel to the output, `stride` pixels after the last one. The counts
    are those of padding 0; padding `p` crops `p` of them at each end.

    Shapes:
        `conv_transpose_output_size(size, kernel_size, stride, dilation=dilation)` counts, which add
        up to `size * kernel_size`.

    Args:
        size: input pixels, at least 1.
        kernel_size: taps, at least 1.
        stride: output pixels from one kernel to the next, at least 1.
        dilation: output pixels from one tap to the next, at least 1.

    Example:
        >>> transposed_coverage(4, kernel_size=3, stride=2)
        [1, 1, 2, 1, 2, 1, 2, 1, 1]
        >>> transposed_coverage(4, kernel_size=4, stride=2)
        [1, 1, 2, 2, 2, 2, 2, 2, 1, 1]

    Source: Odena, Dumoulin and Olah, Deconvolution and Checkerboard Artifacts, Distill 2016.
    """
    size = integer(size, "size", 1)
    taps, stride, dilation = _window(kernel_size, stride, dilation)
    counts = [0] * ((size - 1) * stride + span(taps, dilation))
    for start in range(0, size * stride, stride):
        for tap in range(taps):
            counts[start + tap * dilation] += 1
    return counts


def is_even_overlap(kernel_size: int, stride: int, dilation: int = 1) -> bool:
    """Return whether every output pixel away from the borders is reached equally often.

    It is where `stride` divides `kernel_size` and shares no factor with `dilation`. Then the counts
    of `transposed_coverage` are all `kernel_size / stride` between the first and the last
    `dilation * (kernel_size - 1)` pixels. An uneven overlap draws a checkerboard wherever the
    weights do not make up for it; an even one can still learn to. On a map, the overlap is even
    where it is so along both axes.

    Args:
        kernel_size: taps, at least 1.
        stride: output pixels from one kernel to the next, at least 1.
        dilation: output pixels from one tap to the next, at least 1.

    Example:
        >>> is_even_overlap(4, stride=2), is_even_overlap(3, stride=2)
        (True, False)
        >>> is_even_overlap(4, stride=2, dilation=2)  # the taps all fall on every second pixel
        False

    Source: Odena, Dumoulin and Olah, Distill 2016, for dilation 1.
    """
    taps, stride, dilation = _window(kernel_size, stride, dilation)
    return taps % stride == 0 and gcd(dilation, stride) == 1


def _window(kernel_size: int, stride: int, dilation: int) -> tuple[int, int, int]:
    """Return the three as ints, each checked."""
    return (
        integer(kernel_size, "kernel_size", 1),
        integer(stride, "stride", 1),
        integer(dilation, "dilation", 1),
    )
