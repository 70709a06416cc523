"""The command `convbook grade`: the student's file runs in a process of its own."""

import json
import os
import re
import sys
import time
import types

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from convbook import cli
from convbook.grade import sandbox
from convbook.grade.evaluate import grade_address
from convbook.grade.report import Report
from convbook.loading import load_model, load_weights

pytestmark = pytest.mark.usefixtures("one_thread")

NET = """
from torch import nn
from neighbour import WIDTH

class Net(nn.Sequential):
    def __init__(self, classes=10):
        super().__init__(
            nn.Conv2d(3, WIDTH, 3, padding=1), nn.MaxPool2d(2),
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1), nn.MaxPool2d(2),
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1, groups=WIDTH), nn.Conv2d(WIDTH, WIDTH, 1),
            nn.MaxPool2d(2),
            nn.Conv2d(WIDTH, WIDTH, 3, padding=2, dilation=2),
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTH, classes),
        )

class Needy(nn.Module):
    def __init__(self, width):
        super().__init__()

class Quits(nn.ReLU):
    def forward(self, x):
        raise SystemExit(0)
"""
FILES = {
    "missing_import.py": "import there_is_no_such_module",
    "typo.py": "def broken(:\n    pass",
    "leaves.py": "import sys\nsys.exit('bye')",
    "vanishes.py": "import os\nprint('so long', flush=True)\nos._exit(7)",
    "stops.py": "import os\nos._exit(0)",
    "dies.py": "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)",
    "loops.py": "while True: pass",
    "floods.py": "while True: print('x' * 1000)",
    "talks.py": "import sys\nfor _ in range(2000):\n    print('x' * 1000)\nfrom my import Net",
    "asks.py": "input('which network? ')",
    "spawns.py": (
        "import subprocess, sys\nsubprocess.Popen([sys.executable, 'beats.py'])\nwhile True: pass"
    ),
    "beats.py": (
        "import time\n"
        "for _ in range(600):\n"
        "    with open('beats.txt', 'a') as file: file.write('.')\n"
        "    time.sleep(0.1)"
    ),
    "random.py": "raise ValueError('this is not the random that Python wants')",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "my.py").write_text(NET)
    (tmp_path / "neighbour.py").write_text("WIDTH = 16\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys, *arguments):
    """Return the exit status and what was printed to stdout and stderr."""
    status = cli.main(["grade", *arguments])
    return status, *capsys.readouterr()


def assert_refused(result, message):
    status, out, err = result
    assert (status, out) == (2, "")
    assert err.startswith("convbook grade: error: ")
    assert err.count("\n") == 1
    assert message in err


def test_a_network_without_an_accuracy_does_not_pass(folder, capsys):
    status, out, err = run(capsys, "my.py:Net")
    assert (status, err) == (1, "")
    lines = out.splitlines()
    assert lines[0].split() == ["met", "requirement", "measured"]
    verdicts = [line[:3] for line in lines[1:-1] if not line.startswith(" ")]
    assert verdicts == ["yes"] * 6 + ["no "]
    assert lines[-1] == "not passed: 6 of 7 requirements"


# ------------------------------------------------------------------ notebooks

CELLS = [
    "# My network",
    "!pip install torchsummary\n%matplotlib inline\nimport torch, os\nfrom torch import nn",
    "from google.colab import drive\ndrive.mount('/content')",
    "%%bash\nnvidia-smi",
    "%%time\nWIDTH = 16\ndevice = torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
    "def conv(*sizes, **settings):\n    return nn.Conv2d(*sizes, 3, **settings)",
    "class Net(nn.Module):\n    pass  # an earlier try",
    "nn.Conv2d?",
    """class Net(nn.Sequential):
    def __init__(self):
        super().__init__(
            conv(3, WIDTH, padding=1), nn.MaxPool2d(2),
            conv(WIDTH, WIDTH, padding=1), nn.MaxPool2d(2),
            conv(WIDTH, WIDTH, padding=1, groups=WIDTH), nn.Conv2d(WIDTH, WIDTH, 1),
            nn.MaxPool2d(2), conv(WIDTH, WIDTH, padding=2, dilation=2),
            conv(WIDTH, WIDTH, padding=1),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTH, 10),
        )""",
    "open('trained.txt', 'w')\nhistory = [Net().to(device) for epoch in range(10**9)]",
]


@pytest.fixture
def notebook(folder):
    """A notebook as students write it: with magics, a mounted drive, an earlier try, training."""
    cells = [{"cell_type": "markdown", "source": CELLS[0]}]
    cells += [{"cell_type": "code", "source": cell.splitlines(True)} for cell in CELLS[1:]]
    (folder / "S7.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4, "metadata": {}}))
    return folder


def test_a_notebook_is_read_and_its_training_does_not_run(notebook, capsys):
    status, out, err = run(capsys, "S7.ipynb:Net", "--accuracy", "0.83")
    assert (status, err) == (0, "")
    assert out.splitlines()[-1] == "passed: 7 of 7 requirements"
    assert not (notebook / "trained.txt").exists()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("S7.ipynb", "model=S7.ipynb does not say which network; use S7.ipynb:Net\n"),
        ("S7.ipynb:Nett", "S7.ipynb has no Nett; did you mean Net?\n"),
        ("broken.ipynb:Net", "broken.ipynb cannot be read as Python: JSONDecodeError: "),
        ("typo.ipynb:Net", "typo.ipynb cannot be read as Python: SyntaxError: "),
        ("fails.ipynb:Net", "fails.ipynb cannot be imported: NameError: name 'nn' is not defined"),
    ],
)
def test_notebooks_that_lead_to_no_network(notebook, capsys, address, message):
    (notebook / "broken.ipynb").write_text("not a notebook")
    for name, code in {"typo": "class Net(:", "fails": "class Net(nn.Module): pass"}.items():
        cells = [{"cell_type": "code", "source": [code]}]
        (notebook / f"{name}.ipynb").write_text(json.dumps({"cells": cells}))
    assert_refused(run(capsys, address), message)


def test_the_model_of_a_notebook_may_be_an_object(notebook, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    path = notebook / "S7.ipynb"
    stored = json.loads(path.read_text())
    stored["cells"].append({"cell_type": "code", "source": "model = Net().to(device)"})
    path.write_text(json.dumps(stored))
    assert len(load_model("S7.ipynb:model")) == 12
    sys.modules.pop("S7", None)


# ------------------------------------------------------------------ accuracy and profile


@pytest.mark.parametrize(
    ("arguments", "status", "measured"),
    [
        (["--accuracy", "0.85"], 0, "85 %, self-reported"),
        (["--accuracy=0.7"], 1, "70 %, self-reported"),
        (["--accuracy", "0"], 1, "0 %, self-reported"),
        ([], 1, "not measured"),
    ],
)
def test_an_accuracy_is_handed_in(folder, capsys, arguments, status, measured):
    found, out, err = run(capsys, "my.py:Net", "--json", *arguments)
    assert (found, err) == (status, "")
    assert json.loads(out)["rows"][-1]["measured"] == measured


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--accuracy", "85"], "accuracy='85' is not between 0 and 1; for 85 % use 0.85"),
        (["--accuracy", "high"], "accuracy='high' is not between 0 and 1; use 0.85"),
        (["--accuracy", "0.9", "--data", "shapes"], "reports a number and --data measures one"),
        (["--profile", "s7"], "profile='s7' is unknown; use one of s7-2020, s7-2021"),
    ],
)
def test_an_accuracy_or_a_profile_that_is_none(folder, capsys, arguments, message):
    assert_refused(run(capsys, "my.py:Net", *arguments), message)


def test_a_profile_is_chosen(folder, capsys):
    _, out, _ = run(capsys, "my.py:Net", "--json", "--profile", "s7-2021", "--accuracy=0.86")
    rows = json.loads(out)["rows"]
    assert [row["passed"] for row in rows] == [False, True, True, True, True, True, True]
    assert rows[0]["requirement"] == "three transitions without max-pool, C1 C2 C3 C4"


def test_json_and_input_size(folder, capsys):
    status, out, _ = run(capsys, "my.py:Net", "--json", "--input-size", "3,64,64")
    assert status == 1
    report = Report.from_dict(json.loads(out))
    assert report[4].measured == "16x8x8 to 16 by `9`"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing_import.py", "ModuleNotFoundError: No module named 'there_is_no_such_module'"),
        ("typo.py", "typo.py cannot be imported: SyntaxError"),
        ("leaves.py", "the file ends Python by sys.exit; put what runs the file under"),
        ("vanishes.py", "before it was graded (exit status 7); it printed last: so long"),
        ("stops.py", "before it was graded (exit status 0); it printed last: nothing"),
        ("dies.py", "before it was graded (signal SIGSEGV); it printed last: "),
        ("asks.py", "asks.py cannot be imported: EOFError"),
        ("random.py", "ValueError: this is not the random that Python wants"),
        ("absent.py", "there is no file absent.py"),
    ],
)
def test_files_that_fail(folder, capsys, name, message):
    if name in FILES:
        (folder / name).write_text(FILES[name])
    assert_refused(run(capsys, f"{name}:Net"), message)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("my.py:Nets", "my.py has no Nets; did you mean Net?"),
        ("my.py:Needy", "missing 1 required positional argument: 'width'"),
        ("my.py:WIDTH", "my.py:WIDTH is of type int; use a class, function or model"),
        ("my.py:Quits", "the file ends Python by sys.exit"),
        ("my", "model=my has no source; use torchvision:resnet50, my.py:Net or a preset: fast"),
        ("my.py", "model=my.py does not say which network; use my.py:Needy\n"),
        ("my.py:", "model=my.py: does not say which network; use my.py:Needy\n"),
        ("neighbour.py", "model=neighbour.py defines no class; use a file with a network, as my.p"),
        ("absent.py", "there is no file absent.py"),
        ("absent.ipynb", "there is no file absent.ipynb"),
        ("absent.ipynb:Net", "there is no file absent.ipynb"),
        ("my:Net", "No module named 'my'; did you mean my.py:Net?"),
    ],
)
def test_addresses_that_lead_to_no_network(folder, capsys, address, message):
    assert_refused(run(capsys, address), message)


def test_a_file_that_prints_a_lot_is_graded_all_the_same(folder, capsys):
    (folder / "talks.py").write_text(FILES["talks.py"])
    status, out, err = run(capsys, "talks.py:Net")
    assert (status, err) == (1, "")
    assert "xxx" not in out


def test_a_flood_is_stopped(folder, capsys):
    (folder / "floods.py").write_text(FILES["floods.py"])
    message = "floods.py:Net prints more than 10 MB; take the print out of its loop"
    assert_refused(run(capsys, "floods.py:Net"), message)


def test_an_endless_loop_is_stopped(folder, capsys):
    (folder / "loops.py").write_text(FILES["loops.py"])
    begin = time.monotonic()
    message = (
        "loops.py:Net was not graded within 4 s; does it loop for ever? "
        "Allow more by --time-limit 40"
    )
    assert_refused(run(capsys, "loops.py:Net", "--time-limit", "4"), message)
    assert time.monotonic() - begin < 20


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="this system has no process groups")
def test_what_a_file_starts_ends_with_it(folder, capsys):
    for name in ("spawns.py", "beats.py"):
        (folder / name).write_text(FILES[name])
    for limit in ("6", "24", "96"):  # a busy machine takes longer to start it
        result = run(capsys, "spawns.py:Net", "--time-limit", limit)
        assert_refused(result, f"not graded within {limit} s")
        if (folder / "beats.txt").exists():
            break
    beats = (folder / "beats.txt").read_text()
    time.sleep(0.5)
    assert (folder / "beats.txt").read_text() == beats


@pytest.mark.parametrize("limit", ["0", "-1", "soon", "inf", "nan"])
def test_time_limits(folder, capsys, limit):
    message = f"--time-limit={limit} is no number of seconds; use for example 60"
    assert_refused(run(capsys, "my.py:Net", f"--time-limit={limit}"), message)


def test_input_sizes(folder, capsys):
    assert_refused(run(capsys, "my.py:Net", "--input-size", "big"), "--input-size=big is not C,H,W")


# ------------------------------------------------------------------ weights


@pytest.fixture
def model(folder, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield load_model("my.py:Net", with_weights=True)
    for name in ("my", "neighbour"):
        sys.modules.pop(name, None)


def test_a_model_with_weights_is_made_with_them(model):
    assert not model[0].weight.is_meta
    assert load_model("my.py:Net")[0].weight.is_meta


def test_weights_are_loaded(model, folder):
    wanted = {name: torch.randn_like(value) for name, value in model.state_dict().items()}
    save_file(wanted, folder / "w.safetensors")
    load_weights(model, folder / "w.safetensors")
    assert all(torch.equal(wanted[name], value) for name, value in model.state_dict().items())


def test_tied_weights_need_one_copy(tmp_path):
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    state = model.state_dict()
    del state["1.weight"]
    save_file(
        {name: torch.ones_like(value) for name, value in state.items()}, tmp_path / "w.safetensors"
    )
    load_weights(model, tmp_path / "w.safetensors")
    assert model[1].weight.eq(1).all()


def without_first(state):
    return {name: value for name, value in state.items() if name != "0.weight"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_first, "lacks 0.weight; save the weights of this model"),
        (lambda s: {**s, "odd": s["0.bias"].clone()}, "has, and the model has not: odd;"),
        (
            lambda s: {f"module.{name}": value for name, value in s.items()},
            "lacks 0.weight, 0.bias, 2.weight and 11 more; it has, and the model has not: "
            "module.0.bias, module.0.weight, module.11.bias and 11 more; save",
        ),
        (
            lambda s: {**s, "0.weight": torch.zeros(8, 3, 3, 3)},
            "has other shapes: 0.weight (8, 3, 3, 3) for (16, 3, 3, 3); save",
        ),
    ],
)
def test_weights_that_do_not_fit(model, folder, capsys, change, message):
    save_file(change(model.state_dict()), folder / "w.safetensors")
    with pytest.raises(ValueError, match=re.escape(message)):
        load_weights(model, "w.safetensors")


def test_weights_that_do_not_fit_on_the_command_line(model, folder, capsys):
    save_file(without_first(model.state_dict()), folder / "w.safetensors")
    message = "weights=w.safetensors lacks 0.weight; save the weights of this model"
    assert_refused(run(capsys, "my.py:Net", "--weights", "w.safetensors"), message)


@pytest.mark.parametrize("name", ["w.pt", "w.pth", "w.ckpt"])
def test_pickles_are_refused_unread(folder, capsys, name):
    (folder / name).write_bytes(b"")
    message = (
        f"weights={name} is a pickle, which can run code; "
        "save with safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')"
    )
    assert_refused(run(capsys, "my.py:Net", "--weights", name), message)


def test_other_files_are_refused(folder, capsys):
    assert_refused(run(capsys, "my.py:Net", "--weights", "w.npz"), "w.npz is not .safetensors")
    message = "weights=w.safetensors does not exist"
    assert_refused(run(capsys, "my.py:Net", "--weights", "w.safetensors"), message)


def test_a_broken_file_is_refused(folder, capsys):
    (folder / "w.safetensors").write_bytes(b"cut off")
    message = "weights=w.safetensors cannot be read: "
    assert_refused(run(capsys, "my.py:Net", "--weights", "w.safetensors"), message)


# ------------------------------------------------------------------ data


@pytest.fixture
def data(monkeypatch):
    """Stand-ins for the data and for the evaluation, which have tests of their own."""
    calls = []
    images = torch.zeros(25, 3, 32, 32, dtype=torch.uint8)

    class Test:
        def __init__(self):
            self.images = images

        def __len__(self):
            return len(self.images)

    def load(source):
        calls.append(source)
        return types.SimpleNamespace(test=Test())

    def evaluate(model, split):
        calls.append((model, split))
        return {"accuracy": 0.84}

    monkeypatch.setitem(sys.modules, "convbook.data", types.SimpleNamespace(load=load))
    monkeypatch.setitem(sys.modules, "convbook.train", types.SimpleNamespace(evaluate=evaluate))
    return calls


def test_accuracy_is_measured_with_the_weights(model, folder, data):
    wanted = {name: torch.randn_like(value) for name, value in model.state_dict().items()}
    save_file(wanted, folder / "w.safetensors")
    report = grade_address("my.py:Net", "w.safetensors", "photographs", (3, 32, 32))
    assert report.passed
    assert report[-1].measured == "84 %, measured on 25 test images"
    assert report[-1].why == "data: photographs; weights: w.safetensors"
    source, (measured, split) = data
    assert (source, len(split)) == ("photographs", 25)
    assert torch.equal(measured[0].weight, wanted["0.weight"])


def test_weights_without_data_are_checked_and_nothing_is_measured(model, folder, data):
    save_file(model.state_dict(), folder / "w.safetensors")
    report = grade_address("my.py:Net", "w.safetensors", None, (3, 32, 32))
    assert report[-1].measured == "not measured"
    assert data == []


def test_data_without_weights_says_so(model, data):
    report = grade_address("my.py:Net", None, "photographs", (3, 32, 32))
    assert report[-1].why == ("data: photographs; weights as the file makes them; add --weights")


def test_pictures_of_another_size(model, data):
    message = r"--data=photographs has pictures of \(3, 32, 32\), not --input-size \(3, 64, 64\)"
    with pytest.raises(ValueError, match=message):
        grade_address("my.py:Net", None, "photographs", (3, 64, 64))


def test_the_exit_status_is_0_where_all_is_met(monkeypatch, capsys):
    report = Report([], [])
    monkeypatch.setattr(Report, "__repr__", lambda self: "all met")
    asked = []

    def grade_file(*given, **options):
        asked.append((given, options))
        return report

    monkeypatch.setattr(sandbox, "grade_file", grade_file)
    assert run(capsys, "my.py:Net", "--data", "shapes") == (0, "all met\n", "")
    options = {"weights": None, "accuracy": None, "profile": "s7-2020"}
    assert asked == [
        (("my.py:Net", 600.0), {"data": "shapes", "input_size": (3, 32, 32), **options})
    ]
