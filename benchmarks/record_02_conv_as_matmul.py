"""Record for chapter 2: how long seven algorithms take, and at what kernel size the FFT pays.

A time is the fastest of many rounds: what disturbs a round can only make it longer. The algorithms
take turns, so that a slow minute of the machine meets all of them. Each algorithm's steps are
clocked inside its fastest run, so that they add up to the time of that run.

python benchmarks/record_02_conv_as_matmul.py
"""

import os
import time
import warnings

os.environ["KINETO_LOG_LEVEL"] = "6"  # the profiler keeps its log to itself

import torch
import torch.nn.functional as F
from torch.profiler import profile

from convbook._checks.tensors import check_conv
from convbook.algorithms import (
    conv2d_fft,
    conv2d_im2col,
    conv2d_sparse,
    conv2d_winograd,
    sparse_matrix,
)
from convbook.arithmetic import conv_output_size
from convbook.course import runs
from convbook.functional import conv2d_loops, conv2d_matrix, unfold
from convbook.train.provenance import check_committed

SEED = 0
ROUNDS = 200
SLOW_ROUNDS = 15
LAYER = {"input": (1, 8, 32, 32), "weight": (8, 8, 3, 3)}
SIZES = {"input": (1, 4, 128, 128), "channels": (4, 4)}
KERNEL_SIZES = (3, 5, 7, 9, 11, 15, 21, 31)


def conv2d_dense(input, weight):
    """Convolve by the dense matrix, made anew like every other algorithm's tables."""
    matrix = conv2d_matrix(weight, tuple(input.shape[-2:]))
    return matrix @ input.flatten()


SLOW = {"loops": conv2d_loops, "dense matrix": conv2d_dense}
FAST = {
    "sparse matrix": conv2d_sparse,
    "im2col": conv2d_im2col,
    "FFT": conv2d_fft,
    "Winograd": conv2d_winograd,
    "F.conv2d": F.conv2d,
}
ROUTINES = ("aten::thnn_conv2d", "aten::mkldnn_convolution")


def fastest(steps, rounds):
    """Return the least milliseconds of each step, all taking turns, after two rounds to warm up.

    Each turn begins with a call that is not timed: it brings back into the caches what the others
    have driven out.
    """
    least = dict.fromkeys(steps, float("inf"))
    for round_ in range(rounds + 2):
        for name, step in steps.items():
            step()
            start = time.perf_counter()
            step()
            took = 1e3 * (time.perf_counter() - start)
            if round_ > 1:
                least[name] = min(least[name], took)
    return {name: round(took, 4) for name, took in least.items()}


def check(algorithms, input, weight):
    """Refuse to time an algorithm that computes something else."""
    expected = F.conv2d(input.double(), weight.double()).flatten()
    for name, algorithm in algorithms.items():
        error = (algorithm(input, weight).flatten() - expected).abs().max() / expected.abs().max()
        assert error < 1e-5, f"{name} is wrong by {error:.1e}"


def milliseconds(algorithms, input, weight, rounds=ROUNDS):
    """Return the time of each algorithm."""
    check(algorithms, input, weight)
    steps = {
        name: lambda run=algorithm: run(input, weight) for name, algorithm in algorithms.items()
    }
    return fastest(steps, rounds)


def in_steps(first, rest, rounds):
    """Return the milliseconds of each step of the fastest run of a chain of steps.

    Each step is called with what the one before it returned; their times add up to the run's.
    """
    best, least = {}, float("inf")
    for round_ in range(rounds + 2):
        value, clock = first, [time.perf_counter()]
        for step in rest.values():
            value = step(value)
            clock.append(time.perf_counter())
        if round_ > 1 and clock[-1] - clock[0] < least:
            least = clock[-1] - clock[0]
            best = {
                name: round(1e3 * (end - start), 4)
                for name, start, end in zip(rest, clock[:-1], clock[1:], strict=True)
            }
    return best


def milliseconds_of_parts(input, weight):
    """Return how long each step of the matrix routes takes."""
    size, kernel_size = tuple(input.shape[-2:]), tuple(weight.shape[-2:])
    output_size = conv_output_size(size, kernel_size)
    pixels, filters = input.reshape(-1, 1), weight.flatten(1)

    def checks(_):
        check_conv(input, weight, None, groups=1)
        conv_output_size(tuple(input.shape[-2:]), tuple(weight.shape[-2:]))

    im2col = {
        "im2col, checks": checks,
        "columns, made": lambda _: unfold(input, kernel_size),
        "columns, product": lambda columns: (filters @ columns).unflatten(-1, output_size),
    }
    dense = {
        "dense matrix, made": lambda _: conv2d_matrix(weight, size),
        "dense matrix, product": lambda matrix: matrix @ pixels,
    }
    sparse = sparse_matrix(weight, size)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta state")
        rows_first = sparse.to_sparse_csr()
    products = {
        "sparse matrix, product": lambda: torch.sparse.mm(sparse, pixels),
        "sparse matrix (CSR), product": lambda: rows_first @ pixels,
    }
    return {
        **in_steps(None, dense, SLOW_ROUNDS),
        **fastest(products, ROUNDS),
        **in_steps(None, im2col, ROUNDS),
    }


def routine(input, weight):
    """Return what `F.conv2d` runs here, and how many bytes its hungriest operation keeps."""
    with profile(profile_memory=True) as seen:
        F.conv2d(input, weight)
    steps = {step.key: step.self_cpu_memory_usage for step in seen.key_averages()}
    return {
        "routine": [name for name in ROUTINES if name in steps],
        "kept_bytes": max(steps.values()),
    }


def main():
    """Measure, print and write the file."""
    check_committed()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # one thread waits for nobody, so the times repeat
    torch.set_grad_enabled(False)
    warm = torch.ones(2**26)  # freed at once: the allocator then keeps what later steps give back,
    del warm  # and no round pays for fresh pages
    input, weight = map(torch.randn, LAYER.values())
    layer = milliseconds(SLOW, input, weight, SLOW_ROUNDS) | milliseconds(FAST, input, weight)
    parts = milliseconds_of_parts(input, weight)
    layer_runs = routine(input, weight)
    compared = {name: FAST[name] for name in ("im2col", "FFT", "F.conv2d")}
    by_size, size_runs = {name: [] for name in compared}, []
    for size in KERNEL_SIZES:
        input, weight = torch.randn(SIZES["input"]), torch.randn(*SIZES["channels"], size, size)
        for name, value in milliseconds(compared, input, weight, ROUNDS // 4).items():
            by_size[name].append(value)
        size_runs.append(routine(input, weight))
    results = {
        "statistic": "minimum",
        "rounds": ROUNDS,
        "layer": {**LAYER, "milliseconds": layer, "parts": parts, "F.conv2d": layer_runs},
        "kernel_sizes": {
            **SIZES,
            "sizes": KERNEL_SIZES,
            "milliseconds": by_size,
            "F.conv2d": size_runs,
        },
    }
    print(results)
    runs.record("02_conv_as_matmul", SEED, "random normal numbers, float32", results)


if __name__ == "__main__":
    main()
