"""The command `convbook train`, as a terminal sees it."""

import json
import subprocess
import sys

import pytest

from bands import bands
from convbook import cli
from convbook.train import TrainConfig, command, fitting

NET = """
from torch import nn

def net():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 4))
"""
SHORT = ["--epochs", "2", "--batch-size", "64", "--precision", "float32", "--device", "cpu"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, one_thread):
    (tmp_path / "my_linear_net.py").write_text(NET)
    bands().save(tmp_path / "bands.safetensors")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys, *arguments):
    """Return the exit status and what was printed to stdout and stderr."""
    options = ["train", "my_linear_net.py:net", "--data", "bands.safetensors", *arguments]
    status = cli.main(options)
    return status, *capsys.readouterr()


def test_it_trains_and_says_how_well(folder, capsys):
    status, out, _ = run(capsys, *SHORT, "--folder", "run", "--no-flip", "--max-lr", "0.05")
    assert status == 0
    record = json.loads((folder / "run" / "run.json").read_text())
    assert record["config"]["epochs"] == 2
    assert record["config"]["flip"] is False
    assert record["config"]["max_lr"] == 0.05
    assert out.startswith(f"test accuracy {record['test']['accuracy']:.2%} (with mirror images ")
    assert "of training on bands" in out


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
        assert bool(command.advise_on_average(fixed, steps)) == (0.99**steps >= 0.01)
        assert not command.advise_on_average(TrainConfig(ema_decay=0.99), steps)


def test_two_processes_speak_with_one_voice(folder):
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", "--standalone"]
    command += ["-m", "convbook.train", "my_linear_net.py:net", "--data", "bands.safetensors"]
    command += [*SHORT, "--no-ema-warmup"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("test accuracy") == 1
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
    ],
)
def test_errors_take_one_line(capsys, arguments, message):
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("convbook train: error: ")
    assert message in err
