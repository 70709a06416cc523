"""Chapter 2, Convolution as matmul: its quiz answers and its exercises' right answers."""

import torch
import torch.nn.functional as F

from convbook.course.checks import conv_as_matmul
from convbook.functional import conv2d_matrix


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
