"""What all explorers do in a real browser: accessibility, copying, keys, space, one beside another.

The cases stand in tables; what only one explorer does is tested in a file of its own.
"""

import re

import pytest

from convbook.arithmetic import Layer
from convbook.course.explorers import (
    AssignmentBench,
    ConvStepper,
    CostExplorer,
    CoverageExplorer,
    MatrixView,
    PhotographExplorer,
    ReceptiveFieldExplorer,
    ShuffleExplorer,
    WhatAilsThisRun,
    WhatReachesLayer50,
)
from convbook.course.explorers.cost import PRESETS
from convbook.course.explorers.sources import names
from tests.helpers.explorer_pages import ALL, SEE_KEYS, SET

pytestmark = pytest.mark.browser

# ------------------------------------------------------------------ accessibility


def fill(role, name, text):
    return lambda page: page.get_by_role(role, name=name, exact=True).fill(text)


def answer(page):
    page.get_by_label("32").check()
    page.get_by_role("button", name="Check").click()


def fill_two_channels(page):
    fill("spinbutton", "Channels in", "15")(page)
    fill("spinbutton", "Channels out", "9999")(page)


def fill_wrong_weight(page):
    page.get_by_label("weight, row 0, column 0").fill("1000")


def open_folded(page):
    page.evaluate("document.querySelectorAll('details').forEach((folded) => (folded.open = true))")


def set_traits(**traits):
    return lambda page: page.evaluate(SET, traits)


# Each state in which an explorer shows something of its own: the explorer, and what leads there.
STATES = {
    "bench": [AssignmentBench()],
    "bench, repaired": [AssignmentBench(preset="repair_5")],
    "bench, problem": [AssignmentBench(), set_traits(rows=[["linear", 10], ["flatten"]])],
    "bench, messages": [AssignmentBench(), fill("spinbutton", "Kernel of layer 1", "99")],
    "bench, phone": [AssignmentBench(preset="second")],
    "stepper": [ConvStepper(input_size=6, stride=2, padding=(1, 0))],
    "stepper, problem": [ConvStepper(), fill("slider", "Input size", "1")],
    "stepper, transposed": [ConvStepper(mode="transposed", stride=2, padding=1)],
    "cost": [CostExplorer()],
    "cost, strided": [
        CostExplorer(stride=2, bias=True, middle="out", show="spatially_separable")
    ],
    "cost, problem": [CostExplorer(show="grouped"), set_traits(in_channels=6)],
    "cost, messages": [CostExplorer(), fill_two_channels],
    "cost, phone": [CostExplorer()],
    "coverage": [CoverageExplorer()],
    "coverage, uneven": [CoverageExplorer(preset="uneven")],
    "coverage, messages": [
        CoverageExplorer(),
        lambda page: page.get_by_role("textbox", name=re.compile("^Dilations")).fill("99"),
    ],
    "coverage, phone": [CoverageExplorer()],
    "matrix": [MatrixView()],
    "matrix, windows": [MatrixView(view="im2col", selected=("weight", 3))],
    "matrix, numbers": [MatrixView(show="numbers", padding=1, selected=("pixel", 4))],
    "matrix, nine tints": [MatrixView(input_size=5, kernel_size=3, view="im2col")],
    "matrix, tiny": [MatrixView(input_size=4, kernel_size=1, padding=1)],
    "photograph": [PhotographExplorer()],
    "photograph, greys": [PhotographExplorer(preset="sharpen", kernel_size=5, probe=(0, 0))],
    "photograph, messages": [PhotographExplorer(), fill_wrong_weight],
    "photograph, task": [PhotographExplorer(), open_folded],
    "photograph, phone": [PhotographExplorer(preset="rising", kernel_size=7)],
    "field": [ReceptiveFieldExplorer()],
    "field, padded": [ReceptiveFieldExplorer([Layer(3, padding=1)] * 3, input_size=8)],
    "field, resnet18": [ReceptiveFieldExplorer(preset="resnet18")],
    "field, problem": [
        ReceptiveFieldExplorer(),
        set_traits(rows=[["conv", side, 1, 0, 1] for side in (3, 9, 3)]),
    ],
    "field, messages": [
        ReceptiveFieldExplorer(), fill("spinbutton", "Kernel size of layer 2", "99"),
    ],
    "field, phone": [ReceptiveFieldExplorer()],
    "shuffle": [ShuffleExplorer()],
    "shuffle, back": [ShuffleExplorer(preset="back")],
    "shuffle, largest": [ShuffleExplorer(4, channels=3, size=3, show="values")],
    "shuffle, phone": [ShuffleExplorer()],
    "sick": [WhatAilsThisRun(), set_traits(diagnosis="small", seen=["accuracy", "classes"])],
    "sick, solved": [WhatAilsThisRun(), set_traits(solved=[1] * 8, case=2)],
    "sick, compare": [WhatAilsThisRun(view="compare", left="mode", right="leak")],
    "sick, phone": [WhatAilsThisRun(), set_traits(seen=["gradient", "order", "test"])],
    "layer 50": [WhatReachesLayer50()],
    "layer 50, kept": [WhatReachesLayer50("residual", "zero", against="plain.he"), open_folded],
    "layer 50, phone": [WhatReachesLayer50("skip", "large"), open_folded],
}  # fmt: skip


@pytest.mark.parametrize("what", [*STATES, "quiz"])
def test_axe_finds_nothing(what, quiz, open_page, assert_accessible):
    explorer, *actions = [quiz, answer] if what == "quiz" else STATES[what]
    page = open_page(
        explorer,
        width=360 if what.endswith("phone") else 760,
        fragment="#rf=0" if what == "field, messages" else "",
    )
    for act in actions:
        act(page)
    assert_accessible(page)


SHOW_STATIC = "(html) => (document.querySelector('.convbook-explorer').innerHTML = html)"


@pytest.mark.parametrize("make", ALL)
def test_axe_finds_nothing_in_the_static_form(make, quiz, open_page, assert_accessible):
    page = open_page(make(stride=2, padding=1) if make is ConvStepper else make())
    answers = quiz.static_html().replace("<details", "<details open")
    page.evaluate(SHOW_STATIC, make().static_html() + answers * (make is ConvStepper))
    assert_accessible(page)


# ------------------------------------------------------------------ space

STATIC = [
    *(make() for make in ALL),
    AssignmentBench(preset="repair_5"),
    AssignmentBench([("linear", 10)]),
    *(CostExplorer(preset=key) for key in PRESETS),
    CostExplorer(stride=2, bias=True, middle="out", show="spatially_separable"),
    CostExplorer(
        4096, 4095, kernel_size=11, groups=1, input_size=1023, stride=2, bias=True, middle="out",
        show="spatially_separable",
    ),
    CoverageExplorer([16] * 6, kernel_size=7),
    CoverageExplorer(mode="transposed", kernel_size=7, stride=4, dilation=3, size=8),
    PhotographExplorer(preset="blur", kernel_size=7),
    ReceptiveFieldExplorer(preset="resnet18"),
    ShuffleExplorer(preset="colour"),
]  # fmt: skip


def test_static_forms_fit_a_phone(quiz, open_page, assert_fits):
    page = open_page(quiz, width=360)
    assert_fits(page)
    for explorer in [quiz, *STATIC]:
        page.evaluate(SHOW_STATIC, explorer.static_html())
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, explorer
        if isinstance(explorer, MatrixView):
            assert_fits(page)


# ------------------------------------------------------------------ keys and copying

# The first of each kind of thing that takes the focus.
KINDS = """() => {
  const seen = new Map();
  for (const e of document.querySelectorAll("input, select, button, textarea, [tabindex='0']")) {
    const kind = [e.tagName, e.type, e.getAttribute("role")].join();
    if (!e.disabled && e.checkVisibility() && !seen.has(kind)) seen.set(kind, e);
  }
  window.kinds = [...seen.values()];
  return [...seen.keys()];
}"""


@pytest.mark.parametrize("make", [*ALL, None])
def test_keys_stay_inside(make, quiz, open_page):
    """JupyterLab would take an arrow key for a move to the next cell, and the focus with it."""
    page = open_page(quiz if make is None else make())
    page.evaluate(SEE_KEYS)
    kinds = page.evaluate(KINDS)
    assert len(kinds) >= 2
    for i, kind in enumerate(kinds):
        page.evaluate("(i) => { kinds[i].focus(); seen.length = 0; }", i)
        page.keyboard.press("ArrowRight")
        assert page.evaluate("seen") == [], kind
        page.keyboard.press("Control+k")  # the page's own shortcuts still work
        assert page.evaluate("seen") == ["Control", "k"], kind


@pytest.mark.parametrize("make", ALL)
def test_the_line_is_copied(make, open_page):
    explorer = make()
    page = open_page(explorer)
    page.get_by_role("button", name=re.compile("^Copy the ")).click()
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == explorer.code


# ------------------------------------------------------------------ one beside another

# Two explorers; in which of them a radio button is checked, and its name; what the two models then
# hold; and the button that is still checked in the other.
PAIRS = [
    (
        AssignmentBench(), AssignmentBench(profile="s7-2021"),
        0, "2021", "profile", ["s7-2021", "s7-2021"], "2021",
    ),
    (
        ConvStepper(), ConvStepper(mode="transposed", stride=2),
        1, "Convolution", "mode", ["convolution", "convolution"], "Convolution",
    ),
    (
        CostExplorer(), CostExplorer(preset="resnext"),
        0, "Standard", "show", ["standard", "grouped"], "Grouped",
    ),
    (
        CoverageExplorer(), CoverageExplorer(mode="transposed"),
        1, "Dilated stack", "mode", ["dilated", "dilated"], "Dilated stack",
    ),
    (
        MatrixView(), MatrixView(view="im2col"),
        1, "Dense matrix", "view", ["dense", "dense"], "Dense matrix",
    ),
    (
        PhotographExplorer(), PhotographExplorer(view="relu"),
        1, "Absolute", "view", ["signed", "absolute"], "Signed",
    ),
    (
        ReceptiveFieldExplorer(selected=(1, 0)), ReceptiveFieldExplorer(selected=(1, 0)),
        1, "Show layer 2", "selected", [[1, 0], [2, 2]], "Show layer 1",
    ),
    (
        ShuffleExplorer(), ShuffleExplorer(),
        1, "TensorFlow order", "order", ["pytorch", "tensorflow"], "PyTorch order",
    ),
    (
        WhatAilsThisRun(), WhatAilsThisRun(case=2),
        1, "Labels shuffled", "case", [1, 2], None,
    ),
    (
        WhatReachesLayer50(), WhatReachesLayer50("skip"),
        1, "Residual", "network", ["plain", "residual"], "Plain",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "which", "name", "trait", "values", "other"), PAIRS)
def test_two_explorers_do_not_meet(first, second, which, name, trait, values, other, open_page):
    page = open_page(first, second)
    hosts = page.locator(".convbook-explorer")
    hosts.nth(which).get_by_role("radio", name=re.compile(f"^{name}")).check()
    assert page.evaluate("(name) => models.map((model) => model.get(name))", trait) == values
    if other is None:  # nothing is chosen there to begin with
        assert hosts.nth(1 - which).locator("input:checked").count() == 0
        return
    kept = hosts.nth(1 - which).get_by_role("radio", name=re.compile(f"^{other}"))
    assert kept.is_checked()


def test_joined_modules_export_what_the_written_ones_do(quiz, open_page):
    page = open_page(quiz)
    exports = (
        "async (paths) => Promise.all(paths.map(async (path) => Object.keys(await import(path))))"
    )
    joined = page.evaluate(exports, [f"./{name}.js" for name in names()])
    assert joined == page.evaluate(exports, [f"./sources/{name}.js" for name in names()])
    assert all("default" in found for found in joined)


@pytest.mark.parametrize("make", ALL)
def test_cleanup_lets_go_of_the_model(make, open_page):
    page = open_page(make())
    assert page.evaluate("models[0].listeners") > 0
    page.evaluate("cleanups[0]()")
    assert page.evaluate("models[0].listeners") == 0
