"""Checkers for chapter 9, Grouped."""

from itertools import product

import torch
import torch.nn.functional as F

from convbook.course.checks import splits
from convbook.course.checks._checker import Checker


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


def _in_lists(pixel, weight, groups):
    """Return a list for each group."""
    outputs = grouped_pixel(pixel, weight, groups)
    filters = len(weight) // groups
    return [outputs[first : first + filters] for first in range(0, len(outputs), filters)]


def as_paths(form):
    """Return the narrow paths whose sum is the grouped form, each as (first, middle, last)."""
    return _shared_out(form, _outputs, _outputs, _inputs)


def are_paths(answer, form):
    """Return whether so many narrow paths give, added up, what the grouped form gives."""
    paths = [[torch.as_tensor(weight).double() for weight in path] for path in answer]
    groups, width = form.middle.groups, form.middle.weight.shape[1]
    if len(paths) != groups or any(len(first) != width for first, _, _ in paths):
        return False
    generator = torch.Generator().manual_seed(0)
    shape = (2, form.first.in_channels, 5, 6)
    x = torch.randint(-3, 4, shape, generator=generator).double()
    return torch.allclose(sum(_through(x, *path) for path in paths), form(x))


def _through(x, first, middle, last):
    """Return what a path makes of a map, with a ReLU after the first two layers."""
    inside = F.conv2d(x, first).relu()
    return F.conv2d(F.conv2d(inside, middle, padding=middle.shape[-1] // 2).relu(), last)


def _shared_out(form, *by):
    """Return the paths when three functions of (weight, groups) share the three weights out."""
    layers = (form.first, form.middle, form.last)
    groups = form.middle.groups
    shares = [share(layer.weight, groups) for share, layer in zip(by, layers, strict=True)]
    return list(zip(*shares, strict=True))


def _cut(*by):
    """Return a mistake that shares the three weights out by these functions."""
    return lambda form: _shared_out(form, *by)


def _outputs(weight, groups):
    return weight.chunk(groups)


def _inputs(weight, groups):
    return weight.chunk(groups, dim=1)


def _whole(weight, groups):
    return [weight] * groups


def _dealt(weight, groups):
    return [weight[path::groups] for path in range(groups)]


def _dealt_inputs(weight, groups):
    return [weight[:, path::groups] for path in range(groups)]


def _backwards(weight, groups):
    return weight.chunk(groups, dim=1)[::-1]


def _mean(weight, groups):
    return [part / groups for part in _inputs(weight, groups)]


def cheapest(channels):
    """Return [layers, groups] of the shuffled stack that connects everything for fewest weights."""
    return _cheapest(channels, lambda groups, layers: (channels // groups) ** layers >= channels)


def is_cheapest(answer, channels):
    """Return whether a stack connects everything, and no other one does for less."""
    layers, groups = answer
    connects = channels % groups == 0 and (channels // groups) ** layers >= channels
    best, fewest = cheapest(channels)
    return connects and layers * fewest == best * groups  # layers / groups, in whole numbers


def _cheapest(channels, connects, cost=lambda groups, layers: layers / groups):
    """Return the cheapest [layers, groups] that connects everything, as a function judges."""
    stacks = [
        (cost(groups, layers), layers, groups)
        for groups in range(1, channels + 1)
        for layers in range(1, 11)
        if channels % groups == 0 and connects(groups, layers)
    ]
    return list(min(stacks)[1:])


def _by(connects, **settings):
    """Return a mistake in judging what connects everything, of (channels, groups, layers)."""
    return lambda channels: _cheapest(
        channels, lambda groups, layers: connects(channels, groups, layers), **settings
    )


def _joins(channels, groups, layers):
    return (channels // groups) ** layers >= channels


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
        "One flat list, please, with the groups one after the other.": _in_lists,
    },
    fallback="Write down, for each filter, the channels that it reads.",
)

check_parts = Checker(
    "Exercise 2: function(network, channels) -> of how many separate networks it consists",
    splits.parts,
    splits.CASES,
    {
        "The first layer is only the beginning: a later one may join what it has kept apart.": (
            splits.groups_of_the_first
        ),
        "The layer with the most groups does not decide: another one may join them.": (
            splits.most_groups
        ),
        "Counting groups overlooks what moves the channels, and layers that are split by hand. "
        "Light a channel and look.": splits.common_factor,
        "A shuffle need not join everything: that depends on how many channels a group has. Light "
        "a channel and look.": splits.one_with_a_shuffle,
        "Parts need not be equally large, and in one part two channels may reach different "
        "outputs. Find the sets that overlap.": splits.share_of_the_first,
        "Two channels may move different outputs and still share one, and then they belong "
        "together: join all sets that overlap.": splits.different_sets,
        "A set may overlap none of the first ones and still hang together with them through "
        "others: join the sets as you go, and compare with what you have joined.": (
            splits.disjoint_from_the_first
        ),
        "That is how many outputs channel 0 moves. How many parts are there?": (
            splits.outputs_of_the_first
        ),
        "That is how many channels a part has. How many parts are there?": (
            splits.channels_of_a_part
        ),
    },
    fallback="Light one input channel at a time, write down the set of outputs that it moves, and "
    "join the sets that overlap until none do.",
)

check_as_paths = Checker(
    "Exercise 3: function(form) -> a list of (first, middle, last)",
    as_paths,
    [
        {"form": splits.grouped_form(*sizes)}
        for sizes in [
            (2, 1, 2, 1),
            (3, 1, 4, 3),
            (4, 4, 1, 3),
            *product((2, 3), (2, 3), (2, 3, 4), (1, 3)),
        ]
    ],
    {
        "The last layer of a path reads that path's channels: share its weights out along what "
        "they read, the second axis.": _cut(_outputs, _outputs, _outputs),
        "Each filter of a grouped layer has the weights of its own group only: share the middle "
        "layer out by filters, the first axis.": _cut(_outputs, _inputs, _inputs),
        "All paths read the whole input: share the first layer out by filters, the first axis.": (
            _cut(_inputs, _outputs, _inputs)
        ),
        "Every path gets its own share of the last layer, not all of it.": (
            _cut(_outputs, _outputs, _whole)
        ),
        "Every path gets its own share of the first layer, not all of it.": (
            _cut(_whole, _outputs, _inputs)
        ),
        "Every path gets its own share of the middle layer, not all of it.": (
            _cut(_outputs, _whole, _inputs)
        ),
        "The channels of a group are neighbours: do not deal the first layer out in turn.": (
            _cut(_dealt, _outputs, _inputs)
        ),
        "The channels of a group are neighbours: do not deal the last layer out in turn.": (
            _cut(_outputs, _outputs, _dealt_inputs)
        ),
        "The channels of a group are neighbours: do not deal the layers out in turn.": (
            _cut(_dealt, _dealt, _dealt_inputs)
        ),
        "A path's three layers belong together: one of them stands in another order.": (
            _cut(_outputs, _outputs, _backwards)
        ),
        "The paths are added, not averaged.": _cut(_outputs, _outputs, _mean),
        "One tuple for each path, please, and not one list for each layer: zip them.": (
            lambda form: list(map(list, zip(*as_paths(form), strict=True)))
        ),
    },
    accepts=are_paths,
    fallback="Draw form (c) with two groups. Which filters of the first layer, which "
    "of the middle one and which input channels of the last belong to path 0?",
)

check_cheapest = Checker(
    "Exercise 4: function(channels) -> [layers, groups] with the fewest weights",
    cheapest,
    [
        {"channels": channels}
        for channels in (
            *(2, 5, 6, 8, 9, 10, 12, 16, 18, 20, 24, 27, 30, 32, 36, 40, 48, 54, 60, 64),
            *(72, 81, 96, 120, 125, 128, 144, 162, 216, 240, 243, 256),
        )
    ],
    {
        "One ordinary layer connects everything, but two with groups may do it for less.": (
            lambda channels: [1, 1]
        ),
        "With as many groups as channels nothing ever leaves its channel.": (
            lambda channels: [1, channels]
        ),
        "Two layers need not be the cheapest: try three and more.": _by(
            lambda c, g, n: n <= 2 and _joins(c, g, n)
        ),
        "Three layers need not be enough: try four and more.": _by(
            lambda c, g, n: n == 3 and _joins(c, g, n)
        ),
        "More groups are not always cheaper: all layers have weights. Compare layers / groups.": (
            _by(_joins, cost=lambda groups, layers: -groups)
        ),
        "In this order, please: [layers, groups].": lambda channels: cheapest(channels)[::-1],
        "The second number is how many groups there are, not how many channels a group has.": (
            lambda channels: [cheapest(channels)[0], channels // cheapest(channels)[1]]
        ),
        "Each layer multiplies what is reached by the channels of a group, not by the number of "
        "groups.": _by(lambda c, g, n: g == n == 1 or (c > g > 1 and g**n >= c)),
        "Exactly all channels is enough: >=, not >.": _by(
            lambda c, g, n: (c // g) ** n > c or g == n == 1
        ),
        "That is how many weights it has. Which layers and groups are they?": (
            lambda channels: channels**2 * cheapest(channels)[0] // cheapest(channels)[1]
        ),
        "The first layer reaches the channels of a group already: it counts.": (
            _by(lambda c, g, n: (c // g) ** (n - 1) >= c)
        ),
    },
    accepts=is_cheapest,
    fallback="For each number of groups that divides the channels, find the fewest layers that "
    "connect everything. Then compare layers / groups.",
)
