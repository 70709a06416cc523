"""A drawn network in words, for those who cannot see it; knows nothing of matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convbook.course.figures.block_graph import Join, Network, Op, Side, read
from convbook.course.figures.block_parts import shape_text

if TYPE_CHECKING:
    from convbook.analysis import Row

JOINED = {"+": "add", "−": "subtract", "×": "multiply by", "cat": "concatenate"}


def block_text(rows: Sequence[Row], share: str = "macs", filters: bool = False) -> str:
    """Return what `figures.blocks` draws, as a sentence for each step.

    Args:
        rows: `trace(model, input_size)`, or a slice of it.
        share: of what the percentages tell: "macs" or "params".
        filters: whether it says how many filters a convolution has, and of which shape.

    Raises:
        ValueError: as `blocks`.

    Example:
        >>> import convbook
        >>> from convbook.nn import ResidualBlock
        >>> rows = convbook.analysis.trace(ResidualBlock(64, 64), (64, 56, 56))
        >>> print(block_text(rows))
        Input 64 × 56 × 56.
        1: 3×3, batch norm, ReLU gives 64 × 56 × 56; 50 % of the MACs.
        2: 3×3, batch norm gives 64 × 56 × 56; 50 % of the MACs.
        3: add the input, then ReLU, gives 64 × 56 × 56.
    """
    network = read(rows, share, filters)
    lines = [f"Input {shape_text(network.input_shape)}."]
    copies = {first: (last, count) for first, last, count in network.copies}
    unit = {"macs": "MACs", "params": "parameters"}[share]
    for i, step in enumerate(network.steps):
        if i in copies:
            last, count = copies[i]
            steps = f"Step {i + 1} is" if last == i else f"Steps {i + 1} to {last + 1} are"
            lines.append(f"{steps} there {count} times, side by side:")
        lines.append(f"{i + 1}: {_sentence(network, i, step, unit)}.")
    return "\n".join(lines)


def title_of(network: Network) -> str:
    """Return a title: what goes in, what comes out, and after how many operations."""
    count = sum(isinstance(step, Op) for step in network.steps)
    count += sum(len(side.ops) for side in network.sides)
    plural = "operations" if count > 1 else "operation"
    ends = (shape_text(network.input_shape), shape_text(network.shapes[-1]))
    return f"Network from {ends[0]} to {ends[1]}, {count} {plural}"


def _sentence(network: Network, i: int, step: Op | Join, unit: str) -> str:
    if isinstance(step, Op):
        cost = f"; {100 * step.cost / network.cost:.1f} % of the {unit}" if step.cost else ""
        return f"{_operation(step)} gives {shape_text(step.shape)}{cost.replace('.0 %', ' %')}"
    others = [_source(side) for side in network.sides if side.end == i]
    paths = [count for first, last, count in network.copies if last + 1 == i]
    if paths:
        others.insert(0, f"the {paths[0]} paths")
    word = JOINED.get(step.symbol, step.symbol)
    then = f", then {', '.join(step.after)}," if step.after else ""
    return f"{word} {' and '.join(others)}{then} gives {shape_text(step.shape)}"


def _source(side: Side) -> str:
    source = f"the result of {side.start}" if side.start else "the input"
    return f"{source} through {', '.join(map(_operation, side.ops))}" if side.ops else source


def _operation(op: Op) -> str:
    filters = f"{op.filters} filters of {shape_text(op.filter)}"
    return ", ".join([*op.before, op.text, *([filters] if op.filter else []), *op.after])
