"""Record for chapter 2: how long seven algorithms take, and at what kernel size the FFT pays.

python benchmarks/record_02_conv_as_matmul.py
"""

import statistics
import time

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
from convbook.functional import conv2d_loops, conv2d_matrix

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


def milliseconds(algorithms, input, weight):
    """Return the median time of each algorithm, run on its own, after two rounds to warm up.

    On its own: a dense matrix of 236 MB would empty the caches for whoever comes next.
    """
    medians = {}
    expected = F.conv2d(input.double(), weight.double()).flatten()
    with torch.no_grad():
        for name, algorithm in algorithms.items():
            times = []
            for _ in range(ROUNDS + 2):
                start = time.perf_counter()
                output = algorithm(input, weight)
                times.append(1e3 * (time.perf_counter() - start))
            error = (output.flatten() - expected).abs().max() / expected.abs().max()
            assert error < 1e-5, f"{name} is wrong by {error:.1e}"
            medians[name] = round(statistics.median(times[2:]), 4)
    return medians


def main():
    """Measure, print and write the file."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # one thread waits for nobody, so the times repeat
    input, weight = map(torch.randn, LAYER.values())
    layer = milliseconds(ALGORITHMS, input, weight)
    matrix, sparse = (make(weight, (32, 32)) for make in (conv2d_matrix, sparse_matrix))
    products = {
        "dense matrix": lambda input, weight: matrix @ input.flatten(),
        "sparse matrix": lambda input, weight: torch.sparse.mm(sparse, input.reshape(-1, 1)),
    }
    product_alone = milliseconds(products, input, weight)
    compared = {name: ALGORITHMS[name] for name in ("im2col", "FFT", "F.conv2d")}
    by_size = {name: [] for name in compared}
    for size in KERNEL_SIZES:
        input, weight = torch.randn(SIZES["input"]), torch.randn(*SIZES["channels"], size, size)
        for name, value in milliseconds(compared, input, weight).items():
            by_size[name].append(value)
    results = {
        "rounds": ROUNDS,
        "layer": {**LAYER, "milliseconds": layer, "product_alone": product_alone},
        "kernel_sizes": {**SIZES, "sizes": KERNEL_SIZES, "milliseconds": by_size},
    }
    print(results)
    runs.record("02_conv_as_matmul", SEED, "random normal numbers, float32", results)


if __name__ == "__main__":
    main()
