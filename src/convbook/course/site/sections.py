"""Collapse the sections titled "Going further", so that the main line stays short."""

from docutils import nodes
from sphinx.transforms import SphinxTransform

COLLAPSED_TITLE = "Going further"


class CollapseGoingFurther(SphinxTransform):
    """Wrap what follows a "Going further" title in `<details>`; in Jupyter nothing changes."""

    default_priority = 800  # after titles have become sections

    def apply(self, **kwargs):
        """Rewrite every such section of the document."""
        for section in self.document.findall(nodes.section):
            title = section[0]
            if not title.astext().startswith(COLLAPSED_TITLE):
                continue
            # The title stays outside, so that the table of contents and links still reach it.
            opening = '<details class="going-further"><summary>Show this section</summary>'
            section.insert(1, nodes.raw("", opening, format="html"))
            section.append(nodes.raw("", "</details>", format="html"))
