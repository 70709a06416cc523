"""What `load` returns: images and labels as tensors, in training, validation and test parts."""

import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from convbook._checks.tensors import check_layout

# In quotes: the site is built where torch is a stand-in, which | does not take.
Device: TypeAlias = "str | torch.device"
PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Images and their labels, whole in memory.

    Args:
        images: uint8 `(N, C, H, W)`, 0 to 255.
        labels: int64 `(N,)`, the position of each image's class.

    Raises:
        ValueError: a shape is another one, or the two lengths differ.
        TypeError: a dtype is another one.

    Example:
        >>> split = Split(torch.zeros(5, 3, 8, 8, dtype=torch.uint8), torch.arange(5))
        >>> len(split), split
        (5, Split(5 images, (3, 8, 8), cpu))
    """

    images: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
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

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"Split({len(self)} images, {tuple(self.images.shape[1:])}, {self.images.device})"

    def to(self, device: Device) -> "Split":
        """Return the split with both tensors on `device`."""
        device = as_device(device)
        return Split(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A data set: its classes, and its images in three parts.

    Choose epochs and settings by `validation`. Evaluate on `test` once, when nothing is left to
    choose: a choice made on the test images makes their accuracy too good to be true.

    Args:
        name: of the data set.
        classes: the name of each label, in order.
        train: the `Split` to learn from, at least one image.
        validation: the `Split` held out of the training images; it may be empty.
        test: the `Split` for the last evaluation.

    Raises:
        ValueError: image sizes differ, a label has no class, or a class has no name of its own.

    Example:
        >>> def grey(*labels):
        ...     return Split(torch.full((len(labels), 1, 8, 8), 51).byte(), torch.tensor(labels))
        >>> data = Dataset("grey", ["cat", "dog"], grey(0, 1, 1), grey(0), grey(1))
        >>> data
        Dataset('grey', 2 classes, 3 train, 1 validation, 1 test, (1, 8, 8), cpu)
        >>> data.mean
        tensor([0.2000])

    Source: the three parts are those of Hastie et al., The Elements of Statistical Learning, 7.2.
    """

    name: str
    classes: tuple[str, ...]
    train: Split
    validation: Split
    test: Split

    def __post_init__(self) -> None:
        if isinstance(self.classes, str) or not all(isinstance(c, str) for c in self.classes):
            raise TypeError(f"classes={self.classes!r} is no list of names; use a list of strings")
        object.__setattr__(self, "classes", tuple(self.classes))
        if len(set(self.classes)) < len(self.classes):
            raise ValueError(f"classes={self.classes!r} has a name twice; use each name once")
        for part in PARTS:
            self._check_part(part, getattr(self, part))
        if not len(self.train):
            raise ValueError("train has no image; use at least one")

    def _check_part(self, name: str, split: Split) -> None:
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

    def __repr__(self) -> str:
        parts = ", ".join(f"{len(getattr(self, part))} {part}" for part in PARTS)
        classes, device = len(self.classes), self.train.images.device
        return f"Dataset({self.name!r}, {classes} classes, {parts}, {self.input_size}, {device})"

    @property
    def input_size(self) -> tuple[int, ...]:
        """`(C, H, W)` of an image, the same in all parts."""
        return tuple(self.train.images.shape[1:])

    @cached_property
    def mean(self) -> Tensor:
        """The mean of each channel of the training images as float32 `(C,)`, from 0 to 1."""
        return self._moments[0]

    @cached_property
    def std(self) -> Tensor:
        """The standard deviation of each channel of the training images as float32 `(C,)`."""
        return self._moments[1]

    @cached_property
    def _moments(self) -> tuple[Tensor, Tensor]:
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

    def to(self, device: Device) -> "Dataset":
        """Return the data set with every image on `device`."""
        return Dataset(self.name, self.classes, *(getattr(self, p).to(device) for p in PARTS))


# Of a data set as it is read: its name, its classes, training and test images.
RawParts = tuple[str, tuple[str, ...], Split, Split]


def hold_out(
    split: Split, classes: Sequence[str], validation: float, seed: int
) -> tuple[Split, Split]:
    """Return (train, validation): a share of each class, drawn by `seed`, held out."""
    if not validation:
        return split, Split(split.images[:0], split.labels[:0])
    rng = np.random.default_rng(seed)
    held = torch.zeros(len(split), dtype=torch.bool)
    for label, name in enumerate(classes):
        positions = np.flatnonzero(split.labels.numpy() == label)
        count = max(round(validation * len(positions)), 1)
        if count >= len(positions):
            raise ValueError(
                f"validation={validation} of the {len(positions)} training images of class "
                f"{name!r} leaves none to learn from; use validation=0 or more images"
            )
        held[rng.permutation(positions)[:count]] = True
    return (
        Split(split.images[~held], split.labels[~held]),
        Split(split.images[held], split.labels[held]),
    )


def check_share(validation: float) -> float:
    """Refuse what is no share of the training images."""
    if isinstance(validation, bool) or not isinstance(validation, numbers.Real):
        raise TypeError(f"validation={validation!r} is no number; use a share such as 0.1")
    if not 0 <= validation < 1:
        raise ValueError(f"validation={validation!r} is no share; use 0 or more and less than 1")
    return float(validation)


def as_device(device: Device) -> torch.device:
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
