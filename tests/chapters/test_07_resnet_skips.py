"""Chapter 7, ResNet skips: quiz answers, the recorded contest, its exercises' right answers."""

import copy
import statistics
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision import models

from convbook.analysis import trace
from convbook.course import runs
from convbook.course.checks import main_paths as routes
from convbook.course.checks import residual_blocks as mended
from convbook.course.checks import resnet_skips as exercises
from convbook.course.experiments import residual_depth
from convbook.course.experiments.residual_depth import ARMS, PlainBlock, make, stack_of_blocks
from convbook.data.shapes import draw
from convbook.nn import ResidualBlock
from tests.helpers.attempts import assert_right, assert_wrong
from tests.helpers.recorders import load_recorder
from tools import notebooks

RUN = runs.load("07_resnet_skips")
DONE = {arm["name"]: arm["runs"] for arm in RUN["arms"]}
RECORDER = notebooks.ROOT / "benchmarks" / "record_07_resnet_skips.py"


def ends(name, what="error"):
    return [one[what][-1] for one in DONE[name]]


# ------------------------------------------------------------------ quizzes


def opening_question():
    assert min(ends("plain 56")) > max(ends("plain 20"))  # errors in training
    return "It overfits: it has learnt its pictures by heart."


def which_projection():
    x = torch.zeros(1, 16, 8, 8)
    layers = {
        "a 1 × 1 convolution from 16 to 32 channels": nn.Conv2d(16, 32, 1),
        "a 1 × 1 convolution from 16 to 32 channels with stride 2": nn.Conv2d(16, 32, 1, 2),
        "a 1 × 1 convolution from 16 to 16 channels with stride 2": nn.Conv2d(16, 16, 1, 2),
        "a 3 × 3 convolution from 16 to 32 channels with stride 2": nn.Conv2d(16, 32, 3, 2),
    }
    (fits,) = [text for text, layer in layers.items() if layer(x).shape == (1, 32, 4, 4)]
    return fits


def growths(network):
    """Return how the first gradient compares with the last, by initialisation: the median."""
    return {
        one["initialisation"]: statistics.median(
            float(line.split()[0]) for line in one["gradient"]["50"]
        )
        for one in runs.load("07_layer_50")["runs"]
        if one["network"] == network
    }


def which_stack():
    norm, residual = growths("batch_norm"), growths("residual")
    assert min(norm.values()) > 1000
    assert max(norm.values()) < 10 * min(norm.values())  # whatever the weights
    assert 100 * max(residual.values()) < max(norm.values())
    return "a skip around every two layers"


def copying_start():
    copying, shallow, deep = (
        statistics.mean(ends(name)) for name in ("plain 56, copying", "plain 20", "plain 56")
    )
    choices = {
        "no higher than the plain stack of 20 layers": copying <= shallow,
        "between that stack and the plain stack of 20 layers": shallow < copying < 0.9 * deep,
        "about where the plain stack of 56 layers with random weights ends": copying >= 0.9 * deep,
    }
    (found,) = [text for text, holds in choices.items() if holds]
    return found


def lesion():
    done = DONE["residual 56"]
    found = statistics.mean(statistics.mean(one["without_one"]) for one in done)
    choices = {
        "about one in ten, as by guessing": 0.1,
        "about half of them": 0.5,
        "nearly as many as before": statistics.mean(one["test_accuracy"] for one in done),
    }
    return min(choices, key=lambda text: abs(choices[text] - found))


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "which-projection": which_projection,
    "which-stack": which_stack,
    "copying-start": copying_start,
    "lesion": lesion,
}


# ------------------------------------------------------------------ the contest


class TestStacks:
    """The contest is fair: two stacks differ in their sums, or in their first weights, only."""

    def stacks(self, *kinds, count=3):
        for kind in kinds:
            torch.manual_seed(0)
            yield make(kind, count).double().eval()

    def test_both_start_from_the_same_weights(self):
        plain, residual = (s.state_dict() for s in self.stacks("plain", "residual"))
        assert plain.keys() == residual.keys()
        assert all(torch.equal(plain[key], residual[key]) for key in plain)

    def test_the_sum_is_what_differs(self):
        torch.manual_seed(0)
        plain, residual = PlainBlock(4, 4).double(), ResidualBlock(4, 4).double()
        residual.load_state_dict(plain.state_dict())
        x = torch.randn(2, 4, 5, 5).double()
        before = plain.bn2(plain.conv2(plain.bn1(plain.conv1(x)).relu()))
        assert torch.allclose(plain(x), before.relu())
        assert torch.allclose(residual(x), (before + x).relu())

    def test_no_block_projects_and_each_has_the_layers_of_its_name(self):
        for arm, (kind, count, _) in ARMS.items():
            stack = make(kind, count)
            assert all(isinstance(block.shortcut, nn.Identity) for block in stack.blocks)
            layers = sum(isinstance(m, nn.Conv2d | nn.Linear) for m in stack.modules())
            assert f" {layers}" in arm
            norms = sum(isinstance(m, nn.BatchNorm2d) for m in stack.modules())
            assert norms == (1 if "no norm" in kind else layers - 1)

    def test_copying_and_random_stacks_differ_in_weights_of_blocks_only(self):
        random, copying = (s.state_dict() for s in self.stacks("plain", "plain, copying"))
        differ = {key for key in random if not torch.equal(random[key], copying[key])}
        assert differ == {key for key in random if key.startswith("blocks") and ".conv" in key}

    def test_what_passes_is_what_the_blocks_make_of_pictures(self):
        (stack,) = self.stacks("residual")
        for block in stack.blocks:
            nn.init.zeros_(block.bn2.weight)
        before = copy.deepcopy(stack.state_dict())
        seen = residual_depth.what_passes(stack.float(), draw(20))
        assert (seen["signal"], seen["likeness"][0]) == (1, seen["likeness"][1])
        assert 0.3 < seen["gradient"] <= 1  # a ReLU follows each sum
        assert all(
            torch.equal(before[key].float(), now)
            for key, now in stack.state_dict().items()
            if "running" in key
        )

    def test_maps_inside_have_a_quarter_of_the_size(self):
        (stack,) = self.stacks("plain", count=1)
        assert stack.start(torch.zeros(1, 3, 32, 32).double()).shape == (1, 16, 8, 8)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [({"count": 0}, "count=0"), ({"width": 0}, "width=0"), ({"classes": 0}, "classes=0")],
    )
    def test_refusals(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            stack_of_blocks(**{"block": PlainBlock, "count": 1, **arguments})


class TestTraining:
    CONFIG = residual_depth.CONFIG | {"epochs": 2, "batch": 8, "drops": (1,)}

    def test_a_run_has_what_the_chapter_draws(self, monkeypatch):
        monkeypatch.setitem(ARMS, "tiny", ("residual", 2, 0.05))
        done = residual_depth.run(0, "tiny", draw(16), draw(10, seed=1), self.CONFIG)
        assert len(done["loss"]) == len(done["error"]) == 2
        assert len(done["without_one"]) == 2
        assert list(done["without_several"]) == ["1"]
        assert done["before"] != done["after_an_epoch"]

    def test_a_long_gradient_is_shortened(self):
        torch.manual_seed(0)
        model = make("plain", 1)
        before = copy.deepcopy(model)
        settings = self.CONFIG | {"epochs": 1, "drops": (), "weight_decay": 0}
        residual_depth.train(model, draw(8), 0, rate=1.0, longest=0.01, **settings)
        moved = [a - b for a, b in zip(model.parameters(), before.parameters(), strict=True)]
        assert sum(one.square().sum() for one in moved).sqrt().item() < 0.0101

    def test_the_rate_drops(self, monkeypatch):
        rates, steps = [], residual_depth.train_steps

        def noted(model, batches, loss, optimiser, schedule):
            rates.extend(schedule.get_last_lr())
            return steps(model, batches, loss, optimiser, schedule)

        monkeypatch.setattr(residual_depth, "train_steps", noted)
        residual_depth.train(make("plain", 1), draw(16), 0, 0.1, **self.CONFIG)
        assert rates == pytest.approx([0.1, 0.01])

    def test_a_block_that_is_taken_out_is_jumped_over(self):
        stack = make("residual", 3).eval()
        x = torch.rand(2, 3, 32, 32)
        first, _, last = stack.blocks
        expected = stack.head(last(first(stack.start(x))))
        assert torch.equal(residual_depth.without(stack, torch.tensor([1]))(x), expected)


def test_the_recorder_goes_on_where_it_was_stopped(tmp_path, monkeypatch, capsys):
    recorder = load_recorder(RECORDER, monkeypatch)
    for module in (recorder, residual_depth):
        monkeypatch.setattr(module, "ARMS", {"tiny 4": ("plain", 1, 0.05)})
    monkeypatch.setattr(recorder, "TEST", 20)
    words = ["--work", str(tmp_path / "work"), "--out", str(tmp_path), "--epochs", "1"]
    recorder.main([*words, "--pictures", "32", "--seeds", "0"])
    recorder.main([*words, "--pictures", "32", "--seeds", "0", "1"])
    said = capsys.readouterr().out
    assert said.count("tiny_4-0: loss") == said.count("tiny_4-1: loss") == 1
    (arm,) = runs.load("07_resnet_skips", tmp_path)["arms"]
    assert (arm["layers"], len(arm["runs"])) == (4, 2)


def test_the_record_is_that_of_the_package():
    assert list(DONE) == list(ARMS)
    for arm in RUN["arms"]:
        assert (arm["kind"], arm["blocks"], arm["rate"]) == ARMS[arm["name"]]
        assert [run["seed"] for run in arm["runs"]] == [0, 1, 2, 3, 4]
    assert RUN["config"] == {**residual_depth.CONFIG, "drops": [*residual_depth.CONFIG["drops"]]}


# ------------------------------------------------------------------ exercise 1


def test_the_shortcuts_fit_and_nothing_smaller_would():
    kinds = []
    for case in exercises.check_shortcut.cases:
        layer = routes.shortcut(**case)
        kinds.append(type(layer).__name__)
        if layer == "none":
            continue
        for size in product((11, 16, 30), (12, 21)):
            x = torch.rand(2, case["channels"], *size)
            assert case["main"](x).shape == layer(x).shape
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "Identity": 7,
        "Conv2d": 13,
        "str": 6,
    }


def measured(main, channels, sizes=((13, 13), (20, 14), (17, 30))):
    """Measure a main path, and find a stride with which a projection fits."""

    def shapes(layers):
        return [layers(torch.rand(2, channels, *size)).shape for size in sizes]

    goal = shapes(main)
    if goal == shapes(nn.Identity()):
        return nn.Sequential()
    for stride in product(range(1, 9), repeat=2):
        layers = nn.Conv2d(channels, goal[0][1], 1, stride), nn.BatchNorm2d(goal[0][1])
        if shapes(nn.Sequential(*layers)) == goal:
            return nn.Sequential(*layers)
    return "None"


def by_trace(main, channels):
    """Follow the rows of `trace` at two sizes."""
    found = set()
    for size in ((25, 31), (36, 24)):
        *_, last = trace(main, (channels, *size))
        out, *after = last.output_shape
        strides = tuple(round(n / m) for n, m in zip(size, after, strict=True))
        if any(m != -(-n // s) for n, m, s in zip(size, after, strides, strict=True)):
            return "none"
        found.add((out, strides))
    if len(found) > 1:
        return "none"
    ((out, strides),) = found
    same = out == channels and strides == (1, 1)
    return nn.Identity() if same else nn.Conv2d(channels, out, 1, strides, bias=True)


def by_reading(main, channels):
    """Multiply strides, and trust the paddings."""
    layers = [m for m in main.modules() if isinstance(m, nn.Conv2d)]
    rows = columns = 1
    for layer in layers:
        rows, columns = rows * layer.stride[0], columns * layer.stride[1]
    out = layers[-1].out_channels
    if (rows, columns, out) == (1, 1, channels):
        return nn.Identity()
    return nn.Conv2d(channels, out, 1, (rows, columns))


# ------------------------------------------------------------------ exercise 2


class InOrder(nn.Module):
    """A block whose branch is written down as layers, and whose sum may be followed by one."""

    def __init__(self, branch, skip, after=None, before=None):
        super().__init__()
        self.branch, self.skip = nn.Sequential(*branch), skip
        self.after, self.before = after or nn.Identity(), before or nn.Identity()

    def forward(self, x):
        x = self.before(x)
        return self.after(self.branch(x) + self.skip(x))


def c3(c_in, c_out, stride=1, bias=True):
    return nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=bias)


def skip_of(c_in, c_out, stride, norm=False):
    if (c_in, 1) == (c_out, stride):
        return nn.Identity()
    layers = [nn.Conv2d(c_in, c_out, 1, stride, bias=False)]
    return nn.Sequential(*layers, *[nn.BatchNorm2d(c_out)] * norm)


def block_as(order, norm=False, after=None, before=None, skips=True, stride_in=1):
    """Return an attempt at exercise 2: the branch as letters: n, r, 1 and 2 for convolutions."""

    def attempt(c_in, c_out, stride):
        layers, now = [], c_in
        for letter in order:
            if letter in "12":
                layers.append(c3(now, c_out, stride if int(letter) == stride_in else 1, bias=False))
                now = c_out
            else:
                layers.append(nn.ReLU() if letter == "r" else nn.BatchNorm2d(now))
        skip = skip_of(c_in, c_out, stride, norm) if skips else nn.Identity()
        first = before(c_in) if before else None
        return InOrder(layers, skip, after() if after else None, first)

    return attempt


class Functional(nn.Module):
    """A right answer with functions in the place of layers, and other names."""

    def __init__(self, a, b, s):
        super().__init__()
        self.w1, self.w2 = c3(a, b, s), c3(b, b)
        self.n1, self.n2 = nn.BatchNorm2d(a), nn.BatchNorm2d(b)
        self.p = None if a == b and s == 1 else nn.Conv2d(a, b, 1, s)

    def forward(self, x):
        f = F.relu(self.n1(x))
        skip = x if self.p is None else self.p(f)  # as in the second paper
        f = self.w2(torch.relu(self.n2(self.w1(f))))
        return skip + f


class Forgets(nn.Module):
    def __init__(self, a, b, s):
        super().__init__()
        self.block = mended.ClearBlock(a, b, s)

    def forward(self, x):
        self.block.branch(x)
        return self.block.shortcut(x)


# ------------------------------------------------------------------ exercise 3


def rebuilt(block):
    """Return a new block around the old layers."""
    block = copy.deepcopy(block)
    if block.downsample is not None and block.stride > 1:
        old, norm = block.downsample
        new = nn.Conv2d(old.in_channels, old.out_channels, 1, bias=False)
        new.load_state_dict(old.state_dict())
        block.downsample = nn.Sequential(nn.AvgPool2d(block.stride, ceil_mode=True), new, norm)
    return block


def padded(block):
    """Average over what is there by hand, in a layer of its own."""

    class Mean(nn.Module):
        def __init__(self, s):
            super().__init__()
            self.s = s

        def forward(self, x):
            more = [-x.shape[-1] % self.s, -x.shape[-2] % self.s]
            total = F.avg_pool2d(F.pad(x, (0, more[0], 0, more[1])), self.s)
            ones = F.pad(torch.ones_like(x[:1, :1]), (0, more[0], 0, more[1]))
            return total / F.avg_pool2d(ones, self.s)

    if block.downsample is not None and block.stride > 1:
        block.downsample[0].stride = (1, 1)
        block.downsample.insert(0, Mean(block.stride))
    return block


def pooled_last(block):
    """A mean of products is the product of means: pool behind the convolution."""
    if block.downsample is not None and block.stride > 1:
        block.downsample[0].stride = (1, 1)
        block.downsample.insert(1, nn.AvgPool2d(block.stride, ceil_mode=True))
    return block


def surgery(pool, keep_stride=False, drop_norm=False, fresh=False, only=None):
    def attempt(block):
        if block.downsample is None or (block.stride == 1 and only is None):
            return block
        layer, norm = block.downsample
        if fresh:
            layer = nn.Conv2d(layer.in_channels, layer.out_channels, 1, layer.stride, bias=False)
        if not keep_stride:
            layer.stride = (1, 1)
        rest = [layer] if drop_norm else [layer, norm]
        block.downsample = nn.Sequential(pool(block.stride), *rest)
        return block

    return attempt


def test_the_mended_block_reads_every_pixel_and_keeps_its_weights():
    for block in mended.trained_blocks:
        seeing = mended.see_all(block)
        if seeing.downsample is None:
            continue
        x = torch.rand(1, block.conv1.in_channels, 25, 23, requires_grad=True)
        (gradient,) = torch.autograd.grad(seeing.downsample(x).sum(), x)
        assert (gradient != 0).all()
        weights = [m.weight for m in seeing.downsample if isinstance(m, nn.Conv2d)]
        assert torch.equal(weights[0], block.downsample[0].weight)
        assert block.downsample[0].stride == (block.stride, block.stride)  # the case is untouched


# ------------------------------------------------------------------ exercise 4

WIDTHS = [(64, 256), (128, 512), (256, 1024), (512, 2048)]


@pytest.mark.parametrize(("name", "blocks"), [(50, (3, 4, 6, 3)), (152, (3, 8, 36, 3))])
def test_the_count_is_torchvisions(name, blocks):
    with torch.device("meta"):
        network = models.get_model(f"resnet{name}")
    stages = [(number, *pair) for number, pair in zip(blocks, WIDTHS, strict=True)]
    assert exercises.count(64, stages, 1000) == sum(p.numel() for p in network.parameters())


def built(start, stages, classes):
    """Count the parameters of a network that is built on the meta device."""
    from convbook.nn import BottleneckBlock  # noqa: PLC0415

    with torch.device("meta"):
        layers, c_in = [nn.Conv2d(3, start, 7, bias=False), nn.BatchNorm2d(start)], start
        for n, (number, inside, out) in enumerate(stages):
            for i in range(number):
                stride = 2 if n and not i else 1
                layers.append(BottleneckBlock(c_in, inside, out, stride))
                c_in = out
        layers.append(nn.Linear(c_in, classes))
    return sum(p.numel() for layer in layers for p in layer.parameters())


def in_floats(start, stages, classes):
    total, c = 149 * start, start
    for n, (number, m, out) in enumerate(stages):
        own = 9 * m * m + 4 * m + m * out + 2 * out
        total += own * number + m * c + (number - 1) * m * out
        total += (c + 2) * out if n or c != out else 0
        c = out
    return torch.tensor(total + (c + 1) * classes).double()


def without(**changes):
    return lambda start, stages, classes: exercises.count(start, stages, classes, **changes)


# ------------------------------------------------------------------ attempts

RIGHT = [
    (exercises.check_shortcut, measured),
    (exercises.check_shortcut, by_trace),
    (exercises.check_shortcut, routes.shortcut),
    (exercises.check_clear, mended.ClearBlock),
    (exercises.check_clear, block_as("nr1nr2")),
    (exercises.check_clear, block_as("nr1nr2", norm=True, stride_in=2)),
    (exercises.check_clear, block_as("r1nr2n")),
    (exercises.check_clear, Functional),
    (exercises.check_see_all, rebuilt),
    (exercises.check_see_all, padded),
    (exercises.check_see_all, pooled_last),
    (exercises.check_count, built),
    (exercises.check_count, in_floats),
]

WRONG = [
    (exercises.check_shortcut, by_reading, ""),
    (
        exercises.check_shortcut,
        lambda main, channels: measured(main, channels, sizes=[(16, 16)]),
        "odd number of rows",
    ),
    (exercises.check_shortcut, lambda main, channels: nn.Identity(), "as many channels"),
    (
        exercises.check_shortcut,
        lambda main, channels: nn.Conv2d(channels, by_reading(main, channels) and channels, 1),
        "x itself fits",
    ),
    (
        exercises.check_shortcut,
        lambda main, channels: (
            nn.Conv2d(channels, s.out_channels, 3, s.stride, 1)
            if isinstance(s := routes.shortcut(main, channels), nn.Conv2d)
            else s
        ),
        "need not look around",
    ),
    (
        exercises.check_shortcut,
        lambda main, channels: (
            nn.Conv2d(channels, s.out_channels, 1, max(s.stride))
            if isinstance(s := routes.shortcut(main, channels), nn.Conv2d)
            else s
        ),
        "along each axis",
    ),
    (
        exercises.check_shortcut,
        lambda main, channels: (
            nn.Conv2d(channels, s.out_channels, 1, 2)
            if isinstance(s := routes.shortcut(main, channels), nn.Conv2d)
            else s
        ),
        "stride of the whole",
    ),
    (exercises.check_shortcut, lambda main, channels: "identity", ""),
    (exercises.check_clear, block_as("1nr2n", after=nn.ReLU), "stands after the sum"),
    (exercises.check_clear, block_as("1nr2nr"), "only add"),
    (exercises.check_clear, block_as("nr1n2"), "another order"),
    (exercises.check_clear, block_as("1nr2n"), "another order"),
    (
        exercises.check_clear,
        block_as("1nr2", before=lambda c: nn.Sequential(nn.BatchNorm2d(c), nn.ReLU())),
        "before the skip sets out",
    ),
    (exercises.check_clear, block_as("nr1nr2", skips=False), "read, and what is it handed"),
    (exercises.check_clear, block_as("nr1nr2", stride_in=3), ""),
    (exercises.check_clear, Forgets, "never called"),
    (exercises.check_clear, ResidualBlock, "stands after the sum"),
    (exercises.check_clear, c3, "another order"),
    (exercises.check_see_all, lambda block: block, "still has its stride"),
    (
        exercises.check_see_all,
        surgery(lambda s: nn.AvgPool2d(s, ceil_mode=True), keep_stride=True),
        "smaller twice",
    ),
    (exercises.check_see_all, surgery(nn.AvgPool2d), "ceil_mode"),
    (exercises.check_see_all, surgery(lambda s: nn.AvgPool2d(2, ceil_mode=True)), "not always 2"),
    (exercises.check_see_all, surgery(lambda s: nn.MaxPool2d(s, ceil_mode=True)), "A mean"),
    (
        exercises.check_see_all,
        surgery(lambda s: nn.AvgPool2d(s, ceil_mode=True), fresh=True),
        "trained",
    ),
    (
        exercises.check_see_all,
        surgery(lambda s: nn.AvgPool2d(s, ceil_mode=True), drop_norm=True),
        "batch norm behind",
    ),
    (
        exercises.check_see_all,
        surgery(lambda s: nn.AvgPool2d(2, ceil_mode=True), only="all"),
        "",
    ),
    (exercises.check_count, without(norm=0, projection_norm=0), "two learned numbers"),
    (exercises.check_count, without(bias=1), "no bias"),
    (exercises.check_count, without(inside=lambda inside, out: inside // 2 or 1), ""),
    (exercises.check_count, without(projects=lambda n, i, a, b: not i), "only if its channels"),
    (exercises.check_count, without(projects=lambda n, i, a, b: bool(n) and not i), "then it"),
    (exercises.check_count, without(stem=9), "7 × 7"),
    (exercises.check_count, without(fc_bias=0), "has a bias"),
    (exercises.check_count, without(later_blocks_read=lambda a, b: a), "reads what it writes"),
]


@pytest.mark.parametrize(("checker", "attempt"), RIGHT)
def test_right_attempts_are_accepted(checker, attempt):
    assert_right(attempt, checker)


@pytest.mark.parametrize(("checker", "attempt", "hint"), WRONG)
def test_wrong_attempts_are_rejected_with_a_hint(checker, attempt, hint):
    assert_wrong(attempt, checker, hint)
