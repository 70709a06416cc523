"""Folders of images, one folder per class, as torchvision's `ImageFolder` reads them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from convbook.data.dataset import RawParts, Split

# Colour or grey, as Pillow names them, and the channels of each.
CHANNELS = {"RGB": 3, "L": 1}


def read(folder: Path, progress: bool | None = None) -> RawParts:
    """Return (name, classes, train, test) of the images below `folder`."""
    classes = _classes(folder)
    parts = [_files(folder / part, classes) for part in ("train", "test")]
    first = parts[0][0][0]
    mode, size = _first_of(first)
    train, test = (
        Split(_pixels([path for path, _ in part], first, mode, size, progress),
              torch.tensor([label for _, label in part]))
        for part in parts
    )  # fmt: skip
    return folder.resolve().name, tuple(classes), train, test


def _classes(folder):
    """Return the classes, which `train/` and `test/` must have in common."""
    names = {}
    for part in ("train", "test"):
        if not (folder / part).is_dir():
            there = ", ".join(_folders(folder)) or "none"
            raise ValueError(
                f"{folder} has no folder {part!r} (it has: {there}); "
                "use a folder with train/CLASS/ and test/CLASS/"
            )
        names[part] = _folders(folder / part)
        if not names[part]:
            raise ValueError(f"{folder / part} has no folders; use one for each class")
    for part, other in (("test", "train"), ("train", "test")):
        if missing := sorted(set(names[other]) - set(names[part])):
            listed = ", ".join(map(repr, missing))
            raise ValueError(
                f"{folder / part} lacks {listed}, which {other}/ has; "
                "give both parts the same classes"
            )
    return names["train"]


def _folders(folder):
    return sorted(
        entry.name for entry in os.scandir(folder) if entry.is_dir() and _seen(entry.name)
    )


def _seen(name):
    """Return whether a name is not hidden, unlike .DS_Store or .ipynb_checkpoints."""
    return not name.startswith(".")


def _files(folder, classes):
    """Return (path, label) of each image, in the order of torchvision's `ImageFolder`.

    Its own function takes hidden files for images, and runs in circles where a link leads back.
    """
    from torchvision.datasets.folder import IMG_EXTENSIONS  # noqa: PLC0415 (slow to load)

    found: list[tuple[Path, int]] = []
    for label, name in enumerate(classes):
        before = len(found)
        for path in _walk(folder / name):
            if path.suffix.lower() in IMG_EXTENSIONS:
                found.append((path, label))
        if len(found) == before:
            endings = ", ".join(IMG_EXTENSIONS)
            raise ValueError(f"{folder / name} has no image; put some there ({endings})")
    return found


def _walk(folder):
    """Return the files below `folder`: links are followed, but no folder is read twice."""
    found, known = [], set()
    for here, below, names in os.walk(folder, followlinks=True):
        real = Path(here).resolve()
        if real in known:
            below.clear()
            continue
        known.add(real)
        below[:] = filter(_seen, below)
        found += [(here, name) for name in filter(_seen, names)]
    return [Path(here, name) for here, name in sorted(found)]


def _first_of(path):
    """Return mode and size of the image that all others must be like."""
    image = _image(path)
    if image.mode not in CHANNELS:
        raise ValueError(
            f"{path} has the mode {image.mode!r}; "
            "convert every image to 'RGB' (colour) or 'L' (grey) by Image.convert"
        )
    return image.mode, image.size


def _image(path):
    """Return an image, its pixels in memory and its file closed."""
    try:
        with Image.open(path) as image:
            image.load()
            return image
    except Exception as error:  # Pillow has many for what it cannot read
        raise OSError(
            f"{path} cannot be read as an image ({error}); replace or delete it"
        ) from error


def _pixels(paths, first, mode, size, progress):
    """Return the images as one tensor. Threads were tried: small files keep one core busy."""
    from tqdm import tqdm  # noqa: PLC0415 (only folders need it)

    width, height = size
    pixels = np.empty((len(paths), CHANNELS[mode], height, width), np.uint8)
    hidden = None if progress is None else not progress  # None: hidden unless in a terminal
    for place, path in enumerate(tqdm(paths, unit=" images", disable=hidden)):
        image = _image(path)
        if (image.mode, image.size) != (mode, size):
            raise ValueError(_differs(path, image, first, mode, size))
        pixels[place] = np.asarray(image).reshape(height, width, -1).transpose(2, 0, 1)
    return torch.from_numpy(pixels)


def _differs(path, image, first, mode, size):
    """Return what is wrong with an image that is not like the first, and the remedy."""
    is_, was = (f"{m} {w}x{h}" for m, (w, h) in ((image.mode, image.size), (mode, size)))
    remedy = f".convert({mode!r})" if image.mode != mode else ""
    remedy += f".resize({size})" if image.size != size else ""
    return f"{path} is {is_}, but {first} is {was}; make them alike, say by Image{remedy}"
