"""The interlude, What a loss sees: its quiz answers, its exercises, and what was recorded."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from convbook.course import runs
from convbook.course.checks import what_a_loss_sees as exercises
from convbook.course.experiments import style
from convbook.course.photographs import grace_hopper
from tests.helpers.attempts import assert_right, assert_wrong

MAPS = torch.tensor([[[1, 2], [0, 1]], [[0, 1], [3, 0]]])


def opening_question():
    for cloth in style.dots(), style.weave():
        missing, other = cloth[..., :48, :48], cloth[..., 45:93, 43:91]
        card = missing.mean(dim=(2, 3), keepdim=True).expand_as(missing)
        assert F.mse_loss(other, missing) > 1.9 * F.mse_loss(card, missing)
    return "A, the plain card, both times"


def absolute_error():
    answers, guesses = [0, 0, 1], [Fraction(n, 6) for n in range(7)]
    costs = {guess: sum(abs(answer - guess) for answer in answers) for guess in guesses}
    best = min(costs, key=costs.get)
    assert min(guesses, key=lambda g: sum((a - g) ** 2 for a in answers)) == Fraction(1, 3)
    assert (costs[Fraction(1, 3)] / 3, costs[Fraction(1, 2)] / 3) == (
        Fraction(4, 9),
        Fraction(1, 2),
    )
    return str(best)


def shuffled():
    def products(first, second):
        rows = torch.stack([first, second]).flatten(1)
        return (rows @ rows.T).flatten().tolist()

    first, second = MAPS
    changes = {
        "turn both maps upside down": (first.flip(0), second.flip(0)),
        "turn only the second map upside down": (first, second.flip(0)),
        "double the second map": (first, 2 * second),
    }
    assert products(first, second) == [6, 2, 2, 10]
    (right,) = [
        change
        for change, maps in changes.items()
        if products(*maps)[1] != 2 and products(*maps)[::3] == [6, 10]
    ]
    return right


def portrait_as_texture():
    """Is the picture near in its Gram matrices, and as far as any from the portrait's places?"""
    photo, bank = grace_hopper(48).double().contiguous(), style.filters(5)
    mean = photo.mean(dim=(2, 3), keepdim=True).expand_as(photo)
    dice = torch.Generator().manual_seed(0)
    noise = mean + 0.1 * torch.randn(photo.shape, generator=dice).double()
    drawn = style.paint(noise, lambda x: style.gram_loss(x, photo, bank), 40)
    assert style.gram_loss(drawn, photo, bank) < 0.1 * style.gram_loss(mean, photo, bank)
    assert F.mse_loss(drawn, photo) > F.mse_loss(mean, photo)
    return "her colours and edges, scattered over the picture"


def psnr_with_gram():
    recorded = rows_of_the_record()
    alone, much = (
        mean(recorded["shuffle, ICNR", loss], "psnr") for loss in ("squared error", "+ much Gram")
    )
    loss_in_db = min((0.3, 3, 10), key=lambda guess: abs(math.log(guess / (alone - much))))
    return f"it falls by about {loss_in_db} decibels"


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "absolute-error": absolute_error,
    "shuffled": shuffled,
    "portrait-as-texture": portrait_as_texture,
    "psnr-with-gram": psnr_with_gram,
}


# ----------------------------------------------------------------------------------- the record


def rows_of_the_record():
    record = runs.load("interlude_what_a_loss_sees")
    return {(row["network"], row["loss"]): row["runs"] for row in record["rows"]}


def mean(recorded, key):
    return sum(one[key] for one in recorded) / len(recorded)


def test_what_the_page_says_of_the_record():
    record, rows = runs.load("interlude_what_a_loss_sees"), rows_of_the_record()
    truth = record["truth"]["sharpness"]
    assert round(truth, 3) == 0.072
    assert all([one["seed"] for one in done] == [0, 1, 2, 3, 4] for done in rows.values())
    sharp = {key: mean(done, "sharpness") for key, done in rows.items()}
    psnr = {key: mean(done, "psnr") for key, done in rows.items()}
    shuffle, resize = style.NETWORKS
    plain = shuffle, "squared error"
    assert 0.8 < psnr[shuffle, "+ content"] - psnr[plain] < 1
    assert abs(sharp[shuffle, "+ content"] - sharp[plain]) < 0.001
    assert 1.4 < sharp[shuffle, "+ a little Gram"] / sharp[plain] < 1.6
    assert abs(sharp[shuffle, "+ much Gram"] - truth) < 0.003
    assert 2.5 < psnr[plain] - psnr[shuffle, "+ much Gram"] < 3
    lost = [
        plain["psnr"] - one["psnr"]
        for plain, one in zip(
            rows[resize, "squared error"], rows[resize, "+ much Gram"], strict=True
        )
    ]
    assert sorted(map(round, lost)) == [2, 2, 2, 3, 5]
    assert sharp[resize, "+ much Gram"] < truth / 2
    flat = {key: [one["flat"] for one in done] for key, done in rows.items()}
    assert (min(flat[shuffle, "+ much Gram"]), max(flat[plain])) == (2.8, 2.39)
    assert round(mean(rows[shuffle, "+ much Gram"], "flat")) == 7
    assert all(level == 0 for key, levels in flat.items() if key[0] == resize for level in levels)


def test_the_recorder_does_what_is_recorded_in_fewer_steps():
    from benchmarks import record_interlude_what_a_loss_sees as recorder  # noqa: PLC0415

    row = recorder.train_one("resize", "+ a little Gram", seed=0, steps=2)
    recorded = rows_of_the_record()["resize", "+ a little Gram"][0]
    assert row.keys() == recorded.keys()
    assert len(row["eye"]) == len(recorded["eye"]) == 2 * 64 * 64


# ------------------------------------------------------------------------------- the experiment


def test_gram_forgets_where_and_keeps_what_meets():
    maps = torch.randn(1, 3, 4, 5).double()
    moved = maps.flatten(2)[..., torch.randperm(20)].reshape(maps.shape)
    assert torch.allclose(style.gram(moved), style.gram(maps))
    one_moved = torch.cat([maps[:, :1], moved[:, 1:]], dim=1)
    assert torch.allclose(style.gram(one_moved).diagonal(dim1=1, dim2=2),
                          style.gram(maps).diagonal(dim1=1, dim2=2))  # fmt: skip
    assert not torch.allclose(style.gram(one_moved), style.gram(maps))


def test_filters_see_no_flat_colour_and_a_shift_changes_no_gram():
    flat = torch.full((1, 3, 16, 16), 0.3).double()
    *_, coarse = style.look(flat, style.filters())
    assert coarse[:, :32].abs().max() < 1e-12
    texture = style.dots(32)
    shifted = texture.roll((4, 8), dims=(2, 3))
    assert style.gram_loss(shifted, texture, style.filters()) < 1e-20
    assert style.content_loss(shifted, texture, style.filters()) > 0.1


def test_the_gram_loss_falls_under_a_faint_checkerboard_and_squared_error_does_not():
    sharp = grace_hopper(192).double().mean(dim=1, keepdim=True)
    soft = F.interpolate(F.avg_pool2d(sharp, 3), scale_factor=3, mode="bicubic")
    tile = torch.tensor([[1, -1, 0], [-1, 1, 0], [0, 0, 0]]).repeat(64, 64) * 1.5 / 255
    bank = style.filters(5, count=48, channels=1)
    by_gram = [style.gram_loss(soft + n * tile, sharp, bank, (1, 2)).item() for n in (0, 4, 8)]
    by_pixel = [F.mse_loss(soft + n * tile, sharp).item() for n in (0, 4, 8)]
    assert by_gram == sorted(by_gram, reverse=True)
    assert by_pixel == sorted(by_pixel)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: style.filters(4), "size=4 has no middle"),
        (lambda: style.upscaler("bicubic"), "kind='bicubic' is unknown"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# ------------------------------------------------------------------------------------ exercises


class TestGrams:
    check = staticmethod(exercises.check_grams)

    def test_loops_einsum_and_numpy_are_right(self):
        def loops(maps):
            found = []
            for picture in maps:
                rows = [[x for line in m for x in line] for m in picture]
                found.append(
                    [[sum(a * b for a, b in zip(r, s, strict=True)) / len(r) for s in rows]
                     for r in rows]
                )  # fmt: skip
            return found

        def einsum(maps):
            x = torch.tensor(maps, dtype=torch.float32)
            return torch.einsum("nchw,ndhw->ncd", x, x) / (x.shape[2] * x.shape[3])

        def numpy(maps):
            x = np.array(maps, float)
            rows = x.reshape(*x.shape[:2], -1)
            return rows @ rows.transpose(0, 2, 1) / rows.shape[-1]

        for right in (loops, einsum, numpy):
            assert_right(right, self.check)

    def test_slips_get_their_hints(self):
        def tensor(maps):
            return torch.tensor(maps).double()

        def first_only(maps):
            return style.gram(tensor(maps))[:1]

        def product(maps):
            rows = tensor(maps).flatten(2)
            return rows @ rows.mT

        def johnson(maps):
            rows = tensor(maps).flatten(2)
            return rows @ rows.mT / rows[0].numel()

        def one_table(maps):
            return style.gram(tensor(maps)).mean(dim=0)

        def transposed(maps):
            rows = tensor(maps).flatten(2)
            return rows.mT @ rows / rows.shape[-1]

        def covariance(maps):
            return [torch.cov(one.flatten(1), correction=0) for one in tensor(maps)]

        assert_wrong(product, self.check, "not divided yet")
        assert_wrong(johnson, self.check, "number of maps")
        assert_wrong(one_table, self.check, "one matrix for the whole batch")
        assert_wrong(transposed, self.check, "wrong way round")
        assert_wrong(first_only, self.check)
        assert_wrong(covariance, self.check, "covariance")


class TestBlindTo:
    check = staticmethod(exercises.check_blind_to)

    @staticmethod
    def attempt(picture, is_small=lambda error: abs(float(error)) < 1e-6):
        def blind_to(loss):
            changes = exercises.CHANGES.items()
            return [name for name, change in changes if is_small(loss(picture, change(picture)))]

        return blind_to

    def test_many_pictures_will_do(self):
        for seed, side, dtype in (
            (5, 8, torch.float64),
            (6, 12, torch.float32),
            (7, 9, torch.float64),
        ):
            dice = torch.Generator().manual_seed(seed)
            assert_right(
                self.attempt(torch.rand(1, 1, side, side, generator=dice).to(dtype)), self.check
            )
        photo = grace_hopper(32).double().mean(dim=1, keepdim=True)
        assert_right(self.attempt(photo), self.check)
        backwards = self.attempt(photo)
        assert_right(lambda loss: tuple(reversed(backwards(loss))), self.check)

    def test_slips_get_their_hints(self):
        noise = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(9))
        attempt = self.attempt
        assert_wrong(attempt(torch.zeros(1, 1, 6, 6)), self.check, "flat picture")
        assert_wrong(attempt(torch.ones(1, 1, 8, 8)), self.check, "flat picture")
        stripes = torch.arange(8.0).expand(1, 1, 8, 8)
        assert_wrong(attempt(stripes), self.check, "without symmetry")
        assert_wrong(attempt(stripes.double() / 10), self.check, "without symmetry")
        sees = attempt(noise, lambda error: abs(float(error)) > 1e-6)
        assert_wrong(sees, self.check, "The exercise asks for the others")
        exact = attempt(noise.float(), lambda error: float(error) == 0)
        assert_wrong(exact, self.check, "Rounding")
        assert_wrong(attempt(noise, lambda error: error > 1e-6), self.check, "others")
        right = attempt(noise.double())
        assert_wrong(lambda loss: right(loss)[:1], self.check, "every name")
        assert_wrong(lambda loss: [], self.check)
        assert_wrong(lambda loss: list(exercises.CHANGES), self.check)


class TestEye:
    check = staticmethod(exercises.check_eye)

    def test_three_ways_are_right(self):
        def by_null_space(sees, blind):
            windows = exercises.windows_of(blind)
            null = torch.linalg.svd(windows, full_matrices=True).Vh
            rank = int(torch.linalg.matrix_rank(windows))
            answers = exercises.windows_of(sees) @ null[rank:].T
            return null[rank + int(answers.abs().amax(dim=0).argmax())].reshape(3, 3)

        def by_pairs(sees, blind):
            """Look for a difference of two pixels that fits."""
            places = [(r, c) for r in range(3) for c in range(3)]
            for plus in places:
                for minus in places:
                    kernel = np.zeros((3, 3))
                    kernel[plus] += 1
                    kernel[minus] -= 1
                    if exercises.eye_verdict(kernel, sees, blind) == exercises.RIGHT_EYE:
                        return kernel
            return 100 * np.array(exercises.eye_for(sees, blind))

        def in_float32(sees, blind):
            return torch.tensor(exercises.eye_for(sees, blind)).float()

        for right in (by_null_space, by_pairs, in_float32):
            assert_right(right, self.check)

    def test_slips_get_their_hints(self):
        def always(kernel):
            return lambda sees, blind: kernel

        laplacian = [[0, 1, 0], [1, -4, 1], [0, 1, 0]]
        across = [[0, 0, 0], [0, 1, -1], [0, 0, 0]]
        assert_wrong(always(laplacian), self.check, "must add up to 0")
        assert_wrong(always(across), self.check)
        assert_wrong(always([[1] * 3] * 3), self.check, "must add up to 0")
        assert_wrong(always([[0.0] * 3] * 3), self.check, "zeros is blind to everything")
        assert_wrong(always([1, -1]), self.check, "three rows of three")
        assert_wrong(lambda sees, blind: exercises.eye_for(blind, sees), self.check, "other way")
        assert_wrong(lambda sees, blind: [line[:3] for line in sees[:3]], self.check, "add up to 0")
        assert_wrong(lambda sees, blind: sees, self.check, "three rows of three")
        assert_wrong(lambda sees, blind: "nine", self.check)

    def test_all_tiles_have_one_histogram(self):
        tiles = [case["sees"] for case in self.check.cases]
        assert {sum(map(sum, tile)) for tile in tiles} == {8}
