"""Files appear whole or not at all."""

import pytest

from convbook._files import atomic_write


def test_the_complete_file_takes_the_name(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with atomic_write(path) as partial:
        partial.write_text("half")
        assert path.read_text() == "old"
        partial.write_text("all of it")
        written = partial.stat().st_ino
    assert path.read_text() == "all of it"
    assert path.stat().st_ino == written  # moved: a copy could be cut short
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("trouble", [OSError("disk full"), KeyboardInterrupt(), ValueError()])
def test_after_trouble_the_old_file_is_there(tmp_path, trouble):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write():
        with atomic_write(path) as partial:
            partial.write_text("half")
            raise trouble

    with pytest.raises(type(trouble)):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(OSError, match="none"), atomic_write(tmp_path / "none" / "a.txt") as partial:
        partial.write_text("x")
