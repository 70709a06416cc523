"""Run a model so that every operation of its forward can be followed, wherever it runs.

A forward may move tensors to a GPU, run parts of itself again in the backward pass (activation
checkpointing), or call an `autograd.Function` of its own, whose inside PyTorch hides. None of this
changes what an output sees. While a model is looked at, moves change nothing, checkpoints run like
any other part, and an own function runs as if its forward stood there.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.overrides import TorchFunctionMode
from torch.utils import checkpoint

from convbook.analysis.rules.base import attach_field, field_of, rows_of


class NotATensor(TypeError):
    """A forward asks its input for what a dict has."""


MOVES = frozenset(("cuda", "cpu", "xpu", "ipu", "mps", "hpu", "npu", "pin_memory"))


class OneDevice(TorchFunctionMode):
    """Keeps every tensor on one device, whatever a forward asks for."""

    def __init__(self, device: torch.device | str) -> None:
        super().__init__()
        self.device = torch.device(device)

    def __torch_function__(self, func, types, args=(), kwargs=None):  # noqa: ANN204 (as PyTorch's)
        """Run one PyTorch function on the device, or leave the tensor where it is."""
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if func is Tensor.__getitem__ and isinstance(args[1], str):
            raise NotATensor(f"its forward looks up {args[1]!r} in its input")
        of_tensor = bool(args) and isinstance(args[0], Tensor)
        if name in MOVES and of_tensor:
            return args[0]
        if name in ("to", "type") and of_tensor:
            args, kwargs = _without_places(name, args, kwargs)
            if name == "to" and len(args) == 1 and not kwargs:
                return args[0]
        elif kwargs.get("device") is not None:
            kwargs["device"] = self.device
        elif name == "conv2d_loops":  # the book's: the same operation, one pixel at a time
            func = F.conv2d
        return func(*args, **kwargs)


def _without_places(name, args, kwargs):
    """Return the arguments of `to` or `type` without the device, and a bare dtype for a type."""
    tensor, *others = args
    if name == "type":  # such as torch.cuda.FloatTensor, or that as text
        others = [*others, *kwargs.values()]
        types = [
            getattr(torch, one.rpartition(".")[2]) if isinstance(one, str) else one
            for one in others
            if not isinstance(one, bool)
        ]
        return (tensor, *(getattr(one, "dtype", one) for one in types)), {}
    wanted = [*others, kwargs.get("dtype"), kwargs.get("other")]  # another tensor lends its dtype
    dtypes = [getattr(one, "dtype", one) for one in wanted]
    dtypes = [one for one in dtypes if isinstance(one, torch.dtype)]
    named = {key: value for key, value in kwargs.items() if key == "memory_format"}
    return (tensor, *dtypes), named


@contextlib.contextmanager
def without_checkpoints() -> Iterator[None]:
    """Run what is checkpointed at once, and keep its values."""

    class Plain:
        """What stands for PyTorch's own function with the same arguments."""

        @staticmethod
        def apply(function: Callable, preserve_rng_state: bool, *args: object) -> object:
            return function(*args)

    def once(*args: object, **kwargs: object) -> Iterator[None]:
        yield

    plain = {
        "CheckpointFunction": Plain,
        "_checkpoint_without_reentrant_generator": once,
        "_checkpoint_without_reentrant_generator_impl": once,
    }
    kept = {name: vars(checkpoint)[name] for name in plain if name in vars(checkpoint)}
    try:
        for name in kept:
            setattr(checkpoint, name, plain[name])
        yield
    finally:
        for name, value in kept.items():
            setattr(checkpoint, name, value)


@contextlib.contextmanager
def open_functions() -> Iterator[None]:
    """Let what the forward of an `autograd.Function` computes be followed to its outputs.

    PyTorch gives the outputs a backward of their own, and cannot be asked not to: so it is handed
    other tensors, and those that were computed are kept on them.
    """
    thread, kept = threading.get_ident(), {}
    for function in _subclasses(torch.autograd.Function):
        if "forward" in vars(function):
            kept[function] = vars(function)["forward"]
            function.forward = staticmethod(_opened(function.forward, thread))
    try:
        yield
    finally:
        for function, forward in kept.items():
            function.forward = forward


def _subclasses(one):
    return {one for child in one.__subclasses__() for one in (child, *_subclasses(child))}


def _opened(forward, thread):
    @functools.wraps(forward)
    def run(*args, **kwargs):
        if threading.get_ident() != thread:  # another thread's model trains on
            return forward(*args, **kwargs)
        if args and isinstance(args[0], FunctionCtx):
            vars(args[0])["mark_dirty"] = lambda *tensors: None  # they are followed
        outputs = forward(*args, **kwargs)
        if isinstance(outputs, tuple | list):
            return tuple(map(_stand_for, outputs))
        return _stand_for(outputs)

    return run


def _stand_for(tensor):
    """Return another tensor on the same memory, which knows the one that was computed."""
    if not isinstance(tensor, Tensor):
        return tensor
    with torch._C.DisableTorchFunction():
        other = tensor.detach()
    replace_tensor(other, tensor)
    attach_field(other, field_of(tensor), rows_of(tensor))
    return other


def replace_tensor(tensor: Tensor, current: Tensor) -> None:
    """Note that another tensor stands for this one from now on."""
    vars(tensor)["_convbook_now"] = current


def current_tensor(tensor: Tensor) -> Tensor:
    """Return what a tensor stands for: what was computed, or what an operation in place left."""
    while hasattr(tensor, "_convbook_now"):
        tensor = tensor._convbook_now
    return tensor


@contextlib.contextmanager
def _uncompiled():
    """Run functions that `torch.compile` has wrapped as they are written."""
    loaded = "torch._dynamo" in sys.modules  # to load it takes seconds
    set_stance = getattr(torch.compiler, "set_stance", None) if loaded else None
    with set_stance("force_eager") if set_stance else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def followable(device: torch.device | str, functions: bool = True) -> Iterator[None]:
    """Run what a model's forward hides, on one device; `functions` are its autograd functions."""
    with (
        _uncompiled(),
        without_checkpoints(),
        open_functions() if functions else contextlib.nullcontext(),
        OneDevice(device),
    ):
        yield


@contextlib.contextmanager
def without_values() -> Iterator[None]:
    """Run a model on the meta device, which knows shapes only, so that it can be followed."""
    with torch.no_grad(), torch.device("meta"), followable("meta"):
        yield
