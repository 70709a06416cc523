"""Convolutions, from the ground up: the package behind the book."""

__version__ = "0.1.0"
