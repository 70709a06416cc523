"""Chapter 2, Convolution as matmul: its quiz answers and its exercises' right answers."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view

from convbook.course.checks import conv_as_matmul
from convbook.functional import conv2d_matrix
from tests.helpers.attempts import said_of


def small_matrix():
    """Return the 4 x 9 matrix of a 2 x 2 kernel on a 3 x 3 image."""
    return conv2d_matrix(torch.tensor([[[[1.0, 2], [3, 4]]]]), (3, 3))


def opening_question():
    matrix = small_matrix()
    image = torch.rand(1, 3, 3)
    taps = torch.tensor([[[[1.0, 2], [3, 4]]]])
    torch.testing.assert_close(matrix @ image.flatten(), F.conv2d(image, taps).flatten())
    rows, columns = matrix.shape
    assert (matrix == 0).sum(dim=1).tolist() == [5] * rows
    return f"{rows} × {columns}, with five zeros in each row"


def how_large():
    layer = torch.nn.Conv2d(3, 64, 3, padding=1, device="meta")
    image = torch.empty(3, 64, 64, device="meta")
    entries = layer(image).numel() * image.numel()
    sizes = {"about 1,700": 1.7e3, "about 7 million": 7e6, "about 3 billion": 3e9}
    assert layer.weight.numel() == 1728
    assert abs(4 * entries / 1e9 - 12.9) < 0.05
    return min(sizes, key=lambda text: abs(sizes[text] - entries))


def gradient():
    matrix, g = small_matrix(), torch.tensor([1.0, -2, 0, 3])
    x = torch.rand(9, requires_grad=True)
    (matrix @ x).backward(g)
    assert torch.equal(matrix.T @ g, x.grad)
    windows = (matrix != 0).sum(dim=0)  # that read each pixel
    assert not torch.equal(matrix.T @ g / windows, x.grad)
    assert matrix.shape[0] != matrix.shape[1]  # so there is no inverse
    return "`M.T @ g`"


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "how-large": how_large,
    "gradient": gradient,
}


def maps(rows):
    return torch.tensor(rows).double()[None, None]


def test_the_right_answers_are_what_pytorch_does():
    for case in conv_as_matmul.check_weight_count.cases:
        taps = torch.ones(1, 1, *[case["kernel_size"]] * 2)
        matrix = conv2d_matrix(taps, (case["height"], case["width"]))
        assert conv_as_matmul.weight_count(**case) == matrix.count_nonzero()
    for case in conv_as_matmul.check_matrix_row.cases:
        size = case["height"], case["width"]
        image = torch.zeros(1, 1, *size).double().requires_grad_()
        F.conv2d(image, maps(case["kernel"]))[0, 0, case["y"], case["x"]].backward()
        assert conv_as_matmul.matrix_row(**case) == image.grad.flatten().tolist()
    for case in conv_as_matmul.check_strided_im2col.cases:
        columns = F.unfold(maps(case["image"]), case["kernel_size"], stride=case["stride"])[0]
        assert conv_as_matmul.strided_im2col(**case) == columns.tolist()
    for case in conv_as_matmul.check_input_gradient.cases:
        back = F.conv_transpose2d(maps(case["gradient"]), maps(case["kernel"]))
        assert conv_as_matmul.input_gradient(**case) == back[0, 0].tolist()


def one_map(rows):
    return torch.tensor(rows).float()[None, None]


def kernel_on_zeros(kernel, height, width, y, x):
    picture = np.zeros((height, width))
    picture[y : y + len(kernel), x : x + len(kernel[0])] = kernel
    return picture


def row_of_the_matrix(kernel, height, width, y, x):
    matrix = conv2d_matrix(one_map(kernel), (height, width))
    return matrix[y * (width - len(kernel[0]) + 1) + x]


def windows_of(image, kernel_size, stride):
    windows = sliding_window_view(np.array(image), (kernel_size, kernel_size))
    return windows[::stride, ::stride].reshape(-1, kernel_size**2)


def with_autograd(gradient, kernel, height, width):
    pixels = torch.zeros(1, 1, height, width, requires_grad=True)
    F.conv2d(pixels, one_map(kernel)).backward(one_map(gradient))
    return pixels.grad[0, 0]


def with_a_hand_in_the_gradient(gradient, kernel, height, width):
    pixels = with_autograd(gradient, kernel, height, width)
    gradient[0][0] = 99
    return pixels


READERS = {
    "check_weight_count": [
        ("correct on", lambda h, w, k: conv2d_matrix(torch.ones(1, 1, k, k), (h, w)).sum()),
        ("correct on", lambda h, w, k: np.prod([h - k + 1, w - k + 1, k, k])),
        ("Draw the matrix", lambda h, w, k: h * w),
        ("Draw the matrix", lambda h, w, k: k**2 * (h + w - 2 * k + 2)),
    ],
    "check_matrix_row": [
        ("correct on", lambda *case: kernel_on_zeros(*case).ravel()),
        ("correct on", row_of_the_matrix),
        ("Draw the image", kernel_on_zeros),
        ("Draw the image", lambda *case: kernel_on_zeros(*case).T.ravel()),
    ],
    "check_strided_im2col": [
        ("correct on", lambda image, k, stride: F.unfold(one_map(image), k, stride=stride)[0]),
        ("correct on", lambda *case: windows_of(*case).T),
        ("one by one", lambda *case: windows_of(*case).ravel()),
        ("one by one", lambda image, k, stride: windows_of(image, k, stride).reshape(k * k, -1)),
    ],
    "check_input_gradient": [
        ("correct on", with_autograd),
        ("correct on", lambda g, k, h, w: F.conv_transpose2d(one_map(g), one_map(k))[0, 0]),
        ("It changes gradient in place", with_a_hand_in_the_gradient),
        ("one output at a time", lambda *case: with_autograd(*case).flatten()),
        ("one output at a time", lambda g, k, h, w: np.outer(g, k)),
    ],
}


@pytest.mark.parametrize(
    ("name", "said", "function"),
    [(name, *answer) for name, answers in READERS.items() for answer in answers],
)
def test_what_the_checkers_say_to_readers(name, said, function):
    assert said in said_of(function, getattr(conv_as_matmul, name))
