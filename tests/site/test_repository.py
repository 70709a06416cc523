"""Links lead to the repository that the book is built from, or nowhere."""

import shutil
import subprocess
from pathlib import Path

import pytest

from convbook.course.site.repository import (
    Repository,
    find_repository,
    foreign_sources,
    parse_remote,
)
from tools import address


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/ada/engine",
        "https://github.com/ada/engine.git",
        "https://github.com/ada/engine/",
        "https://x-access-token:secret@github.com/ada/engine",
        "git@github.com:ada/engine.git",
        "ssh://git@github.com/ada/engine.git",
        "ssh://git@github.com:22/ada/engine.git",
        "git@GitHub.com:ada/engine.git",
    ],
)
def test_github_remotes(remote):
    assert parse_remote(remote) == ("ada", "engine")


@pytest.mark.parametrize(
    "remote",
    ["", "/srv/git/engine", "../engine", "https://example.org/ada/engine", "https://github.com/ada",
     "https://evil.org/github.com/ada/engine"],
)  # fmt: skip
def test_other_remotes(remote):
    assert parse_remote(remote) is None


def git(folder, *arguments):
    subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path):
    git(tmp_path, "init", "--initial-branch=draft")
    return tmp_path


def test_no_remote(checkout):
    assert find_repository(checkout, {}) is None


def test_no_checkout(tmp_path):
    assert find_repository(tmp_path, {}) is None


def test_remote_and_branch(checkout):
    git(checkout, "remote", "add", "origin", "git@github.com:ada/engine.git")
    assert find_repository(checkout, {}) == Repository("ada", "engine", "draft")


def test_the_environment_wins(checkout):
    git(checkout, "remote", "add", "origin", "git@github.com:ada/engine.git")
    environ = {
        "GITHUB_REPOSITORY": "bob/fork",
        "GITHUB_REF_TYPE": "branch",
        "GITHUB_REF_NAME": "main",
    }
    assert find_repository(checkout, environ) == Repository("bob", "fork", "main")


@pytest.mark.parametrize(
    ("kind", "name"), [("branch", "7/merge"), ("branch", "fix/merge-cells"), ("tag", "v1")]
)
def test_what_no_launch_address_can_name_links_to_main(checkout, kind, name):
    environ = {"GITHUB_REPOSITORY": "a/b", "GITHUB_REF_TYPE": kind, "GITHUB_REF_NAME": name}
    assert find_repository(checkout, environ).branch == "main"


def test_a_branch_with_a_slash_links_to_main(tmp_path):
    git(tmp_path, "init", "--initial-branch=fix/cells")
    git(tmp_path, "remote", "add", "origin", "git@github.com:ada/engine.git")
    assert find_repository(tmp_path, {}).branch == "main"


def test_half_an_environment_is_enough(checkout):
    assert find_repository(checkout, {"GITHUB_REPOSITORY": "a/b"}) == Repository("a", "b", "main")
    environ = {"GITHUB_REPOSITORY": "a/b", "GITHUB_REF_TYPE": "branch"}
    assert find_repository(checkout, environ).branch == "main"


def test_a_folder_inside_another_checkout_is_not_that_repository(checkout):
    git(checkout, "remote", "add", "origin", "git@github.com:ada/monorepo.git")
    (checkout / "book").mkdir()
    assert find_repository(checkout / "book", {}) is None


def test_site_urls():
    assert Repository("Ada", "engine").site_url == "https://ada.github.io/engine/"
    assert Repository("Ada", "ada.github.io").site_url == "https://ada.github.io/"


@pytest.fixture
def book(tmp_path):
    """What `make address` reads, with a chapter and its solutions."""
    root = Path(__file__).parents[2]
    notebooks = ["chapters/03_shapes.ipynb", "chapters/solutions/03_shapes.ipynb"]
    for name in ["pyproject.toml", *address.PLACES, *notebooks]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, tmp_path / name)
    return tmp_path


def test_a_fork_installs_from_the_original_until_the_address_is_changed(book):
    home = address.read_address(book).repository
    fork = Repository("Ada", "fork.two")
    assert foreign_sources(book, Repository(*parse_remote(home))) == []
    assert foreign_sources(book, fork) == [home]
    address.main(["https://github.com/ada/fork.two", "--ref", "v1.0"], book)
    assert foreign_sources(book, fork) == []
    assert foreign_sources(book, Repository("ada", "fork")) == ["https://github.com/ada/fork.two"]
