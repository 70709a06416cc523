"""The package and its environment: cheap imports, files that must agree with one another."""

import ast
import doctest
import importlib
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import convbook
from tools import notebooks, serve

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]


def run(code):
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("module", ["convbook", "convbook.arithmetic", "convbook.course.quizzes"])
def test_cheap_imports_leave_torch_and_numpy_alone(module):
    assert run(f"import sys, {module}; print('torch' in sys.modules, 'numpy' in sys.modules)") == (
        "False False\n"
    )


def test_submodules_load_when_first_used():
    code = "import convbook; print(convbook.functional.conv2d.__name__, convbook.__version__)"
    assert run(code) == f"conv2d {PROJECT['version']}\n"


def test_the_site_builds_without_the_libraries_it_does_not_install():
    blocked = ["torch", "numpy", "matplotlib", "scipy", "anywidget", "ipywidgets", "nbclient"]
    code = f"import sys\nfor name in {blocked!r}: sys.modules[name] = None\n"
    code += (
        "import convbook.course.site.extension, convbook.course.explorers.sources, "
        "tools.address, tools.notebooks"
    )
    run(code)


def lint_imports(folder):
    """Check the contracts of pyproject.toml on the package in a folder; return what was said."""
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports("
    code += f"config_filename={str(ROOT / 'pyproject.toml')!r}, no_cache=True, no_logo=True))"
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    source = ROOT / "src" / "convbook"
    folder = tmp_path_factory.mktemp("copied")
    for path in source.rglob("*.py"):
        target = folder / "convbook" / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return folder


def test_the_import_contracts_hold():
    done = lint_imports(ROOT / "src")
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    ("importer", "imported", "contract"),
    [
        ("metrics", "course.figures", "Arrows between the rooms point one way"),
        ("grade/graph", "analysis.rules", "Other rooms use analysis by its exported names"),
        ("cli/trace", "analysis._copies", "Other rooms use analysis by its exported names"),
    ],
)
def test_an_import_that_crosses_the_rooms_is_refused(copied, importer, imported, contract):
    file = copied / "convbook" / f"{importer}.py"
    before = file.read_text("utf8")
    # Inside a function, as where a module loads when it is needed: that counts too.
    file.write_text(f"{before}\n\ndef planted():\n    import convbook.{imported}\n", "utf8")
    try:
        done = lint_imports(copied)
    finally:
        file.write_text(before, "utf8")
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{contract} BROKEN" in done.stdout
    assert "1 broken" in done.stdout
    assert f"convbook.{importer.replace('/', '.')}" in done.stdout


def pins(name):
    """Return package -> version of the pinned lines of a requirements file."""
    text = (ROOT / name).read_text("utf8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", text, re.MULTILINE))


def bare(requirements):
    return {re.split(r"[<>=!~\[ ;]", requirement)[0] for requirement in requirements}


def test_requirements_pin_what_pyproject_asks_for():
    extras = PROJECT["optional-dependencies"]
    assert bare(extras["site"]) == set(pins("requirements-site.txt"))
    everything = pins("requirements.txt") | pins("requirements-site.txt")
    assert set(everything) == bare(
        PROJECT["dependencies"] + extras["course"] + extras["site"] + extras["test"]
    )


def test_pins_agree():
    frozen = {key.lower(): version for key, version in pins("constraints.txt").items()}
    for name in ("requirements.txt", "requirements-site.txt", "binder/requirements.txt"):
        for package, version in pins(name).items():
            assert version.removesuffix("+cpu") == frozen[package.lower()], (name, package)


def test_binder_has_what_the_package_needs():
    needed = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["course"]
    assert bare(needed) <= set(pins("binder/requirements.txt"))
    version = (ROOT / "binder" / "runtime.txt").read_text().strip().removeprefix("python-")
    assert f"Programming Language :: Python :: {version}" in PROJECT["classifiers"]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_lead_to_files(name):
    text = (ROOT / name).read_text("utf8")
    targets = [t for t in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in t]
    assert [t for t in targets if not (ROOT / t).exists()] == []


def all_modules():
    names = (module.name for module in pkgutil.walk_packages(convbook.__path__, "convbook."))
    tools = ("address", "bounds", "hygiene", "notebooks", "scaffold", "spread")
    return [*names, *(f"tools.{name}" for name in tools)]


@pytest.mark.parametrize("name", all_modules())
def test_examples_in_docstrings_run(name):
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_direct_imports_are_declared():
    """What a file imports must not depend on another package happening to bring it along."""
    distributions = packages_distributions()
    declared = {name.lower() for name in bare(PROJECT["dependencies"])}
    for extra in PROJECT["optional-dependencies"].values():
        declared |= {name.lower() for name in bare(extra)}
    # jupyter-book 1.x is built on the others.
    site = {"docutils", "jupyter-book", "myst-nb", "sphinx"}
    helpers = {
        p.stem for folder in ("tests/helpers", "benchmarks") for p in ROOT.glob(f"{folder}/*.py")
    }
    known = {"convbook", "tests", "tools", "benchmarks", *helpers, *sys.stdlib_module_names}
    folders = ("src", "tests", "tools", "benchmarks")
    for path in [path for folder in folders for path in ROOT.glob(f"{folder}/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module]
            for name in {name.split(".")[0] for name in names} - known:
                providers = {d.lower() for d in distributions[name]}
                assert providers & (declared | site), f"{path.relative_to(ROOT)} imports {name}"


def test_serve_writes_a_sphinx_configuration(tmp_path, monkeypatch):
    monkeypatch.setattr(serve, "CONFIG", tmp_path)
    serve.write_sphinx_config()
    settings = {}
    exec(compile((tmp_path / "conf.py").read_text("utf8"), "conf.py", "exec"), settings)
    assert settings["html_title"] == "Convolutions, from the ground up"
    assert Path(settings["html_logo"]).exists()


def test_versions_agree():
    assert f"version: {PROJECT['version']}" in (ROOT / "CITATION.cff").read_text("utf8")


def rooms(folder):
    """Return the rooms of a package's folder: its modules and packages, without private ones."""
    found = {path for path in folder.iterdir() if path.suffix in ("", ".py")}
    return {f"{p.name}{'/' * p.is_dir()}" for p in found if not p.name.startswith("_")}


def test_the_readme_shows_the_tree_as_it_is():
    text = (ROOT / "README.md").read_text("utf8").partition("## Where things are")[2]
    shown = set()
    for cell in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE):
        first, *others = re.findall(r"`([^`]+)`", cell)
        # `src/convbook/nn/`, `models.py`: what follows stands beside the first.
        shown |= {ROOT / first, *((ROOT / first).parent / other for other in others)}
    assert [path for path in shown if not path.exists()] == []
    package = ROOT / "src" / "convbook"
    for folder in (package, package / "course"):
        named = {f"{p.name}{'/' * p.is_dir()}" for p in shown if p.parent == folder}
        minor = {"convbook.mplstyle", "py.typed", "colours.py", "mime_types.py"}
        assert named | minor >= rooms(folder), folder
    public = {name.removesuffix("/").removesuffix(".py") for name in rooms(package)}
    assert public == set(convbook._SUBMODULES)
    assert len([*package.glob("[!_]*/"), *package.glob("_[!_]*"), *package.glob("[!_]*.py")]) <= 15


def test_readme_names_every_make_target_it_uses():
    targets = set(
        re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf8"), re.MULTILINE)
    )
    used = set(re.findall(r"make ([a-z-]+)", (ROOT / "README.md").read_text("utf8")))
    assert used <= targets
    assert {"book", "test", "serve", "lab", "execute", "lint", "bench", "clean"} <= targets


def test_make_alone_lists_the_targets():
    done = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert any(line.startswith("make book") for line in lines)
    assert all(re.fullmatch(r"make [a-z-]+ +\S.*", line) for line in lines), done.stdout


# These hold the patterns themselves, to look for them.
EXEMPT = {"tools/notebooks.py", "tests/tools/test_notebooks.py", "tests/test_package.py"}
TEXT = {".py", ".js", ".css", ".md", ".yml", ".toml", ".txt", ".ipynb"}


def test_no_third_party_code_and_no_trace_of_a_machine():
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [ROOT / name for name in done.stdout.splitlines() if name not in EXEMPT]
    for file in files:
        if file.suffix in TEXT and file.exists():
            text = file.read_text("utf8")
            assert not re.search(r"@license|MIT Licensed|sourceMappingURL", text), file
            assert not re.search(r"(?<![\w.])/(root|work|home/\w+)/", text), file


TEXTS = [*notebooks.notebook_paths(), *ROOT.glob("chapters/*.md"), *ROOT.glob("*.md")]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_in_the_text_are_names_of_the_package(path):
    text = path.read_text("utf8")
    if path.suffix == ".ipynb":
        text = "\n".join(cell.source for cell in notebooks.read(path).cells)
    for name in set(re.findall(r"(?<![\w/-])convbook(?:\.[A-Za-z_]\w*)+", text)):
        pkgutil.resolve_name(name)
