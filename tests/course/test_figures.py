"""Figures: the book's colours, the same bytes on each run, clear refusals."""

import base64
import io
import re

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import pytest
import torch
from IPython.display import Image
from matplotlib.colors import to_rgb

from convbook.arithmetic import Layer
from convbook.course import colours, figures
from convbook.course.explorers.sources import style_source
from convbook.course.figures.drawing import _name_clips
from convbook.course.mime_types import DRAWING

DRAWINGS = {
    "windows": lambda: figures.windows(10, 3, stride=2, padding=1, dilation=2),
    "window sums": lambda: figures.window_sums([0, 0, 9, 9], [-1, 1]),
    "stack": lambda: figures.stack(8, [Layer(3, stride=2, padding=1), Layer(3)], output=0),
    "grids": lambda: figures.grids([torch.eye(2), torch.eye(3)], ["a", "b"], ["input", "output"]),
    "letters": lambda: figures.grids([["ab", "cd"]], ["a"], ["weights"]),
    "weight matrix": lambda: figures.weight_matrix(
        torch.tensor([[1, 2, 0], [0, 1, 2]]), "pq", "abc"
    ),
    "bars": lambda: figures.bars({"one": 1.0, "two": 2.5}, "metres"),
    "lines": lambda: figures.lines([1, 2, 4], {"one": [1, 3, 5], "two": [2, 2, 2]}, "size", "ms"),
    "confusion": lambda: figures.confusion(
        [[8, 2, 0], [1, 9, 0], [0, 0, 10]], ["cat", "dog", "car"]
    ),
    "spread": lambda: figures.spread({"all": [80.1, 80.4], "none": [78.0]}, "accuracy", level=80),
    "curves": lambda: figures.curves(
        {"a": ([1, 9], [5, 8]), "b": ([2, 3, 4], [6, 8, 8])}, "s", "%"
    ),
    "dots": lambda: figures.curves({"a": ([1, 9], [5, 8])}, "s", "%", "x", joined=False, level=6),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_are_the_same_on_each_run(name):
    first, second = DRAWINGS[name](), DRAWINGS[name]()
    assert isinstance(first, figures.Drawing)
    assert first.svg == second.svg
    assert "<dc:date>" not in first.svg


def test_drawings_do_not_depend_on_digits_they_do_not_show():
    """The last digits differ from one processor to the next, and nbval compares the drawings."""
    exact, off = 0.49, 0.49 + 1e-12
    assert figures.bars({"a": exact}, "x").svg == figures.bars({"a": off}, "x").svg
    drawn = [figures.lines([0, 1], {"a": [value, 2]}, "x", "y", log="y") for value in (exact, off)]
    assert drawn[0].svg == drawn[1].svg
    drawn = [figures.curves({"a": ([0, value], [value, 2])}, "x", "y") for value in (exact, off)]
    assert drawn[0].svg == drawn[1].svg
    drawn = [figures.spread({"a": [value]}, "x", level=1) for value in (exact, off)]
    assert drawn[0].svg == drawn[1].svg
    maps = [torch.full((2, 2), value, dtype=torch.float64) for value in (exact, off)]
    first, second = (figures.grids([m], ["a"], ["input"], digits=2).svg for m in maps)
    assert first == second


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_have_an_opaque_ground(name):
    drawing = DRAWINGS[name]()
    assert "fill: #ffffff" in drawing.svg
    assert not ink_at_the_edge(drawing)


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_png_of_a_drawing_is_small_and_sharp_and_of_the_same_size(name):
    drawing = DRAWINGS[name]()
    data, metadata = drawing._repr_mimebundle_()
    assert data == {DRAWING: drawing.svg, "image/png": base64.b64encode(drawing.data).decode()}
    assert len(drawing.data) < 16_000
    width, height = (float(re.search(rf'{side}="([\d.]+)pt"', drawing.svg)[1]) * 96 / 72
                     for side in ("width", "height"))  # fmt: skip
    shown = metadata["image/png"]
    assert (shown["width"], shown["height"]) == pytest.approx((width, height), abs=1)
    with PIL.Image.open(io.BytesIO(drawing.data)) as picture:
        assert picture.size == pytest.approx((2 * width, 2 * height), abs=2)


def test_windows_draws_input_window_output_and_what_is_dropped():
    svg = figures.windows(10, 3, stride=2).svg.lower()
    for colour in (colours.INPUT, colours.KERNEL, colours.OUTPUT, colours.DROPPED):
        assert colour.lower() in svg
    assert colours.DROPPED.lower() not in figures.windows(9, 3, stride=2).svg.lower()


def words(drawing):
    return re.findall(r"<!-- (.+?) -->", drawing.svg)


def test_window_sums_shows_pixels_weights_and_sums():
    texts = words(figures.window_sums([0, 0, 9, 9], [-1, 2]))
    assert texts == ["0", "0", "9", "9", *["-1", "2", "0", "-1", "2", "18", "-1", "2", "9"],
                     "input", "windows", "output"]  # fmt: skip


def test_negative_numbers_are_grey_in_the_frame_of_their_role():
    def uses(values, role):
        svg = figures.grids([torch.tensor(values)], ["a"], [role], digits=1).svg.lower()
        hues = (colours.ROLES[role], colours.BELOW_ZERO)
        return [svg.count(f"{kind}: {hue.lower()}") for kind in ("fill", "stroke") for hue in hues]

    for role in colours.ROLES:
        assert uses([[1.0, 0.0, 2.0]], role) == [3, 0, 3, 0]
        assert uses([[1.0, -1.0, -2.0]], role) == [1, 2, 3, 0]
        assert uses([[1.0, -0.04, 2.0]], role) == [3, 0, 3, 0]  # shown as 0.0


def test_a_small_negative_number_is_shown_without_a_sign():
    assert words(figures.grids([torch.tensor([[-0.04, -0.06]])], ["a"], ["kernel"], digits=1)) == [
        *["0.0", "-0.1", "a"]
    ]


def test_stack_fills_what_the_output_depends_on():
    def fills(layers, output):
        svg = figures.stack(9, layers, output).svg.lower()
        return [svg.count(f"fill: {colour.lower()}") for colour in (colours.INPUT, colours.OUTPUT)]

    assert fills([Layer(3), Layer(3)], 2) == [5, 3 + 1]
    assert fills([Layer(3, stride=2), Layer(3)], 1) == [7, 3 + 1]
    assert fills([Layer(3), Layer(3, dilation=2)], 0) == [7, 3 + 1]
    padded = [Layer(3, padding=1), Layer(3, padding=1)]
    assert fills(padded, 0) == [3, 2 + 1]  # the padding of the first map reads nothing
    assert fills(padded, 4) == [5, 3 + 1]
    assert "stroke-dasharray" in figures.stack(9, padded, 0).svg
    assert "stroke-dasharray" not in figures.stack(9, padded, 4).svg


def test_stack_draws_a_line_to_each_number_that_is_read():
    def lines(layers, output):
        return (
            figures.stack(9, layers, output).svg.lower().count(f"stroke: {colours.KERNEL.lower()}")
        )

    assert lines([Layer(3)], 0) == 3
    assert lines([Layer(3), Layer(3, dilation=2)], 0) == 3 + 3 * 3
    assert lines([Layer(5), Layer(2)], 1) == 2 + 2 * 5


def test_confusion_outlines_what_is_right_and_tints_what_is_wrong():
    counts = [[80, 5, 0], [10, 90, 0], [0, 0, 95]]
    drawing = figures.confusion(counts, ["cat", "dog", "car"])
    assert [word for word in words(drawing) if word.isdigit()] == [
        *["80", "5", "0", "10", "90", "0", "0", "0", "95"]
    ]
    assert drawing.svg.lower().count(f"stroke: {colours.OUTPUT.lower()}") == 3
    tints = re.findall(rf"fill: {colours.KERNEL.lower()}; opacity: ([\d.]+)", drawing.svg.lower())
    assert sorted(map(float, tints), reverse=True) == [0.6, 0.3]
    assert figures.confusion([[1, 0], [0, 1]], "ab").svg  # nothing is wrong


def test_a_row_is_the_true_class_of_a_confusion():
    """The labels of the y axis come last in the file, so the words tell which axis is which."""
    texts = words(figures.confusion([[1, 0], [0, 1]], ["cat", "dog"]))
    assert texts[:3] == ["cat", "dog", "answer"]
    assert texts[3:6] == ["cat", "dog", "true class"]


def test_spread_has_a_dot_for_each_value_and_a_band_behind_the_first_row():
    def dots(rows):
        svg = figures.spread(rows, "accuracy").svg.lower()
        return svg.count(f"fill: {colours.OUTPUT.lower()}"), svg

    count, svg = dots({"all": [80.1, 80.4, 80.2], "without": [78.9, 79.2]})
    assert count - dots({"all": [80.1, 80.4], "without": [78.9, 79.2]})[0] == 1
    assert f"fill: {colours.GRID}" in svg
    assert words(figures.spread({"p": [1], "q": [2]}, "x"))[-2:] == ["p", "q"]


def test_curves_have_their_own_x_and_their_names_at_the_end():
    drawing = figures.curves({"slow": ([1, 9], [5, 8]), "fast": ([1, 2], [6, 8])}, "seconds", "%")
    assert words(drawing)[-2:] == ["slow", "fast"]
    dashed = "stroke-dasharray"
    assert dashed not in drawing.svg
    assert dashed in figures.curves({"a": ([1, 9], [5, 8])}, "s", "%", level=7).svg
    dots = figures.curves({"a": ([1, 9], [5, 8])}, "s", "%", joined=False).svg.lower()
    line = f"stroke: {colours.INPUT.lower()}; stroke-width: 2"
    assert line in drawing.svg.lower()
    assert line not in dots


def test_a_gallery_shows_all_its_pictures_in_rows():
    red, green = torch.zeros(2, 3, 8, 8)
    red[0] = green[1] = 1
    images = [red, green, torch.eye(8)]
    wide = figures.gallery(images, "abc", columns=3)
    assert isinstance(wide, Image)
    assert wide.data == figures.gallery(images, "abc", columns=3).data
    colour = np.asarray(PIL.Image.open(io.BytesIO(wide.data)).convert("RGB"), int)
    reds, greens = ((colour == hue).all(-1).sum() for hue in ([255, 0, 0], [0, 255, 0]))
    assert reds == greens > 10_000
    two_rows = pixels_of(figures.gallery(images, "abc", columns=2))
    assert two_rows.shape[0] > 2 * pixels_of(wide).shape[0]
    assert plt.get_fignums() == []


def test_boxes_are_named_above_the_picture():
    first, second = (
        pixels_of(figures.boxes(torch.zeros(8, 8), {name: (1, 1, 5, 5)})) for name in ("p", "q")
    )
    black = ((first < 30).mean(1) > 0.3).nonzero()[0]  # the rows of the picture
    differ = (first != second).any(1).nonzero()[0]
    assert differ.max() < black.min()


def test_boxes_may_reach_beyond_the_picture():
    photo = torch.rand(3, 8, 8)
    inside = figures.boxes(photo, {"a": (1, 2, 3, 3)})
    assert isinstance(inside, Image)
    assert inside.data == figures.boxes(photo, {"a": (1, 2, 3, 3)}).data
    assert inside.data != figures.boxes(photo, {"a": (1, 2, 3, 30)}).data
    assert plt.get_fignums() == []


def test_equal_weights_have_equal_tints_and_zeros_none():
    taps = torch.tensor([[1, 2, 0], [0, 1, 2]])
    svg = figures.weight_matrix(taps).svg.lower()
    first, second = colours.weight_tints(2)
    assert svg.count(f"fill: {first}") == svg.count(f"fill: {second}") == 2
    assert "fill: #f98d23" not in svg  # the tint between


def test_text_on_every_tint_can_be_read():
    for tint in colours.WEIGHTS:
        assert contrast(tint, colours.ink_on(tint)) >= 4.5, tint
    lightness = [luminance(tint) for tint in colours.WEIGHTS]
    assert lightness == sorted(lightness, reverse=True)


def luminance(colour):
    parts = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
             for value in to_rgb(colour)]  # fmt: skip
    return sum(part * share for part, share in zip(parts, (0.2126, 0.7152, 0.0722), strict=True))


def contrast(one, other):
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def test_tints_are_as_far_apart_as_there_is_room_for():
    for count in range(1, 10):
        places = [colours.WEIGHTS.index(tint) for tint in colours.weight_tints(count)]
        assert len(set(places)) == count
        assert places == sorted(places)
    assert colours.weight_tints(9) == list(colours.WEIGHTS)


def test_photographs_are_png_and_leave_no_figure_open():
    image = figures.photographs(
        [torch.rand(3, 8, 8), torch.rand(8, 8), torch.rand(1, 8, 8)], list("abc")
    )
    assert isinstance(image, Image)
    assert image.data.startswith(b"\x89PNG")
    assert plt.get_fignums() == []


def pixels_of(image):
    return np.asarray(PIL.Image.open(io.BytesIO(image.data)).convert("L"), int)


def test_photographs_leave_no_room_beside_a_broad_picture():
    broad = pixels_of(figures.photographs([torch.zeros(10, 40)], ["a"]))
    square = pixels_of(figures.photographs([torch.zeros(40, 40)], ["a"]))
    assert broad.shape[1] == square.shape[1]
    assert broad.shape[0] < square.shape[0] / 2


def ink_at_the_edge(image):
    pixels = pixels_of(image)
    return min(edge.min() for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])) < 255


def test_a_long_title_is_not_cut_off():
    pictures = [torch.zeros(8, 8)] * 3
    assert not ink_at_the_edge(figures.photographs(pictures, ["a", "b", "dilation 4: 248 wide"]))
    assert not ink_at_the_edge(figures.photographs(pictures, ["a" * 40, "b", "c"]))
    short, long = (
        pixels_of(figures.photographs(pictures, t)) for t in ("abc", ["a" * 40, "b", "c"])
    )
    assert short.shape == long.shape


def test_tiles_share_one_scale_in_which_0_is_mid_grey():
    maps = torch.stack([torch.zeros(4, 4), torch.full((4, 4), 2.0), torch.full((4, 4), -2.0)])
    pixels = pixels_of(figures.tiles({"one": maps, "two": maps}))
    greys, counts = np.unique(pixels, return_counts=True)
    large = {int(grey) for grey, count in zip(greys, counts, strict=True) if count > 5000}
    assert {0, 255} < large
    assert [grey for grey in large if 120 < grey < 136]
    assert figures.tiles({"one": maps / 2}).data == figures.tiles({"one": maps}).data


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: figures.windows(3, 5), "kernel_size=5"),
        (lambda: figures.window_sums([1, 2], [1, 2, 3]), "kernel_size=3"),
        (lambda: figures.tiles({}), r"shapes \[\]"),
        (lambda: figures.tiles({"a": torch.eye(2)}), r"shapes \[\(2, 2\)\]; use one shape"),
        (lambda: figures.tiles({"a": torch.eye(2)[None], "b": torch.rand(2, 2, 2)}), "one shape"),
        (lambda: figures.stack(9, [Layer(3)], output=7), "output=7 is not in the last map.*< 7"),
        (lambda: figures.stack(9, [], output=0), "use at least one layer"),
        (lambda: figures.stack(2, [Layer(3)], output=0), "kernel_size=3"),
        (lambda: figures.boxes(torch.rand(2, 8, 8), {}), r"shape \(2, 8, 8\)"),
        (lambda: figures.boxes(torch.eye(2), dict.fromkeys("abcdef", (0, 0, 1, 1))), "6 squares"),
        (lambda: figures.grids([torch.eye(2)], [], ["input"]), "lengths 1, 0 and 1"),
        (lambda: figures.grids([torch.eye(2)], ["a"], ["weight"]), "use input, kernel, output, w"),
        (
            lambda: figures.weight_matrix(torch.eye(2), "pq", "ab"),
            "do not name 1 weights and 2 col",
        ),
        (lambda: figures.weight_matrix(torch.arange(11)[None]), "count=10"),
        (lambda: colours.weight_tints(0), "count=0"),
        (lambda: figures.lines([1, 2], {"a": [1]}, "x", "y"), r"curves \['a'\]"),
        (lambda: figures.lines([0, 2], {"a": [1, 1]}, "x", "y"), "x holds 0.*leave 'x' out"),
        (lambda: figures.lines([1], {n: [1] for n in "abcdef"}, "x", "y"), "6 curves are too many"),
        (
            lambda: figures.curves({"a": ([1, 2], [1])}, "x", "y"),
            r"curves \['a'\] have x and y of diff",
        ),
        (lambda: figures.curves({"a": ([], [])}, "x", "y"), r"curves \['a'\] have x and y of diff"),
        (lambda: figures.curves({"a": ([0], [1])}, "x", "y", "x"), "x holds 0.*leave 'x' out"),
        (lambda: figures.curves({n: ([1], [1]) for n in "abcdef"}, "x", "y"), "6 curves are too"),
        (lambda: figures.spread({}, "x"), "values={} has nothing to draw"),
        (lambda: figures.spread({"a": [1], "b": []}, "x"), "give each row a number"),
        (
            lambda: figures.confusion([[1, 2]], ["a", "b"]),
            r"shape \(1, 2\); for 2 classes use \(2, 2",
        ),
        (lambda: figures.gallery([], []), "0 images have 0 titles"),
        (lambda: figures.gallery([torch.eye(2)], ["a", "b"]), "1 images have 2 titles"),
        (lambda: figures.gallery([torch.rand(2, 8, 8)], ["a"]), r"shape \(2, 8, 8\)"),
        (lambda: figures.bars({}, "metres"), "values={}"),
        (lambda: figures.bars({"a": -1.0}, "metres"), "-1.0"),
        (lambda: figures.photographs([torch.rand(2, 8, 8)], ["a"]), r"shape \(2, 8, 8\)"),
        (lambda: figures.photographs([], ["a"]), "0 images have 1 titles"),
        (lambda: figures.show(None, "gif"), "image_format='gif'"),
    ],
)
def test_refusals_name_argument_and_value(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_explorers_use_the_book_colours():
    css = style_source().upper()
    for name in ("INPUT", "KERNEL", "OUTPUT", "PADDING", "DROPPED"):
        assert getattr(colours, name).upper() in css, name


def test_style_sheet_of_figures_uses_the_book_colours():
    text = figures.drawing.STYLE.read_text("utf8")
    cycle = re.search(r'"color", \[(.+?)\]', text)[1]
    assert cycle.startswith(", ".join(f'"{c[1:]}"' for c in (colours.INPUT, colours.KERNEL)))


def test_clip_paths_are_named_after_what_is_written_of_them():
    """matplotlib's own names differ from one processor to the next, and nbval compares them."""
    svg = '<clipPath id="{0}"><rect x="1.5"/></clipPath><g clip-path="url(#{0})"/>'
    named = _name_clips(svg.format("p84e680fbbb"))
    assert named == _name_clips(svg.format("pdb601f44c3"))
    assert len({*re.findall(r"p\w{10}", named)}) == 1
    assert named != _name_clips(svg.replace("1.5", "2.5").format("p84e680fbbb"))
