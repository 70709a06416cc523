"""Training steps for an exercise of chapter 14, right and sick, and ways of judging them."""

from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from math import log

import torch
import torch.nn.functional as F
from torch import nn

STEPS = 30
BY_HEART = 0.1  # the loss of a batch that is known by heart


def one_batch():
    """Return a small network, a batch of noise with labels, and an optimizer: always the same.

    Example:
        >>> model, x, labels, optimizer = one_batch()
        >>> model(x).shape
        torch.Size([40, 10])
    """
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(40, 3, 4, 4, generator=generator)
    labels = torch.randint(10, (40,), generator=generator)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(48, 64), nn.ReLU(), nn.Linear(64, 10))
    return model, x, labels, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


@dataclass(frozen=True)
class Step:
    """A training step: the body of `step(model, x, labels, optimizer)`, on one line.

    It is shown as it is written, so that it can be pasted, even if its line was broken at spaces.

    Example:
        >>> Step("loss = F.cross_entropy(model(x), labels);   loss.backward()")
        Step('''loss = F.cross_entropy(model(x), labels); loss.backward()''')
    """

    source: str

    def __post_init__(self):
        object.__setattr__(self, "source", " ".join(self.source.split()))

    def __call__(self, model, x, labels, optimizer):
        """Take the step."""
        names = {"model": model, "x": x, "labels": labels, "optimizer": optimizer}
        exec(_compiled(self.source), {"torch": torch, "F": F, **names})

    def __repr__(self):
        return f"Step('''{self.source}''')"


@cache
def _compiled(source):
    return compile(source, "<step>", "exec")


_LOSS = "loss = F.cross_entropy(model(x), labels)"
_REST = "optimizer.zero_grad(); loss.backward(); optimizer.step()"
RIGHT = [
    f"{_LOSS}; {_REST}",
    f"optimizer.zero_grad(); {_LOSS}; loss.backward(); optimizer.step()",
    f"{_LOSS}; loss.backward(); optimizer.step(); optimizer.zero_grad()",
    f"loss = F.nll_loss(F.log_softmax(model(x), 1), labels); {_REST}",
    f"loss = F.cross_entropy(model(x.flip(0)), labels.flip(0)); {_REST}",
    f"loss = -model(x).log_softmax(1)[range(40), labels].mean(); {_REST}",
    f"i = torch.randperm(40); loss = F.cross_entropy(model(x[i]), labels[i]); {_REST}",
    f"loss = F.cross_entropy(model(x), labels, label_smoothing=0.02); {_REST}",
    f"{_LOSS} + 0.002 * sum(p.square().sum() for p in model.parameters()); {_REST}",
    f"optimizer.step(); optimizer.zero_grad(); {_LOSS}; loss.backward()",
]
SICK = {  # first those that a model survives which knows the batch already
    "zero_grad after backward": (
        f"{_LOSS}; loss.backward(); optimizer.zero_grad(); optimizer.step()"
    ),
    "softmax before cross-entropy": (
        f"loss = F.cross_entropy(model(x).softmax(1), labels); {_REST}"
    ),
    "detached": f"loss = F.cross_entropy(model(x).detach().requires_grad_(), labels); {_REST}",
    "no backward": f"{_LOSS}; optimizer.zero_grad(); optimizer.step()",
    "one picture": f"loss = F.cross_entropy(model(x[:1]), labels[:1]); {_REST}",
    "never set to zero": f"{_LOSS}; loss.backward(); optimizer.step()",
    "hardly a step": f"loss = 0.0001 * F.cross_entropy(model(x), labels); {_REST}",
    "clipped to almost nothing": (
        f"{_LOSS}; optimizer.zero_grad(); loss.backward(); "
        "torch.nn.utils.clip_grad_norm_(model.parameters(), 0.001); optimizer.step()"
    ),
    "its own answers": f"loss = F.cross_entropy(model(x), model(x).argmax(1)); {_REST}",
    "far too large a step": f"optimizer.param_groups[0]['lr'] = 10; {_LOSS}; {_REST}",
    "labels in another order": f"loss = F.cross_entropy(model(x), labels.flip(0)); {_REST}",
    "pictures in another order": f"loss = F.cross_entropy(model(x.roll(1, 0)), labels); {_REST}",
    "a new order each time": (
        f"loss = F.cross_entropy(model(x), labels[torch.randperm(40)]); {_REST}"
    ),
    "a class too far": f"loss = F.cross_entropy(model(x), (labels + 1) % 10); {_REST}",
    "upside down": f"loss = F.cross_entropy(-model(x), labels); {_REST}",
    "uphill": f"loss = -F.cross_entropy(model(x), labels); {_REST}",
    "uphill by option": f"optimizer.param_groups[0]['maximize'] = True; {_LOSS}; {_REST}",
}
CASES = [{"step": Step(source)} for source in (*RIGHT, *SICK.values())]


@cache  # it is the same each time, and a checker asks for it again and again
def loss_after(step, steps):
    """Return the loss after so many steps."""
    model, x, labels, optimizer = one_batch()
    torch.manual_seed(0)  # for steps that draw numbers
    for _ in range(steps):
        step(model, x, labels, optimizer)
    with torch.no_grad():
        return F.cross_entropy(model(x), labels).item()


def learns(step):
    """Return whether thirty steps learn the batch by heart."""
    return loss_after(step, STEPS) < BY_HEART


# ------------------------------------------------------------------ ways of judging that go wrong


def by_own_loss(step):
    """Go by the loss that the step minimises, whatever that is: it falls in most of them."""
    own = []
    source = step.source.replace("loss.backward()", "loss.backward(); own.append(loss.item())")
    model, x, labels, optimizer = one_batch()
    names = {"torch": torch, "F": F, "own": own}
    torch.manual_seed(0)
    for _ in range(STEPS):
        exec(source, names | {"model": model, "x": x, "labels": labels, "optimizer": optimizer})
    return bool(own) and own[-1] < BY_HEART


def after_one_step(step):
    """Go by the first step."""
    return loss_after(step, 1) < loss_after(step, 0)


def falls(step):
    """Be content if the loss is lower at the end."""
    return loss_after(step, STEPS) < loss_after(step, 0)


def weights_change(step):
    """Be content if the weights change."""
    model, x, labels, optimizer = one_batch()
    before = [p.clone() for p in model.parameters()]
    step(model, x, labels, optimizer)
    return any(not a.equal(b) for a, b in zip(before, model.parameters(), strict=True))


@cache
def _known():
    model, x, labels, optimizer = one_batch()
    for _ in range(10 * STEPS):
        Step(RIGHT[0])(model, x, labels, optimizer)
    return model, x, labels, optimizer


def on_a_model_that_knows(step):
    """Use one model for all steps: the right ones, which come first, have taught it the batch."""
    model, x, labels, optimizer = deepcopy(_known())
    torch.manual_seed(0)
    for _ in range(STEPS):
        step(model, x, labels, optimizer)
    with torch.no_grad():
        return F.cross_entropy(model(x), labels).item() < BY_HEART


def better_than_a_guess(step):
    """Be content if the network does better than a guess."""
    return loss_after(step, STEPS) < log(10)
