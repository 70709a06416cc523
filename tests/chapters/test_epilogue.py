"""The epilogue, Why still convolution?: its quiz answer, and what it says of what it visits."""

import pytest
import torch
from torch import nn
from torchvision.models import convnext_tiny, get_weight, vit_b_16

from convbook.analysis import trace
from convbook.course.experiments import denoising
from convbook.course.experiments.segmentation import SmallUNet
from convbook.course.photographs import grace_hopper


def opening_question():
    with torch.device("meta"):
        layers = [m for m in vit_b_16().modules() if not [*m.children()]]
    first = layers[0]
    assert isinstance(first, nn.Conv2d)
    assert first.kernel_size == first.stride == (16, 16)
    return "a convolution"


QUIZ_ANSWERS = {"opening-question": opening_question}


def test_a_block_of_convnext_looks_for_a_small_share_of_its_work():
    with torch.device("meta"):
        block = convnext_tiny().features[1][0]
    rows = [row for row in trace(block, (96, 56, 56)) if row.macs]
    depthwise, *linear = rows
    assert (depthwise.groups, depthwise.kernel) == (96, 7)
    assert [row.op for row in linear] == ["linear", "linear"]
    assert round(100 * depthwise.macs / sum(row.macs for row in rows)) == 6


def test_torchvision_counts_multiply_adds_as_the_book_does():
    known = get_weight("ResNet50_Weights.IMAGENET1K_V2").meta
    assert known["_ops"] == pytest.approx(4.08918, abs=0.001)
    assert known["num_params"] == 25_557_032


def test_nearly_all_parameters_of_the_u_are_in_3_by_3_kernels():
    network = SmallUNet()
    windows = [m for m in network.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)]
    inside = sum(p.numel() for window in windows for p in window.parameters())
    whole = sum(p.numel() for p in network.parameters())
    assert whole == 14_264
    assert inside > 0.98 * whole


class TestDenoising:
    def test_the_noise_is_what_was_added(self):
        torch.manual_seed(0)
        batches = [*denoising.noisy_crops(2, batch_size=3, side=16)]
        assert len(batches) == 2
        for noisy, noise in batches:
            assert noisy.shape == noise.shape == (3, 3, 16, 16)
            clean = noisy - noise
            assert clean.min() > -1e-5
            assert clean.max() < 1 + 1e-5
            assert noise.std().item() == pytest.approx(denoising.NOISE, rel=0.15)

    def test_a_seed_repeats_the_weights(self):
        one, other, third = (denoising.train_denoiser(steps=2, seed=seed) for seed in (3, 3, 4))
        assert all(map(torch.equal, one.parameters(), other.parameters()))
        assert not all(map(torch.equal, one.parameters(), third.parameters()))

    def test_a_few_steps_take_noise_away(self):
        network = denoising.train_denoiser(steps=60)
        assert not network.training
        clean = grace_hopper(64)
        noisy = clean + denoising.NOISE * torch.randn(clean.shape)
        with torch.no_grad():
            left = noisy - network(noisy) - clean
        assert left.std() < 0.8 * denoising.NOISE

    @pytest.mark.parametrize("wrong", [{"steps": 1}, {"seed": -1}])
    def test_a_setting_out_of_range_is_named(self, wrong):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            denoising.train_denoiser(**wrong)
