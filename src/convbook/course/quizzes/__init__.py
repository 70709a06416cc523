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

Text is plain; `code` goes in backticks. Exactly one choice is correct, and each says why.
"""

import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent


def names(folder=FOLDER):
    """Return the stems of the quiz files in `folder`, sorted."""
    return sorted(path.stem for path in Path(folder).glob("*.toml"))


def read(path):
    """Return the questions of one TOML file as a dict: id -> {"question", "choices"}.

    Each choice is {"text", "correct", "why"}. Raises ValueError naming the file, the question and
    what to change.
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

    >>> load("03_shapes/opening-question")["choices"][1]["correct"]
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
    return questions[identifier]


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
    texts = [choice["text"] for choice in checked]
    if len(set(texts)) < len(texts):
        raise ValueError(f"{where} has the same choice twice; make each text different")
    return {"question": _text(where, entry, "question"), "choices": checked}


def _choice(where, entry):
    """Return one choice, checked."""
    if not isinstance(entry, dict):
        raise ValueError(f"{where} is {entry!r}; write a [[questions.choices]] table")
    _only(where, entry, {"text", "correct", "why"})
    correct = entry.get("correct", False)
    if not isinstance(correct, bool):
        raise ValueError(f"{where}: correct={correct!r}; use true or false")
    return {
        "text": _text(where, entry, "text"),
        "correct": correct,
        "why": _text(where, entry, "why"),
    }


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
