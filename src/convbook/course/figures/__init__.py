"""The book's figures: one visual language, one colour each for input, kernel and output.

Every function returns an image that a notebook displays: a `Drawing`, or an `Image` (PNG) for
photographs. An image, unlike a matplotlib figure, shows the same in every front end and is closed
once drawn.
"""

from convbook.course.figures.charts import bars, curves, lines, spread
from convbook.course.figures.drawing import Drawing, show
from convbook.course.figures.matrices import confusion, grids, weight_matrix
from convbook.course.figures.pictures import boxes, gallery, photographs, tiles
from convbook.course.figures.sliding import stack, window_sums, windows

__all__ = [
    "Drawing",
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
