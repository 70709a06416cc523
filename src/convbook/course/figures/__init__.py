"""The book's figures: one visual language, one outline each for input, kernel and output.

Every function returns what a notebook displays: a `Drawing`, a `Plate` of photographs, or a table.
An image, unlike a matplotlib figure, shows the same in every front end and is closed once drawn.

The functions need matplotlib and torch, the site build needs only `colours`: they load when first
asked for (PEP 562).
"""

from importlib import import_module

_MODULES = {
    "Drawing": "drawing",
    "Plate": "plate",
    "bars": "charts",
    "block_text": "block_words",
    "blocks": "block_drawing",
    "boxes": "pictures",
    "confusion": "matrices",
    "connections": "matrices",
    "curves": "charts",
    "film": "films",
    "gallery": "pictures",
    "grids": "matrices",
    "group_squares": "wires",
    "lines": "charts",
    "photographs": "pictures",
    "repeats": "charts",
    "show": "drawing",
    "spread": "charts",
    "stack": "sliding",
    "table": "tables",
    "tiles": "pictures",
    "weight_matrix": "matrices",
    "window_sums": "sliding",
    "windows": "sliding",
    "wiring": "wires",
}

__all__ = [
    "Drawing",
    "Plate",
    "bars",
    "block_text",
    "blocks",
    "boxes",
    "confusion",
    "connections",
    "curves",
    "film",
    "gallery",
    "grids",
    "group_squares",
    "lines",
    "photographs",
    "repeats",
    "show",
    "spread",
    "stack",
    "table",
    "tiles",
    "weight_matrix",
    "window_sums",
    "windows",
    "wiring",
]


def __getattr__(name):
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
