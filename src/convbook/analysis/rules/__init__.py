"""The rule of each operation, by the name of PyTorch's function: what its outputs see.

See `rules.base` for what a rule is. What slides a window is in `rules.windows`, what changes the
shape in `rules.shapes`; what mixes or combines is here.
"""

from __future__ import annotations

import torch

from convbook.analysis.field import join
from convbook.analysis.rules import shapes, windows  # noqa: F401 (they enter their rules)
from convbook.analysis.rules.base import (
    RULES,
    Rule,
    RuleResult,
    WindowSettings,
    check_fixed,
    field_of,
    fields_in,
    letters,
    require_field,
    rule,
    several,
    tensors_in,
)


@rule("linear")
def _linear(outputs, input, weight, bias=None):
    check_fixed(weight, bias)
    return RuleResult(require_field(input).collapse([-1]).broadcast(outputs[0].shape))


@rule("matmul bmm mm mv")
def _matmul(outputs, input, other):
    left, right = field_of(input), field_of(other)
    if (left and right) or min(input.ndim, other.ndim) < 2:
        return _everything(outputs, input, other)
    seen = left.collapse([-1]) if left else require_field(other).collapse([-2])
    return RuleResult(seen.broadcast(outputs[0].shape))


@rule("scaled_dot_product_attention multi_head_attention_forward")
def _everything(outputs, *operands, **settings):
    """Every output sees all that any operand sees, as in attention."""
    parts = [part.collapse() for part in fields_in([operands, settings])]
    return RuleResult(join(parts, outputs[0].shape))


@rule("einsum")
def _einsum(outputs, equation, *operands):
    """Letters that are not in the result are mixed; the others move."""
    names, result = letters(equation)
    shape, parts = outputs[0].shape, []
    for name, operand in zip(names, tensors_in(operands), strict=True):
        if (seen := field_of(operand)) is not None:
            if len(set(name)) < len(name):
                seen = seen.collapse()
            dims = {letter: i - len(name) for i, letter in enumerate(name)}
            kept = enumerate(result, -len(result))
            places = {dims[letter]: place for place, letter in kept if letter in dims}
            parts.append(seen.rearranged(shape, places))
    return RuleResult(join(parts, shape))


@rule("copy fill")
def _copied(outputs, input, source, *_, **__):
    """What `copy_` takes from its source; nothing of what was there before is left."""
    return RuleResult(require_field(source).broadcast(outputs[0].shape))


def _pointwise(outputs, *operands, **settings):
    """Broadcast and combine element by element; what is mixed along another way is another rule."""
    return RuleResult(join(fields_in([operands, settings]), outputs[0].shape))


@rule("softmax log_softmax softmin cumsum cumprod")
def _mixing(outputs, input, dim=None, *_, dims=None, **__):
    """Softmax, cumulative sums: what lies along `dim` is mixed."""
    dim = dims if dim is None else dim
    return RuleResult(require_field(input).collapse(several(dim)))


@rule("flip")
def _flip(outputs, input, *dims, **settings):
    return _mixing(outputs, input, dims[0] if len(dims) == 1 else dims or None, **settings)


@rule("roll")
def _roll(outputs, input, shifts, dims=None):
    return _mixing(outputs, input, dims)


@rule("mean sum amax amin max min std var prod logsumexp argmax argmin any all")
def _reduction(outputs, input, dim=None, *rest, axis=None, **settings):
    """Means, sums, maxima: `dim` is mixed, and gone unless `keepdim`."""
    if isinstance(dim, torch.Tensor):  # torch.max of two tensors
        return _pointwise(outputs, input, dim)
    seen, shape = require_field(input), outputs[0].shape
    dims = several(axis if dim is None else dim) or range(len(seen.shape))
    mixed = [seen.positive(one) for one in dims]
    window = WindowSettings(reduced=tuple(sorted(seen.negative(one) for one in mixed)))
    seen = seen.collapse(mixed)
    if len(shape) == len(seen.shape):
        return RuleResult(seen, window)
    kept = [dim for dim in range(len(seen.shape)) if dim not in mixed]
    places = {seen.negative(dim): i - len(kept) for i, dim in enumerate(kept)}
    return RuleResult(seen.rearranged(shape, places), window)


# Normalisation counts as pointwise, whatever its statistics are taken over. In training it also
# writes them into buffers, which no output sees.
NORMALISATIONS = frozenset(
    ("batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm", "normalize")
)
# In place, these leave nothing of what was there.
OVERWRITING = frozenset(("copy", "fill", "zero", "setitem"))

rule(" ".join(NORMALISATIONS))(_pointwise)
rule("local_response_norm dropout dropout1d dropout2d dropout3d")(_pointwise)
rule("alpha_dropout feature_alpha_dropout feature_dropout")(_pointwise)
rule("relu hardswish prelu softsign tanhshrink log_sigmoid glu channel_shuffle")(_pointwise)
rule("contiguous clone detach to type type_as float double half bfloat16")(_pointwise)
rule("int long bool cpu data real requires_grad")(_pointwise)
rule("radd rsub rmul rdiv rtruediv rpow iadd isub imul itruediv idiv truediv")(_pointwise)
rule("floordiv multiply subtract divide masked_fill where")(_pointwise)

# Their results do not depend on the values they are given.
CONSTANT = frozenset(
    (
        *("zeros_like", "ones_like", "full_like", "empty_like", "rand_like", "randn_like"),
        *("new_zeros", "new_ones", "new_full", "new_empty", "new_tensor", "zero", "fill"),
    )
)


def rule_for(name: str) -> Rule | None:
    """Return the rule of an operation, or None. PyTorch itself says what else is pointwise."""
    packet = getattr(torch.ops.aten, name, None)
    versions = [getattr(packet, version) for version in packet.overloads()] if packet else []
    pointwise = any(torch.Tag.pointwise in version.tags for version in versions)
    return RULES.get(name, _pointwise if pointwise else None)


def is_pointwise(name: str) -> bool:
    """Return whether an operation works element by element, on one tensor or several."""
    return rule_for(name) is _pointwise
