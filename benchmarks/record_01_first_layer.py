"""Record for chapter 1: the 7 x 7 filters of a first layer, and what scrambled pixels cost.

python benchmarks/record_01_first_layer.py --data FOLDER

Five seeds, each for windows and a fully connected network, on photographs and on the same
photographs with their pixels scrambled. It takes about five minutes on one quiet thread.
"""

import argparse
from time import perf_counter

import torch

from convbook.analysis import trace
from convbook.course import runs
from convbook.course.experiments import first_layer
from convbook.course.experiments.trained_kernels import to_text
from convbook.data import load
from convbook.data.dataset import Split
from convbook.train.provenance import check_committed

NAME = "01_first_layer"
SEEDS = (0, 1, 2, 3, 4)
EVERY = 100  # steps
MEASURED = 2_000  # test pictures
NETWORKS = {
    "windows": first_layer.windows,
    "windows, pixels scrambled": first_layer.windows,
    "fully connected": first_layer.connected,
    "fully connected, pixels scrambled": first_layer.connected,
}


def scrambled(split):
    """Return the pictures of a split with their pixels scrambled."""
    return Split(first_layer.scrambled(split.images), split.labels)


def record(data, seeds, every=EVERY, measured=MEASURED):
    """Train each network from each seed, and return what the chapter draws."""
    chosen = torch.randperm(len(data.test), generator=torch.Generator().manual_seed(0))[:measured]
    plain = data.train, Split(data.test.images[chosen], data.test.labels[chosen])
    mixed = tuple(map(scrambled, plain))
    found, weights = {}, {}
    for name, build in NETWORKS.items():
        parts = mixed if "scrambled" in name else plain
        counted = trace(build())
        found[name] = {"params": counted.params, "macs": counted.macs, "runs": []}
        for seed in seeds:
            torch.manual_seed(seed)
            network, began = build(len(data.classes)), perf_counter()
            start = network[0].weight.detach().clone() if build is first_layer.windows else None
            one = {"seed": seed, **first_layer.learn(network, *parts, seed, every)}
            one["seconds"] = round(perf_counter() - began, 1)
            if start is not None:
                filters = network[0].weight.detach()
                one["alike"] = [round(first_layer.alike(w), 3) for w in (start, filters)]
                if seed == seeds[0]:
                    weights["before training"] = to_text(start)
                    weights[name] = to_text(filters)
            found[name]["runs"].append(one)
            print(name, one, flush=True)
    return {
        "seeds": list(seeds),
        "sizes": [len(data.train), measured],
        "batch": first_layer.BATCH,
        "passes": first_layer.PASSES,
        "networks": found,
        "weights": weights,
    }


def main(arguments=None):
    """Train, and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="cifar10 or a folder")
    parser.add_argument("--called", help="what the data are; left out, their own name")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    options = parser.parse_args(arguments)
    check_committed()
    data = load(options.data)
    results = record(data, options.seeds)
    runs.record(NAME, options.seeds[0], options.called or data.name, results)


if __name__ == "__main__":
    main()
