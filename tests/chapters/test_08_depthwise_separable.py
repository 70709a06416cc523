"""Chapter 8, Depthwise and separable: its quiz answers and its exercises' right answers."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convbook.analysis import trace
from convbook.course import runs
from convbook.course.checks import depthwise_separable as exercises
from convbook.course.checks import pairs_and_terms as parts
from convbook.nn import DepthwiseSeparableConv2d, SpatiallySeparableConv2d
from tests.helpers.attempts import assert_right, assert_wrong, said_of


def parameters(layer):
    return sum(p.numel() for p in layer.parameters())


# ------------------------------------------------------------------ quizzes


def opening_question():
    return str(parameters(DepthwiseSeparableConv2d(16, 32, 3, bias=False)))


def one_pixel():
    names = "a", "b", "a + b", "a − b", "2 b"
    kernels = torch.tensor([[[[1.0, 0], [0, 1]]], [[[0, 1], [1, 0]]]])
    mixing = torch.tensor([[1.0, 1], [1, -1], [0, 2]])[:, :, None, None]
    raised = torch.zeros(1, 2, 3, 3)
    raised[0, 0, 0, 0] = 1
    looked = F.conv2d(raised, kernels, groups=2)
    maps = [*looked[0], *F.conv2d(looked, mixing)[0]]
    changed = [name for name, one in zip(names, maps, strict=True) if one.any()]
    assert changed == ["a", "a + b", "a − b"]
    return "map a; then a + b and a − b"


def as_pairs():
    run = runs.load("08_trained_kernels")
    rights = [one["right"]["channel"][0] for one in run["runs"]]
    choices = {
        "nearly as many as before": 0.8,
        "about half of them": 0.5,
        "hardly more than by guessing, one in ten": 0.1,
    }
    mean = sum(rights) / len(rights)
    return min(choices, key=lambda text: abs(choices[text] - mean))


def larger_kernel():
    small, large = (
        trace(DepthwiseSeparableConv2d(512, 512, k, padding=k // 2), (512, 4, 4)).macs
        for k in (3, 7)
    )
    choices = {"5.4 times as many": 49 / 9, "about twice as many": 2, "8 % more": 1.08}
    return min(choices, key=lambda text: abs(choices[text] - large / small))


def column_times_row():
    texts = ["[1 2 1] [2 4 2] [1 2 1]", "[0 1 0] [1 -4 1] [0 1 0]", "[1 0 0] [0 1 0] [0 0 1]"]
    kernels = [
        torch.tensor([[float(n) for n in row.split()] for row in text[1:-1].split("] [")])
        for text in texts
    ]
    (right,) = [
        text
        for text, kernel in zip(texts, kernels, strict=True)
        if torch.linalg.matrix_rank(kernel) == 1
    ]
    return right


def which_part():
    layers = runs.load("08_depthwise_separable")["layers"]
    place = layers["channels"].index(32)
    depthwise, pointwise = (layers["milliseconds"][n][place] for n in ("depthwise", "pointwise"))
    assert depthwise > 2 * pointwise
    return "the depthwise layer, more than twice as long"


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "one-pixel": one_pixel,
    "as-pairs": as_pairs,
    "larger-kernel": larger_kernel,
    "column-times-row": column_times_row,
    "which-part": which_part,
}


# ------------------------------------------------------------------ references


def test_largest_kernel_is_the_last_one_that_trace_finds_cheap_enough():
    def macs(channels, k):
        layer = DepthwiseSeparableConv2d(channels, channels, k, padding=k // 2, bias=False)
        return trace(layer, (channels, 4, 4)).macs

    for case in exercises.check_largest_kernel.cases[::7]:
        k, limit = exercises.largest_kernel(**case), (100 + case["percent"]) / 100
        first = macs(case["channels"], 3)
        assert macs(case["channels"], k) <= limit * first < macs(case["channels"], k + 2)
    assert exercises.largest_kernel(512, 10) == 7  # in the exercise
    at_limit = [(7, 100), (23, 50), (55, 25), (31, 100)]
    assert [exercises.largest_kernel(*case) for case in at_limit] == [5, 5, 5, 7]


def test_terms_are_those_with_which_the_books_layer_loses_so_much():
    answers = set()
    for case in exercises.check_terms.cases:
        kernel = torch.tensor(case["kernel"]).double()
        found = exercises.terms(**case)
        answers.add(found)
        for rank in range(1, (found or 1) + 1):
            layer = SpatiallySeparableConv2d.from_kernel(kernel[None, None], rank)
            weights = rank * sum(kernel.shape)
            assert found is None or weights < kernel.numel()
            assert found is None or (layer.error**2 <= case["loss"]) == (rank == found)
    assert answers == {None, 1, 2, 3}
    laplacian = [[0, 1, 0], [1, -4, 1], [0, 1, 0]]
    assert exercises.terms(laplacian, 0.05) == 1  # in the exercise


def test_no_case_of_terms_hangs_on_rounding():
    for case in exercises.check_terms.cases:
        for lost in (parts.lost_squares, parts.lost_lengths, parts.lost_values):
            assert min(abs(share - case["loss"]) for share in lost(case["kernel"])) > 1e-4


def in_pairs(model):
    """Return a copy of a network in which standard 3 x 3 convolutions are pairs."""
    layers = []
    for layer in model:
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3) and layer.groups == 1:
            settings = (layer.stride, layer.padding, layer.dilation)
            layer = DepthwiseSeparableConv2d(layer.in_channels, layer.out_channels, 3, *settings)  # noqa: PLW2901
        layers.append(layer)
    return nn.Sequential(*layers)


def test_as_pairs_counts_what_trace_counts_in_the_network_of_pairs():
    for case in exercises.check_as_pairs.cases:
        expected = trace(in_pairs(case["model"]), case["input_size"]).macs
        assert exercises.as_pairs(**case) == expected
        assert (
            eval(repr(case["model"]), {"nn": nn})(torch.zeros(1, *case["input_size"])) is not None
        )


def test_multiplier_is_the_least_with_which_a_pair_gives_the_weight():
    answers = set()
    for case in exercises.check_multiplier.cases:
        weight = torch.tensor(case["weight"]).double()
        matrices = weight.transpose(0, 1).flatten(2)
        m = exercises.multiplier(**case)
        answers.add(m)
        left, sizes, right = torch.linalg.svd(matrices, full_matrices=False)
        for terms in (m, m - 1):
            near = (left[..., :terms] * sizes[:, None, :terms]) @ right[:, :terms]
            same = torch.allclose(near, matrices, atol=1e-9)
            assert same == (terms == m) or (m == 1 and not weight.any())
    assert answers >= {1, 2, 3, 4, 5}
    example = [[[[1, 2]], [[3, 4]]], [[[2, 4]], [[30, 40]]]]
    assert exercises.multiplier(example) == 1  # in the exercise


@pytest.mark.parametrize(
    "checker",
    [
        exercises.check_largest_kernel,
        exercises.check_terms,
        exercises.check_as_pairs,
        exercises.check_multiplier,
    ],
)
def test_each_mistake_gets_its_own_hint(checker):
    for hint, mistake in checker.mistakes.items():
        assert " ".join(hint.split()) in said_of(mistake, checker), hint


# ------------------------------------------------------------------ attempts

LARGEST = exercises.check_largest_kernel
TERMS = exercises.check_terms
PAIRS = exercises.check_as_pairs
MULTIPLIER = exercises.check_multiplier


def by_while(channels, percent):
    limit = (9 * channels + channels**2) * (1 + percent / 100)
    k = 3
    while (k + 2) ** 2 * channels + channels**2 <= limit:
        k += 2
    return k


def by_root(channels, percent):
    room = int(9 + percent * (9 + channels) / 100)
    k = int(room**0.5)
    return torch.tensor(max(3, k - (k % 2 == 0)))


def by_trace(channels, percent):
    def macs(k):
        layer = DepthwiseSeparableConv2d(channels, channels, k, padding=k // 2, bias=False)
        return trace(layer, (channels, 1, 1)).macs

    return max(k for k in range(3, 41, 2) if macs(k) <= macs(3) * (1 + percent / 100))


def by_numpy(kernel, loss):
    kernel = np.array(kernel, np.float32)
    sizes = np.linalg.svd(kernel, compute_uv=False) ** 2
    count = 1
    while sizes[count:].sum() > loss * sizes.sum():
        count += 1
    return None if count * sum(kernel.shape) >= kernel.size else count


def by_difference(kernel, loss):
    kernel = torch.tensor(kernel, dtype=torch.float64)
    columns, sizes, rows = torch.linalg.svd(kernel, full_matrices=False)
    near = torch.zeros_like(kernel)
    for i in range(len(sizes)):
        near = near + sizes[i] * torch.outer(columns[:, i], rows[i])
        if ((kernel - near) ** 2).sum() / (kernel**2).sum() <= loss:
            break
    count = i + 1
    return count if count * sum(kernel.shape) < kernel.numel() else None


def by_the_layer(kernel, loss):
    weight = torch.tensor(kernel).double()[None, None]
    most = min(weight.shape[2:])
    errors = [SpatiallySeparableConv2d.from_kernel(weight, r).error for r in range(1, most + 1)]
    count = next(r for r, error in enumerate(errors, 1) if error**2 <= loss + 1e-9)
    return count if count * sum(weight.shape[2:]) < weight.numel() else None


def by_ratio(model, input_size):
    found = 0.0
    for row in trace(model, input_size):
        if row.op == "conv2d" and row.kernel == 3 and row.groups == 1:
            found += row.macs * (1 / row.output_shape[0] + 1 / 9)
        else:
            found += row.macs
    return round(found)


def by_building(model, input_size):
    return trace(in_pairs(model), input_size).macs


def by_saving(model, input_size):
    table = trace(model, input_size)
    found = table.macs
    for row in table:
        if row.op == "conv2d" and row.kernel == 3 and row.groups == 1:
            c_out, height, width = row.output_shape
            c_in = row.input_shape[0]
            found -= height * width * (9 * c_in * c_out - 9 * c_in - c_in * c_out)
    return np.int64(found)


def by_single_ranks(weight):
    weight = torch.tensor(weight)
    found = [1]
    for c in range(weight.shape[1]):
        found.append(torch.linalg.matrix_rank(weight[:, c].flatten(1)).item())
    return max(found)


def by_values(weight):
    matrices = np.array(weight).swapaxes(0, 1)
    matrices = matrices.reshape(*matrices.shape[:2], -1)
    sizes = np.linalg.svd(matrices, compute_uv=False)
    return max(1, (sizes > 1e-6).sum(1).max())


def by_elimination(weight):
    """Gauss, in plain Python: eighths are exact, and so is what one divides by here."""
    most = 1
    for c in range(len(weight[0])):
        rows = [[value for line in one[c] for value in line] for one in weight]
        rank = 0
        for column in range(len(rows[0])):
            pivot = next((r for r in rows[rank:] if abs(r[column]) > 1e-9), None)
            if pivot is None:
                continue
            rows.remove(pivot)
            rows.insert(rank, pivot)
            for i in range(rank + 1, len(rows)):
                factor = rows[i][column] / pivot[column]
                rows[i] = [a - factor * b for a, b in zip(rows[i], pivot, strict=True)]
            rank += 1
        most = max(most, rank)
    return most


RIGHT = [
    (LARGEST, by_while),
    (LARGEST, by_root),
    (LARGEST, by_trace),
    (TERMS, by_numpy),
    (TERMS, by_difference),
    (TERMS, by_the_layer),
    (PAIRS, by_ratio),
    (PAIRS, by_building),
    (PAIRS, by_saving),
    (MULTIPLIER, by_single_ranks),
    (MULTIPLIER, by_values),
    (MULTIPLIER, by_elimination),
]


def spectral(kernel, loss, power=2, count_from=1, keep=False):
    sizes = torch.linalg.svdvals(torch.tensor(kernel).double()) ** power
    shares = sizes.cumsum(0) / sizes.sum()
    limit = loss if keep else 1 - loss
    return int((shares < limit).sum()) + count_from


def saving(kernel, count, at_least=0):
    rows, columns = len(kernel), len(kernel[0])
    return count if count * (rows + columns) < rows * columns + at_least else None


def network_with(change):
    """Return an attempt at exercise 3 that counts a replaced layer as a function says."""

    def attempt(model, input_size):
        found = 0
        for row in trace(model, input_size):
            conv = row.op == "conv2d" and row.kernel == 3 and row.groups == 1
            found += change(row) if conv else row.macs
        return found

    return attempt


def sides(row):
    return row.input_shape[1] * row.input_shape[2], row.output_shape[1] * row.output_shape[2]


WRONG = [
    (LARGEST, lambda c, p: by_while(c, p) + 2, "The one before it"),
    (LARGEST, lambda c, p: by_while(c, p) - 2, ""),
    (LARGEST, lambda c, p: max(k for k in range(3, 99) if k**2 <= 9 * (1 + p / 100)), ""),
    (
        LARGEST,
        lambda c, p: max(k for k in range(3, 99, 2) if k**2 * c * c <= 9 * c * c * (1 + p / 100)),
        "Only the depthwise layer grows",
    ),
    (
        LARGEST,
        lambda c, p: max(k for k in range(3, 99) if k**2 + c <= (9 + c) * (1 + p / 100)),
        "Even kernels",
    ),
    (
        LARGEST,
        lambda c, p: max([3, *(k for k in range(3, 99, 2) if k**2 + c < (9 + c) * (1 + p / 100))]),
        "At most",
    ),
    (LARGEST, lambda c, p: 3, ""),
    (LARGEST, lambda c, p: 7, ""),
    (LARGEST, lambda c, p: (9 + c) * c * (1 + p / 100), ""),
    (
        LARGEST,
        lambda c, p: max(k for k in range(3, 999, 2) if k**2 - 9 <= c * p / 100),
        "not of the mixing alone",
    ),
    (
        LARGEST,
        lambda c, p: max([3, *range(3, 1 + int(((9 + c) * p / 100) ** 0.5), 2)]),
        "Nine products",
    ),
    (TERMS, spectral, "return None"),
    (TERMS, lambda kernel, loss: saving(kernel, spectral(kernel, loss, 1)), "must be squared"),
    (TERMS, lambda kernel, loss: saving(kernel, spectral(kernel, loss), 1), "are no gain either"),
    (
        TERMS,
        lambda kernel, loss: saving(kernel, spectral(kernel, loss, keep=True)),
        "not what has",
    ),
    (TERMS, lambda kernel, loss: saving(kernel, spectral(kernel, loss**2)), "length"),
    (TERMS, lambda kernel, loss: saving(kernel, spectral(kernel, 1e-12)), "That is the rank"),
    (TERMS, lambda kernel, loss: saving(kernel, spectral(kernel, loss), 0) or 0, ""),
    (TERMS, lambda kernel, loss: 1, ""),
    (TERMS, lambda kernel, loss: None if spectral(kernel, loss) > 1 else 1, ""),
    (TERMS, lambda kernel, loss: (t := by_numpy(kernel, loss)) and t - 1, "One term less"),
    (TERMS, lambda kernel, loss: saving(kernel, spectral(kernel, loss)) is not None, ""),
    (
        TERMS,
        lambda kernel, loss: (
            n if (n := spectral(kernel, loss)) * 2 * len(kernel) < len(kernel) ** 2 else None
        ),
        "need not be square",
    ),
    (PAIRS, lambda model, input_size: trace(model, input_size).macs, "as it is"),
    (PAIRS, lambda model, input_size: trace(model, input_size).macs // 9, ""),
    (PAIRS, network_with(lambda row: row.macs / 9), "a ninth of the standard"),
    (PAIRS, network_with(lambda row: 0), ""),
    (
        PAIRS,
        network_with(lambda row: sides(row)[0] * row.input_shape[0] * (9 + row.output_shape[0])),
        "",
    ),
    (
        PAIRS,
        network_with(
            lambda row: row.input_shape[0]
            * (9 * sides(row)[0] + row.output_shape[0] * sides(row)[1])
        ),
        "has the stride",
    ),
    (PAIRS, network_with(lambda row: sides(row)[1] * row.input_shape[0] * 9), "pointwise layer"),
    (
        PAIRS,
        network_with(lambda row: sides(row)[1] * row.output_shape[0] * (9 + row.input_shape[0])),
        "not that goes out",
    ),
    (PAIRS, network_with(lambda row: row.input_shape[0] * (9 + row.output_shape[0])), ""),
    (
        PAIRS,
        lambda model, input_size: sum(
            row.macs * (1 / row.output_shape[0] + 1 / 9)
            if row.op == "conv2d" and row.kernel == 3
            else row.macs
            for row in trace(model, input_size)
        ),
        "",
    ),
    (
        PAIRS,
        lambda model, input_size: round(
            sum(
                row.macs * (1 / row.output_shape[0] + 1 / 9)
                for row in trace(model, input_size)
                if row.op == "conv2d" and row.kernel == 3 and row.groups == 1
            )
        ),
        "counts as well",
    ),
    (MULTIPLIER, lambda weight: 1, ""),
    (MULTIPLIER, len, ""),
    (
        MULTIPLIER,
        lambda weight: torch.linalg.matrix_rank(torch.tensor(weight).flatten(1)),
        "one by one",
    ),
    (
        MULTIPLIER,
        lambda weight: torch.linalg.matrix_rank(torch.tensor(weight).double().flatten(2)).max(),
        "mixing first",
    ),
    (
        MULTIPLIER,
        lambda weight: torch.linalg.matrix_rank(torch.tensor(weight).double()).max().clamp(min=1),
        "columns and rows",
    ),
    (MULTIPLIER, lambda weight: max(1, min(parts.channel_ranks(weight))), "the largest"),
    (MULTIPLIER, lambda weight: max(1, sum(parts.channel_ranks(weight))), "not for all of them"),
    (MULTIPLIER, parts.channel_ranks, ""),
    (MULTIPLIER, lambda weight: max(parts.channel_ranks(weight)), "At least 1"),
    (MULTIPLIER, lambda weight: max(1, parts.channel_ranks(weight)[0]), "go through all"),
    (MULTIPLIER, parts.without_tolerance, "tolerance"),
    (MULTIPLIER, lambda weight: exercises.multiplier(weight) == 1, ""),
]  # fmt: skip


@pytest.mark.parametrize(("checker", "attempt"), RIGHT)
def test_right_attempts_in_other_styles_are_accepted(checker, attempt):
    assert_right(attempt, checker)


@pytest.mark.parametrize(("checker", "attempt", "hint"), WRONG)
def test_wrong_attempts_are_rejected(checker, attempt, hint):
    assert_wrong(attempt, checker, hint)
