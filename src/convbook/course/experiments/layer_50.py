"""What reaches layer 50: signal and gradient in deep stacks, and their first steps of training."""

import torch
import torch.nn.functional as F
from torch import nn

from convbook._checks.arguments import integer

NETWORKS = ("plain", "batch_norm", "skip", "residual", "pre_activation")
INITIALISATIONS = ("default", "glorot", "he", "large", "zero")
WITH_SKIPS = ("skip", "residual", "pre_activation")  # what "zero" is for
CLASSES = 10


class Pair(nn.Module):
    """Two 3 x 3 convolutions with what stands around them in one of five networks.

    ================  ===============================================
    plain             `relu(conv(relu(conv(x))))`
    batch_norm        `relu(bn(conv(relu(bn(conv(x))))))`
    skip              `x + conv(relu(conv(relu(x))))`
    residual          `relu(x + bn(conv(relu(bn(conv(x))))))`
    pre_activation    `x + conv(relu(bn(conv(relu(bn(x))))))`
    ================  ===============================================

    The border is circular, so that every output adds up as many products, and there is no bias.

    Shapes:
        `(N, channels, H, W)` to the same.

    Args:
        network: one of `NETWORKS`.
        channels: of each map, at least 1.

    Raises:
        ValueError: there is no such network, or `channels` is out of range.

    Example:
        >>> Pair("skip", 4)(torch.ones(1, 4, 8, 8)).shape
        torch.Size([1, 4, 8, 8])

    Source: He et al., arXiv 1512.03385 (residual) and arXiv 1603.05027 (pre-activation).
    """

    def __init__(self, network: str, channels: int) -> None:
        super().__init__()
        self.network = _known(network, "network", NETWORKS)
        self.conv1, self.conv2 = _conv(channels), _conv(channels)
        norm = nn.Identity if network in ("plain", "skip") else nn.BatchNorm2d
        self.norm1, self.norm2 = norm(channels), norm(channels)

    def forward(self, x):
        """Return the maps behind both convolutions."""
        if self.network in ("skip", "pre_activation"):
            y = self.conv1(F.relu(self.norm1(x)))
            return x + self.conv2(F.relu(self.norm2(y)))
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(x + y if self.network == "residual" else y)


def initialise(pair, initialisation):
    """Draw the weights of a `Pair` anew, in place.

    Args:
        pair: the `Pair`.
        initialisation: "default" leaves PyTorch's own weights, "glorot" draws with variance
            1 / fan-in (fan-in and fan-out are equal here), "he" with 2 / fan-in, "large" draws
            twice He's weights. "zero" draws He's, and lets the branch beside a skip start with
            nothing to add: its last batch norm has weight 0 ("zero-gamma"), and where the branch
            ends with a convolution, that one does.

    Raises:
        ValueError: there is no such initialisation, or "zero" without a skip.

    Example:
        >>> pair, x = Pair("skip", 4), torch.ones(1, 4, 8, 8)
        >>> initialise(pair, "zero")
        >>> bool((pair(x) == x).all())
        True

    Source: Glorot and Bengio 2010; He et al., arXiv 1502.01852; Goyal et al., arXiv 1706.02677.
    """
    _known(initialisation, "initialisation", initialisations_for(pair.network))
    for conv in (pair.conv1, pair.conv2):
        if initialisation == "glorot":
            nn.init.xavier_normal_(conv.weight)
        elif initialisation != "default":
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        if initialisation == "large":
            conv.weight.data *= 2
    if initialisation == "zero":
        nn.init.zeros_(pair.norm2.weight if pair.network == "residual" else pair.conv2.weight)


def initialisations_for(network):
    """Return those that a network can have.

    >>> initialisations_for("plain")
    ('default', 'glorot', 'he', 'large')
    """
    return INITIALISATIONS if network in WITH_SKIPS else INITIALISATIONS[:-1]


def stack(network, initialisation, depth, channels=16):
    """Return a classifier as (start, pairs, end), its weights drawn.

    The start, a convolution of stride 2 with He's weights, is the same for all and does not count
    as a layer. The end pools and has a linear layer, behind a batch norm and a ReLU where a
    network's pairs end without.

    Args:
        network: one of `NETWORKS`.
        initialisation: of the pairs, as for `initialise`.
        depth: how many convolutions the pairs have, even and at least 2.
        channels: of each map, at least 1.

    Raises:
        ValueError: a value is out of range, or of no known name.

    Example:
        >>> start, pairs, end = stack("plain", "he", 50)
        >>> len(pairs), end(pairs(start(torch.ones(2, 3, 16, 16)))).shape
        (25, torch.Size([2, 10]))
    """
    if integer(depth, "depth", 2) % 2:
        raise ValueError(f"depth={depth} is odd; use an even number, two layers for each pair")
    start = nn.Sequential(_conv(channels, 3, stride=2))
    nn.init.kaiming_normal_(start[0].weight, nonlinearity="relu")
    pairs = nn.Sequential(*[Pair(network, channels) for _ in range(depth // 2)])
    for pair in pairs:
        initialise(pair, initialisation)
    end = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, CLASSES)]
    if network in ("skip", "pre_activation"):
        norm = [nn.BatchNorm2d(channels)] if network == "pre_activation" else []
        end = [*norm, nn.ReLU(), *end]
    else:
        start.append(nn.ReLU())
    return nn.Sequential(start, pairs, nn.Sequential(*end))


def reach(network, pictures, seed=0):
    """Return signal and gradient behind each pair of layers, as shares of what was sent in.

    Both are root mean squares. The signal is sent into the first pair; the gradient, random numbers
    of variance 1, into the last one's output: it is that of a random projection of the output.

    Shapes:
        Two lists of depth / 2 + 1 floats, from the input of the first pair to the output of the
        last: the signal starts with 1, the gradient ends with 1.

    Args:
        network: from `stack`.
        pictures: `(N, 3, H, W)`.
        seed: of the random gradient.

    Example:
        >>> signal, gradient = reach(stack("skip", "zero", 6), torch.rand(2, 3, 16, 16))
        >>> [round(share, 6) for share in signal]
        [1.0, 1.0, 1.0, 1.0]
    """
    start, pairs, _ = network
    maps = [start(pictures).detach().requires_grad_()]
    for pair in pairs:
        maps.append(pair(maps[-1]))
    generator = torch.Generator().manual_seed(seed)
    sent = torch.randn(maps[-1].shape, generator=generator, dtype=pictures.dtype)
    gradients = torch.autograd.grad(maps[-1], maps, sent)
    signal, gradient = [_rms(x) for x in maps], [_rms(g) for g in gradients]
    return [size / signal[0] for size in signal], [size / gradient[-1] for size in gradient]


def learn_by_heart(network, pictures, labels, rate, steps):
    """Train with the same pictures in each step; return the loss before each step, and after all.

    Plain gradient descent with momentum 0.9. From the first loss on that is no number the network
    is lost, and so are all that follow: they are None.

    Args:
        network: from `stack`, changed in place.
        pictures: `(N, 3, H, W)`.
        labels: `(N,)`.
        rate: the learning rate.
        steps: how many.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> pictures, labels = torch.rand(4, 3, 16, 16), torch.arange(4)
        >>> losses = learn_by_heart(stack("plain", "he", 2), pictures, labels, 0.1, steps=20)
        >>> len(losses), losses[-1] < losses[0]
        (21, True)
    """
    sgd = torch.optim.SGD(network.parameters(), rate, momentum=0.9)
    losses = []
    for step in range(steps + 1):
        loss = F.cross_entropy(network(pictures), labels)
        if not loss.isfinite():
            return losses + [None] * (steps + 1 - step)
        losses.append(loss.item())
        sgd.zero_grad()
        loss.backward()
        sgd.step()
    return losses


def _known(name, what, names):
    if name not in names:
        raise ValueError(f"{what}={name!r}; use {' or '.join(map(repr, names))}")
    return name


def _conv(channels, channels_in=None, stride=1):
    return nn.Conv2d(
        channels_in or channels, channels, 3, stride, 1, padding_mode="circular", bias=False
    )


def _rms(x):
    return x.detach().square().mean().sqrt().item()
