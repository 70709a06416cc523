"""Record for chapter 9: how long one layer takes, by the number of its groups.

python benchmarks/record_09_grouped.py            # -> 09_grouped.json
python benchmarks/record_09_grouped.py --limited  # -> 09_limited.json

The first times the layer twice: in a process in which every call asks the system for new memory,
then on memory that is there already (see `timing.py`). The second times it on such memory under
limits: as it is, with narrow vectors only, and without oneDNN. That says what the processor's
vectors and oneDNN's routines have to do with the curve, since nothing else changes. Either takes
less than a minute, on a quiet machine.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from contextlib import nullcontext
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
# name -> the instructions that oneDNN may use at most, and whether PyTorch may use oneDNN
LIMITS = (
    ("none", "DEFAULT", True),
    ("narrow vectors", "SSE41", True),
    ("without oneDNN", "DEFAULT", False),
)


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


def measure(onednn=True):
    """Return the best time of each layer, in ms, on memory that is there, and who computes it."""
    torch.manual_seed(SEED)
    input = torch.randn(1, CHANNELS, SIZE, SIZE)
    layers = [layer_with(groups) for groups in GROUPS]
    calls = [partial(layer, input) for layer in layers]
    warm_the_allocator()
    with nullcontext() if onednn else mkldnn.flags(enabled=False):
        best, _, page_faults = take_turns(calls, ROUNDS)
        kernels, packed = zip(*[kernel_of(layer, input) for layer in layers], strict=True)
    return {
        "milliseconds": best,  # of all rounds
        "page_faults": page_faults,  # in each call
        "kernels": kernels,
        "packed_channels": packed,
    }


def measure_on_new_memory():
    """Return the median times where every call asks for new memory; call it first of all."""
    torch.manual_seed(SEED)
    input = torch.randn(1, CHANNELS, SIZE, SIZE)
    calls = [partial(layer_with(groups), input) for groups in GROUPS]
    _, medians, page_faults = take_turns(calls, ROUNDS)
    return {"milliseconds": medians, "page_faults": page_faults}


def measure_limited():
    """Return what `measure` gives under each limit, in a process of its own."""
    found = {}
    for name, instructions, onednn in LIMITS:
        command = [sys.executable, __file__, "--measure", *["--no-onednn"] * (not onednn)]
        environment = os.environ | {"ONEDNN_MAX_CPU_ISA": instructions}
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
        found[name] = json.loads(done.stdout)
    return found


def main():
    """Measure, print and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--limited", action="store_true", help="with narrow vectors, and so on")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--no-onednn", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    torch.set_num_threads(1)  # one thread waits for nobody, so the times repeat
    if chosen.measure:
        print(json.dumps(measure(onednn=not chosen.no_onednn)))
        return
    check_committed()
    size = (SIZE, SIZE)
    results = {
        "rounds": ROUNDS,
        "input": [1, CHANNELS, *size],
        "channels": [CHANNELS, CHANNELS],
        "kernel_size": KERNEL_SIZE,
        "groups": GROUPS,
        "macs": [conv_macs(CHANNELS, CHANNELS, KERNEL_SIZE, size, groups) for groups in GROUPS],
        "vector_instructions": torch.backends.cpu.get_cpu_capability(),
    }
    if chosen.limited:
        results["limits"] = measure_limited()
    else:
        on_new_memory = measure_on_new_memory()
        results |= measure() | {"new_memory": on_new_memory}
    print(results)
    name = "09_limited" if chosen.limited else "09_grouped"
    runs.record(name, SEED, "random normal numbers, float32", results)


if __name__ == "__main__":
    main()
