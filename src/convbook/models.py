"""Whole networks: answers to the final assignment.

`S7Repaired` is the one that chapter 13 arrives at; `S7Fast` is made to learn in a minute, `S7Net`
to be right, and `S7Tiny` to have few parameters.
`convbook.train.presets` holds the settings that each was recorded with.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import TypeVar

from torch import nn

from convbook.nn.blocks import Residual, conv_block, head, separable_block

M = TypeVar("M", bound=nn.Module)


class S7Repaired(nn.Sequential):
    """The network that chapter 13 repairs, requirement by requirement: small, and nothing clever.

    Shapes:
        `(N, 3, H, W)`, H and W at least 8, to `(N, classes)`.

    Args:
        classes: how many scores.

    Example:
        >>> sum(p.numel() for p in S7Repaired().parameters())
        66138
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__(
            OrderedDict(
                c1=conv_block(3, 16),
                pool1=nn.MaxPool2d(2),  # (N, 16, H / 2, W / 2)
                c2=conv_block(16, 32),
                pool2=nn.MaxPool2d(2),  # (N, 32, H / 4, W / 4)
                c3=conv_block(32, 64, dilation=2),
                pool3=nn.MaxPool2d(2),  # (N, 64, H / 8, W / 8)
                c4=nn.Sequential(
                    conv_block(64, 64),
                    nn.Conv2d(64, 64, kernel_size=3, padding=1, groups=64, bias=False),
                    conv_block(64, 64, kernel_size=1),
                ),
                head=head(64, classes),
            )
        )


class S7Fast(nn.Sequential):
    """A network that learns fast: three quick halvings, most of the work on small maps.

    Shapes:
        `(N, 3, H, W)`, H and W at least 8, to `(N, classes)`.

    Args:
        classes: how many scores.

    Example:
        >>> sum(p.numel() for p in S7Fast().parameters())
        278442
    """

    def __init__(self, classes: int = 10) -> None:
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


def identity_start(model: M) -> M:
    """Let the first filters of each 3x3 convolution, or group, hand on its input.

    So a deep network begins as a shallow one: what a layer has not learnt to change, it passes on.
    Where a layer has more filters than inputs, the others stay random.

    Args:
        model: changed in place, and returned.

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

    Source: for its beginning, Jordan, arXiv 2404.00498, section 3.
    """

    def __init__(self, classes: int = 10) -> None:
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
    """

    def __init__(self, classes: int = 10) -> None:
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
