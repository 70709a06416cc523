"""Signatures as a reader sees them."""

import inspect


def without_types(function):
    """Return the signature with names and defaults alone."""
    signature = inspect.signature(function)
    bare = [one.replace(annotation=one.empty) for one in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=signature.empty))
