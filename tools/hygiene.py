"""The hygiene rules of a stored notebook: what nbval cannot see.

nbval proves that stored outputs are right. It passes over a stripped notebook, wrong execution
counts, a missing figure or a missing alt text: `problems` does not.
"""

import json
import re
from collections.abc import Iterator

import nbformat

from convbook.course.mime_types import DRAWING, EXPLORER, PICTURES, VIEW
from convbook.course.site.words import TITLE, parse_words
from tools import bounds
from tools.address import read_address
from tools.bounds import cell_name as _name

CELL_METADATA = {"tags", "mystnb", "convbook"}
# What a notebook's metadata says where the chapter asks Colab for a machine with a GPU.
WANTS_GPU = {"accelerator": "GPU", "colab": {"gpuType": "T4"}}
CELL_ID = re.compile(r"c-[0-9a-f]{8}(-\d+)?")

LAUNCH_CELL = read_address().launch_cell

MAX_CELL_LINES = 15
MAX_COLUMNS = 77  # what the book's column shows without scrolling
MAX_SHOWN_COLUMNS = 60  # a phone shows 38 and scrolls
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


def wants_gpu(notebook) -> bool:
    """Say whether the notebook asks for a GPU, all of it; Colab's own marks are not a wish."""
    return {key: notebook.metadata.get(key) for key in WANTS_GPU} == WANTS_GPU


def code_cells(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def problems(notebook: nbformat.NotebookNode) -> list[str]:
    """Return one line for each hygiene rule that `notebook` breaks; none if it is clean."""
    return [line for rule in RULES for line in rule(notebook)]


def check_counts(notebook) -> Iterator[str]:
    """Execution counts run 1..N, so the notebook was executed once, in order, from the top."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts are {counts}, not 1..{len(counts)}; run `make execute`"


def check_metadata(notebook) -> Iterator[str]:
    """The kernel is `python3`; no run-dependent metadata, in the notebook or in a cell."""
    name = notebook.metadata.get("kernelspec", {}).get("name")
    if name != "python3":
        yield f"kernelspec is {name!r}, not 'python3'; run `make execute`"
    expected = {"kernelspec", "language_info"}
    if wants_gpu(notebook):
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
    cells = code_cells(notebook)
    if not cells or cells[0].source != LAUNCH_CELL:
        yield "the first code cell is not the launch cell; run `make address` or `make execute`"
    elif "remove-cell" not in cells[0].metadata.get("tags", []):
        yield "the launch cell is not tagged 'remove-cell'"


def check_length(notebook) -> Iterator[str]:
    """A code cell has at most 15 lines, none wider than the page's column, or a phone's if shown.

    A chapter of the second edition, which has a Words box, keeps to the narrower width.
    """
    is_second = any(cell.source.startswith(TITLE) for cell in notebook.cells)
    for cell in code_cells(notebook)[1:]:
        lines = cell.source.splitlines()
        shown = not {"hide-input", "hide-cell", "remove-input"} & set(cell.metadata.get("tags", []))
        most = MAX_SHOWN_COLUMNS if shown and is_second else MAX_COLUMNS
        if len(lines) > MAX_CELL_LINES:
            yield f"{_name(cell)} has {len(lines)} lines; split it, {MAX_CELL_LINES} is the most"
        for line in lines:
            if len(line) > most:
                yield f"{_name(cell)}: {len(line)} columns, {most} is the most: {line}"


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
    for cell in code_cells(notebook):
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
    for cell in code_cells(notebook):
        bundles = [output.get("data", {}) for output in cell.outputs]
        images = [m for bundle in bundles for m in bundle if m.startswith("image/")]
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        draws = bool(alt) or re.search(r"^figures\.(?!table)\w+\(", cell.source, re.MULTILINE)
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
    for cell in code_cells(notebook):
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
