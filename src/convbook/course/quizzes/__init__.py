"""The book's page quizzes: one TOML file per chapter, read with the standard library only.

    [[questions]]
    id = "opening-question"
    question = "What does `stride=2` make of a width of 64 with `kernel_size=3`?"

    [[questions.choices]]
    text = "31"
    correct = true
    why = "The floor of (64 - 3) / 2, plus 1."

    [[questions.choices]]
    text = "32"
    why = "Only with padding 1."

Text is plain; `code` goes in backticks. Exactly one choice is correct, and each says why. Instead
of a text, or beside it, a choice may show a kernel or a picture of `course/pictures/`:

    grid = [[1, 0, -1], [2, 0, -2], [1, 0, -1]]

    picture = "chelsea"
    alt = "the face of a cat"
"""

import tomllib
from hashlib import sha256
from math import isfinite
from pathlib import Path

FOLDER = Path(__file__).parent
PICTURES = FOLDER.parent / "pictures"
WIDEST_GRID = 7
# Decides the order of the choices. With this one, the right answers lie evenly: a test says so.
SEED = 37


def names(folder=FOLDER):
    """Return the stems of the quiz files in `folder`, sorted."""
    return sorted(path.stem for path in Path(folder).glob("*.toml"))


def read(path):
    """Return the questions of one TOML file as a dict: id -> {"question", "choices"}.

    Each choice is {"text", "correct", "why"}, with {"grid", "alt"} or {"picture", "alt"} where it
    has one. Raises ValueError naming the file, the question and what to change.
    """
    path = Path(path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path.name} is not valid TOML: {error}") from error
    _only(path.name, content, {"questions"})
    entries = content.get("questions")
    if not isinstance(entries, list) or not entries:
        raise ValueError(f"{path.name} has no questions; add a [[questions]] table")
    questions = {}
    for number, entry in enumerate(entries, start=1):
        name = _text(f"{path.name}, question {number}", entry, "id")
        if name in questions:
            raise ValueError(f"{path.name}: id={name!r} is used twice; give each question its own")
        questions[name] = _question(f"{path.name}, question {name!r}", entry)
    return questions


def load(name, folder=FOLDER):
    """Return question `name`, "FILE/ID", from `folder`.

    The order of its choices hangs on the texts alone, so that nobody learns where the right one
    stands. Each has a `key` too, by which a reader's browser remembers it.

    >>> load("03_shapes/opening-question")["choices"][2]["correct"]
    True
    """
    if not isinstance(name, str):
        raise TypeError(f"name={name!r} is no text; use 'FILE/ID'")
    stem, slash, identifier = name.partition("/")
    if not (stem and slash and identifier):
        raise ValueError(f"name={name!r}: use 'FILE/ID', such as '03_shapes/opening-question'")
    if stem not in names(folder):
        known = ", ".join(names(folder)) or "none yet"
        raise ValueError(f"name={name!r}: there is no {stem}.toml; quiz files: {known}")
    questions = read(Path(folder) / f"{stem}.toml")
    if identifier not in questions:
        raise ValueError(
            f"name={name!r}: {stem}.toml has no question {identifier!r}; "
            f"it has {', '.join(questions)}"
        )
    question = questions[identifier]
    choices = [choice | {"key": _key(name, choice)} for choice in question["choices"]]
    return question | {"choices": sorted(choices, key=lambda choice: choice["key"])}


def _key(name, choice):
    """Return a short name of a choice: the same on every machine, another for other words."""
    shown = f"{SEED} {name} {choice['text']} {choice.get('alt')}"
    return sha256(shown.encode()).hexdigest()[:6]


def _question(where, entry):
    """Return one question, checked."""
    _only(where, entry, {"id", "question", "choices"})
    choices = entry.get("choices")
    if not isinstance(choices, list) or len(choices) < 2:
        count = len(choices) if isinstance(choices, list) else 0
        raise ValueError(f"{where} has {count} choices; write at least 2 [[questions.choices]]")
    checked = [_choice(f"{where}, choice {i}", choice) for i, choice in enumerate(choices, 1)]
    right = sum(choice["correct"] for choice in checked)
    if right != 1:
        raise ValueError(f"{where} has {right} correct choices; mark exactly 1 correct = true")
    shown = [(choice["text"], choice.get("alt"), choice.get("picture")) for choice in checked]
    if len(set(shown)) < len(shown):
        raise ValueError(f"{where} has the same choice twice; make each text or picture different")
    return {"question": _text(where, entry, "question"), "choices": checked}


def _choice(where, entry):
    """Return one choice, checked."""
    if not isinstance(entry, dict):
        raise ValueError(f"{where} is {entry!r}; write a [[questions.choices]] table")
    _only(where, entry, {"text", "correct", "why", "grid", "picture", "alt"})
    correct = entry.get("correct", False)
    if not isinstance(correct, bool):
        raise ValueError(f"{where}: correct={correct!r}; use true or false")
    shown = {**_grid(where, entry), **_picture(where, entry)}
    text = _text(where, entry, "text") if "text" in entry or not shown else ""
    return {"text": text, "correct": correct, "why": _text(where, entry, "why"), **shown}


def _grid(where, entry):
    """Return the grid of a choice and what a screen reader says of it, or nothing."""
    if "grid" not in entry:
        return {}
    grid = entry["grid"]
    if "picture" in entry or "alt" in entry:
        raise ValueError(f"{where} has a grid, and a picture or alt; a grid stands alone")
    rows = grid if isinstance(grid, list) and all(isinstance(r, list) for r in grid) else []
    fits = 1 <= len(rows) <= WIDEST_GRID and 1 <= len(rows[0]) <= WIDEST_GRID
    if not fits or any(len(row) != len(rows[0]) for row in rows):
        raise ValueError(
            f"{where}: grid={grid!r}; use 1 to {WIDEST_GRID} rows, each of the same 1 to "
            f"{WIDEST_GRID} numbers"
        )
    for number in (number for row in rows for number in row):
        if type(number) not in (int, float) or not isfinite(number):
            raise ValueError(f"{where}: grid holds {number!r}; use whole or decimal numbers")
    spoken = " / ".join(" ".join(map(number_text, row)) for row in rows)
    return {"grid": rows, "alt": f"kernel: {spoken}"}


def number_text(number):
    """Return a number with a true minus sign.

    >>> number_text(-0.5)
    '−0.5'
    """
    return f"{number:g}".replace("-", "\N{MINUS SIGN}")


def _picture(where, entry):
    """Return the picture of a choice and what it shows, or nothing."""
    if "picture" not in entry:
        if "alt" in entry:
            raise ValueError(f"{where} has alt and no picture; name one, or remove alt")
        return {}
    known = sorted(path.stem for path in PICTURES.glob("*.webp"))
    if entry["picture"] not in known:
        raise ValueError(f"{where}: picture={entry['picture']!r}; use {', '.join(known)}")
    return {"picture": entry["picture"], "alt": _text(where, entry, "alt")}


def _text(where, entry, key):
    """Return text `key`, one line, or raise when it is missing, empty or has an open backtick."""
    value = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{where}: {key}={value!r}; write a text")
    if value.count("`") % 2:
        raise ValueError(f"{where}: {key} has an odd number of backticks; close the code")
    return " ".join(value.split())


def _only(where, entry, allowed):
    """Raise when a table holds a key nobody reads: a misspelt `correct` would go unnoticed."""
    unknown = sorted(set(entry) - allowed) if isinstance(entry, dict) else [repr(entry)]
    if unknown:
        raise ValueError(
            f"{where}: {', '.join(unknown)} is not known; use {', '.join(sorted(allowed))}"
        )
