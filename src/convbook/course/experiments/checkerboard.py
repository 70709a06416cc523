"""Decoders that draw a picture from its thumbnail: what chapter 11 trains and compares.

They differ in one thing, how a map is doubled: by a transposed convolution whose kernel overlaps
unevenly (3) or evenly (4), or by resizing and then convolving. Pictures are `(N, 3, H, W)`, numbers
from -1 to 1.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convbook._checks.arguments import integer
from convbook.course.experiments._steps import train_steps
from convbook.nn import ResizeConv2d

FACTOR = 4  # how many times the decoder enlarges each side, in two steps of 2
BORDER = 4  # pixels of a drawn picture, on each side, that an end of the map may reach in a step


def double_3(in_channels, out_channels):
    """Return a transposed convolution with kernel 3 that doubles height and width."""
    return nn.ConvTranspose2d(in_channels, out_channels, 3, stride=2, padding=1, output_padding=1)


def double_4(in_channels, out_channels):
    """Return a transposed convolution with kernel 4 that doubles height and width."""
    return nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1)


def double_resized(in_channels, out_channels):
    """Return a layer that repeats each pixel 2 x 2 times, then convolves with kernel 3."""
    return ResizeConv2d(in_channels, out_channels, 3, scale_factor=2)


UPSAMPLERS = {"kernel 3": double_3, "kernel 4": double_4, "resize": double_resized}


def decoder(kind, width=16):
    """Return a network that enlarges a thumbnail four times: a 3 x 3 convolution, two doublings.

    Shapes:
        `(N, 3, H, W)` -> `(N, 3, 4*H, 4*W)`.

    Args:
        kind: a key of `UPSAMPLERS`: 'kernel 3', 'kernel 4' or 'resize'.
        width: channels of the maps in between, at least 1.

    Raises:
        ValueError: `kind` is unknown, or `width` is out of range.
        TypeError: `width` is not an integer.

    Example:
        >>> decoder("kernel 4")(torch.zeros(1, 3, 8, 8)).shape
        torch.Size([1, 3, 32, 32])

    Source: the decoders compared by Odena, Dumoulin and Olah, Distill 2016, made small.
    """
    if kind not in UPSAMPLERS:
        raise ValueError(f"kind={kind!r} is unknown; use {', '.join(map(repr, UPSAMPLERS))}")
    width = integer(width, "width", 1)
    double = UPSAMPLERS[kind]
    return nn.Sequential(
        nn.Conv2d(3, width, 3, padding=1),
        nn.ReLU(),
        double(width, width),
        nn.ReLU(),
        double(width, 3),
    )


def thumbnails(pictures):
    """Return pictures of a quarter of the size, each pixel the mean of 4 x 4.

    Shapes:
        `(N, C, H, W)` -> `(N, C, H/4, W/4)`.

    Example:
        >>> thumbnails(torch.ones(2, 3, 32, 32)).shape
        torch.Size([2, 3, 8, 8])
    """
    return F.avg_pool2d(pictures, FACTOR)


def train(model, pictures, steps, seed=0, batch_size=32, max_lr=0.01, after_step=None):
    """Train a decoder to draw pictures from their thumbnails; return the mean loss of the end.

    The loss is the mean squared error; Adam's learning rate falls to 0 along a cosine. The same
    seed shows every decoder the same pictures in the same order.

    Shapes:
        pictures `(N, 3, H, W)` -> the mean loss of the last tenth of the steps, a float.

    Args:
        model: trained in place.
        pictures: what to draw.
        steps: how many batches, at least 10.
        seed: chooses the batches.
        batch_size: pictures in a batch, drawn anew for each.
        max_lr: the learning rate of the first step.
        after_step: called with the number of steps taken, after each.

    Raises:
        ValueError: `steps` or `batch_size` is out of range.
        TypeError: `steps`, `seed` or `batch_size` is not an integer.

    Example:
        >>> train(decoder("resize", width=2), torch.zeros(8, 3, 16, 16), steps=200) < 0.01
        True
    """
    steps = integer(steps, "steps", 10)
    batch_size = integer(batch_size, "batch_size", 1)
    chooser = torch.Generator().manual_seed(integer(seed, "seed", 0))
    optimiser = torch.optim.Adam(model.parameters(), lr=max_lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    small = thumbnails(pictures)
    order = (torch.randint(len(pictures), (batch_size,), generator=chooser) for _ in range(steps))
    batches = ((small[some], pictures[some]) for some in order)
    losses = train_steps(model, batches, F.mse_loss, optimiser, schedule, after_step)
    end = losses[-(steps // 10) :]
    return sum(end) / len(end)


def drawings(kind, pictures, sample, steps=(0, 10, 40), seed=0):
    """Return what a decoder draws of a picture's thumbnail after so many steps of one training.

    Each drawing is stretched from its own darkest number, 0, to its brightest, 1.

    Shapes:
        pictures `(N, 3, H, W)`, sample `(3, H, W)` -> a list of `(3, H, W)`, one per step named.

    Raises:
        ValueError: `kind` is unknown, or the last step is below 10.

    Example:
        >>> pictures = torch.rand(8, 3, 16, 16)
        >>> [one.shape for one in drawings("resize", pictures, pictures[0], steps=(0, 10))]
        [torch.Size([3, 16, 16]), torch.Size([3, 16, 16])]
    """
    torch.manual_seed(seed)
    model, drawn = decoder(kind), []

    def look(step):
        if step in steps:
            with torch.no_grad():
                picture = model(thumbnails(sample[None]))[0]
            darkest = picture.min()
            drawn.append((picture - darkest) / (picture.max() - darkest))

    look(0)
    train(model, pictures, max(steps), seed, after_step=look)
    return drawn


def response_to_constant(model, greys):
    """Return what the decoder draws of evenly grey thumbnails, away from the borders.

    What differs there from pixel to pixel is the decoder's own pattern, since the thumbnail has
    none. It repeats every 4 pixels, because each of the two doublings treats even and odd pixels
    alike.

    Shapes:
        greys `(N,)` -> `(N, 3, 16, 16)`.

    Example:
        >>> response_to_constant(decoder("resize"), torch.zeros(2)).shape
        torch.Size([2, 3, 16, 16])
    """
    flat = greys[:, None, None, None].expand(-1, 3, 8, 8)
    with torch.no_grad():
        return model(flat)[..., 8:-8, 8:-8]


def checkerboard_std(model):
    """Return how unevenly a decoder draws even grey: the standard deviation inside a picture.

    It is the root of the variance between the 16 places of a 4 x 4 period (the phases), averaged
    over nine greys from -0.8 to 0.8 and over the channels. White and black are 2 apart.

    Shapes:
        A float: 0 for a decoder that draws grey as grey.

    Example:
        >>> checkerboard_std(decoder("resize").double()) < 1e-12
        True

    Source: chapter 11.
    """
    weight = next(model.parameters())
    drawn = response_to_constant(model, torch.linspace(-0.8, 0.8, 9, dtype=weight.dtype)).double()
    return drawn.var(dim=(-2, -1), correction=0).mean().sqrt().item()


def nyquist_power(pictures):
    """Return how much of the pictures' power alternates from one pixel to the next.

    That is the power at the highest frequency, half a cycle per pixel (Nyquist), down or across,
    divided by the power of all but the mean. A border of 4 pixels is left out.

    Shapes:
        pictures `(N, C, H, W)`, H and W even and at least 10 -> a float from 0 to 1.

    Example:
        >>> chequers = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(1, 1, 8, 8)
        >>> nyquist_power(chequers), round(nyquist_power(chequers.repeat_interleave(2, -1)), 6)
        (1.0, 1.0)

    Source: chapter 11.
    """
    inside = pictures[..., BORDER:-BORDER, BORDER:-BORDER].double()
    power = torch.fft.fft2(inside).abs().square().mean(dim=(0, 1))  # (H, W)
    power[0, 0] = 0  # the mean is no pattern
    down, across = (size // 2 for size in power.shape)
    alternating = power[down].sum() + power[:, across].sum() - power[down, across]
    return (alternating / power.sum()).item()


def measure(model: nn.Module, test: Tensor) -> dict:
    """Return the pattern's size on even grey and on real pictures, and the error on those.

    The keys are those of the recorded runs. `period` is a 4 x 4 period of the pattern on mid grey,
    in the first channel.
    """
    with torch.no_grad():
        drawn = model(thumbnails(test))
    period = response_to_constant(model, torch.zeros(1))[0, 0, :4, :4].tolist()
    return {
        "unevenness": round(checkerboard_std(model), 5),
        "nyquist_share": round(nyquist_power(drawn), 5),
        "error": round(F.mse_loss(drawn, test).item(), 5),
        "period": [[round(value, 4) for value in row] for row in period],
    }


def run(seed: int, kind: str, pictures: Tensor, test: Tensor, **settings) -> dict:
    """Train one decoder with one seed and return what is recorded of it, before and after.

    Args:
        seed: of the first weights and of the batches.
        kind: a key of `UPSAMPLERS`.
        pictures: `(N, 3, H, W)`, to train on.
        test: further pictures, to measure it by.
        settings: further arguments of `train`.
    """
    torch.manual_seed(seed)
    model = decoder(kind)
    before = measure(model, test)
    train(model, pictures, seed=seed, **settings)
    return {"seed": seed, "before": before, "after": measure(model, test)}
