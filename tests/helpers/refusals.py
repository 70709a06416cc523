"""Whole refusals: another word, or a word too many, fails."""

import re


def whole(message):
    """Return the pattern that a message matches from end to end, for `pytest.raises(match=...)`.

    `…` stands for words that are not ours: a path, or PyTorch's own.
    """
    return r"(?s)\A" + ".*".join(map(re.escape, message.split("…"))) + r"\Z"
