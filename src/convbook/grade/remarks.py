"""What is odd about a network and decides nothing: its output, padding, what runs for nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from convbook.analysis import Row
from convbook.grade.graph import Graph
from convbook.grade.probe import PICTURES, Probe
from convbook.grade.profile import Profile
from convbook.grade.report import Requirement
from convbook.grade.requirements.convolutions import explain_padded_pointwise
from convbook.grade.requirements.padding import bought_field, short_padding
from convbook.grade.requirements.pooling import SAME_NUMBERS

# The last operation may not be one of these: logits go from minus to plus infinity.
BOUNDED = {
    **dict.fromkeys(("relu", "relu6"), "numbers below 0 are lost"),
    **dict.fromkeys(("sigmoid", "hardsigmoid", "tanh", "hardtanh"), "no number can grow"),
}


def remarks(
    graph: Graph, rows: Sequence[Requirement], seen: Probe | None, profile: Profile
) -> list[str]:
    """Return what no requirement has said yet."""
    ways = explain_padded_pointwise, short_padding
    found = [explain(row) for row in graph.rows for explain in ways]
    before = graph.ancestors([graph.field_layer.name]) if graph.field_layer else ()
    asked = profile.receptive_field
    found += [bought_field(graph, row, asked) for row in graph.rows if row.name in before]
    found += _output_remarks(graph, seen, profile)
    found += _lost_remarks(graph)
    found += _parameter_remarks(graph, seen)
    if seen and seen.answers:
        found.append(
            "forward looks at values in tensors; judged is the way that one random picture takes"
        )
    said = " ".join(row.why for row in rows)
    return [remark for remark in dict.fromkeys(found) if remark and remark not in said]


def _output_remarks(graph: Graph, seen: Probe | None, profile: Profile) -> Iterator[str]:
    """Say what is odd about the output, and whether a loss can be computed from it."""
    shapes = ["x".join(map(str, graph.shape(name))) or "1" for name in graph.table.outputs]
    right = any(graph.shape(name) == (profile.classes,) for name in graph.outputs)
    if len(shapes) > 1:
        judged = f"`{graph.outputs[0]}` is judged, " if right else ""
        yield (
            f"forward returns {len(shapes)} tensors, of shape {' and '.join(shapes)}: {judged}"
            f"but a loss takes one; return the {profile.classes} class scores alone"
        )
    elif not right:
        asked = f"{profile.data} needs {profile.classes} numbers per picture"
        yield f"the output has shape {shapes[0] if shapes else '?'}; {asked}"
    if right:
        last = _last_operation(graph, graph.outputs[0])
        yield from _loss_remarks(seen.batch if seen else None, last)


def _last_operation(graph: Graph, name: str) -> Row | None:
    """Return the row that made the numbers of an output, whatever shape they got afterwards."""
    row = graph.named.get(name)
    while row and row.op in SAME_NUMBERS and row.inputs[0]:
        row = graph.named[row.inputs[0]]
    return row


def _loss_remarks(batch: Tensor | None, last: Row | None) -> Iterator[str]:
    """Say why cross-entropy would not do what is meant."""
    if batch is not None and batch.shape[:1] != (PICTURES,):
        shape = "x".join(map(str, batch.shape)) or "one number"
        yield (
            f"for {PICTURES} pictures the output has shape {shape}: the forward mixes pictures; "
            "keep the batch, as x.flatten(1) does"
        )
    elif batch is not None and batch.ndim == 2 and batch.is_floating_point() and last:
        yield from _normalised(batch.double(), last)
    if last and last.op in BOUNDED:
        yield (
            f"`{last.name}` ({last.op}) is the last operation: {BOUNDED[last.op]}; "
            "hand out the numbers that go into it"
        )


def _normalised(batch: Tensor, last: Row) -> Iterator[str]:
    """Say what a softmax has done to the numbers of several pictures."""
    if (batch >= 0).all() and _all_one(batch.sum(1)):
        yield (
            f"`{last.name}` ({last.op}) hands out probabilities, and cross-entropy takes a softmax "
            "of its own: hand out the numbers that go into it, or use F.log_softmax(x, 1)"
        )
    elif ((batch >= 0).all() and _all_one(batch.sum(0))) or (
        _all_one(batch.exp().sum(0)) and not _all_one(batch.exp().sum(1))
    ):
        yield (
            f"`{last.name}` ({last.op}) compares pictures, not classes: its numbers are normalised "
            "over the batch; use dim=1"
        )


def _all_one(sums: Tensor) -> bool:
    return torch.allclose(sums, torch.ones_like(sums), rtol=0, atol=1e-3)


def _lost_remarks(graph: Graph) -> Iterator[str]:
    """Say which layers run for nothing: the first of each chain."""
    told: set[str] = set()
    for row in graph.dropped:
        if row.inputs and told.issuperset(row.inputs):
            told.add(row.name)
        elif row.params:
            told.add(row.name)
            yield f"`{row.name}` {graph.lost[row.name]}"


def _parameter_remarks(graph: Graph, seen: Probe | None) -> Iterator[str]:
    """Say which parameters do nothing, and what learns nothing."""
    unused = graph.table.unused
    if unused:
        yield f"nothing reads {_counted(graph, unused)}, but they count"
    if not seen:
        return
    idle = [
        name
        for name in seen.idle_parameters
        if name not in unused and name.rpartition(".")[0] not in graph.lost
    ]
    if idle:
        yield f"no change of {_counted(graph, idle)} changes the output, but they count"
    convolutions = [row for row in graph.table if row.op == "conv2d"]
    if len(convolutions) == seen.convolutions:
        for number in sorted(seen.stuck):
            yield f"no gradient reaches `{convolutions[number].name}`, so it learns nothing"


def _counted(graph: Graph, names: Iterable[str]) -> str:
    """Return how many numbers some parameters hold, and the first of their names."""
    first, *others = names
    sizes = dict(graph.model.named_parameters())
    count = sum(sizes[name].numel() for name in (first, *others))
    return f"{count:,} parameters (`{first}`{', ...' if others else ''})"
