"""Grade the final assignment: which requirement a network meets, which not, and what to change."""

from typing import TYPE_CHECKING

from convbook.grade.profile import DEFAULT
from convbook.grade.report import Report, Requirement

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Report", "Requirement", "grade"]


def grade(
    model: "nn.Module",
    accuracy: float | None = None,
    input_size: tuple[int, int, int] = (3, 32, 32),
    profile: str = DEFAULT,
) -> Report:
    """Return how a network meets the requirements of the final assignment, one row for each.

    The operations that run are judged, layers and functions alike, and only those whose results
    reach the output; names and comments count for nothing. The rules, where the assignment leaves
    room:

    - A transition is a max-pool with stride 2 on both axes and a kernel above 1. There must be
      three, neither fewer nor more, with a convolution before, between and after them. A
      convolution with a stride is no transition; it is allowed, and named.
    - The receptive field is the theoretical one, padding included, of the last convolution before
      global average pooling. Gates, as in squeeze and excitation, leave it as it is.
    - Depthwise means one filter or more for each input channel and a kernel above 1. Only
      normalisation, activations, sums, gates and concatenation may stand between it and its 1 × 1.
    - A dilated convolution has kernel and dilation above 1 on the same axis, and more than one tap
      on the map, however it is padded. It may be the depthwise one too.
    - Global average pooling may be spelt in any way that averages all pixels of a map, more than
      one. Every map on its way to the output goes through it; linear layers and 1 × 1 convolutions
      may follow.
    - Of several outputs, the first with a number for each class is judged.
    - What changes no output, as a branch times 0, does not count.

    `s7-2021` asks for three transitions without max-pooling instead: 3 × 3 convolutions with stride
    2, or dilated ones in the place of some; fewer than 200,000 parameters; and 85 %.

    What is odd and decides nothing stands below the rows: a padding that forgets the dilation, a
    field that consists of padding, a softmax before the loss, several outputs, parameters that do
    nothing. To find it out, a copy of the network runs on a few random pictures. A network that
    cannot be followed gets a report that says why.

    Args:
        model: with weights or without; its forward takes one tensor.
        accuracy: on the test set, from 0 to 1. The report calls it self-reported; left out, it is
            not measured, and the report does not pass.
        input_size: `(C, H, W)` of a picture, at least 1.
        profile: whose requirements: `s7-2020`, which the book asks for, or `s7-2021`.

    Raises:
        ValueError: accuracy or size is out of range, or there is no such profile.

    Example:
        >>> from torch import nn
        >>> report = grade(nn.Sequential(nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1)))
        >>> report.passed, report[4].passed, report[4].measured
        (False, True, '8x30x30 to 8 by `1`')
    """
    from convbook.grade.evaluate import Accuracy, evaluate  # noqa: PLC0415 (reports need no torch)

    return evaluate(model, Accuracy.reported(accuracy), input_size, profile)
