"""The command `convbook trace`: a model's layers, in a table."""

import json
from argparse import Namespace

from convbook.cli.options import ADDRESS, Commands, parse_size


def add_parser(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "trace",
        help="print a model's layers: shapes, parameters, MACs, receptive fields",
        epilog="example: convbook trace torchvision:resnet50",
    )
    parser.add_argument("model", help=ADDRESS)
    parser.add_argument(
        "--input-size",
        metavar="C,H,W",
        help="channels and pixels of the input (3,32,32; for torchvision 3,224,224)",
    )
    parser.add_argument("--json", action="store_true", help="print the table as JSON")
    parser.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Print the table of a model."""
    default = "3,224,224" if options.model.startswith("torchvision:") else "3,32,32"
    input_size = parse_size(options.input_size or default)
    from convbook.analysis import trace  # noqa: PLC0415 (torch loads when it is needed)
    from convbook.loading import load_model  # noqa: PLC0415

    table = trace(load_model(options.model), input_size)
    print(json.dumps(table.to_dict(), indent=2) if options.json else table)
