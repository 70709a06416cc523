"""A depthwise separable and a dilated convolution, and what only looks like one."""

from __future__ import annotations

from math import prod

from torch import nn

from convbook.analysis import Row
from convbook.grade.graph import PERMUTATIONS, Graph, is_map, pair, side, size
from convbook.grade.report import Finding, joined
from convbook.grade.requirements.padding import inside, reads_one_pixel

# What may stand between a depthwise convolution and its 1 x 1, besides pointwise operations.
BETWEEN = PERMUTATIONS | {"cat", "concat", "concatenate"}


def depthwise_separable(graph: Graph) -> Finding:
    """Judge the depthwise convolutions and what follows them."""
    depthwise = [row for row in graph.rows if is_depthwise(row)]
    candidates = [row for row in depthwise if not explain_depthwise(graph, row)]
    remarks: list[str | None] = []
    for row in candidates:
        points, others = followers(graph, row)
        good = [point for point in points if not explain_pointwise(point)]
        if good:
            point = good[0]
            why = f"`{row.name}` has a filter for each of {row.groups} channels (kernel "
            why += f"{side(row.kernel)}), and the 1 × 1 `{point.name}` mixes them"
            return Finding(f"`{row.name}` + `{point.name}`", True, why)
        remarks += map(explain_pointwise, points)
        if not points:
            met = f"`{others[0].name}` ({others[0].op})" if others else "nothing"
            remarks.append(
                f"`{row.name}` is depthwise, but is followed by {met}; follow it by "
                f"nn.Conv2d({row.output_shape[0]}, C, 1)"
            )
    remarks += filter(None, (explain_depthwise(graph, row) for row in graph.rows))
    remarks += graph.unheard(is_depthwise, _is_depthwise_layer)
    if not remarks:
        remarks = [
            "no convolution has as many groups as channels; use nn.Conv2d(C, C, 3, padding=1, "
            "groups=C), then nn.Conv2d(C, D, 1)"
        ]
    return Finding("none", False, joined(remarks))


def dilated(graph: Graph) -> Finding:
    """Judge the convolutions with a dilation."""
    marked = [row for row in graph.rows if row.op == "conv2d" and max(pair(row.dilation)) > 1]
    for row in marked:
        if not explain_dilated(graph, row):
            text = f"`{row.name}`: kernel {side(row.kernel)}, dilation {side(row.dilation)}"
            sizes = f"{size(row.input_shape)} to {size(row.output_shape)}"
            return Finding(text, True, f"its taps stand apart; the map goes {sizes}")
    remarks = [explain_dilated(graph, row) for row in marked]
    remarks += [
        f"`{row.name}` is a pooling, not a convolution; dilate a convolution"
        for row in graph.rows
        if row.op.startswith("max_pool2d") and max(pair(row.dilation)) > 1
    ]
    remarks += graph.unheard(
        lambda row: row.op == "conv2d" and max(pair(row.dilation)) > 1,
        lambda layer: isinstance(layer, nn.Conv2d) and max(pair(layer.dilation)) > 1,
    )
    if not remarks:
        remarks = ["every dilation is 1; set dilation=2, padding=2 in a 3 × 3 convolution"]
    return Finding("none", False, joined(remarks))


def is_depthwise(row: Row) -> bool:
    """Return whether each group of a convolution has one channel, whatever the kernel."""
    return row.op == "conv2d" and len(row.input_shape) == 3 and row.groups == row.input_shape[0] > 1


def _is_depthwise_layer(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Conv2d) and layer.groups == layer.in_channels > 1


def is_one_by_one(row: Row) -> bool:
    """Return whether a convolution, or a linear layer at every pixel, reads one pixel."""
    if row.op == "linear":
        return is_map(row.input_shape)
    return row.op == "conv2d" and prod(pair(row.kernel)) == 1


def explain_depthwise(graph: Graph, row: Row) -> str | None:
    """Return why a convolution with groups is not depthwise, or None."""
    if row.op != "conv2d" or row.groups == 1 or len(row.input_shape) != 3:
        return None
    name, channels, groups = f"`{row.name}`", row.input_shape[0], row.groups or 1
    if prod(pair(row.kernel)) == 1:
        if groups < channels:
            return None  # a 1 x 1 in groups: not meant to be depthwise
        return f"{name} has kernel 1 and only scales its channels; use kernel_size=3, padding=1"
    if groups < channels:
        return f"{name} has groups={groups} for {channels} channels; use groups={channels}"
    if reads_one_pixel(graph, row):
        pixels = size(inside(graph, row))
        return f"{name} runs on a {pixels} map and reads one pixel; move it earlier"
    return None


def explain_pointwise(row: Row) -> str | None:
    """Return why a 1 x 1 convolution does not do its part, or None."""
    if row.op != "conv2d":
        return None
    if (row.groups or 1) > 1:
        return f"`{row.name}` has groups={row.groups} and mixes no others; use groups=1"
    return explain_padded_pointwise(row)


def explain_padded_pointwise(row: Row) -> str | None:
    """Return what is wrong with a padded 1 x 1 convolution, or None."""
    padding = (0, 0) if isinstance(row.padding, str) else pair(row.padding)
    if row.op != "conv2d" or prod(pair(row.kernel)) > 1 or not max(padding):
        return None
    return (
        f"`{row.name}` is 1 × 1 with padding {side(padding)}: a border of bias, and the map "
        f"goes {size(row.input_shape)} to {size(row.output_shape)}; set padding=0"
    )


def explain_dilated(graph: Graph, row: Row) -> str | None:
    """Return why a convolution with a dilation does not count, or None."""
    name = f"`{row.name}`"
    kernels, dilations = pair(row.kernel), pair(row.dilation)
    axes = zip(kernels, dilations, strict=True)
    if not any(k > 1 and d > 1 for k, d in axes):
        return f"{name}: {_useless(kernels, dilations)}; use kernel_size=3, dilation=2, padding=2"
    if reads_one_pixel(graph, row):
        return (
            f"{name}: with dilation {side(dilations)} at most one tap lies inside the "
            f"{size(inside(graph, row))} map; use a smaller dilation, or move it earlier"
        )
    return None


def _useless(kernels: tuple[int, int], dilations: tuple[int, int]) -> str:
    return f"dilation {side(dilations)} does nothing to a kernel of {side(kernels)}"


def followers(graph: Graph, row: Row) -> tuple[list[Row], list[Row]]:
    """Return the 1 x 1 convolutions that follow a row, and what else ends the way there."""
    points, others, waiting, seen = [], [], [*graph.consumers(row)], set()
    while waiting:
        one = waiting.pop(0)
        if one.name in seen:
            continue
        seen.add(one.name)
        if is_one_by_one(one):
            points.append(one)
        elif one.is_pointwise or one.op in BETWEEN:
            waiting.extend(graph.consumers(one))
        else:
            others.append(one)
    return points, others
