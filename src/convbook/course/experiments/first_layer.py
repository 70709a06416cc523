"""What the first layer of a network learns, from stripes and from photographs: chapter 1.

The same small network learns from photographs, and from the same photographs with their pixels
scrambled, all in one and the same way. A fully connected one stands beside it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convbook.course.experiments._steps import train_steps
from convbook.train import evaluate
from convbook.train.augment import to_float

BATCH, RATE, DECAY = 100, 0.2, 5e-4
PASSES = 2  # through the training pictures
DIRECTIONS = ("vertical", "horizontal", "diagonal /", "diagonal \\")


def stripes(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return noisy pictures of stripes in four directions, and which of `DIRECTIONS` each has.

    Shapes:
        `(count, 1, 20, 20)`, float64, and `(count,)`.

    Example:
        >>> pictures, kinds = stripes(3, torch.Generator().manual_seed(0))
        >>> tuple(pictures.shape), tuple(kinds.shape)
        ((3, 1, 20, 20), (3,))
    """
    kinds = torch.randint(0, 4, (count,), generator=generator)
    steps = torch.arange(20.0).double()
    down, right = torch.meshgrid(steps, steps, indexing="ij")
    rising, falling = (right + down) / 2**0.5, (right - down) / 2**0.5
    along = torch.stack([right, down, rising, falling])[kinds]
    phase = 6.28 * torch.rand(count, 1, 1, generator=generator).double()
    noise = torch.randn(count, 20, 20, generator=generator).double()
    return (torch.sin(1.2 * along + phase) + noise)[:, None], kinds


def windows(classes: int = 10) -> nn.Sequential:
    """Return a small network that begins with 32 filters of 7 x 7, in three channels.

    Their first weights are a tenth of PyTorch's, so that what is learnt soon outweighs them; the
    batch norm behind them makes up for the size.

    Example:
        >>> windows()(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """
    network = nn.Sequential(
        nn.Conv2d(3, 32, 7, stride=2, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 64, 3, stride=2, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
        nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(9 * 64, classes),
    )  # fmt: skip
    with torch.no_grad():
        network[0].weight.mul_(0.1)
    return network


def connected(classes: int = 10) -> nn.Sequential:
    """Return a network whose 64 hidden units each have a weight for every pixel and channel.

    Example:
        >>> connected()(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """
    return nn.Sequential(
        nn.Flatten(), nn.Linear(3 * 32 * 32, 64, bias=False), nn.BatchNorm1d(64), nn.ReLU(),
        nn.Linear(64, classes),
    )  # fmt: skip


def scrambled(images: Tensor, seed: int = 0) -> Tensor:
    """Return the pictures with their pixels in another order, one and the same for all.

    Shapes:
        `(N, C, H, W)`, as it was.

    Example:
        >>> pair = torch.arange(4.0).reshape(1, 1, 2, 2).repeat(2, 1, 1, 1)
        >>> one, other = scrambled(pair)
        >>> bool((one == other).all()), one.flatten().sort().values.tolist()
        (True, [0.0, 1.0, 2.0, 3.0])
    """
    height, width = images.shape[-2:]
    order = torch.randperm(height * width, generator=torch.Generator().manual_seed(seed))
    return images.flatten(-2)[..., order].reshape(images.shape)


def alike(filters: Tensor) -> float:
    """Return how alike neighbouring weights are: near 1 if smooth, about 0 if unrelated.

    From each kernel its mean is subtracted first; then it is the mean product of neighbours, beside
    and below, divided by the mean square.

    Shapes:
        filters: `(N, C, k, k)`.

    Example:
        >>> alike(torch.tensor([[[[1.0, -1], [-1, 1]]]]))
        -1.0
        >>> alike(torch.tensor([[[[-1.0, 0, 1]] * 3]]))
        0.5
    """
    filters = filters - filters.mean(dim=(-2, -1), keepdim=True)
    beside = (filters[..., 1:] * filters[..., :-1]).mean()
    below = (filters[..., 1:, :] * filters[..., :-1, :]).mean()
    return ((beside + below) / 2 / filters.square().mean()).item()


def learn(network: nn.Module, training, test, seed: int, every: int) -> dict:
    """Train a classifier, `PASSES` times through the pictures, and measure it on the way.

    Args:
        network: changed in place.
        training: a `Split` of `convbook.data`.
        test: a `Split` on which it is measured.
        seed: of the order of the pictures.
        every: after so many steps it is measured.

    Returns:
        `seen`, the numbers of pictures seen, and `right`, the share of the test pictures that it
        then got right.
    """
    generator = torch.Generator().manual_seed(seed)
    passes = [torch.randperm(len(training), generator=generator) for _ in range(PASSES)]
    order = torch.cat(passes).split(BATCH)
    optimiser = torch.optim.SGD(
        network.parameters(), RATE, momentum=0.9, weight_decay=DECAY, nesterov=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, RATE, total_steps=len(order), pct_start=0.2
    )
    found = {"seen": [], "right": []}

    def measure(steps):
        if steps % every and steps < len(order):
            return
        found["seen"].append(min(steps * BATCH, PASSES * len(training)))
        found["right"].append(round(evaluate(network, test)["accuracy"], 4))
        network.train()

    measure(0)
    network.train()
    batches = ((to_float(training.images[one]), training.labels[one]) for one in order)
    train_steps(network, batches, F.cross_entropy, optimiser, schedule, after_step=measure)
    network.eval()
    return found
