"""Pairs of layers to diagnose in chapter 11, and plausible tests that do not tell a transpose."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

KERNEL = torch.tensor([[[[2.0, 0, 1], [1, 0, 0], [0, 1, 1]]]])  # the chapter's


@dataclass(frozen=True)
class Layer:
    """A function of a map, shown as it is written, so that a reader can paste it into a cell.

    `source` is a lambda that may use torch, F and the chapter's kernel, which takes on the dtype of
    the map.

    Example:
        >>> double = Layer("lambda x: 2 * x")
        >>> double, double(torch.ones(1, 1, 1, 1)).item()
        (lambda x: 2 * x, 2.0)
    """

    source: str

    def __call__(self, x):
        """Return what the layer makes of a map; whole numbers count as float64."""
        x = x if x.is_floating_point() else x.double()
        return eval(self.source, {"torch": torch, "F": F, "kernel": KERNEL.to(x)})(x)

    def __repr__(self):
        return self.source


_DOWN = "lambda x: F.conv2d(x, kernel, stride=2, padding=1)"
_UP = "lambda y: F.conv_transpose2d(y, kernel, stride=2, padding=1)"
_UP_ONE_MORE = "lambda y: F.conv_transpose2d(y, kernel, stride=2, padding=1, output_padding=1)"
_SLIDE = "lambda x: F.conv2d(x, kernel, padding=1)"
_MEANS = "lambda x: F.avg_pool2d(x, 2)"
_REPEAT = "lambda y: F.interpolate(y, scale_factor=2)"
_EVERY_SECOND = "lambda x: x[..., ::2, ::2]"
_MEAN = "lambda x: x.mean((2, 3), keepdim=True)"

# (small, large, the side of small's map)
_TRANSPOSED = [
    (_DOWN, _UP, 5),
    (_DOWN, _UP_ONE_MORE, 6),
    (_SLIDE, "lambda y: F.conv2d(y, kernel.flip(2, 3), padding=1)", 4),
    ("lambda x: F.conv2d(x, kernel, padding=2)", "lambda y: F.conv2d(y, kernel.flip(2, 3))", 4),
    (_MEANS, f"{_REPEAT} / 4", 6),
    (_MEANS, "lambda y: F.pad(F.interpolate(y, scale_factor=2) / 4, (0, 1, 0, 1))", 5),
    (_EVERY_SECOND, "lambda y: F.conv_transpose2d(y, y.new_ones(1, 1, 1, 1), stride=2)", 5),
    (_MEAN, "lambda y: y.expand(1, 1, 4, 4) / 16", 4),
    ("lambda x: x[..., 1:-1, 1:-1]", "lambda y: F.pad(y, (1, 1, 1, 1))", 5),
    ("lambda x: x.flip(3)", "lambda y: y.flip(3)", 4),
    ("lambda x: x.mT", "lambda y: y.mT", 4),
    ("lambda x: x.roll(1, 3)", "lambda y: y.roll(-1, 3)", 4),
    ("lambda x: 2 * x", "lambda y: 2 * y", 4),
    ("lambda x: x.tril()", "lambda y: y.tril()", 4),
]
_NOT_TRANSPOSED = [
    (_DOWN, "lambda y: F.conv_transpose2d(y, kernel.flip(2, 3), stride=2, padding=1)", 5),
    (_DOWN, f"{_UP} + 1", 5),  # a bias
    (f"{_DOWN} + 1", _UP, 5),
    (f"{_DOWN}.relu()", _UP, 5),
    (_DOWN, _UP, 6),  # comes back to 5
    (_DOWN, _UP_ONE_MORE, 5),  # comes back to 6
    (_SLIDE, "lambda y: F.conv2d(y, kernel, padding=1)", 4),
    (_MEANS, _REPEAT, 6),
    (_MEANS, f"{_REPEAT} / 4", 5),  # comes back to 4
    ("lambda x: F.max_pool2d(x, 2)", f"{_REPEAT} / 4", 6),
    (_EVERY_SECOND, _REPEAT, 6),
    (_MEAN, "lambda y: y / 16", 4),  # one pixel, which broadcasting stretches
    ("lambda x: x.roll(1, 3)", "lambda y: y.roll(1, 3)", 4),
    ("lambda x: x.tril()", "lambda y: y.triu()", 4),
    ("lambda x: 2 * x", "lambda y: y / 2", 4),
    ("lambda x: x + 1", "lambda y: y - 1", 4),
    ("lambda x: x.cumsum(3)", "lambda y: y.diff(dim=3, prepend=0 * y[..., :1])", 4),
    ("lambda x: x.abs()", "lambda y: y", 4),
]

CASES = [
    {"small": Layer(small), "large": Layer(large), "size": size}
    for small, large, size in (*_TRANSPOSED, *_NOT_TRANSPOSED)
]


def is_transpose(small, large, size):
    """Return whether `large` is the transpose of `small`, by the brackets of whole numbers."""
    return all(_fits(small, large, x, y) for x, y in _draws(small, size, _whole_numbers))


def shapes_only(small, large, size):
    """Ask for the shape of what comes back, and for no number."""
    x = torch.zeros(1, 1, size, size)
    return large(small(x)).shape == x.shape


def on_ones(small, large, size):
    """Feed both layers with ones."""
    return all(_fits(small, large, x, y) for x, y in _draws(small, size, _ones))


def on_positive_numbers(small, large, size):
    """Draw between 0 and 1."""
    return all(_fits(small, large, x, y) for x, y in _draws(small, size, _positive))


def without_shapes(small, large, size):
    """Multiply whatever comes back with x."""
    return all(
        torch.isclose((small(x) * y).sum(), (x * large(y)).sum()).item()
        for x, y in _draws(small, size, _whole_numbers)
    )


def y_like_x(small, large, size):
    """Draw y of the shape of x, and multiply whatever comes."""
    return all(
        torch.isclose((small(x) * y).sum(), (x * large(y)).sum()).item()
        for x, y in _draws(lambda x: x, size, _whole_numbers)
    )


def is_inverse(small, large, size):
    """Ask whether the second layer undoes the first."""
    x, _ = next(_draws(small, size, _whole_numbers))
    back = large(small(x))
    return back.shape == x.shape and torch.allclose(back, x)


def exactly_equal(small, large, size):
    """Compare sums in float32 with ==."""
    return all(
        large(y).shape == x.shape and ((small(x) * y).sum() == (x * large(y)).sum()).item()
        for x, y in _draws(small, size, _float32, times=9)
    )


def is_gradient(small, large, size):
    """Compare with the way back of autograd, which forgets what is added."""
    x, y = next(_draws(small, size, _whole_numbers))
    x = x.requires_grad_()
    (gradient,) = torch.autograd.grad(small(x), x, y)
    back = large(y)
    return back.shape == x.shape and torch.allclose(back, gradient)


def _fits(small, large, x, y):
    """Return whether <small(x), y> = <x, large(y)>, and both are there."""
    back = large(y)
    return back.shape == x.shape and torch.isclose((small(x) * y).sum(), (x * back).sum()).item()


def _draws(small, size, numbers, times=3):
    """Draw x and y, each of its own shape."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(times):
        x = numbers((1, 1, size, size), generator)
        yield x, numbers(small(x).shape, generator)


def _whole_numbers(shape, generator):
    return torch.randint(-9, 10, shape, generator=generator).double()


def _ones(shape, generator):
    return torch.ones(shape).double()


def _positive(shape, generator):
    return torch.rand(shape, generator=generator).double()


def _float32(shape, generator):
    return torch.randn(shape, generator=generator)
