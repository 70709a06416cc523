"""A depthwise separable and a dilated convolution, and what only looks like one."""

from math import prod

from torch import nn

from convbook.grade.graph import PERMUTATIONS, is_map, pair, side, size
from convbook.grade.padding import inside, reads_one_pixel
from convbook.grade.report import Finding, joined

# What may stand between a depthwise convolution and its 1 x 1, besides pointwise operations.
BETWEEN = PERMUTATIONS | {"cat", "concat", "concatenate"}


def depthwise_separable(network):
    """Judge the depthwise convolutions and what follows them."""
    depthwise = [row for row in network.rows if is_depthwise(row)]
    candidates = [row for row in depthwise if not depthwise_miss(network, row)]
    remarks = []
    for row in candidates:
        points, others = followers(network, row)
        good = [point for point in points if not pointwise_miss(point)]
        if good:
            point = good[0]
            why = f"`{row.name}` has a filter for each of {row.groups} channels (kernel "
            why += f"{side(row.kernel)}), and the 1 × 1 `{point.name}` mixes them"
            return Finding(f"`{row.name}` + `{point.name}`", True, why)
        remarks += map(pointwise_miss, points)
        if not points:
            met = f"`{others[0].name}` ({others[0].op})" if others else "nothing"
            remarks.append(
                f"`{row.name}` is depthwise, but is followed by {met}; follow it by "
                f"nn.Conv2d({row.output_shape[0]}, C, 1)"
            )
    remarks += filter(None, (depthwise_miss(network, row) for row in network.rows))
    remarks += _unseen(network, is_depthwise, lambda layer: layer.groups == layer.in_channels > 1)
    if not remarks:
        remarks = [
            "no convolution has as many groups as channels; use nn.Conv2d(C, C, 3, padding=1, "
            "groups=C), then nn.Conv2d(C, D, 1)"
        ]
    return Finding("none", False, joined(remarks))


def dilated(network):
    """Judge the convolutions with a dilation."""
    marked = [row for row in network.rows if row.op == "conv2d" and max(pair(row.dilation)) > 1]
    for row in marked:
        if not dilated_miss(network, row):
            text = f"`{row.name}`: kernel {side(row.kernel)}, dilation {side(row.dilation)}"
            sizes = f"{size(row.input_shape)} to {size(row.output_shape)}"
            return Finding(text, True, f"its taps stand apart; the map goes {sizes}")
    remarks = [dilated_miss(network, row) for row in marked]
    remarks += [
        f"`{row.name}` is a pooling, not a convolution; dilate a convolution"
        for row in network.rows
        if row.op.startswith("max_pool2d") and max(pair(row.dilation)) > 1
    ]
    remarks += _unseen(
        network,
        lambda row: row.op == "conv2d" and max(pair(row.dilation)) > 1,
        lambda layer: max(pair(layer.dilation)) > 1,
    )
    if not remarks:
        remarks = ["every dilation is 1; set dilation=2, padding=2 in a 3 × 3 convolution"]
    return Finding("none", False, joined(remarks))


def is_depthwise(row):
    """Return whether each group of a convolution has one channel, whatever the kernel."""
    return row.op == "conv2d" and len(row.input_shape) == 3 and row.groups == row.input_shape[0] > 1


def is_one_by_one(row):
    """Return whether a convolution, or a linear layer at every pixel, reads one pixel."""
    if row.op == "linear":
        return is_map(row.input_shape)
    return row.op == "conv2d" and prod(pair(row.kernel)) == 1


def depthwise_miss(network, row):
    """Return why a convolution with groups is not depthwise, or None."""
    if row.op != "conv2d" or row.groups == 1 or len(row.input_shape) != 3:
        return None
    name, channels = f"`{row.name}`", row.input_shape[0]
    if prod(pair(row.kernel)) == 1:
        if row.groups < channels:
            return None  # a 1 x 1 in groups: not meant to be depthwise
        return f"{name} has kernel 1 and only scales its channels; use kernel_size=3, padding=1"
    if row.groups < channels:
        return f"{name} has groups={row.groups} for {channels} channels; use groups={channels}"
    if reads_one_pixel(network, row):
        pixels = size(inside(network, row))
        return f"{name} runs on a {pixels} map and reads one pixel; move it earlier"
    return None


def pointwise_miss(row):
    """Return why a 1 x 1 convolution does not do its part, or None."""
    if row.op != "conv2d":
        return None
    if row.groups > 1:
        return f"`{row.name}` has groups={row.groups} and mixes no others; use groups=1"
    return padded_point(row)


def padded_point(row):
    """Return what is wrong with a padded 1 x 1 convolution, or None."""
    padding = (0, 0) if isinstance(row.padding, str) else pair(row.padding)
    if row.op != "conv2d" or prod(pair(row.kernel)) > 1 or not max(padding):
        return None
    return (
        f"`{row.name}` is 1 × 1 with padding {side(padding)}: a border of bias, and the map "
        f"goes {size(row.input_shape)} to {size(row.output_shape)}; set padding=0"
    )


def dilated_miss(network, row):
    """Return why a convolution with a dilation does not count, or None."""
    name = f"`{row.name}`"
    kernels, dilations = pair(row.kernel), pair(row.dilation)
    axes = zip(kernels, dilations, strict=True)
    if not any(k > 1 and d > 1 for k, d in axes):
        return f"{name}: {_useless(kernels, dilations)}; use kernel_size=3, dilation=2, padding=2"
    if reads_one_pixel(network, row):
        return (
            f"{name}: with dilation {side(dilations)} at most one tap lies inside the "
            f"{size(inside(network, row))} map; use a smaller dilation, or move it earlier"
        )
    return None


def _useless(kernels, dilations):
    return f"dilation {side(dilations)} does nothing to a kernel of {side(kernels)}"


def followers(network, row):
    """Return the 1 x 1 convolutions that follow a row, and what else ends the way there."""
    points, others, waiting, seen = [], [], [*network.takers(row)], set()
    while waiting:
        one = waiting.pop(0)
        if one.name in seen:
            continue
        seen.add(one.name)
        if is_one_by_one(one):
            points.append(one)
        elif one.is_pointwise or one.op in BETWEEN:
            waiting.extend(network.takers(one))
        else:
            others.append(one)
    return points, others


def _unseen(network, is_wanted, is_wanted_layer):
    """Say which layers of a kind run for nothing, or not at all."""
    for row in filter(is_wanted, network.dropped):
        yield f"`{row.name}` {network.lost[row.name]}"
    for path, module in network.forgotten.items():
        if isinstance(module, nn.Conv2d) and is_wanted_layer(module):
            yield f"`{path}` is defined but does not run; call it in forward"
