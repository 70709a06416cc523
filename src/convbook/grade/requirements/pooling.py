"""Global average pooling, however it is spelt."""

from collections.abc import Iterator
from math import prod

from convbook.analysis import Row
from convbook.grade.graph import PERMUTATIONS, Graph, is_map, moved, pair, size
from convbook.grade.report import Finding, joined
from convbook.grade.requirements.convolutions import is_one_by_one

REMEDY = "use nn.AdaptiveAvgPool2d(1)"
ADAPTIVE = ("adaptive_avg_pool2d", "adaptive_avg_pool1d")
AVERAGES = ("mean", "sum", "avg_pool2d", "avg_pool1d", *ADAPTIVE)
SCALES = ("div", "truediv", "divide", "mul", "multiply", "idiv", "itruediv", "imul")
RESHAPED = {"view", "reshape", "view_as", "reshape_as", "flatten", "unflatten", "ravel"}
SAME_NUMBERS = RESHAPED | {"squeeze", "unsqueeze", "contiguous", "clone", "dropout", "dropout2d"}
# What may stand between an average that is not global and the row that is blamed for it.
PASSED = SAME_NUMBERS | PERMUTATIONS | {"linear", "log_softmax", "softmax"}


def global_average_pooling(graph: Graph) -> Finding:
    """Judge how maps become the numbers that the output is computed from."""
    if not graph.pooling_points:
        return Finding("none", False, f"there is no map to average; {REMEDY}")
    ends = [(row, averaged(graph, row)) for row in graph.pooling_points]
    remarks = [explain_pooling_point(graph, row) for row, means in ends if means is None]
    row, means = ends[0]
    if remarks or means is None:
        return Finding("none", False, joined([*remarks, *_unseen(graph)]))
    shape = "x".join(map(str, row.input_shape))
    count = prod(means.output_shape)
    why = f"each of the {count} numbers is a mean over all pixels of its channel"
    return Finding(f"{shape} to {count} by `{row.name}`", True, why)


def averaged(graph: Graph, row: Row) -> Row | None:
    """Return the row after which a map is one mean for each of its channels, or None.

    A pooling and a mean may each do a part; flattening may come first.
    """
    source = max(graph.sources(row), key=graph.pixels)
    if graph.pixels(source) == 1:
        return None
    channel = graph.channels(source)
    count = graph.shape(source)[channel]
    added = False
    while (place := kept(row, channel)) is not None:
        channel = place
        added |= row.op == "sum"
        following = graph.consumers(row)
        if prod(row.output_shape) == count:
            scaled = any(one.op in SCALES and len(one.inputs) == 1 for one in following)
            return row if scaled or not added else None
        if not following:
            break
        row = following[0]
    return None


def kept(row: Row, channel: int) -> int | None:
    """Return where the channels are after a step of averaging, or None if it is no such step."""
    before, after = row.input_shape, row.output_shape
    if row.op in ("mean", "sum"):
        dims = [len(before) + dim for dim in row.reduced or ()]
        if channel in dims or len(after) not in (len(before), len(before) - len(dims)):
            return None
        gone = sum(0 <= dim < channel for dim in dims)
        return channel if len(after) == len(before) else channel - gone
    if row.op in ADAPTIVE or (row.op.startswith("avg_pool") and covers(row)):
        return channel
    if row.op in PERMUTATIONS:
        return moved(row, channel)
    if row.op in SAME_NUMBERS:
        ahead = prod(before[:channel])
        places = range(len(after))
        same = (i for i in places if (prod(after[:i]), after[i]) == (ahead, before[channel]))
        return next(same, None)
    return None


def covers(row: Row) -> bool:
    """Return whether the windows of an average pooling cover the map, each pixel once."""
    rank = 1 if row.op.endswith("1d") else 2
    kernels, strides, paddings = (pair(v)[:rank] for v in (row.kernel, row.stride, row.padding))
    sides = zip(row.input_shape[-rank:], row.output_shape[-rank:], kernels, strict=True)
    tiled = all(pixels == count * k for pixels, count, k in sides)
    single = prod(row.output_shape[-rank:]) == 1
    return tiled and not any(paddings) and (single or kernels == strides)


def explain_pooling_point(graph: Graph, row: Row) -> str:
    """Return why what turns a map into numbers is no global average pooling."""
    row = _half_done(graph, row)
    name, sizes = f"`{row.name}`", f"{size(row.input_shape)}"
    if row.op == "avg_pool2d":
        return f"{name} {_windows(row)}; {REMEDY}"
    if row.op in ADAPTIVE and is_map(row.output_shape):
        return f"{name} leaves {size(row.output_shape)}, not 1x1; {REMEDY}"
    if row.op == "sum":
        return f"{name} adds pixels up and does not divide by their number; {REMEDY}"
    if row.op == "mean":
        return f"{name} does not average over height and width alone; use x.mean((2, 3))"
    if is_map(row.output_shape):
        return f"the output is a map of {size(row.output_shape)}; {REMEDY} before the output"
    return f"{name} ({row.op}) turns the {sizes} map into single numbers; {REMEDY} instead"


def _half_done(graph: Graph, row: Row) -> Row:
    """Return the average that leaves pixels, if but for it `row` would turn none into numbers."""
    one: Row | None = row
    while one and one.op not in AVERAGES:
        passes = one.op in PASSED or is_one_by_one(one) or one.is_pointwise
        one = graph.named.get(graph.sources(one)[0]) if passes else None
    return one or row


def _windows(row: Row) -> str:
    """Say what an average pooling does instead of averaging the whole map."""
    sizes = size(row.input_shape)
    height, width = row.output_shape[-2:]
    kernels = pair(row.kernel)
    if max(pair(row.padding)):
        return f"averages padding into the pixels of the {sizes} map"
    if height * width == 1:
        pixels, read = prod(row.input_shape[-2:]), prod(kernels)
        rest = f"leaves {pixels - read} out"
        return f"averages {read} of the {pixels} pixels of the {sizes} map and {rest}"
    kernel = "x".join(map(str, kernels))
    return f"averages {kernel} of {sizes} and leaves {height}x{width}, not 1x1"


def _unseen(graph: Graph) -> Iterator[str]:
    """Say what looks like global average pooling and is not."""
    for row in graph.rows:
        if row.op in ADAPTIVE and not is_map(row.input_shape) and len(row.input_shape) == 3:
            yield f"`{row.name}` gets a 1x1 map and has nothing left to average"
    yield from graph.unheard(
        lambda row: row.op in AVERAGES, lambda layer: "AvgPool" in type(layer).__name__
    )
