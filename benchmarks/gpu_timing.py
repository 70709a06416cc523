"""Measure calls on a CPU or a GPU: milliseconds, kernels, pictures per second, memory."""

import time

import torch
from torch.profiler import ProfilerActivity, profile

from convbook.data import Split
from convbook.train.distributed import best_device

DEVICE = best_device()
ON_GPU = DEVICE == "cuda"
FORMATS = ("float32", "bfloat16", "float16")
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
TARGET = 3e-3  # seconds: a timed round is repeated calls that take about so long
MOST = 50  # calls in a round


def wait(device):
    """Wait until the device has done everything that was launched."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()


def seconds(call, device, repeats=1):
    """Return how long calls take together, until the device has done them."""
    wait(device)
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    wait(device)
    return time.perf_counter() - start


def milliseconds(call, device, rounds=5, warm_up=2):
    """Return the least and the median time of a call over the rounds, in ms.

    Nothing makes a call faster than it is, and much makes it slower: compare the least.
    """
    for _ in range(warm_up):
        call()
    once = seconds(call, device)
    repeats = max(1, min(MOST, int(TARGET / once)))
    times = sorted(1e3 * seconds(call, device, repeats) / repeats for _ in range(rounds))
    return {"least": round(times[0], 5), "median": round(times[len(times) // 2], 5)}


def as_graph(call, calls=10):
    """Return a call that replays `calls` calls as one CUDA graph: no launch between them."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            call()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(calls):
            call()
    return graph.replay


def kernels(call, device, calls=3):
    """Return how many kernels a call launches, and for how long the GPU computes, in ms."""
    if torch.device(device).type != "cuda":
        return None
    call()
    with profile(activities=[ProfilerActivity.CUDA], acc_events=True) as seen:
        for _ in range(calls):
            call()
        torch.cuda.synchronize()
    on_gpu = [
        event for event in seen.events() if event.device_type == torch.autograd.DeviceType.CUDA
    ]
    busy = sum(event.device_time_total for event in on_gpu) / 1e3  # microseconds to ms
    return {"kernels": len(on_gpu) / calls, "busy_ms": round(busy / calls, 4)}


def peak_megabytes(call, device):
    """Return how much memory a call takes on the GPU beyond what is there already, in MB."""
    if torch.device(device).type != "cuda":
        return None
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    call()
    torch.cuda.synchronize()
    return round((torch.cuda.max_memory_allocated() - before) / 1e6, 1)


def first(split, count):
    """Return the first pictures of a split."""
    return Split(split.images[:count], split.labels[:count])
