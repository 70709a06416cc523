"""How long a notebook takes, on notebooks small enough to count by hand."""

import pytest

from convbook.course.mime_types import EXPLORER
from convbook.course.site.minutes import Minutes, minutes, read_minutes
from tools import notebooks


def text(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code(*tags, widgets=0):
    outputs = [{"output_type": "display_data", "data": {EXPLORER: {}}} for _ in range(widgets)]
    return {"cell_type": "code", "metadata": {"tags": [*tags]}, "source": "x", "outputs": outputs}


def words(count):
    return text("word " * count)


def of(*cells):
    return minutes({"cells": [*cells]})


@pytest.mark.parametrize(
    ("cells", "reading"),
    [
        ([], 0),
        ([words(1)], 5),  # 0.005 minutes, but not none
        ([words(1499)], 5),  # 7.495
        ([words(1500)], 10),  # 7.5
        ([code() for _ in range(9)], 5),  # 6.75
        ([code() for _ in range(10)], 10),  # 7.5
        ([code(widgets=3)], 10),  # 0.75 + 7.5
        ([code("remove-input", widgets=3)], 10),  # 7.5
        ([code("remove-input", widgets=2)], 5),  # 5
        ([code("remove-cell", widgets=9)], 0),
        ([words(1400), code()], 10),  # 7 + 0.75
    ],
)
def test_reading(cells, reading):
    assert of(*cells) == Minutes(reading)


@pytest.mark.parametrize("tag", ["remove-cell", "remove-input", "hide-input", "hide-cell"])
def test_code_that_nobody_sees_takes_no_time(tag):
    assert of(*[code(tag)] * 100) == Minutes(0)


def test_an_output_to_guess_first_does_not_hide_its_code():
    assert of(*[code("hide-output")] * 20) == Minutes(15)


def test_marks_without_letters_are_no_words():
    assert of(text("| --- | + = · " * 1000)) == Minutes(0)
    assert of(text("$k$ - 3 × 3\n" * 500)) == Minutes(10)  # k, 3 and 3: 1500 words


def test_exercises_and_going_further_are_counted_apart():
    book = [
        words(2000),  # 10 minutes
        text("## Exercises\n" + "word " * 4000),
        text("**Exercise 1.** Do."),
        code(),
        text("**Exercise 2 (design).** And **Exercise 3.** in one cell."),
        text("## Summary\n" + "word " * 999 + "## no title\n## Going further: more"),  # 5 minutes
        *[code()] * 20,  # 15 minutes
        text("a\n### Below it\n" + "word " * 1000),  # 5 minutes
        text("## Next\n" + "word " * 199),  # 1 minute
    ]
    assert of(*book) == Minutes(reading=15, exercises=25, further=20)


def test_a_mention_of_an_exercise_is_not_one():
    assert of(text("Exercise 1 is hard; see **the exercises** and **Exercises 1.**")).exercises == 0


def test_source_may_be_a_list_of_lines():
    lines = ["## Exercises\n", "**Exercise 1.** Do.\n"]
    assert of(text(lines)) == Minutes(0, 10)


@pytest.mark.parametrize("path", notebooks.notebook_paths(), ids=lambda path: path.stem)
def test_every_notebook_of_the_book_takes_some_time(path):
    taken = read_minutes(path)
    assert 0 < taken.reading <= 90
    has_exercises = path.stem.startswith(("interlude", *"0123456789"))
    assert (taken.exercises > 0) == (has_exercises and path.parent.name == "chapters")
