"""The networks that the book draws: name -> (model, input size, what stands in its pills)."""

import torch
import torch.nn.functional as F
from torch import nn

from convbook.models import S7Fast, S7Net, S7Tiny
from convbook.nn import BottleneckBlock, ChannelShuffle, ResidualBlock, ResNeXtBlock
from tests.helpers.networks import Net, conv


def _norm_relu(channels):
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())


def _pre_activation(channels):
    branch = nn.Sequential(
        *(_norm_relu(channels), conv(channels, channels)),
        *(_norm_relu(channels), conv(channels, channels)),
    )
    return Net(lambda net, x: x + net.branch(x), branch=branch)


def _mobilenet_v1(c_in, c_out):
    depthwise = nn.Conv2d(c_in, c_in, 3, padding=1, groups=c_in, bias=False)
    pointwise = nn.Conv2d(c_in, c_out, 1, bias=False)
    return nn.Sequential(depthwise, *_norm_relu(c_in), pointwise, *_norm_relu(c_out))


def _mobilenet_v2(channels, factor):
    wide = channels * factor
    branch = nn.Sequential(
        *(nn.Conv2d(channels, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU6()),
        nn.Conv2d(wide, wide, 3, padding=1, groups=wide, bias=False),
        *(nn.BatchNorm2d(wide), nn.ReLU6()),
        *(nn.Conv2d(wide, channels, 1, bias=False), nn.BatchNorm2d(channels)),
    )
    return Net(lambda net, x: x + net.branch(x), branch=branch)


class UNet(nn.Module):
    """Convolutions in pairs, pooled, and enlarged again by transposed convolutions."""

    def __init__(self, levels, width=16, classes=4):
        super().__init__()
        widths = [width << level for level in range(levels + 1)]
        self.down = nn.ModuleList(map(self.pair, [3, *widths[:-2]], widths[:-1]))
        self.middle = self.pair(widths[-2], widths[-1])
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(2 * one, one, 2, stride=2) for one in widths[-2::-1]
        )
        self.after = nn.ModuleList(self.pair(2 * one, one) for one in widths[-2::-1])
        self.scores = nn.Conv2d(width, classes, 1)

    @staticmethod
    def pair(c_in, c_out):
        return nn.Sequential(conv(c_in, c_out), nn.ReLU(), conv(c_out, c_out), nn.ReLU())

    def forward(self, x):
        skips = []
        for pair in self.down:
            x = pair(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.middle(x)
        for up, pair in zip(self.up, self.after, strict=True):
            x = pair(torch.cat([skips.pop(), up(x)], 1))
        return self.scores(x)


def _shuffled():
    first, last = (nn.Conv2d(24, 24, 1, groups=3) for _ in range(2))
    return nn.Sequential(first, nn.ReLU(), ChannelShuffle(3), last)


def _inception():
    return Net(
        lambda net, x: torch.cat([net.a(x), net.b(x), net.c(x)], 1),
        a=nn.Conv2d(64, 16, 1),
        b=nn.Sequential(nn.Conv2d(64, 24, 1), nn.ReLU(), conv(24, 32)),
        c=nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(64, 8, 1)),
    )


def _gated():
    gate = nn.Sequential(nn.Conv2d(32, 8, 1), nn.ReLU(), nn.Conv2d(8, 32, 1), nn.Sigmoid())
    return Net(lambda net, x: x + x * net.gate(x.mean((2, 3), keepdim=True)), gate=gate)


def _u(levels):
    pairs = ["3×3"] * 2
    pools, ups = ["max 2×2 /2"] * levels, ["2×2 ×2 up"] * levels
    return UNet(levels), (3, 64, 64), [*pairs * (2 * levels + 1), *pools, *ups, "1×1"]


LAST = ["dw 3×3", "1×1", "global avg", "linear"]
NETWORKS = {
    "residual": (ResidualBlock(64, 64), (64, 56, 56), ["3×3", "3×3"]),
    "projection": (ResidualBlock(64, 128, 2), (64, 56, 56), ["3×3 /2", "3×3", "1×1 /2"]),
    "bottleneck": (BottleneckBlock(256, 64, 256), (256, 56, 56), ["1×1", "3×3", "1×1"]),
    "pre-activation": (_pre_activation(64), (64, 56, 56), ["3×3", "3×3"]),
    "MobileNet v1": (_mobilenet_v1(32, 64), (32, 112, 112), ["dw 3×3", "1×1"]),
    "MobileNet v2": (_mobilenet_v2(24, 6), (24, 56, 56), ["1×1", "dw 3×3", "1×1"]),
    "ResNeXt a": (ResNeXtBlock(256, 256, form="added"), (256, 56, 56), ["1×1", "3×3", "1×1"]),
    "ResNeXt b": (
        *(ResNeXtBlock(256, 256, form="concatenated"), (256, 56, 56)),
        ["1×1", "3×3", "1×1"],
    ),
    "ResNeXt c": (ResNeXtBlock(256, 256), (256, 56, 56), ["1×1", "3×3 g=32", "1×1"]),
    "U-Net, one level": _u(1),
    "U-Net": _u(2),
    "shuffle": (_shuffled(), (24, 28, 28), ["1×1 g=3", "shuffle g=3", "1×1 g=3"]),
    "Inception": (_inception(), (64, 28, 28), ["1×1", "3×3", "1×1", "max 3×3", "1×1"]),
    "gate": (_gated(), (32, 28, 28), ["global avg", "1×1", "1×1"]),
    "S7Net": (
        *(S7Net(), (3, 32, 32)),
        ["2×2", *["3×3"] * 5, "3×3 d=2", *["max 2×2 /2"] * 3, *LAST],
    ),
    "S7Tiny": (
        *(S7Tiny(), (3, 32, 32)),
        ["3×3", *["dw 3×3"] * 5, "dw 3×3 d=2", *["1×1"] * 6, *["max 2×2 /2"] * 3, *LAST],
    ),
    "S7Fast": (
        *(S7Fast(), (3, 32, 32)),
        [*["3×3"] * 3, "3×3 d=2", *["max 2×2 /2"] * 3, *LAST],
    ),
}  # fmt: skip
