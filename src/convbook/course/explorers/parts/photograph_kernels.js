// Photograph: its settings, the kernels of its presets, the maps to match, and the code to copy.

import { tensorLines } from "../lib/format.js";
import { range } from "../lib/ranges.js";
import { exact, SIDE } from "./photograph_arithmetic.js";

export const SIZES = [3, 5, 7];
export const LARGEST_WEIGHT = 99;
export const WEIGHT_WORDS = `\u2212${LARGEST_WEIGHT} to ${LARGEST_WEIGHT} with two decimals at most`;
/** Of each border: its label, F.pad's mode, and what it is made of. */
export const BORDERS = {
  zero: ["Zero", "constant", "of zeros"],
  reflect: ["Reflect", "reflect", "that mirrors the pixels inside"],
  replicate: ["Replicate", "replicate", "that repeats the outermost pixel"],
};
/** Of each view: its label, and what PyTorch does to the map. */
export const VIEWS = {
  signed: ["Signed", ""],
  absolute: ["Absolute", ".abs()"],
  relu: ["ReLU", ".relu()"],
  grey: ["Grey", ".clamp(0, 255)"],
};

/** Whether a weight is one that counts: -99 to 99, with two decimals at most. */
export function isWeight(value) {
  const near = Math.abs(exact(value) - value) < 1e-9;
  return typeof value === "number" && near && Math.abs(value) <= LARGEST_WEIGHT;
}

const isList = (value, size, test) =>
  Array.isArray(value) && value.length === size && value.every(test);

/** What each setting may be. */
export const RULES = {
  kernel: {
    words: "3, 5 or 7 rows of as many numbers",
    fits: (value) =>
      SIZES.some((size) => isList(value, size, (row) => isList(row, size, isWeight))),
  },
  border: Object.keys(BORDERS),
  view: Object.keys(VIEWS),
  probe: {
    words: `a row and a column, 0 to ${SIDE - 1}`,
    fits: (value) => isList(value, 2, (i) => Number.isInteger(i) && i >= 0 && i < SIDE),
  },
};

const edge = (where) => `Orange: darker to brighter ${where}; purple: brighter to darker.`;
const same = "The weights add up to 1, so that even areas keep their grey.";

/** Of each preset: its label, what to notice, and the weight `y` below and `x` beside the middle. */
export const PRESETS = {
  vertical: ["Vertical edges", edge("from left to right"), (_, x) => Math.sign(x)],
  horizontal: ["Horizontal edges", edge("from top to bottom"), (y) => Math.sign(y)],
  rising: ["Edges like /", edge("towards the lower right"), (y, x) => Math.sign(x + y)],
  falling: ["Edges like \\", edge("towards the upper right"), (y, x) => Math.sign(x - y)],
  blur: ["Blur", same, (y, x, r) => (x || y ? [0.1, 0.04, 0.02] : [0.2, 0.04, 0.04])[r - 1]],
  sharpen: ["Sharpen", same, (y, x, r) => (x || y ? -Number(!x || !y) : 4 * r + 1)],
  emboss: ["Emboss", same, (y, x) => (x || y ? Math.sign(x) * Number(x === y) : 1)],
  identity: ["Identity", "The map is the picture.", (y, x) => Number(!x && !y)],
};

/** The weights of a preset, `size` by `size`. */
export function presetKernel(/** @type {string} */ key, /** @type {number} */ size) {
  const r = (size - 1) / 2;
  const weight = /** @type {Function} */ (PRESETS[key][2]);
  return range(-r, r + 1).map((y) => range(-r, r + 1).map((x) => exact(weight(y, x, r))));
}

/** The sum of a kernel's weights. */
export const totalOf = (kernel) => exact(kernel.flat().reduce((a, b) => a + b));

/** How the map of these weights is best seen: as greys where they add up to 1. */
export const usualView = (kernel) => (totalOf(kernel) === 1 ? "grey" : "signed");

/** Presets for the shell, of the size that the kernel has when one is asked for its settings. */
export function presetsAt(sizeNow) {
  return Object.entries(PRESETS).map(([key, [label, note]]) => ({
    label: String(label),
    note: String(note),
    get settings() {
      const kernel = presetKernel(key, sizeNow());
      return { kernel, view: usualView(kernel) };
    },
  }));
}

/** The key of the preset that has these weights, or undefined. */
export function presetOf(kernel) {
  return Object.keys(PRESETS).find((key) => `${presetKernel(key, kernel.length)}` === `${kernel}`);
}

/** The kernel at another size: the same preset, or the same weights, cut or with zeros around. */
export function resized(kernel, size) {
  const key = presetOf(kernel);
  if (key) return presetKernel(key, size);
  const places = range((kernel.length - size) / 2, (kernel.length + size) / 2);
  return places.map((i) => places.map((j) => kernel[i]?.[j] ?? 0));
}

const target = (told, ...kernel) => ({ told, kernel, view: usualView(kernel) });

/** Maps to match, each one twist away from a preset. What it was is told when it is found. */
export const TARGETS = [
  target("It is the vertical edge, its signs exchanged.", [1, 0, -1], [1, 0, -1], [1, 0, -1]),
  target("It sharpens against all eight neighbours.", [-1, -1, -1], [-1, 9, -1], [-1, -1, -1]),
  target("It is the edge like /, two corners doubled.", [-2, -1, 0], [-1, 0, 1], [0, 1, 2]),
];

/** The PyTorch line that makes the map. */
export function pytorchLine({ kernel, border, view }) {
  const r = (kernel.length - 1) / 2;
  const pad = `F.pad(x, (${r}, ${r}, ${r}, ${r}), mode="${BORDERS[border][1]}")`;
  return `F.conv2d(${pad}, w)${VIEWS[view][1]}`;
}

/** A script that makes the map of a picture in a file. */
export function pytorchScript(settings) {
  return [
    "import numpy as np",
    "import torch",
    "from PIL import Image, ImageOps",
    "from torch.nn import functional as F",
    "",
    'picture = ImageOps.exif_transpose(Image.open("photo.jpg"))  # your picture',
    `picture = ImageOps.fit(picture.convert("L"), (${SIDE}, ${SIDE}))`,
    "x = torch.tensor(np.array(picture), dtype=torch.float64)[None, None]",
    tensorLines("w", settings.kernel),
    `y = ${pytorchLine(settings)}`,
    "print(tuple(y.shape), y.min().item(), y.max().item())",
  ].join("\n");
}
