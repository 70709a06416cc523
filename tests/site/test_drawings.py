"""Drawings on the site: part of the page, in its font, with its colours, without a clash of ids."""

import re
from itertools import pairwise

import pytest
import torch
from bs4 import BeautifulSoup

from convbook.arithmetic import Layer
from convbook.course import colours, figures
from convbook.course.mime_types import DRAWING
from convbook.course.site.drawings import inline_svg
from tests.helpers.site_builds import ROOT, pages
from tools import notebooks

DRAWINGS = {
    "grids": lambda: figures.grids([torch.eye(2), -torch.eye(3)], ["a", "b"], ["input", "kernel"]),
    "stack": lambda: figures.stack(8, [Layer(3, stride=2, padding=1), Layer(3)], output=0),
    "windows": lambda: figures.windows(10, 3, stride=2),
    "lines": lambda: figures.lines([1, 2, 4], {"one": [1, 3, 5]}, "size", "ms"),
    "confusion": lambda: figures.confusion([[8, 2], [1, 9]], ["cat & dog", "<car>"]),
}


def inlined(name, prefix="figure-1-0", alt='two "grids"'):
    return inline_svg(DRAWINGS[name]().svg, prefix, alt)


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_is_one_element_with_its_description_and_its_size(name):
    drawing = DRAWINGS[name]()
    (svg,) = BeautifulSoup(inlined(name), "html.parser").contents
    assert svg.name == "svg"
    assert (svg["role"], svg["aria-label"]) == ("img", 'two "grids"')
    points = re.search(r'width="([\d.]+)pt"', drawing.svg)[1]
    assert int(svg["width"]) == pytest.approx(float(points) * 96 / 72, abs=1)


@pytest.mark.parametrize("name", DRAWINGS)
def test_nothing_of_it_reaches_the_rest_of_the_page(name):
    svg = inlined(name)
    assert "<style" not in svg
    assert "<metadata" not in svg
    assert "font-family" not in svg
    assert "xmlns" not in svg


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_keeps_its_words(name):
    def words(text):
        texts = BeautifulSoup(text, "html.parser").find_all("text")
        return ["".join(text.get_text().split()) for text in texts]

    svg = DRAWINGS[name]().svg
    assert words(inlined(name)) == words(svg[svg.index("<svg") :])
    assert words(inlined(name))


@pytest.mark.parametrize("name", DRAWINGS)
def test_its_colours_are_the_pages(name):
    svg = inlined(name)
    left = set(re.findall(r"#[0-9a-f]{6}", svg.lower()))
    assert not left & set(colours.DARK)
    variables = set(re.findall(r"var\((--[\w-]+)\)", svg))
    assert variables
    assert variables <= {colours.variable(colour) for colour in colours.DARK}
    assert all(f"{variable}: #" in colours.style_sheet() for variable in variables)


@pytest.mark.parametrize("name", DRAWINGS)
def test_two_copies_on_one_page_share_no_id(name):
    pages = [inlined(name, prefix) for prefix in ("figure-1-0", "figure-2-0")]
    ids = [set(re.findall(r'\bid="([^"]+)"', page)) for page in pages]
    assert not ids[0] & ids[1]
    for page, own in zip(pages, ids, strict=True):
        assert set(re.findall(r'(?:url\(|href=")#([\w-]+)', page)) == own  # each is used and there


def test_a_title_and_a_description_of_its_own_stay():
    svg = '<svg width="9pt" height="9pt" viewBox="0 0 9 9"><title>t</title><desc>d</desc></svg>'
    assert inline_svg(svg, "a", "x").endswith("><title>t</title><desc>d</desc></svg>")


@pytest.mark.site
def test_every_stored_drawing_stands_in_its_page_once(site):
    book = pages(site)
    for path in notebooks.notebook_paths():
        page = book[site / path.relative_to(ROOT).with_suffix(".html")]
        cells = [cell for cell in notebooks.read(path).cells if cell.cell_type == "code"]
        alts = [
            cell.metadata["mystnb"]["image"]["alt"]
            for cell in cells
            for output in cell.outputs
            if DRAWING in output.get("data", {})
        ]
        shown = [svg["aria-label"] for svg in page.select(".cb-drawing > svg")]
        assert shown == alts, path
        ids = [element["id"] for element in page.find_all(id=True)]
        assert all(one != other for one, other in pairwise(sorted(ids))), path
