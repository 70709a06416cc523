"""Record for chapter 8: how long convolutions take that need fewer multiply-adds.

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
from convbook.nn import DepthwiseSeparableConv2d
from convbook.train.provenance import check_committed

SEED = 0
ROUNDS = {"layers": 101, "networks": 31}
CHANNELS = (32, 64, 128, 256, 512)
MAP_SIZE = 28
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


def measure(modules, input, rounds):
    """Return three tables, name -> multiply-adds, milliseconds and page faults.

    The milliseconds are those of the best round.
    """
    macs = {name: analysis.trace(m, tuple(input.shape[1:])).macs for name, m in modules.items()}
    best, _, faults = take_turns([partial(m, input) for m in modules.values()], rounds)
    names = tuple(modules)
    return macs, dict(zip(names, best, strict=True)), dict(zip(names, faults, strict=True))


def main():
    """Measure, print and write the file."""
    check_committed()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # one thread waits for nobody, so the times repeat
    warm_the_allocator()
    macs, milliseconds, faults = {}, {}, {}
    for channels in CHANNELS:
        input = torch.randn(1, channels, MAP_SIZE, MAP_SIZE)
        measured = measure(layers(channels), input, ROUNDS["layers"])
        for table, values in zip((macs, milliseconds, faults), measured, strict=True):
            for name, value in values.items():
                table.setdefault(name, []).append(value)
    networks = {name: models.get_model(name).eval() for name in NETWORKS}
    pictures = torch.randn(1, 3, 224, 224)
    network_macs, network_times, network_faults = measure(networks, pictures, ROUNDS["networks"])
    results = {
        "rounds": ROUNDS,
        "layers": {
            "channels": CHANNELS,
            "map_size": MAP_SIZE,
            "macs": macs,
            "milliseconds": milliseconds,
            "page_faults": faults,
        },
        "networks": {
            "macs": network_macs,
            "milliseconds": network_times,
            "page_faults": network_faults,
        },
    }
    print(results)
    runs.record("08_depthwise_separable", SEED, "random normal numbers, float32", results)


if __name__ == "__main__":
    main()
