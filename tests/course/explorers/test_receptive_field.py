"""The receptive-field explorer without a browser: its stacks, numbers, words and addresses.

The front end's numbers, in Node, are compared with Python's and PyTorch's.
"""

import itertools
import random
import re

import pytest
import torch
import torch.nn.functional as F
import torchvision

from convbook.analysis import trace
from convbook.analysis.link import LARGEST_JUMP, LIMITS, SETTINGS
from convbook.arithmetic import Layer, conv_output_size, receptive_field
from convbook.course.explorers import ReceptiveFieldExplorer
from convbook.course.explorers.stacks import PRESETS
from tests.helpers.javascript import module
from tests.helpers.receptive_fields import explorer_with, pixels_read, stack_of

LEVELS = module("parts/receptive_field_levels.js")
WORDS = module("parts/receptive_field_words.js")
ADDRESS = module("parts/receptive_field_address.js")
STACKS = module("parts/receptive_field_stacks.js")


SMALL = [(1, 5), (1, 3), (0, 3), (1, 3)]


def random_stack(rng, limits, most, largest):
    layers = [Layer(*(rng.randint(*one) for one in limits)) for _ in range(rng.randint(1, most))]
    return layers, rng.randint(1, largest)


def fitting_stacks(count):
    rng, found = random.Random(0), []
    while len(found) < count:
        layers, size = random_stack(rng, SMALL, 4, 40)
        if not explorer_with(layers, size).problem:
            found.append((layers, size))
    return found


def every_stack():
    """Every small setting of one layer, and stacks from small ranges and the largest; the presets.

    Many do not fit.
    """
    for size, *settings in itertools.product(
        range(1, 10), range(1, 5), (1, 2, 3), (0, 1, 2), (1, 2)
    ):
        yield [Layer(*settings)], size
    rng, limits = random.Random(0), [LIMITS[name] for name in SETTINGS]
    for i in range(300):
        yield random_stack(rng, SMALL if i % 4 else limits, 8, 2048 if i % 2 else 64)
    for size, rows in PRESETS.values():
        yield [Layer(*row[1:]) for row in rows], size


FITTING = fitting_stacks(20)


# ------------------------------------------------------------------ the stacks on offer


def test_the_front_end_has_pythons_presets_and_limits():
    presets = STACKS.PRESETS()
    assert [one["key"] for one in presets] == list(PRESETS)
    for shown, (size, rows) in zip(presets, PRESETS.values(), strict=True):
        assert shown["settings"] == {"input_size": size, "rows": [list(row) for row in rows]}
        assert len(shown["label"]) < 20
        assert shown["note"].endswith(".")
    limits = {**LIMITS, "jump": (1, LARGEST_JUMP)}
    assert STACKS.LIMITS() == {name: list(pair) for name, pair in limits.items()}
    assert STACKS.SETTINGS() == list(SETTINGS)


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
        assert ("pool" if "pool" in row.op else "conv") in shown[0]
        assert shown[0] == row.name or name != "resnet18"


def test_a_skip_sees_less_than_the_path_beside_it():
    table, _ = rows_of("resnet18")
    projections = [row for row in table if "downsample" in row.name and row.kernel is not None]
    assert len(projections) == 3
    for row in projections:
        path = table[row.name.replace("downsample.0", "conv2")].receptive_field
        skip = row.receptive_field
        assert path.start <= skip.start
        assert skip.start + skip.size <= path.start + path.size
    explorer = ReceptiveFieldExplorer(preset="resnet18")
    assert explorer.fields[-1].size > explorer.input_size


def test_what_the_notes_say():
    one, two = ReceptiveFieldExplorer([Layer(5)], input_size=9), ReceptiveFieldExplorer()
    assert (one.fields[-1], one.output_sizes[-1]) == (two.fields[-1], two.output_sizes[-1])
    strided = ReceptiveFieldExplorer(preset="stride")
    assert strided.rows[0][2] == 2
    assert [field.size for field in strided.fields] == [3, 7, 11]
    assert [field.size for field in receptive_field([Layer(3)] * 3)] == [3, 5, 7]
    dilated = ReceptiveFieldExplorer(preset="dilation")
    assert [field.size for field in dilated.fields] == [3, 7, 15, 31, 63]
    assert set(dilated.output_sizes) == {64}
    assert {row[1] for row in dilated.rows} == {3}


def test_assignment_net_is_one():
    explorer = ReceptiveFieldExplorer(preset="assignment")
    names = [row[0] for row in explorer.rows]
    assert (explorer.input_size, explorer.output_sizes[-1]) == (32, 4)
    assert explorer.fields[-1].size > 44
    assert explorer.fields[names.index("pool3")].size == 44  # not more: C4 is what lifts it above
    assert [row[1:3] for row in explorer.rows if row[0].startswith("pool")] == [(2, 2)] * 3
    assert {name[:2] for name in names if name.startswith("C")} == {"C1", "C2", "C3", "C4"}
    assert explorer.rows[names.index("C3.dilated")][4] > 1
    pair = names.index("C2.depthwise")
    assert [row[1] for row in explorer.rows[pair : pair + 2]] == [3, 1]
    assert names[pair + 1] == "C2.pointwise"


# ------------------------------------------------------------------ numbers


@pytest.mark.parametrize(("layers", "size"), FITTING)
def test_sizes_and_pixels_equal_pytorchs(layers, size):
    explorer = ReceptiveFieldExplorer(layers, input_size=size)
    x = outputs = torch.ones(1, 1, explorer.input_size, dtype=torch.float64, requires_grad=True)
    assert explorer.fields == receptive_field(layers)
    levels = LEVELS.measure(stack_of(explorer))["levels"]
    for number, one in enumerate(explorer.layers, 1):
        ones = torch.ones(1, 1, one.kernel_size, dtype=torch.float64)
        outputs = F.conv1d(outputs, ones, None, one.stride, one.padding, one.dilation)
        assert explorer.output_sizes[number - 1] == outputs.shape[-1]
        for index in range(outputs.shape[-1]):
            (gradient,) = torch.autograd.grad(outputs[0, 0, index], x, retain_graph=True)
            read = gradient[0, 0].nonzero().flatten().tolist()
            assert pixels_read(layers[:number], size, index) == read
            reach = LEVELS.reachOf(levels, explorer.rows, number, index)
            assert numbers_in(reach[0]["read"]) == read


def numbers_in(runs):
    return [number for first, last in runs for number in range(first, last + 1)]


def test_the_front_end_computes_what_python_does():
    explorer = ReceptiveFieldExplorer()
    counts = {"fits": 0, "does not": 0, "outside": 0, "skips": 0}
    rng = random.Random(1)
    for layers, size in every_stack():
        explorer.layers, explorer.input_size = layers, size
        stack, sizes, problem = stack_of(explorer), explorer.output_sizes, explorer.problem
        known = [field for field in explorer.fields if field]
        counts["does not" if problem else "fits"] += 1
        layer = rng.randint(1, max(1, len(known)))
        output = rng.randrange(sizes[layer - 1] or 1)
        found = LEVELS.measure(stack, [layer, output])
        levels = found["levels"]
        assert [(x["size"], x["jump"], x["start"]) for x in levels[1:]] == known, explorer
        assert [x["count"] for x in levels[1:]] == [n for n in sizes if n]
        assert found["problem"] == problem
        assert found["chosen"] == ([layer, output] if known else None)
        assert WORDS.packageLine(explorer.rows) == explorer.code
        if not known:
            continue
        assert_reach(explorer, [size, *sizes], levels, layer, output)
        steps = WORDS.stepsOf(levels, explorer.rows, layer)
        assert [result for *_, result in steps] == list(known[layer - 1])
        sums = [numbers.replace("−", "-").replace("·", "*") for _, _, numbers, _ in steps]
        assert [eval(one) for one in sums] == list(known[layer - 1])
        summary = WORDS.summaryOf(levels, explorer.rows, [layer, output])
        counts["outside"] += "outside" in summary
        counts["skips"] += "skips" in summary
    assert min(counts.values()) > 80


def assert_reach(explorer, sizes, levels, layer, output):
    """At each level, the ends are the field of the layers above it and what is read feeds it."""
    reach = LEVELS.reachOf(levels, explorer.rows, layer, output)
    assert len(reach) == layer + 1
    for level, got in enumerate(reach):
        above = explorer.layers[level:layer]
        size, jump, start = receptive_field(above)[-1] if above else (1, 1, 0)
        first = start + output * jump
        assert (got["first"], got["last"]) == (first, first + size - 1)
        assert numbers_in(got["read"]) == pixels_read(above, sizes[level], output)


def test_what_is_selected_is_brought_inside_what_there_is():
    measure = LEVELS.measure
    assert measure(stack_of(explorer_with([Layer(3)] * 2, 6)), [2, 4])["chosen"] == [2, 1]
    assert measure(stack_of(explorer_with([Layer(3)], 6)), [2, 9])["chosen"] == [1, 3]
    assert measure(stack_of(explorer_with([Layer(7)], 6)), [1, 0])["chosen"] is None


@pytest.mark.parametrize("preset", ["two_3x3", "stride"])
def test_nearest_output_is_the_one_drawn_over_a_pixel(preset):
    explorer = ReceptiveFieldExplorer(preset=preset)
    field, count = explorer.fields[-1], explorer.output_sizes[-1]
    middles = [field.start + i * field.jump + field.size / 2 for i in range(count)]
    for place in (number / 4 for number in range(-20, 100)):
        index = LEVELS.outputAt({**field._asdict(), "count": count}, place)
        assert abs(place - middles[index]) == min(abs(place - middle) for middle in middles)


def test_layers_are_read_and_written():
    explorer = ReceptiveFieldExplorer()
    assert explorer.layers == [Layer(3), Layer(3)]
    explorer.layers = [Layer(3, stride=2, padding=1), Layer(3, padding="valid")]
    assert [row[0] for row in explorer.rows] == ["conv", "conv"]
    assert explorer.fields == receptive_field([Layer(3, 2, 1), Layer(3)])
    explorer.input_size = 32
    assert explorer.output_sizes == [16, 14]
    # The middle output of the last layer is chosen, the first of two.
    assert ReceptiveFieldExplorer([Layer(3)], input_size=8).selected == (1, 2)
    assert ReceptiveFieldExplorer(preset="alexnet").selected == (8, 2)


def test_layers_from_the_first_without_output_on_have_no_numbers():
    explorer = explorer_with([Layer(3), Layer(9, dilation=2), Layer(3)], 9)
    with pytest.raises(ValueError, match="spans 17 pixels") as caught:
        conv_output_size(7, 9, dilation=2)
    assert explorer.problem == f"Layer 2 (conv): {caught.value}"
    assert explorer.output_sizes == [7, None, None]
    assert explorer.fields == [*receptive_field([Layer(3)]), None, None]
    explorer.layers = [Layer(3)]
    assert explorer.problem is None


def test_numbers_stay_exact_in_javascript():
    explorer = explorer_with([Layer(1, stride=16, padding=512)] * 6, 9)
    assert explorer.problem == (
        f"Layer 5 (conv): jump={16**5} is more than {LARGEST_JUMP}; use smaller strides"
    )
    assert explorer.output_sizes[3:] == [69, None, None]
    count, kernel, dilation = (LIMITS[key][1] for key in ("layers", "kernel_size", "dilation"))
    assert 1 + count * dilation * (kernel - 1) * LARGEST_JUMP < 2**53


# ------------------------------------------------------------------ words


@pytest.mark.parametrize(
    ("layers", "size", "chosen", "summary"),
    [
        ([Layer(3)] * 2, 9, (2, 2), "Output 2 of layer 2 sees input pixels 2 to 6: 5 pixels."),
        ([Layer(1)], 9, (1, 4), "Output 4 of layer 1 sees input pixel 4: 1 pixel."),
        (
            [Layer(3, padding=1)] * 2, 9, (2, 0),
            "Output 0 of layer 2 sees input pixels −2 to 2: 5 pixels, 2 of them outside the input, "
            "where padding stands in.",
        ),
        (
            [Layer(3, dilation=2)] * 3, 17, (3, 2),
            "Output 2 of layer 3 sees input pixels 2 to 14: 13 pixels. Of the 13 inside it skips "
            "6.",
        ),
        (
            [Layer(3, padding=2, dilation=2)], 9, (1, 0),
            "Output 0 of layer 1 sees input pixels −2 to 2: 5 pixels, 2 of them outside the input, "
            "where padding stands in. Of the 3 inside it skips 1.",
        ),
        (
            [Layer(1, padding=2)], 9, (1, 0),
            "Output 0 of layer 1 sees input pixel −2: 1 pixel, outside the input, where "
            "padding stands in.",
        ),
        ([Layer(10)], 9, None, "No layer has an output."),
    ],
)  # fmt: skip
def test_summary(layers, size, chosen, summary):
    explorer = explorer_with(layers, size)
    levels = LEVELS.measure(stack_of(explorer))["levels"]
    assert WORDS.summaryOf(levels, explorer.rows, chosen) == summary


def test_script_prints_every_layer(capsys):
    explorer = ReceptiveFieldExplorer(preset="resnet18")
    exec(WORDS.packageScript(explorer.rows), {})
    pairs = zip(explorer.layers, explorer.fields, strict=True)
    assert capsys.readouterr().out.splitlines() == [f"{layer} {field}" for layer, field in pairs]


def test_line_computes_the_fields():
    scope = {"receptive_field": receptive_field, "Layer": Layer}
    for layers, size in FITTING:
        explorer = ReceptiveFieldExplorer(layers, input_size=size)
        assert eval(explorer.code, scope) == explorer.fields


# ------------------------------------------------------------------ addresses


def test_a_preset_comes_back_with_its_names():
    for preset in STACKS.PRESETS():
        fragment = ADDRESS.stackFragment("rf", preset["settings"])
        assert fragment == ReceptiveFieldExplorer(preset=preset["key"]).fragment
        assert ADDRESS.stackIn("rf", fragment) == preset["settings"]


def test_signs_escaped_on_the_way_are_understood():
    rows = [["conv", 3, 1, 1, 1], ["conv", 5, 1, 0, 1]]
    for fragment in ("#rf=20%3B3.1.1.1%2C5.1.0.1", "#rf%3D20%3b3.1.1.1%2c5.1.0.1"):
        assert ADDRESS.stackIn("rf", fragment) == {"input_size": 20, "rows": rows}


@pytest.mark.parametrize("fragment", ["", "#", "#section", "#rf", "#rf2=9;1.1.0.1", "#%E0%A4%A"])
def test_other_fragments_are_left_alone(fragment):
    assert ADDRESS.stackIn("rf", fragment) is None


@pytest.mark.parametrize(
    ("fragment", "problem"),
    [
        ("#rf=", "use an input size of 1 to 2048"),
        ("#rf=0;3.1.1.1", "use an input size of 1 to 2048"),
        ("#rf=9", "give layer 1 4 numbers with points between"),
        ("#rf=9;3.1.1.1,", "give layer 2 4 numbers with points between"),
        ("#rf=9;3.1.1.1;3.1.1.1", "list 1 to 40 layers after the input size"),
        ("#rf=9;" + ",".join(["1.1.0.1"] * 41), "list 1 to 40 layers after the input size"),
        ("#rf=9;3.1.1.1,33.1.1.1", "use kernel_size 1 to 32 in layer 2"),
        ("#rf=9;3.0.1.1", "use stride 1 to 16 in layer 1"),
        ("#rf=9;3.1.-1.1", "use padding 0 to 512 in layer 1"),
        ("#rf=9;3.1.1.999999999999", "use dilation 1 to 512 in layer 1"),
        ("#rf=9;<b>.1.1.1", "use kernel_size 1 to 32 in layer 1"),
        ("#rf=9;%E0%A4%A.1.1.1", "use kernel_size 1 to 32 in layer 1"),
    ],
)
def test_bad_links_are_explained(fragment, problem):
    assert ADDRESS.stackIn("rf", fragment) == {"problem": problem}


# ------------------------------------------------------------------ the form without JavaScript


@pytest.mark.parametrize(("layers", "size"), FITTING[:5])
def test_static_form_is_the_table(layers, size):
    explorer = ReceptiveFieldExplorer(layers, input_size=size)
    html = explorer.static_html()
    rows = [
        [cell.replace("−", "-") for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)]
        for row in re.findall("<tr>(.*?)</tr>", html)
    ]
    assert rows[0] == ["layer", *SETTINGS, "output", "field", "jump", "start"]
    expected = zip(explorer.rows, explorer.output_sizes, explorer.fields, strict=True)
    assert [[row[0], *map(int, row[1:])] for row in rows[1:]] == [
        [*row, size, *field] for row, size, field in expected
    ]
    assert explorer.code in html


def test_static_form_says_what_does_not_fit():
    explorer = ReceptiveFieldExplorer()
    explorer.rows = [["<b>", 10, 1, 0, 1], ["conv", 1, 1, 0, 1]]
    html = explorer.static_html()
    assert html.count("<td>\N{EN DASH}</td>") == 8
    assert "Layer 1 (&lt;b&gt;): kernel_size=10 is larger than the padded input 9+2*0" in html
    assert "<b>" not in html
