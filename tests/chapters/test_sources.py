"""Sources: a link in the sentence that every viewer shows, and an entry in the bibliography."""

import re

import pytest

from tests.helpers.citations import BIBLIOGRAPHY, LINK, read_sources, wrong_links
from tools import notebooks

SOURCES = read_sources()
ENTRY = """@misc{{key,
  author = {{{author}}},
  year   = {{2016}},
  {address}
}}
"""


def prose(path):
    """Return the Markdown of a page, without its code."""
    if path.suffix == ".md":
        return re.sub(r"^```.*?^```$", "", path.read_text("utf8"), flags=re.MULTILINE | re.DOTALL)
    cells = notebooks.read(path).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


PAGES = {
    str(path.relative_to(notebooks.CHAPTERS)): prose(path)
    for path in [*notebooks.notebook_paths(), *sorted(notebooks.CHAPTERS.glob("*.md"))]
}


@pytest.mark.parametrize("name", PAGES)
def test_links_to_papers_agree_with_the_bibliography(name):
    assert wrong_links(PAGES[name], SOURCES) == []
    assert "{cite" not in PAGES[name], "two ways to cite"


def test_every_entry_is_linked_and_they_are_in_order():
    linked = {address for text in PAGES.values() for _, address in LINK.findall(text)}
    assert [source.key for source in SOURCES if source.link not in linked] == []
    keys = re.findall(r"^@\w+\{(\w+),$", BIBLIOGRAPHY.read_text("utf8"), re.MULTILINE)
    assert keys == sorted(set(keys)) == [source.key for source in SOURCES]


def test_the_page_lists_all_entries():
    page = (notebooks.CHAPTERS / "references.md").read_text("utf8")
    assert "```{bibliography}\n:all:\n:style: plain\n:list: bullet\n```" in page


@pytest.mark.parametrize(
    ("author", "label"),
    [
        ("Zhang, Richard", "Zhang 2016"),
        ("Dumoulin, Vincent and Visin, Francesco", "Dumoulin and Visin 2016"),
        (r"van den Oord, A{\"a}ron and Zen, Heiga", "van den Oord and Zen 2016"),
        (r"Doll{\'a}r, Piotr and Tu, Zhuowen and He, Kaiming", "Dollár et al. 2016"),
    ],
)
def test_labels(tmp_path, author, label):
    file = tmp_path / "some.bib"
    file.write_text(ENTRY.format(author=author, address="eprint = {1603.07285}"), "utf8")
    (source,) = read_sources(file)
    assert (source.label, source.link) == (label, "https://arxiv.org/abs/1603.07285")


def test_an_entry_without_an_address_is_refused(tmp_path):
    file = tmp_path / "some.bib"
    file.write_text(ENTRY.format(author="Zhang, Richard", address=""), "utf8")
    with pytest.raises(ValueError, match="key has no eprint, doi or url"):
        read_sources(file)


GUIDE = "https://arxiv.org/abs/1603.07285"


@pytest.mark.parametrize(
    "right",
    [
        f"[Dumoulin and Visin 2016]({GUIDE})",
        f"their [guide]({GUIDE})",
        "[Theano's tutorial, 2016](https://github.com/Theano/Theano)",
    ],
)
def test_a_right_link_passes(right):
    assert wrong_links(right, SOURCES) == []


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (f"[Dumoulin and Visin 2018]({GUIDE})", "the entry says Dumoulin and Visin 2016"),
        (f"[Dumoulin et al. 2016]({GUIDE})", "the entry says Dumoulin and Visin 2016"),
        (f"[Dumoulin 2016]({GUIDE})", "the entry says Dumoulin and Visin 2016"),
        (f"[arXiv]({GUIDE})", "the entry says Dumoulin and Visin 2016"),
        ("[guide](https://arxiv.org/pdf/1603.07285)", f"link dumoulin2016 as {GUIDE}"),
        ("[Distill](https://distill.pub/2016/deconv-checkerboard/)", "link odena2016 as"),
        ("[a paper](https://arxiv.org/abs/0000.00000)", "no entry"),
        ("[a paper](https://doi.org/10.1000/none)", "no entry"),
    ],
)
def test_a_wrong_link_is_named(wrong, reason):
    (line,) = wrong_links(f"As {wrong} says.", SOURCES)
    assert reason in line
    assert wrong in line
