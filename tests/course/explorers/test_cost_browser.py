"""The cost explorer in a real browser: numbers, formulas, bars, groups that divide, keyboard."""

import itertools
import random
import re

import pytest

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
from tests.helpers.explorer_pages import SET

pytestmark = pytest.mark.browser

DASH = "\N{EN DASH}"


def divisors(*numbers):
    return [n for n in range(1, min(numbers) + 1) if all(m % n == 0 for m in numbers)]


def explorer_with(settings, show="depthwise_separable"):
    """An explorer whose groups need not divide, as a live kernel may leave it."""
    explorer = CostExplorer(show=show)
    for name, value in settings._asdict().items():
        setattr(explorer, name, value)
    return explorer


# ------------------------------------------------------------------ numbers

ODD = range(1, 12, 2)
SIZES = USUAL["input_size"]
OTHERS = list(itertools.product(ODD, (1, 2), (False, True), ("in", "out")))

# The sums of every kind, for each of some settings.
COMPUTE_SUMS = """async (settings) => {
  const module = await import("./cost.js");
  const kinds = models[0].get("kinds");
  const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
  const names = ["in_channels", "out_channels", "kernel_size", "groups", "input_size", "stride",
    "bias", "middle"];
  return settings.map((values) => {
    const s = Object.fromEntries(names.map((name, i) => [name, values[i]]));
    return kinds.map((kind) => Object.values(module.costOf(kind, s)).map(sum));
  });
}"""


def assert_equal_to_pythons(page, settings):
    got = page.evaluate(COMPUTE_SUMS, settings)
    for one, sums in zip(settings, got, strict=True):
        costs = [cost_of(kind, one) for kind in KINDS]
        assert sums == [[sum(cost.params), sum(cost.macs)] for cost in costs], one


@pytest.mark.parametrize("inputs", USUAL["channels"])
def test_numbers_equal_pythons_over_the_whole_control_grid(inputs, open_page):
    # The size of the map only scales the MACs: here its values take turns.
    page, sizes = open_page(CostExplorer()), itertools.cycle(SIZES)
    for outputs in USUAL["channels"]:
        others = itertools.product(divisors(inputs, outputs), OTHERS)
        settings = [
            Settings(inputs, outputs, kernel, groups, next(sizes), *rest)
            for groups, (kernel, *rest) in others
        ]
        assert_equal_to_pythons(page, settings)


@pytest.mark.parametrize("preset", PRESETS)
def test_numbers_equal_pythons_for_every_size_of_the_map(preset, open_page):
    one = PRESETS[preset].settings
    settings = [
        Settings(one.in_channels, one.out_channels, kernel, one.groups, size, *rest)
        for size, (kernel, *rest) in itertools.product(SIZES, OTHERS)
    ]
    assert_equal_to_pythons(open_page(CostExplorer()), settings)


# ------------------------------------------------------------------ formulas, words and lines

COMPUTE = """async (cases) => {
  const module = await import("./cost.js");
  const kinds = models[0].get("kinds");
  return cases.map((s) => ({
    problem: module.problemOf(s),
    divisors: module.commonDivisors(s),
    kinds: kinds.map((kind) => ({
      cost: module.costOf(kind, s),
      formulas: [module.paramsFormula(kind, s), module.macsFormula(kind, s)],
      numbers: [module.paramsFormula(kind, s), module.macsFormula(kind, s), kind.what, kind.ratio]
        .map((text) => module.inNumbers(text, s)),
      summary: module.summaryOf(kind, kinds[0], s),
      lines: module.pytorchLines(kind, s),
    })),
  }));
}"""


def settings_drawn(count):
    """Settings from the whole range of every control; the groups of some do not divide."""
    rng = random.Random(0)

    def number(name):
        low, high = LIMITS[name]
        return rng.randint(low, rng.choice([min(12, high), high]))

    for _ in range(count):
        channels = [number("in_channels"), number("out_channels")]
        groups = rng.choice([*divisors(*channels), number("groups")])
        bias, middle = rng.random() < 0.5, rng.choice(["in", "out"])
        size, stride = number("input_size"), number("stride")
        yield Settings(*channels, rng.choice(ODD), groups, size, stride, bias, middle)


def test_numbers_words_and_lines_equal_pythons(open_page):
    cases = [*settings_drawn(500), *(preset.settings for preset in PRESETS.values())]
    page = open_page(CostExplorer())
    computed = page.evaluate(COMPUTE, [settings._asdict() for settings in cases])
    counted = {"divides": 0, "does not": 0}
    for settings, got in zip(cases, computed, strict=True):
        explorer = explorer_with(settings)
        problem, costs = explorer.problem, explorer.costs
        counted["does not" if problem else "divides"] += 1
        assert got["problem"] == problem
        assert got["divisors"] == divisors(settings.in_channels, settings.out_channels)
        for (key, kind), one in zip(KINDS.items(), got["kinds"], strict=True):
            formulas = [params_formula(key, settings), macs_formula(key, settings)]
            assert one["formulas"] == formulas
            texts = [*formulas, kind.what, kind.ratio]
            assert one["numbers"] == [in_numbers(text, settings) for text in texts]
            assert one["lines"] == pytorch_lines(key, settings)
            explorer.show = key
            assert one["summary"] == explorer.summary
            if key in costs:
                assert one["cost"] == {name: list(n) for name, n in costs[key]._asdict().items()}
            else:
                assert one["cost"] is None
    assert min(counted.values()) > 100


def test_ratios_equal_pythons(open_page):
    pairs = [(part, whole) for part in range(1, 130) for whole in range(1, 130)]
    rng = random.Random(0)
    pairs += [(rng.randint(1, 2**52), rng.randint(1, 2**40)) for _ in range(2000)]
    pairs = [(part, whole) for part, whole in pairs if part / whole < 10**6]
    found = open_page(CostExplorer()).evaluate(
        """async (pairs) => {
          const { ratioText } = await import("./cost.js");
          return pairs.map(([part, whole]) => ratioText(part, whole));
        }""",
        pairs,
    )
    assert found == [ratio_text(part, whole) for part, whole in pairs]


@pytest.mark.parametrize("preset", PRESETS)
def test_script_prints_every_cost(preset, open_page, capsys):
    explorer = CostExplorer(preset=preset)
    page = open_page(explorer)
    page.get_by_role("button", name="Copy all as a script").click()
    page.get_by_text("Copied").wait_for()
    exec(page.evaluate("navigator.clipboard.readText()"), {})
    assert capsys.readouterr().out.splitlines() == [
        f"{key}: {explorer.params[key]:,} parameters, {explorer.macs[key]:,} MACs" for key in KINDS
    ]


# ------------------------------------------------------------------ what the page shows


def rows_of(page):
    """The rows of the table: label, whether chosen, and each column's number, ratio, formula."""
    return page.evaluate(
        """() => [...document.querySelectorAll(".cb-cost-row:not(.cb-cost-heads)")].map((row) => ({
          label: row.querySelector(".cb-cost-title b").textContent,
          what: row.querySelector(".cb-cost-what").textContent,
          chosen: row.querySelector("input").checked,
          shown: row.classList.contains("cb-cost-shown"),
          cells: [...row.querySelectorAll(".cb-cost-cell")].map((cell) =>
            [".cb-cost-head b", ".cb-cost-ratio", ".cb-cost-formula"].map((part) =>
              cell.querySelector(part).textContent)),
        }))"""
    )


def lines_of(page):
    return page.locator(".cb-cost-line:visible").all_text_contents()


def message_of(page):
    return page.locator(".cb-message").text_content()


def state(page, name):
    return page.evaluate("(name) => models[0].get(name)", name)


def slider(page, label):
    return page.get_by_role("slider", name=re.compile(f"^{label}"))


def field(page, label):
    return page.get_by_role("spinbutton", name=label, exact=True)


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def assert_shows(page, explorer):
    """The page shows this explorer: its table, its sentence, its formulas and its lines."""
    settings, params, macs = explorer.settings, explorer.params, explorer.macs
    for (key, kind), row in zip(KINDS.items(), rows_of(page), strict=True):
        assert row["label"] == kind.label
        assert row["what"] == in_numbers(kind.what, settings)
        assert row["chosen"] == row["shown"] == (key == explorer.show)
        expected = [[DASH, "", ""]] * 2
        if key in params:
            expected = [
                [
                    f"{sums[key]:,}",
                    f"ratio {ratio_text(sums[key], sums['standard'])}",
                    in_numbers(formula(key, settings), settings),
                ]
                for sums, formula in ((params, params_formula), (macs, macs_formula))
            ]
        assert row["cells"] == expected
    size, out = settings.input_size, in_numbers("m", settings)
    assert page.locator("p.cb-caption").text_content() == (
        f"Each makes ({settings.out_channels}, {out}, {out}) of "
        f"({settings.in_channels}, {size}, {size}): channels, height, width."
    )
    if explorer.show not in params:
        assert message_of(page) == f"{explorer.problem}."
        assert not page.locator(".cb-code").is_visible()
        assert not page.locator(".cb-cost-summary").is_visible()
        return
    assert page.locator(".cb-cost-summary").inner_text() == explorer.summary
    assert page.locator(".cb-code").text_content() == explorer.code
    assert lines_of(page) == expected_lines(explorer)


def expected_lines(explorer):
    """The formulas of the kind shown, in symbols, with what they come to."""
    show, settings = explorer.show, explorer.settings
    formulas = [params_formula(show, settings), macs_formula(show, settings)]
    lines = []
    for name, formula, parts in zip(
        ("Parameters", "MACs"), formulas, explorer.costs[show], strict=True
    ):
        counts = [" + ".join(f"{part:,}" for part in parts), f"{sum(parts):,}"]
        lines.append(f"{name}{formula} = {' = '.join(dict.fromkeys(counts))}")
    if show != "standard":
        ratio = KINDS[show].ratio
        weights = [
            sum(cost_of(kind, settings._replace(bias=False)).params) for kind in (show, "standard")
        ]
        numbers = f"{in_numbers(ratio, settings)} = {ratio_text(*weights)}"
        lines.append(f"Ratio of weights{ratio} = {numbers}")
    return [line.replace("C_", "C") for line in lines]


def test_default_shows_the_chapters_example(open_page):
    page = open_page(CostExplorer())
    assert page.locator(".cb-static").count() == 0
    assert_shows(page, CostExplorer())
    assert [row["cells"][0][0] for row in rows_of(page)] == ["4,608", "1,152", "656", "2,304"]
    assert page.locator(".cb-cost-line sub").all_text_contents()[:3] == ["in", "in", "out"]
    assert page.locator('.cb-preset[aria-pressed="true"]').inner_text() == "16 to 32 channels"
    page.get_by_role("checkbox", name="Bias").check()
    assert [row["cells"][0][0] for row in rows_of(page)] == ["4,640", "1,184", "704", "2,352"]


BARS = """() => [...document.querySelectorAll(".cb-bar")].map((bar) => {
  const box = bar.getBoundingClientRect();
  const mark = getComputedStyle(bar, "::after");
  const parts = [...bar.children].filter((part) => !part.hidden);
  return {
    width: box.width - bar.clientLeft,
    parts: parts.map((part) => part.getBoundingClientRect().width),
    starts: parts.map((part) => part.getBoundingClientRect().left - box.left - bar.clientLeft),
    mark: parseFloat(mark.left) + 1,
  };
})"""


@pytest.mark.parametrize("width", [360, 760])
@pytest.mark.parametrize("preset", PRESETS)
def test_bars_are_as_long_as_the_numbers_from_zero(preset, width, open_page):
    explorer = CostExplorer(preset=preset)
    bars = open_page(explorer, width=width).evaluate(BARS)
    for column, sums in enumerate((explorer.params, explorer.macs)):
        largest = max(sums.values())
        for key, bar in zip(KINDS, bars[column::2], strict=True):
            parts = explorer.costs[key][column]
            scale = bar["width"] / largest
            assert bar["parts"] == pytest.approx([part * scale for part in parts], abs=1.01)
            assert bar["starts"][0] == pytest.approx(0, abs=0.01)
            assert bar["mark"] == pytest.approx(sums["standard"] * scale, abs=0.05)
            if len(parts) > 1:
                assert bar["starts"][1] == pytest.approx(bar["parts"][0], abs=0.01)


def test_the_largest_numbers_fill_their_columns(open_page):
    page = open_page(CostExplorer(stride=2, middle="out", bias=True))
    for column in (0, 1):
        bars = page.evaluate(BARS)[column::2]
        longest = [sum(bar["parts"]) for bar in bars]
        assert max(longest) == pytest.approx(longest[3], abs=0.01)
        assert longest[3] == pytest.approx(bars[3]["width"], abs=0.05)
        assert bars[0]["mark"] == pytest.approx(longest[0], abs=0.05)


@pytest.mark.parametrize("key", KINDS)
def test_a_row_shows_its_formula_and_lines(key, open_page):
    page = open_page(CostExplorer(bias=True, stride=2))
    page.get_by_role("radio", name=re.compile(f"^{KINDS[key].label}")).check()
    assert_shows(page, CostExplorer(bias=True, stride=2, show=key))
    assert state(page, "show") == key


# ------------------------------------------------------------------ controls


def test_every_control_counts(open_page):
    page = open_page(CostExplorer())
    field(page, "Channels in").fill("24")
    field(page, "Channels out").fill("60")
    field(page, "Map size").fill("15")
    slider(page, "Kernel size").fill("3")
    slider(page, "Groups").fill("4")
    slider(page, "Stride").fill("1")
    page.get_by_role("checkbox", name="Bias").check()
    page.get_by_role("radio", name="as many as out").check()
    expected = CostExplorer(
        *(24, 60), kernel_size=7, groups=6, input_size=15, stride=2, bias=True, middle="out"
    )
    assert_shows(page, expected)
    assert page.locator('.cb-preset[aria-pressed="true"]').count() == 0
    assert page.locator(".cb-about").inner_text() == "Your own numbers."
    assert page.evaluate("models[0].saved") == 8


@pytest.mark.parametrize(
    ("label", "name", "numbers"),
    [
        ("Channels in, usual", "in_channels", USUAL["channels"]),
        ("Channels out, usual", "out_channels", USUAL["channels"]),
        ("Map size, usual", "input_size", USUAL["input_size"]),
        ("Kernel size", "kernel_size", list(ODD)),
        ("Groups", "groups", divisors(96, 64)),
        ("Stride", "stride", [1, 2]),
    ],
)
def test_sliders_offer_these_numbers(label, name, numbers, open_page):
    page = open_page(CostExplorer(96, 64, groups=8))
    control = slider(page, label)
    control.press("Home")
    seen = [state(page, name)]
    for _ in numbers:
        control.press("ArrowRight")
        seen.append(state(page, name))
        assert control.get_attribute("aria-valuetext") in (str(seen[-1]), None)
        assert_shows(page, explorer_with(settings_of(page)))
    assert seen == [*numbers, numbers[-1]]


def settings_of(page):
    return Settings(*(state(page, name) for name in Settings._fields))


def test_field_and_slider_go_together(open_page):
    page = open_page(CostExplorer())
    usual = slider(page, "Channels in, usual")
    field(page, "Channels in").fill("100")
    assert USUAL["channels"][int(usual.input_value())] == 96
    assert usual.get_attribute("aria-valuetext") == "100"
    usual.press("ArrowRight")
    assert field(page, "Channels in").input_value() == "128"
    assert slider(page, "Kernel size").get_attribute("aria-valuetext") == "3"


@pytest.mark.parametrize("text", ["", "0", "4097", "-1", "2.5", "1e1"])
def test_what_is_no_number_changes_nothing_and_is_said(text, open_page):
    page = open_page(CostExplorer())
    channels = field(page, "Channels in")
    channels.fill(text)
    assert state(page, "in_channels") == 16
    assert channels.get_attribute("aria-invalid") == "true"
    warning = "Channels in: use a whole number from 1 to 4096."
    assert page.locator(".cb-warning").inner_text() == warning
    channels.blur()
    assert channels.input_value() == "16"
    assert channels.get_attribute("aria-invalid") is None
    assert page.locator(".cb-warning").inner_text() == ""


def test_groups_follow_the_channels_and_come_back(open_page):
    page = open_page(CostExplorer(16, 32, groups=16))
    assert message_of(page) == ""
    field(page, "Channels in").fill("24")
    assert state(page, "groups") == 8
    assert message_of(page) == (
        "groups=16 must divide in_channels=24 and out_channels=32; groups=8 is shown."
    )
    assert_shows(page, CostExplorer(24, 32, groups=8))
    field(page, "Channels out").fill("9")
    assert state(page, "groups") == 3
    field(page, "Channels out").fill("7")
    assert state(page, "groups") == 1
    assert slider(page, "Groups").get_attribute("max") == "0"
    field(page, "Channels out").fill("32")
    field(page, "Channels in").fill("48")
    assert state(page, "groups") == 16
    assert message_of(page) == ""


def test_a_choice_of_groups_is_kept(open_page):
    page = open_page(CostExplorer(16, 32, groups=16))
    slider(page, "Groups").fill("1")
    assert state(page, "groups") == 2
    field(page, "Channels in").fill("15")
    field(page, "Channels in").fill("16")
    assert state(page, "groups") == 2


def test_presets_and_reset(open_page):
    first = CostExplorer(3, 64, kernel_size=7, groups=1, stride=2, show="standard")
    page = open_page(first)
    for key, preset in PRESETS.items():
        press(page, preset.label)
        assert_shows(page, CostExplorer(preset=key))
        assert settings_of(page) == preset.settings
        assert page.locator('.cb-preset[aria-pressed="true"]').inner_text() == preset.label
        assert page.locator(".cb-about").inner_text() == preset.note
        assert message_of(page) == ""
    press(page, "Reset")
    assert_shows(page, first)
    assert state(page, "show") == "standard"


# ------------------------------------------------------------------ keyboard, host and kernel


def test_tab_reaches_every_control(open_page, tab_stops):
    page = open_page(CostExplorer())
    stops = tab_stops(page)
    named = ["Channels in", "Channels in, usual numbers", "Map size", "Map size, usual numbers"]
    for name in [*named, "Channels out", "Copy the PyTorch lines", "Copy all as a script"]:
        assert name in stops
    for name in ["Kernel size", "Groups", "Stride", "Bias", "as many as in", "Depthwise sep"]:
        assert any(stop.startswith(name) for stop in stops), name
    # One stop each for the two groups of radio buttons.
    assert len(stops) == len(PRESETS) + 1 + 2 * 3 + 3 + 2 + 1 + 2


def test_the_keyboard_does_everything(open_page):
    page = open_page(CostExplorer())
    page.get_by_role("radio", name=re.compile("^Depthwise")).focus()
    page.keyboard.press("ArrowUp")
    assert state(page, "show") == "grouped"
    page.get_by_role("checkbox", name="Bias").focus()
    page.keyboard.press("Space")
    assert state(page, "bias") is True
    page.get_by_role("radio", name="as many as in").focus()
    page.keyboard.press("ArrowRight")
    assert state(page, "middle") == "out"
    field(page, "Channels in").focus()
    page.keyboard.press("ArrowUp")
    assert state(page, "in_channels") == 17
    page.get_by_role("button", name="MobileNet").focus()
    page.keyboard.press("Enter")
    assert settings_of(page) == PRESETS["mobilenet"].settings


def test_changes_from_a_kernel_are_drawn(open_page):
    page = open_page(CostExplorer())
    explorer = CostExplorer(preset="alexnet", show="spatially_separable", middle="out")
    page.evaluate(SET, {**explorer.settings._asdict(), "show": explorer.show})
    assert_shows(page, explorer)
    assert message_of(page) == ""
    assert page.evaluate("models[0].saved") == 0


@pytest.mark.parametrize("show", ["grouped", "standard"])
def test_groups_from_a_kernel_that_do_not_divide_are_said(show, open_page):
    page = open_page(CostExplorer(show=show))
    page.evaluate(SET, {"in_channels": 6})
    explorer = CostExplorer(show=show)
    explorer.in_channels = 6
    assert_shows(page, explorer)
    assert message_of(page) == f"{explorer.problem}."
    # Any change of the reader's puts it right.
    page.get_by_role("checkbox", name="Bias").check()
    assert_shows(page, CostExplorer(6, 32, groups=2, bias=True, show=show))


# ------------------------------------------------------------------ accessibility and space


def not_dividing():
    explorer = CostExplorer(show="grouped")
    explorer.in_channels = 6
    return explorer


CASES = {
    **{key: lambda key=key: CostExplorer(preset=key) for key in PRESETS},
    "strided": lambda: CostExplorer(
        stride=2, bias=True, middle="out", show="spatially_separable"
    ),
    "largest": lambda: CostExplorer(
        4096, 4095, kernel_size=11, groups=1, input_size=1023, stride=2, bias=True, middle="out",
        show="spatially_separable",
    ),
    "problem": not_dividing,
}  # fmt: skip


@pytest.mark.parametrize("width", [320, 360, 560, 600, 690, 760, 1000])
def test_everything_fits(width, open_page, assert_fits):
    page = open_page(CostExplorer(), width=width)
    for case in CASES.values():
        explorer = case()
        page.evaluate(SET, {**explorer.settings._asdict(), "show": explorer.show})
        assert_shows(page, explorer)
        assert_fits(page)


def test_a_phone_names_both_numbers(open_page):
    page = open_page(CostExplorer(), width=360)
    assert page.locator(".cb-cost-head .cb-name:visible").all_inner_texts() == [
        *["Parameters", "MACs"] * len(KINDS)
    ]
    assert not page.locator(".cb-cost-heads").is_visible()
