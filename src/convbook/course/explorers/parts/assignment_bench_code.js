// Assignment bench: the network as a file of Python, and the line that grades it.

import { measure } from "./assignment_bench_measure.js";

const FILE_HEAD = `"""A network from the assignment bench of convbook."""

from torch import nn


def conv(c_in, c_out, kernel_size, **settings):
    """A convolution with batch norm and ReLU."""
    layer = nn.Conv2d(c_in, c_out, kernel_size, bias=False, **settings)
    return nn.Sequential(layer, nn.BatchNorm2d(c_out), nn.ReLU())


class Net(nn.Module):
    def __init__(self):
        super().__init__()
`;

/** The layer as Python; settings that it has anyway are left out. */
function layerCode({ kind, set, inputs, channels }) {
  const { kernel_size: kernel, ...rest } = set;
  const usual = { stride: kind === "max_pool" ? kernel : 1, padding: 0, dilation: 1 };
  const given = Object.entries(rest).filter(
    ([name, value]) => name in usual && value !== usual[name],
  );
  const more = [kernel, ...given.map((pair) => pair.join("="))].join(", ");
  return {
    conv: `conv(${inputs}, ${channels}, ${more})`,
    depthwise: `nn.Conv2d(${inputs}, ${inputs}, ${more}, groups=${inputs}, bias=False)`,
    pointwise: `conv(${inputs}, ${channels}, 1)`,
    max_pool: `nn.MaxPool2d(${more})`,
    average: "nn.AdaptiveAvgPool2d(1)",
    flatten: "nn.Flatten()",
    linear: `nn.Linear(${inputs}, ${channels})`,
  }[kind];
}

/** A file that holds the network as the class Net; of one that does not run, why. */
export function fileOf(rows) {
  const { levels, problem } = measure(rows);
  if (problem) return `# This network does not run. ${problem}\n`;
  const layers = levels.slice(1);
  const made = layers.map((level) => `        self.${level.name} = ${layerCode(level)}\n`);
  const steps = layers.map(({ kind, name }, i) => {
    const hidden = kind === "linear" && i + 1 < layers.length ? ".relu()" : "";
    return `        x = self.${name}(x)${hidden}\n`;
  });
  return `${FILE_HEAD}${made.join("")}
    def forward(self, x):
${steps.join("")}        return x
`;
}

/** The line that grades the file. */
export function gradeLine(profile) {
  const asked = profile === "s7-2020" ? "" : ` --profile ${profile}`;
  return `convbook grade my_net.py:Net${asked}`;
}
