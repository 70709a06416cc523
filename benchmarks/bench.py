"""Measure the package, the chapters and the book on the machine at hand.

python -m benchmarks.bench                 everything below
python -m benchmarks.bench operations      conv2d against PyTorch's: time and memory
python -m benchmarks.bench tracing         a table, and a receptive field by gradients: resnet50
python -m benchmarks.bench chapters        each chapter: time over the floor, and memory
python -m benchmarks.bench book            `make book` in a fresh clone: time and size
"""

import argparse
import inspect
import multiprocessing
import os
import platform
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import nbformat
import torch
import torch.nn.functional as F
from nbclient import NotebookClient

from convbook.analysis import empirical_receptive_field, trace
from convbook.functional import conv2d
from tools.notebooks import CHAPTERS, notebook_paths

ROOT = Path(__file__).parents[1]
ROUNDS = 15


def peak_rss():
    """Return the peak resident memory of this process in bytes."""
    import resource  # noqa: PLC0415 (this function also runs alone, inside a notebook)
    from pathlib import Path  # noqa: PLC0415

    status = Path("/proc/self/status")
    if status.exists():  # Linux: a child's ru_maxrss would start from its parent's peak
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def by_hand(x, weight, bias):
    """Convolve with the package's own function."""
    return conv2d(x, weight, bias, padding=1)


def by_pytorch(x, weight, bias):
    """Convolve with PyTorch's own function."""
    return F.conv2d(x, weight, bias, padding=1)


def by_unfold(x, weight, bias):
    """Convolve by writing out all windows, then one matrix product per image."""
    output = weight.flatten(1) @ F.unfold(x, 3, padding=1) + bias[:, None]
    return output.unflatten(-1, x.shape[-2:])


OPERATIONS = {
    "convbook conv2d": by_hand,
    "F.conv2d": by_pytorch,
    "F.unfold + matmul": by_unfold,
}


def make_tensors(size=32):
    """Return the maps, filters and bias that every operation gets."""
    torch.manual_seed(0)
    shapes = [(16, 64, size, size), (64, 64, 3, 3), (64,)]
    return [torch.randn(shape, requires_grad=True) for shape in shapes]


def run(convolve, tensors, backward):
    """Run one operation and return its seconds."""
    start = time.perf_counter()
    if backward:
        torch.autograd.grad(convolve(*tensors).sum(), tensors)
    else:
        with torch.no_grad():
            convolve(*tensors)
    return time.perf_counter() - start


def peak_memory(name, backward):
    """Return by how many bytes one run raises the peak memory of this (fresh) process."""
    run(OPERATIONS[name], make_tensors(size=4), backward)  # load what the first call loads
    tensors = make_tensors()
    before = peak_rss()
    run(OPERATIONS[name], tensors, backward)
    return peak_rss() - before


def operations():
    """Compare conv2d with F.conv2d and with F.unfold + matmul, in this process and in turn."""
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
    print("input (16, 64, 32, 32), weight (64, 64, 3, 3), padding 1, float32;")
    print(f"time: median of {ROUNDS} rounds and, after it, convbook's time divided by it;")
    print("memory: growth of a fresh process's peak RSS in one run\n")
    print(f"{'':18}{'forward':>24}{'forward + backward':>30}")
    tensors = make_tensors()
    seconds = {(name, backward): [] for name in OPERATIONS for backward in (False, True)}
    for _ in range(ROUNDS + 2):
        for (name, backward), runs in seconds.items():
            runs.append(run(OPERATIONS[name], tensors, backward))
    # The first two rounds warm up the threads and the allocator.
    medians = {key: statistics.median(runs[2:]) for key, runs in seconds.items()}
    fresh = multiprocessing.get_context("spawn")
    for name in OPERATIONS:
        print(f"{name:18}", end="")
        for backward in (False, True):
            with fresh.Pool(1) as pool:
                memory = pool.apply(peak_memory, (name, backward))
            median = medians[name, backward]
            ratio = medians["convbook conv2d", backward] / median
            print(f"{1e3 * median:9.1f} ms {ratio:5.2f}x{memory / 2**20:6.0f} MB", end="")
        print()


def resnet50():
    """Return torchvision's model without memory for its weights."""
    from torchvision.models import resnet50  # noqa: PLC0415 (seconds that the others need not wait)

    with torch.device("meta"):
        return resnet50(weights=None)


def look(name):
    """Return the seconds and the growth of peak RSS of one look at resnet50 (in this process)."""
    model, before = resnet50(), peak_rss()
    start = time.perf_counter()
    if name == "trace":
        trace(model, (3, 224, 224))
    else:
        empirical_receptive_field(model, (3, 224, 224), layer="layer4")
    return time.perf_counter() - start, peak_rss() - before


def tracing():
    """Look at resnet50, each time in a fresh process: what its first use takes."""
    fresh = multiprocessing.get_context("spawn")
    for name in ("trace", "empirical_receptive_field"):
        runs = []
        for _ in range(5):
            with fresh.Pool(1) as pool:
                runs.append(pool.apply(look, (name,)))
        seconds, memory = (statistics.median(values) for values in zip(*runs, strict=True))
        print(f"{name:26} {seconds:6.2f} s {memory / 2**20:6.0f} MB")


def execute(notebook):
    """Run a notebook on a fresh kernel; return its seconds and the kernel's peak RSS in bytes."""
    report = f"{inspect.getsource(peak_rss)}\nprint(peak_rss())"
    notebook.cells.append(nbformat.v4.new_code_cell(report))
    client = NotebookClient(
        notebook,
        timeout=600,
        resources={"metadata": {"path": ROOT / "chapters"}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    start = time.perf_counter()
    client.execute()
    seconds = time.perf_counter() - start
    return seconds, int(notebook.cells[-1].outputs[0].text)


def chapters():
    """Run every notebook and report its seconds over the floor: kernel start + `import torch`."""
    floors = []
    for _ in range(3):
        empty = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import torch")])
        floors.append(execute(empty))
    floor, memory = (statistics.median(values) for values in zip(*floors, strict=True))
    print(f"floor (kernel start + import torch): {floor:.1f} s, {memory / 2**20:.0f} MB")
    for path in notebook_paths():
        seconds, memory = execute(nbformat.read(path, as_version=4))
        name = str(path.relative_to(CHAPTERS))
        print(f"{name:30} {seconds - floor:6.1f} s over the floor {memory / 2**20:6.0f} MB")


def book():
    """Run `make book` twice in a fresh clone: with the environment still to make, then without."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "convbook"
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        for what in ("fresh clone, environment included", "again, environment there"):
            start = time.perf_counter()
            subprocess.run(["make", "book"], check=True, cwd=clone, capture_output=True)
            print(f"make book, {what}: {time.perf_counter() - start:.1f} s")
        for part in (".venv", "_build/html"):
            print(f"{part:12} {folder_size(clone / part) / 2**20:6.1f} MB")


def folder_size(folder):
    """Return the bytes in the files below `folder`."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files)


def main():
    """Run the parts named on the command line."""
    parts = {part.__name__: part for part in (operations, tracing, chapters, book)}
    parser = argparse.ArgumentParser(description="Measure convbook on this machine.")
    parser.add_argument("part", nargs="?", choices=parts, help="default: all parts, one by one")
    chosen = parser.parse_args().part
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs", end=", ")
    print(f"Python {platform.python_version()}")
    for part in [parts[chosen]] if chosen else parts.values():
        print(f"\n{part.__name__}\n{'-' * len(part.__name__)}")
        part()


if __name__ == "__main__":
    main()
