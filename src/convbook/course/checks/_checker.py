"""Run a reader's function on many cases and say, in a few lines, how it did.

A checker prints and never raises, so the published page shows no traceback. It prints one of

- `not attempted yet`: the function has no body yet, and returns nothing on the first case;
- `returned None`: it has one, and still returns nothing on the first case;
- the first case that fails, with what was returned and what was expected, and a hint if the answers
  follow a mistake that many people make;
- `correct on N cases`.
"""

import inspect
import math
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import product
from typing import Any

Case = dict[str, Any]  # keyword arguments of the reader's function
NOT_ATTEMPTED = "not attempted yet.\nReplace the ... and run the cell again."
NO_RETURN = "returned None. Is a `return` missing?"
COLUMNS = 77  # what the book's column shows without scrolling


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
    Where several answers are right, `accepts(answer, **case)` decides, with sequences, tensors and
    arrays handed to it as lists; `reference` gives one right answer.

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

    def __call__(self, function: Callable) -> None:
        """Print how `function` does."""
        run_checker(function, self.reference, self.cases, self.mistakes, self.accepts)


def run_checker(
    function: Callable,
    reference: Callable,
    cases: Iterable[Case],
    mistakes: Mapping[str, Callable] | None = None,
    accepts: Callable[..., bool] | None = None,
) -> None:
    """Compare `function` with `reference` on every case and print the verdict.

    `mistakes` maps a hint to a wrong solution. Its hint is printed when the reader's answers are
    the same as that solution's on every case; where that solution raises, the reader's must raise
    an error of the same type. With `accepts`, an answer is right when `accepts(answer, **case)`.

    Example:
        >>> run_checker(lambda n: n + 1, lambda n: n + 2, [{"n": 1}], {"Add 2.": lambda n: n + 1})
        <lambda>(n=1) returned 2; expected 3.
        Add 2.
        >>> run_checker(lambda n: ..., lambda n: n + 2, [{"n": 1}])
        <lambda>: not attempted yet.
        Replace the ... and run the cell again.
        >>> run_checker(lambda n: n, lambda n: n + 1, [{"n": 1}], accepts=lambda a, n: a > n)
        <lambda>(n=1) returned 1; expected, for example, 2.
    """
    name = getattr(function, "__name__", "your function")
    if not callable(function):
        print(f"{function!r} is not a function. Hand in the function itself, without brackets.")
        return
    cases = list(cases)
    for index, case in enumerate(cases):
        expected = reference(**deepcopy(case))
        try:
            answer = function(**deepcopy(case))  # a copy: the reader may change it in place
            if index == 0 and (answer is None or answer is Ellipsis):
                forgotten = answer is None and not _is_stub(function)
                print(f"{name}: {NO_RETURN if forgotten else NOT_ATTEMPTED}")
                return
            if _accepts(accepts, answer, case) if accepts else _equal(answer, expected):
                continue
            verdict = f"returned {_show(answer)}"
        except NotImplementedError:
            print(f"{name}: {NOT_ATTEMPTED}")
            return
        except (Exception, SystemExit) as error:  # whatever it is, the reader wants to read it
            _print_lines(_call(name, case), f"raised {type(error).__name__}: {error}")
        else:
            which = "expected, for example," if accepts else "expected"
            _print_lines(_call(name, case), f"{verdict};", f"{which} {_show(expected)}.")
        if hint := _find_hint(function, cases, mistakes or {}):
            print(_fold(hint))
        return
    print(f"{name}: correct on {len(cases)} {'case' if len(cases) == 1 else 'cases'}.")


def _is_stub(function) -> bool:
    """Say whether the function does next to nothing, as `def f(x): ...` does."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code is not None and len(code.co_code) <= 2 * len(_stub.__code__.co_code)


def _stub(): ...


def _print_lines(*parts: str) -> None:
    """Print the parts on one line if it is short enough, else each on a line of its own."""
    line = " ".join(parts)
    print(line if len(line) <= COLUMNS else "\n".join(_fold(part, "    ") for part in parts))


def _fold(text: str, indent: str = "") -> str:
    """Break each line of `text` at spaces so that it fits the page."""
    folded = [
        textwrap.fill(
            line, COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
        for line in text.splitlines()
    ]
    return "\n".join(folded)


def _find_hint(function, cases, mistakes) -> str | None:
    for hint, mistake in mistakes.items():
        if all(_same_outcome(function, mistake, case) for case in cases):
            return hint
    return None


def _same_outcome(function, mistake, case) -> bool:
    raised, answers = [], []
    for solution in (function, mistake):
        try:
            answers.append(solution(**deepcopy(case)))
        except (Exception, SystemExit) as error:
            raised.append(type(error))
    if raised:
        return len(raised) == 2 and raised[0] is raised[1]
    try:
        return _equal(*answers)
    except Exception:  # an answer that cannot be compared
        return False


def _accepts(accepts, answer, case) -> bool:
    """Say whether `accepts` takes the answer; one that it cannot make sense of is wrong."""
    answer = _plain(answer)
    try:
        return bool(accepts(answer, **deepcopy(case)))
    except Exception:
        return False


def _equal(answer, expected) -> bool:
    """Compare numbers, and sequences of them as lists: `(1, 2)`, `[1, 2]` and a tensor agree.

    Integers must be equal; where a fraction is involved, rounding may differ: nine digits count.
    """
    answer, expected = _plain(answer), _plain(expected)
    kinds = {type(answer), type(expected)}
    if kinds == {list}:
        return len(answer) == len(expected) and all(map(_equal, answer, expected))
    if float in kinds and kinds <= {float, int}:
        return math.isclose(answer, expected, rel_tol=1e-9, abs_tol=1e-12)
    return len(kinds) == 1 and answer == expected


def _plain(value):
    if hasattr(value, "tolist"):  # tensors and arrays
        value = value.tolist()
    if isinstance(value, Sequence | range) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _show(value) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _call(name: str, case: Case) -> str:
    return f"{name}({', '.join(f'{key}={_show(value)}' for key, value in case.items())})"
