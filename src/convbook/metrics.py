"""Metrics of image quality, PSNR and SSIM, for grey pictures from 0 to 1."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from convbook._checks.tensors import check_type

SIGMA, RADIUS = 1.5, 5  # of the Gaussian window of SSIM, in pixels
C1, C2 = 0.01**2, 0.03**2  # keep its two quotients finite where a window is black or flat


def psnr(image: Tensor, target: Tensor) -> float:
    """Return the peak signal-to-noise ratio in decibels: `10 * log10(1 / mean square error)`.

    Shapes:
        both `(N, 1, H, W)`, numbers from 0 to 1.

    Args:
        image: the picture to judge.
        target: what it should be.

    Example:
        >>> grey = torch.full((1, 1, 4, 4), 0.5)
        >>> round(psnr(grey + 0.1, grey), 3)
        20.0

    Source: Shi et al., arXiv 1609.05158, section 4.
    """
    _check_pictures(image, target)
    error = (image.double() - target.double()).square().mean().item()
    return -10 * math.log10(error) if error else math.inf


def ssim(image: Tensor, target: Tensor) -> float:
    """Return the structural similarity, the mean over all windows that fit: 1 for equal pictures.

    In a Gaussian window around each pixel the two are compared by mean, by contrast and by how they
    vary together.

    Shapes:
        both `(N, 1, H, W)`, numbers from 0 to 1, H and W at least 11.

    Args:
        image: the picture to judge.
        target: what it should be.

    Example:
        >>> ramp = torch.linspace(0, 1, 16).expand(1, 1, 16, 16)
        >>> ssim(ramp, ramp), ssim(ramp.flip(-1), ramp) < 0
        (1.0, True)

    Source: Wang, Bovik, Sheikh and Simoncelli, Image quality assessment, IEEE TIP 13(4), 2004.
    """
    _check_pictures(image, target)
    side = 2 * RADIUS + 1
    if min(image.shape[-2:]) < side:
        raise ValueError(
            f"image has {image.shape[-2]} x {image.shape[-1]} pixels, fewer than the window; "
            f"use {side} x {side} or more"
        )
    x, y = image.double(), target.double()
    mean_x, mean_y = _blur(x), _blur(y)
    var_x, var_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    means = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    return (means * (2 * covariance + C2) / (var_x + var_y + C2)).mean().item()


def _blur(x: Tensor) -> Tensor:
    """Return the means in a Gaussian window, where it fits: rows first, then columns."""
    steps = torch.arange(-RADIUS, RADIUS + 1, dtype=x.dtype, device=x.device)
    weights = torch.exp(-0.5 * (steps / SIGMA) ** 2)
    weights = (weights / weights.sum()).reshape(1, 1, 1, -1)
    return F.conv2d(F.conv2d(x, weights), weights.transpose(2, 3))


def _check_pictures(image: Tensor, target: Tensor) -> None:
    for name, picture in (("image", image), ("target", target)):
        check_type(picture, name)
    if image.shape != target.shape or image.ndim != 4 or image.shape[1] != 1:
        raise ValueError(
            f"image has shape {tuple(image.shape)} and target {tuple(target.shape)}; "
            "use one shape (N, 1, H, W) for both"
        )
