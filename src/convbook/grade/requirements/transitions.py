"""Three transitions, C1 C2 C3 C4, by max-pool or by convolution, and the field they lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from torch import nn

from convbook.analysis import Row
from convbook.grade.graph import Graph, is_map, pair, side, size
from convbook.grade.report import Finding, joined

TRANSITIONS = 3
POOLS = {
    "max_pool2d",
    "max_pool2d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
}
NO_CONVOLUTION = Finding(
    "none", False, "no convolution is followed by an output; build C1 to C4 from nn.Conv2d"
)


def receptive_field(graph: Graph, asked: int) -> Finding:
    """Judge the field of the last convolution before the maps are averaged."""
    row = graph.field_layer
    if row is None:
        return Finding("none", False, "there is no convolution to read it at")
    sizes, jumps = graph.fields[row.name]
    why = f"read at `{row.name}`, the last convolution"
    passed = min(sizes) > asked
    if not passed:
        jump = min(jumps)
        why += f"; there one more 3 × 3 convolution adds {2 * jump}, with dilation 2 {4 * jump}"
    return Finding(side(sizes), passed, why)


def _steps_before(
    graph: Graph,
    last: Row,
    counts: Callable[[Row], bool],
    choose: Callable[[Iterable[list[Row]]], list[Row]],
) -> list[Row]:
    """Return the rows that count on the way to a row; where branches meet, those of the chosen."""
    before = graph.ancestors([last.name])
    steps: dict[str, list[Row]] = {"": []}
    for row in graph.rows:
        if row.name in before:
            passed = choose([steps[name] for name in graph.map_inputs(row)])
            steps[row.name] = [*passed, row] if counts(row) and row is not last else passed
    return steps[last.name]


def _named(rows: Iterable[Row]) -> str:
    return ", ".join(f"`{row.name}`" for row in rows)


# ------------------------------------------------------------------ by max-pool


def by_max_pool(graph: Graph) -> Finding:
    """Judge the max-pools on the way to the last convolution."""
    if graph.field_layer is None:
        return NO_CONVOLUTION
    # Of branches the poorest: a pooling beside a convolution with a stride is no transition.
    pools = _steps_before(graph, graph.field_layer, halves, lambda ways: min(ways, key=len))
    remarks = [*_empty_blocks(graph, pools), *_enlarged(graph, graph.field_layer)]
    if len(pools) > TRANSITIONS:
        spare = len(pools) - TRANSITIONS
        remarks.insert(0, f"{_named(pools)}: three are asked for; leave out {spare}")
    elif len(pools) < TRANSITIONS:
        verb = "counts" if len(pools) == 1 else "count"
        found = f"only {_named(pools)} {verb}; " if pools else ""
        remarks.insert(0, f"{found}put nn.MaxPool2d(2) between two blocks of convolutions")
        remarks[1:1] = _near_max_pools(graph, graph.field_layer, pools)
    strided = _strided(graph)
    if remarks:
        return Finding(f"{len(pools)}", False, joined([*remarks, *strided]))
    why = f"{_named(pools)}, with convolutions before, between and after"
    return Finding(f"{len(pools)}", True, joined([why, *_odd(pools), *strided]))


def halves(row: Row) -> bool:
    """Return whether a row is a max-pool that takes every second place on both axes."""
    return (
        row.op in POOLS
        and row.kernel is not None
        and min(pair(row.kernel)) > 1
        and pair(row.stride) == (2, 2)
    )


def explain_max_pool(row: Row) -> str | None:
    """Return why a max-pool is no transition, or None."""
    if row.op not in POOLS or halves(row):
        return None
    remedy = "use nn.MaxPool2d(2)"
    if row.kernel is None:
        return f"`{row.name}` has windows of several sizes; {remedy}"
    kernels, strides = pair(row.kernel), pair(row.stride)
    if max(kernels) == 1 and max(strides) == 1:
        what = "kernel 1 and stride 1 and does nothing"
    elif min(kernels) == 1 and min(strides) > 1:
        what = f"kernel {side(kernels)} and picks pixels, no maxima"
    elif max(strides) == 1:
        what = f"stride 1 and does not halve {size(row.input_shape)}"
    elif min(strides) == 1:
        what = f"stride {side(strides)} and halves one axis only"
    else:
        shapes = f"{size(row.input_shape)} to {size(row.output_shape)}"
        what = f"stride {side(strides)} ({shapes}), but a transition halves"
    return f"`{row.name}` has {what}; {remedy}"


def _empty_blocks(graph: Graph, pools: Sequence[Row]) -> Iterator[str]:
    """Say where no convolution runs between two transitions."""
    convolutions = [row.name for row in graph.convolutions]
    previous, name = None, "the input"
    for pool in pools:
        before = graph.ancestors([pool.name])
        block = [one for one in convolutions if one in before]
        if previous:
            block = [one for one in block if previous.name in graph.ancestors([one])]
        if not block:
            yield f"there is no convolution between {name} and `{pool.name}`; add one"
        previous, name = pool, f"`{pool.name}`"


def _enlarged(graph: Graph, last: Row) -> Iterator[str]:
    """Say what undoes a transition."""
    before = graph.ancestors([last.name])
    for row in graph.rows:
        if row.name in before and len(row.input_shape) == len(row.output_shape) == 3:
            sides = zip(row.input_shape[1:], row.output_shape[1:], strict=True)
            grown = row.op != "pad" and is_map(row.input_shape)
            if grown and all(after >= 2 * ago for ago, after in sides):
                sizes = f"{size(row.input_shape)} to {size(row.output_shape)}"
                yield f"`{row.name}` enlarges {sizes} and undoes a transition; leave it out"


def _near_max_pools(graph: Graph, last: Row, pools: Sequence[Row]) -> Iterator[str]:
    """Say of each max-pool that does not count why it does not, and what halves instead of one."""
    counted = {row.name for row in pools}
    before = graph.ancestors([last.name])
    for row in graph.rows:
        if row.name in counted:
            continue
        if remark := explain_max_pool(row):
            yield remark
        elif halves(row) and row.name in before:
            yield f"`{row.name}` is in one branch only; pool the map before it branches"
        elif halves(row):
            yield f"no convolution follows `{row.name}`; add a block after it"
        elif row.op == "avg_pool2d" and max(pair(row.stride)) > 1 and row.name in before:
            yield f"`{row.name}` takes means; use nn.MaxPool2d(2)"
    yield from graph.unheard(halves, lambda layer: isinstance(layer, nn.MaxPool2d))


def _odd(pools: Iterable[Row]) -> Iterator[str]:
    for row in pools:
        if row.input_shape[-1] % 2 or row.input_shape[-2] % 2:
            sizes = f"{size(row.input_shape)} to {size(row.output_shape)}"
            yield f"`{row.name}` halves an odd map, {sizes} (allowed)"


def _strided(graph: Graph) -> Iterator[str]:
    for row in graph.convolutions:
        if max(pair(row.stride)) > 1:
            yield f"`{row.name}` has stride {side(row.stride)}, which is no transition (allowed)"


# ------------------------------------------------------------------ by convolution


def by_convolution(graph: Graph) -> Finding:
    """Judge what halves the maps on the way to the last convolution, or is dilated instead."""
    if graph.field_layer is None:
        return NO_CONVOLUTION

    def richness(way: list[Row]) -> tuple[int, int]:
        return sum(map(_halves_by_stride, way)), len(way)

    # Of branches the richest: a shortcut that keeps up by a 1 × 1 with a stride has none of them.
    steps = _steps_before(
        graph,
        graph.field_layer,
        lambda row: _halves_by_stride(row) or _is_dilated(row),
        lambda ways: max(ways, key=richness),
    )
    strided = [row for row in steps if _halves_by_stride(row)]
    dilated = [row for row in steps if _is_dilated(row)]
    pools = [row for row in graph.rows if row.op in POOLS]
    instead = "use nn.Conv2d(C, D, 3, stride=2, padding=1) instead of a max-pool"
    remarks = [f"{_named(pools)}: {instead}"] if pools else []
    if len(strided) > TRANSITIONS:
        spare = len(strided) - TRANSITIONS
        remarks.append(
            f"{_named(strided)} have a stride: three are asked for; take {spare} of them out"
        )
    elif len(steps) < TRANSITIONS:
        verb = "counts" if len(steps) == 1 else "count"
        found = f"only {_named([*strided, *dilated])} {verb}; " if steps else ""
        remarks.append(
            f"{found}let three 3 × 3 convolutions have stride 2, or a dilation in its place"
        )
        remarks += _near_strides(graph, graph.field_layer)
    measured = f"{len(strided)} by stride, {len(dilated)} by dilation"
    if remarks:
        return Finding(measured, False, joined(remarks))
    how = "halve the map" if strided else "are dilated in place of a stride"
    more = _named(dilated) if strided and len(strided) < TRANSITIONS else ""
    also = f", and {more} dilated in place of a stride" if more else ""
    return Finding(
        measured, True, f"{_named(strided or dilated)} {how}{also}; no map is max-pooled"
    )


def _halves_by_stride(row: Row) -> bool:
    """Return whether a row is a convolution that takes every second place on both axes."""
    return row.op == "conv2d" and min(pair(row.kernel)) > 1 and pair(row.stride) == (2, 2)


def _is_dilated(row: Row) -> bool:
    """Return whether a row is a convolution that is dilated, and keeps its map."""
    if row.op != "conv2d" or pair(row.stride) != (1, 1):
        return False
    return any(k > 1 and d > 1 for k, d in zip(pair(row.kernel), pair(row.dilation), strict=True))


def _near_strides(graph: Graph, last: Row) -> Iterator[str]:
    """Say what makes a map smaller and does not count."""
    before = graph.ancestors([last.name])
    for row in graph.rows:
        if row.op == "conv2d" and max(pair(row.stride)) > 1 and not _halves_by_stride(row):
            what = f"kernel {side(row.kernel)} and stride {side(row.stride)}"
            yield f"`{row.name}` has {what}; use kernel_size=3, stride=2"
        elif row.op == "avg_pool2d" and max(pair(row.stride)) > 1 and row.name in before:
            sizes = f"{size(row.input_shape)} to {size(row.output_shape)}"
            yield f"`{row.name}` takes means ({sizes}); use a convolution with stride 2"
