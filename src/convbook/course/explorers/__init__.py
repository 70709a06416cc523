"""Explorers: figures the reader can change, alive on the static page, in Jupyter and in Colab.

    from convbook.course.explorers import AssignmentBench, ConvStepper, CostExplorer
    from convbook.course.explorers import CoverageExplorer, MatrixView, PhotographExplorer
    from convbook.course.explorers import Quiz, ReceptiveFieldExplorer, ShuffleExplorer
    from convbook.course.explorers import WhatAilsThisRun, WhatReachesLayer50

The classes need anywidget, the site build does not: they load when first asked for (PEP 562).
"""

from importlib import import_module

_CLASSES = {
    "AssignmentBench": "assignment_bench",
    "ConvStepper": "conv_stepper",
    "CostExplorer": "cost",
    "CoverageExplorer": "coverage",
    "MatrixView": "matrix_view",
    "PhotographExplorer": "photograph",
    "Quiz": "quiz",
    "ReceptiveFieldExplorer": "receptive_field",
    "ShuffleExplorer": "shuffle",
    "WhatAilsThisRun": "sick_runs",
    "WhatReachesLayer50": "layer_50",
}

__all__ = [
    "AssignmentBench",
    "ConvStepper",
    "CostExplorer",
    "CoverageExplorer",
    "MatrixView",
    "PhotographExplorer",
    "Quiz",
    "ReceptiveFieldExplorer",
    "ShuffleExplorer",
    "WhatAilsThisRun",
    "WhatReachesLayer50",
]


def __getattr__(name):
    if name in _CLASSES:
        return getattr(import_module(f"{__name__}.{_CLASSES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
