"""The matrix view in a real browser: drawing, the mouse, the keyboard, the player, space."""

import re

import pytest

from convbook.course import colours
from convbook.course.explorers import MatrixView
from tests.course.explorers.test_matrix_view import GRID
from tests.helpers.explorer_pages import SET

pytestmark = pytest.mark.browser

NAMES = {"x": "Input x;", "w": "Kernel w", "y": "Output y", "M": "Matrix M", "U": "Matrix U"}


def grid_of(page, name):
    return page.get_by_role("grid", name=re.compile(f"^{NAMES.get(name, name)}")).first


def cell(page, grid, label):
    """A cell by the name that a screen reader says."""
    return grid_of(page, grid).locator(f".cb-cell[aria-label='{label}']")


def lit(page, grid):
    """The names of a grid's lit cells."""
    cells = grid_of(page, grid).locator(".cb-lit")
    return cells.evaluate_all("(all) => all.map((cell) => cell.ariaLabel)")


def sum_of(page):
    return page.locator(".cb-sum").inner_text()


def selected(page):
    return page.evaluate("models[0].get('selected')")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_equal_weights_have_equal_colours(theme, open_page):
    page = open_page(MatrixView(kernel_size=3, padding=1), theme=theme)
    backgrounds = page.locator(".cb-grid-left .cb-tint").evaluate_all(
        "(all) => all.map((cell) => [cell.textContent, getComputedStyle(cell).backgroundColor])"
    )
    tints = [tuple(bytes.fromhex(tint[1:])) for tint in colours.weight_tints(9)]
    wanted = {("w" + "₀₁₂₃₄₅₆₇₈"[i], f"rgb{tint}") for i, tint in enumerate(tints)}
    assert {tuple(pair) for pair in backgrounds} == wanted
    assert page.locator(".cb-grid-left .cb-zero").count() == 81 - len(backgrounds) == 32


FRAMED = """() => Object.fromEntries([...document.querySelectorAll(".cb-shell")].map((shell) => {
  const frame = shell.querySelector(".cb-frame");
  const box = frame.getBoundingClientRect();
  const inside = [...shell.querySelectorAll(".cb-row:not(.cb-spare) .cb-cell")].filter((cell) => {
    const c = cell.getBoundingClientRect();
    return c.top >= box.top && c.left >= box.left && c.right <= box.right && c.bottom <= box.bottom;
  });
  const name = shell.querySelector(".cb-grid").className.match(/cb-grid-(\\w+)/)[1];
  return [name, frame.hidden ? [] : inside.map((cell) => cell.textContent)];
}))"""


def test_window_column_row_and_product_are_lit_and_framed(open_page):
    page = open_page(MatrixView(padding=1, selected=("output", 6)))
    frames = page.evaluate(FRAMED)
    assert frames["x"] == list("bcef")
    assert frames["y"] == frames["result"] == ["y₆"]
    assert frames["left"] == ["", "p", "q", "", "r", "s", "", "", ""]
    assert frames["right"] == frames["w"] == []
    assert lit(page, "x") == [f"Pixel {letter}" for letter in "bcef"]
    assert lit(page, "M")[:4] == [f"Pixel {letter}" for letter in "bcef"]
    column = page.get_by_role("img", name="Window of y₆ as a column: b, c, e, f")
    assert column.inner_text().split()[-8:] == list("pqrsbcef")
    assert "Row y₆ of M has these weights" in page.locator(".cb-results").inner_text()
    cell(page, "M", "Pixel e").click()
    assert column.is_hidden()
    assert page.evaluate(FRAMED)["x"] == ["e"]
    assert len(page.evaluate(FRAMED)["left"]) == 16
    page.get_by_role("radio", name="Windows as columns").check()
    cell(page, "U", "Column y₀, row s: pixel a").click()
    assert page.get_by_role("img", name="Window of y₀ as a column: 0, 0, 0, a").is_visible()
    assert page.evaluate(FRAMED)["right"] == ["0", "0", "0", "a"]
    assert "is column y₀ of U" in page.locator(".cb-results").inner_text()
    cell(page, "U", "Weight r").click()
    assert len(page.evaluate(FRAMED)["right"]) == 16
    assert page.evaluate(FRAMED)["left"] == ["r"]


# ------------------------------------------------------------------ the mouse


@pytest.mark.parametrize("view", ["dense", "im2col"])
def test_the_mouse_lights_and_leaves_no_trace(view, open_page):
    page = open_page(MatrixView(view=view))
    before = sum_of(page), lit(page, "y")
    cell(page, "y", "Output y₂").hover()
    assert lit(page, "x") == ["Pixel d", "Pixel e", "Pixel g", "Pixel h"]
    assert sum_of(page) == "y₂ = p·d + q·e + r·g + s·h"
    assert page.get_by_role("img", name="Window of y₂ as a column: d, e, g, h").is_visible()
    cell(page, "w", "Weight q").hover()
    assert sum_of(page).startswith("Weight q")
    page.locator("h1").hover()
    assert (sum_of(page), lit(page, "y")) == before
    assert page.evaluate("models[0].saved") == 0
    cell(page, "Output y as a", "Output y₂").click()
    page.locator("h1").hover()
    assert lit(page, "y") == ["Output y₂"]
    assert selected(page) == ["output", 2]


def test_a_finger_picks_and_padding_does_not(open_page):
    page = open_page(MatrixView(padding=1), has_touch=True)
    entry = cell(page, "M", "Row y₁, column a: weight r")
    entry.dispatch_event("pointerover", {"pointerType": "touch"})  # scrolling
    assert lit(page, "y") == ["Output y₀"]
    entry.tap()
    page.locator("h1").tap()
    assert lit(page, "y") == ["Output y₁"]
    cell(page, "x", "Padding, 0").first.tap()
    assert selected(page) == ["output", 1]


# ------------------------------------------------------------------ controls


def test_settings_redraw_everything_and_reset_brings_it_back(open_page):
    page = open_page(MatrixView(selected=("output", 3)))
    for label, value in [("Input size", 5), ("Kernel size", 3), ("Stride", 2), ("Padding", 1)]:
        page.get_by_role("slider", name=label).fill(str(value))
    view = MatrixView(input_size=5, kernel_size=3, stride=2, padding=1)
    assert page.locator(".cb-formula").inner_text().startswith("9 × 25 matrix")
    assert page.locator(".cb-code").inner_text() == view.code
    assert page.locator(".cb-grid-left .cb-row:visible").count() == 10
    page.get_by_role("button", name="As windows").click()
    assert page.locator(".cb-code").inner_text() == "w.flatten() @ unfold(x, 2)"
    assert selected(page) == ["output", 0]
    page.evaluate(SET, {"selected": ["output", 5], "show": "numbers"})  # by a kernel
    assert sum_of(page) == "y₃ = 1·1 + 2·3 + 3·3 + (−1)·0 = 16"  # of what there is, the last
    page.get_by_role("button", name="Reset").click()
    assert selected(page) == ["output", 3]
    assert sum_of(page) == "y₃ = p·e + q·f + r·h + s·i"


def test_the_player_goes_through_what_is_chosen(open_page):
    page = open_page(MatrixView())
    cell(page, "y", "Output y₃").hover()
    page.get_by_role("combobox", name="Speed").select_option("4")
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Pause").wait_for()
    page.get_by_role("button", name="Play").wait_for()
    assert selected(page) == ["output", 3]
    slider = page.get_by_role("slider", name="Which window")
    assert slider.get_attribute("aria-valuetext") == "y₃ = p·e + q·f + r·h + s·i"
    for grid, label, noun, count in [("w", "Weight p", "weight", 4), ("M", "Pixel a", "pixel", 9)]:
        cell(page, grid, label).click()
        page.get_by_role("button", name=f"Previous {noun}").click()
        assert selected(page) == [noun, count - 1]
        page.get_by_role("button", name=f"Next {noun}").click()
        assert page.get_by_text(f"1 of {count}", exact=True).is_visible()


def test_a_link_holds_what_is_chosen(open_page):
    page = open_page(MatrixView(), fragment='#matrix-view?padding=1&selected=["weight",2]')
    assert sum_of(page).startswith("Weight r stands in 9 of 16 rows")


# ------------------------------------------------------------------ keyboard


@pytest.mark.parametrize("view", ["dense", "im2col"])
def test_every_control_and_each_grid_is_reached_with_tab(view, open_page, tab_stops):
    stops = tab_stops(open_page(MatrixView(view=view)))
    factors = {
        "dense": ["Row y₀, column a: weight p", "Pixel a"],
        "im2col": ["Weight p", "Column y₀, row p: pixel a"],
    }
    start = stops.index("Pixel a")
    grids = ["Pixel a", "Weight p", "Output y₀", *factors[view], "Output y₀"]
    assert stops[start : start + 7] == [*grids, "First window"]
    for name in ["Reset", "Input size", "Kernel size", "Stride", "Padding", "Nine letters", "Copy"]:
        assert any(name in stop for stop in stops)


def test_focus_lights_and_keys_keep(open_page):
    page = open_page(MatrixView())
    cell(page, "x", "Pixel a").hover()  # keys count while the mouse rests on a grid
    cell(page, "w", "Weight p").focus()
    page.locator("h1").hover()
    assert sum_of(page).startswith("Weight p")
    page.keyboard.press("Tab")
    assert sum_of(page).startswith("y₀")
    assert page.evaluate("models[0].saved") == 0  # passing by keeps nothing
    for key, index in [("ArrowRight", 1), ("ArrowDown", 3), ("ArrowLeft", 2), ("ArrowUp", 0)]:
        page.keyboard.press(key)
        assert selected(page) == ["output", index]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert selected(page) == ["weight", 0]
    cell(page, "M", "Row y₀, column b: weight q").focus()
    for key, label, chosen in [
        ("ArrowRight", "Row y₀, column c: zero", ["output", 0]),
        ("ArrowDown", "Row y₁, column c: weight q", ["output", 1]),
        ("ArrowUp", "Row y₀, column c: zero", ["output", 0]),
        ("ArrowUp", "Pixel c", ["pixel", 2]),
        ("ArrowLeft", "Pixel b", ["pixel", 1]),
    ]:
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.ariaLabel") == label
        assert selected(page) == chosen


# ------------------------------------------------------------------ space

# Where each row of the matrix (its columns, for windows as columns) and its output stand, and how
# wide an entry is.
PLACES = """(dense) => {
  const cells = (grid) => [...document.querySelectorAll(`.cb-grid-${grid} .cb-row:not(.cb-spare)`)]
    .map((row) => [...row.children].map((cell) => cell.getBoundingClientRect()));
  const [left, right, result] = ["left", "right", "result"].map(cells);
  return {
    lines: dense ? left.slice(1).map(([first]) => first.y) : right[0].slice(1).map(({ x }) => x),
    outputs: result.flat().map((box) => dense ? box.y : box.x),
    size: document.querySelector(".cb-product .cb-x").getBoundingClientRect().width,
  };
}"""


@pytest.mark.parametrize("width", [320, 366, 760])
@pytest.mark.parametrize("view", ["dense", "im2col"])
def test_every_setting_fits_and_is_aligned(view, width, open_page, assert_fits):
    page = open_page(MatrixView(view=view), width=width)
    for settings in (s for s in GRID if s["view"] == view):
        page.evaluate(SET, settings)
        places = page.evaluate(PLACES, view == "dense")
        assert places["lines"] == pytest.approx(places["outputs"], abs=1), settings
        assert places["size"] >= (3 if width == 320 else 4)
        assert_fits(page)


def test_letters_go_where_they_cannot_be_read(open_page):
    page = open_page(MatrixView(input_size=5, padding=1), width=360)
    size = "(cell) => parseFloat(getComputedStyle(cell).fontSize)"
    assert cell(page, "M", "Row y₀, column x₀: weight s").evaluate(size) == 0
    page.get_by_role("button", name="Nine letters").click()
    assert cell(page, "M", "Row y₀, column a: weight p").evaluate(size) >= 9
