"""The cost explorer in a real browser: the table, bars, controls, groups that divide, keyboard."""

import re

import pytest

from convbook.course.explorers import CostExplorer
from convbook.course.explorers.cost import KINDS, PRESETS
from tests.helpers.explorer_pages import SET
from tests.helpers.javascript import module

pytestmark = pytest.mark.browser

SETTINGS_JS = module("parts/cost_settings.js")
JS = module("parts/cost_formulas.js")
LABELS = {key: kind["label"] for key, kind in SETTINGS_JS.KINDS().items()}
DASH = "\N{EN DASH}"


def state(page, *names):
    return page.evaluate("(names) => names.map((name) => models[0].get(name))", names)


def slider(page, label):
    return page.get_by_role("slider", name=re.compile(f"^{label}"))


def field(page, label):
    return page.get_by_role("spinbutton", name=label, exact=True)


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def message_of(page):
    return page.locator(".cb-figure .cb-message").text_content()


def assert_shows(page, explorer):
    """The page shows this explorer: its table, and of the kind chosen its words and its lines."""
    settings, costs = explorer.settings, explorer.costs
    rows = page.get_by_role("table", name="Costs").get_by_role("row").all()[1:]
    for kind, row in zip(KINDS, rows, strict=True):
        assert row.get_by_role("radio").is_checked() == (kind == explorer.show)
        assert row.get_by_role("rowheader").text_content().startswith(LABELS[kind])
        cells = row.get_by_role("cell").all_text_contents()
        names = ("Parameters", "MACs (multiply-adds)")
        for name, text, i in zip(names, cells, (0, 1), strict=True):
            expected = f"{name}{DASH}"
            if kind in costs:
                own, whole = sum(costs[kind][i]), sum(costs["standard"][i])
                formula = [*JS.formulasOf(kind, settings).values()][i]
                ratio = f"ratio {JS.ratioText(own, whole)}"
                expected = f"{name}{own:,}{ratio}{JS.inNumbers(formula, settings)}"
            assert text == expected
    assert page.get_by_text(JS.shapesOf(settings), exact=True).is_visible()
    words = page.locator(".cb-cost-summary, .cb-cost-line, .cb-code").all()
    shown = [element.text_content() for element in words if element.is_visible()]
    if explorer.show not in costs:
        assert message_of(page) == f"{explorer.problem}."
        assert shown == []
        return
    workings = [line.replace("C_", "C") for line in JS.workingsOf(explorer.show, settings)]
    names = ("Parameters", "MACs", "Ratio of weights")
    lines = [name + line for name, line in zip(names, workings, strict=False)]
    assert shown == [JS.summaryOf(explorer.show, settings), *lines, explorer.code]


BARS = """() => [...document.querySelectorAll(".cb-bar")].map((bar) => {
  const box = bar.getBoundingClientRect();
  const parts = [...bar.children].filter((part) => !part.hidden);
  const start = box.left + bar.clientLeft;
  return {
    width: box.width - bar.clientLeft,
    parts: parts.map((part) => part.getBoundingClientRect().width),
    starts: parts.map((part) => part.getBoundingClientRect().left - start),
    mark: parseFloat(getComputedStyle(bar, "::after").left) + 1,
  };
})"""


@pytest.mark.parametrize("width", [360, 760])
@pytest.mark.parametrize("case", [*PRESETS, "pair costs most"])
def test_bars_are_as_long_as_the_numbers_from_zero(case, width, open_page):
    uneven = CostExplorer(stride=2, middle="out", bias=True)
    explorer = CostExplorer(preset=case) if case in PRESETS else uneven
    bars = open_page(explorer, width=width).evaluate(BARS)
    for column, sums in enumerate((explorer.params, explorer.macs)):
        for kind, bar in zip(KINDS, bars[column::2], strict=True):
            parts, scale = explorer.costs[kind][column], bar["width"] / max(sums.values())
            assert bar["parts"] == pytest.approx([part * scale for part in parts], abs=1.01)
            assert bar["starts"] == pytest.approx([0, bar["parts"][0]][: len(parts)], abs=0.01)
            assert bar["mark"] == pytest.approx(sums["standard"] * scale, abs=0.05)


def test_every_control_counts(open_page):
    page = open_page(CostExplorer())
    assert page.locator(".cb-static").count() == 0
    assert_shows(page, CostExplorer())
    assert not slider(page, "Stride").is_visible()
    page.get_by_text("More settings").click()
    for label, number in (("Channels in", "24"), ("Channels out", "60"), ("Map size", "15")):
        field(page, label).fill(number)
    slider(page, "Kernel size").fill("3")
    slider(page, "Groups").fill("4")
    slider(page, "Stride").press("End")
    page.get_by_role("checkbox", name="Bias").check()
    page.get_by_role("radio", name="as many as out").check()
    rest = {"groups": 6, "input_size": 15, "stride": 2, "bias": True, "middle": "out"}
    for kind in KINDS:
        page.get_by_role("radio", name=re.compile(f"^{LABELS[kind]}")).check()
        assert_shows(page, CostExplorer(24, 60, kernel_size=7, show=kind, **rest))
    assert page.evaluate("models[0].saved") == 8 + len(KINDS)


def test_sliders_offer_these_numbers(open_page):
    page = open_page(CostExplorer(96, 64, groups=8))
    page.get_by_text("More settings").click()
    for trait, number in SETTINGS_JS.NUMBERS().items():
        control, seen = slider(page, number["label"]), []
        stops = number.get("stops", [2**i for i in range(12)])  # what divides 2048 and 2048
        control.press("Home")
        for _ in stops:
            seen += state(page, trait)
            control.press("ArrowRight")
        assert [*seen, *state(page, trait)] == [*stops, stops[-1]]


def test_typed_numbers_move_the_slider_and_what_is_none_is_said(open_page):
    page = open_page(CostExplorer())
    channels, usual = field(page, "Channels in"), slider(page, "Channels in, usual")
    channels.fill("100")
    assert usual.get_attribute("aria-valuetext") == "100"
    usual.press("ArrowRight")
    assert channels.input_value() == "128"
    channels.fill("4097")
    assert state(page, "in_channels") == [128]
    assert page.get_by_text("Channels in: use a whole number from 1 to 4096.").is_visible()
    channels.blur()
    assert channels.input_value() == "128"


def test_groups_follow_the_channels_and_come_back(open_page):
    page = open_page(CostExplorer(16, 32, groups=16))
    field(page, "Channels in").fill("24")
    for number, groups in [(9, 3), (7, 1), (32, 8)]:
        field(page, "Channels out").fill(str(number))
        assert state(page, "groups") == [groups]
        assert message_of(page).startswith("groups=16 must divide in_channels=24 and")
        assert message_of(page).endswith(f"; groups={groups} is shown.")
    press(page, "Reset")
    assert message_of(page) == ""
    field(page, "Channels in").fill("24")
    field(page, "Channels in").fill("48")
    assert_shows(page, CostExplorer(48, 32, groups=16))
    assert message_of(page) == ""
    slider(page, "Groups").fill("1")
    field(page, "Channels in").fill("15")
    field(page, "Channels in").fill("16")
    assert state(page, "groups") == [2]


def test_presets_and_reset(open_page):
    first = CostExplorer(3, 64, kernel_size=7, groups=1, stride=2, show="standard")
    page = open_page(first)
    for preset in SETTINGS_JS.PRESETS():
        press(page, preset["label"])
        assert_shows(page, CostExplorer(preset=preset["key"]))
        page.get_by_role("radio", name=re.compile("^Standard")).check()  # still the example
        pressed = page.get_by_role("button", pressed=True)
        assert pressed.all_text_contents() == [preset["label"]]
        assert page.get_by_text(preset["note"], exact=True).is_visible()
    press(page, "Reset")
    assert_shows(page, first)


def test_a_link_opens_what_was_left_and_its_groups_divide(open_page):
    explorer = CostExplorer(24, 60, kernel_size=7, groups=6, bias=True, show="grouped")
    page = open_page(explorer)
    press(page, "Copy link")
    page.get_by_text("Copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert_shows(open_page(CostExplorer(), fragment="#" + link.split("#")[1]), explorer)
    page = open_page(CostExplorer(), fragment="#cost?groups=3")
    assert_shows(page, CostExplorer(groups=2))
    page = open_page(CostExplorer(), fragment="#cost?kernel_size=4")
    assert page.get_by_text("kernel_size=4; use").is_visible()


def test_tab_reaches_every_control(open_page, tab_stops):
    page = open_page(CostExplorer())
    # One stop for the radio buttons; two for each of three typed numbers.
    sight = len(PRESETS) + 1 + 3 * 2 + 2 + 1 + 1 + 3
    assert len(tab_stops(page)) == sight
    page.get_by_text("More settings").click()
    assert len(tab_stops(page)) == sight + 3


def test_changes_from_a_kernel_are_drawn_and_groups_that_do_not_divide_are_said(open_page):
    page = open_page(CostExplorer())
    explorer = CostExplorer(preset="alexnet", show="spatially_separable", middle="out")
    page.evaluate(SET, {**explorer.settings, "show": explorer.show})
    assert_shows(page, explorer)
    page.evaluate(SET, {"out_channels": 255, "groups": 1})
    assert message_of(page) == ""
    page.evaluate(SET, {"out_channels": 256, "groups": 2})
    for show in ("standard", "grouped"):
        explorer.in_channels, explorer.show = 95, show
        page.evaluate(SET, {"in_channels": 95, "show": show})
        assert_shows(page, explorer)
        assert message_of(page) == f"{explorer.problem}."
    assert page.evaluate("models[0].saved") == 0
    # Any change of the reader's puts it right.
    field(page, "Map size").fill("15")
    explorer.groups, explorer.input_size = 1, 15
    assert_shows(page, explorer)


LARGEST = {"in_channels": 4096, "out_channels": 4095, "kernel_size": 11, "groups": 1} | {
    "input_size": 1023,
    "stride": 2,
    "bias": True,
    "middle": "out",
    "show": "spatially_separable",
}


@pytest.mark.parametrize("width", [320, 360, 560, 600, 690, 760, 1000])
def test_everything_fits(width, open_page, assert_fits):
    page = open_page(CostExplorer(), width=width)
    page.get_by_text("More settings").click()
    for traits in [*PRESETS.values(), LARGEST, {"in_channels": 6, "show": "grouped"}]:
        page.evaluate(SET, traits)
        assert_fits(page)
    assert page.get_by_role("columnheader").first.is_visible() == (width > 590)
