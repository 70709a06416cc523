"""Words boxes: their form, the glossary made of them, and what stops the build."""

import json
import re
import subprocess
import sys
from itertools import chain

import pytest
from bs4 import BeautifulSoup

from convbook.course.site.words import Entry, Word, make_glossary, parse_words, read_words
from tests.helpers.citations import read_sources
from tools import notebooks

STRIDE = Word("stride", (), "How far a window moves.", "03.ipynb")


def word(term, *also, text="A sentence.", chapter="03.ipynb"):
    return Word(term, also, text, chapter)


def test_a_box_is_read():
    source = """\
## Words

- **transposed convolution** (also *deconvolution*, *a, b*): Stamps: $x^T$, *added* where they meet.
- **`output_padding`**: See [above](#several-sizes) and [chapter 3](03_shapes.ipynb#a).
"""
    assert parse_words(source, "11.ipynb") == [
        Word(
            "transposed convolution",
            ("deconvolution", "a, b"),
            "Stamps: $x^T$, *added* where they meet.",
            "11.ipynb",
        ),
        Word(
            "`output_padding`",
            (),
            "See [above](11.ipynb#several-sizes) and [chapter 3](03_shapes.ipynb#a).",
            "11.ipynb",
        ),
    ]


@pytest.mark.parametrize("source", ["", "Text.", "## Wordsmiths\n\n- a", "### Words\n- a"])
def test_other_cells_hold_no_words(source):
    assert parse_words(source, "11.ipynb") == []


@pytest.mark.parametrize(
    "line",
    [
        "Here are some words.",
        "* **stride**: How far a window moves.",
        "- stride: How far a window moves.",
        "- **stride** How far a window moves.",
        "- **stride**: How far a window moves",
        "- **stride**:",
        "- **stride** (also step): How far a window moves.",
        "- **stride** (also *step* *hop*): How far a window moves.",
        "- **stride** (*step*): How far a window moves.",
        "  - **stride**: How far a window moves.",
        "## Sources",
    ],
)
def test_a_malformed_line_is_refused(line):
    good = "- **padding**: Zeros around a map."
    with pytest.raises(
        ValueError, match=re.escape(f"11.ipynb: the Words box has the line {line!r}")
    ):
        parse_words(f"## Words\n\n{good}\n{line}", "11.ipynb")


def test_a_title_further_down_is_refused():
    with pytest.raises(
        ValueError, match=r"11\.ipynb: the title '## Words' is not the cell's first"
    ):
        parse_words("## Summary\n\n## Words\n\n- **stride**: How far.", "11.ipynb")


@pytest.mark.parametrize("again", ["- **Stride**: One.", "- **hop** (also *stride*): One."])
def test_a_term_twice_in_a_box_is_refused(again):
    with pytest.raises(ValueError, match=r"11\.ipynb: the Words box has \['stride'\] twice"):
        parse_words(f"## Words\n\n- **stride**: How far.\n{again}", "11.ipynb")


def test_the_glossary_is_sorted_without_regard_to_case_and_marks():
    terms = ["overlap", "Nyquist frequency", "`output_padding`", "adjoint", "full padding"]
    found = [entry.term for entry in make_glossary(map(word, terms))]
    assert found == ["adjoint", "full padding", "Nyquist frequency", "`output_padding`", "overlap"]


def test_other_names_lead_to_their_terms():
    words = [word("unit", "feature"), word("channel", "feature", "feature map")]
    assert make_glossary(words) == [
        Entry("channel", "A sentence.", ("feature", "feature map"), ("03.ipynb",)),
        Entry("feature", see=("unit", "channel")),
        Entry("feature map", see=("channel",)),
        Entry("unit", "A sentence.", ("feature",), ("03.ipynb",)),
    ]


def test_chapters_may_share_a_sentence():
    again = word("Stride", "step", text=STRIDE.text, chapter="10.ipynb")
    assert make_glossary([STRIDE, again]) == [
        Entry("step", see=("stride",)),
        Entry("stride", STRIDE.text, ("step",), ("03.ipynb", "10.ipynb")),
    ]


def test_two_sentences_for_one_term_are_refused():
    with pytest.raises(ValueError, match=r"03\.ipynb and 10\.ipynb explain 'stride' in different"):
        make_glossary([STRIDE, word("Stride", text="Otherwise.", chapter="10.ipynb")])


def test_a_name_that_is_a_term_elsewhere_is_refused():
    message = r"10\.ipynb has 'stride' as another name of 'step', and 03\.ipynb explains it"
    for words in ([STRIDE], [word("step", "stride", chapter="10.ipynb")]):
        with pytest.raises(ValueError, match=message):
            make_glossary([*words, STRIDE, word("step", "stride", chapter="10.ipynb")])


def test_the_boxes_of_the_book_make_a_glossary():
    found = [read_words(path)[1] for path in sorted(notebooks.CHAPTERS.glob("*.ipynb"))]
    assert all(len(words) in (0, *range(6, 11)) for words in found)
    entries = {entry.term: entry for entry in make_glossary(chain(*found))}
    assert entries["transposed convolution"].chapters == ("11_transposed.ipynb",)
    assert entries["deconvolution"].see == ("transposed convolution",)


# ------------------------------------------------------------------------------ the page, built

CONF = """\
extensions = ["myst_nb", "convbook.course.site.glossary"]
nb_execution_mode = "off"
myst_heading_anchors = 3
myst_enable_extensions = ["dollarmath"]
exclude_patterns = ["left_out.ipynb"]
html_theme = "basic"
suppress_warnings = ["misc.highlighting_failure"]
"""
PAGE = "# Glossary\n\n```{convbook-glossary}\n```\n\n```{toctree}\n:glob:\n*\n```\n"


def build(folder, **boxes):
    """Build a book of a glossary and of one notebook for each box; return the finished process."""
    (folder / "conf.py").write_text(CONF, "utf8")
    (folder / "index.md").write_text(PAGE, "utf8")
    for name, box in boxes.items():
        cells = [
            {"cell_type": "markdown", "id": str(i), "metadata": {}, "source": text}
            for i, text in enumerate([f"# Chapter *{name}*", "## Words\n\n" + box if box else ""])
        ]
        kernel = {"kernelspec": {"name": "python3", "display_name": "", "language": "python"}}
        book = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
        (folder / f"{name}.ipynb").write_text(json.dumps(book), "utf8")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-n", "-b", "html", ".", "html"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_page(tmp_path):
    done = build(
        tmp_path,
        a="- **shift**: A move by $p$ pixels, as `roll` makes; see [chapter b](b.ipynb#words).",
        b="- **∂**: A mark.\n- **$p$**: A number.\n- **Adjoint** (also *transpose*): A map.",
        left_out="- **shift**: Something else.",
        c="",
    )
    assert done.returncode == 0, done.stderr
    page = BeautifulSoup((tmp_path / "html/index.html").read_text("utf8"), "html.parser")
    (listed,) = page.select("dl.convbook-glossary")
    assert [dt.get_text(strip=True) for dt in listed.select("dt")] == [
        "∂", "Adjoint", r"\(p\)", "shift", "transpose"
    ]  # fmt: skip
    ids = [dt["id"] for dt in listed.select("dt")]
    assert len(set(ids)) == 5
    *_, shift, see = listed.select("dd")
    assert see.get_text(strip=True, separator=" ") == "see Adjoint"
    assert see.a["href"] == "#word-adjoint"
    assert [a["href"] for a in shift.select("a")] == ["b.html#words", "a.html#words"]
    assert shift.select(".origin")[0].get_text() == "Chapter a"
    assert shift.code.get_text() == "roll"
    index = (tmp_path / "html/searchindex.js").read_text("utf8")
    assert '"transpose": [[' in index[index.index('"indexentries"') :]


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        (
            {"a": "- **shift**: A move.", "b": "- **shift**: A step."},
            "a.ipynb and b.ipynb explain 'shift' in different sentences",
        ),
        ({"a": "- shift: A move."}, "a.ipynb: the Words box has the line '- shift: A move.'"),
        ({"a": ""}, "index: no notebook beside it has a Words box"),
    ],
)
def test_what_stops_the_build(tmp_path, boxes, message):
    done = build(tmp_path, **boxes)
    assert done.returncode != 0
    assert message in done.stderr


# -------------------------------------------------------------------------------- the book's site


def soup(site, name):
    return BeautifulSoup((site / "chapters" / name).read_text("utf8"), "html.parser")


@pytest.mark.site
def test_words_stand_in_a_box_and_in_the_glossary(site):
    terms = {dt.get_text() for dt in soup(site, "glossary.html").select(".convbook-glossary > dt")}
    boxes = {path.stem: read_words(path)[1] for path in notebooks.CHAPTERS.glob("*.ipynb")}
    for name in filter(boxes.get, boxes):
        lines = soup(site, f"{name}.html").select("section.words-box > ul > li")
        assert len(lines) == len(boxes[name])
        assert {line.strong.get_text() for line in lines} <= terms


@pytest.mark.site
def test_the_bibliography_lists_every_source(site):
    lines = soup(site, "references.html").select("article section > ul > li")
    sources = read_sources()
    assert len(lines) == len(sources)
    links = {a["href"] for line in lines for a in line.select("a")}
    assert {source.link for source in sources} <= links
