"""Networks that enlarge a grey photograph: what chapter 12 trains and compares.

Most of them differ in their last layer only; one enlarges first. Pictures are `(N, 1, H, W)`,
numbers from 0 to 1; the small one is the mean of each r x r block of the large one.
"""

from functools import partial
from itertools import count

import torch
import torch.nn.functional as F
from torch import nn

from convbook._checks.arguments import integer
from convbook.arithmetic import same_padding
from convbook.course.experiments._steps import train_steps
from convbook.metrics import psnr, ssim
from convbook.nn import ResizeConv2d, SubPixelConv2d, icnr_

KERNEL = 3  # of the sub-pixel convolution; what has its weights has r * KERNEL taps on each axis
WIDTH = 16  # channels of the maps in between
BATCH, SIDE = 8, 12  # crops in a step, and pixels that count on a side of each small one
MARGIN = 4  # small pixels around those: what is drawn there depends on the padding
GREYS = (0, 0.25, 0.5, 0.75, 1)  # from black to white

# As nn.Conv2d draws its weights: ICNR shall change nothing but the repetition.
_as_conv2d = partial(nn.init.kaiming_uniform_, a=5**0.5)


def transposed(width, factor):
    """Return a transposed convolution that enlarges the map r times."""
    taps, crop = factor * KERNEL, factor * (KERNEL // 2)
    return nn.ConvTranspose2d(width, 1, taps, stride=factor, padding=crop, bias=False)


def shuffle(width, factor):
    """Return a convolution to r * r channels and a pixel shuffle."""
    return SubPixelConv2d(width, 1, KERNEL, factor, bias=False)


def shuffle_icnr(width, factor):
    """Return the same, started so that the r * r channels are equal."""
    layer = shuffle(width, factor)
    icnr_(layer.conv.weight, factor, _as_conv2d)
    return layer


def resize(width, factor):
    """Return a layer that repeats each pixel r x r times, then convolves the large map.

    It has as many weights as the layers above, and uses each of them r * r times as often.
    """
    before, after = same_padding(factor * KERNEL)
    return nn.Sequential(
        nn.Upsample(scale_factor=factor),
        nn.ZeroPad2d((before, after, before, after)),
        nn.Conv2d(width, 1, factor * KERNEL, bias=False),
    )


def resize_small(width, factor):
    """Return the same with a 3 x 3 kernel: the products of the first three, r * r fewer weights."""
    return ResizeConv2d(width, 1, KERNEL, factor, bias=False)


LAYERS = {
    "transposed": transposed,
    "shuffle": shuffle,
    "shuffle, ICNR": shuffle_icnr,
    "resize": resize,
    "resize, 3 × 3": resize_small,
}
ENLARGED_FIRST = "enlarged first"
KINDS = (*LAYERS, ENLARGED_FIRST)


def make_network(kind, factor, width=WIDTH):
    """Return a network that enlarges a picture.

    It has two convolutions with ReLU and a layer of `LAYERS`. With 'enlarged first', bicubic
    interpolation comes before three convolutions, and they are as narrow as they can be for as
    many products as 'shuffle' has, or a few more.

    Shapes:
        `(N, 1, H, W)` -> `(N, 1, r * H, r * W)`, where r is `factor`.

    Args:
        kind: one of `KINDS`.
        factor: r, at least 1.
        width: channels of the maps in between, at least 1.

    Raises:
        ValueError: `kind` is unknown, or a value is out of range.
        TypeError: a value is not an integer.

    Example:
        >>> make_network("shuffle", factor=3)(torch.zeros(1, 1, 8, 8)).shape
        torch.Size([1, 1, 24, 24])

    Source: the network of Shi et al., arXiv 1609.05158, section 3.1, made small.
    """
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r} is unknown; use {', '.join(map(repr, KINDS))}")
    factor, width = integer(factor, "factor", 1), integer(width, "width", 1)
    if kind == ENLARGED_FIRST:
        width = _width_of_equal_cost(width, factor)
        first = [nn.Upsample(scale_factor=factor, mode="bicubic")]
        last = nn.Conv2d(width, 1, KERNEL, padding=KERNEL // 2, bias=False)
    else:
        first, last = [], LAYERS[kind](width, factor)
    return nn.Sequential(
        *first,
        nn.Conv2d(1, width, 5, padding=2),
        nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1),
        nn.ReLU(),
        last,
    )


def _width_of_equal_cost(width, factor):
    """Return the smallest width at which three layers on the large map cost no less."""

    def products(channels, out):  # for each pixel: 5 x 5, 3 x 3 and 3 x 3
        return 25 * channels + 9 * channels**2 + KERNEL**2 * channels * out

    enough = products(width, factor**2)
    return next(w for w in count(1) if factor**2 * products(w, 1) >= enough)


def train(network, picture, factor, steps, seed=0, max_lr=4e-3, after_step=None):
    """Train a network to enlarge what has been made small, on random crops of one picture.

    Adam on the mean squared error inside each crop, where no padding is seen, with a learning rate
    that falls along a line. The crops depend on the seed alone, so that two networks see the same
    ones in the same order.

    Shapes:
        picture: `(1, 1, H, W)`, H and W at least 20 r.

    Args:
        network: changed in place.
        picture: what the crops are taken from.
        factor: r, at least 1.
        steps: how many, at least 1, of 8 crops each.
        seed: of the crops, at least 0.
        max_lr: the learning rate of the first step.
        after_step: called with the number of steps taken, after each.

    Raises:
        ValueError: a value is out of range, or the picture is too small.
        TypeError: a value is not an integer.

    Example:
        >>> network = make_network("shuffle", 2)
        >>> train(network, torch.rand(1, 1, 40, 40), factor=2, steps=1)

    Source: chapter 12.
    """
    factor, steps = integer(factor, "factor", 1), integer(steps, "steps", 1)
    crops = torch.Generator().manual_seed(integer(seed, "seed", 0))
    optimiser = torch.optim.Adam(network.parameters(), lr=max_lr)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1, 0.02, steps)
    pictures = (random_crops(picture, factor * (SIDE + 2 * MARGIN), crops) for _ in range(steps))
    batches = ((F.avg_pool2d(large, factor), large) for large in pictures)

    def loss(drawn, large):
        return F.mse_loss(inside(drawn, factor), inside(large, factor))

    train_steps(network, batches, loss, optimiser, schedule, after_step)


def inside(picture, factor):
    """Return a large picture without its border, 4 r pixels wide, where windows read padding.

    Example:
        >>> inside(torch.zeros(1, 1, 40, 40), factor=2).shape
        torch.Size([1, 1, 24, 24])
    """
    edge = MARGIN * factor
    return picture[..., edge:-edge, edge:-edge]


def random_crops(picture, side, generator):
    """Return eight random squares of a picture, one behind the other.

    Example:
        >>> random_crops(torch.zeros(1, 1, 9, 9), 4, torch.Generator()).shape
        torch.Size([8, 1, 4, 4])
    """
    spare = [size - side + 1 for size in picture.shape[-2:]]
    if min(spare) < 1:
        raise ValueError(
            f"picture has {picture.shape[-2]} x {picture.shape[-1]} pixels, but a crop has "
            f"{side} x {side}; use a larger picture or a smaller factor"
        )
    places = [torch.randint(end, (BATCH,), generator=generator).tolist() for end in spare]
    return torch.cat(
        [picture[..., y : y + side, x : x + side] for y, x in zip(*places, strict=True)]
    )


def upscale(network, small):
    """Return what the network draws, brought into 0 to 1, without a gradient.

    Example:
        >>> upscale(make_network("resize", 2), torch.zeros(1, 1, 4, 4)).shape
        torch.Size([1, 1, 8, 8])
    """
    with torch.no_grad():
        return network(small).clamp(0, 1)


def checkerboard_range(network, factor, greys=GREYS):
    """Return how far the pixels of a block lie apart when the input is a flat grey.

    Every sub-pixel then sees the same, and only a checkerboard makes them differ. Of all greys the
    largest range counts. One block is looked at, far from the borders; 0.01 is a
    hundredth of the way from black to white.

    Example:
        >>> torch.manual_seed(0) and checkerboard_range(make_network("shuffle, ICNR", 2), 2) < 1e-6
        True
    """
    weight = next(network.parameters())
    with torch.no_grad():
        greys = torch.tensor(greys, dtype=weight.dtype).reshape(-1, 1, 1, 1)
        drawn = network(greys.expand(-1, 1, 16, 16))
    blocks = drawn[..., 8 * factor : 9 * factor, 8 * factor : 9 * factor]
    return (blocks.amax((1, 2, 3)) - blocks.amin((1, 2, 3))).max().item()


def follow(seed, kind, factor, picture, test, moments):
    """Train one network; return what it does at each moment, and what it draws of `test` at last.

    The row holds the seed and three lists: `psnr` and `ssim` inside the picture, and `ripple`, the
    `checkerboard_range`.

    Args:
        seed: of the first weights and of the crops.
        kind: as for `make_network`.
        factor: r.
        picture: `(1, 1, H, W)`, to train on.
        test: another picture, to judge it by; H and W multiples of r.
        moments: the numbers of steps at which to look; the last is how many there are.

    Example:
        >>> row, drawn = follow(0, "shuffle", 2, *torch.rand(2, 1, 1, 40, 40), moments=(0, 1))
        >>> len(row["psnr"]), drawn.shape
        (2, torch.Size([1, 1, 40, 40]))
    """
    torch.manual_seed(seed)
    network = make_network(kind, factor)
    small, wanted = F.avg_pool2d(test, factor), inside(test, factor)
    row = {"seed": seed, "psnr": [], "ssim": [], "ripple": []}

    def look(step):
        if step in moments:
            drawn = inside(upscale(network, small), factor)
            row["psnr"].append(round(psnr(drawn, wanted), 3))
            row["ssim"].append(round(ssim(drawn, wanted), 4))
            row["ripple"].append(round(checkerboard_range(network, factor), 6))

    look(0)
    train(network, picture, factor, moments[-1], seed, after_step=look)
    return row, upscale(network, small)


def to_hex(image):
    """Return a grey picture as text, two hexadecimal digits for each pixel.

    Example:
        >>> to_hex(torch.tensor([[0, 1.0]]))
        '00ff'
    """
    levels = (image * 255).round().clamp(0, 255).byte()
    return bytes(levels.flatten().tolist()).hex()


def from_hex(text, width):
    """Return the picture `(H, width)` that `to_hex` wrote, numbers from 0 to 1.

    Example:
        >>> from_hex("00ff", width=2)
        tensor([[0., 1.]])
    """
    return torch.tensor(list(bytes.fromhex(text))).reshape(-1, width) / 255
