"""The book's networks, each with the settings that it was recorded with: `convbook train s7`."""

from typing import NamedTuple

from convbook.models import S7Fast, S7Net, S7Tiny
from convbook.train.config import TrainConfig


class Preset(NamedTuple):
    """A network, and the settings it is trained with."""

    network: type[S7Net] | type[S7Fast] | type[S7Tiny]
    config: TrainConfig


PRESETS = {
    "fast": Preset(S7Fast, TrainConfig(epochs=5, max_lr=0.3, ema_warmup=False, shift=2)),
    "s7": Preset(
        S7Net,
        TrainConfig(
            epochs=40,
            max_lr=0.4,
            momentum=0.85,
            weight_decay=1.3e-3,
            warmup=0.2,
            label_smoothing=0.2,
            ema_decay=0.995,
            ema_warmup=False,
            shift=2,
            cutout=8,
            progressive_epochs=26,
            progressive_size=16,
            whiten=True,
        ),
    ),
    "tiny": Preset(
        S7Tiny,
        TrainConfig(
            epochs=80,
            batch_size=128,
            weight_decay=1e-4,
            warmup=0.2,
            label_smoothing=0.0,
            ema_decay=0.998,
            ema_warmup=False,
            shift=2,
            progressive_epochs=52,
            progressive_size=16,
        ),
    ),
}


def find_preset(address: str) -> Preset | None:
    """Return the preset of this name, or None.

    Example:
        >>> find_preset("s7").network.__name__, find_preset("my.py:Net")
        ('S7Net', None)
    """
    return PRESETS.get(address)
