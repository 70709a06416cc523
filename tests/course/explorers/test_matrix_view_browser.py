"""The matrix view in a real browser: its matrices, what lights up with what, keyboard, space."""

import itertools
import re

import pytest
import torch
import torch.nn.functional as F

from convbook.course import colours
from convbook.course.explorers import MatrixView
from convbook.functional import conv2d_matrix, unfold
from tests.helpers.explorer_pages import SET

pytestmark = pytest.mark.browser

GRID = [
    {"input_size": n, "kernel_size": k, "stride": s, "padding": p, "view": view}
    for n, k, s, p, view in itertools.product(
        (3, 4, 5), (1, 2, 3), (1, 2), (0, 1), ("dense", "im2col")
    )
]
SAMPLE = [
    {},
    {"view": "im2col"},
    {"padding": 1, "show": "numbers"},
    {"input_size": 4, "kernel_size": 3, "stride": 2, "padding": 1},
    {"input_size": 5, "kernel_size": 1, "stride": 2, "view": "im2col", "show": "numbers"},
    {"input_size": 5, "kernel_size": 3, "padding": 1, "view": "im2col"},
    {"kernel_size": 1, "stride": 2, "padding": 1},
]


def tensor(grid):
    return torch.tensor(grid, dtype=torch.float64)[None, None]


def windows_of(view):
    """The pixels behind each output, by torch: index 0, 1, ... or None in the padding."""
    n = view.input_size
    places = torch.arange(1.0, n * n + 1).reshape(1, 1, n, n)
    columns = F.unfold(places, view.kernel_size, padding=view.padding, stride=view.stride)[0].T
    return [[int(place) - 1 if place else None for place in window] for window in columns]


# ------------------------------------------------------------------ arithmetic and words

COMPUTE = """async ({ x, w, grid }) => {
  const module = await import("./matrix_view.js");
  return grid.map(({ input_size, kernel_size, stride, padding, view }) => {
    const s = {
      size: input_size, kernel: kernel_size, stride, before: padding, after: padding, dilation: 1,
    };
    const crop = (values, side) => values.slice(0, side).flatMap((row) => row.slice(0, side));
    const [left, right, result] =
      module.productOf(s, view, crop(x, s.size), crop(w, s.kernel));
    const { shape, ...counts } = module.countsOf(s, view);
    const places = (side) => Array.from({ length: side * side }, (_, i) => i);
    return {
      left, right, result, shape, counts,
      summaries: ["letters", "numbers"].map((show) => module.summaryOf(s, view, show)),
      line: module.packageLine(s, view),
      tints: places(s.kernel).map((i) => module.tintOf(i, s.kernel ** 2)),
      windows: places(s.size).map((i) =>
        module.windowAt(s, Math.floor(i / s.size), i % s.size)),
    };
  });
}"""


def window_by_the_rule(view, pixel):
    """The last window, along each axis, that starts at the pixel or before it and reads it."""
    reading = [o for o, window in enumerate(windows_of(view)) if pixel in window]
    side = view.output_size
    return max(reading, key=lambda o: (o // side, o % side)) if reading else None


@pytest.mark.usefixtures("one_thread")
def test_matrices_and_words_equal_pythons_over_the_whole_control_grid(open_page):
    generator = torch.Generator().manual_seed(0)
    x, w = (torch.randint(-9, 10, (side, side), generator=generator).tolist() for side in (5, 3))
    computed = open_page().evaluate(COMPUTE, {"x": x, "w": w, "grid": GRID})
    assert len(computed) == 72
    for settings, got in zip(GRID, computed, strict=True):
        n, k = settings["input_size"], settings["kernel_size"]
        view = MatrixView(
            [row[:n] for row in x[:n]],
            [row[:k] for row in w[:k]],
            **{name: settings[name] for name in ("stride", "padding", "view")},
        )
        grids = tensor(view.input), tensor(view.kernel)
        options = {"stride": view.stride, "padding": view.padding}
        flat_x, flat_w = (grid.flatten() for grid in grids)
        if view.view == "dense":
            matrix, vector = "left", flat_x[:, None].tolist()
            expected = conv2d_matrix(grids[1], (n, n), **options)
        else:
            matrix, vector = "right", [flat_w.tolist()]
            expected = F.unfold(grids[0], k, **options)[0]
        assert got[matrix] == expected.tolist(), settings
        assert got["right" if matrix == "left" else "left"] == vector
        y = F.conv2d(*grids, **options).flatten()
        assert torch.tensor(got["result"]).flatten().tolist() == y.tolist(), settings
        assert {**got["counts"], "shape": tuple(got["shape"])} == view.counts
        for show, summary in zip(("letters", "numbers"), got["summaries"], strict=True):
            view.show = show
            assert summary == view.summary
        assert got["line"] == view.code
        tints = [colours.WEIGHTS[tint - 1] for tint in got["tints"]]
        assert tints == colours.weight_tints(k * k)
        assert got["windows"] == [window_by_the_rule(view, pixel) for pixel in range(n * n)]


# ------------------------------------------------------------------ what the page shows


def look(page, grid):
    """The cells of a grid, row by row: text, label, whether zero or padding, background."""
    return page.evaluate(
        """(grid) => [...document.querySelectorAll(`.cb-grid-${grid} .cb-row`)].map((row) =>
          [...row.children].map((cell) => ({
            text: cell.textContent, label: cell.getAttribute("aria-label"),
            zero: cell.classList.contains("cb-zero"),
            padding: cell.classList.contains("cb-pad"),
            background: getComputedStyle(cell).backgroundColor,
          })))""",
        grid,
    )


def shown(page, grid):
    return [[cell["text"] for cell in row] for row in look(page, grid)]


LIT = """() => Object.fromEntries([...document.querySelectorAll(".cb-grid")].map((grid) => [
  grid.className.match(/cb-grid-(\\w+)/)[1],
  [...grid.querySelectorAll(".cb-row")].flatMap((row, i) => [...row.children].flatMap((cell, j) =>
    cell.classList.contains("cb-lit") ? [[i, j]] : [])),
]))"""


def places_of(cells):
    return {grid: {tuple(place) for place in places} for grid, places in cells.items()}


def all_lit(page):
    """Places (row, column) of the lit cells of each grid."""
    return places_of(page.evaluate(LIT))


def lit(page, grid):
    return all_lit(page)[grid]


def click_each(page, places):
    """Click one cell (grid, row, column) after the other; what is then lit, chosen and said."""
    seen = page.evaluate(
        f"""async (places) => {{
          const seen = [];
          for (const [grid, row, col] of places) {{
            const rows = document.querySelectorAll(`.cb-grid-${{grid}} .cb-row`);
            rows[row].children[col].click();
            await Promise.resolve();
            const words = document.querySelector(".cb-sum").innerText;
            seen.push([({LIT})(), models[0].get("selected"), words]);
          }}
          return seen;
        }}""",
        places,
    )
    return [(places_of(cells), selected, one_line(words)) for cells, selected, words in seen]


def body(page, view, what=shown):
    """The matrix of the view without its heads."""
    if view.view == "dense":
        return what(page, "left")[1:]
    return [row[1:] for row in what(page, "right")]


def cell(page, grid, row, col):
    return page.locator(f".cb-grid-{grid} .cb-row").nth(row).locator(".cb-cell").nth(col)


def one_line(words):
    return re.sub(r"\s+|(?<=\S)(?=\+)|(?<=\+)", " ", words).strip()


def sum_of(page):
    return one_line(page.locator(".cb-sum").inner_text())


def slide(page, label, value):
    page.get_by_role("slider", name=label).fill(str(value))


def choose(page, label):
    page.get_by_role("radio", name=label).check()


def state(page, name):
    return page.evaluate("(name) => models[0].get(name)", name)


def numbers(texts):
    """Shown cells as numbers; a zero of the matrix has no text."""
    return [[float(text.replace("−", "-") or 0) for text in row] for row in texts]


def real_cells(rows):
    """Texts of the cells that are no padding."""
    kept = [[cell["text"] for cell in row if not cell["padding"]] for row in rows]
    return [row for row in kept if row]


def rgb(colour):
    return f"rgb({int(colour[1:3], 16)}, {int(colour[3:5], 16)}, {int(colour[5:7], 16)})"


def test_default_is_the_chapters_picture(open_page):
    page = open_page(MatrixView())
    assert page.locator(".cb-static").count() == 0
    assert shown(page, "input") == [["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]]
    assert shown(page, "kernel") == [["p", "q"], ["r", "s"]]
    zero = ""
    assert shown(page, "left") == [
        list("abcdefghi"),
        ["p", "q", zero, "r", "s", zero, zero, zero, zero],
        [zero, "p", "q", zero, "r", "s", zero, zero, zero],
        [zero, zero, zero, "p", "q", zero, "r", "s", zero],
        [zero, zero, zero, zero, "p", "q", zero, "r", "s"],
    ]
    assert shown(page, "right") == [[letter] for letter in "abcdefghi"]
    assert shown(page, "result") == [["y₀"], ["y₁"], ["y₂"], ["y₃"]]
    summary = "4 × 9 matrix: 36 entries, 20 zeros, 16 copies of 4 weights."
    assert page.locator(".cb-summary").inner_text() == summary
    assert sum_of(page) == "y₀ = p·a + q·b + r·d + s·e"
    assert page.locator(".cb-code").inner_text() == "conv2d_matrix(w, (3, 3)) @ x.flatten()"


def test_windows_as_columns(open_page):
    page = open_page(MatrixView())
    choose(page, "Windows as columns")
    assert state(page, "view") == "im2col"
    assert shown(page, "left") == [["p", "q", "r", "s"]]
    assert shown(page, "right") == [
        ["p", *"abde"],
        ["q", *"bcef"],
        ["r", *"degh"],
        ["s", *"efhi"],
    ]
    assert shown(page, "result") == [["y₀", "y₁", "y₂", "y₃"]]
    assert "pixel e 4 times" in page.locator(".cb-summary").inner_text()
    assert page.locator(".cb-code").inner_text() == "w.flatten() @ unfold(x, 2)"


def test_shown_numbers_and_line_give_the_output_over_the_whole_control_grid(open_page):
    page = open_page(MatrixView(show="numbers"))
    for settings in GRID:
        view = MatrixView(**settings, show="numbers")
        page.evaluate(SET, settings)
        for grid, values in (("input", view.input), ("kernel", view.kernel)):
            assert numbers(real_cells(look(page, grid))) == values
        assert numbers(shown(page, "output")) == view.output
        assert numbers(body(page, view)) == view.matrix, settings
        assert page.locator(".cb-summary").inner_text() == view.summary
        values = {"x": tensor(view.input), "w": tensor(view.kernel)}
        scope = {"unfold": unfold, "conv2d_matrix": conv2d_matrix}
        computed = eval(page.locator(".cb-code").inner_text(), scope, values)
        assert computed.flatten().tolist() == [y for row in view.output for y in row]


@pytest.mark.parametrize("show", ["letters", "numbers"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kernel_size", [1, 2, 3])
def test_equal_weights_have_equal_colours_and_zeros_none(kernel_size, theme, show, open_page):
    # In numbers, one weight is 0: it keeps its tint.
    kernel = [[0, 2, 3], [4, 5, 6], [7, 8, 9]]
    kernel = [row[:kernel_size] for row in kernel[:kernel_size]]
    view = MatrixView(None, kernel, padding=1, input_size=4, show=show)
    page = open_page(view, theme=theme)
    tints = [rgb(tint) for tint in colours.weight_tints(kernel_size**2)]
    backgrounds = [c["background"] for row in look(page, "kernel") for c in row]
    assert backgrounds == tints
    drawn = body(page, view, look)
    zeros = {c["background"] for row in drawn for c in row if c["zero"]}
    assert len(zeros) == 1
    assert not zeros & set(tints)
    for window, row in zip(windows_of(view), drawn, strict=True):
        weight_of = {pixel: weight for weight, pixel in enumerate(window) if pixel is not None}
        for pixel, entry in enumerate(row):
            weight = weight_of.get(pixel)
            assert entry["zero"] == (weight is None)
            assert entry["background"] == (next(iter(zeros)) if weight is None else tints[weight])


# ------------------------------------------------------------------ what lights up with what


def square(indices, side):
    return {divmod(index, side) for index in indices}


@pytest.mark.parametrize("settings", SAMPLE)
def test_row_patch_and_output_light_together(settings, open_page):
    view = MatrixView(**settings)
    page = open_page(view)
    n, k, p = view.input_size, view.kernel_size, view.padding
    windows, dense = windows_of(view), view.view == "dense"
    heads = [("left", o + 1, 0) if dense else ("right", 0, o + 1) for o in range(len(windows))]
    seen = click_each(page, heads)
    for index, (window, (lit, selected, words)) in enumerate(zip(windows, seen, strict=True)):
        top, left = (o * view.stride for o in divmod(index, view.output_size))
        patch = {(top + i, left + j) for i in range(k) for j in range(k)}
        assert lit["input"] == patch  # the grid starts with the padding
        assert lit["output"] == {divmod(index, view.output_size)}
        read = [pixel for pixel in window if pixel is not None]
        weights = [weight for weight, pixel in enumerate(window) if pixel is not None]
        if dense:
            entries = {(index + 1, pixel) for pixel in read}
            assert lit["left"] == entries | {(0, pixel) for pixel in read}
            assert lit["right"] == {(pixel, 0) for pixel in read}
            assert lit["result"] == {(index, 0)}
            assert lit["kernel"] == square(weights, k)
        else:
            assert lit["right"] == {(weight, index + 1) for weight in range(k * k)}
            assert lit["left"] == {(0, weight) for weight in range(k * k)}
            assert lit["result"] == {(0, index)}
        assert selected == ["output", index]
        assert_sum(words, view, index, window)
    assert n + 2 * p == len(look(page, "input"))


SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


def assert_sum(text, view, index, window):
    """The sum names the window's weights and pixels, and its numbers add up."""
    start, _, rest = text.partition(" = ")
    assert start.translate(SUBSCRIPTS) == f"y{index}"
    taps = [tap for tap in enumerate(window) if tap[1] is not None or view.view == "im2col"]
    if not taps:
        assert rest == "0: this window sees padding only."
        return
    terms, _, total = rest.replace("−", "-").partition(" = ")
    pairs = [[part.strip("()") for part in term.split("·")] for term in terms.split(" + ")]
    if view.show == "letters":
        pixel = "abcdefghi" if view.input_size == 3 else [f"x{i}" for i in range(25)]
        weight = "pqrs" if view.kernel_size < 3 else [f"w{i}" for i in range(9)]
        names = [[weight[w], "0" if x is None else pixel[x]] for w, x in taps]
        assert [[part.translate(SUBSCRIPTS) for part in pair] for pair in pairs] == names
        return
    weights, pixels = (sum(grid, []) for grid in (view.kernel, view.input))  # noqa: RUF017
    numbers = [[weights[w], 0 if x is None else pixels[x]] for w, x in taps]
    assert [[float(part) for part in pair] for pair in pairs] == numbers
    assert float(total) == sum(a * b for a, b in numbers)


@pytest.mark.parametrize("settings", SAMPLE)
def test_a_pixel_lights_its_column(settings, open_page):
    view = MatrixView(**settings)
    page = open_page(view)
    choose(page, "Dense matrix")
    windows = windows_of(view)
    heads = [("left", 0, pixel) for pixel in range(view.input_size**2)]
    for pixel, (lit, selected, words) in enumerate(click_each(page, heads)):
        assert selected == ["pixel", pixel]
        outputs = [o for o, window in enumerate(windows) if pixel in window]
        entries = {(o + 1, pixel) for o in outputs}
        assert lit["left"] == entries | {(0, pixel)}
        assert lit["right"] == {(pixel, 0)}
        assert lit["result"] == {(o, 0) for o in outputs}
        assert lit["output"] == square(outputs, view.output_size)
        row, col = divmod(pixel, view.input_size)
        assert lit["input"] == {(row + view.padding, col + view.padding)}
        count = {0: "no window.", 1: "1 window:"}.get(len(outputs), f"{len(outputs)} windows:")
        assert f"is read by {count}" in words
        named = re.findall(r" in y([₀-₉]+)", words)
        assert [int(name.translate(SUBSCRIPTS)) for name in named] == outputs


def test_the_column_of_a_pixel_is_the_transpose(open_page):
    page = open_page(MatrixView())
    cell(page, "right", 4, 0).click()
    words = "Pixel e is read by 4 windows: s·e in y₀, r·e in y₁, q·e in y₂, p·e in y₃."
    assert sum_of(page) == words
    choose(page, "Numbers")
    assert sum_of(page).startswith("Pixel e = 1 is read by 4 windows: (−1)·1 in y₀, 3·1 in y₁")


@pytest.mark.parametrize("settings", SAMPLE)
def test_a_weight_lights_its_copies(settings, open_page):
    view = MatrixView(**settings)
    page = open_page(view)
    windows = windows_of(view)
    places = [("kernel", *divmod(i, view.kernel_size)) for i in range(view.kernel_size**2)]
    for weight, (lit, selected, words) in enumerate(click_each(page, places)):
        assert selected == ["weight", weight]
        real = {
            (o, window[weight]) for o, window in enumerate(windows) if window[weight] is not None
        }
        if view.view == "dense":
            heads = {(0, pixel) for _, pixel in real}
            assert lit["left"] == {(o + 1, pixel) for o, pixel in real} | heads
            assert lit["result"] == {(o, 0) for o, _ in real}
            every = {1: "the only row"}.get(len(windows), f"all {len(windows)} rows, once in each")
            lost = len(windows) - len(real)
            part = f"{len(real)} of {len(windows)} rows; in the other {lost} it falls on padding"
            assert words.endswith(f" stands in {part if lost else every}.")
        else:
            assert lit["left"] == {(0, weight)}
            assert lit["right"] == {(weight, o) for o in range(len(windows) + 1)}
            assert f"multiplies row {weight + 1} of U" in words


@pytest.mark.parametrize("settings", SAMPLE)
def test_an_input_pixel_lights_the_window_it_stands_for(settings, open_page):
    view = MatrixView(**settings)
    page = open_page(view)
    n, p = view.input_size, view.padding
    places = [("input", row + p, col + p) for row in range(n) for col in range(n)]
    seen = zip(places, click_each(page, places), strict=True)
    for pixel, (place, (lit, selected, _)) in enumerate(seen):
        window = window_by_the_rule(view, pixel)
        expected = ["pixel", pixel] if window is None else ["output", window]
        assert selected == expected
        assert place[1:] in lit["input"]


@pytest.mark.parametrize("view", ["dense", "im2col"])
def test_the_mouse_lights_and_leaves_no_trace(view, open_page):
    page = open_page(MatrixView(view=view))

    def everything():
        return all_lit(page), sum_of(page)

    before = everything()
    cell(page, "output", 1, 0).hover()
    assert lit(page, "output") == {(1, 0)}
    assert sum_of(page) == "y₂ = p·d + q·e + r·g + s·h"
    cell(page, "kernel", 0, 1).hover()
    assert sum_of(page).startswith("Weight q")
    page.locator("h1").hover()
    assert everything() == before
    assert page.evaluate("models[0].saved") == 0
    cell(page, "result", *((2, 0) if view == "dense" else (0, 2))).click()
    page.locator("h1").hover()
    assert lit(page, "output") == {(1, 0)}
    assert state(page, "selected") == ["output", 2]
    assert page.evaluate("models[0].saved") > 0


def test_a_finger_picks(open_page):
    page = open_page(MatrixView(), has_touch=True)
    cell(page, "left", 2, 0).dispatch_event("pointerover", {"pointerType": "touch"})  # scrolling
    assert lit(page, "output") == {(0, 0)}
    cell(page, "left", 3, 0).tap()
    assert state(page, "selected") == ["output", 2]
    page.locator("h1").tap()
    assert lit(page, "output") == {(1, 0)}


def test_padding_is_not_picked(open_page):
    page = open_page(MatrixView(padding=1))
    cell(page, "input", 0, 0).click()
    assert state(page, "selected") == ["output", 0]
    assert cell(page, "input", 0, 0).get_attribute("aria-label") == "Padding, 0"


FRAMED = """() => Object.fromEntries([...document.querySelectorAll(".cb-shell")].map((shell) => {
  const name = shell.querySelector(".cb-grid").className.match(/cb-grid-(\\w+)/)[1];
  const frame = shell.querySelector(".cb-frame");
  const box = frame.getBoundingClientRect();
  const inside = [...shell.querySelectorAll(".cb-row")].flatMap((row, i) =>
    [...row.children].map((cell, j) => [cell.getBoundingClientRect(), i, j]))
    .filter(([c]) => c.top >= box.top && c.left >= box.left
      && c.right <= box.right && c.bottom <= box.bottom);
  return [name, frame.hidden ? [] : inside.map(([, i, j]) => [i, j])];
}))"""


def framed(page):
    """Cells inside the frame of each grid; the frame fits them closely."""
    return {
        name: {tuple(place) for place in cells} for name, cells in page.evaluate(FRAMED).items()
    }


def test_frames_surround_what_is_chosen(open_page):
    page = open_page(MatrixView(padding=1, selected=("output", 6)))
    frames = framed(page)
    assert frames["input"] == {(i, j) for i in (1, 2) for j in (2, 3)}
    assert frames["output"] == {(1, 2)}
    assert frames["left"] == {(7, j) for j in range(9)}
    assert frames["result"] == {(6, 0)}
    assert frames["right"] == frames["kernel"] == set()
    cell(page, "left", 0, 4).click()
    frames = framed(page)
    assert frames["left"] == {(i, 4) for i in range(1, 17)}
    assert frames["right"] == {(4, 0)}
    assert frames["input"] == {(2, 2)}
    choose(page, "Windows as columns")
    cell(page, "right", 0, 7).click()
    assert framed(page)["right"] == {(i, 7) for i in range(4)}
    cell(page, "right", 2, 0).click()
    assert framed(page)["right"] == {(2, j) for j in range(1, 17)}
    assert framed(page)["left"] == {(0, 2)}


# ------------------------------------------------------------------ controls


def test_sliders_redraw_everything(open_page):
    page = open_page(MatrixView())
    slide(page, "Input size", 5)
    slide(page, "Kernel size", 3)
    slide(page, "Stride", 2)
    slide(page, "Padding", 1)
    view = MatrixView(input_size=5, kernel_size=3, stride=2, padding=1)
    assert page.locator(".cb-summary").inner_text() == view.summary
    assert page.locator(".cb-code").inner_text() == view.code
    assert len(body(page, view)) == 9
    assert page.locator(".cb-grid-input .cb-pad").count() == 24
    slide(page, "Input size", 3)
    slide(page, "Kernel size", 2)
    slide(page, "Stride", 1)
    slide(page, "Padding", 0)
    assert shown(page, "left")[0] == list("abcdefghi")


def test_what_is_chosen_stays_inside_what_there_is(open_page):
    page = open_page(MatrixView(selected=("output", 3)))
    slide(page, "Kernel size", 3)
    assert sum_of(page).startswith("y₀ = ")
    assert lit(page, "output") == {(0, 0)}
    page.get_by_role("button", name="Next window").click()
    assert state(page, "selected") == ["output", 0]


@pytest.mark.parametrize(("kind", "count"), [("output", 4), ("pixel", 9), ("weight", 4)])
def test_stepping_goes_round(kind, count, open_page):
    page = open_page(MatrixView(selected=(kind, 0)))
    noun = "window" if kind == "output" else kind
    page.get_by_role("button", name=f"Previous {noun}").click()
    assert page.get_by_text(f"{noun.title()} {count} of {count}").is_visible()
    assert state(page, "selected") == [kind, count - 1]
    page.get_by_role("button", name=f"Next {noun}").click()
    assert page.get_by_text(f"{noun.title()} 1 of {count}").is_visible()


def test_reset_brings_everything_back(open_page):
    page = open_page(MatrixView(padding=1, selected=("pixel", 2)))
    slide(page, "Kernel size", 3)
    choose(page, "Numbers")
    choose(page, "Windows as columns")
    cell(page, "output", 0, 0).click()
    page.get_by_role("button", name="Reset").click()
    assert page.locator(".cb-summary").inner_text() == MatrixView(padding=1).summary
    assert shown(page, "left")[0] == list("abcdefghi")
    assert sum_of(page).startswith("Pixel c")


def test_copy(open_page):
    page = open_page(MatrixView([[1, -2, 0.5], [3, 0, 1], [2, 2, 1]], [[1, -1], [0, 2]]))
    for label in ("Dense matrix", "Windows as columns"):
        choose(page, label)
        page.get_by_role("button", name="Copy the line").click()
        read = "navigator.clipboard.readText()"
        line = page.locator(".cb-code").inner_text()
        page.wait_for_function(f"(line) => {read}.then((text) => text === line)", arg=line)
        page.get_by_role("button", name="Copy with numbers").click()
        page.wait_for_function(f"{read}.then((text) => text.startsWith('import torch'))")
        scope = {}
        exec(page.evaluate(read), scope)
        expected = F.conv2d(scope["x"], scope["w"]).flatten()
        assert scope["y"].flatten().tolist() == expected.tolist() == [3, -0.5, 7, 1]


# ------------------------------------------------------------------ keyboard


def focused(page):
    return page.evaluate("document.activeElement.getAttribute('aria-label')")


@pytest.mark.parametrize("view", ["dense", "im2col"])
def test_every_control_and_each_grid_is_reached_with_tab(view, open_page, tab_stops):
    page = open_page(MatrixView(view=view))
    stops = tab_stops(page)
    place = "Row y₀, column a" if view == "dense" else "Column y₀, row p"
    factor = {
        "dense": [f"{place}: weight p", "Pixel a"],
        "im2col": ["Weight p", f"{place}: pixel a"],
    }
    assert stops[-10:] == [
        "Pixel a",
        "Weight p",
        "Output y₀",
        *factor[view],
        "Output y₀",
        "Previous window",
        "Next window",
        "Copy the line",
        "Copy with numbers",
    ]
    for name in ["Reset", "Input size", "Kernel size", "Stride", "Padding"]:
        assert any(name in stop for stop in stops)
    assert len(stops) == 10 + 7


def test_focus_lights_and_keys_keep(open_page):
    page = open_page(MatrixView())
    cell(page, "kernel", 0, 0).focus()
    assert sum_of(page).startswith("Weight p")
    page.keyboard.press("Tab")
    assert sum_of(page).startswith("y₀")
    assert page.evaluate("models[0].saved") == 0  # passing by keeps nothing
    for key, index in [("ArrowRight", 1), ("ArrowDown", 3), ("ArrowLeft", 2), ("ArrowUp", 0)]:
        page.keyboard.press(key)
        assert state(page, "selected") == ["output", index]
    page.keyboard.press("Shift+Tab")
    assert sum_of(page).startswith("Weight p")
    page.keyboard.press("Enter")
    assert state(page, "selected") == ["weight", 0]
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert state(page, "selected") == ["pixel", 0]


def test_arrows_walk_the_matrix_and_its_heads(open_page):
    page = open_page(MatrixView())
    cell(page, "left", 1, 0).focus()
    for key, label, selected in [
        ("ArrowRight", "Row y₀, column b: weight q", ["output", 0]),
        ("ArrowRight", "Row y₀, column c: zero", ["output", 0]),
        ("ArrowDown", "Row y₁, column c: weight q", ["output", 1]),
        ("ArrowUp", "Row y₀, column c: zero", ["output", 0]),
        ("ArrowUp", "Pixel c", ["pixel", 2]),
        ("ArrowLeft", "Pixel b", ["pixel", 1]),
        ("ArrowUp", "Pixel b", ["pixel", 1]),
    ]:
        page.keyboard.press(key)
        assert (focused(page), state(page, "selected")) == (label, selected)
    choose(page, "Windows as columns")
    cell(page, "right", 0, 1).focus()
    page.keyboard.press("ArrowLeft")
    assert (focused(page), state(page, "selected")) == ("Weight p", ["weight", 0])
    page.keyboard.press("ArrowDown")
    assert state(page, "selected") == ["weight", 1]


def test_keys_count_while_the_mouse_rests_on_a_grid(open_page):
    page = open_page(MatrixView())
    cell(page, "output", 0, 0).hover()
    cell(page, "result", 0, 0).focus()
    page.keyboard.press("ArrowDown")
    assert sum_of(page).startswith("y₁")


# ------------------------------------------------------------------ host and kernel


def test_changes_from_a_kernel_are_drawn(open_page):
    page = open_page(MatrixView())
    page.evaluate(SET, {"padding": 1, "show": "numbers", "selected": ["output", 5]})
    view = MatrixView(padding=1, show="numbers")
    assert page.locator(".cb-summary").inner_text() == view.summary
    assert lit(page, "output") == {(1, 1)}
    assert float(shown(page, "result")[5][0]) == view.output[1][1]


# ------------------------------------------------------------------ space


# Where each row of the matrix (its columns, for windows as columns) and its output stand, and how
# wide an entry is.
PLACES = """(dense) => {
  const cells = (grid) => [...document.querySelectorAll(`.cb-grid-${grid} .cb-row`)]
    .map((row) => [...row.children].map((cell) => cell.getBoundingClientRect()));
  const [left, right, result] = ["left", "right", "result"].map(cells);
  const entry = document.querySelector(".cb-product .cb-zero, .cb-product .cb-x");
  return {
    rows: dense ? left.length - 1 : right.length,
    lines: dense ? left.slice(1).map(([first]) => first.y) : right[0].slice(1).map(({ x }) => x),
    outputs: result.flat().map((box) => dense ? box.y : box.x),
    size: entry.getBoundingClientRect().width,
  };
}"""


@pytest.mark.parametrize("width", [320, 360, 760])
@pytest.mark.parametrize("view", ["dense", "im2col"])
def test_every_setting_fits_and_is_aligned(view, width, open_page, assert_fits):
    page = open_page(MatrixView(view=view), width=width)
    for settings in (s for s in GRID if s["view"] == view):
        page.evaluate(SET, settings)
        places = page.evaluate(PLACES, view == "dense")
        assert places["rows"] == MatrixView(**settings).counts["shape"][0]
        assert places["lines"] == pytest.approx(places["outputs"], abs=1), settings
        assert places["size"] >= (3 if width == 320 else 4)
        assert_fits(page)


def test_letters_go_where_they_cannot_be_read(open_page):
    page = open_page(MatrixView(input_size=5, kernel_size=2, padding=1), width=360)
    size = "getComputedStyle(document.querySelector('.cb-grid-left .cb-tint')).fontSize"
    assert page.evaluate(size) == "0px"
    assert look(page, "left")[1][0]["label"] == "Row y₀, column x₀: weight s"
    slide(page, "Input size", 3)
    slide(page, "Padding", 0)
    assert float(page.evaluate(size).removesuffix("px")) >= 9
