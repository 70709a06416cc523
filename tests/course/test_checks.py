"""Every checker accepts the right answer, rejects the classic wrong ones, and never raises."""

import ast
import importlib
import pkgutil
import re
from copy import deepcopy
from itertools import combinations, count

import pytest
import torch

from convbook.course import checks
from convbook.course.checks._checker import (
    COLUMNS,
    LIKE,
    Checker,
    _attempt,
    _fold,
    _likeness,
    run_checker,
)
from convbook.course.checks.answers import size
from tests.helpers.attempts import said_of


def all_checkers():
    for module in pkgutil.iter_modules(checks.__path__):
        for name, function in vars(
            importlib.import_module(f"convbook.course.checks.{module.name}")
        ).items():
            if name.startswith("check_"):
                yield f"{module.name}.{name}", function


CHECKERS = dict(all_checkers())


def written(node):
    """Return the value that stands there; of a function, a network or a step, the text."""
    is_text = isinstance(node, ast.Lambda | ast.Subscript | ast.Call)
    return ast.unparse(node) if is_text else ast.literal_eval(node)


def as_written(case):
    def text(value):
        return ast.unparse(ast.parse(repr(value), mode="eval"))

    def is_called(value):
        return callable(value) or torch.is_tensor(value)

    return {name: text(value) if is_called(value) else value for name, value in case.items()}


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
            assert output.endswith(f"\n{_fold(hint)}\n")
            assert "correct on" not in output

    def test_mistakes_return_wrong_answers_and_are_unlike_one_another(self, checker):
        """One that only ever raises would lend its hint to every error of its type."""
        pairs = [(case, checker.reference(**deepcopy(case))) for case in checker.cases]
        attempts = [
            [_attempt(mistake, *pair, checker.accepts) for pair in pairs]
            for mistake in checker.mistakes.values()
        ]
        for tries in attempts:
            assert any(one.error is None and not one.is_right for one in tries)
        for one, other in combinations(attempts, 2):
            assert _likeness(list(zip(one, other, strict=True)))[0] < LIKE

    def test_shows_a_case_that_can_be_run_again_and_is_the_smallest(self, checker, verdict):
        def nonsense(**case):
            return "nonsense"

        (call,) = re.findall(r"nonsense\(.*?\)(?=\s+returned 'nonsense')", verdict(nonsense), re.S)
        keywords = ast.parse(" ".join(call.split())).body[0].value.keywords
        shown = {keyword.arg: written(keyword.value) for keyword in keywords}
        (case,) = [one for one in checker.cases if as_written(one) == shown]
        assert size(case) == min(map(size, checker.cases))

    def test_calls_a_function_with_other_names_by_position(self, checker, verdict):
        names = list(checker.cases[0])

        def renamed(*values):
            return checker.reference(**dict(zip(names, values, strict=True)))

        assert "correct on" in verdict(renamed)

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
        for case in checker.cases:
            assert re.match(rf"Exercise \d: function\({', '.join(case)}\) -> ", checker.task)


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


def multiples(*added):
    """A checker for n -> 2 * n, with a mistake that answers n + 1."""
    cases = [{"n": n, "zero": 0} for n in (4, 3, 2, 5, 0)]
    return Checker("", lambda n, zero: 2 * n, cases, {"Not 1.": lambda n, zero: n + 1}, *added)


def verdict(checker, function):
    return said_of(function, checker)


def test_a_variant_of_a_mistake_gets_its_hint():
    """Of the cases in which either is wrong, both give the same answer in three of five."""

    def answers(*wrong, otherwise=2):
        return verdict(multiples(), lambda n, zero: n + 1 if n in wrong else otherwise * n)

    assert answers(4, 3, 2, 5, 0) == "<lambda>(n=4, zero=0) returned 5; expected 8. Not 1."
    assert answers(2, 5, 0) == "<lambda>(n=2, zero=0) returned 3; expected 4. Not 1."
    assert answers(5, 0) == "<lambda>(n=0, zero=0) returned 1; expected 0."
    assert answers(3, 2, 5, otherwise=3) == "<lambda>(n=3, zero=0) returned 4; expected 6. Not 1."
    assert answers(4, 2, otherwise=3) == "<lambda>(n=2, zero=0) returned 3; expected 4."


def test_errors_alone_do_not_make_a_variant():
    def raises_at(*numbers):
        return lambda n: 1 / 0 if n in numbers else n

    checker = Checker("", lambda n: n, [{"n": n} for n in range(5)], {"No.": raises_at(0, 1, 2)})
    assert verdict(checker, raises_at(0, 1, 2)).endswith(
        "raised ZeroDivisionError: division by zero No."
    )
    assert verdict(checker, raises_at(0, 1)).endswith("raised ZeroDivisionError: division by zero")


def test_the_closest_of_two_mistakes_wins():
    cases = [{"n": n} for n in range(5)]
    mistakes = {"Far.": lambda n: n + (n > 0), "Near.": lambda n: n + (n > 1)}
    checker = Checker("", lambda n: n, cases, mistakes)
    assert verdict(checker, lambda n: n + (n > 2)).endswith("(n=3) returned 4; expected 3. Near.")


def test_a_function_is_called_by_name_or_else_by_position():
    check = Checker("", lambda height, width: height - width, [{"height": 3, "width": 1}])
    for function in (
        lambda width, height: height - width,
        lambda h, w: h - w,
        lambda *sizes: sizes[0] - sizes[1],
        lambda *, width, height: height - width,
        int.__sub__,
    ):
        assert "correct on 1 case." in verdict(check, function)

    def area(h: int, *, w=1) -> int:
        return h * w

    wants = "it is called with (height, width)."
    assert verdict(check, area) == f"area takes (h, *, w=1); {wants}"
    assert verdict(check, lambda height: height) == f"<lambda> takes (height); {wants}"
    assert verdict(check, lambda a, b, c: a) == f"<lambda> takes (a, b, c); {wants}"
    assert "raised TypeError: " in verdict(check, dict.fromkeys)  # takes (iterable, value=None, /)
    assert "raised TypeError: " in verdict(check, dict)  # does not tell what it takes


def test_without_a_hint_the_fallback_stands_under_the_smallest_failing_case():
    check = multiples(None, "Draw it.")
    assert verdict(check, lambda n, zero: -1) == (
        "<lambda>(n=0, zero=0) returned -1; expected 0. Draw it."
    )
    assert verdict(check, lambda n, zero: 2 * n if n < 4 else -1).startswith("<lambda>(n=4, ")
    assert "Draw it" not in verdict(check, lambda n, zero: n / 0)


def test_what_is_shown_is_whole_where_a_smaller_case_fails_too():
    cases = [{"numbers": list(range(n))} for n in (99, 98, 3, 97)]
    check = Checker("", lambda numbers: numbers, cases, {"Not so.": lambda numbers: numbers[1:]})
    for function, more in ((lambda numbers: numbers[1:], " Not so."), (lambda numbers: 0, "")):
        answer = function([0, 1, 2])
        assert verdict(check, function) == (
            f"<lambda>(numbers=[0, 1, 2]) returned {answer}; expected [0, 1, 2].{more}"
        )
    endless = verdict(check, lambda numbers: "no" * 1000)
    assert len(endless) < 300
    assert "no..." in endless


def test_a_generator_is_not_a_list():
    check = Checker("", lambda n: [n, n], [{"n": 1}], accepts=lambda answer, n: list(answer))
    put = "hands out its numbers one by one; put list(...) around it."
    for answer in (count(), map(abs, [1, 1]), zip([1, 1])):
        said = verdict(check, lambda n, answer=answer: answer)
        assert f"returned a {type(answer).__name__};" in said
        assert said.endswith(put)
    assert verdict(check, lambda n: [map(abs, [1]), map(abs, [1])]).endswith(put)


def test_a_right_function_that_changes_its_argument_is_told_so():
    def grows(numbers, n):
        numbers.append(n)
        return numbers

    check = Checker("", lambda numbers, n: [*numbers, n], [{"numbers": [1], "n": 2}])
    assert verdict(check, grows) == (
        "grows: correct on 1 case. It changes numbers in place, which the caller may still need: "
        "work on a copy."
    )


def test_what_float32_rounds_and_numbers_for_truths_are_accepted():
    third = Checker("", lambda n: [n / 3, 1 + n / 3], [{"n": 1}])
    for answer in (torch.tensor([1 / 3, 4 / 3]), [torch.tensor(1 / 3).item(), 4 / 3]):
        assert "correct on" in verdict(third, lambda n, answer=answer: answer)
    assert "expected [0.3333333333333333," in verdict(third, lambda n: [0.33333, 1.33333])
    truth = Checker("", lambda n: n > 1, [{"n": 1}, {"n": 2}])
    assert "correct on" in verdict(truth, lambda n: n - 1)
    assert "returned 2; expected True." in verdict(truth, lambda n: 2 * (n > 1))
    number = Checker("", lambda n: n, [{"n": 1}])
    assert "returned True; expected 1." in verdict(number, lambda n: n == 1)


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
