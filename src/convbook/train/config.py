"""The settings of a training run."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from convbook._checks.arguments import integer

PRECISIONS = ("auto", "float32", "bfloat16", "float16")
# Whole numbers, and the least each may be.
INTEGERS = {
    "epochs": 1,
    "batch_size": 1,
    "shift": 0,
    "cutout": 0,
    "progressive_epochs": 0,
    "progressive_size": 1,
    "seed": 0,
}
# What each number may be: the least, the most.
RANGES = {
    "max_lr": (0, float("inf")),
    "momentum": (0, 1),
    "weight_decay": (0, float("inf")),
    "warmup": (0, 1),
    "label_smoothing": (0, 1),
    "ema_decay": (0, 1),
}
# What a run did before there was a setting for it, and what settings were called.
BEFORE: dict[str, Any] = {"ema_warmup": False}
RENAMED = {"small_epochs": "progressive_epochs", "small_size": "progressive_size"}


@dataclass(frozen=True)
class TrainConfig:
    """The settings of a training run; the defaults suit small networks on 32 x 32 pictures.

    Args:
        epochs: how often each picture is seen, at least 1.
        batch_size: pictures per step, over all processes; the rest of an epoch is left out.
        max_lr: the highest learning rate, above 0.
        momentum: of SGD with Nesterov's step, below 1.
        weight_decay: on weights; biases and normalisation have none.
        warmup: the share of the steps in which the learning rate rises, between 0 and 1.
        label_smoothing: the share of the target that is spread over all classes, below 1.
        ema_decay: how much of the averaged weights stays at each step, below 1; 0 is no average.
        ema_warmup: whether the average looks back over few steps at first and over more as it gets
            older, so that it forgets the random start; False has one decay from the first step on.
        flip: whether half of the pictures are flipped, left to right.
        shift: the most pixels by which a picture is translated, along each axis.
        cutout: the side of a square that is blanked in each picture; 0 is none.
        progressive_epochs: in how many epochs, the first ones, the pictures are made smaller.
        progressive_size: their side at first, in pixels; it grows by 8 at a time.
        whiten: whether the first convolution gets filters that whiten the patches of the pictures,
            and keeps them.
        precision: "float32"; "bfloat16" or "float16" (autocast, the latter with a scaled loss); or
            "auto": bfloat16 where the machine has it, else float16 on a GPU by NVIDIA.
        channels_last: whether the channels of a pixel lie next to each other in memory; for a
            network that cannot, since it uses `view`, `fit` takes and records False.
        compile: whether `torch.compile` makes the network faster first.
        cuda_graph: whether a step is recorded on the GPU once and then launched as a whole.
        deterministic: whether only operations that repeat bit by bit are used.
        seed: where the random numbers start.

    Raises:
        ValueError: a value is outside the range named above.

    Example:
        >>> TrainConfig(epochs=5).epochs
        5

    Source: Smith and Topin, arXiv 1708.07120 (one cycle); Szegedy et al., arXiv 1512.00567, section
    7 (label smoothing); Tan and Le, arXiv 2104.00298, section 4 (small pictures first); a decay
    that grows is what `num_updates` does in TensorFlow's `ExponentialMovingAverage`.
    """

    epochs: int = 10
    batch_size: int = 256
    max_lr: float = 0.2
    momentum: float = 0.9
    weight_decay: float = 5e-4
    warmup: float = 0.25
    label_smoothing: float = 0.1
    ema_decay: float = 0.99
    ema_warmup: bool = True
    flip: bool = True
    shift: int = 4
    cutout: int = 0
    progressive_epochs: int = 0
    progressive_size: int = 24
    whiten: bool = False
    precision: str = "auto"
    channels_last: bool = True
    compile: bool = False
    cuda_graph: bool = False
    deterministic: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in INTEGERS.items():
            integer(getattr(self, name), name, least)
        for name, (least, most) in RANGES.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise TypeError(f"{name}={value!r} is not a number; use a float")
            if not least <= value < most or (name == "max_lr" and value == 0):
                limit = f"{'above' if name == 'max_lr' else 'at least'} {least} and below {most}"
                raise ValueError(f"{name}={value!r} is out of range; use a number {limit}")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type is bool and not isinstance(value, bool):
                raise TypeError(f"{field.name}={value!r} is not a bool; use True or False")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision={self.precision!r} is unknown; use one of {PRECISIONS}")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as a dict that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> "TrainConfig":
        """Return the settings that `to_dict` wrote, of older runs too: those act as they did."""
        return cls(**BEFORE | {RENAMED.get(name, name): value for name, value in settings.items()})
