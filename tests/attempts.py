"""Attempts at the exercises: what a checker says of them, for the tests of each chapter."""

import contextlib
import io


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
