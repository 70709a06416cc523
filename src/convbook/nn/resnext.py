"""The block of ResNeXt: many narrow paths, in three forms that give the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from convbook._checks.arguments import IntOrPair, integer, per_axis
from convbook.nn.residual import conv1x1, conv3x3, make_shortcut
from convbook.nn.settings import Pair, check_channels

Form: TypeAlias = Literal["added", "concatenated", "grouped"]
FORMS: tuple[Form, ...] = ("added", "concatenated", "grouped")


class ResNeXtBlock(nn.Module):
    """A residual block of `cardinality` paths, each a bottleneck of `width` channels.

    A path is a 1 x 1, a 3 x 3 and a last 1 x 1 convolution. Norm and ReLU follow the first two. The
    last one has neither, and is therefore linear: that makes three forms equal.

    - `'added'`: every path has its last 1 x 1, and their outputs are added (figure 3a).
    - `'concatenated'`: the paths end before it, their maps are laid side by side, and one 1 x 1
      reads them all (figure 3b).
    - `'grouped'`: one path has all `cardinality * width` channels, and `cardinality` groups in its
      3 x 3 (figure 3c). This is `BottleneckBlock(in_channels, cardinality * width, out_channels,
      stride, groups=cardinality)`.

    Batch norm follows the sum, then the shortcut is added.

    Shapes:
        input `(N, in_channels, H, W)` -> `(N, out_channels, H_out, W_out)`, where `(H_out, W_out)`
        is `conv_output_size((H, W), 3, stride, padding=1)`.

    Args:
        in_channels: of the input, at least 1.
        out_channels: of the output, at least 1.
        stride: of the 3 x 3 convolutions and of the projection, at least 1.
        cardinality: how many paths, at least 1.
        width: channels of each path, at least 1.
        form: one of the three.

    Example:
        >>> block = ResNeXtBlock(256, 256, form="added")
        >>> sum(p.numel() for p in block.parameters() if p.ndim > 1)  # without batch norm
        70144
        >>> x = torch.rand(1, 256, 4, 4)
        >>> torch.allclose(block(x), block.as_form("grouped")(x), atol=1e-5)
        True

    Source: Xie, Girshick, Dollár, Tu and He, arXiv 1611.05431, figure 3.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: IntOrPair = 1,
        cardinality: int = 32,
        width: int = 4,
        form: Form = "grouped",
    ) -> None:
        super().__init__()
        self.in_channels = integer(in_channels, "in_channels", 1)
        self.out_channels = integer(out_channels, "out_channels", 1)
        self.stride = per_axis(stride, 2, "stride", 1)
        self.cardinality = integer(cardinality, "cardinality", 1)
        self.width = integer(width, "width", 1)
        self.form = _check_form(form)
        inside = self.cardinality * self.width
        paths = 1 if form == "grouped" else self.cardinality
        points = self.cardinality if form == "added" else 1
        self.paths = nn.ModuleList(
            _path(self.in_channels, inside // paths, self.stride, self.cardinality // paths)
            for _ in range(paths)
        )
        self.points = nn.ModuleList(
            conv1x1(inside // points, self.out_channels) for _ in range(points)
        )
        self.norm = nn.BatchNorm2d(self.out_channels)
        self.relu = nn.ReLU()
        self.shortcut = make_shortcut(self.in_channels, self.out_channels, self.stride)

    def forward(self, input: Tensor) -> Tensor:
        check_channels(input, self.in_channels, "(N, C, H, W)")
        maps = [path(input) for path in self.paths]
        if len(maps) > len(self.points):
            maps = [torch.cat(maps, dim=1)]
        first, *others = [point(x) for point, x in zip(self.points, maps, strict=True)]
        return self.relu(self.norm(sum(others, start=first)) + self.shortcut(input))

    def as_form(self, form: Form) -> ResNeXtBlock:
        """Return the block in another form, with copies of the same weights and statistics."""
        with torch.device("meta"):  # draws no random numbers: the values come from this block
            block = ResNeXtBlock(
                self.in_channels,
                self.out_channels,
                self.stride,
                self.cardinality,
                self.width,
                _check_form(form),
            )
        weight = next(self.points.parameters())
        block = block.to(weight.dtype).to_empty(device=weight.device).train(self.training)
        # Paths lie side by side in their outputs; the last 1 x 1 reads them, so along its inputs.
        _copy(self.paths, block.paths, dim=0)
        _copy(self.points, block.points, dim=1)
        block.norm.load_state_dict(self.norm.state_dict())
        block.shortcut.load_state_dict(self.shortcut.state_dict())
        return block

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, stride={self.stride}, "
            f"cardinality={self.cardinality}, width={self.width}, form={self.form!r}"
        )


def _check_form(form: Form) -> Form:
    """Return the name of a form, or refuse it."""
    if form not in FORMS:
        raise ValueError(
            f"form={form!r} is unknown; use {FORMS[0]!r}, {FORMS[1]!r} or {FORMS[2]!r}"
        )
    return form


def _path(in_channels: int, width: int, stride: Pair, groups: int) -> nn.Sequential:
    """Return a path up to its last 1 x 1, or `groups` of them in one."""
    return nn.Sequential(
        conv1x1(in_channels, width),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        conv3x3(width, width, stride, groups),
        nn.BatchNorm2d(width),
        nn.ReLU(),
    )


def _copy(sources: Iterable[nn.Module], targets: Iterable[nn.Module], dim: int) -> None:
    """Lay the tensors of some modules side by side along `dim`, and share them out to others."""
    given = [module.state_dict() for module in sources]
    wanted = [module.state_dict() for module in targets]
    for name, first in given[0].items():
        # How many batches the statistics come from is the same in every path.
        parts: Sequence[Tensor] = [first] * len(wanted)
        if first.ndim:
            parts = torch.cat([state[name] for state in given], dim).chunk(len(wanted), dim)
        for state, part in zip(wanted, parts, strict=True):
            state[name].copy_(part)
