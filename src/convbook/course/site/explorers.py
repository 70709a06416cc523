"""Host the explorers on a static page, without a kernel and without html-manager.

A notebook stores each explorer as its state (JSON) and its static HTML. `ExplorerRenderer` writes a
`<div>` that holds both; `static/host.js` finds it, gives the explorer's own module a tiny model of
that state, and calls its `render`.
"""

import json
from pathlib import Path

from docutils import nodes

from convbook.course.explorers.sources import module_source, style_source
from convbook.course.mime_types import EXPLORER, VIEW

ASSET_KEY = "convbook-explorer-"  # marks this module's entries among a page's scripts


class ExplorerRenderer:
    """The myst-nb plugin that renders an explorer (entry point `myst_nb.mime_renderers`)."""

    mime_priority_overrides = (("html", EXPLORER, 5),)  # before any other type

    @staticmethod
    def handle_mime(renderer, data, inline):
        """Return the element that hosts the explorer, or None to leave the output alone."""
        if data.mime_type == VIEW:
            raise ValueError(
                f"cell {data.cell_index} holds a widget, which needs a kernel; "
                "run `make execute` so that the notebook holds what a page can show"
            )
        if data.mime_type != EXPLORER or inline:
            return None
        name = data.content["explorer"]
        renderer.add_js_file(f"{ASSET_KEY}host", "explorers/host.js", {"defer": "defer"})
        renderer.add_js_file(f"{ASSET_KEY}{name}", f"explorers/{name}.js", {"defer": "defer"})

        _, outputs = renderer.renderer.nb_client.code_cell_outputs(data.cell_index)
        bundles = [output.get("data", {}) for output in outputs]
        fallback = next(b["text/html"] for b in bundles if b.get(EXPLORER) == data.content)
        state = json.dumps(data.content).replace("<", "\\u003c")  # or a text could end the script
        html = (
            f'<div class="convbook-explorer" data-explorer="{name}">'
            f'<script type="application/json">{state}</script>{fallback}</div>'
        )
        return [nodes.raw(text=html, format="html")]


def write_assets(app, exception) -> None:
    """Write host, modules and style sheet to `_static/explorers/`."""
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / "explorers"
    folder.mkdir(parents=True, exist_ok=True)
    host = Path(__file__).parent / "static" / "host.js"
    (folder / "host.js").write_text(host.read_text("utf8"), "utf8")
    (folder / "explorer.css").write_text(style_source(), "utf8")
    for name in sorted(_used_explorers(app)):
        # A page opened from disk (file://) may not import a neighbouring module, so the module
        # travels as text in an ordinary script and host.js imports it from memory.
        text = json.dumps(module_source(name)).replace("</", "<\\/")
        register = f"(window.convbookModules ??= {{}})[{json.dumps(name)}] = {text};\n"
        (folder / f"{name}.js").write_text(register, "utf8")


def add_style(app, pagename, templatename, context, doctree) -> None:
    """Link the explorers' style sheet on pages that hold one, and on no other."""
    if _page_explorers(app, pagename):
        app.add_css_file("explorers/explorer.css")


def _page_explorers(app, pagename) -> set[str]:
    scripts = getattr(app.env, "nb_metadata", {}).get(pagename, {}).get("js_files", {})
    return {key.removeprefix(ASSET_KEY) for key in scripts if key.startswith(ASSET_KEY)}


def _used_explorers(app) -> set[str]:
    pages = getattr(app.env, "nb_metadata", {})
    return set().union(*(_page_explorers(app, page) for page in pages)) - {"host"}
