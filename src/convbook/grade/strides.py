"""Three transitions by convolutions, without max-pooling: C1 C2 C3 C4 as later years ask for it."""

from convbook.grade.graph import pair, side, size
from convbook.grade.report import Finding, joined
from convbook.grade.transitions import POOLS, TRANSITIONS


def transitions(network):
    """Judge what halves the maps on the way to the last convolution, or is dilated instead."""
    if network.last is None:
        why = "no convolution is followed by an output; build C1 to C4 from nn.Conv2d"
        return Finding("none", False, why)
    strided, dilated = _steps_before(network, network.last)
    pools = ", ".join(f"`{row.name}`" for row in network.rows if row.op in POOLS)
    instead = "use nn.Conv2d(C, D, 3, stride=2, padding=1) instead of a max-pool"
    remarks = [f"{pools}: {instead}"] if pools else []
    if len(strided) > TRANSITIONS:
        names = ", ".join(f"`{row.name}`" for row in strided)
        spare = len(strided) - TRANSITIONS
        remarks.append(f"{names} have a stride: three are asked for; take {spare} of them out")
    elif len(strided) + len(dilated) < TRANSITIONS:
        names = ", ".join(f"`{row.name}`" for row in [*strided, *dilated])
        verb = "counts" if len(strided) + len(dilated) == 1 else "count"
        found = f"only {names} {verb}; " if names else ""
        remarks.append(
            f"{found}let three 3 × 3 convolutions have stride 2, or a dilation in its place"
        )
        remarks += _near_misses(network)
    measured = f"{len(strided)} by stride, {len(dilated)} by dilation"
    if remarks:
        return Finding(measured, False, joined(remarks))
    names = ", ".join(f"`{row.name}`" for row in strided or dilated)
    how = "halve the map" if strided else "are dilated in place of a stride"
    more = ", ".join(f"`{row.name}`" for row in dilated if strided and len(strided) < TRANSITIONS)
    also = f", and {more} dilated in place of a stride" if more else ""
    return Finding(measured, True, f"{names} {how}{also}; no map is max-pooled")


def halves(row):
    """Return whether a row is a convolution that takes every second place on both axes."""
    return row.op == "conv2d" and min(pair(row.kernel)) > 1 and pair(row.stride) == (2, 2)


def _spreads(row):
    """Return whether a row is a convolution that is dilated, and keeps its map."""
    taps = zip(pair(row.kernel), pair(row.dilation), strict=True)
    return pair(row.stride) == (1, 1) and any(k > 1 and d > 1 for k, d in taps)


def _steps_before(network, last):
    """Return the strided and the dilated convolutions on the way to the last one.

    Where branches meet, those of the richest: a shortcut that keeps up by a 1 × 1 convolution with
    a stride is none of the three.
    """
    before = network.behind([last.name])
    steps = {"": ([], [])}
    for row in network.rows:
        if row.name not in before:
            continue
        ways = (steps[name] for name in network.map_inputs(row))
        strided, dilated = max(ways, key=lambda way: [*map(len, way)])
        if row.op == "conv2d" and row is not last:
            strided = [*strided, row] if halves(row) else strided
            dilated = [*dilated, row] if _spreads(row) else dilated
        steps[row.name] = strided, dilated
    return steps[last.name]


def _near_misses(network):
    """Say what makes a map smaller and does not count."""
    before = network.behind([network.last.name])
    for row in network.rows:
        if row.op == "conv2d" and max(pair(row.stride)) > 1 and not halves(row):
            what = f"kernel {side(row.kernel)} and stride {side(row.stride)}"
            yield f"`{row.name}` has {what}; use kernel_size=3, stride=2"
        elif row.op == "avg_pool2d" and max(pair(row.stride)) > 1 and row.name in before:
            sizes = f"{size(row.input_shape)} to {size(row.output_shape)}"
            yield f"`{row.name}` takes means ({sizes}); use a convolution with stride 2"
