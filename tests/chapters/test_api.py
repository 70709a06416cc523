"""The API page names what there is: a wrong name would only be found by building the site."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "chapters" / "api.md").read_text("utf8")
ROOMS = re.findall(r"automodule:: ([\w.]+)\n((?: +:.*\n)*)", PAGE)


@pytest.mark.parametrize(("room", "options"), ROOMS, ids=[room for room, _ in ROOMS])
def test_named_members_exist(room, options):
    module = importlib.import_module(room)
    names = re.findall(r":members: (.+)", options)
    missing = [name for line in names for name in line.split(", ") if not hasattr(module, name)]
    assert not missing


def test_every_room_is_imported_where_the_site_is_built():
    """There the libraries are mocked, and a mock knows no `|`."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))
    mocked = config["sphinx"]["config"]["autodoc_mock_imports"]
    rooms = [room for room, _ in ROOMS]
    code = (
        "import importlib\nfrom sphinx.ext.autodoc.mock import mock\n"
        f"with mock({mocked}):\n    for room in {rooms}:\n        importlib.import_module(room)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
