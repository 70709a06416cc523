"""Fixtures for the tests of the explorers."""

import pytest

from convbook.course.explorers import Quiz
from convbook.course.quizzes import load
from tests.helpers.sample_quiz import GOOD, PICTURES


@pytest.fixture
def quiz_folder(tmp_path):
    (tmp_path / "sample.toml").write_text(GOOD + PICTURES, encoding="utf-8")
    return tmp_path


@pytest.fixture
def quiz(quiz_folder, monkeypatch):
    monkeypatch.setattr("convbook.course.explorers.quiz.load", lambda name: load(name, quiz_folder))
    return Quiz("sample/halves")


@pytest.fixture
def picture_quiz(quiz):
    return Quiz("sample/pictures")
