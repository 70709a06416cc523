"""Receptive fields: arithmetic, gradients and brute force agree."""

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

from convbook.analysis import effective_receptive_field, empirical_receptive_field, trace
from convbook.analysis.interval import PIXELS
from convbook.arithmetic import Layer, ReceptiveField, receptive_field
from tests.helpers.fx_models import (
    WIDTH,
    Join,
    convolutions,
    joins,
    parts,
    plain_branches,
    torchvision_model,
)
from tests.helpers.memory_graphs import positive
from tests.helpers.networks import Net, conv
from tests.helpers.refusals import whole
from tests.helpers.sampling import examples
from tests.helpers.strategies import EVEN_SAME

pytestmark = [pytest.mark.filterwarnings(EVEN_SAME), pytest.mark.usefixtures("one_thread")]
SIZE = (WIDTH, 40, 44)


def traced(model, size=SIZE):
    """Return what trace says of the model's output; skip models that SIZE is too small for."""
    try:
        return trace(model, size)[-1].receptive_field
    except ValueError as error:
        assume("does not run on input_size" not in str(error))
        raise


def axes(value):
    """Return one value for each of two axes."""
    return value if isinstance(value, tuple) else (value, value)


# ------------------------------------------------------------------ gradients


@examples(400)
@given(st.lists(parts, min_size=1, max_size=4))
def test_trace_agrees_with_gradients_on_random_graphs(layers):
    model = nn.Sequential(*layers)
    field = traced(model)
    assume(min(axes(field.jump)) > 0.1)  # maps that grow more than tenfold take minutes
    assert field == empirical_receptive_field(model, SIZE)


@examples(200)
@given(st.lists(joins, min_size=1, max_size=3))
def test_branches_that_are_padded_differently_join_as_their_union(layers):
    model = nn.Sequential(*layers)
    assert traced(model) == empirical_receptive_field(model, SIZE)


@examples(100)
@given(plain_branches, plain_branches)
def test_the_union_reaches_from_the_smallest_start_to_the_largest_end(first, second):
    def ends(model):
        field = traced(nn.Sequential(model, nn.ReLU()))  # so that a skip has a row too
        return [(start, start + size) for size, _, start in zip(*map(axes, field), strict=True)]

    apart = zip(ends(first), ends(second), strict=True)
    union = [(min(a[0], b[0]), max(a[1], b[1])) for a, b in apart]
    assert ends(Join("add", first, second)) == union


@examples(60)
@given(st.lists(convolutions(), min_size=1, max_size=3))
def test_the_surrogates_reach_as_far_as_the_model_itself(layers):
    """Of linear layers only, with positive weights: the model's own gradient is its reach."""
    model = positive(nn.Sequential(*layers))
    field = empirical_receptive_field(model, (WIDTH, 96, 96))
    sizes, jumps, starts = map(axes, field)
    last = [  # so far that the output after the next still sees no padding at the end
        size + start + jump * (3 - start // jump)
        for size, jump, start in zip(sizes, jumps, starts, strict=True)
    ]
    x = torch.ones(1, WIDTH, *(n + 64 for n in last), dtype=torch.float64, requires_grad=True)
    place = [1 - start // jump for jump, start in zip(jumps, starts, strict=True)]
    (gradient,) = torch.autograd.grad(model(x)[0, :, place[0], place[1]].sum(), x)
    for axis in range(2):
        seen = gradient.abs().movedim(axis + 2, 0).flatten(1).sum(1).nonzero().flatten()
        first = starts[axis] + place[axis] * jumps[axis]
        assert [seen[0].item(), seen[-1].item()] == [first, first + sizes[axis] - 1]


# ------------------------------------------------------------------ recurrence and brute force

layers_1d = st.builds(
    Layer, st.integers(1, 4), st.integers(1, 3), st.integers(0, 3), st.integers(1, 3)
)


@examples(200)
@given(st.lists(layers_1d, min_size=1, max_size=4))
def test_stacks_follow_the_recurrence(layers):
    convs = [nn.Conv1d(1, 1, la.kernel_size, la.stride, la.padding, la.dilation) for la in layers]
    table = trace(nn.Sequential(*convs), (1, 400))
    assert [row.receptive_field for row in table] == receptive_field(layers)


steps = st.one_of(
    st.tuples(st.just("window"), st.integers(1, 4), st.integers(1, 3), st.integers(0, 3),
              st.integers(1, 3)),
    st.tuples(st.just("transposed"), st.integers(1, 4), st.integers(1, 3), st.integers(0, 3),
              st.integers(1, 3)),
)  # fmt: skip


def read_by(step, outputs):
    """Return for each output which values below it reads, straight from the definition."""
    kind, kernel, stride, padding, dilation = step
    taps = range(kernel)
    if kind == "window":
        return {o: {o * stride - padding + t * dilation for t in taps} for o in outputs}
    values = range(-2000, 2000)
    reads = {o: set() for o in outputs}
    for value in values:
        for tap in taps:
            output = value * stride - padding + tap * dilation
            if output in reads:
                reads[output].add(value)
    return reads


@examples(200)
@given(st.lists(steps, min_size=1, max_size=3))
def test_intervals_are_those_of_the_definition(chain):
    interval, wanted = PIXELS, set(range(-6, 7))
    for kind, *settings in chain:
        interval = getattr(interval, kind)(*settings)
    seen = {o: {o} for o in wanted}
    for step in reversed(chain):
        below = read_by(step, set().union(*seen.values()))
        seen = {o: set().union(*(below[v] for v in values)) for o, values in seen.items()}
    for output, pixels in seen.items():
        hull = (min(pixels), max(pixels)) if pixels else None
        found = interval.at(output)
        assert (found if found[0] <= found[1] else None) == hull


def test_one_phase_of_a_transposed_convolution_sees_more_than_another():
    interval = PIXELS.transposed(3, 2, 1)
    assert [interval.at(output) for output in (-1, 0, 1, 2)] == [(-1, 0), (0, 0), (0, 1), (1, 1)]
    assert (interval.size, interval.jump, interval.start) == (2, 0.5, 0)
    assert PIXELS.transposed(4, 2, 1).size == 2
    gaps = PIXELS.transposed(1, 3)
    assert [gaps.at(output) for output in (0, 3)] == [(0, 0), (1, 1)]
    assert gaps.at(1)[0] > gaps.at(1)[1]  # nothing
    assert gaps.window(3).size == 1


# ------------------------------------------------------------------ whole networks

ORACLES = {
    "alexnet": ("features", (195, 32, -66)),
    "vgg16": ("features", (212, 32, -90)),
    "resnet18": ("layer4", (435, 32, -217)),
    "resnet50": ("layer4", (427, 32, -213)),
    "googlenet": ("inception5b", None),
    "mobilenet_v2": ("features", None),
    "shufflenet_v2_x1_0": ("conv5", None),
    "squeezenet1_0": ("features", None),
}


@pytest.mark.parametrize("name", ORACLES)
def test_known_networks_by_arithmetic_and_by_gradients(name):
    layer, expected = ORACLES[name]
    model = torchvision_model(name)
    field = trace(model, (3, 224, 224)).receptive_field
    if expected:
        assert field == expected
    assert empirical_receptive_field(model, (3, 224, 224), layer) == field


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "vit_b_32"])
def test_a_classifier_sees_the_whole_image(name):
    model = torchvision_model(name)
    whole = ReceptiveField(224, 0, 0)
    assert trace(model, (3, 224, 224))[-1].receptive_field == whole
    assert empirical_receptive_field(model, (3, 224, 224)) == whole


def test_inception_sees_1311_pixels():
    assert trace(torchvision_model("inception_v3"), (3, 299, 299)).receptive_field.size == 1311


def test_a_row_that_the_floor_drops_is_not_seen():
    model = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert trace(model, (3, 10, 10))[-1].receptive_field == (9, 0, 0)
    assert empirical_receptive_field(model, (3, 10, 10)) == (9, 0, 0)


def test_gating_sees_the_whole_input():
    class Gate(nn.Module):
        def forward(self, x):
            return x * x.mean((2, 3), keepdim=True).sigmoid()

    model = nn.Sequential(nn.Conv2d(3, 4, 3), Gate(), nn.Conv2d(4, 4, 3))
    table = trace(model, (3, 20, 24))
    expected = ReceptiveField((20, 24), (0, 0), (0, 0))
    assert table[-1].receptive_field == expected
    assert table[-1].local_field == table.receptive_field == (5, 1, 0)  # as if there were no gate
    assert empirical_receptive_field(model, (3, 20, 24)) == expected


@pytest.mark.parametrize(
    ("settings", "jump"),
    [
        ({"scale_factor": 1.3}, 10 / 13),  # 16 pixels become 20
        ({"scale_factor": 1.3, "recompute_scale_factor": False}, 10 / 13),
        ({"scale_factor": 1.3, "recompute_scale_factor": True}, 16 / 20),
        ({"size": 20}, 16 / 20),
        ({"scale_factor": (1.5, 2.5)}, (1 / 1.5, 1 / 2.5)),
        ({"size": 31, "mode": "bilinear", "align_corners": True}, 15 / 30),
        ({"size": 31, "mode": "bilinear", "align_corners": False}, 16 / 31),
        ({"scale_factor": 2, "mode": "bilinear", "align_corners": True}, 15 / 31),
    ],
)
def test_a_resize_goes_by_its_factor_or_by_the_sizes(settings, jump):
    """As PyTorch's manual says of `recompute_scale_factor` and `align_corners`."""
    model = Net(lambda net, x: nn.functional.interpolate(x, **settings))
    assert trace(model, (3, 16, 16))[-1].receptive_field.jump == pytest.approx(jump)


@pytest.mark.parametrize(("factor", "size"), [(2, 2), (3, 1), (4, 2), (5, 1)])
def test_a_shrinking_resize_reads_one_pixel_where_it_falls_on_one(factor, size):
    """Between two pixels bilinear interpolation reads both; on a pixel the other weighs nothing."""
    model = Net(
        lambda net, x: nn.functional.interpolate(x, scale_factor=1 / factor, mode="bilinear")
    )
    side = 12 * factor
    field = trace(model, (3, side, side)).receptive_field
    assert field[:2] == (size, factor)
    assert empirical_receptive_field(model, (3, side, side))[:2] == field[:2]


# ------------------------------------------------------------------ refusals


def test_unknown_layers_are_refused():
    told = "layer='2' is not in the model; use one of ['0', '1']"
    with pytest.raises(ValueError, match=whole(told)):
        empirical_receptive_field(nn.Sequential(nn.ReLU(), nn.ReLU()), SIZE, layer="2")


def test_a_model_of_one_size_is_refused_if_that_is_too_small():
    class Fixed(nn.Module):
        def forward(self, x):
            assert x.shape[-1] == 16, "16 pixels only"
            return nn.functional.avg_pool2d(x, 13, 1, 6)[..., 4:, 4:]

    told = "model does not run on input_size=(3, 16, 32), which its field needs: 16 pixels only…"
    with pytest.raises(ValueError, match=whole(told)):
        empirical_receptive_field(Fixed(), (3, 16, 16))


def test_an_output_without_the_input_is_refused():
    class Constant(nn.Module):
        def forward(self, x):
            return torch.zeros(1, 1, 4, 4)

    told = (
        "model's output does not depend on its input as far as trace can follow; "
        "use PyTorch functions from the input to the output"
    )
    for function in (trace, empirical_receptive_field):
        with pytest.raises(ValueError, match=whole(told)):
            function(Constant(), SIZE)


def test_an_output_without_a_gradient_is_refused():
    class Index(nn.Module):
        def forward(self, x):
            return x.argmax(1, keepdim=True).double()

    told = "model's output does not depend on an input of (4, 40, 44)"
    with pytest.raises(ValueError, match=whole(told)):
        empirical_receptive_field(Index(), SIZE)


def test_a_gradient_that_pytorch_cannot_compute_is_named(monkeypatch):
    def grad(*_, **__):
        raise RuntimeError("derivative is not implemented")

    monkeypatch.setattr(torch.autograd, "grad", grad)
    told = "model has no gradient that PyTorch can compute: derivative is not implemented"
    with pytest.raises(ValueError, match=whole(told)):
        empirical_receptive_field(nn.Conv2d(3, 4, 3), (3, 16, 16))


@pytest.mark.parametrize("field", [empirical_receptive_field, effective_receptive_field])
def test_a_layer_that_does_not_run_is_refused(field):
    model = Net(lambda net, x: net.a(x), a=conv(3, 4), spare=conv(3, 4))
    told = "layer='spare' does not run; use another layer"
    with pytest.raises(ValueError, match=whole(told)):
        field(model, (3, 16, 16), layer="spare")
    told = "layer='other' is not in the model; use one of ['a', 'spare']"
    with pytest.raises(ValueError, match=whole(told)):
        field(model, (3, 16, 16), layer="other")


def test_a_field_that_changes_with_the_size_is_refused():
    """Before, the input grew until it filled all memory."""
    model = nn.Sequential(conv(3, 4), nn.Upsample((32, 32)), nn.Conv2d(4, 4, 3))
    told = (
        "model's receptive field changes with the size of its input; "
        "use layer= to name a layer before it is resized"
    )
    with pytest.raises(ValueError, match=whole(told)):
        empirical_receptive_field(model, (3, 16, 16))
    assert empirical_receptive_field(model, (3, 16, 16), layer="0") == (3, 1, -1)
