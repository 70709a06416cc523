"""Several processes, and devices that this machine need not have."""

import contextlib
import datetime
import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn

from convbook.train import fit, fitting
from convbook.train.distributed import (
    ALONE,
    World,
    best_device,
    deterministic,
    device_name,
    has_bfloat16,
    init_distributed,
    world,
)
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


def test_a_process_joins_the_others_and_leaves_them(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    with init_distributed() as device:
        assert device == best_device()
        assert world() is ALONE
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = {"RANK": 0, "WORLD_SIZE": 1, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    for name, value in place.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for wrong in (contextlib.nullcontext(), pytest.raises(OSError, match="no route")):
        with wrong, init_distributed() as device:
            assert device == best_device()
            assert (dist.get_backend(), world()) == ("gloo", World(0, 1))
            if not isinstance(wrong, contextlib.nullcontext):
                _fail()
        assert not dist.is_initialized()
        assert world() is ALONE


def test_a_process_with_a_gpu_takes_its_own(monkeypatch):
    calls = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_device", calls.append)
    monkeypatch.setattr(dist, "init_process_group", calls.append)
    monkeypatch.setattr(dist, "destroy_process_group", lambda: calls.append("left"))
    monkeypatch.setenv("RANK", "5")
    monkeypatch.setenv("LOCAL_RANK", "2")
    with init_distributed() as device:
        assert device == "cuda:2"
        assert calls == ["cuda:2", "nccl"]
    assert calls == ["cuda:2", "nccl", "left"]


def test_only_several_processes_wait_and_share(monkeypatch):
    waits = []
    monkeypatch.setattr(dist, "barrier", lambda: waits.append(1))
    monkeypatch.setattr(dist, "all_reduce", lambda value: value.add_(5))  # the other's is 5
    ALONE.barrier()
    assert not waits
    World(1, 2).barrier()
    assert waits == [1]
    assert ALONE.mean(torch.tensor(3.0)) == 3
    assert World(1, 2).mean(torch.tensor(3.0)) == 4
    assert [World(rank, 2).is_main for rank in (0, 1)] == [True, False]
    assert World() == ALONE == (0, 1)


@pytest.mark.parametrize("local", [None, 0, 1])
@pytest.mark.parametrize("fails", [False, True])
def test_the_first_of_each_machine_acts_before_the_others(monkeypatch, local, fails):
    """Process 2 of 4, which is the first of its machine where its local rank is 0."""
    log = []
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    if local is not None:
        monkeypatch.setenv("LOCAL_RANK", str(local))
    first = local == 0
    hours = datetime.timedelta(hours=2)

    def group(backend, timeout):
        assert (backend, timeout) == ("gloo", hours)
        return "group"

    def gather(found, failed, among):
        assert (found, among) == ([False] * 4, "group")
        assert failed is (first and fails)
        log.append("told")
        found[:] = [fails, False, failed, False]  # another machine's first fails as well

    def act():
        log.append("acted")
        return _fail() if fails else 7

    monkeypatch.setattr(dist, "new_group", group)
    monkeypatch.setattr(dist, "all_gather_object", gather)
    process = World(2, 4)
    if first and fails:
        with pytest.raises(OSError, match="no route"):
            process.in_turn(act)
    else:
        assert process.in_turn(act) == (None if fails else 7)
    acts = ["acted", "told"] if first else ["told"] if fails else ["told", "acted"]
    assert log == acts


# ------------------------------------------------------------------ devices


@pytest.mark.parametrize(
    ("cuda", "mps", "device"),
    [
        (True, True, "cuda"),
        (True, False, "cuda"),
        (False, True, "mps"),
        (False, False, "cpu"),
    ],
)
def test_the_best_device_is_the_first_that_there_is(monkeypatch, cuda, mps, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert best_device() == device


@pytest.mark.parametrize("tests", [(True, True), (True, False), (False, True), (False, False)])
def test_a_processor_has_bfloat16_by_either_of_two_sets_of_instructions(monkeypatch, tests):
    for name, has in zip(
        ("_is_avx512_bf16_supported", "_is_amx_tile_supported"), tests, strict=True
    ):
        monkeypatch.setattr(torch.cpu, name, lambda has=has: has, raising=False)
    assert has_bfloat16("cpu") is any(tests)
    assert not has_bfloat16("mps")
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, name)
    assert has_bfloat16("cpu") is False  # a PyTorch without an answer


@pytest.mark.parametrize("has", [True, False])
def test_a_gpu_is_asked_for_bfloat16_of_its_own(monkeypatch, has):
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation=True: has or including_emulation
    )
    assert has_bfloat16("cuda") is has


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
