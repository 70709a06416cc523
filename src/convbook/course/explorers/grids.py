"""Grids of numbers: the worked examples, how they are checked and how they are written."""

import math
import numbers
from html import escape

LARGEST_NUMBER = 9999

# The top-left corners are the book's first worked example: 5x5 and 3x3.
INPUT_VALUES = [
    [2, 2, 3, 3, 3, 1, 0, 2, 1, 3],
    [0, 1, 3, 0, 3, 2, 1, 0, 3, 2],
    [2, 3, 0, 1, 3, 0, 2, 1, 1, 0],
    [3, 3, 2, 1, 2, 3, 0, 2, 0, 1],
    [3, 3, 0, 2, 3, 1, 1, 3, 2, 2],
    [1, 0, 2, 3, 0, 2, 3, 1, 0, 3],
    [0, 2, 1, 0, 1, 3, 2, 0, 1, 1],
    [3, 1, 0, 2, 2, 0, 1, 3, 3, 0],
    [2, 0, 3, 1, 0, 1, 2, 2, 0, 1],
    [1, 3, 2, 0, 3, 2, 0, 1, 2, 3],
]
KERNEL_VALUES = [
    [2, 0, 1, 0, 1],
    [1, 0, 0, 2, 0],
    [0, 1, 1, 0, 1],
    [1, 0, 2, 1, 0],
    [0, 1, 0, 0, 2],
]


def checked_grid(name, values):
    """Return a grid as lists of plain numbers, or raise naming what is wrong."""
    values = values.tolist() if hasattr(values, "tolist") else values
    if not isinstance(values, (list, tuple)) or not all(
        isinstance(row, (list, tuple)) for row in values
    ):
        raise TypeError(f"{name}={values!r} is no grid; use a list of rows, each a list of numbers")
    widths = [len(row) for row in values]
    if not values or len(set(widths)) > 1 or not widths[0]:
        raise ValueError(
            f"{name} has rows of {widths} numbers; use rows of one length, as in a square"
        )
    for number in (number for row in values for number in row):
        if isinstance(number, bool) or not isinstance(number, numbers.Real):
            raise TypeError(f"{name} holds {number!r}; use whole or decimal numbers")
        if not math.isfinite(number) or abs(number) > LARGEST_NUMBER:
            raise ValueError(
                f"{name} holds {number!r}; use numbers from -{LARGEST_NUMBER} to {LARGEST_NUMBER}"
            )
    return [[n if isinstance(n, int) else float(n) for n in row] for row in values]


def corner(grid, rows, columns=None):
    """Return the numbers top left in a grid, so many rows and columns; one number for both."""
    return [row[: columns or rows] for row in grid[:rows]]


def flat(grid):
    """Return the numbers of a grid in one list, row by row."""
    return [number for row in grid for number in row]


def folded(values, side):
    """Return a list of `side * side` numbers as a square grid: what `flat` undoes."""
    return [values[start : start + side] for start in range(0, side * side, side)]


def spread(values, onto):
    """Return a copy of grid `onto` with `values` in its top-left corner."""
    grid = [list(row) for row in onto]
    for line, row in zip(grid, values, strict=False):
        line[: len(row)] = row
    return grid


def number_text(number):
    """Return a number as the front end writes it: no dust, a true minus sign."""
    rounded = float(f"{number:.12g}") or 0.0
    text = str(int(rounded)) if rounded.is_integer() else repr(rounded)
    return text.replace("-", "\N{MINUS SIGN}")


def counted(number, noun):
    """Return "no zeros", "1 zero", "20 zeros"."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def html_table(caption, cells, head=""):
    """Return an HTML table of `cells`, rows of strings that are elements already.

    Its style stands in it, as JupyterLab shows it without the book's style sheet.
    """
    title = f'<caption style="white-space: nowrap">{escape(caption)}</caption>'
    rows = "".join(f"<tr>{''.join(row)}</tr>" for row in cells)
    return f"<table>{title}{head}<tbody>{rows}</tbody></table>"


def side_by_side(tables):
    """Return an HTML element with the tables in a row, or in several where there is no room."""
    style = "display: flex; flex-wrap: wrap; align-items: flex-start; gap: 1rem 2.5rem"
    return f'<div class="cb-tables" style="{style}">{"".join(tables)}</div>'


def number_table(caption, grid):
    """Return an HTML table of numbers."""
    return html_table(caption, [[f"<td>{number_text(n)}</td>" for n in row] for row in grid])
