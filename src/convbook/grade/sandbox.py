"""Grade a file in a process of its own, which may take so long, print so much, and no more."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from convbook.grade.report import Report

OUTPUT_LIMIT = 10_000_000  # bytes that a file may print


def grade_file(model: str, time_limit: float, **options: Any) -> Report:
    """Return the report on the model that an address such as `my.py:Net` names.

    Args:
        model: the address.
        time_limit: in seconds.
        options: what else `convbook.grade.evaluate.grade_address` takes.

    Raises:
        ValueError: the file fails, ends or floods its process, or takes too long; or model, weights
            and data do not go together.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        result, output = Path(folder, "result.json"), Path(folder, "output.txt")
        arguments = [str(result), json.dumps({"model": model, **options})]
        with output.open("wb") as file:
            process = subprocess.Popen(
                # -P: a random.py beside the student's file must not replace Python's own there.
                [sys.executable, "-P", "-m", "convbook.grade.worker", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            reason = _wait(process, output, time_limit)
        finally:
            _kill(process)
        try:
            answer = json.loads(result.read_text("utf-8"))
        except (OSError, ValueError):  # it is not there, or not whole
            answer = {"error": f"{model} {reason}"}
    if "error" in answer:
        raise ValueError(answer["error"])
    return Report.from_dict(answer["report"])


def _wait(process: subprocess.Popen[bytes], output: Path, time_limit: float) -> str:
    """Wait until a process ends or has had enough; return why, should there be no result."""
    give_up = time.monotonic() + time_limit
    while (status := process.poll()) is None:
        if output.stat().st_size > OUTPUT_LIMIT:
            return f"prints more than {OUTPUT_LIMIT // 10**6} MB; take the print out of its loop"
        if time.monotonic() > give_up:
            advice = f"Allow more by --time-limit {10 * time_limit:g}"
            return f"was not graded within {time_limit:g} s; does it loop for ever? {advice}"
        time.sleep(0.05)
    how = f"exit status {status}" if status >= 0 else f"signal {signal.Signals(-status).name}"
    lines = [line.strip() for line in output.read_text("utf-8", "replace").split("\n")]
    last = next(filter(None, reversed(lines)), "nothing")
    return f"ended its process before it was graded ({how}); it printed last: {last[:200]}"


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and, where the system has sessions, all that it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
