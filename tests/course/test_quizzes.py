"""Every quiz answer is computed in its chapter's test file; a question without a proof fails."""

from collections import Counter
from importlib import import_module

import pytest

from convbook.course import quizzes
from tools import notebooks

# chapters/test_03_shapes.py, say, holds QUIZ_ANSWERS: question -> a function that computes it.
CHAPTER_TESTS = sorted(f"test_{stem}" for stem in quizzes.names())
PROOFS = {
    f"{stem.removeprefix('test_')}/{identifier}": proof
    for stem in CHAPTER_TESTS
    for identifier, proof in import_module(f"tests.chapters.{stem}").QUIZ_ANSWERS.items()
}


def all_questions():
    for stem in quizzes.names():
        for identifier, question in quizzes.read(quizzes.FOLDER / f"{stem}.toml").items():
            yield f"{stem}/{identifier}", question


@pytest.mark.parametrize(("name", "question"), list(all_questions()))
def test_the_marked_answer_is_right(name, question):
    (right,) = [choice for choice in question["choices"] if choice["correct"]]
    assert (right["text"] or right["grid"]) == PROOFS[name]()


def test_no_position_is_a_good_guess():
    positions = Counter()
    for name, _ in all_questions():
        choices = quizzes.load(name)["choices"]
        positions[[choice["correct"] for choice in choices].index(True)] += 1
        assert len({choice["key"] for choice in choices}) == len(choices)
    assert max(positions.values()) <= 0.4 * positions.total()


def test_every_question_stands_in_its_chapter_and_every_proof_has_a_question():
    asked = set()
    for path in notebooks.notebook_paths():
        for cell in notebooks.read(path).cells:
            if cell.source.startswith("Quiz("):
                name = cell.source.split('"')[1]
                assert name.startswith(f"{path.stem}/")
                asked.add(name)
    names = {name for name, _ in all_questions()}
    assert names == asked == set(PROOFS)
