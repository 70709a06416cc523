"""The names under which a notebook holds what the book's own site shows better than any viewer.

A viewer passes over a type that it does not know and shows the picture or the HTML beside it.
"""

DRAWING = "application/vnd.convbook.svg"  # beside image/png
EXPLORER = "application/vnd.convbook.explorer+json"  # an explorer's state, beside text/html
PICTURES = "application/vnd.convbook.pictures+json"  # photographs and maps, beside image/png
DATA = "application/vnd.convbook.data+json"  # the numbers that a figure draws, beside it
VIEW = "application/vnd.jupyter.widget-view+json"  # a live widget; nothing without its kernel
