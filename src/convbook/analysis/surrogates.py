"""What a model's operations do when only the reach of their gradients counts.

Weights are positive and all alike, and so are the channels of a map. A map is therefore kept as one
channel that only looks like many: an expanded tensor, whose stride along the channels is 0. What is
not replaced here runs as PyTorch has it.
"""

from collections.abc import Callable
from functools import partial
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from convbook._checks.arguments import per_axis
from convbook.analysis.rules import is_pointwise
from convbook.analysis.rules.base import op_name, several, tensors_in
from convbook.analysis.running import current_tensor, replace_tensor


class LinearSurrogateMode(TorchFunctionMode):
    """Replaces operations while a model runs, and counts what slides a window or resizes.

    Where an operation writes into memory that several tensors share, PyTorch itself must keep
    track: with `dense` each map has memory for all its channels, and is written into as ever.
    """

    def __init__(self, dense: bool = False) -> None:
        super().__init__()
        self.dense = dense
        self.windows = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):  # noqa: ANN204 (as PyTorch's)
        """Run one PyTorch function, or what takes the place of it."""
        # Whatever a forward says: without values, to take no gradient is to see no pixel.
        with torch.inference_mode(False), torch.enable_grad():
            return self.run(func, args, kwargs or {})

    def run(self, func: Callable, args: tuple, kwargs: dict) -> object:
        """Run one PyTorch function, with gradients."""
        op, given = op_name(func), args
        args, kwargs = _map_tensors(current_tensor, args), _map_tensors(current_tensor, kwargs)
        parts = _parts([args, kwargs])
        self.windows += op in WINDOWS
        if not parts:
            return _in_float64(func(*args, **kwargs))
        if op == "set_data":
            replace_tensor(given[0], args[1])
            return None
        if op == "setitem" and _parts(args[1]):  # a mask that is computed from the input
            return args[0].copy_(_average(parts, args[0].shape))
        if (op in _SURROGATES or is_pointwise(op)) and not (self.dense and op in _VIEWS):
            return self.surrogate(op, parts, func, args, kwargs)
        outputs = func(*args, **kwargs)
        if self.dense and op in _PIECES:  # PyTorch allows nobody to write into them
            return tuple(
                args[0].as_strided(one.shape, one.stride(), one.storage_offset()) for one in outputs
            )
        return outputs

    def surrogate(
        self, op: str, parts: list[Tensor], func: Callable, args: tuple, kwargs: dict
    ) -> object:
        """Run what takes the place of a function."""
        in_place = _is_in_place(func, kwargs)
        alone = len(parts) == 1 and parts[0] is args[0]
        if alone and (in_place or op in _SAME) and not hasattr(args[0], "_convbook_dtype"):
            return args[0]
        shapes = _map_tensors(_on_meta, args), _map_tensors(_on_meta, kwargs)
        dense = tensors_in(func(*shapes[0], **shapes[1]))[0]
        shape = dense.shape
        result = _SURROGATES[op](shape, *args, **kwargs) if op in _SURROGATES else None
        result = _average(parts, shape) if result is None else result
        if in_place:
            return self.written(args[0], result)
        if isinstance(result, Tensor):
            if self.dense and op not in _ALIASES:
                result = result.expand(shape).clone(memory_format=torch.contiguous_format)
            if not dense.is_floating_point():  # as of a comparison, which `where` asks for
                vars(result)["_convbook_dtype"] = dense.dtype
        return result

    def written(self, target: Tensor, result: Tensor) -> Tensor:
        """Return a tensor that an operation wrote a result into."""
        if self.dense:
            return target.copy_(result)
        replace_tensor(target, result)  # it may have no memory of its own to write into
        return result


def _in_float64(value):
    """Return a tensor that does not depend on the input, in the dtype of those that do."""
    if isinstance(value, Tensor) and value.is_floating_point():
        return value.to(torch.float64)
    return value


def _is_in_place(func, kwargs):
    """Return whether a function writes into its first argument, by the names PyTorch gives."""
    name = getattr(func, "__name__", "")
    by_name = name.endswith("_") and not name.endswith("__")
    return by_name or name in _IN_PLACE or bool(kwargs.get("inplace"))


def _map_tensors(function, value):
    """Return arguments with `function` of each tensor in them."""
    if isinstance(value, dict):
        return {key: _map_tensors(function, part) for key, part in value.items()}
    if type(value) in (tuple, list):
        return type(value)(_map_tensors(function, part) for part in value)
    return function(value) if isinstance(value, Tensor) else value


def _parts(value):
    """Return the tensors in `value` through which a gradient runs to the input."""
    return [tensor for tensor in tensors_in(value) if tensor.requires_grad]


def _on_meta(tensor):
    """Return a tensor without values, dense: enough to learn the shape of a result."""
    dtype = getattr(tensor, "_convbook_dtype", tensor.dtype)
    return torch.empty(tensor.shape, dtype=dtype, device="meta")


def _spread(thin, shape):
    """Expand a tensor and remember it: the gradient of a slice would be as large as the whole."""
    whole = thin.expand(shape)
    whole._convbook_thin = thin
    return whole


def _thin(x, *along):
    """Return one of the equal slices along some dimensions, or their average where they differ."""
    thin, dims = getattr(x, "_convbook_thin", x), [*along]
    if thin.ndim == x.ndim:
        dims = [dim % x.ndim for dim in dims]
        x = thin.expand([thin.shape[d] if d in dims else x.shape[d] for d in range(x.ndim)])
    for dim in dims:
        if x.shape[dim] > 1:
            x = x.narrow(dim, 0, 1) if x.stride(dim) == 0 else x.mean(dim, keepdim=True)
    return x


def _average(parts, shape):
    """Broadcast tensors and average them, in place of any function of their elements."""
    if len(parts) == 1 and parts[0].shape == shape:
        same = parts[0].view_as(parts[0])  # another tensor, which may be written to
        same._convbook_thin = getattr(parts[0], "_convbook_thin", parts[0])
        return same
    fitted = []
    for part in parts:
        dims = range(-part.ndim, 0)
        fits = [d for d in dims if part.shape[d] in (1, shape[d]) and part.stride(d) != 0]
        fitted.append(_thin(part, *[d for d in dims if d not in fits]))
    return _spread(sum(fitted) / len(fitted), shape)


# ------------------------------------------------------------------ windows and resizing


def _convolution(rank, shape, input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    kernel = _averaging(weight.shape[2:])
    return _CONVOLUTIONS[rank](_thin(input, 1), kernel, None, stride, padding, dilation)


def _transposed(
    rank,
    shape,
    input,
    weight,
    bias=None,
    stride=1,
    padding=0,
    output_padding=0,
    groups=1,
    dilation=1,
):
    settings = (stride, padding, output_padding, 1, dilation)
    return _TRANSPOSED[rank](_thin(input, 1), _averaging(weight.shape[2:]), None, *settings)


def _averaging(kernel_size):
    """Return a kernel for one channel that averages."""
    return torch.full((1, 1, *kernel_size), 1 / prod(kernel_size), dtype=torch.float64)


def _max_pool(rank, shape, input, kernel_size, stride=None, padding=0, dilation=1, *_, **__):
    """Average over the same windows, which may be dilated, or end beyond the border."""
    stride = kernel_size if stride in (None, [], ()) else stride
    settings = [per_axis(value, rank, "", 0) for value in (kernel_size, stride, padding, dilation)]
    pads: list[int] = []
    axes = zip(*settings, input.shape[2:], shape[2:], strict=True)
    for kernel, step, before, gap, size, count in axes:
        after = (count - 1) * step + gap * (kernel - 1) + 1 - before - size
        pads = [before, after, *pads]  # F.pad starts with the last dimension
    kernels, strides, _, dilations = settings
    x = F.pad(_thin(input, 1), pads)
    return _CONVOLUTIONS[rank](x, _averaging(kernels), None, strides, 0, dilations)


def _lp_pool(rank, shape, input, norm_type, kernel_size, stride=None, ceil_mode=False):
    return _max_pool(rank, shape, input, kernel_size, stride)


def _adaptive_pool(rank, shape, input, *_, **__):
    return _ADAPTIVE_POOLS[rank](_thin(input, 1), shape[2:])


def _interpolate(shape, input, *args, **kwargs):
    return F.interpolate(_thin(input, 1), *args, **kwargs)


def _pixel_shuffle(shape, input, upscale_factor):
    return F.pixel_shuffle(_thin(input, 1).expand(-1, upscale_factor**2, -1, -1), upscale_factor)


def _pixel_unshuffle(shape, input, downscale_factor):
    return F.pixel_unshuffle(_thin(input, 1), downscale_factor).mean(1, keepdim=True)


def _pad(shape, input, pad, *args, **kwargs):
    channels_too = len(pad) > 2 * (input.ndim - 2)
    return F.pad(input if channels_too else _thin(input, 1), pad, *args, **kwargs)


# ------------------------------------------------------------------ products, reductions, shapes


def _linear(shape, input, weight, bias=None):
    return _thin(input, -1)


def _matmul(shape, input, other):
    """Average the rows of one operand with the columns of the other."""
    if min(input.ndim, other.ndim) < 2:
        return _everything(shape, input, other)
    return _average(_parts([_thin(input, -1), _thin(other, -2)]), shape)


def _everything(shape, *operands, **__):
    """Average all of each operand, as attention does with other weights."""
    means = [part.mean() for part in _parts(operands)]
    return sum(means) / len(means)


def _einsum(shape, equation, *operands):
    """Multiply by ones; the product of two maps is an average of everything."""
    tensors = tensors_in(operands)
    if len(_parts(tensors)) > 1:
        return _everything(shape, *tensors)
    ones = [one if one.requires_grad else torch.ones_like(one).double() for one in tensors]
    product = torch.einsum(equation, *ones)
    return product / product.detach().abs().amax().clamp(min=1)


def _multi_head_attention(shape, *operands, **__):
    return _everything(shape, *operands).expand(shape), None


def _reduction(shape, input, dim=None, *_, axis=None, **__):
    """Average in place of maxima, which route the gradient, and of deviations, where it is 0."""
    dims = several(axis if dim is None else dim) or tuple(range(input.ndim))
    return input.mean(dims, keepdim=True).reshape(shape)


def _maximum(shape, input, dim=None, *args, **kwargs):
    """Average, and give indices where the maximum along a dimension does."""
    if isinstance(dim, torch.Tensor):
        return _average([input, dim], shape)
    mean = _reduction(shape, input, dim)
    if dim is None:
        return mean
    return torch.return_types.max((mean, torch.zeros(shape, dtype=torch.int64)))


def _concatenation(shape, tensors, dim=0, *, axis=None, **_):
    """Average maps that are laid side by side along their channels, if these are all equal."""
    dim = dim if axis is None else axis
    parts = _parts(tensors)
    if all(part.stride(dim) == 0 or part.shape[dim] == 1 for part in parts):
        return _average([_thin(part, dim) for part in parts], shape)
    return torch.cat([tensor.to(torch.float64) for tensor in tensors], dim)


def _view(shape, input, *_, **__):
    """Copy where an expanded tensor needs it and a dense one would not."""
    return input.reshape(shape)


def _names(surrogate, names):
    """Enter a surrogate whose one channel is spread to as many as PyTorch's result has."""

    def spread(shape, *args, **kwargs):
        return _spread(surrogate(shape, *args, **kwargs), shape)

    return dict.fromkeys(names.split(), spread)


def _ranked(surrogate, names):
    """Enter a surrogate that takes the number of axes, for 1, 2 and 3 of them."""
    entries: dict[str, Callable] = {}
    for rank in (1, 2, 3):
        entries |= _names(partial(surrogate, rank), names.format(rank))
    return entries


_CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
_ADAPTIVE_POOLS = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}
_SURROGATES = {
    **_ranked(_convolution, "conv{}d"),
    **_ranked(_transposed, "conv_transpose{}d"),
    **_ranked(_max_pool, "max_pool{}d"),
    **_ranked(_lp_pool, "lp_pool{}d"),
    **_ranked(_adaptive_pool, "adaptive_avg_pool{0}d adaptive_max_pool{0}d"),
    **_names(_interpolate, "interpolate"),
    **_names(_pad, "pad"),
    **_names(_pixel_shuffle, "pixel_shuffle"),
    **_names(_pixel_unshuffle, "pixel_unshuffle"),
    **_names(_linear, "linear"),
    **_names(_matmul, "matmul bmm mm mv"),
    **_names(_einsum, "einsum"),
    **_names(_everything, "scaled_dot_product_attention"),
    **_names(_reduction, "mean amax amin std var"),
    **_names(_concatenation, "cat concat concatenate"),
    **_names(_view, "view reshape flatten"),
    "max": _maximum,
    "min": _maximum,
    "multi_head_attention_forward": _multi_head_attention,
}
# What slides a window or resizes, by name: their number must not depend on the size of the input.
WINDOWS = frozenset(
    name for name in _SURROGATES if name.startswith(("conv", "max_pool", "lp_pool", "interpolate"))
) | {"avg_pool1d", "avg_pool2d", "avg_pool3d", "unfold", "fold"}
_PIECES = frozenset(("chunk", "split", "tensor_split", "split_with_sizes", "unbind"))
_VIEWS = frozenset(("view", "reshape", "flatten"))
_SAME = frozenset(("to", "type", "type_as", "float", "double", "real"))  # as without a dtype
_ALIASES = frozenset(("detach", "data", "contiguous"))  # these give the same memory back, or may
_ASSIGNED = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor")
_IN_PLACE = frozenset(f"__i{name}__" for name in _ASSIGNED)
