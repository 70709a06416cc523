"""`trace(model).link()`: the address of a stack in the published Receptive field explorer."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch.nn.functional as F
from torch import nn

from convbook.analysis import link as encoder
from convbook.analysis import trace
from convbook.arithmetic import Layer
from convbook.course.explorers import ReceptiveFieldExplorer, receptive_field
from tests.helpers.fx_models import torchvision_model
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


@pytest.mark.parametrize("name", ["vgg16", "alexnet"])
def test_the_link_of_a_known_network_is_its_preset(name):
    address = trace(torchvision_model(name).features, (3, 224, 224)).link()
    assert address == HOME + ReceptiveFieldExplorer(preset=name).fragment


def test_what_the_explorer_shows_is_what_trace_found():
    model = nn.Sequential(conv(3, 4), nn.MaxPool2d(3, 2, 1), nn.Conv2d(4, 4, 5, dilation=2))
    table = trace(model, (3, 33, 33))
    layers = [Layer(*numbers) for numbers in encoder.stack(table, 33)]
    explorer = ReceptiveFieldExplorer(layers, input_size=33)
    assert explorer.fields == [row.receptive_field for row in table]
    assert explorer.output_sizes == [row.output_shape[1] for row in table]
    assert table.link().endswith(explorer.fragment)


def gate(net, x):
    x = net.c(x)
    return net.d(x * x.mean((2, 3), keepdim=True))


BRANCHES = "is on another path: the model has branches"
APART = "treats the two axes differently"
RESHAPES = "pads one side, rounds up, resizes or reshapes the map"
TOO_MANY = (
    "convolutions and poolings before it sees everything; the explorer shows 1 to 40: "
    "trace a part of it"
)
REFUSED = {
    "a branch": (Net(lambda net, x: net.c(x) + x, c=conv(3, 3)), f"row 'add' (add) {BRANCHES}"),
    "two ends": (
        Net(lambda net, x: (net.c(x), net.d(x)), c=conv(3, 3), d=conv(3, 3)),
        f"row 'd' (conv2d) {BRANCHES}",
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
    "rounded up": (nn.MaxPool2d(3, 2, ceil_mode=True), f"row 'max_pool2d' (max_pool2d) {RESHAPES}"),
    "padded apart": (nn.ZeroPad2d((1, 0, 1, 0)), f"row 'pad' (pad) {RESHAPES}"),
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
    "too many": (nn.Sequential(*[nn.Conv2d(3, 3, 1)] * 41), f"the model has 41 {TOO_MANY}"),
    "none": (nn.ReLU(), f"the model has 0 {TOO_MANY}"),
}


@pytest.mark.parametrize(("model", "message"), REFUSED.values(), ids=REFUSED)
def test_what_the_explorer_cannot_show_is_refused_by_row(model, message):
    table = trace(model, (3, 64, 64))
    shown = "; the explorer shows one stack of square layers: trace a part of the model that is one"
    told = message if "trace a part" in message else message + shown
    with pytest.raises(ValueError, match=whole(told)):
        table.link()


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
