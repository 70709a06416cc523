"""Record for chapters 8, 9 and 14: what a GPU makes of the book's networks and layers.

python benchmarks/record_14_gpu.py --data FOLDER --minutes 8 --out FOLDER

Part by part, the most useful first; after each the file `14_gpu.json` in the folder holds all that
is known, and a part that is there already is not measured again. A part that would begin after the
time is up is left out, and named. A folder's decoded images are kept beside it. `--small` tries
everything in seconds, on a CPU too.
"""

import argparse
import dataclasses
import json
import shlex
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from gpu_layers import (
    record_by_hand,
    record_ceilings,
    record_groups,
    record_layers,
    record_networks,
)
from gpu_runs import SEEDS, everything, record_airbench, record_preset, record_resume
from gpu_speed import record_batches, record_compile, record_factors, record_ladder
from gpu_timing import ON_GPU, first

from convbook._files import atomic_write
from convbook.data import Dataset, Split, load
from convbook.data.dataset import PARTS
from convbook.train.provenance import check_committed, provenance


def parts(data, small):
    """Return name -> what measures it, the most useful first."""
    return {
        "ceilings": partial(record_ceilings, small),
        "fast": partial(record_preset, "fast", data, small),
        "s7": partial(record_preset, "s7", data, small),
        "tiny": partial(record_preset, "tiny", data, small),
        "airbench": partial(record_airbench, data, small),
        "resume": partial(record_resume, data, small),
        "ladder": partial(record_ladder, data, small),
        "factors": partial(record_factors, data, small),
        "layers": partial(record_layers, small),
        "groups": partial(record_groups, small),
        "by_hand": partial(record_by_hand, small),
        "networks": partial(record_networks, small),
        "batches": partial(record_batches, data, small),
        "s7_all": partial(record_preset, "s7", everything(data), small),
        "s7_eager": partial(record_preset, "s7", data, small, SEEDS[:1], cuda_graph=False),
        "compile": partial(record_compile, data, small),
    }


def card():
    """Return what the GPU is."""
    if not ON_GPU:
        return {}
    query = ["nvidia-smi", "--query-gpu=driver_version,memory.total", "--format=csv,noheader"]
    answer = subprocess.run(query, capture_output=True, text=True, check=True).stdout
    driver, memory = answer.splitlines()[0].split(", ")
    capability = torch.cuda.get_device_capability()
    return {
        "driver": driver,
        "memory": memory,
        "capability": ".".join(map(str, capability)),
        "multiprocessors": torch.cuda.get_device_properties(0).multi_processor_count,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "float32_convolutions_in_tf32": torch.backends.cudnn.allow_tf32,
    }


def write(path, content):
    """Write what is known."""
    with atomic_write(path) as partial_file:
        partial_file.write_text(json.dumps(content, indent=1) + "\n", "utf8")


def load_decoded(source, folder):
    """Return the data; of a folder of files, once decoded, from one file: a GPU would wait."""
    path = folder / f"{Path(source).name}.safetensors"
    if not path.exists():
        data = load(source)
        if not Path(source).is_dir():
            return data
        tensors = {
            f"{part} {name}": tensor
            for part in PARTS
            for name, tensor in vars(getattr(data, part)).items()
        }
        about = {"name": data.name, "classes": json.dumps(data.classes)}
        with atomic_write(path) as partial_file:
            safetensors.torch.save_file(tensors, partial_file, about)
    with safetensors.safe_open(path, "pt") as file:
        about = file.metadata()
        splits = [
            Split(file.get_tensor(f"{part} images"), file.get_tensor(f"{part} labels"))
            for part in PARTS
        ]
    return Dataset(about["name"], json.loads(about["classes"]), *splits)


def main():
    """Measure part by part, and write after each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="cifar10 or a folder")
    parser.add_argument("--called", help="what the data are; left out, their own name")
    parser.add_argument("--out", required=True, type=Path, help="the folder for 14_gpu.json")
    parser.add_argument("--minutes", type=float, default=8, help="no part begins after so many")
    parser.add_argument("--only", nargs="+", metavar="PART", help="these parts; left out, all")
    parser.add_argument("--commit", help="what was copied here, where git does not know it")
    parser.add_argument("--small", action="store_true", help="a trial of everything, for tests")
    options = parser.parse_args()
    begin = time.perf_counter()
    if not options.commit and not options.small:
        check_committed()
    options.out.mkdir(parents=True, exist_ok=True)
    data = load_decoded(options.data, options.out)
    if options.small:
        parts_kept = {"train": first(data.train, 1024), "test": first(data.test, 256)}
        data = dataclasses.replace(data, **parts_kept)
    path = options.out / "14_gpu.json"
    words = ["python", f"benchmarks/{Path(__file__).name}", "--data", "FOLDER"]
    words += ["--called", options.called] if options.called else []
    origin = provenance(SEEDS[0], options.called or data.name)
    content = {
        **origin,
        "commit": options.commit or origin["commit"],
        "card": card(),
        "command": shlex.join([*words, "--minutes", f"{options.minutes:g}", "--out", "FOLDER"]),
        "seeds": SEEDS,
        "commits": {},  # of each part, where it was measured
    }
    if path.exists():
        content = json.loads(path.read_text("utf8")) | {"commit": content["commit"]}
    for name, measure in parts(data, options.small).items():
        spent = time.perf_counter() - begin
        if name in content or (options.only and name not in options.only):
            continue
        if spent > 60 * options.minutes:
            print(f"{name}: left out, {spent:.0f} s are over", flush=True)
            continue
        content[name] = measure()
        content["commits"][name] = content["commit"]
        write(path, content)
        print(f"{name}: {time.perf_counter() - begin - spent:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
