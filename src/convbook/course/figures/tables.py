"""Results as a table: HTML on a page, aligned text elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from math import isnan
from numbers import Integral, Real

Best = Mapping[str, Callable]
Cell = object  # a number, a string, or None
Numbers = list[tuple[int, float]]

MISSING = "\N{EN DASH}"
MARK = " *"  # after the best value of a column, where there is no bold type
# JupyterLab keeps the style of an element, and no style sheet.
RIGHT = "text-align: right; font-variant-numeric: tabular-nums"
LEFT = "text-align: left"
UNSEEN = "position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)"


class ResultTable:
    """Results as `figures.table` gives them; a notebook shows it as HTML, a terminal as text."""

    def __init__(
        self,
        heads: Sequence[str],
        cells: Sequence[Sequence[str]],
        right: Sequence[bool],
        best: set[tuple[int, int]],
        caption: str,
        origin: str,
    ):
        self.heads = list(heads)
        self.cells = [list(row) for row in cells]
        self.right = list(right)
        self.best = best
        self.caption = caption
        self.origin = origin

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self.to_html(), "text/plain": str(self)}

    def __repr__(self) -> str:
        marked = [[head + self._space(column) for column, head in enumerate(self.heads)]]
        for i, row in enumerate(self.cells):
            texts = enumerate(row)
            marked.append(
                [text + (MARK if (i, j) in self.best else self._space(j)) for j, text in texts]
            )
        widths = [max(map(len, column)) for column in zip(*marked, strict=True)]
        texts = []
        for line in marked:
            cells = zip(line, widths, self.right, strict=True)
            padded = (cell.rjust(w) if right else cell.ljust(w) for cell, w, right in cells)
            texts.append("  ".join(padded).rstrip())
        notes = ["* best of its column"] if self.best else []
        above = [self.caption] if self.caption else []
        return "\n".join([*above, *texts, *notes, *([self.origin] if self.origin else [])])

    def _space(self, column: int) -> str:
        """Return room for a mark, so that the digits of a column stand below one another."""
        return " " * len(MARK) if any(j == column for _, j in self.best) else ""

    def to_html(self) -> str:
        """Return the table as HTML: what JupyterLab keeps of it reads well without a style sheet.

        Example:
            >>> "<caption>" in table({"plain": {"loss": 1.5}}, caption="After a step").to_html()
            True
        """
        heads = "".join(
            f'<th scope="col" style="{self._side(j)}">{escape(head)}</th>'
            for j, head in enumerate(self.heads)
        )
        body = "".join(self._row_html(i) for i in range(len(self.cells)))
        caption = f"<caption>{escape(self.caption)}</caption>" if self.caption else ""
        foot = ""
        if self.origin:
            foot = (
                f'<tfoot><tr><td colspan="{len(self.heads)}" style="{LEFT}">'
                f"{escape(self.origin)}</td></tr></tfoot>"
            )
        return (
            '<div class="convbook-table-frame" tabindex="0" style="overflow-x: auto">'
            f'<table class="convbook-table">{caption}<thead><tr>{heads}</tr></thead>'
            f"<tbody>{body}</tbody>{foot}</table></div>"
        )

    def _row_html(self, i: int) -> str:
        name, *rest = self.cells[i]
        row = [f'<th scope="row" style="{LEFT}">{escape(name)}</th>']
        for j, text in enumerate(rest, start=1):
            style, value = self._side(j), escape(text)
            if (i, j) in self.best:
                # The star is for the eye; a screen reader hears the word instead. Before the number
                # it leaves the digits of a column one below the other.
                row.append(
                    f'<td class="convbook-best" style="{style}; font-weight: bold">'
                    f'<span aria-hidden="true">* </span>{value}'
                    f'<span style="{UNSEEN}"> (best)</span></td>'
                )
            else:
                row.append(f'<td style="{style}">{value}</td>')
        return f"<tr>{''.join(row)}</tr>"

    def _side(self, column: int) -> str:
        return RIGHT if self.right[column] else LEFT


def table(
    rows: Mapping[str, Mapping[str, Cell]] | Sequence[Mapping[str, Cell]],
    columns: Sequence[str] | Mapping[str, str] | None = None,
    best: Best | None = None,
    digits: int | Mapping[str, int] | None = None,
    origin: str = "",
    caption: str = "",
) -> ResultTable:
    """Show results: a row for each thing compared, a column for each quantity.

    Integers get commas, strings stay as they are, and what is missing (None) or not a number is a
    dash. All values that are best are marked.

    Args:
        rows: name -> {column: value}; or a list of rows, whose first column then names them.
        columns: which, in which order; with a mapping, column -> what its heading says, such as
            `{"macs": "MACs (M)"}`. Otherwise all, in the order in which they first come.
        best: column -> `max` or `min`.
        digits: after the point, for all columns with floats or for each; otherwise 3 significant
            ones.
        origin: where the numbers come from, below the table; see `runs.origin`.
        caption: above it.

    Raises:
        ValueError: there is no row, a column is unknown, or digits or a best is wanted of one
            without numbers.

    Example:
        >>> net = {"old": {"accuracy": 0.9, "MACs": 1200}, "new": {"accuracy": 0.91, "MACs": 90}}
        >>> table(net, best={"accuracy": max, "MACs": min}, digits=2)
             accuracy     MACs
        old      0.90    1,200
        new      0.91 *     90 *
        * best of its column
    """
    names, records, corner = _records(rows)
    headings = _headings(columns, records)
    for argument, wanted in (("best", best or {}), ("digits", _per_column(digits))):
        if unknown := [column for column in wanted if column not in headings]:
            raise ValueError(
                f"{argument} names {unknown}, which are no columns; use some of {list(headings)}"
            )
    cells = [[name] for name in names]
    marks, right = set(), [False]
    for j, column in enumerate(headings, start=1):
        values = [record.get(column) for record in records]
        numbers = [(i, value) for i, value in enumerate(values) if _is_number(value)]
        right.append(bool(numbers))
        places = digits.get(column) if isinstance(digits, Mapping) else digits
        for row, value in zip(cells, values, strict=True):
            row.append(_text(value, places))
        if best and column in best:
            marks |= {(i, j) for i in _best(column, best[column], numbers, cells, j)}
    return ResultTable([corner, *headings.values()], cells, right, marks, caption, origin)


def _records(rows) -> tuple[list[str], list[Mapping[str, Cell]], str]:
    """Return the names of the rows, the rows, and the heading above the names."""
    if not rows:
        raise ValueError(f"rows={rows!r} is empty; give a mapping for each row")
    if isinstance(rows, Mapping):
        return [str(name) for name in rows], list(rows.values()), ""
    corner = next(iter(rows[0]), None)
    if corner is None or not all(corner in row for row in rows):
        raise ValueError(
            f"rows have no common first column; let each begin with its name, such as {corner!r}"
        )
    rest = [{key: value for key, value in row.items() if key != corner} for row in rows]
    return [_text(row[corner], None) for row in rows], rest, str(corner)


def _headings(columns, records: list[Mapping[str, Cell]]) -> dict[str, str]:
    """Return column -> heading, in order."""
    known = list(dict.fromkeys(column for record in records for column in record))
    headings = (
        columns if isinstance(columns, Mapping) else {one: str(one) for one in columns or known}
    )
    if unknown := [column for column in headings if column not in known]:
        raise ValueError(f"columns={unknown} are in no row; use some of {known}")
    return dict(headings)


def _per_column(digits) -> Mapping[str, int]:
    return digits if isinstance(digits, Mapping) else {}


def _is_number(value: Cell) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and not isnan(value)


def _text(value: Cell, digits: int | None) -> str:
    if value is None or (isinstance(value, Real) and isnan(value)):
        return MISSING
    if isinstance(value, bool) or not isinstance(value, Real):
        return str(value)
    if isinstance(value, Integral):
        text = f"{int(value):,}"
    else:
        shown = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
        text = shown if digits is None else f"{value:,.{digits}f}"
    return text.replace("-", "−") if "e" not in text else text


def _best(
    column: str, choose: Callable, numbers: Numbers, cells: list[list[str]], j: int
) -> list[int]:
    """Return the rows with the best value; what reads the same is equally good."""
    if choose not in (max, min):
        raise ValueError(f"best[{column!r}]={choose!r} is unknown; use max or min")
    if not numbers:
        raise ValueError(f"best names {column!r}, which holds no number; leave it out")
    value = choose(value for _, value in numbers)
    winners = {cells[i][j] for i, one in numbers if one == value}
    return [i for i, _ in numbers if cells[i][j] in winners]
