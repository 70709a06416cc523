"""Chapter 12, Pixel shuffle: its quiz answers, its identities and what its networks are."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from convbook import functional
from convbook.course import runs
from convbook.course.checks import pixel_shuffle
from convbook.course.experiments.super_resolution import (
    LAYERS,
    PerceptualLoss,
    checkerboard_range,
    from_hex,
    make_network,
    resize,
    shape_classifier,
    shuffle,
    to_hex,
    train,
    transposed,
    upscale,
)
from convbook.metrics import psnr
from convbook.nn import ResizeConv2d, SubPixelConv2d, icnr_
from tests.helpers.attempts import assert_right, assert_wrong, said_of


def as_transposed(weight, factor):
    """What the chapter defines: the weights of the transposed convolution."""
    return F.pixel_shuffle(weight.flip(-2, -1).transpose(0, 1), factor)


def opening_question():
    torch.manual_seed(0)
    x = torch.randn(1, 2, 5, 5).double()
    there = torch.randn(4, 2, 3, 3).double()
    back = torch.randn(2, 1, 6, 6).double()
    # Each into the other: the second line reads the first backwards.
    as_b = as_transposed(there, 2)
    as_a = F.pixel_unshuffle(back, 2).transpose(0, 1).flip(-2, -1)
    pairs = [(there, as_b), (as_a, back)]
    both = [
        torch.allclose(
            F.pixel_shuffle(F.conv2d(x, a, padding=1), 2),
            F.conv_transpose2d(x, b, stride=2, padding=2),
        )
        for a, b in pairs
    ]
    assert all(both)
    return "neither: each can be turned into the other"


def channel_order():
    maps = torch.zeros(1, 27, 2, 2)
    maps[:, 14] = 1
    drawn = F.pixel_shuffle(maps, 3)[0]
    ((c, i, j),) = drawn[:, :3, :3].nonzero().tolist()
    return f"{['red', 'green', 'blue'][c]}, row {i} and column {j} of each block"


def equal_filters():
    """Which choice is enough for flat blocks, and asks for no more than that."""
    torch.manual_seed(0)
    choices = {
        "0, 3, 6 and 9; 1, 4, 7 and 10; 2, 5, 8 and 11": [n % 3 for n in range(12)],
        "0 to 3; 4 to 7; 8 to 11": [n // 4 for n in range(12)],
        "all twelve": [0] * 12,
    }
    enough = {}
    for text, groups in choices.items():
        sums = torch.randn(max(groups) + 1).double()[groups]
        weight = torch.randn(12, 1, 3, 3).double()
        weight += (sums - weight.sum(dim=(1, 2, 3)))[:, None, None, None] / 9
        flat = torch.full((1, 1, 6, 6), 0.5).double()
        drawn = F.pixel_shuffle(F.conv2d(flat, weight), 2)[0]
        if torch.allclose(drawn, drawn[:, :1, :1].expand_as(drawn)):
            enough[text] = len(set(groups))
    assert len(enough) == 2
    return max(enough, key=enough.get)  # the more groups, the less is asked


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "channel-order": channel_order,
    "equal-filters": equal_filters,
}

FACTORS = st.integers(1, 4)
ODD = st.sampled_from([1, 3, 5, 7])
FEW = st.integers(1, 3)
SIZES = st.integers(1, 5)


@given(factor=FACTORS, kernel=ODD, c_in=FEW, c_out=FEW, height=SIZES, width=SIZES)
def test_shuffle_after_a_convolution_is_a_transposed_convolution(
    factor, kernel, c_in, c_out, height, width
):
    """Forward, and the gradients of input and weight; the chapter's one line gives the weights."""
    random = torch.Generator().manual_seed(0)
    draw = {"generator": random, "dtype": torch.float64}
    x = torch.randn(2, c_in, height, width, **draw).requires_grad_()
    weight = torch.randn(c_out * factor**2, c_in, kernel, kernel, **draw).requires_grad_()
    half = kernel // 2
    small = F.conv2d(x, weight, padding=half)
    one = functional.pixel_shuffle(small, factor)
    other = F.conv_transpose2d(
        x, as_transposed(weight, factor), stride=factor, padding=factor * half
    )
    torch.testing.assert_close(one, other)
    upstream = torch.randn(one.shape, **draw)
    grads = [torch.autograd.grad(y, (x, weight), upstream) for y in (one, other)]
    torch.testing.assert_close(*grads)


@given(factor=FACTORS, kernel=ODD, c_in=FEW, c_out=FEW, bias=st.booleans())
def test_icnr_is_nearest_neighbour_upsampling_of_one_convolution(factor, kernel, c_in, c_out, bias):
    layer = SubPixelConv2d(c_in, c_out, kernel, factor, bias=bias).double().icnr_()
    x = torch.randn(1, c_in, 4, 3).double()
    small = F.conv2d(x, layer.conv.weight[:: factor**2], padding=kernel // 2)
    torch.testing.assert_close(layer(x), F.interpolate(small, scale_factor=factor, mode="nearest"))


@given(factor=st.integers(1, 4), kernel=ODD, channels=FEW)
def test_unshuffle_before_a_convolution_is_a_convolution_with_a_stride(factor, kernel, channels):
    """What *Going further* shows."""
    x = torch.randn(1, channels, 3 * factor, 4 * factor).double()
    weight = torch.randn(2, channels * factor**2, kernel, kernel).double()
    one = F.conv2d(functional.pixel_unshuffle(x, factor), weight, padding=kernel // 2)
    wide = F.pixel_shuffle(weight, factor)
    other = F.conv2d(x, wide, stride=factor, padding=factor * (kernel // 2))
    torch.testing.assert_close(one, other)


class TestExercises:
    """The right answers are what PyTorch does."""

    def test_channel_of(self):
        for case in pixel_shuffle.check_channel_of.cases:
            r, c_out = case["upscale_factor"], case["out_channels"]
            numbers = torch.arange(c_out * r * r).reshape(1, -1, 1, 1)
            drawn = F.pixel_shuffle(numbers, r)[0]
            assert pixel_shuffle.channel_of(**case) == drawn[case["c"], case["i"], case["j"]]

    def test_unshuffled(self):
        for case in pixel_shuffle.check_unshuffled.cases:
            small = F.pixel_unshuffle(torch.tensor(case["picture"])[None], case["factor"])
            assert pixel_shuffle.unshuffled(**case) == small.tolist()

    def test_icnr(self):
        for case in pixel_shuffle.check_icnr.cases:
            filters = torch.tensor(case["filters"]).double()[:, :, None, None]
            r = case["upscale_factor"]
            weight = filters.new_empty(len(filters) * r * r, *filters.shape[1:])
            icnr_(weight, r, lambda drawn, filters=filters: drawn.copy_(filters))
            assert pixel_shuffle.icnr(**case) == weight[..., 0, 0].tolist()

    def test_interleaved(self):
        """In one dimension, for odd kernels: those that keep the size."""
        for case in pixel_shuffle.check_interleaved.cases:
            kernels = torch.tensor(case["kernels"]).double()
            r, k = kernels.shape
            if k % 2 == 0:
                continue
            x = torch.arange(1.0, 7.0).double()[None, None]
            small = F.conv1d(x, kernels[:, None], padding=k // 2)
            weight = torch.tensor(pixel_shuffle.interleaved(**case)).double()[None, None]
            drawn = F.conv_transpose1d(x, weight, stride=r, padding=r * (k // 2))
            assert torch.equal(small.transpose(1, 2).reshape(1, 1, -1), drawn)


class TestNetworks:
    """The recorded contest is fair: the networks differ in their last layer only."""

    @pytest.mark.parametrize("factor", [2, 3])
    def test_all_have_as_many_weights(self, factor):
        counts = {
            kind: sum(p.numel() for p in make_network(kind, factor).parameters()) for kind in LAYERS
        }
        assert len(set(counts.values())) == 1, counts

    @pytest.mark.parametrize("kind", LAYERS)
    @pytest.mark.parametrize("factor", [1, 2, 3])
    def test_size(self, kind, factor):
        drawn = make_network(kind, factor)(torch.zeros(2, 1, 5, 7))
        assert drawn.shape == (2, 1, 5 * factor, 7 * factor)

    def test_transposed_can_be_started_as_shuffle(self):
        first, second = shuffle(4, 2).double(), transposed(4, 2).double()
        with torch.no_grad():
            second.weight.copy_(as_transposed(first.conv.weight, 2))
        x = torch.randn(1, 4, 6, 5).double()
        torch.testing.assert_close(first(x), second(x))

    def test_resize_is_the_package_s_layer_where_the_kernel_is_odd(self):
        ours, layer = resize(4, 3).double(), ResizeConv2d(4, 1, 9, 3, bias=False).double()
        layer.conv.weight.data.copy_(ours[-1].weight.data)
        x = torch.randn(1, 4, 6, 5).double()
        torch.testing.assert_close(ours(x), layer(x))

    @pytest.mark.parametrize("factor", [2, 3])
    def test_checkerboard_range(self, factor):
        torch.manual_seed(0)
        sizes = {
            kind: checkerboard_range(make_network(kind, factor).double(), factor) for kind in LAYERS
        }
        assert max(sizes["resize"], sizes["shuffle, ICNR"]) < 1e-12
        assert min(sizes["transposed"], sizes["shuffle"]) > 1e-3

    def test_training_is_repeatable_and_learns(self):
        picture = torch.linspace(0, 1, 48).expand(1, 1, 48, 48)
        small, ends = F.avg_pool2d(picture, 2), []
        for _ in range(2):
            torch.manual_seed(0)
            network = make_network("shuffle, ICNR", 2, width=4)
            before = psnr(upscale(network, small), picture)
            train(network, picture, 2, steps=30, seed=1)
            ends.append(upscale(network, small))
        assert torch.equal(*ends)
        assert psnr(ends[0], picture) > before + 3

    def test_equal_weights_stay_equal_in_training(self):
        """Shuffle and transposed convolution are one layer, under Adam too."""
        torch.manual_seed(0)
        one = make_network("shuffle", 2, width=4).double()
        other = make_network("transposed", 2, width=4).double()
        for ours, theirs in zip(one[:-1].parameters(), other[:-1].parameters(), strict=True):
            theirs.data.copy_(ours.data)
        other[-1].weight.data.copy_(as_transposed(one[-1].conv.weight.data, 2))
        picture = torch.rand(1, 1, 40, 40).double()
        for network in (one, other):
            train(network, picture, 2, steps=10)
        x = torch.rand(1, 1, 8, 8).double()
        torch.testing.assert_close(one(x), other(x), rtol=0, atol=1e-9)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"kind": "bicubic"}, "kind='bicubic'"),
            ({"factor": 0}, "factor=0"),
            ({"width": 0}, "width=0"),
        ],
    )
    def test_refusals(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            make_network(**{"kind": "shuffle", "factor": 2, **arguments})

    def test_small_pictures_are_refused(self):
        with pytest.raises(ValueError, match=r"31 x 40 pixels, but a crop has 32 x 32"):
            train(make_network("shuffle", 2), torch.zeros(1, 1, 31, 40), 2, steps=1)

    def test_hex_there_and_back(self):
        levels = torch.randint(256, (5, 7)) / 255
        assert torch.equal(from_hex(to_hex(levels), 7), levels)
        assert to_hex(torch.tensor([-1.0, 2.0])) == "00ff"


class TestPerceptualLoss:
    def test_by_hand(self):
        torch.manual_seed(0)
        classifier = shape_classifier().double().eval()
        a, b = torch.rand(2, 3, 1, 12, 12).double()
        colours = [p.expand(-1, 3, -1, -1) * 2 - 1 for p in (a, b)]
        expected = 0
        for depth in (1, 2):
            x, y = (classifier[:depth](picture) for picture in colours)
            expected += ((x - y) ** 2).mean() / (y**2).mean() / 2
        torch.testing.assert_close(PerceptualLoss(classifier)(a, b), expected)

    def test_the_classifier_stays_as_it_is(self):
        loss = PerceptualLoss(shape_classifier()).train()
        before = {name: value.clone() for name, value in loss.state_dict().items()}
        a = torch.rand(1, 1, 8, 8, requires_grad=True)
        loss(a, torch.rand(1, 1, 8, 8)).backward()
        assert a.grad.abs().sum() > 0
        assert all(p.grad is None for p in loss.parameters())
        assert all(torch.equal(before[name], value) for name, value in loss.state_dict().items())

    @pytest.mark.parametrize("depth", [0, 5])
    def test_refusals(self, depth):
        with pytest.raises(ValueError, match=f"depth={depth}"):
            PerceptualLoss(shape_classifier(), depth)


def test_recorded_networks_are_those_of_the_package():
    run = runs.load("12_pixel_shuffle")
    named = {(n["kind"], n["factor"]) for n in run["networks"]}
    assert named == {(kind, factor) for kind in LAYERS for factor in (2, 3)}
    for network in run["networks"]:
        model = make_network(network["kind"], network["factor"])
        assert network["params"] == sum(p.numel() for p in model.parameters())
        assert [one["seed"] for one in network["runs"]] == run["seeds"] == [0, 1, 2]
    side = run["crop"][2]
    assert {*LAYERS, "nearest", "bicubic", "features"} == set(run["crops"])
    assert all(from_hex(text, side).shape == (side, side) for text in run["crops"].values())


def test_the_networks_of_equal_cost_cost_the_same():
    run = runs.load("12_equal_cost")
    for factor in (2, 3):
        rows = [n for n in run["networks"] if n["factor"] == factor]
        assert [n["kind"] for n in rows] == ["shuffle", "shuffle, ICNR", "resize, 3 x 3"]
        assert len({n["macs"] for n in rows}) == 1
        last = {n["kind"]: n["params"] for n in rows}
        body = sum(p.numel() for p in make_network("shuffle", factor)[:-1].parameters())
        assert last["shuffle"] - body == factor**2 * (last["resize, 3 x 3"] - body)
        assert all([one["seed"] for one in n["runs"]] == run["seeds"] for n in rows)


# ------------------------------------------------------------------------------------ attempts


def looked_up(c, i, j, upscale_factor, out_channels):
    channels = torch.arange(out_channels * upscale_factor**2).float()[:, None, None]
    return F.pixel_shuffle(channels, upscale_factor)[c, i, j]


def reshaped(*axes):
    """Return an attempt at exercise 2 that reshapes, and puts the axes in an order."""

    def attempt(picture, factor):
        height, width = np.shape(picture)
        parts = np.reshape(picture, (height // factor, factor, width // factor, factor))
        return parts.transpose(*axes).reshape(factor**2, height // factor, width // factor)

    return attempt


def diagonal(picture, factor):
    return [[row[i::factor] for row in picture[i::factor]] for i in range(factor)]


def by_impulse(kernels):
    """Read the stamp of a single 1 off the convolutions and the shuffle."""
    size = len(kernels[0])
    row = torch.zeros(1, 1, 4 * size + 1)
    row[..., 2 * size] = 1
    drawn = F.conv1d(row, torch.tensor(kernels).float()[:, None], padding=size - 1)
    drawn = drawn[0].T.flatten()
    start = 2 * size * len(kernels)
    return drawn[start : start + size * len(kernels)]


def kernels_as(change):
    """Return an attempt at exercise 4: the kernels as an array, changed."""
    return lambda kernels: change(np.array(kernels)).ravel()


RIGHT = [
    (pixel_shuffle.check_channel_of, looked_up),
    (
        pixel_shuffle.check_channel_of,
        lambda c, i, j, upscale_factor, out_channels: np.ravel_multi_index(
            (c, i, j), (out_channels, upscale_factor, upscale_factor)
        ),
    ),
    (pixel_shuffle.check_unshuffled, reshaped(1, 3, 0, 2)),
    (
        pixel_shuffle.check_unshuffled,
        lambda picture, factor: F.pixel_unshuffle(torch.tensor(picture).float()[None], factor),
    ),
    (
        pixel_shuffle.check_icnr,
        lambda filters, upscale_factor: (
            torch.tensor(filters).float().repeat_interleave(upscale_factor**2, dim=0)
        ),
    ),
    (
        pixel_shuffle.check_icnr,
        lambda filters, upscale_factor: np.repeat(filters, upscale_factor**2, axis=0),
    ),
    (pixel_shuffle.check_interleaved, by_impulse),
    (pixel_shuffle.check_interleaved, kernels_as(lambda array: np.fliplr(array).T)),
]

WRONG = [
    (
        pixel_shuffle.check_channel_of,
        lambda c, i, j, upscale_factor, out_channels: np.ravel_multi_index(
            (i, j, c), (upscale_factor, upscale_factor, out_channels)
        ),
        "TensorFlow",
    ),
    (
        pixel_shuffle.check_channel_of,
        lambda c, i, j, upscale_factor, out_channels: c * upscale_factor**2 + i * out_channels + j,
        "",
    ),
    (
        pixel_shuffle.check_channel_of,
        lambda c, i, j, upscale_factor, out_channels: (
            c * upscale_factor * out_channels + i * upscale_factor + j
        ),
        "",
    ),
    (pixel_shuffle.check_unshuffled, reshaped(3, 1, 0, 2), "Rows and columns are exchanged"),
    (pixel_shuffle.check_unshuffled, reshaped(1, 3, 2, 0), ""),
    (pixel_shuffle.check_unshuffled, diagonal, ""),
    (
        pixel_shuffle.check_icnr,
        lambda filters, upscale_factor: torch.tensor(filters).repeat(upscale_factor**2, 1),
        "stand together",
    ),
    (
        pixel_shuffle.check_icnr,
        lambda filters, upscale_factor: np.repeat(filters, upscale_factor**2),
        "",
    ),
    (
        pixel_shuffle.check_icnr,
        lambda filters, upscale_factor: np.repeat(filters, 2 * upscale_factor, axis=0),
        "",
    ),
    (
        pixel_shuffle.check_interleaved,
        kernels_as(lambda array: array[::-1, ::-1].T),
        "not their order",
    ),
    (pixel_shuffle.check_interleaved, kernels_as(lambda array: array[::-1].T), ""),
    (pixel_shuffle.check_interleaved, lambda kernels: np.fliplr(kernels).T, ""),
]


@pytest.mark.parametrize(("checker", "attempt"), RIGHT)
def test_right_attempts_in_other_styles_are_accepted(checker, attempt):
    assert_right(attempt, checker)


@pytest.mark.parametrize(("checker", "attempt", "hint"), WRONG)
def test_wrong_attempts_are_rejected(checker, attempt, hint):
    assert_wrong(attempt, checker, hint)


def test_a_verdict_on_pictures_shows_them_whole():
    """The call, the answer and what was expected, so that it can be tried again."""
    for mistake in pixel_shuffle.check_unshuffled.mistakes.values():
        assert "..." not in said_of(mistake, pixel_shuffle.check_unshuffled)
