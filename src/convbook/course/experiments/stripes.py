"""Chapter 9: stripes in two channels, which no two networks side by side can compare."""

import torch
import torch.nn.functional as F
from torch import nn

from convbook.course.experiments._steps import train_steps
from convbook.nn import ChannelShuffle

# name -> groups, what stands behind each layer, and how many maps
KINDS = {
    "one group": (1, nn.Identity(), 16),
    "two groups": (2, nn.Identity(), 16),
    "two, wider": (2, nn.Identity(), 32),
    "two, shuffled": (2, ChannelShuffle(2), 16),
}
STEPS, EVERY = 160, 20  # of a training, and from one look at the accuracy to the next
PIXELS = 8


def network(groups, between, width):
    """Return three convolutions that say whether two channels agree: two scores.

    Args:
        groups: of each convolution.
        between: a module that stands behind each of them, such as a shuffle.
        width: maps of each.

    Example:
        >>> sum(p.numel() for p in network(*KINDS["two groups"]).parameters())
        2530
    """
    layers = []
    for c_in in (2, width, width):
        layers += [nn.Conv2d(c_in, width, 3, padding=1, groups=groups), nn.ReLU(), between]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(width, 2))


def pictures(count, generator):
    """Draw stripes in two channels, each horizontal or vertical, and say where both agree.

    The stripes begin anywhere and are a little noisy.

    Shapes:
        `(count, 2, 8, 8)`, and `(count,)`: 1 where both run the same way, else 0.

    Args:
        count: how many.
        generator: of the random numbers.

    Example:
        >>> x, same = pictures(4, torch.Generator().manual_seed(0))
        >>> x.shape, same.shape
        (torch.Size([4, 2, 8, 8]), torch.Size([4]))
    """
    vertical = torch.randint(0, 2, (count, 2), generator=generator)
    place = torch.arange(float(PIXELS)).expand(PIXELS, PIXELS)  # rises along a row
    places = torch.stack([place.T, place])
    phase = 2 * torch.pi * torch.rand(count, 2, 1, 1, generator=generator)
    noise = torch.randn(count, 2, PIXELS, PIXELS, generator=generator) / 4
    waves = torch.sin(1.5 * places[vertical] + phase)
    return waves + noise, (vertical[:, 0] == vertical[:, 1]).long()


def accuracies(model, seed, steps=STEPS):
    """Train a network on new pictures in each step, and say how it does on others.

    Adam's learning rate falls from 0.01 to a twentieth of that.

    Shapes:
        A list of shares of right answers, before training and after every `EVERY` steps, on 1,000
        pictures; and the mean cross-entropy on them in the end.

    Args:
        model: takes `(N, 2, 8, 8)` and returns two scores; it is changed in place.
        seed: of the pictures.
        steps: each with 32 pictures.

    Example:
        >>> shares, loss = accuracies(network(*KINDS["two groups"]), seed=0, steps=20)
        >>> len(shares), loss > 0
        (2, True)
    """
    generator = torch.Generator().manual_seed(seed)
    others, answers = pictures(1000, generator)
    shares = []

    def look(step):
        if step % EVERY == 0:
            with torch.no_grad():
                right = model(others).argmax(1) == answers
            shares.append(right.double().mean().item())

    look(0)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1, 0.05, steps)
    batches = (pictures(32, generator) for _ in range(steps))
    train_steps(model, batches, F.cross_entropy, optimiser, schedule, look)
    with torch.no_grad():
        return shares, F.cross_entropy(model(others), answers).item()
