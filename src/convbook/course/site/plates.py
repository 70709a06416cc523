"""Set photographs and maps into the page as pictures of its own, each under its title."""

import base64
import html

from docutils import nodes

from convbook.course.mime_types import PICTURES
from convbook.course.site.pictures import image_options, picture, write_webp

SMALL = 128  # pixels: a picture up to this width is a map, whose pixels stay sharp when enlarged


class PlateRenderer:
    """The myst-nb plugin that renders rows of pictures (entry point `myst_nb.mime_renderers`)."""

    mime_priority_overrides = (("html", PICTURES, 5),)  # before any other type

    @staticmethod
    def handle_mime(renderer, data, inline):
        """Return the pictures as elements of the page, or None to leave the output alone."""
        if data.mime_type != PICTURES or inline:
            return None
        options = image_options(renderer, data)
        alt = html.escape(options.get("alt", ""), quote=True)
        columns, named_left = data.content["columns"], data.content["names"] == "left"
        kind = "cb-plate cb-named" if named_left else "cb-plate"
        phone = columns if named_left or columns > 8 else 2 if columns <= 4 else 3
        style = f"--columns: {columns}; --phone: {min(columns, phone)}"
        elements = [_raw(f'<div class="{kind}" role="group" aria-label="{alt}" style="{style}">')]
        lazy = any(renderer.renderer.document.findall(nodes.image))
        for row in data.content["rows"]:
            if row["name"]:
                elements.append(_raw(f'<p class="cb-row">{html.escape(row["name"])}</p>'))
            for cell in row["pictures"]:
                elements += _figure(renderer, cell, lazy)
        return [*elements, _raw("</div>")]


def _figure(renderer, cell: dict, lazy: bool) -> list[nodes.Node]:
    title = html.escape(cell["title"]).replace("\n", "<br>")
    caption = f"<figcaption>{title}</figcaption>" if title else ""
    image = picture(
        uri=write_webp(renderer, base64.b64decode(cell["png"])),
        alt="",  # the group has the description, the caption the name
        classes=["cb-pixels"] if cell["width"] <= SMALL else [],
        pixels=(cell["width"], cell["height"]),
        lazy=lazy,
    )
    return [_raw(f"<figure>{caption}"), image, _raw("</figure>")]


def _raw(text: str) -> nodes.raw:
    return nodes.raw(text=text, format="html")
