"""Chapter 13, Train it, grade it: its quiz answers and its exercises' right answers, from PyTorch.

And what its recorded runs hold, so that the page says nothing of a network that is not the book's.
"""

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from convbook import models, runs
from convbook.analysis import trace
from convbook.checks import designs
from convbook.checks import train_and_grade as exercises
from convbook.grade import grade
from convbook.train import TrainConfig
from convbook.train.augmentation import Moves, augment

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
        moves = Moves(still, still, torch.tensor(case["chosen"]), still, still)
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


# ------------------------------------------------------------------ recorded runs


@pytest.mark.parametrize("name", PRESETS)
class TestRecordedRun:
    def test_it_is_a_run_of_the_preset(self, name):
        run, preset = runs.load(f"13_{name}"), models.PRESETS[name]
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
    assert TrainConfig.from_dict(run["config"]) == models.PRESETS[run["preset"]].config
    for trial in others:
        assert len(trial["changed"]) <= 1
        for setting, value in trial["changed"].items():
            assert run["config"][setting] != value
    for trial in run["trials"]:
        assert [one["seed"] for one in trial["runs"]] == [0, 1, 2]
