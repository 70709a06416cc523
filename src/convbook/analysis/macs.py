"""Multiply-adds (MACs) by operation: those of convolutions and of matrix products.

Taps in the padding count like any other. Additions of a bias, normalisation, activations and
pooling count nothing, as in most published tables.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from math import prod

import torch.nn.functional as F
from torch import Tensor

from convbook.analysis.rules.base import letters, tensors_in


def macs_of(
    op: str, outputs: Sequence[Tensor], args: Sequence[object], kwargs: Mapping[str, object]
) -> int:
    """Return the multiply-adds of one operation, from what it took and gave."""
    return _MACS[op](outputs[0], *args, **kwargs) if op in _MACS else 0


def _convolution(output, input, weight, *_, **__):
    """Each output is a sum over one filter."""
    return output.numel() * weight[0].numel()


def _transposed(output, input, weight, *_, **__):
    """Each input is spread over the filters that read it."""
    return input.numel() * weight[0].numel()


def _product(output, input, *_, **__):
    """Each output is a sum over the last dimension of the input."""
    return output.numel() * input.shape[-1]


def _einsum(output, equation, *operands):
    """Multiply one operand after the other, as PyTorch does: each combination of the letters once.

    A letter that no later operand and no result has is summed over as soon as it can be.
    """
    names, result = letters(equation)
    sizes = {
        letter: size
        for name, operand in zip(names, tensors_in(operands), strict=True)
        for letter, size in zip(name, operand.shape, strict=True)
    }
    done, count = {*names[0]}, 0
    for place, name in enumerate(names[1:], 2):
        count += prod(sizes[letter] for letter in done | {*name})
        done = (done | {*name}) & {*result, *"".join(names[place:])}
    return count


def _attention(output, query, key, value, *_, **__):
    """Each query meets each key, and takes its share of each value."""
    pairs = query.shape[:-1].numel() * key.shape[-2]
    return pairs * (query.shape[-1] + value.shape[-1])


def _multi_head_attention(output, *arguments, **settings):
    """Four projections and the attention between them; the batch is the second dimension.

    `add_bias_kv` and `add_zero_attn` each add a key that is not projected.
    """
    given = _HEADS.bind(*arguments, **settings).arguments
    query, key, value, embed_dim = (
        given[name] for name in ("query", "key", "value", "embed_dim_to_check")
    )
    length, source, batch = query.shape[0], key.shape[0], prod(query.shape[1:-1])
    projections = 2 * length * embed_dim**2  # of the queries, and of the result
    projections += source * embed_dim * (key.shape[-1] + value.shape[-1])
    keys = source + (given.get("bias_k") is not None) + bool(given.get("add_zero_attn"))
    return batch * (projections + 2 * length * keys * embed_dim)


_HEADS = inspect.signature(F.multi_head_attention_forward)
_MACS: dict[str, Callable[..., int]] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _convolution),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), _transposed),
    **dict.fromkeys(("linear", "matmul", "bmm", "mm", "mv"), _product),
    "einsum": _einsum,
    "scaled_dot_product_attention": _attention,
    "multi_head_attention_forward": _multi_head_attention,
}
