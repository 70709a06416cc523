"""Checkers for chapter 1, Sliding window."""

from itertools import product

from convbook.course.checks._checker import Checker


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


def _with_zeros(row, weights, count):
    return slide_row([0] * count + row + [0] * count, weights)


def _from_every_pixel(row, weights):
    """Let the window hang over the end of the row, as `zip` without `strict` does."""
    starts = range(len(row))
    return [sum(w * p for w, p in zip(weights, row[x:], strict=False)) for x in starts]


def _window_of_three(row, weights, count, strict):
    windows = [row[x : x + 3] for x in range(count)]
    return [sum(w * p for w, p in zip(weights, window, strict=strict)) for window in windows]


def _three_by_index(row, weights):
    return [
        row[x] * weights[0] + row[x + 1] * weights[1] + row[x + 2] * weights[2]
        for x in range(len(row) - 2)
    ]


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


def _height_for_width(picture, kernel):
    k = len(kernel)
    return [
        [
            sum(kernel[i][j] * picture[y + i][x + j] for i, j in product(range(k), range(k)))
            for x in range(len(picture[0]) - k + 1)
        ]
        for y in range(len(picture) - k + 1)
    ]


def _width_for_height(picture, kernel):
    turned = _height_for_width(_transposed(picture), _transposed(kernel))
    return _transposed(turned)


def _one_row_many_times(picture, kernel):
    """Add every answer to the same row, as `[[0] * width] * height` does."""
    answers = slide_picture(picture, kernel)
    return [[sum(column) for column in zip(*answers, strict=True)]] * len(answers)


def _transposed(rows):
    return [list(column) for column in zip(*rows, strict=True)]


def find(picture, kernel):
    """Return (y, x) of the largest answer."""
    answers = slide_picture(picture, kernel)
    places = product(range(len(answers)), range(len(answers[0])))
    return max(places, key=lambda place: answers[place[0]][place[1]])


def _find_by(key):
    """Return a solution that looks for the largest `key(answer)` instead."""

    def find(picture, kernel):
        answers = slide_picture(picture, kernel)
        places = product(range(len(answers)), range(len(answers[0])))
        return max(places, key=lambda place: key(answers[place[0]][place[1]]))

    return find


def _find_from(start):
    """Return a solution that begins with the answer 0 at the place `start`."""

    def find(picture, kernel):
        best, place = 0, start
        for y, answers in enumerate(slide_picture(picture, kernel)):
            for x, answer in enumerate(answers):
                if answer > best:
                    best, place = answer, (y, x)
        return place

    return find


def _find_by_number(width_of):
    """Return a solution that takes the number of the answer apart by `width_of(picture, answers)`.

    `answers` are those of `slide_picture`; numbers count along its rows.
    """

    def find(picture, kernel):
        answers = slide_picture(picture, kernel)
        numbers = sum(answers, [])  # noqa: RUF017 (small lists)
        return divmod(numbers.index(max(numbers)), width_of(picture, answers))

    return find


def _moved_place(picture, kernel, down, right):
    y, x = find(picture, kernel)
    return y + down, x + right


def matching(patch):
    """Return a kernel of whole numbers that adds up to 0 and answers most to the patch."""
    bright = sum(map(sum, patch))
    size = len(patch) * len(patch[0])
    return [[size * pixel - bright for pixel in row] for row in patch]


def _matches(answer, patch):
    """Say whether the kernel adds up to 0 and answers more to `patch` than to any other.

    Among patches of 0 and 1 only one can be best, and only if no weight is 0: the one that is
    bright where the weights are positive.
    """
    shape = [len(row) for row in patch]
    if [len(row) for row in answer] != shape:
        return False
    pairs = [
        (float(weight), pixel)
        for weights, pixels in zip(answer, patch, strict=True)
        for weight, pixel in zip(weights, pixels, strict=True)
    ]
    weights = [weight for weight, _ in pairs]
    # The limit grows with the weights, and leaves room for the rounding of float32.
    is_even = abs(sum(weights)) <= 1e-6 * sum(map(abs, weights))
    return is_even and all(weight > 0 if pixel else weight < 0 for weight, pixel in pairs)


def _signs(patch):
    return [[2 * pixel - 1 for pixel in row] for row in patch]


def _patch_of(number, height, width):
    """Return the patch whose pixels are the binary digits of `number`."""
    digits = [number >> place & 1 for place in range(height * width)]
    return [digits[y * width : (y + 1) * width] for y in range(height)]


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
        "That adds a border of zeros; here the window stays inside the row.": (
            lambda row, weights: _with_zeros(row, weights, len(weights) // 2)
        ),
        "That adds len(weights) - 1 zeros on each side; here the window stays inside the row.": (
            lambda row, weights: _with_zeros(row, weights, len(weights) - 1)
        ),
        "Too many places: the last ones hang over the end of the row.": _from_every_pixel,
        "The window has len(weights) pixels, not 3.": (
            lambda row, weights: _window_of_three(row, weights, len(row) - 2, strict=False)
        ),
        "The window has len(weights) pixels, not 3, and there are not always 4 places.": (
            lambda row, weights: _window_of_three(row, weights, 4, strict=True)
        ),
        "Three products are written out; there are len(weights) of them. Add them up in a loop.": (
            _three_by_index
        ),
        "That is the first place only; a `return` inside the loop ends it.": (
            lambda row, weights: slide_row(row, weights)[:1]
        ),
        "One place is missing: the window fits len(row) - len(weights) + 1 times.": (
            lambda row, weights: slide_row(row, weights)[:-1]
        ),
        "Slide by one pixel at a time, not by the size of the window.": (
            lambda row, weights: slide_row(row, weights)[:: len(weights)]
        ),
    },
    fallback="Lay the weights on the first pixels by hand, multiply, and add up; then move on.",
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
        "That slides the first row of the kernel over each row; use all its rows, and add up.": (
            lambda picture, kernel: slide_picture(picture, kernel[:1])
        ),
        "Rows and columns have changed places; return a list of rows.": (
            lambda picture, kernel: _transposed(slide_picture(picture, kernel))
        ),
        "The kernel need not be square: it has len(kernel) rows and len(kernel[0]) columns.": (
            _height_for_width
        ),
        "A kernel has len(kernel) rows; len(kernel[0]) is how many columns it has.": (
            _width_for_height
        ),
        "All rows are one and the same list: `[[0] * width] * height` repeats a reference.": (
            _one_row_many_times
        ),
        "Return a list of rows, one for each place of the window down the picture.": (
            lambda picture, kernel: sum(slide_picture(picture, kernel), [])  # noqa: RUF017 (small)
        ),
        "One row and one column are missing: the window fits size - kernel size + 1 times.": (
            lambda picture, kernel: [row[:-1] for row in slide_picture(picture, kernel)[:-1]]
        ),
    },
    fallback="Lay the kernel on the top left corner by hand, multiply, and add up; then move on.",
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
            _find_by(abs)
        ),
        "That is the smallest answer; look for the largest.": _find_by(lambda answer: -answer),
        "Every answer may be negative: do not start from 0.": _find_from(None),
        "Start from the first answer, not from 0: every answer may be negative.": (
            _find_from((0, 0))
        ),
        "That is the answer itself; return its place.": (
            lambda picture, kernel: max(map(max, slide_picture(picture, kernel)))
        ),
        "Take the place apart by the width of the map; the picture is wider than its map.": (
            _find_by_number(lambda picture, answers: len(picture[0]))
        ),
        "Numbers count along the rows: take the place apart by the width of the map.": (
            _find_by_number(lambda picture, answers: len(answers))
        ),
        "Rows and columns count from 0.": (
            lambda picture, kernel: _moved_place(picture, kernel, 1, 1)
        ),
        "That is the middle of the window; return its top left corner.": (
            lambda picture, kernel: _moved_place(
                picture, kernel, len(kernel) // 2, len(kernel[0]) // 2
            )
        ),
    },
    fallback="Write down all the answers as a map, and look for the largest number in it.",
)

check_matching = Checker(
    "Exercise 4: function(patch) -> kernel, a list of rows",
    matching,
    [
        {"patch": _patch_of(number, height, width)}
        for (height, width), step in {(1, 2): 1, (2, 2): 3, (2, 3): 5, (3, 3): 37}.items()
        for number in range(1, 2 ** (height * width) - 1, step)
    ],
    {
        "On an even area that is not 0: the weights must add up to 0.": _signs,
        "One half is the mean only if half of the pixels are bright: subtract the patch's own.": (
            lambda patch: [[pixel - 0.5 for pixel in row] for row in patch]
        ),
        "Dark pixels need negative weights, or a brighter patch gets the same answer.": (
            lambda patch: patch
        ),
        "That answers least to the patch; bright pixels need the positive weights.": (
            lambda patch: [[-weight for weight in row] for row in matching(patch)]
        ),
        "Return a list of rows, in the shape of the patch.": (
            lambda patch: sum(matching(patch), [])  # noqa: RUF017 (small lists)
        ),
    },
    _matches,
    "Add up your weights: is it 0? Are those on bright pixels above 0, and the others below?",
)
