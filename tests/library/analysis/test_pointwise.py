"""Operations that work element by element leave what is seen as it is, whatever they are called."""

import operator

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convbook.analysis import empirical_receptive_field, trace
from tests.helpers.networks import Net, conv

pytestmark = pytest.mark.usefixtures("one_thread")


def twice(x):
    return torch.cat([x, x], 1)


def changed(function):
    """Return what changes a copy of its input."""
    return lambda x: function(x.clone(), 2)


CASTS = ("float", "double", "half", "bfloat16", "int", "long", "bool")
ACTIVATIONS = (F.relu, F.hardswish, F.softsign, F.tanhshrink, F.logsigmoid, F.silu, F.mish)
DROPOUTS = (F.dropout, F.dropout2d, F.alpha_dropout, F.feature_alpha_dropout)
OPERATIONS = {
    **{name: lambda x, name=name: getattr(x, name)() for name in CASTS},
    **{function.__name__: function for function in (*ACTIVATIONS, *DROPOUTS)},
    "prelu": lambda x: F.prelu(x, torch.ones(1)),
    "glu": lambda x: F.glu(twice(x), 1),
    "channel_shuffle": lambda x: F.channel_shuffle(twice(x), 2)[:, :3],
    "local_response_norm": lambda x: F.local_response_norm(x, 2),
    "dropout1d": lambda x: F.dropout1d(x.flatten(2)).view(x.shape),
    "dropout3d": lambda x: F.dropout3d(x[:, :, None])[:, :, 0],
    "feature_dropout": lambda x: torch.feature_dropout(x, 0.5, True),
    "contiguous": lambda x: x.contiguous(),
    "clone": lambda x: x.clone(),
    "detach": lambda x: x.detach(),
    "data": lambda x: x.data,
    "real": lambda x: x.real,
    "requires_grad": lambda x: x.requires_grad_(),
    "to": lambda x: x.to(torch.float64),
    "type": lambda x: x.type(torch.float64),
    "type_as": lambda x: x.type_as(torch.ones(1)),
    "number plus": lambda x: 2 + x,
    "number minus": lambda x: 2 - x,
    "number times": lambda x: 2 * x,
    "number over": lambda x: 2 / x,
    "power of a number": lambda x: 2**x,
    "plus in place": changed(operator.iadd),
    "minus in place": changed(operator.isub),
    "times in place": changed(operator.imul),
    "over in place": changed(operator.itruediv),
    "over": lambda x: x / 2,
    "floor": lambda x: x // 2,
    "multiply": lambda x: x.multiply(2),
    "subtract": lambda x: x.subtract(2),
    "divide": lambda x: x.divide(2),
    "masked_fill": lambda x: x.masked_fill(torch.ones(x.shape, dtype=torch.bool), 0),
    "where": lambda x: torch.where(x > 0, x, 2),
    "comparison": lambda x: x > 0,
    "layer": nn.LogSigmoid(),
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_what_works_element_by_element_widens_nothing(operation):
    model = Net(lambda net, x: net.c(operation(x).float()), c=conv(3, 4))
    assert trace(model, (3, 16, 16))[-1].receptive_field == (3, 1, -1)
    assert empirical_receptive_field(model, (3, 16, 16)) == (3, 1, -1)
