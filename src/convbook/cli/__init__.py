"""The command `convbook`: what the package does, from a terminal.

`convbook trace torchvision:resnet50` prints the table of `convbook.analysis.trace`; `my.py:Net`
takes a class, a function or a model from a file of yours, `my.ipynb:Net` from a notebook,
`package.module:Net` from a package, and `s7` is a network of the book (see `convbook.models`).
`convbook grade my.py:Net` says which requirements of the final assignment a network meets,
`convbook train my.py:Net` trains it, and `convbook curves my-run` draws how that went.
"""

import argparse
import difflib
import importlib
import importlib.util
import json
import sys
import warnings
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import ModuleType

from convbook.grade.profile import DEFAULT, names
from convbook.loading import needed_for, networks_in, parsed
from convbook.train import command, curves

ADDRESS = (
    "torchvision:NAME, FILE.py:NAME, FILE.ipynb:NAME, PACKAGE.MODULE:NAME or a preset: "
    "fast, s7, tiny"
)


def main(arguments=None):
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


def _parser():
    parser = argparse.ArgumentParser(prog="convbook", description="Look into convolutions.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    trace = commands.add_parser(
        "trace",
        help="print a model's layers: shapes, parameters, MACs, receptive fields",
        epilog="example: convbook trace torchvision:resnet50",
    )
    trace.add_argument("model", help=ADDRESS)
    trace.add_argument(
        "--input-size",
        metavar="C,H,W",
        help="channels and pixels of the input (3,32,32; for torchvision 3,224,224)",
    )
    trace.add_argument("--json", action="store_true", help="print the table as JSON")
    trace.set_defaults(run=_trace)
    grade = commands.add_parser(
        "grade",
        help="say which requirements of the final assignment a network meets",
        epilog="exit status: 0 all met, 1 not all, 2 an error. "
        "example: convbook grade my.py:Net --weights my.safetensors --data cifar10",
    )
    grade.add_argument("model", help=ADDRESS)
    grade.add_argument("--weights", metavar="FILE", help="trained weights, as .safetensors")
    grade.add_argument(
        "--data", metavar="DIR", help="cifar10, shapes, or a folder with train/ and test/"
    )
    grade.add_argument(
        "--accuracy", metavar="SHARE", help="the test accuracy, from 0 to 1, that you report"
    )
    grade.add_argument(
        "--profile", default=DEFAULT, help=f"whose requirements: {', '.join(names())} ({DEFAULT})"
    )
    grade.add_argument("--input-size", metavar="C,H,W", default="3,32,32", help="3,32,32")
    grade.add_argument(
        "--time-limit", metavar="SECONDS", help="for the network's process: 60; with --data 600"
    )
    grade.add_argument("--json", action="store_true", help="print the report as JSON")
    grade.set_defaults(run=_grade)
    train = commands.add_parser(
        "train",
        help="train a network",
        epilog="example: convbook train my.py:Net --data cifar10 --folder my-run. "
        "With several GPUs: torchrun --nproc_per_node=2 -m convbook.train my.py:Net ...",
    )
    command.add_options(train, ADDRESS)
    train.set_defaults(run=command.run)
    draw = commands.add_parser(
        "curves",
        help="draw the loss and the validation accuracy of runs over their epochs",
        epilog="example: convbook curves my-run another-run --out both.png",
    )
    curves.add_options(draw)
    draw.set_defaults(run=curves.run)
    return parser


def _trace(options):
    """Print the table of a model."""
    default = "3,224,224" if options.model.startswith("torchvision:") else "3,32,32"
    input_size = parse_size(options.input_size or default)
    model = load_model(options.model)
    from convbook.analysis import trace  # noqa: PLC0415 (torch loads when it is needed)

    table = trace(model, input_size)
    print(json.dumps(table.to_dict(), indent=2) if options.json else table)


def _grade(options):
    """Print the report on a network, which runs in a process of its own."""
    from convbook.grade.process import grade_file  # noqa: PLC0415
    from convbook.weights import check_weights_file  # noqa: PLC0415

    time_limit = parse_seconds(options.time_limit or ("600" if options.data else "60"))
    input_size = parse_size(options.input_size)
    if options.weights:
        check_weights_file(options.weights)
    if options.accuracy and options.data:
        raise ValueError("--accuracy reports a number and --data measures one; use one of them")
    report = grade_file(
        options.model,
        options.weights,
        options.data,
        input_size,
        time_limit,
        options.accuracy,
        options.profile,
    )
    print(json.dumps(report.to_dict(), indent=2) if options.json else report)
    return 0 if report.passed else 1


def parse_seconds(text):
    """Return `90.0` for `90`.

    Raises:
        ValueError: it is no number of seconds above 0.

    Example:
        >>> parse_seconds("90")
        90.0
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise ValueError(f"--time-limit={text} is no number of seconds; use for example 60")
    return seconds


def parse_size(text):
    """Return `(3, 224, 224)` for `3,224,224`.

    Raises:
        ValueError: a part is not a whole number.

    Example:
        >>> parse_size("3,224,224")
        (3, 224, 224)
    """
    try:
        return tuple(int(part) for part in text.replace("x", ",").split(","))
    except ValueError as error:
        raise ValueError(f"--input-size={text} is not C,H,W; use for example 3,224,224") from error


def load_model(address, with_weights=False):
    """Return the model that an address names: `torchvision:NAME`, `FILE.py:NAME` and so on.

    A class or function is called without arguments; torchvision's models get no trained weights.
    Of a notebook only that runs which the class or function needs. A word alone is one of
    `convbook.models.PRESETS`.

    Args:
        address: where the model is.
        with_weights: whether a class or function shall make its weights; without, it takes no
            memory for them where it can.

    Raises:
        ValueError: there is no such thing, or it does not give a model.

    Example:
        >>> type(load_model("torch.nn:ReLU")).__name__
        'ReLU'
    """
    source, _, name = address.rpartition(":")
    if preset := find_preset(address):
        return _call(preset.network, address, with_weights)
    if not source or not name:
        raise ValueError(_without_name(address))
    if source == "torchvision":
        return _torchvision_model(name, with_weights)
    thing = _module(source, name)
    known = networks_in(source) if source.endswith(".ipynb") else dir(thing)
    for part in name.split("."):
        if not hasattr(thing, part):
            raise ValueError(f"{source} has no {name}{_similar(part, known)}")
        thing = getattr(thing, part)
    return _call(thing, address, with_weights)


def _without_name(address):
    """Say what is missing in an address that names a file, or nothing at all."""
    path = address.rstrip(":")
    if not path.endswith((".py", ".ipynb")):
        return (
            f"model={address} has no source; use torchvision:resnet50, my.py:Net or a preset: "
            f"{', '.join(sorted(_presets()))}"
        )
    found = networks_in(path)
    if not found:
        return f"model={address} defines no class; use a file with a network, as my.py:Net"
    others = f" (it defines {', '.join(found)})" if len(found) > 1 else ""
    return f"model={address} does not say which network; use {path}:{found[-1]}{others}"


def find_preset(address):
    """Return the preset of this name, or None.

    Example:
        >>> find_preset("s7").network.__name__, find_preset("my.py:Net")
        ('S7Net', None)
    """
    return None if ":" in address else _presets().get(address)


def _presets():
    from convbook.models import PRESETS  # noqa: PLC0415 (torch loads when it is needed)

    return PRESETS


def _torchvision_model(name, with_weights):
    from torchvision import models  # noqa: PLC0415

    known = models.list_models(module=models)
    if name not in known:
        raise ValueError(f"torchvision has no model {name}{_similar(name, known)}")
    call = partial(models.get_model, name, weights=None)
    return _call(call, f"torchvision:{name}", with_weights)


def _call(thing, address, with_weights):
    """Return the model, made without weights where it can be made so and they are not wanted."""
    import torch  # noqa: PLC0415

    if isinstance(thing, torch.nn.Module):
        return thing
    if not callable(thing):
        raise ValueError(
            f"{address} is of type {type(thing).__name__}; use a class, function or model"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # how weights are drawn does not matter here
        model = None
        if not with_weights:
            # Some models compute with values while they are made.
            with suppress(Exception), torch.device("meta"):
                model = thing()
        if model is None:
            try:
                model = thing()
            except Exception as error:
                raise ValueError(f"{address}() failed: {_told(error)}") from error
    if not isinstance(model, torch.nn.Module):
        raise ValueError(f"{address}() gives a {type(model).__name__}, not an nn.Module")
    return model


def _module(source, name):
    """Import a file or a module; of a notebook, what `name` needs."""
    path = Path(source)
    if path.suffix in (".py", ".ipynb") and not path.is_file():
        raise ValueError(f"there is no file {source}")
    tree = parsed(path) if path.suffix == ".ipynb" else None
    try:
        if path.suffix not in (".py", ".ipynb"):
            return importlib.import_module(source)
        sys.path.insert(0, str(path.parent.resolve()))  # its neighbours, as `python my.py` does
        if tree:
            module = ModuleType(path.stem)
            sys.modules[path.stem] = module
            exec(compile(needed_for(tree, name.split(".")[0]), source, "exec"), vars(module))
            return module
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
    except Exception as error:  # the file may fail in any way
        is_file = isinstance(error, ModuleNotFoundError) and Path(f"{source}.py").is_file()
        hint = f"; did you mean {source}.py:{name}?" if is_file else ""
        raise ValueError(f"{source} cannot be imported: {_told(error)}{hint}") from error
    return module


def _told(error):
    return f"{type(error).__name__}: {error}"


def _similar(name, known):
    """Return what somebody who wrote `name` may have meant."""
    close = difflib.get_close_matches(name, known)
    return f"; did you mean {', '.join(close)}?" if close else ""


if __name__ == "__main__":
    sys.exit(main())
