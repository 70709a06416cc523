"""The conventions page: its examples print what it says, and its claims hold.

One test per section, named after the section. What the page says of PyTorch, SciPy, NumPy, Pillow
and of this book is asserted here; what it says of other libraries was tried with them once and is
linked to their documentation.
"""

import ast
import inspect
import re
import warnings
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from scipy import signal
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import ResNet18_Weights
from torchvision.transforms import functional as transforms

from convbook import arithmetic, functional
from convbook.course.photographs import grace_hopper
from convbook.train import TrainConfig
from convbook.train.augment import to_float
from convbook.train.optimisation import make_optimizer

PAGE = (Path(__file__).parents[2] / "chapters/conventions.md").read_text(encoding="utf-8")
PROSE = re.sub(r"^```.*?^```$", "", PAGE, flags=re.MULTILINE | re.DOTALL)
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PROSE, re.MULTILINE | re.DOTALL))

PIXELS = torch.tensor([[[1.0, 2, 3, 4, 5, 6]]])
TAPS = torch.tensor([[[1.0, 10, 100]]])
EVEN = torch.tensor([[[1.0, 10]]])


def numbers(values):
    return torch.as_tensor(values).flatten().tolist()


def test_the_page_has_one_title_and_every_section_its_parts():
    assert len(re.findall(r"^# ", PROSE, re.MULTILINE)) == 1
    assert not re.search(r"^#{3,} ", PROSE, re.MULTILINE)
    for title, text in SECTIONS.items():
        assert text.count("**This book:**") == 1, title
        assert re.search(r"\?\n", text), f"{title} asks no question"
        assert "|---|" in text, f"{title} has no table"


def test_every_section_has_a_test():
    for title in SECTIONS:
        assert f"test_{title.lower().replace(' ', '_')}" in globals()


def test_every_example_prints_its_output():
    names, checked = {}, 0
    for block in re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        lines = block.splitlines()
        for statement in ast.parse(block).body:
            below = "".join(lines[statement.end_lineno : statement.end_lineno + 1])
            if not isinstance(statement, ast.Expr):
                exec(ast.unparse(statement), names)
                continue
            assert below == f"# {eval(ast.unparse(statement), names)!r}"
            checked += 1
    assert checked >= len(SECTIONS)


def test_kernel_flip():
    image, kernel = torch.rand(6, 7).double(), torch.rand(3, 2).double()
    slid = F.conv2d(image[None, None], kernel[None, None])[0, 0].numpy()
    np.testing.assert_allclose(signal.correlate2d(image, kernel, "valid"), slid)
    np.testing.assert_allclose(signal.convolve2d(image, kernel.flip(0, 1), "valid"), slid)
    assert not np.allclose(signal.convolve2d(image, kernel, "valid"), slid)
    flipped = F.conv1d(PIXELS, TAPS.flip(-1))
    assert np.convolve(PIXELS[0, 0], TAPS[0, 0], "valid").tolist() == numbers(flipped)
    ours = functional.conv2d(image[None, None], kernel[None, None])[0, 0]
    np.testing.assert_allclose(ours.numpy(), slid)


def test_dilation():
    assert torch.equal(F.conv1d(PIXELS, TAPS, dilation=1), F.conv1d(PIXELS, TAPS))
    one_hole = torch.tensor([[[1.0, 0, 10, 0, 100]]])
    assert torch.equal(F.conv1d(PIXELS, TAPS, dilation=2), F.conv1d(PIXELS, one_hole))
    assert F.conv1d(PIXELS, TAPS, stride=2, dilation=2).shape[-1] == 1
    for dilation in (1, 2, 3):
        span = dilation * (3 - 1) + 1
        assert arithmetic.conv_output_size(10, 3, dilation=dilation) == 10 - span + 1


def test_padding_amount():
    padded = F.conv1d(PIXELS, TAPS, padding=2)
    assert torch.equal(padded, F.conv1d(F.pad(PIXELS, (2, 2)), TAPS))
    assert arithmetic.conv_output_size(6, 3, padding=2) == padded.shape[-1] == 6 + 2 * 2 - 3 + 1


def test_same_padding():
    for dilation in (1, 2, 3):
        for kernel_size in (1, 2, 3, 4, 5):
            total = dilation * (kernel_size - 1)
            sides = (total // 2, total - total // 2)
            assert arithmetic.same_padding(kernel_size, dilation) == sides
            weight = torch.arange(1.0, kernel_size + 1).reshape(1, 1, -1)
            with warnings.catch_warnings():  # an even kernel may cost a copy, says PyTorch
                warnings.simplefilter("ignore", UserWarning)
                same = F.conv1d(PIXELS, weight, padding="same", dilation=dilation)
            assert torch.equal(same, F.conv1d(F.pad(PIXELS, sides), weight, dilation=dilation))
    with pytest.raises(RuntimeError, match="strided"):
        F.conv1d(PIXELS, TAPS, padding="same", stride=2)
    with pytest.raises(ValueError, match="stride"):
        functional.conv2d(PIXELS[None], TAPS[None], padding="same", stride=2)
    before, after = ([10, 21, 32, 43, 54, 65], [21, 32, 43, 54, 65, 6])
    image, kernel = PIXELS[0], EVEN[0]
    assert signal.correlate(image[0], kernel[0], "same").tolist() == before
    assert signal.correlate2d(image, kernel, "same")[0].tolist() == after


def test_padding_order():
    image = torch.ones(1, 1, 2, 3)
    assert F.conv2d(image, torch.ones(1, 1, 1, 1), padding=(5, 1)).shape == (1, 1, 12, 5)
    left, right, top, bottom = 1, 2, 3, 4
    padded = F.pad(image[0, 0], (left, right, top, bottom))
    assert padded[top:-bottom, left:-right].equal(image[0, 0])
    by_numpy = np.pad(image[0, 0].numpy(), ((top, bottom), (left, right)))
    assert padded.tolist() == by_numpy.tolist()


def test_data_layout():
    assert torch.nn.Conv2d(3, 8, 1)(torch.zeros(1, 3, 4, 5)).shape == (1, 8, 4, 5)
    assert np.asarray(Image.new("RGB", (5, 4))).shape == (4, 5, 3)
    image = torch.rand(2, 3, 4, 5)
    last = image.to(memory_format=torch.channels_last)
    assert last.shape == image.shape
    assert last.equal(image)
    assert last.stride() != image.stride()
    assert last.permute(0, 2, 3, 1).is_contiguous()


def test_weight_layout():
    assert torch.nn.Conv2d(4, 8, (3, 5), groups=2).weight.shape == (8, 4 // 2, 3, 5)
    assert torch.nn.ConvTranspose2d(4, 8, (3, 5), groups=2).weight.shape == (4, 8 // 2, 3, 5)
    assert torch.nn.Linear(4, 8).weight.shape == (8, 4)
    image = torch.rand(1, 4, 6, 6)
    assert functional.conv2d(image, torch.rand(8, 2, 3, 5), groups=2).shape == (1, 8, 4, 2)
    transposed = functional.conv_transpose2d(image, torch.rand(4, 4, 3, 5), groups=2)
    assert transposed.shape == (1, 8, 8, 10)


def test_depthwise_layout():
    layer = torch.nn.Conv2d(4, 4 * 3, (3, 5), groups=4)
    assert layer.weight.shape == (4 * 3, 1, 3, 5)
    for channel in range(4):
        image = torch.zeros(1, 4, 3, 5)
        image[0, channel] = 1
        heard = F.conv2d(image, torch.ones_like(layer.weight), groups=4).flatten().nonzero()
        assert numbers(heard) == [channel * 3 + q for q in range(3)]


def test_height_or_width_first():
    wide = Image.new("L", (5, 3))
    assert (wide.size, wide.width, wide.height) == ((5, 3), 5, 3)
    assert wide.resize((7, 2)).size == (7, 2)
    assert wide.crop((1, 0, 5, 2)).size == (4, 2)
    wide.putpixel((4, 1), 9)
    assert wide.getpixel((4, 1)) == np.asarray(wide)[1, 4] == 9
    assert np.asarray(wide).shape == torch.zeros(3, 5).shape == (3, 5)


def test_pooling_size():
    for size in range(3, 12):
        row = torch.arange(float(size)).reshape(1, 1, -1)
        for kernel, stride, padding in ((3, 2, 0), (3, 2, 1), (2, 3, 1), (2, 2, 0)):
            slack = size + 2 * padding - kernel
            floor, ceil = slack // stride + 1, -(-slack // stride) + 1
            ceil -= (ceil - 1) * stride >= size + padding  # starts in the padding after the input
            assert F.max_pool1d(row, kernel, stride, padding).shape[-1] == floor
            kept = F.max_pool1d(row, kernel, stride, padding, ceil_mode=True)
            assert kept.shape[-1] == ceil
    assert not hasattr(torch.nn.Conv2d(1, 1, 1), "ceil_mode")
    assert arithmetic.conv_output_size(6, 3, stride=2) == 2


def test_average_at_the_border():
    flat = torch.full((1, 1, 4), 3.0)
    assert numbers(F.avg_pool1d(flat, 3, 1, 1)) == [2, 3, 3, 2]
    assert numbers(F.avg_pool1d(flat, 3, 1, 1, count_include_pad=True)) == [2, 3, 3, 2]
    assert numbers(F.avg_pool1d(flat, 3, 1, 1, count_include_pad=False)) == [3, 3, 3, 3]


def test_transposed_convolution():
    weight = torch.rand(1, 1, 3, 3).double()
    matrix = functional.conv2d_matrix(weight, (5, 6))
    image = torch.rand(1, 1, 3, 4).double()
    by_matrix = (matrix.T @ image.flatten()).reshape(1, 1, 5, 6)
    torch.testing.assert_close(F.conv_transpose2d(image, weight), by_matrix)
    # The kernel is stamped as it stands: a convolution of the spread input, with a flip.
    spread = F.conv_transpose1d(torch.tensor([[[1.0, 0, 2]]]), TAPS, stride=2)
    assert numbers(spread) == np.convolve([1, 0, 0, 0, 2], TAPS[0, 0]).tolist()
    # Deconvolution recovers the signal; the transpose of a convolution does not.
    product = np.convolve([1.0, 2, 3], TAPS[0, 0])
    assert signal.deconvolve(product, TAPS[0, 0].numpy())[0].tolist() == [1, 2, 3]
    row = torch.tensor([[[1.0, 2, 3]]])
    there_and_back = F.conv_transpose1d(F.conv1d(row, TAPS), TAPS)
    assert there_and_back.shape == row.shape
    assert not torch.equal(there_and_back, row)


def test_output_padding():
    for stride in (1, 2, 3):
        for kernel in (3, 4, 5):
            full = (4 - 1) * stride + kernel
            for padding in (0, 1):
                for extra in range(stride):
                    weight = torch.rand(1, 1, kernel).double()
                    args = (torch.rand(1, 1, 4).double(), weight, None, stride)
                    cropped = F.conv_transpose1d(*args, padding, extra)
                    size = full - 2 * padding + extra
                    sizes = (4, kernel, stride, padding, extra)
                    assert arithmetic.conv_transpose_output_size(*sizes) == size
                    assert cropped.shape[-1] == size
                    uncropped = F.pad(F.conv_transpose1d(*args), (0, max(extra - padding, 0)))
                    torch.testing.assert_close(cropped, uncropped[..., padding : padding + size])
    # Up to stride sizes share one output size.
    assert [arithmetic.conv_output_size(i, 3, 2, 1) for i in (9, 10)] == [5, 5]
    # The bound is max(stride, dilation) - 1.
    row = torch.ones(1, 1, 4)
    assert F.conv_transpose1d(row, TAPS, output_padding=2, dilation=3).shape[-1] == 3 + 7 + 2
    with pytest.raises(RuntimeError):
        F.conv_transpose1d(row, TAPS, stride=2, output_padding=2)


def test_output_padding_in_a_gap():
    """What is cropped less holds the bias alone where no tap reaches, and nowhere else."""
    row, bias, found = torch.ones(1, 1, 1, 2), torch.tensor([7.0]), set()
    for taps, stride, padding, dilation in product((1, 2, 3), (1, 2, 3), range(4), (1, 2, 3, 4)):
        reached = {i * stride + tap * dilation for i in range(2) for tap in range(taps)}
        for extra in range(1, max(stride, dilation)):
            count = max(reached) + 1 + extra - 2 * padding
            if count < 1:
                continue
            settings = {"stride": (1, stride), "padding": (0, padding), "dilation": (1, dilation)}
            settings["output_padding"] = (0, extra)
            image = functional.conv_transpose2d(row, torch.ones(1, 1, 1, taps), bias, **settings)
            assert image.equal(F.conv_transpose2d(row, torch.ones(1, 1, 1, taps), bias, **settings))
            places = range(padding, padding + count)
            alone = [place for place, n in zip(places, numbers(image), strict=True) if n == 7]
            assert alone == [place for place in places if place not in reached]
            found |= {place < max(reached) for place in alone if place in places[-extra:]}
    assert found == {True, False}  # in a gap, and beyond the last tap


def test_output_without_pixels():
    small, kernel = torch.ones(1, 1, 2, 2), torch.ones(1, 1, 3, 3)
    for layer in (F.max_pool2d, F.avg_pool2d, F.unfold):
        with pytest.raises(RuntimeError, match=r"[Oo]utput size|calculated shape"):
            layer(small, 3)
    with pytest.raises(RuntimeError, match="can't be greater"):
        F.conv2d(small, kernel)
    assert numbers(np.convolve([1.0, 2], TAPS[0, 0], "valid")) == [12, 120]
    assert numbers(np.convolve(TAPS[0, 0], [1.0, 2], "valid")) == [12, 120]
    assert signal.correlate2d(small[0, 0], kernel[0, 0], "valid").shape == (2, 2)
    with pytest.raises(ValueError, match="at least as large"):
        signal.correlate2d(np.ones((2, 3)), np.ones((3, 2)), "valid")
    # Of 2 x 6 pixels, 0 x 6 are left.
    row, weight, crop = torch.ones(1, 1, 1, 4), torch.ones(1, 1, 2, 3), (1, 0)
    with pytest.raises(RuntimeError, match="Output size is too small"):
        F.conv_transpose2d(row, weight, padding=crop)
    assert F.conv_transpose2d(row[:0], weight, padding=crop).shape == (0, 1, 0, 6)
    meta = F.conv_transpose2d(row.to("meta"), weight.to("meta"), padding=crop)
    assert meta.shape == (1, 1, 0, 6)
    for device, count in product(("cpu", "meta"), (1, 0)):
        with pytest.raises(ValueError, match="larger than the padded input"):
            functional.conv2d(small[:count].to(device), kernel.to(device))
        with pytest.raises(ValueError, match="larger than the padded input"):
            functional.unfold(small[:count].to(device), 3)
        with pytest.raises(ValueError, match="crops all of the output"):
            functional.conv_transpose2d(row[:count].to(device), weight.to(device), padding=crop)


def test_input_without_pixels_or_maps():
    nothing, kernel = torch.ones(1, 1, 0, 4), torch.ones(1, 1, 3, 3)
    for layer, arguments in (
        (functional.conv2d, {"weight": kernel, "padding": 2}),
        (functional.conv_transpose2d, {"weight": kernel}),
        (functional.unfold, {"kernel_size": 3, "padding": 2}),
    ):
        with pytest.raises(ValueError, match=r"no pixels|only its batch may be empty"):
            layer(nothing, **arguments)
    no_maps = torch.ones(0, 1, 4, 5)
    assert functional.conv2d(no_maps, kernel).shape == (0, 1, 2, 3)
    assert functional.conv_transpose2d(no_maps, kernel).shape == (0, 1, 6, 7)
    assert functional.unfold(no_maps, 3).shape == (0, 9, 6)
    for module in (functional, F):
        assert module.pixel_shuffle(torch.ones(1, 4, 0, 2), 2).shape == nothing.shape
    assert functional.pixel_unshuffle(nothing, 2).shape == (1, 4, 0, 2)
    assert F.pixel_unshuffle(nothing, 2).shape == nothing.shape


def test_pixel_shuffle_order():
    factor, channels = 3, 2
    depth = torch.arange(channels * factor**2).reshape(1, -1, 1, 1)
    shuffled = F.pixel_shuffle(depth, factor)[0]
    tensorflow = depth.reshape(factor**2, channels).T.reshape(1, -1, 1, 1)
    for c in range(channels):
        for i in range(factor):
            for j in range(factor):
                assert shuffled[c, i, j] == c * factor**2 + i * factor + j
                other = F.pixel_shuffle(tensorflow, factor)[0, c, i, j]
                assert other == (i * factor + j) * channels + c
    assert functional.pixel_shuffle(depth, factor)[0].equal(shuffled)


def test_resize_corners():
    row = torch.tensor([[[0.0, 3]]])
    edges = F.interpolate(row, size=4, mode="linear", align_corners=False)
    assert torch.equal(F.interpolate(row, size=4, mode="linear"), edges)
    # Output pixel i has its centre at (i + 0.5) / 2 - 0.5 input pixels, clamped to the input.
    assert numbers(edges) == [3 * min(max((i + 0.5) / 2 - 0.5, 0), 1) for i in range(4)]
    centres = F.interpolate(row, size=4, mode="linear", align_corners=True)
    assert numbers(centres) == [0, 1, 2, 3]
    for before, after in ((5, 3), (7, 4), (3, 5), (4, 9)):
        row = torch.arange(float(before)).reshape(1, 1, -1)
        floored = F.interpolate(row, size=after, mode="nearest")
        assert numbers(floored) == [i * before // after for i in range(after)]
        assert torch.equal(F.interpolate(row, size=after), floored)
        exact = F.interpolate(row, size=after, mode="nearest-exact")
        assert numbers(exact) == [(2 * i + 1) * before // (2 * after) for i in range(after)]
    repeated = F.interpolate(row, scale_factor=3, mode="nearest")
    assert torch.equal(F.interpolate(row, scale_factor=3, mode="nearest-exact"), repeated)


def test_receptive_field_start():
    stack = [(3, 2, 1), (3, 1, 1), (4, 2, 0)]
    fields = arithmetic.receptive_field([arithmetic.Layer(k, s, p) for k, s, p in stack])
    assert arithmetic.receptive_field([arithmetic.Layer(3, 1, 1)])[0].start == -1
    centre, jump = 0.5, 1  # the recurrence of the guide that counts centres
    for (kernel, stride, padding), field in zip(stack, fields, strict=True):
        centre += ((kernel - 1) / 2 - padding) * jump
        jump *= stride
        assert centre == field.start + field.size / 2
    image = torch.ones(1, 1, 64, requires_grad=True)
    output = image
    for kernel, stride, padding in stack:
        output = F.conv1d(output, torch.ones(1, 1, kernel), None, stride, padding)
    output[0, 0, 5].backward()
    seen = numbers(image.grad.flatten().nonzero())
    size, jump, start = fields[-1]
    assert (seen[0], seen[-1]) == (start + 5 * jump, start + 5 * jump + size - 1)


def test_macs_and_flops():
    model = torch.nn.Sequential(torch.nn.Conv2d(4, 8, 3, groups=2), torch.nn.Flatten())
    model.append(torch.nn.Linear(8 * 4 * 4, 10))
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 4, 6, 6))
    macs = (8 * 4 * 4) * (4 // 2 * 3 * 3) + (8 * 4 * 4) * 10
    assert counter.get_total_flops() == 2 * macs


def test_batch_norm_momentum():
    norm = torch.nn.BatchNorm2d(1).double()
    assert (norm.momentum, norm.eps) == (0.1, 1e-5)
    batch = torch.tensor([1.0, 3.0]).double().reshape(2, 1, 1, 1)
    normalised = norm(batch)
    assert norm.running_mean.item() == pytest.approx(0.9 * 0 + 0.1 * 2)
    assert norm.running_var.item() == pytest.approx(0.9 * 1 + 0.1 * batch.var(correction=1).item())
    expected = (batch - 2) / (batch.var(correction=0) + norm.eps) ** 0.5
    torch.testing.assert_close(normalised, expected)


def steps_of(optimizer, weight, gradients, rates):
    """Return the weight after each step."""
    found = []
    for gradient, rate in zip(gradients, rates, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        weight.grad = torch.full_like(weight, gradient)
        optimizer.step()
        found.append(weight.item())
    return found


def test_momentum_of_sgd():
    gradients = [1.0, -2.0, 0.5, 4.0]
    for rates, agree in (([0.25] * 4, True), ([1.0, 0.5, 0.25, 0.5], False)):
        weight = torch.nn.Parameter(torch.zeros(1).double())
        optimizer = torch.optim.SGD([weight], lr=1.0, momentum=0.5)
        found = steps_of(optimizer, weight, gradients, rates)
        outside, inside = [], []
        velocity = step = 0
        for gradient, rate in zip(gradients, rates, strict=True):
            velocity = 0.5 * velocity + gradient
            outside.append((outside or [0])[-1] - rate * velocity)
            step = 0.5 * step - rate * gradient
            inside.append((inside or [0])[-1] + step)
        assert found == outside
        assert (found == inside) == agree
    # In one direction, steps add up to 1 / (1 - momentum) of them.
    weight = torch.nn.Parameter(torch.zeros(1).double())
    optimizer = torch.optim.SGD([weight], lr=1.0, momentum=0.9)
    found = steps_of(optimizer, weight, [1.0] * 400, [1.0] * 400)
    assert found[-2] - found[-1] == pytest.approx(10)


def test_weight_decay():
    rate, decay, start, gradient = 0.25, 0.5, 1.0, 0.125

    def step(kind, gradient=gradient, decay=decay, **settings):
        weight = torch.nn.Parameter(torch.full((1,), start).double())
        optimizer = kind([weight], lr=rate, weight_decay=decay, **settings)
        return steps_of(optimizer, weight, [gradient] * 2, [rate] * 2)[-1]

    once = start - rate * (gradient + decay * start)
    assert step(torch.optim.SGD) == once - rate * (gradient + decay * once)
    # In the gradient it goes through the momentum; from the weight it does not.
    assert step(torch.optim.SGD, momentum=0.5) < step(torch.optim.SGD)
    # Adam's step without another gradient is the rate, whatever the decay; AdamW's is not.
    for strength in (0.125, 0.5):
        near = pytest.approx(start - 2 * rate, abs=1e-3)
        assert step(torch.optim.Adam, gradient=0.0, decay=strength, betas=(0.0, 0.0)) == near
        decoupled = start * (1 - rate * strength) ** 2
        assert step(torch.optim.AdamW, gradient=0.0, decay=strength) == pytest.approx(decoupled)
    # The book's loop spares biases and normalisation.
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1), torch.nn.BatchNorm2d(1))
    groups = make_optimizer(model, TrainConfig()).param_groups
    decays = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
    assert decays.pop(id(model[0].weight)) == TrainConfig().weight_decay
    assert set(decays.values()) == {0}


def test_label_smoothing():
    logits = torch.tensor([[0.5, -1.0, 2.0, 0.0]]).double()
    for smoothing in (0.1, 0.2):
        target = torch.full((1, 4), smoothing / 4).double()
        target[0, 2] += 1 - smoothing
        smoothed = F.cross_entropy(logits, torch.tensor([2]), label_smoothing=smoothing)
        torch.testing.assert_close(smoothed, F.cross_entropy(logits, target))
    asked_of_ten = 1 - 0.2 + 0.2 / 10
    assert asked_of_ten == pytest.approx(0.82)


def test_averaged_weights():
    model = torch.nn.Linear(1, 1, bias=False).double()
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.75))
    values, expected = [8.0, 4.0, -4.0, 0.0], 8.0  # the first is copied
    for value in values:
        torch.nn.init.constant_(model.weight, value)
        average.update_parameters(model)
        expected = 0.75 * expected + 0.25 * value
        assert average.module.weight.item() == expected
    assert inspect.signature(get_ema_multi_avg_fn).parameters["decay"].default == 0.999
    norm = torch.nn.BatchNorm1d(1, momentum=0.25).double()
    norm(torch.tensor([[7.0], [9.0]]).double())
    assert norm.running_mean.item() == 0.75 * 0 + 0.25 * 8


def test_dropout():
    torch.manual_seed(0)
    left = F.dropout(torch.ones(10_000), p=0.75)
    assert left.unique().tolist() == [0, 1 / (1 - 0.75)]
    assert 0.2 < left.count_nonzero() / 10_000 < 0.3
    assert F.dropout(torch.ones(5), p=0.75, training=False).tolist() == [1] * 5


def test_pixel_range():
    image = Image.new("RGB", (1, 1), (255, 0, 51))
    assert np.asarray(image).tolist() == [[[255, 0, 51]]]
    scaled = transforms.to_tensor(image)
    assert numbers(scaled) == pytest.approx([1, 0, 0.2])
    mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    by_hand = [(x - m) / d for x, m, d in zip((1, 0, 0.2), mean, deviation, strict=True)]
    assert numbers(transforms.normalize(scaled, mean, deviation)) == pytest.approx(by_hand)
    preset = ResNet18_Weights.IMAGENET1K_V1.transforms()
    assert (preset.mean, preset.std) == (mean, deviation)
    assert numbers(to_float(torch.tensor([0, 255], dtype=torch.uint8))) == [-1, 1]
    photograph = grace_hopper(64)
    assert 0 <= photograph.min() < photograph.max() <= 1


def test_loss_input():
    logits, label = torch.tensor([[2.0, 0.0]]).double(), torch.tensor([0])
    right = F.cross_entropy(logits, label)
    torch.testing.assert_close(F.nll_loss(logits.log_softmax(1), label), right)
    assert F.cross_entropy(logits.softmax(1), label) > right
    one, is_one = torch.tensor([2.0]).double(), torch.tensor([1.0]).double()
    torch.testing.assert_close(F.binary_cross_entropy_with_logits(one, is_one), right)
    torch.testing.assert_close(F.binary_cross_entropy(one.sigmoid(), is_one), right)
    # A softmax too many: the loss can no longer come near 0.
    sure = torch.tensor([[100.0, 0.0]]).double()
    assert F.cross_entropy(sure.softmax(1), label) > 0.3
