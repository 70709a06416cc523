"""Settings in the end of an address: written, read back, and refused where they are not true."""

import json
import subprocess

import pytest

from convbook.course.explorers.sources import FOLDER
from tests.helpers.javascript import NODE

RULES = {"mode": ["dilated", "transposed"], "size": [1, 8], "even": "switch"}
ALL = {"mode": "transposed", "size": 8, "even": False, "kernel": [[1, -0.5], [2, 0]]}

# A rule may hold a function, which cannot travel as JSON, so the format is made in Node.
USE = """
const {{ queryFormat }} = await import({address});
const kernel = {{ fits: Array.isArray, words: "a list" }};
const format = queryFormat("demo", {{ ...{rules}, kernel }});
console.log(JSON.stringify(format.{call}));
"""


def use(call):
    address = json.dumps((FOLDER / "lib" / "address.js").as_uri())
    program = USE.format(address=address, rules=json.dumps(RULES), call=call)
    command = [NODE, "--input-type=module", "--eval", program]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_settings_come_back():
    fragment = use(f'write("demo2", {json.dumps(ALL | {"other": 3})})')
    assert fragment.startswith("#demo2?mode=transposed&size=8&even=false&kernel=")
    assert " " not in fragment
    assert use(f'parse("demo2", {json.dumps(fragment)})') == ALL


@pytest.mark.parametrize("fragment", ["", "#demo", "#demo2?size=3", "#put-to-the-test", "#rf=3;1"])
def test_an_address_that_speaks_of_something_else_is_left_alone(fragment):
    assert use(f'parse("demo", "{fragment}")') is None


BAD = {
    "mode=both": "mode=both; use dilated or transposed",
    "size=9": "size=9; use a whole number from 1 to 8",
    "size=2.5": "size=2.5; use a whole number from 1 to 8",
    'size="2"': 'size="2"; use a whole number from 1 to 8',
    "size=": "size=; use a whole number from 1 to 8",
    "even=1": "even=1; use true or false",
    "kernel={}": "kernel={}; use a list",
    "speed=3": "there is no setting “speed”",
    "constructor=3": "there is no setting “constructor”",
    "size=3&mode=": "mode=; use dilated or transposed",
}


@pytest.mark.parametrize("query", BAD)
def test_what_cannot_be_shown_is_named(query):
    assert use(f'parse("demo", {json.dumps("#demo?" + query)})') == {"problem": BAD[query]}


def test_some_settings_are_enough():
    assert use('parse("demo", "#demo?size=3")') == {"size": 3}
