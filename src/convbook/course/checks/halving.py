"""Layers of chapter 3 that halve a map: what a move by one pixel does to them, and to others."""

import torch
import torch.nn.functional as F
from torch import nn

from convbook.course.checks.designs import Verdict

SIZE, REACH = 32, 2  # of the map; how far a pixel may reach on the small one
MOST = 0.35  # of the damage that a plain stride does
LEAST = 0.26  # of the deviation of the noise, for the small map
RIGHT = Verdict("a layer that meets all five conditions")

WRONG_SHAPE = "The small map has 16 rows and columns. A 3 × 3 blur with stride 2 needs padding 1."
NOT_FLAT = "A flat map must stay as it is, so the weights of the blur must add up to 1."
MIXES = (
    "Each channel is to be blurred by itself: groups=channels, and a weight (channels, 1, k, k)."
)
SPREADS = "Steady, but the picture is gone: each output may only look at its neighbourhood."
BLURS_DOWN = "Steady when the map moves down, but not to the right: blur along the rows as well."
BLURS_RIGHT = (
    "Steady when the map moves to the right, but not down: blur along the columns as well."
)
TOO_ROUGH = (
    "It still drops detail that is too fine for the small map. Blur first, with weights that fall "
    "off to the sides, such as ¼ ½ ¼ down and across, and drop then."
)

TOO_BLURRY = (
    "Steady, but it blurs more than it must. Let the weights fall off to the sides, or take fewer."
)


def spread_over(x, taps, stride=2):
    """Blur each channel by a column times a row of these taps, with a stride; circular."""
    taps = torch.tensor(taps).to(x)
    weight = torch.outer(taps, taps).expand(x.shape[1], 1, -1, -1)
    before, after = (len(taps) - 1) // 2, len(taps) // 2
    padded = F.pad(x, (before, after, before, after), mode="circular")
    return F.conv2d(padded, weight, stride=stride, groups=x.shape[1])


def steady(channels):
    """Return a layer that blurs with 1/4, 1/2, 1/4 before it drops."""
    return lambda x: spread_over(x, [0.25, 0.5, 0.25])


def _along(x, dim):
    """Blur along one axis only, and drop."""
    mean = (x.roll(1, dim) + 2 * x + x.roll(-1, dim)) / 4
    return mean[..., ::2, ::2]


WITHOUT = {
    WRONG_SHAPE: lambda channels: lambda x: spread_over(x, [0.25, 0.5, 0.25], 2)[..., 1:, 1:],
    NOT_FLAT: lambda channels: lambda x: spread_over(x, [1.0, 2.0, 1.0]),
    MIXES: lambda channels: (
        lambda x: (
            spread_over(x, [0.25, 0.5, 0.25]).mean(dim=1, keepdim=True).expand(-1, channels, -1, -1)
        )
    ),
    SPREADS: lambda channels: (
        lambda x: x.mean(dim=(-2, -1), keepdim=True).expand(-1, -1, SIZE // 2, SIZE // 2)
    ),
    BLURS_RIGHT: lambda channels: lambda x: _along(x, -1),
    BLURS_DOWN: lambda channels: lambda x: _along(x, -2),
    TOO_ROUGH: lambda channels: nn.MaxPool2d(2),
    TOO_BLURRY: lambda channels: nn.AvgPool2d(6, 2, 2),
}


def damage(layer, x, dim):
    """Return what a move by one pixel along an axis changes, as a share of the map's deviation."""

    def enlarged(map_):
        return F.interpolate(layer(map_), scale_factor=2.0, mode="bilinear")

    before, after = enlarged(x).roll(1, dim), enlarged(x.roll(1, dim))
    inner = (..., slice(8, -8), slice(8, -8))
    return ((after - before)[inner].std() / before[inner].std()).item()


def plain(x):
    """Drop every second row and column."""
    return x[..., ::2, ::2]


def verdict(answer, channels):
    """Return what a layer lacks."""
    if not callable(answer):
        return answer
    pictures = max(4, 64 // channels)  # fewer, and the damage differs from draw to draw
    generator = torch.Generator().manual_seed(channels)
    noise = torch.rand(pictures, channels, SIZE, SIZE, generator=generator)
    with torch.no_grad():
        return _lacks(answer, noise)


def _lacks(layer, noise):
    half = SIZE // 2
    small = layer(noise)
    if tuple(small.shape) != (*noise.shape[:2], half, half):
        sizes = f"{tuple(small.shape)} for {tuple(noise.shape)}"
        return Verdict(f"a layer that returns {sizes}", WRONG_SHAPE)
    flat = layer(torch.full_like(noise, 3.0))[..., 3:-3, 3:-3]
    if not torch.allclose(flat, torch.full_like(flat, 3.0), rtol=1e-4):
        return Verdict("a layer that does not leave a flat map as it is", NOT_FLAT)
    spot = torch.zeros_like(noise)
    spot[:, 0, half, half] = 1
    touched = (layer(spot) - layer(torch.zeros_like(noise))).abs() > 1e-6
    if touched[:, 1:].any() or not touched.any():
        return Verdict("a layer that does not keep the channels apart", MIXES)
    _, _, rows, columns = touched.nonzero(as_tuple=True)
    if max((rows - half // 2).abs().max(), (columns - half // 2).abs().max()) > REACH:
        return Verdict("a layer that spreads a single pixel over the map", SPREADS)
    right, down = (damage(layer, noise, dim) / damage(plain, noise, dim) for dim in (-1, -2))
    if max(right, down) < MOST:
        kept = (small[..., 3:-3, 3:-3].std() / noise.std()).item()
        return (
            RIGHT
            if kept > LEAST
            else Verdict(f"a layer that keeps {kept:.2f} of the variation", TOO_BLURRY)
        )
    shares = f"{right:.2f} of the plain stride's damage to the right, {down:.2f} downwards"
    remedy = BLURS_DOWN if down < MOST else BLURS_RIGHT if right < MOST else TOO_ROUGH
    return Verdict(f"a layer that suffers {shares}", remedy)
