"""The command `convbook grade`: which requirements of the assignment a network meets."""

import json
from argparse import Namespace

from convbook.cli.options import ADDRESS, Commands, parse_seconds, parse_size
from convbook.grade.profile import DEFAULT, names


def add_parser(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "grade",
        help="say which requirements of the final assignment a network meets",
        epilog="exit status: 0 all met, 1 not all, 2 an error. "
        "example: convbook grade my.py:Net --weights my.safetensors --data cifar10",
    )
    parser.add_argument("model", help=ADDRESS)
    parser.add_argument("--weights", metavar="FILE", help="trained weights, as .safetensors")
    parser.add_argument(
        "--data", metavar="DIR", help="cifar10, shapes, or a folder with train/ and test/"
    )
    parser.add_argument(
        "--accuracy", metavar="SHARE", help="the test accuracy, from 0 to 1, that you report"
    )
    parser.add_argument(
        "--profile", default=DEFAULT, help=f"whose requirements: {', '.join(names())} ({DEFAULT})"
    )
    parser.add_argument("--input-size", metavar="C,H,W", default="3,32,32", help="3,32,32")
    parser.add_argument(
        "--time-limit", metavar="SECONDS", help="for the network's process: 60; with --data 600"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.set_defaults(run=run)


def run(options: Namespace) -> int:
    """Print the report on a network, which runs in a process of its own."""
    from convbook.grade.sandbox import grade_file  # noqa: PLC0415 (slow to load)
    from convbook.loading import check_weights_file  # noqa: PLC0415 (torch loads when needed)

    time_limit = parse_seconds(options.time_limit or ("600" if options.data else "60"))
    input_size = parse_size(options.input_size)
    if options.weights:
        check_weights_file(options.weights)
    if options.accuracy and options.data:
        raise ValueError("--accuracy reports a number and --data measures one; use one of them")
    report = grade_file(
        options.model,
        time_limit,
        weights=options.weights,
        data=options.data,
        input_size=input_size,
        accuracy=options.accuracy,
        profile=options.profile,
    )
    print(json.dumps(report.to_dict(), indent=2) if options.json else report)
    return 0 if report.passed else 1
