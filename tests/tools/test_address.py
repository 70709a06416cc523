"""One address: every place repeats what pyproject.toml says, and one command changes them all."""

import json
import re

import pytest

from tests.helpers.checkout import copy_files
from tools import address
from tools.address import Address, outdated, read_address, set_address

FORK = "https://github.com/ada/fork"


@pytest.fixture
def book(tmp_path):
    copy_files(tmp_path, without=("assets/", "benchmarks/", "src/", "tests/"))
    return tmp_path


def run(book, *arguments):
    assert address.main(list(arguments), book) == 0


def files(book):
    """Return name -> text of every file of the book that holds text."""
    found = {}
    for path in sorted(path for path in book.rglob("*") if path.is_file()):
        try:
            found[str(path.relative_to(book))] = path.read_text("utf8")
        except UnicodeDecodeError:
            continue
    return found


def test_all_places_agree():
    assert [path.name for path, _ in outdated()] == []


def test_the_launch_cell_is_short():
    lines = read_address().launch_cell.splitlines()
    assert len(lines) <= 15
    assert max(map(len, lines)) <= 77


def test_a_fork_changes_one_line_and_no_old_address_is_left(tmp_path):
    book = tmp_path
    copy_files(book)
    home = read_address(book).repository
    pyproject = book / "pyproject.toml"
    pyproject.write_text(pyproject.read_text("utf8").replace(home, FORK), "utf8")
    assert outdated(book)
    run(book)
    assert outdated(book) == []
    assert [name for name, text in files(book).items() if home in text] == []
    for name in ("README.md", "chapters/api.md", "chapters/03_shapes.ipynb", "CITATION.cff"):
        assert FORK in (book / name).read_text("utf8"), name


def test_only_the_launch_cells_lines_change_in_a_notebook(book):
    before = files(book)
    run(book, "git@github.com:ada/fork.git", "--ref", "v0.2.0")
    assert read_address(book) == Address(FORK, "v0.2.0")
    seen = 0
    for name, text in files(book).items():
        old, new = before[name].splitlines(), text.splitlines()
        changed = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
        if name.endswith(".ipynb"):
            seen += 1
            (((_, line)),) = changed
            assert f'HOME = \\"git+{FORK}@v0.2.0\\"' in line
        else:
            assert bool(changed) == (name in {"pyproject.toml", *address.PLACES}), name
    assert seen > 20


def test_a_second_run_writes_nothing(book, capsys):
    run(book, FORK)
    dates = {path: path.stat().st_mtime_ns for path in book.rglob("*.*")}
    assert ": written" in capsys.readouterr().out
    run(book, FORK)
    assert {path: path.stat().st_mtime_ns for path in book.rglob("*.*")} == dates
    assert capsys.readouterr().out == f"Launch cells install git+{FORK}@main\n"


def test_an_older_launch_cell_is_replaced_and_other_cells_are_not(book):
    path = book / "chapters" / "03_shapes.ipynb"
    notebook = json.loads(path.read_text("utf8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    current, code[0]["source"] = code[0]["source"], ["# 2026\n", 'os.environ["CONVBOOK_SOURCE"]']
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf8")
    run(book)
    code[0]["source"] = current
    assert json.loads(path.read_text("utf8")) == notebook


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("https://github.com/ada/fork/", FORK),
        ("https://secret-token@github.com/ada/fork.git", FORK),
        ("git@github.com:ada/fork.name.git", f"{FORK}.name"),
    ],
)
def test_an_address_is_written_in_one_form(book, given, written):
    set_address(book, given)
    run(book)
    assert read_address(book) == Address(written, "main")
    assert f"git+{written}@main`" in (book / "README.md").read_text("utf8")


@pytest.mark.parametrize("bad", ["", "ada/fork", "https://example.org/ada/fork", "fork\nx = 1"])
def test_what_is_no_repository_on_github_is_refused(book, bad):
    before = files(book)
    with pytest.raises(ValueError, match=r"repository='.* is no repository on GitHub; give"):
        set_address(book, bad)
    assert files(book) == before


@pytest.mark.parametrize("bad", ["", "-x", "a b", "a/", 'v"1', "a//b"])
def test_what_git_takes_for_no_ref_is_refused(book, bad):
    with pytest.raises(ValueError, match=re.escape(f"ref={bad!r} names no branch or tag")):
        set_address(book, ref=bad)


def test_the_command_says_what_is_wrong(book, capsys):
    with pytest.raises(SystemExit):
        run(book, "ada/fork")
    assert "give its address, such as https://github.com/ada/fork" in capsys.readouterr().err
    (book / "README.md").write_text("# convbook\n", "utf8")
    with pytest.raises(SystemExit):
        run(book)
    assert "README.md holds no address of the repository" in capsys.readouterr().err
