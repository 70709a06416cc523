"""Checkers for chapter 13, Train it, grade it."""

from collections import OrderedDict
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import wraps
from itertools import pairwise
from math import isqrt
from numbers import Real

import torch
from torch import nn

from convbook.course.checks._checker import Checker, grid, run_checker
from convbook.grade import grade


def learning_rate(step, steps, peak, max_lr):
    """Return the rate of one cycle: up from a tenth to `max_lr` at `peak`, then down to 0."""
    if step < peak:
        start = max_lr / 10
        return start + (max_lr - start) * step / peak
    return max_lr * (steps - step) / (steps - peak)


def _up_then(step, peak, max_lr, after):
    """Rise as one cycle does, then return `after`."""
    return learning_rate(step, peak + 1, peak, max_lr) if step < peak else after


def averages(weights, decay):
    """Return the averaged weight after each step."""
    found = [weights[0]]
    for weight in weights[1:]:
        found.append(decay * found[-1] + (1 - decay) * weight)
    return found


def _from_zero(weights, decay):
    return averages([0, *weights], decay)[1:]


def _of_two_weights(weights, decay):
    """Average each weight with the one before, not with the average before."""
    pairs = pairwise(weights)
    return [weights[0]] + [decay * before + (1 - decay) * weight for before, weight in pairs]


def _plain_means(weights, decay):
    return [sum(weights[: n + 1]) / (n + 1) for n in range(len(weights))]


def mirrored(pictures, chosen):
    """Return the pictures, the chosen ones mirrored left to right."""
    return [
        [row[::-1] for row in picture] if flip else picture
        for picture, flip in zip(pictures, chosen, strict=True)
    ]


def _each(pictures, chosen, change):
    """Return the pictures, the chosen ones changed in another way."""
    pairs = zip(pictures, chosen, strict=True)
    return [change(picture) if flip else picture for picture, flip in pairs]


def _pictures(count, height, width):
    """Return pictures of numbers without a pattern that a mistake could hide in."""
    return [
        [[(7 * n * n + 5 * y + 3 * x * x) % 10 for x in range(width)] for y in range(height)]
        for n in range(count)
    ]


# ------------------------------------------------------------------------- a network to design


def _conv(c_in, c_out, kernel_size=3, **settings):
    settings = {"padding": kernel_size // 2, **settings}
    layer = nn.Conv2d(c_in, c_out, kernel_size, bias=False, **settings)
    return nn.Sequential(layer, nn.BatchNorm2d(c_out), nn.ReLU())


def _network(width, **others):
    """Return a network with `width` channels that meets the assignment, with other parts."""
    depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)
    parts = {
        "c1": _conv(3, width),
        "pool1": nn.MaxPool2d(2),
        "c2": _conv(width, width),
        "pool2": nn.MaxPool2d(2),
        "c3": nn.Sequential(_conv(width, width), depthwise, _conv(width, width, 1)),
        "pool3": nn.MaxPool2d(2),
        "c4": _conv(width, width, padding=2, dilation=2),
        "gap": nn.AdaptiveAvgPool2d(1),
        "flat": nn.Flatten(),
        "head": nn.Linear(width, 10),
    }
    return nn.Sequential(OrderedDict(parts | others))


class _Ballast(nn.Identity):
    """A layer that holds numbers and hands on its input."""

    def __init__(self, count):
        super().__init__()
        self.idle = nn.Parameter(torch.zeros(count))


def _width(limit):
    """Return the most channels under the limit: the network has 28 (width + 1)² - 18 weights."""
    return isqrt(limit // 28) - 1


def design(limit):
    """Return a network with fewer than `limit` parameters, and more than half of that."""
    return _network(_width(limit))


class _Verdict(str):
    """What is said of a network, shown without quotes."""

    __slots__ = ()

    def __repr__(self):
        return str(self)


RIGHT = _Verdict("a network that lacks nothing")


def _idle(network):
    """Return how many parameters the output does not depend on."""
    network = deepcopy(network).to("meta")  # shapes only, so that no large network takes long
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    output = network(torch.zeros(2, 3, 32, 32, device="meta"))
    gradients = torch.autograd.grad(output.sum(), weights, allow_unused=True)
    pairs = zip(weights, gradients, strict=True)
    return sum(weight.numel() for weight, gradient in pairs if gradient is None)


def _verdict(network, limit):
    """Return what a network lacks of the five requirements on layers and of the two on size."""
    if not isinstance(network, nn.Module):
        return network
    *structure, size, _ = grade(network)
    if structure[0].measured == "not traced":
        return _Verdict("a network that does not run on 3 × 32 × 32")
    lacks = [row.requirement for row in structure if not row.passed]
    count = sum(parameter.numel() for parameter in network.parameters())
    if count >= limit:
        lacks.append(f"size below {limit:,}: {size.measured}")
    if count <= limit / 2:
        lacks.append(f"size above {limit // 2:,}: {size.measured}")
    if not lacks and (idle := _idle(network)):
        lacks.append(f"a use for all its parameters: {idle:,} are never read")
    if not lacks:
        return RIGHT
    others = f" and {len(lacks) - 1} more" if len(lacks) > 1 else ""
    return _Verdict(f"a network that lacks {lacks[0]}{others}")


@dataclass(frozen=True)
class TranslatedChecker(Checker):
    """A checker that compares what `translate(answer, **case)` makes of each answer.

    So that different answers may be right: any network that meets the assignment, and any rounding.
    """

    translate: Callable = None

    def __call__(self, function):
        """Print how `function` does."""
        hints = {hint: self._translated(mistake) for hint, mistake in self.mistakes.items()}
        reference = self._translated(self.reference)
        if callable(function):
            function = self._translated(function)
        run_checker(function, reference, self.cases, hints, fallback=self.fallback)

    def _translated(self, function):
        @wraps(function)
        def translated(*values, **named):
            case = dict(zip(self.cases[0], values, strict=False)) | named
            return self.translate(function(*values, **named), **case)

        return translated


def _to_nine_digits(answer, **case):
    return round(float(answer), 9) if isinstance(answer, Real) else answer


check_learning_rate = TranslatedChecker(
    "Exercise 1: function(step, steps, peak, max_lr) -> the learning rate at that step",
    learning_rate,
    [
        {"step": step, "steps": peak + fall, "peak": peak, "max_lr": max_lr}
        for peak, fall in ((4, 8), (2, 16), (8, 8))
        for max_lr in (10, 40, 0.2)
        for step in range(0, peak + fall + 1, 2)
    ],
    {
        "It starts at a tenth of `max_lr`, not at 0.": lambda step, steps, peak, max_lr: (
            max_lr * step / peak if step < peak else learning_rate(step, steps, peak, max_lr)
        ),
        "That never comes down. After `peak` it falls in a straight line to 0 at `steps`.": (
            lambda step, steps, peak, max_lr: _up_then(step, peak, max_lr, max_lr)
        ),
        "It starts at `max_lr / 10`; `//` makes that 0 for a rate like 0.2.": (
            lambda step, steps, peak, max_lr: (
                max_lr // 10 + (max_lr - max_lr // 10) * step / peak
                if step < peak
                else learning_rate(step, steps, peak, max_lr)
            )
        ),
        "The way up ends at `peak`, not at `steps`.": lambda step, steps, peak, max_lr: (
            max_lr / 10 + (max_lr - max_lr / 10) * step / steps
        ),
        "The way down takes `steps - peak` steps, so that it ends at 0.": (
            lambda step, steps, peak, max_lr: _up_then(
                step, peak, max_lr, max_lr * (1 - (step - peak) / steps)
            )
        ),
        "The way down ends at 0, not where the way up began.": (
            lambda step, steps, peak, max_lr: _up_then(
                step,
                peak,
                max_lr,
                max_lr - (max_lr - max_lr / 10) * (step - peak) / (steps - peak),
            )
        ),
        "At `peak` it is `max_lr`: the way down begins there, not at step 0.": (
            lambda step, steps, peak, max_lr: _up_then(
                step, peak, max_lr, max_lr * (1 - step / steps)
            )
        ),
        "Rates are no whole numbers: divide with /, not with //.": (
            lambda step, steps, peak, max_lr: (
                max_lr // 10 + (max_lr - max_lr // 10) * step // peak
                if step < peak
                else max_lr * (steps - step) // (steps - peak)
            )
        ),
    },
    translate=_to_nine_digits,
)

check_averages = Checker(
    "Exercise 2: function(weights, decay) -> the averaged weight after each step, as a list",
    averages,
    grid(
        weights=[[8, 0], [4], [0, 8, 8, 8], [8, -8, 8, -8, 8], [1, 2, 3, 4, 5, 6]],
        decay=[0.5, 0.75, 0.875, 0.0],
    ),
    {
        "Swapped: `decay` is the share of the average that stays.": (
            lambda weights, decay: averages(weights, 1 - decay)
        ),
        "The average starts at the first weight, not at 0.": _from_zero,
        "That forgets the past: use the average before, not the weight before.": _of_two_weights,
        "That weighs all steps the same; newer weights count more here.": _plain_means,
        "That is the last average only; return the one after each step.": (
            lambda weights, decay: averages(weights, decay)[-1]
        ),
        "One is missing: after the first step the average is the first weight.": (
            lambda weights, decay: averages(weights, decay)[1:]
        ),
    },
)

check_mirrored = Checker(
    "Exercise 3: function(pictures, chosen) -> the pictures, the chosen ones mirrored",
    mirrored,
    [
        {"pictures": _pictures(count, height, width), "chosen": chosen}
        for height, width in ((2, 3), (3, 3), (1, 4), (4, 2))
        for count, chosen in (
            (2, [True, False]),
            (3, [False, True, True]),
            (2, [False, False]),
            (2, [True, True]),
            (4, [True, False, False, True]),
        )
    ],
    {
        "Each picture has its own toss: mirror those that are chosen, not all of the batch.": (
            lambda pictures, chosen: mirrored(pictures, [any(chosen)] * len(chosen))
        ),
        "That turns pictures upside down; left and right are the last axis.": (
            lambda pictures, chosen: _each(pictures, chosen, lambda picture: picture[::-1])
        ),
        "Those are mirrored that were not chosen.": (
            lambda pictures, chosen: mirrored(pictures, [not flip for flip in chosen])
        ),
        "That turns pictures by half a circle; rows stay where they are.": (
            lambda pictures, chosen: _each(
                pictures, chosen, lambda picture: [row[::-1] for row in picture[::-1]]
            )
        ),
        "That reverses the batch; each picture keeps its place and its label.": (
            lambda pictures, chosen: pictures[::-1]
        ),
    },
)

check_design = TranslatedChecker(
    "Exercise 4: function(limit) -> a network that meets the assignment, sized by the limit",
    design,
    grid(
        limit=[
            *(5_000, 6_000, 8_000, 10_000, 12_000, 15_000, 20_000, 30_000, 40_000, 50_000),
            *(60_000, 80_000, 100_000, 150_000, 200_000, 300_000, 400_000, 600_000),
            *(800_000, 1_000_000),
        ]
    ),
    {
        "One 3 × 3 convolution must be dilated: dilation=2, and padding=2 to keep the map.": (
            lambda limit: _network(w := _width(limit), c4=_conv(w, w))
        ),
        "Between the blocks stand three nn.MaxPool2d(2); strides and means do not count.": (
            lambda limit: _network(_width(limit), pool2=nn.AvgPool2d(2))
        ),
        "Depthwise means groups=C and kernel_size=3, and a 1 × 1 convolution after it.": (
            lambda limit: _network(
                w := _width(limit), c3=nn.Sequential(_conv(w, w, 5, groups=w), _conv(w, w, 3))
            )
        ),
        "Average the whole map before the linear layer: nn.AdaptiveAvgPool2d(1).": (
            lambda limit: _network(
                w := _width(limit) - 1, gap=nn.AvgPool2d(2), head=nn.Linear(4 * w, 10)
            )
        ),
        "The field is too small. Add a convolution in C3 or C4, where a step is 4 or 8 pixels.": (
            lambda limit: _network(
                w := _width(limit),
                c1=nn.Sequential(_conv(3, w), _conv(w, w, groups=w), _conv(w, w, 1)),
                c2=_conv(w, w, padding=2, dilation=2),
                c3=_conv(w, w),
                c4=_conv(w, w),
            )
        ),
        "Parameters that no layer reads do not count; give the layers more channels.": (
            lambda limit: _network(8, ballast=_Ballast(limit // 2))
        ),
        "It is the same network whatever the limit; choose the channels by it.": (
            lambda limit: _network(_width(5_000))
        ),
        "That is at the limit or above: count first, then choose the channels.": (
            lambda limit: _network(_width(limit) + 2)
        ),
    },
    translate=_verdict,
)
