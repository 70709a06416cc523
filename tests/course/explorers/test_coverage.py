"""The coverage explorer without a browser: counts, paths, sentences, examples; Python and Node."""

import itertools
import json
import random
import re

import pytest
import torch
from torch.nn.functional import conv_transpose1d, conv_transpose2d

from convbook.arithmetic import Layer, receptive_field
from convbook.arithmetic.coverage import dilation_coverage, is_even_overlap, transposed_coverage
from convbook.course.explorers import CoverageExplorer
from convbook.course.explorers.coverage import LIMITS, PRESETS, SETTINGS
from tests.helpers.javascript import module

COUNTS = module("parts/coverage_counts.js")
WORDS = module("parts/coverage_words.js")


def whole(name):
    low, high = LIMITS[name]
    return range(low, high + 1)


def stack(dilations, taps=3):
    return {"mode": "dilated", "dilations": dilations, "kernel_size": taps}


def transposed(kernel, stride, dilation=1, size=6):
    window = {"kernel_size": kernel, "stride": stride, "dilation": dilation, "size": size}
    return {"mode": "transposed", **window}


def settings_of(explorer):
    return {name: getattr(explorer, name) for name in SETTINGS}


WINDOWS = list(itertools.product(*map(whole, ("kernel_size", "stride", "dilation"))))
# Every stack of at most three layers but for their order, and some of the longer ones.
RNG = random.Random(0)
STACKS = [
    list(one)
    for count in (1, 2, 3)
    for one in itertools.combinations_with_replacement(whole("dilations"), count)
] + [RNG.choices(whole("dilations"), k=RNG.randint(2, 6)) for _ in range(200)]


# ------------------------------------------------------------------ numbers


def test_counts_are_those_pytorch_finds():
    for dilations, taps in [*zip(STACKS[::37], itertools.cycle((1, 2, 3, 5))), ([16] * 6, 7)]:
        ones, weight = torch.ones(1, 1, 1).double(), torch.ones(1, 1, taps).double()
        for dilation in reversed(dilations):
            ones = conv_transpose1d(ones, weight, dilation=dilation)
        counts = CoverageExplorer(dilations, kernel_size=taps).counts
        assert counts == ones.flatten().tolist()
        assert len(counts) == receptive_field([Layer(taps, dilation=d) for d in dilations])[-1].size
    assert len(counts) == LIMITS["position"][1] + 1
    for window in WINDOWS:
        kernel, stride, dilation = window
        one = CoverageExplorer(**transposed(*window)).counts
        options = {"stride": stride, "dilation": dilation}
        found = conv_transpose1d(torch.ones(1, 1, 6), torch.ones(1, 1, kernel), **options)
        assert one == found.flatten().tolist()
        # On a map they are the products.
        ones, weight = torch.ones(1, 1, 6, 6), torch.ones(1, 1, kernel, kernel)
        found = conv_transpose2d(ones, weight, **options)
        assert found[0, 0].tolist() == [[a * b for b in one] for a in one]


@pytest.mark.parametrize("taps", whole("kernel_size"))
def test_paths_equal_pythons_over_the_control_grid(taps):
    for dilations in STACKS:
        counts = dilation_coverage(dilations, taps)
        assert COUNTS.countsOf(stack(dilations, taps)) == counts, dilations
        reason = WORDS.reasonOf(stack(dilations, taps))
        assert reason.startswith("No holes:" if all(counts) else "Holes:"), dilations
        for left, sign, right in re.findall(r"(\d+) ([≤>]) (\d+)", reason):
            assert int(left) > int(right) if sign == ">" else int(left) <= int(right)


def test_taps_equal_pythons_over_the_whole_control_grid():
    said = set()
    for (kernel, stride, dilation), size in itertools.product(WINDOWS, whole("size")):
        s = transposed(kernel, stride, dilation, size)
        assert COUNTS.countsOf(s) == transposed_coverage(size, kernel, stride, dilation)
        if size > 1:
            continue
        border = dilation * (kernel - 1)
        inside = transposed_coverage(40, kernel, stride, dilation)[border:][: 2 * stride]
        assert COUNTS.innerTaps(s) == min(inside[i : i + stride] for i in range(stride))
        even, reason = is_even_overlap(kernel, stride, dilation), WORDS.reasonOf(s)
        assert reason.startswith("Even:" if even else "Uneven:")
        assert ("does not divide" in reason) == (kernel % stride > 0)
        said.add((even, "does not divide" in reason, "share the factor" in reason))
    assert said == {(True, False, False), *((False, *c) for c in [(1, 0), (0, 1), (1, 1)])}


def paths_of(explorer):
    """Every path, as the entries that it goes through, row by row."""
    start, steps = [(i,) for i in range(explorer.size)], [(explorer.stride, explorer.dilation)]
    if explorer.mode == "dilated":
        start, steps = [(0,)], [(1, dilation) for dilation in reversed(explorer.dilations)]
    for stride, dilation in steps:
        taps = [tap * dilation for tap in range(explorer.kernel_size)]
        start = [(*path, path[-1] * stride + tap) for path in start for tap in taps]
    return start


@pytest.mark.parametrize("preset", PRESETS)
def test_paths_through_every_entry(preset):
    explorer = CoverageExplorer(preset=preset, size=4)
    s, paths = settings_of(explorer), paths_of(explorer)
    levels, steps = COUNTS.levelsOf(s), COUNTS.stepsOf(s)
    total = len(paths)
    for level, row in enumerate(levels):
        for index in range(0, len(row["counts"]), 3 if preset == "long" else 1):
            through = [path for path in paths if path[level] == index]
            if not through and level < len(steps):
                continue
            point = {"level": level, "index": index}
            lit = [[i for i, on in enumerate(r) if on] for r in COUNTS.litOf(levels, steps, point)]
            expected = [sorted({path[m] for path in through}) for m in range(len(levels))]
            expected[level] = [index]
            assert lit == expected, point
            words, n = WORDS.placeOf(s, point), len(through)
            numbers = [int(number) for number in re.findall(r"\d+", words)]
            if explorer.mode == "transposed":
                ends = [path[1 - level] for path in through]
                assert numbers == ([index, n, *ends] if n else [index]), words
            elif level == 0:
                assert numbers == [total], words
            elif level == len(steps):
                assert numbers == ([index, n, total] if n else [index, total]), words
            else:
                assert numbers == [len(steps) - level, index, n, total], words


# ------------------------------------------------------------------ sentences


@pytest.mark.parametrize(
    ("s", "summary", "reason"),
    [
        (
            stack([2, 2, 2]),
            "3 layers of 3 taps: 7 of 13 positions reached, 6 holes; on a map, 49 of 169 pixels.",
            "Holes: dilation 2 is larger than the 1 position that the smaller dilations fill.",
        ),
        (
            stack([1, 2, 5]),
            "3 layers of 3 taps: 17 of 17 positions reached, no holes; on a map, 289 of 289 "
            "pixels.",
            "No holes: no dilation is larger than what the smaller ones fill (1 ≤ 1, 2 ≤ 3, "
            "5 ≤ 7).",
        ),
        (
            stack([4], 1),
            "1 layer of 1 tap: 1 of 1 position reached, no holes; on a map, 1 of 1 pixel.",
            "No holes: with one tap, an output sees one position.",
        ),
        (
            transposed(4, 2),
            "6 pixels in, 14 out: away from the borders 2 taps on each pixel, 4 on a map.",
            "Even: stride 2 divides kernel_size 4 and shares no factor with dilation 1.",
        ),
        (
            transposed(3, 4, 2, 1),
            "1 pixel in, 5 out: away from the borders the taps repeat 0, 1, 0, 2; on a map, "
            "0, 0, 0, 0 / 0, 1, 0, 2 / 0, 0, 0, 0 / 0, 2, 0, 4.",
            "Uneven: stride 4 does not divide kernel_size 3, and stride 4 and dilation 2 share "
            "the factor 2.",
        ),
    ],
)
def test_words(s, summary, reason):
    assert [WORDS.summaryOf(s), WORDS.reasonOf(s)] == [summary, reason]


@pytest.mark.parametrize(
    ("s", "level", "index", "place"),
    [
        (stack([2, 2, 2]), 3, 5, "Position 5: a hole, none of the 27 paths ends here."),
        (stack([2, 2, 2]), 3, 12, "Position 12: 1 of the 27 paths ends here."),
        (stack([2, 2, 2]), 3, 6, "Position 6: 7 of the 27 paths end here."),
        (stack([2, 2, 2]), 0, 0, "Output: 27 paths start here."),
        (stack([1, 1], 1), 0, 0, "Output: 1 path starts here."),
        (stack([2, 2]), 1, 2, "Output of layer 1, position 2: 3 of the 9 paths go through it."),
        (transposed(3, 2), 1, 4, "Output 4: 2 taps, from input pixels 1, 2."),
        (transposed(3, 2), 1, 0, "Output 0: 1 tap, from input pixel 0."),
        (transposed(2, 3), 1, 2, "Output 2: no tap, nothing but the bias."),
        (transposed(3, 2), 0, 1, "Input pixel 1: its 3 taps fall on outputs 2, 3, 4."),
        (transposed(1, 2), 0, 1, "Input pixel 1: its 1 tap falls on output 2."),
    ],
)
def test_place(s, level, index, place):
    assert WORDS.placeOf(s, {"level": level, "index": index}) == place


@pytest.mark.parametrize(
    ("text", "dilations"),
    [
        ("1, 2, 5", [1, 2, 5]),
        ("[2,2,2]", [2, 2, 2]),
        (" 1 2  4;8 ", [1, 2, 4, 8]),
        ("1,,2", [1, 2]),
        ("1 1 1 1 1 1", [1] * 6),
        *((wrong, None) for wrong in ("", "0", "17", "1.5", "-1", "1, 2, x", "1 1 1 1 1 1 1")),
    ],
)
def test_schedules_are_read(text, dilations):
    assert WORDS.parseDilations(text) == dilations


# ------------------------------------------------------------------ examples and code


def test_limits_and_examples_are_pythons():
    assert WORDS.LIMITS() == {name: list(limits) for name, limits in LIMITS.items()}
    examples = WORDS.PRESETS()
    presets = json.loads(json.dumps(PRESETS))  # with lists for tuples
    assert [(example["key"], example["settings"]) for example in examples] == [*presets.items()]
    assert len({example["label"] for example in examples}) == len(PRESETS)


def test_notes_are_right():
    notes = {example["key"]: example["note"] for example in WORDS.PRESETS()}
    counts = {key: CoverageExplorer(preset=key).counts for key in PRESETS}
    assert "every second pixel is out of reach" in notes["fixed"]
    assert counts["fixed"][1::2] == [0] * 6
    assert "no holes, and the smallest field" in notes["plain"]
    assert counts["plain"] == min(counts.values(), key=len)
    assert 0 not in counts["plain"] + counts["hybrid"] + counts["doubling"] + counts["long"]
    assert "As many weights as 2, 2, 2, a larger field" in notes["hybrid"]
    assert len(counts["hybrid"]) > len(counts["fixed"])
    assert "more than doubles" in notes["doubling"]
    fields = receptive_field([Layer(3, dilation=dilation) for dilation in (1, 2, 4, 8, 16)])
    assert all(b.size > 2 * a.size for a, b in itertools.pairwise(fields))
    assert "one path to each pixel, none wasted" in notes["tree"]
    assert counts["tree"] == [1] * 2**5
    assert "Every second pixel gets twice as many" in notes["uneven"]
    assert counts["uneven"][1:-1] == [1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]
    assert set(counts["even"][2:-2]) == {2}
    assert "side by side" in notes["tiles"]
    assert counts["tiles"] == [1] * 12
    assert "some pixels get nothing" in notes["gaps"]
    assert 0 in counts["gaps"]
    assert "all taps fall on every second pixel" in notes["shared"]
    assert counts["shared"][1::2] == [0] * 8


@pytest.mark.parametrize("preset", PRESETS)
def test_code_and_static_form_hold_the_counts(preset, capsys):
    explorer = CoverageExplorer(preset=preset)
    known = {"dilation_coverage": dilation_coverage, "transposed_coverage": transposed_coverage}
    assert eval(explorer.code, known) == explorer.counts
    assert WORDS.packageLine(settings_of(explorer)) == explorer.code
    exec(WORDS.pytorchScript(settings_of(explorer)), {})
    assert capsys.readouterr().out == f"{explorer.counts}\n"
    html = explorer.static_html()
    assert explorer.code in html
    cells = re.findall(r"<td[^>]*>(\d+)</td>", html)
    assert [int(cell) for cell in cells] == explorer.counts
    heads = re.findall(r'<th scope="col">(\d+)</th>', html)
    assert heads == [str(i) for i in range(len(cells))]
    assert html.count('class="cb-hole"') == cells.count("0")
