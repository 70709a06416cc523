"""Networks that enlarge a grey photograph: what chapter 12 trains and compares.

They differ in their last layer only, and it has as many weights in each. Pictures are
`(N, 1, H, W)`, numbers from 0 to 1; the small one is the mean of each r x r block of the large one.
"""

import time
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convbook._checks.arguments import integer
from convbook.arithmetic import same_padding
from convbook.course.experiments._steps import train_steps
from convbook.metrics import psnr, ssim
from convbook.nn import SubPixelConv2d, icnr_
from convbook.nn.blocks import conv_block, head

KERNEL = 3  # of the sub-pixel convolution; the other layers have r * KERNEL taps on each axis
BATCH, SIDE = 8, 16  # crops in a step, and pixels on a side of each small one

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
    """Return a layer that repeats each pixel r x r times, then convolves the large map."""
    before, after = same_padding(factor * KERNEL)
    return nn.Sequential(
        nn.Upsample(scale_factor=factor),
        nn.ZeroPad2d((before, after, before, after)),
        nn.Conv2d(width, 1, factor * KERNEL, bias=False),
    )


LAYERS = {
    "transposed": transposed,
    "shuffle": shuffle,
    "shuffle, ICNR": shuffle_icnr,
    "resize": resize,
}


def make_network(kind, factor, width=16):
    """Return a network that enlarges a picture: two convolutions with ReLU, and the layer to judge.

    Shapes:
        `(N, 1, H, W)` -> `(N, 1, r * H, r * W)`, where r is `factor`.

    Args:
        kind: a key of `LAYERS`: 'transposed', 'shuffle', 'shuffle, ICNR' or 'resize'.
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
    if kind not in LAYERS:
        raise ValueError(f"kind={kind!r} is unknown; use {', '.join(map(repr, LAYERS))}")
    factor, width = integer(factor, "factor", 1), integer(width, "width", 1)
    return nn.Sequential(
        nn.Conv2d(1, width, 5, padding=2),
        nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1),
        nn.ReLU(),
        LAYERS[kind](width, factor),
    )


def train(network, picture, factor, steps, seed=0, loss=F.mse_loss, max_lr=4e-3):
    """Train a network to enlarge what has been made small, on random crops of one picture.

    Adam, with a learning rate that falls along a line. The crops depend on the seed alone, so that
    two networks see the same ones in the same order.

    Shapes:
        picture: `(1, 1, H, W)`, H and W at least 16 r.

    Args:
        network: changed in place.
        picture: what the crops are taken from.
        factor: r, at least 1.
        steps: how many, at least 1, of 8 crops each.
        seed: of the crops, at least 0.
        loss: called with what the network drew and with what it should have drawn.
        max_lr: the learning rate of the first step.

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
    pictures = (_crops(picture, factor * SIDE, crops) for _ in range(steps))
    batches = ((F.avg_pool2d(large, factor), large) for large in pictures)
    train_steps(network, batches, loss, optimiser, schedule)


def _crops(picture, side, generator):
    """Return random squares of a picture, one behind the other."""
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


def shape_classifier():
    """Return a small classifier for the book's shapes, whose first layers `PerceptualLoss` takes.

    Shapes:
        `(N, 3, H, W)`, numbers from -1 to 1, H and W at least 4, to `(N, 10)`.

    Example:
        >>> shape_classifier()(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])

    Source: chapter 12.
    """
    return nn.Sequential(
        conv_block(3, 8), conv_block(8, 16, pool=True), conv_block(16, 32, pool=True), head(32, 10)
    )


class PerceptualLoss(nn.Module):
    """Compare two grey pictures by the maps that a classifier makes of them.

    At each depth the mean square difference of the maps is divided by their mean square, so that
    all depths count alike; the loss is their mean. The classifier stays as it is.

    Shapes:
        both pictures `(N, 1, H, W)`, numbers from 0 to 1, to a single number.

    Args:
        classifier: an `nn.Sequential` that takes `(N, 3, H, W)`, numbers from -1 to 1.
        depth: how many of its parts to look at, one after the other, at least 1.

    Raises:
        ValueError: the classifier has fewer parts.

    Example:
        >>> loss = PerceptualLoss(shape_classifier())
        >>> picture = torch.rand(1, 1, 16, 16)
        >>> loss(picture, picture).item()
        0.0

    Source: Johnson, Alahi and Fei-Fei, arXiv 1603.08155, section 3.2 (feature reconstruction).
    """

    def __init__(self, classifier, depth=2):
        super().__init__()
        if not 1 <= depth <= len(classifier):
            raise ValueError(
                f"depth={depth} is out of range; the classifier has {len(classifier)} parts, "
                f"use 1 to {len(classifier)}"
            )
        self.stages = nn.ModuleList(classifier[:depth]).eval().requires_grad_(False)

    def train(self, mode=True):
        """Leave the batch norms of the classifier fixed, whatever the mode."""
        return super().train(False)

    def maps(self, picture):
        """Return the maps after each stage."""
        x, found = picture.expand(-1, 3, -1, -1) * 2 - 1, []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found

    def forward(self, picture, target):
        """Return the loss."""
        pairs = zip(self.maps(picture), self.maps(target), strict=True)
        errors = [(a - b).square().mean() / b.square().mean() for a, b in pairs]
        return sum(errors) / len(errors)


def upscale(network, small):
    """Return what the network draws, brought into 0 to 1, without a gradient.

    Example:
        >>> upscale(make_network("resize", 2), torch.zeros(1, 1, 4, 4)).shape
        torch.Size([1, 1, 8, 8])
    """
    with torch.no_grad():
        return network(small).clamp(0, 1)


def checkerboard_range(network, factor):
    """Return how far the pixels of a block lie apart when the input is even grey.

    Every sub-pixel then sees the same, and only a checkerboard makes them differ. One block is
    looked at, far from the borders; 0.01 is a hundredth of the way from black to white.

    Example:
        >>> torch.manual_seed(0) and checkerboard_range(make_network("shuffle, ICNR", 2), 2) < 1e-6
        True
    """
    weight = next(network.parameters())
    with torch.no_grad():
        drawn = network(torch.full((1, 1, 16, 16), 0.5, dtype=weight.dtype))
    block = drawn[..., 8 * factor : 9 * factor, 8 * factor : 9 * factor]
    return (block.max() - block.min()).item()


def judge(drawn: Tensor, target: Tensor) -> dict:
    """Return PSNR and SSIM, rounded as they are recorded."""
    return {"psnr": round(psnr(drawn, target), 3), "ssim": round(ssim(drawn, target), 4)}


def run(
    seed: int,
    make: Callable[[], nn.Module],
    factor: int,
    picture: Tensor,
    test: Tensor,
    steps: int,
    loss: Callable[[Tensor, Tensor], Tensor] = F.mse_loss,
) -> tuple[dict, Tensor]:
    """Train one network with one seed; return what is recorded of it, and what it drew of `test`.

    `ripple` is `checkerboard_range` before and after.

    Args:
        seed: of the first weights and of the crops.
        make: returns the network, such as `partial(make_network, "shuffle", 2)`.
        factor: r, as that of the network.
        picture: `(1, 1, H, W)`, to train on.
        test: another picture, to judge it by; H and W multiples of r.
        steps: how many.
        loss: as for `train`.
    """
    torch.manual_seed(seed)
    network = make()
    at_first = checkerboard_range(network, factor)
    start = time.perf_counter()
    train(network, picture, factor, steps, seed, loss)
    seconds = time.perf_counter() - start
    drawn = upscale(network, F.avg_pool2d(test, factor))
    row = {
        "seed": seed,
        **judge(drawn, test),
        "ripple": [round(at_first, 5), round(checkerboard_range(network, factor), 5)],
        "seconds": round(seconds, 1),
    }
    return row, drawn


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
