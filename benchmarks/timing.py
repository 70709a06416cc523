"""How the recorded timings are taken: on memory that is there already, the calls in turns."""

import resource
import time
from statistics import median

import torch

LARGE = 6_000_000  # float32 numbers, 24 MB: more than any output that is timed


def warm_the_allocator():
    """Allocate a large block and free it, so that what is timed next finds its memory there.

    Without this, glibc's allocator hands the memory of a large output back to the system as soon as
    it is free, and asks for it again in the next call. The system maps it page by page, each at its
    first touch, which can take longer than the convolution that is timed. Once a block of this size
    was freed the allocator keeps what it has, as it does inside a network.
    """
    torch.empty(LARGE).fill_(1)


def take_turns(calls, rounds):
    """Return the milliseconds of each call, the best round and the median, and its page faults.

    The calls take turns, so that a slow moment of the machine falls on all of them. The best round
    says most, since nothing makes a call faster than it is and much makes it slower. A page fault
    is the first touch of memory that the process did not have; each call's median is returned.

    Args:
        calls: functions without arguments.
        rounds: how often each is timed; two rounds more, the first ones, are not counted.

    Returns:
        three lists with a number for each call: best, medians, page faults.
    """
    times, faults = [[] for _ in calls], [[] for _ in calls]
    with torch.no_grad():
        for _ in range(rounds + 2):
            for call, took, touched in zip(calls, times, faults, strict=True):
                before, start = _page_faults(), time.perf_counter()
                call()
                took.append(1e3 * (time.perf_counter() - start))
                touched.append(_page_faults() - before)
    best = [round(min(took[2:]), 4) for took in times]
    medians = [round(median(took[2:]), 4) for took in times]
    return best, medians, [round(median(touched[2:])) for touched in faults]


def _page_faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
