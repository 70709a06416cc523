"""Small books: copies of what a build reads, and builds of them, as `make book` does it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml
from bs4 import BeautifulSoup

from convbook.course.site.moved import MOVED

ROOT = Path(__file__).parents[2]


def pages(site):
    """Return path -> soup of every page of the book, without those that only lead on."""
    moved = {site / f"{name}.html" for name in MOVED}
    files = sorted({*(site / "chapters").rglob("*.html")} - moved)
    assert files
    return {file: BeautifulSoup(file.read_text("utf8"), "html.parser") for file in files}


def copy_book(folder):
    """Copy what a build reads to `folder`, which is no git checkout."""
    for name in ("chapters", "assets"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".ipynb_*"))
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, folder)


FEW = ["chapters/03_shapes", "chapters/solutions/03_shapes", "chapters/references"]


def copy_few_pages(folder):
    """Copy a book of few pages, of each kind one, where a build of all would show no more."""
    copy_book(folder)
    table = yaml.safe_load((folder / "_toc.yml").read_text("utf8"))
    kept = [{"file": name} for name in FEW]
    (folder / "_toc.yml").write_text(
        yaml.safe_dump({"format": table["format"], "root": table["root"], "chapters": kept}), "utf8"
    )
    for path in folder.rglob("chapters/**/*.*"):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if path.suffix in (".md", ".ipynb") and name not in [table["root"], *FEW]:
            path.unlink()


def make_checkout(folder, remote):
    """Make the copied book a checkout of `remote`, on a branch that is not main."""
    for command in (
        ["init", "--initial-branch=draft"],
        ["remote", "add", "origin", remote],
        ["add", "."],
        ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-m", "The book"],
    ):
        subprocess.run(["git", "-C", folder, *command], check=True, capture_output=True)


def build(folder, strict=True, **environ):
    """Build the book in `folder` as `make book` does; return the finished process.

    A book of few pages has links that lead nowhere: `strict=False` lets such warnings pass.
    """
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")}
    command = [Path(sys.executable).parent / "jupyter-book", "build", folder]
    return subprocess.run(
        [*command, "-q", *["-W", "-n", "--keep-going"] * strict],
        env=clean | environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
