"""Chapter 9: stripes in two channels, which no two networks side by side can compare."""

import torch
import torch.nn.functional as F

from convbook.course.experiments._steps import train_steps

EVERY = 30  # steps from one look at the accuracy to the next
PIXELS = 8


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


def accuracies(model, seed, steps=120):
    """Train a network on new pictures in each step, and return how often it is right on others.

    Adam's learning rate falls from 0.01 to a twentieth of that.

    Shapes:
        A list of shares, before training and after every `EVERY` steps, on 1,000 pictures.

    Args:
        model: takes `(N, 2, 8, 8)` and returns two scores; it is changed in place.
        seed: of the pictures.
        steps: each with 32 pictures.

    Example:
        >>> from torch import nn
        >>> len(accuracies(nn.Sequential(nn.Flatten(), nn.Linear(128, 2)), seed=0, steps=30))
        2
    """
    generator = torch.Generator().manual_seed(seed)
    others, answers = pictures(1000, generator)
    found = []

    def look(step):
        if step % EVERY == 0:
            with torch.no_grad():
                right = model(others).argmax(1) == answers
            found.append(right.double().mean().item())

    look(0)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1, 0.05, steps)
    batches = (pictures(32, generator) for _ in range(steps))
    train_steps(model, batches, F.cross_entropy, optimiser, schedule, look)
    return found
