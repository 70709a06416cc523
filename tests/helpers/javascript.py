"""Call an explorer's JavaScript without a browser: Node, which comes as a wheel, runs it."""

import atexit
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

from convbook.course.explorers.sources import FOLDER

NODE = Path(sys.executable).with_name("node")
BATCH = 50  # calls on their way at once: they and their answers have to fit into a pipe

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

    def each(self, name, calls):
        """Call a function once for each list of arguments, without waiting in between."""
        answers = []
        for start in range(0, len(calls), BATCH):
            batch = calls[start : start + BATCH]
            self._send(*((name, args) for args in batch))
            answers += [self._answer(name) for _ in batch]
        return answers

    def _send(self, *lines):
        self._process.stdin.write("".join(json.dumps(line) + "\n" for line in lines))
        self._process.stdin.flush()

    def _answer(self, name):
        line = self._process.stdout.readline()
        assert line, f"{name}: Node stopped"
        fine, answer = json.loads(line)
        assert fine, f"{name}: {answer}"
        return answer

    def __getattr__(self, name):
        def call(*args):
            self._send((name, args))
            return self._answer(name)

        return call


@cache
def module(name):
    """One process for each module, kept until the tests end."""
    return Module(name)
