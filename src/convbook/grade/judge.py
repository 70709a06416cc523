"""Ask a traced network for each requirement of the assignment."""

from typing import NamedTuple

from torch import nn

from convbook.analysis import trace
from convbook.analysis.copies import check_input_size, check_model
from convbook.grade.averaging import global_average_pooling
from convbook.grade.convolutions import depthwise_separable, dilated, padded_point, short_padding
from convbook.grade.network import Network
from convbook.grade.report import Finding, Report, Requirement
from convbook.grade.transitions import FIELD, receptive_field, transitions

PARAMETERS = 1_000_000
ACCURACY = 0.8
CLASSES = 10
# One function for each requirement on the operations that run.
STRUCTURE = {
    "three transitions by max-pool, C1 C2 C3 C4": transitions,
    f"receptive field above {FIELD} pixels": receptive_field,
    "a depthwise separable convolution": depthwise_separable,
    "a dilated convolution": dilated,
    "global average pooling": global_average_pooling,
}


class Claim(NamedTuple):
    """An accuracy, and where it comes from."""

    accuracy: float | None
    source: str
    note: str = ""

    @classmethod
    def reported(cls, accuracy):
        """Return the claim of somebody who hands a number in.

        Raises:
            ValueError: it is not between 0 and 1.
        """
        if accuracy is None:
            return cls(None, "not measured", "hand the test accuracy in, or use --weights, --data")
        try:
            number = float(accuracy)
        except (TypeError, ValueError):
            number = -1.0
        if isinstance(accuracy, bool) or not 0 <= number <= 1:
            hint = f"for {number:g} % use {number / 100:g}" if 1 < number <= 100 else "use 0.85"
            raise ValueError(f"accuracy={accuracy!r} is not between 0 and 1; {hint}")
        return cls(number, "self-reported", "nobody has measured it here")


def judge(model, claim, input_size=(3, 32, 32)):
    """Return the report on a network and a claim about its accuracy.

    Raises:
        ValueError: a size is out of range.
        TypeError: `model` is not an `nn.Module`, or a size is not an integer.
    """
    input_size = check_input_size(input_size)
    if len(input_size) != 3:
        raise ValueError(f"input_size={input_size} is not (channels, height, width)")
    check_model(model)
    model = getattr(model, "_orig_mod", model)  # what torch.compile has wrapped
    try:
        network = Network(model, trace(model, input_size))
    except Exception as error:  # a model may fail in any way
        network, reasons = None, [_told(error), *["as above"] * (len(STRUCTURE) - 1)]
    if network:
        findings = {ask: judged(network) for ask, judged in STRUCTURE.items()}
    else:
        failed = (Finding("not traced", False, reason) for reason in reasons)
        findings = dict(zip(STRUCTURE, failed, strict=True))
    findings[f"under {PARAMETERS:,} parameters"] = parameters(model)
    findings[f"accuracy of at least {ACCURACY:.0%} on CIFAR-10"] = accuracy(claim)
    rows = [Requirement(ask, *finding) for ask, finding in findings.items()]
    return Report(rows, remarks(network, rows) if network else ())


def _told(error):
    known = isinstance(error, ValueError)
    return " ".join((str(error) if known else f"{type(error).__name__}: {error}").split())


def parameters(model):
    """Judge how many numbers there are to learn, those that are never used included."""
    lazy = [name for name, one in model.named_parameters() if nn.parameter.is_lazy(one)]
    if lazy:
        return Finding(
            "unknown", False, f"`{lazy[0]}` has no shape; run the model on an input once"
        )
    sizes = {name: one.numel() for name, one in model.named_parameters()}
    count = sum(sizes.values())
    if not count:
        return Finding("0", False, "the model registers no parameters; build it from nn layers")
    largest = max(sizes, key=sizes.get)
    why = f"the largest is `{largest}` with {sizes[largest]:,}"
    if count >= PARAMETERS:
        why += (
            f"; {count - PARAMETERS + 1:,} too many: use fewer channels, or separable convolutions"
        )
    return Finding(f"{count:,}", count < PARAMETERS, why)


def accuracy(claim):
    """Judge the accuracy, wherever it comes from."""
    if claim.accuracy is None:
        return Finding(claim.source, False, claim.note)
    measured = f"{100 * claim.accuracy:.6g} %, {claim.source}"
    return Finding(measured, claim.accuracy >= ACCURACY, claim.note)


def remarks(network, rows):
    """Return what no requirement has said yet, and no requirement decides."""
    said = " ".join(row.why for row in rows)
    found = [miss for row in network.rows for miss in (padded_point(row), short_padding(row))]
    shapes = [network.shape(name) for name in network.table.outputs]
    if shapes != [(CLASSES,)]:
        text = ", ".join("x".join(map(str, shape)) or "1" for shape in shapes)
        found.append(f"the output has shape {text}; CIFAR-10 needs {CLASSES} numbers per picture")
    found += [f"the output of `{row.name}` is dropped" for row in network.dropped if row.params]
    if unused := network.table.unused:
        count = sum(unused.values())
        found.append(f"{count:,} parameters never run (`{next(iter(unused))}`, ...), but count")
    return [remark for remark in found if remark and remark not in said]
