"""Work out how long a notebook takes: reading, exercises, and what is left for another day."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from convbook.course.mime_types import EXPLORER

WORDS_PER_MINUTE = 200
PER_CELL = 0.75  # a code cell whose code is shown
PER_WIDGET = 2.5  # an explorer or a quiz
PER_EXERCISE = 8
STEP = 5

HEADING = re.compile(r"^## +(.+)$", re.MULTILINE)
EXERCISE = re.compile(r"\*\*Exercise \d+\b[^*]*\*\*")
UNSEEN = {"remove-cell", "remove-input", "hide-cell", "hide-input"}  # tags of a cell
EXERCISES, FURTHER = "Exercises", "Going further"  # titles; every other section is the main line


@dataclass(frozen=True)
class Minutes:
    """How long a notebook takes, each in minutes rounded to 5.

    Args:
        reading: the main line, without the exercises and *Going further*.
        exercises: to solve them all.
        further: to read *Going further*, which the page keeps closed.
    """

    reading: int
    exercises: int = 0
    further: int = 0


def minutes(notebook: Mapping) -> Minutes:
    """Return how long `notebook` takes, given as nbformat's JSON.

    Example:
        >>> text = {"cell_type": "markdown", "metadata": {}, "source": "word " * 1500}
        >>> exercise = {"cell_type": "markdown", "metadata": {}, "source": "**Exercise 1.** Try."}
        >>> minutes({"cells": [text, exercise]})
        Minutes(reading=10, exercises=10, further=0)
    """
    reading = further = 0.0
    exercises = 0
    for title, cell, text in _pieces(notebook):
        if cell["cell_type"] == "markdown":
            exercises += len(EXERCISE.findall(text))
        if title.startswith(FURTHER):
            further += _effort(cell, text)
        elif not title.startswith(EXERCISES):  # their eight minutes cover their text
            reading += _effort(cell, text)
    return Minutes(_rounded(reading), _rounded(PER_EXERCISE * exercises), _rounded(further))


def read_minutes(path: Path) -> Minutes:
    """Return how long the notebook in the file `path` takes."""
    return minutes(json.loads(path.read_text("utf8")))


def _pieces(notebook) -> Iterator[tuple[str, Mapping, str]]:
    """Yield (title of its section, cell, text) for each cell; one with headings is cut at them."""
    title = ""
    for cell in notebook["cells"]:
        text = "".join(cell["source"])  # one string, or a list of lines
        if cell["cell_type"] != "markdown":
            yield title, cell, text
            continue
        before, *rest = HEADING.split(text)
        yield title, cell, before
        for title, section in zip(rest[::2], rest[1::2], strict=True):
            yield title, cell, f"{title}\n{section}"


def _effort(cell, text) -> float:
    """Return the minutes for one cell's text, or for its code and its widgets."""
    if cell["cell_type"] == "markdown":
        words = [piece for piece in text.split() if any(c.isalnum() for c in piece)]
        return len(words) / WORDS_PER_MINUTE
    if cell["cell_type"] != "code":
        return 0.0
    tags = set(cell["metadata"].get("tags", []))
    if "remove-cell" in tags:
        return 0.0
    widgets = sum(EXPLORER in output.get("data", {}) for output in cell["outputs"])
    return PER_WIDGET * widgets + PER_CELL * (not tags & UNSEEN)


def _rounded(exact: float) -> int:
    """Return the nearest multiple of `STEP`, but not 0 for what takes any time at all."""
    return max(STEP, STEP * int(exact / STEP + 0.5)) if exact else 0
