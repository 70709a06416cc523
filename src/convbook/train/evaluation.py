"""What a trained network makes of pictures that it did not learn from."""

import torch
import torch.nn.functional as F

from convbook.train.augment import to_float
from convbook.train.distributed import autocast
from convbook.train.scores import check_classes, class_scores

BATCH_SIZE = 1000


@torch.no_grad()
def predict(model, split, mirror=False, precision="float32"):
    """Return what a model gives for each class, for each picture of a split.

    Shapes:
        The result is float32 `(N, classes)`: logits, or with `mirror` logarithms of probabilities.

    Args:
        model: the `nn.Module`; it is put into evaluation mode meanwhile.
        split: images and labels, on any device.
        mirror: whether to average the probabilities of a picture and of its mirror image.
        precision: as in `TrainConfig`.

    Raises:
        ValueError: the split is empty, or the model gives something else than `(N, classes)`.

    Example:
        >>> from convbook import data
        >>> split = data.Split(torch.zeros(2, 3, 8, 8, dtype=torch.uint8), torch.zeros(2).long())
        >>> predict(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 10)), split).shape
        torch.Size([2, 10])
    """
    if not len(split):
        raise ValueError("split is empty; use one with pictures (validation=0 leaves none)")
    device = next((p.device for p in model.parameters()), split.images.device)
    was_training = model.training
    model.eval()
    outputs = []
    for images in split.images.split(BATCH_SIZE):
        x = to_float(images.to(device))
        with autocast(device, precision):
            logits = class_scores(model, x)
            if mirror:
                pair = [logits, class_scores(model, x.flip(-1))]
                pair = torch.stack(pair).float()  # (2, N, classes)
                logits = F.softmax(pair, -1).mean(0).log()
        outputs.append(logits.float())
    model.train(was_training)
    return torch.cat(outputs)


def evaluate(model, split, mirror=False, precision="float32"):
    """Return a model's accuracy and loss on a split.

    Shapes:
        `{"accuracy": from 0 to 1, "loss": the mean cross-entropy in nats, "images": their number}`.

    Args:
        model: the `nn.Module`; it is put into evaluation mode meanwhile.
        split: images and labels, on any device.
        mirror: whether to average the probabilities of a picture and of its mirror image; report
            such an accuracy apart.
        precision: as in `TrainConfig`.

    Raises:
        ValueError: the split is empty, or the model does not give a score for each class.

    Example:
        >>> from convbook import data
        >>> split = data.Split(torch.zeros(2, 3, 8, 8, dtype=torch.uint8), torch.zeros(2).long())
        >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 10))
        >>> sorted(evaluate(model, split))
        ['accuracy', 'images', 'loss']
    """
    logits = predict(model, split, mirror, precision)
    labels = split.labels.to(logits.device)
    check_classes(model, logits, labels.max().item() + 1)
    return {
        "accuracy": (logits.argmax(1) == labels).double().mean().item(),
        "loss": F.cross_entropy(logits, labels).item(),
        "images": len(split),
    }
