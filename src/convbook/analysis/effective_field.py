"""The effective receptive field: how much each pixel matters, not only whether it is seen."""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import NamedTuple

import torch
from torch import Tensor, nn

from convbook._checks.arguments import integer
from convbook.analysis._copies import (
    NoMap,
    check_input_size,
    copy_with,
    module_named,
    on_meta,
    output_of,
)
from convbook.analysis.refusals import check_forward, refusal
from convbook.analysis.running import followable


class EffectiveField(NamedTuple):
    """How much each pixel of the input moves the central output.

    Shapes:
        `map` has the input's axes, `(H, W)`; `sigma` has one number per axis.

    Args:
        map: the mean size of the gradient, as a float64 tensor whose largest value is 1.
        width: the side of a square with as many pixels as have more than 4.55 % of the largest
            (the paper says: of the centre, which is the largest in a plain stack).
        sigma: the standard deviation of a pixel's place along each axis, the map as its weight; for
            a Gaussian map, 95.45 % of a section lie within 2 sigma of its centre.

    Example:
        >>> EffectiveField(torch.ones(3, 3), 3.0, (0.8, 0.8)).width
        3.0

    Source: Luo et al., arXiv 1701.04128.
    """

    map: Tensor
    width: float
    sigma: tuple[float, ...]


def effective_receptive_field(
    model: nn.Module,
    input_size: Sequence[int] = (3, 32, 32),
    layer: str | None = None,
    samples: int = 20,
    redraw: bool = False,
    seed: int = 0,
) -> EffectiveField:
    """Return how much each pixel of the input moves the central output, on average.

    For each sample the input is drawn from a standard normal distribution, and the gradient of the
    central output, summed over its channels, is taken with respect to the input. The map is the
    mean over samples of its absolute value, summed over the input's channels. The model runs as it
    is, in evaluation mode, and neither it nor PyTorch's random numbers change.

    Shapes:
        `input_size` is `(C, H, W)`; the map has the axes after the channels.

    Args:
        model: its forward takes one tensor.
        input_size: channels and pixels of the input, at least 1; so many that the field of the
            central output lies inside, or the border cuts the map.
        layer: the name of the layer whose output is looked at; None is the whole model.
        samples: how many inputs, at least 1.
        redraw: whether to draw the weights anew for each sample, by each layer's own
            `reset_parameters`.
        seed: where the random numbers start.

    Raises:
        ValueError: there is no such layer, the model does not run on this input, its output is no
            map, or a value is out of range.
        TypeError: `model` is not an `nn.Module`, or a value is not an integer.

    Example:
        >>> from torch import nn
        >>> stack = nn.Sequential(*[nn.Conv2d(1, 1, 3, padding=1) for _ in range(10)])
        >>> field = effective_receptive_field(stack, (1, 51, 51), redraw=True)
        >>> field.width < 21  # the theoretical field
        True

    Source: Luo et al., arXiv 1701.04128, section 3 and, for the 4.55 %, section 4.
    """
    input_size = check_input_size(input_size)
    samples, seed = integer(samples, "samples", 1), integer(seed, "seed", 0)
    model = copy_with(model, torch.Tensor.clone)
    check_forward(model)
    module_named(model, layer)
    weights = next((p for p in model.parameters() if p.is_floating_point()), torch.empty(()))
    total = torch.zeros(input_size[1:], dtype=torch.float64)
    # The weights of a GPU model are drawn there: its generator is put back too.
    devices = [weights.device] if weights.is_cuda else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        for _ in range(samples):
            if redraw:
                model.apply(_redraw)
            x = torch.randn(1, *input_size).to(weights)  # drawn on the CPU: the same followable
            x.requires_grad_()
            total += _gradient(model, x, layer)[0].abs().sum(0).to("cpu", torch.float64)
    return _summary(total)


def _gradient(model, x, layer):
    """Return the gradient of the central output, summed over its channels."""
    try:
        with followable(x.device, functions=False):
            output = output_of(model, x, layer)
    except NoMap:
        raise
    except Exception as error:  # a forward can fail in any way
        raise refusal(error, copy_with(model, on_meta), tuple(x.shape[1:])) from error
    if output.ndim != x.ndim:
        name = "model" if layer is None else f"layer={layer!r}"
        raise ValueError(
            f"{name} gives a tensor of shape {tuple(output.shape)}, not a map; "
            "use a layer before pooling and flattening"
        )
    place: tuple[EllipsisType | int, ...] = (..., *(size // 2 for size in output.shape[2:]))
    centre = output[place].sum()
    if not centre.requires_grad:
        raise ValueError("model's output has no gradient; it must be computed from its input")
    (gradient,) = torch.autograd.grad(centre, x, allow_unused=True)
    return torch.zeros_like(x) if gradient is None else gradient


def _redraw(module):
    if hasattr(module, "reset_parameters"):
        module.reset_parameters()


def _summary(total):
    """Return the map, scaled to 1, its width and its spread."""
    if not total.any():
        raise ValueError("model's central output has no gradient at all; use redraw=True")
    scaled = total / total.max()
    rank = scaled.ndim
    width = (scaled > 0.0455).sum().item() ** (1 / rank)
    sigma = []
    for axis in range(rank):
        share = scaled.movedim(axis, 0).flatten(1).sum(1) if rank > 1 else scaled
        share = share / share.sum()
        place = torch.arange(len(share), dtype=torch.float64)
        mean = (share * place).sum()
        sigma.append((share * (place - mean) ** 2).sum().sqrt().item())
    return EffectiveField(scaled, width, tuple(sigma))
