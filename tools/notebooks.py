"""The notebook tool: execute chapters on a fresh kernel, store them normalised, name what is wrong.

    python -m tools.notebooks execute            every chapter and solution
    python -m tools.notebooks execute 03         those of chapter 03
    python -m tools.notebooks execute 03 --once  ... without the second run, while writing
    python -m tools.notebooks verify             the hygiene rules, without running anything
    python -m tools.notebooks spread FILE        store what `make test-numerics` measured

What is stored was run twice, the second time as another processor would compute: an output that
differs must say how far it may (`tools.bounds`).

nbval proves that stored outputs are right. It cannot see a stripped notebook, wrong execution
counts, a missing figure or a missing alt text: `problems` does.
"""

import argparse
import hashlib
import itertools
import json
import math
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat

from convbook._files import atomic_write
from convbook.course.mime_types import DRAWING, EXPLORER, PICTURES, VIEW
from convbook.course.site.words import parse_words
from tools import bounds, spread
from tools.address import is_launch_cell, read_address
from tools.bounds import cell_name as _name
from tools.execution import execute, execute_twice

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = ROOT / "chapters"

CELL_METADATA = {"tags", "mystnb", "convbook"}
# What a notebook's metadata says where the chapter asks Colab for a machine with a GPU.
WANTS_GPU = {"accelerator": "GPU", "colab": {"gpuType": "T4"}}
CELL_ID = re.compile(r"c-[0-9a-f]{8}(-\d+)?")

LAUNCH_CELL = read_address().launch_cell

MAX_CELL_LINES = 15
MAX_COLUMNS = 77  # what the book's column shows without scrolling
MIN_ALT_LENGTH = 25
# A path on one machine: /home/..., file:///..., C:\\... or C:/..., \\\\server\\...
TOP_FOLDERS = (
    "Applications|Library|Users|Volumes|content|data|etc|home|kaggle|media|mnt|opt|private|root"
    "|srv|tmp|usr|var|work"
)
ABSOLUTE_PATH = re.compile(
    rf"(?<![\w.~/-])/(?:{TOP_FOLDERS})/\w|file:///?\w|\b[A-Z]:[\\/]\w|(?<![\w\\])\\\\\w+\\\w"
)
MEMORY_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
# {doc}`name`, ```{note}, (label)=: the site knows them, other viewers show them as they stand.
MYST = re.compile(
    r"(?<!`)\{[a-z][\w:.+-]*\}`(?=[^\s`])|^ *(?:`{3,}|:{3,}) *\{|^\([\w-]+\)= *$", re.MULTILINE
)
TRACES = {ABSOLUTE_PATH: "a path of one machine", MEMORY_ADDRESS: "a memory address"}


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
            **(WANTS_GPU if _wants_gpu(notebook) else {}),
        }
    )
    notebook.nbformat_minor = max(notebook.nbformat_minor, 5)  # cells have ids from 4.5 on
    _set_cell_ids(notebook)
    for cell in notebook.cells:
        for key in set(cell.metadata) - CELL_METADATA:  # time stamps, an editor's marks
            del cell.metadata[key]
    for count, cell in enumerate(_code_cells(notebook), start=1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
            # JupyterLab would look for the widget's kernel, and not for what is stored beside it.
            output.get("data", {}).pop(VIEW, None)
    return notebook


def _wants_gpu(notebook) -> bool:
    """Say whether the notebook asks for a GPU, all of it; Colab's own marks are not a wish."""
    return {key: notebook.metadata.get(key) for key in WANTS_GPU} == WANTS_GPU


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


def _code_cells(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


# ------------------------------------------------------------------------------ hygiene rules


def problems(notebook: nbformat.NotebookNode) -> list[str]:
    """Return one line for each hygiene rule that `notebook` breaks; none if it is clean."""
    return [line for rule in RULES for line in rule(notebook)]


def check_counts(notebook) -> Iterator[str]:
    """Execution counts run 1..N, so the notebook was executed once, in order, from the top."""
    counts = [cell.execution_count for cell in _code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts are {counts}, not 1..{len(counts)}; run `make execute`"


def check_metadata(notebook) -> Iterator[str]:
    """The kernel is `python3`; no run-dependent metadata, in the notebook or in a cell."""
    name = notebook.metadata.get("kernelspec", {}).get("name")
    if name != "python3":
        yield f"kernelspec is {name!r}, not 'python3'; run `make execute`"
    expected = {"kernelspec", "language_info"}
    if _wants_gpu(notebook):
        expected |= WANTS_GPU.keys()
    if extra := set(notebook.metadata) - expected:
        yield f"notebook metadata holds {sorted(extra)}; run `make execute`"
    for cell in notebook.cells:
        if extra := set(cell.metadata) - CELL_METADATA:
            yield f"{_name(cell)} has metadata {sorted(extra)}; run `make execute`"


def check_ids(notebook) -> Iterator[str]:
    """Every cell has a stable id of its own."""
    ids = [cell.get("id", "") for cell in notebook.cells]
    if bad := [i for i in ids if not CELL_ID.fullmatch(i) or ids.count(i) > 1]:
        yield f"cell ids {sorted(set(bad))} are missing, random or repeated; run `make execute`"


def check_launch_cell(notebook) -> Iterator[str]:
    """The first code cell is the launch cell, hidden on the page."""
    cells = _code_cells(notebook)
    if not cells or cells[0].source != LAUNCH_CELL:
        yield "the first code cell is not the launch cell; run `make address` or `make execute`"
    elif "remove-cell" not in cells[0].metadata.get("tags", []):
        yield "the launch cell is not tagged 'remove-cell'"


def check_length(notebook) -> Iterator[str]:
    """A code cell has at most 15 lines, none wider than the page's column."""
    for cell in _code_cells(notebook)[1:]:
        lines = len(cell.source.splitlines())
        if lines > MAX_CELL_LINES:
            yield f"{_name(cell)} has {lines} lines; split it, {MAX_CELL_LINES} is the most"
        for line in cell.source.splitlines():
            if len(line) > MAX_COLUMNS:
                yield f"{_name(cell)}: {len(line)} columns, {MAX_COLUMNS} is the most: {line}"


def check_markdown(notebook) -> Iterator[str]:
    """The text is plain Markdown, without MyST's roles, directives and labels."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (found := MYST.search(cell.source)):
            yield f"{_name(cell)} holds {found[0].strip()!r}, which viewers show raw; write a link"


def check_words(notebook) -> Iterator[str]:
    """A Words box has the form from which the glossary is made."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            try:
                parse_words(cell.source, _name(cell))
            except ValueError as error:
                yield str(error)


def check_outputs(notebook) -> Iterator[str]:
    """No error and no stderr."""
    for cell in _code_cells(notebook):
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"{_name(cell)} raised {output.ename}: {output.evalue}"
            if output.get("name") == "stderr":
                yield f"{_name(cell)} wrote to stderr: {output.text!r}"


def check_traces(notebook) -> Iterator[str]:
    """No absolute path and no memory address, in sources, outputs and metadata alike."""
    for place, text in _texts(notebook):
        for pattern, what in TRACES.items():
            if found := pattern.search(text):
                yield f"{place} holds {what}: {text[found.start() :][:60]!r}"


def check_figures(notebook) -> Iterator[str]:
    """A cell that draws holds its figure as PNG, and each figure has a real alt text.

    A PNG is what every viewer shows, and what conftest.py compares.
    """
    for cell in _code_cells(notebook):
        bundles = [output.get("data", {}) for output in cell.outputs]
        images = [m for bundle in bundles for m in bundle if m.startswith("image/")]
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        draws = bool(alt) or re.search(r"^figures\.\w+\(", cell.source, re.MULTILINE)
        if other := set(images) - {"image/png"}:
            yield f"{_name(cell)} has a figure of type {sorted(other)}; draw it with `figures`"
        if any(DRAWING in bundle and "image/png" not in bundle for bundle in bundles):
            yield f"{_name(cell)} has a drawing without a PNG; run `make execute`"
        if draws and not images:
            yield f"{_name(cell)} draws a figure, but none is stored; run `make execute`"
        if images and len(alt) < MIN_ALT_LENGTH:
            yield f"{_name(cell)} has a figure with alt text {alt!r}; say what it shows"


def check_widgets(notebook) -> Iterator[str]:
    """An explorer is stored as its state and as HTML, and no widget waits for a kernel.

    nbval compares both with a fresh run.
    """
    for cell in _code_cells(notebook):
        for bundle in (output.get("data", {}) for output in cell.outputs):
            if VIEW in bundle:
                yield f"{_name(cell)} holds a live widget; run `make execute`"
            if EXPLORER in bundle and "text/html" not in bundle:
                yield f"{_name(cell)} has an explorer without its HTML; run `make execute`"


def check_bounds(notebook) -> Iterator[str]:
    """A cell that nbval does not compare says how far its numbers may move, and that is seldom."""
    for cell in notebook.cells:
        for flaw in (*bounds.flaws(cell), *bounds.looseness(cell)):
            yield f"{_name(cell)} {flaw}"


RULES = [
    check_counts,
    check_metadata,
    check_ids,
    check_launch_cell,
    check_length,
    check_markdown,
    check_words,
    check_outputs,
    check_traces,
    check_figures,
    check_widgets,
    check_bounds,
]


def _texts(notebook) -> Iterator[tuple[str, str]]:
    """Return (place, text) for all that a notebook holds but its pictures."""
    yield "the notebook's metadata", _plain_text(notebook.metadata)
    for cell in notebook.cells:
        place = f"cell {cell.get('id')}"
        yield place, cell.source
        yield place, _plain_text(cell.metadata)
        for output in cell.get("outputs", []):
            yield place, output.get("text", "")
            for mime, content in output.get("data", {}).items():
                if mime not in ("image/png", PICTURES):
                    yield place, content if isinstance(content, str) else _plain_text(content)


def _plain_text(value) -> str:
    return json.dumps(value).replace("\\\\", "\\")  # undo JSON's doubled backslashes


# ----------------------------------------------------------------------------------- command


def _set_launch_cell(notebook) -> None:
    """Write the current launch cell over an older one, or before the first code cell."""
    first = next(iter(_code_cells(notebook)), None)
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
