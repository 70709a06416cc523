"""The coverage explorer in a real browser: drawing, mouse, keyboard, player, links, space."""

import itertools
import re
from collections import Counter

import pytest

from convbook.course.explorers import CoverageExplorer
from convbook.course.explorers.coverage import PRESETS, SETTINGS
from tests.course.explorers.test_coverage import COUNTS, WORDS, settings_of, whole
from tests.helpers.explorer_pages import SET

pytestmark = pytest.mark.browser

DRAWN = """() => {
  const find = (selector) => document.querySelector(selector);
  const pieces = (element) => (element.getAttribute("d").match(/M/g) ?? []).length;
  const all = (selector, read) => [...document.querySelectorAll(selector)].map(read);
  const text = (element) => element.textContent;
  return {
    cells: all(".cb-cov-tree .cb-rf-cells", pieces),
    lit: all(".cb-cov-tree .cb-rf-lit", pieces),
    holes: all(".cb-cov-hole", pieces),
    lines: all(".cb-cov-lines", pieces),
    bars: all(".cb-cov-bars", (element) => element.getAttribute("d")),
    counts: all(".cb-cov-tree .cb-rf-digits:not(.cb-cov-indices) text", text),
    labels: all(".cb-cov-labels text", text),
    map: all(".cb-cov-map text", text),
    shades: all(".cb-cov-shades path", (e) => [pieces(e), Number(e.getAttribute("fill-opacity"))]),
    facts: all(".cb-rf-facts p", text),
    words: [...all(".cb-rf-words > p", text), text(find(".cb-cov-place"))],
    line: text(find(".cb-code")),
  };
}"""


def assert_draws(page, explorer, point=None):
    """The page shows this explorer and the paths through a point."""
    s, drawn, counts = settings_of(explorer), page.evaluate(DRAWN), explorer.counts
    levels, steps = COUNTS.levelsOf(s), COUNTS.stepsOf(s)
    point = point or (len(steps), explorer.position)
    point = {"level": point[0], "index": point[1]}
    lit = COUNTS.litOf(levels, steps, point)
    rows = [level["counts"] for level in levels]
    for on, found in ((False, drawn["cells"]), (True, drawn["lit"][:2])):
        some = [sum(c > 0 and o == on for c, o in zip(*row, strict=True)) for row in zip(rows, lit)]  # noqa: B905
        assert found == [sum(some[:-1]), some[-1]]
    lines = Counter(
        lit[m][i] and lit[m + 1][i * step["stride"] + tap * step["dilation"]]
        for m, step in enumerate(steps)
        for i, count in enumerate(rows[m])
        for tap in range(step["taps"])
        if count
    )
    assert drawn["lines"] == [lines[False], lines[True]]
    assert drawn["counts"] in ([str(count) for count in counts], [])
    bars = re.findall(r"M([\d.]+) [\d.]+h[\d.]+v([\d.]+)h", "".join(drawn["bars"]))
    heights = [float(height) for _, height in sorted(bars, key=lambda bar: float(bar[0]))]
    expected = [56 * count / max(counts) for count in counts if count]
    assert heights == pytest.approx(expected, abs=0.01)
    assert drawn["holes"] == [counts.count(0), 2 * counts.count(0)]
    assert drawn["words"] == [WORDS.reasonOf(s), WORDS.TERMS()[s["mode"]], WORDS.placeOf(s, point)]
    assert drawn["line"] == explorer.code
    products = [a * b for a in counts for b in counts] * (explorer.mode == "transposed")
    shades = sorted(drawn["shades"], key=lambda shade: shade[1])
    kinds = [pair for pair in sorted(Counter(products).items()) if pair[0]]
    assert [cells for cells, _ in shades] == [number for _, number in kinds]
    opacities = [count / max(products) for count, _ in kinds]
    assert [opacity for _, opacity in shades] == pytest.approx(opacities, abs=0.0051)
    assert drawn["map"] in ([str(count) for count in products], [])


def slider(page, label):
    return page.get_by_role("slider", name=re.compile(f"^{label}"))


def state(page, name):
    return page.evaluate("(name) => models[0].get(name)", name)


def schedule(page):
    return page.get_by_role("textbox", name=re.compile("^Dilations"))


def tree(page):
    return page.get_by_role("application")


# ------------------------------------------------------------------ drawing


@pytest.mark.parametrize(
    "explorer",
    [
        *(CoverageExplorer([2, 2, 2], position=position) for position in (4, 5, 6)),
        CoverageExplorer([3, 1], kernel_size=4),
        CoverageExplorer(preset="tree", position=13),
        CoverageExplorer(preset="gaps", position=5),
        CoverageExplorer(preset="shared", position=4, size=4),
    ],
    ids=repr,
)
def test_drawing_shows_every_path(explorer, open_page):
    assert_draws(open_page(explorer), explorer)


def test_a_crowded_drawing_has_outlines_for_lines(open_page):
    page = open_page(CoverageExplorer([16] * 6, kernel_size=7))
    drawn = page.evaluate(DRAWN)
    assert (drawn["lines"], drawn["counts"]) == ([6, 6], [])
    # A hole is on no path: no outline leads there.
    page.evaluate(SET, {"position": 5})
    assert page.evaluate(DRAWN)["lines"] == [6, 0]


def test_labels_and_facts(open_page):
    page = open_page(CoverageExplorer())
    drawn = page.evaluate(DRAWN)
    steps = [f"Layer {n}, dilation 2" for n in (3, 2, 1)]
    assert drawn["labels"] == [*steps, "Output", "Input", "Paths", "Position"]
    facts = ["Receptive field 13 × 13", "Reached 7 of 13", "On a map 49 of 169"]
    assert drawn["facts"] == [*facts, "Weights on a map 27"]
    page.evaluate(SET, settings_of(CoverageExplorer(preset="uneven")))
    facts = ["Output 13 × 13", "Overlap uneven", "Taps inside 1, 2", "On a map 1 to 4"]
    assert page.evaluate(DRAWN)["facts"] == facts
    page.evaluate(SET, settings_of(CoverageExplorer(preset="even")))
    assert page.evaluate(DRAWN)["facts"][1:] == ["Overlap even", "Taps inside 2", "On a map 4"]


# ------------------------------------------------------------------ paths


def centre(page, column, row):
    """The place of a row's name beside the index of a position."""
    name = page.locator(".cb-cov-labels").get_by_text(row, exact=True).bounding_box()
    index = page.locator(".cb-cov-indices text").nth(column).bounding_box()
    return index["x"] + index["width"] / 2, name["y"] + name["height"] / 2


def test_the_mouse_shows_paths_both_ways(open_page):
    explorer = CoverageExplorer(preset="uneven")
    page = open_page(explorer)
    tree(page).scroll_into_view_if_needed()
    page.mouse.move(*centre(page, 3, "Input"))
    assert_draws(page, explorer, (0, 1))
    page.mouse.move(*centre(page, 4, "Output"))
    assert_draws(page, explorer, (1, 4))
    page.mouse.move(0, 0)
    assert_draws(page, explorer)
    assert state(page, "position") == 6
    page.mouse.click(*centre(page, 12, "Output"))
    page.mouse.move(0, 0)
    assert_draws(page, CoverageExplorer(preset="uneven", position=12))


def test_arrow_keys_follow_the_paths(open_page):
    explorer = CoverageExplorer([1, 2, 5])
    page = open_page(explorer)
    tree(page).focus()
    steps = [("Up", (2, 7)), ("Up", (1, 5)), ("Right", (1, 10)), ("Up", (0, 0)), ("Up", (0, 0))]
    for key, point in [*steps, ("Down", (1, 5)), ("Left", (1, 0)), ("Down", (2, 2))]:
        page.keyboard.press(f"Arrow{key}")
        assert_draws(page, explorer, point)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert_draws(page, CoverageExplorer([1, 2, 5], position=4))
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    assert_draws(page, CoverageExplorer([1, 2, 5], position=4))


def test_the_player_goes_through_the_positions(open_page):
    page = open_page(CoverageExplorer([1, 2, 5]))
    player = page.get_by_role("group", name="Player")
    player.get_by_role("button", name="Last position").click()
    assert_draws(page, CoverageExplorer([1, 2, 5], position=16))
    slider(page, "Which position").press("Home")
    assert_draws(page, CoverageExplorer([1, 2, 5], position=0))
    assert player.locator(".cb-where").inner_text() == "position 0"
    player.get_by_role("combobox", name="Speed").select_option("4")
    player.get_by_role("button", name="Play").click()
    page.wait_for_function("models[0].get('position') === 2")
    assert page.locator(".cb-cov-place").get_attribute("aria-live") == "off"
    player.get_by_role("button", name="Pause").click()


# ------------------------------------------------------------------ controls


def test_schedule_and_layers(open_page):
    page = open_page(CoverageExplorer())
    schedule(page).fill("1 2 5")
    assert_draws(page, CoverageExplorer([1, 2, 5]))
    assert schedule(page).input_value() == "1 2 5"
    schedule(page).blur()
    assert schedule(page).input_value() == "1, 2, 5"
    assert page.get_by_role("button", name="1, 2, 5", pressed=True).is_visible()
    slider(page, "Layers").press("ArrowRight")
    assert state(page, "dilations") == [1, 2, 5, 5]
    assert not slider(page, "Layer 4").is_visible()
    page.get_by_text("More settings").click()
    slider(page, "Layer 4").press("ArrowLeft")
    slider(page, "Kernel size").fill("2")
    assert_draws(page, CoverageExplorer([1, 2, 5, 4], kernel_size=2))
    slider(page, "Layers").press("Home")
    assert_draws(page, CoverageExplorer([1], kernel_size=2))
    assert slider(page, "Layer 1").is_visible()
    assert not slider(page, "Layer 2").is_visible()


@pytest.mark.parametrize("text", ["", "1, 17", "one"])
def test_what_is_no_schedule_changes_nothing_and_is_said(text, open_page):
    page = open_page(CoverageExplorer())
    schedule(page).fill(text)
    assert state(page, "dilations") == [2, 2, 2]
    warning = "Dilations: use 1 to 6 whole numbers from 1 to 16, such as 1, 2, 5."
    assert page.get_by_role("status").filter(has_text=warning).is_visible()
    schedule(page).blur()
    assert schedule(page).input_value() == "2, 2, 2"
    assert schedule(page).get_attribute("aria-invalid") is None
    assert page.get_by_text(warning).count() == 0


def test_transposed_controls(open_page):
    page = open_page(CoverageExplorer())
    page.get_by_role("radio", name="Transposed convolution").check()
    assert not schedule(page).is_visible()
    names = {"Kernel size": "kernel_size", "Stride": "stride", "Dilation": "dilation"}
    for label, name in {**names, "Input size": "size"}.items():
        slider(page, label).press("Home")
        seen = [state(page, name)]
        for _ in whole(name)[1:]:
            slider(page, label).press("ArrowRight")
            seen.append(state(page, name))
        assert seen == list(whole(name))
    settings = {name: state(page, name) for name in SETTINGS}
    assert_draws(page, CoverageExplorer(**settings))


def test_presets_and_reset(open_page):
    first = CoverageExplorer([3, 1], kernel_size=5, position=2)
    page = open_page(first)
    examples = page.get_by_role("group", name="Examples").get_by_role("button")
    for mode in ("Dilated stack", "Transposed convolution"):
        page.get_by_role("radio", name=mode).check()
        own = [e for e in WORDS.PRESETS() if mode.lower().startswith(e["settings"]["mode"])]
        assert examples.locator("visible=true").all_inner_texts() == [e["label"] for e in own]
        for example in own:
            examples.get_by_text(example["label"], exact=True).click()
            assert_draws(page, CoverageExplorer(preset=example["key"]))
            assert page.get_by_text(example["note"]).is_visible()
    page.get_by_role("button", name="Reset").click()
    assert_draws(page, first)


def test_links_hold_the_position_too(open_page):
    fragment = "#coverage?mode=dilated&dilations=[1,2]&kernel_size=2&position=3"
    page = open_page(CoverageExplorer(), fragment=fragment)
    assert_draws(page, CoverageExplorer([1, 2], kernel_size=2, position=3))
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    page = open_page(CoverageExplorer(), fragment=link[link.index("#") :])
    assert_draws(page, CoverageExplorer([1, 2], kernel_size=2, position=3))
    page = open_page(CoverageExplorer(), fragment="#coverage?dilations=[0]")
    assert page.get_by_role("status").filter(has_text="dilations=[0]").is_visible()


def test_changes_from_a_kernel_are_drawn(open_page):
    page = open_page(CoverageExplorer())
    explorer = CoverageExplorer(preset="shared", position=2)
    page.evaluate(SET, {**settings_of(explorer), "position": 2})
    assert_draws(page, explorer)
    assert page.evaluate("models[0].saved") == 0
    # What a kernel leaves beyond the last position is shown at the last.
    page.evaluate(SET, {**settings_of(CoverageExplorer([1])), "position": 40})
    assert_draws(page, CoverageExplorer([1], position=2))


# ------------------------------------------------------------------ space

LARGEST = CoverageExplorer(mode="transposed", kernel_size=7, stride=4, dilation=3, size=8)
EXTREMES = [CoverageExplorer([16] * 6, kernel_size=7), CoverageExplorer([16], kernel_size=1)]
CASES = [*(CoverageExplorer(preset=key) for key in PRESETS), *EXTREMES, LARGEST]


@pytest.mark.parametrize("width", [320, 366, 600, 760, 1000])
def test_everything_fits_and_indices_do_not_touch(width, open_page, assert_fits):
    page = open_page(CoverageExplorer(), width=width)
    page.get_by_text("More settings").click()
    for explorer in CASES:
        page.evaluate(SET, {**settings_of(explorer), "position": explorer.position})
        assert_fits(page)
        boxes = page.locator(".cb-cov-indices text").evaluate_all(
            "(all) => all.map((one) => one.getBoundingClientRect()).map((b) => [b.left, b.right])"
        )
        assert all(right < left for (_, right), (left, _) in itertools.pairwise(boxes))
