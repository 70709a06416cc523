"""What ails this run, in a real browser: diagnosing by mouse and keyboard, evidence, memory."""

import json
import re

import pytest

from convbook.course.explorers import WhatAilsThisRun
from convbook.course.explorers.sick_runs import CASES, LABELS
from tests.course.explorers.test_sick_runs import DATA, MEDIANS, RUNS, WORDS
from tests.helpers.explorer_pages import SET

pytestmark = pytest.mark.browser

DRAWN = """() => [...document.querySelectorAll(".cb-sick-chart:not([hidden])")]
  .filter((chart) => chart.checkVisibility())
  .map((chart) => [...chart.querySelectorAll(".cb-sick-line")]
    .filter((line) => !line.classList.contains("cb-sick-seed"))
    .map((line) => line.getAttribute("d").match(/[\\d.]+/g).map(Number)))"""
MODEL = "(name) => models[0].get(name)"


def check(page, question, label):
    page.get_by_role("radio", name=label, exact=True).check()
    page.get_by_role("button", name=f"Check the {question}").click()


def solve(page, number):
    name = CASES[number - 1]
    page.get_by_role("button", name=re.compile(f"^Case {number}")).click()
    check(page, "diagnosis", LABELS[name])
    check(page, "remedy", WORDS.REMEDIES()[WORDS.cureOf(name)])


def test_a_case_is_diagnosed_and_cured(open_page):
    page = open_page(WhatAilsThisRun())
    name = CASES[0]
    wrong = next(one for one in CASES if one != name)
    page.get_by_role("button", name="Check the diagnosis").click()
    page.get_by_text("Choose one first.").wait_for()
    check(page, "diagnosis", LABELS[wrong])
    page.get_by_text(WORDS.diagnosisVerdict(RUNS[name], wrong)[1]).wait_for()
    assert page.get_by_text("What helps?").is_hidden()
    check(page, "diagnosis", LABELS[name])
    page.get_by_text(WORDS.diagnosisVerdict(RUNS[name], name)[1]).wait_for()
    # The button is gone: the focus is on what is said, not lost.
    assert page.evaluate("document.activeElement.textContent").startswith("\u2713 Right.")
    cure = WORDS.cureOf(name)
    other = next(one for one in WORDS.remediesFor(name) if one != cure)
    check(page, "remedy", WORDS.REMEDIES()[other])
    page.get_by_text(WORDS.remedyVerdict(name, other)[1]).wait_for()
    assert page.evaluate(MODEL, "solved") == [-1] * 8
    check(page, "remedy", WORDS.REMEDIES()[cure])
    page.get_by_text("Solved: 1 of 8, with 0 of 5").wait_for()
    assert page.get_by_role("button", name="Case 1 \u2713").is_visible()


def test_the_keyboard_alone_diagnoses(open_page):
    page = open_page(WhatAilsThisRun())
    page.get_by_role("radio", name=LABELS["high"]).focus()
    page.keyboard.press("Space")
    for _ in range(list(LABELS).index(CASES[0]) - 1):
        page.keyboard.press("ArrowDown")
    assert page.evaluate(MODEL, "diagnosis") == ""  # passing over is no answer
    page.keyboard.press("Enter")
    assert page.evaluate(MODEL, "diagnosis") == CASES[0]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "radio"


def test_evidence_is_revealed_piece_by_piece(open_page):
    page = open_page(WhatAilsThisRun(case=2))
    run, classes = RUNS[CASES[1]], page.evaluate(MODEL, "classes")
    page.get_by_text("Further evidence: 0 of 5 used").wait_for()
    for used, (kind, label) in enumerate(WORDS.EVIDENCE().items(), 1):
        text = DATA.tell(kind, run, RUNS["healthy"], classes)
        assert page.get_by_text(text, exact=True).count() == 0
        page.get_by_role("button", name=label).click()
        page.get_by_text(text, exact=True).wait_for()
        page.get_by_text(f"Further evidence: {used} of 5 used").wait_for()
    assert [len(chart) for chart in page.evaluate(DRAWN)] == [2, 2, 2, 1]
    assert page.get_by_role("listitem").filter(has_text=classes[0]).count() == 1
    page.get_by_role("button", name="Case 1").click()
    page.get_by_text("Further evidence: 0 of 5 used").wait_for()


@pytest.mark.parametrize("width", [760, 390])
def test_the_curves_are_the_medians(width, open_page, assert_fits):
    page = open_page(WhatAilsThisRun(), width=width)
    healthy, case = page.evaluate(DRAWN)
    for chart, name in ((healthy, "healthy"), (case, CASES[0])):
        for line, series in zip(chart, ("train_loss", "loss"), strict=True):
            medians = MEDIANS.medians(RUNS[name][series])
            xs, ys = line[::2], line[1::2]
            assert xs == sorted(xs)
            # One axis for both: heights are the losses, by the same rule.
            scale = (ys[0] - ys[-1]) / (medians[0] - medians[-1])
            assert [y - ys[0] for y in ys] == pytest.approx(
                [(m - medians[0]) * scale for m in medians], abs=0.05
            )
    assert_fits(page)
    page.get_by_text("The numbers, medians").click()
    cells = page.get_by_role("row").nth(1).get_by_role("cell").all_inner_texts()
    assert cells[0] == f"{MEDIANS.medians(RUNS['healthy']['train_loss'])[0]:.3f}"


def test_all_eight_open_the_comparison_and_are_remembered(open_page):
    page = open_page(WhatAilsThisRun())
    stored = "() => JSON.parse(localStorage.getItem('convbook.v1'))"
    page.get_by_role("button", name="Case 2").click()
    assert page.evaluate(stored) is None  # looking round is nothing to remember
    assert page.get_by_role("button", name="Compare").is_hidden()
    for number in range(1, 9):
        solve(page, number)
    assert page.evaluate(stored)["choice"] == {"sick-runs": "0,0,0,0,0,0,0,0"}
    page.get_by_role("button", name="Compare").click()
    page.get_by_label("First run").select_option(label=LABELS["mode"])
    page.get_by_label("Second run").select_option(label=LABELS["overfit"])
    assert [len(chart) for chart in page.evaluate(DRAWN)] == [4, 4]
    assert page.get_by_text("What ails this run?").is_hidden()
    page.get_by_text(DATA.curveSentence(RUNS["overfit"])).wait_for()


def test_what_was_solved_is_there_again_until_reset(open_page):
    kept = json.dumps({"choice": {"sick-runs": "2,-1,-1,-1,-1,-1,-1,-1"}})
    page = open_page(WhatAilsThisRun())
    page.evaluate("(text) => localStorage.setItem('convbook.v1', text)", kept)
    page.reload()
    page.get_by_text("Solved: 1 of 8, with 2 of 5").wait_for()
    right = page.get_by_role("radio", name=LABELS[CASES[0]], exact=True)
    assert right.is_checked()
    page.get_by_role("button", name="Reset").click()
    assert page.get_by_text("Solved:").count() == 0
    assert not page.get_by_role("radio", name=LABELS[CASES[0]], exact=True).is_checked()


def test_a_kernel_shows_a_case(open_page):
    page = open_page(WhatAilsThisRun())
    page.evaluate(SET, {"case": 4, "seen": ["test"]})
    page.get_by_text("Loss of case 4").wait_for()
    page.get_by_text("Further evidence: 1 of 5 used").wait_for()
    page.get_by_text("WhatAilsThisRun(case=4)").wait_for()
