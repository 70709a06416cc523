"""Stacks of equal blocks, shallow and deep, with and without skips: what chapter 7 compares."""

import copy
import math
import time
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn

from convbook._checks.arguments import integer
from convbook.course.experiments._steps import train_steps
from convbook.course.experiments.segmentation import begin_with_identity
from convbook.data.dataset import Split
from convbook.nn import ResidualBlock
from convbook.nn.blocks import conv_block, head
from convbook.train import evaluate
from convbook.train.augment import to_float

# (what kind of stack, how many blocks, the learning rate at first), by the name in the record.
ARMS = {
    "plain 20": ("plain", 9, 0.02),
    "plain 56": ("plain", 27, 0.02),
    "residual 20": ("residual", 9, 0.02),
    "residual 56": ("residual", 27, 0.02),
    "plain 56, lower rate": ("plain", 27, 0.004),
    "plain 56, copying": ("plain, copying", 27, 0.02),
    "no norm, plain 20": ("plain, no norm", 9, 0.02),
    "no norm, plain 56": ("plain, no norm", 27, 0.02),
}
LONGEST = 1.0  # of the whole gradient, where no norm holds its size
CONFIG = {"epochs": 16, "batch": 32, "momentum": 0.9, "weight_decay": 1e-4, "drops": (8, 12)}
DELETED = (1, 2, 4, 8, 12)  # how many blocks at once
DRAWS = 5  # of blocks to delete at once
PICTURES = 500  # of the test, to see what a stack can do without a block
LOOKS = ("before", "after_an_epoch")
LOOKED_AT = 64  # pictures


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
    blocks keep the shape, so that no skip needs a projection. 9 blocks of two convolutions make 20
    layers with weights, 27 make 56.

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

    Source: He, Zhang, Ren and Sun, arXiv 1512.03385, section 4.2 (on three sizes of maps).
    """
    count = integer(count, "count", 1)
    width, classes = integer(width, "width", 1), integer(classes, "classes", 1)
    blocks = nn.Sequential(*[block(width, width) for _ in range(count)])
    start = nn.Sequential(conv_block(3, width, pool=True), nn.MaxPool2d(2))
    return nn.Sequential(OrderedDict(start=start, blocks=blocks, head=head(width, classes)))


def take_norms_out(stack):
    """Put nothing in the place of each batch norm in the blocks, and He's weights there; in place.

    Example:
        >>> stack = stack_of_blocks(PlainBlock, 2)
        >>> take_norms_out(stack)
        >>> sum(isinstance(layer, torch.nn.BatchNorm2d) for layer in stack.modules())
        1
    """
    for block in stack.blocks:
        block.bn1, block.bn2 = nn.Identity(), nn.Identity()
        for conv in (block.conv1, block.conv2):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")


def make(kind, count):
    """Return one of the stacks that `ARMS` names, with first weights of its kind.

    Example:
        >>> make("plain, copying", 1).blocks[0].conv1.weight[5, 5, 1, 1].round().item()
        1.0
    """
    stack = stack_of_blocks(ResidualBlock if "residual" in kind else PlainBlock, count)
    if "no norm" in kind:
        take_norms_out(stack)
    if "copying" in kind:
        begin_with_identity(stack.blocks)
    return stack


def train(
    model, split, seed, rate, epochs, batch, momentum, weight_decay, drops, longest=None, look=None
):
    """Train a classifier by SGD; return the mean loss and the share of errors of each epoch.

    Both are those of the steps themselves, on the pictures that the step is about to learn from.

    Args:
        model: the classifier, changed in place.
        split: pictures and labels.
        seed: of the order of the pictures.
        rate: the learning rate at first.
        epochs: how often each picture is seen.
        batch: pictures for a step.
        momentum: of SGD.
        weight_decay: on all parameters.
        drops: after how many epochs the rate is divided by ten.
        longest: to which a longer gradient is shortened.
        look: called before each epoch with the number of those done.

    Source: He, Zhang, Ren and Sun, arXiv 1512.03385, section 4.2.
    """
    generator = torch.Generator().manual_seed(seed)
    images = to_float(split.images).to(memory_format=torch.channels_last)
    model.train().to(memory_format=torch.channels_last)
    sgd = torch.optim.SGD(model.parameters(), rate, momentum, weight_decay=weight_decay)
    steps = len(images) // batch
    schedule = torch.optim.lr_scheduler.MultiStepLR(sgd, [steps * epoch for epoch in drops], 0.1)
    if longest:

        def shorten(*_):
            torch.nn.utils.clip_grad_norm_(model.parameters(), longest)

        sgd.register_step_pre_hook(shorten)
    wrong, found = [], {"loss": [], "error": []}

    def loss(scores, labels):
        wrong.append((scores.argmax(1) != labels).float().mean().item())
        return F.cross_entropy(scores, labels)

    for epoch in range(epochs):
        if look:
            look(epoch)
        order = torch.randperm(len(images), generator=generator)[: steps * batch].split(batch)
        batches = ((images[some], split.labels[some]) for some in order)
        losses = train_steps(model, batches, loss, sgd, schedule)
        found["loss"].append(sum(losses) / steps)
        found["error"].append(sum(wrong[-steps:]) / steps)
    return found


def run(seed, arm, training, test, config=CONFIG):
    """Train the stack `arm` with one seed; return what is recorded of it.

    Of a stack with batch norm this is also its accuracy on the test pictures when blocks are
    deleted.
    """
    kind, count, rate = ARMS[arm]
    torch.manual_seed(seed)
    model, began, done = make(kind, count), time.perf_counter(), {"seed": seed}

    def look(epoch):
        if epoch < len(LOOKS):
            done[LOOKS[epoch]] = what_passes(model, training)

    longest = LONGEST if "no norm" in kind else None
    found = train(model, training, seed, rate, **config, longest=longest, look=look)
    done |= {name: [_rounded(value) for value in values] for name, values in found.items()}
    done["seconds"] = round(time.perf_counter() - began, 1)
    done["test_accuracy"] = _accuracy(model, test)
    if "no norm" not in kind:
        done |= delete_blocks(model, test, seed)
    return done


def what_passes(model, split):
    """Return what becomes of pictures in the blocks, and of the loss's gradient on its way back.

    `signal` and `gradient` say how large they are at the far end, as a share of where they began:
    behind the blocks, and before them. `likeness` is the mean cosine between the maps of two
    pictures, before the blocks and behind them.
    """
    twin = copy.deepcopy(model).train()
    x = twin.start(to_float(split.images[:LOOKED_AT])).detach().requires_grad_()
    y = twin.blocks(x)
    loss = F.cross_entropy(twin.head(y), split.labels[:LOOKED_AT])
    first, last = torch.autograd.grad(loss, (x, y))
    size = torch.linalg.vector_norm
    return {
        "signal": float(f"{(size(y) / size(x)).item():.3g}"),
        "gradient": float(f"{(size(first) / size(last)).item():.3g}"),
        "likeness": [round(_likeness(maps), 4) for maps in (x, y)],
    }


def _likeness(maps):
    rows = F.normalize(maps.detach().flatten(1))
    cosines = rows @ rows.T
    count = len(rows)
    return (cosines.sum() - cosines.trace()).item() / (count * (count - 1))


def _rounded(value):
    """Return four digits; None of a run that has left the numbers."""
    return round(value, 4) if math.isfinite(value) else None


def _accuracy(model, split):
    return round(evaluate(model, split)["accuracy"], 4)


def delete_blocks(model, split, seed):
    """Return the accuracy without each block in turn, and without several at random.

    A deleted block is jumped over: what stands before it goes to what stands behind it.

    Source: Veit, Wilber and Belongie, arXiv 1605.06431, sections 4.1 and 4.2.
    """
    count, generator = len(model.blocks), torch.Generator().manual_seed(seed)
    split, several = Split(split.images[:PICTURES], split.labels[:PICTURES]), {}
    for number in DELETED:
        if number < count:
            draws = [torch.randperm(count, generator=generator)[:number] for _ in range(DRAWS)]
            several[str(number)] = [_accuracy(without(model, draw), split) for draw in draws]
    one = [_accuracy(without(model, [place]), split) for place in range(count)]
    return {"without_one": one, "without_several": several}


def without(model, places):
    """Return a stack that shares its layers with `model` and jumps over some of its blocks.

    Example:
        >>> len(without(stack_of_blocks(ResidualBlock, 5), [1, 3]).blocks)
        3
    """
    places = {int(place) for place in places}
    kept = [block for place, block in enumerate(model.blocks) if place not in places]
    parts = OrderedDict(start=model.start, blocks=nn.Sequential(*kept), head=model.head)
    return nn.Sequential(parts)
