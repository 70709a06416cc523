"""Record for chapter 7: stacks of 20 and 56 layers, with and without skips, five seeds each.

python benchmarks/record_07_resnet_skips.py --work WORK

Two stacks of one depth have the same layers, the same first weights (unless their name says
otherwise), the same pictures in the same order and the same settings. WORK keeps a file for each
run: a recording that was stopped goes on after the last run that it finished. Seed by seed, so that
a record can be made of the seeds that are done (`--seeds 0 1`).
"""

import argparse
import json
import shlex
from pathlib import Path

import torch
from recording import check_commit

from convbook._files import atomic_write
from convbook.analysis import trace
from convbook.course import runs
from convbook.course.experiments.residual_depth import ARMS, CONFIG, make, run
from convbook.data.shapes import draw
from convbook.train.provenance import check_committed, provenance

NAME = "07_resnet_skips"
SEEDS = (0, 1, 2, 3, 4)
TRAIN, TEST = 3200, 1000


def done_once(seed, arm, training, test, config, work):
    """Train a stack, or read what an earlier call wrote of it."""
    folder = work / f"{arm.replace(', ', '-').replace(' ', '_')}-{seed}"
    check_commit(folder)
    path = folder / "run.json"
    if not path.exists():
        done = run(seed, arm, training, test, config)
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as partial:
            partial.write_text(json.dumps({**provenance(seed, "shapes"), "done": done}), "utf8")
        print(f"{folder.name}: loss {done['loss'][-1]} in {done['seconds']} s", flush=True)
    return json.loads(path.read_text("utf8"))["done"]


def main(arguments=None):
    """Train, print and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", required=True, type=Path, help="the folder for the runs' files")
    parser.add_argument("--out", type=Path, help="a folder for the record instead of the package's")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--epochs", type=int, default=CONFIG["epochs"])
    parser.add_argument("--pictures", type=int, default=TRAIN)
    options = parser.parse_args(arguments)
    if not options.out:
        check_committed()  # before the hour, not after it
    torch.set_num_threads(1)
    training, test = draw(options.pictures, seed=0), draw(TEST, seed=1)
    config = {**CONFIG, "epochs": options.epochs}
    found = {arm: [] for arm in ARMS}
    for seed in options.seeds:
        for arm in ARMS:
            found[arm].append(done_once(seed, arm, training, test, config, options.work))
    arms = []
    for name, (kind, count, rate) in ARMS.items():
        table = trace(make(kind, count), training.images.shape[1:])
        arms.append(
            {
                "name": name,
                "kind": kind,
                "blocks": count,
                "layers": sum(row.op in ("conv2d", "linear") for row in table),
                "rate": rate,
                "params": table.params,
                "macs": table.macs,
                "runs": found[name],
            }
        )
    command = shlex.join(["python", f"benchmarks/{Path(__file__).name}", "--work", "WORK"])
    results = {"command": command, "seeds": list(options.seeds), "config": config, "arms": arms}
    words = f"shapes, {len(training):,} to train on and {TEST:,} to test"
    write = runs.write if options.out else runs.record
    write(NAME, options.seeds[0], words, results, options.out)


if __name__ == "__main__":
    main()
