"""Checkers for chapter 12, Pixel shuffle."""

import torch
import torch.nn.functional as F

from convbook.course.checks import enlarging
from convbook.course.checks._checker import Checker, grid
from convbook.course.checks.designs import DesignChecker
from convbook.course.checks.enlarging import blocks, chosen, levels


def tf_order(out_channels, r):
    """Return, for each channel that depth_to_space expects, the one that PyTorch has there."""
    return [c * r * r + place for place in range(r * r) for c in range(out_channels)]


def as_filters(kernel, stride, padding):
    """Return the filters, of three weights each, that draw what a 1-D transposed kernel draws."""

    def weight(tap):
        return kernel[tap] if 0 <= tap < len(kernel) else 0

    return [
        [weight(stride * (1 - place) + pixel + padding) for place in range(3)]
        for pixel in range(stride)
    ]


def _tiled(conv, r):
    """Look at every C-th filter, as if the channels of one sub-pixel stood together."""
    sums = conv.weight.detach().flatten(1).sum(1)
    ends = torch.stack([conv.bias.detach(), conv.bias.detach() + sums])
    grouped = ends.unflatten(1, (r * r, -1))
    return ((grouped.amax(1) - grouped.amin(1)) * 255).amax(0)


def _odd_filters(conv, r):
    """Name the filters whose sum differs from that of the first of their block."""
    sums = conv.weight.detach().flatten(1).sum(1) + conv.bias.detach()
    return chosen((sums - sums[:: r * r].repeat_interleave(r * r)).abs() > 1 / 255)


check_tf_order = Checker(
    "Exercise 1: function(out_channels, r) -> a list of out_channels * r * r channels",
    tf_order,
    grid(out_channels=[1, 2, 3, 4, 5, 6], r=[1, 2, 3, 4]),
    {
        "That is the way back, from TensorFlow's order to PyTorch's. The list says which channel "
        "of PyTorch stands first, second, third in the other order.": (
            lambda out_channels, r: [
                place * out_channels + c for c in range(out_channels) for place in range(r * r)
            ]
        ),
        "This order changes nothing.": lambda out_channels, r: list(range(out_channels * r * r)),
        "Rows and columns of a block are exchanged: the column j counts one by one.": (
            lambda out_channels, r: [
                c * r * r + i * r + j
                for j in range(r)
                for i in range(r)
                for c in range(out_channels)
            ]
        ),
        "An output channel has r * r sub-pixels, not r.": (
            lambda out_channels, r: [
                c * r * r + place for place in range(r) for c in range(out_channels)
            ]
        ),
        "Each step to the next output channel is r * r channels long in PyTorch, not r.": (
            lambda out_channels, r: [
                c * r + place for place in range(r * r) for c in range(out_channels)
            ]
        ),
        "In the list, all channels of one sub-pixel stand together, not those of one row.": (
            lambda out_channels, r: [
                c * r * r + i * r + j
                for i in range(r)
                for c in range(out_channels)
                for j in range(r)
            ]
        ),
        "The sub-pixels come in their order, row by row; so do the output channels.": (
            lambda out_channels, r: tf_order(out_channels, r)[::-1]
        ),
        "Channels count from 0.": lambda out_channels, r: [
            n + 1 for n in tf_order(out_channels, r)
        ],
    },
    fallback="Write the channels of a small case down, c beside (i, j), once in the order of "
    "PyTorch and once sorted by sub-pixel.",
)

check_patterned = Checker(
    "Exercise 2: function(conv, r) -> a list of the output channels that draw a pattern",
    enlarging.patterned,
    enlarging.LAYERS,
    {
        "A layer that is flat on white may not be on black: there only the biases are left.": (
            lambda conv, r: chosen(levels(conv, r, greys=[1.0]) > 1)
        ),
        "On black the weights play no part. Try white as well.": (
            lambda conv, r: chosen(levels(conv, r, greys=[0.0]) > 1)
        ),
        "In one grey in the middle, sums and biases may make up for each other. Try others.": (
            lambda conv, r: chosen(levels(conv, r, greys=[0.5]) > 1)
        ),
        "The biases draw, too: each sub-pixel has its own.": (
            lambda conv, r: chosen(levels(conv, r, bias=False) > 1)
        ),
        "Filters that differ may have equal sums, and on a flat grey nothing else counts.": (
            lambda conv, r: chosen(
                torch.maximum(blocks(conv.weight, r), blocks(conv.bias[:, None], r)) > 1 / 255
            )
        ),
        "The filters of one output channel stand together: r * r of them, one after the other.": (
            lambda conv, r: chosen(_tiled(conv, r) > 1)
        ),
        "Less than one grey level is no pattern here; nor is what rounding leaves.": (
            lambda conv, r: chosen(levels(conv, r) > 0.01)
        ),
        "Look inside: at the border the window reads zeros, and every layer is darker there.": (
            lambda conv, r: chosen(levels(conv, r, inside=False) > 1)
        ),
        "Those are the channels without a pattern.": (lambda conv, r: chosen(levels(conv, r) <= 1)),
        "Count the channels after the shuffle, not the filters before it.": _odd_filters,
        "Which channels, not whether: a list of their numbers.": (
            lambda conv, r: bool(enlarging.patterned(conv, r))
        ),
    },
    fallback="Send in black and white, shuffle, and compare the r * r pixels of one block inside, "
    "for each output channel.",
)

check_as_filters = Checker(
    "Exercise 3: function(kernel, stride, padding) -> a list of `stride` filters of three weights",
    as_filters,
    [
        {"kernel": kernel, "stride": stride, "padding": padding}
        for kernel, stride, padding in [
            ([1, 2, 3, 4], 2, 1),
            ([1, 2, 3], 2, 1),
            ([5, 7], 2, 0),
            ([4, -1, 2, 3], 2, 1),
            ([1, 2, 1], 2, 1),
            ([6, 1], 2, 0),
            ([1, 2, 3, 4, 5], 2, 2),
            ([1, 2, 3, 4, 5, 6], 2, 2),
            ([2, -1, 4, 3, 7], 2, 2),
            ([3, 6, 2, 5, 1, 4], 2, 2),
            ([1, 2, 3], 3, 0),
            ([1, 2, 3, 4], 3, 1),
            ([1, 2, 3, 4, 5], 3, 1),
            ([5, -2, 3, 1, 4], 3, 1),
            ([1, 2, 3, 4, 5, 6], 3, 2),
            ([1, 2, 3, 4, 5, 6, 7], 3, 2),
            ([7, 2, 9, -4, 1, 3, 8], 3, 2),
            ([1, 2, 3, 4, 5, 6, 7, 8, 9], 3, 3),
            ([1, 2, 3, 4], 4, 0),
            ([1, 2, 3, 4, 5, 6], 4, 1),
            ([1, 2, 3, 4, 5, 6, 7, 8], 4, 2),
            ([3, 1, 4, 1, 5, 9, 2, 6], 4, 2),
            ([1, 2, 3], 1, 1),
            ([3, 5, -2], 1, 1),
            ([8], 1, 0),
        ]
    ],
    {
        "Flip each filter: a transposed convolution writes where a convolution reads.": (
            lambda kernel, stride, padding: [
                one[::-1] for one in as_filters(kernel, stride, padding)
            ]
        ),
        "The crop moves everything: with padding p, pixel 0 of the output is number p of what the "
        "kernel writes.": lambda kernel, stride, padding: as_filters(kernel, stride, 0),
        "The first filter draws pixel 0, the next one pixel 1: their order is turned round.": (
            lambda kernel, stride, padding: as_filters(kernel, stride, padding)[::-1]
        ),
        "Three weights each: where the kernel has none to give, a zero stands, and its place "
        "matters.": lambda kernel, stride, padding: [
            kernel[first::stride][::-1] for first in range(stride)
        ],
        "The zeros stand at the wrong end: the middle weight reads the pixel itself.": (
            lambda kernel, stride, padding: [
                ([0] * 3 + kernel[(pixel + padding) % stride :: stride][::-1])[-3:]
                for pixel in range(stride)
            ]
        ),
        "Padding crops: going along the kernel, add it, do not take it away.": (
            lambda kernel, stride, padding: as_filters(kernel, stride, -padding)
        ),
        "A filter takes every stride-th weight, not three neighbours.": (
            lambda kernel, stride, padding: [
                (kernel + [0] * 3 * stride)[3 * n : 3 * n + 3] for n in range(stride)
            ]
        ),
        "That is the kernel with zeros around it, cut up; now flip, and mind the crop.": (
            lambda kernel, stride, padding: [
                ([0] * padding + kernel + [0] * 3 * stride)[pixel : pixel + 3 * stride : stride]
                for pixel in range(stride)
            ]
        ),
    },
    fallback="Let a single 1 go through the transposed convolution. Which weight lands on which "
    "pixel, and from which of its three pixels would a filter have read that 1?",
)

check_disagree = DesignChecker(
    "Exercise 4: function(photo) -> two changed copies of the photograph",
    enlarging.disagree,
    enlarging.photos(),
    {
        enlarging.SSIM_TOO: lambda photo: (photo + 0.02, 0.8 * photo),
        enlarging.PSNR_TOO: lambda photo: (enlarging.checkered(photo, 0.06), photo + 0.05),
        enlarging.SWAPPED: lambda photo: enlarging.disagree(photo)[::-1],
        enlarging.DESTROYED: lambda photo: (
            enlarging.checkered(photo, 0.01),
            F.avg_pool2d(photo, 7, 1, 3),
        ),
        enlarging.UNCHANGED: lambda photo: (photo + 0, 0.8 * photo),
        enlarging.SHAPE: lambda photo: (photo[..., 1:], photo[..., :-1]),
        enlarging.NEITHER: lambda photo: (photo + 0.04, photo - 0.04),
    },
    judge=enlarging.judge,
    right=enlarging.RIGHT,
)
