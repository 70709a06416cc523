"""Call an explorer's JavaScript without a browser: Node, which comes as a wheel, runs it."""

import atexit
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

from convbook.course.explorers.sources import FOLDER

NODE = Path(sys.executable).with_name("node")

# Answers one line of JSON, [name, arguments], with another: [true, result] or [false, message].
SERVER = """
const module = await import(process.argv[1]);
const { createInterface } = await import("node:readline");
for await (const line of createInterface({ input: process.stdin })) {
  const [name, args] = JSON.parse(line);
  let answer;
  try {
    const found = module[name];
    answer = [true, (typeof found === "function" ? found(...args) : found) ?? null];
  } catch (error) {
    answer = [false, String(error)];
  }
  console.log(JSON.stringify(answer));
}
"""


class Module:
    """The functions that a module exports, by name: `Module("lib/format.js").formatNumber(1.5)`.

    So is a constant: `Module("lib/format.js").LARGEST()`. Arguments and results travel as JSON; a
    map or a set does not.
    """

    def __init__(self, name):
        command = [NODE, "--input-type=module", "--eval", SERVER, (FOLDER / name).as_uri()]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, text=True, encoding="utf-8", **pipes)
        atexit.register(self._process.kill)

    def __getattr__(self, name):
        def call(*args):
            self._process.stdin.write(json.dumps([name, args]) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
            assert line, f"{name}: Node stopped"
            fine, answer = json.loads(line)
            assert fine, f"{name}: {answer}"
            return answer

        return call


@cache
def module(name):
    """One process for each module, kept until the tests end."""
    return Module(name)
