"""Record for chapter 8: how long convolutions take that need fewer multiply-adds, and why.

python benchmarks/record_08_depthwise_separable.py

It takes about a minute, on a quiet machine.
"""

from functools import partial

import torch
from timing import take_turns, warm_the_allocator
from torch import nn
from torchvision import models

from convbook import analysis
from convbook.course import runs
from convbook.nn import DepthwiseConv2d, DepthwiseSeparableConv2d
from convbook.train.provenance import check_committed

SEED = 0
ROUNDS = {"layers": 101, "lanes": 101, "networks": 31}
CHANNELS = (8, 16, 32, 64, 128, 256, 512)
MAP_SIZE = 28
LANES = {"channels": tuple(range(4, 68, 4)), "map_size": 112}
NETWORKS = ("resnet18", "mobilenet_v2")


def layers(channels):
    """Return the layers that are compared, each from `channels` to as many."""
    pair = DepthwiseSeparableConv2d(channels, channels, 3, padding=1, bias=False)
    return {
        "standard": nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        "separable": pair,
        "depthwise": pair.depthwise,
        "pointwise": pair.pointwise,
    }


def floors(depthwise, input):
    """Return what the depthwise layer cannot be faster than.

    The same layer on a single pixel, where it has next to nothing to multiply; and reading the map
    and writing another one.
    """
    pixel, target = input[..., :1, :1].contiguous(), torch.empty_like(input)
    return {"one pixel": partial(depthwise, pixel), "copy": partial(target.copy_, input)}


def measure(calls, rounds):
    """Return two tables, name -> milliseconds of the best round, and page faults."""
    best, _, faults = take_turns(list(calls.values()), rounds)
    return dict(zip(calls, best, strict=True)), dict(zip(calls, faults, strict=True))


def macs_of(modules, input):
    """Return name -> multiply-adds for one picture."""
    return {name: analysis.trace(m, tuple(input.shape[1:])).macs for name, m in modules.items()}


def by_channels(rounds, channels=CHANNELS):
    """Return how the layers' times grow with the number of channels."""
    tables = {"macs": {}, "milliseconds": {}, "page_faults": {}}
    for c in channels:
        input, modules = torch.randn(1, c, MAP_SIZE, MAP_SIZE), layers(c)
        calls = {name: partial(m, input) for name, m in modules.items()}
        calls |= floors(modules["depthwise"], input)
        measured = (macs_of(modules, input), *measure(calls, rounds))
        for table, values in zip(tables.values(), measured, strict=True):
            for name, value in values.items():
                table.setdefault(name, []).append(value)
    return {"channels": channels, "map_size": MAP_SIZE, **tables}


def by_lanes(rounds, channels=LANES["channels"], size=LANES["map_size"]):
    """Return the times of a depthwise layer, four channels more at a time, on a large map."""
    calls = {}
    for c in channels:
        layer = DepthwiseConv2d(c, c, 3, padding=1, bias=False)
        calls[c] = partial(layer, torch.randn(1, c, size, size))
    milliseconds, faults = (list(table.values()) for table in measure(calls, rounds))
    return {
        "channels": channels,
        "map_size": size,
        "vector_instructions": torch.backends.cpu.get_cpu_capability(),
        "milliseconds": milliseconds,
        "page_faults": faults,
    }


def of_networks(rounds, names=NETWORKS, side=224):
    """Return multiply-adds and times of whole networks on one picture."""
    networks = {name: models.get_model(name).eval() for name in names}
    picture = torch.randn(1, 3, side, side)
    milliseconds, faults = measure({n: partial(m, picture) for n, m in networks.items()}, rounds)
    macs = macs_of(networks, picture)
    return {"macs": macs, "milliseconds": milliseconds, "page_faults": faults}


def main():
    """Measure, print and write the file."""
    check_committed()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # one thread waits for nobody, so the times repeat
    warm_the_allocator()
    results = {
        "rounds": ROUNDS,
        "layers": by_channels(ROUNDS["layers"]),
        "lanes": by_lanes(ROUNDS["lanes"]),
        "networks": of_networks(ROUNDS["networks"]),
    }
    print(results)
    runs.record("08_depthwise_separable", SEED, "random normal numbers, float32", results)


if __name__ == "__main__":
    main()
