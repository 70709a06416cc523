"""What the grader finds out by running a network: outputs, idle branches, values; and profiles."""

import inspect
import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convbook.grade import grade
from convbook.grade.profile import load, names
from tests.helpers.assignment import (
    DILATED,
    FIELD,
    GAP,
    POOLS,
    SEPARABLE,
    Call,
    conv,
    failed,
    net,
    separable,
    told,
)
from tests.helpers.networks import Net


def head(function):
    return net(head=Net(function, scores=nn.Linear(32, 10)))


# ------------------------------------------------------------------ what comes out

PROBABILITIES = (
    "hands out probabilities, and cross-entropy takes a softmax of its own: hand out the numbers "
    "that go into it, or use F.log_softmax(x, 1)"
)
PICTURES = "compares pictures, not classes: its numbers are normalised over the batch; use dim=1"
LAST = "hand out the numbers that go into it"
MIXED = "the forward mixes pictures; keep the batch, as x.flatten(1) does"
OUTPUTS = {
    "softmax": (
        lambda s, x: F.softmax(s.scores(x), 1),
        [f"`head.softmax` (softmax) {PROBABILITIES}"],
    ),
    "softmax along -1": (
        lambda s, x: s.scores(x).softmax(-1),
        [f"`head.softmax` (softmax) {PROBABILITIES}"],
    ),
    "softmax, then a view": (
        lambda s, x: s.scores(x).softmax(-1).view(-1, 10),
        [f"`head.softmax` (softmax) {PROBABILITIES}"],
    ),
    "a softmax by hand": (
        lambda s, x: (e := s.scores(x).exp()) / e.sum(1, keepdim=True),
        [f"`head.div` (div) {PROBABILITIES}"],
    ),
    "log-softmax": (lambda s, x: F.log_softmax(s.scores(x), 1), []),
    "the logarithm of a softmax": (lambda s, x: s.scores(x).softmax(1).log(), []),
    "softmax for those who only look": (
        lambda s, x: s.scores(x) if s.training else s.scores(x).softmax(1),
        [],
    ),
    "softmax over the batch": (
        lambda s, x: F.softmax(s.scores(x), 0),
        [f"`head.softmax` (softmax) {PICTURES}"],
    ),
    "log-softmax over the batch": (
        lambda s, x: F.log_softmax(s.scores(x), 0),
        [f"`head.log_softmax` (log_softmax) {PICTURES}"],
    ),
    "sigmoid": (
        lambda s, x: s.scores(x).sigmoid(),
        [f"`head.sigmoid` (sigmoid) is the last operation: no number can grow; {LAST}"],
    ),
    "relu": (
        lambda s, x: s.scores(x).relu(),
        [f"`head.relu` (relu) is the last operation: numbers below 0 are lost; {LAST}"],
    ),
    "relu, then scores": (lambda s, x: s.scores(x.relu()), []),
    "a view that forgets the batch": (
        lambda s, x: s.scores(x).view(-1),
        [f"for 4 pictures the output has shape 40: {MIXED}"],
    ),
    "a mean over the batch": (
        lambda s, x: s.scores(x).mean(0, keepdim=True),
        [f"for 4 pictures the output has shape 1x10: {MIXED}"],
    ),
    "a number for each of 5 classes": (
        lambda s, x: s.scores(x)[:, :5],
        ["the output has shape 5; CIFAR-10 needs 10 numbers per picture"],
    ),
}


@pytest.mark.parametrize(("function", "notes"), OUTPUTS.values(), ids=OUTPUTS)
def test_what_comes_out(function, notes):
    report = grade(head(function), 0.8)
    assert report.passed
    assert [*report.remarks] == notes


SEVERAL = {
    "scores and features": (lambda s, x: (s.scores(x), x), "10 and 32", "head.scores"),
    "features and scores": (lambda s, x: [x, s.scores(x)], "32 and 10", "head.scores"),
    "a dict": (lambda s, x: {"features": x, "logits": s.scores(x)}, "32 and 10", "head.scores"),
    "scores twice, as with an auxiliary head": (
        lambda s, x: (s.scores(x), s.scores(x.relu())),
        "10 and 10",
        "head.scores",
    ),
}


@pytest.mark.parametrize(("function", "shapes", "name"), SEVERAL.values(), ids=SEVERAL)
def test_the_class_scores_among_several_outputs_are_judged(function, shapes, name):
    report = grade(head(function), 0.8)
    assert report.passed
    assert report.remarks == (
        f"forward returns 2 tensors, of shape {shapes}: `{name}` is judged, but a loss takes one; "
        "return the 10 class scores alone",
    )


def test_a_map_may_be_returned_beside_the_scores():
    """It goes through no average, but the loss does not see it either."""

    def forward(self, x):
        return self.scores(x.mean((2, 3))), x

    report = grade(net(gap=Net(forward, scores=nn.Linear(32, 10)), flat=None, head=None), 0.8)
    assert report.passed
    assert report[GAP].measured == "32x4x4 to 32 by `gap.mean`"


def test_what_leads_to_another_output_only_does_not_count():
    def forward(self, x):
        return self.scores(self.plain(x).mean((2, 3))), self.wide(x)

    parts = {"scores": nn.Linear(32, 10), "wide": conv(32, 32, padding=2, dilation=2)}
    plain = nn.Sequential(conv(32, 32), conv(32, 32))
    report = grade(
        net(c4=Net(forward, plain=plain, **parts), c5=None, gap=None, flat=None, head=None), 0.8
    )
    assert failed(report) == {DILATED}
    assert (
        report[DILATED].why
        == "`c4.wide.0` leads to another output only; let the class scores use it"
    )


# ------------------------------------------------------------------ branches that change nothing

UNHEARD = (
    "runs, but no change of its result changes the output, as if it were multiplied by 0; "
    "let it take part"
)


def wide():
    return conv(32, 32, padding=2, dilation=2)


SILENT = {
    "times 0": lambda s, x: x + 0 * s.wide(x),
    "times 0.0, normalised": lambda s, x: x + 0.0 * s.wide(x).sigmoid(),
    "times zeros": lambda s, x: x + s.wide(x) * torch.zeros(1),
    "alpha is 0": lambda s, x: torch.add(x, s.wide(x), alpha=0),
    "added and taken away": lambda s, x: x + (y := s.wide(x)) - y,
    "as zeros_like": lambda s, x: x + torch.zeros_like(s.wide(x)),
    "times a new zero": lambda s, x: x + s.wide(x) * x.new_zeros(32, 1, 1),
}


@pytest.mark.parametrize("function", SILENT.values(), ids=SILENT)
def test_a_branch_that_changes_nothing_does_not_count(function):
    report = grade(
        net(c4=Net(function, wide=wide()), c5=nn.Sequential(conv(32, 32), conv(32, 32))), 0.8
    )
    assert failed(report) == {DILATED}
    # Two 3 x 3 at jump 8 after 22 pixels; the branch would make it 86.
    assert report[FIELD].measured == "54"
    assert "`c4.wide.0` " in report[DILATED].why


def test_of_a_chain_that_changes_nothing_the_first_is_named():
    report = grade(
        net(c4=Net(SILENT["times 0"], wide=wide()), c5=nn.Sequential(conv(32, 32), conv(32, 32))),
        0.8,
    )
    assert told(report) == [f"`c4.wide.0` {UNHEARD}"]


def test_a_separable_branch_that_changes_nothing():
    report = grade(
        net(c3=nn.Sequential(conv(32, 32), Net(lambda s, x: x + 0 * s.pair(x), pair=separable()))),
        0.8,
    )
    assert told(report) == [f"`c3.1.pair.0.0` {UNHEARD}"]
    assert failed(report) == {SEPARABLE}


class Rescaled(nn.Module):
    """A factor that starts at 0 and is learnt, as ReZero and LayerScale have it."""

    def __init__(self, shape):
        super().__init__()
        self.wide, self.factor = wide(), nn.Parameter(torch.zeros(shape))

    def forward(self, x):
        return x + self.factor * self.wide(x)


@pytest.mark.parametrize("shape", [(), (1,), (32, 1, 1)])
def test_a_factor_that_starts_at_0_is_no_branch_times_0(shape):
    assert told(grade(net(c4=Rescaled(shape)), 0.8)) == []


def test_a_normalisation_that_starts_at_0_is_none_either():
    layer = wide()
    nn.init.zeros_(layer[1].weight)
    assert told(grade(net(c4=Net(lambda s, x: x + s.wide(x), wide=layer)), 0.8)) == []


@pytest.mark.parametrize(
    "function",
    [
        lambda s, x: x + s.wide(x).detach(),
        lambda s, x: x + s.wide(x).sign(),
        lambda s, x: x + torch.no_grad()(s.wide)(x),
    ],
)
def test_a_branch_without_gradient_counts_and_is_remarked(function):
    report = grade(net(c4=Net(function, wide=wide())), 0.8)
    assert told(report) == ["note: no gradient reaches `c4.wide.0`, so it learns nothing"]


def test_nobody_is_accused_where_convolutions_cannot_be_told_apart():
    """One convolves a constant, which a trace does not follow: the numbers do not fit."""
    constant = Net(
        lambda s, x: s.conv(x) + s.other(torch.ones(1, 3, 4, 4)).mean(),
        conv=conv(3, 16),
        other=nn.Conv2d(3, 4, 3),
    )
    report = grade(net(c1=constant, c4=Net(SILENT["times 0"], wide=wide())), 0.8)
    # Of parameters, which have names, the truth is known: 9,216 + 32 + 2 * 32 of the silent branch.
    assert told(report) == [
        "note: no change of 9,312 parameters (`c4.wide.0.weight`, ...) changes the output, but "
        "they count"
    ]


# ------------------------------------------------------------------ parameters that do nothing


class Ballast(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function
        self.conv, self.first = conv(32, 32), nn.Parameter(torch.ones(1000))
        self.second = nn.Parameter(torch.ones(20))

    def forward(self, x):
        return self.function(self, self.conv(x))


BALLAST = {
    "nobody reads them": (
        lambda s, x: x,
        ["nothing reads 1,020 parameters (`c5.first`, ...), but they count"],
    ),
    "one is read": (
        lambda s, x: x * s.second.mean(),
        ["nothing reads 1,000 parameters (`c5.first`), but they count"],
    ),
    "one is multiplied by 0": (
        lambda s, x: x * s.second.mean() + 0 * s.first.sum(),
        ["no change of 1,000 parameters (`c5.first`) changes the output, but they count"],
    ),
    "both are looked at, and forgotten": (
        lambda s, x: (s.first.sum() + s.second.sum(), x)[1],
        ["no change of 1,020 parameters (`c5.first`, ...) changes the output, but they count"],
    ),
    "only their shape is used": (
        lambda s, x: x * s.second.mean() + torch.zeros_like(s.first).sum(),
        ["no change of 1,000 parameters (`c5.first`) changes the output, but they count"],
    ),
    "both count": (lambda s, x: x * s.second.mean() + s.first.sum(), []),
}


@pytest.mark.parametrize(("function", "notes"), BALLAST.values(), ids=BALLAST)
def test_parameters_that_do_nothing(function, notes):
    report = grade(net(c5=Ballast(function)), 0.8)
    assert report.passed
    assert [*report.remarks] == notes


def test_a_layer_that_does_not_run_is_named_where_it_would_help():
    """A plain convolution in the attic is no dilated and no depthwise one."""
    parts = {"plain": nn.Conv2d(32, 32, 3), "deep": nn.Conv2d(32, 32, 3, groups=32)}
    attic = Net(lambda s, x: s.used(x), used=conv(32, 32), **parts)
    report = grade(net(c3=conv(32, 32), c4=attic), 0.8)
    assert failed(report) == {SEPARABLE, DILATED}
    assert report[SEPARABLE].why == "`c4.deep` is defined but does not run; call it in forward"
    assert report[DILATED].why == (
        "every dilation is 1; set dilation=2, padding=2 in a 3 × 3 convolution"
    )


class Pool(nn.MaxPool2d):
    """A student's own layer."""


def test_a_layer_of_ones_own_runs():
    report = grade(net(pool1=Pool(2), pool2=nn.AvgPool2d(2)), 0.8)
    assert told(report) == [
        "only `pool1.max_pool2d`, `pool3` count; put nn.MaxPool2d(2) between two blocks of "
        "convolutions; `pool2` takes means; use nn.MaxPool2d(2)"
    ]


# ------------------------------------------------------------------ values decide

LOOKS = "forward looks at values in tensors; judged is the way that one random picture takes"
VALUES = {
    "if": lambda s, x: s.conv(x) if x.abs().max() > 0 else x,
    "item": lambda s, x: s.conv(x) / (x.max().item() + 1),
    "a loop": lambda s, x: [s.conv(x) for _ in range(int(x.sum() * 0) + 1)][-1],
    "assert": lambda s, x: s.conv(x) if not torch.isnan(x).any() else 1 / 0,
    "equal": lambda s, x: x if torch.equal(x, -x) else s.conv(x),
    "a list": lambda s, x: s.conv(x * (1 + 0 * x.mean((0, 2, 3)).tolist()[0])),
}


@pytest.mark.parametrize("function", VALUES.values(), ids=VALUES)
def test_a_forward_may_look_at_values(function):
    report = grade(net(c5=Net(function, conv=conv(32, 32))), 0.8)
    assert report.passed
    assert report[FIELD].measured == "70"
    assert report.remarks == (LOOKS,)


def test_the_way_not_taken_is_not_judged():
    function = lambda s, x: s.wide(x) if x.abs().max() > 1e9 else x  # noqa: E731
    report = grade(
        net(c4=Net(function, wide=wide()), c5=nn.Sequential(conv(32, 32), conv(32, 32))), 0.8
    )
    assert failed(report) == {DILATED}
    assert report[DILATED].why == "`c4.wide.0` is defined but does not run; call it in forward"


def test_a_network_that_runs_is_not_said_not_to_run():
    report = grade(net(c5=Call(lambda x: x if x.device.type == "cpu" else 1 / 0)), 0.8)
    begin = "it runs, but cannot be followed: division by zero (in Call 'c5')"
    assert report[POOLS].why.startswith(begin)


# ------------------------------------------------------------------ branches that meet again


def meeting(count):
    """Return a part whose branches meet `count` times, so that 2 ** count ways lead through it."""
    return lambda x: list(itertools.accumulate(range(count), lambda y, _: y.relu() + y, initial=x))[
        -1
    ]


def test_a_remark_is_said_once_however_many_ways_lead_to_it():
    part = Net(
        lambda s, x: s.point(meeting(16)(s.depth(x))),
        depth=conv(32, 32, groups=32),
        point=nn.Conv2d(32, 32, 1, padding=1),
    )
    report = grade(net(c3=part), 0.8)
    assert told(report) == [
        "`c3.point` is 1 × 1 with padding 1: a border of bias, and the map goes 8x8 to 10x10; "
        "set padding=0"
    ]


def test_two_depthwise_convolutions_before_one_fault():
    part = Net(
        lambda s, x: s.point(s.one(x) + s.two(x)),
        one=conv(32, 32, groups=32),
        two=conv(32, 32, groups=32),
        point=nn.Conv2d(32, 32, 1, groups=4),
    )
    assert told(grade(net(c3=part), 0.8)) == [
        "`c3.point` has groups=4 and mixes no others; use groups=1"
    ]


def test_of_very_many_remarks_the_first_are_said():
    many = nn.Sequential(*[nn.Conv2d(32, 32, 1, dilation=2) for _ in range(40)])
    why = grade(net(c4=conv(32, 32), c5=many), 0.8)[DILATED].why
    remark = (
        "`c5.{}`: dilation 2 does nothing to a kernel of 1; use kernel_size=3, dilation=2, "
        "padding=2"
    )
    first = [remark.format(number) for number in range(5)]
    assert why == "; ".join([*first, "and 35 more remarks like these"])


def test_meeting_outputs_and_ends():
    gap = Call(lambda x: meeting(16)(x.mean((2, 3))))
    assert told(grade(net(gap=gap), 0.8)) == []
    gap = Call(lambda x: meeting(16)(x).amax((2, 3)))
    assert told(grade(net(gap=gap), 0.8)) == [
        "`gap.amax` (amax) turns the 4x4 map into single numbers; use nn.AdaptiveAvgPool2d(1) "
        "instead"
    ]


# ------------------------------------------------------------------ fields made of padding

BOUGHT = "`{}` adds {} pixels to the field, but {} of what its taps read on the {} map is padding"
FIELDS = {
    # jump 4; on each axis 8 + 1 + 1 of 24 taps lie on the map: 1 - (10/24)**2 = 83 %
    "dilation 7 on 8x8": (
        lambda: net(c3=nn.Sequential(separable(), conv(32, 32, padding=7, dilation=7))),
        "126",
        [BOUGHT.format("c3.1.0", 56, "83%", "8x8")],
    ),
    # jump 8; 4 + 1 + 1 of 12: 75 %; 70 - 32 + 48, and 38 without it
    "dilation 3 on 4x4": (
        lambda: net(c4=conv(32, 32, padding=3, dilation=3)),
        "86",
        [BOUGHT.format("c4.0", 48, "75%", "4x4") + "; without it, the field is 38"],
    ),
    "the same, padded by a layer": (
        lambda: net(c4=nn.Sequential(nn.ZeroPad2d(3), conv(32, 32, padding=0, dilation=3))),
        "86",
        [BOUGHT.format("c4.1.0", 48, "75%", "4x4") + "; without it, the field is 38"],
    ),
    # 15 taps on 4 pixels: 16 of 60 on each axis: 1 - (4/15)**2 = 93 %
    "a kernel of 15 on 4x4": (
        lambda: net(c5=conv(32, 32, 15, 7)),
        "166",
        [BOUGHT.format("c5.0", 112, "93%", "4x4")],
    ),
    # 4 + 2 + 2 of 12: 56 % of the taps read padding, as in many a good network
    "dilation 2 on 4x4": (net, "70", []),
    "a kernel of 7 on 4x4": (lambda: net(c5=conv(32, 32, 7, 3)), "102", []),
}


@pytest.mark.parametrize(("make", "field", "notes"), FIELDS.values(), ids=FIELDS)
def test_a_field_that_is_bought_with_padding(make, field, notes):
    report = grade(make(), 0.8)
    assert report.passed
    assert report[FIELD].measured == field
    assert [*report.remarks] == notes


def test_a_padding_layer_does_not_bring_a_tap_onto_the_map():
    part = nn.Sequential(nn.ZeroPad2d(4), conv(32, 32, padding=0, dilation=4))
    report = grade(net(c4=part), 0.8)
    assert failed(report) == {DILATED}
    assert report[DILATED].why == (
        "`c4.1.0`: with dilation 4 at most one tap lies inside the 4x4 map; use a smaller "
        "dilation, or move it earlier"
    )


# ------------------------------------------------------------------ averages that are not global

HALF = {
    "3 of 4": (nn.AvgPool2d(3), "averages 9 of the 16 pixels of the 4x4 map and leaves 7 out"),
    "3 of 4, step by step": (nn.AvgPool2d(3, 1), "averages 3x3 of 4x4 and leaves 2x2, not 1x1"),
    "4 x 3": (nn.AvgPool2d((4, 3)), "averages 12 of the 16 pixels of the 4x4 map and leaves 4 out"),
    "with padding": (nn.AvgPool2d(6, padding=1), "averages padding into the pixels of the 4x4 map"),
}


@pytest.mark.parametrize(("pool", "says"), HALF.values(), ids=HALF)
def test_an_average_that_leaves_pixels_out_says_so(pool, says):
    flat = nn.Sequential(nn.Flatten(), nn.LazyLinear(32))
    model = net(gap=pool, flat=flat)
    model(torch.zeros(2, 3, 32, 32))  # the lazy layer gets its shape
    report = grade(model, 0.8)
    assert told(report) == [f"`gap` {says}; use nn.AdaptiveAvgPool2d(1)"]


@pytest.mark.parametrize(
    "after",
    [
        [nn.Flatten()],
        [nn.Conv2d(32, 10, 1), nn.Flatten()],
        [nn.ReLU(), nn.Dropout(), nn.Conv2d(32, 10, 1), nn.Flatten()],
        [Call(lambda x: x.permute(0, 2, 3, 1)), nn.Linear(32, 10), nn.Flatten()],
    ],
)
def test_the_pool_is_blamed_and_not_what_flattens_its_map(after):
    """On 64 x 64 the last map is 8 x 8, so that AvgPool2d(4) leaves 2 x 2."""
    report = grade(
        net(gap=nn.AvgPool2d(4), flat=nn.Sequential(*after), head=None), 0.8, (3, 64, 64)
    )
    assert (
        report[GAP].why
        == "`gap` averages 4x4 of 8x8 and leaves 2x2, not 1x1; use nn.AdaptiveAvgPool2d(1)"
    )


# ------------------------------------------------------------------ profiles and defaults


def test_profiles():
    assert names() == ["s7-2020", "s7-2021"]
    assert load("s7-2020")[1:] == ("max-pool", 44, 1_000_000, 0.8, 10, "CIFAR-10")
    assert load("s7-2021")[1:] == ("convolution", 44, 200_000, 0.85, 10, "CIFAR-10")


def test_public_defaults():
    """Readers rely on them; a change is a change of the assignment."""
    settings = inspect.signature(grade).parameters
    defaults = {name: one.default for name, one in settings.items() if name != "model"}
    assert defaults == {"accuracy": None, "input_size": (3, 32, 32), "profile": "s7-2020"}
    assert repr(grade(net())) == repr(grade(net(), None, (3, 32, 32), "s7-2020"))


def test_an_accuracy_of_0_is_a_number():
    row = grade(net(), accuracy=0)[-1]
    assert (row.measured, row.passed, row.why) == (
        "0 %, self-reported",
        False,
        "nobody has measured it here",
    )


@pytest.mark.parametrize("profile", ["s7", "", None, "../s7-2020"])
def test_unknown_profiles(profile):
    message = f"profile={profile!r} is unknown; use one of s7-2020, s7-2021"
    with pytest.raises(ValueError, match=message):
        grade(net(), profile=profile)


def strided(c_in, c_out):
    return conv(c_in, c_out, stride=2)


def later(**others):
    """Return a network that meets the later profile, with other parts."""
    parts = {"pool1": strided(16, 16), "pool2": strided(32, 32), "pool3": strided(32, 32)}
    return net(**{**parts, **others})


def shortcut(c_in, c_out):
    """A residual block with a stride, as ResNet has it: a 1 x 1 keeps the shortcut's size."""
    main = nn.Sequential(strided(c_in, c_out), conv(c_out, c_out))
    return Net(lambda s, x: s.main(x) + s.side(x), main=main, side=nn.Conv2d(c_in, c_out, 1, 2))


LATER = {
    # name: (network, what is measured, what is said)
    "three strides": (
        later,
        "3 by stride, 1 by dilation",
        "`pool1.0`, `pool2.0`, `pool3.0` halve the map; no map is max-pooled",
    ),
    "residual blocks": (
        lambda: later(pool2=shortcut(32, 32)),
        "3 by stride, 1 by dilation",
        "`pool1.0`, `pool2.main.0.0`, `pool3.0` halve the map; no map is max-pooled",
    ),
    "a dilation in place of a stride": (
        lambda: later(pool3=None),
        "2 by stride, 1 by dilation",
        "`pool1.0`, `pool2.0` halve the map, and `c4.0` dilated in place of a stride; "
        "no map is max-pooled",
    ),
    "dilations only": (
        lambda: later(**{f"pool{i}": conv(c, c, padding=8, dilation=8)
                         for i, c in ((1, 16), (2, 32), (3, 32))}),
        "0 by stride, 4 by dilation",
        "`pool1.0`, `pool2.0`, `pool3.0`, `c4.0` are dilated in place of a stride; "
        "no map is max-pooled",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "measured", "why"), LATER.values(), ids=LATER)
def test_networks_that_meet_the_later_profile(make, measured, why):
    report = grade(make(), 0.85, profile="s7-2021")
    assert report.passed, report
    assert (report[POOLS].measured, report[POOLS].why) == (measured, why)
    assert report.remarks == ()


ASKED = "let three 3 × 3 convolutions have stride 2, or a dilation in its place"
NOT_LATER = {
    "max-pools": (
        net,
        f"`pool1`, `pool2`, `pool3`: use nn.Conv2d(C, D, 3, stride=2, padding=1) instead of a "
        f"max-pool; only `c4.0` counts; {ASKED}",
    ),
    "one max-pool is left": (
        lambda: later(pool2=nn.MaxPool2d(2)),
        "`pool2`: use nn.Conv2d(C, D, 3, stride=2, padding=1) instead of a max-pool",
    ),
    "strides of a 1 x 1": (
        lambda: later(pool1=nn.Conv2d(16, 16, 1, 2), pool2=nn.Conv2d(32, 32, 1, 2)),
        f"only `pool3.0`, `c4.0` count; {ASKED}; `pool1` has kernel 1 and stride 2; use "
        "kernel_size=3, stride=2; `pool2` has kernel 1 and stride 2; use kernel_size=3, stride=2",
    ),
    "dilations of a 1 x 1": (
        lambda: later(
            pool1=nn.Conv2d(16, 16, 1, dilation=2), pool2=nn.Conv2d(32, 32, 1, dilation=2)
        ),
        f"only `pool3.0`, `c4.0` count; {ASKED}",
    ),
    "dilations along the axis without taps": (
        lambda: later(
            pool1=nn.Conv2d(16, 16, (3, 1), padding=(1, 0), dilation=(1, 2)),
            pool2=nn.Conv2d(32, 32, (1, 3), padding=(0, 1), dilation=(2, 1)),
        ),
        f"only `pool3.0`, `c4.0` count; {ASKED}",
    ),
    "means": (
        lambda: later(pool1=nn.AvgPool2d(2), pool2=nn.AvgPool2d(2)),
        f"only `pool3.0`, `c4.0` count; {ASKED}; `pool1` takes means (32x32 to 16x16); use a "
        "convolution with stride 2; `pool2` takes means (16x16 to 8x8); use a convolution with "
        "stride 2",
    ),
    "four strides": (
        lambda: later(c2=strided(16, 32)),
        "`pool1.0`, `c2.0`, `pool2.0`, `pool3.0` have a stride: three are asked for; take 1 of "
        "them out",
    ),
}


@pytest.mark.parametrize(("make", "why"), NOT_LATER.values(), ids=NOT_LATER)
def test_networks_that_do_not_meet_the_later_profile(make, why):
    row = grade(make(), 0.85, profile="s7-2021")[POOLS]
    assert (row.passed, row.why) == (False, why)


def test_the_later_profile_asks_for_fewer_parameters_and_a_higher_accuracy():
    report = grade(later(head=nn.Linear(32, 10_000)), 0.84, profile="s7-2021")
    rows = {row.requirement: row.passed for row in report}
    assert rows["under 200,000 parameters"] is False
    assert rows["accuracy of at least 85% on CIFAR-10"] is False
    count = sum(parameter.numel() for parameter in later(head=nn.Linear(32, 10_000)).parameters())
    assert f"; {count - 199_999:,} too many: " in report[5].why
