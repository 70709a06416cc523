"""Pictures per second for record_14_gpu.py: from a student's loop to one launch a step."""

import itertools
import os

import torch
import torch.nn.functional as F
from gpu_runs import config_of
from gpu_timing import DEVICE, FORMATS, LAYOUTS, ON_GPU, first, kernels, seconds
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from convbook.train.fitting import epoch_batches
from convbook.train.optimisation import make_optimizer, make_step
from convbook.train.presets import PRESETS

WAITING = 16  # batches that eight loader processes have ready: they must not count as fast


class Pictures(Dataset):
    """Pictures as a course's first loop reads them: one at a time, changed one at a time."""

    change = transforms.Compose(
        [
            transforms.RandomCrop(32, padding=4, padding_mode="reflect"),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        ]
    )

    def __init__(self, split):
        self.pictures = [Image.fromarray(p) for p in split.images.permute(0, 2, 3, 1).cpu().numpy()]
        self.labels = split.labels.tolist()

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.change(self.pictures[index]), self.labels[index]


def student_steps(name, split, device, workers=0):
    """Return a call that takes one step of a loop as students write it, on a device."""
    config = config_of(name)
    torch.manual_seed(0)
    network = PRESETS[name].network().to(device)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    loader = DataLoader(
        Pictures(split), config.batch_size, shuffle=True, num_workers=workers,
        pin_memory=workers > 0 and device == "cuda", persistent_workers=workers > 0,
    )  # fmt: skip
    batches = itertools.chain.from_iterable(itertools.repeat(loader))

    def step():
        x, labels = next(batches)
        x, labels = x.to(device, non_blocking=True), labels.to(device, non_blocking=True)
        loss = F.cross_entropy(network(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def book_steps(name, split, device, **changes):
    """Return a call that takes one step of the book's loop: the batch, and the step itself."""
    changes = {"progressive_epochs": 0, "cuda_graph": False, **changes}
    config = config_of(name, **changes)
    torch.manual_seed(0)
    network = PRESETS[name].network().to(device)
    if config.channels_last:
        network.to(memory_format=torch.channels_last)
    compiled = torch.compile(network) if config.compile else network
    optimizer = make_optimizer(network, config)
    step = make_step(compiled, optimizer, config)
    split = split.to(device)
    batches = itertools.chain.from_iterable(
        epoch_batches(split, config, epoch) for epoch in itertools.count()
    )
    network.train()
    return lambda: step(*next(batches))


def speed(step, batch_size, device, steps, warm_up=8):
    """Return pictures per second, milliseconds and kernels of a step."""
    for _ in range(warm_up):
        step()
    least = min(seconds(step, device, steps) for _ in range(3)) / steps
    return {
        "pictures_per_second": round(batch_size / least),
        "step_ms": round(1e3 * least, 4),
        **(kernels(step, device) or {}),
    }


def record_ladder(data, small):
    """From a student's loop on the CPU to one launch a step: pictures per second."""
    split = first(data.train, 1024 if small else 8192)
    few, many = (1, 1) if small else (4, 40)
    plain = {"precision": "float32", "channels_last": False}
    found = {}
    for name in ("s7", "fast"):
        rungs = {"CPU, float32": (student_steps, {"device": "cpu"}, few)}
        if ON_GPU:
            workers = {"workers": min(8, os.cpu_count())}
            rungs |= {
                "GPU, the same loop": (student_steps, {"device": DEVICE}, few),
                f"{workers['workers']} loader processes": (
                    student_steps, {"device": DEVICE, **workers}, many
                ),
                "pictures on the GPU": (book_steps, {"device": DEVICE, **plain}, many),
                "bfloat16": (book_steps, {"device": DEVICE, "channels_last": False}, many),
                "channels_last": (book_steps, {"device": DEVICE}, many),
                "one graph": (book_steps, {"device": DEVICE, "cuda_graph": True}, many),
            }  # fmt: skip
        batch_size = config_of(name).batch_size
        found[name] = {"batch_size": batch_size, "rungs": {}}
        for rung, (make, options, steps) in rungs.items():
            step = make(name, split, **options)
            warm_up = 1 if small else 2 * WAITING if "processes" in rung else 8
            found[name]["rungs"][rung] = speed(step, batch_size, options["device"], steps, warm_up)
    return found


def record_factors(data, small):
    """Number format, layout and launching, each with each, one network."""
    split = first(data.train, 1024 if small else 16_384)
    found = []
    launches = (False, True) if ON_GPU else (False,)
    formats = FORMATS[: 1 if small else None]
    for precision, layout, graph in itertools.product(formats, LAYOUTS, launches):
        if precision == "float16" and graph:
            continue
        changes = {
            "precision": precision,
            "channels_last": layout == "channels_last",
            "cuda_graph": graph,
        }
        for name in ("s7",) if small else ("s7", "fast"):
            step = book_steps(name, split, DEVICE, **changes)
            speeds = speed(
                step, config_of(name).batch_size, DEVICE, 1 if small else 40, 8 - 7 * small
            )
            found.append({"preset": name, **changes, **speeds})
    return found


def record_batches(data, small):
    """Pictures per second against the size of a batch, step by step and as a graph."""
    sizes = (32, 64) if small else (16, 32, 64, 128, 256, 512, 1024, 2048)
    split = first(data.train, 1024 if small else 32_768)
    found = []
    for name, size, graph in itertools.product(("s7", "fast"), sizes, {False, ON_GPU}):
        step = book_steps(name, split, DEVICE, batch_size=size, cuda_graph=graph)
        speeds = speed(step, size, DEVICE, 1 if small else 12, 8 - 7 * small)
        found.append({"preset": name, "batch_size": size, "cuda_graph": graph, **speeds})
    return found


def record_compile(data, small):
    """`torch.compile`: how long it takes first, and what it brings."""
    if small:
        return "left out: --small"
    split = first(data.train, 16_384)
    found = {}
    for graph in (False, ON_GPU):
        step = book_steps("s7", split, DEVICE, compile=True, cuda_graph=graph)
        begun = seconds(step, DEVICE, 4)
        batch_size = config_of("s7").batch_size
        found["graph" if graph else "eager"] = {
            "first_seconds": round(begun, 2), **speed(step, batch_size, DEVICE, 40)
        }  # fmt: skip
    return found
