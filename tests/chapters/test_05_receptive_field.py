"""Chapter 5, Receptive field: its quiz answers and its exercises' right answers, from PyTorch."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision import models

from convbook.analysis import empirical_receptive_field, trace
from convbook.course.checks import receptive_field as exercises
from tests.helpers.attempts import said_of


def seen(layers, input_size, number):
    """Return the pixels of a row that move a number of the last map, by poking each pixel."""
    rows = torch.eye(input_size, dtype=torch.float64)[:, None]  # in row i, pixel i is 1
    for kernel_size, stride, padding, dilation in layers:
        ones = torch.ones(1, 1, kernel_size, dtype=torch.float64)
        rows = F.conv1d(rows, ones, stride=stride, padding=padding, dilation=dilation)
    return rows[:, 0, number].nonzero().flatten().tolist()


def opening_question():
    rise = torch.zeros(15, 15)
    for row in range(15):
        for column in range(15):
            picture = torch.zeros(1, 1, 15, 15)
            picture[0, 0, row, column] = 1
            for _ in range(2):
                picture = F.conv2d(picture, torch.ones(1, 1, 3, 3))
            rise[row, column] = picture[0, 0, 5, 5]
    return str(rise.count_nonzero().item())


def stride_first():
    return str(len(seen([(3, 2, 0, 1), (3, 1, 0, 1)], 21, 3)))


def resnet_corner():
    with torch.device("meta"):
        network = models.resnet18()
    size, jump, start = trace(network, (3, 224, 224)).receptive_field
    assert (size, jump) == (435, 32)
    return f"{max(start, 0)} to {min(start + size - 1, 223)}"


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "stride-first": stride_first,
    "resnet-corner": resnet_corner,
}


def test_the_size_of_a_field_is_what_gradients_find():
    for case in exercises.check_field_size.cases:
        layers = [nn.Conv1d(1, 1, k, stride, 0, d) for k, stride, d in case["layers"]]
        field = empirical_receptive_field(nn.Sequential(*layers), (1, 64))
        assert exercises.field_size(**case) == field.size


def test_the_pixels_seen_are_those_that_move_the_number():
    for case in exercises.check_pixels_seen.cases:
        layers = [(*layer, 1) for layer in case["layers"]]
        pixels = seen(layers, case["input_size"], case["number"])
        assert exercises.pixels_seen(**case) == (pixels[0], pixels[-1])


def size_of(strides):
    """Return the field of 3-tap layers with these strides."""
    layers = [nn.Conv1d(1, 1, 3, stride) for stride in strides]
    return trace(nn.Sequential(nn.Identity(), *layers), (1, 5000)).receptive_field.size


def test_one_layer_less_would_be_too_few():
    for case in exercises.check_layers_needed.cases:
        size, strided = case["size"], case["strided"]
        needed = exercises.layers_needed(size, strided)
        strides = [2 if i < strided else 1 for i in range(needed)]
        assert size_of(strides) >= size
        if needed:
            assert size_of(strides[:-1]) < size


def test_paths_are_what_equal_weights_add_up():
    for case in exercises.check_path_counts.cases:
        kernel_size, depth = case["kernel_size"], case["depth"]
        width = depth * (kernel_size - 1) + 1
        row = torch.zeros(1, 1, width, dtype=torch.float64, requires_grad=True)
        top = row
        for _ in range(depth):
            top = F.conv1d(top, torch.ones(1, 1, kernel_size, dtype=torch.float64))
        top.sum().backward()  # a single number
        assert top.numel() == 1
        assert exercises.path_counts(**case) == row.grad.flatten().int().tolist()


def from_the_last_layer(layers):
    size = 1
    for kernel_size, stride, dilation in reversed(layers):
        size = (size - 1) * stride + dilation * (kernel_size - 1) + 1
    return size


def with_a_jump_that(grows, layers):
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        size += dilation * (kernel_size - 1) * jump
        jump = grows(jump, stride, dilation)
    return size


def ends_of_what_is_seen(layers, input_size, number):
    pixels = seen([(*layer, 1) for layer in layers], input_size, number)
    return torch.tensor([pixels[0], pixels[-1]])


def cut_at_every_map(layers, input_size, number):
    sizes = [input_size]
    for kernel_size, stride, padding in layers:
        sizes.append((sizes[-1] + 2 * padding - kernel_size) // stride + 1)
    first = last = number
    for (kernel_size, stride, padding), size in zip(layers[::-1], sizes[-2::-1], strict=True):
        first = max(first * stride - padding, 0)
        last = min(last * stride - padding + kernel_size - 1, size - 1)
    return first, last


def tried_out(size, strided):
    layers = []
    while from_the_last_layer(layers) < size:
        layers.append((3, 2 if len(layers) < strided else 1, 1))
    return len(layers)


def by_powers(size, strided):
    strided_only = next(n for n in range(99) if 2 ** (n + 1) > size)
    rest = -(-(size - 2 ** (strided + 1) + 1) // 2 ** (strided + 1))
    return strided_only if strided_only <= strided else strided + rest


def stamped(kernel_size, depth):
    counts = torch.ones(1, 1, 1)
    for _ in range(depth):
        counts = F.conv_transpose1d(counts, torch.ones(1, 1, kernel_size))
    return counts[0, 0]


READERS = {
    "check_field_size": [
        ("correct on", from_the_last_layer),
        ("correct on", lambda layers: seen([(k, s, 0, d) for k, s, d in layers], 64, 0)[-1] + 1),
        ("edges", lambda layers: with_a_jump_that(lambda jump, s, d: jump + s, layers)),
        ("edges", lambda layers: with_a_jump_that(lambda jump, s, d: jump * s * d, layers)),
    ],
    "check_pixels_seen": [
        ("correct on", ends_of_what_is_seen),
        ("correct on", cut_at_every_map),
        ("map by map", lambda *case: ends_of_what_is_seen(*case)[0]),
        ("map by map", lambda *case: ends_of_what_is_seen(*case) + 1),
    ],
    "check_layers_needed": [
        ("correct on", tried_out),
        ("correct on", by_powers),
        ("after each layer", lambda size, strided: math.ceil(math.log2(size + 1)) - 1),
        ("after each layer", lambda size, strided: math.ceil((size - 1) / 2 ** (strided + 1))),
        ("not three", lambda size, strided: tried_out(2 * size // 3 + 1, strided)),
    ],
    "check_path_counts": [
        ("correct on", stamped),
        ("correct on", lambda k, depth: (np.poly1d([1] * k) ** depth).coeffs),
        ("from each pixel", lambda k, depth: stamped(k, depth) / k**depth),
        ("from each pixel", lambda k, depth: stamped(depth + 1, k - 1)),
    ],
}


@pytest.mark.parametrize(
    ("name", "said", "function"),
    [(name, *answer) for name, answers in READERS.items() for answer in answers],
)
def test_what_the_checkers_say_to_readers(name, said, function):
    assert said in said_of(function, getattr(exercises, name))
