"""The grader: networks written for the purpose, which meet the assignment or do not.

Each network but a few is a small one that passes, with one part exchanged.
"""

import inspect
import json

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convbook import grade as package
from convbook.grade import Report, Requirement, grade
from convbook.grade.evaluate import grade_address
from tests.helpers.assignment import (
    ACCURACY,
    DILATED,
    FIELD,
    GAP,
    PARAMS,
    PARTS,
    POOLS,
    SEPARABLE,
    STRUCTURAL,
    Call,
    conv,
    failed,
    net,
    separable,
    told,
)


class Functions(nn.Module):
    """The network that passes, written with functions and parameters only."""

    def __init__(self):
        super().__init__()
        shapes = [(16, 3, 3, 3), (32, 16, 3, 3), (32, 1, 3, 3), (32, 32, 1, 1), (32, 32, 3, 3)]
        shapes += [(32, 32, 3, 3), (10, 32)]
        self.weights = nn.ParameterList([nn.Parameter(torch.zeros(shape)) for shape in shapes])

    def forward(self, x):
        c1, c2, depth, point, wide, last, head = self.weights
        x = F.max_pool2d(F.conv2d(x, c1, padding=1).relu_(), 2)
        x = torch.max_pool2d(F.conv2d(x, c2, padding="same").relu(), (2, 2))
        x = F.max_pool2d(F.conv2d(F.conv2d(x, depth, padding=1, groups=32), point), 2)
        x = F.conv2d(F.conv2d(x, wide, padding=2, dilation=2).relu(), last, padding=1)
        return F.linear(x.mean((-1, -2)), head)


def squeeze_and_excite(self, x):
    x = self.conv(x)
    return x * self.up(F.relu(self.down(F.adaptive_avg_pool2d(x, 1)))).sigmoid()


def gated():
    parts = {"conv": conv(16, 32), "down": nn.Conv2d(32, 8, 1), "up": nn.Conv2d(8, 32, 1)}
    return Call(squeeze_and_excite, **parts)


def residual(*layers):
    return Call(lambda self, x: x + self.body(x), body=nn.Sequential(*layers))


def channels_last(x):
    return x.permute(0, 2, 3, 1).mean((1, 2))


# ------------------------------------------------------------------ networks that pass

GOOD = {
    "layers": net,
    "functions": Functions,
    "meta": lambda: net().to("meta"),
    "double, in training mode": lambda: net().double().train(),
    "compiled": lambda: torch.compile(net()),
    "residual": lambda: net(c5=residual(conv(32, 32))),
    "a gate in C2": lambda: net(c2=gated()),
    "a gate between depthwise and pointwise": lambda: net(
        c3=Call(
            lambda self, x: self.point((y := self.depth(x)) * self.gate(y.mean((2, 3), True))),
            depth=conv(32, 32, groups=32),
            gate=nn.Conv2d(32, 32, 1),
            point=nn.Conv2d(32, 32, 1),
        )
    ),
    "two depthwise convolutions that meet": lambda: net(
        c3=Call(
            lambda self, x: self.point(torch.cat([self.a(x[:, :16]), self.b(x[:, 16:])], 1)),
            a=conv(16, 16, groups=16),
            b=conv(16, 16, 5, 2, groups=16),
            point=nn.Conv2d(32, 32, 1),
        )
    ),
    "a linear layer as pointwise": lambda: net(
        c3=Call(
            lambda self, x: self.mix(self.depth(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2),
            depth=conv(32, 32, groups=32),
            mix=nn.Linear(32, 32),
        )
    ),
    "a channel multiplier": lambda: net(
        c3=nn.Sequential(nn.Conv2d(32, 64, 3, padding=1, groups=32), nn.Conv2d(64, 32, 1))
    ),
    "depthwise and dilated in one": lambda: net(
        c3=separable(padding=2, dilation=2), c4=conv(32, 32)
    ),
    "one dilated axis": lambda: net(c4=conv(32, 32, 3, (2, 1), dilation=(2, 1))),
    "dilated without padding": lambda: net(
        c1=conv(3, 16, 3, 0, dilation=2), c4=conv(32, 32)
    ),
    "padding as a layer": lambda: net(
        c4=nn.Sequential(nn.ZeroPad2d(2), conv(32, 32, 3, 0, dilation=2))
    ),
    "padding='same'": lambda: net(c4=conv(32, 32, 3, "same", dilation=2)),
    "overlapping max-pools": lambda: net(pool1=nn.MaxPool2d(3, 2, 1), pool2=nn.MaxPool2d(3, 2)),
    "odd maps": lambda: net(c1=conv(3, 16, 3, 0), c2=conv(16, 32, 3, 0)),
    "adaptive max-pool": lambda: net(pool1=nn.AdaptiveMaxPool2d(16)),
    "pooling in both branches": lambda: net(
        pool3=Call(lambda x: F.max_pool2d(x, 2) + F.max_pool2d(x.relu(), 2))
    ),
    "a convolution with a stride besides": lambda: net(
        c1=conv(3, 16, stride=2), c2=conv(16, 32, 3, 2, dilation=2), c4=conv(32, 32)
    ),
    "1x1 head before the average": lambda: net(head=None, c6=None, gap=nn.Sequential(
        nn.Conv2d(32, 10, 1), nn.AdaptiveAvgPool2d(1)
    )),
    "1x1 head after the average": lambda: net(flat=nn.Conv2d(32, 10, 1), head=nn.Flatten()),
    "no layer after the average": lambda: net(c5=conv(32, 10), head=None),
    "class scores at each pixel": lambda: net(
        gap=Call(
            lambda self, x: self.scores(x.permute(0, 2, 3, 1)).mean((1, 2)),
            scores=nn.Linear(32, 10),
        ),
        head=None,
    ),
    "two layers and log-softmax at the end": lambda: net(
        head=nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 10), nn.LogSoftmax(-1))
    ),
}  # fmt: skip


def test_what_is_said_of_a_network_that_passes():
    report = grade(net(), 0.8)
    assert [(row.requirement, row.measured, row.why) for row in report] == [
        (
            "three transitions by max-pool, C1 C2 C3 C4",
            "3",
            "`pool1`, `pool2`, `pool3`, with convolutions before, between and after",
        ),
        # 1 + 2 + 2*2 + 2*4 for four 3 x 3, + 4*8 for the dilated one, + 2*8, + 1 + 2 + 4 for pools
        ("receptive field above 44 pixels", "70", "read at `c5.0`, the last convolution"),
        (
            "a depthwise separable convolution",
            "`c3.0.0` + `c3.1`",
            "`c3.0.0` has a filter for each of 32 channels (kernel 3), and the 1 × 1 `c3.1` mixes "
            "them",
        ),
        (
            "a dilated convolution",
            "`c4.0`: kernel 3, dilation 2",
            "its taps stand apart; the map goes 4x4 to 4x4",
        ),
        (
            "global average pooling",
            "32x4x4 to 32 by `gap`",
            "each of the 32 numbers is a mean over all pixels of its channel",
        ),
        ("under 1,000,000 parameters", "25,578", "the largest is `c4.0.weight` with 9,216"),
        (
            "accuracy of at least 80% on CIFAR-10",
            "80 %, self-reported",
            "nobody has measured it here",
        ),
    ]


@pytest.mark.parametrize("make", GOOD.values(), ids=GOOD)
def test_networks_that_pass(make):
    report = grade(make(), accuracy=0.8)
    assert failed(report) == set()
    assert report.passed
    assert report.remarks == ()


AVERAGES = {
    "avg_pool2d over the map": nn.AvgPool2d(4),
    "a function": Call(lambda x: F.adaptive_avg_pool2d(x, (1, 1))),
    "mean": Call(lambda x: x.mean((2, 3))),
    "mean, dimensions kept": Call(lambda x: x.mean([-1, -2], keepdim=True)),
    "a mean along each axis": Call(lambda x: x.mean(3).mean(2)),
    "flatten, then mean": Call(lambda x: x.flatten(2).mean(-1)),
    "view, then mean": Call(lambda x: x.view(x.shape[0], x.shape[1], -1).mean(2)),
    "channels last": Call(channels_last),
    "sum over their number": Call(lambda x: x.sum((2, 3)) / 16),
    "pooled, then averaged": Call(lambda x: F.avg_pool2d(F.avg_pool2d(x, 2), 2)),
    "flat, then 1-D pooling": nn.Sequential(nn.Flatten(2), nn.AdaptiveAvgPool1d(1)),
}


@pytest.mark.parametrize("average", AVERAGES.values(), ids=AVERAGES)
def test_spellings_of_global_average_pooling(average):
    """Each is compared with the mean that it should be."""
    x = torch.rand(2, 32, 4, 4)
    assert torch.allclose(average(x).flatten(1), x.mean((2, 3)))
    for part in ({}, {"c2": gated()}):  # behind a gate the trace sees no axes any more
        report = grade(net(gap=average, **part), accuracy=1)
        assert report.passed, report


# ------------------------------------------------------------------ networks that do not pass

POINT = nn.Conv2d(32, 32, 1)
NEEDY = Call(
    lambda self, x: self.used(x), used=conv(32, 32), spare=nn.Conv2d(32, 32, 3, dilation=2)
)

BAD = {
    # name: (network, rows that fail, what each of them says, and what is noted below)
    "AvgPool2d instead of max": (
        lambda: net(pool2=nn.AvgPool2d(2)),
        {POOLS},
        [
            "only `pool1`, `pool3` count; put nn.MaxPool2d(2) between two blocks of "
            "convolutions; `pool2` takes means; use nn.MaxPool2d(2)",
        ],
    ),
    "strides instead of max-pools": (
        lambda: net(pool2=None, c2=conv(16, 32, stride=2)),
        {POOLS},
        [
            "only `pool1`, `pool3` count; put nn.MaxPool2d(2) between two blocks of "
            "convolutions; `c2.0` has stride 2, which is no transition (allowed)",
        ],
    ),
    "MaxPool2d(1, 1)": (
        lambda: net(pool1=nn.MaxPool2d(1, 1)),
        {POOLS, FIELD},
        [
            "only `pool2`, `pool3` count; put nn.MaxPool2d(2) between two blocks of "
            "convolutions; `pool1` has kernel 1 and stride 1 and does nothing; use "
            "nn.MaxPool2d(2)",
            "read at `c5.0`, the last convolution; there one more 3 × 3 convolution adds "
            "8, with dilation 2 16",
        ],
    ),
    "MaxPool2d(1, 2)": (
        lambda: net(pool1=nn.MaxPool2d(1, 2)),
        {POOLS},
        [
            "only `pool2`, `pool3` count; put nn.MaxPool2d(2) between two blocks of "
            "convolutions; `pool1` has kernel 1 and picks pixels, no maxima; use "
            "nn.MaxPool2d(2)",
        ],
    ),
    "MaxPool2d(2, 1)": (
        lambda: net(pool1=nn.MaxPool2d(2, 1)),
        {POOLS, FIELD},
        [
            "only `pool2`, `pool3` count; put nn.MaxPool2d(2) between two blocks of "
            "convolutions; `pool1` has stride 1 and does not halve 32x32; use "
            "nn.MaxPool2d(2)",
            "read at `c5.0`, the last convolution; there one more 3 × 3 convolution adds "
            "8, with dilation 2 16",
        ],
    ),
    "a pool for one axis": (
        lambda: net(pool1=nn.MaxPool2d((2, 1))),
        {POOLS, FIELD},
        [
            "only `pool2`, `pool3` count; put nn.MaxPool2d(2) between two blocks of "
            "convolutions; `pool1` has stride 2x1 and halves one axis only; use "
            "nn.MaxPool2d(2)",
            "read at `c5.0`, the last convolution; there one more 3 × 3 convolution adds "
            "8, with dilation 2 16",
        ],
    ),
    "MaxPool2d(4)": (
        lambda: net(pool1=nn.MaxPool2d(4), pool3=None),
        {POOLS},
        [
            "only `pool2` counts; put nn.MaxPool2d(2) between two blocks of "
            "convolutions; `pool1` has stride 4 (32x32 to 8x8), but a transition halves; "
            "use nn.MaxPool2d(2)",
        ],
    ),
    "four max-pools": (
        lambda: net(c5=nn.Sequential(nn.MaxPool2d(2), conv(32, 32))),
        {POOLS},
        [
            "`pool1`, `pool2`, `pool3`, `c5.0`: three are asked for; leave out 1",
        ],
    ),
    "two max-pools in a row": (
        lambda: net(c2=None, c3=nn.Sequential(conv(16, 32), separable()),
                    c5=nn.Sequential(conv(32, 32), conv(32, 32))),
        {POOLS},
        [
            "there is no convolution between `pool1` and `pool2`; add one",
        ],
    ),
    "a max-pool first": (
        lambda: net(c1=None, c2=conv(3, 32)),
        {POOLS},
        [
            "there is no convolution between the input and `pool1`; add one",
        ],
    ),
    "no block after the last max-pool": (
        lambda: net(pool1=None, pool9=None, gap=nn.Sequential(nn.MaxPool2d(2), PARTS["gap"]())),
        {POOLS, FIELD},
        [
            "only `pool2`, `pool3` count; put nn.MaxPool2d(2) between two blocks of "
            "convolutions; no convolution follows `gap.0`; add a block after it",
            "read at `c5.0`, the last convolution; there one more 3 × 3 convolution adds "
            "8, with dilation 2 16",
        ],
    ),
    "a max-pool that is dropped": (
        lambda: net(pool1=Call(lambda self, x: (self.pool(x), x)[1], pool=nn.MaxPool2d(2))),
        {POOLS, FIELD},
        [
            "only `pool2`, `pool3` count; put nn.MaxPool2d(2) between two blocks of "
            "convolutions; `pool1.pool` runs, but its output is dropped; hand it on",
            "read at `c5.0`, the last convolution; there one more 3 × 3 convolution adds "
            "8, with dilation 2 16",
        ],
    ),
    "a max-pool that never runs": (
        lambda: net(pool1=Call(lambda self, x: x, pool=nn.MaxPool2d(2))),
        {POOLS, FIELD},
        [
            "only `pool2`, `pool3` count; put nn.MaxPool2d(2) between two blocks of "
            "convolutions; `pool1.pool` is defined but does not run; call it in forward",
            "read at `c5.0`, the last convolution; there one more 3 × 3 convolution adds "
            "8, with dilation 2 16",
        ],
    ),
    "a max-pool in one branch": (
        lambda: net(
            pool1=Call(lambda self, x: self.pool(x) + self.conv(x), pool=nn.MaxPool2d(2),
                       conv=conv(16, 16, stride=2))
        ),
        {POOLS},
        [
            "only `pool2`, `pool3` count; put nn.MaxPool2d(2) between two blocks of "
            "convolutions; `pool1.pool` is in one branch only; pool the map before it "
            "branches; `pool1.conv.0` has stride 2, which is no transition (allowed)",
        ],
    ),
    "a max-pool that is undone": (
        lambda: net(c2=nn.Sequential(conv(16, 32), nn.Upsample(scale_factor=2)),
                    c5=nn.Sequential(*[conv(32, 32)] * 4)),
        {POOLS},
        [
            "`c2.1` enlarges 16x16 to 32x32 and undoes a transition; leave it out",
        ],
    ),
    "a field of 44": (
        lambda: net(c1=conv(3, 16, 3, 2, dilation=2), c4=conv(32, 32, 1, 0),
                    c2=nn.Sequential(conv(16, 32), conv(32, 32))),
        {FIELD},
        [
            "read at `c5.0`, the last convolution; there one more 3 × 3 convolution adds "
            "16, with dilation 2 32",
        ],
    ),
    "a field that is wide and not high": (
        lambda: net(c4=conv(32, 32, (1, 3), (0, 2), dilation=2), c5=conv(32, 32, 1, 0)),
        {FIELD},
        [
            "read at `c5.0`, the last convolution; there one more 3 × 3 convolution adds "
            "16, with dilation 2 32",
        ],
    ),
    "a depthwise convolution with k=1": (
        lambda: net(c3=separable(kernel_size=1, padding=0), c1=conv(3, 16, 5, 2)),
        {SEPARABLE},
        [
            "`c3.0.0` has kernel 1 and only scales its channels; use kernel_size=3, "
            "padding=1",
        ],
    ),
    "groups, but not depthwise": (
        lambda: net(c3=separable(groups=8)),
        {SEPARABLE},
        [
            "`c3.0.0` has groups=8 for 32 channels; use groups=32",
        ],
    ),
    "depthwise, then a pool": (
        lambda: net(c3=conv(32, 32, groups=32)),
        {SEPARABLE},
        [
            "`c3.0` is depthwise, but is followed by `pool3` (max_pool2d); follow it by "
            "nn.Conv2d(32, C, 1)",
        ],
    ),
    "depthwise, then a 3 x 3": (
        lambda: net(c3=nn.Sequential(conv(32, 32, groups=32), conv(32, 32), POINT)),
        {SEPARABLE},
        [
            "`c3.0.0` is depthwise, but is followed by `c3.1.0` (conv2d); follow it by "
            "nn.Conv2d(32, C, 1)",
        ],
    ),
    "pointwise, then depthwise": (
        lambda: net(c3=nn.Sequential(POINT, conv(32, 32, groups=32))),
        {SEPARABLE},
        [
            "`c3.1.0` is depthwise, but is followed by `pool3` (max_pool2d); follow it "
            "by nn.Conv2d(32, C, 1)",
        ],
    ),
    "a pointwise convolution with padding": (
        lambda: net(c3=nn.Sequential(conv(32, 32, groups=32), nn.Conv2d(32, 32, 1, padding=1))),
        {SEPARABLE},
        [
            "`c3.1` is 1 × 1 with padding 1: a border of bias, and the map goes 8x8 to "
            "10x10; set padding=0",
        ],
    ),
    "a pointwise convolution with groups": (
        lambda: net(c3=nn.Sequential(conv(32, 32, groups=32), nn.Conv2d(32, 32, 1, groups=4))),
        {SEPARABLE},
        [
            "`c3.1` has groups=4 and mixes no others; use groups=1",
        ],
    ),
    "depthwise that is dropped": (
        lambda: net(c3=Call(lambda self, x: (self.twice(x), self.conv(x))[1], twice=separable(),
                            conv=conv(32, 32))),
        {SEPARABLE},
        [
            "`c3.twice.0.0` runs, but its output is dropped; hand it on",
        ],
    ),
    "depthwise on a single pixel": (
        lambda: net(c3=conv(32, 32), gap=nn.Sequential(PARTS["gap"](), separable())),
        {SEPARABLE},
        [
            "`gap.1.0.0` runs on a 1x1 map and reads one pixel; move it earlier",
        ],
    ),
    "no separable convolution": (
        lambda: net(c3=conv(32, 32)),
        {SEPARABLE},
        [
            "no convolution has as many groups as channels; use nn.Conv2d(C, C, 3, "
            "padding=1, groups=C), then nn.Conv2d(C, D, 1)",
        ],
    ),
    "dilation of a 1 x 1": (
        lambda: net(c4=conv(32, 32, 1, 0, dilation=2),
                    c5=nn.Sequential(conv(32, 32), conv(32, 32))),
        {DILATED},
        [
            "`c4.0`: dilation 2 does nothing to a kernel of 1; use kernel_size=3, "
            "dilation=2, padding=2",
        ],
    ),
    "dilation along the axis without a kernel": (
        lambda: net(c4=conv(32, 32, (1, 3), (0, 1), dilation=(2, 1)), c1=conv(3, 16, 15, 7)),
        {DILATED},
        [
            "`c4.0`: dilation 2x1 does nothing to a kernel of 1x3; use kernel_size=3, "
            "dilation=2, padding=2",
        ],
    ),
    "dilation beyond the map": (
        lambda: net(c4=conv(32, 32, 3, 4, dilation=4)),
        {DILATED},
        [
            "`c4.0`: with dilation 4 at most one tap lies inside the 4x4 map; use a "
            "smaller dilation, or move it earlier",
            "note: `c4.0` adds 64 pixels to the field, but 89% of what its taps read on "
            "the 4x4 map is padding; without it, the field is 38",
        ],
    ),
    "dilation of a pool": (
        lambda: net(c4=conv(32, 32), pool1=nn.MaxPool2d(2, dilation=2)),
        {DILATED},
        [
            "`pool1` is a pooling, not a convolution; dilate a convolution",
        ],
    ),
    "dilation that never runs": (
        lambda: net(c4=NEEDY),
        {DILATED},
        [
            "`c4.spare` is defined but does not run; call it in forward",
            "note: nothing reads 9,248 parameters (`c4.spare.weight`, ...), but they "
            "count",
        ],
    ),
    "no dilation": (
        lambda: net(c4=conv(32, 32)),
        {DILATED},
        [
            "every dilation is 1; set dilation=2, padding=2 in a 3 × 3 convolution",
        ],
    ),
    "AvgPool2d(2) called GAP": (
        lambda: net(gap=nn.AvgPool2d(2), head=nn.Linear(128, 10)),
        {GAP},
        [
            "`gap` averages 2x2 of 4x4 and leaves 2x2, not 1x1; use "
            "nn.AdaptiveAvgPool2d(1)",
        ],
    ),
    "AvgPool2d(3) on 4 x 4": (
        lambda: net(gap=nn.AvgPool2d(3)),
        {GAP},
        [
            "`gap` averages 9 of the 16 pixels of the 4x4 map and leaves 7 out; use "
            "nn.AdaptiveAvgPool2d(1)",
        ],
    ),
    "AdaptiveAvgPool2d(2)": (
        lambda: net(gap=nn.AdaptiveAvgPool2d(2), head=nn.Linear(128, 10)),
        {GAP},
        [
            "`gap` leaves 2x2, not 1x1; use nn.AdaptiveAvgPool2d(1)",
        ],
    ),
    "flatten instead": (
        lambda: net(gap=None, head=nn.Linear(512, 10)),
        {GAP},
        [
            "`flat` (flatten) turns the 4x4 map into single numbers; use "
            "nn.AdaptiveAvgPool2d(1) instead",
        ],
    ),
    "global max-pooling": (
        lambda: net(gap=nn.AdaptiveMaxPool2d(1)),
        {GAP},
        [
            "`gap` (adaptive_max_pool2d) turns the 4x4 map into single numbers; use "
            "nn.AdaptiveAvgPool2d(1) instead",
        ],
    ),
    "a kernel as large as the map": (
        lambda: net(gap=nn.Conv2d(32, 32, 4)),
        {GAP},
        [
            "`gap` (conv2d) turns the 4x4 map into single numbers; use "
            "nn.AdaptiveAvgPool2d(1) instead",
        ],
    ),
    "an average of one pixel": (
        lambda: net(c5=nn.Conv2d(32, 32, 4)),
        {GAP},
        [
            "`c5` (conv2d) turns the 4x4 map into single numbers; use "
            "nn.AdaptiveAvgPool2d(1) instead; `gap` gets a 1x1 map and has nothing left "
            "to average",
        ],
    ),
    "a single pixel, channels last": (
        lambda: net(c5=nn.Conv2d(32, 32, 4), gap=Call(lambda x: x.permute(0, 2, 3, 1))),
        {GAP},
        [
            "`c5` (conv2d) turns the 4x4 map into single numbers; use "
            "nn.AdaptiveAvgPool2d(1) instead",
        ],
    ),
    "an average beside a maximum": (
        lambda: net(gap=Call(lambda x: torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)),
                    head=nn.Linear(64, 10)),
        {GAP},
        [
            "`gap.amax` (amax) turns the 4x4 map into single numbers; use "
            "nn.AdaptiveAvgPool2d(1) instead",
        ],
    ),
    "a sum": (
        lambda: net(gap=Call(lambda x: x.sum((2, 3)))),
        {GAP},
        [
            "`gap.sum` adds pixels up and does not divide by their number; use "
            "nn.AdaptiveAvgPool2d(1)",
        ],
    ),
    "a mean over channels": (
        lambda: net(gap=Call(lambda x: x.mean(1)), head=nn.Linear(16, 10)),
        {GAP},
        [
            "`gap.mean` does not average over height and width alone; use x.mean((2, 3))",
        ],
    ),
    "a mean over channels, as many as pixels": (
        lambda: net(c5=conv(32, 16), gap=Call(lambda x: x.flatten(2).mean(1)),
                    head=nn.Linear(16, 10)),
        {GAP},
        [
            "`gap.flatten` (flatten) turns the 4x4 map into single numbers; use "
            "nn.AdaptiveAvgPool2d(1) instead",
        ],
    ),
    "an average only as a gate": (
        lambda: net(c2=gated(), gap=None, head=nn.Linear(512, 10)),
        {GAP},
        [
            "`flat` (flatten) turns the 4x4 map into single numbers; use "
            "nn.AdaptiveAvgPool2d(1) instead",
        ],
    ),
    "an average that is dropped": (
        lambda: net(gap=Call(lambda x: (x.mean((2, 3)), x)[1]), head=nn.Linear(512, 10)),
        {GAP},
        [
            "`flat` (flatten) turns the 4x4 map into single numbers; use "
            "nn.AdaptiveAvgPool2d(1) instead; `gap.mean` runs, but its output is "
            "dropped; hand it on",
        ],
    ),
    "a map as the output": (
        lambda: net(c5=conv(32, 10), gap=None, flat=None, head=None),
        {GAP},
        [
            "the output is a map of 4x4; use nn.AdaptiveAvgPool2d(1) before the output",
            "note: the output has shape 10x4x4; CIFAR-10 needs 10 numbers per picture",
        ],
    ),
    "a million parameters": (
        lambda: net(head=nn.Sequential(nn.Linear(32, 25_000), nn.Linear(25_000, 10))),
        {PARAMS},
        [
            "the largest is `head.0.weight` with 800,000; 100,259 too many: use fewer "
            "channels, or separable convolutions",
        ],
    ),
    "no convolution at all": (
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(3072, 10)),
        STRUCTURAL,
        [
            "no convolution is followed by an output; build C1 to C4 from nn.Conv2d",
            "there is no convolution to read it at",
            "no convolution has as many groups as channels; use nn.Conv2d(C, C, 3, "
            "padding=1, groups=C), then nn.Conv2d(C, D, 1)",
            "every dilation is 1; set dilation=2, padding=2 in a 3 × 3 convolution",
            "`0` (flatten) turns the 32x32 map into single numbers; use "
            "nn.AdaptiveAvgPool2d(1) instead",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "rows", "says"), BAD.values(), ids=BAD)
def test_networks_that_do_not_pass(make, rows, says):
    report = grade(make(), accuracy=0.8)
    assert failed(report) == rows, report
    assert told(report) == says


def test_a_field_that_differs_is_shown_for_both_axes():
    report = grade(BAD["a field that is wide and not high"][0]())
    assert report[FIELD].measured == "22x54"


# ------------------------------------------------------------------ networks that do not run

BROKEN = {
    "a wrong size": (lambda: net(head=nn.Linear(99, 10)), "does not run on input_size=(3, 32, 32)"),
    "an unknown operation": (
        lambda: net(c1=Call(torch.fft.fft2)),
        "cannot follow 'c1.fft_fft2' (op fft_fft2 in",
    ),
    "values decide how many pixels there are": (
        lambda: net(c5=Call(lambda x: x * x[x > 0].mean())),
        "it runs, but cannot be followed: a shape in it depends on values, as that of x[x > 0]; "
        "use torch.where",
    ),
    "values decide how many channels there are": (
        lambda: net(c5=Call(lambda x: x[:, torch.nonzero(x[0, :, 0, 0] > -1)[:, 0]])),
        "it runs, but cannot be followed: a shape in it depends on values, as that of x[x > 0]; "
        "use torch.where",
    ),
    "a crash": (lambda: net(c1=Call(lambda x: 1 / 0)), "division by zero (in Call 'c1')"),
    "no input": (lambda: Call(lambda x: torch.zeros(1, 10)), "does not depend on its input"),
}


@pytest.mark.parametrize(("make", "why"), BROKEN.values(), ids=BROKEN)
def test_networks_that_do_not_run_get_a_report(make, why):
    report = grade(make(), accuracy=0.9)
    assert failed(report) >= STRUCTURAL
    assert {row.measured for row in report[:5]} == {"not traced"}
    assert why in report[0].why
    assert "\n" not in report[0].why
    assert {row.why for row in report[1:5]} == {"as above"}
    assert report[ACCURACY].passed


def test_a_model_without_parameters_is_told_to_have_some():
    row = grade(nn.Flatten(), 0.8)[PARAMS]
    why = "the model registers no parameters; build it from nn layers"
    assert (row.measured, row.passed, row.why) == ("0", False, why)


def test_lazy_layers_have_no_count_yet():
    report = grade(nn.LazyConv2d(4, 3))
    assert not any(row.passed for row in report)
    assert report[PARAMS].measured == "unknown"
    assert "run the model on an input once" in report[PARAMS].why


# ------------------------------------------------------------------ parameters and accuracy


@pytest.mark.parametrize(("count", "passed"), [(999_999, True), (1_000_000, False)])
def test_parameters_must_be_under_a_million(count, passed):
    row = grade(nn.Linear(count, 1, bias=False, device="meta"))[PARAMS]
    assert (row.measured, row.passed) == (f"{count:,}", passed)
    assert ("1 too many" in row.why) is not passed


def test_weights_that_are_no_parameters_do_not_count():
    assert grade(nn.ReLU())[PARAMS].why == (
        "the model registers no parameters; build it from nn layers"
    )


@pytest.mark.parametrize(
    ("accuracy", "measured", "passed"),
    [
        (0.8, "80 %, self-reported", True),
        (0.79996, "79.996 %, self-reported", False),
        (torch.tensor(0.875), "87.5 %, self-reported", True),
        (1, "100 %, self-reported", True),
        (None, "not measured", False),
    ],
)
def test_accuracy(accuracy, measured, passed):
    report = grade(net(), accuracy=accuracy)
    assert (report[ACCURACY].measured, report[ACCURACY].passed) == (measured, passed)
    assert report.passed is passed


@pytest.mark.parametrize(
    ("accuracy", "hint"),
    [
        (85, "for 85 % use 0.85"),
        (100, "for 100 % use 1"),
        (101, "use 0.85"),
        (-0.1, "use 0.85"),
        (float("nan"), "use 0.85"),
        (True, "use 0.85"),
        ("high", "use 0.85"),
    ],
)
def test_an_accuracy_is_between_0_and_1(accuracy, hint):
    with pytest.raises(ValueError, match=f"accuracy={accuracy!r} is not between 0 and 1; {hint}"):
        grade(net(), accuracy=accuracy)


@pytest.mark.parametrize(
    ("model", "size", "error", "message"),
    [
        (nn.Conv2d, (3, 32, 32), TypeError, r"model=Conv2d is not an nn.Module; call it: Conv2d()"),
        (3, (3, 32, 32), TypeError, "model=int is not an nn.Module"),
        (nn.ReLU(), (3, 32), ValueError, "input_size=(3, 32) is not (channels, height, width)"),
        (nn.ReLU(), (3, 0, 32), ValueError, "input_size=0 is too small"),
        (nn.ReLU(), 32, ValueError, "input_size=32 is not (channels, height, width)"),
    ],
)
def test_bad_arguments(model, size, error, message):
    with pytest.raises(error) as caught:
        grade(model, input_size=size)
    assert message in str(caught.value)


def test_another_input_size():
    report = grade(net(c1=conv(1, 16)), 0.8, (1, 28, 28))
    assert report.passed
    assert "`pool3` halves an odd map, 7x7 to 3x3 (allowed)" in report[POOLS].why
    assert report[GAP].measured == "32x3x3 to 32 by `gap`"


# ------------------------------------------------------------------ remarks

REMARKS = {
    "other classes": (
        lambda: net(head=nn.Linear(32, 100)),
        "the output has shape 100; CIFAR-10 needs 10 numbers per picture",
    ),
    "a padded 1 x 1": (
        lambda: net(c5=conv(32, 32, 1, 1)),
        "`c5.0` is 1 × 1 with padding 1: a border of bias, and the map goes 4x4 to 6x6; "
        "set padding=0",
    ),
    "dilation with the padding of a plain one": (
        lambda: net(c4=conv(32, 32, 3, 1, dilation=2)),
        "`c4.0`: dilation 2 with kernel 3 needs padding 2 to keep 4x4; it has 1, and the map "
        "shrinks to 2x2",
    ),
    "dilation with a padding that is short on one axis": (
        lambda: net(c4=conv(32, 32, 3, (1, 3), dilation=2)),
        "`c4.0`: dilation 2 with kernel 3 needs padding 2 to keep 4x4; it has 1x3, and the map "
        "goes to 2x6",
    ),
    "dilation of an even kernel, which no number keeps": (
        lambda: net(c2=conv(16, 32, 4, 3, dilation=3)),
        "`c2.0`: dilation 3 with kernel 4 needs padding 'same' to keep 16x16; it has 3, and the "
        "map shrinks to 13x13",
    ),
    "a depthwise dilation that shrinks its map": (
        lambda: net(c3=separable(padding=1, dilation=2), c4=conv(32, 32)),
        "`c3.0.0`: dilation 2 with kernel 3 needs padding 2 to keep 8x8; it has 1, and the map "
        "shrinks to 6x6",
    ),
    "a second dilated convolution that shrinks its map": (
        lambda: net(c5=conv(32, 32, 3, 1, dilation=2)),
        "`c5.0`: dilation 2 with kernel 3 needs padding 2 to keep 4x4; it has 1, and the map "
        "shrinks to 2x2",
    ),
    "idle parameters": (
        lambda: net(c5=Call(lambda self, x: self.a(x), a=conv(32, 32), b=nn.Linear(4, 2))),
        "nothing reads 10 parameters (`c5.b.weight`, ...), but they count",
    ),
    "work for nothing": (
        lambda: net(c5=Call(lambda self, x: (self.b(x), self.a(x))[1], a=conv(32, 32),
                            b=nn.Conv2d(32, 8, 3))),
        "`c5.b` runs, but its output is dropped; hand it on",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "remark"), REMARKS.values(), ids=REMARKS)
def test_remarks_do_not_decide(make, remark):
    report = grade(make(), 0.8)
    assert report.passed
    assert told(report) == [f"note: {remark}"]


# ------------------------------------------------------------------ the model and the report


def test_the_model_is_left_alone():
    model = net().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.random.get_rng_state()
    grade(model)
    assert all(module.training for module in model.modules())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.fixture(scope="module")
def report():
    return grade(net(c4=conv(32, 32, 3, 1, dilation=2), head=nn.Linear(32, 9)))


def test_the_report_as_text(report):
    assert repr(report).splitlines() == [
        "met  requirement                                 measured",
        "yes  three transitions by max-pool, C1 C2 C3 C4  3",
        "     `pool1`, `pool2`, `pool3`, with convolutions before, between and after",
        "yes  receptive field above 44 pixels             70",
        "     read at `c5.0`, the last convolution",
        "yes  a depthwise separable convolution           `c3.0.0` + `c3.1`",
        "     `c3.0.0` has a filter for each of 32 channels (kernel 3), and the 1 × 1",
        "     `c3.1` mixes them",
        "yes  a dilated convolution                       `c4.0`: kernel 3, dilation 2",
        "     its taps stand apart; the map goes 4x4 to 2x2",
        "yes  global average pooling                      32x2x2 to 32 by `gap`",
        "     each of the 32 numbers is a mean over all pixels of its channel",
        "yes  under 1,000,000 parameters                  25,545",
        "     the largest is `c4.0.weight` with 9,216",
        "no   accuracy of at least 80% on CIFAR-10        not measured",
        "     hand the test accuracy in, or use --weights, --data",
        "     note: `c4.0`: dilation 2 with kernel 3 needs padding 2 to keep 4x4; it",
        "     has 1, and the map shrinks to 2x2",
        "     note: the output has shape 9; CIFAR-10 needs 10 numbers per picture",
        "not passed: 6 of 7 requirements",
    ]


def test_the_report_as_html_says_the_same_as_the_text(report):
    page = report._repr_html_()
    assert page.count("<tr>") == 1 + len(report) == 8
    assert page.count('<th scope="col">') == 4
    assert page.count('<th scope="row">') == len(report)
    assert page.count("✓&nbsp;yes") == 6
    assert page.count("✗&nbsp;no") == 1
    assert "<td><code>c3.0.0</code> + <code>c3.1</code></td>" in page
    assert "<p>Note: the output has shape 9;" in page
    assert "<p>not passed: 6 of 7 requirements</p>" in page


def test_lines_are_as_long_as_those_of_the_book():
    """77 columns with the indentation: one word more would be the 78th."""
    row = Requirement("a", "b", True, f"{'c' * 71} d")
    assert repr(Report([row])).splitlines()[2:4] == ["     " + "c" * 71, "     d"]


def test_html_is_escaped():
    row = Requirement("<b>", "`<i>`", True, "a & b")
    page = Report([row], ["<u>"])._repr_html_()
    assert "&lt;b&gt;" in page
    assert "<code>&lt;i&gt;</code>" in page
    assert "a &amp; b" in page
    assert "&lt;u&gt;" in page


def test_the_report_survives_json(report):
    stored = json.loads(json.dumps(report.to_dict()))
    assert stored["passed"] is False
    assert stored["rows"][PARAMS] == {
        "requirement": "under 1,000,000 parameters",
        "measured": "25,545",
        "passed": True,
        "why": "the largest is `c4.0.weight` with 9,216",
    }
    again = Report.from_dict(stored)
    assert repr(again) == repr(report)
    assert [*again] == [*report]


def test_each_requirement_has_one_row(report):
    assert len({row.requirement for row in report}) == len(report) == 7
    assert package.grade is grade


def test_an_address_is_graded_by_default_as_a_model_is():
    defaults = [inspect.signature(one).parameters for one in (grade, grade_address)]
    for name in ("accuracy", "input_size", "profile"):
        assert defaults[0][name].default == defaults[1][name].default
