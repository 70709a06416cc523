"""Sub-pixel and resize convolutions equal what they stand for, and start where they should."""

import re
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.func import functional_call

from convbook.analysis import empirical_receptive_field, trace
from convbook.arithmetic import same_padding
from convbook.arithmetic.coverage import is_even_overlap
from convbook.functional import pixel_shuffle
from convbook.nn import ResizeConv2d, SubPixelConv2d, icnr_
from tests.helpers.sampling import examples
from tests.helpers.strategies import (
    EVEN_SAME,
    assert_same,
    assert_trace_counts,
    batches,
    filled,
    per_axis,
    random_tensor,
    settings_of,
)

pytestmark = [
    pytest.mark.filterwarnings(EVEN_SAME),
    pytest.mark.usefixtures("one_thread"),
]

counts = st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 2))  # groups, in, out
modes = st.sampled_from(["zeros", "zeros", "reflect", "replicate", "circular"])
# PyTorch's pixel shuffle takes an empty batch, but its gradient does not.
some = batches.filter(lambda batch: batch != (0,))


@st.composite
def sub_pixel_settings(draw):
    """Draw the arguments of a sub-pixel convolution, and the size of a map for it."""
    groups, c_group, o_group = draw(counts)
    kernel_size, dilation = draw(settings_of(1, 4)), draw(settings_of(1, 3))
    words = st.sampled_from(["same", "same", "valid"])
    padding = draw(words | settings_of(0, 4))
    arguments = groups * c_group, groups * o_group, kernel_size, draw(st.integers(1, 3))
    settings = {"padding": padding, "dilation": dilation, "groups": groups}
    sides = {"same": 0, "valid": 0}.get(padding)
    sides = per_axis(padding) if sides is None else (sides, sides)
    size = [
        max(1, gap * (taps - 1) + 1 - 2 * side) + draw(st.integers(0, 3))
        for taps, gap, side in zip(per_axis(kernel_size), per_axis(dilation), sides, strict=True)
    ]
    if padding == "same":
        size = [draw(st.integers(1, 6)) for _ in range(2)]
    return arguments, settings, tuple(size)


# ------------------------------------------------------------------ sub-pixel convolution


@examples(300)
@given(sub_pixel_settings(), some, modes, st.booleans())
def test_it_is_a_convolution_and_a_shuffle(case, batch, mode, bias):
    """The shuffle is the definition: sub-pixel (i, j) of channel c is channel c*r*r + i*r + j."""
    (c_in, c_out, kernel_size, r), settings, size = case
    if mode != "zeros":  # what is reflected or goes round must be there
        size = tuple(pixels + 9 for pixels in size)
    layer = SubPixelConv2d(
        c_in, c_out, kernel_size, r, **settings, bias=bias, padding_mode=mode, dtype=torch.float64
    )
    plain = nn.Conv2d(
        c_in,
        c_out * r * r,
        per_axis(kernel_size),
        padding=settings["padding"] if mode == "zeros" else layer.conv.padding,
        dilation=per_axis(settings["dilation"]),
        groups=settings["groups"],
        bias=bias,
        padding_mode=mode,
        dtype=torch.float64,
    )

    def expected(x, *parameters):
        names = ("weight", "bias")
        maps = functional_call(plain, dict(zip(names, parameters, strict=False)), x)
        whole = maps.new_zeros(*maps.shape[:-3], c_out, r * maps.shape[-2], r * maps.shape[-1])
        for channel in range(c_out * r * r):
            c, i, j = channel // r**2, channel // r % r, channel % r
            whole[..., c, i::r, j::r] = maps[..., channel, :, :]
        return whole

    x = random_tensor((*batch, c_in, *size)).requires_grad_()
    assert_same(lambda x, *_: layer(x), expected, [x, *layer.parameters()])
    if settings["padding"] == "same":
        assert layer(x).shape == (*batch, c_out, r * size[0], r * size[1])


def transposed_with(layer):
    """Return `F.conv_transpose2d` with a layer's own interleaved weight and bias, for gradients."""
    twin = layer.as_conv_transpose()

    def run(x, *_):
        weight, bias = layer.interleaved()
        return F.conv_transpose2d(x, weight, bias, twin.stride, twin.padding, groups=twin.groups)

    return run


@examples(400)
@given(sub_pixel_settings(), some, st.booleans())
def test_it_equals_its_transposed_convolution(case, batch, bias):
    """Odd and even kernels, dilation, groups, 'same', less and more padding than the kernel has."""
    arguments, settings, size = case
    layer = filled(SubPixelConv2d(*arguments, **settings, bias=bias))
    if bias:  # the same number for all sub-pixels of a channel
        layer.conv.bias.data = random_tensor((arguments[1],)).repeat_interleave(arguments[3] ** 2)
    x = random_tensor((*batch, arguments[0], *size)).requires_grad_()
    assert_same(lambda x, *_: layer(x), transposed_with(layer), [x, layer.conv.weight])
    twin = layer.as_conv_transpose()
    assert type(twin) is nn.ConvTranspose2d
    torch.testing.assert_close(twin(x), layer(x))
    assert all(p.requires_grad and p.is_leaf for p in twin.parameters())
    if bias:  # one bias gathers what its r * r copies get
        weights = random_tensor(layer(x).shape)
        (ours,) = torch.autograd.grad(layer(x), layer.conv.bias, weights)
        (theirs,) = torch.autograd.grad(twin(x), twin.bias, weights)
        torch.testing.assert_close(theirs, ours.unflatten(0, (arguments[1], -1)).sum(1))


@examples(100)
@given(counts, settings_of(0, 2), st.integers(1, 4))
def test_the_rule_for_odd_kernels(channels, halves, r):
    """Kernel r*k, stride r, padding r*(k // 2); each weight stands where the rule puts it."""
    groups, c_group, o_group = channels
    k_h, k_w = (2 * half + 1 for half in per_axis(halves))
    layer = SubPixelConv2d(
        groups * c_group, groups * o_group, (k_h, k_w), r, groups=groups, bias=False
    )
    twin = layer.as_conv_transpose()
    assert twin.kernel_size == (r * k_h, r * k_w)
    assert twin.stride == (r, r)
    assert twin.padding == (r * (k_h // 2), r * (k_w // 2))
    assert twin.output_padding == (0, 0)
    assert twin.groups == groups
    weight = layer.conv.weight
    for group in range(groups):
        for c in range(o_group):
            for i in range(r):
                for j in range(r):
                    filters = weight[((group * o_group + c) * r + i) * r + j]  # (c_group, k, k)
                    found = twin.weight[group * c_group : (group + 1) * c_group, c, i::r, j::r]
                    assert torch.equal(found, filters.flip(-2, -1))


@examples(100)
@given(sub_pixel_settings(), st.data())
def test_only_what_is_needed_is_zero(case, data):
    """Up to the reach of the kernel, symmetric padding is a crop and costs no tap."""
    arguments, settings, _ = case
    reaches = [
        gap * (taps - 1)
        for taps, gap in zip(per_axis(arguments[2]), per_axis(settings["dilation"]), strict=True)
    ]
    settings["padding"] = tuple(data.draw(st.integers(0, reach)) for reach in reaches)
    layer = filled(SubPixelConv2d(*arguments, **settings, bias=False))
    twin = layer.as_conv_transpose()
    assert twin.kernel_size == tuple(layer.upscale_factor * (reach + 1) for reach in reaches)
    assert twin.weight.count_nonzero() == layer.conv.weight.numel()
    size = (arguments[0], 12, 11)
    assert trace(twin, size)[-1].receptive_field == trace(layer, size)[-1].receptive_field


def test_zeros_stand_where_the_padding_is_uneven_or_too_large():
    even = SubPixelConv2d(1, 1, 2, 3, bias=False)  # 'same': 0 before and 1 after
    assert same_padding(2) == (0, 1)
    twin = even.as_conv_transpose()
    assert (twin.kernel_size, twin.padding) == ((9, 9), (3, 3))
    assert not twin.weight[..., :6, :6].eq(0).any()
    assert not twin.weight[..., 6:, :].any()
    assert not twin.weight[..., 6:].any()
    twin = SubPixelConv2d(1, 1, 1, 2, padding=1, bias=False).as_conv_transpose()
    assert (twin.kernel_size, twin.padding) == ((6, 6), (0, 0))
    assert twin.weight.count_nonzero() == 4


def test_the_overlap_of_its_transposed_convolution_is_even():
    for kernel_size in range(1, 6):
        for r in range(1, 5):
            twin = SubPixelConv2d(1, 1, kernel_size, r).icnr_().as_conv_transpose()
            assert is_even_overlap(twin.kernel_size[0], twin.stride[0], twin.dilation[0])


def test_sub_pixels_with_biases_of_their_own_have_no_transposed_convolution():
    layer = SubPixelConv2d(2, 3, 3, 2)
    for method in (layer.as_conv_transpose, layer.interleaved):
        with pytest.raises(ValueError, match=r"bias differs .*; use bias=False, or icnr_\(\)"):
            method()
    assert layer.icnr_().as_conv_transpose().bias.tolist() == [0, 0, 0]
    layer.conv.bias.data = torch.tensor([1.0, 2, 3]).repeat_interleave(4)
    assert layer.as_conv_transpose().bias.tolist() == [1, 2, 3]


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_a_transposed_convolution_pads_with_zeros_only(mode):
    layer = SubPixelConv2d(2, 3, 3, 2, bias=False, padding_mode=mode)
    with pytest.raises(ValueError, match=f"padding_mode='{mode}': .* use padding_mode='zeros' or"):
        layer.as_conv_transpose()
    layer = SubPixelConv2d(2, 3, 3, 2, padding=0, bias=False, padding_mode=mode).double()
    x = random_tensor((1, 2, 5, 5))
    torch.testing.assert_close(layer.as_conv_transpose()(x), layer(x))


def test_a_copy_leaves_the_layer_alone():
    layer = SubPixelConv2d(2, 3, 1, 1)  # where nothing is moved, a view could be handed out
    before = layer.conv.weight.detach().clone()
    nn.init.zeros_(layer.as_conv_transpose().weight)
    assert torch.equal(layer.conv.weight, before)


def test_the_copy_draws_nothing():
    layer = SubPixelConv2d(2, 3, 3, 2, bias=False)
    state = torch.random.get_rng_state()
    layer.as_conv_transpose()
    assert torch.equal(state, torch.random.get_rng_state())


def test_an_empty_batch_stays_empty():
    layer, nothing = SubPixelConv2d(2, 3, 3, 2).icnr_(), torch.empty(0, 2, 5, 4)
    assert layer(nothing).shape == layer.as_conv_transpose()(nothing).shape == (0, 3, 10, 8)


# ------------------------------------------------------------------ ICNR

INITIALISERS = {
    "kaiming_normal_": nn.init.kaiming_normal_,
    "kaiming_uniform_, a": partial(nn.init.kaiming_uniform_, a=5**0.5),
    "kaiming_normal_, fan_out": partial(nn.init.kaiming_normal_, mode="fan_out"),
    "xavier_normal_": nn.init.xavier_normal_,
    "xavier_uniform_": nn.init.xavier_uniform_,
    "uniform_": nn.init.uniform_,
    "normal_": partial(nn.init.normal_, std=0.1),
    "trunc_normal_": nn.init.trunc_normal_,
    "orthogonal_": nn.init.orthogonal_,
    "dirac_": nn.init.dirac_,
    "ones_": nn.init.ones_,
    "constant_": partial(nn.init.constant_, val=3.0),
}
each_initialiser = pytest.mark.parametrize("initialiser", INITIALISERS.values(), ids=INITIALISERS)


@each_initialiser
@pytest.mark.parametrize("r", [1, 2, 3])
def test_icnr_draws_as_for_the_small_convolution(initialiser, r):
    weight = torch.empty(4 * r * r, 3, 3, 5, dtype=torch.float64)
    small = torch.empty(4, 3, 3, 5, dtype=torch.float64)
    torch.manual_seed(0)
    assert icnr_(weight, r, initialiser) is weight
    torch.manual_seed(0)
    initialiser(small)
    assert torch.equal(weight, small.repeat_interleave(r * r, 0))
    assert small.any()


@examples(200)
@given(sub_pixel_settings(), batches, st.booleans(), st.sampled_from(sorted(INITIALISERS)), modes)
def test_icnr_is_nearest_neighbour_upsampling_of_one_convolution(case, batch, bias, name, mode):
    (c_in, c_out, kernel_size, r), settings, size = case
    if mode != "zeros":
        size = tuple(pixels + 9 for pixels in size)
    settings |= {"padding_mode": mode}
    layer = SubPixelConv2d(c_in, c_out, kernel_size, r, **settings, bias=bias).double()
    assert layer.icnr_(INITIALISERS[name]) is layer
    assert not bias or not layer.conv.bias.any()
    small = nn.Conv2d(
        c_in,
        c_out,
        layer.conv.kernel_size,
        **{
            **settings,
            "padding": layer.conv.padding,
            "dilation": layer.conv.dilation,
        },
        bias=bias,
        dtype=torch.float64,
    )
    small.weight.data = layer.conv.weight.data[:: r * r]
    if bias:  # zero, or repeated within each group
        small.bias.data = random_tensor((c_out,))
        layer.conv.bias.data = small.bias.data.repeat_interleave(r * r)
    x = random_tensor((*batch, c_in, *size))
    low = small(x)
    expected = low.repeat_interleave(r, -1).repeat_interleave(r, -2)
    torch.testing.assert_close(layer(x), expected)
    if low.ndim == 4 and low.numel():
        torch.testing.assert_close(F.interpolate(low, scale_factor=r), expected, rtol=0, atol=0)


def test_without_icnr_sub_pixels_differ():
    layer = SubPixelConv2d(4, 1, 3, 2)
    block = layer(torch.ones(1, 4, 5, 5))[0, 0, 4:6, 4:6]
    assert len(set(block.flatten().tolist())) == 4
    block = layer.icnr_()(torch.ones(1, 4, 5, 5))[0, 0, 4:6, 4:6]
    assert len(set(block.flatten().tolist())) == 1


def test_icnr_has_the_variance_of_he():
    """2 / fan_in, where fan_in is that of the convolution before the shuffle."""
    torch.manual_seed(0)
    weight = SubPixelConv2d(64, 64, 3, 2).icnr_().conv.weight
    assert weight.var().item() == pytest.approx(2 / (64 * 9), rel=0.03)


def test_icnr_keeps_gradients_dtype_and_place():
    for dtype in (torch.float64, torch.bfloat16, torch.complex64):
        layer = SubPixelConv2d(2, 2, 3, 2, dtype=dtype)
        weight, place = layer.conv.weight, layer.conv.weight.data_ptr()
        layer.icnr_(nn.init.ones_)
        assert layer.conv.weight is weight
        assert weight.data_ptr() == place
        assert weight.is_leaf
        assert weight.requires_grad
        assert weight.dtype == dtype
        assert (weight == 1).all()


# ------------------------------------------------------------------ resize, then convolve


def between(size, factor):
    """Return the matrix (size * factor, size) of linear interpolation between pixel centres."""
    matrix = torch.zeros(size * factor, size, dtype=torch.float64)
    for row in range(size * factor):
        place = min(max((row + 0.5) / factor - 0.5, 0), size - 1)
        first, share = int(place), place % 1
        matrix[row, first] += 1 - share
        matrix[row, min(first + 1, size - 1)] += share
    return matrix


def enlarged(x, factors, mode):
    """Enlarge by hand: copies of pixels, or two matrices."""
    if mode == "nearest":
        return x.repeat_interleave(factors[0], -2).repeat_interleave(factors[1], -1)
    rows, columns = (between(n, s) for n, s in zip(x.shape[-2:], factors, strict=True))
    return rows @ x @ columns.mT


@examples(300)
@given(
    counts,
    settings_of(1, 4),
    settings_of(1, 3),
    settings_of(1, 2),
    st.sampled_from(["nearest", "bilinear"]),
    st.booleans(),
    modes,
    batches,
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
)
def test_it_is_a_resize_and_a_convolution(
    channels, kernel_size, factor, dilation, mode, bias, padding_mode, batch, size
):
    groups, c_group, o_group = channels
    c_in, c_out = groups * c_group, groups * o_group
    if padding_mode != "zeros":  # what is reflected or goes round must be there
        size = tuple(pixels + 6 for pixels in size)
    settings = {"groups": groups, "bias": bias, "padding_mode": padding_mode}
    layer = filled(ResizeConv2d(c_in, c_out, kernel_size, factor, mode, dilation, **settings))
    befores, afters = zip(*same_padding(per_axis(kernel_size), per_axis(dilation)), strict=True)

    def expected(x, weight, bias=None):
        x = enlarged(x, per_axis(factor), mode)
        pads = (befores[1], afters[1], befores[0], afters[0])
        how = {"zeros": "constant"}.get(padding_mode, padding_mode)
        x = F.pad(x, pads, how)
        return F.conv2d(x, weight, bias, dilation=per_axis(dilation), groups=groups)

    x = random_tensor((*batch, c_in, *size)).requires_grad_()
    assert_same(lambda x, *_: layer(x), expected, [x, *layer.parameters()])
    s_h, s_w = per_axis(factor)
    assert layer(x).shape == (*batch, c_out, s_h * size[0], s_w * size[1])


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_a_constant_stays_constant_where_a_transposed_convolution_draws_a_board(mode):
    ones = torch.ones(1, 1, 6, 6, dtype=torch.float64)
    layer = ResizeConv2d(1, 1, 3, 2, mode, bias=False).double()
    board = nn.ConvTranspose2d(1, 1, 3, 2, 1, output_padding=1, bias=False).double()
    for module in (layer, board):
        nn.init.ones_(module.weight if module is board else module.conv.weight)
    assert layer(ones)[0, 0, 1:-1, 1:-1].unique().tolist() == [9]
    assert board(ones)[0, 0, 1:-1, 1:-1].unique().tolist() == [1, 2, 4]


def test_one_pixel_enlarged():
    layer = ResizeConv2d(1, 1, 1, 2, bias=False)
    nn.init.ones_(layer.conv.weight)
    x = torch.tensor([[[0.0, 4.0]]])
    assert layer(x).tolist() == [[[0, 0, 4, 4]] * 2]
    layer.resize.mode = "bilinear"
    assert layer(x).tolist() == [[[0, 1, 3, 4]] * 2]


# ------------------------------------------------------------------ with the rest of the package


class UNet(nn.Module):
    """One way down and up again, with a skip, as chapter 10 has it."""

    def __init__(self, up):
        super().__init__()
        self.first, self.down = nn.Conv2d(4, 4, 3, padding=1), nn.MaxPool2d(2)
        self.inside, self.up = nn.Conv2d(4, 4, 3, padding=2, dilation=2), up
        self.last = nn.Conv2d(8, 2, 3, padding=1)

    def forward(self, x):
        x = self.first(x).relu()
        return self.last(torch.cat([x, self.up(self.inside(self.down(x)).relu())], 1))


LAYERS = {
    "sub-pixel": lambda: SubPixelConv2d(4, 3, 3, 2),
    "sub-pixel, same": lambda: SubPixelConv2d(4, 4, (4, 2), 3, dilation=(1, 2), groups=2),
    "sub-pixel, valid": lambda: SubPixelConv2d(4, 2, 5, 2, padding="valid", bias=False),
    "sub-pixel, padded": lambda: SubPixelConv2d(4, 2, (1, 3), 2, (2, 1), padding_mode="replicate"),
    "resize": lambda: ResizeConv2d(4, 3, 3),
    "resize, bilinear": lambda: ResizeConv2d(4, 4, (3, 4), (2, 3), "bilinear", 2, groups=2),
    "resize, reflected": lambda: ResizeConv2d(4, 2, 5, 3, bias=False, padding_mode="reflect"),
    "twice": lambda: nn.Sequential(SubPixelConv2d(4, 4, 3, 2), nn.ReLU(), ResizeConv2d(4, 1, 3)),
    "U-Net, sub-pixel": lambda: UNet(SubPixelConv2d(4, 4, 3, 2)),
    "U-Net, resize": lambda: UNet(ResizeConv2d(4, 4, 3, 2, "bilinear")),
    "U-Net, transposed": lambda: UNet(nn.ConvTranspose2d(4, 4, 2, 2)),
}
each_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
SIZE = (4, 12, 10)


@each_layer
def test_trace_counts_what_pytorch_counts(make):
    assert_trace_counts(make(), SIZE)


@each_layer
def test_receptive_field_by_recurrence_and_by_gradient(make):
    layer = make()
    assert empirical_receptive_field(layer, SIZE) == trace(layer, SIZE)[-1].receptive_field


def test_macs_of_the_three_ways_to_double_a_map():
    """At equal kernels, resize-convolution costs r*r times a sub-pixel with as many outputs."""
    sub_pixel = SubPixelConv2d(4, 3, 3, 2, bias=False)
    macs = {
        "sub-pixel": trace(sub_pixel, (4, 8, 8)).macs,
        "its transposed convolution": trace(sub_pixel.as_conv_transpose(), (4, 8, 8)).macs,
        "resize": trace(ResizeConv2d(4, 3, 3, 2, bias=False), (4, 8, 8)).macs,
    }
    assert set(macs.values()) == {8 * 8 * 4 * 3 * 9 * 4}


@each_layer
def test_without_values_and_in_double_precision(make):
    with torch.device("meta"):
        layer = make()
        assert layer(torch.empty(2, *SIZE)).is_meta
    assert {p.device.type for p in layer.parameters()} == {"meta"}
    assert trace(layer, SIZE).to_dict() == trace(make(), SIZE).to_dict()
    assert make().double()(torch.zeros(2, *SIZE, dtype=torch.float64)).dtype == torch.float64


def test_icnr_and_the_transposed_convolution_without_values():
    layer = SubPixelConv2d(2, 3, 3, 2, device="meta", dtype=torch.float64)
    twin = layer.icnr_().as_conv_transpose()
    assert (twin.weight.device.type, twin.bias.dtype) == ("meta", torch.float64)
    assert twin.weight.shape == (2, 3, 6, 6)


@pytest.mark.parametrize("kind", [partial(SubPixelConv2d, upscale_factor=2), ResizeConv2d])
def test_device_and_dtype_are_handed_on(kind):
    layer = kind(2, 2, kernel_size=3, device="meta", dtype=torch.float64)
    assert {(p.device.type, p.dtype) for p in layer.parameters()} == {("meta", torch.float64)}


def test_the_shuffle_is_the_books():
    x = random_tensor((2, 18, 3, 4))
    assert torch.equal(SubPixelConv2d(1, 2, 1, 3).shuffle(x), pixel_shuffle(x, 3))


def test_what_is_printed_says_the_settings():
    text = repr(SubPixelConv2d(4, 3, 3, 2))
    assert "(conv): Conv2d(4, 12, kernel_size=(3, 3), stride=(1, 1), padding=same)" in text
    assert "(shuffle): PixelShuffle(upscale_factor=2)" in text
    text = repr(ResizeConv2d(4, 3, 3, mode="bilinear"))
    assert "(resize): Upsample(scale_factor=(2.0, 2.0), mode='bilinear')" in text


# ------------------------------------------------------------------ refusals

WEIGHT = torch.ones(8, 2, 3, 3)
BAD_VALUES = [
    (SubPixelConv2d, (0, 4, 3, 2), {}, "in_channels=0 is too small; use an int of at least 1"),
    (SubPixelConv2d, (4, 0, 3, 2), {}, "out_channels=0 is too small"),
    (SubPixelConv2d, (4, 4, 0, 2), {}, "kernel_size=0 is too small"),
    (SubPixelConv2d, (4, 4, 3, 0), {}, "upscale_factor=0 is too small; use an int of at least 1"),
    (SubPixelConv2d, (4, 4, 3, 2), {"padding": -1}, "padding=-1 is too small"),
    (SubPixelConv2d, (4, 4, 3, 2), {"padding": "full"}, "padding='full' is unknown; use 'same'"),
    (SubPixelConv2d, (4, 4, 3, 2), {"dilation": (1, 0)}, "dilation=0 is too small"),
    (SubPixelConv2d, (4, 4, 3, 2), {"groups": 0}, "groups=0 is too small"),
    (
        SubPixelConv2d,
        (4, 6, 3, 2),  # 6 * 2 * 2 filters would do: but a group must not end within a channel
        {"groups": 4},
        "out_channels=6 is not a multiple of groups=4; use out_channels=8",
    ),
    (SubPixelConv2d, (6, 4, 3, 2), {"groups": 4}, "in_channels=6 is not a multiple of groups=4"),
    (SubPixelConv2d, (4, 4, 3, 2), {"padding_mode": "mirror"}, "padding_mode='mirror'"),
    (icnr_, (WEIGHT, 3), {}, "upscale_factor=3 needs a multiple of 9 filters, but weight has 8;"),
    (icnr_, (WEIGHT, 3), {}, "use 9 or another factor"),
    (icnr_, (WEIGHT, 0), {}, "upscale_factor=0 is too small"),
    (icnr_, (WEIGHT[0], 2), {}, "weight has shape (2, 3, 3); use (channels, channels per group,"),
    (ResizeConv2d, (0, 4, 3), {}, "in_channels=0 is too small"),
    (ResizeConv2d, (4, 0, 3), {}, "out_channels=0 is too small"),
    (ResizeConv2d, (4, 4, 0), {}, "kernel_size=0 is too small"),
    (ResizeConv2d, (4, 4, 3, 0), {}, "scale_factor=0 is too small"),
    (ResizeConv2d, (4, 4, 3, (1, 2, 3)), {}, "scale_factor=(1, 2, 3) has 3 values; use one int"),
    (ResizeConv2d, (4, 4, 3), {"mode": "bicubic"}, "mode='bicubic' is unknown; use 'nearest' or"),
    (ResizeConv2d, (4, 4, 3), {"mode": None}, "mode=None is unknown; use 'nearest' or 'bilinear'"),
    (ResizeConv2d, (4, 4, 3), {"dilation": 0}, "dilation=0 is too small"),
    (ResizeConv2d, (4, 6, 3), {"groups": 4}, "out_channels=6 is not a multiple of groups=4"),
    (ResizeConv2d, (6, 4, 3), {"groups": 4}, "in_channels=6 is not a multiple of groups=4"),
    (ResizeConv2d, (4, 4, 3), {"padding_mode": "mirror"}, "padding_mode='mirror'"),
]
BAD_TYPES = [
    (SubPixelConv2d, (4, 4, 3, 2.0), {}, "upscale_factor=2.0 is not an integer"),
    (SubPixelConv2d, (4, 4, 3, (2, 2)), {}, "upscale_factor=(2, 2) is not an integer"),
    (SubPixelConv2d, (4, "4", 3, 2), {}, "out_channels='4' is not an integer"),
    (SubPixelConv2d, (4, 4, 3, 2), {"padding": 0.5}, "padding=0.5 is not an integer"),
    (SubPixelConv2d, (4, 4, 3, 2), {"stride": 2}, "stride"),  # it has none
    (icnr_, ([1.0], 2), {}, "weight is a list; use a torch.Tensor"),
    (icnr_, (WEIGHT.long(), 2), {}, "weight has dtype torch.int64; convert it to one such as"),
    (icnr_, (WEIGHT, "2"), {}, "upscale_factor='2' is not an integer"),
    (icnr_, (WEIGHT, 2, "normal"), {}, "initialiser='normal' is not a function; use one such as"),
    (ResizeConv2d, (4, 4, 3, 1.5), {}, "scale_factor=1.5 is not an integer"),
    (ResizeConv2d, (4.0, 4, 3), {}, "in_channels=4.0 is not an integer"),
]


@pytest.mark.parametrize(
    ("error", "make", "arguments", "settings", "message"),
    [(ValueError, *row) for row in BAD_VALUES] + [(TypeError, *row) for row in BAD_TYPES],
    ids=[message for *_, message in BAD_VALUES + BAD_TYPES],
)
def test_refusals_name_the_argument_and_the_remedy(error, make, arguments, settings, message):
    with pytest.raises(error) as refusal:
        make(*arguments, **settings)
    assert type(refusal.value) is error
    assert message in str(refusal.value)


@pytest.mark.parametrize("name", ["sub-pixel", "resize", "resize, bilinear"])
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 3, 9, 9), "input has 3 channels, but in_channels=4; change one of them"),
        ((3, 9, 9), "input has 3 channels, but in_channels=4"),
        ((9, 9), "input has shape (9, 9); use (C, H, W) or (N, C, H, W)"),
        ((2, 1, 4, 9, 9), "input has shape (2, 1, 4, 9, 9); use (C, H, W) or (N, C, H, W)"),
    ],
)
def test_refused_inputs(name, shape, message):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 (the message is compared whole)
        LAYERS[name]()(torch.ones(shape))
    assert message in str(refusal.value)


def test_a_map_without_pixels():
    for name, message in [
        ("sub-pixel", "kernel_size=3 is larger than the padded input 0+2*1; use padding>=2 or"),
        ("resize", "input has shape (2, 4, 0, 9); only its batch may be empty"),
    ]:
        with pytest.raises(ValueError, match=re.escape(message)):
            LAYERS[name]()(torch.ones(2, 4, 0, 9))


@pytest.mark.parametrize("make", [LAYERS["sub-pixel"], LAYERS["resize"]])
def test_an_input_that_is_no_tensor(make):
    with pytest.raises(TypeError, match=r"input is a list; use a torch\.Tensor"):
        make()([[1.0]])


@pytest.mark.parametrize(("mode", "least"), [("reflect", 3), ("circular", 2)])
def test_a_map_must_fill_its_own_padding(mode, least):
    layer = SubPixelConv2d(1, 1, 5, 2, padding_mode=mode)
    layer(torch.ones(1, least, least))
    message = (
        f"padding_mode='{mode}' fills a padding of 2 from {least} pixels or more, "
        f"but the map has {least - 1}; use a larger input or padding_mode='zeros'"
    )
    for shape in [(1, least, least - 1), (1, least - 1, least)]:
        with pytest.raises(ValueError, match=re.escape(message)):
            layer(torch.ones(shape))
    one_way = SubPixelConv2d(1, 1, (5, 1), 2, padding_mode=mode)
    one_way(torch.ones(1, least, 1))
    # The map that a resize-convolution pads is the enlarged one.
    ResizeConv2d(1, 1, 5, least, padding_mode=mode)(torch.ones(1, 1, 1))
