"""Train by the command where the data come over a slow line: `torchrun slow_download.py CACHE`.

Each process writes to CACHE.log what it had to do; with the variable FAIL the line is dead.
"""

import os
import sys
import time
from pathlib import Path

import torch
from toy_data import bands

from convbook import cli
from convbook.data import loading


def read(cache):
    """Stand in for `cifar10.read`: download what is not there yet."""
    there = cache.exists()
    with Path(f"{cache}.log").open("a") as log:
        log.write("found\n" if there else "downloaded\n")
    if not there:
        time.sleep(1)
        if "FAIL" in os.environ:
            raise OSError("no route to host")
        cache.touch()
    data = bands()
    return data.name, data.classes, data.train, data.test


if __name__ == "__main__":
    torch.set_num_threads(1)
    cache = Path(sys.argv[1])
    loading.cifar10.read = lambda root: read(cache)
    options = ["--epochs", "1", "--batch-size", "60", "--precision", "float32", "--device", "cpu"]
    sys.exit(cli.main(["train", "my_linear_net.py:net", "--data", "cifar10", *options]))
