"""Pictures that teach a kernel more or less, for chapter 1, and ways to misjudge them."""

import numpy as np


def windows(picture, k, k_w=None):
    """Return all windows of k rows and `k_w` columns, k if left out: (rows, columns, pixels)."""
    picture = np.array(picture, float)
    found = np.lib.stride_tricks.sliding_window_view(picture, (k, k_w or k))
    return found.reshape(*found.shape[:2], -1)


def rank(rows):
    """Return the rank of a table, or of windows as a table; 0 where there is no row."""
    rows = np.array(rows, float)
    rows = rows.reshape(-1, rows.shape[-1])
    return int(np.linalg.matrix_rank(rows)) if len(rows) else 0


def taught(picture, k):
    """Return the rank of the table of all windows."""
    return rank(windows(picture, k))


def count_windows(picture, k):
    """Return how many windows there are."""
    rows, columns, _ = windows(picture, k).shape
    return rows * columns


def count_different(picture, k):
    """Return how many different windows there are, at most as many as weights."""
    found = windows(picture, k)
    return min(len({tuple(one) for one in found.reshape(-1, k * k).tolist()}), k * k)


def about_the_mean(picture, k):
    """Return the rank after the mean of each window was subtracted from it."""
    found = windows(picture, k)
    return rank(found - found.mean(axis=-1, keepdims=True))


def taught_by_rows(picture, k):
    """Return the rank of the table whose rows are k pixels side by side."""
    return rank(windows(picture, 1, k))


def _drawn(height, width, value):
    return [[value(y, x) for x in range(width)] for y in range(height)]


def _noise(height, width, seed):
    return np.random.default_rng(seed).integers(0, 10, (height, width)).tolist()


_PICTURES = [
    _drawn(4, 5, lambda y, x: 0),
    _drawn(4, 5, lambda y, x: 7),
    _drawn(5, 7, lambda y, x: (x * x + 1) % 7),  # vertical stripes
    _drawn(7, 5, lambda y, x: (y * y + 1) % 7),  # horizontal ones
    _drawn(6, 6, lambda y, x: (x + y) ** 2 % 7),  # diagonal ones
    _drawn(6, 5, lambda y, x: (x + y) % 2),  # a chessboard
    _drawn(5, 6, lambda y, x: 2 * x + y),  # a slope
    _drawn(6, 6, lambda y, x: x * y),
    _drawn(6, 7, lambda y, x: x * x % 5 + y * y % 7),  # rows plus columns
    _drawn(7, 6, lambda y, x: (x * x % 5 + 1) * (y * y % 7 + 1)),  # a column times a row
    _drawn(5, 5, lambda y, x: int((y, x) == (2, 2))),
    _drawn(4, 5, lambda y, x: int((y, x) == (0, 0))),
    _drawn(6, 6, lambda y, x: int((y, x) == (5, 4))),
    _drawn(6, 6, lambda y, x: int(x > 2)),  # an edge
    _drawn(6, 6, lambda y, x: int(x > 2 and y > 2)),  # a corner
    _drawn(7, 7, lambda y, x: int(x == 3 or y == 3)),  # a cross
    _noise(3, 4, 0),
    _noise(4, 4, 1),
    _noise(5, 6, 2),
    _noise(3, 3, 3),
]
CASES = [{"picture": picture, "k": k} for picture in _PICTURES for k in (2, 3)]
