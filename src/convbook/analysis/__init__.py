"""Look at a model: shapes, parameters, multiply-adds and receptive fields.

Its parts load when they are first asked for (PEP 562): `link` needs no torch. Other rooms see this
one by the names below, and by the modules `link` and `table`; `make lint` refuses other imports.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convbook.analysis._copies import check_input_size as check_input_size
    from convbook.analysis._copies import check_model as check_model
    from convbook.analysis._copies import copy_with as copy_with
    from convbook.analysis.effective_field import EffectiveField, effective_receptive_field
    from convbook.analysis.gradient_field import empirical_receptive_field
    from convbook.analysis.rules.base import op_name as op_name
    from convbook.analysis.rules.base import tensors_in as tensors_in
    from convbook.analysis.rules.base import values_per_axis as values_per_axis
    from convbook.analysis.table import Row, Table
    from convbook.analysis.tracing import trace

_PUBLIC = {
    "EffectiveField": "effective_field",
    "Row": "table",
    "Table": "table",
    "effective_receptive_field": "effective_field",
    "empirical_receptive_field": "gradient_field",
    "trace": "tracing",
}
# What `grade` needs too, to run models as `trace` does and refuse what it refuses.
_SHARED = {
    "check_input_size": "_copies",
    "check_model": "_copies",
    "copy_with": "_copies",
    "op_name": "rules.base",
    "tensors_in": "rules.base",
    "values_per_axis": "rules.base",
}

__all__ = [
    "EffectiveField",
    "Row",
    "Table",
    "effective_receptive_field",
    "empirical_receptive_field",
    "trace",
]


def __getattr__(name: str) -> object:
    module = {**_PUBLIC, **_SHARED}.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
