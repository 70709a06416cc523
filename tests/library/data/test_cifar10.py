"""CIFAR-10 without a network: a tiny archive and a made-up server stand in for the real ones."""

import hashlib
import http.client
import io
import pickle
import re
import tarfile
import urllib.error

import numpy as np
import pytest
from torchvision.datasets import CIFAR10, utils

from convbook.data import load

CLASSES = ["aeroplane", "car", "bird"]


def python_2(content):
    """Return the bytes that Python 2 and the NumPy of its time wrote: the originals are such."""
    written = pickle.dumps(content, 2).replace(b"numpy._core", b"numpy.core")
    # The flags of dtype('u1', 0, 1) were integers.
    return re.sub(b"(u1q.)\x89\x88", lambda found: found[1] + b"K\0K\1", written, flags=re.DOTALL)


def batch(seed, count=12):
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 3072), np.uint8)
    return {"data": pixels, "labels": [place % 3 for place in range(count)]}


BATCHES = {f"data_batch_{n}": batch(n) for n in range(1, 6)} | {"test_batch": batch(6)}
FILES = {name: python_2(content) for name, content in BATCHES.items()}
FILES["batches.meta"] = pickle.dumps({"label_names": CLASSES}, 2)


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


class Response(io.BytesIO):
    """What comes back from the server."""

    def __init__(self, content):
        super().__init__(content)
        self.url, self.length = CIFAR10.url, len(content)


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The archive as the server has it; without the file there is no server."""
    held = tmp_path / "server" / CIFAR10.filename
    held.parent.mkdir()
    with tarfile.open(held, "w:gz") as tar:
        for name, content in FILES.items():
            member = tarfile.TarInfo(f"{CIFAR10.base_folder}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    sums = {name: md5(content) for name, content in FILES.items()}

    def urlopen(request):
        assert request.full_url.endswith("://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz")
        if not held.exists():
            raise urllib.error.URLError("no route to host")
        return Response(held.read_bytes())

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    monkeypatch.setattr(CIFAR10, "tgz_md5", md5(held.read_bytes()))
    monkeypatch.setattr(CIFAR10, "train_list", [[n, sums[n]] for n in sorted(FILES)[1:6]])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", sums["test_batch"]]])
    monkeypatch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": sums["batches.meta"]})
    return held


@pytest.fixture
def root(tmp_path):
    return tmp_path / "new" / "cache"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


DONE = [CIFAR10.base_folder, CIFAR10.filename]


def check(data):
    assert repr(data) == (
        "Dataset('cifar10', 3 classes, 60 train, 0 validation, 12 test, (3, 32, 32), cpu)"
    )
    assert data.classes == tuple(CLASSES)
    expected = np.concatenate([BATCHES[f"data_batch_{n}"]["data"] for n in range(1, 6)])
    assert np.array_equal(data.train.images.flatten(1), expected)
    assert data.train.labels.tolist() == [0, 1, 2] * 20
    assert np.array_equal(data.test.images.flatten(1), BATCHES["test_batch"]["data"])
    assert data.test.labels.tolist() == [0, 1, 2] * 4


def load_tiny(root):
    return load("cifar10", root=root, validation=0)


def test_downloaded_once_with_a_bar_then_kept(server, root, capsys):
    check(load_tiny(root))
    assert "100%" in capsys.readouterr().err
    assert names(root) == DONE
    server.unlink()
    check(load_tiny(root))
    assert capsys.readouterr() == ("", "")


def test_the_unpacked_files_are_enough(server, root):
    check(load_tiny(root))
    server.unlink()
    (root / CIFAR10.filename).unlink()
    check(load_tiny(root))


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"CONVBOOK_CACHE": "mine", "XDG_CACHE_HOME": "theirs"}, "mine"),
        ({"XDG_CACHE_HOME": "theirs"}, "theirs/convbook"),
        ({"HOME": "home", "USERPROFILE": "home"}, "home/.cache/convbook"),
    ],
)
@pytest.mark.usefixtures("server")
def test_where_downloads_are_kept(tmp_path, monkeypatch, variables, place):
    for name in ("CONVBOOK_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, str(tmp_path / value))
    check(load("cifar10", validation=0))
    assert names(tmp_path / place) == DONE


def test_an_archive_put_there_by_hand(server, root):
    root.mkdir(parents=True)
    server.rename(root / CIFAR10.filename)
    check(load_tiny(root))


def test_no_network(server, root):
    server.unlink()
    with pytest.raises(OSError, match="cifar10") as caught:
        load_tiny(root)
    assert str(caught.value) == (
        "cifar10 cannot be downloaded from https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz "
        f"(no route to host); put the archive by hand at {root / CIFAR10.filename}, "
        "or use load('shapes'), which needs no network"
    )
    assert names(root) == []


def test_a_download_with_another_checksum(server, root):
    server.write_bytes(server.read_bytes()[:-100])
    with pytest.raises(OSError, match=r"cifar10 cannot be downloaded .*corrupted"):
        load_tiny(root)
    assert names(root) == []


def test_a_truncated_archive_is_named(server, root):
    root.mkdir(parents=True)
    archive = root / CIFAR10.filename
    archive.write_bytes(server.read_bytes()[:-100])
    with pytest.raises(ValueError, match="its checksum is another one") as caught:
        load_tiny(root)
    assert str(caught.value) == (
        f"{archive} is not the whole CIFAR-10 archive: its checksum is another one; "
        "delete it and load again"
    )
    archive.unlink()
    check(load_tiny(root))


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (KeyboardInterrupt, KeyboardInterrupt),
        (ConnectionResetError, OSError),
        (http.client.IncompleteRead(b""), OSError),
    ],
)
def test_an_interrupted_download_leaves_nothing(root, monkeypatch, trouble, error):
    def read(response, size):
        if response.tell():
            (partial,) = root.iterdir()
            assert partial.name != CIFAR10.filename
            raise trouble
        return io.BytesIO.read(response, 100)

    with monkeypatch.context() as patch:
        patch.setattr(Response, "read", read)
        with pytest.raises(error):
            load_tiny(root)
    assert names(root) == []
    check(load_tiny(root))


def test_interrupted_unpacking_is_done_again(server, root):
    check(load_tiny(root))
    server.unlink()
    (root / CIFAR10.base_folder / "data_batch_3").write_bytes(b"half")
    (root / CIFAR10.base_folder / "test_batch").unlink()
    check(load_tiny(root))


@pytest.mark.usefixtures("server")
def test_files_that_do_not_match_the_archive(root, monkeypatch):
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", "0" * 32]])
    with pytest.raises(OSError, match=r"cifar-10-batches-py is damaged; delete it and load again"):
        load_tiny(root)


@pytest.mark.usefixtures("server")
def test_a_root_that_is_a_file(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match=r"root=.*file' is no folder \(.*\); use another"):
        load_tiny(tmp_path / "file")


@pytest.mark.usefixtures("server")
def test_another_process_never_finds_half_unpacked_files(root, monkeypatch):
    """One starts while the other has unpacked, but not yet moved the files to their place."""
    extract, depth = utils.extract_archive, []

    def slowly(archive, folder):
        extract(archive, folder)
        assert not (root / CIFAR10.base_folder).exists() or depth
        depth.append(folder)
        if len(depth) == 1:
            check(load_tiny(root))  # the other one, from its start to its end

    monkeypatch.setattr(utils, "extract_archive", slowly)
    check(load_tiny(root))
    assert len(depth) == 2
    assert names(root) == DONE
