"""Record for chapter 2: how fast one matrix multiplies more and more columns at once.

Two matrices: one larger than any cache, and one that fits the second-level cache of most cores.
`call` is the time of a product of two single numbers: what a call costs before any work.

python benchmarks/record_02_reuse.py
"""

import torch
from record_02_conv_as_matmul import SEED, fastest

from convbook.course import runs
from convbook.train.provenance import check_committed

ROUNDS = {4096: 40, 256: 300}  # by the side of the matrix
COLUMNS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def milliseconds_by_columns(side, rounds):
    """Return the least time of the matrix with each number of columns, all taking turns."""
    matrix = torch.randn(side, side)
    others = {n: torch.randn(side, n) for n in COLUMNS}
    products = {n: lambda other=other: matrix @ other for n, other in others.items()}
    return list(fastest(products, rounds).values())


def main():
    """Measure, print and write the file."""
    check_committed()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    one = torch.ones(1, 1)
    results = {
        "statistic": "minimum",
        "columns": COLUMNS,
        "milliseconds": {str(side): milliseconds_by_columns(side, n) for side, n in ROUNDS.items()},
        "call": fastest({"call": lambda: one @ one}, 300)["call"],
    }
    print(results)
    runs.record("02_reuse", SEED, "random normal numbers, float32", results)


if __name__ == "__main__":
    main()
