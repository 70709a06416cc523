"""A convolution along time that sees the past only."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.types import Device

from convbook._checks.arguments import Ints, per_axis
from convbook._checks.tensors import check_filled
from convbook.nn.settings import check_channels, grouped


class CausalConv1d(nn.Conv1d):
    """A 1-D convolution padded on the left only: no output sees a sample that comes later.

    Output `t` reads the samples `t * stride - j * dilation`, for `j` from 0 to `kernel_size - 1`;
    those before the first one are zeros. Arguments as for `nn.Conv1d`, without `padding`, which is
    `dilation * (kernel_size - 1)` on the left and none on the right, and without `padding_mode`.

    Shapes:
        input `(N, in_channels, L)` or `(in_channels, L)` -> `(N, out_channels, L_out)` or
        `(out_channels, L_out)`, where `L_out` is `(L - 1) // stride + 1`: at stride 1, `L`.

    Example:
        >>> layer = CausalConv1d(1, 1, kernel_size=2, dilation=3, bias=False)
        >>> _ = nn.init.ones_(layer.weight)
        >>> layer(torch.tensor([[1.0, 0, 0, 0, 0, 0]])).tolist()  # the sample, then its echo
        [[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]]

    Source: van den Oord et al., WaveNet, arXiv 1609.03499, section 2.1.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        dilation: Ints = 1,
        groups: int = 1,
        bias: bool = True,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        in_channels, out_channels, groups = grouped(in_channels, out_channels, groups)
        super().__init__(
            in_channels,
            out_channels,
            per_axis(kernel_size, 1, "kernel_size", 1),
            per_axis(stride, 1, "stride", 1),
            dilation=per_axis(dilation, 1, "dilation", 1),
            groups=groups,
            bias=bias,
            device=device,
            dtype=dtype,
        )

    @property
    def left_padding(self) -> int:
        """How many zeros stand before the first sample."""
        return self.dilation[0] * (self.kernel_size[0] - 1)

    def forward(self, input: Tensor) -> Tensor:
        check_channels(input, self.in_channels, "(C, L)", "(N, C, L)")
        check_filled(input, 1)
        return super().forward(F.pad(input, (self.left_padding, 0)))
