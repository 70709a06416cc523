"""Draw models that write into views, and that unfold and fold, for tests against real gradients.

All they do is linear with positive weights, or multiplies by positive values: the gradient of the
real model, as PyTorch computes it, is therefore not zero just where an output sees a pixel. Rows
that are written by turns see no other columns than those between: `trace` keeps the axes apart, and
would give an upper bound. Maps have WIDTH channels between the parts, as in `fx_models`.
"""

import torch
import torch.nn.functional as F
from hypothesis import strategies as st
from torch import nn

from tests.helpers.fx_models import WIDTH, around


class Part(nn.Module):
    """A function of the map and of two convolutions that keep its size.

    Its channels are mixed before: `trace` takes those of a map to see the same.
    """

    def __init__(self, function, first, second):
        super().__init__()
        self.function, self.first, self.second = function, first, second
        self.mix = nn.Conv2d(WIDTH, WIDTH, 1, bias=False)

    def forward(self, x):
        return self.function(self.mix(x), self.first, self.second)


def _add_to_channels(x, a, b):
    y = a(x)
    y[:, :2].add_(b(x)[:, 1:3])
    return y


def _assign_channels(x, a, b):
    y = a(x)
    y[:, 1:3] = b(x)[:, :2]
    return y


def _overwrite_all(x, a, b):
    """Nothing is left of the first convolution."""
    y = a(x)
    y[:, :2] = x[:, :2]
    y[:, 2:] = b(x)[:, 2:]
    return y


def _keep_a_part(x, a, b):
    """Hand on only what was not overwritten."""
    y = a(x)
    y[:, :2].copy_(b(x)[:, :2])
    return y[:, 2:].repeat(1, 2, 1, 1)


def _through_a_permutation(x, a, b):
    y = a(x)
    y.permute(0, 2, 3, 1)[..., 1:2].add_(b(x).permute(0, 2, 3, 1)[..., :1])
    return y


def _through_groups(x, a, b):
    y, (n, c, h, w) = a(x), x.shape
    y.view(n, 2, c // 2, h, w)[:, 0].mul_(b(x)[:, :2])
    return y


def _through_flat_rows(x, a, b):
    y = a(x)
    y.flatten(2)[:, 1:].add_(b(x).flatten(2)[:, 1:])
    return y


def _base_after_view(x, a, b):
    y = a(x)
    view = y[:, 1:]
    y += b(x)
    return torch.cat([view, view[:, :1]], 1)


def _couple(x, a, b):
    y = x.clone()
    first, second = y[:, :2], y[:, 2:]
    first.add_(a(second.repeat(1, 2, 1, 1))[:, :2])
    second.add_(b(first.repeat(1, 2, 1, 1))[:, :2])
    return y


def _rows_by_turns(x, a, b):
    """Every second row sees further up and down, and no further to the sides."""
    y = a(x)
    y[:, :, ::2] = F.avg_pool2d(y, (4, 1), 1, (2, 0))[:, :, :-1][:, :, ::2]
    return b(y)


def _columns_by_turns(x, a, b):
    y = a(x)
    y[..., 1::3] += F.avg_pool2d(y, (1, 5), 1, (0, 2))[..., 1::3]
    return b(y)


def _insert_zeros(x, a, b):
    n, c, h, w = x.shape
    y = x.new_zeros(n, c, 2 * h, 3 * w)
    y[:, :, ::2, 1::3] = b(x)
    return F.conv2d(y, torch.ones(c, c, 3, 4, dtype=x.dtype, device=x.device))


def _pad_by_hand(x, a, b):
    n, c, h, w = x.shape
    y = torch.zeros(n, c, h + 3, w + 2, dtype=x.dtype)
    y[:, :, 2:-1, 1:-1] = a(x)
    return y


def _shift_by_hand(x, a, b):
    y = torch.zeros_like(x)
    y[:, :1, :-1] = x[:, :1, 1:]
    y[:, 1:2, 2:] = x[:, 1:2, :-2]
    y[:, 2:] = b(x)[:, 2:]
    return y


def _erase(x, a, b):
    y = a(x)
    y[:, 1:].zero_()
    y[:, 2:].add_(b(x)[:, 2:])
    y[:, 0] = x[:, 0]
    return y


def _select(x, a, b):
    y = a(x)
    y.select(1, 1).add_(b(x)[:, 2])
    y[:, 3].relu_().mul_(2)
    return y


def _blocks_of_rows(x, a, b):
    """Write into one row of each pair, through a view that splits the axis."""
    y = b(a(x)[:, :, : x.shape[2] // 2 * 2])
    n, c, h, w = y.shape
    y.view(n, c, h // 2, 2, w)[:, :, :, 1].add_(F.avg_pool2d(y, (4, 1), (2, 1), (1, 0)))
    return y


MEMORY = {
    name.removeprefix("_").replace("_", " "): function
    for name, function in list(globals().items())
    if name.startswith("_") and callable(function) and not name.startswith("__")
}


@st.composite
def convolutions(draw):
    """Draw one that keeps the size of its map, and sees no further one way than it can."""
    kernel_size, dilation = draw(around(1, 4)), draw(around(1, 2))
    return nn.Conv2d(WIDTH, WIDTH, kernel_size, padding="same", dilation=dilation, bias=False)


memory_parts = st.builds(
    Part, st.sampled_from(sorted(MEMORY)).map(MEMORY.get), convolutions(), convolutions()
)


class Columns(nn.Module):
    """A convolution written with `F.unfold`, or a transposed one with `F.fold`."""

    def __init__(self, how, kernel_size, stride, padding, dilation):
        super().__init__()
        self.how = how
        self.settings = {"dilation": dilation, "padding": padding, "stride": stride}
        self.kernel_size = kernel_size
        taps = WIDTH * kernel_size[0] * kernel_size[1]
        rows = taps if how == "fold" else WIDTH
        self.weight = nn.Parameter(torch.empty(rows, taps))
        self.unfold = nn.Unfold(kernel_size, **self.settings)

    def forward(self, x):
        columns = self.unfold(x)
        if self.how == "there and back":
            return F.fold(columns, x.shape[-2:], self.kernel_size, **self.settings)
        if self.how == "einsum":
            columns = torch.einsum("ok,nkl->nol", self.weight, columns)
        else:
            columns = self.weight @ columns
        if self.how == "fold":
            return F.fold(columns, x.shape[-2:], self.kernel_size, **self.settings)
        height = self._size(x, 0)
        if self.how == "fold as view":
            return F.fold(columns, (height, columns.shape[-1] // height), 1)
        return columns.view(x.shape[0], WIDTH, height, -1)

    def _size(self, x, axis):
        taps, (gap, pad, step) = (
            self.kernel_size[axis],
            (one[axis] for one in self.settings.values()),
        )
        return (x.shape[axis + 2] + 2 * pad - gap * (taps - 1) - 1) // step + 1


@st.composite
def columns(draw):
    how = draw(st.sampled_from(["matmul", "einsum", "fold as view", "fold", "there and back"]))
    kernel_size, padding, dilation = draw(around(1, 3)), draw(around(0, 2)), draw(around(1, 2))
    back = how in ("fold", "there and back")
    # Folded back, windows that leave pixels out, or holes between them, are another matter.
    stride = (1, 1) if back else draw(around(1, 2))
    return Columns(how, kernel_size, stride, padding, dilation)


class Windows(nn.Module):
    """Weighted sums over the windows of `Tensor.unfold`, along both axes."""

    def __init__(self, size, step):
        super().__init__()
        self.size, self.step = size, step
        self.weight = nn.Parameter(torch.empty(size))

    def forward(self, x):
        for axis in range(2):
            x = x.unfold(axis + 2, self.size[axis], self.step[axis])
        return (x * self.weight).sum((-2, -1))


class Patches(nn.Module):
    """Cut into patches, mix each, and lay them side by side again, by reshape and permute."""

    def __init__(self, side):
        super().__init__()
        self.side = side
        self.mix = nn.Linear(WIDTH * side**2, WIDTH, bias=False)

    def forward(self, x):
        side, (n, c, h, w) = self.side, x.shape
        h, w = h // side, w // side
        x = x[..., : h * side, : w * side].reshape(n, c, h, side, w, side)
        x = self.mix(x.permute(0, 2, 4, 1, 3, 5).reshape(n, h * w, c * side**2))
        return x.transpose(1, 2).reshape(n, WIDTH, h, w)


class Shuffle(nn.Module):
    """A pixel shuffle by reshape and permute, of channels that all see the same."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Conv2d(WIDTH, WIDTH, 1, bias=False)

    def forward(self, x):
        n, c, h, w = x.shape
        x = self.mix(x).reshape(n, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3)
        return x.reshape(n, c // 4, 2 * h, 2 * w).repeat(1, WIDTH, 1, 1)


windows = st.builds(Windows, around(1, 4), around(1, 2))
reshapes = st.one_of(columns(), windows, st.builds(Patches, st.integers(1, 4)), st.builds(Shuffle))


def positive(model):
    """Return the model in float64 with positive weights."""
    for parameter in model.double().parameters():
        nn.init.uniform_(parameter, 0.5, 1)
    return model
