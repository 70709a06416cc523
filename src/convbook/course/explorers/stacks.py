"""The stacks of layers that the receptive-field explorer offers, each a list of rows.

A row is (name, kernel_size, stride, padding, dilation). A test compares the known networks with
what `convbook.analysis.trace` finds in torchvision's, and all of them with the front end's.
"""

from typing import NamedTuple


class Stack(NamedTuple):
    """A stack of layers: the size of its input, and its rows."""

    input_size: int
    rows: list


def _stack(input_size, *texts):
    """Return a stack whose rows are written like 'conv1:3.1.1.1 pool1:2.2.0.1'."""
    named = (one.split(":") for text in texts for one in text.split())
    return Stack(input_size, [(name, *map(int, numbers.split("."))) for name, numbers in named])


def _block(number, convs):
    """Return a block of VGG-16."""
    names = [f"conv{number}_{i}:3.1.1.1" for i in range(1, convs + 1)]
    return " ".join([*names, f"pool{number}:2.2.0.1"])


def _stage(number):
    """Return a stage of ResNet-18, of two blocks."""
    first = f"layer{number}.0.conv1:3.{1 if number == 1 else 2}.1.1"
    others = [f"layer{number}.{name}:3.1.1.1" for name in ("0.conv2", "1.conv1", "1.conv2")]
    return " ".join([first, *others])


PRESETS = {
    "two_3x3": _stack(9, "conv1:3.1.0.1 conv2:3.1.0.1"),
    "stride": _stack(17, "conv1:3.2.0.1 conv2:3.1.0.1 conv3:3.1.0.1"),
    "dilation": _stack(
        64, "conv1:3.1.1.1 conv2:3.1.2.2 conv3:3.1.4.4 conv4:3.1.8.8 conv5:3.1.16.16"
    ),
    "assignment": _stack(
        32,
        "C1.conv1:3.1.1.1 C1.conv2:3.1.1.1 pool1:2.2.0.1",
        "C2.depthwise:3.1.1.1 C2.pointwise:1.1.0.1 C2.conv:3.1.1.1 pool2:2.2.0.1",
        "C3.dilated:3.1.2.2 C3.conv:3.1.1.1 pool3:2.2.0.1 C4.conv1:3.1.1.1 C4.conv2:3.1.1.1",
    ),
    "alexnet": _stack(
        224,
        "conv1:11.4.2.1 pool1:3.2.0.1 conv2:5.1.2.1 pool2:3.2.0.1",
        "conv3:3.1.1.1 conv4:3.1.1.1 conv5:3.1.1.1 pool5:3.2.0.1",
    ),
    "vgg16": _stack(224, *(_block(*one) for one in enumerate((2, 2, 3, 3, 3), 1))),
    "resnet18": _stack(224, "conv1:7.2.3.1 maxpool:3.2.1.1", *map(_stage, (1, 2, 3, 4))),
}
