"""The real photographs of the book, each a square: none is downloaded, none costs a dependency.

Where a picture comes from, its licence and its author stand in `pictures/README.md`. Those in
`pictures/` are stored without loss, so that every decoder of pictures gives the same digits.
"""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from matplotlib.cbook import get_sample_data
from PIL import Image, ImageOps
from torch import Tensor

from convbook._checks.arguments import integer

PICTURES = Path(__file__).parent / "pictures"


def astronaut(size: int = 256) -> Tensor:
    """Return the portrait of Eileen Collins, the first woman to command a space shuttle.

    Stripes of a flag, an orange suit, a round black helmet, a model of the shuttle.

    Shapes:
        returns `(1, 3, size, size)`, float32 in [0, 1], channels red, green, blue.

    Raises:
        TypeError, ValueError: `size` is no integer, or below 1.

    Example:
        >>> astronaut(64).shape
        torch.Size([1, 3, 64, 64])

    Source: NASA, public domain; the `astronaut` of scikit-image.
    """
    return _square(PICTURES / "astronaut.webp", size)


def chelsea(size: int = 256) -> Tensor:
    """Return the face of Chelsea, a cat: fur, whiskers, two eyes.

    Shapes, errors: as for `astronaut`.

    Example:
        >>> chelsea(64).shape
        torch.Size([1, 3, 64, 64])

    Source: Stéfan van der Walt, CC0; the `chelsea` of scikit-image.
    """
    return _square(PICTURES / "chelsea.webp", size)


def coffee(size: int = 256) -> Tensor:
    """Return a cup of espresso on a wooden table: ellipses, smooth porcelain, the grain of wood.

    Shapes, errors: as for `astronaut`.

    Example:
        >>> coffee(64).shape
        torch.Size([1, 3, 64, 64])

    Source: Rachel Michetti, courtesy of Pikolo Espresso Bar, CC0; the `coffee` of scikit-image.
    """
    return _square(PICTURES / "coffee.webp", size)


def flower(size: int = 256) -> Tensor:
    """Return an orange dahlia before dark green leaves: the only picture here that has much green.

    Shapes, errors: as for `astronaut`.

    Example:
        >>> red, green, blue = flower()[0, :, 150, 20]  # on the leaf
        >>> bool(green > red and green > blue)
        True

    Source: vultilion, https://www.flickr.com/photos/vultilion/6056698931/, CC BY 2.0; the
    `flower.jpg` of scikit-learn. Whoever shows it names the author and the licence.
    """
    return _square(PICTURES / "flower.webp", size)


def grace_hopper(size: int = 256) -> Tensor:
    """Return the portrait of Rear Admiral Grace Hopper, cropped to a square around her face.

    Shapes, errors: as for `astronaut`.

    Example:
        >>> grace_hopper(64).shape
        torch.Size([1, 3, 64, 64])

    Source: United States Navy, public domain; shipped with matplotlib as `grace_hopper.jpg`.
    """
    path = get_sample_data("grace_hopper.jpg", asfileobj=False)
    return _square(path, size, lambda photo: photo.crop((70, 20, 454, 404)))


def rocket(size: int = 256) -> Tensor:
    """Return a Falcon 9 at dusk: long vertical lines, lattice masts, bright lamps, a smooth sky.

    Shapes, errors: as for `astronaut`.

    Example:
        >>> rocket(64).shape
        torch.Size([1, 3, 64, 64])

    Source: SpaceX, public domain; the `rocket` of scikit-image.
    """
    return _square(PICTURES / "rocket.webp", size)


def open_photograph(file: str | Path | BinaryIO, size: int = 256) -> Tensor:
    """Return a photograph of your own, the largest square around its middle.

    Args:
        file: a path, or a file open for reading bytes; any format that Pillow reads.
        size: rows and columns of what is returned.

    Shapes:
        as for `astronaut`.

    Raises:
        TypeError, ValueError: `size` is no integer, or below 1.
        FileNotFoundError: there is no such file.
        ValueError: the file holds no picture that Pillow reads.

    Example:
        >>> open_photograph(PICTURES / "chelsea.webp", 64).equal(chelsea(64))
        True
    """
    try:
        return _square(file, size, _middle)
    except (Image.UnidentifiedImageError, Image.DecompressionBombError, SyntaxError) as error:
        name = getattr(file, "name", file)
        raise ValueError(
            f"file={str(name)!r} holds no picture that Pillow reads; save it as JPEG or PNG"
        ) from error


def _middle(photo: Image.Image) -> Image.Image:
    """Cut the largest square out of the middle of a photograph, held as the camera was."""
    photo = ImageOps.exif_transpose(photo)
    return ImageOps.fit(photo, (min(photo.size),) * 2)


def _square(
    file: str | Path | BinaryIO,
    size: int,
    crop: Callable[[Image.Image], Image.Image] = lambda photo: photo,
) -> Tensor:
    size = integer(size, "size", 1)
    with Image.open(file) as photo:
        square = crop(photo).convert("RGB").resize((size, size), Image.Resampling.LANCZOS)
    pixels = torch.from_numpy(np.array(square))  # (H, W, C)
    return pixels.permute(2, 0, 1)[None] / 255  # (1, C, H, W)
