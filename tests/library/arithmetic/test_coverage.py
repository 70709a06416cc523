"""The counts of coverage equal enumeration, and PyTorch's own layers with weights of one."""

from collections import Counter
from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convbook.arithmetic import Layer, receptive_field
from convbook.arithmetic.coverage import dilation_coverage, is_even_overlap, transposed_coverage
from tests.helpers.sampling import examples

schedules = st.lists(st.integers(1, 5), max_size=4)
kernels = st.integers(1, 5)


@examples(200)
@given(schedules, kernels, st.booleans())
def test_paths_of_a_stack_equal_enumeration(dilations, kernel_size, as_tuple):
    counts = dilation_coverage(tuple(dilations) if as_tuple else dilations, kernel_size)
    paths = Counter(
        sum(tap * dilation for tap, dilation in zip(taps, dilations, strict=True))
        for taps in product(range(kernel_size), repeat=len(dilations))
    )
    assert counts == [paths[position] for position in range(max(paths) + 1)]
    layers = [Layer(kernel_size, dilation=dilation) for dilation in dilations]
    assert not layers or len(counts) == receptive_field(layers)[-1].size
    assert sum(counts) == kernel_size ** len(dilations)
    assert counts == counts[::-1]
    assert counts == dilation_coverage(dilations[::-1], kernel_size)


@examples(100)
@given(schedules, kernels)
def test_paths_of_a_stack_are_the_gradient_of_pytorchs(dilations, kernel_size):
    """With weights of one, the gradient of an output counts the paths to each pixel."""
    counts = dilation_coverage(dilations, kernel_size)
    x = torch.zeros(1, 1, len(counts), dtype=torch.float64, requires_grad=True)
    weight = torch.ones(1, 1, kernel_size, dtype=torch.float64)
    y = x
    for dilation in dilations:
        y = torch.nn.functional.conv1d(y, weight, dilation=dilation)
    y.sum().backward()
    assert y.numel() == 1
    assert x.grad.flatten().tolist() == counts


def reached(counts):
    return sum(count > 0 for count in counts), len(counts)


def test_gridding():
    assert dilation_coverage([2, 2, 2]) == [1, 0, 3, 0, 6, 0, 7, 0, 6, 0, 3, 0, 1]
    assert reached(dilation_coverage([2, 2, 2])) == (7, 13)
    assert reached(dilation_coverage([1, 2, 5])) == (17, 17)
    assert reached(dilation_coverage([1, 2, 4, 8, 16])) == (63, 63)
    assert dilation_coverage([2**n for n in range(10)], 2) == [1] * 1024  # one path to each
    assert dilation_coverage([]) == [1]
    assert dilation_coverage([7, 3], 1) == [1]


windows = st.tuples(st.integers(1, 8), st.integers(1, 6), st.integers(1, 6))


@examples(300)
@given(st.integers(1, 8), windows)
def test_overlap_equals_enumeration_and_pytorch(size, window):
    kernel_size, stride, dilation = window
    counts = transposed_coverage(size, *window)
    # Output pixel y, seen from its own side: which input pixels have a tap that falls on it.
    expected = [
        sum(y - i * stride in range(0, dilation * kernel_size, dilation) for i in range(size))
        for y in range(len(counts))
    ]
    assert counts == expected
    ones = torch.ones(1, 1, size, dtype=torch.float64), torch.ones(1, 1, kernel_size).double()
    output = torch.nn.functional.conv_transpose1d(*ones, stride=stride, dilation=dilation)
    assert counts == output.flatten().tolist()
    assert sum(counts) == size * kernel_size


@pytest.mark.parametrize("kernel_size", range(1, 13))
def test_the_rule_for_an_even_overlap(kernel_size):
    """Over one period of the pattern, away from the borders, all counts are equal or they differ.

    The rule is more than a count of one sort: it is right in both directions.
    """
    for stride, dilation in product(range(1, 9), range(1, 9)):
        reach = dilation * (kernel_size - 1)
        size = reach // stride + 3
        inside = transposed_coverage(size, kernel_size, stride, dilation)
        inside = inside[reach : (size - 1) * stride + 1]
        assert len(inside) > stride
        even = len(set(inside)) == 1
        assert is_even_overlap(kernel_size, stride, dilation) is even
        if even:
            assert inside[0] * stride == kernel_size


def test_the_textbook_overlap():
    counts = transposed_coverage(6, 3, 2)
    assert counts == [1, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 1]
    inside = counts[1:5]
    assert inside == [1, 2, 1, 2]
    assert [[a * b for b in inside[:2]] for a in inside[:2]] == [[1, 2], [2, 4]]
    assert transposed_coverage(3, 2, 3) == [1, 1, 0, 1, 1, 0, 1, 1]  # pixels that get nothing


BAD_VALUES = [
    (dilation_coverage, ([0],), {}, "dilations=0 is too small; use an int of at least 1"),
    (dilation_coverage, ([1, -2],), {}, "dilations=-2 is too small; use an int of at least 1"),
    (
        dilation_coverage,
        ([1],),
        {"kernel_size": 0},
        "kernel_size=0 is too small; use an int of at least 1",
    ),
    (transposed_coverage, (0, 3, 2), {}, "size=0 is too small; use an int of at least 1"),
    (transposed_coverage, (4, 0, 2), {}, "kernel_size=0 is too small; use an int of at least 1"),
    (transposed_coverage, (4, 3, 0), {}, "stride=0 is too small; use an int of at least 1"),
    (transposed_coverage, (4, 3, 2, 0), {}, "dilation=0 is too small; use an int of at least 1"),
    (is_even_overlap, (0, 2), {}, "kernel_size=0 is too small; use an int of at least 1"),
    (is_even_overlap, (3, 0), {}, "stride=0 is too small; use an int of at least 1"),
    (
        is_even_overlap,
        (3, 2),
        {"dilation": -1},
        "dilation=-1 is too small; use an int of at least 1",
    ),
]
BAD_TYPES = [
    (dilation_coverage, (2,), {}, "dilations=2 is not a sequence; use a list such as [1, 2, 5]"),
    (
        dilation_coverage,
        ("12",),
        {},
        "dilations='12' is not a sequence; use a list such as [1, 2, 5]",
    ),
    (
        dilation_coverage,
        ([1, 2.0],),
        {},
        "dilations=2.0 is not an integer; use an int of at least 1",
    ),
    (
        dilation_coverage,
        ([1],),
        {"kernel_size": True},
        "kernel_size=True is not an integer; use an int of at least 1",
    ),
    (transposed_coverage, (4.0, 3, 2), {}, "size=4.0 is not an integer; use an int of at least 1"),
    (
        transposed_coverage,
        (4, (3, 3), 2),
        {},
        "kernel_size=(3, 3) is not an integer; use an int of at least 1",
    ),
    (is_even_overlap, (3, "2"), {}, "stride='2' is not an integer; use an int of at least 1"),
    (
        is_even_overlap,
        (3, 2, None),
        {},
        "dilation=None is not an integer; use an int of at least 1",
    ),
]


@pytest.mark.parametrize(
    ("error", "function", "arguments", "settings", "message"),
    [(ValueError, *row) for row in BAD_VALUES] + [(TypeError, *row) for row in BAD_TYPES],
    ids=[message for *_, message in BAD_VALUES + BAD_TYPES],
)
def test_refusals_name_the_argument_and_the_remedy(error, function, arguments, settings, message):
    with pytest.raises(error) as refusal:
        function(*arguments, **settings)
    assert type(refusal.value) is error
    assert str(refusal.value) == message
