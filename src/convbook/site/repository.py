"""Find out which repository this checkout belongs to, so that links lead to it and to no other."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# https://github.com/owner/name(.git), git@github.com:owner/name(.git), ssh://git@github.com/...
# A token or user name before the host (CI checkouts have one) must never reach the page.
REMOTE = re.compile(
    r"^(?:https?://(?:[^@/]+@)?|ssh://(?:[^@/]+@)?|(?:[^@/]+@))"
    r"(?P<host>github\.com)[/:](?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)(?:\.git)?/?$"
)


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

    @property
    def site_url(self) -> str:
        """The address at which GitHub Pages publishes the book."""
        host = f"{self.owner.lower()}.github.io"
        return f"https://{host}/" if self.name.lower() == host else f"https://{host}/{self.name}/"


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
    else:
        remote = _git(root, "remote", "get-url", "origin") or ""
    parsed = parse_remote(remote)
    if parsed is None:
        return None
    return Repository(*parsed, branch=_branch(root, environ))


def _branch(root: Path, environ: Mapping[str, str]) -> str:
    # In a pull request GITHUB_REF_NAME is "7/merge", which no launch service can open.
    if environ.get("GITHUB_REF_TYPE") == "branch" and "/merge" not in environ["GITHUB_REF_NAME"]:
        return environ["GITHUB_REF_NAME"]
    if environ.get("GITHUB_REPOSITORY"):
        return "main"
    return _git(root, "symbolic-ref", "--short", "HEAD") or "main"


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):  # no git, no checkout, no such remote
        return None
    return done.stdout.strip() or None
