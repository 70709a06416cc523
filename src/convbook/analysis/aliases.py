"""What tensors see that share their memory, after an operation in place.

A view (`y[:, :2]`, `chunk`, `permute`) and what it is a view of are different tensors on the same
memory: to write through one changes the other. Of each memory that has been written to, a map is
kept here that says for each element which operation wrote it last. What a tensor sees is then what
those operations saw that its own elements come from.

Where only some of a map's rows or columns are written, every second say, this is done for those. As
everywhere, the axes are kept apart (rows by turns that see other columns too give an upper bound),
and a border (an eighth of the map) that is written apart does not count.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from convbook.analysis.field import TensorField, join
from convbook.analysis.interval import PeriodicInterval
from convbook.analysis.rules.base import Rows, attach_field, field_of, rows_of

LONGEST_PATTERN = 16  # of rows or columns that are written by turns
BORDER = 8  # one part in so many, at either end
CUT_ACROSS = "it writes through a view that is cut across the rows of its memory"


class _Write(NamedTuple):
    """What one operation wrote: the tensor it wrote through, what that saw, and the rows."""

    tensor: Tensor
    seen: TensorField | None
    rows: Rows


class _SharedMemory:
    """The tensors that share one memory; `root`, the first that was met, is the whole of it."""

    def __init__(self, root: Tensor) -> None:
        self.root = root
        # id -> tensor: kept, so that no other tensor can take its id
        self.members: dict[int, Tensor] = {}
        self.writes: list[_Write] = []
        # for each element of the memory, the number of its write
        self.writers: Tensor | None = None
        # id -> how many writes there were when a field was attached to a tensor
        self.read: Counter[int] = Counter()


class Aliases:
    """Knows which tensors share memory, and attaches new fields when it is written to."""

    def __init__(self) -> None:
        self.memories: dict[int, _SharedMemory] = {}

    def refresh(self, tensors: Iterable[Tensor]) -> None:
        """Note tensors, and bring the fields of those up to date whose memory was written to."""
        for tensor in tensors:
            memory = self._memory(tensor)
            if id(tensor) not in memory.members:
                memory.members[id(tensor)] = tensor
                memory.read[id(tensor)] = len(memory.writes)
            elif memory.read[id(tensor)] < len(memory.writes):
                self._read(memory, tensor)

    def write(
        self, tensor: Tensor, seen: TensorField | None, rows: Rows, part: Tensor | None = None
    ) -> None:
        """Note that an operation has written to a tensor, through `part` if not all of it.

        Raises:
            ValueError: the memory is not laid out in rows that both tensors have.
        """
        memory = self._memory(tensor)
        if part is None and len(memory.members) == 1:  # nobody else can tell
            memory.writes, memory.writers = [], None
            memory.read.clear()
            attach_field(tensor, seen, rows)
            return
        if memory.writers is None:
            root = memory.root
            memory.writes = [_Write(root, field_of(root), rows_of(root))]
            count = root.untyped_storage().nbytes() // root.element_size()
            memory.writers = torch.zeros(count, dtype=torch.int32, device="cpu")
        part = tensor if part is None else part
        _through(memory.writers, part).fill_(len(memory.writes))
        memory.writes.append(_Write(part, seen, rows))
        self._read(memory, tensor)

    def _memory(self, tensor):
        key = tensor.untyped_storage()._cdata
        if key not in self.memories:
            self.memories[key] = _SharedMemory(tensor)
        return self.memories[key]

    def view(self, tensor: Tensor, seen: TensorField) -> TensorField | None:
        """Return what a new view sees: by its rule `seen`, unless its memory was written to.

        None is nothing: its elements do not depend on the input any more.
        """
        memory = self._memory(tensor)
        if memory.writes and tensor is not memory.root:
            with contextlib.suppress(ValueError):  # then the rule knows more
                return _found(memory, tensor)[0]
        return seen

    def _read(self, memory, tensor):
        """Attach what the writes saw that a tensor's elements come from."""
        memory.read[id(tensor)] = len(memory.writes)
        attach_field(tensor, *_found(memory, tensor))


def _found(memory, tensor):
    """Return what a tensor sees, or None, and the rows that its elements come from."""
    writers = _through(memory.writers, tensor)
    parts, rows = [], []
    for number in writers.unique().tolist():
        write = memory.writes[number]
        rows += write.rows
        if write.seen is not None:
            seen = _moved(write.seen, write.tensor, tensor, memory.root)
            parts.append((seen, writers == number))
    if not parts:
        return None, ()
    dims = {dim for seen, _ in parts for dim in seen.dims} - {None}
    shown = [shown for part in parts if (shown := _restricted(*part, dims))]
    chosen = shown or [seen for seen, _ in parts]
    for axis in range(len(chosen[0].intervals)):
        if len({one.intervals[axis] for one in chosen if not one.spots(axis)}) > 1:
            raise ValueError(
                "it is written piece by piece, and the pieces see different pixels; "
                "compute it at once, by a convolution or F.unfold"
            )
    seen = join(chosen, tensor.shape)
    return seen, tuple(dict.fromkeys(rows))


def _through(writers, tensor):
    """Return the elements of a memory that a tensor shows, in the tensor's shape."""
    return writers.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset())


def _restricted(seen, written, dims):
    """Return what is seen where `written`, or None where that is at the border of `dims` only."""
    if written.all():
        return seen
    changes = {}
    for dim in dims:
        others = [other for other in range(written.ndim) if other - written.ndim != dim]
        line = written.permute(*others, dim).reshape(-1, written.shape[dim]).any(0).tolist()
        first = len(line) // BORDER
        middle = line[first : len(line) - first]
        if not any(middle):
            return None
        period = next((p for p in range(1, LONGEST_PATTERN) if middle[p:] == middle[:-p]), None)
        if not all(middle) and period and period < len(middle):
            turns = [middle[(place - first) % period] for place in range(period)]
            changes[dim] = lambda interval, turns=turns: interval.compose(
                lambda o: (o,) if turns[o % len(turns)] else (), len(turns), len(turns)
            )
    return seen.change(changes)


# ------------------------------------------------------------------ from one tensor to another


class _Piece(NamedTuple):
    """Part of a dimension of a tensor: it runs along `dim` of the root, if any, in steps."""

    size: int
    dim: int | None
    step: int


class _Places(NamedTuple):
    """Where a tensor's elements are in the root: the first at `starts`, the others by pieces.

    Each of the tensor's dimensions is split into pieces that run along one dimension of the root.
    """

    pieces: list[_Piece]
    starts: dict[int, int]

    @property
    def sizes(self) -> list[int]:
        """The shape that the tensor has with its dimensions split."""
        return [piece.size for piece in self.pieces]


def _moved(seen, source, target, root):
    """Return what `target` sees of what was written through `source`."""
    alike = [(one.shape, one.stride(), one.storage_offset()) for one in (source, target)]
    if alike[0] == alike[1]:
        return seen
    result = _seen_from_root(_seen_by_root(seen, source, root), target, root)
    ungated = seen.ungated and _moved(seen.ungated, source, target, root)
    return replace(result, ungated=ungated)


def _seen_by_root(seen, source, root):
    """Return what the root sees, as if all of it went on as the part that was written."""
    places = _places(source, root)
    seen = seen.viewed(places.sizes)
    if any(len(factors) > 1 for factors in seen.layout):
        seen = seen.settled()
    intervals: list[PeriodicInterval] = []
    dims: list[int | None] = []
    for axis, interval in enumerate(seen.intervals):
        spots = [spot for spot in seen.spots(axis) if places.pieces[spot.dim].dim is not None]
        along = {places.pieces[spot.dim].dim for spot in spots}
        if len(along) > 1 or along & {*dims}:
            raise ValueError("it writes into a map whose axes lie in one dimension of its memory")
        dims.append(along.pop() if spots else None)
        if spots:
            interval = _spread(interval, spots, places, dims[-1])  # noqa: PLW2901
        elif seen.spots(axis):
            interval = interval.collapsed(1, seen.input_size[axis])  # noqa: PLW2901
        intervals.append(interval)
    return TensorField.placed(root.shape, intervals, dims, seen.input_size)


def _spread(interval, spots, places, along):
    """Return an interval along one dimension of the root, of a tensor's factors that lie there."""
    counted = {spot.dim: spot.factor.step for spot in spots}
    # Each dimension there moves by some places of the root, and by some of the interval, or none.
    moves = [
        (piece.step, counted.get(dim, 0), piece.size)
        for dim, piece in enumerate(places.pieces, -len(places.pieces))
        if piece.dim == along
    ]
    main = max(move for move in moves if move[1])
    moves.remove(main)
    period, advance, _ = main
    inner = [(places.starts[along], 0)]
    for step, more, size in moves:
        inner = [(at + i * step, read + i * more) for at, read in inner for i in range(size)]

    def taps(place: int) -> list[int]:
        starts = ((place - at, read) for at, read in inner)
        return [start // period * advance + read for start, read in starts if start % period == 0]

    return interval.compose(taps, period, advance)


def _seen_from_root(seen, target, root):
    """Return what a tensor sees of what the root sees."""
    places = _places(target, root)
    steps: dict[int | None, list[tuple[int, int]]] = {}
    for i, piece in enumerate(places.pieces):
        steps.setdefault(piece.dim, []).append((i, piece.step))
    return seen.scattered(places.sizes, places.starts, steps).viewed(target.shape)


def _places(tensor, root):
    """Return where a tensor's elements are in the root.

    Raises:
        ValueError: its dimensions are not made of the root's.
    """
    rank = root.ndim
    strides = sorted(
        ((root.stride(dim), dim) for dim in range(-rank, 0) if root.shape[dim] > 1), reverse=True
    )
    starts = dict.fromkeys(range(-rank, 0), 0)
    rest = tensor.storage_offset() - root.storage_offset()
    for stride, dim in strides:
        starts[dim], rest = divmod(rest, stride)
    pieces: list[_Piece] = []
    for size, stride in zip(tensor.shape, tensor.stride(), strict=True):
        if size == 1 or stride == 0:  # one place, however often it is shown
            pieces.append(_Piece(size, None, 1))
        else:
            pieces += _split(size, stride, strides, starts, root.shape)
    last = {
        dim: start + sum((piece.size - 1) * piece.step for piece in pieces if piece.dim == dim)
        for dim, start in starts.items()
    }
    if rest or any(not 0 <= last[dim] < root.shape[dim] for dim in starts):
        raise ValueError(CUT_ACROSS)
    return _Places(pieces, starts)


def _split(size, stride, strides, starts, shape):
    """Return one dimension of a tensor as pieces, outer first."""
    for place, dim in strides:
        if 0 < place <= stride and stride % place == 0:
            step = stride // place
            if starts[dim] + (size - 1) * step < shape[dim]:
                return [_Piece(size, dim, step)]
            inner, odd = divmod(shape[dim], step)
            if odd or size % inner or inner < 2:
                break
            outer = _split(size // inner, stride * inner, strides, starts, shape)
            return [*outer, _Piece(inner, dim, step)]
    raise ValueError(CUT_ACROSS)
