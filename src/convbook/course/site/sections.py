"""Collapse the sections titled "Going further", so that the main line stays short."""

from pathlib import Path

from docutils import nodes
from sphinx.transforms import SphinxTransform

from convbook.course.site.minutes import FURTHER, read_minutes


class CollapseGoingFurther(SphinxTransform):
    """Wrap what follows a "Going further" title in `<details>`; in Jupyter nothing changes."""

    default_priority = 800  # after titles have become sections

    def apply(self, **kwargs):
        """Rewrite every such section of the document."""
        for section in self.document.findall(nodes.section):
            title = section[0]
            if not title.astext().startswith(FURTHER):
                continue
            # The title stays outside, so that the table of contents and links still reach it.
            prompt = f"Show this section{self._time()}"
            opening = f'<details class="going-further"><summary>{prompt}</summary>'
            section.insert(1, nodes.raw("", opening, format="html"))
            section.append(nodes.raw("", "</details>", format="html"))

    def _time(self) -> str:
        """Return how long the page's sections of that title take, if it is a notebook."""
        path = Path(self.env.doc2path(self.env.docname))
        if path.suffix != ".ipynb":
            return ""
        return f" (about {read_minutes(path).further} min)"
