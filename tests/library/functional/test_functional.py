"""Every operation built by hand equals PyTorch's own: values, gradients, dtypes, odd shapes."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck

from convbook.arithmetic import conv_output_size
from convbook.functional import (
    conv2d,
    conv2d_loops,
    conv2d_matrix,
    conv_transpose2d,
    fold,
    pixel_shuffle,
    pixel_unshuffle,
    unfold,
)
from tests.helpers.sampling import examples
from tests.helpers.strategies import (
    EVEN_SAME,
    assert_same,
    batches,
    conv_cases,
    conv_transpose_cases,
    make_leaves,
    random_tensor,
    window_settings,
)

pytestmark = pytest.mark.filterwarnings(EVEN_SAME)


@examples(1000)
@given(conv_cases(max_kernel=4))
def test_conv2d_equals_pytorch(case):
    shapes, settings = case
    assert_same(conv2d, F.conv2d, make_leaves(shapes), **settings)


@examples(200)
@given(conv_cases(max_kernel=2))
def test_conv2d_loops_equals_pytorch(case):
    shapes, settings = case
    assert_same(conv2d_loops, F.conv2d, make_leaves(shapes), **settings)


@examples(200)
@given(conv_cases())
def test_conv2d_matrix_equals_pytorch(case):
    (input_shape, weight_shape, _), settings = case

    def by_matrix(x, weight):
        matrix = conv2d_matrix(weight, x.shape[-2:], **settings)
        return x.flatten(-3) @ matrix.T

    def by_pytorch(x, weight):
        return F.conv2d(x, weight, **settings).flatten(-3)

    assert_same(by_matrix, by_pytorch, make_leaves([input_shape, weight_shape]))


@examples(1000)
@given(conv_transpose_cases())
def test_conv_transpose2d_equals_pytorch(case):
    shapes, settings = case
    assert_same(conv_transpose2d, F.conv_transpose2d, make_leaves(shapes), **settings)


@examples(1000)
@given(window_settings(one_tuple=False), batches, st.integers(1, 3))
def test_unfold_equals_pytorch(window, batch, channels):
    kernel_size, stride, padding, dilation, size = window
    leaves = make_leaves([(*batch, channels, *size)])
    assert_same(unfold, F.unfold, leaves, kernel_size, dilation, padding, stride)


@examples(1000)
@given(window_settings(one_tuple=False), batches, st.integers(1, 3))
def test_fold_equals_pytorch(window, batch, channels):
    kernel_size, stride, padding, dilation, size = window
    blocks = math.prod(conv_output_size(size, kernel_size, stride, padding, dilation))
    taps = kernel_size**2 if isinstance(kernel_size, int) else math.prod(kernel_size)
    leaves = make_leaves([(*batch, channels * taps, blocks)])
    assert_same(fold, F.fold, leaves, size, kernel_size, dilation, padding, stride)


sizes = st.tuples(*[st.integers(0, 3)] * 3)  # channels, height, width
leading = st.lists(st.integers(0, 2), max_size=3).map(tuple)


@examples(1000)
@given(leading, sizes, st.integers(1, 4))
def test_pixel_shuffle_equals_pytorch(batch, size, factor):
    channels, height, width = size
    shape = (*batch, channels * factor**2, height, width)
    if 0 in shape:  # PyTorch's backward pass refuses its own gradient here
        assert pixel_shuffle(torch.ones(shape), factor).shape == (
            F.pixel_shuffle(torch.ones(shape), factor).shape
        )
    else:
        assert_same(pixel_shuffle, F.pixel_shuffle, make_leaves([shape]), factor)


@examples(1000)
@given(leading, sizes, st.integers(1, 4))
def test_pixel_unshuffle_equals_pytorch(batch, size, factor):
    channels, height, width = size
    shape = (*batch, channels, height * factor, width * factor)
    if 0 in shape:  # PyTorch returns the input's own shape here, not the one it documents
        expected = (*batch, channels * factor**2, height, width)
        assert pixel_unshuffle(torch.ones(shape), factor).shape == expected
    else:
        assert_same(pixel_unshuffle, F.pixel_unshuffle, make_leaves([shape]), factor)


FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
COMPLEX = [torch.complex64, torch.complex128]
INTEGERS = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]


# PyTorch convolves 8, 16 and 32 bit integers only without dilation, and transposes none of them;
# ours does both.
@pytest.mark.parametrize("dtype", FLOATS + COMPLEX + INTEGERS, ids=str)
@pytest.mark.parametrize("convolve", [conv2d, conv2d_loops])
@pytest.mark.parametrize("groups", [1, 2])
def test_convolution_of_each_dtype(convolve, dtype, groups):
    x, bias = random_tensor((2, 4, 6, 5), dtype), random_tensor((6,), dtype)
    weight = random_tensor((6, 4 // groups, 3, 2), dtype)
    settings = {"stride": (2, 1), "padding": 1, "groups": groups}
    expected = F.conv2d(x, weight, bias, **settings)
    torch.testing.assert_close(convolve(x, weight, bias, **settings), expected)


@pytest.mark.parametrize("dtype", FLOATS + COMPLEX + INTEGERS, ids=str)
def test_matrix_of_each_dtype(dtype):
    x, weight = random_tensor((2, 4, 6, 5), dtype), random_tensor((6, 2, 3, 2), dtype)
    matrix = conv2d_matrix(weight, (6, 5), padding=1, groups=2)
    assert matrix.dtype == dtype
    expected = F.conv2d(x, weight, padding=1, groups=2).flatten(1)
    torch.testing.assert_close(x.flatten(1) @ matrix.T, expected)


@pytest.mark.parametrize("dtype", [*FLOATS, *COMPLEX, torch.int64], ids=str)
def test_transposed_convolution_of_each_dtype(dtype):
    x, bias = random_tensor((2, 4, 3, 5), dtype), random_tensor((6,), dtype)
    weight = random_tensor((4, 3, 3, 2), dtype)
    settings = {"stride": (2, 1), "padding": 1, "output_padding": (1, 0), "groups": 2}
    expected = F.conv_transpose2d(x, weight, bias, **settings)
    torch.testing.assert_close(conv_transpose2d(x, weight, bias, **settings), expected)


@pytest.mark.parametrize("dtype", [*FLOATS, *COMPLEX, torch.bool], ids=str)
def test_unfold_and_fold_of_each_dtype(dtype):
    x = random_tensor((2, 3, 6, 5), dtype)
    columns = unfold(x, (3, 2), padding=1, stride=2)
    torch.testing.assert_close(columns, F.unfold(x, (3, 2), padding=1, stride=2))
    expected = F.fold(columns, (6, 5), (3, 2), padding=1, stride=2)
    torch.testing.assert_close(fold(columns, (6, 5), (3, 2), padding=1, stride=2), expected)


@pytest.mark.parametrize("dtype", [*FLOATS, *COMPLEX, *INTEGERS, torch.bool], ids=str)
def test_pixel_shuffles_of_each_dtype(dtype):
    x = random_tensor((2, 8, 4, 6), dtype)
    torch.testing.assert_close(pixel_shuffle(x, 2), F.pixel_shuffle(x, 2))
    torch.testing.assert_close(pixel_unshuffle(x, 2), F.pixel_unshuffle(x, 2))


def test_no_channels_leave_the_bias():
    # A sum over no channels is 0. PyTorch agrees in the backward formula, but its forward pass
    # gives this shape (1, 0, 3, 3), as if there were no filters either.
    output = conv2d(torch.ones(1, 0, 5, 5), torch.ones(2, 0, 3, 3), torch.tensor([1.0, 2.0]))
    torch.testing.assert_close(output, torch.tensor([1.0, 2.0])[:, None, None].expand(1, 2, 3, 3))


def test_map_without_pixels_in_an_empty_batch():
    x, weight = torch.ones(0, 2, 0, 5), torch.ones(3, 2, 3, 3)
    assert conv2d(x, weight, padding=2).shape == F.conv2d(x, weight, padding=2).shape
    weight = weight.transpose(0, 1)
    assert conv_transpose2d(x, weight).shape == F.conv_transpose2d(x, weight).shape


def test_shapes_on_the_meta_device():
    x, weight = torch.empty(2, 4, 9, 8, device="meta"), torch.empty(4, 2, 3, 2, device="meta")
    assert conv2d(x, weight, groups=2).shape == (2, 4, 7, 7)
    assert conv_transpose2d(x, weight, groups=2).shape == (2, 4, 11, 9)
    assert conv2d_matrix(weight, (9, 8), groups=2).shape == (4 * 7 * 7, 4 * 9 * 8)
    assert fold(unfold(x, 3), (9, 8), 3).shape == x.shape
    assert pixel_unshuffle(pixel_shuffle(x, 2), 2).shape == x.shape


def test_strides_given_as_numpy_integers_or_lists():
    np = pytest.importorskip("numpy")
    x, weight = random_tensor((1, 2, 7, 7)), random_tensor((3, 2, 3, 3))
    expected = F.conv2d(x, weight, stride=2, padding=(1, 0))
    torch.testing.assert_close(conv2d(x, weight, stride=np.int64(2), padding=[1, 0]), expected)


def test_first_and_second_derivatives():
    x, weight, bias = make_leaves([(2, 2, 4, 5), (4, 1, 3, 2), (4,)])
    settings = {"stride": (2, 1), "padding": 1, "groups": 2}
    for operation in (lambda *t: conv2d(*t, **settings), lambda *t: conv2d_loops(*t, **settings)):
        assert gradcheck(operation, (x, weight, bias))
        assert gradgradcheck(operation, (x[:1], weight, bias))
    x, weight, bias = make_leaves([(1, 4, 2, 2), (4, 1, 3, 2), (2,)])
    settings["output_padding"] = (1, 0)
    assert gradcheck(lambda *t: conv_transpose2d(*t, **settings), (x, weight, bias))
    assert gradgradcheck(lambda *t: conv_transpose2d(*t, **settings), (x, weight, bias))
    assert gradcheck(lambda w: conv2d_matrix(w, (3, 4), padding=1, groups=2), weight)


@examples(200)
@given(conv_cases())
def test_transposed_convolution_is_the_adjoint(case):
    (input_shape, weight_shape, _), settings = case
    if isinstance(settings["padding"], str):
        settings = {**settings, "padding": 0}
    size = [max(pixels, 9) for pixels in input_shape[-2:]]  # large enough without padding
    x, weight = random_tensor((2, input_shape[-3], *size)), random_tensor(weight_shape)
    output = conv2d(x, weight, **settings)
    # What output_padding must add back is what the floor of conv_output_size dropped.
    y, groups = random_tensor(output.shape) + 1, settings.pop("groups")
    smallest = conv_transpose2d(y, weight, groups=groups, **settings).shape[-2:]
    extra = [pixels - least for pixels, least in zip(size, smallest, strict=True)]
    back = conv_transpose2d(y, weight, groups=groups, output_padding=extra, **settings)
    assert back.shape == x.shape
    torch.testing.assert_close((output * y).sum(), (x * back).sum())


def test_matrix_transposed_is_the_transposed_convolution():
    weight, y = random_tensor((3, 2, 3, 2)), random_tensor((1, 3, 3, 4))
    matrix = conv2d_matrix(weight, (5, 5), stride=(2, 1), padding=(1, 0))
    expected = conv_transpose2d(y, weight, stride=(2, 1), padding=(1, 0))
    torch.testing.assert_close(y.flatten(1) @ matrix, expected.flatten(1))


# Worked examples. X1 is that of an animation in the tutorial of Theano, often copied, which shows a
# corner of Y1 for stride 2; X2 is that of Figures 1.1 and 1.2 in arXiv 1603.07285.
X1 = [[2, 2, 3, 3, 3], [0, 1, 3, 0, 3], [2, 3, 0, 1, 3], [3, 3, 2, 1, 2], [3, 3, 0, 2, 3]]
K1 = [[2, 0, 1], [1, 0, 0], [0, 1, 1]]
Y1 = [[1, 6, 5, 6, 6], [7, 10, 9, 16, 9], [7, 10, 8, 12, 3], [9, 10, 12, 10, 6], [3, 11, 10, 6, 4]]
X2 = [[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]]
K2 = [[0, 1, 2], [2, 2, 0], [0, 1, 2]]


@pytest.mark.parametrize("convolve", [conv2d, conv2d_loops])
@pytest.mark.parametrize(
    ("x", "kernel", "settings", "expected"),
    [
        (X1, K1, (1, 1), Y1),
        (X1, K1, (2, 1), [[1, 5, 6], [7, 8, 3], [3, 10, 4]]),
        (X2, K2, (1, 0), [[12, 12, 17], [10, 17, 19], [9, 6, 14]]),
        (X2, K2, (2, 1), [[6, 17, 3], [8, 17, 13], [6, 4, 4]]),
    ],
)
def test_worked_examples(convolve, x, kernel, settings, expected):
    output = convolve(torch.tensor([x]), torch.tensor([[kernel]]), None, *settings)
    assert output[0].tolist() == expected


def test_padding_does_not_use_every_pixel_equally():
    counts = conv_transpose2d(torch.ones(1, 5, 5), torch.ones(1, 1, 3, 3), padding=1)[0]
    assert (counts[0, 0], counts[0, 2], counts[2, 2]) == (4, 6, 9)
