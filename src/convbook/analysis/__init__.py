"""Look at a model: shapes, parameters, multiply-adds and receptive fields."""

from convbook.analysis.effective import EffectiveField, effective_receptive_field
from convbook.analysis.gradients import empirical_receptive_field
from convbook.analysis.table import Row, Table
from convbook.analysis.tracing import trace

__all__ = [
    "EffectiveField",
    "Row",
    "Table",
    "effective_receptive_field",
    "empirical_receptive_field",
    "trace",
]
