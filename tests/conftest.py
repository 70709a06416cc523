"""Fixtures and profiles shared by every test."""

import html
import json
import os
from pathlib import Path

import hypothesis
import pytest

from convbook.explorers.sources import module_source, names, style_source
from convbook.site.browser import FLAGS, find_chromium

# `make test` draws the same examples each time, so a red run can be repeated.
# HYPOTHESIS_PROFILE=thorough draws twenty times as many, afresh on each run.
hypothesis.settings.register_profile("suite", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("thorough", deadline=None, print_blob=True)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "suite")
hypothesis.settings.load_profile(PROFILE)


def pytest_addoption(parser):
    parser.addoption("--fail-on-skip", action="store_true", help="count a skipped test as failed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """With --fail-on-skip (CI), a test that cannot run is an error, not a shrug."""
    report = yield
    if (
        report.skipped
        and item.config.getoption("--fail-on-skip")
        and not hasattr(report, "wasxfail")
    ):
        report.outcome = "failed"
        report.longrepr = f"skipped although --fail-on-skip: {report.longrepr[-1]}"
    return report


@pytest.fixture
def verdict(capsys):
    """Return what a checker prints of a function, on one line."""

    def verdict(checker, function):
        assert checker(function) is None
        return " ".join(capsys.readouterr().out.split())

    return verdict


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium, started once per test process."""
    playwright = pytest.importorskip("playwright.sync_api")
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium found: install it, or set CHROMIUM=/path/to/chromium")
    with playwright.sync_playwright() as session:
        chromium = session.chromium.launch(executable_path=executable, args=[*FLAGS])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def site():
    """The folder of the built site."""
    folder = Path(__file__).parents[1] / "_build" / "html"
    if not (folder / "index.html").exists():
        pytest.skip("the site is not built; run `make book`, or `make test-site`")
    return folder


# ------------------------------------------------------------------ explorers in a browser

# A small page plays the static host. It is served by the test itself under a made-up address, so
# nothing leaves the machine; a request for anything else fails the test, and so does a console
# error.
HOME = "https://explorers.test/"

PAGE = """<!doctype html>
<html lang="en" data-theme="{theme}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Explorers</title><link rel="icon" href="data:,"><link rel="stylesheet" href="explorer.css">
<style>body {{ margin: 12px; background: {background}; }} main {{ max-width: 740px; }}</style>
</head><body><main><h1 style="color: {ink}">Explorers</h1>{hosts}</main><script type="module">
class Model {{
  constructor(state) {{ this.state = state; this.handlers = {{}}; this.saved = 0; }}
  get(name) {{ return this.state[name]; }}
  set(name, value) {{ this.state[name] = value; this.tell(name); }}
  tell(name) {{ for (const handler of this.handlers["change:" + name] ?? []) handler(); }}
  on(name, handler) {{ (this.handlers[name] ??= []).push(handler); }}
  off(name, handler) {{ this.handlers[name] = this.handlers[name].filter((h) => h !== handler); }}
  save_changes() {{ this.saved += 1; }}
}}
window.models = [];
window.cleanups = [];
for (const el of document.querySelectorAll(".convbook-explorer")) {{
  const model = new Model(JSON.parse(el.dataset.state));
  const module = await import(`./${{model.get("explorer")}}.js`);
  window.models.push(model);
  window.cleanups.push(module.default.render({{ model, el }}));
}}
window.ready = true;
</script></body></html>"""


@pytest.fixture
def open_page(browser):
    """Open a page with the given explorers; checks at the end that nothing went wrong on it."""
    contexts, troubles = [], []

    def serve(route, document):
        path = route.request.url.removeprefix(HOME)
        if path == "":
            route.fulfill(body=document, content_type="text/html")
        elif path == "explorer.css":
            route.fulfill(body=style_source(), content_type="text/css")
        elif path.removesuffix(".js") in names():
            source = module_source(path.removesuffix(".js"))
            route.fulfill(body=source, content_type="text/javascript")
        else:
            troubles.append(f"request for {route.request.url}")
            route.abort()

    def open_(*explorers, theme="light", width=760, fragment="", **context_options):
        hosts = "".join(
            f'<div class="convbook-explorer" data-explorer="{e.explorer}" '
            f'data-state="{html.escape(json.dumps(e.stored_state()))}">{e.static_html()}</div>'
            for e in explorers
        )
        background, ink = ("#121212", "#eee") if theme == "dark" else ("#fff", "#222")
        document = PAGE.format(theme=theme, hosts=hosts, background=background, ink=ink)
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            permissions=["clipboard-read", "clipboard-write"],
            reduced_motion="reduce",
            **context_options,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.route("**/*", lambda route: serve(route, document))
        page.goto(HOME + fragment)
        page.wait_for_function("window.ready")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def tab_stops():
    """List what the Tab key reaches on a page, by the names a screen reader says."""

    def walk(page):
        page.locator("h1").click()
        seen = []
        while len(seen) < 60:
            page.keyboard.press("Tab")
            label = page.evaluate(
                """(() => {
                  const e = document.activeElement;
                  if (e === document.body) return null;
                  return e.getAttribute("aria-label") ?? (e.closest("label") ?? e).innerText;
                })()"""
            )
            if label is None:
                break
            seen.append(label)
        return seen

    return walk


@pytest.fixture
def assert_accessible():
    """Assert that axe finds nothing on a page: names, roles, contrast."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]

    def check(page):
        results = axe.run(page, options={"runOnly": {"type": "tag", "values": tags}})
        assert results.violations_count == 0, results.generate_report()

    return check


@pytest.fixture
def assert_fits():
    """Assert that no explorer is wider than the page, and nothing in it wider than itself."""

    def check(page):
        width = page.viewport_size["width"]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        overflow = page.evaluate(
            """[...document.querySelectorAll(".convbook-root *")].filter((e) => {
              const root = e.closest(".convbook-root").getBoundingClientRect();
              const box = e.getBoundingClientRect();
              return box.width > 1 && (box.right > root.right + 1 || box.left < root.left - 1);
            }).map((e) => e.className)"""
        )
        assert overflow == []

    return check


@pytest.fixture
def one_thread():
    """Thousands of tiny convolutions: threads would only wait for each other."""
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
