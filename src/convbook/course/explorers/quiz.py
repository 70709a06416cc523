"""Quiz: a question the reader answers before reading on."""

from html import escape

import traitlets

from convbook.course.explorers.base import Explorer
from convbook.course.explorers.sources import module_source
from convbook.course.quizzes import load


def _inline(text):
    """Return `text` as HTML: escaped, with `code` in backticks as code elements."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))


class Quiz(Explorer):
    """Ask one question, check the choice made and say why it is right or wrong.

    What the reader answers stays on the page and is stored nowhere.

    Args:
        name: "FILE/ID", for question ID of `convbook/course/quizzes/FILE.toml`.

    Raises:
        ValueError: there is no such question; the message names those there are.

    Example:
        >>> Quiz("03_shapes/opening-question")
        Quiz('03_shapes/opening-question')
    """

    _explorer = "quiz"
    _esm = module_source("quiz")

    name = traitlets.Unicode(read_only=True).tag(sync=True)
    question = traitlets.Unicode(read_only=True).tag(sync=True)
    choices = traitlets.List(read_only=True).tag(sync=True)

    def __init__(self, name):
        content = load(name)
        super().__init__()
        with self.hold_sync():
            self.set_trait("name", name)
            self.set_trait("question", content["question"])
            self.set_trait("choices", content["choices"])

    def __repr__(self):
        return f"Quiz({self.name!r})"

    def static_html(self):
        """Return the question with its choices, and the answer folded away."""
        items = "".join(f"<li>{_inline(choice['text'])}</li>" for choice in self.choices)
        right = next(choice for choice in self.choices if choice["correct"])
        return (
            '<div class="convbook-root cb-quiz cb-static">'
            f'<p class="cb-question">{_inline(self.question)}</p><ol>{items}</ol>'
            f"<details><summary>Answer</summary><p>{_inline(right['text'])}. "
            f"{_inline(right['why'])}</p></details></div>"
        )
