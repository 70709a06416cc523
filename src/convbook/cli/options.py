"""What the commands share: how a model is named, and how sizes and times are written."""

import argparse

Commands = argparse._SubParsersAction  # what a command adds its parser to

ADDRESS = (
    "torchvision:NAME, FILE.py:NAME, FILE.ipynb:NAME, PACKAGE.MODULE:NAME or a preset: "
    "fast, s7, tiny"
)


def parse_seconds(text: str) -> float:
    """Return `90.0` for `90`.

    Raises:
        ValueError: it is no number of seconds above 0.

    Example:
        >>> parse_seconds("90")
        90.0
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise ValueError(f"--time-limit={text} is no number of seconds; use for example 60")
    return seconds


def parse_size(text: str) -> tuple[int, ...]:
    """Return `(3, 224, 224)` for `3,224,224`.

    Raises:
        ValueError: a part is not a whole number.

    Example:
        >>> parse_size("3,224,224")
        (3, 224, 224)
    """
    try:
        return tuple(int(part) for part in text.replace("x", ",").split(","))
    except ValueError as error:
        raise ValueError(f"--input-size={text} is not C,H,W; use for example 3,224,224") from error
