"""A loss that compares what a trained network sees in two pictures, for chapter 12."""

from torch import nn

from convbook.nn.blocks import conv_block, head


def shape_classifier():
    """Return a small classifier for the book's shapes, whose first layers `FeatureLoss` takes.

    Shapes:
        `(N, 3, H, W)`, numbers from -1 to 1, H and W at least 4, to `(N, 10)`.

    Example:
        >>> import torch
        >>> shape_classifier()(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])

    Source: chapter 12.
    """
    return nn.Sequential(
        conv_block(3, 8), conv_block(8, 16, pool=True), conv_block(16, 32, pool=True), head(32, 10)
    )


class FeatureLoss(nn.Module):
    """Compare two grey pictures by the maps that a classifier makes of them.

    At each depth the mean square difference of the maps is divided by their mean square, so that
    all depths count alike; the loss is their mean. The classifier stays as it is.

    Shapes:
        both pictures `(N, 1, H, W)`, numbers from 0 to 1, to a single number.

    Args:
        classifier: an `nn.Sequential` that takes `(N, 3, H, W)`, numbers from -1 to 1.
        depth: how many of its parts to look at, one after the other, at least 1.

    Raises:
        ValueError: the classifier has fewer parts.

    Example:
        >>> import torch
        >>> loss = FeatureLoss(shape_classifier())
        >>> picture = torch.rand(1, 1, 16, 16)
        >>> loss(picture, picture).item()
        0.0

    Source: Johnson, Alahi and Fei-Fei, arXiv 1603.08155, section 3.2 (feature reconstruction).
    """

    def __init__(self, classifier, depth=2):
        super().__init__()
        if not 1 <= depth <= len(classifier):
            raise ValueError(
                f"depth={depth} is out of range; the classifier has {len(classifier)} parts, "
                f"use 1 to {len(classifier)}"
            )
        self.stages = nn.ModuleList(classifier[:depth]).eval().requires_grad_(False)

    def train(self, mode=True):
        """Leave the batch norms of the classifier fixed, whatever the mode."""
        return super().train(False)

    def maps(self, picture):
        """Return the maps after each stage."""
        x, found = picture.expand(-1, 3, -1, -1) * 2 - 1, []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found

    def forward(self, picture, target):
        """Return the loss."""
        pairs = zip(self.maps(picture), self.maps(target), strict=True)
        errors = [(a - b).square().mean() / b.square().mean() for a, b in pairs]
        return sum(errors) / len(errors)
