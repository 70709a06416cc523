"""Drawings of networks and blocks from the rows that `convbook.analysis.trace` gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from math import erf, exp, sqrt, tanh
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
from matplotlib.patches import Circle, PathPatch, Polygon, Rectangle
from matplotlib.path import Path

from convbook.course import colours
from convbook.course.figures.block_graph import JOINED, Join, Network, Op, read
from convbook.course.figures.block_layout import Arc, Layout, Line, Points, Way, joined, lay_out
from convbook.course.figures.block_parts import (
    BAR,
    LABEL,
    LEADING,
    MARK,
    MARK_STEP,
    PILL,
    RADIUS,
    Part,
    text_width,
)
from convbook.course.figures.block_words import block_text, title_of
from convbook.course.figures.drawing import STYLE, WIDTH, Drawing, show

if TYPE_CHECKING:
    from convbook.analysis import Row

MARGIN = 0.06
KEY = 0.24  # inches for each line of the key
ROUND = 0.1  # corners of arcs
DASHED = {"lw": 1.0, "ls": (0, (3, 2))}
SHARES = {"macs": "MACs", "params": "parameters"}
# What is drawn inside a mark: the activation itself from -3 to 3, a bell for a norm.
CURVES: dict[str, Callable[[float], float]] = {
    "ReLU": lambda x: max(x, 0),
    "clip, as in ReLU6": lambda x: min(max(x + 0.5, 0), 2),
    "leaky ReLU": lambda x: max(x, 0.2 * x),
    "GELU": lambda x: x * (1 + erf(x / sqrt(2))) / 2,
    "SiLU": lambda x: 1.6 * x / (1 + exp(-1.6 * x)),
    "sigmoid": lambda x: 2 / (1 + exp(-2 * x)),
    "tanh": lambda x: tanh(1.3 * x),
}


def blocks(
    rows: Sequence[Row], share: str = "macs", maps: str = "all", title: str = "",
    filters: bool = False,
) -> Drawing:  # fmt: skip
    """Draw a network, or a part of one, from left to right, from the rows that `trace` gives.

    A map is a plate, higher the larger it is and thicker the more channels it has, sliced where a
    convolution reads it in groups. An operation is a pill: solid with weights, dashed without; the
    bar below it is its share of the whole cost. Norms and activations are marks above it. A skip is
    an arc to where the paths meet. Equal paths are drawn once, in a frame that says how many.
    Long networks go on on the next line; a network whose skips go round smaller maps is a U.
    The drawing's `text` says the same in words, for an alt text.

    Args:
        rows: `trace(model, input_size)`, or a slice of it.
        share: of what the bars tell: "macs" or "params".
        maps: which are drawn on a path: "all", or those that "changes" gives a new shape.
        title: of the drawing for who cannot see it; otherwise it says what goes in and out.
        filters: whether one filter of each convolution stands above it as a box, as thick as the
            channels that it reads, with the number of filters.

    Raises:
        ValueError: an argument is unknown, or the rows are no network that can be drawn.

    Example:
        >>> import convbook
        >>> from convbook.nn import ResidualBlock
        >>> rows = convbook.analysis.trace(ResidualBlock(64, 64), (64, 56, 56))
        >>> type(blocks(rows)).__name__
        'Drawing'
    """
    if share not in SHARES:
        raise ValueError(f"share={share!r} is unknown; use 'macs' or 'params'")
    if maps not in ("all", "changes"):
        raise ValueError(f"maps={maps!r} is unknown; use 'all' or 'changes'")
    network = read(rows, share, filters)
    layout = lay_out(network, WIDTH - 2 * MARGIN, maps)
    with plt.style.context(STYLE):
        figure = draw(network, layout, SHARES[share])
        drawing = show(figure)
    drawing.text = block_text(rows, share, filters)
    told = f"<title>{escape(title or title_of(network))}</title>"
    told += f"<desc>{escape(drawing.text)}</desc>"
    start = drawing.svg.index(">", drawing.svg.index("<svg")) + 1
    drawing.svg = f"{drawing.svg[:start]}\n {told}{drawing.svg[start:]}"
    return drawing


def draw(network: Network, layout: Layout, unit: str) -> plt.Figure:
    """Return the figure of a network that is laid out."""
    key = _key_lines(network, unit, max(layout.width, 3.0))
    width = max(layout.width, max(_key_width(line) for line in key) if key else 0) + 2 * MARGIN
    height = layout.height + KEY * len(key) + 0.1 * bool(key) + 2 * MARGIN
    figure = plt.figure(figsize=(width, height))
    figure.set_layout_engine("none")  # everything has its place already
    axes = figure.add_axes((0, 0, 1, 1))
    left, low = (width - layout.width) / 2, height - layout.height - MARGIN
    axes.set(xlim=(-left, width - left), ylim=(-low, height - low))
    axes.axis("off")
    for line in layout.lines:
        _draw_line(axes, line, network.cost)
    for way in layout.ways:
        _draw_way(axes, way, network.cost)
    for i, items in enumerate(key):
        y = KEY * (len(key) - i - 0.5) - low + MARGIN
        _draw_key(axes, items, (layout.width - _key_width(items)) / 2, y)
    return figure


def _draw_line(axes, line: Line, cost: int) -> None:
    y = line.y
    for one, two in line.frames:
        _draw_frame(axes, line, one, two)
    for one, two in joined(line):
        close = isinstance(one.content, Op) and isinstance(two.content, Op)
        _draw_path(axes, [(one.x + one.width, y), (two.x, y)], arrow=not (two.is_map or close))
    first, last = line.parts[0], line.parts[-1]
    if line.enters:
        _draw_path(axes, [(line.x, y), (first.x, y)], arrow=True)
    if line.leaves:
        end = line.x + line.width
        _draw_path(axes, [(last.x + last.width, y), (max(end, last.x + last.width + 0.2), y)], True)
    for part in line.parts:
        _draw_part(axes, part, y, line.labels, cost)
    for arc in line.arcs:
        _draw_arc(axes, line, arc, cost)


def _draw_part(axes, part: Part, y: float, labels: float, cost: int) -> None:
    if part.is_map:
        _draw_map(axes, part, y)
        _write(axes, part.x + part.face / 2, y - labels - 0.07, part.text, LABEL)
    elif isinstance(part.content, Join):
        _draw_join(axes, part, y)
    elif isinstance(part.content, Op) and part.content.shuffles:
        _draw_crossing(axes, part, y)
    else:
        _draw_pill(axes, part, y, cost)


def _draw_map(axes, part: Part, y: float) -> None:
    """Draw a plate, or one for each group, as a box seen from the right and above."""
    ink = getattr(colours, part.role.upper(), colours.INK)  # input, kernel, output, or between
    gap = 0.03 if part.slices > 1 else 0.0
    face = (part.face - gap * (part.slices - 1)) / part.slices
    dx, dy = part.depth, 0.67 * part.depth
    low, high = y - part.height / 2, y + part.height / 2
    for i in range(part.slices - 1, -1, -1):
        x = part.x + i * (face + gap)
        front = [(x, low), (x + face, low), (x + face, high), (x, high)]
        lid = [(x, high), (x + face, high), (x + face + dx, high + dy), (x + dx, high + dy)]
        side = [(x + face, low), (x + face + dx, low + dy)]
        side += [(x + face + dx, high + dy), (x + face, high)]
        if i < part.slices - 1:  # hidden by the next slice, but for its gap
            side = []
        for points, tint in ((front, 0.16), (lid, 0.07), (side, 0.28)):
            if points:
                axes.add_patch(Polygon(points, facecolor=ink, alpha=tint, lw=0))
                axes.add_patch(
                    Polygon(points, facecolor="none", edgecolor=ink, lw=0.9, joinstyle="round")
                )


def _draw_pill(axes, part: Part, y: float, cost: int) -> None:
    op = part.content
    low = y - part.height / 2
    style = {"edgecolor": colours.KERNEL, "lw": 1.5}
    if not op.learned:
        style = {"edgecolor": colours.INK, **DASHED}
    _draw_box(axes, part.x, low, part.width, part.height, 0.125, **style)
    for i, text in enumerate(part.lines):
        _write(axes, part.middle, y + LEADING * ((len(part.lines) - 1) / 2 - i), text, PILL)
    for i, mark in enumerate(op.before):
        _draw_mark(axes, part.x + MARK / 2 + i * MARK_STEP, low + part.height + 0.1, mark)
    for i, mark in enumerate(reversed(op.after)):
        right = part.x + part.width
        _draw_mark(axes, right - MARK / 2 - i * MARK_STEP, low + part.height + 0.1, mark)
    if part.filter:
        high = y + part.top
        _draw_map(
            axes, part.filter, high - 0.16 - 0.67 * part.filter.depth - part.filter.height / 2
        )
        _write(axes, part.middle, high - 0.07, part.filter_text, LABEL)
    if cost and op.cost:
        _draw_bar(axes, part.middle, low - 0.06, op.cost / cost)
        _write(axes, part.middle, low - 0.15, _percent(op.cost / cost), LABEL)


def _draw_box(axes, x: float, y: float, width: float, height: float, r: float, **style) -> None:
    """Draw the outline of a box with round corners: quarters of circles."""
    k = 0.45 * r  # where the two handles of a cubic curve make a quarter of a circle
    x2, y2 = x + width, y + height
    corners = [
        *((x + r, y), (x2 - r, y), (x2 - k, y), (x2, y + k), (x2, y + r)),
        *((x2, y2 - r), (x2, y2 - k), (x2 - k, y2), (x2 - r, y2)),
        *((x + r, y2), (x + k, y2), (x, y2 - k), (x, y2 - r)),
        *((x, y + r), (x, y + k), (x + k, y), (x + r, y), (x + r, y)),
    ]
    side = [Path.LINETO, *[Path.CURVE4] * 3]
    codes = [Path.MOVETO, *side * 4, Path.CLOSEPOLY]
    axes.add_patch(PathPatch(Path(corners, codes), facecolor="none", **style))


def _draw_bar(axes, x: float, y: float, share: float) -> None:
    left = x - BAR / 2
    axes.add_patch(Rectangle((left, y - 0.02), BAR, 0.04, facecolor=colours.GRID))
    axes.add_patch(Rectangle((left, y - 0.02), BAR * share, 0.04, facecolor=colours.KERNEL))


def _percent(share: float) -> str:
    if share < 0.01:
        return "< 1 %"
    return "> 99 %" if 0.995 <= share < 1 else f"{100 * share:.0f} %"


def _draw_mark(axes, x: float, y: float, name: str) -> None:
    """Draw a norm or an activation as its curve in a small circle."""
    axes.add_patch(Circle((x, y), MARK / 2, facecolor="none", edgecolor=colours.PADDING, lw=0.8))
    curve = CURVES.get(name, lambda t: 3.2 * exp(-t * t * 0.9) - 1.4)
    points = [(t / 4, curve(t / 4)) for t in range(-12, 13)]
    scale = MARK / 2 / 3.2
    inside = [(scale * t, scale * (v - 0.5)) for t, v in points]
    inside = [(u, v) for u, v in inside if u * u + v * v < (MARK / 2 - 0.01) ** 2]
    axes.plot(
        [x + u for u, _ in inside], [y + v for _, v in inside],
        color=colours.INK, lw=1, solid_capstyle="round",
    )  # fmt: skip


def _draw_join(axes, part: Part, y: float) -> None:
    join, x = part.content, part.middle
    style = {"facecolor": "none", "edgecolor": colours.INK, "lw": 1.2}
    if join.symbol in JOINED:
        _draw_symbol(axes, x, y, join.symbol)
    else:
        axes.add_patch(Rectangle((part.x, y - RADIUS), part.width, 2 * RADIUS, **style))
        _write(axes, x, y, join.symbol, PILL)
    for i, mark in enumerate(join.after):
        middle = (len(join.after) - 1) / 2
        _draw_mark(axes, x + (i - middle) * MARK_STEP, y - RADIUS - 0.11, mark)


def _draw_symbol(axes, x: float, y: float, symbol: str) -> None:
    """Draw a circled plus, minus or times, or two plates side by side for a concatenation."""
    style = {"facecolor": "none", "edgecolor": colours.INK, "lw": 1.2}
    axes.add_patch(Circle((x, y), RADIUS, **style))
    arm = 0.6 * RADIUS
    if symbol == "cat":
        for left in (x - 0.045, x + 0.01):
            axes.add_patch(Rectangle((left, y - 0.05), 0.035, 0.1, facecolor=colours.INK, lw=0))
        return
    if symbol == "×":
        arm *= 0.7
        strokes = [[(-arm, -arm), (arm, arm)], [(-arm, arm), (arm, -arm)]]
    else:
        strokes = [[(-arm, 0), (arm, 0)], [(0, -arm), (0, arm)]][: 1 + (symbol == "+")]
    for (x1, y1), (x2, y2) in strokes:
        axes.plot([x + x1, x + x2], [y + y1, y + y2], color=colours.INK, lw=1.2)


def _draw_crossing(axes, part: Part, y: float) -> None:
    """Draw where a shuffle sends the channels: two of each of up to four groups."""
    groups, each = min(part.content.groups, 4), 2 if part.content.groups > 2 else 3
    low, side, inset = y - part.height / 2, part.height, 0.06
    _draw_box(axes, part.x, low, side, side, 0.06, edgecolor=colours.INK, **DASHED)
    step = (side - 2 * inset) / (groups * each - 1)
    for place in range(groups * each):
        group, member = divmod(place, each)
        ends = [low + side - inset - step * one for one in (place, member * groups + group)]
        xs = (part.x + inset, part.x + side - inset)
        axes.plot(xs, ends, color=colours.INK, lw=1, alpha=0.4 + 0.6 * (group % 2))
        axes.plot(xs, ends, ".", color=colours.INK, markersize=3)
    _write(axes, part.middle, y - part.height / 2 - 0.11, "shuffle", LABEL)


def _draw_frame(axes, line: Line, one: Part, two: Part) -> None:
    """Draw a frame around what is there `count` times, with the edges of others behind it."""
    labels = [part.x + part.face / 2 + part.label for part in (two,) if part.is_map]
    left, right = one.x - 0.1, max(two.x + two.width, *labels, 0) + 0.08
    low, high = line.y - line.labels - 0.17, line.y + line.frame_top
    style = {"color": colours.PADDING, "lw": 0.8}
    _draw_box(axes, left, low, right - left, high - low, 0.06, edgecolor=colours.PADDING, lw=0.8)
    for i in (1, 2):
        d = 0.035 * i
        corner = [(left + d + 0.02, high + d), (right + d, high + d), (right + d, low + d + 0.02)]
        axes.plot(*zip(*corner, strict=True), **style)
    _write(axes, left, high + 0.15, f"{one.copies} paths", LABEL, ha="left")


def _draw_arc(axes, line: Line, arc: Arc, cost: int) -> None:
    y = line.y + arc.height
    points: Points = [(arc.left, y), (arc.right, y)]
    if isinstance(arc.start, Part):
        top = line.y + arc.start.height / 2 + 0.33 * arc.start.depth
        points.insert(0, (arc.left, top))
    elif arc.start:
        points.insert(0, (arc.left, line.y))
    if arc.end:
        points.append((arc.right, line.y + RADIUS))
    edge = arc.left
    for op in arc.ops:  # the line goes from pill to pill
        before = [point for point in points if point[0] <= edge] if edge == arc.left else []
        _draw_path(axes, [*(before or [(edge, y)]), (op.x, y)], arrow=True)
        _draw_part(axes, op, y, 0, cost)
        edge = op.x + op.width
    rest = [point for point in points if point[0] > edge] if arc.ops else points[:]
    _draw_path(axes, [(edge, y), *rest] if arc.ops else rest, arrow=arc.end is not None)


def _draw_way(axes, way: Way, cost: int) -> None:
    """Draw a way to the next size of a U, with the operation on it."""
    x1, x2 = way.points[2][0], way.points[3][0]
    left, right = way.op.x, way.op.x + way.op.width
    enters, leaves = (right, left) if x1 > x2 else (left, right)
    _draw_path(axes, [*way.points[:3], (enters, way.y)], arrow=True)
    _draw_path(axes, [(leaves, way.y), *way.points[3:]], arrow=True)
    _draw_part(axes, way.op, way.y, 0, cost)


def _draw_path(axes, points: Points, arrow: bool = False) -> None:
    """Draw a line with round corners, and a small triangle at its end."""
    (x1, y1), (x2, y2) = points[-2:]
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5 or 1.0
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    head = 0.07 if arrow else 0.0
    ends = [*points[:-1], (x2 - head * ux, y2 - head * uy)]
    vertices, codes = [ends[0]], [Path.MOVETO]
    for (xa, ya), (xb, yb), (xc, yc) in zip(ends, ends[1:], ends[2:], strict=False):
        before, after = abs(xb - xa) + abs(yb - ya), abs(xc - xb) + abs(yc - yb)
        r = min(ROUND, before / 2, after / 2)
        enter = (xb - r * (xb - xa) / (before or 1), yb - r * (yb - ya) / (before or 1))
        leave = (xb + r * (xc - xb) / (after or 1), yb + r * (yc - yb) / (after or 1))
        vertices += [enter, (xb, yb), leave]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    vertices.append(ends[-1])
    codes.append(Path.LINETO)
    axes.add_patch(
        PathPatch(Path(vertices, codes), facecolor="none", edgecolor=colours.INK, lw=1.1)
    )
    if arrow:
        base = (x2 - head * ux, y2 - head * uy)
        wings = [(base[0] - s * 0.035 * uy, base[1] + s * 0.035 * ux) for s in (1, -1)]
        axes.add_patch(Polygon([(x2, y2), *wings], facecolor=colours.INK, lw=0))


def _write(axes, x: float, y: float, text: str, points: float, ha: str = "center") -> None:
    axes.text(x, y, text, ha=ha, va="center", fontsize=points, color=colours.INK)


def _key_lines(network: Network, unit: str, width: float) -> list[list[tuple[str, str]]]:
    """Return what the key names, as (kind, text), on lines that are no wider than the drawing."""
    steps = [*network.steps, *(op for side in network.sides for op in side.ops)]
    marks = [mark for step in steps for mark in (*getattr(step, "before", ()), *step.after)]
    items = [("mark", mark) for mark in dict.fromkeys(marks)]
    symbols = dict.fromkeys(step.symbol for step in steps if isinstance(step, Join))
    items += [("join", symbol) for symbol in symbols if symbol in JOINED]
    if network.cost:
        items.append(("bar", f"share of the {unit}"))
    lines: list[list[tuple[str, str]]] = []
    for item in items:
        if lines and _key_width([*lines[-1], item]) <= width:
            lines[-1].append(item)
        else:
            lines.append([item])
    return lines


def _key_text(kind: str, text: str) -> str:
    return JOINED[text] if kind == "join" else text


def _key_width(items: list[tuple[str, str]]) -> float:
    widths = [_sign_width(kind) + text_width(_key_text(kind, text), LABEL) for kind, text in items]
    return sum(widths) + 0.25 * (len(items) - 1)


def _sign_width(kind: str) -> float:
    return {"bar": BAR, "mark": MARK, "join": 2 * RADIUS}[kind] + 0.06


def _draw_key(axes, items: list[tuple[str, str]], x: float, y: float) -> None:
    for kind, text in items:
        if kind == "mark":
            _draw_mark(axes, x + MARK / 2, y, text)
        elif kind == "join":
            _draw_symbol(axes, x + RADIUS, y, text)
        else:
            _draw_bar(axes, x + BAR / 2, y, 0.4)
        x += _sign_width(kind)
        _write(axes, x, y, _key_text(kind, text), LABEL, ha="left")
        x += text_width(_key_text(kind, text), LABEL) + 0.25
