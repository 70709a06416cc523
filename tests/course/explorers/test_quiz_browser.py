"""The quiz in a real browser: what it says, by mouse and by keyboard."""

import pytest

pytestmark = pytest.mark.browser


def test_quiz_says_why(quiz, open_page):
    page = open_page(quiz)
    status = page.get_by_role("status")
    check = page.get_by_role("button", name="Check")
    check.click()
    assert status.inner_text() == "Choose an answer first."
    page.get_by_label("32").check()
    assert status.inner_text() == ""
    check.click()
    assert status.inner_text().startswith("\u2717 Not yet. Only with padding=1.")
    page.get_by_label("31").check()
    check.click()
    assert status.inner_text().startswith("\u2713 Right. The floor of")
    # Nothing the reader did is in the state a notebook stores.
    assert page.evaluate("[models[0].sets, models[0].saved]") == [0, 0]


def test_quiz_by_keyboard(quiz, open_page):
    page = open_page(quiz)
    page.locator("h1").click()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.get_by_role("status").inner_text().startswith("\u2713 Right.")


def test_quiz_text_is_text(quiz, open_page):
    page = open_page(quiz)
    group = page.get_by_role("group")
    assert "64 & <b>more</b>?" in group.locator("legend").inner_text()
    assert page.locator("legend code").inner_text() == "stride=2"
    assert page.locator(".convbook-root b").count() == 0
