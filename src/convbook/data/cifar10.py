"""CIFAR-10 by torchvision: downloaded once, checked by its checksums, kept in a folder."""

import http.client
import tempfile
from pathlib import Path

import numpy as np
import torch

from convbook._files import atomic_write
from convbook.data.dataset import RawParts, Split


def read(root: Path) -> RawParts:
    """Return (name, classes, train, test), from `root` or from the network."""
    from torchvision.datasets import CIFAR10  # noqa: PLC0415 (slow to load, needed only here)

    try:
        parts = _parts(root)
    except RuntimeError:  # not there yet, or not complete
        _fetch(root / CIFAR10.filename)
        _unpack(root)
        try:
            parts = _parts(root)
        except RuntimeError as error:
            folder = root / CIFAR10.base_folder
            raise OSError(f"{folder} is damaged; delete it and load again") from error
    train, test = (Split(_images(part.data), torch.tensor(part.targets)) for part in parts)
    return "cifar10", tuple(parts[0].classes), train, test


def _parts(root):
    from torchvision.datasets import CIFAR10  # noqa: PLC0415

    return [CIFAR10(root, train=train) for train in (True, False)]


def _images(pixels: np.ndarray) -> torch.Tensor:
    """(N, H, W, C) to (N, C, H, W)."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()


def _unpack(root: Path) -> None:
    """Unpack the archive, so that another process finds each file whole or not at all."""
    from torchvision.datasets import CIFAR10, utils  # noqa: PLC0415

    with tempfile.TemporaryDirectory(dir=root) as fresh:
        utils.extract_archive(root / CIFAR10.filename, fresh)
        (root / CIFAR10.base_folder).mkdir(exist_ok=True)
        for file in Path(fresh, CIFAR10.base_folder).iterdir():
            file.replace(root / CIFAR10.base_folder / file.name)


def _fetch(archive: Path) -> None:
    """See to it that the whole archive is there.

    It gets its name when it is complete, so an interrupted download is never taken for it, and
    one with a wrong checksum under that name was put there by hand.
    """
    from torchvision.datasets import CIFAR10, utils  # noqa: PLC0415

    if utils.check_integrity(archive, CIFAR10.tgz_md5):
        return
    if archive.exists():
        raise ValueError(
            f"{archive} is not the whole CIFAR-10 archive: its checksum is another one; "
            "delete it and load again"
        )
    try:
        archive.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"root={str(archive.parent)!r} is no folder ({error}); use another"
        ) from error
    try:
        with atomic_write(archive) as partial:
            utils.download_url(CIFAR10.url, archive.parent, partial.name, CIFAR10.tgz_md5)
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        raise OSError(
            f"cifar10 cannot be downloaded from {CIFAR10.url} ({getattr(error, 'reason', error)}); "
            f"put the archive by hand at {archive}, or use load('shapes'), which needs no network"
        ) from error
