"""Compare, measure and show answers, whatever they are made of: numbers, lists, tensors, arrays."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from numbers import Real


def equal(answer, expected) -> bool:
    """Compare numbers, and sequences of them as lists: `(1, 2)`, `[1, 2]` and a tensor agree.

    Integers must be equal; where a fraction is involved, rounding may differ: six digits count,
    as many as float32 holds. Where True or False is expected, 1 and 0 will do.

    Example:
        >>> equal((1, 2.0), [1, 2]), equal(1 / 3, 0.3333333), equal(1 / 3, 0.333)
        (True, True, False)
    """
    answer, expected = plain(answer), plain(expected)
    kinds = {type(answer), type(expected)}
    if kinds == {list}:
        return len(answer) == len(expected) and all(map(equal, answer, expected))
    if float in kinds and kinds <= {float, int}:
        return math.isclose(answer, expected, rel_tol=1e-6, abs_tol=1e-12)
    return (len(kinds) == 1 or isinstance(expected, bool)) and answer == expected


def plain(value):
    """Return lists instead of sequences, tensors and arrays, and whole numbers as `int`.

    Example:
        >>> plain((range(2), 3.0))
        [[0, 1], 3]
    """
    if hasattr(value, "tolist"):  # tensors and arrays
        value = value.tolist()
    if isinstance(value, Sequence | range) and not isinstance(value, str):
        return [plain(item) for item in value]
    if isinstance(value, Real) and not isinstance(value, int):
        value = float(value)  # a Fraction, too
        return int(value) if value.is_integer() else value
    return value


def is_lazy(value) -> bool:
    """Say whether the value, or an item of it, is an iterator and so holds no numbers yet.

    Example:
        >>> is_lazy([1, 2]), is_lazy([map(abs, [1, 2])])
        (False, True)
    """
    if isinstance(value, list | tuple):
        return any(map(is_lazy, value))
    return isinstance(value, Iterator)


def size(case: Mapping) -> tuple[int, int]:
    """Return how many numbers the arguments of a case hold, and how large they are together.

    A fraction is as large as the numbers that it is written with: 0.03 is 3/100. A function, a
    text and a tensor hold none.

    Example:
        >>> size({"row": [[1, -2]], "stride": 3}), size({"slope": 0.03}), size({"slope": 0.5})
        ((3, 6), (1, 102), (1, 2))
    """
    fractions = [Fraction(str(+number)) for number in _flat(case.values())]  # +True is 1
    return len(fractions), sum(abs(one.numerator) + one.denominator - 1 for one in fractions)


def _flat(value) -> list[Real]:
    if isinstance(value, Real):
        return [value]
    if callable(value) or isinstance(value, str) or hasattr(value, "tolist"):
        return []
    return [number for item in value for number in _flat(item)]


def show(value, longest: int | None = None) -> str:
    """Return the value as Python writes it, on one line, of `longest` characters at most.

    Example:
        >>> show(range(9)), show([1, 2, 3, 4], longest=8), show(map(abs, []))
        ('range(0, 9)', '[1, 2...', 'a map')
    """
    if isinstance(value, Iterator):
        return f"a {type(value).__name__}"
    text = re.sub(r"\n\s*", " ", repr(value))  # tensors and arrays break their lines
    return text if not longest or len(text) <= longest else f"{text[: longest - 3]}..."
