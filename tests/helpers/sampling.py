"""How many hypothesis examples a test draws."""

import os

from hypothesis import settings

SCALE = {"thorough": 20, "quick": 0.25}.get(os.environ.get("HYPOTHESIS_PROFILE", ""), 1)


def examples(count):
    """Return settings for `count` examples: 20 times as many if thorough, a quarter if quick."""
    return settings(max_examples=max(int(count * SCALE), 1))
