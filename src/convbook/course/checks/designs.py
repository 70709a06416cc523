"""What a network lacks of the last exercise of chapter 13: networks to compare, and the verdict."""

from collections import OrderedDict
from math import isqrt

import torch
from torch import nn

from convbook.grade import grade
from convbook.grade.probe import probe

PICTURE, CLASSES = (3, 32, 32), 10


def conv(c_in, c_out, kernel_size=3, **settings):
    """Return a convolution that keeps the size, with batch norm and ReLU."""
    settings = {"padding": kernel_size // 2, **settings}
    layer = nn.Conv2d(c_in, c_out, kernel_size, bias=False, **settings)
    return nn.Sequential(layer, nn.BatchNorm2d(c_out), nn.ReLU())


def network(width, **others):
    """Return a network with `width` channels that meets the assignment, with other parts."""
    depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)
    parts = {
        "c1": conv(3, width),
        "pool1": nn.MaxPool2d(2),
        "c2": conv(width, width),
        "pool2": nn.MaxPool2d(2),
        "c3": nn.Sequential(conv(width, width), depthwise, conv(width, width, 1)),
        "pool3": nn.MaxPool2d(2),
        "c4": conv(width, width, padding=2, dilation=2),
        "gap": nn.AdaptiveAvgPool2d(1),
        "flat": nn.Flatten(),
        "head": nn.Linear(width, CLASSES),
    }
    return nn.Sequential(OrderedDict(parts | others))


class Ballast(nn.Identity):
    """A layer that holds numbers and hands on its input."""

    def __init__(self, count):
        super().__init__()
        self.idle = nn.Parameter(torch.zeros(count))


def width_below(limit):
    """Return the most channels under the limit: the network has 28 (width + 1)² - 18 weights."""
    return isqrt(limit // 28) - 1


def design(limit):
    """Return a network with fewer than `limit` parameters, and more than half of that."""
    return network(width_below(limit))


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

# In the order of the grader's rows.
STRUCTURE = (
    "Between the blocks stand three nn.MaxPool2d(2); strides and means do not count.",
    "The field is too small. Add a convolution in C3 or C4, where a step is 4 or 8 pixels.",
    "Depthwise means groups=C and kernel_size=3, and a 1 × 1 convolution after it.",
    "One 3 × 3 convolution must be dilated: dilation=2, and padding=2 to keep the map.",
    "Average the whole map before the linear layer: nn.AdaptiveAvgPool2d(1).",
)
# For each of them, a function that returns an example for a limit.
WITHOUT = (
    lambda limit: network(width_below(limit), pool2=nn.AvgPool2d(2)),
    lambda limit: network(
        w := width_below(limit),
        c1=nn.Sequential(conv(3, w), conv(w, w, groups=w), conv(w, w, 1)),
        c2=conv(w, w, padding=2, dilation=2),
        c3=conv(w, w),
        c4=conv(w, w),
    ),
    lambda limit: network(
        w := width_below(limit), c3=nn.Sequential(conv(w, w, 5, groups=w), conv(w, w, 3))
    ),
    lambda limit: network(w := width_below(limit), c4=conv(w, w)),
    lambda limit: network(
        w := width_below(limit) - 1, gap=nn.AvgPool2d(2), head=nn.Linear(4 * w, CLASSES)
    ),
)
IDLE = "Parameters that change no output do not count; give the layers more channels."
BROKEN = "Each layer must read as many channels as it is handed; average() reads 64. Try a picture."
UNTRACED = "The grader follows layers and functions of torch whose shapes do not hang on values."
TOO_LARGE = "That is at the limit or above: count first, then choose the channels."
TOO_SMALL = "That is half of the limit or less: give the layers more channels, and count again."
CONSTANT = "It is the same network whatever the limit; choose the channels by it."


def verdict_on(answer, limit):
    """Return what a network lacks of the five requirements on layers and of the three on size."""
    if not isinstance(answer, nn.Module):
        return answer
    *structure, size, _ = grade(answer)
    if structure[0].measured == "not traced":
        if probe(answer, PICTURE, CLASSES) is None:
            return Verdict("a network that does not run on 3 × 32 × 32", BROKEN)
        return Verdict("a network that runs, but that cannot be followed", UNTRACED)
    pairs = zip(structure, STRUCTURE, strict=True)
    lacks = [(row.requirement, remedy) for row, remedy in pairs if not row.passed]
    count = sum(parameter.numel() for parameter in answer.parameters())
    if count >= limit:
        lacks.append((f"size below {limit:,}: {size.measured}", TOO_LARGE))
    if count <= limit / 2:
        lacks.append((f"size above {limit // 2:,}: {size.measured}", TOO_SMALL))
    if not lacks and (idle := _idle(answer)):
        lacks.append((f"a use for {idle:,} of its {count:,} parameters", IDLE))
    if not lacks:
        return Verdict(RIGHT, count=count)
    (first, remedy), *rest = lacks
    others = f" and {len(rest)} more" if rest else ""
    return Verdict(f"a network that lacks {first}{others}", remedy, count)


def _idle(network):
    """Return how many parameters change no output, those that nothing reads among them."""
    sizes = dict(network.named_parameters())
    return sum(sizes[name].numel() for name in probe(network, PICTURE, CLASSES).idle_parameters)
