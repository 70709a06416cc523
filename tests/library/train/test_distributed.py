"""Several processes, and devices that this machine need not have."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from convbook.train import fit, fitting
from convbook.train.distributed import ALONE, deterministic, device_name
from tests.helpers.toy_data import CONFIG, bands, network

pytestmark = pytest.mark.usefixtures("one_thread")
HELPERS = Path(__file__).parents[2] / "helpers"
NET = """
from torch import nn

def net():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 4))
"""


# ------------------------------------------------------------------ several processes


def together(folder, count=2, **environment):
    """Train in several processes, from a download that takes a second."""
    (folder / "my_linear_net.py").write_text(NET)
    command = [sys.executable, "-m", "torch.distributed.run", f"--nproc_per_node={count}"]
    command += ["--standalone", HELPERS / "slow_download.py", folder / "cache"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, **environment},
    )
    return done, (folder / "cache.log").read_text().split()


@pytest.mark.parametrize("count", [2, 3])
def test_one_downloads_while_the_others_wait(tmp_path, count):
    done, log = together(tmp_path, count)
    assert done.returncode == 0, done.stderr
    assert log == ["downloaded"] + ["found"] * (count - 1)
    assert done.stdout.count("nothing was saved") == 1


def test_a_download_that_fails_is_told_once(tmp_path):
    done, log = together(tmp_path, FAIL="1")
    assert done.returncode != 0
    assert log == ["downloaded"]
    assert done.stderr.count("convbook train: error: no route to host") == 1
    assert 'slow_download.py", line' not in done.stderr  # nobody's traceback


def test_a_process_alone_waits_for_nobody():
    assert ALONE.in_turn(lambda: 3) == 3
    with pytest.raises(OSError, match="no route"):
        ALONE.in_turn(_fail)


def _fail():
    raise OSError("no route to host")


# ------------------------------------------------------------------ devices


@pytest.mark.parametrize("device", ["cpu", "mps", "xpu"])
def test_a_device_is_called_what_it_is(device):
    assert device_name(device) == device


def test_a_gpu_is_called_by_its_own_name_among_several(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"Card {device.index}")
    assert device_name("cuda:1") == "Card 1"


def test_a_run_says_on_what_it_was_trained(tmp_path, monkeypatch):
    monkeypatch.setattr(fitting, "device_name", lambda device: f"the {device}")
    fit(network(), bands(), replace(CONFIG, epochs=1), tmp_path, progress=False)
    assert json.loads((tmp_path / "run.json").read_text())["device"] == "the cpu"


def test_repeatable_runs_are_refused_on_an_apple_gpu(monkeypatch):
    sentence = (
        "deterministic=True, but the network is on an Apple GPU (mps), where the gradients of some "
        "layers, nn.MaxPool2d among them, do not repeat bit by bit and PyTorch refuses them; use "
        "deterministic=False, or the CPU"
    )
    with pytest.raises(ValueError, match="Apple GPU") as caught, deterministic(True, "mps"):
        pass
    assert str(caught.value) == sentence
    assert not torch.are_deterministic_algorithms_enabled()
    with deterministic(False, "mps"):
        assert not torch.are_deterministic_algorithms_enabled()
    # The loop asks with the device of the network, before it runs.
    monkeypatch.setattr(nn.Parameter, "device", torch.device("mps"), raising=False)
    data = bands()
    monkeypatch.setattr(type(data), "to", lambda self, device: self)
    with pytest.raises(ValueError, match="Apple GPU"):
        fit(network(), data, replace(CONFIG, deterministic=True), progress=False)


def test_repeatable_operations_only_while_they_are_wanted():
    with deterministic(True, "cpu"):
        assert torch.are_deterministic_algorithms_enabled()
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("deterministic", [True, False])
def test_the_setting_reaches_the_loop_and_repeats_on_the_cpu(monkeypatch, deterministic):
    seen, weights = [], []
    train_epoch = fitting.train_epoch

    def watched(*arguments):
        seen.append(torch.are_deterministic_algorithms_enabled())
        return train_epoch(*arguments)

    monkeypatch.setattr(fitting, "train_epoch", watched)
    config = replace(CONFIG, epochs=1, deterministic=deterministic)
    for _ in range(2):
        net = network()
        fit(net, bands(), config, progress=False)
        weights.append(net.state_dict())
    assert seen == [deterministic] * 2
    if deterministic:
        assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
