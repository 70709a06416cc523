"""Products and reductions: `trace` and the gradients find the field that is worked out by hand."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convbook.analysis import empirical_receptive_field, trace
from tests.helpers.networks import Net, conv, weight

pytestmark = pytest.mark.usefixtures("one_thread")
LOCAL, WIDER = (3, 1, -1), (5, 1, -2)  # those of a 3 × 3 and of a 5 × 5 convolution
WHOLE = (16, 0, 0)  # of 16 × 16 pixels
WHOLE_COLUMNS = ((16, 3), (0, 1), (0, -1))  # each output sees all rows
WHOLE_ROWS = ((3, 16), (1, 0), (-1, 0))


def tokens(maps):
    return maps.flatten(2).mT  # (1, H * W, C)


def attend(net, x):
    same = tokens(net.c(x))
    return net.a(same, same, same)[0]


CASES = {
    # along the channels, of each pixel: nothing is widened
    "largest channel": (lambda net, x: net.c(x).max(1, keepdim=True).values, LOCAL),
    "smallest channel": (lambda net, x: net.c(x).min(dim=1, keepdim=True)[0], LOCAL),
    "largest, without the dimension": (lambda net, x: net.c(x).max(1)[0][:, None], LOCAL),
    "deviation of channels": (lambda net, x: net.c(x).std(1, keepdim=True), LOCAL),
    "logsumexp of channels": (lambda net, x: net.c(x).logsumexp(dim=1, keepdim=True), LOCAL),
    "sum by axis": (lambda net, x: torch.sum(net.c(x), axis=1, keepdim=True), LOCAL),
    "einsum of channels": (
        lambda net, x: torch.einsum("nchw,cd->ndhw", net.c(x), net.channels),
        LOCAL,
    ),
    "linear on channels": (
        lambda net, x: F.linear(net.c(x).movedim(1, -1), net.channels.T).movedim(-1, 1),
        LOCAL,
    ),
    # of two maps, pixel by pixel: the wider one counts
    "larger of two maps": (lambda net, x: torch.max(net.c(x), net.d(x)), WIDER),
    "maximum of two maps": (lambda net, x: torch.maximum(net.c(x), net.d(x)), WIDER),
    "side by side by axis": (lambda net, x: torch.cat([net.c(x), net.d(x)], axis=1), WIDER),
    "stacked and summed": (lambda net, x: torch.stack([net.c(x), net.d(x)], 1).sum(1), WIDER),
    # along an axis of the map
    "largest of a column": (lambda net, x: net.c(x).max(2, keepdim=True)[0], WHOLE_COLUMNS),
    "einsum of columns": (
        lambda net, x: torch.einsum("nchw,hk->nckw", net.c(x), net.square),
        WHOLE_COLUMNS,
    ),
    "product from the left": (lambda net, x: net.square @ net.c(x), WHOLE_COLUMNS),
    "product from the right": (lambda net, x: net.c(x) @ net.square, WHOLE_ROWS),
    "linear on rows": (lambda net, x: F.linear(net.c(x), net.square), WHOLE_ROWS),
    # everything with everything
    "largest of all": (lambda net, x: net.c(x).max(), WHOLE),
    "largest of each map": (lambda net, x: net.c(x).amax((2, 3), keepdim=True), WHOLE),
    "product of two maps": (lambda net, x: net.c(x) @ net.d(x), WHOLE),
    "product with a vector": (lambda net, x: net.c(x) @ net.square[0], WHOLE),
    "einsum of two maps": (
        lambda net, x: torch.einsum("nqc,nkc->nqk", tokens(net.c(x)), tokens(net.d(x))),
        WHOLE,
    ),
    "attention": (
        lambda net, x: F.scaled_dot_product_attention(*[tokens(net.c(x))] * 3),
        WHOLE,
    ),
    "heads of attention": (attend, WHOLE),
}


@pytest.mark.parametrize(("forward", "field"), CASES.values(), ids=CASES)
def test_products_and_reductions_see_what_they_are_made_of(forward, field):
    model = Net(
        forward,
        c=conv(3, 4),
        d=conv(3, 4, 5),
        a=nn.MultiheadAttention(4, 2, batch_first=True),
        channels=weight(4, 5),
        square=weight(16, 16),
    )
    assert trace(model, (3, 16, 16))[-1].receptive_field == field
    assert empirical_receptive_field(model, (3, 16, 16)) == field
