"""The step that the experiments of chapters 10 to 12 have in common."""


def train_steps(model, batches, loss, optimiser, schedule, after_step=None):
    """Take one step of an optimiser, and of its schedule, per batch; return the losses.

    Shapes:
        A list of floats, one per batch.

    Args:
        model: called with `x`, changed in place.
        batches: pairs of `x` and what the model should give.
        loss: called with what the model gave and with what it should have given.
        optimiser: of `torch.optim`, over the model's parameters.
        schedule: of the optimiser's learning rate, stepped once per batch.
        after_step: called with the number of steps taken, after each.

    Example:
        >>> import torch
        >>> model = torch.nn.Linear(1, 1)
        >>> optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> schedule = torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1)
        >>> batch = torch.ones(4, 1), torch.zeros(4, 1)
        >>> first, second = train_steps(model, [batch] * 2, torch.nn.MSELoss(), optimiser, schedule)
        >>> second < first
        True
    """
    losses = []
    for step, (x, target) in enumerate(batches, start=1):
        error = loss(model(x), target)
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
        schedule.step()
        losses.append(error.item())
        if after_step:
            after_step(step)
    return losses
