"""The process in which a student's file runs: `python -m convbook.grade.worker RESULT OPTIONS`.

It writes `{"report": ...}` or `{"error": ...}` to the file RESULT.
"""

import json
import os
import sys
from pathlib import Path


def main(result, options):
    """Grade what the options name and write down what came of it."""
    try:
        answer = {"report": graded(**json.loads(options)).to_dict()}
    except SystemExit:
        hint = 'put what runs the file under `if __name__ == "__main__":`'
        answer = {"error": f"the file ends Python by sys.exit; {hint}"}
    except (ValueError, TypeError, OSError) as error:
        answer = {"error": str(error)}
    except BaseException as error:  # the file may fail in any way
        answer = {"error": f"{type(error).__name__}: {error}"}
    Path(result).write_text(json.dumps(answer), encoding="utf-8")
    os._exit(0)  # threads and exit handlers of the file have no say any more


def graded(model, weights, data, input_size, accuracy=None, profile="s7-2020"):
    """Return the report on a model by its address, measured on data if some are named.

    Raises:
        ValueError: model, weights and data do not go together.
    """
    # In here, because nothing may fail before the try of `main`.
    from convbook.grade.evaluate import Claim, judge  # noqa: PLC0415
    from convbook.loading import load_model, load_weights  # noqa: PLC0415

    claim = Claim.reported(accuracy)
    net = load_model(model, with_weights=bool(weights or data))
    if weights:
        load_weights(net, weights)
    if data:
        claim = _measured(net, weights, data, input_size)
    return judge(net, claim, input_size, profile)


def _measured(net, weights, source, input_size):
    """Return the accuracy on the test split."""
    from convbook.data import load  # noqa: PLC0415
    from convbook.grade.evaluate import Claim  # noqa: PLC0415
    from convbook.train import evaluate  # noqa: PLC0415

    test = load(source).test
    shape = tuple(test.images.shape[1:])
    if shape != tuple(input_size):
        raise ValueError(f"--data={source} has pictures of {shape}, not --input-size {input_size}")
    accuracy = evaluate(net, test)["accuracy"]
    origin = f"weights: {weights}" if weights else "weights as the file makes them; add --weights"
    return Claim(accuracy, f"measured on {len(test):,} test images", f"data: {source}; {origin}")


if __name__ == "__main__":
    main(*sys.argv[1:])
