"""Filters for the first layer that need no training: they make the patches of pictures white."""

import torch
from torch import Tensor, nn

from convbook.train.augment import to_float

PICTURES = 5000  # enough: their patches are millions


def whiten(model: nn.Module, images: Tensor, epsilon: float = 5e-4) -> None:
    """Give a model's first convolution filters that whiten patches, and keep them as they are.

    Neighbours in a photograph are nearly equal, so a patch says the same thing several times. The
    filters turn patches into numbers that are uncorrelated and of equal size: the patches'
    principal components, each divided by its standard deviation, and their negatives, since a ReLU
    lets one sign through only. Where there is no room for all, the components that vary most go in;
    where there is more room, the other filters stay as they are, and are not trained either.

    Args:
        model: its first `nn.Conv2d` in the order of definition is changed.
        images: training pictures, uint8 `(N, C, H, W)`; the first 5,000 are looked at.
        epsilon: is added to each variance, so that noise is not blown up.

    Raises:
        ValueError: the model has no convolution, or its first one does not read the pictures.

    Example:
        >>> layer = nn.Conv2d(3, 24, 2)
        >>> whiten(layer, torch.randint(256, (8, 3, 32, 32)).byte())
        >>> layer.weight.requires_grad, torch.equal(layer.weight[:12], -layer.weight[12:])
        (False, True)

    Source: Page, How to Train Your ResNet 8, 2019; Jordan, arXiv 2404.00498, section 3.2.
    """
    first = next((layer for layer in model.modules() if isinstance(layer, nn.Conv2d)), None)
    if first is None:
        raise ValueError("whiten=True, but the network has no nn.Conv2d; use whiten=False")
    channels = images.shape[1]
    if first.in_channels != channels or first.groups != 1:
        raise ValueError(
            f"whiten=True, but the first nn.Conv2d is {first}, which does not read all {channels} "
            "channels of the pictures at once; use whiten=False"
        )
    k_h, k_w = first.kernel_size
    filters = whitening_filters(images[:PICTURES], (k_h, k_w), epsilon)
    filters = filters[: first.out_channels // 2]
    both = torch.cat([filters, -filters])  # (at most C_out, C, k_h, k_w)
    with torch.no_grad():
        first.weight[: len(both)] = both.to(first.weight)
    first.weight.requires_grad_(False)


def whitening_filters(images: Tensor, kernel_size: tuple[int, int], epsilon: float = 0.0) -> Tensor:
    """Return filters whose answers to patches are uncorrelated, those that vary most first.

    Shapes:
        `images` is uint8 `(N, C, H, W)`; the result is float64 `(C * k_h * k_w, C, k_h, k_w)`.

    Example:
        >>> whitening_filters(torch.randint(256, (8, 3, 32, 32)).byte(), (2, 2)).shape
        torch.Size([12, 3, 2, 2])

    Source: Jordan, arXiv 2404.00498, section 3.2.
    """
    k_h, k_w = kernel_size
    patches = to_float(images).unfold(2, k_h, 1).unfold(3, k_w, 1)  # (N, C, H_out, W_out, k_h, k_w)
    patches = patches.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(0, 2)  # (patches, C * k_h * k_w)
    variances, components = torch.linalg.eigh(torch.cov(patches.T).double())
    filters = (components / (variances + epsilon).sqrt()).T.flip(0)  # the largest variance first
    return filters.reshape(-1, images.shape[1], k_h, k_w)
