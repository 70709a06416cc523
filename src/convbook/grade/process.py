"""Grade a file in a process of its own, which may take so long, print so much, and no more."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from convbook.grade.profile import DEFAULT
from convbook.grade.report import Report

OUTPUT_LIMIT = 10_000_000  # bytes that a file may print
TAIL = 2000  # bytes of them that are kept, for the last line


def grade_file(
    model,
    weights=None,
    data=None,
    input_size=(3, 32, 32),
    time_limit=60,
    accuracy=None,
    profile=DEFAULT,
):
    """Return the report on the model that an address such as `my.py:Net` names.

    Raises:
        ValueError: the file fails, ends or floods its process, or takes too long; or model, weights
            and data do not go together.
    """
    options = {
        "model": model,
        "weights": weights,
        "data": data,
        "input_size": input_size,
        "accuracy": accuracy,
        "profile": profile,
    }
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        # -P: a random.py beside the student's file must not replace Python's own in this process.
        worker = [sys.executable, "-P", "-m", "convbook.grade.worker"]
        process = subprocess.Popen(
            [*worker, str(result), json.dumps(options)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        output = _Output(process)
        try:
            process.wait(time_limit)
        except subprocess.TimeoutExpired as error:
            raise ValueError(
                f"{model} was not graded within {time_limit:g} s; does it loop for ever? "
                f"Allow more by --time-limit {10 * time_limit:g}"
            ) from error
        finally:
            _kill(process)
            output.close()
        answer = _answer(result)
    if answer is None:
        raise ValueError(f"{model} {output.reason(process.returncode)}")
    if "error" in answer:
        raise ValueError(answer["error"])
    return Report.from_dict(answer["report"])


class _Output:
    """Reads what a process prints, so that it never waits, and keeps the end."""

    def __init__(self, process):
        self.process = process
        self.count, self.tail = 0, b""
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while chunk := self.process.stdout.read1(65536):
            self.count += len(chunk)
            self.tail = (self.tail + chunk)[-TAIL:]
            if self.count > OUTPUT_LIMIT:
                _kill(self.process)
                return

    def close(self):
        """Stop reading; a process that the file has started may hold the other end open."""
        self.thread.join(timeout=1)
        if not self.thread.is_alive():
            self.process.stdout.close()

    def reason(self, status):
        """Return why there is no result."""
        if self.count > OUTPUT_LIMIT:
            return f"prints more than {OUTPUT_LIMIT // 10**6} MB; take the print out of its loop"
        how = f"exit status {status}" if status >= 0 else f"signal {signal.Signals(-status).name}"
        lines = self.tail.decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "nothing")
        return f"ended its process before it was graded ({how}); it printed last: {last[:200]}"


def _kill(process):
    """End a process and, where the system has sessions, all that it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _answer(result):
    """Return what the process has written down, or None."""
    with contextlib.suppress(OSError, ValueError):
        return json.loads(result.read_text(encoding="utf-8"))
    return None
