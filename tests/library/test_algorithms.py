"""Each algorithm equals PyTorch's convolution, forward and backward, and costs what we say."""

from math import prod

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from convbook import algorithms
from convbook.algorithms import (
    conv2d_fft,
    conv2d_im2col,
    conv2d_sparse,
    conv2d_winograd,
    costs,
    sparse_matrix,
)
from convbook.functional import conv2d_matrix, unfold
from tests.helpers.sampling import examples
from tests.helpers.strategies import assert_same, batches, make_leaves

ALGORITHMS = [conv2d_im2col, conv2d_sparse, conv2d_fft, conv2d_winograd]


@st.composite
def shapes(draw, algorithm):
    kernel = (3, 3)
    if algorithm is not conv2d_winograd:
        kernel = draw(st.tuples(*[st.integers(1, 4)] * 2))
    size = [taps + draw(st.integers(0, 6)) for taps in kernel]
    c_in, c_out = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return (*draw(batches), c_in, *size), (c_out, c_in, *kernel)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_algorithm_equals_pytorch(algorithm):
    @examples(300)
    @given(shapes(algorithm))
    def check(case):
        assert_same(algorithm, F.conv2d, make_leaves(case))

    check()


@examples(100)
@given(shapes(conv2d_sparse))
def test_sparse_matrix_is_the_dense_one_without_its_zeros(case):
    size, weight_shape = case[0][-2:], case[1]
    weight = torch.rand(weight_shape).double() + 1
    sparse, dense = sparse_matrix(weight, size), conv2d_matrix(weight, size)
    assert torch.equal(sparse.to_dense(), dense)
    assert sparse._nnz() == dense.count_nonzero()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_dtype_is_kept(algorithm, dtype):
    output = algorithm(torch.ones(1, 4, 4, dtype=dtype), torch.ones(1, 1, 3, 3, dtype=dtype))
    assert output.dtype == dtype


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    ("x", "weight", "error", "words"),
    [
        (torch.ones(1, 2, 2), torch.ones(1, 1, 3, 3), ValueError, "kernel_size"),
        (torch.ones(2, 5, 5), torch.ones(1, 1, 3, 3), ValueError, "input has 2 channels"),
        (torch.ones(5, 5), torch.ones(1, 1, 3, 3), ValueError, "input has shape"),
        (torch.ones(1, 5, 5), torch.ones(3, 3), ValueError, "weight has shape"),
        (
            torch.ones(1, 5, 5),
            torch.ones(1, 1, 3, 3).double(),
            TypeError,
            "convert them to one dtype",
        ),
        ([[1.0]], torch.ones(1, 1, 3, 3), TypeError, "input is a list"),
    ],
)
def test_refusals(algorithm, x, weight, error, words):
    with pytest.raises(error, match=words):
        algorithm(x, weight)


def test_refusals_of_one_algorithm():
    with pytest.raises(ValueError, match=r"\(1, 1, 2, 2\); F\(2, 3\) takes 3 x 3"):
        conv2d_winograd(torch.ones(1, 5, 5), torch.ones(1, 1, 2, 2))
    for algorithm in (conv2d_fft, conv2d_winograd):
        with pytest.raises(TypeError, match=r"torch\.int64; convert"):
            algorithm(torch.ones(1, 5, 5).long(), torch.ones(1, 1, 3, 3).long())


SIZES = [((8, 8), (1, 1, 3, 3)), ((9, 12), (4, 3, 3, 3)), ((7, 6), (2, 5, 3, 3))]


@pytest.mark.parametrize(("size", "weight_shape"), SIZES)
def test_costs_are_what_the_tensors_hold(size, weight_shape, monkeypatch):
    """The operands of each algorithm's one product, caught in the act."""
    image, weight = torch.rand(weight_shape[1], *size), torch.rand(weight_shape)
    expected = costs(size, weight_shape)

    dense = conv2d_matrix(weight, size)
    table_bytes = dense.numel() * dense.element_size()
    assert expected["dense matrix"] == (dense.numel(), table_bytes)

    sparse = sparse_matrix(weight, size)
    tables = [sparse._indices(), sparse._values()]
    assert expected["sparse matrix"] == (sparse._nnz(), sum(map(nbytes, tables)))
    assert expected["loops"] == (sparse._nnz(), 0)

    columns = unfold(image, weight_shape[-2:])
    products = columns.numel() * weight_shape[0]
    assert expected["im2col"] == (products, nbytes(columns))

    real_einsum = torch.einsum
    for name, algorithm in [("FFT", conv2d_fft), ("Winograd", conv2d_winograd)]:
        caught = []

        def spy(equation, *operands, caught=caught):
            result = real_einsum(equation, *operands)
            caught.append((equation, *operands, result))
            return result

        with monkeypatch.context() as patch:
            patch.setattr(algorithms.torch, "einsum", spy)
            algorithm(image, weight)
        ((equation, *operands, result),) = caught
        left, right = equation.replace("...", "").split("->")[0].split(",")
        axes = dict(zip(left, operands[0].shape, strict=True))
        axes |= dict(zip(right, operands[1].shape, strict=True))
        factor = 4 if result.is_complex() else 1
        tables = sum(map(nbytes, [*operands, result]))
        assert expected[name] == (factor * prod(axes.values()), tables)


def nbytes(tensor):
    return tensor.numel() * tensor.element_size()


def test_costs_of_another_kernel_have_no_winograd():
    assert "Winograd" not in costs(8, (1, 1, 5, 5))
    with pytest.raises(ValueError, match="kernel_size"):
        costs(3, (1, 1, 5, 5))
