"""Checkers for chapter 8, Depthwise and separable."""

from itertools import combinations, pairwise, product

import torch

from convbook.course.checks._checker import Checker, grid


def separable_params(in_channels, out_channels, kernel_size, bias):
    """Return how many parameters a depthwise and a pointwise convolution have together."""
    weights = in_channels * kernel_size**2 + in_channels * out_channels
    return weights + (in_channels + out_channels if bias else 0)


def separable_macs(in_channels, out_channels, kernel_size, stride, input_size):
    """Return the multiply-adds of the pair; the depthwise layer has the stride."""
    pixels = _side(input_size, stride) ** 2
    return pixels * separable_params(in_channels, out_channels, kernel_size, bias=False)


def _side(input_size, stride):
    """Return the side of the output where the padding is half of an odd kernel."""
    return (input_size - 1) // stride + 1


def dense_weight(kernels, mixing):
    """Return the weight of the standard convolution that the pair amounts to, as nested lists."""
    return [
        [_times(kernel, weight) for kernel, weight in zip(kernels, weights, strict=True)]
        for weights in mixing
    ]


def _times(kernel, number):
    return [[number * value for value in row] for row in kernel]


def is_separable(kernel):
    """Return whether a kernel, not all zeros, is a column times a row."""
    return all(
        upper[left] * lower[right] == upper[right] * lower[left]
        for upper, lower in combinations(kernel, 2)
        for left, right in combinations(range(len(upper)), 2)
    )


def _summed(kernels):
    """Return the sum of kernels, number by number."""
    return [
        [sum(values) for values in zip(*rows, strict=True)] for rows in zip(*kernels, strict=True)
    ]


def _counted_without_tolerance(kernel):
    """Count the singular values above 0, as floats of either kind leave them."""
    kinds = (torch.float32, torch.float64)
    sizes = [torch.linalg.svdvals(torch.tensor(kernel, dtype=kind)) for kind in kinds]
    return all((size > 0).sum().item() == 1 for size in sizes)


def _determinant(kernel):
    """Return the determinant of a kernel of at least 1 x 1, None if it is not square."""
    if len(kernel) != len(kernel[0]):
        return None
    first, *others = kernel
    if not others:
        return first[0]
    return sum(
        (-1) ** place * number * _determinant([row[:place] + row[place + 1 :] for row in others])
        for place, number in enumerate(first)
    )


def _is_multiple(row, of):
    """Return whether a row is a multiple of another one, which is not all zeros."""
    place = next(i for i, number in enumerate(of) if number)
    return all(
        number * of[place] == row[place] * other for number, other in zip(row, of, strict=True)
    )


check_separable_params = Checker(
    "Exercise 1: function(in_channels, out_channels, kernel_size, bias) -> parameters",
    separable_params,
    grid(in_channels=[1, 3, 16], out_channels=[2, 32], kernel_size=[1, 3, 5], bias=[False, True]),
    {
        "The depthwise layer has biases too: one for each of its in_channels maps.": (
            lambda in_channels, out_channels, kernel_size, bias: (
                separable_params(in_channels, out_channels, kernel_size, False)
                + bias * out_channels
            )
        ),
        "The depthwise layer has in_channels maps and as many biases, not out_channels of them.": (
            lambda in_channels, out_channels, kernel_size, bias: (
                separable_params(in_channels, out_channels, kernel_size, False)
                + bias * 2 * out_channels
            )
        ),
        "A layer has more than one bias: one for each of its maps.": (
            lambda in_channels, out_channels, kernel_size, bias: (
                separable_params(in_channels, out_channels, kernel_size, False) + bias * 2
            )
        ),
        "That leaves out the pointwise layer, which mixes the channels.": (
            lambda in_channels, out_channels, kernel_size, bias: (
                in_channels * kernel_size**2 + bias * in_channels
            )
        ),
        "That is the standard convolution. Count the two layers one after the other.": (
            lambda in_channels, out_channels, kernel_size, bias: (
                in_channels * out_channels * kernel_size**2 + bias * out_channels
            )
        ),
        "A depthwise kernel reads one channel: there are in_channels of them, not out_channels.": (
            lambda in_channels, out_channels, kernel_size, bias: (
                out_channels * kernel_size**2
                + in_channels * out_channels
                + bias * (in_channels + out_channels)
            )
        ),
        "The kernel has rows and columns: kernel_size ** 2 weights.": (
            lambda in_channels, out_channels, kernel_size, bias: (
                in_channels * kernel_size
                + in_channels * out_channels
                + bias * (in_channels + out_channels)
            )
        ),
    },
    fallback="Count the two layers apart: the depthwise one has in_channels kernels, the "
    "pointwise one out_channels filters.",
)

check_separable_macs = Checker(
    "Exercise 2: function(in_channels, out_channels, kernel_size, stride, input_size) -> MACs",
    separable_macs,
    grid(
        in_channels=[2, 16],
        out_channels=[3, 32],
        kernel_size=[3, 5],
        stride=[1, 2, 3],
        input_size=[5, 10],  # at stride 3, rounding is right for 8 and wrong for 10
    ),
    {
        "The pointwise layer works on the smaller map that leaves the depthwise layer.": (
            lambda in_channels, out_channels, kernel_size, stride, input_size: (
                _side(input_size, stride) ** 2 * in_channels * kernel_size**2
                + input_size**2 * in_channels * out_channels
            )
        ),
        "The depthwise layer has the stride: it computes the smaller map only.": (
            lambda in_channels, out_channels, kernel_size, stride, input_size: (
                input_size**2 * in_channels * kernel_size**2
                + _side(input_size, stride) ** 2 * in_channels * out_channels
            )
        ),
        "With this padding a side of 5 at stride 2 becomes 3: (5 - 1) // 2 + 1.": (
            lambda in_channels, out_channels, kernel_size, stride, input_size: (
                (input_size // stride) ** 2
                * separable_params(in_channels, out_channels, kernel_size, False)
            )
        ),
        "A map has rows and columns: the side counts twice.": (
            lambda in_channels, out_channels, kernel_size, stride, input_size: (
                _side(input_size, stride)
                * separable_params(in_channels, out_channels, kernel_size, False)
            )
        ),
        "The sum of the two layers counts, not the product: each reads what the other wrote.": (
            lambda in_channels, out_channels, kernel_size, stride, input_size: (
                _side(input_size, stride) ** 2 * in_channels * out_channels * kernel_size**2
            )
        ),
    },
    fallback="Count for one output pixel of each layer first, then the pixels of its map.",
)

# Kernels of different shapes, and mixing weights; numbers that tell every slip from the right way.
_KERNELS = [
    [[1, 2, 3], [4, 5, 6], [7, 8, 9]],
    [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    [[2, 0, -1], [3, 1, 5], [-2, 4, 1]],
    [[1, 0, -1], [2, 0, -2], [1, 0, -1]],
]

check_dense_weight = Checker(
    "Exercise 3: function(kernels, mixing) -> weight[filter][channel][row][column]",
    dense_weight,
    [
        {
            "kernels": [[row[:width] for row in kernel[:height]] for kernel in _KERNELS[:channels]],
            "mixing": [
                [(3 * o + 2 * c + o * c) % 7 - 2 for c in range(channels)] for o in range(filters)
            ],
        }
        for channels, filters, (height, width) in product(
            (2, 3, 4), (2, 3, 5), ((1, 2), (2, 2), (3, 3))
        )
    ],
    {
        "Filters come first: weight[filter][channel].": lambda kernels, mixing: [
            [_times(kernel, weights[c]) for weights in mixing] for c, kernel in enumerate(kernels)
        ],
        "The two weights a pixel meets are multiplied, not added.": lambda kernels, mixing: [
            [
                [[weight + value for value in row] for row in kernel]
                for kernel, weight in zip(kernels, weights, strict=True)
            ]
            for weights in mixing
        ],
        "The kernel belongs to the channel, not to the filter.": lambda kernels, mixing: [
            [_times(kernels[o % len(kernels)], weight) for weight in weights]
            for o, weights in enumerate(mixing)
        ],
        "Do not add up the channels: the convolution does that. Keep a kernel for each.": (
            lambda kernels, mixing: [[_summed(one)] for one in dense_weight(kernels, mixing)]
        ),
        "A filter has a kernel for each channel: weight[filter][channel]. They are not added up.": (
            lambda kernels, mixing: [_summed(one) for one in dense_weight(kernels, mixing)]
        ),
        "Each kernel is multiplied by the weight of its own channel, not by the sum of them.": (
            lambda kernels, mixing: [
                [_times(kernel, sum(weights)) for kernel in kernels] for weights in mixing
            ]
        ),
    },
    fallback="Which input channel, which tap, which filter? Follow one pixel through both layers.",
)

# The determinant mistake in mind; a first row of zeros, and one between two rows; a row that is no
# whole multiple of another; rows and columns whose sums are all 0; not only squares.
_COLUMNS_AND_ROWS = [
    ([1, 2, 1], [1, 0, -1]),
    ([0, 1, 2], [3, -1, 2]),
    ([1, 0, 0], [0, 0, 5]),
    ([2, -3], [2, 3]),
    ([0, 2], [1, 4]),
    ([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]),
    ([0, 0, 1, 0, 0], [1, 1, 1, 1, 1]),
    ([1, 1, 1], [1, 1, 1]),
    ([2, -1, 3], [0, 1, 1]),
    ([0, 1, -1], [1, 2, 3]),
    ([1, 2, 1], [1]),
    ([1, 2], [1, 0, 3]),
]
_NOT_SEPARABLE = [
    [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    [[1, -1, 0], [0, 1, -1], [-1, 0, 1]],
    [[1, 2, 3], [4, 5, 6], [7, 8, 9]],
    [[1, 0], [0, 1]],
    [[1, 2], [2, 1]],
    [[0, 0, 0], [1, 2, 3], [3, 2, 1]],
    [[1, 2, 1], [2, 4, 2], [1, 2, 2]],
    [[1, 1, 0], [1, 1, 0], [0, 0, 1]],
    [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    [[1, 1], [1, -1]],
    [[1, 2], [0, 0], [2, 1]],
    [[1, 0, 0], [0, 0, 0], [0, 0, 1]],
    [[1, 2, 9], [2, 4, 0]],
]

check_is_separable = Checker(
    "Exercise 4: function(kernel) -> True or False",
    is_separable,
    [
        *({"kernel": [[c * r for r in row] for c in column]} for column, row in _COLUMNS_AND_ROWS),
        *({"kernel": kernel} for kernel in _NOT_SEPARABLE),
    ],
    {
        "A determinant of 0 says that the rank is not full. It must be 1; the Laplacian's is 2.": (
            lambda kernel: _determinant(kernel) == 0
        ),
        "Symmetry does not matter: compare the rows, is each a multiple of one of them?": (
            lambda kernel: kernel == [list(column) for column in zip(*kernel, strict=True)]
        ),
        "A row of zeros is a multiple of any row. Compare with one that is not all zeros.": (
            lambda kernel: any(kernel[0]) and all(_is_multiple(row, of=kernel[0]) for row in kernel)
        ),
        "Compare all rows with one another, not the first two only.": (
            lambda kernel: is_separable(kernel[:2])
        ),
        "In floats a 0 may come out as 1e-8: count singular values above a tolerance, not 0.": (
            _counted_without_tolerance
        ),
        "Neighbours are not enough: with a row of zeros in between they say nothing.": (
            lambda kernel: all(is_separable([upper, lower]) for upper, lower in pairwise(kernel))
        ),
    },
    fallback="Is every row a multiple of one row? Rows of zeros are, too.",
)
