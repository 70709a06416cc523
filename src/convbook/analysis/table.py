"""The table that `trace` returns: one row per operation, in the order in which they ran."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from html import escape
from typing import overload

from convbook.analysis.link import link
from convbook.analysis.rules import is_pointwise
from convbook.analysis.rules.base import PerAxis, one_if_equal, values_per_axis
from convbook.arithmetic import ReceptiveField

# Heading, what it says, and whether its cells stand to the right.
HEADINGS = {
    "name": ("name", "layer, or module and operation", False),
    "op": ("op", "PyTorch function", False),
    "output_shape": ("output", "shape of one output", True),
    "kernel": ("k", "kernel", True),
    "stride": ("s", "stride", True),
    "padding": ("p", "padding", True),
    "dilation": ("d", "dilation", True),
    "groups": ("g", "groups", True),
    "params": ("params", "parameters", True),
    "macs": ("MACs", "multiply-adds", True),
    "size": ("field", "size of the receptive field", True),
    "jump": ("jump", "pixels from one output to the next", True),
    "start": ("start", "first pixel of output 0", True),
}


@dataclass(frozen=True)
class Row:
    """One operation of a traced model.

    Shapes:
        `input_shape` and `output_shape` are those for one image, without the batch: `(C, H, W)`.
        Settings and the receptive field are single numbers, or tuples where the axes differ.

    Args:
        name: of the layer, as in `model.named_modules()`, or of its module and the operation.
        op: the name of the PyTorch function that ran.
        input_shape: of the first tensor that went in.
        output_shape: of the tensor that came out.
        kernel: taps, or None where there is no kernel (as for the further settings).
        stride: pixels from one window to the next.
        padding: pixels added on each side, or `'same'` or `'valid'`.
        dilation: pixels from one tap to the next.
        groups: of a convolution.
        reduced: the dimensions that a mean, a sum or a maximum ran over, counted from the end.
        params: learned numbers, counted where they are first used.
        macs: multiply-adds for one image.
        receptive_field: size, jump and start in pixels of the model's input.
        inputs: the names of the rows whose outputs went in; `""` is the model's input.
        local_field: the same field without what came through gates: a factor or a summand that is
            alike everywhere, as global pooling and attention give it.

    Example:
        >>> import torch, convbook
        >>> convbook.analysis.trace(torch.nn.Conv2d(3, 8, 3), (3, 5, 5))[0].output_shape
        (8, 3, 3)

    Source: Araujo, Norris and Sim, Computing Receptive Fields, Distill 2019.
    """

    name: str
    op: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    kernel: PerAxis | None
    stride: PerAxis | None
    padding: PerAxis | str | None
    dilation: PerAxis | None
    groups: int | None
    reduced: tuple[int, ...] | None
    params: int
    macs: int
    receptive_field: ReceptiveField
    inputs: tuple[str, ...]
    local_field: ReceptiveField

    @property
    def is_pointwise(self) -> bool:
        """Whether the operation works element by element, on one tensor or several."""
        return is_pointwise(self.op)

    def to_dict(self) -> dict[str, object]:
        """Return the row as a dict that JSON can hold."""
        row = {field.name: getattr(self, field.name) for field in fields(self)}
        named = ("receptive_field", "local_field")
        return {**row, **{name: row[name]._asdict() for name in named}}


class Table:
    """What `trace` found out about a model: its rows, and the totals.

    Iterate over the rows, or take one by its number or name. The table prints as text, and as HTML
    in a notebook. A field reads *all* where every output sees the whole input.

    Args:
        rows: the rows, in the order in which the operations ran.
        input_size: what went in, `(C, H, W)`.
        params: the parameters of the whole model, each counted once.
        unused: name -> size of the parameters that no operation used.
        outputs: the names of the rows that the model's output comes from.

    Raises:
        KeyError: there is no row of that name.

    Example:
        >>> import torch, convbook
        >>> convbook.analysis.trace(torch.nn.Conv2d(3, 8, 3, padding=1), (3, 32, 32))
        name    op       output  k  s  p  d  g  params     MACs  field  jump  start
        conv2d  conv2d  8x32x32  3  1  1  1  1     224  221,184      3     1     -1
        total: 224 parameters, 221,184 MACs; the last local field: size 3, jump 1, start -1

    Source: Araujo, Norris and Sim, Computing Receptive Fields, Distill 2019.
    """

    def __init__(
        self,
        rows: Iterable[Row],
        input_size: tuple[int, ...],
        params: int,
        unused: dict[str, int],
        outputs: tuple[str, ...],
    ) -> None:
        self.rows = tuple(rows)
        self.input_size = input_size
        self.params = params
        self.unused = unused
        self.outputs = outputs

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, key: int | str) -> Row: ...

    @overload
    def __getitem__(self, key: slice) -> tuple[Row, ...]: ...

    def __getitem__(self, key: int | str | slice) -> Row | tuple[Row, ...]:
        """Return a row by its number, or by its name."""
        if not isinstance(key, str):
            return self.rows[key]
        for row in self.rows:
            if row.name == key:
                return row
        raise KeyError(f"no row is called {key!r}; see [row.name for row in table]")

    @property
    def macs(self) -> int:
        """The multiply-adds of all rows, for one image."""
        return sum(row.macs for row in self.rows)

    @property
    def receptive_field(self) -> ReceptiveField:
        """The field of the last row whose outputs do not all see the same, gates left out.

        That is the row before global pooling or flattening, or attention that nothing goes round.
        Where there is none, the last row's.
        """
        row = self._last_local()
        return row.local_field if row else ReceptiveField(1, 1, 0)

    def _last_local(self):
        """Return the row that the table's receptive field is read at, or None without rows."""
        local = [row for row in self.rows if all(values_per_axis(row.local_field.jump, 1))]
        rows = local or self.rows
        return rows[-1] if rows else None

    @property
    def totals(self) -> dict[str, object]:
        """The parameters, the multiply-adds and the last local receptive field, as a dict."""
        return {
            "params": self.params,
            "macs": self.macs,
            "receptive_field": self.receptive_field._asdict(),
        }

    def link(self) -> str:
        """Return the address that opens the stack in the published Receptive field explorer.

        Raises:
            ValueError: it is no plain stack of square layers; the message names the row.

        Example:
            >>> import torch, convbook
            >>> table = convbook.analysis.trace(torch.nn.Conv2d(3, 8, 3, padding=1), (3, 32, 32))
            >>> table.link().partition("#")[2]
            'rf=32;3.1.1.1'
        """
        return link(self)

    def to_dict(self) -> dict[str, object]:
        """Return the whole table as a dict that JSON can hold."""
        return {
            "input_size": self.input_size,
            "rows": [row.to_dict() for row in self.rows],
            "totals": self.totals,
            "unused": self.unused,
            "outputs": self.outputs,
        }

    def __repr__(self) -> str:
        lines = [[text for text, _, _ in HEADINGS.values()], *map(self._cells, self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        sides = [right for _, _, right in HEADINGS.values()]
        texts = []
        for line in lines:
            cells = zip(line, widths, sides, strict=True)
            padded = (cell.rjust(w) if right else cell.ljust(w) for cell, w, right in cells)
            texts.append("  ".join(padded).rstrip())
        return "\n".join([*texts, *self._notes()])

    def _repr_html_(self):
        heads = "".join(
            f'<th scope="col" title="{title}">{text}</th>' for text, title, _ in HEADINGS.values()
        )
        body = []
        for row in self.rows:
            first, *cells = map(escape, self._cells(row))
            rest = "".join(f"<td>{cell}</td>" for cell in cells)
            body.append(f'<tr><th scope="row">{first}</th>{rest}</tr>')
        notes = "<br>".join(map(escape, self._notes()))
        return (
            f'<div class="convbook-trace" tabindex="0"><table><thead><tr>{heads}</tr></thead>'
            f"<tbody>{''.join(body)}</tbody></table></div><p>{notes}</p>"
        )

    def _cells(self, row):
        """Return one text per heading; what is not there, or nothing, stays empty."""
        field = row.receptive_field._asdict()
        if self._sees_all(row.receptive_field):
            field = {"size": "all"}
        cells = []
        for key in HEADINGS:
            value = field.get(key) if key in ReceptiveField._fields else getattr(row, key)
            none = value is None or (key in ("params", "macs") and value == 0)
            shown = value if key == "output_shape" else one_if_equal(value)
            cells.append("" if none else _text(shown, "," if key == "start" else "x"))
        return cells

    def _sees_all(self, field):
        """Return whether every output sees every pixel."""
        axes = len(self.input_size) - 1
        jumps, sizes = (values_per_axis(value, axes) for value in (field.jump, field.size))
        return not any(jumps) and sizes == self.input_size[1:]

    def _notes(self):
        """Return the lines below the rows."""
        field = self.receptive_field._asdict()
        if self._sees_all(self.receptive_field):
            seen = "no local field"
        else:
            signs = {"start": ","}
            parts = (f"{k} {_text(one_if_equal(v), signs.get(k, 'x'))}" for k, v in field.items())
            row = self._last_local()
            gates = row and row.receptive_field != row.local_field
            told = "the last local field, gates left out" if gates else "the last local field"
            seen = f"{told}: {', '.join(parts)}"
        notes = [f"total: {self.params:,} parameters, {self.macs:,} MACs; {seen}"]
        if self.unused:
            first = next(iter(self.unused))
            count = sum(self.unused.values())
            notes.append(f"not used in this forward pass: {count:,} parameters ({first}, ...)")
        return notes


def _text(value, sign):
    if isinstance(value, tuple):
        return sign.join(_text(one, sign) for one in value)
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
