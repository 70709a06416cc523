"""Train with as many processes as `torchrun` starts: `torchrun bands_together.py FOLDER`."""

import sys

import torch
from toy_data import CONFIG, bands, network

from convbook.train import fit
from convbook.train.distributed import init_distributed

if __name__ == "__main__":
    torch.set_num_threads(1)
    with init_distributed() as device:
        fit(network(norm=False).to(device), bands(), CONFIG, sys.argv[1], progress=False)
