"""The command `convbook curves`: runs drawn from their metrics, and what is said of broken ones."""

import contextlib
import json
import re

import pytest
from matplotlib.figure import Figure

from convbook import cli
from convbook.train import checkpoint, curves, fit
from convbook.train.curves import columns, draw
from tests.helpers.toy_data import CONFIG, bands, network

ROWS = [
    {"epoch": n, "loss": 2 / n, "lr": 0.1, "seconds": 1.5}
    | {"validation_accuracy": 0.2 * n, "validation_loss": 3 / n}
    for n in (1, 2, 3)
]


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Two runs, one of them without validation."""
    monkeypatch.chdir(tmp_path)
    plain = [{name: row[name] for name in ("epoch", "loss", "lr", "seconds")} for row in ROWS]
    for name, rows in (("one", ROWS), ("two", plain)):
        (tmp_path / name).mkdir()
        checkpoint.save_metrics(tmp_path / name, rows)
    return tmp_path


def run(capsys, *arguments):
    return cli.main(["curves", *arguments]), *capsys.readouterr()


def test_a_figure_in_the_folder_and_a_line_that_says_so(runs, capsys):
    assert run(capsys, "one") == (0, "the curves of one are in one/curves.svg\n", "")
    drawn = (runs / "one" / "curves.svg").read_text("utf8")
    assert drawn.startswith("<?xml")
    assert not list((runs / "one").glob("*.part"))


def test_what_is_drawn_is_what_the_run_wrote(runs, monkeypatch):
    figures, save = [], Figure.savefig

    def watched(figure, *arguments, **options):
        figures.append(figure)
        save(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", watched)
    draw(["one", "two"], "both.svg")
    losses, accuracies = figures[0].axes
    lines = {(line.get_label(), line.get_linestyle()): line for line in losses.lines}
    assert [*lines] == [("one", "-"), ("one", "--"), ("two", "-")]
    for (name, style), key in {("one", "-"): "loss", ("one", "--"): "validation_loss"}.items():
        xs, ys = lines[name, style].get_data()
        assert (xs.tolist(), ys.tolist()) == ([1, 2, 3], [row[key] for row in ROWS])
    (accuracy,) = accuracies.lines
    assert accuracy.get_ydata().tolist() == pytest.approx([20, 40, 60])
    assert lines["one", "-"].get_color() == accuracy.get_color() != lines["two", "-"].get_color()


def test_runs_go_round_five_colours_and_five_markers(runs, monkeypatch):
    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **_: figures.append(figure))
    monkeypatch.setattr(curves, "atomic_write", contextlib.nullcontext)
    draw(["two"] * 7, "seven.svg")
    lines = figures[0].axes[0].lines
    assert [line.get_color() for line in lines] == ["C0", "C1", "C2", "C3", "C4", "C0", "C1"]
    assert "".join(line.get_marker() for line in lines) == "osD^vos"
    assert {line.get_markersize() for line in lines} == {4}
    losses, accuracies = figures[0].axes
    assert (losses.get_xlabel(), losses.get_ylabel()) == ("epoch", "loss (nats)")
    assert (accuracies.get_xlabel(), accuracies.get_ylabel()) == (
        "epoch",
        "validation accuracy (%)",
    )
    assert [text.get_text() for text in accuracies.texts] == ["no validation"]
    assert [text.get_text() for text in losses.get_legend().get_texts()] == ["training"]


@pytest.mark.parametrize(
    ("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_several_runs_in_one_figure(runs, capsys, ending, start):
    status, out, err = run(capsys, "one", "two", "--out", f"both.{ending}")
    assert (status, out, err) == (0, f"the curves of one, two are in both.{ending}\n", "")
    assert (runs / f"both.{ending}").read_bytes().startswith(start)


def test_a_run_of_fit_can_be_drawn_after_each_epoch(tmp_path, capsys):
    fit(network(), bands(), CONFIG, tmp_path, until=1, progress=False)
    assert run(capsys, str(tmp_path))[0] == 0
    found = fit(network(), bands(), CONFIG, tmp_path, resume=True, progress=False)
    assert columns(tmp_path)["loss"] == [row["loss"] for row in found.epochs]
    assert run(capsys, str(tmp_path))[0] == 0


LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"one holds no metrics\.jsonl; name the folder of a run, train's --folder"),
        (b"", r"metrics\.jsonl has no epoch yet; wait until the first one is over"),
        (LINES.encode()[:-30], r"line 3 of .*metrics\.jsonl is damaged \(.*\); remove the line"),
        (b"\xff\xfe" + LINES.encode(), r"metrics\.jsonl is damaged \(.*\); train again"),
        (b"[1, 2]\n", r"line 1 of .* is no epoch with its loss: \[1, 2\]; remove the line"),
        (b'{"epoch": 1}\n', r"line 1 of .* is no epoch with its loss: .*; remove the line"),
        (b'{"epoch": 1, "loss": "low"}\n', r"line 1 of .*: loss='low' is no number; remove the"),
        (b'{"epoch": 1, "loss": null}\n', r"line 1 of .*: loss=None is no number; remove the"),
    ],
)
def test_a_broken_run_gets_a_sentence(runs, capsys, content, message):
    path = runs / "one" / "metrics.jsonl"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    status, out, err = run(capsys, "two", "one")
    assert (status, out) == (2, "")
    assert re.fullmatch(f"convbook curves: error: .*{message}.*\n", err)
    assert not (runs / "two" / "curves.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere holds no metrics.jsonl; name the folder of a run"),
        (["one/metrics.jsonl"], "one/metrics.jsonl holds no metrics.jsonl; name the folder"),
        (["one", "--out", "x.bmp"], "--out=x.bmp is no .svg, .png or .pdf; use one of these"),
        (["one", "--out", "x"], "--out=x is no .svg, .png or .pdf; use one of these endings"),
        (["one", "--out", "no/x.png"], "--out=no/x.png cannot be written (No such file or"),
    ],
)
def test_what_cannot_be_drawn_gets_a_sentence(runs, capsys, arguments, message):
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"convbook curves: error: {message}")
    assert err.count("\n") == 1
