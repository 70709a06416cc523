"""Checkers for chapter 7, ResNet skips."""

from math import comb, factorial

from convbook.course.checks._checker import Checker, grid


def shortcut(in_channels, out_channels, stride):
    """Return "identity", or in and out channels, kernel size and stride of the projection."""
    if stride == 1 and in_channels == out_channels:
        return "identity"
    return in_channels, out_channels, 1, stride


def skip_fits(in_channels, out_channels, kernel_size, stride, padding, dilation):
    """Say whether the convolution keeps the shape of every map."""
    same_size = stride == 1 and 2 * padding == dilation * (kernel_size - 1)
    return same_size and in_channels == out_channels


def _convolutions(in_channels, out_channels):
    """Return the weights of two 3 x 3 convolutions in a row."""
    return 9 * (in_channels + out_channels) * out_channels


def block_params(in_channels, out_channels, stride):
    """Return the parameters of a residual block with its batch norms and its projection."""
    params = _convolutions(in_channels, out_channels) + 4 * out_channels
    if _projected(in_channels, out_channels, stride):
        params += in_channels * out_channels + 2 * out_channels
    return params


def _projected(in_channels, out_channels, stride):
    """Return whether the block has a projection, a number that can be multiplied."""
    return shortcut(in_channels, out_channels, stride) != "identity"


def paths(blocks, length):
    """Return how many paths go through exactly `length` of the blocks."""
    return comb(blocks, length)


check_shortcut = Checker(
    "Exercise 1: function(in_channels, out_channels, stride) -> 'identity' or four numbers",
    shortcut,
    grid(in_channels=[16, 64, 128], out_channels=[16, 64, 128], stride=[1, 2, 3]),
    {
        "The projection needs the block's stride, or its map is larger than that of the layers.": (
            lambda in_channels, out_channels, stride: (
                shortcut(in_channels, out_channels, stride)
                if stride == 1
                else (in_channels, out_channels, 1, 1)
            )
        ),
        "With a stride the map gets smaller, even where the channels agree.": (
            lambda in_channels, out_channels, stride: (
                "identity"
                if in_channels == out_channels
                else (in_channels, out_channels, 1, stride)
            )
        ),
        "At stride 1 the channels may differ as well: look at both.": (
            lambda in_channels, out_channels, stride: (
                "identity" if stride == 1 else (in_channels, out_channels, 1, stride)
            )
        ),
        "The projection reads single pixels: its kernel size is 1.": (
            lambda in_channels, out_channels, stride: (
                "identity"
                if stride == 1 and in_channels == out_channels
                else (in_channels, out_channels, 3, stride)
            )
        ),
        'Where the shapes agree, no projection is needed: "identity".': (
            lambda in_channels, out_channels, stride: (in_channels, out_channels, 1, stride)
        ),
        'One reason is enough for a projection: "identity" needs stride 1 and equal channels.': (
            lambda in_channels, out_channels, stride: (
                "identity"
                if stride == 1 or in_channels == out_channels
                else (in_channels, out_channels, 1, stride)
            )
        ),
        "The kernel size stands before the stride.": (
            lambda in_channels, out_channels, stride: (
                (in_channels, out_channels, stride, 1)
                if _projected(in_channels, out_channels, stride)
                else "identity"
            )
        ),
        "The channels that come in stand first.": lambda in_channels, out_channels, stride: (
            shortcut(out_channels, in_channels, stride)
        ),
    },
    fallback="Which shape does the block's map have, and which shape has x? When do they agree?",
)

check_skip_fits = Checker(
    "Exercise 2: function(in_channels, out_channels, kernel_size, stride, padding, dilation) -> "
    "True or False",
    skip_fits,
    [
        {"in_channels": c_in, "out_channels": c_out} | sizes
        for c_in, c_out, dilations in ((8, 8, (1, 2)), (8, 16, (1,)), (16, 8, (2,)))
        for sizes in grid(
            kernel_size=[1, 2, 3, 4, 5],
            stride=[1, 2],
            padding=[0, 1, 2, 3, 4],
            dilation=dilations,
        )
    ],
    {
        "Dilation spreads the taps: the window reaches over dilation * (kernel_size - 1) steps.": (
            lambda in_channels, out_channels, kernel_size, stride, padding, dilation: skip_fits(
                in_channels, out_channels, kernel_size, stride, padding, 1
            )
        ),
        "A stride above 1 makes the map smaller, whatever the padding.": (
            lambda in_channels, out_channels, kernel_size, stride, padding, dilation: skip_fits(
                in_channels, out_channels, kernel_size, 1, padding, dilation
            )
        ),
        "Channels must agree, too: as many filters as channels in.": (
            lambda in_channels, out_channels, kernel_size, stride, padding, dilation: skip_fits(
                in_channels, in_channels, kernel_size, stride, padding, dilation
            )
        ),
        "Do not round: 2 * padding must be the reach itself, or an even kernel loses a pixel.": (
            lambda in_channels, out_channels, kernel_size, stride, padding, dilation: (
                in_channels == out_channels
                and stride == 1
                and padding == dilation * (kernel_size - 1) // 2
            )
        ),
        "More padding than that makes the map larger: the two must be equal.": (
            lambda in_channels, out_channels, kernel_size, stride, padding, dilation: (
                in_channels == out_channels
                and stride == 1
                and 2 * padding >= dilation * (kernel_size - 1)
            )
        ),
        "Padding is added on both sides, so it counts twice.": (
            lambda in_channels, out_channels, kernel_size, stride, padding, dilation: (
                in_channels == out_channels
                and stride == 1
                and padding == dilation * (kernel_size - 1)
            )
        ),
    },
    fallback="Compute channels and size of the output for maps of 9 × 9 and 8 × 8: are they kept?",
)

check_block_params = Checker(
    "Exercise 3: function(in_channels, out_channels, stride) -> parameters",
    block_params,
    grid(in_channels=[16, 32, 64], out_channels=[16, 32, 64, 96], stride=[1, 2]),
    {
        "Each batch norm has two learned numbers for each channel.": (
            lambda in_channels, out_channels, stride: (
                _convolutions(in_channels, out_channels)
                + _projected(in_channels, out_channels, stride) * (in_channels * out_channels)
            )
        ),
        "Where the shape changes there is a projection, with weights and a batch norm.": (
            lambda in_channels, out_channels, stride: (
                block_params(in_channels, out_channels, 1)
                - (in_channels != out_channels) * (in_channels + 2) * out_channels
            )
        ),
        "A batch norm is missing: there is one after each convolution, the projection's too.": (
            lambda in_channels, out_channels, stride: (
                block_params(in_channels, out_channels, stride)
                - _projected(in_channels, out_channels, stride) * 2 * out_channels
            )
        ),
        "A stride brings a projection even where the channels agree.": (
            lambda in_channels, out_channels, stride: block_params(in_channels, out_channels, 1)
        ),
        "The convolutions have no bias: batch norm would take it away.": (
            lambda in_channels, out_channels, stride: (
                block_params(in_channels, out_channels, stride)
                + 2 * out_channels
                + _projected(in_channels, out_channels, stride) * out_channels
            )
        ),
        "Running mean and variance are no parameters: count two numbers per channel, not four.": (
            lambda in_channels, out_channels, stride: (
                block_params(in_channels, out_channels, stride)
                + 4 * out_channels
                + _projected(in_channels, out_channels, stride) * 2 * out_channels
            )
        ),
        "Two things are missing: the batch norms and, where the shape changes, the projection.": (
            lambda in_channels, out_channels, stride: _convolutions(in_channels, out_channels)
        ),
        "The second convolution reads what the first one writes: out_channels maps.": (
            lambda in_channels, out_channels, stride: (
                block_params(in_channels, out_channels, stride)
                - 9 * out_channels * (out_channels - in_channels)
            )
        ),
        "The projection reads single pixels: its kernel is 1 × 1.": (
            lambda in_channels, out_channels, stride: (
                block_params(in_channels, out_channels, stride)
                + _projected(in_channels, out_channels, stride) * 8 * in_channels * out_channels
            )
        ),
        "Only where the shape changes is there a projection.": (
            lambda in_channels, out_channels, stride: block_params(in_channels, out_channels, 2)
        ),
        "A state_dict holds buffers, too: three that no gradient reaches in every batch norm.": (
            lambda in_channels, out_channels, stride: (
                block_params(in_channels, out_channels, stride)
                + (2 + _projected(in_channels, out_channels, stride)) * (2 * out_channels + 1)
            )
        ),
    },
    fallback="Print a ResidualBlock and count its layers one by one.",
)

check_paths = Checker(
    "Exercise 4: function(blocks, length) -> how many paths",
    paths,
    [{"blocks": n, "length": k} for n in range(1, 8) for k in range(n + 1)],
    {
        "That counts the paths of all lengths together.": lambda blocks, length: 2**blocks,
        "The blocks come in a fixed order: choose some of them, do not arrange them.": (
            lambda blocks, length: factorial(blocks) // factorial(blocks - length)
        ),
        "That is right for length 1. A path of length 2 chooses two different blocks.": (
            lambda blocks, length: blocks * length
        ),
        "Each block is gone through or skipped; paths of length 0 skip all, and there is one.": (
            lambda blocks, length: comb(blocks, length) if length else 0
        ),
        "That counts the shorter paths, too; return those of this length only.": (
            lambda blocks, length: sum(comb(blocks, shorter) for shorter in range(length + 1))
        ),
    },
    fallback="Write down all paths: each block is gone through, or it is skipped.",
)
