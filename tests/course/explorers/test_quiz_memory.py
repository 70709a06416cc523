"""What the book remembers of its reader, in Node."""

import json
import subprocess

import pytest

from convbook.course.explorers.sources import FOLDER
from tests.helpers.javascript import NODE

# Calls functions with a storage that holds a text; answers with what they return and what it holds.
RUN = """
const [address, text, works, calls] = JSON.parse(process.argv[1]);
const items = new Map(text === null ? [] : [["convbook.v1", text]]);
const refuse = () => { throw new Error("no storage"); };
globalThis.localStorage = works ? {
  getItem: (key) => items.get(key) ?? null,
  setItem: (key, value) => items.set(key, value),
} : { getItem: refuse, setItem: refuse };
const memory = await import(address);
const results = calls.map(([name, ...args]) => memory[name](...args) ?? null);
console.log(JSON.stringify([results, Object.fromEntries(items)]));
"""


def run(*calls, text=None, works=True):
    given = json.dumps([(FOLDER / "lib" / "memory.js").as_uri(), text, works, calls])
    command = [NODE, "--input-type=module", "--eval", RUN, given]
    results, items = json.loads(subprocess.run(command, stdout=-1, check=True, text=True).stdout)
    return results, json.loads(items.get("convbook.v1", "null"))


ENTRY = {"tries": 2, "right": True, "at": 1795828744526, "chose": "4f8782"}


def test_what_is_remembered_comes_back():
    asked = ("remembered", "quiz", "03_shapes/opening-question")
    kept = ("remember", *asked[1:], ENTRY)
    (before, _, after, other), stored = run(asked, kept, asked, ("remembered", "quiz", "toString"))
    assert (before, after, other) == (None, ENTRY, None)
    assert stored == {"quiz": {asked[2]: ENTRY}, "read": {}, "choice": {}}


@pytest.mark.parametrize("text", ["{", "null", "3", "[]", '{"quiz": [1], "choice": null, "x": 1}'])
def test_what_is_broken_or_foreign_is_replaced(text):
    asked = ("remembered", "choice", "cost")
    (before, _), stored = run(asked, ("remember", "choice", "cost", "#cost?a=1"), text=text)
    assert before is None
    assert stored == {"quiz": {}, "read": {}, "choice": {"cost": "#cost?a=1"}}


def test_without_storage_nothing_is_remembered():
    assert run(("remember", "quiz", "a", ENTRY), ("remembered", "quiz", "a"), works=False) == (
        [None, None],
        None,
    )


def test_it_stays_below_8_kb_and_the_oldest_goes():
    names = [f"{n:02d}_chapter/question-{n}" for n in range(120)]
    calls = [("remember", "quiz", name, ENTRY) for name in [*names[:60], names[0], *names[60:]]]
    _, stored = run(("remember", "choice", "cost", "#cost?a=1"), *calls)
    kept = list(stored["quiz"])
    assert kept[-1] == names[-1]
    assert 60 < len(kept) < 120
    assert kept == [name for name in [*names[1:60], names[0], *names[60:]] if name in kept]
    assert stored["choice"] == {"cost": "#cost?a=1"}
    assert len(json.dumps(stored, separators=(",", ":"))) <= 8 * 1024
