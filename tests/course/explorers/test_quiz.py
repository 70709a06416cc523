"""The quiz: the files it reads, what it refuses of them, and its form without a script."""

import base64
import io
import re

import pytest
from PIL import Image

from convbook.course.quizzes import load, read
from tests.helpers.sample_quiz import GOOD, PICTURES


def test_quiz_loads(quiz):
    assert repr(quiz) == "Quiz('sample/halves')"
    assert sorted(choice["text"] for choice in quiz.choices) == ["32", "`31`"]
    assert quiz.get_state()["explorer"] == "quiz"


def test_quiz_static_form_escapes_and_answers(quiz):
    html = quiz.static_html()
    assert "64 &amp; &lt;b&gt;more&lt;/b&gt;" in html
    assert "<code>stride=2</code>" in html
    details = re.search("<details>.*</details>", html).group(0)
    assert "<code>31</code>" in details
    assert "<script" not in html


def test_static_form_has_the_same_order_and_the_pictures(quiz, picture_quiz):
    texts = [choice["text"].replace("`", "") for choice in quiz.choices]
    items = re.findall(r"<li>(.*?)</li>", quiz.static_html())
    assert [re.sub("<.*?>", "", item) for item in items] == texts
    html = picture_quiz.static_html()
    assert html.count('alt="a cat&#x27;s &quot;face&quot;"') == 2  # the answer is folded away
    assert 'aria-label="kernel: 1 \u22120.5 / 0 \u22122"' in html
    tints = re.findall(r"rgba\(.*?, ([\d.]+)\)", html)
    assert tints == ["0.325", "0.237", "0", "0.5"]
    (image,) = (choice["image"] for choice in picture_quiz.choices if "image" in choice)
    picture = Image.open(
        io.BytesIO(base64.b64decode(image.removeprefix("data:image/webp;base64,")))
    )
    assert picture.size == (128, 128)
    assert len(image) < 12000


def test_order_hangs_on_the_texts_alone(quiz_folder):
    order = [choice["text"] for choice in load("sample/halves", quiz_folder)["choices"]]
    head, *choices = GOOD.split("[[questions.choices]]")
    turned = "[[questions.choices]]".join([head, *reversed(choices)])
    (quiz_folder / "sample.toml").write_text(turned, encoding="utf-8")
    assert [c["text"] for c in load("sample/halves", quiz_folder)["choices"]] == order


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sample", "FILE/ID"),
        ("/halves", "FILE/ID"),
        ("other/halves", r"no other\.toml; quiz files: sample"),
        ("../sample/halves", "FILE|no"),
        ("sample/none", "no question 'none'; it has halves, pictures"),
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
        ("[[1, -0.5], [0, -2]]", "[[1, 2], [3]]", r"grid=\[\[1, 2\], \[3\]\]; use 1 to 7 rows"),
        ("[[1, -0.5], [0, -2]]", "[]", "choice 2: grid=.*; use 1 to 7 rows"),
        ("[[1, -0.5], [0, -2]]", "[[0, 0, 0, 0, 0, 0, 0, 0]]", "1 to 7 numbers"),
        ("-0.5", '"a"', "grid holds 'a'; use whole or decimal"),
        ("-0.5", "nan", "grid holds nan"),
        ("-0.5", "true", "grid holds True"),
        ('text = "this one"', 'alt = "a kernel"', "a grid stands alone"),
        ('"chelsea"', '"cat"', "picture='cat'; use astronaut, chelsea"),
        ('alt = "a cat', 'text = "a cat', "question 'pictures', choice 1: alt=None"),
        ('picture = "chelsea"', 'text = "cat"', "has alt and no picture; name one, or remove"),
        ("[[questions]]", "[[quiz]]", "quiz is not known"),
        ('id = "halves"', "id = halves", "not valid TOML"),
    ],
)
def test_bad_quiz_files_are_named(old, new, words, tmp_path):
    path = tmp_path / "bad.toml"
    assert old in GOOD + PICTURES
    path.write_text((GOOD + PICTURES).replace(old, new), encoding="utf-8")
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
