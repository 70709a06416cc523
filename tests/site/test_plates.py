"""Photographs and maps on the site: each a picture of its own, under its title."""

import base64
import io

import pytest
from PIL import Image

from convbook.course.mime_types import PICTURES
from convbook.course.site.plates import SMALL
from tests.helpers.site_builds import ROOT, pages
from tools import notebooks

pytestmark = pytest.mark.site


def plates(path):
    """Return (what is stored, alt text) of each plate of a notebook."""
    for cell in notebooks.read(path).cells:
        for output in cell.get("outputs", []):
            if stored := output.get("data", {}).get(PICTURES):
                yield stored, cell.metadata["mystnb"]["image"]["alt"]


def test_every_stored_plate_stands_in_its_page(site):
    book = pages(site)
    for path in notebooks.notebook_paths():
        file = site / path.relative_to(ROOT).with_suffix(".html")
        shown = book[file].select(".cb-plate")
        for plate, (stored, alt) in zip(shown, plates(path), strict=True):
            assert (plate["role"], plate["aria-label"]) == ("group", alt)
            pictures = [picture for row in stored["rows"] for picture in row["pictures"]]
            images = plate.find_all("img")
            assert len(images) == len(pictures)
            for image, picture in zip(images, pictures, strict=True):
                size = (int(image["width"]), int(image["height"]))
                assert size == (picture["width"], picture["height"])
                assert image["alt"] == ""
                assert ("cb-pixels" in image.get("class", [])) == (picture["width"] <= SMALL)
            titles = [picture["title"] for picture in pictures if picture["title"]]
            assert [c.get_text("\n") for c in plate.find_all("figcaption")] == titles
            names = [row["name"] for row in stored["rows"] if row["name"]]
            assert [p.get_text() for p in plate.select("p.cb-row")] == names


def test_the_files_hold_the_stored_pictures(site):
    path = ROOT / "chapters" / "11_transposed.ipynb"
    file = site / path.relative_to(ROOT).with_suffix(".html")
    sources = [image["src"] for image in pages(site)[file].select(".cb-plate img")]
    stored = [p for plate, _ in plates(path) for row in plate["rows"] for p in row["pictures"]]
    assert len(sources) == len(stored) > 20
    for source, picture in zip(sources, stored, strict=True):
        original = Image.open(io.BytesIO(base64.b64decode(picture["png"]))).convert("RGB")
        served = Image.open(file.parent / source).convert("RGB")
        assert served.size == original.size
        differences = [
            abs(a - b) for a, b in zip(served.tobytes(), original.tobytes(), strict=True)
        ]
        assert sum(differences) / len(differences) < 3  # grey levels
