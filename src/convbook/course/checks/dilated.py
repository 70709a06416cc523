"""Checkers for chapter 10, Dilated."""

from math import gcd, prod

from convbook.arithmetic import span
from convbook.arithmetic.coverage import dilation_coverage
from convbook.course.checks._checker import Checker, grid


def causal_row(samples, weights, dilation):
    """Return one output per sample; the last weight meets the sample of that moment."""
    before = dilation * (len(weights) - 1)
    return _slide([0] * before + samples, weights, dilation)


def _slide(samples, weights, dilation):
    count = len(samples) - dilation * (len(weights) - 1)
    return [
        sum(weight * samples[start + tap * dilation] for tap, weight in enumerate(weights))
        for start in range(count)
    ]


def _causal_on_both_sides(samples, weights, dilation):
    reach = dilation * (len(weights) - 1)
    padded = [0] * (reach // 2) + samples + [0] * (reach - reach // 2)
    return _slide(padded, weights, dilation)


def _wrapped_index(samples, weights, dilation):
    """Look up what came before with a negative index, which counts from the end."""
    backs = [dilation * back for back in reversed(range(len(weights)))]
    return [
        sum(weight * samples[now - back] for weight, back in zip(weights, backs, strict=True))
        for now in range(len(samples))
    ]


def field(dilations, kernel_size):
    """Return the receptive field of a stack with stride 1, from end to end."""
    return 1 + (kernel_size - 1) * sum(dilations)


def holes(dilations):
    """Return how many pixels inside the field of a stack of 3-tap layers are never read."""
    return dilation_coverage(dilations).count(0)


def _gaps_beyond_the_field(dilations):
    """Count the gaps that a layer leaves if the field before it were without holes."""
    fields = (field(dilations[:depth], 3) for depth in range(len(dilations)))
    return sum(2 * max(d - size, 0) for d, size in zip(dilations, fields, strict=True))


SCHEDULES = [
    [1],
    [2],
    [4],
    [1, 1],
    [1, 2],
    [2, 2],
    [2, 1],
    [1, 3],
    [3, 2],
    [1, 5],
    [4, 4],
    [4, 2],
    [2, 2, 2],
    [1, 2, 5],
    [5, 2, 1],
    [1, 2, 9],
    [3, 3, 3],
    [2, 3, 5],
    [1, 2, 4, 8],
    [2, 4, 8],
    [1, 4, 16],
    [1, 1, 2, 4, 8, 16, 1],
]

check_span = Checker(
    "Exercise 1: function(kernel_size, dilation) -> pixels",
    span,
    grid(kernel_size=[1, 2, 3, 5, 7], dilation=[1, 2, 3, 4, 8]),
    {
        "The dilation fills the steps between taps: one step less than there are taps.": (
            lambda kernel_size, dilation: dilation * kernel_size
        ),
        "Dilation counts from 1: it is the step between taps, not the pixels left out.": (
            lambda kernel_size, dilation: span(kernel_size, dilation + 1)
        ),
        "That is how many steps it is from the first tap to the last. Pixels are one more.": (
            lambda kernel_size, dilation: span(kernel_size, dilation) - 1
        ),
        "There is a gap between every two taps, not only one gap in all.": (
            lambda kernel_size, dilation: kernel_size + dilation - 1
        ),
        "Taps and dilation do not add up: there are kernel_size - 1 steps of `dilation` pixels.": (
            lambda kernel_size, dilation: kernel_size + dilation
        ),
    },
    fallback="Draw the row, mark the taps, and count from the first to the last.",
)

check_causal_row = Checker(
    "Exercise 2: function(samples, weights, dilation) -> one number per sample",
    causal_row,
    grid(
        samples=[[1, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0], [3, 1, 4, 1, 5, 9, 2]],
        weights=[[1, 2], [2, 0, 5], [1, 2, 3, 4]],
        dilation=[1, 2, 3],
    ),
    {
        "Zeros on both sides let it hear the future: all of them belong on the left.": (
            _causal_on_both_sides
        ),
        "The last weight meets the newest sample: PyTorch does not flip the kernel.": (
            lambda samples, weights, dilation: causal_row(samples, weights[::-1], dilation)
        ),
        "There is one output for each sample: put zeros before the first.": _slide,
        "Dilation counts from 1: with 1 the taps are neighbours.": (
            lambda samples, weights, dilation: causal_row(samples, weights, dilation + 1)
        ),
        "A negative index counts from the end, which is the future; what came before is 0.": (
            _wrapped_index
        ),
        "The zeros are on the wrong side: at the end they stand for the future.": (
            lambda samples, weights, dilation: _slide(
                samples + [0] * (dilation * (len(weights) - 1)), weights, dilation
            )
        ),
    },
    fallback="Draw the samples with zeros before them: which does the first output read, "
    "which the second?",
)

check_field = Checker(
    "Exercise 3: function(dilations, kernel_size) -> pixels",
    field,
    grid(dilations=SCHEDULES, kernel_size=[2, 3, 5]),
    {
        "A layer adds its reach, dilation * (kernel_size - 1), not the span of its window.": (
            lambda dilations, kernel_size: 1 + kernel_size * sum(dilations)
        ),
        "Do not count the pixel where the layers begin once per layer: it is there once.": (
            lambda dilations, kernel_size: sum(span(kernel_size, d) for d in dilations)
        ),
        "Before any layer an output sees one pixel: start from 1.": (
            lambda dilations, kernel_size: field(dilations, kernel_size) - 1
        ),
        "Dilation counts from 1: it is the step between taps, not the pixels left out.": (
            lambda dilations, kernel_size: field([d + 1 for d in dilations], kernel_size)
        ),
        "Dilations add up. Strides would multiply: they move the windows of later layers.": (
            lambda dilations, kernel_size: (
                1 + (kernel_size - 1) * sum(prod(dilations[: i + 1]) for i in range(len(dilations)))
            )
        ),
        "Spans do not multiply: one layer after the other adds its reach.": (
            lambda dilations, kernel_size: prod(span(kernel_size, d) for d in dilations)
        ),
        "Each layer has a dilation of its own: add them all.": (
            lambda dilations, kernel_size: 1 + (kernel_size - 1) * len(dilations) * dilations[-1]
        ),
    },
    fallback="Draw one output of the last layer, and what it reads layer by layer.",
)

check_holes = Checker(
    "Exercise 4: function(dilations) -> pixels",
    holes,
    grid(dilations=[*SCHEDULES, [3], [6, 6], [1, 7, 2], [2, 5, 4]]),
    {
        "Those are the pixels that are reached. How many of the field are not?": (
            lambda dilations: len(dilation_coverage(dilations)) - holes(dilations)
        ),
        "One common divisor above 1 leaves holes, but holes can be there without one: try 1, 5.": (
            lambda dilations: 2 * (sum(dilations) - sum(dilations) // gcd(*dilations))
        ),
        "That counts the holes of the last window. The layers before it fill some of them.": (
            lambda dilations: 2 * (dilations[-1] - 1)
        ),
        "A field with holes stays so under a layer that fits into it: follow every path.": (
            _gaps_beyond_the_field
        ),
        "Layers fill one another's gaps, and each pixel reached leads to three: follow them all.": (
            lambda dilations: sum(2 * (d - 1) for d in dilations)
        ),
        "Several paths may end on one pixel: count pixels, each once.": (
            lambda dilations: max(field(dilations, 3) - 3 ** len(dilations), 0)
        ),
    },
    fallback="Draw which pixels each layer reaches, from the top down, and count those that "
    "are missed.",
)
