"""The shuffle explorer in a real browser: what lights up, mouse, keyboard, player, space."""

import itertools
import re

import pytest

from convbook.course.explorers import ShuffleExplorer
from convbook.course.explorers.shuffle import PRESETS, SETTINGS
from tests.helpers.explorer_pages import SET
from tests.helpers.javascript import module

pytestmark = pytest.mark.browser

JS = module("parts/shuffle_indices.js")

# Each side's cells: what stands there, what a screen reader hears, and how it is marked.
SHOWN = """() => Object.fromEntries(["Input", "Output"].map((title) => {
  const grid = document.querySelector(`[role="grid"][aria-label^="${title}"]`);
  const cells = grid.querySelectorAll('.cb-row:not(.cb-spare) [role="gridcell"]');
  return [title, [...cells].map((cell) => ({
    text: cell.textContent,
    label: cell.getAttribute("aria-label"),
    lit: cell.classList.contains("cb-lit"),
    chosen: cell.classList.contains("cb-pair"),
    stop: cell.tabIndex === 0,
    map: cell.dataset.map ?? null,
  }))];
}))"""


def assert_shows(page, explorer):
    """The page shows this explorer: both sides, what is lit, the sentences and the line."""
    s = {name: getattr(explorer, name) for name in (*SETTINGS, "show")}
    shown, chosen = page.evaluate(SHOWN), list(explorer.chosen)
    order = ["Input", "Output"] if explorer.direction == "shuffle" else ["Output", "Input"]
    large = explorer.size * explorer.upscale_factor
    shapes = (explorer.channels_in, explorer.size), (explorer.channels, large)
    for is_small, title, (count, side) in zip((True, False), order, shapes, strict=True):
        found = {cell["label"].split(":")[0]: cell for cell in shown[title]}
        assert len(found) == len(shown[title]) == count * side * side
        for k, i, j in itertools.product(range(count), range(side), range(side)):
            cell = found[f"channel {k}, row {i}, column {j}"]
            small = [k, i, j] if is_small else JS.smallOf([k, i, j], s)
            text = str(JS.numberOf(small, s) if s["show"] == "values" else small[0])
            said = f": {text}" if s["show"] == "values" else "" if is_small else f": channel {text}"
            assert cell["text"] == text
            assert cell["label"] == f"channel {k}, row {i}, column {j}{said}"
            assert cell["lit"] == (small[0] == chosen[0])
            assert cell["chosen"] == cell["stop"] == (small == chosen)
            name = str(k) if is_small else f"channel {k}"
            assert cell["map"] == (name if i == j == 0 else None)
    for words in (JS.placeOf(chosen, s), JS.workingOf(chosen[0], s), JS.summaryOf(s)):
        assert page.get_by_text(words, exact=True).is_visible()
    assert page.get_by_text(explorer.code, exact=True).is_visible()
    place = page.get_by_role("slider", name="Which channel")
    assert place.input_value() == str(chosen[0])
    assert place.get_attribute("aria-valuetext") == JS.placeOf(chosen, s)


def cell(page, side, channel, row, col):
    label = re.compile(f"^channel {channel}, row {row}, column {col}(:|$)")
    return page.get_by_role("grid", name=side).get_by_label(label)


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize("size", [{"channels": 3, "size": 3}, {"channels": 1, "size": 1}])
def test_both_sides_are_shown(size, open_page):
    explorer = ShuffleExplorer(4, order="tensorflow", **size)
    assert_shows(open_page(explorer), explorer)


def test_maps_stand_where_their_sub_pixels_do(open_page):
    # With one output channel the small maps lie like the sub-pixels of a block.
    shown = open_page(ShuffleExplorer(3, channels=1, size=1)).evaluate(SHOWN)
    for cells in shown.values():
        assert [one["text"] for one in cells] == [str(i) for i in range(9)]


def test_a_click_lights_the_partner_and_the_mouse_shows_without_choosing(open_page):
    page = open_page(ShuffleExplorer())
    cell(page, "Input", 6, 1, 0).click()
    assert_shows(page, ShuffleExplorer(selected=(6, 1, 0)))
    cell(page, "Output", 1, 1, 3).click()
    assert_shows(page, ShuffleExplorer(selected=(7, 0, 1)))
    cell(page, "Output", 1, 2, 2).hover()
    assert page.get_by_text(JS.placeOf([4, 1, 1], PRESETS["example"])).is_visible()
    page.mouse.move(0, 0)
    assert_shows(page, ShuffleExplorer(selected=(7, 0, 1)))


def test_arrows_walk_both_sides(open_page):
    page = open_page(ShuffleExplorer())
    cell(page, "Input", 1, 0, 0).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert_shows(page, ShuffleExplorer(selected=(3, 0, 0)))
    cell(page, "Output", 0, 1, 1).focus()
    page.keyboard.press("ArrowRight")
    assert_shows(page, ShuffleExplorer(selected=(2, 0, 1)))


def test_the_player_goes_through_the_channels(open_page):
    page = open_page(ShuffleExplorer(selected=(7, 1, 1)))
    press(page, "Next channel")
    assert_shows(page, ShuffleExplorer(selected=(0, 1, 1)))
    assert page.get_by_text("channel 0 (0 to 7)", exact=True).is_visible()
    page.get_by_role("slider", name="Which channel").press("ArrowRight")
    assert_shows(page, ShuffleExplorer(selected=(1, 1, 1)))


def test_every_control_counts(open_page):
    page = open_page(ShuffleExplorer(selected=(7, 1, 1)))
    page.get_by_text("More settings").click()
    for name, number in (("Upscale factor", 3), ("Channels", 3), ("Map size", 1)):
        page.get_by_role("slider", name=re.compile(f"^{name}")).fill(str(number))
    for name in ("pixel_unshuffle", "TensorFlow order", "Show values"):
        page.get_by_role("radio", name=name).check()
    rest = {"direction": "unshuffle", "order": "tensorflow", "show": "values"}
    # What is chosen stays inside what there is.
    assert_shows(page, ShuffleExplorer(3, channels=3, size=1, selected=(7, 0, 0), **rest))
    assert page.evaluate("models[0].saved") == 6


def test_presets_and_reset(open_page):
    first = ShuffleExplorer(4, channels=1, size=1, show="values", selected=(9, 0, 0))
    page = open_page(first)
    for preset in JS.PRESETS():
        press(page, preset["label"])
        explorer = ShuffleExplorer(preset=preset["key"], show="values")
        explorer.selected = (9, 0, 0)
        assert_shows(page, explorer)
        assert page.get_by_text(preset["note"], exact=True).is_visible()
    press(page, "Reset")
    assert_shows(page, first)


def test_a_link_opens_what_was_left(open_page):
    explorer = ShuffleExplorer(3, order="tensorflow", show="values", selected=(13, 0, 1))
    page = open_page(explorer)
    press(page, "Copy link")
    page.get_by_text("Copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert_shows(open_page(ShuffleExplorer(), fragment="#" + link.split("#")[1]), explorer)
    page = open_page(ShuffleExplorer(), fragment="#shuffle?selected=[1,0]")
    assert page.get_by_text("cannot be shown: selected=[1,0]").is_visible()


def test_tab_reaches_every_control(open_page, tab_stops):
    # One stop for each group of radio buttons and one for each side; seven in the player.
    stops = len(PRESETS) + 2 + 1 + 2 + 1 + 2 + 7 + 3
    assert len(tab_stops(open_page(ShuffleExplorer()))) == stops


CASES = [*PRESETS.values(), {"upscale_factor": 4, "channels": 3, "size": 3}, {"channels": 1}]


@pytest.mark.parametrize("width", [320, 360, 530, 600, 760, 1000])
def test_everything_fits(width, open_page, assert_fits):
    page = open_page(ShuffleExplorer(show="values"), width=width)
    page.get_by_text("More settings").click()
    for traits in CASES:
        page.evaluate(SET, traits)
        assert_fits(page)
        boxes = [grid.bounding_box() for grid in page.get_by_role("grid").all()]
        right, bottom = boxes[0]["x"] + boxes[0]["width"], boxes[0]["y"] + boxes[0]["height"]
        assert right <= boxes[1]["x"] or bottom <= boxes[1]["y"]
        size = page.get_by_role("gridcell").first.bounding_box()
        assert size["width"] == pytest.approx(size["height"])
        assert size["width"] >= 13  # it can be hit
    assert page.evaluate("models[0].saved") == 0
