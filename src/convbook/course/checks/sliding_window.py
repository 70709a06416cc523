"""Checkers for chapter 1, Sliding window."""

from convbook.course.checks import hidden_layers as hidden
from convbook.course.checks import lost_patches as lost
from convbook.course.checks import taught_kernels as table
from convbook.course.checks._checker import Checker
from convbook.course.checks.hidden_layers import hidden_layer

__all__ = ["check_find", "check_matching", "check_read_kernel", "check_taught", "hidden_layer"]


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
    is_flat = abs(sum(weights)) <= 1e-6 * sum(map(abs, weights))
    return is_flat and all(weight > 0 if pixel else weight < 0 for weight, pixel in pairs)


def _signs(patch):
    return [[2 * pixel - 1 for pixel in row] for row in patch]


def _patch_of(number, height, width):
    """Return the patch whose pixels are the binary digits of `number`."""
    digits = [number >> place & 1 for place in range(height * width)]
    return [digits[y * width : (y + 1) * width] for y in range(height)]


def _row_by_row(patch):
    """Let each row add up to 0 by itself, where it holds both."""
    return [[len(row) * pixel - sum(row) for pixel in row] for row in patch]


check_matching = Checker(
    "Exercise 1: function(patch) -> kernel, a list of rows",
    matching,
    [
        {"patch": _patch_of(number, height, width)}
        for (height, width), step in {(1, 2): 1, (2, 2): 3, (2, 3): 5, (3, 3): 37}.items()
        for number in range(1, 2 ** (height * width) - 1, step)
    ],
    {
        "On a flat area that is not 0: the weights must add up to 0.": _signs,
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
        "Each row adds up to 0 by itself, so one that is all bright gets no weight. Add up over "
        "the whole patch.": _row_by_row,
        "The kernel stands on its head: its weights must lie on the pixels that they are for.": (
            lambda patch: matching(patch)[::-1]
        ),
    },
    _matches,
    "Add up your weights: is it 0? Are those on bright pixels above 0, and the others below?",
)

check_read_kernel = Checker(
    "Exercise 2: function(layer) -> kernel, a list of rows",
    hidden.read_kernel,
    [{"layer": layer} for layer in hidden.LAYERS],
    {
        "What a single bright pixel draws is the kernel backwards: its last weight meets the "
        "pixel first. Turn it round, rows and columns.": hidden.backwards,
        "The bias is in every number. Show the layer a picture of zeros, and subtract.": (
            hidden.with_bias
        ),
        "Backwards, and with the bias in it: turn it round, and subtract what a picture of zeros "
        "gives.": lambda layer: hidden.backwards(layer, hidden.with_bias),
        "Rows are the right way round, and columns are not yet: turn both.": (
            lambda layer: [row[::-1] for row in hidden.read_kernel(layer)]
        ),
        "Columns are the right way round, and rows are not yet: turn both.": (
            lambda layer: hidden.read_kernel(layer)[::-1]
        ),
        "Rows and columns have changed places.": (
            lambda layer: [list(column) for column in zip(*hidden.read_kernel(layer), strict=True)]
        ),
        "The kernel is not always square: work out rows and columns separately.": hidden.square,
        "The kernel is not always 3 × 3. A picture is larger than its map by the kernel's size "
        "less 1.": hidden.three_by_three,
        "A weight can be 0 at the edge, too. Find the size from picture and map, not from where "
        "the numbers stand.": hidden.trimmed,
        "The weights come out too large: divide by how bright your pixel was.": (
            lambda layer: [[255 * weight for weight in row] for row in hidden.read_kernel(layer)]
        ),
        "That is the whole map of a bright pixel. Cut off the zeros around the kernel.": (
            hidden.whole_map
        ),
    },
    hidden.is_nearly,
    "Show it a picture of zeros with a single 1, by hand, and look at where each weight goes.",
)

check_taught = Checker(
    "Exercise 3: function(picture, k) -> number",
    table.taught,
    table.CASES,
    {
        "That counts the windows. Many of them may say the same: take the rank of the table.": (
            table.count_windows
        ),
        "Windows that differ may still be sums of one another: take the rank of the table.": (
            table.count_different
        ),
        "That is the rank of the picture. Make a table first, with a row for each window.": (
            lambda picture, k: table.rank(picture)
        ),
        "k × k is how many weights there are, however many windows. How many of them the picture "
        "teaches is the rank of the table.": lambda picture, k: k * k,
        "Return the number, not whether it is enough.": (
            lambda picture, k: table.taught(picture, k) == k * k
        ),
        "The windows overlap: move on by one pixel, not by the size of the window.": (
            lambda picture, k: table.rank(table.windows(picture, k)[::k, ::k])
        ),
        "The windows of the last row or column are missing: there are n - k + 1.": (
            lambda picture, k: table.rank(table.windows(picture, k)[:-1, :-1])
        ),
        "That subtracts the mean of each window. The map is made of the pixels as they are.": (
            table.about_the_mean
        ),
        "Each row of the table is a whole window of k × k pixels, not one row of it.": (
            table.taught_by_rows
        ),
    },
    fallback="Write down the table: one row for each window, k × k numbers in each. Which rows "
    "are sums of multiples of others?",
)

check_find = Checker(
    "Exercise 4: function(picture, patch) -> (row, column)",
    lost.find,
    lost.CASES,
    {
        "A bright area answers to any kernel with positive weights. Subtract the patch's mean "
        "from it, and divide each answer by the contrast of its window.": lost.by_brightness,
        "Strong contrast wins over likeness: divide each answer by the contrast of its window.": (
            lost.by_contrast
        ),
        "Brightness counts as contrast there: subtract the window's mean, before you measure it.": (
            lost.by_norm
        ),
        "The light has changed, so equal pixels are not to be expected: compare shapes.": (
            lost.by_difference
        ),
        "The opposite of the patch is not the patch: look for the largest number, sign included.": (
            lost.by_size
        ),
        "That is (column, row); return the row first.": (
            lambda picture, patch: lost.find(picture, patch)[::-1]
        ),
        "That is the middle of the window, or counted from 1: return its top left corner, counted "
        "from 0.": lost.middle,
        "That is the place that is least like the patch: look for the largest number.": lost.least,
        "That is the answer itself; return its place.": lost.answer,
        "Take the place apart by the width of the map; the picture is wider than its map.": (
            lost.by_width
        ),
    },
    fallback="Subtract the mean from the patch, and from each window; multiply, add up, and "
    "divide by the window's contrast. Where is that largest?",
)
