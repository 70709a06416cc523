"""What ails this run: eight sick training runs to diagnose, each beside a healthy one."""

import random
import statistics
from html import escape

import traitlets

from convbook._checks.arguments import integer
from convbook.course import runs
from convbook.course.explorers.base import Explorer, given
from convbook.course.explorers.grids import html_table
from convbook.course.explorers.sources import module_source
from convbook.course.explorers.traits import Choice, Whole

RECORD = "14_sick_runs"
# The recorded runs, by the names of the record; only the static form needs words for them here.
LABELS = {
    "healthy": "Healthy",
    "high": "Learning rate too high",
    "low": "Learning rate too low",
    "softmax": "Softmax before the loss",
    "shuffled": "Labels shuffled",
    "overfit": "Too few pictures, learnt by heart",
    "small": "Network too small",
    "mode": "Validated in training mode",
    "leak": "Validation pictures leaked into training",
}
DISEASES = tuple(LABELS)[1:]
REMEDIES = (
    *("lower_rate", "raise_rate", "scores", "labels", "pictures", "larger", "longer"),
    *("eval_mode", "split"),
)
EVIDENCE = ("accuracy", "gradient", "classes", "order", "test")
CASES = tuple(random.Random("sick-runs").sample(DISEASES, len(DISEASES)))
UNSOLVED = -1
MEASURED = ("train_loss", "loss", "train_accuracy", "accuracy", "gradient", "reordered", "test")
SHOWN_EPOCHS = (1, 6, 12)  # in the static form


def _short(numbers):
    """Return numbers, or lists of them, with three digits: what a page has to load."""
    if isinstance(numbers, list):
        return [_short(one) for one in numbers]
    return float(f"{numbers:.3g}")


def recorded():
    """Return the recorded runs as the page gets them: each series by seed, then by epoch."""
    return [
        {"name": one["name"], "predicted": one["seeds"][0]["predicted"]}
        | {name: [_short(seed[name]) for seed in one["seeds"]] for name in MEASURED}
        for one in runs.load(RECORD)["runs"]
    ]


class _Seen(traitlets.TraitType):
    """Which evidence is shown."""

    def validate(self, _, value):
        """Return the names as a tuple, or raise."""
        if not isinstance(value, (tuple, list)):
            raise TypeError(f"{self.name}={value!r} is no list; use one such as ['test']")
        for one in value:
            if one not in EVIDENCE:
                known = " or ".join(map(repr, EVIDENCE))
                raise ValueError(f"{self.name} holds {one!r}; use {known}")
        return tuple(value)


class _Solved(traitlets.TraitType):
    """How much evidence each case took, or -1 while it is unsolved."""

    def validate(self, _, value):
        """Return eight whole numbers as a tuple, or raise."""
        if not isinstance(value, (tuple, list)) or len(value) != len(CASES):
            raise ValueError(f"{self.name}={value!r}; use a list of {len(CASES)} whole numbers")
        return tuple(integer(one, self.name, UNSOLVED, len(EVIDENCE)) for one in value)


class WhatAilsThisRun(Explorer):
    """Diagnose eight sick training runs from their curves, and choose the remedy of each.

    Args:
        case: which is shown, 1 to 8.
        view: "cases", or "compare" for two runs in one figure.
        left: the name of the first run of a comparison, such as "healthy".
        right: the name of the second.

    Raises:
        ValueError: a value is out of range, or no run has the name.
        TypeError: a value is not of its kind.

    Example:
        >>> WhatAilsThisRun(case=3)
        WhatAilsThisRun(case=3)

    Source: recorded by `benchmarks/record_14_sick_runs.py`; Karpathy, A Recipe for Training Neural
    Networks, 2019.
    """

    _explorer = "sick_runs"
    _esm = module_source("sick_runs")

    case = Whole(1, 1, len(CASES)).tag(sync=True)
    view = Choice("cases", "compare").tag(sync=True)
    left = Choice(*LABELS).tag(sync=True)
    right = Choice("high", *(name for name in LABELS if name != "high")).tag(sync=True)
    diagnosis = Choice("", *DISEASES).tag(sync=True)
    remedy = Choice("", *REMEDIES).tag(sync=True)
    seen = _Seen(()).tag(sync=True)
    solved = _Solved((UNSOLVED,) * len(CASES)).tag(sync=True)
    cases = traitlets.List(read_only=True).tag(sync=True)
    classes = traitlets.List(read_only=True).tag(sync=True)
    runs = traitlets.List(read_only=True).tag(sync=True)

    def __init__(self, case=None, *, view=None, left=None, right=None):
        super().__init__(**given(case=case, view=view, left=left, right=right))
        with self.hold_sync():
            self.set_trait("cases", list(CASES))
            self.set_trait("classes", list(runs.load(RECORD)["classes"]))
            self.set_trait("runs", recorded())

    @property
    def code(self):
        """The line that makes this explorer."""
        return repr(self)

    def __repr__(self):
        if self.view == "cases":
            return f"WhatAilsThisRun(case={self.case})"
        return f"WhatAilsThisRun(view='compare', left={self.left!r}, right={self.right!r})"

    def static_html(self):
        """Return the medians of the runs as a table, with the answers folded away."""
        found = {run["name"]: run for run in self.runs}
        titles = {"healthy": "Healthy"} | {name: f"Case {i}" for i, name in enumerate(CASES, 1)}
        heads = [
            "run",
            *(f"training loss, epoch {epoch}" for epoch in SHOWN_EPOCHS),
            *(f"validation loss, epoch {epoch}" for epoch in SHOWN_EPOCHS),
            "validation accuracy",
            "test accuracy",
        ]
        rows = [[f'<th scope="col">{head}</th>' for head in heads]]
        for name, title in titles.items():
            run = found[name]
            by_epoch = [list(zip(*run[series], strict=True)) for series in ("train_loss", "loss")]
            losses = [statistics.median(one[i - 1]) for one in by_epoch for i in SHOWN_EPOCHS]
            last = statistics.median(seed[-1] for seed in run["accuracy"])
            shares = [f"{share:.0%}" for share in (last, statistics.median(run["test"]))]
            cells = [*(f"{loss:.2f}" for loss in losses), *shares]
            row = [f"<td>{cell.replace('%', ' %')}</td>" for cell in cells]
            rows.append([f'<th scope="row">{title}</th>', *row])
        title = "Medians over the seeds"
        answers = "".join(f"<li>{LABELS[name]}</li>" for name in CASES)
        return (
            '<div class="convbook-root cb-static">'
            f'<div class="cb-wide" tabindex="0" role="region" aria-label="{title}">'
            f"{html_table(title, rows)}</div>"
            f"<details><summary>What ails the eight</summary><ol>{answers}</ol></details>"
            f"<p><code>{escape(self.code)}</code></p></div>"
        )
