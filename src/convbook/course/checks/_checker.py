"""Run a reader's function on many cases and say, in a few lines, how it did.

A checker prints and never raises, so the published page shows no traceback. It prints one of

- `not attempted yet`: the function has no body yet, and returns nothing on the first case;
- `returned None`: it has one, and still returns nothing on the first case;
- what the function takes, if it cannot be called with the arguments of the exercise;
- a case that fails, with what was returned and what was expected, and a hint if the answers
  follow a mistake that many people make;
- `correct on N cases`, and a remark if the function changes its arguments.
"""

import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from convbook.course.checks.answers import equal, is_lazy, plain, show, size

Case = dict[str, Any]  # the arguments of the reader's function, in the order of its parameters
NOT_ATTEMPTED = "not attempted yet.\nReplace the ... and run the cell again."
NO_RETURN = "returned None. Is a `return` missing?"
NO_LIST = "A generator, map or zip hands out its numbers one by one; put list(...) around it."
IN_PLACE = "It changes {} in place, which the caller may still need: work on a copy."
COLUMNS = 77  # what the book's column shows without scrolling
LIKE = 0.6  # from here on; two different mistakes of this book are alike in 0.55 at most
LONGEST = 240  # characters of an answer that are shown


def grid(**values: Iterable) -> list[Case]:
    """Return every combination of the values, as cases.

    Example:
        >>> grid(kernel_size=[2], stride=[1, 3])
        [{'kernel_size': 2, 'stride': 1}, {'kernel_size': 2, 'stride': 3}]
    """
    return [dict(zip(values, chosen, strict=True)) for chosen in product(*values.values())]


@dataclass(frozen=True)
class Checker:
    """What one exercise asks, the cases it is tried on, and the mistakes that get a hint.

    Calling it with the reader's function prints the verdict of `run_checker`. A mistake is a wrong
    solution under the hint that leads away from it; tests prove that each one gets its own hint.
    `fallback` stands in where no hint fits. Where several answers are right,
    `accepts(answer, **case)` decides, with sequences, tensors and arrays handed to it as lists;
    `reference` gives one right answer.

    Example:
        >>> check = Checker("Exercise 1: f(n) -> n + 2", lambda n: n + 2, grid(n=[1, 5]))
        >>> check(lambda n: n + 2)
        <lambda>: correct on 2 cases.
    """

    task: str
    reference: Callable
    cases: Sequence[Case]
    mistakes: Mapping[str, Callable] = field(default_factory=dict)
    accepts: Callable[..., bool] | None = None
    fallback: str | None = None

    def __call__(self, function: Callable) -> None:
        """Print how `function` does."""
        run_checker(
            function, self.reference, self.cases, self.mistakes, self.accepts, self.fallback
        )


def run_checker(
    function: Callable,
    reference: Callable,
    cases: Iterable[Case],
    mistakes: Mapping[str, Callable] | None = None,
    accepts: Callable[..., bool] | None = None,
    fallback: str | None = None,
) -> None:
    """Compare `function` with `reference` on every case and print the verdict.

    The arguments go to the parameters of their names, or, if these are others, by position.
    `mistakes` maps a hint to a wrong solution. Its hint is printed, under the first failing case,
    when the reader's answers follow that solution (`_find_hint` says how far). With no hint, the
    smallest failing case is shown: the one with the fewest numbers in its arguments, and among
    those the one with the smallest; the `fallback`, if there is one, comes after it. With
    `accepts`, an answer is right when `accepts(answer, **case)`.

    Example:
        >>> run_checker(lambda n: n + 1, lambda n: n + 2, [{"n": 1}], {"Add 2.": lambda n: n + 1})
        <lambda>(n=1) returned 2; expected 3.
        Add 2.
        >>> run_checker(lambda n: ..., lambda n: n + 2, [{"n": 1}])
        <lambda>: not attempted yet.
        Replace the ... and run the cell again.
        >>> run_checker(lambda m: m, lambda n: n + 1, [{"n": 1}], accepts=lambda a, n: a > n)
        <lambda>(n=1) returned 1; expected, for example, 2.
        >>> run_checker(lambda: 1, lambda n: n + 1, [{"n": 1}])
        <lambda> takes (); it is called with (n).
    """
    name = getattr(function, "__name__", "your function")
    if not callable(function):
        print(f"{function!r} is not a function. Hand in the function itself, without brackets.")
        return
    attempts = []
    for case in cases:
        if _arguments(function, case) is None:
            called = f"it is called with ({', '.join(case)})."
            print(_fold(f"{name} takes {_parameters(function)}; {called}"))
            return
        attempt = _attempt(function, case, reference(**deepcopy(case)), accepts)
        if missing := _what_is_missing(attempt, function, is_first=not attempts):
            print(f"{name}: {missing}")
            return
        attempts.append(attempt)
    if not all(attempt.is_right for attempt in attempts):
        _print_failure(name, attempts, mistakes or {}, accepts, fallback)
        return
    count = len(attempts)
    print(f"{name}: correct on {count} {'case' if count == 1 else 'cases'}.")
    if changed := sorted({argument for attempt in attempts for argument in attempt.changed}):
        print(_fold(IN_PLACE.format(" and ".join(changed))))


@dataclass(frozen=True)
class _Attempt:
    """What a function made of one case: an answer, or an error."""

    case: Case
    expected: Any
    verdict: str
    answer: Any = None
    error: BaseException | None = None
    is_right: bool = False
    changed: Sequence[str] = ()  # the arguments that are no longer what they were


def _attempt(function, case, expected, accepts) -> _Attempt:
    try:
        given = deepcopy(case)  # the function may change it in place
        values, named = _arguments(function, given)
        answer = function(*values, **named)
        if is_lazy(answer):
            is_right = False
        else:
            is_right = _accepts(accepts, answer, case) if accepts else equal(answer, expected)
        verdict = f"returned {show(answer, LONGEST)}"
    except (Exception, SystemExit) as error:  # whatever it is, the reader wants to read it
        return _Attempt(case, expected, f"raised {type(error).__name__}: {error}", error=error)
    changed = [name for name in case if not _same(given[name], case[name])]
    return _Attempt(case, expected, verdict, answer, None, is_right, changed)


def _arguments(function, case) -> tuple[tuple, Case] | None:
    """Return how to hand the case over: by name, else by position, None if neither can be."""
    values = tuple(case.values())
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):  # a built-in function that does not tell
        return values, {}
    for positional, named in (((), case), (values, {})):
        try:
            signature.bind(*positional, **named)
        except TypeError:
            continue
        return positional, named
    return None


def _parameters(function) -> str:
    """Return the parameters of the function as they stand in its `def`, without annotations."""
    signature = inspect.signature(function)
    plain = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=plain, return_annotation=signature.empty))


def _what_is_missing(attempt, function, is_first) -> str | None:
    """Say so if the function has no body, or returns nothing on the first case."""
    if isinstance(attempt.error, NotImplementedError):
        return NOT_ATTEMPTED
    if not is_first or attempt.error or not (attempt.answer is None or attempt.answer is ...):
        return None
    return NO_RETURN if attempt.answer is None and not _is_stub(function) else NOT_ATTEMPTED


def _is_stub(function) -> bool:
    """Say whether the function does next to nothing, as `def f(x): ...` does."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code is not None and len(code.co_code) <= 2 * len(_stub.__code__.co_code)


def _stub(): ...


def _print_failure(name, attempts, mistakes, accepts, fallback) -> None:
    """Print a failing case, and a hint or what else may help."""
    hint, failing = _find_hint(attempts, mistakes, accepts)
    smallest = min(failing, key=lambda attempt: size(attempt.case))
    first = _story(name, failing[0], accepts)
    parts = _story(name, smallest, accepts)
    if hint and sum(map(len, first)) <= LONGEST:
        parts = first
    if not hint and smallest.error is None:
        hint = NO_LIST if is_lazy(smallest.answer) else fallback
    line = " ".join(parts)
    print(line if len(line) <= COLUMNS else "\n".join(_fold(part, "    ") for part in parts))
    if hint:
        print(_fold(hint))


def _story(name, attempt, accepts) -> list[str]:
    """Return the call, what came of it, and what was expected."""
    call = f"{name}({', '.join(f'{key}={show(value)}' for key, value in attempt.case.items())})"
    if attempt.error:
        return [call, attempt.verdict]
    which = "expected, for example," if accepts else "expected"
    return [call, f"{attempt.verdict};", f"{which} {show(attempt.expected)}."]


def _fold(text: str, indent: str = "") -> str:
    """Break each line of `text` at spaces so that it fits the page."""
    folded = [
        textwrap.fill(
            line, COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
        for line in text.splitlines()
    ]
    return "\n".join(folded)


def _find_hint(attempts, mistakes, accepts) -> tuple[str | None, list[_Attempt]]:
    """Return the hint of the mistake that the answers follow, and the cases in which they do.

    They follow it when, of the cases in which either is wrong, both answer the same in `LIKE` or
    more. The mistake that is followed most closely wins.
    """
    wrong = [attempt for attempt in attempts if not attempt.is_right]
    best, found = LIKE, (None, wrong)

    def redo(mistake, attempt):
        return _attempt(mistake, attempt.case, attempt.expected, accepts)

    for hint, mistake in mistakes.items():
        if not any(_agree(attempt, redo(mistake, attempt)) for attempt in wrong[:2]):
            continue  # so it is with most mistakes; going through all cases can take seconds
        likeness, same = _likeness([(attempt, redo(mistake, attempt)) for attempt in attempts])
        if likeness > best or (likeness == best and not found[0]):
            best, found = likeness, (hint, same)
        if best == 1:
            break  # no other mistake can be closer
    return found


def _likeness(pairs) -> tuple[float, list[_Attempt]]:
    """Return in which share of the cases with a wrong answer both agree, and those cases.

    Unless it is all of them, one case is too few, and so are errors alone.
    """
    wrong = [(one, other) for one, other in pairs if not (one.is_right and other.is_right)]
    same = [one for one, other in wrong if _agree(one, other)]
    enough = len(same) == len(wrong) or sum(one.error is None for one in same) > 1
    return len(same) / len(wrong) if enough else 0, same


def _agree(one, other) -> bool:
    if one.error or other.error:
        return type(one.error) is type(other.error)
    return _same(one.answer, other.answer)


def _same(one, other) -> bool:
    try:
        return equal(one, other)
    except Exception:  # what cannot be compared
        return False


def _accepts(accepts, answer, case) -> bool:
    """Say whether `accepts` takes the answer; one that it cannot make sense of is wrong."""
    answer = plain(answer)
    try:
        return bool(accepts(answer, **deepcopy(case)))
    except Exception:
        return False
