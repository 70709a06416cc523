"""The command `convbook trace`, as a terminal sees it."""

import json
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from convbook import cli
from convbook.analysis import trace
from convbook.cli.options import ADDRESS
from convbook.loading import load_model
from convbook.train.presets import PRESETS

NET = """
import torch
from torch import nn
from neighbour import WIDTH

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, WIDTH, 3)

    def forward(self, x):
        return self.conv(x)

class Grey(nn.Conv2d):
    def __init__(self):
        super().__init__(1, 2, 3)

class Needy(nn.Module):
    def __init__(self, width):
        super().__init__()

def build():
    return Net()

def nothing():
    return None

class Looks(Net):
    def forward(self, x):
        return x if x.sum() > 0 else -x

net = Net()
number = 3
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "my.py").write_text(NET)
    (tmp_path / "neighbour.py").write_text("WIDTH = 8\n")
    (tmp_path / "broken.py").write_text("import there_is_no_such_module\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name in ("my", "neighbour", "broken"):
        sys.modules.pop(name, None)


def run(capsys, *arguments):
    """Return the exit status and what was printed to stdout and stderr."""
    status = cli.main(["trace", *arguments])
    return status, *capsys.readouterr()


@pytest.mark.parametrize("name", ["Net", "build", "net"])
def test_a_class_a_function_and_a_model_of_a_file(folder, capsys, name):
    status, out, err = run(capsys, f"my.py:{name}")
    assert (status, err) == (0, "")
    assert out.splitlines()[1].split() == (
        "conv conv2d 8x30x30 3 1 0 1 1 224 194,400 3 1 0".split()  # noqa: SIM905 (as printed)
    )


def test_a_network_of_torchvision(capsys):
    status, out, err = run(capsys, "torchvision:resnet18")
    assert (status, err) == (0, "")
    assert out.splitlines()[-1] == (
        "total: 11,689,512 parameters, 1,814,073,344 MACs; "
        "the last local field: size 435, jump 32, start -217"
    )


def test_a_class_of_a_package(capsys):
    status, out, _ = run(capsys, "torch.nn:ReLU")
    assert status == 0
    assert "3x32x32" in out


@pytest.mark.parametrize("size", ["1,9,11", "1x9x11"])
def test_the_input_size(folder, capsys, size):
    status, out, _ = run(capsys, "my.py:Grey", "--input-size", size)
    assert status == 0
    assert "2x7x9" in out


def test_a_word_alone_is_a_network_of_the_book(folder, capsys):
    status, out, _ = run(capsys, "tiny")
    assert status == 0
    assert f"{sum(p.numel() for p in PRESETS['tiny'].network().parameters()):,} parameters" in out


def test_json_is_the_dict(folder, capsys):
    status, out, _ = run(capsys, "my.py:Net", "--json")
    assert status == 0
    table = trace(load_model("my.py:Net")).to_dict()
    assert json.loads(out) == json.loads(json.dumps(table))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["resnet50"],
            "model=resnet50 has no source; use torchvision:resnet50, my.py:Net or a preset: fast,",
        ),
        (["torchvision:resnet5"], "torchvision has no model resnet5; did you mean resnet50"),
        (["there_is_none.py:Net"], "there is no file there_is_none.py"),
        (["there_is_none:Net"], "cannot be imported: ModuleNotFoundError"),
        (["broken.py:Net"], "No module named 'there_is_no_such_module'"),
        (["my.py:Nets"], "my.py has no Nets; did you mean Net"),
        (["my.py:number"], "my.py:number is of type int; use a class, function or model"),
        (["my.py:nothing"], "my.py:nothing() gives a NoneType, not an nn.Module"),
        (["my.py:Needy"], "missing 1 required positional argument: 'width'"),
        (["my.py:Looks"], "its forward may not depend on the values in a tensor"),
        (["my.py:Grey"], "does not run on input_size=(3, 32, 32)"),
        (["my.py:Net", "--input-size", "big"], "--input-size=big is not C,H,W"),
        (["my.py:Net", "--input-size", "3"], "input_size=(3,) is not (channels, height, width)"),
        (["my.py:Net", "--input-size", "3,0,9"], "input_size=0"),
    ],
)
def test_errors_take_one_line_and_say_what_to_do(folder, capsys, arguments, message):
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("convbook trace: error: ")
    assert err.count("\n") == 1
    assert message in err


def test_the_package_installs_the_command():
    (command,) = entry_points(group="console_scripts", name="convbook")
    assert command.load() is cli.main


def test_help_comes_without_loading_torch():
    command = [sys.executable, "-X", "importtime", "-m", "convbook", "trace", "--help"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    help_text = " ".join(result.stdout.split())
    assert f"{ADDRESS} options:" in help_text
    assert all(name in ADDRESS for name in PRESETS)
    assert "numpy" not in result.stderr
    assert "| torch\n" not in result.stderr


def test_a_reader_that_leaves_early_is_no_error():
    command = f"{sys.executable} -m convbook trace s7 | head -n 0; echo ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert result.stdout == "141\n"
    assert "Broken pipe" not in result.stderr
    assert "Exception ignored" not in result.stderr
