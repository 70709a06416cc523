"""The process in which a student's file runs: `python -m convbook.grade.worker RESULT OPTIONS`.

It writes `{"report": ...}` or `{"error": ...}` to the file RESULT.
"""

import json
import os
import sys
from pathlib import Path


def main(result: str, options: str) -> None:
    """Grade what the options name, write down what came of it, and end."""
    try:
        from convbook.grade.evaluate import grade_address  # noqa: PLC0415 (in here it may fail)

        answer: dict[str, object] = {"report": grade_address(**json.loads(options)).to_dict()}
    except SystemExit:
        hint = 'put what runs the file under `if __name__ == "__main__":`'
        answer = {"error": f"the file ends Python by sys.exit; {hint}"}
    except (ValueError, TypeError, OSError) as error:
        answer = {"error": str(error)}
    except BaseException as error:  # the file may fail in any way
        answer = {"error": f"{type(error).__name__}: {error}"}
    Path(result).write_text(json.dumps(answer), encoding="utf-8")
    os._exit(0)  # threads and exit handlers of the file have no say any more


if __name__ == "__main__":
    main(*sys.argv[1:])
