"""`load`: a data set by its name, its folder or its file."""

import os
from pathlib import Path

from convbook._checks.arguments import integer
from convbook.data import cifar10, folder, packed, shapes
from convbook.data.dataset import Data, as_device, check_share, hold_out


def load(name_or_dir, *, root=None, validation=0.1, seed=0, device="cpu", progress=None):
    """Return a data set as uint8 tensors, with validation images held out of the training images.

    A folder holds `train/CLASS/` and `test/CLASS/` with images of one size, all in colour or all
    grey. Tens of thousands of small files take seconds to minutes; `load(folder).save(path)` packs
    them once for all, and `load(path)` gives the same parts at once.

    Shapes:
        the images of each part are `(N, C, H, W)`, its labels `(N,)`.

    Args:
        name_or_dir: `'shapes'`, drawn on the spot; `'cifar10'`, downloaded when first asked for; a
            folder; or a `.safetensors` file that `Data.save` wrote. For a folder of the name of a
            data set write `./shapes`.
        root: the folder for downloads; None is what the environment variable `CONVBOOK_CACHE`
            says, or else `convbook` in the user's cache folder.
        validation: the share of each class's training images to hold out; 0 holds none out.
        seed: decides which images are held out, and nothing else.
        device: where the tensors go.
        progress: whether to show a bar while a folder is read; None shows it in a terminal only.
            A download always shows one.

    Raises:
        ValueError: no such data set, device or share; images, classes or files are not in order.
        TypeError: an argument is of another type.
        OSError: a file cannot be read, or nothing can be downloaded.

    Example:
        >>> data = load("shapes")
        >>> data
        Data('shapes', 10 classes, 9000 train, 1000 validation, 2000 test, (3, 32, 32), cpu)
        >>> data.classes[data.train.labels[0]]
        'star'

    Source: Krizhevsky 2009 (CIFAR-10); folders are laid out as for torchvision's `ImageFolder`.
    """
    if not isinstance(name_or_dir, str | os.PathLike):
        raise TypeError(f"name_or_dir={name_or_dir!r} is no name and no path; use {_KNOWN}")
    validation, seed = check_share(validation), integer(seed, "seed", 0)
    device = as_device(device)  # before the long part
    name, classes, train, test = _read(name_or_dir, _cache(root), progress)
    train, held, positions = hold_out(train, classes, validation, seed)
    return Data(name, classes, train, held, test, positions).to(device)


_KNOWN = "'cifar10', 'shapes', a folder with train/ and test/, or a file that Data.save wrote"


def _read(name_or_dir, root, progress):
    """Return (name, classes, train, test)."""
    if name_or_dir == "shapes":
        return shapes.read()
    if name_or_dir == "cifar10":
        return cifar10.read(root)
    path = Path(name_or_dir).expanduser()
    if path.suffix == packed.ENDING:
        return packed.read(path)
    if path.is_dir():
        return folder.read(path, progress)
    if path.is_file():
        raise ValueError(f"name_or_dir={str(path)!r} is a file; unpack it first, or use {_KNOWN}")
    raise ValueError(f"name_or_dir={str(path)!r} does not exist; use {_KNOWN}")


def _cache(root):
    """Return the folder for downloads. PyTorch keeps its own beside it."""
    if root is None:
        root = os.environ.get("CONVBOOK_CACHE")
    if root:
        return Path(root).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "convbook"
