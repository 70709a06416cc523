"""`python -m convbook.train` and `torchrun -m convbook.train`: the command `convbook train`."""

import sys

from convbook.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
