"""The repository's address, and every place that repeats it.

    make address                                     every place as pyproject.toml has it
    make address ADDRESS=https://github.com/ada/fork    after writing this one there
    make address REF=v0.2.0                             launch cells install this branch or tag

`Repository` and `launch-ref` in pyproject.toml are the one place to change. Nothing is run: of a
notebook only the launch cell's text changes.
"""

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from convbook._files import atomic_write
from convbook.course.site.repository import parse_remote

ROOT = Path(__file__).resolve().parents[1]
REF = re.compile(r"\w(?:[\w.-]|/(?=\w))*")
# The places beside the notebooks: file -> what stands there, as a pattern and as a template.
PIP = (r"git\+https://github\.com/[\w.-]+/[\w-]+(?:\.[\w-]+)*(?:@[\w./-]*\w)?", "{pip}")
PLACES = {
    "CITATION.cff": (r'(?m)^repository-code: ".*"$', 'repository-code: "{repository}"'),
    "README.md": PIP,
    "chapters/api.md": PIP,
}

# A folder that happens to be called convbook is found, too, but has no origin. The name of the
# variable is how a launch cell of an older book is known.
OVERRIDE = "CONVBOOK_SOURCE"
LAUNCH_CELL = """\
# Where convbook is missing, as on Colab, this installs it.
import os
import subprocess
import sys
from importlib import invalidate_caches, util

HOME = "{pip}"
if not getattr(util.find_spec("convbook"), "origin", None):
    book = f"convbook[course] @ {{os.getenv('{override}', HOME)}}"
    pip = [sys.executable, "-m", "pip", "install", "-q", book]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{{done.stderr}}{{book}} cannot be installed: check "
            "the network and this address, then run this cell again.")
    invalidate_caches()"""


@dataclass(frozen=True)
class Address:
    """A repository on GitHub, and the branch or tag that launch cells install."""

    repository: str
    ref: str

    @property
    def pip(self) -> str:
        """The address in pip's form."""
        return f"git+{self.repository}@{self.ref}"

    @property
    def launch_cell(self) -> str:
        """The source of the first code cell."""
        return LAUNCH_CELL.format(pip=self.pip, override=OVERRIDE)


def read_address(root: Path = ROOT) -> Address:
    """Return the address that pyproject.toml holds."""
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf8"))
    ref = settings["tool"]["convbook"]["launch-ref"]
    return Address(settings["project"]["urls"]["Repository"], ref)


def set_address(root: Path, repository: str | None = None, ref: str | None = None) -> None:
    """Write another repository, another branch or tag, or both, into pyproject.toml.

    `repository` may be anything that git takes as the address of a repository on GitHub.

    Raises:
        ValueError: `repository` is none on GitHub, or git allows no such `ref`.
    """
    path = root / "pyproject.toml"
    text = before = path.read_text("utf8")
    if repository is not None:
        parsed = parse_remote(repository)
        if parsed is None:
            raise ValueError(
                f"repository={repository!r} is no repository on GitHub; "
                "give its address, such as https://github.com/ada/fork"
            )
        address = f"https://github.com/{'/'.join(parsed)}"
        text = re.sub(r'(?m)^Repository = ".*"$', f'Repository = "{address}"', text)
    if ref is not None:
        if not REF.fullmatch(ref):
            raise ValueError(f"ref={ref!r} names no branch or tag; try 'main' or 'v0.1.0'")
        text = re.sub(r'(?m)^launch-ref = ".*"$', f'launch-ref = "{ref}"', text)
    if text != before:  # make takes a new date for new requirements
        _write(path, text)


def is_launch_cell(source: str) -> bool:
    """Say whether a code cell is the one that installs the package, of this book or an older one.

    >>> is_launch_cell("os.environ.get('CONVBOOK_SOURCE')")
    True
    """
    return OVERRIDE in source


def outdated(root: Path = ROOT) -> list[tuple[Path, str]]:
    """Return (path, text it should have) for each file whose address is not pyproject.toml's.

    Raises:
        ValueError: a place that should repeat the address does not hold one.
    """
    return [change for change in _all_files(root) if change[0].read_text("utf8") != change[1]]


def _all_files(root: Path) -> Iterator[tuple[Path, str]]:
    address = read_address(root)
    for name, (pattern, template) in PLACES.items():
        path = root / name
        new = template.format(pip=address.pip, repository=address.repository)
        text, found = re.subn(pattern, lambda _, new=new: new, path.read_text("utf8"))
        if not found:
            raise ValueError(
                f"{name} holds no address of the repository; write one, or tell tools/address.py"
            )
        yield path, text
    for path in sorted((root / "chapters").rglob("*.ipynb")):
        if ".ipynb_checkpoints" not in path.parts:
            yield path, _with_launch_cell(path.read_text("utf8"), address.launch_cell)


def _with_launch_cell(text: str, source: str) -> str:
    """Return the notebook `text` with `source` for its launch cell, and no other change."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and is_launch_cell("".join(cell["source"])):
            cell["source"] = source.splitlines(keepends=True)
            return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    return text


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as partial:
        partial.write_text(text, "utf8")


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.address", description=__doc__)
    parser.add_argument("address", nargs="?", help="the repository's new address")
    parser.add_argument("--ref", help="the branch or tag that launch cells install")
    options = parser.parse_args(arguments)
    try:
        set_address(root, options.address, options.ref)
        changes = outdated(root)
    except ValueError as error:
        parser.error(str(error))
    for path, text in changes:
        _write(path, text)
        print(f"{path.relative_to(root)}: written")
    print(f"Launch cells install {read_address(root).pip}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
