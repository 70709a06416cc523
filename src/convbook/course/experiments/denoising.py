"""A network that learns to see noise, which is what the epilogue's painter is made of."""

import torch
import torch.nn.functional as F

from convbook._checks.arguments import integer
from convbook.course import photographs
from convbook.course.experiments._steps import train_steps
from convbook.course.experiments.segmentation import SmallUNet

NOISE = 0.25  # its standard deviation; pictures go from 0 to 1
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "flower", "rocket")


def noisy_crops(steps, batch_size=16, side=32):
    """Yield batches of squares of five photographs with noise on them, and the noise alone.

    Shapes:
        pairs of `(batch_size, 3, side, side)`.

    Args:
        steps: how many batches.
        batch_size: squares in a batch.
        side: of a square, in pixels, a multiple of 8.

    Example:
        >>> ((noisy, noise),) = noisy_crops(1)
        >>> noisy.shape == noise.shape
        True
    """
    whole = torch.cat([getattr(photographs, name)(128) for name in PHOTOGRAPHS])
    for _ in range(steps):
        squares = torch.empty(batch_size, 3, side, side)
        for square in squares:
            top, left = torch.randint(len(whole[0, 0]) - side + 1, (2,)).tolist()
            which = torch.randint(len(whole), ()).item()
            square[:] = whole[which, :, top : top + side, left : left + side]
        noise = NOISE * torch.randn_like(squares)
        yield squares + noise, noise


def train_denoiser(steps=150, seed=0):
    """Return a small U-Net that has learnt to say which part of a picture is noise.

    Args:
        steps: of training, at least 2.
        seed: where the random numbers start.

    Raises:
        ValueError: a value is out of range.
        TypeError: a value is not an integer.

    Example:
        >>> network = train_denoiser(steps=2)
        >>> network(torch.rand(1, 3, 64, 64)).shape
        torch.Size([1, 3, 64, 64])

    Source: Ho, Jain and Abbeel, arXiv 2006.11239 (there: all amounts of noise, a larger U-Net).
    """
    steps, seed = integer(steps, "steps", 2), integer(seed, "seed", 0)
    torch.manual_seed(seed)
    network = SmallUNet()
    adam = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, max_lr=5e-3, total_steps=steps)
    train_steps(network, noisy_crops(steps), F.mse_loss, adam, schedule)
    return network.eval()
