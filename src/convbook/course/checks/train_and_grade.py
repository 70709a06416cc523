"""Checkers for chapter 13, Train it, grade it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, wraps
from itertools import pairwise
from math import isclose
from numbers import Real

import torch
from torch import nn

from convbook.course.checks import designs
from convbook.course.checks._checker import Checker, grid


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


def _where(flags, pictures, axis):
    """Return the pictures, reversed along an axis where a flag is set."""
    pictures = torch.tensor(pictures)
    return torch.where(flags, pictures.flip(axis), pictures)


def _flags(chosen):
    return torch.tensor(chosen)


def _pictures(count, height, width):
    """Return pictures of numbers without a pattern that a mistake could hide in."""
    return [
        [[(7 * n * n + 4 * y + 3 * x * x) % 10 for x in range(width)] for y in range(height)]
        for n in range(count)
    ]


@dataclass(frozen=True)
class TranslatedChecker(Checker):
    """A checker that compares what `translate(answer, **case)` makes of each answer.

    So that different answers may be right: any network that meets the assignment, and any rounding.
    """

    translate: Callable = None

    def __call__(self, function):
        """Print how `function` does."""
        if callable(function):
            function = self._translated(function)
        self._compare(function, {h: self._translated(one) for h, one in self.mistakes.items()})

    def _compare(self, function, mistakes):
        reference = self._translated(self.reference)
        Checker.__call__(replace(self, reference=reference, mistakes=mistakes), function)

    def _translated(self, function):
        @wraps(function)
        def translated(*values, **named):
            case = dict(zip(self.cases[0], values, strict=False)) | named
            return self.translate(function(*values, **named), **case)

        return translated


@dataclass(frozen=True)
class DesignChecker(TranslatedChecker):
    """A checker of networks, whose hint is the remedy for what the first wrong one lacks.

    The mistakes are examples: a network that lacks the same for another reason gets the same hint.
    """

    def __call__(self, function):
        """Print how `function` does."""
        if not callable(function):
            super().__call__(function)
            return
        judged = cache(self._translated(function))  # it takes long to judge a network
        remedy = self._remedy(judged)
        self._compare(judged, {remedy: judged} if remedy else {})

    def _remedy(self, judged):
        """Return what to do about the first design that lacks something, or None."""
        try:
            answers = [_by_name_or_position(judged, case) for case in self.cases]
        except (Exception, SystemExit):  # it is raised again where it is shown
            return None
        verdicts = [answer for answer in answers if isinstance(answer, designs.Verdict)]
        wrong = [verdict for verdict in verdicts if verdict != designs.RIGHT]
        sizes = {verdict.count for verdict in verdicts}
        if not wrong:
            return None
        is_size = wrong[0].remedy in (designs.TOO_LARGE, designs.TOO_SMALL)
        return designs.CONSTANT if is_size and len(sizes) == 1 else wrong[0].remedy


def _by_name_or_position(function, case):
    try:
        return function(**case)
    except TypeError:  # its parameters may have other names
        return function(*case.values())


def _to_single_precision(answer, **case):
    """Return the right rate where an answer is as near as float32 comes, else nine digits of it."""
    if not isinstance(answer, Real) and getattr(answer, "ndim", None) != 0:
        return answer
    right = learning_rate(**case)
    near = isclose(float(answer), right, rel_tol=1e-6, abs_tol=1e-6 * case["max_lr"])
    return round(right if near else float(answer), 9)


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
        "It is to rise by `max_lr` less a tenth; by all of it, the rate passes `max_lr`.": (
            lambda step, steps, peak, max_lr: (
                max_lr / 10 + max_lr * step / peak
                if step < peak
                else learning_rate(step, steps, peak, max_lr)
            )
        ),
        "At `peak` that is more than `max_lr`: from a tenth on, nine tenths are left to rise.": (
            lambda step, steps, peak, max_lr: (
                max_lr / 10 + max_lr * step / peak
                if step <= peak
                else learning_rate(step, steps, peak, max_lr)
            )
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
    translate=_to_single_precision,
    fallback="Two straight lines: what are their values at step 0, at the peak and at the "
    "last step?",
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
    fallback="Compute the first two averages by hand.",
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
        "flip(0) exchanges whole pictures: the first axis is the batch. Columns are the last.": (
            lambda pictures, chosen: _where(_flags(chosen)[:, None, None], pictures, 0)
        ),
        "`chosen` needs two axes more, chosen[:, None, None], to stand for whole pictures.": (
            lambda pictures, chosen: _where(_flags(chosen), pictures, -1)
        ),
        "chosen[:, None] chooses rows; with chosen[:, None, None] it chooses whole pictures.": (
            lambda pictures, chosen: _where(_flags(chosen)[:, None], pictures, -1)
        ),
    },
    fallback="Mark one corner of a chosen picture: where must it end up?",
)

check_design = DesignChecker(
    "Exercise 4: function(limit) -> a network that meets the assignment, sized by the limit",
    designs.design,
    grid(
        limit=[
            *(5_000, 6_000, 8_000, 10_000, 12_000, 15_000, 20_000, 30_000, 40_000, 50_000),
            *(60_000, 80_000, 100_000, 150_000, 200_000, 300_000, 400_000, 600_000),
            *(800_000, 1_000_000),
        ]
    ),
    dict(zip(designs.STRUCTURE, designs.WITHOUT, strict=True))
    | {
        designs.BROKEN: lambda limit: designs.network(
            designs.width_below(limit), head=nn.Linear(64, designs.CLASSES)
        ),
        designs.IDLE: lambda limit: designs.network(8, ballast=designs.Ballast(limit // 2)),
        designs.CONSTANT: lambda limit: designs.network(designs.width_below(5_000)),
        designs.TOO_SMALL: lambda limit: designs.network(designs.width_below(limit) // 2),
        designs.TOO_LARGE: lambda limit: designs.network(designs.width_below(limit) + 1),
    },
    translate=designs.verdict_on,
)
