"""Sizes and padding of convolutions and transposed convolutions, on any number of axes."""

from typing import TypeAlias, overload

from convbook._checks.arguments import Ints, Padding, common_rank, per_axis

Sides: TypeAlias = tuple[tuple[int, int], ...]  # of each axis, before and after


@overload
def conv_output_size(  # type: ignore[overload-overlap]  # ints, all round, are Ints as well
    input_size: int, kernel_size: int, stride: int = 1, padding: int | str = 0, dilation: int = 1
) -> int: ...
@overload
def conv_output_size(
    input_size: Ints, kernel_size: Ints, stride: Ints = 1, padding: Padding = 0, dilation: Ints = 1
) -> tuple[int, ...]: ...
def conv_output_size(
    input_size: Ints, kernel_size: Ints, stride: Ints = 1, padding: Padding = 0, dilation: Ints = 1
) -> int | tuple[int, ...]:
    """Return the size of a convolution's output, also that of pooling and `unfold`.

    The first window starts at the padded border; a further one fits for every `stride` pixels that
    are left. What is left over at the far end is dropped: `10, kernel_size=3, stride=2` gives 4.

    Shapes:
        `(input_size + 2*padding - dilation*(kernel_size - 1) - 1) // stride + 1`, on each axis.

    Args:
        input_size: pixels, at least 0.
        kernel_size: taps, at least 1.
        stride: pixels from one window to the next, at least 1.
        padding: pixels added on each side, at least 0; `'valid'` is 0, and `'same'` is what
            `same_padding` says (stride 1 only).
        dilation: pixels from one tap to the next, at least 1.

    Raises:
        ValueError: the kernel is larger than the padded input.

    Example:
        >>> conv_output_size(5, 3, stride=2, padding=1)
        3
        >>> conv_output_size((5, 7), 3, padding=(0, 1))
        (3, 7)

    Source: Dumoulin and Visin, arXiv 1603.07285, relationship 6, with dilation from section 5.1.
    """
    rank = common_rank(input_size, kernel_size, stride, padding, dilation)
    sizes = per_axis(input_size, rank or 1, "input_size", 0)
    kernels, strides, dilations = windows(kernel_size, stride, dilation, rank or 1)
    sides = padding_sides(padding, kernels, strides, dilations)
    outputs = tuple(map(_windows_that_fit, sizes, kernels, strides, sides, dilations))
    return outputs if rank else outputs[0]


@overload
def conv_transpose_output_size(  # type: ignore[overload-overlap]  # as above
    input_size: int,
    kernel_size: int,
    stride: int = 1,
    padding: int = 0,
    output_padding: int = 0,
    dilation: int = 1,
) -> int: ...
@overload
def conv_transpose_output_size(
    input_size: Ints,
    kernel_size: Ints,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    dilation: Ints = 1,
) -> tuple[int, ...]: ...
def conv_transpose_output_size(
    input_size: Ints,
    kernel_size: Ints,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    dilation: Ints = 1,
) -> int | tuple[int, ...]:
    """Return the size of a transposed convolution's output.

    It is an input size from which `conv_output_size` leads back to `input_size`: the smallest one,
    plus `output_padding`.

    Shapes:
        `(input_size - 1)*stride - 2*padding + dilation*(kernel_size - 1) + output_padding + 1`,
        on each axis.

    Args:
        input_size: pixels, at least 0.
        kernel_size: taps, at least 1.
        stride: output pixels from one window to the next, at least 1.
        padding: output pixels cropped on each side, at least 0.
        output_padding: pixels cropped less at the far end, from 0 to `max(stride, dilation) - 1`.
        dilation: output pixels from one tap to the next, at least 1.

    Raises:
        ValueError: no pixel is left after cropping.

    Example:
        >>> conv_transpose_output_size(3, 3, stride=2, padding=1)
        5
        >>> conv_transpose_output_size(3, 3, stride=2, padding=1, output_padding=(0, 1))
        (5, 6)

    Source: Dumoulin and Visin, arXiv 1603.07285, relationship 14, with dilation.
    """
    rank = common_rank(input_size, kernel_size, stride, padding, output_padding, dilation)
    sizes = per_axis(input_size, rank or 1, "input_size", 0)
    axes = zip(*windows(kernel_size, stride, dilation, rank or 1), strict=True)
    paddings = per_axis(padding, rank or 1, "padding", 0)
    extras = per_axis(output_padding, rank or 1, "output_padding", 0)
    outputs = tuple(map(_size_after_cropping, sizes, axes, paddings, extras))
    return outputs if rank else outputs[0]


def same_padding(kernel_size: Ints, dilation: Ints = 1) -> tuple[int, int] | Sides:
    """Return the padding (before, after) that keeps the size at stride 1.

    An even span has no middle: the odd pixel goes after, as in PyTorch's `padding='same'`.

    Shapes:
        `before + after == dilation*(kernel_size - 1)`; one pair per axis for a tuple.

    Args:
        kernel_size: taps, at least 1.
        dilation: pixels from one tap to the next, at least 1.

    Example:
        >>> same_padding(3), same_padding(4), same_padding(4, dilation=2)
        ((1, 1), (1, 2), (3, 3))
        >>> same_padding((3, 4))
        ((1, 1), (1, 2))

    Source: PyTorch, `torch.nn.functional.conv2d`, which pads floor(d(k-1)/2) before.
    """
    rank = common_rank(kernel_size, dilation)
    kernels, _, dilations = windows(kernel_size, 1, dilation, rank or 1)
    sides = _same_sides(kernels, dilations)
    return sides if rank else sides[0]


def span(kernel_size: int, dilation: int) -> int:
    """Return how many pixels a window covers along one axis, its holes included.

    Args:
        kernel_size: taps.
        dilation: pixels from one tap to the next.

    Example:
        >>> span(3, dilation=1), span(3, dilation=4)
        (3, 9)
    """
    return dilation * (kernel_size - 1) + 1


def windows(
    kernel_size: Ints, stride: Ints, dilation: Ints, rank: int
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Return kernel sizes, strides and dilations, each checked and with one int per axis."""
    kernels = per_axis(kernel_size, rank, "kernel_size", 1)
    strides = per_axis(stride, rank, "stride", 1)
    dilations = per_axis(dilation, rank, "dilation", 1)
    return kernels, strides, dilations


def padding_sides(
    padding: Padding, kernels: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...]
) -> Sides:
    """Return the padding (before, after) on each axis, from integers, `'same'` or `'valid'`."""
    rank = len(kernels)
    if not isinstance(padding, str):
        return tuple((pad, pad) for pad in per_axis(padding, rank, "padding", 0))
    if padding == "valid":
        return ((0, 0),) * rank
    if padding != "same":
        raise ValueError(f"padding={padding!r} is unknown; use 'same', 'valid' or integers")
    if strides != (1,) * rank:
        raise ValueError(f"padding='same' needs stride=1, not {strides}; give padding as integers")
    return _same_sides(kernels, dilations)


def _same_sides(kernels: tuple[int, ...], dilations: tuple[int, ...]) -> Sides:
    """Return the padding (before, after) on each axis that keeps the size."""
    totals = [span(kernel, gap) - 1 for kernel, gap in zip(kernels, dilations, strict=True)]
    return tuple((total // 2, total - total // 2) for total in totals)


def _windows_that_fit(
    size: int, kernel_size: int, stride: int, sides: tuple[int, int], dilation: int
) -> int:
    """Return how many windows fit along one axis."""
    before, after = sides
    covered = span(kernel_size, dilation)
    room = size + before + after - covered
    if room < 0:
        padded = f"{size}+2*{before}" if before == after else f"{size}+{before}+{after}"
        problem = "is larger than"
        if dilation > 1:
            problem = f"with dilation={dilation} spans {covered} pixels, more than"
        raise ValueError(
            f"kernel_size={kernel_size} {problem} the padded input {padded}; "
            f"use padding>={(covered - size + 1) // 2} or a smaller kernel"
        )
    return room // stride + 1


def _size_after_cropping(size: int, window: tuple[int, int, int], padding: int, extra: int) -> int:
    """Return what is left of the overlapping windows of a transposed convolution, on one axis."""
    kernel_size, stride, dilation = window
    if extra >= max(stride, dilation):
        raise ValueError(
            f"output_padding={extra} must be smaller than stride={stride} or dilation={dilation}; "
            f"use output_padding<={max(stride, dilation) - 1}"
        )
    full = (size - 1) * stride + span(kernel_size, dilation) + extra
    if full <= 2 * padding:
        raise ValueError(
            f"padding={padding} crops all of the output {full}-2*{padding}; "
            f"use padding<={max(full - 1, 0) // 2} or a larger kernel"
        )
    return full - 2 * padding
