"""Chapter 14, the sick runs: the recorder at a tiny size, and what the record has to show."""

import itertools
import json
import math
import statistics

import pytest
import torch

from benchmarks import record_14_sick_runs as recorder
from convbook.course import runs
from convbook.course.explorers.sick_runs import LABELS

TINY = {"train": 100, "validation": 50, "test": 50}


@pytest.fixture
def in_a_commit(monkeypatch):
    for module in ("convbook.train.provenance", "benchmarks.record_14_sick_runs"):
        monkeypatch.setattr(f"{module}.check_committed", lambda: None)


def test_it_records_resumes_and_repeats(tmp_path, in_a_commit, monkeypatch):
    monkeypatch.setattr(recorder, "RUNS", {"healthy": {}, "leak": recorder.RUNS["leak"]})
    recorder.main(tmp_path, TINY, epochs=2, seeds=(0, 3))
    first = json.loads((tmp_path / "14_sick_runs.json").read_text("utf8"))
    assert [one["name"] for one in first["runs"]] == ["healthy", "leak"]
    assert (first["seeds"], first["sizes"]) == ([0, 3], TINY)
    for one in first["runs"]:
        assert len(one["seeds"]) == 2
        for seed in one["seeds"]:
            assert len(seed["loss"]) == len(seed["gradient"]) == 2
            assert sum(seed["predicted"]) == TINY["validation"]
    # One run is there already, one is done again: to the same numbers.
    (kept,) = tmp_path.glob("sick_runs_*")
    (kept / "leak_3.json").unlink()
    marked = json.loads((kept / "healthy_0.json").read_text("utf8")) | {"test": 2}
    (kept / "healthy_0.json").write_text(json.dumps(marked), "utf8")
    recorder.main(tmp_path, TINY, epochs=2, seeds=(0, 3))
    again = json.loads((tmp_path / "14_sick_runs.json").read_text("utf8"))
    assert again["runs"][1] == first["runs"][1]
    assert again["runs"][0]["seeds"][0]["test"] == 2


def test_each_disease_is_what_its_name_says():
    parts = recorder.draw_splits({"train": 400, "validation": 60, "test": 50})
    train, validation = parts["train"], parts["validation"]
    assert validation.labels.diff().min() >= 0 > train.labels.diff().min()
    settings = {name: recorder.HEALTHY | changes for name, changes in recorder.RUNS.items()}
    seen = {name: recorder.training_split(parts, one, 0) for name, one in settings.items()}
    assert {len(split) for split in seen.values()} == {400}
    assert len(torch.unique(seen["overfit"].images, dim=0)) == 200
    leaked = (validation.images[:, None] == seen["leak"].images).flatten(2).all(2)
    assert leaked.any(1).all()
    assert not (validation.images[:, None] == train.images).flatten(2).all(2).any()
    assert torch.equal(seen["shuffled"].images, train.images)
    assert (seen["shuffled"].labels == train.labels).double().mean() < 0.3
    assert seen["shuffled"].labels.bincount().tolist() == train.labels.bincount().tolist()


def test_looking_changes_nothing():
    parts = recorder.draw_splits(TINY)
    network = recorder.network_of(4)
    before = [value.clone() for value in network.state_dict().values()]
    loss = torch.nn.functional.cross_entropy
    order = torch.randperm(50)
    plain = recorder.measure(network, parts["validation"], loss)
    assert recorder.measure(network, parts["validation"], loss, order=order)[1:] == plain[1:]
    recorder.measure(network, parts["validation"], loss, train_mode=True)
    for one, other in zip(before, network.state_dict().values(), strict=True):
        assert torch.equal(one, other)


# ------------------------------------------------------------------ the record

RUN = runs.load("14_sick_runs")
FOUND = {one["name"]: one["seeds"] for one in RUN["runs"]}
EVERY = [(name, i) for name in FOUND for i in range(len(RUN["seeds"]))]
GUESSING = math.log(10)
FLOOR = math.log(1 + 9 / math.e)  # of the loss behind a softmax


def rises(curve):
    return sum(b > 1.05 * a for a, b in itertools.pairwise(curve))


def in_first_half(curve):
    """The share of its fall that a curve has behind it after half of the epochs."""
    return (curve[0] - curve[(len(curve) - 1) // 2]) / (curve[0] - curve[-1])


# What the record has to show of each disease, in every seed.
SHOWS = {
    "healthy": lambda train, loss, right, r: (
        train[-1] < 0.4 and right > 0.7 and abs(r["test"] - right) < 0.06
    ),
    "high": lambda train, loss, right, r: (
        min(train) > GUESSING and rises(loss) >= 2 and right < 0.2 and 0 in r["predicted"]
    ),
    "low": lambda train, loss, right, r: (
        0.4 < in_first_half(train) < 0.6 and not rises(train) and train[-1] > 1.9
    ),
    "softmax": lambda train, loss, right, r: min(train) > FLOOR + 0.2 and right > 0.55,
    "shuffled": lambda train, loss, right, r: (
        abs(train[-1] - GUESSING) < 0.06 and loss[-1] > 2.25 and right < 0.18
    ),
    "overfit": lambda train, loss, right, r: (
        train[-1] < 0.02 and r["train_accuracy"][-1] == 1 and min(loss) > 1
    ),
    "small": lambda train, loss, right, r: (
        1.5 < train[-1] < 2
        and in_first_half(train) > 0.6
        and right < 0.45
        and abs(r["train_accuracy"][-1] - right) < 0.08
    ),
    "mode": lambda train, loss, right, r: (
        right < 0.4 and min(r["reordered"], r["test"]) > 0.7 and min(loss) > 2
    ),
    "leak": lambda train, loss, right, r: loss[-1] < 0.3 and right > r["test"] + 0.05,
}


# One network of width 1 stays at guessing for eight epochs, and then begins to fall.
LATE = ("small", 4)


def shows(name, run):
    return SHOWS[name](run["train_loss"], run["loss"], run["accuracy"][-1], run)


@pytest.mark.parametrize(("name", "i"), EVERY)
def test_the_record_shows_each_disease_in_every_seed(name, i):
    assert shows(name, FOUND[name][i]) == ((name, i) != LATE)


def test_the_small_networks_stay_far_from_the_healthy_one_and_one_starts_late():
    for i, run in enumerate(FOUND["small"]):
        assert 1.5 < run["train_loss"][-1] < 2.2
        assert max(run["train_accuracy"][-1], run["accuracy"][-1]) < 0.35
        assert (in_first_half(run["train_loss"]) > 0.6) == (i != LATE[1])
    late = FOUND["small"][LATE[1]]["train_loss"]
    assert late[7] > 2.25
    assert late[-1] < 2.15


@pytest.mark.parametrize("name", FOUND)
def test_no_other_run_shows_it_in_most_seeds(name):
    for other, seeds in FOUND.items():
        assert (sum(shows(name, seed) for seed in seeds) > len(seeds) / 2) == (other == name), other


def test_the_record_is_that_of_the_recorder():
    assert list(FOUND) == list(recorder.RUNS) == list(LABELS)
    assert RUN["sizes"] == recorder.SIZES
    for one in RUN["runs"]:
        assert one["settings"] == recorder.HEALTHY | recorder.RUNS[one["name"]]
        assert {len(seed["loss"]) for seed in one["seeds"]} == {recorder.EPOCHS}
        order_matters = [seed["reordered"] != seed["accuracy"][-1] for seed in one["seeds"]]
        assert all(order_matters) if one["name"] == "mode" else not any(order_matters)


def test_training_of_the_run_validated_in_training_mode_is_the_healthy_ones():
    for one, other in zip(FOUND["healthy"], FOUND["mode"], strict=True):
        for name in ("train_loss", "train_accuracy", "gradient", "test"):
            assert one[name] == other[name]


def test_the_median_network_is_as_healthy_as_the_words_say():
    assert statistics.median(seed["accuracy"][-1] for seed in FOUND["healthy"]) > 0.85
