"""The linker: order, what it refuses, what it leaves alone; and the modules it joins."""

import re

import pytest

from convbook.course.explorers import linker, sources


@pytest.fixture
def link(tmp_path):
    """Write modules, given as name -> text, and join `main.js` with what it imports."""

    def write_and_join(**texts):
        for name, text in texts.items():
            file = tmp_path / f"{name.replace('__', '/')}.js"
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return linker.join(linker.modules_of(tmp_path, "main.js"))

    return write_and_join


def test_a_module_stands_behind_those_it_imports_and_once(link):
    text = link(
        main='import { b } from "./b.js";\nimport { c } from "./lib/c.js";\n\nb(c);\n',
        b='import {\n  c, d,\n} from "./lib/c.js";\n\nexport function b() {\n  return c + d;\n}\n',
        lib__c='import { a } from "../a.js";\n\nexport const c = a;\nexport let d = 2;\n',
        a="export const a = 1;\n",
    )
    assert text == (
        "const a = 1;\n\nconst c = a;\nlet d = 2;\n\nfunction b() {\n  return c + d;\n}\n\nb(c);\n"
    )


def test_only_the_explorer_keeps_its_exports(link):
    text = link(
        main=(
            'import { a, b } from "./a.js";\n\nexport const c = a;\n'
            "export async function d() {}\n\nexport {\n  a,\n  b,\n};\nexport default { c };\n"
        ),
        a="const a = 1;\nexport class b {}\n\nexport { a };\n",
    )
    assert text == (
        "const a = 1;\nclass b {}\n\nexport const c = a;\nexport async function d() {}\n\n"
        "export {\n  a,\n  b,\n};\nexport default { c };\n"
    )


def test_the_words_survive_in_texts_comments_and_names(link):
    body = (
        "// import { x } from nowhere; it's so\n"
        "/*\nexport const y = 1;\nimport z\n*/\n"
        'const code = "import torch";\n'
        "const lines = `\nimport torch\n\n\n\nexport ${code} const code = 2\n`;\n"
        "const quotes = text.match(/[\"'`]/);\n"
        "const half = (one) / 2; // not a pattern: it's a half\n"
        "const importance = { export: `a`, import: 'b' };\n"
        "render(importance);\n"
    )
    assert link(main=body) == body


def test_code_in_a_template_is_code():
    code = linker.code_of('`a ${b("}")} ${{ c: 1 }.c}` + "d" // e')
    assert code.split() == ["b(", ")", "{", "c:", "1", "}.c", "+"]


A = "export const a = 1;\n"
REFUSED = {
    "all of a module": (
        {"main": '\nimport * as a from "./a.js";\n', "a": A},
        r"^main\.js:2: write import \{ names \}",
    ),
    "a default": ({"main": 'import a from "./a.js";\n', "a": A}, "^main.js:1: write import"),
    "a second name": (
        {"main": 'import { a as b } from "./a.js";\n', "a": A},
        "^main.js:1: write import",
    ),
    "what comes from elsewhere": (
        {"main": 'import { a } from "https://elsewhere.test/a.js";\n'},
        "^main.js:1: write import",
    ),
    "a module for its effects": (
        {"main": 'import "./a.js";\n', "a": A},
        "^main.js:1: write import",
    ),
    "a missing file": (
        {"main": '// head\n\nimport { a } from "./b.js";\n'},
        r"^main\.js:3: there is no b\.js",
    ),
    "a missing export": (
        {"main": 'import { a, b, c } from "./a.js";\n', "a": f"{A}const b = 2;\n"},
        r"^main\.js:1: a\.js does not export b, c$",
    ),
    "an explorer": (
        {"main": 'import { a } from "./a.js";\n', "a": f"{A}export default {{ a }};\n"},
        r"^main\.js:1: a\.js is an explorer",
    ),
    "an export of nothing": (
        {"main": "const a = 1;\nexport { a, b };\n"},
        r"^main\.js:2: b is neither declared nor imported",
    ),
    "a renamed export": (
        {"main": "const a = 1;\nexport { a as b };\n"},
        r"^main\.js:2: \w+ is neither declared nor imported",
    ),
    "an export from elsewhere": (
        {"main": 'export { a } from "./a.js";\n', "a": A},
        r"^main\.js:1: write export before a declaration",
    ),
    "an export of all": (
        {"main": 'export * from "./a.js";\n', "a": A},
        r"^main\.js:1: write export before a declaration",
    ),
    "a clash": (
        {
            "main": 'import { a } from "./a.js";\nimport { b } from "./b.js";\n',
            "a": f"{A}const hidden = 1;\n",
            "b": "\nfunction hidden() {}\nexport const b = 2;\n",
        },
        r"^b\.js:2: hidden is declared in a\.js:2 too",
    ),
    "an import that is declared again": (
        {"main": 'import { a } from "./a.js";\nconst a = 2;\n', "a": A},
        r"^main\.js:2: a is declared in a\.js:1 too",
    ),
    "a cycle": (
        {
            "main": 'import { a } from "./a.js";\n',
            "a": '\nimport { b } from "./b.js";\nexport const a = 1;\n',
            "b": 'import { a } from "./a.js";\nexport const b = 1;\n',
        },
        r"^b\.js:1: a\.js imports b\.js imports a\.js$",
    ),
    "many names in one declaration": (
        {"main": "const [a, b] = [1, 2];\n"},
        r"^main\.js:1: declare one name at a time",
    ),
    "a template within a template": (
        {"main": "// head\nconst a = `b ${c && ` d${e}`}`;\n"},
        r"^main\.js:2: a template within a template",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_refuses(link, what):
    texts, message = REFUSED[what]
    with pytest.raises(ValueError, match=message):
        link(**texts)


# ------------------------------------------------------------------ the explorers' own modules

FILES = sorted(path.relative_to(sources.FOLDER).as_posix() for path in sources.FOLDER.rglob("*.js"))
CODE = {name: linker.code_of((sources.FOLDER / name).read_text("utf8")) for name in FILES}
MODULES = {
    module.name: module for name in sources.names() for module in sources.modules(name)
}  # fmt: skip


def test_every_module_is_part_of_an_explorer():
    assert sorted(MODULES) == FILES


def test_shared_modules_import_shared_ones_only():
    shared = [module for module in MODULES.values() if module.name.startswith("lib/")]
    assert all(file.startswith("lib/") for module in shared for file, _, _ in module.imports)


def test_parts_belong_to_one_explorer():
    for name in sources.names():
        parts = [m.name for m in sources.modules(name) if m.name.startswith("parts/")]
        assert all(part.startswith(f"parts/{name}_") for part in parts)


@pytest.mark.parametrize("name", FILES)
def test_a_module_is_short(name):
    assert len(CODE[name].splitlines()) <= (250 if name.startswith("lib/") else 400)


def test_an_explorer_is_the_same_text_each_time():
    for name in sources.names():
        first = sources.module_source(name)
        sources.modules.cache_clear()
        again = sources.module_source(name)
        assert first == again
        assert not re.search(r"^import\b", linker.code_of(again), re.MULTILINE)
        assert again.count("export default") == 1
