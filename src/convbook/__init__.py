"""Convolutions, from the ground up: the package behind the book.

`import convbook` is cheap. A submodule such as `convbook.functional`, and torch with it, loads
when it is first used.
"""

import importlib

__version__ = "0.1.0"

_SUBMODULES = (
    "algorithms",
    "analysis",
    "arithmetic",
    "cli",
    "course",
    "data",
    "functional",
    "grade",
    "loading",
    "metrics",
    "models",
    "nn",
    "train",
)


def __getattr__(name):
    """Load a submodule the first time it is asked for (PEP 562)."""
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_SUBMODULES])
