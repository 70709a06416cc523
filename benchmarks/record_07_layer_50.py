"""Record for chapters 6 and 7: what reaches layer 50, forwards, backwards and in training.

python benchmarks/record_07_layer_50.py

Each network with each initialisation, at four depths and from five seeds: signal and gradient
behind each pair of layers, and the loss while the network learns one batch by heart. A pair of
network and initialisation that is done is kept and not done again.
"""

import hashlib
import json
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F

from convbook._files import atomic_write
from convbook.course import runs
from convbook.course.experiments.layer_50 import (
    NETWORKS,
    initialisations_for,
    learn_by_heart,
    reach,
    stack,
)
from convbook.data import shapes
from convbook.train.provenance import check_committed, git

SEEDS = (0, 1, 2, 3, 4)
DEPTHS = (6, 10, 20, 50)
PER_CLASS, SIDE = 2, 8  # pictures in the batch, and their side
RATE, STEPS, EVERY = 0.03, 30, 5  # the loss is kept at every fifth step
SCRIPT = "benchmarks/record_07_layer_50.py"
CODE = (SCRIPT, "src/convbook/course/experiments/layer_50.py", "src/convbook/data/shapes.py")


def draw_batch(per_class=PER_CLASS):
    """Draw as many pictures of each class, made small, and their labels."""
    drawn = shapes.draw(400, seed=7)
    some = torch.cat([(drawn.labels == k).nonzero()[:per_class, 0] for k in range(10)])
    pictures = F.adaptive_avg_pool2d(drawn.images[some].float(), SIDE) / 127.5 - 1
    return pictures, drawn.labels[some]


def text_of(numbers):
    """Return numbers as one line, with three digits; what is none is a dash."""
    return " ".join("-" if number is None else f"{number:.3g}" for number in numbers)


def measure(network, initialisation, batch, depths=DEPTHS, seeds=SEEDS, steps=STEPS):
    """Return the series of one network: a line for each seed, of signal, and at each depth."""
    pictures, labels = batch
    signals, gradients, losses = [], {d: [] for d in depths}, {d: [] for d in depths}
    for seed in seeds:
        for depth in depths:
            torch.manual_seed(seed)
            net = stack(network, initialisation, depth)
            signal, gradient = reach(net.double(), pictures.double(), seed)
            gradients[depth].append(text_of(gradient))
            loss = learn_by_heart(net.float(), pictures, labels, RATE, steps)
            losses[depth].append(text_of(loss[::EVERY]))
        # No layer knows how many follow it, so the longest stack's signal stands for the shorter
        # ones' too: other draws, of the same kind.
        signals.append(text_of(signal))
    name = {"network": network, "initialisation": initialisation}
    return name | {"signal": signals, "gradient": gradients, "loss": losses}


def main(folder=None, networks=NETWORKS, **settings):
    """Measure what is not done yet, print and write the file."""
    check_committed()  # before the minutes, not after them
    torch.set_num_threads(1)  # one thread waits for nobody
    batch = draw_batch()
    key = hashlib.sha256(git("rev-parse", *(f"HEAD:{path}" for path in CODE)).encode()).hexdigest()
    cache = Path(folder or tempfile.gettempdir()) / f"layer_50_{key[:12]}"
    cache.mkdir(exist_ok=True)
    table = []
    for network in networks:
        for initialisation in initialisations_for(network):
            file = cache / f"{network}_{initialisation}.json"
            if not file.exists():
                result = json.dumps(measure(network, initialisation, batch, **settings))
                with atomic_write(file) as partial:
                    partial.write_text(result, "utf8")
            table.append(json.loads(file.read_text("utf8")))
            print(network, initialisation, table[-1]["signal"][0].split()[-1], flush=True)
    seeds, depths = settings.get("seeds", SEEDS), settings.get("depths", DEPTHS)
    about = {"seeds": seeds, "depths": depths, "every": EVERY, "rate": RATE}
    data = f"shapes, made {SIDE} x {SIDE}, {len(batch[0])} pictures"
    runs.record("07_layer_50", seeds[0], data, about | {"runs": table}, folder)


if __name__ == "__main__":
    # Numbers below 1e-38 would take a hundred times as long; it is for the whole process.
    torch.set_flush_denormal(True)
    main()
