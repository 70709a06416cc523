"""What a drawing of a network shows, read off the rows of `trace`; knows nothing of matplotlib.

A network is a main path, the one with the most operations, and side paths that leave it at a map
and come back at a join. Norms and activations are no steps of their own: they are marks on the
operation that they follow, or precede in a pre-activation block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from convbook.analysis import values_per_axis

if TYPE_CHECKING:
    from convbook.analysis import Row

Shape = tuple[int, ...]

# Pointwise operations of one tensor that are drawn as a small mark: op -> its name in the key.
MARKS = {
    "batch_norm": "batch norm",
    "layer_norm": "layer norm",
    "group_norm": "group norm",
    "instance_norm": "instance norm",
    "relu": "ReLU",
    "hardtanh": "clip, as in ReLU6",  # as which nn.ReLU6 runs
    "leaky_relu": "leaky ReLU",
    "gelu": "GELU",
    "silu": "SiLU",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
}
JOINS = {"add": "+", "sub": "−", "mul": "×", "cat": "cat"}
JOINED = {"+": "add", "−": "subtract", "×": "multiply", "cat": "concatenate"}  # in the key
RESHAPES = ("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "contiguous")
MOVES = ("transpose", "permute", "swapaxes", "movedim")
VIEWS = frozenset((*RESHAPES, *MOVES, "dropout", "dropout1d", "dropout2d"))  # no steps
POOLS = {"max": "max", "avg": "avg", "lp": "norm"}


@dataclass(frozen=True)
class Op:
    """An operation: what stands in its pill, and the shape of its output."""

    text: str
    shape: Shape
    learned: bool = False
    cost: int = 0
    groups: int = 1
    shuffles: bool = False
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    filters: int = 0  # of a convolution
    filter: Shape = ()  # of one of them: the channels that it reads, its rows and columns


@dataclass(frozen=True)
class Join:
    """Where paths meet: one of the values of `JOINS`, or the name of an operation."""

    symbol: str
    shape: Shape
    after: tuple[str, ...] = ()
    cost: int = 0  # of the norms after it


@dataclass(frozen=True)
class Side:
    """A side path from value `start` (0 is the input, i what step i - 1 gives) to step `end`."""

    start: int
    end: int
    ops: tuple[Op, ...]


@dataclass(frozen=True)
class Network:
    """The main path, its side paths, and `(first, last, count)` of steps that stand for copies."""

    input_shape: Shape
    steps: tuple[Op | Join, ...]
    sides: tuple[Side, ...]
    copies: tuple[tuple[int, int, int], ...] = ()

    @property
    def shapes(self) -> list[Shape]:
        """The shape of each value, the input first."""
        return [self.input_shape, *(step.shape for step in self.steps)]

    @property
    def cost(self) -> int:
        """What all steps cost together."""
        steps = [*self.steps, *(op for side in self.sides for op in side.ops)]
        return sum(step.cost for step in steps)

    def forks(self) -> set[int]:
        """Return the values that side paths leave from."""
        return {side.start for side in self.sides}


@dataclass
class _Node:
    name: str
    inputs: list[str]
    row: Row
    cost: int
    shape: Shape
    groups: int = 1
    shuffles: bool = False
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)

    @property
    def mark(self) -> str | None:
        return MARKS.get(self.row.op) if len(self.inputs) == 1 else None


def read(rows: Sequence[Row], share: str = "macs", filters: bool = False) -> Network:
    """Return what to draw of `rows`: those of `trace(model)`, or a slice of them.

    Raises:
        ValueError: there is no row, a slice starts inside a skip, or side paths have side paths.
    """
    nodes = _nodes(list(rows), share)
    _fold_views(nodes)
    _fold_marks(nodes)
    _merge_sums(nodes)
    path = _main_path(nodes)
    steps = [_step(nodes[name]) for name in path]
    sides = _sides(nodes, path)
    first = rows[0]
    network = Network(tuple(first.input_shape), tuple(steps), tuple(sides))
    network = _as_copies(_with_marks_before(network))
    return network if filters else _without_filters(network)


def _nodes(rows: list[Row], share: str) -> dict[str, _Node]:
    """Return a node for each row that the last one depends on; "" is what comes from outside."""
    if not rows:
        raise ValueError("rows is empty; use those of convbook.analysis.trace(model, input_size)")
    names = {row.name for row in rows}
    outside = {name for row in rows for name in row.inputs if name not in names}
    if len(outside) > 1:
        raise ValueError(
            f"rows begin inside a skip: they read {sorted(outside)}, which are not among them; "
            "start the slice before the skip does"
        )
    nodes: dict[str, _Node] = {}
    needed = {rows[-1].name}
    for row in reversed(rows):
        if row.name in needed:
            inputs = [name if name in names else "" for name in row.inputs]
            needed.update(inputs)
            cost = row.macs if share == "macs" else row.params
            nodes[row.name] = _Node(row.name, inputs, row, cost, tuple(row.output_shape))
            nodes[row.name].groups = row.groups or 1
    return dict(reversed(nodes.items()))


def _readers(nodes: dict[str, _Node], name: str) -> list[_Node]:
    return [node for node in nodes.values() if name in node.inputs]


def _remove(nodes: dict[str, _Node], node: _Node) -> None:
    """Take a node with one input out: who reads it reads its input."""
    (source,) = node.inputs
    for reader in _readers(nodes, node.name):
        reader.inputs = [source if name == node.name else name for name in reader.inputs]
    del nodes[node.name]


def _fold_views(nodes: dict[str, _Node]) -> None:
    """Find channel shuffles; what else only changes the shape is no step."""
    for node in list(nodes.values()):
        if node.name not in nodes or node.row.op not in VIEWS or node.shuffles:
            continue
        chain = [node]
        while len(after := _readers(nodes, chain[-1].name)) == 1 and after[0].row.op in VIEWS:
            chain.append(after[0])
        groups = _shuffled_groups([one.row for one in chain])
        last = chain[-1]
        if groups:
            for one in chain[:-1]:
                _remove(nodes, one)
            last.groups, last.shuffles = groups, True
            continue
        for one in chain:
            source = nodes.get(one.inputs[0])
            if source is not None:
                if len(_readers(nodes, source.name)) == 1:
                    source.shape = one.shape
                _remove(nodes, one)


def _shuffled_groups(chain: list[Row]) -> int | None:
    """Return the groups of a channel shuffle: unfold the channels, swap two axes, fold."""
    before, after = chain[0].input_shape, chain[-1].output_shape
    if before != after or len(chain) < 3:
        return None
    rows = [row.output_shape for row in chain if len(row.output_shape) == len(before) + 1]
    if len(rows) == 2 and rows[0][:2] == rows[1][1::-1]:
        return rows[0][0]
    return None


def _fold_marks(nodes: dict[str, _Node]) -> None:
    """Make norms and activations marks of what they follow, or else of what follows them."""
    for node in list(nodes.values()):
        source = nodes.get(node.inputs[0])
        if node.mark and source is not None and len(_readers(nodes, source.name)) == 1:
            source.after += [node.mark]
            source.cost += node.cost
            _remove(nodes, node)
    for node in list(nodes.values()):
        readers = _readers(nodes, node.name)
        if node.mark and len(readers) == 1 and len(readers[0].inputs) == 1 and not readers[0].mark:
            readers[0].before = [node.mark, *node.after, *readers[0].before]
            readers[0].cost += node.cost
            _remove(nodes, node)


def _merge_sums(nodes: dict[str, _Node]) -> None:
    """Make `a + b + c` one sum of three."""
    for node in list(nodes.values()):
        if node.row.op == "add" and len(node.inputs) > 1:
            parts = []
            for name in node.inputs:
                part = nodes.get(name)
                merges = part and part.row.op == "add" and len(part.inputs) > 1 and not part.after
                if merges and len(_readers(nodes, name)) == 1:
                    parts += part.inputs
                    del nodes[name]
                else:
                    parts.append(name)
            node.inputs = parts


def _main_path(nodes: dict[str, _Node]) -> list[str]:
    """Return the names along the path with the most operations, from the input to the end."""
    length = {"": 0}
    for name, node in nodes.items():
        length[name] = max(length[one] for one in node.inputs) + (len(node.inputs) == 1)
    path = [next(reversed(nodes))]
    while name := max(nodes[path[-1]].inputs, key=length.__getitem__):
        path.append(name)
    return path[::-1]


def _sides(nodes: dict[str, _Node], path: list[str]) -> list[Side]:
    """Return the side paths of the joins on the main path."""
    values = {"": 0, **{name: i + 1 for i, name in enumerate(path)}}
    sides = []
    for end, name in enumerate(path):
        others = list(nodes[name].inputs)
        if len(others) > 1:
            others.remove(path[end - 1] if end else "")
            sides += [_side(nodes, values, other, end) for other in others]
    return sides


def _side(nodes: dict[str, _Node], values: dict[str, int], name: str, end: int) -> Side:
    ops: list[Op] = []
    while name not in values:
        node = nodes[name]
        if len(node.inputs) > 1:
            raise ValueError(
                f"rows hold {name!r}, where paths meet beside the main path; "
                "draw that part by itself, as a slice of the rows"
            )
        ops.insert(0, _step(node))
        name = node.inputs[0]
    return Side(values[name], end, tuple(ops))


def _step(node: _Node) -> Op | Join:
    row, after = node.row, tuple(node.after)
    if len(node.inputs) > 1:
        return Join(JOINS.get(row.op, row.op), node.shape, after, node.cost)
    learned = row.params > 0 or row.op.startswith("conv") or row.op == "linear"
    text = f"shuffle g={node.groups}" if node.shuffles else node.mark or op_text(row)
    return Op(
        text, node.shape, learned, node.cost, node.groups, node.shuffles, tuple(node.before), after,
        *_filters(row),
    )  # fmt: skip


def _filters(row: Row) -> tuple[int, Shape]:
    """Return how many filters a convolution has, and the shape of one; 0 and () of what is none."""
    if not row.op.startswith("conv") or row.op.startswith("conv_transpose"):
        return 0, ()
    reads = row.input_shape[0] // (row.groups or 1)
    axes = len(row.output_shape) - 1
    return row.output_shape[0], (reads, *values_per_axis(row.kernel, axes))


def _without_filters(network: Network) -> Network:
    """Return the same network, with operations that say nothing of their filters."""

    def bare(step):
        return replace(step, filters=0, filter=()) if isinstance(step, Op) else step

    sides = [replace(side, ops=tuple(map(bare, side.ops))) for side in network.sides]
    return replace(network, steps=tuple(map(bare, network.steps)), sides=tuple(sides))


def op_text(row: Row) -> str:
    """Return what stands in the pill of an operation, such as `3×3 /2`, `dw 3×3` or `3×3 d=2`."""
    axes = max(len(row.output_shape) - 1, 1)
    if row.op.startswith("conv_transpose"):
        return f"{_by(row.kernel, axes)} ×{_short(row.stride)} up"
    if row.op == "interpolate":
        return f"×{row.output_shape[-1] / row.input_shape[-1]:.3g} up"
    if row.op.startswith("adaptive") or row.op == "mean":
        kind = "max" if "max" in row.op else "avg"
        return f"global {kind}" if set(row.output_shape[1:]) <= {1} else f"{kind} pool"
    stride = "" if row.stride in (None, 1) else f" /{_short(row.stride)}"
    if "_pool" in row.op:
        return f"{POOLS.get(row.op.split('_')[0], 'pool')} {_by(row.kernel, axes)}{stride}"
    if row.op.startswith("conv"):
        groups = row.groups or 1
        deep = groups > 1 and groups == row.input_shape[0]
        dilation = "" if row.dilation in (None, 1) else f" d={_short(row.dilation)}"
        group = f" g={groups}" if groups > 1 and not deep else ""
        return f"{'dw ' * deep}{_by(row.kernel, axes)}{stride}{dilation}{group}"
    return row.op.replace("_", " ")


def _by(kernel, axes: int) -> str:
    return "×".join(str(taps) for taps in values_per_axis(kernel, axes))


def _short(value) -> str:
    return "×".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _with_marks_before(network: Network) -> Network:
    """Where a run of operations begins with marks before, they stand before all of the run."""
    steps, forks = list(network.steps), network.forks()
    for i in range(len(steps) - 1):
        one, two = steps[i : i + 2]
        ops = isinstance(one, Op) and isinstance(two, Op)
        if ops and one.before and one.after and i + 1 not in forks:
            steps[i] = replace(one, after=())
            steps[i + 1] = replace(two, before=one.after + two.before)
    return replace(network, steps=tuple(steps))


def _as_copies(network: Network) -> Network:
    """Let side paths that equal the main path beside them be copies of it."""
    steps, sides, copies = list(network.steps), list(network.sides), []
    for end, start in {(side.end, side.start): None for side in network.sides}:
        alike = tuple(_look(step) for step in steps[start:end])
        copy = [
            side
            for side in sides
            if (side.start, side.end) == (start, end)
            and side.ops
            and tuple(_look(op) for op in side.ops) == alike
        ]
        rest = [side for side in sides if side not in copy]
        inside = {one for side in rest for one in (side.start, side.end)} & set(
            range(start + 1, end)
        )
        if copy and not inside:
            count = 1 + len([side for side in sides if side in copy])
            sides = rest
            copies.append((start, end - 1, count))
            steps[start:end] = [replace(step, cost=step.cost * count) for step in steps[start:end]]
    return replace(network, steps=tuple(steps), sides=tuple(sides), copies=tuple(copies))


def _look(step: Op | Join) -> Op | Join:
    return replace(step, cost=0)
