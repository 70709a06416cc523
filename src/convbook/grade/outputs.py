"""What a network hands out, and whether a loss can be computed from it."""

import torch

from convbook.grade.pooling import SAME_NUMBERS
from convbook.grade.probe import PICTURES

# The last operation may not be one of these: logits go from minus to plus infinity.
BOUNDED = {
    **dict.fromkeys(("relu", "relu6"), "numbers below 0 are lost"),
    **dict.fromkeys(("sigmoid", "hardsigmoid", "tanh", "hardtanh"), "no number can grow"),
}


def output_remarks(network, probe, profile):
    """Say what is odd about the output; nothing of it decides."""
    shapes = ["x".join(map(str, network.shape(name))) or "1" for name in network.table.outputs]
    right = any(network.shape(name) == (profile.classes,) for name in network.outputs)
    asked = f"{profile.data} needs {profile.classes} numbers per picture"
    if len(shapes) > 1:
        judged = f"`{network.outputs[0]}` is judged, " if right else ""
        yield (
            f"forward returns {len(shapes)} tensors, of shape {' and '.join(shapes)}: {judged}"
            f"but a loss takes one; return the {profile.classes} class scores alone"
        )
    elif not right:
        yield f"the output has shape {shapes[0] if shapes else '?'}; {asked}"
    if right:
        last = _last_operation(network, network.outputs[0])
        yield from _loss_remarks(probe.batch if probe else None, last)


def _last_operation(network, name):
    """Return the row that made the numbers of an output, whatever shape they got afterwards."""
    row = network.named.get(name)
    while row and row.op in SAME_NUMBERS and row.inputs[0]:
        row = network.named[row.inputs[0]]
    return row


def _loss_remarks(batch, last):
    """Say why cross-entropy would not do what is meant."""
    if batch is not None and batch.shape[:1] != (PICTURES,):
        shape = "x".join(map(str, batch.shape)) or "one number"
        yield (
            f"for {PICTURES} pictures the output has shape {shape}: the forward mixes pictures; "
            "keep the batch, as x.flatten(1) does"
        )
    elif batch is not None and batch.ndim == 2 and batch.is_floating_point():
        yield from _normalised(batch.double(), last)
    if last and last.op in BOUNDED:
        yield (
            f"`{last.name}` ({last.op}) is the last operation: {BOUNDED[last.op]}; "
            "hand out the numbers that go into it"
        )


def _normalised(batch, last):
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


def _all_one(sums):
    return torch.allclose(sums, torch.ones_like(sums), rtol=0, atol=1e-3)
