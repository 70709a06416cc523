"""The book's colours: one each for input, kernel and output, told apart by colour-blind readers.

They are three of the eight colours of Okabe and Ito (2008), `Color Universal Design`
(https://jfly.uni-koeln.de/color/). Figures (`figures/`) and explorers (`explorers/explorer.css`)
use the same values; a test compares them.
"""

INPUT = "#0072B2"  # blue
KERNEL = "#D55E00"  # vermilion
OUTPUT = "#009E73"  # bluish green
INK = "#1b1f24"  # near black: text in figures
GRID = "#d0d7de"  # light grey: cells that hold nothing
PADDING = "#767676"  # grey: what padding adds
BELOW_ZERO = "#4d4d4d"  # dark grey: tint of a negative number, whatever its role
DROPPED = "#CC79A7"  # reddish purple: what the floor leaves unread

ROLES = {"input": INPUT, "kernel": KERNEL, "output": OUTPUT}

# The weights of one kernel in reading order, light to dark: equal weights get equal tints. Told
# apart by lightness alone; from the seventh on, text on them is white.
WEIGHTS = (
    *("#feec9f", "#fee187", "#fecb62", "#fead3b", "#f98d23"),
    *("#e97015", "#c84a02", "#a73a03", "#772a05"),
)


def weight_tints(count: int) -> list[str]:
    """Return `count` tints for the weights of one kernel, as far apart as there is room for.

    Raises:
        ValueError: `count` is not in 1..9.

    Example:
        >>> weight_tints(3)
        ['#feec9f', '#f98d23', '#772a05']
    """
    if not 1 <= count <= len(WEIGHTS):
        raise ValueError(f"count={count} has no tints; use 1 to {len(WEIGHTS)} weights")
    if count == 1:
        return [WEIGHTS[len(WEIGHTS) // 2]]
    return [WEIGHTS[round(i * (len(WEIGHTS) - 1) / (count - 1))] for i in range(count)]


def ink_on(tint: str) -> str:
    """Return the colour of text on one of `WEIGHTS`: contrast of 4.5 or more."""
    return "#ffffff" if tint in WEIGHTS[6:] else INK
