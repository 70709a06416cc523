"""Chapter 8, Depthwise and separable: its quiz answers and its exercises' right answers."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from attempts import assert_right, assert_wrong
from convbook.analysis import trace
from convbook.checks import depthwise_separable as exercises
from convbook.nn import DepthwiseSeparableConv2d


def parameters(layer):
    return sum(p.numel() for p in layer.parameters())


def opening_question():
    return str(parameters(DepthwiseSeparableConv2d(16, 32, 3, bias=False)))


def larger_kernel():
    small, large = (
        trace(DepthwiseSeparableConv2d(512, 512, k, padding=k // 2), (512, 4, 4)).macs
        for k in (3, 7)
    )
    choices = {"5.4 times as many": 49 / 9, "about twice as many": 2, "8 % more": 1.08}
    return min(choices, key=lambda text: abs(choices[text] - large / small))


def column_times_row():
    texts = ["[1 2 1] [2 4 2] [1 2 1]", "[0 1 0] [1 -4 1] [0 1 0]", "[1 0 0] [0 1 0] [0 0 1]"]
    kernels = [
        torch.tensor([[float(n) for n in row.split()] for row in text[1:-1].split("] [")])
        for text in texts
    ]
    (right,) = [
        text
        for text, kernel in zip(texts, kernels, strict=True)
        if torch.linalg.matrix_rank(kernel) == 1
    ]
    return right


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "larger-kernel": larger_kernel,
    "column-times-row": column_times_row,
}


def test_separable_params_are_those_of_the_layer():
    for case in exercises.check_separable_params.cases:
        layer = DepthwiseSeparableConv2d(**case)
        assert exercises.separable_params(**case) == parameters(layer)
    assert exercises.separable_params(16, 32, 3, True) == 704  # in the exercise


def test_separable_macs_are_those_that_trace_counts():
    for case in exercises.check_separable_macs.cases:
        settings = {key: value for key, value in case.items() if key != "input_size"}
        layer = DepthwiseSeparableConv2d(**settings, padding=case["kernel_size"] // 2)
        counted = trace(layer, (case["in_channels"], *[case["input_size"]] * 2)).macs
        assert exercises.separable_macs(**case) == counted
    assert exercises.separable_macs(16, 32, 3, 2, 5) == 5904  # in the exercise


def test_dense_weight_gives_the_same_maps_as_the_pair():
    for case in exercises.check_dense_weight.cases:
        kernels = torch.tensor(case["kernels"]).double()[:, None]
        mixing = torch.tensor(case["mixing"]).double()[:, :, None, None]
        x = torch.randn(1, len(kernels), 5, 6, dtype=torch.float64)
        pair = nn.functional.conv2d(x, kernels, groups=len(kernels))
        pair = nn.functional.conv2d(pair, mixing)
        weight = torch.tensor(exercises.dense_weight(**case)).double()
        assert torch.allclose(nn.functional.conv2d(x, weight), pair)
    example = exercises.dense_weight([[[1, 2]], [[3, 4]]], [[1, 10]])
    assert example == [[[[1, 2]], [[30, 40]]]]


def test_is_separable_says_whether_the_rank_is_1():
    answers = set()
    for case in exercises.check_is_separable.cases:
        rank = torch.linalg.matrix_rank(torch.tensor(case["kernel"]).double())
        answers.add(exercises.is_separable(**case))
        assert exercises.is_separable(**case) == (rank == 1)
    assert answers == {True, False}
    assert exercises.is_separable([[1, 2], [2, 4]])  # in the exercise


# ------------------------------------------------------------------ attempts


def pair(macs_of_pair):
    """Return an attempt at exercise 2 that finds the side of the map as a function says."""

    def attempt(in_channels, out_channels, kernel_size, stride, input_size):
        side = macs_of_pair(input_size, stride, kernel_size)
        return side**2 * in_channels * (kernel_size**2 + out_channels)

    return attempt


def counted(in_channels, out_channels, kernel_size, bias):
    depthwise = nn.Conv2d(in_channels, in_channels, kernel_size, groups=in_channels, bias=bias)
    return parameters(depthwise) + parameters(nn.Conv2d(in_channels, out_channels, 1, bias=bias))


def by_pivot(kernel):
    kernel = np.array(kernel)
    row, column = np.argwhere(kernel)[0]
    return (kernel * kernel[row, column] == np.outer(kernel[:, column], kernel[row])).all()


def by_sums(kernel):
    """Compare with the product of row sums and column sums, which may all be 0."""
    kernel = np.array(kernel)
    return (kernel * kernel.sum() == np.outer(kernel.sum(1), kernel.sum(0))).all()


def by_whole_multiples(kernel):
    smallest = min(filter(any, kernel), key=lambda row: sum(map(abs, row)))
    return all(any(row == [k * n for n in smallest] for k in range(-9, 10)) for row in kernel)


def contiguous_squares(kernel):
    return all(
        one[x] * two[x + 1] == one[x + 1] * two[x]
        for one, two in pairwise(kernel)
        for x in range(len(one) - 1)
    )


def square_kernels_only(kernel):
    return exercises.is_separable([row[: len(kernel)] for row in kernel])


def singular_values(kernel, above=0.0):
    return (torch.linalg.svdvals(torch.tensor(kernel).float()) > above).sum() == 1


RIGHT = [
    (exercises.check_separable_params, counted),
    (
        exercises.check_separable_params,
        lambda in_channels, out_channels, kernel_size, bias: np.float32(
            in_channels * (kernel_size**2 + bias) + out_channels * (in_channels + bias)
        ),
    ),
    (exercises.check_separable_macs, pair(lambda size, s, k: math.ceil(size / s))),
    (
        exercises.check_separable_macs,
        pair(lambda size, s, k: len(F.max_pool1d(torch.zeros(1, size), k, s, k // 2)[0])),
    ),
    (
        exercises.check_dense_weight,
        lambda kernels, mixing: torch.einsum(
            "chw,oc->ochw", torch.tensor(kernels).float(), torch.tensor(mixing).float()
        ),
    ),
    (
        exercises.check_dense_weight,
        lambda kernels, mixing: np.array(mixing)[:, :, None, None] * np.array(kernels),
    ),
    (
        exercises.check_is_separable,
        lambda kernel: torch.linalg.matrix_rank(torch.tensor(kernel).float()) == 1,
    ),
    (exercises.check_is_separable, lambda kernel: singular_values(kernel, above=1e-4)),
    (exercises.check_is_separable, by_pivot),
]

WRONG = [
    (
        exercises.check_separable_params,
        lambda in_channels, out_channels, kernel_size, bias: (
            in_channels * kernel_size**2 + out_channels * (in_channels + 2 * bias)
        ),
        "in_channels maps and as many biases",
    ),
    (
        exercises.check_separable_params,
        lambda in_channels, out_channels, kernel_size, bias: (
            counted(in_channels, out_channels, kernel_size, False) + bias + bias
        ),
        "more than one bias",
    ),
    (
        exercises.check_separable_params,
        lambda in_channels, out_channels, kernel_size, bias: counted(
            in_channels, out_channels, kernel_size, False
        ),
        "",
    ),
    (exercises.check_separable_macs, pair(lambda size, s, k: int(size / s + 0.5)), ""),
    (exercises.check_separable_macs, pair(lambda size, s, k: size // s + 1), ""),
    (
        exercises.check_dense_weight,
        lambda kernels, mixing: np.einsum("chw,oc->ohw", kernels, mixing),
        "They are not added up",
    ),
    (
        exercises.check_dense_weight,
        lambda kernels, mixing: np.array(mixing).sum(1)[:, None, None, None] * np.array(kernels),
        "not by the sum of them",
    ),
    (
        exercises.check_dense_weight,
        lambda kernels, mixing: np.array(mixing)[:, :, None, None] * np.flip(kernels, (1, 2)),
        "",
    ),
    (exercises.check_is_separable, by_sums, ""),
    (exercises.check_is_separable, by_whole_multiples, ""),
    (exercises.check_is_separable, singular_values, ""),
    (exercises.check_is_separable, contiguous_squares, "Neighbours are not enough"),
    (exercises.check_is_separable, square_kernels_only, ""),
]


@pytest.mark.parametrize(("checker", "attempt"), RIGHT)
def test_right_attempts_in_other_styles_are_accepted(checker, attempt):
    assert_right(attempt, checker)


@pytest.mark.parametrize(("checker", "attempt", "hint"), WRONG)
def test_wrong_attempts_are_rejected(checker, attempt, hint):
    assert_wrong(attempt, checker, hint)
