"""Fixtures and profiles shared by every test."""

import os
from pathlib import Path

import hypothesis
import pytest

from tests.helpers.explorer_pages import PagePool, document
from tools.browser import FLAGS, find_chromium

# `make test` draws the same examples each time, so a red run can be repeated.
# HYPOTHESIS_PROFILE=thorough draws twenty times as many, afresh on each run; quick, a quarter.
hypothesis.settings.register_profile("suite", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("quick", parent=hypothesis.settings.get_profile("suite"))
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


@pytest.fixture(scope="session")
def page_pool(browser):
    """The pages that `open_page` opens, kept from test to test."""
    return PagePool(browser)


@pytest.fixture
def open_page(page_pool):
    """Open a page with the given explorers; checks at the end that nothing went wrong on it."""

    def open_(*explorers, theme="light", width=760, fragment="", **context_options):
        return page_pool.open(document(explorers, theme), width, fragment, **context_options)

    yield open_
    assert page_pool.put_back() == []


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
    """Assert that axe finds nothing on a page, light or dark: names, roles, contrast."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
    # The other theme has other colours, and is otherwise the same page.
    rules = {"light": {"type": "tag", "values": tags}}
    rules["dark"] = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}

    def check(page):
        for theme, run_only in rules.items():
            page.evaluate("(theme) => (document.documentElement.dataset.theme = theme)", theme)
            # Without `resultTypes`, most of the time goes into an account of what is right.
            options = {"runOnly": run_only, "resultTypes": ["violations"]}
            results = axe.run(page, options=options)
            assert results.violations_count == 0, f"{theme}: {results.generate_report()}"

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
