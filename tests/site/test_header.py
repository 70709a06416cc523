"""The strip under a title: minutes and launch links, for a fork, for nobody, on any screen."""

import pytest
from bs4 import BeautifulSoup

from convbook.course.site.header import BINDER_NOTE, header_strip, launch_links
from convbook.course.site.minutes import Minutes, read_minutes
from convbook.course.site.repository import Repository
from tests.helpers.site_builds import ROOT, pages
from tests.helpers.site_pages import CHAPTER

COLAB = "https://colab.research.google.com/github/ada/fork/blob/main/"
BINDER = "https://mybinder.org/v2/gh/ada/fork/main?urlpath=lab/tree/"
WORDS = ["Open in Colab", f"Open on Binder {BINDER_NOTE}", "Download .ipynb"]


def strip_of(page):
    """Return (facts, words of each link -> address) of a page's strip."""
    (strip,) = page.select(".header-strip")
    facts, links = strip.find_all("ul")
    return [fact.get_text() for fact in facts.find_all("li")], {
        link.get_text(): link["href"] for link in links.find_all("a")
    }


def made(*arguments):
    return strip_of(BeautifulSoup(header_strip(*arguments), "html.parser"))


def test_all_there_is_to_say():
    launch = launch_links(Repository("ada", "fork"), "chapters/a.ipynb")
    facts, links = made("One layer", Minutes(45, 30, 10), launch, "a.ipynb")
    assert facts == ["One layer", "about 45 min", "exercises about 30 min"]
    addresses = [f"{COLAB}chapters/a.ipynb", f"{BINDER}chapters/a.ipynb", "a.ipynb"]
    assert links == dict(zip(WORDS, addresses, strict=True))


def test_what_is_not_known_leaves_no_trace():
    facts, links = made("", Minutes(10), launch_links(None, "a.ipynb"), "a.ipynb")
    assert facts == ["about 10 min"]
    assert links == {"Download .ipynb": "a.ipynb"}


def test_a_name_cannot_break_out_of_the_page():
    launch = launch_links(Repository("ada", "fork", 'x"><b>'), "a.ipynb")
    strip = header_strip("<i>Part</i> & more", Minutes(5), launch, "a.ipynb")
    page = BeautifulSoup(strip, "html.parser")
    assert not page.find(["b", "i"])
    assert strip_of(page)[0][0] == "<i>Part</i> & more"


@pytest.mark.site
def test_each_notebook_has_a_strip_under_its_title_and_no_other_page(small_fork):
    seen = 0
    for file, page in pages(small_fork).items():
        source = file.relative_to(small_fork).with_suffix(".ipynb").as_posix()
        if not (ROOT / source).exists():
            assert not page.select(".header-strip"), file
            continue
        assert page.select_one("h1 + .header-strip")
        facts, links = strip_of(page)
        assert f"about {read_minutes(small_fork.parents[1] / source).reading} min" in facts
        assert [*links] == WORDS
        assert links[WORDS[0]] == COLAB + source
        assert links[WORDS[1]] == BINDER + source
        downloaded = file.parent / links[WORDS[2]]
        assert downloaded.read_bytes() == (small_fork.parents[1] / source).read_bytes()
        assert not page.select(".article-header-buttons .fa-rocket")
        seen += 1
    assert seen == 2


@pytest.mark.site
def test_the_strip_names_the_part_of_the_book(site):
    page = pages(site)[site / "chapters" / "solutions" / CHAPTER]
    assert strip_of(page)[0][0] == "Solutions"


@pytest.mark.site
@pytest.mark.browser
@pytest.mark.parametrize("screen", ["desktop", "phone", "dark"])
def test_the_strip_fits_and_can_be_reached(visit, fork_address, screen):
    """`visit` lets no request to another host and no error in the console pass."""
    page = visit(CHAPTER, screen, base=fork_address)
    strip = page.locator(".header-strip")
    column = page.locator("article").bounding_box()
    for link in strip.get_by_role("link").all():
        box = link.bounding_box()
        assert column["x"] <= box["x"]
        assert box["x"] + box["width"] <= column["x"] + column["width"]
        link.focus()
        assert link.evaluate("e => e === document.activeElement")
    assert [link.inner_text() for link in strip.get_by_role("link").all()] == WORDS


@pytest.mark.site
@pytest.mark.browser
def test_on_paper_the_minutes_stay_and_the_links_go(visit, fork_address):
    page = visit(CHAPTER, base=fork_address)
    page.emulate_media(media="print")
    strip = page.locator(".header-strip")
    assert strip.get_by_text("exercises about").is_visible()
    assert not strip.get_by_text("Open in Colab").is_visible()


@pytest.mark.site
@pytest.mark.browser
def test_the_strip_needs_no_script(browser, fork_address):
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(fork_address + CHAPTER)
        assert page.get_by_role("link", name="Open in Colab").is_visible()
