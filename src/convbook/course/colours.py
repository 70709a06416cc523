"""The book's colours: who a number belongs to, and which sign it has.

Input, kernel and output are told apart by the outline of their cells (blue, double ink, green) and
by their titles. How large a number is shows in its tint, and its sign in a scale of its own: orange
above zero, purple below. A test keeps each role at least 20 apart (CIE76) from both signs, for
normal sight and for three kinds of colour-blind sight.

Blue, green and the colours of curves start from Okabe and Ito (2008), `Color Universal Design`
(https://jfly.uni-koeln.de/color/); orange and purple are the ends of ColorBrewer's PuOr. Figures
(`figures/`), explorers (`explorers/lib/base.css`) and the site use the same values; tests compare
them.
"""

INPUT = "#1f8fd0"  # blue
OUTPUT = "#009e73"  # bluish green
INK = "#1b1f24"  # near black: text in figures
KERNEL = INK  # in a double outline
GRID = "#d0d7de"  # light grey: cells that hold nothing
PADDING = "#767676"  # grey: what padding adds, and zeros
DROPPED = "#cc79a7"  # reddish purple: what the floor leaves unread
POSITIVE = "#e66101"  # orange
NEGATIVE = "#5e3c99"  # purple
AXIS = "#57606a"  # grey: axes, ticks and their labels

ROLES = {"input": INPUT, "kernel": KERNEL, "output": OUTPUT}

# Curves in their order, and the same hues dark enough for the names at their ends.
CURVES = ("#0072b2", "#d55e00", "#009e74", "#b8588f", "#6b6f76")
CURVE_NAMES = ("#005a8d", "#9c4400", "#006b4e", "#7d3a60", "#5c5c5c")

# On a dark page a drawing changes these colours; the tints of weights and the text on them stay.
DARK = {
    INPUT: "#9fd6fb",
    OUTPUT: "#2fbf94",
    INK: "#f6f8fa",
    GRID: "#343b43",
    PADDING: "#a5afba",
    DROPPED: "#e39fc6",
    POSITIVE: "#e66102",
    NEGATIVE: "#9d86cf",
    AXIS: "#a5afbb",
    **dict(
        zip(CURVES, ("#4fa9e0", "#f08a3c", "#2fbf95", "#df8fbb", "#a0a7b0"), strict=True),
    ),
    **dict(
        zip(CURVE_NAMES, ("#7cc4f0", "#ffaa66", "#56d8b0", "#eab0d0", "#b0b7be"), strict=True),
    ),
}

# The weights of one kernel in reading order, light to dark: equal weights get equal tints. Told
# apart by lightness alone; from the seventh on, text on them is white.
WEIGHTS = (
    *("#feec9f", "#fee187", "#fecb62", "#fead3b", "#f98d23"),
    *("#e97015", "#c84a02", "#a73a03", "#772a05"),
)
INK_ON_WEIGHTS = "#1b1f23"  # stays dark on a dark page, as the tints stay light


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
    return "#ffffff" if tint in WEIGHTS[6:] else INK_ON_WEIGHTS


def variable(colour: str) -> str:
    """Return the CSS variable by which a page's drawings name a colour of `DARK`.

    >>> variable(INK)
    '--figure-1b1f24'
    """
    return f"--figure-{colour.removeprefix('#')}"


def style_sheet() -> str:
    """Return the CSS that gives each variable its colour: on light pages, dark ones and paper."""
    light = " ".join(f"{variable(colour)}: {colour};" for colour in DARK)
    dark = " ".join(f"{variable(colour)}: {value};" for colour, value in DARK.items())
    on_dark = 'html[data-theme="dark"]'
    return (
        f":root {{ {light} }}\n{on_dark} {{ {dark} }}\n@media print {{ {on_dark} {{ {light} }} }}\n"
    )
