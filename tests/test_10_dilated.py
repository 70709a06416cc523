"""Chapter 10, Dilated: its quiz answers, its exercises' right answers, and its identities."""

from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from attempts import assert_right, assert_wrong
from convbook import runs
from convbook.analysis import trace
from convbook.arithmetic import Layer, receptive_field
from convbook.checks import dilated as exercises
from convbook.coverage import dilation_coverage
from convbook.dense import CLASSES, NETWORKS, draw_strips
from convbook.functional import conv2d
from convbook.nn import CausalConv1d
from sampling import examples


def opening_question():
    doubling = [Layer(3, padding=2**i, dilation=2**i) for i in range(7)]
    wide = receptive_field(doubling)[-1].size
    wider = receptive_field([Layer(3, dilation=100)] * 7)[-1].size
    assert wider > wide > 43 == receptive_field([Layer(7)] * 7)[-1].size
    assert receptive_field([Layer(3)] * 7)[-1].size == 15
    return f"{wide} pixels, and more"


def ten_causal_layers():
    stack = nn.Sequential(*[CausalConv1d(1, 1, 2, dilation=2**i) for i in range(10)]).double()
    for parameter in stack.parameters():
        nn.init.ones_(parameter)
    x = torch.zeros(1, 1, 2048, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(stack(x)[0, 0, -1], x)
    return str(gradient.count_nonzero().item())


def three_times_two():
    counts = dilation_coverage([2, 2, 2])
    assert len(counts) == 13
    return str(sum(count > 0 for count in counts))


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "ten-causal-layers": ten_causal_layers,
    "three-times-two": three_times_two,
}


def test_span_is_where_the_taps_of_pytorchs_layer_lie():
    for case in exercises.check_span.cases:
        weight = torch.ones(1, 1, case["kernel_size"], dtype=torch.float64)
        x = torch.zeros(1, 1, 60, dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(
            F.conv1d(x, weight, dilation=case["dilation"])[0, 0, 5], x
        )
        taps = gradient.flatten().nonzero()
        assert exercises.span(**case) == (taps.max() - taps.min() + 1).item()


def test_causal_row_is_the_layer_of_the_package():
    for case in exercises.check_causal_row.cases:
        weights = torch.tensor(case["weights"], dtype=torch.float64)
        layer = CausalConv1d(1, 1, len(weights), dilation=case["dilation"], bias=False).double()
        layer.weight.data[:] = weights
        x = torch.tensor(case["samples"], dtype=torch.float64)[None]
        assert exercises.causal_row(**case) == layer(x).flatten().tolist()
    assert exercises.causal_row([1, 0, 0, 2], [10, 1], 2) == [1, 0, 10, 2]  # as in the exercise


def test_field_is_that_of_the_arithmetic():
    for case in exercises.check_field.cases:
        layers = [Layer(case["kernel_size"], dilation=d) for d in case["dilations"]]
        assert exercises.field(**case) == receptive_field(layers)[-1].size


def test_holes_are_the_pixels_without_a_path():
    for case in exercises.check_holes.cases:
        dilations = case["dilations"]
        ends = {
            sum(tap * d for tap, d in zip(taps, dilations, strict=True))
            for taps in product(range(3), repeat=len(dilations))
        }
        assert exercises.holes(**case) == max(ends) + 1 - len(ends)
    assert [exercises.holes(d) for d in ([2, 2, 2], [1, 2, 5])] == [6, 0]  # as in the exercise


# ------------------------------------------------------------------------------ identities


def gradients(y, *inputs):
    return torch.autograd.grad((y**3).sum(), inputs)


@examples(60)
@given(
    st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(0, 3)
)
def test_a_dilated_kernel_is_an_ordinary_one_with_zeros(c_in, c_out, k, d, extra):
    x = torch.randn(2, c_in, d * (k - 1) + 1 + extra, d * (k - 1) + 2).double().requires_grad_()
    weight = torch.randn(c_out, c_in, k, k).double().requires_grad_()
    spread = torch.zeros(c_out, c_in, d * (k - 1) + 1, d * (k - 1) + 1, dtype=torch.float64)
    spread[:, :, ::d, ::d] = weight
    plain, ours = F.conv2d(x, spread), conv2d(x, weight, dilation=d)
    assert torch.allclose(plain, ours)
    for one, other in zip(gradients(plain, x, weight), gradients(ours, x, weight), strict=True):
        assert torch.allclose(one, other)


@examples(60)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(1, 3))
def test_a_dilated_layer_is_an_ordinary_one_on_each_interleaved_map(channels, k, d, size):
    """The identity of *Going further*, forward and both gradients."""
    x = torch.randn(2, channels, d * (size + k), d * (size + k)).double().requires_grad_()
    weight = torch.randn(3, channels, k, k).double().requires_grad_()
    whole = F.conv2d(x, weight, dilation=d)
    parts = torch.zeros_like(whole)
    for i, j in product(range(d), repeat=2):
        parts[:, :, i::d, j::d] = F.conv2d(x[:, :, i::d, j::d], weight)
    assert torch.allclose(whole, parts)
    for one, other in zip(gradients(whole, x, weight), gradients(parts, x, weight), strict=True):
        assert torch.allclose(one, other)


@examples(60)
@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.lists(st.integers(1, 6), min_size=1, max_size=4),
    st.integers(0, 24),
)
def test_a_causal_stack_passes_a_sample_on_to_the_moments_of_its_field(width, k, dilations, place):
    layers, channels = [], 1
    for d in dilations:
        layers.append(CausalConv1d(channels, width, k, dilation=d))
        channels = width
    stack = nn.Sequential(*layers).double()
    for parameter in stack.parameters():
        nn.init.ones_(parameter)
    x = torch.zeros(1, 1, 100, dtype=torch.float64)
    poked = x.clone()
    poked[..., place] = 1
    changed = (stack(poked) != stack(x)).any(1).flatten().tolist()
    reached = [count > 0 for count in dilation_coverage(dilations, k)]
    expected = [False] * place + reached
    assert changed == (expected + [False] * 100)[:100]


def test_doubling_with_two_taps_and_tripling_with_three_waste_no_path():
    for k, depth in [(2, 10), (3, 6)]:
        assert set(dilation_coverage([k**i for i in range(depth)], k)) == {1}


# ---------------------------------------------------------------------------- the recorded run


def test_the_recorded_networks_are_those_of_the_package():
    run = runs.load("10_dilated")
    assert run["seeds"] == [0, 1, 2]
    assert [one["name"] for one in run["networks"]] == list(NETWORKS)
    for one in run["networks"]:
        table = trace(NETWORKS[one["name"]](), (3, 32, 32))
        assert (one["params"], one["macs"]) == (table.params, table.macs)
        assert one["field"] == table.receptive_field.size
        assert [result["seed"] for result in one["runs"]] == run["seeds"]
        assert all(0 <= result["accuracy"] <= 1 for result in one["runs"])


def test_the_recorded_answers_are_labels_of_the_picture_shown():
    run = runs.load("10_dilated")
    truth = draw_strips(run["sizes"][1], seed=1).labels[run["shown"]]
    for one in run["networks"]:
        found = torch.tensor([[int(digit) for digit in row] for row in one["shown_answers"]])
        assert found.shape == truth.shape
        assert found.max() < len(CLASSES)
        assert (found == truth).double().mean() > 0.6


def test_the_further_seeds_continue_the_recorded_ones():
    run, more = runs.load("10_dilated"), runs.load("10_more_seeds")
    assert run["seeds"] + more["seeds"] == list(range(8))
    assert (run["config"], run["far"]) == (more["config"], more["far"])
    for one in more["networks"]:
        assert one["name"] in NETWORKS
        assert [result["seed"] for result in one["runs"]] == more["seeds"]


# -------------------------------------------------------------------------------- attempts


def by_convolution(keep):
    """Return an attempt at exercise 2 by PyTorch that keeps a part of the row."""

    def attempt(samples, weights, dilation):
        reach = dilation * (len(weights) - 1)
        row = F.pad(torch.tensor(samples).float()[None], (reach, reach))
        row = F.conv1d(row, torch.tensor(weights).float()[None, None], dilation=dilation)[0]
        return row[keep(len(samples), reach)]

    return attempt


def by_numpy(samples, weights, dilation):
    kernel = np.zeros(dilation * (len(weights) - 1) + 1)
    kernel[::dilation] = weights[::-1]  # numpy turns it round
    return np.convolve(samples, kernel)[: len(samples)]


def looked_back(samples, weights, dilation, count=None):
    """Index what came before, from the end where the index is negative."""
    backs = [dilation * back for back in reversed(range(len(weights)))]
    return [
        sum(
            w * samples[(now - back) % count if count else now - back]
            for w, back in zip(weights, backs, strict=True)
        )
        for now in range(len(samples))
    ]


def clamped(samples, weights, dilation):
    """Take the first sample for all that came before."""
    before = dilation * (len(weights) - 1)
    return exercises._slide([samples[0]] * before + samples, weights, dilation)


def taps_convolved(dilations):
    row = torch.ones(1, 1, 1)
    for d in dilations:
        row = F.conv_transpose1d(row, torch.ones(1, 1, 3), dilation=d)
    return (row == 0).sum()


def gaps_beyond_the_field(dilations):
    size, found = 1, 0
    for d in dilations:
        found, size = found + 2 * max(0, d - size), size + 2 * d
    return found


def from_one_end(taps):
    """Return an attempt at exercise 4 that counts the ends of paths on one side, twice."""

    def attempt(dilations):
        ends = {sum(path) for path in product(*[range(0, taps * d, d) for d in dilations])}
        return 2 * (max(ends) + 1 - len(ends))

    return attempt


RIGHT = [
    (
        exercises.check_span,
        lambda kernel_size, dilation: (torch.arange(kernel_size) * dilation).max() + 1,
    ),
    (
        exercises.check_span,
        lambda kernel_size, dilation: np.float32(kernel_size + (kernel_size - 1) * (dilation - 1)),
    ),
    (exercises.check_causal_row, by_convolution(lambda count, reach: slice(count))),
    (exercises.check_causal_row, by_numpy),
    (
        exercises.check_field,
        lambda dilations, kernel_size: (
            receptive_field([Layer(kernel_size, dilation=d) for d in dilations])[-1].size
        ),
    ),
    (
        exercises.check_field,
        lambda dilations, kernel_size: (
            1 + (kernel_size - 1) * torch.tensor(dilations).float().sum()
        ),
    ),
    (exercises.check_holes, taps_convolved),
    (exercises.check_holes, lambda dilations: from_one_end(3)(dilations) / 2),
]

WRONG = [
    (exercises.check_span, lambda kernel_size, dilation: kernel_size + dilation, "do not add up"),
    (exercises.check_span, lambda kernel_size, dilation: dilation * kernel_size + 1, ""),
    (exercises.check_span, lambda kernel_size, dilation: dilation * kernel_size - 1, ""),
    (exercises.check_causal_row, looked_back, "A negative index counts from the end"),
    (
        exercises.check_causal_row,
        lambda samples, weights, dilation: looked_back(samples, weights, dilation, len(samples)),
        "",
    ),
    (exercises.check_causal_row, by_convolution(lambda count, reach: slice(reach, None)), "future"),
    (exercises.check_causal_row, clamped, ""),
    (
        exercises.check_field,
        lambda dilations, kernel_size: np.prod([(kernel_size - 1) * d + 1 for d in dilations]),
        "Spans do not multiply",
    ),
    (exercises.check_field, lambda dilations, kernel_size: kernel_size ** len(dilations), ""),
    (
        exercises.check_field,
        lambda dilations, kernel_size: 1 + 2 * sum(d * (kernel_size // 2) for d in dilations),
        "",
    ),
    (exercises.check_holes, gaps_beyond_the_field, "A field with holes stays so"),
    (
        exercises.check_holes,
        lambda dilations: 1 + 2 * sum(dilations) - (1 + 2 * len(dilations)),
        "fill one another's gaps",
    ),
    (exercises.check_holes, from_one_end(2), ""),
    (exercises.check_holes, lambda dilations: 2 * (max(dilations) - 1), ""),
]


@pytest.mark.parametrize(("checker", "attempt"), RIGHT)
def test_right_attempts_in_other_styles_are_accepted(checker, attempt):
    assert_right(attempt, checker)


@pytest.mark.parametrize(("checker", "attempt", "hint"), WRONG)
def test_wrong_attempts_are_rejected(checker, attempt, hint):
    assert_wrong(attempt, checker, hint)
