"""Look at a model: shapes, parameters, multiply-adds and receptive fields.

Its parts load when they are first asked for (PEP 562): `link` needs no torch.
"""

from importlib import import_module

_PARTS = {
    "EffectiveField": "effective_field",
    "Row": "table",
    "Table": "table",
    "effective_receptive_field": "effective_field",
    "empirical_receptive_field": "gradient_field",
    "trace": "tracing",
}

__all__ = [
    "EffectiveField",
    "Row",
    "Table",
    "effective_receptive_field",
    "empirical_receptive_field",
    "trace",
]


def __getattr__(name):
    if name in _PARTS:
        return getattr(import_module(f"{__name__}.{_PARTS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
