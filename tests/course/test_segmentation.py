"""The strips of chapter 10 and the networks that label them are what they are said to be."""

import pytest
import torch
from torch import nn

from convbook.analysis import trace
from convbook.course.experiments import segmentation
from convbook.course.experiments.segmentation import (
    NETWORKS,
    SmallUNet,
    dilated_stack,
    make_strips,
    pooled_stack,
)


@pytest.fixture(scope="module")
def strips():
    return make_strips(40, seed=3)


class TestStrips:
    def test_shapes_and_types(self, strips):
        assert strips.images.shape == (40, 3, 32, 32)
        assert strips.labels.shape == strips.steps.shape == strips.borders.shape == (40, 32, 32)
        assert strips.images.dtype == torch.uint8
        assert strips.labels.dtype == strips.steps.dtype == torch.int64
        assert set(strips.labels.unique().tolist()) == {0, 1, 2}

    def test_a_seed_draws_the_same_pictures_and_another_seed_others(self, strips):
        again, other = make_strips(40, seed=3), make_strips(40, seed=4)
        assert all(torch.equal(one, two) for one, two in zip(strips, again, strict=True))
        assert not torch.equal(strips.images, other.images)

    def test_each_picture_has_three_strips_with_one_label_each(self, strips):
        for index, labels in enumerate(strips.labels):
            across = labels if index % 2 == 0 else labels.T  # even ones stand
            lanes = (across > 0).any(0).int()
            starts = (lanes.diff(prepend=torch.tensor([0])) == 1).nonzero().flatten().tolist()
            ends = (lanes.diff(append=torch.tensor([0])) == -1).nonzero().flatten().tolist()
            assert len(starts) == 3
            for start, end in zip(starts, ends, strict=True):
                assert 4 <= end - start + 1 <= 7
                strip = across[:, start : end + 1]
                rows = strip.any(1).nonzero().flatten()
                assert 20 <= len(rows) == rows[-1] - rows[0] + 1 <= 30
                assert len(strip[rows].unique()) == 1

    def test_steps_count_from_the_tip(self, strips):
        for index, (labels, steps) in enumerate(zip(strips.labels, strips.steps, strict=True)):
            along = (lambda map: map.T) if index % 2 == 0 else (lambda map: map)
            for row, count in zip(along(labels), along(steps), strict=True):
                inside = count[row > 0].tolist()
                expected = [max(away - 1, 0) for away in range(len(inside))]
                assert inside in (expected, expected[::-1])
                assert not count[row == 0].any()

    def test_the_tip_has_the_colour_of_the_label_and_the_rest_is_grey(self, strips):
        red_over_blue = strips.images[:, 0].double() - strips.images[:, 2].double()
        tip = (strips.labels > 0) & (strips.steps == 0)
        assert red_over_blue[tip & (strips.labels == 1)].mean() > 80
        assert red_over_blue[tip & (strips.labels == 2)].mean() < -80
        for label in (1, 2):
            rest = (strips.labels == label) & (strips.steps > 0)
            assert abs(red_over_blue[rest].mean()) < 3

    def test_borders_have_another_label_next_to_them(self, strips):
        labels, borders = strips.labels[0].tolist(), strips.borders[0].tolist()
        for y in range(32):
            for x in range(32):
                around = {
                    labels[row][column]
                    for row in range(max(y - 1, 0), min(y + 2, 32))
                    for column in range(max(x - 1, 0), min(x + 2, 32))
                }
                assert borders[y][x] == (len(around) > 1)

    @pytest.mark.parametrize(("count", "seed"), [(0, 0), (1, -1)])
    def test_refusals(self, count, seed):
        with pytest.raises(ValueError, match=r"count=0|seed=-1"):
            make_strips(count, seed)


class TestNetworks:
    @pytest.mark.parametrize("name", NETWORKS)
    def test_scores_for_each_pixel(self, name):
        assert NETWORKS[name]().eval()(torch.zeros(2, 3, 32, 32)).shape == (2, 3, 32, 32)

    def test_parameters_agree_within_two_percent(self):
        params = [sum(p.numel() for p in make().parameters()) for make in NETWORKS.values()]
        assert max(params) <= 1.02 * min(params)

    def test_the_stacks_have_the_same_layers_and_first_weights(self):
        weights = []
        for name in ("plain", "dilated", "fixed dilation", "pooled"):
            torch.manual_seed(0)
            weights.append(list(NETWORKS[name]().parameters()))
        for others in zip(*weights, strict=True):
            assert all(torch.equal(others[0], other) for other in others[1:])

    def test_fields(self):
        fields = {name: trace(NETWORKS[name](), (3, 32, 32)).receptive_field for name in NETWORKS}
        assert fields["plain"].size == 1 + 2 * 7
        assert fields["dilated"].size == 1 + 2 * (1 + 1 + 2 + 4 + 8 + 16 + 1)
        assert fields["fixed dilation"].size == 1 + 2 * 7 * 4
        assert min(fields["pooled"].size, fields["with skips"].size) > 32

    def test_the_pooled_stack_halves_after_the_second_and_fourth_layer(self):
        kinds = [type(layer) for layer in pooled_stack(4)]
        block, pool = nn.Sequential, nn.MaxPool2d
        layers = [block, block, pool, block, block, pool, block, block, block]
        assert kinds == [*layers, nn.Conv2d, nn.Upsample]

    def test_each_skip_reaches_the_answer(self):
        net = SmallUNet(2).double().eval()
        for parameter in net.parameters():
            nn.init.constant_(parameter, 0.1)
        x, kept = torch.rand(1, 3, 16, 16).double(), []
        for block in net.down:
            block.register_forward_hook(lambda _, __, y: (y.retain_grad(), kept.append(y))[1])
        before = net(x).sum()
        before.backward()
        assert [tuple(y.shape[2:]) for y in kept] == [(16, 16), (8, 8), (4, 4)]
        # Through the pools alone at most one of four pixels would have a gradient.
        assert all((y.grad != 0).all() for y in kept)

    def test_a_dilation_below_1_is_refused(self):
        with pytest.raises(ValueError, match="dilations=0"):
            dilated_stack([1, 0])


class TestTraining:
    def test_a_network_learns_what_its_pixel_shows(self):
        train, test = make_strips(60), make_strips(20, seed=1)
        torch.manual_seed(0)
        model = dilated_stack([1, 1], width=8)
        losses = segmentation.train(model, train, epochs=4)
        assert losses[-1] < losses[0]
        found = segmentation.predict(model, test)
        ground = (found == 0) == (test.labels == 0)
        assert ground.double().mean() > 0.85

    def test_the_same_seed_gives_the_same_order(self):
        losses = []
        for seed in (0, 0, 1):
            torch.manual_seed(0)
            model = dilated_stack([1], width=2)
            losses.append(segmentation.train(model, make_strips(20), epochs=1, seed=seed))
        assert losses[0] == losses[1] != losses[2]

    def test_an_odd_batch_is_refused(self):
        with pytest.raises(ValueError, match="batch=7 does not divide 20"):
            segmentation.train(dilated_stack([1]), make_strips(20), epochs=1, batch=7)

    def test_predictions_do_not_depend_on_the_company(self):
        strips = make_strips(3)
        torch.manual_seed(0)
        model = dilated_stack([1, 2]).double().float()
        together = segmentation.predict(model, strips)
        alone = segmentation.predict(model, segmentation.Strips(*(part[1:2] for part in strips)))
        assert (together[1:2] == alone).double().mean() > 0.999


class TestRows:
    def test_each_row_crosses_a_strip(self):
        rows = segmentation.rows_of(make_strips(20), 100)
        assert rows.images.shape == (100, 3, 32)
        assert rows.labels.any(dim=1).all()
        assert rows.steps.shape == rows.labels.shape == (100, 32)

    def test_accuracy_by_steps_of_the_truth_is_1(self):
        rows = segmentation.rows_of(make_strips(20), 100)
        assert segmentation.accuracy_by_steps(rows.labels, rows, 5) == [1.0] * 6
        wrong = 3 - rows.labels
        assert segmentation.accuracy_by_steps(wrong, rows, 5) == [0.0] * 6

    def test_layers_and_weights_of_a_row_stack(self):
        one, other = segmentation.row_stack([1, 2]), segmentation.row_stack([4, 4])
        assert [p.shape for p in one.parameters()] == [p.shape for p in other.parameters()]


def test_reach_is_half_the_field_where_nothing_is_halved():
    for dilations in ([1], [1, 1, 2, 4, 8, 16, 1], [4] * 7):
        assert segmentation.reach(dilated_stack(dilations, 2)) == (sum(dilations),) * 2


def test_a_stack_that_begins_with_the_identity_hands_its_input_on():
    model = dilated_stack([4, 2, 1], width=6)
    segmentation.begin_with_identity(model, noise=0)
    x = torch.rand(1, 3, 9, 9)
    handed_on = model[:-1].eval()(x)
    assert torch.allclose(handed_on, x.repeat(1, 2, 1, 1), atol=1e-3)
