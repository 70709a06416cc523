"""Cells of which a part is closed until asked for, by `<details>`: a prompt in words for each.

A notebook marks them by tags: `hide-input` closes the code, `hide-output` an output that the reader
should guess first, and `hide-cell` both. A closed cell whose first line is the comment `# Checked`,
or `# Checked: what is`, holds the author's assertions.
"""

import re
from html import escape

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

PROMPTS = {  # what myst-nb calls the hidden part: (closed, open)
    "input": ("Show code", "Hide code"),
    "output": ("Show the output", "Hide the output"),
    "input+output": ("Show the {type}", "Hide the {type}"),  # myst-nb puts in source, or output
    "all": ("Show code and output", "Hide code and output"),
}
CHECKED = re.compile(r"# Checked(?:: *(?P<what>\S.*))?$", re.MULTILINE)


class NamePrompts(SphinxPostTransform):
    """Give each closed part of a cell its prompt, unless the cell's metadata has one."""

    default_priority = 198  # myst-nb writes the prompts into the page at 199
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """Rewrite the prompts of the document's cells."""
        for cell in self.document.findall(nodes.container):
            if cell.get("hide_mode"):
                own = cell["cell_metadata"].get("mystnb", {})
                cell["prompt_show"], cell["prompt_hide"] = choose_prompts(
                    cell["hide_mode"], cell[0].astext(), own
                )


def choose_prompts(mode: str, source: str, own: dict) -> tuple[str, str]:
    """Return the prompts of a closed and of an open cell.

    >>> choose_prompts("input", "plot(x)", {})
    ('Show code', 'Hide code')
    >>> choose_prompts("all", "# Checked: the sizes", {})
    ('✓ Checked: the sizes', '✓ Checked: the sizes')
    """
    show, hide = PROMPTS[mode]
    checked = CHECKED.match(source)
    if mode == "all" and checked:
        show = hide = f"✓ Checked: {checked['what']}" if checked["what"] else "✓ Checked"
    if "code_prompt_show" in own:
        show = own["code_prompt_show"]
        hide = re.sub(r"^Show\b", "Hide", show)
    return show, own.get("code_prompt_hide", hide)


def visit_fold(translator, node) -> None:
    """Write the opening tag and the prompts.

    myst-nb's own has an `aria-label`, the same on every cell, which hides the prompt from those who
    listen to the page, and classes for which the theme has a louder style. Of the two prompts here,
    the style sheet takes away one.
    """
    translator.body.append(
        '<details class="fold"><summary>'
        f'<span class="when-closed">{escape(node["prompt_show"])}</span>'
        f'<span class="when-open">{escape(node["prompt_hide"])}</span></summary>\n'
    )


def depart_fold(translator, node) -> None:
    """Write the closing tag."""
    translator.body.append("</details>\n")
