"""The stepper without a browser: what Python and JavaScript compute, refuse and say."""

import itertools
import json
import random
import re

import pytest
import torch
import torch.nn.functional as F

from convbook.arithmetic import same_padding
from convbook.course.explorers import ConvStepper
from convbook.course.explorers.conv_stepper import _Axis
from tests.helpers.javascript import module

SETTINGS = module("parts/conv_stepper_settings.js")
WORDS = module("parts/conv_stepper_words.js")

X = [[2, 2, 3, 3, 3], [0, 1, 3, 0, 3], [2, 3, 0, 1, 3], [3, 3, 2, 1, 2], [3, 3, 0, 2, 3]]
K = [[2, 0, 1], [1, 0, 0], [0, 1, 1]]


def tensor(grid):
    return torch.tensor(grid, dtype=torch.float64)[None, None]


def evaluate(explorer):
    """The output of the explorer's own PyTorch line, as nested lists."""
    scope = {"F": F, "x": tensor(explorer.input), "w": tensor(explorer.kernel)}
    return eval(explorer.code, scope)[0, 0].tolist()


def random_settings(generator):
    """Settings of the controls, as constructor arguments; some are impossible."""

    def setting(low, high):
        one, other = generator.randint(low, high), generator.randint(low, high)
        return generator.choice([one, (one, other)])

    mode = generator.choice(["convolution", "transposed"])
    sides = [tuple(generator.randint(0, 4) for _ in "ab") for _ in "ab"]
    return {
        "mode": mode,
        "input_size": setting(1, 10),
        "kernel_size": setting(1, 5),
        "stride": setting(1, 4),
        "padding": generator.choice([generator.randint(0, 4), sides[0], tuple(sides)]),
        "dilation": setting(1, 3),
        "output_padding": setting(0, 3) if mode == "transposed" else 0,
    }


def possible(count, seed=0):
    """So many steppers with settings that give an output."""
    generator, found = random.Random(seed), []
    while len(found) < count:
        try:
            found.append(ConvStepper(**random_settings(generator)))
        except ValueError:
            continue
    return found


def read(explorer):
    """The settings as the page has them."""
    return SETTINGS.readSettings(json.loads(json.dumps(explorer.stored_state())))


# ------------------------------------------------------------------ the stepper's numbers


def test_default_is_the_books_first_worked_example():
    assert ConvStepper().input == X
    assert ConvStepper().kernel == K
    assert ConvStepper(stride=2, padding=1).output == [[1, 5, 6], [7, 8, 3], [3, 10, 4]]


def test_output_is_what_the_line_computes_in_python_and_on_the_page():
    explorers = possible(150)
    for explorer in explorers:
        s, output = read(explorer), explorer.output
        assert output == evaluate(explorer), explorer
        assert SETTINGS.pytorchLine(s) == explorer.code
        sizes = [SETTINGS.outputSizeOf(axis) for axis in s["axes"]]
        assert sizes == [len(output), len(output[0])]
        assert (sizes[0] if len(set(sizes)) == 1 else tuple(sizes)) == explorer.output_size
        y = SETTINGS.valuesOf(s, explorer.input, explorer.kernel)
        top, left = (-SETTINGS.canvasOf(axis)[0] for axis in s["axes"])
        assert [row[left : left + sizes[1]] for row in y[top : top + sizes[0]]] == output
    assert {explorer.mode for explorer in explorers} == {"convolution", "transposed"}


SIDES = list(itertools.product(range(5), range(5)))
AXES = list(itertools.product(range(1, 11), range(1, 6), range(1, 5), SIDES, range(1, 4), range(4)))
COLUMN, TAPS = [[n * n - 7] for n in range(10)], [[2], [-3], [5], [7], [-11]]


def size_of(axis):
    try:
        return axis.output
    except ValueError:
        return None


@pytest.mark.parametrize("mode", ["convolution", "transposed"])
def test_arithmetic_equals_python_over_the_whole_control_grid(mode):
    axes = [_Axis(mode, *axis, "") for axis in AXES if mode == "transposed" or axis[-1] == 0]
    assert len(axes) == (60_000 if mode == "transposed" else 15_000)
    settings = [
        {"mode": mode, "size": a.size, "kernel": a.kernel, "stride": a.stride}
        | {"before": a.padding[0], "after": a.padding[1], "dilation": a.dilation}
        | {"outputPadding": a.output_padding}
        for a in axes
    ]
    sizes = SETTINGS.each("outputSizeOf", [[s] for s in settings])
    assert sizes == [size_of(axis) for axis in axes]
    # The numbers, along one axis: the taps of 6,000 settings.
    pairs = [(a, s) for a, s, size in zip(axes, settings, sizes, strict=True) if size]
    pairs = random.Random(0).sample(pairs, 6000)
    one = {"mode": "convolution", "size": 1, "kernel": 1, "stride": 1, "dilation": 1}
    one |= {"before": 0, "after": 0}
    calls = [[{"axes": [s, one]}, COLUMN[: a.size], TAPS[: a.kernel]] for a, s in pairs]
    for (axis, _), values in zip(pairs, SETTINGS.each("valuesOf", calls), strict=True):
        top = axis.padding[0] if mode == "transposed" else 0  # what padding crops is drawn too
        for o in range(axis.output):
            expected = sum(COLUMN[i][0] * TAPS[k][0] for i, k in axis.taps(o))
            assert values[top + o] == [expected], axis


def test_presets_and_limits_are_pythons():
    traits = ConvStepper.class_traits()
    for name, limits in SETTINGS.LIMITS().items():
        assert limits == [traits[name].low, traits[name].high]
    for preset in SETTINGS.PRESETS():
        explorer = ConvStepper(**preset["settings"], selected=preset.get("selected", (0, 0)))
        stored = json.loads(json.dumps(explorer.stored_state()))
        assert {name: stored[name] for name in preset["settings"]} == preset["settings"]


def test_same_padding_equals_python():
    arithmetic = module("lib/arithmetic.js")
    for kernel, dilation in itertools.product(range(1, 6), range(1, 4)):
        assert tuple(arithmetic.samePadding(kernel, dilation)) == same_padding(kernel, dilation)


NUMBERS = {
    "3": 3, " -2 ": -2, "\u22122": -2, "0.5": 0.5, ",5": 0.5, "1.": 1, "+4": 4, "-0": 0, "": None,
    "-": None, "1e3": None, "two": None, "1.2.3": None, "10000": None, "Infinity": None,
}  # fmt: skip


def test_numbers_are_read():
    assert {text: module("lib/format.js").parseNumber(text) for text in NUMBERS} == NUMBERS


def test_why_a_number_does_not_count_is_said():
    name, words = "Input row 0, column 1", module("lib/format.js").ANY()["words"]
    refusal = module("lib/format.js").refusal
    assert refusal(name, "x", words, "3") == (
        "Input row 0, column 1 holds “x”, which is no number from −9999 to 9999; 3 still counts."
    )
    assert refusal(name, " ", words, "3") == "Input row 0, column 1 is empty; 3 still counts."


def test_own_numbers_set_the_sizes():
    explorer = ConvStepper([[1, -2.5], [0, 4]], torch.tensor([[3]]), stride=1)
    assert (explorer.input_size, explorer.kernel_size) == (2, 1)
    assert explorer.output == [[3, -7.5], [0, 12]]


def test_attributes_are_read_and_written():
    explorer = ConvStepper()
    explorer.stride = 2
    explorer.padding = 1
    assert explorer.padding == (1, 1)
    assert explorer.output == [[1, 5, 6], [7, 8, 3], [3, 10, 4]]
    explorer.input = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    explorer.kernel = [[1]]
    explorer.padding = 0
    assert explorer.output == [[1, 3], [7, 9]]
    explorer.input_size = 5  # the numbers beyond come back
    assert explorer.input[4] == X[4]


def test_impossible_settings_of_a_live_kernel_give_no_output():
    explorer = ConvStepper()
    explorer.input_size = 2
    with pytest.raises(ValueError, match=r"kernel_size=3 .* 2\+0\+0"):
        explorer.output  # noqa: B018
    assert "kernel_size=3" in explorer.static_html()


def test_a_live_kernel_may_make_everything_of_its_own_axes():
    explorer = ConvStepper()
    explorer.input = [[1, 2, 3]]
    explorer.kernel = [[1, 1]]
    explorer.stride, explorer.padding = (1, 2), ((1, 0), (0, 1))
    assert explorer.input_size == (1, 3)
    assert explorer.output == [[0, 0], [3, 3]]
    explorer.stride = [3, 3]
    assert explorer.stride == 3  # one number where they are equal


# ------------------------------------------------------------------ what is refused and said


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"input_size": 2}, ["spans 3 pixels", "2 + 0 + 0 = 2", "more padding, or a smaller"]),
        ({"input_size": (5, 4), "dilation": 2}, ["from left to right", "at dilation 2 spans 5"]),
        ({"mode": "transposed", "output_padding": 1}, ["Output padding 1", "(1)", "Use 0 or less"]),
        ({"mode": "transposed", "input_size": 1, "padding": 2}, ["crops 2 + 2", "output of 3"]),
        (
            {"mode": "transposed", "input_size": 10, "stride": (4, 1)},
            ["39 \u00d7 12", "20 \u00d7 20"],
        ),
    ],
)
def test_settings_without_output_are_refused_with_a_remedy(settings, words):
    with pytest.raises(ValueError, match="use"):
        ConvStepper(**settings)
    explorer = ConvStepper()
    for name, value in settings.items():
        setattr(explorer, name, value)
    problem = SETTINGS.problemWith(read(explorer))
    assert "Use " in problem
    for word in words:
        assert word in problem


def note_on(**settings):
    s = read(ConvStepper(**settings))
    return WORDS.noteOn(s, [SETTINGS.linksOf(axis) for axis in s["axes"]])


def test_notes():
    unread = "19 of 100 input pixels are read by no window."
    floor = "The floor drops the last row and column"
    assert note_on(input_size=10, stride=2) == f"{floor}. {unread}"
    every = "Every input pixel is read by at least one window."
    assert note_on(input_size=10, stride=2, padding=(0, 1)) == every
    assert note_on(input_size=10, stride=2, padding=1) == f"{floor}, all of it padding. {every}"
    assert note_on(input_size=6, stride=(1, 2)) == (
        "The floor drops the last column. 6 of 36 input pixels are read by no window."
    )
    assert note_on(mode="transposed", stride=2) == "Every output cell adds 1, 2 or 4 products."
    cropped = "Every output cell adds 1 product. Padding crops the hatched border."
    assert note_on(mode="transposed", stride=2, kernel_size=2, padding=1) == cropped


def readers_of(kind, row, col, **settings):
    s = read(ConvStepper(**settings))
    place = [row, col]
    lit = [
        [link for link in SETTINGS.linksOf(axis) if link[kind] == index]
        for axis, index in zip(s["axes"], place, strict=True)
    ]
    return WORDS.readersOf(s, lit, [kind, *place]).replace("|output:", "").replace("|kernel:", "")


def test_where_a_cell_goes_is_said():
    text = readers_of("x", 1, 2).replace("|", "")
    assert text.startswith("Input row 1, column 2 is read by 6 outputs: y[0, 0] through w[1, 2], ")
    assert text.count("through") == 6
    padding = readers_of("x", -1, 4, stride=2, padding=1).replace("|", "")
    assert padding.startswith("Padding row \u22121, column 4 is read by 1 output: y[0, 2] through")
    unread = readers_of("x", 9, 0, input_size=10, stride=2)
    assert unread == "Input row 9, column 0 is read by no outputs."
    stamped = readers_of("x", 0, 0, mode="transposed", stride=2, input_size=3)
    assert stamped.startswith("Input row 0, column 0 goes into 9 outputs: ")
    weight = "Kernel row 0, column 1 makes one product in "
    assert readers_of("w", 0, 1) == f"{weight}each of the 9 outputs."
    some = {"mode": "transposed", "stride": 2, "input_size": 2}
    assert readers_of("w", 0, 1, **some) == f"{weight}4 of the 25 outputs."


def test_the_reverse_is_the_gradient():
    """An input cell goes where the gradient of the sum says, through those weights."""
    for explorer in possible(40, seed=1):
        x = tensor(explorer.input).requires_grad_()
        scope = {"F": F, "x": x, "w": tensor(explorer.kernel)}
        eval(explorer.code, scope).sum().backward()
        links = [SETTINGS.linksOf(axis) for axis in read(explorer)["axes"]]
        for row, col in itertools.product(*(range(side) for side in x.shape[2:])):
            rows, cols = (
                [k for k in own if k["x"] == i] for own, i in zip(links, (row, col), strict=True)
            )
            weights = [explorer.kernel[r["w"]][c["w"]] for r in rows for c in cols]
            assert sum(weights) == x.grad[0, 0, row, col].item()


def test_formula_and_padding_in_words():
    s = read(ConvStepper(input_size=(4, 6), stride=(2, 1), padding=((0, 1), (1, 1))))
    assert [WORDS.formulaOf(axis).split("|")[-2] for axis in s["axes"]] == ["output:2", "output:6"]
    assert WORDS.paddingWords(s) == "padding 0, 1 \u00d7 1"
    assert WORDS.paddingWords(read(ConvStepper(padding=2))) == "padding 2"


# ------------------------------------------------------------------ what a notebook stores


def test_static_form_shows_the_output_without_a_script():
    explorer = ConvStepper([[1, -2.5], [0, 4]], [[0.1, 0.2], [-1, 3]], padding=(1, 0))
    html = explorer.static_html()
    assert "<script" not in html
    tables = re.findall(r"<table>.*?</table>", html)
    cells = [
        [
            [float(cell.replace("\u2212", "-")) for cell in re.findall("<td>(.*?)</td>", row)]
            for row in re.findall("<tr>(.*?)</tr>", table)
        ]
        for table in tables
    ]
    assert cells[0] == explorer.input
    assert cells[1] == explorer.kernel
    assert torch.allclose(tensor(cells[2]), tensor(evaluate(explorer)))
