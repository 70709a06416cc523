"""Figures: the book's colours, the same bytes on each run, clear refusals."""

import base64
import io
import re
from collections import Counter

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
from convbook.course.figures.charts import _name_apart
from convbook.course.figures.drawing import _name_clips
from convbook.course.mime_types import DATA, DRAWING, PICTURES

DRAWINGS = {
    "windows": lambda: figures.windows(10, 3, stride=2, padding=1, dilation=2),
    "window sums": lambda: figures.window_sums([0, 0, 9, 9], [-1, 1]),
    "stack": lambda: figures.stack(8, [Layer(3, stride=2, padding=1), Layer(3)], output=0),
    "grids": lambda: figures.grids([torch.eye(2), torch.eye(3)], ["a", "b"], ["input", "output"]),
    "letters": lambda: figures.grids([["ab", "cd"]], ["a"], ["weights"]),
    "weight matrix": lambda: figures.weight_matrix(
        torch.tensor([[1, 2, 0], [0, 1, 2]]), "pq", "abc"
    ),
    "connections": lambda: figures.connections(torch.tensor([[1, 2, 0], [0, 1, 2]]), "pq", "abc"),
    "bars": lambda: figures.bars({"one": 1.0, "two": 2.5}, "metres"),
    "lines": lambda: figures.lines([1, 2, 4], {"one": [1, 3, 5], "two": [2, 2, 2]}, "size", "ms"),
    "confusion": lambda: figures.confusion(
        [[8, 2, 0], [1, 9, 0], [0, 0, 10]], ["cat", "dog", "car"]
    ),
    "repeats": lambda: figures.repeats({"a": [[3, 2], [3, 2]], "b": [[3, 3]]}, "epoch", "loss"),
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
    drawn = [figures.repeats({"a": [[value, 2]]}, "x", "y") for value in (exact, off)]
    assert drawn[0].svg == drawn[1].svg
    drawn = [figures.spread({"a": [value]}, "x", level=1) for value in (exact, off)]
    assert drawn[0].svg == drawn[1].svg
    maps = [torch.full((2, 2), value, dtype=torch.float64) for value in (exact, off)]
    first, second = (figures.grids([m], ["a"], ["input"], digits=2).svg for m in maps)
    assert first == second


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_page_is_a_drawings_ground_and_its_png_is_white(name):
    drawing = DRAWINGS[name]()
    assert "fill: #ffffff" not in drawing.svg.replace(INK_ON_DARK_TINT, "")
    assert not ink_at_the_edge(drawing)


INK_ON_DARK_TINT = 'fill: #ffffff" x='  # never a face: digits on the dark weights


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_colour_of_a_drawing_has_a_dark_one_or_stays_on_purpose(name):
    used = set(re.findall(r"#[0-9a-f]{6}", DRAWINGS[name]().svg.lower()))
    assert used <= {*colours.DARK, *colours.WEIGHTS, colours.INK_ON_WEIGHTS, "#ffffff"}


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_png_of_a_drawing_is_small_and_sharp_and_of_the_same_size(name):
    drawing = DRAWINGS[name]()
    data, metadata = drawing._repr_mimebundle_()
    data.pop(DATA, None)
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
        assert colour in svg
    assert colours.DROPPED not in figures.windows(9, 3, stride=2).svg.lower()


def words(drawing):
    """Return a drawing's texts in the order of its file."""
    return re.findall(r"<text[^>]*>([^<]+)</text>", drawing.svg)


def test_window_sums_shows_pixels_weights_and_sums():
    texts = words(figures.window_sums([0, 0, 9, 9], [-1, 2]))
    assert texts == ["0", "0", "9", "9", *["−1", "2", "0", "−1", "2", "18", "−1", "2", "9"],
                     "input", "windows", "output"]  # fmt: skip


def hues(drawing, kind="fill"):
    """Count a drawing's cells by the colour of their face or of their outline."""
    return Counter(re.findall(rf"[\" ]{kind}: (#\w+); {kind}-", drawing.svg.lower()))


def test_a_sign_shows_in_the_hue_and_a_role_in_the_outline():
    for role, colour in colours.ROLES.items():
        plain = figures.grids([torch.tensor([[1.0, 0.0, 2.0]])], ["a"], [role])
        assert hues(plain) == {colour: 2}  # a zero is blank
        assert hues(plain, "stroke")[colour] >= 3
        signed = figures.grids([torch.tensor([[1.0, -1.0, -2.0]])], ["a"], [role])
        key = 2
        assert hues(signed) == {colours.POSITIVE: 1 + key, colours.NEGATIVE: 2 + key}
        assert hues(signed, "stroke")[colour] >= 3
    rounded = figures.grids([torch.tensor([[1.0, -0.04]])], ["a"], ["input"], digits=1)
    assert hues(rounded) == {colours.INPUT: 1}  # what is shown as 0.0 is no negative number


def test_only_a_kernel_has_a_double_outline():
    def outlines(role):
        return hues(figures.grids([torch.ones(2, 2)], ["a"], [role]), "stroke").total()

    assert outlines("input") == outlines("output") == 4
    assert outlines("kernel") == 8


def test_one_scale_serves_all_grids_of_a_figure():
    def tints(*maps):
        titles, roles = ["a"] * len(maps), ["input"] * len(maps)
        svg = figures.grids(maps, titles, roles).svg
        return [float(tint) for tint in re.findall(r"fill-opacity: ([\d.]+)", svg)]

    small, large = torch.tensor([[1, 2]]), torch.tensor([[4]])
    assert tints(small, large) == pytest.approx([0.12 + 0.38 * share for share in (0.25, 0.5, 1)])
    assert tints(small) == pytest.approx([0.12 + 0.38 * share for share in (0.5, 1)])


def test_signed_grids_have_a_key_with_the_largest_number():
    signed = figures.grids([torch.tensor([[1.5, -2.5]])], ["a"], ["input"], digits=1)
    assert words(signed)[-3:] == ["−2.5", "0", "2.5"]
    assert words(figures.grids([torch.tensor([[1.5]])], ["a"], ["input"], digits=1)) == ["a", "1.5"]


def test_a_key_with_long_numbers_is_not_cut_off():
    for cells in (1, 2, 6):
        narrow = torch.full((2, cells), -1234.25)
        assert not ink_at_the_edge(figures.grids([narrow], ["a"], ["input"], digits=2)), cells


def test_operators_stand_between_the_grids():
    maps, titles, roles = [torch.ones(2, 2)] * 3, list("abc"), ["input", "kernel", "output"]
    texts = words(figures.grids(maps, titles, roles, operators="*="))
    assert [text for text in texts if not text.isalnum()] == ["*", "="]


def test_titles_of_grids_do_not_overlap_and_are_not_cut():
    long = "a title that is wider than its grid"
    drawing = figures.grids([torch.ones(1, 1)] * 2, [long, long], ["input", "output"])
    assert not ink_at_the_edge(drawing)
    one, two = (float(x) for x in re.findall(r'x="([\d.]+)"[^>]*>a title', drawing.svg))
    assert two - one > len(long) * 10 * 0.5  # points: wider than the title


def test_digits_fit_their_cells():
    wide = figures.grids([torch.full((9, 9), -100)] * 2, ["a", "b"], ["input", "output"])
    sizes = {float(size) for size in re.findall(r"font-size: ([\d.]+)px", wide.svg)}
    assert min(sizes) < 9
    few = figures.grids([torch.full((2, 2), -100)], ["a"], ["input"])
    assert "font-size: 9px" in few.svg


def test_a_small_negative_number_is_shown_without_a_sign():
    texts = words(figures.grids([torch.tensor([[-0.04, -0.06]])], ["a"], ["kernel"], digits=1))
    assert texts[:3] == ["a", "0.0", "−0.1"]


def test_stack_fills_what_the_output_depends_on():
    def fills(layers, output):
        counts = hues(figures.stack(9, layers, output))
        return [counts[colour] for colour in (colours.INPUT, colours.OUTPUT)]

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
        return figures.stack(9, layers, output).svg.lower().count(f"stroke: {colours.AXIS}")

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
    tints = re.findall(rf"fill: {colours.POSITIVE}; fill-opacity: ([\d.]+)", drawing.svg.lower())
    assert [tint for tint in sorted(map(float, tints), reverse=True) if tint] == [0.6, 0.3]
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


def test_repeats_have_a_thin_line_for_each_run_and_a_thick_one_at_the_mean():
    drawing = figures.repeats({"a": [[3, 2], [5, 4]], "b": [[3, 3.01]]}, "epoch", "loss")
    assert drawing.numbers == {"runs": {"a": [[3, 2], [5, 4]], "b": [[3, 3.01]]}}
    lines = [drawing.svg.lower().count(f"stroke: {colour}") for colour in colours.CURVES[:2]]
    assert lines == [2 + 1, 1 + 1]
    assert sorted(words(drawing)[-2:]) == ["a", "b"]


def test_names_of_repeats_stand_apart_and_above_the_axis():
    figure, axes = plt.subplots()
    axes.set_ylim(0, 10)
    _name_apart(axes, {name: (1, y, 0) for name, y in {"a": 0, "b": 0.1, "c": 9, "d": 9}.items()})
    heights = sorted(text.xy[1] for text in axes.texts)
    plt.close(figure)
    assert heights == pytest.approx([0, 0.8, 8.2, 9])


def test_curves_have_their_own_x_and_their_names_at_the_end():
    drawing = figures.curves({"slow": ([1, 9], [5, 8]), "fast": ([1, 2], [6, 8])}, "seconds", "%")
    assert words(drawing)[-2:] == ["slow", "fast"]
    dashed = "stroke-dasharray"
    assert dashed not in drawing.svg
    assert dashed in figures.curves({"a": ([1, 9], [5, 8])}, "s", "%", level=7).svg
    dots = figures.curves({"a": ([1, 9], [5, 8])}, "s", "%", joined=False).svg.lower()
    line = f"stroke: {colours.CURVES[0]}; stroke-width: 2"
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


def test_a_network_has_a_line_for_each_weight_that_is_there():
    taps = torch.tensor([[1, 2, 0], [0, 1, 2]])
    drawing = figures.connections(taps, "pq", "abc")
    svg = drawing.svg.lower()
    for tint in colours.weight_tints(2):
        assert svg.count(f"stroke: {tint}; stroke-width: 2.4") == 2
    assert words(drawing) == [*"abc", "0", "1", *"pq"]


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
    assert broad.shape[1] > 1.3 * square.shape[1]  # a square one would be too high
    assert broad.shape[0] < square.shape[0] / 2
    assert ((square < 128).mean(0)[8:-8] > 0.9).all()  # no empty column


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


def stored(plate):
    """Return the pictures of a plate as they are stored, `(H, W, 3)` in bytes, by row."""
    rows = plate._repr_mimebundle_()[0][PICTURES]["rows"]
    return [
        [np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(p["png"]))).convert("RGB"), int)
         for p in row["pictures"]] for row in rows
    ]  # fmt: skip


def test_tiles_of_a_row_share_one_scale_in_which_0_is_white():
    maps = torch.stack([torch.zeros(4, 4), torch.full((4, 4), 2.0), torch.full((4, 4), -2.0)])
    (zero, most, least), half = stored(figures.tiles({"one": maps, "two": maps / 2}))
    assert (zero == 255).all()
    assert "#{:02x}{:02x}{:02x}".format(*most[0, 0]) == colours.POSITIVE
    assert "#{:02x}{:02x}{:02x}".format(*least[0, 0]) == colours.NEGATIVE
    assert all((one == two).all() for one, two in zip((zero, most, least), half, strict=True))


def test_signed_maps_share_one_scale_and_others_stay_as_they_are():
    maps = [torch.tensor([[1.0, -1.0]]), torch.tensor([[2.0, -2.0]]), torch.tensor([[0.0, 3.0]])]
    photo = torch.rand(3, 1, 2)
    ((weak, strong, grey, colour),) = stored(figures.gallery([*maps, photo], "abcd", 4, True))
    assert "#{:02x}{:02x}{:02x}".format(*strong[0, 0]) == colours.POSITIVE
    assert abs(weak - (strong + 255) / 2).max() < 2  # half as far from white
    assert grey.tolist() == [[[0] * 3, [255] * 3]]
    assert abs(colour - 255 * photo.permute(1, 2, 0).numpy()).max() <= 0.5 + 1e-4


def test_pictures_are_stored_pixel_for_pixel_under_their_titles():
    state = figures.gallery([torch.eye(3), torch.rand(3, 2, 5)], ["one", "two"]).stored
    (row,) = state["rows"]
    assert [(p["title"], p["width"], p["height"]) for p in row["pictures"]] == [
        ("one", 3, 3), ("two", 5, 2)
    ]  # fmt: skip
    assert repr(figures.gallery([torch.eye(3)], ["a"])) == "<Plate>"


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
        (lambda: figures.repeats({"a": [[1], [1, 2]]}, "x", "y"), r"runs \['a'\] have several"),
        (lambda: figures.repeats({"a": []}, "x", "y"), r"runs \['a'\] have several"),
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
    assert cycle == ", ".join(f'"{colour[1:]}"' for colour in colours.CURVES)
    inks = re.findall(r"^(?:text|axes|[xy]tick)\.(?:label|edge)?color: (\w+)", text, re.MULTILINE)
    assert {f"#{ink}" for ink in inks} - {"#none"} == {colours.INK, colours.AXIS}


def test_clip_paths_are_named_after_what_is_written_of_them():
    """matplotlib's own names differ from one processor to the next, and nbval compares them."""
    svg = '<clipPath id="{0}"><rect x="1.5"/></clipPath><g clip-path="url(#{0})"/>'
    named = _name_clips(svg.format("p84e680fbbb"))
    assert named == _name_clips(svg.format("pdb601f44c3"))
    assert len({*re.findall(r"p\w{10}", named)}) == 1
    assert named != _name_clips(svg.replace("1.5", "2.5").format("p84e680fbbb"))
