"""Words: a quiet box in a chapter, and the glossary page that is made of all the boxes.

The page holds the directive `convbook-glossary`. What a box looks like is said in `words.py`.
"""

from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.errors import ExtensionError
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

from convbook.course.site.words import TITLE, Entry, make_glossary, read_words

BOXED_TITLE = TITLE.removeprefix("## ")


class Glossary(SphinxDirective):
    """List the words of all notebooks of the book that lie beside the page."""

    def run(self):
        """Return the list; stop the build where boxes are malformed or disagree."""
        titles, words = {}, []
        try:
            for notebook in self._notebooks():
                self.env.note_dependency(str(notebook))
                titles[notebook.name], found = read_words(notebook)
                words += found
            entries = make_glossary(words)
        except ValueError as error:
            raise ExtensionError(str(error)) from error
        if not entries:
            raise ExtensionError(f"{self.env.docname}: no notebook beside it has a Words box")
        places = _name_places(entries)
        items = [self._item(entry, places, titles) for entry in entries]
        return [nodes.definition_list("", *items, classes=["convbook-glossary"])]

    def _notebooks(self):
        page = Path(self.env.doc2path(self.env.docname))
        root = Path(self.env.srcdir)
        for path in sorted(page.parent.glob("*.ipynb")):
            if path.relative_to(root).with_suffix("").as_posix() in self.env.found_docs:
                yield path

    def _item(self, entry: Entry, places, titles):
        place = places[entry.term]
        term = nodes.term("", "", *self._inline(entry.term), ids=[place])
        plain = term.astext()
        # What the search finds by its name, and where it leads.
        term += addnodes.index(entries=[("single", plain, place, "main", None)])
        if entry.see:
            links = [self._link(name, places[name]) for name in entry.see]
            body = [nodes.paragraph("", "see ", *_joined(links))]
        else:
            body = [nodes.paragraph("", "", *self._inline(entry.text))]
            body.append(self._origin(entry, titles))
        return nodes.definition_list_item("", term, nodes.definition("", *body))

    def _origin(self, entry: Entry, titles):
        also = f"Also *{'*, *'.join(entry.also)}*. " if entry.also else ""
        chapters = ", ".join(f"[{titles[name]}]({name}#words)" for name in entry.chapters)
        return nodes.paragraph("", "", *self._inline(f"{also}{chapters}"), classes=["origin"])

    def _link(self, term: str, place: str):
        return nodes.reference("", "", *self._inline(term), internal=True, refid=place)

    def _inline(self, text: str) -> list[nodes.Node]:
        """Return the nodes of a line of Markdown."""
        found, messages = self.state.inline_text(text, self.lineno)
        return [*found, *messages]


def _name_places(entries: list[Entry]) -> dict[str, str]:
    """Return term -> the name of its place on the page, numbered where letters are not enough."""
    places: dict[str, str] = {}
    for n, entry in enumerate(entries):
        name = f"word-{nodes.make_id(entry.term)}"
        places[entry.term] = f"{name}-{n}" if name == "word-" or name in places.values() else name
    return places


def _joined(links):
    for i, link in enumerate(links):
        if i:
            yield nodes.Text(", ")
        yield link


class BoxWords(SphinxTransform):
    """Mark the section "Words" for the style sheet; in Jupyter it is a list like any other."""

    default_priority = 800  # after titles have become sections

    def apply(self, **kwargs):
        """Mark every such section of the document."""
        for section in self.document.findall(nodes.section):
            if section[0].astext() == BOXED_TITLE:
                section["classes"].append("words-box")


def setup(app):
    """Register the directive and the transform."""
    app.add_directive("convbook-glossary", Glossary)
    app.add_transform(BoxWords)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
