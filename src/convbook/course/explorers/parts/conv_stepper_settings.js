// Conv stepper: its settings, and what is shown, said and copied of them.

import {
  convOutputSize,
  convTaps,
  convTransposeOutputSize,
  convTransposeTaps,
  kernelSpan,
  samePadding,
} from "../lib/arithmetic.js";
import { tensorLines } from "../lib/format.js";
import { range } from "../lib/ranges.js";
import { ink } from "../lib/results.js";

export const LIMITS = {
  input: 10,
  kernel: 5,
  stride: 4,
  padding: 4,
  dilation: 3,
  outputPadding: 3,
};
const LARGEST_CANVAS = 20; // cells per side that still fit a phone

export const DEFAULTS = {
  mode: "convolution",
  input_size: 5,
  kernel_size: 3,
  stride: 1,
  padding: [0, 0],
  dilation: 1,
  output_padding: 0,
  selected: [0, 0],
};

export const PRESETS = [
  ["Stride 2, padding 1", { stride: 2, padding: [1, 1] }],
  ["Floor drops pixels", { input_size: 10, stride: 2 }],
  ["Same, even kernel", { kernel_size: 4, padding: samePadding(4) }],
  ["Dilation 2", { input_size: 7, dilation: 2, selected: [1, 1] }],
  ["Transposed", { mode: "transposed", input_size: 3, stride: 2, selected: [2, 2] }],
].map(([label, patch]) => [label, { ...DEFAULTS, ...patch }]);

/** The settings in the model, as the arithmetic wants them. */
export function readSettings(model) {
  const [before, after] = model.get("padding");
  return {
    mode: model.get("mode"),
    size: model.get("input_size"),
    kernel: model.get("kernel_size"),
    stride: model.get("stride"),
    before,
    after,
    dilation: model.get("dilation"),
    outputPadding: model.get("mode") === "transposed" ? model.get("output_padding") : 0,
  };
}

/** Why these settings give no output, in a sentence with the remedy; null when they do. */
export function problemWith(s) {
  const span = kernelSpan(s);
  if (s.mode === "convolution") {
    const room = s.size + s.before + s.after;
    if (span <= room) return null;
    const spread = s.dilation > 1 ? ` at dilation ${s.dilation}` : "";
    return (
      `No window fits: a kernel of ${s.kernel}${spread} spans ${span} pixels, and the padded input ` +
      `has ${s.size} + ${s.before} + ${s.after} = ${room}. Use a larger input, more padding, ` +
      `${s.dilation > 1 ? "a smaller dilation or " : "or "}a smaller kernel.`
    );
  }
  if (s.outputPadding >= Math.max(s.stride, s.dilation)) {
    return (
      `Output padding ${s.outputPadding} is too large: it must be smaller than the stride ` +
      `(${s.stride}) or than the dilation (${s.dilation}). Use ` +
      `${Math.max(s.stride, s.dilation) - 1} or less, or a larger stride.`
    );
  }
  if (convTransposeOutputSize(s) === null) {
    const full = (s.size - 1) * s.stride + span + s.outputPadding;
    return (
      `Nothing is left: padding crops ${s.before} + ${s.after} cells from an output of ${full}. ` +
      "Use less padding, a larger input or a larger kernel."
    );
  }
  const canvas = canvasOf(s);
  if (canvas.bottom - canvas.top > LARGEST_CANVAS) {
    const side = canvas.bottom - canvas.top;
    return (
      `Legal, but ${side} \u00d7 ${side} cells are more than fit here (${LARGEST_CANVAS} \u00d7 ` +
      `${LARGEST_CANVAS}). Use a smaller input, stride, dilation or kernel.`
    );
  }
  return null;
}

/** First and last + 1 index of the cells drawn for the output, cropped ones included. */
export function canvasOf(s) {
  if (s.mode === "convolution") return { top: 0, bottom: convOutputSize(s) };
  const full = (s.size - 1) * s.stride + kernelSpan(s);
  return { top: -s.before, bottom: Math.max(full - s.before, convTransposeOutputSize(s)) };
}

/** Output size in either mode. */
export function outputSizeOf(s) {
  return s.mode === "convolution" ? convOutputSize(s) : convTransposeOutputSize(s);
}

/** Taps behind output index `o` in either mode. */
export function tapsOf(s, o) {
  return s.mode === "convolution" ? convTaps(s, o) : convTransposeTaps(s, o);
}

/** The PyTorch line that computes this output from x and w. */
export function pytorchLine(s) {
  const even = s.before === s.after;
  const options = [
    s.stride > 1 && `stride=${s.stride}`,
    even && s.before > 0 && `padding=${s.before}`,
    s.outputPadding > 0 && `output_padding=${s.outputPadding}`,
    s.dilation > 1 && `dilation=${s.dilation}`,
  ].filter(Boolean);
  const call = (name, x) => `F.${name}(${[x, "w", ...options].join(", ")})`;
  if (s.mode === "convolution") {
    const sides = `${s.before}, ${s.after}, ${s.before}, ${s.after}`;
    return call("conv2d", even ? "x" : `F.pad(x, (${sides}))`);
  }
  const crop = [s.before, s.after, s.before, s.after].map((side) => (side ? -side : 0)).join(", ");
  const line = call("conv_transpose2d", "x");
  return even ? line : `F.pad(${line}, (${crop}))`;
}

/** A script that runs as it stands: imports, the numbers on the page, the line. */
export function pytorchScript(s, x, w) {
  return [
    "import torch",
    "import torch.nn.functional as F",
    "",
    tensorLines("x", x),
    tensorLines("w", w),
    `y = ${pytorchLine(s)}`,
    "print(y[0, 0])",
  ].join("\n");
}

/** What the reader should notice about these settings, in one or two sentences. */
export function noteOn(s, read) {
  if (s.mode === "transposed") {
    const counts = range(0, convTransposeOutputSize(s)).map((o) => convTransposeTaps(s, o).length);
    const products = [...new Set(counts.flatMap((a) => counts.map((b) => a * b)))];
    products.sort((a, b) => a - b);
    const last = products.pop();
    const list = products.length ? `${products.join(", ")} or ${last}` : `${last}`;
    const cropped = s.before + s.after > 0 ? " Padding crops the hatched border." : "";
    return `Every output cell adds ${list} product${list === "1" ? "" : "s"}.${cropped}`;
  }
  const left = (s.size + s.before + s.after - kernelSpan(s)) % s.stride;
  const inside = range(0, s.size).filter((i) => read.has(i)).length;
  const unread = s.size ** 2 - inside ** 2;
  const sentences = [];
  if (left > 0) {
    const last = left === 1 ? "row and column" : `${left} rows and columns`;
    const lost = left <= s.after ? ", all of it padding" : "";
    sentences.push(`The floor drops the last ${last}${lost}.`);
  }
  if (unread > 0) {
    const verb = unread === 1 ? "is" : "are";
    sentences.push(`${unread} of ${s.size ** 2} input pixels ${verb} read by no window.`);
  } else {
    sentences.push("Every input pixel is read by at least one window.");
  }
  return sentences.join(" ");
}

/** The size formula, in names and with the current numbers, as nodes. */
export function formulaOf(s) {
  const size = ink("input", s.size);
  const kernel = ink("kernel", s.kernel);
  if (s.mode === "transposed") {
    const out = convTransposeOutputSize(s);
    return {
      names:
        "(input \u2212 1) \u00b7 stride \u2212 before \u2212 after " +
        "+ dilation \u00b7 (kernel \u2212 1) + output padding + 1",
      numbers: [
        "(",
        size,
        ` \u2212 1) \u00b7 ${s.stride} \u2212 ${s.before} \u2212 ${s.after}`,
        ` + ${s.dilation} \u00b7 (`,
        kernel,
        ` \u2212 1) + ${s.outputPadding} + 1 = `,
        ink("output", out),
      ],
    };
  }
  const room = s.size + s.before + s.after - kernelSpan(s);
  return {
    names:
      "\u230a(input + before + after \u2212 dilation \u00b7 (kernel \u2212 1) \u2212 1) " +
      "/ stride\u230b + 1",
    numbers: [
      "\u230a(",
      size,
      ` + ${s.before} + ${s.after} \u2212 ${s.dilation} \u00b7 (`,
      kernel,
      ` \u2212 1) \u2212 1) / ${s.stride}\u230b + 1 = \u230a${room} / ${s.stride}\u230b + 1 = `,
      ink("output", convOutputSize(s)),
    ],
  };
}
