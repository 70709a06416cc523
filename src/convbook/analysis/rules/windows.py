"""Rules for what slides a window over a map, or resizes it."""

from fractions import Fraction

from convbook._checks.arguments import per_axis
from convbook.analysis.interval import PeriodicInterval
from convbook.analysis.rules.base import (
    RuleResult,
    WindowSettings,
    check_fixed,
    cut,
    one_if_equal,
    repeat,
    require_field,
    rule,
    rule_per_rank,
    split,
)
from convbook.arithmetic import Layer, conv_output_size

LAST = (-2, -1)


@rule("conv1d conv2d conv3d")
def _convolution(_, input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return _convolve(
        PeriodicInterval.window, input, weight, bias, stride, padding, dilation, groups
    )


@rule("conv_transpose1d conv_transpose2d conv_transpose3d")
def _transposed(
    _, input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    change = PeriodicInterval.transposed
    return _convolve(change, input, weight, bias, stride, padding, dilation, groups)


def _convolve(change, input, weight, bias, stride, padding, dilation, groups):
    check_fixed(weight, bias)
    layer = _layer(weight.shape[2:], stride, padding, dilation)
    rank = weight.ndim - 2
    mixed = require_field(input).collapse([-rank - 1])  # the channels
    return RuleResult(_slide(mixed, layer.axes(rank), change), _settings(layer, groups))


@rule_per_rank("max_pool{0}d max_pool{0}d_with_indices")
def _max_pool(
    rank, _, input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, **__
):
    return _pool(rank, require_field(input), kernel_size, stride, padding, dilation)


@rule_per_rank("avg_pool{}d")
def _avg_pool(rank, _, input, kernel_size, stride=None, padding=0, *__, **___):
    seen = require_field(input)
    kernels, paddings = (per_axis(v, rank, "", 0) for v in (kernel_size, padding))
    # An average over the whole map is global pooling, however it is spelt.
    sides = zip(range(-rank, 0), kernels, paddings, strict=True)
    whole = [dim for dim, kernel, pad in sides if seen.shape[dim] == kernel > 1 and not pad]
    return _pool(rank, seen.collapse(whole), kernel_size, stride, padding)


@rule_per_rank("lp_pool{}d")
def _lp_pool(rank, _, input, norm_type, kernel_size, stride=None, ceil_mode=False):
    return _pool(rank, require_field(input), kernel_size, stride)


def _pool(rank, seen, kernel_size, stride, padding=0, dilation=1):
    stride = kernel_size if stride in (None, [], ()) else stride
    layer = _layer(kernel_size, stride, padding, dilation)
    return RuleResult(_slide(seen, layer.axes(rank)), _settings(layer))


@rule_per_rank("adaptive_avg_pool{0}d adaptive_max_pool{0}d adaptive_max_pool{0}d_with_indices")
def _adaptive_pool(rank, outputs, input, *_, **__):
    sizes = [(input.shape[dim], outputs[0].shape[dim]) for dim in range(-rank, 0)]
    seen = require_field(input).collapse(
        [i - rank for i, (_, count) in enumerate(sizes) if count == 1]
    )
    settings = WindowSettings()
    if all(size % count == 0 for size, count in sizes):
        side = one_if_equal(tuple(size // count for size, count in sizes))
        settings = WindowSettings(side, side)
    return RuleResult(_slide(seen, sizes, PeriodicInterval.adaptive), settings)


def _slide(seen, axes, change=PeriodicInterval.window):
    """Return what the outputs see, by a change to what is seen along the last axes."""
    changes = {
        axis - len(axes): lambda interval, settings=settings: change(interval, *settings)
        for axis, settings in enumerate(axes)
    }
    return seen.change(changes)


def _layer(*settings):
    """Return a layer from settings as PyTorch takes them: torch.Size and lists become tuples."""
    return Layer(*(tuple(one) if isinstance(one, tuple | list) else one for one in settings))


def _settings(layer, groups=None):
    values = (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
    kernel, stride, padding, dilation = map(one_if_equal, values)
    return WindowSettings(kernel, stride, padding, dilation, groups)


@rule("pad")
def _pad(outputs, input, pad, *_, **__):
    changes = {-1 - axis: cut(-before) for axis, before in enumerate(pad[::2])}
    return RuleResult(require_field(input).change(changes))


@rule("pixel_shuffle")
def _pixel_shuffle(outputs, input, upscale_factor):
    seen = require_field(input).collapse([-3])
    return RuleResult(seen.change(dict.fromkeys(LAST, repeat(upscale_factor))))


@rule("pixel_unshuffle")
def _pixel_unshuffle(outputs, input, downscale_factor):
    seen = require_field(input).collapse([-3])
    return RuleResult(seen.change(dict.fromkeys(LAST, split(downscale_factor))))


@rule("unfold")
def _unfold(outputs, input, *arguments, **settings):
    """`F.unfold`, whose columns are windows, or `Tensor.unfold`, whose windows lie behind."""
    rule = _unfold_along if outputs[0].ndim > input.ndim else _columns
    return rule(outputs, input, *arguments, **settings)


def _unfold_along(outputs, input, dimension, size, step):
    seen = require_field(input)
    dim = seen.negative(dimension)
    seen = seen.windowed(dim, outputs[0].shape[dim - 1], step, size)
    return RuleResult(seen, WindowSettings(size, step))


def _columns(outputs, input, kernel_size, dilation=1, padding=0, stride=1):
    """Take windows along both axes, and lay their pixels, and their places, into one dimension."""
    layer = _pairs(kernel_size, stride, padding, dilation)
    paddings = zip(LAST, layer.padding, strict=True)
    seen = require_field(input).change({dim: cut(-before) for dim, before in paddings})
    for dim, (taps, step, before, gap) in zip(LAST, layer.axes(2), strict=True):
        count = conv_output_size(input.shape[dim], taps, step, before, gap)
        # The pixels of the windows go to the end, and the other axis comes to -2.
        seen = seen.windowed(-2, count, step, gap * (taps - 1) + 1).sliced(-1, 0, gap, taps)
    # Now the dimensions are (N, C, H_out, W_out, k_h, k_w).
    *front, rows, columns, k_h, k_w = seen.shape
    places = {dim: dim for dim in range(-len(seen.shape), -4)}
    places |= {-4: -2, -3: -1, -2: -4, -1: -3}
    seen = seen.rearranged((*front, k_h, k_w, rows, columns), places)
    shown = seen.collapse([-5, -4, -3])
    return RuleResult(seen.viewed(outputs[0].shape), _settings(layer), shown)


@rule("fold")
def _fold(outputs, input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Add the columns up where their windows were: `unfold` backwards."""
    layer, shape = _pairs(kernel_size, stride, padding, dilation), tuple(outputs[0].shape)
    counts = [
        conv_output_size(size, *settings)
        for size, settings in zip(shape[-2:], layer.axes(2), strict=True)
    ]
    seen = require_field(input).viewed((*shape[:-2], *layer.kernel_size, *counts))
    for dim, settings in zip(LAST, layer.axes(2), strict=True):
        seen = seen.folded(dim, settings, shape[dim])
    front = {dim - 2: dim for dim in range(-len(shape), -2)}
    return RuleResult(seen.rearranged(shape, {**front, -2: -2, -1: -1}), _settings(layer))


def _pairs(*settings):
    """Return the settings of a window with a pair for each."""
    return Layer(*(per_axis(value, 2, "", 0) for value in settings))


def _resize_ratios(sizes, scale_factor, align_corners, recompute_scale_factor):
    """Return how many values lie between the places that two neighbouring outputs look at."""
    if align_corners:
        return [Fraction(count - 1, max(output_count - 1, 1)) for count, output_count in sizes]
    if scale_factor is not None and not recompute_scale_factor:
        factors = (
            scale_factor if isinstance(scale_factor, tuple | list) else [scale_factor] * len(sizes)
        )
        return [1 / Fraction(float(factor)).limit_denominator(1000) for factor in factors]
    return [Fraction(count, output_count) for count, output_count in sizes]


# How far around a place each kind of resize looks: values before its floor, and after.
RESIZES = {
    "nearest": (0, 0),
    "nearest-exact": (0, 0),
    "linear": (0, 1),
    "bilinear": (0, 1),
    "trilinear": (0, 1),
    "bicubic": (1, 2),
}


@rule("interpolate")
def _interpolate(
    outputs,
    input,
    size=None,
    scale_factor=None,
    mode="nearest",
    align_corners=None,
    recompute_scale_factor=None,
    antialias=False,
):
    if mode == "area":
        return _adaptive_pool(input.ndim - 2, outputs, input)
    if antialias or mode not in RESIZES:
        raise ValueError(f"mode={mode!r}, antialias={antialias}: use one of {[*RESIZES]}, False")
    sizes = list(zip(input.shape[2:], outputs[0].shape[2:], strict=True))
    ratios = _resize_ratios(sizes, scale_factor, align_corners, recompute_scale_factor)
    places = []
    for ratio in ratios:
        offset = (ratio - 1) / 2  # the centres of the pixels lie at o + 1/2
        if align_corners or mode == "nearest":
            offset = Fraction(0)
        elif mode == "nearest-exact":
            offset += Fraction(1, 2)
        places.append((ratio, offset, *RESIZES[mode]))
    return RuleResult(_slide(require_field(input), places, PeriodicInterval.resampled))
