"""The runs that were recorded for the first edition's chapter 13: what they hold is the book's.

So that no page says anything of a network that is not.
"""

from pathlib import Path

import pytest
import torch
from torch import nn

from convbook import data
from convbook.analysis import trace
from convbook.course import runs
from convbook.grade import grade
from convbook.train import TrainConfig, presets
from convbook.train.optimisation import make_optimizer, make_schedule
from tests.helpers.recorders import load_recorder

PRESETS = ("fast", "s7", "tiny")
SCRIPT = Path(__file__).parents[2] / "benchmarks" / "record_13_train_and_grade.py"


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


# ------------------------------------------------- trials that leave out one thing and nothing else


@pytest.fixture
def recorder(monkeypatch):
    module = load_recorder(SCRIPT, monkeypatch)
    monkeypatch.setattr(module, "check_committed", lambda: None)
    monkeypatch.setattr("convbook.train.provenance.check_committed", lambda: None)
    return module


def rates_of(changes, steps=200):
    config = TrainConfig(epochs=5, **{"max_lr": 0.3} | changes)
    sgd = make_optimizer(nn.Linear(1, 1), config)
    schedule, found = make_schedule(sgd, config, steps // 5), []
    for _ in range(steps):
        found += schedule.get_last_lr()[:1]
        sgd.step()
        schedule.step()
    return torch.tensor(found, dtype=torch.double)


def test_the_trials_of_rates_leave_the_rates_alone(recorder):
    """Of two that are compared, each step in a steady direction comes to the same length."""
    trials = {name: changes for name, (changes, _) in recorder.RATES.items()}
    whole = rates_of({})

    def effective(name):
        changes = trials[name]
        return rates_of(changes) / (1 - changes.get("momentum", 0.9))

    pairs = {3: ("momentum 0.9, rate 0.3", "momentum 0, rate 3")}
    pairs[0.3] = ("momentum 0.9, rate 0.03", "momentum 0, rate 0.3")
    for highest, (one, other) in pairs.items():
        assert effective(one).max().item() == pytest.approx(highest, rel=0.03)
        torch.testing.assert_close(effective(one), effective(other))
    without = rates_of(trials["no warm-up, rate 0.4"])
    torch.testing.assert_close(without[51:], whole[51:], rtol=0.03, atol=0.002)
    assert (without[:40] > whole[:40] * 1.05).all()


@pytest.mark.parametrize("what", ["rates", "long"])
def test_trials_are_recorded_and_go_on_where_they_were(recorder, tmp_path, monkeypatch, what):
    """On a handful of shapes: the second call finds all runs finished and trains none anew."""
    whole = data.load("shapes")
    parts = [
        data.Split(p.images[:n], p.labels[:n]) for p, n in ((whole.train, 80), (whole.test, 20))
    ]
    few = data.Dataset("few shapes", whole.classes, *parts, parts[1])
    monkeypatch.setattr(recorder, "load", lambda source: few)
    trials, _, pictures, settings = recorder.EXPERIMENTS[what]
    settings = settings | {"batch_size": 32, "precision": "float32"}
    trials = {
        name: ({key: 1 if key == "epochs" else changes[key] for key in changes}, alter)
        for name, (changes, alter) in [*trials.items()][:2]
    }
    assert pictures in (10_000, 3_000)
    small = recorder.Trials(trials, (0, 1), 64, settings | {"epochs": 1})
    monkeypatch.setitem(recorder.EXPERIMENTS, what, small)
    found = []
    for out in ("one", "two"):
        (tmp_path / out).mkdir()
        arguments = [what, "--data", "shapes", "--work", str(tmp_path / "work")]
        recorder.main([*arguments, "--out", str(tmp_path / out)])
        found.append(runs.load(f"13_{what}", tmp_path / out))
    assert found[0]["trials"] == found[1]["trials"]
    assert found[0]["sizes"] == [64, 20, 20]
    assert found[0]["seeds"] == [0, 1]
    for trial in found[0]["trials"]:
        assert [one["seed"] for one in trial["runs"]] == [0, 1]
        assert 0 <= trial["runs"][0]["test"]["accuracy"] <= 1


def test_a_share_of_the_pictures_is_always_the_same_and_mixed(recorder):
    whole = data.load("shapes")
    one, two = recorder.share_of(whole, 100), recorder.share_of(whole, 100)
    assert torch.equal(one.train.images, two.train.images)
    assert (len(one.train), len(one.test)) == (100, len(whole.test))
    assert one.train.labels.unique().numel() == 10
