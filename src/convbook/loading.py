"""What a file defines: the names in it, and the code of a notebook that one of them needs."""

import ast
import json
from pathlib import Path

# Cell magics whose cells hold Python that runs in the notebook itself.
MAGICS = ("%%time", "%%capture", "%%timeit")


def networks_in(path):
    """Return the names of the classes in a file that look like networks, or of all its classes.

    Nothing of it runs.

    Raises:
        ValueError: it cannot be read as Python.
    """
    classes = [part for part in ast.walk(parsed(path)) if isinstance(part, ast.ClassDef)]
    modules = [one.name for one in classes if any("Module" in name for name in _bases(one))]
    return list(dict.fromkeys(modules or [one.name for one in classes]))


def _bases(part):
    return [ast.unparse(base) for base in part.bases]


def parsed(path):
    """Return the syntax tree of a .py file or of a notebook's cells, without their magics.

    Raises:
        ValueError: it cannot be read as Python.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    try:
        text = path.read_text(encoding="utf-8")
        return ast.parse(_cells(text) if path.suffix == ".ipynb" else text, filename=str(path))
    except (SyntaxError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"{path} cannot be read as Python: {reason}") from error


def _cells(text):
    """Return the Python of a notebook's code cells as one text."""
    cells = []
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        first = source.lstrip().split("\n")[0]
        foreign = first.startswith("%%") and not first.startswith(MAGICS)
        if cell["cell_type"] == "code" and not foreign:
            cells.append("\n".join(map(_without_magic, source.split("\n"))))
    return "\n".join(cells)


def _without_magic(line):
    """Return a line of a cell, or an empty statement where it is for the notebook only."""
    bare = line.lstrip()
    if bare.startswith(("!", "%")) or bare.rstrip().endswith("?"):
        return line[: len(line) - len(bare)] + "pass"
    return line


def needed_for(tree, name):
    """Return the statements at the top of a file that `name` needs, in their order.

    So that a notebook's network is made and its training does not run.
    """
    statements = [(part, *_names(part)) for part in tree.body]
    needed, kept = {name}, set()
    while True:
        chosen = {
            number
            for number, (_, defined, _) in enumerate(statements)
            if "*" in defined or defined & needed
        }
        if chosen == kept:
            break
        kept = chosen
        needed |= {used for number in kept for used in statements[number][2]}
    body = [statements[number][0] for number in sorted(kept)]
    return ast.Module(body=body, type_ignores=[])


def _names(part):
    """Return the names that a statement defines, and those that it uses."""
    defined, used = set(), set()
    for one in ast.walk(part):
        if isinstance(one, ast.Name):
            (used if isinstance(one.ctx, ast.Load) else defined).add(one.id)
        elif isinstance(one, ast.Import | ast.ImportFrom):
            defined |= {alias.asname or alias.name.split(".")[0] for alias in one.names}
    if isinstance(part, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        defined = {part.name}  # what is assigned inside stays inside
    if isinstance(part, ast.If | ast.Try | ast.With | ast.For | ast.While):
        inner = (ast.ClassDef, ast.FunctionDef)
        defined |= {one.name for one in ast.walk(part) if isinstance(one, inner)}
    return defined, used
