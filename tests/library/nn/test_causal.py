"""A causal convolution sees the past, all of its receptive field, and nothing of the future."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from convbook.analysis import empirical_receptive_field, trace
from convbook.arithmetic import Layer, receptive_field
from convbook.arithmetic.coverage import dilation_coverage
from convbook.nn import CausalConv1d
from tests.helpers.sampling import examples
from tests.helpers.strategies import assert_same, batches, random_tensor

pytestmark = pytest.mark.usefixtures("one_thread")

counts = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))


@st.composite
def cases(draw):
    """Draw a layer in float64, and the length of an input."""
    groups, c_group, o_group = draw(counts)
    settings = {name: draw(st.integers(1, 4)) for name in ("stride", "dilation")}
    layer = CausalConv1d(
        groups * c_group,
        groups * o_group,
        draw(st.integers(1, 5)),
        **settings,
        groups=groups,
        bias=draw(st.booleans()),
        dtype=torch.float64,
    )
    return layer, draw(st.integers(1, 16))


@examples(300)
@given(cases(), batches)
def test_it_is_pytorchs_convolution_after_zeros(case, batch):
    layer, length = case
    (taps,), (stride,), (dilation,) = layer.kernel_size, layer.stride, layer.dilation
    zeros = dilation * (taps - 1)

    def expected(x, *parameters):
        padded = torch.cat([x.new_zeros(*x.shape[:-1], zeros), x], -1)
        settings = {"stride": stride, "dilation": dilation, "groups": layer.groups}
        return F.conv1d(padded, *parameters, **settings)

    x = random_tensor((*batch, layer.in_channels, length)).requires_grad_()
    assert_same(lambda x, *_: layer(x), expected, [x, *layer.parameters()])
    assert layer(x).shape == (*batch, layer.out_channels, (length - 1) // stride + 1)
    assert layer.left_padding == zeros


@examples(200)
@given(cases(), st.data())
def test_which_outputs_move_when_one_sample_does(case, data):
    """Those that read it, and no other; exactly, since integers add up without rounding."""
    layer, length = case
    for parameter in layer.parameters():
        nn.init.constant_(parameter, 1.0)
    place = data.draw(st.integers(0, length - 1))
    x = random_tensor((layer.in_channels, length)).round()
    moved = x.clone()
    moved[:, place] += 1
    (taps,), (stride,), (dilation,) = layer.kernel_size, layer.stride, layer.dilation
    changed = (layer(moved) != layer(x)).any(0).nonzero().flatten().tolist()
    late = [place + tap * dilation for tap in range(taps)]  # when each tap comes to read it
    outputs = range((length - 1) // stride + 1)
    assert changed == [t for t in outputs if t * stride in late]


@examples(100)
@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 20))
def test_it_is_a_causal_filter_of_signal_processing(taps, dilation, length):
    """Scipy's filter reads the past with its kernel turned round: y[t] = sum_j b[j] x[t - j]."""
    layer = CausalConv1d(1, 1, taps, dilation=dilation, bias=False, dtype=torch.float64)
    kernel = np.zeros(dilation * (taps - 1) + 1)
    kernel[::dilation] = layer.weight.detach().flatten().flip(0).numpy()
    x = random_tensor((1, length))
    expected = torch.from_numpy(lfilter(kernel, [1.0], x.numpy()))
    torch.testing.assert_close(layer(x).detach(), expected)


def wavenet(dilations):
    """Return a stack of two-tap layers whose weights are all one."""
    stack = nn.Sequential(*[CausalConv1d(1, 1, 2, dilation=d, bias=False) for d in dilations])
    for parameter in stack.double().parameters():
        nn.init.ones_(parameter)
    return stack


def test_ten_doubling_layers_see_1024_samples():
    dilations = [2**n for n in range(10)]
    stack, length = wavenet(dilations), 1030
    last = stack(torch.eye(length, dtype=torch.float64)[:, None])[:, 0, -1]  # one sample each
    assert last.tolist() == [0.0] * 6 + [1.0] * 1024
    assert dilation_coverage(dilations, 2) == [1] * 1024
    layers = [Layer(2, dilation=dilation) for dilation in dilations]
    assert receptive_field(layers)[-1].size == 1024
    # Output 0 sees 1023 samples before the first one, and then that one.
    assert trace(stack, (1, 64))[-1].receptive_field == (1024, 1, -1023)
    assert empirical_receptive_field(stack, (1, 64)) == (1024, 1, -1023)


def test_two_blocks_of_ten_see_2047():
    stack = wavenet([2**n for n in range(10)] * 2)
    assert trace(stack, (1, 64))[-1].receptive_field == (2047, 1, -2046)


class GatedBlock(nn.Module):
    """The residual block of WaveNet."""

    def __init__(self, channels, dilation):
        super().__init__()
        self.filter = CausalConv1d(channels, channels, 2, dilation=dilation)
        self.gate = CausalConv1d(channels, channels, 2, dilation=dilation)
        self.mix = nn.Conv1d(channels, channels, 1)

    def forward(self, x):
        return x + self.mix(torch.tanh(self.filter(x)) * torch.sigmoid(self.gate(x)))


MODELS = {
    "layer": lambda: CausalConv1d(4, 8, 3, dilation=4),
    "strided, grouped": lambda: CausalConv1d(4, 8, 3, stride=2, dilation=3, groups=4, bias=False),
    "one tap": lambda: CausalConv1d(4, 4, 1),
    "gated blocks": lambda: nn.Sequential(*[GatedBlock(4, d) for d in (1, 2, 4)]),
}
each_model = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
SIZE = (4, 40)


@each_model
def test_trace_follows_it(make):
    model = make()
    table = trace(model, SIZE)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        output = model(torch.zeros(1, *SIZE))
    assert 2 * table.macs == counter.get_total_flops()
    assert table[-1].output_shape == output.shape[1:]
    assert table.unused == {}
    field = table[-1].receptive_field
    assert field.start == 1 - field.size  # output 0 sees nothing after sample 0
    assert empirical_receptive_field(model, SIZE) == field


@each_model
def test_without_values_and_in_double_precision(make):
    with torch.device("meta"):
        model = make()
        assert model(torch.empty(2, *SIZE)).is_meta
    assert trace(model, SIZE).to_dict() == trace(make(), SIZE).to_dict()
    assert make().double()(torch.zeros(2, *SIZE, dtype=torch.float64)).dtype == torch.float64


def test_it_is_set_up_like_pytorchs():
    layer = CausalConv1d(2, 4, 3, 2, 5, 2, False, "meta", torch.float64)
    assert repr(layer) == (
        "CausalConv1d(2, 4, kernel_size=(3,), stride=(2,), dilation=(5,), groups=2, bias=False)"
    )
    assert (layer.weight.device.type, layer.weight.dtype) == ("meta", torch.float64)
    plain = nn.Conv1d(2, 4, 3)
    CausalConv1d(2, 4, np.int64(3), stride=[1]).load_state_dict(plain.state_dict())


BAD_VALUES = [
    ((0, 4, 3), {}, "in_channels=0 is too small; use an int of at least 1"),
    ((4, -1, 3), {}, "out_channels=-1 is too small"),
    ((4, 4, 0), {}, "kernel_size=0 is too small"),
    ((4, 4, (3, 3)), {}, "kernel_size=(3, 3) has 2 values; use one int"),
    ((4, 4, 3), {"stride": 0}, "stride=0 is too small"),
    ((4, 4, 3), {"dilation": 0}, "dilation=0 is too small"),
    ((4, 4, 3), {"groups": 0}, "groups=0 is too small"),
    ((4, 6, 3), {"groups": 4}, "out_channels=6 is not a multiple of groups=4; use out_channels=8"),
    ((6, 4, 3), {"groups": 4}, "in_channels=6 is not a multiple of groups=4; use in_channels=8"),
]
BAD_TYPES = [
    ((4.0, 4, 3), {}, "in_channels=4.0 is not an integer"),
    ((4, "4", 3), {}, "out_channels='4' is not an integer"),
    ((4, 4, 1.5), {}, "kernel_size=1.5 is not an integer"),
    ((4, 4, 3), {"groups": True}, "groups=True is not an integer"),
    ((4, 4, 3), {"dilation": 2.0}, "dilation=2.0 is not an integer"),
    ((4, 4, 3), {"padding": 1}, "padding"),  # it has none of its own
]


@pytest.mark.parametrize(
    ("error", "arguments", "settings", "message"),
    [(ValueError, *row) for row in BAD_VALUES] + [(TypeError, *row) for row in BAD_TYPES],
    ids=[message for *_, message in BAD_VALUES + BAD_TYPES],
)
def test_refusals_name_the_argument_and_the_remedy(error, arguments, settings, message):
    with pytest.raises(error) as refusal:
        CausalConv1d(*arguments, **settings)
    assert type(refusal.value) is error
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 3, 9), "input has 3 channels, but in_channels=4; change one of them"),
        ((3, 9), "input has 3 channels, but in_channels=4"),
        ((9,), "input has shape (9,); use (C, L) or (N, C, L)"),
        ((2, 4, 9, 9), "input has shape (2, 4, 9, 9); use (C, L) or (N, C, L)"),
        ((2, 4, 0), "input has shape (2, 4, 0); only its batch may be empty"),
    ],
)
def test_refused_inputs(shape, message):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 (the message is compared whole)
        CausalConv1d(4, 4, 3)(torch.ones(shape))
    assert message in str(refusal.value)


def test_an_input_that_is_no_tensor():
    with pytest.raises(TypeError, match=r"input is a list; use a torch\.Tensor"):
        CausalConv1d(1, 1, 3)([[1.0]])
