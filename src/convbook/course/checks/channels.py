"""Checkers for chapter 4, Channels."""

from itertools import chain, product
from math import isqrt

from convbook.course.checks._checker import Checker, grid


def _numbers(channels, height, width, step=2):
    """Return `channels` maps as lists of rows, their numbers mostly different, some negative."""
    return [
        [[(step * ((c * height + y) * width + x) + c) % 11 - 3 for x in range(width)]
         for y in range(height)]
        for c in range(channels)
    ]  # fmt: skip


def parameters(c_in, c_out, kernel_height, kernel_width):
    """Return how many numbers a layer learns, the bias included."""
    return c_out * (c_in * kernel_height * kernel_width + 1)


def filter_map(picture, kernels, bias):
    """Return the map of one filter, as a list of rows."""
    return _add([bias], _channel_maps(picture, kernels))


def _channel_maps(picture, kernels):
    """Return one map for each channel, not added."""
    return [_slide(*pair) for pair in zip(picture, kernels, strict=True)]


def _slide(channel, kernel):
    taps = list(product(range(len(kernel)), range(len(kernel[0]))))
    places = [
        [(top, left) for left in range(len(channel[0]) - len(kernel[0]) + 1)]
        for top in range(len(channel) - len(kernel) + 1)
    ]
    return [
        [sum(channel[top + i][left + j] * kernel[i][j] for i, j in taps) for top, left in line]
        for line in places
    ]


def _add(biases, maps):
    """Return the sum of the maps and of all biases, place by place."""
    return [
        [sum(biases) + sum(numbers) for numbers in zip(*rows, strict=True)]
        for rows in zip(*maps, strict=True)
    ]


def _flipped(kernel):
    return [row[::-1] for row in kernel[::-1]]


def grey_kernel(kernels):
    """Return the kernel that does to one grey channel what `kernels` do to equal channels."""
    return _add([0], kernels)


def most_channels(macs, size, kernel_size):
    """Return the largest C for which a layer from C to C channels needs at most `macs` MACs."""
    return isqrt(macs // (size * kernel_size) ** 2)


check_parameters = Checker(
    "Exercise 1: function(c_in, c_out, kernel_height, kernel_width) -> how many numbers",
    parameters,
    grid(c_in=(1, 2, 3, 16), c_out=(1, 4, 8), kernel_height=(1, 3), kernel_width=(1, 3, 5)),
    {
        "Those are the weights; each filter learns a bias too.": (
            lambda c_in, c_out, kernel_height, kernel_width: (
                c_out * c_in * kernel_height * kernel_width
            )
        ),
        "Each filter has a bias of its own, so there are c_out of them.": (
            lambda c_in, c_out, kernel_height, kernel_width: (
                c_out * c_in * kernel_height * kernel_width + 1
            )
        ),
        "A filter has one bias, not one for each of its kernels.": (
            lambda c_in, c_out, kernel_height, kernel_width: (
                c_out * c_in * (kernel_height * kernel_width + 1)
            )
        ),
        "A filter has a kernel for each input channel, not one in all.": (
            lambda c_in, c_out, kernel_height, kernel_width: (
                c_out * (kernel_height * kernel_width + 1)
            )
        ),
        "The bias belongs to the filters: one for each output channel, not for each input.": (
            lambda c_in, c_out, kernel_height, kernel_width: (
                c_in * (c_out * kernel_height * kernel_width + 1)
            )
        ),
        "Kernels need not be square: multiply rows by columns.": (
            lambda c_in, c_out, kernel_height, kernel_width: parameters(
                c_in, c_out, kernel_height, kernel_height
            )
        ),
    },
    fallback="Count the numbers of one filter first, its bias too; there are c_out filters.",
)

check_filter_map = Checker(
    "Exercise 2: function(picture, kernels, bias) -> list of rows",
    filter_map,
    [
        {
            "picture": _numbers(channels, height, width),
            "kernels": _numbers(channels, k_h, k_w, step=3),
            "bias": bias,
        }
        for channels, (height, width), k_h, k_w, bias in product(
            (1, 2, 3), ((2, 3), (4, 3)), (1, 2), (1, 3), (0, 5)
        )
    ],
    {
        "That is one map for each channel; add them, place by place.": (
            lambda picture, kernels, bias: [
                _add([bias], [channel]) for channel in _channel_maps(picture, kernels)
            ]
        ),
        "The bias is added once, not once for each channel.": (
            lambda picture, kernels, bias: _add(
                [bias] * len(picture), _channel_maps(picture, kernels)
            )
        ),
        "The bias is missing; add it at every place.": (
            lambda picture, kernels, bias: filter_map(picture, kernels, 0)
        ),
        "That uses the first kernel on every channel; each channel has a kernel of its own.": (
            lambda picture, kernels, bias: filter_map(picture, [kernels[0]] * len(picture), bias)
        ),
        "That reads the first channel only; the filter reads them all.": (
            lambda picture, kernels, bias: filter_map(picture[:1], kernels[:1], bias)
        ),
        "The kernels are flipped; a layer takes them as they lie.": (
            lambda picture, kernels, bias: filter_map(picture, map(_flipped, kernels), bias)
        ),
        "Every number of the map has one bias; that adds it once for each weight.": (
            lambda picture, kernels, bias: filter_map(
                picture, kernels, bias * len(kernels) * len(kernels[0]) * len(kernels[0][0])
            )
        ),
        "Each channel meets its own kernel; add the maps, not the channels or the kernels.": (
            lambda picture, kernels, bias: filter_map(
                [_add([0], picture)], [_add([0], kernels)], bias
            )
        ),
    },
    fallback="Make the map of each channel on its own; then add them, and the bias.",
)

check_grey_kernel = Checker(
    "Exercise 3: function(kernels) -> list of rows",
    grey_kernel,
    [
        {"kernels": _numbers(3, height, width, step)}
        for height, width, step in product((1, 2, 3), (1, 2, 3), (1, 2, 3))
    ],
    {
        "That is the mean of the kernels; the maps of the three channels are added.": (
            lambda kernels: [[weight / 3 for weight in row] for row in grey_kernel(kernels)]
        ),
        "That is one of the kernels; the other two see the grey image as well.": (
            lambda kernels: kernels[0]
        ),
        "That is one number; keep the places apart and add over the channels only.": (
            lambda kernels: sum(sum(map(sum, kernel)) for kernel in kernels)
        ),
        "That adds over rows or columns; add the three weights at the same place.": (
            lambda kernels: [[sum(row) for row in kernel] for kernel in kernels]
        ),
        "`+` puts one list behind the other; add the numbers in them.": (
            lambda kernels: [[*chain(*rows)] for rows in zip(*kernels, strict=True)]
        ),
    },
    fallback="What do the three weights at one place add up to, when all three pixels are 1?",
)

check_most_channels = Checker(
    "Exercise 4: function(macs, size, kernel_size) -> how many channels",
    most_channels,
    grid(macs=(1000, 5000, 10**6, 231_211_008), size=(1, 2, 7, 28), kernel_size=(1, 3, 5)),
    {
        "The MACs grow with the square: twice the filters, and each reads twice the channels.": (
            lambda macs, size, kernel_size: macs // (size * kernel_size) ** 2
        ),
        "A kernel has kernel_size ** 2 weights.": (
            lambda macs, size, kernel_size: isqrt(macs // (size**2 * kernel_size))
        ),
        "That leaves out the kernel: each of its weights is a MAC at every place.": (
            lambda macs, size, kernel_size: isqrt(macs // size**2)
        ),
        "Each weight is used at every one of size ** 2 places.": (
            lambda macs, size, kernel_size: isqrt(macs // kernel_size**2)
        ),
        "The map has size ** 2 places, not size.": (
            lambda macs, size, kernel_size: isqrt(macs // (size * kernel_size**2))
        ),
        "One too many: with that number the layer needs more than `macs`. Round down.": (
            lambda macs, size, kernel_size: most_channels(macs, size, kernel_size) + 1
        ),
        "Rounded to the nearest number that is one too many at times. Round down.": (
            lambda macs, size, kernel_size: round((macs / (size * kernel_size) ** 2) ** 0.5)
        ),
        "A number of channels is a whole one: round down.": (
            lambda macs, size, kernel_size: (macs / (size * kernel_size) ** 2) ** 0.5
        ),
        "No more than `macs` may be exactly `macs`: there one more channel fits.": (
            lambda macs, size, kernel_size: most_channels(macs - 1, size, kernel_size)
        ),
    },
    fallback="Count the MACs for your answer and for one channel more: the first fits, if right.",
)
