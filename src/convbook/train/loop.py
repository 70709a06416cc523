"""The training loop: pictures changed at random, a loss, a step."""

from collections import Counter

import torch
import torch.nn.functional as F

from convbook.train.augment import augment, draw_moves, shrink, small_size
from convbook.train.distributed import ALONE, autocast, number_format
from convbook.train.scores import class_scores

FIRST_SCALE = 2.0**10  # of the loss in float16; a larger one would cost the first steps


def epoch_seed(config, epoch):
    """Return the epoch's own seed: a run that goes on draws what it would have drawn."""
    return config.seed * 100_003 + epoch


def train_epoch(network, batches, optimizer, schedule, average, config, step=None):
    """Take one step per batch and return the mean loss; `step` left out is a new `Step`."""
    network.train()
    step = step or Step(network, optimizer, config)
    losses = []
    for x, labels in batches:
        losses.append(step(x, labels))
        schedule.step()
        if average:
            average.update(network)
    return torch.stack(losses).mean()


class Step:
    """One step of training: loss, gradients, new weights.

    In float16 small gradients would become 0, so the loss is scaled up first; a step whose
    gradients are not finite is left out, and the scale made smaller (Micikevicius et al., arXiv
    1710.03740, section 3.2). In other formats the scaler does nothing.
    """

    def __init__(self, network, optimizer, config):
        self.network, self.optimizer, self.config = network, optimizer, config
        device = next(network.parameters()).device
        scaled = number_format(device, config.precision) == torch.float16
        self.scaler = torch.amp.GradScaler(device.type, init_scale=FIRST_SCALE, enabled=scaled)

    def __call__(self, x, labels):
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

    def state_dict(self):
        """Return everything that is needed to go on."""
        return self.scaler.state_dict()

    def load_state_dict(self, state):
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

    def __init__(self, network, optimizer, config):
        super().__init__(network, optimizer, config)
        self.taken, self.graphs = Counter(), {}

    def __call__(self, x, labels):
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

    def _beside(self, x, labels):
        """Take a step on a stream of its own, as recording will."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            loss = super().__call__(x, labels)
        torch.cuda.current_stream().wait_stream(stream)
        return loss

    def _record(self, x, labels):
        """Return a graph of the step, the batch that it reads, and the loss that it writes."""
        own_x, own_labels = x.clone(), labels.clone()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            loss = super().__call__(own_x, own_labels)
        return graph, own_x, own_labels, loss


def make_step(network, optimizer, config, processes=1):
    """Return the step that the settings ask for.

    Raises:
        ValueError: a graph is wanted where none can be recorded.
    """
    if not config.cuda_graph:
        return Step(network, optimizer, config)
    device = next(network.parameters()).device
    check_graph(device, number_format(device, config.precision), processes)
    return GraphedStep(network, optimizer, config)


def check_graph(device, dtype, processes):
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


def epoch_batches(split, config, epoch, workers=ALONE):
    """Yield the changed pictures and the labels of one epoch; each process gets its share."""
    generator = torch.Generator().manual_seed(epoch_seed(config, epoch))
    order = torch.randperm(len(split), generator=generator)
    moves = draw_moves(len(split), split.images.shape[2:], config, generator)
    # Drawn on the CPU, moved once: a copy for each batch would let the GPU wait.
    order, moves = order.to(split.images.device), moves.to(split.images.device)
    size = small_size(epoch, min(split.images.shape[2:]), config)
    layout = torch.channels_last if config.channels_last else torch.contiguous_format
    for start in range(0, len(split) // config.batch_size * config.batch_size, config.batch_size):
        chosen = order[start : start + config.batch_size][workers.rank :: workers.count]
        x = augment(split.images[chosen], moves[chosen], config.cutout)
        if size:
            x = shrink(x, size)
        yield x.contiguous(memory_format=layout), split.labels[chosen]
