"""Sub-pixel convolution: compute r * r maps at low resolution, then interleave them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.types import Device

from convbook._checks.arguments import IntOrPair, Padding, integer
from convbook._checks.tensors import FLOATS, check_dtype, check_weight
from convbook.arithmetic import span
from convbook.arithmetic.sizes import padding_sides
from convbook.nn.settings import PaddingMode, Pair, check_maps, grouped, layer_with, window


class SubPixelConv2d(nn.Module):
    """A convolution to `r * r` times the channels, then a pixel shuffle; r is `upscale_factor`.

    Channel `c*r*r + i*r + j` of the convolution becomes sub-pixel `(i, j)` of channel `c`. The
    convolution has stride 1 and, by default, the padding that keeps the size, so that each side of
    the map grows r times. Other arguments as for `nn.Conv2d`, without `stride`.

    Shapes:
        input `(N, in_channels, H, W)` -> `(N, out_channels, r * H_conv, r * W_conv)`, where
        `(H_conv, W_conv)` is `conv_output_size((H, W), kernel_size, 1, padding, dilation)`.

    Args:
        out_channels: of the output, after the shuffle, a multiple of `groups`.
        upscale_factor: r, at least 1.
        bias: whether to add a learned number to each map of the convolution: `r * r` for each
            output channel, one per sub-pixel.

    Example:
        >>> layer = SubPixelConv2d(16, 3, kernel_size=3, upscale_factor=2, bias=False)
        >>> layer(torch.zeros(1, 16, 8, 8)).shape
        torch.Size([1, 3, 16, 16])
        >>> layer.as_conv_transpose()
        ConvTranspose2d(16, 3, kernel_size=(6, 6), stride=(2, 2), padding=(2, 2), bias=False)

    Source: Shi et al., arXiv 1609.05158, section 3.1.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrPair,
        upscale_factor: int,
        padding: Padding = "same",
        dilation: IntOrPair = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: PaddingMode = "zeros",
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, groups = grouped(in_channels, out_channels, groups)
        self.upscale_factor = integer(upscale_factor, "upscale_factor", 1)
        filters = self.out_channels * self.upscale_factor**2
        settings = window(kernel_size, 1, padding, dilation)
        self.conv = nn.Conv2d(
            self.in_channels, filters, *settings, groups, bias, padding_mode, device, dtype
        )
        self.shuffle = nn.PixelShuffle(self.upscale_factor)

    def forward(self, input: Tensor) -> Tensor:
        check_maps(input, self.conv)
        return self.shuffle(self.conv(input))

    def icnr_(self, initialiser: Callable[[Tensor], object] = nn.init.kaiming_normal_) -> Self:
        """Start as nearest-neighbour upsampling: draw the weight by `icnr_`, set the bias to zero.

        Return the layer.
        """
        icnr_(self.conv.weight, self.upscale_factor, initialiser)
        if self.conv.bias is not None:
            nn.init.zeros_(self.conv.bias)
        return self

    def interleaved(self) -> tuple[Tensor, Tensor | None]:
        """Return weight `(C_in, C_out/groups, K_h, K_w)` and bias of the transposed convolution.

        The `r * r` kernels of an output channel are flipped and interleaved, tap by tap, into one
        of `K = r * (dilation * (kernel_size - 1) + 1)` taps on each axis, zeros in the holes of a
        dilation. Where the padding differs on the two sides, or is larger than the kernel reaches,
        there are zeros at an end too. Both are computed from this layer's parameters: a gradient
        runs through them.

        A transposed convolution adds one number to all sub-pixels of a channel. Where this layer
        has learned others, or pads with something but zeros, no transposed convolution equals it:
        a ValueError.
        """
        if self.conv.padding_mode != "zeros" and any(map(sum, self._sides())):
            raise ValueError(
                f"padding_mode={self.conv.padding_mode!r}: a transposed convolution knows zeros "
                "only; use padding_mode='zeros' or padding=0"
            )
        return self._interleaved_weight(), self._common_bias()

    def as_conv_transpose(self) -> nn.ConvTranspose2d:
        """Return the `nn.ConvTranspose2d`, of stride r, that gives the same, as a copy.

        At dilation 1, with an odd kernel and the padding that keeps the size, it has kernel
        `r * kernel_size` and padding `r * (kernel_size // 2)`. See `interleaved` for what it needs.
        """
        weight, bias = self.interleaved()
        return layer_with(
            nn.ConvTranspose2d,
            weight,
            bias,
            in_channels=self.in_channels,
            out_channels=self.out_channels,
            kernel_size=tuple(weight.shape[2:]),
            stride=self.upscale_factor,
            padding=tuple(self.upscale_factor * crop for crop in self._crops()),
            groups=self.conv.groups,
        )

    def _sides(self) -> tuple[Pair, ...]:
        """Return the padding (before, after) on each axis."""
        conv = self.conv
        return padding_sides(conv.padding, conv.kernel_size, conv.stride, conv.dilation)

    def _reaches(self) -> list[int]:
        """Return how many pixels the window covers on each axis, less one."""
        axes = zip(self.conv.kernel_size, self.conv.dilation, strict=True)
        return [span(kernel_size, dilation) - 1 for kernel_size, dilation in axes]

    def _crops(self) -> list[int]:
        """Return how many pixels, before the upscaling, the transposed one crops on each axis.

        Full padding, `reach` on each side, needs no crop; each pixel less needs one.
        """
        axes = zip(self._sides(), self._reaches(), strict=True)
        return [max(0, *(reach - side for side in sides)) for sides, reach in axes]

    def _interleaved_weight(self) -> Tensor:
        r, groups = self.upscale_factor, self.conv.groups
        (d_h, d_w), (reach_h, reach_w) = self.conv.dilation, self._reaches()
        kernels = self.conv.weight.flip(-2, -1).unflatten(0, (groups, -1, r, r))
        kernels = kernels.permute(0, 4, 1, 5, 2, 6, 3)  # (groups, C_in, C_out, k_h, r, k_w, r)
        blocks = kernels.new_zeros(*kernels.shape[:3], reach_h + 1, r, reach_w + 1, r)
        blocks[..., ::d_h, :, ::d_w, :] = kernels
        weight = blocks.flatten(-2).flatten(-3, -2).flatten(0, 1)
        axes = zip(self._sides(), self._reaches(), self._crops(), strict=True)
        # Both sides are cropped alike: where one would need less, its end has taps of zero.
        ends = [r * (crop - reach + side) for sides, reach, crop in axes for side in sides]
        return F.pad(weight, (*ends[2:], *ends[:2]))  # F.pad starts with the last dimension

    def _common_bias(self) -> Tensor | None:
        """Return one bias per output channel, refusing sub-pixels that differ in theirs."""
        if self.conv.bias is None:
            return None
        groups = self.conv.bias.unflatten(0, (-1, self.upscale_factor**2))
        if not groups.is_meta and (groups != groups[:, :1]).any():
            raise ValueError(
                "bias differs between sub-pixels of a channel, and a transposed convolution has "
                "one for all; use bias=False, or icnr_(), which sets it to zero"
            )
        return groups[:, 0]


def icnr_(
    weight: Tensor,
    upscale_factor: int,
    initialiser: Callable[[Tensor], object] = nn.init.kaiming_normal_,
) -> Tensor:
    """Fill the weight of a sub-pixel convolution so that all sub-pixels of a pixel start equal.

    One filter is drawn for each output channel and repeated for its `r * r` sub-pixels. With a bias
    that is zero, or repeated likewise, convolution and shuffle then equal one small convolution and
    nearest-neighbour upsampling: no checkerboard at the start. The layer can learn one later.

    Shapes:
        weight `(C * r * r, C_in/groups, k_h, k_w)`, where r is `upscale_factor`; the weight that is
        drawn, and whose size the initialiser sees, is `(C, C_in/groups, k_h, k_w)`.

    Args:
        weight: of the convolution before the shuffle, changed in place and returned.
        upscale_factor: r, at least 1; its square divides the first axis of `weight`.
        initialiser: called with a tensor, which it fills in place, as those of `nn.init` do.

    Example:
        >>> weight = icnr_(torch.empty(8, 3, 5, 5), upscale_factor=2)
        >>> bool((weight[:4] == weight[0]).all() and (weight[4:] == weight[4]).all())
        True

    Source: Aitken et al., arXiv 1707.02937, section 3.2 (ICNR).
    """
    check_weight(weight)
    check_dtype(weight, "weight", FLOATS)
    r = integer(upscale_factor, "upscale_factor", 1)
    if weight.shape[0] % r**2:
        raise ValueError(
            f"upscale_factor={r} needs a multiple of {r**2} filters, but weight has "
            f"{weight.shape[0]}; use {-(-weight.shape[0] // r**2) * r**2} or another factor"
        )
    if not callable(initialiser):
        raise TypeError(
            f"initialiser={initialiser!r} is not a function; use one such as "
            "torch.nn.init.kaiming_normal_"
        )
    with torch.no_grad():
        filters = weight[:: r**2].clone()
        initialiser(filters)
        weight.copy_(filters.repeat_interleave(r**2, dim=0))
    return weight
