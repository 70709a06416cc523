"""Ten shapes, drawn on the spot: a data set for short runs and for machines without a network.

Each picture shows one shape at a random place, in a random size and turn, lighter than its ground.
The colours, the contrast, a slope of light across the ground and the noise are random too, and
their distributions are the same for all classes. Some classes differ in their outline, some only in
what lies inside it, some by one gap, so a classifier needs edges, their texture and the whole.

Only operations that IEEE 754 rounds exactly touch the pixels (no sine, no exponential), so that
every machine draws the same bytes.
"""

import math

import numpy as np
import torch

from convbook._checks.arguments import integer
from convbook.data.dataset import RawParts, Split

SIZE = 32
TRAIN, TEST = 10_000, 2_000
LINE = 0.3  # thickness of an outline, in radii
GAP = 0.4  # half of the horseshoe's opening
PERIOD = 0.7  # of stripes and chequers
HALF_SIDE = math.sqrt(0.5)  # of a square with its corners at radius 1


def read() -> RawParts:
    """Return (name, classes, train, test)."""
    return "shapes", CLASSES, draw(TRAIN, seed=0), draw(TEST, seed=1)


def draw(count: int, seed: int = 0) -> Split:
    """Return `count` pictures `(count, 3, 32, 32)` of shapes, the same at each call.

    The classes have equally many; where that does not go, they differ by one.

    Example:
        >>> pictures = draw(20)
        >>> pictures, pictures.labels.bincount().tolist()
        (Split(20 images, (3, 32, 32), cpu), [2, 2, 2, 2, 2, 2, 2, 2, 2, 2])

    Source: distance functions in the manner of Quilez, 2D distance functions, written anew.
    """
    count, seed = integer(count, "count", 1), integer(seed, "seed", 0)
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % len(CLASSES))
    images = np.empty((count, 3, SIZE, SIZE), np.uint8)
    for label, distance in enumerate(DISTANCES.values()):
        places = np.flatnonzero(labels == label)
        images[places] = _paint(_cover(distance, len(places), rng), rng)
    return Split(torch.from_numpy(images), torch.from_numpy(labels))


# ------------------------------------------------------------------- where a shape is, from 0 to 1


def _cover(distance, count, rng):
    """Return how much of each pixel the shape covers, its border a pixel wide: `(N, 32, 32)`."""
    radius = _uniform(rng, 8, 13, count, 1, 1)
    # Each shape fits its circle, and the circle the picture: no class is nearer to the border.
    across = radius + _uniform(rng, 0, 1, count, 1, 1) * (SIZE - 2 * radius)
    down = radius + _uniform(rng, 0, 1, count, 1, 1) * (SIZE - 2 * radius)
    # A random direction without sine and cosine.
    turn = rng.standard_normal((2, count, 1, 1))
    cos, sin = (turn / np.sqrt((turn**2).sum(0))).astype(np.float32)
    pixels = np.arange(SIZE, dtype=np.float32) + np.float32(0.5)
    x, y = (pixels - across) / radius, (pixels[:, None] - down) / radius
    return np.clip(0.5 - radius * distance(x * cos + y * sin, y * cos - x * sin), 0, 1)


def _uniform(rng, low, high, *shape):
    return low + (high - low) * rng.random(shape, dtype=np.float32)


# ------------------------------------------- signed distance to each shape's outline, in its radii


def _disc(u, v):
    return np.sqrt(u * u + v * v) - 1


def _ring(u, v):
    return np.abs(_disc(u, v) + LINE / 2) - LINE / 2


def _horseshoe(u, v):
    return np.maximum(_ring(u, v), np.minimum(u, GAP - np.abs(v)))


def _square(u, v):
    return np.maximum(np.abs(u), np.abs(v)) - HALF_SIDE


def _frame(u, v):
    return np.abs(_square(u, v) + LINE / 2) - LINE / 2


def _cross(u, v):
    u, v = np.abs(u), np.abs(v)
    return np.maximum(np.maximum(u, v) - 0.97, np.minimum(u, v) - 0.22)


def _triangle(u, v):
    return _ranked_sides(u, v, 3)[0] - 0.5


def _star(u, v):
    """A pentagram: a point of it may lie outside one of its five lines, not of two."""
    return _ranked_sides(u, v, 5)[1] - math.cos(math.tau / 5)


def _ranked_sides(u, v, sides):
    """Return how far out a point lies by the outermost side of a polygon, and by the next one."""
    first = second = np.full_like(u, -math.inf)
    for side in range(sides):
        angle = math.tau * side / sides
        out = u * math.cos(angle) + v * math.sin(angle)
        second = np.maximum(second, np.minimum(first, out))
        first = np.maximum(first, out)
    return first, second


def _stripes(u, v):
    return np.maximum(_disc(u, v), _bands(v))


def _chequers(u, v):
    across, down = _bands(u), _bands(v)
    # Inside where both bands are, or neither: the distance is that to the nearer border.
    nearer = np.minimum(np.abs(across), np.abs(down))
    return np.maximum(_disc(u, v), np.where((across < 0) == (down < 0), -nearer, nearer))


def _bands(v):
    """Return the signed distance to the borders of bands, half a period wide each."""
    phase = v / PERIOD
    return (np.abs(phase - np.floor(phase) - 0.5) - 0.25) * PERIOD


DISTANCES = {
    "chequers": _chequers,
    "cross": _cross,
    "disc": _disc,
    "frame": _frame,
    "horseshoe": _horseshoe,
    "ring": _ring,
    "square": _square,
    "star": _star,
    "stripes": _stripes,
    "triangle": _triangle,
}
CLASSES = tuple(DISTANCES)


# -------------------------------------------------------------------------------- light and colour


def _paint(cover, rng):
    """Return pictures `(N, 3, 32, 32)` of shapes that cover so much of each pixel."""
    count = len(cover)
    contrast = _uniform(rng, 60, 150, count, 1, 1, 1)
    ground = _uniform(rng, 110, 146, count, 1, 1, 1) - contrast / 2
    ground = ground + _uniform(rng, -50, 50, count, 3, 1, 1)
    shape = contrast + _uniform(rng, -40, 40, count, 3, 1, 1)
    slope = np.linspace(-1, 1, SIZE, dtype=np.float32)
    light = _uniform(rng, -30, 30, count, 1, 1) * slope
    light = light + _uniform(rng, -30, 30, count, 1, 1) * slope[:, None]
    # A byte for each channel and one that they share; the sum of two is 104 wide (standard
    # deviation), so the noise of a picture is 8 to 42 wide.
    noise = rng.integers(0, 256, (count, 4, SIZE, SIZE), np.uint8).astype(np.float32)
    pictures = noise[:, :3]
    pictures += noise[:, 3:] - 255
    pictures *= _uniform(rng, 0.08, 0.4, count, 1, 1, 1)
    pictures += cover[:, None] * shape
    pictures += ground + light[:, None]
    pictures += np.float32(0.5)  # to the nearest
    return np.clip(pictures, 0, 255, out=pictures).astype(np.uint8)
