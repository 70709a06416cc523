"""Record for chapter 8: how long convolutions take that need fewer multiply-adds.

python benchmarks/record_08_depthwise_separable.py
"""

import time

import torch
from torch import nn
from torchvision import models

from convbook import analysis, runs
from convbook.nn import DepthwiseSeparableConv2d

SEED = 0
ROUNDS = 31
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


def measure(modules, input):
    """Return name -> multiply-adds, and name -> milliseconds, the shortest of all rounds.

    The shortest, since nothing makes a layer faster than it is, and much makes it slower.
    """
    macs = {name: analysis.trace(m, tuple(input.shape[1:])).macs for name, m in modules.items()}
    times = {name: [] for name in modules}
    with torch.no_grad():
        for name, module in modules.items():
            for _ in range(ROUNDS):
                start = time.perf_counter()
                module(input)
                times[name].append(1e3 * (time.perf_counter() - start))
    return macs, {name: round(min(each), 4) for name, each in times.items()}


def main():
    """Measure, print and write the file."""
    runs.check_committed()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # one thread waits for nobody, so the times repeat
    macs, milliseconds = {}, {}
    for channels in CHANNELS:
        input = torch.randn(1, channels, MAP_SIZE, MAP_SIZE)
        measured = measure(layers(channels), input)
        for table, values in zip((macs, milliseconds), measured, strict=True):
            for name, value in values.items():
                table.setdefault(name, []).append(value)
    networks = {name: models.get_model(name).eval() for name in NETWORKS}
    network_macs, network_milliseconds = measure(networks, torch.randn(1, 3, 224, 224))
    results = {
        "rounds": ROUNDS,
        "layers": {
            "channels": CHANNELS,
            "map_size": MAP_SIZE,
            "macs": macs,
            "milliseconds": milliseconds,
        },
        "networks": {"macs": network_macs, "milliseconds": network_milliseconds},
    }
    print(results)
    runs.record("08_depthwise_separable", SEED, "random normal numbers, float32", results)


if __name__ == "__main__":
    main()
