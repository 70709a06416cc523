"""PyTorch is the oracle twice: which dtype comes out under autocast, and how exact sums are."""

import pytest
import torch
import torch.nn.functional as F

from convbook.functional import (
    conv2d,
    conv2d_loops,
    conv2d_matrix,
    conv_transpose2d,
    fold,
    pixel_shuffle,
    unfold,
)
from tests.helpers.strategies import random_tensor

HALVES = [torch.bfloat16, torch.float16]
# Ours, PyTorch's, and the shape of the weight for four channels.
CONVOLUTIONS = {
    "conv2d": (conv2d, F.conv2d, (6, 4, 3, 3)),
    "conv2d_loops": (conv2d_loops, F.conv2d, (6, 4, 3, 3)),
    "conv_transpose2d": (conv_transpose2d, F.conv_transpose2d, (4, 6, 3, 3)),
}
EVERY = pytest.mark.parametrize("names", CONVOLUTIONS.values(), ids=CONVOLUTIONS)


def random(shape, dtype=torch.float32):
    """Return numbers with more digits than 16 bits hold."""
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, generator=generator).to(dtype)


# ------------------------------------------------------------------ autocast


@EVERY
@pytest.mark.parametrize("narrow", HALVES, ids=str)
@pytest.mark.parametrize(
    "dtypes",
    [
        (torch.float32, torch.float32, torch.float32),
        (torch.float32, torch.float32, None),
        (torch.bfloat16, torch.float32, torch.float32),  # as behind another convolution
        (torch.float32, torch.float16, torch.float32),
        (torch.float16, torch.float16, torch.bfloat16),
        (torch.float64, torch.float64, torch.float64),
        (torch.complex64, torch.complex64, torch.complex64),
    ],
    ids=str,
)
def test_autocast_gives_pytorchs_dtype(names, narrow, dtypes):
    ours, theirs, weight_shape = names
    shapes = ((2, 4, 5, 6), weight_shape, (6,))
    # Integers, whose sums are exact in 16 bits too, whatever the order of the additions.
    tensors = [
        dtype and random_tensor(shape, torch.int64).to(dtype)
        for shape, dtype in zip(shapes, dtypes, strict=True)
    ]
    with torch.autocast("cpu", dtype=narrow):
        value, expected = ours(*tensors), theirs(*tensors)
    torch.testing.assert_close(value, expected)  # the dtype too


def error(value, exact):
    """Return the root mean square of what rounding has changed."""
    return (value.double() - exact).square().mean().sqrt()


@EVERY
def test_autocast_through_a_stack_and_back(names):
    """Its gradients are as near those of double precision as PyTorch's, on every processor."""
    ours, theirs, weight_shape = names

    def gradients(function, dtype=torch.float32):
        x, weight, bias = (
            random(shape, dtype).requires_grad_() for shape in ((1, 4, 6, 6), weight_shape, (6,))
        )
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.float32):
            y = function(x, weight, bias)
            y = function(F.conv2d(y, random((4, 6, 1, 1), dtype)), weight)
        assert y.dtype == (torch.bfloat16 if dtype == torch.float32 else dtype)
        return torch.autograd.grad(y.to(dtype).square().mean(), [x, weight, bias])

    exact = gradients(theirs, torch.float64)
    for mine, other, truth in zip(gradients(ours), gradients(theirs), exact, strict=True):
        assert mine.dtype == other.dtype == torch.float32
        assert error(mine, truth) <= 2 * error(other, truth)


@EVERY
def test_autocast_refuses_what_stays_apart(names):
    """It leaves float64 alone, so that a float64 input does not meet a cast weight."""
    ours, theirs, weight_shape = names
    tensors = random((1, 4, 5, 5)).double(), random(weight_shape)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with pytest.raises(RuntimeError):
            theirs(*tensors)
        message = "input has dtype torch.float64, weight has dtype torch.bfloat16; convert them to"
        with pytest.raises(TypeError, match=message):
            ours(*tensors)


def test_autocast_leaves_what_only_moves_numbers_alone():
    x, columns = random((1, 4, 6, 6)), random((1, 36, 16))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert unfold(x, 3).dtype == F.unfold(x, 3).dtype == torch.float32
        assert fold(columns, 6, 3).dtype == F.fold(columns, 6, 3).dtype == torch.float32
        assert pixel_shuffle(x, 2).dtype == F.pixel_shuffle(x, 2).dtype == torch.float32
        matrix = conv2d_matrix(x[:, :, :3, :3], (5, 5))
    assert torch.equal(matrix, conv2d_matrix(x[:, :, :3, :3], (5, 5)))


def test_autocast_of_another_device_changes_nothing():
    x, weight = random((1, 4, 5, 5)), random((6, 4, 3, 3))
    meta = x.to("meta"), weight.to("meta")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert conv2d(*meta).dtype == F.conv2d(*meta).dtype == torch.float32
        with torch.autocast("cpu", enabled=False):
            assert conv2d(x, weight).dtype == torch.float32


# ------------------------------------------------------------------ 16 bits


@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("channels", "size", "kernel_size"), [(8, 30, 11), (16, 9, 3), (64, 8, 7)])
def test_sums_of_16_bit_floats_are_as_exact_as_pytorchs(dtype, stride, channels, size, kernel_size):
    x = random((1, channels, size, size), dtype)
    weight = random((channels, channels, kernel_size, kernel_size), dtype)
    for ours, theirs in ((conv2d, F.conv2d), (conv_transpose2d, F.conv_transpose2d)):
        exact = theirs(x.double(), weight.double(), stride=stride)
        allowed = 2 * error(theirs(x, weight, stride=stride), exact)
        assert error(ours(x, weight, stride=stride), exact) <= allowed
    columns = random((1, 2 * kernel_size**2, 64), dtype)
    exact = F.fold(columns.double(), 7 + kernel_size, kernel_size)
    allowed = 2 * error(F.fold(columns, 7 + kernel_size, kernel_size), exact)
    folded = fold(columns, 7 + kernel_size, kernel_size)
    assert error(folded, exact) <= allowed
    # PyTorch rounds after each addition; ours is rounded once.
    assert folded.equal(fold(columns.float(), 7 + kernel_size, kernel_size).to(dtype))


# ------------------------------------------------------------------ complex32


@EVERY
@pytest.mark.filterwarnings("ignore:ComplexHalf support is experimental:UserWarning")
def test_complex32(names):
    """PyTorch convolves it, with a warning that little else works: integers are exact in it."""
    ours, theirs, weight_shape = names
    shapes = ((1, 4, 5, 5), weight_shape, (6,))
    parts = [[random_tensor(shape, torch.float16) for shape in shapes] for _ in range(2)]
    tensors = [torch.complex(*pair) for pair in zip(*parts, strict=True)]
    value, expected = ours(*tensors, padding=1), theirs(*tensors, padding=1)
    assert value.dtype == expected.dtype == torch.complex32
    torch.testing.assert_close(torch.view_as_real(value), torch.view_as_real(expected))


# ------------------------------------------------------------------ outputs without pixels


def test_a_transposed_convolution_leaves_one_pixel_or_is_refused():
    """PyTorch's own kernel refuses it too; its other backends return an empty map."""
    x, weight = random((1, 8, 14, 14)).double(), random((8, 8, 3, 3)).double()
    with pytest.raises(RuntimeError, match="Output size is too small"):
        F.conv_transpose2d(x, weight, padding=(8, 0))
    message = r"padding=8 crops all of the output 16-2\*8; use padding<=7 or a larger kernel"
    for one, filters in ((x, weight), (x[0], weight), (x.float(), weight.float())):
        with pytest.raises(ValueError, match=message):
            conv_transpose2d(one, filters, padding=(8, 0))
    assert conv_transpose2d(x[:, :, :, :13], weight, padding=(7, 7)).shape == (1, 8, 2, 1)
