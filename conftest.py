"""Compare re-executed figures with the stored ones: nbval itself never looks at a PNG."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from convbook.course.mime_types import PICTURES

TOLERANCE = 2.0  # root mean square difference, in grey levels of 255


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """After nbval has run and compared a cell, compare its photographs and plots too."""
    if type(item).__name__ == "IPyNbCell" and PICTURES not in item.parent.skip_compare:
        item.parent.skip_compare += (PICTURES,)  # nbval would want each grey level equal
    result = yield
    if type(item).__name__ == "IPyNbCell" and item.options["check"]:
        stored, fresh = (list(_pngs(outputs)) for outputs in (item.cell.outputs, item.test_outputs))
        if len(stored) != len(fresh):
            pytest.fail(f"{item.name}: {len(stored)} stored figures, {len(fresh)} drawn")
        for index, pair in enumerate(zip(stored, fresh, strict=True)):
            _compare(f"{item.name}, figure {index}", *pair)
    return result


def _pngs(outputs):
    for output in outputs or []:
        data = output.get("data", {})
        if png := data.get("image/png"):
            yield base64.b64decode(png)
        for row in data.get(PICTURES, {}).get("rows", []):
            for picture in row["pictures"]:
                yield base64.b64decode(picture["png"])


def _compare(name, stored, fresh):
    if stored == fresh:
        return
    old, new = (
        np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), float) for png in (stored, fresh)
    )
    if old.shape != new.shape:
        pytest.fail(f"{name}: stored with shape {old.shape}, drawn with shape {new.shape}")
    difference = float(np.sqrt(np.mean((old - new) ** 2)))
    if difference > TOLERANCE:
        pytest.fail(f"{name}: differs from the stored figure by {difference:.1f} grey levels RMS")
