"""A page with explorers, as the book's site hosts them, and what tests do with it.

It is served under a made-up address, so nothing leaves the machine; a request for anything else is
a trouble, and so is an error on the console. `host.js` is the one that the site ships. The modules
are there joined, as `NAME.js`, and as they are written, below `sources/`.
"""

import json
from pathlib import Path

from convbook.course import explorers, site
from convbook.course.explorers.sources import FOLDER, module_source, names, style_source

HOME = "https://explorers.test/"
HOST = (Path(site.__file__).parent / "static" / "host.js").read_text("utf8")
# Every explorer but the quiz, which has no settings.
ALL = [getattr(explorers, name) for name in explorers.__all__ if name != "Quiz"]
LOOKS = """
  :root { --ground: #fff; --ink: #222; }
  :root[data-theme="dark"] { --ground: #121212; --ink: #eee; }
  body { margin: 12px; background: var(--ground); } main { max-width: 740px; }
  h1 { color: var(--ink); }
"""

# Keeps what `host.js` hands to each explorer, and counts what the explorer does with its model.
WATCH = """
const hosts = () => [...document.querySelectorAll(".convbook-explorer")];
const nextTask = () => new Promise((resolve) => setTimeout(resolve));
window.models = [];
window.cleanups = [];
window.started = new Promise((resolve, reject) => {
  const { error } = console;
  console.error = (...words) => { error(...words); reject(new Error(words.join(" "))); };
  setTimeout(reject, 30000, new Error("the explorers did not start"));
  const done = () => hosts().every((_, i) => i in cleanups) && nextTask().then(resolve);
  addEventListener("DOMContentLoaded", done);
  window.watch = (frontEnd) => ({
    render({ model, el }) {
      const { on, off, set } = model;
      const i = hosts().indexOf(el.closest(".convbook-explorer"));
      models[i] = Object.assign(model, {
        saved: 0,
        listeners: 0,
        sets: 0,
        on(...args) { model.listeners += 1; on(...args); },
        off(...args) { model.listeners -= 1; off(...args); },
        set(...args) { model.sets += 1; set(...args); },
        save_changes() { model.saved += 1; },
      });
      cleanups[i] = frontEnd.render({ model, el });
      done();
    },
  });
});
"""

# Set traits of the first explorer, as a kernel does, and wait until they are drawn.
SET = """async (settings) => {
  for (const [name, value] of Object.entries(settings)) models[0].set(name, value);
  await Promise.resolve();
}"""

# From now on, keep the keys that reach the page in the list `seen`.
SEE_KEYS = "() => { window.seen = []; onkeydown = (event) => seen.push(event.key); }"


def script(text, kind="text/javascript"):
    """A script element; its text may not end it."""
    text = text.replace("</", "<\\/")
    return f'<script type="{kind}">{text}</script>'


def document(shown, theme):
    """The page's HTML."""
    watched = 'import frontEnd from "{}{}.js"; export default watch(frontEnd);'
    modules = {e.explorer: {"needs": [], "text": watched.format(HOME, e.explorer)} for e in shown}
    hosts = "".join(
        f'<div class="convbook-explorer" data-explorer="{e.explorer}">'
        f"{script(json.dumps(e.stored_state()), 'application/json')}{e.static_html()}</div>"
        for e in shown
    )
    start = f"window.convbookModules = {json.dumps(modules)};\n{HOST}"
    return (
        f'<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Explorers</title>'
        f'<link rel="icon" href="data:,"><style>{style_source()}</style><style>{LOOKS}</style>'
        f"{script(WATCH)}</head><body><main><h1>Explorers</h1>{hosts}</main>"
        f"{script(start)}</body></html>"
    )


def of_each(table):
    """The rows of a table of all explorers, each with the explorer it belongs to in front."""
    assert set(table) == set(ALL)
    return [(make, *row) for make, rows in table.items() for row in rows]


class PagePool:
    """Pages that later tests use again: a new one costs more than most tests do with it."""

    def __init__(self, browser):
        self.browser, self.pages, self.documents, self.troubles = browser, {}, {}, []
        self.in_use = []

    def open(self, text, width, fragment="", **options):
        """Show a document on a page that nobody uses, 900 pixels high."""
        pages = self.pages.setdefault(json.dumps(options, sort_keys=True), [])
        page = next((page for page in pages if page not in self.in_use), None)
        if page is None:
            pages.append(page := self._new(options))
        self.in_use.append(page)
        if page.viewport_size["width"] != width:
            page.set_viewport_size({"width": width, "height": 900})
        self.documents[page] = text
        page.goto(HOME + fragment)
        page.evaluate("started")
        return page

    def _new(self, options):
        context = self.browser.new_context(
            viewport={"width": 760, "height": 900},
            permissions=["clipboard-read", "clipboard-write"],
            reduced_motion="reduce",
            **options,
        )
        page = context.new_page()
        troubles = self.troubles
        page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.route("**/*", lambda route: self._serve(page, route))
        return page

    def _serve(self, page, route):
        path = route.request.url.removeprefix(HOME).split("?")[0]
        if path == "":
            route.fulfill(body=self.documents[page], content_type="text/html")
        elif path.removesuffix(".js") in names():
            source = module_source(path.removesuffix(".js"))
            route.fulfill(body=source, content_type="text/javascript")
        elif path.startswith("sources/") and (FOLDER / path.removeprefix("sources/")).is_file():
            source = (FOLDER / path.removeprefix("sources/")).read_text("utf8")
            route.fulfill(body=source, content_type="text/javascript")
        else:
            self.troubles.append(f"request for {route.request.url}")
            route.abort()

    def put_back(self):
        """Leave the pages as they were; return what went wrong on them."""
        for page in self.in_use:
            page.evaluate("localStorage.clear()")
            page.mouse.move(0, 0)
            page.goto("about:blank")  # what is still going on there ends, and is heard of
        found = list(self.troubles)
        self.in_use.clear()
        self.troubles.clear()
        return found
