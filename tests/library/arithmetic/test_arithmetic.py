"""Sizes agree with what PyTorch gives, and receptive fields with what gradients reach."""

import operator
from itertools import combinations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st

import convbook
from convbook.analysis import trace
from convbook.arithmetic import (
    Layer,
    ReceptiveField,
    conv_macs,
    conv_output_size,
    conv_params,
    conv_transpose_output_size,
    receptive_field,
    same_padding,
)
from tests.helpers.sampling import examples
from tests.helpers.strategies import EVEN_SAME, conv_transpose_cases, per_axis, window_settings

pytestmark = pytest.mark.filterwarnings(EVEN_SAME)


@examples(1000)
@given(window_settings(words=True))
def test_conv_output_size_is_pytorchs(window):
    kernel_size, stride, padding, dilation, size = window
    x = torch.empty(1, 1, *size, device="meta")
    weight = torch.empty(1, 1, *per_axis(kernel_size), device="meta")
    expected = F.conv2d(x, weight, None, stride, padding, dilation).shape[-2:]
    assert conv_output_size(size, kernel_size, stride, padding, dilation) == expected


@examples(1000)
@given(conv_transpose_cases())
def test_conv_transpose_output_size_is_pytorchs(case):
    (input_shape, weight_shape, _), settings = case
    size, kernel_size, groups = input_shape[-2:], weight_shape[-2:], settings.pop("groups")
    x, weight = torch.empty(input_shape, device="meta"), torch.empty(weight_shape, device="meta")
    expected = F.conv_transpose2d(x, weight, None, groups=groups, **settings).shape[-2:]
    assert conv_transpose_output_size(size, kernel_size, **settings) == expected


@examples(500)
@given(conv_transpose_cases())
def test_a_transposed_convolution_leads_back_to_the_size(case):
    (input_shape, weight_shape, _), settings = case
    size, kernel_size = input_shape[-2:], weight_shape[-2:]
    del settings["groups"]
    # From the stride on (dilation allows it), output_padding makes room for one more window.
    strides = per_axis(settings["stride"])
    assume(all(map(operator.lt, settings["output_padding"], strides)))
    larger = conv_transpose_output_size(size, kernel_size, **settings)
    del settings["output_padding"]
    assert conv_output_size(larger, kernel_size, **settings) == size


@pytest.mark.parametrize(
    ("size", "settings", "expected", "output_padding"),
    [
        (4, (3, 1, 0), 2, 0),
        (5, (4, 1, 2), 6, 0),
        (5, (3, 1, 1), 5, 0),
        (5, (3, 1, 2), 7, 0),
        (5, (3, 2, 0), 2, 0),
        (5, (3, 2, 1), 3, 0),
        (6, (3, 2, 1), 3, 1),
        (7, (3, 1, 0, 2), 3, 0),
    ],
)
def test_sizes_of_the_guide_and_back(size, settings, expected, output_padding):
    assert conv_output_size(size, *settings) == expected
    kernel_size, stride, padding, dilation = (*settings, 1)[:4]
    back = (expected, kernel_size, stride, padding, output_padding, dilation)
    assert conv_transpose_output_size(*back) == size


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((64, 3, 2), 31),
        ((64, 3, 2, 1), 32),
        ((10, 3, 2), 4),
        ((16, 5, 3, 2), 6),
        ((17, 5, 3, 2), 6),
    ],
)
def test_sizes_that_do_not_divide(arguments, expected):
    assert conv_output_size(*arguments) == expected


def test_ints_give_ints_and_tuples_give_tuples():
    assert conv_output_size(7, 3, padding=1) == 7
    assert conv_output_size((7,), 3, padding=1) == (7,)
    assert conv_output_size(7, (3, 1)) == (5, 7)
    assert conv_output_size((7, 8, 9), 3, stride=(1, 2, 3)) == (5, 3, 3)
    assert conv_output_size((7, 8), (3,), padding="same") == (7, 8)
    assert conv_transpose_output_size((2, 3), 3, stride=2) == (5, 7)


@examples(500)
@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 9))
def test_same_padding_keeps_the_size(kernel_size, dilation, size):
    before, after = same_padding(kernel_size, dilation)
    assert (after - before) in (0, 1)
    assert before + size + after - dilation * (kernel_size - 1) == size
    assert conv_output_size(size, kernel_size, padding="same", dilation=dilation) == size
    # A kernel whose only weight is its first tap reads `before` pixels to the left.
    x, weight = torch.ones(1, 1, size), torch.zeros(1, 1, kernel_size)
    weight[..., 0] = 1
    zeros = (F.conv1d(x, weight, padding="same", dilation=dilation) == 0).sum()
    assert zeros == min(before, size)


@st.composite
def conv_layers(draw, ranks):
    """Draw a convolution of one of these ranks, as its class and arguments, and its input."""
    rank, groups = draw(ranks), draw(st.integers(1, 4))
    c_in, c_out = (groups * draw(st.integers(1, 5)) for _ in range(2))
    kernel_size, size = (draw(st.tuples(*[st.integers(1, 4)] * rank)) for _ in range(2))
    if rank == 2 and draw(st.booleans()):
        kernel_size = kernel_size[0]  # an int is a square
    kind = getattr(torch.nn, f"Conv{rank}d")
    settings = {"padding": 3, "groups": groups, "bias": draw(st.booleans())}
    return kind, (c_in, c_out, kernel_size), settings, (c_in, *size)


@examples(300)
@given(conv_layers(st.integers(1, 3)))
def test_parameters_and_macs_are_those_of_pytorchs_layers(case):
    kind, arguments, settings, input_shape = case
    with torch.device("meta"):
        layer = kind(*arguments, **settings)
        outputs = layer(torch.empty(1, *input_shape)).shape[2:]
    groups, bias = settings["groups"], settings["bias"]
    assert conv_params(*arguments, groups, bias) == sum(p.numel() for p in layer.parameters())
    assert conv_macs(*arguments, outputs, groups) == outputs.numel() * layer.weight.numel()


@examples(100)
@given(conv_layers(st.just(2)))
def test_parameters_and_macs_are_those_that_a_trace_counts(case):
    kind, arguments, settings, input_shape = case
    with torch.device("meta"):
        (row,) = trace(kind(*arguments, **settings), input_shape)
    assert row.params == conv_params(*arguments, settings["groups"], settings["bias"])
    assert row.macs == conv_macs(*arguments, row.output_shape[1:], settings["groups"])


def test_each_bias_is_one_parameter_and_no_mac():
    assert conv_params(16, 32, 3) - conv_params(16, 32, 3, bias=False) == 32
    assert conv_macs(16, 32, 3, output_size=1) == conv_params(16, 32, 3, bias=False) == 4608


layers_1d = st.builds(
    Layer, st.integers(1, 4), st.integers(1, 3), st.integers(0, 3), st.integers(1, 3)
)


@examples(300)
@given(st.lists(layers_1d, min_size=1, max_size=4))
def test_receptive_field_is_what_the_gradient_reaches(layers):
    size, jump, start = receptive_field(layers)[-1]
    inside = -(start // jump)  # the first output that sees no padding on the left
    last = start + (inside + 1) * jump + size - 1  # the last pixel that the next output sees
    x = torch.zeros(1, 1, last + 1, dtype=torch.float64, requires_grad=True)
    y = x
    for layer in layers:
        ones = torch.ones(1, 1, layer.kernel_size, dtype=torch.float64)
        y = F.conv1d(y, ones, None, layer.stride, layer.padding, layer.dilation)
    for output in (inside, inside + 1):
        (gradient,) = torch.autograd.grad(y[0, 0, output], x, retain_graph=True)
        seen = gradient[0, 0].nonzero().flatten()
        assert seen[0] == start + output * jump
        assert seen[-1] == start + output * jump + size - 1


def sizes(layers):
    return [field.size for field in receptive_field(layers)]


def test_receptive_fields_of_dilated_stacks():
    dilated = [Layer(3, dilation=d) for d in (1, 1, 2, 4, 8, 16, 1)]
    assert sizes(dilated) == [3, 5, 9, 17, 33, 65, 67]
    assert sizes([Layer(2, dilation=2**i) for i in range(10)])[-1] == 1024
    assert sizes([Layer(3, dilation=2**i) for i in range(5)]) == [3, 7, 15, 31, 63]


def test_receptive_fields_of_known_networks():
    conv, pool = Layer(3, padding=1), Layer(2, stride=2)
    vgg16 = [*[conv, conv, pool] * 2, *[conv, conv, conv, pool] * 3]
    assert sizes(vgg16)[-1] == 212
    alexnet = [Layer(11, 4, 2), Layer(3, 2), Layer(5, 1, 2), Layer(3, 2), *[conv] * 3, Layer(3, 2)]
    assert sizes(alexnet)[-1] == 195
    stem = [Layer(7, 2, 3), Layer(3, 2, 1)]
    down = Layer(3, 2, 1)
    resnet18 = [*stem, *[conv] * 4, *[down, conv, conv, conv] * 3]
    assert receptive_field(resnet18)[-1][:2] == (435, 32)
    resnet50 = [*stem, *[conv] * 3, down, *[conv] * 3, down, *[conv] * 5, down, *[conv] * 2]
    assert sizes(resnet50)[-1] == 427


def test_a_layers_stride_does_not_grow_its_own_field():
    assert (
        receptive_field([Layer(3, stride=1)])[0].size
        == receptive_field([Layer(3, stride=2)])[0].size
    )
    assert sizes([Layer(3, stride=2), Layer(3)]) == [3, 7]


def test_receptive_field_per_axis():
    fields = receptive_field(
        [Layer((1, 7), padding="same"), Layer((7, 1), stride=(2, 1)), Layer(3)]
    )
    assert fields[0] == ReceptiveField(size=(1, 7), jump=(1, 1), start=(0, -3))
    assert fields[2] == ReceptiveField(size=(11, 9), jump=(2, 1), start=(0, -3))
    assert receptive_field([]) == []


SMALL = {"input_size": 5, "kernel_size": 3}
CHANNELS = {"in_channels": 8, "out_channels": 12, "kernel_size": 3}
REFUSALS = [
    (
        conv_output_size,
        {"input_size": 5, "kernel_size": 7},
        "kernel_size=7 is larger than the padded input 5+2*0; use padding>=1 or a smaller kernel",
    ),
    (
        conv_output_size,
        {**SMALL, "dilation": 4, "padding": 1},
        "kernel_size=3 with dilation=4 spans 9 pixels, more than the padded input 5+2*1; "
        "use padding>=2 or a smaller kernel",
    ),
    (conv_output_size, {**SMALL, "stride": 0}, "stride=0 is too small; use an int of at least 1"),
    (
        conv_output_size,
        {**SMALL, "stride": (1, -2)},
        "stride=-2 is too small; use an int of at least 1",
    ),
    (
        conv_output_size,
        {**SMALL, "padding": -1},
        "padding=-1 is too small; use an int of at least 0",
    ),
    (
        conv_output_size,
        {**SMALL, "dilation": 0},
        "dilation=0 is too small; use an int of at least 1",
    ),
    (
        conv_output_size,
        {**SMALL, "kernel_size": 0},
        "kernel_size=0 is too small; use an int of at least 1",
    ),
    (
        conv_output_size,
        {**SMALL, "input_size": -1},
        "input_size=-1 is too small; use an int of at least 0",
    ),
    (
        conv_output_size,
        {**SMALL, "padding": "full"},
        "padding='full' is unknown; use 'same', 'valid' or integers",
    ),
    (
        conv_output_size,
        {**SMALL, "padding": "same", "stride": 2},
        "padding='same' needs stride=1, not (2,); give padding as integers",
    ),
    (
        conv_output_size,
        {**SMALL, "input_size": (5, 5), "stride": (1, 1, 1)},
        "stride=(1, 1, 1) has 3 values; use one int or 2 ints",
    ),
    (conv_output_size, {**SMALL, "stride": ()}, "stride=() has 0 values; use one int or 1 ints"),
    (
        conv_transpose_output_size,
        {**SMALL, "stride": 2, "output_padding": 2},
        "output_padding=2 must be smaller than stride=2 or dilation=1; use output_padding<=1",
    ),
    (
        conv_transpose_output_size,
        {**SMALL, "padding": 4},
        "padding=4 crops all of the output 7-2*4; use padding<=3 or a larger kernel",
    ),
    (
        conv_transpose_output_size,
        {"input_size": 5, "kernel_size": 4, "padding": 4},
        "padding=4 crops all of the output 8-2*4; use padding<=3 or a larger kernel",
    ),
    (
        conv_transpose_output_size,
        {**SMALL, "output_padding": -1},
        "output_padding=-1 is too small; use an int of at least 0",
    ),
    (same_padding, {"kernel_size": 0}, "kernel_size=0 is too small; use an int of at least 1"),
    (
        conv_params,
        {**CHANNELS, "groups": 6},
        "groups=6 must divide in_channels=8 and out_channels=12; "
        "use groups=4, or channel numbers that are multiples of 6",
    ),
    (
        conv_params,
        {**CHANNELS, "groups": 10**9},
        "groups=1000000000 must divide in_channels=8 and out_channels=12; use groups=4, or channel "
        "numbers that are multiples of 1000000000",
    ),
    (
        conv_params,
        {**CHANNELS, "groups": 8},
        "groups=8 must divide in_channels=8 and out_channels=12; use groups=4, or channel "
        "numbers that are multiples of 8",
    ),
    (
        conv_params,
        {**CHANNELS, "groups": 3},
        "groups=3 must divide in_channels=8 and out_channels=12; use groups=2, or channel "
        "numbers that are multiples of 3",
    ),
    (conv_params, {**CHANNELS, "groups": 0}, "groups=0 is too small; use an int of at least 1"),
    (
        conv_params,
        {**CHANNELS, "in_channels": 0},
        "in_channels=0 is too small; use an int of at least 1",
    ),
    (
        conv_params,
        {**CHANNELS, "out_channels": -1},
        "out_channels=-1 is too small; use an int of at least 1",
    ),
    (
        conv_params,
        {**CHANNELS, "kernel_size": (3, 0)},
        "kernel_size=0 is too small; use an int of at least 1",
    ),
    (
        conv_macs,
        {**CHANNELS, "output_size": -1},
        "output_size=-1 is too small; use an int of at least 0",
    ),
    (
        conv_macs,
        {**CHANNELS, "output_size": 1, "groups": 5},
        "groups=5 must divide in_channels=8 and out_channels=12; use groups=4, or channel "
        "numbers that are multiples of 5",
    ),
    (
        conv_macs,
        {**CHANNELS, "kernel_size": (3, 3), "output_size": (1, 1, 1)},
        "output_size=(1, 1, 1) has 3 values; use one int or 2 ints",
    ),
    (Layer, {"kernel_size": 3, "stride": 0}, "stride=0 is too small; use an int of at least 1"),
    (
        Layer,
        {"kernel_size": 3, "stride": 2, "padding": "same"},
        "padding='same' needs stride=1, not (2,); give padding as integers",
    ),
    (
        receptive_field,
        {"layers": [Layer((3, 3)), Layer((3, 3, 3))]},
        "kernel_size=(3, 3) has 2 values; use one int or 3 ints",
    ),
    (
        Layer,
        {"kernel_size": (3, 3), "stride": (1, 1, 1)},
        "stride=(1, 1, 1) has 3 values; use one int or 2 ints",
    ),
]


@pytest.mark.parametrize(("function", "arguments", "message"), REFUSALS)
def test_refused_values(function, arguments, message):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 (the message is compared below)
        function(**arguments)
    assert str(refusal.value) == message


def test_what_just_fits_is_taken():
    assert conv_transpose_output_size(5, 4, padding=3) == 2
    assert conv_transpose_output_size(5, 3, padding=3) == 1
    assert conv_transpose_output_size(5, 3, stride=3, output_padding=2) == 17
    assert conv_transpose_output_size(5, 3, dilation=3, output_padding=2) == 13
    assert conv_output_size(5, 7, padding=1) == 1
    assert conv_output_size(5, 3, dilation=3, padding=1) == 1


# In the order in which they are asked: one that speaks of other axes than one before it is wrong.
ASKED = {
    conv_output_size: ["input_size", "kernel_size", "stride", "padding", "dilation"],
    conv_transpose_output_size: [
        *("input_size", "kernel_size", "stride", "padding", "output_padding", "dilation"),
    ],
    Layer: ["kernel_size", "stride", "padding", "dilation"],
    same_padding: ["kernel_size", "dilation"],
}


@pytest.mark.parametrize("function", ASKED, ids=lambda function: function.__name__)
def test_of_two_that_differ_in_their_axes_the_later_is_named(function):
    sizes = {"input_size": 9, "kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2}
    sizes["output_padding"] = 1
    given = {name: sizes[name] for name in ASKED[function]}
    for earlier, later in combinations(given, 2):
        apart = {earlier: (given[earlier],) * 2, later: (given[later],) * 3}
        with pytest.raises(ValueError, match="values") as refusal:
            function(**{**given, **apart})
        told = f"{later}={apart[later]} has 3 values; use one int or 2 ints"
        assert str(refusal.value) == told


@pytest.mark.parametrize("value", [1.0, True, "1", None, (1, 1.5), (True, 1)], ids=repr)
@pytest.mark.parametrize("name", ["input_size", "kernel_size", "stride", "padding", "dilation"])
def test_refused_types(name, value):
    if (name, value) == ("padding", "1"):
        return  # a word, and an unknown one: a ValueError
    with pytest.raises(TypeError, match=f"{name}=.* is not an integer; use an int"):
        conv_output_size(**{**SMALL, name: value})


@pytest.mark.parametrize("value", [1.0, True, "1", None], ids=repr)
@pytest.mark.parametrize(
    "name", ["in_channels", "out_channels", "kernel_size", "output_size", "groups"]
)
def test_refused_types_of_costs(name, value):
    with pytest.raises(TypeError, match=f"{name}=.* is not an integer; use an int"):
        conv_macs(**{**CHANNELS, "output_size": 4, name: value})


def test_only_layers_have_a_receptive_field():
    with pytest.raises(TypeError, match=r"layers holds \(3, 2, 1\); use Layer"):
        receptive_field([(3, 2, 1)])


def test_unknown_submodule():
    with pytest.raises(AttributeError, match="no attribute 'convolutions'"):
        _ = convbook.convolutions
    assert {"arithmetic", "functional"} <= set(dir(convbook))
