"""Sizes, padding, costs, receptive fields and coverage: convolution in plain integers.

Arguments mean what they mean in PyTorch. `Ints` is an int, or a tuple with one int per axis; ints
all round give an int, and one tuple is enough to make the answer a tuple. A float or a bool is a
`TypeError`, a number out of range a `ValueError`. Importing this module does not import torch.
"""

from convbook.arithmetic.costs import conv_macs, conv_params
from convbook.arithmetic.coverage import dilation_coverage, is_even_overlap, transposed_coverage
from convbook.arithmetic.fields import Layer, ReceptiveField, receptive_field
from convbook.arithmetic.sizes import (
    conv_output_size,
    conv_transpose_output_size,
    same_padding,
    span,
)

__all__ = [
    "Layer",
    "ReceptiveField",
    "conv_macs",
    "conv_output_size",
    "conv_params",
    "conv_transpose_output_size",
    "dilation_coverage",
    "is_even_overlap",
    "receptive_field",
    "same_padding",
    "span",
    "transposed_coverage",
]
