"""What PyTorch refuses is refused, by a clear error; what PyTorch takes is taken."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st

from convbook.arithmetic import conv_output_size
from convbook.functional import (
    conv2d,
    conv2d_loops,
    conv2d_matrix,
    conv_transpose2d,
    fold,
    pixel_shuffle,
    pixel_unshuffle,
    unfold,
)
from tests.helpers.sampling import examples
from tests.helpers.strategies import (
    EVEN_SAME,
    assert_same_verdict,
    conv_cases,
    conv_transpose_cases,
    per_axis,
    random_tensor,
    window_settings,
)

pytestmark = pytest.mark.filterwarnings(EVEN_SAME)

# Good and bad values alike: a bad argument is one thing among good ones, or several are bad.
SETTINGS = st.sampled_from(
    [
        *(0, 1, 2, 3, 5, -1, (1, 2), (2, 1), (0, 1), (1, -1), (1,), (), (1, 2, 3)),
        *(1.0, 1.5, True, (1, 1.5), (True, 1), None, "1", "same", "valid", "full"),
    ]
)
GROUPS = st.sampled_from([0, 1, 2, 3, -1, 1.0, True, None, (1,), "1"])
SHAPES = st.lists(st.integers(0, 4), max_size=5).map(tuple)


@st.composite
def corrupted(draw, case):
    """Change up to two settings or shapes of a valid case, most often for the worse."""
    shapes, settings = draw(case)
    shapes, settings = list(shapes), dict(settings)
    for _ in range(draw(st.integers(0, 2))):
        target = draw(st.sampled_from([*settings, 0, 1, 2]))
        if target in settings:
            settings[target] = draw(GROUPS if target == "groups" else SETTINGS)
        elif shapes[target] and draw(st.booleans()):
            shape = list(shapes[target])
            shape[draw(st.integers(0, len(shape) - 1))] = draw(st.integers(0, 4))
            shapes[target] = tuple(shape)
        else:
            shapes[target] = draw(SHAPES)
    return shapes, settings


def without_channels(shape):
    return len(shape) in (3, 4) and shape[-3] == 0


@examples(1000)
@given(corrupted(conv_cases()))
def test_conv2d_refuses_what_pytorch_refuses(case):
    shapes, settings = case
    # Without input channels PyTorch forgets the filters: its output has no channels either.
    assume(not without_channels(shapes[0]))
    tensors = [None if shape is None else random_tensor(shape) for shape in shapes]
    assert_same_verdict(conv2d, F.conv2d, *tensors, **settings)
    assert_same_verdict(conv2d_loops, F.conv2d, *tensors, **settings)


@examples(1000)
@given(corrupted(conv_transpose_cases()))
def test_conv_transpose2d_refuses_what_pytorch_refuses(case):
    shapes, settings = case
    # For an empty batch PyTorch returns before it looks at output_padding or at the output size.
    assume(len(shapes[0]) < 4 or shapes[0][0] > 0)
    tensors = [None if shape is None else random_tensor(shape) for shape in shapes]
    assert_same_verdict(conv_transpose2d, F.conv_transpose2d, *tensors, **settings)


@st.composite
def unfold_cases(draw):
    """Draw the shape of an input and the settings of a valid unfold."""
    names = ("kernel_size", "stride", "padding", "dilation")
    *settings, size = draw(window_settings(one_tuple=False))
    return [draw(st.sampled_from([(2,), (1, 3), (0, 2)])) + size], dict(
        zip(names, settings, strict=True)
    )


@st.composite
def fold_cases(draw):
    """Draw the shape of an input and the settings of a valid fold."""
    (shape,), settings = draw(unfold_cases())
    size = conv_output_size(shape[-2:], **settings)
    taps = per_axis(settings["kernel_size"])
    rows, columns = shape[-3] * taps[0] * taps[1], size[0] * size[1]
    return [(*shape[:-3], rows, columns)], {"output_size": shape[-2:], **settings}


@st.composite
def corrupted_window(draw, case):
    """Change up to two settings of a valid case, or the shape, most often for the worse."""
    (shape,), settings = draw(case)
    for name in draw(st.lists(st.sampled_from([*settings, None]), max_size=2)):
        if name is None:
            shape = draw(SHAPES)
        else:
            settings[name] = draw(SETTINGS)
    return shape, settings


@examples(1000)
@given(corrupted_window(unfold_cases()))
def test_unfold_refuses_what_pytorch_refuses(case):
    shape, settings = case
    assume(len(shape) >= 3)  # PyTorch raises an IndexError, or reads a wrong axis
    assert_same_verdict(unfold, F.unfold, random_tensor(shape), **settings)


@examples(1000)
@given(corrupted_window(fold_cases()))
def test_fold_refuses_what_pytorch_refuses(case):
    shape, settings = case
    assert_same_verdict(fold, F.fold, random_tensor(shape), **settings)


FACTORS = st.sampled_from([1, 2, 3, 0, -1, 2.0, True, None, (2,), "2"])


@examples(1000)
@given(SHAPES, FACTORS)
def test_pixel_shuffles_refuse_what_pytorch_refuses(shape, factor):
    square = factor**2 if isinstance(factor, int) else 1
    for channels in (1, square):  # often indivisible, always divisible
        scaled = (*shape[:-3], shape[-3] * channels, *shape[-2:]) if len(shape) > 2 else shape
        assert_same_verdict(pixel_shuffle, F.pixel_shuffle, random_tensor(scaled), factor)
    if 0 not in shape:  # PyTorch's own answer for an empty tensor is wrong
        assert_same_verdict(pixel_unshuffle, F.pixel_unshuffle, random_tensor(shape), factor)


X, WEIGHT, BIAS = torch.ones(1, 4, 5, 5), torch.ones(6, 4, 3, 3), torch.ones(6)
TRANSPOSED = torch.ones(4, 6, 3, 3)
SMALLER = torch.ones(6, 2, 3, 3)  # reads two channels
BAD_VALUES = [
    (conv2d, (X, WEIGHT), {"stride": 0}, "stride=0 is too small; use an int of at least 1"),
    (conv2d, (X, WEIGHT), {"stride": (1, -2)}, "stride=-2 is too small; use an int of at least 1"),
    (
        conv2d,
        (X, WEIGHT),
        {"stride": (1, 1, 1)},
        "stride=(1, 1, 1) has 3 values; use one int or 2 ints",
    ),
    (conv2d, (X, WEIGHT), {"padding": -1}, "padding=-1 is too small; use an int of at least 0"),
    (
        conv2d,
        (X, WEIGHT),
        {"padding": "full"},
        "padding='full' is unknown; use 'same', 'valid' or integers",
    ),
    (
        conv2d,
        (X, WEIGHT),
        {"padding": "same", "stride": 2},
        "padding='same' needs stride=1, not (2, 2); give padding as integers",
    ),
    (conv2d, (X, WEIGHT), {"dilation": 0}, "dilation=0 is too small; use an int of at least 1"),
    (
        conv2d,
        (X, torch.ones(6, 4, 7, 7)),
        {},
        "kernel_size=7 is larger than the padded input 5+2*0; use padding>=1 or a smaller kernel",
    ),
    (
        conv2d,
        (X, torch.ones(6, 4, 0, 3)),
        {},
        "kernel_size=0 is too small; use an int of at least 1",
    ),
    (conv2d, (X, WEIGHT), {"groups": 0}, "groups=0 is too small; use an int of at least 1"),
    (
        conv2d,
        (X, WEIGHT),
        {"groups": 4},
        "groups=4 does not divide the first axis of weight, 6; use groups=1, or make that "
        "axis a positive multiple of 4",
    ),
    (
        conv2d,
        (X, WEIGHT),
        {"groups": 2},
        "input has 4 channels, but weight of shape (6, 4, 3, 3) with groups=2 takes 8; "
        "change weight, groups or the input's channels",
    ),
    (
        conv2d,
        (X, SMALLER),
        {},
        "input has 4 channels, but weight of shape (6, 2, 3, 3) with groups=1 takes 2; "
        "change weight, groups or the input's channels",
    ),
    (conv2d, (X[0, 0], WEIGHT), {}, "input has shape (5, 5); use (C, H, W) or (N, C, H, W)"),
    (
        conv2d,
        (X[None], WEIGHT),
        {},
        "input has shape (1, 1, 4, 5, 5); use (C, H, W) or (N, C, H, W)",
    ),
    (
        conv2d,
        (X, WEIGHT[0]),
        {},
        "weight has shape (4, 3, 3); use (channels, channels per group, k_h, k_w)",
    ),
    (conv2d, (X, WEIGHT, BIAS[:5]), {}, "bias has shape (5,); use (6,)"),
    (conv2d, (X, WEIGHT, BIAS[0]), {}, "bias has shape (); use (6,)"),
    (conv2d, (X, WEIGHT, BIAS[:, None]), {}, "bias has shape (6, 1); use (6,)"),
    (
        conv2d,
        (X[:, :, :0], WEIGHT),
        {"padding": 2},
        "input has shape (1, 4, 0, 5): no pixels; use H, W of 1 or more",
    ),
    (conv2d, (X, WEIGHT[:0]), {}, "weight has no filters: its first axis is 0; make it 1 or more"),
    (conv2d_loops, (X, WEIGHT), {"stride": 0}, "stride=0 is too small; use an int of at least 1"),
    (
        conv2d_matrix,
        (WEIGHT, 2),
        {},
        "kernel_size=3 is larger than the padded input 2+2*0; use padding>=1 or a smaller kernel",
    ),
    (
        conv2d_matrix,
        (WEIGHT, (5, 5, 5)),
        {},
        "input_size=(5, 5, 5) has 3 values; use one int or 2 ints",
    ),
    (
        conv2d_matrix,
        (WEIGHT, 5),
        {"groups": 4},
        "groups=4 does not divide the first axis of weight, 6; use groups=1, or make that "
        "axis a positive multiple of 4",
    ),
    (
        conv2d_matrix,
        (WEIGHT[0], 5),
        {},
        "weight has shape (4, 3, 3); use (channels, channels per group, k_h, k_w)",
    ),
    (
        conv_transpose2d,
        (X, TRANSPOSED),
        {"stride": 2, "output_padding": 2},
        "output_padding=2 must be smaller than stride=2 or dilation=1; use output_padding<=1",
    ),
    (
        conv_transpose2d,
        (X, TRANSPOSED),
        {"output_padding": -1},
        "output_padding=-1 is too small; use an int of at least 0",
    ),
    (
        conv_transpose2d,
        (X, TRANSPOSED),
        {"padding": 4},
        "padding=4 crops all of the output 7-2*4; use padding<=3 or a larger kernel",
    ),
    (
        conv_transpose2d,
        (X, TRANSPOSED),
        {"groups": 3},
        "groups=3 does not divide the first axis of weight, 4; use groups=1, or make that "
        "axis a positive multiple of 3",
    ),
    (
        conv_transpose2d,
        (X, WEIGHT),
        {},
        "input has 4 channels, but weight of shape (6, 4, 3, 3) with groups=1 takes 6; "
        "change weight, groups or the input's channels",
    ),
    (
        conv_transpose2d,
        (X, TRANSPOSED[:, :0]),
        {},
        "weight has shape (4, 0, 3, 3): no output channel; use 1 or more",
    ),
    (conv_transpose2d, (X, TRANSPOSED, BIAS[:4]), {}, "bias has shape (4,); use (6,)"),
    (
        unfold,
        (X, 6),
        {},
        "kernel_size=6 is larger than the padded input 5+2*0; use padding>=1 or a smaller kernel",
    ),
    (unfold, (X, (3,)), {}, "kernel_size=(3,) has 1 values; use one int or 2 ints"),
    (unfold, (X[0, 0], 3), {}, "input has shape (5, 5); use (C, H, W) or (N, C, H, W)"),
    (unfold, (X[:, :0], 3), {}, "input has shape (1, 0, 5, 5); only its batch may be empty"),
    (
        fold,
        (torch.ones(1, 18, 5), 4, 3),
        {},
        "input has 5 columns, but output_size=4 holds 2 x 2 windows; use 4 columns",
    ),
    (
        fold,
        (torch.ones(1, 17, 4), 4, 3),
        {},
        "input has 17 rows, but kernel_size=3 has 9 taps; use C * 9 rows",
    ),
    (
        fold,
        (torch.ones(18), 4, 3),
        {},
        "input has shape (18,); use (C * k_h * k_w, L) or (N, C * k_h * k_w, L)",
    ),
    (
        fold,
        (torch.ones(1, 18, 4), 0, 3),
        {},
        "output_size=0 is too small; use an int of at least 1",
    ),
    (
        pixel_shuffle,
        (X, 3),
        {},
        "upscale_factor=3 needs a multiple of 9 channels, but input has 4; use 9 channels "
        "or another factor",
    ),
    (pixel_shuffle, (X, 0), {}, "upscale_factor=0 is too small; use an int of at least 1"),
    (pixel_shuffle, (X[0, 0], 2), {}, "input has shape (5, 5); use (*, C, H, W)"),
    (
        pixel_unshuffle,
        (X, 2),
        {},
        "downscale_factor=2 does not divide the 5 x 5 pixels of input; crop or pad to a "
        "multiple of 2",
    ),
]
HUGE = 2**31
BAD_VALUES += [
    # PyTorch counts where we write down; what would fill the memory is refused before it does.
    (
        conv2d,
        (X, WEIGHT),
        {"padding": HUGE, "dilation": HUGE},
        "padding=2147483648 needs a map of 4294967301 x 4294967301 pixels in between; "
        "use a smaller padding",
    ),
    (
        conv_transpose2d,
        (X, TRANSPOSED),
        {"padding": HUGE, "dilation": HUGE},
        "padding=(2147483648, 2147483648) needs a map of 4294967301 x 4294967301 pixels in "
        "between; use a smaller padding",
    ),
    (
        conv_transpose2d,
        (X, TRANSPOSED),
        {"stride": (HUGE, 1)},
        "stride=(2147483648, 1) needs a map of 8589934595 x 7 pixels in between; "
        "use a smaller stride",
    ),
    (
        unfold,
        (X, 3),
        {"padding": HUGE, "dilation": HUGE},
        "padding=(2147483648, 2147483648) needs a map of 4294967301 x 4294967301 pixels "
        "in between; use a smaller padding",
    ),
    (
        fold,
        (torch.ones(1, 9, 4), 2, 3),
        {"padding": HUGE, "dilation": HUGE},
        "padding=(2147483648, 2147483648) needs a map of 4294967298 x 4294967298 pixels "
        "in between; use a smaller padding",
    ),
    (
        conv2d,
        (X, WEIGHT),
        {"stride": 2**63},
        "stride=9223372036854775808 is too large; use an int below 2**63",
    ),
    (
        unfold,
        (X, 2**63),
        {},
        "kernel_size=9223372036854775808 is too large; use an int below 2**63",
    ),
    # Nothing is left of the output: see the docstring of conv_transpose2d.
    (
        conv_transpose2d,
        (X, TRANSPOSED[:, :, :, :2]),
        {"padding": (0, 3)},
        "padding=3 crops all of the output 6-2*3; use padding<=2 or a larger kernel",
    ),
]
BAD_TYPES = [
    (
        conv2d,
        (X, WEIGHT),
        {"stride": 1.5},
        "stride=1.5 is not an integer; use an int of at least 1",
    ),
    (
        conv2d,
        (X, WEIGHT),
        {"padding": (1, 0.5)},
        "padding=0.5 is not an integer; use an int of at least 0",
    ),
    (
        conv2d,
        (X, WEIGHT),
        {"dilation": True},
        "dilation=True is not an integer; use an int of at least 1",
    ),
    (
        conv2d,
        (X, WEIGHT),
        {"groups": 1.0},
        "groups=1.0 is not an integer; use an int of at least 1",
    ),
    (
        conv2d,
        (X, WEIGHT),
        {"groups": (1,)},
        "groups=(1,) is not an integer; use an int of at least 1",
    ),
    (conv2d, (X.tolist(), WEIGHT), {}, "input is a list; use a torch.Tensor"),
    (conv2d, (X, None), {}, "weight is a NoneType; use a torch.Tensor"),
    (
        conv2d,
        (X, WEIGHT.double()),
        {},
        "input has dtype torch.float32, weight has dtype torch.float64; convert them to one dtype",
    ),
    (
        conv2d,
        (X, WEIGHT, BIAS.half()),
        {},
        "input has dtype torch.float32, weight has dtype torch.float32, bias has dtype "
        "torch.float16; convert them to one dtype",
    ),
    (
        conv2d,
        (X.bool(), WEIGHT.bool()),
        {},
        "weight has dtype torch.bool; convert it to one such as torch.float32",
    ),
    (
        conv2d_matrix,
        (WEIGHT.bool(), 5),
        {},
        "weight has dtype torch.bool; convert it to one such as torch.float32",
    ),
    (
        conv2d_matrix,
        (WEIGHT, 5.0),
        {},
        "input_size=5.0 is not an integer; use an int of at least 1",
    ),
    (
        conv_transpose2d,
        (X, TRANSPOSED),
        {"padding": "same"},
        "padding='same' is not an integer; use an int of at least 0",
    ),
    # PyTorch takes another dtype for the bias here, or refuses it, depending on the layer's size.
    (
        conv_transpose2d,
        (X, TRANSPOSED, BIAS.double()),
        {},
        "input has dtype torch.float32, weight has dtype torch.float32, bias has dtype "
        "torch.float64; convert them to one dtype",
    ),
    (unfold, (X, 3.0), {}, "kernel_size=3.0 is not an integer; use an int of at least 1"),
    (
        unfold,
        (X, 3),
        {"padding": "same"},
        "padding='same' is not an integer; use an int of at least 0",
    ),
    (
        fold,
        (torch.ones(1, 18, 4).to(torch.uint16), 4, 3),
        {},
        "input has dtype torch.uint16; convert it to one such as torch.float32",
    ),
    (pixel_shuffle, (X, 2.0), {}, "upscale_factor=2.0 is not an integer; use an int of at least 1"),
    (pixel_unshuffle, ([1], 2), {}, "input is a list; use a torch.Tensor"),
]
NAMES = [f"{operation.__name__}: {message}" for operation, *_, message in BAD_VALUES + BAD_TYPES]


@pytest.mark.parametrize(
    ("error", "operation", "tensors", "settings", "message"),
    [(ValueError, *row) for row in BAD_VALUES] + [(TypeError, *row) for row in BAD_TYPES],
    ids=NAMES,
)
def test_refusals_name_the_argument_and_the_remedy(error, operation, tensors, settings, message):
    with pytest.raises(error) as refusal:
        operation(*tensors, **settings)
    assert type(refusal.value) is error
    assert str(refusal.value) == message


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint16], ids=str)
def test_dtypes_without_arithmetic(dtype):
    x, weight = torch.ones(1, 1, 3, 3).to(dtype), torch.ones(1, 1, 2, 2).to(dtype)
    for operation in (conv2d, conv2d_loops, conv_transpose2d):
        with pytest.raises(TypeError, match=r"convert it to one such as torch\.float32"):
            operation(x, weight)
