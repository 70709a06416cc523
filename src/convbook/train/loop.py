"""The training loop: pictures changed at random, a loss, a step."""

import torch
import torch.nn.functional as F

from convbook.train.augmentation import augment, draw_moves, shrink, small_size
from convbook.train.machine import ALONE, autocast


def epoch_seed(config, epoch):
    """Return the epoch's own seed: a run that goes on draws what it would have drawn."""
    return config.seed * 100_003 + epoch


def train_epoch(network, batches, optimizer, schedule, average, config):
    """Take one step per batch and return the mean loss."""
    network.train()
    losses = []
    for x, labels in batches:
        with autocast(x.device, config.precision):
            logits = network(x)
            loss = F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if average:
            average.update_parameters(network)
        losses.append(loss.detach())
    return torch.stack(losses).mean()


def epoch_batches(split, config, epoch, workers=ALONE):
    """Yield the changed pictures and the labels of one epoch; each process gets its share."""
    generator = torch.Generator().manual_seed(epoch_seed(config, epoch))
    order = torch.randperm(len(split), generator=generator)
    moves = draw_moves(len(split), split.images.shape[2:], config, generator)
    size = small_size(epoch, min(split.images.shape[2:]), config)
    layout = torch.channels_last if config.channels_last else torch.contiguous_format
    for start in range(0, len(split) // config.batch_size * config.batch_size, config.batch_size):
        chosen = order[start : start + config.batch_size][workers.rank :: workers.count]
        place = chosen.to(split.images.device)
        x = augment(split.images[place], moves[chosen], config.cutout)
        if size:
            x = shrink(x, size)
        yield x.contiguous(memory_format=layout), split.labels[place]
