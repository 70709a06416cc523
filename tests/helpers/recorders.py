"""Recorders of `benchmarks/`, which import one another as scripts do."""

import importlib.util
import sys


def load_recorder(path, monkeypatch):
    """Return the recorder at `path` as a module, until the test is over."""
    monkeypatch.syspath_prepend(str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module
