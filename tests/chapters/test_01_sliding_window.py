"""Chapter 1, Sliding window: its quiz answers and its exercises' right answers, from PyTorch."""

import math
from fractions import Fraction
from itertools import product
from statistics import mean

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from convbook.course import quizzes, runs
from convbook.course.checks import hidden_layers, lost_patches, sliding_window, taught_kernels
from convbook.course.photographs import grace_hopper
from tests.helpers.attempts import assert_right, assert_wrong, said_of


def maps(rows):
    return torch.tensor(rows).double()[None, None]


def grey(size=256):
    return grace_hopper(size).double().mean(dim=1, keepdim=True)


VERTICAL = maps([[-1, 0, 1]] * 3)


# ------------------------------------------------------------------------------ quizzes


def opening_question():
    """Change the nine weights, one at a time: all that the map is made of is in them."""
    weight = VERTICAL.clone().requires_grad_()
    outputs = F.conv2d(grey(), weight)
    (gradient,) = torch.autograd.grad(outputs.sum(), weight)
    assert outputs.numel() == 64_516
    return f"{gradient.numel():,}"


def sums_of(row):
    return F.conv1d(maps(row), torch.tensor([[[-1.0, 0, 1]]]).double())[0, 0]


def a_step():
    row = [0, 0, 0, 9, 9, 9]
    windows = torch.tensor(row).unfold(0, 3, 1)
    flat = (windows == windows[:, :1]).all(dim=1)
    answers = {
        "on the bright pixels": windows.min(dim=1).values > 0,
        "where dark turns into bright": ~flat,
        "everywhere": torch.ones(4, dtype=torch.bool),
    }
    (right,) = [text for text, where in answers.items() if where.equal(sums_of(row) != 0)]
    return right


def two_sides():
    sums = sums_of([0, 0, 9, 9, 9, 0, 0]).int().tolist()
    return ", ".join(str(one).replace("-", "−") for one in sums)


def by_hand():
    image = maps([[0] * 6] + [[0, 0, 5, 5, 0, 0]] * 3)
    output = F.conv2d(image, maps([[-1, 0, 1]] * 2))[0, 0]
    assert output.tolist() == [[5, 5, -5, -5]] + [[10, 10, -10, -10]] * 2
    return str(int(output[0, 2])).replace("-", "−")


def which_kernel():
    photo = grey()
    choices = quizzes.load("01_sliding_window/which-kernel")["choices"]
    right = []
    for kernel in [choice["grid"] for choice in choices]:
        answer = F.conv2d(photo, maps(kernel))[0, 0] / photo.std()
        arc = answer[68:80, 120:136].mean(dim=1).max()  # where the cap ends
        shoulder = answer[210:224, 208:216].mean(dim=1).min()
        cord = answer[60:110, 38:60].mean(dim=0).abs().max()
        wall = answer[20:60, 215:245].abs().mean()
        if arc > 1 and shoulder < -1 and cord < 0.3 and wall < 0.3:
            right.append(kernel)
    (kernel,) = right
    return kernel


def last_of(name):
    return [one["right"][-1] for one in runs.load("01_first_layer")["networks"][name]["runs"]]


def scrambled():
    plain, mixed = last_of("windows"), last_of("windows, pixels scrambled")
    full, full_mixed = (last_of(f"fully connected{end}") for end in ("", ", pixels scrambled"))
    assert min(plain) > max(full) + 0.1
    assert abs(mean(full) - mean(full_mixed)) < 0.02  # 2,000 pictures
    assert abs(mean(mixed) - mean(full)) < 0.02
    return "the windows lose their lead, and the fully connected one does as well as before"


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


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "a-step": a_step,
    "two-sides": two_sides,
    "by-hand": by_hand,
    "which-kernel": which_kernel,
    "scrambled": scrambled,
    "moved-picture": moved_picture,
}


# ------------------------------------------------------------------------------ the record


def test_filters_become_smooth_on_photographs_and_not_on_scrambled_ones():
    nets = runs.load("01_first_layer")["networks"]
    ends = {name: [one["alike"] for one in nets[name]["runs"]] for name in list(nets)[:2]}
    plain, mixed = ends.values()
    assert all(abs(start) < 0.05 for start, _ in plain + mixed)
    assert min(end for _, end in plain) > 2 * max(abs(end) for _, end in mixed)
    assert len(plain) == len(mixed) == 5


# ------------------------------------------------------------------------------ exercises


def test_a_kernel_matches_a_patch_if_it_beats_every_other_one_and_is_0_on_flat_areas():
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


def test_a_hidden_layer_is_pytorchs():
    picture = torch.arange(54).reshape(6, 9) ** 2 % 7
    for layer in hidden_layers.LAYERS:
        expected = F.conv2d(maps(picture.tolist()), maps(layer.kernel))[0, 0] + layer.bias
        assert torch.tensor(layer(picture)).equal(expected.long())
        assert layer(picture.tolist()) == layer(picture) == expected.tolist()
        assert hidden_layers.read_kernel(layer) == layer.kernel


@pytest.mark.parametrize(
    ("picture", "said"),
    [([1, 2], "no list"), ([[1, 2], [3]], "no list"), (3, "no list"), ([[1, 2]], "does not fit")],
)
def test_a_hidden_layer_says_what_it_wants(picture, said):
    with pytest.raises(ValueError, match=said):
        hidden_layers.hidden_layer([[1, 2, 3]])(picture)


def test_what_a_picture_teaches_is_the_rank_of_pytorchs_columns():
    for case in sliding_window.check_taught.cases:
        columns = F.unfold(maps(case["picture"]), case["k"])[0]
        assert taught_kernels.taught(**case) == torch.linalg.matrix_rank(columns).item()


def test_the_largest_likeness_is_1_at_one_place_only():
    for case in sliding_window.check_find.cases:
        alike = lost_patches.likeness(**case)
        patch = np.array(case["patch"], float)
        best = np.linalg.norm(patch - patch.mean())
        assert (alike > best - 1e-6).sum() == 1
        row, column = lost_patches.find(**case)
        window = np.array(case["picture"], float)[row:, column:][: patch.shape[0], : patch.shape[1]]
        (times, plus), *_ = np.linalg.lstsq(
            np.stack([window.flatten(), np.ones(window.size)], 1), patch.flatten(), rcond=None
        )
        assert times > 0
        assert np.allclose(times * window + plus, patch)


def matching_fractions(patch):
    average = Fraction(sum(map(sum, patch)), sum(map(len, patch)))
    return [[pixel - average for pixel in row] for row in patch]


def shares(patch):
    """Give all bright pixels together the weight 1, and all dark ones together -1."""
    bright = np.array(patch)
    return bright / bright.sum() - (1 - bright) / (1 - bright).sum()


def read_by_descent(layer):
    """Learn the weights from noise, as the chapter does, and the bias with them."""
    torch.manual_seed(0)
    picture = torch.randn(1, 1, 12, 12).double()
    target = torch.tensor(layer(picture[0, 0].tolist()))
    size = [13 - side for side in target.shape]
    model = torch.nn.Conv2d(1, 1, size).double()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(400):
        loss = (model(picture)[0, 0] - target).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.weight.detach()[0, 0]


def read_weight_by_weight(layer):
    """Ask for one weight at a time, by the first number of the map."""
    zeros = layer([[0] * 6 for _ in range(6)])
    rows, columns = 7 - len(zeros), 7 - len(zeros[0])
    kernel = []
    for i in range(rows):
        kernel.append([])
        for j in range(columns):
            picture = np.zeros((6, 6))
            picture[i, j] = 10
            kernel[-1].append((layer(picture)[0][0] - zeros[0][0]) / 10)
    return tuple(map(tuple, kernel))


def drawn_by_a_pixel(layer, turn=True, bias=True):
    picture = torch.zeros(20, 20)
    picture[10, 10] = 1
    drawn = torch.tensor(layer(picture))
    rows, columns = (21 - side for side in drawn.shape)
    part = drawn[11 - rows : 11, 11 - columns : 11]
    part = part.flip(0, 1) if turn else part
    return part - torch.tensor(layer(torch.zeros(20, 20)))[0, 0] if bias else part


def taught_by_unfold(picture, k):
    return torch.linalg.matrix_rank(F.unfold(maps(picture).float(), k)[0])


def taught_by_lists(picture, k):
    rows = [
        [picture[y + i][x + j] for i in range(k) for j in range(k)]
        for y in range(len(picture) - k + 1)
        for x in range(len(picture[0]) - k + 1)
    ]
    return int(np.linalg.matrix_rank(rows))


def taught_by_elimination(picture, k):
    """Work with fractions, so that nothing is rounded."""
    rows = taught_kernels.windows(picture, k).reshape(-1, k * k).tolist()
    rows, rank = [list(map(Fraction, row)) for row in rows], 0
    for column in range(k * k):
        pivot = next((row for row in rows if row[column]), None)
        if pivot is None:
            continue
        rows.remove(pivot)
        rank += 1
        rows = [
            [a - row[column] / pivot[column] * b for a, b in zip(row, pivot, strict=True)]
            for row in rows
        ]
    return rank


def find_by_correlation(picture, patch):
    picture, patch = np.array(picture), np.array(patch)
    best, place = -2, None
    for row, column in np.ndindex(*np.subtract(picture.shape, patch.shape) + 1):
        window = picture[row : row + len(patch), column : column + len(patch[0])]
        if window.std() > 0:
            r = np.corrcoef(window.flatten(), patch.flatten())[0, 1]
            if r > best + 1e-9:
                best, place = r, (row, column)
    return place


def find_by_conv2d(picture, patch):
    picture, patch = maps(picture), maps(patch)
    kernel, ones = patch - patch.mean(), torch.ones_like(patch)
    mean_square = F.conv2d(picture**2, ones) - F.conv2d(picture, ones) ** 2 / patch.numel()
    answers = F.conv2d(picture, kernel) / mean_square.clamp(min=1e-6).sqrt()
    return divmod(answers.argmax().item(), answers.shape[-1])


def find_by_fit(picture, patch):
    """Look for the window from which the patch can be made with the smallest error."""
    windows, patch = lost_patches._views(picture, patch)
    best, place = math.inf, None
    for row, column in np.ndindex(*windows.shape[:2]):
        window = windows[row, column]
        table = np.stack([window, np.ones_like(window)], 1)
        found = np.linalg.lstsq(table, patch, rcond=None)[0]
        error = np.square(table @ found - patch).sum()
        if found[0] > 0 and error < best - 1e-9:
            best, place = error, [row, column]
    return place


RIGHT = {
    "check_matching": [
        lambda patch: maps(patch)[0, 0].float() - np.mean(patch),
        matching_fractions,
        lambda patch: (
            np.array(patch) / np.sum(patch) - (1 - np.array(patch)) / np.sum(1 - np.array(patch))
        ),
    ],
    "check_read_kernel": [read_by_descent, read_weight_by_weight, drawn_by_a_pixel],
    "check_taught": [taught_by_unfold, taught_by_lists, taught_by_elimination],
    "check_find": [find_by_correlation, find_by_conv2d, find_by_fit],
}


@pytest.mark.parametrize(
    ("name", "attempt"), [(name, one) for name, styles in RIGHT.items() for one in styles]
)
def test_three_ways_are_right(name, attempt):
    assert_right(attempt, getattr(sliding_window, name))


def each_row_alone(patch):
    return [[len(row) * pixel - sum(row) for pixel in row] for row in patch]


def columns_of(picture, k, stride=1):
    """Return the windows as PyTorch's columns."""
    return F.unfold(maps(picture), k, stride=stride)[0]


def place_in(answers):
    return divmod(answers.argmax().item(), answers.shape[-1])


def nearest_window(picture, patch):
    windows, patch = lost_patches._views(picture, patch)
    return place_in(-((windows - patch) ** 2).mean(-1))


def flat_index(picture, patch):
    return divmod(lost_patches.likeness(picture, patch).round(9).argmax(), len(picture[0]))


def middle_of(picture, patch):
    return np.add(find_by_correlation(picture, patch), [len(patch) // 2, len(patch[0]) // 2])


def without_means(picture, k):
    columns = columns_of(picture, k)
    return torch.linalg.matrix_rank(columns - columns.mean(dim=0))


def as_three_by_three(layer):
    return F.pad(drawn_by_a_pixel(layer), (0, 3, 0, 3))[:3, :3]


WRONG = {
    "check_matching": [
        ("is it 0?", lambda patch: 1e-10 * (2 * np.array(patch) - 1)),
        ("is it 0?", lambda patch: (np.array(patch) - np.mean(patch)).round()),
        ("add up to 0", lambda patch: [[1 if p else -1 for p in row] for row in patch]),
        ("subtract the patch's own", lambda patch: maps(patch)[0, 0] - 0.5),
        ("Dark pixels need negative", lambda patch: [list(row) for row in patch]),
        ("the positive weights", lambda patch: -np.array(sliding_window.matching(patch))),
        ("list of rows", lambda patch: np.ravel(sliding_window.matching(patch))),
        ("over the whole patch", each_row_alone),
        ("on its head", lambda patch: sliding_window.matching(patch)[::-1]),
        ("is it 0?", lambda patch: np.array(patch) / np.linalg.norm(patch) - 0.1),
    ],
    "check_read_kernel": [
        ("backwards", lambda layer: drawn_by_a_pixel(layer, turn=False)),
        ("picture of zeros", lambda layer: drawn_by_a_pixel(layer, bias=False)),
        ("and subtract", lambda layer: drawn_by_a_pixel(layer, turn=False, bias=False)),
        ("turn both", lambda layer: drawn_by_a_pixel(layer).flip(0)),
        ("turn both", lambda layer: drawn_by_a_pixel(layer).flip(1)),
        ("changed places", lambda layer: drawn_by_a_pixel(layer).T),
        ("not always 3 × 3", as_three_by_three),
        ("divide by", lambda layer: 255 * drawn_by_a_pixel(layer)),
        ("by hand", lambda layer: layer([[1] * 6] * 6)),
        ("raised IndexError", lambda layer: layer([[1] * 4] * 4)[4]),
    ],
    "check_taught": [
        ("counts the windows", lambda p, k: columns_of(p, k).shape[-1]),
        ("however many windows", lambda p, k: min(k * k, columns_of(p, k).shape[-1])),
        ("sums of one another", lambda p, k: min(k * k, columns_of(p, k).unique(dim=1).shape[-1])),
        ("rank of the picture", lambda p, k: np.linalg.matrix_rank(p)),
        ("however many windows", lambda p, k: k**2),
        ("not whether", lambda p, k: taught_by_lists(p, k) == k**2),
        ("by one pixel", lambda p, k: torch.linalg.matrix_rank(columns_of(p, k, stride=k))),
        ("subtracts the mean", without_means),
        ("k × k pixels", lambda p, k: torch.linalg.matrix_rank(columns_of(p, (1, k)))),
        ("sums of multiples", lambda p, k: len(p) - k + 1),
        ("sums of multiples", lambda p, k: k),
    ],
    "check_find": [
        ("bright area", lambda p, q: place_in(F.conv2d(maps(p), maps(q)))),
        ("Strong contrast", lambda p, q: place_in(F.conv2d(maps(p), maps(q) - maps(q).mean()))),
        ("row first", lambda p, q: find_by_correlation(p, q)[::-1]),
        ("top left corner", middle_of),
        ("counted from 0", lambda p, q: np.add(find_by_correlation(p, q), 1)),
        ("compare shapes", nearest_window),
        ("return its place", lambda p, q: lost_patches.likeness(p, q).max()),
        ("sign included", lambda p, q: place_in(lost_patches.likeness(p, q).round(9) ** 2)),
        ("least like", lambda p, q: place_in(-lost_patches.likeness(p, q))),
        ("width of the map", flat_index),
    ],
}


@pytest.mark.parametrize(
    ("name", "said", "attempt"),
    [(name, *one) for name, slips in WRONG.items() for one in slips],
)
def test_ten_slips_are_told(name, said, attempt):
    checker = getattr(sliding_window, name)
    assert_wrong(attempt, checker)
    assert said in said_of(attempt, checker)


def test_the_examples_of_the_exercises():
    layer = hidden_layers.hidden_layer([[1, 2, 3]], bias=5)
    assert hidden_layers.read_kernel(layer) == [[1, 2, 3]]
    assert taught_kernels.taught([[0, 1, 0], [0, 1, 0]], 2) == 2
    example = {"picture": [[5, 0, 1, 0, 9, 90, 50]], "patch": [[0, 1, 0]]}
    assert lost_patches.find(**example) == (0, 1)
    assert lost_patches.by_contrast(**example) == (0, 4)
    assert sliding_window._matches([[-1, 1]], [[0, 1]])


def test_the_frame_goes_where_the_lens_is():
    small = (255 * grace_hopper(64).mean(dim=1)[0]).round()
    lens = 0.5 * small[24:32, 34:46] - 20
    assert lost_patches.find(small.tolist(), lens.tolist()) == (24, 34)
