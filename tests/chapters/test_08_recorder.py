"""The recorder of chapter 8's times: what it keeps, on tiny maps."""

import json

import pytest
import torch

from convbook.course import runs
from tests.helpers.checkout import ROOT
from tests.helpers.recorders import load_recorder


@pytest.fixture
def recorder(monkeypatch):
    path = ROOT / "benchmarks" / "record_08_depthwise_separable.py"
    return load_recorder(path, monkeypatch)


def test_it_keeps_what_the_chapter_draws(recorder, monkeypatch):
    torch.manual_seed(0)
    monkeypatch.setattr(recorder, "MAP_SIZE", 4)
    found = recorder.by_channels(1, channels=(2, 4))
    kept = runs.load("08_depthwise_separable")["layers"]
    assert set(found) == set(kept)
    for table in ("macs", "milliseconds", "page_faults"):
        assert set(found[table]) == set(kept[table])
    assert found["macs"]["separable"] == [16 * 2 * (9 + 2), 16 * 4 * (9 + 4)]
    lanes = recorder.by_lanes(1, channels=(2, 4), size=5)
    assert set(lanes) == set(runs.load("08_depthwise_separable")["lanes"])
    assert len(lanes["milliseconds"]) == len(lanes["page_faults"]) == 2
    networks = recorder.of_networks(1, names=("squeezenet1_1",), side=32)
    assert set(networks) == set(runs.load("08_depthwise_separable")["networks"])
    json.dumps([found, lanes, networks])


def test_no_page_is_fetched_while_it_measures():
    run = runs.load("08_depthwise_separable")
    faults = [*run["layers"]["page_faults"].values(), run["lanes"]["page_faults"]]
    assert not any(any(counted) for counted in faults)
