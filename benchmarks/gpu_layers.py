"""Layers and networks for record_14_gpu.py: multiply-adds against milliseconds."""

import copy
import itertools
from functools import partial

import torch
import torch.nn.functional as F
from gpu_timing import DEVICE, FORMATS, LAYOUTS, ON_GPU, as_graph, milliseconds, peak_megabytes
from torch import nn
from torchvision import models

from convbook import functional
from convbook.analysis import trace
from convbook.arithmetic import conv_macs
from convbook.nn import DepthwiseSeparableConv2d
from convbook.train.distributed import number_format

GROUPS = (1, 2, 4, 8, 16, 32, 64, 128)
NETWORKS = (
    "resnet18",
    "resnet50",
    "resnext50_32x4d",
    "mobilenet_v2",
    "efficientnet_b0",
)


def record_ceilings(small):
    """What the card can do at most: matrix products in each number format, and copies."""
    size = 256 if small else 8192
    products = {}
    for name in (*FORMATS, "tf32"):
        dtype = getattr(torch, name, torch.float32)
        torch.backends.cuda.matmul.allow_tf32 = name == "tf32"
        a, b = torch.randn(2, size, size, device=DEVICE).to(dtype)
        least = milliseconds(lambda a=a, b=b: a @ b, DEVICE)["least"]
        products[name] = round(2 * size**3 / least / 1e9, 2)
    torch.backends.cuda.matmul.allow_tf32 = False
    source = torch.randn(size * size, device=DEVICE)
    target = torch.empty_like(source)
    copied = milliseconds(lambda: target.copy_(source), DEVICE)["least"]
    moved = 2 * source.numel() * source.element_size() / copied / 1e6
    return {"size": size, "teraflops": products, "copy_gigabytes_per_second": round(moved, 1)}


def time_layer(layer, shape, precision, layout, graph=False):
    """Return the times of a layer, forward and with its backward pass."""
    dtype = number_format(DEVICE, precision)
    layer = layer.to(DEVICE, dtype).to(memory_format=LAYOUTS[layout])
    x = torch.randn(shape, device=DEVICE, dtype=dtype).to(memory_format=LAYOUTS[layout])
    y = layer(x)
    gradient = torch.randn_like(y)

    def forward():
        with torch.no_grad():
            layer(x)

    def both():
        wanted = [own, *layer.parameters()]
        torch.autograd.grad(layer(own), wanted, gradient)

    own = x.clone().requires_grad_()
    times = {"forward": milliseconds(forward, DEVICE), "both": milliseconds(both, DEVICE)}
    if graph and ON_GPU:
        calls = 10
        least = milliseconds(as_graph(forward, calls), DEVICE)["least"]
        times["forward_in_a_graph"] = round(least / calls, 5)
    return times


def record_layers(small):
    """Chapter 8: standard, depthwise, pointwise and separable layers, by their channels."""
    found = []
    channels = (8,) if small else (32, 64, 128, 256, 512)
    for batch, c in itertools.product((1, 64), channels):
        pair = DepthwiseSeparableConv2d(c, c, 3, padding=1, bias=False)
        layers = {
            "standard": nn.Conv2d(c, c, 3, padding=1, bias=False),
            "depthwise": pair.depthwise,
            "pointwise": pair.pointwise,
            "separable": pair,
        }
        for name, layer in layers.items():
            macs = batch * trace(layer, (c, 28, 28)).macs
            found += layer_rows(layer, (batch, c, 28, 28), small, layer_name=name, macs=macs)
    return found


def record_groups(small):
    """Chapter 9: one layer of 128 channels, by the number of its groups."""
    found = []
    c, size, kernel_size = 128, 14 if small else 56, 3
    for batch, groups in itertools.product((1, 64), (1, 128) if small else GROUPS):
        layer = nn.Conv2d(c, c, kernel_size, padding=1, groups=groups, bias=False)
        macs = batch * conv_macs(c, c, kernel_size, (size, size), groups)
        shape = (1 if small else batch, c, size, size)
        found += layer_rows(layer, shape, small, groups=groups, macs=macs)
    return found


def layer_rows(layer, shape, small, **known):
    """Return a row of times for each number format and layout."""
    rows = []
    for precision, layout in itertools.product(FORMATS[:1] if small else FORMATS[:2], LAYOUTS):
        times = time_layer(copy.deepcopy(layer), shape, precision, layout, graph=shape[0] == 1)
        rows.append({**known, "shape": shape, "precision": precision, "layout": layout, **times})
    return rows


def record_networks(small):
    """Whole networks on pictures of 224: multiply-adds against milliseconds."""
    names = NETWORKS[: 1 if small else None]
    side = 32 if small else 224
    found = []
    for name, batch in itertools.product(names, (1,) if small else (1, 128)):
        network = models.get_model(name).eval()
        macs = batch * trace(network, (3, side, side)).macs
        for precision in FORMATS[:1] if small else FORMATS[:2]:
            shape = (batch, 3, side, side)
            times = time_layer(network, shape, precision, "channels_last", graph=batch == 1)
            found.append(
                {"network": name, "macs": macs, "shape": shape, "precision": precision, **times}
            )
    return found


def record_by_hand(small):
    """The book's conv2d beside PyTorch's: times, memory, and how far they differ."""
    n, c, size = (2, 8, 8) if small else (64, 64, 32)
    torch.manual_seed(0)
    x = torch.randn(n, c, size, size, device=DEVICE)
    weight = torch.randn(c, c, 3, 3, device=DEVICE) / 24
    exact = F.conv2d(x.double(), weight.double(), padding=1)
    found = {"shape": list(x.shape), "weight": list(weight.shape)}
    for name, conv2d in (("by hand", functional.conv2d), ("pytorch", F.conv2d)):
        call = partial(conv2d, padding=1)
        own_x, own_weight = x.clone().requires_grad_(), weight.clone().requires_grad_()

        def both(call=call, own_x=own_x, own_weight=own_weight):
            torch.autograd.grad(call(own_x, own_weight).sum(), (own_x, own_weight))

        error = (call(x, weight) - exact).abs().max() / exact.abs().max()
        found[name] = {
            "forward": milliseconds(lambda call=call: call(x, weight), DEVICE),
            "both": milliseconds(both, DEVICE),
            "forward_megabytes": peak_megabytes(lambda call=call: call(x, weight), DEVICE),
            "relative_error": error.item(),
        }
    return found
