"""Checkers for chapter 14, Train it on a GPU."""

from collections.abc import Iterator
from itertools import combinations
from math import log
from statistics import fmean

import torch
from torch import nn

from convbook.course.checks import sick_steps
from convbook.course.checks._checker import Checker
from convbook.course.checks.sick_steps import Step, one_batch

__all__ = [
    "Network",
    "Step",
    "check_best_pair",
    "check_honest",
    "check_learns",
    "check_left_behind",
    "one_batch",
]


# ---------------------------------------------------------------------------- what stays behind


class Network(nn.Module):
    """A module with these attributes, shown as it is written, so that it can be pasted.

    Example:
        >>> Network(scale=torch.ones(3)).scale
        tensor([1., 1., 1.])
    """

    source: str | None = None

    def __init__(self, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)

    def __repr__(self):
        return self.source or super().__repr__()

    def __eq__(self, other):
        """Networks are equal that were written alike, and whose parameters lie alike."""
        return isinstance(other, Network) and self._looks() == other._looks()

    __hash__ = nn.Module.__hash__

    def _looks(self):
        return repr(self), [(name, p.device) for name, p in self.named_parameters()]


def network(source):
    """Return the network that is written in a string."""
    made = eval(source, {"torch": torch, "nn": nn, "Network": Network})
    made.source = source
    return made


OWN = vars(nn.Module()).keys() | {"source"}  # what every module has


def left_behind(network):
    """Return the attributes that hold tensors which `to(device)` does not move, in order."""
    registered = {id(tensor) for tensor in _registered(network)}
    return sorted(
        f"{prefix}.{name}" if prefix else name
        for prefix, module in network.named_modules()
        for name, value in vars(module).items()
        if name not in OWN and any(id(one) not in registered for one in _tensors(value))
    )


def _registered(module) -> Iterator[torch.Tensor]:
    yield from module.parameters()
    yield from module.buffers()


def _tensors(value) -> Iterator[torch.Tensor]:
    """Return the tensors in an attribute: its own, or those of what it contains."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, nn.Module):
        yield from _registered(value)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _tensors(one)


def _plain_tensors(network, nested=True):
    """Name tensors that are attributes, of the network itself or of all its parts."""
    modules = network.named_modules() if nested else [("", network)]
    return sorted(
        f"{prefix}.{name}" if prefix else name
        for prefix, module in modules
        for name, value in vars(module).items()
        if isinstance(value, torch.Tensor)
    )


def _at_the_top(network):
    return [name for name in left_behind(network) if "." not in name]


def _lists_of_layers(network):
    """Name what holds layers in a list or a dict, and no tensor by itself."""
    return [name for name in left_behind(network) if name not in _plain_tensors(network)]


NETWORKS = [
    "Network(conv=nn.Conv2d(3, 8, 3), mean=torch.zeros(3))",
    "Network(conv=nn.Conv2d(3, 8, 3), bn=nn.BatchNorm2d(8))",
    "Network(conv=nn.Conv2d(3, 8, 3), scale=nn.Parameter(torch.ones(8)))",
    "Network(conv=nn.Conv2d(3, 8, 3), scale=torch.ones(8, requires_grad=True))",
    "Network(blocks=[nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3)], head=nn.Linear(8, 10))",
    "Network(blocks=nn.ModuleList([nn.Conv2d(3, 8, 3)]), head=nn.Linear(8, 10))",
    "Network(heads={'colour': nn.Linear(8, 3), 'shape': nn.Linear(8, 10)})",
    "Network(c1=Network(conv=nn.Conv2d(3, 8, 3), mean=torch.zeros(3)), std=torch.ones(3))",
    "Network(c1=Network(blocks=[nn.Conv2d(3, 8, 3)]), width=8, name='net')",
    "Network(scales=[nn.Parameter(torch.ones(8))], sizes=[32, 16, 8])",
    "Network(std=torch.ones(3), mean=torch.zeros(3), head=nn.Linear(3, 10))",
    "Network(c1=nn.Sequential(nn.Conv2d(3, 8, 3), Network(shift=torch.zeros(8))), stem=None)",
    "Network(moments=(torch.zeros(3), torch.ones(3)), relu=nn.ReLU())",
    "Network(c1=nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)))",
    "Network(bn=nn.BatchNorm2d(3), std=torch.ones(3))",
    "Network(bn=nn.BatchNorm2d(3, affine=False), relu=nn.ReLU())",
    "Network(conv=nn.Conv2d(3, 8, 3), bn=nn.BatchNorm2d(8), masks=[torch.ones(8), torch.zeros(8)])",
    "Network(bn=nn.BatchNorm2d(8), options={'mean': torch.zeros(3), 'classes': 10})",
    "Network(layers=nn.ModuleDict({'conv': nn.Conv2d(3, 8, 3), 'bn': nn.BatchNorm2d(8)}))",
    "Network(blocks=[nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)], bn=nn.BatchNorm2d(8), eps=0.001)",
    "Network(body=Network(bn=nn.BatchNorm2d(8), heads=[nn.Linear(8, 10)]), bn=nn.BatchNorm2d(8))",
    "Network(c1=nn.Sequential(nn.BatchNorm2d(3), Network(std=torch.ones(3))), eps=torch.ones(1))",
    "Network(c1=Network(c2=Network(shift=torch.zeros(8), bn=nn.BatchNorm2d(8))))",
    "Network(scales=nn.ParameterList([torch.ones(8)]), offset=torch.zeros(8))",
    "Network(norm=nn.GroupNorm(2, 8), head=nn.Linear(8, 10), sizes=[32, 16, 8])",
    "Network(bn=nn.BatchNorm2d(8), mean=torch.zeros(3), blocks=[nn.Conv2d(8, 8, 3)])",
    "Network(bn=nn.BatchNorm2d(8), shift=torch.zeros(8, requires_grad=True))",
]

check_left_behind = Checker(
    "Exercise 1: function(network) -> the names of the attributes that hold a tensor that stays",
    left_behind,
    [{"network": network(source)} for source in NETWORKS],
    {
        "Parts have attributes, too: named_modules() goes through all of them, and says what each "
        "is called.": _at_the_top,
        "A list or a dict of layers is not a part of the network: PyTorch does not look into it, "
        "so what is in it stays behind (and is not trained either). nn.ModuleList and "
        "nn.ModuleDict are made for this.": _plain_tensors,
        "Parameters and buffers do move. Which tensors are neither?": (
            lambda network: [name for name, _ in network.named_parameters()]
        ),
        "The state dict lists what does move.": lambda network: list(network.state_dict()),
        "Buffers, such as batch norm's running mean, move as well.": (
            lambda network: sorted(
                [*left_behind(network), *(name for name, _ in network.named_buffers())]
            )
        ),
        "Say where the attribute is: c1.mean, not mean.": (
            lambda network: sorted(name.split(".")[-1] for name in left_behind(network))
        ),
        "Single tensors that are plain attributes stay behind as well.": _lists_of_layers,
        "A tensor with requires_grad=True is not yet an nn.Parameter.": (
            lambda network: [
                name
                for name in left_behind(network)
                if not getattr(getattr(network, name, None), "requires_grad", False)
            ]
        ),
    },
    accepts=lambda answer, network: sorted(answer) == left_behind(network),
    fallback='Move a copy with .to("meta") and ask each tensor that you can reach for its device.',
)


# ------------------------------------------------------------------------------------ two changes


def step_after(stages, changes):
    """Return how long a step takes once these changes have been made: as long as the slowest."""
    for factors in changes:
        stages = [time * factor for time, factor in zip(stages, factors, strict=True)]
    return max(stages)


def best_pair(stages, changes, length=step_after):
    """Return the two changes after which a step is shortest, by their places."""
    pairs = combinations(range(len(changes)), 2)
    return list(min(pairs, key=lambda pair: length(stages, [changes[i] for i in pair])))


def is_best_pair(answer, stages, changes):
    """Return whether no other two changes make a step shorter."""
    one, other = answer
    if not 0 <= min(one, other) < max(one, other) < len(changes):
        return False
    best = [changes[i] for i in best_pair(stages, changes)]
    return step_after(stages, [changes[one], changes[other]]) <= 1.000001 * step_after(stages, best)


def _one_after_the_other(stages, changes):
    """Take the best single change, then the best of the others: with a tie, the first."""
    first = min(range(len(changes)), key=lambda i: step_after(stages, [changes[i]]))
    others = [i for i in range(len(changes)) if i != first]
    second = min(others, key=lambda i: step_after(stages, [changes[first], changes[i]]))
    return [first, second]


def _sum_after(stages, changes):
    for factors in changes:
        stages = [time * factor for time, factor in zip(stages, factors, strict=True)]
    return sum(stages)


def _two_strongest(stages, changes):
    order = sorted(range(len(changes)), key=lambda i: min(changes[i]))
    return order[:2]


def _two_for_the_slowest(stages, changes):
    slowest = stages.index(max(stages))
    order = sorted(range(len(changes)), key=lambda i: changes[i][slowest])
    return order[:2]


def _two_best_alone(stages, changes):
    order = sorted(range(len(changes)), key=lambda i: step_after(stages, [changes[i]]))
    return order[:2]


# Eight loaders, one graph, half precision, channels last, a larger batch, a faster processor.
_EIGHT, _GRAPH, _HALF = [0.125, 1, 1], [1, 0.05, 1], [1, 1, 0.5]
_LAST, _FASTER = [1, 1, 0.7], [0.8, 0.8, 1]
_TWO = [0.5, 1, 1]
PAIRS = [
    ([168, 9, 5], [_EIGHT, _HALF, _GRAPH]),
    ([9, 9, 5], [_EIGHT, _HALF, _GRAPH]),
    ([1, 10, 8], [_HALF, _LAST, _GRAPH, _EIGHT]),
    ([98, 6, 1.2], [_HALF, _LAST, _TWO, _FASTER]),
    ([10, 10, 10], [_FASTER, _EIGHT, [0.9, 0.9, 0.9], _HALF]),
    ([2, 9, 4], [_HALF, _GRAPH, _EIGHT, _LAST]),
    ([2, 30, 28], [_HALF, _LAST, _GRAPH, _FASTER]),
    ([20, 5, 19], [_HALF, _LAST, _EIGHT, _TWO]),
    ([12, 3, 30], [_EIGHT, _HALF, _GRAPH, _LAST]),
    ([10, 10, 1], [_FASTER, _HALF, _GRAPH, _EIGHT]),
    ([40, 10, 5], [[0.5, 1, 1.2], _HALF, _EIGHT, _GRAPH]),
    ([5, 9, 8], [[1, 0.2, 1.6], _HALF, _LAST, _EIGHT]),
    ([40, 38, 2], [_TWO, _FASTER, _EIGHT, _HALF, _GRAPH]),
    ([6, 6, 6], [_LAST, _FASTER, _EIGHT, [0.9, 0.9, 0.9]]),
    ([3, 25, 24], [_FASTER, _LAST, _HALF, [1, 0.5, 1]]),
    ([30, 12, 11], [_EIGHT, _TWO, _LAST, _FASTER, _GRAPH]),
    ([4, 7, 20], [_LAST, _GRAPH, _HALF]),
    ([10, 9, 9], [_GRAPH, _HALF, [0.95, 0.95, 0.95], _FASTER]),
    ([16, 2, 15], [_TWO, [0.25, 1, 1], _LAST, _GRAPH]),
    ([50, 3, 40], [_TWO, [0.6, 1, 1], [1, 1, 0.9], _HALF]),
    ([8, 8, 2], [[0.7, 1.1, 1], [1, 0.6, 1.5], _FASTER, _HALF]),
    ([1, 12, 11], [[1, 0.4, 1], [1, 0.5, 1], _HALF, _EIGHT]),
]

check_best_pair = Checker(
    "Exercise 2: function(stages, changes) -> the places of the best two changes",
    best_pair,
    [{"stages": stages, "changes": changes} for stages, changes in PAIRS],
    {
        "The best change alone, and then the best of the others, need not be the best two: where "
        "two stages are equally slow, no single change helps.": _one_after_the_other,
        "The stages work side by side, so a step takes as long as the slowest of them, not as long "
        "as all of them together.": lambda stages, changes: best_pair(stages, changes, _sum_after),
        "The strongest change helps only if it meets the slowest stage.": _two_strongest,
        "After one change another stage may be the slowest.": _two_for_the_slowest,
        "The two that are best alone may do the same job twice.": _two_best_alone,
        "Which changes, not how long the step is: return their two places.": (
            lambda stages, changes: step_after(
                stages, [changes[i] for i in best_pair(stages, changes)]
            )
        ),
        "Two changes: return two places.": (
            lambda stages, changes: min(
                range(len(changes)), key=lambda i: step_after(stages, [changes[i]])
            )
        ),
    },
    accepts=is_best_pair,
    fallback="Try every two changes: multiply each stage by both factors, and take the slowest.",
)


# ------------------------------------------------------------------------------ can a step learn?


check_learns = Checker(
    "Exercise 3: function(step) -> True or False",
    sick_steps.learns,
    sick_steps.CASES,
    {
        "Measure the loss yourself, with the labels as they are: a step may minimise another, and "
        "do that very well.": sick_steps.by_own_loss,
        "One step proves little: a step that goes astray may begin downhill. Take thirty.": (
            sick_steps.after_one_step
        ),
        "Falling is not enough: by heart means a loss below 0.1. Some of these stop half-way.": (
            sick_steps.falls
        ),
        "The weights of every step change; what matters is whether the loss gets there.": (
            sick_steps.weights_change
        ),
        "Start each time from a new model: take one_batch() inside the function.": (
            sick_steps.on_a_model_that_knows
        ),
        f"A guess among ten has a loss of {log(10):.1f}. Below 0.1 is by heart.": (
            sick_steps.better_than_a_guess
        ),
    },
    fallback="Take one_batch(), call the step thirty times, and then compute F.cross_entropy of "
    "the model's answers yourself.",
)


# ------------------------------------------------------------------------------- an honest number


def honest(runs):
    """Return which setting validation chooses, and the mean of its test accuracies."""
    means = [fmean(validation for validation, _ in seeds) for seeds in runs]
    choice = means.index(max(means))
    return [choice, fmean(test for _, test in runs[choice])]


def _chosen_by(key, report=lambda seeds: fmean(test for _, test in seeds)):
    def attempt(runs):
        choice = max(range(len(runs)), key=lambda i: key(runs[i]))
        return [choice, report(runs[choice])]

    return attempt


def _mean(seeds, place):
    return fmean(pair[place] for pair in seeds)


RUNS = [
    [[[0.80, 0.78], [0.82, 0.80]], [[0.79, 0.83], [0.81, 0.82]]],
    [[[0.70, 0.71], [0.72, 0.70], [0.93, 0.72]], [[0.80, 0.78], [0.81, 0.79], [0.82, 0.80]]],
    [[[0.5, 0.4]], [[0.7, 0.6]], [[0.6, 0.9]]],
    [[[0.91, 0.90], [0.89, 0.90], [0.90, 0.87]], [[0.90, 0.92], [0.88, 0.91], [0.89, 0.93]]],
    [[[0.30, 0.31], [0.34, 0.33]], [[0.62, 0.55], [0.40, 0.57]], [[0.55, 0.60], [0.54, 0.62]]],
    [[[0.8, 0.75], [0.6, 0.85]], [[0.71, 0.7], [0.72, 0.7], [0.73, 0.7]]],
    [[[0.9, 0.8], [0.1, 0.2], [0.8, 0.8]], [[0.65, 0.6], [0.66, 0.7], [0.64, 0.62]]],
    [[[0.70, 0.71], [0.72, 0.70], [0.71, 0.72]], [[0.80, 0.78], [0.81, 0.79]]],
    [[[0.5, 0.5], [0.6, 0.5], [0.7, 0.5], [0.6, 0.6]], [[0.9, 0.8]], [[0.8, 0.85], [0.7, 0.75]]],
    [[[0.84, 0.80], [0.82, 0.83]], [[0.80, 0.79], [0.78, 0.81]]],
    [[[0.66, 0.67], [0.64, 0.69]], [[0.71, 0.66], [0.69, 0.70]], [[0.60, 0.68], [0.74, 0.63]]],
    [[[0.75, 0.74], [0.77, 0.72], [0.76, 0.75]], [[0.70, 0.78], [0.72, 0.79], [0.71, 0.77]]],
    [[[0.42, 0.40]], [[0.45, 0.41]], [[0.44, 0.39]], [[0.43, 0.42]]],
    [[[0.88, 0.86], [0.90, 0.85]], [[0.87, 0.88], [0.89, 0.86]], [[0.93, 0.80], [0.79, 0.81]]],
    [[[0.55, 0.52], [0.57, 0.50], [0.56, 0.54]], [[0.61, 0.60], [0.63, 0.58]]],
    [[[0.81, 0.80], [0.83, 0.79], [0.82, 0.82]], [[0.86, 0.80], [0.70, 0.81], [0.84, 0.83]]],
    [[[0.91, 0.92]], [[0.93, 0.90], [0.95, 0.89]], [[0.92, 0.93], [0.94, 0.91], [0.90, 0.92]]],
    [[[0.2, 0.25], [0.3, 0.2]], [[0.35, 0.3], [0.1, 0.4]], [[0.28, 0.3], [0.29, 0.27]]],
    [[[0.68, 0.70], [0.66, 0.65]], [[0.67, 0.64], [0.71, 0.66], [0.72, 0.63], [0.70, 0.67]]],
    [[[0.77, 0.73], [0.75, 0.76]], [[0.79, 0.75], [0.70, 0.74]], [[0.72, 0.76], [0.74, 0.77]]],
    [[[0.98, 0.97], [0.96, 0.98], [0.97, 0.96]], [[0.95, 0.96], [0.99, 0.95], [0.94, 0.97]]],
]

check_honest = Checker(
    "Exercise 4: function(runs) -> [which setting, the number to report]",
    honest,
    [{"runs": runs} for runs in RUNS],
    {
        "Chosen by test: now the test pictures have helped to make the choice, and are no longer "
        "new.": _chosen_by(lambda seeds: _mean(seeds, 1)),
        "Report what nobody has looked at: the test accuracy. Validation has already been used, to "
        "choose.": _chosen_by(lambda seeds: _mean(seeds, 0), lambda seeds: _mean(seeds, 0)),
        "One lucky seed is no reason to choose a setting: compare the means.": (
            _chosen_by(lambda seeds: max(v for v, _ in seeds))
        ),
        "The best seed is not what the next run will do: report the mean over all seeds.": (
            _chosen_by(lambda seeds: _mean(seeds, 0), lambda seeds: max(t for _, t in seeds))
        ),
        "The run with the best validation is one run: report the mean over the seeds.": (
            _chosen_by(lambda seeds: _mean(seeds, 0), lambda seeds: max(seeds)[1])
        ),
        "Compare means: a sum grows with the number of seeds.": (
            _chosen_by(lambda seeds: sum(v for v, _ in seeds))
        ),
        "Return both, first the place of the setting and then its mean test accuracy.": (
            lambda runs: honest(runs)[1]
        ),
    },
    fallback="First the mean validation accuracy of each setting, then the mean test accuracy of "
    "the best one, and of no other.",
)
