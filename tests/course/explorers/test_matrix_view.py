"""The matrix view without a browser: numbers, what the page shows and lights, and its sentences."""

# ruff: noqa: RUF017 -- the lists joined with sum() are short

import itertools
import re

import pytest
import torch
import torch.nn.functional as F

from convbook.course import colours
from convbook.course.explorers import MatrixView
from convbook.functional import conv2d_matrix, unfold
from tests.helpers.javascript import module

MATRICES = module("parts/matrix_view_matrices.js")
SHEETS = module("parts/matrix_view_sheets.js")
WORDS = module("parts/matrix_view_words.js")
SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")

# Every setting of the sliders, in both views.
GRID = [
    {"input_size": n, "kernel_size": k, "stride": s, "padding": p, "view": view}
    for n, k, s, p, view in itertools.product(
        (3, 4, 5), (1, 2, 3), (1, 2), (0, 1), ("dense", "im2col")
    )
]
SAMPLE = GRID[::5]  # every value of every setting, in both views


def tensor(grid):
    return torch.tensor(grid, dtype=torch.float64)[None, None]


def of_torch(view):
    """The view's matrix and output by PyTorch and by the book's own functions."""
    x, w = tensor(view.input), tensor(view.kernel)
    settings = {"stride": view.stride, "padding": view.padding}
    if view.view == "dense":
        matrix = conv2d_matrix(w, (view.input_size, view.input_size), **settings)
    else:
        matrix = F.unfold(x, view.kernel_size, **settings)[0]
    return matrix.tolist(), F.conv2d(x, w, **settings)[0, 0].tolist()


def windows_of(view):
    """The pixels behind each output, by torch: index 0, 1, ... or None in the padding."""
    n = view.input_size
    places = torch.arange(1.0, n * n + 1).reshape(1, 1, n, n)
    columns = F.unfold(places, view.kernel_size, padding=view.padding, stride=view.stride)[0].T
    return [[int(place) - 1 if place else None for place in window] for window in columns]


def page_of(view):
    """What the page draws, as JavaScript works it out."""
    return SHEETS.pageOf(view.stored_state(), view.input_values, view.kernel_values, 740)


def sheets_of(page):
    return {sheet["name"]: sheet for sheet in SHEETS.sheetsOf(page)}


def rows_of(sheet):
    """The cells of a sheet row by row, without the heads of a matrix."""
    inner = [cell for cell in sheet["cells"] if cell["sort"] not in ("column", "row")]
    return [list(row) for _, row in itertools.groupby(inner, key=lambda cell: cell["row"])]


def texts(sheet):
    return [[cell["text"] for cell in row] for row in rows_of(sheet)]


def numbers(rows):
    """Shown cells as numbers; a zero of the matrix has no text."""
    return [[float(text.replace("−", "-") or 0) for text in row] for row in rows]


# ------------------------------------------------------------------ numbers


@pytest.mark.usefixtures("one_thread")
def test_python_and_javascript_equal_pytorch_over_the_whole_control_grid():
    for settings in GRID:
        view = MatrixView(**settings, show="numbers")
        matrix, output = of_torch(view)
        assert (view.matrix, view.output) == (matrix, output), settings
        assert len(output) == view.output_size
        scope = {"conv2d_matrix": conv2d_matrix, "unfold": unfold}
        values = {"x": tensor(view.input), "w": tensor(view.kernel)}
        assert eval(view.code, scope, values).flatten().tolist() == sum(output, [])
        page = page_of(view)
        sheets = sheets_of(page)
        assert WORDS.packageLine(page) == view.code
        name, factor = ("left", "right") if view.view == "dense" else ("right", "left")
        assert numbers(texts(sheets[name])) == matrix, settings
        assert numbers(texts(sheets["w"])) == view.kernel
        assert numbers(texts(sheets["y"])) == output
        vector = view.input if view.view == "dense" else view.kernel
        assert sum(numbers(texts(sheets[factor])), []) == sum(vector, [])
        assert len(sheets["x"]["cells"]) == (view.input_size + 2 * view.padding) ** 2


def test_counts_equal_those_of_the_matrix_over_the_whole_control_grid():
    for settings in GRID:
        view = MatrixView(**settings)
        counts = view.counts
        n, k = view.input_size, view.kernel_size
        ones = torch.ones(1, 1, n, n, dtype=torch.float64)
        taps = F.unfold(ones, k, stride=view.stride, padding=view.padding)
        reads = F.fold(taps, n, k, stride=view.stride, padding=view.padding).flatten()
        assert counts["shape"] == torch.tensor(view.matrix).shape
        assert counts["entries"] == torch.tensor(view.matrix).numel()
        assert counts["copies"] == taps.sum() == reads.sum()
        assert counts["padding"] == (taps == 0).sum()
        assert counts["padding"] != 1  # the sentences say "zeros" and "taps"
        assert counts["pixels"] == (reads > 0).sum()
        assert (counts["most"], counts["times"]) == (reads.argmax(), reads.max())
        assert MATRICES.countsOf(page_of(view)) == {**counts, "shape": list(counts["shape"])}


def test_attributes_are_read_and_written():
    view = MatrixView(torch.arange(16.0).reshape(4, 4), [[0, 0.5], [-1, 2]], view="im2col")
    assert (view.input_size, view.kernel_size) == (4, 2)
    assert view.output[0][0] == 0.5 * 1 - 4 + 2 * 5
    view.padding, view.stride, view.view = 1, 2, "dense"
    assert (view.matrix, view.output) == of_torch(view)
    view.input = [[number] * 5 for number in range(5)]
    view.kernel = [[1]]
    assert (view.input_size, view.kernel_size) == (5, 1)
    assert (view.matrix, view.output) == of_torch(view)
    view.input_size = 3
    assert view.input == [[number] * 3 for number in range(3)]


def test_static_form_shows_the_numbers():
    for settings in GRID:
        view = MatrixView(**settings)
        html = view.static_html()
        tables = [
            [re.findall("<td>(.*?)</td>", row) for row in re.findall("<tr>(.*?)</tr>", table)]
            for table in re.findall("<table>.*?</table>", html)
        ]
        shown = [numbers(table) for table in tables]
        assert shown == [view.input, view.kernel, view.output, view.matrix]
        assert f"y = {view.code}" in html
    assert "Matrix M, 4 × 9" in MatrixView().static_html()


# ------------------------------------------------------------------ settings


def test_limits_are_pythons():
    traits = MatrixView.class_traits()
    for name, limits in WORDS.LIMITS().items():
        assert limits == [traits[name].low, traits[name].high]


def test_examples_show_what_they_say():
    first, windows, stride, padding = WORDS.PRESETS()
    views = [MatrixView(**p["settings"]) for p in (first, windows, stride, padding)]
    assert views[0].stored_state() == MatrixView().stored_state()
    assert all(len(set(p["settings"]) - {"show"}) == 5 for p in (first, windows, stride, padding))
    assert {len(row) - row.count(0) for row in views[0].matrix} == {4}  # no weight is 0
    counts = [view.counts for view in views]
    assert (counts[1]["padding"], counts[1]["most"], counts[1]["times"]) == (0, 4, 4)
    assert "pixel e is written four times" in windows["note"]
    again = MatrixView(**(stride["settings"] | {"stride": 1}))
    assert [view.counts["shape"][0] for view in (again, views[2])] == [9, 4]
    assert (counts[2]["pixels"], counts[2]["times"]) == (16, 1)
    assert counts[3]["shape"] == (9, 9)
    full = [
        len([pixel for pixel in window if pixel is not None]) for window in windows_of(views[3])
    ]
    assert [i for i, taps in enumerate(full) if taps == 9] == [4]


def test_the_script_runs_as_it_stands():
    for name in ("dense", "im2col"):
        view = MatrixView([[1, -2, 0.5], [3, 0, 1], [2, 2, 1]], [[1, -1], [0, 2]], view=name)
        scope = {}
        exec(WORDS.packageScript(page_of(view)), scope)
        assert scope["y"].flatten().tolist() == [3, -0.5, 7, 1]


# ------------------------------------------------------------------ what is shown


def test_letters():
    sheets = sheets_of(page_of(MatrixView()))
    assert texts(sheets["x"]) == [list("abc"), list("def"), list("ghi")]
    assert texts(sheets["w"]) == [list("pq"), list("rs")]
    assert [cell["text"] for cell in sheets["left"]["cells"][:9]] == list("abcdefghi")
    rows = ["pq.rs....", ".pq.rs...", "...pq.rs.", "....pq.rs"]
    assert texts(sheets["left"]) == [[c.replace(".", "") for c in row] for row in rows]
    assert texts(sheets["right"]) == [[letter] for letter in "abcdefghi"]
    assert texts(sheets["result"]) == [["y₀"], ["y₁"], ["y₂"], ["y₃"]]
    sheets = sheets_of(page_of(MatrixView(view="im2col")))
    assert texts(sheets["left"]) == [list("pqrs")]
    assert texts(sheets["right"]) == [list("abde"), list("bcef"), list("degh"), list("efhi")]
    assert texts(sheets["result"]) == [["y₀", "y₁", "y₂", "y₃"]]


def test_names_never_collide():
    for settings in GRID:
        sheets = sheets_of(page_of(MatrixView(**settings)))
        cells = [cell for name in "xwy" for cell in sheets[name]["cells"] if cell["sort"] == "pick"]
        names = {cell["text"] for cell in cells}
        assert len(names) == len(cells)
        assert not names & {"x", "y", "w", "M", "U", "0"}


@pytest.mark.parametrize("kernel_size", [1, 2, 3])
def test_equal_weights_have_equal_tints_and_zeros_none(kernel_size):
    # In numbers, one weight is 0: it keeps its tint.
    kernel = [row[:kernel_size] for row in [[0, 2, 3], [4, 5, 6], [7, 8, 9]][:kernel_size]]
    page = page_of(MatrixView(None, kernel, padding=1, input_size=4, show="numbers"))
    count = kernel_size**2
    tints = [SHEETS.tintOf(weight, count) for weight in range(count)]
    assert [colours.WEIGHTS[tint - 1] for tint in tints] == colours.weight_tints(count)
    for cell in itertools.chain(*rows_of(sheets_of(page)["left"])):
        tint = None if cell["weight"] is None else tints[cell["weight"]]
        assert cell["css"] == (
            "cb-cell cb-zero" if tint is None else f"cb-cell cb-tint cb-tint-{tint}"
        )


# ------------------------------------------------------------------ what belongs together


def places_in(view):
    """Return a function: what a selection lights and frames in each grid, as (row, column)."""
    page = page_of(view)
    sheets = sheets_of(page)

    def places(*selection):
        found = {}
        for name, sheet in sheets.items():
            lists = SHEETS.placesOf(page, sheet, selection)
            found[name] = [{(c["row"], c["col"]) for c in lists[key]} for key in ("lit", "framed")]
        return found

    return places


def square(indices, side):
    return {divmod(index, side) for index in indices}


def test_row_patch_column_and_output_belong_together():
    for settings in SAMPLE:
        view = MatrixView(**settings)
        places, k = places_in(view), view.kernel_size
        for o, window in enumerate(windows_of(view)):
            found = places("output", o)
            top, left = (i * view.stride - view.padding for i in divmod(o, view.output_size))
            patch = {(top + i, left + j) for i in range(k) for j in range(k)}
            assert found["x"] == [patch, patch]
            assert found["y"] == [square([o], view.output_size)] * 2
            read = [pixel for pixel in window if pixel is not None]
            if view.view == "dense":
                row = {(o, pixel) for pixel in range(view.input_size**2)}
                heads = {(-1, pixel) for pixel in read}
                assert found["left"] == [{(o, pixel) for pixel in read} | heads, row]
                assert found["right"] == [{(pixel, 0) for pixel in read}, set()]
                assert found["result"] == [{(o, 0)}] * 2
                weights = [weight for weight, pixel in enumerate(window) if pixel is not None]
                assert found["w"] == [square(weights, k), set()]
            else:
                column = {(weight, o) for weight in range(k * k)}
                heads = {(weight, -1) for weight in range(k * k)}
                assert found["right"] == [column | heads, column]
                assert found["left"] == [{(0, weight) for weight in range(k * k)}, set()]
                assert found["result"] == [{(0, o)}] * 2


def test_a_pixel_has_a_column_and_a_weight_its_copies():
    for settings in SAMPLE:
        view = MatrixView(**settings)
        places, windows = places_in(view), windows_of(view)
        for pixel in range(view.input_size**2):
            found = places("pixel", pixel)
            outputs = [o for o, window in enumerate(windows) if pixel in window]
            assert found["x"] == [square([pixel], view.input_size)] * 2
            assert found["y"][0] == square(outputs, view.output_size)
            if view.view == "dense":
                column = {(o, pixel) for o in range(len(windows))}
                assert found["left"] == [{(o, pixel) for o in outputs} | {(-1, pixel)}, column]
                assert found["right"] == [{(pixel, 0)}] * 2
            else:
                copies = {(windows[o].index(pixel), o) for o in outputs}
                assert found["right"][0] - copies == {(weight, -1) for weight, _ in copies}
                assert found["right"][1] == set()
        for weight in range(view.kernel_size**2):
            found = places("weight", weight)
            real = {(o, w[weight]) for o, w in enumerate(windows) if w[weight] is not None}
            assert found["w"] == [square([weight], view.kernel_size)] * 2
            if view.view == "dense":
                assert found["left"] == [real | {(-1, pixel) for _, pixel in real}, set()]
            else:
                row = {(weight, o) for o in range(len(windows))}
                assert found["right"] == [row | {(weight, -1)}, row]


def test_an_input_pixel_chooses_the_window_that_starts_there():
    """The last window, along each axis, that starts at the pixel or before it and reads it."""
    for settings in GRID:
        view = MatrixView(**settings)
        windows, side = windows_of(view), view.output_size
        for cell in sheets_of(page_of(view))["x"]["cells"]:
            pixel = cell["pixel"]
            if pixel is None:
                assert (cell["sort"], cell["label"]) == ("still", "padding, 0")
                continue
            reading = [o for o, window in enumerate(windows) if pixel in window]
            best = max(reading, key=lambda o: divmod(o, side), default=None)
            assert cell["chooses"] == (["pixel", pixel] if best is None else ["output", best])


# ------------------------------------------------------------------ sentences


def said(page, *selection):
    parts = WORDS.sentenceOf(page, list(selection))
    return "".join(part if isinstance(part, str) else part[1] for part in parts)


@pytest.mark.parametrize("show", ["letters", "numbers"])
def test_sums_name_the_taps_of_a_window_and_add_up(show):
    for settings in GRID:
        view = MatrixView(**settings, show=show)
        page = page_of(view)
        x, w = sum(view.input, []), sum(view.kernel, [])
        if show == "letters":
            x = list("abcdefghi") if len(x) == 9 else [f"x{i}" for i in range(25)]
            w = list("pqrs") if len(w) < 9 else [f"w{i}" for i in range(9)]
        for o, window in enumerate(windows_of(view)):
            start, _, rest = said(page, "output", o).translate(SUBSCRIPTS).partition(" = ")
            assert start == f"y{o}"
            taps = [tap for tap in enumerate(window) if view.view == "im2col" or tap[1] is not None]
            if not taps:
                assert rest == "0: this window sees padding only."
                continue
            terms, _, total = rest.replace("−", "-").partition(" = ")
            pairs = [[part.strip("()") for part in term.split("·")] for term in terms.split(" + ")]
            expected = [[w[weight], 0 if pixel is None else x[pixel]] for weight, pixel in taps]
            assert pairs == [[str(a), str(b)] for a, b in expected]
            if show == "numbers":
                assert float(total) == sum(a * b for a, b in expected)


@pytest.mark.parametrize(
    ("settings", "selection", "sentence"),
    [
        (
            {},
            ("pixel", 4),
            "Pixel e is read by 4 windows: s·e in y₀, r·e in y₁, q·e in y₂, p·e in y₃.",
        ),
        ({"show": "numbers"}, ("pixel", 0), "Pixel a = 2 is read by 1 window: 1·2 in y₀."),
        ({"kernel_size": 1, "stride": 2}, ("pixel", 1), "Pixel b is read by no window."),
        ({}, ("weight", 1), "Weight q stands in 4 of 4 rows."),
        ({"kernel_size": 3}, ("weight", 0), "Weight w₀ stands in 1 of 1 row."),
        (
            {"show": "numbers", "padding": 1},
            ("weight", 0),
            "Weight p = 1 stands in 9 of 16 rows; in the other 7 it falls on padding.",
        ),
        (
            {"view": "im2col", "padding": 1},
            ("weight", 3),
            "Weight s multiplies row 4 of U: a pixel from 16 windows, 7 of them padding.",
        ),
    ],
)
def test_sentences_of_pixels_and_weights(settings, selection, sentence):
    assert said(page_of(MatrixView(**settings)), *selection) == sentence


@pytest.mark.parametrize(
    ("settings", "summary"),
    [
        ({}, "4 × 9 matrix: 36 entries, 20 zeros, 16 copies of 4 weights."),
        ({"kernel_size": 3}, "1 × 9 matrix: 9 entries, no zeros, 9 copies of 9 weights."),
        (
            {"kernel_size": 1, "stride": 2, "padding": 1},
            "9 × 9 matrix: 81 entries, 80 zeros, 1 copy of 1 weight. "
            "8 taps fall on padding and have no column.",
        ),
        (
            {"view": "im2col"},
            "4 × 4 matrix: 16 entries, no zeros. The 9 pixels are written 16 times, "
            "pixel e 4 times.",
        ),
        (
            {"view": "im2col", "kernel_size": 1, "stride": 2, "padding": 1},
            "1 × 9 matrix: 9 entries, 8 zeros from padding. 1 of the 9 pixels is written once.",
        ),
    ],
)
def test_summary(settings, summary):
    assert WORDS.summaryOf(page_of(MatrixView(**settings))) == summary
