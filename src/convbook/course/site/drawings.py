"""Set drawings into the page as SVG: in its font, with its colours, light or dark.

Other viewers show the PNG that is stored beside the SVG.
"""

import html
import re
from pathlib import Path

from docutils import nodes

from convbook.course import colours
from convbook.course.mime_types import DATA, DRAWING
from convbook.course.site.pictures import image_options

STYLE = "figures.css"
TO_PIXELS = 96 / 72  # matplotlib writes points


class DrawingRenderer:
    """The myst-nb plugin that renders a drawing (entry point `myst_nb.mime_renderers`)."""

    mime_priority_overrides = (("html", DRAWING, 5),)  # before any other type

    @staticmethod
    def handle_mime(renderer, data, inline):
        """Return the drawing as an element of the page, or None to leave the output alone."""
        if data.mime_type == DATA:
            return []  # read by nbval's hook, not by a reader
        if data.mime_type != DRAWING or inline:
            return None
        options = image_options(renderer, data)
        name = f"figure-{data.cell_index}-{data.output_index}"
        svg = inline_svg(data.string, name, options.get("alt", ""))
        return [nodes.raw(text=f'<div class="cb-drawing">{svg}</div>', format="html")]


def inline_svg(svg: str, name: str, alt: str) -> str:
    """Return a drawing's SVG as a part of a page: unique ids, the page's font and its colours.

    >>> inline_svg('<svg width="9pt" height="9pt" viewBox="0 0 9 9"></svg>', "a", "nine")
    '<svg width="12" height="12" viewBox="0 0 9 9" role="img" aria-label="nine"></svg>'
    """
    svg = svg[svg.index("<svg") :].strip()  # without the XML declaration
    for unwanted in (r"<metadata>.*?</metadata>", r"<style\b.*?</style>", r"<defs>\s*</defs>"):
        svg = re.sub(unwanted, "", svg, flags=re.DOTALL)  # a style would reach the whole page
    svg = _prefix_ids(svg, name)
    svg = re.sub(r"font-family: [^;\"]+; ?", "", svg)  # the page's own
    svg = re.sub(r"font: ([\d.]+px) [^;\"]+", r"font-size: \1", svg)
    svg = re.sub(r' transform="rotate\(-?0 [^"]*\)"', "", svg)
    for colour in colours.DARK:
        svg = re.sub(rf"(: ?){colour}\b", rf"\1var({colours.variable(colour)})", svg, flags=re.I)
    opening, rest = svg.split(">", 1)
    opening = re.sub(r' (xmlns\S*|version)="[^"]*"', "", opening)
    opening = re.sub(
        r' (width|height)="([\d.]+)pt"',
        lambda found: f' {found[1]}="{float(found[2]) * TO_PIXELS:.0f}"',
        opening,
    )
    label = html.escape(alt, quote=True)
    return f'{opening} role="img" aria-label="{label}">{_without_space(rest)}'


def _prefix_ids(svg: str, name: str) -> str:
    """Make the ids that the drawing itself refers to unique in the page, and drop all others."""
    used = set(re.findall(r'(?:url\(|href=")#([\w-]+)', svg))
    svg = re.sub(r'\s\bid="([^"]+)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", svg)
    return re.sub(r'(url\(|href=")#', rf"\1#{name}-", svg)


def _without_space(svg: str) -> str:
    """Drop line ends, faces that show nothing, and groups without attributes of one element."""
    svg = re.sub(r"\s+", " ", re.sub(r">\s+<", "><", svg)).replace(' z "', 'z"')
    svg = re.sub(r'<path d="[^"]*" style="fill: none"/>', "", svg)
    return re.sub(r"<g>(<[^<>]+/>|<text\b[^<>]*>[^<>]*</text>)</g>", r"\1", svg)


def write_style(app, exception) -> None:
    """Write the style sheet of the drawings' colours."""
    if exception is None and app.builder.format == "html":
        (Path(app.outdir) / "_static" / STYLE).write_text(colours.style_sheet(), "utf8")
