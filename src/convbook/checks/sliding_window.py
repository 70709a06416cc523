"""Checkers for chapter 1, Sliding window."""

from itertools import product

from convbook.checks.runner import Checker


def _numbers(count, step):
    """Return `count` whole numbers without a pattern that a mistake could hide in."""
    return [(step * n * n + 3 * n) % 11 - 4 for n in range(count)]


def _rows(height, width, step):
    numbers = _numbers(height * width, step)
    return [numbers[y * width : (y + 1) * width] for y in range(height)]


def _flipped(kernel):
    return [row[::-1] for row in kernel[::-1]]


def slide_row(row, weights):
    """Return the sum of products at each place of the window."""
    places = range(len(row) - len(weights) + 1)
    return [sum(w * row[x + i] for i, w in enumerate(weights)) for x in places]


def _with_zeros(row, weights):
    border = [0] * (len(weights) // 2)
    return slide_row([*border, *row, *border], weights)


def slide_picture(picture, kernel):
    """Return the sum of products at each place of the window, a list of rows."""
    k_h, k_w = len(kernel), len(kernel[0])
    taps = list(product(range(k_h), range(k_w)))
    return [
        [sum(kernel[i][j] * picture[y + i][x + j] for i, j in taps) for x in columns]
        for y in range(len(picture) - k_h + 1)
        for columns in [range(len(picture[0]) - k_w + 1)]
    ]


def _top_row_only(picture, kernel):
    return slide_picture(picture[: len(picture) - len(kernel) + 1], kernel[:1])


def find(picture, kernel):
    """Return (y, x) of the largest answer."""
    answers = slide_picture(picture, kernel)
    places = product(range(len(answers)), range(len(answers[0])))
    return max(places, key=lambda place: answers[place[0]][place[1]])


def _find_largest_size(picture, kernel):
    answers = slide_picture(picture, kernel)
    places = product(range(len(answers)), range(len(answers[0])))
    return max(places, key=lambda place: abs(answers[place[0]][place[1]]))


def _find_centre(picture, kernel):
    y, x = find(picture, kernel)
    return y + len(kernel) // 2, x + len(kernel[0]) // 2


def _has_one_best(case):
    answers = sorted(sum(slide_picture(**case), []))  # noqa: RUF017 (small lists)
    return len(answers) > 1 and answers[-1] > answers[-2]


PICTURES = [
    {"picture": _rows(height, width, step), "kernel": _rows(k_h, k_w, step + 1)}
    for height, width, k_h, k_w, step in product((3, 4), (3, 5), (1, 2, 3), (1, 2, 3), (1, 2))
]

check_slide_row = Checker(
    "Exercise 1: function(row, weights) -> list of sums",
    slide_row,
    [
        {"row": _numbers(size, step), "weights": _numbers(taps, step + 1)}
        for size, taps, step in product((4, 5, 8), (1, 2, 3, 4), (1, 2))
    ],
    {
        "That reads the weights backwards; the first weight lies on the first pixel.": (
            lambda row, weights: slide_row(row, weights[::-1])
        ),
        "That adds zeros on both sides; here the window stays inside the row.": _with_zeros,
        "One place is missing: the window fits len(row) - len(weights) + 1 times.": (
            lambda row, weights: slide_row(row, weights)[:-1]
        ),
        "Slide by one pixel at a time, not by the size of the window.": (
            lambda row, weights: slide_row(row, weights)[:: len(weights)]
        ),
    },
)

check_slide_picture = Checker(
    "Exercise 2: function(picture, kernel) -> list of rows",
    slide_picture,
    PICTURES,
    {
        "That reads the kernel backwards; lay it on the picture as it is.": (
            lambda picture, kernel: slide_picture(picture, _flipped(kernel))
        ),
        "That uses only the first row of the kernel; add up over all its rows.": _top_row_only,
        "One row and one column are missing: the window fits size - kernel size + 1 times.": (
            lambda picture, kernel: [row[:-1] for row in slide_picture(picture, kernel)[:-1]]
        ),
    },
)

check_find = Checker(
    "Exercise 3: function(picture, kernel) -> (row, column)",
    find,
    [case for case in PICTURES if _has_one_best(case)],
    {
        "That is (column, row); return the row first.": (
            lambda picture, kernel: find(picture, kernel)[::-1]
        ),
        "A large negative answer means the opposite of the kernel; look for the largest number.": (
            _find_largest_size
        ),
        "That is the middle of the window; return its top left corner.": _find_centre,
    },
)
