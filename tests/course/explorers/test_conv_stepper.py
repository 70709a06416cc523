"""The stepper's Python side: what it computes, and its form without a script."""

import itertools
import random
import re

import pytest
import torch
import torch.nn.functional as F

from convbook.course.explorers import ConvStepper

X = [[2, 2, 3, 3, 3], [0, 1, 3, 0, 3], [2, 3, 0, 1, 3], [3, 3, 2, 1, 2], [3, 3, 0, 2, 3]]
K = [[2, 0, 1], [1, 0, 0], [0, 1, 1]]


def tensor(grid):
    return torch.tensor(grid, dtype=torch.float64)[None, None]


def evaluate(explorer):
    """The output of the explorer's own PyTorch line, as nested lists."""
    scope = {"F": F, "x": tensor(explorer.input), "w": tensor(explorer.kernel)}
    return eval(explorer.code, scope)[0, 0].tolist()


def drawable_settings():
    """Every setting of the controls, as constructor arguments; some are impossible."""
    sides = list(itertools.product(range(5), range(5)))
    for size, kernel, stride, dilation in itertools.product(
        range(1, 11), range(1, 6), range(1, 5), range(1, 4)
    ):
        common = {
            "input_size": size,
            "kernel_size": kernel,
            "stride": stride,
            "dilation": dilation,
        }
        for padding in sides:
            yield {**common, "padding": padding}
            for extra in range(max(stride, dilation)):
                yield {
                    **common,
                    "padding": padding,
                    "mode": "transposed",
                    "output_padding": extra,
                }


# ------------------------------------------------------------------ the stepper's numbers


def test_default_is_the_books_first_worked_example():
    assert ConvStepper().input == X
    assert ConvStepper().kernel == K
    assert ConvStepper(stride=2, padding=1).output == [[1, 5, 6], [7, 8, 3], [3, 10, 4]]


def test_output_is_what_the_shown_line_computes():
    settings = random.Random(0).sample(list(drawable_settings()), 400)
    compared = {"convolution": 0, "transposed": 0}
    for arguments in settings:
        try:
            explorer = ConvStepper(**arguments)
        except ValueError:
            continue
        assert explorer.output == evaluate(explorer), arguments
        assert len(explorer.output) == explorer.output_size
        compared[explorer.mode] += 1
    assert min(compared.values()) > 80


def test_own_numbers_set_the_sizes():
    explorer = ConvStepper([[1, -2.5], [0, 4]], torch.tensor([[3]]), stride=1)
    assert (explorer.input_size, explorer.kernel_size) == (2, 1)
    assert explorer.output == [[3, -7.5], [0, 12]]


def test_attributes_are_read_and_written():
    explorer = ConvStepper()
    explorer.stride = 2
    explorer.padding = 1
    assert explorer.padding == (1, 1)
    assert explorer.output == [[1, 5, 6], [7, 8, 3], [3, 10, 4]]
    explorer.input = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    explorer.kernel = [[1]]
    explorer.padding = 0
    assert explorer.output == [[1, 3], [7, 9]]
    explorer.input_size = 5  # the numbers beyond come back
    assert explorer.input[4] == X[4]


def test_impossible_settings_of_a_live_kernel_give_no_output():
    explorer = ConvStepper()
    explorer.input_size = 2
    with pytest.raises(ValueError, match=r"kernel_size=3 .* 2\+0\+0"):
        explorer.output  # noqa: B018
    assert "kernel_size=3" in explorer.static_html()


# ------------------------------------------------------------------ what a notebook stores


def test_static_form_shows_the_output_without_a_script():
    explorer = ConvStepper([[1, -2.5], [0, 4]], [[0.1, 0.2], [-1, 3]], padding=(1, 0))
    html = explorer.static_html()
    assert "<script" not in html
    tables = re.findall(r"<table>.*?</table>", html)
    cells = [
        [
            [float(cell.replace("\u2212", "-")) for cell in re.findall("<td>(.*?)</td>", row)]
            for row in re.findall("<tr>(.*?)</tr>", table)
        ]
        for table in tables
    ]
    assert cells[0] == explorer.input
    assert cells[1] == explorer.kernel
    assert torch.allclose(tensor(cells[2]), tensor(evaluate(explorer)))
