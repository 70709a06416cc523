"""What nbval leaves open: figures compared by pixels, wobbling numbers within a declared bound."""

import base64
import io
import os

import numpy as np
import pytest
from PIL import Image

from convbook.course.mime_types import PICTURES
from tools import bounds, spread
from tools.execution import NO_GPU

TOLERANCE = 2.0  # root mean square difference, in grey levels of 255


def pytest_configure(config):
    """The kernels that nbval starts see no GPU: they inherit this environment."""
    if config.getoption("nbval", False) or config.getoption("nbval_lax", False):
        os.environ.update(NO_GPU)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """After nbval has run a cell, compare what it does not: pixels, and numbers with a bound."""
    if type(item).__name__ == "IPyNbCell" and PICTURES not in item.parent.skip_compare:
        item.parent.skip_compare += (PICTURES,)  # nbval would want each grey level equal
    result = yield
    if type(item).__name__ == "IPyNbCell":
        if item.options["check"]:
            _compare_figures(item)
        _compare_within_bound(item)
    return result


def _compare_within_bound(item):
    cell, name = item.cell, f"{item.name}, {bounds.cell_name(item.cell)}"
    for flaw in bounds.flaws(cell):
        pytest.fail(f"{name} {flaw}", pytrace=False)
    if bound := cell.metadata.get("convbook"):
        deviation, problem = bounds.compare(cell.outputs, item.test_outputs, bound)
        if "within" in bound and (file := os.environ.get(spread.FILE_VARIABLE)):
            spread.record(file, item.path, cell.id, deviation)
        if problem:
            pytest.fail(f"{name}: {problem}", pytrace=False)


def _compare_figures(item):
    stored, fresh = (list(_pngs(outputs)) for outputs in (item.cell.outputs, item.test_outputs))
    if len(stored) != len(fresh):
        pytest.fail(f"{item.name}: {len(stored)} stored figures, {len(fresh)} drawn")
    for index, pair in enumerate(zip(stored, fresh, strict=True)):
        _compare(f"{item.name}, figure {index}", *pair)


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
