"""Notebooks run on fresh kernels, twice, and what wobbles without a bound is not stored."""

import base64
import io
import re

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from PIL import Image

from convbook.course.mime_types import DRAWING, EXPLORER
from tools import execution, notebooks

# As if a network had been trained: the last digits hang on how this processor adds.
SETTING = "import os\nother = os.environ.get('ATEN_CPU_CAPABILITY') == 'default'"
WOBBLE = "print('accuracy', 0.842 if other else 0.835)"
TAGGED = {"tags": ["nbval-ignore-output"]}


def notebook_of(*cells):
    pairs = [cell if isinstance(cell, tuple) else (cell, {}) for cell in cells]
    code = [nbformat.v4.new_code_cell(source, metadata=metadata) for source, metadata in pairs]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Title"), *code])


def test_execute_stores_outputs_and_a_failing_cell_raises(tmp_path):
    good = execution.execute(notebook_of("6 * 7"), tmp_path)
    assert good.cells[1].outputs[0].data == {"text/plain": "42"}
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        execution.execute(notebook_of("1 / 0"), tmp_path)


def test_no_kernel_sees_a_gpu(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    source = "import os\n[os.environ['CUDA_VISIBLE_DEVICES'], os.environ.get('X')]"
    for settings, seen in [(None, "['', None]"), ({"X": "3"}, "['', '3']")]:
        notebook = execution.execute(notebook_of(source), tmp_path, settings)
        assert notebook.cells[1].outputs[0].data["text/plain"] == seen


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    """Store a notebook as the only chapter, run the command on it, return (status, notebook)."""
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    monkeypatch.setattr(notebooks, "CHAPTERS", tmp_path / "chapters")
    monkeypatch.delenv("ATEN_CPU_CAPABILITY", raising=False)
    path = tmp_path / "chapters" / "01_x.ipynb"
    path.parent.mkdir()

    def run(notebook, *options):
        notebooks.write(notebooks.normalise(notebook), path)
        before = path.read_bytes()
        status = notebooks.main(["execute", "01", *options])
        return status, path.read_bytes() == before, notebooks.read(path)

    return run


def test_a_wobbling_cell_without_a_bound_is_named_and_nothing_is_stored(chapter, capsys):
    status, same, _ = chapter(notebook_of(SETTING, "print(6 * 7)", WOBBLE))
    assert (status, same) == (1, True)
    said = capsys.readouterr().out
    assert re.search(r"^cell c-\w+ \(\"print\('accuracy', 0.842 if other", said, re.MULTILINE)
    assert "'accuracy 0.835\\n' became 'accuracy 0.842\\n'" in said
    assert 'declare {"convbook": {"within": 0.014}}' in said
    assert said.count("differs") == 1


def test_once_leaves_the_second_run_out(chapter):
    status, same, stored = chapter(notebook_of(SETTING, WOBBLE), "--once")
    assert (status, same) == (0, False)
    assert stored.cells[-1].outputs[0].text == "accuracy 0.835\n"


def test_what_a_bounded_cell_showed_is_stored_as_seen(chapter, capsys):
    bounded = (WOBBLE, {**TAGGED, "convbook": {"within": 0.02}})
    times = ("print(9.7 if other else 0.1, 'ms')", {**TAGGED, "convbook": {"times": True}})
    status, _, stored = chapter(notebook_of(SETTING, bounded, times))
    assert status == 0
    assert stored.cells[-2].metadata.convbook == {"within": 0.02, "seen": 0.007}
    assert stored.cells[-1].metadata.convbook == {"times": True}
    assert "seen is now 0.007" in capsys.readouterr().out


def test_a_bound_that_is_too_narrow_or_too_wide_is_named(chapter, capsys):
    for within, words, same in [(0.005, "0.005 is the bound", True), (0.5, "at most", False)]:
        bounded = (WOBBLE, {**TAGGED, "convbook": {"within": within}})
        assert chapter(notebook_of(SETTING, bounded))[:2] == (1, same)
        assert words in capsys.readouterr().out


def shown(data, bound=None):
    metadata = {**TAGGED, "convbook": bound} if bound else {}
    outputs = [nbformat.v4.new_output("display_data", data)]
    cell = nbformat.v4.new_code_cell("draw()", metadata=metadata, outputs=outputs)
    return nbformat.v4.new_notebook(cells=[cell])


@pytest.mark.parametrize(
    ("first", "second", "bound", "remedy"),
    [
        ({"text/plain": "0.5"}, {"text/plain": "0.6"}, None, '{"within": 0.2}'),
        ({"text/html": "<b>0.5</b>"}, {"text/html": "<b>0.6</b>"}, None, '{"within": 0.2}'),
        ({EXPLORER: {"loss": 0.5}}, {EXPLORER: {"loss": 0.6}}, None, '{"within": 0.2}'),
        ({DRAWING: "<svg>5</svg>"}, {DRAWING: "<svg>6</svg>"}, None, "Round what is drawn"),
        ({"text/plain": "up 1"}, {"text/plain": "down 1"}, None, "under `words`"),
        ({"text/plain": "0.5"}, {"text/plain": "0.6"}, {"within": 0.05}, '{"within": 0.2}'),
        ({"text/plain": "1 ms"}, {"text/plain": "1 s"}, {"times": True}, "Beside times"),
        ({"text/plain": "1"}, {"text/plain": "1"}, {"within": -1}, "positive number"),
    ],
)
def test_every_kind_of_difference_is_named_with_its_remedy(first, second, bound, remedy):
    (line,) = execution.wobbles(shown(first, bound), shown(second, bound))
    assert "('draw()')" in line
    assert remedy in line


def plate(level):
    file = io.BytesIO()
    Image.new("RGB", (4, 4), (level,) * 3).save(file, "png")
    return {"image/png": base64.b64encode(file.getvalue()).decode(), "text/plain": "Figure"}


@pytest.mark.parametrize(("level", "said"), [(101, ""), (110, "10.0 grey levels RMS")])
def test_pixels_may_differ_a_little(level, said):
    found = execution.wobbles(shown(plate(100)), shown(plate(level)))
    assert [said in line for line in found] == ([True] if said else [])


def test_pixels_of_a_bounded_cell_are_left_to_its_numbers():
    pair = [shown({**plate(level), "text/plain": "0.5"}, {"within": 0.1}) for level in (0, 255)]
    assert execution.wobbles(*pair) == []
