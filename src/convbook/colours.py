"""The book's colours: one each for input, kernel and output, told apart by colour-blind readers.

They are three of the eight colours of Okabe and Ito (2008), `Color Universal Design`. Figures
(`plots.py`) and explorers (`explorers/explorer.css`) use the same values; a test compares them.
"""

INPUT = "#0072B2"  # blue
KERNEL = "#D55E00"  # vermilion
OUTPUT = "#009E73"  # bluish green
INK = "#1b1f24"  # near black: text in figures
PADDING = "#767676"  # grey: what padding adds
DROPPED = "#CC79A7"  # reddish purple: what the floor leaves unread

ROLES = {"input": INPUT, "kernel": KERNEL, "output": OUTPUT}
