"""Say below a live cell's picture how it moves: on the site, no kernel listens to its controls."""

from docutils import nodes
from sphinx.transforms import SphinxTransform

LIVE = "live("  # how the text form of a live cell begins
HINT = "Run this chapter to move it."


class AddRunHint(SphinxTransform):
    """Add a line below each picture that `live` stored; in Jupyter nothing changes."""

    default_priority = 800  # any time before myst-nb chooses among a bundle's types

    def apply(self, **kwargs):
        """Add the line to every such output of the document."""
        for bundle in list(self.document.findall(_is_live)):
            hint = nodes.paragraph("", HINT, classes=["run-hint"])
            bundle.parent.insert(bundle.parent.index(bundle) + 1, hint)


def _is_live(node) -> bool:
    if not isinstance(node, nodes.container) or node.get("nb_element") != "mime_bundle":
        return False
    texts = (form.astext() for form in node if form.get("mime_type") == "text/plain")
    return any(text.startswith(LIVE) for text in texts)
