"""nbval with conftest.py: a mutated stored output fails, one within its bound passes."""

import base64
import io
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from PIL import Image

from tools import notebooks, spread
from tools.bounds import TAG

ROOT = Path(__file__).parents[2]
TRAINING = """\
print("plain    0.80")
print("dilated  0.842 *")
"""
FIGURE = """\
png = "{png}"
curves = {{"plain": [0.5, 0.8], "dilated": [0.5, 0.842]}}
data = {{"application/vnd.convbook.data+json": curves, "image/png": png, "text/plain": "Figure"}}
display(data, raw=True)
"""


def png(level):
    file = io.BytesIO()
    Image.new("L", (4, 4), level).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def stream(text):
    return [nbformat.v4.new_output("stream", name="stdout", text=text)]


def figure(curves=None, level=100):
    curves = {"plain": [0.5, 0.8], "dilated": [0.5, 0.842]} if curves is None else curves
    data = {"application/vnd.convbook.data+json": curves, "text/plain": "Figure"}
    if level is not None:
        data["image/png"] = png(level)
    return [nbformat.v4.new_output("display_data", data)]


def cell(source, outputs, bound=None, tags=(TAG,)):
    metadata = {"convbook": bound, "tags": [*tags]} if bound else {}
    return nbformat.v4.new_code_cell(source, metadata=metadata, outputs=outputs)


BOUND = {"within": 0.03, "seen": 0.01}
DRAW = FIGURE.format(png=png(100))

# name -> (cell, what is said of it; nothing where it passes)
CELLS = {
    "equal": (cell(TRAINING, stream("plain    0.80\ndilated  0.842 *\n"), BOUND), None),
    "moved": (cell(TRAINING, stream("plain    0.79\ndilated  0.82 *\n"), BOUND), None),
    "another best": (cell(TRAINING, stream("plain    0.81 *\ndilated  0.82\n"), BOUND), None),
    "outside": (
        cell(TRAINING, stream("plain    0.80\ndilated  0.874 *\n"), BOUND),
        "stdout: 0.874 became 0.842 after 'dilated  '; 0.03 is the bound",
    ),
    "a word": (cell(TRAINING, stream("simple 0.80\ndilated 0.84\n"), BOUND), "'simple #"),
    "a curve": (cell(DRAW, figure(), BOUND), None),
    "other pixels": (cell(DRAW, figure(level=0), BOUND), None),
    "moved curve": (
        cell(DRAW, figure({"plain": [0.5, 0.81], "dilated": [0.5, 0.83]}), BOUND),
        None,
    ),
    "curve outside": (
        cell(DRAW, figure({"plain": [0.5, 0.9], "dilated": [0.5, 0.83]}), BOUND),
        "data+json: 0.9 became 0.8 after",
    ),
    "missing curve": (cell(DRAW, figure({"plain": [0.5, 0.8]}), BOUND), "became"),
    "lost figure": (cell(DRAW, figure(level=None), BOUND), "1 image/png"),
    "lost data": (cell("display('Figure')", figure(level=None), BOUND), "data+json"),
    "a time": (cell("print('0.31 ms')", stream("7.5 ms"), {"times": True}), None),
    "another unit": (cell("print('0.31 ms')", stream("7.5 s"), {"times": True}), "'# s'"),
    "no tag": (cell("print(0.5)", stream("0.5\n"), BOUND, tags=()), f"without the tag '{TAG}'"),
    "no bound": (cell("print(0.5)", stream("0.5\n")), None),
    "no digits": (cell("print('wins')", stream("wins"), BOUND), "shows no number"),
    "unknown key": (cell("print(0.5)", stream("0.5"), {"wthin": 0.1}), "the keys are"),
    "negative": (cell("print(0.5)", stream("0.5"), {"within": -0.1}), "positive number"),
    "changed picture, no bound": (cell(DRAW, figure(level=110)), "10.0 grey levels RMS"),
    "no GPU": (
        cell("import os\nprint([os.environ['CUDA_VISIBLE_DEVICES']])", stream("['']\n")),
        None,
    ),
}
CELLS["tag alone"] = (cell("print(0.5)", stream("0.5")), "without a bound")
CELLS["tag alone"][0].metadata["tags"] = [TAG]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run all cells at once; return name -> nbval's message or None, notebook, recorded spread."""
    folder = tmp_path_factory.mktemp("nbval")
    path, report, seen = folder / "x.ipynb", folder / "report.xml", folder / "seen.jsonl"
    notebook = nbformat.v4.new_notebook(cells=[cell for cell, _ in CELLS.values()])
    notebooks.write(notebooks.normalise(notebook), path)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
        "CUDA_VISIBLE_DEVICES": "0",
        spread.FILE_VARIABLE: str(seen),
    }
    command = [sys.executable, "-m", "pytest", "--nbval", str(path), f"--junitxml={report}"]
    command += ["-c", str(ROOT / "pyproject.toml"), f"--rootdir={folder}", "-p", "conftest"]
    command += ["-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts=--nbval-current-env"]
    subprocess.run(command, env=environment, cwd=folder, capture_output=True, check=False)
    cases = ElementTree.parse(report).getroot().iter("testcase")
    messages = {case.get("name"): case.find("failure") for case in cases}
    texts = [messages[f"Cell {i}"] for i in range(len(CELLS))]
    said = [None if t is None else f"{t.get('message')} {t.text}" for t in texts]
    return dict(zip(CELLS, said, strict=True)), path, str(seen)


@pytest.mark.parametrize("name", CELLS)
def test_each_cell_passes_or_fails_as_it_should(run, name):
    said, expected = run[0][name], CELLS[name][1]
    assert (said is None) == (expected is None), said
    assert expected is None or expected in said


def test_the_deviations_of_bounded_cells_are_recorded(run):
    _, path, file = run
    (seen,) = spread.load(file).values()
    names = {cell.id: name for name, cell in zip(CELLS, notebooks.read(path).cells, strict=True)}
    assert {names[cell_id]: deviation for cell_id, deviation in seen.items()} == {
        "equal": 0.0,
        "moved": 0.022,
        "another best": 0.022,
        "outside": 0.032,
        "a curve": 0.0,
        "other pixels": 0.0,
        "moved curve": 0.012,
        "curve outside": 0.1,
    }


def test_what_was_recorded_is_stored(run):
    """What `make test-numerics` does after its runs."""
    _, path, file = run
    assert notebooks.main(["spread", file]) == 0
    cells = dict(zip(CELLS, notebooks.read(path).cells, strict=True))
    assert cells["equal"].metadata.convbook == BOUND
    assert cells["moved"].metadata.convbook == BOUND | {"seen": 0.022}
    assert cells["a time"].metadata.convbook == {"times": True}
