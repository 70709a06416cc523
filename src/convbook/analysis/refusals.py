"""Why a model does not run: a sentence that names the reason, and a remedy that was tried.

An exception out of a forward says what broke, seldom what to do. Whether the input is too small,
has the wrong number of channels or is no tensor at all is found out here by running the model again
without values, which costs little.
"""

import contextlib
import inspect
import time

from torch import nn

from convbook.analysis._copies import meta_input
from convbook.analysis.running import NotATensor, without_values

# Sizes that a model with a fixed size is often made for.
USUAL = (28, 32, 64, 96, 128, 224, 256, 299)
WRAP = "wrap the model in a module with def forward(self, x): return self.model"
PATIENCE = 3  # seconds for all tries together


def check_forward(model: nn.Module) -> None:
    """Refuse a model whose forward cannot be called with one tensor.

    Raises:
        ValueError: it takes no input, or needs several.
    """
    try:
        signature = inspect.signature(model.forward)
    except (TypeError, ValueError):  # written in C, or wrapped beyond recognition
        return
    with contextlib.suppress(TypeError):
        signature.bind(None)
        return
    needed = [
        name
        for name, one in signature.parameters.items()
        if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]
    inputs = "1 input by its name" if len(needed) == 1 else f"{len(needed)} inputs"
    takes = f"needs {inputs} ({', '.join(needed)})" if needed else "takes no input"
    raise ValueError(f"model's forward {takes}, and is handed one tensor; {WRAP}(x, ...)")


def refusal(
    error: Exception, model: nn.Module, input_size: tuple[int, ...], where: str = ""
) -> ValueError:
    """Return the ValueError that says why a model, on the meta device, does not run.

    `model` is the copy without values that failed or would have; `where` is the part that did.
    """
    told = str(error)
    if not told or isinstance(error, LookupError | AssertionError):  # the text says too little
        told = ": ".join(filter(None, (type(error).__name__, told)))
    place = f" (in {where})" if where else ""
    if "meta" in str(error).lower() and isinstance(error, RuntimeError | TypeError):
        return ValueError(
            f"model is not followed: trace runs it without values, and it asks for some: "
            f"{told}{place}; its forward may not depend on the values in a tensor: "
            "use torch.where for an `if`, and shapes for sizes"
        )
    if isinstance(error, NotATensor) or "'Tensor' object has no attribute" in str(error):
        hint = f"; its forward is handed one tensor: {WRAP}(...), made from x"
    else:
        hint = _size_hint(model, input_size)
    return ValueError(f"model does not run on input_size={input_size}: {told}{place}{hint}")


def _size_hint(model, input_size):
    """Return which other input the model runs on, if it is its size or its channels that fail."""
    channels, *sides = input_size
    larger = [(channels, *(factor * side for side in sides)) for factor in (2, 4, 8)]
    if sum(runs(model, size) for size in larger) > 1:
        return "; is input_size (channels, height, width), and large enough?"
    others = [other for other in (*_first_channels(model), 1, 3) if other != channels]
    tries = [(other, *sides) for other in others]
    tries += [(channels, *(size for _ in sides)) for size in USUAL]
    tries += [(other, *(size for _ in sides)) for other in others for size in USUAL]
    stop = time.monotonic() + PATIENCE
    for size in tries:
        if time.monotonic() < stop and runs(model, size):
            return f"; it runs on input_size={size}"
    return ""


def _first_channels(model):
    """Return how many channels the first weight with several axes reads."""
    weights = (parameter for parameter in model.parameters() if parameter.ndim > 2)
    return [weight.shape[1] for weight in weights][:1]


def runs(model: nn.Module, input_size: tuple[int, ...]) -> bool:
    """Return whether a model without values runs on an input."""
    try:
        with without_values():
            model(meta_input(model, input_size))
    except Exception:  # a forward can fail in any way
        return False
    return True
