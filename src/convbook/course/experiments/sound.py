"""Notes to continue sample by sample: a causal network, and one that leaks (chapter 10).

A note is three sines that fade, with a little hiss that nobody can predict. The network has two
taps in each layer and doubling dilations, as WaveNet has, and says what the next sample will be.
"""

import base64
import io
import itertools
import math
import wave
from collections.abc import Mapping
from html import escape

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convbook.course.experiments._steps import train_steps

RATE = 4000  # samples a second
PITCHES = (220, 262, 294, 330, 392)  # Hz: A, C, D, E, G
PARTIALS = {1: 0.5, 2: 0.25, 3: 0.12}  # multiple of the pitch -> how loud
HISS = 0.02
FIELD = 128  # samples: 32 ms


def notes(length: int, seed: int = 0) -> Tensor:
    """Return one note of each pitch, `(5, 1, length)`, the same at each call.

    Example:
        >>> notes(800).shape
        torch.Size([5, 1, 800])
    """
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(length) / RATE
    rows = []
    for pitch in PITCHES:
        row = HISS * torch.randn(length, generator=generator)
        for multiple, loud in PARTIALS.items():
            phase = 2 * math.pi * torch.rand(1, generator=generator)
            sine = torch.sin(2 * math.pi * pitch * multiple * time + phase)
            row += loud * torch.exp(-1.5 * multiple * time) * sine
        rows.append(row)
    return torch.stack(rows)[:, None]


class Predictor(nn.Module):
    """Seven layers with two taps and dilations 1 to 64, to say what comes after each sample.

    Shapes:
        `(N, 1, L)` to `(N, 1, L)`; number t of the output is for sample t + 1.

    Args:
        leaks: whether half of the padding stands on the right, as `padding="same"` puts it.
        width: channels.

    Example:
        >>> Predictor()(torch.zeros(1, 1, 9)).shape
        torch.Size([1, 1, 9])

    Source: van den Oord et al., arXiv 1609.03499, which has gates and many more channels.
    """

    def __init__(self, leaks: bool = False, width: int = 16):
        super().__init__()
        self.leaks = leaks
        self.first, self.last = nn.Conv1d(1, width, 1), nn.Conv1d(width, 1, 1)
        layers = [nn.Conv1d(width, width, 2, dilation=2**i) for i in range(7)]
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return what comes next."""
        x = self.first(x)
        for layer in self.layers:
            (d,) = layer.dilation
            before = d // 2 if self.leaks else d
            x = x + torch.tanh(layer(F.pad(x, (before, d - before))))
        return self.last(x)


def train(model: nn.Module, steps: int = 200) -> float:
    """Train a network on 0.2 seconds of each note; return the last mean squared error."""
    rows = notes(800)
    optimiser = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=steps)
    model.train()

    def loss(found: Tensor, row: Tensor) -> Tensor:
        return F.mse_loss(found[..., :-1], row[..., 1:])

    return train_steps(model, [(rows, rows)] * steps, loss, optimiser, schedule)[-1]


@torch.no_grad()
def error(model: nn.Module, rows: Tensor) -> float:
    """Return the mean squared error on rows of `notes`, where the whole field holds samples.

    Shapes:
        rows: `(N, 1, L)`, L above `FIELD`.
    """
    return F.mse_loss(model.eval()(rows)[..., FIELD:-1], rows[..., FIELD + 1 :]).item()


@torch.no_grad()
def go_on(model: nn.Module, start: Tensor, count: int) -> Tensor:
    """Let a network continue a sound by itself: each answer becomes the next sample.

    Shapes:
        `(L + count,)`, of which the first L are `start`.

    Args:
        model: such as `Predictor()`.
        start: `(L,)`, at least `FIELD` samples.
        count: how many samples more.
    """
    model.eval()
    row = torch.cat([start, start.new_zeros(count)])
    for now in range(len(start), len(row)):
        heard = row[None, None, now - FIELD : now]
        row[now] = model(heard)[0, 0, -1]
    return row


def loudness(row: Tensor) -> float:
    """Return the root mean square of what is left when the mean is taken away.

    Example:
        >>> loudness(torch.tensor([2.0, 4.0, 2.0, 4.0]))
        1.0
    """
    return row.std(correction=0).item()


def as_bytes(row: Tensor) -> list[int]:
    """Return samples from -1 to 1 as whole numbers from 0 to 255; 128 is silence.

    Example:
        >>> as_bytes(torch.tensor([-1.0, 0, 2]))
        [1, 128, 255]
    """
    return (128 + 127 * row.clamp(-1, 1)).round().int().tolist()


class Players:
    """Sounds with a name and a player each, without a request: a few KB for each second.

    Args:
        sounds: name -> samples from 0 to 255, at `RATE`.

    Example:
        >>> Players({"silence": [128] * 100})
        <Players: silence>
    """

    def __init__(self, sounds: Mapping[str, list[int]]):
        self.sounds = dict(sounds)

    def __repr__(self) -> str:
        return f"<Players: {', '.join(self.sounds)}>"

    def _repr_html_(self) -> str:
        rows = "".join(self._row(name, sound) for name, sound in self.sounds.items())
        return f"<div>{rows}</div>"

    def _row(self, name: str, sound: list[int]) -> str:
        look = "display: block; max-width: 100%"
        player = f'<audio controls preload="none" aria-label="{escape(name)}" style="{look}"'
        return f'<p><b>{escape(name)}</b> {player} src="{_address(sound)}"></audio></p>'


def _address(sound: list[int]) -> str:
    """Return a WAV file as an address, at twice the `RATE`, since 8,000 a second play anywhere."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(2 * RATE)
        between = [(one + other) // 2 for one, other in itertools.pairwise(sound)]
        twice = [part for pair in zip(sound, [*between, sound[-1]], strict=True) for part in pair]
        out.writeframes(bytes(twice))
    return f"data:audio/wav;base64,{base64.b64encode(file.getvalue()).decode()}"
