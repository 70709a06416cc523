"""Record for chapter 9: how long one layer takes, by the number of its groups.

python benchmarks/record_09_grouped.py
"""

import statistics
import time

import torch
from torch import nn

from convbook import runs
from convbook.arithmetic import conv_macs

SEED = 0
ROUNDS = 31
CHANNELS, KERNEL_SIZE, SIZE = 128, 3, 56  # the 3 x 3 layers of the first stage of ResNeXt-50
GROUPS = (1, 2, 4, 8, 16, 32, 64, 128)


def layer_with(groups):
    """Return the layer with so many groups; it keeps the size of the map."""
    padding = KERNEL_SIZE // 2
    return nn.Conv2d(CHANNELS, CHANNELS, KERNEL_SIZE, padding=padding, groups=groups, bias=False)


def milliseconds(layers, input):
    """Return the median time of each layer.

    The layers take turns, so that a slow moment of the machine falls on all of them.
    """
    times = [[] for _ in layers]
    with torch.no_grad():
        for _ in range(ROUNDS + 2):
            for layer, measured in zip(layers, times, strict=True):
                start = time.perf_counter()
                layer(input)
                measured.append(1e3 * (time.perf_counter() - start))
    return [round(statistics.median(measured[2:]), 4) for measured in times]  # after a warm-up


def main():
    """Measure, print and write the file."""
    runs.check_committed()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # one thread waits for nobody, so the times repeat
    input = torch.randn(1, CHANNELS, SIZE, SIZE)
    size = (SIZE, SIZE)
    results = {
        "rounds": ROUNDS,
        "input": list(input.shape),
        "channels": [CHANNELS, CHANNELS],
        "kernel_size": KERNEL_SIZE,
        "groups": GROUPS,
        "macs": [conv_macs(CHANNELS, CHANNELS, KERNEL_SIZE, size, groups) for groups in GROUPS],
        "milliseconds": milliseconds([layer_with(groups) for groups in GROUPS], input),
    }
    print(results)
    runs.record("09_grouped", SEED, "random normal numbers, float32", results)


if __name__ == "__main__":
    main()
