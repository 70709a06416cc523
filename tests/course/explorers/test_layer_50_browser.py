"""What reaches layer 50, in a real browser: the curves drawn, the keyboard, the tables."""

import itertools
import math
import re
import statistics

import pytest

from convbook.course.explorers import WhatReachesLayer50
from convbook.course.explorers.layer_50 import INITIALISATIONS, NETWORKS
from tests.course.explorers.test_layer_50 import DATA, FOUND, PACKED
from tests.helpers.explorer_pages import SET

pytestmark = pytest.mark.browser

# Of each panel: the heights of its rules, and the points of the curves of a kind.
DRAWN = """(kind) => [...document.querySelectorAll(".cb-l50-chart[role=img]")].map((chart) => ({
  rules: [...chart.querySelectorAll(".cb-l50-rules, .cb-l50-rule")]
    .map((rule) => Number(rule.getAttribute("d").match(/^M[\\d.]+ (-?[\\d.]+)/)[1])),
  texts: [...chart.querySelectorAll("text[text-anchor=end]")].map((text) => text.textContent)
    .slice(0, -1),  // the last is the rule's
  curves: [...chart.querySelectorAll(`.cb-l50-${kind}`)]
    .map((line) => (line.getAttribute("d").match(/-?[\\d.]+/g) ?? []).map(Number)),
}))"""
MODEL = "(name) => models[0].get(name)"


def medians(series):
    return [statistics.median(column) for column in zip(*series, strict=True)]


def check_heights(panel, curve, values, first_mark, last_mark):
    """The points lie where the panel's own marks say."""
    bottom, top = panel["rules"][0], panel["rules"][len(panel["texts"]) - 1]
    xs, ys = curve[::2], curve[1::2]
    assert xs == sorted(xs)
    assert len({round(b - a, 1) for a, b in itertools.pairwise(xs)}) <= 2
    scale = (top - bottom) / (last_mark - first_mark)
    expected = [bottom + scale * (value - first_mark) for value in values]
    assert ys == pytest.approx(expected, abs=0.2)


RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def decade(text):
    return 0 if text == "1" else int(text.removeprefix("10").translate(RAISED))


@pytest.mark.parametrize("width", [760, 390])
@pytest.mark.parametrize(("name", "depth"), [("plain.default", 50), ("batch_norm.he", 20)])
def test_the_curves_are_those_of_the_record(name, depth, width, open_page, assert_fits):
    network, initialisation = name.split(".")
    page = open_page(WhatReachesLayer50(network, initialisation, depth), width=width)
    one = FOUND[name]
    signal = [curve[: depth // 2 + 1] for curve in one["signal"]]
    shares = {"signal": signal, "gradient": one["gradient"][depth]}
    for kind, pick in (("seed", lambda series: series), ("median", lambda s: [medians(s)])):
        panels = page.evaluate(DRAWN, kind)
        for panel, series in zip(panels, shares.values(), strict=False):
            marks = [decade(text) for text in panel["texts"]]
            for curve, values in zip(panel["curves"], pick(series), strict=True):
                logs = [math.log10(value) for value in values]
                check_heights(panel, curve, logs, marks[0], marks[-1])
        losses = pick(one["loss"][depth])
        for curve, values in zip(panels[2]["curves"], losses, strict=True):
            check_heights(panels[2], curve, values, 0, 4)
    assert panels[0]["texts"] == panels[1]["texts"]
    assert_fits(page)


def test_what_is_seen_first_says_it(open_page):
    page = open_page(WhatReachesLayer50())
    told = DATA.toldOf(PACKED["plain.default"], 50)
    for sentence in told.values():
        page.get_by_role("status").get_by_text(sentence, exact=True).wait_for()
    for key in ("signal", "gradient", "loss"):
        words = re.escape(told[key].replace("\u00a0", " "))  # as in every accessible name
        name = re.compile(f"^{key.title()}.*{words}$")
        assert page.get_by_role("img", name=name).count() == 1
    assert page.get_by_role("status").filter(has_text="Behind 50 layers").count() == 1


def test_the_keyboard_reaches_everything(open_page):
    page = open_page(WhatReachesLayer50())
    page.get_by_role("radio", name=NETWORKS["plain"]).focus()
    for network in [*NETWORKS][1:]:
        page.keyboard.press("ArrowRight")
        assert page.evaluate(MODEL, "network") == network
    page.keyboard.press("Tab")
    for initialisation in [*INITIALISATIONS][1:]:
        page.keyboard.press("ArrowRight")
        assert page.evaluate(MODEL, "initialisation") == initialisation
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(MODEL, "depth") == 20
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == "20 layers"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate(MODEL, "against") == "pre_activation.zero"
    page.get_by_role("button", name="Six layers").press("Space")
    assert page.evaluate(MODEL, "depth") == 6
    page.get_by_text("The numbers as tables").press("Enter")
    assert page.get_by_role("table", name="Gradient").is_visible()


def test_a_network_without_skips_has_no_zero_gamma(open_page):
    page = open_page(WhatReachesLayer50("residual", "zero"))
    zero, hint = page.get_by_role("radio", name="Zero-gamma"), page.get_by_text("needs a skip")
    assert zero.is_enabled()
    assert hint.is_hidden()
    page.get_by_role("radio", name="Plain").check()
    assert page.evaluate(MODEL, "initialisation") == "he"
    assert zero.is_disabled()
    assert hint.is_visible()
    page.evaluate(SET, {"initialisation": "zero"})  # as a kernel might
    page.get_by_text("WhatReachesLayer50('plain', 'he', 50)").wait_for()


def test_curves_are_kept_in_grey_and_dropped(open_page):
    page = open_page(WhatReachesLayer50("plain", "he"))
    drop = page.get_by_role("button", name="Drop the grey lines")
    assert drop.is_hidden()
    page.get_by_role("button", name="Keep these in grey").click()
    page.get_by_role("radio", name="Batch norm").check()
    page.get_by_text("kept: Plain, He").wait_for()
    kept = page.evaluate(DRAWN, "kept")
    for panel, series in zip(kept, ("signal", "gradient"), strict=False):
        (curve,) = panel["curves"]
        marks = [decade(text) for text in panel["texts"]]
        one = FOUND["plain.he"][series]
        logs = [math.log10(v) for v in medians(one if series == "signal" else one[50])]
        check_heights(panel, curve, logs, marks[0], marks[-1])
    assert len(kept[2]["curves"]) == 1
    drop.click()
    assert [panel["curves"] for panel in page.evaluate(DRAWN, "kept")] == [[], [], []]


def test_the_tables_have_the_numbers(open_page):
    page = open_page(WhatReachesLayer50("plain", "large", 20))
    page.get_by_text("The numbers as tables").click()
    one = FOUND["plain.large"]
    ends = {"Signal": [curve[10] for curve in one["signal"]]}
    ends["Gradient"] = [curve[10] for curve in one["gradient"][20]]
    for name, shares in ends.items():
        table = page.get_by_role("table", name=name)
        assert table.get_by_role("row").count() == 12
        last = table.get_by_role("row").last
        assert last.get_by_role("rowheader").inner_text() == "20"
        expected = [statistics.median(shares), min(shares), max(shares)]
        texts = last.get_by_role("cell").all_inner_texts()
        assert texts == [DATA.shareText(round(math.log10(share), 2)) for share in expected]
    losses = page.get_by_role("table", name="Loss").get_by_role("row")
    assert losses.count() == len(one["loss"][20][0]) + 1
    middle = statistics.median(curve[0] for curve in one["loss"][20])
    first = losses.nth(1).get_by_role("cell").first.inner_text()
    assert float(first) == pytest.approx(min(middle, 99.99), abs=0.006)
