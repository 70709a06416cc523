"""Checks of tensors, shared by the rooms that compute: rank, dtype, channels, groups.

Every refusal names the argument, quotes its shape or value and says what would be right.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import prod

import torch
from torch import Tensor

from convbook._checks.arguments import integer

FLOATS = {
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
    *(torch.complex64, torch.complex128),
}
# What PyTorch can convolve on a CPU.
NUMBERS = {
    *FLOATS,
    *(torch.complex32, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
}


def check_type(value: object, name: str) -> None:
    """Refuse what is not a tensor."""
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{name} is a {type(value).__name__}; use a torch.Tensor")


def check_layout(value: Tensor, name: str, *layouts: str) -> None:
    """Refuse what is not a tensor with as many axes as one of the layouts, such as `(C, H, W)`."""
    check_type(value, name)
    axes = [layout.count(",") + 1 for layout in layouts]
    any_batch = layouts[0].startswith("(*") and value.ndim >= axes[0] - 1
    if value.ndim not in axes and not any_batch:
        raise ValueError(f"{name} has shape {tuple(value.shape)}; use {' or '.join(layouts)}")


def check_filled(value: Tensor, axes: int) -> None:
    """Refuse an input that is empty in one of its last `axes`."""
    if 0 in value.shape[-axes:]:
        raise ValueError(f"input has shape {tuple(value.shape)}; only its batch may be empty")


def check_dtype(value: Tensor, name: str, dtypes: Collection[torch.dtype]) -> None:
    """Refuse a tensor of another dtype."""
    if value.dtype not in dtypes:
        raise TypeError(f"{name} has dtype {value.dtype}; convert it to one such as torch.float32")


def check_weight(weight: Tensor) -> None:
    """Refuse what cannot hold the filters of a 2-D convolution."""
    check_layout(weight, "weight", "(channels, channels per group, k_h, k_w)")
    check_dtype(weight, "weight", NUMBERS)


def check_groups(groups: int, channels: int) -> None:
    """Refuse groups that do not share out the first axis of weight."""
    groups = integer(groups, "groups", 1)
    if channels == 0:
        raise ValueError("weight has no filters: its first axis is 0; make it 1 or more")
    if channels % groups:
        raise ValueError(
            f"groups={groups} does not divide the first axis of weight, {channels}; "
            f"use groups=1, or make that axis a positive multiple of {groups}"
        )


def check_conv(
    input: Tensor, weight: Tensor, bias: Tensor | None, groups: int, transposed: bool = False
) -> None:
    """Refuse tensors that do not fit together."""
    check_layout(input, "input", "(C, H, W)", "(N, C, H, W)")
    check_weight(weight)
    check_groups(groups, weight.shape[0])
    c_in, c_out = weight.shape[1] * groups, weight.shape[0]
    if transposed:
        c_in, c_out = weight.shape[0], weight.shape[1] * groups
    if input.shape[-3] != c_in:
        raise ValueError(
            f"input has {input.shape[-3]} channels, but weight of shape {tuple(weight.shape)} "
            f"with groups={groups} takes {c_in}; change weight, groups or the input's channels"
        )
    if c_out == 0:
        raise ValueError(
            f"weight has shape {tuple(weight.shape)}: no output channel; use 1 or more"
        )
    if 0 in input.shape[-2:] and 0 not in input.shape[:-2]:
        raise ValueError(f"input has shape {tuple(input.shape)}: no pixels; use H, W of 1 or more")
    if bias is not None:
        check_type(bias, "bias")
        if bias.shape != (c_out,):
            raise ValueError(f"bias has shape {tuple(bias.shape)}; use ({c_out},)")
    tensors = {"input": input, "weight": weight, "bias": bias}
    dtypes = {name: tensor.dtype for name, tensor in tensors.items() if tensor is not None}
    if len(set(dtypes.values())) > 1:
        told = ", ".join(f"{name} has dtype {dtype}" for name, dtype in dtypes.items())
        raise TypeError(f"{told}; convert them to one dtype")


def check_room(shape: Sequence[int], tensor: Tensor, name: str, value: object) -> None:
    """Refuse a map that is mostly padding or gaps, and larger than memory could be."""
    count = prod(shape)
    if count > max(2**31, 100 * tensor.numel()) and not tensor.is_meta:
        raise ValueError(
            f"{name}={value!r} needs a map of {shape[-2]} x {shape[-1]} pixels in between; "
            f"use a smaller {name}"
        )
