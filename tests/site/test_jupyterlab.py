"""A chapter in a real JupyterLab, before anything has run and after; and as nbconvert writes it.

What is stored in a notebook must show without a kernel, whether the reader trusts the notebook or
not, and what a kernel adds must start. Chapter 11 stands for all: they are stored by one tool.
"""

import contextlib
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from convbook.course.mime_types import EXPLORER
from tests.helpers.jupyterlab import Lab
from tools import notebooks

pytestmark = pytest.mark.browser

CHAPTER = notebooks.CHAPTERS / "11_transposed.ipynb"
TIMEOUT = 150_000  # milliseconds: to run the chapter takes most of a minute, more on a busy machine
# What a viewer says of something that it cannot show.
COMPLAINTS = ["model not found", "Error displaying widget", "Loading widget", "<IPython.core"]
SHOWN = """(count) => {
  const images = [...document.querySelectorAll(".jp-OutputArea-output img")];
  return images.length === count && images.every((i) => i.naturalWidth && i.offsetWidth);
}"""
RUNNING = """[...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")]
  .some((prompt) => prompt.innerText.includes("*"))"""
REDRAWN = "(before) => document.querySelector('img.jupyter-widgets').src !== before"
STATIC, ALIVE = ".cb-static", ".convbook-root:not(.cb-static)"
LIVE_CELL = """\
from convbook.course import figures
from convbook.course.live import live

def draw(height=2):
    if height > 3:
        raise ValueError("height is <too> large")
    return figures.bars({"one": 1, "two": height}, "m")

live(draw, height=(1, 5))"""


def count(notebook, mime_type):
    """Say how many outputs have a form of this type."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    return sum(mime_type in output.get("data", {}) for output in outputs)


@pytest.fixture(scope="module")
def lab(tmp_path_factory, browser):  # the browser first: without one, none is started
    with Lab(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture
def open_notebook(lab, browser, request):
    """Open a notebook in JupyterLab; at the end nothing went wrong and no other host was asked."""
    troubles, contexts = [], []
    ours = (lab.address, lab.address.replace("http", "ws"), "data:", "blob:")

    def open_(source, trusted):
        name = f"{len(contexts)}-{request.node.name[:40]}.ipynb".replace("[", "-").replace("]", "")
        notebook = lab.put(source, name, trusted)
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 900}))
        page = contexts[-1].new_page()
        page.set_default_timeout(TIMEOUT)
        page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("response", lambda r: r.status < 400 or troubles.append(f"{r.status}: {r.url}"))
        page.on("request", lambda r: r.url.startswith(ours) or troubles.append(f"asked {r.url}"))
        # A workspace of its own, or notebooks of earlier pages would be open too.
        page.goto(f"{lab.address}lab/workspaces/{name.removesuffix('.ipynb')}/tree/{name}")
        page.wait_for_function(SHOWN, arg=count(notebook, "image/png"))
        state = "trusted" if trusted else "not trusted"
        page.locator(f'.jp-StatusItem-trust[title^="Notebook {state}"]').wait_for()
        return page, notebook

    yield open_
    for context in contexts:
        context.close()
    assert troubles == []


def run_all(page):
    # What is asked of a kernel that is still starting may be lost, so ask until it runs.
    page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for()
    for _ in range(5):
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        with contextlib.suppress(PlaywrightTimeout):
            page.wait_for_function(RUNNING, timeout=10_000)
            break
    page.wait_for_function(f"() => !({RUNNING})")


def complaints(page):
    text = page.locator(".jp-Notebook").inner_text()
    return [complaint for complaint in COMPLAINTS if complaint in text]


@pytest.mark.parametrize("trusted", [False, True], ids=["untrusted", "trusted"])
def test_before_it_has_run_a_chapter_shows_figures_quizzes_and_explorers(open_notebook, trusted):
    page, notebook = open_notebook(CHAPTER, trusted)
    assert page.locator(STATIC).count() == count(notebook, EXPLORER) >= 3
    assert all(form.is_visible() for form in page.locator(STATIC).all())
    assert page.locator(ALIVE).count() == 0
    assert complaints(page) == []


def test_after_it_has_run_quizzes_and_explorers_are_alive(open_notebook):
    page, notebook = open_notebook(CHAPTER, trusted=False)
    run_all(page)
    page.wait_for_function(SHOWN, arg=count(notebook, "image/png"))
    page.locator(ALIVE).nth(count(notebook, EXPLORER) - 1).wait_for()
    assert page.locator(ALIVE).count() == count(notebook, EXPLORER)
    assert page.locator(STATIC).count() == 0
    assert complaints(page) == []
    assert page.locator('[data-mime-type="application/vnd.jupyter.stderr"]').count() == 0
    quiz = page.locator(".cb-quiz").first
    answers = quiz.get_by_role("radio")
    told = set()
    for index in range(answers.count()):  # each answer is told apart, so the front end answers
        answers.nth(index).check()
        quiz.get_by_role("button", name="Check").click()
        told.add(quiz.get_by_role("status").inner_text())
    assert len(told) == answers.count() >= 2


@pytest.fixture(scope="module")
def live_notebook(tmp_path_factory):
    """A notebook with a live cell, as the notebook tool stores it."""
    folder = tmp_path_factory.mktemp("live")
    cells = [nbformat.v4.new_code_cell(LIVE_CELL)]
    notebook = notebooks.execute(nbformat.v4.new_notebook(cells=cells), folder)
    notebooks.write(notebooks.normalise(notebook), folder / "live.ipynb")
    return folder / "live.ipynb"


def test_a_live_cell_is_a_figure_and_then_follows_the_keyboard(open_notebook, live_notebook):
    page, _ = open_notebook(live_notebook, trusted=False)
    stored = page.locator(".jp-OutputArea-output img").bounding_box()
    assert page.locator(".jupyter-widgets").count() == 0
    run_all(page)
    slider = page.get_by_role("slider")
    image = page.locator("img.jupyter-widgets")
    page.wait_for_function(SHOWN, arg=1)
    shown = image.bounding_box()
    assert (shown["width"], shown["height"]) == pytest.approx(
        (stored["width"], stored["height"]), abs=1
    )
    message = page.get_by_role("alert").filter(
        has_text="(height=4) has no picture: height is <too>"
    )
    first = image.get_attribute("src")
    slider.press("ArrowRight")
    page.wait_for_function(REDRAWN, arg=first)
    second = image.get_attribute("src")
    slider.press("ArrowRight")
    message.wait_for()
    assert image.get_attribute("src") == second
    slider.press("ArrowLeft")
    message.wait_for(state="detached")
    slider.press("ArrowLeft")
    page.wait_for_function(REDRAWN, arg=second)
    assert complaints(page) == []


def test_nbconvert_writes_figures_quizzes_and_explorers(tmp_path):
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--log-level=ERROR"]
    done = subprocess.run(
        [*command, "--output-dir", tmp_path, CHAPTER], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    html = Path(tmp_path, "11_transposed.html").read_text("utf8")
    page, notebook = BeautifulSoup(html, "html.parser"), notebooks.read(CHAPTER)
    images = page.select('.jp-OutputArea-output img[src^="data:image/png"]')
    assert len(images) == count(notebook, "image/png") >= 5
    assert len(page.select(STATIC)) == count(notebook, EXPLORER) >= 3
    text = page.get_text()
    assert [complaint for complaint in COMPLAINTS if complaint in text] == []
