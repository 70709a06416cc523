"""The runs that were recorded for the first edition's chapter 13: what they hold is the book's.

So that no page says anything of a network that is not.
"""

import pytest
import torch

from convbook.analysis import trace
from convbook.course import runs
from convbook.grade import grade
from convbook.train import TrainConfig, presets

PRESETS = ("fast", "s7", "tiny")


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
