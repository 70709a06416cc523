"""Record for chapter 2: how long seven algorithms take, and at what kernel size the FFT pays.

python benchmarks/record_02_conv_as_matmul.py
"""

import statistics
import time
import warnings

import torch
import torch.nn.functional as F

from convbook import runs
from convbook.algorithms import (
    conv2d_fft,
    conv2d_im2col,
    conv2d_sparse,
    conv2d_winograd,
    sparse_matrix,
)
from convbook.functional import conv2d_loops, conv2d_matrix, unfold

SEED = 0
ROUNDS = 31
LAYER = {"input": (1, 8, 32, 32), "weight": (8, 8, 3, 3)}
SIZES = {"input": (1, 4, 128, 128), "channels": (4, 4)}
KERNEL_SIZES = (3, 5, 7, 9, 11, 15, 21, 31)


def conv2d_dense(input, weight):
    """Convolve by the dense matrix, made anew like every other algorithm's tables."""
    matrix = conv2d_matrix(weight, tuple(input.shape[-2:]))
    return matrix @ input.flatten()


ALGORITHMS = {
    "loops": conv2d_loops,
    "dense matrix": conv2d_dense,
    "sparse matrix": conv2d_sparse,
    "im2col": conv2d_im2col,
    "FFT": conv2d_fft,
    "Winograd": conv2d_winograd,
    "F.conv2d": F.conv2d,
}


def median_time(step, input, weight):
    """Return the median milliseconds of one step, after two rounds to warm up, and its result."""
    times = []
    with torch.no_grad():
        for _ in range(ROUNDS + 2):
            start = time.perf_counter()
            result = step(input, weight)
            times.append(1e3 * (time.perf_counter() - start))
    return round(statistics.median(times[2:]), 4), result


def milliseconds(algorithms, input, weight):
    """Return the median time of each algorithm, run on its own.

    On its own: a dense matrix of 236 MB would empty the caches for whoever comes next.
    """
    medians = {}
    expected = F.conv2d(input.double(), weight.double()).flatten()
    for name, algorithm in algorithms.items():
        medians[name], output = median_time(algorithm, input, weight)
        error = (output.flatten() - expected).abs().max() / expected.abs().max()
        assert error < 1e-5, f"{name} is wrong by {error:.1e}"
    return medians


def milliseconds_of_parts(input, weight):
    """Return how long it takes to make each matrix, and to multiply by it once it is there."""
    size = tuple(input.shape[-2:])
    dense, sparse = conv2d_matrix(weight, size), sparse_matrix(weight, size)
    columns = unfold(input, 3)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta state")
        rows_first = sparse.to_sparse_csr()
    pixels, filters = input.reshape(-1, 1), weight.flatten(1)
    steps = {
        "dense matrix, made": lambda *_: conv2d_matrix(weight, size),
        "dense matrix, product": lambda *_: dense @ pixels,
        "sparse matrix, product": lambda *_: torch.sparse.mm(sparse, pixels),
        "sparse matrix (CSR), product": lambda *_: rows_first @ pixels,
        "columns, made": lambda *_: unfold(input, 3),
        "columns, product": lambda *_: filters @ columns,
    }
    return {name: median_time(step, input, weight)[0] for name, step in steps.items()}


def main():
    """Measure, print and write the file."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # one thread waits for nobody, so the times repeat
    input, weight = map(torch.randn, LAYER.values())
    layer = milliseconds(ALGORITHMS, input, weight)
    parts = milliseconds_of_parts(input, weight)
    compared = {name: ALGORITHMS[name] for name in ("im2col", "FFT", "F.conv2d")}
    by_size = {name: [] for name in compared}
    for size in KERNEL_SIZES:
        input, weight = torch.randn(SIZES["input"]), torch.randn(*SIZES["channels"], size, size)
        for name, value in milliseconds(compared, input, weight).items():
            by_size[name].append(value)
    results = {
        "rounds": ROUNDS,
        "layer": {**LAYER, "milliseconds": layer, "parts": parts},
        "kernel_sizes": {**SIZES, "sizes": KERNEL_SIZES, "milliseconds": by_size},
    }
    print(results)
    runs.record("02_conv_as_matmul", SEED, "random normal numbers, float32", results)


if __name__ == "__main__":
    main()
