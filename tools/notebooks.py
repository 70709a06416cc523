"""The notebook tool: execute chapters on a fresh kernel, store them normalised, name what is wrong.

    python -m tools.notebooks execute            every chapter and solution
    python -m tools.notebooks execute 03         those of chapter 03
    python -m tools.notebooks execute 03 --once  ... without the second run, while writing
    python -m tools.notebooks verify             the hygiene rules, without running anything
    python -m tools.notebooks spread FILE        store what `make test-numerics` measured

What is stored was run twice, the second time as another processor would compute: an output that
differs must say how far it may (`tools.bounds`).
"""

import argparse
import hashlib
import itertools
import math
import sys
from pathlib import Path

import nbformat

from convbook._files import atomic_write
from convbook.course.mime_types import VIEW
from tools import spread
from tools.address import is_launch_cell
from tools.bounds import cell_name as _name
from tools.execution import execute, execute_twice
from tools.hygiene import (
    CELL_ID,
    CELL_METADATA,
    LAUNCH_CELL,
    WANTS_GPU,
    code_cells,
    problems,
    wants_gpu,
)

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = ROOT / "chapters"


def notebook_paths(chapter: str = "") -> list[Path]:
    """Return the notebooks whose file name starts with `chapter`: chapters, then solutions.

    Raises ValueError when there is none.
    """
    found = sorted(CHAPTERS.glob(f"{chapter}*.ipynb"))
    found += sorted(CHAPTERS.glob(f"solutions/{chapter}*.ipynb"))
    if not found:
        raise ValueError(f"chapter={chapter!r} names no notebook in {CHAPTERS.name}/; try '03'")
    return found


def read(path: Path) -> nbformat.NotebookNode:
    """Return the notebook stored at `path`."""
    return nbformat.read(path, as_version=4)


def write(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write `notebook` to `path`, whole or not at all."""
    with atomic_write(path) as partial:
        partial.write_text(nbformat.writes(notebook) + "\n", "utf8")


def store_unexecuted(text: str, path: Path) -> None:
    """Write a notebook given as text in jupytext's percent format; `make execute` runs it later."""
    import jupytext  # noqa: PLC0415  (the site build reads this module too)

    notebook = jupytext.reads(text, "py:percent")
    _set_launch_cell(notebook)
    write(normalise(notebook), path)


def normalise(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Remove from `notebook`, in place, what differs from run to run or machine to machine."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            **(WANTS_GPU if wants_gpu(notebook) else {}),
        }
    )
    notebook.nbformat_minor = max(notebook.nbformat_minor, 5)  # cells have ids from 4.5 on
    _set_cell_ids(notebook)
    for cell in notebook.cells:
        for key in set(cell.metadata) - CELL_METADATA:  # time stamps, an editor's marks
            del cell.metadata[key]
    for count, cell in enumerate(code_cells(notebook), start=1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
            # JupyterLab would look for the widget's kernel, and not for what is stored beside it.
            output.get("data", {}).pop(VIEW, None)
    return notebook


def _set_cell_ids(notebook) -> None:
    """Give each cell an id made from its source; an id we gave before stays."""
    ids = [cell.get("id", "") for cell in notebook.cells]
    kept = {i for i in ids if CELL_ID.fullmatch(i)}
    taken = set()
    for cell in notebook.cells:
        if cell.get("id", "") not in kept or cell.id in taken:
            stem = "c-" + hashlib.sha256(cell.source.encode()).hexdigest()[:8]
            candidates = itertools.chain([stem], (f"{stem}-{n}" for n in itertools.count(1)))
            cell.id = next(i for i in candidates if i not in taken | kept)
        taken.add(cell.id)


# ----------------------------------------------------------------------------------- command


def _set_launch_cell(notebook) -> None:
    """Write the current launch cell over an older one, or before the first code cell."""
    first = next(iter(code_cells(notebook)), None)
    if first is None or (first.source and not is_launch_cell(first.source)):
        place = notebook.cells.index(first) if first else 1
        first = nbformat.v4.new_code_cell()
        notebook.cells.insert(place, first)
    first.source, first.metadata = LAUNCH_CELL, nbformat.from_dict({"tags": ["remove-cell"]})


def _execute_file(path: Path, once: bool) -> list[str]:
    """Run and store the notebook at `path`; or return what forbids it, and store nothing."""
    notebook = read(path)
    _set_launch_cell(notebook)
    if once:
        execute(notebook, path.parent)
    elif lines := execute_twice(notebook, path.parent):
        return lines
    write(normalise(notebook), path)
    return []


def _execute_all(paths: list[Path], once: bool) -> int:
    status = 0
    for path in paths:
        name = path.relative_to(ROOT)
        print(f"{name}: executing", flush=True)
        try:
            lines = _execute_file(path, once)
        except KeyboardInterrupt:
            print(f"{name}: stopped; the file is as it was")
            return 130
        except Exception as error:  # a cell may raise anything
            lines = [str(error)]
        if lines:
            print(f"{name}: failed; the file is as it was", *lines, sep="\n")
            status = 1
        else:
            status |= _verify([path])
    return status


def _verify(paths: list[Path]) -> int:
    lines = [f"{path.relative_to(ROOT)}: {line}" for path in paths for line in problems(read(path))]
    print(*lines, sep="\n", end="\n" * bool(lines))
    return int(bool(lines))


def _store_spread(file: str) -> None:
    """Raise `seen` where the runs that wrote `file` saw a larger deviation."""
    for path, deviations in spread.load(file).items():
        notebook = read(path)
        for cell in notebook.cells:
            if spread.raise_seen(cell, deviations.get(cell.id, math.inf)):
                print(f"{path.name}: {_name(cell)}: seen is now {cell.metadata.convbook.seen}")
        if notebook != read(path):
            write(notebook, path)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description=__doc__)
    parser.add_argument("action", choices=["execute", "verify", "spread"])
    parser.add_argument(
        "what",
        nargs="?",
        default="",
        help="start of a notebook's name, such as 03; for spread, FILE",
    )
    parser.add_argument("--once", action="store_true", help="execute: leave the second run out")
    options = parser.parse_args(arguments)
    try:
        if options.action == "spread":
            _store_spread(options.what)
            return 0
        paths = notebook_paths(options.what)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    return _execute_all(paths, options.once) if options.action == "execute" else _verify(paths)


if __name__ == "__main__":
    sys.exit(main())
