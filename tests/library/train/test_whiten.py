"""Whitening: the first convolution's answers are uncorrelated, of equal size, and stay so."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convbook.train import fit
from convbook.train.augment import to_float
from convbook.train.whiten import whiten, whitening_filters
from tests.helpers.refusals import whole
from tests.helpers.toy_data import CONFIG, bands, network

pytestmark = pytest.mark.usefixtures("one_thread")


def pictures(channels=3, size=(12, 10), count=64):
    """Return pictures whose neighbours and channels are alike, as in photographs."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(count, channels, *size, generator=generator)
    smooth = F.avg_pool2d(noise, 3, stride=1, padding=1) + noise.mean(1, keepdim=True)
    return (smooth / smooth.max() * 255).to(torch.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kernel_size", [(2, 2), (3, 3), (1, 4), (3, 2)])
def test_answers_are_uncorrelated_and_of_equal_size(channels, kernel_size):
    images = pictures(channels)
    filters = whitening_filters(images, kernel_size)
    count = channels * kernel_size[0] * kernel_size[1]
    assert filters.shape == (count, channels, *kernel_size)
    answers = F.conv2d(to_float(images).double(), filters)  # (N, count, H_out, W_out)
    covariance = torch.cov(answers.transpose(0, 1).flatten(1))
    torch.testing.assert_close(covariance, torch.eye(count).double(), rtol=0, atol=1e-4)


def test_plain_patches_have_other_answers():
    """The pictures are not white already: without the filters the test above would fail."""
    patches = F.unfold(to_float(pictures()).double(), 2).transpose(0, 1).flatten(1)
    covariance = torch.cov(patches)
    assert not torch.allclose(covariance, torch.eye(12).double() * covariance[0, 0], atol=1e-3)


def test_what_varies_most_comes_first_and_epsilon_dampens_what_varies_least():
    plain = whitening_filters(pictures(), (2, 2)).flatten(1).norm(dim=1)
    assert torch.equal(plain, plain.sort().values)  # the norm is one over the deviation
    dampened = whitening_filters(pictures(), (2, 2), epsilon=0.01).flatten(1).norm(dim=1)
    torch.testing.assert_close(dampened, 1 / (1 / plain**2 + 0.01).sqrt())


@pytest.mark.parametrize("out_channels", [8, 24, 30])
def test_filters_come_with_their_negatives(out_channels):
    layer = nn.Conv2d(3, out_channels, 2)
    before = layer.weight.detach().clone()
    whiten(layer, pictures(), epsilon=0.01)
    half = min(out_channels // 2, 12)
    expected = whitening_filters(pictures(), (2, 2), epsilon=0.01)[:half].float()
    assert torch.equal(layer.weight[:half], expected)
    assert torch.equal(layer.weight[half : 2 * half], -expected)
    assert torch.equal(layer.weight[2 * half :], before[2 * half :])


def test_the_filters_stay_as_they_are_and_a_run_goes_on_with_them(tmp_path):
    config = dataclasses.replace(CONFIG, whiten=True)
    straight, stopped, resumed = network(), network(), network()
    fit(straight, bands(), config, progress=False)
    fit(stopped, bands(), config, tmp_path, until=2, progress=False)
    fit(resumed, bands(), config, tmp_path, resume=True, progress=False)
    for name, value in straight.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    expected = network()
    whiten(expected, bands().train.images)
    torch.testing.assert_close(straight[0].weight, expected[0].weight, rtol=1e-6, atol=1e-6)
    assert not torch.equal(straight[0].bias, expected[0].bias)  # the bias does learn


READS_NOT_ALL = "which does not read all 3 channels of the pictures at once"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.Linear(3, 3), "the network has no nn.Conv2d"),
        (nn.Conv2d(4, 8, 2), f"the first nn.Conv2d is Conv2d(4, 8, …), {READS_NOT_ALL}"),
        (nn.Conv2d(3, 6, 2, groups=3), f"the first nn.Conv2d is Conv2d(3, 6, …), {READS_NOT_ALL}"),
    ],
)
def test_other_first_layers_are_refused(model, message):
    told = f"whiten=True, but {message}; use whiten=False"
    with pytest.raises(ValueError, match=whole(told)):
        whiten(model, pictures())
