"""Chapter 12, Pixel shuffle: its quiz answers, its identities and what its networks are."""

from statistics import mean

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from convbook import functional
from convbook.analysis import trace
from convbook.course import runs
from convbook.course.checks import enlarging
from convbook.course.checks import pixel_shuffle as exercises
from convbook.course.experiments.super_resolution import (
    ENLARGED_FIRST,
    KINDS,
    LAYERS,
    checkerboard_range,
    follow,
    from_hex,
    inside,
    make_network,
    resize,
    shuffle,
    to_hex,
    train,
    transposed,
    upscale,
)
from convbook.course.photographs import grace_hopper
from convbook.metrics import psnr, ssim
from convbook.nn import ResizeConv2d, SubPixelConv2d
from tests.helpers.attempts import assert_right, assert_wrong


def as_transposed(weight, factor):
    """What the chapter defines: the weights of the transposed convolution."""
    return F.pixel_shuffle(weight.flip(-2, -1).transpose(0, 1), factor)


def opening_question():
    """Which of the two enlargements has the higher PSNR."""
    portrait = grace_hopper(256).mean(1, keepdim=True).double()
    thumbnail = F.avg_pool2d(portrait, 4)
    squares = F.interpolate(thumbnail, scale_factor=4)
    off = torch.tensor([[[1, 0, 3 / 256], [0, 1, 3 / 256]]]).double()
    grid = F.affine_grid(off, portrait.shape, align_corners=False)
    smooth = F.grid_sample(thumbnail, grid, "bicubic", "border", align_corners=False).clamp(0, 1)
    a, b = psnr(squares, portrait), psnr(smooth, portrait)
    assert (round(a, 1), round(b, 1)) == (20.8, 19.2)
    assert ssim(squares, portrait) > ssim(smooth, portrait)
    assert abs(a - b) > 1
    return f"{'A' if a > b else 'B'}, by more than a decibel"


def one_layer():
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


def linear(large, small, factor, size=5):
    """What the chapter's least squares, fitted to the left half, draw of a small picture."""

    def windows(x):
        return F.unfold(F.pad(x, (size // 2,) * 4, mode="replicate"), size)[0].T

    wanted = F.pixel_unshuffle(large, factor)[0].flatten(1).T
    filters = torch.linalg.lstsq(windows(F.avg_pool2d(large, factor)), wanted).solution
    maps = (windows(small) @ filters).T.reshape(1, -1, *small.shape[2:])
    return F.pixel_shuffle(maps, factor).clamp(0, 1)


def linear_or_network():
    """How far the best kind of network is ahead of the linear shuffle, at twice the size."""
    photo = grace_hopper(384).mean(1, keepdim=True).double()
    left, right = photo[..., :192], photo[..., 192:]
    drawn = linear(left, F.avg_pool2d(right, 2), 2)
    reached = psnr(inside(drawn, 2), inside(right, 2))
    networks = runs.load("12_pixel_shuffle")["networks"]
    means = [mean(one["psnr"][-1] for one in n["runs"]) for n in networks]
    assert max(means) - reached <= 0.1
    return "by a tenth of a decibel at the most, if at all"


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "channel-order": channel_order,
    "one-layer": one_layer,
    "equal-filters": equal_filters,
    "linear-or-network": linear_or_network,
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


class TestNetworks:
    """The recorded contest is fair: four have equal weights, four equal products."""

    @pytest.mark.parametrize("factor", [2, 3])
    def test_equal_weights_and_equal_cost(self, factor):
        tables = {
            kind: trace(make_network(kind, factor), (1, 384 // factor, 192 // factor))
            for kind in KINDS
        }
        equal = ("transposed", "shuffle", "shuffle, ICNR")
        assert len({tables[kind].params for kind in (*equal, "resize")}) == 1
        assert len({tables[kind].macs for kind in (*equal, "resize, 3 × 3")}) == 1
        macs = tables["shuffle"].macs
        assert tables["resize"].macs > 1.5 * macs
        assert macs <= tables[ENLARGED_FIRST].macs < 1.2 * macs
        body = sum(p.numel() for p in make_network("shuffle", factor)[:-1].parameters())
        last = {kind: tables[kind].params - body for kind in LAYERS}
        assert last["shuffle"] == factor**2 * last["resize, 3 × 3"]

    @pytest.mark.parametrize("kind", KINDS)
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
            kind: checkerboard_range(make_network(kind, factor).double(), factor) for kind in KINDS
        }
        drawn = {kind for kind, size in sizes.items() if size > 1e-3}
        assert drawn == {"transposed", "shuffle"}
        assert max(sizes[kind] for kind in KINDS if kind not in drawn) < 1e-12

    def test_training_is_repeatable_and_learns(self):
        picture = torch.linspace(0, 1, 48).expand(1, 1, 48, 48)
        small, ends = F.avg_pool2d(picture, 2), []
        for _ in range(2):
            torch.manual_seed(0)
            network = make_network("shuffle, ICNR", 2, width=4)
            before = psnr(inside(upscale(network, small), 2), inside(picture, 2))
            train(network, picture, 2, steps=60, seed=1)
            ends.append(upscale(network, small))
        assert torch.equal(*ends)
        assert psnr(inside(ends[0], 2), inside(picture, 2)) > before + 3

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
        with pytest.raises(ValueError, match=r"39 x 50 pixels, but a crop has 40 x 40"):
            train(make_network("shuffle", 2), torch.zeros(1, 1, 39, 50), 2, steps=1)

    def test_what_is_followed_is_what_training_does(self):
        picture, test = torch.rand(2, 1, 1, 40, 40, generator=torch.Generator().manual_seed(0))
        row, drawn = follow(3, "shuffle", 2, picture, test, moments=(0, 2, 5))
        torch.manual_seed(3)
        network = make_network("shuffle", 2)
        small = F.avg_pool2d(test, 2)
        drawn_at_first = inside(upscale(network, small), 2)
        assert row["psnr"][0] == round(psnr(drawn_at_first, inside(test, 2)), 3)
        train(network, picture, 2, steps=5, seed=3)
        assert torch.equal(drawn, upscale(network, small))
        assert row["ripple"][-1] == round(checkerboard_range(network, 2), 6)
        assert [len(row[key]) for key in ("psnr", "ssim", "ripple")] == [3, 3, 3]

    @pytest.mark.parametrize("kind", KINDS)
    def test_what_counts_sees_no_padding(self, kind):
        """Other pixels around a crop change nothing inside."""
        torch.manual_seed(0)
        network = make_network(kind, 2).double()
        large = torch.rand(1, 1, 30, 30).double()
        cut = large[..., 5:25, 5:25]
        whole = network(large)[..., 10:50, 10:50]
        far = -1 if kind == "resize" else None  # its even kernel reaches a pixel further there
        found, wanted = (inside(x, 2)[..., :far, :far] for x in (network(cut), whole))
        torch.testing.assert_close(found, wanted)

    def test_hex_there_and_back(self):
        levels = torch.randint(256, (5, 7)) / 255
        assert torch.equal(from_hex(to_hex(levels), 7), levels)
        assert to_hex(torch.tensor([-1.0, 2.0])) == "00ff"


def test_recorded_networks_are_those_of_the_package():
    run = runs.load("12_pixel_shuffle")
    assert tuple(n["kind"] for n in run["networks"]) == KINDS
    for network in run["networks"]:
        model = make_network(network["kind"], run["factor"])
        assert network["params"] == sum(p.numel() for p in model.parameters())
        assert [one["seed"] for one in network["runs"]] == run["seeds"] == [0, 1, 2, 3, 4]
        for one in network["runs"]:
            for key in ("psnr", "ssim", "ripple"):
                assert len(one[key]) == len(run["moments"])
    side = run["crop"][2]
    assert set(run["crops"]) == set(KINDS)
    assert all(from_hex(text, side).shape == (side, side) for text in run["crops"].values())


# ------------------------------------------------------------------------------------ exercises


class TestExercises:
    """The right answers are what PyTorch does."""

    def test_tf_order(self):
        for case in exercises.check_tf_order.cases:
            c, r = case["out_channels"], case["r"]
            # Each channel holds its own number; depth_to_space reads them in its order.
            numbers = torch.arange(c * r * r)
            order = torch.tensor(exercises.tf_order(**case))
            there = numbers[order].reshape(r, r, c).permute(2, 0, 1)
            assert torch.equal(there, F.pixel_shuffle(numbers[:, None, None].float(), r))

    def test_patterned(self):
        """Tried on many greys and a larger map, block by block."""
        for case in exercises.check_patterned.cases:
            conv, r = case["conv"], case["r"]
            worst = torch.zeros(len(conv.rows) // r**2)
            for grey in torch.linspace(0, 1, 11):
                drawn = F.pixel_shuffle(conv(grey.expand(1, 1, 9, 9)), r)[0].detach()
                inside = drawn[:, 2 * r : -2 * r, 2 * r : -2 * r]
                blocks = F.pixel_unshuffle(inside[:, None], r)
                worst = worst.maximum((blocks.amax(1) - blocks.amin(1)).amax((1, 2)))
            assert enlarging.patterned(conv, r) == [c for c, w in enumerate(worst) if w > 1 / 255]

    def test_a_layer_can_be_made_again(self):
        for case in exercises.check_patterned.cases:
            made = eval(repr(case["conv"]), {"filters": enlarging.filters})
            assert torch.equal(made.weight, case["conv"].weight)
            assert torch.equal(made.bias, case["conv"].bias)

    def test_as_filters(self):
        for case in exercises.check_as_filters.cases:
            kernel, stride, padding = case.values()
            extra = stride - len(kernel) + 2 * padding
            assert 0 <= extra < stride
            assert len(kernel) <= 3 * stride
            x = torch.arange(1.0, 8)[None, None].double()
            taps = torch.tensor(kernel).double()[None, None]
            stamped = F.conv_transpose1d(x, taps, None, stride, padding, extra)
            filters = torch.tensor(exercises.as_filters(**case)).double()[:, None]
            maps = F.conv1d(x, filters, padding=1)
            assert torch.equal(maps.transpose(1, 2).reshape(1, 1, -1), stamped)

    def test_cut_outs_can_be_made_again_and_what_is_computed_is_a_tensor(self):
        for case in exercises.check_disagree.cases:
            photo = case["photo"]
            made = eval(repr(photo), {"cut_out": enlarging.cut_out})
            assert made == photo
            assert torch.equal(made + 0, photo + 0)
            assert type(photo * 0.5) is torch.Tensor
            assert type(photo.clamp(0, 1)) is torch.Tensor


# ------------------------------------------------------------------------------------ attempts


def by_shuffling(out_channels, r):
    """Send the numbers of the channels through PyTorch's shuffle, and read them off."""
    numbers = torch.arange(float(out_channels * r * r))[:, None, None]
    return F.pixel_shuffle(numbers, r).permute(1, 2, 0).flatten().int()


def by_sorting(out_channels, r):
    return sorted(range(out_channels * r * r), key=lambda n: (n % (r * r), n))


def by_sums(conv, r):
    sums = conv.weight.detach().numpy().sum((1, 2, 3))
    bias = conv.bias.detach().numpy()
    found = []
    for ends in (bias, bias + sums):
        found.append(np.ptp(ends.reshape(-1, r * r), axis=1) > 1 / 255)
    return np.flatnonzero(np.any(found, axis=0))


def by_trying(conv, r):
    found = set()
    for grey in np.linspace(0, 1, 5):
        drawn = F.pixel_shuffle(conv(torch.full((1, 1, 5, 9), float(grey))), r)[0]
        part = drawn[:, 2 * r : 3 * r, 4 * r : 5 * r]
        found |= {c for c in range(len(part)) if part[c].max() - part[c].min() > 1 / 255}
    return tuple(sorted(found))


def by_unshuffling(layer, factor):
    drawn = F.pixel_shuffle(
        layer(torch.tensor([0.0, 1]).reshape(2, 1, 1, 1).expand(2, 1, 3, 7)), factor
    )
    blocks = F.pixel_unshuffle(drawn, factor).unflatten(1, (-1, factor**2))[..., 1, 3]
    apart = (blocks.max(dim=2).values - blocks.min(dim=2).values).max(dim=0).values
    return torch.nonzero(255 * apart > 1)[:, 0]


def by_impulse(kernel, stride, padding):
    """Send a single 1 through the transposed convolution."""
    row = torch.zeros(1, 1, 5)
    row[..., 2] = 1
    taps = torch.tensor(kernel).float()[None, None]
    extra = stride - len(kernel) + 2 * padding
    drawn = F.conv_transpose1d(row, taps, None, stride, padding, extra)[0, 0]
    return drawn.reshape(5, stride)[1:4].T.flip(1)


def by_padding(kernel, stride, padding):
    """Put zeros around the kernel until it has 3 * stride weights."""
    before = stride - padding
    wide = [0] * before + list(kernel) + [0] * (3 * stride - before - len(kernel))
    return [wide[first::stride][::-1] for first in range(stride)]


def noisy_and_lighter(photo):
    noise = torch.randn(photo.shape, generator=torch.Generator().manual_seed(0))
    return photo + 0.05 * noise, photo + 0.15


def striped_and_darker(photo):
    stripes = np.tile([0.04, -0.04], photo.shape[-1] // 2)
    return np.asarray(photo) + stripes, 0.75 * np.asarray(photo)


def checkered_and_paler(photo):
    return enlarging.checkered(photo, 0.045), 0.78 * photo


RIGHT = [
    (exercises.check_tf_order, by_shuffling),
    (exercises.check_tf_order, by_sorting),
    (
        exercises.check_tf_order,
        lambda out_channels, r: np.arange(out_channels * r * r).reshape(-1, r * r).T.ravel(),
    ),
    (exercises.check_patterned, by_sums),
    (exercises.check_patterned, by_trying),
    (exercises.check_patterned, by_unshuffling),
    (exercises.check_as_filters, by_impulse),
    (exercises.check_as_filters, by_padding),
    (
        exercises.check_as_filters,
        lambda kernel, stride, padding: np.array(by_padding(kernel, stride, padding), float),
    ),
    (exercises.check_disagree, noisy_and_lighter),
    (exercises.check_disagree, striped_and_darker),
    (exercises.check_disagree, checkered_and_paler),
]

TF, PATTERNED = exercises.check_tf_order, exercises.check_patterned
FILTERS, DISAGREE = exercises.check_as_filters, exercises.check_disagree


def tiled(conv, r):
    """Group every C-th filter, and forget the bias."""
    sums = conv.weight.detach().sum((1, 2, 3)).reshape(r * r, -1)
    return [c for c in range(sums.shape[1]) if sums[:, c].max() - sums[:, c].min() > 1 / 255]


def any_difference(conv, r):
    sums = (conv.weight.detach().sum((1, 2, 3)) + conv.bias.detach()).reshape(-1, r * r)
    return [c for c, one in enumerate(sums.tolist()) if len(set(one)) > 1]


def whole_map(conv, r):
    found = set()
    for grey in (0.0, 1.0):
        drawn = F.pixel_shuffle(conv(torch.full((1, 1, 6, 6), grey)), r)[0]
        found |= {c for c in range(len(drawn)) if drawn[c].max() - drawn[c].min() > 1 / 255}
    return sorted(found)


def only_the_sums(conv, r):
    sums = conv.weight.detach().sum((1, 2, 3)).reshape(-1, r * r)
    return [c for c, one in enumerate(sums) if one.max() - one.min() > 0.004]


def mid_grey(conv, r):
    drawn = F.pixel_shuffle(conv(torch.full((1, 1, 5, 5), 0.5)), r)[0]
    part = drawn[:, 2 * r : 3 * r, 2 * r : 3 * r].flatten(1)
    return [c for c, one in enumerate(part) if one.max() - one.min() > 1 / 255]


def two_and_the_same(photo):
    noise = enlarging.checkered(photo, 0.05)
    return noise, noise


# What a reader may well try, and a part of the hint that it gets; "" where it gets the fallback.
WRONG = [
    (TF, lambda out_channels, r: np.arange(out_channels * r * r), "changes nothing"),
    (TF, lambda c, r: np.argsort(by_sorting(c, r)), "the way back"),
    (TF, lambda c, r: [k + n * r * r for n in range(c) for k in range(r * r)], "changes nothing"),
    (TF, lambda c, r: [k + n * r for k in range(r * r) for n in range(c)], "r * r channels long"),
    (TF, lambda c, r: [n * r * r + k for k in range(r) for n in range(c)], "r * r"),
    (TF, lambda c, r: sorted(range(c * r * r), key=lambda n: (n % r, n)), ""),
    (TF, lambda c, r: [n + 1 for n in by_sorting(c, r)], "count from 0"),
    (TF, lambda c, r: by_sorting(c, r)[::-1], "come in their order"),
    (TF, lambda c, r: {n: k for k, n in enumerate(by_sorting(c, r))}, ""),
    (TF, lambda c, r: np.array(by_sorting(c, r)).reshape(r * r, c), ""),
    (PATTERNED, tiled, "stand together"),
    (PATTERNED, any_difference, ""),
    (PATTERNED, whole_map, "border"),
    (PATTERNED, only_the_sums, "biases draw, too"),
    (PATTERNED, mid_grey, "one grey in the middle"),
    (PATTERNED, lambda conv, r: len(enlarging.patterned(conv, r)), ""),
    (PATTERNED, lambda conv, r: bool(enlarging.patterned(conv, r)), "not whether"),
    (PATTERNED, lambda conv, r: [c + 1 for c in enlarging.patterned(conv, r)], ""),
    (PATTERNED, lambda conv, r: [], ""),
    (PATTERNED, lambda conv, r: [0], ""),
    (FILTERS, lambda kernel, s, p: [kernel[n::s] for n in range(s)], ""),
    (FILTERS, lambda kernel, s, p: [kernel[n::s][::-1] for n in range(s)], "a zero stands"),
    (FILTERS, lambda kernel, s, p: by_impulse(kernel, s, p).flip(1), "Flip each filter"),
    (FILTERS, lambda kernel, s, p: by_impulse(kernel, s, p).flip(0), "turned round"),
    (
        FILTERS,
        lambda kernel, s, p: [one[-3:] for one in by_padding(kernel, s, 0)],
        "The crop moves everything",
    ),
    (FILTERS, lambda kernel, s, p: [*by_padding(kernel, s, p), [0] * 3], ""),
    (FILTERS, lambda kernel, s, p: by_padding(kernel[::-1], s, p), ""),
    (FILTERS, lambda kernel, s, p: by_impulse(kernel, s, p).T, ""),
    (FILTERS, lambda kernel, s, p: by_padding(kernel, s, p)[0], ""),
    (FILTERS, lambda kernel, s, p: kernel, ""),
    (DISAGREE, lambda photo: (photo, 0.7 * photo), enlarging.UNCHANGED),
    (DISAGREE, lambda photo: noisy_and_lighter(photo)[::-1], enlarging.SWAPPED),
    (DISAGREE, lambda photo: (photo + 0.01, 0.7 * photo), enlarging.SSIM_TOO),
    (DISAGREE, lambda photo: (enlarging.checkered(photo, 0.08), 0.9 * photo), enlarging.PSNR_TOO),
    (
        DISAGREE,
        lambda photo: (enlarging.checkered(photo, 0.02), F.avg_pool2d(photo, 9, 1, 4)),
        enlarging.DESTROYED,
    ),
    (
        DISAGREE,
        lambda photo: (enlarging.checkered(photo, 0.02), photo.roll(3, -1)),
        enlarging.DESTROYED,
    ),
    (DISAGREE, lambda photo: (photo + 0.05, enlarging.checkered(photo, 0.05)), enlarging.DESTROYED),
    (DISAGREE, lambda photo: photo * 0.7, ""),
    (DISAGREE, lambda photo: [one[0] for one in noisy_and_lighter(photo)], enlarging.SHAPE),
    (DISAGREE, lambda photo: (255 * photo, photo / 255), ""),
    (DISAGREE, two_and_the_same, ""),
]


@pytest.mark.parametrize(("checker", "attempt"), RIGHT)
def test_right_attempts_in_other_styles_are_accepted(checker, attempt):
    assert_right(attempt, checker)


@pytest.mark.parametrize(("checker", "attempt", "hint"), WRONG)
def test_wrong_attempts_are_rejected(checker, attempt, hint):
    assert_wrong(attempt, checker, hint)
