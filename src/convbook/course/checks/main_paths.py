"""Main paths that need a shortcut in chapter 7, and what is wrong with a shortcut."""

from itertools import product

import torch
from torch import nn

from convbook.course.checks.designs import Verdict

# Of the maps that come in: even and odd.
SIZES = [(61, 64), *[(n, n + 4) for n in range(13, 25)]]

RIGHT = Verdict("a shortcut that fits")
STRIDE = (
    "Rows and columns do not agree. The shortcut needs the stride of the whole main path, along "
    "each axis: strides that follow one another are multiplied, those of pools too."
)
CHANNELS = "The projection must make as many channels as the main path hands on at its end."
NEEDLESS = (
    "Here the main path keeps the shape of every map, however it gets there, so that x itself "
    "fits: nn.Identity()."
)
NEVER = (
    "No stride gives these sizes: the main path loses or adds pixels that a 1 × 1 keeps. Return "
    "'none'."
)
SOMETIMES = "It fits at some sizes only. Try maps with an odd number of rows and columns, too."
FITS = "A 1 × 1 convolution fits here, at every size. Which stride does it need?"
BROADCAST = (
    "The sum runs, because PyTorch stretches an axis of length 1, but the two shapes differ. "
    "Compare shapes, not whether there is an error."
)
KERNEL = "A shortcut need not look around: its kernel is 1 × 1."


class MainPath(nn.Sequential):
    """The layers of a block, shown as `main_paths[3]`, so that a reader can try them in a cell.

    Example:
        >>> main_paths[0], main_paths[0](torch.ones(1, 8, 5, 5)).shape
        (main_paths[0], torch.Size([1, 8, 5, 5]))
    """

    def __init__(self, number, channels, *layers):
        super().__init__(*layers)
        self.number, self.channels = number, channels

    def __repr__(self):
        return f"main_paths[{self.number}]"

    def __eq__(self, other):
        return isinstance(other, MainPath) and self.number == other.number

    def __hash__(self):
        return hash(self.number)


def _conv(c_in, c_out, kernel_size=3, stride=1, padding=1, **settings):
    """Return a convolution, with batch norm as in the chapter's block."""
    layer = nn.Conv2d(c_in, c_out, kernel_size, stride, padding, bias=False, **settings)
    return nn.Sequential(layer, nn.BatchNorm2d(c_out))


def _two(c_in, c_out, first=None, second=None):
    first = _conv(c_in, c_out, **(first or {}))
    return first, nn.ReLU(), _conv(c_out, c_out, **(second or {}))


# The channels that come in, and the layers.
_PATHS = [
    (8, _two(8, 8)),
    (8, _two(8, 16)),
    (8, _two(8, 16, {"stride": 2})),
    (8, _two(8, 8, {"stride": 2})),
    (6, _two(6, 6, second={"stride": 2})),
    (4, _two(4, 8, {"stride": 2}, {"stride": 2})),
    (8, _two(8, 8, {"padding": 0})),
    (8, _two(8, 8, {"padding": 0}, {"padding": 2})),
    (4, _two(4, 12, {"kernel_size": 5, "stride": 3, "padding": 2})),
    (8, _two(8, 8, {"padding": 2, "dilation": 2})),
    (8, _two(8, 16, {"padding": 0}, {"padding": 0})),
    (3, (_conv(3, 8, 7, 2, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1))),
    (8, (nn.MaxPool2d(2), *_two(8, 16))),
    (8, (nn.AvgPool2d(2, ceil_mode=True), *_two(8, 16))),
    (
        16,
        (_conv(16, 4, 1, 1, 0), nn.ReLU(), _conv(4, 4, 3, 2), nn.ReLU(), _conv(4, 16, 1, 1, 0)),
    ),
    (8, _two(8, 1)),
    (6, (*_two(6, 6), nn.AdaptiveAvgPool2d(1))),
    (5, _two(5, 10, {"stride": (2, 1)})),
    (5, _two(5, 5, {"stride": (1, 2)}, {"stride": (2, 1)})),
    (4, _two(4, 4, {"kernel_size": 4}, {"kernel_size": 4, "padding": 2})),
    (6, (nn.Conv2d(6, 6, 3, 2, 1, groups=6), _conv(6, 9, 1, 1, 0))),
    (8, _two(8, 8, {"padding": "same", "dilation": 3})),
    (8, (_conv(8, 8, 3, 2), nn.Upsample(scale_factor=2), _conv(8, 8))),
    (8, _two(8, 8, {"stride": 2, "padding": 0})),
    (4, (nn.ConvTranspose2d(4, 4, 2, 2), nn.ReLU(), _conv(4, 4, 3, 2))),
    (8, (_conv(8, 8, 1, 1, 1), nn.ReLU(), _conv(8, 8, 3, 1, 0))),
]
main_paths = [
    MainPath(number, channels, *layers) for number, (channels, layers) in enumerate(_PATHS)
]


def shortcut(main, channels):
    """Return what stands beside a main path, or 'none' if no 1 x 1 convolution fits always."""
    found = {_shape(main, channels, size) for size in SIZES}
    out = {shape[0] for shape in found}.pop()
    for stride in product(range(1, 7), repeat=2):
        if found == {_projected(size, out, stride) for size in SIZES}:
            same = (out, *stride) == (channels, 1, 1)
            return nn.Identity() if same else nn.Conv2d(channels, out, 1, stride, bias=False)
    return "none"


def _projected(size, channels, stride):
    return channels, *(-(-pixels // step) for pixels, step in zip(size, stride, strict=True))


@torch.no_grad()
def _shape(layers, channels, size):
    return tuple(layers(torch.zeros(2, channels, *size)).shape[1:])


def verdict(answer, main, channels):
    """Return what is wrong with a shortcut."""
    right = shortcut(main, channels)
    if isinstance(answer, str) and answer.strip().lower() == "none":
        return RIGHT if right == "none" else Verdict("'none', and one fits", FITS)
    if not isinstance(answer, nn.Module):
        return answer
    pairs = [(_shape(main, channels, n), _shape(answer, channels, n)) for n in SIZES]
    wrong = [pair for pair in pairs if pair[0] != pair[1]]
    if wrong:
        return _what_is_wrong(wrong, is_always=len(wrong) == len(pairs), never=right == "none")
    weights = sum(parameter.numel() for parameter in answer.parameters())
    if isinstance(right, nn.Identity):
        return Verdict("a projection where x itself fits", NEEDLESS) if weights else RIGHT
    out = pairs[0][0][0]
    most = channels * out + 3 * out  # a bias, and a batch norm
    return Verdict(f"a shortcut with {weights} weights", KERNEL) if weights > most else RIGHT


def _what_is_wrong(pairs, is_always, never):
    main, around = pairs[0]
    said = f"a shortcut that gives {_text(around)} where the main path gives {_text(main)}"
    if all(1 in (one, other) or one == other for one, other in zip(main, around, strict=True)):
        return Verdict(said, BROADCAST)
    if never:
        return Verdict(said, NEVER if is_always else SOMETIMES)
    return Verdict(said, CHANNELS if main[0] != around[0] else STRIDE)


def _text(shape):
    return " × ".join(map(str, shape))


# --------------------------------------------------------------- shortcuts that do not always fit


def _changed(change):
    """Return a wrong solution: the right shortcut where it is no projection, else a changed one."""

    def solution(main, channels):
        right = shortcut(main, channels)
        return change(right, main, channels) if isinstance(right, nn.Conv2d) else right

    return solution


def _at_one_size(main, channels):
    """Return what fits at 16 x 16, whether or not it fits at others."""
    shape = _shape(main, channels, (16, 16))
    for stride in product(range(1, 7), repeat=2):
        if shape == _projected((16, 16), shape[0], stride):
            same = shape == (channels, 16, 16)
            return nn.Identity() if same else nn.Conv2d(channels, shape[0], 1, stride)
    return "none"


def _by_the_sum(main, channels):
    x = torch.zeros(2, channels, 13, 16)
    try:
        main(x) + x
    except RuntimeError:
        return shortcut(main, channels)
    return nn.Identity()


MISTAKES = {
    STRIDE: _changed(lambda right, main, channels: nn.Conv2d(channels, right.out_channels, 1)),
    CHANNELS: _changed(
        lambda right, main, channels: nn.Conv2d(channels, channels, 1, right.stride)
    ),
    NEEDLESS: lambda main, channels: (
        nn.Conv2d(channels, channels, 1)
        if isinstance(right := shortcut(main, channels), nn.Identity)
        else right
    ),
    NEVER: lambda main, channels: (
        nn.Conv2d(channels, _shape(main, channels, (16, 16))[0], 1)
        if (right := shortcut(main, channels)) == "none"
        else right
    ),
    SOMETIMES: _at_one_size,
    FITS: lambda main, channels: (
        right if isinstance(right := shortcut(main, channels), nn.Identity) else "none"
    ),
    BROADCAST: _by_the_sum,
    KERNEL: _changed(
        lambda right, main, channels: nn.Conv2d(
            channels, right.out_channels, 3, right.stride, padding=1
        )
    ),
}
