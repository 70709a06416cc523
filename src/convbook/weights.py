"""Weights from a file that holds numbers and nothing else."""

from pathlib import Path

SAVE = "safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')"


def check_weights_file(path):
    """Refuse a file that is not there, or could run code.

    Raises:
        ValueError: there is no such file, or it is not called `.safetensors`.
    """
    suffix = Path(path).suffix
    if suffix != ".safetensors":
        kind = "is a pickle, which can run code" if suffix in PICKLES else "is not .safetensors"
        raise ValueError(f"weights={path} {kind}; save with {SAVE}")
    if not Path(path).is_file():
        raise ValueError(f"weights={path} does not exist; save with {SAVE}")


PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl")


def load_weights(model, path):
    """Put a file's weights into a model: all of them, and nothing left over.

    Raises:
        ValueError: the file is broken, or does not fit the model; the message names what differs.
    """
    from safetensors import SafetensorError  # noqa: PLC0415
    from safetensors.torch import load_file  # noqa: PLC0415

    check_weights_file(path)
    try:
        found = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"weights={path} cannot be read: {error}; save with {SAVE}") from error
    wanted = model.state_dict(keep_vars=True)
    tied = {id(wanted[name]) for name in found if name in wanted}  # stored under another name
    missing = [
        name for name, value in wanted.items() if name not in found and id(value) not in tied
    ]
    surplus = [name for name in found if name not in wanted]
    shapes = [
        f"{name} {tuple(value.shape)} for {tuple(wanted[name].shape)}"
        for name, value in found.items()
        if name in wanted and value.shape != wanted[name].shape
    ]
    lists = {"lacks": missing, "has, and the model has not:": surplus, "has other shapes:": shapes}
    misfits = [f"{what} {_few(names)}" for what, names in lists.items() if names]
    if misfits:
        raise ValueError(f"weights={path} {'; it '.join(misfits)}; save the weights of this model")
    model.load_state_dict(found, strict=False)


def _few(names):
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
