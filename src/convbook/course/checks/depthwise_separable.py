"""Checkers for chapter 8, Depthwise and separable."""

import torch

from convbook.course.checks import pairs_and_terms as parts
from convbook.course.checks._checker import Checker, grid
from convbook.course.checks.pairs_and_terms import growth, needed, pair_macs, ranks


def largest_kernel(channels, percent):
    """Return the largest odd kernel size whose pair costs at most so many per cent more MACs."""
    return parts.last_size(lambda k: growth(k, channels) <= percent)


def terms(kernel, loss):
    """Return how many columns times rows lose at most the share `loss`, None if it saves nothing.

    The share is that of the squared weights.
    """
    found = needed(parts.lost_squares(kernel), loss)
    rows, columns = len(kernel), len(kernel[0])
    return found if found * (rows + columns) < rows * columns else None


def as_pairs(model, input_size):
    """Return the MACs of a network whose standard 3 x 3 convolutions became pairs."""
    return parts.total(model, input_size, pair_macs)


def multiplier(weight):
    """Return the smallest depth multiplier with which a pair is this standard convolution."""
    return max(1, *ranks(torch.tensor(weight).double().transpose(0, 1).flatten(2)))


# With 7, 23 and 55 channels 5 x 5 is at the limit exactly, and with 31 it is 7 x 7.
_CHANNELS = [7, 16, 23, 31, 55, 64, 96, 192, 384, 512, 768, 1024]

check_largest_kernel = Checker(
    "Exercise 1: function(channels, percent) -> an odd kernel size, at least 3",
    largest_kernel,
    [{"channels": 512, "percent": 10}, *grid(channels=_CHANNELS, percent=[0, 8, 25, 50, 100])],
    {
        "Only the depthwise layer grows with the kernel. The mixing, channels for each channel, "
        "costs what it did.": lambda channels, percent: parts.last_size(
            lambda k: 100 * k**2 <= (100 + percent) * 9
        ),
        "Nine products are there already: a larger kernel adds k * k - 9 for each channel.": (
            lambda channels, percent: parts.last_size(
                lambda k: 100 * k**2 <= percent * (9 + channels)
            )
        ),
        "Compare with the whole pair with 3 × 3, in which looking costs nine products.": (
            lambda channels, percent: parts.last_size(
                lambda k: 100 * (k**2 + channels) <= (100 + percent) * channels
            )
        ),
        "More than what? The limit counts the MACs of the whole pair, not of the mixing alone.": (
            lambda channels, percent: parts.last_size(
                lambda k: 100 * (k**2 - 9) <= percent * channels
            )
        ),
        "That is the first kernel that costs too much. The one before it is the answer.": (
            lambda channels, percent: largest_kernel(channels, percent) + 2
        ),
        "Even kernels do not count: 3, 5, 7 and so on.": (
            lambda channels, percent: parts.last_size(
                lambda k: growth(k, channels) <= percent, step=1
            )
        ),
        "At most: a kernel that needs exactly so many per cent more may stay.": (
            lambda channels, percent: max(
                3, parts.last_size(lambda k: growth(k, channels) < percent)
            )
        ),
        "A kernel has rows and columns: k * k weights.": lambda channels, percent: parts.last_size(
            lambda k: 100 * (k + channels) <= (100 + percent) * (3 + channels)
        ),
        "Ten per cent more is 1.1 times as much, not 11 times.": (
            lambda channels, percent: parts.last_size(
                lambda k: k**2 + channels <= (1 + percent) * (9 + channels)
            )
        ),
        "That is how many MACs a pair has. Which kernel size leads to them?": (
            lambda channels, percent: (9 + channels) * channels
        ),
    },
    fallback="Write down the MACs of the pair for one pixel, once with 3 × 3 and once with k × k. "
    "Then try k = 5, 7, 9 until they are too many.",
)

check_terms = Checker(
    "Exercise 2: function(kernel, loss) -> how many terms, or None",
    terms,
    parts.KERNELS,
    {
        "Squares: that is the share of the kernel's length, and its root is taken too early.": (
            lambda kernel, loss: parts.told(kernel, parts.lost_lengths(kernel), loss)
        ),
        "The singular values must be squared before you add them up: squares are what adds.": (
            lambda kernel, loss: parts.told(kernel, parts.lost_values(kernel), loss)
        ),
        "Where the terms need as many weights as the kernel, or more, return None.": (
            lambda kernel, loss: needed(parts.lost_squares(kernel), loss)
        ),
        "As many weights as the kernel are no gain either: then return None, too.": (
            lambda kernel, loss: parts.told(kernel, parts.lost_squares(kernel), loss, or_equal=True)
        ),
        "The kernel need not be square: a column has a weight for each row of it, a row one for "
        "each column.": lambda kernel, loss: parts.told(
            kernel, parts.lost_squares(kernel), loss, square=True
        ),
        "That is the rank, with which nothing is lost. A part may be lost.": (
            lambda kernel, loss: parts.told(kernel, parts.lost_squares(kernel), 1e-9)
        ),
        "`loss` is what may be lost, not what has to be kept.": (
            lambda kernel, loss: parts.told(kernel, parts.lost_squares(kernel), 1 - loss)
        ),
        "All that comes after the last term is lost, not only the next one.": (
            lambda kernel, loss: parts.told(kernel, parts.next_squares(kernel), loss)
        ),
        "Count the terms that stay, not those that go.": lambda kernel, loss: parts.told(
            kernel, parts.lost_squares(kernel), loss, gone=True
        ),
        "One term less: there the loss is too large.": (
            lambda kernel, loss: None if (t := terms(kernel, loss)) is None else t - 1
        ),
        "That is one more than it takes: the first term counts as 1.": (
            lambda kernel, loss: None if (t := terms(kernel, loss)) is None else t + 1
        ),
        "How many terms, not how many weights they have.": (
            lambda kernel, loss: (
                None if (t := terms(kernel, loss)) is None else t * (len(kernel) + len(kernel[0]))
            )
        ),
    },
    fallback="Take the singular values, square them, and go through 1, 2, 3 terms: what comes "
    "after them, divided by the sum of all, is lost.",
)

check_as_pairs = Checker(
    "Exercise 3: function(model, input_size) -> MACs",
    as_pairs,
    parts.NETWORKS,
    {
        "The pair has a pointwise layer, too, which mixes the channels.": (
            lambda model, input_size: parts.total(model, input_size, parts.depthwise_only)
        ),
        "That counts the mixing only, a ninth of the standard layer. Looking comes on top of it.": (
            lambda model, input_size: parts.total(model, input_size, parts.pointwise_only)
        ),
        "A convolution in groups stays as it is: only those with one group become pairs.": (
            lambda model, input_size: parts.total(model, input_size, pair_macs, parts.any_3x3)
        ),
        "Only 3 × 3 convolutions become pairs. The others keep their MACs.": (
            lambda model, input_size: parts.total(model, input_size, pair_macs, parts.any_kernel)
        ),
        "A kernel of 3 × 1 or 1 × 3 is not 3 × 3.": (
            lambda model, input_size: parts.total(model, input_size, pair_macs, parts.any_3)
        ),
        "The depthwise layer has the stride: it computes the smaller map only.": (
            lambda model, input_size: parts.total(model, input_size, parts.depthwise_on_input)
        ),
        "The pointwise layer works on the map that comes out of the depthwise one.": (
            lambda model, input_size: parts.total(model, input_size, parts.pointwise_on_input)
        ),
        "The depthwise layer has a kernel for each channel that comes in, not that goes out.": (
            lambda model, input_size: parts.total(model, input_size, parts.depthwise_of_outputs)
        ),
        "All that is not replaced counts as well: other convolutions, linear layers.": (
            lambda model, input_size: parts.total(model, input_size, pair_macs, rest=False)
        ),
        "Every 3 × 3 convolution with one group, the first one as well.": (
            lambda model, input_size: parts.total(
                model, input_size, pair_macs, parts.standard, skip_first=True
            )
        ),
        "The two layers come one after the other: their MACs are added, not multiplied.": (
            lambda model, input_size: parts.total(model, input_size, parts.product_of)
        ),
        "Those are the MACs of the network as it is.": (
            lambda model, input_size: parts.total(model, input_size, lambda row: row.macs)
        ),
        "MACs, please: each weight is used at every pixel of its map.": (
            lambda model, input_size: parts.total(
                model, input_size, parts.pair_weights, others=lambda row: row.params
            )
        ),
    },
    fallback="Go through the rows of trace(model, input_size). For a row that is replaced, "
    "multiply the pixels of its output by what looking and mixing cost there; the others count "
    "with their `macs`.",
)

check_multiplier = Checker(
    "Exercise 4: function(weight) -> the depth multiplier",
    multiplier,
    parts.WEIGHTS,
    {
        "Look at the channels one by one: the kernels of one channel, not the whole weight.": (
            lambda weight: max(ranks(torch.tensor(weight).double().flatten(1)[None]))
        ),
        "That is mixing first. In a pair it is the filters that share the kernels of a channel: "
        "take weight[filter][channel] for one channel and all filters.": (
            lambda weight: max(1, *ranks(torch.tensor(weight).double().flatten(2)))
        ),
        "That takes each kernel apart into columns and rows. Here whole kernels are shared: write "
        "each one out as a single row.": (
            lambda weight: max(1, *ranks(torch.tensor(weight).double().flatten(0, 1)))
        ),
        "The multiplier is the same for all channels: the largest that one of them needs.": (
            lambda weight: max(1, min(parts.channel_ranks(weight)))
        ),
        "It counts for each channel, not for all of them together.": (
            lambda weight: max(1, sum(parts.channel_ranks(weight)))
        ),
        "One channel is not enough: go through all of them.": (
            lambda weight: max(1, parts.channel_ranks(weight)[0])
        ),
        "At least 1, even where nothing is looked at.": (
            lambda weight: max(parts.channel_ranks(weight))
        ),
        "In floats a 0 may come out as 1e-17: count singular values above a tolerance, not 0.": (
            parts.without_tolerance
        ),
        "Kernels that are different may still be a sum of fewer: count how many it takes to make "
        "them, not how many there are.": parts.different_kernels,
        "A kernel twice as strong is the same kernel, and a sum of two kernels is no new one.": (
            parts.different_directions
        ),
    },
    fallback="Take one channel, write the kernel of each filter out as a row, and ask how many "
    "rows it takes to make them all.",
)
