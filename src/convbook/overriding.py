"""Let a `TorchFunctionMode` see a function that is built by hand as the one operation it is."""

from functools import wraps

from torch.overrides import handle_torch_function, has_torch_function


def overridable(function):
    """Return a function that PyTorch's modes and tensor subclasses may take over.

    `torch.nn.functional.conv2d` is one call to `torch.fx`, to a mode that counts or follows, and to
    a subclass of `torch.Tensor`. With this, `convbook.functional.conv2d` is one too.
    """

    @wraps(function)
    def whole(*args, **kwargs):
        given = (*args, *kwargs.values())
        if has_torch_function(given):
            return handle_torch_function(whole, given, *args, **kwargs)
        return function(*args, **kwargs)

    return whole
