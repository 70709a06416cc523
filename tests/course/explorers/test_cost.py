"""The cost explorer without a browser: numbers, formulas, lines, presets and words."""

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
from convbook.course.explorers import CostExplorer
from convbook.course.explorers.cost import KINDS, LIMITS, PRESETS, SETTINGS, cost_of, pytorch_lines
from tests.helpers.javascript import module

SETTINGS_JS = module("parts/cost_settings.js")
JS = module("parts/cost_formulas.js")
NUMBERS = SETTINGS_JS.NUMBERS()
STOPS = {name: number.get("stops") for name, number in NUMBERS.items()}
NOTES = {preset["key"]: preset["note"] for preset in SETTINGS_JS.PRESETS()}


def settings_of(*values):
    return dict(zip(SETTINGS, values, strict=True))


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
        groups, size = rng.choice(divisors(*channels)), number("input_size")
        rest = rng.randint(1, 2), rng.random() < 0.5, rng.choice(["in", "out"])
        yield settings_of(*channels, rng.randrange(1, 12, 2), groups, size, *rest)


def calculated(formula):
    """What a formula in numbers comes to, exactly."""
    python = re.sub(r"\d+", r"Fraction(\g<0>)", formula.replace("·", "*"))
    return eval(python, {"Fraction": Fraction})


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_and_shapes_equal_those_of_pytorchs_modules_and_of_a_trace(kind):
    for settings in settings_drawn(150, seed=1):
        with torch.device("meta"):  # without memory for the weights
            made = eval(pytorch_lines(kind, settings), {"nn": nn})
        size, channels = settings["input_size"], settings["in_channels"]
        table = trace(made, (channels, size, size))
        params, macs = cost_of(kind, settings)
        layers = [made] if len(params) == 1 else list(made)
        assert tuple(sum(p.numel() for p in one.parameters()) for one in layers) == params
        assert tuple(row.macs for row in table) == macs, settings
        text = f"Each makes {table[-1].output_shape} of {(channels, size, size)}: "
        assert JS.shapesOf(settings) == f"{text}channels, height, width."


def test_attributes_are_read_and_written():
    explorer = CostExplorer()
    explorer.groups, explorer.stride, explorer.middle = 16, 2, "out"
    assert explorer.params["grouped"] == 4608 // 16
    assert explorer.macs["standard"] == 4608 * 16 * 16
    assert explorer.params["spatially_separable"] == 3 * 16 * 32 + 3 * 32 * 32
    explorer.in_channels, explorer.show = 6, "grouped"  # as a page may leave it for a moment
    assert list(explorer.params) == [kind for kind in KINDS if kind != "grouped"]
    assert explorer.code == ""
    assert "<td>none</td>" in explorer.static_html()


def test_numbers_stay_exact_in_javascript():
    largest = {name: high for name, (_, high) in LIMITS.items()} | {"stride": 1}
    settings = largest | {"bias": True, "middle": "in"}
    sums = [sum(numbers) for kind in KINDS for numbers in cost_of(kind, settings)]
    assert 2**50 < max(sums) < 2**53


def assert_equal_to_pythons(kind, settings):
    params, macs = cost_of(kind, settings)
    assert JS.costOf(kind, settings) == {"params": [*params], "macs": [*macs]}, settings
    assert JS.pytorchLines(kind, settings) == pytorch_lines(kind, settings)


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_and_lines_equal_pythons_over_the_whole_control_grid(kind):
    # The size of the map only scales the MACs: its values take turns. So do the values of what a
    # kind does not read.
    sizes, groups = itertools.cycle(STOPS["input_size"]), [1]
    middles = ("in", "out") if kind == "spatially_separable" else ("in",)
    for channels in itertools.product(STOPS["in_channels"], STOPS["out_channels"]):
        if kind == "grouped":
            groups = divisors(*channels)
        for g, k in itertools.product(groups, STOPS["kernel_size"]):
            for rest in itertools.product((1, 2), (False, True), middles):
                assert_equal_to_pythons(kind, settings_of(*channels, k, g, next(sizes), *rest))


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_and_lines_equal_pythons_for_any_number_typed(kind):
    for settings in settings_drawn(300, seed=2):
        assert_equal_to_pythons(kind, settings)


@pytest.mark.parametrize("preset", PRESETS)
def test_script_prints_every_cost(preset, capsys):
    explorer = CostExplorer(preset=preset)
    exec(JS.pytorchScript(explorer.settings), {})
    assert capsys.readouterr().out.splitlines() == [
        f"{key}: {explorer.params[key]:,} parameters, {explorer.macs[key]:,} MACs" for key in KINDS
    ]


def test_groups_that_do_not_divide_are_said_with_the_remedy():
    for settings in settings_drawn(200, seed=3):
        fitting = divisors(settings["in_channels"], settings["out_channels"])
        assert JS.commonDivisors(settings) == fitting
        wanted = settings["groups"] + 1
        broken, said = settings | {"groups": wanted}, JS.groupsMessage(settings, wanted)
        assert JS.groupsMessage(settings, settings["groups"]) == ""
        if wanted in fitting:
            assert said == ""
            continue
        assert said.endswith(f"; groups={settings['groups']} is shown.")
        assert JS.costOf("grouped", broken) is None
        with pytest.raises(ValueError, match=f"groups={wanted} must divide") as caught:
            cost_of("grouped", broken)
        assert JS.groupsMessage(broken, wanted) == f"{caught.value}."


@pytest.mark.parametrize("kind", KINDS)
def test_formulas_come_to_the_numbers(kind):
    for settings in settings_drawn(300, seed=4):
        sums = [sum(numbers) for numbers in cost_of(kind, settings)]
        formulas = JS.formulasOf(kind, settings)
        workings = JS.workingsOf(kind, settings)
        assert len(workings) == 2 + (kind != "standard")
        for formula, line, own in zip(formulas.values(), workings[:2], sums, strict=True):
            assert calculated(JS.inNumbers(formula, settings)) == own, settings
            symbols, *numbers = line.split(" = ")
            assert symbols == formula
            assert {calculated(part.replace(",", "")) for part in numbers} == {own}
        if kind != "standard":
            weights = [sum(cost_of(k, settings | {"bias": False})[0]) for k in (kind, "standard")]
            _, numbers, ratio = workings[2].split(" = ")
            assert calculated(numbers) == Fraction(*weights)
            assert ratio == JS.ratioText(*weights)


SYMBOLS = {
    "standard": ["k·k·C_in·C_out", "n·n·k·k·C_in·C_out", "m·m·k·k·C_in·C_out"],
    "grouped": ["k·k·C_in/g·C_out", "n·n·k·k·C_in/g·C_out", "m·m·k·k·C_in/g·C_out"],
    "depthwise_separable": [
        "k·k·C_in + C_in·C_out",
        "n·n·(k·k·C_in + C_in·C_out)",
        "m·m·(k·k·C_in + C_in·C_out)",
    ],
    "spatially_separable": [
        "k·C_in·C_mid + k·C_mid·C_out",
        "n·n·(k·C_in·C_mid + k·C_mid·C_out)",
        "m·n·k·C_in·C_mid + m·m·k·C_mid·C_out",
    ],
}


@pytest.mark.parametrize("kind", KINDS)
def test_formulas_in_symbols(kind):
    params, macs, strided = SYMBOLS[kind]
    assert JS.formulasOf(kind, CostExplorer().settings) == {"params": params, "macs": macs}
    found = JS.formulasOf(kind, CostExplorer(stride=2, bias=True).settings)
    assert found["macs"] == strided
    assert found["params"] == re.sub(r"([^ ]+)·(\w+)", r"(\1 + 1)·\2", params)
    names = ["5×5", "5×5, groups=4", "5×5 depthwise, then 1×1", "5×1, then 1×5"]
    what = SETTINGS_JS.KINDS()[kind]["what"]
    assert JS.inNumbers(what, CostExplorer(kernel_size=5).settings) == names[KINDS.index(kind)]


ONE = {"in_channels": 1, "out_channels": 1, "kernel_size": 1, "groups": 1, "input_size": 1}
SUMMARIES = [
    ({}, "Depthwise separable: 656 parameters and 671,744 MACs, 0.142 times those of the standard"),
    (
        {"bias": True},
        "Depthwise separable: 704 parameters and 671,744 MACs, 0.152 and 0.142 times those of the "
        "standard",
    ),
    (ONE | {"show": "grouped"}, "Grouped: 1 parameter and 1 MAC, as many as the standard"),
]


def test_summary():
    for arguments, summary in SUMMARIES:
        explorer = CostExplorer(**arguments)
        assert JS.summaryOf(explorer.show, explorer.settings) == f"{summary} convolution."
    words = "Standard: 4,608 parameters and 4,718,592 MACs."
    assert JS.summaryOf("standard", CostExplorer().settings) == words


def test_ratio_has_three_digits():
    rng = random.Random(0)
    pairs = [(rng.randint(1, 2**40), rng.randint(1, 2**40)) for _ in range(500)]
    for part, whole in [(1, 1), (1, 32), (656, 4608), (1, 4096), (1999, 2000), (4097, 1), *pairs]:
        if part / whole > 10**6:
            continue
        exact = Decimal(part) / Decimal(whole)
        places = Decimal(1).scaleb(exact.adjusted() - 2)
        assert Decimal(JS.ratioText(part, whole)) == exact.quantize(places, ROUND_HALF_UP)
    assert [JS.ratioText(*pair) for pair in ((1, 32), (656, 4608))] == ["0.0313", "0.142"]


def test_presets_kinds_and_limits_are_pythons():
    found = {p["key"]: p["settings"] | {"show": p["show"]} for p in SETTINGS_JS.PRESETS()}
    assert found == PRESETS
    assert [*found] == [*PRESETS]
    assert tuple(SETTINGS_JS.KINDS()) == KINDS
    assert {name: tuple(number["limits"]) for name, number in NUMBERS.items()} == LIMITS
    for key, settings in PRESETS.items():
        explorer = CostExplorer(preset=key)
        assert explorer.settings | {"show": explorer.show} == settings


def table_of(name, input_size, **options):
    with torch.device("meta"):
        model = getattr(torchvision.models, name)(weights=None, **options)
    return model, trace(model.eval(), (3, input_size, input_size))


def test_resnext_is_torchvisions():
    row, explorer = (
        table_of("resnext50_32x4d", 224)[1]["layer1.0.conv2"],
        CostExplorer(preset="resnext"),
    )
    assert row.input_shape == row.output_shape == (128, 56, 56)
    assert (row.params, row.macs) == (explorer.params["grouped"], explorer.macs["grouped"])
    channels = row.input_shape[0] // row.groups
    assert f"(32x4d): {row.groups} groups of {channels} channels" in NOTES["resnext"]


def test_inception_is_torchvisions():
    model, table = table_of("inception_v3", 299, init_weights=False)
    pair = [table[f"Mixed_6e.branch7x7_{i}.conv"] for i in (2, 3)]
    explorer = CostExplorer(preset="inception")
    assert [row.kernel for row in pair] == [(1, 7), (7, 1)]
    assert pair[0].input_shape == pair[1].output_shape == (192, 17, 17)
    assert sum(row.params for row in pair) == explorer.params["spatially_separable"]
    assert sum(row.macs for row in pair) == explorer.macs["spatially_separable"]
    assert 7 * explorer.params["spatially_separable"] == 2 * explorer.params["standard"]
    assert (7, 7) not in {m.kernel_size for m in model.modules() if isinstance(m, nn.Conv2d)}


def test_notes_are_right():
    # Howard et al., table 1: five times depthwise and pointwise, 512 channels, 14 x 14.
    depthwise, pointwise = CostExplorer(preset="mobilenet").costs["depthwise_separable"][1]
    assert (depthwise, pointwise) == (14 * 14 * 9 * 512, 14 * 14 * 512 * 512)
    share = round(100 * depthwise / (depthwise + pointwise))
    assert f"All but {share} % of its work" in NOTES["mobilenet"]
    # Krizhevsky et al., section 3.5: 256 filters of 5 x 5 x 48 in the second layer.
    alexnet = CostExplorer(preset="alexnet")
    assert alexnet.params["grouped"] == 256 * (5 * 5 * 48 + 1)
    alexnet.bias = False
    assert 2 * alexnet.params["grouped"] == alexnet.params["standard"]
    standard, _, *pairs = CostExplorer(preset="pointwise").params.values()
    assert standard < min(pairs)
    example = CostExplorer().params
    assert f"{example['depthwise_separable']} weights" in NOTES["example"]
    assert f"has {example['standard']:,}." in NOTES["example"]


def test_static_form_is_the_table():
    explorer = CostExplorer(bias=True, stride=2)
    html = explorer.static_html()
    rows = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in html.split("<tr>")[1:]]
    assert rows == [
        ["convolution", "parameters", "MACs"],
        *(
            [kind.replace("_", " "), f"{explorer.params[kind]:,}", f"{explorer.macs[kind]:,}"]
            for kind in KINDS
        ),
    ]
    assert explorer.code in html


def test_only_the_symbols_in_use_are_explained():
    between = "C_in: channels in; C_out: channels out; k: kernel size; n: map size in"
    assert JS.meaningOf(["k·k·C_in + C_in·C_out", "n·n·k"]) == between
    assert JS.meaningOf(["C_mid/g"]) == "C_mid: channels between; g: groups"
