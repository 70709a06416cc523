"""Chapter 4, Channels: its quiz answers and its exercises' right answers, from PyTorch itself."""

import torch
import torch.nn.functional as F
from torch import nn

from convbook.course.checks import channels


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
