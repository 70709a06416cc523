"""Record for chapter 9: how long one layer takes, by the number of its groups.

python benchmarks/record_09_grouped.py           # -> 09_grouped.json
python benchmarks/record_09_grouped.py --widths  # -> 09_widths.json

The first times the layer twice: in a process in which every call asks the system for new memory,
then on memory that is there already (see `timing.py`). The second asks what the time depends on: it
times the layer with oneDNN, which also says how long the convolution itself took and how long the
rearranging of the maps, and without it; and then layers with groups of several widths, by how many
groups they have. It takes about a minute, on a quiet machine.
"""

import argparse
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

# Layers with groups of so many channels, by how many groups. The maps are larger than above, for
# PyTorch leaves maps of up to 20,480 numbers to a routine of its own.
WIDTHS, COUNTS, WIDE_SIZE, FEWER_ROUNDS = (4, 8, 16, 32, 64), (1, 4, 16), 80, 41


def layer_with(groups, channels=CHANNELS):
    """Return the layer with so many groups; it keeps the size of the map."""
    padding = KERNEL_SIZE // 2
    return nn.Conv2d(channels, channels, KERNEL_SIZE, padding=padding, groups=groups, bias=False)


def ask_onednn(calls, rounds):
    """Return what oneDNN says of each call: which routine it runs and how long each part takes.

    oneDNN is the library that computes PyTorch's convolutions on most processors. Of each call we
    keep the name of the routine (`jit:avx512_core` is one for AVX-512), how many channels it packs
    side by side (16 where a map is `aBcd16b`), and the milliseconds of the best round, for the
    convolution and for the rearranging of maps and weights before and after it.
    """
    texts = [[] for _ in calls]
    with tempfile.TemporaryFile() as file:
        shown = os.dup(1)
        os.dup2(file.fileno(), 1)
        try:
            with torch.no_grad(), mkldnn.verbose(mkldnn.VERBOSE_ON):
                for _ in range(rounds):
                    for call, said in zip(calls, texts, strict=True):
                        before = os.fstat(1).st_size
                        call()
                        said.append((before, os.fstat(1).st_size))
        finally:
            os.dup2(shown, 1)
            os.close(shown)
        file.seek(0)
        everything = file.read()
    return [_read([everything[a:b].decode() for a, b in said]) for said in texts]


def _read(rounds):
    """Return what the lines of each round say of one layer."""
    convolution = re.search(r",convolution,([^,]+),[^,]+,src:\S*:a(\w+)::", rounds[-1])
    times = {
        kind: [sum(map(float, re.findall(rf",exec,cpu,{kind},.*,([\d.]+)$", said, re.MULTILINE)))
               for said in rounds]
        for kind in ("convolution", "reorder")
    }  # fmt: skip
    packed = re.search(r"(\d+)b$", convolution[2])
    return {
        "kernel": convolution[1],
        "packed_channels": int(packed[1]) if packed else 1,
        "convolution": round(min(times["convolution"]), 4),
        "reorders": round(min(times["reorder"]), 4),
    }


def measure(calls):
    """Return the best time of each call in ms, its page faults, and what oneDNN says of it."""
    warm_the_allocator()
    best, _, page_faults = take_turns(calls, ROUNDS)
    said = ask_onednn(calls, FEWER_ROUNDS)
    return {
        "milliseconds": best,  # of all rounds
        "page_faults": page_faults,  # in each call
        "kernels": [one["kernel"] for one in said],
        "packed_channels": [one["packed_channels"] for one in said],
        "convolution": [one["convolution"] for one in said],  # of these milliseconds
        "reorders": [one["reorders"] for one in said],
    }


def measure_on_new_memory(calls):
    """Return the median times where every call asks for new memory; call it first of all."""
    _, medians, page_faults = take_turns(calls, ROUNDS)
    return {"milliseconds": medians, "page_faults": page_faults}


def measure_widths(calls):
    """Return the times with oneDNN and without, and those of groups of several widths."""
    results = measure(calls)
    with mkldnn.flags(enabled=False):
        results["without_onednn"] = take_turns(calls, FEWER_ROUNDS)[0]
    layers = [
        partial(layer_with(count, count * width), torch.randn(1, count * width, *[WIDE_SIZE] * 2))
        for count in COUNTS
        for width in WIDTHS
    ]
    said = [one["convolution"] for one in ask_onednn(layers, FEWER_ROUNDS)]
    rows = [said[i : i + len(WIDTHS)] for i in range(0, len(said), len(WIDTHS))]
    results["by_width"] = {
        "widths": WIDTHS,  # channels of a group, in and out
        "size": WIDE_SIZE,
        "convolution": dict(zip(map(str, COUNTS), rows, strict=True)),  # by the number of groups
    }
    return results


def main():
    """Measure, print and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--widths", action="store_true", help="what does the time depend on?")
    widths = parser.parse_args().widths
    check_committed()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # one thread waits for nobody, so the times repeat
    input = torch.randn(1, CHANNELS, SIZE, SIZE)
    calls = [partial(layer_with(groups), input) for groups in GROUPS]
    size = (SIZE, SIZE)
    results = {
        "rounds": ROUNDS,
        "input": list(input.shape),
        "channels": [CHANNELS, CHANNELS],
        "kernel_size": KERNEL_SIZE,
        "groups": GROUPS,
        "macs": [conv_macs(CHANNELS, CHANNELS, KERNEL_SIZE, size, groups) for groups in GROUPS],
        "vector_instructions": torch.backends.cpu.get_cpu_capability(),
    }
    if widths:
        results |= measure_widths(calls)
    else:
        on_new_memory = measure_on_new_memory(calls)
        results |= {**measure(calls), "new_memory": on_new_memory}
    print(results)
    name = "09_widths" if widths else "09_grouped"
    runs.record(name, SEED, "random normal numbers, float32", results)


if __name__ == "__main__":
    main()
