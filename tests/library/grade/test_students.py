"""Networks as students of the course hand them in, judged by hand and then by the grader.

Each was written for the purpose, in the style of some course repository, and its rows were worked
out on paper before the grader saw it: the comment says how. A field is 1 plus, for each window,
dilation * (kernel - 1) * jump, where the jump is the product of the strides before.
"""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convbook.grade import grade
from tests.helpers.assignment import DILATED, FIELD, GAP, PARAMS, POOLS, SEPARABLE


def block(c_in, c_out, **settings):
    settings = {"padding": 1, "bias": False, **settings}
    layers = [nn.Conv2d(c_in, c_out, 3, **settings), nn.ReLU(), nn.BatchNorm2d(c_out)]
    return nn.Sequential(*layers, nn.Dropout(0.05))


class Quiz(nn.Module):
    """One long forward, a log-softmax by -1, a 1 x 1 head and a view: EVA's own style."""

    # C1 3, 5; pool 6, jump 2; C2 10, 14; pool 16, jump 4; C3 dw 24, 1x1; dilated 40; pool 44, jump
    # 8; C4 60. Head 1x1 keeps 60.
    def __init__(self):
        super().__init__()
        self.convblock1 = nn.Sequential(block(3, 32), block(32, 32))
        self.pool = nn.MaxPool2d(2, 2)
        self.convblock2 = nn.Sequential(block(32, 64), block(64, 64))
        self.dws = nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False)
        self.point = nn.Conv2d(64, 64, 1, bias=False)
        self.dilated = block(64, 64, padding=2, dilation=2)
        self.convblock4 = block(64, 64)
        self.gap = nn.Sequential(nn.AvgPool2d(kernel_size=4))
        self.head = nn.Conv2d(64, 10, 1, bias=False)

    def forward(self, x):
        x = self.pool(self.convblock1(x))
        x = self.pool(self.convblock2(x))
        x = self.pool(self.dilated(self.point(self.dws(x))))
        x = self.head(self.gap(self.convblock4(x)))
        x = x.view(-1, 10)
        return F.log_softmax(x, dim=-1)


class Tutorial(nn.Module):
    """The PyTorch tutorial's LeNet with a few numbers changed: nothing of the assignment yet."""

    # conv 5: 5; pool 6, jump 2; conv 5: 14; pool 16. Two pools, and the map is flattened.
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 6, 5), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.view(-1, 16 * 5 * 5)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class FirstDilated(nn.Module):
    """Dilation in the first block with the padding of a plain 3 x 3, softmax at the end."""

    # Dilated with padding 1: 32 to 30, 5; plain 7; pool 8, jump 2 (15); 12, 16; pool 18, jump 4
    # (7); dw 26; 34; pool 38, jump 8 (3); 54.
    def __init__(self):
        super().__init__()
        self.c1 = nn.Sequential(block(3, 16, dilation=2), block(16, 32))
        self.c2 = nn.Sequential(block(32, 32), block(32, 64))
        self.c3 = nn.Sequential(block(64, 64, groups=64), nn.Conv2d(64, 64, 1), block(64, 64))
        self.c4 = block(64, 64)
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        for part in (self.c1, self.c2, self.c3):
            x = F.max_pool2d(part(x), 2)
        x = self.c4(x).mean(dim=[2, 3])
        return F.softmax(self.fc(x), dim=1)


class SepConv(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.depth = nn.Conv2d(c_in, c_in, kernel_size=3, padding=1, groups=c_in)
        self.point = nn.Conv2d(c_in, c_out, kernel_size=1)

    def forward(self, x):
        return self.point(self.depth(x))


class Transition(nn.Sequential):
    """A max-pool, then a 1 x 1 that squeezes: the 'transition block' of the lectures."""

    def __init__(self, c_in, c_out):
        super().__init__(nn.MaxPool2d(2), nn.Conv2d(c_in, c_out, 1), nn.ReLU())


class Squeezed(nn.Module):
    """Transition blocks, separable convolutions from a class, NiN head before the average."""

    # 3, 5; pool 6, j2; dw 10, 14; pool 16, j4; dw 24, dilated 40; pool 44, j8; 60, 76.
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            block(3, 32),
            block(32, 64),
            Transition(64, 32),
            SepConv(32, 64),
            SepConv(64, 64),
            Transition(64, 32),
            SepConv(32, 64),
            block(64, 64, padding=2, dilation=2),
            Transition(64, 32),
            block(32, 64),
            block(64, 64),
            nn.Conv2d(64, 10, 1),
            nn.AdaptiveAvgPool2d((1, 1)),
        )

    def forward(self, input):
        return torch.flatten(self.body(input), 1)


class Strided(nn.Module):
    """Written for a later year: strides instead of pools, so the 2020 rules miss three pools."""

    # 3, 5 at j1; stride 2: 7, j2; 11; stride 2: 15, j4; dw 23, 1x1; stride 2: 31, j8; dilated 63;
    # 79.
    def __init__(self):
        super().__init__()
        self.c1 = nn.Sequential(block(3, 24), block(24, 24), block(24, 32, stride=2))
        self.c2 = nn.Sequential(block(32, 32), block(32, 32, stride=2))
        self.c3 = nn.Sequential(SepConv(32, 64), block(64, 32, stride=2))
        self.c4 = nn.Sequential(block(32, 32, padding=2, dilation=2), block(32, 64))
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.out = nn.Linear(64, 10)

    def forward(self, x):
        x = self.gap(self.c4(self.c3(self.c2(self.c1(x)))))
        return self.out(x.squeeze(-1).squeeze(-1))


class Residual(nn.Module):
    """Skips within the blocks, weights shared by name, x += in place."""

    # 3, 5, 7; pool of 3: 9, j2; 13, 17; pool 19, j4; dilated 35, dw 43; pool 47, j8; 63.
    def __init__(self):
        super().__init__()
        self.stem = block(3, 48)
        self.a, self.b = block(48, 48), block(48, 48)
        self.c, self.d = block(48, 48), block(48, 48)
        self.e = block(48, 48, padding=2, dilation=2)
        self.f = nn.Sequential(nn.Conv2d(48, 48, 3, 1, 1, groups=48), nn.Conv2d(48, 48, 1))
        self.g = block(48, 48)
        self.pool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.fc = nn.Linear(48, 10)

    def forward(self, x):
        x = self.stem(x)
        x = x + self.b(self.a(x))
        x = self.pool(x)
        x = x + self.d(self.c(x))
        x = F.max_pool2d(x, 2, 2)
        x = x + self.f(self.e(x))
        x = F.max_pool2d(x, 2, 2)
        x = self.g(x)
        x = F.avg_pool2d(x, x.size(3)).view(x.size(0), -1)
        return self.fc(x)


class TwoOutputs(nn.Module):
    """Gives the last map along, for a picture of what it looks at."""

    # As Quiz without its second 3 x 3 in C2: 5; pool 6, j2; 10; pool 12, j4; dw 20, dilated 36;
    # pool 40, j8; 56, 72.
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            block(3, 32),
            block(32, 32),
            nn.MaxPool2d(2),
            block(32, 64),
            nn.MaxPool2d(2),
            SepConv(64, 64),
            block(64, 64, padding=2, dilation=2),
            nn.MaxPool2d(2),
            block(64, 64),
            block(64, 64),
        )
        self.classifier = nn.Linear(64, 10)

    def forward(self, x):
        maps = self.features(x)
        return self.classifier(maps.mean([2, 3])), maps


class Attic(nn.Module):
    """Layers of earlier tries are still there; one has its weight, another runs for nothing."""

    # 3; pool 4, j2; 8; pool 10, j4; dw 18; pool 22, j8; 38, dilated is in the attic: 38 is too
    # small, and nothing is dilated.
    def __init__(self):
        super().__init__()
        self.c1, self.c2 = block(3, 32), block(32, 64)
        self.c3, self.c4 = SepConv(64, 64), block(64, 64)
        self.c5 = block(64, 64, padding=2, dilation=2)
        self.old = nn.Linear(64, 128)
        self.scale = nn.Parameter(torch.ones(5))
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = F.max_pool2d(self.c1(x), 2)
        x = F.max_pool2d(self.c2(x), 2)
        x = F.max_pool2d(self.c3(x), 2)
        x = self.c4(x)
        self.old(x.mean((2, 3)))
        return self.fc(x.mean((2, 3)))


class Decided(nn.Module):
    """A guard against large numbers that the student left in."""

    # As TwoOutputs: 72.
    def __init__(self):
        super().__init__()
        self.inner = TwoOutputs()

    def forward(self, x):
        x = self.inner(x)[0]
        if torch.isnan(x).any():
            raise RuntimeError("nan")
        if x.abs().max().item() > 1e3:
            x = x.clamp(-1e3, 1e3)
        return x


class Silenced(nn.Module):
    """The dilated branch is added with a weight of 0, to try it out 'later'."""

    # Without the branch: 3, 5; pool 6, j2; 10, 14; pool 16, j4; dw 24, 32; pool 36, j8; 52.
    alpha = 0.0

    def __init__(self):
        super().__init__()
        self.c1 = nn.Sequential(block(3, 32), block(32, 32), nn.MaxPool2d(2))
        self.c2 = nn.Sequential(block(32, 32), block(32, 32), nn.MaxPool2d(2))
        self.c3 = nn.Sequential(SepConv(32, 32), block(32, 32), nn.MaxPool2d(2))
        self.c4, self.branch = block(32, 32), block(32, 32, padding=2, dilation=2)
        self.head = nn.Conv2d(32, 10, 1)

    def forward(self, x):
        x = self.c3(self.c2(self.c1(x)))
        x = self.c4(x) + self.alpha * self.branch(x)
        return self.head(F.adaptive_avg_pool2d(x, 1)).flatten(1)


class TooMuch(nn.Module):
    """VGG habits: wide, four pools, two hidden layers; a 3 x 3 average of the last 2 x 2 map."""

    # 3, 5; pool 6, j2; 10; pool 12, j4; 20; pool 24, j8; dw 40; pool 48, j16; dilated 112. Of its
    # nine taps on a 2 x 2 map only the middle one ever lies on it: 1 - (2/6)**2 = 89 % padding.
    def __init__(self):
        super().__init__()
        pool = nn.MaxPool2d(2)
        self.features = nn.Sequential(
            *(block(3, 64), block(64, 128), pool, block(128, 256), pool, block(256, 256), pool),
            *(SepConv(256, 256), pool, block(256, 128, padding=2, dilation=2)),
        )
        self.classifier = nn.Sequential(nn.Linear(128, 256), nn.ReLU(), nn.Linear(256, 10))

    def forward(self, x):
        return self.classifier(F.adaptive_avg_pool2d(self.features(x), 1).flatten(1))


class Bought(nn.Module):
    """Too few layers, so one with dilation 3 on the last 4 x 4 map makes up the field."""

    # 3; pool 4, j2; 8; pool 10, j4; dw 18; pool 22, j8; dilation 3 adds 48: 70. On each axis its
    # taps lie on the map 4 + 1 + 1 times of 12, so that 1 - (1/2)**2 = 75 % read padding.
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            *(block(3, 32), nn.MaxPool2d(2), block(32, 32), nn.MaxPool2d(2), SepConv(32, 64)),
            *(nn.MaxPool2d(2), block(64, 64, padding=3, dilation=3)),
            *(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(64, 10)),
        )

    def forward(self, x):
        return self.net(x)


class Flat(nn.Module):
    """`view(-1, ...)` with the size of 64-pixel pictures' maps, on a head that is convolutional."""

    # On 32: 3, 5; pool 6, j2; 10, 14; pool 16, j4; dw 24, dilated 40; pool 44, j8; 60. The pool of
    # 3 leaves out 7 of 16 pixels.
    def __init__(self):
        super().__init__()
        self.c1 = nn.Sequential(block(3, 32), block(32, 32), nn.MaxPool2d(2))
        self.c2 = nn.Sequential(block(32, 32), block(32, 32), nn.MaxPool2d(2))
        self.c3 = nn.Sequential(SepConv(32, 32), block(32, 32, padding=2, dilation=2))
        self.c4 = nn.Sequential(nn.MaxPool2d(2), block(32, 32))
        self.gap = nn.AvgPool2d(3)
        self.head = nn.Conv2d(32, 10, 1)

    def forward(self, x):
        x = self.head(self.gap(self.c4(self.c3(self.c2(self.c1(x))))))
        return x.view(-1)


NO_POOLS = "put nn.MaxPool2d(2) between two blocks of convolutions"
# name: (network, field, {row that is not met: what is said}, notes)
STUDENTS = {
    "Quiz": (Quiz, "60", {}, []),
    "Tutorial": (
        Tutorial,
        "14",
        {
            POOLS: "only `max_pool2d` counts; put nn.MaxPool2d(2) between two blocks of "
            "convolutions; no convolution follows `max_pool2d_1`; add a block after it",
            FIELD: "read at `conv2`, the last convolution; there one more 3 × 3 convolution adds "
            "4, with dilation 2 8",
            SEPARABLE: "no convolution has as many groups as channels; use nn.Conv2d(C, C, 3, "
            "padding=1, groups=C), then nn.Conv2d(C, D, 1)",
            DILATED: "every dilation is 1; set dilation=2, padding=2 in a 3 × 3 convolution",
            GAP: "`view` (view) turns the 5x5 map into single numbers; use "
            "nn.AdaptiveAvgPool2d(1) instead",
        },
        [],
    ),
    "FirstDilated": (
        FirstDilated,
        "54",
        {},
        [
            "`c1.0.0`: dilation 2 with kernel 3 needs padding 2 to keep 32x32; it has 1, and the "
            "map shrinks to 30x30",
            "`softmax` (softmax) hands out probabilities, and cross-entropy takes a softmax of its "
            "own: hand out the numbers that go into it, or use F.log_softmax(x, 1)",
        ],
    ),
    "Squeezed": (Squeezed, "76", {}, []),
    "Strided": (
        Strided,
        "79",
        {
            POOLS: f"{NO_POOLS}; `c1.2.0` has stride 2, which is no transition (allowed); "
            "`c2.1.0` has stride 2, which is no transition (allowed); `c3.1.0` has stride 2, which "
            "is no transition (allowed)",
        },
        [],
    ),
    "Residual": (Residual, "63", {}, []),
    "TwoOutputs": (
        TwoOutputs,
        "72",
        {},
        [
            "forward returns 2 tensors, of shape 10 and 64x4x4: `classifier` is judged, but a loss "
            "takes one; return the 10 class scores alone",
        ],
    ),
    "Attic": (
        Attic,
        "38",
        {
            FIELD: "read at `c4.0`, the last convolution; there one more 3 × 3 convolution adds "
            "16, with dilation 2 32",
            DILATED: "`c5.0` is defined but does not run; call it in forward",
        },
        [
            "`old` runs, but its output is dropped; hand it on",
            # 64*64*9 + 2*64 of c5, and 5
            "nothing reads 36,997 parameters (`scale`, ...), but they count",
        ],
    ),
    "Decided": (
        Decided,
        "72",
        {},
        ["forward looks at values in tensors; judged is the way that one random picture takes"],
    ),
    "Silenced": (
        Silenced,
        "52",
        {
            DILATED: "`branch.0` runs, but no change of its result changes the output, as if it "
            "were multiplied by 0; let it take part",
        },
        [],
    ),
    "TooMuch": (
        TooMuch,
        "112",
        {
            POOLS: "`features.2`, `features.2_1`, `features.2_2`, `features.2_3`: three are asked "
            "for; leave out 1",
            DILATED: "`features.9.0`: with dilation 2 at most one tap lies inside the 2x2 map; "
            "use a smaller dilation, or move it earlier",
            # 1,728 + 73,728 + 294,912 + 589,824 in the 3 x 3, 2,560 + 65,792 in the pair, 294,912
            # dilated, 1,664 in the normalisation, 33,024 + 2,570 in the classifier: 1,360,714.
            PARAMS: "the largest is `features.5.0.weight` with 589,824; 360,715 too many: use "
            "fewer channels, or separable convolutions",
        },
        [
            "`features.9.0` adds 64 pixels to the field, but 89% of what its taps read on the 2x2 "
            "map is padding",
        ],
    ),
    "Bought": (
        Bought,
        "70",
        {},
        [
            "`net.6.0` adds 48 pixels to the field, but 75% of what its taps read on the 4x4 map "
            "is padding; without it, the field is 22",
        ],
    ),
    "Flat": (
        Flat,
        "60",
        {
            GAP: "`gap` averages 9 of the 16 pixels of the 4x4 map and leaves 7 out; use "
            "nn.AdaptiveAvgPool2d(1)",
        },
        [
            "for 4 pictures the output has shape 40: the forward mixes pictures; keep the batch, "
            "as x.flatten(1) does",
        ],
    ),
}


@pytest.mark.parametrize(("make", "field", "missed", "notes"), STUDENTS.values(), ids=STUDENTS)
def test_a_student_gets_what_a_teacher_found_by_hand(make, field, missed, notes):
    report = grade(make(), 0.81)
    assert report[FIELD].measured == field
    assert {i: row.why for i, row in enumerate(report) if not row.passed} == missed
    assert [*report.remarks] == notes


def test_the_network_of_a_later_year_meets_that_years_requirements():
    report = grade(Strided(), 0.85, profile="s7-2021")
    assert report.passed
    assert report.remarks == ()
