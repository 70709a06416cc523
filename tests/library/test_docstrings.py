"""Docstrings say what a reader needs: a summary, an example, each argument, and no filler."""

import inspect
import re

import pytest
from torch import nn

import convbook
from convbook.nn import blocks

MODULES = (
    *(convbook.arithmetic, convbook.functional, convbook.algorithms, convbook.metrics),
    *(convbook.models, convbook.nn, blocks),
)
PUBLIC = {
    f"{module.__name__}.{name}": value
    for module in MODULES
    for name, value in vars(module).items()
    if name in getattr(module, "__all__", [name])
    and (inspect.isfunction(value) or inspect.isclass(value))
    and value.__module__.startswith(module.__name__)
    and not name.startswith("_")
}
del PUBLIC["convbook.algorithms.Cost"]  # a row that `costs` returns, and shows
# What says no more than that a bad argument is refused, or than the annotations do.
FILLER = (
    r"(a|one) (shape or a )?value (is out of range|is not an integer|is missing|does not fit)\.",
    r"something has the wrong type",
    r"is not (an? |one of )?(tensor|integer|int|bool|string)s?\.",
    r"an int or a pair",
    r"numbers only",
    r"Source: chapter \d+",
)


def described(function):
    """Return the names that the docstring describes, itself or by naming a class or function."""
    text = inspect.getdoc(function)
    names = {*re.findall(r"^    (\w+): ", text, re.MULTILINE)}
    for source in re.findall(r"rguments\s+as\s+for\s+`(?:nn\.)?(\w+)`", text):
        reference = getattr(convbook.functional, source, None) or getattr(nn, source)
        names |= {*inspect.signature(reference).parameters}
    return names


@pytest.mark.parametrize("name", PUBLIC)
def test_docstrings_tell_what_matters(name):
    function = PUBLIC[name]
    text = inspect.getdoc(function)
    assert text.partition("\n")[0].endswith("."), "a summary on one line"
    assert text.count("\nExample:\n") == 1
    if not name.startswith("convbook.algorithms.conv2d_"):  # the module says it for all four
        assert {*inspect.signature(function).parameters} <= described(function)


@pytest.mark.parametrize("name", PUBLIC)
def test_docstrings_have_no_filler(name):
    text = inspect.getdoc(PUBLIC[name])
    assert not re.search("|".join(FILLER), text), text


def test_the_search_finds_what_is_public():
    for name in ("arithmetic.Layer", "functional.fold", "metrics.ssim", "nn.icnr_", "models.S7Net"):
        assert f"convbook.{name}" in PUBLIC
    assert len(PUBLIC) > 45
