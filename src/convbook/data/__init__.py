"""Images to train on: CIFAR-10, any folder of images, and a data set that is drawn on the spot.

Every set comes as uint8 tensors, whole and on one device, in three parts: training images,
validation images held out of them for every choice, and test images for one last evaluation.
"""

from convbook.data.dataset import Dataset, Split
from convbook.data.loading import load

__all__ = ["Dataset", "Split", "load"]
