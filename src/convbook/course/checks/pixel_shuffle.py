"""Checkers for chapter 12, Pixel shuffle."""

from convbook.course.checks._checker import Checker, grid


def channel_of(c, i, j, upscale_factor, out_channels):
    """Return the channel that pixel shuffle takes to sub-pixel (i, j) of output channel c."""
    return c * upscale_factor**2 + i * upscale_factor + j


def unshuffled(picture, factor):
    """Return the small pictures that pixel_unshuffle makes of one picture, a list of rows."""
    return [
        [row[j::factor] for row in picture[i::factor]] for i in range(factor) for j in range(factor)
    ]


def icnr(filters, upscale_factor):
    """Return all filters of the sub-pixel convolution, made of one for each output channel."""
    return [one for one in filters for _ in range(upscale_factor**2)]


def interleaved(kernels):
    """Return the kernel of the 1-D transposed convolution that r kernels of one size amount to."""
    return [kernel[tap] for tap in reversed(range(len(kernels[0]))) for kernel in kernels]


_PLACES = [
    case
    for r in (2, 3, 4)
    for case in grid(c=range(3), i=range(r), j=range(r), upscale_factor=[r], out_channels=[3])
]

check_channel_of = Checker(
    "Exercise 1: function(c, i, j, upscale_factor, out_channels) -> channel",
    channel_of,
    _PLACES,
    {
        "That is TensorFlow's depth_to_space. In PyTorch the channels of one c stand together.": (
            lambda c, i, j, upscale_factor, out_channels: (
                (i * upscale_factor + j) * out_channels + c
            )
        ),
        "Rows and columns are exchanged: j counts one by one, i in steps of upscale_factor.": (
            lambda c, i, j, upscale_factor, out_channels: (
                c * upscale_factor**2 + j * upscale_factor + i
            )
        ),
        "Each output channel takes upscale_factor ** 2 channels, one for each sub-pixel.": (
            lambda c, i, j, upscale_factor, out_channels: (c + i) * upscale_factor + j
        ),
        "Add the place inside the block: i * upscale_factor + j.": (
            lambda c, i, j, upscale_factor, out_channels: c * upscale_factor**2
        ),
    },
    fallback="Which channels go to output channel c? Number them from 0, and count on to (i, j).",
)


def _picture(rows, columns):
    """Return numbers that say where they stand: the row in the tens, the column in the ones."""
    return [[10 * y + x for x in range(columns)] for y in range(rows)]


def _tiles(picture, factor):
    """Return the picture cut into factor * factor pieces."""
    height, width = len(picture) // factor, len(picture[0]) // factor
    return [
        [row[j * width : (j + 1) * width] for row in picture[i * height : (i + 1) * height]]
        for i in range(factor)
        for j in range(factor)
    ]


def _blocks(picture, factor):
    """Return the blocks of factor * factor neighbours, each a picture."""
    height, width = len(picture) // factor, len(picture[0]) // factor
    return [
        [row[x * factor : (x + 1) * factor] for row in picture[y * factor : (y + 1) * factor]]
        for y in range(height)
        for x in range(width)
    ]


check_unshuffled = Checker(
    "Exercise 2: function(picture, factor) -> list of factor * factor small pictures",
    unshuffled,
    [
        {"picture": _picture(rows * factor, columns * factor), "factor": factor}
        for factor in (2, 3, 1)
        for rows in (1, 2, 3)  # the first picture is small enough to be read in the verdict
        for columns in (2, 1, 3)
    ],
    {
        "Rows and columns are exchanged: the second small picture starts at pixel (0, 1).": (
            lambda picture, factor: [
                [row[j::factor] for row in picture[i::factor]]
                for j in range(factor)
                for i in range(factor)
            ]
        ),
        "Those are pieces of the picture. Each small one takes every factor-th pixel.": _tiles,
        "Those are the blocks. Each small picture takes one pixel of every block.": _blocks,
        "The first one is right. There is one small picture for each place in a block.": (
            lambda picture, factor: [[row[::factor] for row in picture[::factor]]]
        ),
    },
    fallback="Take the pixels of one small picture by hand: every factor-th row and column, "
    "from which start?",
)

check_icnr = Checker(
    "Exercise 3: function(filters, upscale_factor) -> list of all filters",
    icnr,
    [
        {"filters": _picture(count, channels), "upscale_factor": factor}
        for factor in (2, 3, 1)
        for count in (2, 1, 3)
        for channels in (2, 1, 3)
    ],
    {
        "The filters of one output channel stand together: first all copies of the first.": (
            lambda filters, upscale_factor: filters * upscale_factor**2
        ),
        "Repeat the filters, not the input channels inside each of them.": (
            lambda filters, upscale_factor: [
                [weight for weight in one for _ in range(upscale_factor**2)] for one in filters
            ]
        ),
        "A block has upscale_factor ** 2 sub-pixels, and each needs a filter.": (
            lambda filters, upscale_factor: [one for one in filters for _ in range(upscale_factor)]
        ),
    },
    fallback="Which channels come from one filter after the shuffle? They stand side by side.",
)

check_interleaved = Checker(
    "Exercise 4: function(kernels) -> list of weights",
    interleaved,
    [
        {"kernels": _picture(factor, kernel_size)}
        for factor in (2, 3, 4, 1)
        for kernel_size in (3, 1, 5, 2, 4)
    ],
    {
        "Flip each kernel: a transposed convolution writes where a convolution reads.": (
            lambda kernels: [kernel[tap] for tap in range(len(kernels[0])) for kernel in kernels]
        ),
        "Flip each kernel, not their order: the first weight belongs to the first kernel.": (
            lambda kernels: [
                kernel[tap]
                for tap in reversed(range(len(kernels[0])))
                for kernel in reversed(kernels)
            ]
        ),
        "Flipped, yes. Now interleave them: one weight of each kernel in turn.": (
            lambda kernels: [weight for kernel in kernels for weight in reversed(kernel)]
        ),
    },
    fallback="Let a single 1 go through the convolutions and the shuffle, and read off what "
    "it draws.",
)
