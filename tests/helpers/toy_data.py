"""Pictures that a small network learns in seconds: one bright band out of four says the class.

`python bands.py FOLDER` trains on them, as a process that a test can kill. The variable
DIE says where it dies: "epoch 2", "write 2" or "rename 2".
"""

import os
import sys
from functools import partial
from pathlib import Path

import torch
from PIL import Image
from torch import nn

from convbook.data import Dataset, Split
from convbook.train import TrainConfig, checkpoint, fit, fitting

CONFIG = TrainConfig(
    epochs=4, batch_size=32, max_lr=0.1, ema_decay=0.8, shift=1, cutout=3, precision="float32"
)


def bands():
    """Return four classes of 16 x 16 pictures."""
    generator = torch.Generator().manual_seed(0)

    def split(count):
        labels = torch.arange(count) % 4
        images = torch.randint(0, 200, (count, 3, 16, 16), generator=generator)
        bright = torch.arange(16) // 4 == labels[:, None]  # (N, H)
        return Split((images + 55 * bright[:, None, :, None]).to(torch.uint8), labels)

    return Dataset("bands", tuple("abcd"), split(256), split(64), split(64))


def write_folder(data, folder):
    """Write a data set as a folder of PNG files; all that is not for the test is for training."""
    parts = {"train": data.train, "held out": data.validation, "test": data.test}
    for name, split in parts.items():
        pixels = split.images.permute(0, 2, 3, 1).numpy()  # (N, H, W, C)
        for number, label in enumerate(split.labels.tolist()):
            where = folder / ("test" if name == "test" else "train") / data.classes[label]
            where.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels[number]).save(where / f"{name} {number:03}.png")


def network(norm=True):
    """Return a network with everything that has a state: batch norm, and dropout's numbers."""
    torch.manual_seed(3)
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    if norm:
        layers += [nn.BatchNorm2d(8), nn.Dropout(0.1)]
    return nn.Sequential(*layers, nn.Conv2d(8, 8, 3, padding=1), nn.Flatten(), nn.Linear(512, 4))


def die_in_epoch(number):
    """Make the process end in the middle of an epoch, as a power cut does."""
    train_epoch = fitting.train_epoch

    def cut_short(network, batches, *rest):
        def some(batches):
            for count, batch in enumerate(batches):
                if count == 2 and batches_seen["epochs"] == number:
                    os._exit(9)
                yield batch

        batches_seen["epochs"] += 1
        return train_epoch(network, some(batches), *rest)

    batches_seen = {"epochs": 0}
    fitting.train_epoch = cut_short


def die_in_write(number, complete=False):
    """Make the process end when half of the checkpoint after an epoch is written.

    With `complete`, all of it is written, but does not have its name yet.
    """
    save = torch.save

    def cut_short(state, path):
        save(state, path)
        if state["epoch"] == number:
            whole = Path(path).read_bytes()
            Path(path).write_bytes(whole if complete else whole[: len(whole) // 2])
            os._exit(9)

    torch.save = cut_short


DEATHS = {
    "epoch": die_in_epoch,
    "write": die_in_write,
    "rename": partial(die_in_write, complete=True),
}


def main(folder, *, resume):
    """Train in a folder, and die where the environment says."""
    if where := os.environ.get("DIE"):
        kind, number = where.split()
        DEATHS[kind](int(number))
    torch.set_num_threads(1)
    fit(network(), bands(), CONFIG, folder, resume=resume, progress=False)


if __name__ == "__main__":
    main(sys.argv[1], resume=(Path(sys.argv[1]) / checkpoint.CHECKPOINT).exists())
