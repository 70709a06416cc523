"""Host the explorers on a static page, without a kernel and without html-manager.

A notebook stores each explorer as its state (JSON) and its static HTML. `ExplorerRenderer` writes a
`<div>` that holds both; `static/host.js` finds it, gives the explorer's own module a tiny model of
that state, and calls its `render`.

A page loads what its explorers use: the file `base` with what a quiz needs, of which every chapter
has some, `shared` with what the others do, and a file for each explorer. A file's modules are
minified.
"""

import json
from functools import cache
from pathlib import Path

import rcssmin
import rjsmin
from docutils import nodes

from convbook.course.explorers import sources
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
        for file in ("host", *_files_of(name)):
            renderer.add_js_file(f"{ASSET_KEY}{file}", f"explorers/{file}.js", {"defer": "defer"})

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
    """Write the host and what the pages use to `_static/explorers/`."""
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / "explorers"
    folder.mkdir(parents=True, exist_ok=True)
    host = Path(__file__).parent / "static" / "host.js"
    (folder / "host.js").write_text(rjsmin.jsmin(host.read_text("utf8")) + "\n", "utf8")
    for file in _used_files(app):
        (folder / f"{file}.js").write_text(_registration(file), "utf8")
        if styles := _styles_of(file):
            style = rcssmin.cssmin(sources.style_source(styles))
            (folder / f"{file}.css").write_text(style + "\n", "utf8")


def add_style(app, pagename, templatename, context, doctree) -> None:
    """Link the style sheets of a page's explorers, and none on a page without one."""
    for file in _page_files(app, pagename):
        if _styles_of(file):
            app.add_css_file(f"explorers/{file}.css")


def _files_of(name) -> list[str]:
    """Return the files that an explorer needs, in the order that their styles count in."""
    needed = {module.name for module in sources.shared_modules(name)}
    return ["base", *["shared"] * (not needed <= _base()), name]


@cache
def _base() -> frozenset[str]:
    """Return the names of the modules in `base`."""
    return frozenset(module.name for module in sources.shared_modules("quiz"))


def _registration(file) -> str:
    """Return a script that tells `host.js` the modules of a file, as text.

    A page opened from disk (file://) may not import a neighbouring module, so modules travel as
    text in an ordinary script and host.js imports them from memory.
    """
    if file in sources.names():
        needs = [module.name for module in sources.shared_modules(file)]
        modules = {file: {"needs": needs, "text": rjsmin.jsmin(sources.own_source(file))}}
    else:
        shared = {m.name: m for name in sources.names() for m in sources.shared_modules(name)}
        wanted = sorted(name for name in shared if (name in _base()) == (file == "base"))
        modules = {name: {"text": rjsmin.jsmin(shared[name].body)} for name in wanted}
    return f"Object.assign((window.convbookModules ??= {{}}), {json.dumps(modules)});\n"


def _styles_of(file) -> list[Path]:
    """Return the style sheets that a file of the site holds."""
    if file == "shared":
        return [p for p in sources.style_files() if p.parent.name == "lib" and p.stem != "base"]
    return [path for path in sources.style_files() if path.stem == file]


def _page_files(app, pagename) -> list[str]:
    """Return the files that a page's explorers need, those of all explorers first."""
    scripts = getattr(app.env, "nb_metadata", {}).get(pagename, {}).get("js_files", {})
    found = {key.removeprefix(ASSET_KEY) for key in scripts if key.startswith(ASSET_KEY)}
    return sorted(found - {"host"}, key=lambda file: (file != "base", file != "shared", file))


def _used_files(app) -> set[str]:
    pages = getattr(app.env, "nb_metadata", {})
    return {file for page in pages for file in _page_files(app, page)}
