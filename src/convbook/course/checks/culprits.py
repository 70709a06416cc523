"""Networks to diagnose in chapter 13, sound or with one wrong layer, and tests that miss some.

Three families, so that no list of names will do. Each case exchanges one of their parts.
"""

from collections import OrderedDict
from functools import cache

import torch
from torch import nn

from convbook.analysis import trace


class Suspect(nn.Sequential):
    """A network that is shown as `suspects[3]`, so that a reader can trace it in a cell.

    Example:
        >>> suspects[0], suspects[0] == suspects[1]
        (suspects[0], False)
    """

    def __init__(self, number, layers):
        super().__init__(layers)
        self.number = number

    def __repr__(self):
        return f"suspects[{self.number}]"

    def __eq__(self, other):
        return isinstance(other, Suspect) and self.number == other.number

    def __hash__(self):
        return hash(self.number)


def conv(c_in, c_out, kernel_size=3, **settings):
    """Return a convolution with batch norm and ReLU, as the chapter defines it."""
    layer = nn.Conv2d(c_in, c_out, kernel_size, bias=False, **settings)
    return nn.Sequential(layer, nn.BatchNorm2d(c_out), nn.ReLU())


def pair(c_in, c_out, depthwise=3, pointwise=0, padding=1):
    """Return a depthwise convolution and a 1 x 1 one, with a padding each."""
    own = nn.Conv2d(c_in, c_in, depthwise, padding=padding, groups=c_in, bias=False)
    return nn.Sequential(own, conv(c_in, c_out, 1, padding=pointwise))


def scaling(c_in, c_out):
    """Return what is meant to be depthwise, and has a kernel of 1 x 1."""
    return pair(c_in, c_out, depthwise=1, padding=0)


def output(average=None):
    """Return an average, global if none is given, and a linear layer."""
    return nn.Sequential(average or nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(10))


def book():
    """Return the parts of a network like the chapter's."""
    return {
        "c1": conv(3, 8, padding=1),
        "pool1": nn.MaxPool2d(2),
        "c2": conv(8, 16, padding=1),
        "pool2": nn.MaxPool2d(2),
        "c3": conv(16, 16, padding=2, dilation=2),
        "pool3": nn.MaxPool2d(2),
        "c4": nn.Sequential(conv(16, 16, padding=1), *pair(16, 16)),
        "head": output(),
    }


def strided():
    """Return the parts of one that halves by a stride, pools 3 x 3, and says padding='same'."""
    return {
        "stem": conv(3, 8, 5, padding=2),
        "halve": conv(8, 8, stride=2, padding=1),
        "look": pair(8, 16),
        "pool": nn.MaxPool2d(3, stride=2, padding=1),
        "wide": conv(16, 16, padding="same", dilation=2),
        "mean": output(),
    }


def doubled():
    """Return the parts of one with two convolutions in each of its blocks."""
    return {
        "0": nn.Sequential(conv(3, 8, padding=1), conv(8, 8, padding=1)),
        "1": nn.MaxPool2d(2),
        "2": nn.Sequential(conv(8, 16, padding=1), conv(16, 16, padding=3, dilation=3)),
        "3": nn.MaxPool2d(2),
        "4": nn.Sequential(conv(16, 8, 1), conv(8, 16, 5, padding=2)),
        "5": output(),
    }


# family, the parts that are exchanged, and the name that `trace` gives the wrong layer
CASES = [
    (book, {"c3": conv(16, 16, padding=1, dilation=2)}, "c3.0"),
    (book, {"c1": conv(3, 8)}, "c1.0"),
    (book, {"c4": nn.Sequential(conv(16, 16, padding=1), *scaling(16, 16))}, "c4.1"),
    (book, {"c4": nn.Sequential(conv(16, 16, padding=1), *pair(16, 16, pointwise=1))}, "c4.2.0"),
    (book, {}, None),
    (strided, {}, None),
    (doubled, {"5": output(nn.AvgPool2d(8))}, None),
    (book, {"pool1": nn.MaxPool2d(1, 1)}, "pool1"),
    (book, {"pool3": nn.MaxPool2d(3, stride=1, padding=1)}, "pool3"),
    (book, {"pool2": nn.MaxPool2d(2, stride=1)}, "pool2"),
    (book, {"head": output(nn.AvgPool2d(2))}, "head.0"),
    (book, {"c2": conv(8, 16, padding=2)}, "c2.0"),
    (strided, {"stem": conv(3, 8, 5, padding=1)}, "stem.0"),
    (strided, {"look": scaling(8, 16)}, "look.0"),
    (strided, {"look": pair(8, 16, pointwise=1)}, "look.1.0"),
    (strided, {"pool": nn.MaxPool2d(3, stride=1, padding=1)}, "pool"),
    (strided, {"wide": conv(16, 16, padding=1, dilation=2)}, "wide.0"),
    (strided, {"mean": output(nn.AvgPool2d(4))}, "mean.0"),
    (strided, {"wide": conv(16, 16, padding=4, dilation=4)}, None),
    (doubled, {"0": nn.Sequential(conv(3, 8, padding=1), conv(8, 8))}, "0.1.0"),
    (doubled, {"2": nn.Sequential(conv(8, 16, padding=1), scaling(16, 16))}, "2.1.0"),
    (doubled, {"4": nn.Sequential(conv(16, 8, 1, padding=1), conv(8, 16, padding=1))}, "4.0.0"),
    (doubled, {"3": nn.MaxPool2d(1, stride=1)}, "3"),
    (doubled, {"0": nn.Sequential(conv(3, 8, padding=1), pair(8, 8))}, None),
    (doubled, {"5": output(nn.AvgPool2d(4, stride=1))}, "5.0"),
]


def _built(number, family, parts):
    """Return the network of a case."""
    network = Suspect(number, OrderedDict(family() | parts)).eval()
    network(torch.zeros(1, 3, 32, 32))  # tells the last layer how much it reads
    return network.train()


with torch.random.fork_rng(devices=[]):
    suspects = [_built(number, *case[:2]) for number, case in enumerate(CASES)]


@cache
def rows(network):
    """Return what `trace` finds, once for each network."""
    return [*trace(network)]


def answer(network):
    """Return the name of the wrong layer, or None."""
    return CASES[network.number][2]


def wrong_rows(network, conv_too=True, pool_too=True, mean_too=True, scaling_too=True):
    """Return the names of the rows that do not do what their kind is for, kind by kind."""
    names = []
    for row in rows(network):
        before, after = row.input_shape[1:], row.output_shape[1:]
        wrong = False
        if row.op == "conv2d":
            kept = [side // row.stride for side in before]
            only_scales = row.groups > 1 and row.kernel == 1
            wrong = (conv_too and list(after) != kept) or (scaling_too and only_scales)
        elif row.op == "max_pool2d":
            wrong = pool_too and [2 * side for side in after] != list(before)
        elif "avg_pool2d" in row.op:
            wrong = mean_too and after != (1, 1)
        names += [row.name] * wrong
    return names


def culprit(network):
    """Return the name of the wrong layer, or None."""
    return next(iter(wrong_rows(network)), None)


def sizes_only(network):
    """Look at sizes, and at no kernel."""
    return next(iter(wrong_rows(network, scaling_too=False)), None)


def convolutions_only(network):
    """Look at convolutions, and at no pool."""
    return next(iter(wrong_rows(network, pool_too=False, mean_too=False)), None)


def without_average(network):
    """Look at everything but the average."""
    return next(iter(wrong_rows(network, mean_too=False)), None)


def last_of_all(network):
    """Return the last row that is wrong."""
    return next(reversed(wrong_rows(network)), None)


def by_padding(network):
    """Compare the padding of a convolution with what it should be, and not the sizes."""
    for row in rows(network):
        if row.op == "conv2d" and row.padding != row.dilation * (row.kernel - 1) // 2:
            return row.name
        if row.name in wrong_rows(network, conv_too=False):
            return row.name
    return None


def _first(network, suspicious):
    """Return the first row that is wrong, or that a test takes for wrong."""
    wrong = wrong_rows(network)
    return next((row.name for row in rows(network) if row.name in wrong or suspicious(row)), None)


def every_depthwise(network):
    """Take every depthwise convolution for wrong."""
    return _first(network, lambda row: (row.groups or 1) > 1)


def every_dilation(network):
    """Take every dilated convolution for wrong."""
    return _first(network, lambda row: (row.dilation or 1) > 1)


def every_stride(network):
    """Take every convolution with a stride for wrong."""
    return _first(network, lambda row: row.op == "conv2d" and row.stride > 1)


def every_change(network):
    """Ask each convolution to keep the channels, too."""
    return _first(
        network,
        lambda row: row.op == "conv2d" and row.stride == 1 and row.output_shape != row.input_shape,
    )


def every_other_pool(network):
    """Take every pool for wrong that is not 2 x 2."""
    return _first(network, lambda row: row.op == "max_pool2d" and row.kernel != 2)


def numbered(network):
    """Return the number of the row."""
    name = culprit(network)
    names = [row.name for row in rows(network)]
    return None if name is None else names.index(name)
