"""Checks of arguments and tensors, with refusals that name the remedy: private to the package."""
