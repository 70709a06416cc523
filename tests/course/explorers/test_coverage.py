"""The coverage explorer's Python side: counts, reasons, sentences, presets and refusals."""

import itertools
import re

import pytest
import torch
from torch.nn.functional import conv_transpose1d, conv_transpose2d

from convbook.arithmetic import Layer, receptive_field
from convbook.arithmetic.coverage import dilation_coverage, is_even_overlap, transposed_coverage
from convbook.course.explorers import CoverageExplorer
from convbook.course.explorers.coverage import (
    LARGEST_POSITION,
    LIMITS,
    PRESETS,
    dilation_reason,
    inner_taps,
    overlap_reason,
)


def whole(name):
    low, high = LIMITS[name]
    return range(low, high + 1)


WINDOWS = list(itertools.product(whole("kernel_size"), whole("stride"), whole("dilation")))
STACKS = [
    (list(dilations), taps)
    for taps in (1, 2, 3, 5)
    for count in (1, 2, 3)
    for dilations in itertools.product((1, 2, 3, 4, 5, 7, 16), repeat=count)
]


# ------------------------------------------------------------------ numbers


def test_default_is_the_gridding_of_the_chapter():
    explorer = CoverageExplorer()
    assert explorer.dilations == (2, 2, 2)
    assert (explorer.reached, len(explorer.counts)) == (7, 13)
    other = CoverageExplorer([1, 2, 5])
    assert (other.reached, len(other.counts)) == (17, 17)
    assert explorer.position == 6
    assert explorer.place == "Position 6: 7 of the 27 paths end here."


def test_counts_are_those_pytorch_finds():
    for dilations, taps in [*STACKS[::37], ([16] * 6, 7)]:
        ones, weight = torch.ones(1, 1, 1).double(), torch.ones(1, 1, taps).double()
        for dilation in reversed(dilations):
            ones = conv_transpose1d(ones, weight, dilation=dilation)
        assert CoverageExplorer(dilations, kernel_size=taps).counts == ones.flatten().tolist()
    for (kernel, stride, dilation), size in itertools.product(WINDOWS, whole("size")):
        ones, weight = torch.ones(1, 1, size), torch.ones(1, 1, kernel)
        expected = conv_transpose1d(ones, weight, stride=stride, dilation=dilation)
        explorer = CoverageExplorer(
            mode="transposed", kernel_size=kernel, stride=stride, dilation=dilation, size=size
        )
        assert explorer.counts == expected.flatten().tolist()


def test_the_field_is_that_of_the_recurrence():
    for dilations, taps in STACKS[::11]:
        layers = [Layer(taps, dilation=dilation) for dilation in dilations]
        counts = CoverageExplorer(dilations, kernel_size=taps).counts
        assert len(counts) == receptive_field(layers)[-1].size
    assert len(dilation_coverage([16] * 6, 7)) == LARGEST_POSITION + 1


# ------------------------------------------------------------------ reasons


@pytest.mark.parametrize("taps", [1, 2, 3, 4, 5, 6, 7])
def test_a_stack_has_holes_exactly_where_the_reason_says_so(taps):
    said = set()
    for count in (1, 2, 3):
        for dilations in itertools.product(range(1, 17), repeat=count):
            reason = dilation_reason(dilations, taps)
            holes = 0 in dilation_coverage(dilations, taps)
            assert reason.startswith("Holes:" if holes else "No holes:"), (dilations, taps)
            for left, sign, right in re.findall(r"(\d+) ([≤>]) (\d+)", reason):
                assert int(left) > int(right) if sign == ">" else int(left) <= int(right)
            said.add(holes)
    assert said == ({False} if taps == 1 else {False, True})


def test_reasons_for_longer_stacks():
    long = [(1, 2, 4, 8, 16, 16), (16, 8, 4, 2, 1), (3, 1, 9, 16), (2, 3, 4, 5, 6, 7), (1, 16, 1)]
    for dilations, taps in itertools.product(long, whole("kernel_size")):
        holes = 0 in dilation_coverage(dilations, taps)
        assert dilation_reason(dilations, taps).startswith("Holes" if holes else "No holes")


def test_the_overlap_is_even_exactly_where_the_reason_says_so():
    said = set()
    for kernel, stride, dilation in WINDOWS:
        even = is_even_overlap(kernel, stride, dilation)
        reason = overlap_reason(kernel, stride, dilation)
        assert reason.startswith("Even:" if even else "Uneven:")
        causes = (kernel % stride > 0, "share the factor" in reason)
        assert ("does not divide" in reason) == causes[0]
        said.add((even, *causes))
    assert said == {(True, False, False), *((False, *c) for c in [(1, 0), (0, 1), (1, 1)])}


def test_taps_inside_are_those_of_a_large_map():
    for kernel, stride, dilation in WINDOWS:
        border = dilation * (kernel - 1)
        counts = transposed_coverage(40, kernel, stride, dilation)
        inside = counts[border : len(counts) - border]
        inner = inner_taps(kernel, stride, dilation)
        turns = [inside[i : i + stride] for i in range(stride)]
        assert inner == min(turns)
        assert inside[: 5 * stride] == 5 * inside[:stride]
        assert (len(set(inner)) == 1) == is_even_overlap(kernel, stride, dilation)


def test_taps_on_a_map_are_the_products():
    # Oracle: stride 2, kernel 3 gives 1, 2, 1, 2 along an axis and 1, 2, 2, 4 on a map.
    explorer = CoverageExplorer(preset="uneven")
    assert "the taps repeat 1, 2; on a map, 1, 2 / 2, 4." in explorer.summary
    for kernel, stride, dilation in WINDOWS[::5]:
        one = transposed_coverage(5, kernel, stride, dilation)
        weight = torch.ones(1, 1, kernel, kernel)
        found = conv_transpose2d(torch.ones(1, 1, 5, 5), weight, stride=stride, dilation=dilation)
        assert found[0, 0].tolist() == [[a * b for b in one] for a in one]


@pytest.mark.parametrize(
    ("settings", "summary", "reason"),
    [
        (
            {},
            "3 layers of 3 taps: 7 of 13 positions reached, 6 holes; on a map, 49 of 169 pixels.",
            "Holes: taken by size, a dilation may be at most the number of positions that the "
            "smaller ones fill, but 2 > 1.",
        ),
        (
            {"preset": "hybrid"},
            "3 layers of 3 taps: 17 of 17 positions reached, no holes; on a map, 289 of 289 "
            "pixels.",
            "No holes: taken by size, no dilation is larger than the number of positions that the "
            "smaller ones fill: 1 ≤ 1, 2 ≤ 3, 5 ≤ 7.",
        ),
        (
            {"dilations": [4], "kernel_size": 1},
            "1 layer of 1 tap: 1 of 1 position reached, no holes; on a map, 1 of 1 pixel.",
            "No holes: with one tap, an output sees one position.",
        ),
        (
            {"preset": "even"},
            "6 pixels in, 14 out: away from the borders 2 taps on each pixel, 4 on a map.",
            "Even: stride 2 divides kernel_size 4 and shares no factor with dilation 1.",
        ),
        (
            {"mode": "transposed", "kernel_size": 3, "stride": 4, "dilation": 2, "size": 1},
            "1 pixel in, 5 out: away from the borders the taps repeat 0, 1, 0, 2; on a map, "
            "0, 0, 0, 0 / 0, 1, 0, 2 / 0, 0, 0, 0 / 0, 2, 0, 4.",
            "Uneven: stride 4 does not divide kernel_size 3, and stride 4 and dilation 2 share "
            "the factor 2.",
        ),
    ],
)
def test_words(settings, summary, reason):
    explorer = CoverageExplorer(**settings)
    assert explorer.summary == summary
    assert explorer.reason == reason


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"position": 5}, "Position 5: a hole, none of the 27 paths ends here."),
        ({"position": 12}, "Position 12: 1 of the 27 paths ends here."),
        ({"preset": "uneven", "position": 4}, "Output 4: 2 taps, from input pixels 1, 2."),
        ({"preset": "uneven", "position": 0}, "Output 0: 1 tap, from input pixel 0."),
        ({"preset": "gaps", "position": 2}, "Output 2: no tap, nothing but the bias."),
    ],
)
def test_place(settings, place):
    assert CoverageExplorer(**settings).place == place


def test_sources_are_as_many_as_the_taps():
    explorer = CoverageExplorer(mode="transposed")
    for kernel, stride, dilation in WINDOWS:
        explorer.kernel_size, explorer.stride, explorer.dilation = kernel, stride, dilation
        for position, count in enumerate(explorer.counts):
            explorer.position = position
            if count:
                _, sources = explorer.place.removesuffix(".").rsplit("input pixel", 1)
                pixels = [int(text) for text in sources.removeprefix("s").split(",")]
                assert len(pixels) == count
                for pixel in pixels:
                    tap, rest = divmod(position - pixel * stride, dilation)
                    assert rest == 0
                    assert 0 <= tap < kernel
            else:
                assert "no tap" in explorer.place


@pytest.mark.parametrize("preset", PRESETS)
def test_code_computes_the_counts(preset):
    explorer = CoverageExplorer(preset=preset)
    names = {
        "dilation_coverage": dilation_coverage,
        "transposed_coverage": transposed_coverage,
    }
    assert eval(explorer.code, names) == explorer.counts


# ------------------------------------------------------------------ presets


def test_presets_are_valid_and_differ():
    assert len({preset.label for preset in PRESETS.values()}) == len(PRESETS)
    states = {repr(CoverageExplorer(preset=key)) for key in PRESETS}
    assert len(states) == len(PRESETS)
    for preset in PRESETS.values():
        assert preset.note.endswith(".")


def test_notes_are_right():
    explorers = {key: CoverageExplorer(preset=key) for key in PRESETS}
    fixed, plain, hybrid = (explorers[key] for key in ("fixed", "plain", "hybrid"))
    assert fixed.counts[1::2] == [0] * 6
    assert "every second pixel is out of reach" in PRESETS["fixed"].note
    assert plain.reached == len(plain.counts) == 7
    assert len(plain.counts) == min(len(e.counts) for e in explorers.values())
    assert len(hybrid.dilations) == len(fixed.dilations)
    assert len(hybrid.counts) > len(fixed.counts)
    assert hybrid.reached == len(hybrid.counts)
    for key in ("doubling", "long"):
        layers = [Layer(3, dilation=dilation) for dilation in explorers[key].dilations]
        sizes = [1, *(field.size for field in receptive_field(layers))]
        assert all(b > 2 * a for a, b in itertools.pairwise(sizes))
        assert 0 not in explorers[key].counts
    assert explorers["tree"].counts == [1] * 32
    assert inner_taps(3, 2, 1) == [1, 2]
    assert inner_taps(4, 2, 1) == [2, 2]
    assert explorers["tiles"].counts == [1] * 12
    assert 0 in explorers["gaps"].counts
    assert "the kernel is smaller than the stride" in PRESETS["gaps"].note.lower()
    assert explorers["shared"].counts[1::2] == [0] * 8
    assert "share the factor 2" in explorers["shared"].reason


# ------------------------------------------------------------------ refusals


def test_what_is_lit_stays_inside_what_there_is():
    explorer = CoverageExplorer([1, 2, 5], kernel_size=5, position=30)
    assert explorer.place.startswith("Position 30: 2 of the 125 paths")
    explorer.dilations = [1]
    assert explorer.place.startswith("Position 4: 1 of the 5 paths")


# ------------------------------------------------------------------ what a notebook stores


@pytest.mark.parametrize("preset", PRESETS)
def test_static_form_is_the_table_of_counts(preset):
    explorer = CoverageExplorer(preset=preset)
    html = explorer.static_html()
    assert "<script" not in html
    cells = re.findall(r"<td[^>]*>(\d+)</td>", html)
    assert [int(cell) for cell in cells] == explorer.counts
    heads = re.findall(r'<th scope="col">(\d+)</th>', html)
    assert [int(head) for head in heads] == list(range(len(explorer.counts)))
    assert html.count('class="cb-hole"') == explorer.counts.count(0)
    assert explorer.code in html
    assert explorer.summary in html
