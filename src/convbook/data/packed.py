"""A data set in one file: written by `Data.save`, read by `load`."""

import json
from pathlib import Path

from convbook._files import atomic_write
from convbook.data.dataset import Split

ENDING = ".safetensors"
FORMAT = "convbook.data 1"


def write(data, path):
    """Write `data` to `path`: under another name first, so that no half file is ever there."""
    from safetensors import SafetensorError  # noqa: PLC0415 (loads when first needed)
    from safetensors.torch import save_file  # noqa: PLC0415

    path = Path(path).expanduser()
    if path.suffix != ENDING:
        raise ValueError(f"path={str(path)!r} does not end in {ENDING}; load needs that ending")
    whole = data.all_training_images()
    tensors = {"train.images": whole.images, "train.labels": whole.labels}
    tensors |= {"test.images": data.test.images, "test.labels": data.test.labels}
    tensors = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    about = {"format": FORMAT, "name": data.name, "classes": json.dumps(data.classes)}
    try:
        with atomic_write(path) as partial:
            save_file(tensors, partial, about)
    except (OSError, SafetensorError) as error:
        raise OSError(f"path={str(path)!r} cannot be written ({error})") from error


def read(path):
    """Return (name, classes, train, test) from a file that `write` wrote."""
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415 (loads when first needed)

    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; write it by load(...).save(path)")
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            if about.get("format") != FORMAT:
                raise ValueError(f"{path} is no data set; use a file that Data.save wrote")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f"{path} is damaged or cut short ({error}); delete it and save it again"
        ) from error
    train, test = (
        Split(tensors[f"{part}.images"], tensors[f"{part}.labels"]) for part in ("train", "test")
    )
    return about["name"], json.loads(about["classes"]), train, test
