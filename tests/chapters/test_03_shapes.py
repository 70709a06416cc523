"""Chapter 3, Shapes: its quiz answers and its exercises' right answers, from PyTorch itself."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convbook.course.checks import halving, shapes
from tests.helpers.attempts import assert_right, assert_wrong, said_of

COPIED = torch.tensor(shapes._PICTURES[0])[None, None].double()
KERNEL = torch.tensor(shapes._KERNELS[0])[None, None].double()
PRINTED = [[1, 6, 5], [7, 10, 9], [7, 10, 8]]


def width(input_size, kernel_size, **options):
    """Return PyTorch's own answer."""
    row, taps = torch.zeros(1, 1, input_size), torch.zeros(1, 1, kernel_size)
    return F.conv1d(row, taps, **options).shape[-1]


def reads(input_size, kernel_size, stride, padding=0):
    row = torch.zeros(1, 1, input_size, requires_grad=True)
    taps = torch.ones(1, 1, kernel_size)
    F.conv1d(row, taps, stride=stride, padding=padding).sum().backward()
    return row.grad[0, 0]


# ------------------------------------------------------------------ quizzes


def opening_question():
    everywhere = F.conv2d(COPIED, KERNEL, padding=1)[0, 0]
    right = F.conv2d(COPIED, KERNEL, stride=2, padding=1)[0, 0]
    without = F.conv2d(COPIED, KERNEL, stride=2)[0, 0]
    flipped = F.conv2d(COPIED, KERNEL.flip(-2, -1), stride=2, padding=1)[0, 0]
    assert right.tolist() == [[1, 5, 6], [7, 8, 3], [3, 10, 4]]
    assert without[0, 0] == 10
    assert without.numel() == 4
    assert flipped[0, 0] == 4
    assert everywhere[:3, :3].tolist() == PRINTED
    return "the stride"


def how_wide():
    return str(width(64, 3, stride=2))


def which_sizes_fit():
    fitting = [size for size in range(3, 40) if (reads(size, 3, 2) > 0).all()]
    answers = {
        "even widths, because 2 divides them": [s for s in range(3, 40) if s % 2 == 0],
        "odd widths, from 3 on": [s for s in range(3, 40) if s % 2 == 1],
        "multiples of 3": [s for s in range(3, 40) if s % 3 == 0],
    }
    return next(text for text, sizes in answers.items() if sizes == fitting)


def resnet_stem():
    behind = width(224, 7, stride=2, padding=3)
    assert behind == 112
    assert width(behind, 3, stride=2) == 55
    assert width(width(224, 7, stride=2), 3, stride=2) == 54
    return str(width(behind, 3, stride=2, padding=1))


def even_kernel():
    answers = {"1 on each side": (1, 1), "2 on each side": (2, 2), "1 before and 2 after": (1, 2)}
    row, taps = torch.zeros(1, 1, 9), torch.zeros(1, 1, 4)
    keeps = [
        text for text, pad in answers.items() if F.conv1d(F.pad(row, pad), taps).shape[-1] == 9
    ]
    (answer,) = keeps
    return answer


def moves_along():
    torch.manual_seed(0)
    ring, taps = torch.rand(1, 1, 12).double(), torch.rand(1, 1, 3).double()

    def numbers(moved_by):
        padded = F.pad(ring.roll(moved_by, -1), (1, 1), mode="circular")
        return sorted(F.conv1d(padded, taps, stride=2)[0, 0].tolist())

    works = [n for n in range(12) if np.allclose(numbers(n), numbers(0))]
    assert works == [0, 2, 4, 6, 8, 10]
    return "by an even number"


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "how-wide": how_wide,
    "which-sizes-fit": which_sizes_fit,
    "resnet-stem": resnet_stem,
    "even-kernel": even_kernel,
    "moves-along": moves_along,
}


# ------------------------------------------------------------------ what is right


def test_the_right_answers_are_what_pytorch_does():
    for case in shapes.check_count_reads.cases:
        assert shapes.read_counts(**case) == reads(*case.values()).tolist()
    for case in shapes.check_forgotten.cases:
        picture, kernel, stride, padding, _ = case.values()
        x, w = (torch.tensor(one)[None, None].double() for one in (picture, kernel))
        right = F.conv2d(x, w, stride=stride, padding=padding)[0, 0]
        assert shapes.map_of(picture, kernel, stride, padding) == right.tolist()
        shown = [shapes.shown_by(slip, *list(case.values())[:4]) for slip in shapes.SLIPS]
        assert len({str(one) for one in shown}) == len(shown)  # one answer only


def loses_nothing(size, layers):
    """Ask autograd, layer by layer, on a row."""
    for kernel_size, stride, padding in layers:
        if kernel_size > size + 2 * padding:
            return False
        if not (reads(size, kernel_size, stride, padding) > 0).all():
            return False
        size = width(size, kernel_size, stride=stride, padding=padding)
    return True


def lossless(layers, at_least):
    return next(size for size in range(at_least, 999) if loses_nothing(size, layers))


def test_the_sizes_that_lose_nothing_are_those_that_autograd_finds():
    assert_right(lossless, shapes.check_lossless_size)
    assert shapes.lossless_size(shapes.ALEXNET, 224) == 227
    assert shapes.lossless_size(shapes._u_net(4), 560) == 572


def test_a_plain_stride_does_all_of_its_damage_and_a_wider_blur_less():
    noise = torch.rand(64, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    harm = [
        halving.damage(lambda x, taps=taps: halving.spread_over(x, taps), noise, -1)
        for taps in ([1.0], [0.5, 0.5], [0.25, 0.5, 0.25], [0.125, 0.375, 0.375, 0.125])
    ]
    assert harm == sorted(harm, reverse=True)
    assert 0.45 < harm[1] / harm[0] < 0.55
    assert harm[2] / harm[0] < halving.MOST


# ------------------------------------------------------------------ what readers write


def counted(i, k, s, p):
    starts = [n * s - p for n in range((i + 2 * p - k) // s + 1)]
    return [sum(start <= x < start + k for start in starts) for x in range(i)]


def by_unfolding(i, k, s, p):
    windows = F.pad(torch.arange(1, i + 1), (p, p)).unfold(0, k, s)
    return torch.bincount(windows.flatten(), minlength=i + 1)[1:]


@pytest.mark.parametrize("attempt", [reads, counted, by_unfolding])
def test_right_counts(attempt):
    assert_right(attempt, shapes.check_count_reads)


@pytest.mark.parametrize(
    ("attempt", "hint"),
    [
        (lambda *case: reads(*case) > 0, "Draw the row"),
        (lambda i, k, s, p: reads(i, k, s, p).flip(0), "Draw the row"),
        (lambda i, k, s, p: reads(i, k, 1, p), "would be stride 1"),
        (lambda i, k, s, p: counted(i + p, k, s, p)[:i], ""),
        (lambda i, k, s, p: [min(k, n) for n in counted(i, k, 1, p)], "would be stride 1"),
        (lambda i, k, s, p: counted(i + 2 * p, k, s, 0), "lists the padding too"),
        (lambda i, k, s, p: counted(i, k, s, 0), "the first starts at -padding"),
        (lambda i, k, s, p: counted(i + 2 * p, k, s, 0)[p:], "cut off that behind it"),
        (lambda i, k, s, p: counted(i + 2 * p, k, s, 0)[p:-p], "is empty"),
        (lambda i, k, s, p: [k // s] * i, "Draw the row"),
    ],
)
def test_wrong_counts(attempt, hint):
    assert_wrong(attempt, shapes.check_count_reads, hint)


def as_tensors(*grids):
    return [torch.tensor(one)[None, None].double() for one in grids]


def by_candidates(picture, kernel, stride, padding, shown):
    x, w = as_tensors(picture, kernel)
    right = F.conv2d(x, w, None, stride, padding)[0, 0]
    corner = F.conv2d(x, w, None, 1, padding)[0, 0][: len(right), : len(right[0])]
    found = {
        "nothing": right,
        "stride": corner,
        "padding": F.conv2d(x, w, None, stride)[0, 0],
        "flip": F.conv2d(x, w.flip(2, 3), None, stride, padding)[0, 0],
    }
    return next(name for name, map_ in found.items() if map_.tolist() == shown)


def by_elimination(picture, kernel, stride, padding, shown):
    x, w = as_tensors(picture, kernel)
    right = F.conv2d(x, w, None, stride, padding)[0, 0]
    shown = torch.tensor(shown).double()
    if shown.shape != right.shape:
        return "padding"
    if shown.equal(right):
        return "nothing"
    flipped = F.conv2d(x, w.rot90(2, (2, 3)), None, stride, padding)[0, 0]
    return "flip" if shown.equal(flipped) else "stride"


def by_numpy(picture, kernel, stride, padding, shown):
    padded, w = np.pad(picture, padding), np.array(kernel)

    def slid(padded, w, step):
        windows = np.lib.stride_tricks.sliding_window_view(padded, w.shape)
        return (windows[::step, ::step] * w).sum((2, 3))

    right = slid(padded, w, stride)
    rows, columns = right.shape
    for name, one in [
        ("nothing", right),
        ("stride", slid(padded, w, 1)[:rows, :columns]),
        ("flip", slid(padded, w[::-1, ::-1], stride)),
    ]:
        if np.array_equal(one, shown):
            return name
    return "padding"


@pytest.mark.parametrize("attempt", [by_candidates, by_elimination, by_numpy])
def test_right_diagnoses(attempt):
    assert_right(attempt, shapes.check_forgotten)


def diagnosis(**changes):
    """Return the right diagnosis with some of its words exchanged."""

    def function(picture, kernel, stride, padding, shown):
        name = by_candidates(picture, kernel, stride, padding, shown)
        return changes.get(name, name)

    return function


@pytest.mark.parametrize(
    ("attempt", "hint"),
    [
        (lambda picture, kernel, stride, padding, shown: "nothing", "The shape gives away"),
        (diagnosis(stride="nothing", flip="nothing"), "The shape gives away"),
        (diagnosis(stride="nothing"), "One number is not enough"),
        (diagnosis(stride="flip"), "only as many numbers are shown"),
        (diagnosis(flip="nothing"), "Half a turn reverses"),
        (diagnosis(padding="nothing"), "still moves by the stride"),
        (diagnosis(nothing="flip", flip="nothing"), "does not flip its kernel"),
        (diagnosis(flip=None), "Compute the four maps"),
        (diagnosis(padding="stride"), "Compute the four maps"),
        (diagnosis(nothing="none", stride="Stride"), "Compute the four maps"),
        (lambda picture, kernel, stride, padding, shown: len(shown), "Compute the four maps"),
    ],
)
def test_wrong_diagnoses(attempt, hint):
    assert_wrong(attempt, shapes.check_forgotten, hint)


def by_while(layers, at_least):
    size = at_least
    while True:
        now = size
        for k, s, p in layers:
            room = now + 2 * p - k
            if room < 0 or room - room // s * s > p:
                break
            now = room // s + 1
        else:
            return size
        size += 1


def by_recursion(layers, at_least):
    def fits(size, rest):
        if not rest:
            return True
        (k, s, p), *others = rest
        last = (size + 2 * p - k) // s * s + k - p  # where the last window ends
        return size + 2 * p >= k and last >= size and fits((size + 2 * p - k) // s + 1, others)

    return at_least if fits(at_least, layers) else by_recursion(layers, at_least + 1)


@pytest.mark.parametrize("attempt", [by_while, by_recursion])
def test_right_sizes(attempt):
    assert_right(attempt, shapes.check_lossless_size)


def search(suits):
    return lambda layers, at_least: next(n for n in range(at_least, 2000) if suits(n, layers))


def followed(left, outputs=lambda size, k, s, p: (size + 2 * p - k) // s + 1):
    """Follow a size through the layers; `left` says what each loses."""

    def suits(size, layers):
        for k, s, p in layers:
            if size + 2 * p < k or left(size, k, s, p) > 0:
                return False
            size = outputs(size, k, s, p)
        return True

    return search(suits)


@pytest.mark.parametrize(
    ("attempt", "hint"),
    [
        (followed(lambda i, k, s, p: (i + 2 * p - k) % s), "may be padding"),
        (followed(lambda i, k, s, p: (i - k) % s), ""),
        (followed(lambda i, k, s, p: i % s), "not the size that the stride has to divide"),
        (followed(lambda i, k, s, p: (i + p - k) % s - p), ""),
        (followed(lambda i, k, s, p: (i + 2 * p - k) % s - 2 * p), "Half of the padding"),
        (lambda layers, at_least: by_while(layers[:1], at_least), "later layers can drop"),
        (lambda layers, at_least: by_while(layers[-1:], at_least), ""),
        (lambda layers, at_least: by_while(layers, at_least + 1), "itself will do"),
        (
            search(lambda n, layers: all(loses_nothing(n, [one]) for one in layers)),
            "Follow the size",
        ),
        (
            followed(lambda i, k, s, p: (i + 2 * p - k) % s - p, lambda i, k, s, p: -(-i // s)),
            "rounded up",
        ),
        (
            search(lambda n, layers: n % np.prod([s for _, s, _ in layers]) == 0),
            "is a habit, not a rule",
        ),
        (lambda layers, at_least: at_least, "room % stride is left over"),
    ],
)
def test_wrong_sizes(attempt, hint):
    assert_wrong(attempt, shapes.check_lossless_size, hint)


def outer(*taps):
    return torch.outer(torch.tensor(taps), torch.tensor(taps)) / sum(taps) ** 2


class Blur(nn.Module):
    """A module with a buffer, zeros around and groups."""

    def __init__(self, channels, *taps):
        super().__init__()
        self.register_buffer("weight", outer(*taps).repeat(channels, 1, 1, 1))

    def forward(self, x):
        padding = (self.weight.shape[-1] - 1) // 2
        return F.conv2d(x, self.weight, None, 2, padding, groups=len(self.weight))


def frozen_layer(channels):
    layer = nn.Conv2d(channels, channels, 3, 2, 1, groups=channels, bias=False)
    layer.weight.data[:] = outer(1.0, 2.0, 1.0)
    return layer


def by_channels_as_pictures(channels):
    def layer(x):
        n, c, height, width = x.shape
        blurred = F.conv2d(
            x.reshape(n * c, 1, height, width), outer(1.0, 2.0, 1.0)[None, None], padding=1
        )
        return blurred[..., ::2, ::2].reshape(n, c, height // 2, width // 2)

    return layer


@pytest.mark.parametrize(
    "attempt",
    [
        lambda channels: Blur(channels, 1.0, 2.0, 1.0),
        lambda channels: Blur(channels, 1.0, 4.0, 6.0, 4.0, 1.0),
        frozen_layer,
        by_channels_as_pictures,
        lambda channels: nn.Sequential(
            nn.MaxPool2d(2, stride=1), nn.ZeroPad2d((0, 1, 0, 1)), Blur(channels, 1.0, 2.0, 1.0)
        ),
        lambda channels: lambda x: F.interpolate(x, None, 0.5, "bilinear", antialias=True),
        lambda channels: lambda x: halving.spread_over(x.double(), [0.125, 0.375, 0.375, 0.125]),
    ],
)
def test_right_layers(attempt):
    assert_right(attempt, shapes.check_steady_half)


@pytest.mark.parametrize(
    ("attempt", "hint"),
    [
        (lambda channels: nn.MaxPool2d(2), "Blur first"),
        (lambda channels: nn.AvgPool2d(2), "Blur first"),
        (lambda channels: nn.MaxPool2d(1, 2), "Blur first"),
        (lambda channels: nn.AvgPool2d(3, 2, 1), "Blur first"),
        (lambda channels: nn.MaxPool2d(4, 2, 1), "Blur first"),
        (lambda channels: nn.AvgPool2d(4, 2, 1), ""),
        (lambda channels: nn.AvgPool2d(6, 2, 2), "more than it must"),
        (lambda channels: lambda x: x[..., ::2, ::2], "Blur first"),
        (lambda channels: Blur(1, 1.0, 2.0, 1.0), "raised"),
        (lambda channels: lambda x: halving.spread_over(x, [1.0, 2.0, 1.0]), "add up to 1"),
        (lambda channels: nn.Conv2d(channels, channels, 3, 2, 1), "add up to 1"),
        (lambda channels: nn.AdaptiveAvgPool2d(1), "16 rows and columns"),
        (lambda channels: lambda x: F.conv2d(x, x.new_ones(1, channels, 3, 3), None, 2), "16 rows"),
        (lambda channels: lambda x: F.avg_pool2d(x, 3, 2), "16 rows and columns"),
        (lambda channels: lambda x: x.mean((2, 3), True).expand(-1, -1, 16, 16), "is gone"),
        (lambda channels: lambda x: halving._along(x, -1), "columns as well"),
        (lambda channels: lambda x: halving._along(x, -2), "rows as well"),
        (lambda channels: torch.zeros(1, channels, 16, 16), "Return a layer"),
    ],
)
def test_wrong_layers(attempt, hint):
    assert_wrong(attempt, shapes.check_steady_half, hint)


def test_what_a_layer_lacks_is_said():
    said = said_of(lambda channels: nn.AvgPool2d(2), shapes.check_steady_half)
    assert "of the plain stride's damage to the right" in said
