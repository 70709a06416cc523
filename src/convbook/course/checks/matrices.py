"""Matrices of convolutions, columns in strips, gradients: what chapter 2's checkers are made of."""

from itertools import product

import torch
import torch.nn.functional as F

from convbook.functional import conv2d_matrix


def matrix_of(kernel, height, width):
    """Return the dense matrix of a kernel, as lists."""
    return conv2d_matrix(torch.tensor(kernel)[None, None], (height, width)).tolist()


def read(matrix, width, kernel_size):
    """Return the kernel that stands in the first row."""
    sides = range(kernel_size)
    return [[matrix[0][i * width + j] for j in sides] for i in sides]


def judged(matrix, height, width, kernel_size, agree):
    """Return the kernel if `agree` takes the matrix for that of a convolution."""
    kernel = read(matrix, width, kernel_size)
    return kernel if agree(matrix, matrix_of(kernel, height, width), kernel_size) else None


def rows_agree(matrix, built, kernel_size):
    """Compare the rows that both have."""
    return all(row == other for row, other in zip(matrix, built, strict=False))


def weights_agree(matrix, built, kernel_size):
    """Compare which numbers stand in the rows, wherever they stand."""
    return [*map(sorted, matrix)] == [*map(sorted, built)]


def places_agree(matrix, built, kernel_size):
    """Compare where something else than 0 stands."""
    return [[bool(n) for n in row] for row in matrix] == [[bool(n) for n in row] for row in built]


def windows_agree(matrix, built, kernel_size):
    """Compare the entries under each window."""
    ones = [[bool(n) for n in row] for row in built]
    rows = zip(matrix, built, ones, strict=False)
    same = (a == b for row, other, inside in rows
            for a, b, seen in zip(row, other, inside, strict=False) if seen)  # fmt: skip
    return len(matrix) == len(built) and all(same)


def misread(matrix, height, width, kernel_size, place):
    """Judge rightly, and read weight (i, j) of the kernel at another place."""
    right = read(matrix, width, kernel_size)
    if matrix_of(right, height, width) != matrix:
        return None
    sides = range(kernel_size)
    return [[matrix[0][place(i, j)] for j in sides] for i in sides]


def read_without_zeros(matrix, height, width, kernel_size):
    """Judge rightly, and take what is not 0 for the weights."""
    found = [n for n in matrix[0] if n] + [0] * kernel_size**2
    right = read(matrix, width, kernel_size)
    if matrix_of(right, height, width) != matrix:
        return None
    return [found[i * kernel_size : (i + 1) * kernel_size] for i in range(kernel_size)]


def _matrices():
    """Return cases: matrices of convolutions, and such as are spoilt in one way each."""
    kernels = {
        1: [[[4]], [[-2]]],
        2: [[[1, 2], [3, 4]], [[0, 5], [-1, 2]], [[2, 0], [1, 3]]],
        3: [[[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 0, -1], [2, 0, -2], [3, 1, -1]]],
    }
    sizes = {1: [(2, 3)], 2: [(3, 4), (4, 3), (2, 5)], 3: [(4, 5), (5, 3)]}
    cases = []
    for k in (1, 2, 3):
        for kernel, (height, width) in product(kernels[k], sizes[k]):
            settings = {"height": height, "width": width, "kernel_size": k}
            matrix = matrix_of(kernel, height, width)
            cases.append({"matrix": matrix, **settings})
            if k > 1 and kernel is not kernels[k][-1]:
                cases += [{"matrix": one, **settings} for one in _spoilt(matrix, kernel)]
    return cases


def _spoilt(matrix, kernel):
    last = matrix[-1]
    place = max(i for i, n in enumerate(last) if n)
    other = [*last[:place], last[place] + 1, *last[place + 1 :]]
    yield [*matrix[:-1], other]  # not the same weights
    yield [*matrix[:-1], [*last[1:], last[0]]]  # moved by one
    gap = last.index(0)
    yield [*matrix[:-1], [*last[:gap], 7, *last[gap + 1 :]]]  # something outside the window
    yield matrix[:-1]  # a row is missing


MATRICES = _matrices()


def output_size(height, width, kernel_size, stride):
    """Return how many windows there are, down and along."""
    return (height - kernel_size) // stride + 1, (width - kernel_size) // stride + 1


def count_strips(rows, columns, window, budget, last=True, least=0, more=0):
    """Return how many strips `rows` rows of `columns` windows take, each of `window` bytes."""
    fit = max(least, budget // (columns * window) + more)
    if not fit:
        return None
    return -(-rows // fit) if last else max(1, rows // fit)


def cut_anywhere(channels, height, width, kernel_size, stride, budget):
    """Return how many strips there are if a row of windows may be cut."""
    rows, columns = output_size(height, width, kernel_size, stride)
    window = 4 * channels * kernel_size**2
    return -(-rows * columns * window // budget)


def rows_in_a_strip(channels, height, width, kernel_size, stride, budget):
    """Return how many rows of windows fit the budget, at most all."""
    rows, columns = output_size(height, width, kernel_size, stride)
    return min(rows, budget // (columns * 4 * channels * kernel_size**2)) or None


BUDGETS = [
    {"channels": c, "height": h, "width": w, "kernel_size": k, "stride": s, "budget": budget}
    for c, (h, w), (k, s), budget in product(
        (3, 16), ((32, 48), (50, 20)), ((3, 1), (3, 2), (5, 3), (2, 2)), (1_000, 10_000, 60_000)
    )
][1:]


def input_gradient(weight, g):
    """Return the gradient of the input."""
    return F.conv_transpose2d(g[None], weight)[0]


def weight_gradient(x, weight, g):
    """Return the gradient of the weight: each channel correlated with each map of g."""
    return F.conv2d(x[:, None], g[:, None]).transpose(0, 1)


def bias_gradient(g):
    """Return the gradient of the bias."""
    return g.sum((1, 2))


def gradients(x, weight, g, to_x=input_gradient, to_weight=weight_gradient, to_bias=bias_gradient):
    """Return the three gradients as lists, each by its function or by the right one."""
    x, weight, g = (torch.as_tensor(t).double() for t in (x, weight, g))
    return [
        to_x(weight, g).tolist(),
        to_weight(x, weight, g).tolist(),
        to_bias(g).tolist(),
    ]


def unflipped(weight, g):
    """Return what the input gets if nobody turns the kernels."""
    return input_gradient(weight.flip(2, 3), g)


def one_filter(weight, g):
    """Return what the first filter sends back."""
    return input_gradient(weight[:1], g[:1])


def last_one_wins(weight, g):
    """Return what the last window, and the last filter, sends to each pixel."""
    pixels = torch.zeros_like(input_gradient(weight, g))
    for o, y, x in product(*map(range, g.shape)):
        window = pixels[:, y : y + weight.shape[2], x : x + weight.shape[3]]
        window[:] = weight[o] * g[o, y, x]
    return pixels


def mean_over_windows(x, weight, g):
    """Return all gradients divided by the number of outputs of a map."""
    windows = len(g[0]) * len(g[0][0])
    return [(torch.tensor(one) / windows).tolist() for one in gradients(x, weight, g)]


def _numbers(*shape, step):
    count = torch.arange(torch.Size(shape).numel())
    return ((step * count + step) % 11 - 4).reshape(shape).tolist()


LAYERS = [
    {
        "x": _numbers(c_in, h, w, step=3),
        "weight": _numbers(c_out, c_in, k_h, k_w, step=5),
        "g": _numbers(c_out, h - k_h + 1, w - k_w + 1, step=7),
    }
    for c_in, c_out, (h, w), (k_h, k_w) in product(
        (2, 1), (2, 3, 1), ((3, 4), (4, 3)), ((2, 2), (2, 3), (1, 2))
    )
]


def stacked(kernels, height, width):
    """Return the dense matrices of all kernels, one below the other."""
    return conv2d_matrix(torch.tensor(kernels).double()[:, None], (height, width))


def checkerboard(height, width):
    """Return 1 and -1 in turn."""
    return torch.tensor([[(-1) ** (y + x) for x in range(width)] for y in range(height)])


def least_seen(kernels, height, width):
    """Return the picture of which least is seen, even where that is not nothing."""
    matrix = stacked(kernels, height, width)
    return torch.linalg.svd(matrix).Vh[-1].reshape(height, width).tolist()


_A, _B, _C = [[1, 2], [3, 4]], [[0, 1], [-1, 2]], [[2, -1], [1, 1]]
_D, _E = [[1, 0, -1], [2, 0, -2], [1, 1, -1]], [[1, 2, 1], [2, 5, 2], [0, 2, 1]]
_TWICE = [[2, 4], [6, 8]]

KERNELS = [
    {"kernels": kernels, "height": height, "width": width}
    for kernels, sizes in [
        ([_A], [(3, 3), (2, 4), (4, 5)]),
        ([[[1]]], [(2, 3), (3, 3)]),
        ([[[0]], [[-2]]], [(2, 2), (4, 3)]),
        ([_A, _B], [(3, 3), (3, 4), (5, 4)]),
        ([_B, _A], [(4, 4), (3, 5)]),
        ([_A, _B, _C], [(3, 3), (4, 5), (3, 4)]),
        ([_C, _A, _TWICE], [(4, 4), (5, 3)]),
        ([_A, _TWICE, _A], [(4, 4), (3, 5)]),
        ([_B, _B, _B], [(3, 3), (5, 5)]),
        ([_D], [(3, 4), (5, 5)]),
        ([_D, _E], [(4, 4), (5, 6), (6, 6)]),
        ([_E, _D], [(5, 3)]),
    ]
    for height, width in sizes
]
