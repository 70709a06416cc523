"""What runs saw is stored as `seen`, which only grows, and no byte changes without need."""

import math
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools import notebooks, spread


@given(st.floats(1e-12, 1e12))
def test_rounding_up_gives_two_digits_and_is_never_below(deviation):
    rounded = spread.round_up(deviation)
    assert float(f"{rounded:.1e}") == rounded
    assert Fraction(deviation) * Fraction(1 - 1e-8) <= rounded <= Fraction(deviation) * 11 / 10
    assert spread.round_up(rounded) == rounded


def notebook_with(*all_metadata):
    cells = [nbformat.v4.new_code_cell(f"{i}", metadata=m) for i, m in enumerate(all_metadata)]
    return notebooks.normalise(nbformat.v4.new_notebook(cells=cells))


@pytest.mark.parametrize(
    ("bound", "deviation", "after"),
    [
        ({"within": 0.1}, 0.0123, 0.013),
        ({"within": 0.1}, 0.0, 0.0),
        ({"within": 0.1, "seen": 0.01}, 0.0123, 0.013),
        ({"within": 0.1, "seen": 0.013}, 0.0123, 0.013),
        ({"within": 0.1, "seen": 0.02}, 0.0123, 0.02),
        ({"within": 0.1, "seen": 0.02}, math.inf, 0.02),
        ({"times": True}, 0.0123, None),
        ({}, 0.0123, None),
    ],
)
def test_seen_is_raised_and_never_lowered(bound, deviation, after):
    cell = notebook_with({"convbook": dict(bound)}).cells[0]
    assert spread.raise_seen(cell, deviation) == (after != bound.get("seen"))
    assert cell.metadata.convbook == bound | ({} if after is None else {"seen": after})


def test_processes_may_record_at_once_and_the_largest_counts(tmp_path):
    file, path = str(tmp_path / "seen.jsonl"), tmp_path / "chapter.ipynb"

    def record(i):
        spread.record(file, path, f"c-{i % 3}", i / 1000)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(record, range(300)))
    spread.record(file, path, "c-0", math.inf)
    spread.record(file, path.with_name("other.ipynb"), "c-0", 5.0)
    assert spread.load(file) == {
        path: {"c-0": 0.297, "c-1": 0.298, "c-2": 0.299},
        path.with_name("other.ipynb"): {"c-0": 5.0},
    }


def test_the_command_stores_what_was_seen_and_touches_nothing_else(tmp_path, capsys):
    path, file = tmp_path / "chapter.ipynb", str(tmp_path / "seen.jsonl")
    bound = {"tags": ["nbval-ignore-output"], "convbook": {"within": 0.1, "seen": 0.02}}
    notebook = notebook_with({}, bound)
    notebooks.write(notebook, path)
    before = path.read_text()
    path.write_text(before.replace(' "cells"', '  "cells"'))  # not as nbformat would write it
    untidy, cell_id = path.read_bytes(), notebook.cells[1].id
    for deviation in (0.011, 0.02, math.inf):
        spread.record(file, path, cell_id, deviation)
        spread.record(file, path, notebook.cells[0].id, 0.5)  # has no bound
        spread.record(file, path, "c-removed", 0.5)
        assert notebooks.main(["spread", file]) == 0
        assert path.read_bytes() == untidy
    assert capsys.readouterr().out == ""
    spread.record(file, path, cell_id, 0.031)
    assert notebooks.main(["spread", file]) == 0
    assert path.read_text() == before.replace('"seen": 0.02', '"seen": 0.031')
    assert f"chapter.ipynb: cell {cell_id} ('1'): seen is now 0.031" in capsys.readouterr().out


def test_a_missing_file_is_named(capsys):
    with pytest.raises(SystemExit):
        notebooks.main(["spread", "no-such-file"])
    assert "no-such-file" in capsys.readouterr().err
