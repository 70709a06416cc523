"""Chapter 6, Initialisation: its quiz answers and its exercises' right answers, measured."""

import math
from fractions import Fraction
from itertools import count

import numpy as np
import pytest
import torch
from torch import nn

from convbook.course.checks import initialisation
from convbook.course.photographs import grace_hopper
from tests.helpers.attempts import said_of


def rms(x):
    return x.square().mean().sqrt().item()


def opening_question():
    torch.manual_seed(0)
    x = grace_hopper(32).double()
    with torch.no_grad():
        x = first = nn.Conv2d(3, 32, 3, padding=1, bias=False).double()(x).relu()
        for _ in range(29):
            layer = nn.Conv2d(32, 32, 3, padding=1, padding_mode="circular", bias=False)
            x = layer.double()(x).relu()
    ratio = rms(x) / rms(first)
    assert 0.35 < ratio ** (1 / 29) < 0.45
    sizes = {"about as large": 1, "about a thousandth": 1e-3}
    near = [text for text, size in sizes.items() if size / 5 < ratio < 5 * size]
    return near[0] if near else {True: "less than a billionth"}[ratio < 1e-9]


def pytorch_default():
    torch.manual_seed(0)
    gain = 576 * nn.Conv2d(64, 512, 3).weight.var().item()
    choices = {"2: its source code calls Kaiming's function": 2, "1": 1, "1/3": 1 / 3}
    return min(choices, key=lambda text: abs(choices[text] - gain))


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "pytorch-default": pytorch_default,
}


def sum_of_ones(layer, size):
    """The largest output of a layer of ones on an input of ones: the products it adds up."""
    for parameter in layer.parameters():
        nn.init.ones_(parameter)
    channels = layer.in_channels
    with torch.no_grad():
        return int(layer.double()(torch.ones(1, channels, size, size).double()).max())


def test_fan_in_counts_the_products_of_one_output():
    for case in initialisation.check_fan_in.cases:
        assert initialisation.fan_in(**case) == sum_of_ones(nn.Conv2d(**case, bias=False), 8)


def test_transposed_fan_in_counts_the_products_of_one_output():
    for case in initialisation.check_transposed_fan_in.cases:
        layer = nn.ConvTranspose2d(**case, bias=False)
        assert initialisation.transposed_fan_in(**case) == sum_of_ones(layer, 6)


def test_layers_until_is_the_first_layer_below_the_share():
    for case in initialisation.check_layers_until.cases:
        factor = math.sqrt(case["gain"] / 2)
        layers = initialisation.layers_until(**case)
        assert factor**layers < case["share"] <= factor ** (layers - 1)
    assert initialisation.layers_until(0.5, 0.25) == 3  # after two layers it is 0.25, not below
    assert initialisation.layers_until(1, 0.6) == 2  # the example in the exercise


def test_kept_is_what_leaky_relu_keeps():
    numbers = torch.linspace(-3, 3, 1001).double()
    for case in initialisation.check_kept.cases:
        leaky = nn.functional.leaky_relu(numbers, case["slope"])
        share = (leaky.square().mean() / numbers.square().mean()).item()
        assert initialisation.kept(**case) == pytest.approx(share)


def test_a_right_answer_by_another_formula_is_accepted(capsys):
    """PyTorch's own function is off by the last digit: 0.4999999999999999 for a slope of 0."""
    initialisation.check_kept(lambda slope: 1 / nn.init.calculate_gain("leaky_relu", slope) ** 2)
    assert "correct on" in capsys.readouterr().out


def first_below(share, factor):
    return next(layers for layers in count() if factor**layers < share)


def kept_of_numbers(slope):
    numbers = torch.linspace(-3, 3, 2001)  # in float32
    return nn.functional.leaky_relu(numbers, slope).square().mean() / numbers.square().mean()


READERS = {
    "check_fan_in": [
        ("correct on", lambda *case: nn.Conv2d(*case[:3], groups=case[3]).weight[0].numel()),
        ("correct on", lambda c_in, c_out, size, groups: np.prod(size) * c_in / groups),
        ("one filter read", lambda c_in, c_out, size, groups: sum(size) * c_in // groups),
        ("one filter read", lambda c_in, c_out, size, groups: np.prod(size) * c_in * groups),
    ],
    "check_layers_until": [
        ("correct on", lambda gain, share: first_below(share, torch.tensor(gain / 2).sqrt())),
        ("correct on", lambda gain, share: math.floor(math.log(share**2, gain / 2)) + 1),
        ("after each layer", lambda gain, share: first_below(1 - share, math.sqrt(gain / 2))),
        (
            "follows the mean square",
            lambda gain, share: first_below(share**0.5, math.sqrt(gain / 2)),
        ),
    ],
    "check_kept": [
        ("correct on", kept_of_numbers),
        ("correct on", lambda slope: (Fraction(slope) ** 2 + 1) / 2),
        ("by hand", lambda slope: min(kept_of_numbers(slope), 1)),
        ("by hand", lambda slope: ((1 + slope) / 2) ** 2),
    ],
    "check_transposed_fan_in": [
        ("correct on", lambda c_in, c_out, k, stride: c_in * (k / stride) ** 2),
        ("correct on", lambda c_in, c_out, k, s: torch.ones(c_in, k, k)[:, ::s, ::s].sum()),
        ("Draw the stamps", lambda c_in, c_out, k, stride: (k // stride) ** 2),
        ("Draw the stamps", lambda c_in, c_out, k, stride: c_in * c_out * (k // stride) ** 2),
    ],
}


@pytest.mark.parametrize(
    ("name", "said", "function"),
    [(name, *answer) for name, answers in READERS.items() for answer in answers],
)
def test_what_the_checkers_say_to_readers(name, said, function):
    assert said in said_of(function, getattr(initialisation, name))
