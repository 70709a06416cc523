"""A traced network as a graph: which rows reach the output, and what lies between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from math import prod
from typing import Any

from torch import nn

from convbook.analysis import Row, Table, values_per_axis
from convbook.grade.probe import Probe, judged

Field = tuple[tuple[float, float], tuple[float, float]]  # sizes and jumps, one for each axis
# Layers that a student may define and forget to call.
ASKED_FOR = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)
PERMUTATIONS = {"permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "t", "T"}
UNHEARD = (
    "runs, but no change of its result changes the output, as if it were multiplied by 0; "
    "let it take part"
)


class Graph:
    """The rows of a table and their connections. `""` is the model's input.

    Of several outputs, the first that has a number for each class is judged. A row counts that
    reaches it; `lost` says why another does not.
    """

    def __init__(self, model: nn.Module, table: Table, probe: Probe | None, classes: int) -> None:
        self.model = model
        self.table = table
        self.named = {row.name: row for row in table}
        shapes = [(name, self.shape(name)) for name in table.outputs]
        self.outputs = judged(shapes, classes)
        self.idle: set[str] = set()
        returned, reaching = self.ancestors(table.outputs), self.ancestors(self.outputs)
        self.idle = self._idle(probe)
        heard = self.ancestors(self.outputs)
        # Rows run in order, so that inputs come before what takes them.
        self.rows = [row for row in table if row.name in heard]
        self.lost: dict[str, str] = {}
        for name in self.named:
            if name not in returned:
                self.lost[name] = "runs, but its output is dropped; hand it on"
            elif name not in reaching:
                self.lost[name] = "leads to another output only; let the class scores use it"
            elif name not in heard:
                self.lost[name] = UNHEARD

    @property
    def dropped(self) -> list[Row]:
        """The rows that do not count."""
        return [self.named[name] for name in self.lost]

    def _idle(self, probe: Probe | None) -> set[str]:
        """Return the names of rows that change nothing: convolutions, and what only they feed."""
        convolutions = [row.name for row in self.table if row.op == "conv2d"]
        if not probe or probe.convolutions != len(convolutions):
            return set()  # what is said of the one could be true of another
        idle = {convolutions[number] for number in probe.idle}
        for row in self.table:
            if row.inputs and idle.issuperset(row.inputs):
                idle.add(row.name)
        return idle

    def ancestors(self, names: Iterable[str]) -> set[str]:
        """Return the names of rows and of all that their outputs depend on."""
        found: set[str] = set()
        waiting = [*names]
        while waiting:
            name = waiting.pop()
            if name not in found and name not in self.idle:
                found.add(name)
                waiting.extend(self.named[name].inputs if name else ())
        return found

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a row's output, or of the model's input."""
        return self.named[name].output_shape if name else self.table.input_size

    def sources(self, row: Row) -> list[str]:
        """Return the names of the inputs that its output depends on."""
        return [name for name in row.inputs if name not in self.idle]

    def map_inputs(self, row: Row) -> list[str]:
        """Return the names of the inputs that are maps; of the others, as in a gate, all."""
        names = self.sources(row)
        return [name for name in names if is_map(self.shape(name))] or names

    def consumers(self, row: Row) -> list[Row]:
        """Return the rows that take a row's output, of those that reach the model's output."""
        return self._consumers.get(row.name, [])

    @cached_property
    def _consumers(self) -> dict[str, list[Row]]:
        rows: dict[str, list[Row]] = {}
        for row in self.rows:
            for name in self.sources(row):
                rows.setdefault(name, []).append(row)
        return rows

    @cached_property
    def pooling_points(self) -> list[Row]:
        """The rows where maps become single numbers, or are handed out as they are."""
        points: list[Row] = []
        waiting, seen = [*self.outputs], {""}
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            row = self.named[name]
            if max(map(self.pixels, [name, *self.sources(row)])) > 1:
                points.append(row)
            else:
                waiting.extend(self.sources(row))
        return points

    @cached_property
    def convolutions(self) -> list[Row]:
        """The convolutions whose maps, at the end, are averaged."""
        before = self.ancestors(row.name for row in self.pooling_points)
        return [row for row in self.rows if row.op == "conv2d" and row.name in before]

    @cached_property
    def fields(self) -> dict[str, Field]:
        """For each map: its receptive field without gates, as (sizes, jumps), one per axis."""
        fields: dict[str, Field] = {"": ((1, 1), (1, 1))}
        for row in self.rows:
            sizes, jumps = pair(row.receptive_field.size), pair(row.receptive_field.jump)
            known = all(jumps) and not self.idle  # else the trace has seen too much, or too little
            field = (sizes, jumps) if known else self._behind_a_gate(row, fields)
            if field and len(row.output_shape) == 3:
                fields[row.name] = field
        return fields

    def _behind_a_gate(self, row: Row, fields: dict[str, Field]) -> Field | None:
        """Return a field as if no operation before had seen the whole map, or None."""
        inputs = [name for name in self.sources(row) if name in fields]
        if not inputs or not is_map(row.output_shape):
            return None
        sizes, jumps = (
            tuple(map(max, zip(*values, strict=True)))
            for values in zip(*(fields[name] for name in inputs), strict=True)
        )
        if row.op in ("conv2d", "max_pool2d", "avg_pool2d"):
            windows = zip(pair(row.kernel), pair(row.dilation or 1), jumps, strict=True)
            grown = (d * (k - 1) * jump for k, d, jump in windows)
            sizes = tuple(size + more for size, more in zip(sizes, grown, strict=True))
            jumps = tuple(j * s for j, s in zip(jumps, pair(row.stride), strict=True))
            return sizes, jumps
        same = row.output_shape[-2:] == self.shape(inputs[0])[-2:]
        return (sizes, jumps) if same else None

    @cached_property
    def field_layer(self) -> Row | None:
        """The convolution at which the receptive field is read, or None.

        Of several that are averaged together, that with the largest field; of equals, the last.
        """
        known = [row for row in self.convolutions if row.name in self.fields]
        return max(reversed(known), key=lambda row: min(self.fields[row.name][0]), default=None)

    @cached_property
    def uncalled(self) -> dict[str, nn.Module]:
        """The layers that are defined but do not run, by their paths."""
        ran = [row.name for row in self.table]
        return {
            path: module
            for path, module in self.model.named_modules()
            if path
            and isinstance(module, ASKED_FOR)
            and not any(name == path or name.startswith(f"{path}.") for name in ran)
            # Its weight may be used by a function.
            and all(f"{path}.{name}" in self.table.unused for name, _ in module.named_parameters())
        }

    def unheard(
        self, is_row: Callable[[Row], bool], is_layer: Callable[[nn.Module], bool]
    ) -> Iterator[str]:
        """Say which operations of a kind run for nothing, and which layers do not run."""
        for row in filter(is_row, self.dropped):
            yield f"`{row.name}` {self.lost[row.name]}"
        for path, module in self.uncalled.items():
            if is_layer(module):
                yield f"`{path}` is defined but does not run; call it in forward"

    def pixels(self, name: str) -> int:
        """Return how many pixels each channel of a row's output has."""
        shape = self.shape(name)
        return prod(shape) // shape[self.channels(name)] if len(shape) == 3 else 1

    def channels(self, name: str) -> int:
        """Return the dimension of a row's output that holds the channels."""
        row = self.named.get(name)
        if row is None or not (row.op in PERMUTATIONS or row.is_pointwise):
            return len(row.output_shape) - 1 if row and row.op == "linear" else 0
        before = self.channels(row.inputs[0])
        return moved(row, before) if row.op in PERMUTATIONS else before


def moved(row: Row, dim: int) -> int:
    """Return where a permutation puts a dimension, told by its size: the first that fits."""
    sizes = [*row.output_shape]
    fits = dim < len(row.input_shape) and row.input_shape[dim] in sizes
    return sizes.index(row.input_shape[dim]) if fits else 0


def is_map(shape: tuple[int, ...]) -> bool:
    """Return whether a shape without the batch has pixels, more than one."""
    return len(shape) >= 3 and shape[-1] * shape[-2] > 1


def pair(value: Any) -> tuple[Any, Any]:
    """Return one value for each of two axes."""
    return values_per_axis(value, 2)


def side(value: Any) -> str:
    """Return `3x5`, or 3 where both axes are alike."""
    first, second = pair(value)
    return f"{first}" if first == second else f"{first}x{second}"


def size(shape: tuple[int, ...]) -> str:
    """Return the height and width of a shape as text."""
    return f"{shape[-2]}x{shape[-1]}"
