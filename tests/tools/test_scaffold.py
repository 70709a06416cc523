"""A new chapter starts from files that are valid and listed, and nothing is overwritten."""

import re
import shutil
from pathlib import Path

import pytest

from convbook.course import quizzes
from tools import notebooks, scaffold

ROOT = Path(__file__).parents[2]


@pytest.fixture
def book(tmp_path):
    """A copy of the files that starting a chapter changes, and the folders that it fills."""
    for folder in (
        "chapters/solutions",
        "src/convbook/course/checks",
        "src/convbook/course/quizzes",
    ):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("_toc.yml", "chapters/index.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    index = tmp_path / "chapters" / "index.md"
    row = "| 99 | A last one | What comes at the end? |"
    index.write_text(index.read_text("utf8") + f"\n{row}\n", "utf8")
    return tmp_path


def test_the_files_are_valid_and_listed(book):
    chapter, solutions, checks, quiz = scaffold.start_chapter("99_a_last_one", book)
    assert {q["question"] for q in quizzes.read(quiz).values()} > {"What comes at the end?"}
    scope = {}
    exec(compile(checks.read_text("utf8"), str(checks), "exec"), scope)
    assert len(scope["check_successor"].mistakes) == 3
    for path in (chapter, solutions):
        notebook = notebooks.read(path)
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert cells[0].source == notebooks.LAUNCH_CELL
        for cell in cells:
            compile(cell.source, path.name, "exec")
        # What is left to complain about is what running it will bring.
        assert all("run `make execute`" in line for line in notebooks.problems(notebook))
    cells = notebooks.read(chapter).cells
    text = "\n".join(cell.source for cell in cells if cell.source != notebooks.LAUNCH_CELL)
    assert "# 99. A last one" in text
    assert not re.search(r"\{\w+\}", text), "a gap is left unfilled"
    contents = (book / "_toc.yml").read_text("utf8").splitlines()
    listed = [line.split()[-1] for line in contents if "- file:" in line]
    for folder in ("chapters/", "chapters/solutions/"):
        numbered = [name for name in listed if re.fullmatch(rf"{folder}\d\d_\w+", name)]
        assert numbered == sorted(numbered)
        assert f"{folder}99_a_last_one" in numbered
    assert "        title: 99. A last one, worked answers" in contents
    assert "| 99 | [A last one](99_a_last_one.ipynb) |" in (book / "chapters/index.md").read_text()


def test_a_chapter_between_two_others_is_listed_between_them(book):
    contents = book / "_toc.yml"
    entry = "      - file: chapters/03_shapes\n"
    contents.write_text(contents.read_text().replace(entry, entry.replace("03_shapes", "99_z")))
    index = book / "chapters" / "index.md"
    index.write_text("| 50 | Middle | Where? |\n")
    scaffold.start_chapter("50_middle", book)
    text = contents.read_text()
    assert (
        text.index("chapters/02_") < text.index("chapters/50_middle") < text.index("chapters/99_z")
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("channels", r"'channels': use two digits and a word, such as '04_channels'"),
        ("04-channels", "two digits"),
        ("98_nowhere", "no row for chapter 98"),
        ("03_shapes", "links it already"),
    ],
)
def test_bad_names_are_refused(name, words, book):
    with pytest.raises(ValueError, match=words):
        scaffold.start_chapter(name, book)


def test_nothing_is_overwritten(book):
    mine = book / "src" / "convbook" / "course" / "quizzes" / "99_a_last_one.toml"
    mine.write_text("mine")
    before = (book / "_toc.yml").read_text()
    with pytest.raises(ValueError, match=r"quizzes/99_a_last_one\.toml is there already"):
        scaffold.start_chapter("99_a_last_one", book)
    assert mine.read_text() == "mine"
    assert (book / "_toc.yml").read_text() == before
    assert list((book / "chapters").glob("*.ipynb")) == []


def test_the_command_names_what_is_wrong(capsys):
    with pytest.raises(SystemExit):
        scaffold.main(["channels"])
    assert "use two digits" in capsys.readouterr().err
