"""Where the parts of a drawn network stand, in inches; knows nothing of matplotlib.

A network stands on one line where it fits, or else on several. One whose skips go round a smaller
map, as in a U-Net, has a line for each size of its maps: a U.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from math import prod

from convbook.course.figures.block_graph import Join, Network, Op, Side
from convbook.course.figures.block_parts import RADIUS, Part, parts_of

Points = list[tuple[float, float]]

ARROW = 0.17  # from one part to the next at least
BELOW = 0.5  # from the axis down to the labels at least: bar and share stand above them
INSET = 0.28  # an arrow that goes on on the next line
APART = 0.1  # from one label to the next at least
BRANCH = 0.36  # from the encoder of a U to its decoder


@dataclass
class Arc:
    """The part of a side path that lies on one line, `height` above its axis.

    It begins at a map, at the arrow that enters the line, or (None) on a line before; it ends at a
    join or (None) on a line after.
    """

    left: float
    right: float
    start: Part | str | None
    end: Part | None
    ops: list[Part]
    height: float = 0.0

    @property
    def top(self) -> float:
        return self.height + max((op.top for op in self.ops), default=0.02)


@dataclass
class Line:
    """Parts that stand on one axis, side by side, from `x` to `x + width`."""

    parts: list[Part]
    enters: bool = False  # from the line before
    leaves: bool = False  # for the next one
    branch: int | None = None  # the first part of a U's decoder
    arcs: list[Arc] = field(default_factory=list)
    frames: list[tuple[Part, Part, int]] = field(default_factory=list)  # around what has copies
    x: float = 0.0
    width: float = 0.0
    y: float = 0.0  # of the axis
    way_down: float = 0.0  # where a U leaves its encoder

    @property
    def labels(self) -> float:
        """How far below the axis the labels begin."""
        tallest = max((part.height for part in self.parts if part.is_map), default=0)
        return max(tallest / 2 + 0.05, BELOW)

    @property
    def bottom(self) -> float:
        """How far below the axis everything ends."""
        return self.labels + (0.29 if self.frames else 0.14)

    @property
    def frame_top(self) -> float:
        """How far above the axis the frames end."""
        inside = [
            part.top for one, two, _ in self.frames for part in self.parts if one.x <= part.x <= two.x
        ]
        return max(inside, default=0) + 0.08

    @property
    def top(self) -> float:
        """How far above the axis everything ends."""
        frames = [self.frame_top + 0.2] if self.frames else []
        return max([part.top for part in self.parts] + frames + [arc.top for arc in self.arcs])


@dataclass
class Layout:
    """The lines of a drawing, and the arrows of a U from one line to another."""

    lines: list[Line]
    ways: list[Points]
    width: float
    height: float


def lay_out(network: Network, width: float, maps: str = "all") -> Layout:
    """Return where everything stands on a page of that width.

    Raises:
        ValueError: something that cannot be broken is wider than the page.
    """
    lines = _u_lines(network, width)
    if lines is None:
        lines = _wrap(network, parts_of(network, maps == "changes"), width)
    y = 0.0
    for before, line in pairwise([None, *lines]):
        if line.branch is None and before is None or before and before.branch is None:
            place(line)
        _add_frames(line, network)
        _add_arcs(line, network.sides)
        y -= line.top + (0.0 if before is None else before.bottom + 0.22)
        line.y = y
    height = lines[-1].bottom - y
    for line in lines:
        line.y += height
    return Layout(lines, _ways(lines), max(line.x + line.width for line in lines), height)


def place(line: Line, left: float = 0.0) -> None:
    """Set x of each part of a line, and its width."""
    edge, label = left + (INSET if line.enters else 0), left
    for i, part in enumerate(line.parts):
        x = edge + (ARROW if i else 0)
        if i == line.branch and i:
            line.way_down = max(edge + 0.08, label - APART + 0.06)
            x = line.way_down + BRANCH - 0.2
        if part.is_map:
            x = max(x, label + part.label - part.face / 2)
            label = x + part.face / 2 + part.label + APART
        elif isinstance(part.content, Join) and i == line.branch:
            label = x + RADIUS + 0.06  # an arrow comes up to it
        part.x = x
        edge = part.x + part.width
    end = max(edge, label - APART) + (INSET if line.leaves else 0)
    line.x, line.width = left, end - left


def _wrap(network: Network, parts: list[Part], width: float) -> list[Line]:
    """Return the parts on lines, broken where the fewest side paths are cut and little is empty."""
    stops = [0] + [i + 1 for i in range(len(parts)) if _may_break(network, parts, i)]
    best: dict[int, tuple[float, list[int]]] = {0: (0.0, [])}
    for stop in stops[1:]:
        choices = []
        last = parts[stop - 1].value
        cut = sum(side.start < last <= side.end for side in network.sides)
        for start in stops:
            if start not in best or start >= stop:
                continue
            line = Line(parts[start:stop], enters=start > 0, leaves=stop < len(parts))
            place(line)
            if line.width <= width:
                slack = (width - line.width) * (0.3 if stop == len(parts) else 1)
                cost, chosen = best[start]
                choices.append((cost + 4 + slack**2 + 8 * cut, [*chosen, stop]))
        if choices:
            best[stop] = min(choices)
    if len(parts) not in best:
        raise ValueError(
            f"rows have a part that is wider than a page of {width} inches; "
            "draw a slice of the rows, or use maps='changes'"
        )
    ends = [0, *best[len(parts)][1]]
    return [Line(parts[a:b], enters=a > 0, leaves=b < len(parts)) for a, b in pairwise(ends)]


def _may_break(network: Network, parts: list[Part], i: int) -> bool:
    """Return whether a line may end after a part: a map that no frame goes around."""
    value = parts[i].value
    framed = any(first < value <= last for first, last, _ in network.copies)
    return i == len(parts) - 1 or (parts[i].is_map and not framed)


def _add_frames(line: Line, network: Network) -> None:
    for first, last, count in network.copies:
        inside = [
            part
            for part in line.parts
            if first < part.value <= last + 1 and not isinstance(part.content, Join)
        ]
        if inside:
            line.frames.append((inside[0], inside[-1], count))


def _add_arcs(line: Line, sides: tuple[Side, ...]) -> None:
    """Add what lies on this line of the side paths, the shortest lowest."""
    parts = line.parts
    entering = parts[0].value - 1 if line.enters else -1
    for side in sorted(sides, key=lambda side: side.end - side.start):
        start: Part | str | None = next(
            (p for p in parts if p.is_map and p.value == side.start), None
        )
        end = next(
            (p for p in parts if isinstance(p.content, Join) and p.value == side.end + 1), None
        )
        if side.start == entering:
            start = "arrow"
        follows = start is parts[-1] and line.leaves  # it begins at the next line's arrow
        through = line.enters and side.start < entering and parts[-1].value < side.end + 1
        if follows or not (start or end or through):
            continue
        left = line.x + (0.12 if start == "arrow" else 0.0)
        if isinstance(start, Part):
            left = start.x + start.face / 2 + start.depth / 2
        right = end.middle if end else line.x + line.width
        ops = [Part(op, side.end) for op in side.ops] if end else []
        _add_arc(line, Arc(left, right, start, end, ops))


def _add_arc(line: Line, arc: Arc) -> None:
    """Set the height of an arc, and where the operations on it stand."""
    under = [p.top for p in line.parts if arc.left - 0.05 <= p.middle <= arc.right + 0.05]
    under += [one.top for one in line.arcs if one.left < arc.right and arc.left < one.right]
    if any(arc.left < two.x and one.x < arc.right for one, two, _ in line.frames):
        under.append(line.frame_top + 0.2)
    arc.height = max(under) + (0.5 if arc.ops else 0.13)
    total = sum(op.width for op in arc.ops) + 0.25 * (len(arc.ops) - 1)
    x = (arc.left + arc.right - total) / 2
    for op in arc.ops:
        op.x = x
        x += op.width + 0.25
    line.arcs.append(arc)


def _u_lines(network: Network, width: float) -> list[Line] | None:
    """Return a line for each size of the maps, or None where no skip goes round a smaller one."""
    shapes = network.shapes
    if not any(
        min(prod(shape[1:]) for shape in shapes[side.start : side.end + 1])
        < prod(shapes[side.start][1:])
        for side in network.sides
        if not side.ops
    ):
        return None
    runs = _runs(network, parts_of(network, changes_only=True, u=True))
    depth = len(runs) // 2
    sizes = [prod(shapes[run[-1].value][1:]) for run in runs[: depth + 1]]
    bends = len(runs) % 2 and all(one > two for one, two in pairwise(sizes))
    if not bends or not all(_is_level(network, runs[k], runs[-1 - k]) for k in range(depth)):
        return None
    lines = [Line(runs[k] + runs[-1 - k], branch=len(runs[k])) for k in range(depth)]
    lines.append(Line(runs[depth], branch=0))
    middle = 0.0
    for k, line in enumerate(lines):
        place(line)
        room = width - line.width
        if room < (0.15 if k else 0):
            return None
        if k:
            place(line, min(max(middle - line.width / 2, 0.15), room))
        middle = line.way_down + BRANCH / 2
    return lines


def _runs(network: Network, parts: list[Part]) -> list[list[Part]]:
    """Return the parts in runs of one size; what enlarges a map belongs to the smaller size."""
    runs: list[list[Part]] = [[]]
    size = prod(network.input_shape[1:])
    for part in parts:
        now = prod(network.shapes[part.value][1:])
        if now < size:
            runs.append([])
        runs[-1].append(part)
        if now > size:
            runs.append([])
        size = now
    return [run for run in runs if run]


def _is_level(network: Network, encoder: list[Part], decoder: list[Part]) -> bool:
    """Return whether the decoder's first part joins what the encoder's last map sends it."""
    first, last = decoder[0], encoder[-1]
    return isinstance(first.content, Join) and any(
        (side.start, side.end + 1) == (last.value, first.value) for side in network.sides
    )


def _ways(lines: list[Line]) -> list[Points]:
    """Return the arrows of a U: down from each encoder, and up again to each decoder."""
    ways = []
    for line, below in pairwise(lines):
        if line.branch is None:
            break
        turn = line.y - line.bottom - 0.09
        last, first = line.parts[line.branch - 1], below.parts[0]
        join = line.parts[line.branch]
        before = first.x - 0.15
        ways.append(
            [(last.x + last.width, line.y), (line.way_down, line.y), (line.way_down, turn)]
            + [(before, turn), (before, below.y), (first.x, below.y)]
        )
        end = below.parts[-1]
        right = end.x + end.width
        ways.append(
            [(right, below.y), (right + 0.12, below.y), (right + 0.12, turn), (join.middle, turn)]
            + [(join.middle, line.y - RADIUS)]
        )
    return ways


def joined(line: Line) -> list[tuple[Part, Part]]:
    """Return the neighbours on a line that an arrow joins."""
    pairs = list(pairwise(line.parts))
    if line.branch:
        del pairs[line.branch - 1]
    return pairs


def is_learned(part: Part) -> bool:
    """Return whether a part is an operation with weights."""
    return isinstance(part.content, Op) and part.content.learned
