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
IDENTITY = (1, 1, 0, 1)  # changes no field
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

    Paths that meet must have the same layers, apart from those that change no field.

    Raises:
        ValueError: the explorer cannot show one of them.
    """
    paths: dict[str, list[Numbers]] = {"": []}  # from the input to each row
    ends = _ends(table)
    needed = set(ends)
    for row in reversed([*table]):
        needed.update(row.inputs if row.name in needed else ())
    for row in table:
        if row.name in needed:
            paths[row.name] = _extended(row, _joined(row, row.inputs, paths), side)
    layers = []
    if needed - {""}:
        last = [row for row in table if row.name in needed][-1]
        layers = _joined(last, ends, paths, "is one of several ends, of different layers")
    if not layers:
        raise ValueError(
            "the model has no convolution or pooling before it sees everything, and the explorer "
            "shows what layers see: trace a part of it that has some"
        )
    return layers


def _ends(table):
    """Return the names of the last rows whose outputs see different pixels."""
    rows = {row.name: row for row in table}
    ends: dict[str, None] = {}  # in order
    ahead = [*table.outputs]
    while ahead:
        name = ahead.pop()
        if name in rows and not _is_local(rows[name]):  # it sees the whole input
            ahead += rows.pop(name).inputs
        elif name in rows or not name:
            ends[name] = None
    return [*ends]


def _joined(row, names, paths, what="joins paths of different layers"):
    """Return the layers of paths that meet: the longest, as the others see the same."""
    first, *others = names or ("",)
    for name in others:
        if _seeing(paths[name]) != _seeing(paths[first]):
            sizes = []
            for one in (first, name):
                size = _field(paths[one]).size
                sizes.append(f"{one or 'input'!r} sees {size} pixel{'s' if size > 1 else ''}")
            raise ValueError(_told(row, f"{what}: {', '.join(sizes)}"))
    return max((paths[name] for name in (first, *others)), key=len)


def _extended(row, layers, side):
    """Return the layers that lead to a row, from those that lead to its input."""
    if not _moves(row.receptive_field):
        raise ValueError(_told(row, "sees the whole input, and rows after it do not"))
    if row.op.startswith("conv_transpose"):
        raise ValueError(_told(row, "makes the map larger"))
    if row.kernel is not None:
        one = _layer(row)
        if one != IDENTITY or not row.op.startswith("adaptive"):
            layers = [*layers, one]
    most, field, size = LIMITS["layers"][1], _field(layers), side
    if len(layers) > most:
        raise ValueError(_told(row, f"is layer {len(layers)}, and 1 to {most} can be shown"))
    if field.jump > LARGEST_JUMP:
        told = f"has jump={field.jump}, and 1 to {LARGEST_JUMP} can be shown"
        raise ValueError(_told(row, told))
    for one in layers:
        size = conv_output_size(size, *one)
    if row.output_shape[1:] != (size, size) or row.receptive_field != field:
        raise ValueError(_told(row, _change(row, size)))
    return layers


def _change(row, size):
    """Return what a row does to its map, of this size, that no layer of the explorer does."""
    if row.op == "pad":
        return "pads the map, and only a layer's own padding can be shown"
    if row.kernel is not None and row.output_shape[1:] == (size + 1, size + 1):
        return "rounds its size up (ceil_mode=True)"
    return "pads one side, resizes, cuts or rearranges the map"


def _field(layers):
    return [ReceptiveField(1, 1, 0), *receptive_field(Layer(*one) for one in layers)][-1]


def _seeing(layers):
    return [one for one in layers if one != IDENTITY]


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
