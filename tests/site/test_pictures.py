"""Photographs on the site: smaller files, the same pictures, and room kept for them."""

import base64
import io
import random

import pytest
from bs4 import BeautifulSoup
from PIL import Image

from convbook.course.mime_types import DRAWING, PICTURES
from convbook.course.site.pictures import SMALLEST_PSNR, encode, psnr
from tests.helpers.site_builds import ROOT
from tests.helpers.site_pages import CHAPTER
from tools import notebooks


def png(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def decoded(file):
    return Image.open(io.BytesIO(file)).convert("RGB")


def checkerboard(*colours):
    image = Image.new("RGB", (64, 64))
    image.putdata([colours[(x + y) % 2] for y in range(64) for x in range(64)])
    return image


def gentle_grain():
    """A picture like a photograph: no two neighbours alike, none far apart."""
    draw = random.Random(0)
    image = Image.new("RGB", (96, 96))
    grey = [(x + y + draw.randrange(8), 100 + y, 200 - x) for y in range(96) for x in range(96)]
    image.putdata(grey)
    return image


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "1"])
def test_few_colours_are_kept_exactly(mode):
    image = checkerboard((0, 0, 0), (255, 255, 255)).convert(mode)
    assert decoded(encode(png(image))).tobytes() == image.convert("RGB").tobytes()


def test_a_photograph_becomes_smaller_than_without_loss():
    image = gentle_grain()
    exact = io.BytesIO()
    image.save(exact, "WEBP", lossless=True)
    encoded = encode(png(image))
    assert len(encoded) < len(exact.getvalue())
    assert SMALLEST_PSNR <= psnr(image, encoded) < 100


def test_colours_that_alternate_from_pixel_to_pixel_survive():
    """Stored at half the resolution, red and blue would meet in the middle."""
    draw = random.Random(1)
    colours = [(255, 0, 0), (0, 0, 255), (255, 0, 255), (0, 255, 0)]
    image = Image.new("RGB", (64, 64))
    image.putdata([draw.choice(colours) for _ in range(64 * 64)])
    assert psnr(image, encode(png(image))) >= SMALLEST_PSNR


def test_psnr():
    grey = Image.new("RGB", (8, 8), (100, 100, 100))
    lighter = png(Image.new("RGB", (8, 8), (110, 110, 110)))
    assert psnr(grey, png(grey)) == float("inf")
    assert psnr(grey, lighter) == pytest.approx(28.13, abs=0.01)  # 20 log10(255 / 10)


def stored_photographs(path):
    """Return (PNG, width, alt text) of a notebook's pictures, drawings and plates left out."""
    for cell in notebooks.read(path).cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data and not {DRAWING, PICTURES} & data.keys():
                alt = cell.metadata["mystnb"]["image"]["alt"]
                width = output.metadata["image/png"]["width"]
                yield base64.b64decode(data["image/png"]), width, alt


@pytest.mark.site
def test_each_photograph_is_shown_as_it_is_stored(site):
    seen = 0
    for path in notebooks.notebook_paths():
        file = site / path.relative_to(ROOT).with_suffix(".html")
        page = BeautifulSoup(file.read_text("utf8"), "html.parser")
        shown = page.select(".cell_output img[src$=webp]:not(.cb-plate img)")
        for element, (stored, wanted, alt) in zip(shown, stored_photographs(path), strict=True):
            encoded = (file.parent / element["src"]).read_bytes()
            original = Image.open(io.BytesIO(stored))
            width, height = int(element["width"]), int(element["height"])
            assert width == wanted <= original.width
            assert height == pytest.approx(width * original.height / original.width, abs=1)
            assert element["alt"] == alt
            assert element["decoding"] == "async"
            assert element.find_parent("a") is None
            assert len(encoded) < len(stored)
            assert psnr(original, encoded) >= SMALLEST_PSNR, (path, alt)
            seen += 1
        images = page.select(".cell_output img:not(.convbook-explorer img)")
        eager = [image for image in images if image.get("loading") != "lazy"]
        first = page.select_one(".cb-drawing, .cell_output img:not(.convbook-explorer img)")
        if first is None or first.name == "div":  # nothing, or a drawing, comes before all others
            assert eager == []
        else:  # the first picture, or all that stand beside it
            plate = first.find_parent(class_="cb-plate")
            assert eager == (plate.find_all("img") if plate else images[:1])
    assert seen >= 2


@pytest.mark.site
@pytest.mark.browser
@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_a_photograph_keeps_its_shape_and_its_place(visit, screen):
    page = visit(CHAPTER, screen)
    photographs = page.locator(".cell_output img[src$=webp]")
    size = "e => [e.clientWidth, e.clientHeight, e.naturalWidth, e.naturalHeight]"
    before = page.locator("article").evaluate("e => e.scrollHeight")
    for photograph in photographs.all():
        photograph.scroll_into_view_if_needed()
        photograph.evaluate("e => e.decode()")
        width, height, natural_width, natural_height = photograph.evaluate(size)
        assert width / height == pytest.approx(natural_width / natural_height, rel=0.01)
        left, right = photograph.evaluate(
            """e => {
              const plate = e.closest(".cb-plate") ?? e;
              const [box, column] = [plate, e.closest(".cell_output")].map((x) =>
                x.getBoundingClientRect());
              return [box.left - column.left, column.right - box.right];
            }"""
        )
        assert left == pytest.approx(right, abs=1)
        assert left >= 0
    assert photographs.count() >= 3
    assert page.locator("article").evaluate("e => e.scrollHeight") == before


@pytest.mark.site
@pytest.mark.browser
@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_a_caption_stands_small_in_the_middle_below_its_picture(visit, fork_address, screen):
    page = visit(CHAPTER, screen, base=fork_address)
    figure = page.locator(".cell_output figure:not(.cb-plate figure)")
    caption = figure.locator("figcaption p")
    assert caption.inner_text().startswith("Look at the stripes of the flag.")
    assert caption.evaluate("e => getComputedStyle(e).fontSize") == "14.4px"
    above, below = figure.locator(".cb-plate").bounding_box(), caption.bounding_box()
    assert above["y"] + above["height"] <= below["y"]
    middle = above["x"] + above["width"] / 2
    assert middle == pytest.approx(below["x"] + below["width"] / 2, abs=1)
