"""Chapter 13, Train it, grade it: its quiz answers and its exercises' right answers, from PyTorch.

And what its recorded runs hold, so that the page says nothing of a network that is not the book's.
"""

from dataclasses import replace
from itertools import accumulate

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from convbook.analysis import trace
from convbook.course import runs
from convbook.course.checks import designs
from convbook.course.checks import train_and_grade as exercises
from convbook.grade import grade
from convbook.train import TrainConfig, presets
from convbook.train.augment import AugmentParams, augment
from tests.helpers.attempts import (
    assert_right,
    assert_wrong,
    said_of,
)

PRESETS = ("fast", "s7", "tiny")


def opening_question():
    layers = [nn.Conv2d(3, 4, 3, padding=1)]
    for _ in range(3):
        layers += [nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, padding=1)]
    with torch.device("meta"):
        table = trace(nn.Sequential(*layers), (3, 32, 32))
    return str(table.receptive_field.size)


def quiet_mistake():
    layer = nn.Conv2d(1, 1, 3, padding=1, dilation=2)
    height, width = layer(torch.zeros(1, 1, 8, 8)).shape[-2:]
    return f"It returns {height} × {width}"


def best_of_fifty():
    labels = torch.zeros(1000)
    said = torch.randint(10, (200, 50, 1000), generator=torch.Generator().manual_seed(0))
    best = (said == labels).double().mean(-1).amax(-1)  # of fifty, two hundred times
    assert best.std() < 0.01
    choices = {f"{percent} %": percent / 100 for percent in (10, 12, 20, 50)}
    return min(choices, key=lambda text: abs(choices[text] - best.mean()))


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "quiet-mistake": quiet_mistake,
    "best-of-fifty": best_of_fifty,
}


# ------------------------------------------------------------------ exercises


def test_the_learning_rate_is_that_of_pytorch():
    for case in exercises.check_learning_rate.cases:
        steps, peak, max_lr = case["steps"], case["peak"], case["max_lr"]
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], max_lr)
        schedule = OneCycleLR(
            optimizer, max_lr, total_steps=steps + 1, pct_start=(peak + 1) / (steps + 1),
            anneal_strategy="linear", cycle_momentum=False, div_factor=10, final_div_factor=1e15,
        )  # fmt: skip
        for _ in range(case["step"]):
            optimizer.step()
            schedule.step()
        (rate,) = schedule.get_last_lr()
        assert exercises.learning_rate(**case) == pytest.approx(rate, abs=1e-9)


def test_the_averages_are_those_of_pytorch():
    for case in exercises.check_averages.cases:
        model = nn.Linear(1, 1, bias=False).double()
        average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(case["decay"]))
        found = []
        for weight in case["weights"]:
            nn.init.constant_(model.weight, weight)
            average.update_parameters(model)
            found.append(average.module.weight.item())
        assert exercises.averages(**case) == found


def test_mirrored_pictures_are_those_of_the_training_loop():
    for case in exercises.check_mirrored.cases:
        pictures = torch.tensor(case["pictures"], dtype=torch.uint8)[:, None]  # (N, 1, H, W)
        still = torch.zeros(len(pictures), dtype=torch.int64)
        moves = AugmentParams(still, still, torch.tensor(case["chosen"]), still, still)
        found = augment(pictures, moves).add(1).mul(127.5).round().int()[:, 0]
        assert exercises.mirrored(**case) == found.tolist()


def test_the_designed_networks_have_the_size_that_the_formula_says():
    for width in (1, 12, 187):
        network = designs.network(width)
        count = sum(parameter.numel() for parameter in network.parameters())
        assert count == 28 * (width + 1) ** 2 - 18
    for case in exercises.check_design.cases:
        report = grade(designs.design(**case), accuracy=0.8)
        assert report.passed, report


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda: nn.Conv2d(1, 8, 3), "does not run on 3 × 32 × 32"),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(3072, 10)), "and 5 more"),
        (nn.Identity, "lacks three transitions by max-pool, C1 C2 C3 C4 and 5 more"),
        (lambda: designs.network(12), "lacks nothing"),
        (lambda: designs.network(13), "lacks size below 5,000: 5,470"),
        (lambda: designs.network(8), "lacks size above 2,500: 2,250"),
        (
            lambda: designs.network(8, ballast=designs.Ballast(2000)),
            "lacks a use for 2,000 of its 4,250 parameters",
        ),
    ],
)
def test_verdicts_on_designs(answer, says):
    assert says in repr(designs.verdict_on(answer(), limit=5000))


# ------------------------------------------------------------------ attempts


def two_lines(rise, fall=None):
    """Return an attempt at exercise 1: a rise before the peak, and then a fall."""
    fall = fall or (lambda step, steps, peak, max_lr: max_lr * (steps - step) / (steps - peak))
    return lambda step, steps, peak, max_lr: (rise if step < peak else fall)(
        step, steps, peak, max_lr
    )


def by_linspace(step, steps, peak, max_lr):
    rise = torch.linspace(max_lr / 10, max_lr, peak + 1)
    return torch.cat([rise, torch.linspace(max_lr, 0, steps - peak + 1)[1:]])[step]


def averaged(step):
    """Return an attempt at exercise 2 by a step from one average to the next."""
    return lambda weights, decay: list(accumulate(weights, lambda a, w: step(a, w, decay)))


def corrected(weights, decay):
    """Start at 0, and divide by what is missing, as Adam does: another average."""
    sums = averaged(lambda a, w, decay: decay * a + (1 - decay) * w)([0, *weights], decay)[1:]
    return [one / (1 - decay**n) for n, one in enumerate(sums, 1)]


def chosen_by(axes, *flipped):
    """Return an attempt at exercise 3: `chosen` with some axes, pictures flipped along others."""

    def attempt(pictures, chosen):
        pictures = torch.tensor(pictures)
        return torch.where(torch.tensor(chosen)[axes], pictures.flip(flipped), pictures)

    return attempt


def mirrored_in_place(pictures, chosen):
    pictures, chosen = torch.tensor(pictures).float(), torch.tensor(chosen)
    pictures[chosen] = pictures[chosen].flip(2)
    return pictures


RIGHT = [
    (exercises.check_learning_rate, by_linspace),
    (
        exercises.check_learning_rate,
        lambda step, steps, peak, max_lr: by_linspace(step, steps, peak, max_lr).item(),
    ),
    (
        exercises.check_learning_rate,
        lambda step, steps, peak, max_lr: np.float32(
            np.interp(step, [0, peak, steps], [max_lr / 10, max_lr, 0])
        ),
    ),
    (
        exercises.check_averages,
        averaged(lambda a, w, decay: (1 - decay) * torch.tensor(w).float() + decay * a),
    ),
    (
        exercises.check_averages,
        averaged(lambda a, w, decay: np.float32(decay) * a + np.float32(1 - decay) * w),
    ),
    (exercises.check_mirrored, mirrored_in_place),
    (
        exercises.check_mirrored,
        lambda pictures, chosen: np.where(
            np.array(chosen)[:, None, None], np.array(pictures)[..., ::-1], pictures
        ),
    ),
]

WRONG = [
    (
        exercises.check_learning_rate,
        two_lines(lambda step, steps, peak, max_lr: max_lr / 10 + max_lr * step / peak),
        "less a tenth",
    ),
    (
        exercises.check_learning_rate,
        two_lines(lambda step, steps, peak, max_lr: max_lr / 10 * 10 ** (step / peak)),
        "",
    ),
    (
        exercises.check_learning_rate,
        two_lines(exercises.learning_rate, lambda step, steps, peak, max_lr: max_lr / 10),
        "",
    ),
    (exercises.check_averages, corrected, ""),
    (exercises.check_averages, averaged(lambda a, w, decay: decay * a + w), ""),
    (exercises.check_mirrored, chosen_by((..., None, None), 0), "flip(0) exchanges"),
    (exercises.check_mirrored, chosen_by(..., -1), "two axes more"),
    (exercises.check_mirrored, chosen_by((..., None), -1), "chooses rows"),
    (exercises.check_mirrored, chosen_by((..., None, None), 0, 1, 2), ""),
    (
        exercises.check_mirrored,
        lambda pictures, chosen: [
            [sorted(row) if flip else row for row in picture]
            for picture, flip in zip(pictures, chosen, strict=True)
        ],
        "",
    ),
]


@pytest.mark.parametrize(("checker", "attempt"), RIGHT)
def test_right_attempts_in_other_styles_are_accepted(checker, attempt):
    assert_right(attempt, checker)


@pytest.mark.parametrize(("checker", "attempt", "hint"), WRONG)
def test_wrong_attempts_are_rejected(checker, attempt, hint):
    assert_wrong(attempt, checker, hint)


def test_pictures_look_different_from_all_sides():
    for picture in map(torch.tensor, exercises._pictures(4, 3, 3)):
        sides = [turned.rot90(k) for turned in (picture, picture.T) for k in range(4)]
        assert len({tuple(side.flatten().tolist()) for side in sides}) == 8


# ------------------------------------------------------------------ attempts at a design


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
    "no gradients": lambda: Wrapped(torch.no_grad()(lambda n, x: n(x)), designs.network(25)),
    "frozen": lambda: designs.network(25).requires_grad_(False),
    "biases before batch norm": lambda: designs.network(
        25, c2=nn.Sequential(nn.Conv2d(25, 25, 3, padding=1), nn.BatchNorm2d(25), nn.ReLU())
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
    "added and taken away": (
        lambda: Wrapped(lambda n, x, b: n(x + b.sum() - b.sum()), designs.network(8), idle(9_000)),
        "a use for 9,000 of its 11,250 parameters",
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
}


@pytest.mark.parametrize(("build", "says", "remedy"), FOUND_WRONG.values(), ids=FOUND_WRONG)
def test_wrong_designs_are_found_wrong(build, says, remedy):
    verdict = designs.verdict_on(build(), limit=20_000)
    assert says in verdict
    assert verdict.remedy == remedy


class Functional(nn.Module):
    """A network that meets the assignment with functions for layers and a sum around a block."""

    def __init__(self, width, kernel_size=3, dilation=2):
        super().__init__()
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.pointwise = nn.Conv2d(width, width, 1)
        self.last = nn.Conv2d(width, width, kernel_size, padding="same", dilation=dilation)
        self.classes = nn.Linear(width, 10)

    def forward(self, x):
        x = F.max_pool2d(self.first(x).relu(), 2)
        x = F.max_pool2d(self.second(x).relu(), 2)
        x = F.max_pool2d(x + self.pointwise(self.depthwise(x)).relu(), 2)
        return self.classes(self.last(x).relu().mean((2, 3)))


def functional_width(limit, extra=0):
    """Return the most channels with which `Functional` stays below the limit, and some more."""
    widths = range(1, 300)
    return max(w for w in widths if 19 * w**2 + 51 * w + 10 < limit) + extra


@pytest.mark.parametrize(
    ("attempt", "hint"),
    [
        (lambda limit: Functional(functional_width(limit)), None),
        (lambda limit: Functional(functional_width(limit, extra=1)), designs.TOO_LARGE),
        (lambda limit: Functional(functional_width(limit) // 2), designs.TOO_SMALL),
        (lambda limit: Functional(functional_width(10_000)), designs.CONSTANT),
        (lambda limit: Functional(functional_width(limit), 5, dilation=1), designs.STRUCTURE[3]),
    ],
)
def test_the_hint_is_for_what_a_design_lacks_whatever_the_network(attempt, hint):
    few = replace(exercises.check_design, cases=[{"limit": n} for n in (5_000, 30_000, 60_000)])
    if hint is None:
        assert_right(attempt, few)
    else:
        assert said_of(attempt, few).endswith(f" {hint}")


# ------------------------------------------------------------------ recorded runs


@pytest.mark.parametrize("name", PRESETS)
class TestRecordedRun:
    def test_it_is_a_run_of_the_preset(self, name):
        run, preset = runs.load(f"13_{name}"), presets.PRESETS[name]
        network = preset.network()
        table = trace(network, (3, 32, 32))
        assert run["preset"] == name
        assert run["network"] == type(network).__name__
        assert (run["params"], run["macs"]) == (table.params, table.macs)
        assert TrainConfig.from_dict(run["config"]) == preset.config
        accuracies = [one["test"]["accuracy"] for one in run["runs"]]
        assert grade(network, accuracy=sum(accuracies) / len(accuracies)).passed

    def test_three_seeds_from_the_first_epoch_to_the_last(self, name):
        run = runs.load(f"13_{name}")
        assert [one["seed"] for one in run["runs"]] == [0, 1, 2]
        for one in run["runs"]:
            epochs = [row["epoch"] for row in one["epochs"]]
            assert epochs == [*range(1, run["config"]["epochs"] + 1)]
            assert one["test"]["images"] == 10_000

    def test_the_confusions_are_those_of_the_first_seed(self, name):
        run = runs.load(f"13_{name}")
        counts = torch.tensor(run["confusion"])
        assert counts.shape == (10, 10)
        assert counts.sum(1).tolist() == [1000] * 10
        right = counts.trace().item() / 10_000
        assert right == pytest.approx(run["runs"][0]["test"]["accuracy"], abs=1e-6)
        for mistake in run["mistakes"]:
            label, said = map(run["classes"].index, (mistake["label"], mistake["said"]))
            assert label != said
            assert counts[label, said] > 0


def test_each_ablation_changes_one_setting_of_the_preset_or_its_network():
    run = runs.load("13_ablations")
    first, *others = run["trials"]
    assert first["changed"] == {}
    assert TrainConfig.from_dict(run["config"]) == presets.PRESETS[run["preset"]].config
    for trial in others:
        assert len(trial["changed"]) <= 1
        for setting, value in trial["changed"].items():
            assert run["config"][setting] != value
    for trial in run["trials"]:
        assert [one["seed"] for one in trial["runs"]] == [0, 1, 2]
