"""`python -m convbook` and `torchrun -m convbook`: the command `convbook`."""

import sys

from convbook.cli import main

if __name__ == "__main__":
    sys.exit(main())
