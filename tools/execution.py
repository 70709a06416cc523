"""Run a notebook on a fresh kernel, and again as another processor would compute.

What differs between the two runs would differ on a reader's machine, so it is not stored unless
the cell says how far its numbers may move (`tools.bounds`).
"""

import copy
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

from tools import bounds, pictures, spread

CELL_TIMEOUT = 120  # seconds, as in pyproject.toml
NO_GPU = {"CUDA_VISIBLE_DEVICES": ""}  # or the maintainer's card would change the pages
# As a processor without vector units adds, and in one thread: sums come in another order.
OTHER_NUMERICS = {
    "ATEN_CPU_CAPABILITY": "default",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


def execute(notebook, folder: Path, settings: Mapping[str, str] | None = None):
    """Run `notebook` on a fresh kernel in `folder` and return it with its new outputs.

    `settings` are set in the kernel's environment. No kernel sees a GPU.

    Raises nbclient.exceptions.CellExecutionError when a cell raises.
    """
    from nbclient import NotebookClient  # noqa: PLC0415  (the site build reads this module too)

    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        store_widget_state=False,  # what is stored is shown without a kernel
        coalesce_streams=True,  # or one text may come in two pieces, another time in one
    )
    return client.execute(env={**os.environ, **NO_GPU, **(settings or {})})


def execute_twice(notebook, folder: Path) -> list[str]:
    """Run `notebook` in place, and a copy under other numerics; return what the copy contradicts.

    Each line names a cell and the remedy. Of bounded cells, `seen` is raised to what was seen.
    """
    again = copy.deepcopy(notebook)
    execute(notebook, folder)
    print("  again, as another processor would compute", flush=True)
    execute(again, folder, OTHER_NUMERICS)
    return wobbles(notebook, again)


def wobbles(notebook, again) -> list[str]:
    """Name the cells in which two runs of one notebook differ beyond their bound, or without one.

    Raises `seen` in the bounds of `notebook`, in place.
    """
    lines = []
    pairs = zip(notebook.cells, again.cells, strict=True)
    code = ((cell, other) for cell, other in pairs if cell.cell_type == "code")
    for cell, other in code:
        name = bounds.cell_name(cell)
        if flaws := list(bounds.flaws(cell)):
            lines += [f"{name} {flaw}" for flaw in flaws]
            continue
        bound = cell.metadata.get("convbook", {})
        deviation, problem = bounds.compare(cell.outputs, other.outputs, bound)
        if problem:
            lines.append(f"{name} differs: {problem}. {_remedy(cell, other, bound)}")
        elif spread.raise_seen(cell, deviation):
            print(f"  {name}: seen is now {bound['seen']}")
        elif problem := _picture_problem(cell, other):
            lines.append(f"{name}: {problem}. Print its numbers with a bound beside it.")
    return lines


def _picture_problem(cell, other) -> str:
    bounded = bounds.TAG in cell.metadata.get("tags", [])  # then its numbers are compared
    return "" if bounded else pictures.compare(cell.outputs, other.outputs)


def _remedy(cell, other, bound: dict) -> str:
    if "times" in bound:
        return "Beside times only numbers may differ; list other words under `words`."
    trial = {**bound, "within": math.inf}
    deviation, _ = bounds.compare(cell.outputs, other.outputs, trial)
    if deviation == math.inf:
        return "No word and no length may hang on such digits; or list the words under `words`."
    if deviation == 0:
        return "Round what is drawn."
    wider = json.dumps({"convbook": {**bound, "within": spread.round_up(2 * deviation)}})
    return f"Compute in float64 or integers; or tag it {bounds.TAG!r} and declare {wider}."
