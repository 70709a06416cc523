"""The coverage explorer in a real browser: counts, drawing, schedule, keyboard, space."""

import itertools
import random
import re
from collections import Counter

import pytest

from convbook.arithmetic.coverage import dilation_coverage, transposed_coverage
from convbook.course.explorers import CoverageExplorer
from convbook.course.explorers.coverage import LIMITS, PRESETS, SETTINGS
from tests.helpers.explorer_pages import SET

pytestmark = pytest.mark.browser


def whole(name):
    low, high = LIMITS[name]
    return range(low, high + 1)


def settings_of(explorer):
    return {name: getattr(explorer, name) for name in SETTINGS}


# ------------------------------------------------------------------ numbers

COUNTS = """async (cases) => {
  const { countsOf } = await import("./coverage.js");
  return cases.map((s) => countsOf(s));
}"""

# Sums that no two different lists of counts are likely to share.
SUMS = """async (cases) => {
  const { countsOf } = await import("./coverage.js");
  return cases.map((s) => {
    const counts = countsOf(s);
    let [weighted, mixed] = [0, 0];
    counts.forEach((count, i) => {
      weighted += count * (i + 1);
      mixed = (mixed * 31 + count) % 1000003;
    });
    return [counts.length, weighted, mixed];
  });
}"""


def sums(counts):
    mixed = 0
    for count in counts:
        mixed = (mixed * 31 + count) % 1000003
    return [len(counts), sum(count * i for i, count in enumerate(counts, 1)), mixed]


def stack(dilations, taps):
    return {"mode": "dilated", "dilations": dilations, "kernel_size": taps}


@pytest.mark.parametrize("taps", whole("kernel_size"))
def test_paths_equal_pythons_over_the_control_grid(taps, open_page):
    # Every stack of one or two layers, every choice of three dilations, and some of the others.
    rng = random.Random(taps)
    every = whole("dilations")
    stacks = [[one] for one in every] + [list(pair) for pair in itertools.product(every, every)]
    stacks += map(list, itertools.combinations_with_replacement(every, 3))
    stacks += [rng.choices(every, k=rng.randint(4, 6)) for _ in range(100)]
    got = open_page(CoverageExplorer()).evaluate(SUMS, [stack(one, taps) for one in stacks])
    for one, found in zip(stacks, got, strict=True):
        assert found == sums(dilation_coverage(one, taps)), one


def test_taps_equal_pythons_over_the_whole_control_grid(open_page):
    names = ("size", "kernel_size", "stride", "dilation")
    grid = list(itertools.product(*map(whole, names)))
    cases = [{"mode": "transposed", **dict(zip(names, one, strict=True))} for one in grid]
    got = open_page(CoverageExplorer()).evaluate(COUNTS, cases)
    for one, found in zip(grid, got, strict=True):
        assert found == transposed_coverage(*one), one


WORDS = """async (cases) => {
  const module = await import("./coverage.js");
  return cases.map(([s, position]) => [
    module.summaryOf(s), module.reasonOf(s), module.placeOf(s, position), module.packageLine(s),
  ]);
}"""


def explorers_drawn(count):
    rng = random.Random(0)
    windows = itertools.product(*map(whole, ("kernel_size", "stride", "dilation", "size")))
    for kernel, stride, dilation, size in windows:
        window = {"kernel_size": kernel, "stride": stride, "dilation": dilation, "size": size}
        yield CoverageExplorer(mode="transposed", **window)
    for _ in range(count):
        low, high = LIMITS["dilations"]
        most = rng.choice([4, high])
        dilations = [rng.randint(low, most) for _ in range(rng.choice(whole("layers")))]
        yield CoverageExplorer(dilations, kernel_size=rng.choice(whole("kernel_size")))


def test_words_equal_pythons(open_page):
    rng = random.Random(1)
    cases, expected = [], []
    for explorer in explorers_drawn(300):
        explorer.position = rng.randrange(len(explorer.counts))
        cases.append([settings_of(explorer), explorer.position])
        words = [explorer.summary, explorer.reason, explorer.place, explorer.code]
        expected.append(words)
    got = open_page(CoverageExplorer()).evaluate(WORDS, cases)
    assert got == expected
    starts = {words[1].split(":")[0] for words in expected}
    assert starts == {"Holes", "No holes", "Even", "Uneven"}


@pytest.mark.parametrize(
    ("text", "dilations"),
    [
        ("1, 2, 5", [1, 2, 5]),
        ("[2,2,2]", [2, 2, 2]),
        (" 1 2  4;8 ", [1, 2, 4, 8]),
        ("16", [16]),
        ("", None),
        ("1,,2", [1, 2]),
        ("0", None),
        ("17", None),
        ("1.5", None),
        ("-1", None),
        ("1, 2, x", None),
        ("1 1 1 1 1 1", [1] * 6),
        ("1 1 1 1 1 1 1", None),
    ],
)
def test_schedules_are_read(text, dilations, open_page):
    found = open_page(CoverageExplorer()).evaluate(
        """async (text) => (await import("./coverage.js")).parseDilations(
          text, models[0].get("limits"))""",
        text,
    )
    assert found == dilations


# ------------------------------------------------------------------ what the page shows

DRAWN = """() => {
  const tree = document.querySelector(".cb-cov-tree");
  const d = (element) => element.getAttribute("d");
  const pieces = (element) => (d(element).match(/M/g) ?? []).length;
  const rows = [...tree.querySelectorAll(":scope > g:nth-of-type(1) > g")];
  const texts = (root) => [...root.querySelectorAll("text")].map((text) => text.textContent);
  const plane = document.querySelector(".cb-cov-plane");
  return {
    cells: rows.map((row) => pieces(row.querySelector(".cb-rf-cells"))),
    lit: rows.map((row) => pieces(row.querySelector(".cb-rf-lit"))),
    holes: rows.map((row) => pieces(row.querySelector(".cb-cov-hole"))),
    counts: texts(rows.at(-1).querySelector(".cb-rf-digits")),
    names: rows.map((row) => row.children[4].textContent),
    lines: [...tree.querySelectorAll(".cb-cov-lines")].map(pieces),
    bars: [...tree.querySelectorAll(".cb-cov-bars")].map(d),
    labels: texts(tree.querySelector(".cb-cov-labels")),
    indices: texts(tree.querySelector(".cb-cov-indices")),
    plane: texts(plane),
    planeHoles: pieces(plane.querySelector(".cb-cov-hole")),
    shades: [...plane.querySelectorAll(".cb-cov-shade")].map(
      (shade) => [pieces(shade), Number(shade.getAttribute("fill-opacity"))]),
    facts: [...document.querySelectorAll(".cb-rf-facts p")].map((fact) => fact.textContent),
    words: [...document.querySelectorAll(".cb-rf-words > p")].map((p) => p.textContent),
    line: document.querySelector(".cb-code").textContent,
  };
}"""


def levels_of(explorer):
    """For each row of the drawing the nodes on a path to the lit position, and all reached."""
    kernel = explorer.kernel_size
    if explorer.mode == "dilated":
        start, steps = {0}, [(1, dilation) for dilation in reversed(explorer.dilations)]
    else:
        start, steps = set(range(explorer.size)), [(explorer.stride, explorer.dilation)]
    paths = [[(node,) for node in start]]
    for stride, dilation in steps:
        paths.append(
            [
                (*path, path[-1] * stride + tap * dilation)
                for path in paths[-1]
                for tap in range(kernel)
            ]
        )
    reached = [{path[-1] for path in row} for row in paths]
    ending = [path for path in paths[-1] if path[-1] == explorer.position]
    lit = [{path[m] for path in ending} for m in range(len(paths))]
    lines = {(m, path[m], path[m + 1]) for path in paths[-1] for m in range(len(steps))}
    on = {(m, path[m], path[m + 1]) for path in ending for m in range(len(steps))}
    return reached, lit, lines, on


DRAWINGS = [
    ([2, 2, 2], {}),
    ([2, 2, 2], {"position": 4}),
    ([2, 2, 2], {"position": 5}),
    ([1, 2, 5], {"position": 1}),
    ([3, 1], {"kernel_size": 4}),
    ([1, 2, 4, 8], {"position": 7}),
    (None, {"preset": "tree", "position": 13}),
    (None, {"preset": "uneven"}),
    (None, {"preset": "gaps", "position": 5}),
    (None, {"preset": "shared", "position": 4, "size": 4}),
]


def assert_draws(page, explorer):
    """The page shows this explorer: rows, lines, bars, map and words."""
    drawn, counts = page.evaluate(DRAWN), explorer.counts
    reached, lit, lines, on = levels_of(explorer)
    hole = counts[explorer.position] == 0
    lit = [set() if hole else row for row in lit]
    assert drawn["lit"] == [len(row) for row in lit]
    assert drawn["cells"] == [len(row - light) for row, light in zip(reached, lit, strict=True)]
    assert drawn["holes"] == [0] * (len(reached) - 1) + [counts.count(0)]
    assert drawn["lines"] == [len(lines - on), len(on)]
    assert drawn["counts"] in ([str(count) for count in counts], [])
    ends = ["Output", "Input"] if explorer.mode == "dilated" else ["Input", "Output"]
    assert drawn["names"] == [ends[0], *[""] * (len(reached) - 2), ends[1]]
    assert drawn["words"] == [explorer.summary, explorer.reason, explorer.place]
    assert drawn["line"] == explorer.code
    bars = [
        (float(x), float(height))
        for d in drawn["bars"]
        for x, height in re.findall(r"M([\d.]+) [\d.]+h[\d.]+v([\d.]+)h", d)
    ]
    heights = [height for _, height in sorted(bars)]
    shown = [i for i, count in enumerate(counts) if count or i == explorer.position]
    assert heights == pytest.approx([56 * counts[i] / max(counts) for i in shown], abs=0.01)
    assert drawn["planeHoles"] == 2 * counts.count(0)
    products = [a * b for a in counts for b in counts]
    if explorer.mode == "dilated":
        assert drawn["shades"] == []
        assert drawn["plane"] == []
        assert drawn["facts"][1] == f"Reached {explorer.reached} of {len(counts)}"
    else:
        shades = sorted(drawn["shades"], key=lambda shade: shade[1])
        expected = [pair for pair in sorted(Counter(products).items()) if pair[0]]
        assert [cells for cells, _ in shades] == [number for _, number in expected]
        opacities = [count / max(products) for count, _ in expected]
        assert [opacity for _, opacity in shades] == pytest.approx(opacities, abs=0.0051)
        assert drawn["plane"] in ([str(count) for count in products], [])


@pytest.mark.parametrize(("dilations", "options"), DRAWINGS)
def test_drawing_shows_every_path(dilations, options, open_page):
    explorer = CoverageExplorer(dilations, **options)
    page = open_page(explorer)
    assert page.locator(".cb-static").count() == 0
    assert_draws(page, explorer)


def test_a_crowded_drawing_has_outlines_for_lines(open_page):
    explorer = CoverageExplorer([16] * 6, kernel_size=7)
    drawn = open_page(explorer).evaluate(DRAWN)
    assert drawn["lines"] == [6, 6]
    assert drawn["counts"] == []
    nodes = zip(drawn["cells"], drawn["lit"], strict=True)
    assert [sum(pair) for pair in nodes] == [6 * m + 1 for m in range(7)]
    # A hole is no node on a path: no outline leads there.
    explorer.position = 5
    assert open_page(explorer).evaluate(DRAWN)["lines"] == [6, 0]


def test_default_names_rows_and_facts(open_page):
    drawn = open_page(CoverageExplorer()).evaluate(DRAWN)
    assert drawn["counts"] == ["1", "0", "3", "0", "6", "0", "7", "0", "6", "0", "3", "0", "1"]
    assert drawn["labels"] == [
        *(f"Layer {n}, dilation 2" for n in (3, 2, 1)),
        "Paths",
        "Position",
    ]
    assert drawn["indices"] == [str(i) for i in range(13)]
    assert drawn["facts"] == [
        "Receptive field 13 × 13",
        "Reached 7 of 13",
        "On a map 49 of 169",
        "Weights on a map 27",
    ]


def test_transposed_facts_and_map(open_page):
    drawn = open_page(CoverageExplorer(preset="uneven")).evaluate(DRAWN)
    assert drawn["counts"] == list("1121212121211")
    # Away from the borders 1, 2, 2, 4, as the oracle says.
    assert [drawn["plane"][i * 13 + j] for i in (3, 4) for j in (3, 4)] == ["1", "2", "2", "4"]
    facts = ["Output 13 × 13", "Overlap uneven", "Taps inside 1, 2", "On a map 1 to 4"]
    assert drawn["facts"] == facts
    assert open_page(CoverageExplorer(preset="even")).evaluate(DRAWN)["facts"][1:] == [
        "Overlap even",
        "Taps inside 2",
        "On a map 4",
    ]


# ------------------------------------------------------------------ controls


def slider(page, label):
    return page.get_by_role("slider", name=re.compile(f"^{label}"))


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def state(page, name):
    return page.evaluate("(name) => models[0].get(name)", name)


def schedule(page):
    return page.get_by_role("textbox", name=re.compile("^Dilations"))


def shown(page):
    """The explorer that the page's model describes."""
    settings = {name: state(page, name) for name in SETTINGS}
    return CoverageExplorer(**settings, position=state(page, "position"))


def test_a_typed_schedule_counts(open_page):
    page = open_page(CoverageExplorer())
    schedule(page).fill("1 2 5")
    assert state(page, "dilations") == [1, 2, 5]
    assert state(page, "position") == 8
    assert_draws(page, CoverageExplorer([1, 2, 5]))
    assert schedule(page).input_value() == "1 2 5"
    schedule(page).blur()
    assert schedule(page).input_value() == "1, 2, 5"
    assert page.locator('.cb-preset[aria-pressed="true"]').inner_text() == "1, 2, 5"


@pytest.mark.parametrize("text", ["", "0", "1, 17", "one", "1 1 1 1 1 1 1"])
def test_what_is_no_schedule_changes_nothing_and_is_said(text, open_page):
    page = open_page(CoverageExplorer())
    schedule(page).fill(text)
    assert state(page, "dilations") == [2, 2, 2]
    assert schedule(page).get_attribute("aria-invalid") == "true"
    warning = "Dilations: use 1 to 6 whole numbers from 1 to 16, such as 1, 2, 5."
    assert page.locator(".cb-warning").inner_text() == warning
    schedule(page).blur()
    assert schedule(page).input_value() == "2, 2, 2"
    assert schedule(page).get_attribute("aria-invalid") is None
    assert page.locator(".cb-warning").inner_text() == ""


def test_layers_are_added_changed_and_removed(open_page):
    page = open_page(CoverageExplorer([1, 2], kernel_size=2))
    assert page.locator(".cb-control:visible", has_text="dilation").count() == 2
    press(page, "Add a layer")
    assert state(page, "dilations") == [1, 2, 2]
    slider(page, "Layer 3").fill("4")
    slider(page, "Kernel size").fill("3")
    assert_draws(page, CoverageExplorer([1, 2, 4]))
    assert schedule(page).input_value() == "1, 2, 4"
    press(page, "Remove the last")
    press(page, "Remove the last")
    assert_draws(page, CoverageExplorer([1]))
    assert page.get_by_role("button", name="Remove the last").is_disabled()
    for _ in range(5):
        press(page, "Add a layer")
    assert state(page, "dilations") == [1] * 6
    assert page.get_by_role("button", name="Add a layer").is_disabled()
    assert page.evaluate("document.activeElement.textContent") == "Remove the last"


def test_transposed_controls_count(open_page):
    page = open_page(CoverageExplorer())
    page.get_by_role("radio", name="Transposed convolution").check()
    assert not schedule(page).is_visible()
    assert not page.get_by_role("button", name="Add a layer").is_visible()
    assert page.locator(".cb-preset:visible").count() == 5
    slider(page, "Kernel size").fill("5")
    slider(page, "Stride").fill("3")
    slider(page, "Dilation").fill("2")
    slider(page, "Input size").fill("4")
    expected = CoverageExplorer(mode="transposed", kernel_size=5, stride=3, dilation=2, size=4)
    assert_draws(page, expected)
    assert page.locator(".cb-about").inner_text() == "Your own numbers."
    page.get_by_role("radio", name="Dilated stack").check()
    assert_draws(page, CoverageExplorer(kernel_size=5))


@pytest.mark.parametrize(
    ("label", "name", "mode"),
    [
        ("Kernel size", "kernel_size", "dilated"),
        ("Kernel size", "kernel_size", "transposed"),
        ("Stride", "stride", "transposed"),
        ("Dilation", "dilation", "transposed"),
        ("Input size", "size", "transposed"),
    ],
)
def test_sliders_offer_these_numbers(label, name, mode, open_page):
    page = open_page(CoverageExplorer(mode=mode))
    slider(page, label).press("Home")
    seen = [state(page, name)]
    for _ in whole(name)[1:]:
        slider(page, label).press("ArrowRight")
        seen.append(state(page, name))
        assert page.evaluate(DRAWN)["words"][0] == shown(page).summary
    assert seen == list(whole(name))


def test_position_is_chosen_by_slider_and_by_mouse(open_page):
    page = open_page(CoverageExplorer([1, 2, 5]))
    position = slider(page, "Position")
    position.press("Home")
    assert_draws(page, CoverageExplorer([1, 2, 5], position=0))
    position.press("End")
    assert state(page, "position") == 16
    tree = page.locator(".cb-cov-tree")
    tree.scroll_into_view_if_needed()
    box = tree.bounding_box()
    for index in (3, 12):
        text = page.locator(".cb-cov-indices text").nth(index).bounding_box()
        page.mouse.click(text["x"] + text["width"] / 2, box["y"] + 30)
        assert_draws(page, CoverageExplorer([1, 2, 5], position=index))
    page.mouse.click(box["x"] + 2, box["y"] + 30)
    assert state(page, "position") == 0


def test_presets_and_reset(open_page):
    first = CoverageExplorer([3, 1], kernel_size=5, position=2)
    page = open_page(first)
    for mode, button in (("dilated", "Dilated stack"), ("transposed", "Transposed convolution")):
        page.get_by_role("radio", name=button).check()
        for key, preset in PRESETS.items():
            if preset.settings["mode"] == mode:
                press(page, preset.label)
                assert_draws(page, CoverageExplorer(preset=key))
                pressed = page.locator('.cb-preset[aria-pressed="true"]')
                assert pressed.inner_text() == preset.label
                assert page.locator(".cb-about").inner_text() == preset.note
    press(page, "Reset")
    assert_draws(page, first)


@pytest.mark.parametrize("preset", PRESETS)
def test_script_prints_the_counts(preset, open_page, capsys):
    explorer = CoverageExplorer(preset=preset)
    page = open_page(explorer)
    press(page, "Copy PyTorch script")
    page.get_by_text("Copied").wait_for()
    exec(page.evaluate("navigator.clipboard.readText()"), {})
    assert capsys.readouterr().out == f"{explorer.counts}\n"


# ------------------------------------------------------------------ keyboard, host and kernel


def test_tab_reaches_every_control(open_page, tab_stops):
    stops = tab_stops(open_page(CoverageExplorer()))
    for name in ["Dilated stack", "Reset", "Dilations", "Kernel size", "Position", "Layer 3"]:
        assert any(stop.startswith(name) for stop in stops), name
    for name in ["Add a layer", "Remove the last", "Copy the line", "Copy PyTorch script"]:
        assert name in stops
    assert len(stops) == 1 + 6 + 1 + 3 + 3 + 2 + 2
    stops = tab_stops(open_page(CoverageExplorer(mode="transposed")))
    assert len(stops) == 1 + 5 + 1 + 5 + 2


def test_the_keyboard_does_everything(open_page):
    page = open_page(CoverageExplorer())
    page.get_by_role("button", name="1, 2, 5", exact=True).focus()
    page.keyboard.press("Enter")
    assert state(page, "dilations") == [1, 2, 5]
    slider(page, "Layer 1").press("ArrowRight")
    assert state(page, "dilations") == [2, 2, 5]
    slider(page, "Position").press("ArrowLeft")
    assert state(page, "position") == (18 // 2) - 1
    page.get_by_role("radio", name="Dilated stack").focus()
    page.keyboard.press("ArrowRight")
    assert state(page, "mode") == "transposed"
    slider(page, "Stride").press("ArrowRight")
    assert_draws(page, shown(page))


def test_changes_from_a_kernel_are_drawn(open_page):
    page = open_page(CoverageExplorer())
    explorer = CoverageExplorer(preset="shared", position=2)
    page.evaluate(SET, {**settings_of(explorer), "position": 2})
    assert_draws(page, explorer)
    assert page.evaluate("models[0].saved") == 0
    # What a kernel leaves beyond the last position is shown at the last.
    page.evaluate(SET, {**settings_of(CoverageExplorer([1])), "position": 40})
    assert_draws(page, CoverageExplorer([1], position=2))


# ------------------------------------------------------------------ accessibility and space

CASES = {
    **{key: lambda key=key: CoverageExplorer(preset=key) for key in PRESETS},
    "widest": lambda: CoverageExplorer([16] * 6, kernel_size=7),
    "crowded": lambda: CoverageExplorer([1, 1, 1, 1, 1, 16], kernel_size=7),
    "one": lambda: CoverageExplorer([16], kernel_size=1),
    "largest": lambda: CoverageExplorer(
        mode="transposed", kernel_size=7, stride=4, dilation=3, size=8
    ),
}


@pytest.mark.parametrize("width", [320, 360, 600, 760, 1000])
def test_everything_fits(width, open_page, assert_fits):
    page = open_page(CoverageExplorer(), width=width)
    for case in CASES.values():
        explorer = case()
        page.evaluate(SET, {**settings_of(explorer), "position": explorer.position})
        assert page.evaluate(DRAWN)["words"][0] == explorer.summary
        assert_fits(page)


@pytest.mark.parametrize("width", [360, 760])
def test_indices_do_not_touch(width, open_page):
    page = open_page(CoverageExplorer(), width=width)
    for name, case in CASES.items():
        explorer = case()
        page.evaluate(SET, {**settings_of(explorer), "position": explorer.position})
        assert page.evaluate(DRAWN)["words"][0] == explorer.summary
        boxes = page.evaluate(
            """() => [...document.querySelectorAll(".cb-cov-indices text")].map((text) => {
              const box = text.getBoundingClientRect();
              return [box.left, box.right];
            })"""
        )
        assert boxes
        for (_, right), (left, _) in itertools.pairwise(boxes):
            assert right < left, name
