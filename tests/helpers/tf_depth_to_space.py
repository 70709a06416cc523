"""TensorFlow's depth_to_space and its inverse, by hand: what pixel shuffle is compared with."""

from itertools import product

import torch


def _cells(rows, cols, r, channels):
    """Pairs of cells, (h, w, channel) of the small maps and of the large ones, in NHWC."""
    for h, w, i, j, c in product(*map(range, (rows, cols, r, r, channels))):
        yield (h, w, (i * r + j) * channels + c), (h * r + i, w * r + j, c)


def depth_to_space(x, r):
    """Return (H, W, r*r*C) as (H*r, W*r, C): channel (i*r + j)*C + c fills sub-pixel (i, j)."""
    rows, cols, depth = x.shape
    y = torch.full((rows * r, cols * r, depth // r**2), -1)
    for small, large in _cells(rows, cols, r, depth // r**2):
        y[large] = x[small]
    return y


def space_to_depth(x, r):
    """Return (H*r, W*r, C) as (H, W, r*r*C): what `depth_to_space` undoes."""
    height, width, channels = x.shape
    y = torch.full((height // r, width // r, channels * r**2), -1)
    for small, large in _cells(height // r, width // r, r, channels):
        y[small] = x[large]
    return y
