"""What whole networks are made of: a convolution with norm and activation, a head, a shortcut."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn


def conv_block(
    in_channels: int,
    out_channels: int,
    kernel_size: int = 3,
    pool: bool = False,
    dilation: int = 1,
    groups: int = 1,
    activation: Callable[[], nn.Module] = nn.ReLU,
) -> nn.Sequential:
    """Return a convolution that keeps the size, a max-pool if wanted, batch norm, an activation.

    Batch norm and activation come after the pool: there they work on a quarter of the numbers.

    Shapes:
        `(N, C_in, H, W)` to `(N, C_out, H, W)`, or `(N, C_out, H // 2, W // 2)` with the pool.

    Args:
        in_channels: of the input.
        out_channels: filters.
        kernel_size: an odd number.
        pool: whether a max-pool halves the map.
        dilation: the distance between the kernel's taps.
        groups: as for `nn.Conv2d`.
        activation: the class of the last layer.

    Example:
        >>> [type(layer).__name__ for layer in conv_block(3, 8, pool=True)]
        ['Conv2d', 'MaxPool2d', 'BatchNorm2d', 'ReLU']

    Source: Ioffe and Szegedy, arXiv 1502.03167 (batch norm makes the bias needless).
    """
    padding = dilation * (kernel_size - 1) // 2
    conv = nn.Conv2d(
        in_channels, out_channels, kernel_size, 1, padding, dilation, groups, bias=False
    )
    pools = [nn.MaxPool2d(2)] if pool else []
    return nn.Sequential(conv, *pools, nn.BatchNorm2d(out_channels), activation())


def separable_block(
    in_channels: int,
    out_channels: int,
    dilation: int = 1,
    activation: Callable[[], nn.Module] = nn.ReLU,
) -> nn.Sequential:
    """Return a 3x3 depthwise and a 1x1 convolution, each with batch norm and an activation.

    Shapes:
        `(N, C_in, H, W)` to `(N, C_out, H, W)`.

    Args:
        in_channels: of the input.
        out_channels: filters of the 1x1 convolution.
        dilation: the distance between the taps of the depthwise kernels.
        activation: the class of the layer after each batch norm.

    Example:
        >>> sum(p.numel() for p in separable_block(16, 32).parameters() if p.ndim > 1)
        656

    Source: Howard et al., arXiv 1704.04861, section 3.1.
    """
    depthwise = conv_block(in_channels, in_channels, 3, False, dilation, in_channels, activation)
    pointwise = conv_block(in_channels, out_channels, kernel_size=1, activation=activation)
    return nn.Sequential(depthwise, pointwise)


def head(channels: int, classes: int) -> nn.Sequential:
    """Return global average pooling and a linear layer: a score for each class.

    Shapes:
        `(N, C, H, W)` to `(N, classes)`.

    Args:
        channels: of the last map.
        classes: how many scores.

    Example:
        >>> head(64, 10)[-1].in_features
        64

    Source: Lin et al., arXiv 1312.4400, section 3.2 (global average pooling).
    """
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


class Residual(nn.Module):
    """Layers with a shortcut around them: `x + layers(x)`.

    Shapes:
        The layers keep the shape `(N, C, H, W)`.

    Args:
        layers: called one after the other.

    Example:
        >>> import torch
        >>> Residual(nn.ReLU())(torch.tensor([-1.0, 2.0]))
        tensor([-1.,  4.])

    Source: He et al., arXiv 1512.03385, equation 1.
    """

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` and what the layers make of it, added."""
        return x + self.layers(x)
