"""A small network that meets the assignment, its parts to be exchanged, and what a report says."""

from torch import nn

from tests.helpers.networks import Net

POOLS, FIELD, SEPARABLE, DILATED, GAP, PARAMS, ACCURACY = range(7)
STRUCTURAL = {POOLS, FIELD, SEPARABLE, DILATED, GAP}


class Call(Net):
    """A function, or several modules in a function of one's own, as a part of a model."""

    def forward(self, x):
        return self.run(self, x) if [*self.children()] else self.run(x)


def conv(c_in, c_out, kernel_size=3, padding=1, **settings):
    layer = nn.Conv2d(c_in, c_out, kernel_size, padding=padding, **settings)
    return nn.Sequential(layer, nn.BatchNorm2d(c_out), nn.ReLU())


def separable(**settings):
    depthwise = conv(32, 32, **{"groups": 32, **settings})
    return nn.Sequential(depthwise, nn.Conv2d(32, 32, 1))


PARTS = {
    "c1": lambda: conv(3, 16),
    "pool1": lambda: nn.MaxPool2d(2),
    "c2": lambda: conv(16, 32),
    "pool2": lambda: nn.MaxPool2d(2),
    "c3": separable,
    "pool3": lambda: nn.MaxPool2d(2),
    "c4": lambda: conv(32, 32, padding=2, dilation=2),
    "c5": lambda: conv(32, 32),
    "gap": lambda: nn.AdaptiveAvgPool2d(1),
    "flat": nn.Flatten,
    "head": lambda: nn.Linear(32, 10),
}


def net(**others):
    """Return the network that passes, with other parts; None leaves a part out."""
    parts = {name: make() for name, make in PARTS.items() if name not in others}
    parts |= {name: part for name, part in others.items() if part is not None}
    order = [name for name in [*PARTS, *others] if name in parts]
    model = nn.Sequential()
    for name in dict.fromkeys(order):
        model.add_module(name, parts[name])
    return model


def failed(report):
    return {number for number, row in enumerate(report) if not row.passed}


def told(report):
    """Return all that a report says against a network: whole, so that no sentence may be false."""
    whys = [row.why for row in report if not row.passed]
    return [*whys, *(f"note: {remark}" for remark in report.remarks)]
