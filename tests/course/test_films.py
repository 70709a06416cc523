"""Films: a row for each name, a column for each step, one scale for what has a sign."""

import pytest
import torch

from convbook.course import figures


def state(frames, titles, **settings):
    return figures.film(frames, titles, **settings).stored


def test_each_row_has_its_name_and_the_first_has_the_titles():
    stored = state({"one": torch.rand(2, 3, 4, 5), "two": torch.rand(2, 3, 4, 5)}, ["a", "b"])
    assert stored["columns"] == 2
    assert stored["names"] == "left"
    assert [row["name"] for row in stored["rows"]] == ["one", "two"]
    titles = [[picture["title"] for picture in row["pictures"]] for row in stored["rows"]]
    assert titles == [["a", "b"], ["", ""]]
    assert {(p["width"], p["height"]) for row in stored["rows"] for p in row["pictures"]} == {
        (5, 4)
    }


def test_maps_with_a_sign_share_one_scale_over_all_rows():
    weak, strong = torch.tensor([[1.0, -1.0]]), torch.tensor([[4.0, -4.0]])
    together = state({"weak": [weak], "strong": [strong]}, ["a"], signed=True)
    alone = state({"weak": [weak]}, ["a"], signed=True)
    pngs = [row["pictures"][0]["png"] for row in together["rows"]]
    assert pngs[0] != alone["rows"][0]["pictures"][0]["png"]
    assert pngs[1] == alone["rows"][0]["pictures"][0]["png"]


def test_films_are_the_same_on_each_run():
    frames = {"one": torch.eye(3)[None].repeat(2, 1, 1)}
    first, second = (figures.film(frames, ["a", "a long title"]) for _ in range(2))
    assert first.data == second.data
    assert first.stored == second.stored


@pytest.mark.parametrize(
    ("frames", "titles", "message"),
    [
        ({}, ["a"], "frames has 0 rows"),
        ({"one": [torch.eye(2)]}, [], "titles has 0"),
        ({"one": [torch.eye(2)]}, ["a", "b"], r"frames\['one'\] has 1 pictures for 2 titles"),
        ({"one": [torch.eye(2)], "two": [torch.eye(3)]}, ["a"], r"sizes \[\(2, 2\), \(3, 3\)\]"),
        ({"one": [torch.rand(2, 3, 3)]}, ["a"], r"shape \(2, 3, 3\)"),
    ],
)
def test_refusals(frames, titles, message):
    with pytest.raises(ValueError, match=message):
        figures.film(frames, titles)
