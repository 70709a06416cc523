"""Draw arguments for a convolution, and compare an operation with PyTorch's own."""

import torch
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from convbook.analysis import trace

# PyTorch warns, once per process, that 'same' may copy its input when the kernel is even.
EVEN_SAME = "ignore:Using padding='same' with even kernel lengths:UserWarning"


def random_tensor(shape, dtype=torch.float64):
    """Return small numbers, the same ones for the same shape.

    For the 16 bit floats they are integers, as for integers: their sums are then exact, whatever
    the order of the additions.
    """
    generator = torch.Generator().manual_seed(sum(shape))
    if (dtype.is_floating_point or dtype.is_complex) and dtype.itemsize > 2:
        return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
    return torch.randint(0, 4, shape, generator=generator).to(dtype)


def filled(module, seed=0):
    """Return a module in float64 whose parameters and statistics are all drawn at random."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in module.double().state_dict().items():
        if value.is_floating_point():
            drawn = torch.randn(value.shape, generator=generator, dtype=value.dtype)
            value.copy_(drawn.abs() + 0.5 if name.endswith("running_var") else drawn)
    return module


def per_axis(setting):
    """Return (vertical, horizontal) of an int, a tuple of one int or a pair."""
    values = setting if isinstance(setting, tuple) else (setting,)
    return values * (2 // len(values))


@st.composite
def settings_of(draw, low, high, one_tuple=True):
    """Draw an int, a pair or, where PyTorch takes it, a tuple of one int."""
    pair = draw(st.tuples(*[st.integers(low, high)] * 2))
    forms = [pair, pair, pair[0], *([pair[:1]] if one_tuple else [])]
    return draw(st.sampled_from(forms))


batches = st.sampled_from([(), (), (1,), (2,), (2,), (0,)])  # () is unbatched


@st.composite
def window_settings(draw, max_kernel=3, words=False, one_tuple=True):
    """Draw kernel_size, stride, padding, dilation, and the size of a map that they fit."""
    kernel_size = draw(settings_of(1, max_kernel, one_tuple))
    dilation = draw(settings_of(1, 3, one_tuple))
    stride = draw(settings_of(1, 3, one_tuple))
    padding = draw(settings_of(0, 2, one_tuple))
    if words and draw(st.booleans()):
        padding = draw(st.sampled_from(["same", "valid"]))
        stride = stride if padding == "valid" else draw(st.sampled_from([1, (1,), (1, 1)]))
    size = []
    for axis in range(2):
        reach = per_axis(dilation)[axis] * (per_axis(kernel_size)[axis] - 1)
        padded = {"same": reach, "valid": 0}.get(padding)
        padded = 2 * per_axis(padding)[axis] if padded is None else padded
        size.append(max(1, reach + 1 - padded) + draw(st.integers(0, 4)))
    return kernel_size, stride, padding, dilation, tuple(size)


@st.composite
def conv_cases(draw, max_kernel=3, max_channels=2):
    """Draw shapes of input, weight and bias (or None), and the settings of a valid conv2d."""
    kernel_size, stride, padding, dilation, size = draw(window_settings(max_kernel, words=True))
    groups, c_group, o_group = (draw(st.integers(1, n)) for n in (3, max_channels, max_channels))
    input_shape = (*draw(batches), groups * c_group, *size)
    weight_shape = (groups * o_group, c_group, *per_axis(kernel_size))
    bias_shape = draw(st.sampled_from([None, (groups * o_group,)]))
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return (input_shape, weight_shape, bias_shape), settings


@st.composite
def conv_transpose_cases(draw):
    """Draw shapes of input, weight and bias (or None), and the settings of a valid transpose."""
    kernel_size, stride, dilation = (draw(settings_of(1, 3)) for _ in range(3))
    limits = [max(pair) - 1 for pair in zip(per_axis(stride), per_axis(dilation), strict=True)]
    output_padding = tuple(draw(st.integers(0, limit)) for limit in limits)
    padding = draw(settings_of(0, 2))
    size = []
    for axis in range(2):
        step, gap, taps, crop = (
            per_axis(value)[axis] for value in (stride, dilation, kernel_size, padding)
        )
        least = 2 * crop - gap * (taps - 1) - output_padding[axis]  # (size - 1) * step >= least
        size.append(max(1, 1 - -least // step) + draw(st.integers(0, 3)))
    groups, c_group, o_group = (draw(st.integers(1, n)) for n in (3, 2, 2))
    input_shape = (*draw(batches), groups * c_group, *size)
    weight_shape = (groups * c_group, o_group, *per_axis(kernel_size))
    bias_shape = draw(st.sampled_from([None, (groups * o_group,)]))
    settings = {"stride": stride, "padding": padding, "output_padding": output_padding}
    return (input_shape, weight_shape, bias_shape), {
        **settings,
        "groups": groups,
        "dilation": dilation,
    }


def make_leaves(shapes):
    """Return a tensor that wants a gradient for each shape, and None for None."""
    return [None if shape is None else random_tensor(shape).requires_grad_() for shape in shapes]


def assert_same(ours, theirs, leaves, *args, **kwargs):
    """Assert that both operations give the same value and the same gradients."""
    value, expected = ours(*leaves, *args, **kwargs), theirs(*leaves, *args, **kwargs)
    torch.testing.assert_close(value, expected)
    wanted = [leaf for leaf in leaves if leaf is not None]
    cotangent = random_tensor(expected.shape)
    torch.testing.assert_close(
        torch.autograd.grad(value, wanted, cotangent),
        torch.autograd.grad(expected, wanted, cotangent),
    )


def outcome(operation, *args, **kwargs):
    """Return the operation's value, or the exception with which it refused."""
    try:
        return operation(*args, **kwargs)
    except (ValueError, TypeError, RuntimeError) as refusal:
        return refusal


def assert_same_verdict(ours, theirs, *args, **kwargs):
    """Assert that both refuse, ours by ValueError or TypeError, or that both give the same."""
    value, expected = outcome(ours, *args, **kwargs), outcome(theirs, *args, **kwargs)
    if isinstance(expected, Exception):
        assert isinstance(value, ValueError | TypeError), (value, expected)
    else:
        torch.testing.assert_close(value, expected)


def assert_trace_counts(layer, size):
    """Assert that `trace` finds the shape, the parameters and the MACs that PyTorch finds."""
    table = trace(layer, size)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        output = layer(torch.zeros(1, *size))
    assert 2 * table.macs == counter.get_total_flops()
    assert table[-1].output_shape == output.shape[1:]
    assert table.unused == {}
    assert table.params == sum(parameter.numel() for parameter in layer.parameters())
