"""Attempts at the exercises: what a checker says of them, for the tests of each chapter."""

import contextlib
import io
from dataclasses import replace


def said_of(attempt, checker):
    """Return what the checker prints, on one line."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        checker(attempt)
    return " ".join(printed.getvalue().split())


def assert_right(attempt, checker):
    """Assert that an attempt is accepted."""
    said = said_of(attempt, checker)
    assert said.endswith(f"correct on {len(checker.cases)} cases."), said


def assert_wrong(attempt, checker, hint=""):
    """Assert that an attempt is rejected, and with that part of a hint."""
    said = said_of(attempt, checker)
    assert "expected" in said or "raised" in said, said
    assert "correct on" not in said
    assert hint in said, said


def assert_each_mistake_returns_something_wrong(exercises):
    """Assert that no mistake of a chapter's checkers only raises: a hint is for an answer."""
    for name in (name for name in vars(exercises) if name.startswith("check_")):
        checker = getattr(exercises, name)
        for hint, mistake in checker.mistakes.items():
            alone = (replace(checker, cases=[case], mistakes={}) for case in checker.cases)
            assert any("returned" in said_of(mistake, one) for one in alone), f"{name}: {hint}"
