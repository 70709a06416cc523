"""The receptive-field explorer's Python side: its presets, numbers, words and refusals."""

import random
import re

import pytest
import torch
import torch.nn.functional as F
import torchvision

from convbook.analysis import trace
from convbook.arithmetic import Layer, conv_output_size, receptive_field
from convbook.course.explorers import ReceptiveFieldExplorer
from convbook.course.explorers.receptive_field import LARGEST_JUMP, LIMITS
from convbook.course.explorers.stacks import PRESETS


def stacks(count, seed=0):
    """Random stacks that fit, as constructor arguments."""
    rng = random.Random(seed)
    found = []
    while len(found) < count:
        layers = [
            Layer(rng.randint(1, 5), rng.randint(1, 3), rng.randint(0, 3), rng.randint(1, 3))
            for _ in range(rng.randint(1, 5))
        ]
        settings = {"layers": layers, "input_size": rng.randint(1, 40)}
        try:
            ReceptiveFieldExplorer(**settings)
        except ValueError:
            continue
        found.append(settings)
    return found


STACKS = stacks(60)


def convolved(x, layers):
    """What each of the layers makes of x, by PyTorch, with kernels of ones."""
    outputs = []
    for one in layers:
        ones = torch.ones(1, 1, one.kernel_size, dtype=torch.float64)
        x = F.conv1d(x, ones, None, one.stride, one.padding, one.dilation)
        outputs.append(x)
    return outputs


# ------------------------------------------------------------------ the known networks


def rows_of(name):
    """Kernel, stride, padding and dilation of a torchvision model's main path, by name and field.

    Left out are projections, which stand beside the main path, and global or adaptive pooling.
    """
    with torch.device("meta"):
        model = getattr(torchvision.models, name)(weights=None)
    table = trace(model, (3, 224, 224))
    rows = [row for row in table if row.kernel is not None and row.dilation is not None]
    return table, [row for row in rows if "downsample" not in row.name]


@pytest.mark.parametrize(
    ("name", "size", "start"), [("alexnet", 195, -66), ("vgg16", 212, -90), ("resnet18", 435, -217)]
)
def test_known_networks_equal_torchvisions(name, size, start):
    table, rows = rows_of(name)
    explorer = ReceptiveFieldExplorer(preset=name)
    settings = [(row.kernel, row.stride, row.padding, row.dilation) for row in rows]
    assert [row[1:] for row in explorer.rows] == settings
    assert explorer.output_sizes == [row.output_shape[-1] for row in rows]
    assert explorer.fields == [row.receptive_field for row in rows]
    assert explorer.fields[-1] == table.receptive_field  # of all branches together
    assert (explorer.fields[-1].size, explorer.fields[-1].start) == (size, start)
    for shown, row in zip(explorer.rows, rows, strict=True):
        kind = "pool" if "pool" in row.op else "conv"
        assert kind in shown[0]
        if name == "resnet18":
            assert shown[0] == row.name
    if name == "resnet18":
        assert size > explorer.input_size  # as its note says


def test_a_skip_sees_less_than_the_path_beside_it():
    table, _ = rows_of("resnet18")
    projections = [row for row in table if "downsample" in row.name and row.kernel is not None]
    assert len(projections) == 3
    for row in projections:
        path = table[row.name.replace("downsample.0", "conv2")].receptive_field
        skip = row.receptive_field
        assert path.start <= skip.start
        assert skip.start + skip.size <= path.start + path.size


def test_two_layers_see_as_far_as_one():
    explorer = ReceptiveFieldExplorer()
    one = ReceptiveFieldExplorer([Layer(5)], input_size=9)
    assert explorer.fields[-1] == one.fields[-1]
    assert explorer.output_sizes[-1] == one.output_sizes[-1]


def test_a_stride_leaves_its_own_field_and_doubles_what_follows():
    rows = ReceptiveFieldExplorer(preset="stride").rows
    strided = [field.size for field in receptive_field(Layer(*row[1:]) for row in rows)]
    plain = [field.size for field in receptive_field([Layer(3)] * 3)]
    assert rows[0][2] == 2
    assert strided[0] == plain[0]
    assert strided == [3, 7, 11]
    assert plain == [3, 5, 7]


def test_dilations_double_what_a_layer_adds():
    explorer = ReceptiveFieldExplorer(preset="dilation")
    assert [field.size for field in explorer.fields] == [3, 7, 15, 31, 63]
    assert set(explorer.output_sizes) == {64}
    assert {row[1] for row in explorer.rows} == {3}


def test_assignment_net_is_one():
    stack = PRESETS["assignment"]
    explorer = ReceptiveFieldExplorer(preset="assignment")
    names = [row[0] for row in explorer.rows]
    assert stack.input_size == 32
    assert explorer.output_sizes[-1] == 4
    assert explorer.fields[-1].size > 44
    last_of_c3 = explorer.fields[names.index("pool3")].size
    assert last_of_c3 == 44  # not more: block C4 is what lifts it above
    assert [row[1:3] for row in explorer.rows if row[0].startswith("pool")] == [(2, 2)] * 3
    assert {name[:2] for name in names if name.startswith("C")} == {"C1", "C2", "C3", "C4"}
    assert explorer.rows[names.index("C3.dilated")][4] > 1
    pair = names.index("C2.depthwise")
    assert [row[1] for row in explorer.rows[pair : pair + 2]] == [3, 1]
    assert names[pair + 1] == "C2.pointwise"


# ------------------------------------------------------------------ numbers


@pytest.mark.parametrize("settings", STACKS)
def test_sizes_and_pixels_equal_pytorchs(settings):
    explorer = ReceptiveFieldExplorer(**settings)
    x = torch.ones(1, 1, explorer.input_size, dtype=torch.float64, requires_grad=True)
    outputs = convolved(x, explorer.layers)
    assert explorer.output_sizes == [output.shape[-1] for output in outputs]
    assert explorer.fields == receptive_field(settings["layers"])
    for number, output in enumerate(outputs, 1):
        for index in range(output.shape[-1]):
            (gradient,) = torch.autograd.grad(output[0, 0, index], x, retain_graph=True)
            read = gradient[0, 0].nonzero().flatten().tolist()
            assert explorer.pixels_read(number, index) == read


def test_layers_are_read_and_written():
    explorer = ReceptiveFieldExplorer()
    assert explorer.layers == [Layer(3), Layer(3)]
    explorer.layers = [Layer(3, stride=2, padding=1), Layer(3, padding="valid")]
    assert [row[0] for row in explorer.rows] == ["conv", "conv"]
    assert explorer.fields == receptive_field([Layer(3, 2, 1), Layer(3)])
    explorer.input_size = 32
    assert explorer.output_sizes == [16, 14]


def test_middle_output_of_the_last_layer_is_chosen():
    assert ReceptiveFieldExplorer([Layer(3)], input_size=9).selected == (1, 3)
    assert ReceptiveFieldExplorer([Layer(3)], input_size=8).selected == (1, 2)
    explorer = ReceptiveFieldExplorer(preset="alexnet")
    assert explorer.selected == explorer.chosen == (8, 2)


def test_what_is_chosen_stays_inside_what_there_is():
    explorer = ReceptiveFieldExplorer(selected=(2, 4))
    explorer.input_size = 6
    assert explorer.chosen == (2, 1)
    explorer.layers = [Layer(3)]
    assert explorer.chosen == (1, 3)
    explorer.layers = [Layer(7)]
    assert explorer.chosen is None
    assert explorer.summary == "No layer has an output."


def test_layers_from_the_first_without_output_on_have_no_numbers():
    explorer = ReceptiveFieldExplorer()
    explorer.layers = [Layer(3), Layer(9, dilation=2), Layer(3)]
    with pytest.raises(ValueError, match="spans 17 pixels") as caught:
        conv_output_size(7, 9, dilation=2)
    assert explorer.problem == f"Layer 2 (conv): {caught.value}"
    assert explorer.output_sizes == [7, None, None]
    assert explorer.fields == [*receptive_field([Layer(3)]), None, None]
    assert explorer.chosen == (1, 2)
    explorer.layers = [Layer(3)]
    assert explorer.problem is None


def test_numbers_stay_exact_in_javascript():
    strided = [Layer(1, stride=16, padding=512)] * 6
    explorer = ReceptiveFieldExplorer([Layer(3)])
    explorer.layers = strided
    assert explorer.problem == (
        f"Layer 5 (conv): jump={16**5} is more than {LARGEST_JUMP}; use smaller strides"
    )
    assert explorer.output_sizes[3:] == [69, None, None]
    count, kernel, dilation = (LIMITS[key][1] for key in ("layers", "kernel_size", "dilation"))
    largest = 1 + count * dilation * (kernel - 1) * LARGEST_JUMP
    assert largest < 2**53


@pytest.mark.parametrize(
    ("settings", "summary"),
    [
        ({}, "Output 2 of layer 2 sees input pixels 2 to 6: 5 pixels."),
        ({"selected": (1, 0)}, "Output 0 of layer 1 sees input pixels 0 to 2: 3 pixels."),
        (
            {"layers": [Layer(1)], "selected": (1, 4)},
            "Output 4 of layer 1 sees input pixel 4: 1 pixel.",
        ),
        (
            {"layers": [Layer(3, padding=1)] * 2, "selected": (2, 0)},
            "Output 0 of layer 2 sees input pixels −2 to 2: 5 pixels, 2 of them outside the input, "
            "where padding stands in.",
        ),
        (
            {"layers": [Layer(3, dilation=2)] * 3, "input_size": 17},
            "Output 2 of layer 3 sees input pixels 2 to 14: 13 pixels. Of the 13 inside it skips "
            "6.",
        ),
        (
            {"layers": [Layer(3, padding=2, dilation=2)], "selected": (1, 0)},
            "Output 0 of layer 1 sees input pixels −2 to 2: 5 pixels, 2 of them outside the input, "
            "where padding stands in. Of the 3 inside it skips 1.",
        ),
        (
            {"layers": [Layer(1, padding=2)], "selected": (1, 0)},
            "Output 0 of layer 1 sees input pixel −2: 1 pixel, outside the input, where "
            "padding stands in.",
        ),
    ],
)
def test_summary(settings, summary):
    explorer = ReceptiveFieldExplorer(**{"input_size": 9, "layers": [Layer(3)] * 2} | settings)
    assert explorer.summary == summary


# ------------------------------------------------------------------ refusals


# ------------------------------------------------------------------ what a notebook stores


@pytest.mark.parametrize("settings", [*STACKS[:20], *({"preset": key} for key in PRESETS)])
def test_line_computes_the_fields(settings):
    explorer = ReceptiveFieldExplorer(**settings)
    scope = {"receptive_field": receptive_field, "Layer": Layer}
    assert eval(explorer.code, scope) == explorer.fields


def test_fragment():
    layers = [Layer(3), Layer(3, 2, 1, 2)]
    assert ReceptiveFieldExplorer(layers, input_size=32).fragment == "#rf=32;3.1.0.1,3.2.1.2"


def test_presets_are_valid_and_short():
    for key, stack in PRESETS.items():
        explorer = ReceptiveFieldExplorer(preset=key)
        assert explorer.rows == tuple(stack.rows)
        assert len(stack.label) < 20
        assert stack.note.endswith(".")
    labels = [stack.label for stack in PRESETS.values()]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("settings", [{"preset": "resnet18"}, *STACKS[:5]])
def test_static_form_is_the_table(settings):
    explorer = ReceptiveFieldExplorer(**settings)
    html = explorer.static_html()
    assert "<script" not in html
    rows = [
        [cell.replace("−", "-") for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)]
        for row in re.findall("<tr>(.*?)</tr>", html)
    ]
    assert rows[0][1:] == [
        *("kernel_size", "stride", "padding", "dilation", "output", "field", "jump", "start")
    ]
    expected = zip(explorer.rows, explorer.output_sizes, explorer.fields, strict=True)
    assert [[row[0], *map(int, row[1:])] for row in rows[1:]] == [
        [*row, size, *field] for row, size, field in expected
    ]
    assert explorer.summary in html
    assert explorer.code in html


def test_static_form_says_what_does_not_fit():
    explorer = ReceptiveFieldExplorer()
    explorer.rows = [["<b>", 10, 1, 0, 1], ["conv", 1, 1, 0, 1]]
    html = explorer.static_html()
    assert html.count("<td>\N{EN DASH}</td>") == 8
    assert "Layer 1 (&lt;b&gt;): kernel_size=10 is larger than the padded input 9+2*0" in html
    assert "<b>" not in html
