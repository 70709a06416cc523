"""A step by hand, the cycle of the rate in closed form, and a CUDA graph played on the CPU."""

import contextlib
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convbook.train import optimisation
from convbook.train.optimisation import (
    GraphedStep,
    Step,
    keep_rates_on,
    make_optimizer,
    make_schedule,
    make_step,
)
from tests.helpers.toy_data import CONFIG, network

pytestmark = pytest.mark.usefixtures("one_thread")


def batch(seed, count=8):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 3, 16, 16, generator=generator)
    return x, torch.randint(4, (count,), generator=generator)


def drawn(seed, function, *arguments):
    """Call a function whose dropout draws the numbers of a seed."""
    torch.manual_seed(seed)
    return function(*arguments)


# ------------------------------------------------------------------ plain steps


@pytest.mark.parametrize("momentum", [0, 0.7])
def test_a_step_is_that_of_the_book_by_hand(momentum):
    """Cross-entropy with soft targets, and SGD with Nesterov's step, written out."""
    config = replace(
        CONFIG, momentum=momentum, weight_decay=0.1, label_smoothing=0.2, max_lr=0.3, epochs=1
    )
    model, other = network(), network()
    step = Step(model, make_optimizer(model, config), config)
    moved = [torch.zeros_like(weight) for weight in other.parameters()]
    for seed in range(3):
        x, labels = batch(seed)
        loss = drawn(seed, step, x, labels)
        targets = 0.8 * F.one_hot(labels, 4) + 0.2 / 4
        expected = -(targets * drawn(seed, other, x).log_softmax(1)).sum(1).mean()
        torch.testing.assert_close(loss, expected.detach())
        assert not loss.requires_grad
        gradients = torch.autograd.grad(expected, list(other.parameters()))
        with torch.no_grad():
            for weight, gradient, speed in zip(other.parameters(), gradients, moved, strict=True):
                decayed = gradient + (0.1 * weight if weight.ndim > 1 else 0)
                speed.mul_(momentum).add_(decayed)
                weight.sub_(0.3 * (decayed + momentum * speed))
    for mine, own in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine, own)


@pytest.mark.parametrize(("epochs", "steps", "warmup"), [(4, 5, 0.25), (10, 20, 0.2), (1, 9, 0.6)])
def test_the_rate_is_a_tenth_then_the_highest_then_a_ten_thousandth(epochs, steps, warmup):
    config = replace(CONFIG, epochs=epochs, max_lr=0.4, warmup=warmup)
    schedule = make_schedule(make_optimizer(network(), config), config, steps)
    last = epochs * steps
    peak = warmup * (last + 1) - 1
    for place in range(last + 1):
        rising, falling = place / peak, (place - peak) / (last - peak)
        expected = 0.04 + rising * 0.36 if place <= peak else 0.4 + falling * (0.00004 - 0.4)
        assert schedule.get_last_lr() == [pytest.approx(expected)] * 2
        schedule.optimizer.step()
        if place < last:
            schedule.step()
    assert {group["momentum"] for group in schedule.optimizer.param_groups} == {config.momentum}


def test_what_is_not_learnt_is_not_handed_to_the_optimizer():
    model = network()
    model[0].requires_grad_(False)
    groups = make_optimizer(model, CONFIG).param_groups
    kept = {id(parameter) for group in groups for parameter in group["params"]}
    assert kept == {id(parameter) for parameter in model.parameters() if parameter.requires_grad}


# ------------------------------------------------------------------ a graph


def test_a_graph_reads_its_rate_from_a_tensor_beside_the_weights():
    plain = make_optimizer(network(), CONFIG)
    graphed = make_optimizer(network(), replace(CONFIG, cuda_graph=True))
    assert [group["lr"] for group in plain.param_groups] == [CONFIG.max_lr] * 2
    assert not any(group["fused"] for group in plain.param_groups)
    for group in graphed.param_groups:
        assert group["lr"].item() == pytest.approx(CONFIG.max_lr)
        assert group["fused"] is True
    for optimizer, told in ((plain, {float}), (graphed, {torch.Tensor})):
        keep_rates_on(torch.device("meta"), optimizer)
        assert {type(group["lr"]) for group in optimizer.param_groups} == told
    assert all(group["lr"].is_meta for group in graphed.param_groups)


class Stream:
    """A queue of work that others wait for."""

    def __init__(self, waits, name="side"):
        self.waits, self.name = waits, name

    def wait_stream(self, other):
        self.waits.append((self.name, other.name))


@pytest.fixture
def played(monkeypatch):
    """Play CUDA's graphs and streams; return which graphs were recorded, and who waited for whom.

    As on a GPU, what is recorded is not done; a replay does it, with what then lies where the
    recorded batch lay, and writes the loss where the recorded one lay.
    """
    graphs, waits, recording = [], [], []
    eager = Step.__call__

    class Graph:
        def __init__(self):
            graphs.append(self)

        def replay(self):
            self.loss.copy_(eager(self.step, *self.batch))

    def call(step, x, labels):
        if not recording:
            waits.append("step")
            return eager(step, x, labels)
        graph = recording[-1]
        graph.step, graph.batch, graph.loss = step, (x, labels), torch.full((), torch.nan)
        return graph.loss

    @contextlib.contextmanager
    def graph(one):
        recording.append(one)
        yield
        recording.pop()

    main = Stream(waits, "main")
    monkeypatch.setattr(Step, "__call__", call)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", graph)
    monkeypatch.setattr(torch.cuda, "Stream", lambda: Stream(waits))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: main)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: contextlib.nullcontext())
    return graphs, waits


def test_a_graph_takes_the_steps_that_would_be_taken_without(played):
    graphs, waits = played
    one, other = network(), network()
    plain = Step(one, make_optimizer(one, CONFIG), CONFIG)
    graphed = GraphedStep(other, make_optimizer(other, CONFIG), CONFIG)
    # Each shape has a graph of its own, after three steps without.
    batches = [batch(seed, count=8 if seed < 6 else 5) for seed in range(12)]
    expected = [drawn(number, plain, *each) for number, each in enumerate(batches)]
    waits.clear()
    found = [drawn(number, graphed, *each) for number, each in enumerate(batches)]
    assert torch.equal(torch.stack(found), torch.stack(expected))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert [tuple(graph.batch[0].shape) for graph in graphs] == [(8, 3, 16, 16), (5, 3, 16, 16)]
    assert [*graphed.graphs] == [(5, 3, 16, 16)]  # the first is not kept
    assert waits == [("side", "main"), "step", ("main", "side")] * 6


def test_a_graph_reads_a_batch_of_its_own(played):
    model = network()
    step = GraphedStep(model, make_optimizer(model, CONFIG), CONFIG)
    x, labels = batch(0)
    before = x.clone(), labels.clone()
    for _ in range(5):
        step(x, labels)
    step(*batch(1))
    assert torch.equal(x, before[0])
    assert torch.equal(labels, before[1])


def test_the_settings_choose_the_step(monkeypatch):
    asked = []
    monkeypatch.setattr(optimisation, "check_graph", lambda *given: asked.append(given))
    model = network()
    plain = make_step(model, make_optimizer(model, CONFIG), CONFIG)
    assert type(plain) is Step
    assert asked == []
    config = replace(CONFIG, cuda_graph=True)
    for processes in ((), (3,)):
        graphed = make_step(model, make_optimizer(model, config), config, *processes)
        assert type(graphed) is GraphedStep
    cpu = torch.device("cpu")
    assert asked == [(cpu, torch.float32, 1), (cpu, torch.float32, 3)]


def test_only_float16_scales_its_loss():
    scaled = {
        precision: Step(nn.Linear(1, 1), None, replace(CONFIG, precision=precision)).scaler
        for precision in ("float32", "bfloat16", "float16")
    }
    assert {name: one.is_enabled() for name, one in scaled.items()} == {
        "float32": False,
        "bfloat16": False,
        "float16": True,
    }
    assert scaled["float16"].get_scale() == 1024
