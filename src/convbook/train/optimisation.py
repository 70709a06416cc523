"""How the weights move: a step of SGD, one cycle of the learning rate, averaged weights."""

from __future__ import annotations

import copy
import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import get_ema_multi_avg_fn

from convbook.train.config import TrainConfig
from convbook.train.distributed import autocast, number_format
from convbook.train.evaluation import class_scores

# A graph of a step, the batch that it reads, and the loss that it writes.
Recorded = tuple[torch.cuda.CUDAGraph, Tensor, Tensor, Tensor]
FIRST_SCALE = 2.0**10  # of the loss in float16; a larger one would cost the first steps


def make_optimizer(model: nn.Module, config: TrainConfig) -> SGD:
    """Return SGD that decays weights, but not biases and normalisation."""
    learnt = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in learnt if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in learnt if p.ndim <= 1], "weight_decay": 0.0},
    ]
    rate: float | Tensor = config.max_lr
    if config.cuda_graph:  # a graph keeps numbers as they were; it reads a tensor anew each time
        rate = torch.tensor(rate, device=learnt[0].device)
    nesterov, fused = config.momentum > 0, config.cuda_graph or None
    return SGD(groups, rate, config.momentum, nesterov=nesterov, fused=fused)


def keep_rates_on(device: torch.device, optimizer: Optimizer) -> None:
    """Move learning rates that are tensors (see `make_optimizer`) to the device of the weights."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"] = group["lr"].to(device)


def make_schedule(optimizer: Optimizer, config: TrainConfig, steps: int) -> OneCycleLR:
    """Return one cycle of the learning rate over epochs of `steps`: up, then down to almost 0."""
    total, warmup = config.epochs * steps + 1, config.warmup
    if float(warmup * total) == 1:  # PyTorch would divide by a rise of no steps
        warmup *= 1 - 1e-9
    return OneCycleLR(
        optimizer,
        config.max_lr,
        total_steps=total,
        pct_start=warmup,
        anneal_strategy="linear",
        cycle_momentum=False,
        div_factor=10,
        final_div_factor=1000,
    )


class Step:
    """One step of training: loss, gradients, new weights.

    In float16 small gradients would become 0, so the loss is scaled up first; a step whose
    gradients are not finite is left out, and the scale made smaller (Micikevicius et al., arXiv
    1710.03740, section 3.2). In other formats the scaler does nothing.
    """

    def __init__(self, network: nn.Module, optimizer: Optimizer, config: TrainConfig) -> None:
        self.network, self.optimizer, self.config = network, optimizer, config
        device = next(network.parameters()).device
        scaled = number_format(device, config.precision) == torch.float16
        self.scaler = torch.amp.GradScaler(device.type, init_scale=FIRST_SCALE, enabled=scaled)

    def __call__(self, x: Tensor, labels: Tensor) -> Tensor:
        """Change the weights by a batch `(N, C, H, W)` and its labels `(N,)`; return the loss."""
        with autocast(x.device, self.config.precision):
            logits = class_scores(self.network, x)
            smoothing = self.config.label_smoothing
            loss = F.cross_entropy(logits, labels, label_smoothing=smoothing)
        self.optimizer.zero_grad()
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return loss.detach()

    def state_dict(self) -> dict[str, Any]:
        """Return everything that is needed to go on."""
        return self.scaler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        if state:
            self.scaler.load_state_dict(state)


class GraphedStep(Step):
    """A step that is recorded once for each shape of batch, and then launched as a whole.

    A step of a small network is some hundred small kernels, and Python needs longer to launch them
    than the GPU to compute them. A CUDA graph is launched once for all; it reads its batch from
    where the first one lay.
    """

    EAGER = 3  # real steps, while libraries choose their algorithms and the optimizer its buffers

    def __init__(self, network: nn.Module, optimizer: Optimizer, config: TrainConfig) -> None:
        super().__init__(network, optimizer, config)
        self.taken: Counter[torch.Size] = Counter()
        self.graphs: dict[torch.Size, Recorded] = {}

    def __call__(self, x: Tensor, labels: Tensor) -> Tensor:
        """Change the weights by a batch `(N, C, H, W)` and its labels `(N,)`; return the loss."""
        if self.taken[x.shape] < self.EAGER:
            self.taken[x.shape] += 1
            return self._beside(x, labels)
        if x.shape not in self.graphs:
            self.graphs = {x.shape: self._record(x, labels)}  # sizes grow, none comes back
        graph, own_x, own_labels, loss = self.graphs[x.shape]
        own_x.copy_(x)
        own_labels.copy_(labels)
        graph.replay()
        return loss.clone()

    def _beside(self, x: Tensor, labels: Tensor) -> Tensor:
        """Take a step on a stream of its own, as recording will."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            loss = super().__call__(x, labels)
        torch.cuda.current_stream().wait_stream(stream)
        return loss

    def _record(self, x: Tensor, labels: Tensor) -> Recorded:
        """Record the step, not for its effect."""
        own_x, own_labels = x.clone(), labels.clone()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            loss = super().__call__(own_x, own_labels)
        return graph, own_x, own_labels, loss


def make_step(
    network: nn.Module, optimizer: Optimizer, config: TrainConfig, processes: int = 1
) -> Step:
    """Return the step that the settings ask for.

    Raises:
        ValueError: a graph is wanted where none can be recorded.
    """
    if not config.cuda_graph:
        return Step(network, optimizer, config)
    device = next(network.parameters()).device
    check_graph(device, number_format(device, config.precision), processes)
    return GraphedStep(network, optimizer, config)


def check_graph(device: torch.device, dtype: torch.dtype, processes: int) -> None:
    """Refuse to record a graph where that cannot be right.

    Raises:
        ValueError: the device is no GPU by NVIDIA, the loss is scaled, or several processes train.
    """
    if device.type != "cuda":
        why = f"the network is on {device}; move it to a GPU by NVIDIA"
    elif processes > 1:
        why = f"{processes} processes train; use one"
    elif dtype == torch.float16:
        why = "in float16 each step decides whether it counts, and a graph cannot; use bfloat16"
    else:
        return
    raise ValueError(f"cuda_graph=True, but {why}, or cuda_graph=False")


def make_ema(model: nn.Module, config: TrainConfig) -> EMA | None:
    """Return a copy of the network that follows it slowly, or None."""
    return EMA(model, config.ema_decay, config.ema_warmup) if config.ema_decay else None


class EMA:
    """A copy of a network, whose weights and buffers are an exponential average over the steps.

    PyTorch's `AveragedModel` counts its steps on the GPU and asks for the count at every step, so
    that Python waits for the GPU each time; this one counts for itself.
    """

    def __init__(self, model: nn.Module, decay: float, warmup: bool) -> None:
        self.module = copy.deepcopy(model)
        self.decay, self.warmup, self.steps = decay, warmup, 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move towards the network as it is after a step; the first time, take it over."""
        decay = self.decay
        if self.warmup:
            decay = min(decay, (1 + self.steps) / (10 + self.steps))
        move = get_ema_multi_avg_fn(decay if self.steps else 0.0)
        pairs = zip(_tensors(self.module), _tensors(model), strict=True)
        mine, own = zip(*(pair for pair in pairs if pair[0].is_floating_point()), strict=True)
        move(list(mine), list(own), None)
        self.steps += 1

    def network(self, model: nn.Module) -> nn.Module:
        """Return the averaged network; batch norm's count of batches is the model's own."""
        for mine, own in zip(self.module.buffers(), model.buffers(), strict=True):
            if not mine.is_floating_point():
                mine.copy_(own)
        return self.module

    def state_dict(self) -> dict[str, Any]:
        """Return everything that is needed to go on."""
        return {"module": self.module.state_dict(), "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        self.module.load_state_dict(state["module"])
        self.steps = state["steps"]


def _tensors(model: nn.Module) -> Iterator[Tensor]:
    return itertools.chain(model.parameters(), model.buffers())
