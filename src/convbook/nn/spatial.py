"""Spatially separable convolutions: a column of taps, then a row."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn
from torch.types import Device

from convbook._checks.arguments import IntOrPair, Padding, integer
from convbook._checks.tensors import FLOATS, check_dtype, check_groups, check_type, check_weight
from convbook.nn.settings import (
    PaddingMode,
    Pair,
    Window,
    check_maps,
    grouped,
    plain_conv2d,
    window,
)


class SpatiallySeparableConv2d(nn.Module):
    """A convolution by columns of taps (k_h x 1), then by rows (1 x k_w).

    Each pair of an output channel `o` and an input channel `c` that it reads has a kernel, a matrix
    of `k_h` x `k_w` numbers. Here it is a sum of `rank` products of a column and a row: it costs
    `rank * (k_h + k_w)` weights instead of `k_h * k_w`. With `rank = min(k_h, k_w)` it can be any
    kernel, and nothing is saved.

    `vertical` slides the columns, each over its one channel; `horizontal` slides the rows over
    what they gave and adds up, for each output channel. Between them the maps change places: they
    come out ordered by input channel, and are read ordered by output channel. The stride, the
    padding and the dilation of an axis are in the layer that slides along it, and the bias is in
    `horizontal`. Other arguments as for `nn.Conv2d`.

    Inception's k x 1, then 1 x k (Szegedy et al., arXiv 1512.00567) is something else for more than
    one channel: two plain layers, whose maps in between serve all output channels.

    Shapes:
        input `(N, in_channels, H, W)` -> `(N, out_channels, H_out, W_out)`, as `nn.Conv2d`; in
        between, `in_channels * out_channels / groups * rank` maps of `(H_out, W)`.

    Args:
        rank: how many products each kernel is the sum of, from 1 to `min(k_h, k_w)`.

    Example:
        >>> sobel = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
        >>> laplacian = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])
        >>> for kernel, rank in [(sobel, 1), (laplacian, 1), (laplacian, 2)]:
        ...     layer = SpatiallySeparableConv2d.from_kernel(kernel[None, None], rank)
        ...     print(f"{layer.error:.2f}")
        0.00
        0.10
        0.00

    Source: Treitel and Shanks, The Design of Multistage Separable Planar Filters, 1971.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrPair,
        stride: IntOrPair = 1,
        padding: Padding = 0,
        dilation: IntOrPair = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: PaddingMode = "zeros",
        device: Device = None,
        dtype: torch.dtype | None = None,
        *,
        rank: int = 1,
    ) -> None:
        super().__init__()
        channels = grouped(in_channels, out_channels, groups)
        self.in_channels, self.out_channels, self.groups = channels
        settings = window(kernel_size, stride, padding, dilation)
        self.kernel_size, self.stride, self.padding, self.dilation = settings
        self.padding_mode = padding_mode
        self.rank = integer(rank, "rank", 1)
        if self.rank > min(self.kernel_size):
            k_h, k_w = self.kernel_size
            raise ValueError(
                f"rank={rank} is more than a kernel of {k_h} x {k_w} can have; "
                f"use rank<={min(self.kernel_size)}"
            )
        self.error: float | None = None  # known to from_kernel only
        inputs, outputs, last = self.in_channels, self.out_channels, (padding_mode, device, dtype)
        maps = inputs * outputs // self.groups * self.rank
        self.vertical = nn.Conv2d(inputs, maps, *self._along(0), inputs, False, *last)
        self.horizontal = nn.Conv2d(maps, outputs, *self._along(1), outputs, bias, *last)

    @classmethod
    def from_kernel(
        cls,
        weight: Tensor,
        rank: int = 1,
        bias: Tensor | None = None,
        stride: IntOrPair = 1,
        padding: Padding = 0,
        dilation: IntOrPair = 1,
        groups: int = 1,
        padding_mode: PaddingMode = "zeros",
    ) -> Self:
        """Return the layer whose kernels are the nearest of this rank to those of `weight`.

        Nearest means the smallest sum of squared differences: the singular value decomposition of
        each kernel, cut off after `rank` terms. The layer's `error` is the norm of the difference,
        divided by the norm of `weight`; it is not updated when the layer is trained.

        Shapes:
            weight `(C_out, C_in/groups, k_h, k_w)`, bias `(C_out)`.

        Args:
            weight: the filters of a convolution, floating point, on a device with values.
            rank: how many products each kernel becomes the sum of, from 1 to `min(k_h, k_w)`.
            bias: one number per filter, of the same dtype, or None.
            stride: as for the layer, like the settings below.
            padding: pixels on each side.
            dilation: pixels from one tap to the next.
            groups: of the convolution that `weight` belongs to.
            padding_mode: what the padding holds.

        Raises:
            ValueError: a weight is not finite, or something else does not fit.

        Example:
            >>> kernel = torch.tensor([[3.0, 0], [0, 4]])[None, None]
            >>> round(SpatiallySeparableConv2d.from_kernel(kernel).error, 6)
            0.6

        Source: Eckart and Young, Psychometrika 1, 1936.
        """
        _check_kernel(weight, bias, groups)
        layer = nn.utils.skip_init(
            cls,
            weight.shape[1] * groups,
            weight.shape[0],
            tuple(weight.shape[2:]),
            stride,
            padding,
            dilation,
            groups,
            bias is not None,
            padding_mode,
            device=weight.device,
            dtype=weight.dtype,
            rank=rank,
        )
        exact = _precise(weight)
        columns, rows = _products(exact, layer.rank)
        # columns (C_out, C_in/groups, k_h, rank), for `vertical` ordered by input channel first
        columns = columns.unflatten(0, (groups, -1)).permute(0, 2, 4, 1, 3)
        with torch.no_grad():
            layer.vertical.weight.copy_(columns.reshape(layer.vertical.weight.shape))
            layer.horizontal.weight.copy_(rows.reshape(layer.horizontal.weight.shape))
            if bias is not None:
                layer.horizontal.bias.copy_(bias)
            difference = exact - _precise(layer.dense()[0])
        layer.error = float(difference.norm() / exact.norm()) if exact.any() else 0.0
        return layer

    def forward(self, input: Tensor) -> Tensor:
        check_maps(input, self)  # type: ignore[arg-type]  # it has the settings of one
        x = self.vertical(input)  # (N, groups * C_in/groups * rank * C_out/groups, H_out, W)
        x = x.unflatten(-3, (self.groups, -1, self.out_channels // self.groups))
        x = x.transpose(-4, -3).flatten(-5, -3)
        return self.horizontal(x)

    def dense(self) -> tuple[Tensor, Tensor | None]:
        """Return weight `(C_out, C_in/groups, k_h, k_w)` and bias of the plain layer.

        They are computed from this layer's parameters: a gradient runs through them.
        """
        each = (self.in_channels // self.groups, self.rank)
        outputs = self.out_channels // self.groups
        columns = self.vertical.weight.reshape(self.groups, *each, outputs, -1)
        rows = self.horizontal.weight.reshape(self.groups, outputs, *each, -1)
        weight = torch.einsum("gcqoi,gocqj->gocij", columns, rows)
        return weight.flatten(0, 1), self.horizontal.bias

    def as_conv2d(self) -> nn.Conv2d:
        """Return the plain `nn.Conv2d`, with as many groups, that gives the same, as a copy."""
        weight, bias = self.dense()
        return plain_conv2d(weight, bias, self, self.groups)  # type: ignore[arg-type]  # as above

    def extra_repr(self) -> str:
        error = "" if self.error is None else f", error={self.error:.3g}"
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"groups={self.groups}, rank={self.rank}{error}"
        )

    def _along(self, axis: int) -> Window:
        """Return the part of the window that lies along one axis."""

        def only(pair: Pair, other: int) -> Pair:
            return (other, pair[1]) if axis else (pair[0], other)

        padding = self.padding if isinstance(self.padding, str) else only(self.padding, 0)
        return only(self.kernel_size, 1), only(self.stride, 1), padding, only(self.dilation, 1)


def _check_kernel(weight: Tensor, bias: Tensor | None, groups: int) -> None:
    """Refuse what cannot be taken apart."""
    check_weight(weight)
    check_dtype(weight, "weight", FLOATS)
    check_groups(groups, weight.shape[0])
    if weight.is_meta:
        raise ValueError("weight is on the meta device and has no values; use another device")
    if not weight.isfinite().all():
        raise ValueError("weight has values that are infinite or not a number; use finite ones")
    if bias is not None:
        check_type(bias, "bias")
        if bias.shape != weight.shape[:1]:
            raise ValueError(f"bias has shape {tuple(bias.shape)}; use ({weight.shape[0]},)")
        if bias.dtype != weight.dtype:
            raise TypeError(
                f"weight and bias have dtypes {weight.dtype} and {bias.dtype}; "
                "convert them to one dtype"
            )


def _precise(weight: Tensor) -> Tensor:
    """Return a tensor's values in double precision, where all dtypes and devices agree."""
    return weight.detach().cpu().to(torch.complex128 if weight.is_complex() else torch.float64)


def _products(kernels: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """Return columns (..., k_h, rank) and rows (..., rank, k_w) whose product is nearest."""
    left, sizes, right = torch.linalg.svd(kernels, full_matrices=False)
    share = sizes[..., :rank].sqrt()
    return left[..., :rank] * share[..., None, :], share[..., None] * right[..., :rank, :]
