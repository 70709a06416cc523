"""Change pictures at random, each in its own way, all of a batch at once."""

from typing import NamedTuple

import torch
import torch.nn.functional as F

GROWTH = 8  # pixels: how much larger the pictures of the next stage are


class Moves(NamedTuple):
    """What happens to each picture: one number per picture, drawn on the CPU for a whole epoch.

    So the same seed gives the same pictures on every device and for any number of processes.
    """

    down: torch.Tensor
    right: torch.Tensor
    mirrored: torch.Tensor
    hole_row: torch.Tensor
    hole_column: torch.Tensor

    def __getitem__(self, index):
        return Moves(*(numbers[index] for numbers in tuple(self)))

    def to(self, device):
        """Return the moves on `device`."""
        return Moves(*(numbers.to(device) for numbers in tuple(self)))


def draw_moves(count, size, config, generator):
    """Return the moves for `count` pictures of `size` `(H, W)`."""

    def integers(low, high):
        return torch.randint(low, high + 1, (count,), generator=generator)

    height, width = size
    return Moves(
        integers(-config.shift, config.shift),
        integers(-config.shift, config.shift),
        integers(0, int(config.flip)).bool(),
        integers(0, height - 1),
        integers(0, width - 1),
    )


def augment(images, moves, cutout=0):
    """Return the pictures moved, mirrored and with a hole, as floats from -1 to 1.

    What moves in at one side is the mirror image of what is there.

    Shapes:
        `images` is uint8 `(N, C, H, W)`; so is the result, in float32.

    Args:
        images: the pictures.
        moves: one number per picture, see `Moves`; `mirrored` is bool.
        cutout: the side of the hole, in pixels; 0 is none.

    Example:
        >>> import torch
        >>> moves = Moves(*(torch.tensor([n]) for n in (0, 1, False, 0, 0)))
        >>> augment(torch.tensor([[[[0, 51, 255]]]]), moves)
        tensor([[[[-0.6000, -1.0000, -0.6000]]]])

    Source: DeVries and Taylor, arXiv 1708.04552 (cutout).
    """
    count, channels, height, width = images.shape
    rows = _places(height, moves.down, images.device)  # (N, H)
    columns = _places(width, moves.right, images.device)  # (N, W)
    mirrored = moves.mirrored.to(images.device)[:, None]
    columns = torch.where(mirrored, columns.flip(1), columns)
    # One look-up moves and mirrors, before the bytes become floats.
    pictures = torch.arange(count, device=images.device)[:, None, None, None]
    planes = torch.arange(channels, device=images.device)[:, None, None]
    x = images[pictures, planes, rows[:, None, :, None], columns[:, None, None, :]]  # (N, C, H, W)
    x = to_float(x)
    if not cutout:
        return x
    return x.masked_fill(_holes(moves, (height, width), cutout, images.device), 0)


def shrink(x, size):
    """Return pictures made smaller, each new pixel an average over the old ones around it.

    A network with global pooling takes them as they are, and 24 x 24 pixels cost 9/16 of the work.

    Shapes:
        `(N, C, H, W)` to `(N, C, size, size)`.

    Args:
        x: pictures as floats.
        size: the new side, in pixels.

    Example:
        >>> import torch
        >>> shrink(torch.ones(1, 3, 32, 32), 24).shape
        torch.Size([1, 3, 24, 24])

    Source: Tan and Le, arXiv 2104.00298, section 4 (small pictures first).
    """
    return F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)


def small_size(epoch, side, config):
    """Return the side that pictures are shrunk to in an epoch, or None where they stay as they are.

    The sides from `small_size` up, `GROWTH` apart and below the pictures' own, get equal shares of
    the first `small_epochs` epochs.

    Shapes:
        Numbers only.

    Args:
        epoch: which one, from 0.
        side: the shorter side of the pictures, in pixels.
        config: a `TrainConfig`.

    Example:
        >>> from convbook.train import TrainConfig
        >>> config = TrainConfig(small_epochs=4, small_size=16)
        >>> [small_size(epoch, 32, config) for epoch in range(5)]
        [16, 16, 24, 24, None]

    Source: Tan and Le, arXiv 2104.00298, section 4 (the size grows in stages).
    """
    if epoch >= config.small_epochs:
        return None
    sizes = range(config.small_size, side, GROWTH)
    return sizes[epoch * len(sizes) // config.small_epochs] if sizes else None


def to_float(images):
    """Return uint8 pictures as float32 from -1 to 1."""
    return images.float().div_(127.5).sub_(1)


def _places(size, moved, device):
    """Return which pixel stands at each place along an axis, reflected at the borders."""
    places = torch.arange(size, device=device) - moved.to(device)[:, None]  # (N, size)
    places = places.abs()
    return (size - 1) - ((size - 1) - places).abs()


def _holes(moves, size, cutout, device):
    """Return where the holes are, `(N, 1, H, W)`; a hole may reach over the border."""
    inside = []
    for length, middle in zip(size, (moves.hole_row, moves.hole_column), strict=True):
        offset = torch.arange(length, device=device) - middle.to(device)[:, None] + cutout // 2
        inside.append((offset >= 0) & (offset < cutout))
    return (inside[0][:, :, None] & inside[1][:, None, :])[:, None]
