"""The front-end files: their colours, what they ask for, and what reads them."""

import re
import subprocess
import sys

import pytest

from convbook.course import colours
from convbook.course.explorers.sources import module_source, names, style_source


def test_style_sheet_has_the_books_colours():
    css = style_source()
    for name in ("input", "kernel", "output", "padding", "dropped", "positive", "negative"):
        value = re.search(rf"--cb-{name}: (#\w+);", css).group(1)
        assert value.upper() == getattr(colours, name.upper()).upper()
    assert re.findall(r"--cb-weight-\d: (#\w+);", css) == list(colours.WEIGHTS)
    assert re.findall(r"--cb-negative: (#\w+);", css)[1] == colours.DARK[colours.NEGATIVE]


def test_every_rule_is_scoped():
    css = re.sub(r"/\*.*?\*/", "", style_source(), flags=re.DOTALL)
    scopes = []  # for each open brace, whether what it holds is inside an explorer
    for head, brace in re.findall(r"([^{};]*)([{};])", css):
        if brace == "{":
            rule = head.strip().startswith("@")
            parts = re.split(r",(?![^(]*\))", head)
            inside = (bool(scopes) and scopes[-1]) or all(".convbook-root" in p for p in parts)
            assert inside or rule, head
            scopes.append(inside)
        elif brace == "}":
            scopes.pop()
    assert scopes == []


def test_sources_ask_nobody_else():
    for source in [style_source(), *map(module_source, names())]:
        text = source.replace('"http://www.w3.org/2000/svg"', "")  # a name, which nothing asks for
        assert not re.search(r"https?:|//cdn|@import|^import |innerHTML", text, flags=re.MULTILINE)


def test_unknown_front_end_is_named():
    with pytest.raises(ValueError, match=r"name=.nothing.*conv_stepper"):
        module_source("nothing")


def test_front_ends_are_read_without_anywidget_or_torch():
    code = (
        "import sys; sys.modules.update(anywidget=None, ipywidgets=None, torch=None, numpy=None);"
        "from convbook.course.explorers.sources import module_source, names, style_source;"
        "[module_source(name) for name in names()]; style_source();"
        "from convbook.course.quizzes import load, read"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_explorers_compute_without_torch():
    code = (
        "import sys; sys.modules.update(torch=None, numpy=None, matplotlib=None);"
        "from convbook.course import explorers;"
        "names = set(explorers.__all__) - {'AssignmentBench', 'Quiz'};"  # it builds a network
        "[getattr(explorers, name)()._repr_mimebundle_() for name in names]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
