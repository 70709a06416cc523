"""What reaches layer 50: the networks, the recorder at a tiny size, what the record has to show."""

import json
import math
import statistics

import pytest
import torch
import torch.nn.functional as F

from benchmarks import record_07_layer_50 as recorder
from convbook.course import runs
from convbook.course.experiments.layer_50 import (
    INITIALISATIONS,
    NETWORKS,
    WITH_SKIPS,
    Pair,
    initialisations_for,
    initialise,
    learn_by_heart,
    reach,
    stack,
)
from convbook.course.explorers import layer_50 as explorer
from tests.helpers.javascript import module

# ------------------------------------------------------------------ the networks


def computed(formula, pair, x):
    """What a formula of convolutions, batch norms and ReLUs gives with a pair's weights."""
    convolutions = iter((pair.conv1, pair.conv2))  # the innermost is called first

    def conv(y):
        return F.conv2d(F.pad(y, (1, 1, 1, 1), mode="circular"), next(convolutions).weight)

    def bn(y):
        return F.batch_norm(y, None, None, training=True)

    return eval(formula, {"x": x, "conv": conv, "bn": bn, "relu": F.relu})


@pytest.mark.parametrize("network", NETWORKS)
def test_a_pair_computes_what_its_formulas_say(network):
    torch.manual_seed(0)
    pair, x = Pair(network, 4).double(), torch.randn(3, 4, 5, 6).double()
    row = next(line for line in Pair.__doc__.splitlines() if line.split()[:1] == [network])
    formula = module("parts/layer_50_data.js").FORMULAS()[network]
    assert formula == row.split("`")[1]
    torch.testing.assert_close(pair(x), computed(formula, pair, x))


VARIANCES = {"default": 1 / 3, "glorot": 1, "he": 2, "large": 8, "zero": 2}  # times fan-in


@pytest.mark.parametrize("initialisation", INITIALISATIONS)
def test_weights_have_the_variance_that_their_name_says(initialisation):
    torch.manual_seed(0)
    pair = Pair("residual", 32)
    initialise(pair, initialisation)
    for conv in (pair.conv1, pair.conv2):
        gain = conv.weight.var().item() * 32 * 9
        assert gain == pytest.approx(VARIANCES[initialisation], rel=0.06)


@pytest.mark.parametrize("network", WITH_SKIPS)
def test_zero_gamma_starts_as_the_identity_and_can_learn(network):
    torch.manual_seed(0)
    pair, x = Pair(network, 4), torch.rand(3, 4, 8, 8)
    initialise(pair, "zero")
    assert pair(x).equal(x)
    pair(x).square().sum().backward()
    zeroed = pair.norm2.weight if network == "residual" else pair.conv2.weight
    assert zeroed.grad.abs().min() > 0


def test_what_there_is_not_is_named():
    with pytest.raises(ValueError, match="network='vgg'; use 'plain' or 'batch_norm'"):
        Pair("vgg", 4)
    with pytest.raises(ValueError, match="initialisation='zero'; use 'default' or"):
        initialise(Pair("plain", 4), "zero")
    with pytest.raises(ValueError, match="depth=5 is odd"):
        stack("plain", "he", 5)


PICTURES = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(1)).double()


def test_the_gradient_is_that_of_a_random_projection():
    torch.manual_seed(0)
    start, pairs, end = stack("residual", "he", 6)
    _, gradient = reach((start.double(), pairs.double(), end), PICTURES, seed=5)
    x = start(PICTURES).detach().requires_grad_()
    out = pairs(x)
    generator = torch.Generator().manual_seed(5)
    sent = torch.randn(out.shape, generator=generator, dtype=torch.float64)
    (out * sent).sum().backward()
    assert gradient[0] == pytest.approx((x.grad.norm() / sent.norm()).item())
    assert gradient[-1] == 1


@pytest.mark.parametrize(("initialisation", "gain"), [("he", 2), ("glorot", 1), ("default", 1 / 3)])
def test_the_mean_square_over_draws_is_what_theory_says(initialisation, gain):
    squares = []
    for seed in range(200):
        torch.manual_seed(seed)
        signal, gradient = reach(stack("plain", initialisation, 2).double(), PICTURES)
        squares.append([signal[-1] ** 2, gradient[0] ** 2])
    for mean in map(statistics.mean, zip(*squares, strict=True)):
        assert mean == pytest.approx((gain / 2) ** 2, rel=0.15)


def test_a_network_that_is_lost_stays_lost():
    torch.manual_seed(0)
    pictures, labels = PICTURES.float(), torch.arange(6)
    losses = learn_by_heart(stack("plain", "large", 30), pictures, labels, 1e6, steps=4)
    assert len(losses) == 5
    assert losses[0] is not None
    assert losses[-1] is None


# ------------------------------------------------------------------ the recorder


@pytest.fixture
def in_a_commit(monkeypatch):
    for name in ("convbook.train.provenance", "benchmarks.record_07_layer_50"):
        monkeypatch.setattr(f"{name}.check_committed", lambda: None)


def test_it_records_resumes_and_repeats(tmp_path, in_a_commit):
    tiny = {"networks": ("batch_norm",), "depths": (2, 4), "seeds": (0, 3), "steps": 2}
    recorder.main(tmp_path, **tiny)
    first = json.loads((tmp_path / "07_layer_50.json").read_text("utf8"))
    assert (first["seeds"], first["depths"]) == ([0, 3], [2, 4])
    assert [one["initialisation"] for one in first["runs"]] == [*initialisations_for("batch_norm")]
    one = first["runs"][0]
    assert [len(line.split()) for line in one["signal"]] == [3, 3]
    assert {d: len(one["gradient"][d][1].split()) for d in ("2", "4")} == {"2": 2, "4": 3}
    # One network is there already, one is done again: to the same numbers.
    (kept,) = tmp_path.glob("layer_50_*")
    (kept / "batch_norm_he.json").unlink()
    file = kept / "batch_norm_glorot.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf8")) | {"signal": ["1 2"]}), "utf8")
    recorder.main(tmp_path, **tiny)
    again = json.loads((tmp_path / "07_layer_50.json").read_text("utf8"))
    assert again["runs"][2] == first["runs"][2]
    assert again["runs"][1]["signal"] == ["1 2"]


def test_numbers_are_written_with_three_digits_and_a_dash_for_none():
    assert recorder.text_of([1, 0.123456, 1.5e-20, None]) == "1 0.123 1.5e-20 -"
    assert explorer.numbers_of("1 0.123 1.5e-20 -") == [1, 0.123, 1.5e-20, math.inf]


def test_the_batch_has_as_many_pictures_of_each_class():
    pictures, labels = recorder.draw_batch(2)
    assert pictures.shape == (20, 3, recorder.SIDE, recorder.SIDE)
    assert labels.bincount().tolist() == [2] * 10
    assert -1 <= pictures.min() < pictures.max() <= 1


# ------------------------------------------------------------------ the record

RUN = runs.load("07_layer_50")
FOUND = explorer.recorded()
SEEDS = len(RUN["seeds"])


def test_the_record_is_that_of_the_recorder():
    assert tuple(RUN["seeds"]) == recorder.SEEDS
    assert tuple(RUN["depths"]) == recorder.DEPTHS == explorer.DEPTHS
    assert (RUN["rate"], RUN["every"]) == (recorder.RATE, recorder.EVERY)
    assert [*explorer.NETWORKS] == [*NETWORKS]
    assert [*explorer.INITIALISATIONS] == [*INITIALISATIONS]
    names = [f"{n}.{i}" for n in NETWORKS for i in initialisations_for(n)]
    assert [*FOUND] == [*explorer.PAIRS] == names
    for one in FOUND.values():
        assert [len(curve) for curve in one["signal"]] == [26] * SEEDS
        for depth in recorder.DEPTHS:
            assert [len(curve) for curve in one["gradient"][depth]] == [depth // 2 + 1] * SEEDS
            points = recorder.STEPS // recorder.EVERY + 1
            assert [len(curve) for curve in one["loss"][depth]] == [points] * SEEDS


@pytest.mark.parametrize("name", FOUND)
def test_shares_begin_with_what_is_sent_in(name):
    assert {curve[0] for curve in FOUND[name]["signal"]} == {1}
    for curves in FOUND[name]["gradient"].values():
        assert {curve[-1] for curve in curves} == {1}


def test_the_record_can_be_measured_again():
    """One network of six layers, from the seeds of the record."""
    batch, name = recorder.draw_batch(), "pre_activation.he"
    again = recorder.measure(*name.split("."), batch, depths=(6,), steps=0)
    for key in ("gradient", "loss"):
        for line, curve in zip(again[key][6], FOUND[name][key][6], strict=True):
            numbers = explorer.numbers_of(line)
            assert numbers == pytest.approx(curve[: len(numbers)], rel=0.02)
