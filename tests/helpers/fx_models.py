"""Draw small models, for tests that ask two methods the same question about them.

Every model has WIDTH channels between its parts, layers and functions alike, and settings that
differ from axis to axis. Branches are padded differently on purpose and cropped where they meet.
"""

from math import gcd

import torch
import torch.nn.functional as F
from hypothesis import assume
from hypothesis import strategies as st
from torch import nn
from torchvision import models

WIDTH = 4


class Call(nn.Module):
    """A function as a part of a model."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class ByFunction(nn.Module):
    """A convolution that calls `F.conv2d` or its like itself."""

    def __init__(self, layer):
        super().__init__()
        self.weight = layer.weight
        self.padding, self.dilation = layer.padding, layer.dilation
        self.stride, self.groups = layer.stride, layer.groups
        self.transposed, rank = layer.transposed, len(layer.kernel_size)
        self.extra = layer.output_padding
        self.convolve = getattr(F, f"conv_transpose{rank}d" if self.transposed else f"conv{rank}d")

    def forward(self, x):
        settings = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        if self.transposed:
            settings["output_padding"] = self.extra
        return self.convolve(x, self.weight, groups=self.groups, **settings)


class Join(nn.Module):
    """Branches that meet: added, multiplied, stacked or laid side by side."""

    def __init__(self, how, *branches):
        super().__init__()
        self.how, self.branches = how, nn.ModuleList(branches)

    def forward(self, x):
        outputs = [branch(x) for branch in self.branches]
        height = min(output.shape[-2] for output in outputs)
        width = min(output.shape[-1] for output in outputs)
        outputs = [output[..., :height, :width] for output in outputs]
        if self.how == "add":
            return outputs[0] + outputs[1]
        if self.how == "multiply":
            return outputs[0].mul(outputs[1].sigmoid())
        if self.how == "stack":
            return torch.stack(outputs, 2).amax(2)
        return F.conv2d(torch.cat(outputs, 1), torch.ones(WIDTH, 2 * WIDTH, 1, 1))


def around(low, high):
    """Draw one int per axis."""
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def convolutions(draw, strides=2):
    kernel_size, dilation = draw(around(1, 4)), draw(around(1, 3))
    stride = draw(around(1, strides))
    padding = draw(st.one_of(around(0, 3), st.just("same" if stride == (1, 1) else (1, 0))))
    groups = draw(st.sampled_from([1, 2, WIDTH]))
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    layer = nn.Conv2d(WIDTH, WIDTH, kernel_size, bias=False, **settings)
    return ByFunction(layer) if draw(st.booleans()) else layer


@st.composite
def transposed_convolutions(draw):
    """Draw one without holes: every output reads something, on either axis.

    Where there are holes, the axes depend on each other, and trace gives an upper bound.
    """
    stride, dilation = draw(around(1, 3)), draw(around(1, 2))
    assume(all(gcd(*pair) == 1 for pair in zip(stride, dilation, strict=True)))
    kernel_size = tuple(step + draw(st.integers(0, 2)) for step in stride)
    padding = draw(around(0, 2))
    limits = (max(pair) - 1 for pair in zip(stride, dilation, strict=True))
    extra = tuple(draw(st.integers(0, limit)) for limit in limits)
    groups = draw(st.sampled_from([1, 2, WIDTH]))
    settings = {"output_padding": extra, "groups": groups, "dilation": dilation, "bias": False}
    layer = nn.ConvTranspose2d(WIDTH, WIDTH, kernel_size, stride, padding, **settings)
    return ByFunction(layer) if draw(st.booleans()) else layer


@st.composite
def poolings(draw):
    kernel_size, stride = draw(around(1, 3)), draw(st.one_of(st.none(), around(1, 2)))
    padding = tuple(draw(st.integers(0, size // 2)) for size in kernel_size)
    ceil_mode = draw(st.booleans())
    if draw(st.booleans()):
        return nn.AvgPool2d(kernel_size, stride, padding, ceil_mode)
    dilation = draw(around(1, 2))
    return nn.MaxPool2d(kernel_size, stride, padding, dilation, ceil_mode=ceil_mode)


def _shift(x):
    """Move the channels apart and back, and pad one side more than the other."""
    x = F.pad(x, (2, 0, 1, 3)).permute(0, 2, 3, 1).relu()
    return F.layer_norm(x, x.shape[-1:]).permute(0, 3, 1, 2)


def _channels(x):
    """Take the channels apart and shuffle them."""
    first, second = x.chunk(2, dim=1)
    x = torch.cat([first, second.tanh()], 1)
    n, c, h, w = x.shape
    return x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)


def _up(x):
    """Shuffle channels into sub-pixels, and make up for the lost channels."""
    return F.pixel_shuffle(x, 2).repeat(1, WIDTH, 1, 1)


def _up_by_hand(x):
    """Do as `_up`, by views."""
    n, c, h, w = x.shape
    x = x.view(n, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3)
    return x.reshape(n, c // 4, 2 * h, 2 * w).expand(-1, WIDTH, -1, -1)


def _pool_by_hand(x):
    """Average pairs of rows, by a view."""
    return x[:, :, : x.shape[2] // 2 * 2].unflatten(2, (-1, 2)).mean(3)


FUNCTIONS = {
    "pool by hand": _pool_by_hand,
    "shift": _shift,
    "channels": _channels,
    "pixel shuffle": _up,
    "unshuffle": lambda x: F.pixel_unshuffle(F.pad(x, (0, x.shape[-1] % 2, 0, x.shape[-2] % 2)), 2)[
        :, :WIDTH
    ],
    "nearest": lambda x: F.interpolate(x, scale_factor=(2, 3)),
    "nearest-exact": lambda x: F.interpolate(x, scale_factor=(3, 2), mode="nearest-exact"),
    "bilinear": lambda x: F.interpolate(x, scale_factor=(3, 2), mode="bilinear"),
    "smaller": lambda x: F.interpolate(x, scale_factor=0.5, mode="bilinear"),
    "crop": lambda x: x[:, :, 1:, 2:-1],
    "every third": lambda x: x[..., 1::3],
    "repeat": lambda x: x.repeat_interleave(2, dim=-1),
    "narrow": lambda x: x.narrow(2, 1, x.shape[2] - 1),
    "lp": lambda x: F.lp_pool2d(x, 2, (2, 1)),
}
functions = st.sampled_from(sorted(FUNCTIONS)).map(lambda name: Call(FUNCTIONS[name]))
quiet = st.sampled_from([nn.ReLU(), nn.BatchNorm2d(WIDTH), nn.GroupNorm(2, WIDTH), nn.Hardswish()])


@st.composite
def hourglasses(draw):
    """Draw a way down and up again by the same factor: it can meet the input it came from."""
    factor = draw(st.integers(2, 3))
    down = nn.Conv2d(WIDTH, WIDTH, draw(st.integers(1, 4)), factor, padding=1)
    inside = draw(convolutions(strides=1))
    kernel_size = factor + draw(st.integers(0, 2))
    up = nn.ConvTranspose2d(WIDTH, WIDTH, kernel_size, factor)
    return nn.Sequential(down, inside, up)


plain_branches = st.lists(convolutions(strides=1), max_size=3).map(lambda ls: nn.Sequential(*ls))
branches = st.one_of(convolutions(strides=1), hourglasses(), plain_branches)
joins = st.builds(Join, st.sampled_from(["add", "multiply", "stack", "cat"]), branches, branches)
parts = st.one_of(convolutions(), joins, poolings(), transposed_convolutions(), functions, quiet)


def torchvision_model(name):
    """Return one of torchvision's models, without memory for its weights where that works."""
    settings = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    needs_values = name.startswith("regnet")  # its widths are computed with tensors
    with torch.device("cpu" if needs_values else "meta"):
        return models.get_model(name, weights=None, **settings).eval()
