// Conv stepper: its settings, along two axes; what is refused of them, computed and copied.

import {
  convOutputSize,
  convTaps,
  convTransposeOutputSize,
  convTransposeTaps,
  kernelSpan,
  samePadding,
  sumTaps,
} from "../lib/arithmetic.js";
import { range } from "../lib/ranges.js";

export const LIMITS = {
  input_size: [1, 10],
  kernel_size: [1, 5],
  stride: [1, 4],
  padding: [0, 4],
  dilation: [1, 3],
  output_padding: [0, 3],
};
const LARGEST_CANVAS = 20; // cells per side that still fit a phone

const DEFAULTS = {
  mode: "convolution",
  input_size: 5,
  kernel_size: 3,
  stride: 1,
  padding: [0, 0],
  dilation: 1,
  output_padding: 0,
};
const TRANSPOSED = { mode: "transposed", input_size: 3, stride: 2 };

/** Examples; `selected` is the output cell that teaches most. */
export const PRESETS = [
  {
    label: "Stride 1",
    note: "The window moves pixel by pixel: of 5 pixels a side, 5 \u2212 3 + 1 = 3 outputs are left.",
    own: {},
  },
  {
    label: "Stride 2, padding 1",
    note: "Zeros all around, and every second window only: 3 \u00d7 3 outputs, as at stride 1 without.",
    own: { stride: 2, padding: [1, 1] },
  },
  {
    label: "Floor drops pixels",
    note: "A fifth window would reach beyond the border, so the last row and column are never read.",
    own: { input_size: 10, stride: 2 },
  },
  {
    label: "Same, even kernel",
    note: "An even kernel cannot be centred: PyTorch pads one less before than after.",
    own: { kernel_size: 4, padding: samePadding(4) },
  },
  {
    label: "Kernel 1 \u00d7 3",
    note: "The window is one row high: the output loses two columns and no row.",
    own: { kernel_size: [1, 3] },
  },
  {
    label: "Dilation 2",
    note: "The taps stand two pixels apart: nine weights span 5 \u00d7 5 pixels.",
    own: { input_size: 7, dilation: 2 },
    selected: [1, 1],
  },
  {
    label: "Stride 2, transposed",
    note: "Each input cell adds the kernel, times its number, two cells further on than the last.",
    own: TRANSPOSED,
    selected: [2, 2],
  },
].map(({ own, ...preset }) => ({ ...preset, settings: { ...DEFAULTS, ...own } }));

const whole =
  (/** @type {number[]} */ [low, high]) =>
  (value) =>
    Number.isInteger(value) && value >= low && value <= high;
const pairOf = (test) => (value) => Array.isArray(value) && value.length === 2 && value.every(test);
const oneOrPair = (test) => (value) => test(value) || pairOf(test)(value);

/** What a link may hold. @type {Record<string, import("../lib/address.js").Rule>} */
export const RULES = {
  mode: ["convolution", "transposed"],
  ...Object.fromEntries(
    Object.entries(LIMITS).map(([name, limits]) => [
      name,
      { fits: oneOrPair(whole(limits)), words: `${limits.join(" to ")}, or two in brackets` },
    ]),
  ),
  padding: {
    fits: oneOrPair(pairOf(whole(LIMITS.padding))),
    words: `[before,after] or two such pairs, each ${LIMITS.padding.join(" to ")}`,
  },
  selected: {
    fits: pairOf(whole([0, LARGEST_CANVAS - 1])),
    words: "a row and a column, in brackets",
  },
};

/** A setting as [rows, columns]; the model holds one for both where they are equal. */
export function bothAxes(name, value) {
  return Array.isArray(name === "padding" ? value[0] : value) ? value : [value, value];
}

/** What the model holds for the settings of [rows, columns]. */
export function joined(/** @type {any[]} */ [rows, cols]) {
  return String(rows) === String(cols) ? rows : [rows, cols];
}

/** @typedef {import("../lib/arithmetic.js").Axis & { mode: string }} StepperAxis */

/** The settings as the arithmetic wants them: the mode, [rows, columns], whether these agree. */
export function readSettings(/** @type {Record<string, any>} */ settings) {
  const { mode } = settings;
  const axes = [0, 1].map((i) => {
    const of = (name) => bothAxes(name, settings[name])[i];
    const [before, after] = of("padding");
    return {
      ...{ mode, size: of("input_size"), kernel: of("kernel_size"), stride: of("stride") },
      ...{ before, after, dilation: of("dilation") },
      outputPadding: mode === "transposed" ? of("output_padding") : 0,
    };
  });
  return { mode, axes, same: JSON.stringify(axes[0]) === JSON.stringify(axes[1]) };
}

/** Why these settings give no output, in a sentence with the remedy; null when they do. */
export function problemWith({ axes, same }) {
  const places = same ? ["", ""] : [" from top to bottom", " from left to right"];
  const problem = axes.map((axis, i) => problemAlong(axis, places[i])).find(Boolean);
  if (problem) return problem;
  const sides = axes.map(canvasOf).map(([first, end]) => end - first);
  if (Math.max(...sides) <= LARGEST_CANVAS) return null;
  return (
    `Legal, but ${sides.join(" \u00d7 ")} cells are more than fit here (${LARGEST_CANVAS} \u00d7 ` +
    `${LARGEST_CANVAS}). Use a smaller input, stride, dilation or kernel.`
  );
}

function problemAlong(/** @type {StepperAxis} */ s, where) {
  if (outputSizeOf(s) !== null) return null;
  const [span, reach] = [kernelSpan(s), Math.max(s.stride, s.dilation)];
  const [spread, orDilation] =
    s.dilation > 1 ? [` at dilation ${s.dilation}`, "a smaller dilation "] : ["", ""];
  if (s.mode === "convolution") {
    return (
      `No window fits${where}: a kernel of ${s.kernel}${spread} ` +
      `spans ${span} pixels, and the padded input has ${s.size} + ${s.before} + ${s.after} = ` +
      `${s.size + s.before + s.after}. Use a larger input, more padding, ` +
      `${orDilation}or a smaller kernel.`
    );
  }
  if (s.outputPadding >= reach) {
    return (
      `Output padding ${s.outputPadding} is too large${where}: it must be smaller than the stride ` +
      `(${s.stride}) or than the dilation (${s.dilation}). Use ${reach - 1} or less, or a larger ` +
      "stride."
    );
  }
  return (
    `Nothing is left${where}: padding crops ${s.before} + ${s.after} cells from an output of ` +
    `${(s.size - 1) * s.stride + span + s.outputPadding}. Use less padding, a larger input or a ` +
    "larger kernel."
  );
}

/** First and last + 1 index of the cells drawn for the output, cropped ones included. */
export function canvasOf(/** @type {StepperAxis} */ s) {
  if (s.mode === "convolution") return [0, convOutputSize(s)];
  const full = (s.size - 1) * s.stride + kernelSpan(s);
  return [-s.before, Math.max(full - s.before, convTransposeOutputSize(s))];
}

/** Output size in either mode. */
export function outputSizeOf(/** @type {StepperAxis} */ s) {
  return s.mode === "convolution" ? convOutputSize(s) : convTransposeOutputSize(s);
}

const tapsOf = (s, o) => (s.mode === "convolution" ? convTaps(s, o) : convTransposeTaps(s, o));

/** Which index of the output reads which of the input through which of the kernel: { y, x, w }. */
export function linksOf(/** @type {StepperAxis} */ s) {
  return range(0, outputSizeOf(s)).flatMap((y) => tapsOf(s, y).map(([x, w]) => ({ y, x, w })));
}

/** The number of every output cell that is drawn, cropped ones included. */
export function valuesOf({ axes }, x, w) {
  const [rows, cols] = axes.map((s) => range(...canvasOf(s)).map((o) => tapsOf(s, o)));
  return sumTaps(x, w, rows, cols);
}

/** The PyTorch line that computes this output from x and w. */
export function pytorchLine({ mode, axes }) {
  const even = axes.every(({ before, after }) => before === after);
  const option = (name, key, usual) => {
    const value = joined(axes.map((axis) => axis[key]));
    const text = Array.isArray(value) ? `(${value.join(", ")})` : value;
    return value === usual ? [] : [`${name}=${text}`];
  };
  const options = [
    ...option("stride", "stride", 1),
    ...(even ? option("padding", "before", 0) : []),
    ...option("output_padding", "outputPadding", 0),
    ...option("dilation", "dilation", 1),
  ];
  const call = (name, x) => `F.${name}(${[x, "w", ...options].join(", ")})`;
  // F.pad begins with the last axis; where a transposed convolution pads, it crops.
  const sign = mode === "convolution" ? 1 : -1;
  const sides = [axes[1], axes[0]].flatMap((s) => [s.before, s.after]).map((n) => n && sign * n);
  const pad = (value) => (even ? value : `F.pad(${value}, (${sides.join(", ")}))`);
  return mode === "convolution" ? call("conv2d", pad("x")) : pad(call("conv_transpose2d", "x"));
}
