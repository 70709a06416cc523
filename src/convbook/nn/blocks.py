"""What whole networks are made of: a convolution with norm and activation, a head, a shortcut."""

from torch import nn


def conv_block(
    in_channels, out_channels, kernel_size=3, pool=False, dilation=1, groups=1, activation=nn.ReLU
):
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
        groups: as in `nn.Conv2d`.
        activation: the class of the last layer.

    Example:
        >>> [type(layer).__name__ for layer in conv_block(3, 8, pool=True)]
        ['Conv2d', 'MaxPool2d', 'BatchNorm2d', 'ReLU']

    Source: Ioffe and Szegedy, arXiv 1502.03167 (batch norm makes the bias needless).
    """
    layers = [
        nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            padding=dilation * (kernel_size - 1) // 2,
            dilation=dilation,
            groups=groups,
            bias=False,
        )
    ]
    if pool:
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.BatchNorm2d(out_channels), activation())


def separable_block(in_channels, out_channels, dilation=1, activation=nn.ReLU):
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
    return nn.Sequential(
        conv_block(
            in_channels, in_channels, dilation=dilation, groups=in_channels, activation=activation
        ),
        conv_block(in_channels, out_channels, kernel_size=1, activation=activation),
    )


def head(channels, classes):
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

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        """Return `x` and what the layers make of it, added."""
        return x + self.layers(x)
