"""`load`: a data set by its name or its folder."""

import os
from pathlib import Path

from convbook._checks.arguments import integer
from convbook.data import cifar10, folder, shapes
from convbook.data.dataset import Dataset, Device, RawParts, as_device, check_share, hold_out


def load(
    name_or_dir: str | os.PathLike[str],
    *,
    root: str | os.PathLike[str] | None = None,
    validation: float = 0.1,
    seed: int = 0,
    device: Device = "cpu",
    progress: bool | None = None,
) -> Dataset:
    """Return a data set as uint8 tensors, with validation images held out of the training images.

    A folder holds `train/CLASS/` and `test/CLASS/` with images of one size, all in colour or all
    grey. Tens of thousands of small files take seconds to minutes.

    Args:
        name_or_dir: `'shapes'`, drawn on the spot; `'cifar10'`, downloaded when first asked for; or
            a folder. For a folder of the name of a data set write `./shapes`.
        root: the folder for downloads; None is what the environment variable `CONVBOOK_CACHE`
            says, or else `convbook` in the user's cache folder.
        validation: the share of each class's training images to hold out; 0 holds none out.
        seed: decides which images are held out, and nothing else.
        device: where the tensors go.
        progress: whether to show a bar while a folder is read; None shows it in a terminal only.
            A download always shows one.

    Raises:
        ValueError: no such data set, device or share; images or classes are not in order.
        OSError: a file cannot be read, or nothing can be downloaded.

    Example:
        >>> data = load("shapes")
        >>> data
        Dataset('shapes', 10 classes, 9000 train, 1000 validation, 2000 test, (3, 32, 32), cpu)
        >>> data.classes[data.train.labels[0]]
        'star'

    Source: Krizhevsky 2009 (CIFAR-10); folders are laid out as for torchvision's `ImageFolder`.
    """
    if not isinstance(name_or_dir, str | os.PathLike):
        raise TypeError(f"name_or_dir={name_or_dir!r} is no name and no path; use {_KNOWN}")
    validation, seed = check_share(validation), integer(seed, "seed", 0)
    device = as_device(device)  # before the long part
    name, classes, train, test = _read(name_or_dir, _cache(root), progress)
    train, held = hold_out(train, classes, validation, seed)
    return Dataset(name, classes, train, held, test).to(device)


_KNOWN = "'cifar10', 'shapes' or a folder with train/ and test/"


def _read(name_or_dir: str | os.PathLike[str], root: Path, progress: bool | None) -> RawParts:
    """Return (name, classes, train, test)."""
    if name_or_dir == "shapes":
        return shapes.read()
    if name_or_dir == "cifar10":
        return cifar10.read(root)
    path = Path(name_or_dir).expanduser()
    if path.is_dir():
        return folder.read(path, progress)
    if path.is_file():
        raise ValueError(f"name_or_dir={str(path)!r} is a file; unpack it first, or use {_KNOWN}")
    raise ValueError(f"name_or_dir={str(path)!r} does not exist; use {_KNOWN}")


def _cache(root: str | os.PathLike[str] | None) -> Path:
    """Return the folder for downloads. PyTorch keeps its own beside it."""
    if root is None:
        root = os.environ.get("CONVBOOK_CACHE")
    if root:
        return Path(root).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "convbook"
