"""Chapter 2, Convolution as matmul: its quiz answers, its exercises and a recorder."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from convbook.course import runs
from convbook.course.checks import conv_as_matmul, matrices
from convbook.functional import conv2d_matrix
from tests.helpers.attempts import said_of
from tests.helpers.recorders import load_recorder

RECORDER = Path(__file__).parents[2] / "benchmarks" / "record_02_reuse.py"


def small_matrix(padding=0):
    """Return the matrix of a 2 x 2 kernel on a 3 x 3 image."""
    return conv2d_matrix(torch.tensor([[[[1.0, 2], [3, 4]]]]), (3, 3), padding=padding)


def opening_question():
    layer = torch.nn.Conv2d(3, 64, 3, padding=1, bias=False, device="meta")
    return f"{layer.weight.numel():,}"


def padding_row():
    first = small_matrix(padding=1)[0]
    assert first.tolist() == [4] + [0] * 8  # s, the fourth weight, on a
    return {1: "one", 2: "two", 4: "four, as in every row"}[first.count_nonzero().item()]


def shuffled_pixels():
    matrix, order = small_matrix(), torch.randperm(9)
    pixels = torch.arange(9.0)
    assert torch.equal(matrix[:, order] @ pixels[order], matrix @ pixels)
    return "the bands dissolve, and the 36 outputs stay exactly as they were"


def which_faster():
    parts = runs.load("02_conv_as_matmul")["layer"]["parts"]
    slower = parts["dense matrix, product"] / parts["columns, product"]
    choices = {"about 114 times": 114, "about 800 times": 800}
    return min(choices, key=lambda text: abs(choices[text] - slower))


def gradient():
    matrix, g = small_matrix(), torch.tensor([1.0, -2, 0, 3])
    x = torch.rand(9, requires_grad=True)
    (matrix @ x).backward(g)
    assert torch.equal(matrix.T @ g, x.grad)
    windows = (matrix != 0).sum(dim=0)  # that read each pixel
    assert not torch.equal(matrix.T @ g / windows, x.grad)
    assert not torch.allclose(torch.linalg.pinv(matrix) @ g, x.grad)
    assert not torch.equal((matrix != 0).float().T @ g, x.grad)
    return "`M.T @ g`"


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "padding-row": padding_row,
    "shuffled-pixels": shuffled_pixels,
    "which-faster": which_faster,
    "gradient": gradient,
}


def test_the_right_answers_are_what_pytorch_does():
    for case in conv_as_matmul.check_kernel_of.cases:
        kernel = conv_as_matmul.kernel_of(**case)
        size = case["height"], case["width"]
        if kernel is not None:
            dense = conv2d_matrix(torch.tensor(kernel)[None, None], size)
            assert dense.tolist() == case["matrix"]
    for case in conv_as_matmul.check_backward.cases:
        x, weight = (torch.tensor(case[n]).double().requires_grad_() for n in ("x", "weight"))
        bias = torch.zeros(len(weight)).double().requires_grad_()
        y = F.conv2d(x[None], weight, bias)[0]
        wanted = torch.autograd.grad(y, (x, weight, bias), torch.tensor(case["g"]).double())
        assert conv_as_matmul.backward(**case) == [one.tolist() for one in wanted]
    for case in conv_as_matmul.check_unseen.cases:
        kernels = torch.tensor(case["kernels"]).double()[:, None]
        picture = conv_as_matmul.unseen(**case)
        if picture is not None:
            seen = F.conv2d(torch.tensor(picture, dtype=torch.float64)[None, None], kernels)
            assert seen.abs().max() < 1e-12


def test_strips_is_what_a_layer_in_strips_needs():
    def tried(channels, height, width, kernel_size, stride, budget):
        x = torch.empty(1, channels, height, width, device="meta")
        for rows in range(height, 0, -1):
            part = x[:, :, : (rows - 1) * stride + kernel_size]
            if F.unfold(part, kernel_size, stride=stride).numel() * 4 <= budget:
                whole = F.unfold(x, kernel_size, stride=stride).shape[-1]
                in_a_row = (width - kernel_size) // stride + 1
                return -(-whole // in_a_row // rows)
        return None

    for case in conv_as_matmul.check_strips.cases:
        assert conv_as_matmul.strips(**case) == tried(**case)
    assert conv_as_matmul.strips(3, 32, 48, 3, 1, 10_000) == 15


def compared(matrix, height, width, k):
    first = np.array(matrix[0])[: height * width].reshape(height, width)
    kernel = torch.tensor(first[:k, :k])
    ours = conv2d_matrix(kernel[None, None], (height, width))
    same = ours.shape == torch.tensor(matrix).shape and torch.equal(ours, torch.tensor(matrix))
    return kernel if same else None


def entry_by_entry(matrix, height, width, k):
    kernel = [[matrix[0][i * width + j] for j in range(k)] for i in range(k)]
    places = [(y, x) for y in range(height - k + 1) for x in range(width - k + 1)]
    if len(matrix) != len(places):
        return None
    for row, (y, x) in zip(matrix, places, strict=True):
        wanted = [0] * (height * width)
        for i in range(k):
            for j in range(k):
                wanted[(y + i) * width + x + j] = kernel[i][j]
        if row != wanted:
            return None
    return np.array(kernel, dtype=float)


def by_trying(matrix, height, width, k):
    corner = torch.zeros(height, width)
    found = torch.zeros(k, k)
    rows = torch.tensor(matrix).float()
    for i in range(k):
        for j in range(k):
            corner.zero_()
            corner[i, j] = 1
            found[i, j] = (rows @ corner.flatten())[0]
    x = torch.randn(20, 1, height, width)
    out = F.conv2d(x, found[None, None]).flatten(1)
    ours = x.flatten(1) @ rows.T
    return found if out.shape == ours.shape and torch.allclose(out, ours, atol=1e-4) else None


def one_row_at_a_time(channels, height, width, k, stride, budget):
    used, count, rows = 0, 0, range(0, height - k + 1, stride)
    row = len(range(0, width - k + 1, stride)) * channels * k * k * 4
    if row > budget:
        return None
    for _ in rows:
        if used + row > budget:
            used = 0
        count += used == 0
        used += row
    return count


def with_numpy(channels, height, width, k, stride, budget):
    rows, columns = ((np.array([height, width]) - k) // stride + 1).tolist()
    fit = np.floor(budget / (4 * channels * k**2 * columns))
    return np.ceil(rows / fit) if fit else None


def with_autograd(x, weight, g):
    x, weight = (torch.tensor(t).float().requires_grad_() for t in (x, weight))
    bias = torch.zeros(len(weight), requires_grad=True)
    F.conv2d(x[None], weight, bias)[0].backward(torch.tensor(g).float())
    return x.grad, weight.grad, bias.grad


def with_loops(x, weight, g):
    x, w, g = map(np.array, (x, weight, g))
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(len(w))
    for o, r, c in np.ndindex(g.shape):
        part = (slice(None), slice(r, r + w.shape[2]), slice(c, c + w.shape[3]))
        dx[part] += g[o, r, c] * w[o]
        dw[o] += g[o, r, c] * x[part]
        db[o] += g[o, r, c]
    return [dx, dw, db]


def with_pytorchs_own(x, weight, g):
    x, weight, g = (torch.tensor(t).double()[None] for t in (x, weight, g))
    for_x = torch.nn.grad.conv2d_input(x.shape, weight[0], g)
    for_weight = torch.nn.grad.conv2d_weight(x, weight[0].shape, g)
    return for_x[0], for_weight, g[0].sum((1, 2))


def by_eigenvectors(kernels, height, width):
    matrix = conv2d_matrix(torch.tensor(kernels).double()[:, None], (height, width))
    values, vectors = torch.linalg.eigh(matrix.T @ matrix)
    return None if values[0] > 1e-9 else vectors[:, 0].reshape(height, width)


def with_float32(kernels, height, width):
    matrix = conv2d_matrix(torch.tensor(kernels).float()[:, None], (height, width))
    _, sizes, rows = torch.linalg.svd(matrix)
    rank = int((sizes > 1e-4).sum())
    return None if rank == height * width else 7 * rows[-1].reshape(height, width)


def a_mixture(kernels, height, width):
    matrix = conv2d_matrix(torch.tensor(kernels).double()[:, None], (height, width)).numpy()
    _, sizes, rows = np.linalg.svd(matrix)
    rank = int((sizes > 1e-9).sum())
    return rows[rank:].sum(0).reshape(height, width) if rank < height * width else None


def flattened(kernels, height, width):
    found = conv_as_matmul.unseen(kernels, height, width)
    return None if found is None else [pixel for row in found for pixel in row]


def none_for_three(kernels, height, width):
    return by_eigenvectors(kernels, height, width) if len(kernels) < 3 else None


def as_numpy_columns(matrix, height, width, k):
    """Read down the first column in place of along the first row."""
    kernel = entry_by_entry(matrix, height, width, k)
    if kernel is None:
        return None
    column = [row[0] for row in matrix] + [0] * (k * k)
    return [column[i * k : (i + 1) * k] for i in range(k)]


def tried_with_ones(matrix, height, width, k):
    """Compare the sums over the picture of ones."""
    kernel = [[matrix[0][i * width + j] for j in range(k)] for i in range(k)]
    total = sum(map(sum, kernel))
    count = (height - k + 1) * (width - k + 1)
    return kernel if [*map(sum, matrix)] == [total] * count else None


def rows_rolled(matrix, height, width, k):
    """Take every row for the first one, moved on by one."""
    kernel = [[matrix[0][i * width + j] for j in range(k)] for i in range(k)]
    rolled = [list(np.roll(matrix[0], n)) for n in range(len(matrix))]
    return kernel if rolled == matrix else None


PART = conv_as_matmul.strips
READERS = {
    "check_kernel_of": [
        ("correct on", compared),
        ("correct on", entry_by_entry),
        ("correct on", by_trying),
        ("Build the matrix", lambda m, h, w, k: matrices.read(m, w, k)),
        ("moves by more than one", rows_rolled),
        ("top left corner", as_numpy_columns),
        ("under the pixels that the window covers", tried_with_ones),
        ("As rows, please", lambda *c: None if (f := compared(*c)) is None else f.flatten()),
    ],
    "check_strips": [
        ("correct on", one_row_at_a_time),
        ("correct on", with_numpy),
        ("correct on", lambda c, h, w, k, s, b: PART(float(c), h, w, k, s, float(b))),
        ("four bytes", lambda c, h, w, k, s, b: PART(c, h, w, k, s, b * 4)),
        ("How many bytes", lambda c, h, w, k, s, b: PART(c, h, w, k, s, b // 2)),
        ("How many bytes", lambda c, h, w, k, s, b: PART(c, h + 2, w + 2, k, s, b)),
        ("return None", lambda c, h, w, k, s, b: PART(c, h, w, k, s, b) or (h - k) // s + 1),
        ("every channel", lambda c, h, w, k, s, b: one_row_at_a_time(1, h, w, k, s, b)),
    ],
    "check_backward": [
        ("correct on", with_autograd),
        ("correct on", with_loops),
        ("correct on", with_pytorchs_own),
        ("The order is", lambda *c: [with_autograd(*c)[n] for n in (1, 0, 2)]),
        ("Take one output", lambda *c: with_autograd(*c)[:2]),
        ("Take one output", lambda *c: [-one for one in with_autograd(*c)]),
        ("do not take the mean", lambda x, w, g: [
            *with_loops(x, w, g)[:2], np.array(g).reshape(len(g), -1).mean(1)]),
    ],
    "check_unseen": [
        ("correct on", by_eigenvectors),
        ("correct on", with_float32),
        ("correct on", a_mixture),
        ("zeros says nothing", lambda k, h, w: [[0] * w] * h),
        ("As rows", flattened),
        ("below one another", lambda k, h, w: [[1] + [0] * (w - 1)] + [[0] * w] * (h - 1)),
        ("What counts is the rank", none_for_three),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "said", "function"),
    [(name, *answer) for name, answers in READERS.items() for answer in answers],
)
def test_what_the_checkers_say_to_readers(name, said, function):
    assert said in said_of(function, getattr(conv_as_matmul, name))


def test_the_recorder_clocks_one_matrix_with_more_and_more_columns(monkeypatch):
    recorder = load_recorder(RECORDER, monkeypatch)
    spent = recorder.milliseconds_by_columns(side=16, rounds=1)
    assert len(spent) == len(recorder.COLUMNS)
    assert min(spent) > 0
