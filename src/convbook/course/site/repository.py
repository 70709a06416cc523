"""Find out which repository this checkout belongs to, so that links lead to it and to no other."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from convbook.analysis.link import site_address

# https://github.com/owner/name(.git), git@github.com:owner/name(.git), ssh://git@github.com/...
# A token or user name before the host (CI checkouts have one) must never reach the page.
REMOTE = re.compile(
    r"^(?:https?://(?:[^@/]+@)?|ssh://(?:[^@/]+@)?|(?:[^@/]+@))"
    r"github\.com(?::\d+/|[/:])(?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)(?:\.git)?/?$",
    re.IGNORECASE,
)


# The line of a notebook's first cell that tools/address.py writes, as JSON has it.
INSTALLS_FROM = re.compile(r'"HOME = \\"git\+(https://github\.com/[\w./-]+)@')


@dataclass(frozen=True)
class Repository:
    """A GitHub repository and the branch that its links point to."""

    owner: str
    name: str
    branch: str = "main"

    @property
    def url(self) -> str:
        """The address of the repository's page."""
        return f"https://github.com/{self.owner}/{self.name}"

    def colab_url(self, path: str) -> str:
        """The address that opens the notebook `path` in Colab."""
        where = f"{self.owner}/{self.name}/blob/{self.branch}/{path}"
        return f"https://colab.research.google.com/github/{where}"

    def binder_url(self, path: str) -> str:
        """The address that starts Binder with the notebook `path` in JupyterLab."""
        where = f"{self.owner}/{self.name}/{self.branch}"
        return f"https://mybinder.org/v2/gh/{where}?urlpath=lab/tree/{path}"

    @property
    def site_url(self) -> str:
        """The address at which GitHub Pages publishes the book."""
        return site_address(self.owner, self.name)


def parse_remote(remote: str) -> tuple[str, str] | None:
    """Return (owner, name) of a GitHub remote, or None for any other address.

    >>> parse_remote("git@github.com:ada/engine.git")
    ('ada', 'engine')
    >>> parse_remote("/srv/git/engine") is None
    True
    """
    match = REMOTE.match(remote.strip())
    return (match["owner"], match["name"]) if match else None


def find_repository(root: Path, environ: Mapping[str, str]) -> Repository | None:
    """Return the repository of the checkout at `root`, or None if it has no GitHub remote.

    `GITHUB_REPOSITORY` (set in GitHub's own runs) wins over git's `origin`.
    """
    if name := environ.get("GITHUB_REPOSITORY"):
        remote = f"https://github.com/{name}"
    elif _git(root, "rev-parse", "--show-toplevel") == str(root.resolve()):
        remote = _git(root, "remote", "get-url", "origin") or ""
    else:  # a folder inside somebody else's checkout
        return None
    parsed = parse_remote(remote)
    if parsed is None:
        return None
    return Repository(*parsed, branch=_branch(root, environ))


def foreign_sources(root: Path, repository: Repository) -> list[str]:
    """Return from which other repositories the notebooks at `root` install the package.

    In a fork it is the original, until `make address` has been run.
    """
    texts = (path.read_text("utf8") for path in root.glob("chapters/**/*.ipynb"))
    found = {match[1] for text in texts if (match := INSTALLS_FROM.search(text))}
    return sorted(url for url in found if url.lower() != repository.url.lower())


def _branch(root: Path, environ: Mapping[str, str]) -> str:
    """Return the branch to link to: the one at hand if a launch address can name it, or main."""
    if environ.get("GITHUB_REPOSITORY"):
        is_branch = environ.get("GITHUB_REF_TYPE") == "branch"
        name = environ.get("GITHUB_REF_NAME", "") if is_branch else ""
    else:
        name = _git(root, "symbolic-ref", "--short", "HEAD") or ""
    # In Binder's and Colab's addresses a slash would end the name. That also covers pull requests,
    # whose name is "7/merge".
    return name if name and "/" not in name else "main"


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):  # no git, no checkout, no such remote
        return None
    return done.stdout.strip() or None
