"""The shuffle explorer in a real browser: indices, what lights up, keyboard, space."""

import itertools
import re

import pytest
import torch
from torch.nn import functional as F

from convbook.course.explorers import ShuffleExplorer
from convbook.course.explorers.shuffle import LIMITS, PRESETS, SETTINGS, channel_of, sub_pixel
from tests.helpers.explorer_pages import SET
from tests.helpers.tf_depth_to_space import depth_to_space, space_to_depth

pytestmark = pytest.mark.browser

ORDERS = ("pytorch", "tensorflow")
DIRECTIONS = ("shuffle", "unshuffle")
GRID = [
    dict(zip(SETTINGS, one, strict=True))
    for one in itertools.product(
        *(range(low, high + 1) for low, high in LIMITS.values()), DIRECTIONS, ORDERS
    )
]


def settings_of(explorer):
    return {name: getattr(explorer, name) for name in SETTINGS}


def numbered_input(s):
    """The numbers 0, 1, 2, ... as the maps that come in."""
    r, channels, side = s["upscale_factor"], s["channels"], s["size"]
    if s["direction"] == "shuffle":
        channels *= r**2
    else:
        side *= r
    return torch.arange(channels * side * side).reshape(channels, side, side)


def expected_output(s):
    """Where a library takes the numbers of the input."""
    x, r, up = numbered_input(s), s["upscale_factor"], s["direction"] == "shuffle"
    if s["order"] == "pytorch":
        return (F.pixel_shuffle if up else F.pixel_unshuffle)(x, r)
    function = depth_to_space if up else space_to_depth
    return function(x.permute(1, 2, 0), r).permute(2, 0, 1)


# ------------------------------------------------------------------ indices


def test_shuffling_equals_the_libraries_over_the_whole_control_grid(open_page):
    got = open_page(ShuffleExplorer()).evaluate(
        """async (grid) => {
          const { shuffled } = await import("./shuffle.js");
          return grid.map(shuffled);
        }""",
        GRID,
    )
    for s, found in zip(GRID, got, strict=True):
        assert found == expected_output(s).tolist(), s


def test_indices_and_words_equal_pythons_over_the_whole_control_grid(open_page):
    got = open_page(ShuffleExplorer()).evaluate(
        """async (grid) => {
          const m = await import("./shuffle.js");
          return grid.map((s) => {
            const count = s.channels * s.upscale_factor ** 2;
            const cells = Array.from({ length: count }, (_, k) => [k, s.size - 1, k % s.size]);
            return [m.summaryOf(s), m.pytorchLine(s), ...cells.map((cell) => [
              m.placeOf(s, cell), m.workingOf(s, cell[0]), m.comparisonOf(s, cell[0]),
              m.largeOf(cell, s), m.smallOf(m.largeOf(cell, s), s), m.subPixel(cell[0], s),
              m.channelOf(m.subPixel(cell[0], s), s),
            ])];
          });
        }""",
        GRID,
    )
    for s, (summary, line, *cells) in zip(GRID, got, strict=True):
        explorer = ShuffleExplorer(**s)
        assert (summary, line) == (explorer.summary, explorer.code)
        assert len(cells) == explorer.channels_in
        for channel, found in enumerate(cells):
            cell = [channel, s["size"] - 1, channel % s["size"]]
            explorer.selected = cell
            which = (s["upscale_factor"], s["channels"], s["order"])
            place = sub_pixel(channel, *which)
            assert found[:3] == [explorer.place, explorer.working, explorer.comparison]
            assert found[3:5] == [list(explorer.partner), cell]
            assert found[5:] == [list(place), channel_of(*place, *which)]


# ------------------------------------------------------------------ what the page shows

SHOWN = """() => {
  const side = (name) => {
    const cells = [...document.querySelectorAll(`.cb-grid-${name} .cb-cell`)];
    const read = (list) => list.map((cell) => cell.getAttribute("aria-label"));
    return {
      texts: cells.map((cell) => cell.textContent),
      labels: read(cells),
      lit: read(cells.filter((cell) => cell.classList.contains("cb-lit"))),
      pair: read(cells.filter((cell) => cell.classList.contains("cb-pair"))),
      stops: read(cells.filter((cell) => cell.tabIndex === 0)),
      maps: cells.filter((cell) => cell.dataset.map).map((cell) => cell.dataset.map),
      input: cells.every((cell) => cell.classList.contains("cb-x")),
      output: cells.every((cell) => cell.classList.contains("cb-y")),
      size: cells[0].closest(".cb-block").querySelector(".cb-size").textContent,
    };
  };
  const text = (css) => document.querySelector(css).textContent;
  return {
    small: side("small"), large: side("large"),
    first: document.querySelector(".cb-shuffle-flow .cb-grid").className,
    place: text(".cb-place"), working: text(".cb-formula"), line: text(".cb-code"),
  };
}"""


def place_in(label):
    """The indices in a cell's label, and what it says it shows."""
    match = re.fullmatch(r"channel (\d+), row (\d+), column (\d+)(?:: (.*))?", label)
    return tuple(map(int, match.groups()[:3])), match.group(4)


def places_in(labels):
    return {place_in(label)[0] for label in labels}


def assert_shows(page, explorer):
    """The page shows this explorer: both sides, what is lit, the sentences and the line."""
    s = settings_of(explorer)
    shown, x, y = page.evaluate(SHOWN), numbered_input(s), expected_output(s)
    up = explorer.direction == "shuffle"
    small, large = (x, y) if up else (y, x)
    assert shown["first"] == f"cb-grid cb-grid-{'small' if up else 'large'}"
    channel_map = torch.arange(len(small))[:, None, None].expand_as(small)
    partner = F.pixel_shuffle(channel_map, explorer.upscale_factor)
    if explorer.order == "tensorflow":
        partner = depth_to_space(channel_map.permute(1, 2, 0), explorer.upscale_factor)
        partner = partner.permute(2, 0, 1)
    values = explorer.show == "values"
    for name, maps, channels in (("small", small, channel_map), ("large", large, partner)):
        side, numbers = shown[name], maps if values else channels
        places = [place_in(label) for label in side["labels"]]
        assert sorted(place for place, _ in places) == sorted(
            itertools.product(*map(range, maps.shape))
        )
        for (place, said), text in zip(places, side["texts"], strict=True):
            assert int(text) == numbers[place]
            if values:
                assert said == text
            else:
                assert said == (f"channel {text}" if name == "large" else None)
        assert side["size"].endswith(f"of {maps.shape[1]} × {maps.shape[2]}")
        assert side["input" if (name == "small") == up else "output"]
        lit = {tuple(place) for place in (channels == explorer.chosen[0]).nonzero().tolist()}
        assert places_in(side["lit"]) == lit
        pair = explorer.chosen if name == "small" else explorer.partner
        assert places_in(side["pair"]) == places_in(side["stops"]) == {pair}
        names = [str(i) if name == "small" else f"channel {i}" for i in range(len(maps))]
        assert sorted(side["maps"]) == sorted(names)
    assert shown["place"] == explorer.place
    assert shown["working"] == f"Channel = {explorer.working}"
    assert shown["line"] == explorer.code


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"preset": "tensorflow", "selected": (5, 1, 0)},
        {"preset": "back", "show": "values"},
        {"preset": "colour", "show": "values", "selected": (26, 1, 1)},
        {"upscale_factor": 4, "channels": 3, "size": 3, "order": "tensorflow"},
        {"upscale_factor": 4, "channels": 1, "size": 1, "direction": "unshuffle"},
    ],
)
def test_both_sides_are_shown(settings, open_page):
    explorer = ShuffleExplorer(**settings)
    page = open_page(explorer)
    assert page.locator(".cb-static").count() == 0
    assert_shows(page, explorer)


def test_maps_stand_where_their_sub_pixels_do(open_page):
    # With one output channel the small maps lie like the sub-pixels of a block.
    page = open_page(ShuffleExplorer(3, channels=1, size=1))
    small = page.locator(".cb-grid-small .cb-cell").all_inner_texts()
    assert small == page.locator(".cb-grid-large .cb-cell").all_inner_texts()
    assert small == [str(i) for i in range(9)]


# ------------------------------------------------------------------ choosing a cell


def cell(page, side, channel, row, col):
    label = re.compile(f"^channel {channel}, row {row}, column {col}(:|$)")
    return page.locator(f".cb-grid-{side}").get_by_label(label)


def state(page, name):
    return page.evaluate("(name) => models[0].get(name)", name)


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def slider(page, label):
    return page.get_by_role("slider", name=re.compile(f"^{label}"))


def test_a_click_lights_the_partner(open_page):
    page = open_page(ShuffleExplorer())
    cell(page, "small", 6, 1, 0).click()
    assert_shows(page, ShuffleExplorer(selected=(6, 1, 0)))
    cell(page, "large", 1, 1, 3).click()
    assert state(page, "selected") == [7, 0, 1]
    page.mouse.move(0, 0)
    assert_shows(page, ShuffleExplorer(selected=(7, 0, 1)))


def test_the_mouse_shows_without_choosing(open_page):
    page = open_page(ShuffleExplorer())
    cell(page, "large", 1, 2, 2).hover()
    place = page.locator(".cb-place")
    assert place.text_content() == ShuffleExplorer(selected=(4, 1, 1)).place
    assert state(page, "selected") == [1, 0, 0]
    page.mouse.move(0, 0)
    assert_shows(page, ShuffleExplorer())


def test_arrows_walk_both_sides(open_page):
    page = open_page(ShuffleExplorer())
    cell(page, "small", 1, 0, 0).focus()
    page.keyboard.press("ArrowDown")
    assert_shows(page, ShuffleExplorer(selected=(1, 1, 0)))
    page.keyboard.press("ArrowDown")
    assert_shows(page, ShuffleExplorer(selected=(3, 0, 0)))
    cell(page, "large", 0, 1, 1).focus()
    page.keyboard.press("ArrowRight")
    assert_shows(page, ShuffleExplorer(selected=(2, 0, 1)))
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    assert_shows(page, ShuffleExplorer(selected=(4, 0, 1)))


def test_stepping_goes_round_the_channels(open_page):
    page = open_page(ShuffleExplorer(selected=(7, 1, 1)))
    press(page, "Next channel")
    assert_shows(page, ShuffleExplorer(selected=(0, 1, 1)))
    press(page, "Previous channel")
    assert_shows(page, ShuffleExplorer(selected=(7, 1, 1)))


# ------------------------------------------------------------------ controls


def test_every_control_counts(open_page):
    page = open_page(ShuffleExplorer(selected=(7, 1, 1)))
    slider(page, "Upscale factor").fill("3")
    slider(page, "Channels").fill("3")
    slider(page, "Map size").fill("1")
    for name in ("pixel_unshuffle", "TensorFlow order", "Values"):
        page.get_by_role("radio", name=name).check()
    expected = ShuffleExplorer(
        3,
        channels=3,
        size=1,
        direction="unshuffle",
        order="tensorflow",
        show="values",
        selected=(7, 0, 0),
    )
    assert_shows(page, expected)
    assert page.locator(".cb-about").inner_text() == "Your own numbers."
    assert page.evaluate("models[0].saved") == 6


def test_the_order_is_the_difference(open_page):
    page = open_page(ShuffleExplorer())
    assert page.locator(".cb-grid-large .cb-cell").all_inner_texts()[:4] == list("0101")
    page.get_by_role("radio", name="TensorFlow order").check()
    assert_shows(page, ShuffleExplorer(preset="tensorflow"))
    assert page.locator(".cb-grid-large .cb-cell").all_inner_texts()[:4] == list("0202")


def test_what_is_chosen_stays_inside(open_page):
    page = open_page(ShuffleExplorer(4, channels=3, size=3, selected=(47, 2, 2)))
    slider(page, "Upscale factor").fill("2")
    slider(page, "Map size").fill("2")
    assert_shows(page, ShuffleExplorer(channels=3, selected=(11, 1, 1)))


def test_presets_and_reset(open_page):
    first = ShuffleExplorer(4, channels=1, size=1, show="values", selected=(9, 0, 0))
    page = open_page(first)
    press(page, "Reset")
    for key, preset in PRESETS.items():
        press(page, preset.label)
        explorer = ShuffleExplorer(preset=key, show="values")
        explorer.selected = (9, 0, 0)
        assert_shows(page, explorer)
        assert page.locator('.cb-preset[aria-pressed="true"]').inner_text() == preset.label
        assert page.locator(".cb-about").inner_text() == preset.note
    press(page, "Reset")
    assert_shows(page, first)


@pytest.mark.parametrize("preset", PRESETS)
def test_script_makes_what_the_page_shows(preset, open_page, capsys):
    explorer = ShuffleExplorer(preset=preset, show="values")
    page = open_page(explorer)
    press(page, "Copy script")
    page.get_by_text("Copied").wait_for()
    names = {}
    exec(page.evaluate("navigator.clipboard.readText()"), names)
    expected = expected_output(settings_of(explorer))
    assert torch.equal(names["x"][0], numbered_input(settings_of(explorer)))
    assert torch.equal(names["y"][0], expected)
    assert capsys.readouterr().out == f"{expected}\n"


# ------------------------------------------------------------------ keyboard, host and kernel


def test_tab_reaches_every_control(open_page, tab_stops):
    stops = tab_stops(open_page(ShuffleExplorer()))
    for name in ["Upscale factor", "Channels", "Map size", "pixel_shuffle", "PyTorch order"]:
        assert any(stop.startswith(name) for stop in stops), name
    for name in ["Reset", "Next channel", "Copy the PyTorch line", "Copy script"]:
        assert name in stops
    # One stop for each group of radio buttons and one for each side.
    assert len(stops) == len(PRESETS) + 3 + 1 + 3 + 2 + 2 + 2


def test_changes_from_a_kernel_are_drawn(open_page):
    page = open_page(ShuffleExplorer())
    explorer = ShuffleExplorer(3, channels=2, size=3, order="tensorflow", selected=(13, 2, 1))
    page.evaluate(SET, {**settings_of(explorer), "selected": [13, 2, 1]})
    assert_shows(page, explorer)
    assert page.evaluate("models[0].saved") == 0


# ------------------------------------------------------------------ accessibility and space

CASES = {
    **{key: lambda key=key: ShuffleExplorer(preset=key) for key in PRESETS},
    "largest": lambda: ShuffleExplorer(4, channels=3, size=3, show="values"),
    "smallest": lambda: ShuffleExplorer(2, channels=1, size=1),
}


@pytest.mark.parametrize("width", [320, 360, 530, 600, 760, 1000])
def test_everything_fits(width, open_page, assert_fits):
    page = open_page(ShuffleExplorer(), width=width)
    for case in CASES.values():
        explorer = case()
        page.evaluate(SET, {**settings_of(explorer), "show": explorer.show})
        assert_shows(page, explorer)
        assert_fits(page)
        sides = page.evaluate(
            """() => [...document.querySelectorAll(".cb-shuffle-flow .cb-block")].map((block) => {
              const box = block.getBoundingClientRect();
              return [box.left, box.right, box.top, box.bottom];
            })"""
        )
        (_, right, _, bottom), (left, _, top, _) = sides
        assert right <= left or bottom <= top


def test_cells_can_be_hit_on_a_phone(open_page):
    page = open_page(ShuffleExplorer(4, channels=3, size=3, show="values"), width=360)
    box = page.locator(".cb-grid-small .cb-cell").first.bounding_box()
    assert box["width"] >= 15
    assert box["width"] == pytest.approx(box["height"])
