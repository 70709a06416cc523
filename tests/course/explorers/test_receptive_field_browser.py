"""The receptive-field explorer in a real browser: drawing, table, pointer, address, keyboard."""

import re

import pytest

from convbook.arithmetic import Layer
from convbook.course.explorers import ReceptiveFieldExplorer
from convbook.course.explorers.stacks import PRESETS
from tests.helpers.explorer_pages import SET
from tests.helpers.javascript import module
from tests.helpers.receptive_fields import explorer_with, pixels_read

pytestmark = pytest.mark.browser

HOME = "https://explorers.test/"
MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
LABELS = {p["key"]: p["label"] for p in module("parts/receptive_field_stacks.js").PRESETS()}


def table_of(page):
    """The texts of each row, with the numbers of the fields in the row that is shown."""
    return page.evaluate(
        """() => [...document.querySelectorAll('[role=table] [role=row]')].slice(1).map((row) => ({
          name: row.querySelector("label span").textContent,
          values: [...row.querySelectorAll("[role=cell]")].map((cell) =>
            cell.querySelector("input")?.value ?? cell.textContent),
          fields: row.querySelectorAll("input[type=number]").length,
          checked: row.querySelector("input[type=radio]").checked,
        }))"""
    )


def summary_of(page):
    return page.locator(".cb-rf-summary").inner_text()


def problem_of(page):
    return page.locator(".cb-stack [role=status]").inner_text()


def slide(page, label, value):
    page.get_by_role("slider", name=re.compile(f"^{label}")).fill(str(value))


def choose(page, layer):
    page.get_by_role("radio", name=f"Show layer {layer}", exact=True).check()


def setting(page, name, layer):
    return page.get_by_role("spinbutton", name=f"{name} of layer {layer}")


def state(page, name):
    return page.evaluate("(name) => models[0].get(name)", name)


def settings_of(page):
    return [row[1:] for row in state(page, "rows")]


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def address(page):
    return page.evaluate("location.href").removeprefix(HOME)


def assert_shows(page, explorer):
    """The page shows this explorer: its table, its sentence, its line, its recurrence."""
    expected = zip(explorer.rows, explorer.output_sizes, explorer.fields, strict=True)
    for got, ((name, *settings), size, field) in zip(table_of(page), expected, strict=True):
        values = [DASH] * 4 if field is None else [size, *field]
        assert got["name"] == name
        assert got["values"] == [str(n).replace("-", MINUS) for n in [*settings, *values]]
        assert got["fields"] == 4 * got["checked"]  # what is shown can be edited
    fitting = [size for size in explorer.output_sizes if size]
    assert page.locator(".cb-code").inner_text() == explorer.code
    assert problem_of(page) == (explorer.problem or "")
    if fitting:
        layer = min(explorer.selected[0], len(fitting))
        output = min(explorer.selected[1], fitting[layer - 1] - 1)
        assert summary_of(page).startswith(f"Output {output} of layer {layer} sees")
        results = page.locator(".cb-rf-step").all_inner_texts()
        found = [text.splitlines()[0].split(" = ")[-1].replace(MINUS, "-") for text in results]
        assert [*map(int, found)] == [*explorer.fields[layer - 1]]


def test_default_shows_that_two_layers_see_five_pixels(open_page):
    page = open_page(ReceptiveFieldExplorer())
    assert page.locator(".cb-static").count() == 0
    assert_shows(page, ReceptiveFieldExplorer())
    assert summary_of(page) == "Output 2 of layer 2 sees input pixels 2 to 6: 5 pixels."
    counts = page.locator(".cb-rf-count").all_text_contents()
    assert counts == ["5 pixels", "3 outputs", "1 output"]
    assert page.locator(".cb-rf-span").text_content() == "pixels 2 to 6"
    assert page.locator(".cb-rf-caption").inner_text() == "5 × 5 pixels"
    assert page.get_by_role("button", name="Two 3×3").get_attribute("aria-pressed") == "true"


# ------------------------------------------------------------------ the drawing

# For each row of the cross-section: which of its indices lie in the lit cells, in the padding that
# is read, and inside the field's frame, as far as the drawing goes.
DRAWN = """() => {
  const svg = document.querySelector(".cb-rf-section");
  const [frame, unit, cone] =
    ["frame", "unit", "cone"].map((name) => svg.querySelector(`.cb-rf-${name}`));
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
            page.evaluate(SET, {"selected": [layer, output]})
            rows = page.evaluate(DRAWN)
            assert [row["indices"] for row in rows] == [list(range(n)) for n in sizes]
            field = explorer.fields[layer - 1]
            first = field.start + output * field.jump
            assert rows[0]["framed"] == [i for i in range(size) if first <= i < first + field.size]
            for level, row in enumerate(rows):
                read = []
                if level <= layer:
                    read = pixels_read(layers[level:layer], sizes[level], output)
                assert row["cells"] == row["indices"]
                assert row["later"] == (level > layer)
                assert row["lit"] == read
                assert row["unit"] == ([output] if level == layer else [])
                assert set(read) <= set(row["cone"])
                assert not level or row["framed"] == []


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
    size = "(path) => { const b = path.getBBox(); return [b.x, b.y, b.width, b.height]; }"
    return [page.locator(path).first.evaluate(size) for path in paths]


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
        # In the plane the output stands in the middle row, and nothing is cut off.
        down = field.start + (explorer.output_sizes[-1] - 1) // 2 * field.jump
        assert frame[1] == pytest.approx(cells[1] + down * pixel, abs=0.1)
        assert (cells[3], frame[3]) == pytest.approx((cells[2], frame[2]), abs=0.1)
        drawn = page.locator(".cb-rf-plane").bounding_box()
        assert min(frame[:2]) >= 0
        assert frame[1] + frame[3] <= drawn["height"]


def test_the_plane_lights_what_is_read_in_both_directions(open_page):
    layers = [Layer(3, dilation=2)] * 2
    page = open_page(ReceptiveFieldExplorer(layers, input_size=10))
    read = pixels_read(layers, 10, 0)
    assert read == [0, 2, 4, 6, 8]
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


# ------------------------------------------------------------------ the pointer


def middle_of(page, level, index):
    """The middle of a cell of the cross-section, on the screen."""
    digit = page.locator(".cb-rf-digits").nth(level).get_by_text(str(index), exact=True)
    box = digit.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_mouse_above_an_output_shows_its_field(open_page):
    page = open_page(ReceptiveFieldExplorer())
    live = "document.querySelector('.cb-rf-summary').ariaLive"
    before = summary_of(page)
    for level, index, words in [
        (1, 5, "Output 5 of layer 1 sees input pixels 5 to 7"),
        (2, 0, "Output 0 of layer 2 sees input pixels 0 to 4"),
        (0, 5, "Output 3 of layer 2 sees input pixels 3 to 7"),  # which has it in the middle
    ]:
        page.mouse.move(*middle_of(page, level, index))
        assert summary_of(page).startswith(words)
        assert page.evaluate(live) == "off"  # a screen reader need not hear of the mouse
        assert state(page, "selected") == [2, 2]
    x, y = middle_of(page, 2, 0)
    page.mouse.move(x - 60, y)  # beside the outputs
    assert summary_of(page) == before
    page.mouse.move(x, y)
    slide(page, "Output", 1)  # what the keyboard chooses counts, wherever the mouse rests
    assert summary_of(page).startswith("Output 1 of layer 2")
    plane = page.locator(".cb-rf-plane").bounding_box()
    page.mouse.move(plane["x"] + 4 + 2.5 * 20, plane["y"] + 50)
    assert summary_of(page).startswith("Output 0 of layer 2")
    page.mouse.move(0, 0)
    assert summary_of(page).startswith("Output 1 of layer 2")


def test_a_press_on_the_drawing_chooses(open_page):
    page = open_page(ReceptiveFieldExplorer())
    for level, index, selected in [(1, 5, [1, 5]), (2, 0, [2, 0]), (0, 5, [2, 3])]:
        page.mouse.click(*middle_of(page, level, index))
        assert state(page, "selected") == selected
    plane = page.locator(".cb-rf-plane").bounding_box()
    page.mouse.click(plane["x"] + 4 + 2.5 * 20, plane["y"] + 50)
    assert state(page, "selected") == [2, 0]


def test_dragging_moves_the_field_along_its_row(open_page):
    page = open_page(ReceptiveFieldExplorer())
    (x, y), (end, _) = middle_of(page, 2, 0), middle_of(page, 2, 4)
    page.mouse.move(x, y)
    page.mouse.down()
    chosen = []
    for step in range(5):
        page.mouse.move(x + step / 4 * (end - x), y - 90 * step / 4)
        chosen.append(state(page, "selected"))
    page.mouse.up()
    page.mouse.move(x, y)
    assert chosen == [[2, 0], [2, 1], [2, 2], [2, 3], [2, 4]]
    assert state(page, "selected") == [2, 4]


# ------------------------------------------------------------------ editing


def test_settings_are_edited(open_page):
    page = open_page(ReceptiveFieldExplorer())
    setting(page, "Dilation", 2).fill("2")
    setting(page, "Kernel size", 2).fill("2")
    choose(page, 1)
    setting(page, "Stride", 1).fill("2")
    setting(page, "Padding", 1).fill("1")
    page.get_by_role("spinbutton", name="Input size").fill("32")
    expected = ReceptiveFieldExplorer([Layer(3, 2, 1), Layer(2, 1, 0, 2)], input_size=32)
    expected.rows = [["conv1", 3, 2, 1, 1], ["conv2", 2, 1, 0, 2]]
    expected.selected = (1, 7)
    assert_shows(page, expected)  # the output in the middle stayed in the middle
    assert page.locator('.cb-preset[aria-pressed="true"]').count() == 0
    assert page.evaluate("models[0].saved") > 0
    # A press on a number brings its field.
    press(page, "Two 3×3")
    page.get_by_role("row").nth(1).get_by_role("cell").nth(1).click()
    assert state(page, "selected") == [1, 3]
    page.keyboard.press("ArrowUp")
    assert settings_of(page)[0] == [3, 2, 0, 1]


@pytest.mark.parametrize("text", ["", "0", "33", "2.5"])
def test_what_is_no_number_changes_nothing_and_is_said(text, open_page):
    page = open_page(ReceptiveFieldExplorer())
    field = setting(page, "Kernel size", 2)
    field.fill(text)
    assert settings_of(page) == [[3, 1, 0, 1]] * 2
    assert field.get_attribute("aria-invalid") == "true"
    assert problem_of(page) == "Kernel size of layer 2: use a whole number from 1 to 32."
    field.blur()
    assert (field.input_value(), problem_of(page)) == ("3", "")


def test_a_kernel_that_does_not_fit_says_so(open_page):
    page = open_page(ReceptiveFieldExplorer([Layer(3)] * 3, input_size=9, selected=(2, 2)))
    setting(page, "Kernel size", 2).fill("9")
    expected = explorer_with([Layer(3), Layer(9), Layer(3)], 9)
    expected.selected = (2, 0)
    assert_shows(page, expected)
    assert "kernel_size=9 is larger than the padded input 7+2*0" in problem_of(page)
    assert summary_of(page).startswith("Output 0 of layer 1")
    setting(page, "Kernel size", 2).fill("3")
    assert_shows(page, ReceptiveFieldExplorer([Layer(3)] * 3, input_size=9, selected=(2, 2)))
    choose(page, 1)
    setting(page, "Kernel size", 1).fill("10")
    assert summary_of(page) == "No layer has an output."
    assert page.locator(".cb-rf-caption").is_hidden()
    assert not page.locator(".cb-rf-section .cb-rf-frame").is_visible()
    page.mouse.click(*middle_of(page, 0, 5))  # nothing to choose
    assert page.locator(".cb-rf-step").count() == 0


def test_an_output_that_was_not_in_the_middle_stays(open_page):
    page = open_page(ReceptiveFieldExplorer(selected=(2, 0)))
    setting(page, "Padding", 2).fill("1")
    assert state(page, "selected") == [2, 0]
    assert "sees input pixels −1 to 3" in summary_of(page)


def test_layers_are_added_moved_and_removed(open_page):
    page = open_page(ReceptiveFieldExplorer([Layer(5), Layer(3)], input_size=20))
    press(page, "Add a layer")
    assert_shows(page, ReceptiveFieldExplorer([Layer(5), Layer(3), Layer(3)], input_size=20))
    setting(page, "Stride", 3).fill("2")
    press(page, "Move up layer 3")
    assert state(page, "selected")[0] == 2
    press(page, "Move up layer 2")
    assert settings_of(page) == [[3, 2, 0, 1], [5, 1, 0, 1], [3, 1, 0, 1]]
    assert page.get_by_role("button", name="Move up layer 1").is_disabled()
    press(page, "Move down layer 1")
    assert settings_of(page)[1] == [3, 2, 0, 1]
    press(page, "Add a layer")  # after the one shown
    assert state(page, "selected")[0] == 3
    for number in (3, 3, 2):
        press(page, f"Remove layer {number}")
    assert settings_of(page) == [[5, 1, 0, 1]]
    assert page.get_by_role("button", name="Remove layer 1").is_disabled()
    assert_shows(page, ReceptiveFieldExplorer([Layer(5)], input_size=20))
    page.evaluate(SET, {"rows": [["conv", 1, 1, 0, 1]] * 39})
    press(page, "Add a layer")
    assert len(state(page, "rows")) == 40
    assert page.get_by_role("button", name="Add a layer").is_disabled()


def test_presets_and_reset(open_page):
    first = ReceptiveFieldExplorer([Layer(3, padding=1)], input_size=7, selected=(1, 2))
    page = open_page(first)
    for key, label in LABELS.items():
        press(page, label)
        assert_shows(page, ReceptiveFieldExplorer(preset=key))
        assert page.locator('.cb-preset[aria-pressed="true"]').inner_text() == label
        # Numbers alone say which preset it is.
        page.evaluate(SET, {"rows": [["x", *row[1:]] for row in PRESETS[key].rows]})
        assert page.locator('.cb-preset[aria-pressed="true"]').inner_text() == label
    press(page, "Reset")
    assert_shows(page, first)
    assert (state(page, "selected"), address(page)) == ([1, 2], "")


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
    assert_shows(page, ReceptiveFieldExplorer(preset="stride", selected=(1, 3)))
    choose(page, 2)
    assert state(page, "selected") == [2, 2]


# ------------------------------------------------------------------ the page's address


def test_edits_are_kept_in_the_address_but_not_in_the_history(open_page):
    # A page of its own, by its time zone: a used one's history may be full, which is 50 entries.
    page = open_page(ReceptiveFieldExplorer(), timezone_id="Etc/UTC")
    length = page.evaluate("history.length")
    assert length < 10
    slide(page, "Output", 0)
    assert address(page) == ""  # it holds the stack, not what is selected
    setting(page, "Stride", 2).fill("2")
    assert address(page) == "#rf=9;3.1.0.1,3.2.0.1"
    press(page, "AlexNet")
    assert address(page) == ReceptiveFieldExplorer(preset="alexnet").fragment
    assert page.evaluate("history.length") == length


def test_a_link_brings_the_stack_back_and_into_view(open_page):
    layers = [Layer(3, 2, 1), Layer(2, 1, 0, 3)]
    expected = ReceptiveFieldExplorer(layers, input_size=32)
    page = open_page(ReceptiveFieldExplorer(), fragment=expected.fragment)
    assert_shows(page, expected)
    assert state(page, "selected") == list(expected.selected)
    page.wait_for_function("scrollY > 0")
    # A preset comes back with its names.
    page.evaluate(f"location.hash = '{ReceptiveFieldExplorer(preset='resnet18').fragment}'")
    page.wait_for_function("document.querySelectorAll('[role=row]').length > 10")
    assert_shows(page, ReceptiveFieldExplorer(preset="resnet18"))
    page.evaluate("location.hash = '#rf=9;3.0.1.1'")
    page.get_by_text("cannot be shown: use stride 1 to 16 in layer 1.").wait_for()
    assert_shows(page, ReceptiveFieldExplorer(preset="resnet18"))


def test_a_second_explorer_has_an_address_of_its_own(open_page):
    page = open_page(ReceptiveFieldExplorer(), ReceptiveFieldExplorer(), fragment="#rf2=7;3.1.1.1")
    sizes = "models.map((model) => model.get('input_size'))"
    assert page.evaluate(sizes) == [9, 7]
    page.get_by_role("spinbutton", name="Input size").last.fill("8")
    assert address(page) == "#rf2=8;3.1.1.1"
    assert page.evaluate(sizes) == [9, 8]


# ------------------------------------------------------------------ keyboard, kernel and space


def test_the_keyboard_edits_the_stack(open_page, tab_stops):
    page = open_page(ReceptiveFieldExplorer())
    stops = tab_stops(page)
    for name in [*(f"{one} of layer 2" for one in ("Kernel size", "Dilation")), "Add a layer"]:
        assert name in stops
    # Presets, reset, three controls, one stop for all radio buttons, the fields, tools, copying.
    assert len(stops) == len(PRESETS) + 1 + 3 + 1 + 4 + 3 + 3
    page.get_by_role("radio", name="Show layer 2").focus()
    page.keyboard.press("ArrowUp")
    assert state(page, "selected")[0] == 1
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")
    assert settings_of(page)[0] == [4, 1, 0, 1]
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


@pytest.mark.parametrize("width", [724, 760, 984, 390])
def test_table_and_drawing_are_seen_at_once(width, open_page):
    page = open_page(ReceptiveFieldExplorer(preset="resnet18"), width=width)
    region = page.get_by_role("region", name="Layers")
    assert region.get_attribute("tabindex") == "0"
    drawing, table = page.locator(".cb-rf-section").bounding_box(), region.bounding_box()
    assert 0 < table["y"] + table["height"] - drawing["y"] < 900 - 72  # below the page's head
    head = page.get_by_role("columnheader").first
    for layer in (1, 9, 18, 5):
        choose(page, layer)
        before = page.evaluate("scrollY")
        row = page.get_by_role("row").filter(has=page.get_by_role("radio", checked=True))
        box, table = row.bounding_box(), region.bounding_box()
        top = table["y"]
        if width > 700:
            assert head.bounding_box()["y"] == pytest.approx(top, abs=12)  # it stays in sight
            top += head.bounding_box()["height"]
        assert top <= box["y"] + 1
        assert box["y"] + box["height"] <= table["y"] + table["height"] + 1
        page.evaluate(SET, {"selected": [19 - layer, 0]})
        assert page.evaluate("scrollY") == before
    press(page, LABELS["two_3x3"])
    assert region.get_attribute("tabindex") is None


@pytest.mark.parametrize("width", [320, 390, 584, 666, 760, 1000])
def test_every_stack_fits(width, open_page, assert_fits):
    page = open_page(ReceptiveFieldExplorer(), width=width)
    for label in LABELS.values():
        press(page, label)
        assert_fits(page)
    page.evaluate(SET, {"rows": [["conv", side, 1, 0, 1] for side in (3, 99, 3)]})
    assert_fits(page)


def test_a_phone_opens_the_layer_shown(open_page):
    page = open_page(ReceptiveFieldExplorer(), width=360)
    numbers = page.get_by_role("row").first.locator("[role=cell]")  # the head is not there
    assert [cell.is_visible() for cell in numbers.all()] == [False] * 5 + [True] + [False] * 2
    choose(page, 1)
    assert all(cell.is_visible() for cell in numbers.all())
    assert page.get_by_text("Stride", exact=True).last.is_visible()
