"""Quiz: a question the reader answers before reading on."""

import base64
import io
from html import escape

import traitlets
from PIL import Image

from convbook.course import colours
from convbook.course.explorers.base import Explorer
from convbook.course.explorers.sources import module_source
from convbook.course.quizzes import PICTURES, load, number_text

SIDE = 128  # of a picture, in pixels


def _inline(text):
    """Return `text` as HTML: escaped, with `code` in backticks as code elements."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))


def _image(name):
    """Return a picture of `course/pictures/`, made small, as a data: address."""
    small = io.BytesIO()
    with Image.open(PICTURES / f"{name}.webp") as picture:
        picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(small, "WEBP", quality=80)
    return f"data:image/webp;base64,{base64.b64encode(small.getvalue()).decode()}"


def _table(grid, alt):
    """Return a grid as a table in the colours of the signs; its style stands in it."""
    largest = max(abs(number) for row in grid for number in row) or 1

    def cell(number):
        colour = colours.POSITIVE if number > 0 else colours.NEGATIVE
        share = 0.15 + 0.35 * abs(number) / largest if number else 0
        red_green_blue = ", ".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
        style = f"background-color: rgba({red_green_blue}, {share:.3g}); text-align: center"
        return f'<td style="{style}">{number_text(number)}</td>'

    rows = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in grid)
    look = f'role="img" aria-label="{escape(alt)}" style="margin: 0.3rem 0 0.8rem"'
    return f"<table {look}><tbody>{rows}</tbody></table>"


def _shown(choice):
    """Return as HTML what a choice shows."""
    parts = [_inline(choice["text"])] if choice["text"] else []
    if "grid" in choice:
        parts.append(_table(choice["grid"], choice["alt"]))
    if "image" in choice:
        image, alt = choice["image"], escape(choice["alt"])
        parts.append(f'<img src="{image}" alt="{alt}" width="96" height="96">')
    return " ".join(parts)


class Quiz(Explorer):
    """Ask one question, check the choice made and say why it is right or wrong.

    What the reader answers is kept by the reader's browser and sent nowhere.

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
            self.set_trait("choices", [self._with_image(c) for c in content["choices"]])

    @staticmethod
    def _with_image(choice):
        kept = {key: value for key, value in choice.items() if key != "picture"}
        return kept | ({"image": _image(choice["picture"])} if "picture" in choice else {})

    def __repr__(self):
        return f"Quiz({self.name!r})"

    def static_html(self):
        """Return the question with its choices, and the answer folded away."""
        items = "".join(f"<li>{_shown(choice)}</li>" for choice in self.choices)
        right = next(choice for choice in self.choices if choice["correct"])
        stop = "." if right["text"] else ""
        return (
            '<div class="convbook-root cb-quiz cb-static">'
            f'<p class="cb-question">{_inline(self.question)}</p><ol>{items}</ol>'
            f"<details><summary>Answer</summary><div>{_shown(right)}{stop} "
            f"{_inline(right['why'])}</div></details></div>"
        )
