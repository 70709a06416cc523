"""The address that opens a stack of layers in the Receptive field explorer of the published page.

The explorer reads a stack from the end of its page's address: `#rf=` and the size of the input,
then for each layer kernel size, stride, padding and dilation. It shows square inputs and a plain
stack of layers with one number for both axes; what else a model does is refused here, by name.
"""

import re
from collections.abc import Sequence
from importlib import metadata
from typing import TYPE_CHECKING

from convbook.arithmetic import Layer, ReceptiveField, conv_output_size, receptive_field

if TYPE_CHECKING:  # the explorer needs no torch
    from convbook.analysis.table import Table

Numbers = tuple[int, int, int, int]  # kernel size, stride, padding, dilation

# What the explorer accepts: the smallest and the largest of each.
LIMITS = {
    "input_size": (1, 2048),
    "kernel_size": (1, 32),
    "stride": (1, 16),
    "padding": (0, 512),
    "dilation": (1, 512),
    "layers": (1, 40),
}
SETTINGS = ("kernel_size", "stride", "padding", "dilation")
# Keeps every number below 2**53, where JavaScript still counts by one.
LARGEST_JUMP = 10**6
PAGE = "chapters/05_receptive_field.html"


def fragment(input_size: int, layers: Sequence[Sequence[int]]) -> str:
    """Return the end of an address that opens a page's explorer with a stack.

    Args:
        input_size: pixels along each side of the input.
        layers: (kernel_size, stride, padding, dilation) for each layer, the first one first.

    >>> fragment(32, [(3, 1, 1, 1), (2, 2, 0, 1)])
    '#rf=32;3.1.1.1,2.2.0.1'
    """
    return f"#rf={input_size};{','.join('.'.join(map(str, numbers)) for numbers in layers)}"


def site_address(owner: str, name: str) -> str:
    """Return the address at which GitHub Pages publishes the book of a repository.

    >>> site_address("Ada", "engine")
    'https://ada.github.io/engine/'
    """
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"


def page_address(distribution: str = "convbook") -> str:
    """Return the address of the published page, from the repository that the package names.

    Raises:
        ValueError: the package names no repository on GitHub.
    """
    entries = metadata.metadata(distribution).get_all("Project-URL") or []
    urls = dict(re.split(r",\s*", entry, maxsplit=1) for entry in entries)
    found = re.fullmatch(
        r"https://github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?/?", urls.get("Repository", "")
    )
    if not found:
        raise ValueError(
            f"{distribution}'s metadata names no repository on GitHub, only {urls}; "
            "install the package as its README says"
        )
    return site_address(*found.groups()) + PAGE


def link(table: "Table") -> str:
    """Return the address that opens a traced model's stack in the explorer.

    Raises:
        ValueError: the explorer cannot show the model; the message names the row.
    """
    side = _side(table.input_size)
    return page_address() + fragment(side, stack(table, side))


def stack(table: "Table", side: int) -> list[Numbers]:
    """Return the layers of a table up to global pooling, each as the explorer takes it.

    Raises:
        ValueError: the explorer cannot show one of them.
    """
    layers, size, source = [], side, ""
    rows = [*table]
    while rows and not _is_local(rows[-1]):  # they see the whole input
        rows.pop()
    for row in rows:
        field = row.receptive_field
        if not _moves(field):
            raise ValueError(_told(row, "sees the whole input, and rows after it do not"))
        if row.inputs != (source,):
            raise ValueError(_told(row, "is on another path: the model has branches"))
        if row.op.startswith("conv_transpose"):
            raise ValueError(_told(row, "makes the map larger"))
        if row.kernel is not None:
            layers.append(_layer(row))
            size = conv_output_size(size, *layers[-1])
        known = [ReceptiveField(1, 1, 0), *receptive_field([Layer(*one) for one in layers])]
        if row.output_shape[1:] != (size, size) or field != known[-1]:
            raise ValueError(_told(row, "pads one side, rounds up, resizes or reshapes the map"))
        source = row.name
    fewest, most = LIMITS["layers"]
    if not fewest <= len(layers) <= most:
        raise ValueError(
            f"the model has {len(layers)} convolutions and poolings before it sees everything; "
            f"the explorer shows {fewest} to {most}: trace a part of it"
        )
    return layers


def _side(input_size):
    """Return the one number of pixels along both axes."""
    low, high = LIMITS["input_size"]
    if len(input_size) != 3 or input_size[1] != input_size[2] or not low <= input_size[1] <= high:
        raise ValueError(
            f"input_size={input_size} is not a square of {low} to {high} pixels; "
            "the explorer shows no other: trace the model on one"
        )
    return input_size[1]


def _layer(row):
    """Return (kernel_size, stride, padding, dilation) of a row."""
    dilation = 1 if row.dilation is None else row.dilation
    padding = {"valid": 0, None: 0}.get(row.padding, row.padding)
    settings = (row.kernel, row.stride, padding, dilation)
    if any(isinstance(one, tuple) for one in settings):
        raise ValueError(_told(row, "treats the two axes differently"))
    if padding == "same":
        padding, odd = divmod(dilation * (row.kernel - 1), 2)
        if odd:
            raise ValueError(_told(row, "pads one side more than the other"))
    numbers = (row.kernel, row.stride, padding, dilation)
    for name, number in zip(SETTINGS, numbers, strict=True):
        low, high = LIMITS[name]
        if not low <= number <= high:
            raise ValueError(_told(row, f"has {name}={number}, and {low} to {high} can be shown"))
    return numbers


def _is_local(row):
    """Return whether outputs of a row see different pixels, along an axis or beside a gate."""
    fields = (row.receptive_field, row.local_field)
    return any(map(_moves, fields))


def _moves(field):
    """Return whether a field moves from one output to the next, along an axis at least."""
    return any(field.jump) if isinstance(field.jump, tuple) else bool(field.jump)


def _told(row, what):
    return (
        f"row {row.name!r} ({row.op}) {what}; the explorer shows one stack of square layers: "
        "trace a part of the model that is one"
    )
