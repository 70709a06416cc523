"""PSNR and SSIM are scikit-image's, and say why where they refuse."""

import math

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from convbook.metrics import psnr, ssim

# The settings of the paper; scikit-image cuts this Gaussian off after 5 pixels, too.
PAPERS = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1}
SIZES = [(11, 11), (20, 17), (12, 40)]


def pictures(size, noise):
    """Return grey pictures (2, H, W) and what noise makes of them."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[: size[0], : size[1]]
    targets = np.stack([np.sin(x / 3) * np.cos(y / 2), random.random(size)]) / 2 + 0.5
    return np.clip(targets + noise * random.standard_normal(targets.shape), 0, 1), targets


@pytest.mark.parametrize("noise", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("size", SIZES)
def test_they_are_scikit_images(size, noise):
    images, targets = pictures(size, noise)
    tensors = [torch.tensor(x)[:, None] for x in (images, targets)]
    expected = peak_signal_noise_ratio(targets, images, data_range=1)
    assert psnr(*tensors) == pytest.approx(expected, abs=1e-10)
    each = [structural_similarity(x, y, **PAPERS) for x, y in zip(images, targets, strict=True)]
    assert 0 < np.mean(each) < 0.999
    assert ssim(*tensors) == pytest.approx(np.mean(each), abs=1e-12)


def test_known_errors():
    grey = torch.full((1, 1, 3, 3), 0.25).double()
    assert psnr(grey + 0.01, grey) == pytest.approx(40)
    assert psnr(grey - 0.1, grey) == pytest.approx(20)
    assert psnr(grey, grey) == math.inf


@pytest.mark.parametrize("measure", [psnr, ssim])
def test_refusals(measure):
    grey = torch.zeros(1, 1, 12, 12)
    with pytest.raises(ValueError, match=r"image has shape \(1, 3, 12, 12\)"):
        measure(grey.expand(1, 3, 12, 12), grey.expand(1, 3, 12, 12))
    with pytest.raises(ValueError, match=r"target \(1, 1, 12, 11\)"):
        measure(grey, grey[..., :11])
    with pytest.raises(TypeError, match="image"):
        measure([[0]], grey)


def test_ssim_needs_a_window():
    with pytest.raises(ValueError, match="10 x 12"):
        ssim(torch.zeros(1, 1, 10, 12), torch.zeros(1, 1, 10, 12))
