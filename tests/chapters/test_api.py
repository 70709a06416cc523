"""The API page names what there is: a wrong name would only be found by building the site."""

import importlib
import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "chapters" / "api.md").read_text("utf8")
ROOMS = re.findall(r"automodule:: ([\w.]+)\n((?: +:.*\n)*)", PAGE)


@pytest.mark.parametrize(("room", "options"), ROOMS, ids=[room for room, _ in ROOMS])
def test_named_members_exist(room, options):
    module = importlib.import_module(room)
    names = re.findall(r":members: (.+)", options)
    missing = [name for line in names for name in line.split(", ") if not hasattr(module, name)]
    assert not missing
