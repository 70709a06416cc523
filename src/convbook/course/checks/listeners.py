"""Networks for sound to diagnose in chapter 10, and plausible ways to misjudge them."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

LENGTH = 400  # samples; no network below hears a quarter of it


@dataclass(frozen=True, repr=False)
class listener:
    """A network from a row of samples to a row as long, shown as it is written.

    Each layer is `("causal", taps, dilation)`, with all zeros on the left, `("same", taps,
    dilation)`, with the zeros where PyTorch puts them, or `("late", samples)`, which delays.

    Shapes:
        `(1, 1, L)` to `(1, 1, L)`.

    Example:
        >>> listener(("causal", 2, 1), ("late", 3))
        listener(('causal', 2, 1), ('late', 3))
    """

    layers: tuple

    def __init__(self, *layers):
        object.__setattr__(self, "layers", layers)

    def __repr__(self):
        return f"listener({', '.join(map(repr, self.layers))})"

    def __call__(self, x):
        """Return what the network makes of the samples."""
        x = x.double()
        for kind, *settings in self.layers:
            x = _late(x, *settings) if kind == "late" else _convolved(x, kind, *settings)
        return x


def _late(x, samples):
    return F.pad(x, (samples, 0))[..., : x.shape[-1]]


def _convolved(x, kind, taps, dilation):
    zeros = dilation * (taps - 1)
    before = zeros if kind == "causal" else zeros // 2
    weight = torch.linspace(0.5, 1, taps).double()[None, None]
    return torch.tanh(F.conv1d(F.pad(x, (before, zeros - before)), weight, dilation=dilation) + 0.1)


def heard(network):
    """Return how much later than an output its first and its last sample are, by the gradient."""
    x = torch.zeros(1, 1, LENGTH).double().requires_grad_()
    (gradient,) = torch.autograd.grad(network(x)[0, 0, LENGTH // 2], x)
    (places,) = gradient[0, 0].nonzero(as_tuple=True)
    return places[0].item() - LENGTH // 2, places[-1].item() - LENGTH // 2


def looks_ahead(network):
    """Return by how many samples an output knows the future, 0 if it does not."""
    return max(heard(network)[1], 0)


def looks_back(network):
    """Return how far an output looks into the past."""
    return max(-heard(network)[0], 0)


def only_the_widest(network):
    """Return how far the layer that looks furthest ahead looks, and no sum."""
    return max(looks_ahead(listener(layer)) for layer in network.layers)


def without_delays(network):
    """Add up what the layers look ahead, and let no delay take anything back."""
    return sum(looks_ahead(listener(layer)) for layer in network.layers)


def below_zero(network):
    """Return the last sample heard, also where it lies in the past."""
    return heard(network)[1]


_DOUBLING = (1, 2, 4)
_WAVENET = [("causal", 2, 2**i) for i in range(6)]
_STACKS = [
    [("causal", 2, 1)],
    [("same", 3, 1)],
    [("same", 2, 1)],
    [("same", 2, 2)],
    [("same", 3, 4)],
    [("same", 5, 1)],
    [("causal", 5, 3)],
    [("same", 3, 1), ("same", 3, 1)],
    [("causal", 3, d) for d in _DOUBLING],
    [("same", 3, d) for d in _DOUBLING],
    [("same", 2, d) for d in _DOUBLING],
    _WAVENET,
    [*_WAVENET[:3], ("same", 3, 8), *_WAVENET[3:]],
    [*_WAVENET, ("same", 2, 1)],
    [("same", 3, 16), *_WAVENET],
    [("same", 3, d) for d in (1, 2, 4, 8, 16)],
    [("same", 7, 5), ("causal", 2, 1)],
    [("late", 1), ("causal", 3, 2)],
    [("late", 1), ("same", 3, 1)],
    [("late", 2), ("same", 3, 1)],
    [("same", 3, 4), ("late", 3)],
    [("late", 1), ("same", 3, 2), ("same", 3, 2)],
    [("same", 4, 3), ("late", 4), ("same", 2, 5)],
    [("same", 5, 2), ("late", 9), ("causal", 2, 2)],
]
CASES = [{"network": listener(*layers)} for layers in _STACKS]
