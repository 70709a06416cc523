// Coverage: its limits and examples, and what is reached and why, in words and code.

import { counted, wholeNumber } from "../lib/format.js";
import { countsOf, gcd, innerTaps, levelsOf, reachedOf, targetsOf } from "./coverage_counts.js";

const RANGES = {
  kernel_size: [1, 7],
  stride: [1, 4],
  dilation: [1, 3],
  size: [1, 8],
  position: [0, 576],
};

/** The smallest and the largest of each, as in Python. */
export const LIMITS = { layers: [1, 6], dilations: [1, 16], ...RANGES };

/** What each setting of a link may be. */
export const RULES = {
  ...RANGES,
  mode: ["dilated", "transposed"],
  dilations: {
    fits: (value) => Array.isArray(value) && parseDilations(value.join()) !== null,
    words: `${LIMITS.layers.join(" to ")} whole numbers from ${LIMITS.dilations.join(" to ")}, in brackets`,
  },
};

const stack = (dilations, kernel_size = 3) => ({ mode: "dilated", dilations, kernel_size });
const transposed = (kernel_size, stride, dilation = 1) => ({
  ...{ mode: "transposed", kernel_size, stride, dilation },
});

const EXAMPLES = {
  fixed: stack([2, 2, 2]),
  plain: stack([1, 1, 1]),
  hybrid: stack([1, 2, 5]),
  doubling: stack([1, 2, 4, 8]),
  long: stack([1, 2, 4, 8, 16]),
  tree: stack([1, 2, 4, 8, 16], 2),
  uneven: transposed(3, 2),
  even: transposed(4, 2),
  tiles: transposed(2, 2),
  gaps: transposed(2, 3),
  shared: transposed(4, 2, 2),
};
const NOTES = {
  fixed: "Every step is 2 pixels long, so every second pixel is out of reach: gridding.",
  plain: "No dilation: no holes, and the smallest field.",
  hybrid: "As many weights as 2, 2, 2, a larger field, and no holes.",
  doubling: "The field more than doubles with each layer, and nothing is skipped.",
  long: "One layer more, and the field more than doubles again.",
  tree: "A binary tree: one path to each pixel, none wasted. WaveNet stacks its layers like this.",
  uneven: "Every second pixel gets twice as many taps: a checkerboard on a map.",
  even: "Each pixel inside gets as many taps as any other.",
  tiles: "The kernels lie side by side and never overlap.",
  gaps: "The kernel is smaller than the stride: some pixels get nothing but the bias.",
  shared: "The stride divides the kernel, yet all taps fall on every second pixel.",
};

function labelOf(/** @type {any} */ { mode, dilations, kernel_size, stride, dilation }) {
  if (mode === "dilated") return dilations.join(", ") + (kernel_size === 2 ? ", two taps" : "");
  const label = `kernel ${kernel_size}, stride ${stride}`;
  return dilation > 1 ? `${label}, dilation ${dilation}` : label;
}

export const PRESETS = Object.entries(EXAMPLES).map(([key, settings]) => {
  return { key, label: labelOf(settings), note: NOTES[key], settings };
});

/** What it is that is counted. */
export const TERMS = {
  dilated: "A path from the output takes one tap, a weight of the kernel, in each layer.",
  transposed:
    "A tap is a weight of the kernel: each input pixel is added once through each of them.",
};

/** What is reached, in a sentence. */
export function summaryOf(s) {
  const counts = countsOf(s);
  const [total, reached] = [counts.length, reachedOf(counts)];
  if (s.mode === "dilated") {
    return (
      `${counted(s.dilations.length, "layer")} of ${counted(s.kernel_size, "tap")}: ` +
      `${reached} of ${counted(total, "position")} reached, ${counted(total - reached, "hole")}; ` +
      `on a map, ${reached ** 2} of ${counted(total ** 2, "pixel")}.`
    );
  }
  const inner = innerTaps(s);
  const ends = `${counted(s.size, "pixel")} in, ${total} out: away from the borders`;
  if (new Set(inner).size === 1) {
    return `${ends} ${counted(inner[0], "tap")} on each pixel, ${inner[0] ** 2} on a map.`;
  }
  const tile = inner.map((a) => inner.map((b) => a * b).join(", ")).join(" / ");
  return `${ends} the taps repeat ${inner.join(", ")}; on a map, ${tile}.`;
}

/** Why a stack has holes or none. */
function dilationReason({ dilations, kernel_size: taps }) {
  if (taps === 1) return "No holes: with one tap, an output sees one position.";
  const parts = [];
  let filled = 1;
  for (const dilation of [...dilations].sort((a, b) => a - b)) {
    if (dilation > filled) {
      const room = counted(filled, "position");
      return `Holes: dilation ${dilation} is larger than the ${room} that the smaller dilations fill.`;
    }
    parts.push(`${dilation} \u2264 ${filled}`);
    filled += (taps - 1) * dilation;
  }
  return `No holes: no dilation is larger than what the smaller ones fill (${parts.join(", ")}).`;
}

/** Why a transposed convolution overlaps evenly or not. */
function overlapReason({ kernel_size: kernel, stride, dilation }) {
  const common = gcd(dilation, stride);
  const causes = [];
  if (kernel % stride) causes.push(`stride ${stride} does not divide kernel_size ${kernel}`);
  if (common > 1) {
    causes.push(`stride ${stride} and dilation ${dilation} share the factor ${common}`);
  }
  if (causes.length) return `Uneven: ${causes.join(", and ")}.`;
  return `Even: stride ${stride} divides kernel_size ${kernel} and shares no factor with dilation ${dilation}.`;
}

/** Why there are holes or none, or why the overlap is even or uneven, in a sentence. */
export function reasonOf(s) {
  return s.mode === "dilated" ? dilationReason(s) : overlapReason(s);
}

/** Which paths lead through an entry of a row, in a sentence. */
export function placeOf(s, /** @type {import("./coverage_counts.js").Point} */ { level, index }) {
  const levels = levelsOf(s);
  const [last, count] = [levels.length - 1, levels[level].counts[index]];
  const list = (noun, numbers) => `${noun}${numbers.length === 1 ? "" : "s"} ${numbers.join(", ")}`;
  if (s.mode === "transposed") {
    const targets = (pixel) => targetsOf({ taps: s.kernel_size, ...s }, pixel);
    if (level === 0) {
      const fall = s.kernel_size === 1 ? "tap falls" : "taps fall";
      return `Input pixel ${index}: its ${s.kernel_size} ${fall} on ${list("output", targets(index))}.`;
    }
    if (count === 0) return `Output ${index}: no tap, nothing but the bias.`;
    const sources = [...levels[0].counts.keys()].filter((pixel) => targets(pixel).includes(index));
    return `Output ${index}: ${counted(count, "tap")}, from ${list("input pixel", sources)}.`;
  }
  const paths = counted(s.kernel_size ** last, "path");
  if (level === 0) return `Output: ${paths} ${paths === "1 path" ? "starts" : "start"} here.`;
  if (count === 0) return `Position ${index}: a hole, none of the ${paths} ends here.`;
  const through = count * s.kernel_size ** (last - level);
  const verb = (plural, one) => (through === 1 ? one : plural);
  if (level === last) {
    return `Position ${index}: ${through} of the ${paths} ${verb("end", "ends")} here.`;
  }
  const row = `Output of layer ${last - level}, position ${index}`;
  return `${row}: ${through} of the ${paths} ${verb("go", "goes")} through it.`;
}

/** The line that computes the counts. */
export function packageLine(s) {
  if (s.mode === "dilated") {
    return `dilation_coverage([${s.dilations.join(", ")}], kernel_size=${s.kernel_size})`;
  }
  const dilation = s.dilation > 1 ? `, dilation=${s.dilation}` : "";
  return `transposed_coverage(${s.size}, kernel_size=${s.kernel_size}, stride=${s.stride}${dilation})`;
}

/** A script that runs as it stands and lets PyTorch count: every weight and every pixel is 1. */
export function pytorchScript(s) {
  const body =
    s.mode === "transposed"
      ? `ones = torch.ones(1, 1, ${s.size})
weight = torch.ones(1, 1, ${s.kernel_size})
counts = conv_transpose1d(ones, weight, stride=${s.stride}, dilation=${s.dilation})`
      : `counts = torch.ones(1, 1, 1)  # one output; its gradient goes down, layer by layer
weight = torch.ones(1, 1, ${s.kernel_size})
for dilation in reversed([${s.dilations.join(", ")}]):
    counts = conv_transpose1d(counts, weight, dilation=dilation)`;
  return `import torch
from torch.nn.functional import conv_transpose1d

${body}
print(counts.int().flatten().tolist())`;
}

/** The dilations in a text such as "1, 2, 5", or null when there are none that can be shown. */
export function parseDilations(text) {
  const parts = text
    .replace(/[[\]()]/g, " ")
    .trim()
    .split(/[\s,;]+/);
  const [fewest, most] = LIMITS.layers;
  if (parts.length < fewest || parts.length > most) return null;
  const numbers = parts.map((part) => wholeNumber(part, LIMITS.dilations));
  return numbers.includes(null) ? null : numbers;
}
