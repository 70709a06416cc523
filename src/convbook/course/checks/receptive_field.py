"""Checkers for chapter 5, Receptive field."""

from itertools import product
from math import ceil, comb

from convbook.arithmetic import conv_output_size
from convbook.course.checks._checker import Checker, grid


def field_size(layers):
    """Return the size of the field of a stack of (kernel size, stride, dilation)."""
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        size += dilation * (kernel_size - 1) * jump
        jump *= stride
    return size


def _sum_of_kernels(layers):
    """Add k instead of k - 1 for every layer after the first."""
    (kernel_size, stride, dilation), *others = layers
    size, jump = dilation * (kernel_size - 1) + 1, stride
    for kernel_size, stride, dilation in others:
        size += (dilation * (kernel_size - 1) + 1) * jump
        jump *= stride
    return size


def _own_stride(layers):
    """Let each stride count for its own layer."""
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        jump *= stride
        size += dilation * (kernel_size - 1) * jump
    return size


def _last_stride_only(layers):
    """Forget all strides but that of the layer before."""
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        size += dilation * (kernel_size - 1) * jump
        jump = stride
    return size


def _product_of_kernels(layers):
    """Multiply the windows, as if they never overlapped."""
    size = 1
    for kernel_size, _, dilation in layers:
        size *= dilation * (kernel_size - 1) + 1
    return size


def _without_holes(layers):
    """Count the pixels that are read instead of the places from the first to the last."""
    seen = {0}
    for kernel_size, stride, dilation in reversed(layers):
        seen = {n * stride + tap * dilation for n in seen for tap in range(kernel_size)}
    return len(seen)


def _numbers(layers, size):
    """Return how many numbers the last map has."""
    for kernel_size, stride, padding in layers:
        size = conv_output_size(size, kernel_size, stride, padding)
    return size


def _field(layers):
    """Return size, jump and start after layers of (kernel size, stride, padding)."""
    size, jump, start = 1, 1, 0
    for kernel_size, stride, padding in layers:
        size += (kernel_size - 1) * jump
        start -= padding * jump
        jump *= stride
    return size, jump, start


def _clip(first, last, input_size):
    return max(first, 0), min(last, input_size - 1)


def pixels_seen(layers, input_size, number):
    """Return the first and last pixel of the picture that a number of the last map depends on."""
    size, jump, start = _field(layers)
    first = start + number * jump
    return _clip(first, first + size - 1, input_size)


def _with_padding(layers, input_size, number):
    size, jump, start = _field(layers)
    first = start + number * jump
    return first, first + size - 1


def _without_padding(layers, input_size, number):
    return pixels_seen([(k, stride, 0) for k, stride, _ in layers], input_size, number)


def _padding_as_pixels(layers, input_size, number):
    size, jump, _ = _field(layers)
    first = number * jump - sum(padding for _, _, padding in layers)
    return _clip(first, first + size - 1, input_size)


def _without_jump(layers, input_size, number):
    size, _, start = _field(layers)
    return _clip(start + number, start + number + size - 1, input_size)


def _end_behind(layers, input_size, number):
    size, jump, start = _field(layers)
    first = start + number * jump
    return max(first, 0), min(first + size, input_size)


def _beginning_cut(layers, input_size, number):
    first, last = _with_padding(layers, input_size, number)
    return max(first, 0), last


def _end_at_input_size(layers, input_size, number):
    first, last = _with_padding(layers, input_size, number)
    return max(first, 0), min(last, input_size)


def _jump_before_start(layers, input_size, number):
    """Multiply the jump before the padding is taken off, so that the own stride counts in it."""
    layers = [(k, stride, padding * stride) for k, stride, padding in layers]
    return pixels_seen(layers, input_size, number)


def _jump_first(layers, input_size, number):
    """Multiply the jump before anything else."""
    layers = [((k - 1) * stride + 1, stride, padding) for k, stride, padding in layers]
    return _jump_before_start(layers, input_size, number)


def _padding_added(layers, input_size, number):
    """Move the start to the right."""
    size, jump, start = _field(layers)
    first = number * jump - start
    return _clip(first, first + size - 1, input_size)


def layers_needed(size, strided):
    """Return how many 3 x 3 layers see `size` pixels when the first `strided` have stride 2."""
    layers, seen, jump = 0, 1, 1
    while seen < size:
        seen += 2 * jump
        layers += 1
        jump *= 2 if layers <= strided else 1
    return layers


def _own_stride_needed(size, strided):
    layers, seen, jump = 0, 1, 1
    while seen < size:
        layers += 1
        jump *= 2 if layers <= strided else 1
        seen += 2 * jump
    return layers


def _three_per_layer(size, strided):
    layers, seen, jump = 0, 0, 1
    while seen < size:
        seen += 3 * jump
        layers += 1
        jump *= 2 if layers <= strided else 1
    return layers


def _stride_once(size, strided):
    layers, seen = 0, 1
    while seen < size:
        seen += 4 if 0 < layers <= strided else 2
        layers += 1
    return layers


def _strides_last(size, strided):
    """Let the last layers of the stack have the strides, not the first."""
    layers = 0
    while True:
        seen, jump = 1, 1
        for layer in range(layers):
            seen += 2 * jump
            jump *= 2 if layer >= layers - strided else 1
        if seen >= size:
            return layers
        layers += 1


def path_counts(kernel_size, depth):
    """Return how many paths lead from each pixel of a field to its number."""
    counts = [1]
    for _ in range(depth):
        spread = [0] * (len(counts) + kernel_size - 1)
        for place, tap in product(range(len(counts)), range(kernel_size)):
            spread[place + tap] += counts[place]
        counts = spread
    return counts


def _triangle(kernel_size, depth):
    """Rise by one from either end: right for two layers only."""
    width = depth * (kernel_size - 1) + 1
    return [min(place, width - 1 - place) + 1 for place in range(width)]


def _two_zeros(kernel_size, depth):
    """Add up as many neighbours as there are taps, but pad as three taps need it."""
    counts = [1]
    for _ in range(depth):
        padded = [0, 0, *counts, 0, 0]
        counts = [sum(padded[i : i + kernel_size]) for i in range(len(counts) + 2)]
    return counts


def _two_zeros_only(kernel_size, depth):
    """Make the list as long as it must be, but pad as three taps need it."""
    counts = [1]
    for _ in range(depth):
        padded, width = [0, 0, *counts, 0, 0], len(counts) + kernel_size - 1
        counts = [sum(padded[i : i + kernel_size]) for i in range(width)]
    return counts


def _same_padded(kernel_size, depth):
    """Keep the middle only, as wide as one kernel."""
    counts = path_counts(kernel_size, depth)
    cut = (len(counts) - kernel_size) // 2
    return counts[cut : cut + kernel_size]


check_field_size = Checker(
    "Exercise 1: function(layers) -> how many pixels along one axis",
    field_size,
    [
        {"layers": list(layers)}
        for depth in (1, 2, 3)
        for layers in product(((3, 1, 1), (2, 2, 1), (3, 2, 2), (5, 1, 2)), repeat=depth)
    ],
    {
        "A layer adds d(k-1) steps to what is seen already, not its whole window.": (
            _sum_of_kernels
        ),
        "The dilation is missing: from its first tap to its last a window takes d(k-1) steps.": (
            lambda layers: field_size([(k, stride, 1) for k, stride, _ in layers])
        ),
        "A layer's stride counts for the later layers, not for its own.": _own_stride,
        "The strides are missing: a step is as long as all strides before it, multiplied.": (
            lambda layers: field_size([(k, 1, dilation) for k, _, dilation in layers])
        ),
        "Strides multiply: each layer takes steps as long as all strides before it together.": (
            _last_stride_only
        ),
        "Windows of neighbours overlap, so the sizes do not multiply.": _product_of_kernels,
        "Pixels left out in between count too: the size is from the first pixel to the last.": (
            _without_holes
        ),
        "One pixel is missing: before any layer a pixel sees itself.": (
            lambda layers: field_size(layers) - 1
        ),
        "Two slips: the dilation is missing, and a stride counts for the later layers only.": (
            lambda layers: _own_stride([(k, stride, 1) for k, stride, _ in layers])
        ),
        "Two things are missing: the dilation, and the strides of the layers before.": (
            lambda layers: field_size([(k, 1, 1) for k, _, _ in layers])
        ),
        "d(k-1) steps lead from a window's first tap to its last; d*k would be one gap too many.": (
            lambda layers: field_size([(k + 1, stride, d) for k, stride, d in layers])
        ),
        "The first layer comes first in the list; it is the one that reads pixels.": (
            lambda layers: field_size(layers[::-1])
        ),
    },
    fallback="Draw the stack, and follow the edges of the field back to the pixels.",
)

check_pixels_seen = Checker(
    "Exercise 2: function(layers, input_size, number) -> (first, last)",
    pixels_seen,
    [
        {"layers": list(layers), "input_size": input_size, "number": number}
        for input_size in (16, 7, 5, 4)  # on small ones fields are cut at the end, too
        for depth in (1, 2)
        for layers in product(((3, 1, 1), (3, 2, 1), (2, 2, 0), (5, 1, 2)), repeat=depth)
        for number in (0, 1, 3)
        # Two taps with stride 2 drop the last pixel of an odd map, which the size still counts.
        if number < _numbers(layers, input_size)
        and (input_size % 2 == 0 or (2, 2, 0) not in layers)
    ],
    {
        "The picture has no pixels below 0 and none from `input_size` on; cut them off.": (
            _with_padding
        ),
        "The padding moves the start to the left: by p steps of the map before, in every layer.": (
            _without_padding
        ),
        "Padding counts in steps of its own map, so multiply it by the jump before you subtract.": (
            _padding_as_pixels
        ),
        "From one number to the next the field moves by the jump, not by one pixel.": _without_jump,
        "That is the pixel behind the last one; the field is (first, first + size - 1).": (
            _end_behind
        ),
        "Only the beginning is cut. The picture has no pixels from `input_size` on, either.": (
            _beginning_cut
        ),
        "The last pixel of the picture is `input_size` - 1: pixels are counted from 0.": (
            _end_at_input_size
        ),
        "The jump grows too early: its own stride does not move a layer's start.": (
            _jump_before_start
        ),
        "A layer's stride counts for later layers, not for its own size and start.": _jump_first,
        "The padding moves the start to the left: subtract it.": _padding_added,
        "That lists the field; return its first and its last pixel.": (
            lambda **case: list(range(pixels_seen(**case)[0], pixels_seen(**case)[1] + 1))
        ),
        "The first layer comes first in the list; it is the one that reads pixels.": (
            lambda layers, input_size, number: pixels_seen(layers[::-1], input_size, number)
        ),
    },
    fallback="Draw the row and its padding, and follow the edges of the field back, map by map.",
)

check_layers_needed = Checker(
    "Exercise 3: function(size, strided) -> how many layers",
    layers_needed,
    grid(size=(1, 2, 3, 7, 15, 16, 44, 45, 63, 224), strided=(0, 1, 2, 3, 5)),
    {
        "The stride of a layer widens what the next one adds, not what it adds itself.": (
            _own_stride_needed
        ),
        "Each layer adds two steps, not three, to the one pixel you begin with.": _three_per_layer,
        "Strides multiply: after two of them a step is four pixels long.": _stride_once,
        "That ignores the strides; after one, every further layer adds twice as much.": (
            lambda size, strided: ceil((size - 1) / 2)
        ),
        "One too few: the field of that stack is smaller than `size`. Round up.": (
            lambda size, strided: max(layers_needed(size, strided) - 1, 0)
        ),
        "One too many where the size fits exactly: a field of `size` pixels is enough.": (
            lambda size, strided: layers_needed(size + 1, strided)
        ),
        "A size of 1 takes no layer: a pixel sees itself.": (
            lambda size, strided: max(layers_needed(size, strided), 1)
        ),
        "One layer with stride 2 is missing: the first `strided` layers have it.": (
            lambda size, strided: layers_needed(size, max(strided - 1, 0))
        ),
        "One layer too many has stride 2: with `strided` = 0 there is none.": (
            lambda size, strided: layers_needed(size, strided + 1)
        ),
        "The first layers have the strides, not the last.": _strides_last,
        "A stack may end before its `strided` layers are used up; count those it needs.": (
            lambda size, strided: max(layers_needed(size, strided), strided)
        ),
    },
    fallback="Write down the field after each layer: 1, 3, and then on by 2, 4 or more.",
)

check_path_counts = Checker(
    "Exercise 4: function(kernel_size, depth) -> list of counts",
    path_counts,
    grid(kernel_size=(3, 2, 5, 1, 4), depth=(1, 2, 3, 4, 6)),  # 3 first: as in the chapter
    {
        "That says which pixels are seen; count in how many ways each one reaches the number.": (
            lambda kernel_size, depth: [1] * (depth * (kernel_size - 1) + 1)
        ),
        "Right for two layers; each further one adds up `kernel_size` neighbours of those.": (
            _triangle
        ),
        "One layer too few.": lambda kernel_size, depth: path_counts(kernel_size, depth - 1),
        "That is as long as one kernel; every layer makes the list longer by kernel_size - 1.": (
            _same_padded
        ),
        "That is right for three taps; with k taps add up k neighbours and pad k-1 zeros.": (
            lambda kernel_size, depth: path_counts(3, depth)
        ),
        "That is right for three taps; with k taps pad k-1 zeros on each side.": _two_zeros,
        "Two zeros on each side are right for three taps; k taps need k-1.": _two_zeros_only,
        "That counts the paths to all pixels together; keep one count for each pixel.": (
            lambda kernel_size, depth: [kernel_size**depth]
        ),
        "Binomial coefficients count the paths of two taps; with more, more neighbours add up.": (
            lambda kernel_size, depth: [
                comb(depth * (kernel_size - 1), place)
                for place in range(depth * (kernel_size - 1) + 1)
            ]
        ),
    },
    fallback="Draw the stack, and count the paths from each pixel up to the number.",
)
