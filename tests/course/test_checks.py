"""Every checker accepts the right answer, rejects the classic wrong ones, and never raises."""

import importlib
import pkgutil
import re

import pytest
import torch

from convbook.course import checks
from convbook.course.checks._checker import COLUMNS, _fold, run_checker


def all_checkers():
    for module in pkgutil.iter_modules(checks.__path__):
        for name, function in vars(
            importlib.import_module(f"convbook.course.checks.{module.name}")
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
            assert "expected" in output or "raised" in output
            assert output.endswith(f"\n{_fold(hint)}\n")
            assert "correct on" not in output

    def test_rejects_an_answer_that_is_wrong_in_one_case_only(self, checker, verdict):
        """And gives no hint: the mistake is none of those that have one."""
        odd_one = checker.cases[-1]
        right = checker.reference

        def nearly(**case):
            return "something else" if case == odd_one else right(**case)

        output = verdict(nearly)
        assert output.startswith("nearly(")
        assert "expected" in output
        assert not [hint for hint in checker.mistakes if _fold(hint) in output]

    def test_says_when_nothing_was_attempted(self, verdict):
        for answer in (None, ...):
            assert "not attempted yet" in verdict(lambda answer=answer, **_: answer)

    def test_says_when_the_return_was_forgotten(self, checker, verdict):
        def forgets(**case):
            answer = checker.reference(**case)
            print(answer, end="")

        assert verdict(forgets).endswith("forgets: returned None. Is a `return` missing?\n")

    def test_an_answer_that_is_missing_in_a_later_case_counts_as_an_attempt(self, checker, verdict):
        def forgets(**case):
            return None if case == checker.cases[-1] else checker.reference(**case)

        assert "returned None;" in verdict(forgets)

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


def test_a_long_verdict_is_broken_before_returned_and_expected(capsys):
    case = {"numbers": list(range(10, 30))}
    run_checker(lambda numbers: numbers[::-1], lambda numbers: numbers, [case])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= COLUMNS
    starts = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert starts == ["<lambda>(numbers=[10,", "returned", "expected"]
    assert " ".join(" ".join(lines).split()).count("12, 13") == 2  # the call and what is expected


def test_an_error_gets_the_hint_of_the_mistake_that_raises_it_too(capsys):
    def output_of(function):
        hints = {"Not by 0.": lambda n: 1 / n, "Not the key.": lambda n: {}[n]}
        run_checker(function, lambda n: n, [{"n": 0}, {"n": 2}], hints)
        return capsys.readouterr().out

    assert output_of(lambda n: {}[n]) == "<lambda>(n=0) raised KeyError: 0\nNot the key.\n"
    assert output_of(lambda n: 1 / n).endswith("\nNot by 0.\n")
    assert output_of(lambda n: 1 // n).endswith("by zero\n")  # no hint: on n=2 it returns 0


def test_where_several_answers_are_right_a_function_decides(capsys):
    def run(function):
        run_checker(function, lambda n: n + 1, [{"n": 1}, {"n": 5}], accepts=lambda a, n: a > n)
        return capsys.readouterr().out

    assert "correct on 2 cases." in run(lambda n: n + 7)
    assert "(n=5) returned 5; expected, for example, 6." in run(lambda n: 5)
    assert "(n=1) returned 'five'; expected, for example, 2." in run(lambda n: "five")


def test_a_case_changed_in_place_does_not_change_what_is_expected(capsys):
    def sorts_in_place(numbers):
        numbers.sort()
        return numbers[:1]

    run_checker(sorts_in_place, lambda numbers: numbers[:1], [{"numbers": [3, 1]}])
    assert "returned [1]; expected [3]" in capsys.readouterr().out
