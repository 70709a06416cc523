"""The real photographs of the book: matplotlib's own sample images, so nothing is downloaded."""

import numpy as np
import torch
from matplotlib.cbook import get_sample_data
from PIL import Image
from torch import Tensor


def grace_hopper(size: int = 256) -> Tensor:
    """Return the portrait of Rear Admiral Grace Hopper, cropped to a square around her face.

    Shapes:
        returns `(1, 3, size, size)`, float32 in [0, 1], channels red, green, blue.

    Raises:
        ValueError: `size` is below 1.

    Example:
        >>> grace_hopper(64).shape
        torch.Size([1, 3, 64, 64])

    Source: United States Navy, public domain; shipped with matplotlib as `grace_hopper.jpg`.
    """
    if size < 1:
        raise ValueError(f"size={size} is not a picture; use size>=1, such as 256")
    with get_sample_data("grace_hopper.jpg") as file:
        photo = Image.open(file).convert("RGB")
    square = photo.crop((70, 20, 454, 404)).resize((size, size), Image.Resampling.LANCZOS)
    pixels = torch.from_numpy(np.array(square))  # (H, W, C)
    return pixels.permute(2, 0, 1)[None] / 255  # (1, C, H, W)
