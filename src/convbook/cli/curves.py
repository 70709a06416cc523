"""The command `convbook curves`: runs, drawn from what they left in their folders."""

from argparse import Namespace
from pathlib import Path

from convbook.cli.options import Commands

FILE = "curves.svg"


def add_parser(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "curves",
        help="draw the loss and the validation accuracy of runs over their epochs",
        epilog="example: convbook curves my-run another-run --out both.png",
    )
    parser.add_argument(
        "folders", nargs="+", metavar="FOLDER", help="of a run: what train calls --folder"
    )
    parser.add_argument(
        "--out", metavar="FILE", help=f"an .svg, .png or .pdf; {FILE} in the first folder"
    )
    parser.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Draw the runs, and print where the figure is."""
    from convbook.train.curves import draw  # noqa: PLC0415 (slow to load)

    path = draw(options.folders, options.out or Path(options.folders[0], FILE))
    print(f"the curves of {', '.join(options.folders)} are in {path}")
