"""Fixtures and profiles shared by every test."""

import os
from pathlib import Path

import hypothesis
import pytest

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
