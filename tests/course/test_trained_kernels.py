"""Trained kernels taken apart: what is exact, what is nearest, and the recorder."""

import json

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from convbook.course.experiments import trained_kernels
from convbook.data import Dataset, Split
from convbook.models import S7Repaired
from convbook.nn import DepthwiseSeparableConv2d, SpatiallySeparableConv2d
from convbook.train.augment import to_float
from tests.helpers.checkout import ROOT
from tests.helpers.recorders import load_recorder


def pictures(count=6):
    torch.manual_seed(0)
    images = torch.randint(256, (count, 3, 32, 32), dtype=torch.uint8)
    return Split(images, torch.arange(count) % 2)


def test_a_pair_has_one_term_a_channel_and_a_swapped_pair_one_a_filter():
    torch.manual_seed(0)
    pair = DepthwiseSeparableConv2d(6, 8, 3, bias=False).double().as_conv2d().weight.detach()
    kernels, mixing = torch.randn(8, 1, 3, 3).double(), torch.randn(8, 6, 1, 1).double()
    swapped = kernels * mixing
    for weight, way, other in ((pair, "channel", "filter"), (swapped, "filter", "channel")):
        assert trained_kernels.kept(weight, way)[0] == 1
        assert trained_kernels.kept(weight, other)[0] < 0.9
        assert torch.allclose(trained_kernels.nearest(weight, 1, way), weight)


def test_columns_times_rows_are_those_of_the_books_layer():
    torch.manual_seed(0)
    weight = torch.randn(4, 3, 3, 3).double()
    for terms in (1, 2, 3):
        layer = SpatiallySeparableConv2d.from_kernel(weight, terms)
        near = trained_kernels.nearest(weight, terms, "kernel")
        assert torch.allclose(layer.dense()[0], near)
        share = trained_kernels.kept(weight, "kernel")[terms - 1]
        assert share == pytest.approx(1 - layer.error**2, abs=1e-3)


@pytest.mark.parametrize("way", trained_kernels.WAYS)
def test_what_is_kept_is_what_the_nearest_weight_keeps(way):
    torch.manual_seed(0)
    weight = torch.randn(12, 10, 3, 3).double()
    for terms, share in enumerate(trained_kernels.kept(weight, way), start=1):
        rest = weight - trained_kernels.nearest(weight, terms, way)
        assert 1 - rest.square().sum() / weight.square().sum() == pytest.approx(share, abs=1e-3)


def test_all_but_the_first_standard_layer_are_replaced_and_the_network_stays():
    torch.manual_seed(0)
    model = S7Repaired().eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    changed = trained_kernels.replaced(model, 1)
    after = changed.state_dict()
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    different = {name for name, value in after.items() if not torch.equal(before[name], value)}
    assert different == {f"{name}.weight" for name in ("c2.0", "c3.0", "c4.0.0")}
    assert not changed.training


def test_norms_measure_anew():
    torch.manual_seed(0)
    images = pictures().images
    changed = trained_kernels.replaced(S7Repaired(), 9, pictures=images)
    with torch.no_grad():
        maps = changed.c1[0](to_float(images))
    norm = next(one for one in changed.modules() if isinstance(one, nn.BatchNorm2d))
    assert torch.allclose(norm.running_mean, maps.mean((0, 2, 3)), atol=1e-4)
    assert torch.allclose(norm.running_var, maps.var((0, 2, 3)), rtol=1e-3)


def test_an_unknown_way_is_refused():
    with pytest.raises(ValueError, match="way='row' is unknown"):
        trained_kernels.kept(torch.ones(1, 1, 3, 3), "row")


def test_written_weights_come_back_to_a_byte():
    torch.manual_seed(0)
    weight = torch.randn(4, 3, 3, 3)
    written = json.loads(json.dumps(trained_kernels.to_text(weight)))
    back = trained_kernels.from_text(written)
    assert back.shape == weight.shape
    assert (back - weight).abs().max() <= weight.abs().max() / 254 + 1e-6


def test_the_recorder_keeps_what_the_chapter_draws(tmp_path, monkeypatch):
    recorder = load_recorder(ROOT / "benchmarks" / "record_08_trained_kernels.py", monkeypatch)
    for seed in (3, 4):
        folder = tmp_path / f"repaired-{seed}"
        folder.mkdir()
        torch.manual_seed(seed)
        save_file(S7Repaired(2).state_dict(), folder / "model.safetensors")
        (folder / "run.json").write_text(json.dumps({"commit": "abc", "epochs": [{}, {}]}))
    few = dict.fromkeys(trained_kernels.WAYS, (1,))
    monkeypatch.setattr(trained_kernels, "TERMS", few)
    data = Dataset("two", ("a", "b"), pictures(), pictures(), pictures(4))
    found = json.loads(json.dumps(recorder.record(tmp_path, (3, 4), data)))
    assert [one["seed"] for one in found["runs"]] == [3, 4]
    assert found["trained_at"] == "abc"
    assert found["epochs"] == 2
    assert found["pictures"] == {"test": 4, "measured": 6}
    torch.manual_seed(3)
    weight = S7Repaired(2).c2[0].weight
    shown = trained_kernels.from_text(found["weights"])
    assert (shown - weight).abs().max() < weight.abs().max() / 250
    for one in found["runs"]:
        assert set(one["kept"]) == {"c2.0", "c3.0", "c4.0.0"}
        for rights in (one["right"], one["right_with_new_norms"]):
            assert all(len(values) == 1 and 0 <= values[0] <= 1 for values in rights.values())
