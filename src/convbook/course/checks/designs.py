"""Networks that a reader designs in chapter 13: what each lacks, and what to do about it."""

from collections import OrderedDict
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache, wraps
from math import isqrt

import torch
from torch import nn

from convbook.analysis import trace
from convbook.course.checks._checker import Checker
from convbook.grade import grade
from convbook.grade.probe import probe

PICTURE, CLASSES = (3, 32, 32), 10
LATER = "s7-2021"
MOST_PARAMETERS, MOST_MACS = 12_000, 3_000_000  # of the second broken network


class Verdict(str):
    """What is said of a network, shown without quotes; what to do about it; its parameters."""

    __slots__ = ("count", "remedy")

    def __new__(cls, text, remedy=None, count=None):
        verdict = super().__new__(cls, text)
        verdict.remedy, verdict.count = remedy, count
        return verdict

    def __repr__(self):
        return str(self)


RIGHT = Verdict("a network that lacks nothing")

POOLS = "Between the blocks stand three nn.MaxPool2d(2); strides and means do not count."
STRIDES = "Three 3 × 3 convolutions with stride 2 and padding 1 halve the map, and no max-pool."
# In the order of the grader's rows, after the transitions.
STRUCTURE = (
    "The field is too small. Add a convolution late, where a step is 4 or 8 pixels long.",
    "Depthwise means groups=C and kernel_size=3, and a 1 × 1 convolution after it.",
    "One 3 × 3 convolution must be dilated: dilation=2, and padding=2 to keep the map.",
    "Average the whole map before the linear layer: nn.AdaptiveAvgPool2d(1).",
)
IDLE = "Parameters that change no output do not count; give the layers more channels."
BROKEN = "Each layer must read as many channels as it is handed. Send a picture through it."
UNTRACED = "The grader follows layers and functions of torch whose shapes do not hang on values."
TOO_LARGE = "That is at the limit or above: count first, then choose the channels."
TOO_SMALL = "That is half of the limit or less: give the layers more channels, and count again."
CONSTANT = "It is the same network whatever the limit; choose the channels by it."
TOO_HEAVY = "Too many MACs. They arise early, on the large maps: use fewer channels there."
TOO_MANY = "Too many parameters. They sit in wide 3 × 3 layers: narrow them, or separate one more."
NOT_THE_CLASSES = "The last layer gives one number for each class: `classes` of them."


def conv(c_in, c_out, kernel_size=3, **settings):
    """Return a convolution that keeps the size at stride 1, with batch norm and ReLU."""
    settings = {"padding": kernel_size // 2, **settings}
    layer = nn.Conv2d(c_in, c_out, kernel_size, bias=False, **settings)
    return nn.Sequential(layer, nn.BatchNorm2d(c_out), nn.ReLU())


def separable(c_in, c_out):
    """Return a depthwise 3 x 3 convolution and a 1 x 1 one."""
    depthwise = nn.Conv2d(c_in, c_in, 3, padding=1, groups=c_in, bias=False)
    return nn.Sequential(depthwise, conv(c_in, c_out, 1))


def assembled(parts, others):
    """Return the parts as one network, some of them exchanged; None takes one out."""
    kept = {name: part for name, part in (parts | others).items() if part is not None}
    return nn.Sequential(OrderedDict(kept))


# ------------------------------------------------------------------ under a budget


def small(channels=3, classes=CLASSES, **others):
    """Return a network under the budget of the second broken one, with other parts."""
    parts = {
        "c1": conv(channels, 16),
        "pool1": nn.MaxPool2d(2),
        "c2": conv(16, 24),
        "pool2": nn.MaxPool2d(2),
        "c3": conv(24, 24, padding=2, dilation=2),
        "pool3": nn.MaxPool2d(2),
        "c4": separable(24, 40),
        "gap": nn.AdaptiveAvgPool2d(1),
        "flat": nn.Flatten(),
        "head": nn.Linear(40, classes),
    }
    return assembled(parts, others)


def repaired(channels, classes):
    """Return a network that meets the assignment under the budget."""
    return small(channels, classes)


def budget_verdict(answer, channels, classes):
    """Return what a network lacks of the assignment's structure, of the budget and of classes."""
    if not isinstance(answer, nn.Module):
        return answer
    picture = (channels, *PICTURE[1:])
    rows = grade(answer, input_size=picture)
    if said := _cannot_be_judged(answer, rows, picture, classes):
        return said
    lacks = _structure(rows, POOLS)
    count = sum(parameter.numel() for parameter in answer.parameters())
    table = trace(answer, picture)
    if count >= MOST_PARAMETERS:
        lacks.append((f"size: {count:,} parameters", TOO_MANY))
    if table.macs >= MOST_MACS:
        lacks.append((f"lightness: {table.macs:,} MACs", TOO_HEAVY))
    shapes = [row.output_shape for row in table if row.name in table.outputs]
    if (classes,) not in shapes:
        lacks.append((f"{classes} scores for a picture", NOT_THE_CLASSES))
    return _verdict(lacks, count)


# Networks that lack one thing each, in the order of the assignment.
WITHOUT = {
    POOLS: lambda channels, classes: small(
        channels, classes, pool1=None, c1=conv(channels, 16, stride=2)
    ),
    STRUCTURE[0]: lambda channels, classes: small(
        channels, classes, c2=conv(16, 24, padding=2, dilation=2), c3=conv(24, 24)
    ),
    STRUCTURE[1]: lambda channels, classes: small(
        channels, classes, c3=conv(24, 16, padding=2, dilation=2), c4=conv(16, 40)
    ),
    STRUCTURE[2]: lambda channels, classes: small(
        channels, classes, c4=nn.Sequential(separable(24, 24), separable(24, 40)), c3=conv(24, 24)
    ),
    STRUCTURE[3]: lambda channels, classes: small(
        channels, classes, gap=None, head=nn.Linear(40 * 16, classes)
    ),
    TOO_MANY: lambda channels, classes: small(
        channels, classes, c2=conv(16, 48), c3=conv(48, 24, padding=2, dilation=2)
    ),
    TOO_HEAVY: lambda channels, classes: small(
        channels,
        classes,
        c1=nn.Sequential(conv(channels, 24, 5), separable(24, 24), separable(24, 16)),
        c4=separable(24, 16),
        head=nn.Linear(16, classes),
    ),
    NOT_THE_CLASSES: lambda channels, classes: small(channels, CLASSES),
    BROKEN: lambda channels, classes: small(PICTURE[0], classes),
}


# ------------------------------------------------------------------ sized by a limit


def network(width, **others):
    """Return a network with `width` channels that meets the later assignment, with other parts."""
    parts = {
        "c1": conv(3, width, stride=2),
        "c2": conv(width, width, stride=2),
        "c3": conv(width, width, stride=2),
        "c4": conv(width, width, padding=2, dilation=2),
        "last": separable(width, width),
        "gap": nn.AdaptiveAvgPool2d(1),
        "flat": nn.Flatten(),
        "head": nn.Linear(width, CLASSES),
    }
    return assembled(parts, others)


class Ballast(nn.Identity):
    """A layer that holds numbers and hands on its input."""

    def __init__(self, count):
        super().__init__()
        self.idle = nn.Parameter(torch.zeros(count))


def width_below(limit):
    """Return the most channels under the limit: the network has 28 (width + 1)² - 18 parameters."""
    return isqrt(limit // 28) - 1


def design(limit):
    """Return a network with fewer than `limit` parameters, and more than half of that."""
    return network(width_below(limit))


# Networks that lack one of the later assignment's requirements each.
WITHOUT_LATER = {
    STRIDES: lambda limit: network(
        w := width_below(limit), c2=nn.Sequential(conv(w, w), nn.MaxPool2d(2))
    ),
    STRUCTURE[0]: lambda limit: network(
        w := width_below(limit),
        c1=nn.Sequential(conv(3, w, padding=2, dilation=2), conv(w, w, stride=2)),
        c4=None,
    ),
    STRUCTURE[1]: lambda limit: network(w := width_below(limit), last=conv(w, w, groups=w)),
    STRUCTURE[2]: lambda limit: network(
        w := width_below(limit), c4=conv(w, w), last=nn.Sequential(conv(w, w, 1), separable(w, w))
    ),
    STRUCTURE[3]: lambda limit: network(
        w := width_below(limit) - 1, gap=nn.AvgPool2d(2), head=nn.Linear(4 * w, CLASSES)
    ),
    BROKEN: lambda limit: network(width_below(limit), head=nn.Linear(64, CLASSES)),
    IDLE: lambda limit: network(8, ballast=Ballast(limit // 2)),
    CONSTANT: lambda limit: network(width_below(5_000)),
    TOO_SMALL: lambda limit: network(width_below(limit) // 2),
    TOO_LARGE: lambda limit: network(width_below(limit) + 1),
}


def verdict_on(answer, limit):
    """Return what a network lacks of the later assignment's structure, and of size."""
    if not isinstance(answer, nn.Module):
        return answer
    rows = grade(answer, profile=LATER)
    if said := _cannot_be_judged(answer, rows, PICTURE, CLASSES):
        return said
    lacks = _structure(rows, STRIDES)
    count = sum(parameter.numel() for parameter in answer.parameters())
    if count >= limit:
        lacks.append((f"size below {limit:,}: {count:,}", TOO_LARGE))
    if count <= limit / 2:
        lacks.append((f"size above {limit // 2:,}: {count:,}", TOO_SMALL))
    if not lacks and (idle := _idle(answer)):
        lacks.append((f"a use for {idle:,} of its {count:,} parameters", IDLE))
    return _verdict(lacks, count)


# ------------------------------------------------------------------ what both ask


def _cannot_be_judged(answer, rows, picture, classes):
    """Return what is wrong where a network cannot be followed, or None."""
    if rows[0].measured != "not traced":
        return None
    if probe(answer, picture, classes) is None:
        shape = " × ".join(map(str, picture))
        return Verdict(f"a network that does not run on {shape}", BROKEN)
    return Verdict("a network that runs, but that cannot be followed", UNTRACED)


def _structure(rows, transitions):
    """Return the requirements on layers that are not met, and the remedy for each."""
    remedies = (transitions, *STRUCTURE)
    pairs = zip(rows, remedies, strict=False)
    return [(row.requirement, remedy) for row, remedy in pairs if not row.passed]


def _verdict(lacks, count):
    if not lacks:
        return Verdict(RIGHT, count=count)
    (first, remedy), *rest = lacks
    others = f" and {len(rest)} more" if rest else ""
    return Verdict(f"a network that lacks {first}{others}", remedy, count)


def _idle(network):
    """Return how many parameters change no output, those that nothing reads among them."""
    sizes = dict(network.named_parameters())
    return sum(sizes[name].numel() for name in probe(network, PICTURE, CLASSES).idle_parameters)


@dataclass(frozen=True)
class DesignChecker(Checker):
    """A checker of networks, or of what else a reader designs: all that lack nothing are right.

    `judge(answer, **case)` gives the verdict, which is `right` where nothing is lacking. The hint
    is the remedy for what the first wrong answer lacks; the mistakes are examples, and an answer
    that lacks the same for another reason gets the same hint.
    """

    judge: Callable | None = None
    right: Verdict = RIGHT

    def __call__(self, function):
        """Print how `function` does."""
        if not callable(function):
            super().__call__(function)
            return
        judged = cache(self._judged(function))  # it takes long to judge a network
        remedy = self._remedy(judged)
        mistakes = {remedy: judged} if remedy else {}
        asked = replace(self, reference=lambda **case: self.right, mistakes=mistakes)
        Checker.__call__(asked, judged)

    def _judged(self, function):
        @wraps(function)
        def judged(*values, **named):
            case = dict(zip(self.cases[0], values, strict=False)) | named
            # A copy: the function may change what it is handed, and a case is asked more than once.
            return self.judge(function(*deepcopy(values), **deepcopy(named)), **case)

        return judged

    def _remedy(self, judged):
        """Return what to do about the first design that lacks something, or None."""
        try:
            answers = [_by_name_or_position(judged, case) for case in self.cases]
        except (Exception, SystemExit):  # it is raised again where it is shown
            return None
        verdicts = [answer for answer in answers if isinstance(answer, Verdict)]
        wrong = [verdict for verdict in verdicts if verdict != self.right]
        if not wrong:
            return None
        is_size = wrong[0].remedy in (TOO_LARGE, TOO_SMALL)
        is_constant = len({verdict.count for verdict in verdicts}) == 1
        return CONSTANT if is_size and is_constant else wrong[0].remedy


def _by_name_or_position(function, case):
    try:
        return function(**case)
    except TypeError:  # its parameters may have other names
        return function(*case.values())
