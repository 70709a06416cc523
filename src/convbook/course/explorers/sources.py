"""Read the explorers' front-end files. Standard library only: the site build uses this too.

`NAME.js` is an explorer and `parts/NAME_*.js` belong to it alone; `lib/` is for several. A style
sheet lies beside the module it is for: `lib/base.css` is everybody's.
"""

from functools import cache
from pathlib import Path

from convbook.course.explorers import linker

FOLDER = Path(__file__).parent


def names():
    """Return the explorers' names, sorted: one per NAME.js beside this file."""
    return sorted(path.stem for path in FOLDER.glob("*.js"))


@cache
def modules(name):
    """Return the modules of explorer `name`, each behind those it imports.

    Raises ValueError when there is no such explorer.
    """
    if name not in names():
        raise ValueError(f"name={name!r} is no explorer; choose one of {', '.join(names())}")
    return tuple(linker.modules_of(FOLDER, f"{name}.js"))


def module_source(name):
    """Return explorer `name` and all that it imports as one ES module.

    >>> "export default { render }" in module_source("conv_stepper")
    True
    """
    return linker.join(modules(name))


def style_source():
    """Return the style of every explorer: one sheet, so that its order is the same everywhere."""
    files = [*FOLDER.glob("lib/*.css"), *sorted(FOLDER.glob("*.css"))]
    files.sort(key=lambda path: (path.parent == FOLDER, path.stem != "base", path.stem))
    return "\n".join(path.read_text(encoding="utf-8") for path in files)
