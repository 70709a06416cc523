"""The matrix view's Python side: its matrices, names and counts, and what it refuses."""

import itertools
import re

import pytest
import torch
import torch.nn.functional as F

from convbook.course import colours
from convbook.course.explorers import MatrixView
from convbook.functional import conv2d_matrix, unfold

# Every setting of the sliders, in both views.
GRID = [
    {"input_size": n, "kernel_size": k, "stride": s, "padding": p, "view": view}
    for n, k, s, p, view in itertools.product(
        (3, 4, 5), (1, 2, 3), (1, 2), (0, 1), ("dense", "im2col")
    )
]


def tensor(grid):
    return torch.tensor(grid, dtype=torch.float64)[None, None]


def of_torch(view):
    """The view's matrix and output by PyTorch and by the book's own functions."""
    x, w = tensor(view.input), tensor(view.kernel)
    settings = {"stride": view.stride, "padding": view.padding}
    if view.view == "dense":
        matrix = conv2d_matrix(w, (view.input_size, view.input_size), **settings)
    else:
        matrix = F.unfold(x, view.kernel_size, **settings)[0]
    return matrix.tolist(), F.conv2d(x, w, **settings)[0, 0].tolist()


def evaluate(view):
    """What the view's own line of code computes, flattened."""
    scope = {"conv2d_matrix": conv2d_matrix, "unfold": unfold}
    return eval(view.code, scope, {"x": tensor(view.input), "w": tensor(view.kernel)}).flatten()


# ------------------------------------------------------------------ numbers


@pytest.mark.parametrize("show", ["letters", "numbers"])
def test_matrix_output_and_line_equal_pytorch_over_the_whole_control_grid(show):
    for settings in GRID:
        view = MatrixView(**settings, show=show)
        matrix, output = of_torch(view)
        assert view.matrix == matrix, settings
        assert view.output == output, settings
        assert len(output) == view.output_size
        assert evaluate(view).tolist() == [number for row in output for number in row], settings


def test_counts_equal_those_of_the_matrix_over_the_whole_control_grid():
    for settings in GRID:
        view = MatrixView(**settings)
        counts = view.counts
        n, k = view.input_size, view.kernel_size
        ones = torch.ones(1, 1, n, n, dtype=torch.float64)
        taps = F.unfold(ones, k, stride=view.stride, padding=view.padding)
        reads = F.fold(taps, n, k, stride=view.stride, padding=view.padding).flatten()
        assert counts["shape"] == torch.tensor(view.matrix).shape
        assert counts["entries"] == torch.tensor(view.matrix).numel()
        assert counts["copies"] == taps.sum() == reads.sum()
        assert counts["padding"] == (taps == 0).sum()
        assert counts["padding"] != 1  # the sentences say "zeros" and "taps"
        assert counts["pixels"] == (reads > 0).sum()
        assert (counts["most"], counts["times"]) == (reads.argmax(), reads.max())
        dense = conv2d_matrix(torch.ones(1, 1, k, k), (n, n), view.stride, view.padding)
        assert counts["copies"] == (dense != 0).sum()


@pytest.mark.parametrize(
    ("settings", "summary"),
    [
        ({}, "4 × 9 matrix: 36 entries, 20 zeros, 16 copies of 4 weights."),
        ({"kernel_size": 3}, "1 × 9 matrix: 9 entries, no zeros, 9 copies of 9 weights."),
        (
            {"kernel_size": 1, "stride": 2, "padding": 1},
            "9 × 9 matrix: 81 entries, 80 zeros, 1 copy of 1 weight. "
            "8 taps fall on padding and have no column.",
        ),
        (
            {"view": "im2col"},
            "4 × 4 matrix: 16 entries, no zeros. The 9 pixels are written 16 times, "
            "pixel e 4 times.",
        ),
        (
            {"view": "im2col", "show": "numbers", "input_size": 5, "padding": 1},
            "4 × 36 matrix: 144 entries, 44 zeros from padding. "
            "The 25 pixels are written 100 times, one pixel 4 times.",
        ),
        (
            {"view": "im2col", "kernel_size": 1, "stride": 2},
            "1 × 4 matrix: 4 entries, no zeros. 4 of the 9 pixels are written once.",
        ),
        (
            {"view": "im2col", "kernel_size": 1, "stride": 2, "padding": 1},
            "1 × 9 matrix: 9 entries, 8 zeros from padding. 1 of the 9 pixels is written once.",
        ),
    ],
)
def test_summary(settings, summary):
    assert MatrixView(**settings).summary == summary


def test_default_numbers_tell_zeros_of_the_matrix_from_weights():
    view = MatrixView()
    assert 0 not in [weight for row in view.kernel for weight in row]
    assert sum(row.count(0) for row in view.matrix) == 20


def test_own_numbers_set_the_sizes():
    view = MatrixView(torch.arange(16.0).reshape(4, 4), [[0, 0.5], [-1, 2]], view="im2col")
    assert (view.input_size, view.kernel_size) == (4, 2)
    assert view.matrix[1][:3] == [1, 2, 3]
    assert view.output[0][0] == 0.5 * 1 - 4 + 2 * 5


def test_attributes_are_read_and_written():
    view = MatrixView()
    view.padding, view.stride, view.view = 1, 2, "im2col"
    assert (view.matrix, view.output) == of_torch(view)
    view.input = [[number] * 5 for number in range(5)]
    view.kernel = [[1]]
    assert (view.input_size, view.kernel_size) == (5, 1)
    assert (view.matrix, view.output) == of_torch(view)
    view.input_size = 3
    assert view.input == [[number] * 3 for number in range(3)]


# ------------------------------------------------------------------ what a notebook stores


def tables_of(html):
    """The cells of each table as rows of (class, text)."""
    assert "<script" not in html
    cell = r'<t[dh](?: class="(.*?)")?>(.*?)</t[dh]>'
    return [
        [re.findall(cell, row) for row in re.findall("<tr>(.*?)</tr>", table)]
        for table in re.findall("<table>.*?</table>", html)
    ]


def texts(table):
    return [[text for _, text in row] for row in table]


def test_static_form_shows_the_matrix_of_letters():
    view = MatrixView()
    inputs, kernel, output, matrix = map(texts, tables_of(view.static_html()))
    assert inputs == [["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]]
    assert kernel == [["p", "q"], ["r", "s"]]
    assert output == [["y₀", "y₁"], ["y₂", "y₃"]]
    assert matrix == [
        ["", *"abcdefghi"],
        ["y₀", *"pq0rs0000"],
        ["y₁", *"0pq0rs000"],
        ["y₂", *"000pq0rs0"],
        ["y₃", *"0000pq0rs"],
    ]
    assert view.summary in view.static_html()
    assert f"y = {view.code}" in view.static_html()
    assert "The convolution as a matrix, 4 × 9" in view.static_html()


@pytest.mark.parametrize("settings", GRID)
def test_static_form_shows_the_numbers(settings):
    view = MatrixView(**settings, show="numbers")
    *grids, matrix = tables_of(view.static_html())
    numbers = [
        [[float(text.replace("−", "-")) for text in row] for row in texts(table)] for table in grids
    ]
    assert numbers == [view.input, view.kernel, view.output]
    body = [[text.replace("−", "-") for _, text in row[1:]] for row in matrix[1:]]
    assert [[float(text) for text in row] for row in body] == view.matrix


@pytest.mark.parametrize("kernel_size", [1, 2, 3])
def test_static_form_tints_equal_weights_equally(kernel_size):
    view = MatrixView(kernel_size=kernel_size)
    _, kernel, _, matrix = tables_of(view.static_html())
    tints = [int(css.removeprefix("cb-tint cb-tint-")) for row in kernel for css, _ in row]
    wanted = colours.weight_tints(kernel_size**2)
    assert [colours.WEIGHTS[tint - 1] for tint in tints] == wanted
    by_name = {text: css for row in kernel for css, text in row} | {"0": "cb-zero"}
    for row in matrix[1:]:
        assert all(css == by_name[text] for css, text in row[1:])


def test_names_never_collide():
    for settings in GRID:
        view = MatrixView(**settings)
        inputs, kernel, output, _ = tables_of(view.static_html())
        names = [text for table in (inputs, kernel, output) for row in texts(table) for text in row]
        assert len(set(names)) == len(names)
        assert not set(names) & {"x", "y", "w", "M", "U", "0"}
