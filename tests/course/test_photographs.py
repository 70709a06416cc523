"""Photographs: the same digits on every machine, clear refusals, authors and licences named."""

import hashlib
import io
import re

import numpy as np
import pytest
import skimage
import torch
from PIL import Image

from convbook.course import photographs
from convbook.course.photographs import PICTURES, grace_hopper, open_photograph

# Of the decoded rows of red, green and blue bytes: no decoder may change one of them.
DIGESTS = {
    "astronaut": "f12c4ee1d753e7b9",
    "chelsea": "13d09aecfe021987",
    "coffee": "056f5b3d17bd0549",
    "flower": "05107fb714578e67",
    "rocket": "9a237e85a9ebedcf",
}
ALL = [*DIGESTS, "grace_hopper"]
README = (PICTURES / "README.md").read_text("utf8")


def as_bytes(photo):
    """Return a photograph (1, 3, H, W) as an array (H, W, 3) of bytes."""
    return (photo[0] * 255).round().byte().permute(1, 2, 0).numpy()


def row_of(name):
    """Return the cells of a file's row in the table of authors and licences."""
    (line,) = re.findall(rf"^\| `{name}\.webp` \|(.+)\|$", README, re.MULTILINE)
    return [cell.strip() for cell in line.split("|")]


@pytest.mark.parametrize("name", DIGESTS)
def test_every_digit_is_the_one_that_was_stored(name):
    pixels = as_bytes(getattr(photographs, name)())
    assert hashlib.sha256(pixels.tobytes()).hexdigest()[:16] == DIGESTS[name]


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee"])
def test_the_crop_is_the_one_that_the_table_says(name):
    """The originals that are stored without loss come with the tests' environment."""
    with Image.open(skimage.data.data_dir + f"/{name}.png") as original:
        box = tuple(map(int, row_of(name)[-1].split(",")))
        crop = original.crop(box).resize((256, 256), Image.Resampling.LANCZOS)
    assert np.array_equal(as_bytes(getattr(photographs, name)()), np.asarray(crop))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("size", [1, 64, 256, 300])
def test_sizes(name, size):
    photo = getattr(photographs, name)(size)
    assert photo.shape == (1, 3, size, size)
    assert photo.dtype == torch.float32
    assert 0 <= photo.min() <= photo.max() <= 1


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("size", "error"), [(0, ValueError), (-3, ValueError), (2.5, TypeError), (True, TypeError)]
)
def test_refusals_name_the_size(name, size, error):
    with pytest.raises(error, match=re.escape(f"size={size}")):
        getattr(photographs, name)(size)


def test_the_blue_wall_behind_grace_hopper_is_blue():
    assert grace_hopper(64)[0, :, 5, 60].argmax() == 2


def test_only_the_flower_has_much_green():
    """Chapter 4 looks for a green subject with a green filter."""
    shares = {}
    for name in ALL:
        red, green, blue = getattr(photographs, name)()[0]
        shares[name] = (green > torch.maximum(red, blue) + 10 / 255).double().mean().item()
    assert shares.pop("flower") > 0.1
    assert max(shares.values()) < 0.01


def test_the_pictures_are_light():
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) < 800_000


def test_each_picture_has_an_author_and_a_licence():
    assert {path.stem for path in PICTURES.glob("*.webp")} == set(DIGESTS)
    for name in DIGESTS:
        _, author, licence, *_ = row_of(name)
        assert len(author) > 3
        assert re.search("public domain|CC0 1.0|CC BY 2.0", licence)
    assert re.search(r"vultilion.+\bCC BY 2\.0.+vultilion/6056698931", " | ".join(row_of("flower")))


# ------------------------------------------------------------------ the reader's own


def file_of(picture, **options):
    file = io.BytesIO()
    picture.save(file, format="PNG", **options)
    file.seek(0)
    return file


@pytest.mark.parametrize("turned", [False, True])
def test_of_an_own_photograph_the_middle_is_taken(turned):
    """A camera held upright stores a picture that lies on its side, and says so."""
    pixels = np.zeros((4, 8, 3), np.uint8)
    pixels[:, 2:6] = np.arange(16).reshape(4, 4, 1) * [10, 5, 1]
    picture, exif = Image.fromarray(pixels), Image.Exif()
    if turned:
        picture = picture.transpose(Image.Transpose.ROTATE_90)
        exif[0x0112] = 6  # to be shown after a quarter turn clockwise
    photo = open_photograph(file_of(picture, exif=exif), 4)
    assert np.array_equal(as_bytes(photo), pixels[:, 2:6])


@pytest.mark.parametrize("mode", ["L", "RGBA", "P"])
def test_an_own_picture_may_have_other_channels(mode):
    photo = open_photograph(file_of(Image.new("RGB", (6, 6), "white").convert(mode)), 3)
    assert torch.equal(photo, torch.ones(1, 3, 3, 3))


def test_what_is_no_picture_is_refused(tmp_path):
    path = tmp_path / "me.jpg"
    path.write_text("no picture")
    with pytest.raises(ValueError, match=r"me\.jpg' holds no picture .* JPEG or PNG"):
        open_photograph(path)
    with pytest.raises(FileNotFoundError):
        open_photograph(tmp_path / "you.jpg")
