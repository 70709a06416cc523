"""What a network returns: one score for each class is trained and tested, all else is refused."""

import json
from collections import OrderedDict, namedtuple
from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn

from convbook.train import evaluate, fit, predict
from convbook.train.evaluation import name_of
from convbook.train.optimisation import Step
from tests.helpers.refusals import whole
from tests.helpers.toy_data import CONFIG, bands, network

pytestmark = pytest.mark.usefixtures("one_thread")
ONCE = replace(CONFIG, epochs=1)
WANTED = "but only its class scores are wanted, one float tensor (N, classes)"


@dataclass
class Found:
    features: torch.Tensor
    scores: torch.Tensor


Pair = namedtuple("Pair", "scores features")


class Odd(nn.Module):
    """A network that works, and returns what `form` makes of its features and scores."""

    def __init__(self, form):
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 4, 3), nn.Linear(4, 4)
        self.form = form

    def forward(self, x):
        features = self.first(x)
        return self.form(features, self.last(features.mean((2, 3))))


FORMS = {
    "tuple": (
        lambda f, s: (s, f),
        "a tuple ([0] (2, 4), [1] (2, 4, 14, 14))",
        "let its forward return only the part [0]",
    ),
    "list": (
        lambda f, s: [f, s],
        "a list ([0] (2, 4, 14, 14), [1] (2, 4))",
        "let its forward return only the part [1]",
    ),
    "dict": (
        lambda f, s: {"map": f, "logits": s},
        "a dict (['map'] (2, 4, 14, 14), ['logits'] (2, 4))",
        "let its forward return only the part ['logits']",
    ),
    "ordered": (
        lambda f, s: OrderedDict(out=s, names=["a"]),
        "a OrderedDict (['out'] (2, 4), ['names'] list)",
        "let its forward return only the part ['out']",
    ),
    "named": (
        lambda f, s: Pair(s, f),
        "a Pair ([0] (2, 4), [1] (2, 4, 14, 14))",
        "let its forward return only the part [0]",
    ),
    "dataclass": (
        Found,
        "a Found (.features (2, 4, 14, 14), .scores (2, 4))",
        "let its forward return only the part .scores",
    ),
    "no scores among them": (
        lambda f, s: (f, f),
        "a tuple ([0] (2, 4, 14, 14), [1] (2, 4, 14, 14))",
        "let its forward return that",
    ),
    "map": (
        lambda f, s: f,
        "a tensor (2, 4, 14, 14) of float32",
        "end its forward with the mean over each map, .mean((2, 3))",
    ),
    "map of one pixel": (
        lambda f, s: s[:, :, None, None],
        "a tensor (2, 4, 1, 1) of float32",
        "end its forward with .flatten(1)",
    ),
    "classes": (
        lambda f, s: s.argmax(1),
        "a tensor (2) of int64",
        "let its forward return that",
    ),
    "nothing": (lambda f, s: None, "None", "let its forward return that"),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_is_no_score_for_each_class_is_named_with_its_remedy(form):
    make, told, remedy = FORMS[form]
    sentence = f"Odd returns {told} for 2 pictures, {WANTED}; {remedy}"
    with pytest.raises(ValueError, match="Odd returns") as caught:
        fit(Odd(make), bands(), ONCE, progress=False)
    assert str(caught.value) == sentence
    for look in (evaluate, predict):
        with pytest.raises(ValueError, match="Odd returns") as caught:
            look(Odd(make), bands().test)
        of_64 = f"{told.replace('(2', '(64')} for 64 pictures, {WANTED}; {remedy}"
        assert str(caught.value) == f"Odd returns {of_64}"


@pytest.mark.parametrize("wrap", [nn.DataParallel, lambda net: torch.compile(net, backend="eager")])
def test_the_network_inside_is_named(wrap):
    assert name_of(wrap(Odd(None))) == "Odd"


def test_a_network_with_helpers_in_training_only():
    """As torchvision's GoogLeNet: in evaluation mode it returns the scores alone."""

    class Helped(Odd):
        def forward(self, x):
            both = super().forward(x)
            return both if self.training else both[0]

    told = "Helped returns in training mode a tuple ([0] ({0}, 4), [1] ({0}, 4, 14, 14)) for {0} "
    told += f"pictures, {WANTED}; let its forward return only the part [0]"
    with pytest.raises(ValueError, match=whole(told.replace("{0}", "32"))):
        fit(Helped(lambda f, s: (s, f)), bands(), ONCE, progress=False)
    net = Helped(lambda f, s: (s, f))
    with pytest.raises(ValueError, match=whole(told.replace("{0}", "2"))):
        Step(net, None, ONCE)(torch.zeros(2, 3, 16, 16), torch.zeros(2).long())
    assert evaluate(net, bands().test)["images"] == 64


def test_fewer_scores_than_classes():
    net = nn.Sequential(nn.Flatten(), nn.Linear(768, 3))
    told = (
        "Sequential gives 3 scores for each picture, but there are 4 classes; let its last layer "
    )
    with pytest.raises(ValueError, match=whole(told + "give 4")):
        fit(net, bands(), ONCE, progress=False)
    with pytest.raises(ValueError, match=whole(told + "give 4")):
        evaluate(net, bands().test)
    more = nn.Sequential(nn.Flatten(), nn.Linear(768, 9))
    assert len(fit(more, bands(), ONCE, progress=False).epochs) == 1


def test_a_network_that_does_not_run():
    net = nn.Sequential(nn.Flatten(), nn.Linear(700, 4))
    sentence = (
        "Sequential does not run on pictures of (3, 16, 16): RuntimeError: …2x768 and 700x4…; "
        "use a network that takes float32 (N, 3, 16, 16)"
    )
    with pytest.raises(ValueError, match=whole(sentence)):
        fit(net, bands(), ONCE, progress=False)


def test_a_network_that_does_not_run_on_small_pictures():
    net = nn.Sequential(nn.Flatten(), nn.Linear(768, 4))
    small = replace(ONCE, progressive_epochs=1, progressive_size=12)
    sentence = (
        "Sequential does not run on pictures of (3, 12, 12): RuntimeError: …2x432 and 768x4…; use "
        "progressive_epochs=0, or a network that takes float32 (N, 3, 12, 12)"
    )
    with pytest.raises(ValueError, match=whole(sentence)):
        fit(net, bands(), small, progress=False)


def test_a_network_without_parameters():
    frozen = network().requires_grad_(False)
    for net, name in ((nn.Flatten(), "Flatten"), (frozen, "Sequential")):
        told = f"{name} has no parameter to train; use a network that has some"
        with pytest.raises(ValueError, match=whole(told)):
            fit(net, bands(), ONCE, progress=False)


class Views(nn.Module):
    """Goes from maps to a vector by `view`, as the LeNet of many a tutorial does."""

    def __init__(self, flatten):
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 4, 3), nn.Linear(4 * 14 * 14, 4)
        self.flatten = flatten

    def forward(self, x):
        return self.last(self.flatten(self.first(x)))


@pytest.mark.parametrize("flatten", [lambda f: f.view(-1, 784), lambda f: f.view(len(f), -1)])
def test_a_view_is_trained_in_the_layout_that_it_needs(flatten, tmp_path):
    """To the bits of `channels_last=False`, and it goes on after a stop."""
    weights = {}
    for name, channels_last in (("asked", True), ("plain", False)):
        torch.manual_seed(0)
        net = Views(flatten)
        config = replace(CONFIG, epochs=2, channels_last=channels_last)
        fit(net, bands(), config, tmp_path / name, until=1, progress=False)
        fit(net, bands(), config, tmp_path / name, resume=True, progress=False)
        weights[name] = net.state_dict()
        record = json.loads((tmp_path / name / "run.json").read_text())
        assert record["config"]["channels_last"] is False
    assert all(
        torch.equal(weights["asked"][key], weights["plain"][key]) for key in weights["asked"]
    )


def test_a_network_that_can_keeps_the_layout(tmp_path):
    net = Views(lambda f: f.flatten(1))
    fit(net, bands(), ONCE, tmp_path, progress=False)
    assert json.loads((tmp_path / "run.json").read_text())["config"]["channels_last"] is True
    assert net.first.weight.is_contiguous(memory_format=torch.channels_last)


def test_trying_out_changes_nothing_that_is_learnt():
    """Neither statistics of batch norm nor the mode: the first step sees the network as it came."""
    net = network()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(RuntimeError, match="enough"):
        fit(net, bands(), ONCE, progress=False, each_epoch=_enough)
    assert net[3].num_batches_tracked == 8  # the steps of one epoch
    net, five = network().eval(), replace(bands(), classes=tuple("abcde"))
    with pytest.raises(ValueError, match="are 5 classes"):
        fit(net, five, ONCE, progress=False)
    assert not net.training
    assert all(torch.equal(net.state_dict()[name], before[name]) for name in before)


def _enough(row):
    raise RuntimeError("enough")
