"""What padding does to a convolution: too little shrinks the map, too much buys a field."""

from collections.abc import Iterator
from math import prod
from operator import gt

from convbook.analysis import Row
from convbook.grade.graph import Graph, pair, side, size

BOUGHT = 0.75  # the share of taps in the padding from which on a field is called bought


def inside(graph: Graph, row: Row) -> tuple[int, ...]:
    """Return (H, W) of the map that a convolution runs on, without what a layer has padded."""
    return tuple(count for count, _ in _axes(graph, row))


def _axes(graph: Graph, row: Row) -> list[tuple[int, float]]:
    """Return for each axis the pixels of the map, and where the padded map begins in it."""
    counts, starts = row.input_shape[-2:], [0, 0]
    while row.inputs and (before := graph.named.get(row.inputs[0])) and before.op == "pad":
        source = graph.named.get(before.inputs[0])
        new, old = (pair(one.receptive_field.start) if one else (0, 0) for one in (before, source))
        jumps = pair(before.receptive_field.jump)
        if all(jumps):
            moves = zip(starts, new, old, jumps, strict=True)
            starts = [start + (a - b) / jump for start, a, b, jump in moves]
        counts, row = before.input_shape[-2:], before
    return list(zip(counts, starts, strict=True))


def reads_one_pixel(graph: Graph, row: Row) -> bool:
    """Return whether the map is so small that at most one tap of a kernel can lie inside it."""
    sides = zip(pair(row.kernel), pair(row.dilation), inside(graph, row), strict=True)
    return all(k == 1 or d >= pixels for k, d, pixels in sides)


def short_padding(row: Row) -> str | None:
    """Return what is wrong with a padding that forgets the dilation, or None.

    No padding at all is a choice, and so is a stride: neither is taken for a slip.
    """
    if row.op != "conv2d" or isinstance(row.padding, str) or max(pair(row.stride)) > 1:
        return None
    axes = list(zip(pair(row.kernel), pair(row.dilation), pair(row.padding), strict=True))
    if not any(d > 1 and 0 < 2 * pad < d * (k - 1) for k, d, pad in axes):
        return None
    totals = tuple(d * (k - 1) for k, d, _ in axes)
    needed = side(tuple(total // 2 for total in totals))
    if any(total % 2 for total in totals):  # no number keeps the size, but the word does
        needed = "'same'"
    grown = any(map(gt, row.output_shape[-2:], row.input_shape[-2:]))
    return (
        f"`{row.name}`: dilation {side(row.dilation)} with kernel {side(row.kernel)} needs padding "
        f"{needed} to keep {size(row.input_shape)}; it has {side(row.padding)}, and the map "
        f"{'goes' if grown else 'shrinks'} to {size(row.output_shape)}"
    )


def bought_field(graph: Graph, row: Row, asked: int) -> str | None:
    """Return how much of the field a convolution adds by reading mostly padding, or None."""
    before = graph.fields.get(row.inputs[0])
    if row.op != "conv2d" or before is None or prod(pair(row.kernel)) == 1:
        return None
    share = 1 - prod(_share_inside(*axis) for axis in _taps(graph, row))
    windows = zip(pair(row.kernel), pair(row.dilation), before[1], strict=True)
    added = [d * (k - 1) * jump for k, d, jump in windows]
    if share < BOUGHT or graph.field_layer is None:
        return None
    whole = graph.fields[graph.field_layer.name][0]
    rest = min(size - more for size, more in zip(whole, added, strict=True))
    verdict = f"; without it, the field is {rest:g}" if rest <= asked < min(whole) else ""
    return (
        f"`{row.name}` adds {side(tuple(added))} pixels to the field, but {share:.0%} of what its "
        f"taps read on the {size(inside(graph, row))} map is padding{verdict}"
    )


def _taps(graph: Graph, row: Row) -> Iterator[tuple[tuple[int, float], int, int, int, int, int]]:
    """Return for each axis what `_share_inside` takes."""
    paddings = (0, 0) if row.padding == "valid" else row.padding
    if row.padding == "same":
        spans = zip(pair(row.kernel), pair(row.dilation), strict=True)
        paddings = tuple(d * (k - 1) // 2 for k, d in spans)
    settings = (pair(row.kernel), pair(row.stride), pair(paddings), pair(row.dilation))
    return zip(_axes(graph, row), row.output_shape[-2:], *settings, strict=True)


def _share_inside(
    axis: tuple[int, float], outputs: int, kernel: int, stride: int, padding: int, dilation: int
) -> float:
    """Return the share of the taps along one axis that lie on the map."""
    pixels, start = axis
    first = start - padding
    places = (first + o * stride + t * dilation for o in range(outputs) for t in range(kernel))
    return sum(0 <= place < pixels for place in places) / (outputs * kernel)
