"""Read the explorers' front-end files. Standard library only: the site build uses this too.

`NAME.js` is an explorer, `parts/NAME_*.js` belong to it alone and `lib/` is for several. A style
sheet lies beside what it is for; `lib/base.css` is everybody's.
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
    """Return the modules of explorer `name`, each behind those it imports and shared ones first.

    Raises ValueError when there is no such explorer.
    """
    if name not in names():
        raise ValueError(f"name={name!r} is no explorer; choose one of {', '.join(names())}")
    found = linker.modules_of(FOLDER, f"{name}.js")
    return tuple(sorted(found, key=lambda module: not module.name.startswith("lib/")))


def module_source(name):
    """Return explorer `name` and all that it imports as one ES module.

    >>> "export default { render }" in module_source("conv_stepper")
    True
    """
    return linker.join(modules(name))


def shared_modules(name):
    """Return the modules of explorer `name` that others may use too.

    >>> [module.name for module in shared_modules("quiz")]
    ['lib/dom.js', 'lib/keyboard.js', 'lib/memory.js']
    """
    return tuple(module for module in modules(name) if module.name.startswith("lib/"))


def own_source(name):
    """Return what explorer `name` adds to its shared modules."""
    shared = shared_modules(name)
    return linker.join([module for module in modules(name) if module not in shared])


def style_files():
    """Return the style sheets in the order that they count in: base, shared ones, explorers'."""
    shared = sorted(FOLDER.glob("lib/*.css"), key=lambda path: (path.stem != "base", path.stem))
    return [*shared, *sorted(FOLDER.glob("*.css"))]


def style_source(files=None):
    """Return these style sheets as one, by default all: in a notebook their order must not vary."""
    files = style_files() if files is None else files
    return "\n".join(path.read_text(encoding="utf-8") for path in files)
