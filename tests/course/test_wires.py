"""Drawings of who reads whom: every line and dot, light, and clear refusals."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.patches import Circle, Rectangle

from convbook.course import colours, figures
from convbook.course.figures import wires
from convbook.course.figures.drawing import WIDTH


@pytest.fixture
def drawn(monkeypatch):
    """Return a function that draws and gives the figure, not yet an image."""
    monkeypatch.setattr(wires, "show", lambda figure: figure)
    yield lambda *arguments, **settings: getattr(wires, arguments[0])(*arguments[1:], **settings)
    plt.close("all")


def lines(figure, colour=None):
    found = figure.axes[0].lines
    return [line for line in found if colour in (None, line.get_color())]


def dots(figure):
    return [patch for patch in figure.axes[0].patches if isinstance(patch, Circle)]


LINKS = [np.array([[1, 1, 0], [0, 0, 1]]), np.ones((4, 2))]


def test_there_is_a_line_for_each_link_and_a_dot_for_each_channel(drawn):
    figure = drawn("wiring", LINKS, ["one", "two"])
    assert len(lines(figure)) == 3 + 8
    assert len(dots(figure)) == 3 + 2 + 4
    assert figure.get_size_inches()[0] <= WIDTH


def test_a_line_ends_at_the_dots_that_it_joins(drawn):
    figure = drawn("wiring", [torch.tensor([[0, 1], [0, 0], [1, 0]])], ["swap"])
    left, right = {}, {}
    for dot in dots(figure):
        x, y = dot.center
        (left if x == 0 else right)[len(left if x == 0 else right)] = (x, y)
    ends = {
        (line.get_xydata()[0].tolist()[1], line.get_xydata()[1].tolist()[1])
        for line in lines(figure)
    }
    assert ends == {(left[1][1], right[0][1]), (left[0][1], right[2][1])}


@pytest.mark.parametrize(("lit", "bright"), [(0, 1 + 4), (2, 1 + 4), (None, 0)])
def test_light_follows_the_lines(drawn, lit, bright):
    figure = drawn("wiring", LINKS, ["one", "two"], lit=lit)
    assert len(lines(figure, colours.INPUT)) == bright
    shining = [
        dot
        for dot in dots(figure)
        if dot.get_facecolor()[:3]
        == pytest.approx(tuple(int(colours.INPUT[i : i + 2], 16) / 255 for i in (1, 3, 5)))
    ]
    assert len(shining) == (0 if lit is None else 1 + 1 + 4)


def test_texts_stand_inside_the_figure(drawn):
    eye = np.eye(2)
    names = ["5 × 5\ng = 2"] * 8
    below = [*["256\nmaps"] * 8, "1000\nscores"]
    figure = drawn("wiring", [eye] * 8, names, below=below, rows=["GPU 1", "GPU 2"])
    figure.draw_without_rendering()
    width, height = figure.bbox.width, figure.bbox.height
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) == 8 + 9 + 2
    assert all(b.x0 >= 0 and b.y0 >= 0 and b.x1 <= width and b.y1 <= height for b in boxes)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        ((LINKS, ["one"]), {}, "2 layers and 1 names; give one for each"),
        ((LINKS[::-1], ["one", "two"]), {}, r"links\[0\] gives 4 channels and links\[1\] reads 3"),
        ((LINKS, ["one", "two"]), {"lit": 3}, "lit=3 is no channel; use 0 to 2"),
        ((LINKS, ["one", "two"]), {"below": ["a"]}, "below holds 1 texts; give 3"),
        ((LINKS, ["one", "two"]), {"rows": ["a"]}, "rows holds 1 texts; give 4"),
    ],
)
def test_what_does_not_fit_together_is_refused(arguments, settings, message):
    with pytest.raises(ValueError, match=message):
        figures.wiring(*arguments, **settings)


def test_squares_cover_a_gth_of_the_matrix(drawn):
    figure = drawn("group_squares", 8, [1, 2, 8])
    patches = [p for p in figure.axes[0].patches if isinstance(p, Rectangle) and p.get_fill()]
    squares = [p for p in patches if p.get_facecolor()[3] == 1]
    areas = sorted(p.get_width() * p.get_height() for p in squares)
    assert len(squares) == 1 + 2 + 8
    assert sum(areas[:8]) == pytest.approx(areas[-1] / 8)
    with pytest.raises(ValueError, match=r"groups=\[3\] do not divide 8 channels"):
        figures.group_squares(8, [1, 3])


def test_colours_are_the_books_and_drawings_the_same_each_time():
    one, two = (figures.wiring(LINKS, ["one", "two"], lit=0) for _ in range(2))
    assert one.svg == two.svg
    used = set(re.findall(r"#[0-9a-f]{6}", one.svg + figures.group_squares(8, [2]).svg))
    book = {value.lower() for value in vars(colours).values() if isinstance(value, str)}
    assert used <= book | set(colours.WEIGHTS) | {"#ffffff"}
