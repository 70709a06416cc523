"""What the exercises of chapter 8 are tried on, and what right and wrong ways have in common."""

import random
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import product
from math import prod

import torch
from torch import nn

from convbook.analysis import trace

# ------------------------------------------------------------------ how far may it look?


def growth(kernel_size, channels):
    """Return by how many per cent a pair's MACs grow if its kernel does, from 3 on, exactly.

    Example:
        >>> growth(5, channels=7)
        Fraction(100, 1)
    """
    return Fraction(100 * (kernel_size**2 - 9), 9 + channels)


def last_size(fits: Callable[[int], bool], step: int = 2) -> int:
    """Return the largest kernel size, from 3 on, up to which all fit; 3 if none does.

    Example:
        >>> last_size(lambda k: k < 8)
        7
    """
    size = 3
    while fits(size + step):
        size += step
    return size


# ------------------------------------------------------------------ how many terms?


def _squares(kernel):
    return torch.linalg.svdvals(torch.tensor(kernel).double()).square()


def _after(values):
    """Return which share of the values comes after the first 1, 2, 3 ... of them."""
    return [(values[i + 1 :].sum() / values.sum()).item() for i in range(len(values))]


def lost_squares(kernel):
    """Return the share of the squared weights that is lost with 1, 2, 3 ... terms."""
    return _after(_squares(kernel))


def lost_lengths(kernel):
    """Return the same as lengths: the roots."""
    return [share**0.5 for share in lost_squares(kernel)]


def lost_values(kernel):
    """Return which share of the singular values comes after 1, 2, 3 ... of them."""
    return _after(_squares(kernel).sqrt())


def next_squares(kernel):
    """Return the share of the one term that comes next."""
    squares = _squares(kernel)
    return [*(squares[1:] / squares.sum()).tolist(), 0.0]


def needed(lost, loss):
    """Return the first number of terms with which at most `loss` is lost."""
    return next((i for i, share in enumerate(lost, start=1) if share <= loss), len(lost))


def told(kernel, lost, loss, or_equal=False, square=False, gone=False):
    """Return the number of terms, None if they save nothing, with one slip or another.

    Args:
        kernel: a list of rows.
        lost: with 1, 2, 3 ... terms.
        loss: how much may be.
        or_equal: whether as many weights as the kernel has are a gain.
        square: whether the kernel is taken for a square, as wide as it is high.
        gone: whether the terms that are left out are counted.
    """
    found = needed(lost, loss)
    rows, columns = len(kernel), len(kernel) if square else len(kernel[0])
    saves = found * (rows + columns) < rows * columns + or_equal
    if not saves:
        return None
    return len(lost) - found if gone else found


def _slanting(size, width):
    """Return a blur along the diagonal, three digits after the point."""
    steps = [i - (size - 1) / 2 for i in range(size)]
    bells = [
        [2.718281828 ** (-((x + y) ** 2) / 36 - (x - y) ** 2 / (4 * width**2)) for x in steps]
        for y in steps
    ]
    total = sum(map(sum, bells))
    return [[round(value / total, 3) for value in row] for row in bells]


def _outer(column, row):
    return [[c * r for r in row] for c in column]


def _plus(one, other):
    return [[a + b for a, b in zip(p, q, strict=True)] for p, q in zip(one, other, strict=True)]


_BELL = [1, 4, 6, 4, 1]
_KERNELS = [
    [[1, 0, -1], [2, 0, -2], [1, 0, -1]],
    [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    [[5, 0, 0], [0, 4, 0], [0, 0, 3]],
    [[int(x == y) for x in range(5)] for y in range(5)],
    [[(7 - x) * (x == y) for x in range(7)] for y in range(7)],
    _outer(_BELL, _BELL),
    _plus(_outer(_BELL, _BELL), _outer([0, 0, 9, 0, 0], [0, 0, 4, 0, 0])),
    _plus(_outer([1, 2, 3, 4], [1, 1, 1, 1]), _outer([4, -3, 2, -1], [2, -2, 1, 0])),  # 16 weights
    _plus(_outer([1, 2, 3, 4, 5, 6], [1, 0, 1]), _outer([5, 5, -1, -1, 4, 4], [0, 3, 1])),
    [[3, 0, 1, 4, 1, 5, 9, 2], [6, 5, 3, 5, 8, 9, 7, 9]],
    [[1, 2, 3, 2, 1]],
    _slanting(9, 0.7),
    _slanting(9, 1.5),
    _slanting(7, 0.7),
    _plus(_outer([1, 0, 2, 1, 3, 1, 0], [2, 1, 1]), _outer([1, 1, 0, -1, 2, 0, 1], [0, 2, -1])),
]
# No kernel loses exactly so much, where rounding would decide.
KERNELS = [
    {"kernel": kernel, "loss": loss}
    for kernel, loss in product(_KERNELS, (0.015, 0.07, 0.23, 0.55))
]


# ------------------------------------------------------------------ a network in pairs


class Written(nn.Sequential):
    """A network that is shown as it is written.

    Example:
        >>> Written("nn.Conv2d(4, 8, 3), nn.ReLU()")
        nn.Sequential(nn.Conv2d(4, 8, 3), nn.ReLU())
    """

    def __init__(self, layers):
        super().__init__(*eval(f"[{layers}]", {"nn": nn}))  # the texts below, and no others
        self.layers = layers

    def __repr__(self):
        return f"nn.Sequential({self.layers})"

    def __eq__(self, other):
        return isinstance(other, Written) and self.layers == other.layers

    def __hash__(self):
        return hash(self.layers)


NETWORKS = [
    {"model": Written(layers), "input_size": size}
    for layers, size in [
        ("nn.Conv2d(16, 32, 3, padding=1)", (16, 4, 4)),
        ("nn.Conv2d(2, 5, 3)", (2, 4, 6)),
        ("nn.Conv2d(6, 4, 3, stride=2, padding=1)", (6, 9, 8)),
        ("nn.Conv2d(4, 8, 3, padding=2, dilation=2)", (4, 6, 6)),
        ("nn.Conv2d(4, 8, 1)", (4, 5, 5)),
        ("nn.Conv2d(4, 8, 5, padding=2)", (4, 5, 5)),
        ("nn.Conv2d(4, 8, (3, 1))", (4, 5, 5)),
        ("nn.Conv2d(8, 8, 3, padding=1, groups=8)", (8, 5, 5)),
        ("nn.Conv2d(8, 12, 3, padding=1, groups=4)", (8, 5, 5)),
        ("nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 6, 3)", (3, 8, 8)),
        ("nn.Conv2d(3, 8, 3, 2), nn.Conv2d(8, 8, 1)", (3, 9, 9)),
        ("nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 4, 1)", (3, 9, 7)),
        ("nn.Conv2d(3, 6, 7, 2, 3), nn.Conv2d(6, 6, 3, 1, 1)", (3, 12, 12)),
        ("nn.Conv2d(3, 4, (1, 3)), nn.Conv2d(4, 4, (3, 1)), nn.Conv2d(4, 9, 3)", (3, 8, 8)),
        ("nn.Conv2d(3, 8, 3, 2, 1), nn.Flatten(), nn.Linear(128, 10)", (3, 8, 8)),
        (
            "nn.Conv2d(1, 6, 3, 2, 1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2), "
            "nn.Conv2d(6, 12, 3, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 10)",
            (1, 28, 28),
        ),
        ("nn.Flatten(), nn.Linear(48, 5)", (3, 4, 4)),
        ("nn.Conv2d(3, 16, 3, 2, 1), nn.Conv2d(16, 16, 3, 2, 1), nn.Conv2d(16, 8, 1)", (3, 16, 12)),
        ("nn.Conv2d(5, 10, 3, groups=5), nn.ReLU(), nn.Conv2d(10, 4, 3)", (5, 9, 8)),
        ("nn.Conv2d(3, 4, 5, 2), nn.AvgPool2d(2), nn.Conv2d(4, 12, 3, (2, 1), 1)", (3, 18, 15)),
        ("nn.Conv2d(6, 9, 3, dilation=3), nn.Conv2d(9, 6, 3, 3), nn.Conv2d(6, 2, 1)", (6, 15, 13)),
    ]
]


def standard(row):
    """Say whether a row of `trace` is a 3 x 3 convolution with one group."""
    return any_3x3(row) and row.groups == 1


def any_3x3(row):
    """Say whether a row of `trace` is a 3 x 3 convolution."""
    return row.op == "conv2d" and row.kernel in (3, (3, 3))


def any_3(row):
    """Say the same, and take one side for both."""
    return row.op == "conv2d" and row.groups == 1 and 3 in (row.kernel, *_sides(row))


def any_kernel(row):
    """Say whether a row of `trace` is a convolution with one group and more than 1 x 1."""
    return row.op == "conv2d" and row.groups == 1 and row.kernel != 1


def _sides(row):
    return row.kernel if isinstance(row.kernel, tuple) else (row.kernel, row.kernel)


def _pixels(shape):
    return prod(shape[1:])


def _looking(row):
    return row.input_shape[0] * prod(_sides(row))


def _mixing(row):
    return row.input_shape[0] * row.output_shape[0]


def pair_macs(row):
    """Return the MACs of the pair in a convolution's place."""
    return _pixels(row.output_shape) * (_looking(row) + _mixing(row))


def depthwise_only(row):
    """Return those of its first layer."""
    return _pixels(row.output_shape) * _looking(row)


def pointwise_only(row):
    """Return those of its second layer."""
    return _pixels(row.output_shape) * _mixing(row)


def depthwise_on_input(row):
    """Leave out the stride of the first layer."""
    return _pixels(row.input_shape) * _looking(row) + pointwise_only(row)


def pointwise_on_input(row):
    """Let the second layer work on the larger map."""
    return depthwise_only(row) + _pixels(row.input_shape) * _mixing(row)


def depthwise_of_outputs(row):
    """Let the first layer have a kernel for each output channel."""
    return _pixels(row.output_shape) * (9 * row.output_shape[0] + _mixing(row))


def product_of(row):
    """Multiply the two layers."""
    return _pixels(row.output_shape) * _looking(row) * _mixing(row)


def pair_weights(row):
    """Count weights."""
    return _looking(row) + _mixing(row)


@cache
def _rows(model, input_size):
    """Return the rows of `trace`, once for networks that are written alike."""
    return list(trace(model, input_size))


def total(
    model, input_size, count, replaced=standard, rest=True, skip_first=False,
    others=lambda row: row.macs,
):  # fmt: skip
    """Return the MACs of a network, those of the rows that are replaced counted by `count`.

    Args:
        model: that `trace` can follow.
        input_size: of a picture, (C, H, W).
        count: for a row that is replaced.
        replaced: says whether a row is.
        rest: whether the other rows count.
        skip_first: whether the first convolution stays as it is.
        others: counts the other rows.
    """
    rows = _rows(model, input_size)
    convolutions = [row.name for row in rows if row.op == "conv2d"]
    first = convolutions[0] if skip_first and convolutions else None
    found = 0
    for row in rows:
        if replaced(row) and row.name != first:
            found += count(row)
        elif rest:
            found += others(row)
    return found


# ------------------------------------------------------------------ was it a pair?


def ranks(matrices):
    """Return the ranks of matrices, up to rounding.

    Example:
        >>> ranks(torch.stack([torch.eye(2), torch.ones(2, 2), torch.zeros(2, 2)]))
        [2, 1, 0]
    """
    return torch.linalg.matrix_rank(matrices, rtol=1e-9).tolist()


def channel_ranks(weight):
    """Return how many kernels each channel needs."""
    return ranks(torch.tensor(weight).double().transpose(0, 1).flatten(2))


def without_tolerance(weight):
    """Count the singular values above 0, as floats leave them."""
    matrices = torch.tensor(weight).double().transpose(0, 1).flatten(2)
    return max(1, (torch.linalg.svdvals(matrices) > 0).sum(1).max().item())


def _kernels_of(weight, channel):
    return [[value for row in one[channel] for value in row] for one in weight]


def different_kernels(weight):
    """Count how many different kernels a channel has."""
    return max(len({tuple(k) for k in _kernels_of(weight, c)}) for c in range(len(weight[0])))


def different_directions(weight):
    """Count how many a channel has that are no multiples of one another."""
    return max(1, *(_directions(_kernels_of(weight, c)) for c in range(len(weight[0]))))


def _directions(kernels):
    found = []
    for kernel in filter(any, kernels):
        first = next(value for value in kernel if value)
        found.append(tuple(round(value / first, 9) for value in kernel))
    return len(set(found))


def _weight(number, filters, size, wanted):
    """Return a weight whose channels need so many kernels: sums of them, in eighths."""
    draw = random.Random(number)
    height, width = size

    def numbers(count, largest):
        return [draw.choice([n for n in range(-largest, largest + 1) if n]) for _ in range(count)]

    channels = []
    for count in wanted:
        kernels = [numbers(height * width, 4) for _ in range(count)]
        amounts = [numbers(count, 3) for _ in range(filters)]
        places = list(zip(*kernels, strict=True)) or [()] * (height * width)
        flat = [
            [sum(a * k for a, k in zip(own, place, strict=True)) / 8 for place in places]
            for own in amounts
        ]
        channels.append([[one[r * width : (r + 1) * width] for r in range(height)] for one in flat])
    return [[channel[o] for channel in channels] for o in range(filters)]


# (filters, (rows, columns) of a kernel, how many kernels each channel is made of)
_SHAPES = [
    (2, (1, 2), (1, 1)),
    (2, (1, 2), (2, 1)),
    (2, (1, 2), (1, 2)),
    (3, (2, 2), (1, 1)),
    (3, (2, 2), (1, 2)),
    (3, (2, 2), (2, 1, 1)),
    (4, (2, 2), (1, 1, 1)),
    (4, (2, 2), (1, 3)),
    (4, (2, 2), (2, 2)),
    (4, (2, 3), (1, 1, 2)),
    (5, (3, 3), (1, 1)),
    (5, (3, 3), (2, 1)),
    (5, (3, 3), (1, 2, 3)),
    (5, (3, 3), (4, 2)),
    (6, (3, 3), (1,)),
    (6, (3, 3), (5,)),
    (6, (3, 3), (3, 3, 3)),
    (3, (1, 4), (1, 2, 2, 1)),
    (4, (3, 1), (0, 1)),
    (3, (2, 2), (0, 0)),
    (6, (2, 2), (0, 2, 1)),
    (2, (3, 3), (1, 1, 1, 1)),
    (2, (3, 3), (2, 2)),
    (8, (2, 3), (3, 1)),
]
WEIGHTS = [{"weight": _weight(number, *shape)} for number, shape in enumerate(_SHAPES)]
