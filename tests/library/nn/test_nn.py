"""The blocks equal what they stand for: torchvision's, a plain convolution, one another."""

import copy
import re
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.func import functional_call
from torchvision.models.resnet import BasicBlock, Bottleneck

from convbook import nn as package
from convbook.analysis import empirical_receptive_field, trace
from convbook.grade import grade
from convbook.nn import (
    BottleneckBlock,
    ChannelShuffle,
    ChannelUnshuffle,
    DepthwiseConv2d,
    DepthwiseSeparableConv2d,
    ResidualBlock,
    ResNeXtBlock,
    SpatiallySeparableConv2d,
)
from convbook.nn.resnext import FORMS
from tests.helpers.fx_models import torchvision_model
from tests.helpers.sampling import examples
from tests.helpers.signatures import without_types
from tests.helpers.strategies import (
    EVEN_SAME,
    assert_same,
    assert_trace_counts,
    batches,
    filled,
    per_axis,
    random_tensor,
    settings_of,
    window_settings,
)

pytestmark = [
    pytest.mark.filterwarnings(EVEN_SAME),
    pytest.mark.usefixtures("one_thread"),
]


def assert_equal_layers(ours, theirs, input_shape):
    """Assert that two modules with equal parameters agree: outputs, gradients, statistics."""
    x = random_tensor(input_shape)
    for training in (True, False):  # in training first, which changes the statistics
        ours.train(training)
        theirs.train(training)
        leaves = [x.clone().requires_grad_() for _ in range(2)]
        outputs = [module(leaf) for module, leaf in zip((ours, theirs), leaves, strict=True)]
        torch.testing.assert_close(*outputs)
        cotangent = random_tensor(outputs[0].shape)
        mine, other = (
            torch.autograd.grad(output, [leaf, *module.parameters()], cotangent)
            for output, leaf, module in zip(outputs, leaves, (ours, theirs), strict=True)
        )
        torch.testing.assert_close(mine, other)
    torch.testing.assert_close([*ours.buffers()], [*theirs.buffers()])


# ------------------------------------------------------------------ residual blocks


def downsample(in_channels, out_channels, stride):
    """Return what torchvision's ResNet gives its blocks for a shortcut."""
    if in_channels == out_channels and stride in (1, (1,), (1, 1)):
        return None
    layer = nn.Conv2d(in_channels, out_channels, 1, per_axis(stride), bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(out_channels))


def with_weights_of(theirs, ours):
    """Give our block the numbers of torchvision's, which calls the shortcut `downsample`."""
    state = {name.replace("downsample", "shortcut"): v for name, v in theirs.state_dict().items()}
    ours.double().load_state_dict(state)
    return ours


maps = st.tuples(st.integers(1, 3), st.integers(2, 6), st.integers(2, 6))  # N, H, W
strides = settings_of(1, 3)


@examples(200)
@given(st.integers(1, 4), st.integers(1, 4), strides, maps)
def test_residual_block_equals_torchvisions(c_in, c_out, stride, shape):
    theirs = BasicBlock(c_in, c_out, per_axis(stride), downsample(c_in, c_out, stride))
    ours = with_weights_of(filled(theirs), ResidualBlock(c_in, c_out, stride))
    assert_equal_layers(ours, theirs, (shape[0] + 1, c_in, *shape[1:]))


@examples(200)
@given(st.integers(1, 6), st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), strides, maps)
def test_bottleneck_block_equals_torchvisions(c_in, groups, width, planes, stride, shape):
    c_mid, c_out = groups * width, 4 * planes
    theirs = Bottleneck(
        c_in,
        planes,
        per_axis(stride),
        downsample(c_in, c_out, stride),
        groups,
        base_width=64 * width / planes,
    )
    ours = with_weights_of(filled(theirs), BottleneckBlock(c_in, c_mid, c_out, stride, groups))
    assert_equal_layers(ours, theirs, (shape[0] + 1, c_in, *shape[1:]))


def twin_of(block):
    """Return our block with the settings of one of torchvision's."""
    conv = block.conv2
    if isinstance(block, BasicBlock):
        return ResidualBlock(block.conv1.in_channels, conv.out_channels, block.stride)
    channels = block.conv1.in_channels, conv.in_channels, block.conv3.out_channels
    return BottleneckBlock(*channels, block.stride, conv.groups)


@pytest.mark.parametrize(
    ("name", "count"),
    [("resnet18", 8), ("resnet34", 16), ("resnet50", 16), ("resnext50_32x4d", 16)],
)
def test_every_block_of_a_network_has_the_same_parameters(name, count):
    network = torchvision_model(name)
    blocks = [m for m in network.modules() if isinstance(m, BasicBlock | Bottleneck)]
    assert len(blocks) == count
    for block in blocks:
        with torch.device("meta"):
            ours = twin_of(block)
        shapes = [
            {name.replace("downsample", "shortcut"): value.shape for name, value in found.items()}
            for found in (block.state_dict(), ours.state_dict())
        ]
        assert shapes[0] == shapes[1]


def weights(module):
    """Count what convolutions learn, without biases and batch norm."""
    return sum(p.numel() for p in module.parameters() if p.ndim > 1)


def test_weights_of_the_papers_blocks():
    assert weights(BottleneckBlock(256, 64, 256)) == 69_632
    for form in FORMS:
        assert weights(ResNeXtBlock(256, 256, cardinality=32, width=4, form=form)) == 70_144


def test_the_shortcut_is_the_identity_where_the_shape_stays():
    for block in (ResidualBlock, lambda *a, **k: BottleneckBlock(a[0], 2, *a[1:], **k)):
        assert isinstance(block(4, 4).shortcut, nn.Identity)
        assert isinstance(block(4, 4, stride=(1, 1)).shortcut, nn.Identity)
        for settings in [(4, 8, 1), (4, 4, 2), (4, 4, (1, 2))]:
            convolution = block(*settings).shortcut[0]
            assert convolution.stride == per_axis(settings[2])


# ------------------------------------------------------------------ layers that stand for another


@st.composite
def conv_settings(draw):
    """Draw a kernel size, the further settings of a convolution, and the size of a map for it."""
    kernel_size, stride, padding, dilation, size = draw(window_settings(4, words=True))
    mode = draw(st.sampled_from(["zeros", "zeros", "reflect", "replicate", "circular"]))
    if mode != "zeros":  # what is reflected or goes round must be there: 'same' pads up to 5
        size = tuple(max(pixels, 6) for pixels in size)
    settings = {"stride": stride, "padding": padding, "dilation": dilation}
    return kernel_size, {**settings, "padding_mode": mode, "bias": draw(st.booleans())}, size


def plain(c_in, c_out, kernel_size, **settings):
    """Return PyTorch's own layer with the settings, each as a pair."""
    pairs = {"kernel_size": kernel_size, **settings}
    for name in ("kernel_size", "stride", "padding", "dilation"):
        if not isinstance(pairs[name], str):
            pairs[name] = per_axis(pairs[name])
    return nn.Conv2d(c_in, c_out, dtype=torch.float64, **pairs)


def assert_stands_for(layer, expected, input_shape):
    """Assert that a layer gives what a plain one gives with the layer's dense weight and bias."""

    def by_dense(x, *_):
        names = ("weight", "bias") if layer.dense()[1] is not None else ("weight",)
        return functional_call(expected, dict(zip(names, layer.dense(), strict=False)), x)

    x = random_tensor(input_shape).requires_grad_()
    assert_same(lambda x, *_: layer(x), by_dense, [x, *layer.parameters()])
    twin = layer.as_conv2d()
    assert type(twin) is nn.Conv2d
    assert repr(twin) == repr(expected)
    torch.testing.assert_close(twin(x), layer(x))
    assert all(p.requires_grad and p.is_leaf for p in twin.parameters())


@examples(300)
@given(conv_settings(), batches, st.integers(1, 4), st.integers(1, 3))
def test_depthwise_equals_the_plain_convolution(case, batch, c_in, multiple):
    kernel_size, settings, size = case
    layer = filled(DepthwiseConv2d(c_in, c_in * multiple, kernel_size, **settings))
    expected = plain(c_in, c_in * multiple, kernel_size, **settings)
    assert_stands_for(layer, expected, (*batch, c_in, *size))


@examples(300)
@given(conv_settings(), batches, st.integers(1, 4), st.integers(1, 4))
def test_depthwise_separable_equals_the_plain_convolution(case, batch, c_in, c_out):
    kernel_size, settings, size = case
    layer = filled(DepthwiseSeparableConv2d(c_in, c_out, kernel_size, **settings))
    expected = plain(c_in, c_out, kernel_size, **settings)
    assert_stands_for(layer, expected, (*batch, c_in, *size))


group_counts = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))


@examples(300)
@given(conv_settings(), batches, group_counts, st.data())
def test_spatially_separable_equals_the_plain_convolution(case, batch, counts, data):
    kernel_size, settings, size = case
    groups, c_group, o_group = counts
    c_in, c_out = groups * c_group, groups * o_group
    rank = data.draw(st.integers(1, min(per_axis(kernel_size))))
    settings["groups"] = groups
    layer = filled(SpatiallySeparableConv2d(c_in, c_out, kernel_size, **settings, rank=rank))
    expected = plain(c_in, c_out, kernel_size, **settings)
    assert_stands_for(layer, expected, (*batch, c_in, *size))
    assert weights(layer) == c_in * o_group * rank * sum(layer.kernel_size)


def test_a_copy_leaves_the_layer_alone():
    for layer in (
        DepthwiseConv2d(2, 4, 3),
        DepthwiseSeparableConv2d(2, 4, 3),
        SpatiallySeparableConv2d(2, 4, 3),
    ):
        before = copy.deepcopy(layer.state_dict())
        twin = layer.as_conv2d()
        for parameter in twin.parameters():
            nn.init.zeros_(parameter)
        torch.testing.assert_close(layer.state_dict(), before, rtol=0, atol=0)


def test_16_to_32_channels():
    def counts(layer):
        return sum(p.numel() for p in layer.parameters())

    for bias, separable, standard in [(False, 656, 4608), (True, 704, 4640)]:
        layer = DepthwiseSeparableConv2d(16, 32, 3, padding=1, bias=bias)
        assert (counts(layer), counts(layer.as_conv2d())) == (separable, standard)
        assert trace(layer, (16, 8, 8)).macs == 656 * 64


def test_the_bias_of_the_depthwise_layer_is_mixed():
    """One number before the mixing and one after: 10 * 3 + 2."""
    layer = DepthwiseSeparableConv2d(1, 1, 3, padding=1)
    for parameter, value in zip(layer.parameters(), (0.0, 3.0, 10.0, 2.0), strict=True):
        nn.init.constant_(parameter, value)
    assert layer(torch.ones(1, 4, 4)).unique().tolist() == [32.0]
    assert layer.as_conv2d().bias.tolist() == [32.0]


# ------------------------------------------------------------------ kernels taken apart

SOBEL = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]], dtype=torch.float64)
LAPLACIAN = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]], dtype=torch.float64)


@pytest.mark.parametrize(("kernel", "rank"), [(SOBEL, 1), (SOBEL.T, 1), (LAPLACIAN, 2)])
def test_known_kernels_are_exact_at_their_rank(kernel, rank):
    layer = SpatiallySeparableConv2d.from_kernel(kernel[None, None], rank, padding=1)
    assert layer.error < 1e-15
    x = random_tensor((2, 1, 7, 6))
    expected = torch.nn.functional.conv2d(x, kernel[None, None], padding=1)
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=1e-12)


def test_the_laplacian_is_not_separable():
    layer = SpatiallySeparableConv2d.from_kernel(LAPLACIAN[None, None])
    # Its singular values are 2 + sqrt(6), sqrt(6) - 2 and 0, and its squares add up to 20.
    assert layer.error == pytest.approx((6**0.5 - 2) / 20**0.5, abs=1e-12)


sizes = st.integers(1, 5)


@examples(300)
@given(group_counts, sizes, sizes, st.booleans(), st.data())
def test_from_kernel_leaves_what_the_singular_values_say(counts, k_h, k_w, has_bias, data):
    groups, c_group, o_group = counts
    weight = random_tensor((groups * o_group, c_group, k_h, k_w))
    bias = random_tensor((groups * o_group,)) if has_bias else None
    rank = data.draw(st.integers(1, min(k_h, k_w)))
    layer = SpatiallySeparableConv2d.from_kernel(weight, rank, bias, groups=groups)
    values = torch.linalg.svdvals(weight)
    expected = values[..., rank:].norm() / weight.norm()
    assert layer.error == pytest.approx(expected.item(), abs=1e-12)
    dense, dense_bias = layer.dense()
    assert ((dense - weight).norm() / weight.norm()).item() == pytest.approx(layer.error, abs=1e-12)
    # The kernels keep their first singular values and have no others.
    kept = torch.cat([values[..., :rank], torch.zeros_like(values[..., rank:])], -1)
    torch.testing.assert_close(torch.linalg.svdvals(dense), kept, rtol=0, atol=1e-12)
    assert (dense_bias is None) == (bias is None)
    assert bias is None or torch.equal(dense_bias, bias)


@examples(200)
@given(conv_settings(), batches, group_counts)
def test_from_kernel_at_full_rank_is_the_convolution(case, batch, counts):
    kernel_size, settings, size = case
    groups, c_group, o_group = counts
    exact = plain(groups * c_group, groups * o_group, kernel_size, **settings, groups=groups)
    exact = filled(exact)
    del settings["bias"]
    layer = SpatiallySeparableConv2d.from_kernel(
        exact.weight, min(exact.kernel_size), exact.bias, **settings, groups=groups
    )
    x = random_tensor((*batch, groups * c_group, *size))
    torch.testing.assert_close(layer(x), exact(x), rtol=0, atol=1e-11)
    assert repr(layer.as_conv2d()) == repr(exact)


@pytest.mark.parametrize(
    ("dtype", "rounding"),
    [
        (torch.float64, 1e-15),
        (torch.float32, 1e-6),
        (torch.bfloat16, 1e-2),
        (torch.float16, 2e-3),
        (torch.complex128, 1e-15),
        (torch.complex64, 1e-6),
    ],
    ids=str,
)
def test_from_kernel_keeps_the_dtype(dtype, rounding):
    kernel = SOBEL.to(dtype)
    if dtype.is_complex:
        kernel = kernel * torch.tensor([[1, 1j, 2]], dtype=dtype)
    layer = SpatiallySeparableConv2d.from_kernel(kernel[None, None], bias=kernel[0, :1])
    assert {p.dtype for p in layer.parameters()} == {dtype}
    assert layer.error < rounding  # what rounding to the dtype leaves, and no more


def test_from_kernel_of_zeros():
    layer = SpatiallySeparableConv2d.from_kernel(torch.zeros(2, 3, 3, 3))
    assert layer.error == 0
    assert not layer.dense()[0].any()


def test_only_a_layer_from_a_kernel_knows_its_error():
    assert SpatiallySeparableConv2d(1, 1, 3).error is None
    layer = SpatiallySeparableConv2d.from_kernel(LAPLACIAN[None, None])
    assert ", rank=1, error=0.101\n" in repr(layer)


# ------------------------------------------------------------------ ResNeXt


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


channels = st.integers(1, 5)


@examples(100)
@given(channels, channels, strides, channels, st.integers(1, 3), maps, st.permutations(FORMS))
def test_forms_of_resnext_are_equal(c_in, c_out, stride, cardinality, width, shape, forms):
    settings = (c_in, c_out, stride, cardinality, width)
    first = filled(ResNeXtBlock(*settings, form=forms[0])).eval()
    others = [first.as_form(form) for form in forms[1:]]
    assert [block.form for block in others] == list(forms[1:])
    x = random_tensor((shape[0] + 1, c_in, *shape[1:]))
    for training in (False, True):
        leaf, output = run(first.train(training), x)
        for other in others:
            other_leaf, other_output = run(other.train(training), x)
            close(other_output, output)
            close_gradients(other_leaf.grad, leaf.grad)
    for other in others:
        close(other.as_form(forms[0]).state_dict(), first.state_dict())  # statistics as well
        back = with_gradients(other).as_form(forms[0])
        for mine, theirs in zip(back.parameters(), first.parameters(), strict=True):
            close_gradients(mine, theirs.grad)


def run(block, x):
    """Return a copy of x that holds its gradient, and the output."""
    leaf = x.clone().requires_grad_()
    output = block(leaf)
    output.backward(random_tensor(output.shape))
    return leaf, output


def close_gradients(ours, theirs):
    """As `close`, for what batch norm can make large: it divides by deviations near 0."""
    scale = theirs.abs().max().clamp(min=1)
    close(ours / scale, theirs / scale)


def with_gradients(block):
    """Return a copy of a block that has the gradients in place of its parameters."""
    twin = copy.deepcopy(block)
    for parameter, source in zip(twin.parameters(), block.parameters(), strict=True):
        parameter.data = source.grad
    return twin


def test_the_block_of_the_figure_in_all_forms():
    """256 channels and 32 paths of 4: from each form to each."""
    x = random_tensor((2, 256, 3, 3))
    for form in FORMS:
        block = filled(ResNeXtBlock(256, 256, form=form)).eval()
        for parameter in block.parameters():
            parameter.data /= 16
        for other in FORMS:
            close(block.as_form(other)(x), block(x))
            back = block.as_form(other).as_form(form).state_dict()
            torch.testing.assert_close(back, block.state_dict(), rtol=0, atol=0)


def test_the_grouped_form_is_the_bottleneck_with_groups():
    ours = ResNeXtBlock(8, 12, stride=2, cardinality=3, width=2)
    theirs = filled(BottleneckBlock(8, 6, 12, stride=2, groups=3))
    values = theirs.state_dict().values()
    ours.double().load_state_dict(dict(zip(ours.state_dict(), values, strict=True)))
    assert_equal_layers(ours, theirs, (2, 8, 6, 5))


def test_the_last_1x1_of_a_path_is_linear():
    for form in FORMS:
        block = ResNeXtBlock(8, 8, cardinality=2, form=form)
        assert {type(point) for point in block.points} == {nn.Conv2d}
        assert all(point.bias is None and point.kernel_size == (1, 1) for point in block.points)
        assert len(block.paths) == (1 if form == "grouped" else 2)
        assert len(block.points) == (2 if form == "added" else 1)


def test_another_form_draws_nothing_and_keeps_the_mode():
    block = ResNeXtBlock(4, 4, cardinality=2, width=1).to(torch.bfloat16).eval()
    state = torch.random.get_rng_state()
    other = block.as_form("added")
    assert torch.equal(state, torch.random.get_rng_state())
    assert not other.training
    assert {p.dtype for p in other.parameters()} == {torch.bfloat16}
    assert other.norm.num_batches_tracked.dtype == torch.int64
    assert other.points[0].weight.data_ptr() != block.points[0].weight.data_ptr()


# ------------------------------------------------------------------ channel shuffle


@examples(300)
@given(st.integers(1, 4), st.integers(0, 4), st.lists(st.integers(0, 3), min_size=1, max_size=3))
def test_channel_shuffle_equals_pytorchs_and_is_undone(groups, per_group, size):
    shape = (2, groups * per_group, *size)
    x = random_tensor(shape).requires_grad_()
    shuffled = ChannelShuffle(groups)(x)
    expected = nn.ChannelShuffle(groups)(x) if x.numel() else torch.empty_like(x)
    assert torch.equal(shuffled, expected)
    assert torch.equal(ChannelUnshuffle(groups)(shuffled), x)
    assert torch.equal(ChannelShuffle(groups)(ChannelUnshuffle(groups)(x)), x)
    if per_group:
        assert torch.equal(ChannelShuffle(per_group)(shuffled), x)
        cotangent = random_tensor(shape)
        (gradient,) = torch.autograd.grad(shuffled, x, cotangent)
        assert torch.equal(gradient, ChannelUnshuffle(groups)(cotangent))


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64], ids=str)
def test_channel_shuffle_of_each_dtype(dtype):
    x = random_tensor((2, 6, 3, 2), dtype)
    assert torch.equal(ChannelShuffle(3)(x), nn.ChannelShuffle(3)(x))


# ------------------------------------------------------------------ with the rest of the package

LAYERS = {
    "residual": lambda: ResidualBlock(8, 8),
    "residual, projected": lambda: ResidualBlock(8, 12, stride=2),
    "bottleneck": lambda: BottleneckBlock(8, 4, 8, groups=2),
    "bottleneck, projected": lambda: BottleneckBlock(8, 4, 12, stride=(2, 1)),
    "depthwise": lambda: DepthwiseConv2d(8, 16, (3, 2), stride=2, padding=1, dilation=2),
    "depthwise, same": lambda: DepthwiseConv2d(8, 8, 4, padding="same"),
    "separable": lambda: DepthwiseSeparableConv2d(8, 12, 3, padding=1),
    "separable, reflected": lambda: DepthwiseSeparableConv2d(
        8, 12, 3, padding=1, padding_mode="reflect"
    ),
    "spatial": lambda: SpatiallySeparableConv2d(8, 12, (3, 5), (2, 1), (1, 2), groups=4, rank=2),
    "spatial, same": lambda: SpatiallySeparableConv2d(8, 4, 3, padding="same", dilation=(1, 2)),
    **{f"ResNeXt, {form}": lambda form=form: ResNeXtBlock(8, 12, 2, 3, 2, form) for form in FORMS},
    "shuffle": lambda: ChannelShuffle(4),
    "unshuffle": lambda: ChannelUnshuffle(4),
}
each_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
SIZE = (8, 13, 11)


@each_layer
def test_trace_counts_what_pytorch_counts(make):
    assert_trace_counts(make().eval(), SIZE)


@each_layer
def test_receptive_field_by_recurrence_and_by_gradient(make):
    layer = make()
    field = trace(layer, SIZE)[-1].receptive_field
    assert empirical_receptive_field(layer, SIZE) == field
    if hasattr(layer, "as_conv2d"):
        assert trace(layer.as_conv2d(), SIZE)[-1].receptive_field == field


@each_layer
def test_layers_without_values(make):
    with torch.device("meta"):
        layer = make()
        output = layer(torch.empty(2, *SIZE))
    assert output.is_meta
    assert {p.device.type for p in layer.parameters()} <= {"meta"}
    assert trace(layer, SIZE).to_dict() == trace(make(), SIZE).to_dict()
    if hasattr(layer, "as_conv2d"):
        assert layer.as_conv2d().weight.is_meta
    if hasattr(layer, "as_form"):
        assert layer.as_form("added").norm.weight.is_meta


@each_layer
def test_layers_in_double_precision(make):
    layer = make().double()
    assert layer(torch.zeros(2, *SIZE, dtype=torch.float64)).dtype == torch.float64


@pytest.mark.parametrize(
    "kind", [DepthwiseConv2d, DepthwiseSeparableConv2d, SpatiallySeparableConv2d]
)
def test_device_and_dtype_are_handed_on(kind):
    layer = kind(2, 2, 3, device="meta", dtype=torch.float64)
    assert {(p.device.type, p.dtype) for p in layer.parameters()} == {("meta", torch.float64)}
    twin = layer.as_conv2d()
    assert (twin.weight.device.type, twin.bias.dtype) == ("meta", torch.float64)


def test_settings_may_be_numpy_integers_or_lists():
    np = pytest.importorskip("numpy")
    layer = DepthwiseConv2d(np.int64(2), 2, [3, 3], padding=[np.int32(1), 0])
    assert repr(layer) == repr(DepthwiseConv2d(2, 2, 3, padding=(1, 0)))


def network(separable):
    """Return a network for the assignment, made of the blocks."""
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1),
        ResidualBlock(32, 32),
        nn.MaxPool2d(2),
        ResNeXtBlock(32, 32, cardinality=4, form="added"),
        nn.MaxPool2d(2),
        separable,
        nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3, padding=2, dilation=2),
        BottleneckBlock(32, 16, 32),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(32, 10),
    )


def test_a_network_of_blocks_is_graded():
    report = grade(network(DepthwiseSeparableConv2d(32, 32, 3, padding=1)), accuracy=0.9)
    assert report.passed
    assert report[2].measured == "`5.depthwise.conv2d` + `5.pointwise`"
    report = grade(network(SpatiallySeparableConv2d(32, 32, 3, padding=1)), accuracy=0.9)
    assert [row.requirement for row in report if not row.passed] == [
        "a depthwise separable convolution"
    ]


def test_the_api_page_has_the_signatures():
    """It says them itself: with torch mocked, the site cannot find those of an `nn.Module`."""
    page = (Path(__file__).parents[3] / "chapters" / "api.md").read_text("utf8")
    block = re.search(r"automodule:: convbook\.nn\n(.+?)```", page, re.DOTALL)[1]
    shown = dict(re.findall(r"auto(?:class|function):: (\w+)(\(.*\))\n", block))
    signatures = {name: without_types(getattr(package, name)) for name in package.__all__}
    function = re.compile(r"<function (\w+) at 0x\w+>")  # a default of icnr_
    assert shown == {name: function.sub(r"nn.init.\1", s) for name, s in signatures.items()}


def test_what_is_printed_says_the_settings():
    assert repr(DepthwiseConv2d(4, 8, 3)) == (
        "DepthwiseConv2d(4, 8, kernel_size=(3, 3), stride=(1, 1), groups=4)"
    )
    text = repr(SpatiallySeparableConv2d(4, 8, (3, 5), groups=2, rank=2))
    assert "\n  4, 8, kernel_size=(3, 5), groups=2, rank=2\n" in text
    text = repr(ResNeXtBlock(8, 8, 2, 2, 3, "added"))
    assert "\n  8, 8, stride=(2, 2), cardinality=2, width=3, form='added'\n" in text
    assert repr(ChannelShuffle(3)) == "ChannelShuffle(groups=3)"
    assert repr(ChannelUnshuffle(3)) == "ChannelUnshuffle(groups=3)"


# ------------------------------------------------------------------ refusals


from_kernel = SpatiallySeparableConv2d.from_kernel
KERNEL = torch.ones(4, 2, 3, 3)
BAD_VALUES = [
    (ResidualBlock, (0, 4), {}, "in_channels=0 is too small; use an int of at least 1"),
    (ResidualBlock, (4, -1), {}, "out_channels=-1 is too small; use an int of at least 1"),
    (ResidualBlock, (4, 4), {"stride": 0}, "stride=0 is too small; use an int of at least 1"),
    (ResidualBlock, (4, 4), {"stride": (1, 2, 3)}, "stride=(1, 2, 3) has 3 values; use one int or"),
    (BottleneckBlock, (4, 0, 4), {}, "mid_channels=0 is too small"),
    (BottleneckBlock, (0, 4, 4), {}, "in_channels=0 is too small"),
    (BottleneckBlock, (4, 4, 0), {}, "out_channels=0 is too small"),
    (BottleneckBlock, (4, 4, 4), {"stride": 0}, "stride=0 is too small"),
    (BottleneckBlock, (4, 4, 4), {"groups": 0}, "groups=0 is too small"),
    (
        BottleneckBlock,
        (4, 6, 4),
        {"groups": 4},
        "mid_channels=6 is not a multiple of groups=4; use mid_channels=8",
    ),
    (DepthwiseConv2d, (0, 4, 3), {}, "in_channels=0 is too small"),
    (DepthwiseConv2d, (4, 0, 3), {}, "out_channels=0 is too small"),
    (
        DepthwiseConv2d,
        (4, 6, 3),
        {},
        "out_channels=6 is not a multiple of in_channels=4; use out_channels=8",
    ),
    (DepthwiseConv2d, (4, 4, 0), {}, "kernel_size=0 is too small; use an int of at least 1"),
    (DepthwiseConv2d, (4, 4, (3, 3, 3)), {}, "kernel_size=(3, 3, 3) has 3 values"),
    (DepthwiseConv2d, (4, 4, 3), {"stride": 0}, "stride=0 is too small"),
    (DepthwiseConv2d, (4, 4, 3), {"padding": -1}, "padding=-1 is too small"),
    (DepthwiseConv2d, (4, 4, 3), {"padding": "full"}, "padding='full' is unknown; use 'same'"),
    (DepthwiseConv2d, (4, 4, 3), {"dilation": 0}, "dilation=0 is too small"),
    (
        DepthwiseConv2d,
        (4, 4, 3),
        {"padding": "same", "stride": 2},
        "padding='same' needs stride=1, not (2, 2); give padding as integers",
    ),
    (DepthwiseConv2d, (4, 4, 3), {"padding_mode": "mirror"}, "padding_mode='mirror'"),
    (DepthwiseSeparableConv2d, (0, 4, 3), {}, "in_channels=0 is too small"),
    (DepthwiseSeparableConv2d, (4, 0, 3), {}, "out_channels=0 is too small"),
    (DepthwiseSeparableConv2d, (4, 4, 3), {"stride": 0}, "stride=0 is too small"),
    (DepthwiseSeparableConv2d, (4, 4, 3), {"padding_mode": "x"}, "padding_mode='x'"),
    (SpatiallySeparableConv2d, (0, 4, 3), {}, "in_channels=0 is too small"),
    (SpatiallySeparableConv2d, (4, 0, 3), {}, "out_channels=0 is too small"),
    (SpatiallySeparableConv2d, (4, 4, 3), {"rank": 0}, "rank=0 is too small"),
    (
        SpatiallySeparableConv2d,
        (4, 4, (2, 5)),
        {"rank": 3},
        "rank=3 is more than a kernel of 2 x 5 can have; use rank<=2",
    ),
    (
        SpatiallySeparableConv2d,
        (4, 6, 3),
        {"groups": 4},
        "out_channels=6 is not a multiple of groups=4; use out_channels=8",
    ),
    (
        SpatiallySeparableConv2d,
        (6, 4, 3),
        {"groups": 4},
        "in_channels=6 is not a multiple of groups=4; use in_channels=8",
    ),
    (SpatiallySeparableConv2d, (4, 4, 3), {"groups": 0}, "groups=0 is too small"),
    (SpatiallySeparableConv2d, (4, 4, 3), {"padding_mode": "x"}, "padding_mode='x'"),
    (
        SpatiallySeparableConv2d,
        (4, 4, 3),
        {"padding": "same", "stride": (1, 2)},
        "padding='same' needs stride=1, not (1, 2)",
    ),
    (from_kernel, (SOBEL,), {}, "weight has shape (3, 3); use (channels, channels per group,"),
    (from_kernel, (KERNEL, 4), {}, "rank=4 is more than a kernel of 3 x 3 can have; use rank<=3"),
    (from_kernel, (KERNEL,), {"groups": 3}, "groups=3 does not divide the first axis of weight, 4"),
    (from_kernel, (KERNEL,), {"stride": 0}, "stride=0 is too small"),
    (from_kernel, (KERNEL, 1, torch.ones(2)), {}, "bias has shape (2,); use (4,)"),
    (from_kernel, (KERNEL / 0,), {}, "weight has values that are infinite or not a number; use"),
    (from_kernel, (KERNEL.to("meta"),), {}, "weight is on the meta device and has no values; use"),
    (ResNeXtBlock, (4, 4), {"cardinality": 0}, "cardinality=0 is too small; use an int of"),
    (ResNeXtBlock, (4, 4), {"width": 0}, "width=0 is too small"),
    (ResNeXtBlock, (0, 4), {}, "in_channels=0 is too small"),
    (ResNeXtBlock, (4, 0), {}, "out_channels=0 is too small"),
    (ResNeXtBlock, (4, 4), {"stride": -1}, "stride=-1 is too small"),
    (
        ResNeXtBlock,
        (4, 4),
        {"form": "split"},
        "form='split' is unknown; use 'added', 'concatenated' or 'grouped'",
    ),
    (ResNeXtBlock(4, 4).as_form, ("c",), {}, "form='c' is unknown; use 'added', 'concatenated' or"),
    (ChannelShuffle, (0,), {}, "groups=0 is too small"),
    (ChannelUnshuffle, (-2,), {}, "groups=-2 is too small"),
]
BAD_TYPES = [
    (ResidualBlock, (4.0, 4), {}, "in_channels=4.0 is not an integer; use an int of at least 1"),
    (ResidualBlock, (4, True), {}, "out_channels=True is not an integer"),
    (ResidualBlock, (4, 4, 1.5), {}, "stride=1.5 is not an integer"),
    (BottleneckBlock, (4, None, 4), {}, "mid_channels=None is not an integer"),
    (DepthwiseConv2d, (4, 4, 3.0), {}, "kernel_size=3.0 is not an integer"),
    (DepthwiseConv2d, (4, 4, 3), {"groups": 4}, "groups"),
    (DepthwiseSeparableConv2d, (4, "4", 3), {}, "out_channels='4' is not an integer"),
    (SpatiallySeparableConv2d, (4, 4, 3), {"rank": 1.0}, "rank=1.0 is not an integer"),
    (SpatiallySeparableConv2d, (4, 4, 3), {"dilation": 1.5}, "dilation=1.5 is not an integer"),
    (from_kernel, (SOBEL.tolist(),), {}, "weight is a list; use a torch.Tensor"),
    (from_kernel, (KERNEL.long(),), {}, "weight has dtype torch.int64; convert it to one such as"),
    (from_kernel, (KERNEL, 1, True), {}, "bias is a bool; use a torch.Tensor"),
    (from_kernel, (KERNEL, 1, torch.ones(4).double()), {}, "torch.float32 and torch.float64; conv"),
    (ResNeXtBlock, (4, 4), {"cardinality": 2.0}, "cardinality=2.0 is not an integer"),
    (ChannelShuffle, (2.0,), {}, "groups=2.0 is not an integer"),
]
BAD_INPUTS = [
    ("residual", (2, 4, 9, 9), "input has 4 channels, but in_channels=8; change one of them"),
    ("residual", (8, 9, 9), "input has shape (8, 9, 9); use (N, C, H, W)"),
    ("bottleneck", (2, 4, 9, 9), "input has 4 channels, but in_channels=8"),
    ("bottleneck", (8, 9, 9), "input has shape (8, 9, 9); use (N, C, H, W)"),
    ("depthwise", (2, 4, 9, 9), "input has 4 channels, but in_channels=8"),
    ("depthwise", (9, 9), "input has shape (9, 9); use (C, H, W) or (N, C, H, W)"),
    (
        "depthwise",
        (2, 8, 9, 0),
        "with dilation=2 spans 3 pixels, more than the padded input 0+2*1",
    ),
    ("separable", (2, 4, 9, 9), "input has 4 channels, but in_channels=8"),
    ("separable", (2, 1, 8, 9, 9), "input has shape (2, 1, 8, 9, 9); use (C, H, W) or"),
    ("spatial", (2, 4, 9, 9), "input has 4 channels, but in_channels=8"),
    ("spatial", (8, 9, 0), "kernel_size=5 is larger than the padded input 0+2*2; use padding>=3"),
    ("ResNeXt, added", (2, 4, 9, 9), "input has 4 channels, but in_channels=8"),
    ("ResNeXt, grouped", (8, 9, 9), "input has shape (8, 9, 9); use (N, C, H, W)"),
    ("shuffle", (2, 6, 9, 9), "groups=4 does not divide the 6 channels of input; use 8 channels"),
    ("unshuffle", (2, 9, 1), "groups=4 does not divide the 9 channels of input; use 12 channels"),
    ("shuffle", (2, 8), "input has shape (2, 8); use (N, C, H, W)"),
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


@pytest.mark.parametrize(("name", "shape", "message"), BAD_INPUTS)
def test_refused_inputs(name, shape, message):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 (the message is compared whole)
        LAYERS[name]()(torch.ones(shape))
    assert message in str(refusal.value)


@each_layer
def test_an_input_that_is_no_tensor(make):
    with pytest.raises(TypeError, match=r"input is a list; use a torch\.Tensor"):
        make()([[1.0]])
