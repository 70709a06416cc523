"""Read the explorers' front-end files. Standard library only: the site build uses this too."""

from pathlib import Path

FOLDER = Path(__file__).parent


def names():
    """Return the explorers' names, sorted: one per NAME.js beside this file."""
    return sorted(path.stem for path in FOLDER.glob("*.js") if path.stem != "common")


def module_source(name):
    """Return the ES module of explorer `name`: common.js, then NAME.js.

    Raises ValueError when there is no such explorer.

    >>> "export default { render }" in module_source("conv_stepper")
    True
    """
    if name not in names():
        raise ValueError(f"name={name!r} is no explorer; choose one of {', '.join(names())}")
    files = [FOLDER / "common.js", FOLDER / f"{name}.js"]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def style_source():
    """Return the style sheet shared by every explorer."""
    return (FOLDER / "explorer.css").read_text(encoding="utf-8")
