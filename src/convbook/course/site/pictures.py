"""Show photographs as WebP, which weighs a third of the PNG that a notebook stores.

The element names the picture's size, so that nothing moves when it arrives, and leaves pictures
further down to be fetched when the reader comes near.
"""

import base64
import hashlib
import io
import math
import posixpath
from pathlib import Path
from urllib.parse import quote

from docutils import nodes
from PIL import Image, ImageChops, ImageStat

from convbook.course.mime_types import DRAWING

QUALITY = 90
SMALLEST_PSNR = 40  # in dB; below it, a reader may see what the encoder left out
METHOD = 4  # 6 saves another 2 % of the bytes and takes twice as long


class picture(nodes.image):
    """An image that knows its size in `pixels`, so that Sphinx copies its file like any image's."""


class PictureRenderer:
    """The myst-nb plugin that renders a photograph (entry point `myst_nb.mime_renderers`)."""

    mime_priority_overrides = ()

    @staticmethod
    def handle_mime(renderer, data, inline):
        """Return the photograph's node, or None to leave the output alone."""
        if data.mime_type != "image/png" or inline or not _is_for_html(renderer):
            return None
        if _stands_beside_a_drawing(renderer, data):
            return None  # for viewers that cannot show the drawing; this one can
        png = base64.b64decode(data.content)
        document = renderer.renderer.document
        options = image_options(renderer, data)
        return [
            picture(
                uri=write_webp(renderer, png),
                alt=options.get("alt", ""),
                classes=str(options.get("classes", "")).split(),
                pixels=_shown_size(png, data.output_metadata.get("image/png", {})),
                # The first may well be what a reader waits for; the PNG beside a drawing counts.
                lazy=any(document.findall(nodes.image)),
            )
        ]


def image_options(renderer, data) -> dict:
    """Return what a cell's metadata says of its picture, such as its `alt` text."""
    return renderer.renderer.get_cell_level_config(
        "render_image_options", data.cell_metadata, line=data.line
    )


def encode(png: bytes) -> bytes:
    """Return a picture as WebP: as it is, or smaller by what no eye can tell.

    Few colours and flat areas are smallest without loss. Grain is smaller with loss, but WebP
    stores colours at half the resolution: an enlarged map of saturated pixels would not survive.
    """
    original = Image.open(io.BytesIO(png))
    exact = _save(original, lossless=True)
    smaller = _save(original, quality=QUALITY)
    if len(smaller) < len(exact) and psnr(original, smaller) >= SMALLEST_PSNR:
        return smaller
    return exact


def psnr(original: Image.Image, encoded: bytes) -> float:
    """Return the peak signal-to-noise ratio of what was encoded, in dB; `inf` for no difference."""
    decoded = Image.open(io.BytesIO(encoded)).convert("RGB")
    difference = ImageStat.Stat(ImageChops.difference(original.convert("RGB"), decoded))
    error = sum(difference.sum2) / sum(difference.count)
    return 10 * math.log10(255**2 / error) if error else math.inf


def visit_picture(translator, node) -> None:
    """Write the `<img>`."""
    builder = translator.builder
    path = posixpath.join(builder.imgpath, quote(builder.images[node["uri"]]))
    width, height = node["pixels"]
    attributes = {"src": path, "alt": node["alt"], "width": str(width), "height": str(height)}
    if node["lazy"]:
        attributes["loading"] = "lazy"
    translator.body.append(translator.emptytag(node, "img", decoding="async", **attributes))


def depart_picture(translator, node) -> None:
    """Do nothing: the element has no content."""


def _save(image, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, "WEBP", method=METHOD, **options)
    return file.getvalue()


def write_webp(renderer, png) -> str:
    """Write the picture's file, unless an earlier build has; return its address for Sphinx."""
    settings = f"{QUALITY} {SMALLEST_PSNR} {METHOD}".encode()
    name = hashlib.sha256(png + settings).hexdigest() + ".webp"
    known = (Path(renderer.config.output_folder) / name).exists()
    return renderer.write_file([name], b"" if known else encode(png), exists_ok=True)


def _shown_size(png, metadata) -> tuple[int, int]:
    """Return width and height in CSS pixels: the file's, or what the output's metadata asks for."""
    width, height = Image.open(io.BytesIO(png)).size
    shown = int(metadata.get("width", width))
    return shown, int(metadata.get("height", round(height * shown / width)))


def _is_for_html(renderer) -> bool:
    environment = renderer.renderer.sphinx_env
    return environment is not None and environment.app.builder.format == "html"


def _stands_beside_a_drawing(renderer, data) -> bool:
    _, outputs = renderer.renderer.nb_client.code_cell_outputs(data.cell_index)
    bundles = [output.get("data", {}) for output in outputs]
    return any(DRAWING in b for b in bundles if b.get("image/png") == data.content)
