"""The receptive-field explorer in a real browser: numbers, drawing, table, address, keyboard."""

import itertools
import random
import re

import pytest

from convbook.arithmetic import Layer, receptive_field
from convbook.course.explorers import ReceptiveFieldExplorer
from convbook.course.explorers.receptive_field import LIMITS, SETTINGS
from convbook.course.explorers.stacks import PRESETS
from tests.helpers.explorer_pages import SET

pytestmark = pytest.mark.browser

HOME = "https://explorers.test/"
MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"


def explorer_with(layers, input_size):
    """An explorer whose stack need not fit, as after a reader's edit."""
    explorer = ReceptiveFieldExplorer([Layer(1)], input_size=input_size)
    explorer.layers = layers
    return explorer


def one_layer_stacks():
    """Every small setting of one layer."""
    grid = itertools.product(range(1, 11), range(1, 6), range(1, 5), range(4), range(1, 4))
    return [explorer_with([Layer(*settings)], size) for size, *settings in grid]


def random_stacks(count):
    """Stacks from the whole range of every control, and small ones; many do not fit."""
    rng = random.Random(0)
    limits = [LIMITS[name] for name in SETTINGS]
    small = [(1, 5), (1, 3), (0, 4), (1, 3)]
    found = []
    for i in range(count):
        ranges = limits if i % 4 == 0 else small
        layers = [Layer(*(rng.randint(*span) for span in ranges)) for _ in range(rng.randint(1, 8))]
        size = rng.randint(*LIMITS["input_size"]) if i % 2 else rng.randint(1, 64)
        found.append(explorer_with(layers, size))
    return found


# ------------------------------------------------------------------ arithmetic and words

COMPUTE = """async ({ cases, limits, presets }) => {
  const module = await import("./receptive_field.js");
  return cases.map(({ size, rows, selected }) => {
    const { levels, problem } = module.measure(size, rows, limits);
    const chosen = levels.length < 2 ? null : selected;
    const [layer, output] = selected;
    const reach = chosen && module.reachOf(levels, rows, layer, output);
    const fragment = module.fragmentOf("rf", size, rows);
    const numbers = ({ first, last, read }) => {
      const inside = read.flatMap(([from, to]) =>
        Array.from({ length: to - from + 1 }, (_, i) => from + i));
      return { first, last, inside };
    };
    return {
      levels, problem, fragment,
      reach: reach && reach.map(numbers),
      summary: module.summaryOf(levels, rows, chosen),
      line: module.packageLine(rows),
      script: module.packageScript(rows),
      again: module.parseFragment("rf", fragment, limits),
      preset: module.presetOf(presets, size, rows)?.key ?? null,
      recurrence: reach && module.recurrenceOf(levels, rows, layer).map(([, , sum, result]) =>
        [sum.replaceAll("\\u2212", "-").replaceAll("\\u00b7", "*"), result]),
    };
  });
}"""


def test_numbers_and_words_equal_pythons(open_page):
    explorers = [
        *one_layer_stacks(),
        *random_stacks(600),
        *(ReceptiveFieldExplorer(preset=key) for key in PRESETS),
    ]
    rng = random.Random(1)
    for explorer in explorers:
        fitting = [size for size in explorer.output_sizes if size]
        if fitting:
            layer = rng.randint(1, len(fitting))
            explorer.selected = (layer, rng.randrange(fitting[layer - 1]))
    cases = [{"size": e.input_size, "rows": e.rows, "selected": e.selected} for e in explorers]
    data = {"cases": cases, "limits": explorers[0].limits, "presets": explorers[0].presets}
    computed = open_page().evaluate(COMPUTE, data)
    counted = {"fits": 0, "does not": 0, "outside": 0, "skips": 0}
    for explorer, got in zip(explorers, computed, strict=True):
        known = [field for field in explorer.fields if field]
        levels = got["levels"][1:]
        assert [(x["size"], x["jump"], x["start"]) for x in levels] == known, explorer
        assert [x["count"] for x in levels] == [n for n in explorer.output_sizes if n]
        assert got["problem"] == explorer.problem
        assert got["summary"] == explorer.summary
        assert got["line"] == explorer.code
        assert got["fragment"] == explorer.fragment
        assert got["again"] == {
            "input_size": explorer.input_size,
            "rows": [["conv", *row[1:]] for row in explorer.rows],
        }
        assert (got["preset"] is not None) == ("preset=" in repr(explorer))
        counted["does not" if explorer.problem else "fits"] += 1
        if explorer.chosen is None:
            assert got["reach"] is None
            continue
        assert_reach(explorer, got["reach"])
        layer = explorer.selected[0]
        assert [result for _, result in got["recurrence"]] == list(known[layer - 1])
        assert [eval(sum_) for sum_, _ in got["recurrence"]] == list(known[layer - 1])
        counted["outside"] += "outside" in got["summary"]
        counted["skips"] += "skips" in got["summary"]
    assert min(counted.values()) > 100


def assert_reach(explorer, reach):
    """At each level, the ends are the field of the layers above it and what is read feeds it."""
    layer, output = explorer.selected
    assert len(reach) == layer + 1
    for level, got in enumerate(reach):
        above = explorer.layers[level:layer]
        size, jump, start = receptive_field(above)[-1] if above else (1, 1, 0)
        assert (got["first"], got["last"]) == (
            start + output * jump,
            start + output * jump + size - 1,
        )
        size = [explorer.input_size, *explorer.output_sizes][level]
        rest = explorer_with(above, size) if above else None
        assert got["inside"] == (rest.pixels_read(len(above), output) if rest else [output])


def test_script_prints_every_layer(open_page, capsys):
    explorer = ReceptiveFieldExplorer(preset="resnet18")
    case = {"size": 224, "rows": explorer.rows, "selected": (1, 0)}
    data = {"cases": [case], "limits": explorer.limits, "presets": []}
    (got,) = open_page().evaluate(COMPUTE, data)
    exec(got["script"], {})
    printed = capsys.readouterr().out.splitlines()
    assert printed == [
        f"{layer} {field}" for layer, field in zip(explorer.layers, explorer.fields, strict=True)
    ]


@pytest.mark.parametrize("jump", [0, 1])
def test_nearest_output_is_the_one_drawn_over_a_pixel(jump, open_page):
    explorer = ReceptiveFieldExplorer(preset="stride" if jump else "two_3x3")
    field, count = explorer.fields[-1], explorer.output_sizes[-1]
    level = {**field._asdict(), "count": count}
    places = [number / 4 for number in range(-20, 100)]
    found = open_page().evaluate(
        """async ([level, places]) => {
          const { outputAt } = await import("./receptive_field.js");
          return places.map((place) => outputAt(level, place));
        }""",
        [level, places],
    )
    middles = [field.start + i * field.jump + field.size / 2 for i in range(count)]
    for place, index in zip(places, found, strict=True):
        nearest = min(abs(place - middle) for middle in middles)
        assert abs(place - middles[index]) == nearest


# ------------------------------------------------------------------ what the page shows


def table_of(page):
    """The layers shown: name, settings, and the texts of output, field, jump and start."""
    return page.evaluate(
        """() => [...document.querySelectorAll(".cb-rf-row:not(.cb-rf-head)")].map((row) => ({
          name: row.querySelector(".cb-rf-title span").textContent,
          settings: [...row.querySelectorAll(".cb-number")].map((field) => Number(field.value)),
          values: [...row.querySelectorAll(".cb-value")].map((value) => value.textContent),
          shown: row.classList.contains("cb-rf-shown"),
          checked: row.querySelector("input[type=radio]").checked,
        }))"""
    )


def facts_of(page):
    return page.locator(".cb-rf-facts b").all_inner_texts()


def summary_of(page):
    return page.locator(".cb-rf-summary").inner_text()


def slide(page, label, value):
    page.get_by_role("slider", name=re.compile(f"^{label}")).fill(str(value))


def setting(page, name, layer):
    return page.get_by_role("spinbutton", name=f"{name} of layer {layer}")


def state(page, name):
    return page.evaluate("(name) => models[0].get(name)", name)


def settings_of(page):
    return [row[1:] for row in state(page, "rows")]


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def assert_shows(page, explorer):
    """The page shows this explorer: its table, facts, sentence and line."""
    expected = zip(explorer.rows, explorer.output_sizes, explorer.fields, strict=True)
    for got, (row, size, field) in zip(table_of(page), expected, strict=True):
        assert [got["name"], *got["settings"]] == list(row)
        values = [DASH] * 4 if field is None else [size, *field]
        assert got["values"] == [str(value).replace("-", MINUS) for value in values]
        assert got["shown"] == got["checked"]
    assert summary_of(page) == explorer.summary
    assert page.locator(".cb-code").inner_text() == explorer.code
    if explorer.chosen:
        layer, _ = explorer.chosen
        count, field = explorer.output_sizes[layer - 1], explorer.fields[layer - 1]
        facts = [f"{n} \N{MULTIPLICATION SIGN} {n}" for n in (count, field.size)]
        facts += [str(n).replace("-", MINUS) for n in (field.jump, field.start)]
        assert facts_of(page) == facts
    problems = page.locator(".cb-rf-problem").all_inner_texts()
    assert problems == ([explorer.problem] if explorer.problem else [])


def test_default_shows_that_two_layers_see_five_pixels(open_page):
    page = open_page(ReceptiveFieldExplorer())
    assert page.locator(".cb-static").count() == 0
    assert_shows(page, ReceptiveFieldExplorer())
    assert facts_of(page)[1] == "5 × 5"
    counts = page.locator(".cb-rf-count").all_text_contents()
    assert counts == ["5 pixels", "3 outputs", "1 output"]
    assert page.locator(".cb-rf-span").text_content() == "pixels 2 to 6"
    assert page.get_by_role("button", name="Two 3×3").get_attribute("aria-pressed") == "true"
    steps = page.locator(".cb-rf-step > :first-child").all_inner_texts()
    assert steps == [
        f"Field = 3 + 1·(3 {MINUS} 1)·1 = 5",
        "Jump = 1·1 = 1",
        f"Start = 0 {MINUS} 0·1 = 0",
    ]


# For each row of the cross-section: which of its indices lie in the lit cells, in the padding that
# is read, and inside the field's frame, as far as the drawing goes.
DRAWN = """() => {
  const svg = document.querySelector(".cb-rf-section");
  const frame = svg.querySelector(".cb-rf-frame");
  const unit = svg.querySelector(".cb-rf-unit");
  const cone = svg.querySelector(".cb-rf-cone");
  return [...svg.querySelectorAll("g.cb-rf-input, g.cb-rf-output")].map((row) => {
    const digits = [...row.querySelectorAll(".cb-rf-digits text")].map((text) => ({
      index: Number(text.textContent),
      point: Object.assign(svg.createSVGPoint(), {
        x: Number(text.getAttribute("x")), y: Number(text.getAttribute("y")),
      }),
    }));
    const within = (path) =>
      digits.filter(({ point }) => path.isPointInFill(point)).map(({ index }) => index);
    return {
      indices: digits.map(({ index }) => index),
      places: digits.map(({ point }) => point.x),
      cells: within(row.querySelector(".cb-rf-cells")),
      lit: within(row.querySelector(".cb-rf-lit")),
      framed: within(frame), unit: within(unit), cone: within(cone),
      later: row.classList.contains("cb-rf-later"),
    };
  });
}"""

DRAWN_STACKS = {
    "two": ([Layer(3)] * 2, 9),
    "padded": ([Layer(3, padding=1)] * 3, 8),
    "strided": ([Layer(3, stride=2, padding=1), Layer(3, padding=1), Layer(2, stride=2)], 16),
    "holes": ([Layer(3, dilation=2), Layer(2, padding=1, dilation=3)], 12),
    "unread": ([Layer(1, stride=3), Layer(2)], 14),
}


@pytest.mark.parametrize("name", DRAWN_STACKS)
def test_what_is_drawn_is_what_is_computed(name, open_page):
    layers, size = DRAWN_STACKS[name]
    explorer = ReceptiveFieldExplorer(layers, input_size=size)
    page = open_page(explorer)
    sizes = [size, *explorer.output_sizes]
    for layer in range(1, len(layers) + 1):
        for output in range(sizes[layer]):
            slide(page, "Layer", layer)
            slide(page, "Output", output)
            rows = page.evaluate(DRAWN)
            assert [row["indices"] for row in rows] == [list(range(n)) for n in sizes]
            field = explorer.fields[layer - 1]
            first = field.start + output * field.jump
            seen = [i for i in range(size) if first <= i < first + field.size]
            assert rows[0]["framed"] == seen
            for level, row in enumerate(rows):
                assert row["cells"] == row["indices"]
                assert row["later"] == (level > layer)
                above = layers[level:layer]
                rest = explorer_with(above, sizes[level]) if above else None
                read = rest.pixels_read(len(above), output) if rest else [output]
                assert row["lit"] == ([] if level > layer else read)
                assert row["unit"] == ([output] if level == layer else [])
                assert set(read if level <= layer else []) <= set(row["cone"])
                if level:
                    assert row["framed"] == []


def test_indices_are_right_where_the_drawing_ends(open_page):
    # Layer 2 reaches so far out that a scale for both would leave little for layer 1.
    explorer = ReceptiveFieldExplorer(
        [Layer(1), Layer(1, padding=20)], input_size=8, selected=(1, 0)
    )
    pixels, outputs, padded = (
        dict(zip(row["indices"], row["places"], strict=True))
        for row in open_page(explorer).evaluate(DRAWN)
    )
    assert list(pixels) == list(outputs) == list(range(8))
    assert set(range(20, 28)) <= set(padded) < set(range(10, 40))
    assert all(padded[20 + index] == place for index, place in pixels.items())


def boxes(page, *paths):
    """The boxes of paths, without their strokes."""
    return [
        page.locator(path).first.evaluate(
            "(path) => { const b = path.getBBox(); return [b.x, b.y, b.width, b.height]; }"
        )
        for path in paths
    ]


@pytest.mark.parametrize("preset", ["alexnet", "vgg16", "resnet18", "dilation"])
@pytest.mark.parametrize("width", [360, 760])
def test_large_stacks_are_drawn_to_scale(preset, width, open_page):
    explorer = ReceptiveFieldExplorer(preset=preset)
    page = open_page(explorer, width=width)
    for output in (0, explorer.output_sizes[-1] - 1):
        slide(page, "Output", output)
        field = explorer.fields[-1]
        first = field.start + output * field.jump
        for figure, grown in ((".cb-rf-section", 3), (".cb-rf-plane", 0)):
            cells, frame = boxes(page, f"{figure} .cb-rf-cells", f"{figure} .cb-rf-frame")
            pixel = cells[2] / explorer.input_size
            assert frame[0] + grown == pytest.approx(cells[0] + first * pixel, abs=0.1)
            assert frame[2] - 2 * grown == pytest.approx(field.size * pixel, abs=0.1)
            if figure == ".cb-rf-plane":
                middle = (explorer.output_sizes[-1] - 1) // 2
                down = field.start + middle * field.jump
                assert frame[1] == pytest.approx(cells[1] + down * pixel, abs=0.1)
                assert (cells[3], frame[3]) == pytest.approx((cells[2], frame[2]), abs=0.1)
                drawn = page.locator(".cb-rf-plane").bounding_box()
                assert min(frame[:2]) >= 0
                assert frame[1] + frame[3] <= drawn["height"]
                assert frame[0] + frame[2] <= drawn["width"]


def test_the_plane_lights_what_is_read_in_both_directions(open_page):
    explorer = ReceptiveFieldExplorer([Layer(3, dilation=2)] * 2, input_size=10)
    page = open_page(explorer)
    read = explorer.pixels_read(2, 0)
    assert read == [0, 2, 4, 6, 8]
    assert explorer.selected == (2, 0)
    lit = page.evaluate(
        """(size) => {
          const svg = document.querySelector(".cb-rf-plane");
          const cells = svg.querySelector(".cb-rf-cells").getBBox();
          const path = svg.querySelector(".cb-rf-lit");
          const places = Array.from({ length: size }, (_, i) => (i + 0.5) / size);
          const inside = (row, col) => path.isPointInFill(Object.assign(svg.createSVGPoint(), {
            x: cells.x + places[col] * cells.width, y: cells.y + places[row] * cells.height,
          }));
          return places.map((_, row) => places.map((_, col) => inside(row, col)));
        }""",
        10,
    )
    assert lit == [[row in read and col in read for col in range(10)] for row in range(10)]


# ------------------------------------------------------------------ editing


def test_settings_are_edited(open_page):
    page = open_page(ReceptiveFieldExplorer())
    setting(page, "Stride", 1).fill("2")
    setting(page, "Padding", 1).fill("1")
    setting(page, "Dilation", 2).fill("2")
    setting(page, "Kernel size", 2).fill("2")
    page.get_by_role("spinbutton", name="Input size").fill("32")
    expected = ReceptiveFieldExplorer([Layer(3, 2, 1), Layer(2, 1, 0, 2)], input_size=32)
    expected.rows = [["conv1", 3, 2, 1, 1], ["conv2", 2, 1, 0, 2]]
    assert_shows(page, expected)  # the output in the middle stayed in the middle
    assert state(page, "input_size") == 32
    assert page.locator('.cb-preset[aria-pressed="true"]').count() == 0
    assert page.evaluate("models[0].saved") > 0


@pytest.mark.parametrize("text", ["", "0", "33", "-1", "2.5", "1e1"])
def test_what_is_no_number_changes_nothing_and_is_said(text, open_page):
    page = open_page(ReceptiveFieldExplorer())
    field = setting(page, "Kernel size", 2)
    field.fill(text)
    assert settings_of(page) == [[3, 1, 0, 1]] * 2
    assert field.get_attribute("aria-invalid") == "true"
    warning = "Kernel size of layer 2: use a whole number from 1 to 32."
    assert page.locator(".cb-warning").inner_text() == warning
    field.blur()
    assert field.input_value() == "3"
    assert field.get_attribute("aria-invalid") is None
    assert page.locator(".cb-warning").inner_text() == ""


def test_a_kernel_that_does_not_fit_says_so_beside_its_row(open_page):
    page = open_page(ReceptiveFieldExplorer([Layer(3)] * 3, input_size=9))
    setting(page, "Kernel size", 2).fill("9")
    expected = explorer_with([Layer(3), Layer(9), Layer(3)], 9)
    expected.selected = (3, 1)
    assert expected.summary.startswith("Output 1 of layer 1")
    assert_shows(page, expected)
    assert "kernel_size=9 is larger than the padded input 7+2*0" in expected.problem
    row = page.locator(".cb-rf-row").nth(2)
    assert row.evaluate("(row) => row.nextElementSibling.textContent") == expected.problem
    setting(page, "Kernel size", 2).fill("3")
    assert_shows(page, ReceptiveFieldExplorer([Layer(3)] * 3, input_size=9))
    setting(page, "Kernel size", 1).fill("10")
    assert summary_of(page) == "No layer has an output."
    assert facts_of(page) == [DASH] * 4
    assert page.locator(".cb-rf-section .cb-rf-frame").get_attribute("d") == ""


def test_layers_are_added_moved_and_removed(open_page):
    page = open_page(ReceptiveFieldExplorer([Layer(5), Layer(3)], input_size=20))
    press(page, "Add a layer")
    assert settings_of(page) == [[5, 1, 0, 1], [3, 1, 0, 1], [3, 1, 0, 1]]
    assert_shows(page, ReceptiveFieldExplorer([Layer(5), Layer(3), Layer(3)], input_size=20))
    setting(page, "Stride", 3).fill("2")
    press(page, "Move up layer 3")
    assert state(page, "selected")[0] == 2
    assert settings_of(page) == [[5, 1, 0, 1], [3, 2, 0, 1], [3, 1, 0, 1]]
    press(page, "Move up layer 2")
    assert settings_of(page)[0] == [3, 2, 0, 1]
    assert page.get_by_role("button", name="Move up layer 1").is_disabled()
    press(page, "Move down layer 1")
    assert settings_of(page)[1] == [3, 2, 0, 1]
    press(page, "Add a layer")  # after the one shown
    assert state(page, "selected")[0] == 3
    press(page, "Remove layer 3")
    press(page, "Remove layer 3")
    press(page, "Remove layer 2")
    assert settings_of(page) == [[5, 1, 0, 1]]
    assert page.get_by_role("button", name="Remove layer 1").is_disabled()
    assert_shows(page, ReceptiveFieldExplorer([Layer(5)], input_size=20))


def test_there_are_forty_layers_at_most(open_page):
    page = open_page(ReceptiveFieldExplorer([Layer(1)] * 39, input_size=9))
    press(page, "Add a layer")
    assert len(state(page, "rows")) == 40
    assert page.get_by_role("button", name="Add a layer").is_disabled()


def test_presets_and_reset(open_page):
    first = ReceptiveFieldExplorer([Layer(3, padding=1)], input_size=7, selected=(1, 2))
    page = open_page(first)
    for key, stack in PRESETS.items():
        press(page, stack.label)
        assert_shows(page, ReceptiveFieldExplorer(preset=key))
        assert page.locator('.cb-preset[aria-pressed="true"]').inner_text() == stack.label
        assert page.locator(".cb-rf-note").inner_text() == stack.note
    press(page, "Reset")
    assert_shows(page, first)
    assert state(page, "selected") == [1, 2]
    assert page.locator(".cb-rf-note").inner_text().startswith("Your own stack.")


def test_sliders_move_the_field_by_the_jump(open_page):
    page = open_page(ReceptiveFieldExplorer(preset="stride"))
    slide(page, "Output", 0)
    starts = []
    for _ in range(4):
        starts.append(int(page.locator(".cb-rf-span").text_content().split()[1]))
        page.get_by_role("slider", name=re.compile("^Output")).press("ArrowRight")
    assert starts == [0, 2, 4, 6]
    assert state(page, "selected") == [3, 3]  # the last one: the slider ends there
    slide(page, "Layer", 1)
    assert state(page, "selected") == [1, 3]
    assert_shows(page, ReceptiveFieldExplorer(preset="stride", selected=(1, 3)))
    page.get_by_role("radio", name="Show layer 2").check()
    assert state(page, "selected") == [2, 2]


def test_an_output_that_was_not_in_the_middle_stays(open_page):
    page = open_page(ReceptiveFieldExplorer(selected=(2, 0)))
    setting(page, "Padding", 1).fill("1")
    assert state(page, "selected") == [2, 0]
    assert "sees input pixels −1 to 3" in summary_of(page)


def test_a_press_on_the_drawing_chooses(open_page):
    page = open_page(ReceptiveFieldExplorer())
    digits = page.locator(".cb-rf-digits")
    digits.nth(1).get_by_text("5", exact=True).click(force=True)
    assert state(page, "selected") == [1, 5]
    digits.nth(2).get_by_text("0", exact=True).click(force=True)
    assert state(page, "selected") == [2, 0]
    # On the input, the output of the same layer whose field has it in the middle.
    digits.nth(0).get_by_text("5", exact=True).click(force=True)
    assert state(page, "selected") == [2, 3]
    plane = page.locator(".cb-rf-plane").bounding_box()
    page.mouse.click(plane["x"] + 4 + 2.5 * 22, plane["y"] + 100)
    assert state(page, "selected") == [2, 0]


def test_dragging_moves_the_field_along_its_row(open_page):
    page = open_page(ReceptiveFieldExplorer())
    row = page.locator(".cb-rf-digits").nth(2)
    start = row.get_by_text("0", exact=True).bounding_box()
    end = row.get_by_text("4", exact=True).bounding_box()
    page.mouse.move(start["x"] + 3, start["y"] + 3)
    page.mouse.down()
    chosen = []
    for step in range(5):
        share = step / 4
        page.mouse.move(start["x"] + 3 + share * (end["x"] - start["x"]), start["y"] - 90 * share)
        chosen.append(state(page, "selected"))
    page.mouse.up()
    page.mouse.move(start["x"], start["y"])
    assert chosen == [[2, 0], [2, 1], [2, 2], [2, 3], [2, 4]]
    assert state(page, "selected") == [2, 4]


def test_copy(open_page):
    explorer = ReceptiveFieldExplorer(preset="assignment")
    page = open_page(explorer)
    read = "navigator.clipboard.readText()"
    for name, start in [
        ("Copy the line", explorer.code),
        ("Copy script", "from convbook.arithmetic import Layer, receptive_field"),
        ("Copy link", HOME + explorer.fragment),
    ]:
        page.get_by_role("button", name=name).click()
        page.wait_for_function(
            f"(start) => {read}.then((text) => text.startsWith(start))", arg=start
        )
    page.get_by_text("Copied").wait_for()


# ------------------------------------------------------------------ the page's address


def address(page):
    return page.evaluate("location.href").removeprefix(HOME)


def test_edits_are_kept_in_the_address_but_not_in_the_history(open_page):
    # A page of its own, by its time zone: a used one's history may be full, which is 50 entries.
    page = open_page(ReceptiveFieldExplorer(), timezone_id="Etc/UTC")
    assert address(page) == ""
    length = page.evaluate("history.length")
    assert length < 10
    setting(page, "Stride", 1).fill("2")
    assert address(page) == "#rf=9;3.2.0.1,3.1.0.1"
    slide(page, "Output", 0)
    assert address(page) == "#rf=9;3.2.0.1,3.1.0.1"
    press(page, "AlexNet")
    assert address(page) == ReceptiveFieldExplorer(preset="alexnet").fragment
    assert page.evaluate("history.length") == length
    press(page, "Reset")
    assert address(page) == ""


def test_a_link_brings_the_stack_back_and_into_view(open_page):
    layers = [Layer(3, 2, 1), Layer(2, 1, 0, 3)]
    expected = ReceptiveFieldExplorer(layers, input_size=32)
    page = open_page(ReceptiveFieldExplorer(), fragment=expected.fragment)
    assert_shows(page, expected)
    assert state(page, "selected") == list(expected.selected)
    assert page.locator(".cb-message").inner_text() == ""
    page.wait_for_function("scrollY > 0")
    # A preset comes back with its names.
    page.evaluate(f"location.hash = '{ReceptiveFieldExplorer(preset='resnet18').fragment}'")
    page.wait_for_function("document.querySelectorAll('.cb-rf-row').length > 10")
    assert_shows(page, ReceptiveFieldExplorer(preset="resnet18"))


def test_signs_escaped_on_the_way_are_understood(open_page):
    page = open_page(ReceptiveFieldExplorer(), fragment="#rf=20%3B3.1.1.1%2C5.1.0.1")
    assert settings_of(page) == [[3, 1, 1, 1], [5, 1, 0, 1]]


@pytest.mark.parametrize("fragment", ["", "#", "#section", "#rf", "#rf2=9;1.1.0.1", "#%E0%A4%A"])
def test_other_fragments_are_left_alone(fragment, open_page):
    page = open_page(ReceptiveFieldExplorer(), fragment=fragment)
    assert_shows(page, ReceptiveFieldExplorer())
    assert page.locator(".cb-message").inner_text() == ""


@pytest.mark.parametrize(
    ("fragment", "words"),
    [
        ("#rf=", "the input size must be 1 to 2048"),
        ("#rf=0;3.1.1.1", "the input size must be 1 to 2048"),
        ("#rf=9", "layer 1 must be 4 numbers with points between"),
        ("#rf=9;", "layer 1 must be 4 numbers"),
        ("#rf=9;3.1.1", "layer 1 must be 4 numbers"),
        ("#rf=9;3.1.1.1,", "layer 2 must be 4 numbers"),
        ("#rf=9;3.1.1.1;3.1.1.1", "it must list 1 to 40 layers"),
        ("#rf=9;" + ",".join(["1.1.0.1"] * 41), "it must list 1 to 40 layers"),
        ("#rf=9;3.1.1.1,33.1.1.1", "kernel_size of layer 2 must be 1 to 32"),
        ("#rf=9;3.0.1.1", "stride of layer 1 must be 1 to 16"),
        ("#rf=9;3.1.-1.1", "padding of layer 1 must be 0 to 512"),
        ("#rf=9;3.1.1.999999999999", "dilation of layer 1 must be 1 to 512"),
        ("#rf=9;<b>.1.1.1", "kernel_size of layer 1"),
        ("#rf=9;%E0%A4%A.1.1.1", "kernel_size of layer 1"),
    ],
)
def test_bad_links_are_explained_and_change_nothing(fragment, words, open_page):
    page = open_page(ReceptiveFieldExplorer(), fragment=fragment)
    assert_shows(page, ReceptiveFieldExplorer())
    message = page.locator(".cb-message").inner_text()
    assert message.startswith("The stack in this page's address cannot be shown: ")
    assert words in message
    setting(page, "Stride", 1).fill("2")
    assert page.locator(".cb-message").inner_text() == ""


def test_a_link_whose_kernel_does_not_fit_is_shown_with_its_reason(open_page):
    page = open_page(ReceptiveFieldExplorer(), fragment="#rf=5;3.1.0.1,7.1.0.1")
    assert page.locator(".cb-rf-problem").inner_text() == (
        "Layer 2 (conv): kernel_size=7 is larger than the padded input 3+2*0; "
        "use padding>=2 or a smaller kernel"
    )


def test_a_second_explorer_has_an_address_of_its_own(open_page):
    page = open_page(ReceptiveFieldExplorer(), ReceptiveFieldExplorer(), fragment="#rf2=7;3.1.1.1")
    sizes = "models.map((model) => model.get('input_size'))"
    assert page.evaluate(sizes) == [9, 7]
    page.get_by_role("spinbutton", name="Input size").last.fill("8")
    assert address(page) == "#rf2=8;3.1.1.1"
    assert page.evaluate(sizes) == [9, 8]
    page.get_by_role("radio", name="Show layer 1").first.check()
    assert page.get_by_role("radio", name="Show layer 1").last.is_checked()


def test_a_notebook_keeps_its_own_address(open_page):
    page = open_page(ReceptiveFieldExplorer(), fragment="#rf=7;3.1.1.1")
    page.evaluate(
        """async () => {
          const module = await import("./receptive_field.js");
          const el = document.createElement("div");
          document.querySelector("main").replaceChildren(el); // no host around it
          models[0].set("rows", [["conv", 3, 1, 0, 1]]);
          module.default.render({ model: models[0], el });
        }"""
    )
    assert settings_of(page) == [[3, 1, 0, 1]]
    setting(page, "Stride", 1).fill("2")
    assert address(page) == "#rf=7;3.1.1.1"
    assert page.get_by_role("button", name="Copy link").count() == 0
    assert page.locator(".cb-rf-note").inner_text() == "Your own stack."


# ------------------------------------------------------------------ keyboard, host and kernel


def test_tab_reaches_every_control(open_page, tab_stops):
    page = open_page(ReceptiveFieldExplorer())
    stops = tab_stops(page)
    settings = [
        f"{name} of layer {layer}"
        for layer in (1, 2)
        for name in ("Kernel size", "Stride", "Padding", "Dilation")
    ]
    for name in [*settings, "Move up layer 2", "Remove layer 2", "Add a layer", "Copy link"]:
        assert name in stops
    for name in ["Reset", "Input size", "Layer", "Output", "Show layer 2", "Copy the line"]:
        assert any(name in stop for stop in stops)
    # The move down is off; one stop for all radio buttons.
    assert len(stops) == len(PRESETS) + 1 + 3 + 1 + 8 + 2 + 1 + 3


def test_the_keyboard_edits_the_stack(open_page):
    page = open_page(ReceptiveFieldExplorer())
    setting(page, "Kernel size", 1).focus()
    page.keyboard.press("ArrowUp")
    assert settings_of(page)[0] == [4, 1, 0, 1]
    page.get_by_role("radio", name="Show layer 2").focus()
    page.keyboard.press("ArrowUp")
    assert state(page, "selected")[0] == 1
    page.get_by_role("button", name="Move down layer 1").focus()
    page.keyboard.press("Enter")
    assert settings_of(page) == [[3, 1, 0, 1], [4, 1, 0, 1]]
    # Down there, the button is off, and the focus rests on the row.
    focused = "document.activeElement.getAttribute('aria-label')"
    assert page.evaluate(focused) == "Show layer 2"
    page.get_by_role("button", name="Remove layer 2").focus()
    page.keyboard.press("Space")
    assert settings_of(page) == [[3, 1, 0, 1]]
    assert page.evaluate(focused) == "Show layer 1"


def test_changes_from_a_kernel_are_drawn(open_page):
    page = open_page(ReceptiveFieldExplorer())
    setting(page, "Kernel size", 1).focus()
    explorer = ReceptiveFieldExplorer([Layer(5, 2, 2)], input_size=12, selected=(1, 1))
    page.evaluate(
        SET,
        {"rows": explorer.rows, "input_size": 12, "selected": [1, 1]},
    )
    assert_shows(page, explorer)
    assert address(page) == ""  # what a kernel does is no reader's edit


def test_cleanup_lets_go_of_the_address(open_page):
    page = open_page(ReceptiveFieldExplorer())
    page.evaluate("cleanups[0]()")
    page.evaluate("location.hash = '#rf=7;1.1.0.1'")
    page.evaluate("new Promise((done) => setTimeout(done, 50))")
    assert state(page, "input_size") == 9


# ------------------------------------------------------------------ accessibility and space

CASES = {
    "default": ReceptiveFieldExplorer,
    "padded": lambda: ReceptiveFieldExplorer([Layer(3, padding=1)] * 3, input_size=8),
    "resnet18": lambda: ReceptiveFieldExplorer(preset="resnet18"),
    "problem": lambda: explorer_with([Layer(3), Layer(9), Layer(3)], 9),
}


@pytest.mark.parametrize("width", [320, 360, 584, 666, 690, 760, 1000])
def test_every_stack_fits(width, open_page, assert_fits):
    page = open_page(ReceptiveFieldExplorer(), width=width)
    for stack in PRESETS.values():
        press(page, stack.label)
        assert_fits(page)
    for case in CASES.values():
        page.evaluate(SET, {"rows": case().rows})
        assert_fits(page)


def test_a_phone_opens_the_layer_shown(open_page):
    page = open_page(ReceptiveFieldExplorer(), width=360)
    assert setting(page, "Stride", 2).is_visible()
    assert not setting(page, "Stride", 1).is_visible()
    page.get_by_role("radio", name="Show layer 1").check()
    assert setting(page, "Stride", 1).is_visible()
    assert page.locator(".cb-rf-shown .cb-field .cb-name").first.is_visible()
