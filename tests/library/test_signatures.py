"""Names, order and defaults of what readers call: those of the design, some of them PyTorch's."""

import inspect

import pytest
import torch.nn.functional as F

from convbook import analysis, arithmetic, functional, grade, train
from convbook.grade.evaluate import evaluate as evaluate_grade
from convbook.grade.evaluate import grade_address
from convbook.grade.report import Report
from convbook.train.augment import augment
from convbook.train.distributed import deterministic
from convbook.train.fitting import epoch_batches
from convbook.train.optimisation import make_step
from convbook.train.whiten import whiten, whitening_filters
from tests.helpers.signatures import without_types

CONV = "(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1)"
SIZE = "input_size=(3, 32, 32)"
SIGNATURES = {
    functional.conv2d: CONV,
    functional.conv2d_loops: CONV,
    functional.conv2d_matrix: ("(weight, input_size, stride=1, padding=0, dilation=1, groups=1)"),
    functional.conv_transpose2d: (
        "(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1)"
    ),
    arithmetic.conv_output_size: "(input_size, kernel_size, stride=1, padding=0, dilation=1)",
    arithmetic.conv_transpose_output_size: (
        "(input_size, kernel_size, stride=1, padding=0, output_padding=0, dilation=1)"
    ),
    arithmetic.same_padding: "(kernel_size, dilation=1)",
    arithmetic.span: "(kernel_size, dilation)",
    arithmetic.Layer: "(kernel_size, stride=1, padding=0, dilation=1)",
    arithmetic.receptive_field: "(layers)",
    arithmetic.conv_params: "(in_channels, out_channels, kernel_size, groups=1, bias=True)",
    arithmetic.conv_macs: "(in_channels, out_channels, kernel_size, output_size, groups=1)",
    arithmetic.dilation_coverage: "(dilations, kernel_size=3)",
    arithmetic.transposed_coverage: "(size, kernel_size, stride, dilation=1)",
    arithmetic.is_even_overlap: "(kernel_size, stride, dilation=1)",
    analysis.trace: f"(model, {SIZE})",
    analysis.empirical_receptive_field: f"(model, {SIZE}, layer=None)",
    analysis.effective_receptive_field: (
        f"(model, {SIZE}, layer=None, samples=20, redraw=False, seed=0)"
    ),
    grade.grade: f"(model, accuracy=None, {SIZE}, profile='s7-2020')",
    grade_address: (f"(model, weights=None, data=None, {SIZE}, accuracy=None, profile='s7-2020')"),
    evaluate_grade: f"(model, accuracy, {SIZE}, profile='s7-2020')",
    Report: "(rows, remarks=())",
    train.fit: (
        "(model, data, config, folder=None, resume=False, until=None, progress=None, test=True, "
        "each_epoch=None)"
    ),
    train.evaluate: "(model, split, tta_flip=False, precision='float32')",
    train.predict: "(model, split, tta_flip=False, precision='float32')",
    train.TrainConfig: (
        "(epochs=10, batch_size=256, max_lr=0.2, momentum=0.9, weight_decay=0.0005, warmup=0.25, "
        "label_smoothing=0.1, ema_decay=0.99, ema_warmup=True, flip=True, shift=4, cutout=0, "
        "progressive_epochs=0, progressive_size=24, whiten=False, precision='auto', "
        "channels_last=True, compile=False, cuda_graph=False, deterministic=False, seed=0)"
    ),
    augment: "(images, params, cutout=0)",
    deterministic: "(wanted, device='cpu')",
    epoch_batches: "(split, config, epoch, world=World(rank=0, size=1))",
    make_step: "(network, optimizer, config, processes=1)",
    whiten: "(model, images, epsilon=0.0005)",
    whitening_filters: "(images, kernel_size, epsilon=0.0)",
}


@pytest.mark.parametrize("function", SIGNATURES, ids=lambda function: function.__name__)
def test_signatures_are_those_of_the_design(function):
    assert without_types(function) == SIGNATURES[function]


@pytest.mark.parametrize("name", ["unfold", "fold"])
def test_defaults_are_those_of_pytorch(name):
    ours, theirs = (inspect.signature(getattr(room, name)) for room in (functional, F))
    assert {key: one.default for key, one in ours.parameters.items()} == {
        key: one.default for key, one in theirs.parameters.items()
    }
