"""What a forward may do besides its operations, and what is said where a model does not run."""

import collections
import dataclasses

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint, checkpoint_sequential

from convbook.analysis import effective_receptive_field, empirical_receptive_field, trace
from tests.helpers.fx_models import torchvision_model
from tests.helpers.networks import Net, conv, weight
from tests.helpers.refusals import whole

pytestmark = pytest.mark.usefixtures("one_thread")
WAYS = (trace, empirical_receptive_field, effective_receptive_field)


def rows(model, size=(3, 16, 16)):
    """Return what the rows say, without the names."""
    found = [row.to_dict() for row in trace(model, size)]
    return [{**row, "name": "", "inputs": ()} for row in found]


def assert_field(model, wanted, size=(3, 16, 16)):
    assert trace(model, size)[-1].receptive_field == wanted
    assert empirical_receptive_field(model, size) == wanted


# ------------------------------------------------------------------ devices

MOVES = {
    "the usual line": lambda net, x: net.c(
        x.to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    ),
    "there and back": lambda net, x: net.c(x.cuda()).cpu(),
    "with a dtype": lambda net, x: net.c(x.to("cuda:0", torch.float32, non_blocking=True)),
    "by an index": lambda net, x: net.c(x.to(0)),
    "of the model": lambda net, x: net.to("cuda").c(x.to(device="cuda")),
    "by a type": lambda net, x: net.c(x.type(torch.FloatTensor).type("torch.cuda.FloatTensor")),
    "to the weights": lambda net, x: net.c(x.to(net.c.weight.device)),
    "for a tensor": lambda net, x: net.c(x.to(net.c.weight)),
    "as a tensor": lambda net, x: net.c(x.type_as(net.c.weight)),
}


@pytest.mark.parametrize("forward", MOVES.values(), ids=MOVES)
def test_moves_between_devices_change_nothing(forward):
    model = Net(forward, c=conv(3, 4))
    assert_field(model, (3, 1, -1))
    plain = Net(lambda net, x: net.c(x), c=conv(3, 4))
    kept = [row for row in rows(model) if row["op"] not in ("to", "type", "type_as")]
    assert kept == rows(plain)
    nn.init.ones_(model.c.weight)  # a weight near 0 would not count
    assert effective_receptive_field(model, (3, 9, 9), samples=1).width == pytest.approx(3)


def test_tensors_made_on_a_device_are_where_the_others_are():
    def forward(net, x):
        ones = torch.ones(1, 4, 1, 1, device="cuda:0")
        noise = torch.zeros_like(x, device="cpu")
        return net.c(x + noise) * ones + torch.arange(4, device=x.device).view(4, 1, 1)

    assert_field(Net(forward, c=conv(3, 4)), (3, 1, -1))


# ------------------------------------------------------------------ hidden operations


class Twice(torch.autograd.Function):
    """Hands its input on as it is, with another gradient."""

    @staticmethod
    def forward(ctx, x):
        return x

    @staticmethod
    def backward(ctx, gradient):
        return 2 * gradient


class Swish(torch.autograd.Function):
    """In the newer form, with a backward that lets nothing through."""

    @staticmethod
    def forward(x):
        return x * x.sigmoid()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, gradient):
        return torch.zeros_like(gradient)


class ClampInPlace(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.clamp_(min=0)

    @staticmethod
    def backward(ctx, gradient):
        return gradient


class Sign(torch.autograd.Function):
    """A straight-through estimator that is closed everywhere but near 0."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sign()

    @staticmethod
    def backward(ctx, gradient):
        return gradient * (ctx.saved_tensors[0].abs() < 1e-9)


class Split(torch.autograd.Function):
    """Two outputs."""

    @staticmethod
    def forward(ctx, x):
        return x[:, :1].clone(), x[:, 1:].clone()

    @staticmethod
    def backward(ctx, first, second):
        return torch.cat([first, second], 1)


swish = Swish.apply  # as PyTorch's documentation advises


def frozen(net, x):
    with torch.no_grad():
        x = net.c(x)
    return net.d(x)


def inferred(net, x):
    with torch.inference_mode():
        x = net.c(x)
    return net.d(x)


HIDDEN = {
    "checkpoint": lambda net, x: checkpoint(net.d, net.c(x), use_reentrant=False),
    "reentrant checkpoint": lambda net, x: checkpoint(net.d, net.c(x), use_reentrant=True),
    "checkpoint of several": lambda net, x: checkpoint_sequential(
        nn.Sequential(net.c, nn.ReLU(), net.d), 2, x, use_reentrant=False
    ),
    "identity": lambda net, x: net.d(Twice.apply(net.c(x))),
    "stored apply": lambda net, x: net.d(swish(net.c(x))),
    "in place": lambda net, x: net.d(ClampInPlace.apply(net.c(x))),
    "straight through": lambda net, x: net.d(Sign.apply(net.c(x))),
    "two outputs": lambda net, x: net.d(torch.cat(Split.apply(net.c(x)), 1)),
    "without gradients": frozen,
    "in inference mode": inferred,
}


@pytest.mark.parametrize("forward", HIDDEN.values(), ids=HIDDEN)
def test_two_layers_see_5_pixels_whatever_hides_them(forward):
    assert_field(Net(forward, c=conv(3, 3), d=conv(3, 3)), (5, 1, -2))


def test_functions_and_checkpoints_are_as_they_were_afterwards():
    before = Swish.forward, Twice.forward, vars(torch.utils.checkpoint).copy()
    model = Net(lambda net, x: checkpoint(swish, net.c(x), use_reentrant=False), c=conv(3, 3))
    trace(model)
    with pytest.raises(ValueError, match="does not run"):
        trace(model, (3, 0 + 1, 1, 1))
    assert before == (Swish.forward, Twice.forward, vars(torch.utils.checkpoint))
    x = torch.ones(2, requires_grad=True)
    (Swish.apply(x).sum() + Twice.apply(x).sum()).backward()
    assert x.grad.tolist() == [2, 2]


def test_the_effective_field_runs_a_functions_own_backward():
    model = Net(lambda net, x: Twice.apply(net.c(x)), c=conv(1, 1, 1))
    assert effective_receptive_field(model, (1, 5, 5), samples=1).width == 1
    with pytest.raises(ValueError, match="no gradient at all"):
        effective_receptive_field(Net(lambda net, x: swish(x)), (1, 5, 5), samples=1)
    model = Net(lambda net, x: checkpoint(net.c, x, use_reentrant=True), c=conv(1, 1))
    nn.init.ones_(model.c.weight)  # a weight near 0 would not count
    assert effective_receptive_field(model, (1, 7, 7), samples=1).width == pytest.approx(3)


def test_compiled_models_are_looked_at_as_they_are_written():
    inner = conv(4, 4)
    compiled = torch.compile(nn.Sequential(conv(3, 4), torch.compile(inner)))
    assert [row.name for row in trace(compiled)] == ["0", "1"]
    assert_field(compiled, (5, 1, -2))
    for layer in ("0", "_orig_mod.0"):
        assert empirical_receptive_field(compiled, (3, 16, 16), layer) == (3, 1, -1)
    scaled = torch.compile(lambda x: 2 * x)
    assert_field(Net(lambda net, x: scaled(net.c(x)), c=conv(3, 4)), (3, 1, -1))


# ------------------------------------------------------------------ outputs


@dataclasses.dataclass
class Logits:
    logits: object
    hidden: object = None


Pair = collections.namedtuple("Pair", "out kind")
ONE = {
    "dict": lambda x: {"out": x},
    "ordered dict": lambda x: collections.OrderedDict(out=x),
    "list": lambda x: [x],
    "tuple": lambda x: (x, None),
    "named tuple": lambda x: Pair(x, "map"),
    "dataclass": Logits,
    "nested": lambda x: {"out": [Logits({"deep": (x,)})]},
}


@pytest.mark.parametrize("wrapped", ONE.values(), ids=ONE)
def test_one_tensor_is_found_wherever_it_is(wrapped):
    model = Net(lambda net, x: wrapped(net.c(x)), c=conv(3, 4))
    assert_field(model, (3, 1, -1))
    assert trace(model).outputs == ("c",)
    nn.init.ones_(model.c.weight)  # a weight near 0 would not count
    assert effective_receptive_field(model, (3, 9, 9), samples=1).width == pytest.approx(3)


LAYER = "return one map, or use layer= to name a layer that gives one"


@pytest.mark.parametrize(
    ("wrapped", "kind"),
    [
        (lambda x, y: [x, y], "list"),
        (Logits, "Logits"),
        (lambda x, y: {"a": x, "b": y}, "dict"),
    ],
)
def test_of_several_tensors_a_layer_must_be_named(wrapped, kind):
    model = Net(lambda net, x: wrapped(net.c(x), net.d(x)), c=conv(3, 4), d=conv(3, 4, 5))
    assert trace(model).outputs == ("c", "d")
    for function in (empirical_receptive_field, effective_receptive_field):
        with pytest.raises(
            ValueError, match=whole(f"model gives a {kind} with 2 tensors; {LAYER}")
        ):
            function(model, (3, 16, 16))
        function(model, (3, 16, 16), layer="d")


@pytest.mark.parametrize(("value", "kind"), [(None, "NoneType"), (3.0, "float"), ({}, "dict")])
def test_an_output_without_tensor_is_refused(value, kind):
    model = Net(lambda net, x: value)
    found = whole(
        f"model gives a {kind} in which no tensor is found; "
        "return a tensor, or tensors in a tuple, list, dict or dataclass"
    )
    with pytest.raises(ValueError, match=found):
        trace(model)
    with pytest.raises(ValueError, match=found):
        empirical_receptive_field(model, (3, 8, 8))
    with pytest.raises(ValueError, match=whole(f"model gives a {kind} with 0 tensors; {LAYER}")):
        effective_receptive_field(model, (3, 8, 8))


# ------------------------------------------------------------------ depth that depends on the size


def deeper(net, x):
    for _ in range(x.shape[-1] // 8):
        x = net.c(x)
    return x


def pool_until_small(net, x):
    x = net.c(x)
    while x.shape[-2] > 4:
        x = F.max_pool2d(x, 2)
    return x


def resize_until_large(net, x):
    size = x.shape[-1]
    for _ in range(size // 16):
        x = F.interpolate(net.c(x), scale_factor=2)
    return F.avg_pool2d(x, x.shape[-1] // size)


def deeper_by_columns(net, x):
    for _ in range(x.shape[-1] // 8):
        x = (net.w @ F.unfold(x, 3, padding=1)).view(x.shape)
    return x


# How many windows run where 32 pixels are, how many where 64 are, and along which axis.
DEEPER = {
    "deeper": (deeper, 4, 8, (3, 32, 64)),
    "pool until small": (pool_until_small, 4, 5, (3, 64, 32)),
    "resize until large": (resize_until_large, 5, 9, (3, 32, 64)),
    "deeper by columns": (deeper_by_columns, 4, 8, (3, 32, 64)),
}


@pytest.mark.parametrize(("forward", "fewer", "more", "larger"), DEEPER.values(), ids=DEEPER)
def test_a_depth_that_depends_on_the_size_is_refused(forward, fewer, more, larger):
    """Before, this took minutes, and then all memory."""
    model = Net(forward, c=conv(3, 3), w=weight(3, 27))
    trace(model, (3, 32, 32))  # at one size there is one table
    with pytest.raises(ValueError, match="convolutions") as told:
        empirical_receptive_field(model, (3, 32, 32))
    assert str(told.value) == (
        f"model runs {fewer} convolutions, poolings and resizes on an input of (3, 32, 32), and "
        f"{more} on one of {larger}: its receptive field depends on the size of its input; use a "
        "number of layers that does not"
    )


# ------------------------------------------------------------------ models that do not run


class Two(nn.Module):
    def forward(self, x, y):
        return x + y


class ByName(nn.Module):
    def forward(self, *, pixel_values):
        return pixel_values


class NoInput(nn.Module):
    def forward(self):
        return torch.zeros(1)


class NoForward(nn.Module):
    pass


def asserts(net, x):
    assert x.shape[1] == 1
    return x


def looks_up(net, x):
    return {"cat": x}["dog"]


NEEDS = "model's forward {}, and is handed one tensor; "
WRAP = "wrap the model in a module with def forward(self, x): return self.model"
FAILED = "model does not run on input_size=(3, 8, 8): "
ONE_TENSOR = f"…; its forward is handed one tensor: {WRAP}(...), made from x"
LARGE = f"{FAILED}…Kernel size…; is input_size (channels, height, width), and large enough?"
FAILS = {
    "two inputs": (Two(), NEEDS.format("needs 2 inputs (x, y)") + f"{WRAP}(x, ...)"),
    "an input by name": (
        ByName(),
        NEEDS.format("needs 1 input by its name (pixel_values)") + f"{WRAP}(x, ...)",
    ),
    "no input": (NoInput(), NEEDS.format("takes no input") + f"{WRAP}(x, ...)"),
    "a dict as input": (
        Net(lambda net, x: x["image"]),
        f"{FAILED}its forward looks up 'image' in its input{ONE_TENSOR}",
    ),
    "an object as input": (
        Net(lambda net, x: x.images),
        f"{FAILED}'Tensor' object has no attribute 'images'{ONE_TENSOR}",
    ),
    "no forward": (
        NoForward(), f'{FAILED}Module [NoForward] is missing the required "forward" function…'
    ),
    "too small": (nn.Conv2d(3, 4, 9), LARGE),
    # Of 16, 32 and 64 pixels two are enough here, and below only one.
    "far too small": (nn.Conv2d(3, 4, 30), LARGE),
    "too small but for one": (nn.Conv2d(3, 4, 60), f"{FAILED}…; it runs on input_size=(3, 64, 64)"),
    "other channels": (nn.Conv2d(1, 4, 5), f"{FAILED}…; it runs on input_size=(1, 8, 8)"),
    "other pixels": (
        nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10)),
        f"{FAILED}…; it runs on input_size=(3, 32, 32)",
    ),
    "other both": (
        nn.Sequential(nn.Flatten(), nn.Linear(784, 10)),
        f"{FAILED}…; it runs on input_size=(1, 28, 28)",
    ),
    "an assertion": (
        Net(asserts), f"{FAILED}AssertionError…; it runs on input_size=(1, 8, 8)"
    ),
    "no size at all": (
        Net(lambda net, x: net.w @ x.flatten()[:7], w=weight(5, 4)),
        f"{FAILED}size mismatch, got input…vec (7)…",
    ),
    "a lookup": (Net(looks_up), f"{FAILED}KeyError: 'dog'…"),
}  # fmt: skip


@pytest.mark.parametrize(("model", "message"), FAILS.values(), ids=FAILS)
@pytest.mark.parametrize("way", WAYS)
def test_a_model_that_does_not_run_is_told_why(way, model, message):
    with pytest.raises(ValueError, match=whole(message)) as told:
        way(model, (3, 8, 8))
    # Where the sentence ends in PyTorch's words, no remedy follows but those above.
    assert (";" in str(told.value)) is (";" in message)


VALUES = {
    "if": lambda x: x if x.sum() > 0 else -x,
    "item": lambda x: x * x.max().item(),
    "list": lambda x: x * x.mean().tolist(),
    "numpy": lambda x: torch.from_numpy(x.numpy()),
    "mask": lambda x: x[x > 0],
    "nonzero": lambda x: x.nonzero(),
}


@pytest.mark.parametrize("forward", VALUES.values(), ids=VALUES)
def test_a_forward_that_looks_at_values_is_not_said_not_to_run(forward):
    model = Net(lambda net, x: forward(x))
    told = (
        "model is not followed: trace runs it without values, and it asks for some: … (in Net); "
        "its forward may not depend on the values in a tensor: "
        "use torch.where for an `if`, and shapes for sizes"
    )
    for function in (trace, empirical_receptive_field):
        with pytest.raises(ValueError, match=whole(told)):
            function(model, (3, 8, 8))


def test_the_effective_field_takes_a_forward_that_looks_at_values():
    model = Net(lambda net, x: net.c(x if x.sum() > 0 else -x), c=conv(3, 4))
    nn.init.ones_(model.c.weight)  # a weight near 0 would not count
    assert effective_receptive_field(model, (3, 9, 9), samples=2).width == pytest.approx(3)


@pytest.mark.parametrize(
    "forward", [lambda net, x: torch.zeros(1, 1, 4, 4), lambda net, x: x.argmax(1, keepdim=True)]
)
def test_an_effective_field_without_gradient_is_refused(forward):
    told = "model's output has no gradient; it must be computed from its input"
    with pytest.raises(ValueError, match=whole(told)):
        effective_receptive_field(Net(forward), (3, 8, 8), samples=1)


# ------------------------------------------------------------------ gates and attention


@pytest.mark.parametrize("name", ["efficientnet_b3", "mobilenet_v3_large", "regnet_y_400mf"])
def test_the_headline_of_a_network_with_gates_is_that_without_them(name):
    gated = trace(torchvision_model(name), (3, 300, 300))
    model = torchvision_model(name)
    for module in [*model.modules()]:
        for key, child in module.named_children():
            if type(child).__name__ == "SqueezeExcitation":
                setattr(module, key, nn.Identity())
    plain = trace(model, (3, 300, 300))
    assert gated.receptive_field == plain.receptive_field
    assert "the last local field, gates left out: size " in repr(gated)
    assert "gates" not in repr(plain)
    assert plain.receptive_field.size > 500


def test_a_gate_along_one_axis_is_left_out_along_that_axis():
    """Coordinate attention: a factor per row, from averages over the columns."""
    model = Net(
        lambda net, x: net.d((y := net.c(x)) * y.mean(3, keepdim=True).sigmoid()),
        c=conv(3, 4),
        d=conv(4, 4),
    )
    last = trace(model, (3, 16, 20))[-1]
    assert last.receptive_field == ((5, 20), (1, 0), (-2, 0))
    assert last.local_field == (5, 1, -2)


class Heads(nn.Module):
    def __init__(self, **settings):
        super().__init__()
        self.heads = nn.MultiheadAttention(4, 2, batch_first=True, **settings)

    def forward(self, x):
        tokens = x.flatten(2).mT
        return self.heads(tokens, tokens[:, :5], tokens[:, :5])[0]


@pytest.mark.parametrize("settings", [{}, {"add_bias_kv": True}, {"add_zero_attn": True}, {
    "add_bias_kv": True, "add_zero_attn": True}])  # fmt: skip
def test_attention_counts_the_keys_that_are_added(settings):
    """16 queries, 5 keys and one more for each setting: 2 * 16 * 4 products for each key."""
    model = Heads(**settings)
    with torch.utils.flop_counter.FlopCounterMode(display=False) as counter:
        model.train()(torch.rand(1, 4, 4, 4))  # in evaluation, a fused kernel hides its products
    macs = trace(model, (4, 4, 4)).macs
    assert 2 * macs == counter.get_total_flops()
    assert macs == 2 * 16 * 16 + 2 * 5 * 16 + 2 * 16 * 4 * (5 + len(settings))


def test_einsum_multiplies_one_operand_after_the_other():
    model = Net(
        lambda net, x: torch.einsum("nchw,oc,po->nphw", x, net.w, net.v),
        w=weight(5, 3),
        v=weight(2, 5),
    )
    with torch.utils.flop_counter.FlopCounterMode(display=False) as counter:
        model(torch.rand(1, 3, 6, 7))
    table = trace(model, (3, 6, 7))
    assert 2 * table.macs == counter.get_total_flops() == 2 * (15 + 10) * 42
    assert table[-1].receptive_field == (1, 1, 0)
