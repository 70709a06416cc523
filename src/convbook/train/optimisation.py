"""How the weights move: SGD, one cycle of the learning rate, averaged weights."""

import torch
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


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
    nesterov = config.momentum > 0
    return torch.optim.SGD(groups, config.max_lr, config.momentum, nesterov=nesterov)


def make_schedule(optimizer, config, steps):
    """Return one cycle of the learning rate: up, then down to almost nothing."""
    return OneCycleLR(
        optimizer,
        config.max_lr,
        total_steps=config.epochs * steps + 1,
        pct_start=config.warmup,
        anneal_strategy="linear",
        cycle_momentum=False,
        div_factor=10,
        final_div_factor=1000,
    )


def make_average(model, config):
    """Return a copy of the network that follows it slowly, or None."""
    if not config.ema_decay:
        return None
    decay = get_ema_multi_avg_fn(config.ema_decay)
    return AveragedModel(model, multi_avg_fn=decay, use_buffers=True)
