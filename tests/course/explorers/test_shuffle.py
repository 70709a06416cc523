"""The shuffle explorer's Python side: where each channel goes, in both orders, and the words."""

import itertools
import re

import pytest
import torch
from torch.nn import functional as F

from convbook.course.explorers import ShuffleExplorer
from convbook.course.explorers.shuffle import LIMITS, PRESETS, SETTINGS, channel_of, sub_pixel
from tests.helpers.tf_depth_to_space import depth_to_space


def whole(name):
    low, high = LIMITS[name]
    return range(low, high + 1)


ORDERS = ("pytorch", "tensorflow")
GRID = list(itertools.product(*map(whole, LIMITS)))


def numbered(channels, size):
    return torch.arange(channels * size * size).reshape(channels, size, size)


def moved(x, r, order):
    """What PyTorch, or TensorFlow by hand, makes of maps (C*r*r, H, W)."""
    if order == "pytorch":
        return F.pixel_shuffle(x, r)
    return depth_to_space(x.permute(1, 2, 0), r).permute(2, 0, 1)


# ------------------------------------------------------------------ indices


@pytest.mark.parametrize("order", ORDERS)
def test_every_cell_goes_where_the_libraries_take_it(order):
    for r, channels, size in GRID:
        x = numbered(channels * r * r, size)
        y = moved(x, r, order)
        explorer = ShuffleExplorer(r, channels=channels, size=size, order=order)
        for cell in itertools.product(range(channels * r * r), range(size), range(size)):
            explorer.selected = cell
            assert y[explorer.partner] == x[cell]


@pytest.mark.parametrize("order", ORDERS)
def test_there_and_back(order):
    for r, channels, _ in GRID:
        places = [sub_pixel(k, r, channels, order) for k in range(channels * r * r)]
        assert [channel_of(*place, r, channels, order) for place in places] == list(
            range(channels * r * r)
        )
        assert set(places) == set(itertools.product(range(channels), range(r), range(r)))


def test_the_orders_agree_for_one_channel_only():
    for r, channels, _ in GRID:
        same = [
            sub_pixel(k, r, channels) == sub_pixel(k, r, channels, "tensorflow")
            for k in range(channels * r * r)
        ]
        assert all(same) == (channels == 1)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("direction", ["shuffle", "unshuffle"])
def test_code_does_it(order, direction):
    for r, channels, size in GRID:
        small = numbered(channels * r * r, size)
        large = moved(small, r, order)
        explorer = ShuffleExplorer(
            r, channels=channels, size=size, order=order, direction=direction
        )
        x, y = (small, large) if direction == "shuffle" else (large, small)
        assert torch.equal(eval(explorer.code, {"F": F, "x": x[None]})[0], y)


# ------------------------------------------------------------------ words


def test_default():
    explorer = ShuffleExplorer()
    assert explorer.code == "F.pixel_shuffle(x, 2)"
    assert explorer.summary == (
        "8 channels of 2 × 2 become 2 channels of 4 × 4: channel c·4 + i·2 + j goes to sub-pixel "
        "(i, j) of channel c."
    )
    assert explorer.place == (
        "Channel 1 goes to sub-pixel (0, 1) of channel 0: input[1, 0, 0] becomes output[0, 0, 1]."
    )
    assert explorer.working == "c·r·r + i·r + j = 0·2·2 + 0·2 + 1 = 1"
    assert explorer.comparison == (
        "In TensorFlow's order channel 2 has sub-pixel (0, 1) of channel 0."
    )


def test_tensorflows_words():
    explorer = ShuffleExplorer(preset="tensorflow", selected=(5, 0, 1))
    assert explorer.place == (
        "Channel 5 goes to sub-pixel (1, 0) of channel 1: input[0, 1, 5] becomes output[1, 2, 1], "
        "in NHWC."
    )
    assert explorer.working == "(i·r + j)·C + c = (1·2 + 0)·2 + 1 = 5"
    assert explorer.comparison == (
        "In PyTorch's order channel 6 has sub-pixel (1, 0) of channel 1."
    )
    assert "channel (i·2 + j)·2 + c goes to" in explorer.summary


def test_the_way_back():
    explorer = ShuffleExplorer(3, channels=1, size=1, direction="unshuffle", selected=(7, 0, 0))
    assert explorer.summary == (
        "1 channel of 3 × 3 becomes 9 channels of 1 × 1: sub-pixel (i, j) of channel c goes to "
        "channel c·9 + i·3 + j."
    )
    assert explorer.place == (
        "Sub-pixel (2, 1) of channel 0 goes to channel 7: input[0, 2, 1] becomes output[7, 0, 0]."
    )
    assert explorer.comparison == "In TensorFlow's order the same channel has this sub-pixel."


@pytest.mark.parametrize("direction", ["shuffle", "unshuffle"])
@pytest.mark.parametrize("order", ORDERS)
def test_indices_in_the_sentence_are_those_of_equal_numbers(order, direction):
    for r, channels, size in GRID[::2]:
        small = numbered(channels * r * r, size)
        x, y = small, moved(small, r, order)
        if order == "tensorflow":
            x, y = x.permute(1, 2, 0), y.permute(1, 2, 0)
        if direction == "unshuffle":
            x, y = y, x
        explorer = ShuffleExplorer(
            r, channels=channels, size=size, order=order, direction=direction
        )
        for channel in range(channels * r * r):
            explorer.selected = (channel, size - 1, 0)
            value = eval(
                re.search(r"(input\[.*?\]) becomes", explorer.place).group(1), {"input": x}
            )
            found = re.search(r"becomes (output\[.*?\])", explorer.place).group(1)
            assert eval(found, {"output": y}) == value


def test_working_is_right():
    for (r, channels, size), order in itertools.product(GRID[::3], ORDERS):
        explorer = ShuffleExplorer(r, channels=channels, size=size, order=order)
        for channel in range(channels * r * r):
            explorer.selected = (channel, 0, 0)
            _, numbers, result = explorer.working.replace("·", "*").split(" = ")
            assert eval(numbers) == int(result) == channel
            c, i, j = sub_pixel(channel, r, channels, order)
            symbols = explorer.formula.replace("·", "*")
            assert eval(symbols, {"c": c, "i": i, "j": j}) == channel


def test_comparison_names_the_other_orders_channel():
    for (r, channels, size), order in itertools.product(GRID[::3], ORDERS):
        explorer = ShuffleExplorer(r, channels=channels, size=size, order=order)
        other = ORDERS[1 - ORDERS.index(order)]
        for channel in range(channels * r * r):
            explorer.selected = (channel, 0, 0)
            there = channel_of(*sub_pixel(channel, r, channels, order), r, channels, other)
            text = "the same channel" if there == channel else f"channel {there} has"
            assert text in explorer.comparison


# ------------------------------------------------------------------ presets and refusals


def test_presets_are_valid_and_differ():
    assert len({repr(ShuffleExplorer(preset=key)) for key in PRESETS}) == len(PRESETS)
    assert len({preset.label for preset in PRESETS.values()}) == len(PRESETS)
    for key, preset in PRESETS.items():
        assert preset.note.endswith(".")
        assert set(preset.settings) == set(SETTINGS)
        explorer = ShuffleExplorer(preset=key)
        assert explorer.summary
        assert all(getattr(explorer, name) == value for name, value in preset.settings.items())
    assert ShuffleExplorer(preset="colour").channels_in == 27


def test_notes_are_right():
    r, channels = 2, 2
    rows = [[sub_pixel(k, r, channels, order) for k in range(8)] for order in ORDERS]
    assert [{c for c, _, _ in rows[0][start : start + 4]} for start in (0, 4)] == [{0}, {1}]
    for start in range(0, 8, 2):
        assert len({place[1:] for place in rows[1][start : start + 2]}) == 1
        assert [place[0] for place in rows[1][start : start + 2]] == [0, 1]


def test_what_is_chosen_stays_inside_what_there_is():
    explorer = ShuffleExplorer(4, channels=3, size=3, selected=(47, 2, 2))
    assert explorer.partner == (2, 11, 11)
    explorer.upscale_factor = 2
    assert explorer.chosen == (11, 2, 2)
    assert explorer.partner == (2, 5, 5)


# ------------------------------------------------------------------ what a notebook stores


@pytest.mark.parametrize("order", ORDERS)
def test_static_form_is_a_block_of_each_channel(order):
    for r, channels, size in GRID[::4]:
        explorer = ShuffleExplorer(r, channels=channels, size=size, order=order)
        html = explorer.static_html()
        assert "<script" not in html
        cells = [int(text) for text in re.findall(r"<td>(\d+)</td>", html)]
        x = torch.arange(channels * r * r).reshape(-1, 1, 1)
        assert cells == moved(x, r, order).flatten().tolist()
        assert explorer.code in html
        assert explorer.summary in html
