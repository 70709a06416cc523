"""The networks of the last chapter: they pass the grader, learn, and train from a terminal."""

import dataclasses
import json
import os

import pytest
import torch
from torch import nn

from convbook import cli, data
from convbook.analysis import trace
from convbook.grade import grade
from convbook.models import S7Fast, S7Net, S7Repaired, S7Tiny, identity_start
from convbook.nn.blocks import Residual, conv_block
from convbook.train import fit
from convbook.train.presets import PRESETS
from tests.helpers.toy_data import bands, write_folder

LIMITS = {"fast": 1_000_000, "s7": 1_000_000, "tiny": 12_000}


@pytest.fixture(autouse=True)
def alone(one_thread):
    """Let the tests that run beside these have the other processors."""


@pytest.mark.parametrize("name", PRESETS)
def test_presets_pass_the_grader(name):
    report = grade(PRESETS[name].network(), accuracy=0.8)
    assert report.passed, report


def test_the_repaired_network_lacks_nothing_but_training():
    assert [row.passed for row in grade(S7Repaired())] == [True] * 6 + [False]


@pytest.mark.parametrize("name", PRESETS)
def test_presets_keep_to_their_number_of_parameters(name):
    model = PRESETS[name].network()
    assert trace(model).params == sum(p.numel() for p in model.parameters()) < LIMITS[name]


@pytest.mark.parametrize("network", [S7Fast, S7Net, S7Repaired, S7Tiny])
@pytest.mark.parametrize(("size", "classes"), [((32, 32), 10), ((9, 9), 2), ((40, 56), 100)])
def test_sizes_and_classes(network, size, classes):
    x = torch.randn(2, 3, *size)
    assert network(classes).eval()(x).shape == (2, classes)


@pytest.mark.parametrize("network", [S7Fast, S7Net, S7Repaired, S7Tiny])
def test_it_can_be_made_without_weights(network):
    with torch.device("meta"):
        model = network()
        assert model(torch.empty(2, 3, 32, 32)).shape == (2, 10)


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_a_block_keeps_the_size(kernel_size, dilation):
    block = conv_block(2, 4, kernel_size, dilation=dilation)
    assert block(torch.randn(2, 2, 9, 7)).shape == (2, 4, 9, 7)
    pooled = conv_block(2, 4, kernel_size, pool=True, dilation=dilation)
    assert pooled(torch.randn(2, 2, 9, 7)).shape == (2, 4, 4, 3)


def test_pooling_before_batch_norm_and_relu_gives_the_same():
    """A max-pool and an increasing function change places; batch norm increases at the start."""
    before = conv_block(3, 4, pool=True).eval()
    conv, pool, norm, relu = before
    after = nn.Sequential(conv, norm, relu, pool).eval()
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(before(x), after(x), rtol=0, atol=0)


@pytest.mark.parametrize(("c_in", "c_out", "groups"), [(3, 3, 1), (3, 8, 1), (6, 6, 6), (4, 8, 2)])
@pytest.mark.parametrize("dilation", [1, 2])
def test_convolutions_begin_as_identities(c_in, c_out, groups, dilation):
    conv, *_ = conv_block(c_in, c_out, groups=groups, dilation=dilation)
    before = conv.weight.detach().clone()
    identity_start(conv)
    x = torch.randn(2, c_in, 9, 7)
    first = torch.arange(c_out).reshape(groups, -1)[:, : c_in // groups].flatten()
    assert torch.equal(conv(x)[:, first], x)
    others = [i for i in range(c_out) if i not in first]
    assert torch.equal(conv.weight[others], before[others])


def test_only_3x3_convolutions_begin_as_identities():
    for layer in (nn.Conv2d(3, 24, 2), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, (1, 3))):
        before = layer.weight.detach().clone()
        assert torch.equal(identity_start(layer).weight, before)


def test_a_residual_adds_what_its_layers_say():
    layers = [conv_block(4, 4), conv_block(4, 4, dilation=2)]
    x = torch.randn(2, 4, 9, 9)
    assert torch.equal(Residual(*layers).eval()(x), x + layers[1](layers[0](x)))


@pytest.mark.parametrize("name", PRESETS)
def test_presets_learn(name):
    """Four classes by chance alone would be a quarter right."""
    torch.manual_seed(0)
    preset = PRESETS[name]
    config = dataclasses.replace(
        preset.config, epochs=12, batch_size=32, max_lr=0.1, ema_decay=0.8, precision="float32"
    )
    done = fit(preset.network(4), bands(), config, progress=False)
    assert done.test["accuracy"] > 0.6


def test_a_preset_from_a_terminal(tmp_path, capsys):
    write_folder(bands(), tmp_path / "bands")
    options = ["--data", str(tmp_path / "bands"), "--folder", str(tmp_path / "run")]
    given = ["--epochs", "1", "--batch-size", "32", "--device", "cpu"]
    assert cli.main(["train", "tiny", *options, *given]) == 0
    assert "convbook grade tiny --weights" in capsys.readouterr().out
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    expected = dataclasses.replace(PRESETS["tiny"].config, epochs=1, batch_size=32)
    assert record["network"] == "S7Tiny"
    assert record["config"] == expected.to_dict()


@pytest.mark.skipif("CONVBOOK_DATA" not in os.environ, reason="needs CIFAR-10: set CONVBOOK_DATA")
def test_fast_learns_cifar10(tmp_path):
    """The folder that CONVBOOK_DATA names is CIFAR-10, as JPEG files, say."""
    torch.manual_seed(0)
    preset = PRESETS["fast"]
    done = fit(preset.network(), data.load(os.environ["CONVBOOK_DATA"]), preset.config, tmp_path)
    assert done.test["images"] == 10_000
    assert done.test["accuracy"] >= 0.75
