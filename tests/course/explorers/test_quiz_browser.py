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
    while not page.get_by_label("31").is_checked():
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


def test_quiz_remembers(quiz, open_page):
    page = open_page(quiz)
    status, check = page.get_by_role("status"), page.get_by_role("button", name="Check")
    stored = "JSON.parse(localStorage['convbook.v1'] ?? null)"
    page.get_by_label("32").check()
    assert page.evaluate(stored) is None  # choosing is no answer yet
    check.click()
    reopen = lambda: (page.reload(), page.evaluate("started"))  # noqa: E731
    reopen()
    assert page.get_by_label("32").is_checked()
    assert status.inner_text() == "\u2717 Not yet. This is what you chose last time. Try again."
    for label in ("31", "32"):
        page.get_by_label(label).check()
        check.click()
    entry = page.evaluate(stored)["quiz"]["sample/halves"]
    assert [entry["tries"], entry["right"]] == [3, True]
    reopen()
    assert page.get_by_label("31").is_checked()
    assert status.inner_text() == "\u2713 You had this right."
    page.evaluate("localStorage['convbook.v1'] = '{\"quiz\": {\"sample/halves\": [1]}}'")
    reopen()
    assert page.locator(":checked").count() == 0
    assert status.inner_text() == ""
    check.click()
    page.get_by_label("31").check()
    check.click()
    assert page.evaluate(stored)["quiz"]["sample/halves"]["tries"] == 1


def test_picture_choices(picture_quiz, open_page, assert_accessible, assert_fits):
    page = open_page(picture_quiz, width=360)
    page.get_by_role("radio", name="kernel: 1 \u22120.5 / 0 \u22122 this one").check()
    page.get_by_role("radio", name='a cat\'s "face"').check()
    page.get_by_role("button", name="Check").click()
    assert page.get_by_role("status").inner_text() == "\u2713 Right. A cat."
    assert page.locator("img").evaluate("(image) => image.complete && image.naturalWidth") == 128
    cells = page.get_by_role("img", name="kernel").locator("span")
    assert cells.all_inner_texts() == ["1", "\u22120.5", "0", "\u22122"]
    tints = cells.evaluate_all("(all) => all.map((cell) => getComputedStyle(cell).backgroundColor)")
    assert len(set(tints)) == 4
    assert_accessible(page)
    assert_fits(page)
