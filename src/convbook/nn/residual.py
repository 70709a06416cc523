"""Residual blocks: y = F(x) + x."""

from __future__ import annotations

from torch import Tensor, nn

from convbook._checks.arguments import IntOrPair, integer, per_axis
from convbook.nn.settings import Pair, check_channels, check_multiple


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions and a shortcut around them, as in ResNet-18 and ResNet-34.

    The shortcut is the identity where the shape stays as it is. Elsewhere it is a projection: a
    1 x 1 convolution, with the block's stride, and batch norm. No convolution has a bias, since
    batch norm follows each.

    Shapes:
        input `(N, in_channels, H, W)` -> `(N, out_channels, H_out, W_out)`, where `(H_out, W_out)`
        is `conv_output_size((H, W), 3, stride, padding=1)`.

    Args:
        in_channels: of the input, at least 1.
        out_channels: of the output, at least 1.
        stride: of the first convolution and of the projection, at least 1.

    Example:
        >>> import torch
        >>> ResidualBlock(16, 32, stride=2)(torch.ones(1, 16, 8, 8)).shape
        torch.Size([1, 32, 4, 4])

    Source: He, Zhang, Ren and Sun, arXiv 1512.03385, equations 1 and 2.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: IntOrPair = 1) -> None:
        super().__init__()
        self.in_channels = integer(in_channels, "in_channels", 1)
        self.out_channels = integer(out_channels, "out_channels", 1)
        self.stride = per_axis(stride, 2, "stride", 1)
        self.conv1 = conv3x3(self.in_channels, self.out_channels, self.stride)
        self.bn1 = nn.BatchNorm2d(self.out_channels)
        self.conv2 = conv3x3(self.out_channels, self.out_channels)
        self.bn2 = nn.BatchNorm2d(self.out_channels)
        self.relu = nn.ReLU()
        self.shortcut = make_shortcut(self.in_channels, self.out_channels, self.stride)

    def forward(self, input: Tensor) -> Tensor:
        check_channels(input, self.in_channels, "(N, C, H, W)")
        x = self.relu(self.bn1(self.conv1(input)))
        x = self.bn2(self.conv2(x))
        return self.relu(x + self.shortcut(input))


class BottleneckBlock(nn.Module):
    """A 3 x 3 convolution between two 1 x 1, and a shortcut, as in ResNet-50 and deeper.

    The first 1 x 1 narrows the map to `mid_channels`, the last one widens it. The stride is in the
    3 x 3 convolution, as in torchvision; the paper has it in the first 1 x 1, which then skips
    pixels. With `groups` it is the block of ResNeXt in its grouped form.

    Shapes:
        input `(N, in_channels, H, W)` -> `(N, out_channels, H_out, W_out)`, where `(H_out, W_out)`
        is `conv_output_size((H, W), 3, stride, padding=1)`.

    Args:
        in_channels: of the input, at least 1.
        mid_channels: of the maps inside, a multiple of `groups`.
        out_channels: of the output, at least 1.
        stride: of the 3 x 3 convolution and of the projection, at least 1.
        groups: of the 3 x 3 convolution, at least 1.

    Example:
        >>> block = BottleneckBlock(256, 64, 256)
        >>> sum(p.numel() for p in block.parameters() if p.ndim > 1)  # without batch norm
        69632

    Source: He, Zhang, Ren and Sun, arXiv 1512.03385, figure 5; Xie et al., arXiv 1611.05431.
    """

    def __init__(
        self,
        in_channels: int,
        mid_channels: int,
        out_channels: int,
        stride: IntOrPair = 1,
        groups: int = 1,
    ) -> None:
        super().__init__()
        self.in_channels = integer(in_channels, "in_channels", 1)
        self.mid_channels = integer(mid_channels, "mid_channels", 1)
        self.out_channels = integer(out_channels, "out_channels", 1)
        self.stride = per_axis(stride, 2, "stride", 1)
        self.groups = integer(groups, "groups", 1)
        check_multiple(self.mid_channels, "mid_channels", self.groups, "groups")
        self.conv1 = conv1x1(self.in_channels, self.mid_channels)
        self.bn1 = nn.BatchNorm2d(self.mid_channels)
        self.conv2 = conv3x3(self.mid_channels, self.mid_channels, self.stride, self.groups)
        self.bn2 = nn.BatchNorm2d(self.mid_channels)
        self.conv3 = conv1x1(self.mid_channels, self.out_channels)
        self.bn3 = nn.BatchNorm2d(self.out_channels)
        self.relu = nn.ReLU()
        self.shortcut = make_shortcut(self.in_channels, self.out_channels, self.stride)

    def forward(self, input: Tensor) -> Tensor:
        check_channels(input, self.in_channels, "(N, C, H, W)")
        x = self.relu(self.bn1(self.conv1(input)))
        x = self.relu(self.bn2(self.conv2(x)))
        x = self.bn3(self.conv3(x))
        return self.relu(x + self.shortcut(input))


def make_shortcut(in_channels: int, out_channels: int, stride: Pair) -> nn.Module:
    """Return the identity where a block keeps the shape, else a projection with its stride."""
    if in_channels == out_channels and stride == (1, 1):
        return nn.Identity()
    return nn.Sequential(conv1x1(in_channels, out_channels, stride), nn.BatchNorm2d(out_channels))


def conv1x1(in_channels: int, out_channels: int, stride: Pair = (1, 1)) -> nn.Conv2d:
    """Return a 1 x 1 convolution without bias."""
    return nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)


def conv3x3(
    in_channels: int, out_channels: int, stride: Pair = (1, 1), groups: int = 1
) -> nn.Conv2d:
    """Return a 3 x 3 convolution without bias, padded to keep the size at stride 1."""
    return nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, groups=groups, bias=False)
