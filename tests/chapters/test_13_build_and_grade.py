"""Chapter 13, Build it, grade it: its quiz answers, its file to hand in, its exercises' answers."""

import argparse
import math
import re
from collections import OrderedDict
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import yaml
from torch import nn

from convbook import cli
from convbook.analysis import trace
from convbook.course.checks import build_and_grade as exercises
from convbook.course.checks import culprits, designs
from convbook.grade import grade
from convbook.models import S7Repaired
from tests.helpers.attempts import assert_right, assert_wrong, said_of
from tools import notebooks

CHAPTER = notebooks.read(notebooks.CHAPTERS / "13_build_and_grade.ipynb")
TEXT = "\n".join(cell.source for cell in CHAPTER.cells if cell.cell_type == "markdown")


# ------------------------------------------------------------------ quizzes


def handed_in(widths=(16, 32, 64), gap=False, last=None):
    """Return the chapter's first broken network, with one change."""
    a, b, c = widths
    if gap:
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, 10)]
    else:
        head = [nn.Flatten(), nn.Linear(c * 16, 1024), nn.ReLU(), nn.Linear(1024, 10)]
    return nn.Sequential(
        *(culprits.conv(3, a), nn.MaxPool2d(2), culprits.conv(a, b), nn.MaxPool2d(2)),
        *(culprits.conv(b, c, **(last or {})), *head),
    )


def opening_question():
    assert not any(row.passed for row in grade(handed_in()))
    deeper = handed_in()
    deeper.insert(5, nn.MaxPool2d(2))
    deeper.insert(6, culprits.conv(64, 64))
    changed = {
        "a third max-pool, with a fourth convolution behind it": deeper,
        "dilation 2 in its last convolution, padded so that the map stays 4 × 4": handed_in(
            last={"dilation": 2, "padding": 1}
        ),
        "global average pooling in the place of the first linear layer": handed_in(gap=True),
        "half as many channels in each convolution": handed_in((8, 16, 32)),
    }
    lit = {text: sum(row.passed for row in grade(one)) for text, one in changed.items()}
    assert sorted(lit.values()) == [0, 1, 1, 2]
    assert trace(changed[list(changed)[1]]).receptive_field.size == 26
    return max(lit, key=lit.get)


def seen_by_four(depth):
    """Return how large the field is, and how many of four places see all of 32 pixels."""
    field = exercises.field(pools=3, depth=depth)
    firsts = [field.start + field.jump * place for place in range(4)]
    return field.size, sum(first <= 0 and first + field.size >= 32 for first in firsts)


def whole_picture():
    size, places = seen_by_four(depth=2)
    assert size == 54
    return {0: "none of them", 2: "the two in the middle", 3: "three of them", 4: "all four"}[
        places
    ]


def quiet_mistake():
    layer = nn.Conv2d(1, 1, 3, padding=1, dilation=2)
    height, width = layer(torch.zeros(1, 1, 8, 8)).shape[-2:]
    return f"It returns {height} × {width}"


def wrong_row():
    (number,) = re.findall(
        r"^trace\(suspects\[(\d+)\]\)", "\n".join(c.source for c in CHAPTER.cells), re.MULTILINE
    )
    name = culprits.answer(culprits.suspects[int(number)])
    choices = {
        "1": "1, the first pool",
        "2.1.0": "2.1.0, which has groups",
        "4.0.0": "4.0.0, a 1 × 1 convolution",
        "4.1.0": "4.1.0, with a kernel of 5",
    }
    assert choices.keys() <= {row.name for row in trace(culprits.suspects[int(number)])}
    return choices[name]


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "field": lambda: str(seen_by_four(depth=1)[0]),
    "whole-picture": whole_picture,
    "quiet-mistake": quiet_mistake,
    "wrong-row": wrong_row,
}


# ------------------------------------------------------------------ to hand in


def test_the_file_of_the_page_is_the_network_of_the_book():
    (source,) = re.findall(r"```python\n(# my_net.py\n.+?)```", TEXT, re.DOTALL)
    names = {}
    exec(source, names)
    assert [*trace(names["Net"]())] == [*trace(S7Repaired())]


def test_the_commands_of_the_page_are_those_of_the_package():
    (source,) = re.findall(r"```yaml\n(.+?)```", TEXT, re.DOTALL)
    workflow = yaml.safe_load(source)
    steps = [step.get("run", "") for step in workflow["jobs"]["grade"]["steps"]]
    shell = re.findall(r"^convbook grade .+$", TEXT, re.MULTILINE)
    commands = [line for line in (*steps, *shell) if line.startswith("convbook grade")]
    assert len(commands) == 4
    for command in commands:
        arguments = command.split(" > ")[0].split()[1:]
        assert isinstance(cli._parser().parse_args(arguments), argparse.Namespace)


# ------------------------------------------------------------------ exercise 1


def test_the_wrong_layers_are_wrong_and_the_sound_networks_sound():
    for suspect in culprits.suspects:
        assert culprits.culprit(suspect) == culprits.answer(suspect)
        assert suspect(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    sound = [culprits.answer(suspect) for suspect in culprits.suspects].count(None)
    assert sound == 5


def by_field(network):
    """Ask whether what was meant to look has widened the field."""
    before = 1
    for row in trace(network):
        height = row.input_shape[-2] if len(row.input_shape) == 3 else None
        after = row.output_shape[-2] if height and len(row.output_shape) == 3 else None
        if row.op == "conv2d":
            if row.groups != 1 and row.receptive_field.size == before:
                return row.name
            if after * row.stride != height:
                return row.name
        if row.op == "max_pool2d" and after * 2 != height:
            return row.name
        if "avg" in row.op and after != 1:
            return row.name
        before = row.receptive_field.size
    return None


def by_forward_hooks(network):
    """Send a picture through, and compare sizes layer by layer."""
    found = []

    def look(name, layer, x, y):
        before, after = x[0].shape[-1], y.shape[-1]
        wrong = False
        if isinstance(layer, nn.Conv2d):
            scales = layer.groups > 1 and layer.kernel_size == (1, 1)
            wrong = scales or after != before // layer.stride[0]
        elif isinstance(layer, nn.MaxPool2d):
            wrong = after != before // 2
        elif isinstance(layer, nn.AvgPool2d | nn.AdaptiveAvgPool2d):
            wrong = after != 1
        found.extend([name] * wrong)

    for name, layer in network.named_modules():
        layer.register_forward_hook(lambda m, x, y, name=name: look(name, m, x, y))
    network(torch.zeros(1, 3, 32, 32))
    return found[0] if found else None


def by_rules(*rules):
    """Return an attempt at exercise 1 that returns the first row which one of the rules blames."""
    return lambda network: next(
        (row.name for row in trace(network) if any(rule(row) for rule in rules)), None
    )


def conv_changes_size(row):
    return row.op == "conv2d" and row.output_shape[1:] != row.input_shape[1:]


def conv_breaks_stride(row):
    return row.op == "conv2d" and row.output_shape[1] != row.input_shape[1] // row.stride


def pool_does_not_halve(row):
    return row.op == "max_pool2d" and row.output_shape[-1] * 2 != row.input_shape[-1]


def mean_leaves_more(row):
    return "avg_pool" in row.op and row.output_shape[1:] != (1, 1)


def only_scales(row):
    return row.op == "conv2d" and row.kernel == 1 and row.groups > 1


# ------------------------------------------------------------------ exercise 2


@pytest.mark.parametrize(
    ("pixels", "pools"), [(32, 3), (32, 4), (48, 3), (64, 4), (50, 2), (63, 3), (90, 4)]
)
def test_the_depth_is_the_least_by_the_gradient_of_a_network(pixels, pools):
    def reached(depth):
        layers = []
        for _ in range(pools):
            layers += [nn.Conv2d(1, 1, 3, padding=1, bias=False), nn.AvgPool2d(2)]
        layers += [nn.Conv2d(1, 1, 3, padding=1, bias=False) for _ in range(depth)]
        network = nn.Sequential(*layers).double()
        for parameter in network.parameters():
            nn.init.ones_(parameter)
        picture = torch.ones(1, 1, pixels, pixels).double().requires_grad_()
        corners = network(picture)[0, 0, [0, -1], [0, -1]]
        seen = [torch.autograd.grad(one, picture, retain_graph=True)[0] > 0 for one in corners]
        return all(one.all() for one in seen)

    depth = exercises.depth(pixels, pools)
    assert reached(depth)
    assert depth == 1 or not reached(depth - 1)


def by_formula(pixels, pools):
    return max(1, -((-(pixels + 1)) // 2**pools) - 2)


def by_map(pixels, pools):
    """Let a corner walk to the other, one place of the last map with each convolution."""
    return max(1, pixels // 2**pools - 1)


def by_trace(pixels, pools):
    """Add convolutions to a network until its first place sees enough."""
    layers = [nn.Conv2d(1, 1, 3, padding=1), nn.MaxPool2d(2)] * pools
    size = (1, pixels, pixels)
    first = trace(nn.Sequential(*layers, nn.Conv2d(1, 1, 3, padding=1)), size).receptive_field
    depth, reach = 1, first.start + first.size
    while reach < pixels:
        depth, reach = depth + 1, reach + first.jump
    return torch.tensor(depth)


def by_numpy(pixels, pools):
    steps = 2 ** np.arange(pools + 1)
    size = 1 + 3 * steps[:-1].sum()
    return max(1, np.ceil((2 * pixels - steps[-1] - size) / (2 * steps[-1])))


def fewest(enough):
    """Return an attempt at exercise 2: the least depth with which a field is large enough."""

    def attempt(pixels, pools):
        depth = 1
        while not enough(exercises.field(pools, depth), pixels) and depth < 400:
            depth += 1
        return depth

    return attempt


# ------------------------------------------------------------------ exercises 3 and 4


class Functional(nn.Module):
    """A network of functions, with a sum around a block; its widths are free."""

    def __init__(self, channels=3, classes=10, widths=(16, 20, 24), stride=1, **settings):
        super().__init__()
        settings = {"padding": "same", "dilation": 2} | settings
        a, b, c = widths
        self.first = nn.Conv2d(channels, a, 3, stride, padding=1)
        self.second = nn.Conv2d(a, b, 3, stride, padding=1)
        self.third = nn.Conv2d(b, c, 3, stride, padding=1) if stride > 1 else nn.Conv2d(b, c, 1)
        self.depthwise = nn.Conv2d(c, c, 3, padding=1, groups=c)
        self.pointwise = nn.Conv2d(c, c, 1)
        self.last = nn.Conv2d(c, c, 3, **settings)
        self.classes = nn.Linear(c, classes)
        self.halve = (lambda x: F.max_pool2d(x, 2)) if stride == 1 else nn.Identity()

    def forward(self, x):
        x = self.halve(self.first(x).relu())
        x = self.halve(self.second(x).relu())
        x = self.halve(self.third(x).relu())
        x = x + self.pointwise(self.depthwise(x)).relu()
        return self.classes(self.last(x).relu().mean((2, 3)))


@pytest.mark.parametrize(
    ("answer", "says", "remedy"),
    [
        (Functional, "lacks nothing", None),
        (designs.small, "lacks nothing", None),
        (lambda: designs.small(head=nn.Linear(40, 11)), "10 scores", designs.NOT_THE_CLASSES),
        (lambda: designs.small(1), "does not run on 3 × 32 × 32", designs.BROKEN),
        (S7Repaired, "size: 66,138 parameters and 1 more", designs.TOO_MANY),
        (nn.Identity, "C1 C2 C3 C4 and 5 more", designs.POOLS),
        (lambda: Functional(dilation=1), "a dilated convolution", designs.STRUCTURE[2]),
    ],
)
def test_verdicts_under_the_budget(answer, says, remedy):
    verdict = designs.budget_verdict(answer(), channels=3, classes=10)
    assert says in repr(verdict)
    assert verdict.remedy == remedy


def test_the_designed_networks_have_the_size_that_the_formula_says():
    for width in (1, 12, 83):
        network = designs.network(width)
        count = sum(parameter.numel() for parameter in network.parameters())
        assert count == 28 * (width + 1) ** 2 - 18
    for case in exercises.check_design.cases[::6]:
        assert grade(designs.design(**case), accuracy=0.85, profile=designs.LATER).passed


class Wrapped(nn.Module):
    """A network whose forward is `forward(network, x, *others)`."""

    def __init__(self, forward, network, *others):
        super().__init__()
        self.network, self.others = network, nn.ParameterList(others)
        self.run = forward

    def forward(self, x):
        return self.run(self.network, x, *self.others)


def idle(count, trained=True):
    return nn.Parameter(torch.ones(count), requires_grad=trained)


FOUND_RIGHT = {
    "several outputs": lambda: Wrapped(lambda n, x: {"scores": n(x), "x": x}, designs.network(25)),
    "a look at values": lambda: Wrapped(
        lambda n, x: n(x) if x.mean() < 1e9 else x, designs.network(25)
    ),
    "a tensor of its own": lambda: Wrapped(lambda n, x: n(x + torch.zeros(1)), designs.network(25)),
    "frozen": lambda: designs.network(25).requires_grad_(False),
    "functions": lambda: Functional(widths=(24, 24, 24), stride=2),
    "biases before batch norm": lambda: designs.network(
        25,
        c4=nn.Sequential(
            nn.Conv2d(25, 25, 3, padding=2, dilation=2), nn.BatchNorm2d(25), nn.ReLU()
        ),
    ),
}


@pytest.mark.parametrize("build", FOUND_RIGHT.values(), ids=FOUND_RIGHT)
def test_right_designs_are_found_right(build):
    assert designs.verdict_on(build(), limit=20_000) == designs.RIGHT


FOUND_WRONG = {
    "frozen ballast": (
        lambda: Wrapped(lambda n, x, b: n(x), designs.network(8), idle(10_000, trained=False)),
        "a use for 10,000 of its 12,250 parameters",
        designs.IDLE,
    ),
    "ballast times 0": (
        lambda: Wrapped(lambda n, x, b: n(x) + 0 * b.sum(), designs.network(8), idle(10_000)),
        "a use for 10,000 of its 12,250 parameters",
        designs.IDLE,
    ),
    "a branch that is dropped": (
        lambda: Wrapped(
            lambda n, x, b: (F.conv2d(x, b.view(10, 3, 17, 17)), n(x))[1],
            designs.network(8),
            idle(8_670),
        ),
        "a use for 8,670 of its 10,920 parameters",
        designs.IDLE,
    ),
    "a shape that hangs on values": (
        lambda: Wrapped(lambda n, x: n(x) + x[x > 0].sum(), designs.network(25)),
        "runs, but that cannot be followed",
        designs.UNTRACED,
    ),
    "a head that reads 64 channels": (
        lambda: designs.network(25, head=nn.Linear(64, 10)),
        "does not run",
        designs.BROKEN,
    ),
    "the chapter's, with pools": (
        designs.small,
        "three transitions without max-pool",
        designs.STRIDES,
    ),
}


@pytest.mark.parametrize(("build", "says", "remedy"), FOUND_WRONG.values(), ids=FOUND_WRONG)
def test_wrong_designs_are_found_wrong(build, says, remedy):
    verdict = designs.verdict_on(build(), limit=20_000)
    assert says in verdict
    assert verdict.remedy == remedy


def few(checker, *numbers):
    """Return the checker with some of its cases: a network takes long to judge."""
    return replace(checker, cases=[checker.cases[number] for number in numbers])


def sized(build):
    """Return an attempt at exercise 4: the widest network of a kind that stays below a limit."""

    def attempt(limit):
        widths = range(4, 200)
        counts = {w: sum(p.numel() for p in build(w).parameters()) for w in widths}
        return build(max(w for w in widths if counts[w] < limit))

    return attempt


def plain_strides(width, stride=2):
    """Return a network with a dilated, depthwise layer, as somebody else would write it."""
    conv, size = designs.conv, {"stride": stride}
    layers = [conv(3, width, **size), conv(width, width, **size), conv(width, width, **size)]
    own = nn.Conv2d(width, width, 3, padding=2, dilation=2, groups=width)
    layers += [own, nn.Conv2d(width, width, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    layers += [nn.Linear(width, 10)]
    return nn.Sequential(OrderedDict((f"layer{n}", layer) for n, layer in enumerate(layers)))


def assert_says(checker, attempt, hint):
    """The attempt is right, or what is said of it ends with the hint."""
    if hint is None:
        assert_right(attempt, checker)
    else:
        assert said_of(attempt, checker).endswith(f" {hint}")


@pytest.mark.parametrize(
    ("attempt", "hint"),
    [
        (sized(lambda w: Functional(widths=(w, w, w), stride=2)), None),
        (sized(plain_strides), None),
        (lambda limit: designs.network(13), designs.CONSTANT),
        (lambda limit: designs.network(int((limit / 28) ** 0.5)), designs.TOO_LARGE),
        (lambda limit: designs.network(11), designs.CONSTANT),
        (lambda limit: designs.network(designs.width_below(limit) // 2), designs.TOO_SMALL),
        (sized(lambda w: plain_strides(w, stride=1)), designs.STRIDES),
        (lambda limit: S7Repaired(), designs.STRIDES),
        (
            lambda limit: designs.network(designs.width_below(limit), c4=None),
            designs.STRUCTURE[0],
        ),
        (
            lambda limit: designs.network(
                w := designs.width_below(limit) // 2, gap=None, head=nn.Linear(16 * w, 10)
            ),
            designs.STRUCTURE[3],
        ),
    ],
)
def test_the_hint_of_a_design_is_for_what_it_lacks(attempt, hint):
    assert_says(few(exercises.check_design, 0, 8, 19), attempt, hint)


@pytest.mark.parametrize(
    ("attempt", "hint"),
    [
        (designs.small, None),
        (Functional, None),
        (
            lambda channels, classes: designs.small(
                channels, classes, c3=designs.conv(24, 24, 5), c4=designs.separable(24, 40)
            ),
            designs.STRUCTURE[2],
        ),
        (lambda channels, classes: S7Repaired(classes), designs.BROKEN),
        (lambda channels, classes: designs.small(channels), designs.NOT_THE_CLASSES),
        (lambda channels, classes: designs.small(3, classes), designs.BROKEN),
        (lambda channels, classes: Functional(channels, classes, (16, 32, 32)), designs.TOO_MANY),
        (lambda channels, classes: Functional(channels, classes, (30, 30, 8)), designs.TOO_HEAVY),
        (lambda channels, classes: designs.small(channels, classes, pool3=None), designs.POOLS),
        (
            lambda channels, classes: designs.small(
                channels, classes, pool1=nn.MaxPool2d(5, padding=2)
            ),
            designs.POOLS,
        ),
        (
            lambda channels, classes: designs.small(
                channels, classes, c4=designs.conv(24, 40, 1, groups=8)
            ),
            designs.STRUCTURE[0],
        ),
    ],
)
def test_the_hint_of_a_repair_is_for_what_it_lacks(attempt, hint):
    assert_says(few(exercises.check_repair, 1, 11, 20), attempt, hint)


# ------------------------------------------------------------------ attempts at 1 and 2

RIGHT = [
    (exercises.check_culprit, by_field),
    (exercises.check_culprit, by_forward_hooks),
    (
        exercises.check_culprit,
        by_rules(conv_breaks_stride, pool_does_not_halve, mean_leaves_more, only_scales),
    ),
    (exercises.check_depth, by_formula),
    (exercises.check_depth, by_map),
    (exercises.check_depth, by_trace),
    (exercises.check_depth, by_numpy),
]

WRONG = [
    (
        exercises.check_culprit,
        by_rules(conv_breaks_stride, pool_does_not_halve, mean_leaves_more),
        "look at kernel and groups",
    ),
    (exercises.check_culprit, by_rules(conv_breaks_stride, only_scales), "does a pool halve"),
    (
        exercises.check_culprit,
        by_rules(conv_breaks_stride, only_scales, pool_does_not_halve),
        "it has to leave 1 × 1",
    ),
    (
        exercises.check_culprit,
        by_rules(conv_changes_size, only_scales, pool_does_not_halve, mean_leaves_more),
        "stride 2 is to halve",
    ),
    (
        exercises.check_culprit,
        by_rules(
            conv_breaks_stride,
            pool_does_not_halve,
            mean_leaves_more,
            lambda row: row.op == "conv2d" and row.groups > 1,
        ),
        "one with 1 × 1 only scales",
    ),
    (
        exercises.check_culprit,
        by_rules(
            lambda row: (
                row.op == "conv2d"
                and row.stride == 1
                and row.padding != row.dilation * (row.kernel - 1) // 2
            ),
            pool_does_not_halve,
            mean_leaves_more,
            only_scales,
        ),
        "",
    ),
    (
        exercises.check_culprit,
        by_rules(
            conv_breaks_stride,
            only_scales,
            mean_leaves_more,
            lambda row: (row.op == "max_pool2d" and row.kernel != 2) or pool_does_not_halve(row),
        ),
        "3 × 3 with stride 2",
    ),
    (
        exercises.check_culprit,
        by_rules(
            conv_breaks_stride,
            only_scales,
            pool_does_not_halve,
            mean_leaves_more,
            lambda row: (row.dilation or 1) > 1,
        ),
        "Dilation is no mistake",
    ),
    (
        exercises.check_culprit,
        by_rules(lambda row: row.op == "conv2d" and row.output_shape != row.input_shape),
        "",
    ),
    (exercises.check_culprit, culprits.wrong_rows, ""),
    (exercises.check_culprit, lambda network: str(culprits.culprit(network)), ""),
    (exercises.check_depth, fewest(lambda field, pixels: field.size >= pixels), "looks from a"),
    (exercises.check_depth, fewest(lambda field, pixels: field.size > pixels), "looks from a"),
    (exercises.check_depth, fewest(lambda field, pixels: field.size > 44), "assignment's 44"),
    (
        exercises.check_depth,
        lambda pixels, pools: by_formula(pixels, pools) + pools,
        "there already",
    ),
    (exercises.check_depth, lambda pixels, pools: (pixels + 1) // 2**pools - 2, "Round up"),
    (exercises.check_depth, lambda pixels, pools: by_formula(pixels, pools) + 1, "One fewer"),
    (exercises.check_depth, lambda pixels, pools: math.ceil(pixels / 2**pools) - 1, "A pool drops"),
    (
        exercises.check_depth,
        fewest(lambda field, pixels: field.start + field.size > pixels),
        "it need not go beyond",
    ),
    (exercises.check_depth, fewest(lambda field, pixels: field.size >= 2 * pixels), "twice as"),
    (exercises.check_depth, fewest(lambda field, pixels: field.size >= 2 * pixels - 1), "twice as"),
    (exercises.check_depth, fewest(lambda field, pixels: field.size // 2 >= pixels), "twice as"),
    (exercises.check_depth, lambda pixels, pools: 3, ""),
    (exercises.check_depth, lambda pixels, pools: pixels - 1, ""),
    (exercises.check_depth, lambda pixels, pools: by_formula(pixels, pools + 1), ""),
    (
        exercises.check_depth,
        fewest(lambda field, pixels: field.start + field.size >= pixels // 2),
        "",
    ),
]


@pytest.mark.parametrize(("checker", "attempt"), RIGHT)
def test_right_attempts_in_other_styles_are_accepted(checker, attempt):
    assert_right(attempt, checker)


@pytest.mark.parametrize(("checker", "attempt", "hint"), WRONG)
def test_wrong_attempts_are_rejected(checker, attempt, hint):
    assert_wrong(attempt, checker, hint)
