"""The appendix, Reading a training run: its quiz answers, and what it says of recorded runs."""

from itertools import combinations
from math import comb
from statistics import fmean

import pytest
import torch
from torch import nn

from convbook.course import photographs, runs
from convbook.train.whiten import whitening_filters


def accuracies(record):
    return [100 * run["test"]["accuracy"] for run in record["runs"]]


@pytest.fixture(scope="module")
def trials():
    return trials_by_name()


def trials_by_name():
    return {trial["name"]: trial for trial in runs.load("13_ablations")["trials"]}


def opening_question():
    """Does one seed move the accuracy further than the missing mirroring does?"""
    trials = trials_by_name()
    whole, other = accuracies(trials["all tricks"]), accuracies(trials["no mirroring"])
    assert [run["seed"] for run in trials["all tricks"]["runs"]] == [0, 1, 2]
    seed_alone, mirroring = abs(whole[1] - whole[0]), abs(other[0] - whole[0])
    assert mirroring < seed_alone
    signs = {change > 0 for change in (b - a for a, b in zip(whole, other, strict=True))}
    assert signs == {True, False}  # with one seed better, with another worse
    return "not which is which: a seed alone can move an accuracy as far as that"


def by_luck():
    """Of all ways to deal six ranked runs to two groups, in how many do they not overlap?"""
    dealt = list(combinations(range(6), 3))
    apart = [
        one
        for one in dealt
        if max(one) < min(set(range(6)) - {*one}) or min(one) > max(set(range(6)) - {*one})
    ]
    assert len(dealt) == comb(6, 3)
    return {1.0: "about one", 5.0: "about five"}[10 * len(apart) / len(dealt)]


QUIZ_ANSWERS = {"opening-question": opening_question, "by-luck": by_luck}


def test_trials_change_what_the_page_says(trials):
    changed = {name: trial["changed"] for name, trial in trials.items()}
    assert changed["all tricks"] == {}
    assert changed["no mirroring"] == {"flip": False}
    assert changed["no momentum"] == {"momentum": 0.0}
    assert changed["no warm-up"] == {"warmup": 0.0}
    assert {len(trial["runs"]) for trial in trials.values()} == {3}
    assert len(trials) == 11


def test_only_two_trials_stand_apart(trials):
    whole = accuracies(trials["all tricks"])
    apart = {name for name, trial in trials.items() if max(accuracies(trial)) < min(whole)}
    assert apart == {"no momentum", "no warm-up"}


def test_momentum_makes_steady_steps_ten_times_as_long():
    moved = {}
    for momentum in (0.0, 0.9):
        weight = nn.Parameter(torch.zeros((), dtype=torch.double))
        sgd = torch.optim.SGD([weight], 1.0, momentum, nesterov=momentum > 0)
        for _ in range(300):
            before = weight.item()
            weight.grad = torch.ones_like(weight)
            sgd.step()
        moved[momentum] = before - weight.item()
    assert moved[0.9] / moved[0.0] == pytest.approx(10)


def test_the_curve_jumps_where_the_pictures_grow():
    record = runs.load("13_s7")
    rows = zip(*(run["epochs"] for run in record["runs"]), strict=True)
    curve = [100 * fmean(run["validation_accuracy"] for run in epoch) for epoch in rows]
    jumps = [epoch for epoch in range(6, 41) if curve[epoch - 1] - curve[epoch - 2] > 4]
    half, most = record["config"]["small_epochs"] // 2, record["config"]["small_epochs"]
    assert {half + 1, most + 1} <= {*jumps}
    assert {*jumps} <= {half + 1, half + 2, most + 1}


def test_the_goal_was_missed():
    assert max(accuracies(runs.load("13_s7"))) < 91
    assert max(accuracies(runs.load("14_gpu")["s7"])) < 91


def test_whitening_leaves_patches_of_all_photographs_uncorrelated():
    names = ("astronaut", "chelsea", "coffee", "flower", "rocket")
    photos = torch.cat([getattr(photographs, name)(64) for name in names])
    filters = whitening_filters((255 * photos).byte(), (2, 2)).float()
    whitened = nn.functional.conv2d(photos, filters).transpose(0, 1).flatten(1)
    left = whitened.corrcoef().abs() - torch.eye(12)
    assert left.max() < 0.05
