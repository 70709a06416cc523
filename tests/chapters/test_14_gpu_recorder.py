"""What was recorded on a GPU, and the script that records it, tried on the CPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from convbook.course import runs
from convbook.grade import grade
from convbook.train import TrainConfig
from convbook.train.presets import PRESETS
from tests.helpers.toy_data import bands, write_folder

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "record_14_gpu.py"
SEEDS = [0, 1, 2, 3, 4]


@pytest.fixture(scope="module")
def record():
    return runs.load("14_gpu")


def test_the_script_writes_part_by_part_and_measures_none_twice(tmp_path):
    write_folder(bands(), tmp_path / "bands")

    def measure(*options):
        words = [sys.executable, SCRIPT, "--data", tmp_path / "bands", "--small", "--out", tmp_path]
        done = subprocess.run([*words, *options], capture_output=True, text=True, check=True)
        return done.stdout, json.loads((tmp_path / "14_gpu.json").read_text("utf8"))

    commit = "0" * 40
    said, content = measure("--only", "ceilings", "by_hand", "--commit", commit)
    assert [line.split(":")[0] for line in said.splitlines()] == ["ceilings", "by_hand"]
    assert content["commits"] == {"ceilings": commit, "by_hand": commit}
    assert content["ceilings"]["teraflops"]["float32"] > 0
    for who in ("by hand", "pytorch"):
        assert content["by_hand"][who]["relative_error"] < 1e-5
        assert content["by_hand"][who]["forward"]["least"] > 0
    (tmp_path / "bands").rename(tmp_path / "gone")  # its images are decoded, and kept
    said, again = measure("--only", "ceilings", "groups", "--commit", "1" * 40)
    assert again["data"] == "bands"
    assert again["ceilings"] == content["ceilings"]
    assert again["commits"] == {**content["commits"], "groups": "1" * 40}
    said, _ = measure("--only", "layers", "--minutes", "0")
    assert said.startswith("layers: left out")


@pytest.mark.parametrize(("name", "accuracy"), [("fast", 0.8), ("s7", 0.89), ("tiny", 0.8)])
def test_every_seed_of_a_recorded_network_is_as_good_as_we_say(record, name, accuracy):
    part = record[name]
    assert [run["seed"] for run in part["runs"]] == SEEDS
    assert all(run["test"]["accuracy"] > accuracy for run in part["runs"])
    assert part["params"] == sum(p.numel() for p in PRESETS[name].network().parameters())
    assert grade(PRESETS[name].network(), accuracy).passed
    assert TrainConfig.from_dict(part["config"]).cuda_graph


def test_s7_is_fast_enough_and_level_with_a_network_twice_its_size(record):
    s7, airbench = record["s7"], record["airbench"]
    assert max(run["seconds_to"]["80%"] for run in s7["runs"]) < 2
    assert max(run["seconds"] for run in s7["runs"]) < 10
    assert s7["params"] < airbench["params"] / 2
    ours = [run["test"]["accuracy"] for run in s7["runs"]]
    theirs = [run["accuracy"]["plain"] for run in airbench["runs"]]
    assert abs(sum(ours) - sum(theirs)) / len(SEEDS) < 0.005


def test_a_run_that_went_on_has_the_same_bits(record):
    for part in record["resume"].values():
        assert part["differ_after_resume"] == part["differ_in_a_second_run"] == 0


def test_a_small_network_waits_for_its_launches(record):
    """Number format and layout bring nothing step by step, and a graph brings what they save."""
    rows = {
        (row["precision"], row["channels_last"], row["cuda_graph"]): row
        for row in record["factors"]
        if row["preset"] == "s7"
    }
    plain, best = ("float32", False), ("bfloat16", True)
    eager = [rows[*which, False]["step_ms"] for which in (plain, best)]
    graph = [rows[*which, True]["step_ms"] for which in (plain, best)]
    busy = [rows[*which, True]["busy_ms"] for which in (plain, best)]
    assert eager[0] / eager[1] < 1.5
    assert graph[0] / graph[1] > 2
    assert all(time < 1.2 * computing for time, computing in zip(graph, busy, strict=True))
    assert eager[1] > 3 * busy[1]
