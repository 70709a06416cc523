"""Checkers for chapter 3, Shapes."""

from itertools import count

from convbook.arithmetic import conv_output_size
from convbook.course.checks import halving
from convbook.course.checks._checker import Checker, grid
from convbook.course.checks.designs import DesignChecker

# ------------------------------------------------------------------ 1: who reads whom


def read_counts(input_size, kernel_size, stride, padding):
    """Return how many windows read each pixel of a padded row, the padding left out."""
    counts = [0] * input_size
    for output in range(conv_output_size(input_size, kernel_size, stride, padding)):
        for tap in range(kernel_size):
            pixel = output * stride - padding + tap
            if 0 <= pixel < input_size:
                counts[pixel] += 1
    return counts


def _counts_without_padding(input_size, kernel_size, stride, padding):
    if kernel_size > input_size:
        return [0] * input_size
    return read_counts(input_size, kernel_size, stride, padding=0)


def _counts_with_padding(input_size, kernel_size, stride, padding):
    return read_counts(input_size + 2 * padding, kernel_size, stride, padding=0)


def _counts_that_wrap(input_size, kernel_size, stride, padding):
    """Count a position before the row at its end, as a negative index does."""
    counts = [0] * input_size
    for output in range(conv_output_size(input_size, kernel_size, stride, padding)):
        for tap in range(kernel_size):
            pixel = output * stride - padding + tap
            if pixel < input_size:
                counts[pixel] += 1
    return counts


def _counts_padded_before(input_size, kernel_size, stride, padding):
    """Pad the beginning of the row only."""
    counts = [0] * input_size
    for start in range(-padding, input_size - kernel_size + 1, stride):
        for pixel in range(max(start, 0), start + kernel_size):
            counts[pixel] += 1
    return counts


check_count_reads = Checker(
    "Exercise 1: function(input_size, kernel_size, stride, padding) -> list of counts",
    read_counts,
    [
        case
        for case in grid(
            input_size=range(1, 9), kernel_size=range(1, 5), stride=range(1, 4), padding=range(3)
        )
        if case["kernel_size"] <= case["input_size"] + 2 * case["padding"]
    ],
    {
        "That leaves the padding out of the windows' positions: the first starts at -padding.": (
            _counts_without_padding
        ),
        "That lists the padding too; return one number for each pixel of the row itself.": (
            _counts_with_padding
        ),
        "That would be stride 1; with a larger stride fewer windows read a pixel.": (
            lambda input_size, kernel_size, stride, padding: read_counts(
                input_size, kernel_size, stride=1, padding=padding
            )
        ),
        "A negative index counts from the end of a list: leave out the positions below 0.": (
            _counts_that_wrap
        ),
        "The row is padded at its end, too, so there are more windows there.": (
            _counts_padded_before
        ),
        "The padding before the row is cut off; cut off that behind it, too.": (
            lambda input_size, kernel_size, stride, padding: _counts_with_padding(
                input_size, kernel_size, stride, padding
            )[padding:]
        ),
        "Without padding, [padding:-padding] is [0:-0], which is empty.": (
            lambda input_size, kernel_size, stride, padding: _counts_with_padding(
                input_size, kernel_size, stride, padding
            )[padding:-padding]
        ),
    },
    fallback="Draw the row with its padding, and count the windows over each pixel.",
)

# ------------------------------------------------------------------ 2: what they forgot


def map_of(picture, kernel, stride, padding, rows=None, columns=None):
    """Return the map of a layer, or as many of its rows and columns as are asked for."""
    size = len(kernel)
    width = len(picture[0]) + 2 * padding
    between = [[0] * padding + list(row) + [0] * padding for row in picture]
    padded = [[0] * width] * padding + between + [[0] * width] * padding
    rows = rows or (len(padded) - size) // stride + 1
    columns = columns or (width - size) // stride + 1
    return [
        [
            sum(
                kernel[i][j] * padded[stride * row + i][stride * column + j]
                for i in range(size)
                for j in range(size)
            )
            for column in range(columns)
        ]
        for row in range(rows)
    ]


def rotated(kernel):
    """Return the kernel by half a turn."""
    return [row[::-1] for row in kernel[::-1]]


def shown_by(slip, picture, kernel, stride, padding):
    """Return the map that a program shows whose author has forgotten that."""
    right = map_of(picture, kernel, stride, padding)
    if slip == "stride":
        return map_of(picture, kernel, 1, padding, len(right), len(right[0]))
    if slip == "padding":
        return map_of(picture, kernel, stride, 0)
    return map_of(picture, rotated(kernel), stride, padding) if slip == "flip" else right


SLIPS = ("nothing", "stride", "padding", "flip")


def forgotten(picture, kernel, stride, padding, shown):
    """Return which of `SLIPS` explains the map that is shown."""
    return next(slip for slip in SLIPS if shown_by(slip, picture, kernel, stride, padding) == shown)


def _by_shape(picture, kernel, stride, padding, shown):
    right = map_of(picture, kernel, stride, padding)
    same = [len(right), len(right[0])] == [len(shown), len(shown[0])]
    return "nothing" if same else "padding"


def _by_first_number(picture, kernel, stride, padding, shown):
    """Compare the first number only, which is the same with the stride and without."""
    for slip in SLIPS:
        if shown_by(slip, picture, kernel, stride, padding)[0][0] == shown[0][0]:
            return slip
    return None


def _with_whole_map(picture, kernel, stride, padding, shown):
    """Look for the whole map of stride 1, and call what is left over flipped."""
    if shown == map_of(picture, kernel, 1, padding):
        return "stride"
    slip = forgotten(picture, kernel, stride, padding, shown)
    return "flip" if slip == "stride" else slip


def _transposed(picture, kernel, stride, padding, shown):
    """Take the transposed kernel for the rotated one."""
    slip = forgotten(picture, kernel, stride, padding, shown)
    return "nothing" if slip == "flip" else slip


def _flips(picture, kernel, stride, padding, shown):
    """Take the flipped kernel for the right one."""
    slip = forgotten(picture, kernel, stride, padding, shown)
    return {"flip": "nothing", "nothing": "flip"}.get(slip, slip)


def _without_border(picture, kernel, stride, padding, shown):
    """Look for the map without padding at stride 1."""
    slip = forgotten(picture, kernel, stride, padding, shown)
    return "nothing" if slip == "padding" else slip


_KERNELS = (
    [[2, 0, 1], [1, 0, 0], [0, 1, 1]],
    [[0, 1, 2], [2, 2, 0], [0, 1, 3]],
    [[1, -1], [2, 0]],
    [[1, 0, 0], [0, 2, 0], [0, 0, -1]],
)
_PICTURES = (
    [[2, 2, 3, 3, 3], [0, 1, 3, 0, 3], [2, 3, 0, 1, 3], [3, 3, 2, 1, 2], [3, 3, 0, 2, 3]],
    [[3, 3, 2, 1, 0, 4], [0, 0, 1, 3, 1, 1], [3, 1, 2, 2, 3, 0], [2, 0, 0, 2, 2, 5]],
)


def _slips():
    """Return a case for each slip, picture and kernel, and for strides of 2 and 3."""
    cases = []
    for index, (picture, kernel) in enumerate((p, k) for p in _PICTURES for k in _KERNELS):
        setting = {"picture": picture, "kernel": kernel, "stride": 2 + index % 2, "padding": 1}
        cases += [{**setting, "shown": shown_by(slip, **setting)} for slip in SLIPS]
    return cases


check_forgotten = Checker(
    "Exercise 2: function(picture, kernel, stride, padding, shown) -> what was forgotten",
    forgotten,
    _slips(),
    {
        "The shape gives away a missing border, and nothing else: look at the numbers.": _by_shape,
        "One number is not enough: the first one is the same with the stride and without. Compare "
        "the whole map.": _by_first_number,
        "Where the stride was forgotten, only as many numbers are shown as were asked for: the top "
        "left corner of the map of stride 1.": _with_whole_map,
        "Half a turn reverses the rows *and* each row of the kernel.": _transposed,
        "A layer does not flip its kernel. The map of the kernel as it stands is right.": _flips,
        "Who forgets the border still moves by the stride.": _without_border,
    },
    fallback="Compute the four maps that could be shown, and compare each with the one that is: "
    "F.conv2d(picture, kernel, stride=..., padding=...) on tensors of shape (1, 1, H, W).",
)

# ------------------------------------------------------------------ 3: a size that loses nothing


def lossless_size(layers, at_least):
    """Return the smallest size from `at_least` on that leaves no pixel of any map unread."""
    return _smallest(at_least, lambda size: _is_lossless(size, layers))


def _smallest(at_least, suits):
    return next(size for size in count(at_least) if suits(size) or size > at_least + 999)


def _is_lossless(size, layers, may_be_left=lambda padding: padding, sides=2):
    for kernel_size, stride, padding in layers:
        room = size + sides * padding - kernel_size
        if room < 0 or room % stride > may_be_left(padding):
            return False
        size = room // stride + 1
    return True


def _rounded_up(size, layers):
    for kernel_size, stride, padding in layers:
        room = size + 2 * padding - kernel_size
        if room < 0 or room % stride > padding:
            return False
        size = -(-size // stride)
    return True


def _is_even(size, layers):
    """Ask for sizes that each stride divides, as a 2 x 2 pool wants them."""
    for kernel_size, stride, padding in layers:
        if size + 2 * padding < kernel_size or size % stride:
            return False
        size = (size + 2 * padding - kernel_size) // stride + 1
    return True


def _u_net(levels):
    return [(3, 1, 0), (3, 1, 0), (2, 2, 0)] * levels


ALEXNET = [(11, 4, 0), (3, 2, 0), (5, 1, 2), (3, 2, 0), *[(3, 1, 1)] * 3, (3, 2, 0)]
_RESNET = [(7, 2, 3), (3, 2, 1), *[(3, 2, 1)] * 3]
_LENET = [(5, 1, 0), (2, 2, 0), (5, 1, 0), (2, 2, 0)]
_NETWORKS = [
    ([(3, 2, 0)], (10, 11)),
    ([(3, 2, 1)], (10,)),
    ([(5, 3, 0)], (9, 12)),
    ([(5, 3, 1)], (9, 13)),
    ([(4, 4, 0)], (13,)),
    ([(7, 4, 1)], (20, 23)),
    ([(6, 5, 1)], (8, 10, 14)),
    ([(5, 4, 1), (3, 2, 1)], (12, 23)),
    ([(3, 2, 0), (3, 2, 0)], (10, 16)),
    ([(3, 2, 0), (5, 3, 1)], (20, 31)),
    ([(5, 3, 1), (3, 2, 0)], (20, 31)),
    ([(3, 1, 0), (2, 2, 0)], (11, 20)),
    (_LENET, (28, 33)),
    (_RESNET, (223,)),
    (_u_net(2), (100, 141)),
    (_u_net(4), (300, 565)),
    (ALEXNET, (224, 228)),
]

check_lossless_size = Checker(
    "Exercise 3: function(layers, at_least) -> the smallest size that loses nothing",
    lossless_size,
    [{"layers": layers, "at_least": size} for layers, sizes in _NETWORKS for size in sizes],
    {
        "What is left over at the end may be padding, and that may go: only more than `padding` "
        "costs pixels.": lambda layers, at_least: _smallest(
            at_least, lambda size: _is_lossless(size, layers, lambda padding: 0)
        ),
        "The first layer loses nothing now. But later layers can drop pixels of their maps, too.": (
            lambda layers, at_least: lossless_size(layers[:1], at_least)
        ),
        "Follow the size from layer to layer: each one reads what the one before has left.": (
            lambda layers, at_least: _smallest(
                at_least, lambda size: all(_is_lossless(size, [layer]) for layer in layers)
            )
        ),
        "It is not the size that the stride has to divide, but the room: the padded size less the "
        "kernel. A multiple of all the strides is a habit, not a rule.": lambda layers, at_least: (
            _smallest(at_least, lambda size: _is_even(size, layers))
        ),
        "`at_least` itself will do, if it loses nothing.": (
            lambda layers, at_least: lossless_size(layers, at_least + 1)
        ),
        "From `at_least` upwards, not downwards.": lambda layers, at_least: next(
            (size for size in range(at_least, 0, -1) if _is_lossless(size, layers)), 0
        ),
        "A layer makes room // stride + 1 outputs; size / stride rounded up is what TensorFlow's "
        "'SAME' makes.": lambda layers, at_least: _smallest(
            at_least, lambda size: _rounded_up(size, layers)
        ),
        "The padding is on both sides, so the room has 2 * padding in it.": (
            lambda layers, at_least: _smallest(
                at_least, lambda size: _is_lossless(size, layers, sides=1)
            )
        ),
        "Half of the padding stands before the row: at the end only `padding` may be left over.": (
            lambda layers, at_least: _smallest(
                at_least, lambda size: _is_lossless(size, layers, lambda padding: 2 * padding)
            )
        ),
    },
    fallback="Follow one size through all layers, in a function of its own: room = size + 2 * "
    "padding - kernel_size, of which room % stride is left over. Then try size after size.",
)

# ------------------------------------------------------------------ 4: a steadier way to halve

check_steady_half = DesignChecker(
    "Exercise 4: function(channels) -> a layer that halves a map",
    halving.steady,
    grid(channels=range(1, 21)),
    halving.WITHOUT,
    fallback="Return a layer: an nn.Module, or a function of maps (N, channels, 32, 32).",
    judge=halving.verdict,
    right=halving.RIGHT,
)
