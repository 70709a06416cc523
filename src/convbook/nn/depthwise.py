"""Depthwise convolutions: each channel has filters of its own, and none are added."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.types import Device

from convbook._checks.arguments import IntOrPair, Padding, integer
from convbook.nn.settings import PaddingMode, check_maps, check_multiple, plain_conv2d, window


class DepthwiseConv2d(nn.Conv2d):
    """A convolution whose filters read one channel each: as many groups as channels.

    Filter `o` reads channel `o // m`, where `m = out_channels / in_channels`. Other arguments as
    for `nn.Conv2d`, without `groups`.

    Shapes:
        input `(N, in_channels, H, W)` -> `(N, out_channels, H_out, W_out)`, as `nn.Conv2d`.

    Args:
        in_channels: of the input, at least 1.
        out_channels: of the output, a multiple of `in_channels`.

    Example:
        >>> layer = DepthwiseConv2d(16, 32, 3, bias=False)
        >>> layer.weight.numel(), layer.as_conv2d().weight.numel()
        (288, 4608)

    Source: Chollet, arXiv 1610.02357.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrPair,
        stride: IntOrPair = 1,
        padding: Padding = 0,
        dilation: IntOrPair = 1,
        *,
        bias: bool = True,
        padding_mode: PaddingMode = "zeros",
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        in_channels = integer(in_channels, "in_channels", 1)
        out_channels = integer(out_channels, "out_channels", 1)
        check_multiple(out_channels, "out_channels", in_channels, "in_channels")
        settings, groups = window(kernel_size, stride, padding, dilation), in_channels
        super().__init__(
            in_channels, out_channels, *settings, groups, bias, padding_mode, device, dtype
        )

    def forward(self, input: Tensor) -> Tensor:
        check_maps(input, self)
        return super().forward(input)

    def dense(self) -> tuple[Tensor, Tensor | None]:
        """Return weight `(C_out, C_in, k_h, k_w)`, mostly zeros, and bias of the plain layer.

        They are computed from this layer's parameters: a gradient runs through them.
        """
        reads = torch.eye(self.in_channels, device=self.weight.device, dtype=self.weight.dtype)
        reads = reads.repeat_interleave(self.out_channels // self.in_channels, dim=0)
        # reads: (C_out, C_in), 1 where a filter reads
        return self.weight * reads[:, :, None, None], self.bias

    def as_conv2d(self) -> nn.Conv2d:
        """Return the plain `nn.Conv2d` with one group that gives the same, as a copy."""
        return plain_conv2d(*self.dense(), like=self)


class DepthwiseSeparableConv2d(nn.Module):
    """A depthwise convolution, then a 1 x 1 that mixes the channels (pointwise).

    The depthwise layer has the window: kernel, stride, padding and dilation. With `bias`, both
    layers have one: `in_channels` numbers before the mixing, `out_channels` after it. Nothing else
    stands between them; MobileNet puts batch norm and ReLU there, and is then no longer a plain
    convolution. Arguments as for `nn.Conv2d`, without `groups`.

    Shapes:
        input `(N, in_channels, H, W)` -> `(N, out_channels, H_out, W_out)`, as `nn.Conv2d`.

    Example:
        >>> layer = DepthwiseSeparableConv2d(16, 32, 3)
        >>> [sum(p.numel() for p in one.parameters()) for one in (layer, layer.as_conv2d())]
        [704, 4640]

    Source: Howard et al., arXiv 1704.04861, section 3.1; Chollet, arXiv 1610.02357.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrPair,
        stride: IntOrPair = 1,
        padding: Padding = 0,
        dilation: IntOrPair = 1,
        *,
        bias: bool = True,
        padding_mode: PaddingMode = "zeros",
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.in_channels = integer(in_channels, "in_channels", 1)
        self.out_channels = integer(out_channels, "out_channels", 1)
        self.depthwise = DepthwiseConv2d(
            *(self.in_channels, self.in_channels, kernel_size, stride, padding, dilation),
            bias=bias,
            padding_mode=padding_mode,
            device=device,
            dtype=dtype,
        )
        self.pointwise = nn.Conv2d(
            self.in_channels, self.out_channels, 1, bias=bias, device=device, dtype=dtype
        )

    def forward(self, input: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(input))

    def dense(self) -> tuple[Tensor, Tensor | None]:
        """Return weight `(C_out, C_in, k_h, k_w)` and bias of the plain layer.

        The weight is a product: filter `o` has at channel `c` the depthwise kernel of `c`, times
        the pointwise weight from `c` to `o`. Both are computed from this layer's parameters: a
        gradient runs through them.
        """
        kernels = self.depthwise.weight.movedim(0, 1)  # (1, C_in, k_h, k_w)
        mixing = self.pointwise.weight  # (C_out, C_in, 1, 1)
        bias, before = self.pointwise.bias, self.depthwise.bias
        if bias is not None and before is not None:
            bias = bias + mixing.flatten(1) @ before
        return mixing * kernels, bias

    def as_conv2d(self) -> nn.Conv2d:
        """Return the plain `nn.Conv2d` with one group that gives the same, as a copy."""
        return plain_conv2d(*self.dense(), like=self.depthwise)
