"""The pages of a site in a browser: served, on a desk and a phone, watched for complaints."""

import contextlib
import functools
import http.server
import threading

from axe_playwright_python.sync_playwright import Axe

CHAPTER = "03_shapes.html"
SCREENS = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
}
# The theme has chosen its colours (the root page has none: it leads on), the explorers run.
READY = """['light', 'dark'].includes(document.documentElement.dataset.theme)
  && [...document.querySelectorAll('.convbook-explorer')].every((e) => e.dataset.ready)"""
AXE_CONTEXT = {"include": [["article"]]}
AXE_OPTIONS = {
    "resultTypes": ["violations"],  # an account of all that is right takes several times as long
    "preload": False,  # axe would ask for style sheets at addresses it works out wrongly
}
AXE_RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
# Dark, a page has other colours, and is otherwise what it is on a desk.
AXE_COLOUR_RULES = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@contextlib.contextmanager
def serve(folder):
    """Serve the site in `folder`; give the address of its chapters."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/chapters/"
        server.shutdown()
        thread.join()


class Visit:
    """An open page and the complaints it made."""

    def __init__(self, context, url):
        self.page = context.new_page()
        self.complaints = []
        host = url.split("/chapters/")[0]
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", lambda r: self.complaints.append(f"failed: {r.url}"))
        self.page.on("response", self._on_response)
        self.page.on("request", lambda r: self._check_host(r.url, host))
        self.page.goto(url, wait_until="load")
        self.page.wait_for_function(READY)

    def _on_console(self, message):
        if message.type in ("error", "warning"):
            self.complaints.append(f"console: {message.text}")

    def _on_response(self, response):
        if not response.ok and response.status != 304:  # the browser's own copy is still good
            self.complaints.append(f"{response.status}: {response.url}")

    def _check_host(self, url, host):
        if not url.startswith((host, "blob:", "data:")):
            self.complaints.append(f"asked another host: {url}")


def axe_findings(page, screen):
    """Return one line for each element that axe objects to."""
    rules = AXE_COLOUR_RULES if screen == "dark" else AXE_RULES
    options = {"runOnly": rules, **AXE_OPTIONS}
    report = Axe().run(page, context=AXE_CONTEXT, options=options).response
    return [
        f"{violation['id']}: {node['html'][:120]} | {node['failureSummary'][:200]}"
        for violation in report["violations"]
        for node in violation["nodes"]
    ]
