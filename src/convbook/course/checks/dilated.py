"""Checkers for chapter 10, Dilated."""

from itertools import product
from math import prod

from convbook.arithmetic.coverage import dilation_coverage
from convbook.course.checks import listeners
from convbook.course.checks._checker import Checker, grid
from convbook.course.checks.listeners import listener

__all__ = ["check_atrous", "check_colours_seen", "check_looks_ahead", "check_schedule", "listener"]

# ------------------------------------------------------------------------------- 1, a design


def schedule(size):
    """Return as few dilations as fill a field of exactly `size` pixels: 1, 3, 9 and the rest."""
    dilations, filled = [], 1
    while filled < size:
        dilations.append(min(filled, (size - filled) // 2))
        filled += 2 * dilations[-1]
    return dilations


def is_schedule(answer, size):
    """Return whether the stack has this field, without a hole, and no shorter one could."""
    counts = dilation_coverage(list(answer))
    return len(counts) == size and all(counts) and len(answer) == len(schedule(size))


def _doubling(size):
    dilations = []
    while 1 + 2 * sum(dilations) < size:
        dilations.append(2 ** len(dilations))
    return dilations


def _doubling_and_the_rest(size):
    dilations, filled = [], 1
    while filled < size:
        dilations.append(min(2 ** len(dilations), (size - filled) // 2))
        filled += 2 * dilations[-1]
    return dilations


def _tripling(size):
    return [3**i for i in range(len(schedule(size)))]


def _in_equal_steps(size):
    count = len(schedule(size))
    return [(size - 1) // 2 // count] * count


check_schedule = Checker(
    "Exercise 1: function(size) -> dilations of three-tap layers, stride 1",
    schedule,
    [{"size": size} for size in [*range(3, 60, 2), 79, 81, 83, 127, 201, 243, 245]],
    {
        "One tap for each pixel would do it with fewer layers: how far apart may the taps of a "
        "layer stand, so that what the others have filled leaves no hole?": (
            lambda size: [1] * (size // 2)
        ),
        "A single layer has three taps and a field full of holes: begin with dilation 1.": (
            lambda size: [size // 2]
        ),
        "Doubling leaves no hole, but its fields are 3, 7, 15, 31, ..., and there is a faster way "
        "to grow.": _doubling,
        "The field is right and without a hole. It takes more layers than it must: after 1, three "
        "pixels are filled, so that the next taps may stand 3 apart.": _doubling_and_the_rest,
        "That is the widest field of so many layers. Make one dilation smaller, so that the field "
        "is exactly `size`.": _tripling,
        "Equal dilations read every d-th pixel only, however many layers there are.": (
            _in_equal_steps
        ),
        "A dilation adds its double to the field: d pixels on either side.": (
            lambda size: schedule(2 * size - 1)
        ),
    },
    accepts=is_schedule,
    fallback="Draw the row of pixels. The first layers have filled a stretch; put three copies of "
    "it side by side, or let them overlap until the length is right.",
)

# ---------------------------------------------------------------------------- 2, a diagnosis

check_looks_ahead = Checker(
    "Exercise 2: function(network) -> samples",
    listeners.looks_ahead,
    listeners.CASES,
    {
        "That is how far it looks back. The future lies on the other side.": listeners.looks_back,
        "That is the whole field. How much of it lies after the output?": (
            lambda network: listeners.looks_back(network) + listeners.looks_ahead(network) + 1
        ),
        "One too many: an output that hears its own sample, and nothing later, looks 0 ahead.": (
            lambda network: listeners.looks_ahead(network) + 1
        ),
        "In a stack the steps into the future add up: the widest layer is not all.": (
            listeners.only_the_widest
        ),
        "A delay takes back what the layers look ahead: poke the whole network, not its layers.": (
            listeners.without_delays
        ),
        "Where all that it hears lies in the past, it looks 0 ahead, not less.": (
            listeners.below_zero
        ),
    },
    fallback="Change one sample in the middle of a long row. Which is the first output that "
    "notices, and how much earlier is it?",
)

# ----------------------------------------------------------------------------- 3, the surgery


def atrous(strides, output_stride):
    """Keep strides from the first on, up to `output_stride`; dilate what follows a removed one."""
    found, kept, dilation = [], 1, 1
    for stride in strides:
        if kept * stride <= output_stride:
            found.append((stride, dilation))
            kept *= stride
        else:
            found.append((1, dilation))
            dilation *= stride
    return found


def is_atrous(answer, strides, output_stride):
    """Return whether every number of the old last map is still computed, at its place."""
    dilation = 1
    for (new, found), old in zip(answer, strides, strict=True):
        if new not in (1, old) or found != dilation:
            return False
        dilation *= old // new
    return prod(new for new, _ in answer) == output_stride


def _with_dilations(change):
    """Return a wrong solution: the right strides, and dilations by `change(removed, place)`."""

    def solution(strides, output_stride):
        new = [stride for stride, _ in atrous(strides, output_stride)]
        removed = [old // kept for old, kept in zip(strides, new, strict=True)]
        return [(stride, change(removed, place)) for place, stride in enumerate(new)]

    return solution


check_atrous = Checker(
    "Exercise 3: function(strides, output_stride) -> a (stride, dilation) for each layer",
    atrous,
    [
        {"strides": strides, "output_stride": output_stride}
        for strides in (
            [2, 1],
            [2, 1, 2, 1],
            [2, 2, 1],
            [2, 1, 1, 2, 1, 1],
            [2, 2, 1, 2, 1, 2, 1],
            [1, 2, 1, 2, 1, 2],
            [4, 1, 2, 1, 2, 1],
            [2, 1, 2, 1, 2, 1, 2, 1],
        )
        for output_stride in (1, 2, 4, 8, 16)
        if output_stride < prod(strides) and (output_stride > 3 or strides[0] < 4)
    ],
    {
        "The layer whose stride goes reads the same map as before, so its taps stay where they "
        "are. Dilate what comes after it.": _with_dilations(
            lambda removed, place: prod(removed[: place + 1])
        ),
        "Two strides that are gone multiply: after two of 2, neighbours of the old map stand 4 "
        "apart.": _with_dilations(
            lambda removed, place: sum(one for one in removed[:place] if one > 1) or 1
        ),
        "The maps are larger now, so the old neighbours are no longer neighbours: what follows a "
        "removed stride needs a dilation.": _with_dilations(lambda removed, place: 1),
        "Not only the next layer: every later one reads a map that is finer than it was.": (
            _with_dilations(lambda removed, place: removed[place - 1] if place else 1)
        ),
        "Strides that you keep make the map coarse, as before. Only those you remove spread the "
        "taps.": lambda strides, output_stride: [
            (stride, prod(strides[:place]))
            for place, (stride, _) in enumerate(atrous(strides, output_stride))
        ],
        "First the stride, then the dilation.": lambda strides, output_stride: [
            pair[::-1] for pair in atrous(strides, output_stride)
        ],
        "Their product, with all the strides you kept, is to be output_stride.": (
            lambda strides, output_stride: _with_dilations(
                lambda removed, place: prod(strides[:place])
            )(strides, 1)
        ),
    },
    accepts=is_atrous,
    fallback="Write the positions that the layers' outputs have in the picture below each other, "
    "before and after. Which positions did a window read, and how far apart are they now?",
)

# ------------------------------------------------------------------------------ 4, a mosaic


def colours_seen(mosaic, dilations, row, column):
    """Return the colours that an output of the stack can depend on, each once."""
    steps = _ends(dilations)
    return _colours(mosaic, [(row + i, column + j) for i, j in product(steps, repeat=2)])


def _ends(dilations, kernel=(-1, 0, 1)):
    """Return how far from where it stands an output can see along one axis."""
    ends = {0}
    for d in dilations:
        ends = {end + tap * d for end in ends for tap in kernel}
    return ends


def _colours(mosaic, places):
    height, width = len(mosaic), len(mosaic[0])
    return "".join(sorted({mosaic[i % height][j % width] for i, j in places}))


def _all_in_the_field(mosaic, dilations, row, column):
    reach = range(-sum(dilations), sum(dilations) + 1)
    return _colours(mosaic, [(row + i, column + j) for i, j in product(reach, repeat=2)])


def _along(mosaic, dilations, row, column):
    return _colours(mosaic, [(row, column + j) for j in _ends(dilations)])


def _a_cross(mosaic, dilations, row, column):
    steps = _ends(dilations)
    cross = [(row + i, column) for i in steps] + [(row, column + j) for j in steps]
    return _colours(mosaic, cross)


def _within_one_tile(mosaic, dilations, row, column):
    steps, height, width = _ends(dilations), len(mosaic), len(mosaic[0])
    places = [(row + i, column + j) for i, j in product(steps, repeat=2)]
    return _colours(mosaic, [(i, j) for i, j in places if 0 <= i < height and 0 <= j < width])


def _by_parity(mosaic, dilations, row, column):
    even = all(d % 2 == 0 for d in dilations)
    return mosaic[row][column] if even else _colours(mosaic, product(range(6), repeat=2))


BAYER = ["RG", "GB"]
QUAD = ["RRGG", "RRGG", "GGBB", "GGBB"]
STRIPES = ["RGB"]

check_colours_seen = Checker(
    "Exercise 4: function(mosaic, dilations, row, column) -> the colours, as letters",
    colours_seen,
    [
        *grid(
            mosaic=[BAYER],
            dilations=[[1], [2], [2, 4], [1, 2], [2, 1], [1, 3]],
            row=[0],
            column=[0, 1],
        ),
        *grid(
            mosaic=[QUAD], dilations=[[1], [2], [4, 8], [1, 4], [2, 4]], row=[0, 1], column=[0, 3]
        ),
        *grid(mosaic=[STRIPES], dilations=[[1], [2], [3, 6], [1, 3]], row=[0], column=[0, 2]),
    ],
    {
        "The field is not filled: of all its pixels, take those that a path of taps reaches.": (
            _all_in_the_field
        ),
        "The last layer alone reads maps, not the mosaic: follow the taps through all layers.": (
            lambda mosaic, dilations, row, column: colours_seen(mosaic, dilations[-1:], row, column)
        ),
        "Windows are square: a tap may go down and to the right at once.": _a_cross,
        "A map has rows, too: taps go up and down as well.": _along,
        "The tile repeats over the whole picture: take row and column modulo its size.": (
            _within_one_tile
        ),
        "Even or odd decides only where the tile repeats every two pixels.": _by_parity,
    },
    accepts=lambda answer, **case: set(answer) == set(colours_seen(**case)),
    fallback="Mark the nine pixels that one layer reads, look up their colours, and then let a "
    "second layer begin at each of the nine.",
)
