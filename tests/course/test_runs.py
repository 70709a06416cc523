"""Recorded runs: complete, readable, written whole or not at all."""

import json
import re

import pytest
import torch

from convbook.course import runs
from convbook.train import provenance


@pytest.mark.parametrize("name", runs.names())
def test_a_run_says_where_it_comes_from(name):
    run = runs.load(name)
    assert re.fullmatch(r"[0-9a-f]{40}", run["commit"])
    assert isinstance(run["seed"], int)
    assert run["data"]
    assert {"processor", "cores", "threads", "system"} <= run["machine"].keys()
    assert {"python", "torch"} <= run["versions"].keys()
    assert run["commit"][:10] in runs.origin(run)


def test_a_part_has_a_commit_and_seeds_of_its_own():
    run = runs.load("14_gpu")
    for part, commit in run["commits"].items():
        said = runs.origin(run, part)
        assert said.endswith(f"commit {commit[:10]}.")
        trained = (
            "seeds 0, 1, 2, 3, 4," if part in ("fast", "s7", "tiny", "airbench") else "seed 0,"
        )
        assert f"\n{trained} data" in said
    whole, part = runs.origin(run).split("\n"), runs.origin(run, "ladder").split("\n")
    assert whole[0] == part[0]


@pytest.mark.parametrize(
    ("name", "words"),
    [("14_gpu", "those that have: .*ladder"), ("13_fast", "those that have: none")],
)
def test_a_part_that_is_not_there_is_named(name, words):
    with pytest.raises(ValueError, match=f"part='speed' has no commit in this record; {words}"):
        runs.origin(runs.load(name), "speed")


def test_unknown_run_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"name='99' is no recorded run; .*02_conv_as_matmul"):
        runs.load("99")
    with pytest.raises(ValueError, match="none yet"):
        runs.load("99", tmp_path)


@pytest.fixture
def clean_checkout(monkeypatch):
    answers = {"status": "", "rev-parse": "0" * 40}
    monkeypatch.setattr(provenance, "git", lambda *arguments: answers[arguments[0]])
    return answers


@pytest.mark.usefixtures("clean_checkout")
def test_what_is_recorded_is_loaded(tmp_path):
    runs.record("sample", 3, "noise", {"times": [1.5, 2]}, tmp_path)
    run = runs.load("sample", tmp_path)
    assert (run["seed"], run["data"], run["times"]) == (3, "noise", [1.5, 2])
    assert runs.origin(run).startswith("Recorded on ")
    assert [path.name for path in tmp_path.iterdir()] == ["sample.json"]


@pytest.mark.usefixtures("clean_checkout")
@pytest.mark.parametrize(
    ("results", "words"), [({}, "seed 3,"), ({"seeds": [3, 4, 5]}, "seeds 3, 4, 5,")]
)
def test_every_seed_is_named(tmp_path, results, words):
    runs.record("sample", 3, "noise", results, tmp_path)
    assert f"\n{words} data: noise" in runs.origin(runs.load("sample", tmp_path))


@pytest.mark.usefixtures("clean_checkout")
@pytest.mark.parametrize("card", [None, "Made-up 9000"])
def test_a_gpu_is_named_where_there_is_one(tmp_path, monkeypatch, card):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: card is not None)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: card)
    runs.record("sample", 3, "noise", {}, tmp_path)
    run = runs.load("sample", tmp_path)
    assert run["machine"].get("gpu") == card
    first = run["machine"]["processor"] if card is None else card
    assert runs.origin(run).startswith(f"Recorded on {first}, ")


def test_changed_files_are_refused(clean_checkout, tmp_path):
    clean_checkout["status"] = " M src/convbook/functional.py"
    with pytest.raises(ValueError, match=r"commit them:\n M src/convbook/functional\.py"):
        runs.record("sample", 0, "noise", {}, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("clean_checkout")
def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    runs.record("sample", 0, "noise", {"n": 1}, tmp_path)
    with pytest.raises(TypeError):
        runs.record("sample", 0, "noise", {"n": object()}, tmp_path)

    def full_disk(path, *arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full_disk)
    with pytest.raises(OSError, match="No space left"):
        runs.record("sample", 0, "noise", {"n": 2}, tmp_path)
    monkeypatch.undo()
    assert json.loads((tmp_path / "sample.json").read_text())["n"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["sample.json"]
