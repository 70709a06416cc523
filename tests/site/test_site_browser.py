"""The built site, as readers meet it: in Chromium, on a desk and a phone, light and dark."""

import functools
import http.server
import threading
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = [pytest.mark.site, pytest.mark.browser]
SOURCES = Path(__file__).parents[2] / "chapters"
CHAPTER_PAGES = sorted(
    str(path.relative_to(SOURCES).with_suffix(".html"))
    for pattern in ("*.md", "*.ipynb", "solutions/*.ipynb")
    for path in SOURCES.glob(pattern)
)
# The first is the page that `make book` says to open.
PAGES = ["../index.html", "../search.html?q=stride", "../genindex.html", *CHAPTER_PAGES]
SCREENS = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
}
CHAPTER = "03_shapes.html"
# The theme has chosen its colours (the root page has none: it leads on), the explorers run.
READY = """['light', 'dark'].includes(document.documentElement.dataset.theme)
  && [...document.querySelectorAll('.convbook-explorer')].every((e) => e.dataset.ready)"""
# Each icon of the theme: the character it draws, and its font's name as the style sheet has it.
ICONS = """[...document.querySelectorAll("[class*=fa-]")].map((e) => {
  const style = getComputedStyle(e, "::before");
  return { name: e.className, glyph: style.content, width: e.getBoundingClientRect().width,
           font: style.fontFamily.split(",")[0].replaceAll('"', "") };
})"""
LOADED_FONTS = """[...document.fonts].filter((font) => font.status === "loaded")
  .map((font) => font.family.replaceAll('"', ""))"""
# The bibliography's roles are docutils' own, and one of them is deprecated by now.
AXE_CONTEXT = {"include": [["article"]], "exclude": [[".citation-list"]]}
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


@pytest.fixture(scope="session")
def address(site):
    """The site's address on a local web server."""
    handler = functools.partial(QuietHandler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/chapters/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def contexts(browser):
    """One context for each screen, so that style sheets and scripts are fetched once."""
    return {screen: browser.new_context(**options) for screen, options in SCREENS.items()}


class Visit:
    """An open page and the complaints it made."""

    def __init__(self, context, url):
        self.page = context.new_page()
        self.complaints = []
        host = url.split("/chapters/")[0]
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", lambda r: self.complaints.append(f"failed: {r.url}"))
        self.page.on("response", lambda r: r.ok or self.complaints.append(f"{r.status}: {r.url}"))
        self.page.on("request", lambda r: self._check_host(r.url, host))
        self.page.goto(url, wait_until="load")
        self.page.wait_for_function(READY)

    def _on_console(self, message):
        if message.type in ("error", "warning"):
            self.complaints.append(f"console: {message.text}")

    def _check_host(self, url, host):
        if not url.startswith((host, "blob:", "data:")):
            self.complaints.append(f"asked another host: {url}")


@pytest.fixture
def visit(contexts, address):
    """Open a page of the book; afterwards close it and let nothing pass that it complained of."""
    visits = []

    def open_page(name=CHAPTER, screen="desktop", base=None):
        visits.append(Visit(contexts[screen], (base or address) + name))
        return visits[-1].page

    yield open_page
    complaints = [line for visit in visits for line in visit.complaints]
    for visit in visits:
        visit.page.close()
    assert complaints == []


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", PAGES)
def test_page_is_quiet_fits_the_screen_and_is_accessible(visit, name, screen):
    page = visit(name, screen)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= SCREENS[screen]["viewport"]["width"]
    broken = "[...document.images].filter((i) => i.complete && !i.naturalWidth).map((i) => i.src)"
    assert page.evaluate(broken) == []
    theme = page.evaluate("document.documentElement.dataset.theme")
    assert theme == ("dark" if screen == "dark" else "light")
    if name in CHAPTER_PAGES:  # the others are the theme's own
        assert axe_findings(page, AXE_COLOUR_RULES if screen == "dark" else AXE_RULES) == []


def axe_findings(page, rules):
    """Return one line for each element that axe objects to."""
    options = {"runOnly": rules, **AXE_OPTIONS}
    report = Axe().run(page, context=AXE_CONTEXT, options=options).response
    return [
        f"{violation['id']}: {node['html'][:120]} | {node['failureSummary'][:200]}"
        for violation in report["violations"]
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_icons_are_drawn_by_the_icon_font(visit, screen):
    """The theme also has a script of half a megabyte that draws them; no page loads it."""
    page = visit(screen=screen)
    page.evaluate("document.fonts.ready")
    fonts = [f for f in page.evaluate(LOADED_FONTS) if f.startswith("Font Awesome")]
    assert fonts
    icons = [icon for icon in page.evaluate(ICONS) if icon["width"]]
    assert len(icons) >= 4
    for icon in icons:
        assert icon["glyph"] not in ("none", '""'), icon
        assert icon["font"] in fonts, icon
        assert 8 < icon["width"] < 40, icon


def test_search_finds_a_page(visit):
    page = visit("../search.html?q=dilation")
    page.get_by_role("link", name="10. Dilated").first.wait_for()


def test_the_search_dialog_leads_to_the_search_page(visit):
    page = visit()
    page.get_by_role("button", name="Search").locator("visible=true").first.click()
    page.locator("#pst-search-dialog input[type=search]").fill("stride")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=stride*")


def test_page_works_from_disk(visit, site):
    """`make book` says which file to open, so file:// must work, explorers included."""
    page = visit(base=f"file://{site}/chapters/")
    assert page.locator(".convbook-explorer[data-ready]").count() >= 3


def test_without_javascript_the_fallback_answers(visit, browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + CHAPTER)
    tables = page.locator('[data-explorer="conv_stepper"] table')
    assert tables.count() >= 3
    answer = page.locator('[data-explorer="quiz"] details').first
    answer.locator("summary").click()
    assert "31" in answer.inner_text()
    context.close()


def test_quiz_by_mouse(visit):
    quiz = visit().locator('[data-explorer="quiz"]').first
    quiz.get_by_label("32", exact=True).check()
    quiz.get_by_role("button", name="Check").click()
    assert "one extra pixel on each side" in quiz.inner_text()
    quiz.get_by_label("31", exact=True).check()
    quiz.get_by_role("button", name="Check").click()
    assert "31 places" in quiz.inner_text()


def test_quiz_by_keyboard(visit):
    page = visit()
    quiz = page.locator('[data-explorer="quiz"]').first
    quiz.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert "31 places" in quiz.inner_text()


def test_stepper_shows_the_products_of_the_clicked_cell(visit):
    stepper = visit().locator('[data-explorer="conv_stepper"]')
    stepper.get_by_role("gridcell", name="Output row 1, column 2: 19").click()
    sum_shown = stepper.get_by_role("status").filter(has_text="y[1, 2]")
    assert sum_shown.inner_text().split()[-1] == "19"
    stepper.get_by_label("Stride").fill("2")
    assert "F.conv2d(x, w, stride=2)" in stepper.inner_text()


def test_going_further_opens_on_request(visit):
    page = visit()
    details = page.locator("details.going-further")
    assert not details.evaluate("element => element.open")
    details.locator("summary").first.click()
    assert details.evaluate("element => element.open")


def test_maths_is_set(visit):
    page = visit()
    page.wait_for_selector("article mjx-container")
    assert "\\lfloor" not in page.locator("article").inner_text()


def test_dark_mode_keeps_figures_on_white(visit):
    page = visit(screen="dark")
    colour = page.locator(".cell_output img").first.evaluate(
        "e => getComputedStyle(e).backgroundColor"
    )
    assert colour == "rgb(255, 255, 255)"
