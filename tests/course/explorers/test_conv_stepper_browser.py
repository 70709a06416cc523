"""The conv stepper in a real browser: arithmetic, mouse, keyboard."""

import functools
import itertools

import pytest
import torch
import torch.nn.functional as F

from convbook.arithmetic import conv_output_size, conv_transpose_output_size, same_padding
from convbook.course.explorers import ConvStepper
from tests.helpers.explorer_pages import SET

pytestmark = pytest.mark.browser

# ------------------------------------------------------------------ what the page shows


def number(text):
    return float(text.replace("\u2212", "-"))


def shown_output(page):
    rows = page.evaluate(
        """[...document.querySelectorAll(".cb-grid-output .cb-row")]
           .map((row) => [...row.querySelectorAll(".cb-y")].map((cell) => cell.textContent))"""
    )
    return [[number(cell) for cell in row] for row in rows if row]


def shown_fields(page, kind):
    rows = page.evaluate(
        """(kind) => [...document.querySelectorAll(`.cb-grid-${kind} .cb-row`)]
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
    return page.get_by_role("slider", name=label)


def slide(page, label, value):
    slider(page, label).fill(str(value))


def choose_mode(page, label):
    page.get_by_role("radio", name=label).check()


def cell(page, row, col):
    return page.get_by_role("gridcell", name=f"Output row {row}, column {col}:")


def field(page, kind, row, col):
    return page.locator(
        f'.cb-grid-{kind} input[aria-label^="{kind.title()} row {row}, column {col}"]'
    )


# ------------------------------------------------------------------ arithmetic

SIZES, KERNELS, STRIDES = range(1, 11), range(1, 6), range(1, 5)
PADDINGS, DILATIONS, EXTRAS = range(5), range(1, 4), range(4)


def refused(function, *arguments):
    try:
        return function(*arguments)
    except ValueError:
        return None


# Two sums in which every cell has its own weight: whole numbers, so exact.
PLACE = torch.arange(1, 401, dtype=torch.float64)
WEIGHTS = torch.stack([PLACE, PLACE * 7919 % 1009])


def checksums(output):
    flat = output.flatten()
    return (WEIGHTS[:, : len(flat)] @ flat).int().tolist()


def expected_convolution(grids, setting):
    size, kernel, stride, dilation, before, after = setting
    expected = refused(conv_output_size, size + before + after, kernel, stride, 0, dilation)
    if before == after:
        whole = refused(conv_output_size, size, kernel, stride, before, dilation)
        assert whole == expected
    if expected is None:
        return [None]
    x, w = grids[0][:, :, :size, :size], grids[1][:, :, :kernel, :kernel]
    padded = F.pad(x, (before, after, before, after))
    output = F.conv2d(padded, w, stride=stride, dilation=dilation)
    assert output.shape[-1] == expected
    return [expected, *checksums(output)]


def expected_transposed(grids, setting, uncropped):
    size, kernel, stride, dilation, before, after, extra = setting
    full = refused(conv_transpose_output_size, size, kernel, stride, 0, extra, dilation)
    expected = None if full is None or full <= before + after else full - before - after
    if before == after:
        arguments = (size, kernel, stride, before, extra, dilation)
        assert refused(conv_transpose_output_size, *arguments) == expected
    if expected is None:
        return [None]
    if full > 20:  # more than the explorer draws: the size will do
        return [expected]
    x, w = grids[0][:, :, :size, :size], grids[1][:, :, :kernel, :kernel]
    if before == after:
        output = F.conv_transpose2d(x, w, None, stride, before, extra, 1, dilation)
    else:
        key = (size, kernel, stride, dilation, extra)
        if key not in uncropped:
            uncropped[key] = F.conv_transpose2d(x, w, None, stride, 0, extra, 1, dilation)
        output = F.pad(uncropped[key], (-before, -after, -before, -after))
    assert output.shape[-1] == expected
    return [expected, *checksums(output)]


COMPARE = """async ({ x, w, cases, name, mode }) => {
  const module = await import("./conv_stepper.js");
  const crop = (grid, size) => grid.slice(0, size).map((row) => row.slice(0, size));
  const sizeOf = mode === "conv" ? module.convOutputSize : module.convTransposeOutputSize;
  const valuesOf = mode === "conv" ? module.convolve : module.convTranspose;
  const wrong = [];
  for (const [settings, expected] of cases) {
    const [size, kernel, stride, dilation, before, after, outputPadding = 0] = settings;
    const s = { size, kernel, stride, dilation, before, after, outputPadding };
    const got = [sizeOf(s)];
    if (expected.length > 1) {
      const y = valuesOf(crop(x, size), crop(w, kernel), s);
      const flat = y.flat();
      got.push(flat.reduce((sum, v, i) => sum + v * (i + 1), 0));
      got.push(flat.reduce((sum, v, i) => sum + v * (((i + 1) * 7919) % 1009), 0));
      if (y.length !== got[0] || y.some((row) => row.length !== got[0])) got.push("not square");
    } else if (expected[0] === null && valuesOf(crop(x, size), crop(w, kernel), s) !== null) {
      got.push("no null");
    }
    if (JSON.stringify(got) !== JSON.stringify(expected)) wrong.push([settings, expected, got]);
  }
  return wrong.slice(0, 5);
}"""


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("mode", ["conv", "transposed"])
def test_arithmetic_equals_python_over_the_whole_control_grid(mode, open_page):
    generator = torch.Generator().manual_seed(0)
    grids = [
        torch.randint(-9, 10, (1, 1, side, side), generator=generator).double() for side in (10, 5)
    ]
    axes = [SIZES, KERNELS, STRIDES, DILATIONS, PADDINGS, PADDINGS]
    expected = expected_convolution
    if mode == "transposed":
        axes.append(EXTRAS)
        expected = functools.partial(expected_transposed, uncropped={})
    cases = [[s, expected(grids, s)] for s in itertools.product(*axes)]
    assert len(cases) == (15_000 if mode == "conv" else 60_000)
    x, w = (grid[0, 0].int().tolist() for grid in grids)
    page = open_page()
    data = {"x": x, "w": w, "cases": cases, "name": "conv_stepper", "mode": mode}
    assert page.evaluate(COMPARE, data) == []


def test_same_padding_equals_python(open_page):
    page = open_page()
    got = page.evaluate(
        """async () => {
          const { samePadding } = await import("./conv_stepper.js");
          return [1, 2, 3, 4, 5].map((k) => [1, 2, 3].map((d) => samePadding(k, d)));
        }"""
    )
    assert got == [[list(same_padding(k, d)) for d in DILATIONS] for k in KERNELS]


NUMBERS = {
    "3": 3,
    " -2 ": -2,
    "\u22122": -2,
    "0.5": 0.5,
    ",5": 0.5,
    "1.": 1,
    "+4": 4,
    "": 0,
    "-0": 0,
    "-": None,
    "1e3": None,
    "two": None,
    "1.2.3": None,
    "10000": None,
    "Infinity": None,
}


def test_numbers_are_read(open_page):
    read = """async (texts) => {
      const { parseNumber } = await import("./conv_stepper.js");
      return texts.map(parseNumber);
    }"""
    texts = list(NUMBERS)
    assert dict(zip(texts, open_page().evaluate(read, texts), strict=True)) == NUMBERS


# ------------------------------------------------------------------ the stepper


def test_fallback_is_replaced_by_the_same_output(open_page):
    explorer = ConvStepper(stride=2, padding=1)
    page = open_page(explorer)
    assert page.locator(".cb-static").count() == 0
    assert shown_output(page) == explorer.output


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
]


@pytest.mark.parametrize("arguments", SAMPLE)
def test_shown_line_computes_the_shown_output(arguments, open_page):
    explorer = ConvStepper(**arguments)
    page = open_page(explorer)
    assert shown_fields(page, "input") == explorer.input
    assert shown_fields(page, "kernel") == explorer.kernel
    assert shown_output(page) == explorer.output == run_line(page)
    assert page.locator(".cb-code").inner_text() == explorer.code
    assert page.locator(".cb-formula").first.inner_text().endswith(f"= {explorer.output_size}")


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
    size = explorer.output_size
    assert len(clicked) == size * size
    for place, (text, lit) in enumerate(clicked):
        value = explorer.output[place // size][place % size]
        if "no kernel tap" in text:
            assert (value, lit) == (0, 0)
            continue
        where, terms, total = parse_sum(text)
        assert where == divmod(place, size)
        assert total == value == sum(a * b for a, b in terms)
        assert lit == len(terms)
        if explorer.mode == "convolution":
            assert len(terms) == explorer.kernel_size**2


def test_click_shows_the_window(open_page):
    page = open_page(ConvStepper(stride=2, padding=1))
    cell(page, 1, 2).click()
    where, terms, total = shown_sum(page)
    assert (where, total) == ((1, 2), 3)
    assert terms[:3] == [(0, 2), (3, 0), (0, 1)]
    lit = page.locator(".cb-grid-input .cb-lit")
    assert lit.count() == 9
    assert page.locator(".cb-grid-input .cb-pad.cb-lit").count() == 3
    assert cell(page, 1, 2).get_attribute("aria-selected") == "true"
    assert page.evaluate("models[0].get('selected')") == [1, 2]
    assert page.evaluate("models[0].saved") > 0


def test_stepping_goes_round(open_page):
    page = open_page(ConvStepper(stride=2, padding=1))
    page.get_by_role("button", name="Previous output cell").click()
    assert shown_sum(page)[0] == (2, 2)
    assert page.get_by_text("Cell 9 of 9").is_visible()
    page.get_by_role("button", name="Next output cell").click()
    page.get_by_role("button", name="Next output cell").click()
    assert shown_sum(page)[0] == (0, 1)


def test_floor_drops_pixels(open_page):
    page = open_page(ConvStepper(input_size=10, stride=2))
    assert page.locator(".cb-grid-input .cb-unread").count() == 19
    assert "read by no window" in field(page, "input", 9, 0).get_attribute("aria-label")
    note = page.locator(".cb-note")
    assert note.inner_text() == (
        "The floor drops the last row and column. 19 of 100 input pixels are read by no window."
    )
    slide(page, "Padding before", 1)
    assert "all of it padding" in note.inner_text()
    assert "Every input pixel is read" in note.inner_text()
    slide(page, "Stride", 1)
    assert page.locator(".cb-unread").count() == 0


def test_dilation_shows_separate_taps(open_page):
    page = open_page(ConvStepper(input_size=7, dilation=2))
    labels = page.locator(".cb-grid-input .cb-lit input").evaluate_all(
        "(fields) => fields.map((f) => f.getAttribute('aria-label').match(/\\d+/g).map(Number))"
    )
    assert labels == [[row, col] for row in (0, 2, 4) for col in (0, 2, 4)]


@pytest.mark.parametrize(
    ("preset", "settings"),
    [
        ("Stride 2, padding 1", {"stride": 2, "padding": 1}),
        ("Floor drops pixels", {"input_size": 10, "stride": 2}),
        ("Same, even kernel", {"kernel_size": 4, "padding": (1, 2)}),
        ("Dilation 2", {"input_size": 7, "dilation": 2}),
        ("Transposed", {"mode": "transposed", "input_size": 3, "stride": 2}),
    ],
)
def test_presets(preset, settings, open_page):
    page = open_page(ConvStepper(input_size=8, kernel_size=2, dilation=3, padding=(2, 0)))
    button = page.get_by_role("button", name=preset, exact=True)
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert shown_output(page) == ConvStepper(**settings).output == run_line(page)


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


def test_padding_sides_move_together_until_told_otherwise(open_page):
    page = open_page(ConvStepper())
    slide(page, "Padding after", 2)
    assert page.evaluate("models[0].get('padding')") == [2, 2]
    page.get_by_label("Equal on both sides").uncheck()
    slide(page, "Padding before", 0)
    assert page.evaluate("models[0].get('padding')") == [0, 2]
    assert page.locator(".cb-code").inner_text() == "F.conv2d(F.pad(x, (0, 2, 0, 2)), w)"
    page.get_by_label("Equal on both sides").check()
    assert page.evaluate("models[0].get('padding')") == [0, 0]


# ------------------------------------------------------------------ numbers typed in


@pytest.mark.parametrize("text", ["-4", "0.25", "\u22121,5", "", "120"])
def test_typed_numbers_count(text, open_page):
    page = open_page(ConvStepper(stride=2, padding=1))
    value = float(text.replace("\u2212", "-").replace(",", ".") or 0)
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


def test_what_is_no_number_is_said_and_counts_as_nought(open_page):
    page = open_page(ConvStepper())
    target = field(page, "input", 0, 1)
    target.fill("two")
    message = page.locator(".cb-message")
    assert message.inner_text().startswith("Input row 0, column 1 holds \u201ctwo\u201d")
    assert target.get_attribute("aria-invalid") == "true"
    assert page.evaluate("models[0].get('input_values')[0][1]") == 0
    page.keyboard.press("Tab")
    assert message.is_hidden()
    assert target.input_value() == "0"
    assert target.get_attribute("aria-invalid") is None
    assert shown_output(page) == run_line(page)


def test_markup_typed_in_is_only_text(open_page):
    page = open_page(ConvStepper())
    field(page, "input", 0, 0).fill("<img src=x onerror=alert(1)>")
    assert page.locator(".convbook-root img").count() == 0


# ------------------------------------------------------------------ impossible settings


def assert_no_result(page, *words):
    message = page.locator(".cb-message")
    assert message.is_visible()
    for word in words:
        assert word in message.inner_text()
    assert shown_output_visible(page) == 0
    assert page.locator(".cb-results").is_hidden()
    assert page.get_by_text("no output", exact=True).is_visible()


def shown_output_visible(page):
    return page.locator(".cb-grid-output .cb-cell:visible").count()


def test_kernel_larger_than_padded_input(open_page):
    page = open_page(ConvStepper())
    slide(page, "Input size", 2)
    assert_no_result(page, "spans 3 pixels", "2 + 0 + 0 = 2", "more padding")
    slide(page, "Padding before", 1)
    assert page.locator(".cb-message").is_hidden()
    assert shown_output(page) == ConvStepper(input_size=2, padding=1).output == run_line(page)


def test_output_padding_too_large(open_page):
    page = open_page(ConvStepper(mode="transposed", stride=2))
    slide(page, "Output padding", 2)
    assert_no_result(page, "Output padding 2", "stride (2)", "dilation (1)", "Use 1 or less")
    slide(page, "Dilation", 3)
    assert page.locator(".cb-message").is_hidden()
    settings = {"mode": "transposed", "stride": 2, "dilation": 3, "output_padding": 2}
    assert shown_output(page) == ConvStepper(**settings).output == run_line(page)


def test_everything_cropped_and_too_large(open_page):
    page = open_page(ConvStepper(mode="transposed", input_size=1, kernel_size=5))
    slide(page, "Padding before", 4)
    assert_no_result(page, "crops 4 + 4", "output of 5")
    slide(page, "Padding before", 0)
    slide(page, "Stride", 4)
    slide(page, "Input size", 10)
    assert_no_result(page, "41 \u00d7 41", "20 \u00d7 20")


# ------------------------------------------------------------------ keyboard


def focused(page):
    return page.evaluate("document.activeElement.getAttribute('aria-label')")


def test_every_control_is_reached_with_tab(open_page, tab_stops):
    page = open_page(ConvStepper(mode="transposed", stride=2))
    text = " | ".join(tab_stops(page))
    for name in ["Transposed", "Reset", "Dilation 2", "Input size", "Kernel size", "Stride"]:
        assert name in text
    for name in ["Padding before", "Padding after", "Output padding", "Equal on both"]:
        assert name in text
    for name in ["Input row 0, column 0", "Kernel row 0, column 0", "Output row 0, column 0"]:
        assert text.count(name) == 1  # one tab stop per grid
    for name in ["Previous output", "Next output", "Copy the PyTorch line", "Copy with numbers"]:
        assert name in text


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


def test_controls_answer_to_keys(open_page):
    page = open_page(ConvStepper())
    slider(page, "Stride").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_label("Equal on both sides").focus()
    page.keyboard.press("Space")
    slider(page, "Padding before").focus()
    page.keyboard.press("End")
    page.get_by_role("radio", name="Convolution").focus()
    page.keyboard.press("ArrowRight")
    state = page.evaluate("['stride', 'padding', 'mode'].map(models[0].get)")
    assert state == [2, [4, 0], "transposed"]
    expected = ConvStepper(mode="transposed", stride=2, padding=(4, 0)).output
    assert shown_output(page) == expected == run_line(page)


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


def test_a_phone_needs_no_sideways_scrolling(open_page, assert_fits):
    # Those with the most columns beside each other, and one with no output.
    largest = {"mode": "transposed", "input_size": 10, "stride": 2, "kernel_size": 2}
    steppers = [ConvStepper(**arguments) for arguments in (*SAMPLE, largest)]
    assert_fits(open_page(*steppers, width=360))
