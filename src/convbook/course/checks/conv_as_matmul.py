"""Checkers for chapter 2, Convolution as matmul."""

import torch

from convbook.course.checks import matrices as parts
from convbook.course.checks._checker import Checker


def kernel_of(matrix, height, width, kernel_size):
    """Return the kernel whose dense matrix this is, None if it is that of no convolution."""
    kernel = parts.read(matrix, width, kernel_size)
    return kernel if parts.matrix_of(kernel, height, width) == matrix else None


def strips(channels, height, width, kernel_size, stride, budget):
    """Return in how few strips of whole output rows the columns fit `budget` bytes, or None."""
    return parts.count_strips(*parts.output_size(height, width, kernel_size, stride),
                              4 * channels * kernel_size**2, budget)  # fmt: skip


def backward(x, weight, g):
    """Return the gradients of a layer's input, weight and bias, given that of its output."""
    return parts.gradients(x, weight, g)


def unseen(kernels, height, width):
    """Return a picture that none of the kernels sees, as rows, None if they see all."""
    matrix = parts.stacked(kernels, height, width)
    if torch.linalg.matrix_rank(matrix) == height * width:
        return None
    return torch.linalg.svd(matrix).Vh[-1].reshape(height, width).tolist()


def _is_unseen(answer, kernels, height, width):
    matrix = parts.stacked(kernels, height, width)
    if torch.linalg.matrix_rank(matrix) == height * width:
        return answer is None
    picture = torch.tensor(answer).double()
    if picture.shape != (height, width) or not picture.abs().max() > 0:
        return False
    sums = matrix @ picture.flatten()
    return bool(sums.abs().max() <= 1e-5 * matrix.abs().max() * picture.abs().max())


check_kernel_of = Checker(
    "Exercise 1: function(matrix, height, width, kernel_size) -> rows of the kernel, or None",
    kernel_of,
    parts.MATRICES,
    {
        "Not every matrix belongs to a convolution. Build the matrix of the kernel that you have "
        "read, and compare.": lambda matrix, height, width, kernel_size: parts.read(
            matrix, width, kernel_size
        ),
        "How many rows must there be? One for each place of the window, no fewer and no more.": (
            lambda matrix, height, width, kernel_size: parts.judged(
                matrix, height, width, kernel_size, parts.rows_agree
            )
        ),
        "The same weights in every row are not enough: they must stand under the pixels that "
        "the window covers.": lambda matrix, height, width, kernel_size: parts.judged(
            matrix, height, width, kernel_size, parts.weights_agree
        ),
        "The places are right, but is it the same weight in every row? Compare the numbers.": (
            lambda matrix, height, width, kernel_size: parts.judged(
                matrix, height, width, kernel_size, parts.places_agree
            )
        ),
        "Look at the pixels outside the window, too: they must all have a 0.": (
            lambda matrix, height, width, kernel_size: parts.judged(
                matrix, height, width, kernel_size, parts.windows_agree
            )
        ),
        "The second row of the kernel stands `width` places after the first.": (
            lambda matrix, height, width, kernel_size: parts.misread(
                matrix, height, width, kernel_size, lambda i, j: i * kernel_size + j
            )
        ),
        "A row of the image has `width` pixels, not `height`.": (
            lambda matrix, height, width, kernel_size: parts.misread(
                matrix, height, width, kernel_size, lambda i, j: i * height + j
            )
        ),
        "Rows and columns of the kernel are exchanged.": (
            lambda matrix, height, width, kernel_size: parts.misread(
                matrix, height, width, kernel_size, lambda i, j: j * width + i
            )
        ),
        "That is the kernel flipped. It lies on the picture as it is.": (
            lambda matrix, height, width, kernel_size: parts.misread(
                matrix, height, width, kernel_size,
                lambda i, j: (kernel_size - 1 - i) * width + kernel_size - 1 - j,
            )
        ),
        "A weight may be 0, so you cannot find the weights by looking for what is not 0.": (
            parts.read_without_zeros
        ),
        "As rows, please: a list of lists, not one long list.": (
            lambda matrix, height, width, kernel_size: (
                None
                if (found := kernel_of(matrix, height, width, kernel_size)) is None
                else [weight for row in found for weight in row]
            )
        ),
        "That finds no convolution anywhere, except with a single weight. Where a line of windows "
        "ends, the next row of the matrix moves by more than one.": (
            lambda matrix, height, width, kernel_size: (
                kernel_of(matrix, height, width, kernel_size) if kernel_size == 1 else None
            )
        ),
    },
    fallback="The first row belongs to the window in the top left corner. Read the kernel there, "
    "and then ask whether all other entries are what this kernel would make them.",
)  # fmt: skip

check_strips = Checker(
    "Exercise 2: function(channels, height, width, kernel_size, stride, budget) -> how many",
    strips,
    parts.BUDGETS,
    {
        "A number in float32 takes four bytes.": (
            lambda channels, height, width, kernel_size, stride, budget: strips(
                channels, height, width, kernel_size, stride, 4 * budget
            )
        ),
        "A window brings its pixels from every channel.": (
            lambda channels, height, width, kernel_size, stride, budget: strips(
                1, height, width, kernel_size, stride, budget
            )
        ),
        "A window has rows and columns: kernel_size ** 2 pixels of each channel.": (
            lambda channels, height, width, kernel_size, stride, budget: parts.count_strips(
                *parts.output_size(height, width, kernel_size, stride),
                4 * channels * kernel_size, budget,
            )
        ),
        "A stride leaves fewer windows, along the rows and down the columns.": (
            lambda channels, height, width, kernel_size, stride, budget: strips(
                channels, height, width, kernel_size, 1, budget
            )
        ),
        "There are fewer windows than pixels: they have to fit the picture.": (
            lambda channels, height, width, kernel_size, stride, budget: parts.count_strips(
                -(-height // stride), -(-width // stride),
                4 * channels * kernel_size**2, budget,
            )
        ),
        "Only whole rows of windows may go into a strip. What is left of the budget stays unused.":
            parts.cut_anywhere,
        "The last strip may be a small one, but it is one more product.": (
            lambda channels, height, width, kernel_size, stride, budget: parts.count_strips(
                *parts.output_size(height, width, kernel_size, stride),
                4 * channels * kernel_size**2, budget, last=False,
            )
        ),
        "That is how many rows of windows fit into one strip. How many strips does it take?": (
            parts.rows_in_a_strip
        ),
        "Where not even one row of windows fits, return None.": (
            lambda channels, height, width, kernel_size, stride, budget: parts.count_strips(
                *parts.output_size(height, width, kernel_size, stride),
                4 * channels * kernel_size**2, budget, least=1,
            )
        ),
        "That takes a row too many: the budget is an upper limit.": (
            lambda channels, height, width, kernel_size, stride, budget: parts.count_strips(
                *parts.output_size(height, width, kernel_size, stride),
                4 * channels * kernel_size**2, budget, more=1,
            )
        ),
        "A strip is made of rows of windows; that makes it of columns.": (
            lambda channels, height, width, kernel_size, stride, budget: strips(
                channels, width, height, kernel_size, stride, budget
            )
        ),
        "A strip for each row always works, but more rows may fit into one.": (
            lambda channels, height, width, kernel_size, stride, budget: (
                parts.output_size(height, width, kernel_size, stride)[0]
            )
        ),
    },
    fallback="How many bytes do the columns of one row of windows take? How many such rows fit "
    "the budget, and how many rows of windows are there?",
)  # fmt: skip

check_backward = Checker(
    "Exercise 3: function(x, weight, g) -> gradients of x, of weight and of the bias",
    backward,
    parts.LAYERS,
    {
        "For the gradient of x the kernel has to be flipped.": (
            lambda x, weight, g: parts.gradients(x, weight, g, to_x=parts.unflipped)
        ),
        "All filters read a pixel, so it hears from all of them: add over the filters.": (
            lambda x, weight, g: parts.gradients(x, weight, g, to_x=parts.one_filter)
        ),
        "Several windows read a pixel: add what they send back, do not replace it.": (
            lambda x, weight, g: parts.gradients(x, weight, g, to_x=parts.last_one_wins)
        ),
        "The gradient of the weight is flipped. The image is correlated with g as it is.": (
            lambda x, weight, g: parts.gradients(
                x, weight, g, to_weight=lambda *case: parts.weight_gradient(*case).flip(2, 3)
            )
        ),
        "Each kernel reads one channel of x, and its gradient comes from this channel alone.": (
            lambda x, weight, g: parts.gradients(
                x, weight, g,
                to_weight=lambda x, w, g: parts.weight_gradient(x.sum(0).expand_as(x), w, g),
            )
        ),
        "Each filter has an output map of its own, and hears from this map alone.": (
            lambda x, weight, g: parts.gradients(
                x, weight, g,
                to_weight=lambda x, w, g: parts.weight_gradient(x, w, g.sum(0).expand_as(g)),
            )
        ),
        "A weight is indexed by its filter first, and by its channel second.": (
            lambda x, weight, g: parts.gradients(
                x, weight, g,
                to_weight=lambda *case: parts.weight_gradient(*case).transpose(0, 1),
            )
        ),
        "A bias is added to every output of its map: add up, do not take the mean.": (
            lambda x, weight, g: parts.gradients(x, weight, g, to_bias=lambda g: g.mean((1, 2)))
        ),
        "Every filter has a bias of its own, so there are as many gradients as filters.": (
            lambda x, weight, g: parts.gradients(
                x, weight, g, to_bias=lambda g: g.sum().expand(len(g))
            )
        ),
        "The order is x, weight, bias.": (
            lambda x, weight, g: [parts.gradients(x, weight, g)[place] for place in (1, 0, 2)]
        ),
        "That ignores what arrives from the loss: every number is multiplied by its g.": (
            lambda x, weight, g: parts.gradients(x, weight, torch.ones_like(torch.tensor(g)))
        ),
        "No mean over the windows: their shares add up.": parts.mean_over_windows,
    },
    fallback="Take one output and one of its products, weight times pixel. If the loss grows by g "
    "for each unit of this output, how much for each unit of the pixel, and of the weight?",
)  # fmt: skip

check_unseen = Checker(
    "Exercise 4: function(kernels, height, width) -> rows of a picture, or None",
    unseen,
    parts.KERNELS,
    {
        "A picture of zeros says nothing: at least one pixel must be something else.": (
            lambda kernels, height, width: torch.zeros(height, width)
        ),
        "A flat picture is unseen only if the weights of each kernel add up to 0.": (
            lambda kernels, height, width: torch.ones(height, width)
        ),
        "A checkerboard is unseen only if the weights cancel on it.": (
            lambda kernels, height, width: parts.checkerboard(height, width)
        ),
        "That is unseen by the first kernel. It has to be unseen by all of them.": (
            lambda kernels, height, width: unseen(kernels[:1], height, width)
        ),
        "More outputs than pixels do not mean that all is seen: some of the sums may say the same. "
        "What counts is the rank.": lambda kernels, height, width: (
            None
            if len(parts.stacked(kernels, height, width)) >= height * width
            else unseen(kernels, height, width)
        ),
        "Where every picture is seen, return None.": parts.least_seen,
        "As rows, please: `height` lists of `width` numbers.": lambda kernels, height, width: (
            None
            if (found := unseen(kernels, height, width)) is None
            else torch.tensor(found).flatten()
        ),
        "That is unseen by the flipped kernels.": lambda kernels, height, width: unseen(
            [[row[::-1] for row in kernel[::-1]] for kernel in kernels], height, width
        ),
        "That is the picture that they see best.": lambda kernels, height, width: (
            torch.linalg.svd(parts.stacked(kernels, height, width)).Vh[0].reshape(height, width)
        ),
    },
    accepts=_is_unseen,
    fallback="Write the dense matrices of all kernels below one another. A picture is unseen if "
    "this tall matrix makes only zeros of it; the last rows of Vh in its singular value "
    "decomposition are the place to look.",
)
