"""Channel shuffle: let the groups of the next convolution read from every group of the last."""

from __future__ import annotations

from torch import Tensor, nn

from convbook._checks.arguments import integer
from convbook._checks.tensors import check_type


class _Grouped(nn.Module):
    """A module that knows nothing but a number of groups."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = integer(groups, "groups", 1)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"


class ChannelShuffle(_Grouped):
    """Deal the channels out in turn: the first of each group, then the second of each, and so on.

    With the channels written in `groups` rows, one group each, it reads them column by column:
    channel `i * groups + j` of the output is channel `j * C/groups + i` of the input.

    Shapes:
        input `(N, C, *)` -> `(N, C, *)`, with at least one axis after the channels. Like
        `nn.ChannelShuffle`, it takes the second axis for the channels, always.

    Args:
        groups: how many, at least 1; it must divide the channels of the input.

    Example:
        >>> import torch
        >>> ChannelShuffle(2)(torch.arange(6).reshape(1, 6, 1)).flatten().tolist()
        [0, 3, 1, 4, 2, 5]

    Source: Zhang, Zhou, Lin and Sun, arXiv 1707.01083, section 3.1.
    """

    def forward(self, input: Tensor) -> Tensor:
        rows = (self.groups, _per_group(input, self.groups))
        return input.unflatten(1, rows).transpose(1, 2).flatten(1, 2)


class ChannelUnshuffle(_Grouped):
    """Undo `ChannelShuffle(groups)`.

    It is a shuffle itself, with `C/groups` groups.

    Shapes:
        input `(N, C, *)` -> `(N, C, *)`, with at least one axis after the channels.

    Args:
        groups: of the shuffle to undo, at least 1; it must divide the channels of the input.

    Example:
        >>> import torch
        >>> x = torch.tensor([0, 3, 1, 4, 2, 5]).reshape(1, 6, 1)
        >>> ChannelUnshuffle(2)(x).flatten().tolist()
        [0, 1, 2, 3, 4, 5]

    Source: Zhang, Zhou, Lin and Sun, arXiv 1707.01083, section 3.1, read backwards.
    """

    def forward(self, input: Tensor) -> Tensor:
        columns = (_per_group(input, self.groups), self.groups)
        return input.unflatten(1, columns).transpose(1, 2).flatten(1, 2)


def _per_group(input: Tensor, groups: int) -> int:
    """Return how many channels each group has, or refuse an input that cannot be shared out."""
    check_type(input, "input")
    if input.ndim < 3:
        raise ValueError(f"input has shape {tuple(input.shape)}; use (N, C, H, W)")
    channels = input.shape[1]
    if channels % groups:
        raise ValueError(
            f"groups={groups} does not divide the {channels} channels of input; "
            f"use {-(-channels // groups) * groups} channels or another number of groups"
        )
    return channels // groups
