"""Networks of chapter 9 to diagnose or to take apart, and plausible ways to misjudge them."""

from math import gcd

import torch
from torch import nn

from convbook.nn import ChannelShuffle


class Split(nn.Module):
    """Two dense layers side by side: one for the first `first` channels, one for the others.

    Example:
        >>> Split(6, 2)(torch.ones(1, 6, 5, 5)).shape
        torch.Size([1, 6, 5, 5])
    """

    def __init__(self, channels, first):
        super().__init__()
        self.first = first
        self.one, self.other = _conv(first, first, 1), _conv(channels - first, channels - first, 1)

    def forward(self, x):
        """Return the maps of both, side by side."""
        return torch.cat([self.one(x[:, : self.first]), self.other(x[:, self.first :])], dim=1)


class Flip(nn.Module):
    """The channels in the reverse order.

    Example:
        >>> Flip()(torch.arange(3.0).reshape(1, 3, 1, 1)).flatten().tolist()
        [2.0, 1.0, 0.0]
    """

    def forward(self, x):
        """Return the last channel first."""
        return x.flip(1)


class stack(nn.Sequential):
    """A network that is shown as it is written, so that a reader can paste it into a cell.

    A layer is one of `"groups 3"`, a grouped 3 x 3 convolution with a ReLU, or `"groups 3 to 24"`,
    the same to 24 channels; `"split 4"`, a dense convolution of the first 4 channels and one of the
    others; `"shuffle 3"`, `"flip"` and `"norm"`. All weights are above 0, so that numbers above 0
    pass every ReLU. The batch norms are in use, not in training.

    Shapes:
        `(N, channels, H, W)` to `(N, C, H, W)`.

    Example:
        >>> stack(4, "groups 2", "shuffle 2", "groups 2")
        stack(4, 'groups 2', 'shuffle 2', 'groups 2')
    """

    def __init__(self, channels, *layers):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            modules, width = [], channels
            for layer in layers:
                kind, *numbers = layer.replace(" to ", " ").split()
                numbers = [int(number) for number in numbers]
                modules += _modules(kind, numbers, width)
                width = numbers[1] if numbers[1:] else width
        super().__init__(*modules)
        self.source = f"stack({', '.join(map(repr, (channels, *layers)))})"
        self.eval()

    def __repr__(self):
        return self.source

    def __deepcopy__(self, memo):
        return self  # it does not change


class grouped_form(nn.Module):
    """The convolutions of a ResNeXt block in its grouped form, with whole numbers for weights.

    `first`, `middle` and `last` are layers without bias; a ReLU follows the first two.

    Shapes:
        `(N, channels, H, W)` to `(N, channels + 1, H, W)`.

    Args:
        channels: of the input.
        width: of each path.
        groups: how many paths.
        kernel_size: of the middle layer, odd.

    Example:
        >>> form = grouped_form(4, 3, groups=2, kernel_size=3)
        >>> form, form.middle.weight.shape
        (grouped_form(4, 3, groups=2, kernel_size=3), torch.Size([6, 3, 3, 3]))
    """

    def __init__(self, channels, width, groups, kernel_size):
        super().__init__()
        self.source = f"grouped_form({channels}, {width}, {groups=}, {kernel_size=})"
        inside, padding = width * groups, kernel_size // 2
        self.first = nn.Conv2d(channels, inside, 1, bias=False)
        self.middle = nn.Conv2d(
            inside, inside, kernel_size, padding=padding, groups=groups, bias=False
        )
        self.last = nn.Conv2d(inside, channels + 1, 1, bias=False)
        generator = torch.Generator().manual_seed(channels + width + groups)
        for weight in self.double().requires_grad_(False).parameters():
            weight.copy_(torch.randint(1, 4, weight.shape, generator=generator))
        for layer in (self.first, self.last):  # not the middle one, or some paths would be silent
            signs = torch.randint(0, 2, layer.weight.shape, generator=generator)
            layer.weight.mul_(2 * signs - 1)

    def forward(self, x):
        """Return what the three layers make of a map."""
        return self.last(self.middle(self.first(x.double()).relu()).relu())

    def __repr__(self):
        return self.source

    def __eq__(self, other):
        return repr(self) == repr(other) and all(map(torch.equal, _weights(self), _weights(other)))

    def __hash__(self):
        return id(self)


def _weights(form):
    return [form.first.weight, form.middle.weight, form.last.weight]


def _modules(kind, numbers, width):
    match kind:
        case "groups":
            groups, *wide = numbers
            return [_conv(width, wide[0] if wide else width, groups), nn.ReLU()]
        case "split":
            return [Split(width, *numbers), nn.ReLU()]
        case "shuffle":
            return [ChannelShuffle(*numbers)]
        case "flip":
            return [Flip()]
        case "norm":
            return [nn.BatchNorm2d(width)]
    raise ValueError(f"layer {kind!r} is unknown; use groups, split, shuffle, flip or norm")


def _conv(c_in, c_out, groups):
    layer = nn.Conv2d(c_in, c_out, 3, padding=1, groups=groups)
    nn.init.uniform_(layer.weight, 0.1, 0.2)
    nn.init.uniform_(layer.bias, 0.1, 0.2)
    return layer


def reached(network, channels):
    """Return, for each input channel, the set of outputs that it moves, by lighting it."""
    dark = torch.ones(1, channels, 3, 3)
    with torch.no_grad():
        before = network(dark)
        found = []
        for channel in range(channels):
            lit = dark.clone()
            lit[:, channel] = 2
            moved = (network(lit) - before).abs().sum((0, 2, 3))
            found.append(frozenset(moved.nonzero().flatten().tolist()))
    return found


def parts(network, channels):
    """Return of how many networks that never exchange a number a network consists."""
    whole = []
    for outputs in reached(network, channels):
        apart = [one for one in whole if not one & outputs]
        whole = [*apart, outputs.union(*(one for one in whole if one & outputs))]
    return len(whole)


def _groups(network):
    """Return the groups of each convolution, in the order in which they stand."""
    return [layer.groups for layer in network.modules() if isinstance(layer, nn.Conv2d)]


def groups_of_the_first(network, channels):
    """Look at the first layer alone."""
    return _groups(network)[0]


def most_groups(network, channels):
    """Take the layer with the most groups."""
    return max(_groups(network))


def common_factor(network, channels):
    """Take what all numbers of groups have in common, and overlook what moves channels."""
    return gcd(*_groups(network))


def one_with_a_shuffle(network, channels):
    """Count a network as joined as soon as a shuffle is there."""
    shuffled = any(isinstance(layer, ChannelShuffle) for layer in network.modules())
    return 1 if shuffled else common_factor(network, channels)


def share_of_the_first(network, channels):
    """Divide by what the first channel reaches, as if all parts were equally large."""
    outputs = set().union(*reached(network, channels))
    return len(outputs) // len(reached(network, channels)[0])


def different_sets(network, channels):
    """Count the different sets of outputs, though they may overlap."""
    return len(set(reached(network, channels)))


def disjoint_from_the_first(network, channels):
    """Open a part for each channel that shares no output with the first one of a part before."""
    firsts = []
    for outputs in reached(network, channels):
        if not any(one & outputs for one in firsts):
            firsts.append(outputs)
    return len(firsts)


def outputs_of_the_first(network, channels):
    """Return how many outputs channel 0 moves."""
    return len(reached(network, channels)[0])


def channels_of_a_part(network, channels):
    """Return how many channels a part has."""
    return channels // parts(network, channels)


_STACKS = [
    (4, "groups 1"),
    (8, "groups 8"),
    (12, "groups 12", "norm"),
    (4, "groups 2", "groups 2", "groups 2"),
    (4, "groups 2", "shuffle 2", "groups 2"),
    (4, "groups 2", "flip", "groups 2"),
    (6, "groups 2", "groups 3"),
    (6, "groups 3", "groups 2"),
    (6, "groups 6", "groups 3"),
    (6, "groups 3", "shuffle 3", "groups 3"),
    (6, "split 2"),
    (6, "split 2", "groups 6"),
    (6, "split 2", "flip", "split 4"),
    (6, "split 2", "flip", "split 2"),
    (6, "groups 6", "shuffle 3", "split 2"),
    (8, "groups 8", "norm", "groups 2"),
    (8, "groups 2", "norm", "groups 8"),
    (8, "groups 4 to 16", "groups 2 to 8"),
    (8, "groups 8", "shuffle 2", "groups 4"),
    (8, "groups 4", "shuffle 4", "groups 4"),
    (12, "groups 4", "groups 3"),
    (12, "groups 3", "groups 4"),
    (12, "groups 6", "groups 4"),
    (12, "groups 4", "norm", "groups 6"),
    (12, "groups 3", "norm", "groups 12"),
    (12, "groups 2", "groups 12", "groups 6"),
    (12, "groups 6", "groups 3", "groups 12"),
    (12, "groups 3", "groups 12", "groups 2"),
    (12, "groups 4", "shuffle 4", "groups 4"),
    (12, "groups 6", "shuffle 2", "groups 6"),
    (12, "groups 6", "shuffle 6", "groups 6"),
    (12, "groups 4", "shuffle 6", "groups 12"),
    (12, "groups 12", "shuffle 3", "groups 6"),
    (12, "split 3", "groups 12", "split 3"),
    (12, "split 8", "groups 3"),
    (12, "groups 4", "groups 3", "groups 12"),
]
CASES = [
    {"network": stack(channels, *layers), "channels": channels} for channels, *layers in _STACKS
]
