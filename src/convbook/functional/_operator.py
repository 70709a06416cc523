"""What makes a function built by hand behave as an operator of PyTorch: overriding and dtypes."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor
from torch.overrides import handle_torch_function, has_torch_function

from convbook._checks.tensors import check_conv

P = ParamSpec("P")
R = TypeVar("R")

# In which dtype sums of the narrow ones are added up, before they are rounded.
WIDER = {
    torch.float16: torch.float32,
    torch.bfloat16: torch.float32,
    torch.complex32: torch.complex64,
}


def overridable(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that PyTorch's modes and tensor subclasses may take over.

    `torch.nn.functional.conv2d` is one call to `torch.fx`, to a mode that counts or follows, and to
    a subclass of `torch.Tensor`. With this, `convbook.functional.conv2d` is one too.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        given = (*args, *kwargs.values())
        if has_torch_function(given):
            return handle_torch_function(call, given, *args, **kwargs)
        return function(*args, **kwargs)

    return call


def convolution(
    transposed: bool = False,
) -> Callable[[Callable[P, Tensor]], Callable[P, Tensor]]:
    """Decorate a convolution: its tensors are checked, and dtypes treated as PyTorch treats them.

    Autocast changes the dtypes before, and none within. Sums of 16-bit floats are added up in 32
    bits and rounded once, at the end.
    """

    def decorate(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def convolve(*args: P.args, **kwargs: P.kwargs) -> Tensor:
            given = signature.bind(*args, **kwargs)
            given.apply_defaults()
            settings = given.arguments
            tensors = {name: _autocast(settings[name]) for name in ("input", "weight", "bias")}
            check_conv(**tensors, groups=settings["groups"], transposed=transposed)
            dtype = tensors["input"].dtype
            for name, tensor in tensors.items():
                settings[name] = tensor if tensor is None else tensor.to(WIDER.get(dtype, dtype))
            with without_autocast(settings["input"]):
                return function(*given.args, **given.kwargs).to(dtype)

        return convolve

    return decorate


def without_autocast(tensor: Tensor) -> contextlib.AbstractContextManager:
    """Return a context in which autocast leaves the dtypes on a tensor's device as they are."""
    if not _autocasts(tensor):
        return contextlib.nullcontext()
    return torch.autocast(tensor.device.type, enabled=False)


def _autocast(value):
    """Return a tensor as autocast hands it to a convolution: it spares float64 and complex."""
    if not isinstance(value, torch.Tensor) or not _autocasts(value):
        return value
    if not value.is_floating_point() or value.dtype == torch.float64:
        return value
    return value.to(torch.get_autocast_dtype(value.device.type))


def _autocasts(tensor: Tensor) -> bool:
    kind = tensor.device.type
    return torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)
