"""Fixtures of the site's tests: the built site in a browser, and a small book of few pages."""

import pytest

from tests.helpers.site_builds import build, copy_few_pages
from tests.helpers.site_pages import CHAPTER, SCREENS, Visit, serve
from tools import notebooks


@pytest.fixture(scope="session")
def address(site):
    """The site's address on a local web server."""
    with serve(site) as where:
        yield where


@pytest.fixture(scope="session")
def contexts(browser):
    """One context for each screen, so that style sheets and scripts are fetched once."""
    return {screen: browser.new_context(**options) for screen, options in SCREENS.items()}


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


CAPTION = "Look at the *stripes* of the flag."
# Cells of chapter 3's copy, by a line of theirs: (tags, what goes before the code).
FOLDED = {
    "figures.photographs(corner, modes)": (["hide-input"], ""),
    "layer = nn.Conv2d(3, 8, kernel_size=3)": (["hide-output"], ""),
    "import torch": (["hide-cell"], "# Checked: the imports\n"),
}


@pytest.fixture(scope="session")
def small_fork(tmp_path_factory):
    """The site of a book of few pages, some of its cells closed, one
    with a caption, built for the fork ada/fork."""
    folder = tmp_path_factory.mktemp("fork")
    copy_few_pages(folder)
    path = folder / "chapters" / "03_shapes.ipynb"
    notebook = notebooks.read(path)
    for cell in notebook.cells:  # first open all cells, and take all captions away
        tags = cell.metadata.get("tags", [])
        cell.metadata["tags"] = [tag for tag in tags if not tag.startswith("hide-")]
        cell.metadata.get("mystnb", {}).pop("figure", None)
    for line, (tags, before) in FOLDED.items():
        cell = next(cell for cell in notebook.cells if f"\n{line}" in f"\n{cell.source}")
        cell.metadata["tags"] = tags
        cell.source = before + cell.source
        if "hide-input" in tags:
            cell.metadata["mystnb"]["figure"] = {"caption": CAPTION}
    notebooks.write(notebook, path)
    done = build(folder, strict=False, GITHUB_REPOSITORY="ada/fork")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "_build" / "html"


@pytest.fixture(scope="session")
def fork_address(small_fork):
    """The address of `small_fork` on a local web server."""
    with serve(small_fork) as where:
        yield where
