"""Closed parts of cells: prompts in words, which everybody hears or reads, and no script."""

import pytest
from bs4 import BeautifulSoup

from convbook.course.site.folds import choose_prompts
from tests.helpers.site_pages import CHAPTER, axe_findings

PROMPTS = {  # what FOLDED in conftest.py closes: closed prompt -> open prompt
    "Show code": "Hide code",
    "Show the output": "Hide the output",
    "✓ Checked: the imports": "✓ Checked: the imports",
}


@pytest.mark.parametrize(
    ("mode", "source", "own", "prompts"),
    [
        ("input", "x", {}, ("Show code", "Hide code")),
        ("output", "x", {}, ("Show the output", "Hide the output")),
        ("all", "x", {}, ("Show code and output", "Hide code and output")),
        ("all", "# Checked\nassert x", {}, ("✓ Checked", "✓ Checked")),
        ("all", "# Checked: a, b\nassert x", {}, ("✓ Checked: a, b", "✓ Checked: a, b")),
        ("all", "x\n# Checked", {}, ("Show code and output", "Hide code and output")),
        ("all", "# Checked by hand\nx", {}, ("Show code and output", "Hide code and output")),
        ("input", "# Checked\nx", {}, ("Show code", "Hide code")),  # its output is in sight
        ("input", "x", {"code_prompt_show": "Show the loop"}, ("Show the loop", "Hide the loop")),
        ("input", "x", {"code_prompt_show": "a", "code_prompt_hide": "b"}, ("a", "b")),
        ("input", "x", {"image": {"alt": "a"}}, ("Show code", "Hide code")),
    ],
)
def test_prompts(mode, source, own, prompts):
    assert choose_prompts(mode, source, own) == prompts


@pytest.mark.site
def test_no_prompt_is_hidden_from_those_who_listen(small_fork):
    text = (small_fork / "chapters" / CHAPTER).read_text("utf8")
    folds = BeautifulSoup(text, "html.parser").select(".cell details.fold")
    shown = {
        fold.select_one(".when-closed").get_text(): fold.select_one(".when-open").get_text()
        for fold in folds
    }
    assert shown == PROMPTS
    for fold in folds:
        assert not fold.summary.has_attr("aria-label")
        assert not fold.has_attr("open")


@pytest.mark.site
@pytest.mark.browser
@pytest.mark.parametrize("script", [True, False])
def test_a_part_opens_by_click_and_by_key(browser, fork_address, script):
    with browser.new_context(java_script_enabled=script) as context:
        page = context.new_page()
        page.goto(fork_address + CHAPTER)
        for closed, opened in PROMPTS.items():
            fold = page.locator("details.fold").filter(has_text=closed).first
            summary = fold.locator("summary")
            content = fold.locator("pre").first
            assert summary.inner_text().strip() == closed
            assert not content.is_visible()
            summary.click()
            assert content.is_visible()
            assert summary.inner_text().strip() == opened
            summary.press("Enter")
            assert not content.is_visible()


@pytest.mark.site
@pytest.mark.browser
@pytest.mark.parametrize("screen", ["desktop", "phone", "dark"])
def test_closed_parts_are_small_and_accessible(visit, fork_address, screen):
    page = visit(CHAPTER, screen, base=fork_address)
    assert axe_findings(page, screen) == []
    for summary in page.locator("details.fold summary").all():
        assert 16 <= summary.bounding_box()["height"] <= 40


@pytest.mark.site
@pytest.mark.browser
def test_code_scrolls_on_a_phone_and_fades_as_long_as_there_is_more(visit):
    page = visit(CHAPTER, "phone")
    long = page.locator(".cell_input pre").evaluate_all(
        "all => all.findIndex((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 80)"
    )
    short = page.locator(".cell_input pre").evaluate_all(
        "all => all.findIndex((e) => e.checkVisibility() && e.scrollWidth === e.clientWidth)"
    )
    fade = "e => parseFloat(getComputedStyle(e).getPropertyValue('--fade'))"
    assert long >= 0
    assert short >= 0
    block = page.locator(".cell_input pre").nth(long)
    assert block.evaluate("e => getComputedStyle(e).whiteSpace") == "pre"
    assert block.evaluate("e => getComputedStyle(e).fontSize") == "12px"
    assert block.evaluate(fade) > 20
    block.evaluate("e => { e.scrollLeft = e.scrollWidth; }")
    page.wait_for_function(f"e => ({fade})(e) === 0", arg=block.element_handle())
    assert page.locator(".cell_input pre").nth(short).evaluate(fade) == 0
