"""Copies of a model with other tensors in it, which leave the model itself alone."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from convbook._checks.arguments import integer
from convbook.analysis.rules.base import tensors_in


def copy_with(model: nn.Module, replacement: Callable[[Tensor], Tensor]) -> nn.Module:
    """Return a copy in evaluation mode whose tensors are `replacement(tensor)`, not copied.

    Raises:
        TypeError: `model` is not an `nn.Module`.
        ValueError: it has no Python code to run, or parameters whose shape is still unknown.
    """
    check_model(model)
    model = uncompiled(model)
    others: dict[int, Tensor] = {}
    for path, module in model.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            raise ValueError(f"model has a compiled part {path!r}; use the nn.Module it came from")
        parts = (vars(module), module._parameters, module._buffers)
        for tensor in (t for part in parts for t in part.values() if isinstance(t, Tensor)):
            if nn.parameter.is_lazy(tensor):
                raise ValueError(f"model has a lazy layer {path!r}; run the model on an input once")
            if id(tensor) not in others:
                others[id(tensor)] = _like(tensor, replacement(tensor))
    copied = copy.deepcopy(model, others).eval()
    for module in [*copied.modules()]:
        children = [(name, child) for name, child in module._modules.items() if child is not None]
        module._modules.update((name, uncompiled(child)) for name, child in children)
    return copied


def uncompiled(module: nn.Module) -> nn.Module:
    """Return the module that `torch.compile` has wrapped, or the module itself."""
    return getattr(module, "_modules", {}).get("_orig_mod", module)


def _like(tensor, new):
    """Return a parameter for a parameter."""
    return nn.Parameter(new, requires_grad=False) if isinstance(tensor, nn.Parameter) else new


def on_meta(tensor: Tensor) -> Tensor:
    """Return a tensor of the same shape that has no values and takes no memory."""
    return torch.empty_like(tensor, device="meta", requires_grad=False)


def meta_input(model: nn.Module, input_size: Sequence[int]) -> Tensor:
    """Return one image without values, in the dtype of the model's weights."""
    dtypes = (p.dtype for p in model.parameters() if p.is_floating_point())
    return torch.empty(1, *input_size, dtype=next(dtypes, None), device="meta")


def all_ones(tensor: Tensor) -> Tensor:
    """Return float64 ones in the memory of one number; integers and masks as they are."""
    if not tensor.is_floating_point():
        return torch.zeros(tensor.shape, dtype=tensor.dtype) if tensor.is_meta else tensor
    return torch.ones((), dtype=torch.float64).expand(tensor.shape)


def check_model(model: object) -> None:
    """Refuse what is no model; of a class, say that it must be called."""
    if not isinstance(model, nn.Module):
        kind = model.__name__ if isinstance(model, type) else type(model).__name__
        hint = f"; call it: {kind}()" if isinstance(model, type) else ""
        raise TypeError(f"model={kind} is not an nn.Module{hint}")


def check_input_size(input_size: Sequence[int]) -> tuple[int, ...]:
    """Return `(C, ...)` as a tuple of ints, with one to three axes after the channels."""
    if not isinstance(input_size, tuple | list) or not 2 <= len(input_size) <= 4:
        raise ValueError(
            f"input_size={input_size!r} is not (channels, height, width); "
            "use one int for the channels and one for each axis, without the batch"
        )
    return tuple(integer(size, "input_size", 1) for size in input_size)


class NoMap(ValueError):
    """A model runs, and what it gives is not one tensor."""


class _Reached(Exception):
    """The layer that is looked at has run; the rest need not."""


def module_named(model: nn.Module, layer: str | None = None) -> nn.Module:
    """Return the module of that name, or the whole model.

    Raises:
        ValueError: there is no such layer.
    """
    wanted = (layer or "").replace("_orig_mod.", "")
    modules = {name.replace("_orig_mod.", ""): module for name, module in model.named_modules()}
    if wanted not in modules:
        raise ValueError(f"layer={layer!r} is not in the model; use one of {[*modules][1:]}")
    return uncompiled(modules[wanted])


def output_of(model: nn.Module, x: Tensor, layer: str | None = None) -> Tensor:
    """Run a model on `x` and return its output, or the output of the layer of that name.

    Raises:
        ValueError: there is no such layer, it does not run, or its output is not one tensor.
    """
    found: list[object] = []

    def stop(module: nn.Module, args: object, output: object) -> None:
        found.append(output)
        raise _Reached

    handle = module_named(model, layer).register_forward_hook(stop)
    # The handle is a context manager: whatever happens, the hook is gone afterwards.
    with handle, contextlib.suppress(_Reached):
        model(x)
    if not found:
        raise NoMap(f"layer={layer!r} does not run; use another layer")
    tensors = tensors_in(found[0])
    if len(tensors) != 1:
        name = "model" if layer is None else f"layer={layer!r}"
        raise NoMap(
            f"{name} gives a {type(found[0]).__name__} with {len(tensors)} tensors; return one "
            "map, or use layer= to name a layer that gives one"
        )
    return tensors[0]
