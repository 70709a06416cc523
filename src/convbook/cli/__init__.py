"""The command `convbook`: what the package does, from a terminal.

`convbook trace torchvision:resnet50` prints the table of `convbook.analysis.trace`; `my.py:Net`
takes a class, a function or a model from a file of yours, `my.ipynb:Net` from a notebook,
`package.module:Net` from a package, and `s7` is a network of the book (see `convbook.models`).
`convbook grade my.py:Net` says which requirements of the final assignment a network meets,
`convbook train my.py:Net` trains it, and `convbook curves my-run` draws how that went.
"""

import argparse
import sys
from collections.abc import Sequence

from convbook.cli import curves, grade, trace, train


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    0; 1 where a network does not meet the assignment; 2 after an error, told in one line; 130 after
    Ctrl-C; 141 where nobody reads the output any more.
    """
    options = _parser().parse_args(arguments)
    try:
        status = options.run(options) or 0
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return 130  # as a shell says it
    except BrokenPipeError:  # whoever reads the output, `head` say, has enough
        sys.stdout = None  # else Python tries once more when it ends, and complains
        return 141  # as a shell says it
    except (ValueError, TypeError, OSError) as error:
        message = " ".join(str(error).split())
        print(f"convbook {options.command}: error: {message}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="convbook", description="Look into convolutions.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (trace, grade, train, curves):
        command.add_parser(commands)
    return parser
