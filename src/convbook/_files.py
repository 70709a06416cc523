"""Atomic writes: a file is there whole or not at all."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary name to write to, and move the file to `path` when it is complete.

    Whatever goes wrong meanwhile, the file that was at `path` is still there. After a kill the
    temporary file stays behind, ending in `.part`.

    Args:
        path: where the file goes; its folder exists.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with atomic_write(f"{folder}/a.txt") as partial:
        ...         partial.write_text("all of it")
        9

    Source: rename(2): on one file system, the new name is there at once or not at all.
    """
    path = Path(path)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())  # on the disk before the old file is given up
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
