"""Kernel on a photograph: its map equals PyTorch's and SciPy's, its colours and words are true."""

import io
import itertools
import json
import re
from base64 import b64decode
from contextlib import redirect_stdout

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from torch.nn import functional as F

from convbook.course import colours, photographs
from convbook.course.explorers import PhotographExplorer
from convbook.course.explorers.photograph import (
    BORDERS,
    LARGEST_WEIGHT,
    MAPS,
    PHOTOGRAPHS,
    PICTURES,
    PRESETS,
    SIDE,
    SIZES,
    VIEWS,
    preset_kernel,
    usual_view,
)  # fmt: skip
from tests.helpers.javascript import module

ARITHMETIC = module("parts/photograph_arithmetic.js")
KERNELS = module("parts/photograph_kernels.js")
WORDS = module("parts/photograph_words.js")
FIGURE = {"blank": [255, 255, 255], "positive": [230, 97, 1], "negative": [94, 60, 153]}
SCIPY = {"zero": "constant", "reflect": "mirror", "replicate": "nearest"}
CASES = list(itertools.product(PRESETS, SIZES))


def values(array):
    """The numbers of a typed array, which travels as an object."""
    return list(array.values())


def grid(array, side):
    return np.array(values(array)).reshape(side, side)


def correlated(pixels, kernel, border):
    return ndimage.correlate(pixels.astype(float), np.array(kernel, float), mode=SCIPY[border])


# ------------------------------------------------------------------ settings and kernels


def test_presets_sizes_and_limits_are_pythons():
    assert KERNELS.SIZES() == list(SIZES)
    assert KERNELS.LARGEST_WEIGHT() == LARGEST_WEIGHT
    assert ARITHMETIC.SIDE() == SIDE
    assert {key: words[1] for key, words in KERNELS.BORDERS().items()} == BORDERS
    assert {key: words[1] for key, words in KERNELS.VIEWS().items()} == VIEWS
    assert list(KERNELS.PRESETS()) == list(PRESETS)
    for key, size in CASES:
        kernel = KERNELS.presetKernel(key, size)
        assert kernel == preset_kernel(key, size)
        assert KERNELS.usualView(kernel) == usual_view(kernel)
        assert KERNELS.presetOf(kernel) == key
        # As JSON too, by which a preset's button knows itself.
        assert json.dumps(kernel) == json.dumps(PhotographExplorer(kernel=kernel).kernel)


@pytest.mark.parametrize(("key", "size"), CASES)
def test_of_each_preset_the_weights_add_up_to_0_or_1(key, size):
    total = round(sum(sum(row) for row in preset_kernel(key, size)), 9)
    assert total == (0 if key in ("vertical", "horizontal", "rising", "falling") else 1)


def test_another_size_keeps_the_preset_or_the_weights():
    for key, (old, new) in itertools.product(PRESETS, itertools.product(SIZES, SIZES)):
        assert KERNELS.resized(preset_kernel(key, old), new) == preset_kernel(key, new)
    own = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    larger = KERNELS.resized(own, 7)
    assert np.array_equal(larger, np.pad(own, 2))
    assert KERNELS.resized(larger, 5) == np.pad(own, 1).tolist()
    assert KERNELS.resized(larger, 3) == own


@pytest.mark.parametrize(
    ("value", "fine"),
    [(0, 1), (-99, 1), (99, 1), (0.29, 1), (-98.99, 1), (1.1, 1), (99.01, 0), (0.125, 0), ("1", 0)],
)
def test_what_counts_as_a_weight(value, fine):
    assert KERNELS.isWeight(value) is bool(fine)


# ------------------------------------------------------------------ the map


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("size", SIZES)
def test_the_map_equals_scipys_and_pytorchs(size, border):
    pixels = np.random.default_rng(size).integers(0, 256, (11, 11))
    noise = np.random.default_rng(1).integers(-9900, 9900, (size, size)) / 100
    for kernel in [*(preset_kernel(key, size) for key in PRESETS), noise.tolist()]:
        made = ARITHMETIC.mapOf(pixels.ravel().tolist(), 11, kernel, border)
        found = grid(made["map"], 11) / 100
        assert np.allclose(found, correlated(pixels, kernel, border), rtol=0, atol=1e-9)
        x, w = (
            torch.tensor(np.array(a), dtype=torch.float64)[None, None] for a in (pixels, kernel)
        )
        line = KERNELS.pytorchLine({"kernel": kernel, "border": border, "view": "signed"})
        y = eval(line, {"F": F, "x": x, "w": w})
        assert np.allclose(found, y[0, 0], rtol=0, atol=1e-9)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("size", SIZES)
def test_the_pixels_under_the_kernel_are_those_that_its_sum_is_made_of(size, border):
    pixels = np.random.default_rng(3).integers(0, 256, (11, 11))
    kernel = np.random.default_rng(4).integers(-300, 300, (size, size)) / 100
    made = ARITHMETIC.mapOf(pixels.ravel().tolist(), 11, kernel.tolist(), border)
    modes = {"zero": "constant", "reflect": "reflect", "replicate": "edge"}
    wide = np.pad(pixels, size // 2, mode=modes[border])
    for row, col in [(0, 0), (4, 7), (10, 0), (3, 10), (10, 10)]:
        patch = ARITHMETIC.patchOf(values(made["wide"]), 11, size, [row, col])
        assert np.array_equal(patch, wide[row : row + size, col : col + size])
        assert patch[size // 2][size // 2] == pixels[row, col]
        assert (patch * kernel).sum() == pytest.approx(grid(made["map"], 11)[row, col] / 100)


def test_distance():
    one, other = np.random.default_rng(5).integers(-9999, 9999, (2, 400))
    assert ARITHMETIC.distanceOf(one.tolist(), one.tolist()) == 0
    expected = np.sqrt(np.mean((one - other) ** 2.0)) / 100
    assert ARITHMETIC.distanceOf(one.tolist(), other.tolist()) == pytest.approx(expected)


# ------------------------------------------------------------------ colours


def table(view):
    """The colours of the levels -255..255: red, green, blue."""
    found = np.array(values(ARITHMETIC.colourTable(view, FIGURE)))
    assert (found >> 24 == 255).all()  # nothing shows through
    return np.stack([found & 255, found >> 8 & 255, found >> 16 & 255], axis=1)


def test_zero_is_blank_the_sign_decides_the_hue_and_both_sides_are_alike():
    found = table("signed")
    share = np.arange(256)[:, None] / 255
    for side, hue in ((found[255:], "positive"), (found[255::-1], "negative")):
        expected = 255 + (np.array(FIGURE[hue]) - 255) * share
        assert np.abs(side - expected).max() <= 0.5
        assert (np.diff(side, axis=0) <= 0).all()  # never lighter at a higher level
    hexes = ["#{:02x}{:02x}{:02x}".format(*found[i]) for i in (-1, 0)]
    assert hexes == [colours.POSITIVE, colours.NEGATIVE]


def test_the_other_views():
    signed, blank = table("signed"), FIGURE["blank"]
    assert np.array_equal(table("absolute"), np.concatenate([signed[:254:-1], signed[256:]]))
    assert np.array_equal(table("relu")[255:], signed[255:])
    assert (table("relu")[:256] == blank).all()
    grey = np.maximum(np.arange(-255, 256), 0)[:, None].repeat(3, axis=1)
    assert np.array_equal(table("grey"), grey)


def test_a_map_is_painted_within_its_scale():
    numbers = [-30000, -20000, -10000, -30, 0, 40, 10000, 20000, 30000]  # in hundredths
    levels = ARITHMETIC.paintMap([], numbers, 200, list(range(-255, 256)))
    assert levels == [-255, -255, -127, 0, 0, 1, 127, 255, 255]


@pytest.mark.parametrize("factor", [1, 7, 300])
def test_the_scale_holds_all_but_a_hundredth(factor):
    numbers = np.random.default_rng(6).normal(0, 5000, 65536).astype(int) * factor
    scale = ARITHMETIC.scaleOf(numbers.tolist())
    assert scale == float(f"{scale:.2g}")
    assert (np.abs(numbers) / 100 > scale).mean() == pytest.approx(0.01, abs=0.005)
    assert ARITHMETIC.scaleOf((-numbers).tolist()) == scale


def test_the_scale_of_a_map_that_is_nearly_blank():
    assert ARITHMETIC.scaleOf([0] * 999) == 1
    assert ARITHMETIC.scaleOf([0] * 700 + [-12345] + [0] * 6000) == 120


# ------------------------------------------------------------------ words

VERTICAL = preset_kernel("vertical")
MEANINGS = [
    (VERTICAL, -143, 50, 200, "sum minus 143, a strong edge, darker on the right"),
    (VERTICAL, 60, 50, 200, "sum 60, a clear edge, brighter on the right"),
    (VERTICAL, 0, 50, 200, "sum 0, no answer: the two signs balance"),
    (preset_kernel("horizontal", 5), 1, 50, 200, "sum 1, a weak edge, brighter below"),
    (preset_kernel("rising"), -1, 0, 1, "sum minus 1, a strong edge, darker at the lower right"),
    (preset_kernel("falling", 7), 9, 0, 9, "sum 9, a strong edge, brighter at the upper right"),
    ([[1, 0, -1]] * 3, 9, 0, 9, "sum 9, a strong answer, brighter under the positive weights"),
    (preset_kernel("blur"), 90.5, 50, 9, "sum 90.5, 40.5 brighter than the pixel itself"),
    (preset_kernel("sharpen"), -8, 50, 9, "sum minus 8, 58 darker than the pixel itself"),
    (preset_kernel("identity"), 50, 50, 9, "sum 50, as bright as the pixel itself"),
    ([[0, 0, 0], [0, -2, 0], [0, 0, 0]], -80, 40, 9, "an even area of 40 gives minus 80"),
    ([[0] * 3] * 3, 0, 40, 1, "sum 0, every weight is 0"),
]


@pytest.mark.parametrize(("kernel", "total", "pixel", "most", "words"), MEANINGS)
def test_what_is_said_of_a_pixel(kernel, total, pixel, most, words):
    said = WORDS.probeSentence([120, 88], kernel, total, pixel, most)
    assert said.startswith(f"Row 120, column 88: {len(kernel) ** 2} products, sum ")
    assert said.endswith(f"{words}.")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("key", ["vertical", "horizontal", "rising", "falling"])
def test_an_edge_is_brighter_on_the_side_that_is_said(key, size):
    y, x = np.mgrid[:9, :9] - 4
    ramps = {"vertical": x, "horizontal": y, "rising": x + y, "falling": x - y}
    pixels = (128 + 10 * ramps[key]).ravel().tolist()
    made = ARITHMETIC.mapOf(pixels, 9, preset_kernel(key, size), "zero")
    assert grid(made["map"], 9)[4, 4] > 0


def test_numbers_in_cells_are_short():
    assert [WORDS.weightText(n, 3) for n in (0.1, -0.25, -1)] == ["0.1", "−0.25", "−1"]
    assert [WORDS.weightText(n, 7) for n in (0.02, -0.25, 10.5)] == [".02", "−.25", "10.5"]
    found = [WORDS.productText(n, 3) for n in (5.12, -12.24, 123.4, 0)]
    assert found == ["5.12", "−12.2", "123", "0"]
    assert [WORDS.productText(n, 7) for n in (5.12, -12.24, 0.3)] == ["5.1", "−12", "0.3"]


def test_each_map_to_match_is_one_twist_away_from_a_preset():
    near = ["vertical", "sharpen", "rising"]
    for i, (target, key) in enumerate(zip(KERNELS.TARGETS(), near, strict=True)):
        kernel, preset = np.array(target["kernel"]), np.array(preset_kernel(key))
        assert all(target["kernel"] != preset_kernel(key) for key in PRESETS)
        assert target["view"] == usual_view(target["kernel"])
        assert [np.array_equal(kernel, -preset), kernel[1, 1] == 9, kernel[0, 0] == -2][i]
        assert WORDS.targetSentence(i, 0) == f"Distance 0: found. {target['told']}"
        assert "found" not in WORDS.targetSentence(i, 0.01)
        assert target["told"] not in WORDS.targetSentence(i, 12.34)


# ------------------------------------------------------------------ code


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("border", BORDERS)
def test_the_script_makes_the_map_of_a_file(border, view, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(7).integers(0, 256, (SIDE, SIDE), np.uint8)
    Image.fromarray(pixels).save("photo.png")
    kernel = preset_kernel("sharpen", 5)
    explorer = PhotographExplorer(kernel=kernel, border=border, view=view)
    state = {"kernel": kernel, "border": border, "view": view}
    assert KERNELS.pytorchLine(state) == explorer.code
    names, said = {}, io.StringIO()
    with redirect_stdout(said):
        exec(KERNELS.pytorchScript(state).replace("photo.jpg", "photo.png"), names)
    expected = correlated(pixels, kernel, border)
    change = {"absolute": np.abs, "relu": lambda y: y.clip(0), "grey": lambda y: y.clip(0, 255)}
    expected = change.get(view, np.asarray)(expected)
    assert np.allclose(names["y"][0, 0], expected, rtol=0, atol=1e-9)
    assert said.getvalue().startswith(f"(1, 1, {SIDE}, {SIDE}) ")


# ------------------------------------------------------------------ what a notebook holds


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_only_the_photograph_shown_travels_and_little_of_it(name):
    explorer = PhotographExplorer(name)
    stored = b64decode(explorer.picture.removeprefix("data:image/webp;base64,"))
    with Image.open(io.BytesIO(stored)) as picture:
        assert picture.size == (SIDE, SIDE)
        grey = np.asarray(picture.convert("L"), float)
    assert len(json.dumps(explorer._repr_mimebundle_()[0])) < 60_000
    full = getattr(photographs, name)()[0] * 255
    original = np.asarray(
        Image.fromarray(full.round().byte().permute(1, 2, 0).numpy()).convert("L"), float
    )
    assert np.sqrt(np.mean((grey - original) ** 2)) < 5
    for key in MAPS:
        y = correlated(grey, preset_kernel(key), "zero")
        if key == "sharpen":
            expected = y.clip(0, 255)[..., None].repeat(3, axis=2)
        else:
            share = (y / np.sort(np.abs(y), axis=None)[int(0.99 * y.size)]).clip(-1, 1)[..., None]
            hue = np.where(share > 0, FIGURE["positive"], FIGURE["negative"])
            expected = 255 + (hue - 255) * np.abs(share)
        drawn = Image.fromarray(expected.round().astype(np.uint8)).resize((128, 128), 1)
        with Image.open(PICTURES / f"{name}_{key}.webp") as shown:
            found = np.asarray(shown.convert("RGB"), float)
        assert np.sqrt(np.mean((found - np.asarray(drawn, float)) ** 2)) < 20, key


def test_another_photograph_brings_its_picture():
    explorer = PhotographExplorer()
    explorer.photograph = "coffee"
    assert explorer.picture == PhotographExplorer("coffee").picture
    assert "coffee" not in repr(PhotographExplorer())


def test_the_static_form_shows_photograph_maps_and_weights():
    html = PhotographExplorer(preset="blur").static_html()
    assert re.findall('alt="(.+?)"', html) == [PHOTOGRAPHS["grace_hopper"], *MAPS.values()]
    assert html.count("data:image/webp;base64,") == 1 + len(MAPS)
    assert html.count("<td>0.1</td>") == 8
    assert "<code>F.conv2d(" in html


def test_the_key_says_where_a_colour_means_more_than_its_number():
    sums = [-50000, 0, 30000]  # hundredths
    ends = {
        ("signed", 440): ["≤ −440", "440"],
        ("absolute", 440): ["0", "≥ 440"],
        ("relu", 500): ["0", "500"],
        ("grey", 255): ["≤ 0", "≥ 255"],
    }
    for (view, most), expected in ends.items():
        assert WORDS.keyEnds(view, sums, most) == expected
