"""Blocks that a reader builds or mends in chapter 7, and what is wrong with them."""

import copy

import torch
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from convbook.analysis import trace
from convbook.course.checks.designs import Verdict
from convbook.nn import ResidualBlock
from convbook.nn.residual import conv1x1, conv3x3

# ------------------------------------------------------------------ a block with a clear path

CLEAR = Verdict("a block with a clear path")
RUNS = "Send a map of 9 × 9 through it: what does each layer read, and what is it handed?"
SHAPE = (
    "Where stride or channels change, the shortcut needs a projection, with the block's stride; "
    "only the first 3 × 3 has the stride."
)
LAYERS = (
    "The same layers in another order: two 3 × 3 convolutions, two batch norms and two ReLUs, "
    "and a 1 × 1 only where it projects."
)
UNUSED = "A layer is made and never called, or no gradient comes back through it."
NO_SKIP = "Without its last convolution the block forgets x: where is the sum?"
RELU = (
    "A ReLU stands after the sum, and negative numbers do not pass it. Both ReLUs belong on the "
    "branch, before the convolutions."
)
CHANGED = (
    "x is changed before the skip sets out: batch norm and ReLU come first on the *branch*; the "
    "skip takes the x that came in."
)
ADDS_ONLY = (
    "The branch ends with a ReLU, so that it can only add, and from block to block the numbers "
    "grow. Let a convolution end it."
)
ONES = "Ones sent back do not come back as ones. What stands on the skip's way?"


class ClearBlock(nn.Module):
    """The pre-activation block of He et al., arXiv 1603.05027; some parts can be left out."""

    def __init__(self, in_channels, out_channels, stride=1, project=True):
        super().__init__()
        self.bn1, self.bn2 = nn.BatchNorm2d(in_channels), nn.BatchNorm2d(out_channels)
        self.conv1 = conv3x3(in_channels, out_channels, (stride, stride))
        self.conv2 = conv3x3(out_channels, out_channels)
        self.shortcut = nn.Identity()
        if project and (in_channels, 1) != (out_channels, stride):
            self.shortcut = conv1x1(in_channels, out_channels, (stride, stride))

    def branch(self, x: Tensor) -> Tensor:
        """Return what is added to x."""
        x = self.conv1(self.bn1(x).relu())
        return self.conv2(self.bn2(x).relu())

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x) + self.shortcut(x)


def clear_verdict(answer, in_channels, out_channels, stride):
    """Return what is wrong with a block that is to have a clear path."""
    if not isinstance(answer, nn.Module):
        return answer
    x = torch.linspace(-2, 2, 2 * in_channels * 81).sin().reshape(2, in_channels, 9, 9).double()
    x = (x - 0.3).requires_grad_()
    block = copy.deepcopy(answer).double()
    try:
        shape = tuple(block(x).shape)
    except Exception as error:  # whatever the reader's block raises
        return Verdict(f"a block that does not run: {str(error).splitlines()[0][:80]}", RUNS)
    side = -(-9 // stride)
    if shape != (2, out_channels, side, side):
        return Verdict(f"a block that makes {' × '.join(map(str, shape[1:]))}", SHAPE)
    return _what_is_unclear(block, x, (in_channels, 1) == (out_channels, stride))


def _what_is_unclear(block, x, keeps_shape):
    rows = [*trace(block, x.shape[1:])]
    wide = [row for row in rows if row.op == "conv2d" and row.kernel == 3]
    count = {op: sum(row.op == op for row in rows) for op in ("conv2d", "batch_norm", "relu")}
    others = count["conv2d"] - len(wide)
    if len(wide) != 2 or others > (not keeps_shape) or min(count.values()) < 2:
        said = f"{len(wide)} convolutions of 3 × 3 and {others} others, "
        return Verdict(
            f"a block with {said}{count['batch_norm']} batch norms, {count['relu']} ReLUs", LAYERS
        )
    gradients = torch.autograd.grad(
        block(x).square().sum(), [*block.parameters()], allow_unused=True
    )
    if any(gradient is None for gradient in gradients):
        return Verdict("a block with a layer that no gradient reaches", UNUSED)
    whole = block(x).detach()
    for parameter in block.get_submodule(wide[-1].name).parameters():
        nn.init.zeros_(parameter)
    return _what_is_in_the_way(block(x), whole, x, keeps_shape) or CLEAR


def _what_is_in_the_way(y, whole, x, keeps_shape):
    """Return what changes x on its skip: y is the output without the last convolution."""
    said = "a block that, with its last convolution at 0,"
    if bool((y == y[:1, :, :1, :1]).all()):
        return Verdict(f"{said} forgets x", NO_SKIP)
    if keeps_shape and not torch.allclose(y, x):
        clipped = torch.allclose(y, x.relu())
        return Verdict(f"{said} changes x", RELU if clipped else CHANGED)
    if bool((y >= 0).all()):
        return Verdict(f"{said} returns no negative number", RELU)
    if bool((whole - y >= -1e-9).all()):
        return Verdict("a block whose branch never subtracts", ADDS_ONLY)
    (arrived,) = torch.autograd.grad(y.sum(), x)
    if keeps_shape and not torch.allclose(arrived, torch.ones_like(x)):
        return Verdict(f"{said} changes the gradient", ONES)
    return None


class _Forward(ClearBlock):
    """A `ClearBlock` with another forward."""

    def __init__(self, forward, *sizes, **settings):
        super().__init__(*sizes, **settings)
        self.run = forward

    def forward(self, x):
        return self.run(self, x)


def _one_relu(block, x):
    return block.conv2(block.bn2(block.conv1(block.bn1(x).relu()))) + block.shortcut(x)


def _changed_x(block, x):
    x = block.bn1(x).relu()
    return block.conv2(block.bn2(block.conv1(x)).relu()) + block.shortcut(x)


class _OnlyAdds(ResidualBlock):
    def forward(self, input):
        x = self.bn1(self.conv1(input)).relu()
        return self.bn2(self.conv2(x)).relu() + self.shortcut(input)


def _strides_left_out(in_channels, out_channels, stride):
    block = ClearBlock(in_channels, out_channels, stride)
    if isinstance(block.shortcut, nn.Conv2d):
        block.shortcut.stride = (1, 1)
    return block


def _with(forward):
    return lambda in_channels, out_channels, stride: _Forward(
        forward, in_channels, out_channels, stride
    )


CLEAR_MISTAKES = {
    RELU: ResidualBlock,
    LAYERS: _with(_one_relu),
    NO_SKIP: lambda in_channels, out_channels, stride: _Forward(
        lambda block, x: block.branch(x), in_channels, out_channels, stride, project=False
    ),
    CHANGED: _with(_changed_x),
    ADDS_ONLY: _OnlyAdds,
    UNUSED: _with(lambda block, x: block.branch(x)),
    RUNS: _strides_left_out,
    SHAPE: lambda in_channels, out_channels, stride: ClearBlock(in_channels, out_channels),
}

# --------------------------------------------------------------------- eyes for a projection

SEEING = Verdict("a block whose shortcut reads every pixel")
SAME = "The projection still has its stride, and reads one pixel in `stride` times `stride`."
POOL_AND_STRIDE = (
    "The map is made smaller twice on the shortcut: the pool does it now, so that the 1 × 1 needs "
    "stride 1."
)
ODD = "On an odd map the main path keeps the last row. Let the pool do so: ceil_mode=True."
WEIGHTS = "Keep the layer that was trained, or copy its weights: a new one is random."
NORM = "The batch norm behind the projection belongs to it; keep it."
MEAN = "A mean, not a maximum or a sum: He et al. average."
ALONE = "Where nothing is stepped over, at stride 1 or without a projection, leave the block alone."
WINDOW = "The pool's window is as large as the block's stride, which is not always 2."


class _Numbered:
    """A block that is shown as `trained_blocks[3]`, so that a reader can try it in a cell."""

    number = -1  # while it is built

    def __repr__(self):
        return f"trained_blocks[{self.number}]"

    def __eq__(self, other):
        """Compare number, shortcut and weights: a copy is equal, a changed block is not."""
        if not isinstance(other, _Numbered) or self.number != other.number:
            return False
        pairs = zip(self.state_dict().values(), other.state_dict().values(), strict=False)
        return self._written() == other._written() and all(torch.equal(*pair) for pair in pairs)

    def _written(self):
        layers = () if self.downsample is None else self.downsample.modules()
        return [(str(layer), getattr(layer, "ceil_mode", None)) for layer in layers]

    def __hash__(self):
        return hash(self.number)


class Basic(_Numbered, BasicBlock):
    """A block of two 3 x 3, by torchvision."""


class Neck(_Numbered, Bottleneck):
    """A bottleneck, by torchvision."""


def _block(number, kind, channels, width, stride):
    generator = torch.Generator().manual_seed(number)
    out, downsample = width * kind.expansion, None
    if stride > 1 or channels != out:
        layers = conv1x1(channels, out, (stride, stride)), nn.BatchNorm2d(out)
        downsample = nn.Sequential(*layers)
    block = kind(channels, width, stride, downsample).eval()
    for tensor in (*block.parameters(), *block.buffers()):
        if tensor.is_floating_point():  # as if it had been trained
            tensor.data = torch.rand(tensor.shape, generator=generator) * 0.4 + 0.3
    block.number = number
    return block


_SETTINGS = [
    (Basic, 8, 16, 2),
    (Basic, 8, 8, 1),
    (Basic, 8, 8, 2),
    (Basic, 8, 12, 1),
    (Basic, 4, 8, 3),
    (Basic, 6, 6, 4),
    (Neck, 16, 4, 1),
    (Neck, 8, 4, 1),
    (Neck, 16, 8, 2),
    (Neck, 16, 4, 2),
    (Neck, 8, 4, 3),
    (Basic, 4, 4, 2),
    (Basic, 12, 6, 2),
    (Basic, 5, 7, 3),
    (Basic, 3, 3, 1),
    (Basic, 3, 5, 1),
    (Neck, 12, 3, 2),
    (Neck, 12, 3, 1),
    (Neck, 4, 2, 4),
    (Basic, 4, 6, 4),
    (Neck, 6, 3, 2),
    (Neck, 6, 3, 3),
]
trained_blocks = [_block(number, *settings) for number, settings in enumerate(_SETTINGS)]


def _maps(block):
    """Return maps of an even and of an odd size, with the first of which a stride divides."""
    channels = block.conv1.in_channels
    for size in (24, 25, 26):
        pixels = torch.arange(channels * size**2).mul(0.7).sin()
        yield pixels.reshape(1, channels, size, size)


def _projection(block):
    """Return the projection if it has a stride, or None."""
    layers = () if block.downsample is None else block.downsample.modules()
    return next((one for one in layers if isinstance(one, nn.Conv2d) and one.stride > (1, 1)), None)


def see_all(block):
    """Return the block with an average pool before its projection, as in ResNet-D."""
    return _changed(block, lambda pool, conv, norm: (pool, conv, norm))


def _changed(block, change, pool=nn.AvgPool2d, stride=1, **settings):
    """Return a copy of the block with another shortcut, if its own steps over pixels."""
    block = copy.deepcopy(block)
    if conv := _projection(block):
        (step, _), norm = conv.stride, block.downsample[1]
        conv.stride = (stride or step,) * 2
        settings = {"kernel_size": step, "stride": step, "ceil_mode": True} | settings
        block.downsample = nn.Sequential(*change(pool(**settings), conv, norm))
    return block


def _with_sum(block):
    seeing = see_all(block)
    if seeing.downsample and isinstance(seeing.downsample[0], nn.AvgPool2d):
        seeing.downsample[0].divisor_override = 1
    return seeing


@torch.no_grad()
def seeing_verdict(answer, block):
    """Return what is wrong with a block whose shortcut is to read every pixel."""
    if not isinstance(answer, nn.Module):
        return answer
    block, found = trained_blocks[block.number], []  # the one handed over may have been changed
    for x in _maps(block):
        try:
            found.append(answer.eval()(x))
        except Exception as error:  # whatever the reader's block raises
            return _not_run(answer, block, x, error)
    fits = _same(found, see_all(block), block)
    if fits:
        return SEEING
    if not _projection(block):
        return Verdict("a block that was changed and needed no change", ALONE)
    if _same(found, block, block):
        return Verdict("a block that reads what it read before", SAME)
    return _what_is_unseen(found, answer, block)


def _not_run(answer, block, x, error):
    side = x.shape[-1]
    said = f"a block that does not run on {side} × {side}: {str(error).splitlines()[0][:60]}"
    if not _projection(block):
        return Verdict(said, ALONE)
    twice = getattr(answer, "downsample", None) is not None and _projection(answer)
    return Verdict(said, POOL_AND_STRIDE if twice else WINDOW if side == 24 else ODD)


def _what_is_unseen(found, answer, block):
    others = {
        NORM: _changed(block, lambda pool, conv, norm: (pool, conv)),
        MEAN: _changed(block, lambda pool, conv, norm: (pool, conv, norm), pool=nn.MaxPool2d),
    }
    for remedy, other in (*others.items(), (MEAN, _with_sum(block))):
        if _same(found, other, block):
            return Verdict("a block with another shortcut", remedy)
    step = _projection(block).stride[0]
    pools = [one for one in answer.modules() if isinstance(one, nn.AvgPool2d | nn.MaxPool2d)]
    if pools and any(pool.kernel_size not in (step, (step, step)) for pool in pools):
        return Verdict(f"a block with stride {step} and a pool of another size", WINDOW)
    return Verdict("a block with another shortcut", WEIGHTS)


def _same(found, other, block):
    other = other.eval()
    return all(
        one.shape == (y := other(x)).shape and torch.allclose(one, y, rtol=1e-4, atol=1e-5)
        for one, x in zip(found, _maps(block), strict=True)
    )


def _pool_of_two(block):
    return _changed(block, lambda pool, conv, norm: (pool, conv, norm), kernel_size=2)


def _new_weights(block):
    return _changed(
        block,
        lambda pool, conv, norm: (pool, conv1x1(conv.in_channels, conv.out_channels), norm),
    )


def _always_pooled(block):
    if _projection(block):
        return see_all(block)
    block = copy.deepcopy(block)
    block.downsample = nn.Sequential(nn.AvgPool2d(2), *(block.downsample or ()))
    return block


SEEING_MISTAKES = {
    SAME: lambda block: block,
    POOL_AND_STRIDE: lambda block: _changed(
        block, lambda pool, conv, norm: (pool, conv, norm), stride=None
    ),
    ODD: lambda block: _changed(block, lambda *layers: layers, ceil_mode=False),
    WEIGHTS: _new_weights,
    NORM: lambda block: _changed(block, lambda pool, conv, norm: (pool, conv)),
    MEAN: lambda block: _changed(
        block, lambda pool, conv, norm: (pool, conv, norm), pool=nn.MaxPool2d
    ),
    ALONE: _always_pooled,
    WINDOW: _pool_of_two,
}
