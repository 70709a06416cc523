"""What reaches layer 50, without a browser: the page's numbers are the record's, the sentences."""

import itertools
import json
import math
import re
import statistics
import zlib
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from convbook.course import runs
from convbook.course.explorers import WhatReachesLayer50
from convbook.course.explorers.layer_50 import (
    CURVES,
    DEPTHS,
    INITIALISATIONS,
    NETWORKS,
    PAIRS,
    RECORD,
    numbers_of,
    packed,
    recorded,
)
from tests.helpers.javascript import module

MAIN = module("layer_50.js")
DATA = module("parts/layer_50_data.js")
CHART = module("parts/layer_50_chart.js")
RUN, FOUND, PACKED = runs.load(RECORD), recorded(), packed()
GRID = [(name, depth) for name in PAIRS for depth in DEPTHS]
STEPS = RUN["every"] * (len(FOUND["plain.he"]["loss"][50][0]) - 1)
LOG_ERROR = 0.00501 + 0.00001  # half of the page's step, in decades


def settings(network="plain", initialisation="default", depth=50, against=""):
    return {
        "network": network,
        "initialisation": initialisation,
        "depth": depth,
        "against": against,
    }


# ------------------------------------------------------------------ what the page gets


def test_the_page_gets_the_record_in_10_kb():
    state = json.dumps(WhatReachesLayer50().stored_state(), separators=(",", ":"))
    assert len(zlib.compress(state.encode(), 9)) <= 10 * 1024
    assert list(PACKED) == list(FOUND) == list(PAIRS)
    assert (DEPTHS, RUN["every"]) == (tuple(RUN["depths"]), DATA.EVERY())
    assert RUN["rate"] == DATA.RATE()
    assert RUN["data"].endswith(f" {DATA.PICTURES()} pictures")


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_curves_are_those_of_the_record(depth):
    drawn = DATA.each("curvesOf", [[PACKED[name], depth] for name in PAIRS])
    for name, curves in zip(PAIRS, drawn, strict=True):
        one = FOUND[name]
        signal = [curve[: depth // 2 + 1] for curve in one["signal"]]
        for key, series in (("signal", signal), ("gradient", one["gradient"][depth])):
            expected = [[math.log10(share) for share in curve] for curve in series]
            for row, other in zip(curves[key], expected, strict=True):
                assert row == pytest.approx(other, abs=LOG_ERROR), (name, key)
        for row, losses in zip(curves["loss"], one["loss"][depth], strict=True):
            shown = [math.inf if loss is None else loss for loss in row]  # JSON has no infinity
            assert shown == pytest.approx(
                [loss if loss == math.inf else min(loss, 99.99) for loss in losses], abs=0.00501
            )


def test_names_and_limits_are_pythons():
    assert DATA.NETWORKS() == NETWORKS
    assert DATA.INITIALISATIONS() == INITIALISATIONS
    assert tuple(DATA.DEPTHS()) == DEPTHS
    rules = MAIN.RULES()
    assert rules["network"] == list(NETWORKS)
    assert rules["initialisation"] == list(INITIALISATIONS)
    assert rules["against"] == ["", *PAIRS]
    assert rules["depth"]["words"] == "6 or 10 or 20 or 50"
    assert set(DATA.FORMULAS()) == set(NETWORKS)


def test_there_is_zero_gamma_where_there_is_a_skip():
    for network in NETWORKS:
        for initialisation in INITIALISATIONS:
            there = f"{network}.{initialisation}" in PAIRS
            assert DATA.has(network, initialisation) == there
            patch = {"network": network, "initialisation": initialisation}
            wanted = patch if there else patch | {"initialisation": "he"}
            assert DATA.settled(settings(), patch) == wanted
    assert DATA.settled(settings("residual", "zero"), {"network": "plain"}) == {
        "network": "plain",
        "initialisation": "he",
    }
    assert DATA.settled(settings("residual", "zero"), {"depth": 6}) == {"depth": 6}


# ------------------------------------------------------------------ numbers and sentences

RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def number(text):
    """A share as the page writes it, as a number."""
    return float(text.replace(" · 10", "e").translate(RAISED))


@pytest.mark.parametrize("power", [-20, -3, -2, -1, 0, 1, 2, 3, 15])
def test_shares_are_written_with_two_digits(power):
    shares = [digit * 10.0**power for digit in (1, 1.04, 1.25, 3.3, 9.4, 9.94, 9.96, 9.99)]
    texts = DATA.each("shareText", [[math.log10(share)] for share in shares])
    for share, text in zip(shares, texts, strict=True):
        assert number(text) == pytest.approx(share, rel=0.051), text
        assert len(re.sub(r"\D", "", text.split(" · ")[0]).lstrip("0")) == 2 + (99.5 < share < 988)
        assert not text.startswith(("10.0", "0.0 "))


def test_a_share_of_one_is_written_as_such():
    assert [DATA.shareText(log) for log in (0, 1, -1, -20, 15)] == [
        *("1.0", "10", "0.10"),
        *("1.0 · 10⁻²⁰", "1.0 · 10¹⁵"),
    ]


def ends(name, depth):
    """What the sentences speak of: signal at the end, gradient at the start, by seed."""
    signal = [curve[depth // 2] for curve in FOUND[name]["signal"]]
    return signal, [curve[0] for curve in FOUND[name]["gradient"][depth]]


SHARE = r"[\d.]+(?: · 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"
JOURNEY = re.compile(
    rf"(.*) the (\w+) (keeps its size|shrinks|grows): ({SHARE}) times what was sent in "
    rf"\(({SHARE}) to ({SHARE}) over the seeds; ×\u00a0([\d.]+) a layer\)\."
)


@pytest.mark.parametrize("depth", DEPTHS)
def test_sentences_say_what_becomes_of_signal_and_gradient(depth):
    all_told = DATA.each("toldOf", [[PACKED[name], depth] for name in PAIRS])
    for name, told in zip(PAIRS, all_told, strict=True):
        for what, shares in zip(("signal", "gradient"), ends(name, depth), strict=True):
            found = JOURNEY.fullmatch(told[what])
            assert found, told[what]
            where, noun, verb, middle, low, high, factor = found.groups()
            assert noun == what
            assert (str(depth) in where) == (what == "signal")
            median = statistics.median(shares)
            for text, share in ((middle, median), (low, min(shares)), (high, max(shares))):
                assert number(text) == pytest.approx(share, rel=0.065), (name, told[what])
            assert float(factor) == pytest.approx(median ** (1 / depth), abs=0.01)
            size = math.log10(median)
            verbs = {"shrinks": size < -0.49, "grows": size > 0.49}
            assert verbs.get(verb, abs(size) < 0.51), (name, told[what])


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ([[2.3, 0.1]] * 5, "takes the loss from 2.30 to 0.10 in 5 steps; guessing would be 2.30."),
        ([[2.3, 0.1]] * 4 + [[2.3, 1e999]], "2.30; in 1 of 5 seeds the loss is no number any"),
        ([[2.3, 1e999]] * 4 + [[2.3, 0.1]], "fails: in 4 of 5 seeds the loss is no number any"),
        ([[99.99, 99.99]] * 5, "from over 99 to over 99"),
        ([[2.3, 1e999]] * 5, "fails: in all 5 seeds the loss is no number any more."),
    ],
)
def test_the_loss_is_told(losses, words):
    codes = [[10_000 if loss > 100 else round(100 * loss) for loss in curve] for curve in losses]
    texts = [f"~{a};~{b - a};" for a, b in codes]
    flat = {"signal": ["P" * 26] * 5, "gradient": [["PPPP"] * 5]}
    assert words in DATA.toldOf({**flat, "loss": [texts]}, 6)["loss"]


@pytest.mark.parametrize(("name", "depth"), GRID)
def test_the_loss_is_that_of_the_record(name, depth):
    text = DATA.toldOf(PACKED[name], depth)["loss"]
    last = [curve[-1] for curve in FOUND[name]["loss"][depth]]
    lost = last.count(math.inf)
    assert (f"{'all' if lost == 5 else f'{lost} of'} 5 seeds" in text) == bool(lost)
    assert ("fails" in text) == (lost > 2)
    if lost <= 2 and statistics.median(last) < 99:
        first = statistics.median(curve[0] for curve in FOUND[name]["loss"][depth])
        found = re.search(rf"from (over 99|[\d.]+) to ([\d.]+) in {STEPS} steps", text)
        assert float(found[2]) == pytest.approx(statistics.median(last), abs=0.011)
        if first < 99:
            assert float(found[1]) == pytest.approx(first, abs=0.011)


# ------------------------------------------------------------------ axes


@pytest.mark.parametrize(("low", "high"), [(-3, 3), (-24, 3), (-3, 16), (0, 50), (0, 6), (0, 4)])
def test_an_axis_has_a_few_round_marks_inside(low, high):
    axis = CHART.axisOf(low, high)
    marks = axis["marks"]
    assert 2 <= len(marks) <= 6
    assert low <= marks[0] < marks[-1] <= high
    steps = {b - a for a, b in itertools.pairwise(marks)}
    assert len(steps) == 1
    assert 0 in marks


def test_all_curves_are_inside_the_decades():
    assert CHART.decadesAround([[0, 0.5], [-0.1]]) == [-3, 3]
    assert CHART.decadesAround([[0, -19.4], [15.2]]) == [-20, 16]


# ------------------------------------------------------------------ presets


def test_presets_have_names_notes_and_settings_that_there_are():
    presets = MAIN.PRESETS()
    assert presets[0]["settings"] == settings()  # what is seen first
    assert len({one["label"] for one in presets}) == len(presets)
    for one in presets:
        explorer = WhatReachesLayer50(**one["settings"])
        assert DATA.settled(one["settings"], {}) == {}
        assert MAIN.codeOf(one["settings"]) == explorer.code
        assert one["note"].endswith(".")


def factors(name, depth=50):
    """The median signal's and the median gradient's factor for each layer."""
    return [statistics.median(shares) ** (1 / depth) for shares in ends(name, depth)]


def last_losses(name, depth=50):
    return [curve[-1] for curve in FOUND[name]["loss"][depth]]


def middle_gradient(name):
    return statistics.median(ends(name, 50)[1])


BATCH_NORMS = [name for name in PAIRS if name.startswith("batch_norm.")]
# What each note says, as the record has it.
NOTES = {
    "As PyTorch starts": lambda: (
        all(0.36 < factor < 0.44 for factor in factors("plain.default"))
        and min(last_losses("plain.default")) > 2.29
    ),
    "Six layers": lambda: (
        all(1 / 500 < share < 1 / 100 for shares in ends("plain.default", 6) for share in shares)
        and min(last_losses("plain.default", 6)) > 2.29
    ),
    "He\u2019s weights": lambda: 0.001 < statistics.median(ends("plain.he", 50)[0]) < 0.2,
    "Too large": lambda: (
        len(str(2**50)) == 16 and all(1.7 < factor < 2.1 for factor in factors("plain.large"))
    ),
    "Batch norm": lambda: all(
        0.95 < signal < 1.05 and 1.15 < gradient < 1.25
        for signal, gradient in map(factors, BATCH_NORMS)
    ),
    "Skips alone": lambda: (
        all(0.5 < share < 5 for shares in ends("skip.default", 50) for share in shares)
        and all(1.3 < factor**2 < 1.6 for factor in factors("skip.he"))
    ),
    "ResNet": lambda: (
        max(ends("residual.he", 50)[0]) < 30
        and 1 < middle_gradient("residual.he") < middle_gradient("batch_norm.he") / 50
        and max(last_losses("residual.he")) < 0.01
    ),
    "Pre-activation": lambda: (
        1 < max(ends("pre_activation.he", 50)[1]) < min(ends("residual.he", 50)[1])
        and min(last_losses("pre_activation.he")) > 10 * max(last_losses("residual.he"))
    ),
    "Zero-gamma": lambda: (
        {*ends("residual.zero", 50)[0]} == {1}
        and min(last_losses("residual.zero")) > 10 * max(last_losses("residual.he"))
    ),
}


@pytest.mark.parametrize("preset", MAIN.PRESETS(), ids=lambda one: one["label"])
def test_notes_say_what_the_record_has(preset):
    assert NOTES[preset["label"]]()


# ------------------------------------------------------------------ Python


@pytest.mark.parametrize("network", ["plain", "batch_norm"])
def test_zero_gamma_needs_a_skip(network):
    with pytest.raises(ValueError, match=rf"needs a skip, which network='{network}' has not"):
        WhatReachesLayer50(network, "zero")
    explorer = WhatReachesLayer50("residual", "zero")
    explorer.network = network  # as a page may leave it for a moment
    assert repr(explorer) == f"WhatReachesLayer50('{network}', 'he', 50)"


def test_the_script_measures_what_the_figure_shows(capsys):
    exec(MAIN.scriptOf(settings("plain", "default", 20)), {})
    signal, gradient = (float(line.split()[-1]) for line in capsys.readouterr().out.splitlines())
    for value, recorded_ones in zip((signal, gradient), ends("plain.default", 20), strict=True):
        assert min(recorded_ones) / 10 < value < 10 * max(recorded_ones)


def test_a_loss_that_is_no_number_is_read_as_infinite():
    assert numbers_of("2.3 1e+09 - -") == [2.3, 1e9, math.inf, math.inf]


def test_the_static_form_has_the_medians_and_a_picture_of_each_network():
    html = WhatReachesLayer50().static_html()
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', html)
    assert [head for head, _ in rows] == list(NETWORKS.values())
    for (_, cells), network in zip(rows, NETWORKS, strict=True):
        texts = re.findall(r"<td>(.*?)</td>", cells)
        for text, initialisation in zip(texts, INITIALISATIONS, strict=True):
            name = f"{network}.{initialisation}"
            if name not in PAIRS:
                assert text == ""
                continue
            expected = [statistics.median(shares) for shares in ends(name, 50)]
            assert [float(part) for part in text.split("; ")] == pytest.approx(expected, rel=0.06)


def test_the_pictures_have_a_line_for_each_initialisation_and_panel():
    html = WhatReachesLayer50().static_html()
    pictures = re.findall(r"data:image/svg\+xml,([^\"]+)", html)
    assert len(pictures) == len(NETWORKS)
    for picture, network in zip(pictures, NETWORKS, strict=True):
        root = ElementTree.fromstring(unquote(picture))
        names = [name for name in PAIRS if name.startswith(f"{network}.")]
        lines = [p for p in root if p.get("stroke") in CURVES]
        assert len(lines) == 2 * len(names)
        _, _, width, height = map(float, root.get("viewBox").split())
        for line in lines:
            numbers = [*map(float, re.findall(r"-?[\d.]+", line.get("d")))]
            assert 0 <= min(numbers[::2]) <= max(numbers[::2]) <= width
            assert 0 <= min(numbers[1::2]) <= max(numbers[1::2]) <= height
