"""Chapter 9, Grouped: its quiz answers and its exercises' right answers, from PyTorch."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from attempts import assert_right, assert_wrong
from convbook import runs
from convbook.checks import grouped as exercises


def depends(layers, channels):
    """Return a table: which output (row) depends on which input channel, by gradients."""
    stack = nn.Sequential(*layers).double()
    for parameter in stack.parameters():
        nn.init.ones_(parameter)
    x = torch.ones(1, channels, 1, 1, dtype=torch.float64)
    return torch.autograd.functional.jacobian(stack, x).squeeze() != 0


def shuffled_stack(channels, groups, depth):
    layers = []
    for _ in range(depth):
        layers += [nn.ChannelShuffle(groups), nn.Conv2d(channels, channels, 1, groups=groups)]
    return layers[1:]


def opening_question():
    moved = depends([nn.Conv2d(4, 4, 1, groups=2)], 4)[:, 0].nonzero().flatten().tolist()
    names = {(0, 1, 2, 3): "all four", (0,): "0 alone", (0, 1): "0 and 1", (0, 2): "0 and 2"}
    return names[tuple(moved)]


def four_groups():
    assert nn.Conv2d(64, 64, 3, bias=False).weight.numel() == 36_864
    return f"{nn.Conv2d(64, 64, 3, bias=False, groups=4).weight.numel():,}"


def shuffle_reach():
    return str(depends(shuffled_stack(6, 3, 2), 6)[:, 0].sum().item())


def sixteen_or_sixty_four():
    run = runs.load("09_grouped")
    times = dict(zip(run["groups"], run["milliseconds"], strict=True))
    share = times[64] / times[16]
    assert not 0.7 < share < 1.4  # far from a draw
    if share > 1:
        return "16 groups"
    fourth = "64 groups: about a quarter of the time"
    return fourth if share < 0.35 else "64 groups, but by less than the MACs say"


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "four-groups": four_groups,
    "shuffle-reach": shuffle_reach,
    "sixteen-or-sixty-four": sixteen_or_sixty_four,
}


def test_a_grouped_pixel_is_a_grouped_convolution():
    for case in exercises.check_grouped_pixel.cases:
        x = torch.tensor(case["pixel"])[None, :, None, None]
        weight = torch.tensor(case["weight"])[:, :, None, None]
        expected = F.conv2d(x, weight, groups=case["groups"]).flatten().tolist()
        assert exercises.grouped_pixel(**case) == expected
    example = exercises.grouped_pixel([1, 2, 3, 4], [[1, 2], [2, 1], [3, 1], [1, 1]], 2)
    assert example == [5, 4, 13, 7]  # as in the exercise


def test_parameters_are_those_of_the_layer():
    for case in exercises.check_grouped_params.cases:
        layer = nn.Conv2d(**case, device="meta")
        assert exercises.grouped_params(**case) == sum(p.numel() for p in layer.parameters())
    assert exercises.grouped_params(64, 64, (3, 3), 4) == 9280  # as in the exercise


def test_the_order_is_that_of_the_shuffle():
    for case in exercises.check_shuffled.cases:
        channels = torch.arange(case["channels"], dtype=torch.float32)[None, :, None, None]
        order = nn.ChannelShuffle(case["groups"])(channels).flatten().int().tolist()
        assert exercises.shuffled(**case) == order


def test_one_layer_less_would_not_reach_everything():
    for case in exercises.check_layers_to_reach_all.cases:
        channels, needed = case["channels"], exercises.layers_to_reach_all(**case)
        assert depends(shuffled_stack(**case, depth=needed), channels).all()
        if needed > 1:
            assert not depends(shuffled_stack(**case, depth=needed - 1), channels).all()


def test_the_recorded_layers_cost_what_pytorch_counts():
    run = runs.load("09_grouped")
    c_in, c_out = run["channels"]
    _, _, height, width = run["input"]
    for groups, macs in zip(run["groups"], run["macs"], strict=True):
        layer = nn.Conv2d(c_in, c_out, run["kernel_size"], groups=groups, device="meta")
        assert macs == layer.weight.numel() * height * width
    for name in ("milliseconds", "page_faults", "kernels", "packed_channels"):
        assert len(run[name]) == len(run["groups"])
    assert run["milliseconds"][0] == max(run["milliseconds"])  # one group is the slowest


def test_the_recorded_times_are_those_of_the_layers_and_not_of_new_memory():
    run = runs.load("09_grouped")
    assert max(run["page_faults"]) < 10
    assert min(run["new_memory"]["page_faults"]) > 100
    slower = zip(run["new_memory"]["milliseconds"], run["milliseconds"], strict=True)
    assert all(new > used for new, used in slower)


# ------------------------------------------------------------------ attempts


def group_of(number):
    """Return an attempt at exercise 1 in which a function says which group a filter is in."""

    def attempt(pixel, weight, groups):
        reads = len(pixel) // groups
        firsts = [number(o, groups, len(weight) // groups) * reads for o in range(len(weight))]
        return [
            sum(w * pixel[first + c] for c, w in enumerate(one))
            for first, one in zip(firsts, weight, strict=True)
        ]

    return attempt


def grouped_einsum(pixel, weight, groups, output="go"):
    shares, filters = np.reshape(pixel, (groups, -1)), np.reshape(weight, (groups, -1, 1))
    filters = filters.reshape(groups, len(weight) // groups, -1)
    return np.einsum(f"gc,goc->{output}", shares, filters).ravel()


def bias_and(weights):
    """Return an attempt at exercise 2 with one bias for each filter."""
    return lambda in_channels, out_channels, kernel_size, groups: (
        weights(in_channels, out_channels, math.prod(kernel_size), groups) + out_channels
    )


def by_logarithm(log, precise=float):
    """Return an attempt at exercise 4 by a quotient of logarithms."""
    return lambda channels, groups: math.ceil(
        precise(log(channels) / log(channels // groups)) if groups > 1 else 1
    )


def by_matrices(channels, groups):
    size = channels // groups
    layer = torch.block_diag(*[torch.ones(size, size)] * groups)
    order = torch.arange(channels).reshape(groups, size).T.flatten()
    reach, layers = layer, 1
    while not reach.all():
        reach, layers = layer @ reach[order], layers + 1
    return torch.tensor(layers)


RIGHT = [
    (
        exercises.check_grouped_pixel,
        lambda pixel, weight, groups: F.conv2d(
            torch.tensor(pixel).float()[:, None, None],
            torch.tensor(weight).float()[:, :, None, None],
            groups=groups,
        ).flatten(),
    ),
    (exercises.check_grouped_pixel, grouped_einsum),
    (exercises.check_grouped_params, bias_and(lambda c, o, taps, g: c * o * taps / g)),
    (
        exercises.check_grouped_params,
        lambda in_channels, out_channels, kernel_size, groups: torch.nn.utils.parameters_to_vector(
            nn.Conv2d(in_channels, out_channels, kernel_size, groups=groups).parameters()
        ).numel(),
    ),
    (
        exercises.check_shuffled,
        lambda channels, groups: torch.arange(channels).float().reshape(groups, -1).T.flatten(),
    ),
    (
        exercises.check_shuffled,
        lambda channels, groups: sorted(
            range(channels), key=lambda channel: channel % (channels // groups)
        ),
    ),
    (exercises.check_layers_to_reach_all, by_matrices),
    (exercises.check_layers_to_reach_all, by_logarithm(math.log, lambda n: round(n, 9))),
]

WRONG = [
    (exercises.check_grouped_pixel, group_of(lambda o, groups, filters: o // groups), ""),
    (exercises.check_grouped_pixel, group_of(lambda o, groups, filters: o % groups), "deal them"),
    (
        exercises.check_grouped_pixel,
        lambda pixel, weight, groups: grouped_einsum(pixel, weight, groups, output="o"),
        "Nothing is added over the groups",
    ),
    (
        exercises.check_grouped_pixel,
        lambda pixel, weight, groups: np.reshape(pixel, (groups, -1)) @ np.array(weight).T,
        "",
    ),
    (
        exercises.check_grouped_params,
        bias_and(lambda c, o, taps, g: c // g * (o // g) * taps),
        "divided once",
    ),
    (exercises.check_grouped_params, bias_and(lambda c, o, taps, g: c * o * taps * g), ""),
    (
        exercises.check_grouped_params,
        lambda in_channels, out_channels, kernel_size, groups: (
            in_channels * out_channels * math.prod(kernel_size) // groups + groups
        ),
        "",
    ),
    (
        exercises.check_shuffled,
        lambda channels, groups: np.arange(channels).reshape(-1, groups).T.ravel(),
        "undoes the shuffle",
    ),
    (
        exercises.check_shuffled,
        lambda channels, groups: [groups * place % channels for place in range(channels)],
        "",
    ),
    (exercises.check_layers_to_reach_all, by_logarithm(math.log), "quotient of logarithms"),
    (exercises.check_layers_to_reach_all, by_logarithm(math.log2), ""),
    (exercises.check_layers_to_reach_all, by_logarithm(math.log10), ""),
    (
        exercises.check_layers_to_reach_all,
        lambda channels, groups: 1 + math.ceil(math.log2(groups)),
        "",
    ),
]


@pytest.mark.parametrize(("checker", "attempt"), RIGHT)
def test_right_attempts_in_other_styles_are_accepted(checker, attempt):
    assert_right(attempt, checker)


@pytest.mark.parametrize(("checker", "attempt", "hint"), WRONG)
def test_wrong_attempts_are_rejected(checker, attempt, hint):
    assert_wrong(attempt, checker, hint)
