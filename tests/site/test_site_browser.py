"""The built site, as readers meet it: in Chromium, on a desk and a phone, light and dark."""

from pathlib import Path

import pytest

from tests.helpers.site_pages import CHAPTER, SCREENS, axe_findings

pytestmark = [pytest.mark.site, pytest.mark.browser]
SOURCES = Path(__file__).parents[2] / "chapters"
CHAPTER_PAGES = sorted(
    str(path.relative_to(SOURCES).with_suffix(".html"))
    for pattern in ("*.md", "*.ipynb", "solutions/*.ipynb")
    for path in SOURCES.glob(pattern)
)
# The first is the page that `make book` says to open.
QUIZ = '[data-explorer="quiz"]'
PAGES = ["../index.html", "../search.html?q=stride", "../genindex.html", *CHAPTER_PAGES]
# Each icon of the theme: the character it draws, and its font's name as the style sheet has it.
ICONS = """[...document.querySelectorAll("[class*=fa-]")].map((e) => {
  const style = getComputedStyle(e, "::before");
  return { name: e.className, glyph: style.content, width: e.getBoundingClientRect().width,
           font: style.fontFamily.split(",")[0].replaceAll('"', "") };
})"""
LOADED_FONTS = """[...document.fonts].filter((font) => font.status === "loaded")
  .map((font) => font.family.replaceAll('"', ""))"""


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
        assert axe_findings(page, screen) == []


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
    answer = page.locator(QUIZ).filter(has_text="64 × 64").locator("details")
    answer.locator("summary").click()
    assert "31" in answer.inner_text()
    context.close()


def test_quiz_by_mouse(visit):
    quiz = visit().locator(QUIZ).filter(has_text="64 × 64")
    quiz.get_by_label("32", exact=True).check()
    quiz.get_by_role("button", name="Check").click()
    assert "one extra pixel on each side" in quiz.inner_text()
    quiz.get_by_label("31", exact=True).check()
    quiz.get_by_role("button", name="Check").click()
    assert "31 positions" in quiz.inner_text()


def test_quiz_by_keyboard(visit):
    page = visit()
    quiz = page.locator(QUIZ).filter(has_text="64 × 64")
    quiz.get_by_role("radio").first.focus()
    while not quiz.get_by_label("31", exact=True).is_checked():
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert "31 positions" in quiz.inner_text()


def test_stepper_shows_the_products_of_the_clicked_cell(visit):
    stepper = visit().locator('[data-explorer="conv_stepper"]').last
    stepper.get_by_role("gridcell", name="Output row 1, column 2: 19").click()
    sum_shown = stepper.get_by_role("status").filter(has_text="y[1, 2]")
    assert sum_shown.inner_text().split()[-1] == "19"
    stepper.get_by_role("slider", name="Stride", exact=True).fill("2")
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
