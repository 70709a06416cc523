"""Chapter 8, Depthwise and separable: its quiz answers and its exercises' right answers."""

import torch
from torch import nn

from convbook.analysis import trace
from convbook.course.checks import depthwise_separable
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
    for case in depthwise_separable.check_separable_params.cases:
        layer = DepthwiseSeparableConv2d(**case)
        assert depthwise_separable.separable_params(**case) == parameters(layer)
    assert depthwise_separable.separable_params(16, 32, 3, True) == 704  # in the exercise


def test_separable_macs_are_those_that_trace_counts():
    for case in depthwise_separable.check_separable_macs.cases:
        settings = {key: value for key, value in case.items() if key != "input_size"}
        layer = DepthwiseSeparableConv2d(**settings, padding=case["kernel_size"] // 2)
        counted = trace(layer, (case["in_channels"], *[case["input_size"]] * 2)).macs
        assert depthwise_separable.separable_macs(**case) == counted
    assert depthwise_separable.separable_macs(16, 32, 3, 2, 5) == 5904  # in the exercise


def test_dense_weight_gives_the_same_maps_as_the_pair():
    for case in depthwise_separable.check_dense_weight.cases:
        kernels = torch.tensor(case["kernels"]).double()[:, None]
        mixing = torch.tensor(case["mixing"]).double()[:, :, None, None]
        x = torch.randn(1, len(kernels), 5, 6, dtype=torch.float64)
        pair = nn.functional.conv2d(x, kernels, groups=len(kernels))
        pair = nn.functional.conv2d(pair, mixing)
        weight = torch.tensor(depthwise_separable.dense_weight(**case)).double()
        assert torch.allclose(nn.functional.conv2d(x, weight), pair)
    example = depthwise_separable.dense_weight([[[1, 2]], [[3, 4]]], [[1, 10]])
    assert example == [[[[1, 2]], [[30, 40]]]]


def test_is_separable_says_whether_the_rank_is_1():
    answers = set()
    for case in depthwise_separable.check_is_separable.cases:
        rank = torch.linalg.matrix_rank(torch.tensor(case["kernel"]).double())
        answers.add(depthwise_separable.is_separable(**case))
        assert depthwise_separable.is_separable(**case) == (rank == 1)
    assert answers == {True, False}
    assert depthwise_separable.is_separable([[1, 2], [2, 4]])  # in the exercise
