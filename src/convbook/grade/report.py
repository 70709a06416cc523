"""What the grader hands back: one row per requirement, as text, HTML and JSON."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, NamedTuple

WIDTH = 77  # columns, as in the book's cells


@dataclass(frozen=True)
class Requirement:
    """One requirement of the assignment, and how a network meets it.

    Args:
        requirement: what is asked for.
        measured: what the network has.
        passed: whether that is enough.
        why: where it was read, or what to change.

    Example:
        >>> Requirement("under 1,000,000 parameters", "1,200,000", False, "too many").passed
        False
    """

    requirement: str
    measured: str
    passed: bool
    why: str


class Finding(NamedTuple):
    """What was found out about one requirement."""

    measured: str
    passed: bool
    why: str


def joined(remarks: Iterable[str | None], most: int = 5) -> str:
    """Return remarks as one text, each once, and of very many the first."""
    told = [remark for remark in dict.fromkeys(remarks) if remark]
    rest = [f"and {len(told) - most} more remarks like these"] if len(told) > most + 1 else []
    return "; ".join([*told[:most], *rest] if rest else told)


class Report:
    """How a network meets the requirements. It prints as text, and as HTML in a notebook.

    Iterate over the rows, or take one by its number. What else was noticed stands in `remarks`; it
    does not decide.

    Example:
        >>> Report([Requirement("under 1,000,000 parameters", "9,418", True, "as counted")])
        met  requirement                 measured
        yes  under 1,000,000 parameters  9,418
             as counted
        passed: 1 of 1 requirements
    """

    def __init__(self, rows: Sequence[Requirement], remarks: Iterable[str] = ()) -> None:
        self.rows = tuple(rows)
        self.remarks = tuple(remarks)

    def __iter__(self) -> Iterator[Requirement]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> Requirement:
        return self.rows[number]

    @property
    def passed(self) -> bool:
        """Whether every requirement is met."""
        return all(row.passed for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a dict that JSON can hold."""
        rows = [asdict(row) for row in self.rows]
        return {"passed": self.passed, "rows": rows, "remarks": list(self.remarks)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Report":
        """Return the report that `to_dict` stored."""
        return cls([Requirement(**row) for row in stored["rows"]], stored["remarks"])

    def __repr__(self) -> str:
        width = max(len(row.requirement) for row in self.rows)
        lines = [f"met  {'requirement':{width}}  measured"]
        for row in self.rows:
            lines.append(f"{_word(row):3}  {row.requirement:{width}}  {row.measured}")
            lines += _wrapped(row.why)
        for remark in self.remarks:
            lines += _wrapped(f"note: {remark}")
        return "\n".join([*lines, self._verdict()])

    def _repr_html_(self) -> str:
        heads = "".join(
            f'<th scope="col">{h}</th>' for h in ("Requirement", "Measured", "Met", "Why")
        )
        body = []
        for row in self.rows:
            mark = "✓" if row.passed else "✗"
            cells = [_html(row.measured), f"{mark}&nbsp;{_word(row)}", _html(row.why)]
            rest = "".join(f"<td>{cell}</td>" for cell in cells)
            body.append(f'<tr><th scope="row">{_html(row.requirement)}</th>{rest}</tr>')
        notes = "".join(f"<p>Note: {_html(remark)}</p>" for remark in self.remarks)
        return (
            f'<div class="convbook-grade" tabindex="0"><table><thead><tr>{heads}</tr></thead>'
            f"<tbody>{''.join(body)}</tbody></table>{notes}<p>{self._verdict()}</p></div>"
        )

    def _verdict(self) -> str:
        met = sum(row.passed for row in self.rows)
        return f"{'passed' if self.passed else 'not passed'}: {met} of {len(self)} requirements"


def _word(row: Requirement) -> str:
    return "yes" if row.passed else "no"


def _wrapped(text: str) -> list[str]:
    """Return the lines of a text below the requirement it belongs to."""
    return textwrap.wrap(text, WIDTH, initial_indent=" " * 5, subsequent_indent=" " * 5)


def _html(text: str) -> str:
    """Return a text as HTML, with `code` in backticks as code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))
