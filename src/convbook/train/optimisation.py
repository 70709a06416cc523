"""How the weights move: SGD, one cycle of the learning rate, averaged weights."""

import copy
import itertools

import torch
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import get_ema_multi_avg_fn


def make_optimizer(model, config):
    """Return SGD that decays weights, but not biases and normalisation."""
    groups = {True: [], False: []}
    for parameter in model.parameters():
        if parameter.requires_grad:
            groups[parameter.ndim > 1].append(parameter)
    groups = [
        {"params": groups[True], "weight_decay": config.weight_decay},
        {"params": groups[False], "weight_decay": 0.0},
    ]
    rate, nesterov = config.max_lr, config.momentum > 0
    if config.cuda_graph:  # a graph keeps numbers as they were; it reads a tensor anew each time
        rate = torch.tensor(rate, device=next(model.parameters()).device)
    fused = config.cuda_graph or None
    return torch.optim.SGD(groups, rate, config.momentum, nesterov=nesterov, fused=fused)


def keep_rates_on(device, optimizer):
    """Move learning rates that are tensors (see `make_optimizer`) to the device of the weights."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"] = group["lr"].to(device)


def make_schedule(optimizer, config, steps):
    """Return one cycle of the learning rate: up, then down to almost nothing."""
    total, warmup = config.epochs * steps + 1, config.warmup
    if float(warmup * total) == 1:  # PyTorch would divide by a rise of no steps
        warmup *= 1 - 1e-9
    return OneCycleLR(
        optimizer,
        config.max_lr,
        total_steps=total,
        pct_start=warmup,
        anneal_strategy="linear",
        cycle_momentum=False,
        div_factor=10,
        final_div_factor=1000,
    )


def make_average(model, config):
    """Return a copy of the network that follows it slowly, or None."""
    return Average(model, config.ema_decay, config.ema_warmup) if config.ema_decay else None


class Average:
    """A copy of a network, whose weights and buffers are an exponential average over the steps.

    PyTorch's `AveragedModel` counts its steps on the GPU and asks for the count at every step, so
    that Python waits for the GPU each time; this one counts for itself.
    """

    def __init__(self, model, decay, warmup):
        self.module = copy.deepcopy(model)
        self.decay, self.warmup, self.steps = decay, warmup, 0

    @torch.no_grad()
    def update(self, model):
        """Move towards the network as it is after a step; the first time, take it over."""
        decay = self.decay
        if self.warmup:
            decay = min(decay, (1 + self.steps) / (10 + self.steps))
        move = get_ema_multi_avg_fn(decay if self.steps else 0.0)
        pairs = zip(_tensors(self.module), _tensors(model), strict=True)
        pairs = [pair for pair in pairs if pair[0].is_floating_point()]
        move(*map(list, zip(*pairs, strict=True)), None)
        self.steps += 1

    def network(self, model):
        """Return the averaged network; batch norm's count of batches is the model's own."""
        for mine, own in zip(self.module.buffers(), model.buffers(), strict=True):
            if not mine.is_floating_point():
                mine.copy_(own)
        return self.module

    def state_dict(self):
        """Return everything that is needed to go on."""
        return {"module": self.module.state_dict(), "steps": self.steps}

    def load_state_dict(self, state):
        """Take up what `state_dict` gave."""
        self.module.load_state_dict(state["module"])
        self.steps = state["steps"]


def _tensors(model):
    return itertools.chain(model.parameters(), model.buffers())
