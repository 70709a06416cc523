"""Record for chapter 9: how long one layer takes, by the number of its groups.

python benchmarks/record_09_grouped.py

The layer is timed twice: first in a process in which every call asks the system for new memory,
then on memory that is there already (see `timing.py`). It takes a few seconds, on a quiet machine.
"""

import os
import re
import tempfile
from functools import partial

import torch
from timing import take_turns, warm_the_allocator
from torch import nn
from torch.backends import mkldnn

from convbook.arithmetic import conv_macs
from convbook.course import runs
from convbook.train.provenance import check_committed

SEED = 0
ROUNDS = 201
CHANNELS, KERNEL_SIZE, SIZE = 128, 3, 56  # the 3 x 3 layers of the first stage of ResNeXt-50
GROUPS = (1, 2, 4, 8, 16, 32, 64, 128)


def layer_with(groups):
    """Return the layer with so many groups; it keeps the size of the map."""
    padding = KERNEL_SIZE // 2
    return nn.Conv2d(CHANNELS, CHANNELS, KERNEL_SIZE, padding=padding, groups=groups, bias=False)


def kernel_of(layer, input):
    """Return which of its kernels oneDNN runs, and how many channels that packs side by side.

    oneDNN, the library that computes PyTorch's convolutions on most processors, says so itself:
    `jit:avx512_core` and `aBcd16b` mean a kernel for AVX-512 that takes 16 channels at once.
    Returns None, None where PyTorch does without it.
    """
    with tempfile.TemporaryFile("w+") as file:
        shown = os.dup(1)
        os.dup2(file.fileno(), 1)
        try:
            with torch.no_grad(), mkldnn.verbose(mkldnn.VERBOSE_ON):
                layer(input)
        finally:
            os.dup2(shown, 1)
            os.close(shown)
        file.seek(0)
        found = re.search(r",exec,cpu,convolution,([^,]+),[^,]+,src:\S*:a(\w+)::", file.read())
    if not found:
        return None, None
    packed = re.search(r"(\d+)b$", found[2])
    return found[1], int(packed[1]) if packed else 1


def main():
    """Measure, print and write the file."""
    check_committed()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # one thread waits for nobody, so the times repeat
    input = torch.randn(1, CHANNELS, SIZE, SIZE)
    layers = [layer_with(groups) for groups in GROUPS]
    calls = [partial(layer, input) for layer in layers]
    _, on_new_memory, new_pages = take_turns(calls, ROUNDS)
    warm_the_allocator()
    best, _, page_faults = take_turns(calls, ROUNDS)
    kernels, packed = zip(*[kernel_of(layer, input) for layer in layers], strict=True)
    size = (SIZE, SIZE)
    results = {
        "rounds": ROUNDS,
        "input": list(input.shape),
        "channels": [CHANNELS, CHANNELS],
        "kernel_size": KERNEL_SIZE,
        "groups": GROUPS,
        "macs": [conv_macs(CHANNELS, CHANNELS, KERNEL_SIZE, size, groups) for groups in GROUPS],
        "milliseconds": best,  # of all rounds
        "page_faults": page_faults,  # in each call
        "new_memory": {"milliseconds": on_new_memory, "page_faults": new_pages},  # medians
        "vector_instructions": torch.backends.cpu.get_cpu_capability(),
        "kernels": kernels,
        "packed_channels": packed,
    }
    print(results)
    runs.record("09_grouped", SEED, "random normal numbers, float32", results)


if __name__ == "__main__":
    main()
