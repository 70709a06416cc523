"""Every checker accepts the right answer, rejects the classic wrong ones, and never raises."""

import importlib
import pkgutil
import re

import pytest
import torch

from convbook import checks
from convbook.checks.runner import run_checker


def all_checkers():
    for module in pkgutil.iter_modules(checks.__path__):
        for name, function in vars(
            importlib.import_module(f"convbook.checks.{module.name}")
        ).items():
            if name.startswith("check_"):
                yield f"{module.name}.{name}", function


CHECKERS = dict(all_checkers())


@pytest.mark.parametrize("name", CHECKERS)
class TestChecker:
    @pytest.fixture
    def checker(self, name):
        return CHECKERS[name]

    @pytest.fixture
    def verdict(self, checker, capsys):
        def verdict(function):
            assert checker(function) is None
            return capsys.readouterr().out

        return verdict

    def test_accepts_the_right_answer(self, checker, verdict):
        assert f"correct on {len(checker.cases)} cases" in verdict(checker.reference)
        assert len(checker.cases) >= 20

    def test_rejects_each_classic_mistake_with_its_own_hint(self, checker, verdict):
        assert len(checker.mistakes) >= 3
        for hint, mistake in checker.mistakes.items():
            output = verdict(mistake)
            assert "expected" in output
            assert output.splitlines()[-1] == hint
            assert "correct on" not in output

    def test_rejects_an_answer_that_is_wrong_in_one_case_only(self, checker, verdict):
        """And gives no hint: the mistake is none of those that have one."""
        odd_one = checker.cases[-1]
        right = checker.reference

        def nearly(**case):
            return "something else" if case == odd_one else right(**case)

        (line,) = verdict(nearly).splitlines()
        assert line.startswith("nearly(")
        assert "expected" in line

    def test_says_when_nothing_was_attempted(self, verdict):
        for answer in (None, ...):
            assert "not attempted yet" in verdict(lambda answer=answer, **_: answer)

    def test_reports_an_exception_and_does_not_raise(self, verdict):
        for error in (ZeroDivisionError("no"), SystemExit("no"), RecursionError("no")):

            def broken(error=error, **_):
                raise error

            assert f"raised {type(error).__name__}: no" in verdict(broken)

    def test_survives_an_answer_that_cannot_be_shown(self, verdict):
        class Unshowable:
            def __repr__(self):
                raise RuntimeError("cannot be shown")

        endless = []
        endless.append(endless)
        for answer in (Unshowable(), endless):
            assert "raised" in verdict(lambda answer=answer, **_: answer)

    def test_wants_a_function(self, verdict):
        assert "is not a function" in verdict(3)

    def test_names_the_arguments_it_passes(self, checker):
        assert re.match(
            rf"Exercise \d: function\({', '.join(checker.cases[0])}\) -> ", checker.task
        )


# ------------------------------------------------------------------------------ the runner


def test_answers_may_be_lists_tuples_or_tensors(capsys):
    for answer in ([1, 2], (1, 2), torch.tensor([1, 2]), [1.0, 2.0], range(1, 3)):
        run_checker(lambda answer=answer: answer, lambda: (1, 2), [{}])
        assert "correct on 1 case." in capsys.readouterr().out
    for answer in ([1, 2, 3], 1, "12", [True, 2.5], [[1, 2]]):
        run_checker(lambda answer=answer: answer, lambda: (1, 2), [{}])
        assert "expected (1, 2)" in capsys.readouterr().out


def test_a_case_changed_in_place_does_not_change_what_is_expected(capsys):
    def sorts_in_place(numbers):
        numbers.sort()
        return numbers[:1]

    run_checker(sorts_in_place, lambda numbers: numbers[:1], [{"numbers": [3, 1]}])
    assert "returned [1]; expected [3]" in capsys.readouterr().out
