"""What an assignment asks for: one TOML file for each year's, in `profiles`."""

import tomllib
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "profiles"
DEFAULT = "s7-2020"


class Profile(NamedTuple):
    """The numbers of an assignment, and how its maps are halved: `max-pool` or `convolution`."""

    source: str
    transitions: str
    receptive_field: int
    parameters: int
    accuracy: float
    classes: int
    data: str


def names() -> list[str]:
    """Return the names that `load` takes, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> Profile:
    """Return the profile of this name.

    Raises:
        ValueError: there is none.
    """
    if name not in names():
        raise ValueError(f"profile={name!r} is unknown; use one of {', '.join(names())}")
    return Profile(**tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8")))
