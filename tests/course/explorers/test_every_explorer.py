"""What all explorers have in common on the Python side: refusals, messages, state and text."""

import json

import pytest

from convbook.arithmetic import Layer
from convbook.course.explorers import (
    AssignmentBench,
    ConvStepper,
    CostExplorer,
    CoverageExplorer,
    MatrixView,
    PhotographExplorer,
    ReceptiveFieldExplorer,
    ShuffleExplorer,
    WhatAilsThisRun,
    WhatReachesLayer50,
)
from convbook.course.explorers.sources import names
from convbook.course.mime_types import EXPLORER, VIEW
from tests.helpers.explorer_pages import ALL, of_each


def test_every_front_end_has_an_explorer():
    assert sorted([*(make._explorer for make in ALL), "quiz"]) == names()


# ------------------------------------------------------------------ refusals

BAD_ARGUMENTS = {
    AssignmentBench: [
        ({"preset": "lenet"}, ValueError, ["preset='lenet'", "'broken'", "'second'"]),
        ({"preset": "broken", "rows": [("flatten",)]}, ValueError, ["preset='broken'", "rows out"]),
        ({"profile": "s7"}, ValueError, ["profile='s7'", "'s7-2020' or 's7-2021'"]),
        ({"rows": []}, ValueError, ["len(rows)=0", "1 to 18"]),
        ({"rows": [("flatten",)] * 19}, ValueError, ["len(rows)=19", "1 to 18"]),
        ({"rows": "conv"}, TypeError, ["rows='conv' is no list"]),
        ({"rows": ["conv"]}, TypeError, ["rows[0]='conv' is no row"]),
        ({"rows": [("dense", 10)]}, ValueError, ["rows[0] is of kind 'dense'", "'linear'"]),
        ({"rows": [(["conv"], 10)]}, ValueError, ["rows[0] is of kind ['conv']"]),
        ({"rows": [("conv", 16)]}, ValueError, ["rows[0]=('conv', 16) has 1", "dilation)"]),
        ({"rows": [("linear", 1025)]}, ValueError, ["rows[0].filters=1025", "1 to 1024"]),
        ({"rows": [("max_pool", 2.0, 2, 0)]}, TypeError, ["rows[0].kernel_size=2.0"]),
    ],
    ConvStepper: [
        ({"stride": 0}, ValueError, ["stride=0", "1 to 4"]),
        ({"stride": -1}, ValueError, ["stride=-1"]),
        ({"stride": 1.0}, TypeError, ["stride=1.0", "1 to 4"]),
        ({"stride": True}, TypeError, ["stride=True"]),
        ({"stride": "2"}, TypeError, ["stride='2'"]),
        ({"stride": (1, 2, 3)}, ValueError, ["stride=(1, 2, 3)", "(rows, columns)"]),
        ({"stride": (1, 5)}, ValueError, ["stride=5", "1 to 4"]),
        ({"padding": ((0, 1), (2, 5))}, ValueError, ["padding=5", "0 to 4"]),
        ({"input_size": (5, 2)}, ValueError, ["from left to right", "2+0+0"]),
        ({"plain": 1}, TypeError, ["plain=1", "True or False"]),
        ({"input_size": 11}, ValueError, ["input_size=11", "1 to 10"]),
        ({"kernel_size": 6}, ValueError, ["kernel_size=6", "1 to 5"]),
        ({"dilation": 4}, ValueError, ["dilation=4"]),
        ({"padding": -1}, ValueError, ["padding=-1"]),
        ({"padding": (1, 2, 3)}, ValueError, ["padding=(1, 2, 3)", "before, after"]),
        ({"padding": "same"}, TypeError, ["padding='same'"]),
        ({"mode": "same"}, ValueError, ["mode='same'", "transposed"]),
        ({"input_size": 2, "kernel_size": 3}, ValueError, ["kernel_size=3", "2+0+0", "padding"]),
        ({"mode": "transposed", "output_padding": 1}, ValueError, ["output_padding=1", "0 or"]),
        ({"mode": "transposed", "input_size": 1, "padding": 4}, ValueError, ["padding=(4, 4)"]),
        ({"mode": "transposed", "input_size": 10, "stride": 3}, ValueError, ["input_size=10"]),
        ({"selected": (3, 0)}, ValueError, ["selected=(3, 0)", "0 to 2"]),
        ({"input": [[1, 2], [3]]}, ValueError, ["input", "square"]),
        ({"input": [1, 2]}, TypeError, ["input=[1, 2]", "rows"]),
        ({"input": []}, ValueError, ["input", "square"]),
        ({"input": [["1"]]}, TypeError, ["input holds '1'"]),
        ({"input": [[float("nan")]]}, ValueError, ["input holds nan"]),
        ({"input": [[10000]]}, ValueError, ["input holds 10000", "9999"]),
        ({"input": [[0] * 11] * 11}, ValueError, ["input is 11 by 11", "10 by 10"]),
        ({"input": [[0] * 5] * 5, "input_size": 4}, ValueError, ["input_size=4", "5 by 5"]),
    ],
    CostExplorer: [
        ({"in_channels": 0}, ValueError, ["in_channels=0", "1 to 4096"]),
        ({"out_channels": 4097}, ValueError, ["out_channels=4097", "1 to 4096"]),
        ({"in_channels": 16.0}, TypeError, ["in_channels=16.0"]),
        ({"kernel_size": 4}, ValueError, ["kernel_size=4 is even", "odd"]),
        ({"kernel_size": 13}, ValueError, ["kernel_size=13", "1 to 11"]),
        ({"kernel_size": (3, 3)}, TypeError, ["kernel_size=(3, 3)"]),
        ({"groups": 0}, ValueError, ["groups=0"]),
        ({"groups": 3}, ValueError, ["groups=3", "in_channels=16", "use groups=2"]),
        ({"in_channels": 6}, ValueError, ["groups=4", "in_channels=6", "use groups=2"]),
        ({"input_size": 1025}, ValueError, ["input_size=1025", "1 to 1024"]),
        ({"stride": 3}, ValueError, ["stride=3", "1 to 2"]),
        ({"bias": 1}, TypeError, ["bias=1", "True or False"]),
        ({"middle": "both"}, ValueError, ["middle='both'", "'in' or 'out'"]),
        ({"show": "separable"}, ValueError, ["show='separable'", "'depthwise_separable'"]),
        ({"preset": "lenet"}, ValueError, ["preset='lenet'", "'example'", "'pointwise'"]),
    ],
    CoverageExplorer: [
        ({"dilations": 2}, TypeError, ["dilations=2 is no list", "[1, 2, 5]"]),
        ({"dilations": []}, ValueError, ["len(dilations)=0", "1 to 6"]),
        ({"dilations": [1] * 7}, ValueError, ["len(dilations)=7", "1 to 6"]),
        ({"dilations": [1, 0]}, ValueError, ["dilations[1]=0", "1 to 16"]),
        ({"dilations": [17]}, ValueError, ["dilations[0]=17", "1 to 16"]),
        ({"dilations": [1.5]}, TypeError, ["dilations[0]=1.5"]),
        ({"kernel_size": 8}, ValueError, ["kernel_size=8", "1 to 7"]),
        ({"kernel_size": "3"}, TypeError, ["kernel_size='3'"]),
        ({"stride": 5}, ValueError, ["stride=5", "1 to 4"]),
        ({"dilation": 4}, ValueError, ["dilation=4", "1 to 3"]),
        ({"size": 0}, ValueError, ["size=0", "1 to 8"]),
        ({"mode": "both"}, ValueError, ["mode='both'", "'dilated' or 'transposed'"]),
        ({"position": 13}, ValueError, ["position=13", "0 to 12"]),
        ({"position": -1}, ValueError, ["position=-1"]),
        ({"preset": "aspp"}, ValueError, ["preset='aspp'", "'fixed'", "'shared'"]),
    ],
    MatrixView: [
        ({"input_size": 2}, ValueError, ["input_size=2", "3 to 5"]),
        ({"input_size": 6}, ValueError, ["input_size=6", "3 to 5"]),
        ({"kernel_size": 4}, ValueError, ["kernel_size=4", "1 to 3"]),
        ({"stride": 3}, ValueError, ["stride=3", "1 to 2"]),
        ({"stride": 1.0}, TypeError, ["stride=1.0", "1 to 2"]),
        ({"padding": 2}, ValueError, ["padding=2", "0 to 1"]),
        ({"padding": (1, 1)}, TypeError, ["padding=(1, 1)", "0 to 1"]),
        ({"view": "sparse"}, ValueError, ["view='sparse'", "'dense' or 'im2col'"]),
        ({"show": None}, ValueError, ["show=None", "'letters' or 'numbers'"]),
        ({"input": [[1]]}, ValueError, ["input is 1 by 1", "3 by 3 to 5 by 5"]),
        ({"input": [[0] * 6] * 6}, ValueError, ["input is 6 by 6", "5 by 5"]),
        ({"kernel": [[0] * 4] * 4}, ValueError, ["kernel is 4 by 4", "3 by 3"]),
        ({"kernel": [[1, 2], [3]]}, ValueError, ["kernel", "square"]),
        ({"kernel": [["p"]]}, TypeError, ["kernel holds 'p'"]),
        ({"kernel": [[1]], "kernel_size": 2}, ValueError, ["kernel_size=2", "1 by 1"]),
        ({"selected": 0}, TypeError, ["selected=0", "('output', 0)"]),
        ({"selected": ("row", 0)}, ValueError, ["selected=('row', 0)", "'output', 'pixel'"]),
        ({"selected": ("output", "a")}, TypeError, ["selected[1]='a'", "0 to 48"]),
        ({"selected": ("output", -1)}, ValueError, ["selected[1]=-1", "0 to 48"]),
        (
            {"selected": ("output", 4)},
            ValueError,
            ["selected=('output', 4)", "4 outputs", "0 to 3"],
        ),
        ({"selected": ("pixel", 9)}, ValueError, ["9 pixels", "0 to 8"]),
        ({"selected": ("weight", 1), "kernel_size": 1}, ValueError, ["1 weight;", "0 to 0"]),
    ],
    PhotographExplorer: [
        ({"photograph": "lena"}, ValueError, ["photograph='lena'", "'grace_hopper' or 'chelsea'"]),
        ({"kernel": 1}, TypeError, ["kernel=1", "rows"]),
        ({"kernel": [[1, 2], [3, 4]]}, ValueError, ["kernel is 2 by 2", "7 by 7"]),
        ({"kernel": [[1, 2, 3], [4]]}, ValueError, ["kernel", "square"]),
        ({"kernel": [[0, 0, 0]] * 2 + [[0, 0, "1"]]}, TypeError, ["kernel holds '1'"]),
        ({"kernel": [[0, 0, 0]] * 2 + [[0, 0, 100]]}, ValueError, ["kernel holds 100", "99"]),
        ({"kernel": [[0, 0, 0]] * 2 + [[0, 0, 0.125]]}, ValueError, ["0.125", "two decimals"]),
        ({"kernel_size": 4}, ValueError, ["kernel_size=4", "3, 5 or 7"]),
        ({"kernel": [[0] * 3] * 3, "kernel_size": 3}, ValueError, ["kernel_size=3", "leave"]),
        ({"border": "wrap"}, ValueError, ["border='wrap'", "'zero' or 'reflect'"]),
        ({"view": "colour"}, ValueError, ["view='colour'", "'signed' or 'absolute'"]),
        ({"probe": 3}, TypeError, ["probe=3", "(row, column)"]),
        ({"probe": (0, 256)}, ValueError, ["probe[1]=256", "0 to 255"]),
        ({"preset": "sobel"}, ValueError, ["preset='sobel'", "'vertical'", "'identity'"]),
    ],
    ReceptiveFieldExplorer: [
        ({"preset": "lenet"}, ValueError, ["preset='lenet'", "'two_3x3'", "'resnet18'"]),
        ({"preset": "vgg16", "layers": [Layer(3)]}, ValueError, ["preset='vgg16'", "layers out"]),
        ({"layers": []}, ValueError, ["len(layers)=0", "1 to 40"]),
        ({"layers": [Layer(1)] * 41}, ValueError, ["len(layers)=41", "1 to 40"]),
        ({"layers": [3]}, TypeError, ["layers holds 3", "Layer("]),
        ({"layers": [Layer(33)]}, ValueError, ["layers[0].kernel_size=33", "1 to 32"]),
        ({"layers": [Layer(1), Layer(3, 17)]}, ValueError, ["layers[1].stride=17", "1 to 16"]),
        ({"layers": [Layer(3, padding=513)]}, ValueError, ["layers[0].padding=513", "0 to 512"]),
        ({"layers": [Layer(3, dilation=513)]}, ValueError, ["layers[0].dilation=513", "1 to 512"]),
        ({"layers": [Layer((3, 5))]}, TypeError, ["layers[0].kernel_size=(3, 5)"]),
        ({"layers": [Layer(3, padding="same")]}, TypeError, ["layers[0].padding='same'"]),
        ({"input_size": 0}, ValueError, ["input_size=0", "1 to 2048"]),
        ({"input_size": 2049}, ValueError, ["input_size=2049"]),
        ({"input_size": 9.0}, TypeError, ["input_size=9.0"]),
        (
            {"layers": [Layer(3), Layer(8)], "input_size": 9},
            ValueError,
            ["Layer 2 (conv)", "kernel_size=8", "7+2*0", "padding>=1"],
        ),
        ({"preset": "vgg16", "input_size": 31}, ValueError, ["Layer 18 (pool5)", "padding>=1"]),
        ({"selected": 2}, TypeError, ["selected=2", "(1, 0)"]),
        ({"selected": (0, 0)}, ValueError, ["selected[0]=0", "1 to 40"]),
        ({"selected": (1, -1)}, ValueError, ["selected[1]=-1"]),
        ({"selected": (3, 0)}, ValueError, ["selected=(3, 0)", "1 to 2"]),
        ({"selected": (2, 5)}, ValueError, ["selected=(2, 5)", "layer 2", "0 to 4"]),
    ],
    ShuffleExplorer: [
        ({"upscale_factor": 1}, ValueError, ["upscale_factor=1", "2 to 4"]),
        ({"upscale_factor": 2.0}, TypeError, ["upscale_factor=2.0"]),
        ({"channels": 4}, ValueError, ["channels=4", "1 to 3"]),
        ({"size": 0}, ValueError, ["size=0", "1 to 3"]),
        ({"direction": "up"}, ValueError, ["direction='up'", "'shuffle' or 'unshuffle'"]),
        ({"order": "caffe"}, ValueError, ["order='caffe'", "'pytorch' or 'tensorflow'"]),
        ({"show": "letters"}, ValueError, ["show='letters'", "'channels' or 'values'"]),
        ({"selected": 3}, TypeError, ["selected=3", "(channel, row, column)"]),
        ({"selected": (1, 0)}, TypeError, ["selected=(1, 0)"]),
        ({"selected": (48, 0, 0)}, ValueError, ["selected[0]=48", "0 to 47"]),
        ({"selected": (8, 0, 0)}, ValueError, ["selected=(8, 0, 0)", "(7, 1, 1)"]),
        ({"selected": (0, 2, 0)}, ValueError, ["selected=(0, 2, 0)", "(7, 1, 1)"]),
        ({"preset": "rgb"}, ValueError, ["preset='rgb'", "'example'", "'back'"]),
    ],
    WhatAilsThisRun: [
        ({"case": 0}, ValueError, ["case=0", "1 to 8"]),
        ({"case": 9}, ValueError, ["case=9", "1 to 8"]),
        ({"case": "high"}, TypeError, ["case='high'"]),
        ({"view": "all"}, ValueError, ["view='all'", "'cases' or 'compare'"]),
        ({"left": "flu"}, ValueError, ["left='flu'", "'healthy'", "'leak'"]),
        ({"right": "flu"}, ValueError, ["right='flu'", "'high'"]),
    ],
    WhatReachesLayer50: [
        ({"network": "vgg"}, ValueError, ["network='vgg'", "'plain'", "'residual'"]),
        ({"initialisation": "kaiming"}, ValueError, ["initialisation='kaiming'", "'he'"]),
        ({"initialisation": "zero"}, ValueError, ["'zero' needs a skip", "network='plain'"]),
        ({"depth": 5}, ValueError, ["depth=5", "50 or 6 or 10"]),
        ({"against": "plain"}, ValueError, ["against='plain'", "'plain.he'"]),
    ],
}


@pytest.mark.parametrize(("make", "arguments", "error", "words"), of_each(BAD_ARGUMENTS))
def test_bad_arguments_are_named(make, arguments, error, words):
    with pytest.raises(error) as caught:
        make(**arguments)
    for word in words:
        assert word in str(caught.value)


BAD_ASSIGNMENTS = {
    AssignmentBench: [
        ("rows", 3, TypeError, "rows=3"),
        ("rows", [["max_pool", 2, 6, 0]], ValueError, r"rows\[0\].stride=6"),
        ("profile", None, ValueError, "profile=None"),
    ],
    ConvStepper: [("stride", 9, ValueError, "stride=9"), ("padding", 1.5, TypeError, "padding")],
    CostExplorer: [
        ("kernel_size", 2, ValueError, "kernel_size=2 is even"),
        ("bias", "yes", TypeError, "bias='yes'"),
    ],
    CoverageExplorer: [
        ("dilations", [0], ValueError, "dilations"),
        ("stride", True, TypeError, "stride=True"),
    ],
    MatrixView: [
        ("view", "sparse", ValueError, "view='sparse'"),
        ("selected", ("row", 1), ValueError, "selected"),
    ],
    PhotographExplorer: [
        ("kernel", [[0]], ValueError, "kernel is 1 by 1"),
        ("probe", (0.5, 1), TypeError, "probe"),
    ],
    ReceptiveFieldExplorer: [
        ("rows", 3, TypeError, "rows=3"),
        (
            *("rows", [[3, 1, 0, 1]], TypeError),
            r"layers\[0\]=\[3, 1, 0, 1\]; use \(name, kernel_size",
        ),
        ("rows", [["conv", 3, 1, 0, 0]], ValueError, r"layers\[0\].dilation=0"),
        ("rows", [["", 3, 1, 0, 1]], ValueError, "1 to 24 letters"),
        ("rows", [["a" * 25, 3, 1, 0, 1]], ValueError, "1 to 24 letters"),
        ("rows", [[7, 3, 1, 0, 1]], ValueError, "is called 7"),
    ],
    ShuffleExplorer: [("channels", 0, ValueError, "channels=0")],
    WhatAilsThisRun: [
        ("diagnosis", "measles", ValueError, "diagnosis='measles'"),
        ("remedy", "tea", ValueError, "remedy='tea'"),
        ("seen", "test", TypeError, "seen='test' is no list"),
        ("seen", ["blood"], ValueError, "seen holds 'blood'"),
        ("solved", [0], ValueError, "list of 8"),
        ("solved", [6] * 8, ValueError, "solved=6"),
    ],
    WhatReachesLayer50: [("depth", "50", ValueError, "depth='50'")],
}


@pytest.mark.parametrize(("make", "name", "value", "error", "words"), of_each(BAD_ASSIGNMENTS))
def test_bad_assignments_are_refused_and_change_nothing(make, name, value, error, words):
    explorer = make()
    with pytest.raises(error, match=words):
        setattr(explorer, name, value)
    assert explorer.stored_state() == make().stored_state()


READ_ONLY = {"explorer", "picture", "cases", "classes", "runs"}


@pytest.mark.parametrize("make", ALL)
def test_what_the_page_must_not_change_is_read_only(make):
    explorer = make()
    for name in READ_ONLY & set(explorer.stored_state()):
        with pytest.raises(Exception, match="read-only"):
            setattr(explorer, name, {})


# ------------------------------------------------------------------ what a notebook stores

# Arguments, and the message by which a page brings an explorer there.
MESSAGES = {
    AssignmentBench: [
        (
            {"rows": [("conv", 8, 3, 2, 1, 1), ("average",)], "profile": "s7-2021"},
            {"rows": [["conv", 8, 3, 2, 1, 1], ["average"]]},
        ),
    ],
    ConvStepper: [({"stride": 2, "padding": 1, "selected": (2, 1)}, {"padding": [1, 1]})],
    CostExplorer: [
        (
            {"in_channels": 6, "out_channels": 9, "groups": 3, "bias": True, "show": "grouped"},
            {},
        ),
    ],
    CoverageExplorer: [({"dilations": [1, 2, 5], "kernel_size": 5, "position": 30}, {})],
    MatrixView: [({"stride": 2, "padding": 1, "selected": ("pixel", 4), "show": "numbers"}, {})],
    PhotographExplorer: [
        (
            {"photograph": "coffee", "kernel": [[0, 0.5, 0]] * 3, "border": "reflect"}
            | {"view": "relu", "probe": (0, 255)},
            {},
        ),
    ],
    ReceptiveFieldExplorer: [
        (
            {"layers": [Layer(3, 2, 1)], "input_size": 32, "selected": (1, 4)},
            {"layers": None, "rows": [["conv", 3, 2, 1, 1]]},
        ),
    ],
    ShuffleExplorer: [
        ({"upscale_factor": 4, "channels": 3, "size": 3, "selected": (47, 2, 2)}, {}),
    ],
    WhatAilsThisRun: [
        ({"case": 3, "view": "compare", "left": "leak", "right": "small"}, {}),
    ],
    WhatReachesLayer50: [
        ({"network": "skip", "initialisation": "zero", "depth": 10, "against": "plain.he"}, {}),
    ],
}


@pytest.mark.parametrize(("make", "arguments", "changes"), of_each(MESSAGES))
def test_page_messages_set_attributes(make, arguments, changes):
    explorer, expected = make(), make(**arguments)
    message = {key: value for key, value in (arguments | changes).items() if value is not None}
    explorer.set_state(json.loads(json.dumps(message)))
    assert explorer.stored_state() == expected.stored_state()
    assert repr(explorer) == repr(expected)
    assert explorer.static_html() == expected.static_html() != make().static_html()


REPRS = {
    AssignmentBench: [
        ({}, "AssignmentBench(preset='broken')"),
        (
            {"preset": "repair_5", "profile": "s7-2021"},
            "AssignmentBench(preset='repair_5', profile='s7-2021')",
        ),
        (
            {"rows": [("conv", 8, 3, 2, 1, 1), ("average",)]},
            "AssignmentBench([('conv', 8, 3, 2, 1, 1), ('average',)])",
        ),
    ],
    CostExplorer: [
        ({}, "CostExplorer(preset='example')"),
        ({"preset": "alexnet"}, "CostExplorer(preset='alexnet')"),
        (
            {"preset": "alexnet", "show": "standard"},
            "CostExplorer(preset='alexnet', show='standard')",
        ),
        (
            {"in_channels": 3, "out_channels": 64, "kernel_size": 7, "groups": 1, "stride": 2}
            | {"bias": True, "middle": "out"},
            "CostExplorer(3, 64, kernel_size=7, groups=1, input_size=32, stride=2, bias=True, "
            "middle='out', show='depthwise_separable')",
        ),
    ],
    CoverageExplorer: [
        (
            {},
            "CoverageExplorer([2, 2, 2], mode='dilated', kernel_size=3, stride=2, dilation=1, "
            "size=6)",
        ),
        (
            {"preset": "shared", "size": 4, "position": 3},
            "CoverageExplorer([2, 2, 2], mode='transposed', kernel_size=4, stride=2, dilation=2, "
            "size=4, position=3)",
        ),
        (
            {"preset": "tree", "position": 0},
            "CoverageExplorer([1, 2, 4, 8, 16], mode='dilated', kernel_size=2, stride=2, "
            "dilation=1, size=6, position=0)",
        ),
    ],
    ReceptiveFieldExplorer: [
        ({}, "ReceptiveFieldExplorer(preset='two_3x3')"),
        ({"preset": "alexnet"}, "ReceptiveFieldExplorer(preset='alexnet')"),
        (
            {"preset": "alexnet", "input_size": 227},
            "ReceptiveFieldExplorer(preset='alexnet', input_size=227)",
        ),
        (
            {"layers": [Layer(3, 2, 1), Layer(3, 1, 2, 2)], "input_size": 9},
            "ReceptiveFieldExplorer([Layer(3, stride=2, padding=1), "
            "Layer(3, padding=2, dilation=2)], input_size=9)",
        ),
    ],
    ShuffleExplorer: [
        (
            {},
            "ShuffleExplorer(2, channels=2, size=2, direction='shuffle', order='pytorch', "
            "show='channels')",
        ),
        (
            {"preset": "colour", "order": "tensorflow", "show": "values", "selected": (26, 1, 1)},
            "ShuffleExplorer(3, channels=3, size=2, direction='shuffle', order='tensorflow', "
            "show='values', selected=(26, 1, 1))",
        ),
    ],
    ConvStepper: [
        (
            {"stride": 2, "padding": 1},
            "ConvStepper(input_size=5, kernel_size=3, stride=2, padding=(1, 1), dilation=1)",
        ),
        (
            {"mode": "transposed", "input_size": 3, "stride": 2, "output_padding": 1},
            "ConvStepper(input_size=3, kernel_size=3, stride=2, padding=(0, 0), dilation=1, "
            "mode='transposed', output_padding=1)",
        ),
        (
            {"input_size": (4, 6), "stride": (2, 1), "padding": ((0, 0), (1, 1)), "plain": True},
            "ConvStepper(input_size=(4, 6), kernel_size=3, stride=(2, 1), "
            "padding=((0, 0), (1, 1)), dilation=1, plain=True)",
        ),
    ],
    PhotographExplorer: [
        ({}, "PhotographExplorer('grace_hopper', preset='vertical')"),
        (
            {"photograph": "chelsea", "preset": "blur", "kernel_size": 7, "border": "replicate"},
            "PhotographExplorer('chelsea', preset='blur', kernel_size=7, border='replicate')",
        ),
        (
            {"kernel": [[0, 0.5, 0]] * 3, "view": "absolute", "probe": (0, 1)},
            "PhotographExplorer('grace_hopper', kernel=[[0, 0.5, 0], [0, 0.5, 0], [0, 0.5, 0]], "
            "view='absolute', probe=(0, 1))",
        ),
    ],
    MatrixView: [
        (
            {"stride": 2, "view": "im2col"},
            "MatrixView(input_size=3, kernel_size=2, stride=2, padding=0, view='im2col', "
            "show='letters')",
        ),
    ],
    WhatAilsThisRun: [
        ({}, "WhatAilsThisRun(case=1)"),
        (
            {"view": "compare", "right": "leak"},
            "WhatAilsThisRun(view='compare', left='healthy', right='leak')",
        ),
    ],
    WhatReachesLayer50: [
        ({}, "WhatReachesLayer50('plain', 'default', 50)"),
        (
            {"network": "residual", "initialisation": "zero", "depth": 20, "against": "plain.he"},
            "WhatReachesLayer50('residual', 'zero', 20, against='plain.he')",
        ),
    ],
}


@pytest.mark.parametrize(("make", "settings", "text"), of_each(REPRS))
def test_repr_makes_the_same_explorer(make, settings, text):
    explorer = make(**settings)
    assert repr(explorer) == text
    again = eval(text, {make.__name__: make, "Layer": Layer})
    assert again.stored_state() == explorer.stored_state()


@pytest.mark.parametrize(("make", "settings", "text"), of_each(REPRS))
def test_notebook_stores_state_text_and_static_form(make, settings, text):
    explorer = make(**settings)
    data, _ = explorer._repr_mimebundle_()
    assert data["text/plain"] == text
    assert explorer.static_html() in data["text/html"]
    assert "<script" not in data["text/html"]
    assert data[VIEW]["model_id"] == explorer.model_id
    state = data[EXPLORER]
    assert state == explorer.stored_state()
    assert state["explorer"] == make._explorer
    assert not {"layout", "tabbable", "tooltip", "_esm", "_css"} & state.keys()
    # The state says all: with it, another explorer becomes this one.
    other = make()
    stored = json.loads(json.dumps(state))
    other.set_state({name: value for name, value in stored.items() if name not in READ_ONLY})
    assert other.static_html() == explorer.static_html()
