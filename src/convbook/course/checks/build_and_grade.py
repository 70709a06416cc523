"""Checkers for chapter 13, Build it, grade it."""

from itertools import count

from convbook.arithmetic import Layer, receptive_field
from convbook.course.checks import culprits, designs
from convbook.course.checks._checker import Checker, grid

DEEPEST = 500


def field(pools, depth):
    """Return the field of a 3 x 3 convolution before each pool, and of `depth` after the last."""
    before = [Layer(3, padding=1), Layer(2, stride=2)] * pools
    return receptive_field([*before, *[Layer(3, padding=1)] * depth])[-1]


def _fewest(pools, sees_enough):
    """Return the fewest convolutions after the last pool with which a field is large enough."""
    return next(n for n in count(1) if sees_enough(field(pools, n)) or n == DEEPEST)


def depth(pixels, pools):
    """Return the fewest convolutions with which each place of the last map sees all pixels."""
    return _fewest(pools, lambda seen: seen.start + seen.size >= pixels)


check_culprit = Checker(
    "Exercise 1: function(network) -> the name of its wrong layer, or None",
    culprits.answer,
    [{"network": network} for network in culprits.suspects],
    {
        "A layer may keep its size and still do nothing: look at kernel and groups as well.": (
            culprits.sizes_only
        ),
        "Pools and averages can be wrong too: does a pool halve, and does 1 × 1 remain?": (
            culprits.convolutions_only
        ),
        "Look at the average, too: it has to leave 1 × 1.": culprits.without_average,
        "A wrong size is handed on to later layers. Return the first row that is wrong.": (
            culprits.last_of_all
        ),
        "Compare sizes, not paddings: 'same' keeps the size without a number, and a stride of 2 "
        "is to halve it.": culprits.by_padding,
        "A depthwise convolution with a 3 × 3 kernel is fine; one with 1 × 1 only scales.": (
            culprits.every_depthwise
        ),
        "Dilation is no mistake where the padding makes up for it.": culprits.every_dilation,
        "A convolution with stride 2 is to halve its map, as a pool does.": culprits.every_stride,
        "Channels may change. Height and width are the last two numbers of a shape.": (
            culprits.every_change
        ),
        "A pool of 3 × 3 with stride 2 and padding 1 halves as well: compare sizes.": (
            culprits.every_other_pool
        ),
        "Return the row's name, as trace gives it, not its number.": culprits.numbered,
    },
    fallback="`trace` the network in a cell of its own, and go down the column *output*: which row "
    "is the first whose size should not be there?",
)

check_depth = Checker(
    "Exercise 2: function(pixels, pools) -> how many convolutions after the last pool",
    depth,
    grid(pixels=[32, 40, 48, 64, 90, 97, 130, 193, 224], pools=[1, 2, 3, 4]),
    {
        "A field as large as the picture is enough in the middle only; the first place looks from "
        "a corner.": lambda pixels, pools: _fewest(pools, lambda seen: seen.size >= pixels),
        "Not the assignment's 44 decides here, but the far side of the picture.": (
            lambda pixels, pools: _fewest(pools, lambda seen: seen.size > 44)
        ),
        "Each 3 × 3 convolution adds two steps of the map that it reads, not one.": (
            lambda pixels, pools: _fewest(
                pools,
                lambda seen: (seen.size + field(pools, 0).size) / 2 >= 2 * pixels - seen.jump,
            )
        ),
        "Those before the pools are there already; count the convolutions after the last pool.": (
            lambda pixels, pools: depth(pixels, pools) + pools
        ),
        "Round up: with one convolution fewer, a pixel at the far side is missed.": (
            lambda pixels, pools: max(depth(pixels, pools) - 1, 1)
        ),
        "One fewer is enough: what stands before the last pool adds to the field as well.": (
            lambda pixels, pools: depth(pixels, pools) + 1
        ),
        "A pool drops what does not divide: 63 pixels leave 31, and 31 leave 15.": (
            lambda pixels, pools: max(1, -(-pixels // 2**pools) - 1)
        ),
        "A field that ends at the last pixel has seen it; it need not go beyond.": (
            lambda pixels, pools: _fewest(pools, lambda seen: seen.start + seen.size > pixels)
        ),
        "The field need not be twice as large as the picture: the first place does not look from "
        "the very corner. Where does its field start?": (
            lambda pixels, pools: _fewest(pools, lambda seen: seen.size >= 2 * pixels)
        ),
    },
    fallback="What is the first pixel that the first place sees, and what the last? `trace` tells "
    "size and start of a field.",
)

check_repair = designs.DesignChecker(
    "Exercise 3: function(channels, classes) -> a network under the budget",
    designs.repaired,
    grid(channels=[1, 3, 4], classes=[2, 3, 5, 8, 10, 12, 20]),
    designs.WITHOUT,
    judge=designs.budget_verdict,
)

check_design = designs.DesignChecker(
    "Exercise 4: function(limit) -> a network for the later assignment, sized by the limit",
    designs.design,
    grid(
        limit=[
            *(5_000, 6_000, 8_000, 10_000, 12_000, 15_000, 20_000, 25_000, 30_000, 40_000),
            *(50_000, 60_000, 70_000, 80_000, 90_000, 100_000, 120_000, 150_000, 180_000),
            200_000,
        ]
    ),
    designs.WITHOUT_LATER,
    judge=designs.verdict_on,
)
