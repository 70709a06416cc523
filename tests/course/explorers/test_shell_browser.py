"""What the shell and the player give to every explorer: links, a projector's view, playing."""

import re

import pytest

from convbook.course.explorers import (
    AssignmentBench,
    ConvStepper,
    CostExplorer,
    CoverageExplorer,
    MatrixView,
    PhotographExplorer,
    ReceptiveFieldExplorer,
    ShuffleExplorer,
    WhatAilsThisRun,
    WhatReachesLayer50,
)
from tests.helpers.explorer_pages import ALL, SET

pytestmark = pytest.mark.browser

# What is set, in an explorer as it starts; the link must bring it back.
CHANGES = {
    AssignmentBench: {"rows": [["conv", 8, 3, 1, 1, 1], ["average"]], "profile": "s7-2021"},
    ConvStepper: {"stride": [2, 2], "padding": [1, 0]},
    CostExplorer: {"in_channels": 32, "bias": True, "middle": "out"},
    CoverageExplorer: {"dilations": [1, 2, 5], "kernel_size": 5},
    MatrixView: {"view": "im2col", "input_size": 4},
    PhotographExplorer: {"border": "reflect", "kernel": [[0, 1, 0], [1, -4, 1], [0, 1, 0.5]]},
    ReceptiveFieldExplorer: {"input_size": 40, "rows": [["conv", 5, 2, 2, 1]]},
    ShuffleExplorer: {"upscale_factor": 3, "order": "tensorflow"},
    WhatAilsThisRun: {"case": 4, "view": "compare", "left": "leak", "right": "mode"},
    WhatReachesLayer50: {"network": "residual", "depth": 20, "against": "plain.he"},
}
BAD = {
    AssignmentBench: "#bench=s7-2020;c16",
    ConvStepper: "#stepper?stride=[9,9]",
    CostExplorer: "#cost?middle=both",
    CoverageExplorer: "#coverage?dilations=[0]",
    MatrixView: "#matrix-view?input_size=50",
    PhotographExplorer: "#photograph?kernel=[[1]]",
    ReceptiveFieldExplorer: "#rf=40;5.2",
    ShuffleExplorer: "#shuffle?upscale_factor=2.5",
    WhatAilsThisRun: "#sick?case=9",
    WhatReachesLayer50: "#layer-50?depth=5",
}
PLAYED = (ConvStepper, CoverageExplorer, MatrixView, ShuffleExplorer)  # from 4 states on

PLAY_ONE_STEP = """() => new Promise((resolve) => {
  const player = document.querySelector(".cb-player");
  player.querySelector("[aria-label=Play]").click();
  new MutationObserver((_, observer) => {
    observer.disconnect();
    resolve(player.querySelector("[aria-label=Pause]").click());
  }).observe(player.querySelector("input"), { attributeFilter: ["aria-valuetext"] });
})"""


@pytest.mark.parametrize("make", ALL)
def test_a_link_brings_the_settings_back(make, open_page):
    page = open_page(make())
    page.evaluate(SET, CHANGES[make])
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    again = open_page(make(), fragment=link[link.index("#") :])
    found = again.evaluate("(names) => names.map((n) => models[0].get(n))", list(CHANGES[make]))
    assert found == list(CHANGES[make].values())


@pytest.mark.parametrize("make", ALL)
def test_a_link_that_cannot_be_shown_is_named_and_changes_nothing(make, open_page):
    before = make().stored_state()
    page = open_page(make(), fragment=BAD[make])
    page.get_by_text("The settings in this page's address cannot be shown").wait_for()
    assert page.evaluate("(names) => names.every((n) => models[0].get(n) !== undefined)", [*before])
    assert page.evaluate("models[0].sets") == 0


@pytest.mark.parametrize("make", ALL)
def test_an_explorer_fills_the_window_of_a_projector(make, open_page, assert_accessible):
    page = open_page(make(), width=1280, fragment="?present")
    box = page.get_by_role("group").first.bounding_box()
    assert (box["x"], box["y"]) == (0, 0)
    assert (box["width"], box["height"]) == pytest.approx((1280, 900), abs=16)
    assert_accessible(page)
    page.keyboard.press("Escape")
    assert page.get_by_role("group").first.bounding_box()["width"] < 800


def test_the_address_says_which_explorer_fills_the_window(open_page):
    page = open_page(ConvStepper(), ShuffleExplorer(), fragment="?present#shuffle?size=1")
    leave = page.get_by_role("button", name="Back to the page")
    assert leave.count() == 1
    assert page.locator(".convbook-explorer").nth(1).get_by_role("button", name="Back").count() == 1


@pytest.mark.parametrize("make", PLAYED)
def test_it_plays_steps_and_stops(make, open_page):
    page = open_page(make())
    player = page.get_by_role("group", name="Player")
    scrub = player.get_by_role("slider")
    at = lambda: int(scrub.input_value())  # noqa: E731
    page.wait_for_timeout(300)
    player.get_by_role("button", name=re.compile("^First")).click()
    assert at() == 0  # nothing plays by itself
    player.get_by_role("button", name=re.compile("^Next")).click()
    assert at() == 1
    player.get_by_label("Speed").select_option(label="4 a second")
    # Paused by the page itself: a click from here may come too late, after the last state.
    page.evaluate(PLAY_ONE_STEP)
    assert at() == 2
    page.wait_for_timeout(400)
    assert at() == 2
    player.get_by_role("button", name=re.compile("^Last")).click()
    player.get_by_role("button", name=re.compile("^Next")).click()
    assert at() == 0  # round the corner
