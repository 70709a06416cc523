"""Join an explorer and the modules it imports into one ES module. Standard library only.

Each source is an ES module that names what it takes from which other. But a kernel hands the
browser one string, and a page opened from disk may not import a file. So modules are put one after
the other, each behind those it imports, without `import` and `export`. All names then share one
scope, which is why no two files may declare the same one.
"""

import posixpath
import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/"  # comments
    r"""|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`"""  # texts
    # Regular expressions: where a value may begin, a slash divides nothing.
    r"|(?:[(,=:!&|?;\[{]|\breturn)\s*/(?![/*])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/",
    re.DOTALL,
)
_PART = r"""(?:[^{}"']|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
_EXPRESSION = re.compile(rf"\$\{{((?:{_PART}|\{{{_PART}*\}})*)\}}")  # in a template
_STATEMENT = re.compile(
    r"^(?:import\b[^;]*;?\n*|export\b(?:\s*\{[^}]*\}[^;]*;?\n*| ?))", re.MULTILINE
)
_IMPORT = re.compile(r'import \{([\w$\s,]+)\} from "(\.\.?/[\w./-]+\.js)";\n*')
_EXPORT = re.compile(r"export \{([\w$\s,]+)\};\n*")
_DECLARATION = re.compile(
    r"^(?:export )?(?:async )?(?:function\*?|const|let|var|class)\b ?([\w$]*)", re.MULTILINE
)


@dataclass(frozen=True)
class Module:
    """A file: `imports` and `declared` say where, `body` has neither import nor export."""

    name: str
    imports: tuple  # of (name of the file, names, where)
    declared: dict  # name -> where
    exported: frozenset
    body: str
    entry: str  # the body with what it exports


def code_of(text, file="module"):
    """Return `text` with comments and texts blanked, of the same length; code in templates stays.

    Raises ValueError for a template within a template, which neither this nor a minifier can read.

    >>> code_of('f("import", `${x} px`); // export')
    'f(        ,    x     );          '
    """

    def blank(match):
        found = match[0]
        kept = re.sub(r"[^\n]", " ", found)
        if found[0] != "`":
            return kept
        if "${" in _EXPRESSION.sub("", found):
            where = f"{file}:{_line(text, match.start())}"
            raise ValueError(f"{where}: a template within a template; name the inner one first")
        for part in _EXPRESSION.finditer(found):
            kept = kept[: part.start(1)] + code_of(part[1], file) + kept[part.end(1) :]
        return kept

    return TOKEN.sub(blank, text)


def read_module(folder, name):
    """Read the file `name` of a folder; ValueError names file and line of what cannot be joined."""
    text = (folder / name).read_text(encoding="utf-8")
    code = code_of(text, name)
    imports, exported, listed, declared, cut, cut_too = [], set(), {}, {}, [], []
    for match in _STATEMENT.finditer(code):
        where, statement = f"{name}:{_line(text, match.start())}", text[slice(*match.span())]
        if statement.startswith("import"):
            found = _IMPORT.fullmatch(statement)
            if not found or "as" in _names(found[1]):
                raise ValueError(f'{where}: write import {{ names }} from "./file.js";')
            file = posixpath.normpath(posixpath.join(posixpath.dirname(name), found[2]))
            imports.append((file, _names(found[1]), where))
            cut.append(match.span())
        elif found := _EXPORT.fullmatch(statement):
            listed.update(dict.fromkeys(_names(found[1]), where))
            cut_too.append(match.span())
        elif _DECLARATION.match(code, match.start()):
            cut_too.append(match.span())
        elif code.startswith("default ", match.end()):
            exported.add("default")
        else:
            raise ValueError(f"{where}: write export before a declaration, or export {{ names }};")
    for match in _DECLARATION.finditer(code):
        where = f"{name}:{_line(text, match.start())}"
        if not match[1]:
            raise ValueError(f"{where}: declare one name at a time at the top of a module")
        declared[match[1]] = where
        if match[0].startswith("export"):
            exported.add(match[1])
    known = {*declared, *(one for _, names, _ in imports for one in names)}
    for one, where in listed.items():
        if one not in known:
            raise ValueError(f"{where}: {one} is neither declared nor imported here")
    exported.update(listed)
    body, entry = _without(text, [*cut, *cut_too]), _without(text, cut)
    return Module(name, tuple(imports), declared, frozenset(exported), body, entry)


def modules_of(folder, name):
    """Return the module `name` and all that it needs, each behind those it imports.

    Raises ValueError for a cycle, a file or an export that is missing, and a name declared twice.
    """
    done, declared = {}, {}

    def visit(file, path, where):
        if file in path:
            raise ValueError(f"{where}: {' imports '.join([*path[path.index(file) :], file])}")
        if file in done:
            return
        if not (folder / file).is_file():
            raise ValueError(f"{where}: there is no {file}")
        module = read_module(folder, file)
        for other, names, line in module.imports:
            visit(other, [*path, file], line)
            if "default" in done[other].exported:
                raise ValueError(f"{line}: {other} is an explorer, which no other module imports")
            if missing := sorted(set(names) - done[other].exported):
                raise ValueError(f"{line}: {other} does not export {', '.join(missing)}")
        for one, line in module.declared.items():
            if declared.setdefault(one, line) != line:
                raise ValueError(f"{line}: {one} is declared in {declared[one]} too; rename one")
        done[file] = module

    visit(name, [], name)
    return [*done.values()]


def join(modules):
    """Return modules one after the other as one text; the last keeps what it exports."""
    return "\n".join([*(module.body for module in modules[:-1]), modules[-1].entry])


def _line(text, position):
    return text.count("\n", 0, position) + 1


def _names(text):
    return tuple(name for name in re.split(r"[\s,]+", text) if name)


def _without(text, spans):
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + text[end:]
    return text.strip() + "\n"
