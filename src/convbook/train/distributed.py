"""What the machine can do: number formats, deterministic operations, several processes."""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from convbook.data.dataset import Device

Result = TypeVar("Result")


def has_bfloat16(device: Device) -> bool:
    """Return whether bfloat16 is computed by the device itself, not imitated."""
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if kind == "cpu":
        # PyTorch has no public question for this; without an answer, float32 is right anyway.
        tests = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        return any(getattr(torch.cpu, test, bool)() for test in tests)
    return False


def autocast(device: Device, precision: str) -> torch.autocast:
    """Return a context in which convolutions and products run in the chosen number format."""
    dtype = number_format(device, precision)
    return torch.autocast(torch.device(device).type, dtype, enabled=dtype != torch.float32)


def number_format(device: Device, precision: str) -> torch.dtype:
    """Return the dtype that a `precision` means on a device.

    "auto" is bfloat16 where the device computes it; float16 on another GPU by NVIDIA, such as the
    T4; else float32.
    """
    if precision == "auto":
        half = "float16" if torch.device(device).type == "cuda" else "float32"
        precision = "bfloat16" if has_bfloat16(device) else half
    return getattr(torch, precision)


def best_device() -> str:
    """Return "cuda" or "mps" where there is one, or else "cpu"."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def device_name(device: Device) -> str:
    """Return what a device is called: a GPU by NVIDIA by its model, others "cpu", "mps" and so on.

    Example:
        >>> device_name("cpu")
        'cpu'
    """
    device = torch.device(device)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


@contextlib.contextmanager
def deterministic(wanted: bool, device: Device = "cpu") -> Iterator[None]:
    """Allow only operations that repeat bit by bit, if wanted.

    Raises:
        ValueError: the device does not have them.
    """
    if not wanted:
        yield
        return
    if torch.device(device).type == "mps":  # PyTorch's own error comes late and names no remedy
        raise ValueError(
            "deterministic=True, but the network is on an Apple GPU (mps), where the gradients of "
            "some layers, nn.MaxPool2d among them, do not repeat bit by bit and PyTorch refuses "
            "them; use deterministic=False, or the CPU"
        )
    # cuBLAS reads this when it is first used; without it PyTorch refuses to be deterministic.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        torch.backends.cudnn.benchmark = before[1]


TIMEOUT = datetime.timedelta(hours=2)  # for a download over a slow line


class World(NamedTuple):
    """One process among those that train together."""

    rank: int = 0
    size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and prints."""
        return self.rank == 0

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of a tensor over all processes."""
        if self.size == 1:
            return value
        dist.all_reduce(value)
        return value / self.size

    def barrier(self) -> None:
        """Wait for all processes."""
        if self.size > 1:
            dist.barrier()

    def in_turn(self, action: Callable[[], Result]) -> Result | None:
        """Let the first process of each machine act before the others, and return what came of it.

        What the first one downloads, the others then find. Where it fails, it raises, so that the
        reason is told once, and the others get None.
        """
        if self.size == 1:
            return action()
        # By the CPU: the GPUs' own barrier would give up after ten minutes.
        group = dist.new_group(backend="gloo", timeout=TIMEOUT)
        goes_first = int(os.environ.get("LOCAL_RANK", self.rank)) == 0
        result: Result | None = None
        failure: Exception | None = None
        if goes_first:
            try:
                result = action()
            except Exception as error:  # told to the others first, or they would wait for ever
                failure = error
        failed = [False] * self.size
        dist.all_gather_object(failed, failure is not None, group)  # type: ignore[arg-type]  # a group
        if failure:
            raise failure
        if any(failed):
            return None
        return result if goes_first else action()


ALONE = World()


def world() -> World:
    """Return this process's place in the group that `init_distributed` made, if there is one."""
    if dist.is_available() and dist.is_initialized():
        return World(dist.get_rank(), dist.get_world_size())
    return ALONE


@contextlib.contextmanager
def init_distributed() -> Iterator[str]:
    """Join the processes that `torchrun` started, and return this one's device; or train alone."""
    device = best_device()
    if "RANK" not in os.environ:
        yield device
        return
    if device == "cuda":
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield device
    finally:
        dist.destroy_process_group()
