"""Outputs within a bound: what may move, what may not, and what may be declared."""

import json
import math

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convbook.course.mime_types import DATA, DRAWING, EXPLORER, VIEW
from tools import bounds
from tools.bounds import TAG, compare

BOUND = {"within": 0.03, "seen": 0.01}
PNG, SVG = "image/png", "image/svg+xml"


def printed(*texts, name="stdout"):
    return [nbformat.v4.new_output("stream", name=name, text=text) for text in texts]


def shown(**bundle):
    return [nbformat.v4.new_output("display_data", bundle)]


def data(value):
    return shown(**{DATA: value})


def page(text):
    return shown(**{"text/html": text})


CURVES = {
    "depth 20": {"epoch": [1, 2], "accuracy": [0.41, 0.842], "last": True},
    "depth 56": {"epoch": [1, 2], "accuracy": [0.38, 0.811], "last": None},
}


def changed(value, **curve):
    """Return a copy of nested data with other entries in its first curve."""
    copy = json.loads(json.dumps(value))
    copy["depth 20"].update(curve)
    return copy


ROW = "<td>0.842</td>"
BEST = '<td class="convbook-best" style="font-weight: 700">0.842 *</td>'
TABLE = "<table><tr><td>net2</td>{}</tr></table>"

# (stored, fresh): the same cell on two machines
ALIKE = {
    "same": (printed("loss 0.5"), printed("loss 0.5")),
    "moved": (printed("accuracy 0.842 of 10,000"), printed("accuracy 0.815 of 10,000")),
    "exactly the bound": (printed("0.851"), printed("0.881")),
    "trailing dot of NumPy": (printed("[0.99 1.   2. ]"), printed("[1.   0.99 1.98]")),
    "sign and padding": (printed("[ 0.01 -0.01]"), printed("[-0.01  0.01]")),
    "minus sign": (printed("by −0.01"), printed("by -0.02")),
    "plus sign": (printed("by +0.01"), printed("by -0.01")),
    "thousands": (printed("1,234.56 of 7"), printed("1,234.57 of 7")),
    "a longer rule": (printed("a   b\n------\n9.99"), printed("a    b\n-------\n10.01")),
    "exponent": (printed("1e-05"), printed("0.0001")),
    "not a number": (printed("nan, inf, -inf"), printed("nan, inf, -inf")),
    "per cent": (printed("85.1 % and 85%"), printed("83.0 % and 86%")),
    "unit": (printed("2.50x, 12.00ms"), printed("2.51x, 12.01ms")),
    "a stream in pieces": (printed("loss ", "0.", "50"), printed("loss 0.51")),
    "end of a sentence": (printed("It is 0.50."), printed("It is 0.51.")),
    "data": (data(CURVES), data(changed(CURVES, accuracy=[0.4, 0.83]))),
    "order of keys": (data(CURVES), data(dict(reversed(CURVES.items())))),
    "1 and 1.0": (data([1, 2]), data([1.0, 2.0])),
    "explorer": (shown(**{EXPLORER: {"loss": 0.1}}), shown(**{EXPLORER: {"loss": 0.12}})),
    "HTML": (page(TABLE.format(ROW)), page(TABLE.format("<td>0.843</td>"))),
    "entity": (page("<p>&minus;0.01&nbsp;</p>"), page("<p>-0.02 </p>")),
    "best of a table": (page(TABLE.format(ROW + BEST)), page(TABLE.format(BEST + ROW))),
    "best in bold": (page("<td><b>0.9</b></td><td>0.9</td>"), page("<td>0.9</td><td>0.9</td>")),
    "best in text": (printed("a 0.84 *\nb 0.83\n* best"), printed("a 0.83\nb 0.84 *\n* best")),
    "best at the end": (printed("0.84\n0.83 *"), printed("0.84 *\n0.83")),
    "pixels": (shown(**{PNG: "abc"}), shown(**{PNG: "abd"})),
    "drawing": (shown(**{DRAWING: "<svg>1</svg>"}), shown(**{DRAWING: "<svg>9</svg>"})),
    "pixels in HTML": (
        page('<img alt="a" src="data:image/png;base64,A1">'),
        page('<img alt="a" src="data:image/png;base64,B2">'),
    ),
    "live widget": (printed("0.5"), printed("0.5") + shown(**{VIEW: {"model_id": "3f"}})),
}

UNLIKE = {
    "outside": (printed("accuracy 0.842"), printed("accuracy 0.811")),
    "outside by the sign": (printed("0.02"), printed("-0.02")),
    "another minus": (printed("−0.5"), printed("0.5")),
    "outside in per cent": (printed("85.1 %"), printed("81.1 %")),
    "per cent lost": (printed("85.1 %"), printed("85.1")),
    "thousands lost": (printed("1,234"), printed("1.234")),
    "outside by a thousand": (printed("12,345"), printed("11,345")),
    "exponent changed": (printed("1e-05"), printed("1e-01")),
    "nan for a number": (printed("loss 0.5"), printed("loss nan")),
    "number for inf": (printed("loss inf"), printed("loss 9.5")),
    "inf changed sign": (printed("inf"), printed("-inf")),
    "a word": (printed("it learns: 0.5"), printed("it fails: 0.5")),
    "an identifier": (printed("net2 0.5"), printed("net3 0.5")),
    "a kernel": (printed("conv3x3 0.5"), printed("conv5x5 0.5")),
    "a size": (printed("3x3 0.5"), printed("3x4 0.5")),
    "a version": (printed("torch 2.4.1"), printed("torch 2.4.2")),
    "a unit": (printed("12 ms"), printed("12 s")),
    "True": (printed("True 0.5"), printed("False 0.5")),
    "a line more": (printed("0.5"), printed("0.5\n0.5")),
    "to stderr": (printed("0.5"), printed("0.5") + printed("Warning", name="stderr")),
    "nothing": (printed("0.5"), []),
    "outside in HTML": (page(TABLE.format(ROW)), page(TABLE.format("<td>0.7</td>"))),
    "a row of HTML": (page(TABLE.format(ROW)), page(TABLE.format(ROW + ROW))),
    "a word of HTML": (page("<td>plain</td>0.5"), page("<td>skip</td>0.5")),
    "alt text": (page('<img alt="up"> 0.5'), page('<img alt="down"> 0.5')),
    "outside in data": (data(CURVES), data(changed(CURVES, accuracy=[0.41, 0.8]))),
    "an integer of data": (data(CURVES), data(changed(CURVES, epoch=[1, 3]))),
    "a shorter curve": (data(CURVES), data(changed(CURVES, accuracy=[0.41]))),
    "a missing curve": (data(CURVES), data({"depth 20": CURVES["depth 20"]})),
    "another name": (data(CURVES), data({k.replace("56", "58"): v for k, v in CURVES.items()})),
    "a bool": (data(CURVES), data(changed(CURVES, last=False))),
    "a bool is no 1": (data(CURVES), data(changed(CURVES, last=1))),
    "a string is no number": (data(CURVES), data(changed(CURVES, epoch=[1, "2"]))),
    "NaN in data": (data([0.5]), data([math.nan])),
    "an explorer": (shown(**{EXPLORER: {"loss": 0.1}}), shown(**{EXPLORER: {"loss": 0.2}})),
    "no data": (data([1.0]) + printed("0.5"), printed("0.5")),
    "no picture": (shown(**{PNG: "abc"}) + printed("0.5"), printed("0.5")),
    "no drawing": (shown(**{PNG: "a", DRAWING: "<svg/>"}), shown(**{PNG: "a"})),
    "a second picture": (shown(**{PNG: "abc"}), shown(**{PNG: "abc"}) * 2),
    "an error": (printed("0.5"), [nbformat.v4.new_output("error", ename="E", evalue="0.5")]),
}


@pytest.mark.parametrize("pair", ALIKE.values(), ids=ALIKE)
def test_what_may_move_passes_in_both_directions(pair):
    for stored, fresh in (pair, pair[::-1]):
        deviation, problem = compare(stored, fresh, BOUND)
        assert (problem, deviation <= 0.03 + 1e-9) == ("", True)


@pytest.mark.parametrize("pair", UNLIKE.values(), ids=UNLIKE)
def test_what_may_not_move_fails_in_both_directions(pair):
    for stored, fresh in (pair, pair[::-1]):
        deviation, problem = compare(stored, fresh, BOUND)
        assert problem
        assert deviation > 0.03


@pytest.mark.parametrize("name", [*ALIKE, *UNLIKE])
def test_without_a_bound_all_but_pixels_and_live_widgets_must_be_equal(name):
    equal = name in {"same", "order of keys", "not a number", "pixels", "live widget"}
    assert (compare(*{**ALIKE, **UNLIKE}[name], {})[1] == "") == equal


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.sampled_from(["{:.3f}", "{:,.4f}", "{:e}"]))
def test_the_deviation_is_that_of_the_printed_numbers(x, y, form):
    old, new = form.format(x), form.format(y)
    expected = abs(float(old.replace(",", "")) - float(new.replace(",", "")))
    deviation, problem = compare(printed(f"a {old} b"), printed(f"a {new} b"), {"within": 1.0})
    assert deviation == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert bool(problem) == (deviation > 1.0)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-99, 99) | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_data_agrees_with_itself(value):
    assert compare(data(value), data(value), BOUND) == (0.0, "")


def test_relative_bounds_follow_the_size_of_the_numbers():
    bound = {"within": 0.1, "relative": True}
    for size in (1e-9, 1.0, 1e9):
        near, far = (printed(f"{size * factor}") for factor in (0.91, 0.89))
        deviation, problem = compare(printed(f"{size}"), near, bound)
        assert (deviation, problem) == (pytest.approx(0.09, rel=1e-6), "")
        assert compare(printed(f"{size}"), far, bound)[1]
    assert compare(printed("0.0"), printed("1e-30"), bound)[1]


def test_times_are_compared_by_text_only():
    times = {"times": True}
    assert compare(printed("loop   9.81 ms"), printed("loop 1,200.00 ms"), times) == (0.0, "")
    for other in ("loop 9.81 s", "loops 9.81 ms", "loop 9.81 ms 3", "loop ms"):
        assert compare(printed("loop 9.81 ms"), printed(other), times)[1]


def test_words_that_hang_on_digits_are_listed():
    bound = BOUND | {"words": ["dilated", "plain", "dilated and plain"]}
    stored, fresh = printed("dilated wins with 0.85"), printed("plain wins with 0.84")
    assert compare(stored, fresh, BOUND)[1]
    assert compare(stored, fresh, bound) == (0.01, "")
    assert compare(printed("plain, 0.85"), printed("dilated and plain, 0.85"), bound)[1] == ""
    for other in ("the Unet wins with 0.85", "dilated loses with 0.85", "explained wins with 0.85"):
        assert compare(stored, printed(other), bound)[1]
    assert compare(data({"best": "plain"}), data({"best": "dilated"}), bound)[1] == ""


def test_the_worst_number_is_named_with_its_place_and_the_bound():
    stored = printed("seed 0: 0.81\nseed 1: 0.82\n")
    fresh = printed("seed 0: 0.85\nseed 1: 0.89\n")
    line = "stdout: 0.82 became 0.89 after 'seed 1: '; 0.03 is the bound"
    assert compare(stored, fresh, BOUND) == (0.07, line)
    _, line = compare(printed("the dog, 0.5"), printed("the cat, 0.5"), BOUND)
    assert line == "stdout: 'the dog, #' became 'the cat, #'"
    _, line = compare(data([1]), printed("1"), BOUND)
    assert line == f"1 {DATA} became 1 stdout"


def cell(bound=None, tags=(TAG,), outputs=None, source="net.train()"):
    metadata = {"tags": [*tags]} | ({} if bound is None else {"convbook": bound})
    outputs = printed("accuracy 0.84") if outputs is None else outputs
    return nbformat.v4.new_code_cell(source, metadata=metadata, outputs=outputs)


@pytest.mark.parametrize(
    "bound",
    [
        BOUND,
        {"within": 2},
        {"within": 0.1, "relative": True, "seen": 0},
        {"times": True},
        {"times": True, "words": ["faster", "slower"]},
    ],
)
def test_well_formed_bounds(bound):
    assert list(bounds.flaws(cell(bound))) == []


@pytest.mark.parametrize(
    ("bound", "words"),
    [
        ({"within": 0.03, "sean": 0.01}, "the keys are"),
        ([0.03], "the keys are"),
        (0.03, "the keys are"),
        ({}, "either 'within' or 'times'"),
        ({"seen": 0.01}, "either 'within' or 'times'"),
        ({"within": 0.03, "times": True}, "not both"),
        ({"within": -0.03}, "positive number"),
        ({"within": 0}, "positive number"),
        ({"within": math.nan}, "positive number"),
        ({"within": math.inf}, "positive number"),
        ({"within": True}, "positive number"),
        ({"within": "0.03"}, "positive number"),
        ({"within": 1, "relative": True}, "below 1"),
        ({"within": 0.03, "relative": False}, "only true"),
        ({"within": 0.03, "seen": -1}, "measures it"),
        ({"within": 0.03, "seen": math.nan}, "measures it"),
        ({"within": 0.03, "seen": False}, "measures it"),
        ({"times": 3}, "only true"),
        ({"times": False}, "only true"),
        ({"times": True, "seen": 0.1}, "times have no bound"),
        ({"within": 0.03, "words": "plain"}, "a list of words"),
        ({"within": 0.03, "words": []}, "a list of words"),
        ({"within": 0.03, "words": [""]}, "a list of words"),
    ],
)
def test_malformed_bounds_are_refused(bound, words):
    assert any(words in flaw for flaw in bounds.flaws(cell(bound)))
    assert list(bounds.looseness(cell(bound))) == []  # there is nothing to measure against


def test_a_bound_and_the_tag_go_together():
    assert "without the tag" in next(bounds.flaws(cell(BOUND, tags=())))
    assert "without a bound" in next(bounds.flaws(cell(None)))
    assert list(bounds.flaws(cell(None, tags=["hide-input"]))) == []


@pytest.mark.parametrize("bound", [BOUND, {"times": True}])
def test_a_bound_without_a_number_is_refused(bound):
    for outputs in ([], printed("True"), shown(**{PNG: "abc1 2"}), printed("net2")):
        assert "shows no number" in next(bounds.flaws(cell(bound, outputs=outputs)))
    markdown = nbformat.v4.new_markdown_cell("0.5", metadata={"tags": [TAG], "convbook": bound})
    assert "shows no number" in next(bounds.flaws(markdown))


def test_a_drawing_of_bounded_numbers_carries_its_data():
    def flaws(bundle, bound=BOUND):
        return list(bounds.flaws(cell(bound, outputs=printed("0.5") + shown(**bundle))))

    assert "without its data" in flaws({DRAWING: "<svg/>", PNG: "abc"})[0]
    assert flaws({DRAWING: "<svg/>", PNG: "abc", DATA: [0.5]}) == []
    assert flaws({PNG: "a photograph"}) == []
    assert flaws({DRAWING: "<svg/>", PNG: "abc"}, {"times": True}) == []


@pytest.mark.parametrize("tag", ["nbval-skip", "raises-exception", "NBVAL_IGNORE_OUTPUT"])
def test_other_marks_for_nbval_are_refused(tag):
    assert tag in next(bounds.flaws(cell(tags=[tag])))
    assert "for nbval" in next(bounds.flaws(cell(tags=[], source="# NBVAL_SKIP\n1")))


@pytest.mark.parametrize(
    ("bound", "words"),
    [
        ({"within": 0.03}, "without `seen`"),
        ({"within": 0.03, "seen": 0}, "moved by 0 at most"),
        ({"within": 0.041, "seen": 0.01}, "4 times that is the widest"),
        ({"within": 1e9, "seen": 0.01}, "4 times that is the widest"),
        ({"within": 0.04, "seen": 0.01}, None),
        ({"within": 0.0324, "seen": 0.0081}, None),
        ({"times": True}, None),
    ],
)
def test_a_bound_is_at_most_four_times_what_was_seen(bound, words):
    found = list(bounds.looseness(cell(bound)))
    assert (words is None and not found) or words in found[0]


def test_the_best_value_of_a_table_may_be_another_one():
    from convbook.course.figures import table  # noqa: PLC0415  (needs torch's room)

    def stored(one, two):
        shown = table({"a": {"loss": one}, "b": {"loss": two}}, best={"loss": min}, digits=2)
        return [nbformat.v4.new_output("display_data", shown._repr_mimebundle_())]

    bound = {"within": 0.05}
    assert bounds.compare(stored(0.50, 0.52), stored(0.53, 0.51), bound) == (0.03, "")
    assert bounds.compare(stored(0.50, 0.52), stored(0.50, 0.62), bound)[1]
