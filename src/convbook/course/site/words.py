"""The Words boxes of the chapters: what their lines look like, and how they make one glossary.

A box is a Markdown cell, as any viewer shows it:

    ## Words

    - **adjoint** (also *transpose*): The map that goes back along the weights that led there.
    - **stride**: By how many pixels the window moves on.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TITLE = "## Words"
LINE = re.compile(
    r"- \*\*(?P<term>[^*]+)\*\*(?: \(also (?P<also>\*[^*]+\*(?:, \*[^*]+\*)*)\))?: "
    r"(?P<text>\S.*[.!?])"
)
FORM = "- **term** (also *another name*): One sentence."


@dataclass(frozen=True)
class Word:
    """One line of a box: the term, its other names, the sentence, the notebook's file name."""

    term: str
    also: tuple[str, ...]
    text: str
    chapter: str


@dataclass(frozen=True)
class Entry:
    """One line of the glossary: a sentence and its chapters, or the terms that are meant."""

    term: str
    text: str = ""
    also: tuple[str, ...] = ()
    chapters: tuple[str, ...] = ()
    see: tuple[str, ...] = ()


def parse_words(source: str, chapter: str) -> list[Word]:
    r"""Return the words of a Markdown cell, none if it is no Words box.

    Args:
        source: the cell's text.
        chapter: the notebook's file name.

    Raises:
        ValueError: the title does not come first, a line has another form, or a term comes twice.

    >>> parse_words("## Words\n- **stride**: How far a window moves.", "03_shapes.ipynb")
    [Word(term='stride', also=(), text='How far a window moves.', chapter='03_shapes.ipynb')]
    """
    title, *lines = source.strip().splitlines() or [""]
    if TITLE in map(str.rstrip, lines):
        raise ValueError(f"{chapter}: the title {TITLE!r} is not the cell's first line; split it")
    if title.rstrip() != TITLE:
        return []
    words: list[Word] = []
    for line in filter(str.strip, lines):
        match = LINE.fullmatch(line)
        if not match:
            raise ValueError(f"{chapter}: the Words box has the line {line!r}; write {FORM!r}")
        also = tuple(re.findall(r"\*([^*]+)\*", match["also"] or ""))
        # A link to a place in the chapter has to work from the glossary, too.
        text = match["text"].replace("](#", f"]({chapter}#")
        words.append(Word(match["term"], also, text, chapter))
    names = [_key(name) for word in words for name in (word.term, *word.also)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{chapter}: the Words box has {twice} twice; keep one of the lines")
    return words


def read_words(notebook: Path) -> tuple[str, list[Word]]:
    """Return the title of a notebook and the words of its Words box.

    Raises:
        ValueError: the box is malformed.
    """
    cells = json.loads(notebook.read_text("utf8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    title = next((m[1] for text in texts if (m := re.match(r"# (.+)", text))), notebook.stem)
    return title, [word for text in texts for word in parse_words(text, notebook.name)]


def make_glossary(words: Iterable[Word]) -> list[Entry]:
    """Return the glossary in alphabetical order; other names have lines that lead to their terms.

    Chapters may share a term if they explain it in the same sentence.

    Raises:
        ValueError: two chapters explain one term in different sentences, or one explains what is
            another name of a term in the other.
    """
    terms: dict[str, list[Word]] = {}
    for word in words:
        terms.setdefault(_key(word.term), []).append(word)
    names: dict[str, dict[str, Word]] = {}  # another name -> the terms that are meant
    for first, *others in terms.values():
        for word in others:
            if word.text != first.text:
                raise ValueError(
                    f"{first.chapter} and {word.chapter} explain {first.term!r} in different "
                    "sentences; let both use the better one, or name one of the terms differently"
                )
        for word in (first, *others):
            for name in word.also:
                if explained := terms.get(_key(name)):
                    raise ValueError(
                        f"{word.chapter} has {name!r} as another name of {word.term!r}, and "
                        f"{explained[0].chapter} explains it as a term; keep one of the two"
                    )
                names.setdefault(name, {}).setdefault(_key(first.term), first)
    entries = [_entry(same) for same in terms.values()]
    entries += [
        Entry(name, see=tuple(w.term for w in meant.values())) for name, meant in names.items()
    ]
    return sorted(entries, key=lambda entry: (_key(entry.term), entry.term))


def _entry(same: list[Word]) -> Entry:
    also = dict.fromkeys(name for word in same for name in word.also)
    chapters = dict.fromkeys(word.chapter for word in same)
    return Entry(same[0].term, same[0].text, tuple(also), tuple(chapters))


def _key(term: str) -> str:
    """Return what a term is sorted and compared by: its letters and digits.

    Code marks, hyphens and capitals make no other term.
    """
    return " ".join(re.findall(r"[^\W_]+", term.casefold()))
