"""Ask a traced network for each requirement of the assignment."""

from contextlib import nullcontext
from functools import partial
from typing import NamedTuple

from torch import nn

from convbook.analysis import check_input_size, check_model, trace
from convbook.grade import strides
from convbook.grade.convolutions import depthwise_separable, dilated, padded_point
from convbook.grade.graph import Network
from convbook.grade.outputs import output_remarks
from convbook.grade.padding import bought_field, short_padding
from convbook.grade.pooling import global_average_pooling
from convbook.grade.probe import Replay, probe
from convbook.grade.profile import DEFAULT, load
from convbook.grade.report import Finding, Report, Requirement
from convbook.grade.transitions import receptive_field, transitions

TRANSITIONS = {
    "max-pool": ("three transitions by max-pool, C1 C2 C3 C4", transitions),
    "convolution": ("three transitions without max-pool, C1 C2 C3 C4", strides.transitions),
}


def structure(profile):
    """Return one function for each requirement on the operations that run."""
    ask, judged = TRANSITIONS[profile.transitions]
    field = profile.receptive_field
    return {
        ask: judged,
        f"receptive field above {field} pixels": partial(receptive_field, asked=field),
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


def judge(model, claim, input_size=(3, 32, 32), profile=DEFAULT):
    """Return the report on a network and a claim about its accuracy.

    Raises:
        ValueError: a size is out of range, or there is no such profile.
        TypeError: `model` is not an `nn.Module`, or a size is not an integer.
    """
    profile = load(profile)
    input_size = check_input_size(input_size)
    if len(input_size) != 3:
        raise ValueError(f"input_size={input_size} is not (channels, height, width)")
    check_model(model)
    model = getattr(model, "_orig_mod", model)  # what torch.compile has wrapped
    seen = probe(model, input_size, profile.classes)
    asks = structure(profile)
    try:
        with Replay(seen.answers) if seen and seen.answers else nullcontext():
            table = trace(model, input_size)
        network = Network(model, table, seen, profile.classes)
    except Exception as error:  # a model may fail in any way
        reasons = [_reason(error, input_size, seen), *["as above"] * (len(asks) - 1)]
        failed = (Finding("not traced", False, reason) for reason in reasons)
        network, findings = None, dict(zip(asks, failed, strict=True))
    else:
        findings = {ask: judged(network) for ask, judged in asks.items()}
    findings[f"under {profile.parameters:,} parameters"] = parameters(model, profile.parameters)
    asked = f"accuracy of at least {profile.accuracy:.0%} on {profile.data}"
    findings[asked] = accuracy(claim, profile.accuracy)
    rows = [Requirement(ask, *finding) for ask, finding in findings.items()]
    return Report(rows, remarks(network, rows, seen, profile) if network else ())


def _reason(error, input_size, seen):
    """Say why a network cannot be traced, and whether it runs all the same."""
    known = isinstance(error, ValueError)
    told = " ".join((str(error) if known else f"{type(error).__name__}: {error}").split())
    if not seen:
        return told
    if isinstance(error.__cause__, NotImplementedError):
        told = "a shape in it depends on values, as that of x[x > 0]; use torch.where"
    told = told.removeprefix(f"model does not run on input_size={input_size}: ")
    return f"it runs, but cannot be followed: {told}"


def parameters(model, limit):
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
    if count >= limit:
        why += f"; {count - limit + 1:,} too many: use fewer channels, or separable convolutions"
    return Finding(f"{count:,}", count < limit, why)


def accuracy(claim, asked):
    """Judge the accuracy, wherever it comes from."""
    if claim.accuracy is None:
        return Finding(claim.source, False, claim.note)
    measured = f"{100 * claim.accuracy:.6g} %, {claim.source}"
    return Finding(measured, claim.accuracy >= asked, claim.note)


def remarks(network, rows, seen, profile):
    """Return what no requirement has said yet, and no requirement decides."""
    found = [miss for row in network.rows for miss in (padded_point(row), short_padding(row))]
    before = network.behind([network.last.name]) if network.last else ()
    found += [
        bought_field(network, row, profile.receptive_field)
        for row in network.rows
        if row.name in before
    ]
    found += output_remarks(network, seen, profile)
    found += _lost_remarks(network)
    found += _parameter_remarks(network, seen)
    if seen and seen.answers:
        found.append(
            "forward looks at values in tensors; judged is the way that one random picture takes"
        )
    said = " ".join(row.why for row in rows)
    return [remark for remark in dict.fromkeys(found) if remark and remark not in said]


def _lost_remarks(network):
    """Say which layers run for nothing: the first of each chain."""
    told = set()
    for row in network.dropped:
        if row.inputs and told.issuperset(row.inputs):
            told.add(row.name)
        elif row.params:
            told.add(row.name)
            yield f"`{row.name}` {network.lost[row.name]}"


def _parameter_remarks(network, seen):
    """Say which parameters do nothing, and what learns nothing."""
    unused = network.table.unused
    if unused:
        yield f"nothing reads {_counted(network, unused)}, but they count"
    if not seen:
        return
    idle = [
        name
        for name in seen.idle_parameters
        if name not in unused and name.rpartition(".")[0] not in network.lost
    ]
    if idle:
        yield f"no change of {_counted(network, idle)} changes the output, but they count"
    convolutions = [row for row in network.table if row.op == "conv2d"]
    if len(convolutions) == seen.convolutions:
        for number in sorted(seen.stuck):
            yield f"no gradient reaches `{convolutions[number].name}`, so it learns nothing"


def _counted(network, names):
    """Return how many numbers some parameters hold, and the first of their names."""
    sizes = dict(network.model.named_parameters())
    count = sum(sizes[name].numel() for name in names)
    more = ", ..." if len(names) > 1 else ""
    return f"{count:,} parameters (`{next(iter(names))}`{more})"
