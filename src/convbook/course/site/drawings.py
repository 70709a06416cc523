"""Show drawings as SVG, which stays sharp at any size; other viewers show the PNG beside it."""

from dataclasses import replace

from convbook.course.mime_types import DRAWING


class DrawingRenderer:
    """The myst-nb plugin that renders a drawing (entry point `myst_nb.mime_renderers`)."""

    mime_priority_overrides = (("html", DRAWING, 5),)  # before any other type

    @staticmethod
    def handle_mime(renderer, data, inline):
        """Return the drawing's picture, or None to leave the output alone."""
        if data.mime_type != DRAWING:
            return None
        return renderer.render_image(replace(data, mime_type="image/svg+xml"))
