"""Drawings of networks: what they hold, that nothing overlaps, clear refusals."""

import re
from collections import Counter
from functools import cache
from itertools import combinations
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import pytest
import torch
from torch import nn

from convbook.analysis import trace
from convbook.course import colours, figures
from convbook.course.figures.block_drawing import MARGIN, draw
from convbook.course.figures.block_graph import Join, Op, read
from convbook.course.figures.block_layout import lay_out
from convbook.course.figures.block_parts import Part, shape_text
from convbook.course.figures.drawing import STYLE, WIDTH
from tests.helpers.drawn_networks import NETWORKS, UNet
from tests.helpers.networks import Net, conv

PAGE = WIDTH - 2 * MARGIN


@cache
def rows_of(name):
    model, input_size, _ = NETWORKS[name]
    return trace(model, input_size).rows


def layout_of(rows):
    return lay_out(read(rows), PAGE)


def all_ops(network):
    steps = [*network.steps, *(op for side in network.sides for op in side.ops)]
    return [step for step in steps if isinstance(step, Op)]


@pytest.fixture
def drawn():
    """Return a function that draws a network and gives its figure, rendered once."""

    def figure_of(rows, maps="all"):
        network = read(rows)
        with plt.style.context(STYLE):
            figure = draw(network, lay_out(network, PAGE, maps), "MACs")
            figure.draw_without_rendering()
        return figure

    yield figure_of
    plt.close("all")


def texts_of(figure):
    return {text: text.get_window_extent() for text in figure.axes[0].texts}


def outlines_of(figure):
    """Return every line and outline that is drawn, in pixels."""
    shapes = [*figure.axes[0].patches, *figure.axes[0].lines]
    return [shape.get_transform().transform_path(shape.get_path()) for shape in shapes]


def collisions(figure):
    """Return the texts that overlap another one, cross a line or reach beyond the figure."""
    boxes = texts_of(figure)
    wrong = [
        (one.get_text(), two.get_text())
        for (one, a), (two, b) in combinations(boxes.items(), 2)
        if a.overlaps(b)
    ]
    outlines = outlines_of(figure)
    width, height = figure.bbox.width, figure.bbox.height
    for text, box in boxes.items():
        if any(path.intersects_bbox(box, filled=False) for path in outlines):
            wrong.append((text.get_text(), "a line"))
        if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height:
            wrong.append((text.get_text(), "the border"))
    for path in outlines:
        box = path.get_extents()
        if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height:
            wrong.append(("a line", "the border"))
    return wrong


@pytest.mark.parametrize("name", NETWORKS)
def test_each_operation_is_read_once(name):
    network = read(rows_of(name))
    assert Counter(op.text for op in all_ops(network)) == Counter(NETWORKS[name][2])


@pytest.mark.parametrize("name", NETWORKS)
def test_drawings_hold_a_pill_for_each_operation_and_a_label_for_each_map(name, drawn):
    rows = rows_of(name)
    written = Counter(text.get_text() for text in texts_of(drawn(rows)))
    pills = Counter(
        line
        for text in NETWORKS[name][2]
        for line in (["shuffle"] if text.startswith("shuffle") else lines_of(text))
    )
    assert pills - written == Counter()
    ends = [shape_text(tuple(shape)) for shape in (NETWORKS[name][1], rows[-1].output_shape)]
    labels = {text.replace("×", " × ").replace("  ", " ") for text in written}
    assert set(ends) <= labels


def lines_of(text):
    """Return a pill's text as it is broken: before the last setting where it is long."""
    if len(text) <= 7:
        return [text]
    cut = text.index(" ") if text.endswith(" up") else text.rindex(" ")
    return [text[:cut], text[cut + 1 :]]


@pytest.mark.parametrize("maps", ["all", "changes"])
@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_overlaps_and_nothing_is_cut(name, maps, drawn):
    figure = drawn(rows_of(name), maps)
    assert collisions(figure) == []
    assert figure.get_size_inches()[0] <= WIDTH
    assert min(text.get_fontsize() for text in texts_of(figure)) >= 8


def test_the_check_sees_an_overlap_and_a_cut(drawn):
    figure = drawn(rows_of("residual"))
    figure.axes[0].text(0.5, 0.5, "M" * 60, fontsize=9)
    assert {"a line", "the border"} <= {what for _, what in collisions(figure)}


@pytest.mark.parametrize("name", ["residual", "U-Net", "S7Tiny"])
def test_drawings_are_the_same_on_each_run(name):
    first, second = (figures.blocks(rows_of(name)) for _ in range(2))
    assert isinstance(first, figures.Drawing)
    assert (first.svg, first.data) == (second.svg, second.data)


def test_marks_follow_their_convolution_or_precede_it():
    after, before = read(rows_of("residual")), read(rows_of("pre-activation"))
    assert [(op.before, op.after) for op in all_ops(after)] == [
        ((), ("batch norm", "ReLU")),
        ((), ("batch norm",)),
    ]
    assert after.steps[-1] == Join("+", (64, 56, 56), ("ReLU",))
    assert {(op.before, op.after) for op in all_ops(before)} == {(("batch norm", "ReLU"), ())}
    assert before.steps[-1] == Join("+", (64, 56, 56))


PAIR = nn.Sequential(nn.Conv2d(16, 16, 3, padding=1, groups=16), nn.Conv2d(16, 32, 1))


def test_filters_are_as_thick_as_the_channels_they_read():
    network = read(trace(PAIR, (16, 12, 12)).rows, filters=True)
    assert [(op.filters, op.filter) for op in all_ops(network)] == [
        (16, (1, 3, 3)),
        (32, (16, 1, 1)),
    ]
    (line,) = lay_out(network, PAGE).lines
    depthwise, pointwise = (part for part in line.parts if isinstance(part.content, Op))
    map_in = line.parts[0]
    assert pointwise.filter.face == Part(map_in.content, 0).face > depthwise.filter.face
    assert depthwise.filter.height > pointwise.filter.height
    assert [part.filter_text for part in (depthwise, pointwise)] == [
        "16 of 1 × 3 × 3",
        "32 of 16 × 1 × 1",
    ]


def test_filters_are_drawn_and_told_only_if_asked_for():
    rows = trace(nn.Sequential(PAIR, nn.ConvTranspose2d(32, 4, 2), nn.ReLU()), (16, 12, 12)).rows
    assert all(not op.filter for op in all_ops(read(rows)))
    assert "16 of 1" not in figures.blocks(rows).svg
    drawing = figures.blocks(rows, filters=True)
    assert "16 of 1 × 3 × 3" in drawing.svg
    assert "32 of 16 × 1 × 1" in drawing.svg
    assert "16 filters of 1 × 3 × 3" in drawing.text
    assert drawing.text.count("filters of") == 2  # a transposed one has none that read a window


@pytest.mark.parametrize("name", ["residual", "projection", "ResNeXt c"])
def test_filters_do_not_overlap_what_stands_beside_them(name):
    network = read(rows_of(name), filters=True)
    with plt.style.context(STYLE):
        figure = draw(network, lay_out(network, PAGE), "MACs")
        figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert not any(one.overlaps(two) for one, two in combinations(boxes, 2))
    plt.close("all")


def test_side_paths_lead_from_their_fork_to_their_join():
    identity, projection = (read(rows_of(name)).sides for name in ("residual", "projection"))
    assert [(side.start, side.end, side.ops) for side in identity] == [(0, 2, ())]
    assert [[op.text for op in side.ops] for side in projection] == [["1×1 /2"]]
    assert {(s.start, s.end) for s in read(rows_of("U-Net")).sides} == {(2, 13), (5, 9)}
    assert len(read(rows_of("Inception")).sides) == 2


@pytest.mark.parametrize(("name", "steps"), [("ResNeXt a", (0, 2, 32)), ("ResNeXt b", (0, 1, 32))])
def test_equal_paths_are_drawn_once(name, steps, drawn):
    rows = rows_of(name)
    network = read(rows)
    assert network.copies == (steps,)
    assert network.cost == sum(row.macs for row in rows)
    assert "32 paths" in {text.get_text() for text in texts_of(drawn(rows))}


def test_paths_that_differ_are_not_copies():
    block = Net(
        lambda net, x: net.a(x) + net.b(x) + net.c(x),
        a=conv(4, 4),
        b=conv(4, 4, 1),
        c=conv(4, 4, 5),
    )
    network = read(trace(block, (4, 9, 9)).rows)
    assert network.copies == ()
    assert len(network.sides) == 2
    assert [step.symbol for step in network.steps if isinstance(step, Join)] == ["+"]


@pytest.mark.parametrize("share", ["macs", "params"])
def test_shares_add_up_to_what_the_rows_cost(share):
    for name in ("bottleneck", "ResNeXt a", "S7Net"):
        rows = rows_of(name)
        assert read(rows, share).cost == sum(getattr(row, share) for row in rows)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_a_network_with_skips_round_smaller_maps_is_a_u(levels):
    layout = layout_of(trace(UNet(levels, width=8), (3, 64, 64)).rows)
    assert len(layout.lines) == levels + 1
    assert len(layout.ways) == 2 * levels
    for line, below in zip(layout.lines, layout.lines[1:], strict=False):
        sizes = [{p.content[1] for p in one.parts if p.is_map} for one in (line, below)]
        assert [len(size) for size in sizes] == [1, 1]
        assert max(sizes[0]) == 2 * max(sizes[1])


def test_lines_break_where_no_skip_is_cut():
    layout = layout_of(rows_of("S7Tiny"))
    assert len(layout.lines) > 3
    assert all(arc.end for line in layout.lines for arc in line.arcs)
    assert sum(len(line.arcs) for line in layout.lines) == 4


def test_larger_and_deeper_maps_have_larger_plates():
    parts = [part for part in layout_of(rows_of("projection")).lines[0].parts if part.is_map]
    first, last = parts[0], parts[-1]
    assert first.height > last.height
    assert first.face < last.face
    grouped = layout_of(rows_of("ResNeXt c")).lines[0].parts
    assert {part.slices for part in grouped if part.is_map} == {1, 4}


@pytest.mark.parametrize(
    ("layer", "input_size", "text"),
    [
        (nn.Conv2d(4, 4, (3, 5), (1, 2)), (4, 9, 9), "3×5 /1×2"),
        (nn.Conv2d(4, 8, 3, dilation=2, groups=2), (4, 9, 9), "3×3 d=2 g=2"),
        (nn.Conv1d(1, 8, 2, dilation=4), (1, 16), "2 d=4"),
        (nn.ConvTranspose2d(4, 4, 3, stride=2), (4, 9, 9), "3×3 ×2 up"),
        (nn.AvgPool2d(2), (4, 8, 8), "avg 2×2 /2"),
        (nn.Upsample(scale_factor=2), (4, 8, 8), "×2 up"),
        (nn.Softmax(1), (4, 8, 8), "softmax"),
        (nn.ReLU(), (4, 8, 8), "ReLU"),
    ],
)
def test_pills_say_what_the_operation_is(layer, input_size, text, drawn):
    rows = trace(layer, input_size).rows
    assert [op.text for op in all_ops(read(rows))] == [text]
    assert collisions(drawn(rows)) == []


def test_a_slice_of_the_rows_is_drawn_by_itself():
    rows = rows_of("S7Tiny")
    start = next(i for i, row in enumerate(rows) if row.name.startswith("c4"))
    network = read(rows[start : start + 7])
    assert network.input_shape == (44, 4, 4)
    assert [op.text for op in all_ops(network)] == ["dw 3×3", "1×1"]
    assert len(network.sides) == 1


def test_title_and_description_say_what_is_drawn():
    drawing = figures.blocks(rows_of("projection"), title="A <b> & c")
    root = ElementTree.fromstring(drawing.svg)
    title, desc = (root.find(f"{{http://www.w3.org/2000/svg}}{tag}") for tag in ("title", "desc"))
    assert title.text == "A <b> & c"
    assert desc.text == drawing.text == figures.block_text(rows_of("projection"))
    assert list(root).index(title) == 0
    assert "128 × 28 × 28" in figures.blocks(rows_of("projection")).svg.split("</title>")[0]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_text_names_each_operation(name):
    text = figures.block_text(rows_of(name))
    for pill in NETWORKS[name][2]:
        assert pill in text


def test_the_text_says_where_a_skip_comes_from():
    text = figures.block_text(rows_of("projection"))
    assert "add the input through 1×1 /2, batch norm, then ReLU" in text
    assert "Steps 1 to 3 are there 32 times" in figures.block_text(rows_of("ResNeXt a"))
    assert "concatenate the result of 5" in figures.block_text(rows_of("U-Net"))


def test_colours_are_the_books():
    used = set(re.findall(r"#[0-9a-f]{6}", figures.blocks(rows_of("ResNeXt c")).svg))
    book = {value.lower() for value in vars(colours).values() if isinstance(value, str)}
    assert used <= book | {"#ffffff"}  # the ground, which the style sets


def test_what_cannot_be_drawn_is_refused():
    rows = rows_of("residual")
    with pytest.raises(ValueError, match="share='time' is unknown; use 'macs' or 'params'"):
        figures.blocks(rows, share="time")
    with pytest.raises(ValueError, match="maps='few' is unknown; use 'all' or 'changes'"):
        figures.blocks(rows, maps="few")
    with pytest.raises(ValueError, match="rows is empty"):
        figures.blocks([])
    with pytest.raises(ValueError, match=r"begin inside a skip.*start the slice before"):
        figures.blocks(rows[3:])
    nested = Net(
        lambda net, x: net.c(net.b(net.a(x))) + (net.d(x) + x) * torch.ones(1),
        a=conv(4, 4), b=conv(4, 4), c=conv(4, 4), d=conv(4, 4),
    )  # fmt: skip
    with pytest.raises(ValueError, match="meet beside the main path; draw that part by itself"):
        figures.blocks(trace(nested, (4, 9, 9)).rows)
