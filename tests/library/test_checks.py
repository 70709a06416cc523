"""Refusals of integers name the argument, its value and the range."""

import re

import numpy as np
import pytest

from convbook._checks.arguments import integer


def test_whatever_python_takes_for_an_index_is_an_integer():
    for value in (2, np.int64(2), np.uint8(2)):
        assert type(integer(value, "size", 2, 2)) is int
    assert integer(2**63 - 1, "size", 0) == 2**63 - 1


@pytest.mark.parametrize(
    ("error", "value", "limits", "message"),
    [
        (TypeError, 2.0, (1,), "size=2.0 is not an integer; use an int of at least 1"),
        (TypeError, True, (0, 4), "size=True is not an integer; use an int from 0 to 4"),
        (ValueError, 0, (1,), "size=0 is too small; use an int of at least 1"),
        (ValueError, 0, (1, 4), "size=0 is too small; use an int from 1 to 4"),
        (ValueError, 5, (1, 4), "size=5 is too large; use an int from 1 to 4"),
        (ValueError, 2**63, (1,), f"size={2**63} is too large; use an int below 2**63"),
    ],
)
def test_refusals_name_the_range(error, value, limits, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        integer(value, "size", *limits)
