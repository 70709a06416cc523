"""Models and weights from files: an address such as `my.py:Net`, and a `.safetensors` file.

Of a notebook only the code runs that the network needs.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import json
import sys
import warnings
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from convbook.train.presets import PRESETS, find_preset

# Cell magics whose cells hold Python that runs in the notebook itself.
MAGICS = ("%%time", "%%capture", "%%timeit")
PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl")
SAVE = "safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')"


def load_model(address: str, with_weights: bool = False) -> nn.Module:
    """Return the model that an address names: `torchvision:NAME`, `FILE.py:NAME` and so on.

    A class or function is called without arguments; torchvision's models get no trained weights.
    Of a notebook only that runs which the class or function needs. A word alone is one of
    `convbook.train.presets.PRESETS`.

    Args:
        address: where the model is.
        with_weights: whether a class or function shall make its weights; without, it takes no
            memory for them where it can.

    Raises:
        ValueError: there is no such thing, or it does not give a model.

    Example:
        >>> type(load_model("torch.nn:ReLU")).__name__
        'ReLU'
    """
    source, _, name = address.rpartition(":")
    if preset := find_preset(address):
        return _call(preset.network, address, with_weights)
    if not source or not name:
        raise ValueError(_without_name(address))
    if source == "torchvision":
        return _torchvision_model(name, with_weights)
    thing = _module(source, name)
    known = networks_in(source) if source.endswith(".ipynb") else dir(thing)
    for part in name.split("."):
        if not hasattr(thing, part):
            raise ValueError(f"{source} has no {name}{_similar(part, known)}")
        thing = getattr(thing, part)
    return _call(thing, address, with_weights)


def _without_name(address: str) -> str:
    """Say what is missing in an address that names a file, or nothing at all."""
    path = address.rstrip(":")
    if not path.endswith((".py", ".ipynb")):
        return (
            f"model={address} has no source; use torchvision:resnet50, my.py:Net or a preset: "
            f"{', '.join(sorted(PRESETS))}"
        )
    found = networks_in(path)
    if not found:
        return f"model={address} defines no class; use a file with a network, as my.py:Net"
    others = f" (it defines {', '.join(found)})" if len(found) > 1 else ""
    return f"model={address} does not say which network; use {path}:{found[-1]}{others}"


def _torchvision_model(name: str, with_weights: bool) -> nn.Module:
    from torchvision import models  # noqa: PLC0415 (slow to load)

    known = models.list_models(module=models)
    if name not in known:
        raise ValueError(f"torchvision has no model {name}{_similar(name, known)}")
    call = partial(models.get_model, name, weights=None)
    return _call(call, f"torchvision:{name}", with_weights)


def _call(thing: Any, address: str, with_weights: bool) -> nn.Module:
    """Return the model, made without weights where it can be made so and they are not wanted."""
    if isinstance(thing, nn.Module):
        return thing
    if not callable(thing):
        raise ValueError(
            f"{address} is of type {type(thing).__name__}; use a class, function or model"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # how weights are drawn does not matter here
        model = None
        if not with_weights:
            # Some models compute with values while they are made.
            with suppress(Exception), torch.device("meta"):
                model = thing()
        if model is None:
            try:
                model = thing()
            except Exception as error:
                raise ValueError(f"{address}() failed: {_told(error)}") from error
    if not isinstance(model, nn.Module):
        raise ValueError(f"{address}() gives a {type(model).__name__}, not an nn.Module")
    return model


def _module(source: str, name: str) -> ModuleType:
    """Import a file or a module; of a notebook, what `name` needs."""
    path = Path(source)
    if path.suffix in (".py", ".ipynb") and not path.is_file():
        raise ValueError(f"there is no file {source}")
    needed = needed_for(parsed(path), name.partition(".")[0]) if path.suffix == ".ipynb" else None
    try:
        if path.suffix not in (".py", ".ipynb"):
            return importlib.import_module(source)
        sys.path.insert(0, str(path.parent.resolve()))  # its neighbours, as `python my.py` does
        module = ModuleType(path.stem)
        module.__file__ = str(path.resolve())
        sys.modules[path.stem] = module
        code = compile(needed or path.read_bytes(), module.__file__, "exec", dont_inherit=True)
        exec(code, vars(module))
    except Exception as error:  # the file may fail in any way
        is_file = isinstance(error, ModuleNotFoundError) and Path(f"{source}.py").is_file()
        hint = f"; did you mean {source}.py:{name}?" if is_file else ""
        raise ValueError(f"{source} cannot be imported: {_told(error)}{hint}") from error
    return module


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _similar(name: str, known: Iterable[str]) -> str:
    """Return what somebody who wrote `name` may have meant."""
    close = difflib.get_close_matches(name, list(known))
    return f"; did you mean {', '.join(close)}?" if close else ""


def networks_in(path: str | Path) -> list[str]:
    """Return the names of the classes in a file that look like networks, or of all its classes.

    Nothing of it runs.

    Raises:
        ValueError: it cannot be read as Python.
    """
    classes = [part for part in ast.walk(parsed(path)) if isinstance(part, ast.ClassDef)]
    modules = [
        one.name for one in classes if any("Module" in ast.unparse(base) for base in one.bases)
    ]
    return list(dict.fromkeys(modules or [one.name for one in classes]))


def parsed(path: str | Path) -> ast.Module:
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
        raise ValueError(f"{path} cannot be read as Python: {_told(error)}") from error


def _cells(text: str) -> str:
    """Return the Python of a notebook's code cells as one text."""
    cells = []
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        first = source.lstrip().split("\n")[0]
        foreign = first.startswith("%%") and not first.startswith(MAGICS)
        if cell["cell_type"] == "code" and not foreign:
            cells.append("\n".join(map(_without_magic, source.split("\n"))))
    return "\n".join(cells)


def _without_magic(line: str) -> str:
    """Return a line of a cell, or an empty statement where it is for the notebook only."""
    bare = line.lstrip()
    if bare.startswith(("!", "%")) or bare.rstrip().endswith("?"):
        return line[: len(line) - len(bare)] + "pass"
    return line


def needed_for(tree: ast.Module, name: str) -> ast.Module:
    """Return the statements at the top of a file that `name` needs, in their order.

    So that a notebook's network is made and its training does not run.
    """
    statements = [(part, *_names(part)) for part in tree.body]
    needed = {name}
    kept: set[int] = set()
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


def _names(part: ast.stmt) -> tuple[set[str], set[str]]:
    """Return the names that a statement defines, and those that it uses."""
    defined: set[str] = set()
    used: set[str] = set()
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


def check_weights_file(path: str | Path) -> None:
    """Refuse a file that is not there, or could run code.

    Raises:
        ValueError: there is no such file, or it is not called `.safetensors`.
    """
    suffix = Path(path).suffix
    if suffix != ".safetensors":
        kind = "is a pickle, which can run code" if suffix in PICKLES else "is not .safetensors"
        raise ValueError(f"weights={path} {kind}; save with {SAVE}")
    if not Path(path).is_file():
        raise ValueError(f"weights={path} does not exist; save with {SAVE}")


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Put a file's weights into a model: all of them, and nothing left over.

    Raises:
        ValueError: the file is broken, or does not fit the model; the message names what differs.
    """
    check_weights_file(path)
    try:
        found = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"weights={path} cannot be read: {error}; save with {SAVE}") from error
    wanted = model.state_dict(keep_vars=True)
    tied = {id(wanted[name]) for name in found if name in wanted}  # stored under another name
    missing = [
        name for name, value in wanted.items() if name not in found and id(value) not in tied
    ]
    surplus = [name for name in found if name not in wanted]
    shapes = [
        f"{name} {tuple(value.shape)} for {tuple(wanted[name].shape)}"
        for name, value in found.items()
        if name in wanted and value.shape != wanted[name].shape
    ]
    lists = {"lacks": missing, "has, and the model has not:": surplus, "has other shapes:": shapes}
    misfits = [f"{what} {_few(names)}" for what, names in lists.items() if names]
    if misfits:
        raise ValueError(f"weights={path} {'; it '.join(misfits)}; save the weights of this model")
    model.load_state_dict(found, strict=False)


def _few(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
