"""Train a classifier: settings, the loop, checkpoints, and what a run leaves behind."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convbook.train.config import TrainConfig
    from convbook.train.evaluation import evaluate, predict
    from convbook.train.fitting import TrainResult, fit

__all__ = ["TrainConfig", "TrainResult", "evaluate", "fit", "predict"]
_HOMES = {
    "TrainConfig": "config",
    "TrainResult": "fitting",
    "evaluate": "evaluation",
    "fit": "fitting",
    "predict": "evaluation",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for, so that the settings alone need no torch (PEP 562)."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
