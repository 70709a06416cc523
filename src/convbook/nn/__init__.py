"""Blocks of networks, each an `nn.Module`: residual, separable, grouped, causal, upsampling.

What a block stands for can be had from it: the separable convolutions return the one plain
`nn.Conv2d` that they amount to, a ResNeXt block its three equivalent forms, and a sub-pixel
convolution its `nn.ConvTranspose2d`. Maps are `(N, C, H, W)`; where no batch norm is inside,
`(C, H, W)` will do. A setting or an input that does not fit is a `ValueError`, one of the wrong
type a `TypeError`. `IntOrPair` is an int, or a pair for rows and columns.
"""

from convbook.nn.causal import CausalConv1d
from convbook.nn.depthwise import DepthwiseConv2d, DepthwiseSeparableConv2d
from convbook.nn.residual import BottleneckBlock, ResidualBlock
from convbook.nn.resize import ResizeConv2d
from convbook.nn.resnext import ResNeXtBlock
from convbook.nn.shuffle import ChannelShuffle, ChannelUnshuffle
from convbook.nn.spatial import SpatiallySeparableConv2d
from convbook.nn.subpixel import SubPixelConv2d, icnr_

__all__ = [
    "BottleneckBlock",
    "CausalConv1d",
    "ChannelShuffle",
    "ChannelUnshuffle",
    "DepthwiseConv2d",
    "DepthwiseSeparableConv2d",
    "ResNeXtBlock",
    "ResidualBlock",
    "ResizeConv2d",
    "SpatiallySeparableConv2d",
    "SubPixelConv2d",
    "icnr_",
]
