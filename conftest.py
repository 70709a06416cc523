"""What nbval leaves open: figures compared by pixels, wobbling numbers within a declared bound."""

import os

import pytest

from convbook.course.mime_types import PICTURES
from tools import bounds, pictures, spread
from tools.execution import NO_GPU


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
    if problem := pictures.compare(item.cell.outputs, item.test_outputs):
        pytest.fail(f"{item.name}: {problem}")
