"""Chapter 9, Grouped: its quiz answers, its exercises' right answers, and what it recorded."""

from functools import partial
from itertools import product
from math import ceil, gcd, log, log2
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convbook.course import runs
from convbook.course.checks import grouped as exercises
from convbook.course.checks.splits import CASES, grouped_form, stack
from convbook.course.experiments import stripes
from tests.helpers.attempts import (
    assert_right,
    assert_wrong,
)
from tests.helpers.recorders import load_recorder

RECORDER = Path(__file__).parents[2] / "benchmarks" / "record_09_grouped.py"


def depends(layers, channels):
    """Return a table: which output (row) depends on which input channel, by gradients."""
    network = nn.Sequential(*layers).double()
    for parameter in network.parameters():
        nn.init.ones_(parameter)
    x = torch.ones(1, channels, 1, 1, dtype=torch.float64)
    return torch.autograd.functional.jacobian(network, x).squeeze() != 0


def shuffled_stack(channels, groups, depth):
    layers = []
    for _ in range(depth):
        layers += [nn.ChannelShuffle(groups), nn.Conv2d(channels, channels, 1, groups=groups)]
    return layers[1:]


def opening_question():
    run = runs.load("09_grouped")
    one, many = run["milliseconds"][0], run["milliseconds"][-1]
    assert (run["groups"][0], run["groups"][-1], round(one, 1)) == (1, 128, 8.2)
    assert round(one / 128, 2) == 0.06
    assert round(run["new_memory"]["milliseconds"][-1], 1) == 2.6
    return f"{many:.2f} ms: about {10 * round(one / many / 10)} times as fast"


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
    return fourth if share < 0.35 else "64 groups, but by less than the products say"


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "four-groups": four_groups,
    "shuffle-reach": shuffle_reach,
    "sixteen-or-sixty-four": sixteen_or_sixty_four,
}


# ------------------------------------------------------------------------------------ exercises


def test_a_grouped_pixel_is_a_grouped_convolution():
    for case in exercises.check_grouped_pixel.cases:
        x = torch.tensor(case["pixel"])[None, :, None, None]
        weight = torch.tensor(case["weight"])[:, :, None, None]
        expected = F.conv2d(x, weight, groups=case["groups"]).flatten().tolist()
        assert exercises.grouped_pixel(**case) == expected
    example = exercises.grouped_pixel([1, 2, 3, 4], [[1, 2], [2, 1], [3, 1], [1, 1]], 2)
    assert example == [5, 4, 13, 7]  # as in the exercise


def parts_by_gradient(network, channels):
    """Join channels as long as anything joins, by a matrix of who shares an output with whom."""
    x = torch.ones(1, channels, 3, 3, requires_grad=True)
    y = network(x).sum((0, 2, 3))
    rows = [torch.autograd.grad(one, x, retain_graph=True)[0].abs().sum((0, 2, 3)) for one in y]
    reads = (torch.stack(rows) != 0).float()
    together = reads.T @ reads
    for _ in range(channels):
        together = ((together @ together) > 0).float()
    return len(together.unique(dim=0))


class TestParts:
    @pytest.mark.parametrize("case", CASES, ids=lambda case: repr(case["network"]))
    def test_it_says_what_the_gradient_says(self, case):
        assert exercises.check_parts.reference(**case) == parts_by_gradient(**case)

    @pytest.mark.parametrize("case", CASES, ids=lambda case: repr(case["network"]))
    def test_what_is_shown_can_be_pasted_into_a_cell(self, case):
        pasted = eval(repr(case["network"]), {"stack": stack})
        x = torch.rand(2, case["channels"], 5, 4)
        assert torch.equal(pasted(x), case["network"](x))
        assert not any(module.training for module in pasted.modules())

    def test_numbers_of_parts_are_many(self):
        found = [exercises.check_parts.reference(**case) for case in CASES]
        assert len(set(found)) >= 6
        assert found.count(1) < len(found) / 2
        assert exercises.check_parts.reference(stack(4, "groups 2", "groups 2"), 4) == 2

    def test_an_unknown_layer_is_refused(self):
        with pytest.raises(ValueError, match="'pool' is unknown; use groups"):
            stack(4, "pool 2")


class TestPaths:
    @pytest.mark.parametrize("case", exercises.check_as_paths.cases, ids=repr)
    def test_they_are_accepted_if_and_only_if_they_add_up(self, case):
        form = case["form"]
        paths = exercises.as_paths(form)
        assert exercises.are_paths(paths, form)
        assert exercises.are_paths(paths[::-1], form)
        broken = [[weight.clone() for weight in path] for path in paths]
        broken[0][2][:] += 1
        assert not exercises.are_paths(broken, form)
        whole = [[layer.weight for layer in (form.first, form.middle, form.last)]]
        assert exercises.are_paths(whole, form) == (form.middle.groups == 1)

    def test_what_is_shown_can_be_pasted_into_a_cell(self):
        for case in exercises.check_as_paths.cases:
            pasted = eval(repr(case["form"]), {"grouped_form": grouped_form})
            assert pasted == case["form"]
        pasted.last.weight[:] += 1
        assert pasted != case["form"]
        assert len({pasted, case["form"]}) == 2


def test_the_cheapest_stack_connects_everything_and_nothing_cheaper_does():
    for case in exercises.check_cheapest.cases:
        channels = case["channels"]
        layers, groups = exercises.cheapest(channels)
        assert exercises.is_cheapest([layers, groups], channels)
        if channels > 64:
            continue
        assert depends(shuffled_stack(channels, groups, layers), channels).all()
        for g, n in product(range(1, channels + 1), range(1, layers + 2)):
            if channels % g == 0 and n * groups < layers * g:
                assert not depends(shuffled_stack(channels, g, n), channels).all()
    assert exercises.cheapest(16) == [2, 4]  # as in the exercise
    assert exercises.is_cheapest((4, 8), 16)
    assert not exercises.is_cheapest((3, 8), 16)


def test_reach_is_a_power_of_a_groups_size_for_every_input():
    """All channels below 97, all groups that divide them."""
    for channels in range(1, 97):
        for groups in (g for g in range(1, channels + 1) if channels % g == 0):
            size = channels // groups
            block = torch.block_diag(*[torch.ones(size, size)] * groups)
            order = torch.arange(channels).reshape(groups, size).T.flatten()
            ways = block
            for n in (1, 2, 3):
                assert ((ways > 0).sum(0) == min(size**n, channels)).all()
                ways = ((block @ ways[order]) > 0).float()


# --------------------------------------------------------------------------------- what is shown


def test_the_recorded_layers_cost_what_pytorch_counts():
    for name in ("09_grouped", "09_widths"):
        run = runs.load(name)
        c_in, c_out = run["channels"]
        _, _, height, width = run["input"]
        for groups, macs in zip(run["groups"], run["macs"], strict=True):
            layer = nn.Conv2d(c_in, c_out, run["kernel_size"], groups=groups, device="meta")
            assert macs == layer.weight.numel() * height * width


def test_the_recorded_times_are_those_of_the_layers_and_not_of_new_memory():
    run = runs.load("09_grouped")
    for found in (run, runs.load("09_widths")):
        assert max(found["page_faults"]) < 10
        for name in ("milliseconds", "page_faults", "kernels", "packed_channels"):
            assert len(found[name]) == len(found["groups"])
        assert found["milliseconds"][0] == max(found["milliseconds"])  # one group is the slowest
    assert min(run["new_memory"]["page_faults"]) > 100
    slower = zip(run["new_memory"]["milliseconds"], run["milliseconds"], strict=True)
    assert all(new > used for new, used in slower)


START = "onednn_verbose,v1,primitive,exec,cpu"
MAPS = "f32:a:blocked:aBcd8b::f0"
LINES = f"""{START},reorder,jit:blk,undef,src:f32::blocked:abcd::f0 dst:{MAPS},,,1x128x56x56,{{0}}
{START},convolution,jit:avx2,forward_training,src:{MAPS} wei:{MAPS} bia:undef dst:{MAPS},,mb1,{{1}}
{START},reorder,jit:blk,undef,src:{MAPS} dst:f32::blocked:abcd::f0,attr,,1x128x56x56,0.25
"""


def test_the_recorder_reads_what_onednn_says(monkeypatch):
    recorder = load_recorder(RECORDER, monkeypatch)
    rounds = [LINES.format(*times) for times in [("1.5", "9.25"), ("0.5", "9.5")]]
    assert recorder._read(rounds) == {
        "kernel": "jit:avx2",
        "packed_channels": 8,
        "convolution": 9.25,
        "reorders": 0.75,
    }


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="needs oneDNN")
def test_the_recorder_asks_about_each_layer(monkeypatch, capfd):
    recorder = load_recorder(RECORDER, monkeypatch)
    x = torch.randn(1, 32, 40, 40)
    calls = [partial(recorder.layer_with(groups, 32), x) for groups in (1, 4)]
    said = recorder.ask_onednn(calls, rounds=2)
    assert [one["convolution"] > 0 for one in said] == [True, True]
    assert capfd.readouterr().out == ""


def test_stripes_are_balanced_and_agree_where_they_say_so():
    x, same = stripes.pictures(2000, torch.Generator().manual_seed(0))
    assert 0.45 < same.double().mean() < 0.55
    # Along the stripes neighbours are alike, across them they are not.
    down = x.diff(dim=2).square().mean((2, 3))
    along = x.diff(dim=3).square().mean((2, 3))
    vertical = along > down
    assert torch.equal((vertical[:, 0] == vertical[:, 1]).long(), same)


def test_two_separate_halves_are_right_on_three_cases_of_four_at_best():
    """Whatever scores they give: -4 to 4 for each of the two directions."""
    scores = torch.cartesian_prod(*[torch.arange(-4, 5)] * 4)
    one, other = scores[:, :2], scores[:, 2:]
    sums = one[:, :, None] + other[:, None]  # (scores, 2, 2)
    same = torch.eye(2, dtype=torch.bool)
    right = torch.where(same, sums > 0, sums < 0).sum((1, 2))
    assert right.max() == 3


def test_training_is_the_same_twice():
    found = []
    for _ in range(2):
        torch.manual_seed(0)
        model = stripes.network(*stripes.KINDS["two, shuffled"])
        found.append(stripes.accuracies(model, seed=0, steps=20))
    assert found[0] == found[1]
    assert len(found[0][0]) == 2


def test_the_recorded_stripes_are_whole():
    run = runs.load("09_stripes")
    assert list(run["kinds"]) == list(stripes.KINDS)
    assert run["steps"] == list(range(0, stripes.STEPS + 1, stripes.EVERY))
    for networks in run["kinds"].values():
        assert len(networks) == len(run["seeds"]) == 10
        assert all(len(one["accuracy"]) == len(run["steps"]) for one in networks)


# ------------------------------------------------------------------------------------ attempts


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


def parts_by_merging(network, channels):
    """Merge sets until nothing changes."""
    x = torch.rand(1, channels, 4, 4) + 1
    before = network(x)
    sets = []
    for c in range(channels):
        lit = x.clone()
        lit[0, c] += 1
        sets.append({int(o) for o in ((network(lit) - before)[0].amax((1, 2)) > 1e-6).nonzero()})
    changed = True
    while changed:
        changed = False
        for a, b in product(range(len(sets)), repeat=2):
            if a < b and sets[a] & sets[b]:
                sets[a] |= sets.pop(b)
                changed = True
                break
    return len(sets)


def parts_by_attributes(network, channels):
    """Multiply or take the factor, whatever stands in the code."""
    return gcd(*(m.groups for m in network.modules() if isinstance(m, nn.Conv2d)))


def weights(form):
    return form.first.weight, form.middle.weight, form.last.weight, form.middle.groups


def as_paths_by_loops(form):
    first, middle, last, groups = weights(form)
    size = len(first) // groups
    return [
        (
            first[p * size : (p + 1) * size].tolist(),
            middle[p * size : (p + 1) * size].numpy(),
            last[:, p * size : (p + 1) * size].float(),
        )
        for p in reversed(range(groups))
    ]


def as_paths_by_views(form):
    first, middle, last, groups = weights(form)
    firsts = first.unflatten(0, (groups, -1))
    middles = middle.unflatten(0, (groups, -1))
    lasts = last.unflatten(1, (groups, -1)).transpose(0, 1)
    return [[firsts[p], middles[p], lasts[p]] for p in range(groups)]


def as_paths_by_chunks(form):
    first, middle, last, groups = weights(form)
    shares = first.split(len(first) // groups), middle.chunk(groups), last.chunk(groups, 1)
    return tuple(zip(*shares, strict=True))


def all_by_filters(form):
    *layers, groups = weights(form)
    return list(zip(*(layer.chunk(groups) for layer in layers), strict=True))


def every_path_the_whole(form):
    *layers, groups = weights(form)
    return [layers] * groups


def one_list_a_layer(form):
    first, middle, last, groups = weights(form)
    return first.chunk(groups), middle.chunk(groups), last.chunk(groups, dim=1)


def all_dealt_out(form):
    first, middle, last, groups = weights(form)
    return [(first[p::groups], middle[p::groups], last[:, p::groups]) for p in range(groups)]


def layers_instead_of_weights(form):
    return [(form.first, form.middle, form.last)]


def divisors(number):
    return [d for d in range(1, number + 1) if number % d == 0]


def cheapest_by_matrices(channels):
    found = []
    for groups in (g for g in range(1, channels) if channels % g == 0):
        size = channels // groups
        block = torch.block_diag(*[torch.ones(size, size)] * groups)
        order = torch.arange(channels).reshape(groups, size).T.flatten()
        reach, layers = block, 1
        while not reach.all():
            reach, layers = ((block @ reach[order]) > 0).float(), layers + 1
        found.append((layers * size, layers, groups))
    return torch.tensor(min(found)[1:])


def cheapest_by_logarithm(channels):
    stacks = {}
    for size in (s for s in range(2, channels + 1) if channels % s == 0):
        layers = ceil(round(log(channels) / log(size), 9))
        stacks[layers, channels // size] = layers * size
    return min(stacks, key=stacks.get)


def cheapest_deepest(channels):
    """Of several that are equally cheap, the deepest."""
    best = (channels, 1, 1)
    for g in range(1, channels):
        n = next((n for n in range(1, 9) if (channels // g) ** n >= channels), None)
        if channels % g == 0 and n and n * (channels // g) <= best[0]:
            best = n * (channels // g), n, g
    return list(best[1:])


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
    (exercises.check_grouped_pixel, group_of(lambda o, groups, filters: o // filters)),
    (exercises.check_parts, parts_by_gradient),
    (exercises.check_parts, parts_by_merging),
    (exercises.check_parts, lambda net, c: torch.tensor(parts_by_gradient(net, c))),
    (exercises.check_as_paths, as_paths_by_loops),
    (exercises.check_as_paths, as_paths_by_views),
    (exercises.check_as_paths, as_paths_by_chunks),
    (exercises.check_cheapest, cheapest_by_matrices),
    (exercises.check_cheapest, cheapest_by_logarithm),
    (exercises.check_cheapest, cheapest_deepest),
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
        exercises.check_grouped_pixel,
        lambda pixel, weight, groups: np.reshape(
            grouped_einsum(pixel, weight, groups), (groups, -1)
        ),
        "One flat list",
    ),
    (exercises.check_parts, parts_by_attributes, "Counting groups overlooks"),
    (exercises.check_parts, lambda net, c: len(list(net.children())), ""),
    (exercises.check_parts, lambda net, c: 1, ""),
    (exercises.check_parts, lambda net, c: net(torch.ones(1, c, 3, 3)), ""),
    (exercises.check_parts, lambda net, c: net[0].groups, ""),
    (exercises.check_as_paths, all_by_filters, "the second axis"),
    (exercises.check_as_paths, every_path_the_whole, ""),
    (exercises.check_as_paths, one_list_a_layer, "zip them"),
    (exercises.check_as_paths, all_dealt_out, "do not deal the layers out"),
    (exercises.check_as_paths, layers_instead_of_weights, ""),
    (exercises.check_cheapest, lambda c: [2, max(g for g in divisors(c) if g * g <= c)], ""),
    (exercises.check_cheapest, lambda c: [2, int(c**0.5)], ""),
    (exercises.check_cheapest, lambda c: [ceil(log(c) / log(3)), c // 3], ""),
    (exercises.check_cheapest, lambda c: [ceil(log2(c)), c // 2], ""),
    (exercises.check_cheapest, lambda c: cheapest_by_logarithm(c)[::-1], "In this order"),
    (
        exercises.check_cheapest,
        lambda c: [3, max((g for g in divisors(c) if (c // g) ** 3 >= c), default=1)],
        "try four",
    ),
    (exercises.check_cheapest, lambda c: cheapest_by_logarithm(c)[1], ""),
]


@pytest.mark.parametrize(("checker", "attempt"), RIGHT)
def test_right_attempts_in_other_styles_are_accepted(checker, attempt):
    assert_right(attempt, checker)


@pytest.mark.parametrize(("checker", "attempt", "hint"), WRONG)
def test_wrong_attempts_are_rejected(checker, attempt, hint):
    assert_wrong(attempt, checker, hint)
