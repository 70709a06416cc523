"""`trace(model).link()`: the address of a stack in the published Receptive field explorer."""

import itertools
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from convbook.analysis import link as encoder
from convbook.analysis import trace
from convbook.arithmetic import Layer
from convbook.course.explorers import ReceptiveFieldExplorer, receptive_field
from tests.helpers.fx_models import torchvision_model
from tests.helpers.javascript import module
from tests.helpers.networks import Net, conv
from tests.helpers.refusals import whole
from tests.helpers.strategies import EVEN_SAME

pytestmark = pytest.mark.filterwarnings(EVEN_SAME)
HOME = encoder.page_address()


def test_the_explorer_encodes_with_the_same_function():
    assert receptive_field.fragment is encoder.fragment
    layers = [Layer(3), Layer(3, 2, 1, 2)]
    explorer = ReceptiveFieldExplorer(layers, input_size=32)
    assert explorer.fragment == encoder.fragment(32, [(3, 1, 0, 1), (3, 2, 1, 2)])


def test_a_network_opens_with_its_layers_up_to_global_pooling():
    layers = conv(3, 8), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)
    more = nn.Conv2d(8, 8, 3, padding="same", dilation=2), nn.AvgPool2d(2, 2, 1)
    model = nn.Sequential(*layers, *more, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))
    assert trace(model).link() == f"{HOME}#rf=32;3.1.1.1,2.2.0.1,3.1.2.2,2.2.1.1"


def known_network(name, size=224):
    """The table of a torchvision model as it comes, classifier and all."""
    free = {"init_weights": False} if name in ("inception_v3", "googlenet") else {}
    with torch.device("meta"):
        model = getattr(torchvision.models, name)(weights=None, **free)
    return trace(model, (3, size, size))


@pytest.mark.parametrize("name", ["vgg16", "alexnet"])
def test_the_link_of_a_known_network_is_its_preset(name):
    address = HOME + ReceptiveFieldExplorer(preset=name).fragment
    assert known_network(name).link() == address
    assert trace(torchvision_model(name).features, (3, 224, 224)).link() == address


def test_the_front_end_reads_what_is_written():
    rng = random.Random(0)
    ends = [encoder.LIMITS[name] for name in encoder.SETTINGS]
    stacks = [(size, [one]) for size in (1, 9, 2048) for one in itertools.product(*ends)]
    for count in range(1, 41):
        layers = [tuple(rng.randint(*span) for span in ends) for _ in range(count)]
        stacks.append((rng.randint(1, 2048), layers))
    parser = module("parts/receptive_field_address.js")
    for size, layers in stacks:
        fragment = encoder.fragment(size, layers)
        rows = [["conv", *numbers] for numbers in layers]
        assert parser.stackIn("rf", fragment) == {"input_size": size, "rows": rows}
        assert parser.stackFragment("rf", {"input_size": size, "rows": rows}) == fragment


def test_what_the_explorer_shows_is_what_trace_found():
    model = nn.Sequential(conv(3, 4), nn.MaxPool2d(3, 2, 1), nn.Conv2d(4, 4, 5, dilation=2))
    table = trace(model, (3, 33, 33))
    layers = [Layer(*numbers) for numbers in encoder.stack(table, 33)]
    explorer = ReceptiveFieldExplorer(layers, input_size=33)
    assert explorer.fields == [row.receptive_field for row in table]
    assert explorer.output_sizes == [row.output_shape[1] for row in table]
    assert table.link().endswith(explorer.fragment)


def twice(net, x):
    x = net.c(x)
    return net.e(torch.cat([x * torch.sigmoid(x), net.d(x)], 1))


# Paths that meet see through the same layers, apart from those that change no field.
ONE_STACK = {
    "a gate of its own": (Net(twice, c=conv(3, 4), d=conv(4, 4, 1), e=nn.Conv2d(8, 4, 3)), 2),
    "towers": (
        Net(lambda net, x: net.e(net.c(x) + net.d(x)), c=conv(3, 4), d=conv(3, 4), e=conv(4, 4)),
        2,
    ),
    "an unused path": (
        Net(lambda net, x: (net.c(x), net.d(x))[1], c=conv(3, 4, 5), d=conv(3, 4)),
        1,
    ),
    "pooling that changes nothing": (nn.Sequential(conv(3, 4), nn.AdaptiveAvgPool2d(32)), 1),
    "two ends alike": (Net(lambda net, x: (net.c(x), net.d(x)), c=conv(3, 4), d=conv(3, 4)), 1),
}


@pytest.mark.parametrize(("model", "count"), ONE_STACK.values(), ids=ONE_STACK)
def test_paths_of_the_same_layers_are_one_stack(model, count):
    table = trace(model, (3, 32, 32))
    layers = [one for one in encoder.stack(table, 32) if one != encoder.IDENTITY]
    assert len(layers) == count
    explorer = ReceptiveFieldExplorer([Layer(*one) for one in layers], input_size=32)
    assert explorer.fields[-1] == table.receptive_field


def gate(net, x):
    x = net.c(x)
    return net.d(x * x.mean((2, 3), keepdim=True))


JOINS = "joins paths of different layers: "
APART = "treats the two axes differently"
RESHAPES = "pads one side, resizes, cuts or rearranges the map"
ROUNDS = "rounds its size up (ceil_mode=True)"
NOTHING = (
    "the model has no convolution or pooling before it sees everything, and the explorer shows "
    "what layers see: trace a part of it that has some"
)
REFUSED = {
    "a skip": (
        Net(lambda net, x: net.c(x) + x, c=conv(3, 3)),
        f"row 'add' (add) {JOINS}'c' sees 3 pixels, 'input' sees 1 pixel",
    ),
    "the same field through other layers": (
        Net(lambda net, x: net.c(x) + net.d(net.d(x)), c=conv(3, 3, 5), d=conv(3, 3)),
        f"row 'add' (add) {JOINS}'c' sees 5 pixels, 'd_1' sees 5 pixels",
    ),
    "two ends": (
        Net(lambda net, x: (net.c(x), net.d(x)), c=conv(3, 3), d=conv(3, 3, 5)),
        "row 'd' (conv2d) is one of several ends, of different layers: 'd' sees 5 pixels, "
        "'c' sees 3 pixels",
    ),
    "a gate": (
        Net(gate, c=conv(3, 3), d=conv(3, 3)),
        "row 'mean' (mean) sees the whole input, and rows after it do not",
    ),
    "two sides": (nn.Conv2d(3, 4, (3, 5)), f"row 'conv2d' (conv2d) {APART}"),
    "one axis": (nn.Conv2d(3, 4, 3, padding=(1, 0)), f"row 'conv2d' (conv2d) {APART}"),
    "even and same": (
        nn.Conv2d(3, 4, 2, padding="same"),
        "row 'conv2d' (conv2d) pads one side more than the other",
    ),
    "upwards": (
        nn.ConvTranspose2d(3, 4, 2, 2),
        "row 'conv_transpose2d' (conv_transpose2d) makes the map larger",
    ),
    "a resize": (nn.Upsample(scale_factor=2), f"row 'interpolate' (interpolate) {RESHAPES}"),
    "rounded up": (nn.MaxPool2d(3, 2, ceil_mode=True), f"row 'max_pool2d' (max_pool2d) {ROUNDS}"),
    "padded before": (
        nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(3, 4, 3)),
        "row '0' (pad) pads the map, and only a layer's own padding can be shown",
    ),
    "uneven windows": (
        nn.AdaptiveAvgPool2d(5),
        f"row 'adaptive_avg_pool2d' (adaptive_avg_pool2d) {RESHAPES}",
    ),
    "strides beyond all": (
        nn.Sequential(*[nn.Conv2d(3, 3, 1, 16, 512)] * 5),
        "row '0_4' (conv2d) has jump=1048576, and 1 to 1000000 can be shown",
    ),
    "shuffled": (
        nn.Sequential(conv(3, 4), nn.PixelShuffle(2)),
        f"row '1' (pixel_shuffle) {RESHAPES}",
    ),
    "cropped": (
        Net(lambda net, x: net.c(x)[..., 1:, 1:], c=conv(3, 4)),
        f"row 'getitem' (getitem) {RESHAPES}",
    ),
    "a large kernel": (
        nn.Conv2d(3, 4, 33, padding=16),
        "row 'conv2d' (conv2d) has kernel_size=33, and 1 to 32 can be shown",
    ),
    "a large stride": (
        nn.Conv2d(3, 4, 3, 17),
        "row 'conv2d' (conv2d) has stride=17, and 1 to 16 can be shown",
    ),
    "too many": (
        nn.Sequential(*[nn.Conv2d(3, 3, 1)] * 41),
        "row '0_40' (conv2d) is layer 41, and 1 to 40 can be shown",
    ),
    "a large dilation": (
        nn.Conv2d(3, 4, 3, dilation=513, padding=512),
        "row 'conv2d' (conv2d) has dilation=513, and 1 to 512 can be shown",
    ),
    "none": (nn.ReLU(), NOTHING),
    "flattened at once": (nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 2)), NOTHING),
}


@pytest.mark.parametrize(("model", "message"), REFUSED.values(), ids=REFUSED)
def test_what_the_explorer_cannot_show_is_refused_by_row(model, message):
    table = trace(model, (3, 64, 64))
    shown = "; the explorer shows one stack of square layers: trace a part of the model that is one"
    told = message if "trace a part" in message else message + shown
    with pytest.raises(ValueError, match=whole(told)):
        table.link()


@pytest.mark.parametrize(
    ("name", "size", "row", "why"),
    [
        ("resnet18", 224, "layer1.0.add", f"{JOINS}'layer1.0.bn2' sees 27 pixels, 'maxpool' sees"),
        ("resnet50", 224, "layer1.0.add", f"{JOINS}'layer1.0.bn3' sees 19 pixels, "),
        ("mobilenet_v2", 224, "features.3.add", JOINS),
        ("densenet121", 224, "features.denseblock1.denselayer2.cat", JOINS),
        ("inception_v3", 299, "Mixed_5b.cat", JOINS),
        ("googlenet", 224, "maxpool1", ROUNDS),
        ("efficientnet_b0", 224, "features.1.0.block.1.avgpool", "sees the whole input, and rows"),
    ],
)
def test_known_networks_that_are_no_stack_are_refused(name, size, row, why):
    table = known_network(name, size)
    with pytest.raises(ValueError, match="trace a part of the model that is one") as caught:
        table.link()
    assert str(caught.value).startswith(f"row {row!r} ({table[row].op}) {why}")


AT_THE_LIMIT = {
    "layers": (nn.Sequential(*[nn.Conv2d(3, 3, 1)] * 40), 64, ",".join(["1.1.0.1"] * 40)),
    "kernel": (nn.Conv2d(3, 4, 32), 64, "32.1.0.1"),
    "stride": (nn.Conv2d(3, 4, 3, 16), 64, "3.16.0.1"),
    "padding and dilation": (nn.Conv2d(3, 4, 3, 1, 512, 512), 64, "3.1.512.512"),
    "the largest input": (nn.Conv2d(3, 4, 3), 2048, "3.1.0.1"),
    "the smallest input": (nn.Conv2d(3, 4, 3, padding=1), 1, "3.1.1.1"),
}


@pytest.mark.parametrize(("model", "size", "layers"), AT_THE_LIMIT.values(), ids=AT_THE_LIMIT)
def test_what_is_at_a_limit_is_still_shown(model, size, layers):
    assert trace(model, (3, size, size)).link() == f"{HOME}#rf={size};{layers}"


@pytest.mark.parametrize("size", [(3, 32, 40), (3, 32), (3, 8, 8, 8), (3, 2049, 2049)])
def test_inputs_that_are_no_squares_it_can_show_are_refused(size):
    class Mean(nn.Module):
        def forward(self, x):
            return F.relu(x)

    told = f"input_size={size} is not a square of 1 to 2048 pixels; the explorer shows no other: "
    with pytest.raises(ValueError, match=whole(told + "trace the model on one")):
        trace(Mean(), size).link()


def test_the_address_is_that_of_the_repository_the_package_names(monkeypatch):
    def address(url):
        entries = {"Project-URL": [f"Repository, {url}", "Other, https://example.org"]}
        message = type("Message", (), {"get_all": lambda self, name: entries[name]})()
        monkeypatch.setattr(encoder.metadata, "metadata", lambda name: message)
        return encoder.page_address()

    page = encoder.PAGE
    assert address("https://github.com/Ada/Engine.git") == f"https://ada.github.io/Engine/{page}"
    assert address("https://github.com/ada/ada.github.io") == f"https://ada.github.io/{page}"
    told = (
        "convbook's metadata names no repository on GitHub, only {'Repository': "
        "'https://example.org/ada/engine', 'Other': 'https://example.org'}; install the package as "
        "its README says"
    )
    with pytest.raises(ValueError, match=whole(told)):
        address("https://example.org/ada/engine")


def test_the_encoder_needs_no_torch():
    """The site is built without it, and the explorer imports the encoder."""
    code = "import sys, convbook.course.explorers.receptive_field; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_the_chapter_of_the_address_has_the_explorer():
    stem = encoder.PAGE.removesuffix(".html")
    chapter = Path(__file__).parents[3] / f"{stem}.ipynb"
    assert "ReceptiveFieldExplorer(" in chapter.read_text("utf8")
