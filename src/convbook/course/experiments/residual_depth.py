"""Stacks of equal blocks, with and without skips: what chapter 7 trains and compares."""

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import nn

from convbook._checks.arguments import integer
from convbook.nn import ResidualBlock
from convbook.nn.blocks import conv_block, head
from convbook.train import TrainConfig, fit


class PlainBlock(ResidualBlock):
    """A `ResidualBlock` whose shortcut is left out: the same layers, nothing added.

    At stride 1 with equal channels it has the same parameters and MACs as the block with the skip.
    Elsewhere it still holds the projection, which it does not use.

    Shapes:
        input `(N, in_channels, H, W)` -> `(N, out_channels, H_out, W_out)`, where `(H_out, W_out)`
        is `conv_output_size((H, W), 3, stride, padding=1)`.

    Args:
        in_channels: of the input, at least 1.
        out_channels: of the output, at least 1.
        stride: of the first convolution, at least 1, an int or a pair.

    Raises:
        ValueError: a value is out of range.
        TypeError: a value is not an integer.

    Example:
        >>> import torch
        >>> PlainBlock(8, 8)(torch.ones(1, 8, 4, 4)).shape
        torch.Size([1, 8, 4, 4])

    Source: He, Zhang, Ren and Sun, arXiv 1512.03385, section 3.3 (plain network).
    """

    def forward(self, input):
        x = self.relu(self.bn1(self.conv1(input)))
        return self.relu(self.bn2(self.conv2(x)))


def stack_of_blocks(block, count, width=16, classes=10):
    """Return a small classifier with `count` equal blocks on maps of a quarter of the size.

    A convolution and two max-pools come first, global average pooling and a linear layer last. All
    blocks keep the shape, so that no skip needs a projection.

    Shapes:
        `(N, 3, H, W)`, H and W at least 4, to `(N, classes)`.

    Args:
        block: called with the channels in and out, such as `ResidualBlock` or `PlainBlock`.
        count: how many blocks, at least 1.
        width: channels of each map, at least 1.
        classes: how many scores, at least 1.

    Raises:
        ValueError: a value is out of range.
        TypeError: a value is not an integer.

    Example:
        >>> one, other = (stack_of_blocks(block, 2) for block in (PlainBlock, ResidualBlock))
        >>> [sum(p.numel() for p in network.parameters()) for network in (one, other)]
        [9978, 9978]

    Source: chapter 7.
    """
    count = integer(count, "count", 1)
    width, classes = integer(width, "width", 1), integer(classes, "classes", 1)
    blocks = nn.Sequential(*[block(width, width) for _ in range(count)])
    start = nn.Sequential(conv_block(3, width, pool=True), nn.MaxPool2d(2))
    return nn.Sequential(OrderedDict(start=start, blocks=blocks, head=head(width, classes)))


def run(seed: int, block: Callable[[int, int], nn.Module], count: int, data, **config) -> dict:
    """Train one stack with one seed and return what is recorded of it.

    Args:
        seed: of the first weights and of the order of the pictures.
        block: as for `stack_of_blocks`.
        count: how many blocks.
        data: from `convbook.data.load`.
        config: further fields of `TrainConfig`.
    """
    torch.manual_seed(seed)
    model = stack_of_blocks(block, count)
    done = fit(model, data, TrainConfig(**config, seed=seed), progress=False)
    return {
        "seed": seed,
        "training_loss": [round(row["loss"], 4) for row in done.epochs],
        "validation_accuracy": [row["validation_accuracy"] for row in done.epochs],
        "test_accuracy": done.test["accuracy"],
        "seconds": round(done.seconds, 1),
    }
