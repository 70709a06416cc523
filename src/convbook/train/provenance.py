"""Where numbers come from: the machine, the versions and the commit of a run."""

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).parents[3]  # of the repository, where the package runs from one


def provenance(seed: int, data: str) -> dict[str, Any]:
    """Return where a run comes from: seed, data, commit, machine, versions.

    The commit is None where the package is not a git checkout; the machine has a `gpu` where there
    is one by NVIDIA.
    """
    card = {"gpu": torch.cuda.get_device_name()} if torch.cuda.is_available() else {}
    return {
        "seed": seed,
        "data": data,
        "commit": git("rev-parse", "HEAD") if (ROOT / ".git").exists() else None,
        "machine": {
            "processor": processor(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "system": platform.system(),
            **card,
        },
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }


def check_committed() -> None:
    """Refuse to record what no commit holds; a long recording asks before it begins.

    Raises:
        ValueError: a tracked file is changed.
    """
    if changed := git("status", "--porcelain", "--untracked-files=no"):
        raise ValueError(
            f"changed files would not be in the recorded commit; commit them:\n{changed}"
        )


def git(*arguments: str) -> str:
    """Return what a git command says of the package's repository."""
    return subprocess.run(
        ["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


def processor() -> str:
    """Return the processor's name; Linux has it in a file, other systems in `platform`."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
