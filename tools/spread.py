"""How far the numbers of bounded cells move from one way of computing to another, as measured."""

import json
import math
from decimal import ROUND_UP, Context, Decimal
from pathlib import Path

FILE_VARIABLE = "CONVBOOK_SPREAD"  # names the file to which nbval's runs append what they saw


def round_up(deviation: float) -> float:
    """Return the smallest number of two digits that is not below `deviation`.

    >>> round_up(0.0081234), round_up(0.881 - 0.851), round_up(0.0)
    (0.0082, 0.03, 0.0)
    """
    return float(Context(prec=2, rounding=ROUND_UP).plus(Decimal(f"{deviation:.9g}")))


def raise_seen(cell, deviation: float) -> bool:
    """Raise `seen` in the bound of `cell`, in place; return whether anything was to change.

    A cell without a bound, and an infinite deviation, change nothing.
    """
    bound = cell.metadata.get("convbook", {})
    if "within" not in bound or deviation == math.inf:
        return False
    before, now = bound.get("seen", -1.0), round_up(deviation)
    bound["seen"] = max(before, now)
    return before < now


def record(file: str, path: Path, cell_id: str, deviation: float) -> None:
    """Append one cell's deviation to `file`; several processes may do so at once."""
    line = json.dumps({"path": str(path), "cell": cell_id, "deviation": deviation})
    with Path(file).open("a", encoding="utf8") as log:
        log.write(line + "\n")  # one short write, so lines of two processes stay whole


def load(file: str) -> dict[Path, dict[str, float]]:
    """Return notebook -> cell id -> largest finite deviation that `record` wrote to `file`.

    Raises FileNotFoundError where there is no such file.
    """
    found: dict[Path, dict[str, float]] = {}
    for line in Path(file).read_text("utf8").splitlines():
        entry = json.loads(line)
        if entry["deviation"] < math.inf:
            cells = found.setdefault(Path(entry["path"]), {})
            cells[entry["cell"]] = max(cells.get(entry["cell"], 0.0), entry["deviation"])
    return found
