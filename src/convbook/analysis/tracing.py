"""Run a model without values, and note what each operation does.

While the model runs on PyTorch's meta device, which knows shapes only, a `TorchFunctionMode` sees
every PyTorch function that is called, by a layer or directly, and asks the function's rule what its
outputs see of the input.
"""

from collections import Counter

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from convbook.analysis.copies import check_input_size, copy_with, on_meta, output_of
from convbook.analysis.macs import macs_of
from convbook.analysis.rules import CONSTANT, rule_for
from convbook.analysis.seen import Seen
from convbook.analysis.steps import mark, op_name, parts_in, rows_in, seen_by, tensors_in
from convbook.analysis.table import Row, Table


def trace(model, input_size=(3, 32, 32)):
    """Return a table of a model's operations: shapes, parameters, MACs and receptive field.

    The model runs once, as in `model.eval()`, on a single image without values: no weight is read
    or changed, and a model made under `torch.device("meta")` will do. Layers and functions such as
    `F.conv2d` are followed alike.

    A receptive field counts the padding as pixels and does not end at the border. Where branches
    meet, it is the union: smallest start, largest end. Where the outputs of a layer differ, as
    after a transposed convolution, the size is the largest. Global pooling, gating and attention
    let every output see what the whole map sees; so does flattening, since its pixels are told
    apart no longer. Such a field ends at the border, and its jump is 0. Normalisation counts as
    pointwise.

    Shapes:
        `input_size` is `(C, H, W)` (or `(C, L)`, `(C, D, H, W)`), without the batch.

    Args:
        model: the `nn.Module`; its forward takes one tensor.
        input_size: channels and pixels of the input, at least 1.

    Raises:
        ValueError: an operation is unknown, branches differ in their jump, or the model does not
            run on this input; the message names the operation and its module.
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
    follower = _Follower(copy_with(model, on_meta))
    follower.run(input_size)
    params = sum(parameter.numel() for parameter in model.parameters())
    outputs = rows_in(follower.output)
    return Table(follower.rows, input_size, params, follower.unused(), outputs)


def periods(model, input_size, layer=None):
    """Return for each axis after how many outputs the pattern of what they see repeats.

    Shapes:
        `input_size` is `(C, H, W)`; the result has one int for each axis after the channels.

    Args:
        model: the `nn.Module`; its forward takes one tensor.
        input_size: channels and pixels of the input, at least 1.
        layer: the name of the layer whose output is looked at; None is the whole model.

    Raises:
        ValueError: as `trace`, up to that layer.
        TypeError: `model` is not an `nn.Module`.

    Example:
        >>> from torch import nn
        >>> periods(nn.ConvTranspose2d(3, 8, 3, stride=(1, 2)), (3, 9, 9))
        (1, 2)

    Source: Dumoulin and Visin, arXiv 1603.07285, section 4 (transposed convolution).
    """
    follower = _Follower(copy_with(model, on_meta))
    follower.run(input_size, layer)
    seen = seen_by(follower.output)
    return tuple(extent.period for extent in seen.extents)


class _Refusal(ValueError):
    """An operation cannot be followed; the message says which."""


class _Follower(TorchFunctionMode):
    """Follows a model's operations and writes the rows."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.rows = []
        self.running = []  # (path, module) from the model down to the layer that runs
        self.names = Counter()
        self.counted = {}  # id -> parameters that an operation has used
        self.pending = (0, 0)  # parameters and MACs that computed what the next row uses
        for path, module in model.named_modules():
            module.register_forward_pre_hook(lambda *_, entry=(path, module): self.enter(entry))
            module.register_forward_hook(lambda *_: self.leave())

    def enter(self, entry):
        self.running.append(entry)

    def leave(self):
        self.running.pop()

    def run(self, input_size, layer=None):
        """Run the model, or its beginning up to a layer, on the meta device."""
        dtypes = (p.dtype for p in self.model.parameters() if p.is_floating_point())
        x = torch.empty(1, *input_size, dtype=next(dtypes, None), device="meta")
        mark(x, Seen.itself(x.shape, len(input_size) - 1), "")
        try:
            with torch.no_grad(), torch.device("meta"), self:
                output = output_of(self.model, x, layer) if layer else self.model(x)
        except _Refusal as refusal:
            raise ValueError(str(refusal)) from refusal.__cause__
        except Exception as error:  # a forward can fail in any way
            path, module = self.running[-1] if self.running else ("", self.model)
            raise ValueError(
                f"model does not run on input_size={input_size}: {error} "
                f"(in {_module_name(path, module)}){_hint(error)}"
            ) from error
        if tensors_in(output) and not parts_in(output):
            raise ValueError(
                "model's output does not depend on its input as far as trace can follow; "
                "use PyTorch functions from the input to the output"
            )
        self.output = output

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Run one PyTorch function and note what it does."""
        kwargs = kwargs or {}
        op = op_name(func)
        # In x.view_as(y), y lends its shape only.
        operands = args[:1] if op.endswith("_as") else [args, kwargs]
        parts, sources = parts_in(operands), rows_in(operands)
        outputs = func(*args, **kwargs)
        tensors = tensors_in(outputs)
        if parts and (tensors or op == "setitem") and op not in CONSTANT:
            self.follow(op, tensors, parts, sources, args, kwargs)
        elif tensors:
            self.pending = self.costs(op, tensors, args, kwargs)
        return outputs

    def costs(self, op, tensors, args, kwargs):
        """Return the new parameters and the MACs of an operation, and of what is pending."""
        params, macs = self.pending
        params += self.new_parameters([args, kwargs])
        return params, macs + macs_of(op, tensors, args, kwargs)

    def follow(self, op, tensors, parts, sources, args, kwargs):
        """Ask the operation's rule, mark the outputs and write the rows."""
        name, path, module = self.name_of(op)
        shape, rule = parts[0].shape, rule_for(op)
        try:
            if rule is None or kwargs.get("out") is not None:
                raise ValueError(
                    "no rule says what its outputs see; "
                    "use another operation, or trace the model's parts before and after it"
                )
            step = rule(tensors, *args, **kwargs)
            params, macs = self.costs(op, tensors, args, kwargs)
        except (ValueError, TypeError) as error:
            where = _module_name(path, module)
            raise _Refusal(f"cannot follow {name!r} (op {op} in {where}): {error}") from error
        self.pending = (0, 0)
        several = isinstance(step.seen, list)
        names = [f"{name}[{i}]" if several else name for i in range(len(tensors))]
        for i, tensor in enumerate(tensors):
            seen = step.seen[i] if several else step.seen
            mark(tensor, seen.reshaped(tensor.shape), names[i])
        for i, tensor in enumerate(tensors if several else tensors[:1]):
            self.rows.append(
                Row(
                    names[i],
                    op,
                    _without_batch(shape),
                    _without_batch(tensor.shape),
                    *vars(step.window).values(),
                    0 if i else params,
                    0 if i else macs,
                    seen_by(tensor).field,
                    sources,
                )
            )

    def name_of(self, op):
        """Return a name that no other row has, and the path and module that run."""
        path, module = self.running[-1] if self.running else ("", self.model)
        layer = path and type(module).__module__.startswith("torch.nn.")
        name = path if layer else f"{path}.{op}" if path else op
        self.names[name] += 1
        count = self.names[name] - 1
        return (f"{name}_{count}" if count else name), path, module

    def new_parameters(self, value):
        """Return how many parameters in `value` are not counted yet, and count them."""
        count = 0
        for tensor in tensors_in(value):
            if isinstance(tensor, nn.Parameter) and id(tensor) not in self.counted:
                self.counted[id(tensor)] = tensor
                count += tensor.numel()
        return count

    def unused(self):
        """Return the parameters that no operation used: name -> size."""
        return {
            name: parameter.numel()
            for name, parameter in self.model.named_parameters()
            if id(parameter) not in self.counted
        }


def _module_name(path, module):
    return f"{type(module).__name__} {path!r}" if path else type(module).__name__


def _hint(error):
    if isinstance(error, NotImplementedError) or "meta" in str(error):
        return "; its forward may not depend on the values in a tensor"
    return "; is input_size (channels, height, width), and large enough?"


def _without_batch(shape):
    """Return the shape for one image; a shape whose batch was reshaped away stays whole."""
    return tuple(shape[1:]) if len(shape) > 1 and shape[0] == 1 else tuple(shape)
