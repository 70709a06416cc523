"""The command `convbook train`: its options, one for each setting, and what it prints."""

import argparse
import shlex
import sys
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from convbook.cli.options import ADDRESS, Commands
from convbook.train.config import TrainConfig

if TYPE_CHECKING:  # torch loads when it is needed
    import torch
    from torch import nn

    from convbook.data import Dataset

START_FADED = 0.01  # the share of the first weights in their average that does no harm


def add_parser(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "train",
        help="train a network",
        epilog="example: convbook train my.py:Net --data cifar10 --folder my-run. "
        "With several GPUs: torchrun --nproc_per_node=2 -m convbook train my.py:Net ...",
    )
    parser.set_defaults(run=run)
    parser.add_argument("model", help=f"{ADDRESS}; a preset brings its own settings")
    parser.add_argument(
        "--data", metavar="DATA", default="cifar10", help="cifar10, shapes or a folder"
    )
    parser.add_argument(
        "--validation", metavar="SHARE", type=float, default=0.1, help="0.1; 0 learns from all"
    )
    parser.add_argument("--folder", metavar="DIR", help="where the run is saved")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --folder")
    parser.add_argument("--device", help="cpu, cuda, mps; left out, the fastest there is")
    parser.add_argument(
        "--test", action="store_true", help="measure the test accuracy at the end; choose before"
    )
    settings = parser.add_argument_group("settings", "see convbook.train.TrainConfig")
    for field in fields(TrainConfig):
        option = f"--{field.name.replace('_', '-')}"
        kind = type(field.default)
        if kind is bool:
            settings.add_argument(option, action=argparse.BooleanOptionalAction)
        else:
            settings.add_argument(option, type=kind, metavar=kind.__name__.upper())


def run(options: argparse.Namespace) -> int:
    """Train a network as the options say, print how it goes, and return the exit status."""
    import torch  # noqa: PLC0415 (torch loads when it is needed)

    from convbook.data import load  # noqa: PLC0415
    from convbook.data.dataset import as_device  # noqa: PLC0415
    from convbook.loading import load_model  # noqa: PLC0415
    from convbook.train.distributed import init_distributed, world  # noqa: PLC0415
    from convbook.train.fitting import fit  # noqa: PLC0415
    from convbook.train.presets import find_preset  # noqa: PLC0415

    names = [field.name for field in fields(TrainConfig)]
    chosen = {name: value for name in names if (value := getattr(options, name)) is not None}
    preset = find_preset(options.model)
    config = replace(preset.config if preset else TrainConfig(), **chosen)
    with init_distributed() as fastest:
        device = as_device(options.device or fastest)
        data = world().in_turn(lambda: load(options.data, validation=options.validation))
        if data is None:
            return 2  # the process that was to load it says why
        torch.manual_seed(config.seed)
        model = load_model(options.model, with_weights=True).to(device)
        steps = len(data.train) // config.batch_size
        if world().is_main:
            introduce(model, data, config, device)
        show = partial(show_epoch, pictures=steps * config.batch_size)
        folder, resume = options.folder, options.resume
        done = fit(model, data, config, folder, resume, test=options.test, each_epoch=show)
        if not world().is_main:
            return 0
    print(f"trained for {done.seconds:.1f} s{f', saved in {folder}' if folder else ''}")
    print(tell_test(done.test) if options.test else how_to_test(options, data.input_size))
    if advice := advise_on_average(config, steps * config.epochs):
        print(advice, file=sys.stderr)
    return 0


def introduce(
    model: "nn.Module", data: "Dataset", config: TrainConfig, device: "torch.device"
) -> None:
    """Print what is trained, where and on what, and the head of the table of epochs."""
    from convbook.train.distributed import number_format, world  # noqa: PLC0415
    from convbook.train.evaluation import name_of  # noqa: PLC0415

    params = sum(parameter.numel() for parameter in model.parameters())
    dtype = str(number_format(device, config.precision)).removeprefix("torch.")
    count = world().size
    several = f", {count} processes" if count > 1 else ""
    print(f"{name_of(model)}, {params:,} parameters, on {tell_device(device)}{several}, in {dtype}")
    print(f"{data.name}: {len(data.train):,} pictures, and {len(data.validation):,} for validation")
    accuracy = "  validation accuracy" if len(data.validation) else ""
    print(f"epoch  pictures/s  training loss{accuracy}", flush=True)


def tell_device(device: "torch.device") -> str:
    """Return in words what computes, such as `CPU (AMD EPYC, 2 threads)` or `GPU (NVIDIA H200)`."""
    import torch  # noqa: PLC0415

    from convbook.train.distributed import device_name  # noqa: PLC0415
    from convbook.train.provenance import processor  # noqa: PLC0415

    match device.type:
        case "cpu":
            threads = torch.get_num_threads()
            return f"CPU ({processor()}, {threads} thread{'s' if threads > 1 else ''})"
        case "mps":
            return "GPU (Apple's, mps)"
        case _:
            return f"GPU ({device_name(device)})"


def show_epoch(row: dict[str, float], pictures: int) -> None:
    """Print a line of the table: an epoch over so many pictures."""
    line = f"{row['epoch']:5}  {pictures / row['seconds']:10,.0f}  {row['loss']:13.4f}"
    if "validation_accuracy" in row:
        line += f"  {row['validation_accuracy']:19.2%}"
    print(line, flush=True)


def tell_test(test: dict[str, float]) -> str:
    """Return in a sentence what the test pictures say."""
    accuracy, mirrored = test["accuracy"], test["mirrored_accuracy"]
    return f"test accuracy {accuracy:.2%} (with mirror images {mirrored:.2%})"


def how_to_test(options: argparse.Namespace, input_size: tuple[int, ...]) -> str:
    """Return in a sentence how to get the test accuracy of a run that did not ask for it."""
    if not options.folder:
        return "nothing was saved; to keep the network add --folder DIR, to test it at once --test"
    from convbook.train.checkpoint import WEIGHTS  # noqa: PLC0415

    words = ["convbook", "grade", options.model, "--weights", str(Path(options.folder, WEIGHTS))]
    words += ["--data", options.data]
    if input_size != (3, 32, 32):
        words += ["--input-size", ",".join(map(str, input_size))]
    return f"to test it, once there is nothing left to choose: {shlex.join(words)}"


def advise_on_average(config: TrainConfig, steps: int) -> str:
    """Say what to change where a run is so short that its averaged weights remember their start."""
    left = config.ema_decay**steps
    if config.ema_warmup or left < START_FADED:
        return ""
    return (
        f"note: the trained weights are an average, and {left:.0%} of it comes from the "
        f"first step; {steps} steps are few for --ema-decay {config.ema_decay}: use --ema-warmup"
    )
