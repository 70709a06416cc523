"""Start a chapter: write its five files from templates and list it where the book lists chapters.

    make new CHAPTER=04_channels

The title and the opening question come from the map in `chapters/index.md`. What is written runs
and builds; `make test` then names what is still missing, such as a third exercise.
"""

import argparse
import re
import sys
from pathlib import Path

from tools.notebooks import ROOT, store_unexecuted

TEMPLATES = Path(__file__).parent / "templates"
NAME = re.compile(r"(?P<number>\d\d)_(?P<slug>[a-z][a-z0-9_]*)")


def start_chapter(name: str, root: Path = ROOT) -> list[Path]:
    """Write the files of chapter `name` and return their paths; change the table of contents too.

    Raises:
        ValueError: the name is not of the form 04_channels, the map lacks the chapter, or one of
            its files is there already.
    """
    match = NAME.fullmatch(name)
    if not match:
        raise ValueError(f"name={name!r}: use two digits and a word, such as '04_channels'")
    number, slug = int(match["number"]), match["slug"]
    index = root / "chapters" / "index.md"
    planned = rf"^\| {number} \| (?P<title>[^|\[]+) \| (?P<question>[^|]+) \|$"
    row = re.search(planned, index.read_text("utf8"), re.MULTILINE)
    if not row:
        raise ValueError(
            f"name={name!r}: {index.name} has no row for chapter {number}, or links it already"
        )
    words = {"name": name, "slug": slug, "number": number, **row.groupdict()}
    package = root / "src" / "convbook" / "course"
    files = {
        root / "chapters" / f"{name}.ipynb": "chapter.py.txt",
        root / "chapters" / "solutions" / f"{name}.ipynb": "solutions.py.txt",
        package / "checks" / f"{slug}.py": "checks.py.txt",
        package / "quizzes" / f"{name}.toml": "quiz.toml.txt",
    }
    if there := [path for path in files if path.exists()]:
        raise ValueError(f"name={name!r}: {there[0].relative_to(root)} is there already; move it")
    for path, template in files.items():
        text = (TEMPLATES / template).read_text("utf8").format(**words)
        if path.suffix == ".ipynb":
            store_unexecuted(text, path)
        else:
            path.write_text(text, "utf8")
    _list_in_contents(root / "_toc.yml", name, f"{number}. {row['title']}, worked answers")
    linked = row[0].replace(row["title"], f"[{row['title']}]({name}.ipynb)", 1)
    index.write_text(index.read_text("utf8").replace(row[0], linked), "utf8")
    return list(files)


def _list_in_contents(path: Path, name: str, title: str) -> None:
    """Add the chapter and its solutions to the table of contents, in the order of their numbers."""
    lines = path.read_text("utf8").splitlines()
    solutions = [f"      - file: chapters/solutions/{name}", f"        title: {title}"]
    for folder, entry in [
        ("chapters/", [f"      - file: chapters/{name}"]),
        ("chapters/solutions/", solutions),
    ]:
        listed = re.compile(rf"      - file: {folder}(\d\d_\w+)")
        places = [(i, m[1]) for i, line in enumerate(lines) if (m := listed.fullmatch(line))]
        after = [i for i, other in places if other > name]
        place = after[0] if after else places[-1][0] + len(entry)
        lines[place:place] = entry
    path.write_text("\n".join(lines) + "\n", "utf8")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.scaffold", description=__doc__)
    parser.add_argument("name", help="such as 04_channels")
    name = parser.parse_args(arguments).name
    try:
        files = start_chapter(name)
    except ValueError as error:
        parser.error(str(error))
    for path in files:
        print(f"written: {path.relative_to(ROOT)}")
    print("listed in _toc.yml and linked in chapters/index.md")
    print(f"next: write, then make execute CHAPTER={name}; CONTRIBUTING.md has the rest")
    return 0


if __name__ == "__main__":
    sys.exit(main())
