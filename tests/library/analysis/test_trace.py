"""What `trace` counts and prints: shapes, parameters, MACs; what it refuses, and how it says so."""

import json
import math
import re

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from convbook.analysis import effective_receptive_field, trace
from tests.helpers.fx_models import WIDTH, Call, joins, parts, torchvision_model
from tests.helpers.refusals import whole
from tests.helpers.sampling import examples
from tests.helpers.strategies import EVEN_SAME

pytestmark = [pytest.mark.filterwarnings(EVEN_SAME), pytest.mark.usefixtures("one_thread")]
IMAGE = (3, 224, 224)


def counted_flops(model, input_size):
    """Return what PyTorch's own counter finds: two FLOPs for each multiply-add."""
    x = torch.empty(1, *input_size, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.to("meta").eval()(x)
    return counter.get_total_flops()


# ------------------------------------------------------------------ counts

# One model, at least, of every family that torchvision has for classification.
FAMILIES = [
    "alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s", "googlenet",
    "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_small", "regnet_y_400mf", "resnet18", "resnet50",
    "resnext50_32x4d", "shufflenet_v2_x1_0", "squeezenet1_0", "vgg11_bn", "vgg16",
    "vit_b_32", "wide_resnet50_2",
]  # fmt: skip


@pytest.mark.parametrize("name", FAMILIES)
def test_counts_agree_with_pytorch_on_every_family(name):
    model = torchvision_model(name)
    table = trace(model, IMAGE)
    assert 2 * table.macs == counted_flops(model, IMAGE)
    assert table.params == sum(parameter.numel() for parameter in model.parameters())
    used = sum(row.params for row in table)
    assert used + sum(table.unused.values()) == table.params


def test_inception_counts_its_main_path():
    model = torchvision_model("inception_v3")
    table = trace(model, (3, 299, 299))
    assert 2 * table.macs == counted_flops(model, (3, 299, 299))
    assert all(name.startswith("AuxLogits") for name in table.unused)


@pytest.mark.parametrize(
    ("name", "params", "mega_macs"),
    [
        ("resnet18", 11_689_512, 1814.07),
        ("resnet50", 25_557_032, 4089.18),
        ("mobilenet_v2", 3_504_872, 300.77),
        ("vgg16", 138_357_544, 15470.26),
    ],
)
def test_published_counts(name, params, mega_macs):
    table = trace(torchvision_model(name), IMAGE)
    assert table.params == params
    assert round(table.macs / 1e6, 2) == mega_macs


@examples(200)
@given(st.lists(st.one_of(parts, joins), min_size=1, max_size=4))
def test_counts_and_shapes_agree_with_pytorch_on_random_graphs(layers):
    model, size = nn.Sequential(*layers).eval(), (WIDTH, 40, 44)
    try:
        table = trace(model, size)
    except ValueError as error:
        assume("does not run on input_size" not in str(error))
        raise
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        output = model(torch.zeros(1, *size))
    assert 2 * table.macs == counter.get_total_flops()
    assert table.params == sum(parameter.numel() for parameter in model.parameters())
    assert table[-1].output_shape == output.shape[1:]


class Attention(nn.Module):
    """Products that no convolutional network has, in the way that `how` says."""

    def __init__(self, how):
        super().__init__()
        self.how = how

    def forward(self, x):
        tokens = x.flatten(2).mT  # (1, H*W, C)
        query, key, value = tokens[:, :5], tokens, tokens[..., :3]
        if self.how == "attention":
            return F.scaled_dot_product_attention(query, key, value)
        if self.how == "einsum":
            return torch.einsum("nqc,nkc->nqk", query, key)
        if self.how == "matmul":
            return query.softmax(-1) @ key.mT
        return torch.bmm(query, key.mT)


@pytest.mark.parametrize("how", ["attention", "einsum", "matmul", "bmm"])
def test_products_count_as_pytorch_counts_them(how):
    model = Attention(how)
    with FlopCounterMode(display=False) as counter:
        model(torch.rand(1, 6, 4, 4))
    assert 2 * trace(model, (6, 4, 4)).macs == counter.get_total_flops() > 0


def test_a_parameter_used_twice_counts_once_and_its_work_twice():
    layer = nn.Conv2d(4, 4, 3, padding=1)
    table = trace(nn.Sequential(layer, layer), (4, 8, 8))
    assert [row.params for row in table] == [148, 0]
    assert [row.macs for row in table] == [144 * 64] * 2
    assert table.params == 148


def test_parameters_that_do_not_run_are_named():
    class Half(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle = nn.Linear(4, 2), nn.Linear(4, 3)

        def forward(self, x):
            return self.used(x.flatten(1))

    table = trace(Half(), (1, 2, 2))
    assert table.unused == {"idle.weight": 12, "idle.bias": 3}
    assert "not used in this forward pass: 15 parameters (idle.weight, ...)" in repr(table)


def test_rows_say_what_each_layer_is_set_to():
    layers = nn.Conv2d(4, 8, (3, 5), (1, 2), (1, 2), dilation=1, groups=4), nn.MaxPool2d(2)
    conv, pool = trace(nn.Sequential(*layers), (4, 12, 16))
    settings = [conv.kernel, conv.stride, conv.padding, conv.dilation, conv.groups]
    assert settings == [(3, 5), (1, 2), (1, 2), 1, 4]
    assert (conv.input_shape, conv.output_shape) == ((4, 12, 16), (8, 12, 8))
    assert (pool.kernel, pool.stride, pool.padding, pool.groups) == (2, 2, 0, None)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_any_number_of_axes(rank):
    conv = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[rank](2, 4, 3)
    table = trace(conv, (2, *[9] * rank))
    assert table[0].output_shape == (4, *[7] * rank)
    assert table.macs == 4 * 2 * 3**rank * 7**rank
    assert table.receptive_field == (3, 1, 0)


def test_layers_and_functions_alike():
    class Functions(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(8, 3, 3, 3))

        def forward(self, x):
            return F.max_pool2d(F.relu(F.conv2d(x, self.weight, padding=1)), 2)

    layers = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.ReLU(), nn.MaxPool2d(2))
    one, other = (trace(model, (3, 8, 8)) for model in (Functions(), layers))
    assert [row.op for row in one] == ["conv2d", "relu", "max_pool2d"]
    names = {"name": "", "inputs": ()}  # rows have other names, and so have their inputs
    for mine, theirs in zip(one, other, strict=True):
        assert {**mine.to_dict(), **names} == {**theirs.to_dict(), **names}


def test_rows_name_the_rows_whose_outputs_they_take():
    def forward(x):
        kept, dropped = F.relu(x).chunk(2, 1)
        dropped.sigmoid()
        total = torch.cat([kept, x], 1)
        total += torch.ones(1)
        return {"map": total, "mean": kept.mean((2, 3)), "input": x}

    table = trace(Call(forward), (4, 8, 8))
    assert {row.name: row.inputs for row in table} == {
        "relu": ("",),
        "chunk[0]": ("relu",),
        "chunk[1]": ("relu",),
        "sigmoid": ("chunk[1]",),
        "cat": ("chunk[0]", ""),
        "add": ("cat",),
        "mean": ("chunk[0]",),
    }
    assert table.outputs == ("add", "mean", "")
    stored = json.loads(json.dumps(table.to_dict()))
    assert stored["outputs"] == ["add", "mean", ""]
    assert stored["rows"][4]["inputs"] == ["chunk[0]", ""]


@pytest.mark.parametrize(
    ("forward", "reduced"),
    [
        (lambda x: x.mean((2, 3)), (-2, -1)),
        (lambda x: torch.mean(x, dim=-1, keepdim=True), (-1,)),
        (lambda x: x.flatten(2).amax(1), (-2,)),
        (lambda x: x.sum(), (-4, -3, -2, -1)),
        (F.relu, None),
    ],
)
def test_rows_say_over_which_dimensions_a_reduction_ran(forward, reduced):
    assert trace(Call(forward), (4, 8, 8))[-1].reduced == reduced


# ------------------------------------------------------------------ the model stays as it is


def test_the_model_is_left_alone():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.random.get_rng_state()
    trace(model)
    effective_receptive_field(model, (3, 9, 9), redraw=True, samples=2)
    assert model.training
    assert model[1].training
    assert not model._forward_hooks
    assert not model[0]._forward_hooks
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_model_in_training_is_looked_at_as_in_use():
    """In training, batch norm refuses a single value per channel."""
    model = nn.Sequential(nn.Conv2d(3, 4, 5), nn.BatchNorm2d(4)).train()
    assert trace(model, (3, 5, 5))[-1].output_shape == (4, 1, 1)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_any_floating_dtype(dtype):
    assert trace(nn.Conv2d(3, 4, 3).to(dtype), (3, 5, 5)).macs == 4 * 27 * 9


# ------------------------------------------------------------------ effective fields


def test_the_effective_field_of_one_layer_of_ones_is_its_kernel():
    layer = nn.Conv2d(1, 1, (3, 5), bias=False)
    nn.init.ones_(layer.weight)
    field = effective_receptive_field(layer, (1, 9, 9), samples=1)
    assert field.map.sum() == 15
    assert field.map.max() == 1
    assert field.width == pytest.approx(15**0.5)
    assert field.sigma == pytest.approx(((2 / 3) ** 0.5, 2**0.5))


def test_channels_that_pull_in_opposite_directions_both_count():
    layer = nn.Conv2d(2, 1, 1, bias=False)
    layer.weight.data = torch.tensor([3.0, -3.0]).reshape(1, 2, 1, 1)
    assert effective_receptive_field(layer, (2, 5, 5), samples=1).width == 1


def test_stacked_ones_give_the_binomial_weights_that_theory_says():
    """k ones n times over: variance n (k^2 - 1) / 12 along each axis (Luo et al., section 2.2)."""
    stack = nn.Sequential(*[nn.Conv2d(1, 1, 3, bias=False) for _ in range(6)]).double()
    for layer in stack:
        nn.init.ones_(layer.weight)
    field = effective_receptive_field(stack, (1, 27, 27), samples=1)
    assert field.sigma == pytest.approx(((6 * 8 / 12) ** 0.5,) * 2)


@pytest.mark.parametrize(("kind", "axes"), [(nn.Conv1d, 1), (nn.Conv3d, 3)])
def test_effective_fields_have_the_axes_of_the_input(kind, axes):
    layer = kind(2, 3, 3)
    nn.init.ones_(layer.weight)
    field = effective_receptive_field(layer, (2, *[7] * axes), samples=1)
    seen = torch.zeros([7] * axes, dtype=torch.float64)
    seen[(slice(2, 5),) * axes] = 1  # by the central of five outputs
    assert torch.equal(field.map, seen)
    assert field.width == pytest.approx(3)
    assert field.sigma == pytest.approx((math.sqrt(2 / 3),) * axes)


def test_the_seed_decides():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 1, 3))
    draw = [effective_receptive_field(model, (1, 15, 15), redraw=True, seed=s) for s in (0, 0, 1)]
    assert torch.equal(draw[0].map, draw[1].map)
    assert not torch.equal(draw[0].map, draw[2].map)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"samples": 0}, "samples=0 is too small; use an int of at least 1"),
        ({"seed": -1}, "seed=-1 is too small; use an int of at least 0"),
        ({"input_size": (3, 9)}, "model does not run on input_size=(3, 9): …channels…"),
        ({"layer": "9"}, "layer='9' is not in the model; use one of ['0', '1', '2']"),
        (
            {"layer": "2"},
            "layer='2' gives a tensor of shape (1, 196), not a map; "
            "use a layer before pooling and flattening",
        ),
    ],
)
def test_effective_fields_refuse(settings, message):
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten())
    with pytest.raises(ValueError, match=whole(message)):
        effective_receptive_field(model, **{"input_size": (3, 9, 9), "layer": "0", **settings})


def test_a_dead_unit_is_named():
    layer = nn.Conv2d(1, 1, 3)
    nn.init.constant_(layer.bias, -1e6)
    told = "model's central output has no gradient at all; use redraw=True"
    with pytest.raises(ValueError, match=whole(told)):
        effective_receptive_field(nn.Sequential(layer, nn.ReLU()), (1, 9, 9))


# ------------------------------------------------------------------ refusals


def warp(x):
    grid = torch.zeros(1, 4, 4, 2)
    return F.grid_sample(x, grid, align_corners=False)


REFUSED = {
    "an unknown operation": (
        warp,
        "cannot follow '1.grid_sample' (op grid_sample in Call '1'): no rule says what its outputs "
        "see; use another operation, or trace the model's parts before and after it",
    ),
    "branches of other jumps": (
        lambda x: x[..., ::2, ::2] + F.avg_pool2d(x, 1, 1)[..., :14, :14],
        "cannot follow '1.add' (op add in Call '1'): "
        "branches with jumps 2 and 1 meet; give all branches the same strides",
    ),
    "a forward that looks at values": (
        lambda x: x if x.sum() > 0 else -x,
        "model is not followed: trace runs it without values, and it asks for some: … (in Call "
        "'1'); its forward may not depend on the values in a tensor: use torch.where for an `if`, "
        "and shapes for sizes",
    ),
    "a kernel that is computed": (
        lambda x: F.conv2d(x, x[:, :, :3, :3]),
        "cannot follow '1.conv2d' (op conv2d in Call '1'): "
        "its weight or bias is computed from the input; use parameters",
    ),
    "repeats without a dimension": (
        lambda x: x.repeat_interleave(2),
        "cannot follow '1.repeat_interleave' (op repeat_interleave in Call '1'): "
        "use an int for repeats, and dim",
    ),
    "an equation with dots": (
        lambda x: torch.einsum("...hw,cw->...hc", x, torch.ones(4, 28)),
        "cannot follow '1.einsum' (op einsum in Call '1'): "
        "use an equation in letters, without '...'",
    ),
    "an index that is computed": (
        lambda x: x[:, x[0, :, 0, 0].long()],
        "cannot follow '1.getitem_1' (op getitem in Call '1'): "
        "the index is computed from the input; use slices",
    ),
    "a resize that looks further": (
        lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", antialias=True),
        "cannot follow '1.interpolate' (op interpolate in Call '1'): mode='bilinear', "
        "antialias=True: use one of ['nearest', 'nearest-exact', 'linear', 'bilinear', "
        "'trilinear', 'bicubic'], False",
    ),
    "an input that is too small": (
        lambda x: F.conv2d(x, torch.zeros(4, 4, 40, 40)),
        "model does not run on input_size=(3, 30, 30): …Kernel size… (in Call '1'); "
        "is input_size (channels, height, width), and large enough?",
    ),
}


@pytest.mark.parametrize(("forward", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_followed_is_named(forward, message):
    with pytest.raises(ValueError, match=whole(message)):
        trace(nn.Sequential(nn.Conv2d(3, 4, 3), Call(forward)), (3, 30, 30))


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (nn.Conv2d, TypeError, "model=Conv2d is not an nn.Module; call it: Conv2d()"),
        (3, TypeError, "model=int is not an nn.Module"),
        (
            nn.Sequential(nn.LazyConv2d(4, 3)),
            ValueError,
            "model has a lazy layer '0'; run the model on an input once",
        ),
    ],
)
def test_what_is_no_model_is_refused(model, error, message):
    with pytest.raises(error, match=whole(message)):
        trace(model)


@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")
def test_compiled_models_are_refused():
    told = "model has a compiled part '0'; use the nn.Module it came from"
    with pytest.raises(ValueError, match=whole(told)):
        trace(nn.Sequential(torch.jit.script(nn.ReLU())))


NO_SIZE = (
    "is not (channels, height, width); use one int for the channels and one for each axis, "
    "without the batch"
)


@pytest.mark.parametrize(
    ("size", "error", "message"),
    [
        ((3, 0, 5), ValueError, "0 is too small; use an int of at least 1"),
        ((3, 5.0, 5), TypeError, "5.0 is not an integer; use an int of at least 1"),
        (32, ValueError, f"32 {NO_SIZE}"),
        ((3,), ValueError, f"(3,) {NO_SIZE}"),
        ((3, 4, 4, 4, 4), ValueError, f"(3, 4, 4, 4, 4) {NO_SIZE}"),
    ],
)
def test_input_sizes_are_checked(size, error, message):
    with pytest.raises(error, match=whole(f"input_size={message}")):
        trace(nn.ReLU(), size)


# ------------------------------------------------------------------ the table


@pytest.fixture(scope="module")
def table():
    layers = nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return trace(nn.Sequential(*layers, nn.Linear(8, 10)), (3, 16, 16))


def test_the_table_as_text(table):
    assert repr(table).splitlines() == [
        "name  op                    output   k   s  p  d  g  params    MACs  field  jump  start",
        "0     conv2d               8x16x16   3   1  1  1  1     224  55,296      3     1     -1",
        "1     relu                 8x16x16                                       3     1     -1",
        "2     adaptive_avg_pool2d    8x1x1  16  16                             all",
        "3     flatten                    8                                     all",
        "4     linear                    10                       90      80    all",
        "total: 314 parameters, 55,376 MACs; the last local field: size 3, jump 1, start -1",
    ]


def test_the_table_says_every_number_of_a_shape():
    table = trace(nn.Conv2d(3, 16, 3, stride=2, padding=1))
    assert table[0].output_shape == (16, 16, 16)
    assert str(table).splitlines()[1].split()[2:5] == ["16x16x16", "3", "2"]


def test_the_table_as_html_says_the_same_as_the_text(table):
    page = table._repr_html_()
    assert page.count("<tr>") == 1 + len(table)
    assert page.count('<th scope="row">') == len(table)
    for row in table:
        assert f'<th scope="row">{row.name}</th><td>{row.op}</td>' in page
    assert "total: 314 parameters" in page


class Uneven(nn.Module):
    """Has sides of its own, a resize, a gate, and layers that it does not use."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 4, (3, 5), (1, 2), padding=(1, 2))
        self.b = nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4, bias=False)
        self.spare, self.other = nn.Linear(1000, 3), nn.Linear(2, 2)

    def forward(self, x):
        x = F.interpolate(self.b(F.relu(self.a(x))), scale_factor=2)
        return x * x.mean((2, 3), keepdim=True)


def test_a_table_with_two_axes_a_gate_and_unused_layers():
    table = trace(Uneven(), (3, 32, 32))
    text = """\
name         op            output    k    s    p  d  g  params    MACs  field   jump  start
a            conv2d       4x32x16  3x5  1x2  1x2  1  1     184  92,160    3x5    1x2  -1,-2
relu         relu         4x32x16                                         3x5    1x2  -1,-2
b            conv2d       4x32x16    3    1    2  2  4      36  18,432   7x13    1x2  -3,-6
interpolate  interpolate  4x64x32                                        7x13  0.5x1  -3,-6
mean         mean           4x1x1                                         all
mul          mul          4x64x32                                         all
total: 3,229 parameters, 110,592 MACs; the last local field, gates left out: size 7x13, jump 0.5x1, start -3,-6
not used in this forward pass: 3,009 parameters (spare.weight, ...)"""  # noqa: E501 (as printed)
    assert repr(table) == text
    assert table.unused == {
        "spare.weight": 3000,
        "spare.bias": 3,
        "other.weight": 4,
        "other.bias": 2,
    }
    page = table._repr_html_()
    heads = re.findall(r'<th scope="col" title="([^"]+)">(\w+)</th>', page)
    assert [head for _, head in heads] == text.partition("\n")[0].split()
    assert [title for title, _ in heads] == [
        "layer, or module and operation",
        "PyTorch function",
        "shape of one output",
        *("kernel", "stride", "padding", "dilation", "groups", "parameters", "multiply-adds"),
        "size of the receptive field",
        "pixels from one output to the next",
        "first pixel of output 0",
    ]
    rows = re.findall(r"<tr>(<th scope=\"row\">.*?)</tr>", page)
    cells = [re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row) for row in rows]
    assert [" ".join(filter(None, row)) for row in cells] == [
        " ".join(line.split()) for line in text.split("\n")[1:-2]
    ]
    assert {len(row) for row in cells} == {13}
    notes = "<br>".join(text.split("\n")[-2:])
    assert page.endswith(f"</tbody></table></div><p>{notes}</p>")


def test_a_jump_that_is_a_fraction_is_rounded_in_print():
    table = trace(nn.Sequential(nn.Conv1d(3, 4, 3, 2), nn.Upsample(scale_factor=3)), (3, 16))
    assert repr(table).splitlines()[-2:] == [
        "1     interpolate    4x21                                   3  0.6667      0",
        "total: 40 parameters, 252 MACs; the last local field: size 3, jump 0.6667, start 0",
    ]


def test_html_is_escaped():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.add_module("<b>", nn.ReLU())

        def forward(self, x):
            return self._modules["<b>"](x)

    assert "<b>" not in trace(Net())._repr_html_()


def test_rows_by_name_and_number(table):
    assert table["0"] is table[0]
    assert [row.op for row in table[1:3]] == ["relu", "adaptive_avg_pool2d"]
    with pytest.raises(KeyError) as told:
        table["conv1"]
    assert told.value.args == ("no row is called 'conv1'; see [row.name for row in table]",)


def test_the_dict_survives_json(table):
    stored = json.loads(json.dumps(table.to_dict()))
    assert stored["totals"] == {
        "params": 314,
        "macs": 55_376,
        "receptive_field": {"size": 3, "jump": 1, "start": -1},
    }
    assert stored["rows"][0]["receptive_field"] == {"size": 3, "jump": 1, "start": -1}
    assert stored["input_size"] == [3, 16, 16]
