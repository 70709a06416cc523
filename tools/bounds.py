"""Compare a cell's stored outputs with those of a fresh run where numbers may move a little.

After training, digits differ from one processor to the next. A cell that shows such numbers is
tagged `nbval-ignore-output`, so that nbval runs it without comparing, and says in its metadata
what may differ:

    {"convbook": {"within": 0.03, "seen": 0.008}}    no number moves by more than 0.03
    {"convbook": {"within": 0.1, "relative": true}}  ... than a tenth of the larger of the two
    {"convbook": {"times": true}}                    times of the reader's machine: any number

`seen` is the largest deviation that was measured (see `tools.spread`). Everything else is equal:
words, the keys and lengths of data, which figures there are. Numbers that are exact belong into
another cell, for a bound is about all numbers of its cell. Not compared are

- photographs and drawings: a drawing carries its numbers along as data (`mime_types.DATA`);
- blanks and the length of ruled lines, which follow the width of a number;
- the mark of a table's best value: in HTML a class, a style or bold type, in text an asterisk
  after the number;
- words that hang on digits, such as the name of a winner, where the cell lists them all:
  {"convbook": {"within": 0.03, "words": ["plain", "dilated"]}}.

A number may have a sign, thousands commas, an exponent and a unit behind it (2.5x, 12ms). With a
per cent sign it counts as its fraction, so that one bound suits "85.1 %" and the 0.851 behind it.
The digits of a name (net2, conv3x3, 3x3, 1.2.3) are part of the name.
"""

import html
import json
import math
import re
from collections.abc import Iterator

from convbook.course import mime_types
from convbook.course.mime_types import DATA, DRAWING, VIEW

TAG = "nbval-ignore-output"
KEYS = {"within", "relative", "seen", "times", "words"}
LOOSEST = 4  # a bound is at most so many times the deviation that was seen
ROUNDING = 1 + 1e-9  # 0.881 - 0.851 is 0.030000000000000027
CONTEXT = 30  # characters of an output that a message quotes

PHOTOGRAPHS = {"image/png", "image/jpeg", mime_types.PICTURES}  # conftest.py compares pixels
PICTURES = {*PHOTOGRAPHS, "image/svg+xml", DRAWING}

NUMBER = re.compile(
    r"""(?<![\w.#])
    (?P<value>[-+−]?
      (?> (?: [0-9]{1,3}(?:,[0-9]{3})+(?![0-9]) | [0-9]+ ) (?:\.[0-9]+)? | \.[0-9]+ )
      (?> (?:[eE][-+−]?[0-9]+)? )
      (?! [^\W\d_]*[\d_] | \.[0-9] )                # 3x3 and 1.2.3 are names, 12ms is none
      | [-+−]?(?:nan|inf(?:inity)?)(?!\w)
    )
    (?:\.(?!\w))?                                   # NumPy writes 1.0 as "1."
    (?P<percent>[ \u00a0\u202f]?%)?""",
    re.VERBOSE | re.IGNORECASE,
)
BEST = re.compile(r"( #%? )[ \t\u00a0]*\*(?=[\s<]|$)")
RULED_LINE = re.compile(r"([-=_─━═])\1+")
HTML_TAG = re.compile(r"<[^<>]*>")
# What `figures.table` puts beside a best value: a star for the eye, a word for the ear.
MARKS = re.compile(r'<span (?:aria-hidden="true"|style="position: absolute[^"]*")>[^<]*</span>')
BOLD = re.compile(r"</?(?:b|strong)>")
APPEARANCE = re.compile(r"""\s(?:class|style|src(?=="data:))=(?:"[^"]*"|'[^']*')""")


# ------------------------------------------------------------------------------- comparing


def compare(stored: list, fresh: list, bound: dict) -> tuple[float, str]:
    """Return how far the numbers of two lists of outputs lie apart, and what is wrong, or "".

    `bound` is what stands under "convbook" in the cell's metadata; where it is empty, all but the
    pixels must be equal. The deviation is infinite where the texts differ, and 0 for times.

    >>> def printed(text):
    ...     return [{"output_type": "stream", "name": "stdout", "text": text}]
    >>> compare(printed("accuracy 85.1 %"), printed("accuracy 84.6 %"), {"within": 0.03})
    (0.005, '')
    >>> compare(printed("depth 20: 0.50"), printed("depth 20: 0.75"), {"within": 0.03})[1]
    "stdout: 0.50 became 0.75 after 'depth 20: '; 0.03 is the bound"
    """
    old, new = _parts(stored, bound), _parts(fresh, bound)
    if {kind: len(old[kind]) for kind in old} != {kind: len(new[kind]) for kind in new}:
        return math.inf, f"{_inventory(old)} became {_inventory(new)}"
    largest, problem = 0.0, ""
    for kind in old:
        for before, after in zip(old[kind], new[kind], strict=True):
            if not bound:
                deviation, line = _exact(before, after)
            else:
                deviation, line = _bounded(before, after, bound)
            if deviation > largest:
                largest, problem = deviation, line and f"{kind}: {line}"
    return largest, problem


def numbers(outputs: list, bound: dict) -> list[float]:
    """Return the numbers that a bound would be about."""
    texts = [text for kind in _parts(outputs, bound).values() for text in kind]
    return [value for text in texts for value, _ in _split(text, bound)[1]]


def _parts(outputs: list, bound: dict) -> dict[str, list[str]]:
    """Return kind -> texts: joined streams, texts, HTML and JSON; of a picture, that it is there.

    nbval may leave a stream in several pieces. A live widget's name is new in each run.
    """
    parts: dict[str, list[str]] = {}
    for output in outputs:
        if output["output_type"] == "stream":
            before = parts.get(output["name"], [""])
            parts[output["name"]] = [before[0] + output["text"]]
        elif output["output_type"] == "error":
            parts.setdefault("error", []).append(f"{output['ename']}: {output['evalue']}")
        for mime, content in output.get("data", {}).items():
            if mime in (PICTURES if bound else PHOTOGRAPHS):
                text = ""
            elif not isinstance(content, str):
                text = json.dumps(content, sort_keys=True, ensure_ascii=False)
            else:
                text = _without_looks(content) if bound and mime == "text/html" else content
            if mime != VIEW:
                parts.setdefault(mime, []).append(text)
    return parts


def _without_looks(page: str) -> str:
    """Take out of HTML what only looks: a best value's marks, classes, styles, bold, pixels."""
    page = MARKS.sub("", page)
    page = HTML_TAG.sub(lambda tag: APPEARANCE.sub("", tag[0]), page)
    return html.unescape(BOLD.sub("", page))


def _split(text: str, bound: dict) -> tuple[str, list[tuple[float, re.Match]]]:
    """Return the text without its numbers, and the numbers with the places where they stand."""
    if words := sorted(bound.get("words", []), key=len, reverse=True):
        choices = "|".join(map(re.escape, words))
        text = re.sub(rf"(?<!\w)(?:{choices})(?!\w)", "…", text)
    found = [(_value(match), match) for match in NUMBER.finditer(text)]
    words_only = NUMBER.sub(lambda match: " #% " if match["percent"] else " # ", text)
    words_only = RULED_LINE.sub(r"\1", BEST.sub(r"\1", words_only))
    return " ".join(words_only.split()), found


def _value(match: re.Match) -> float:
    value = float(match["value"].replace(",", "").replace("−", "-"))
    return value / 100 if match["percent"] else value


def _bounded(before: str, after: str, bound: dict) -> tuple[float, str]:
    (old_words, old), (new_words, new) = _split(before, bound), _split(after, bound)
    if old_words != new_words:
        return math.inf, _first_difference(old_words, new_words)
    largest, problem = 0.0, ""
    for (x, match), (y, other) in zip(old, new, strict=True):
        deviation = _deviation(x, y, bound.get("relative", False))
        if "within" in bound and deviation > largest:
            largest = deviation
            if deviation > bound["within"] * ROUNDING:
                place = match.string[: match.start()].split("\n")[-1][-CONTEXT:]
                change = f"{match['value']} became {other['value']} after {place!r}"
                problem = f"{change}; {bound['within']} is the bound"
    return largest, problem


def _exact(before: str, after: str) -> tuple[float, str]:
    return (0.0, "") if before == after else (math.inf, _first_difference(before, after))


def _deviation(x: float, y: float, relative: bool) -> float:
    if x == y or (math.isnan(x) and math.isnan(y)):
        return 0.0
    distance = float(f"{abs(x - y):.9g}")  # without what binary fractions add
    if relative:
        distance /= max(abs(x), abs(y))
    return distance if distance < math.inf else math.inf  # one of them is not a number


def _first_difference(before: str, after: str) -> str:
    pairs = enumerate(zip(before, after, strict=False))
    place = next((i for i, (a, b) in pairs if a != b), min(len(before), len(after)))
    start = max(0, place - CONTEXT)
    old, new = (text[start : place + CONTEXT] for text in (before, after))
    return f"{old!r} became {new!r}"


def _inventory(parts: dict[str, list[str]]) -> str:
    return ", ".join(f"{len(texts)} {kind}" for kind, texts in sorted(parts.items())) or "nothing"


# --------------------------------------------------------------------------------- declaring


def flaws(cell) -> Iterator[str]:
    """Say what is wrong with the bound that a cell declares, as ends of sentences.

    nbval compares every cell without a bound, so no cell may keep nbval off and declare none.
    """
    tags, bound = cell.metadata.get("tags", []), cell.metadata.get("convbook", {})
    marks = {tag for tag in tags if re.search("nbval|raises-exception", tag.lower())} - {TAG}
    if cell.cell_type == "code":
        marks |= set(re.findall(r"\b(?:NBVAL|PYTEST_VALIDATE)_\w+", cell.source))
    if marks:
        yield f"is marked {sorted(marks)} for nbval; {TAG!r} with a bound is the only such mark"
    if "convbook" not in cell.metadata:
        if TAG in tags:
            yield f'is tagged {TAG!r} without a bound; add {{"convbook": {{"within": ...}}}}'
        return
    if TAG not in tags:
        yield f"declares {bound} without the tag {TAG!r}"
    if malformed := list(_malformed(bound)):
        yield from malformed
    elif not numbers(cell.get("outputs", []), bound):
        yield f"declares {bound}, but shows no number; take it out"
    elif "within" in bound:
        bundles = [output.get("data", {}) for output in cell.outputs]
        if any(DRAWING in bundle and DATA not in bundle for bundle in bundles):
            yield "holds a drawing without its data, which nothing compares; move it elsewhere"


def _malformed(bound) -> Iterator[str]:
    if not isinstance(bound, dict) or set(bound) - KEYS:
        yield f"declares {bound!r}; the keys are {sorted(KEYS)}"
        return
    if ("within" in bound) == ("times" in bound):
        yield f"declares {bound}; either 'within' or 'times' is needed, not both"
    if "within" in bound and not (_is_number(bound["within"]) and bound["within"] > 0):
        yield f"declares within={bound['within']!r}; a positive number is needed"
    elif bound.get("relative") and bound.get("within", 0) >= 1:
        yield f"declares a relative within={bound['within']}; a share of the number is below 1"
    if "seen" in bound and not (_is_number(bound["seen"]) and bound["seen"] >= 0):
        yield f"declares seen={bound['seen']!r}; `make test-numerics` measures it"
    for key in ("relative", "times"):
        if bound.get(key, True) is not True:
            yield f"declares {key}={bound[key]!r}; only true says something"
    words = bound.get("words", ["word"])
    if not (isinstance(words, list) and words and all(isinstance(w, str) and w for w in words)):
        yield f"declares words={words!r}; a list of words is needed"
    if "times" in bound and {"relative", "seen"} & set(bound):
        yield f"declares {bound}; times have no bound"


def _is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def cell_name(cell) -> str:
    """Return how a message names a cell: by its id and its first line, which an author knows."""
    first = cell.source.strip().split("\n")[0]
    return f"cell {cell.get('id')} ({first[:40]!r})"


def looseness(cell) -> Iterator[str]:
    """Say whether a well-formed bound is wider than what was seen allows."""
    bound = cell.metadata.get("convbook", {})
    if any(_malformed(bound)) or "within" not in bound:
        return
    if "seen" not in bound:
        yield f"declares within={bound['within']} without `seen`; run `make execute`"
    elif bound["within"] > LOOSEST * bound["seen"] * ROUNDING:
        yield (
            f"declares within={bound['within']}, but moved by {bound['seen']} at most;"
            f" {LOOSEST} times that is the widest bound (`make test-numerics` measures again)"
        )
