"""The command `convbook train`: its options, one for each setting, and what it does."""

import argparse
import sys
from dataclasses import fields, replace

from convbook.train.config import TrainConfig

START_FADED = 0.01  # the share of the first weights in their average that does no harm


def add_options(parser, address):
    """Give a parser the options of the command; `address` says what a model may be called."""
    parser.add_argument("model", help=f"{address}; a preset brings its own settings")
    parser.add_argument(
        "--data", metavar="DATA", default="cifar10", help="cifar10, shapes, a folder or a file"
    )
    parser.add_argument(
        "--validation", metavar="SHARE", type=float, default=0.1, help="0.1; 0 learns from all"
    )
    parser.add_argument("--folder", metavar="DIR", help="where the run is saved")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --folder")
    parser.add_argument("--device", help="cpu, cuda, mps; left out, the fastest there is")
    settings = parser.add_argument_group("settings", "see convbook.train.TrainConfig")
    for field in fields(TrainConfig):
        option = f"--{field.name.replace('_', '-')}"
        if field.type is bool:
            settings.add_argument(option, action=argparse.BooleanOptionalAction)
        else:
            settings.add_argument(option, type=field.type, metavar=field.type.__name__.upper())


def run(options):
    """Train a network as the options say, and print what came of it."""
    import torch  # noqa: PLC0415 (torch loads when it is needed)

    from convbook.cli import find_preset, load_model  # noqa: PLC0415 (it imports this module)
    from convbook.data import load  # noqa: PLC0415
    from convbook.train.fitting import fit  # noqa: PLC0415
    from convbook.train.machine import join_workers, workers  # noqa: PLC0415

    names = [field.name for field in fields(TrainConfig)]
    chosen = {name: value for name in names if (value := getattr(options, name)) is not None}
    preset = find_preset(options.model)
    config = replace(preset.config if preset else TrainConfig(), **chosen)
    with join_workers() as device:
        data = load(options.data, validation=options.validation)
        torch.manual_seed(config.seed)
        model = load_model(options.model, with_weights=True).to(options.device or device)
        done = fit(model, data, config, options.folder, options.resume)
        if not workers().writes:
            return
    test = done.test
    print(
        f"test accuracy {test['accuracy']:.2%} (with mirror images {test['mirrored_accuracy']:.2%})"
        f" after {done.seconds:.1f} s of training on {data.name}"
    )
    advice = advise_on_average(config, len(data.train) // config.batch_size * config.epochs)
    if advice:
        print(advice, file=sys.stderr)


def advise_on_average(config, steps):
    """Say what to change where a run is so short that its averaged weights remember their start."""
    left = config.ema_decay**steps
    if config.ema_warmup or left < START_FADED:
        return ""
    return (
        f"note: the weights that were tested are an average, and {left:.0%} of it comes from the "
        f"first step; {steps} steps are few for --ema-decay {config.ema_decay}: use --ema-warmup"
    )
