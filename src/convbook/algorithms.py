"""Four algorithms for one convolution: im2col, a sparse matrix, the FFT, and Winograd's products.

Each returns what `convbook.functional.conv2d(input, weight)` returns, without padding, at stride 1,
dilation 1 and with one group: what is left is the idea. They differ in how many products they need,
in how much memory they fill (`costs`), and in speed; chapter 2 puts them side by side.

Arguments and shapes are the same for all: input `(N, C_in, H, W)` or `(C_in, H, W)` and weight
`(C_out, C_in, k_h, k_w)` give `(N, C_out, H_out, W_out)` or `(C_out, H_out, W_out)`. What does not
fit is a `ValueError`, what has the wrong type or another dtype a `TypeError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from convbook._checks.arguments import IntOrPair, pair
from convbook._checks.tensors import check_conv, check_dtype, check_weight
from convbook.arithmetic import conv_output_size
from convbook.functional import unfold

__all__ = [
    "Cost",
    "conv2d_fft",
    "conv2d_im2col",
    "conv2d_sparse",
    "conv2d_winograd",
    "costs",
    "sparse_matrix",
]

REALS = {torch.float32, torch.float64}

# F(2, 3): two outputs of three taps from four products (Lavin and Gray, section 4.1).
TO_PIXELS = [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]]  # B^T
TO_WEIGHTS = [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]]  # G
TO_OUTPUTS = [[1, 1, 1, 0], [0, 1, -1, -1]]  # A^T


def conv2d_im2col(input: Tensor, weight: Tensor) -> Tensor:
    """Convolve by one matrix product: the filters, one per row, times the windows, one per column.

    Example:
        >>> conv2d_im2col(torch.arange(9).reshape(1, 3, 3), torch.ones(1, 1, 2, 2).long())
        tensor([[[ 8, 12],
                 [20, 24]]])

    Source: Chellapilla, Puri and Simard, High Performance Convolutional Neural Networks for
    Document Processing, 2006.
    """
    size = _output_size(input, weight)
    columns = unfold(input, tuple(weight.shape[-2:]))  # (N, C_in * k_h * k_w, H_out * W_out)
    return (weight.flatten(1) @ columns).unflatten(-1, size)  # (N, C_out, H_out, W_out)


def sparse_matrix(weight: Tensor, input_size: IntOrPair) -> Tensor:
    """Return the matrix of `conv2d_matrix`, with its zeros left out.

    The windows of the pixel *numbers* say in which column each weight stands.

    Shapes:
        weight `(C_out, C_in, k_h, k_w)` -> a sparse tensor `(C_out * H_out * W_out, C_in * H * W)`.

    Args:
        weight: the filters.
        input_size: pixels (H, W), at least as many as the kernel has taps.

    Example:
        >>> sparse_matrix(torch.ones(1, 1, 1, 2), (1, 3)).to_dense()
        tensor([[1., 1., 0.],
                [0., 1., 1.]])

    Source: Dumoulin and Visin, arXiv 1603.07285, section 4.1.
    """
    check_weight(weight)
    c_out, c_in, *kernel_size = weight.shape
    height, width = pair(input_size, "input_size", 1)
    numbers = torch.arange(c_in * height * width).reshape(c_in, height, width)
    columns = unfold(numbers, tuple(kernel_size))  # (C_in * k_h * k_w, H_out * W_out)
    windows = columns.shape[-1]
    rows = torch.arange(c_out * windows).reshape(c_out, 1, windows)
    places = torch.stack(torch.broadcast_tensors(rows, columns)).flatten(1)  # (2, entries)
    entries = weight.flatten(1)[..., None].expand(-1, -1, windows).flatten()
    shape = (c_out * windows, numbers.numel())
    return torch.sparse_coo_tensor(places, entries, shape, check_invariants=True)


def conv2d_sparse(input: Tensor, weight: Tensor) -> Tensor:
    """Convolve by the product of a sparse matrix and the flattened input.

    Example:
        >>> conv2d_sparse(torch.arange(4.0).reshape(1, 2, 2), torch.ones(1, 1, 2, 2))
        tensor([[[6.]]])

    Source: Dumoulin and Visin, arXiv 1603.07285, section 4.1.
    """
    size = _output_size(input, weight)
    matrix = sparse_matrix(weight, tuple(input.shape[-2:]))
    pixels = input.flatten(-3).reshape(-1, matrix.shape[1])  # (N, C_in * H * W)
    output = torch.sparse.mm(matrix, pixels.mT).mT  # (N, C_out * H_out * W_out)
    return output.reshape(*input.shape[:-3], weight.shape[0], *size)


def conv2d_fft(input: Tensor, weight: Tensor) -> Tensor:
    """Convolve by multiplying spectra: a shift in the image is a factor in its spectrum.

    The product of two spectra belongs to a *circular* convolution. Its first H_out x W_out values
    are those of windows that do not wrap round. The conjugate keeps the kernel from being flipped.

    Raises:
        TypeError: the dtype is not float32 or float64.

    Example:
        >>> conv2d_fft(torch.arange(4.0).reshape(1, 2, 2), torch.ones(1, 1, 2, 2)).round()
        tensor([[[6.]]])

    Source: Mathieu, Henaff and LeCun, arXiv 1312.5851.
    """
    height, width = _output_size(input, weight)
    check_dtype(input, "input", REALS)
    image_size = input.shape[-2:]
    image = torch.fft.rfft2(input)  # (N, C_in, H, W/2 + 1)
    kernel = torch.fft.rfft2(weight, s=image_size)  # (C_out, C_in, H, W/2 + 1)
    product = torch.einsum("...chw,ochw->...ohw", image, kernel.conj())
    return torch.fft.irfft2(product, s=image_size)[..., :height, :width]


def conv2d_winograd(input: Tensor, weight: Tensor) -> Tensor:
    """Convolve 3 x 3 kernels by Winograd's F(2 x 2, 3 x 3): 16 products instead of 36.

    Every 4 x 4 tile of pixels gives 2 x 2 outputs. Sums and differences of its pixels are
    multiplied with sums of the weights, and sums of these products are the outputs.

    Shapes:
        input `(N, C_in, H, W)` or `(C_in, H, W)`, weight `(C_out, C_in, 3, 3)` ->
        `(N, C_out, H - 2, W - 2)` or `(C_out, H - 2, W - 2)`.

    Raises:
        ValueError: the kernel is not 3 x 3.
        TypeError: the dtype is not float32 or float64.

    Example:
        >>> conv2d_winograd(torch.ones(1, 4, 5), torch.ones(1, 1, 3, 3))
        tensor([[[9., 9., 9.],
                 [9., 9., 9.]]])

    Source: Lavin and Gray, arXiv 1509.09308.
    """
    height, width = _output_size(input, weight)
    check_dtype(input, "input", REALS)
    if weight.shape[-2:] != (3, 3):
        raise ValueError(f"weight has shape {tuple(weight.shape)}; F(2, 3) takes 3 x 3 kernels")
    to_pixels, to_weights, to_outputs = map(weight.new_tensor, (TO_PIXELS, TO_WEIGHTS, TO_OUTPUTS))
    x = pad(input, (0, width % 2, 0, height % 2))  # so that tiles of 2 x 2 outputs fill the map
    tiles = x.unfold(-2, 4, 2).unfold(-2, 4, 2)  # (N, C_in, rows, columns, 4, 4)
    pixels = to_pixels @ tiles @ to_pixels.mT
    weights = to_weights @ weight @ to_weights.mT  # (C_out, C_in, 4, 4)
    products = torch.einsum("...crsij,ocij->...orsij", pixels, weights)
    output = to_outputs @ products @ to_outputs.mT  # (N, C_out, rows, columns, 2, 2)
    output = output.movedim(-2, -3).flatten(-4, -3).flatten(-2)  # (N, C_out, 2*rows, 2*columns)
    return output[..., :height, :width]


class Cost(NamedTuple):
    """What an algorithm spends on one image: products of two numbers, and bytes of tables."""

    products: int
    table_bytes: int


def costs(input_size: IntOrPair, weight_shape: Sequence[int]) -> dict[str, Cost]:
    """Return the cost of each algorithm for one float32 image, by name.

    Counted are the products of the step that combines pixels with weights, a complex product as
    four, and the bytes of all that is written down between input and output. Additions, and the
    transforms of the FFT and of Winograd's algorithm, are left out.

    Args:
        input_size: pixels (H, W), at least as many as the kernel has taps.
        weight_shape: `(C_out, C_in, k_h, k_w)`; the Winograd entry is there for 3 x 3 only.

    Example:
        >>> costs(3, (1, 1, 2, 2))["dense matrix"]
        Cost(products=36, table_bytes=144)
    """
    height, width = pair(input_size, "input_size", 1)
    c_out, c_in, *kernel_size = weight_shape
    h_out, w_out = conv_output_size((height, width), tuple(kernel_size))
    inputs, outputs = c_in * height * width, c_out * h_out * w_out
    direct = outputs * c_in * prod(kernel_size)
    spectra = c_in + c_out * c_in + c_out  # of the maps, the filters and the outputs
    spectrum = height * (width // 2 + 1)  # complex numbers of 8 bytes
    found = {
        "loops": Cost(direct, 0),
        "dense matrix": Cost(outputs * inputs, 4 * outputs * inputs),
        # Each weight stands there with its row and its column, two integers of 8 bytes.
        "sparse matrix": Cost(direct, (4 + 16) * direct),
        "im2col": Cost(direct, 4 * c_in * prod(kernel_size) * h_out * w_out),
        "FFT": Cost(4 * c_out * c_in * spectrum, 8 * spectra * spectrum),
    }
    if tuple(kernel_size) == (3, 3):
        tiles = -(-h_out // 2) * -(-w_out // 2)
        table = c_in * tiles + c_out * c_in + c_out * tiles
        found["Winograd"] = Cost(16 * c_out * c_in * tiles, 4 * 16 * table)
    return found


def _output_size(input: Tensor, weight: Tensor) -> tuple[int, ...]:
    """Return (H_out, W_out), or refuse tensors that do not fit together."""
    check_conv(input, weight, None, groups=1)
    return conv_output_size(tuple(input.shape[-2:]), tuple(weight.shape[-2:]))
