"""What a convolution costs: its parameters and its multiply-accumulates (MACs)."""

from math import gcd, prod

from convbook._checks.arguments import Ints, common_rank, integer, per_axis


def conv_params(
    in_channels: int,
    out_channels: int,
    kernel_size: Ints,
    groups: int = 1,
    bias: bool = True,
) -> int:
    """Return how many numbers a convolution learns: the weights of its filters, and the biases.

    A filter reads the `in_channels / groups` channels of its group and has one bias.

    Shapes:
        `out_channels * (in_channels/groups * k_h * k_w + 1)`; without `bias`, no `+ 1`.

    Args:
        in_channels: of the input, at least 1.
        out_channels: how many filters, at least 1.
        kernel_size: taps, at least 1; an int is a square kernel.
        groups: how many groups the channels are shared out to; divides both channel numbers.
        bias: whether each filter has one.

    Example:
        >>> conv_params(16, 32, 3), conv_params(16, 32, 3, bias=False)
        (4640, 4608)
        >>> conv_params(16, 16, 3, groups=16, bias=False) + conv_params(16, 32, 1, bias=False)
        656

    Source: PyTorch, `torch.nn.Conv2d`, shapes of weight and bias.
    """
    filters, weights = _filters(in_channels, out_channels, groups)
    taps = per_axis(kernel_size, common_rank(kernel_size) or 2, "kernel_size", 1)
    return filters * (weights * prod(taps) + bool(bias))


def conv_macs(
    in_channels: int,
    out_channels: int,
    kernel_size: Ints,
    output_size: Ints,
    groups: int = 1,
) -> int:
    """Return the multiply-adds (MACs) of a convolution for one image: each weight at each output.

    Taps in the padding count like any other; the addition of a bias does not count.

    Shapes:
        `H_out * W_out * out_channels * in_channels/groups * k_h * k_w`.

    Args:
        in_channels: of the input, at least 1.
        out_channels: how many filters, at least 1.
        kernel_size: taps, at least 1; an int is a square kernel.
        output_size: pixels of the map that comes out, at least 0; an int is a square map.
        groups: how many groups the channels are shared out to; divides both channel numbers.

    Example:
        >>> conv_macs(16, 32, 3, output_size=10)
        460800
        >>> conv_macs(16, 32, (3, 1), output_size=(10, 5), groups=2)
        38400

    Source: Howard et al., MobileNets, arXiv 1704.04861, section 3.1 (mult-adds).
    """
    filters, weights = _filters(in_channels, out_channels, groups)
    rank = common_rank(kernel_size, output_size) or 2
    taps = per_axis(kernel_size, rank, "kernel_size", 1)
    outputs = per_axis(output_size, rank, "output_size", 0)
    return prod(outputs) * filters * weights * prod(taps)


def _filters(in_channels: int, out_channels: int, groups: int) -> tuple[int, int]:
    """Return how many filters there are and how many channels each reads, all checked."""
    inputs = integer(in_channels, "in_channels", 1)
    outputs = integer(out_channels, "out_channels", 1)
    groups = integer(groups, "groups", 1)
    if inputs % groups or outputs % groups:
        common = gcd(inputs, outputs)
        fewer = max(n for n in range(1, min(groups, common) + 1) if common % n == 0)
        raise ValueError(
            f"groups={groups} must divide in_channels={inputs} and out_channels={outputs}; "
            f"use groups={fewer}, or channel numbers that are multiples of {groups}"
        )
    return outputs, inputs // groups
