"""The stacks of layers that the receptive-field explorer offers, each a list of rows.

A row is (name, kernel_size, stride, padding, dilation). A test compares the known networks with
what `convbook.analysis.trace` finds in torchvision's.
"""

from typing import NamedTuple


class Stack(NamedTuple):
    """A stack of layers: its label, the size of its input, its rows, and what to notice."""

    label: str
    input_size: int
    rows: list
    note: str


def row(name, kernel_size, stride=1, padding=0, dilation=1):
    """Return one layer as a row."""
    return (name, kernel_size, stride, padding, dilation)


def _vgg16():
    rows = []
    for block, convs in enumerate((2, 2, 3, 3, 3), 1):
        rows += [row(f"conv{block}_{i}", 3, padding=1) for i in range(1, convs + 1)]
        rows.append(row(f"pool{block}", 2, stride=2))
    return rows


def _resnet18():
    rows = [row("conv1", 7, stride=2, padding=3), row("maxpool", 3, stride=2, padding=1)]
    for stage in (1, 2, 3, 4):
        for block in (0, 1):
            stride = 2 if stage > 1 and block == 0 else 1
            rows.append(row(f"layer{stage}.{block}.conv1", 3, stride=stride, padding=1))
            rows.append(row(f"layer{stage}.{block}.conv2", 3, padding=1))
    return rows


PRESETS = {
    "two_3x3": Stack(
        "Two 3×3",
        9,
        [row("conv1", 3), row("conv2", 3)],
        "Two 3×3 layers see as far as one 5×5 layer.",
    ),
    "stride": Stack(
        "Stride first",
        17,
        [row("conv1", 3, stride=2), row("conv2", 3), row("conv3", 3)],
        "The stride leaves the field of conv1 as it is and doubles what each later layer adds.",
    ),
    "dilation": Stack(
        "Doubling dilation",
        64,
        [row(f"conv{i}", 3, padding=2**i // 2, dilation=2**i // 2) for i in range(1, 6)],
        "Each layer has as many weights as the one before and adds twice as many pixels.",
    ),
    "assignment": Stack(
        "Assignment net",
        32,
        [
            row("C1.conv1", 3, padding=1),
            row("C1.conv2", 3, padding=1),
            row("pool1", 2, stride=2),
            row("C2.depthwise", 3, padding=1),
            row("C2.pointwise", 1),
            row("C2.conv", 3, padding=1),
            row("pool2", 2, stride=2),
            row("C3.dilated", 3, padding=2, dilation=2),
            row("C3.conv", 3, padding=1),
            row("pool3", 2, stride=2),
            row("C4.conv1", 3, padding=1),
            row("C4.conv2", 3, padding=1),
        ],
        "One answer to the assignment of chapter 13, which asks for a field of more than 44 pixels "
        "before the global pooling. Block C4 is what lifts it above.",
    ),
    "alexnet": Stack(
        "AlexNet",
        224,
        [
            row("conv1", 11, stride=4, padding=2),
            row("pool1", 3, stride=2),
            row("conv2", 5, padding=2),
            row("pool2", 3, stride=2),
            row("conv3", 3, padding=1),
            row("conv4", 3, padding=1),
            row("conv5", 3, padding=1),
            row("pool5", 3, stride=2),
        ],
        "torchvision's AlexNet up to its last max-pooling.",
    ),
    "vgg16": Stack(
        "VGG-16",
        224,
        _vgg16(),
        "torchvision's VGG-16. A 3×3 layer adds little until pooling has made the jump large.",
    ),
    "resnet18": Stack(
        "ResNet-18",
        224,
        _resnet18(),
        "The main path of torchvision's ResNet-18. A skip sees less than the path beside it, so "
        "the union of the two is the main path's field: wider than the whole image.",
    ),
}
