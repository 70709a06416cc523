"""Chapter 4, Channels: its quiz answers and its exercises' right answers, from PyTorch itself."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import signal
from torch import nn

from convbook.course.checks import channels
from tests.helpers.attempts import said_of


def macs(layer, size):
    """Return how many products the layer needs: its weights times its output pixels."""
    output = layer(torch.empty(1, layer.in_channels, size, size, device="meta"))
    return layer.weight.numel() * output.shape[-2] * output.shape[-1]


def opening_question():
    layer = nn.Conv2d(3, 1, kernel_size=3, bias=False)
    maps = layer(torch.zeros(1, 3, 8, 8)).shape[1]
    return f"{layer.weight.numel()} weights, {maps} map{'s' if maps > 1 else ''}"


def weight_shape():
    return str(tuple(nn.Conv2d(16, 32, 3).weight.shape))


def halve_and_double():
    def between(channels):
        return nn.Conv2d(channels, channels, 3, padding=1, bias=False, device="meta")

    words = {0.5: "half as many", 1: "the same number", 2: "twice as many", 4: "four times as many"}
    (ratio,) = {macs(between(2 * c), size // 2) / macs(between(c), size)
                for c in (3, 64) for size in (8, 56)}  # fmt: skip
    return words[ratio]


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "weight-shape": weight_shape,
    "halve-and-double": halve_and_double,
}


def test_the_right_answers_are_what_pytorch_does():
    for case in channels.check_parameters.cases:
        kernel_size = case["kernel_height"], case["kernel_width"]
        layer = nn.Conv2d(case["c_in"], case["c_out"], kernel_size, device="meta")
        learned = sum(parameter.numel() for parameter in layer.parameters())
        assert channels.parameters(**case) == learned
    for case in channels.check_filter_map.cases:
        picture, kernels = torch.tensor(case["picture"]), torch.tensor(case["kernels"])
        output = F.conv2d(picture[None], kernels[None], torch.tensor([case["bias"]]))
        assert channels.filter_map(**case) == output[0, 0].tolist()
    for case in channels.check_grey_kernel.cases:
        kernels = torch.tensor(case["kernels"])
        grey = torch.arange(25).reshape(1, 1, 5, 5) % 7
        folded = torch.tensor(channels.grey_kernel(**case))
        colour = F.conv2d(grey.expand(1, 3, 5, 5), kernels[None])
        assert torch.equal(F.conv2d(grey, folded[None, None]), colour)


def test_one_channel_more_would_be_too_many():
    for case in channels.check_most_channels.cases:
        most, k = channels.most_channels(**case), case["kernel_size"]
        for count, fits in [(most, True), (most + 1, False)]:
            if count:  # PyTorch has no layer without channels
                layer = nn.Conv2d(count, count, k, padding=k // 2, device="meta")
                assert (macs(layer, case["size"]) <= case["macs"]) == fits


def maps_of_channels(picture, kernels):
    """Return the map of each channel, as a tensor."""
    picture, kernels = torch.tensor(picture).float(), torch.tensor(kernels).float()
    return F.conv2d(picture[None], kernels[:, None], groups=len(kernels))[0]


def parameters_of(layer):
    return sum(parameter.numel() for parameter in layer.parameters())


def added_into_the_first(kernels):
    first, *others = kernels
    for kernel in others:
        for i, row in enumerate(kernel):
            for j, weight in enumerate(row):
                first[i][j] += weight
    return first


def counted_up(macs, size, kernel_size, bias=0):
    channels = 0
    while (channels + 1) * ((channels + 1) * kernel_size**2 + bias) * size**2 <= macs:
        channels += 1
    return channels


READERS = {
    "check_parameters": [
        ("correct on", lambda *case: parameters_of(nn.Conv2d(*case[:2], case[2:]))),
        ("correct on", lambda c_in, c_out, h, w: torch.tensor([c_in, h, w]).prod().add(1) * c_out),
        ("one filter first", lambda c_in, c_out, h, w: c_out * (c_in * (h + w) + 1)),
        ("one filter first", lambda c_in, c_out, h, w: c_out * (c_in * h * w + 1) + c_in),
    ],
    "check_filter_map": [
        ("correct on", lambda picture, ks, bias: maps_of_channels(picture, ks).sum(0) + bias),
        (
            "correct on",
            lambda picture, ks, bias: signal.correlate(picture, ks, "valid")[0] + bias,
        ),
        ("on its own", lambda picture, ks, bias: maps_of_channels(picture, ks).mean(0) + bias),
        ("on its own", lambda picture, ks, bias: maps_of_channels(picture, ks)[-1] + bias),
    ],
    "check_grey_kernel": [
        ("correct on", lambda kernels: np.sum(kernels, axis=0)),
        ("correct on", lambda kernels: torch.tensor(kernels).float().sum(0)),
        ("It changes kernels in place", added_into_the_first),
        ("put list(...) around it", lambda kernels: (sum(k) for k in zip(*kernels, strict=True))),
        ("at one place", lambda kernels: np.tensordot([0.299, 0.587, 0.114], kernels, 1)),
        ("at one place", lambda kernels: np.max(kernels, axis=0)),
    ],
    "check_most_channels": [
        ("correct on", lambda macs, size, k: np.floor(np.sqrt(macs) / size / k)),
        ("correct on", counted_up),
        ("one channel more", lambda *case: counted_up(*case, bias=1)),
        ("one channel more", lambda *case: max(counted_up(*case), 1)),
    ],
}


@pytest.mark.parametrize(
    ("name", "said", "function"),
    [(name, *answer) for name, answers in READERS.items() for answer in answers],
)
def test_what_the_checkers_say_to_readers(name, said, function):
    assert said in said_of(function, getattr(channels, name))
