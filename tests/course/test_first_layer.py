"""What a first layer learns: the networks, the scrambled pictures, the measure, the recorder."""

import json

import pytest
import torch
from torch import nn

from convbook.course import runs
from convbook.course.experiments import first_layer
from convbook.data import Dataset, Split
from tests.helpers.checkout import ROOT
from tests.helpers.recorders import load_recorder


def pictures(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(256, (count, 3, 32, 32), dtype=torch.uint8, generator=generator)
    return Split(images, torch.arange(count) % 2)


def test_scrambling_moves_all_channels_and_pictures_alike_and_loses_nothing():
    images = pictures(3).images
    mixed = first_layer.scrambled(images)
    places = torch.arange(1024.0).reshape(1, 1, 32, 32).expand(3, 3, 32, 32)
    order = first_layer.scrambled(places)
    assert (order == order[:1, :1]).all()
    assert order.unique().numel() == 1024
    assert mixed.equal(images.flatten(-2)[..., order[0, 0].flatten().long()].reshape(images.shape))


def test_to_a_linear_layer_scrambled_pixels_are_another_order_of_its_weights():
    x, layer = torch.rand(4, 3, 32, 32).double(), nn.Linear(3072, 5).double()
    weight = layer.weight.detach().reshape(5, 3, 32, 32)
    moved = first_layer.scrambled(weight).flatten(1)
    answers = first_layer.scrambled(x).flatten(1) @ moved.T + layer.bias
    assert torch.allclose(answers, layer(x.flatten(1)))


def test_neighbours_of_random_weights_are_unrelated_and_of_a_smooth_kernel_alike():
    torch.manual_seed(0)
    noise = torch.randn(200, 3, 7, 7)
    assert abs(first_layer.alike(noise)) < 0.05
    smooth = nn.functional.avg_pool2d(torch.randn(200, 3, 9, 9), 3, 1)
    assert first_layer.alike(smooth) > 0.4
    assert abs(first_layer.alike(torch.rand(200, 3, 7, 7))) < 0.05


def test_the_recorder_keeps_what_the_chapter_draws(monkeypatch):
    recorder = load_recorder(ROOT / "benchmarks" / "record_01_first_layer.py", monkeypatch)
    monkeypatch.setattr(first_layer, "BATCH", 4)
    data = Dataset("toy", ["one", "two"], pictures(12), pictures(0), pictures(6, 1))
    found = recorder.record(data, (0, 1), every=2, measured=5)
    kept = runs.load("01_first_layer")
    assert set(found) <= set(kept)
    assert list(found["weights"]) == list(kept["weights"])
    assert list(found["networks"]) == list(kept["networks"])
    for name, one in found["networks"].items():
        assert set(one["runs"][0]) == set(kept["networks"][name]["runs"][0])
        assert one["runs"][0]["seen"] == [0, 8, 16, 24]
    json.dumps(found)


def test_the_same_seed_learns_the_same():
    def filters():
        torch.manual_seed(3)
        network = first_layer.windows(2)
        first_layer.learn(network, pictures(200), pictures(4), seed=5, every=10)
        return network[0].weight.detach()

    assert filters().equal(filters())


def test_stripes_go_the_way_that_their_kind_says():
    """Without the noise a picture stays the same along its stripes."""
    found, kinds = first_layer.stripes(4000, torch.Generator().manual_seed(0))
    ways = {"vertical": (1, 0), "horizontal": (0, 1), "diagonal /": (-1, 1), "diagonal \\": (1, 1)}
    for kind, name in enumerate(first_layer.DIRECTIONS):
        own = found[kinds == kind][:, 0]
        products = {
            other: (own * own.roll(move, dims=(-2, -1))).mean().item()
            for other, move in ways.items()
        }
        assert max(products, key=products.get) == name


@pytest.mark.parametrize("network", [first_layer.windows, first_layer.connected])
def test_learning_lowers_the_errors_on_the_very_pictures(network):
    torch.manual_seed(0)
    images = pictures(400)
    bright = Split(
        (images.images // 2 + 127 * images.labels[:, None, None, None].byte()).byte(), images.labels
    )
    found = first_layer.learn(network(2), bright, bright, seed=0, every=2)
    assert found["right"][-1] > 0.9
