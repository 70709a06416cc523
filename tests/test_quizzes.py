"""Every quiz answer is computed here; a question without a proof fails."""

import pytest
import torch
import torch.nn.functional as F

from convbook import quizzes
from convbook.functional import conv2d_matrix
from convbook.site import notebooks


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


def small_matrix():
    """Return the 4 x 9 matrix of a 2 x 2 kernel on a 3 x 3 image."""
    return conv2d_matrix(torch.tensor([[[[1.0, 2], [3, 4]]]]), (3, 3))


def matmul_opening_question():
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


PROOFS = {
    "02_conv_as_matmul/opening-question": matmul_opening_question,
    "02_conv_as_matmul/how-large": how_large,
    "02_conv_as_matmul/gradient": gradient,
    "03_shapes/opening-question": opening_question,
    "03_shapes/which-sizes-fit": which_sizes_fit,
    "03_shapes/even-kernel": even_kernel,
}


def all_questions():
    for stem in quizzes.names():
        for identifier, question in quizzes.read(quizzes.FOLDER / f"{stem}.toml").items():
            yield f"{stem}/{identifier}", question


@pytest.mark.parametrize(("name", "question"), list(all_questions()))
def test_the_marked_answer_is_right(name, question):
    (right,) = [choice["text"] for choice in question["choices"] if choice["correct"]]
    assert right == PROOFS[name]()


def test_every_question_stands_in_its_chapter_and_every_proof_has_a_question():
    asked = set()
    for path in notebooks.notebook_paths():
        for cell in notebooks.read(path).cells:
            if cell.source.startswith("Quiz("):
                name = cell.source.split('"')[1]
                assert name.startswith(f"{path.stem}/")
                asked.add(name)
    names = {name for name, _ in all_questions()}
    assert names == asked == set(PROOFS)
