"""Views, operations in place, unfold and reshapes: `trace` against the real model's gradients."""

from math import ceil

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

from convbook import functional
from convbook.analysis import empirical_receptive_field, trace
from convbook.analysis.tracing import periods
from tests.helpers.fx_models import WIDTH
from tests.helpers.memory_graphs import MEMORY, Part, convolutions, memory_parts, positive, reshapes
from tests.helpers.networks import Net, conv, weight
from tests.helpers.refusals import whole
from tests.helpers.sampling import examples
from tests.helpers.strategies import EVEN_SAME

pytestmark = [pytest.mark.filterwarnings(EVEN_SAME), pytest.mark.usefixtures("one_thread")]
SIZE = (WIDTH, 60, 66)


def field(forward, size=(3, 16, 16), **parts):
    """Return the field of the last row, which both ways must agree on."""
    model = Net(forward, **parts)
    found = trace(model, size)[-1].receptive_field
    assert empirical_receptive_field(model, size) == found
    return found


# ------------------------------------------------------------------ the real model's gradients


def boxes(model, size, axis, places):
    """Return the first and last pixel that each output at `places` along an axis sees."""
    x = torch.ones(1, *size, dtype=torch.float64, requires_grad=True)
    # A layer keeps its input, which may be written to afterwards.
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t):
        output = model(x)
    found = []
    for place in places:
        value = output.select(axis + 2, place).sum()
        (gradient,) = torch.autograd.grad(value, x, retain_graph=True)
        seen = gradient.abs().movedim(axis + 2, 0).flatten(1).sum(1).nonzero().flatten().tolist()
        found.append((seen[0], seen[-1]) if seen else None)
    return found


def assert_as_gradients(model):
    """Assert that `trace` says what the gradients of the real model say, along both axes."""
    field = trace(model, SIZE)[-1].receptive_field
    periods_ = periods(model, SIZE)
    axes = [*zip(*(one if isinstance(one, tuple) else (one,) * 2 for one in field), strict=True)]
    # The first output that sees no padding, and an input so large that none after it does.
    first = [
        ceil((20 - start) / (jump * period)) * period
        for (_, jump, start), period in zip(axes, periods_, strict=True)
    ]
    size = [
        ceil(start + jump * (place + 2 * period + 8) + width) + 40
        for (width, jump, start), place, period in zip(axes, first, periods_, strict=True)
    ]
    for axis, (width, jump, start) in enumerate(axes):
        place, period = first[axis], periods_[axis]
        seen = boxes(model, (WIDTH, *size), axis, range(place, place + 2 * period))
        inside = [box for box in seen if box]
        assert max(last - first + 1 for first, last in inside) == width
        advance = period * jump
        moved = [box and (box[0] + advance, box[1] + advance) for box in seen[:period]]
        assert moved == seen[period:]
        assert inside[0][0] == start + place * jump


@examples(200)
@given(st.lists(st.one_of(memory_parts, reshapes, convolutions()), min_size=1, max_size=3))
def test_trace_agrees_with_the_gradients_of_the_real_model(parts):
    model = positive(nn.Sequential(*parts))
    maps = [row.output_shape for row in trace(model, SIZE) if len(row.output_shape) == 3]
    assume(min(side for _, *sides in maps for side in sides) > 3)  # or all see the same
    assert_as_gradients(model)


@pytest.mark.parametrize("name", MEMORY)
def test_each_way_of_writing_agrees_with_the_gradients_of_the_real_model(name):
    first = nn.Conv2d(WIDTH, WIDTH, 3, padding="same", bias=False)
    second = nn.Conv2d(WIDTH, WIDTH, (4, 7), padding="same", bias=False)
    model = positive(nn.Sequential(Part(MEMORY[name], first, second)))
    assert_as_gradients(model)
    assert empirical_receptive_field(model, SIZE) == trace(model, SIZE)[-1].receptive_field


# ------------------------------------------------------------------ in place, by hand


def test_an_addition_to_a_view_is_seen_in_what_it_is_a_view_of():
    """3 x 3 beside 7 x 7, then 3 x 3: 7 + 2 = 9 pixels."""

    def forward(net, x):
        y = net.a(x)
        y[:, :2].add_(net.b(x))
        return net.c(y)

    assert field(forward, a=conv(3, 4), b=conv(3, 2, 7), c=conv(4, 4)) == (9, 1, -4)


def test_what_is_overwritten_is_seen_no_more():
    def forward(net, x):
        y = net.b(x)
        y[:, :1] = net.a(x)
        y[:, 1:] = net.a(x)
        return y

    assert field(forward, a=conv(3, 1), b=conv(3, 2, 7)) == (3, 1, -1)
    assert field(lambda net, x: net.b(x).zero_().add_(x[:, :1]), b=conv(3, 2, 7)) == (1, 1, 0)
    assert field(lambda net, x: net.b(x).copy_(net.a(x)), a=conv(3, 2), b=conv(3, 2, 7)) == (
        3,
        1,
        -1,
    )


def test_the_same_memory_by_another_name():
    """`.data` and `.detach()` share the memory; so does what `.data` is set to."""
    parts = {"a": conv(3, 4), "b": conv(3, 4, 7)}

    def through_data(net, x):
        y = net.a(x)
        y.data.add_(net.b(x))
        return y

    def through_detached(net, x):
        y = net.a(x)
        y.detach().add_(net.b(x))
        return y

    def other_data(net, x):
        y = net.a(x)
        y.data = net.b(x)
        return y

    for forward in (through_data, through_detached, other_data):
        assert field(forward, **parts) == (7, 1, -3)


def test_pieces_of_chunk_are_views():
    """b sees 7 rows of the second half, c 3 of the sum: 1 + 2 + 6 = 9, and 3 before: 11."""

    def forward(net, x):
        y = net.a(x)
        first, second = y.chunk(2, 1)
        first.add_(net.b(second))
        second.mul_(net.c(first))
        return y

    assert field(forward, a=conv(3, 4), b=conv(2, 2, 7), c=conv(2, 2)) == (11, 1, -5)


def test_a_mask_and_a_relu_in_place_change_nothing():
    def mask(net, x):
        y = net.a(x)
        y[y < 0] = 0
        return y

    def relu(net, x):
        y = net.a(x)
        F.relu(y[:, :2], inplace=True)
        return net.b(y)

    assert field(mask, a=conv(3, 4)) == (3, 1, -1)
    assert field(relu, a=conv(3, 4), b=conv(4, 4)) == (5, 1, -2)


def _where(net, x):
    y = net.a(x)
    return y.copy_(torch.where(y > 0, y, net.b(x)))


def _masked(net, x):
    return net.a(x).masked_fill_(net.b(x) > 0, 0)


def _buffer(net, x):
    net.kept[:, :2] = net.b(x)[:, :2]
    return net.kept + 0


def _expanded(net, x):
    y = net.a(x)
    view = y[:, :1].expand(-1, 4, -1, -1)
    y.add_(net.b(x))
    return view + 0


def _windows(net, x):
    y = net.a(x)
    y.unfold(2, 2, 2).add_(net.b(x).unfold(2, 2, 2))
    return y


def _some_rows(net, x):
    y = net.a(x)
    y[:, :, : x.shape[2] * 3 // 4] = net.b(x)[:, :, : x.shape[2] * 3 // 4]
    return y


def _same_dtype(net, x):
    y = net.a(x)
    y.to(torch.float32).add_(net.b(x))
    return y


def _one_after_the_other(net, x):
    y = net.a(x)
    for channel in range(y.shape[1]):
        y[:, channel] += net.b(x)[:, 0]
    return y


def _swapped(net, x):
    y, z = net.a(x), net.b(x)
    kept = y[:, :2].clone()
    y[:, :2], z[:, :2] = z[:, :2], kept
    return z


def _overwritten_in_between(net, x):
    y = net.a(x)
    y[:, :2] = x[:, :2]
    y.copy_(net.a(x))
    y[:, 1:].add_(net.b(x)[:, 1:])
    return y + 0


SEVEN = [
    _where, _masked, _buffer, _expanded, _windows, _some_rows, _same_dtype, _one_after_the_other,
    _swapped, _overwritten_in_between,
]  # fmt: skip


@pytest.mark.parametrize("forward", SEVEN)
def test_what_a_7_x_7_wrote_into_a_3_x_3_sees_7_pixels(forward):
    model = Net(forward, a=conv(3, 4), b=conv(3, 4, 7))
    model.register_buffer("kept", torch.zeros(1, 4, 16, 16))
    assert trace(model, (3, 16, 16))[-1].receptive_field == (7, 1, -3)
    assert empirical_receptive_field(model, (3, 16, 16)) == (7, 1, -3)


def test_a_border_that_is_written_apart_does_not_count():
    """Reflection padding by hand, then 3 x 3 without padding."""

    def forward(net, x):
        y = torch.zeros(1, 3, x.shape[2] + 2, x.shape[3] + 2)
        y[:, :, 1:-1, 1:-1] = x
        y[:, :, 0], y[:, :, -1] = y[:, :, 2], y[:, :, -3]
        y[..., 0], y[..., -1] = y[..., 2], y[..., -3]
        return F.conv2d(y, net.w)

    assert field(forward, w=weight(4, 3, 3, 3)) == (3, 1, -1)


@pytest.mark.parametrize("end", [False, True])
@pytest.mark.parametrize(("rows", "wanted"), [(1, 1), (2, 1), (3, 7), (8, 7)])
def test_up_to_an_eighth_of_the_rows_is_a_border(rows, wanted, end):
    """Of 16 rows the first or the last ones see 7 x 7, the others themselves."""
    written = slice(-rows, None) if end else slice(rows)

    def forward(net, x):
        y = x.clone()
        y[:, :, written] = net.a(x)[:, :, written]
        return y

    table = trace(Net(forward, a=conv(3, 3, 7)), (3, 16, 16))
    assert table[-1].receptive_field == (wanted, 1, -(wanted // 2))


@pytest.mark.parametrize("over", [False, True])
def test_rows_that_are_written_by_turns_see_what_was_written_into_them(over):
    """Even rows see 3 pixels from -1 on, odd ones 7: the widest has 7, the first begins at -1."""

    def forward(net, x):
        y = net.b(x)
        if not over:
            y = torch.zeros_like(y)
            y[:, :, 1::2] = net.b(x)[:, :, 1::2]
        y[:, :, ::2] = net.a(x)[:, :, ::2]
        return y

    row = trace(Net(forward, a=conv(3, 4), b=conv(3, 4, 7)), (3, 16, 16))[-1]
    assert row.receptive_field == ((7, 7), (1, 1), (-1, -3))


def test_assignments_are_named_and_numbered_where_they_run():
    def forward(net, x):
        y = torch.zeros_like(x)
        y[:, :1] = x[:, :1]
        y[:, 1:] = x[:, 1:]
        return y

    rows = trace(nn.Sequential(Net(forward)), (3, 16, 16)).rows[1::2]
    assert [row.name for row in rows] == ["0.setitem", "0.setitem_1"]
    assert {row.op for row in rows} == {"setitem"}


def test_a_layer_is_looked_at_whatever_comes_after_it():
    def forward(net, x):
        return net.b(net.a(x)).no_such_thing

    model = Net(forward, a=conv(3, 4), b=conv(4, 4))
    assert empirical_receptive_field(model, (3, 16, 16), layer="a") == (3, 1, -1)
    assert empirical_receptive_field(model, (3, 16, 16), layer="b") == (5, 1, -2)
    assert periods(model, (3, 16, 16), "a") == (1, 1)


@pytest.mark.parametrize(("size", "jump"), [(31, 0.5), (16, 1), (61, 0.25), (6, 3)])
def test_aligned_corners_lie_a_fraction_of_the_gaps_apart(size, jump):
    """From 16 pixels with 15 gaps to as many with `size - 1`."""
    model = Net(lambda net, x: F.interpolate(x, size, mode="bilinear", align_corners=True))
    field = trace(model, (3, 16, 16))[0].receptive_field
    assert (field.jump, field.start) == (jump, 0)


def test_what_a_gate_wrote_into_a_part_is_seen_without_the_gate_too():
    """3 x 3, gated by means over the whole map, then 3 x 3: 5 pixels but for the gate."""

    def forward(net, x):
        y, z = torch.zeros(1, 6, *x.shape[2:]), net.a(x)
        y[:, :3] = z * z.mean((2, 3), keepdim=True)
        y[:, 3:] = x
        return net.b(y)

    row = trace(Net(forward, a=conv(3, 3), b=conv(6, 4)), (3, 16, 16))[-1]
    assert (row.receptive_field, row.local_field) == ((16, 0, 0), (5, 1, -2))


@pytest.mark.parametrize("pixels", [slice(3, 19), slice(3, 25), slice(2, None, 3)])
def test_a_view_that_is_cut_across_rows_is_refused(pixels):
    """Of rows of 16: some from the middle of one to the middle of another."""

    def forward(net, x):
        y = x.clone()
        y.flatten(2)[:, :, pixels] = net.a(x).flatten(2)[:, :, pixels]
        return y

    with pytest.raises(ValueError, match="cut across") as told:
        trace(Net(forward, a=conv(3, 3)), (3, 16, 16))
    assert str(told.value) == (
        "cannot follow 'setitem' (op setitem in Net): it writes through a view that is cut across "
        "the rows of its memory"
    )


def test_zeros_between_pixels_are_a_transposed_convolution():
    def forward(net, x):
        y = x.new_zeros(1, 3, 2 * x.shape[2], 2 * x.shape[3])
        y[..., ::2, ::2] = x
        return net.a(y)

    up = nn.ConvTranspose2d(3, 4, 3, 2, 1, output_padding=1)
    assert field(forward, a=conv(3, 4)) == trace(up, (3, 16, 16))[0].receptive_field


def test_rows_connect_through_the_memory_they_share():
    def forward(net, x):
        y = net.a(x)
        y[:, :2].add_(net.b(x))
        return net.c(y)

    table = trace(Net(forward, a=conv(3, 4), b=conv(3, 2), c=conv(4, 4)), (3, 8, 8))
    inputs = {row.name: row.inputs for row in table}
    assert inputs["add"] == ("getitem", "b")
    assert inputs["c"] == ("a", "add")
    assert table.outputs == ("c",)


def test_an_output_that_was_written_in_parts_has_a_row():
    def forward(net, x):
        y = net.a(x)
        y.flatten(2)[:, :2].add_(net.b(x).flatten(2))
        return y

    table = trace(Net(forward, a=conv(3, 4), b=conv(3, 2, 7)), (3, 8, 8))
    last = table[-1]
    assert (last.name, last.op, last.inputs) == ("output", "output", ("a", "add"))
    assert (last.output_shape, last.receptive_field) == ((4, 8, 8), (7, 1, -3))
    assert (last.params, last.macs, table.outputs) == (0, 0, ("output",))


NUMBER = torch.zeros(1)  # a number that does not see the input


def _assigned(index, value):
    """Return a forward that assigns to a part of `a(x)`."""

    def forward(net, x):
        y = net.a(x)
        y[index] = value(net, x)
        return y

    return forward


ASSIGNED = {
    "numbers to some channels": (
        _assigned(np.s_[:, :2], lambda net, x: torch.ones(1, 2, 16, 16)),
        (3, 1, -1),
    ),
    "one number to some channels": (_assigned(np.s_[:, :2], lambda net, x: NUMBER), (3, 1, -1)),
    "a channel to all": (_assigned(np.s_[:], lambda net, x: net.b(x)[:, :1]), (7, 1, -3)),
    "a channel to some": (_assigned(np.s_[:, 1:], lambda net, x: net.b(x)[:, :1]), (7, 1, -3)),
    "a map without batch": (_assigned(np.s_[0, 2:], lambda net, x: net.b(x)[0, :1]), (7, 1, -3)),
    "a row to all": (
        _assigned(np.s_[:], lambda net, x: net.b(x)[:, :1].mean(2, keepdim=True)),
        ((16, 7), (0, 1), (0, -3)),
    ),
    "a column to all": (
        _assigned(np.s_[...], lambda net, x: net.b(x)[:, :1].mean(3, keepdim=True)),
        ((7, 16), (1, 0), (-3, 0)),
    ),
}


@pytest.mark.parametrize(("forward", "field"), ASSIGNED.values(), ids=ASSIGNED)
def test_what_is_assigned_is_broadcast_to_its_place(forward, field):
    model = Net(forward, a=conv(3, 4), b=conv(3, 2, 7))
    assert trace(model, (3, 16, 16))[-1].receptive_field == field


def test_what_is_overwritten_by_numbers_is_not_seen_any_more():
    forward = _assigned(np.s_[:], lambda net, x: NUMBER)
    model = Net(lambda net, x: forward(net, x) + net.b(x)[:, :1], a=conv(3, 4), b=conv(3, 2, 7))
    assert trace(model, (3, 16, 16)).receptive_field == (7, 1, -3)


def _listed(net, x):
    y = net.a(x)
    y[:, [0, 2]] = net.b(x)
    return y


def _index_add(net, x):
    return net.a(x).index_add_(1, torch.tensor([0, 1]), net.b(x))


def _out(net, x):
    y = net.a(x)
    return torch.add(y, y, out=y)


def _foreach(net, x):
    y = net.a(x)
    torch._foreach_mul_([y], [y])
    return y


def _pixel_by_pixel(net, x):
    y = torch.zeros(1, 1, 6, 6)
    for row in range(6):
        y[:, 0, row] = x[:, 0, row : row + 3].sum(1)[:, :6]
    return y


NO_RULE = (
    "no rule says what its outputs see; use another operation, or trace the model's parts before "
    "and after it"
)
REFUSED = {
    "a list as index": (
        _listed,
        "setitem",
        "its index is a list or a tensor; use slices, or torch.where",
    ),
    "no rule": (_index_add, "index_add", NO_RULE),
    "out": (_out, "add", "it writes into another tensor than its first; assign its result instead"),
    "several tensors": (_foreach, "foreach_mul", NO_RULE),
    "row by row": (
        _pixel_by_pixel,
        "setitem_1",
        "it is written piece by piece, and the pieces see different pixels; compute it at once, "
        "by a convolution or F.unfold",
    ),
}


@pytest.mark.parametrize(("forward", "name", "message"), REFUSED.values(), ids=REFUSED)
def test_a_write_that_cannot_be_followed_is_refused_by_name(forward, name, message):
    told = f"cannot follow {name!r} (op {name.removesuffix('_1')} in Net): {message}"
    model = Net(forward, a=conv(3, 4), b=conv(3, 2, 7))
    for function in (trace, empirical_receptive_field):
        with pytest.raises(ValueError, match=whole(told)):
            function(model, (3, 8, 8))


def test_pieces_that_see_different_pixels_are_refused_where_they_are_read():
    """Each was written well, through a view of its own; together they are no map."""

    def forward(net, x):
        y = torch.zeros(1, 1, 6, 6)
        upper, lower = y[:, :, :3], y[:, :, 3:]
        upper.copy_(x[:, :1, :1, :6].expand(upper.shape))
        lower.copy_(x[:, :1, 5:6, :6].expand(lower.shape))
        return y + 1

    told = (
        "cannot follow what 'add' (in Net) reads: it is written piece by piece, and the pieces "
        "see different pixels; compute it at once, by a convolution or F.unfold"
    )
    for function in (trace, empirical_receptive_field):
        with pytest.raises(ValueError, match=whole(told)):
            function(Net(forward), (3, 8, 8))


# ------------------------------------------------------------------ reshapes and unfold, by hand


@pytest.mark.parametrize("after", [1, 3])
def test_a_pixel_shuffle_by_hand_has_the_field_of_pytorchs(after):
    def by_hand(net, x):
        x = net.a(x)
        n, c, h, w = x.shape
        x = x.reshape(n, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3)
        return net.b(x.reshape(n, c // 4, 2 * h, 2 * w))

    parts = {"a": conv(3, 8), "b": conv(2, 4, after)}
    wanted = field(lambda net, x: net.b(F.pixel_shuffle(net.a(x), 2)), **parts)
    assert field(by_hand, **parts) == wanted == ((3, 0.5, -1) if after == 1 else (4, 0.5, -2))


def test_a_pixel_unshuffle_by_hand_has_the_field_of_pytorchs():
    def by_hand(net, x):
        n, c, h, w = x.shape
        x = x.reshape(n, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4)
        return net.a(x.reshape(n, 4 * c, h // 2, w // 2))

    wanted = field(lambda net, x: net.a(F.pixel_unshuffle(x, 2)), a=conv(12, 4))
    assert field(by_hand, a=conv(12, 4)) == wanted == (6, 2, -2)


def test_patches_of_4_pixels_and_a_3_x_3_over_them():
    """A patch sees 4 pixels; 3 patches see 12, from the patch before the first on."""

    def forward(net, x):
        n, c, h, w = x.shape
        x = x.view(n, c, h // 4, 4, w // 4, 4).permute(0, 2, 4, 1, 3, 5)
        x = net.mix(x.reshape(n, h // 4 * (w // 4), 16 * c))
        return net.a(x.transpose(1, 2).reshape(n, 5, h // 4, w // 4))

    assert field(forward, mix=nn.Linear(48, 5), a=conv(5, 4)) == (12, 4, -4)


def test_windows_that_are_mixed_and_put_back_see_their_window():
    """After 3 x 3, a window of 4 sees 6 pixels, and each of its pixels does."""

    def forward(net, x):
        x = net.a(x)
        n, c, h, w = x.shape
        x = x.view(n, c, h // 4, 4, w // 4, 4).permute(0, 2, 4, 3, 5, 1).reshape(-1, 16, c)
        x = x.softmax(1).view(n, h // 4, w // 4, 4, 4, c)
        return x.permute(0, 5, 1, 3, 2, 4).reshape(n, c, h, w)

    table = trace(Net(forward, a=conv(3, 8)), (3, 16, 16))
    assert table[-1].receptive_field == (6, 1, -1)


def test_flattened_pixels_that_are_mixed_stay_mixed():
    def forward(net, x):
        return net.mix(x.flatten(2)).view(x.shape)

    assert field(forward, mix=nn.Linear(256, 256)) == (16, 0, 0)


MEANS = {
    "all rows": (lambda x: x.mean(2), 16, 0),
    "every second row": (lambda x: x[:, :, ::2].mean(2), 15, 0),
    "every third row, from the second on": (lambda x: x[:, :, 1::3].mean(2), 13, 1),
    "pairs of rows": (lambda x: x.unflatten(2, (-1, 2)).mean((2, 3)), 16, 0),
    "the first of each pair": (lambda x: x.unflatten(2, (-1, 2))[:, :, :, 0].mean(2), 15, 0),
    "rows of a window": (lambda x: x.unfold(2, 5, 3).mean((2, 4)), 14, 0),
}


@pytest.mark.parametrize(("mean", "rows", "start"), MEANS.values(), ids=MEANS)
def test_a_mean_over_some_rows_sees_from_the_first_to_the_last(mean, rows, start):
    """Of 16 rows; a convolution before it adds one on either side, as far as there are any."""
    plain = field(lambda net, x: mean(x).unsqueeze(2))
    assert plain == ((rows, 1), (0, 1), (start, 0))
    first, end = max(start - 1, 0), min(start + rows + 1, 16)
    wider = field(lambda net, x: mean(net.a(x)).unsqueeze(2), a=conv(3, 4))
    assert wider == ((end - first, 3), (0, 1), (first, -1))


INDICES = {
    "a list of channels": (lambda x: x[:, [0, 2]], (1, 1, 0)),
    "a tensor of channels": (lambda x: x[:, torch.tensor([0, 2])], (1, 1, 0)),
    "one row of a channel": (lambda x: x[:, 1, 3], ((1, 1), (0, 1), (3, 0))),
    "one row from the end": (lambda x: x[:, 1, -2], ((1, 1), (0, 1), (14, 0))),
    "one pixel": (lambda x: x[:, 1, 3, 5], ((1, 1), (0, 0), (3, 5))),
    # Lists beside other numbers are an upper bound: all pixels.
    "a list of channels in a row": (lambda x: x[:, [0, 2], 3], (16, 0, 0)),
    "lists of rows and columns": (lambda x: x[:, :, [0, 2], [1, 2]], (16, 0, 0)),
    "a new axis": (lambda x: x[:, 1, None, ..., 2:], ((1, 1), (1, 1), (0, 2))),
    "every other row": (lambda x: x[..., 1::2, :-3], ((1, 1), (2, 1), (1, 0))),
}


@pytest.mark.parametrize(("index", "wanted"), INDICES.values(), ids=INDICES)
def test_an_index_keeps_the_axes_that_it_leaves(index, wanted):
    table = trace(Net(lambda net, x: index(x)), (3, 16, 16))
    assert table[-1].receptive_field == wanted


def test_unfold_is_a_plain_window():
    row = trace(nn.Unfold((3, 2), dilation=2, padding=1, stride=2), (3, 16, 16))[0]
    assert (row.op, row.kernel, row.stride, row.padding, row.dilation) == (
        "unfold",
        (3, 2),
        2,
        1,
        2,
    )
    assert row.receptive_field == ((5, 3), (2, 2), (-1, -1))


ROWS_AS_CHANNELS = ((16, 3), (0, 1), (0, -1))
MIXED = {
    "conv1d": (lambda x: F.conv1d(x[:, 0], torch.ones(5, 16, 3), padding=1), ROWS_AS_CHANNELS),
    "conv_transpose1d": (
        lambda x: F.conv_transpose1d(x[:, 0], torch.ones(16, 5, 3), padding=1),
        ROWS_AS_CHANNELS,
    ),
    "conv2d": (
        lambda x: F.conv2d(x.transpose(1, 2), torch.ones(5, 16, 1, 3)),
        ((16, 3), (0, 1), (0, 0)),
    ),
    "conv_transpose2d": (
        lambda x: F.conv_transpose2d(x.transpose(1, 2), torch.ones(16, 5, 1, 3)),
        ((16, 3), (0, 1), (0, -2)),
    ),
    "conv_transpose3d": (
        lambda x: F.conv_transpose3d(x[:, None], torch.ones(1, 2, 3, 3, 3)),
        (3, 1, -2),
    ),
    "conv2d without a batch": (lambda x: F.conv2d(x[0], torch.ones(5, 3, 3, 3)), (3, 1, 0)),
    "conv_transpose2d without a batch": (
        lambda x: F.conv_transpose2d(x[0], torch.ones(3, 5, 3, 3)),
        (3, 1, -2),
    ),
}


@pytest.mark.parametrize(("layer", "wanted"), MIXED.values(), ids=MIXED)
def test_a_convolution_mixes_what_lies_where_it_reads_its_channels(layer, wanted):
    assert trace(Net(lambda net, x: layer(x)), (3, 16, 16))[-1].receptive_field == wanted


POOLINGS = {
    "all": (lambda x: F.avg_pool2d(x, 16), (16, 0, 0)),
    "all rows": (lambda x: F.avg_pool2d(x, (16, 2)), ((16, 2), (0, 2), (0, 0))),
    "all but one": (lambda x: F.avg_pool2d(x, 15), (15, 15, 0)),
    "all, padded": (lambda x: F.avg_pool2d(x, 16, padding=8), (16, 16, -8)),
    "all rows, padded": (
        lambda x: F.avg_pool2d(x, (16, 2), padding=(8, 0)),
        ((16, 2), (16, 2), (-8, 0)),
    ),
    "the maximum of all": (lambda x: F.max_pool2d(x, 16), (16, 16, 0)),
}


@pytest.mark.parametrize(("pool", "wanted"), POOLINGS.values(), ids=POOLINGS)
def test_an_average_over_the_whole_map_is_global_and_no_other_pooling_is(pool, wanted):
    assert trace(Net(lambda net, x: pool(x)), (3, 16, 16))[-1].receptive_field == wanted


ROWS_SEEN = ((16, 1), (0, 1), (0, 0))
FLIPS = {
    "a method": (lambda x: x.flip(2), ROWS_SEEN),
    "a method with several": (lambda x: x.flip(2, 3), (16, 0, 0)),
    "a method with a tuple": (lambda x: x.flip((2, 3)), (16, 0, 0)),
    "a method with a list": (lambda x: x.flip([2]), ROWS_SEEN),
    "by name": (lambda x: x.flip(dims=(-2,)), ROWS_SEEN),
    "a function": (lambda x: torch.flip(x, (2,)), ROWS_SEEN),
    "channels": (lambda x: x.flip(1), (1, 1, 0)),
    "rolled": (lambda x: x.roll(1, 2), ROWS_SEEN),
}


@pytest.mark.parametrize(("flip", "wanted"), FLIPS.values(), ids=FLIPS)
def test_what_is_flipped_is_seen_as_a_whole_along_those_axes(flip, wanted):
    assert trace(Net(lambda net, x: flip(x)), (3, 16, 16))[-1].receptive_field == wanted


# With nothing but what must be given: (size, jump, start) by the definitions in PyTorch's manual.
BARE = {
    "conv2d": (lambda net, x: F.conv2d(x, net.w), (3, 1, 0)),
    "conv_transpose2d": (lambda net, x: F.conv_transpose2d(x, net.w), (3, 1, -2)),
    "max_pool2d": (lambda net, x: F.max_pool2d(x, 3), (3, 3, 0)),
    "avg_pool2d": (lambda net, x: F.avg_pool2d(x, 3), (3, 3, 0)),
    "lp_pool2d": (lambda net, x: F.lp_pool2d(x, 2, 3), (3, 3, 0)),
    "unfold": (lambda net, x: (net.m @ F.unfold(x, 3)).view(1, 27, 14, 14), (3, 1, 0)),
    "fold": (lambda net, x: F.fold(net.m @ F.unfold(x, 3), 16, 3), (5, 1, -2)),
    "interpolate": (lambda net, x: F.interpolate(x, scale_factor=2), (1, 0.5, 0)),
    # PyTorch's own hands on what it takes for what is left out; the book's hands on what is given.
    "the book's conv2d": (lambda net, x: functional.conv2d(x, net.w), (3, 1, 0)),
    "the book's conv_transpose2d": (
        lambda net, x: functional.conv_transpose2d(x, net.w),
        (3, 1, -2),
    ),
    "the book's unfold": (
        lambda net, x: (net.m @ functional.unfold(x, 3)).view(1, 27, 14, 14),
        (3, 1, 0),
    ),
    "the book's fold": (lambda net, x: functional.fold(net.m @ F.unfold(x, 3), 16, 3), (5, 1, -2)),
}


@pytest.mark.parametrize(("forward", "wanted"), BARE.values(), ids=BARE)
def test_what_is_left_out_is_what_pytorch_takes(forward, wanted):
    model = Net(forward, w=weight(3, 3, 3, 3), m=weight(27, 27))
    assert trace(model, (3, 16, 16))[-1].receptive_field == wanted
    assert empirical_receptive_field(model, (3, 16, 16)) == wanted


def test_folding_back_what_was_unfolded_sees_each_pixel_alone():
    """`fold(unfold(x))` is x, each pixel as often as windows read it."""

    def forward(net, x):
        return F.fold(F.unfold(x, 3, 2, 2), x.shape[-2:], 3, 2, 2)

    assert field(forward) == (1, 1, 0)


def test_a_tap_of_a_window_is_one_pixel():
    assert field(lambda net, x: x.unfold(2, 5, 1)[..., 4]) == ((1, 1), (1, 1), (4, 0))
    taken = trace(Net(lambda net, x: x.unfold(3, 5, 2)[..., ::2].sum(-1)), (3, 16, 16))
    assert taken[-1].receptive_field == ((1, 5), (1, 2), (0, 0))


def test_slices_that_are_stacked_in_a_row_are_a_map_again():
    def forward(net, x):
        return torch.stack([x[..., i] + x[..., i + 2] for i in range(x.shape[-1] - 2)], -1)

    assert field(forward, (3, 12, 12)) == ((1, 3), (1, 1), (0, 0))


# ------------------------------------------------------------------ the book's own functions


def by_hand(name):
    """Return one of the book's functions without what makes it one operation."""
    return getattr(functional, name).__wrapped__


OWN = {
    "conv2d": (
        lambda own: (
            lambda net, x: own("conv2d")(own("conv2d")(x, net.w, padding=1), net.v, stride=2)
        ),
        lambda net, x: F.conv2d(F.conv2d(x, net.w, padding=1), net.v, stride=2),
        (5, 2, -1),
    ),
    "conv_transpose2d": (
        lambda own: lambda net, x: own("conv_transpose2d")(x, net.u, None, 2, 1),
        lambda net, x: F.conv_transpose2d(x, net.u, None, 2, 1),
        (2, 0.5, -1),
    ),
    "unfold and fold": (
        lambda own: (
            lambda net, x: own("fold")(net.m @ own("unfold")(x, 3, 1, 1, 2), 16, 3, 1, 1, 2)
        ),
        lambda net, x: F.fold(net.m @ F.unfold(x, 3, 1, 1, 2), 16, 3, 1, 1, 2),
        (5, 1, -1),
    ),
    "pixel_shuffle": (
        lambda own: lambda net, x: own("pixel_shuffle")(F.conv2d(x, net.w, padding=1), 2),
        lambda net, x: F.pixel_shuffle(F.conv2d(x, net.w, padding=1), 2),
        (3, 0.5, -1),
    ),
    "pixel_unshuffle": (
        lambda own: lambda net, x: F.conv2d(own("pixel_unshuffle")(x, 2), net.s),
        lambda net, x: F.conv2d(F.pixel_unshuffle(x, 2), net.s),
        (6, 2, 0),
    ),
}
WEIGHTS = {
    "w": (8, 3, 3, 3), "v": (8, 8, 3, 3), "u": (3, 8, 4, 4), "m": (27, 27), "s": (8, 12, 3, 3)
}  # fmt: skip


@pytest.mark.parametrize(
    "own", [lambda name: getattr(functional, name), by_hand], ids=["", "lines"]
)
@pytest.mark.parametrize("name", OWN)
def test_the_books_own_functions_have_the_field_of_pytorchs(name, own):
    """Called as one operation, and line by line as any function that is written like them."""
    mine, theirs, wanted = OWN[name]
    weights = {key: weight(*shape) for key, shape in WEIGHTS.items()}
    table = trace(Net(mine(own), **weights), (3, 16, 16))
    assert table[-1].receptive_field == wanted
    expected = trace(Net(theirs, **weights), (3, 16, 16))
    assert expected[-1].receptive_field == wanted
    if own is not by_hand:
        assert [(row.op, row.macs) for row in table] == [(row.op, row.macs) for row in expected]


def test_conv2d_by_loops_is_one_operation():
    """That takes no loop over its pixels, or this would take minutes."""
    loops = Net(lambda net, x: functional.conv2d_loops(x, net.w, padding=1), w=weight(8, 3, 3, 3))
    row = trace(loops, (3, 512, 512))[0]
    assert (row.op, row.receptive_field, row.macs) == ("conv2d", (3, 1, -1), 8 * 27 * 512**2)
