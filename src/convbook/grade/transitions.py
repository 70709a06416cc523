"""Three transitions by max-pool, C1 C2 C3 C4, and the receptive field that comes of them."""

from torch import nn

from convbook.grade.graph import is_map, pair, side, size
from convbook.grade.report import Finding, joined

TRANSITIONS = 3
POOLS = {
    "max_pool2d",
    "max_pool2d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
}


def transitions(network):
    """Judge the max-pools on the way to the last convolution."""
    if network.last is None:
        why = "no convolution is followed by an output; build C1 to C4 from nn.Conv2d"
        return Finding("none", False, why)
    pools = _pools_before(network, network.last)
    names = ", ".join(f"`{row.name}`" for row in pools)
    remarks = [*_empty_blocks(network, pools), *_enlarged(network)]
    if len(pools) > TRANSITIONS:
        remarks.insert(0, f"{names}: three are asked for; leave out {len(pools) - TRANSITIONS}")
    elif len(pools) < TRANSITIONS:
        verb = "counts" if len(pools) == 1 else "count"
        found = f"only {names} {verb}; " if pools else ""
        remarks.insert(0, f"{found}put nn.MaxPool2d(2) between two blocks of convolutions")
        remarks[1:1] = _near_misses(network, pools)
    strided = _strided(network)
    if remarks:
        return Finding(f"{len(pools)}", False, joined([*remarks, *strided]))
    notes = [*_odd(pools), *strided]
    why = joined([f"{names}, with convolutions before, between and after", *notes])
    return Finding(f"{len(pools)}", True, why)


def receptive_field(network, asked):
    """Judge the field of the last convolution before the maps are averaged."""
    row = network.last
    if row is None:
        return Finding("none", False, "there is no convolution to read it at")
    sizes, jumps = network.fields[row.name]
    why = f"read at `{row.name}`, the last convolution"
    passed = min(sizes) > asked
    if not passed:
        jump = min(jumps)
        why += f"; there one more 3 × 3 convolution adds {2 * jump}, with dilation 2 {4 * jump}"
    return Finding(side(sizes), passed, why)


def halves(row):
    """Return whether a row is a max-pool that takes every second place on both axes."""
    return (
        row.op in POOLS
        and row.kernel is not None
        and min(pair(row.kernel)) > 1
        and pair(row.stride) == (2, 2)
    )


def miss(row):
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


def _pools_before(network, last):
    """Return the transitions on the way to a row; where branches meet, those of the poorest.

    A pooling in one branch only, beside a convolution with a stride, is no transition of the map.
    """
    before = network.behind([last.name])
    pools = {"": []}
    for row in network.rows:
        if row.name in before:
            passed = min((pools[name] for name in network.map_inputs(row)), key=len)
            pools[row.name] = [*passed, row] if halves(row) else passed
    return pools[last.name]


def _empty_blocks(network, pools):
    """Say where no convolution runs between two transitions."""
    convolutions = [row.name for row in network.convolutions]
    previous, name = None, "the input"
    for pool in pools:
        before = network.behind([pool.name])
        block = [one for one in convolutions if one in before]
        if previous:
            block = [one for one in block if previous.name in network.behind([one])]
        if not block:
            yield f"there is no convolution between {name} and `{pool.name}`; add one"
        previous, name = pool, f"`{pool.name}`"


def _enlarged(network):
    """Say what undoes a transition."""
    before = network.behind([network.last.name])
    for row in network.rows:
        if row.name in before and len(row.input_shape) == len(row.output_shape) == 3:
            sides = zip(row.input_shape[1:], row.output_shape[1:], strict=True)
            grown = row.op != "pad" and is_map(row.input_shape)
            if grown and all(after >= 2 * ago for ago, after in sides):
                sizes = f"{size(row.input_shape)} to {size(row.output_shape)}"
                yield f"`{row.name}` enlarges {sizes} and undoes a transition; leave it out"


def _near_misses(network, pools):
    """Say of each max-pool that does not count why it does not, and what halves instead of one."""
    counted = {row.name for row in pools}
    before = network.behind([network.last.name])
    for row in network.rows:
        if row.name in counted:
            continue
        if remark := miss(row):
            yield remark
        elif halves(row) and row.name in before:
            yield f"`{row.name}` is in one branch only; pool the map before it branches"
        elif halves(row):
            yield f"no convolution follows `{row.name}`; add a block after it"
        elif row.op == "avg_pool2d" and max(pair(row.stride)) > 1 and row.name in before:
            yield f"`{row.name}` takes means; use nn.MaxPool2d(2)"
    for row in network.dropped:
        if halves(row):
            yield f"`{row.name}` {network.lost[row.name]}"
    for path, module in network.forgotten.items():
        if isinstance(module, nn.MaxPool2d):
            yield f"`{path}` is defined but does not run; call it in forward"


def _odd(pools):
    for row in pools:
        if row.input_shape[-1] % 2 or row.input_shape[-2] % 2:
            sizes = f"{size(row.input_shape)} to {size(row.output_shape)}"
            yield f"`{row.name}` halves an odd map, {sizes} (allowed)"


def _strided(network):
    for row in network.convolutions:
        if max(pair(row.stride)) > 1:
            yield f"`{row.name}` has stride {side(row.stride)}, which is no transition (allowed)"
