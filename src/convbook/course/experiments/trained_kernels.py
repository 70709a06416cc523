"""How nearly cheaper layers could replace trained 3 x 3 convolutions: what chapter 8 looks at.

A standard convolution's weight is taken apart in three ways. In each, a few terms stand for all:

- channel: for each input channel a few kernels, which all filters share in amounts of their own;
  with one it is a depthwise and a pointwise convolution, with m the depth multiplier is m;
- filter: for each filter a few kernels, which its channels share: pointwise first, then depthwise;
- kernel: each kernel by itself, as a sum of a few columns times rows.
"""

from __future__ import annotations  # the site is built without torch: no `Tensor | None` runs

from copy import deepcopy

import torch
from torch import Tensor, nn

from convbook.train import evaluate
from convbook.train.augment import to_float

WAYS = ("channel", "filter", "kernel")
# So many terms are tried in a network.
TERMS = {"channel": (1, 2, 4, 6, 8), "filter": (1,), "kernel": (1,)}
BATCH = 250  # pictures that a batch norm measures at a time
LEVELS = 127  # of a weight that is written down, on either side of 0


def as_matrices(weight: Tensor, way: str = "channel") -> Tensor:
    """Return the matrices that are taken apart: one a channel, a filter or a kernel.

    Shapes:
        `(C_out, C_in, k, k)` to `(C_in, C_out, k * k)`, `(C_out, C_in, k * k)`, or as it was.

    Raises:
        ValueError: the way is unknown.

    Example:
        >>> [tuple(as_matrices(torch.ones(4, 2, 3, 3), way).shape) for way in WAYS]
        [(2, 4, 9), (4, 2, 9), (4, 2, 3, 3)]
    """
    if way not in WAYS:
        raise ValueError(f"way={way!r} is unknown; use one of {WAYS}")
    if way == "kernel":
        return weight
    return (weight.transpose(0, 1) if way == "channel" else weight).flatten(2)


def nearest(weight: Tensor, terms: int, way: str = "channel") -> Tensor:
    """Return the nearest weight with so many terms: the smallest sum of squared differences.

    Shapes:
        `(C_out, C_in, k, k)`, as it was.

    Example:
        >>> pair = torch.arange(1.0, 5).reshape(4, 1, 1, 1) * torch.arange(18.0).reshape(1, 2, 3, 3)
        >>> bool((nearest(pair, 1) - pair).abs().max() < 1e-4)
        True

    Source: Eckart and Young, Psychometrika 1, 1936.
    """
    left, sizes, right = torch.linalg.svd(as_matrices(weight, way), full_matrices=False)
    near = (left[..., :terms] * sizes[..., None, :terms]) @ right[..., :terms, :]
    if way == "channel":
        near = near.transpose(0, 1)
    return near.reshape(weight.shape)


def kept(weight: Tensor, way: str = "channel") -> list[float]:
    """Return which share of the squared weights 1, 2, 3 ... terms keep, over all matrices.

    Example:
        >>> kept(torch.eye(3).reshape(1, 1, 3, 3), "kernel")
        [0.333, 0.667, 1.0]
    """
    squares = torch.linalg.svdvals(as_matrices(weight.double(), way)).square()
    sums = squares.flatten(0, -2).sum(0).cumsum(0)
    return [round(share, 3) for share in (sums / sums[-1]).tolist()]


def dense_layers(model: nn.Module) -> dict[str, nn.Conv2d]:
    """Return the standard 3 x 3 convolutions of a network but the first, by their names.

    The first one reads the picture, in three channels; MobileNet leaves it as it is, too.

    Example:
        >>> from convbook.models import S7Repaired
        >>> list(dense_layers(S7Repaired()))
        ['c2.0', 'c3.0', 'c4.0.0']
    """
    named = [(name, one) for name, one in model.named_modules() if isinstance(one, nn.Conv2d)]
    return {name: one for name, one in named[1:] if one.kernel_size == (3, 3) and one.groups == 1}


def replaced(
    model: nn.Module, terms: int, way: str = "channel", pictures: Tensor | None = None
) -> nn.Module:
    """Return a copy of a network in which each of its `dense_layers` has only so many terms.

    Args:
        model: is left as it is.
        terms: of each matrix.
        way: one of `WAYS`.
        pictures: on which the batch norms measure means and variances anew, uint8 `(N, C, H, W)`;
            left out, they keep those of the network as it was.

    Example:
        >>> from convbook.models import S7Repaired
        >>> kept(replaced(S7Repaired(), 2).c2[0].weight)[1]
        1.0
    """
    copy = deepcopy(model)
    with torch.no_grad():
        for layer in dense_layers(copy).values():
            layer.weight.copy_(nearest(layer.weight.double(), terms, way))
    if pictures is not None:
        measure_anew(copy, pictures)
    return copy.eval()


def measure_anew(model: nn.Module, pictures: Tensor) -> None:
    """Let the batch norms of a network take their means and variances from these pictures."""
    for norm in (one for one in model.modules() if isinstance(one, nn.BatchNorm2d)):
        norm.reset_running_stats()
        norm.momentum = None  # the plain average over all batches
    model.train()
    with torch.no_grad():
        for batch in pictures.split(BATCH):
            model(to_float(batch))


def look(model: nn.Module, test, training) -> dict:
    """Return what is recorded of a trained network: what is kept, and what it still gets right.

    Args:
        model: a classifier.
        test: a `Split` of `convbook.data`, for the accuracies.
        training: pictures on which the batch norms measure anew; their labels play no part.
    """

    def rights(way, pictures):
        changed = [replaced(model, terms, way, pictures) for terms in TERMS[way]]
        return [evaluate(one, test)["accuracy"] for one in changed]

    return {
        "accuracy": evaluate(model, test)["accuracy"],
        "kept": {
            name: {way: kept(one.weight.detach(), way) for way in WAYS}
            for name, one in dense_layers(model).items()
        },
        "right": {way: rights(way, None) for way in WAYS},
        "right_with_new_norms": {way: rights(way, training) for way in WAYS},
    }


def to_text(weight: Tensor) -> dict:
    """Return a weight as text, a byte for each number, with its shape and its largest number.

    Example:
        >>> to_text(torch.tensor([0, 0.5, -1]))
        {'shape': [3], 'largest': 1.0, 'bytes': '7fbf00'}
    """
    largest = weight.abs().max().item()
    levels = (weight / largest * LEVELS).round().int().flatten() + LEVELS
    return {
        "shape": list(weight.shape),
        "largest": largest,
        "bytes": bytes(levels.tolist()).hex(),
    }


def from_text(written: dict) -> Tensor:
    """Return the weight that `to_text` wrote, float64; each number is rounded to a byte.

    Example:
        >>> from_text({"shape": [3], "largest": 1.0, "bytes": "7fbf00"})
        tensor([ 0.0000,  0.5039, -1.0000], dtype=torch.float64)
    """
    levels = torch.tensor(list(bytes.fromhex(written["bytes"]))).double() - LEVELS
    return (levels / LEVELS * written["largest"]).reshape(written["shape"])
