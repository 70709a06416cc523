"""Whether a forward writes into memory that several tensors share: found out by PyTorch itself.

PyTorch's dispatcher says of each operation which of its arguments it writes into. `gradients` asks
here, and not `trace`, so that a view that the one overlooks is not overlooked by the other.
"""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from convbook.analysis._copies import meta_input, output_of
from convbook.analysis.rules.base import tensors_in
from convbook.analysis.running import without_values


class _Writes(TorchDispatchMode):
    """Watches the dispatcher for writes that more than one tensor can see."""

    def __init__(self, x: Tensor) -> None:
        super().__init__()
        # memory -> the tensors on it: id -> tensor
        self.sharing: dict[int, dict[int, Tensor]] = defaultdict(dict)
        self.reached = {_memory(x)}  # the memories that the input has reached
        self.found = False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # noqa: ANN204 (as PyTorch's)
        outputs = func(*args, **(kwargs or {}))
        given, made = tensors_in([args, kwargs]), tensors_in(outputs)
        for tensor in (*given, *made):
            self.sharing[_memory(tensor)][id(tensor)] = tensor
        if any(_memory(tensor) in self.reached for tensor in given):
            self.reached.update(map(_memory, made))
            marks = [one.alias_info for one in func._schema.arguments]
            written = [
                arg
                for arg, mark in zip(args, marks, strict=False)
                if mark and mark.is_write and isinstance(arg, Tensor)
            ]
            self.reached.update(map(_memory, written))
            simple = torch.Tag.pointwise in func.tags
            changes = not simple or len(given) > 1  # relu_ changes no reach
            shared = any(len(self.sharing[_memory(tensor)]) > 1 for tensor in written)
            self.found |= bool(written) and changes and (shared or not simple)
        return outputs


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


def writes_through_views(
    model: nn.Module, input_size: tuple[int, ...], layer: str | None = None
) -> bool:
    """Return whether a model without values writes what other tensors see, up to a layer."""
    x = meta_input(model, input_size)
    with _Writes(x) as writes, without_values():
        output_of(model, x, layer)
    return writes.found
