"""What a loss sees: random filters and Gram matrices, what they paint, and what they make sharp.

Nothing here has been trained to see. Pictures are `(N, C, H, W)`, numbers from 0 to 1. Filters pad
circularly, so that every pixel counts alike.
"""

from collections.abc import Callable
from math import tau

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convbook._checks.arguments import integer
from convbook.course.experiments._steps import train_steps
from convbook.course.experiments.super_resolution import make_network, random_crops
from convbook.nn import ResizeConv2d

SCALES = (1, 2, 4)  # how many times the picture is made smaller before the filters look at it

# ----------------------------------------------------------------------------------- textures


def _mesh(size):
    steps = torch.arange(size, dtype=torch.float64)
    return torch.meshgrid(steps, steps, indexing="ij")


def _mix(share, first, second):
    """Return a picture between two colours, `(1, 3, H, W)`."""
    first, second = (torch.tensor(c).double().reshape(1, 3, 1, 1) for c in (first, second))
    return first + share * (second - first)


def waves(size: int = 96, seed: int = 0) -> Tensor:
    """Return strokes of yellow on blue that run aslant in waves, with a little noise.

    Example:
        >>> waves(32).shape
        torch.Size([1, 3, 32, 32])
    """
    y, x = _mesh(integer(size, "size", 1))
    share = ((x + y) / 3 + 2 * torch.sin((x - y) / 11)).sin() / 2 + 0.5
    drawn = _mix(share, [0.05, 0.1, 0.45], [0.95, 0.75, 0.1])
    noise = torch.Generator().manual_seed(seed)
    return (drawn + 0.08 * torch.randn(drawn.shape, generator=noise).double()).clamp(0, 1)


def dots(size: int = 96, seed: int = 0) -> Tensor:
    """Return red dots on cream, one in each square of 8 x 8, a little off its middle.

    Example:
        >>> dots(32).shape
        torch.Size([1, 3, 32, 32])
    """
    y, x = _mesh(integer(size, "size", 1))
    side, places = 8, torch.Generator().manual_seed(seed)
    squares = -(-size // side)
    off = 3 * torch.rand(2, squares, squares, generator=places).double() - 1.5
    off = off.repeat_interleave(side, 1).repeat_interleave(side, 2)[:, :size, :size]
    from_middle = (y % side - 4 - off[0]).square() + (x % side - 4 - off[1]).square()
    return _mix((from_middle < 2.6**2).double(), [0.93, 0.9, 0.8], [0.75, 0.1, 0.15])


def weave(size: int = 96) -> Tensor:
    """Return a basket: bundles of four canes across, then four down.

    Example:
        >>> weave(32).shape
        torch.Size([1, 3, 32, 32])
    """
    y, x = _mesh(integer(size, "size", 1))
    down = (x % 16 < 8) ^ (y % 16 < 8)
    share = torch.where(down, (x * tau / 4).sin(), (y * tau / 4).sin()) * 0.35 + 0.5
    return _mix(share, [0.25, 0.12, 0.05], [0.95, 0.8, 0.5])


# ------------------------------------------------------------------------------------- looking


def filters(size: int = 7, count: int = 32, channels: int = 3, seed: int = 0) -> Tensor:
    """Return random filters of norm 1; the weights of each kernel add up to 0.

    Shapes:
        `(count, channels, size, size)`, float64. One of 1 x 1 keeps its sum, or nothing would be
        left of it.

    Raises:
        ValueError: `size` is even, or a value is out of range.

    Example:
        >>> filters(5, count=8, channels=1).shape
        torch.Size([8, 1, 5, 5])
    """
    size = integer(size, "size", 1)
    if size % 2 == 0:
        raise ValueError(f"size={size} has no middle; use an odd number")
    generator = torch.Generator().manual_seed(seed)
    bank = torch.randn(count, channels, size, size, generator=generator).double()
    if size > 1:
        bank = bank - bank.mean(dim=(2, 3), keepdim=True)
    return bank / bank.flatten(1).norm(dim=1)[:, None, None, None]


def look(picture: Tensor, bank: Tensor, scales: tuple = SCALES) -> list[Tensor]:
    """Return what the filters find, at several scales.

    The weights of a filter add up to 0, so it sees no flat colour: of a picture in colour, its own
    three maps are added.

    Shapes:
        `(N, 3, H, W)` to one `(N, count + 3, H/s, W/s)` for each scale s, `(N, 1, H, W)` to one
        `(N, count, H/s, W/s)`.

    Example:
        >>> [tuple(maps.shape) for maps in look(torch.rand(1, 3, 32, 32), filters().float())]
        [(1, 35, 32, 32), (1, 35, 16, 16), (1, 35, 8, 8)]
    """
    margin = (bank.shape[-1] // 2,) * 4
    seen = []
    for scale in scales:
        small = F.avg_pool2d(picture, scale)
        padded = F.pad(small, margin, mode="circular")
        found = F.relu(F.conv2d(padded, bank.to(padded)))
        seen.append(torch.cat([found, small], dim=1) if small.shape[1] == 3 else found)
    return seen


def gram(maps: Tensor) -> Tensor:
    """Return how strongly each two maps light up together: the mean product, pixel by pixel.

    Shapes:
        `(N, C, H, W)` to `(N, C, C)`.

    Example:
        >>> gram(torch.tensor([[[[1.0, 2]], [[3, 0]]]]))
        tensor([[[2.5000, 1.5000],
                 [1.5000, 4.5000]]])

    Source: Gatys, Ecker and Bethge, arXiv 1505.07376; the divisor is the number of pixels here.
    """
    rows = maps.flatten(2)
    return rows @ rows.mT / rows.shape[-1]


def gram_loss(drawn: Tensor, target: Tensor, bank: Tensor, scales: tuple = SCALES) -> Tensor:
    """Return how far the Gram matrices lie apart: squares, as a share of the target's own.

    One number for all pictures, added up over the scales.

    Example:
        >>> picture = waves(32)
        >>> gram_loss(picture, picture.flip(0), filters()).item()
        0.0
    """
    pairs = zip(look(drawn, bank, scales), look(target, bank, scales), strict=True)
    grams = [(gram(a), gram(b)) for a, b in pairs]
    return sum((a - b).square().sum() / b.square().sum() for a, b in grams)


def content_loss(drawn: Tensor, target: Tensor, bank: Tensor, scales: tuple = SCALES) -> Tensor:
    """Return how far the maps themselves lie apart, place by place: squares, as a share.

    Example:
        >>> picture = waves(32)
        >>> content_loss(picture, picture, filters()).item()
        0.0

    Source: Johnson, Alahi and Fei-Fei, arXiv 1603.08155, section 3.2 (feature reconstruction).
    """
    pairs = zip(look(drawn, bank, scales), look(target, bank, scales), strict=True)
    return sum((a - b).square().mean() / b.square().mean() for a, b in pairs)


def paint(start: Tensor, loss: Callable[[Tensor], Tensor], steps: int) -> Tensor:
    """Return the picture that comes of `start` when its pixels walk downhill on `loss`.

    Args:
        start: left as it is.
        loss: takes a picture, returns one number.
        steps: of L-BFGS, at least 1; each looks at the loss once or a few times.

    Example:
        >>> grey = torch.full((1, 1, 2, 2), 0.5)
        >>> paint(grey, lambda x: (x - 0.25).square().sum(), steps=5)[0, 0, 0].round(decimals=4)
        tensor([0.2500, 0.2500])
    """
    picture = start.detach().clone(memory_format=torch.contiguous_format).requires_grad_()
    optimiser = torch.optim.LBFGS(
        [picture],
        max_iter=steps,
        max_eval=9 * steps,
        history_size=10,
        line_search_fn="strong_wolfe",
    )

    def closure():
        optimiser.zero_grad()
        error = 1000 * loss(picture)  # or L-BFGS takes it for small enough, and stops
        error.backward()
        return error

    optimiser.step(closure)
    return picture.detach().clamp(0, 1)


# ---------------------------------------------------------------------------- super-resolution

FACTOR = 3  # how many times each side is enlarged
SIDE = 16  # pixels on a side of a small crop
NETWORKS = ("shuffle, ICNR", "resize")
# (weight of the Gram term, weight of the content term), beside squared error
LOSSES = {
    "squared error": (0, 0),
    "+ a little Gram": (0.03, 0),
    "+ much Gram": (0.2, 0),
    "+ content": (0, 1),
}


def upscaler(kind: str, seed: int = 0) -> nn.Sequential:
    """Return a network of chapter 12 that enlarges a grey picture three times.

    'shuffle, ICNR' ends with a convolution and a pixel shuffle, 'resize' repeats each pixel and
    convolves with 3 x 3, which costs as many multiplications.

    Raises:
        ValueError: `kind` is unknown.

    Example:
        >>> upscaler("resize")(torch.zeros(1, 1, 4, 4)).shape
        torch.Size([1, 1, 12, 12])
    """
    if kind not in NETWORKS:
        raise ValueError(f"kind={kind!r} is unknown; use {' or '.join(map(repr, NETWORKS))}")
    torch.manual_seed(seed)
    network = make_network("shuffle, ICNR", FACTOR)
    if kind == "resize":
        network[-1] = ResizeConv2d(16, 1, 3, FACTOR, bias=False)
    return network


def mixed_loss(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a loss of `LOSSES` as a function of what was drawn and what should have been."""
    for_gram, for_content = LOSSES[name]
    bank = filters(5, count=48, channels=1).float()

    def loss(drawn, target):
        error = F.mse_loss(drawn, target)
        if for_gram:
            error = error + for_gram * gram_loss(drawn, target, bank, (1, 2))
        if for_content:
            error = error + for_content * content_loss(drawn, target, bank, (1, 2))
        return error

    return loss


def train_upscaler(network, picture, loss, steps, seed=0, max_lr=4e-3):
    """Train a network to enlarge crops of a picture that were made small, by any loss.

    As in chapter 12: Adam, a rate that falls along a line, the same crops for the same seed.

    Shapes:
        picture: `(1, 1, H, W)`, H and W at least 48.

    Example:
        >>> loss = mixed_loss("+ a little Gram")
        >>> train_upscaler(upscaler("resize"), torch.rand(1, 1, 64, 64), loss, steps=1)
    """
    side = SIDE * FACTOR
    places = torch.Generator().manual_seed(seed)
    pictures = (random_crops(picture, side, places) for _ in range(steps))
    batches = ((F.avg_pool2d(large, FACTOR), large) for large in pictures)
    optimiser = torch.optim.Adam(network.parameters(), lr=max_lr)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1, 0.02, steps)
    train_steps(network, batches, loss, optimiser, schedule)


def sharpness(picture: Tensor) -> float:
    """Return the mean absolute Laplacian: 4 times how far a pixel lies from its neighbours' mean.

    Example:
        >>> sharpness(torch.eye(3)[None, None])
        4.0
    """
    middle = picture[..., 1:-1, 1:-1]
    rows = picture[..., :-2, 1:-1] + picture[..., 2:, 1:-1]
    columns = picture[..., 1:-1, :-2] + picture[..., 1:-1, 2:]
    return (4 * middle - rows - columns).abs().mean().item()
