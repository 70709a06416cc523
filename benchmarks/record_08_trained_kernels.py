"""Record for chapter 8: how nearly pairs could replace the 3 x 3 layers of a trained network.

python benchmarks/record_08_trained_kernels.py --data FOLDER --work WORK

WORK holds the trained networks, as record_14_repaired.py leaves them in its own --work:
`repaired-0` and so on. Nothing is trained here; it takes some minutes.
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file

from convbook.course import runs
from convbook.course.experiments import trained_kernels
from convbook.data import load
from convbook.models import S7Repaired
from convbook.train.provenance import check_committed

NAME = "08_trained_kernels"
SEEDS = (0, 1, 2, 3, 4)
MEASURED = 2_000  # training pictures on which the batch norms measure anew
SHOWN = "c2.0"  # the layer whose weights are kept: 16 channels to 32


def trained(folder, classes):
    """Return the network of a run, and what its file says of the run."""
    model = S7Repaired(classes)
    model.load_state_dict(load_file(folder / "model.safetensors"))
    return model.eval(), json.loads((folder / "run.json").read_text("utf8"))


def record(work, seeds, data):
    """Return what the chapter draws: of each network, and the weights of one layer."""
    order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(0))
    measured = data.train.images[order[:MEASURED]]  # a folder's pictures come class by class
    found, weights, said = [], None, None
    for seed in seeds:
        model, said = trained(work / f"repaired-{seed}", len(data.classes))
        if weights is None:
            layer = trained_kernels.dense_layers(model)[SHOWN]
            weights = trained_kernels.to_text(layer.weight.detach())
        found.append({"seed": seed, **trained_kernels.look(model, data.test, measured)})
        print(found[-1], flush=True)
    return {
        "seeds": list(seeds),
        "network": S7Repaired.__name__,
        "trained_at": said["commit"],
        "epochs": len(said["epochs"]),
        "pictures": {"test": len(data.test), "measured": len(measured)},
        "terms": trained_kernels.TERMS,
        "shown": SHOWN,
        "weights": weights,
        "runs": found,
    }


def main(arguments=None):
    """Look at the networks, and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="cifar10 or a folder")
    parser.add_argument("--called", help="what the data are; left out, their own name")
    parser.add_argument("--work", required=True, type=Path, help="with repaired-0, repaired-1 ...")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    options = parser.parse_args(arguments)
    check_committed()
    data = load(options.data)
    results = record(options.work, options.seeds, data)
    runs.record(NAME, options.seeds[0], options.called or data.name, results)


if __name__ == "__main__":
    main()
