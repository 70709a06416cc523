"""Checkers for chapter 9, Grouped."""

from itertools import product
from math import ceil, log

from convbook.course.checks._checker import Checker, grid


def grouped_pixel(pixel, weight, groups):
    """Return what a grouped 1 x 1 convolution gives at one pixel."""
    reads = len(pixel) // groups
    return [_dot(row, pixel[group * reads :]) for group, row in _grouped_rows(weight, groups)]


def _grouped_rows(weight, groups):
    """Return each filter with the number of its group."""
    filters = len(weight) // groups
    return [(o // filters, row) for o, row in enumerate(weight)]


def _dot(weights, pixel):
    """Add up the products with the first numbers of a pixel."""
    return sum(w * p for w, p in zip(weights, pixel, strict=False))


def _every_nth_filter(pixel, weight, groups):
    """Share the filters out in turn."""
    reads = len(pixel) // groups
    return [_dot(row, pixel[o % groups * reads :]) for o, row in enumerate(weight)]


def _added_over_groups(pixel, weight, groups):
    """Add the first outputs of all groups, then the second ones, and so on."""
    outputs = grouped_pixel(pixel, weight, groups)
    filters = len(weight) // groups
    return [sum(outputs[o::filters]) for o in range(filters)]


def grouped_params(in_channels, out_channels, kernel_size, groups):
    """Return the parameters of a grouped convolution with a bias."""
    k_h, k_w = kernel_size
    return out_channels * (in_channels // groups * k_h * k_w + 1)


def shuffled(channels, groups):
    """Return which input channel stands at each place after a channel shuffle."""
    length = channels // groups
    return [row * length + column for column in range(length) for row in range(groups)]


def layers_to_reach_all(channels, groups):
    """Return how many grouped layers, shuffled in between, until every output depends on each."""
    length, order = channels // groups, shuffled(channels, groups)
    reached, layers = set(range(length)), 1  # what channel 0 reaches in the first layer
    while len(reached) < channels:
        rows = {place // length for place, channel in enumerate(order) if channel in reached}
        reached = {row * length + column for row in rows for column in range(length)}
        layers += 1
    return layers


def _pixels():
    """Return cases of whole numbers in which no two mistakes agree."""
    shapes = [(4, 4, 2), (6, 4, 2), (4, 8, 4), (6, 3, 3), (8, 8, 1), (12, 6, 3), (5, 10, 5)]
    return [
        {
            "pixel": [(3 * c * c + seed) % 7 + 1 for c in range(c_in)],
            "weight": [
                [(5 * o + 2 * c + seed * (o + c)) % 9 - 3 for c in range(c_in // groups)]
                for o in range(c_out)
            ],
            "groups": groups,
        }
        for (c_in, c_out, groups), seed in product(shapes, (1, 2, 3))
    ]


check_grouped_pixel = Checker(
    "Exercise 1: function(pixel, weight, groups) -> a number for each filter",
    grouped_pixel,
    _pixels(),
    {
        "A group's channels are neighbours: the first len(pixel) / groups, then the next ones.": (
            lambda pixel, weight, groups: [
                _dot(row, pixel[group::groups]) for group, row in _grouped_rows(weight, groups)
            ]
        ),
        "A group's filters are neighbours too; do not deal them out in turn.": _every_nth_filter,
        "o // groups is not the group of filter o: divide by how many filters a group has.": (
            lambda pixel, weight, groups: [
                _dot(row, pixel[o // groups * (len(pixel) // groups) :])
                for o, row in enumerate(weight)
            ]
        ),
        "Every filter there reads the first channels. Those of group 1 read the next ones.": (
            lambda pixel, weight, groups: [_dot(row, pixel) for row in weight]
        ),
        "Nothing is added over the groups: each filter gives a number of its own.": (
            _added_over_groups
        ),
    },
    fallback="Write down, for each filter, the channels that it reads.",
)

check_grouped_params = Checker(
    "Exercise 2: function(in_channels, out_channels, kernel_size, groups) -> parameters",
    grouped_params,
    grid(
        in_channels=[8, 16, 64],
        out_channels=[8, 24],
        kernel_size=[(1, 1), (3, 3), (3, 5)],
        groups=[1, 2, 8],
    ),
    {
        "Each filter has a bias too: one number more.": (
            lambda in_channels, out_channels, kernel_size, groups: (
                grouped_params(in_channels, out_channels, kernel_size, groups) - out_channels
            )
        ),
        "The bias is not divided: each of the out_channels filters has one.": (
            lambda in_channels, out_channels, kernel_size, groups: (
                grouped_params(in_channels, out_channels, kernel_size, 1) // groups
            )
        ),
        "Divided twice: a filter reads fewer channels, but there are as many filters as before.": (
            lambda in_channels, out_channels, kernel_size, groups: grouped_params(
                in_channels, out_channels // groups, kernel_size, groups
            )
        ),
        "The weights are divided once: a filter reads fewer channels, and no filter goes away.": (
            lambda in_channels, out_channels, kernel_size, groups: (
                (grouped_params(in_channels, out_channels, kernel_size, groups) - out_channels)
                // groups
                + out_channels
            )
        ),
        "That is the ordinary convolution; with groups a filter reads in_channels / groups.": (
            lambda in_channels, out_channels, kernel_size, groups: grouped_params(
                in_channels, out_channels, kernel_size, 1
            )
        ),
        "Kernels need not be square: multiply rows by columns.": (
            lambda in_channels, out_channels, kernel_size, groups: grouped_params(
                in_channels, out_channels, (kernel_size[0], kernel_size[0]), groups
            )
        ),
    },
    fallback="How many channels does one filter read? Then count weights and biases of all "
    "filters.",
)

# Whole powers of a group's size, where a quotient of two logarithms comes out a little too large:
# of `log` in the first two, of `log2` in the third and of `log10` in the last.
_POWERS = [(125, 25), (216, 36), (243, 81), (512, 64)]
_DEALT = [(c, g) for c in (6, 8, 12, 18, 24) for g in range(1, c + 1) if c % g == 0]

check_shuffled = Checker(
    "Exercise 3: function(channels, groups) -> the channel at each place",
    shuffled,
    [{"channels": channels, "groups": groups} for channels, groups in _DEALT],
    {
        "That undoes the shuffle. There are `groups` rows, each of channels / groups numbers.": (
            lambda channels, groups: shuffled(channels, channels // groups)
        ),
        "Read row by row the order stays as it was; read column by column.": (
            lambda channels, groups: list(range(channels))
        ),
        "That moves whole groups. A shuffle takes one channel of each group in turn.": (
            lambda channels, groups: [
                (place + channels // groups) % channels for place in range(channels)
            ]
        ),
        "That is the first column only: go through all of them.": (
            lambda channels, groups: shuffled(channels, groups)[:groups]
        ),
    },
    fallback="Write the channels as a table with a row for each group, and read it down its "
    "columns.",
)

check_layers_to_reach_all = Checker(
    "Exercise 4: function(channels, groups) -> how many layers",
    layers_to_reach_all,
    [
        {"channels": channels, "groups": groups}
        for channels, groups in (*_DEALT, *_POWERS, (64, 16), (64, 32), (4, 2))
        if groups < channels
    ],
    {
        "Two are enough only if a group has at least as many channels as there are groups.": (
            lambda channels, groups: 1 if groups == 1 else 2
        ),
        "A layer multiplies what is reached by the size of a group; that counts the groups.": (
            lambda channels, groups: next(
                n for n in range(1, 99) if max(groups, 2) ** n >= channels
            )
        ),
        "Three layers need not be enough either: multiply until all channels are reached.": (
            lambda channels, groups: (
                1 if groups == 1 else 2 if (channels // groups) ** 2 >= channels else 3
            )
        ),
        "A quotient of logarithms is a little off at whole powers: 125 channels by fives are 3.": (
            lambda channels, groups: ceil(log(channels) / log(channels // groups))
        ),
        "What is reached is multiplied in each layer; that adds a group in each.": (
            lambda channels, groups: groups
        ),
        "One too few: count the first layer too.": (
            lambda channels, groups: layers_to_reach_all(channels, groups) - 1
        ),
    },
    fallback="Write down how many channels one output sees after one layer, two layers, three.",
)
