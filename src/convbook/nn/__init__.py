"""Blocks of networks, each an `nn.Module`: residual, separable and grouped.

What a block stands for can be had from it: the separable convolutions return the one plain
`nn.Conv2d` that they amount to, and a ResNeXt block its three equivalent forms. Maps are
`(N, C, H, W)`; where no batch norm is inside, `(C, H, W)` will do.
"""

from convbook.nn.depthwise import DepthwiseConv2d, DepthwiseSeparableConv2d
from convbook.nn.residual import BottleneckBlock, ResidualBlock
from convbook.nn.resnext import ResNeXtBlock
from convbook.nn.shuffle import ChannelShuffle, ChannelUnshuffle
from convbook.nn.spatial import SpatiallySeparableConv2d

__all__ = [
    "BottleneckBlock",
    "ChannelShuffle",
    "ChannelUnshuffle",
    "DepthwiseConv2d",
    "DepthwiseSeparableConv2d",
    "ResNeXtBlock",
    "ResidualBlock",
    "SpatiallySeparableConv2d",
]
