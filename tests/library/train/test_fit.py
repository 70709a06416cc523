"""Training: what a step does, and that a run which was cut short ends where it would have."""

import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from convbook.data import Dataset, Split
from convbook.loading import load_weights
from convbook.train import TrainConfig, checkpoint, evaluate, fit, fitting, predict
from convbook.train.augment import (
    AugmentParams,
    augment,
    progressive_side,
    resize,
    sample_augment,
    to_float,
)
from convbook.train.distributed import World, number_format
from convbook.train.fitting import epoch_batches
from convbook.train.optimisation import (
    FIRST_SCALE,
    check_graph,
    make_ema,
    make_optimizer,
    make_schedule,
    make_step,
)
from tests.helpers.refusals import whole
from tests.helpers.sampling import SCALE, examples
from tests.helpers.toy_data import CONFIG, bands, network

pytestmark = pytest.mark.usefixtures("one_thread")
HELPERS = Path(__file__).parents[2] / "helpers"


def weights_of(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(one, other):
    """Return whether two state dicts hold the same bits."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def straight():
    """The weights and the run of four epochs in one go."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model = network()
    run = fit(model, bands(), CONFIG, progress=False)
    torch.set_num_threads(threads)
    return weights_of(model), run


# ------------------------------------------------------------------ changed pictures

sizes = st.integers(2, 9)


@examples(200)
@given(sizes, sizes, st.data())
def test_a_moved_picture_is_a_slice_of_the_reflected_one(height, width, data):
    down = data.draw(st.integers(1 - height, height - 1))
    right = data.draw(st.integers(1 - width, width - 1))
    mirrored = data.draw(st.booleans())
    images = torch.randint(0, 256, (1, 2, height, width), dtype=torch.uint8)
    moves = AugmentParams(*(torch.tensor([value]) for value in (down, right, mirrored, 0, 0)))
    padded = F.pad(images.double(), (width - 1, width - 1, height - 1, height - 1), mode="reflect")
    top, left = height - 1 - down, width - 1 - right
    expected = padded[..., top : top + height, left : left + width]
    expected = expected.flip(-1) if mirrored else expected
    assert torch.equal(augment(images, moves), to_float(expected.to(torch.uint8)))


@examples(100)
@given(st.integers(1, 5), st.integers(0, 7), st.integers(0, 8))
def test_a_hole_blanks_one_square(cutout, row, column):
    images = torch.full((1, 3, 8, 9), 255, dtype=torch.uint8)
    still = AugmentParams(*(torch.tensor([value]) for value in (0, 0, False, row, column)))
    x = augment(images, still, cutout)
    expected = torch.ones(8, 9)
    top, left = row - cutout // 2, column - cutout // 2
    expected[max(top, 0) : max(top + cutout, 0), max(left, 0) : max(left + cutout, 0)] = 0
    assert torch.equal(x, expected.expand(1, 3, 8, 9))


def test_each_picture_moves_in_its_own_way_within_the_limits():
    generator = torch.Generator().manual_seed(0)
    moves = sample_augment(2000, (16, 20), TrainConfig(shift=2), generator)
    assert set(moves.down.tolist()) == set(moves.right.tolist()) == {-2, -1, 0, 1, 2}
    assert 0.45 < moves.mirrored.double().mean() < 0.55
    assert set(moves.hole_row.tolist()) == set(range(16))
    assert set(moves.hole_column.tolist()) == set(range(20))
    still = sample_augment(50, (16, 20), TrainConfig(shift=0, flip=False), generator)
    assert not still.down.any()
    assert not still.mirrored.any()


def test_bytes_become_floats_from_minus_one_to_one():
    assert to_float(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1.0, 1.0]


# ------------------------------------------------------------------ batches and steps


@examples(50)
@given(st.integers(2, 40), st.integers(2, 40), st.integers(1, 40))
def test_small_pictures_are_those_of_another_library(height, width, size):
    x = torch.rand(1, 2, height, width) * 2 - 1
    expected = [
        np.asarray(Image.fromarray(channel.numpy()).resize((size, size), Image.BILINEAR))
        for channel in x[0]
    ]
    torch.testing.assert_close(resize(x, size)[0], torch.tensor(np.stack(expected)))


def test_only_the_first_epochs_have_small_pictures():
    config = replace(CONFIG, progressive_epochs=2, progressive_size=12)  # 12 + 8 is more than 16
    sizes = [next(epoch_batches(bands().train, config, epoch))[0].shape[2:] for epoch in range(4)]
    assert sizes == [(12, 12), (12, 12), (16, 16), (16, 16)]


@examples(200)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_small_pictures_grow_in_equal_shares(progressive_epochs, small, side):
    config = replace(CONFIG, progressive_epochs=progressive_epochs, progressive_size=small)
    sizes = [progressive_side(epoch, side, config) for epoch in range(progressive_epochs)]
    stages = list(range(small, side, 8))
    if not stages:
        assert sizes == [None] * progressive_epochs
    else:
        assert sizes == sorted(sizes)
        counts = [sizes.count(stage) for stage in stages]
        assert sum(counts) == progressive_epochs
        assert max(counts) - min(counts) <= 1
    assert progressive_side(progressive_epochs, side, config) is None


def test_an_epoch_shows_each_picture_once_and_the_next_in_another_order():
    split = Split(torch.arange(96, dtype=torch.uint8).reshape(96, 1, 1, 1), torch.arange(96))
    config = TrainConfig(batch_size=32, shift=0, flip=False)
    orders = []
    for epoch in (0, 0, 1):
        shown = torch.cat([labels for _, labels in epoch_batches(split, config, epoch)])
        assert sorted(shown.tolist()) == list(range(96))
        orders.append(shown.tolist())
    assert orders[0] == orders[1] != orders[2]


def test_pictures_stay_with_their_labels():
    split = Split(torch.arange(96, dtype=torch.uint8).reshape(96, 1, 1, 1), torch.arange(96))
    for x, labels in epoch_batches(split, TrainConfig(batch_size=40, shift=0), 0):
        assert torch.equal(x.flatten(), to_float(labels.to(torch.uint8)))
        assert len(x) == 40


@pytest.mark.parametrize("count", [2, 4])
def test_processes_share_the_batches_of_one(count):
    data, config = bands(), replace(CONFIG, batch_size=16)
    whole = list(epoch_batches(data.train, config, 1))
    shares = [list(epoch_batches(data.train, config, 1, World(r, count))) for r in range(count)]
    for batch, parts in zip(whole, zip(*shares, strict=True), strict=True):
        for rank, (x, labels) in enumerate(parts):
            assert torch.equal(x, batch[0][rank::count])
            assert torch.equal(labels, batch[1][rank::count])


def test_weights_decay_and_biases_do_not():
    model = network()
    for group in make_optimizer(model, CONFIG).param_groups:
        ranks = {parameter.ndim > 1 for parameter in group["params"]}
        assert ranks == {group["weight_decay"] > 0}


def test_the_learning_rate_rises_falls_and_ends_near_zero():
    config = TrainConfig(epochs=10, max_lr=0.4, warmup=0.25)
    optimizer = make_optimizer(network(), config)
    schedule = make_schedule(optimizer, config, steps=20)
    rates = []
    for _ in range(200):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    peak = rates.index(max(rates))
    assert abs(peak - 50) <= 1
    assert max(rates) == pytest.approx(0.4, rel=0.03)
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert 0 < rates[-1] < 0.01


@examples(100)
@given(st.integers(1, 12), st.integers(1, 12))
def test_a_rise_of_no_steps_begins_at_the_top(epochs, steps):
    config = TrainConfig(epochs=epochs, warmup=1 / (epochs * steps + 1))
    optimizer = make_optimizer(network(), config)
    schedule = make_schedule(optimizer, config, steps)
    rates = [schedule.get_last_lr()[0]]
    for _ in range(epochs * steps):
        optimizer.step()
        schedule.step()
        rates += schedule.get_last_lr()
    assert rates[0] == pytest.approx(config.max_lr)
    assert rates == sorted(rates, reverse=True)


def test_the_average_follows_at_its_decay():
    model = nn.Linear(1, 1, bias=False)
    average = make_ema(model, TrainConfig(ema_decay=0.75, ema_warmup=False))
    expected = None
    for value in (1.0, 5.0, -3.0):
        nn.init.constant_(model.weight, value)
        average.update(model)
        expected = value if expected is None else 0.75 * expected + 0.25 * value
    assert average.module.weight.item() == pytest.approx(expected)
    assert make_ema(model, TrainConfig(ema_decay=0)) is None


def test_the_fixed_average_is_that_of_pytorch():
    model = network()
    ours = make_ema(model, TrainConfig(ema_decay=0.9, ema_warmup=False))
    theirs = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
    for _ in range(5):
        model(torch.randn(8, 3, 16, 16))
        nn.init.normal_(model[0].weight)
        ours.update(model)
        theirs.update_parameters(model)
    floats = {k: v for k, v in ours.module.state_dict().items() if v.is_floating_point()}
    assert same(floats, {k: v for k, v in theirs.module.state_dict().items() if k in floats})
    assert ours.network(model)[3].num_batches_tracked == model[3].num_batches_tracked == 5


def test_an_average_that_warms_up_forgets_its_start_in_time():
    model = nn.Linear(1, 1, bias=False)
    average = make_ema(model, TrainConfig(ema_decay=0.99))
    values, expected = torch.randn(40), 0.0
    for n, value in enumerate(values.tolist()):
        nn.init.constant_(model.weight, value)
        average.update(model)
        decay = min(0.99, (1 + n) / (10 + n)) if n else 0
        expected = decay * expected + (1 - decay) * value
    assert average.module.weight.item() == pytest.approx(expected, abs=1e-6)


def test_one_epoch_gives_a_network_that_works():
    config = replace(CONFIG, epochs=1, ema_decay=0.99)
    warm = fit(network(), bands(), replace(config, ema_warmup=True), progress=False)
    fixed = fit(network(), bands(), replace(config, ema_warmup=False), progress=False)
    assert warm.test["accuracy"] > 0.5 > fixed.test["accuracy"]


def test_it_learns(straight):
    _, run = straight
    assert run.test["accuracy"] > 0.9
    assert run.epochs[-1]["loss"] < run.epochs[0]["loss"]


def test_afterwards_the_model_holds_the_averaged_weights(straight):
    weights, run = straight
    model = network().to(memory_format=torch.channels_last)  # as it was: digits hang on the layout
    model.load_state_dict(weights)
    assert evaluate(model, bands().test)["loss"] == run.test["loss"]


@pytest.mark.parametrize("change", [{"ema_decay": 0}, {"channels_last": False}, {"momentum": 0}])
def test_each_part_can_be_left_out(change):
    run = fit(network(), bands(), replace(CONFIG, epochs=1, **change), progress=False)
    assert len(run.epochs) == 1


def test_bfloat16_changes_digits_and_not_what_is_learnt(straight):
    run = fit(network(), bands(), replace(CONFIG, precision="bfloat16"), progress=False)
    assert run.test["accuracy"] > 0.9
    assert run.epochs[0]["loss"] != straight[1].epochs[0]["loss"]


def test_each_row_says_what_its_epoch_came_to():
    model, data, rows = network(), bands(), []

    def look(row):
        found = evaluate(model, data.validation)
        assert (row["validation_accuracy"], row["validation_loss"]) == (
            found["accuracy"],
            found["loss"],
        )
        rows.append(row)

    config = replace(CONFIG, epochs=2, ema_decay=0)
    run = fit(model, data, config, progress=False, each_epoch=look)
    assert rows == run.epochs
    assert [row["epoch"] for row in rows] == [1, 2]
    assert all(row["seconds"] > 0 for row in rows)
    assert run.seconds == sum(row["seconds"] for row in rows)
    assert rows[-1]["lr"] == pytest.approx(CONFIG.max_lr / 10_000)
    assert set(run.test) == {"accuracy", "loss", "images", "mirrored_accuracy"}
    untested = fit(network(), data, config, progress=False, test=False)
    assert untested.test == {}


def test_a_run_stops_where_it_is_told_to():
    for until, epochs in ((1, 1), (2, 2), (9, 2), (None, 2)):
        run = fit(network(), bands(), replace(CONFIG, epochs=2), until=until, progress=False)
        assert len(run.epochs) == epochs
        assert bool(run.test) is (epochs == 2)


def test_without_validation_the_rows_have_none():
    data = bands()
    empty = Split(data.validation.images[:0], data.validation.labels[:0])
    data = Dataset(data.name, data.classes, data.train, empty, data.test)
    run = fit(network(), data, replace(CONFIG, epochs=1), progress=False)
    assert set(run.epochs[0]) == {"epoch", "loss", "lr", "seconds"}


# ------------------------------------------------------------------ evaluation


class Bright(nn.Module):
    """Says class 1 for a picture whose left half is bright, and how surely."""

    def forward(self, x):
        left = x[..., : x.shape[-1] // 2].mean((1, 2, 3))
        return torch.stack([torch.zeros_like(left), left], 1)


def test_accuracy_and_loss_are_those_of_the_definition():
    images = torch.zeros(5, 1, 2, 2, dtype=torch.uint8)
    images[:2, ..., 0] = 255
    split = Split(images, torch.tensor([1, 1, 0, 0, 1]))
    found = evaluate(Bright(), split)
    assert found["accuracy"] == pytest.approx(4 / 5)
    right, wrong = torch.tensor([0.0, 1.0]).log_softmax(0).neg().flip(0)
    assert found["loss"] == pytest.approx(((4 * right + wrong) / 5).item(), abs=1e-6)
    assert found["images"] == 5


def test_the_mirror_image_has_the_same_say():
    images = torch.zeros(1, 1, 2, 2, dtype=torch.uint8)
    images[..., 0] = 255
    split = Split(images, torch.tensor([1]))
    mirrored = Split(images.flip(-1), split.labels)
    one, other = (predict(Bright(), s, tta_flip=True) for s in (split, mirrored))
    assert torch.allclose(one, other)
    assert torch.allclose(one.exp().sum(1), torch.ones(1))
    assert not torch.allclose(predict(Bright(), split), predict(Bright(), mirrored))


def test_evaluation_leaves_the_mode_as_it_was():
    model = network().train()
    evaluate(model, bands().test)
    assert model.training


def test_an_empty_split_is_refused():
    empty = Split(torch.zeros(0, 3, 8, 8, dtype=torch.uint8), torch.zeros(0).long())
    with pytest.raises(
        ValueError, match=whole("split is empty; use one with pictures (validation=0 leaves none)")
    ):
        evaluate(network(), empty)


# ------------------------------------------------------------------ going on


@pytest.mark.parametrize("until", [1, 2, 3])
def test_two_parts_give_the_bits_of_one(straight, tmp_path, until):
    fit(network(), bands(), CONFIG, tmp_path, until=until, progress=False)
    torch.rand(7)  # what else draws random numbers must not matter
    model = network()
    run = fit(model, bands(), CONFIG, tmp_path, resume=True, progress=False)
    assert same(weights_of(model), straight[0])
    assert [row["loss"] for row in run.epochs] == [row["loss"] for row in straight[1].epochs]
    assert run.test == straight[1].test


def process(folder, **environment):
    """Train in a process of its own; return its exit status."""
    command = [sys.executable, HELPERS / "toy_data.py", folder]
    return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode


DEATHS = [f"{kind} {epoch}" for kind in ("epoch", "write", "rename") for epoch in (1, 3)]


@pytest.mark.parametrize("where", DEATHS)
def test_a_killed_run_goes_on_to_the_same_bits(straight, tmp_path, where):
    assert process(tmp_path, DIE=where) == 9
    epoch = checkpoint.load_checkpoint(tmp_path)["epoch"]
    assert epoch == int(where.split()[1]) - 1
    fit(network(), bands(), CONFIG, tmp_path, resume=True, progress=False)
    assert same(load_file(tmp_path / checkpoint.WEIGHTS), straight[0])
    assert not list(tmp_path.glob("*.part"))


def test_runs_killed_at_random_moments_go_on(straight, tmp_path):
    """A real SIGKILL, again and again; in the thorough profile twenty times as often."""
    delays = random.Random(0)
    for kill in range(max(1, int(SCALE))):
        folder = tmp_path / str(kill)
        command = [sys.executable, HELPERS / "toy_data.py", folder]
        for _ in range(2):
            running = subprocess.Popen(command)
            give_up = time.monotonic() + 60
            while not (folder / checkpoint.CHECKPOINT).exists() and time.monotonic() < give_up:
                time.sleep(0.01)
            time.sleep(delays.uniform(0, 0.6))
            running.send_signal(signal.SIGKILL)
            running.wait()
        fit(network(), bands(), CONFIG, folder, resume=True, progress=False)
        assert same(load_file(folder / checkpoint.WEIGHTS), straight[0])


def test_ctrl_c_keeps_the_run_and_says_how_to_go_on(straight, tmp_path, monkeypatch, capsys):
    train_epoch, epochs = fitting.train_epoch, iter(range(9))

    def interrupted(*arguments):
        if next(epochs) == 2:
            raise KeyboardInterrupt
        return train_epoch(*arguments)

    monkeypatch.setattr(fitting, "train_epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit(network(), bands(), CONFIG, tmp_path, progress=False)
    monkeypatch.undo()
    said = capsys.readouterr().out
    assert f"stopped in epoch 3; {tmp_path} holds the run after epoch 2; go on with resume" in said
    model = network()
    fit(model, bands(), CONFIG, tmp_path, resume=True, progress=False)
    assert same(weights_of(model), straight[0])


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    fit(network(), bands(), CONFIG, tmp_path, until=1, progress=False)
    save = torch.save

    def full(state, path):
        save(state, path)
        raise RuntimeError("PytorchStreamWriter failed writing file: no space left on device")

    monkeypatch.setattr(torch, "save", full)
    told = f"cannot write {tmp_path / 'checkpoint.pt'}: PytorchStreamWriter failed writing file: "
    told += "no space left on device; the file that was there is unchanged"
    with pytest.raises(OSError, match=whole(told)):
        fit(network(), bands(), CONFIG, tmp_path, resume=True, progress=False)
    assert checkpoint.load_checkpoint(tmp_path)["epoch"] == 1
    assert not list(tmp_path.glob("*.part"))


def test_two_processes_give_the_result_of_one(tmp_path):
    """Up to rounding, without batch norm; with it, each process has statistics of its own."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2"]
    command += ["--standalone", HELPERS / "ddp_worker.py", tmp_path]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    model = network(norm=False)
    run = fit(model, bands(), CONFIG, progress=False)
    together = load_file(tmp_path / checkpoint.WEIGHTS)
    for name, value in model.state_dict().items():
        assert torch.allclose(value, together[name], atol=1e-5), name
    record = json.loads((tmp_path / checkpoint.RUN).read_text())
    assert record["processes"] == 2
    for one, other in zip(run.epochs, record["epochs"], strict=True):
        assert one["loss"] == pytest.approx(other["loss"], abs=1e-5)


def test_only_the_first_process_writes_and_clears_up(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(World, "barrier", lambda self: None)
    (tmp_path / "weights.part").touch()
    for rank, first in ((1, False), (0, True)):
        training = fitting._Training(network(), bands(), CONFIG, tmp_path, False)
        training.world = World(rank, 2)
        training.start(resume=False)
        assert (tmp_path / "weights.part").exists() is not first
        assert (tmp_path / checkpoint.CHECKPOINT).exists() is first
        training.say_how_to_resume()
        told = f"\nstopped in epoch 1; {tmp_path} holds the run after epoch 0; go on with resume\n"
        assert capsys.readouterr().out == (told if first else "")


def test_a_run_without_folder_says_that_nothing_was_saved(capsys):
    fitting._Training(network(), bands(), CONFIG, None, False).say_how_to_resume()
    told = "\nstopped in epoch 1; nothing was saved: use folder=\n"
    assert capsys.readouterr().out == told


@pytest.mark.parametrize(("progress", "hidden"), [(None, None), (True, False), (False, True)])
def test_each_epoch_has_a_bar_that_goes_away(monkeypatch, progress, hidden):
    bars = []

    def tqdm(batches, *shown, **options):
        bars.append((shown, options))
        return batches

    monkeypatch.setattr(fitting, "tqdm", tqdm)
    fit(network(), bands(), replace(CONFIG, epochs=2), progress=progress)
    options = {"leave": False, "disable": hidden}
    assert bars == [((f"epoch {number} of 2", 8), options) for number in (1, 2)]


# ------------------------------------------------------------------ what a run leaves


def test_what_a_run_leaves(tmp_path):
    model = network()
    run = fit(model, bands(), replace(CONFIG, epochs=2), tmp_path, progress=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [checkpoint.CHECKPOINT, checkpoint.METRICS, checkpoint.RUN, checkpoint.WEIGHTS]
    )
    rows = [json.loads(line) for line in (tmp_path / checkpoint.METRICS).read_text().splitlines()]
    assert rows == run.epochs
    record = json.loads((tmp_path / checkpoint.RUN).read_text())
    assert record["config"] == replace(CONFIG, epochs=2).to_dict()
    assert record["test"] == run.test
    assert record["data"] == "bands"
    assert record["params"] == sum(parameter.numel() for parameter in model.parameters())
    assert {"seed", "commit", "machine", "versions"} <= record.keys()
    other = network()
    nn.init.zeros_(other[0].weight)
    load_weights(other, tmp_path / checkpoint.WEIGHTS)
    assert same(weights_of(other), weights_of(model))


def test_weights_are_written_at_the_end_only(tmp_path):
    def found():
        return {path.name for path in tmp_path.iterdir()}

    seen = []
    config = replace(CONFIG, epochs=2)
    fit(
        network(),
        bands(),
        config,
        tmp_path,
        progress=False,
        each_epoch=lambda _: seen.append(found()),
    )
    before = {checkpoint.CHECKPOINT, checkpoint.METRICS, checkpoint.RUN}
    assert seen == [before, before]
    assert found() == {*before, checkpoint.WEIGHTS}


def test_a_run_that_goes_on_must_be_the_same_run(tmp_path):
    fit(network(), bands(), CONFIG, tmp_path, until=1, progress=False)
    told = f"folder={str(tmp_path)!r} holds a run; use resume=True or another folder"
    with pytest.raises(ValueError, match=whole(told)):
        fit(network(), bands(), CONFIG, tmp_path, progress=False)
    there = f"but the run in {tmp_path} has"
    told = f"resume: max_lr=0.5, {there} max_lr=0.1; use that, or another folder"
    with pytest.raises(ValueError, match=whole(told)):
        fit(network(), bands(), replace(CONFIG, max_lr=0.5), tmp_path, resume=True, progress=False)
    told = f"resume: {tmp_path} holds another network: Error(s) in loading state_dict for …"
    with pytest.raises(ValueError, match=whole(told)):
        fit(network(norm=False), bands(), CONFIG, tmp_path, resume=True, progress=False)
    data = bands()
    fewer = Dataset("bands", data.classes, data.test, data.validation, data.test)
    told = f"resume: sizes=[64, 64, 64], {there} sizes=[256, 64, 64]; use that, or another folder"
    with pytest.raises(ValueError, match=whole(told)):
        fit(network(), fewer, CONFIG, tmp_path, resume=True, progress=False)


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"hello"])
def test_a_damaged_checkpoint_is_named(tmp_path, damage):
    fit(network(), bands(), replace(CONFIG, epochs=1), tmp_path, progress=False)
    path = tmp_path / checkpoint.CHECKPOINT
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(
        ValueError, match=whole(f"{path} is damaged (…); remove it and start again")
    ):
        fit(network(), bands(), replace(CONFIG, epochs=1), tmp_path, resume=True, progress=False)


def test_without_a_checkpoint_there_is_nothing_to_go_on_with(tmp_path):
    told = f"{tmp_path} holds no checkpoint.pt; start without resume"
    with pytest.raises(ValueError, match=whole(told)):
        fit(network(), bands(), CONFIG, tmp_path, resume=True, progress=False)
    told = "resume=True needs folder=; say where the run was saved"
    with pytest.raises(ValueError, match=whole(told)):
        fit(network(), bands(), CONFIG, resume=True, progress=False)


# ------------------------------------------------------------------ refusals


def test_a_loss_that_is_not_a_number_stops_the_run(tmp_path):
    config = replace(CONFIG, max_lr=1e12)
    told = "the loss is nan in epoch 1; use max_lr below 1000000000000.0"
    saved = f"; {tmp_path} holds the run after epoch 0"
    with pytest.raises(ValueError, match=whole(told + saved)):
        fit(network(norm=False), bands(), config, tmp_path, progress=False)
    with pytest.raises(ValueError, match=whole(told)):
        fit(network(norm=False), bands(), config, progress=False)
    assert checkpoint.load_checkpoint(tmp_path)["config"]["max_lr"] == 1e12


SHARE = "is out of range; use a number at least 0 and below 1"
SWITCH = "is not a bool; use True or False"


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"epochs": 0}, ValueError, "is too small; use an int of at least 1"),
        ({"batch_size": 0}, ValueError, "is too small; use an int of at least 1"),
        ({"batch_size": 2.0}, TypeError, "is not an integer; use an int of at least 1"),
        ({"max_lr": 0}, ValueError, "is out of range; use a number above 0 and below inf"),
        ({"max_lr": math.inf}, ValueError, "is out of range; use a number above 0 and below inf"),
        ({"max_lr": "high"}, TypeError, "is not a number; use a float"),
        ({"max_lr": True}, TypeError, "is not a number; use a float"),
        ({"momentum": 1}, ValueError, SHARE),
        (
            {"weight_decay": -1},
            ValueError,
            "is out of range; use a number at least 0 and below inf",
        ),
        ({"warmup": 1}, ValueError, SHARE),
        ({"label_smoothing": -0.1}, ValueError, SHARE),
        ({"ema_decay": 1}, ValueError, SHARE),
        ({"flip": 1}, TypeError, SWITCH),
        ({"shift": -1}, ValueError, "is too small; use an int of at least 0"),
        ({"cutout": -1}, ValueError, "is too small; use an int of at least 0"),
        ({"progressive_epochs": -1}, ValueError, "is too small; use an int of at least 0"),
        ({"progressive_size": 0}, ValueError, "is too small; use an int of at least 1"),
        (
            {"precision": "half"},
            ValueError,
            "is unknown; use one of ('auto', 'float32', 'bfloat16', 'float16')",
        ),
        ({"ema_warmup": 1}, TypeError, SWITCH),
        ({"cuda_graph": 1}, TypeError, SWITCH),
        ({"compile": "yes"}, TypeError, SWITCH),
        ({"seed": -1}, ValueError, "is too small; use an int of at least 0"),
    ],
)
def test_settings_are_checked(settings, error, message):
    ((name, value),) = settings.items()
    with pytest.raises(error) as caught:
        TrainConfig(**settings)
    assert str(caught.value) == f"{name}={value!r} {message}"


def test_the_least_that_is_allowed_is_taken():
    shares = dict.fromkeys(("momentum", "weight_decay", "warmup", "label_smoothing"), 0)
    counts = {
        "epochs": 1,
        "batch_size": 1,
        "shift": 0,
        "cutout": 0,
        "progressive_size": 1,
        "seed": 0,
    }
    config = TrainConfig(**shares, **counts, ema_decay=0, progressive_epochs=0, max_lr=1e-9)
    assert config.to_dict().items() >= {**shares, **counts, "ema_decay": 0}.items()


def test_settings_stay_as_they_are_and_equal_ones_are_one():
    config = TrainConfig()
    with pytest.raises(FrozenInstanceError):
        config.epochs = 3
    assert config.epochs == 10
    assert {config, TrainConfig(), TrainConfig(epochs=3)} == {config, replace(config, epochs=3)}


def test_old_settings_act_as_they_did():
    recorded = CONFIG.to_dict()
    assert TrainConfig.from_dict(recorded) == CONFIG
    del recorded["ema_warmup"], recorded["cuda_graph"]
    for new, old in (
        ("progressive_epochs", "progressive_epochs"),
        ("progressive_size", "progressive_size"),
    ):
        recorded[old] = recorded.pop(new) + 1
    expected = replace(CONFIG, ema_warmup=False, progressive_epochs=1, progressive_size=25)
    assert TrainConfig.from_dict(recorded) == expected


@pytest.mark.parametrize(
    ("on_gpu", "bfloat16", "dtype"),
    [
        (True, True, torch.bfloat16),
        (True, False, torch.float16),
        (False, True, torch.bfloat16),
        (False, False, torch.float32),
    ],
)
def test_auto_is_the_best_format_that_the_device_computes(monkeypatch, on_gpu, bfloat16, dtype):
    device = "cuda" if on_gpu else "cpu"
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: bfloat16)
    for query in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, query, lambda: bfloat16, raising=False)
    assert number_format(device, "auto") == dtype
    assert number_format("mps", "auto") == torch.float32
    for precision in ("float32", "bfloat16", "float16"):
        assert number_format(device, precision) == getattr(torch, precision)


def test_float16_scales_the_loss_and_goes_on_to_the_bit(tmp_path):
    config = replace(CONFIG, precision="float16")
    straight, resumed = network(), network()
    run = fit(straight, bands(), config, progress=False)
    assert run.test["accuracy"] > 0.9
    fit(resumed, bands(), config, tmp_path, until=2, progress=False)
    state = checkpoint.load_checkpoint(tmp_path)["step"]
    assert state["scale"] == FIRST_SCALE
    resumed = network()
    fit(resumed, bands(), config, tmp_path, resume=True, progress=False)
    assert same(weights_of(straight), weights_of(resumed))


def test_a_graph_needs_one_gpu_and_no_scaled_loss():
    told = "cuda_graph=True, but the network is on cpu; move it to a GPU by NVIDIA, or "
    with pytest.raises(ValueError, match=whole(told + "cuda_graph=False")):
        make_step(network(), None, replace(CONFIG, cuda_graph=True))
    gpu = torch.device("cuda")
    check_graph(gpu, torch.bfloat16, processes=1)
    told = "cuda_graph=True, but 2 processes train; use one, or cuda_graph=False"
    with pytest.raises(ValueError, match=whole(told)):
        check_graph(gpu, torch.bfloat16, processes=2)
    told = "cuda_graph=True, but in float16 each step decides whether it counts, and a graph "
    told += "cannot; use bfloat16, or cuda_graph=False"
    with pytest.raises(ValueError, match=whole(told)):
        check_graph(gpu, torch.float16, processes=1)


def test_a_batch_must_fit():
    told = "batch_size=512 is larger than the 256 training pictures; use a smaller one"
    with pytest.raises(ValueError, match=whole(told)):
        fit(network(), bands(), replace(CONFIG, batch_size=512), progress=False)
    told = "batch_size=32 does not divide among 3 processes; use a multiple of 3"
    with pytest.raises(ValueError, match=whole(told)):
        fitting.check_sizes(bands(), CONFIG, 3)
    fitting.check_sizes(bands(), replace(CONFIG, batch_size=256), 2)


def test_small_pictures_must_be_smaller():
    told = "progressive_size=24 is larger than the pictures' 16 pixels; use a smaller one, or "
    with pytest.raises(ValueError, match=whole(told + "progressive_epochs=0")):
        fit(network(), bands(), replace(CONFIG, progressive_epochs=1), progress=False)
