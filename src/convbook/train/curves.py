"""The curves of runs, drawn from what they left in their folders."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from convbook._files import atomic_write
from convbook.train.checkpoint import load_metrics

MARKERS = "osD^v"
Columns = dict[str, list[Any]]  # the name of a metric, and its number in each epoch, or None


def draw(folders: Iterable[str | Path], path: str | Path) -> Path:
    """Draw loss and validation accuracy of runs over their epochs, write the file, return its path.

    A run has one colour and one marker; its training loss is a line, its validation loss is dashed.
    The training loss is that of changed pictures and smoothed labels, so it may well be the higher.

    Args:
        folders: of the runs, with a `metrics.jsonl` each.
        path: of the figure; its ending says in which format.

    Raises:
        ValueError: a folder holds no run, or a damaged one; or no figure is of this format.
        OSError: a file cannot be read or written.
    """
    path = Path(path)
    image_format = path.suffix.removeprefix(".").lower()
    if image_format not in ("svg", "png", "pdf"):
        raise ValueError(f"--out={path} is no .svg, .png or .pdf; use one of these endings")
    runs = [(str(folder), columns(folder)) for folder in folders]  # all read before one is drawn
    with style.context(Path(__file__).parents[1] / "convbook.mplstyle"):
        figure = Figure(figsize=(8, 3.2 + 0.2 * len(runs)))
        losses, accuracies = figure.subplots(1, 2)
        for place, (name, found) in enumerate(runs):
            look = {"color": f"C{place % 5}", "marker": MARKERS[place % 5], "markersize": 4}
            _draw_run(losses, accuracies, found, {**look, "label": name})
        _name(figure, losses, accuracies)
        try:
            with atomic_write(path) as partial:
                figure.savefig(partial, format=image_format)
        except OSError as error:
            raise OSError(
                f"--out={path} cannot be written ({error.strerror}); name another"
            ) from error
    return path


def columns(folder: str | Path) -> Columns:
    """Return the metrics of a run, None where an epoch has none.

    Raises:
        ValueError: the folder holds no run, or a damaged one.
    """
    rows = load_metrics(folder)
    names = ("epoch", "loss", "validation_loss", "validation_accuracy")
    return {name: [row.get(name) for row in rows] for name in names}


def _draw_run(losses: Axes, accuracies: Axes, found: Columns, look: dict[str, Any]) -> None:
    """Draw one run into both panels."""
    losses.plot(found["epoch"], found["loss"], **look)
    if any(loss is not None for loss in found["validation_loss"]):
        losses.plot(found["epoch"], _gaps(found["validation_loss"]), **{**look, "linestyle": "--"})
        percent = [100 * share for share in _gaps(found["validation_accuracy"])]
        accuracies.plot(found["epoch"], percent, **look)


def _gaps(numbers: Iterable[float | None]) -> list[float]:
    """Return numbers with gaps as matplotlib knows them: not a number."""
    return [float("nan") if number is None else number for number in numbers]


def _name(figure: Figure, losses: Axes, accuracies: Axes) -> None:
    """Say what axes, lines and colours are."""
    kinds = [Line2D([], [], color="0.3", label="training")]
    if accuracies.lines:
        kinds.append(Line2D([], [], color="0.3", linestyle="--", label="validation"))
    else:
        accuracies.text(0.5, 0.5, "no validation", ha="center", transform=accuracies.transAxes)
    losses.legend(handles=kinds)
    losses.set(xlabel="epoch", ylabel="loss (nats)")
    accuracies.set(xlabel="epoch", ylabel="validation accuracy (%)")
    for axes in (losses, accuracies):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    runs = [line for line in losses.lines if line.get_linestyle() == "-"]
    figure.legend(handles=runs, loc="outside lower left")
