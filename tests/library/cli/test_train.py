"""The command `convbook train`, as a terminal sees it."""

import json
import re
import shlex
import subprocess
import sys

import pytest
import torch

from convbook import cli
from convbook.cli import train
from convbook.loading import load_model, load_weights
from convbook.train import TrainConfig, evaluate, fitting
from convbook.train.provenance import processor
from tests.helpers.toy_data import bands, write_folder

NET = """
from torch import nn

def net():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 4))
"""
SHORT = ["--epochs", "2", "--batch-size", "64", "--precision", "float32", "--device", "cpu"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, one_thread):
    (tmp_path / "my_linear_net.py").write_text(NET)
    write_folder(bands(), tmp_path / "bands")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys, *arguments):
    """Return the exit status and what was printed to stdout and stderr."""
    options = ["train", "my_linear_net.py:net", "--data", "bands", *arguments]
    status = cli.main(options)
    return status, *capsys.readouterr()


def test_it_trains_and_says_how_it_goes(folder, capsys):
    status, out, _ = run(capsys, *SHORT, "--folder", "run", "--no-flip", "--max-lr", "0.05")
    assert status == 0
    record = json.loads((folder / "run" / "run.json").read_text())
    assert record["config"]["epochs"] == 2
    assert record["config"]["flip"] is False
    assert record["config"]["max_lr"] == 0.05
    what, data, head, *rows, end, test = out.splitlines()
    assert what == f"Sequential, 3,076 parameters, on CPU ({processor()}, 1 thread), in float32"
    assert data == "bands: 288 pictures, and 32 for validation"
    assert re.split("  +", head) == ["epoch", "pictures/s", "training loss", "validation accuracy"]
    for line, row in zip(rows, record["epochs"], strict=True):
        speed = 256 / row["seconds"]  # 4 steps of 64 pictures
        numbers = [f"{row['epoch']}", f"{speed:,.0f}", f"{row['loss']:.4f}"]
        assert line.split() == [*numbers, f"{row['validation_accuracy']:.2%}"]
    assert end == f"trained for {record['seconds']:.1f} s, saved in run"
    assert "test accuracy" not in out
    assert record["test"] == {}
    assert test == (
        "to test it, once there is nothing left to choose: convbook grade my_linear_net.py:net "
        "--weights run/model.safetensors --data bands --input-size 3,16,16"
    )


def test_the_command_that_tests_is_the_one_that_is_named(folder, capsys):
    assert run(capsys, *SHORT, "--folder", "a run")[0] == 0
    *_, last = run(capsys, *SHORT, "--folder", "a run", "--resume")[1].splitlines()
    words = shlex.split(last.partition(": ")[2])
    assert words[0] == "convbook"
    cli.main(words[1:])
    graded = capsys.readouterr().out
    model = load_model("my_linear_net.py:net", with_weights=True)
    load_weights(model, folder / "a run" / "model.safetensors")
    accuracy = evaluate(model, bands().test)["accuracy"]
    assert f"{100 * accuracy:.6g} %, measured" in graded


def test_the_test_pictures_wait_until_they_are_asked_for(folder, capsys, monkeypatch):
    looked_at = []

    def watched(model, split, **options):
        looked_at.append(len(split))
        return evaluate(model, split, **options)

    monkeypatch.setattr(fitting, "evaluate", watched)
    assert run(capsys, *SHORT, "--folder", "run")[0] == 0
    assert looked_at == [32, 32]  # validation, after each epoch
    out = run(capsys, *SHORT, "--folder", "run", "--resume", "--test")[1]
    assert looked_at == [32, 32, 64, 64]  # as they are and with mirror images
    record = json.loads((folder / "run" / "run.json").read_text())
    accuracy, mirrored = record["test"]["accuracy"], record["test"]["mirrored_accuracy"]
    assert out.endswith(f"test accuracy {accuracy:.2%} (with mirror images {mirrored:.2%})\n")
    assert "to test it" not in out
    assert run(capsys, *SHORT, "--folder", "run", "--resume")[0] == 0
    assert json.loads((folder / "run" / "run.json").read_text())["test"] == record["test"]


def test_without_folder_or_validation(capsys):
    _, out, _ = run(capsys, *SHORT, "--validation", "0")
    assert "bands: 320 pictures, and 0 for validation\nepoch  pictures/s  training loss\n" in out
    assert out.endswith(
        "s\nnothing was saved; to keep the network add --folder DIR, to test it at once --test\n"
    )


@pytest.mark.parametrize(
    ("device", "told"),
    [
        ("cpu", f"CPU ({processor()}, 1 thread)"),
        ("mps", "GPU (Apple's, mps)"),
        ("cuda:1", "GPU (Card 1)"),
    ],
)
def test_the_device_is_told_by_name(monkeypatch, device, told):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"Card {device.index}")
    assert train.tell_device(torch.device(device)) == told


def test_a_run_too_short_for_its_average_says_so(capsys):
    status, _, err = run(capsys, *SHORT, "--no-ema-warmup")
    assert status == 0
    steps = 2 * (len(bands().train) // 64)
    assert f"{0.99**steps:.0%} of it comes from the first step; {steps} steps are few" in err
    assert "use --ema-warmup" in err
    assert "few" not in run(capsys, *SHORT)[2]
    assert "few" not in run(capsys, *SHORT, "--ema-decay", "0")[2]


def test_the_advice_ends_the_note_for_every_length():
    fixed = TrainConfig(ema_decay=0.99, ema_warmup=False)
    for steps in range(1, 1000):
        assert bool(train.advise_on_average(fixed, steps)) == (0.99**steps >= 0.01)
        assert not train.advise_on_average(TrainConfig(ema_decay=0.99), steps)


def test_two_processes_speak_with_one_voice(folder):
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", "--standalone"]
    command += ["-m", "convbook", "train", "my_linear_net.py:net", "--data", "bands"]
    command += [*SHORT, "--no-ema-warmup"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("2 processes, in float32") == 1
    assert result.stdout.count("nothing was saved") == 1
    assert result.stderr.count("steps are few") == 1


def test_it_goes_on(folder, capsys):
    status, _, err = run(capsys, *SHORT, "--resume", "--folder", "run")
    assert status == 2
    assert "holds no checkpoint.pt; start without resume" in err
    assert run(capsys, *SHORT, "--folder", "run")[0] == 0
    status, _, err = run(capsys, *SHORT, "--folder", "run")
    assert status == 2
    assert "holds a run; use resume=True or another folder" in err
    assert run(capsys, *SHORT, "--folder", "run", "--resume")[0] == 0


def test_the_seed_decides_where_the_weights_start(folder, capsys):
    weights = []
    for seed, name in [("0", "a"), ("0", "b"), ("1", "c")]:
        assert run(capsys, *SHORT, "--seed", seed, "--folder", name)[0] == 0
        weights.append((folder / name / "model.safetensors").read_bytes())
    assert weights[0] == weights[1] != weights[2]


def test_ctrl_c_ends_with_its_own_status(capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(fitting, "train_epoch", interrupted)
    status, out, _ = run(capsys, *SHORT, "--folder", "run")
    assert status == 130
    assert "go on with resume" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "epochs=0 is too small"),
        (["--precision", "half"], "precision='half' is unknown"),
        (["--batch-size", "512"], "batch_size=512 is larger than the 288 training pictures"),
        (["--validation", "2"], "validation=2.0 is no share"),
        (["--max-lr", "1e30", *SHORT], "use max_lr below 1e+30"),
        (["--device", "gpu"], "device='gpu' cannot be used here; use 'cpu'"),
        (["--cuda-graph", *SHORT], "cuda_graph=True, but the network is on cpu"),
    ],
)
def test_errors_take_one_line(capsys, arguments, message):
    status, _, err = run(capsys, *arguments)
    assert status == 2
    assert err.startswith("convbook train: error: ")
    assert err.count("\n") == 1
    assert message in err
