"""Data sets: what `load` returns and refuses, the held-out images, drawn shapes."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from convbook.data import Dataset, Split, load, shapes
from convbook.data.dataset import hold_out


@pytest.fixture(scope="module")
def drawn():
    return load("shapes")


def make_split(count, classes=3, size=(1, 4, 4), start=0):
    """Return images that can be told apart: each holds its own number in its first pixels."""
    images = torch.zeros(count, *size, dtype=torch.uint8)
    numbers = torch.arange(start, start + count)
    images[:, 0, 0, 0], images[:, 0, 0, 1] = numbers % 256, numbers // 256
    return Split(images, numbers % classes)


def make_data(validation=0.25, seed=0, count=60):
    train, held = hold_out(make_split(count), ("a", "b", "c"), validation, seed)
    return Dataset("tiny", ("a", "b", "c"), train, held, make_split(9, start=1000))


def numbers_of(split):
    return (split.images[:, 0, 0, 0].long() + 256 * split.images[:, 0, 0, 1].long()).tolist()


def test_importing_loads_no_library_that_only_some_data_sets_need():
    code = "import sys, convbook; convbook.data.load('shapes'); print([m for m in "
    code += "('torchvision', 'safetensors') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# ------------------------------------------------------------------------------ Split and Dataset


def test_a_split_knows_its_length_and_moves():
    split = make_split(5)
    assert len(split) == 5
    assert repr(split) == "Split(5 images, (1, 4, 4), cpu)"
    moved = split.to("meta")
    assert (moved.images.device.type, moved.labels.device.type) == ("meta", "meta")
    assert split.to(torch.device("cpu")).images is split.images


@pytest.mark.parametrize(
    ("images", "labels", "error", "message"),
    [
        ([1], torch.zeros(1).long(), TypeError, "images is a list; use a torch.Tensor"),
        (torch.zeros(1, 2, 2).byte(), torch.zeros(1).long(), ValueError,
         r"images has shape \(1, 2, 2\); use \(N, C, H, W\)"),
        (torch.zeros(1, 1, 2, 2), torch.zeros(1).long(), TypeError,
         "images has dtype torch.float32; use torch.uint8"),
        (torch.zeros(1, 1, 2, 2).byte(), torch.zeros(1).int(), TypeError,
         "labels has dtype torch.int32; use torch.int64"),
        (torch.zeros(1, 1, 2, 2).byte(), torch.zeros(1, 1).long(), ValueError,
         r"labels has shape \(1, 1\); use \(N\)"),
        (torch.zeros(2, 1, 2, 2).byte(), torch.zeros(3).long(), ValueError,
         "labels has 3 values for 2 images; use one label for each image"),
    ],
)  # fmt: skip
def test_what_is_no_split_is_refused(images, labels, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        Split(images, labels)


def test_data_says_what_it_holds():
    data = make_data()
    assert data.input_size == (1, 4, 4)
    assert repr(data) == (
        "Dataset('tiny', 3 classes, 45 train, 15 validation, 9 test, (1, 4, 4), cpu)"
    )
    one = Split(data.test.images[:1], torch.tensor([0]))
    assert Dataset("x", ["a"], one, one, one).classes == ("a",)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"classes": "abc"}, TypeError, "classes='abc' is no list of names; use a list of strings"),
        ({"classes": (1, 2, 3)}, TypeError, r"classes=\(1, 2, 3\) is no list of names"),
        ({"classes": ("a", "b", "a")}, ValueError, r"classes=.* has a name twice; use each name"),
        ({"classes": ("a", "b")}, ValueError,
         "train has labels from 0 to 2; with 2 classes use 0 to 1"),
        ({"test": None}, TypeError, r"test is a NoneType; use a Split\(images, labels\)"),
        ({"test": make_split(3, size=(3, 4, 4))}, ValueError,
         r"test has images of size \(3, 4, 4\), train of \(1, 4, 4\); use one size"),
        ({"train": make_split(0)}, ValueError, "train has no image; use at least one"),
        ({"validation": Split(torch.zeros(1, 1, 4, 4).byte(), torch.tensor([-1]))}, ValueError,
         "validation has labels from -1 to -1"),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit_are_refused(change, error, message):
    data = make_data()
    fields = ("name", "classes", "train", "validation", "test")
    with pytest.raises(error, match=f"^{message}"):
        Dataset(**{name: getattr(data, name) for name in fields} | change)


def test_mean_and_std_are_those_of_the_training_images(drawn):
    pixels = drawn.train.images.double() / 255
    assert drawn.mean.dtype == drawn.std.dtype == torch.float32
    torch.testing.assert_close(drawn.mean.double(), pixels.mean((0, 2, 3)), rtol=1e-6, atol=0)
    spread = pixels.std((0, 2, 3), correction=0)
    torch.testing.assert_close(drawn.std.double(), spread, rtol=1e-6, atol=0)
    other = Dataset("x", drawn.classes, drawn.train, drawn.test, drawn.validation)
    assert torch.equal(other.mean, drawn.mean)


# -------------------------------------------------------------------------- held-out validation


def test_a_share_of_each_class_is_held_out():
    data = make_data(validation=0.25)
    assert data.train.labels.bincount().tolist() == [15, 15, 15]
    assert data.validation.labels.bincount().tolist() == [5, 5, 5]
    train, held = numbers_of(data.train), numbers_of(data.validation)
    assert sorted(train + held) == list(range(60))
    assert train == sorted(train)
    assert [number % 3 for number in held] == data.validation.labels.tolist()


def test_the_seed_decides_which():
    held = [numbers_of(make_data(seed=seed).validation) for seed in (1, 1, 2)]
    assert held[0] == held[1] != held[2]


def test_none_is_held_out_when_none_is_asked_for():
    data = make_data(validation=0)
    assert len(data.validation) == 0
    assert data.validation.images.shape == (0, 1, 4, 4)
    assert numbers_of(data.train) == list(range(60))


def test_a_small_share_is_one_image_of_each_class():
    assert make_data(validation=0.001).validation.labels.bincount().tolist() == [1, 1, 1]


def test_a_class_too_small_to_share_is_named():
    message = "validation=0.5 of the 1 training images of class 'b' leaves none to learn from"
    with pytest.raises(ValueError, match=message):
        hold_out(Split(torch.zeros(3, 1, 2, 2).byte(), torch.tensor([0, 0, 1])), "ab", 0.5, 0)


# --------------------------------------------------------------------------------------- load


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"name_or_dir": "cifar"}, ValueError,
         "name_or_dir='cifar' does not exist; use 'cifar10', 'shapes' or a folder with train/ and "
         "test/"),
        ({"name_or_dir": 10}, TypeError, "name_or_dir=10 is no name and no path; use 'cifar10'"),
        ({"validation": 1}, ValueError, "validation=1 is no share; use 0 or more and less than 1"),
        ({"validation": -0.1}, ValueError, "validation=-0.1 is no share"),
        ({"validation": float("nan")}, ValueError, "validation=nan is no share"),
        ({"validation": "0.1"}, TypeError, "validation='0.1' is no number; use a share such as"),
        ({"validation": True}, TypeError, "validation=True is no number"),
        ({"seed": -1}, ValueError, "seed=-1 is too small; use an int of at least 0"),
        ({"seed": 0.5}, TypeError, "seed=0.5 is not an integer"),
        ({"device": "gpu"}, ValueError, "device='gpu' cannot be used here; use 'cpu'"),
        ({"device": "cuda:99"}, ValueError, "device='cuda:99' cannot be used here; use 'cpu'"),
        ({"device": 1.5}, TypeError, "device='1.5' cannot be used here; use 'cpu'"),
    ],
)  # fmt: skip
def test_bad_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=f"^{message}"):
        load(**{"name_or_dir": "shapes"} | arguments)


def test_an_archive_is_to_be_unpacked(tmp_path):
    (tmp_path / "photos.tar").write_bytes(b"")
    with pytest.raises(ValueError, match=r"photos\.tar' is a file; unpack it first, or use"):
        load(tmp_path / "photos.tar")


def test_load_holds_out_by_share_and_seed(drawn):
    other = load("shapes", validation=0.2, seed=5)
    assert len(other.validation) == 2000
    assert other.validation.labels.bincount().tolist() == [200] * 10
    assert torch.equal(other.test.images, drawn.test.images)


# ------------------------------------------------------------------------------------- shapes


@pytest.fixture(scope="module")
def everything():
    return load("shapes", validation=0)


def test_shapes_are_the_same_bytes_everywhere(everything):
    """The digest is of one machine: the drawing uses only what every processor rounds alike."""
    digest = hashlib.sha256()
    for split in (everything.train, everything.test):
        digest.update(split.images.numpy().tobytes())
        digest.update(split.labels.numpy().astype("<i8").tobytes())
    assert digest.hexdigest() == "4686d6f9a4cf005636d30c6a38594d9b23443cde80e027baf70b765202211d7b"


def test_shapes_are_balanced_and_never_drawn_twice(everything):
    train, test = everything.train, everything.test
    assert len(everything.classes) == 10
    assert train.images.shape == (10_000, 3, 32, 32)
    assert test.images.shape == (2_000, 3, 32, 32)
    assert train.labels.bincount().tolist() == [1000] * 10
    assert test.labels.bincount().tolist() == [200] * 10
    pictures = torch.cat([train.images, test.images]).numpy()
    assert len({picture.tobytes() for picture in pictures}) == 12_000


def test_other_counts_and_seeds():
    assert shapes.draw(25).labels.bincount(minlength=10).tolist() == [3] * 5 + [2] * 5
    assert torch.equal(shapes.draw(25, seed=4).images, shapes.draw(25, seed=4).images)
    assert not torch.equal(shapes.draw(25, seed=4).images, shapes.draw(25, seed=5).images)
    with pytest.raises(ValueError, match="count=0 is too small; use an int of at least 1"):
        shapes.draw(0)
    with pytest.raises(TypeError, match=r"count=2\.5 is not an integer"):
        shapes.draw(2.5)


def test_each_shape_is_where_its_formula_says():
    """Inside or outside at points that geometry tells, in radii: centre, corners, gaps."""
    side = shapes.HALF_SIDE
    inside = {
        "disc": [(0, 0), (0.95, 0)],
        "ring": [(0.85, 0), (0, -0.85)],
        "horseshoe": [(-0.85, 0), (0, 0.85)],
        "square": [(0, 0), (0.65, 0.65)],
        "frame": [(0.6, 0), (0.6, 0.6)],
        "cross": [(0, 0), (0.9, 0), (0, -0.9)],
        "triangle": [(0, 0), (-0.9, 0), (0.45, 0.7), (0.45, -0.7)],
        "star": [(0, 0), (0.9, 0), (0.28, 0.85), (-0.72, -0.53)],
        "stripes": [(0, 0.35), (0.9, -0.35)],
        "chequers": [(0.35, 0.35), (0.1, 0.1)],
    }
    outside = {
        "disc": [(1.05, 0), (0.75, 0.75)],
        "ring": [(0, 0), (0.6, 0)],
        "horseshoe": [(0.85, 0), (0.8, 0.3), (0, 0)],
        "square": [(side + 0.05, 0)],
        "frame": [(0, 0), (0.3, 0.3), (side + 0.05, 0)],
        "cross": [(0.5, 0.5), (1.05, 0)],
        "triangle": [(0.6, 0), (-0.5, 0.5)],
        "star": [(-0.6, 0), (0.48, 0.35), (1.05, 0)],
        "stripes": [(0, 0), (0, 0.7), (1.05, 0.35)],
        "chequers": [(0.35, 0.1), (0.1, 0.35)],
    }
    assert set(inside) == set(outside) == set(shapes.CLASSES)
    for name, distance in shapes.DISTANCES.items():
        for points, sign in ((inside[name], -1), (outside[name], 1)):
            u, v = np.array(points, float).T
            assert (np.sign(distance(u, v)) == sign).all(), name


def softmax_regression(train, test, steps, rate=1e-3):
    """Return the best test accuracy that multinomial logistic regression ever had, by Adam."""
    (x, labels), (x_test, labels_test) = train, test
    weight = torch.zeros(10, x.shape[1], requires_grad=True)
    bias = torch.zeros(10, requires_grad=True)
    optimiser = torch.optim.Adam([weight, bias], lr=rate)
    generator, best = torch.Generator().manual_seed(0), 0
    for step in range(1, steps + 1):
        batch = torch.randint(len(x), (250,), generator=generator)
        loss = F.cross_entropy(F.linear(x[batch], weight, bias), labels[batch])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 40 == 0:
            hits = F.linear(x_test, weight, bias).argmax(1) == labels_test
            best = max(best, hits.float().mean().item())
    return best


def test_a_linear_model_stays_far_below_one_half(drawn):
    """It learns something, and is over its best when it stops: what follows is overfitting."""

    def pixels(split):
        scaled = split.images / 255 - drawn.mean[:, None, None]
        return scaled.flatten(1) / drawn.std.mean(), split.labels

    best = softmax_regression(pixels(drawn.train), pixels(drawn.test), steps=400)
    assert 0.25 < best < 0.45


def test_colour_gives_nothing_away(drawn):
    """The mean colour of a picture says a little about the area of a shape, not which it is."""

    def colours(split):
        return split.images.float().mean((2, 3)) / 64 - 1.5, split.labels

    assert softmax_regression(colours(drawn.train), colours(drawn.test), 400, 0.1) < 0.2
