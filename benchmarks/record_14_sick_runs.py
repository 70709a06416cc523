"""Record for chapter 14: a healthy training run and eight sick ones, five seeds each.

python benchmarks/record_14_sick_runs.py

All train a small network on the book's shapes, 16 x 16, with as many steps. A sick run differs from
the healthy one in what its row of `RUNS` names. A run that is done is kept and not done again.
"""

import hashlib
import itertools
import json
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from convbook._files import atomic_write
from convbook.course import runs
from convbook.data import Split, shapes
from convbook.nn.blocks import conv_block, head
from convbook.train import TrainConfig
from convbook.train.fitting import epoch_batches
from convbook.train.provenance import check_committed, git

SEEDS = (0, 1, 2, 3, 4)
SIZES = {"train": 2000, "validation": 500, "test": 1000}
EPOCHS, BATCH = 12, 50
SCRIPT = "benchmarks/record_14_sick_runs.py"
CODE = (SCRIPT, "src/convbook/data", "src/convbook/nn", "src/convbook/train")  # makes the numbers
# What each run changes; an epoch is as many steps in each, so few pictures are seen more often.
HEALTHY = {
    "lr": 0.05,
    "width": 16,
    "pictures": 2000,  # to train on
    "augment": True,
    "shuffled": False,  # the labels to train on
    "softmax": False,  # before the loss, which has one of its own
    "eval_mode": True,  # for the validation pictures
    "leak": False,  # of the validation pictures into those to train on
}
RUNS = {
    "healthy": {},
    "high": {"lr": 8.0},
    "low": {"lr": 0.0005},
    "softmax": {"softmax": True},
    "shuffled": {"shuffled": True},
    "overfit": {"pictures": 200, "augment": False},
    "small": {"width": 1},
    "mode": {"eval_mode": False},
    "leak": {"pictures": 200, "augment": False, "leak": True},
}


def draw_splits(sizes):
    """Draw the three splits, 16 x 16; those to validate and test with are sorted by class."""
    drawn = shapes.draw(sum(sizes.values()), seed=14)
    images = F.avg_pool2d(drawn.images.float(), 2).round().byte()
    ends = torch.arange(len(images)).split([*sizes.values()])
    parts = {name: Split(images[i], drawn.labels[i]) for name, i in zip(sizes, ends, strict=True)}
    orders = {name: part.labels.argsort(stable=True) for name, part in parts.items()}
    ordered = {k: Split(p.images[orders[k]], p.labels[orders[k]]) for k, p in parts.items()}
    return ordered | {"train": parts["train"]}


def training_split(parts, settings, seed):
    """Return what a run trains on: as many pictures as there are, whatever is repeated."""
    train, count = parts["train"], settings["pictures"]
    images, labels = train.images[:count], train.labels[:count]
    if settings["leak"]:
        images = torch.cat([images, parts["validation"].images])
        labels = torch.cat([labels, parts["validation"].labels])
    if settings["shuffled"]:
        labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))]
    again = torch.arange(len(train)) % len(labels)
    return Split(images[again], labels[again])


def network_of(width):
    """Return a network of three convolutions."""
    first = [conv_block(3, width, pool=True), conv_block(width, 2 * width, pool=True)]
    return nn.Sequential(*first, conv_block(2 * width, 2 * width), head(2 * width, 10))


@torch.no_grad()
def measure(network, split, loss_of, train_mode=False, order=None):
    """Return mean loss, accuracy and how often each class is predicted."""
    network.train(train_mode)
    kept = [buffer.clone() for buffer in network.buffers()]
    order = torch.arange(len(split)) if order is None else order
    scores = torch.cat([network(split.images[i] / 127.5 - 1) for i in order.split(BATCH)])
    for buffer, before in zip(network.buffers(), kept, strict=True):
        buffer.copy_(before)  # looking must not change what is looked at
    labels, found = split.labels[order], scores.argmax(1)
    accuracy = (found == labels).double().mean().item()
    return loss_of(scores, labels).item(), accuracy, found.bincount(minlength=10).tolist()


def run(seed, settings, parts, epochs=EPOCHS):
    """Train once; return what each epoch and the end measured."""
    torch.manual_seed(seed)
    train, network = training_split(parts, settings, seed), network_of(settings["width"])
    validation, forgotten = parts["validation"], not settings["eval_mode"]
    shift = 2 if settings["augment"] else 0
    config = TrainConfig(batch_size=BATCH, shift=shift, flip=shift > 0, seed=seed)
    sgd = torch.optim.SGD(network.parameters(), settings["lr"], momentum=0.9)

    def loss_of(scores, labels):
        return F.cross_entropy(scores.softmax(1) if settings["softmax"] else scores, labels)

    series = {name: [] for name in ("train_loss", "loss", "train_accuracy", "accuracy", "gradient")}
    for epoch in range(epochs):
        network.train()
        losses, norms = [], []
        for x, labels in epoch_batches(train, config, epoch):
            loss = loss_of(network(x), labels)
            sgd.zero_grad()
            loss.backward()
            norms.append(nn.utils.get_total_norm([p.grad for p in network.parameters()]).item())
            sgd.step()
            losses.append(loss.item())
        loss, accuracy, found = measure(network, validation, loss_of, forgotten)
        row = (sum(losses) / len(losses), loss, measure(network, train, loss_of)[1], accuracy)
        for one, value in zip(series.values(), (*row, sum(norms) / len(norms)), strict=True):
            one.append(value)
    order = torch.randperm(len(validation), generator=torch.Generator().manual_seed(seed))
    reordered = measure(network, validation, loss_of, forgotten, order)[1]
    test = measure(network, parts["test"], loss_of)[1]
    return series | {"predicted": found, "reordered": reordered, "test": test}


def main(folder=None, sizes=SIZES, epochs=EPOCHS, seeds=SEEDS):
    """Train what is not done yet, print and write the file."""
    check_committed()  # before the minutes, not after them
    torch.set_num_threads(1)  # one thread waits for nobody
    parts = draw_splits(sizes)
    key = hashlib.sha256(git("rev-parse", *(f"HEAD:{path}" for path in CODE)).encode()).hexdigest()
    cache = Path(folder or tempfile.gettempdir()) / f"sick_runs_{key[:12]}"
    cache.mkdir(exist_ok=True)
    done = {name: [] for name in RUNS}
    for seed, name in itertools.product(seeds, RUNS):
        file = cache / f"{name}_{seed}.json"
        if not file.exists():
            result = json.dumps(run(seed, HEALTHY | RUNS[name], parts, epochs))
            with atomic_write(file) as partial:
                partial.write_text(result, "utf8")
        done[name].append(json.loads(file.read_text("utf8")))
        print(name, seed, done[name][-1]["accuracy"][-1], flush=True)
    table = [{"name": n, "settings": HEALTHY | RUNS[n], "seeds": done[n]} for n in RUNS]
    results = {"seeds": seeds, "sizes": sizes, "classes": shapes.CLASSES, "runs": table}
    runs.record("14_sick_runs", seeds[0], "shapes, made 16 x 16", results, folder)


if __name__ == "__main__":
    main()
