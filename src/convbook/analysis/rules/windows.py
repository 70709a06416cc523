"""Rules for what slides a window over a map, or resizes it."""

from fractions import Fraction

from convbook._checks.arguments import per_axis
from convbook.analysis.rules.base import Step, Window, cut, plain, repeat, seen_by, seen_of, split
from convbook.arithmetic import Layer, conv_output_size


def convolution(outputs, input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    check_fixed(weight, bias)
    kernel_size = tuple(weight.shape[2:])
    layer = Layer(kernel_size, _setting(stride), _setting(padding), _setting(dilation))
    seen = _slide(seen_of(input), layer.axes(len(kernel_size)), mixing=True)
    return Step(seen, _window(layer, groups))


def transposed(
    outputs, input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    check_fixed(weight, bias)
    kernel_size = tuple(weight.shape[2:])
    layer = Layer(kernel_size, _setting(stride), _setting(padding), _setting(dilation))
    rank = len(kernel_size)
    changes = {
        axis - rank: lambda interval, settings=settings: interval.transposed(*settings)
        for axis, settings in enumerate(layer.axes(rank))
    }
    seen = seen_of(input).collapse([-rank - 1]).change(changes)
    return Step(seen, _window(layer, groups))


def max_pool(
    rank, _, input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, **__
):
    return _pool(rank, seen_of(input), kernel_size, stride, padding, dilation)


def avg_pool(rank, _, input, kernel_size, stride=None, padding=0, *__, **___):
    seen = seen_of(input)
    kernels, paddings = (per_axis(_setting(v), rank, "", 0) for v in (kernel_size, padding))
    # An average over the whole map is global pooling, however it is spelt.
    sides = zip(range(-rank, 0), kernels, paddings, strict=True)
    whole = [dim for dim, kernel, pad in sides if seen.shape[dim] == kernel > 1 and not pad]
    return _pool(rank, seen.collapse(whole), kernel_size, stride, padding)


def lp_pool(rank, _, input, norm_type, kernel_size, stride=None, ceil_mode=False):
    return _pool(rank, seen_of(input), kernel_size, stride)


def _pool(rank, seen, kernel_size, stride, padding=0, dilation=1):
    stride = kernel_size if stride in (None, [], ()) else stride
    layer = Layer(*map(_setting, (kernel_size, stride, padding, dilation)))
    return Step(_slide(seen, layer.axes(rank)), _window(layer))


def adaptive_pool(rank, outputs, input, *_, **__):
    sizes = {dim: (input.shape[dim], outputs[0].shape[dim]) for dim in range(-rank, 0)}
    seen = seen_of(input).collapse([dim for dim, (_, count) in sizes.items() if count == 1])
    changes = {
        dim: lambda interval, size=size: interval.adaptive(*size) for dim, size in sizes.items()
    }
    window = Window()
    if all(size % count == 0 for size, count in sizes.values()):
        side = plain(tuple(size // count for size, count in sizes.values()))
        window = Window(side, side)
    return Step(seen.change(changes), window)


def _slide(seen, axes, mixing=False):
    """Return what a window's outputs see; a convolution also mixes the channels."""
    rank = len(axes)
    changes = {
        axis - rank: lambda interval, settings=settings: interval.window(*settings)
        for axis, settings in enumerate(axes)
    }
    return (seen.collapse([-rank - 1]) if mixing else seen).change(changes)


def _window(layer, groups=None):
    settings = (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
    return Window(*map(plain, settings), groups)


def _setting(value):
    """Return a setting as `Layer` takes it: torch.Size and lists become tuples."""
    return tuple(value) if isinstance(value, tuple | list) else value


def check_fixed(*weights):
    """Refuse weights that depend on the input: what is seen through them has no window."""
    if any(map(seen_by, weights)):
        raise ValueError("its weight or bias is computed from the input; use parameters")


def pad(outputs, input, pad, *_, **__):
    changes = {-1 - axis: cut(-before) for axis, before in enumerate(pad[::2])}
    return Step(seen_of(input).change(changes))


def pixel_shuffle(outputs, input, upscale_factor):
    return Step(seen_of(input).collapse([-3]).change(dict.fromkeys(LAST, repeat(upscale_factor))))


def pixel_unshuffle(outputs, input, downscale_factor):
    return Step(seen_of(input).collapse([-3]).change(dict.fromkeys(LAST, split(downscale_factor))))


def unfold(outputs, input, *arguments, **settings):
    """`F.unfold`, whose columns are windows, or `Tensor.unfold`, whose windows lie behind."""
    if outputs[0].ndim > input.ndim:
        return _unfold_along(outputs, input, *arguments, **settings)
    return _columns(outputs, input, *arguments, **settings)


def _unfold_along(outputs, input, dimension, size, step):
    seen = seen_of(input)
    dim = seen.negative(dimension)
    return Step(seen.windowed(dim, outputs[0].shape[dim - 1], step, size), Window(size, step))


def _columns(outputs, input, kernel_size, dilation=1, padding=0, stride=1):
    """Take windows along both axes, and lay their pixels, and their places, into one dimension."""
    layer = _pairs(kernel_size, stride, padding, dilation)
    paddings = zip(LAST, layer.padding, strict=True)
    seen = seen_of(input).change({dim: cut(-before) for dim, before in paddings})
    for dim, (taps, step, before, gap) in zip(LAST, layer.axes(2), strict=True):
        count = conv_output_size(input.shape[dim], taps, step, before, gap)
        # The pixels of the windows go to the end, and the other axis comes to -2.
        seen = seen.windowed(-2, count, step, gap * (taps - 1) + 1).sliced(-1, 0, gap, taps)
    # Now the dimensions are (N, C, H_out, W_out, k_h, k_w).
    *front, rows, columns, k_h, k_w = seen.shape
    places = {dim: dim for dim in range(-len(seen.shape), -4)}
    places |= {-4: -2, -3: -1, -2: -4, -1: -3}
    seen = seen.rearranged((*front, k_h, k_w, rows, columns), places)
    return Step(seen.viewed(outputs[0].shape), _window(layer), seen.collapse([-5, -4, -3]))


def fold(outputs, input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Add the columns up where their windows were: `unfold` backwards."""
    layer, shape = _pairs(kernel_size, stride, padding, dilation), tuple(outputs[0].shape)
    counts = [
        conv_output_size(size, *settings)
        for size, settings in zip(shape[-2:], layer.axes(2), strict=True)
    ]
    seen = seen_of(input).viewed((*shape[:-2], *layer.kernel_size, *counts))
    for dim, settings in zip(LAST, layer.axes(2), strict=True):
        seen = seen.folded(dim, settings, shape[dim])
    front = {dim - 2: dim for dim in range(-len(shape), -2)}
    return Step(seen.rearranged(shape, {**front, -2: -2, -1: -1}), _window(layer))


def _pairs(*settings):
    """Return the settings of a window with a pair for each."""
    return Layer(*(per_axis(_setting(value), 2, "", 0) for value in settings))


def resize_ratios(
    input_shape, output_shape, scale_factor=None, align_corners=None, recompute_scale_factor=None
):
    """Return how many values lie between the places that two neighbouring outputs look at."""
    rank = len(input_shape) - 2
    sizes = list(zip(input_shape[2:], output_shape[2:], strict=True))
    if align_corners:
        return [Fraction(count - 1, max(output_count - 1, 1)) for count, output_count in sizes]
    if scale_factor is not None and not recompute_scale_factor:
        factors = scale_factor if isinstance(scale_factor, tuple | list) else [scale_factor] * rank
        return [1 / Fraction(float(factor)).limit_denominator(1000) for factor in factors]
    return [Fraction(count, output_count) for count, output_count in sizes]


LAST = (-2, -1)
# How far around a place each kind of resize looks: values before its floor, and after.
RESIZES = {
    "nearest": (0, 0),
    "nearest-exact": (0, 0),
    "linear": (0, 1),
    "bilinear": (0, 1),
    "trilinear": (0, 1),
    "bicubic": (1, 2),
}


def interpolate(
    outputs,
    input,
    size=None,
    scale_factor=None,
    mode="nearest",
    align_corners=None,
    recompute_scale_factor=None,
    antialias=False,
):
    rank = input.ndim - 2
    if mode == "area":
        return adaptive_pool(rank, outputs, input)
    if antialias or mode not in RESIZES:
        raise ValueError(f"mode={mode!r}, antialias={antialias}: use one of {[*RESIZES]}, False")
    settings = (scale_factor, align_corners, recompute_scale_factor)
    ratios = resize_ratios(input.shape, outputs[0].shape, *settings)
    changes = {}
    for dim, ratio in zip(range(-rank, 0), ratios, strict=True):
        offset = (ratio - 1) / 2  # the centres of the pixels lie at o + 1/2
        if align_corners or mode == "nearest":
            offset = Fraction(0)
        elif mode == "nearest-exact":
            offset += Fraction(1, 2)
        place = (ratio, offset, *RESIZES[mode])
        changes[dim] = lambda interval, place=place: interval.resampled(*place)
    return Step(seen_of(input).change(changes))
