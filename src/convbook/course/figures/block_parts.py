"""The parts of a drawn network and their sizes, in inches; knows nothing of matplotlib."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2

from convbook.course.figures.block_graph import JOINED, Join, Network, Op, Shape

POINTS = 72  # to the inch
LABEL, PILL = 8, 9  # points
RADIUS = 0.1  # of a join
PILL_HEIGHT = 0.25
LEADING = 0.155  # from one line of a pill to the next
MARK = 0.15  # diameter
MARK_STEP = 0.175  # from one to the next
BAR = 0.37  # of a share of 1
CROSSING = 0.5  # each side of the square in which channels cross
SLICES = 4  # as many groups as are drawn
FILTER = 0.24  # above a filter's box and below it, for what it says
# Widths of characters in ems, a little wider than in most fonts: the site has its own.
WIDE = dict.fromkeys("lij", 0.3) | dict.fromkeys("/f", 0.36) | dict.fromkeys("tr", 0.42)
WIDE |= {" ": 0.32, "×": 0.84, "=": 0.84, "<": 0.84, "m": 0.98, "w": 0.82, "%": 0.96, "M": 0.87}


def text_width(text: str, points: float) -> float:
    """Return about how wide a text is, in inches."""
    return sum(WIDE.get(letter, 0.63) for letter in text) * points / POINTS


def shape_text(shape: Shape, tight: bool = False) -> str:
    """Return what stands below a map: `64 × 56 × 56`, or without spaces where there is no room."""
    return ("×" if tight else " × ").join(map(str, shape))


@dataclass
class Part:
    """A map, an operation or a join; x is where its left edge stands, on the axis of its line."""

    content: Shape | Op | Join
    value: int  # the map itself, or what an operation or a join gives
    role: str = ""  # of a map: "input", "output" or "" between them
    slices: int = 1
    copies: int = 0  # of the first part in a frame: how often the frame's parts are there
    closes: bool = False  # whether it is the last part in a frame
    tight: bool = False  # whether a map's label has no spaces
    x: float = 0.0

    @property
    def is_map(self) -> bool:
        return isinstance(self.content, tuple)

    @property
    def lines(self) -> list[str]:
        """What stands in a pill: two lines where one would be long."""
        text = self.content.text if isinstance(self.content, Op) else ""
        first, _, second = text.rpartition(" ")
        if text.endswith(" up") and first.count(" "):
            first, _, second = text.partition(" ")
        return [first, second] if first and len(text) > 7 else [text]

    @property
    def face(self) -> float:
        """How thick a map's plate is, without its side; more channels make it thicker."""
        if not isinstance(self.content, tuple):
            return 0.0
        return 0.06 + 0.04 * log2(self.content[0]) + 0.02 * (self.slices - 1)

    @property
    def width(self) -> float:
        if isinstance(self.content, Join):
            named = self.content.symbol not in JOINED
            return text_width(self.content.symbol, PILL) + 0.14 if named else 2 * RADIUS
        if isinstance(self.content, tuple):
            return self.face + self.depth
        if self.content.shuffles:
            return CROSSING
        marks = MARK_STEP * (len(self.content.before) + len(self.content.after))
        text = max(text_width(line, PILL) for line in self.lines)
        above = text_width(self.filter_text, LABEL) if self.content.filter else 0
        return max(text + 0.1, marks, BAR, above)

    @property
    def height(self) -> float:
        """From the axis half of it goes up and half down."""
        if isinstance(self.content, Op):
            if self.content.shuffles:
                return CROSSING
            return PILL_HEIGHT + LEADING * (len(self.lines) - 1)
        if isinstance(self.content, Join):
            return 2 * RADIUS
        return 0.16 + 0.12 * log2(max(self.content[1:], default=1))

    @property
    def depth(self) -> float:
        """How far the side of a map's plate reaches to the right, and two thirds of it upwards."""
        return 0.03 + 0.05 * self.height if self.is_map else 0.0

    @property
    def top(self) -> float:
        """How far it reaches above the axis, a pill's marks included."""
        marks = isinstance(self.content, Op) and (self.content.before or self.content.after)
        above = self.filter.height + 0.67 * self.filter.depth + FILTER if self.filter else 0
        return self.height / 2 + (MARK + 0.04 if marks else 0.67 * self.depth) + above

    @property
    def filter(self) -> Part | None:
        """One of an operation's filters as a box, where they are drawn: above its pill."""
        if not isinstance(self.content, Op) or not self.content.filter:
            return None
        box = Part(self.content.filter, self.value, "kernel")
        box.x = self.middle - box.face / 2
        return box

    @property
    def filter_text(self) -> str:
        """What stands above that box: how many filters there are, and of which shape."""
        op = self.content
        return f"{op.filters} of {shape_text(op.filter)}" if isinstance(op, Op) else ""

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def text(self) -> str:
        """What stands below a map."""
        return shape_text(self.content, self.tight) if isinstance(self.content, tuple) else ""

    @property
    def label(self) -> float:
        """Half the width of the text below."""
        return text_width(self.text, LABEL) / 2


def parts_of(network: Network, changes_only: bool = False, u: bool = False) -> list[Part]:
    """Return the parts of the main path in their order; x is still to be set.

    With `changes_only` an operation that keeps the shape has no map after it, unless a side path
    leaves from there; in a `u` what an enlarging operation gives goes straight into the join.
    """
    shapes, steps, forks = network.shapes, network.steps, network.forks()
    parts = [Part(shapes[0], 0, "input")]
    for i, step in enumerate(steps):
        parts.append(Part(step, i + 1))
        after = steps[i + 1] if i + 1 < len(steps) else None
        resized = u and isinstance(step, Op) and shapes[i + 1][1:] != shapes[i][1:]
        if after is None or i + 1 in forks:
            drawn = True
        elif isinstance(after, Join):
            copied = any(last == i for _, last, _ in network.copies)
            drawn = after.symbol == "cat" and isinstance(step, Op) and not (resized or copied)
        else:
            same = isinstance(step, Op) and shapes[i + 1] == shapes[i + 2]
            drawn = resized or not (changes_only and same)
        if drawn:
            parts.append(Part(shapes[i + 1], i + 1, "" if after else "output"))
    _slice(parts)
    for first, last, count in network.copies:
        inside = [p for p in parts if first < p.value <= last + 1]
        inside[0].copies, inside[-1].closes = count, True
    return parts


def _slice(parts: list[Part]) -> None:
    """Set in how many slices each map is drawn: the groups of the operations beside it."""
    for i, part in enumerate(parts):
        beside = [one.content for one in parts[max(i - 1, 0) : i + 2]]
        if isinstance(part.content, tuple):
            ops = [op for op in beside if isinstance(op, Op)]
            ops = [op for op in ops if op.shuffles] or ops
            groups = max((op.groups for op in ops), default=1)
            part.slices = min(groups, SLICES, part.content[0])
