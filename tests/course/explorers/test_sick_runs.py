"""What ails this run, without a browser: the state, the sentences, what an action leads to."""

import json
import re
import statistics
import zlib

import pytest

from convbook.course import runs
from convbook.course.explorers import WhatAilsThisRun
from convbook.course.explorers.sick_runs import (
    CASES,
    DISEASES,
    EVIDENCE,
    LABELS,
    REMEDIES,
    SHOWN_EPOCHS,
    recorded,
)
from tests.helpers.javascript import module

MAIN = module("sick_runs.js")
DATA = module("parts/sick_runs_data.js")
MEDIANS = module("lib/medians.js")
WORDS = module("parts/sick_runs_words.js")
RUNS = {run["name"]: run for run in recorded()}
NEW = [-1] * 8


def settings(number=1, **changes):
    """What the page knows when a case is shown."""
    view = {"view": "cases", "left": "healthy", "right": "high", "cases": CASES}
    begun = {"case": number, "diagnosis": "", "remedy": "", "seen": [], "solved": NEW}
    return {**view, **begun, **changes}


# ------------------------------------------------------------------ what the page gets


def test_the_page_gets_the_record_with_three_digits_in_8_kb():
    for one in runs.load("14_sick_runs")["runs"]:
        found = RUNS[one["name"]]
        assert found["predicted"] == one["seeds"][0]["predicted"]
        for name in ("train_loss", "loss", "train_accuracy", "accuracy", "gradient"):
            for short, seed in zip(found[name], one["seeds"], strict=True):
                assert short == pytest.approx(seed[name], rel=0.005)
        assert found["test"] == pytest.approx([seed["test"] for seed in one["seeds"]], rel=0.005)
    state = json.dumps(WhatAilsThisRun().stored_state(), separators=(",", ":"))
    assert len(zlib.compress(state.encode(), 9)) <= 8 * 1024


def test_names_and_labels_are_pythons():
    assert WORDS.LABELS() == LABELS
    assert tuple(WORDS.EVIDENCE()) == EVIDENCE
    assert set(WORDS.REMEDIES()) == set(REMEDIES)
    assert sorted(CASES) == sorted(DISEASES)
    rules = MAIN.RULES()
    assert rules == {
        "case": [1, len(CASES)],
        "view": ["cases", "compare"],
        "left": list(LABELS),
        "right": list(LABELS),
    }


# ------------------------------------------------------------------ numbers and sentences


def test_medians_are_pythons():
    for run in RUNS.values():
        for name in ("train_loss", "loss", "gradient"):
            by_epoch = zip(*run[name], strict=True)
            assert MEDIANS.medians(run[name]) == pytest.approx([*map(statistics.median, by_epoch)])


# What the sentence about each curve says, and why one would think of the disease.
SAYS = {
    "healthy": ["falls from", "the validation loss follows it"],
    "high": ["never gets below", "guessing would be at 2.30"],
    "low": ["in a nearly straight line", "follows it"],
    "softmax": ["falls from 2.", "follows it"],
    "shuffled": ["stays between 2.", "2.3"],
    "overfit": ["falls from", "to 0.00", "the validation loss"],
    "small": ["falls from 2.", "to 1.", "most of it in the first half", "follows it"],
    "mode": ["falls from", "the validation loss rises from"],
    "leak": ["falls from", "to 0.0", "follows it"],
}


@pytest.mark.parametrize("name", LABELS)
def test_a_sentence_says_what_the_curves_do(name):
    run = RUNS[name]
    sentence = DATA.curveSentence(run)
    for words in SAYS[name]:
        assert words in sentence
    ends = [MEDIANS.medians(run[series]) for series in ("train_loss", "loss")]
    known = {DATA.lossText(value) for curve in ends for value in curve} | {"2.30"}
    assert set(re.findall(r"\d+\.\d+", sentence)) <= known


@pytest.mark.parametrize("name", LABELS)
def test_evidence_is_told_with_the_recorded_numbers(name):
    run, classes = RUNS[name], runs.load("14_sick_runs")["classes"]
    facts = DATA.factsOf(run)
    last = statistics.median(seed[-1] for seed in run["accuracy"])
    assert facts["right"] == f"{int(100 * last + 0.5)}\u00a0%"
    assert facts["test"] == f"{int(100 * statistics.median(run['test']) + 0.5)}\u00a0%"
    for kind in EVIDENCE:
        text = DATA.tell(kind, run, RUNS["healthy"], classes)
        assert text.endswith(".")
        assert "undefined" not in text
    assert facts["test"] in DATA.tell("test", run, RUNS["healthy"], classes)
    assert facts["reordered"] in DATA.tell("order", run, RUNS["healthy"], classes)
    most = max(run["predicted"])
    named = DATA.tell("classes", run, RUNS["healthy"], classes)
    assert f"calls {most} of the 500" in named
    assert classes[run["predicted"].index(most)] in named
    assert ("never named" in named) == (0 in run["predicted"])


@pytest.mark.parametrize("name", DISEASES)
def test_every_choice_is_explained(name):
    said = {guess: WORDS.diagnosisVerdict(RUNS[name], guess) for guess in DISEASES}
    assert [guess for guess, (right, _) in said.items() if right] == [name]
    assert len({why for _, why in said.values()}) == len(DISEASES)
    for guess, (_, why) in said.items():
        assert "undefined" not in why
        assert re.search(r"\d", why) or {name, guess} == {"shuffled", "high"} or guess == name
    offered = WORDS.remediesFor(name)
    assert len(offered) == 3
    assert set(offered) <= set(REMEDIES)
    cures = {remedy: WORDS.remedyVerdict(name, remedy) for remedy in offered}
    assert [remedy for remedy, (right, _) in cures.items() if right] == [WORDS.cureOf(name)]
    assert all(len(why) > 30 for _, why in cures.values())


def test_the_right_remedy_is_not_always_the_same_place_or_kind():
    places = [WORDS.remediesFor(name).index(WORDS.cureOf(name)) for name in DISEASES]
    assert set(places) == {0, 1, 2}
    assert len({WORDS.cureOf(name) for name in DISEASES}) == len(DISEASES)


def test_numbers_in_the_reasons_are_those_of_the_record():
    for run in RUNS.values():
        if run["name"] == "healthy":
            continue
        right, why = WORDS.diagnosisVerdict(run, run["name"])
        assert right
        facts = set(DATA.factsOf(run).values())
        shares = re.findall(r"\d+\u00a0%", why)
        assert set(shares) <= facts
    settings_of = {one["name"]: one["settings"] for one in runs.load("14_sick_runs")["runs"]}
    healthy = settings_of["healthy"]
    assert "a hundred times as long" in WORDS.remedyVerdict("low", "raise_rate")[1]
    assert healthy["lr"] == pytest.approx(100 * settings_of["low"]["lr"])
    assert "sixteen times as wide" in WORDS.remedyVerdict("small", "larger")[1]
    assert healthy["width"] == 16 * settings_of["small"]["width"]
    assert "200 pictures" in WORDS.diagnosisVerdict(RUNS["overfit"], "overfit")[1]
    assert settings_of["overfit"]["pictures"] == 200


@pytest.mark.parametrize(
    ("solved", "text"),
    [
        (NEW, ""),
        ([-1, 2, *NEW[2:]], "Solved: 1 of 8, with 2 of 5 pieces of further evidence."),
        (
            [0, 1, 2, 3, 4, 5, 0, 1],
            "Solved: 8 of 8, with 16 of 40 pieces of further evidence. Now compare any two.",
        ),
    ],
)
def test_progress(solved, text):
    assert WORDS.progressText(solved) == text


# ------------------------------------------------------------------ what an action leads to


def test_evidence_is_counted_and_solving_needs_both_answers():
    name, cure = CASES[1], WORDS.cureOf(CASES[1])
    wrong = next(one for one in WORDS.remediesFor(name) if one != cure)
    begun = settings(2)
    assert MAIN.consequences(begun, {"show": "test"}) == {"seen": ["test"]}
    seen = settings(2, seen=["test"])
    assert MAIN.consequences(seen, {"show": "order"}) == {"seen": ["test", "order"]}
    assert MAIN.consequences(seen, {"show": "test"}) == {"seen": ["test"]}  # what is seen is seen
    assert MAIN.consequences(seen, {"diagnosis": name}) == {"diagnosis": name}
    assert MAIN.consequences(seen, {"remedy": cure}) == {"remedy": cure}
    right = seen | {"diagnosis": name}
    assert MAIN.consequences(right, {"remedy": wrong}) == {"remedy": wrong}
    solved = [-1, 1, *NEW[2:]]
    assert MAIN.consequences(right, {"remedy": cure}) == {"remedy": cure, "solved": solved}
    done = right | {"solved": solved}
    assert MAIN.consequences(done, {"show": "test"}) == {"seen": []}  # it costs nothing any more
    assert MAIN.consequences(done, {"remedy": cure}) == {"remedy": cure}


def test_another_case_starts_afresh_and_a_solved_one_shows_its_answers():
    solved = [-1, 1, *NEW[2:]]
    begun = settings(1, seen=["test"], diagnosis=CASES[0], solved=solved)
    fresh = {"case": 3, "view": "cases", "seen": [], "diagnosis": "", "remedy": ""}
    assert MAIN.consequences(begun, {"case": 3, "view": "cases"}) == fresh
    answers = {"diagnosis": CASES[1], "remedy": WORDS.cureOf(CASES[1])}
    assert MAIN.consequences(begun, {"case": 2}) == {"case": 2, "seen": [], **answers}
    assert MAIN.consequences(begun, {"view": "compare"}) == {"view": "compare"}


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("-1,0,1,2,3,4,5,-1", [-1, 0, 1, 2, 3, 4, 5, -1]),
        *((wrong, None) for wrong in (None, "", "1,2", "6,0,0,0,0,0,0,0", "a,0,0,0,0,0,0,0", 3)),
    ],
)
def test_what_is_remembered_is_checked(text, counts):
    assert MAIN.parsedSolved(text) == counts


# ------------------------------------------------------------------ Python


@pytest.mark.parametrize("make", [{}, {"case": 8}, {"view": "compare", "left": "leak"}])
def test_code_makes_the_explorer(make):
    explorer = WhatAilsThisRun(**make)
    again = eval(explorer.code, {"WhatAilsThisRun": WhatAilsThisRun})
    assert again.stored_state() == explorer.stored_state()
    shown = {name: getattr(explorer, name) for name in ("case", "view", "left", "right")}
    assert MAIN.codeOf(shown) == explorer.code


def test_the_static_form_has_the_numbers_and_folds_the_answers():
    html = WhatAilsThisRun().static_html()
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', html)
    assert [head for head, _ in rows] == ["Healthy", *(f"Case {i}" for i in range(1, 9))]
    for (_, cells), name in zip(rows, ["healthy", *CASES], strict=True):
        values = re.findall(r"<td>(.*?)</td>", cells)
        medians = MEDIANS.medians(RUNS[name]["train_loss"])
        expected = [f"{medians[epoch - 1]:.2f}" for epoch in SHOWN_EPOCHS]
        assert values[: len(SHOWN_EPOCHS)] == expected
        assert values[-1].endswith("%")
    before, answers = html.split("<details>")
    assert all(LABELS[name] in answers and LABELS[name] not in before for name in CASES)
    assert re.findall(r"<li>(.*?)</li>", answers) == [LABELS[name] for name in CASES]
