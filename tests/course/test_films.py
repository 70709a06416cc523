"""Films: the same thing at several steps, side by side."""

import io

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import pytest
import torch
from IPython.display import Image

from convbook.course import figures
from convbook.course.figures import films
from convbook.course.figures.drawing import WIDTH, show

TITLES = ["before training", "after 10 steps", "the picture that it should draw"]


def flat(*levels, size=(8, 8)):
    return [torch.full(size, float(level)) for level in levels]


@pytest.fixture
def caught(monkeypatch):
    """Return a list of the figures that are shown, still open."""
    shown = []

    def keep(figure, image_format):
        shown.append(figure)
        return show(figure, image_format)

    monkeypatch.setattr(films, "show", keep)
    yield shown
    plt.close("all")


def grey_levels(frames, titles, caught, **settings):
    """Return the level, from 0 to 255, that is drawn for each flat picture."""
    image = figures.film(frames, titles, **settings)
    with PIL.Image.open(io.BytesIO(image.data)) as picture:
        pixels = np.asarray(picture.convert("L"), dtype=int)
    height, width = pixels.shape
    middles = []
    for axes in caught[-1].axes:
        box = axes.get_position()
        x, y = (box.x0 + box.x1) / 2 * width, (1 - (box.y0 + box.y1) / 2) * height
        middles.append(int(pixels[int(y), int(x)]))
    count = len(titles)
    return [middles[i : i + count] for i in range(0, len(middles), count)]


def test_one_scale_for_all_pictures(caught):
    frames = {"a": flat(0, 1, 2), "b": flat(2, 3, 4)}
    (a, b) = grey_levels(frames, TITLES, caught)
    assert a == pytest.approx([0, 255 / 4, 255 / 2], abs=1)
    assert a[2] == b[0]
    assert b[2] == 255


def test_a_scale_for_each_row(caught):
    frames = {"a": flat(0, 1, 2), "b": flat(2, 3, 4)}
    (a, b) = grey_levels(frames, TITLES, caught, scale="row")
    assert a == b
    assert (a[0], a[2]) == (0, 255)


def test_colour_is_shown_as_it_is_and_does_not_move_the_greys(caught):
    frames = {"grey": flat(0.0, 0.25, 0.5), "colour": flat(0.2, 0.2, 0.2, size=(3, 8, 8))}
    grey, colour = grey_levels(frames, TITLES, caught)
    assert (grey[0], grey[2]) == (0, 255)
    assert colour == [51, 51, 51]


def test_titles_stand_once_and_names_to_the_left(caught):
    figures.film({"a": flat(0, 1, 2), "b": flat(2, 3, 4)}, TITLES)
    texts = [text.get_text().replace("\n", " ") for text in caught[0].texts]
    assert texts == [*TITLES, "a", "b"]
    caught[0].draw_without_rendering()
    lefts = [axes.get_window_extent().x0 for axes in caught[0].axes]
    for name in caught[0].texts[len(TITLES) :]:
        assert name.get_window_extent().x1 <= min(lefts)
    assert not any(axes.axison for axes in caught[0].axes)


LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


@pytest.mark.parametrize("titles", [TITLES, [LONG, "short", LONG], ["a b " * 30, "c", ""]])
@pytest.mark.parametrize("name", ["a", "a stride of two and a kernel of four", LONG])
def test_no_text_is_cut_or_overlaps(titles, name, caught):
    wide = flat(0, 1, 2, size=(2, 30))  # lower than a name of several lines
    figures.film({name: wide, f"{name} again": flat(0, 1, 2)}, titles)
    (figure,) = caught
    figure.draw_without_rendering()  # at its own resolution again, not that of the file
    boxes = [text.get_window_extent() for text in figure.texts if text.get_text()]
    boxes += [axes.get_window_extent() for axes in figure.axes]
    for i, box in enumerate(boxes):
        assert min(box.x0, box.y0) >= 0
        assert box.x1 <= figure.bbox.width + 0.5
        assert box.y1 <= figure.bbox.height
        assert not any(box.overlaps(other) for other in boxes[i + 1 :])
    assert figure.get_size_inches()[0] == WIDTH


def test_films_are_the_same_on_each_run():
    one, two = (figures.film({"a": torch.arange(48.0).view(3, 4, 4)}, TITLES) for _ in range(2))
    assert isinstance(one, Image)
    assert one.data == two.data


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match=r"frames has 0 rows .* at least one of each"):
        figures.film({}, TITLES)
    with pytest.raises(ValueError, match=r"frames\['a'\] has 2 pictures for 3 titles"):
        figures.film({"a": flat(0, 1)}, TITLES)
    with pytest.raises(ValueError, match=r"frames\['a'\] has pictures of sizes"):
        figures.film({"a": [torch.rand(2, 2), torch.rand(3, 3)]}, ["x", "y"])
    with pytest.raises(ValueError, match="scale='none' is unknown; use 'all' or 'row'"):
        figures.film({"a": flat(0, 1, 2)}, TITLES, scale="none")
    with pytest.raises(ValueError, match="image has shape"):
        figures.film({"a": [torch.rand(4, 2, 2)]}, ["x"])
    with pytest.raises(ValueError, match=r"no room .* use fewer columns"):
        figures.film({"a": flat(*range(200))}, ["step"] * 200)
