"""Patches to find again in a picture, in another light, for chapter 1, and ways to miss them."""

import numpy as np

from convbook.course.checks.taught_kernels import windows
from convbook.course.photographs import coffee, rocket


def _views(picture, patch):
    """Return all windows (rows, columns, pixels), and the patch as one row."""
    patch = np.array(patch, float)
    return windows(picture, *patch.shape), patch.flatten()


def _centred(numbers):
    return numbers - numbers.mean(axis=-1, keepdims=True)


def _divided(answers, strength):
    """Return answers by strength, and 0 where there is none."""
    return np.where(strength > 1e-9, answers / np.maximum(strength, 1e-9), 0)


def likeness(picture, patch):
    """Return the map of likenesses: answers of the centred patch, by each window's contrast."""
    seen, patch = _views(picture, patch)
    seen = _centred(seen)
    return _divided(seen @ _centred(patch), np.linalg.norm(seen, axis=-1))


def _largest(answers):
    row, column = np.unravel_index(answers.argmax(), answers.shape)
    return int(row), int(column)


def find(picture, patch):
    """Return (row, column) of the window that is most like the patch."""
    return _largest(likeness(picture, patch).round(9))


def by_brightness(picture, patch):
    """Slide the patch as it is."""
    seen, patch = _views(picture, patch)
    return _largest(seen @ patch)


def by_contrast(picture, patch):
    """Slide the patch less its mean."""
    seen, patch = _views(picture, patch)
    return _largest(seen @ _centred(patch))


def by_norm(picture, patch):
    """Divide by the root of the sum of squares, brightness included."""
    seen, patch = _views(picture, patch)
    return _largest(_divided(seen @ _centred(patch), np.linalg.norm(seen, axis=-1)).round(9))


def by_difference(picture, patch):
    """Look for the smallest sum of squared differences."""
    seen, patch = _views(picture, patch)
    return _largest(-np.square(seen - patch).sum(axis=-1))


def by_size(picture, patch):
    """Look for the largest likeness without its sign."""
    return _largest(np.abs(likeness(picture, patch)).round(9))


def least(picture, patch):
    """Look for the smallest likeness."""
    return _largest(-likeness(picture, patch).round(9))


def middle(picture, patch):
    """Return the middle of the window."""
    row, column = find(picture, patch)
    return row + len(patch) // 2, column + len(patch[0]) // 2


def answer(picture, patch):
    """Return the largest likeness itself."""
    return float(likeness(picture, patch).max())


def by_width(picture, patch):
    """Take the number of the window apart by the width of the picture."""
    return divmod(int(likeness(picture, patch).round(9).argmax()), len(picture[0]))


class crop(list):
    """Rows of a photograph's grey levels, shown as the place that they were cut out at.

    Example:
        >>> crop("coffee", 10, 20, 2, 3)
        crop('coffee', 10, 20, 2, 3)
        >>> len(crop("coffee", 10, 20, 2, 3)[0])
        3
    """

    def __init__(self, name, row, column, height, width):
        grey = {"coffee": coffee, "rocket": rocket}[name](64).mean(dim=1)[0]
        part = grey[row : row + height, column : column + width]
        super().__init__((255 * part).round().int().tolist())
        self.place = name, row, column, height, width

    def __repr__(self):
        return f"crop{self.place}"

    def __reduce__(self):
        return crop, self.place


def _case(picture, place, shape, times, plus):
    """Return a picture and the patch at a place of it, in another light."""
    (row, column), (height, width) = place, shape
    patch = [line[column : column + width] for line in picture[row : row + height]]
    return {
        "picture": picture,
        "patch": [[times * pixel + plus for pixel in line] for line in patch],
    }


def _drawn(seed):
    """Return a small picture with a bright area, one of strong contrast, or the opposite."""
    rng = np.random.default_rng(seed)
    height, width = int(rng.integers(6, 9)), int(rng.integers(7, 10))
    k_h, k_w = int(rng.integers(2, 4)), int(rng.integers(2, 5))
    picture = rng.integers(0, 6, (height, width))
    row, column = int(rng.integers(3, height - k_h + 1)), int(rng.integers(1, width - k_w + 1))
    own = rng.integers(1, 10, (k_h, k_w))
    kind = seed % 3
    if kind == 0:
        picture[: row - 1] += 40  # bright
    elif kind == 1:
        picture[: row - 1] *= 9  # strong
    else:
        picture[:k_h, :k_w] = 10 - own  # opposite
    picture[row : row + k_h, column : column + k_w] = own
    times, plus = ((1, 0), (0.5, 3), (2, -4), (0.25, 20))[seed % 4]
    return _case(picture.tolist(), (row, column), (k_h, k_w), times, plus)


def _is_the_only_one(case):
    alike = likeness(**case)
    return (alike > alike.max() - 1e-6).sum() == 1


CASES = [case for case in map(_drawn, range(40)) if _is_the_only_one(case)] + [
    _case(crop("coffee", 14, 10, 30, 36), (12, 20), (7, 9), 0.5, 60),
    _case(crop("coffee", 20, 24, 28, 32), (3, 6), (8, 6), 1.5, -40),
    _case(crop("rocket", 10, 12, 40, 30), (22, 8), (9, 7), 0.25, 120),
    _case(crop("rocket", 22, 20, 26, 34), (9, 21), (6, 8), 2, 10),
]
