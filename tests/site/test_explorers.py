"""The explorers' files on the site: minified, complete, and no more than a page needs."""

import gzip
import json
import re
from types import SimpleNamespace

import pytest

from convbook.course.explorers import linker, sources
from convbook.course.site import explorers

LARGEST_QUIZ = 8 * 1024  # bytes, compressed


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of files of a site with every explorer, one a page, a quiz on the first."""
    folder = tmp_path_factory.mktemp("site")
    pages = {
        name: {"js_files": {f"{explorers.ASSET_KEY}{file}": [] for file in files(name)}}
        for name in sources.names()
    }
    app = SimpleNamespace(
        outdir=folder,
        builder=SimpleNamespace(format="html"),
        env=SimpleNamespace(nb_metadata=pages),
    )
    explorers.write_assets(app, None)
    return folder / "_static" / "explorers"


def files(name):
    """The site's files that a page with this explorer loads, without their endings."""
    calls = []
    cell = {
        "data": {
            explorers.EXPLORER: (content := {"explorer": name}),
            "text/html": "<p>Without JavaScript</p>",
        }
    }
    client = SimpleNamespace(code_cell_outputs=lambda index: (None, [cell]))
    renderer = SimpleNamespace(
        add_js_file=lambda key, path, options: calls.append(path),
        renderer=SimpleNamespace(nb_client=client),
    )
    data = SimpleNamespace(mime_type=explorers.EXPLORER, content=content, cell_index=0)
    explorers.ExplorerRenderer.handle_mime(renderer, data, inline=False)
    return [path.removeprefix("explorers/").removesuffix(".js") for path in calls]


def registered(site, name):
    """What the scripts of a page with this explorer tell the host: name -> needs and text."""
    modules = {}
    for file in set(files(name)) - {"host"}:
        text = (site / f"{file}.js").read_text("utf8")
        modules |= json.loads(re.fullmatch(r"Object\.assign\(.*?\), (\{.*\})\);\n", text)[1])
    return modules


def texts(source):
    """Every text in JavaScript, in order."""
    return [token for token in linker.TOKEN.findall(source) if token[0] in "\"'`"]


@pytest.mark.parametrize("name", sources.names())
def test_what_the_host_joins_is_the_explorer_with_every_text_in_it(site, name):
    modules = registered(site, name)
    joined = [modules[one]["text"] for one in modules[name]["needs"]]
    joined.append(modules[name]["text"])
    expected = sources.module_source(name)
    assert texts("\n".join(joined)) == texts(expected)
    assert len("\n".join(joined)) < 0.9 * len(expected)


def test_several_explorers_share_their_modules(site):
    for name in sources.names():
        own = json.dumps([linker.code_of(registered(site, name)[name]["text"])])
        assert "function h(" not in own
        assert "function keepKeys(" not in own


def test_a_page_with_a_quiz_alone_loads_little(site):
    assert files("quiz") == ["host", "base", "quiz"]
    loaded = [path for file in files("quiz") for path in site.glob(f"{file}.*")]
    assert len(loaded) == 5
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in loaded}
    assert sum(sizes.values()) <= LARGEST_QUIZ, sizes


def test_every_style_reaches_the_site(site):
    rules = sorted(re.findall(r"\.cb-[\w-]+", sources.style_source()))
    written = "".join(path.read_text("utf8") for path in site.glob("*.css"))
    assert sorted(re.findall(r"\.cb-[\w-]+", written)) == rules


def selectors(style):
    """Every selector of a style sheet, each behind those that it is nested in."""
    outer = [""]
    for head, brace in re.findall(r"([^{};]*)([{};])", re.sub(r"(?s)/\*.*?\*/", "", style)):
        if brace == "{":
            yield from (f"{outer[-1]} {part}" for part in re.split(r",(?![^(]*\))", head))
            outer.append(f"{outer[-1]} {head}")
        elif brace == "}":
            outer.pop()


@pytest.mark.parametrize("name", sources.names())
def test_an_explorer_needs_no_style_of_another(name):
    """What another explorer's sheet says is about that one: no rule of it fits this one."""
    code = sources.module_source(name) + (sources.FOLDER / f"{name}.py").read_text("utf8")
    used = set(re.findall(r"(?:cb|data)-[\w-]+", code))
    used |= {f"data-{word}" for word in re.findall(r"dataset\.(\w+)", code)}
    foreign = [p for p in sources.style_files() if p.parent.name != "lib" and p.stem != name]
    for selector in selectors(sources.style_source(foreign)):
        words = set(re.findall(r"[.[]((?:cb|data)-[\w-]+)", selector))
        assert not words or words - used, selector


def test_pages_without_explorers_get_no_style(site):
    added = []
    app = SimpleNamespace(env=SimpleNamespace(nb_metadata={}), add_css_file=added.append)
    explorers.add_style(app, "index", "page.html", {}, None)
    assert added == []
    pages = {"quiz": {"js_files": {f"{explorers.ASSET_KEY}{file}": [] for file in files("quiz")}}}
    app.env.nb_metadata = pages
    explorers.add_style(app, "quiz", "page.html", {}, None)
    assert added == ["explorers/base.css", "explorers/quiz.css"]
