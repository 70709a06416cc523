"""Checkers for chapter 7, ResNet skips."""

from convbook.course.checks import main_paths, residual_blocks
from convbook.course.checks._checker import Checker, grid
from convbook.course.checks.designs import DesignChecker
from convbook.course.checks.main_paths import main_paths as paths
from convbook.course.checks.residual_blocks import trained_blocks

# ---------------------------------------------------------------------------- 1, a way round

check_shortcut = DesignChecker(
    "Exercise 1: function(main, channels) -> a module for the shortcut, or 'none'",
    lambda main, channels: main_paths.RIGHT,
    [{"main": main, "channels": main.channels} for main in paths],
    main_paths.MISTAKES,
    judge=main_paths.verdict,
    right=main_paths.RIGHT,
)

# ---------------------------------------------------------------------------- 2, a clear path

check_clear = DesignChecker(
    "Exercise 2: function(in_channels, out_channels, stride) -> a block",
    lambda in_channels, out_channels, stride: residual_blocks.CLEAR,
    grid(in_channels=[4, 6, 8], out_channels=[6, 4, 8, 12], stride=[1, 2]),
    residual_blocks.CLEAR_MISTAKES,
    judge=residual_blocks.clear_verdict,
    right=residual_blocks.CLEAR,
)

# ---------------------------------------------------------------------------- 3, the surgery

check_see_all = DesignChecker(
    "Exercise 3: function(block) -> the block, its shortcut reading every pixel",
    lambda block: residual_blocks.SEEING,
    [{"block": block} for block in trained_blocks],
    residual_blocks.SEEING_MISTAKES,
    judge=residual_blocks.seeing_verdict,
    right=residual_blocks.SEEING,
)

# ------------------------------------------------------------------------------- 4, a count


def count(start, stages, classes, **changes):
    """Return the parameters of a network of bottlenecks; `changes` are for what a reader forgets.

    `stages` has for each stage its blocks, the channels inside and the channels out.
    """
    rules = {
        "norm": 2,  # numbers for each channel
        "bias": 0,  # of each convolution, for each channel
        "stem": 49,  # weights of a filter for each channel of the picture
        "fc_bias": 1,
        "projects": lambda stage, block, c_in, c_out: block == 0 and (stage > 0 or c_in != c_out),
        "projection_norm": 2,
        "inside": lambda inside, out: inside,
        "later_blocks_read": lambda c_in, out: out,
    } | changes
    extra = rules["norm"] + rules["bias"]
    total, c_in = start * (3 * rules["stem"] + bool(rules["stem"]) * extra), start
    for stage, (number, width, out) in enumerate(stages):
        inside, before = rules["inside"](width, out), c_in
        for block in range(number):
            total += inside * (c_in + 9 * inside + 2 * extra) + out * (inside + extra)
            if rules["projects"](stage, block, c_in, out):
                total += out * (c_in + rules["projection_norm"] + rules["bias"])
            c_in = rules["later_blocks_read"](before, out)
        c_in = out
    return total + (c_in + rules["fc_bias"]) * classes


def _slip(**changes):
    def solution(start, stages, classes):
        return count(start, stages, classes, **changes)

    return solution


_RESNET_50 = [(3, 64, 256), (4, 128, 512), (6, 256, 1024), (3, 512, 2048)]
_RESNET_152 = [(3, 64, 256), (8, 128, 512), (36, 256, 1024), (3, 512, 2048)]
_SHAPES = [
    [(1, 4, 16)],
    [(2, 4, 16), (1, 8, 32)],
    [(1, 4, 8), (2, 4, 8)],
    [(2, 5, 12), (3, 7, 12), (1, 9, 40)],
    [(1, 8, 16), (1, 16, 16), (4, 10, 64)],
    [(3, 16, 64), (3, 32, 128)],
    _RESNET_50,
    _RESNET_152,
]

check_count = Checker(
    "Exercise 4: function(start, stages, classes) -> parameters",
    _slip(),
    [
        *grid(start=[16, 12, 8], stages=_SHAPES[:6], classes=[10]),
        *grid(start=[64], stages=_SHAPES[4:], classes=[1000, 10]),
    ],
    {
        "Each batch norm has two learned numbers for each channel.": _slip(
            norm=0, projection_norm=0
        ),
        "Running mean and variance are buffers: count two numbers per channel, not four.": (
            _slip(norm=4, projection_norm=4)
        ),
        "The convolutions have no bias: batch norm would take it away.": _slip(bias=1),
        "The linear layer at the end has a bias.": _slip(fc_bias=0),
        "The first convolution and its batch norm are missing.": _slip(stem=0),
        "The first convolution is 7 × 7.": _slip(stem=9),
        "Where the shape changes there is a projection, with weights and a batch norm.": _slip(
            projects=lambda *_: False
        ),
        "Behind the projection stands a batch norm, too.": _slip(projection_norm=0),
        "In the first stage nothing is halved, but the channels may change: then it projects.": (
            _slip(projects=lambda stage, block, c_in, c_out: block == 0 and stage > 0)
        ),
        "The first block of stage 2 has a stride, so it projects even where the channels agree.": (
            _slip(projects=lambda stage, block, c_in, c_out: block == 0 and c_in != c_out)
        ),
        "The first stage projects only if its channels change: it has stride 1.": _slip(
            projects=lambda stage, block, c_in, c_out: block == 0
        ),
        "Only the first block of a stage projects.": _slip(projects=lambda *_: True),
        "The channels inside are given; they need not be a quarter of those outside.": _slip(
            inside=lambda inside, out: out // 4
        ),
        "From its second block on, a stage reads what it writes: `out` channels.": _slip(
            later_blocks_read=lambda c_in, out: c_in
        ),
    },
    fallback="Take one stage with one block, and count it layer by layer: `trace` shows the rows "
    "of `BottleneckBlock(start, inside, out)`.",
)
