"""What `load` returns: images and labels as tensors, in training, validation and test parts."""

import numbers
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from convbook._checks.tensors import check_layout

PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Images and their labels, whole in memory.

    Shapes:
        `images` is `(N, C, H, W)`, `labels` is `(N,)`.

    Args:
        images: uint8, 0 to 255.
        labels: int64, the position of each image's class.

    Raises:
        ValueError: a shape is another one, or the two lengths differ.
        TypeError: something is no tensor, or has another dtype.

    Example:
        >>> split = Split(torch.zeros(5, 3, 8, 8, dtype=torch.uint8), torch.arange(5))
        >>> len(split), split
        (5, Split(5 images, (3, 8, 8), cpu))

    Source: the layout of PyTorch's `Conv2d`, batch first and channels second.
    """

    images: Tensor
    labels: Tensor

    def __post_init__(self):
        """Refuse what is no batch of labelled images."""
        check_layout(self.images, "images", "(N, C, H, W)")
        check_layout(self.labels, "labels", "(N)")
        for name, dtype in (("images", torch.uint8), ("labels", torch.int64)):
            if (found := getattr(self, name).dtype) != dtype:
                raise TypeError(f"{name} has dtype {found}; use {dtype}")
        if len(self.images) != len(self.labels):
            raise ValueError(
                f"labels has {len(self.labels)} values for {len(self.images)} images; "
                "use one label for each image"
            )

    def __len__(self):
        return len(self.labels)

    def __repr__(self):
        return f"Split({len(self)} images, {tuple(self.images.shape[1:])}, {self.images.device})"

    def to(self, device):
        """Return the split with both tensors on `device`."""
        device = as_device(device)
        return Split(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True, eq=False, repr=False)
class Data:
    """A data set: its classes, and its images in three parts.

    Choose epochs and settings by `validation`. Evaluate on `test` once, when nothing is left to
    choose: a choice made on the test images makes their accuracy too good to be true.

    Shapes:
        `input_size` is `(C, H, W)`, the same for all parts; `mean` and `std` are `(C,)`.

    Args:
        name: of the data set.
        classes: the name of each label, in order.
        train: the `Split` to learn from, at least one image.
        validation: the `Split` held out of the training images; it may be empty.
        test: the `Split` for the last evaluation.
        held_out: where each validation image stood among all training images; None is after the
            last. `save` needs it to write them in their first order.

    Raises:
        ValueError: the parts do not fit together, or a label has no class.
        TypeError: a part is no `Split`, or `classes` holds something else than names.

    Example:
        >>> def grey(*labels):
        ...     return Split(torch.full((len(labels), 1, 8, 8), 51).byte(), torch.tensor(labels))
        >>> data = Data("grey", ["cat", "dog"], grey(0, 1, 1), grey(0), grey(1))
        >>> data
        Data('grey', 2 classes, 3 train, 1 validation, 1 test, (1, 8, 8), cpu)
        >>> data.mean
        tensor([0.2000])

    Source: the three parts are those of Hastie et al., The Elements of Statistical Learning, 7.2.
    """

    name: str
    classes: tuple
    train: Split
    validation: Split
    test: Split
    held_out: "Tensor | None" = None

    def __post_init__(self):
        """Refuse parts that do not fit together."""
        if isinstance(self.classes, str) or not all(isinstance(c, str) for c in self.classes):
            raise TypeError(f"classes={self.classes!r} is no list of names; use a list of strings")
        object.__setattr__(self, "classes", tuple(self.classes))
        if len(set(self.classes)) < len(self.classes):
            raise ValueError(f"classes={self.classes!r} has a name twice; use each name once")
        for part in PARTS:
            self._check_part(part, getattr(self, part))
        if not len(self.train):
            raise ValueError("train has no image; use at least one")
        if self.held_out is not None and len(self.held_out) != len(self.validation):
            raise ValueError(
                f"held_out has {len(self.held_out)} positions for {len(self.validation)} "
                "validation images; use one for each, or None"
            )

    def _check_part(self, name, split):
        if not isinstance(split, Split):
            raise TypeError(f"{name} is a {type(split).__name__}; use a Split(images, labels)")
        size = tuple(split.images.shape[1:])
        if size != self.input_size:
            raise ValueError(
                f"{name} has images of size {size}, train of {self.input_size}; use one size"
            )
        if len(split) and not 0 <= split.labels.min() <= split.labels.max() < len(self.classes):
            low, high = split.labels.min().item(), split.labels.max().item()
            raise ValueError(
                f"{name} has labels from {low} to {high}; "
                f"with {len(self.classes)} classes use 0 to {len(self.classes) - 1}"
            )

    def __repr__(self):
        parts = ", ".join(f"{len(getattr(self, part))} {part}" for part in PARTS)
        classes, device = len(self.classes), self.train.images.device
        return f"Data({self.name!r}, {classes} classes, {parts}, {self.input_size}, {device})"

    @property
    def input_size(self):
        """Channels, height and width of an image, as a model takes them."""
        return tuple(self.train.images.shape[1:])

    @cached_property
    def mean(self):
        """The mean of each channel of the training images, in 0..1, float32."""
        return self._moments[0]

    @cached_property
    def std(self):
        """The standard deviation of each channel of the training images, in 0..1, float32."""
        return self._moments[1]

    @cached_property
    def _moments(self):
        """Mean and standard deviation, from how often each of the 256 values occurs: exact."""
        images = self.train.images
        counts = [
            torch.bincount(images[:, c].flatten(), minlength=256) for c in range(images.shape[1])
        ]
        shares = torch.stack(counts).cpu().double()
        shares /= shares.sum(1, keepdim=True)
        values = torch.arange(256, dtype=torch.float64) / 255
        mean = shares @ values
        std = (shares * (values - mean[:, None]) ** 2).sum(1).sqrt()
        return mean.float().to(images.device), std.float().to(images.device)

    def to(self, device):
        """Return the data set with every image on `device`."""
        parts = [getattr(self, part).to(device) for part in PARTS]
        return Data(self.name, self.classes, *parts, self.held_out)

    def save(self, path):
        """Pack the data set into one `.safetensors` file, which `load(path)` reads at once.

        The training images go in whole and in their first order: `load` holds validation images
        out of them anew, so a packed folder and the folder itself give the same three parts. The
        file appears under its name when it is complete.

        Raises:
            ValueError: `path` does not end in `.safetensors`.
            OSError: the file cannot be written.
        """
        from convbook.data import packed  # noqa: PLC0415 (packed makes Splits, so it imports us)

        packed.write(self, path)

    def all_training_images(self):
        """Return the training and validation images as one `Split`, in their first order."""
        if not len(self.validation):
            return self.train
        count = len(self.train) + len(self.validation)
        held_out = self.held_out
        if held_out is None:
            held_out = torch.arange(len(self.train), count)
        places = torch.cat([_others(held_out, count), held_out]).argsort()
        places = places.to(self.train.labels.device)
        images = torch.cat([self.train.images, self.validation.images])[places]
        labels = torch.cat([self.train.labels, self.validation.labels])[places]
        return Split(images, labels)


def hold_out(split, classes, validation, seed):
    """Return (train, validation, positions): a share of each class, drawn by `seed`, held out."""
    if validation == 0:
        none = torch.empty(0, dtype=torch.int64)
        return split, _take(split, none), none
    rng = np.random.default_rng(seed)
    labels, held = split.labels.numpy(), []
    for label, name in enumerate(classes):
        positions = np.flatnonzero(labels == label)
        count = max(round(validation * len(positions)), 1)
        if count >= len(positions):
            raise ValueError(
                f"validation={validation} of the {len(positions)} training images of class "
                f"{name!r} leaves none to learn from; use validation=0 or more images"
            )
        held.append(rng.permutation(positions)[:count])
    held_out = torch.from_numpy(np.sort(np.concatenate(held)))
    return _take(split, _others(held_out, len(split))), _take(split, held_out), held_out


def check_share(validation):
    """Refuse what is no share of the training images."""
    if isinstance(validation, bool) or not isinstance(validation, numbers.Real):
        raise TypeError(f"validation={validation!r} is no number; use a share such as 0.1")
    if not 0 <= validation < 1:
        raise ValueError(f"validation={validation!r} is no share; use 0 or more and less than 1")
    return float(validation)


def as_device(device):
    """Return `device` as a `torch.device`, refusing one that this machine does not have."""
    try:
        device = torch.device(device)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:  # torch has one for each reason
        kind = TypeError if isinstance(error, TypeError) else ValueError
        there = (
            ["cpu"]
            + ["cuda"] * torch.cuda.is_available()
            + ["mps"] * torch.backends.mps.is_available()
        )
        raise kind(
            f"device={str(device)!r} cannot be used here; use {' or '.join(map(repr, there))}"
        ) from error
    return device


def _take(split, positions):
    return Split(split.images[positions], split.labels[positions])


def _others(positions, count):
    """Return what is left of 0..count-1, in order."""
    left = torch.ones(count, dtype=torch.bool)
    left[positions] = False
    return left.nonzero().flatten()
