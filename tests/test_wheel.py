"""The wheel as somebody gets it: complete, and each half imports with what it declares alone."""

import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.helpers.checkout import copy_files

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]

# Runs in a process of its own, where nothing is to be found but what is declared.
# argv: folder of the unpacked wheel, names to hide, modules to import.
IMPORT_ALL = """
import importlib, sys

class Declared:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in hidden:
            return self.finder.find_spec(name, path, target)

folder, hidden, modules = sys.argv[1], set(sys.argv[2].split()), sys.argv[3].split()
sys.meta_path[:] = map(Declared, sys.meta_path)
sys.path.insert(0, folder)
for name in modules:
    module = importlib.import_module(name)
    assert module.__file__.startswith(folder), module.__file__
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout, as a path."""
    copy = tmp_path_factory.mktemp("checkout")  # so that building leaves nothing behind here
    copy_files(copy, without=("chapters/", "tests/", "assets/"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    target = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [*command, "--wheel-dir", target, copy], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (path,) = target.glob("convbook-*.whl")
    return path


def needed_by(requirements):
    """Return the distributions that requirements bring, theirs included, in lower case."""
    found, left = set(), [Requirement(text) for text in requirements]
    while left:
        requirement = left.pop()
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        for text in metadata.requires(name) or []:
            left.append(Requirement(text))
    return found


def import_all(wheel, folder, extras=(), without="-"):
    """Import the wheel's modules with the library's dependencies and some extras alone."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    paths = [path.relative_to(folder) for path in folder.glob("convbook/**/*.py")]
    modules = [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in paths]
    modules = [name for name in modules if not name.startswith(without)]
    assert len(modules) > 50
    declared = list(PROJECT["dependencies"])
    for extra in extras:
        declared += PROJECT["optional-dependencies"][extra]
    needed = needed_by(declared)
    hidden = [
        name
        for name, providers in metadata.packages_distributions().items()
        if name != "convbook"
        and not needed & set(map(canonicalize_name, providers))
        and name not in sys.stdlib_module_names
    ]
    command = [sys.executable, "-c", IMPORT_ALL, str(folder), " ".join(hidden), " ".join(modules)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_library_needs_no_more_than_it_declares(wheel, tmp_path):
    assert len(PROJECT["dependencies"]) <= 8
    import_all(wheel, tmp_path, without="convbook.course")


def test_the_course_needs_no_more_than_it_declares(wheel, tmp_path):
    import_all(wheel, tmp_path, ["course"], without="convbook.course.site")


def test_the_sites_extension_needs_no_more_than_it_declares(wheel, tmp_path):
    import_all(wheel, tmp_path, ["course", "site"])


def test_every_file_of_the_package_is_in_the_wheel_and_no_tool(wheel):
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    package = ROOT / "src"
    files = {
        str(path.relative_to(package))
        for path in (package / "convbook").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert packed == files


def test_the_library_says_that_it_is_typed(wheel):
    with zipfile.ZipFile(wheel) as archive:
        assert "convbook/py.typed" in archive.namelist()
