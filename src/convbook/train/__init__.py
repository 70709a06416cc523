"""Train a classifier: settings, the loop, checkpoints, and what a run leaves behind."""

import importlib

_HOMES = {
    "Run": "fitting",
    "TrainConfig": "config",
    "evaluate": "evaluation",
    "fit": "fitting",
    "predict": "evaluation",
}
__all__ = [*_HOMES]  # noqa: PLE0604 (a list of names)


def __getattr__(name):
    """Load what is asked for, so that the settings alone need no torch (PEP 562)."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_HOMES])
