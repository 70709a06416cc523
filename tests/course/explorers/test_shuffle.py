"""The shuffle explorer without a browser: where each channel goes, in both orders, and words."""

import itertools
import re

import pytest
import torch
from torch.nn import functional as F

from convbook.course.explorers import ShuffleExplorer
from convbook.course.explorers.shuffle import LIMITS, PRESETS, SETTINGS, channel_of, sub_pixel
from tests.helpers.javascript import module
from tests.helpers.tf_depth_to_space import depth_to_space, space_to_depth

JS = module("parts/shuffle_indices.js")
ORDERS = ("pytorch", "tensorflow")
NUMBERS = [range(low, high + 1) for low, high in LIMITS.values()]
GRID = [
    dict(zip(SETTINGS, one, strict=True))
    for one in itertools.product(*NUMBERS, ("shuffle", "unshuffle"), ORDERS)
]


def input_of(s):
    """The numbers 0, 1, 2, ... as the maps that come in."""
    r, channels, side = s["upscale_factor"], s["channels"], s["size"]
    channels, side = (
        (channels * r**2, side) if s["direction"] == "shuffle" else (channels, side * r)
    )
    return torch.arange(channels * side**2).reshape(channels, side, side)


def output_of(s):
    """Where a library takes the numbers of the input: TensorFlow's, by hand."""
    x, r, up = input_of(s), s["upscale_factor"], s["direction"] == "shuffle"
    if s["order"] == "pytorch":
        return (F.pixel_shuffle if up else F.pixel_unshuffle)(x, r)
    function = depth_to_space if up else space_to_depth
    return function(x.permute(1, 2, 0), r).permute(2, 0, 1)


def cells_of(s):
    """Every cell of the small maps."""
    side = range(s["size"])
    return itertools.product(range(s["channels"] * s["upscale_factor"] ** 2), side, side)


def test_every_cell_goes_where_the_libraries_take_it_over_the_whole_control_grid():
    for s in GRID:
        explorer, x, y = ShuffleExplorer(**s), input_of(s), output_of(s)
        which = s["upscale_factor"], s["channels"], s["order"]
        for cell in cells_of(s):
            explorer.selected = cell
            place, ends = sub_pixel(cell[0], *which), [cell, explorer.partner]
            assert channel_of(*place, *which) == cell[0]
            assert JS.subPixel(cell[0], s) == [*place]
            assert JS.channelOf(place, s) == cell[0]
            assert JS.largeOf(cell, s) == [*explorer.partner]
            assert JS.smallOf(explorer.partner, s) == [*cell]
            source, target = ends if s["direction"] == "shuffle" else ends[::-1]
            assert JS.numberOf(cell, s) == x[source] == y[target]
        assert JS.chosenOf(s | {"selected": [47, 2, 2]}) == [*cell]  # the last there is


def test_line_and_script_do_it(capsys):
    for s in GRID:
        code, names = ShuffleExplorer(**s).code, {}
        assert torch.equal(eval(code, {"F": F, "x": input_of(s)[None]})[0], output_of(s))
        assert JS.pytorchLine(s) == code
        exec(JS.pytorchScript(s), names)
        assert torch.equal(names["x"][0], input_of(s))
        assert capsys.readouterr().out == f"{output_of(s)}\n"


def test_what_is_chosen_stays_inside_what_there_is():
    explorer = ShuffleExplorer(4, channels=3, size=3, selected=(47, 2, 2))
    assert explorer.partner == (2, 11, 11)
    explorer.upscale_factor = 2
    assert (explorer.chosen, explorer.partner) == ((11, 2, 2), (2, 5, 5))


BACK = {"upscale_factor": 3, "channels": 1, "size": 1, "direction": "unshuffle"}
WORDS = [
    (
        {},
        "8 channels of 2 × 2 become 2 channels of 4 × 4: channel c·4 + i·2 + j goes to sub-pixel "
        "(i, j) of channel c.",
        "Channel 1 goes to sub-pixel (0, 1) of channel 0: input[1, 0, 0] becomes output[0, 0, 1].",
        "Channel = c·r·r + i·r + j = 0·2·2 + 0·2 + 1 = 1",
        "In TensorFlow's order channel 2 has sub-pixel (0, 1) of channel 0.",
    ),
    (
        {"preset": "tensorflow", "selected": (5, 0, 1)},
        "8 channels of 2 × 2 become 2 channels of 4 × 4: channel (i·2 + j)·2 + c goes to sub-pixel "
        "(i, j) of channel c.",
        "Channel 5 goes to sub-pixel (1, 0) of channel 1: input[0, 1, 5] becomes output[1, 2, 1], "
        "in NHWC.",
        "Channel = (i·r + j)·C + c = (1·2 + 0)·2 + 1 = 5",
        "In PyTorch's order channel 6 has sub-pixel (1, 0) of channel 1.",
    ),
    (
        BACK | {"selected": (7, 0, 0)},
        "1 channel of 3 × 3 becomes 9 channels of 1 × 1: sub-pixel (i, j) of channel c goes to "
        "channel c·9 + i·3 + j.",
        "Sub-pixel (2, 1) of channel 0 goes to channel 7: input[0, 2, 1] becomes output[7, 0, 0].",
        "Channel = c·r·r + i·r + j = 0·3·3 + 2·3 + 1 = 7",
        "In TensorFlow's order the same channel has this sub-pixel.",
    ),
]


@pytest.mark.parametrize(("arguments", "summary", "place", "working", "comparison"), WORDS)
def test_words(arguments, summary, place, working, comparison):
    explorer = ShuffleExplorer(**arguments)
    s = {name: getattr(explorer, name) for name in SETTINGS}
    assert JS.summaryOf(s) == summary
    assert JS.placeOf(explorer.selected, s) == place
    assert JS.workingOf(explorer.selected[0], s) == working
    assert JS.comparisonOf(explorer.selected[0], s) == comparison


def test_numbers_in_the_words_are_right():
    for s in GRID[::2] + GRID[1::6]:
        r, channels, order = s["upscale_factor"], s["channels"], s["order"]
        other = ORDERS[1 - ORDERS.index(order)]
        x, y = input_of(s), output_of(s)
        if order == "tensorflow":
            x, y = x.permute(1, 2, 0), y.permute(1, 2, 0)
        formula = re.search(r"channel (\S*[·+].*?)( goes|\.)", JS.summaryOf(s))[1].replace("·", "*")
        for channel in range(channels * r * r):
            c, i, j = sub_pixel(channel, r, channels, order)
            assert eval(formula, {"c": c, "i": i, "j": j}) == channel
            place = JS.placeOf([channel, s["size"] - 1, 0], s)
            source, target = re.search(r"(input\[.*?\]) becomes (output\[.*?\])", place).groups()
            assert eval(source, {"input": x}) == eval(target, {"output": y})
            assert f"sub-pixel ({i}, {j}) of channel {c}" in place.replace("Sub", "sub")
            _, _, numbers, result = JS.workingOf(channel, s).replace("·", "*").split(" = ")
            assert eval(numbers) == int(result) == channel
            there = channel_of(c, i, j, r, channels, other)
            text = "the same channel" if there == channel else f"channel {there} has"
            assert text in JS.comparisonOf(channel, s)


def test_presets_and_limits_are_pythons():
    presets = JS.PRESETS()
    assert [(one["key"], one["settings"]) for one in presets] == [*PRESETS.items()]
    assert {name: tuple(limits) for name, limits in JS.LIMITS().items()} == LIMITS
    for one in presets:
        explorer = ShuffleExplorer(preset=one["key"])
        assert {name: getattr(explorer, name) for name in SETTINGS} == one["settings"]
        assert one["note"].endswith(".")
    assert ShuffleExplorer(preset="colour").channels_in == 27


def test_notes_are_right():
    rows = [[sub_pixel(k, 2, 2, order) for k in range(8)] for order in ORDERS]
    assert [{c for c, _, _ in rows[0][start : start + 4]} for start in (0, 4)] == [{0}, {1}]
    for start in range(0, 8, 2):
        assert len({place[1:] for place in rows[1][start : start + 2]}) == 1
        assert [place[0] for place in rows[1][start : start + 2]] == [0, 1]


def test_static_form_is_a_block_of_each_channel():
    for s in GRID:
        explorer = ShuffleExplorer(**s)
        html = explorer.static_html()
        block = output_of(s | {"size": 1, "direction": "shuffle"})
        assert re.findall(r"<td>(\d+)</td>", html) == [str(k) for k in block.flatten().tolist()]
        assert explorer.code in html
