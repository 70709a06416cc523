"""Folders of images: read as torchvision reads them, and every fault named with its file."""

import re

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import ImageFolder

from convbook.data import load


def picture(number, mode="RGB", size=(6, 4)):
    width, height = size
    shape = (height, width, 3) if mode == "RGB" else (height, width)
    pixels = np.random.default_rng(number).integers(0, 256, shape, np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture
def folder(tmp_path):
    """Two classes, 4 training and 2 test images of each, 6 wide and 4 high."""
    root, number = tmp_path / "pets", 0
    for part, count in (("train", 4), ("test", 2)):
        for name in ("cat", "dog"):
            (root / part / name).mkdir(parents=True)
            for place in range(count):
                picture(number).save(root / part / name / f"{place:02}.png")
                number += 1
    return root


def refused(folder, error=ValueError):
    """Return the one-line message with which the folder is refused."""
    with pytest.raises(error) as caught:
        load(folder, validation=0)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_images_and_labels_are_torchvisions(folder):
    (folder / "train" / "cat" / "young").mkdir()
    picture(50).save(folder / "train" / "cat" / "young" / "a.bmp")
    picture(51).save(folder / "train" / "cat" / "05.PNG")
    picture(52).save(folder / "train" / "cat" / "zz.jpg")
    data = load(str(folder), validation=0)
    assert (data.name, data.classes, data.input_size) == ("pets", ("cat", "dog"), (3, 4, 6))
    for split, part in ((data.train, "train"), (data.test, "test")):
        theirs = ImageFolder(folder / part)
        assert split.labels.tolist() == theirs.targets
        for ours, (image, _) in zip(split.images, theirs, strict=True):
            assert np.array_equal(ours.permute(1, 2, 0), np.asarray(image))
    assert len(data.train) == 11


def test_grey_images_have_one_channel(folder):
    for path in folder.rglob("*.png"):
        Image.open(path).convert("L").save(path)
    data = load(folder, validation=0.25)
    assert data.input_size == (1, 4, 6)
    assert repr(data).startswith("Dataset('pets', 2 classes, 6 train, 2 validation, 4 test, ")
    with Image.open(folder / "test" / "dog" / "01.png") as last:
        assert np.array_equal(data.test.images[-1, 0], np.asarray(last))


def test_hidden_files_and_other_files_are_passed_over(folder):
    plain = load(folder)
    (folder / "train" / ".DS_Store").write_bytes(b"x")
    (folder / "train" / ".ipynb_checkpoints").mkdir()
    (folder / "train" / "cat" / "._00.png").write_bytes(b"x")
    (folder / "train" / "cat" / ".thumbs").mkdir()
    (folder / "train" / "cat" / ".thumbs" / "00.png").write_bytes(b"x")
    (folder / "train" / "cat" / "licence.txt").write_text("by nobody", "utf8")
    (folder / "train" / "readme.md").write_text("cats and dogs", "utf8")
    again = load(folder)
    assert again.classes == plain.classes
    assert torch.equal(again.train.images, plain.train.images)


def test_links_are_followed_and_never_in_circles(folder, tmp_path):
    plain = load(folder, validation=0)
    (folder / "train" / "dog").rename(tmp_path / "elsewhere")
    (folder / "train" / "dog").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "00.png").rename(tmp_path / "one.png")
    (tmp_path / "elsewhere" / "00.png").symlink_to(tmp_path / "one.png")
    (folder / "train" / "cat" / "back").symlink_to(folder / "train" / "cat")
    (folder / "pets").symlink_to(folder)
    again = load(folder, validation=0)
    assert torch.equal(again.train.images, plain.train.images)
    assert torch.equal(again.train.labels, plain.train.labels)


@pytest.mark.parametrize(("progress", "shown"), [(None, False), (False, False), (True, True)])
def test_the_bar_is_shown_in_a_terminal_or_when_asked_for(folder, capsys, progress, shown):
    load(folder, progress=progress)
    out, err = capsys.readouterr()
    assert out == ""
    assert ("8/8" in err and "images" in err) == shown
    assert shown or err == ""


def test_no_train_folder(folder):
    assert refused(folder / "train") == (
        f"{folder / 'train'} has no folder 'train' (it has: cat, dog); "
        "use a folder with train/CLASS/ and test/CLASS/"
    )
    (folder / "test").rename(folder / "val")
    assert "has no folder 'test' (it has: train, val)" in refused(folder)


def test_an_empty_folder(tmp_path):
    assert "has no folder 'train' (it has: none)" in refused(tmp_path)
    (tmp_path / "train").mkdir()
    (tmp_path / "test").mkdir()
    assert refused(tmp_path) == f"{tmp_path / 'train'} has no folders; use one for each class"


def test_a_class_without_images(folder):
    for path in (folder / "test" / "dog").iterdir():
        path.rename(path.with_suffix(".gif"))
    message = refused(folder)
    assert message.startswith(f"{folder / 'test' / 'dog'} has no image; put some there (.jpg, ")


def test_a_class_missing_in_test(folder):
    (folder / "test" / "cat").rename(folder / "cat")
    assert refused(folder) == (
        f"{folder / 'test'} lacks 'cat', which train/ has; give both parts the same classes"
    )


def test_a_class_missing_in_train(folder):
    for name in ("eel", "ant"):
        (folder / "test" / name).mkdir()
    assert f"{folder / 'train'} lacks 'ant', 'eel', which test/ has" in refused(folder)


@pytest.mark.parametrize("place", ["train/cat/00.png", "train/dog/02.png", "test/dog/01.png"])
@pytest.mark.parametrize("content", ["text", "half", "nothing"])
def test_an_unreadable_image(folder, place, content):
    path = folder / place
    whole = path.read_bytes()
    path.write_bytes({"text": b"<html>", "half": whole[: len(whole) // 2], "nothing": b""}[content])
    message = refused(folder, OSError)
    assert re.fullmatch(
        re.escape(str(path)) + r" cannot be read as an image \(.+\); replace or delete it", message
    )


def test_a_link_to_nowhere(folder):
    path = folder / "train" / "cat" / "09.png"
    path.symlink_to(folder / "gone.png")
    assert refused(folder, OSError).startswith(f"{path} cannot be read as an image ([Errno 2]")


def test_an_image_of_another_mode(folder):
    first, path = folder / "train" / "cat" / "00.png", folder / "test" / "dog" / "00.png"
    picture(0, "L").save(path)
    assert refused(folder) == (
        f"{path} is L 6x4, but {first} is RGB 6x4; make them alike, say by Image.convert('RGB')"
    )


def test_an_image_of_another_size(folder):
    first, path = folder / "train" / "cat" / "00.png", folder / "train" / "dog" / "01.png"
    picture(0, size=(4, 6)).save(path)
    assert refused(folder) == (
        f"{path} is RGB 4x6, but {first} is RGB 6x4; make them alike, say by Image.resize((6, 4))"
    )


def test_a_first_image_that_is_neither_colour_nor_grey(folder):
    path = folder / "train" / "cat" / "00.png"
    picture(0).convert("P").save(path)
    assert refused(folder) == (
        f"{path} has the mode 'P'; "
        "convert every image to 'RGB' (colour) or 'L' (grey) by Image.convert"
    )


def test_a_class_of_one_image_cannot_be_shared(folder):
    for place in (1, 2, 3):
        (folder / "train" / "dog" / f"{place:02}.png").unlink()
    message = "validation=0.1 of the 1 training images of class 'dog' leaves none to learn from"
    with pytest.raises(ValueError, match=message):
        load(folder)
