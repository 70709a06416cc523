"""The book's figures: one visual language, one outline each for input, kernel and output.

Every function returns an image that a notebook displays: a `Drawing`, or a `Plate` of photographs.
An image, unlike a matplotlib figure, shows the same in every front end and is closed once drawn.

The functions need matplotlib and torch, the site build needs only `colours`: they load when first
asked for (PEP 562).
"""

from importlib import import_module

_MODULES = {
    "Drawing": "drawing",
    "Plate": "plate",
    "bars": "charts",
    "boxes": "pictures",
    "confusion": "matrices",
    "curves": "charts",
    "gallery": "pictures",
    "grids": "matrices",
    "lines": "charts",
    "photographs": "pictures",
    "show": "drawing",
    "spread": "charts",
    "stack": "sliding",
    "tiles": "pictures",
    "weight_matrix": "matrices",
    "window_sums": "sliding",
    "windows": "sliding",
}

__all__ = [
    "Drawing",
    "Plate",
    "bars",
    "boxes",
    "confusion",
    "curves",
    "gallery",
    "grids",
    "lines",
    "photographs",
    "show",
    "spread",
    "stack",
    "tiles",
    "weight_matrix",
    "window_sums",
    "windows",
]


def __getattr__(name):
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
