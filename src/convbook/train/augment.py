"""Change pictures at random, each in its own way, all of a batch at once."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from convbook.train.config import TrainConfig

GROWTH = 8  # pixels: how much larger the pictures of the next stage are


class AugmentParams(NamedTuple):
    """What happens to each picture: one number per picture, drawn on the CPU for a whole epoch.

    So the same seed gives the same pictures on every device and for any number of processes.
    """

    down: Tensor
    right: Tensor
    mirrored: Tensor
    hole_row: Tensor
    hole_column: Tensor

    def take(self, index: Tensor) -> AugmentParams:
        """Return the numbers of some pictures."""
        return AugmentParams(*(numbers[index] for numbers in self))

    def to(self, device: str | torch.device) -> AugmentParams:
        """Return the numbers on `device`."""
        return AugmentParams(*(numbers.to(device) for numbers in self))


def sample_augment(
    count: int, size: tuple[int, int], config: TrainConfig, generator: torch.Generator
) -> AugmentParams:
    """Draw what happens to `count` pictures of `size` `(H, W)`."""

    def integers(low: int, high: int) -> Tensor:
        return torch.randint(low, high + 1, (count,), generator=generator)

    height, width = size
    return AugmentParams(
        integers(-config.shift, config.shift),
        integers(-config.shift, config.shift),
        integers(0, int(config.flip)).bool(),
        integers(0, height - 1),
        integers(0, width - 1),
    )


def augment(images: Tensor, params: AugmentParams, cutout: int = 0) -> Tensor:
    """Return the pictures translated, flipped and with a hole, as floats from -1 to 1.

    What moves in at one side is the mirror image of what is there.

    Args:
        images: uint8 `(N, C, H, W)`.
        params: one number per picture.
        cutout: the side of the hole, in pixels; 0 is none.

    Example:
        >>> import torch
        >>> params = AugmentParams(*(torch.tensor([n]) for n in (0, 1, False, 0, 0)))
        >>> augment(torch.tensor([[[[0, 51, 255]]]]), params)
        tensor([[[[-0.6000, -1.0000, -0.6000]]]])

    Source: DeVries and Taylor, arXiv 1708.04552 (cutout).
    """
    count, channels, height, width = images.shape
    rows = _places(height, params.down, images.device)  # (N, H)
    columns = _places(width, params.right, images.device)  # (N, W)
    mirrored = params.mirrored.to(images.device)[:, None]
    columns = torch.where(mirrored, columns.flip(1), columns)
    # One look-up translates and flips, before the bytes become floats.
    pictures = torch.arange(count, device=images.device)[:, None, None, None]
    planes = torch.arange(channels, device=images.device)[:, None, None]
    x = images[pictures, planes, rows[:, None, :, None], columns[:, None, None, :]]  # (N, C, H, W)
    x = to_float(x)
    if not cutout:
        return x
    return x.masked_fill(_holes(params, (height, width), cutout, images.device), 0)


def resize(x: Tensor, size: int) -> Tensor:
    """Return pictures of `size` x `size`, each new pixel an average over the old ones around it.

    A network with global pooling takes them as they are, and 24 x 24 pixels cost 9/16 of the work.

    Example:
        >>> import torch
        >>> resize(torch.ones(1, 3, 32, 32), 24).shape
        torch.Size([1, 3, 24, 24])

    Source: Tan and Le, arXiv 2104.00298, section 4 (small pictures first).
    """
    return F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)


def progressive_side(epoch: int, side: int, config: TrainConfig) -> int | None:
    """Return the side that pictures are resized to in an epoch, None where they stay as they are.

    The sides from `progressive_size` up, `GROWTH` apart and below the pictures' own, get equal
    shares of the first `progressive_epochs` epochs.

    Args:
        epoch: which one, from 0.
        side: the shorter side of the pictures, in pixels.
        config: the settings.

    Example:
        >>> from convbook.train import TrainConfig
        >>> config = TrainConfig(progressive_epochs=4, progressive_size=16)
        >>> [progressive_side(epoch, 32, config) for epoch in range(5)]
        [16, 16, 24, 24, None]

    Source: Tan and Le, arXiv 2104.00298, section 4 (the size grows in stages).
    """
    if epoch >= config.progressive_epochs:
        return None
    sizes = range(config.progressive_size, side, GROWTH)
    return sizes[epoch * len(sizes) // config.progressive_epochs] if sizes else None


def to_float(images: Tensor) -> Tensor:
    """Return uint8 pictures as float32 from -1 to 1."""
    return images.float().div_(127.5).sub_(1)


def _places(size: int, moved: Tensor, device: torch.device) -> Tensor:
    """Return which pixel stands at each place along an axis, reflected at the borders."""
    places = torch.arange(size, device=device) - moved.to(device)[:, None]  # (N, size)
    places = places.abs()
    return (size - 1) - ((size - 1) - places).abs()


def _holes(
    params: AugmentParams, size: tuple[int, int], cutout: int, device: torch.device
) -> Tensor:
    """Return where the holes are, `(N, 1, H, W)`; a hole may reach over the border."""
    inside = []
    for length, middle in zip(size, (params.hole_row, params.hole_column), strict=True):
        offset = torch.arange(length, device=device) - middle.to(device)[:, None] + cutout // 2
        inside.append((offset >= 0) & (offset < cutout))
    return (inside[0][:, :, None] & inside[1][:, None, :])[:, None]
