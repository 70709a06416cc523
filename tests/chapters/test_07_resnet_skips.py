"""Chapter 7, ResNet skips: its quiz answers and its exercises' right answers, measured."""

from itertools import combinations
from math import comb, factorial

import numpy as np
import pytest
import torch
from torch import nn

from convbook.course import runs
from convbook.course.checks import resnet_skips
from convbook.course.experiments.residual_depth import PlainBlock, stack_of_blocks
from convbook.data.shapes import draw
from convbook.nn import ResidualBlock
from tests.helpers.attempts import said_of


def opening_question():
    losses = {}
    for stack in runs.load("07_resnet_skips")["stacks"]:
        if stack["kind"] == "plain":
            ends = [run["training_loss"][-1] for run in stack["runs"]]
            losses[stack["convolutions"]] = ends
    assert sorted(losses) == [7, 19, 37]
    assert min(losses[37]) > 5 * max(losses[7])  # as the explanation says
    return "it rises"


def which_projection():
    x = torch.zeros(1, 16, 8, 8)
    shortcuts = {
        "x itself": nn.Identity(),
        "a 1 × 1 convolution from 16 to 32 channels": nn.Conv2d(16, 32, 1),
        "a 1 × 1 convolution from 16 to 32 channels with stride 2": nn.Conv2d(16, 32, 1, 2),
    }
    fits = [text for text, layer in shortcuts.items() if layer(x).shape == (1, 32, 4, 4)]
    assert len(fits) == 1
    return fits[0]


def first_gradients(block, seed):
    """Return the norm of the first layer's gradient in stacks of 3 and of 18 blocks."""
    shapes, norms = draw(64), []
    for blocks in (3, 18):
        torch.manual_seed(seed)
        stack = stack_of_blocks(block, blocks).double()
        logits = stack(shapes.images[:32].double() / 127.5 - 1)
        nn.functional.cross_entropy(logits, shapes.labels[:32]).backward()
        norms.append(stack.start[0][0].weight.grad.norm().item())
    return norms


def plain_gradient():
    for seed in range(5):
        small, large = first_gradients(PlainBlock, seed)
        assert large > 50 * small
        small, large = first_gradients(ResidualBlock, seed)
        assert small < large < 5 * small
    return "that of the deep stack is far larger"


QUIZ_ANSWERS = {
    "opening-question": opening_question,
    "which-projection": which_projection,
    "plain-gradient": plain_gradient,
}


def test_shortcut_is_the_one_in_the_package():
    for case in resnet_skips.check_shortcut.cases:
        shortcut, answer = ResidualBlock(**case).shortcut, resnet_skips.shortcut(**case)
        if answer == "identity":
            assert isinstance(shortcut, nn.Identity)
        else:
            layer = shortcut[0]
            square = (answer[2], answer[2]), (answer[3], answer[3])
            assert (layer.in_channels, layer.out_channels) == answer[:2]
            assert (layer.kernel_size, layer.stride) == square


def test_skip_fits_where_the_shapes_of_all_maps_agree():
    for case in resnet_skips.check_skip_fits.cases:
        layer = nn.Conv2d(**case, device="meta")
        maps = [
            torch.empty(1, layer.in_channels, size, size, device="meta") for size in range(9, 14)
        ]
        fits = all(layer(x).shape == x.shape for x in maps)
        assert resnet_skips.skip_fits(**case) is fits


def test_block_params_is_what_pytorch_counts():
    for case in resnet_skips.check_block_params.cases:
        counted = sum(p.numel() for p in ResidualBlock(**case).parameters())
        assert resnet_skips.block_params(**case) == counted


def test_paths_are_the_ways_to_choose():
    for case in resnet_skips.check_paths.cases:
        ways = combinations(range(case["blocks"]), case["length"])
        assert resnet_skips.paths(**case) == len(list(ways))


class TestStacks:
    """The recorded contest is fair: the two stacks differ in their sums only."""

    def stacks(self, count):
        for block in (PlainBlock, ResidualBlock):
            torch.manual_seed(0)
            yield stack_of_blocks(block, count).double().eval()

    def test_both_start_from_the_same_weights(self):
        plain, residual = (stack.state_dict() for stack in self.stacks(3))
        assert plain.keys() == residual.keys()
        assert all(torch.equal(plain[key], residual[key]) for key in plain)

    def test_the_sum_is_what_differs(self):
        torch.manual_seed(0)
        plain, residual = PlainBlock(4, 4).double(), ResidualBlock(4, 4).double()
        residual.load_state_dict(plain.state_dict())
        x = torch.randn(2, 4, 5, 5).double()
        before = plain.bn2(plain.conv2(plain.bn1(plain.conv1(x)).relu()))
        assert torch.allclose(plain(x), before.relu())
        assert torch.allclose(residual(x), (before + x).relu())

    def test_no_block_projects(self):
        for stack in self.stacks(3):
            assert all(isinstance(block.shortcut, nn.Identity) for block in stack.blocks)

    def test_maps_inside_have_a_quarter_of_the_size(self):
        stack = next(self.stacks(1))
        assert stack.start(torch.zeros(1, 3, 32, 32).double()).shape == (1, 16, 8, 8)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [({"count": 0}, "count=0"), ({"width": 0}, "width=0"), ({"classes": 0}, "classes=0")],
    )
    def test_refusals(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            stack_of_blocks(**{"block": PlainBlock, "count": 1, **arguments})


def test_recorded_stacks_are_those_of_the_package():
    for stack in runs.load("07_resnet_skips")["stacks"]:
        block = {"plain": PlainBlock, "residual": ResidualBlock}[stack["kind"]]
        model = stack_of_blocks(block, stack["blocks"])
        assert stack["params"] == sum(p.numel() for p in model.parameters())
        layers = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
        assert stack["convolutions"] == len(layers)
        assert [run["seed"] for run in stack["runs"]] == [0, 1, 2]


def shortcut_as(make, identity="identity"):
    def shortcut(c_in, c_out, stride):
        return identity if (c_in, 1) == (c_out, stride) else make((c_in, c_out, 1, stride))

    return shortcut


def keeps_the_shape(*settings):
    layer = nn.Conv2d(*settings)
    pictures = [torch.zeros(1, settings[0], n, n) for n in (9, 12)]
    return all(layer(picture).shape == picture.shape for picture in pictures)


def keeps_the_size(k, stride, padding, dilation):
    return (stride == 1) * (2 * padding == dilation * (k - 1))


def weights(c_in, c_out, stride, *, needs_both=False, of_a_norm=2):
    changes = (all if needs_both else any)((stride != 1, c_in != c_out))
    return 9 * (c_in + c_out) * c_out + (2 * of_a_norm + changes * (c_in + of_a_norm)) * c_out


READERS = {
    "check_shortcut": [
        ("correct on", shortcut_as(torch.tensor)),
        ("correct on", shortcut_as(np.array)),
        ("which shape has x", shortcut_as(tuple, identity="Identity")),
        ("which shape has x", shortcut_as(lambda numbers: (*numbers[:3], 2))),
    ],
    "check_skip_fits": [
        ("correct on", keeps_the_shape),
        ("correct on", lambda c_in, c_out, *sizes: keeps_the_size(*sizes) * (c_in == c_out)),
        ("are they kept?", lambda *case: True),
        ("must agree", lambda c_in, c_out, *sizes: keeps_the_size(*sizes) * (c_in >= c_out)),
        ("are they kept?", lambda c_in, c_out, *sizes: keeps_the_size(*sizes) * (c_in <= c_out)),
    ],
    "check_block_params": [
        ("correct on", lambda *case: sum(p.numel() for p in ResidualBlock(*case).parameters())),
        ("correct on", lambda *case: float(weights(*case))),
        ("one by one", lambda *case: weights(*case, needs_both=True)),
        ("one by one", lambda *case: weights(*case, of_a_norm=1)),
    ],
    "check_paths": [
        ("correct on", comb),
        ("correct on", lambda n, k: factorial(n) / factorial(k) / factorial(n - k)),
        ("all paths", lambda n, k: n - k + 1),
        ("all paths", lambda n, k: comb(n + k - 1, k)),
    ],
}


@pytest.mark.parametrize(
    ("name", "said", "function"),
    [(name, *answer) for name, answers in READERS.items() for answer in answers],
)
def test_what_the_checkers_say_to_readers(name, said, function):
    assert said in said_of(function, getattr(resnet_skips, name))
