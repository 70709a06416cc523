"""Chapter 10, Dilated: its quiz answers, its exercises' right answers, and its identities."""

from itertools import product
from math import prod

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from convbook.analysis import trace
from convbook.arithmetic import Layer, receptive_field
from convbook.arithmetic.coverage import dilation_coverage
from convbook.course import runs
from convbook.course.checks import dilated as exercises
from convbook.course.checks.listeners import LENGTH
from convbook.course.experiments.segmentation import CLASSES, NETWORKS, make_strips
from convbook.functional import conv2d
from convbook.nn import CausalConv1d
from tests.helpers.attempts import (
    assert_right,
    assert_wrong,
)
from tests.helpers.sampling import examples


def opening_question():
    """Which pixels does the stack with dilation 4 reach, and can the tip's two be missed?"""
    counts = dilation_coverage([4] * 7)
    middle = len(counts) // 2
    assert middle == 28  # as far as the longest strip
    reached = [step for step in range(1, 21) if counts[middle + step]]
    assert reached == [4, 8, 12, 16, 20]
    met = [step for step in range(1, 20) if {step, step + 1} & set(reached)]
    assert {7, 8} <= set(met)
    assert not {5, 6} & set(met)
    return "At these distances its taps step over the tip."


def how_far():
    doubling = [Layer(3, padding=2**i, dilation=2**i) for i in range(7)]
    wide = receptive_field(doubling)[-1].size
    wider = receptive_field([Layer(3, dilation=100)] * 7)[-1].size
    assert wider > wide > 43 == receptive_field([Layer(7)] * 7)[-1].size
    assert receptive_field([Layer(3)] * 7)[-1].size == 15
    return f"{wide} pixels, and more"


def after_the_stride():
    x, one, two = torch.randn(1, 1, 9, 9).double(), *torch.randn(2, 1, 1, 3, 3).double()
    before = F.conv2d(F.conv2d(x, one, stride=2, padding=1), two, padding=1)
    large = F.conv2d(x, one, padding=1)
    for d in (1, 2):
        after = F.conv2d(large, two, padding=d, dilation=d)[..., ::2, ::2]
        assert torch.allclose(after, before) == (d == 2)
    return "with dilation 2"


def at_the_border():
    run = runs.load("10_dilated")
    border = {
        one["name"]: [r["border_accuracy"] for r in one["runs"] if r["accuracy_by_steps"][4] > 0.6]
        for one in run["networks"]
        if one["name"] != "fixed dilation"
    }
    worst = min(border, key=lambda name: max(border[name]))
    assert all(max(border[worst]) < min(border[name]) for name in border if name != worst)
    return {"pooled": "pooled, which halves its maps twice"}[worst]


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
    "how-far": how_far,
    "three-times-two": three_times_two,
    "after-the-stride": after_the_stride,
    "at-the-border": at_the_border,
    "ten-causal-layers": ten_causal_layers,
}


# ------------------------------------------------------------------------------------ exercises


def test_a_schedule_is_as_short_as_any_can_be():
    """Three taps in n layers make 3 ** n paths, and fewer layers cannot reach as many pixels."""
    for case in exercises.check_schedule.cases:
        found = exercises.schedule(**case)
        assert exercises.is_schedule(found, **case)
        assert 3 ** (len(found) - 1) < case["size"] <= 3 ** len(found)
    assert exercises.is_schedule([2, 1], 7)
    assert not exercises.is_schedule([3], 7)


def test_looks_ahead_is_what_a_poked_sample_shows():
    for case in exercises.check_looks_ahead.cases:
        network = case["network"]
        x = torch.zeros(1, 1, LENGTH)
        poked = x.clone()
        poked[..., 200] = 1
        changed = (network(poked) != network(x)).flatten().nonzero()
        assert exercises.check_looks_ahead.reference(network) == max(200 - changed.min().item(), 0)
    assert exercises.check_looks_ahead.reference(exercises.listener(("same", 3, 4))) == 4


def test_same_layers_of_a_listener_are_pytorchs():
    row = torch.randn(1, 1, 30).double()
    for taps, dilation in product((2, 3, 4, 5), (2, 4)):
        weight = torch.linspace(0.5, 1, taps).double()[None, None]
        expected = torch.tanh(F.conv1d(row, weight, None, 1, "same", dilation) + 0.1)
        assert torch.allclose(exercises.listener(("same", taps, dilation))(row), expected)


def in_a_row(x, weights, layers):
    for weight, (stride, dilation) in zip(weights, layers, strict=True):
        x = F.conv2d(x, weight, None, stride, dilation, dilation)
    return x


def test_what_the_surgery_leaves_computes_the_same_numbers():
    torch.manual_seed(0)
    for case in exercises.check_atrous.cases:
        strides, output_stride = case.values()
        weights = torch.randn(len(strides), 1, 1, 3, 3).double() / 3
        x = torch.randn(1, 1, 33, 30).double()
        old = in_a_row(x, weights, [(stride, 1) for stride in strides])
        new = in_a_row(x, weights, exercises.atrous(**case))
        gap = prod(strides) // output_stride
        assert torch.allclose(new[..., ::gap, ::gap], old)
    assert exercises.is_atrous([(1, 1), (1, 2), (2, 2), (1, 2)], [2, 1, 2, 1], 2)
    assert not exercises.is_atrous([(1, 1), (1, 2), (2, 1), (1, 1)], [2, 1, 2, 1], 2)


def test_colours_seen_are_those_with_a_gradient():
    for case in exercises.check_colours_seen.cases:
        mosaic, dilations, row, column = case.values()
        height, width = len(mosaic), len(mosaic[0])
        x = torch.zeros(1, 1, 96, 96).double().requires_grad_()
        y, ones = x, torch.ones(1, 1, 3, 3).double()
        for d in dilations:
            y = F.conv2d(y, ones, padding=d, dilation=d)
        (gradient,) = torch.autograd.grad(y[0, 0, 48 + row, 48 + column], x)
        read = gradient[0, 0].nonzero().tolist()
        assert {mosaic[i % height][j % width] for i, j in read} == set(
            exercises.colours_seen(**case)
        )


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
    assert run["seeds"] == list(range(8))
    assert [one["name"] for one in run["networks"]] == list(NETWORKS)
    for one in run["networks"]:
        table = trace(NETWORKS[one["name"]](), (3, 32, 32))
        assert (one["params"], one["macs"]) == (table.params, table.macs)
        assert one["field"] == table.receptive_field.size
        assert [result["seed"] for result in one["runs"]] == run["seeds"]
        assert all(0 <= result["accuracy"] <= 1 for result in one["runs"])


def test_the_recorded_answers_are_labels_of_the_picture_shown():
    run = runs.load("10_dilated")
    truth = make_strips(run["sizes"][1], seed=1).labels[run["shown"]]
    for one in run["networks"]:
        found = torch.tensor([[int(digit) for digit in row] for row in one["shown_answers"]])
        assert found.shape == truth.shape
        assert found.max() < len(CLASSES)
        assert (found == truth).double().mean() > 0.6


def test_the_runs_from_the_identity_are_of_the_same_contest():
    run, identity = runs.load("10_dilated"), runs.load("10_identity")
    assert identity["seeds"] == [one["seed"] for one in identity["runs"]] == list(range(8))
    assert (run["config"], run["far"]) == (identity["config"], identity["far"])


def test_the_recorded_sounds_are_of_both_networks_and_five_seeds():
    run = runs.load("10_sound")
    assert [one["name"] for one in run["networks"]] == ["causal", "leaking"]
    for one in run["networks"]:
        assert [result["seed"] for result in one["runs"]] == run["seeds"] == list(range(5))
    assert list(run["played"]) == ["a new note", "causal", "leaking"]
    for samples in run["played"].values():
        assert len(bytes.fromhex(samples)) == 4000


# -------------------------------------------------------------------------------- attempts


def by_search(size):
    """Try every sorted list of n dilations, for the smallest n that can do it."""
    length = next(n for n in range(9) if 3**n >= size)
    half = (size - 1) // 2

    def complete(found):
        if len(found) == length:
            return found if sum(found) == half else None
        left = half - sum(found)
        filled = 1 + 2 * sum(found)
        for d in range(min(filled, left), 0, -1):
            if done := complete([*found, d]):
                return done
        return None

    return complete([])


def from_the_end(size):
    """Let the last layer take a third of what is there to fill, and go on with the rest."""
    dilations = []
    while size > 1:
        d = size // 3
        dilations.append(d)
        size -= 2 * d
    return dilations


def padded_with_ones(size):
    """Have one layer more than it takes."""
    found = exercises.schedule(size)
    return [*found[:-1], found[-1] - 1, 1] if found[-1] > 1 else [*found, 1]


def poked(network, at=200, length=LENGTH, sign=1):
    x = torch.zeros(1, 1, length).double()
    y = network(x)
    x[..., at] = 1
    changed = (network(x) != y).flatten().nonzero().flatten()
    return max(sign * (at - changed[0].item()), 0)


def by_numpy(network):
    random = np.random.default_rng(0).normal(size=(1, 1, 301))
    other = random.copy()
    other[..., 150] += 1
    before, after = (np.asarray(network(torch.from_numpy(one)))[0, 0] for one in (random, other))
    first = np.flatnonzero(before != after)[0]
    return np.maximum(150 - first, 0)


def by_jacobian(network):
    row = torch.zeros(1, 1, 300).double().requires_grad_()
    (gradient,) = torch.autograd.grad(network(row)[0, 0, 150], row)
    return torch.clamp(gradient.flatten().nonzero().max() - 150, min=0)


def how_many_change(network):
    x = torch.zeros(1, 1, 300).double()
    y = network(x)
    x[..., 150] = 1
    return (network(x) != y).sum()


def strides_go_from_the_front(strides, output_stride):
    """Remove the first strides, and keep the last."""
    found, too_much, dilation = [], prod(strides) // output_stride, 1
    for stride in strides:
        gone = stride > 1 and too_much % stride == 0
        found.append([1 if gone else stride, dilation])
        if gone:
            too_much //= stride
            dilation *= stride
    return found


def all_or_nothing(strides, output_stride):
    """Forget to multiply what is kept: compare each stride with what is wanted."""
    return [(1, 2) if stride > output_stride else (stride, 1) for stride in strides]


def dilation_for_all(strides, output_stride):
    new = [stride for stride, _ in exercises.atrous(strides, output_stride)]
    return [(stride, prod(strides) // output_stride) for stride in new]


def by_gradient(mosaic, dilations, row, column):
    mask = torch.ones(1, 1, 1, 1)
    for d in dilations:
        mask = F.conv_transpose2d(mask, torch.ones(1, 1, 3, 3), dilation=d)
    reach = sum(dilations)
    places = (mask[0, 0].nonzero() - reach + torch.tensor([row, column])).tolist()
    return {mosaic[i % len(mosaic)][j % len(mosaic[0])] for i, j in places}


def by_walks(mosaic, dilations, row, column):
    places = {(row, column)}
    for d in dilations:
        moves = list(product((-d, 0, d), repeat=2))
        places = {(i + a, j + b) for i, j in places for a, b in moves}
    return [mosaic[i % len(mosaic)][j % len(mosaic[0])] for i, j in places]


def first_layer_only(mosaic, dilations, row, column):
    return by_walks(mosaic, dilations[:1], row, column)


def without_the_middle(mosaic, dilations, row, column):
    places = {(row, column)}
    for d in dilations:
        moves = [(a, b) for a, b in product((-d, 0, d), repeat=2) if a or b]
        places = {(i + a, j + b) for i, j in places for a, b in moves}
    return {mosaic[i % len(mosaic)][j % len(mosaic[0])] for i, j in places}


def steps_added(mosaic, dilations, row, column):
    return by_walks(mosaic, [sum(dilations)], row, column)


RIGHT = [
    (exercises.check_schedule, by_search),
    (exercises.check_schedule, from_the_end),
    (exercises.check_schedule, lambda size: torch.tensor(exercises.schedule(size)).flip(0)),
    (exercises.check_schedule, lambda size: np.array(sorted(exercises.schedule(size)))),
    (exercises.check_looks_ahead, poked),
    (exercises.check_looks_ahead, by_numpy),
    (exercises.check_looks_ahead, by_jacobian),
    (exercises.check_atrous, strides_go_from_the_front),
    (exercises.check_atrous, lambda s, o: torch.tensor(exercises.atrous(s, o))),
    (exercises.check_atrous, lambda s, o: tuple(map(tuple, strides_go_from_the_front(s, o)))),
    (exercises.check_colours_seen, by_gradient),
    (exercises.check_colours_seen, by_walks),
    (exercises.check_colours_seen, lambda *case: "".join(by_walks(*case))),
]

WRONG = [
    (exercises.check_schedule, lambda size: [1] * ((size - 1) // 2), "One tap for each pixel"),
    (exercises.check_schedule, lambda size: [(size - 1) // 2], "A single layer has three taps"),
    (exercises.check_schedule, lambda size: [2**i for i in range(9) if 2**i < size], ""),
    (exercises.check_schedule, lambda size: [3**i for i in range(9) if 3**i < size], "widest"),
    (exercises.check_schedule, lambda size: exercises.schedule(size + 2), ""),
    (exercises.check_schedule, lambda size: exercises.schedule(size - 2), ""),
    (exercises.check_schedule, padded_with_ones, ""),
    (exercises.check_schedule, lambda size: len(exercises.schedule(size)), ""),
    (exercises.check_schedule, lambda size: [1, size // 2 - 1], ""),
    (exercises.check_looks_ahead, lambda network: poked(network, 2, 5), ""),
    (exercises.check_looks_ahead, lambda network: poked(network, sign=-1), ""),
    (exercises.check_looks_ahead, how_many_change, ""),
    (exercises.check_looks_ahead, lambda network: poked(network) > 0, ""),
    (exercises.check_looks_ahead, lambda network: -poked(network), ""),
    (
        exercises.check_looks_ahead,
        lambda network: max(poked(exercises.listener(one)) for one in network.layers),
        "the steps into the future add up",
    ),
    (
        exercises.check_looks_ahead,
        lambda network: sum(poked(exercises.listener(one)) for one in network.layers),
        "A delay takes back",
    ),
    (exercises.check_looks_ahead, lambda network: poked(network) + 1, "One too many"),
    (exercises.check_atrous, lambda s, o: [(1, 1)] * len(s), ""),
    (exercises.check_atrous, all_or_nothing, ""),
    (exercises.check_atrous, dilation_for_all, ""),
    (exercises.check_atrous, lambda s, o: [(stride, 1) for stride in s], ""),
    (
        exercises.check_atrous,
        lambda s, o: [pair[0] for pair in exercises.atrous(s, o)],
        "",
    ),
    (
        exercises.check_atrous,
        lambda s, o: [(stride, 1) for stride, _ in exercises.atrous(s, o)],
        "the old neighbours are no longer neighbours",
    ),
    (exercises.check_colours_seen, lambda mosaic, *_: {c for row in mosaic for c in row}, ""),
    (exercises.check_colours_seen, lambda mosaic, _, row, column: mosaic[row][column], ""),
    (exercises.check_colours_seen, first_layer_only, ""),
    (exercises.check_colours_seen, steps_added, ""),
    (
        exercises.check_colours_seen,
        lambda mosaic, dilations, row, column: "".join(
            sorted(by_gradient(mosaic, dilations[-1:], row, column))
        ),
        "The last layer alone",
    ),
    (exercises.check_colours_seen, lambda *case: len(set(by_walks(*case))), ""),
]


@pytest.mark.parametrize(("checker", "attempt"), RIGHT)
def test_right_attempts_in_other_styles_are_accepted(checker, attempt):
    assert_right(attempt, checker)


@pytest.mark.parametrize(("checker", "attempt", "hint"), WRONG)
def test_wrong_attempts_are_rejected(checker, attempt, hint):
    assert_wrong(attempt, checker, hint)
