"""What tensors see that share their memory, after an operation in place.

A view (`y[:, :2]`, `chunk`, `permute`) and what it is a view of are different tensors on the same
memory: to write through one changes the other. Of each memory that has been written to, a map is
kept here that says for each element which operation wrote it last. What a tensor sees is then what
those operations saw that its own elements come from.

Where only some of a map's rows or columns are written, every second say, this is done for those. As
everywhere, the axes are kept apart (rows by turns that see other columns too give an upper bound),
and a border (an eighth of the map) that is written apart does not count.
"""

import contextlib
from collections import Counter
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import torch

from convbook.analysis.field import Seen, join
from convbook.analysis.rules.base import mark, rows_of, seen_by, unmark

LONGEST_PATTERN = 16  # of rows or columns that are written by turns
BORDER = 8  # one part in so many, at either end


class _Layer(NamedTuple):
    """What one operation wrote: the tensor it wrote through, what that saw, and the rows."""

    tensor: torch.Tensor
    seen: Seen | None
    rows: tuple


class _Family:
    """The tensors that share one memory; `root`, the first that was met, is the whole of it."""

    def __init__(self, root):
        self.root = root
        self.members = {}  # id -> tensor: kept, so that no other tensor can take its id
        self.layers = []
        self.writers = None  # for each element of the memory, the number of its layer
        self.read = Counter()  # id -> how many layers there were when a tensor was marked


class Aliases:
    """Knows which tensors share memory, and marks them anew when it is written to."""

    def __init__(self):
        self.families = {}

    def meet(self, tensors):
        """Note tensors, and bring the marks of those up to date whose memory was written to."""
        for tensor in tensors:
            family = self._family(tensor)
            if id(tensor) not in family.members:
                family.members[id(tensor)] = tensor
                family.read[id(tensor)] = len(family.layers)
            elif family.read[id(tensor)] < len(family.layers):
                self._read(family, tensor)

    def write(self, tensor, seen, rows, part=None):
        """Mark a tensor that an operation has written to, through `part` if not all of it.

        Raises:
            ValueError: the memory is not laid out in rows that both tensors have.
        """
        family = self._family(tensor)
        if part is None and len(family.members) == 1:  # nobody else can tell
            family.layers, family.writers = [], None
            _set(tensor, seen, rows)
            return
        if family.writers is None:
            root, memory = family.root, family.root.untyped_storage()
            family.layers = [_Layer(root, seen_by(root), rows_of(root))]
            count = memory.nbytes() // root.element_size()
            family.writers = torch.zeros(count, dtype=torch.int32, device="cpu")
        part = tensor if part is None else part
        _through(family.writers, part).fill_(len(family.layers))
        family.layers.append(_Layer(part, seen, rows))
        self._read(family, tensor)

    def _family(self, tensor):
        key = tensor.untyped_storage()._cdata
        if key not in self.families:
            self.families[key] = _Family(tensor)
        return self.families[key]

    def view(self, tensor, seen):
        """Return what a new view sees: by its rule `seen`, unless its memory was written to.

        None is nothing: its elements do not depend on the input any more.
        """
        family = self._family(tensor)
        if family.layers and tensor is not family.root:
            with contextlib.suppress(ValueError):  # then the rule knows more
                return _found(family, tensor)[0]
        return seen

    def _read(self, family, tensor):
        """Mark a tensor by the layers that its elements come from."""
        family.read[id(tensor)] = len(family.layers)
        _set(tensor, *_found(family, tensor))


def _found(family, tensor):
    """Return what a tensor sees, or None, and the rows that its elements come from."""
    writers = _through(family.writers, tensor)
    parts, rows = [], []
    for number in writers.unique().tolist():
        layer = family.layers[number]
        rows += layer.rows
        if layer.seen is not None:
            seen = _moved(layer.seen, layer.tensor, tensor, family.root)
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


def _set(tensor, seen, rows):
    if seen is None:
        unmark(tensor)
    else:
        mark(tensor, seen, rows)


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


class _Places(NamedTuple):
    """Where the elements of a tensor are in the root of its family.

    The tensor's dimensions are split into `sizes` so that each runs along one dimension of the
    root, `dims`, in `steps`; the first element is at `starts`.
    """

    sizes: tuple
    dims: tuple
    steps: tuple
    starts: dict


def _moved(seen, source, target, root):
    """Return what `target` sees of what was written through `source`."""
    alike = [(one.shape, one.stride(), one.storage_offset()) for one in (source, target)]
    if alike[0] == alike[1]:
        return seen
    result = _seen_from_root(_seen_by_root(seen, source, root), target, root)
    beside = seen.beside and _moved(seen.beside, source, target, root)
    return replace(result, beside=beside)


def _seen_by_root(seen, source, root):
    """Return what the root sees, as if all of it went on as the part that was written."""
    places = _places(source, root)
    seen = seen.viewed(places.sizes)
    if any(len(digits) > 1 for digits in seen.layout):
        seen = seen.settled()
    intervals, dims = [], []
    for axis, interval in enumerate(seen.intervals):
        spots = [spot for spot in seen.spots(axis) if places.dims[spot.dim] is not None]
        along = {places.dims[spot.dim] for spot in spots}
        if len(along) > 1 or along & {*dims}:
            raise ValueError("it writes into a map whose axes lie in one dimension of its memory")
        if not spots:
            dims.append(None)
            gone = seen.spots(axis)
            intervals.append(interval.collapsed(1, seen.input_size[axis]) if gone else interval)
            continue
        dims.append(along.pop())
        intervals.append(_spread(interval, spots, places, dims[-1]))
    return Seen.placed(root.shape, intervals, dims, seen.input_size)


def _spread(interval, spots, places, along):
    """Return an interval along one dimension of the root, of a tensor's digits that lie there."""
    counted = {spot.dim: spot.digit.step for spot in spots}
    # Each dimension there moves by some places of the root, and by some of the interval, or none.
    moves = [
        (size, step, counted.get(i - len(places.dims), 0))
        for i, (size, where, step) in enumerate(
            zip(places.sizes, places.dims, places.steps, strict=True)
        )
        if where == along
    ]
    main = max((move for move in moves if move[2]), key=lambda move: move[1])
    moves.remove(main)
    inner = [
        (sum(i * step for i, (_, step, _) in at), sum(i * more for i, (_, _, more) in at))
        for at in (
            [*zip(index, moves, strict=True)]
            for index in product(*(range(size) for size, _, _ in moves))
        )
    ]
    _, period, advance = main

    def taps(place):
        starts = ((place - places.starts[along] - offset, more) for offset, more in inner)
        return [start // period * advance + more for start, more in starts if start % period == 0]

    return interval.compose(taps, period, advance)


def _seen_from_root(seen, target, root):
    """Return what a tensor sees of what the root sees."""
    places = _places(target, root)
    steps = {}
    for i, (along, step) in enumerate(zip(places.dims, places.steps, strict=True)):
        steps.setdefault(along, []).append((i, step))
    return seen.scattered(places.sizes, places.starts, steps).viewed(target.shape)


def _places(tensor, root):
    """Return where a tensor's elements are in the root.

    Raises:
        ValueError: its dimensions are not made of the root's.
    """
    rank = len(root.shape)
    strides = sorted(
        ((root.stride(i), i - rank) for i in range(rank) if root.shape[i] > 1), reverse=True
    )
    starts, rest = dict.fromkeys(range(-rank, 0), 0), tensor.storage_offset()
    rest -= root.storage_offset()
    for stride, dim in strides:
        starts[dim], rest = divmod(rest, stride)
    pieces = []
    for size, stride in zip(tensor.shape, tensor.stride(), strict=True):
        if size == 1 or stride == 0:  # one place, however often it is shown
            pieces.append((size, None, 1))
        else:
            pieces += _pieces(size, stride, strides, starts, root.shape)
    sizes, dims, steps = zip(*pieces, strict=True)
    last = Counter(starts)
    for size, dim, step in pieces:
        last[dim] += (size - 1) * step
    if rest or any(not 0 <= last[dim] < root.shape[dim] for dim in starts):
        raise ValueError("it writes through a view that is cut across the rows of its memory")
    return _Places(sizes, dims, steps, starts)


def _pieces(size, stride, strides, starts, shape):
    """Return one dimension of a tensor as (size, dimension of the root, step), outer first."""
    for place, dim in strides:
        if 0 < place <= stride and stride % place == 0:
            step = stride // place
            if starts[dim] + (size - 1) * step < shape[dim]:
                return [(size, dim, step)]
            inner, odd = divmod(shape[dim], step)
            if odd or size % inner or inner < 2:
                break
            outer = _pieces(size // inner, stride * inner, strides, starts, shape)
            return [*outer, (inner, dim, step)]
    raise ValueError("it writes through a view that is cut across the rows of its memory")
