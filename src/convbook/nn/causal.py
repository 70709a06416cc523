"""A convolution along time that sees the past only."""

import torch.nn.functional as F
from torch import nn

from convbook._checks.arguments import integer, per_axis
from convbook._checks.tensors import check_filled
from convbook.nn.settings import check_channels, check_multiple


class CausalConv1d(nn.Conv1d):
    """A 1-D convolution padded on the left only: no output sees a sample that comes later.

    Output `t` reads the samples `t * stride - j * dilation`, for `j` from 0 to `kernel_size - 1`;
    those before the first one are zeros. Arguments as for `nn.Conv1d`, without `padding`, which is
    `dilation * (kernel_size - 1)` on the left and none on the right.

    Shapes:
        input `(N, in_channels, L)` or `(in_channels, L)` -> `(N, out_channels, L_out)` or
        `(out_channels, L_out)`, where `L_out` is `(L - 1) // stride + 1`: at stride 1, `L`.

    Args:
        in_channels: of the input, a multiple of `groups`.
        out_channels: of the output, a multiple of `groups`.
        kernel_size: taps, at least 1.
        stride: samples from one output to the next, at least 1.
        dilation: samples from one tap to the next, at least 1.
        groups: how many groups of output channels, each reading its own input channels.
        bias: whether to add a learned number to each output channel.
        device: of the weights.
        dtype: of the weights.

    Raises:
        ValueError: a value is out of range, or the input does not fit.
        TypeError: a value is not an integer, or the input is not a tensor.

    Example:
        >>> import torch
        >>> layer = CausalConv1d(1, 1, kernel_size=2, dilation=3, bias=False)
        >>> _ = nn.init.ones_(layer.weight)
        >>> layer(torch.tensor([[1.0, 0, 0, 0, 0, 0]])).tolist()  # the sample, then its echo
        [[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]]

    Source: van den Oord et al., WaveNet, arXiv 1609.03499, section 2.1.
    """

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        dilation=1,
        groups=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        in_channels = integer(in_channels, "in_channels", 1)
        out_channels = integer(out_channels, "out_channels", 1)
        groups = integer(groups, "groups", 1)
        check_multiple(in_channels, "in_channels", groups, "groups")
        check_multiple(out_channels, "out_channels", groups, "groups")
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
    def left_padding(self):
        """How many zeros stand before the first sample."""
        return self.dilation[0] * (self.kernel_size[0] - 1)

    def forward(self, input):
        check_channels(input, self.in_channels, "(C, L)", "(N, C, L)")
        check_filled(input, 1)
        return super().forward(F.pad(input, (self.left_padding, 0)))
