"""The conv stepper in a real browser: mouse, keyboard, player, what is shown."""

import re

import pytest
import torch
import torch.nn.functional as F

from convbook.course.explorers import ConvStepper
from tests.helpers.explorer_pages import SET

pytestmark = pytest.mark.browser

# ------------------------------------------------------------------ what the page shows


def number(text):
    return float(text.replace("\u2212", "-"))


def shown_output(page):
    rows = page.evaluate(
        """[...document.querySelectorAll(".cb-grid-output .cb-row:not(.cb-spare)")]
           .map((row) => [...row.querySelectorAll(".cb-y")].map((cell) => cell.textContent))"""
    )
    return [[number(cell) for cell in row] for row in rows if row]


def shown_fields(page, kind):
    rows = page.evaluate(
        """(kind) => [...document.querySelectorAll(`.cb-grid-${kind} .cb-row:not(.cb-spare)`)]
           .map((row) => [...row.querySelectorAll("input")].map((field) => field.value))""",
        kind,
    )
    return [[number(cell) for cell in row] for row in rows if row]


def shown_sum(page):
    return parse_sum(page.locator(".cb-sum").inner_text())


def parse_sum(text):
    """The written sum as (the cell it names, its terms, its total)."""
    text = text.replace("\n", " ").replace("\u2212", "-")
    start, terms, total = text.split("=")
    row, col = start.strip().removeprefix("y[").removesuffix("]").split(", ")
    pairs = [term.strip().split("\u00b7") for term in terms.split("+")]
    return (
        (int(row), int(col)),
        [(float(a.strip("()")), float(b.strip("()"))) for a, b in pairs],
        float(total),
    )


def run_line(page):
    """Run the shown PyTorch line on the shown numbers."""
    grids = {
        name: torch.tensor(shown_fields(page, kind), dtype=torch.float64)[None, None]
        for name, kind in (("x", "input"), ("w", "kernel"))
    }
    return eval(page.locator(".cb-code").inner_text(), {"F": F, **grids})[0, 0].tolist()


def slider(page, label):
    return page.get_by_role("slider", name=re.compile(f"^{label}( [a-z/]+)?$"))


def slide(page, label, value):
    slider(page, label).fill(str(value))


def choose_mode(page, label):
    page.get_by_role("radio", name=label).check()


def cell(page, row, col):
    return page.get_by_role("gridcell", name=f"Output row {row}, column {col}:")


def field(page, kind, row, col):
    return page.get_by_role("textbox", name=f"{kind.title()} row {row}, column {col}")


def lit(page, kind):
    """Rows and columns of the lit cells of a grid, in reading order."""
    return page.evaluate(
        """(kind) => [...document.querySelectorAll(`.cb-grid-${kind} .cb-lit`)]
           .map((cell) => [cell.cbCell.row, cell.cbCell.col])""",
        kind,
    )


def model(page, name):
    return page.evaluate("(name) => models[0].get(name)", name)


def open_more(page):
    page.get_by_text("More settings").click()


# ------------------------------------------------------------------ the stepper


SAMPLE = [
    {},
    {"stride": 2, "padding": 1},
    {"input_size": 10, "stride": 2},
    {"kernel_size": 4, "padding": (1, 2)},
    {"input_size": 10, "kernel_size": 5, "padding": 4},
    {"input_size": 7, "dilation": 3, "padding": (3, 2), "stride": 3},
    {"input_size": 1, "kernel_size": 1},
    {"kernel_size": 1, "stride": 4},
    {"mode": "transposed", "input_size": 3, "stride": 2},
    {"mode": "transposed", "stride": 2, "padding": 1, "output_padding": 1},
    {"mode": "transposed", "input_size": 4, "padding": (0, 2), "stride": 3, "output_padding": 2},
    {"mode": "transposed", "kernel_size": 2, "dilation": 3, "padding": (2, 0), "output_padding": 2},
    {"mode": "transposed", "kernel_size": 1, "stride": 3, "padding": 4},
    {"input_size": (4, 6), "kernel_size": (1, 3), "stride": (2, 1), "padding": ((0, 1), (1, 1))},
    {"mode": "transposed", "input_size": (2, 4), "kernel_size": (3, 2), "stride": (1, 2)},
]


@pytest.mark.parametrize("arguments", SAMPLE)
def test_shown_line_computes_the_shown_output(arguments, open_page):
    explorer = ConvStepper(**arguments)
    page = open_page(explorer)
    assert shown_fields(page, "input") == explorer.input
    assert shown_fields(page, "kernel") == explorer.kernel
    assert shown_output(page) == explorer.output == run_line(page)
    assert page.locator(".cb-code").inner_text() == explorer.code
    ends = page.locator(".cb-formula").first.inner_text().split("\n")
    assert {int(line.split("= ")[-1]) for line in ends} == {
        len(explorer.output),
        len(explorer.output[0]),
    }
    assert page.locator(".cb-grid-output .cb-y").count() == len(explorer.output) * len(
        explorer.output[0]
    )


@pytest.mark.parametrize("arguments", SAMPLE)
def test_each_cell_is_the_sum_of_its_products(arguments, open_page):
    explorer = ConvStepper(**arguments)
    page = open_page(explorer)
    clicked = page.evaluate(
        """[...document.querySelectorAll(".cb-grid-output .cb-y")].map((cell) => {
          cell.click();
          const lit = document.querySelectorAll(".cb-grid-input .cb-lit").length;
          return [document.querySelector(".cb-sum").innerText, lit];
        })"""
    )
    places = [(row, col) for row, line in enumerate(explorer.output) for col in range(len(line))]
    for (row, col), (text, count) in zip(places, clicked, strict=True):
        value = explorer.output[row][col]
        if "no kernel tap" in text:
            assert (value, count) == (0, 0)
            continue
        where, terms, total = parse_sum(text)
        assert where == (row, col)
        assert total == value == sum(a * b for a, b in terms)
        assert count == len(terms)
        if explorer.mode == "convolution":
            assert count == len(explorer.kernel) * len(explorer.kernel[0])


def test_click_shows_the_window(open_page):
    page = open_page(ConvStepper(stride=2, padding=1))
    cell(page, 1, 2).click()
    where, terms, total = shown_sum(page)
    assert (where, total) == ((1, 2), 3)
    assert terms[:3] == [(0, 2), (3, 0), (0, 1)]
    assert lit(page, "input") == [[row, col] for row in (1, 2, 3) for col in (3, 4, 5)]
    assert cell(page, 1, 2).get_attribute("aria-selected") == "true"
    assert model(page, "selected") == [1, 2]
    assert page.evaluate("models[0].saved") > 0


# ------------------------------------------------------------------ both ways


def said(page):
    return page.locator(".cb-sum").inner_text()


def assert_read_by_six(page):
    outputs = [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]
    assert lit(page, "output") == outputs
    assert lit(page, "kernel") == [[row, col] for row in (0, 1) for col in range(3)]
    assert lit(page, "input") == [[1, 2]]
    assert said(page).startswith(
        "Input row 1, column 2 is read by 6 outputs: y[0, 0] through w[1, 2],"
    )


def test_pointing_at_an_input_cell_lights_what_reads_it(open_page):
    page = open_page(ConvStepper(selected=(2, 2)))
    field(page, "input", 1, 2).hover()
    assert_read_by_six(page)
    assert page.get_by_text("made with this cell").is_visible()
    field(page, "input", 1, 2).click()
    page.keyboard.press("Enter")  # the mouse rests: what has the focus counts
    assert lit(page, "input") == [[2, 2]]
    page.mouse.move(0, 0)
    page.keyboard.press("Tab")
    page.locator(".cb-code").click()
    assert lit(page, "output") == [[2, 2]]  # leaving brings back the chosen output
    assert shown_sum(page)[0] == (2, 2)
    cell(page, 0, 1).hover()
    assert shown_sum(page)[0] == (0, 1)
    assert lit(page, "input") == [[row, col] for row in range(3) for col in (1, 2, 3)]
    assert model(page, "selected") == [2, 2]
    field(page, "kernel", 0, 1).hover()
    assert said(page) == "Kernel row 0, column 1 makes one product in each of the 9 outputs."
    assert lit(page, "input") == [[row, col] for row in range(3) for col in (1, 2, 3)]


def test_focus_does_what_the_mouse_does(open_page):
    page = open_page(ConvStepper(selected=(2, 2)))
    field(page, "input", 1, 1).focus()
    cell(page, 0, 0).hover()  # where the mouse rests does not matter to the arrows
    page.keyboard.press("ArrowRight")
    assert_read_by_six(page)
    field(page, "kernel", 2, 0).focus()
    assert said(page).startswith("Kernel row 2, column 0")
    page.mouse.move(0, 0)
    page.get_by_role("button", name="Play").focus()
    assert shown_sum(page)[0] == (2, 2)


def test_arrows_lead_into_the_padding(open_page):
    page = open_page(ConvStepper(stride=2, padding=1))
    field(page, "input", 0, 1).focus()
    page.keyboard.press("ArrowUp")
    assert focused(page) == "Padding row \u22121, column 1: 0"
    assert said(page).startswith("Padding row \u22121, column 1 is read by 2 outputs: y[0, 0] ")
    page.keyboard.press("ArrowDown")
    assert focused(page).startswith("Input row 0, column 1")
    assert model(page, "selected") == [0, 0]


def test_a_finger_taps(open_page):
    page = open_page(ConvStepper(padding=1), has_touch=True)
    field(page, "input", 1, 2).tap()
    assert said(page).startswith("Input row 1, column 2 is read by 9 outputs")
    page.get_by_role("gridcell", name="Padding row 5, column 5").tap()
    assert said(page).startswith(
        "Padding row 5, column 5 is read by 1 output: y[4, 4] through w[2, 2]"
    )
    cell(page, 1, 0).tap()
    assert shown_sum(page)[0] == (1, 0)


# ------------------------------------------------------------------ the player


def test_the_player_shows_every_output_in_reading_order(open_page):
    page = open_page(ConvStepper(input_size=(3, 4), selected=(0, 1)))
    page.clock.install()
    slider = page.get_by_role("slider", name="Which output cell")
    assert slider.get_attribute("aria-valuetext") == "row 0, column 1: sum 9"
    page.get_by_role("button", name="Next output cell").click()  # from the last one, round
    assert model(page, "selected") == [0, 0]
    page.get_by_role("button", name="Play").click()
    status = page.locator(".cb-sum")
    assert status.get_attribute("aria-live") == "off"
    page.clock.run_for(600)
    assert shown_sum(page)[0] == (0, 1)
    page.clock.run_for(600)
    assert page.get_by_role("button", name="Play").is_visible()
    assert status.get_attribute("aria-live") is None
    assert lit(page, "input") == [[row, col] for row in range(3) for col in (1, 2, 3)]


# ------------------------------------------------------------------ controls


def test_plain_shows_grids_player_and_sum_only(open_page):
    explorer = ConvStepper(plain=True)
    page = open_page(explorer)
    assert page.get_by_role("slider").count() == 1  # the player's
    assert page.get_by_role("radio").count() == 0
    assert page.get_by_text("More settings").count() == 0
    assert page.get_by_role("group", name="Examples").count() == 0
    assert page.get_by_text("Size", exact=True).count() == 0
    assert shown_sum(page) == ((0, 0), shown_sum(page)[1], 10)
    assert shown_output(page) == explorer.output == run_line(page)
    field(page, "input", 1, 2).hover()
    assert_read_by_six(page)
    page.evaluate(SET, {"plain": False})
    assert page.get_by_text("More settings").is_visible()
    page.evaluate(SET, {"plain": True})
    assert page.get_by_text("More settings").count() == 0


def test_five_controls_are_in_sight(open_page):
    page = open_page(ConvStepper())
    controls = page.locator(".cb-controls input:visible, .cb-top fieldset")
    assert controls.count() == 5
    open_more(page)
    assert slider(page, "Dilation").is_visible()
    assert slider(page, "Output padding").count() == 0
    choose_mode(page, "Transposed")
    assert slider(page, "Output padding").is_visible()


def test_padding_sides_move_together_until_told_otherwise(open_page):
    page = open_page(ConvStepper())
    slide(page, "Padding", 2)
    assert model(page, "padding") == [2, 2]
    open_more(page)
    page.get_by_label("Equal on both sides").uncheck()
    slide(page, "Padding before", 0)
    assert model(page, "padding") == [0, 2]
    page.get_by_label("Rows and columns apart").check()
    slide(page, "Padding right", 1)
    assert model(page, "padding") == [[0, 2], [0, 1]]
    page.get_by_label("Equal on both sides").check()
    assert model(page, "padding") == [0, 0]
    slide(page, "Padding of columns", 3)
    assert model(page, "padding") == [[0, 0], [3, 3]]


def test_rows_and_columns_have_sliders_of_their_own(open_page):
    page = open_page(ConvStepper())
    open_more(page)
    page.get_by_label("Rows and columns apart").focus()
    page.keyboard.press("Space")
    slide(page, "Input columns", 7)
    slide(page, "Kernel rows", 1)
    slide(page, "Stride across", 2)
    explorer = ConvStepper(input_size=(5, 7), kernel_size=(1, 3), stride=(1, 2))
    assert shown_output(page) == explorer.output == run_line(page)
    assert [model(page, name) for name in ("input_size", "stride")] == [[5, 7], [1, 2]]
    page.get_by_label("Rows and columns apart").uncheck()
    assert [model(page, name) for name in ("input_size", "kernel_size", "stride")] == [5, 1, 1]
    assert shown_output(page) == ConvStepper(kernel_size=1).output


def test_presets_and_links(open_page):
    page = open_page(ConvStepper(input_size=8, kernel_size=2, dilation=3, padding=(2, 0)))
    for explorer in (ConvStepper(input_size=7, dilation=2), ConvStepper(kernel_size=(1, 3))):
        preset = page.get_by_role(
            "button", name="Dilation 2" if explorer.dilation == 2 else "Kernel 1 \u00d7 3"
        )
        preset.click()
        cell(page, 0, 2).click()
        assert preset.get_attribute("aria-pressed") == "true"
        assert shown_output(page) == explorer.output == run_line(page)
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Copied").wait_for()
    fragment = page.evaluate("navigator.clipboard.readText()").split("#")[1]
    other = open_page(ConvStepper(), fragment=f"#{fragment}")
    assert shown_output(other) == ConvStepper(kernel_size=(1, 3)).output
    assert shown_sum(other)[0] == (0, 2)


def test_reset_brings_everything_back(open_page):
    explorer = ConvStepper(stride=2, padding=(1, 0), selected=(1, 1))
    page = open_page(explorer)
    field(page, "input", 0, 0).fill("9")
    slide(page, "Kernel size", 5)
    choose_mode(page, "Transposed")
    page.get_by_role("button", name="Reset").click()
    assert shown_output(page) == explorer.output
    assert shown_fields(page, "input") == explorer.input
    assert shown_sum(page)[0] == (1, 1)


# ------------------------------------------------------------------ numbers typed in


@pytest.mark.parametrize("text", ["-4", "0.25", "\u22121,5", "120"])
def test_typed_numbers_count(text, open_page):
    page = open_page(ConvStepper(stride=2, padding=1))
    value = float(text.replace("\u2212", "-").replace(",", "."))
    field(page, "input", 1, 1).fill(text)
    field(page, "kernel", 0, 0).fill(text)
    assert page.evaluate("models[0].get('input_values')[1][1]") == value
    page.locator(".cb-code").click()  # leave the field
    assert field(page, "kernel", 0, 0).input_value() == f"{value:g}".replace("-", "\u2212")
    computed = torch.tensor(run_line(page))
    shown = torch.tensor(shown_output(page))
    assert torch.allclose(computed, shown, atol=0.005001)
    cell(page, 0, 0).click()
    _, terms, total = shown_sum(page)
    assert (
        total == pytest.approx(computed[0, 0].item()) == pytest.approx(sum(a * b for a, b in terms))
    )


def test_what_is_no_number_is_said_and_the_old_one_counts(open_page):
    page = open_page(ConvStepper())
    target = field(page, "input", 0, 1)
    message = page.locator(".cb-figure .cb-message")
    target.focus()
    for text, said in (("1/2", "holds \u201c1/2\u201d"), ("12345", "holds"), ("", "is empty")):
        target.fill("")
        page.keyboard.type(text)
        assert message.inner_text().startswith(f"Input row 0, column 1 {said}")
        assert message.inner_text().endswith("; 2 still counts.")
        assert target.get_attribute("aria-invalid") == "true"
        assert page.evaluate("models[0].get('input_values')[0][1]") == 2
    page.keyboard.press("Tab")
    assert message.is_hidden()
    assert target.input_value() == "2"
    assert target.get_attribute("aria-invalid") is None
    assert shown_output(page) == run_line(page)


def test_markup_typed_in_is_only_text(open_page):
    page = open_page(ConvStepper())
    field(page, "input", 0, 0).fill("<img src=x onerror=alert(1)>")
    assert page.locator(".convbook-root img").count() == 0


# ------------------------------------------------------------------ impossible settings


def test_no_output_is_said_and_nothing_else_is_shown(open_page):
    page = open_page(ConvStepper())
    message = page.locator(".cb-figure .cb-message")
    assert message.is_hidden()
    slide(page, "Input size", 2)
    assert message.inner_text().startswith("No window fits: a kernel of 3 spans 3 pixels")
    assert page.locator(".cb-grid-output .cb-cell:visible").count() == 0
    assert page.locator(".cb-results").is_hidden()
    assert page.get_by_role("group", name="Player").is_hidden()
    assert page.get_by_text("no output", exact=True).is_visible()
    slide(page, "Padding", 1)
    assert message.is_hidden()
    assert shown_output(page) == ConvStepper(input_size=2, padding=1).output == run_line(page)


# ------------------------------------------------------------------ keyboard


def focused(page):
    return page.evaluate("document.activeElement.getAttribute('aria-label')")


def test_arrows_walk_the_output(open_page):
    page = open_page(ConvStepper(stride=2, padding=1))
    cell(page, 0, 0).focus()
    for key, where in [
        ("ArrowRight", (0, 1)),
        ("ArrowDown", (1, 1)),
        ("ArrowDown", (2, 1)),
        ("ArrowDown", (2, 1)),
        ("ArrowLeft", (2, 0)),
        ("ArrowUp", (1, 0)),
        ("Enter", (1, 0)),
    ]:
        page.keyboard.press(key)
        assert focused(page).startswith(f"Output row {where[0]}, column {where[1]}")
        assert shown_sum(page)[0] == where


def test_arrows_walk_the_fields_and_edit_them(open_page):
    page = open_page(ConvStepper())
    field(page, "input", 0, 0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert focused(page).startswith("Input row 1, column 1")
    page.keyboard.type("12")
    page.keyboard.press("ArrowLeft")  # inside the number: the caret moves, not the cell
    assert focused(page).startswith("Input row 1, column 1")
    page.keyboard.press("Enter")
    assert focused(page).startswith("Input row 2, column 1")
    assert page.evaluate("models[0].get('input_values')[1][1]") == 12
    assert shown_output(page) == run_line(page)


# ------------------------------------------------------------------ host and kernel


def test_copy(open_page):
    page = open_page(ConvStepper([[1, -2], [0.5, 3]], [[2]], padding=(1, 0)))
    page.get_by_role("button", name="Copy the PyTorch line").click()
    page.get_by_text("Copied").wait_for()
    read = "navigator.clipboard.readText()"
    assert page.evaluate(read) == page.locator(".cb-code").inner_text()
    page.get_by_role("button", name="Copy with numbers").click()
    page.wait_for_function(f"{read}.then((text) => text.startsWith('import torch'))")
    scope = {}
    exec(page.evaluate(read), scope)
    assert scope["y"][0, 0].tolist() == shown_output(page)


def test_changes_from_a_kernel_are_drawn(open_page):
    page = open_page(ConvStepper())
    page.evaluate(SET, {"stride": 2, "padding": [1, 1]})
    assert shown_output(page) == [[1, 5, 6], [7, 8, 3], [3, 10, 4]]


# ------------------------------------------------------------------ space


def test_cells_grow_only_when_it_shows(open_page):
    """To lay out hundreds of cells for a pixel or two would take half a frame."""
    page = open_page(ConvStepper(input_size=10, kernel_size=5, padding=4))
    width = lambda: page.locator(".cb-grid-input .cb-cell").first.bounding_box()["width"]  # noqa: E731
    first = width()
    open_more(page)
    slide(page, "Dilation", 2)
    assert width() == first
    slide(page, "Input size", 1)
    assert width() > 1.2 * first


def test_a_phone_needs_no_sideways_scrolling(open_page, assert_fits):
    # Those with the most columns beside each other, and one with no output.
    largest = {"mode": "transposed", "input_size": 10, "stride": 2, "kernel_size": 2}
    steppers = [ConvStepper(**arguments) for arguments in (*SAMPLE, largest)]
    assert_fits(open_page(*steppers, width=360))
