"""The quiz: the files it reads, what it refuses of them, and its form without a script."""

import re

import pytest

from convbook.course.quizzes import load, read
from tests.helpers.sample_quiz import GOOD


def test_quiz_loads(quiz):
    assert repr(quiz) == "Quiz('sample/halves')"
    assert [choice["correct"] for choice in quiz.choices] == [False, True]
    assert quiz.get_state()["explorer"] == "quiz"


def test_quiz_static_form_escapes_and_answers(quiz):
    html = quiz.static_html()
    assert "64 &amp; &lt;b&gt;more&lt;/b&gt;" in html
    assert "<code>stride=2</code>" in html
    details = re.search("<details>.*</details>", html).group(0)
    assert "<code>31</code>" in details
    assert "<script" not in html


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sample", "FILE/ID"),
        ("/halves", "FILE/ID"),
        ("other/halves", r"no other\.toml; quiz files: sample"),
        ("../sample/halves", "FILE|no"),
        ("sample/none", "no question 'none'; it has halves"),
    ],
)
def test_unknown_quiz_is_named(name, words, quiz_folder):
    with pytest.raises(ValueError, match=words):
        load(name, quiz_folder)


def test_quiz_name_must_be_text(quiz_folder):
    with pytest.raises(TypeError, match="name=3"):
        load(3, quiz_folder)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("correct = true\n", "", "0 correct choices"),
        ('text = "32"\n', 'text = "32"\ncorrect = true\n', "2 correct choices"),
        ("correct = true", 'correct = "yes"', "correct='yes'"),
        ("correct = true", "corect = true", "corect is not known"),
        ('why = "Only with `padding=1`."', "", "choice 1: why=None"),
        ("`padding=1`", "`padding=1", "odd number of backticks"),
        ('text = "32"', 'text = "`31`"', "same choice twice"),
        ('id = "halves"', "", "question 1: id=None"),
        ('question = "What', 'question = "', None),
        ("[[questions]]", "[[quiz]]", "quiz is not known"),
        ('id = "halves"', "id = halves", "not valid TOML"),
    ],
)
def test_bad_quiz_files_are_named(old, new, words, tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    if words is None:
        assert read(path)
        return
    with pytest.raises(ValueError, match=words) as caught:
        read(path)
    assert "bad.toml" in str(caught.value)


def test_duplicate_and_short_questions_are_refused(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(GOOD + GOOD, encoding="utf-8")
    with pytest.raises(ValueError, match="id='halves' is used twice"):
        read(path)
    path.write_text(GOOD[: GOOD.rindex("[[questions.choices]]")], encoding="utf-8")
    with pytest.raises(ValueError, match="1 choices; write at least 2"):
        read(path)
    path.write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match="has no questions"):
        read(path)
