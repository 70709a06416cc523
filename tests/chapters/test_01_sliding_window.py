"""Chapter 1, Sliding window: its quiz answers and its exercises' right answers, from PyTorch."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view

from convbook.course import quizzes
from convbook.course.checks import sliding_window
from convbook.course.photographs import grace_hopper
from tests.helpers.attempts import said_of


def maps(rows):
    return torch.tensor(rows).double()[None, None]


def opening_question():
    row = torch.tensor([[[0.0, 0, 0, 9, 9, 9]]])
    output = F.conv1d(row, torch.tensor([[[-1.0, 0, 1]]]))[0, 0]
    windows = row[0, 0].unfold(0, 3, 1)
    even = (windows == windows[:, :1]).all(dim=1)
    answers = {
        "on the bright pixels": windows.min(dim=1).values > 0,
        "where dark turns into bright": ~even,
        "everywhere": torch.ones(4, dtype=torch.bool),
    }
    (right,) = [text for text, where in answers.items() if where.equal(output != 0)]
    return right


def top_edge():
    kernel = maps([[-1, -1, -1], [0, 0, 0], [1, 1, 1]])
    upright, level, even = torch.zeros(3, 3, 3).double()
    upright[:, 2] = level[2] = 1
    even[:] = 1
    patches = {
        "to an upright edge: dark on the left, bright on the right": upright,
        "to a level edge: dark above, bright below": level,
        "to an area as bright as possible": even,
    }
    return max(patches, key=lambda text: F.conv2d(patches[text][None, None], kernel).item())


def moved_picture():
    generator = torch.Generator().manual_seed(0)
    picture = torch.rand(1, 1, 9, 12, generator=generator).double()
    kernel = torch.rand(1, 1, 3, 3, generator=generator).double()
    before, after = (F.conv2d(picture.roll(n, dims=-1), kernel) for n in (0, 1))
    inner = slice(1, -1)
    answers = {
        "it stays the same": torch.allclose(after[..., inner], before[..., inner]),
        "it moves one pixel to the right": torch.allclose(after[..., 1:], before[..., :-1]),
    }
    (right,) = [text for text, holds in answers.items() if holds]
    return right


def which_kernel():
    grey = grace_hopper().double().mean(dim=1, keepdim=True)
    choices = quizzes.load("01_sliding_window/which-kernel")["choices"]
    right = []
    for kernel in [choice["grid"] for choice in choices]:
        answer = F.conv2d(grey, maps(kernel))[0, 0] / grey.std()
        arc = answer[68:80, 120:136].mean(dim=1).max()  # where the cap ends
        shoulder = answer[210:224, 208:216].mean(dim=1).min()
        cord = answer[60:110, 38:60].mean(dim=0).abs().max()
        wall = answer[20:60, 215:245].abs().mean()
        if arc > 1 and shoulder < -1 and cord < 0.3 and wall < 0.3:
            right.append(kernel)
    (kernel,) = right
    return kernel


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "top-edge": top_edge,
    "moved-picture": moved_picture,
    "which-kernel": which_kernel,
}


def test_the_right_answers_are_what_pytorch_does():
    for case in sliding_window.check_slide_row.cases:
        output = F.conv2d(maps([case["row"]]), maps([case["weights"]]))
        assert sliding_window.slide_row(**case) == output.flatten().tolist()
    for case in sliding_window.check_slide_picture.cases:
        output = F.conv2d(maps(case["picture"]), maps(case["kernel"]))[0, 0]
        assert sliding_window.slide_picture(**case) == output.tolist()
    for case in sliding_window.check_find.cases:
        output = F.conv2d(maps(case["picture"]), maps(case["kernel"]))[0, 0]
        place = divmod(output.argmax().item(), output.shape[1])
        assert sliding_window.find(**case) == place
        assert (output == output.max()).sum() == 1


def test_a_kernel_matches_a_patch_if_it_beats_every_other_one_and_is_0_on_even_areas():
    """The checker looks at signs; here every patch is tried."""
    accepts = sliding_window.check_matching.accepts
    patches = torch.tensor(list(product((0, 1), repeat=6))).reshape(-1, 2, 3)
    generator = torch.Generator().manual_seed(0)
    balanced = torch.tensor([[[1, -2, 1], [3, -4, 1]], [[0, 1, -1], [1, -2, 1]], [[2, -1, -1]] * 2])
    drawn = torch.randint(-2, 3, (300, 2, 3), generator=generator)
    verdicts = []
    for kernel in [*balanced, *drawn]:
        answers = (patches * kernel).sum(dim=(1, 2))
        for patch, answer in zip(patches, answers, strict=True):
            beats_all = (answers >= answer).sum() == 1
            verdicts.append(bool(beats_all and kernel.sum() == 0))
            assert accepts(kernel.tolist(), patch.tolist()) == verdicts[-1]
    assert verdicts.count(True) > 3


def test_the_shape_of_a_matching_kernel_is_that_of_the_patch():
    accepts = sliding_window.check_matching.accepts
    assert accepts([[1, -1]], [[1, 0]])
    assert not accepts([[1], [-1]], [[1, 0]])
    assert not accepts([[1, -1], [1, -1]], [[1, 0]])


def test_adding_up_to_0_is_judged_by_the_size_of_the_weights():
    accepts = sliding_window.check_matching.accepts
    patch = [[1, 0, 0], [0, 0, 0], [1, 0, 1]]
    pixels = torch.tensor(patch)
    right, wrong = pixels.float() - pixels.float().mean(), 2.0 * pixels - 1
    for scale in (1e-10, 1, 1e9 / 3):
        assert accepts((scale * right).tolist(), patch)
        assert not accepts((scale * wrong).tolist(), patch)


def answers_of(picture, kernel):
    """Return the map, as an array."""
    windows = sliding_window_view(np.array(picture), np.shape(kernel))
    return np.einsum("yxij,ij->yx", windows, kernel)


def find_from_row_to_row(picture, kernel):
    """Look for the best row first: Python compares lists by their first numbers."""
    answers = answers_of(picture, kernel).tolist()
    best = max(answers)
    return answers.index(best), best.index(max(best))


def matching_fractions(patch):
    mean = Fraction(np.mean(patch))
    return [[pixel - mean for pixel in row] for row in patch]


READERS = {
    "check_slide_row": [
        ("correct on", lambda row, w: np.correlate(row, w, "valid")),
        ("correct on", lambda row, w: F.conv2d(maps([row]), maps([w])).float().flatten()),
        ("reads the weights backwards", lambda row, w: np.convolve(row, w, "valid")),
        ("by hand", lambda row, w: np.correlate(row, w, "same")),
        ("by hand", lambda row, w: answers_of([row], [w])[0] / len(w)),
    ],
    "check_slide_picture": [
        ("correct on", answers_of),
        ("correct on", lambda p, k: F.conv2d(maps(p).float(), maps(k).float())[0, 0]),
        ("by hand", lambda p, k: answers_of(p, np.transpose(k))),
        ("by hand", lambda p, k: answers_of(np.transpose(p), np.transpose(k))[::-1]),
    ],
    "check_find": [
        ("correct on", lambda p, k: np.argwhere(answers_of(p, k) == answers_of(p, k).max())[0]),
        ("correct on", lambda p, k: divmod(answers_of(p, k).argmax(), len(p[0]) - len(k[0]) + 1)),
        ("as a map", lambda p, k: answers_of(p, k).argmax()),
        ("as a map", find_from_row_to_row),
    ],
    "check_matching": [
        ("correct on", lambda patch: maps(patch)[0, 0].float() - np.mean(patch)),
        ("correct on", matching_fractions),
        ("is it 0?", lambda patch: 1e-10 * (2 * np.array(patch) - 1)),
        ("is it 0?", lambda patch: (np.array(patch) - np.mean(patch)).round()),
    ],
}


@pytest.mark.parametrize(
    ("name", "said", "function"),
    [(name, *answer) for name, answers in READERS.items() for answer in answers],
)
def test_what_the_checkers_say_to_readers(name, said, function):
    assert said in said_of(function, getattr(sliding_window, name))
