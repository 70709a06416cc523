"""Whole networks: three answers to the final assignment.

`S7Fast` is made to learn in a minute, `S7Net` to be right, and `S7Tiny` to have few parameters.
`PRESETS` holds each with the settings that it was recorded with: `convbook train s7`.
"""

from collections import OrderedDict
from functools import partial
from typing import NamedTuple

from torch import nn

from convbook.train.config import TrainConfig


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


class S7Fast(nn.Sequential):
    """A network that learns fast: three quick halvings, most of the work on small maps.

    Shapes:
        `(N, 3, H, W)`, H and W at least 8, to `(N, classes)`.

    Args:
        classes: how many scores.

    Example:
        >>> sum(p.numel() for p in S7Fast().parameters())
        278442

    Source: chapter 13.
    """

    def __init__(self, classes=10):
        super().__init__(
            OrderedDict(
                c1=conv_block(3, 32, pool=True),  # (N, 32, H / 2, W / 2)
                c2=conv_block(32, 64, pool=True),  # (N, 64, H / 4, W / 4)
                c3=conv_block(64, 128, pool=True),  # (N, 128, H / 8, W / 8)
                c4=nn.Sequential(
                    Residual(conv_block(128, 128, dilation=2)),
                    separable_block(128, 256),
                ),  # (N, 256, H / 8, W / 8)
                head=head(256, classes),
            )
        )


def identity_start(model):
    """Let the first filters of each 3x3 convolution, or group, hand on its input.

    So a deep network begins as a shallow one: what a layer has not learnt to change, it passes on.
    Where a layer has more filters than inputs, the others stay random.

    Shapes:
        The model keeps its shapes; it is changed in place, and returned.

    Args:
        model: the `nn.Module`.

    Example:
        >>> layer = identity_start(nn.Conv2d(1, 2, 3))
        >>> layer.weight[0, 0].int().tolist()
        [[0, 0, 0], [0, 1, 0], [0, 0, 0]]

    Source: Jordan, arXiv 2404.00498, section 3.3.
    """
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3):
            for filters in layer.weight.data.chunk(layer.groups):
                # filters: (C_out / groups, C_in / groups, 3, 3)
                nn.init.dirac_(filters[: filters.shape[1]])
    return model


class S7Net(nn.Sequential):
    """A network to be right with, under a million parameters.

    All but one of its convolutions are dense, because processors do those fast; the last one is
    depthwise separable, where a dense one would cost a third of the parameters. The first layer is
    meant to be set by `whiten=True` in `TrainConfig`, and stays as it is.

    Shapes:
        `(N, 3, H, W)`, H and W at least 9, to `(N, classes)`.

    Args:
        classes: how many scores.

    Example:
        >>> sum(p.numel() for p in S7Net().parameters()) < 1_000_000
        True

    Source: chapter 13; its beginning after Jordan, arXiv 2404.00498, section 3.
    """

    def __init__(self, classes=10):
        block = partial(conv_block, activation=nn.GELU)
        super().__init__(
            OrderedDict(
                c1=nn.Sequential(
                    nn.Conv2d(3, 24, kernel_size=2),
                    nn.GELU(),
                    block(24, 64, pool=True),
                ),  # (N, 64, (H - 1) / 2, (W - 1) / 2)
                c2=nn.Sequential(block(64, 64), block(64, 128, pool=True)),
                c3=nn.Sequential(block(128, 128, dilation=2), block(128, 192, pool=True)),
                c4=nn.Sequential(
                    block(192, 192),
                    separable_block(192, 192, activation=nn.GELU),
                ),
                head=head(192, classes),
            )
        )
        identity_start(self)


class S7Tiny(nn.Sequential):
    """A network with few parameters: narrow maps, and one dense convolution only, the first.

    It pools late, so that the few weights are applied in many places.

    Shapes:
        `(N, 3, H, W)`, H and W at least 8, to `(N, classes)`.

    Args:
        classes: how many scores.

    Example:
        >>> sum(p.numel() for p in S7Tiny().parameters())
        11386

    Source: chapter 13.
    """

    def __init__(self, classes=10):
        block = partial(separable_block, activation=nn.SiLU)
        super().__init__(
            OrderedDict(
                c1=nn.Sequential(
                    conv_block(3, 16, activation=nn.SiLU),
                    Residual(block(16, 16)),
                    block(16, 24),
                    nn.MaxPool2d(2),
                ),  # (N, 24, H / 2, W / 2)
                c2=nn.Sequential(
                    block(24, 32),
                    Residual(block(32, 32)),
                    nn.MaxPool2d(2),
                ),  # (N, 32, H / 4, W / 4)
                c3=nn.Sequential(
                    block(32, 44),
                    Residual(block(44, 44, dilation=2)),
                    nn.MaxPool2d(2),
                ),  # (N, 44, H / 8, W / 8)
                c4=Residual(block(44, 44)),
                head=head(44, classes),
            )
        )


class Preset(NamedTuple):
    """A network, and the settings it is trained with."""

    network: type
    config: TrainConfig


PRESETS = {
    "fast": Preset(S7Fast, TrainConfig(epochs=5, max_lr=0.3, ema_warmup=False, shift=2)),
    "s7": Preset(
        S7Net,
        TrainConfig(
            epochs=40,
            max_lr=0.4,
            momentum=0.85,
            weight_decay=1.3e-3,
            warmup=0.2,
            label_smoothing=0.2,
            ema_decay=0.995,
            ema_warmup=False,
            shift=2,
            cutout=8,
            small_epochs=26,
            small_size=16,
            whiten=True,
        ),
    ),
    "tiny": Preset(
        S7Tiny,
        TrainConfig(
            epochs=80,
            batch_size=128,
            weight_decay=1e-4,
            warmup=0.2,
            label_smoothing=0.0,
            ema_decay=0.998,
            ema_warmup=False,
            shift=2,
            small_epochs=52,
            small_size=16,
        ),
    ),
}
