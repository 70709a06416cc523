"""Run a model without values, and note what each operation does.

While the model runs on PyTorch's meta device, which knows shapes only, a `TorchFunctionMode` sees
every PyTorch function that is called, by a layer or directly, and asks the function's rule what its
outputs see of the input.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from convbook.analysis._copies import (
    NoMap,
    check_input_size,
    copy_with,
    meta_input,
    on_meta,
    output_of,
)
from convbook.analysis.aliases import Aliases
from convbook.analysis.field import TensorField, join
from convbook.analysis.macs import macs_of
from convbook.analysis.refusals import check_forward, refusal
from convbook.analysis.rules import CONSTANT, NORMALISATIONS, OVERWRITING, rule_for
from convbook.analysis.rules.base import (
    NO_SETTINGS,
    attach_field,
    field_of,
    fields_in,
    op_name,
    require_field,
    rows_in,
    rows_of,
    tensors_in,
)
from convbook.analysis.running import without_values
from convbook.analysis.table import Row, Table


def trace(model: nn.Module, input_size: Sequence[int] = (3, 32, 32)) -> Table:
    """Return a table of a model's operations: shapes, parameters, MACs and receptive field.

    The model runs once, as in `model.eval()`, on a single image without values: no weight is read
    or changed, and a model made under `torch.device("meta")` will do. Layers and functions such as
    `F.conv2d` are followed alike.

    A receptive field counts the padding as pixels and does not end at the border. Where branches
    meet, it is the union: smallest start, largest end. Where the outputs of a layer differ, as
    after a transposed convolution, the size is the largest. Global pooling, gating and attention
    let every output see what the whole map sees; so does flattening, since its pixels are told
    apart no longer, until a reshape tells them apart again. Such a field ends at the border, and
    its jump is 0; a row's `local_field` leaves out what came through a gate. Normalisation counts
    as pointwise.

    Views and operations in place are followed through the memory that they share: what is written
    through one tensor is seen through the others. Moves between devices, activation checkpoints and
    own autograd functions change nothing.

    The jump is what Araujo, Norris and Sim call the effective stride.

    Shapes:
        `input_size` is `(C, H, W)` (or `(C, L)`, `(C, D, H, W)`), without the batch.

    Args:
        model: its forward takes one tensor.
        input_size: channels and pixels of the input, at least 1.

    Raises:
        ValueError: an operation is unknown, or writes where it cannot be followed; branches differ
            in their jump; the model does not run on this input, or looks at its values. The message
            names the operation and its module.
        TypeError: `model` is not an `nn.Module`, or a size is not an integer.

    Example:
        >>> from torch import nn
        >>> trace(nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.ReLU()), (3, 9, 9))
        name  op      output  k  s  p  d  g  params   MACs  field  jump  start
        0     conv2d   8x4x4  3  2  0  1  1     224  3,456      3     2      0
        1     relu     8x4x4                                    3     2      0
        total: 224 parameters, 3,456 MACs; the last local field: size 3, jump 2, start 0

    Source: Araujo, Norris and Sim, Computing Receptive Fields, Distill 2019.
    """
    input_size = check_input_size(input_size)
    tracer = _Tracer(copy_with(model, on_meta))
    tracer.run(input_size)
    params = sum(parameter.numel() for parameter in model.parameters())
    outputs = rows_in(tracer.output)
    return Table(tracer.rows, input_size, params, tracer.unused(), outputs)


def periods(
    model: nn.Module, input_size: Sequence[int], layer: str | None = None
) -> tuple[int, ...]:
    """Return for each axis after how many outputs the pattern of what they see repeats.

    Shapes:
        `input_size` is `(C, H, W)`; the result has one int for each axis after the channels.

    Args:
        model: its forward takes one tensor.
        input_size: channels and pixels of the input, at least 1.
        layer: the name of the layer whose output is looked at; None is the whole model.

    Raises:
        ValueError: as `trace`, up to that layer.

    Example:
        >>> from torch import nn
        >>> periods(nn.ConvTranspose2d(3, 8, 3, stride=(1, 2)), (3, 9, 9))
        (1, 2)

    Source: Dumoulin and Visin, arXiv 1603.07285, section 4 (transposed convolution).
    """
    tracer = _Tracer(copy_with(model, on_meta))
    tracer.run(input_size, layer)
    seen = require_field(tracer.output[0]).settled()
    return tuple(interval.period for interval in seen.intervals)


class _Refusal(ValueError):
    """An operation cannot be followed; the message says which."""


class _Tracer(TorchFunctionMode):
    """Follows a model's operations and writes the rows."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.rows: list[Row] = []
        self.output: list[Tensor] = []
        self.aliases = Aliases()
        # (path, module) from the model down to the layer that runs
        self.running: list[tuple[str, nn.Module]] = []
        self.names: Counter[str] = Counter()
        self.counted: dict[int, nn.Parameter] = {}  # by id: those that an operation has used
        self.carried_cost = (0, 0)  # parameters and MACs that computed what the next row uses
        for path, module in model.named_modules():
            module.register_forward_pre_hook(lambda *_, entry=(path, module): self.enter(entry))
            module.register_forward_hook(lambda module, *_: self.leave(module))

    def enter(self, entry: tuple[str, nn.Module]) -> None:
        self.running.append(entry)

    def leave(self, module: nn.Module) -> None:
        while self.running.pop()[1] is not module:
            pass  # a module below it that failed, and was caught

    def run(self, input_size: Sequence[int], layer: str | None = None) -> None:
        """Run the model, or its beginning up to a layer, on the meta device."""
        check_forward(self.model)
        x = meta_input(self.model, input_size)
        attach_field(x, TensorField.of_input(x.shape, len(input_size) - 1), ("",))
        try:
            with self, without_values():
                output = output_of(self.model, x, layer) if layer else self.model(x)
        except (_Refusal, NoMap) as known:
            raise ValueError(str(known)) from known.__cause__
        except Exception as error:  # a forward can fail in any way
            where = _module_name(*self.place())
            raise refusal(error, self.model, tuple(input_size), where) from error
        self.output = tensors_in(output)
        if not self.output:
            raise ValueError(
                f"model gives a {type(output).__name__} in which no tensor is found; "
                "return a tensor, or tensors in a tuple, list, dict or dataclass"
            )
        self.refresh("output", self.output)
        if not fields_in(self.output):
            raise ValueError(
                "model's output does not depend on its input as far as trace can follow; "
                "use PyTorch functions from the input to the output"
            )
        for tensor in self.output:
            self.sum_up(tensor)

    def sum_up(self, output: Tensor) -> None:
        """Write a row for an output that was written in parts: no operation's row is about it."""
        sources, shape, seen = rows_of(output), _without_batch(output.shape), field_of(output)
        if seen is None or sources == ("",):
            return
        rows = [row for row in self.rows if row.name in sources]
        told = [(row.output_shape, row.receptive_field) for row in rows]
        if told != [(shape, seen.receptive_field)]:
            name, _, _ = self.name_of("output")
            self.write_row(name, "output", output.shape, output, sources=sources)
            attach_field(output, seen, (name,))

    def __torch_function__(self, func, types, args=(), kwargs=None):  # noqa: ANN204 (as PyTorch's)
        """Run one PyTorch function and note what it does."""
        kwargs = kwargs or {}
        op, given = op_name(func), tensors_in([args, kwargs])
        self.refresh(op, given)
        # In x.view_as(y), y lends its shape only; what is overwritten does not count.
        operands = args[:1] if op.endswith("_as") else [args, kwargs]
        versions = [_version(tensor) for tensor in given]
        outputs = func(*args, **kwargs)
        tensors = tensors_in(outputs)
        changed = [
            tensor
            for tensor, version in zip(given, versions, strict=True)
            if (_is_in(tensor, tensors) if version is None else version != _version(tensor))
        ]
        if op == "set_data":
            attach_field(args[0], field_of(args[1]), rows_of(args[1]))
        elif changed and op not in NORMALISATIONS:
            self.record_write(op, changed[0], args, kwargs)
        elif fields_in(operands) and tensors and op not in CONSTANT:
            self.record(op, tensors, operands, args, kwargs)
        elif tensors:
            self.carried_cost = self.costs(op, tensors, args, kwargs)
        self.refresh(op, tensors)
        return outputs

    def refresh(self, op: str, tensors: list[Tensor]) -> None:
        """Bring the fields of tensors up to date, before and after an operation."""
        try:
            self.aliases.refresh(tensors)
        except ValueError as error:
            where = _module_name(*self.place())
            raise _Refusal(f"cannot follow what {op!r} (in {where}) reads: {error}") from error

    def record_write(self, op: str, target: Tensor, args: tuple, kwargs: dict) -> None:
        """Note what an operation did that wrote into a tensor."""
        sources = [args[1:], kwargs]
        if op == "setitem":
            self.record_assignment(*args)
        elif op in OVERWRITING and not fields_in(sources):
            if field_of(target):
                self.aliases.write(target, None, ())
        elif fields_in([args, kwargs]):
            operands = sources if op in OVERWRITING else [args, kwargs]
            self.record(op, [target], operands, args, kwargs, in_place=True)
        else:
            self.carried_cost = self.costs(op, [target], args, kwargs)

    def record_assignment(self, target: Tensor, index: object, value: object) -> None:
        """Note `target[index] = value`: the row is about all of `target`."""
        before, sources = rows_of(target), rows_in([index, value])
        with self.named("setitem") as name:
            part: Tensor | None = None
            if isinstance(index, Tensor) and index.shape == target.shape:  # a mask
                parts = fields_in([target, index, value])
                seen = join(parts, target.shape) if parts else None
            else:
                part = _part(target, index)
                given = field_of(value) if isinstance(value, Tensor) else None
                seen = given and given.broadcast(part.shape)
            params, macs = self.costs("setitem", [target], (value,), {})
            if seen or field_of(target):
                self.aliases.write(target, seen, (name,), part)
            self.carried_cost = (0, 0) if seen else (params, macs)
            if seen:
                sources = tuple(dict.fromkeys(before + sources))
                self.write_row(name, "setitem", target.shape, target, params, macs, sources)
                attach_field(target, field_of(target), (name,))

    def costs(self, op: str, tensors: list[Tensor], args: tuple, kwargs: dict) -> tuple[int, int]:
        """Return the new parameters and the MACs of an operation, and of what is carried."""
        params, macs = self.carried_cost
        # In x.type_as(weight), the weight is not used.
        params += self.new_parameters(args[:1] if op.endswith("_as") else [args, kwargs])
        return params, macs + macs_of(op, tensors, args, kwargs)

    def record(self, op, tensors, operands, args, kwargs, in_place=False):
        """Ask the operation's rule, attach fields to the outputs and write the rows."""
        shape, sources = fields_in(operands)[0].shape, rows_in(operands)
        with self.named(op) as name:
            result = _apply_rule(op, tensors, args, kwargs, in_place)
            params, macs = self.costs(op, tensors, args, kwargs)
            several = isinstance(result.field, list)
            fields = (
                result.field if isinstance(result.field, list) else [result.field] * len(tensors)
            )
            names = [f"{name}[{i}]" if several else name for i in range(len(tensors))]
            for tensor, seen, row in zip(tensors, fields, names, strict=True):
                if in_place:
                    self.aliases.write(tensor, seen.reshaped(tensor.shape), (row,))
                else:
                    own = self.aliases.view(tensor, seen.reshaped(tensor.shape))
                    attach_field(tensor, own, (row,))
        self.carried_cost = (0, 0)
        for i, tensor in enumerate(tensors if several else tensors[:1]):
            if field_of(tensor) is None:  # a view of what was overwritten
                continue
            counts = (0, 0) if i else (params, macs)
            self.write_row(names[i], op, shape, tensor, *counts, sources, result)

    def write_row(self, name, op, shape, tensor, params=0, macs=0, sources=(), result=None):
        """Write the row about a tensor that has its field already."""
        seen = (result and result.shown) or require_field(tensor)
        settings = vars(result.settings if result else NO_SETTINGS)
        before, after = _without_batch(shape), _without_batch(tensor.shape)
        field, local_field = seen.receptive_field, (seen.ungated or seen).receptive_field
        counts = {"params": params, "macs": macs, "receptive_field": field, "inputs": sources}
        self.rows.append(
            Row(name, op, before, after, **settings, **counts, local_field=local_field)
        )

    @contextlib.contextmanager
    def named(self, op: str) -> Iterator[str]:
        """Give an operation a name, and refuse it by that name."""
        name, path, module = self.name_of(op)
        try:
            yield name
        except (ValueError, TypeError) as error:
            where = _module_name(path, module)
            raise _Refusal(f"cannot follow {name!r} (op {op} in {where}): {error}") from error

    def place(self) -> tuple[str, nn.Module]:
        """Return the path and the module that run."""
        return self.running[-1] if self.running else ("", self.model)

    def name_of(self, op: str) -> tuple[str, str, nn.Module]:
        """Return a name that no other row has, and the path and module that run."""
        path, module = self.place()
        layer = path and type(module).__module__.startswith("torch.nn.")
        name = path if layer else f"{path}.{op}" if path else op
        self.names[name] += 1
        count = self.names[name] - 1
        return (f"{name}_{count}" if count else name), path, module

    def new_parameters(self, value: object) -> int:
        """Return how many parameters in `value` are not counted yet, and count them."""
        count = 0
        for tensor in tensors_in(value):
            if isinstance(tensor, nn.Parameter) and id(tensor) not in self.counted:
                self.counted[id(tensor)] = tensor
                count += tensor.numel()
        return count

    def unused(self) -> dict[str, int]:
        """Return the parameters that no operation used: name -> size."""
        return {
            name: parameter.numel()
            for name, parameter in self.model.named_parameters()
            if id(parameter) not in self.counted
        }


def _module_name(path, module):
    return f"{type(module).__name__} {path!r}" if path else type(module).__name__


def _version(tensor):
    """Return how often a tensor's memory was written to, or None where PyTorch does not count."""
    return None if tensor.is_inference() else tensor._version


def _is_in(tensor, tensors):
    return any(tensor is one for one in tensors)


def _part(tensor, index):
    """Return the view of a tensor that an assignment to `tensor[index]` writes into."""
    indices = index if isinstance(index, tuple) else (index,)
    if not any(isinstance(one, list | Tensor) for one in indices):
        part = Tensor.__getitem__(tensor, index)
        if part.untyped_storage()._cdata == tensor.untyped_storage()._cdata:
            return part
    raise ValueError("its index is a list or a tensor; use slices, or torch.where")


def _apply_rule(op, tensors, args, kwargs, in_place):
    """Return what the rule of an operation says.

    Raises:
        ValueError: there is none, or the operation writes where it cannot be followed.
    """
    rule = rule_for(op)
    if rule is None:
        raise ValueError(
            "no rule says what its outputs see; "
            "use another operation, or trace the model's parts before and after it"
        )
    if kwargs.get("out") is not None or (in_place and args[0] is not tensors[0]):
        raise ValueError("it writes into another tensor than its first; assign its result instead")
    return rule(tensors, *args, **kwargs)


def _without_batch(shape):
    """Return the shape for one image; a shape whose batch was reshaped away stays whole."""
    return tuple(shape[1:]) if len(shape) > 1 and shape[0] == 1 else tuple(shape)
