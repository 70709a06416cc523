"""Chapter 14, Train it on a GPU: its quiz answers, its exercises, and its recorded runs."""

import copy
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch._subclasses import FakeTensorMode

from convbook import data
from convbook.analysis import trace
from convbook.course import runs
from convbook.course.checks import sick_steps
from convbook.course.checks import train_on_a_gpu as exercises
from convbook.course.checks._checker import _fold
from convbook.grade import grade
from convbook.models import S7Repaired
from convbook.train import TrainConfig
from convbook.train.presets import PRESETS
from tests.helpers.attempts import assert_right, assert_wrong
from tests.helpers.recorders import load_recorder

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "record_14_repaired.py"
GPU = runs.load("14_gpu")
LADDER = GPU["ladder"]


# ----------------------------------------------------------------------------------- quiz answers


def opening_question():
    """Eight processes that fetch, and nothing else changed, take most of the step away."""
    rungs = LADDER["s7"]["rungs"]
    step, shared = rungs["GPU, the same loop"], rungs["8 loader processes"]
    assert round(step["step_ms"]) == 174
    assert step["busy_ms"] < 0.05 * step["step_ms"]  # so it is not arithmetic
    assert 4.5 < step["step_ms"] / shared["step_ms"] < 5.5  # nor copying, which both do
    megabytes = 512 * 3 * 32 * 32 * 4 / 1e6
    assert round(megabytes) == 6
    assert round(megabytes / 0.174) == 36
    return "for pictures that Python opens and changes, one after the other"


def moved_or_not():
    with FakeTensorMode():
        with torch.device("cuda"):
            model = S7Repaired()
        x = torch.zeros(2, 3, 32, 32)
        x.to("cuda")
        with pytest.raises(RuntimeError, match=r"cuda:0.* on cpu"):
            model(x)
        assert model(x.to("cuda")).device.type == "cuda"
    return "an error: `x` is still on the CPU"


def nine_times():
    work = {n: GPU[n]["macs"] * LADDER[n]["batch_size"] for n in ("fast", "s7")}
    assert round(work["s7"] / work["fast"]) == 9
    steps = [LADDER[n]["rungs"]["pictures on the GPU"]["step_ms"] for n in ("fast", "s7")]
    assert [round(one, 1) for one in steps] == [6.0, 9.2]
    choices = {
        "about 54 ms, nine times as long": 54,
        "about 27 ms, since large batches are free and only the work for each picture counts": 27,
        "about 9 ms, one and a half times as long": 9,
    }
    assert round(steps[1] / steps[0], 1) == 1.5
    return min(choices, key=lambda text: abs(choices[text] - steps[1]))


def stuck():
    """The best loss behind a softmax: all probability on the right class."""
    sure = torch.eye(10, dtype=torch.float64)
    least = F.cross_entropy(sure, torch.arange(10)).item()
    assert least == pytest.approx(math.log(1 + 9 / math.e))
    assert f"{least:.2f}" == "1.46"
    return "there is a softmax between the network and the cross-entropy"


def best_of_fifty():
    said = torch.randint(10, (200, 50, 1000), generator=torch.Generator().manual_seed(0))
    best = (said == 0).double().mean(-1).amax(-1)  # of fifty, two hundred times
    choices = {"10 %, since they all guess": 0.1, "12 %": 0.12, "20 %": 0.2, "50 %": 0.5}
    return min(choices, key=lambda text: abs(choices[text] - best.mean()))


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "moved-or-not": moved_or_not,
    "nine-times": nine_times,
    "stuck": stuck,
    "best-of-fifty": best_of_fifty,
}


# ------------------------------------------------------------------------- exercise 1: left behind


def by_meta(network):
    """Move a copy to a device without memory, and see what is still on the CPU."""

    def stays(value):
        if isinstance(value, torch.Tensor):
            return value.device.type == "cpu"
        if isinstance(value, nn.Module):
            return any(stays(one) for one in (*value.parameters(), *value.buffers()))
        if isinstance(value, dict):
            return any(map(stays, value.values()))
        return isinstance(value, list | tuple) and any(map(stays, value))

    moved = copy.deepcopy(network).to("meta")
    return [
        f"{prefix}.{name}".lstrip(".")
        for prefix, module in moved.named_modules()
        for name, value in vars(module).items()
        if not name.startswith("_") and stays(value)
    ]


def as_a_set(network):
    return set(by_meta(network))


def by_parameters(network):
    known = {id(t) for t in itertools.chain(network.parameters(), network.buffers())}
    found = []
    for prefix, module in network.named_modules():
        for name, value in module.__dict__.items():
            if name in ("_parameters", "_buffers", "_modules"):
                continue
            parts = value.values() if isinstance(value, dict) else value
            parts = parts if isinstance(value, list | tuple | dict) else [value]
            for part in parts:
                tensors = list(part.parameters()) if isinstance(part, nn.Module) else [part]
                tensors = [t for t in tensors if isinstance(t, torch.Tensor)]
                if any(id(t) not in known for t in tensors):
                    found.append(f"{prefix}.{name}" if prefix else name)
                    break
    return tuple(sorted(found))


def in_place(network):
    network.to("meta")
    return exercises.left_behind(network)


@pytest.mark.parametrize("attempt", [by_meta, as_a_set, by_parameters])
def test_ways_of_finding_what_stays_are_accepted(attempt):
    assert_right(attempt, exercises.check_left_behind)


def test_a_network_that_was_moved_in_place_is_noticed(capsys):
    exercises.check_left_behind(in_place)
    assert "changes network in place" in capsys.readouterr().out


@pytest.mark.parametrize("case", exercises.check_left_behind.cases)
def test_networks_can_be_pasted_and_what_is_named_stays(case):
    network = case["network"]
    pasted = eval(repr(network), {"torch": torch, "nn": nn, "Network": exercises.Network})
    assert exercises.left_behind(pasted) == exercises.left_behind(network)
    assert sorted(by_meta(network)) == exercises.left_behind(network)


# --------------------------------------------------------------------------- exercise 2: best pair


def by_brute_force(stages, changes):
    """Every two changes, with NumPy."""
    best = None
    for one in range(len(changes)):
        for other in range(one + 1, len(changes)):
            time = (np.array(stages) * changes[one] * np.array(changes[other])).max()
            if best is None or time < best[0] - 1e-12:
                best = time, (other, one)
    return best[1]


def by_tensors(stages, changes):
    factors = torch.tensor(changes, dtype=torch.float32)
    pairs = torch.combinations(torch.arange(len(changes)))
    times = (torch.tensor(stages) * factors[pairs[:, 0]] * factors[pairs[:, 1]]).amax(1)
    return pairs[times.argmin()]


@pytest.mark.parametrize("attempt", [by_brute_force, by_tensors, exercises.best_pair])
def test_ways_of_choosing_two_changes_are_accepted(attempt):
    assert_right(attempt, exercises.check_best_pair)


def test_a_choice_is_judged_by_the_step_it_leads_to():
    assert exercises.is_best_pair([0, 2], [168, 9, 5], [[0.125, 1, 1], [1, 1, 0.5], [1, 0.05, 1]])
    for wrong in ([1, 2], [0, 0], [0, 3], [-1, 0]):
        case = [168, 9, 5], [[0.125, 1, 1], [1, 1, 0.5], [1, 0.05, 1]]
        assert not exercises.is_best_pair(wrong, *case)


# ------------------------------------------------------------------------------ exercise 3: learns


def by_curve(step):
    model, x, labels, optimizer = exercises.one_batch()
    torch.manual_seed(1)
    for _ in range(40):
        step(model, x, labels, optimizer)
    return F.cross_entropy(model(x), labels) < 0.1


def by_log_softmax(step):
    model, x, labels, optimizer = exercises.one_batch()
    for _ in range(30):
        step(model, x, labels, optimizer)
    with torch.no_grad():
        logs = model(x).log_softmax(1).numpy()
    return float(-logs[np.arange(40), labels.numpy()].mean()) < 0.1


def by_last_losses(step):
    model, x, labels, optimizer = exercises.one_batch()
    losses = []
    for _ in range(30):
        step(model, x, labels, optimizer)
        losses.append(F.cross_entropy(model(x), labels).item())
    return max(losses[-3:]) < 0.1


@pytest.mark.parametrize("attempt", [by_curve, by_log_softmax, by_last_losses])
def test_ways_of_judging_a_step_are_accepted(attempt):
    assert_right(attempt, exercises.check_learns)


@pytest.mark.parametrize("case", exercises.check_learns.cases)
def test_steps_can_be_pasted_even_if_they_were_broken_at_spaces(case):
    shown = _fold(repr(case["step"]), "    ")
    assert eval(shown, {"Step": exercises.Step}) == case["step"]


def test_healthy_and_sick_steps_are_far_from_the_border():
    for source in sick_steps.RIGHT:
        assert sick_steps.loss_after(sick_steps.Step(source), 30) < 0.02
    for source in sick_steps.SICK.values():
        assert sick_steps.loss_after(sick_steps.Step(source), 30) > 1


# ------------------------------------------------------------------------------ exercise 4: honest


def by_numpy(runs):
    means = [np.mean(np.array(seeds), axis=0) for seeds in runs]
    which = int(np.argmax([mean[0] for mean in means]))
    return which, means[which][1]


def by_sorting(runs):
    means = [(sum(v for v, _ in s) / len(s), i) for i, s in enumerate(runs)]
    which = sorted(means)[-1][1]
    return [which, sum(t for _, t in runs[which]) / len(runs[which])]


def by_float32(runs):
    means = [torch.tensor(seeds).mean(0) for seeds in runs]
    which = max(range(len(runs)), key=lambda i: means[i][0])
    return [which, means[which][1].item()]


@pytest.mark.parametrize("attempt", [by_numpy, by_sorting, by_float32])
def test_ways_of_reporting_are_accepted(attempt):
    assert_right(attempt, exercises.check_honest)


# -------------------------------------------------------------------------------- wrong attempts


def first_two(stages, changes):
    return [0, 1]


def greedy(stages, changes):
    chosen = []
    for _ in range(2):
        left = [i for i in range(len(changes)) if i not in chosen]
        best = min(
            left, key=lambda i: exercises.step_after(stages, [changes[j] for j in (*chosen, i)])
        )
        chosen.append(best)
    return chosen


def with_one_model_for_all():
    """Take one_batch() once, and not for every step."""
    model, x, labels, optimizer = exercises.one_batch()

    def judge(step):
        for _ in range(30):
            step(model, x, labels, optimizer)
        with torch.no_grad():
            return F.cross_entropy(model(x), labels).item() < 0.1

    return judge


def by_its_looks(step):
    """Trust every step that has the three calls in it."""
    calls = ("zero_grad()", "backward()", "optimizer.step()")
    return all(call in repr(step) for call in calls)


WRONG = [
    (exercises.check_left_behind, lambda network: [], ""),
    (
        exercises.check_left_behind,
        lambda network: [n for n, v in vars(network).items() if isinstance(v, torch.Tensor)],
        "",
    ),
    (
        exercises.check_left_behind,
        lambda network: [n for n, p in network.named_parameters() if p.device.type == "cpu"],
        "Parameters and buffers do move",
    ),
    (exercises.check_left_behind, lambda network: len(exercises.left_behind(network)), ""),
    (exercises.check_best_pair, first_two, "Try every two changes"),
    (exercises.check_best_pair, greedy, "need not be the best two"),
    (
        exercises.check_best_pair,
        lambda stages, changes: exercises.best_pair(
            stages, [[f - 1 for f in one] for one in changes]
        ),
        "",
    ),
    (
        exercises.check_learns,
        lambda step: sick_steps.loss_after(step, 30) < sick_steps.loss_after(step, 0) / 1.05,
        "Below 0.1 is by heart",
    ),
    (exercises.check_learns, lambda step: sick_steps.loss_after(step, 3) < 0.1, ""),
    (exercises.check_learns, by_its_looks, ""),
    (exercises.check_learns, with_one_model_for_all(), "Start each time from a new model"),
    (
        exercises.check_honest,
        lambda runs: max(
            ([i, t] for i, seeds in enumerate(runs) for _, t in seeds), key=lambda one: one[1]
        ),
        "",
    ),
    (
        exercises.check_honest,
        lambda runs: [i := exercises.honest(runs)[0], sorted(t for _, t in runs[i])[0]],
        "",
    ),
]


@pytest.mark.parametrize(("checker", "attempt", "hint"), WRONG)
def test_wrong_attempts_are_rejected(checker, attempt, hint):
    assert_wrong(attempt, checker, hint)


# --------------------------------------------------------------------------------- recorded runs


def test_the_rungs_are_of_the_presets():
    for name in ("fast", "s7"):
        table = trace(PRESETS[name].network())
        assert (GPU[name]["params"], GPU[name]["macs"]) == (table.params, table.macs)
        assert next(iter(LADDER[name]["rungs"])) == "CPU, float32"
        for rung in LADDER[name]["rungs"].values():
            pictures = LADDER[name]["batch_size"] / rung["step_ms"] * 1e3
            assert pictures == pytest.approx(rung["pictures_per_second"], rel=0.001)


def test_the_repaired_network_was_trained_as_the_recorder_says(recorder):
    record, table = runs.load("14_repaired"), trace(S7Repaired())
    assert record["network"] == "S7Repaired"
    assert (record["params"], record["macs"]) == (table.params, table.macs)
    assert TrainConfig.from_dict(record["config"]) == recorder.CONFIG
    assert record["sizes"] == [45_000, 5_000, 10_000]
    assert [one["seed"] for one in record["runs"]] == [*recorder.SEEDS]
    for one in record["runs"]:
        assert [row["epoch"] for row in one["epochs"]] == [*range(1, recorder.CONFIG.epochs + 1)]
        assert one["test"]["images"] == 10_000
    accuracies = [one["test"]["accuracy"] for one in record["runs"]]
    mean = sum(accuracies) / len(accuracies)
    assert record["passed"] == (mean >= 0.8) == grade(S7Repaired(), accuracy=mean).passed


@pytest.fixture
def recorder(monkeypatch):
    return load_recorder(SCRIPT, monkeypatch)


def test_a_recording_goes_on_where_it_was(recorder, tmp_path, monkeypatch):
    """On a handful of shapes: the second call finds both runs finished and trains none anew."""
    whole = data.load("shapes")
    parts = [data.Split(p.images[:64], p.labels[:64]) for p in (whole.train, whole.validation)]
    few = data.Dataset("few shapes", whole.classes, *parts, parts[1])
    monkeypatch.setattr(recorder, "load", lambda source: few)
    config = TrainConfig(epochs=1, batch_size=32, precision="float32")
    monkeypatch.setattr(recorder, "CONFIG", config)
    arguments = ["--data", "shapes", "--work", str(tmp_path / "work"), "--seeds", "0", "1"]
    found = []
    for out in ("one", "two"):
        recorder.main([*arguments, "--out", str(tmp_path / out), "--epochs", "1"])
        found.append(json.loads((tmp_path / out / "14_repaired.json").read_text("utf8")))
    assert found[0]["runs"] == found[1]["runs"]
    assert found[0]["network"] == "S7Repaired"
    assert [one["seed"] for one in found[0]["runs"]] == [0, 1]
    assert found[0]["runs"][0]["epochs"][0].keys() >= {"loss", "validation_loss"}
