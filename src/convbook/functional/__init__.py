"""Convolution and its relatives, built by hand with the signatures of `torch.nn.functional`.

Each function gives what PyTorch's own gives, forward and backward, and refuses what PyTorch
refuses: by a `ValueError` where a shape or a value does not fit, by a `TypeError` where a type or a
dtype does not. Maps are `(N, C, H, W)` or, unbatched, `(C, H, W)`: shape comments show the batched
case. `IntOrPair` is an int, or a pair for rows and columns.

Under `torch.autocast` the convolutions cast their tensors as PyTorch's do (see
`convbook.functional._operator`), and the others keep the dtype that they are given.
"""

from convbook.functional.columns import fold, unfold
from convbook.functional.convolutions import conv2d, conv2d_loops, conv2d_matrix, conv_transpose2d
from convbook.functional.shuffles import pixel_shuffle, pixel_unshuffle

__all__ = [
    "conv2d",
    "conv2d_loops",
    "conv2d_matrix",
    "conv_transpose2d",
    "fold",
    "pixel_shuffle",
    "pixel_unshuffle",
    "unfold",
]
