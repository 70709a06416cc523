"""Run copies of a network on numbers, to learn what shapes alone do not tell.

Which way a forward takes that looks at values, whether what a layer computes reaches the output,
and what the output is for several pictures. The network itself is left alone.
"""

from __future__ import annotations

import contextlib
import warnings
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from convbook.analysis import copy_with, op_name, tensors_in

# What hands a number from a tensor to Python.
ASKS = {
    *("__bool__", "__int__", "__float__", "__index__", "__contains__", "__array__", "item"),
    *("tolist", "numpy", "equal", "allclose", "is_nonzero"),
}
DRAWS = 3  # of weights: a layer is idle if it is so with each
PICTURES = 4
Output = TypeVar("Output")


@dataclass
class Probe:
    """What the runs have shown.

    Convolutions go by their number, in the order of the calls.
    """

    answers: tuple[Any, ...] = ()  # to what the forward asks about values, in its order
    convolutions: int = 0
    idle: set[int] = field(default_factory=set)  # convolutions whose result changes no output
    stuck: set[int] = field(default_factory=set)  # those that no gradient reaches
    idle_parameters: tuple[str, ...] = ()
    batch: Tensor | None = None  # the judged output for PICTURES pictures, while training


class _Recorder(TorchFunctionMode):
    """Writes down what a forward learns about values."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Any] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if getattr(func, "__name__", "") in ASKS:
            self.answers.append(result)
        return result


class Replay(TorchFunctionMode):
    """Gives the answers of an earlier run, where there are no values to look at."""

    def __init__(self, answers: Iterable[Any]) -> None:
        super().__init__()
        self.answers = deque(answers)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if self.answers and getattr(func, "__name__", "") in ASKS:
            return self.answers.popleft()
        return func(*args, **(kwargs or {}))


class _Watch(TorchFunctionMode):
    """Keeps what each convolution returns, and adds noise to that of one."""

    def __init__(self, disturbed: int | None = None) -> None:
        super().__init__()
        self.disturbed = disturbed
        self.outputs: list[Tensor] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if op_name(func) == "conv2d":
            if len(self.outputs) == self.disturbed:
                result = result + torch.randn_like(result)
            self.outputs.append(result)
        return result


def probe(model: nn.Module, input_size: tuple[int, ...], classes: int) -> Probe | None:
    """Return what runs on random pictures show, or None where the model does not run."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        try:
            return _probe(model, input_size, classes)
        except Exception:  # a model may fail in any way; tracing it will say how
            return None


def judged(outputs: Sequence[tuple[Output, tuple[int, ...]]], classes: int) -> list[Output]:
    """Return which of several outputs are meant for the loss: the first of the right shape.

    Shapes are without the batch. Where none is right, all are.
    """
    right = [output for output in outputs if output[1] == (classes,)]
    return [output[0] for output in right[:1] or outputs]


def _probe(model: nn.Module, input_size: tuple[int, ...], classes: int) -> Probe:
    own = copy_with(model, _own)
    x = torch.randn(1, *input_size, dtype=_dtype(model))
    with torch.no_grad(), _Recorder() as recorder:
        own(x)
    found = Probe(tuple(recorder.answers))
    pictures = torch.randn(PICTURES, *input_size, dtype=x.dtype)
    with contextlib.suppress(Exception):  # what cannot be differentiated is not accused
        # The answers were given to one picture. Without any, several tell more than one: what is
        # normalised over a batch of one is constant.
        _find_idle(found, model, x if found.answers else pictures, classes)
    found.batch = _train(own, pictures, classes)
    return found


def _dtype(model: nn.Module) -> torch.dtype:
    return next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)


def _own(tensor: Tensor) -> Tensor:
    """Return a tensor's values, or others where it has none."""
    return _drawn(tensor) if tensor.is_meta else tensor.detach().cpu().clone()


def _drawn(tensor: Tensor) -> Tensor:
    """Return random numbers that keep a signal's size: He's for kernels, near 1 for vectors.

    So that a factor that starts at 0 to be learnt, as in some residual blocks, is not 0 here.
    """
    if not tensor.is_floating_point():
        return torch.zeros(tensor.shape, dtype=tensor.dtype)
    if tensor.ndim < 2:
        return (torch.rand(tensor.shape) + 0.5).to(tensor.dtype)
    return (torch.randn(tensor.shape) * (2 / prod(tensor.shape[1:])) ** 0.5).to(tensor.dtype)


def _drawn_parameters(tensor: Tensor) -> Tensor:
    return _drawn(tensor) if isinstance(tensor, torch.nn.Parameter) else _own(tensor)


def _output(
    model: nn.Module, x: Tensor, answers: Iterable[Any], classes: int, watch: _Watch | None = None
) -> Tensor:
    """Return the judged outputs of a run as one vector."""
    with Replay(answers), watch or _Watch():
        tensors = tensors_in(model(x))
    pairs = [(one, tuple(one.shape[1:])) for one in tensors if one.is_floating_point()]
    return torch.cat([one.flatten() for one in judged(pairs, classes)])


def _find_idle(found: Probe, model: nn.Module, x: Tensor, classes: int) -> None:
    """Find what no gradient reaches, and of that what changes nothing."""
    unreached: set[int | str] = set()
    for draw in range(DRAWS):
        drawn = copy_with(model, _drawn_parameters)
        floats = {n: p for n, p in drawn.named_parameters() if p.is_floating_point()}
        for parameter in floats.values():
            parameter.requires_grad_()
        watch = _Watch()
        output = _output(drawn, x, found.answers, classes, watch)
        found.convolutions = len(watch.outputs)
        targets: dict[int | str, Tensor] = dict([*enumerate(watch.outputs), *floats.items()])
        now = _without_gradient(output, targets)
        unreached = unreached & now if draw else now
        if not unreached:
            return
    with torch.no_grad():
        before = _output(drawn, x, found.answers, classes)
        for key in sorted(key for key in unreached if isinstance(key, int)):
            after = _output(drawn, x, found.answers, classes, _Watch(key))
            (found.idle if _same(before, after) else found.stuck).add(key)
        for name in (name for name in floats if name in unreached):
            kept = floats[name].clone()
            floats[name].add_(torch.randn_like(kept))
            if _same(before, _output(drawn, x, found.answers, classes)):
                found.idle_parameters += (name,)
            floats[name].copy_(kept)


def _without_gradient(output: Tensor, targets: dict[int | str, Tensor]) -> set[int | str]:
    """Return the names of those tensors whose gradient is 0 or not there."""
    known = {key: tensor for key, tensor in targets.items() if tensor.requires_grad}
    if not output.requires_grad:
        return set(targets)
    weights = torch.randn_like(output)
    gradients = torch.autograd.grad(output @ weights, [*known.values()], allow_unused=True)
    reached = {k for k, g in zip(known, gradients, strict=True) if g is not None and g.any()}
    return set(targets) - reached


def _same(before: Tensor, after: Tensor) -> bool:
    """Return whether two outputs differ by rounding only, as where a branch is added and taken."""
    scale = before.abs().max().item()
    return torch.allclose(before, after, rtol=0, atol=1e-4 * scale, equal_nan=True)


def _train(model: nn.Module, pictures: Tensor, classes: int) -> Tensor | None:
    """Return the judged output for several pictures, in training mode if the model runs in it."""
    for mode in (True, False):
        try:
            with torch.no_grad():
                tensors = tensors_in(model.train(mode)(pictures))
        except Exception:  # batch statistics of one number, say
            continue
        pairs = [(one, tuple(one.shape[1:])) for one in tensors]
        return judged(pairs, classes)[0] if pairs else None
    return None
