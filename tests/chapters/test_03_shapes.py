"""Chapter 3, Shapes: its quiz answers and its exercises' right answers, from PyTorch itself."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from convbook.arithmetic import conv_output_size
from convbook.course.checks import shapes
from tests.helpers.attempts import said_of


def width(input_size, kernel_size, **options):
    """Return PyTorch's own answer."""
    row, taps = torch.zeros(1, 1, input_size), torch.zeros(1, 1, kernel_size)
    return F.conv1d(row, taps, **options).shape[-1]


def every_pixel_read(input_size):
    row = torch.zeros(1, 1, input_size, requires_grad=True)
    F.conv1d(row, torch.ones(1, 1, 3), stride=2).sum().backward()
    return bool((row.grad > 0).all())


def opening_question():
    return str(width(64, 3, stride=2))


def which_sizes_fit():
    fitting = [size for size in range(3, 40) if every_pixel_read(size)]
    answers = {
        "even widths, because 2 divides them": [s for s in range(3, 40) if s % 2 == 0],
        "odd widths, from 3 on": [s for s in range(3, 40) if s % 2 == 1],
        "multiples of 3": [s for s in range(3, 40) if s % 3 == 0],
    }
    return next(text for text, sizes in answers.items() if sizes == fitting)


def even_kernel():
    answers = {"1 on each side": (1, 1), "2 on each side": (2, 2), "1 before and 2 after": (1, 2)}
    row, taps = torch.zeros(1, 1, 9), torch.zeros(1, 1, 4)
    keeps = [
        text for text, pad in answers.items() if F.conv1d(F.pad(row, pad), taps).shape[-1] == 9
    ]
    (answer,) = keeps
    return answer


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "which-sizes-fit": which_sizes_fit,
    "even-kernel": even_kernel,
}


def test_the_right_answers_are_what_pytorch_does():
    for case in shapes.check_count_reads.cases:
        row = torch.zeros(1, 1, case["input_size"], requires_grad=True)
        taps = torch.ones(1, 1, case["kernel_size"])
        F.conv1d(row, taps, None, case["stride"], case["padding"]).sum().backward()
        assert shapes.read_counts(**case) == row.grad.flatten().tolist()
    for case in shapes.check_unread_pixels.cases:
        counts = shapes.read_counts(**case, padding=0)
        assert shapes.unread_pixels(**case) == [i for i, n in enumerate(counts) if n == 0]
    for case in shapes.check_input_sizes.cases:
        window = {name: value for name, value in case.items() if name != "output_size"}
        sizes = [i for i in range(1, 40) if fits(i, **window)]
        sizes = [i for i in sizes if conv_output_size(i, **window) == case["output_size"]]
        assert shapes.input_sizes(**case) == sizes


def fits(input_size, kernel_size, stride, padding):
    return kernel_size <= input_size + 2 * padding


def reads(input_size, kernel_size, stride, padding=0):
    row = torch.zeros(1, 1, input_size, requires_grad=True)
    taps = torch.ones(1, 1, kernel_size)
    F.conv1d(row, taps, stride=stride, padding=padding).sum().backward()
    return row.grad[0, 0]


def counted(i, k, s, p):
    starts = [n * s - p for n in range((i + 2 * p - k) // s + 1)]
    return [sum(start <= x < start + k for start in starts) for x in range(i)]


def sizes_from_1(o, k, s, p, largest=99):
    return 1 + np.flatnonzero((np.arange(1, largest + 1) + 2 * p - k) // s == o - 1)


READERS = {
    "check_padding_to_keep": [
        ("correct on", lambda k, d: [d * (k - 1) // 2, (d * (k - 1) + 1) // 2]),
        ("correct on", lambda k, d: np.floor([d * (k - 1) / 2, d * (k - 1) / 2 + 0.5])),
        ("before + after", lambda k, d: (k // 2, k // 2)),
        ("before + after", lambda k, d: (d * (k - 1) / 2,) * 2),
    ],
    "check_unread_pixels": [
        ("correct on", lambda i, k, s: (reads(i, k, s) == 0).nonzero().flatten()),
        ("correct on", lambda i, k, s: [x for x, n in enumerate(counted(i, k, s, 0)) if not n]),
        ("Draw the row", lambda i, k, s: (reads(i, k, s) == 0).nonzero().flatten().flip(0)),
        ("Draw the row", lambda i, k, s: np.setdiff1d(range(i), range(0, i - k + 1, s))),
    ],
    "check_count_reads": [
        ("correct on", reads),
        ("correct on", counted),
        ("Draw the row", lambda *case: reads(*case) > 0),
        ("Draw the row", lambda *case: reads(*case).flip(0)),
    ],
    "check_input_sizes": [
        ("correct on", sizes_from_1),
        ("correct on", lambda *case: torch.tensor(sizes_from_1(*case)).float()),
        ("Put each of your sizes", lambda *case: sizes_from_1(*case, largest=27)),
        ("Put each of your sizes", lambda *case: sizes_from_1(*case)[::-1]),
    ],
}


@pytest.mark.parametrize(
    ("name", "said", "function"),
    [(name, *answer) for name, answers in READERS.items() for answer in answers],
)
def test_what_the_checkers_say_to_readers(name, said, function):
    assert said in said_of(function, getattr(shapes, name))
