"""Checkers for chapter 6, Initialisation."""

import math
from itertools import product

from convbook.course.checks._checker import Checker, grid


def fan_in(in_channels, out_channels, kernel_size, groups):
    """Return how many products one output of a convolution adds up."""
    k_h, k_w = kernel_size
    return in_channels // groups * k_h * k_w


def layers_until(gain, share):
    """Return after how many layers with ReLU the RMS has fallen below `share` of its start."""
    return _steps_until((gain / 2) ** 0.5, share)


def _steps_until(factor, share):
    """Return how many times 1 is multiplied by `factor` before it is below `share`."""
    size, layers = 1.0, 0
    while size >= share:
        size *= factor
        layers += 1
        if layers > 10_000:  # a factor of 1 never gets there
            return None
    return layers


def kept(slope):
    """Return which part of the mean square a leaky ReLU keeps."""
    return (1 + slope**2) / 2


def transposed_fan_in(in_channels, out_channels, kernel_size, stride):
    """Return how many products one output of a transposed convolution adds up."""
    return in_channels * (kernel_size // stride) ** 2


check_fan_in = Checker(
    "Exercise 1: function(in_channels, out_channels, kernel_size, groups) -> products per output",
    fan_in,
    [
        case
        for case in grid(
            in_channels=[1, 4, 8, 64],
            out_channels=[4, 8],
            kernel_size=[(1, 1), (3, 3), (3, 5)],
            groups=[1, 2, 4],
        )
        if case["in_channels"] % case["groups"] == 0
    ],
    {
        "The kernel has kernel_size[0] * kernel_size[1] places; each of them gives a product.": (
            lambda in_channels, out_channels, kernel_size, groups: in_channels // groups
        ),
        "Kernels need not be square: multiply rows by columns.": (
            lambda in_channels, out_channels, kernel_size, groups: (
                in_channels // groups * kernel_size[0] ** 2
            )
        ),
        "With groups a filter reads in_channels / groups channels.": (
            lambda in_channels, out_channels, kernel_size, groups: fan_in(
                in_channels, out_channels, kernel_size, 1
            )
        ),
        "That is the fan-out: it counts the filters, not what one filter adds up.": (
            lambda in_channels, out_channels, kernel_size, groups: fan_in(
                out_channels, in_channels, kernel_size, groups
            )
        ),
        "Those are the weights of all filters; one output is the sum of one filter's products.": (
            lambda in_channels, out_channels, kernel_size, groups: (
                out_channels * fan_in(in_channels, out_channels, kernel_size, groups)
            )
        ),
        "The bias is added, too, but it is no product.": (
            lambda in_channels, out_channels, kernel_size, groups: (
                fan_in(in_channels, out_channels, kernel_size, groups) + 1
            )
        ),
    },
    fallback="How many channels does one filter read, and at how many places of its kernel?",
)

check_layers_until = Checker(
    "Exercise 2: function(gain, share) -> how many layers",
    layers_until,
    [
        *grid(gain=[0.03, 0.25, 1 / 3, 0.7, 0.9], share=[0.3, 0.09, 0.011, 0.0012, 1e-9]),
        *grid(gain=[0.5], share=[0.5, 0.25, 0.125]),  # ties, exact in binary: not below yet
    ],
    {
        "ReLU keeps half of the mean square: divide the gain by 2.": (
            lambda gain, share: _steps_until(gain**0.5, share)
        ),
        "That follows the mean square; the RMS is its root.": (
            lambda gain, share: _steps_until(gain / 2, share)
        ),
        "One too few: after that many layers the RMS has not fallen below the share yet.": (
            lambda gain, share: layers_until(gain, share) - 1
        ),
        "Where the RMS equals the share it is not below it yet; it takes one layer more.": (
            lambda gain, share: _steps_until((gain / 2) ** 0.5, math.nextafter(share, 1))
        ),
        "Divide the gain by 2 before you take the root: ReLU halves the mean square.": (
            lambda gain, share: _steps_until(gain**0.5 / 2, share)
        ),
        "One too many: is the RMS below the share one layer earlier?": (
            lambda gain, share: layers_until(gain, share) + 1
        ),
        "Layers come whole: how many are enough?": (
            lambda gain, share: math.log(share) / math.log((gain / 2) ** 0.5)
        ),
    },
    fallback="Write down the RMS after each layer: when is it below the share for the first time?",
)

check_kept = Checker(
    "Exercise 3: function(slope) -> the part of the mean square that is kept",
    kept,
    grid(slope=[n / 16 for n in (*range(20), -1, -8, -16)]),
    {
        "The slope multiplies the number, so its square multiplies the square.": (
            lambda slope: (1 + slope) / 2
        ),
        "That is ReLU. The negative half is not lost here: it keeps slope ** 2 of its square.": (
            lambda slope: 0.5
        ),
        "Both halves count half: divide the sum by 2.": lambda slope: 1 + slope**2,
        "A square has no sign: with a negative slope as much is kept as with a positive one.": (
            lambda slope: (1 + slope * abs(slope)) / 2
        ),
        "The negative numbers are a half as well: divide slope ** 2 by 2, too.": (
            lambda slope: 0.5 + slope**2
        ),
        "That is the part of the RMS; the mean square is its square.": (
            lambda slope: kept(slope) ** 0.5
        ),
        "That is the gain which makes up for the loss; what is kept is 1 divided by it.": (
            lambda slope: 1 / kept(slope)
        ),
        "That is what is lost; return what is kept.": lambda slope: 1 - kept(slope),
    },
    fallback="Send 1 and -1 through it by hand, and take the mean of the two squares.",
)

check_transposed_fan_in = Checker(
    "Exercise 4: function(in_channels, out_channels, kernel_size, stride) -> products per output",
    transposed_fan_in,
    [
        {"in_channels": c_in, "out_channels": c_out, "kernel_size": k * stride, "stride": stride}
        for c_in, c_out, k, stride in product((1, 3, 64), (2, 32), (1, 2, 3), (1, 2, 4))
    ],
    {
        "That is how PyTorch counts: from the output channels. Count the input channels.": (
            lambda in_channels, out_channels, kernel_size, stride: out_channels * kernel_size**2
        ),
        "With a stride fewer taps reach an output: kernel_size / stride along each axis.": (
            lambda in_channels, out_channels, kernel_size, stride: in_channels * kernel_size**2
        ),
        "Rows and columns both have a stride.": (
            lambda in_channels, out_channels, kernel_size, stride: (
                in_channels * kernel_size**2 // stride
            )
        ),
        "Rows and columns both have taps: square kernel_size / stride.": (
            lambda in_channels, out_channels, kernel_size, stride: (
                in_channels * kernel_size // stride
            )
        ),
        "The taps are right; each output adds up over the input channels, not the output ones.": (
            lambda in_channels, out_channels, kernel_size, stride: transposed_fan_in(
                out_channels, in_channels, kernel_size, stride
            )
        ),
    },
    fallback="Draw the stamps along one axis: how many of them reach one output?",
)
