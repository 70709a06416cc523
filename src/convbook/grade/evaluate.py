"""Ask a traced network for each requirement of the assignment."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import NamedTuple

from torch import nn

from convbook.analysis import check_input_size, check_model, trace
from convbook.grade.graph import Graph
from convbook.grade.probe import Probe, Replay, probe
from convbook.grade.profile import DEFAULT, Profile, load
from convbook.grade.remarks import remarks
from convbook.grade.report import Finding, Report, Requirement
from convbook.grade.requirements import transitions
from convbook.grade.requirements.convolutions import depthwise_separable, dilated
from convbook.grade.requirements.pooling import global_average_pooling

TRANSITIONS = {
    "max-pool": ("three transitions by max-pool, C1 C2 C3 C4", transitions.by_max_pool),
    "convolution": (
        "three transitions without max-pool, C1 C2 C3 C4",
        transitions.by_convolution,
    ),
}


def structure(profile: Profile) -> dict[str, Callable[[Graph], Finding]]:
    """Return one function for each requirement on the operations that run."""
    ask, judged = TRANSITIONS[profile.transitions]
    field = profile.receptive_field
    return {
        ask: judged,
        f"receptive field above {field} pixels": partial(transitions.receptive_field, asked=field),
        "a depthwise separable convolution": depthwise_separable,
        "a dilated convolution": dilated,
        "global average pooling": global_average_pooling,
    }


class Accuracy(NamedTuple):
    """An accuracy, and where it comes from."""

    value: float | None
    source: str
    note: str = ""

    @classmethod
    def reported(cls, value: float | str | None) -> Accuracy:
        """Return the accuracy of somebody who hands a number in.

        Raises:
            ValueError: it is not between 0 and 1.
        """
        if value is None:
            return cls(None, "not measured", "hand the test accuracy in, or use --weights, --data")
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = -1.0
        if isinstance(value, bool) or not 0 <= number <= 1:
            hint = f"for {number:g} % use {number / 100:g}" if 1 < number <= 100 else "use 0.85"
            raise ValueError(f"accuracy={value!r} is not between 0 and 1; {hint}")
        return cls(number, "self-reported", "nobody has measured it here")

    @classmethod
    def measured(
        cls, model: nn.Module, weights: str | None, data: str, input_size: tuple[int, ...]
    ) -> Accuracy:
        """Return the accuracy on the test images of a data set.

        Raises:
            ValueError: there is no such data set, or its images are of another size.
        """
        from convbook.data import load  # noqa: PLC0415 (most reports need neither)
        from convbook.train import evaluate  # noqa: PLC0415

        test = load(data).test
        shape = tuple(test.images.shape[1:])
        if shape != tuple(input_size):
            raise ValueError(
                f"--data={data} has pictures of {shape}, not --input-size {input_size}"
            )
        value = evaluate(model, test)["accuracy"]
        made = f"weights: {weights}" if weights else "weights as the file makes them; add --weights"
        return cls(value, f"measured on {len(test):,} test images", f"data: {data}; {made}")

    def finding(self, asked: float) -> Finding:
        """Return whether it is as high as asked for, wherever it comes from."""
        if self.value is None:
            return Finding(self.source, False, self.note)
        measured = f"{100 * self.value:.6g} %, {self.source}"
        return Finding(measured, self.value >= asked, self.note)


def grade_address(
    model: str,
    weights: str | None = None,
    data: str | None = None,
    input_size: tuple[int, ...] = (3, 32, 32),
    accuracy: float | str | None = None,
    profile: str = DEFAULT,
) -> Report:
    """Return the report on a model by its address, measured on data if some are named.

    Raises:
        ValueError: model, weights and data do not go together.
    """
    from convbook.loading import load_model, load_weights  # noqa: PLC0415 (`grade` needs it not)

    claimed = Accuracy.reported(accuracy)
    network = load_model(model, with_weights=bool(weights or data))
    if weights:
        load_weights(network, weights)
    if data:
        claimed = Accuracy.measured(network, weights, data, input_size)
    return evaluate(network, claimed, input_size, profile)


def evaluate(
    model: nn.Module,
    accuracy: Accuracy,
    input_size: tuple[int, ...] = (3, 32, 32),
    profile: str = DEFAULT,
) -> Report:
    """Return the report on a network and its accuracy.

    Raises:
        ValueError: a size is out of range, or there is no such profile.
        TypeError: `model` is not an `nn.Module`, or a size is not an integer.
    """
    asked = load(profile)
    input_size = check_input_size(input_size)
    if len(input_size) != 3:
        raise ValueError(f"input_size={input_size} is not (channels, height, width)")
    check_model(model)
    model = getattr(model, "_orig_mod", model)  # what torch.compile has wrapped
    seen = probe(model, input_size, asked.classes)
    requirements = structure(asked)
    graph = None
    try:
        with Replay(seen.answers) if seen and seen.answers else nullcontext():
            table = trace(model, input_size)
        graph = Graph(model, table, seen, asked.classes)
    except Exception as error:  # a model may fail in any way
        reasons = [_reason(error, input_size, seen), *["as above"] * (len(requirements) - 1)]
        failed = (Finding("not traced", False, reason) for reason in reasons)
        findings = dict(zip(requirements, failed, strict=True))
    else:
        findings = {requirement: judged(graph) for requirement, judged in requirements.items()}
    findings[f"under {asked.parameters:,} parameters"] = parameters(model, asked.parameters)
    goal = f"accuracy of at least {asked.accuracy:.0%} on {asked.data}"
    findings[goal] = accuracy.finding(asked.accuracy)
    rows = [Requirement(requirement, *finding) for requirement, finding in findings.items()]
    return Report(rows, remarks(graph, rows, seen, asked) if graph else ())


def _reason(error: Exception, input_size: tuple[int, ...], seen: Probe | None) -> str:
    """Say why a network cannot be traced, and whether it runs all the same."""
    known = isinstance(error, ValueError)
    told = " ".join((str(error) if known else f"{type(error).__name__}: {error}").split())
    if not seen:
        return told
    if isinstance(error.__cause__, NotImplementedError):
        told = "a shape in it depends on values, as that of x[x > 0]; use torch.where"
    told = told.removeprefix(f"model does not run on input_size={input_size}: ")
    return f"it runs, but cannot be followed: {told}"


def parameters(model: nn.Module, limit: int) -> Finding:
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
    largest = max(sizes, key=lambda name: sizes[name])
    why = f"the largest is `{largest}` with {sizes[largest]:,}"
    if count >= limit:
        why += f"; {count - limit + 1:,} too many: use fewer channels, or separable convolutions"
    return Finding(f"{count:,}", count < limit, why)
