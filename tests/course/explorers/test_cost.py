"""The cost explorer's Python side: numbers, formulas, lines, presets and refusals."""

import itertools
import random
import re
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
import torch
import torchvision
from torch import nn

from convbook.analysis import trace
from convbook.arithmetic import conv_params
from convbook.course.explorers import CostExplorer
from convbook.course.explorers.cost import LIMITS, USUAL, ratio_text
from convbook.course.explorers.cost_formulas import (
    KINDS,
    PRESETS,
    Settings,
    cost_of,
    in_numbers,
    macs_formula,
    params_formula,
    pytorch_lines,
)

DASH = "\N{EN DASH}"


def divisors(*numbers):
    return [n for n in range(1, min(numbers) + 1) if all(m % n == 0 for m in numbers)]


def settings_drawn(count, seed=0):
    """Settings from the whole range of every control, small ones among them."""
    rng = random.Random(seed)

    def number(name):
        low, high = LIMITS[name]
        return rng.randint(low, rng.choice([min(12, high), high]))

    for _ in range(count):
        common = number("groups")
        most = 4096 // common
        channels = [common * rng.randint(1, rng.choice([min(6, most), most])) for _ in range(2)]
        yield Settings(
            *channels,
            kernel_size=rng.randrange(1, 12, 2),
            groups=rng.choice(divisors(*channels)),
            input_size=number("input_size"),
            stride=number("stride"),
            bias=rng.random() < 0.5,
            middle=rng.choice(["in", "out"]),
        )


def small_settings():
    """Every small setting whose groups divide."""
    for inputs, outputs in itertools.product((1, 2, 6), (1, 4, 6)):
        for groups in divisors(inputs, outputs):
            rest = itertools.product((1, 3, 5), (1, 4, 7), (1, 2), (False, True), ("in", "out"))
            for kernel_size, size, stride, bias, middle in rest:
                yield Settings(inputs, outputs, kernel_size, groups, size, stride, bias, middle)


def made(kind, settings):
    """The kind's own PyTorch lines, run, without memory for the weights."""
    with torch.device("meta"):
        return eval(pytorch_lines(kind, settings), {"nn": nn})


def calculated(formula):
    """What a formula in numbers comes to, exactly."""
    python = re.sub(r"\d+", r"Fraction(\g<0>)", formula.replace("·", "*"))
    return eval(python, {"Fraction": Fraction})


# ------------------------------------------------------------------ numbers


def test_default_is_the_chapters_example():
    explorer = CostExplorer()
    assert (explorer.in_channels, explorer.out_channels, explorer.kernel_size) == (16, 32, 3)
    assert explorer.params["standard"] == 4608
    assert explorer.params["depthwise_separable"] == 656
    with_bias = CostExplorer(bias=True).params
    assert (with_bias["standard"], with_bias["depthwise_separable"]) == (4640, 704)


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_equal_those_of_pytorchs_modules(kind):
    for settings in [*small_settings(), *settings_drawn(400)]:
        layers = [m for m in made(kind, settings).modules() if isinstance(m, nn.Conv2d)]
        counts = tuple(sum(p.numel() for p in layer.parameters()) for layer in layers)
        assert cost_of(kind, settings).params == counts, settings


@pytest.mark.parametrize("kind", KINDS)
def test_macs_and_shapes_equal_those_of_a_trace(kind):
    for settings in settings_drawn(60, seed=1):
        size = settings.input_size
        table = trace(made(kind, settings), (settings.in_channels, size, size))
        cost = cost_of(kind, settings)
        assert tuple(row.macs for row in table) == cost.macs, settings
        assert table.params == sum(cost.params)
        out = int(in_numbers("m", settings))
        assert table[-1].output_shape == (settings.out_channels, out, out)
        assert out == -(-size // settings.stride)


def test_a_grouped_convolution_with_a_group_per_channel_is_depthwise():
    explorer = CostExplorer(16, 16, groups=16, bias=True)
    depthwise = explorer.costs["depthwise_separable"].params[0]
    assert explorer.params["grouped"] == depthwise == conv_params(16, 16, 3, groups=16)


def test_attributes_are_read_and_written():
    explorer = CostExplorer()
    explorer.groups = 16
    explorer.stride = 2
    explorer.middle = "out"
    assert explorer.params["grouped"] == 4608 // 16
    assert explorer.macs["standard"] == 4608 * 16 * 16
    assert explorer.params["spatially_separable"] == 3 * 16 * 32 + 3 * 32 * 32


def test_numbers_stay_exact_in_javascript():
    largest = {name: high for name, (_, high) in LIMITS.items()} | {"stride": 1, "middle": "in"}
    settings = Settings(**largest | {"bias": True})
    sums = [sum(numbers) for kind in KINDS for numbers in cost_of(kind, settings)]
    assert 2**50 < max(sums) < 2**53


def test_groups_that_do_not_divide_leave_the_others():
    explorer = CostExplorer(show="grouped")
    explorer.in_channels = 6
    assert explorer.problem == (
        "groups=4 must divide in_channels=6 and out_channels=32; use groups=2, or channel numbers "
        "that are multiples of 4"
    )
    assert list(explorer.params) == [kind for kind in KINDS if kind != "grouped"]
    assert explorer.summary == f"{explorer.problem}."
    assert explorer.code == ""
    explorer.show = "standard"
    assert explorer.summary == "Standard: 1,728 parameters and 1,769,472 MACs."
    explorer.groups = 2
    assert explorer.problem is None


# ------------------------------------------------------------------ formulas and words


@pytest.mark.parametrize("kind", KINDS)
def test_formulas_come_to_the_numbers(kind):
    for settings in [*small_settings(), *settings_drawn(300, seed=2)]:
        cost = cost_of(kind, settings)
        params = in_numbers(params_formula(kind, settings), settings)
        macs = in_numbers(macs_formula(kind, settings), settings)
        assert calculated(params) == sum(cost.params), settings
        assert calculated(macs) == sum(cost.macs), settings
        weights = [
            sum(cost_of(one, settings._replace(bias=False)).params) for one in (kind, "standard")
        ]
        assert calculated(in_numbers(KINDS[kind].ratio, settings)) == Fraction(*weights)


@pytest.mark.parametrize(
    ("settings", "kind", "params", "macs"),
    [
        ({}, "standard", "k·k·C_in·C_out", "n·n·k·k·C_in·C_out"),
        ({"stride": 2}, "grouped", "k·k·C_in/g·C_out", "m·m·k·k·C_in/g·C_out"),
        (
            {"bias": True},
            "depthwise_separable",
            "(k·k + 1)·C_in + (C_in + 1)·C_out",
            "n·n·(k·k·C_in + C_in·C_out)",
        ),
        (
            {"stride": 2, "bias": True},
            "spatially_separable",
            "(k·C_in + 1)·C_mid + (k·C_mid + 1)·C_out",
            "m·n·k·C_in·C_mid + m·m·k·C_mid·C_out",
        ),
    ],
)
def test_formulas_in_symbols(settings, kind, params, macs):
    settings = CostExplorer(**settings).settings
    assert params_formula(kind, settings) == params
    assert macs_formula(kind, settings) == macs


def test_formulas_in_numbers():
    settings = CostExplorer(20, 30, kernel_size=5, groups=10, input_size=9, stride=2).settings
    formulas = [macs_formula(kind, settings) for kind in KINDS]
    assert [in_numbers(formula, settings) for formula in formulas] == [
        "5·5·5·5·20·30",
        "5·5·5·5·20/10·30",
        "5·5·(5·5·20 + 20·30)",
        "5·9·5·20·20 + 5·5·5·20·30",
    ]
    assert [in_numbers(kind.what, settings) for kind in KINDS.values()] == [
        "5×5",
        "5×5, groups=10",
        "5×5 depthwise, then 1×1",
        "5×1, then 1×5",
    ]


@pytest.mark.parametrize(
    ("settings", "summary"),
    [
        (
            {},
            "Depthwise separable: 656 parameters and 671,744 MACs, 0.142 times those of the "
            "standard convolution.",
        ),
        (
            {"bias": True},
            "Depthwise separable: 704 parameters and 671,744 MACs, 0.152 and 0.142 times those of "
            "the standard convolution.",
        ),
        ({"show": "standard"}, "Standard: 4,608 parameters and 4,718,592 MACs."),
        (
            {"preset": "pointwise", "in_channels": 1, "out_channels": 1, "groups": 1}
            | {"input_size": 1, "show": "grouped"},
            "Grouped: 1 parameter and 1 MAC, as many as the standard convolution.",
        ),
    ],
)
def test_summary(settings, summary):
    assert CostExplorer(**settings).summary == summary


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (1, 1, "1"),
        (1, 32, "0.0313"),
        (656, 4608, "0.142"),
        (3, 2, "1.5"),
        (1, 4096, "0.000244"),
        (4097, 1, "4100"),
        (1999, 2000, "1"),
        (25, 10000, "0.0025"),
    ],
)
def test_ratio_has_three_digits(part, whole, text):
    assert ratio_text(part, whole) == text
    shown, exact = Decimal(text), Decimal(part) / Decimal(whole)
    places = Decimal(1).scaleb(exact.adjusted() - 2)
    assert shown == exact.quantize(places, ROUND_HALF_UP)


# ------------------------------------------------------------------ presets


def test_presets_are_valid_and_short():
    for key, preset in PRESETS.items():
        explorer = CostExplorer(preset=key)
        assert explorer.settings == preset.settings
        assert explorer.show == preset.show
        assert len(preset.label) < 20
        assert preset.note.endswith(".")
    assert len({preset.label for preset in PRESETS.values()}) == len(PRESETS)


def only_row(name, layer, input_size):
    """The row of one layer of a torchvision model."""
    options = {"init_weights": False} if name == "inception_v3" else {}
    with torch.device("meta"):
        model = getattr(torchvision.models, name)(weights=None, **options)
    return model, trace(model.eval(), (3, input_size, input_size))[layer]


def test_resnext_is_torchvisions():
    _, row = only_row("resnext50_32x4d", "layer1.0.conv2", 224)
    explorer = CostExplorer(preset="resnext")
    assert row.input_shape == (128, 56, 56)
    assert row.output_shape == (128, 56, 56)
    assert (row.params, row.macs) == (explorer.params["grouped"], explorer.macs["grouped"])
    assert explorer.groups == row.groups
    channels = row.input_shape[0] // row.groups
    assert f"(32x4d): {row.groups} groups of {channels} channels" in PRESETS["resnext"].note


def test_inception_is_torchvisions():
    model, _ = only_row("inception_v3", "Mixed_6e.branch7x7_2.conv", 299)
    table = trace(model, (3, 299, 299))
    pair = [table[f"Mixed_6e.branch7x7_{i}.conv"] for i in (2, 3)]
    assert [row.kernel for row in pair] == [(1, 7), (7, 1)]
    explorer = CostExplorer(preset="inception")
    assert pair[0].input_shape == pair[1].output_shape == (192, 17, 17)
    assert sum(row.params for row in pair) == explorer.params["spatially_separable"]
    assert sum(row.macs for row in pair) == explorer.macs["spatially_separable"]
    assert 7 * explorer.params["spatially_separable"] == 2 * explorer.params["standard"]
    sizes = {m.kernel_size for m in model.modules() if isinstance(m, nn.Conv2d)}
    assert (7, 7) not in sizes


def test_mobilenets_work_is_in_the_pointwise_convolution():
    # Howard et al., table 1: five times depthwise and pointwise, 512 channels, 14 x 14.
    explorer = CostExplorer(preset="mobilenet")
    depthwise, pointwise = explorer.costs["depthwise_separable"].macs
    assert (depthwise, pointwise) == (14 * 14 * 9 * 512, 14 * 14 * 512 * 512)
    share = round(100 * depthwise / (depthwise + pointwise))
    assert f"All but {share} % of its work" in PRESETS["mobilenet"].note


def test_alexnets_two_groups_halve_the_weights():
    # Krizhevsky et al., section 3.5: 256 filters of 5 x 5 x 48 in the second layer.
    explorer = CostExplorer(preset="alexnet")
    assert explorer.params["grouped"] == 256 * (5 * 5 * 48 + 1)
    explorer.bias = False
    assert 2 * explorer.params["grouped"] == explorer.params["standard"]


def test_nothing_is_gained_by_separating_a_single_tap():
    params = CostExplorer(preset="pointwise").params
    assert params["standard"] < params["depthwise_separable"]
    assert params["standard"] < params["spatially_separable"]


def test_numbers_in_the_first_note_are_right():
    explorer, note = CostExplorer(), PRESETS["example"].note
    assert f"{explorer.params['depthwise_separable']} weights" in note
    assert f"has {explorer.params['standard']:,}." in note


def test_sliders_reach_what_the_presets_use():
    for preset in PRESETS.values():
        assert preset.settings.in_channels in USUAL["channels"]
        assert preset.settings.out_channels in USUAL["channels"]
        assert preset.settings.input_size in USUAL["input_size"]
    for slider, name in (
        ("channels", "in_channels"),
        ("channels", "out_channels"),
        ("input_size", "input_size"),
    ):
        numbers, (low, high) = USUAL[slider], LIMITS[name]
        assert list(numbers) == sorted(set(numbers))
        assert numbers[0] == low
        assert numbers[-1] <= high


# ------------------------------------------------------------------ refusals


# ------------------------------------------------------------------ what a notebook stores


def rows_of(html):
    assert "<script" not in html
    return [
        re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in re.findall("<tr>(.*?)</tr>", html)
    ]


def test_static_form_is_the_table():
    explorer = CostExplorer(bias=True, stride=2)
    html = explorer.static_html()
    head, *rows = rows_of(html)
    assert head == ["convolution", "parameters", "ratio", "MACs", "ratio", "formula", "layers"]
    for row, (key, kind) in zip(rows, KINDS.items(), strict=True):
        params, macs = explorer.params, explorer.macs
        assert row[0] == kind.label
        assert [int(row[i].replace(",", "")) for i in (1, 3)] == [params[key], macs[key]]
        assert float(row[2]) == pytest.approx(params[key] / params["standard"], abs=0.0005)
        assert float(row[4]) == pytest.approx(macs[key] / macs["standard"], abs=0.0005)
        assert calculated(row[5]) == params[key]
    assert rows[2][6] == "3×3 depthwise, then 1×1"
    assert "16 to 32 channels, maps of 32 × 32 to 16 × 16" in html
    assert "maps of 32 × 32</caption>" in CostExplorer().static_html()
    assert explorer.summary in html
    assert explorer.code in html


def test_static_form_says_what_does_not_divide():
    explorer = CostExplorer(show="grouped")
    explorer.in_channels = 6
    html = explorer.static_html()
    assert rows_of(html)[2] == ["Grouped", *[DASH] * 5, "3×3, groups=4"]
    assert explorer.problem in html
    assert "<code>" not in html
