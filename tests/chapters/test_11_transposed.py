"""Chapter 11, Transposed: its quiz answers, its exercises' right answers, and its identities."""

import ast
import math
from fractions import Fraction
from itertools import chain

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from convbook.analysis import trace
from convbook.arithmetic import conv_output_size, conv_transpose_output_size
from convbook.course import runs
from convbook.course.checks import transposed as exercises
from convbook.course.experiments.checkerboard import (
    UPSAMPLERS,
    checkerboard_std,
    decoder,
    nyquist_power,
    response_to_constant,
    thumbnails,
    train,
)
from convbook.course.mime_types import DATA
from convbook.nn import ResizeConv2d
from tests.helpers.attempts import (
    assert_right,
    assert_wrong,
)
from tools import notebooks

DOUBLE = torch.float64


def opening_question():
    """Which of the decoders draws a pattern before it has learnt or seen anything?"""
    torch.manual_seed(0)
    greys = torch.zeros(1)
    patterns = {}
    for kind in UPSAMPLERS:
        drawn = response_to_constant(decoder(kind).double(), greys.double())
        patterns[kind] = drawn.std(dim=(-2, -1)).max().item()
    assert patterns["resize"] < 1e-9
    assert min(patterns["kernel 3"], patterns["kernel 4"]) > 1e-3
    return "from the way in which they make a map larger"


def overlap():
    ones = torch.ones(1, 1, 9, 9)
    inside = F.conv_transpose2d(ones, torch.ones(1, 1, 3, 3), stride=2)[..., 2:-2, 2:-2]
    counts = [str(int(count)) for count in inside.unique()]
    if len(counts) == 1:
        return f"{counts[0]} on each pixel"
    return f"{', '.join(counts[:-1])} or {counts[-1]}, depending on the pixel"


def way_back():
    small = conv_output_size(28, 3, stride=2, padding=1)
    assert small == 14
    (answer,) = (a for a in range(2) if conv_transpose_output_size(14, 3, 2, 1, a) == 28)
    with pytest.raises(RuntimeError, match="output padding"):
        F.conv_transpose1d(torch.ones(1, 1, 14), torch.ones(1, 1, 3), None, 2, 1, 2)
    return str(answer)


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "way-back": way_back,
    "overlap": overlap,
}


# ------------------------------------------------------------------------------------ exercises


def test_transposed_row_is_pytorchs():
    for case in exercises.check_transposed_row.cases:
        numbers, kernel, *settings = case.values()
        tensors = (torch.tensor(values).double()[None, None] for values in (numbers, kernel))
        expected = F.conv_transpose1d(*tensors, None, *settings)[0, 0].tolist()
        assert exercises.transposed_row(**case) == expected
    assert exercises.transposed_row([1, 2, 3], [1, 10, 100], 2, 1, 1) == [10, 102, 20, 203, 30, 300]


def inside_a_stack(layers):
    """Return what a row of ones becomes with kernels of ones, over a period in its middle."""
    row, period = torch.ones(1, 1, 40), 1
    for kernel_size, stride in layers:
        row = F.conv_transpose1d(row, torch.ones(1, 1, kernel_size), stride=stride)
        period *= stride
    middle = row.shape[2] // 2
    return row[0, 0, middle : middle + period]


def test_coats_are_what_kernels_of_ones_count():
    for case in exercises.check_coats.cases:
        inside = inside_a_stack(**case)
        assert exercises.coats(**case) == [inside.min(), inside.max()]
    assert exercises.coats([(3, 2)]) == [1, 2]
    assert exercises.coats([(3, 2), (3, 2)]) == [1, 3]
    assert exercises.coats([(4, 2), (3, 2)]) != exercises.coats([(3, 2), (4, 2)]) == [3, 3]


def matrix_of(layer, shape):
    """Return the matrix of a linear layer, one column for each pixel."""
    columns = torch.eye(torch.Size(shape).numel(), dtype=DOUBLE).reshape(-1, 1, *shape)
    return torch.stack([layer(column).flatten() for column in columns.split(1)], dim=1)


def is_linear(layer, shape):
    """Return whether sums and multiples go through the layer, on maps with both signs."""
    torch.manual_seed(0)
    one, other = torch.randn(2, 1, 1, *shape, dtype=DOUBLE)
    return torch.allclose(layer(one - 3 * other), layer(one) - 3 * layer(other))


class TestIsTranspose:
    @pytest.mark.parametrize("case", exercises.check_is_transpose.cases)
    def test_it_says_what_the_matrices_say(self, case):
        small, large, size = case.values()
        shape = size, size
        below = tuple(small(torch.zeros(1, 1, *shape)).shape[2:])
        back = tuple(large(torch.zeros(1, 1, *below)).shape[2:])
        fits = (
            back == shape
            and is_linear(small, shape)
            and is_linear(large, below)
            and torch.allclose(matrix_of(large, below), matrix_of(small, shape).T)
        )
        assert exercises.check_is_transpose.reference(**case) == fits

    def test_each_verdict_is_asked_for_often(self):
        check = exercises.check_is_transpose
        verdicts = [check.reference(**case) for case in check.cases]
        assert min(verdicts.count(True), verdicts.count(False)) >= 12

    @pytest.mark.parametrize("case", exercises.check_is_transpose.cases)
    def test_what_is_shown_can_be_pasted_into_a_cell(self, case):
        """With the chapter's imports and its kernel."""
        kernel = torch.tensor([[[[2, 0, 1], [1, 0, 0], [0, 1, 1]]]]).double()
        small, large, size = case.values()
        x = torch.arange(size**2).reshape(1, 1, size, size).double() - 7
        for layer in (small, large):
            assert repr(layer) == ast.unparse(ast.parse(repr(layer)))
            pasted = eval(repr(layer), {"torch": torch, "F": F, "kernel": kernel})
            assert torch.equal(pasted(x), layer(x))
            assert torch.equal(layer(x.long()), layer(x))
            assert layer(x.float()).dtype == torch.float32
            x = layer(x).round()


def flat_row_grown(weights, stride):
    """Return a row of ones grown with these weights, away from its ends."""
    taps = torch.tensor(weights, dtype=DOUBLE)[None, None]
    grown = F.conv_transpose1d(torch.ones(1, 1, 20, dtype=DOUBLE), taps, stride=stride)[0, 0]
    return grown[len(weights) : -len(weights)]


def test_even_kernel_leaves_a_flat_row_flat():
    for case in exercises.check_even_kernel.cases:
        weights = exercises.even_kernel(**case)
        grown = flat_row_grown(weights, case["stride"])
        assert len(grown) > case["stride"]
        assert torch.allclose(grown, torch.ones_like(grown))


@given(st.integers(1, 8), st.data())
def test_an_even_kernel_is_accepted_if_and_only_if_flat_stays_flat(kernel_size, data):
    stride = data.draw(st.integers(1, kernel_size))
    weights = data.draw(st.lists(st.integers(1, 9), min_size=kernel_size, max_size=kernel_size))
    even = [w / sum(weights[tap % stride :: stride]) for tap, w in enumerate(weights)]
    for answer in (weights, even):
        grown = flat_row_grown(answer, stride)
        flat = torch.allclose(grown, torch.ones_like(grown))
        assert exercises.is_even_kernel(answer, kernel_size, stride) == flat
    assert not exercises.is_even_kernel([*even, 1e-9], kernel_size, stride)
    assert exercises.is_even_kernel(even, kernel_size, stride)


# ----------------------------------------------------------------------------------- identities


def settings(largest_kernel=4):
    """Draw kernel size, stride, padding, dilation, output padding and groups."""

    @st.composite
    def drawn(draw):
        kernel = draw(st.tuples(*[st.integers(1, largest_kernel)] * 2))
        stride, padding, dilation = (draw(st.integers(low, 3)) for low in (1, 0, 1))
        extra = draw(st.integers(0, max(stride, dilation) - 1))
        return kernel, stride, padding, dilation, extra, draw(st.integers(1, 2))

    return drawn()


def tensors(kernel, groups, size):
    """Return maps of a transposed convolution's input size and its weight, in float64."""
    torch.manual_seed(0)
    x = torch.randn(2, 2 * groups, *size, dtype=DOUBLE, requires_grad=True)
    weight = torch.randn(2 * groups, 3, *kernel, dtype=DOUBLE, requires_grad=True)
    return x, weight


def large_size(size, kernel, stride, padding, dilation, extra):
    """Return the size that comes out, or None where nothing would be left."""
    full = [
        (n - 1) * stride + dilation * (k - 1) + 1 + extra - 2 * padding
        for n, k in zip(size, kernel, strict=True)
    ]
    return None if min(full) < 1 else full


sizes = st.tuples(st.integers(1, 5), st.integers(1, 5))


@given(settings(), sizes)
def test_it_is_the_adjoint_of_the_convolution(drawn, size):
    """<Cx, y> = <x, C'y>, and each is the other's gradient."""
    kernel, stride, padding, dilation, extra, groups = drawn
    if not (large := large_size(size, kernel, stride, padding, dilation, extra)):
        return
    y, weight = tensors(kernel, groups, size)
    window = {"stride": stride, "padding": padding, "groups": groups, "dilation": dilation}
    up = F.conv_transpose2d(y, weight, output_padding=extra, **window)
    assert list(up.shape[2:]) == large
    x = torch.randn(up.shape, dtype=DOUBLE, requires_grad=True)
    # An output padding of a stride or more, which a large dilation allows, adds a window.
    down = F.conv2d(x, weight, **window)[..., : size[0], : size[1]]
    assert torch.allclose((down * y).sum(), (x * up).sum())
    (through_conv,) = torch.autograd.grad(down, x, y.detach())
    assert torch.allclose(through_conv, up)
    (through_transposed,) = torch.autograd.grad(up, y, x.detach())
    assert torch.allclose(through_transposed, down)


@given(settings(), sizes)
def test_it_is_a_convolution_of_spread_and_padded_pixels(drawn, size):
    """Forward and both gradients, with the kernel turned and its channels exchanged."""
    kernel, stride, padding, dilation, extra, _ = drawn
    if not large_size(size, kernel, stride, padding, dilation, extra):
        return
    x, weight = tensors(kernel, 1, size)
    direct = F.conv_transpose2d(x, weight, None, stride, padding, extra, dilation=dilation)
    wide = x.new_zeros(*x.shape[:2], *((n - 1) * stride + 1 for n in size))
    wide[..., ::stride, ::stride] = x
    before = [dilation * (k - 1) - padding for k in kernel]
    sides = before[1], before[1] + extra, before[0], before[0] + extra
    turned = weight.flip(-2, -1).transpose(0, 1)
    ordinary = F.conv2d(F.pad(wide, sides), turned, dilation=dilation)
    assert torch.allclose(ordinary, direct)
    gradients = [torch.autograd.grad((y**2).sum(), (x, weight)) for y in (direct, ordinary)]
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other)


@given(settings(), st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_gradient_of_the_weight_exchanges_stride_and_dilation(drawn, size):
    kernel, stride, padding, dilation, _, _ = drawn
    spans = [dilation * (k - 1) + 1 for k in kernel]
    if any(n + 2 * padding < span for n, span in zip(size, spans, strict=True)):
        return
    torch.manual_seed(0)
    x = torch.randn(2, 3, *size, dtype=DOUBLE)
    weight = torch.randn(4, 3, *kernel, dtype=DOUBLE, requires_grad=True)
    y = F.conv2d(x, weight, None, stride, padding, dilation)
    g = torch.randn(y.shape, dtype=DOUBLE)
    (gradient,) = torch.autograd.grad(y, weight, g)
    # Channels take the place of the batch: what is summed over is the first axis of both.
    exchanged = F.conv2d(
        x.transpose(0, 1), g.transpose(0, 1), None, dilation, padding, dilation=stride
    )
    exchanged = exchanged.transpose(0, 1)[..., : kernel[0], : kernel[1]]
    assert torch.allclose(exchanged, gradient)


@given(settings(), st.integers(2, 6))
def test_output_padding_crops_less(drawn, size):
    """What lies beyond the last stamp holds the bias alone."""
    (kernel, _), stride, padding, dilation, extra, _ = drawn
    if not large_size((size,), (kernel,), stride, padding, dilation, extra):
        return
    torch.manual_seed(0)
    x, weight = torch.randn(1, 1, size, dtype=DOUBLE), torch.randn(1, 1, kernel, dtype=DOUBLE)
    bias = torch.tensor([7.0], dtype=DOUBLE)
    full = F.conv_transpose1d(x, weight, None, stride, dilation=dilation)
    out = F.conv_transpose1d(x, weight, bias, stride, padding, extra, dilation=dilation)
    assert torch.allclose(out, F.pad(full, (-padding, extra - padding)) + bias)


@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3))
def test_resizing_first_is_a_transposed_convolution_with_equal_sums(k, scale, c_in, c_out):
    """For an odd kernel: kernel k + s - 1, stride s, padding (k - 1) / 2."""
    k += 1 - k % 2
    torch.manual_seed(0)
    layer = ResizeConv2d(c_in, c_out, k, scale_factor=scale).double()
    x = torch.randn(2, c_in, 3, 4, dtype=DOUBLE, requires_grad=True)
    turned = layer.conv.weight.flip(-2, -1).reshape(-1, 1, k, k)
    tied = F.conv_transpose2d(turned, torch.ones(1, 1, scale, scale, dtype=DOUBLE))
    tied = tied.reshape(c_out, c_in, *tied.shape[2:]).transpose(0, 1)
    as_stamps = F.conv_transpose2d(x, tied, layer.conv.bias, scale, padding=k // 2)
    assert torch.allclose(as_stamps, layer(x))
    gradients = [
        torch.autograd.grad((y**2).sum(), (x, layer.conv.weight)) for y in (as_stamps, layer(x))
    ]
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other)
    sums = [tied[..., i::scale, j::scale].sum((-2, -1)) for i in range(scale) for j in range(scale)]
    for one in sums[1:]:
        assert torch.allclose(one, sums[0])


# ------------------------------------------------------------------------------------- decoders


class TestDecoders:
    """The recorded contest is fair, and its measures measure what they say."""

    @pytest.mark.parametrize("kind", UPSAMPLERS)
    def test_each_enlarges_four_times(self, kind):
        assert decoder(kind)(torch.zeros(2, 3, 5, 8)).shape == (2, 3, 20, 32)

    @pytest.mark.parametrize("kind", UPSAMPLERS)
    def test_only_the_doublings_differ(self, kind):
        torch.manual_seed(0)
        first = decoder(kind)[0].weight
        torch.manual_seed(0)
        assert torch.equal(first, decoder("resize")[0].weight)

    @pytest.mark.parametrize("kind", UPSAMPLERS)
    def test_the_pattern_on_flat_grey_repeats_every_four_pixels(self, kind):
        torch.manual_seed(0)
        flat = response_to_constant(decoder(kind).double(), torch.tensor([0.3], dtype=DOUBLE))
        assert torch.allclose(flat[..., 4:, 4:], flat[..., :-4, :-4])

    def test_resizing_alone_is_even_with_any_weights(self):
        torch.manual_seed(0)
        for kind in UPSAMPLERS:
            uneven = checkerboard_std(decoder(kind).double())
            assert uneven < 1e-12 if kind == "resize" else uneven > 0.005

    def test_checkerboard_std_is_that_of_a_known_pattern(self):
        """Stamps of ones with kernel 3 and stride 2 on grey g: g, 2g, 2g and 4g."""
        grow = nn.ConvTranspose2d(3, 3, 3, 2, 1, output_padding=1, groups=3, bias=False).double()
        nn.init.ones_(grow.weight)
        repeat = nn.Upsample(scale_factor=2)
        greys = torch.linspace(-0.8, 0.8, 9, dtype=DOUBLE)
        spread = torch.tensor([1.0, 2, 2, 4], dtype=DOUBLE).var(correction=0)
        expected = (greys.square().mean() * spread).sqrt().item()
        assert checkerboard_std(nn.Sequential(grow, repeat)) == pytest.approx(expected)

    def test_nyquist_power_of_known_pictures(self):
        ramp = torch.arange(24.0)
        alternating = (-1.0) ** ramp
        slow = (-1.0) ** (ramp // 2)
        assert nyquist_power(alternating.expand(1, 1, 24, 24)) == pytest.approx(1)
        assert nyquist_power(alternating[:, None].expand(1, 1, 24, 24)) == pytest.approx(1)
        assert nyquist_power(slow.expand(1, 1, 24, 24)) == pytest.approx(0, abs=1e-9)
        both = 3 + 2 * alternating + slow
        assert nyquist_power(both.expand(2, 3, 24, 24)) == pytest.approx(0.8)

    def test_training_draws_better_and_the_same_twice(self):
        pictures = torch.randn(16, 3, 8, 8).clamp(-1, 1)
        ends, errors = [], []
        for _ in range(2):
            torch.manual_seed(0)
            model = decoder("kernel 4", width=4)
            with torch.no_grad():
                errors.append(F.mse_loss(model(thumbnails(pictures)), pictures).item())
            ends.append(train(model, pictures, steps=60, seed=1))
        assert ends[0] == ends[1] < errors[0]

    @pytest.mark.parametrize(
        ("function", "message"),
        [
            (lambda: decoder("kernel 5"), "kind='kernel 5'"),
            (lambda: decoder("resize", width=0), "width=0"),
            (lambda: train(decoder("resize"), torch.zeros(1, 3, 8, 8), steps=5), "steps=5"),
            (
                lambda: train(decoder("resize"), torch.zeros(1, 3, 8, 8), 10, batch_size=0),
                "batch_size=0",
            ),
        ],
    )
    def test_refusals(self, function, message):
        with pytest.raises(ValueError, match=message):
            function()


# ------------------------------------------------------------------------------ what the text says

NOTEBOOK = notebooks.read(notebooks.CHAPTERS / "11_transposed.ipynb")
WORDS = dict(
    enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    )
) | {12: "twelve", 15: "fifteen", 16: "sixteen"}


def text():
    """Return everything that a reader reads but code and outputs."""
    captions = [
        part.get(name, "")
        for cell in NOTEBOOK.cells
        for part in cell.metadata.get("mystnb", {}).values()
        for name in ("caption", "alt")
    ]
    markdown = [cell.source for cell in NOTEBOOK.cells if cell.cell_type == "markdown"]
    return "\n".join(markdown + captions)


def drawn(*names):
    """Return the numbers of the drawing that has these rows or curves."""
    for cell in NOTEBOOK.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {}).get(DATA, {})
            rows = data.get("rows", data.get("curves", {}))
            if set(names) <= set(rows):
                return rows
    raise AssertionError(f"no drawing has {names}")


def figure(word):
    """Return the data of the one drawing of curves over distances or steps."""
    (data,) = (
        output.data[DATA]
        for cell in NOTEBOOK.cells
        for output in cell.get("outputs", [])
        if cell.cell_type == "code"
        and DATA in output.get("data", {})
        and {"distance": "far", "steps": "LOOK"}[word] in cell.source
        and "lines(" in cell.source
    )
    return data


def recorded_levels(kind):
    """Return the unevenness before and after training, in grey levels, of all seeds."""
    decoders = runs.load("11_transposed")["decoders"]
    (one,) = (one for one in decoders if one["kind"] == kind)
    pairs = [[r[when]["unevenness"] for when in ("before", "after")] for r in one["runs"]]
    return [[127.5 * level for level in pair] for pair in pairs]


def between(numbers, digits=0):
    numbers = list(numbers)
    return f"{min(numbers):.{digits}f}", f"{max(numbers):.{digits}f}"


class TestTheText:
    """Numbers that stand in sentences are worked out anew."""

    def assert_said(self, *sentences):
        for sentence in sentences:
            assert sentence in text()

    def test_sizes_and_sums(self):
        x, kernel = torch.tensor([[1.0, 2, 3]]), torch.tensor([[[1.0, 10, 100]]])
        row = F.conv_transpose1d(x, kernel, stride=2)[0].int().tolist()
        x = torch.tensor([[[1.0, 2], [3, 4]]])
        kernel = torch.tensor([[[[2.0, 0, 1], [1, 0, 0], [0, 1, 1]]]])
        middle = int(F.conv_transpose2d(x, kernel, stride=2)[0, 2, 2])
        sizes = [conv_transpose_output_size(8, 4, 2, padding) for padding in range(3)]
        small = {conv_output_size(i, 5, 3, 2) for i in (16, 17, 18)}
        self.assert_said(
            f"{WORDS[len(row)].title()}. The third is {row[2]},",
            f"{WORDS[middle].title()}. Each stamp touches the middle",
            f"cover 7 · 2 + 4 = {sizes[0]} pixels",
            "on each side: {}, {}, {}.".format(*sizes),
            f"16, 17 and 18 all become {small.pop()}, and 6 becomes "
            f"{conv_transpose_output_size(6, 5, 3, 2)}.",
        )
        assert not small

    def test_counts(self):
        stacks = [inside_a_stack([(3, 2)] * n) for n in range(1, 6)]
        ratios = [int(one.max() / one.min()) for one in stacks]
        two = torch.outer(stacks[1], stacks[1])
        repeats = next(n for n in (1, 2, 4, 8) if torch.equal(two, two.roll(n, 1)))
        low, high = between(two.flatten().tolist())
        self.assert_said(
            f"from {low} to {high}, and it repeats every {WORDS[repeats]} pixels",
            "Fibonacci numbers, {}, {}, {}, {}, {}.".format(*ratios),
        )

    def test_the_gradients_kinds(self):
        rows = drawn("kernel 3, unrelated")
        unrelated, squares, even = (
            between(rows[name], 1)
            for name in ("kernel 3, unrelated", "kernel 3, this loss", "kernel 4, this loss")
        )
        self.assert_said(
            "With unrelated gradients the ratio lies between {} and {},".format(*unrelated),
            "partly agree, between {} and {}, depending on the draw".format(*squares),
            "unrelated gradients arriving: {} to {}. Kernel 3 with this loss: {} to {}. Kernel 4 "
            "with this loss: {} to {}.".format(*unrelated, *squares, *even),
        )
        assert float(even[0]) < 1 < float(even[1])  # sometimes A is ahead and sometimes D

    def test_what_the_patterns_are_made_of(self):
        (table,) = (
            output.data["text/plain"]
            for cell in NOTEBOOK.cells
            for output in cell.get("outputs", [])
            if "equal weights" in output.get("data", {}).get("text/plain", "")
        )
        three, four = ([float(n) for n in line.split()[2:]] for line in table.splitlines()[2:])
        assert three[1] == four[1] == four[2] == 0
        assert 0.16 < three[2] / three[0] < 0.24
        self.assert_said("nothing of kernel 4's pattern is left, and of kernel 3's about a fifth")

    def test_the_recorded_runs(self):
        three, four = recorded_levels("kernel 3"), recorded_levels("kernel 4")
        ratios = [before / after for before, after in three + four]
        weaker = [ratio for ratio in ratios if ratio > 1]
        assert len(ratios) - len(weaker) == 1
        assert min(ratios) > 0.8
        run = runs.load("11_transposed")
        ranges = [between(one, 1) for pairs in (three, four) for one in zip(*pairs, strict=True)]
        levels = [between(one) for one in zip(*three, *four, strict=True)]
        before, after = ([WORDS[int(level)] for level in one] for one in levels)
        self.assert_said(
            f"recorded: {WORDS[len(run['seeds'])]} seeds for each decoder, "
            f"{run['config']['steps']:,} steps",
            "about {} to {} grey levels".format(*before),
            "faint pattern of {} to {} grey levels".format(*after),
            f"in all {WORDS[len(ratios)]} runs with stamps",
            f"In {WORDS[len(weaker)]} of the {WORDS[len(ratios)]} runs it has become weaker, by a "
            "factor between "
            "{} and {}, and in one it is a little stronger".format(*between(weaker, 1)),
            "Kernel 3 before training: {} to {}; after: {} to {}. Kernel 4 before: {} to {}; "
            "after: {} to {}.".format(*chain(*ranges)),
        )
        assert max(max(pair) for pair in recorded_levels("resize")) < 0.01
        errors = [[r["after"]["error"] for r in one["runs"]] for one in run["decoders"]]
        for of_one_seed in zip(*errors, strict=True):
            assert of_one_seed[1] == min(of_one_seed) > 0.97 * max(of_one_seed)

    def test_strong_colours(self):
        data = figure("distance")
        curves = list(data["curves"].values())
        assert len(curves) == 5
        for curve in curves:
            assert curve == sorted(curve)
            assert 1.7 < curve[-1] / curve[0] < 2.4  # about twice as strong
        near, far = (between(curve[end] for curve in curves) for end in (0, -1))
        self.assert_said(
            f"from {data['x'][0]} to {data['x'][-1]} grey levels. Each rises",
            "to between {} and {}.".format(*far),
        )
        assert (float(near[0]), float(near[1])) == (5, 13)

    def test_worse_before_it_is_better(self):
        data = figure("steps")
        starts, peaks, ends = [], [], []
        for curve in data["curves"].values():
            assert max(curve[:2]) == curve[1] > 2.5 * curve[0]
            assert 1.5 * curve[0] < curve[-1] < max(curve)
            assert max(curve) in curve[:4]  # within twenty steps
            starts.append(curve[0])
            peaks.append(max(curve))
            ends.append(curve[-1])
        ranges = chain(*(between(numbers) for numbers in (starts, peaks, ends)))
        self.assert_said(
            "between {} and {} grey levels before training to between {} and {} within the first "
            "twenty steps, and ends, not always by the straight way, between {} and {}.".format(
                *ranges
            )
        )


def test_recorded_decoders_are_those_of_the_package():
    run = runs.load("11_transposed")
    assert [one["kind"] for one in run["decoders"]] == list(UPSAMPLERS)
    for one in run["decoders"]:
        table = trace(decoder(one["kind"]), (3, 8, 8))
        assert (one["params"], one["macs"]) == (table.params, table.macs)
        assert [r["seed"] for r in one["runs"]] == run["seeds"] == list(range(8))
        for r in one["runs"]:
            period = torch.tensor(r["after"]["period"])
            assert (period.std() > 0.001) == (one["kind"] != "resize")


def test_output_padding_can_keep_a_gap_without_a_stamp():
    """Where the kernel leaves gaps, at most `padding` more numbers may hold the bias alone."""
    row, bias = torch.ones(1, 3).double(), torch.tensor([7.0]).double()
    for k, s, p, d, a in [(1, 3, 2, 1, 2), (2, 4, 3, 3, 2)]:
        taps = torch.ones(1, 1, k).double()
        out = F.conv_transpose1d(row, taps, bias, s, p, a, dilation=d)[0]
        assert out[-a] == 7  # the first number that output_padding keeps


# ------------------------------------------------------------------------------------ attempts


def spread(numbers, stride):
    row = np.zeros((len(numbers) - 1) * stride + 1)
    row[::stride] = numbers
    return row


def by_numpy(numbers, kernel, stride, padding, output_padding, slide=np.convolve):
    row = np.append(slide(spread(numbers, stride), kernel, "full"), [0] * output_padding)
    return row[padding : len(row) - padding]


def cropped(keep):
    """Return an attempt at exercise 1 that keeps a slice of the stamps."""

    def attempt(numbers, kernel, stride, padding, output_padding):
        return np.convolve(spread(numbers, stride), kernel)[keep(padding, output_padding)]

    return attempt


def resized(numbers, kernel, stride, padding, output_padding):
    """Repeat each number where it should stand alone."""
    row = np.append(np.convolve(np.repeat(numbers, stride), kernel), [0] * output_padding)
    return row[padding : len(row) - padding]


def grown_row(layers, length=60):
    row = np.ones(length)
    for kernel_size, stride in layers:
        row = np.convolve(spread(row, stride), np.ones(kernel_size))
    return row


def coats_of_a_long_row(layers):
    row, period = grown_row(layers), np.prod([stride for _, stride in layers])
    middle = row[len(row) // 2 :][:period].round().astype(int)
    return middle.min(), middle.max()


def coats_by_asking(layers):
    """Ask, from the last layer back, which pixels a pixel hears from."""

    def heard(pixel, layers):
        if not layers:
            return 1
        *before, (kernel_size, stride) = layers
        taps = range(pixel % stride, kernel_size, stride)
        return sum(heard((pixel - tap) // stride, before) for tap in taps)

    return [pick(heard(pixel, layers) for pixel in range(200)) for pick in (min, max)]


def coats_of_tensors(layers):
    inside = inside_a_stack(layers)
    return torch.stack([inside.min(), inside.max()])


def overlaps(layers):
    return [np.bincount(np.arange(k) % s, minlength=s) for k, s in layers]


def by_draws(draw, same, checks_shape=True):
    """Return an attempt at exercise 3: compare the brackets of three draws."""

    def attempt(small, large, size):
        torch.manual_seed(size)
        for _ in range(3):
            x = draw(1, 1, size, size)
            y = draw(*small(x).shape)
            if checks_shape and large(y).shape != x.shape:
                return False
            if not (verdict := same((small(x) * y).sum(), (x * large(y)).sum())):
                break
        return verdict

    return attempt


def whole(*shape):
    return torch.randint(-99, 100, shape)


def randn_double(*shape):
    return torch.randn(shape, dtype=DOUBLE)


def dot_in_numpy(small, large, size):
    random = np.random.default_rng(1)
    x = random.normal(size=(1, 1, size, size))
    below = small(torch.from_numpy(x)).numpy()
    y = random.normal(size=below.shape)
    back = large(torch.from_numpy(y)).numpy()
    return back.shape == x.shape and np.isclose(np.vdot(below, y), np.vdot(x, back))


def by_matrices(small, large, size, signs=(1, -1)):
    """Light one pixel at a time, with both signs, and compare the two matrices."""
    x = torch.zeros(1, 1, size, size)
    y = torch.zeros_like(small(x))
    if large(y).shape != x.shape:
        return False
    for sign in signs:
        down = matrix_of(lambda x, sign=sign: sign * small(sign * x), x.shape[2:])
        up = matrix_of(lambda y, sign=sign: sign * large(sign * y), y.shape[2:])
        if not torch.allclose(down, up.T):
            return False
    return True


def by_gradient(small, large, size, checks_zero=True):
    x = torch.randn(1, 1, size, size).double().requires_grad_()
    below = small(x)
    y = torch.randn(below.shape).double()
    (gradient,) = torch.autograd.grad(below, x, y)
    if checks_zero and small(torch.zeros(x.shape)).any():
        return False
    back = large(y)
    return back.shape == x.shape and torch.allclose(back, gradient)


def shared(weight):
    """Return an attempt at exercise 4: any weights, divided by the sum of those that meet."""

    def attempt(kernel_size, stride):
        taps = [weight(tap, kernel_size) for tap in range(kernel_size)]
        return [one / sum(taps[tap % stride :: stride]) for tap, one in enumerate(taps)]

    return attempt


def resized_then_blurred(kernel_size, stride):
    """Repeat each pixel `stride` times, then take means: flat stays flat, whatever the stride."""
    width = kernel_size - stride + 1
    return np.convolve(np.ones(stride), np.ones(width) / width)


def the_rest(kernel_size, stride):
    """Give all but the first tap of each kind next to nothing."""
    taps = torch.full((kernel_size,), 0.001)
    for first in range(stride):
        taps[first] = 1 - taps[first + stride :: stride].sum()
    return taps


RIGHT = [
    (exercises.check_transposed_row, by_numpy),
    (
        exercises.check_transposed_row,
        lambda numbers, kernel, stride, padding, output_padding: F.conv_transpose1d(
            *(torch.tensor(values).float()[None, None] for values in (numbers, kernel)),
            stride=stride,
            padding=padding,
            output_padding=output_padding,
        ).flatten(),
    ),
    (exercises.check_coats, coats_of_a_long_row),
    (exercises.check_coats, coats_by_asking),
    (exercises.check_coats, coats_of_tensors),
    (exercises.check_is_transpose, by_draws(whole, lambda one, other: one == other)),
    (exercises.check_is_transpose, by_draws(randn_double, torch.isclose)),
    (exercises.check_is_transpose, by_draws(randn_double, math.isclose)),
    (
        exercises.check_is_transpose,
        by_draws(torch.randn, lambda one, other: int(abs(one - other) < 1e-3)),
    ),
    (exercises.check_is_transpose, dot_in_numpy),
    (exercises.check_is_transpose, by_matrices),
    (exercises.check_is_transpose, by_gradient),
    (exercises.check_even_kernel, shared(lambda tap, k: Fraction(1))),
    (exercises.check_even_kernel, shared(lambda tap, k: torch.tensor(tap + 1.0))),
    (exercises.check_even_kernel, shared(lambda tap, k: np.exp(-((tap - k / 2) ** 2)))),
    (exercises.check_even_kernel, resized_then_blurred),
    (exercises.check_even_kernel, the_rest),
    (exercises.check_even_kernel, lambda k, s: tuple(shared(lambda tap, k: k + tap % 3)(k, s))),
]

WRONG = [
    (
        exercises.check_transposed_row,
        cropped(lambda p, a: slice(p, -p + a)),
        "row[p:-p + a] keeps only a numbers",
    ),
    (
        exercises.check_transposed_row,
        lambda numbers, kernel, stride, padding, output_padding: by_numpy(
            numbers, kernel, stride, 0, output_padding
        )[padding:-padding],
        "row[p:-p] is empty",
    ),
    (exercises.check_transposed_row, cropped(lambda p, a: slice(p, a - p or None)), ""),
    (
        exercises.check_transposed_row,
        lambda numbers, kernel, stride, padding, output_padding: by_numpy(
            numbers, kernel, stride, padding, output_padding, slide=np.correlate
        ),
        "not turned round",
    ),
    (exercises.check_transposed_row, resized, ""),
    (
        exercises.check_coats,
        lambda layers: [
            np.prod([k // s for k, s in layers]),
            np.prod([math.ceil(k / s) for k, s in layers]),
        ],
        "extremes do not simply multiply",
    ),
    (
        exercises.check_coats,
        lambda layers: (grown_row(layers).min(), grown_row(layers).max()),
        "Away from the ends",
    ),
    (exercises.check_coats, lambda layers: coats_of_a_long_row(layers[-1:]), "last layer alone"),
    (exercises.check_coats, lambda layers: coats_by_asking(layers[:1]), "first layer alone"),
    (
        exercises.check_coats,
        lambda layers: coats_of_tensors(list(reversed(layers))),
        "The first layer of the list comes first",
    ),
    (
        exercises.check_coats,
        lambda layers: [sum(map(min, overlaps(layers))), sum(map(max, overlaps(layers)))],
        "what each of them brings is added",
    ),
    (
        exercises.check_coats,
        lambda layers: [math.prod(k for k, _ in layers) / math.prod(s for _, s in layers)] * 2,
        "is the mean count",
    ),
    (
        exercises.check_coats,
        lambda layers: sorted(coats_by_asking(layers), reverse=True),
        "The fewest comes first",
    ),
    (
        exercises.check_coats,
        lambda layers: coats_of_tensors(layers).square(),
        "Along a row, not on a map",
    ),
    (
        exercises.check_coats,
        lambda layers: coats_by_asking([(k, 1) for k, _ in layers]),
        "the row grows",
    ),
    (
        exercises.check_coats,
        lambda layers: coats_by_asking([(layers[-1][0], math.prod(s for _, s in layers))]),
        "grow the row layer by layer",
    ),
    (exercises.check_coats, lambda layers: set(coats_by_asking(layers)), ""),
    (exercises.check_coats, lambda layers: coats_by_asking(layers)[1], ""),
    (
        exercises.check_coats,
        lambda layers: [1 if layers[0] == (3, 2) else 2, 2 ** len(layers)],
        "",
    ),
    (
        exercises.check_is_transpose,
        lambda small, large, size: (
            large(small(torch.zeros(1, 1, size, size))).shape == (1, 1, size, size)
        ),
        "The right shape is only the start",
    ),
    (exercises.check_is_transpose, by_draws(torch.ones, torch.isclose), "Ones cannot tell"),
    (exercises.check_is_transpose, by_draws(torch.rand, torch.isclose), "Draw negative numbers"),
    (
        exercises.check_is_transpose,
        lambda small, large, size: by_matrices(small, large, size, signs=(1,)),
        "Draw negative numbers",
    ),
    (
        exercises.check_is_transpose,
        by_draws(randn_double, torch.isclose, checks_shape=False),
        "First ask whether large(y) has the shape of x",
    ),
    (
        exercises.check_is_transpose,
        lambda small, large, size: torch.isclose(
            (small(x := randn_double(1, 1, size, size)) * (y := torch.randn_like(x))).sum(),
            (x * large(y)).sum(),
        ),
        "y stands on the other side",
    ),
    (
        exercises.check_is_transpose,
        lambda small, large, size: torch.allclose(
            large(small(x := randn_double(1, 1, size, size))), x
        ),
        "whether `large` undoes `small`",
    ),
    (
        exercises.check_is_transpose,
        lambda small, large, size: (
            small(y := small(randn_double(1, 1, size, size))).shape == y.shape
            and torch.allclose(small(large(y)), y)
        ),
        "",
    ),
    (
        exercises.check_is_transpose,
        by_draws(torch.randn, lambda one, other: one == other),
        "Two float32 sums",
    ),
    (
        exercises.check_is_transpose,
        lambda small, large, size: by_gradient(small, large, size, checks_zero=False),
        "The gradient forgets",
    ),
    (exercises.check_is_transpose, lambda small, large, size: True, "two brackets must agree"),
    (
        exercises.check_even_kernel,
        lambda kernel_size, stride: torch.full((kernel_size,), stride / kernel_size),
        "Equal weights do where the stride divides",
    ),
    (exercises.check_even_kernel, lambda k, s: np.ones(k), "Ones count the stamps"),
    (exercises.check_even_kernel, lambda k, s: torch.ones(k) / k, "not to 1"),
    (
        exercises.check_even_kernel,
        lambda k, s: np.bartlett(k + 2)[1:-1] * s / np.bartlett(k + 2).sum(),
        "Falling off to the sides",
    ),
    (
        exercises.check_even_kernel,
        lambda k, s: torch.tensor([1.0] * s + [0.0] * (k - s)),
        "All weights are to be above 0",
    ),
    (exercises.check_even_kernel, shared(lambda tap, k: tap - 0.5), ""),
    (exercises.check_even_kernel, lambda k, s: torch.randn(k).softmax(0) * s, ""),
    (exercises.check_even_kernel, lambda k, s: shared(lambda tap, k: 1)(k, s)[:-1], ""),
    (exercises.check_even_kernel, lambda k, s: [*shared(lambda tap, k: 1)(k, s), 0.5], ""),
    (
        exercises.check_even_kernel,
        lambda k, s: torch.outer(*[torch.tensor(shared(lambda tap, k: 1)(k, s))] * 2),
        "One row of weights is enough",
    ),
    (exercises.check_even_kernel, lambda k, s: map(float, [1 / k] * k), "put list(...) around it"),
]


@pytest.mark.parametrize(("checker", "attempt"), RIGHT)
def test_right_attempts_in_other_styles_are_accepted(checker, attempt):
    assert_right(attempt, checker)


@pytest.mark.parametrize(("checker", "attempt", "hint"), WRONG)
def test_wrong_attempts_are_rejected(checker, attempt, hint):
    assert_wrong(attempt, checker, hint)
