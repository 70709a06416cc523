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

ARROW = 0.15  # from one part to the next
CLOSE = 0.05  # from one pill to the next, where no map stands between them
SHARE = 0.21  # bar and share, below a pill
INSET = 0.28  # an arrow that goes on on the next line
APART = 0.1  # from one label to the next at least
BRANCH = 0.26  # from the encoder of a U to its decoder


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
    x: float = 0.0
    width: float = 0.0
    y: float = 0.0  # of the axis
    way_down: float = 0.0  # where a U leaves its encoder
    loose: float = 0.0  # what is added to each arrow

    @property
    def frames(self) -> list[tuple[Part, Part]]:
        """The first and the last part in each frame: around what is there several times."""
        firsts, lasts = ([p for p in self.parts if p.copies], [p for p in self.parts if p.closes])
        return list(zip(firsts, lasts, strict=True))

    @property
    def labels(self) -> float:
        """How far below the axis the labels begin."""
        return max(map(_below, self.parts)) + 0.05

    @property
    def bottom(self) -> float:
        """How far below the axis everything ends."""
        return self.labels + (0.29 if self.frames else 0.14)

    @property
    def frame_top(self) -> float:
        """How far above the axis the frames end."""
        inside = [
            part.top for one, two in self.frames for part in self.parts if one.x <= part.x <= two.x
        ]
        return max(inside, default=0) + 0.08

    @property
    def top(self) -> float:
        """How far above the axis everything ends."""
        frames = [self.frame_top + 0.2] if self.frames else []
        return max([part.top for part in self.parts] + frames + [arc.top for arc in self.arcs])


@dataclass
class Way:
    """An arrow of a U from one line to another, and the operation on it."""

    points: Points
    op: Part
    y: float  # of the operation


@dataclass
class Layout:
    """The lines of a drawing, and the ways from one to the other."""

    lines: list[Line]
    ways: list[Way]
    width: float
    height: float


def lay_out(network: Network, width: float, maps: str = "all") -> Layout:
    """Return where everything stands on a page of that width.

    Raises:
        ValueError: something that cannot be broken is wider than the page.
    """
    lines, ops = _u_lines(network, width) or _u_lines(network, width, tight=True) or ([], [])
    if not lines:
        lines = _wrap(network, parts_of(network, maps == "changes"), width)
        for line in lines:
            place(line)
    y, turns = 0.0, []
    for i, line in enumerate(lines):
        _add_arcs(line, network.sides)
        if ops and i:
            beside = (ops[i - 1], ops[-i])
            turns.append(y - 0.08 - max(op.top for op in beside))
            y = turns[-1] - max(_below(op) for op in beside) - 0.06
        elif i:
            y -= 0.2
        line.y = y - line.top
        y = line.y - line.bottom
    for line in lines:
        line.y -= y
    ways = _ways(lines, ops, [turn - y for turn in turns])
    wide = max(line.x + line.width for line in lines)
    for line in lines:
        for arc in line.arcs:
            arc.right = arc.right if arc.end else wide
    return Layout(lines, ways, wide, -y)


def _below(part: Part) -> float:
    """Return how far a part reaches below the axis, its share or its marks included."""
    content = part.content
    if isinstance(content, Op):
        return part.height / 2 + (SHARE if content.cost or content.shuffles else 0)
    return part.height / 2 + (0.19 if isinstance(content, Join) and content.after else 0)


def place(line: Line, left: float = 0.0) -> None:
    """Set x of each part of a line, and its width."""
    edge, label = left + (INSET if line.enters else 0), left
    for i, part in enumerate(line.parts):
        before = line.parts[i - 1] if i else None
        x = edge + _gap(before, part, line.loose) if before else edge
        if part.copies or (before and before.closes):  # a frame keeps clear of labels
            x = max(x + 0.08, label - APART + 0.15)
        if i == line.branch and i:
            line.way_down = max(edge + 0.08, label - APART + 0.05)
            x = line.way_down + BRANCH - RADIUS
        if part.is_map:
            x = max(x, label + part.label - part.face / 2)
            label = x + part.face / 2 + part.label + APART
        elif i == line.branch:
            label = x + RADIUS + 0.05  # an arrow comes up to the join
        part.x = x
        edge = part.x + part.width
    end = max(edge, label - APART) + (INSET if line.leaves else 0)
    line.x, line.width = left, end - left


def _gap(one: Part, two: Part, loose: float) -> float:
    if isinstance(one.content, Op) and isinstance(two.content, Op):
        return CLOSE
    return ARROW + loose + (0.1 if one.closes else 0)  # other frames stand behind the first


def _wrap(network: Network, parts: list[Part], width: float) -> list[Line]:
    """Return the parts on lines, broken where the fewest side paths are cut and little is empty."""
    for part in parts * _fits_tight(parts, width):
        part.tight = True
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
                choices.append((cost + 10 + slack**2 + 14 * cut, [*chosen, stop]))
        if choices:
            best[stop] = min(choices)
    if len(parts) not in best:
        raise ValueError(
            f"rows have a part that is wider than a page of {width} inches; "
            "draw a slice of the rows, or use maps='changes'"
        )
    ends = [0, *best[len(parts)][1]]
    return [Line(parts[a:b], enters=a > 0, leaves=b < len(parts)) for a, b in pairwise(ends)]


def _fits_tight(parts: list[Part], width: float) -> bool:
    """Return whether the parts need labels without spaces, and then fit on one line."""
    fits = []
    for tight in (True, False):
        for part in parts:
            part.tight = tight
        line = Line(parts)
        place(line)
        fits.append(line.width <= width)
    return fits == [True, False]


def _may_break(network: Network, parts: list[Part], i: int) -> bool:
    """Return whether a line may end after a part: a map that no frame goes around."""
    value = parts[i].value
    framed = any(first < value <= last for first, last, _ in network.copies)
    return i == len(parts) - 1 or (parts[i].is_map and not framed)


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
    if any(arc.left < two.x and one.x < arc.right for one, two in line.frames):
        under.append(line.frame_top + 0.2)
    arc.height = max(under) + (0.5 if arc.ops else 0.13)
    total = sum(op.width for op in arc.ops) + 0.25 * (len(arc.ops) - 1)
    x = (arc.left + arc.right - total) / 2
    for op in arc.ops:
        op.x = x
        x += op.width + 0.25
    line.arcs.append(arc)


def _u_lines(
    network: Network, width: float, tight: bool = False
) -> tuple[list[Line], list[Part]] | None:
    """Return a line for each size of the maps, and the operations that lead from one to the next.

    None where no skip goes round a smaller map, or where the sizes do not go down and up again.
    """
    areas = [prod(shape[1:]) for shape in network.shapes]
    skips = [side for side in network.sides if not side.ops]
    if not any(min(areas[side.start : side.end + 1]) < areas[side.start] for side in skips):
        return None
    parts = parts_of(network, changes_only=True, u=True)
    for part in parts:
        part.tight = tight
    runs, ops = _runs(areas, parts)
    depth = len(runs) // 2
    sizes = [areas[run[-1].value] for run in runs if run]
    bends = len(sizes) == 2 * depth + 1 and sizes == sizes[::-1]
    falls = all(one > two for one, two in pairwise(sizes[: depth + 1]))
    if not (
        bends and falls and all(_is_level(network, runs[k], runs[-1 - k]) for k in range(depth))
    ):
        return None
    lines = [Line([*runs[k], *runs[-1 - k]], branch=len(runs[k])) for k in range(depth)]
    lines.append(Line(runs[depth]))
    down, up = ops[depth - 1].width, ops[depth].width
    _loosen(lines[-1], down + up + BRANCH + 0.75)
    middle = 0.0
    for k, line in enumerate(lines):
        place(line)
        room = width - line.width - (0.13 if k else 0)
        if room < (0.15 if k else 0):
            return None
        if k:
            left = middle - line.width / 2 + ((up - down) / 2 if k == depth else 0)
            place(line, min(max(left, 0.15), room))
        middle = line.way_down + BRANCH / 2
    return lines, ops


def _loosen(line: Line, width: float) -> None:
    """Make the smallest size of a U wide enough for the operations on the ways to both its ends."""
    place(line)
    maps = [part for part in line.parts if part.is_map]
    line.loose = max(0.0, width - line.width) / max(2 * len(maps) - 2, 1)


def _runs(areas: list[int], parts: list[Part]) -> tuple[list[list[Part]], list[Part]]:
    """Return the parts in runs of one size, and the operations between the runs."""
    runs: list[list[Part]] = [[]]
    ops = []
    size = areas[0]
    for part in parts:
        if areas[part.value] != size and isinstance(part.content, Op):
            runs.append([])
            ops.append(part)
        else:
            runs[-1].append(part)
        size = areas[part.value]
    return runs, ops


def _is_level(network: Network, encoder: list[Part], decoder: list[Part]) -> bool:
    """Return whether the decoder's first part joins what the encoder's last map sends it."""
    first, last = decoder[0], encoder[-1]
    return isinstance(first.content, Join) and any(
        (side.start, side.end + 1) == (last.value, first.value) for side in network.sides
    )


def _ways(lines: list[Line], ops: list[Part], turns: list[float]) -> list[Way]:
    """Return the arrows of a U: down from each encoder, and up again to each decoder."""
    ways = []
    for k, turn in enumerate(turns):
        line, below = lines[k : k + 2]
        last, join = line.parts[line.branch - 1 : line.branch + 1]
        first, end = below.parts[0], below.parts[-1]
        before, right = first.x - 0.16, end.x + end.width
        down = [(last.x + last.width, line.y), (line.way_down, line.y), (line.way_down, turn)]
        down += [(before, turn), (before, below.y), (first.x, below.y)]
        up = [(right, below.y), (right + 0.13, below.y), (right + 0.13, turn)]
        up += [(join.middle, turn), (join.middle, line.y - RADIUS)]
        for points, op in ((down, ops[k]), (up, ops[-1 - k])):
            op.x = (points[2][0] + points[3][0] - op.width) / 2
            ways.append(Way(points, op, turn))
    return ways


def joined(line: Line) -> list[tuple[Part, Part]]:
    """Return the neighbours on a line that an arrow joins."""
    pairs = list(pairwise(line.parts))
    if line.branch:
        del pairs[line.branch - 1]
    return pairs
