"""A label for each pixel: the task and the networks that chapter 10 compares.

The pictures show grey strips, and the last two pixels of each are red or blue at one end. Each
pixel of a strip is to get the colour of its tip, which may be far away; the others are ground. So
a network has to see far, and has to find the borders to the pixel.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convbook._checks.arguments import integer
from convbook.course.experiments._steps import train_steps
from convbook.nn.blocks import conv_block
from convbook.train.augment import to_float

SIZE = 32
LANE = 10  # pixels across in which one strip lies
TIP = 2  # pixels along
CLASSES = ("ground", "red", "blue")


class Strips(NamedTuple):
    """Pictures of strips, and what is known of each pixel.

    Shapes:
        images: `(N, 3, 32, 32)`, uint8.
        labels: `(N, 32, 32)`, int64, the position in `CLASSES`.
        steps: `(N, 32, 32)`, int64: pixels along the strip to its tip; 0 on tips and ground.
    """

    images: Tensor
    labels: Tensor
    steps: Tensor

    @property
    def borders(self):
        """Whether a pixel has another label among its eight neighbours, as bools `(N, 32, 32)`."""
        labels = self.labels.double()
        most, least = (sign * F.max_pool2d(sign * labels, 3, 1, 1) for sign in (1, -1))
        return most != least


def make_strips(count, seed=0):
    """Return `count` pictures of three strips each, the same at each call.

    Half of the pictures have strips that lie, the others strips that stand. Places, lengths,
    widths, brightness, the end that is coloured, its colour and the noise are random.

    Args:
        count: how many pictures, at least 1.
        seed: where the random numbers start.

    Raises:
        ValueError: a value is out of range.
        TypeError: a value is not an integer.

    Example:
        >>> strips = make_strips(4)
        >>> strips.images.shape, strips.labels.unique().tolist()
        (torch.Size([4, 3, 32, 32]), [0, 1, 2])

    Source: chapter 10.
    """
    count, seed = integer(count, "count", 1), integer(seed, "seed", 0)
    rng = np.random.default_rng(seed)
    pictures = rng.integers(-40, 41, (count, 3, SIZE, SIZE))  # the noise
    pictures += rng.integers(50, 91, (count, 1, 1, 1))  # the ground
    labels, steps = np.zeros((2, count, SIZE, SIZE), np.int64)
    for one in range(count):
        for lane in range(1, SIZE - LANE, LANE):
            _draw_strip(pictures[one], labels[one], steps[one], lane, rng)
    for array in (pictures, labels, steps):
        array[::2] = array[::2].swapaxes(-1, -2)
    images = torch.from_numpy(pictures.clip(0, 255).astype(np.uint8))
    return Strips(images, torch.from_numpy(labels), torch.from_numpy(steps))


def _draw_strip(picture, labels, steps, lane, rng):
    """Draw a strip that lies in one lane of one picture."""
    thick, long = rng.integers(4, 8), rng.integers(20, 31)
    top = lane + rng.integers(0, LANE - thick)  # at least one row of ground to the next lane
    left = rng.integers(0, SIZE - long + 1)
    colour = rng.integers(1, len(CLASSES))
    inside = slice(top, top + thick), slice(left, left + long)
    away = np.maximum(np.arange(long) - (TIP - 1), 0)
    if rng.integers(0, 2):
        away = away[::-1]
    picture[:, *inside] += rng.integers(60, 101)
    hue = np.array([[50, -50], [-50, -50], [-50, 50]])[:, colour - 1]
    picture[:, *inside] += hue[:, None, None] * (away == 0)
    labels[inside], steps[inside] = colour, away


def rows_of(strips, count):
    """Return the first `count` rows that cross a strip that lies, from `make_strips`.

    Shapes:
        images `(count, 3, 32)`, labels and steps `(count, 32)`.

    Example:
        >>> rows_of(make_strips(8), 20).images.shape
        torch.Size([20, 3, 32])
    """
    lying = Strips(*[part[1::2] for part in strips])
    images = lying.images.movedim(2, 1)  # (N, 3, H, W) to (N, H, 3, W)
    rows = [part.flatten(0, 1) for part in (images, lying.labels, lying.steps)]
    crossing = rows[1].any(dim=1).nonzero().flatten()[:count]
    return Strips(*[part[crossing] for part in rows])


def row_stack(dilations, width=16):
    """Return the layers of `dilated_stack` for single rows.

    Shapes:
        `(N, 3, W)` to `(N, 3, W)`: a score for each of the `CLASSES`.

    Example:
        >>> row_stack([4] * 7)(torch.zeros(2, 3, 32)).shape
        torch.Size([2, 3, 32])
    """
    layers, channels = [], 3
    for d in dilations:
        layer = nn.Conv1d(channels, width, 3, padding=d, dilation=d)
        layers += [layer, nn.BatchNorm1d(width), nn.ReLU()]
        channels = width
    return nn.Sequential(*layers, nn.Conv1d(width, len(CLASSES), 1))


def trained_on_rows(dilations, seed, count=1000):
    """Return a `row_stack` after three epochs on `count` rows: two seconds or so."""
    torch.manual_seed(seed)
    network = row_stack(dilations)
    train(network, rows_of(make_strips(200), count), epochs=3, batch=20)
    return network


def accuracy_by_steps(found, strips, most):
    """Return the share of right answers on strips at 0 to `most` steps from the tip.

    Shapes:
        found: as `predict` gives it, the shape of the labels.
    """
    right, strip = found == strips.labels, strips.labels > 0
    return [_accuracy(right, strip & (strips.steps == steps)) for steps in range(most + 1)]


def mean_in_percent(curves):
    """Return the mean of several curves of shares, in percent.

    Example:
        >>> mean_in_percent([[0.5, 1.0], [1.0, 1.0]])
        [75.0, 100.0]
    """
    return [100 * sum(of) / len(of) for of in zip(*curves, strict=True)]


def begin_with_identity(model, noise=0.01):
    """Let each 3 x 3 layer begin by handing on its input, and a little noise; in place.

    Filter o copies channel o, or, where there are more filters than channels, begins again at the
    first.

    Example:
        >>> model = dilated_stack([4])
        >>> begin_with_identity(model, noise=0)
        >>> model[0][0].weight[5, :, 1, 1].tolist()
        [0.0, 0.0, 1.0]

    Source: Yu and Koltun, arXiv 1511.07122, section 3.
    """
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3):
            nn.init.normal_(layer.weight, std=noise)
            for o in range(layer.out_channels):
                layer.weight.data[o, o % layer.in_channels, 1, 1] += 1


def dilated_stack(dilations, width=16, classes=3):
    """Return a stack of 3 x 3 layers with these dilations, which keeps the size, and a 1 x 1.

    Each layer has batch norm and ReLU. Parameters and MACs do not depend on the dilations.

    Shapes:
        `(N, 3, H, W)` to `(N, classes, H, W)`: scores for each pixel.

    Args:
        dilations: one int per layer, each at least 1.
        width: channels of each map, at least 1.
        classes: how many scores, at least 1.

    Raises:
        ValueError: a value is out of range.
        TypeError: a value is not an integer.

    Example:
        >>> stacks = dilated_stack([1, 1, 1]), dilated_stack([1, 2, 4])
        >>> [sum(p.numel() for p in stack.parameters()) for stack in stacks]
        [5187, 5187]

    Source: Yu and Koltun, arXiv 1511.07122, section 3.
    """
    width, classes = integer(width, "width", 1), integer(classes, "classes", 1)
    channels, layers = 3, []
    for dilation in dilations:
        layers.append(conv_block(channels, width, dilation=integer(dilation, "dilations", 1)))
        channels = width
    return nn.Sequential(*layers, nn.Conv2d(channels, classes, kernel_size=1))


def pooled_stack(width=16, classes=3):
    """Return seven 3 x 3 layers with two max-pools between them; the scores are upsampled by 4.

    It has the parameters of `dilated_stack` with seven layers. The upsampling is bilinear.

    Shapes:
        `(N, 3, H, W)`, H and W multiples of 4, to `(N, classes, H, W)`.

    Args:
        width: channels of each map, at least 1.
        classes: how many scores, at least 1.

    Raises:
        ValueError: a value is out of range.
        TypeError: a value is not an integer.

    Example:
        >>> sum(p.numel() for p in pooled_stack().parameters())
        14531

    Source: Long, Shelhamer and Darrell, arXiv 1411.4038, section 3.3.
    """
    stack = dilated_stack([1] * 7, width, classes)
    for place in (4, 2):  # the later one first, so that the earlier place is still right
        stack.insert(place, nn.MaxPool2d(2))
    return stack.append(nn.Upsample(scale_factor=4, mode="bilinear"))


class SmallUNet(nn.Module):
    """A small U-Net: three halvings, three doublings, and a skip across each pair.

    A skip joins the map before a halving to the one after the doubling, as further channels. Each
    of the seven 3 x 3 layers has batch norm and ReLU; the upsampling repeats each number 2 x 2
    times. With 13 channels it has about as many parameters as `dilated_stack` with seven layers of
    16.

    Shapes:
        `(N, 3, H, W)`, H and W multiples of 8, to `(N, classes, H, W)`.

    Args:
        width: channels of each map, at least 1.
        classes: how many scores, at least 1.

    Raises:
        ValueError: a value is out of range.
        TypeError: a value is not an integer.

    Example:
        >>> sum(p.numel() for p in SmallUNet().parameters())
        14264

    Source: Ronneberger, Fischer and Brox, arXiv 1505.04597 (there: padding 0, more channels).
    """

    def __init__(self, width=13, classes=3):
        super().__init__()
        width, classes = integer(width, "width", 1), integer(classes, "classes", 1)
        self.down = nn.ModuleList([conv_block(c, width) for c in (3, width, width)])
        self.bottom = conv_block(width, width)
        self.up = nn.ModuleList([conv_block(2 * width, width) for _ in range(3)])
        self.scores = nn.Conv2d(width, classes, kernel_size=1)

    def forward(self, x):
        """Return the scores."""
        kept = []
        for block in self.down:
            x = block(x)
            kept.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottom(x)
        for block in self.up:
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat([x, kept.pop()], dim=1))
        return self.scores(x)


# What makes each network that the chapter compares. All but the one with skips have equal layers.
NETWORKS = {
    "plain": partial(dilated_stack, [1] * 7),
    "dilated": partial(dilated_stack, [1, 1, 2, 4, 8, 16, 1]),
    "pooled": pooled_stack,
    "with skips": SmallUNet,
    "fixed dilation": partial(dilated_stack, [4] * 7),
}


@torch.no_grad()
def reach(model):
    """Return the least and the most that an output sees to one side, along a row.

    In a network that halves its maps it depends on where the output stands. With weights above 0
    and no bias, what a lit pixel reaches is above 0, whatever maximum it goes through.

    Example:
        >>> reach(dilated_stack([1, 4])), reach(pooled_stack())
        ((5, 5), (20, 23))
    """
    model = model.double().eval()
    for name, parameter in model.named_parameters():
        parameter.fill_(0.0 if name.endswith("bias") else 0.1)
    lit = torch.zeros(8, 3, 8, 128, dtype=torch.float64)
    for place in range(8):  # one for each place within three halvings
        lit[place, :, 4, 60 + place] = 1
    places, outputs = model(lit).sum(dim=(1, 2)).nonzero(as_tuple=True)
    away = outputs - (60 + places)
    sides = [
        (sign * away[outputs % 8 == phase]).max().item() for sign in (1, -1) for phase in range(8)
    ]
    return min(sides), max(sides)


def train(model, strips, epochs, seed=0, batch=10, max_lr=0.01):
    """Train a network on strips and return the mean loss of each epoch.

    Adam with one cycle of the learning rate; the order of the pictures depends on `seed` only.

    Args:
        model: from `(N, 3, H, W)`, numbers from -1 to 1, to scores for each pixel.
        strips: from `make_strips`, a multiple of `batch` pictures.
        epochs: how often each picture is seen, at least 1.
        seed: of the order.
        batch: pictures in each step, at least 1.
        max_lr: the largest learning rate.

    Raises:
        ValueError: a value is out of range, or `batch` does not divide the number of pictures.
        TypeError: a value is not an integer.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> losses = train(dilated_stack([1]), make_strips(40), epochs=2)
        >>> losses[1] < losses[0]
        True

    Source: Kingma and Ba, arXiv 1412.6980 (Adam); Smith and Topin, arXiv 1708.07120 (one cycle).
    """
    epochs, batch = integer(epochs, "epochs", 1), integer(batch, "batch", 1)
    count = len(strips.images)
    if count % batch:
        raise ValueError(f"batch={batch} does not divide {count} pictures; use a divisor")
    generator = torch.Generator().manual_seed(integer(seed, "seed", 0))
    optimiser = torch.optim.Adam(model.parameters())
    steps = epochs * count // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr, total_steps=steps)
    model.train()
    means = []
    for _ in range(epochs):
        order = torch.randperm(count, generator=generator).split(batch)
        batches = ((to_float(strips.images[some]), strips.labels[some]) for some in order)
        losses = train_steps(model, batches, F.cross_entropy, optimiser, schedule)
        means.append(sum(losses) / len(losses))
    return means


@torch.no_grad()
def predict(model, strips):
    """Return the label that a network gives to each pixel, in evaluation mode.

    Shapes:
        `(N, H, W)`, int64.

    Args:
        model: from `(N, 3, H, W)`, numbers from -1 to 1, to scores for each pixel.
        strips: from `make_strips`.

    Example:
        >>> predict(dilated_stack([1]), make_strips(2)).shape
        torch.Size([2, 32, 32])
    """
    model.eval()
    return torch.cat([model(to_float(some)).argmax(1) for some in strips.images.split(100)])


def run(
    seed: int, name: str, strips: Strips, test: Strips, far: int, prepare=None, **settings
) -> tuple:
    """Train one of `NETWORKS` with one seed; return what is recorded of it, and its predictions.

    Shapes:
        the predictions are `(N, H, W)`, int64, one picture for each of `test`.

    Args:
        seed: of the first weights and of the order of the pictures.
        name: a key of `NETWORKS`.
        strips: to train on.
        test: to judge it by.
        far: pixels with more steps than this to their tip count in `far_accuracy`.
        prepare: called with the network before it is trained.
        settings: further arguments of `train`.
    """
    torch.manual_seed(seed)
    model = NETWORKS[name]()
    if prepare:
        prepare(model)
    losses = train(model, strips, seed=seed, **settings)
    found = predict(model, test)
    right = found == test.labels
    result = {
        "seed": seed,
        "training_loss": [round(loss, 4) for loss in losses],
        "accuracy": _accuracy(right, torch.ones_like(right)),
        "border_accuracy": _accuracy(right, test.borders),
        "far_accuracy": _accuracy(right, test.steps > far),
        "accuracy_by_steps": accuracy_by_steps(found, test, test.steps.max()),
    }
    return result, found


def _accuracy(right, chosen):
    """Return which share of the chosen pixels is right."""
    return round(right[chosen].double().mean().item(), 4)
