"""How many hypothesis examples a test draws."""

import os

from hypothesis import settings

SCALE = 20 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 1


def examples(count):
    """Return settings for `count` examples, or 20 times as many in the thorough profile."""
    return settings(max_examples=count * SCALE)
